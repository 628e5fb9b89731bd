//! Unwinding a structure: asked for by the kill switch, decided once for the whole of it, and then carried through until nothing is left.
//! "Closes at a profit as a whole" is the question at the start only: once one leg is gone, the others must go, too.

use pm_core::approval::Approved;
use pm_core::command::Command;
use pm_core::ids::StructureId;
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::units::{Px, Qty, Usd};
use pm_ledger::Position;

use crate::engine::Engine;
use crate::hedger::marketable;
use crate::structures::Unwind;

impl Engine {
    /// The kill switch tripped: every structure is looked at, those with orders on their way as soon as these are done.
    pub(crate) fn want_unwinding(&mut self, out: &mut Vec<Command>) {
        for structure in self.structures.open.values_mut().filter(|s| s.unwind == Unwind::No) {
            structure.unwind = Unwind::Wanted;
        }
        let mut after = StructureId(0);
        while let Some(id) = self.structures.after(after) {
            self.unwind(id, out);
            after = id;
        }
    }

    /// The next step of a structure's unwinding, if it is time for one.
    pub(crate) fn unwind(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(s) = self.structures.open.get(&id) else { return };
        if !s.retry.due(self.now) || self.orders.pending(id).next().is_some() {
            return;
        }
        let orders = match s.unwind {
            Unwind::No => return,
            Unwind::Wanted => self.closing_as_a_whole(id),
            Unwind::Active => Some(self.closing_what_is_left(id)),
        };
        let Some(s) = self.structures.open.get_mut(&id) else { return };
        s.unwind = if orders.is_some() { Unwind::Active } else { Unwind::No };
        let opportunity = s.opportunity;
        for approved in orders.unwrap_or_default() {
            self.send(approved, Some(opportunity), out);
        }
    }

    /// Orders that close all legs at the book as it is, when together they bring more than they cost, fees included, and all may leave.
    fn closing_as_a_whole(&mut self, id: StructureId) -> Option<Vec<Approved>> {
        self.risk.tripped()?;
        let mut total = Usd::ZERO;
        let mut legs = Vec::new();
        for (_, target, position) in self.ledger.positions().filter(|(s, _, _)| *s == id) {
            total += self.exit_value(target, &position)? - position.cost;
            legs.push((target, position));
        }
        if legs.is_empty() || !(total + self.ledger.structure(id).net).is_positive() {
            return None;
        }
        let mut orders = Vec::with_capacity(legs.len());
        for (target, position) in legs {
            let limit = self.worst_walked(target, &position)?;
            // All legs must be allowed to leave before any does: half an unwinding would be a new risk.
            orders.push(self.closing_order(id, target, &position, limit)?);
        }
        Some(orders)
    }

    /// Orders for the legs that can be closed now, with some slip. Shares below the venue's minimum stay until they are paid.
    fn closing_what_is_left(&mut self, id: StructureId) -> Vec<Approved> {
        let legs: Vec<_> = self.ledger.positions().filter(|(s, _, _)| *s == id).map(|(_, t, p)| (t, p)).collect();
        let mut orders = Vec::with_capacity(legs.len());
        for (target, position) in legs {
            let Some(limit) = self.exit_limit(target, position.qty) else { continue };
            orders.extend(self.closing_order(id, target, &position, limit));
        }
        orders
    }

    fn closing_order(&mut self, id: StructureId, target: Tradable, position: &Position, limit: Px) -> Option<Approved> {
        let side = if position.qty.is_positive() { Side::Sell } else { Side::Buy };
        let intent = self.reducing(id, target, side, position.qty.abs(), limit)?;
        self.approve(intent).ok()
    }

    /// An order that only reduces what the structure holds.
    pub(crate) fn reducing(&mut self, id: StructureId, target: Tradable, side: Side, qty: Qty, limit: Px) -> Option<OrderIntent> {
        let venue = match target {
            Tradable::Outcome(..) => self.prediction,
            Tradable::Instrument(i) => self.markets.instrument(i)?.instrument.venue,
        };
        Some(OrderIntent {
            id: self.orders.next_id(),
            structure: id,
            venue,
            target,
            side,
            limit,
            qty,
            tif: Tif::FillAndKill,
            purpose: Purpose::Reduce,
            decided_at: self.now,
        })
    }

    /// Worst price of the walk that closes the whole position now.
    fn worst_walked(&self, target: Tradable, position: &Position) -> Option<Px> {
        let outcome = match target {
            Tradable::Outcome(_, o) => o,
            Tradable::Instrument(_) => Outcome::First,
        };
        let (side, limit) = if position.qty.is_positive() { (Side::Sell, Px::ZERO) } else { (Side::Buy, Px::MAX) };
        self.book_of(target)?.walk(outcome, side, position.qty.abs(), limit).worst
    }

    /// A price at which `held` of a target can be closed now, with the slip of its venue; `None` when no order for it may be sent: no price,
    /// the market over, or too little for the venue.
    pub(crate) fn exit_limit(&self, target: Tradable, held: Qty) -> Option<Px> {
        let side = if held.is_positive() { Side::Sell } else { Side::Buy };
        match target {
            Tradable::Outcome(m, outcome) => {
                let slot = self.markets.market(m)?;
                let open = slot.market.accepting && self.now < slot.market.closes_at;
                if !open || held.abs() < slot.market.min_qty {
                    return None;
                }
                let limit = marketable(&slot.book, outcome, side, self.cfg.engine.unwind_slip, slot.market.tick)?;
                Some(limit.max(slot.market.tick).min(Px::ONE - slot.market.tick))
            }
            Tradable::Instrument(i) => {
                let slot = self.markets.instrument(i)?;
                marketable(&slot.book, Outcome::First, side, self.cfg.engine.hedge_slip, slot.instrument.tick)
            }
        }
    }
}
