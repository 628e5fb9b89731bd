//! What venues confirmed: orders, fills, settlement, results. Only here does money move in the ledger, and only on a venue's word.

use pm_core::command::{Command, Severity};
use pm_core::event::CashMovement;
use pm_core::fees::Liquidity;
use pm_core::ids::{MarketIdx, StructureId, VenueId};
use pm_core::order::{Fill, OrderState, OrderUpdate, Purpose, SettlementState, SettlementUpdate, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Qty, Ratio, Usd};
use pm_ledger::{FeeHop, Posting};
use pm_risk::FailedExecution;

use crate::engine::Engine;
use crate::orders::Change;
use crate::stats::Tally;
use crate::structures::Stage;

impl Engine {
    pub(crate) fn on_order(&mut self, update: &OrderUpdate, out: &mut Vec<Command>) {
        let change = self.orders.update(update);
        if change == Change::None {
            return;
        }
        self.row_order_event(update, out);
        let Some(order) = self.orders.orders.get(&update.intent) else { return };
        let (structure, purpose, state, reason) = (order.intent.structure, order.intent.purpose, order.state, order.reason);
        let venue = order.intent.venue;
        if state == OrderState::Unknown {
            let trip = self.risk.on_failed_execution(self.now, FailedExecution::Unknown);
            self.on_trip(trip, out);
        }
        if change == Change::Done {
            self.on_done(structure, (venue, purpose), reason, out);
        }
    }

    fn on_done(
        &mut self,
        structure: StructureId,
        (venue, purpose): (VenueId, Purpose),
        reason: Option<VenueRefusal>,
        out: &mut Vec<Command>,
    ) {
        match reason {
            Some(VenueRefusal::Restricted) => {
                let trip = self.risk.on_venue_word(self.now, venue, pm_core::event::VenueWord::ClosedOnly);
                self.on_trip(trip, out);
            }
            Some(reason) if !reason.is_normal() => {
                let what = if purpose == Purpose::Hedge { FailedExecution::Hedge } else { FailedExecution::Refused(reason) };
                let trip = self.risk.on_failed_execution(self.now, what);
                self.on_trip(trip, out);
            }
            _ => {}
        }
        self.release_pending(structure);
        self.complete_set(structure, out);
        self.hedge(structure, out);
        self.finish_structures(out);
    }

    /// Once no entry order is out, nothing is pending any more.
    fn release_pending(&mut self, id: StructureId) {
        if self.orders.is_pending(id, Purpose::Entry) {
            return;
        }
        if let Some(s) = self.structures.open.get_mut(&id) {
            s.pending_outlay = Usd::ZERO;
        }
    }

    pub(crate) fn on_fill(&mut self, fill: &Fill, out: &mut Vec<Command>) {
        let Some(order) = self.orders.fill(fill) else { return };
        let (structure, venue, purpose) = (order.intent.structure, order.intent.venue, order.intent.purpose);
        let currency = self.currency_of(fill.target);
        let hop = match (fill.target, fill.liquidity) {
            (Tradable::Outcome(..), Liquidity::Taker) => FeeHop::PredictionTaker,
            (Tradable::Outcome(..), Liquidity::Maker) => FeeHop::PredictionMaker,
            (Tradable::Instrument(_), Liquidity::Taker) => FeeHop::HedgeTaker,
            (Tradable::Instrument(_), Liquidity::Maker) => FeeHop::HedgeMaker,
        };
        let class = self.structures.open.get(&structure).map(|s| s.class);
        let before = self.ledger.structure(structure).gross;
        let posting = Posting::Fill { fill, structure, class, venue, currency, hop };
        if let Err(e) = self.ledger.post(posting) {
            self.alarm(Severity::Critical, "ledger", &e.to_string(), out);
            return;
        }
        let realized = self.ledger.structure(structure).gross - before;
        if let Some(order) = self.orders.orders.get_mut(&fill.intent) {
            order.realized += realized;
        }
        self.row_fill(fill.id, out);
        self.pay_late(fill.target, out);
        if let Some(s) = self.structures.open.get_mut(&structure) {
            s.stage = Stage::Open;
            if purpose == Purpose::Entry {
                let used = fill.qty.at(fill.px, pm_core::num::Round::Up) + fill.fee;
                s.pending_outlay = (s.pending_outlay - used).max(Usd::ZERO);
            }
            if matches!(fill.target, Tradable::Instrument(_)) {
                s.hedge_fees += fill.fee;
                s.hedged = true;
            }
        }
        self.release_pending(structure);
        self.mark_now(out);
        self.row_position(structure, None, out);
        self.hedge(structure, out);
        self.finish_structures(out);
    }

