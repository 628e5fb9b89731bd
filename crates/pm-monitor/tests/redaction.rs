//! No registered secret and no secret-shaped value survives, however it is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use pm_monitor::{MASK, RedactingWriter, Redactor};
use proptest::prelude::*;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[track_caller]
fn hides(input: &str, expected: &str) {
    assert_eq!(Redactor::new().redact(input), expected, "input: {input}");
}

#[test]
fn key_value_forms() {
    hides("api_key=abc123 next=1", "api_key=*** next=1");
    hides("api_key = abc123, next", "api_key = ***, next");
    hides("secret: abc123", "secret: ***");
    hides("passphrase=\"two words\" x", "passphrase=\"***\" x");
    hides("password='it is'", "password='***'");
    hides("key=Some(\"a)b c\") done", "key=*** done");
    hides("?apiKey=abc&size=5", "?apiKey=***&size=5");
    hides("POLY_PASSPHRASE: abc", "POLY_PASSPHRASE: ***");
    hides("secret = [1, 2, 3] end", "secret = *** end");
    hides("secret: unclosed(\"abc", "secret: ***");
}

#[test]
fn json_stays_json() {
    for (input, expected) in [
        (r#"{"apiKey":"abc","size":5}"#, r#"{"apiKey":"***","size":5}"#),
        (r#"{"token":123,"size":5}"#, r#"{"token":"***","size":5}"#),
        (r#"{"secret":{"a":["}"]},"size":5}"#, r#"{"secret":"***","size":5}"#),
        (r#"{"secret" : "a\"b","size":5}"#, r#"{"secret" : "***","size":5}"#),
        (r#"{"message":"{\"secret\":\"abc\",\"n\":1}"}"#, r#"{"message":"{\"secret\":\"***\",\"n\":1}"}"#),
        (r#"{"message":"{\"token\":77,\"n\":1}"}"#, r#"{"message":"{\"token\":\"***\",\"n\":1}"}"#),
    ] {
        hides(input, expected);
        serde_json::from_str::<serde_json::Value>(expected).unwrap();
    }
}

#[test]
fn authorization_headers() {
    hides("Authorization: Bearer abcdefghijk x", "Authorization: *** x");
    hides("authorization=Basic dXNlcjpwdw==", "authorization=***");
    hides("sent Bearer abcdefghijk", "sent Bearer ***");
}

#[test]
fn urls() {
    hides("postgres://u:p@h/db", "postgres://u:***@h/db");
    hides("postgres://u:p@ss@h:5432/db", "postgres://u:***@h:5432/db");
    hides("postgres://u:pa/ss@h/db", "postgres://u:***@h/db");
    hides("https://example.org:8443/a@b", "https://example.org:8443/a@b");
    hides("postgres://u@h/db", "postgres://u@h/db");
}

#[test]
fn hex_keys_only_when_named() {
    let hex = "0x".to_owned() + &"ab".repeat(32);
    hides(&format!("private key {hex}"), "private key ***");
    hides(&format!("the secret is {hex}!"), "the secret is ***!");
    hides(&format!("private_key: {hex}"), "private_key: ***");
    let public = format!("tx {hex} condition={hex}");
    hides(&public, &public);
    let after_comma = format!("key=abc, tx {hex}");
    hides(&after_comma, &format!("key=***, tx {hex}"));
}

#[test]
fn coloured_terminal_lines() {
    hides("\u{1b}[3mapi_key\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"abc\"", "\u{1b}[3mapi_key\u{1b}[0m\u{1b}[2m=\u{1b}[0m\"***\"");
    hides("\u{1b}[3mapi_key\u{1b}[0m\u{1b}[2m=\u{1b}[0mabc rest", "\u{1b}[3mapi_key\u{1b}[0m\u{1b}[2m=\u{1b}[0m*** rest");
}

#[test]
fn harmless_text_is_borrowed_and_unchanged() {
    for text in [
        "book token_id=7132 price=0.45 monkey=1",
        "INFO pm_wallet::key: loaded",
        "api_key=None secret=null token=\"\"",
        "naïve 価格 = 5 € https://x.org/?a=b",
    ] {
        assert!(matches!(Redactor::new().redact(text), std::borrow::Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn redacting_twice_changes_nothing() {
    let r = Redactor::new();
    let once = r.redact("key=abc secret: \"x\" postgres://u:p@h Bearer abcdefghij").into_owned();
    assert_eq!(r.redact(&once), once);
}

/// Secrets of printable characters, with quotes and backslashes, which change their look when escaped.
fn secret() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9\"'\\\\/+=%$€é-]{4,40}"
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = Redactor::new().redact(&text);
    }

    #[test]
    fn any_secret_looking_text_is_survived(text in "(key|secret|token|://|=|:|\"|\\\\|\\(|\\[|\\{|\\)|\\]|\\}| |@|€|0x|\u{1b}\\[|Bearer|a){0,40}") {
        let r = Redactor::new();
        let once = r.redact(&text).into_owned();
        let _ = r.redact(&once);
    }

    #[test]
    fn a_registered_secret_never_survives(
        secrets in prop::collection::vec(secret(), 1..5),
        glue in prop::collection::vec("[ -~]{0,12}", 6),
    ) {
        let r = Redactor::new();
        let mut line = String::new();
        for (secret, pad) in secrets.iter().zip(&glue) {
            prop_assume!(!secret.contains(MASK));
            r.add(secret);
            line.push_str(pad);
            line.push_str(secret);
        }
        let clean = r.redact(&line).into_owned();
        for secret in &secrets {
            prop_assert!(!clean.contains(secret.as_str()) || MASK.contains(secret.as_str()), "{secret} in {clean}");
        }
    }

    #[test]
    fn escaped_forms_never_survive(secret in secret(), pad in "[ a-z]{0,10}") {
        let r = Redactor::new();
        prop_assume!(r.add(&secret) && !secret.contains(MASK));
        let debug = format!("{secret:?}");
        let json = serde_json::to_string(&secret).unwrap();
        let both = serde_json::to_string(&debug).unwrap();
        for form in [debug, json, both] {
            let clean = r.redact(&format!("{pad}{form}{pad}")).into_owned();
            let inner = form.trim_matches('"');
            prop_assert!(!clean.contains(inner), "{inner} in {clean}");
        }
    }

    /// One event may come in pieces of any size; the border may lie inside the secret.
    #[test]
    fn chunk_borders_hide_nothing(secret in "[a-zA-Z0-9]{8,40}", pad in "[ -~]{0,20}", cut in 1_usize..9) {
        let r = Redactor::new();
        r.add(&secret);
        let out = Shared::default();
        let mut writer = RedactingWriter::new(out.clone(), r);
        let line = format!("{pad} {secret} {pad}\n");
        for piece in line.as_bytes().chunks(cut) {
            writer.write_all(piece).unwrap();
        }
        drop(writer);
        prop_assert!(!out.text().contains(&secret), "{}", out.text());
        prop_assert!(out.text().contains(MASK));
    }

    #[test]
    fn a_value_after_a_secret_name_never_survives(
        name in "(api|poly|client)?[_-]?(key|secret|passphrase|password|token)",
        value in "[a-zA-Z0-9]{8,30}",
        form in 0_usize..6,
    ) {
        let line = match form {
            0 => format!("x {name}={value} y"),
            1 => format!("{{\"{name}\":\"{value}\"}}"),
            2 => format!("{{\"m\":\"{{\\\"{name}\\\": \\\"{value}\\\"}}\"}}"),
            3 => format!("Headers {{ {name}: Some(\"{value}\"), n: 1 }}"),
            4 => format!("{name}: {value}"),
            _ => format!("https://h/p?a=1&{name}={value}&b=2"),
        };
        let clean = Redactor::new().redact(&line).into_owned();
        prop_assert!(!clean.contains(&value), "{clean}");
    }
}
