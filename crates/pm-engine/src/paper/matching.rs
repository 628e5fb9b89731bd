//! From arrival to the last word: the rules at arrival, the hold, the match with the book, what becomes of the rest.
//!
//! Rules and balances are those of the instant at which the order reaches the venue. What depends on the book (does it take, what does it
//! take) is judged later, when the frames that describe that instant can have been received, and says the venue's time.

use pm_core::book::{BookState, Level};
use pm_core::event::{BookId, Endpoint, Event, Health};
use pm_core::fees::Liquidity;
use pm_core::order::{OrderIntent, OrderState, Tif, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::{Dur, Ts};
use pm_core::traits::MarketView;
use pm_core::units::{Px, Qty};

use super::PaperVenue;
use super::delay::{Order, Pending, Step, When, book_id, feed_lag, happened};
use super::liquidity::{Take, outcome_of, total};
use super::rules::{crosses, taking_order};
use super::venue::Due;

/// An order on sampled data that waits for the first snapshot of a time after its arrival.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) intent: OrderIntent,
    pub(super) book: BookId,
    /// Venue time of the match.
    pub(super) at: Ts,
    /// What the last snapshot before showed.
    before: Vec<Level>,
}

impl PaperVenue {
    /// An order reaches the venue at `at`.
    pub(super) fn arrive(&mut self, at: Ts, intent: OrderIntent, view: &dyn MarketView) {
        let took = self.there(intent.id) + self.back(intent.id);
        let health = Health::Latency { venue: self.cfg.venue, endpoint: Endpoint::Submit, took, ok: true };
        self.say(When::at(at), intent.id, Event::Health(health));
        if let Err(reason) = self.check(at, &intent, view) {
            self.update(When::at(at), intent.id, OrderState::Refused, Qty::ZERO, Some(reason));
            return;
        }
        self.await_frames(When::at(at), Step::Arrival, Order::new(intent), view);
    }

    /// A step of venue time `when.at`: it waits for the frames of that time.
    fn await_frames(&mut self, when: When, step: Step, order: Order, view: &dyn MarketView) {
        let moment = (when.at + feed_lag(view, order.intent.target)).max(when.known);
        self.seq += 1;
        self.steps.push(Pending { at: when.at, seq: self.seq, moment, step, order });
    }

    /// The moment of a step has come, unless the feed has become slower since.
    pub(super) fn perform(&mut self, now: Ts, pending: Pending, view: &dyn MarketView) {
        let moment = pending.at + feed_lag(view, pending.order.intent.target);
        if moment > now {
            self.steps.push(Pending { moment, ..pending });
            return;
        }
        let when = When { at: pending.at, known: now };
        match pending.step {
            Step::Arrival => self.meet(when, pending.order, view),
            Step::Match => self.match_now(when, pending.order, view),
        }
    }

    /// Looks whether the order takes: if so it may be refused, or held.
    fn meet(&mut self, when: When, order: Order, view: &dyn MarketView) {
        let intent = &order.intent;
        let marketable = crosses(intent, view);
        if marketable {
            let allowed = taking_order(intent, view);
            let refused = allowed.err().or((intent.tif == Tif::PostOnly).then_some(VenueRefusal::WouldCross));
            if let Some(reason) = refused {
                self.update(when, intent.id, OrderState::Refused, Qty::ZERO, Some(reason));
                return;
            }
        }
        let hold = match intent.target {
            Tradable::Outcome(m, _) if marketable => view.market(m).map_or(Dur::ZERO, |m| m.taker_hold),
            _ => Dur::ZERO,
        };
        if hold <= Dur::ZERO {
            self.match_now(when, order, view);
            return;
        }
        self.update(when, intent.id, OrderState::Held, Qty::ZERO, None);
        let over = when.at + hold;
        if over > when.known {
            self.at(over, Due::Release(Box::new(order)));
        } else {
            self.release(When { at: over, known: when.known }, order, view);
        }
    }

