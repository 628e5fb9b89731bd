//! The kill switch's effects, in order: no new risk (the switch itself), cancel everything on both venues, unwind what closes at a profit as
//! a whole, record, alert. And the ways back: the operator's reset, or the automatic one of replays.

use std::sync::Arc;

use pm_core::command::{Alert, Command, Severity, VenueCommand};
use pm_core::event::Operator;
use pm_core::ids::StructureId;
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::units::{Px, Usd};
use pm_risk::Trip;

use crate::engine::Engine;

impl Engine {
    pub(crate) fn on_operator(&mut self, order: &Operator, out: &mut Vec<Command>) {
        match order {
            Operator::Kill { reason } => {
                let trip = self.risk.kill(self.now, reason);
                self.on_trip(trip, out);
            }
            Operator::Reset { reason } => match self.risk.reset(self.now, reason) {
                Ok(()) => {
                    out.push(Command::KillSwitch(self.risk.record(self.now)));
                    self.alarm(Severity::High, "kill_switch_reset", &format!("kill switch reset by the operator: {reason}"), out);
                }
                Err(e) => self.alarm(Severity::Medium, "kill_switch_reset_refused", &e.to_string(), out),
            },
            Operator::Pause => self.risk.pause(),
            Operator::Resume => self.risk.resume(),
            Operator::Cancel { intent } => {
                if let Some(o) = self.orders.orders.get(intent).filter(|o| !o.state.is_done()) {
                    out.push(Command::Venue(VenueCommand::Cancel { venue: o.intent.venue, intent: *intent }));
                }
            }
        }
    }

    /// Acts on a trip.
    pub(crate) fn on_trip(&mut self, trip: Option<Trip>, out: &mut Vec<Command>) {
        let Some(trip) = trip else { return };
        self.stats.trips += 1;
        out.push(Command::KillSwitch(self.risk.record(self.now)));
        out.push(Command::Venue(VenueCommand::CancelAll { venue: self.prediction }));
        if let Some((venue, _)) = self.hedge_venue {
            out.push(Command::Venue(VenueCommand::CancelAll { venue }));
        }
        let mut after = StructureId(0);
        while let Some(id) =
            self.structures.open.range((core::ops::Bound::Excluded(after), core::ops::Bound::Unbounded)).next().map(|(id, _)| *id)
        {
            self.unwind_if_profitable(id, out);
            after = id;
        }
        self.alarm(Severity::Critical, trip.trigger.code(), &trip.text, out);
    }

    /// Closes a structure when all its legs together bring more than they cost, fees included. Both legs or neither.
    fn unwind_if_profitable(&mut self, id: StructureId, out: &mut Vec<Command>) {
        let mut total = Usd::ZERO;
        let mut any = false;
        for (_, target, position) in self.ledger.positions().filter(|(s, _, _)| *s == id) {
            let Some(value) = self.exit_value(target, &position) else { return };
            total += value - position.cost;
            any = true;
        }
        if !any || !(total + self.ledger.structure(id).net).is_positive() {
            return;
        }
        let closing: Vec<(Tradable, pm_ledger::Position)> =
            self.ledger.positions().filter(|(s, _, _)| *s == id).map(|(_, t, p)| (t, p)).collect();
        // All legs must be allowed to leave before any does: half an unwinding would be a new risk.
        let mut legs = Vec::with_capacity(closing.len());
        for (target, position) in closing {
            let side = if position.qty.is_positive() { Side::Sell } else { Side::Buy };
            let Some(limit) = self.exit_limit(target, side, &position) else { return };
            let venue = match target {
                Tradable::Outcome(..) => self.prediction,
                Tradable::Instrument(i) => self.markets.instrument(i).map_or(self.prediction, |s| s.instrument.venue),
            };
            let intent = OrderIntent {
                id: self.orders.next_id(),
                structure: id,
                venue,
                target,
                side,
                limit,
                qty: position.qty.abs(),
                tif: Tif::FillAndKill,
                purpose: Purpose::Reduce,
                decided_at: self.now,
            };
            let Ok(approved) = self.approve(intent) else { return };
            legs.push(approved);
        }
        let Some(structure) = self.structures.open.get_mut(&id) else { return };
        structure.unwinding = true;
        let opportunity = structure.opportunity;
        for approved in legs {
            self.send(approved, Some(opportunity), out);
        }
    }

    /// Worst price of the walk that closes the position now.
    fn exit_limit(&self, target: Tradable, side: Side, position: &pm_ledger::Position) -> Option<Px> {
        let outcome = match target {
            Tradable::Outcome(_, o) => o,
            Tradable::Instrument(_) => pm_core::market::Outcome::First,
        };
        let limit = if side == Side::Sell { Px::ZERO } else { Px::MAX };
        self.book_of(target)?.walk(outcome, side, position.qty.abs(), limit).worst
    }

    /// Replays and simulations: a trip ends at the next 00:00 UTC of market time, counted.
    pub(crate) fn auto_reset(&mut self, out: &mut Vec<Command>) {
        let day = self.now.utc_day();
        let rolled = self.last_day != i64::MIN && day > self.last_day;
        self.last_day = day;
        if !(rolled && self.cfg.engine.auto_reset && self.risk.tripped().is_some()) {
            return;
        }
        if self.risk.reset(self.now, "automatic reset at 00:00 UTC of a replay or simulation").is_ok() {
            self.stats.auto_resets += 1;
            out.push(Command::KillSwitch(self.risk.record(self.now)));
        }
    }

    /// A risk event for the record and, from `High` on, an alert.
    pub(crate) fn alarm(&mut self, severity: Severity, kind: &str, text: &str, out: &mut Vec<Command>) {
        self.row_risk(severity, kind, text, out);
        if severity >= Severity::High {
            out.push(Command::Alert(Alert { severity, text: Arc::from(text) }));
        }
    }
}
