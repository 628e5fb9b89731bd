//! The legacy price socket (RTDS, venues/polymarket.md 5.6), still the public way to oracle values. Its traps: oracle histories come
//! labelled with the exchange's topic, oracle values are integers at 1e18 beside plain decimals, one blank inside a filter text silences
//! the subscription for good.

use core::fmt::Write as _;

use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::wire_text::{instant_ms, json, utf8};
use serde::Deserialize;

use crate::oracle::{self, Entry, Point, Said, missing};
use crate::text::{Num, Text};

/// Topics with prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// `crypto_prices`: the exchange's spot.
    Exchange,
    /// `crypto_prices_chainlink`: the oracle.
    Oracle,
    /// `crypto_prices_twap_thirty`: the oracle's 30 s mean.
    Mean30,
    /// `crypto_prices_twap_sixty`: the oracle's 60 s mean.
    Mean60,
    /// `equity_prices`.
    Equity,
}

impl Topic {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "crypto_prices",
            Self::Oracle => "crypto_prices_chainlink",
            Self::Mean30 => "crypto_prices_twap_thirty",
            Self::Mean60 => "crypto_prices_twap_sixty",
            Self::Equity => "equity_prices",
        }
    }
    fn of(text: &str) -> Option<Self> {
        [Self::Exchange, Self::Oracle, Self::Mean30, Self::Mean60, Self::Equity].into_iter().find(|t| t.as_str() == text)
    }
    /// Averaging window in seconds.
    #[must_use]
    pub const fn window(self) -> Option<i64> {
        match self {
            Self::Mean30 => Some(30),
            Self::Mean60 => Some(60),
            _ => None,
        }
    }
}

/// A decoded price message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtdsPrice {
    /// Topic, as labelled.
    pub topic: Topic,
    /// True for the history sent after subscribing.
    pub snapshot: bool,
    /// Server time.
    pub at: Option<Ts>,
    /// Symbol: `btcusdt` or `btc/usd`.
    pub symbol: String,
    /// Averaging window in seconds.
    pub window_seconds: Option<i64>,
    /// Values, oldest first.
    pub points: Vec<Point>,
    /// When the server received the value (equities).
    pub received_at: Option<Ts>,
    /// True when the value is an old one repeated (equities).
    pub is_carried_forward: Option<bool>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    topic: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Num<'a>>,
    #[serde(borrow)]
    payload: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    symbol: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Num<'a>>,
    #[serde(borrow)]
    value: Option<Num<'a>>,
    #[serde(borrow)]
    full_accuracy_value: Option<Num<'a>>,
    window_s: Option<i64>,
    received_at: Option<i64>,
    is_carried_forward: Option<bool>,
    #[serde(borrow)]
    data: Option<Vec<Entry<'a>>>,
}

/// An integer at 1e18 as decimal digits.
fn from_e18(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |d| ("-", d));
    let padded = format!("{digits:0>19}");
    let (whole, fraction) = padded.split_at(padded.len() - 18);
    format!("{sign}{whole}.{fraction}")
}

/// Full-accuracy text of an oracle topic: an integer is at 1e18, a text with a point is plain. No price of interest is 1e15 units, so
/// digits tell the two apart also where the label is wrong.
fn accurate(topic: Topic, full: &str) -> String {
    let integer = !full.contains(['.', 'e', 'E']);
    let scaled = match topic {
        Topic::Mean30 | Topic::Mean60 => integer,
        Topic::Oracle => integer && full.trim_start_matches('-').len() > 12,
        Topic::Exchange | Topic::Equity => integer && full.trim_start_matches('-').len() > 15,
    };
    if scaled { from_e18(full) } else { full.to_owned() }
}

fn point(topic: Topic, entry: Entry<'_>) -> Result<Point, DecodeError> {
    let text = match (entry.full_accuracy_value, entry.value) {
        (Some(full), _) => accurate(topic, full.as_str()),
        (None, Some(value)) if topic.window().is_none() => value.0.into_owned(),
        _ => return Err(missing("full_accuracy_value")),
    };
    Point::new(entry.timestamp.as_ref(), text)
}

