//! Hedges the difference between target and confirmed exposure. Target = confirmed shares times the plan's delta, faded out over the exit
//! schedule; an unfilled leg has no target, a failed fill takes its target with it.

use pm_core::approval::Approved;
use pm_core::book::{Book, BookState};
use pm_core::budget::{Budget, LossBasis, Measures};
use pm_core::command::{Command, Severity};
use pm_core::fees::Liquidity;
use pm_core::ids::StructureId;
use pm_core::market::Outcome;
use pm_core::num::{Round, mul_div};
use pm_core::opportunity::{Hedge, HedgePlan};
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::refusal::Refusal;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_risk::{Exposure, GateContext};

use crate::engine::Engine;
use crate::structures::{Structure, Unwind};

impl Engine {
    /// What a structure needs next: its unwinding, or its missing leg and its hedge.
    pub(crate) fn tend(&mut self, id: StructureId, out: &mut Vec<Command>) {
        match self.structures.open.get(&id).map(|s| s.unwind) {
            None => {}
            Some(Unwind::No) => {
                self.balance_set(id, out);
                self.hedge(id, out);
            }
            Some(Unwind::Wanted | Unwind::Active) => self.unwind(id, out),
        }
    }

    /// Looks at every structure.
    pub(crate) fn tend_all(&mut self, out: &mut Vec<Command>) {
        let mut after = StructureId(0);
        while let Some(id) = self.structures.after(after) {
            self.tend(id, out);
            after = id;
        }
    }

    /// Brings one structure's hedge to its target, if it is further away than its band.
    fn hedge(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(structure) = self.structures.open.get(&id) else { return };
        let Hedge::Delta(plan) = structure.hedge else { return };
        let pending = self.orders.is_pending(id, Purpose::Hedge) || self.orders.is_pending(id, Purpose::Reduce);
        if pending || !structure.retry.due(self.now) {
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
        // Spent its budget: only towards flat from here.
        if structure.hedge_fees >= plan.max_cost && !reduces {
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
        // The hedge is opened once and held: chasing the delta of a digital costs more than the variance that it takes away.
        let full = Qty::from_raw(mul_div(shares.raw(), plan.per_share.raw(), pm_core::num::SCALE, Round::Down).unwrap_or(0));
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
        let Some(limit) = marketable(&slot.book, Outcome::First, side, self.cfg.engine.hedge_slip, slot.instrument.tick) else {
            return;
        };
        if reduces {
            if let Some(intent) = self.reducing(id, Tradable::Instrument(plan.instrument), side, qty, limit) {
                self.send_gated(intent, out);
            }
            return;
        }
        if qty.at(limit, Round::Down) < slot.instrument.min_notional {
            return;
        }
        let (venue, fees) = (slot.instrument.venue, slot.instrument.fees);
        let needs = qty.at(limit, Round::Up).scale_by(slot.instrument.initial_margin, Round::Up)
            + fees.fee(Liquidity::Taker, limit, qty, slot.ticker.index);
        let free = self.free_margin();
        if needs > free {
            self.say_short_of_margin(id, needs, free, out);
            return;
        }
        let intent = OrderIntent {
            id: self.orders.next_id(),
            structure: id,
            venue,
            target: Tradable::Instrument(plan.instrument),
            side,
            limit,
            qty,
            tif: Tif::FillAndKill,
            purpose: Purpose::Hedge,
            decided_at: self.now,
        };
        self.send_gated(intent, out);
    }

    /// A hedge that cannot be paid for is said once for each structure, and looked at again as long as it lasts.
    fn say_short_of_margin(&mut self, id: StructureId, needs: Usd, free: Usd, out: &mut Vec<Command>) {
        let Some(s) = self.structures.open.get_mut(&id) else { return };
        s.retry.missed(self.now);
        if !core::mem::replace(&mut s.short_of_margin, true) {
            let text = format!("structure {id} is not hedged: its hedge needs {needs} of margin and fee, {free} are free");
            self.alarm(Severity::High, "hedge_short_of_margin", &text, out);
        }
    }

    /// What the hedge venue would still accept as margin: cash and open results, less the margin of positions and of orders on their way.
    pub(crate) fn free_margin(&self) -> Usd {
        let Some((venue, currency)) = self.hedge_venue else { return Usd::ZERO };
        let mut free = self.ledger.cash(venue, currency);
        for (_, target, position) in self.ledger.positions() {
            let Tradable::Instrument(i) = target else { continue };
            let Some(slot) = self.markets.instrument(i).filter(|s| s.instrument.venue == venue) else { continue };
            let mark = slot.mark.or(position.avg).unwrap_or(Px::ZERO);
            free += self.unrealized(target, &position);
            free -= position.qty.abs().at(mark, Round::Up).scale_by(slot.instrument.initial_margin, Round::Up);
        }
        for intent in self.orders.orders.values().filter(|o| !o.state.is_done()).map(|o| &o.intent) {
            let (Tradable::Instrument(i), Purpose::Hedge) = (intent.target, intent.purpose) else { continue };
            let Some(slot) = self.markets.instrument(i) else { continue };
            free -= intent.qty.at(intent.limit, Round::Up).scale_by(slot.instrument.initial_margin, Round::Up);
        }
        free
    }

    /// Sends an order that is not an entry through the gates that apply to it; true when it left.
    pub(crate) fn send_gated(&mut self, intent: OrderIntent, out: &mut Vec<Command>) -> bool {
        let opportunity = self.structures.open.get(&intent.structure).map(|s| s.opportunity);
        // A refusal here is not an opportunity's: the next timer looks again.
        let Ok(approved) = self.approve(intent) else { return false };
        self.send(approved, opportunity, out);
        true
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
}

/// A limit that takes at the touch with a little room, on the grid; `None` without a touch.
pub(crate) fn marketable(book: &Book, outcome: Outcome, side: Side, slip: Ratio, tick: Px) -> Option<Px> {
    let touch = Some(book).filter(|b| b.state == BookState::Synced)?.touch(outcome, side)?.px;
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
        pending_entry_mark: Usd::ZERO,
    }
}
