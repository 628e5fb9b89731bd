//! Typed, borrowed shapes of the public market-socket messages (venues/polymarket.md 5.4) and of the REST `/book` body, and the tolerant
//! decoder for all of them. Prices and sizes become fixed point from their own characters; ids stay slices of the frame. Messages are told
//! apart by a cheap search for `event_type`, never by a tagged enum, which would buffer every field.
//!
//! [`crate::scan`] reads the two hot messages faster and hands over to this module whatever looks unusual.

use std::borrow::Cow;

use pm_core::book::Level;
use pm_core::num::NumError;
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::traits::DecodeError;
use pm_core::wire_text::{self, TextError};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::text::{Num, Text, millis};

mod listing;
mod types;

use listing::{new_market, resolved};
pub use types::{
    BestBidAsk, Book, Change, EventMessage, Frame, LastTrade, MarketResolved, Message, NewMarket, PriceChange, TickSizeChange,
};

/// Decodes a whole frame: object, array of objects, or keep-alive text.
#[must_use]
pub fn frame(text: &str) -> Frame<'_> {
    let trimmed = text.trim();
    if matches!(trimmed, "PONG" | "PING") {
        return Frame { heartbeat: true, ..Frame::default() };
    }
    if !trimmed.starts_with('[') {
        return match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Frame { messages: vec![message(raw.get())], ..Frame::default() },
            Err(e) if trimmed.starts_with('{') => Frame { messages: vec![Err(broken(text, &e))], ..Frame::default() },
            Err(_) => Frame { not_json: true, ..Frame::default() },
        };
    }
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(items) => Frame { messages: items.into_iter().map(|raw| message(raw.get())).collect(), ..Frame::default() },
        Err(e) => Frame { messages: vec![Err(broken(text, &e))], ..Frame::default() },
    }
}

/// A frame that is not whole JSON.
pub(crate) fn broken(text: &str, e: &serde_json::Error) -> DecodeError {
    TextError::json("a market frame", text, e).into()
}

/// Decodes one message (a JSON object).
///
/// # Errors
/// The object is of a known type and a field is missing or malformed; the text names the field.
pub fn message(json: &str) -> Result<Message<'_>, DecodeError> {
    let quick = memchr::memmem::find(json.as_bytes(), b"\"event_type\":\"").and_then(|at| {
        let rest = json.get(at + 14..)?;
        rest.get(..memchr::memchr(b'"', rest.as_bytes())?)
    });
    match quick {
        Some(kind) => typed(kind, json),
        None => probed(json),
    }
}

#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    bids: Option<IgnoredAny>,
    asks: Option<IgnoredAny>,
    price_changes: Option<IgnoredAny>,
}

/// Messages without a plain `event_type`: envelopes, `type` instead of `event_type`, REST bodies, blanks around the colon.
fn probed(json: &str) -> Result<Message<'_>, DecodeError> {
    if !json.trim_start().starts_with('{') {
        return Ok(Message::Unknown(String::new()));
    }
    let probe: Probe<'_> = wire_text::json("a message", json)?;
    let kind = probe.event_type.or(probe.kind);
    match (kind, probe.payload) {
        (Some(kind), Some(payload)) => typed(kind.as_str(), payload.get()),
        (Some(kind), None) => typed(kind.as_str(), json),
        (None, _) if probe.price_changes.is_some() => typed("price_change", json),
        (None, _) if probe.bids.is_some() || probe.asks.is_some() => typed("book", json),
        (None, _) => Ok(Message::Unknown(String::new())),
    }
}

fn typed<'a>(kind: &str, json: &'a str) -> Result<Message<'a>, DecodeError> {
    match kind {
        "book" => book(json).map(Message::Book),
        "price_change" => price_change(json).map(Message::PriceChange),
        "tick_size_change" => tick_size(json).map(Message::TickSize),
        "last_trade_price" => last_trade(json).map(Message::LastTrade),
        "best_bid_ask" => best_bid_ask(json).map(Message::BestBidAsk),
        "new_market" => new_market(json).map(|m| Message::NewMarket(Box::new(m))),
        "market_resolved" => resolved(json).map(|m| Message::Resolved(Box::new(m))),
        other => Ok(Message::Unknown(other.to_owned())),
    }
}

