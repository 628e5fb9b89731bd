//! A small JSON reader for importers. Numbers keep the characters they were written with, so that a price goes from file to fixed point
//! without ever being a float; objects keep the order of their keys.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// The number's own characters.
    Num(Cow<'a, str>),
    Str(Cow<'a, str>),
    Arr(Vec<Node<'a>>),
    Obj(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Deepest nesting that is read.
const DEPTH: u32 = 64;

impl<'a> Node<'a> {
    /// Parses a whole text.
    ///
    /// # Errors
    /// What is wrong and at which byte.
    pub(crate) fn parse(text: &'a str) -> Result<Self, (String, usize)> {
        let mut p = Parser { text, at: 0 };
        let node = p.value(0)?;
        p.space();
        if p.at < text.len() { Err(("text after the value".to_owned(), p.at)) } else { Ok(node) }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        match self {
            Node::Obj(fields) => fields.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Node::Arr(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        }
    }

    /// Dotted path; array items by number.
    pub(crate) fn path(&self, path: &str) -> Option<&Node<'a>> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    /// Scalars as text.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Node::Num(t) | Node::Str(t) => Some(Cow::Borrowed(t)),
            Node::Bool(b) => Some(Cow::Borrowed(if *b { "true" } else { "false" })),
            _ => None,
        }
    }

    /// A copy that borrows nothing.
    pub(crate) fn owned(&self) -> Node<'static> {
        match self {
            Node::Null => Node::Null,
            Node::Bool(b) => Node::Bool(*b),
            Node::Num(t) => Node::Num(Cow::Owned(t.to_string())),
            Node::Str(t) => Node::Str(Cow::Owned(t.to_string())),
            Node::Arr(items) => Node::Arr(items.iter().map(Node::owned).collect()),
            Node::Obj(fields) => Node::Obj(fields.iter().map(|(k, v)| (Cow::Owned(k.to_string()), v.owned())).collect()),
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Node::Null => out.push_str("null"),
            Node::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Node::Num(t) => out.push_str(t),
            Node::Str(t) => quote(t, out),
            Node::Arr(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Node::Obj(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
    fn fail<T>(&self, what: &str) -> Result<T, (String, usize)> {
        Err((what.to_owned(), self.at))
    }
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }
    fn word(&mut self, word: &str, node: Node<'a>) -> Result<Node<'a>, (String, usize)> {
        if self.text.get(self.at..).is_some_and(|t| t.starts_with(word)) {
            self.at += word.len();
            return Ok(node);
        }
        self.fail("a value is expected")
    }

    fn value(&mut self, depth: u32) -> Result<Node<'a>, (String, usize)> {
        if depth > DEPTH {
            return self.fail("nested too deeply");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Node::Str(self.string()?)),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            // Python writers leave NaN for "no value".
            Some(b'N') => self.word("NaN", Node::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Node::Num(Cow::Borrowed(self.number()))),
            Some(_) => self.fail("a value is expected"),
            None => self.fail("the text ends early"),
        }
    }

    fn number(&mut self) -> &'a str {
        let from = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn array(&mut self, depth: u32) -> Result<Node<'a>, (String, usize)> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Node::Arr(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat(b']') {
                return Ok(Node::Arr(items));
            }
            if !self.eat(b',') {
                return self.fail("',' or ']' is expected");
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Node<'a>, (String, usize)> {
        self.at += 1;
        let mut fields = Vec::new();
        if self.eat(b'}') {
            return Ok(Node::Obj(fields));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.fail("a key is expected");
            }
            let key = self.string()?;
            if !self.eat(b':') {
                return self.fail("':' is expected");
            }
            fields.push((key, self.value(depth + 1)?));
            if self.eat(b'}') {
                return Ok(Node::Obj(fields));
            }
            if !self.eat(b',') {
                return self.fail("',' or '}' is expected");
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, (String, usize)> {
        let from = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek() {
                None => return Err(("a string that does not end".to_owned(), from)),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let Some(raw) = self.text.get(from..self.at) else { return Err(("a string that does not end".to_owned(), from)) };
        if escaped {
            let text: String = serde_json::from_str(raw).map_err(|e| (e.to_string(), from))?;
            return Ok(Cow::Owned(text));
        }
        Ok(Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_characters() {
        let node = Node::parse(r#"{"a":[1.10,-2e3,"x\n\u00e9"],"b":{"c":null,"d":true}}"#).unwrap();
        assert_eq!(node.path("a.0").unwrap().text().unwrap(), "1.10");
        assert_eq!(node.path("a.2").unwrap().text().unwrap(), "x\né");
        assert!(node.path("b.c").unwrap().is_null());
        let mut out = String::new();
        node.write(&mut out);
        assert_eq!(out, r#"{"a":[1.10,-2e3,"x\né"],"b":{"c":null,"d":true}}"#);
    }

    #[test]
    fn errors_have_a_place() {
        assert_eq!(Node::parse("{\"a\" 1}").unwrap_err().1, 5);
        assert_eq!(Node::parse("[1,").unwrap_err().1, 3);
        assert_eq!(Node::parse("1 2").unwrap_err().1, 2);
        assert!(Node::parse(&"[".repeat(1_000)).is_err());
        assert!(Node::parse("\"abc\\").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_value_or_an_error(text in "\\PC{0,60}") {
            let _ = Node::parse(&text);
        }
        #[test]
        fn json_like_text_never_panics(text in "[\\[\\]{}\",:\\\\0-9eE.tfnua é]{0,60}") {
            let _ = Node::parse(&text);
        }
    }
}
