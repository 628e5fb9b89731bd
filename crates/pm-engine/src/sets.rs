//! Sets whose legs differ: one was filled less than the other, or a fill of it failed to settle. The missing shares are bought once more if
//! the set still pays with them; else the surplus is sold. A leg alone is a bet that nobody decided on.

use pm_core::command::Command;
use pm_core::fees::Liquidity;
use pm_core::ids::StructureId;
use pm_core::market::Market;
use pm_core::num::Round;
use pm_core::opportunity::LegPlan;
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::units::{Px, Qty, Usd};

use crate::engine::Engine;
use crate::structures::Unwind;

/// Shares are traded in hundredths (venues/polymarket.md 4.2).
const SHARE_GRID: Qty = Qty::from_raw(1_000_000);

impl Engine {
    /// Brings the legs of a set back to the same quantity.
    pub(crate) fn balance_set(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(s) = self.structures.open.get(&id) else { return };
        let busy = s.unwind != Unwind::No || !s.retry.due(self.now) || self.orders.pending(id).next().is_some();
        if s.legs.len() < 2 || busy || s.legs.iter().any(|l| s.paid.contains_key(&l.market)) {
            return;
        }
        let held = |leg: &LegPlan| self.shares(id, leg);
        let most = s.legs.iter().map(&held).max().unwrap_or_default();
        let Some(short) = s.legs.iter().min_by_key(|l| held(l)).copied() else { return };
        let least = held(&short);
        let missing = (most - least).floor_to(SHARE_GRID);
        if !missing.is_positive() {
            return;
        }
        let tried = s.completed;
        let legs = s.legs;
        if let Some(s) = self.structures.open.get_mut(&id) {
            s.completed = true;
        }
        if !tried && self.buy_missing(id, &short, (most, missing), out) {
            return;
        }
        for leg in legs.iter() {
            self.sell_surplus(id, leg, self.shares(id, leg) - least, out);
        }
    }

    /// Shares that a structure holds of a leg.
    pub(crate) fn shares(&self, id: StructureId, leg: &LegPlan) -> Qty {
        self.ledger.position(id, Tradable::Outcome(leg.market, leg.outcome)).map_or(Qty::ZERO, |p| p.qty)
    }

    /// Buys the missing shares of an incomplete set at a price at which the whole set, `complete` shares of each leg, still costs no more
    /// than it is sure to pay: what was spent, fees and the fee of the missing shares included. True when an order left.
    fn buy_missing(&mut self, id: StructureId, leg: &LegPlan, (complete, missing): (Qty, Qty), out: &mut Vec<Command>) -> bool {
        let Some(structure) = self.structures.open.get(&id) else { return false };
        let Some(slot) = self.markets.market(leg.market) else { return false };
        let market = &slot.market;
        let cost: Usd = self.ledger.positions().filter(|(s, ..)| *s == id).map(|(_, _, p)| p.cost).sum();
        let left = complete.at(structure.floor, Round::Down) - (cost - self.ledger.structure(id).net);
        let room = highest(market, missing, left.min(self.free_prediction_cash()));
        let touch = slot.book.touch(leg.outcome, Side::Buy).map(|l| l.px);
        let open = market.accepting && self.now < market.closes_at;
        let min_ok = missing >= market.min_qty && missing.at(room, Round::Down) >= market.min_notional;
        if touch.is_none_or(|t| t > room) || !open || !min_ok || !room.is_probability() {
            return false;
        }
        let outlay = spend(market, room, missing);
        let intent = OrderIntent {
            id: self.orders.next_id(),
            structure: id,
            venue: self.prediction,
            target: Tradable::Outcome(leg.market, leg.outcome),
            side: Side::Buy,
            limit: room,
            qty: missing,
            tif: Tif::FillAndKill,
            // It completes a bounded set: it reduces what can be lost.
            purpose: Purpose::Hedge,
            decided_at: self.now,
        };
        let sent = self.send_gated(intent, out);
        if let Some(s) = self.structures.open.get_mut(&id).filter(|_| sent) {
            s.pending_outlay += outlay;
        }
        sent
    }

    fn sell_surplus(&mut self, id: StructureId, leg: &LegPlan, surplus: Qty, out: &mut Vec<Command>) {
        let qty = surplus.floor_to(SHARE_GRID);
        let target = Tradable::Outcome(leg.market, leg.outcome);
        let Some(limit) = Some(qty).filter(|q| q.is_positive()).and_then(|q| self.exit_limit(target, q)) else { return };
        if let Some(intent) = self.reducing(id, target, Side::Sell, qty, limit) {
            self.send_gated(intent, out);
        }
    }
}

/// What a purchase costs at most, its fee included.
fn spend(market: &Market, px: Px, qty: Qty) -> Usd {
    qty.at(px, Round::Up) + market.fees.fee(Liquidity::Taker, px, qty, None)
}

/// The highest price on the grid at which `qty` shares and their fee cost at most `money`; zero when there is none.
fn highest(market: &Market, qty: Qty, money: Usd) -> Px {
    let mut px = money.max(Usd::ZERO).per(qty, Round::Down).unwrap_or(Px::ZERO).min(Px::ONE - market.tick).floor_to(market.tick);
    while px.is_positive() && spend(market, px, qty) > money {
        px -= market.tick;
    }
    px.max(Px::ZERO)
}
