//! A small lexer for Rust sources: enough to tell code from comments and strings, with line numbers. Not a
//! parser: the checks need names and paths, and must not break on syntax that is newer than they are.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Name, keyword, raw name (without `r#`).
    Name,
    /// Number with its suffix.
    Number,
    /// Content of a string literal.
    Text,
    /// `::`, or one sign.
    Sign,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// Line, from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text && self.kind != Kind::Text
    }
}

/// The tokens of a source, without comments and character literals.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, line: 1, out: Vec::new() };
    while lexer.step() {}
    lexer.out
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    out: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.out.push(Token { kind, text, line });
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| keep(*c)) {
            text.push(c);
            self.bump();
        }
        text
    }

    fn step(&mut self) -> bool {
        let Some(c) = self.peek(0) else { return false };
        let line = self.line;
        match (c, self.peek(1)) {
            ('/', Some('/')) => drop(self.take_while(|c| c != '\n')),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.string(line),
            ('\'', _) => self.quote(),
            (':', Some(':')) => {
                self.at += 2;
                self.push(Kind::Sign, "::".to_owned(), line);
            }
            _ if c.is_alphabetic() || c == '_' => self.name(line),
            _ if c.is_ascii_digit() => self.number(line),
            _ => {
                self.bump();
                if !c.is_whitespace() {
                    self.push(Kind::Sign, c.to_string(), line);
                }
            }
        }
        true
    }

    fn block_comment(&mut self) {
        let mut depth = 0_u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                (Some(_), _) => drop(self.bump()),
                (None, _) => return,
            }
        }
    }

    /// A name, or the prefix of a string (`r"`, `b"`, `br#"`, `c"`), of a byte (`b'`) or of a raw name.
    fn name(&mut self, line: usize) {
        let text = self.take_while(|c| c.is_alphanumeric() || c == '_');
        match self.peek(0) {
            Some('"') if ["b", "c"].contains(&text.as_str()) => self.string(line),
            Some('"' | '#') if ["r", "br", "cr"].contains(&text.as_str()) => self.raw(text, line),
            Some('\'') if text == "b" => self.quote(),
            _ => self.push(Kind::Name, text, line),
        }
    }

    fn raw(&mut self, prefix: String, line: usize) {
        let hashes = self.take_while(|c| c == '#').len();
        if self.peek(0) != Some('"') {
            // `r#type`: a raw name; its name follows as the next token.
            if prefix != "r" {
                self.push(Kind::Name, prefix, line);
            }
            return;
        }
        self.bump();
        let mut text = String::new();
        while let Some(c) = self.bump() {
            if c == '"' && (0..hashes).all(|n| self.peek(n) == Some('#')) {
                self.at += hashes;
                break;
            }
            text.push(c);
        }
        self.push(Kind::Text, text, line);
    }

    fn string(&mut self, line: usize) {
        self.bump();
        let mut text = String::new();
        while let Some(c) = self.bump() {
            match c {
                '"' => break,
                '\\' => drop(self.bump()),
                c => text.push(c),
            }
        }
        self.push(Kind::Text, text, line);
    }

    /// A character literal (dropped) or a lifetime (dropped as well).
    fn quote(&mut self) {
        self.bump();
        if self.peek(0) == Some('\\') {
            self.at += 2;
            self.take_while(|c| c != '\'');
            self.bump();
        } else if self.peek(1) == Some('\'') {
            self.bump();
            self.bump();
        } else {
            self.take_while(|c| c.is_alphanumeric() || c == '_');
        }
    }

    fn number(&mut self, line: usize) {
        let mut text = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            self.bump();
            text.push('.');
            text.push_str(&self.take_while(|c| c.is_alphanumeric() || c == '_'));
        }
        self.push(Kind::Number, text, line);
    }
}

/// A file-level result of leaving test code out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Production {
    /// Tokens outside tests.
    pub(crate) tokens: Vec<Token>,
    /// Names of modules that exist for tests only and live in files of their own.
    pub(crate) test_modules: Vec<String>,
}

/// Leaves out items under `#[cfg(test)]` (also `all(test, ..)` and `any(test, ..)`) and `#[test]`.
pub(crate) fn without_tests(tokens: &[Token]) -> Production {
    let mut production = Production { tokens: Vec::new(), test_modules: Vec::new() };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Some((end, inner)) = attribute(tokens, at) else {
            production.tokens.push(token.clone());
            at += 1;
            continue;
        };
        let body = tokens.get(at..end).unwrap_or_default();
        if !is_test_attribute(body) {
            production.tokens.extend_from_slice(body);
            at = end;
        } else if inner {
            return production; // `#![cfg(test)]`: the rest of the file
        } else {
            at = skip_item(tokens, end, &mut production.test_modules);
        }
    }
    production
}

