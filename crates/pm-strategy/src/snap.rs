//! What strategies look at: borrowed views, made by the engine for the length of one call.

use pm_core::book::Book;
use pm_core::ids::MarketIdx;
use pm_core::instrument::Instrument;
use pm_core::market::Market;
use pm_core::refusal::Refusal;
use pm_core::time::Ts;
use pm_core::units::{Px, Ratio, Usd};

use crate::fair::Fair;

/// A market, its book, and its fair value now.
#[derive(Debug, Clone, Copy)]
pub struct Snap<'a> {
    /// Market.
    pub market: &'a Market,
    /// Canonical book.
    pub book: &'a Book,
    /// Fair value of `First`, or why there is none.
    pub fair: Result<Fair, Refusal>,
}

/// Touch of the hedge venue's perpetual.
#[derive(Debug, Clone, Copy)]
pub struct HedgeQuote<'a> {
    /// Instrument.
    pub instrument: &'a Instrument,
    /// Best bid.
    pub bid: Px,
    /// Best ask.
    pub ask: Px,
    /// Funding rate of the running interval, signed (positive: longs pay).
    pub funding_rate: Ratio,
    /// Next funding settlement; `None` when unknown.
    pub next_funding: Option<Ts>,
    /// What the account can still bind there; [`Usd::MAX`] when unknown. Margin and fee of an opening hedge must fit.
    pub free_margin: Usd,
}

/// How sizing reaches the books of a candidate's legs. Any closure fits:
/// `&|idx| slots.get(idx.slot()).map(|s| (&s.market, &s.book))`.
pub type BookLookup<'a> = dyn Fn(MarketIdx) -> Option<(&'a Market, &'a Book)> + 'a;
