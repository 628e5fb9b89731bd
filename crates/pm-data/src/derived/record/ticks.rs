//! Trades, prices, references, results, tickers, latencies.

use pm_core::event::{Endpoint, Ticker};
use pm_core::order::Side;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio};
use serde::{Deserialize, Serialize};

use super::{View, yes};

/// A trade between others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintRecord {
    /// Venue.
    pub venue: String,
    /// Market, or ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// ... instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Outcome that was traded.
    #[serde(default)]
    pub outcome: View,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Price.
    pub px: Px,
    /// Quantity; absent = not known.
    #[serde(default)]
    pub qty: Option<Qty>,
    /// Side of the taker, in terms of the outcome; absent = not recorded: then nothing follows from the trade but its count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker: Option<Side>,
}

/// An indicative price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MidRecord {
    /// Venue.
    pub venue: String,
    /// Market.
    pub market: String,
    /// Outcome; absent = not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<View>,
    /// Time of the price; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Price.
    pub px: Px,
}

/// A value of a settlement source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRecord {
    /// Source by catalog name.
    pub source: String,
    /// Averaging window in nanoseconds; absent = value at the instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twap: Option<Dur>,
    /// Value.
    pub px: Px,
    /// Source's own time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
}

/// A candle of a settlement source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandleRecord {
    /// Source by catalog name.
    pub source: String,
    /// Begin.
    pub open_at: Ts,
    /// Length in nanoseconds.
    pub interval: Dur,
    /// Open.
    pub open: Px,
    /// High.
    pub high: Px,
    /// Low.
    pub low: Px,
    /// Close.
    pub close: Px,
    /// Final.
    #[serde(default = "yes")]
    pub closed: bool,
}

/// The result of a market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedRecord {
    /// Venue.
    pub venue: String,
    /// Market.
    pub market: String,
    /// What a share of the first outcome pays: 0, 0.5 or 1.
    pub first_pays: Ratio,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
}

/// Ticker of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TickerRecord {
    /// Venue.
    pub venue: String,
    /// Instrument by registry key.
    pub instrument: String,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Last trade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Px>,
    /// Mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Px>,
    /// Index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Px>,
    /// Best bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Px>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_size: Option<Qty>,
    /// Best ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Px>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_size: Option<Qty>,
    /// Funding rate of the running interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding_rate: Option<Ratio>,
}

impl TickerRecord {
    pub(crate) fn values(&self) -> Ticker {
        Ticker {
            last: self.last,
            mark: self.mark,
            index: self.index,
            bid: self.bid,
            bid_qty: self.bid_size,
            ask: self.ask,
            ask_qty: self.ask_size,
            funding_rate: self.funding_rate,
            ..Ticker::default()
        }
    }
}

/// Quantiles of measured one-way order latency, in equal steps from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyRecord {
    /// Venue.
    pub venue: String,
    /// Endpoint group.
    pub endpoint: Endpoint,
    /// Milliseconds, ascending.
    pub quantiles_ms: Vec<u32>,
}
