//! Liquidity is consumed once. What our orders took from a level stays taken until the venue shows new size there; a level that vanishes
//! and comes back is new.

use std::collections::BTreeMap;

use pm_core::book::{Book, BookSide, BookState, Level};
use pm_core::event::BookId;
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, Side, Tif, Tradable};
use pm_core::units::{Px, Qty};

use super::delay::book_id;

/// One take at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Take {
    /// Price in terms of the order's outcome.
    pub(super) px: Px,
    /// Quantity.
    pub(super) qty: Qty,
}

/// What was taken from which level.
#[derive(Debug, Default)]
pub(super) struct Consumed {
    books: BTreeMap<BookId, Vec<(BookSide, Px, Qty)>>,
}

/// Side of the canonical book that an order meets, and whether prices are mirrored.
pub(super) const fn facing(outcome: Outcome, side: Side) -> (BookSide, bool) {
    match (outcome, side) {
        (Outcome::First, Side::Buy) => (BookSide::Ask, false),
        (Outcome::First, Side::Sell) => (BookSide::Bid, false),
        (Outcome::Second, Side::Buy) => (BookSide::Bid, true),
        (Outcome::Second, Side::Sell) => (BookSide::Ask, true),
    }
}

/// Outcome that is traded. Instruments have one view.
pub(super) const fn outcome_of(target: Tradable) -> Outcome {
    match target {
        Tradable::Outcome(_, o) => o,
        Tradable::Instrument(_) => Outcome::First,
    }
}

/// Sum of the takes.
pub(super) fn total(takes: &[Take]) -> Qty {
    takes.iter().map(|t| t.qty).sum()
}

impl Consumed {
    pub(super) fn is_empty(&self) -> bool {
        self.books.is_empty()
    }

    fn taken(&self, book: BookId, side: BookSide, px: Px) -> Qty {
        self.books.get(&book).and_then(|v| v.iter().find(|(s, p, _)| *s == side && *p == px)).map_or(Qty::ZERO, |t| t.2)
    }

    /// The book changed: takes at levels that are gone are forgotten. A book that is lost says nothing about its levels: what was taken
    /// stays taken until its next snapshot.
    pub(super) fn refresh(&mut self, id: BookId, book: &Book) {
        if book.state != BookState::Synced {
            return;
        }
        let Some(takes) = self.books.get_mut(&id) else { return };
        takes.retain(|(side, px, _)| {
            let ladder = if *side == BookSide::Ask { &book.asks } else { &book.bids };
            ladder.qty_at(*px).is_positive()
        });
        if takes.is_empty() {
            self.books.remove(&id);
        }
    }

    /// Forgets a book.
    pub(super) fn drop_book(&mut self, id: BookId) {
        self.books.remove(&id);
    }

    /// Takes what the order may have from `levels` (best first, in terms of its outcome), less what was taken before: all of it or nothing
    /// when the order says so. `cap` bounds each level (the snapshot on the other side of the arrival, for sampled data).
    pub(super) fn take(
        &mut self,
        intent: &OrderIntent,
        levels: impl Iterator<Item = Level>,
        cap: impl Fn(Px) -> Qty,
    ) -> Vec<Take> {
        let id = book_id(intent.target);
        let (book_side, mirrored) = facing(outcome_of(intent.target), intent.side);
        let canonical = |px: Px| if mirrored { px.complement() } else { px };
        let mut left = intent.qty;
        let mut takes = Vec::new();
        for level in levels {
            let within = if intent.side == Side::Buy { level.px <= intent.limit } else { level.px >= intent.limit };
            if !within || !left.is_positive() {
                break;
            }
            let free = level.qty.min(cap(level.px)) - self.taken(id, book_side, canonical(level.px));
            let got = free.min(left);
            if got.is_positive() {
                left -= got;
                takes.push(Take { px: level.px, qty: got });
            }
        }
        if intent.tif == Tif::FillOrKill && left.is_positive() {
            return Vec::new();
        }
        for take in &takes {
            let (px, book) = (canonical(take.px), self.books.entry(id).or_default());
            match book.iter_mut().find(|(s, p, _)| *s == book_side && *p == px) {
                Some(taken) => taken.2 += take.qty,
                None => book.push((book_side, px, take.qty)),
            }
        }
        takes
    }
}