    /// A fill that was on its way when its market resolved is paid like the others.
    fn pay_late(&mut self, target: Tradable, out: &mut Vec<Command>) {
        let Tradable::Outcome(market, _) = target else { return };
        let Some(first_pays) = self.markets.market(market).and_then(|s| s.resolved) else { return };
        let posting =
            Posting::Resolve { market, first_pays, venue: self.prediction, currency: self.prediction_currency, at: self.now };
        if let Err(e) = self.ledger.post(posting) {
            self.alarm(Severity::Critical, "ledger", &e.to_string(), out);
        }
    }

    /// MINED, CONFIRMED: noted. FAILED: the fill is reversed, exactly, and the hedger sees a smaller target.
    pub(crate) fn on_settlement(&mut self, update: &SettlementUpdate, out: &mut Vec<Command>) {
        let Some(fill) = self.orders.settle(update) else { return };
        self.row_fill(update.fill, out);
        if update.state == SettlementState::Failed {
            self.stats.failed_fills += 1;
            if let Err(e) = self.ledger.post(Posting::Reverse { fill: update.fill, at: self.now }) {
                self.alarm(Severity::Critical, "ledger", &e.to_string(), out);
            }
            self.alarm(
                Severity::High,
                "settlement_failed",
                &format!("fill {:032x} failed to settle: {} at {} reversed", update.fill.0, fill.qty, fill.px),
                out,
            );
            let trip = self.risk.on_failed_execution(self.now, FailedExecution::Settlement);
            self.on_trip(trip, out);
            self.mark_now(out);
            self.row_position(fill.structure, None, out);
            self.hedge(fill.structure, out);
        }
        self.finish_structures(out);
    }

    pub(crate) fn on_resolved(&mut self, idx: MarketIdx, first_pays: Ratio, at: Ts, out: &mut Vec<Command>) {
        let now = self.now;
        let Some(slot) = self.markets.market_mut(idx) else { return };
        if slot.resolved.is_some() {
            return;
        }
        slot.resolved = Some(first_pays);
        slot.resolved_at = now;
        slot.market.accepting = false;
        self.stats.resolved += 1;
        self.markets.retire(idx);
        let posting = Posting::Resolve {
            market: idx,
            first_pays,
            venue: self.prediction,
            currency: self.prediction_currency,
            at: at.max(Ts::ZERO),
        };
        if let Err(e) = self.ledger.post(posting) {
            self.alarm(Severity::Critical, "ledger", &e.to_string(), out);
        }
        let mut held = false;
        for structure in self.structures.open.values_mut().filter(|s| s.touches(idx)) {
            structure.paid.insert(idx, first_pays);
            held = true;
        }
        if held {
            self.mark_now(out);
            self.hedge_all(out);
            self.finish_structures(out);
        }
    }

    pub(crate) fn on_cash(&mut self, movement: &CashMovement, out: &mut Vec<Command>) {
        // Funding belongs to the structures that hold the instrument; with one, to that one.
        let structure = match movement.kind {
            pm_core::event::CashKind::Funding { instrument } => {
                let mut holders =
                    self.ledger.positions().filter(|(_, t, _)| *t == Tradable::Instrument(instrument)).map(|(s, _, _)| s);
                let first = holders.next();
                if holders.next().is_some() { None } else { first }
            }
            _ => None,
        };
        let class = structure.and_then(|s| self.structures.open.get(&s)).map(|s| s.class);
        if let Err(e) = self.ledger.post(Posting::Movement { movement, structure, class }) {
            self.alarm(Severity::Critical, "ledger", &e.to_string(), out);
        }
        self.mark_now(out);
    }

