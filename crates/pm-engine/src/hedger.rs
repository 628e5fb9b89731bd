//! Hedges the difference between target and confirmed exposure. Target = confirmed shares times the market's delta now, faded out over the
//! exit schedule; an unfilled leg has no target, a failed fill takes its target with it.

use pm_core::approval::Approved;
use pm_core::book::Book;
use pm_core::budget::{Budget, LossBasis, Measures};
use pm_core::command::Command;
use pm_core::fees::Liquidity;
use pm_core::ids::StructureId;
use pm_core::market::{Market, Outcome};
use pm_core::num::{Round, mul_div};
use pm_core::opportunity::{Hedge, HedgePlan, LegPlan};
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::refusal::Refusal;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_risk::{Exposure, GateContext};

use crate::engine::Engine;
use crate::structures::Structure;

impl Engine {
    /// Looks at every hedged structure.
    pub(crate) fn hedge_all(&mut self, out: &mut Vec<Command>) {
        let mut after = StructureId(0);
        while let Some(id) = self
            .structures
            .open
            .range((core::ops::Bound::Excluded(after), core::ops::Bound::Unbounded))
            .find(|(_, s)| matches!(s.hedge, Hedge::Delta(_)))
            .map(|(id, _)| *id)
        {
            self.hedge(id, out);
            after = id;
        }
    }

    /// Brings one structure's hedge to its target, if it is further away than its band.
    pub(crate) fn hedge(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(structure) = self.structures.open.get(&id) else { return };
        let Hedge::Delta(plan) = structure.hedge else { return };
        let pending = self.orders.is_pending(id, Purpose::Hedge) || self.orders.is_pending(id, Purpose::Reduce);
        if pending || structure.unwinding {
            return;
        }
        let target = self.hedge_target(id, structure, &plan);
        let actual = self.ledger.position(id, Tradable::Instrument(plan.instrument)).map_or(Qty::ZERO, |p| p.qty);
        let difference = target - actual;
        let closing = target.is_zero() && !actual.is_zero();
        if difference.is_zero() || (!closing && difference.abs() < plan.band) {
            return;
        }
        let reduces = target.abs() < actual.abs() && (target.raw() >= 0) == (actual.raw() >= 0) || target.is_zero();
        // Spent its budget, or the switch is tripped: only towards flat from here.
        let blocked = self.risk.tripped().is_some() || structure.hedge_fees >= plan.max_cost;
        if blocked && !reduces {
            return;
        }
        self.send_hedge(id, &plan, difference, reduces, out);
    }

    /// Signed base units that the structure's confirmed shares call for now.
    fn hedge_target(&self, id: StructureId, structure: &Structure, plan: &HedgePlan) -> Qty {
        let Some(leg) = structure.legs.first() else { return Qty::ZERO };
        let shares = self.ledger.position(id, Tradable::Outcome(leg.market, leg.outcome)).map_or(Qty::ZERO, |p| p.qty);
        let Some(slot) = self.markets.market(leg.market) else { return Qty::ZERO };
        if slot.resolved.is_some() || !shares.is_positive() {
            return Qty::ZERO;
        }
        let per_share = slot.fair.map_or(plan.per_share, |f| f.delta);
        let full = Qty::from_raw(mul_div(shares.raw(), per_share.raw(), pm_core::num::SCALE, Round::Down).unwrap_or(0));
        let left = self.exit_share(plan);
        let size = full.scale_by(left, Round::Down);
        // Long First gains when the underlying rises: hedge short. Long Second: the other way.
        if leg.outcome == Outcome::First { -size } else { size }
    }

    /// Share of the hedge that the exit schedule leaves: 1 before it begins, 0 after it ends.
    fn exit_share(&self, plan: &HedgePlan) -> Ratio {
        let into = self.now.since(plan.exit_from).nanos();
        if into <= 0 {
            return Ratio::ONE;
        }
        let over = plan.exit_over.nanos();
        if into >= over {
            return Ratio::ZERO;
        }
        Ratio::from_raw(mul_div(over - into, pm_core::num::SCALE, over, Round::Down).unwrap_or(0))
    }

    fn send_hedge(&mut self, id: StructureId, plan: &HedgePlan, difference: Qty, reduces: bool, out: &mut Vec<Command>) {
        let Some(slot) = self.markets.instrument(plan.instrument) else { return };
        let Some(qty) = slot.instrument.lot_floor(difference.abs()) else { return };
        let side = if difference.is_positive() { Side::Buy } else { Side::Sell };
        let Some(limit) = marketable(&slot.book, side, self.cfg.engine.hedge_slip, slot.instrument.tick) else { return };
        if !reduces && qty.at(limit, Round::Down) < slot.instrument.min_notional {
            return;
        }
        let venue = slot.instrument.venue;
        let margin = qty.at(limit, Round::Up).scale_by(slot.instrument.initial_margin, Round::Up);
        if !reduces && margin > self.ledger.cash(venue, slot.instrument.currency) {
            return;
        }
        let purpose = if reduces { Purpose::Reduce } else { Purpose::Hedge };
        let intent = OrderIntent {
            id: self.orders.next_id(),
            structure: id,
            venue,
            target: Tradable::Instrument(plan.instrument),
            side,
            limit,
            qty,
            tif: Tif::FillAndKill,
            purpose,
            decided_at: self.now,
        };
        self.send_gated(intent, out);
    }

