//! Who may know whom, and what: the design's rules as a typed list, checked over cargo's own metadata and
//! the sources. A rule in a document drifts; a rule that stops the build does not.

mod lex;
mod paths;
mod rules;
mod scan;
mod size;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::proc::{capture, cargo, root};
use rules::{CRATES, FORBIDDEN_PACKAGES};

/// One break of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// `crates/pm-x/src/y.rs:12`, or the manifest.
    pub(crate) place: String,
    /// What stands there.
    pub(crate) found: String,
    /// Why it may not.
    pub(crate) reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    {}", self.place, self.found, self.reason)
    }
}

/// A package of the workspace as far as the rules need it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Normal and build dependencies on packages of this workspace.
    pub(crate) ours: Vec<String>,
}

/// Checks everything; returns notes (house-size warnings) when no rule is broken.
pub(crate) fn run() -> Result<Vec<String>> {
    let packages = workspace_packages()?;
    let mut found = edge_violations(&packages);
    for package in packages.iter().filter(|p| rules::is_pure(&p.name)) {
        found.extend(closure_violations(&package.name)?);
    }
    let mut files = 0_usize;
    for package in packages.iter().filter(|p| p.name != "xtask") {
        files += scan::package(package, &mut found)?;
    }
    println!("{} packages and {files} source files checked", packages.len());
    if !found.is_empty() {
        found.sort();
        found.dedup();
        let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
        bail!("{} breaks of the purity rules:\n{}", found.len(), lines.join("\n"));
    }
    size::warnings(&packages)
}

/// The packages of the workspace, from `cargo metadata`.
fn workspace_packages() -> Result<Vec<Package>> {
    let text = capture(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    parse_metadata(&text)
}

fn parse_metadata(text: &str) -> Result<Vec<Package>> {
    let metadata: serde_json::Value = serde_json::from_str(text).context("cargo metadata")?;
    let list = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let names: BTreeSet<&str> = list.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut packages = Vec::new();
    for package in list {
        let name = package["name"].as_str().context("package without name")?;
        let manifest = package["manifest_path"].as_str().context("package without manifest")?;
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = dependencies
            .iter()
            .filter(|d| d["kind"].as_str() != Some("dev"))
            .filter_map(|d| d["name"].as_str())
            .filter(|d| names.contains(d))
            .map(str::to_owned)
            .collect();
        let folder = Path::new(manifest).parent().unwrap_or(Path::new("")).to_owned();
        packages.push(Package { name: name.to_owned(), folder, ours });
    }
    Ok(packages)
}

/// Dependency edges between our packages that the table does not allow.
fn edge_violations(packages: &[Package]) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in packages {
        let place = |word: &str| manifest_place(&package.folder, word);
        let Some(row) = CRATES.iter().find(|row| row.name == package.name) else {
            found.push(Violation {
                place: place("name"),
                found: format!("package `{}`", package.name),
                reason: "it has no row in the table of crates (xtask/src/purity/rules.rs): say whom it may know".into(),
            });
            continue;
        };
        for dependency in &package.ours {
            if !row.may_know.allows(dependency) {
                found.push(Violation {
                    place: place(dependency),
                    found: format!("`{}` depends on `{dependency}`", package.name),
                    reason: format!("it may know {}: {}", row.may_know, row.reason),
                });
            }
        }
    }
    found
}

/// `crates/x/Cargo.toml:12`, the line that starts with `word`.
fn manifest_place(folder: &Path, word: &str) -> String {
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap_or_default();
    let line = text.lines().position(|l| l.trim_start().starts_with(word)).map_or(1, |n| n + 1);
    format!("{}:{line}", relative(&manifest))
}

/// A path as seen from the workspace root.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

/// Forbidden packages that a pure package reaches through normal dependencies, on any platform.
fn closure_violations(name: &str) -> Result<Vec<Violation>> {
    let args = ["tree", "-e", "normal,no-proc-macro", "-p", name, "--target", "all", "--prefix", "none", "--format", "{p}"];
    Ok(forbidden_in_tree(name, &capture(&mut cargo(&args))?))
}

fn forbidden_in_tree(name: &str, tree: &str) -> Vec<Violation> {
    let reached: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut found = Vec::new();
    for package in reached {
        if let Some(rule) = FORBIDDEN_PACKAGES.iter().find(|rule| rule.matches(package)) {
            found.push(Violation {
                place: format!("crates/{name}/Cargo.toml:1"),
                found: format!("`{name}` reaches `{package}` (see `cargo tree -e normal -p {name} -i {package}`)"),
                reason: format!("pure crates reach no {}", rule.what),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, ours: &[&str]) -> Package {
        Package { name: name.into(), folder: PathBuf::from("/nowhere"), ours: ours.iter().map(|d| (*d).to_owned()).collect() }
    }

    #[test]
    fn allowed_edges_pass_and_others_name_the_place() {
        assert_eq!(edge_violations(&[package("pm-engine", &["pm-core", "pm-risk"]), package("pmbot", &["pm-sim"])]), []);
        let found = edge_violations(&[package("pm-strategy", &["pm-core", "pm-ledger"])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].found.contains("`pm-strategy` depends on `pm-ledger`"), "{}", found[0]);
        assert!(!edge_violations(&[package("pm-core", &["pm-sim"])]).is_empty());
    }

    #[test]
    fn an_unknown_package_is_a_violation() {
        assert!(edge_violations(&[package("pm-new", &[])])[0].reason.contains("no row"));
    }

    #[test]
    fn dev_dependencies_are_free() {
        let text = r#"{"packages":[
            {"name":"pm-core","manifest_path":"/r/crates/pm-core/Cargo.toml","dependencies":[{"name":"pm-sim","kind":"dev"}]},
            {"name":"pm-sim","manifest_path":"/r/crates/pm-sim/Cargo.toml","dependencies":[{"name":"pm-core","kind":null},{"name":"serde","kind":null}]}]}"#;
        let packages = parse_metadata(text).unwrap();
        assert_eq!(packages[0].ours, Vec::<String>::new());
        assert_eq!(packages[1].ours, ["pm-core"]);
        assert_eq!(packages[1].folder, Path::new("/r/crates/pm-sim"));
    }

    #[test]
    fn forbidden_packages_are_found_by_name_and_prefix() {
        let tree = "pm-risk v0.1.0 (/x)\nserde v1.0.0\ntokio-util v0.7.1\nrand_core v0.9.0 (*)\nrandomize v1.0.0\n";
        let found = forbidden_in_tree("pm-risk", tree);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
