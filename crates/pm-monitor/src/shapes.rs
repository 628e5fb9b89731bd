//! Finds values that look like secrets by where they stand, without knowing them.
//!
//! Written by hand over bytes instead of by regular expressions: values can be quoted, quoted inside an
//! escaped JSON string, wrapped in `Some(..)`, nested in brackets and interrupted by terminal colours, and
//! each of these needs a closing rule that errs on the side of hiding more.

use std::ops::Range;

/// A byte range to hide. `quote` is put around the mask where a bare JSON value (number, object) stood, so
/// that a JSON line stays valid JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) range: Range<usize>,
    pub(crate) quote: String,
}

impl Span {
    pub(crate) fn plain(range: Range<usize>) -> Self {
        Self { range, quote: String::new() }
    }
}

/// Field names end in one of these (lower case, separators removed, plural `s` ignored).
const SENSITIVE_ENDS: &[&str] = &[
    "secret",
    "passphrase",
    "password",
    "passwd",
    "pwd",
    "mnemonic",
    "authorization",
    "apikey",
    "secretkey",
    "privatekey",
    "credential",
];

/// Names that end in `key` and hold nothing secret.
const PLAIN_KEYS: &[&str] = &["publickey", "pubkey", "monkey", "turkey", "primarykey", "foreignkey"];

/// Values that tell nothing and help the reader.
const TELLS_NOTHING: &[&str] = &["none", "null", "true", "false", "***", "\"***\"", "\\\"***\\\""];

/// Words between a key name and its authorisation value.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest"];

/// All places in `text` that hold a secret by shape. Ranges lie on character borders.
pub(crate) fn secret_spans(text: &str) -> Vec<Span> {
    let scan = Scan { text, bytes: text.as_bytes() };
    let mut spans = Vec::new();
    let mut at = 0;
    while at < scan.bytes.len() {
        let end = scan.word_end(at);
        if end == at {
            at += 1;
            continue;
        }
        spans.extend(scan.spans_of_word(at, end));
        at = end;
    }
    spans.extend(scan.url_passwords());
    spans
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
}