/// A level's texts: text only, the venue never sends numbers here and the official client refuses them.
#[derive(Deserialize)]
struct LevelText<'a> {
    #[serde(borrow)]
    price: Text<'a>,
    #[serde(borrow)]
    size: Text<'a>,
}

/// Every field that any small message uses. One shape for all of them: absent ones cost nothing.
#[derive(Deserialize, Default)]
struct Fields<'a> {
    #[serde(borrow)]
    market: Option<Text<'a>>,
    #[serde(borrow)]
    asset_id: Option<Text<'a>>,
    /// Other name of `asset_id` in some clients' frames.
    #[serde(borrow)]
    token_id: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    hash: Option<Text<'a>>,
    #[serde(borrow)]
    bids: Option<Vec<LevelText<'a>>>,
    #[serde(borrow)]
    asks: Option<Vec<LevelText<'a>>>,
    #[serde(borrow)]
    tick_size: Option<Num<'a>>,
    #[serde(borrow)]
    min_order_size: Option<Num<'a>>,
    neg_risk: Option<bool>,
    #[serde(borrow)]
    last_trade_price: Option<Num<'a>>,
    #[serde(borrow)]
    price_changes: Option<Vec<Fields<'a>>>,
    #[serde(borrow)]
    price: Option<Num<'a>>,
    #[serde(borrow)]
    size: Option<Num<'a>>,
    #[serde(borrow)]
    side: Option<Text<'a>>,
    #[serde(borrow)]
    best_bid: Option<Num<'a>>,
    #[serde(borrow)]
    best_ask: Option<Num<'a>>,
    #[serde(borrow)]
    spread: Option<Num<'a>>,
    #[serde(borrow)]
    old_tick_size: Option<Num<'a>>,
    #[serde(borrow)]
    new_tick_size: Option<Num<'a>>,
    #[serde(borrow)]
    fee_rate_bps: Option<Num<'a>>,
    #[serde(borrow)]
    transaction_hash: Option<Text<'a>>,
}

fn fields(json: &str) -> Result<Fields<'_>, DecodeError> {
    Ok(wire_text::json("a message", json)?)
}

fn need<'a>(field: &str, text: Option<Text<'a>>) -> Result<Cow<'a, str>, DecodeError> {
    text.map(|t| t.0).ok_or_else(|| DecodeError::new(format!("{field} is missing")))
}

fn some<T: core::str::FromStr<Err = NumError>>(field: &str, num: Option<Num<'_>>) -> Result<Option<T>, DecodeError> {
    match num {
        Some(num) => num.fixed().map_err(|e| DecodeError::new(format!("{field}: {e}"))),
        None => Ok(None),
    }
}

fn must<T: core::str::FromStr<Err = NumError>>(field: &str, num: Option<Num<'_>>) -> Result<T, DecodeError> {
    some(field, num)?.ok_or_else(|| DecodeError::new(format!("{field} is missing")))
}

fn time(text: Option<Text<'_>>) -> Result<Option<Ts>, DecodeError> {
    match text {
        Some(t) if !t.as_str().is_empty() => {
            millis(t.as_str()).map(Some).ok_or_else(|| DecodeError::new("timestamp is not a text of milliseconds before 2100"))
        }
        _ => Ok(None),
    }
}

fn side(text: Option<Text<'_>>) -> Result<Side, DecodeError> {
    match text {
        Some(t) if t.as_str().eq_ignore_ascii_case("buy") => Ok(Side::Buy),
        Some(t) if t.as_str().eq_ignore_ascii_case("sell") => Ok(Side::Sell),
        _ => Err(DecodeError::new("side is neither BUY nor SELL")),
    }
}

