//! What the protocol keeps of each market, and changes in canonical terms.

use std::sync::Arc;

use pm_core::book::{BookLoss, Level};
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::market::MarketChange;
use pm_core::time::Ts;
use pm_core::traits::EventSink;
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
    /// Finest grid so far: resting levels keep their prices when the grid becomes coarser.
    pub(super) finest: Px,
    pub(super) min_qty: Qty,
    pub(super) closes_at: Ts,
    /// A snapshot came and continuity holds.
    pub(super) synced: bool,
    /// The loss was already said.
    pub(super) lost_said: bool,
    /// Latest venue time, for frames without one.
    pub(super) last_at: Ts,
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
        let at = at.unwrap_or(self.last_at);
        self.last_at = self.last_at.max(at);
        at
    }

    /// Says once that the book is lost.
    pub(super) fn lose(&mut self, why: BookLoss, out: &mut dyn EventSink) {
        self.synced = false;
        if !self.lost_said {
            self.lost_said = true;
            out.event(Event::BookLost { book: BookId::Market(self.idx), why });
        }
    }

    /// A book names its grid and minimum: take them over before its levels are judged.
    #[inline]
    pub(super) fn rules_of_book(&mut self, head: &Head, out: &mut dyn EventSink) {
        if let Some(tick) = head.tick_size {
            self.set_tick(tick, out);
        }
        if let Some(min) = head.min_order_size
            && min != self.min_qty
            && min.is_positive()
        {
            self.min_qty = min;
            out.event(Event::MarketChanged { market: self.idx, change: MarketChange::MinQty(min) });
        }
    }

    pub(super) fn set_tick(&mut self, tick: Px, out: &mut dyn EventSink) {
        if tick != self.tick && tick.is_probability() {
            self.tick = tick;
            self.finest = self.finest.min(tick);
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
