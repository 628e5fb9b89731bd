//! How many shares: full Kelly on the conservative probability, clipped to the depth that still has an edge and to every limit of the
//! budget, on the share grid, above the venue's minimums, and with the minimum net edge. Otherwise a typed reason.

use pm_core::budget::{Budget, LossBasis, Measures};
use pm_core::market::Market;
use pm_core::num::{Round, SCALE};
use pm_core::opportunity::{Candidate, Hedge, LegPlan, Legs, MAX_LEGS, Waterfall};
use pm_core::order::Side;
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::config::StrategyConfig;
use crate::fair::Fair;
use crate::hedge;
use crate::kelly::{kelly_binary, kelly_table};
use crate::num;
use crate::snap::{BookLookup, HedgeQuote};
use crate::waterfall::{Priced, priced, walk_leg};

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
struct Sizing<'a, 's> {
    cfg: &'s StrategyConfig,
    now: Ts,
    candidate: &'s Candidate,
    fair: Option<&'s Fair>,
    budget: &'s Budget,
    books: &'s BookLookup<'a>,
    quote: Option<&'s HedgeQuote<'s>>,
}

/// Sizes a candidate.
///
/// # Errors
/// In this order: strategy or class off; too close to the end, not accepting, book or sizes missing; no edge or not enough for the smallest
/// order; Kelly zero; below the venue's minimum quantity or notional after limits (with the limit that bound).
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
    let sizing = Sizing { cfg, now, candidate, fair, budget, books, quote };
    let smallest = sizing.check_markets()?;
    let at_least = sizing.at(smallest)?;
    let refuse = |refusal| NotSized { refusal, at_minimum: Some(at_least) };
    let net = at_least.waterfall.net();
    if !net.is_positive() {
        return Err(refuse(Refusal::NoEdge { net }));
    }
    let edge = at_least.waterfall.net_ratio();
    if edge < cfg.min_edge {
        return Err(refuse(Refusal::BelowMinEdge { edge, min: cfg.min_edge }));
    }
    if !at_least.kelly.is_positive() {
        return Err(refuse(Refusal::KellyZero));
    }
    if sizing.fits(smallest, budget).is_err() {
        let (size, clip) = sizing.largest(Qty::ZERO, smallest, budget);
        return Err(refuse(sizing.below_minimum(size, smallest, clip)));
    }
    let (qty, clip) = sizing.largest(smallest, sizing.upper_bound(smallest), &spread(budget, cfg.loss_concentration));
    Ok(Sized { clip, ..sizing.at(qty)? })
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

    /// Everything about one quantity.
    fn at(&self, qty: Qty) -> Result<Sized, Refusal> {
        let p = priced(self.cfg, self.now, self.candidate, qty, self.books, self.fair, self.quote)?;
        Ok(Sized {
            qty,
            waterfall: p.waterfall,
            measures: self.measures(&p)?,
            kelly: self.kelly(&p),
            clip: Clip::None,
            legs: self.legs(qty)?,
            hedge: p.hedge,
        })
    }

    /// Whether a quantity is allowed, or what forbids it.
    fn fits(&self, qty: Qty, budget: &Budget) -> Result<(), Clip> {
        if !qty.is_positive() {
            return Ok(());
        }
        let p = priced(self.cfg, self.now, self.candidate, qty, self.books, self.fair, self.quote).map_err(|_| Clip::Depth)?;
        if self.marginal(&p) > self.candidate.fair.lo || p.waterfall.net_ratio() < self.cfg.min_edge {
            return Err(Clip::Depth);
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

    /// The largest quantity on the share grid in `from ..= to` that fits, and what forbids the next one. `from` fits.
    fn largest(&self, from: Qty, to: Qty, budget: &Budget) -> (Qty, Clip) {
        let (mut lo, mut hi) = (from.raw() / SHARE_GRID.raw(), to.raw() / SHARE_GRID.raw());
        let grid = |n: i64| Qty::from_raw(n.saturating_mul(SHARE_GRID.raw()));
        let mut clip = match self.fits(grid(hi), budget) {
            Ok(()) => return (grid(hi), Clip::Depth),
            Err(clip) => clip,
        };
        while hi - lo > 1 {
            let middle = lo.midpoint(hi);
            match self.fits(grid(middle), budget) {
                Ok(()) => lo = middle,
                Err(why) => (hi, clip) = (middle, why),
            }
        }
        (grid(lo), clip)
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

    /// Cost of the next share with all costs that grow with the quantity; the network fee does not.
    fn marginal(&self, p: &Priced) -> Px {
        let w = &p.waterfall;
        let rest = w.hedge_cost + w.slippage + w.settlement_failure;
        p.marginal + rest.per(w.qty, Round::Up).unwrap_or(Px::ZERO)
    }

    /// Full Kelly at the conservative end of the band. A set is a table whose worst row is its guaranteed payoff; a hedged leg one in which
    /// the hedge moves money from the winning to the losing outcome, with a last row where it fails.
    fn kelly(&self, p: &Priced) -> Ratio {
        let w = &p.waterfall;
        let Some(cost) = all_in(w).per(w.qty, Round::Up) else { return Ratio::ZERO };
        let lo = self.candidate.fair.lo;
        if self.candidate.floor.is_positive() {
            return kelly_table(&[(Ratio::ONE, Usd::from_raw(self.candidate.floor.raw()))], Usd::from_raw(cost.raw()));
        }
        match (p.hedge, self.fair, self.quote) {
            (Hedge::Delta(_), Some(fair), Some(quote)) => {
                kelly_table(&self.hedged_table(lo, fair, quote, w.qty), Usd::from_raw(cost.raw()))
            }
            _ => kelly_binary(lo, cost),
        }
    }

    /// Payoffs per share of a hedged leg. A delta hedge removes the part `v = sd^2 * time left` of the outcome's variance (at most all of
    /// it): given a win it has lost `v / p` on average, given a loss earned `v / (1 - p)`. In the last row the leg loses and the hedge meets
    /// the gap move before it is adjusted.
    fn hedged_table(&self, lo: Px, fair: &Fair, quote: &HedgeQuote<'_>, qty: Qty) -> [(Ratio, Usd); 3] {
        let p = num::px(lo).clamp(1e-6, 1.0 - 1e-6);
        let sd = num::px(fair.sd_per_sqrt_s);
        let left = num::secs(self.candidate.settles_at.since(self.now)).max(0.0);
        let v = (sd * sd * left).min(p * (1.0 - p));
        let money = |x: f64| Usd::from_raw(num::scaled(x, Round::Down).unwrap_or(0));
        let fails = self.cfg.hedge.failure_rate;
        let works = num::ratio(Ratio::ONE - fails);
        let share = |x: f64| Ratio::from_raw(num::scaled(x, Round::Down).unwrap_or(0).clamp(0, SCALE));
        let gap = hedge::gap_loss(&self.cfg.hedge, quote, hedge::target(qty, fair.delta));
        let gap = gap.per(qty, Round::Up).map_or(Usd::ONE, |px| Usd::from_raw(px.raw()));
        [(share(works * p), money(1.0 - v / p)), (share(works * (1.0 - p)), money(v / (1.0 - p))), (fails, -gap)]
    }

    /// What a quantity uses of each limit.
    fn measures(&self, p: &Priced) -> Result<Measures, Refusal> {
        let w = &p.waterfall;
        let outlay = w.outlay();
        let guaranteed = w.qty.at(self.candidate.floor, Round::Down);
        // The guaranteed payoff of a set holds only once all legs are filled: until then one leg may stand alone.
        let mut worst = (outlay - guaranteed).max(self.dearest_leg(w.qty)?);
        if let (Hedge::Delta(_), Some(fair), Some(quote)) = (p.hedge, self.fair, self.quote) {
            // A hedge can lose more than a won share pays.
            let gap = hedge::gap_loss(&self.cfg.hedge, quote, hedge::target(w.qty, fair.delta));
            worst = worst.max(gap - (w.qty.at(Px::ONE, Round::Down) - outlay));
        }
        let mut marked = Usd::ZERO;
        for leg in self.candidate.legs.iter() {
            let (_, book) = (self.books)(leg.market).ok_or(Refusal::BookNotSynced)?;
            // A one-sided book marks at what the position could be sold for: nothing, when it is the buyers that are missing.
            let mark = book.touch(leg.outcome, Side::Sell).map_or(Px::ZERO, |bid| {
                book.touch(leg.outcome, Side::Buy).map_or(bid.px, |ask| Px::from_raw(bid.px.raw().midpoint(ask.px.raw())))
            });
            marked += w.qty.at(mark, Round::Down);
        }
        let half_hedge = Usd::from_raw(w.hedge_cost.raw().saturating_add(1) / 2);
        Ok(Measures {
            notional: w.notional,
            outlay,
            worst_loss: worst.max(Usd::ZERO) + w.hedge_cost,
            entry_mark: (outlay - marked).max(Usd::ZERO) + half_hedge,
        })
    }

    /// What the dearest leg of a set costs; zero for an outright leg, whose whole outlay counts anyway.
    fn dearest_leg(&self, qty: Qty) -> Result<Usd, Refusal> {
        let mut dearest = Usd::ZERO;
        if self.candidate.legs.len() > 1 {
            for leg in self.candidate.legs.iter() {
                let (market, book) = (self.books)(leg.market).ok_or(Refusal::BookNotSynced)?;
                let cost = walk_leg(market, book, leg, qty)?;
                dearest = dearest.max(cost.cash + cost.fee);
            }
        }
        Ok(dearest)
    }

    /// Legs with the limits and averages of a quantity.
    fn legs(&self, qty: Qty) -> Result<Legs, Refusal> {
        let first = *self.candidate.legs.first().ok_or(Refusal::BookNotSynced)?;
        let mut legs = [first; MAX_LEGS];
        let mut count = 0;
        for (to, leg) in legs.iter_mut().zip(self.candidate.legs.iter()) {
            let (market, book) = (self.books)(leg.market).ok_or(Refusal::BookNotSynced)?;
            let cost = walk_leg(market, book, leg, qty)?;
            let round = if leg.side == Side::Buy { Round::Up } else { Round::Down };
            *to = LegPlan { limit: cost.worst, average: cost.cash.per(qty, round).unwrap_or(cost.worst), ..*leg };
            count += 1;
        }
        legs.get(..count).and_then(Legs::from_slice).ok_or(Refusal::BookNotSynced)
    }
}

/// All money that a structure costs whatever happens.
fn all_in(w: &Waterfall) -> Usd {
    w.outlay() + w.hedge_cost + w.slippage + w.settlement_failure
}