/// Decodes a frame; `None` for topics and types without prices.
///
/// # Errors
/// A price message lacks a field, or its window is not its topic's.
pub fn parse(text: &str) -> Result<Option<RtdsPrice>, DecodeError> {
    let e: Envelope<'_> = json("a price message", text)?;
    let (Some(topic), Some(payload)) = (e.topic.as_ref().and_then(|t| Topic::of(t.as_str())), e.payload) else { return Ok(None) };
    let snapshot = match e.kind.as_ref().map(Text::as_str) {
        Some("update") => false,
        Some("subscribe") => true,
        _ => return Ok(None),
    };
    let p: Payload<'_> = json("a price payload", payload.get())?;
    if let (Some(window), Some(said)) = (topic.window(), p.window_s)
        && window != said
    {
        return Err(DecodeError::new("window_s is not the topic's"));
    }
    let points = match (snapshot, p.data) {
        // Histories carry the float value only.
        (true, Some(data)) => data
            .into_iter()
            .map(|d| point(if d.full_accuracy_value.is_none() { Topic::Exchange } else { topic }, d))
            .collect::<Result<_, _>>()?,
        (true, None) => return Err(missing("data")),
        (false, _) => {
            let alone = Entry { timestamp: p.timestamp, value: p.value, full_accuracy_value: p.full_accuracy_value };
            vec![point(topic, alone)?]
        }
    };
    Ok(Some(RtdsPrice {
        topic,
        snapshot,
        at: e.timestamp.as_ref().and_then(Num::whole).and_then(instant_ms),
        symbol: p.symbol.ok_or_else(|| missing("symbol"))?.as_str().to_lowercase(),
        window_seconds: topic.window(),
        points,
        received_at: p.received_at.and_then(instant_ms),
        is_carried_forward: p.is_carried_forward,
    }))
}

/// Subscription frame for topics and symbols. The filter text has no blank: one blank silences it for good.
#[must_use]
pub fn subscription(wanted: &[(Topic, &str)]) -> String {
    let mut out = String::from("{\"action\":\"subscribe\",\"subscriptions\":[");
    for (i, (topic, symbol)) in wanted.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let name = topic.as_str();
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{comma}{{\"topic\":\"{name}\",\"type\":\"update\",\"filters\":\"{{\\\"symbol\\\":\\\"{symbol}\\\"}}\"}}"
        );
    }
    out.push_str("]}");
    out
}

/// Feed protocol of the legacy price socket.
#[derive(Debug)]
pub struct RtdsProtocol {
    catalog: Catalog,
    wanted: Vec<(Topic, String)>,
    said: Said,
}

impl RtdsProtocol {
    /// A protocol that maps symbols to the sources of `catalog` and subscribes to `wanted`.
    #[must_use]
    pub fn new(catalog: Catalog, wanted: Vec<(Topic, String)>) -> Self {
        Self { catalog, wanted, said: Said::default() }
    }

    /// The source that a message is about. The *symbol's form* decides, not the topic: oracle histories are labelled with the exchange's
    /// topic.
    fn source(&self, price: &RtdsPrice) -> Option<pm_core::ids::SourceId> {
        if price.topic == Topic::Equity {
            return None;
        }
        match price.symbol.split_once('/') {
            Some((base, "usd")) => self.catalog.source(&format!("chainlink:{base}/usd")),
            Some(_) => None,
            None => self.catalog.source(&format!("binance:{}", price.symbol.to_uppercase())),
        }
    }
}

impl FeedProtocol for RtdsProtocol {
    fn decode(&mut self, _: Stamp, frame: &[u8], _: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, DecodeError> {
        let text = utf8(frame)?;
        match text.trim() {
            // The server keeps the connection alive with empty frames.
            "" | "\"\"" | "PONG" | "PING" | "pong" | "ping" => return Ok(FrameKind::Control),
            t if !t.starts_with('{') => return Ok(FrameKind::Unknown),
            _ => {}
        }
        let Some(price) = parse(text)? else { return Ok(FrameKind::Unknown) };
        let Some(source) = self.source(&price) else { return Ok(FrameKind::Foreign) };
        self.said.emit(source, oracle::kind(price.window_seconds), price.snapshot, &price.points, out)?;
        Ok(FrameKind::Data)
    }

    fn reset(&mut self, _: &mut dyn EventSink) {}

    fn subscribe(&self) -> Vec<String> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let wanted: Vec<(Topic, &str)> = self.wanted.iter().map(|(t, s)| (*t, s.as_str())).collect();
        vec![subscription(&wanted)]
    }
}
