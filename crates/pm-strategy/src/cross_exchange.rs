//! Strategy *cross-exchange*: the book against the probability that the hedge venue's prices imply under the market's own rule.

use pm_core::market::Outcome;
use pm_core::num::Round;
use pm_core::opportunity::{Candidate, EvidenceClass, LegPlan, Legs, StrategyKind};
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::Px;

use crate::config::StrategyConfig;
use crate::hedge;
use crate::size::smallest_order;
use crate::snap::{HedgeQuote, Snap};

/// The better of buying `First` and buying `Second` at the touch, when it beats the best estimate by the tracking threshold. Nothing when
/// the market has no fair value, no ask, or has ended. Selling an outcome is buying the other one: both are views of one book.
#[must_use]
pub fn scan(cfg: &StrategyConfig, now: Ts, snap: &Snap<'_>, hedge: Option<&HedgeQuote<'_>>) -> Option<Candidate> {
    let fair = snap.fair.as_ref().ok()?;
    let threshold = Px::from_raw(cfg.track_min_gross.raw());
    let better = |outcome: Outcome| {
        let touch = snap.book.touch(outcome, Side::Buy)?;
        let gross = fair.band.of(outcome).mid - touch.px;
        (gross > threshold && touch.px.is_probability()).then_some((gross, outcome, touch.px))
    };
    let (_, outcome, px) = match (better(Outcome::First), better(Outcome::Second)) {
        (Some(a), Some(b)) => Some(if a.0 >= b.0 { a } else { b }),
        (a, b) => a.or(b),
    }?;
    let rule = snap.market.rule.understood()?;
    if now >= snap.market.closes_at {
        return None;
    }
    let band = fair.band.of(outcome);
    let qty = smallest_order(snap.market, px);
    let notional = qty.at(px, Round::Up);
    Some(Candidate {
        strategy: StrategyKind::CrossExchange,
        class: EvidenceClass::VolModel,
        legs: Legs::one(LegPlan { market: snap.market.idx, outcome, side: Side::Buy, limit: px, average: px }),
        fair: band,
        implied: band.mid,
        floor: Px::ZERO,
        hedge: hedge::plan(&cfg.hedge, now, snap.market, fair, outcome, qty, notional, hedge),
        settles_at: rule.final_at,
    })
}