/// The end of the attribute that starts at `at`, and whether it is an inner one (`#![..]`).
fn attribute(tokens: &[Token], at: usize) -> Option<(usize, bool)> {
    tokens.get(at).filter(|t| t.is("#"))?;
    let inner = tokens.get(at + 1)?.is("!");
    let open = at + 1 + usize::from(inner);
    tokens.get(open).filter(|t| t.is("["))?;
    Some((close(tokens, open), inner))
}

/// The index behind the bracket that closes the one at `open`.
fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_u32;
    for (n, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != Kind::Sign {
            continue;
        }
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return n + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn is_test_attribute(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute.iter().filter(|t| t.kind == Kind::Name).map(|t| t.text.as_str()).collect();
    match words.as_slice() {
        ["test"] => true,
        ["cfg", rest @ ..] => rest.contains(&"test") && !rest.contains(&"not"),
        _ => false,
    }
}

/// Skips further attributes and the item behind them; notes `mod name;`.
fn skip_item(tokens: &[Token], mut at: usize, test_modules: &mut Vec<String>) -> usize {
    while let Some((end, false)) = attribute(tokens, at) {
        at = end;
    }
    let start = at;
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            return close(tokens, at);
        }
        if token.is("(") || token.is("[") {
            at = close(tokens, at);
            continue;
        }
        at += 1;
        if token.is(";") || token.is(",") {
            break;
        }
    }
    let item = tokens.get(start..at).unwrap_or_default();
    if let Some(n) = item.iter().position(|t| t.is("mod")) {
        test_modules.extend(item.get(n + 1).map(|t| t.text.clone()));
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn comments_go_and_strings_are_kept_apart() {
        assert_eq!(words("a // HashMap\n/* x /* y */ z */ b /// doc\n"), ["a", "b"]);
        let list = tokens("f(\"std::net \\\" x\", r#\"a\"b\"#, b\"c\", 'x', '\\'', b'y', 'life, r#type, 1.5f64)");
        let texts: Vec<&str> = list.iter().filter(|t| t.kind == Kind::Text).map(|t| t.text.as_str()).collect();
        assert_eq!(texts, ["std::net  x", "a\"b", "c"]);
        assert!(list.iter().any(|t| t.kind == Kind::Name && t.text == "type"));
        assert!(list.iter().any(|t| t.kind == Kind::Number && t.text == "1.5f64"));
        assert!(list.iter().all(|t| t.text != "life" && t.text != "x"));
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let list = tokens("a\n/* \n */ b \"x\ny\" c");
        let lines: Vec<usize> = list.iter().map(|t| t.line).collect();
        assert_eq!(lines, [1, 3, 3, 4]);
    }

    #[test]
    fn ranges_and_tuple_fields_are_not_numbers_with_points() {
        assert_eq!(words("0..10 x.0.1"), ["0", ".", ".", "10", "x", ".", "0.1"]);
    }

    fn left(source: &str) -> (String, Vec<String>) {
        let production = without_tests(&tokens(source));
        let text: Vec<String> = production.tokens.into_iter().map(|t| t.text).collect();
        (text.join(" "), production.test_modules)
    }

    #[test]
    fn test_items_are_left_out() {
        assert_eq!(
            left("fn a() {} #[cfg(test)] mod tests { use std::fs; fn x() { {} } } fn b() {}").0,
            "fn a ( ) { } fn b ( ) { }"
        );
        assert_eq!(left("#[cfg(test)] #[allow(dead_code)] fn t(a: [u8; 3]) -> u8 { 1 } x").0, "x");
        assert_eq!(left("#[test] fn t() { std::fs::read(); } x").0, "x");
        assert_eq!(left("#[cfg(all(test, feature = \"y\"))] use a::b; x").0, "x");
        assert_eq!(left("#![cfg(test)] use std::fs;").0, "");
    }

    #[test]
    fn other_items_stay() {
        assert!(left("#[cfg(not(test))] fn a() { std::fs::read() }").0.contains("fs"));
        assert!(left("#[cfg(unix)] fn a() { std::fs::read() }").0.contains("fs"));
        assert!(left("#[derive(Debug)] struct A;").0.contains("struct A"));
    }

    #[test]
    fn test_module_files_are_named() {
        assert_eq!(left("#[cfg(test)] mod fixtures; #[cfg(test)] pub(crate) mod more; mod real;").1, ["fixtures", "more"]);
    }
}
