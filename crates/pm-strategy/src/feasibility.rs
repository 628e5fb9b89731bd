//! What a bankroll can trade at all, said before a run: the venue's smallest order against the share of bankroll and the loss limits, for
//! every price of the grid, exactly as sizing and gates will measure it.

use core::fmt;

use pm_core::budget::LossBasis;
use pm_core::fees::{FeeSchedule, Liquidity};
use pm_core::num::{Round, SCALE, mul_div};
use pm_core::refusal::Clip;
use pm_core::units::{Px, Qty, Ratio, Usd};
use serde::{Deserialize, Serialize};

use crate::size::SHARE_GRID;

/// Limits and the venue's minimums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeasibilityInput {
    /// Bankroll.
    pub bankroll: Usd,
    /// Part of it that lies on the prediction venue: one less the hedge venue's. Orders are paid from it alone, funds are not moved.
    pub prediction_share: Ratio,
    /// What the loss limits measure.
    pub basis: LossBasis,
    /// Largest notional of one structure, as a fraction of bankroll (0.25).
    pub bankroll_share: Ratio,
    /// Largest loss of one structure, as a fraction of bankroll (0.05).
    pub structure_loss: Ratio,
    /// Largest loss of a day, as a fraction of bankroll (0.02).
    pub day_loss: Ratio,
    /// Part of a loss limit that one entry may use: 1 under `worst_case`, 0.5 under `marked` (design.md section 7).
    pub limit_use: Ratio,
    /// Venue's smallest order, shares.
    pub min_qty: Qty,
    /// Venue's smallest marketable buy, collateral.
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Price grid.
    pub tick: Px,
    /// Half of the usual spread: what the mid shows as lost right after entry.
    pub half_spread: Px,
}

/// A run of prices that share one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    /// Lowest price.
    pub from: Px,
    /// Highest price.
    pub to: Px,
    /// The limit in the way; [`Clip::None`] when the range can be traded.
    pub clip: Clip,
    /// What the smallest order uses of it, at the cheapest price of the range.
    pub needs: Usd,
    /// What the bankroll allows.
    pub has: Usd,
}

impl fmt::Display for PriceRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.from)?;
        } else {
            write!(f, "{} to {}", self.from, self.to)?;
        }
        if self.clip == Clip::None {
            return Ok(());
        }
        write!(f, ": {} (the smallest order needs {} or more, the limit is {})", self.clip, self.needs, self.has)
    }
}

/// What a bankroll can and cannot trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feasibility {
    /// Prices of an outcome at which the smallest order fits every limit.
    pub can_trade: Vec<PriceRange>,
    /// Prices at which it does not, with the limit in the way.
    pub cannot: Vec<PriceRange>,
    /// Smallest bankroll that could trade at one price at least, rounded up to a cent.
    pub smallest_bankroll: Usd,
}

impl Feasibility {
    /// True when nothing at all can be traded.
    #[must_use]
    pub fn bankroll_too_small(&self) -> bool {
        self.can_trade.is_empty()
    }
}

impl fmt::Display for Feasibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.can_trade.is_empty() {
            writeln!(f, "can trade: nothing (outright; the smallest bankroll that could trade is {})", self.smallest_bankroll)?;
        }
        for range in &self.can_trade {
            writeln!(f, "can trade: outcomes priced {range}")?;
        }
        for range in &self.cannot {
            writeln!(f, "cannot trade: {range}")?;
        }
        Ok(())
    }
}

/// One limit against one need.
#[derive(Clone, Copy)]
struct Check {
    clip: Clip,
    needs: Usd,
    /// Fraction of bankroll that may be used.
    share: Ratio,
}

/// What the smallest outright order at a price needs of each limit, in the order in which the budget checks them.
fn checks(input: &FeasibilityInput, px: Px) -> [Check; 4] {
    let qty = input.min_qty.max(input.min_notional.div_px(px, Round::Up)).ceil_to(SHARE_GRID);
    let notional = qty.at(px, Round::Up);
    let fee = input.fees.fee(Liquidity::Taker, px, qty, None);
    let loss = match input.basis {
        LossBasis::WorstCase => notional + fee,
        LossBasis::Marked => fee + qty.at(input.half_spread, Round::Up),
    };
    let used = |limit: Ratio| Ratio::from_raw(mul_div(limit.raw(), input.limit_use.raw(), SCALE, Round::Down).unwrap_or(0));
    [
        Check { clip: Clip::BankrollShare, needs: notional, share: input.bankroll_share },
        Check { clip: Clip::Cash, needs: notional + fee, share: input.prediction_share },
        Check { clip: Clip::StructureLoss, needs: loss, share: used(input.structure_loss) },
        Check { clip: Clip::DayLoss, needs: loss, share: used(input.day_loss) },
    ]
}

/// The bankroll at which a need fits its limit, rounded up.
fn bankroll_for(check: &Check) -> Usd {
    if !check.needs.is_positive() {
        return Usd::ZERO;
    }
    mul_div(check.needs.raw(), SCALE, check.share.raw(), Round::Up).map_or(Usd::MAX, Usd::from_raw)
}

/// Says what a bankroll can and cannot trade: outright buys of one outcome, over the whole price grid. Sets and hedged structures need at
/// least as much of every limit but the loss limits; under `worst_case` a set's guaranteed payoff frees those.
#[must_use]
pub fn feasibility(input: &FeasibilityInput) -> Feasibility {
    let mut result = Feasibility { can_trade: Vec::new(), cannot: Vec::new(), smallest_bankroll: Usd::MAX };
    if !input.tick.is_positive() {
        return result;
    }
    let mut px = input.tick;
    while px < Px::ONE {
        let all = checks(input, px);
        let needed = all.iter().map(bankroll_for).max().unwrap_or(Usd::MAX);
        result.smallest_bankroll = result.smallest_bankroll.min(needed);
        let limit = |c: &Check| input.bankroll.scale_by(c.share, Round::Down);
        let failed = all.iter().filter(|c| c.needs > limit(c)).max_by_key(|c| bankroll_for(c));
        match failed {
            None => extend(&mut result.can_trade, input.tick, px, Clip::None, Usd::ZERO, Usd::ZERO),
            Some(c) => extend(&mut result.cannot, input.tick, px, c.clip, c.needs, limit(c)),
        }
        px += input.tick;
    }
    result.smallest_bankroll = result.smallest_bankroll.ceil_to(Usd::from_raw(SCALE / 100));
    result
}

/// Extends the last range when it is adjacent and says the same.
fn extend(ranges: &mut Vec<PriceRange>, tick: Px, px: Px, clip: Clip, needs: Usd, has: Usd) {
    match ranges.last_mut() {
        Some(last) if last.to + tick == px && last.clip == clip => {
            last.to = px;
            last.needs = last.needs.min(needs);
        }
        _ => ranges.push(PriceRange { from: px, to: px, clip, needs, has }),
    }
}
