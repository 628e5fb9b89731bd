//! Order books: exact, allocation-free per update. A ladder is a sorted vector with the best level *last*, where nearly all changes are.
//! One canonical book per binary market; the two outcomes are views of it, so liquidity seen through both is one liquidity.

use serde::{Deserialize, Serialize};

use crate::market::Outcome;
use crate::num::Round;
use crate::order::Side;
use crate::time::Ts;
use crate::units::{Px, Qty, Usd};

/// One price level. In an update a quantity of zero removes the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Level {
    /// Price.
    pub px: Px,
    /// Absolute quantity at the price.
    pub qty: Qty,
}

/// Which side of a book a ladder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookSide {
    /// Buyers; best is the highest price.
    Bid,
    /// Sellers; best is the lowest price.
    Ask,
}

/// One side of a book, best level last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    side: BookSide,
    levels: Vec<Level>,
}

impl Ladder {
    /// An empty ladder.
    #[must_use]
    pub const fn new(side: BookSide) -> Self {
        Self { side, levels: Vec::new() }
    }

    /// True when `a` is better than `b` for the counterparty.
    #[inline]
    const fn better(&self, a: Px, b: Px) -> bool {
        match self.side {
            BookSide::Bid => a.raw() > b.raw(),
            BookSide::Ask => a.raw() < b.raw(),
        }
    }

    /// Sets the absolute quantity at a price; zero removes. Removing an absent level changes nothing. Returns true when the best level changed.
    #[inline]
    pub fn set(&mut self, level: Level) -> bool {
        let mut at = self.levels.len();
        while let Some(below) = at.checked_sub(1).and_then(|i| self.levels.get(i)) {
            if !self.better(below.px, level.px) {
                break;
            }
            at -= 1;
        }
        let best_touched = at == self.levels.len();
        match at.checked_sub(1).and_then(|i| self.levels.get_mut(i)) {
            Some(found) if found.px == level.px => {
                if level.qty.is_positive() {
                    let changed = found.qty != level.qty;
                    found.qty = level.qty;
                    best_touched && changed
                } else {
                    self.levels.remove(at - 1);
                    best_touched
                }
            }
            _ if level.qty.is_positive() => {
                self.levels.insert(at, level);
                best_touched
            }
            _ => false,
        }
    }

    /// Replaces everything by a snapshot in any order of prices; zero quantities are dropped, duplicate prices keep the last.
    pub fn replace(&mut self, levels: &[Level]) {
        self.levels.clear();
        self.levels.extend(levels.iter().copied().filter(|l| l.qty.is_positive()));
        let sorted = self.levels.windows(2).all(|w| matches!(w, [a, b] if self.better(b.px, a.px)));
        if sorted {
            return;
        }
        let reversed = self.levels.windows(2).all(|w| matches!(w, [a, b] if self.better(a.px, b.px)));
        if reversed {
            self.levels.reverse();
            return;
        }
        match self.side {
            BookSide::Bid => self.levels.sort_by_key(|l| l.px),
            BookSide::Ask => self.levels.sort_by_key(|l| core::cmp::Reverse(l.px)),
        }
        // A stable sort keeps the order of equal prices: the last of a run is the one to keep.
        let mut kept = 0;
        for i in 0..self.levels.len() {
            let Some(level) = self.levels.get(i).copied() else { break };
            let same = kept > 0 && self.levels.get(kept - 1).is_some_and(|k| k.px == level.px);
            let slot = if same { kept - 1 } else { kept };
            if let Some(to) = self.levels.get_mut(slot) {
                *to = level;
            }
            kept = slot + 1;
        }
        self.levels.truncate(kept);
    }

    /// Removes all levels; capacity stays.
    pub fn clear(&mut self) {
        self.levels.clear();
    }
    /// The best level.
    #[inline]
    #[must_use]
    pub fn best(&self) -> Option<Level> {
        self.levels.last().copied()
    }
    /// Levels from the best one outwards.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Level> + '_ {
        self.levels.iter().rev().copied()
    }
    /// Number of levels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels.len()
    }
    /// True when there is no level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }
    /// Quantity at a price, zero when absent.
    #[must_use]
    pub fn qty_at(&self, px: Px) -> Qty {
        self.levels.iter().rev().find(|l| l.px == px).map_or(Qty::ZERO, |l| l.qty)
    }
    /// Sum of all quantities.
    #[must_use]
    pub fn depth(&self) -> Qty {
        self.levels.iter().map(|l| l.qty).sum()
    }
    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Level>()
    }
}