fn ladder(field: &str, levels: Option<Vec<LevelText<'_>>>) -> Result<Vec<Level>, DecodeError> {
    let wrong = |part: &str, i: usize, e: NumError| DecodeError::new(format!("{field}[{i}].{part}: {e}"));
    levels
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(i, l)| {
            Ok(Level {
                px: l.price.as_str().parse().map_err(|e| wrong("price", i, e))?,
                qty: l.size.as_str().parse().map_err(|e| wrong("size", i, e))?,
            })
        })
        .collect()
}

/// `null` lists are empty sides; a body with neither list is not a book.
fn book(json: &str) -> Result<Book<'_>, DecodeError> {
    if !json.contains("\"bids\"") && !json.contains("\"asks\"") {
        return Err(DecodeError::new("book without bids and asks"));
    }
    let f = fields(json)?;
    Ok(Book {
        market: need("market", f.market)?,
        asset_id: need("asset_id", f.asset_id.or(f.token_id))?,
        timestamp: time(f.timestamp)?,
        hash: f.hash.map(|t| t.0),
        bids: ladder("bids", f.bids)?,
        asks: ladder("asks", f.asks)?,
        tick_size: some("tick_size", f.tick_size)?,
        min_order_size: some("min_order_size", f.min_order_size)?,
        neg_risk: f.neg_risk,
        last_trade_price: some("last_trade_price", f.last_trade_price)?,
    })
}

fn change(f: Fields<'_>) -> Result<Change<'_>, DecodeError> {
    Ok(Change {
        asset_id: need("asset_id", f.asset_id.or(f.token_id))?,
        price: must("price", f.price)?,
        size: must("size", f.size)?,
        side: side(f.side)?,
        hash: f.hash.map(|t| t.0),
        best_bid: some("best_bid", f.best_bid)?,
        best_ask: some("best_ask", f.best_ask)?,
    })
}

fn price_change(json: &str) -> Result<PriceChange<'_>, DecodeError> {
    let mut f = fields(json)?;
    let (market, timestamp) = (need("market", f.market.take())?, time(f.timestamp.take())?);
    let changes = match f.price_changes.take() {
        Some(changes) => changes.into_iter().map(change).collect::<Result<_, _>>()?,
        // `null`: no changes. Absent: the first protocol's single change at the top level.
        None if json.contains("\"price_changes\"") => Vec::new(),
        None => vec![change(f)?],
    };
    Ok(PriceChange { market, timestamp, changes })
}

fn tick_size(json: &str) -> Result<TickSizeChange<'_>, DecodeError> {
    let f = fields(json)?;
    Ok(TickSizeChange {
        market: need("market", f.market)?,
        asset_id: need("asset_id", f.asset_id.or(f.token_id))?,
        old_tick_size: some("old_tick_size", f.old_tick_size)?,
        new_tick_size: must("new_tick_size", f.new_tick_size)?,
        timestamp: time(f.timestamp)?,
    })
}

fn last_trade(json: &str) -> Result<LastTrade<'_>, DecodeError> {
    let f = fields(json)?;
    Ok(LastTrade {
        market: need("market", f.market)?,
        asset_id: need("asset_id", f.asset_id.or(f.token_id))?,
        price: must("price", f.price)?,
        size: some("size", f.size)?,
        side: side(f.side)?,
        fee_rate_bps: some("fee_rate_bps", f.fee_rate_bps)?,
        timestamp: time(f.timestamp)?,
        transaction_hash: f.transaction_hash.map(|t| t.0),
    })
}

fn best_bid_ask(json: &str) -> Result<BestBidAsk<'_>, DecodeError> {
    let f = fields(json)?;
    Ok(BestBidAsk {
        market: need("market", f.market)?,
        asset_id: need("asset_id", f.asset_id.or(f.token_id))?,
        best_bid: some("best_bid", f.best_bid)?,
        best_ask: some("best_ask", f.best_ask)?,
        spread: some("spread", f.spread)?,
        timestamp: time(f.timestamp)?,
    })
}

fn owned<T: DeserializeOwned>(json: &str) -> Result<T, DecodeError> {
    Ok(wire_text::json("a message", json)?)
}
