//! The kinds of derived records, as they are written and read. Unknown fields are refused.

use pm_core::event::{Endpoint, Ticker};
use pm_core::fees::FeeSchedule;
use pm_core::instrument::InstrumentKind;
use pm_core::market::{Method, Outcome, Payoff, Tie};
use pm_core::order::Side;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use serde::{Deserialize, Serialize};

/// One derived record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivedRecord {
    /// A binary market appeared.
    Market(Box<MarketRecord>),
    /// A hedge instrument appeared.
    Instrument(Box<InstrumentRecord>),
    /// A full book of a market's outcome or of an instrument.
    Book(BookRecord),
    /// Both outcomes' books of a market, read at (nearly) one moment.
    BookPair(PairRecord),
    /// Best bid and ask only.
    Top(TopRecord),
    /// A trade between others.
    Print(PrintRecord),
    /// A price that nobody could trade at (a mid, an indication). Kept for research; it makes no event.
    Mid(MidRecord),
    /// A value of a settlement source.
    Reference(ReferenceRecord),
    /// A candle of a settlement source.
    Candle(CandleRecord),
    /// The result of a market.
    Resolved(ResolvedRecord),
    /// Ticker of an instrument.
    Ticker(Box<TickerRecord>),
    /// Measured order latency of a venue.
    LatencyTable(LatencyRecord),
}

impl DerivedRecord {
    /// Name of the kind, as written.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Market(_) => "market",
            Self::Instrument(_) => "instrument",
            Self::Book(_) => "book",
            Self::BookPair(_) => "book_pair",
            Self::Top(_) => "top",
            Self::Print(_) => "print",
            Self::Mid(_) => "mid",
            Self::Reference(_) => "reference",
            Self::Candle(_) => "candle",
            Self::Resolved(_) => "resolved",
            Self::Ticker(_) => "ticker",
            Self::LatencyTable(_) => "latency_table",
        }
    }
}

/// Which outcome a price is of. Absent means the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Up / Yes.
    #[default]
    First,
    /// Down / No.
    Second,
}

impl From<View> for Outcome {
    fn from(v: View) -> Self {
        match v {
            View::First => Self::First,
            View::Second => Self::Second,
        }
    }
}

/// How a market settles, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleRecord {
    /// Declared by a mapping: tradable in replay only.
    Declared(DeclaredRule),
    /// Not known; the text says why.
    NotUnderstood(String),
}

/// A declared rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredRule {
    /// Source that decides, by catalog name.
    pub source: String,
    /// How its value is formed.
    pub method: Method,
    /// When the first outcome pays.
    pub payoff: Payoff,
    /// What equality pays.
    pub tie: Tie,
    /// Instant that decides.
    pub final_at: Ts,
}

fn yes() -> bool {
    true
}
fn first() -> String {
    "v1".to_owned()
}

/// A binary market: all of `pm_core::market::Market` by names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketRecord {
    /// Venue.
    pub venue: String,
    /// Venue's own id.
    pub native: String,
    /// Short name.
    pub slug: String,
    /// Question or title.
    pub question: String,
    /// Ids of the two outcomes.
    pub tokens: [String; 2],
    /// Labels of the two outcomes.
    pub labels: [String; 2],
    /// Family label.
    pub family: String,
    /// What it is about; one that is not in the catalog makes a market without underlying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlying: Option<String>,
    /// How it settles.
    pub rule: RuleRecord,
    /// Collateral; the venue's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Price grid.
    pub tick: Px,
    /// Smallest order in shares.
    pub min_qty: Qty,
    /// Smallest marketable buy.
    #[serde(default)]
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Hold of marketable orders, in nanoseconds.
    #[serde(default)]
    pub taker_hold: Dur,
    /// When trading begins.
    pub opens_at: Ts,
    /// When trading ends.
    pub closes_at: Ts,
    /// Orders are taken.
    #[serde(default = "yes")]
    pub accepting: bool,
    /// Member of a set of exclusive markets.
    #[serde(default)]
    pub neg_risk: bool,
    /// Protocol version of the market.
    #[serde(default = "first")]
    pub version: String,
    /// Event key.
    #[serde(default)]
    pub group: String,
}

/// A hedge instrument: all of `pm_core::instrument::Instrument` by names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentRecord {
    /// Venue.
    pub venue: String,
    /// Registry key: category and symbol, e.g. `linear:BTCUSDT`.
    pub key: String,
    /// Bare symbol.
    pub symbol: String,
    /// Kind with its terms.
    pub kind: InstrumentKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlying: Option<String>,
    /// Price grid.
    pub tick: Px,
    /// Quantity grid.
    pub lot: Qty,
    /// Smallest order.
    pub min_qty: Qty,
    /// Smallest order value.
    #[serde(default)]
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Initial margin rate.
    pub initial_margin: Ratio,
    /// Orders are taken.
    #[serde(default = "yes")]
    pub trading: bool,
}

/// A level: price and size; a size of `null` is not known.
pub type LevelRecord = (Px, Option<Qty>);

/// A full book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookRecord {
    /// Venue.
    pub venue: String,
    /// Market, or ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// ... instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Outcome whose prices these are.
    #[serde(default)]
    pub outcome: View,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Bids in any order.
    pub bids: Vec<LevelRecord>,
    /// Asks in any order.
    pub asks: Vec<LevelRecord>,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
}

/// One outcome's side of a [`PairRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewRecord {
    /// Bids in any order, in prices of this outcome.
    #[serde(default)]
    pub bids: Vec<LevelRecord>,
    /// Asks in any order.
    #[serde(default)]
    pub asks: Vec<LevelRecord>,
}

/// Both views of a market's book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRecord {
    /// Venue.
    pub venue: String,
    /// Market.
    pub market: String,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Book of the first outcome.
    pub up: ViewRecord,
    /// Book of the second outcome.
    pub down: ViewRecord,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
}

/// Best bid and ask of one outcome or of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopRecord {
    /// Venue.
    pub venue: String,
    /// Market, or ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// ... instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Outcome whose prices these are.
    #[serde(default)]
    pub outcome: View,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Best bid; absent = the side is empty.
    #[serde(default)]
    pub bid: Option<Px>,
    /// Its size; absent = not known.
    #[serde(default)]
    pub bid_size: Option<Qty>,
    /// Best ask.
    #[serde(default)]
    pub ask: Option<Px>,
    /// Its size.
    #[serde(default)]
    pub ask_size: Option<Qty>,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
}

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
    /// Side of the taker.
    pub taker: Side,
}

/// An indicative price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MidRecord {
    /// Venue.
    pub venue: String,
    /// Market.
    pub market: String,
    /// Outcome.
    #[serde(default)]
    pub outcome: View,
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
    pub(super) fn values(&self) -> Ticker {
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
