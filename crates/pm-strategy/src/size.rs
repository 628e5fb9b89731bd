//! How many shares: full Kelly on the conservative probability, clipped to the depth that still has an edge and to every limit of the
//! budget, on the share grid, above the venue's minimums, and with the minimum net edge. Otherwise a typed reason.
//!
//! Whether the structure is hedged is decided before a quantity is looked for, because a hedge's cost begins with its first lot: with both
//! in one search a quantity could fit, a larger one not, and a still larger one fit again. The hedged search begins at the smallest quantity
//! that carries a lot and goes by lots first.

use pm_core::budget::{Budget, LossBasis, Measures};
use pm_core::market::Market;
use pm_core::num::Round;
use pm_core::opportunity::{Candidate, Hedge, Legs, NoHedge, Waterfall};
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::config::{BeyondHorizon, StrategyConfig};
use crate::fair::Fair;
use crate::hedge;
use crate::snap::{BookLookup, HedgeQuote};
use crate::waterfall::{Priced, priced};

/// Shares are ordered in hundredths (venues/polymarket.md 4.2).
pub(crate) const SHARE_GRID: Qty = Qty::from_raw(1_000_000);

/// A candidate with its quantity and everything that follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    /// Shares of each leg.
    pub qty: Qty,
    /// Edge waterfall of the quantity.
    pub waterfall: Waterfall,
    /// What the quantity uses of each limit.
    pub measures: Measures,
    /// Full Kelly fraction at the quantity's cost.
    pub kelly: Ratio,
    /// The limit that bound the quantity; [`Clip::None`] when it is full Kelly.
    pub clip: Clip,
    /// Legs with limits (the worst price walked) and averages of the quantity.
    pub legs: Legs,
    /// Hedge of the quantity.
    pub hedge: Hedge,
}

/// Why a candidate has no size, with the smallest order's figures where they could be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct NotSized {
    /// The reason.
    pub refusal: Refusal,
    /// The smallest order that the venue takes, as it would have been.
    pub at_minimum: Option<Sized>,
}

impl From<Refusal> for NotSized {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, at_minimum: None }
    }
}

/// The smallest order that the venue takes at a price, on the share grid.
pub(crate) fn smallest_order(market: &Market, px: Px) -> Qty {
    market.min_qty.max(market.min_notional.div_px(px, Round::Up)).ceil_to(SHARE_GRID)
}

/// Everything that does not change with the quantity.
#[derive(Clone, Copy)]
pub(crate) struct Sizing<'a, 's> {
    pub(crate) cfg: &'s StrategyConfig,
    pub(crate) now: Ts,
    pub(crate) candidate: &'s Candidate,
    pub(crate) fair: Option<&'s Fair>,
    pub(crate) budget: &'s Budget,
    pub(crate) books: &'s BookLookup<'a>,
    pub(crate) quote: Option<&'s HedgeQuote<'s>>,
    /// Why it is not hedged; without a reason every quantity carries a hedge.
    pub(crate) bare: Option<NoHedge>,
}

/// Sizes a candidate.
///
/// A candidate beyond the minimum horizon of a hedge is hedged, or refused where that is required; where it is optional the variant with the
/// higher net edge within the budget is taken.
///
/// # Errors
/// In this order: strategy or class off; too close to the end, not accepting, book or sizes missing; no edge or not enough for the smallest
/// order; Kelly zero; [`Refusal::NotHedgeable`]; the same of the hedged order; below the venue's minimum quantity or notional after limits
/// (with the limit that bound).
#[allow(clippy::result_large_err, reason = "refusing is the common case of the hot path and must not allocate")]
pub fn size<'a>(
    cfg: &StrategyConfig,
    now: Ts,
    candidate: &Candidate,
    fair: Option<&Fair>,
    budget: &Budget,
    books: &BookLookup<'a>,
    quote: Option<&HedgeQuote<'_>>,
) -> Result<Sized, NotSized> {
    let bare = |why| Sizing { cfg, now, candidate, fair, budget, books, quote, bare: why };
    let smallest = bare(None).check_markets()?;
    if let Some(why) = bare(None).stays_bare() {
        return bare(Some(why)).within(smallest);
    }
    // A hedge that could be had and is not taken is not worth its price.
    let alone = bare(Some(NoHedge::TooExpensive));
    match cfg.hedge.beyond_horizon {
        BeyondHorizon::Required => {
            alone.admit(smallest)?;
            bare(None).hedged(smallest, &alone)
        }
        BeyondHorizon::Optional => match (bare(None).hedged(smallest, &alone), alone.within(smallest)) {
            (Ok(hedged), Ok(alone)) if hedged.waterfall.net() <= alone.waterfall.net() => Ok(alone),
            (Ok(hedged), _) => Ok(hedged),
            (Err(NotSized { refusal: Refusal::NotHedgeable(why), .. }), _) => bare(Some(why)).within(smallest),
            (Err(_), alone) => alone,
        },
    }
}

