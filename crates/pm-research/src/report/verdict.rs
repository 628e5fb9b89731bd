//! The decision matrix. Rules, in this order; the first that applies is the verdict:
//!
//! | verdict | when |
//! |---|---|
//! | `bankroll_too_small` | the start statement said so, and nothing was opened or closed |
//! | `insufficient_trades` | fewer than 100 closed trades |
//! | `back_to_research` | ROI below 0 (also when there was no capital to earn on) |
//! | `refine` | ROI from 0 to below 5 % |
//! | `scale` | ROI from 5 % to below 25 % |
//! | `ready_for_live` | ROI of 25 % and more |
//!
//! The reason says what stood in the way, again the first that applies:
//!
//! | reason | when |
//! |---|---|
//! | `limits` | the bankroll is too small |
//! | `kill_switch` | it is tripped at the end, or it refused the most episodes |
//! | `no_data` | no event came in |
//! | `not_priced` | not one market had a fair value |
//! | `limits`, `data` | under 100 trades: that group of refusals is the largest (see [`Group`]) |
//! | `no_edge` | nothing was opened (aborted entries open nothing), and no candidate survived costs, or there was no candidate at all |
//! | `short_run` | under 100 trades, and nothing else stood in the way |
//! | `none` | 100 trades and more: the ROI alone decides |

use std::collections::BTreeMap;

use pm_core::units::Usd;
use serde::{Deserialize, Serialize};

use super::inputs::RunInputs;
use crate::statistics::quotient;

/// Closed trades from which on the ROI decides.
pub const MIN_TRADES: u32 = 100;
const SCALE_FROM_PERCENT: i128 = 5;
const LIVE_FROM_PERCENT: i128 = 25;

/// Row of the decision matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The venue's smallest order does not fit this bankroll.
    BankrollTooSmall,
    /// Fewer than [`MIN_TRADES`] closed trades.
    InsufficientTrades,
    /// ROI below zero.
    BackToResearch,
    /// ROI below 5 %.
    Refine,
    /// ROI below 25 %.
    Scale,
    /// ROI of 25 % and more.
    ReadyForLive,
}

impl Verdict {
    /// All rows, in the order in which they are checked.
    pub const ALL: [Self; 6] =
        [Self::BankrollTooSmall, Self::InsufficientTrades, Self::BackToResearch, Self::Refine, Self::Scale, Self::ReadyForLive];

    /// Name in the JSON document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BankrollTooSmall => "bankroll_too_small",
            Self::InsufficientTrades => "insufficient_trades",
            Self::BackToResearch => "back_to_research",
            Self::Refine => "refine",
            Self::Scale => "scale",
            Self::ReadyForLive => "ready_for_live",
        }
    }
    /// When the row applies, for people.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::BankrollTooSmall => "the smallest order does not fit",
            Self::InsufficientTrades => "under 100 closed trades",
            Self::BackToResearch => "ROI < 0 %",
            Self::Refine => "0 % <= ROI < 5 %",
            Self::Scale => "5 % <= ROI < 25 %",
            Self::ReadyForLive => "ROI >= 25 %",
        }
    }
}

/// What stood in the way of a better verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The ROI alone decides.
    None,
    /// The kill switch.
    KillSwitch,
    /// Nothing came in.
    NoData,
    /// No market had a fair value.
    NotPriced,
    /// Most episodes failed at limits or minimums.
    Limits,
    /// Most episodes failed for missing or stale data.
    Data,
    /// No candidate survived costs.
    NoEdge,
    /// Fewer trades than the matrix asks for, and nothing else.
    ShortRun,
}

impl Reason {
    /// Name in the JSON document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::KillSwitch => "kill_switch",
            Self::NoData => "no_data",
            Self::NotPriced => "not_priced",
            Self::Limits => "limits",
            Self::Data => "data",
            Self::NoEdge => "no_edge",
            Self::ShortRun => "short_run",
        }
    }
    /// For people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::None => "the ROI alone decides",
            Self::KillSwitch => "the kill switch stopped new risk",
            Self::NoData => "no event came in",
            Self::NotPriced => "not one market had a fair value",
            Self::Limits => "limits or minimums stood in the way of most opportunities",
            Self::Data => "missing or stale data stood in the way of most opportunities",
            Self::NoEdge => "no candidate survived its costs",
            Self::ShortRun => "the run was too short for a verdict",
        }
    }
}

/// Return on capital as two exact amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roi {
    /// Realised and unrealised result.
    pub result: Usd,
    /// Capital that was put in.
    pub capital: Usd,
}

