//! Resting orders of ours: in canonical terms of their book, behind the queue that was displayed when they arrived. They fill on prints at
//! their price once the queue is used up, on prints through it, and on books through it.
//!
//! An order rests from one venue time to another (its date, or the instant at which a cancel reached the venue), and frames tell of either
//! only later. What traded in between is its own also when we hear of it after the cancel: a maker who cancels does not escape the trades
//! that he has not seen yet.

use pm_core::book::{Book, BookSide};
use pm_core::event::BookId;
use pm_core::fees::Liquidity;
use pm_core::order::{OrderIntent, OrderState, Side};
use pm_core::time::Ts;
use pm_core::traits::MarketView;
use pm_core::units::{Px, Qty};

use super::PaperVenue;
use super::delay::{Order, When, book_id, feed_lag, happened};
use super::liquidity::{facing, outcome_of};
use super::venue::Due;

/// One resting order.
#[derive(Debug)]
pub(super) struct Resting {
    pub(super) intent: OrderIntent,
    pub(super) book: BookId,
    /// Side of the canonical book that it rests on.
    pub(super) side: BookSide,
    /// Canonical price.
    pub(super) px: Px,
    pub(super) left: Qty,
    pub(super) queue_ahead: Qty,
    /// What was taken from the opposite best level while it stood through our price: the same size fills once.
    pub(super) through: Option<(Px, Qty)>,
    /// Venue time from which it rests.
    pub(super) since: Ts,
    /// Venue time at which it leaves; [`Ts::MAX`] when it rests until it is filled.
    pub(super) until: Ts,
    /// Venue time of its last fill. Frames may be out of order; what is said of one order is not.
    pub(super) last: Ts,
}

impl Resting {
    /// A print in the book: how much of the order it fills.
    pub(super) fn on_print(&mut self, px: Px, qty: Qty, taker: Side) -> Qty {
        let hits = matches!((self.side, taker), (BookSide::Bid, Side::Sell) | (BookSide::Ask, Side::Buy));
        if !hits || !qty.is_positive() {
            return Qty::ZERO;
        }
        let through = if self.side == BookSide::Bid { px < self.px } else { px > self.px };
        if through {
            self.queue_ahead = Qty::ZERO;
            return self.fill(qty);
        }
        if px != self.px {
            return Qty::ZERO;
        }
        let used = qty.min(self.queue_ahead);
        self.queue_ahead -= used;
        self.fill(qty - used)
    }

    /// The book changed: cancels ahead shorten the queue; an opposite best beyond our price fills against what it shows.
    pub(super) fn on_book(&mut self, book: &Book) -> Qty {
        let (own, opposite) = if self.side == BookSide::Bid { (&book.bids, &book.asks) } else { (&book.asks, &book.bids) };
        self.queue_ahead = self.queue_ahead.min(own.qty_at(self.px));
        let sizes_known = if self.side == BookSide::Bid { !book.flags.ask_sizes_unknown } else { !book.flags.bid_sizes_unknown };
        let Some(best) = opposite.best().filter(|_| sizes_known) else { return Qty::ZERO };
        let through = if self.side == BookSide::Bid { best.px < self.px } else { best.px > self.px };
        if !through {
            self.through = None;
            return Qty::ZERO;
        }
        let before = self.through.filter(|(px, _)| *px == best.px).map_or(Qty::ZERO, |(_, qty)| qty);
        let got = self.fill((best.qty - before).max(Qty::ZERO));
        self.through = Some((best.px, before + got));
        got
    }

    fn fill(&mut self, qty: Qty) -> Qty {
        let got = qty.min(self.left);
        self.left -= got;
        got
    }
}

impl PaperVenue {
    /// What was not taken rests.
    pub(super) fn rest(&mut self, when: When, order: Order, filled: Qty, book: &Book) {
        let until = order.ends(when.at);
        let intent = order.intent;
        let (meets, mirrored) = facing(outcome_of(intent.target), intent.side);
        let (side, own) = match meets {
            BookSide::Ask => (BookSide::Bid, &book.bids),
            BookSide::Bid => (BookSide::Ask, &book.asks),
        };
        let px = if mirrored { intent.limit.complement() } else { intent.limit };
        self.update(when, intent.id, OrderState::Resting, filled, None);
        if until < Ts::MAX {
            self.at(until.max(when.known), Due::Leave(intent.id));
        }
        self.resting.push(Resting {
            book: book_id(intent.target),
            side,
            px,
            left: intent.qty - filled,
            queue_ahead: own.qty_at(px),
            through: None,
            since: when.at,
            until,
            last: when.at,
            intent,
        });
    }

    /// A cancel reaches the venue at `at`. It finds what rests, and what reached the venue before it and is still to be judged; a held order
    /// cannot be cancelled, and an order that comes later is not known yet.
    pub(super) fn cancel(&mut self, at: Ts, which: impl Fn(&OrderIntent) -> bool) {
        let mut leaving = Vec::new();
        for order in self.resting.iter_mut().filter(|r| which(&r.intent)) {
            order.until = order.until.min(at);
            leaving.push(order.intent.id);
        }
        for id in leaving {
            self.at(at, Due::Leave(id));
        }
        for order in self.steps.orders().filter(|o| which(&o.intent)) {
            order.cancels.push(at);
        }
    }

    /// A resting order is over. It leaves once the frames up to that instant can have been received.
    pub(super) fn leave(&mut self, now: Ts, which: pm_core::ids::IntentId, view: &dyn MarketView) {
        let Some(at) = self.resting.iter().position(|r| r.intent.id == which) else { return };
        let Some(moment) = self.resting.get(at).map(|r| r.until + feed_lag(view, r.intent.target)) else { return };
        if moment > now {
            self.at(moment, Due::Leave(which));
            return;
        }
        let order = self.resting.remove(at);
        self.left(When { at: order.until, known: now }, &order);
    }

    /// Says that a resting order is over.
    pub(super) fn left(&mut self, when: When, order: &Resting) {
        let when = When { at: when.at.max(order.last), ..when };
        self.update(when, order.intent.id, OrderState::Cancelled, order.intent.qty - order.left, None);
    }

    /// A frame about a book, with its venue time: resting orders of that time may be filled by it.
    pub(super) fn fill_resting(
        &mut self,
        now: Ts,
        (id, stated): (BookId, Ts),
        view: &dyn MarketView,
        fills: impl Fn(&mut Resting) -> Qty,
    ) {
        let at = happened(now, stated);
        let mut next = 0;
        while let Some(order) = self.resting.get_mut(next) {
            let meant = order.book == id && order.since <= at && at < order.until;
            let got = if meant { fills(order) } else { Qty::ZERO };
            if !got.is_positive() {
                next += 1;
                continue;
            }
            order.last = order.last.max(at);
            let when = When { at: order.last, known: now };
            let (intent, left) = (order.intent.clone(), order.left);
            self.book_fill(when, &intent, intent.limit, got, Liquidity::Maker, view);
            if left.is_positive() {
                self.update(when, intent.id, OrderState::Resting, intent.qty - left, None);
                next += 1;
            } else {
                self.resting.remove(next);
                self.update(when, intent.id, OrderState::Filled, intent.qty, None);
            }
        }
    }
}
