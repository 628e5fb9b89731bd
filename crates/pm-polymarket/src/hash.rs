//! The hash that the venue sends with a book (venues/polymarket.md 5.2): SHA-1 over a compact JSON of the texts exactly as received,
//! levels in wire order. Texts, not values: `0.10` and `0.1` hash differently.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use sha1::{Digest, Sha1};

use crate::text::Text;

/// The texts of one level.
#[derive(Debug, Clone, Deserialize)]
pub struct RawLevel<'a> {
    /// Price text.
    #[serde(borrow)]
    pub price: Cow<'a, str>,
    /// Size text.
    #[serde(borrow)]
    pub size: Cow<'a, str>,
}

/// The texts of a book body as the hash needs them: a REST `/book` answer, or a `book` frame completed with `min_order_size` and
/// `neg_risk` from REST.
#[derive(Debug, Clone, Deserialize)]
pub struct RawBook<'a> {
    /// Condition id.
    #[serde(borrow)]
    pub market: Cow<'a, str>,
    /// Token id.
    #[serde(borrow)]
    pub asset_id: Cow<'a, str>,
    /// Millisecond text.
    #[serde(borrow)]
    pub timestamp: Cow<'a, str>,
    /// The hash as sent; not part of the input.
    #[serde(borrow, default)]
    pub hash: Option<Text<'a>>,
    /// Bids in wire order.
    #[serde(borrow, default)]
    pub bids: Vec<RawLevel<'a>>,
    /// Asks in wire order.
    #[serde(borrow, default)]
    pub asks: Vec<RawLevel<'a>>,
    /// Text; `None` is written as `null`.
    #[serde(borrow, default)]
    pub min_order_size: Option<Text<'a>>,
    /// Text; `None` is written as `null`.
    #[serde(borrow, default)]
    pub tick_size: Option<Text<'a>>,
    /// Absent is written as `null`.
    #[serde(default)]
    pub neg_risk: Option<bool>,
    /// Text, also empty; `None` is written as `null`.
    #[serde(borrow, default)]
    pub last_trade_price: Option<Text<'a>>,
}

impl RawBook<'_> {
    /// Whether the hash that was sent is the book's; `None` when the body lacks an input (every `book` frame of the socket does), so that
    /// nothing can be said.
    #[must_use]
    pub fn verify(&self) -> Option<bool> {
        let sent = self.hash.as_ref()?;
        let whole = self.min_order_size.is_some() && self.tick_size.is_some() && self.neg_risk.is_some();
        (whole && self.last_trade_price.is_some()).then(|| book_hash(self) == sent.as_str())
    }
}

/// The exact bytes that are hashed.
#[must_use]
pub fn preimage(book: &RawBook<'_>) -> String {
    let mut out = String::with_capacity(512 + 40 * (book.bids.len() + book.asks.len()));
    field(&mut out, "{\"market\":", Some(&book.market));
    field(&mut out, ",\"asset_id\":", Some(&book.asset_id));
    field(&mut out, ",\"timestamp\":", Some(&book.timestamp));
    out.push_str(",\"hash\":\"\"");
    levels(&mut out, ",\"bids\":[", &book.bids);
    levels(&mut out, ",\"asks\":[", &book.asks);
    field(&mut out, ",\"min_order_size\":", book.min_order_size.as_ref().map(Text::as_str));
    field(&mut out, ",\"tick_size\":", book.tick_size.as_ref().map(Text::as_str));
    out.push_str(match book.neg_risk {
        Some(true) => ",\"neg_risk\":true",
        Some(false) => ",\"neg_risk\":false",
        None => ",\"neg_risk\":null",
    });
    field(&mut out, ",\"last_trade_price\":", book.last_trade_price.as_ref().map(Text::as_str));
    out.push('}');
    out
}

/// SHA-1 of [`preimage`], 40 lower-case hex digits.
#[must_use]
pub fn book_hash(book: &RawBook<'_>) -> String {
    let mut out = String::with_capacity(40);
    for byte in Sha1::digest(preimage(book).as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn levels(out: &mut String, head: &str, levels: &[RawLevel<'_>]) {
    out.push_str(head);
    for (i, level) in levels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        field(out, "{\"price\":", Some(&level.price));
        field(out, ",\"size\":", Some(&level.size));
        out.push('}');
    }
    out.push(']');
}

fn field(out: &mut String, head: &str, text: Option<&str>) {
    out.push_str(head);
    let Some(text) = text else {
        out.push_str("null");
        return;
    };
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out.push('"');
}