/// The budget for quantities above the smallest order: under `worst_case` one structure leaves room in the day's and the week's limits for
/// others, because a whole limit in one structure is one trade a day.
fn spread(budget: &Budget, concentration: Ratio) -> Budget {
    if budget.basis == LossBasis::Marked {
        return *budget;
    }
    let part = |room: Usd| room.scale_by(concentration, Round::Down);
    Budget { day_loss: part(budget.day_loss), week_loss: part(budget.week_loss), ..*budget }
}

#[allow(clippy::result_large_err, reason = "as the public function")]
impl Sizing<'_, '_> {
    /// Switches and the state of each leg's market; gives the smallest order that all legs' venues take.
    fn check_markets(&self) -> Result<Qty, Refusal> {
        if !self.cfg.strategy_on(self.candidate.strategy) {
            return Err(Refusal::StrategyOff);
        }
        if !self.cfg.class_on(self.candidate.class) {
            return Err(Refusal::ClassOff);
        }
        let mut smallest = SHARE_GRID;
        for leg in self.candidate.legs.iter() {
            let (market, book) = (self.books)(leg.market).ok_or(Refusal::BookNotSynced)?;
            let left = market.closes_at.since(self.now);
            if left < self.cfg.min_time_left {
                return Err(Refusal::TooCloseToEnd { left });
            }
            if !market.accepting {
                return Err(Refusal::NotAccepting);
            }
            // The walk may reach worse prices, which only makes the order larger in money.
            let px = book.touch(leg.outcome, leg.side).map_or(leg.limit, |l| l.px);
            smallest = smallest.max(smallest_order(market, px));
        }
        Ok(smallest)
    }

    /// Why no hedge is looked for at all, whatever the quantity; `None` where one is.
    fn stays_bare(&self) -> Option<NoHedge> {
        match self.candidate.hedge {
            Hedge::None(why @ (NoHedge::SelfHedged | NoHedge::Off)) => return Some(why),
            _ if self.candidate.legs.len() != 1 => return Some(NoHedge::SelfHedged),
            _ if !self.cfg.hedge.enabled => return Some(NoHedge::Off),
            _ => {}
        }
        (self.candidate.settles_at.since(self.now) <= self.cfg.hedge.min_horizon).then_some(NoHedge::ShortWindow)
    }

    /// The figures of a smallest order with an edge that is large enough, or why it has none.
    fn admit(&self, smallest: Qty) -> Result<Sized, NotSized> {
        let at_least = self.at(smallest)?;
        let refuse = |refusal| NotSized { refusal, at_minimum: Some(at_least) };
        let net = at_least.waterfall.net();
        if !net.is_positive() {
            return Err(refuse(Refusal::NoEdge { net }));
        }
        let edge = at_least.waterfall.net_ratio();
        if edge < self.cfg.min_edge {
            return Err(refuse(Refusal::BelowMinEdge { edge, min: self.cfg.min_edge }));
        }
        if !at_least.kelly.is_positive() {
            return Err(refuse(Refusal::KellyZero));
        }
        Ok(at_least)
    }

    /// Sizes without a hedge, from the smallest order up.
    fn within(&self, smallest: Qty) -> Result<Sized, NotSized> {
        let at_least = self.admit(smallest)?;
        if self.fits(smallest, self.budget).is_err() {
            let (size, clip) = self.largest(Qty::ZERO, smallest, self.budget);
            return Err(NotSized { refusal: self.below_minimum(size, smallest, clip), at_minimum: Some(at_least) });
        }
        self.from(smallest, smallest)
    }

    /// Sizes with a hedge, from the smallest order up that carries one lot. `alone` is the same without a hedge, for the record.
    fn hedged(&self, smallest: Qty, alone: &Self) -> Result<Sized, NotSized> {
        let refuse = |why| NotSized { refusal: Refusal::NotHedgeable(why), at_minimum: alone.at(smallest).ok() };
        let (Some(fair), Some(quote)) = (self.fair, self.quote.filter(|q| hedge::usable(q))) else {
            return Err(refuse(NoHedge::NoInstrument));
        };
        let first = hedge::shares_for(hedge::smallest(&self.cfg.hedge, quote), fair.delta);
        if first > self.upper_bound(smallest) {
            return Err(refuse(NoHedge::LotTooLarge));
        }
        let least = smallest.max(first.ceil_to(SHARE_GRID));
        if let Hedge::None(why) = self.priced(least)?.hedge {
            return Err(refuse(why));
        }
        let at_least = self.admit(least)?;
        if let Err(clip) = self.fits(least, self.budget) {
            if least > smallest {
                return Err(refuse(NoHedge::LotTooLarge));
            }
            let (size, _) = self.budget.largest(least, least, &at_least.measures);
            return Err(NotSized { refusal: self.below_minimum(size, least, clip), at_minimum: Some(at_least) });
        }
        self.from(least, smallest)
    }

    /// The largest quantity from `least` on, which fits.
    fn from(&self, least: Qty, smallest: Qty) -> Result<Sized, NotSized> {
        let budget = spread(self.budget, self.cfg.loss_concentration);
        let (qty, clip) = self.largest(least, self.upper_bound(smallest).max(least), &budget);
        Ok(Sized { clip, ..self.at(qty)? })
    }

