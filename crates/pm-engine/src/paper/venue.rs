//! The venue itself: a queue of things that become due, an account, a book overlay, resting orders; and the door to all of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pm_core::command::VenueCommand;
use pm_core::event::{BookId, Endpoint, Event, Health};
use pm_core::ids::{FillId, InstrumentIdx, IntentId, MarketIdx, VenueId};
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, OrderState, OrderUpdate, SettlementState};
use pm_core::refusal::VenueRefusal;
use pm_core::time::{Dur, Ts};
use pm_core::traits::{EventSink, Exchange, MarketView};
use pm_core::units::{Qty, Ratio, Usd};

use super::PaperConfig;
use super::account::Account;
use super::delay::{Order, Steps, When};
use super::latency::Latency;
use super::liquidity::Consumed;
use super::matching::Waiting;
use super::resting::Resting;
use super::settlement::AllUnsettled;

/// Something that becomes due.
#[derive(Debug)]
pub(super) enum Due {
    /// An order reaches the venue.
    Arrive(Box<OrderIntent>),
    /// Its taker hold is over.
    Release(Box<Order>),
    /// A cancel reaches the venue.
    Cancel(IntentId),
    /// A cancel-all reaches the venue.
    CancelAll,
    /// A resting order is over: cancelled or expired.
    Leave(IntentId),
    /// An answer reaches us.
    Say(Box<Event<'static>>),
    /// A matched trade settles, or fails.
    Settle(FillId, SettlementState),
}

/// A venue that fills against what the market view shows, in virtual time.
#[derive(Debug)]
pub struct PaperVenue {
    pub(super) cfg: PaperConfig,
    latency: Latency,
    pub(super) account: Account,
    pub(super) consumed: Consumed,
    due: BTreeMap<(Ts, u64), Due>,
    pub(super) steps: Steps,
    pub(super) waiting: Vec<Waiting>,
    pub(super) resting: Vec<Resting>,
    pub(super) unsettled: AllUnsettled,
    /// Markets that are over. Grows by an index a market, like the registry that hands the indices out.
    pub(super) resolved: BTreeSet<MarketIdx>,
    pub(super) funding: BTreeMap<InstrumentIdx, (Ts, Ratio)>,
    pub(super) seq: u64,
    pub(super) fills: u64,
}

impl PaperVenue {
    /// An empty venue with its starting cash.
    #[must_use]
    pub fn new(cfg: PaperConfig) -> Self {
        let quantiles = cfg.settings.latency_ms.iter().map(|ms| Dur::from_millis(i64::from(*ms))).collect();
        Self {
            latency: Latency::new(cfg.seed, quantiles),
            account: Account { cash: cfg.capital, ..Account::default() },
            consumed: Consumed::default(),
            due: BTreeMap::new(),
            steps: Steps::default(),
            waiting: Vec::new(),
            resting: Vec::new(),
            unsettled: AllUnsettled::new(),
            resolved: BTreeSet::new(),
            funding: BTreeMap::new(),
            seq: 0,
            fills: 0,
            cfg,
        }
    }

    /// The venue's own view of our cash: equals the ledger's when both are right.
    #[must_use]
    pub const fn cash(&self) -> Usd {
        self.account.cash
    }

    /// The venue's own view of our shares of an outcome.
    #[must_use]
    pub fn shares(&self, market: MarketIdx, outcome: Outcome) -> Qty {
        self.account.held(market, outcome)
    }

    pub(super) fn at(&mut self, when: Ts, due: Due) {
        self.seq += 1;
        self.due.insert((when, self.seq), due);
    }

    /// Way back of an answer: sampled like the way there, with its own counter.
    pub(super) fn back(&self, intent: IntentId) -> Dur {
        self.latency.sample(intent.0.wrapping_mul(2).wrapping_add(1))
    }

    pub(super) fn there(&self, intent: IntentId) -> Dur {
        self.latency.sample(intent.0.wrapping_mul(2))
    }

    /// When the answer reaches us. The venue speaks at once; that we can judge it only later delays nothing but our knowledge.
    pub(super) fn answered(&self, when: When, intent: IntentId) -> Ts {
        (when.at + self.back(intent)).max(when.known)
    }

    pub(super) fn say(&mut self, when: When, intent: IntentId, event: Event<'static>) {
        self.at(self.answered(when, intent), Due::Say(Box::new(event)));
    }

