//! Where frames are collected: one byte buffer and one list, reused. The model moves in steps; the frames of a step are sorted by their
//! arrival and lent out one by one before the next step begins. Each feed has its own latency, so frames of one instant arrive in the
//! order of the wires they travel on.

use pm_core::time::Ts;

use crate::dice::Dice;

/// Feeds by index: the names of [`FEEDS`].
pub(crate) const GAMMA: usize = 0;
/// Market socket.
pub(crate) const CLOB: usize = 1;
/// Settlement prices.
pub(crate) const LIVE: usize = 2;
/// Instrument lists.
pub(crate) const REST: usize = 3;
/// Perpetuals.
pub(crate) const LINEAR: usize = 4;
/// Spot trades and candles.
pub(crate) const SPOT: usize = 5;

/// Feed names, as recordings use them.
pub(crate) const FEEDS: [&str; 6] =
    ["polymarket.gamma", "polymarket.market", "polymarket.live", "bybit.rest", "bybit.linear", "binance.spot"];

/// From the venue's time to arrival, microseconds: the least, and the range of the jitter of a step.
const LATENCY: [(i64, i64); 6] =
    [(30_000, 10_000), (42_000, 8_000), (25_000, 10_000), (4_000, 1_000), (12_000, 6_000), (18_000, 8_000)];
/// Distance of two frames of a feed in one step, nanoseconds.
const APART: i64 = 20_000;

#[derive(Debug, Clone, Copy)]
struct Slot {
    at: i64,
    feed: usize,
    begin: usize,
    end: usize,
}

/// Frames of the current step.
#[derive(Debug)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    next: usize,
    at: [i64; 6],
    limit: i64,
    /// Nothing is written while true: the time before the stream begins.
    pub(crate) muted: bool,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), slots: Vec::new(), next: 0, at: [0; 6], limit: 0, muted: true }
    }

    /// Begins the step at `now` (nanoseconds); the next one comes `step` later.
    pub(crate) fn begin(&mut self, now: i64, step: i64, dice: &mut Dice) {
        self.bytes.clear();
        self.slots.clear();
        self.next = 0;
        self.limit = now + step - 1;
        for (at, (least, jitter)) in self.at.iter_mut().zip(LATENCY) {
            *at = now + 1_000 * (least + dice.int(0, jitter));
        }
    }

    /// Writes one frame.
    pub(crate) fn frame(&mut self, feed: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.muted {
            return;
        }
        let begin = self.bytes.len();
        write(&mut self.bytes);
        let Some(at) = self.at.get_mut(feed) else { return };
        self.slots.push(Slot { at: (*at).min(self.limit), feed, begin, end: self.bytes.len() });
        *at += APART;
    }

    /// Sorts the step's frames by arrival. Stable: one feed's frames keep their order.
    pub(crate) fn seal(&mut self) {
        self.slots.sort_by_key(|s| s.at);
    }

    /// True when a frame is left.
    pub(crate) fn has_next(&self) -> bool {
        self.next < self.slots.len()
    }

    /// The next frame: arrival, feed, bytes.
    pub(crate) fn next(&mut self) -> Option<(Ts, usize, &[u8])> {
        let slot = self.slots.get(self.next)?;
        self.next += 1;
        Some((Ts::from_nanos(slot.at), slot.feed, self.bytes.get(slot.begin..slot.end)?))
    }
}
