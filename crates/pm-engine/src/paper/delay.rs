//! The delay of the feed. What a venue does at its time T can be judged only once the frames that describe T have been received: a step
//! waits for that moment, and steps on one book happen in the order in which they reached the venue.

use std::collections::BTreeSet;

use pm_core::book::Book;
use pm_core::event::BookId;
use pm_core::order::{OrderIntent, Tif, Tradable};
use pm_core::time::{Dur, Ts};
use pm_core::traits::MarketView;

/// Longest delay of a feed that is believed. The first snapshot after a subscription carries the time of the book's last change, which may
/// be hours old, and a venue's clock may be wrong: without a bound one such frame would hold an order for ever. Feeds that are later than
/// this are not traded on.
pub(super) const MAX_FEED_LAG: Dur = Dur::from_secs(2);

/// One happening in both times.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    /// Venue time: what updates and fills carry.
    pub(super) at: Ts,
    /// When it can be known here: no answer arrives before.
    pub(super) known: Ts,
}

impl When {
    /// A happening that needs no market data to be known.
    pub(super) const fn at(at: Ts) -> Self {
        Self { at, known: at }
    }
}

/// How much later than the venue's time a change of the book is received, by its last change. A venue clock ahead of ours counts as no
/// delay. Sampled books have none: their orders wait for the next snapshot instead.
pub(super) fn feed_lag(view: &dyn MarketView, target: Tradable) -> Dur {
    view.book(book_id(target))
        .filter(|b| !b.flags.sampled)
        .map_or(Dur::ZERO, |b: &Book| b.recv_at.since(b.venue_at).clamp(Dur::ZERO, MAX_FEED_LAG))
}

/// Venue time of what a frame says, bounded like the delay of the feed.
pub(super) fn happened(received: Ts, stated: Ts) -> Ts {
    stated.min(received).max(received - MAX_FEED_LAG)
}

/// Book of what is traded.
pub(super) const fn book_id(target: Tradable) -> BookId {
    match target {
        Tradable::Outcome(m, _) => BookId::Market(m),
        Tradable::Instrument(i) => BookId::Instrument(i),
    }
}

/// An order that reached the venue.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) intent: OrderIntent,
    /// Venue times at which cancels reached it. A cancel ends what rests at that instant: it undoes no match of before, and an order that is
    /// held does not know it.
    pub(super) cancels: Vec<Ts>,
}

impl Order {
    pub(super) const fn new(intent: OrderIntent) -> Self {
        Self { intent, cancels: Vec::new() }
    }

    /// Venue time at which it leaves the book, if it rests from `since` on: its date, or the first cancel from then on; [`Ts::MAX`] without.
    pub(super) fn ends(&self, since: Ts) -> Ts {
        let date = if let Tif::GoodTillDate(date) = self.intent.tif { date } else { Ts::MAX };
        self.cancels.iter().copied().filter(|c| *c >= since).fold(date, Ts::min)
    }
}

/// What the venue does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Looks whether it takes, then holds it or matches it.
    Arrival,
    /// Matches it after the hold.
    Match,
}

/// A step at a venue time whose frames are still on their way.
#[derive(Debug)]
pub(super) struct Pending {
    /// Venue time.
    pub(super) at: Ts,
    /// Breaks ties of venue time.
    pub(super) seq: u64,
    /// When the frames up to `at` can have been received.
    pub(super) moment: Ts,
    pub(super) step: Step,
    pub(super) order: Order,
}

impl Pending {
    fn book(&self) -> BookId {
        book_id(self.order.intent.target)
    }
}

/// Pending steps in order of venue time. A step is held up by earlier ones on its book: a frame with a shorter delay lets no order overtake.
/// Books do not hold up each other. Rarely more than a handful.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<Pending>);

impl Steps {
    pub(super) fn push(&mut self, step: Pending) {
        let at = self.0.partition_point(|s| (s.at, s.seq) < (step.at, step.seq));
        self.0.insert(at, step);
    }

    /// The first step of each book.
    fn heads(&self) -> impl Iterator<Item = (usize, &Pending)> {
        let mut seen = BTreeSet::new();
        self.0.iter().enumerate().filter(move |(_, s)| seen.insert(s.book()))
    }

    /// Moment of the next step; [`Ts::MAX`] when there is none.
    pub(super) fn next(&self) -> Ts {
        self.heads().map(|(_, s)| s.moment).min().unwrap_or(Ts::MAX)
    }

    /// Takes the step whose moment came first.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let (at, _) = self.heads().min_by_key(|(_, s)| (s.moment, s.at, s.seq))?;
        Some(self.0.remove(at))
    }

    /// Orders that wait for their step. All of them reached the venue: what comes later is not here yet.
    pub(super) fn orders(&mut self) -> impl Iterator<Item = &mut Order> {
        self.0.iter_mut().map(|s| &mut s.order)
    }

    /// Takes the steps on a book, in order.
    pub(super) fn drain_book(&mut self, id: BookId) -> Vec<Pending> {
        self.0.extract_if(.., |s| s.book() == id).collect()
    }
}
