//! The figures of one quantity: what it uses of each limit, its Kelly fraction, its legs.

use pm_core::budget::Measures;
use pm_core::num::Round;
use pm_core::opportunity::{Hedge, LegPlan, Legs, MAX_LEGS};
use pm_core::order::Side;
use pm_core::refusal::{Clip, Refusal};
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::hedge;
use crate::kelly::{kelly_binary, kelly_table};
use crate::payoff::Table;
use crate::size::{Sized, Sizing, all_in};
use crate::waterfall::{Priced, walk_leg};

impl Sizing<'_, '_> {
    /// Everything about one quantity.
    pub(crate) fn at(&self, qty: Qty) -> Result<Sized, Refusal> {
        let p = self.priced(qty)?;
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

    /// Cost of the next share with all costs that grow with the quantity; the network fee does not.
    pub(crate) fn marginal(&self, p: &Priced) -> Px {
        let w = &p.waterfall;
        let rest = w.hedge_cost + w.slippage + w.settlement_failure;
        p.marginal + rest.per(w.qty, Round::Up).unwrap_or(Px::ZERO)
    }

    /// The payoff table of a hedged quantity, and what its hedge loses when it fails; `None` without a hedge.
    fn table(&self, p: &Priced) -> Option<(Table, Usd)> {
        let (Hedge::Delta(plan), Some(fair), Some(quote)) = (p.hedge, self.fair, self.quote) else { return None };
        let outcome = self.candidate.legs.first()?.outcome;
        let base = quote.instrument.lot_floor(hedge::target(p.waterfall.qty, plan.per_share))?;
        Some((Table::new(fair, outcome, base), hedge::gap_loss(&self.cfg.hedge, quote, base)))
    }

    /// Full Kelly at the conservative end of the band. A set is a table whose worst row is its guaranteed payoff, a hedged leg its payoff
    /// table.
    pub(crate) fn kelly(&self, p: &Priced) -> Ratio {
        let w = &p.waterfall;
        let Some(cost) = all_in(w).per(w.qty, Round::Up) else { return Ratio::ZERO };
        let lo = self.candidate.fair.lo;
        let cash = Usd::from_raw(cost.raw());
        if self.candidate.floor.is_positive() {
            return kelly_table(&[(Ratio::ONE, Usd::from_raw(self.candidate.floor.raw()))], cash);
        }
        match self.table(p) {
            Some((table, gap)) => {
                let gap = gap.per(w.qty, Round::Up).map_or(Usd::ONE, |px| Usd::from_raw(px.raw()));
                kelly_table(&table.kelly_rows(w.qty, lo, self.cfg.hedge.failure_rate, gap), cash)
            }
            None => kelly_binary(lo, cost),
        }
    }

    /// What a quantity uses of each limit.
    pub(crate) fn measures(&self, p: &Priced) -> Result<Measures, Refusal> {
        let w = &p.waterfall;
        let outlay = w.outlay();
        let guaranteed = w.qty.at(self.candidate.floor, Round::Down);
        let worst = match self.table(p) {
            Some((table, gap)) => {
                let failed = if gap.is_positive() { outlay + gap } else { Usd::ZERO };
                table.worst_loss(w.qty, outlay).max(failed)
            }
            // The guaranteed payoff of a set holds only once all legs are filled: until then one leg may stand alone.
            None => (outlay - guaranteed).max(self.dearest_leg(w.qty)?),
        };
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
