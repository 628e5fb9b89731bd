//! Strategy *set arbitrage*: books of different markets that contradict each other. If a value is above the higher strike it is above the
//! lower one, so `First` of the lower and `Second` of the higher strike together pay at least 1 whatever happens. An Up/Down window whose
//! start value is known is such a strike, too, when the same candle decides it.

use pm_core::market::{Market, Method, Outcome, Payoff, SettlementRule, Tie};
use pm_core::opportunity::{Band, Candidate, EvidenceClass, Hedge, LegPlan, Legs, NoHedge, StrategyKind};
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::Px;

use crate::config::StrategyConfig;
use crate::snap::Snap;

/// Most markets of one set that are compared; further ones are left out.
pub const MAX_MARKETS: usize = 32;

/// A market as a step on the ladder of strikes. Sorted by (strike, tie): each one's `First` pays at least what the next one's pays.
#[derive(Debug, Clone, Copy)]
struct Rung<'a> {
    strike: Px,
    tie: u8,
    market: &'a Market,
    /// Cost of a share of `First` and of `Second`.
    first: Option<Px>,
    second: Option<Px>,
    /// Best estimate of `First`.
    mid: Option<Px>,
}

/// True when both rules read the same number. Candles of any length that end at one instant have one close.
fn same_value(a: &SettlementRule, b: &SettlementRule) -> bool {
    let same_method = match (a.method, b.method) {
        (Method::CandleClose { .. }, Method::CandleClose { .. }) => true,
        (x, y) => x == y,
    };
    a.source == b.source && a.final_at == b.final_at && same_method
}

/// The strike: of the rule, or the start value once it is fixed (the venue's word first, else the one the fair value used).
fn strike_of(snap: &Snap<'_>, rule: &SettlementRule, now: Ts) -> Option<Px> {
    match rule.payoff {
        Payoff::Above { strike } => Some(strike),
        Payoff::UpDown { start_at, reference, .. } if now >= start_at => {
            // Only a candle's open is read without doubt; a reconstructed average is no ground for "guaranteed".
            let observed = matches!(rule.method, Method::CandleClose { .. }).then_some(()).and(snap.fair.ok()).map(|f| f.strike);
            reference.or(observed)
        }
        _ => None,
    }
}

fn rung<'a>(snap: &Snap<'a>, rule: &SettlementRule, now: Ts) -> Option<Rung<'a>> {
    let strike = strike_of(snap, rule, now)?;
    let cost = |outcome| snap.book.touch(outcome, Side::Buy).map(|l| l.px).filter(|px| px.is_probability());
    Some(Rung {
        strike,
        tie: match rule.tie {
            Tie::First => 0,
            Tie::Half => 1,
            Tie::Second => 2,
        },
        market: snap.market,
        first: cost(Outcome::First),
        second: cost(Outcome::Second),
        mid: snap.fair.ok().map(|f| f.band.mid),
    })
}

/// The best pair of one set: markets that settle on one value of one source at one instant (others in `snaps` are ignored). Nothing when no
/// pair costs less than its guaranteed payoff of 1 by the tracking threshold.
#[must_use]
pub fn scan(cfg: &StrategyConfig, now: Ts, snaps: &[Snap<'_>]) -> Option<Candidate> {
    scan_each(cfg, now, snaps.iter().copied())
}

/// As [`scan`], for snaps that do not lie in one slice.
#[must_use]
pub fn scan_each<'a>(cfg: &StrategyConfig, now: Ts, snaps: impl Iterator<Item = Snap<'a>>) -> Option<Candidate> {
    let mut reference: Option<SettlementRule> = None;
    let mut rungs: [Option<Rung<'_>>; MAX_MARKETS] = [None; MAX_MARKETS];
    let mut count = 0;
    for snap in snaps {
        let Some(rule) = snap.market.rule.understood() else { continue };
        let reference = reference.get_or_insert(*rule);
        if !same_value(rule, reference) || now >= snap.market.closes_at {
            continue;
        }
        if let Some(new) = rung(&snap, rule, now) {
            insert(&mut rungs, &mut count, new);
        }
    }
    let settles_at = reference?.final_at;
    let (low, high) = best_pair(rungs.iter().flatten())?;
    let (a, b) = (low.first?, high.second?);
    if Px::ONE - a - b <= Px::from_raw(cfg.track_min_gross.raw()) {
        return None;
    }
    let leg =
        |rung: &Rung<'_>, outcome, px| LegPlan { market: rung.market.idx, outcome, side: Side::Buy, limit: px, average: px };
    let implied = low.mid.zip(high.mid).map_or(Px::ONE, |(l, h)| l + h.complement());
    Some(Candidate {
        strategy: StrategyKind::SetArbitrage,
        class: EvidenceClass::ModelFree,
        legs: Legs::two(leg(low, Outcome::First, a), leg(high, Outcome::Second, b)),
        fair: Band { lo: Px::ONE, mid: Px::ONE, hi: Px::ONE },
        implied,
        floor: Px::ONE,
        hedge: Hedge::None(NoHedge::SelfHedged),
        settles_at,
    })
}

/// Keeps the rungs sorted; listings come nearly sorted, so this is a handful of comparisons each.
fn insert<'a>(rungs: &mut [Option<Rung<'a>>; MAX_MARKETS], count: &mut usize, new: Rung<'a>) {
    if *count >= MAX_MARKETS {
        return;
    }
    let mut at = *count;
    while let Some(Some(before)) = at.checked_sub(1).and_then(|i| rungs.get(i)) {
        if (before.strike, before.tie) <= (new.strike, new.tie) {
            break;
        }
        rungs.swap(at - 1, at);
        at -= 1;
    }
    if let Some(slot) = rungs.get_mut(at) {
        *slot = Some(new);
        *count += 1;
    }
}

/// The cheapest `First` so far against each `Second`, in ladder order. Rungs of equal terms are one event: either order is a set.
fn best_pair<'r, 'a: 'r>(rungs: impl Iterator<Item = &'r Rung<'a>>) -> Option<(&'r Rung<'a>, &'r Rung<'a>)> {
    let mut cheapest: Option<&Rung<'_>> = None;
    // The cheapest `Second` so far among rungs of the same terms.
    let mut twin: Option<&Rung<'_>> = None;
    let mut best: Option<(Px, &Rung<'_>, &Rung<'_>)> = None;
    let mut consider = |low: Option<&'r Rung<'a>>, high: &'r Rung<'a>| {
        let Some(low) = low else { return };
        let Some(cost) = low.first.zip(high.second).map(|(a, b)| a + b) else { return };
        if best.is_none_or(|(c, ..)| cost < c) {
            best = Some((cost, low, high));
        }
    };
    for rung in rungs {
        consider(cheapest, rung);
        match twin.filter(|t| (t.strike, t.tie) == (rung.strike, rung.tie)) {
            Some(t) => {
                consider(Some(rung), t);
                if rung.second.is_some_and(|px| t.second.is_none_or(|c| px < c)) {
                    twin = Some(rung);
                }
            }
            None => twin = Some(rung),
        }
        if rung.first.is_some_and(|px| cheapest.and_then(|c| c.first).is_none_or(|c| px < c)) {
            cheapest = Some(rung);
        }
    }
    best.map(|(_, low, high)| (low, high))
}