impl Roi {
    /// As a fraction; `None` without capital.
    #[must_use]
    pub fn figure(self) -> Option<f64> {
        quotient(self.result, self.capital).filter(|_| self.capital.is_positive())
    }

    /// True when the result is at least so many percent of the capital; exact.
    const fn at_least(self, percent: i128) -> bool {
        widen(self.result) * 100 >= widen(self.capital) * percent
    }

    /// The row that the ROI alone gives. Boundaries belong to the better row.
    #[must_use]
    pub const fn row(self) -> Verdict {
        if !self.capital.is_positive() || !self.at_least(0) {
            Verdict::BackToResearch
        } else if !self.at_least(SCALE_FROM_PERCENT) {
            Verdict::Refine
        } else if !self.at_least(LIVE_FROM_PERCENT) {
            Verdict::Scale
        } else {
            Verdict::ReadyForLive
        }
    }
}

const fn widen(v: Usd) -> i128 {
    #[allow(clippy::cast_lossless, reason = "From is not const; i64 to i128 is exact")]
    {
        v.raw() as i128
    }
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Size limits and the venue's minimums.
    Limits,
    /// The kill switch.
    KillSwitch,
    /// Feeds, books, rules, estimates.
    Data,
    /// The edge after costs.
    Edge,
    /// Timing, repetition, the venue's mode: nothing that a run would be judged by.
    Other,
}

impl Group {
    /// Group of a refusal by its code.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code {
            "over_budget" | "below_min_qty" | "below_min_notional" | "too_many_open" => Self::Limits,
            "kill_switch" => Self::KillSwitch,
            "no_edge" | "below_min_edge" | "kelly_zero" => Self::Edge,
            "rule_not_understood"
            | "strike_not_fixed"
            | "no_underlying"
            | "settlement_feed_missing"
            | "reference_stale"
            | "hedge_price_stale"
            | "book_not_synced"
            | "book_stale"
            | "warming_up"
            | "sizes_unknown"
            | "clock_uncertain" => Self::Data,
            _ => Self::Other,
        }
    }
    /// Name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::KillSwitch => "kill switch",
            Self::Data => "data",
            Self::Edge => "edge",
            Self::Other => "other",
        }
    }
}

/// Verdict and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Row of the decision matrix.
    pub verdict: Verdict,
    /// What stood in the way.
    pub reason: Reason,
}

/// Judges a run by the rules of this module.
#[must_use]
pub fn call(inputs: &RunInputs<'_>) -> Call {
    let stats = inputs.stats;
    let trades = stats.total.trades;
    // Aborted entries opened nothing; anything else that was taken proves that the bankroll could trade.
    let opened = stats.taken > stats.aborted || inputs.open_positions > 0 || trades > 0;
    let verdict = if inputs.bankroll_too_small && !opened {
        Verdict::BankrollTooSmall
    } else if trades < MIN_TRADES {
        Verdict::InsufficientTrades
    } else {
        inputs.money.roi().row()
    };
    Call { verdict, reason: reason(inputs, verdict) }
}

fn reason(inputs: &RunInputs<'_>, verdict: Verdict) -> Reason {
    let stats = inputs.stats;
    if verdict == Verdict::BankrollTooSmall {
        return Reason::Limits;
    }
    let largest = largest_group(&stats.refused);
    if inputs.kill.is_tripped() || largest == Some(Group::KillSwitch) {
        return Reason::KillSwitch;
    }
    if verdict != Verdict::InsufficientTrades {
        return Reason::None;
    }
    if stats.events == 0 {
        return Reason::NoData;
    }
    if stats.priced == 0 {
        return Reason::NotPriced;
    }
    match largest {
        Some(Group::Limits) => Reason::Limits,
        Some(Group::Data) => Reason::Data,
        // Entries that found nothing were taken and opened nothing.
        Some(Group::Edge) if stats.taken <= stats.aborted => Reason::NoEdge,
        None if stats.taken <= stats.aborted && stats.refused.is_empty() => Reason::NoEdge,
        _ => Reason::ShortRun,
    }
}

/// The group with the most refused episodes; groups that nothing is judged by are left out. Of equal ones the first in order.
fn largest_group(refused: &BTreeMap<&'static str, u64>) -> Option<Group> {
    let mut sums: BTreeMap<Group, u64> = BTreeMap::new();
    for (code, n) in refused {
        let group = Group::of(code);
        if group != Group::Other {
            *sums.entry(group).or_default() += n;
        }
    }
    sums.into_iter().rev().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0).map(|(g, _)| g)
}
