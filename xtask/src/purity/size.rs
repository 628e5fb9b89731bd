//! House size: files that have grown beyond what one reads in one sitting. A warning, not a failure: the
//! cure is a better cut, and that needs a person.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::scan::rust_files;
use super::{Package, relative};

/// Lines above which a file is named.
const HOUSE_LINES: usize = 400;

/// One note with the files above the limit, largest first; none when there is none.
pub(crate) fn warnings(packages: &[Package]) -> Result<Vec<String>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for package in packages {
        for part in ["src", "tests", "benches", "examples"] {
            rust_files(&package.folder.join(part), &mut files)?;
        }
    }
    let mut counted = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| relative(&file))?;
        counted.push((text.lines().count(), relative(&file)));
    }
    Ok(note(counted).into_iter().collect())
}

fn note(counted: Vec<(usize, String)>) -> Option<String> {
    let all = counted.len();
    let mut long: Vec<(usize, String)> = counted.into_iter().filter(|(lines, _)| *lines > HOUSE_LINES).collect();
    if long.is_empty() {
        return None;
    }
    long.sort_by(|a, b| b.cmp(a));
    let lines: Vec<String> = long.iter().map(|(lines, file)| format!("  {lines:>5}  {file}")).collect();
    Some(format!("warning: {} of {all} files are over {HOUSE_LINES} lines:\n{}", long.len(), lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named_largest_first() {
        assert_eq!(note(vec![(400, "a".into())]), None);
        let text = note(vec![(401, "a".into()), (900, "b".into()), (1, "c".into())]).unwrap();
        assert!(text.starts_with("warning: 2 of 3 files"), "{text}");
        assert!(text.find("900").unwrap() < text.find("401").unwrap(), "{text}");
    }
}
