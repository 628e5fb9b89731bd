//! Frames of Binance's market streams, raw (`{"e":..}`) or combined (`{"stream":..,"data":{..}}`), borrowed. Spot and USD-M futures use the
//! same names for different streams; what tells them apart is kept ([`Message::Trade::futures`]).

use std::borrow::Cow;

use pm_core::event::Candle;
use pm_core::num::NumError;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty};
use pm_core::wire_text::{TextError, clip, instant_ms, json, utf8};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// A trade.
    Trade {
        /// Symbol, upper case.
        symbol: &'a str,
        /// Consecutive id within the symbol.
        id: u64,
        /// Price.
        px: Px,
        /// Time of the trade.
        at: Ts,
        /// True for a trade of the USD-M futures of that name: they carry the kind of trade (`X`), spot trades do not.
        futures: bool,
    },
    /// Best bid and ask.
    BookTicker {
        /// Symbol, upper case.
        symbol: &'a str,
        /// Update id, growing within the symbol.
        id: u64,
        /// Best bid.
        bid: Px,
        /// Its quantity.
        bid_qty: Qty,
        /// Best ask.
        ask: Px,
        /// Its quantity.
        ask_qty: Qty,
        /// Time of the match; only futures send one.
        at: Option<Ts>,
    },
    /// A candle of one minute or one hour.
    Kline {
        /// Symbol, upper case.
        symbol: &'a str,
        /// Candle.
        candle: Candle,
    },
    /// An answer to a request; the text of the refusal when it is one.
    Control(Option<String>),
    /// Anything else that is whole.
    Other,
}

/// Milliseconds, or microseconds when the connection asked for them, to an instant.
fn instant(field: &'static str, sent: u64) -> Result<Ts, TextError> {
    /// Milliseconds end where microseconds of 1973 begin; what lies between is neither.
    const FIRST_MICROS: i64 = 100_000_000_000_000;
    let range = || TextError::Range { field, text: sent.to_string(), at: None };
    let sent = i64::try_from(sent).map_err(|_| range())?;
    let micros = |us: i64| instant_ms(us / 1_000).map(|ms| ms + Dur::from_nanos(us % 1_000 * 1_000));
    let at = if sent < FIRST_MICROS { instant_ms(sent) } else { micros(sent) };
    at.ok_or_else(range)
}

fn number(field: &'static str, text: &str, why: NumError) -> TextError {
    TextError::Number { field, text: clip(text), why, at: None }
}

fn impossible(field: &'static str, text: impl AsRef<str>) -> TextError {
    TextError::Range { field, text: clip(text.as_ref()), at: None }
}

fn px(field: &'static str, text: &str) -> Result<Px, TextError> {
    let px = Px::parse(text.as_bytes()).map_err(|why| number(field, text, why))?;
    if px.is_positive() { Ok(px) } else { Err(impossible(field, text)) }
}

fn qty(field: &'static str, text: &str) -> Result<Qty, TextError> {
    let qty = Qty::parse(text.as_bytes()).map_err(|why| number(field, text, why))?;
    if qty.is_negative() { Err(impossible(field, text)) } else { Ok(qty) }
}

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Decodes a frame.
///
/// # Errors
/// Not text, not JSON, or a field of a known message that does not fit.
pub fn parse(frame: &[u8]) -> Result<Message<'_>, TextError> {
    let text = utf8(frame)?;
    if memchr::memmem::find(frame, b"\"stream\"").is_some() {
        let outer: Combined<'_> = json("a combined stream", text)?;
        if let (Some(_), Some(data)) = (outer.stream, outer.data) {
            return message(data.get());
        }
    }
    message(text)
}

/// Value of `"e"`, the kind of message, found without parsing: no message that is read here has another key of that name.
fn kind(text: &str) -> Option<&str> {
    let at = memchr::memmem::find(text.as_bytes(), b"\"e\"")?;
    let rest = text.get(at + 3..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(kind, _)| kind)
}

fn message(text: &str) -> Result<Message<'_>, TextError> {
    match kind(text) {
        Some("trade") => trade(text),
        Some("kline") => kline(text),
        Some("bookTicker") => book_ticker(text),
        Some(_) => other(text),
        None => unnamed(text),
    }
}

fn other(text: &str) -> Result<Message<'_>, TextError> {
    json::<serde::de::IgnoredAny>("a message", text).map(|_| Message::Other)
}

