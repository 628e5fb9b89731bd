//! Applies the source rules to the files of a package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::lex::{self, Kind, Token};
use super::paths::{self, NamedPath};
use super::rules::{self, COLUMNS, MODEL_MARK, RULES, Rule, VENUES, What};
use super::{Package, Violation, relative};

/// Scans `src/` of a package (its tests, benches and examples are free); returns the number of files.
pub(crate) fn package(package: &Package, found: &mut Vec<Violation>) -> Result<usize> {
    let mut files = Vec::new();
    rust_files(&package.folder.join("src"), &mut files)?;
    let mut sources = Vec::new();
    let mut test_files = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| relative(&file))?;
        let production = lex::without_tests(&lex::tokens(&text));
        for module in &production.test_modules {
            let folder = module_folder(&file).join(module);
            test_files.insert(folder.with_extension("rs"));
            test_files.insert(folder);
        }
        sources.push((file, text, production.tokens));
    }
    sources.retain(|(file, ..)| !file.ancestors().any(|path| test_files.contains(path)));
    for (file, text, tokens) in &sources {
        let source = Source { krate: &package.name, place: relative(file), text, tokens, paths: paths::named_paths(tokens) };
        for rule in RULES.iter().filter(|rule| rule.holds.holds(&package.name)) {
            source.apply(rule, found);
        }
    }
    Ok(sources.len())
}

/// Where the child modules of a file live.
fn module_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if ["lib", "main", "mod"].contains(&stem) { file.parent().unwrap_or(file).to_owned() } else { file.with_extension("") }
}

/// All Rust files below a folder, in order; a folder that is absent has none.
pub(crate) fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).with_context(|| relative(folder))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    Ok(())
}

struct Source<'s> {
    krate: &'s str,
    place: String,
    text: &'s str,
    tokens: &'s [Token],
    paths: Vec<NamedPath>,
}

impl Source<'_> {
    fn apply(&self, rule: &Rule, found: &mut Vec<Violation>) {
        let mut report = |line: usize, what: String| {
            found.push(Violation { place: format!("{}:{line}", self.place), found: what, reason: rule.reason.to_owned() });
        };
        match rule.what {
            What::Path(prefix) => {
                let hits = self.paths.iter().filter(|p| rules::starts_with_path(&p.path, prefix));
                for hit in hits.filter(|p| !rules::is_excepted(self.krate, &p.path)) {
                    report(hit.line, format!("`{}`", hit.path));
                }
            }
            What::Name(name) => {
                for token in self.tokens.iter().filter(|t| t.kind == Kind::Name && t.text == name) {
                    report(token.line, format!("`{name}`"));
                }
            }
            What::Float => {
                for token in self.tokens.iter().filter(|t| is_float(t) && !self.is_model_value(t.line)) {
                    report(token.line, format!("`{}`", token.text));
                }
            }
            What::Venue if self.is_importer() => {}
            What::Venue => {
                for token in self.tokens {
                    if let Some(word) = venue_word(&token.text) {
                        report(token.line, format!("the venue name in `{word}`"));
                    }
                }
            }
            What::Row(shown, _) if rules::is_excepted(self.krate, shown) => {}
            What::Row(shown, row) => {
                for at in self.tokens.windows(row.len()).filter(|w| w.iter().zip(row).all(|(t, want)| t.is(want))) {
                    report(at.first().map_or(0, |t| t.line), format!("`{shown}`"));
                }
            }
            What::ImplOf(name) => {
                for (n, token) in self.tokens.iter().enumerate() {
                    if token.kind == Kind::Name && token.text == name && is_implemented_at(self.tokens, n) {
                        report(token.line, format!("`impl {name} for`"));
                    }
                }
            }
        }
    }

    fn is_model_value(&self, line: usize) -> bool {
        self.krate == "pm-core" && self.text.lines().nth(line.saturating_sub(1)).is_some_and(|l| l.contains(MODEL_MARK))
    }

    /// Importers translate other people's files and name whose they are.
    fn is_importer(&self) -> bool {
        self.place.contains("import") || self.place.contains("mappings") || self.place.contains("migrations")
    }
}

fn is_float(token: &Token) -> bool {
    match token.kind {
        Kind::Name => token.text == "f64" || token.text == "f32",
        Kind::Number => !token.text.starts_with("0x") && (token.text.ends_with("f64") || token.text.ends_with("f32")),
        Kind::Text | Kind::Sign => false,
    }
}

/// The first word of a text that holds a venue's name and is not one of the user's columns.
fn venue_word(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| {
        let lower = word.to_lowercase();
        VENUES.iter().any(|venue| lower.contains(venue)) && !COLUMNS.contains(&lower.as_str())
    })
}