    /// A set with one leg short of the other: the missing shares are bought once more if the set still pays; else the rest is kept and
    /// counted at its full cost.
    fn complete_set(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(s) = self.structures.open.get(&id) else { return };
        if s.completed || s.unwinding || s.legs.len() < 2 || self.orders.is_pending(id, Purpose::Entry) {
            return;
        }
        let held = |leg: &pm_core::opportunity::LegPlan| {
            self.ledger
                .position(id, Tradable::Outcome(leg.market, leg.outcome))
                .map_or((Qty::ZERO, Usd::ZERO), |p| (p.qty, p.cost))
        };
        let most = s.legs.iter().map(|l| held(l).0).max().unwrap_or_default();
        let Some(short) = s.legs.iter().min_by_key(|l| held(l).0).copied() else { return };
        let missing = (most - held(&short).0).floor_to(Qty::from_raw(1_000_000));
        if let Some(s) = self.structures.open.get_mut(&id) {
            s.completed = true;
        }
        if missing.is_positive() {
            self.buy_missing(id, &short, (most, missing), out);
        }
    }

    /// Closes structures that hold nothing any more and whose fills are final.
    pub(crate) fn finish_structures(&mut self, out: &mut Vec<Command>) {
        let done = |engine: &Self, id: &StructureId| {
            engine.orders.pending(*id).next().is_none()
                && !engine.orders.is_pending(*id, Purpose::Entry)
                && engine.orders.all_final(*id)
                && !engine.ledger.positions().any(|(s, _, _)| s == *id)
        };
        while let Some(id) = self.structures.open.keys().find(|id| done(self, id)).copied() {
            self.close_structure(id, out);
        }
    }

    fn close_structure(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let Some(structure) = self.structures.open.remove(&id) else { return };
        let cooldown = self.now + Dur::from_millis(i64::from(self.cfg.risk.cooldown_ms));
        for leg in structure.legs.iter() {
            if let Some(slot) = self.markets.market_mut(leg.market) {
                slot.open_structures = slot.open_structures.saturating_sub(1);
                slot.cooling_until = cooldown;
            }
        }
        // Another episode of the same candidate may be tried after the cooldown.
        for episode in self.episodes.open.values_mut().filter(|e| e.row.structure == Some(id)) {
            episode.seen_at = Ts::ZERO;
        }
        if structure.stage == Stage::Opening {
            self.stats.aborted += 1;
        } else {
            let result = self.ledger.structure(id);
            let won = result.net.is_positive();
            let tally = |t: &mut Tally| {
                t.trades += 1;
                t.wins += u32::from(won);
                t.losses += u32::from(!won);
                t.hedged += u32::from(structure.hedged);
                t.net += result.net;
            };
            tally(&mut self.stats.total);
            tally(self.stats.by_strategy.entry(structure.strategy).or_default());
            tally(self.stats.by_class.entry(structure.class).or_default());
            self.stats.expected_wins += if structure.floor.is_positive() { pm_core::units::Px::ONE } else { structure.expected };
            self.stats.held = self.stats.held + self.now.since(structure.opened_at);
            self.stats.notional += self
                .orders
                .orders
                .values()
                .filter(|o| o.intent.structure == id && structure.is_leg(o.intent.target))
                .map(|o| o.cash)
                .sum();
            self.row_trades(id, &structure, out);
            self.row_position(id, Some(&structure), out);
        }
        self.orders.forget(id);
        self.ledger.forget(id);
    }

    fn currency_of(&self, target: Tradable) -> pm_core::ids::CurrencyId {
        match target {
            Tradable::Outcome(m, _) => self.markets.market(m).map_or(self.prediction_currency, |s| s.market.currency),
            Tradable::Instrument(i) => self
                .markets
                .instrument(i)
                .map_or_else(|| self.hedge_venue.map(|h| h.1).unwrap_or_default(), |s| s.instrument.currency),
        }
    }
}
