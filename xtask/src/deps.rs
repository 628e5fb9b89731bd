//! What reaches the release binary, and what the dependency tools say.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::proc::{capture, cargo, command, live};
use crate::tools;

/// Crates for tests and benches. One of them in the binary means a dependency in the wrong table.
const TEST_CRATES: &[&str] = &["proptest", "mockall", "criterion", "tempfile", "insta", "wiremock", "turmoil", "dhat"];

/// No test crate in the normal dependencies of pmbot.
pub(crate) fn release_graph() -> Result<Vec<String>> {
    let tree = capture(&mut cargo(&["tree", "-p", "pmbot", "-e", "normal", "--prefix", "none", "--format", "{p}"]))?;
    let (all, found) = test_crates_in(&tree);
    if found.is_empty() {
        println!("{all} packages in the release graph of pmbot, none of them for tests");
        return Ok(Vec::new());
    }
    let hints: Vec<String> =
        found.iter().map(|name| format!("  {name} (see `cargo tree -p pmbot -e normal -i {name}`)")).collect();
    bail!("test crates reach the release binary; move them to [dev-dependencies]:\n{}", hints.join("\n"));
}

fn test_crates_in(tree: &str) -> (usize, Vec<&str>) {
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let found = names.iter().copied().filter(|name| TEST_CRATES.contains(name)).collect();
    (names.len(), found)
}

/// cargo-deny without the advisories, which need the network.
pub(crate) fn deny() -> Result<Vec<String>> {
    let program = tools::provide(tools::DENY)?;
    // cargo-deny looks at every platform's packages; they must be in cargo's cache for `--offline`.
    live(&mut cargo(&["fetch", "--quiet"]))?;
    live(&mut command(program, &["--offline", "--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    Ok(Vec::new())
}

/// Unused dependencies.
pub(crate) fn machete() -> Result<Vec<String>> {
    let program = tools::provide(tools::MACHETE)?;
    live(&mut command(program, &["crates", "bins", "xtask"]))?;
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_crates_are_found_by_whole_name() {
        let tree = "pmbot v0.1.0 (/x)\nproptest v1.0.0\nproptest-derive v1\nserde v1 (*)\nserde v1 (*)\ndhat v0.3.3\n";
        assert_eq!(test_crates_in(tree), (5, vec!["dhat", "proptest"]));
    }
}
