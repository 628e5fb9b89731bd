//! Liquidity is consumed once. What our orders took from a level stays taken until the venue shows new size there; a level that vanishes
//! and comes back is new.

use std::collections::BTreeMap;

use pm_core::book::{Book, BookSide, BookState, Level};
use pm_core::event::BookId;
use pm_core::market::Outcome;
use pm_core::order::Side;
use pm_core::units::{Px, Qty};

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

    /// Takes up to `qty` at `limit` or better from `levels` (best first, in terms of the order's outcome), less what was taken before.
    /// `cap` bounds each level (the snapshot on the other side of the arrival, for sampled data).
    pub(super) fn take(
        &mut self,
        id: BookId,
        (outcome, side): (Outcome, Side),
        (qty, limit): (Qty, Px),
        levels: impl Iterator<Item = Level>,
        cap: impl Fn(Px) -> Qty,
        commit: bool,
    ) -> Vec<Take> {
        let (book_side, mirrored) = facing(outcome, side);
        let mut left = qty;
        let mut takes = Vec::new();
        for level in levels {
            let within = if side == Side::Buy { level.px <= limit } else { level.px >= limit };
            if !within || !left.is_positive() {
                break;
            }
            let canonical = if mirrored { level.px.complement() } else { level.px };
            let free = level.qty.min(cap(level.px)) - self.taken(id, book_side, canonical);
            let got = free.min(left);
            if !got.is_positive() {
                continue;
            }
            left -= got;
            takes.push(Take { px: level.px, qty: got });
            if commit {
                let book = self.books.entry(id).or_default();
                match book.iter_mut().find(|(s, p, _)| *s == book_side && *p == canonical) {
                    Some(t) => t.2 += got,
                    None => book.push((book_side, canonical, got)),
                }
            }
        }
        takes
    }
}
