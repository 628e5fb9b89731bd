//! What the protocol keeps of each market, and changes in canonical terms.

use std::sync::Arc;

use pm_core::book::{BookLoss, Level};
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::market::MarketChange;
use pm_core::time::{Dur, Ts};
use pm_core::traits::{DecodeError, EventSink};
use pm_core::units::{Px, Qty, Ratio};

use crate::scan::Head;
use crate::wire;

/// What the protocol knows of a market.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) idx: MarketIdx,
    pub(super) native: Arc<str>,
    pub(super) tokens: [Arc<str>; 2],
    pub(super) labels: [Arc<str>; 2],
    /// Grid now.
    pub(super) tick: Px,
    pub(super) min_qty: Qty,
    pub(super) closes_at: Ts,
    pub(super) run: Run,
}

/// How a market's messages ran so far; a new description of the market does not change it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// A snapshot came and continuity holds.
    pub(super) synced: bool,
    /// The loss was already said.
    pub(super) lost_said: bool,
    /// Latest venue time, for frames without one.
    pub(super) last_at: Ts,
    /// Venue time of the book that changes apply to: it holds every change up to then, and the ones of that very instant may be missing.
    pub(super) snapshot_at: Ts,
    /// Venue time of the newest book taken and of the newest change seen, applied or not. An older book lacks that change, and nobody sends
    /// it again. Kept over reconnects: REST bodies come from a cache and were seen many minutes old.
    pub(super) seen_at: Ts,
    /// Venue time of the grid, where it is known.
    pub(super) tick_at: Ts,
    /// Finest grid so far: resting levels keep their prices when the grid becomes coarser.
    pub(super) finest: Px,
}

/// A venue time this far ahead of our clock is no time: believed, it would make everything after it look old.
const MAX_AHEAD: Dur = Dur::from_secs(86_400);

/// False for a venue time far after our clock; [`Ts::ZERO`] is no clock.
#[inline]
pub(super) fn plausible(at: Ts, now: Ts) -> bool {
    now == Ts::ZERO || at <= now + MAX_AHEAD
}

/// A change in canonical terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canonical {
    pub(super) slot: u32,
    pub(super) from_first: bool,
    pub(super) bid: bool,
    pub(super) level: Level,
}

impl Known {
    #[inline]
    pub(super) fn stamp(&mut self, at: Option<Ts>) -> Ts {
        let at = at.unwrap_or(self.run.last_at);
        self.run.last_at = self.run.last_at.max(at);
        at
    }

    /// Refuses times that cannot be. `now` is our clock, [`Ts::ZERO`] where there is none.
    #[inline]
    pub(super) fn possible(&mut self, at: Option<Ts>, now: Ts, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        match at {
            Some(at) if !plausible(at, now) => {
                self.lose(BookLoss::BadFrame, out);
                Err(DecodeError::new(format!("timestamp {at} is more than a day after {now} in market {}", self.native)))
            }
            _ => Ok(()),
        }
    }

    /// A change was seen, whatever becomes of it. True when a later one was seen before it.
    #[inline]
    pub(super) fn saw_change(&mut self, at: Option<Ts>) -> bool {
        let Some(at) = at else { return false };
        let back = at < self.run.seen_at;
        self.run.seen_at = self.run.seen_at.max(at);
        back
    }

    /// True for a book that lacks a change already seen. A book that does not say how old it is may be that old.
    #[inline]
    pub(super) fn is_old_book(&self, at: Option<Ts>) -> bool {
        at.unwrap_or_default() < self.run.seen_at
    }

    /// True for a change that the book already holds.
    #[inline]
    pub(super) fn is_old_change(&self, at: Option<Ts>) -> bool {
        self.run.synced && at.is_some_and(|at| at < self.run.snapshot_at)
    }

    /// The book is taken: changes apply to it from here.
    #[inline]
    pub(super) fn take_book(&mut self, at: Option<Ts>) -> Ts {
        let dated = at.unwrap_or_default();
        (self.run.synced, self.run.lost_said) = (true, false);
        (self.run.snapshot_at, self.run.seen_at) = (dated, self.run.seen_at.max(dated));
        self.stamp(at)
    }

    /// Says once that the book is lost.
    pub(super) fn lose(&mut self, why: BookLoss, out: &mut dyn EventSink) {
        self.run.synced = false;
        if !self.run.lost_said {
            self.run.lost_said = true;
            out.event(Event::BookLost { book: BookId::Market(self.idx), why });
        }
    }

    /// A book names its grid and minimum: take them over before its levels are judged.
    #[inline]
    pub(super) fn rules_of_book(&mut self, head: &Head, out: &mut dyn EventSink) {
        if let Some(tick) = head.tick_size {
            self.set_tick(tick, head.timestamp, out);
        }
        if let Some(min) = head.min_order_size
            && min != self.min_qty
            && min.is_positive()
        {
            self.min_qty = min;
            out.event(Event::MarketChanged { market: self.idx, change: MarketChange::MinQty(min) });
        }
    }

    /// A word on the grid; an older one than the last is ignored.
    pub(super) fn set_tick(&mut self, tick: Px, at: Option<Ts>, out: &mut dyn EventSink) {
        if !tick.is_probability() || at.is_some_and(|at| at < self.run.tick_at) {
            return;
        }
        self.run.tick_at = self.run.tick_at.max(at.unwrap_or_default());
        if tick != self.tick {
            self.tick = tick;
            self.run.finest = self.run.finest.min(tick);
            out.event(Event::MarketChanged { market: self.idx, change: MarketChange::Tick(tick) });
        }
    }

    /// What a share of the first outcome pays; `None` when the message does not name a winner of this market.
    pub(super) fn first_pays(&self, m: &wire::MarketResolved) -> Option<Ratio> {
        let names = |of: &[Arc<str>; 2], text: &str| of.iter().position(|t| &**t == text);
        let by_token = m.winning_asset_id.as_deref().and_then(|t| names(&self.tokens, t));
        let winner = by_token.or_else(|| m.winning_outcome.as_deref().and_then(|t| names(&self.labels, t)))?;
        Some(if winner == 0 { Ratio::ONE } else { Ratio::ZERO })
    }
}

/// Splits changes into sides. The first outcome's own word on a level wins over the mirrored word of the second; of several words from one
/// side of the mirror the last wins.
pub(super) fn gather(group: &[Canonical], bids: &mut Vec<Level>, asks: &mut Vec<Level>) {
    bids.clear();
    asks.clear();
    for first in [true, false] {
        let own = (bids.len(), asks.len());
        for c in group.iter().filter(|c| c.from_first == first) {
            let (side, own) = if c.bid { (&mut *bids, own.0) } else { (&mut *asks, own.1) };
            match side.iter().position(|l| l.px == c.level.px) {
                Some(i) if !first && i < own => {}
                Some(i) => {
                    if let Some(level) = side.get_mut(i) {
                        level.qty = c.level.qty;
                    }
                }
                None => side.push(c.level),
            }
        }
    }
}

pub(super) fn mirror(from: &[Level], to: &mut Vec<Level>) {
    to.clear();
    to.extend(from.iter().map(|l| Level { px: l.px.complement(), qty: l.qty }));
}
