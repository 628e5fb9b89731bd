//! The documents at the root: links lead somewhere, and the README names the test command that CI runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::proc::{is_program, root};

/// What a reader types to test, and what `.ci/run` runs.
const TEST_COMMAND: &str = "cargo xtask ci";

/// Checks README, `.ci/run` and the links of all documents.
pub(crate) fn check() -> Result<Vec<String>> {
    let root = root();
    let mut wrong = Vec::new();
    for name in ["README.md", "CONTRIBUTING.md", ".ci/run"] {
        match std::fs::read_to_string(root.join(name)) {
            Err(_) => wrong.push(format!("{name} is absent")),
            Ok(text) if !text.contains(TEST_COMMAND) => wrong.push(format!("{name} does not name `{TEST_COMMAND}`")),
            Ok(_) => {}
        }
    }
    if !is_program(&root.join(".ci/run")) {
        wrong.push(".ci/run is not executable: `chmod +x .ci/run`".to_owned());
    }
    let documents = documents(&root)?;
    for document in &documents {
        let text = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
        let folder = document.parent().unwrap_or(&root);
        let shown = document.strip_prefix(&root).unwrap_or(document).display();
        for (line, link) in dead_links(&text, folder, &root) {
            wrong.push(format!("{shown}:{line}: the link leads nowhere: {link}"));
        }
    }
    if wrong.is_empty() {
        println!("{} documents checked", documents.len());
        return Ok(Vec::new());
    }
    bail!("{}", wrong.join("\n"));
}

/// Markdown files of the root, `docs/` and the crates.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["", "docs", "crates", "bins", "xtask", "docker", "config", "migrations"] {
        walk(&root.join(folder), if folder.is_empty() { 0 } else { 4 }, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: u32, out: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())?.flatten() {
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            walk(&path, depth - 1, out)?;
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
    Ok(())
}

/// Relative links (`[text](target)`) whose target does not exist, with their line. Code blocks are left out.
fn dead_links(text: &str, folder: &Path, root: &Path) -> Vec<(usize, String)> {
    let mut dead = Vec::new();
    let mut in_code = false;
    for (n, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split(['#', ' ']).next().unwrap_or_default();
            let outside = file.contains("://") || file.starts_with("mailto:") || file.is_empty();
            let path = file.strip_prefix('/').map_or_else(|| folder.join(file), |inside| root.join(inside));
            if !outside && !path.exists() {
                dead.push((n + 1, target.to_owned()));
            }
        }
    }
    dead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found_with_their_line() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("here.md"), "").unwrap();
        let text = "[a](here.md) [b](here.md#part)\n[c](gone.md#x) [d](https://x.org/gone) [e](#part)\n```\n[f](gone2.md)\n```\n[g](/here.md)";
        assert_eq!(dead_links(text, dir.path(), dir.path()), [(2, "gone.md#x".to_owned())]);
    }
}
