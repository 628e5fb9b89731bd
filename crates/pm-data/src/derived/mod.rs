//! Normalised records: what an importer writes where a data set has no raw frames. One JSON object per frame on the feed `derived`, with one
//! key that names the kind: `{"top":{"venue":"...","market":"...",...}}`. Prices, sizes and money are decimal texts, times are integers in
//! nanoseconds since the epoch, spans are integers in nanoseconds. Venues, currencies, underlyings and sources go by their catalog names.
//!
//! We write these records ourselves, so reading is strict: an unknown kind or field is an error with its place.

mod check;
mod pairing;
mod protocol;
mod record;
mod views;

pub use protocol::{DerivedProtocol, SetupError, VIEW_DISAGREEMENTS, VIEW_PAIRS};
pub use record::{
    BookRecord, CandleRecord, DeclaredRule, DerivedRecord, InstrumentRecord, KINDS, LatencyRecord, LevelRecord, MarketRecord,
    MidRecord, PairRecord, PrintRecord, ReferenceRecord, ResolvedRecord, RuleRecord, TickerRecord, TopRecord, View, ViewRecord,
};

/// Name of the feed that derived records are written to.
pub const FEED: &str = "derived";