    pub(crate) fn priced(&self, qty: Qty) -> Result<Priced, Refusal> {
        priced(self.cfg, self.now, self.candidate, qty, self.books, self.fair, self.quote, self.bare)
    }

    /// Whether a quantity is allowed, or what forbids it.
    fn fits(&self, qty: Qty, budget: &Budget) -> Result<(), Clip> {
        if !qty.is_positive() {
            return Ok(());
        }
        let p = self.priced(qty).map_err(|_| Clip::Depth)?;
        if self.marginal(&p) > self.candidate.fair.lo || p.waterfall.net_ratio() < self.cfg.min_edge {
            return Err(Clip::Depth);
        }
        if self.bare.is_none() && matches!(p.hedge, Hedge::None(_)) {
            // A larger quantity loses its hedge only where the hedge venue's margin ends.
            return Err(Clip::Cash);
        }
        let stake = self.budget.bankroll.scale_by(self.kelly(&p), Round::Down);
        if all_in(&p.waterfall) > stake {
            return Err(Clip::None);
        }
        let measures = self.measures(&p).map_err(|_| Clip::Depth)?;
        match budget.verify(&measures) {
            Err(Refusal::OverBudget { clip, .. }) => Err(clip),
            _ => Ok(()),
        }
    }

    /// The largest quantity on the share grid in `from ..= to` that fits, and what forbids the next one. `from` fits. With a hedge it is
    /// looked for by lots first, at the fewest shares of each: between two lots the hedge's cost per share falls, at each it jumps back.
    fn largest(&self, from: Qty, to: Qty, budget: &Budget) -> (Qty, Clip) {
        let grid = |n: i64| Qty::from_raw(n.saturating_mul(SHARE_GRID.raw()));
        let steps = |q: Qty| q.raw() / SHARE_GRID.raw();
        let (Some(fair), Some(quote), None) = (self.fair, self.quote, self.bare) else {
            let (n, clip) = self.bisect(steps(from), steps(to), grid, budget);
            return (grid(n), clip.unwrap_or(Clip::Depth));
        };
        let lot = quote.instrument.lot;
        let lots = |q: Qty| hedge::target(q, fair.delta).raw() / lot.raw();
        let fewest = |k: i64| {
            let wanted = Qty::from_raw(lot.raw().saturating_mul(k));
            hedge::shares_for(wanted, fair.delta).min(to).ceil_to(SHARE_GRID).max(from).min(to)
        };
        let (k, next_lot) = self.bisect(lots(from), lots(to), fewest, budget);
        let (begin, end) = (fewest(k), if next_lot.is_some() { fewest(k + 1) - SHARE_GRID } else { to });
        let (n, clip) = self.bisect(steps(begin), steps(end.max(begin)), grid, budget);
        (grid(n), clip.or(next_lot).unwrap_or(Clip::Depth))
    }

    /// The largest `n` in `lo ..= hi` whose quantity fits, and what forbids the next. `lo` fits.
    fn bisect(&self, mut lo: i64, mut hi: i64, at: impl Fn(i64) -> Qty, budget: &Budget) -> (i64, Option<Clip>) {
        if hi <= lo {
            return (lo, None);
        }
        let mut clip = match self.fits(at(hi), budget) {
            Ok(()) => return (hi, None),
            Err(clip) => clip,
        };
        while hi - lo > 1 {
            let middle = lo.midpoint(hi);
            match self.fits(at(middle), budget) {
                Ok(()) => lo = middle,
                Err(why) => (hi, clip) = (middle, why),
            }
        }
        (lo, Some(clip))
    }

    /// No quantity above this can fit: all of the thinnest leg's book, at least the smallest order.
    fn upper_bound(&self, smallest: Qty) -> Qty {
        let depth = self.candidate.legs.iter().filter_map(|leg| {
            let (_, book) = (self.books)(leg.market)?;
            Some(book.meets(leg.outcome, leg.side).map(|l| l.qty).sum::<Qty>())
        });
        depth.min().unwrap_or(smallest).floor_to(SHARE_GRID).max(smallest)
    }

    fn below_minimum(&self, size: Qty, smallest: Qty, clip: Clip) -> Refusal {
        let by_notional = self.candidate.legs.iter().find_map(|leg| {
            let (market, book) = (self.books)(leg.market)?;
            let px = book.touch(leg.outcome, leg.side)?.px;
            (size >= market.min_qty).then(|| Refusal::BelowMinNotional {
                value: size.at(px, Round::Down),
                min: market.min_notional,
                clip,
            })
        });
        by_notional.unwrap_or(Refusal::BelowMinQty { size, min: smallest, clip })
    }
}

/// All money that a structure costs whatever happens.
pub(crate) fn all_in(w: &Waterfall) -> Usd {
    w.outlay() + w.hedge_cost + w.slippage + w.settlement_failure
}
