//! The settlement-price socket (PolyBolt, venues/polymarket.md 5.6): one oracle value a second, spot and averaged. Values come from the
//! full-accuracy text, cut to 1e-8, never from the JSON float beside it.

use std::collections::BTreeMap;

use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::wire_text::{instant_ms, json, utf8};
use serde::Deserialize;

use crate::oracle::{self, Entry, Point, Said, missing, time};
use crate::text::{Num, Text};

/// A decoded price frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFrame {
    /// Channel: `price.crypto`, `price.crypto.twap`, `price.equity`, `price.equity.twap`.
    pub channel: String,
    /// Counter per channel and connection.
    pub seq: u64,
    /// Server time.
    pub at: Ts,
    /// Frames that the server says it dropped before this one.
    pub dropped: Option<u64>,
    /// True for the history sent after subscribing.
    pub snapshot: bool,
    /// Symbol, lower case.
    pub symbol: String,
    /// Who provides the value, as the server says.
    pub source: String,
    /// Averaging window in seconds (averaged channels).
    pub window_seconds: Option<i64>,
    /// Values, oldest first.
    pub points: Vec<Point>,
    /// When the server received the value.
    pub received_at: Option<Ts>,
    /// True when the value is an old one repeated.
    pub is_carried_forward: Option<bool>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    op: Option<Text<'a>>,
    v: Option<i64>,
    #[serde(borrow)]
    channel: Option<Text<'a>>,
    seq: Option<u64>,
    #[serde(borrow)]
    ts: Option<Num<'a>>,
    dropped: Option<u64>,
    snapshot: Option<bool>,
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    symbol: Option<Text<'a>>,
    #[serde(borrow)]
    source: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Num<'a>>,
    #[serde(borrow)]
    full_accuracy_value: Option<Num<'a>>,
    window_seconds: Option<i64>,
    received_at: Option<i64>,
    is_carried_forward: Option<bool>,
    #[serde(borrow)]
    data: Option<Vec<Entry<'a>>>,
}

/// What a frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveMessage {
    /// Values.
    Price(PriceFrame),
    /// Acknowledgement, pong, authentication answer.
    Control(String),
    /// The server refused: code and channel.
    Refused {
        /// `auth_required`, `bad_filter`, `sub_limit`, ...
        code: String,
        /// Channel it is about.
        channel: Option<String>,
    },
    /// Something else.
    Unknown,
}

/// Averaging windows that are published (venues/polymarket-official-clients.md 10).
const WINDOW: i64 = 60;

/// Decodes a frame.
///
/// # Errors
/// A price frame lacks a field, names another protocol version or averaging window, or its value is not a number.
pub fn parse(text: &str) -> Result<LiveMessage, DecodeError> {
    let e: Envelope<'_> = json("a price frame", text)?;
    let channel = e.channel.as_ref().map(|c| c.as_str().to_owned());
    match e.op.as_ref().map(Text::as_str) {
        Some("error") => {
            return Ok(LiveMessage::Refused { code: e.code.map(|c| c.0.into_owned()).unwrap_or_default(), channel });
        }
        Some(op) => return Ok(LiveMessage::Control(op.to_owned())),
        None => {}
    }
    match channel.as_deref() {
        Some("price.crypto" | "price.crypto.twap" | "price.equity" | "price.equity.twap") => {}
        _ => return Ok(LiveMessage::Unknown),
    }
    price(e, channel.unwrap_or_default()).map(LiveMessage::Price)
}

fn point(entry: Entry<'_>) -> Result<Point, DecodeError> {
    let text = entry.full_accuracy_value.ok_or_else(|| missing("full_accuracy_value"))?.0.into_owned();
    Point::new(entry.timestamp.as_ref(), text)
}

