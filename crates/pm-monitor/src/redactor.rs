//! The registry of known secret values, and the function that takes secrets out of a text.
//!
//! Values are kept in clear in memory: the process holds them anyway to sign with them, and a hash could
//! not be searched for inside a line.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::shapes::{self, Span};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Shortest value (in bytes) that is accepted as a secret. Shorter ones would blank out ordinary words.
pub const MIN_SECRET_LEN: usize = 4;

/// A replacement can join its neighbours into another registered value; so many passes are tried before
/// the whole text is dropped.
const MAX_PASSES: usize = 4;

/// A shared registry of secret values. Clones share the same registry.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// An empty registry of its own (shapes are still redacted).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The registry of this process, used by [`redact`] and by default by [`crate::init`].
    #[must_use]
    pub fn global() -> Self {
        static GLOBAL: OnceLock<Redactor> = OnceLock::new();
        GLOBAL.get_or_init(Self::new).clone()
    }

    /// Registers one secret value, in clear. From now on it, its escaped forms and (for hex) both letter
    /// cases are replaced. Of a value with several lines, such as a PEM key, each line is also registered.
    ///
    /// Returns `false`, and registers nothing, when the trimmed value is shorter than [`MIN_SECRET_LEN`] or
    /// made of `*` only: there is nothing to hide in it.
    pub fn add(&self, secret: &str) -> bool {
        let secret = secret.trim();
        if !is_worth_hiding(secret) {
            return false;
        }
        let mut fresh = variants(secret);
        for line in secret.lines().map(str::trim) {
            if line.len() < secret.len() && is_worth_hiding(line) {
                fresh.extend(variants(line));
            }
        }
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        for needle in fresh {
            if !needles.contains(&needle) {
                needles.push(needle);
            }
        }
        true
    }

    /// Number of distinct byte sequences searched for (several per registered secret).
    #[must_use]
    pub fn len(&self) -> usize {
        self.needles.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True when no secret is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text without secrets; borrowed when there was none in it.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let needles = self.needles.read().unwrap_or_else(PoisonError::into_inner);
        let mut spans = shapes::secret_spans(text);
        spans.extend(known_spans(text, &needles));
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = replace(text, spans);
        for _ in 0..MAX_PASSES {
            let left = known_spans(&clean, &needles);
            if left.is_empty() {
                return Cow::Owned(clean);
            }
            clean = replace(&clean, left);
        }
        // Values made of mask characters can reappear for ever. Losing the line is the safe side.
        Cow::Owned(MASK.to_owned())
    }
}

impl fmt::Debug for Redactor {
    /// Prints how many values are registered, never the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("needles", &self.len()).finish()
    }
}

/// Takes secrets out of a text, by the process-wide registry and by shape. Use it for every text that
/// leaves the process by another way than the logs (reports, alerts, error pages).
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    Redactor::global().redact(text)
}

fn is_worth_hiding(secret: &str) -> bool {
    secret.len() >= MIN_SECRET_LEN && secret.bytes().any(|b| b != b'*')
}

/// The forms in which one value can show up in a log line: as it is, as a JSON string, as a `Debug` string,
/// one inside the other (a `Debug` field in a JSON log), and percent-encoded in a URL.
fn variants(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    if let Some(hex) = as_hex(secret) {
        forms.extend([hex.to_owned(), hex.to_ascii_lowercase(), hex.to_ascii_uppercase()]);
    }
    let debug = debug_escaped(secret);
    let json = json_escaped(secret);
    forms.extend([json_escaped(&debug), debug_escaped(&json), json_escaped(&json), debug_escaped(&debug)]);
    forms.extend([debug, json, percent_encoded(secret)]);
    forms.sort();
    forms.dedup();
    forms
}

/// The digits of a hex value of key-like length, without `0x`.
fn as_hex(secret: &str) -> Option<&str> {
    let digits = secret.strip_prefix("0x").or_else(|| secret.strip_prefix("0X")).unwrap_or(secret);
    (digits.len() >= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

fn debug_escaped(text: &str) -> String {
    let quoted = format!("{text:?}");
    quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(&quoted).to_owned()
}

/// As serde_json writes strings (two-letter escapes, else lower-case `\u00xx` for control characters).
fn json_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn known_spans(text: &str, needles: &[String]) -> Vec<Span> {
    let mut spans = Vec::new();
    for needle in needles {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(needle.as_str())) {
            let start = from + at;
            spans.push(Span::plain(start..start + needle.len()));
            // Occurrences may overlap themselves ("abab" in "ababab"): go on one character later.
            from = next_char(text, start);
        }
    }
    spans
}

fn next_char(text: &str, at: usize) -> usize {
    at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// Replaces the spans, joined where they overlap, by the mask.
fn replace(text: &str, mut spans: Vec<Span>) -> String {
    spans.sort_by_key(|s| (s.range.start, s.range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut pending: Option<Span> = None;
    for span in spans {
        match &mut pending {
            Some(open) if span.range.start < open.range.end => {
                open.range.end = open.range.end.max(span.range.end);
            }
            _ => {
                if let Some(ready) = pending.replace(span) {
                    done = emit(&mut out, text, done, &ready);
                }
            }
        }
    }
    if let Some(ready) = pending {
        done = emit(&mut out, text, done, &ready);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn emit(out: &mut String, text: &str, done: usize, span: &Span) -> usize {
    let Range { start, end } = span.range.clone();
    out.push_str(text.get(done..start).unwrap_or_default());
    out.push_str(&span.quote);
    out.push_str(MASK);
    out.push_str(&span.quote);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_secrets_leave_no_part_behind() {
        let r = Redactor::new();
        assert!(r.add("abcdef") && r.add("defghi"));
        assert_eq!(r.redact("<abcdefghi>"), "<***>");
    }

    #[test]
    fn a_secret_that_overlaps_itself_is_gone() {
        let r = Redactor::new();
        assert!(r.add("abab"));
        assert_eq!(r.redact("xababab!"), "x***!");
    }

    #[test]
    fn replacement_that_builds_another_secret_is_caught() {
        let r = Redactor::new();
        assert!(r.add("abcd") && r.add("***x"));
        assert!(!r.redact("abcdx").contains("***x"));
    }

    #[test]
    fn short_and_star_values_are_refused() {
        let r = Redactor::new();
        assert!(!r.add("abc") && !r.add("") && !r.add("  a ") && !r.add("******"));
        assert!(r.is_empty());
    }

    #[test]
    fn hex_keys_match_in_both_cases_and_without_prefix() {
        let r = Redactor::new();
        assert!(r.add("0xDEADbeefdeadbeef"));
        assert_eq!(r.redact("deadbeefdeadbeef / DEADBEEFDEADBEEF"), "*** / ***");
    }

    #[test]
    fn each_line_of_a_pem_key_is_registered() {
        let r = Redactor::new();
        assert!(r.add("-----BEGIN X-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END X-----"));
        assert_eq!(r.redact("part: BgkqhkiG9w0B"), "part: ***");
    }

    #[test]
    fn debug_output_of_the_registry_shows_no_value() {
        let r = Redactor::new();
        assert!(r.add("top-secret-value"));
        assert!(!format!("{r:?}").contains("top-secret"));
    }
}