/// Whether a book may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookState {
    /// No snapshot yet.
    Empty,
    /// A snapshot and every change since.
    Synced,
    /// Continuity was lost; waits for a snapshot.
    Lost(BookLoss),
}

/// Why continuity was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BookLoss {
    /// The feed's connection ended.
    Disconnected,
    /// A sequence number was skipped.
    Gap,
    /// Best bid at or above best ask.
    Crossed,
    /// The hash sent with the book does not match.
    HashMismatch,
    /// A change came before any snapshot.
    NoSnapshot,
    /// A frame for this book could not be decoded.
    BadFrame,
}

/// Properties of a book's data that limit what may be concluded from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BookFlags {
    /// Read at intervals instead of on each change: a level counts for the smaller of the snapshots around an arrival.
    pub sampled: bool,
    /// Sizes of the bid side are not known: nothing can be filled against it.
    pub bid_sizes_unknown: bool,
    /// Sizes of the ask side are not known.
    pub ask_sizes_unknown: bool,
}

/// A two-sided book of one instrument or of the `First` outcome of a binary market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// Buyers.
    pub bids: Ladder,
    /// Sellers.
    pub asks: Ladder,
    /// Whether it may be believed.
    pub state: BookState,
    /// Venue time of the last change.
    pub venue_at: Ts,
    /// Receive time of the last change.
    pub recv_at: Ts,
    /// Limits of the data.
    pub flags: BookFlags,
    /// Counts losses of continuity.
    pub epoch: u32,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            bids: Ladder::new(BookSide::Bid),
            asks: Ladder::new(BookSide::Ask),
            state: BookState::Empty,
            venue_at: Ts::ZERO,
            recv_at: Ts::ZERO,
            flags: BookFlags::default(),
            epoch: 0,
        }
    }
}

/// What an update did to the top of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Best bid and best ask are as before.
    Same,
    /// Price or size of a best level changed.
    Moved,
    /// The update was not applied (older than the book, or a change without a snapshot).
    Ignored,
    /// The book crossed and is lost until the next snapshot.
    Crossed,
}

impl Book {
    /// Replaces the book. A snapshot older than what was already applied is ignored while the book is synced.
    pub fn apply_snapshot(&mut self, bids: &[Level], asks: &[Level], venue_at: Ts, recv_at: Ts, flags: BookFlags) -> Touch {
        if self.state == BookState::Synced && venue_at < self.venue_at {
            return Touch::Ignored;
        }
        let before = (self.bids.best(), self.asks.best());
        self.bids.replace(bids);
        self.asks.replace(asks);
        self.state = BookState::Synced;
        self.flags = flags;
        self.finish(before, venue_at, recv_at)
    }

    /// Applies absolute level changes. Before a snapshot they are ignored.
    #[inline]
    pub fn apply_delta(&mut self, bids: &[Level], asks: &[Level], venue_at: Ts, recv_at: Ts) -> Touch {
        if self.state != BookState::Synced {
            return Touch::Ignored;
        }
        let mut moved = false;
        for level in bids {
            moved |= self.bids.set(*level);
        }
        for level in asks {
            moved |= self.asks.set(*level);
        }
        self.venue_at = self.venue_at.max(venue_at);
        self.recv_at = recv_at;
        if moved && self.is_crossed() {
            self.lose(BookLoss::Crossed);
            return Touch::Crossed;
        }
        if moved { Touch::Moved } else { Touch::Same }
    }

    fn finish(&mut self, before: (Option<Level>, Option<Level>), venue_at: Ts, recv_at: Ts) -> Touch {
        self.venue_at = venue_at;
        self.recv_at = recv_at;
        if self.is_crossed() {
            self.lose(BookLoss::Crossed);
            return Touch::Crossed;
        }
        if before == (self.bids.best(), self.asks.best()) { Touch::Same } else { Touch::Moved }
    }