/// Whether the name at `n` is the trait of an impl: `Name for`, `Name<..> for`.
fn is_implemented_at(tokens: &[Token], n: usize) -> bool {
    let mut at = n + 1;
    if tokens.get(at).is_some_and(|t| t.is("<")) {
        let mut depth = 0_u32;
        while let Some(token) = tokens.get(at) {
            depth = if token.is("<") { depth + 1 } else { depth.saturating_sub(u32::from(token.is(">"))) };
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    // `for` behind the name is an impl; `for<'a>` in a bound is not.
    tokens.get(at).is_some_and(|t| t.is("for")) && !tokens.get(at + 1).is_some_and(|t| t.is("<"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(krate: &str, files: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = dir.path().join("src").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let mut found = Vec::new();
        let target = Package { name: krate.to_owned(), folder: dir.path().to_owned(), ours: Vec::new() };
        package(&target, &mut found).unwrap();
        let name = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
        let mut lines: Vec<String> = found.iter().map(|v| format!("{} {}", name(&v.place), v.found)).collect();
        lines.dedup();
        lines
    }

    #[test]
    fn hidden_input_output_chance_and_clocks_are_caught() {
        let pure = "use std::io::Write;\nfn f(s: RandomState, h: DefaultHasher) {}\n";
        let found = scan("pm-risk", &[("lib.rs", pure)]);
        assert_eq!(found, ["lib.rs:1 `std::io::Write`", "lib.rs:2 `RandomState`", "lib.rs:2 `DefaultHasher`"]);
        let any = "fn f() {\n println!(\"a\");\n eprintln!(\"b\");\n std::time::SystemTime::UNIX_EPOCH.elapsed();\n}\n#[cfg(test)]\nmod tests { fn g() { println!(\"c\") } }\n";
        let found = scan("pm-data", &[("lib.rs", any)]);
        assert_eq!(found, ["lib.rs:2 `println!`", "lib.rs:3 `eprintln!`", "lib.rs:4 `UNIX_EPOCH.elapsed()`"]);
        assert_eq!(scan("pm-execution", &[("lib.rs", "fn f() { UNIX_EPOCH.elapsed(); }")]), Vec::<String>::new());
        assert_eq!(scan("pmbot", &[("lib.rs", "fn f() { println!(\"a\"); }")]), Vec::<String>::new());
    }

    #[test]
    fn a_pure_crate_is_caught_with_its_place() {
        let source = "//! std::fs\nuse std::{fs,\n net};\nfn f() { std::thread::yield_now() }\n";
        let found = scan("pm-risk", &[("lib.rs", source)]);
        assert_eq!(found, ["lib.rs:3 `std::net`", "lib.rs:2 `std::fs`", "lib.rs:4 `std::thread::yield_now`"]);
    }

    #[test]
    fn other_crates_may_use_files() {
        assert_eq!(scan("pm-data", &[("lib.rs", "use std::fs; use std::collections::HashMap; fn f(x: f64) {}")]), [""; 0]);
    }

    #[test]
    fn floats_need_the_marker_and_only_in_core() {
        let source = "struct A {\n  a: f64, // model value\n  b: f64,\n}\nconst C: u8 = 1f32 as u8;";
        assert_eq!(scan("pm-core", &[("lib.rs", source)]), ["lib.rs:3 `f64`", "lib.rs:5 `1f32`"]);
        assert_eq!(scan("pm-ledger", &[("lib.rs", source)]).len(), 3);
        assert_eq!(scan("pm-strategy", &[("lib.rs", source)]), [""; 0]);
        assert_eq!(scan("pm-core", &[("lib.rs", "const H: u32 = 0xaf32;")]), [""; 0]);
    }

    #[test]
    fn venue_names_in_code_and_strings_but_not_in_comments_columns_and_importers() {
        let source = "// Bybit\nstruct BybitFeed;\nconst A: &str = \"POLYMARKET\";\nconst SQL: &str = \"select bybit_price\";";
        assert_eq!(
            scan("pm-engine", &[("lib.rs", source)]),
            ["lib.rs:2 the venue name in `BybitFeed`", "lib.rs:3 the venue name in `POLYMARKET`"]
        );
        assert_eq!(scan("pm-bybit", &[("lib.rs", source)]), [""; 0]);
        assert_eq!(scan("pm-data", &[("importers/files.rs", source)]), [""; 0]);
    }

    #[test]
    fn the_gatekeeper_is_implemented_in_one_crate() {
        let source = "struct A;\nimpl<T> x::Gatekeeper<Vec<T>> for A {}\nfn f(_: impl Gatekeeper) {}";
        assert_eq!(scan("pm-engine", &[("lib.rs", source)]), ["lib.rs:2 `impl Gatekeeper for`"]);
        assert_eq!(scan("pm-risk", &[("lib.rs", source)]), [""; 0]);
        let in_test = "#[cfg(test)] mod tests { impl Gatekeeper for A {} }";
        assert_eq!(scan("pm-engine", &[("lib.rs", in_test)]), [""; 0]);
    }

    #[test]
    fn bare_tasks_and_clocks_are_for_the_excepted_crates() {
        let source = "use std::time::Instant;\nfn f() { let _ = Instant::now(); tokio::spawn(async {}); }";
        assert_eq!(scan("pm-data", &[("lib.rs", source)]).len(), 2);
        assert_eq!(scan("pm-execution", &[("lib.rs", source)]), [""; 0]);
        assert_eq!(scan("pmbot", &[("main.rs", source)]), [""; 0]);
        assert_eq!(scan("pm-data", &[("lib.rs", "use std::time::Instant; fn f(_: Instant) {}")]), [""; 0]);
    }

    #[test]
    fn files_of_test_modules_are_free() {
        let bad = "use std::fs;";
        let files = [
            ("lib.rs", "#[cfg(test)] mod fixtures; mod real;"),
            ("fixtures.rs", bad),
            ("real.rs", "#[cfg(test)] mod tests;"),
            ("real/tests.rs", bad),
            ("other.rs", bad),
        ];
        assert_eq!(scan("pm-core", &files), ["other.rs:1 `std::fs`"]);
    }
}
