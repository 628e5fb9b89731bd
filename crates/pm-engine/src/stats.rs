//! Counts of a run as the engine saw them: integers only; ratios and Sharpe are somebody else's.

use std::collections::BTreeMap;

use pm_core::opportunity::{EvidenceClass, StrategyKind};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Usd};
use serde::Serialize;

/// Result of closed structures of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Closed structures.
    pub trades: u32,
    /// Closed with profit after all costs.
    pub wins: u32,
    /// Closed with loss or at exactly zero.
    pub losses: u32,
    /// Structures that carried a hedge.
    pub hedged: u32,
    /// PnL after all costs.
    pub net: Usd,
}

/// Counts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Stats {
    /// Events stepped.
    pub events: u64,
    /// Times the clock went back (the step then used the latest time seen).
    pub clock_back: u64,
    /// Opportunity episodes opened.
    pub opportunities: u64,
    /// Episodes that opened a structure.
    pub taken: u64,
    /// Episodes closed without being taken, by the code of their last refusal.
    pub refused: BTreeMap<&'static str, u64>,
    /// Closed structures in all.
    pub total: Tally,
    /// By strategy.
    pub by_strategy: BTreeMap<StrategyKind, Tally>,
    /// By class of evidence.
    pub by_class: BTreeMap<EvidenceClass, Tally>,
    /// Structures whose entry found nothing.
    pub aborted: u64,
    /// Sum of fair values at the decision over closed structures (expected wins).
    pub expected_wins: Px,
    /// Sum of durations of closed structures.
    pub held: Dur,
    /// Sum of net edges expected at the decision.
    pub expected_edge: Usd,
    /// Sum of notionals of closed structures.
    pub notional: Usd,
    /// Fills that failed to settle.
    pub failed_fills: u64,
    /// Orders sent.
    pub orders: u64,
    /// Markets resolved.
    pub resolved: u64,
    /// Markets priced at least once.
    pub priced: u64,
    /// Candidates evaluated (every evaluation, not episodes).
    pub evaluated: u64,
    /// Kill-switch trips.
    pub trips: u64,
    /// Automatic resets at 00:00 UTC.
    pub auto_resets: u64,
    /// First event's time.
    pub started: Ts,
    /// Equity samples at whole hours: (hour since the epoch, equity, capital moved in since the start).
    pub hourly: Vec<(i64, Usd, Usd)>,
}