#[derive(Deserialize)]
struct Trade<'a> {
    s: &'a str,
    t: u64,
    p: &'a str,
    #[serde(rename = "T")]
    at: u64,
    /// `MARKET`, `INSURANCE_FUND`, `NA`: futures only.
    #[serde(rename = "X")]
    kind: Option<&'a str>,
}

fn trade(text: &str) -> Result<Message<'_>, TextError> {
    let t: Trade<'_> = json("a trade", text)?;
    let futures = t.kind.is_some();
    // Futures announce trades outside the book (kind `NA`) with a price of zero; they are no prices.
    if futures && t.kind != Some("MARKET") {
        return Ok(Message::Other);
    }
    Ok(Message::Trade { symbol: t.s, id: t.t, px: px("p", t.p)?, at: instant("T", t.at)?, futures })
}

#[derive(Deserialize)]
struct BookTicker<'a> {
    s: &'a str,
    u: u64,
    b: &'a str,
    #[serde(rename = "B")]
    bid_qty: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_qty: &'a str,
    #[serde(rename = "T")]
    at: Option<u64>,
}

fn book_ticker(text: &str) -> Result<Message<'_>, TextError> {
    let t: BookTicker<'_> = json("a book ticker", text)?;
    Ok(Message::BookTicker {
        symbol: t.s,
        id: t.u,
        bid: px("b", t.b)?,
        bid_qty: qty("B", t.bid_qty)?,
        ask: px("a", t.a)?,
        ask_qty: qty("A", t.ask_qty)?,
        at: t.at.map(|at| instant("T", at)).transpose()?,
    })
}

#[derive(Deserialize)]
struct Kline<'a> {
    s: &'a str,
    #[serde(borrow)]
    k: KlineBody<'a>,
}

#[derive(Deserialize)]
struct KlineBody<'a> {
    t: u64,
    #[serde(rename = "T")]
    end: u64,
    i: &'a str,
    o: &'a str,
    c: &'a str,
    h: &'a str,
    l: &'a str,
    x: bool,
}

/// Candles of one minute and one hour settle markets; other intervals are not read.
fn kline(text: &str) -> Result<Message<'_>, TextError> {
    let f: Kline<'_> = json("a kline", text)?;
    let k = f.k;
    let interval = match k.i {
        "1m" => Dur::from_secs(60),
        "1h" => Dur::from_secs(3_600),
        _ => return Ok(Message::Other),
    };
    let (open_at, last) = (instant("k.t", k.t)?, instant("k.T", k.end)?);
    // The end is inclusive: the last ms (or µs) of the interval. A candle that begins elsewhere than on its grid is none.
    let missing = (open_at + interval).since(last).nanos();
    if open_at.nanos() % interval.nanos() != 0 || !(1..=1_000_000).contains(&missing) {
        return Err(impossible("k.t", format!("{} to {} as {}", k.t, k.end, k.i)));
    }
    let candle = Candle {
        open_at,
        interval,
        open: px("k.o", k.o)?,
        high: px("k.h", k.h)?,
        low: px("k.l", k.l)?,
        close: px("k.c", k.c)?,
        closed: k.x,
    };
    let (top, bottom) = (candle.open.max(candle.close), candle.open.min(candle.close));
    if candle.high < top || candle.low > bottom {
        return Err(impossible("k", format!("{} {} {} {}", k.o, k.h, k.l, k.c)));
    }
    Ok(Message::Kline { symbol: f.s, candle })
}

#[derive(Deserialize)]
struct Unnamed<'a> {
    #[serde(borrow)]
    b: Option<&'a RawValue>,
    #[serde(borrow, rename = "A")]
    ask_qty: Option<&'a RawValue>,
    u: Option<u64>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<Refusal<'a>>,
    code: Option<i64>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    code: Option<i64>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

/// Messages without a kind: spot book tickers, answers to requests, REST depth snapshots.
fn unnamed(text: &str) -> Result<Message<'_>, TextError> {
    let m: Unnamed<'_> = json("a message", text)?;
    if m.b.is_some_and(|b| b.get().starts_with('"')) && m.ask_qty.is_some() && m.u.is_some() {
        return book_ticker(text);
    }
    let refusal = m.error.or_else(|| m.code.map(|code| Refusal { code: Some(code), msg: m.msg }));
    if let Some(r) = refusal {
        let code = r.code.map(|c| format!("{c}: ")).unwrap_or_default();
        return Ok(Message::Control(Some(format!("{code}{}", clip(r.msg.as_deref().unwrap_or_default())))));
    }
    // `{"result":null,"id":1}`; an id alone tells it from everything else.
    Ok(if m.id.is_some() { Message::Control(None) } else { Message::Other })
}