impl<'t> Scan<'t> {
    fn at(&self, i: usize) -> Option<u8> {
        self.bytes.get(i).copied()
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn skip_while(&self, mut i: usize, keep: impl Fn(u8) -> bool) -> usize {
        while self.at(i).is_some_and(&keep) {
            i += 1;
        }
        i
    }

    fn word_end(&self, i: usize) -> usize {
        self.skip_while(i, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    }

    /// Blanks and terminal colour codes (`ESC [ .. letter`), which the log formatter puts around `=`.
    fn skip_blank(&self, mut i: usize) -> usize {
        loop {
            i = self.skip_while(i, |b| b == b' ' || b == b'\t');
            if self.at(i) != Some(0x1b) || self.at(i + 1) != Some(b'[') {
                return i;
            }
            i = self.skip_while(i + 2, |b| !b.is_ascii_alphabetic()) + 1;
        }
    }

    fn spans_of_word(&self, start: usize, end: usize) -> Option<Span> {
        let word = self.slice(start..end);
        if is_sensitive(word) && !self.slice(0..start).ends_with("::") {
            return self.value_after(end);
        }
        if word.eq_ignore_ascii_case("bearer") {
            let from = self.skip_blank(end);
            let to = self.bare_end(from);
            return (to >= from + 8).then(|| Span::plain(from..to));
        }
        let hex = word.strip_prefix("0x").unwrap_or(word);
        let key_like = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        (key_like && introduced_by_key_name(self.slice(0..start))).then(|| Span::plain(start..end))
    }

    /// The value in `name = value`, `"name": value`, `name: Some("value")` ...; `end` is the end of the name.
    fn value_after(&self, end: usize) -> Option<Span> {
        let name_quote = self.quote_at(end);
        let i = self.skip_blank(name_quote.as_ref().map_or(end, |q| q.end));
        let separator = self.at(i).filter(|b| *b == b'=' || *b == b':')?;
        if separator == b':' && self.at(i + 1) == Some(b':') {
            return None; // a path such as `wallet::key::load`, not a field
        }
        let after = self.skip_while(i + 1, |b| b == b'=' || b == b'>');
        let start = self.skip_blank(after);
        if let Some(open) = self.quote_at(start) {
            let close = self.closing_quote(&open);
            return self.worth_hiding(open.end..close).then(|| Span::plain(open.end..close));
        }
        let mut stop = self.bare_end(start);
        if SCHEMES.contains(&self.slice(start..stop).to_ascii_lowercase().as_str()) {
            stop = self.bare_end(self.skip_blank(stop));
        }
        let quote = name_quote.map_or_else(String::new, |q| self.slice(q).to_owned());
        self.worth_hiding(start..stop).then_some(Span { range: start..stop, quote })
    }

    fn worth_hiding(&self, range: Range<usize>) -> bool {
        let value = self.slice(range);
        !value.is_empty() && !TELLS_NOTHING.contains(&value.to_ascii_lowercase().as_str())
    }

    /// A quote sign with the backslashes before it (`"`, `'`, `\"`, `\\\"`), if one stands at `i`.
    fn quote_at(&self, i: usize) -> Option<Range<usize>> {
        let sign = self.skip_while(i, |b| b == b'\\');
        matches!(self.at(sign), Some(b'"' | b'\'')).then(|| i..sign + 1)
    }

    /// Where the text opened by `open` ends: the same sign with no more backslashes before it than the
    /// opening one has. Without one, everything to the end is taken.
    fn closing_quote(&self, open: &Range<usize>) -> usize {
        let (sign, level) = (self.at(open.end - 1), open.len() - 1);
        let mut i = open.end;
        while i < self.bytes.len() {
            let run = self.skip_while(i, |b| b == b'\\');
            if self.at(run) == sign && run - i <= level {
                return i;
            }
            i = run + 1;
        }
        self.bytes.len()
    }

    /// End of an unquoted value. Brackets are followed to their partner, with quotes inside respected.
    fn bare_end(&self, start: usize) -> usize {
        let mut i = start;
        let mut depth = 0_u32;
        while let Some(byte) = self.at(i) {
            if depth > 0
                && let Some(open) = self.quote_at(i)
            {
                i = self.closing_quote(&open);
                i = self.quote_at(i).map_or(i, |q| q.end);
                continue;
            }
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth > 0 => depth -= 1,
                _ if depth > 0 => {}
                b',' | b';' | b'&' | b')' | b']' | b'}' | b'"' | b'\'' | b'\\' | 0x1b => return i,
                b if b.is_ascii_whitespace() => return i,
                _ => {}
            }
            i += 1;
        }
        i.min(self.bytes.len())
    }

    /// `scheme://user:password@host`: the password. A password with an unescaped `/` is found as well, by
    /// the "port" that is not a number.
    fn url_passwords(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for (at, _) in self.text.match_indices("://") {
            let start = at + 3;
            let stop = self.skip_while(start, |b| !b.is_ascii_whitespace() && b != b'"' && b != b'\'');
            let authority = self.skip_while(start, |b| !matches!(b, b'/' | b'?' | b'#')).min(stop);
            let Some(colon) = self.slice(start..authority).find(':').map(|c| start + c) else { continue };
            let odd_port = !self.bytes.get(colon + 1..authority).unwrap_or_default().iter().all(u8::is_ascii_digit);
            let within = self.slice(colon..authority).rfind('@').map(|p| colon + p);
            let beyond = || self.slice(colon..stop).rfind('@').map(|p| colon + p).filter(|_| odd_port);
            if let Some(host) = within.or_else(beyond)
                && self.worth_hiding(colon + 1..host)
            {
                spans.push(Span::plain(colon + 1..host));
            }
        }
        spans
    }
}

/// Whether a field of this name holds a secret. `token` counts as the end of a name only: `token_id` is a
/// public market id and must stay readable. Every name that ends in `key` counts but a few plain words.
fn is_sensitive(name: &str) -> bool {
    let flat: String = name.chars().filter(|c| *c != '_' && *c != '-').collect::<String>().to_ascii_lowercase();
    let flat = flat.trim_end_matches(|c: char| c.is_ascii_digit());
    let singular = flat.strip_suffix('s').filter(|s| !s.ends_with('s')).unwrap_or(flat);
    if SENSITIVE_ENDS.iter().any(|end| flat.ends_with(end) || singular.ends_with(end)) {
        return true;
    }
    flat.ends_with("token") || flat.ends_with("key") && !PLAIN_KEYS.contains(&flat)
}

/// "private key is 0x..": a key name in the last words, with at most two filler words between.
fn introduced_by_key_name(before: &str) -> bool {
    let mut rest = before;
    for _ in 0..3 {
        rest = rest.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | '`' | '\\'));
        let word_start = rest.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        let word =
            word_start.map_or(rest, |i| rest.get(i..).map_or("", |w| w.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())));
        if is_sensitive(word) {
            return true;
        }
        if !["is", "was", "hex", "value", "of", "the"].contains(&word.to_ascii_lowercase().as_str()) {
            return false;
        }
        rest = rest.get(..rest.len() - word.len()).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for yes in [
            "key",
            "KEY",
            "api_key",
            "apiKey",
            "APIKEY",
            "apikey",
            "X-BAPI-API-KEY",
            "POLY_PASSPHRASE",
            "secret",
            "client-secret",
            "clientSecret",
            "password",
            "db_password2",
            "token",
            "botToken",
            "access_token",
            "Authorization",
            "private_key",
            "privateKey",
            "PRIVATEKEY",
            "secrets",
            "api_keys",
            "mnemonic",
            "polykey",
            "signing_key",
        ] {
            assert!(is_sensitive(yes), "{yes}");
        }
        for no in ["monkey", "token_id", "tokenId", "tokens", "public_key", "pubkey", "keys", "keyboard", "price", "", "s"] {
            assert!(!is_sensitive(no), "{no}");
        }
    }
}
