//! The kill switch with its triggers, and what it remembers.

use std::sync::Arc;

use pm_core::command::KillRecord;
use pm_core::event::{Endpoint, VenueWord};
use pm_core::ids::{StructureId, VenueId};
use pm_core::num::{Round, SCALE};
use pm_core::order::Purpose;
use pm_core::refusal::Refusal;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Ratio, Usd};

use crate::config::{RiskConfig, millis, seconds};
use crate::kill::{FailedExecution, ResetError, Trigger, Trip};
use crate::periods::{DayView, DrawdownView, Period, Periods, fraction};
use crate::venues::Venues;
use crate::windows::{Failures, Latencies, LatencyRule};

/// Risk of one run: one switch over all venues.
#[derive(Debug, Clone)]
pub struct Risk {
    cfg: RiskConfig,
    tripped: Option<Trip>,
    /// Last change of the switch, for the record: when and why.
    changed: Option<(Ts, Arc<str>)>,
    paused: bool,
    periods: Periods,
    failures: Failures,
    latencies: Latencies,
    venues: Venues,
}

/// `loss > limit * whole`, exactly. A whole of zero or less bears no loss.
fn exceeds(loss: Usd, limit: Ratio, whole: Usd) -> bool {
    let borne = i128::from(limit.raw()) * i128::from(whole.raw().max(0));
    loss.is_positive() && i128::from(loss.raw()) * i128::from(SCALE) > borne
}

impl Risk {
    /// From checked settings ([`RiskConfig::validate`]).
    #[must_use]
    pub fn new(cfg: RiskConfig) -> Self {
        Self {
            cfg,
            tripped: None,
            changed: None,
            paused: false,
            periods: Periods::default(),
            failures: Failures::default(),
            latencies: Latencies::default(),
            venues: Venues::default(),
        }
    }

    /// Settings.
    #[must_use]
    pub const fn config(&self) -> &RiskConfig {
        &self.cfg
    }

    /// Names a venue for texts and for the reason of a reset. Without a name it is `venue:<id>`.
    pub fn name_venue(&mut self, venue: VenueId, name: impl Into<Arc<str>>) {
        self.venues.name(venue, name.into());
    }

    // --- triggers: each gives the trip exactly when it trips the switch now ---

    /// New equity (cash plus positions at the mark) and net transfers, cumulative since the start. Rolls the day at 00:00 UTC and the week
    /// on Monday: a period opens with the equity last seen before it. Trips when the loss of the day is above its limit.
    pub fn on_equity(&mut self, now: Ts, equity: Usd, net_transfers: Usd) -> Option<Trip> {
        self.periods.see(now, equity, net_transfers);
        let day = self.periods.day.as_ref()?;
        let (loss, bankroll) = (day.loss(&self.periods), day.bankroll(&self.periods));
        let limit = self.cfg.max_daily_loss;
        if !exceeds(loss, limit, bankroll) {
            return None;
        }
        self.trip(Trigger::DailyLoss, now, || format!("{loss} lost since 00:00 UTC; the limit is {limit} of {bankroll}"))
    }

    /// Realised result after fees, cumulative since the start. Optional: with it the `worst_case` room counts what is open once, by its
    /// worst loss; without it a marked loss of what is open counts, too, and gains do not.
    pub fn on_realized(&mut self, now: Ts, realized_total: Usd) {
        self.periods.see_realized(now, realized_total);
    }

    /// A structure's marked result, all legs. Trips when its loss is above its share of bankroll.
    pub fn on_structure_mark(&mut self, now: Ts, structure: StructureId, marked_pnl: Usd) -> Option<Trip> {
        let bankroll = self.loss_bankroll()?;
        let loss = -marked_pnl;
        self.periods.worst.trade = self.periods.worst.trade.max(fraction(loss, bankroll));
        let limit = self.cfg.max_structure_loss;
        if !exceeds(loss, limit, bankroll) {
            return None;
        }
        self.trip(Trigger::StructureLoss, now, || {
            format!("structure {structure} lost {loss}; the limit is {limit} of {bankroll}")
        })
    }

