//! Frames of the market socket (venues/polymarket.md 5.4). One book, two tokens: every frame says the same of both, mirrored.

use crate::book::{Change, Level};
use crate::dice::splitmix;
use crate::ids;
use crate::market::{SimEvent, SimMarket};
use crate::text::Put;

/// Which token a frame speaks of: false = first.
type Second = bool;

fn mirror(px: i32, second: Second) -> i64 {
    i64::from(if second { 1_000 - px } else { px })
}

/// `[{"price":..,"size":..},..]`, best level last.
fn levels(w: &mut Vec<u8>, side: &[Level], second: Second) {
    w.text("[");
    for (at, (px, qty)) in side.iter().rev().enumerate() {
        w.text(if at > 0 { ",{\"price\":\"" } else { "{\"price\":\"" });
        w.trimmed(mirror(*px, second), 3).text("\",\"size\":\"").trimmed(*qty, 2).text("\"}");
    }
    w.text("]");
}

fn token(m: &SimMarket, second: Second) -> &str {
    let [a, b] = &m.tokens;
    if second { b } else { a }
}

fn last_trade(w: &mut Vec<u8>, m: &SimMarket, second: Second) {
    if let Some(px) = m.last_trade {
        w.trimmed(mirror(px, second), 3);
    }
}

fn sides(w: &mut Vec<u8>, m: &SimMarket, second: Second) {
    let (bids, asks) = if second { (&m.book.asks, &m.book.bids) } else { (&m.book.bids, &m.book.asks) };
    w.text("\"bids\":");
    levels(w, bids, second);
    w.text(",\"asks\":");
    levels(w, asks, second);
}

/// Hash of a book (5.2): over the REST form, which has two fields that the socket's frame lacks.
fn hash(scratch: &mut Vec<u8>, m: &SimMarket, second: Second, ms: i64) -> [u8; 20] {
    scratch.clear();
    scratch
        .text("{\"market\":\"")
        .text(&m.native)
        .text("\",\"asset_id\":\"")
        .text(token(m, second))
        .text("\",\"timestamp\":\"")
        .int(ms);
    scratch.text("\",\"hash\":\"\",");
    sides(scratch, m, second);
    scratch.text(",\"min_order_size\":\"5\",\"tick_size\":\"").trimmed(i64::from(m.tick), 3);
    scratch.text("\",\"neg_risk\":false,\"last_trade_price\":\"");
    last_trade(scratch, m, second);
    scratch.text("\"}");
    ids::sha1(scratch)
}

/// One `book` object.
pub(crate) fn book(w: &mut Vec<u8>, scratch: &mut Vec<u8>, m: &SimMarket, second: Second, ms: i64) {
    let hash = hash(scratch, m, second, ms);
    w.text("{\"event_type\":\"book\",\"market\":\"").text(&m.native).text("\",\"asset_id\":\"").text(token(m, second));
    w.text("\",\"timestamp\":\"").int(ms).text("\",\"hash\":\"").hex(&hash).text("\",");
    sides(w, m, second);
    w.text(",\"tick_size\":\"").trimmed(i64::from(m.tick), 3).text("\",\"last_trade_price\":\"");
    last_trade(w, m, second);
    w.text("\"}");
}

/// `price_change` with all changes, each for both tokens. The hashes cannot be checked on the real frames either (5.2): they only look
/// like hashes, `salt` makes them.
pub(crate) fn price_change(w: &mut Vec<u8>, m: &SimMarket, changes: &[Change], ms: i64, salt: &mut u64) {
    w.text("{\"event_type\":\"price_change\",\"market\":\"")
        .text(&m.native)
        .text("\",\"timestamp\":\"")
        .int(ms)
        .text("\",\"price_changes\":[");
    for (at, c) in changes.iter().enumerate() {
        for second in [false, true] {
            if at > 0 || second {
                w.text(",");
            }
            w.text("{\"asset_id\":\"").text(token(m, second)).text("\",\"price\":\"").trimmed(mirror(c.px, second), 3);
            w.text("\",\"size\":\"").trimmed(c.qty, 2).text("\",\"side\":\"").text(if c.bid != second { "BUY" } else { "SELL" });
            w.text("\",\"hash\":\"");
            for _ in 0..2 {
                w.hex(&splitmix(salt).to_be_bytes());
            }
            w.hex(splitmix(salt).to_be_bytes().get(..4).unwrap_or_default());
            let (bid, ask) = if second { (c.best_ask, c.best_bid) } else { (c.best_bid, c.best_ask) };
            w.text("\",\"best_bid\":\"")
                .trimmed(mirror(bid, second), 3)
                .text("\",\"best_ask\":\"")
                .trimmed(mirror(ask, second), 3)
                .text("\"}");
        }
    }
    w.text("]}");
}

/// A trade of a taker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    /// In terms of the first outcome, 0.001.
    pub(crate) px: i32,
    /// 0.01 shares.
    pub(crate) qty: i64,
    /// True when the taker bought the first outcome (or sold the second).
    pub(crate) lifts_ask: bool,
    /// True when it is told of the second token.
    pub(crate) second: bool,
}

/// `last_trade_price`.
pub(crate) fn print(w: &mut Vec<u8>, m: &SimMarket, t: &Print, ms: i64, salt: &mut u64) {
    w.text("{\"event_type\":\"last_trade_price\",\"market\":\"")
        .text(&m.native)
        .text("\",\"asset_id\":\"")
        .text(token(m, t.second));
    w.text("\",\"price\":\"").trimmed(mirror(t.px, t.second), 3).text("\",\"side\":\"").text(if t.lifts_ask != t.second {
        "BUY"
    } else {
        "SELL"
    });
    w.text("\",\"size\":\"")
        .trimmed(t.qty, 2)
        .text("\",\"fee_rate_bps\":\"0\",\"timestamp\":\"")
        .int(ms)
        .text("\",\"transaction_hash\":\"0x");
    for _ in 0..4 {
        w.hex(&splitmix(salt).to_be_bytes());
    }
    w.text("\"}");
}

/// `tick_size_change` of one token.
pub(crate) fn tick_change(w: &mut Vec<u8>, m: &SimMarket, second: Second, old: i32, ms: i64) {
    w.text("{\"event_type\":\"tick_size_change\",\"market\":\"")
        .text(&m.native)
        .text("\",\"asset_id\":\"")
        .text(token(m, second));
    w.text("\",\"old_tick_size\":\"").trimmed(i64::from(old), 3).text("\",\"new_tick_size\":\"").trimmed(i64::from(m.tick), 3);
    w.text("\",\"timestamp\":\"").int(ms).text("\"}");
}

/// `market_resolved`.
pub(crate) fn resolved(w: &mut Vec<u8>, event: &SimEvent, m: &SimMarket, ms: i64) {
    let labels = if event.family.is_ladder() { ["Yes", "No"] } else { ["Up", "Down"] };
    let second = m.first_pays == Some(false);
    w.text("{\"event_type\":\"market_resolved\",\"id\":\"")
        .int(m.id)
        .text("\",\"market\":\"")
        .text(&m.native)
        .text("\",\"assets_ids\":[\"");
    w.text(&m.tokens[0]).text("\",\"").text(&m.tokens[1]).text("\"],\"winning_asset_id\":\"").text(token(m, second));
    w.text("\",\"winning_outcome\":\"").text(if second { labels[1] } else { labels[0] });
    w.text("\",\"timestamp\":\"").int(ms).text("\",\"tags\":[\"crypto\"]}");
}