    /// Marks continuity as lost; levels are dropped so that nobody reads them.
    pub fn lose(&mut self, why: BookLoss) {
        self.state = BookState::Lost(why);
        self.epoch = self.epoch.saturating_add(1);
        self.bids.clear();
        self.asks.clear();
    }

    /// True when best bid >= best ask.
    #[inline]
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.bids.best(), self.asks.best()), (Some(b), Some(a)) if b.px >= a.px)
    }

    /// Middle of best bid and best ask, rounded down to the scale; `None` when a side is empty.
    #[must_use]
    pub fn mid(&self) -> Option<Px> {
        match (self.bids.best(), self.asks.best()) {
            (Some(b), Some(a)) => Some(Px::from_raw(b.px.raw().midpoint(a.px.raw()))),
            _ => None,
        }
    }

    /// Levels that an order of ours on `side` would meet, best first, in prices of `outcome`.
    #[inline]
    pub fn meets(&self, outcome: Outcome, side: Side) -> impl Iterator<Item = Level> + '_ {
        let (ladder, mirrored) = self.facing(outcome, side);
        ladder.iter().map(move |l| if mirrored { Level { px: l.px.complement(), qty: l.qty } } else { l })
    }

    /// Best price of `outcome` for an order of ours on `side`.
    #[inline]
    #[must_use]
    pub fn touch(&self, outcome: Outcome, side: Side) -> Option<Level> {
        let (ladder, mirrored) = self.facing(outcome, side);
        ladder.best().map(|l| if mirrored { Level { px: l.px.complement(), qty: l.qty } } else { l })
    }

    /// False when the side that an order of ours would meet has no known sizes.
    #[must_use]
    pub fn sizes_known(&self, outcome: Outcome, side: Side) -> bool {
        let asks = matches!((outcome, side), (Outcome::First, Side::Buy) | (Outcome::Second, Side::Sell));
        if asks { !self.flags.ask_sizes_unknown } else { !self.flags.bid_sizes_unknown }
    }

    /// The ladder that an order meets, and whether its prices are of the other outcome.
    #[inline]
    const fn facing(&self, outcome: Outcome, side: Side) -> (&Ladder, bool) {
        match (outcome, side) {
            (Outcome::First, Side::Buy) => (&self.asks, false),
            (Outcome::First, Side::Sell) => (&self.bids, false),
            (Outcome::Second, Side::Buy) => (&self.bids, true),
            (Outcome::Second, Side::Sell) => (&self.asks, true),
        }
    }

    /// Walks the book for up to `qty` at `limit` or better.
    #[must_use]
    pub fn walk(&self, outcome: Outcome, side: Side, qty: Qty, limit: Px) -> Walk {
        let mut walk = Walk::default();
        if !self.sizes_known(outcome, side) {
            return walk;
        }
        for level in self.meets(outcome, side) {
            let within = match side {
                Side::Buy => level.px <= limit,
                Side::Sell => level.px >= limit,
            };
            if !within || walk.qty >= qty {
                break;
            }
            walk.take(level.px, level.qty.min(qty - walk.qty), side);
        }
        walk
    }
}

/// Result of walking a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walk {
    /// Quantity available.
    pub qty: Qty,
    /// Cash: cost of a buy (rounded up), proceeds of a sell (rounded down).
    pub cash: Usd,
    /// Worst price touched.
    pub worst: Option<Px>,
}

impl Walk {
    /// Adds one level's take.
    pub fn take(&mut self, px: Px, qty: Qty, side: Side) {
        if !qty.is_positive() {
            return;
        }
        self.qty += qty;
        self.cash += qty.at(px, if side == Side::Buy { Round::Up } else { Round::Down });
        self.worst = Some(px);
    }
    /// Average price: up for buys, down for sells is the caller's choice.
    #[must_use]
    pub fn average(&self, round: Round) -> Option<Px> {
        self.cash.per(self.qty, round)
    }
}
