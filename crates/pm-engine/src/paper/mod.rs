//! The paper venue: an [`Exchange`](pm_core::traits::Exchange) that fills against the real book in virtual time and does not flatter
//! (design.md section 8).
//!
//! - An order meets the book at its *arrival* (decision plus sampled latency) *plus the taker hold*, whatever the book is by then.
//! - On sampled data a level counts for the smaller of the last snapshot before and the first after.
//! - Unknown size is no fill. Liquidity is consumed once, until the venue shows new size; both views of a binary market draw on one book.
//! - A resting order fills only on prints or books through it, behind the queue displayed when it arrived.
//! - Ticks, lots, minimums, balances, margin, fees and funding are the venue's; matched trades may fail to settle at a settable rate.
//!
//! It checks with its own code and its own accounts: nothing of the engine's state is trusted but the market it can see.

mod account;
mod latency;
mod liquidity;
mod resting;
mod rules;
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