    /// Sends an order that is not an entry through the gates that apply to it.
    pub(crate) fn send_gated(&mut self, intent: OrderIntent, out: &mut Vec<Command>) {
        let opportunity = self.structures.open.get(&intent.structure).map(|s| s.opportunity);
        // A refusal here is not an opportunity's: the next timer looks again.
        if let Ok(approved) = self.approve(intent) {
            self.send(approved, opportunity, out);
        }
    }

    /// Asks the gates about an order that is not an entry.
    #[allow(clippy::result_large_err, reason = "a refusal is small talk beside the order that it is about")]
    pub(crate) fn approve(&self, intent: OrderIntent) -> Result<Approved, Refusal> {
        let (market, instrument) = match intent.target {
            Tradable::Outcome(m, _) => (self.markets.market(m).map(|s| &s.market), None),
            Tradable::Instrument(i) => (None, self.markets.instrument(i).map(|s| &s.instrument)),
        };
        let ctx = GateContext {
            now: self.now,
            market,
            instrument,
            book: self.book_of(intent.target),
            budget: unlimited(self.equity),
            measures: Measures::default(),
            exposure: idle(self.now, self.equity),
            intent_known: self.orders.orders.contains_key(&intent.id),
            unknown_orders: false,
        };
        Approved::by(&self.risk.gates(ctx), intent)
    }

    /// Buys the missing shares of an incomplete set at a price at which the whole set, `complete` shares of each leg, still costs no more
    /// than it is sure to pay: what was spent, fees and the fee of the missing shares included.
    pub(crate) fn buy_missing(
        &mut self,
        id: StructureId,
        leg: &LegPlan,
        (complete, missing): (Qty, Qty),
        out: &mut Vec<Command>,
    ) {
        let Some(structure) = self.structures.open.get(&id) else { return };
        let Some(slot) = self.markets.market(leg.market) else { return };
        let cost: Usd = self.ledger.positions().filter(|(s, ..)| *s == id).map(|(_, _, p)| p.cost).sum();
        let left = complete.at(structure.floor, Round::Down) - (cost - self.ledger.structure(id).net);
        let room = highest(&slot.market, missing, left);
        let touch = slot.book.touch(leg.outcome, Side::Buy).map(|l| l.px);
        let min_ok = missing >= slot.market.min_qty && missing.at(room, Round::Down) >= slot.market.min_notional;
        if touch.is_none_or(|t| t > room) || !min_ok || !room.is_probability() || self.risk.tripped().is_some() {
            return;
        }
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
        self.send_gated(intent, out);
    }
}

/// The highest price on the grid at which `qty` shares and their fee cost at most `money`; zero when there is none.
fn highest(market: &Market, qty: Qty, money: Usd) -> Px {
    let fits = |px: Px| qty.at(px, Round::Up) + market.fees.fee(Liquidity::Taker, px, qty, None) <= money;
    let mut px = money.max(Usd::ZERO).per(qty, Round::Down).unwrap_or(Px::ZERO).min(Px::ONE - market.tick).floor_to(market.tick);
    while px.is_positive() && !fits(px) {
        px -= market.tick;
    }
    px.max(Px::ZERO)
}

/// A limit that takes at the touch with a little room, on the grid; `None` without a touch.
pub(crate) fn marketable(book: &Book, side: Side, slip: Ratio, tick: Px) -> Option<Px> {
    let touch = book.touch(Outcome::First, side)?.px;
    let room = touch.scale_by(slip, Round::Up);
    Some(match side {
        Side::Buy => (touch + room).ceil_to(tick),
        Side::Sell => (touch - room).floor_to(tick),
    })
}

/// Hedges and reductions are not limited by the entry budget: they make what is open smaller.
fn unlimited(bankroll: Usd) -> Budget {
    Budget {
        bankroll,
        basis: LossBasis::WorstCase,
        bankroll_share: Usd::MAX,
        cash: Usd::MAX,
        structure_loss: Usd::MAX,
        day_loss: Usd::MAX,
        week_loss: Usd::MAX,
        market: Usd::MAX,
        expiry: Usd::MAX,
        underlying: Usd::MAX,
    }
}

fn idle(now: pm_core::time::Ts, bankroll: Usd) -> Exposure {
    Exposure {
        now,
        bankroll,
        cash: Usd::MAX,
        open_worst_loss: Usd::ZERO,
        long_dated: false,
        long_dated_worst_loss: Usd::ZERO,
        market_notional: Usd::ZERO,
        expiry_notional: Usd::ZERO,
        underlying_notional: Usd::ZERO,
        open_structures: 0,
        structure_in_market: false,
        cooling_until: None,
    }
}
