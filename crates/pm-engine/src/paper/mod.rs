//! The paper venue: an [`Exchange`](pm_core::traits::Exchange) that fills against the real book in virtual time and does not flatter
//! (design.md section 8).
//!
//! - An order meets the book at its *arrival* (decision plus sampled latency) *plus the taker hold*, whatever the book is by then.
//! - On sampled data a level counts for the smaller of the last snapshot before and the first after.
//! - Unknown size is no fill. Liquidity is consumed once, until the venue shows new size; both views of a binary market draw on one book.
//! - A resting order fills only on prints or books through it, behind the queue displayed when it arrived.
//! - Ticks, lots, minimums, balances, margin, fees and funding are the venue's; matched trades may fail to settle at a settable rate.
//!
//! # The delay of the feed
//!
//! A frame shows the venue as it was a feed delay ago. An order that reaches the venue at T, judged by the frames received until T,
//! would meet a book older than T, now and then one older than its own decision, and be filled by makers who are gone. So what the venue
//! does at T is judged when the frames that describe T can have been received:
//!
//! | what | when |
//! |---|---|
//! | delay of a book | receive time less venue time of its last change, 0 to 2 s; 0 for sampled books |
//! | rules, minimums, balance of an order that reaches the venue at T | at T |
//! | does it take (post-only, minimum value, hold), what does it take | at T + delay; if the delay has grown by then, at T + that |
//! | the match after a hold | at T + hold + delay, checked by the rules of T + hold |
//! | the end of a resting order at T (a cancel reaches the venue, or its date comes) | at T + delay; trades of before T still fill it, those of T and later do not |
//! | what updates and fills say | T |
//! | when they arrive here | at T + latency of the way back, not before the judgement |
//!
//! What reached the venue on one book is judged in the order in which it reached it, whatever the delays: an order that was matched at T is
//! not undone by a cancel that came later, though both are judged after that. Books do not hold up each other: with cash for one of two
//! orders on different books, which of them is refused follows the order of judgement; never is more spent than there is.
//!
//! A sampled book has no delay to go by: an order at T waits for the first snapshot of a venue time from T on. Snapshots of before T that
//! come later are the newer "before".
//!
//! # What is not modelled
//!
//! - **Maintenance margin and liquidation at the hedge venue.** Orders need initial margin; a position that loses more than the account holds
//!   is kept and the cash goes negative. Nobody liquidates it, no insurance fund or deleveraging takes part, no interest is charged.
//! - **Market impact beyond consumed liquidity.** Nobody reacts to our orders: no quote is pulled, no price moves, no level stays away longer
//!   because of them. Our resting orders are not in the book that others see.
//! - Delivery of dated futures and options: a position in one stays until it is closed.
//! - Resting orders on sampled books: what is not taken is cancelled. Margin for resting orders on instruments (ours never rest there).
//! - Jitter of the feed beyond the last delay seen, changes that the venue merges into one frame, and a venue clock ahead of ours, which
//!   hides the delay. A clock behind ours makes the delay longer than it is, up to its bound.
//! - Rate limits, outages and rejects of an overloaded venue.
//!
//! It checks with its own code and its own accounts: nothing of the engine's state is trusted but the market it can see.

mod account;
mod delay;
mod latency;
mod liquidity;
mod matching;
mod resting;
mod rules;
mod settlement;
#[cfg(test)]
mod tests;
mod venue;

use pm_core::ids::{CurrencyId, VenueId};
use pm_core::units::{Ratio, Usd};
use serde::{Deserialize, Serialize};

pub use latency::Latency;
pub use venue::PaperVenue;

/// Settings of one paper venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperConfig {
    /// Venue it stands for.
    pub venue: VenueId,
    /// Currency of its cash.
    pub currency: CurrencyId,
    /// Starting cash.
    pub capital: Usd,
    /// Seed of sampled latency and settlement failures.
    pub seed: u64,
    /// Settings that may be configured.
    pub settings: PaperSettings,
}

/// Settings that may be configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaperSettings {
    /// One-way order latency quantiles (ms, ascending, equal steps of probability) until a measured table arrives.
    pub latency_ms: Vec<u32>,
    /// Share of matched trades that fail to settle.
    pub failure_rate: Ratio,
    /// Matched to mined (ms).
    pub mined_after_ms: u32,
    /// Matched to confirmed or failed (ms).
    pub confirmed_after_ms: u32,
}

impl Default for PaperSettings {
    fn default() -> Self {
        Self {
            latency_ms: vec![15, 25, 40, 70, 250],
            failure_rate: Ratio::ZERO,
            mined_after_ms: 2_500,
            confirmed_after_ms: 6_000,
        }
    }
}