fn price(e: Envelope<'_>, channel: String) -> Result<PriceFrame, DecodeError> {
    if e.v != Some(1) {
        return Err(DecodeError::new("v is not 1"));
    }
    let (seq, at) = (e.seq.ok_or_else(|| missing("seq"))?, time("ts", e.ts.as_ref())?);
    let p = e.payload.ok_or_else(|| missing("payload"))?;
    let averaged = channel.ends_with(".twap");
    if averaged && p.window_seconds != Some(WINDOW) {
        return Err(DecodeError::new("window_seconds is not the published one"));
    }
    let snapshot = e.snapshot.unwrap_or(false);
    let points = match (snapshot, p.data) {
        (true, Some(data)) => data.into_iter().map(point).collect::<Result<_, _>>()?,
        (true, None) => return Err(missing("data")),
        (false, _) => vec![point(Entry { timestamp: p.timestamp, value: None, full_accuracy_value: p.full_accuracy_value })?],
    };
    Ok(PriceFrame {
        channel,
        seq,
        at,
        dropped: e.dropped,
        snapshot,
        symbol: p.symbol.ok_or_else(|| missing("symbol"))?.as_str().to_lowercase(),
        source: p.source.ok_or_else(|| missing("source"))?.0.into_owned(),
        window_seconds: p.window_seconds.filter(|_| averaged),
        points,
        received_at: p.received_at.and_then(instant_ms),
        is_carried_forward: p.is_carried_forward,
    })
}

/// `btcusd` to the catalog's name of the oracle source.
pub(crate) fn oracle_name(symbol: &str) -> Option<String> {
    let base = symbol.strip_suffix("usd")?.trim_end_matches('/');
    (!base.is_empty()).then(|| format!("chainlink:{base}/usd"))
}

/// Feed protocol of the settlement-price socket.
#[derive(Debug)]
pub struct LiveProtocol {
    catalog: Catalog,
    symbols: Vec<String>,
    last_seq: BTreeMap<String, u64>,
    said: Said,
    gaps: u64,
    refused: u64,
}

impl LiveProtocol {
    /// A protocol that maps symbols to the sources of `catalog` and subscribes to `symbols` (`btcusd`).
    #[must_use]
    pub fn new(catalog: Catalog, symbols: Vec<String>) -> Self {
        Self { catalog, symbols, last_seq: BTreeMap::new(), said: Said::default(), gaps: 0, refused: 0 }
    }
    /// Frames that were lost: skipped `seq` numbers and the server's own `dropped` counts.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }
    /// Requests that the server refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Counts skipped frames. `seq` runs per channel and connection.
    fn follow(&mut self, frame: &PriceFrame) {
        if let Some(last) = self.last_seq.insert(frame.channel.clone(), frame.seq)
            && frame.seq > last
        {
            self.gaps += frame.seq - last - 1;
        }
        self.gaps += frame.dropped.unwrap_or(0);
    }
}

impl FeedProtocol for LiveProtocol {
    fn decode(&mut self, _: Stamp, frame: &[u8], _: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, DecodeError> {
        let text = utf8(frame)?;
        if !text.trim_start().starts_with('{') {
            return Ok(if matches!(text.trim(), "PONG" | "PING") { FrameKind::Control } else { FrameKind::Unknown });
        }
        let frame = match parse(text)? {
            LiveMessage::Price(frame) => frame,
            LiveMessage::Control(_) => return Ok(FrameKind::Control),
            LiveMessage::Refused { .. } => {
                self.refused += 1;
                return Ok(FrameKind::Control);
            }
            LiveMessage::Unknown => return Ok(FrameKind::Unknown),
        };
        self.follow(&frame);
        let source = oracle_name(&frame.symbol).and_then(|name| self.catalog.source(&name));
        let Some(source) = source.filter(|_| frame.source == "chainlink" && frame.channel.starts_with("price.crypto")) else {
            return Ok(FrameKind::Foreign);
        };
        self.said.emit(source, oracle::kind(frame.window_seconds), frame.snapshot, &frame.points, out)?;
        Ok(FrameKind::Data)
    }

    fn reset(&mut self, _: &mut dyn EventSink) {
        self.last_seq.clear();
    }

    /// One frame for all symbols, averaged and spot. Authentication comes before it and is the connection's business: it holds secrets.
    fn subscribe(&self) -> Vec<String> {
        if self.symbols.is_empty() {
            return Vec::new();
        }
        let wanted = self.symbols.iter().flat_map(|s| {
            [
                serde_json::json!({"channel": "price.crypto.twap", "filter": {"symbol": s, "window_seconds": WINDOW}}),
                serde_json::json!({"channel": "price.crypto", "filter": {"symbol": s}}),
            ]
        });
        vec![serde_json::json!({"op": "subscribe", "rid": "s1", "subscriptions": wanted.collect::<Vec<_>>()}).to_string()]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("gaps", self.gaps), ("refused", self.refused)]
    }
}
