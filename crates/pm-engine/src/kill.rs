//! The kill switch's effects, in order: no new risk (the switch itself), cancel everything on both venues, unwind what closes at a profit as
//! a whole, record, alert. And the ways back: the operator's reset, or the automatic one of replays.

use std::sync::Arc;

use pm_core::command::{Alert, Command, Severity, VenueCommand};
use pm_core::event::{Operator, VenueWord};
use pm_core::ids::VenueId;
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

    /// A venue's word. A no is recorded and told even when the switch is tripped already: a ban must not be forgotten at the next reset.
    pub(crate) fn on_venue_word(&mut self, venue: VenueId, word: VenueWord, out: &mut Vec<Command>) {
        let closed = self.risk.closed_venues().count();
        let trip = self.risk.on_venue_word(self.now, venue, word);
        if trip.is_none() && self.risk.closed_venues().count() > closed {
            out.push(Command::KillSwitch(self.risk.record(self.now)));
            out.push(Command::Venue(VenueCommand::CancelAll { venue }));
            let name = self.cfg.catalog.venue_info(venue).map_or_else(|| format!("venue:{venue}"), |v| v.name.to_string());
            self.alarm(Severity::Critical, "venue_no", &format!("{name} says {word:?}; the switch was tripped already"), out);
        }
        self.on_trip(trip, out);
    }

    /// A fact that a venue confirmed could not be booked, or contradicts what was booked: nothing new until a person has looked.
    pub(crate) fn books_broken(&mut self, what: &str, out: &mut Vec<Command>) {
        let trip = self.risk.on_broken_books(self.now, what);
        if trip.is_none() {
            self.alarm(Severity::Critical, "books", what, out);
        }
        self.on_trip(trip, out);
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
        self.want_unwinding(out);
        self.alarm(Severity::Critical, trip.trigger.code(), &trip.text, out);
    }

    /// Replays and simulations: a trip ends at the next 00:00 UTC of market time, counted.
    pub(crate) fn auto_reset(&mut self, out: &mut Vec<Command>) {
        let day = self.now.utc_day();
        let rolled = self.last_day != i64::MIN && day > self.last_day;
        self.last_day = day;
        // What a person ended, or must look at, no midnight begins again.
        let by_itself = self.risk.tripped().is_some_and(|t| !t.trigger.needs_a_person());
        if !(rolled && self.cfg.engine.auto_reset && by_itself) {
            return;
        }
        if self.risk.reset(self.now, "automatic reset at 00:00 UTC of a replay or simulation").is_ok() {
            self.stats.auto_resets += 1;
            out.push(Command::KillSwitch(self.risk.record(self.now)));
            self.alarm(Severity::Medium, "kill_switch_reset", "automatic reset at 00:00 UTC of a replay or simulation", out);
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