    /// The hold is over.
    pub(super) fn release(&mut self, when: When, order: Order, view: &dyn MarketView) {
        if let Err(reason) = self.check(when.at, &order.intent, view) {
            self.update(when, order.intent.id, OrderState::Cancelled, Qty::ZERO, Some(reason));
            return;
        }
        self.await_frames(when, Step::Match, order, view);
    }

    fn match_now(&mut self, when: When, order: Order, view: &dyn MarketView) {
        let intent = &order.intent;
        // Again: what was matched since the first check has changed the balance.
        let allowed = self.check(when.at, intent, view);
        let allowed = allowed.and_then(|()| if crosses(intent, view) { taking_order(intent, view) } else { Ok(()) });
        if let Err(reason) = allowed {
            self.update(when, intent.id, OrderState::Cancelled, Qty::ZERO, Some(reason));
            return;
        }
        let id = book_id(intent.target);
        let Some(book) = view.book(id).filter(|b| b.state == BookState::Synced) else {
            self.update(when, intent.id, OrderState::Cancelled, Qty::ZERO, Some(VenueRefusal::NotFilled));
            return;
        };
        let shown = offered(intent, id, view);
        if book.flags.sampled {
            self.waiting.push(Waiting { at: when.at, intent: order.intent, book: id, before: shown });
            return;
        }
        let takes = self.consumed.take(intent, shown.into_iter(), |_| Qty::MAX);
        self.book_takes(when, intent, &takes, view);
        let filled = total(&takes);
        if intent.tif.rests() && filled < intent.qty {
            self.rest(when, order, filled, book);
        } else {
            self.conclude(when, intent, filled);
        }
    }

    /// A snapshot of a sampled book. One of a time before the match is the newer "before"; the first one after decides, and the smaller of
    /// both counts.
    pub(super) fn match_waiting(&mut self, now: Ts, (id, stated): (BookId, Ts), view: &dyn MarketView) {
        let at = happened(now, stated);
        for order in self.waiting.iter_mut().filter(|w| w.book == id && at < w.at) {
            order.before = offered(&order.intent, id, view);
        }
        while let Some(next) = self.waiting.iter().position(|w| w.book == id && w.at <= at) {
            let Waiting { intent, at, before, .. } = self.waiting.remove(next);
            let when = When { at, known: now };
            // Orders that waited beside it may have spent the money.
            if let Err(reason) = self.covered(&intent, view) {
                self.update(when, intent.id, OrderState::Cancelled, Qty::ZERO, Some(reason));
                continue;
            }
            let after = offered(&intent, id, view);
            let cap = |px: Px| after.iter().find(|l| l.px == px).map_or(Qty::ZERO, |l| l.qty);
            let takes = self.consumed.take(&intent, before.into_iter(), cap);
            self.book_takes(when, &intent, &takes, view);
            // Nothing rests on sampled data: what happens between two snapshots is not known.
            self.conclude(when, &intent, total(&takes));
        }
    }

    fn book_takes(&mut self, when: When, intent: &OrderIntent, takes: &[Take], view: &dyn MarketView) {
        for take in takes {
            self.book_fill(when, intent, take.px, take.qty, Liquidity::Taker, view);
        }
    }

    /// The last word on an order that does not rest.
    pub(super) fn conclude(&mut self, when: When, intent: &OrderIntent, filled: Qty) {
        if filled == intent.qty {
            self.update(when, intent.id, OrderState::Filled, filled, None);
        } else {
            self.update(when, intent.id, OrderState::Cancelled, filled, Some(VenueRefusal::NotFilled));
        }
    }
}

/// Levels that the order meets, best first; none when the book is not to be believed or its sizes are not known.
fn offered(intent: &OrderIntent, id: BookId, view: &dyn MarketView) -> Vec<Level> {
    let (outcome, side) = (outcome_of(intent.target), intent.side);
    let book = view.book(id).filter(|b| b.state == BookState::Synced && b.sizes_known(outcome, side));
    book.map_or_else(Vec::new, |b| b.meets(outcome, side).collect())
}