    /// A failed execution. Normal refusals do not count. Trips with the first one above the number that is borne within the window.
    pub fn on_failed_execution(&mut self, now: Ts, what: FailedExecution) -> Option<Trip> {
        if !what.counts() {
            return None;
        }
        let (most, window) = (self.cfg.max_failed_executions, self.cfg.failed_window_s);
        let count = self.failures.add(now, seconds(window), most);
        if count <= most {
            return None;
        }
        self.trip(Trigger::FailedExecutions, now, || {
            format!("{count} failed executions in {window} s, the last one {}; the limit is {most}", what.code())
        })
    }

    /// A measured request, taker hold excluded. Trips when the median of an endpoint's last requests is above the limit, over a minimum
    /// of samples; a single sample never trips. A request without an answer is late once it took the limit, and no sample before.
    pub fn on_latency(&mut self, now: Ts, venue: VenueId, endpoint: Endpoint, took: Dur, ok: bool) -> Option<Trip> {
        let rule = LatencyRule {
            limit: millis(self.cfg.max_latency_ms),
            min_samples: self.cfg.latency_min_samples,
            window: self.cfg.latency_window,
            max_age: seconds(self.cfg.latency_max_age_s),
        };
        let (late, all) = self.latencies.add(now, (venue, endpoint), took, ok, &rule)?;
        let (name, limit) = (self.venues.name_of(venue), self.cfg.max_latency_ms);
        self.trip(Trigger::Latency, now, || {
            format!("{name} {}: {late} of the last {all} requests took longer than {limit} ms", endpoint.as_str())
        })
    }

    /// The ban detector's score, 0..1. Trips above the threshold.
    pub fn on_ban_score(&mut self, now: Ts, venue: VenueId, score: Ratio) -> Option<Trip> {
        let threshold = self.cfg.ban_score_threshold;
        if score <= threshold {
            return None;
        }
        let name = self.venues.name_of(venue);
        self.trip(Trigger::BanScore, now, || format!("{name}: ban score {score}; the threshold is {threshold}"))
    }

    /// A venue's word. A no (ban, closed-only, geoblock, compliance) closes the venue and trips at once; the others set its mode.
    pub fn on_venue_word(&mut self, now: Ts, venue: VenueId, word: VenueWord) -> Option<Trip> {
        self.venues.hear(venue, word);
        if !word.is_no() {
            return None;
        }
        let name = self.venues.name_of(venue);
        self.trip(Trigger::VenueNo(word), now, || format!("{name} says {word:?}"))
    }

    /// A confirmed fact that could not be booked, or that contradicts the books: nothing new until somebody has looked.
    pub fn on_broken_books(&mut self, now: Ts, what: &str) -> Option<Trip> {
        self.trip(Trigger::Books, now, || what.to_owned())
    }

    /// The operator trips the switch.
    pub fn kill(&mut self, now: Ts, reason: &str) -> Option<Trip> {
        let reason = reason.trim();
        self.trip(Trigger::Manual, now, || if reason.is_empty() { "by the operator".to_owned() } else { reason.to_owned() })
    }

    fn trip(&mut self, trigger: Trigger, now: Ts, text: impl FnOnce() -> String) -> Option<Trip> {
        let heavier = |now: &Trip| trigger.needs_a_person() && !now.trigger.needs_a_person();
        if !self.tripped.as_ref().is_none_or(heavier) || (trigger.is_optional() && !self.cfg.kill_switch_enabled) {
            return None;
        }
        let trip = Trip { trigger, at: now, text: text().into() };
        self.changed = Some((now, format!("{}: {}", trigger.code(), trip.text).into()));
        self.tripped = Some(trip.clone());
        Some(trip)
    }

    // --- the way back ---

