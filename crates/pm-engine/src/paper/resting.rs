//! Resting orders of ours: in canonical terms of their book, behind the queue that was displayed when they arrived. They fill on prints at
//! their price once the queue is used up, on prints through it, and on books through it.

use pm_core::book::{Book, BookSide};
use pm_core::event::BookId;
use pm_core::order::{OrderIntent, Side};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty};

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
    pub(super) expires: Ts,
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
