//! What venues confirmed: orders, fills, settlement, results. Only here does money move in the ledger, and only on a venue's word.

use pm_core::command::{Command, Severity};
use pm_core::event::{CashKind, CashMovement};
use pm_core::fees::{FeeHop, Liquidity};
use pm_core::ids::{FillId, InstrumentIdx, IntentId, MarketIdx, StructureId, VenueId};
use pm_core::num::mul_div;
use pm_core::order::{Fill, OrderState, OrderUpdate, Purpose, SettlementState, SettlementUpdate, Side, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_ledger::Posting;
use pm_risk::FailedExecution;

use crate::engine::Engine;
use crate::orders::{Change, Taken};
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
        let brought = order.matched.is_positive() || order.stated.is_positive();
        if state == OrderState::Unknown {
            let trip = self.risk.on_failed_execution(self.now, FailedExecution::Unknown);
            self.on_trip(trip, out);
        }
        if change == Change::Done {
            self.on_done(structure, (venue, purpose), (reason, brought), out);
        }
    }

    fn on_done(
        &mut self,
        structure: StructureId,
        (venue, purpose): (VenueId, Purpose),
        (reason, brought): (Option<VenueRefusal>, bool),
        out: &mut Vec<Command>,
    ) {
        match reason {
            Some(VenueRefusal::Restricted) => self.on_venue_word(venue, pm_core::event::VenueWord::ClosedOnly, out),
            Some(reason) if !reason.is_normal() => {
                let what = if purpose == Purpose::Hedge { FailedExecution::Hedge } else { FailedExecution::Refused(reason) };
                let trip = self.risk.on_failed_execution(self.now, what);
                self.on_trip(trip, out);
            }
            _ => {}
        }
        if let Some(s) = self.structures.open.get_mut(&structure).filter(|_| purpose != Purpose::Entry) {
            // Asked again at once, a venue only says no again.
            if brought { s.retry.clear() } else { s.retry.missed(self.now) }
        }
        self.release_pending(structure);
        self.tend(structure, out);
        self.finish_structures(out);
    }

    /// Once no purchase is out, nothing is pending any more.
    fn release_pending(&mut self, id: StructureId) {
        let (buys, entering) = (self.orders.buys_pending(id), self.orders.is_pending(id, Purpose::Entry));
        let Some(s) = self.structures.open.get_mut(&id) else { return };
        s.entering &= entering;
        if !buys {
            s.pending_outlay = Usd::ZERO;
        }
    }

    pub(crate) fn on_fill(&mut self, fill: &Fill, out: &mut Vec<Command>) {
        match self.orders.fill(fill) {
            Taken::New => {}
            Taken::Duplicate => return,
            Taken::Void => return self.on_void_fill(fill, out),
            Taken::Foreign => {
                let text = format!("fill {:032x}: {} at {} of an order that is not known", fill.id.0, fill.qty, fill.px);
                return self.alarm(Severity::High, "foreign_fill", &text, out);
            }
        }
        let Some(order) = self.orders.orders.get(&fill.intent) else { return };
        let (structure, venue) = (order.intent.structure, order.intent.venue);
        let currency = self.currency_of(fill.target);
        let class = self.structures.open.get(&structure).map(|s| s.class);
        let before = self.ledger.leg(structure, fill.target);
        let hop = FeeHop::of(fill.target, fill.liquidity);
        if let Err(e) = self.ledger.post(Posting::Fill { fill, structure, class, venue, currency, hop }) {
            return self.books_broken(&e.to_string(), out);
        }
        let realized = self.ledger.leg(structure, fill.target) - before;
        if let Some(order) = self.orders.orders.get_mut(&fill.intent) {
            order.realized += realized;
        }
        self.check_fee(fill, structure, out);
        self.row_fill(fill.id, out);
        self.pay_late(fill.target, out);
        if let Some(s) = self.structures.open.get_mut(&structure) {
            s.stage = Stage::Open;
            if fill.side == Side::Buy && matches!(fill.target, Tradable::Outcome(..)) {
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
        if let Some(word) = self.orders.early_word(fill.id) {
            self.on_settlement(&word, out);
        }
        self.tend(structure, out);
        self.owed_shares(structure, fill.target, out);
        self.finish_structures(out);
    }

    /// Void from its first message on: nothing is booked.
    fn on_void_fill(&mut self, fill: &Fill, out: &mut Vec<Command>) {
        self.row_fill(fill.id, out);
        let Some(structure) = self.orders.orders.get(&fill.intent).map(|o| o.intent.structure) else { return };
        if let Some(s) = self.structures.open.get_mut(&structure) {
            s.stage = Stage::Open;
        }
        self.failed_to_settle(fill.id, fill.intent, (fill.qty, fill.px), out);
        self.release_pending(structure);
        self.tend(structure, out);
        self.finish_structures(out);
    }

    /// More shares sold than held: possible when a buy fails after its shares were sold on. The venue will ask for them.
    fn owed_shares(&mut self, structure: StructureId, target: Tradable, out: &mut Vec<Command>) {
        let owed = self.ledger.position(structure, target).filter(|p| p.qty.is_negative());
        if let (Some(owed), Tradable::Outcome(..)) = (owed, target) {
            self.books_broken(&format!("structure {structure} sold {} shares that it does not hold", owed.qty.abs()), out);
        }
    }

    /// What a venue charges is compared with its schedule at every fill.
    fn check_fee(&mut self, fill: &Fill, structure: StructureId, out: &mut Vec<Command>) {
        let Some(expected) = self.expected_fee(fill.target, fill.liquidity, fill.px, fill.qty) else { return };
        let notional = fill.qty.at(fill.px, pm_core::num::Round::Up);
        let hop = FeeHop::of(fill.target, fill.liquidity);
        if let Some(off) = self.commission.on_fill(structure, hop, notional, expected, fill.fee) {
            self.alarm(Severity::High, "fee_off_schedule", &off.to_string(), out);
        }
    }

    fn expected_fee(&self, target: Tradable, liquidity: Liquidity, px: Px, qty: Qty) -> Option<Usd> {
        let (fees, index) = match target {
            Tradable::Outcome(m, _) => (self.markets.market(m)?.market.fees, None),
            Tradable::Instrument(i) => {
                let slot = self.markets.instrument(i)?;
                (slot.instrument.fees, slot.ticker.index)
            }
        };
        Some(fees.fee(liquidity, px, qty, index))
    }

    /// A fill that was on its way when its market resolved is paid like the others.
    fn pay_late(&mut self, target: Tradable, out: &mut Vec<Command>) {
        let Tradable::Outcome(market, _) = target else { return };
        let Some(first_pays) = self.markets.market(market).and_then(|s| s.resolved) else { return };
        let posting =
            Posting::Resolve { market, first_pays, venue: self.prediction, currency: self.prediction_currency, at: self.now };
        if let Err(e) = self.ledger.post(posting) {
            self.books_broken(&e.to_string(), out);
        }
    }

    /// MINED, CONFIRMED: noted. FAILED: the fill is reversed, exactly, and the hedger sees a smaller target.
    pub(crate) fn on_settlement(&mut self, update: &SettlementUpdate, out: &mut Vec<Command>) {
        let Some(fill) = self.orders.settle(update) else { return };
        self.row_fill(update.fill, out);
        if update.state == SettlementState::Failed {
            if let Err(e) = self.ledger.post(Posting::Reverse { fill: update.fill, at: self.now }) {
                self.books_broken(&e.to_string(), out);
            }
            if let Some(expected) = self.expected_fee(fill.target, fill.liquidity, fill.px, fill.qty) {
                let (hop, notional) = (FeeHop::of(fill.target, fill.liquidity), fill.qty.at(fill.px, pm_core::num::Round::Up));
                self.commission.on_reversal(fill.structure, hop, notional, expected, fill.fee);
            }
            self.failed_to_settle(update.fill, fill.intent, (fill.qty, fill.px), out);
            self.mark_now(out);
            self.row_position(fill.structure, None, out);
            if let Some(s) = self.structures.open.get_mut(&fill.structure) {
                // The set may be completed once more.
                s.completed = false;
            }
            self.tend(fill.structure, out);
            self.owed_shares(fill.structure, fill.target, out);
        }
        self.finish_structures(out);
    }

    /// Counts, tells, and looks at the trigger: several fills of one order that fail are one failed execution.
    fn failed_to_settle(&mut self, id: FillId, intent: IntentId, (qty, px): (Qty, Px), out: &mut Vec<Command>) {
        self.stats.failed_fills += 1;
        let text = format!("fill {:032x} failed to settle: {qty} at {px} reversed", id.0);
        self.alarm(Severity::High, "settlement_failed", &text, out);
        if self.orders.first_failure(intent) {
            let trip = self.risk.on_failed_execution(self.now, FailedExecution::Settlement);
            self.on_trip(trip, out);
        }
    }

    pub(crate) fn on_resolved(&mut self, idx: MarketIdx, first_pays: Ratio, at: Ts, out: &mut Vec<Command>) {
        let now = self.now;
        let Some(slot) = self.markets.market_mut(idx) else { return };
        if let Some(before) = slot.resolved {
            if before != first_pays {
                let text = format!("market {} resolved at {first_pays} after {before}", slot.market.slug);
                self.books_broken(&text, out);
            }
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
            self.books_broken(&e.to_string(), out);
        }
        let mut held = false;
        for structure in self.structures.open.values_mut().filter(|s| s.touches(idx)) {
            structure.paid.insert(idx, first_pays);
            held = true;
        }
        if held {
            self.mark_now(out);
            self.tend_all(out);
            self.finish_structures(out);
        }
    }

    pub(crate) fn on_cash(&mut self, movement: &CashMovement, out: &mut Vec<Command>) {
        match movement.kind {
            CashKind::Funding { instrument } => self.split_funding(movement, instrument, out),
            _ => self.book_cash(movement, None, out),
        }
        self.mark_now(out);
    }

    /// Funding belongs to the structures that hold the instrument, each by its signed quantity; the last one takes what rounding leaves.
    fn split_funding(&mut self, movement: &CashMovement, instrument: InstrumentIdx, out: &mut Vec<Command>) {
        let holders: Vec<(StructureId, Qty)> = self
            .ledger
            .positions()
            .filter(|(_, t, _)| *t == Tradable::Instrument(instrument))
            .map(|(s, _, p)| (s, p.qty))
            .collect();
        let all: Qty = holders.iter().map(|(_, q)| *q).sum();
        if all.is_zero() {
            return self.book_cash(movement, None, out);
        }
        let mut left = movement.amount;
        for (n, (structure, qty)) in holders.iter().enumerate() {
            let part =
                mul_div(movement.amount.raw(), qty.raw(), all.raw(), pm_core::num::Round::Down).map_or(Usd::ZERO, Usd::from_raw);
            let amount = if n + 1 == holders.len() { left } else { part };
            left -= amount;
            self.book_cash(&CashMovement { amount, ..*movement }, Some(*structure), out);
        }
    }

    fn book_cash(&mut self, movement: &CashMovement, structure: Option<StructureId>, out: &mut Vec<Command>) {
        let class = structure.and_then(|s| self.structures.open.get(&s)).map(|s| s.class);
        if let Err(e) = self.ledger.post(Posting::Movement { movement, structure, class }) {
            self.books_broken(&e.to_string(), out);
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
        let cooldown = self.risk.cooling_until(self.now);
        for leg in structure.legs.iter() {
            if let Some(slot) = self.markets.market_mut(leg.market) {
                slot.open_structures = slot.open_structures.saturating_sub(1);
                slot.cooling_until = cooldown;
            }
        }
        self.close_episodes_of(id, out);
        if structure.stage == Stage::Opening {
            self.stats.aborted += 1;
        } else if !structure.hedged && self.orders.of(id).all(|o| o.filled.is_zero()) {
            // Every fill was void: nothing was traded.
            self.stats.aborted += 1;
            self.row_trades(id, &structure, out);
            self.row_position(id, Some(&structure), out);
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
            let bought = self.orders.of(id).filter(|o| o.intent.side == Side::Buy && structure.is_leg(o.intent.target));
            self.stats.notional += bought.map(|o| o.cash).sum();
            self.row_trades(id, &structure, out);
            self.row_position(id, Some(&structure), out);
        }
        self.orders.forget(id);
        self.ledger.forget(id);
        self.commission.forget(id);
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
