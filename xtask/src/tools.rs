//! The tools besides cargo, in pinned versions. A missing one is built into `target/tools`; nothing is
//! installed into the user's home.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::proc;

/// One pinned tool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    /// Package and program name.
    pub(crate) name: &'static str,
    /// Exact version.
    pub(crate) version: &'static str,
}

/// Licences, duplicate crates, forbidden crates, sources.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Unused dependencies.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };

/// The program of a tool: from `target/tools`, from PATH in the same version, or built now.
pub(crate) fn provide(tool: Tool) -> Result<PathBuf> {
    let tools = proc::target_dir().join("tools");
    let own = tools.join("bin").join(tool.name);
    for candidate in [Some(own.clone()), proc::find_on_path(tool.name)].into_iter().flatten() {
        if proc::is_program(&candidate) && has_version(&candidate, tool.version) {
            return Ok(candidate);
        }
    }
    println!("{} {} is not on this machine; building it once (a few minutes)", tool.name, tool.version);
    let root = tools.to_string_lossy().into_owned();
    let mut install = proc::cargo(&["install", "--locked", "--root", &root, "--version", tool.version, tool.name]);
    // A folder of its own keeps the build for next time and away from the workspace's lock.
    install.env("CARGO_TARGET_DIR", proc::target_dir().join("tools-build"));
    proc::live(&mut install).with_context(|| {
        format!("{} could not be built; `cargo install --locked --version {} {}` shows why", tool.name, tool.version, tool.name)
    })?;
    ensure!(has_version(&own, tool.version), "{} does not answer with version {}", own.display(), tool.version);
    Ok(own)
}

fn has_version(program: &std::path::Path, version: &str) -> bool {
    let Ok(text) = proc::capture(&mut proc::command(program, &["--version"])) else { return false };
    names_version(&text, version)
}

fn names_version(text: &str, version: &str) -> bool {
    text.split_whitespace().any(|word| word.trim_start_matches('v') == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_whole() {
        assert!(names_version("cargo-deny 0.20.2\n", "0.20.2"));
        assert!(names_version("0.9.2", "0.9.2"));
        assert!(!names_version("cargo-deny 0.20.21", "0.20.2"));
    }
}