    /// A person resets the switch. Forgets failed executions and latency samples; day and week go on. A venue that said no stays closed
    /// unless the reason names it, by its name ([`Self::name_venue`]) or as `venue:<id>`.
    ///
    /// # Errors
    /// [`ResetError::NoReason`] for an empty reason.
    pub fn reset(&mut self, now: Ts, reason: &str) -> Result<(), ResetError> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(ResetError::NoReason);
        }
        self.venues.reopen_named(reason);
        self.failures.clear();
        self.latencies.clear();
        self.tripped = None;
        self.changed = Some((now, format!("reset: {reason}").into()));
        Ok(())
    }

    /// No new risk until resumed.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Ends a pause; a tripped switch stays tripped.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// True while paused.
    #[must_use]
    pub const fn paused(&self) -> bool {
        self.paused
    }

    // --- the record ---

    /// Takes over a record: a tripped one trips (whoever wrote it), an untripped one never un-trips. Closed venues are added.
    pub fn restore(&mut self, record: &KillRecord) {
        let (code, text) = record.cause.split_once(": ").unwrap_or(("", &record.cause));
        let trigger = Trigger::from_code(code);
        let word = match trigger {
            Trigger::VenueNo(word) => Some(word),
            _ => None,
        };
        for venue in &record.closed_venues {
            self.venues.close(*venue, word);
        }
        if record.tripped && self.tripped.is_none() {
            let text = if trigger.code() == code { text.into() } else { Arc::clone(&record.cause) };
            self.tripped = Some(Trip { trigger, at: record.at, text });
        }
        if self.changed.as_ref().is_none_or(|(at, _)| *at <= record.at) {
            self.changed = Some((record.at, Arc::clone(&record.cause)));
        }
    }

    /// The switch as it is, to be written. `at` is its last change, or `now` if it never changed.
    #[must_use]
    pub fn record(&self, now: Ts) -> KillRecord {
        let (at, cause) = match (&self.tripped, &self.changed) {
            (Some(trip), _) => (trip.at, self.cause_of(trip)),
            (None, Some((at, cause))) => (*at, Arc::clone(cause)),
            (None, None) => (now, Arc::from("")),
        };
        KillRecord { tripped: self.tripped.is_some(), cause, at, closed_venues: self.venues.closed().collect() }
    }

    fn cause_of(&self, trip: &Trip) -> Arc<str> {
        format!("{}: {}", trip.trigger.code(), trip.text).into()
    }

    /// Day, week and run, to be kept over a restart.
    #[must_use]
    pub const fn periods(&self) -> Periods {
        self.periods
    }

    /// Takes over day, week and run after a restart, before the first equity.
    pub fn restore_periods(&mut self, periods: Periods) {
        self.periods = periods;
    }

    // --- views ---

    /// The trip, while the switch is tripped.
    #[must_use]
    pub const fn tripped(&self) -> Option<&Trip> {
        self.tripped.as_ref()
    }

    /// Venues that said no.
    pub fn closed_venues(&self) -> impl Iterator<Item = VenueId> {
        self.venues.closed()
    }

    /// Whether an order that takes and adds risk may go to a venue now.
    ///
    /// # Errors
    /// Kill switch, pause, the venue's no, the venue's mode: the first that holds.
    pub fn may_increase_risk(&self, venue: VenueId) -> Result<(), Refusal> {
        self.switch_allows()?;
        self.venues.allows(venue, Purpose::Entry, None)
    }

    pub(crate) fn switch_allows(&self) -> Result<(), Refusal> {
        if self.tripped.is_some() {
            return Err(Refusal::KillSwitch);
        }
        if self.paused { Err(Refusal::Paused) } else { Ok(()) }
    }

    pub(crate) const fn venues(&self) -> &Venues {
        &self.venues
    }

    pub(crate) const fn periods_ref(&self) -> &Periods {
        &self.periods
    }

    /// The bankroll that both loss triggers refer to; `None` before the first equity.
    pub(crate) fn loss_bankroll(&self) -> Option<Usd> {
        self.periods.day.as_ref().map(|day| day.bankroll(&self.periods))
    }

    /// End of a market's rest after an order at `now`.
    #[must_use]
    pub fn cooling_until(&self, now: Ts) -> Ts {
        now + millis(self.cfg.cooldown_ms)
    }

    /// The day so far.
    #[must_use]
    pub fn day(&self) -> DayView {
        let of = |day: &Period| {
            let loss = day.loss(&self.periods);
            let limit = day.bankroll(&self.periods).max(Usd::ZERO).scale_by(self.cfg.max_daily_loss, Round::Down);
            DayView { open_bankroll: day.open, loss, room: limit - loss }
        };
        self.periods.day.as_ref().map_or_else(DayView::default, of)
    }

    /// Drawdowns of trade, day, week and run.
    #[must_use]
    pub fn drawdown(&self) -> DrawdownView {
        self.periods.drawdown()
    }
}
