//! The kinds of derived records, as they are written and read. Unknown fields are refused.

mod books;
mod listing;
mod ticks;

use serde::{Deserialize, Serialize};

pub use books::{BookRecord, LevelRecord, PairRecord, TopRecord, View, ViewRecord};
pub use listing::{DeclaredRule, InstrumentRecord, MarketRecord, RuleRecord};
pub use ticks::{CandleRecord, LatencyRecord, MidRecord, PrintRecord, ReferenceRecord, ResolvedRecord, TickerRecord};

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

/// Names of all kinds, as written.
pub const KINDS: [&str; 12] = [
    "market",
    "instrument",
    "book",
    "book_pair",
    "top",
    "print",
    "mid",
    "reference",
    "candle",
    "resolved",
    "ticker",
    "latency_table",
];

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

/// Default of flags that are seldom false.
const fn yes() -> bool {
    true
}
