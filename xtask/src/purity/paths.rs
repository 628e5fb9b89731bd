//! All paths a source names, written out in full: `use` trees are expanded, and a path that starts with an
//! imported name is completed (`use std::time::Instant; Instant::now()` is `std::time::Instant::now`).

use std::collections::BTreeMap;

use super::lex::{Kind, Token};

/// A path in full and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NamedPath {
    pub(crate) path: String,
    pub(crate) line: usize,
}

/// All paths, imports first.
pub(crate) fn named_paths(tokens: &[Token]) -> Vec<NamedPath> {
    let mut imports = Vec::new();
    let mut inline = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_use = token.kind == Kind::Name && token.text == "use" && !tokens.get(at + 1).is_some_and(|t| t.is("<"));
        if is_use {
            at = use_tree(tokens, at + 1, &[], &mut imports);
        } else if token.kind == Kind::Name {
            at = inline_path(tokens, at, &mut inline);
        } else {
            at += 1;
        }
    }
    let known: BTreeMap<&str, &str> = imports.iter().map(|i| (i.name.as_str(), i.path.path.as_str())).collect();
    for path in &mut inline {
        let (head, tail) = path.path.split_once("::").map_or((path.path.as_str(), None), |(h, t)| (h, Some(t)));
        if let Some(full) = known.get(head) {
            path.path = tail.map_or_else(|| (*full).to_owned(), |t| format!("{full}::{t}"));
        }
    }
    let mut all: Vec<NamedPath> = imports.iter().map(|i| i.path.clone()).collect();
    all.extend(inline);
    all
}

struct Import {
    name: String,
    path: NamedPath,
}

/// Reads one branch of a `use` tree and returns the index behind it.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &[String], out: &mut Vec<Import>) -> usize {
    let mut parts = prefix.to_vec();
    let mut alias = None;
    let mut line = tokens.get(at).map_or(0, |t| t.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| !t.is("}")) {
                    at = use_tree(tokens, at, &parts, out);
                    at += usize::from(tokens.get(at).is_some_and(|t| t.is(",")));
                }
                return at + 1;
            }
            "}" | "," | ";" => break,
            "::" => {}
            "as" => {
                alias = tokens.get(at + 1).map(|t| t.text.clone());
                at += 1;
            }
            // `use std::time::{self}` is `std::time`.
            "self" if !parts.is_empty() => {}
            _ => {
                parts.push(token.text.clone());
                line = token.line;
            }
        }
        at += 1;
    }
    if let Some(last) = parts.last().filter(|_| parts.len() > prefix.len() || !prefix.is_empty()) {
        let name = alias.unwrap_or_else(|| last.clone());
        out.push(Import { name, path: NamedPath { path: parts.join("::"), line } });
    }
    at
}

/// Reads `a::b::c` and returns the index behind it.
fn inline_path(tokens: &[Token], mut at: usize, out: &mut Vec<NamedPath>) -> usize {
    let line = tokens.get(at).map_or(0, |t| t.line);
    let mut parts = Vec::new();
    while let Some(token) = tokens.get(at).filter(|t| t.kind == Kind::Name) {
        parts.push(token.text.as_str());
        at += 1;
        let goes_on = tokens.get(at).is_some_and(|t| t.is("::")) && tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Name);
        if !goes_on {
            break;
        }
        at += 1;
    }
    out.push(NamedPath { path: parts.join("::"), line });
    at
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        named_paths(&tokens(source)).into_iter().map(|p| p.path).collect()
    }

    #[test]
    fn use_trees_are_written_out() {
        let found = paths("use std::{collections::{BTreeMap, HashMap as Map}, fs, time::{self, Duration}};");
        assert_eq!(
            found,
            ["std::collections::BTreeMap", "std::collections::HashMap", "std::fs", "std::time", "std::time::Duration"]
        );
        assert_eq!(paths("use ::std::net::*;"), ["std::net::*"]);
    }

    #[test]
    fn imported_names_are_completed() {
        let has = |source: &str, path: &str| assert!(paths(source).contains(&path.to_owned()), "{:?}", paths(source));
        has("use std::time; fn f() { time::Instant::now() }", "std::time::Instant::now");
        has("use std::time::Instant as I; fn f() { I::now() }", "std::time::Instant::now");
        has("use tokio::time::sleep; fn f() { sleep(x) }", "tokio::time::sleep");
        has("fn f() -> Vec<std::net::IpAddr> { x.map(std::fs::read) }", "std::fs::read");
    }

    #[test]
    fn lines_are_those_of_the_names() {
        let found = named_paths(&tokens("use std::{\n  fs,\n  net,\n};\n"));
        assert_eq!(found.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_local_name_is_not_a_std_path() {
        assert!(!paths("enum Method { Instant } fn f() { Method::Instant }").iter().any(|p| p.contains("std")));
    }
}