    pub(super) fn update(&mut self, when: When, intent: IntentId, state: OrderState, filled: Qty, reason: Option<VenueRefusal>) {
        self.say(when, intent, Event::Order(OrderUpdate { intent, state, filled, reason, at: when.at }));
    }

    /// True when a change of a book can mean something to us.
    fn cares_for_books(&self) -> bool {
        !(self.waiting.is_empty() && self.resting.is_empty() && self.consumed.is_empty())
    }

    fn on_book(&mut self, now: Ts, (id, at): (BookId, Ts), view: &dyn MarketView) {
        let Some(book) = view.book(id) else { return };
        if !self.consumed.is_empty() {
            self.consumed.refresh(id, book);
        }
        if !self.waiting.is_empty() {
            self.match_waiting(now, (id, at), view);
        }
        if !self.resting.is_empty() {
            self.fill_resting(now, (id, at), view, |r| r.on_book(book));
        }
    }

    fn on_due(&mut self, now: Ts, due: Due, view: &dyn MarketView, out: &mut dyn EventSink) {
        match due {
            Due::Arrive(intent) => self.arrive(now, *intent, view),
            Due::Release(order) => self.release(When::at(now), *order, view),
            Due::Cancel(intent) => self.cancel(now, |i| i.id == intent),
            Due::CancelAll => self.cancel(now, |_| true),
            Due::Leave(intent) => self.leave(now, intent, view),
            Due::Say(event) => out.event(*event),
            Due::Settle(id, state) => self.settle(now, id, state, out),
        }
    }

    fn first_due(&self) -> Ts {
        self.due.first_key_value().map_or(Ts::MAX, |((at, _), _)| *at)
    }
}

impl Exchange for PaperVenue {
    fn venue(&self) -> VenueId {
        self.cfg.venue
    }

    fn submit(&mut self, now: Ts, command: &VenueCommand) {
        match command {
            VenueCommand::Submit(approved) => {
                let intent = approved.intent().clone();
                let arrives = now + self.there(intent.id);
                self.at(arrives, Due::Arrive(Box::new(intent)));
            }
            VenueCommand::Cancel { intent, .. } => self.at(now + self.there(*intent), Due::Cancel(*intent)),
            VenueCommand::CancelAll { .. } => self.at(now + self.latency.sample(self.seq), Due::CancelAll),
        }
    }

    fn observe(&mut self, now: Ts, event: &Event<'_>, view: &dyn MarketView) {
        match event {
            Event::BookSnapshot { book, at, .. } | Event::BookDelta { book, at, .. } if self.cares_for_books() => {
                self.on_book(now, (*book, *at), view);
            }
            Event::Print { book, px, qty, taker, at } if !self.resting.is_empty() => {
                let (px, qty, taker) = (*px, *qty, *taker);
                self.fill_resting(now, (*book, *at), view, |r| r.on_print(px, qty, taker));
            }
            Event::Resolved { market, first_pays, at } => self.on_resolved(now, *market, *first_pays, *at),
            Event::Ticker { instrument, ticker, .. }
                if view.instrument(*instrument).is_some_and(|i| i.venue == self.cfg.venue) =>
            {
                self.on_ticker(now, *instrument, ticker.next_funding, ticker.funding_rate, view);
            }
            Event::Health(Health::LatencyTable { venue, endpoint: Endpoint::Submit, quantiles }) if *venue == self.cfg.venue => {
                let quantiles: &Cow<'_, [Dur]> = quantiles;
                self.latency.set(quantiles);
            }
            _ => {}
        }
    }

    fn next_due(&self) -> Ts {
        self.first_due().min(self.steps.next())
    }

    fn poll(&mut self, now: Ts, view: &dyn MarketView, out: &mut dyn EventSink) {
        // A step that was held up by another one is later than its own moment: time goes on from the latest.
        let mut clock = Ts::ZERO;
        loop {
            let (due, step) = (self.first_due(), self.steps.next());
            let next = due.min(step);
            if next > now || next == Ts::MAX {
                return;
            }
            clock = clock.max(next);
            // What reached the venue is judged before anything else of the same instant.
            if step <= due {
                if let Some(step) = self.steps.pop() {
                    self.perform(clock, step, view);
                }
            } else if let Some((_, due)) = self.due.pop_first() {
                self.on_due(clock, due, view, out);
            }
        }
    }
}
