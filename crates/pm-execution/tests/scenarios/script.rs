//! A script: frames with their receive times, in the order in which they arrive, and what the operator does in between. Reads as a
//! transcript: `at` sets the time, every other call is one frame.

use std::collections::BTreeMap;

use pm_core::event::{Event, Operator};
use pm_core::ids::FeedId;
use pm_core::time::{Stamp, Ts};
use pm_execution::source::{Epoch, Frame, FrameSource, Input, SourceError};

use crate::frames::{self, Mkt, Terms};

pub const MARKET: u16 = 0;
pub const GAMMA: u16 = 1;
pub const LIVE: u16 = 2;
pub const LINEAR: u16 = 3;
pub const REST: u16 = 4;
pub const SPOT: u16 = 5;
pub const EVENTS: u16 = 6;
/// Added to a feed's number in an entry that says that its connection begins anew.
const ANEW: u16 = 100;

/// Nanoseconds of `ms` after the begin of the script.
pub fn ts(ms: i64) -> Ts {
    Ts::from_millis(frames::millis(ms))
}

/// Frames and orders of the operator, in order.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub frames: Vec<(Ts, u16, Vec<u8>)>,
    /// Before the frame of this position is taken.
    pub orders: BTreeMap<usize, Vec<Operator>>,
    now: i64,
    seq: u64,
    trades: u64,
    depth: u64,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }
    /// Time of the frames that follow, in milliseconds after the begin.
    pub fn at(&mut self, ms: i64) -> &mut Self {
        self.now = ms;
        self
    }
    pub fn now(&self) -> i64 {
        self.now
    }
    /// Raw bytes on a feed.
    pub fn raw(&mut self, feed: u16, bytes: &[u8]) -> &mut Self {
        self.frames.push((ts(self.now), feed, bytes.to_vec()));
        self
    }
    fn text(&mut self, feed: u16, text: &str) -> &mut Self {
        self.raw(feed, text.as_bytes())
    }
    /// The connection of a feed begins anew, or the recording goes on in another file: nothing continues what was before.
    pub fn anew(&mut self, feed: u16) -> &mut Self {
        self.raw(feed + ANEW, b"")
    }
    /// Time passes: an answer to the keep-alive arrives.
    pub fn pong(&mut self, ms: i64) -> &mut Self {
        self.at(ms).text(MARKET, "PONG")
    }
    /// The operator orders something now.
    pub fn operator(&mut self, order: Operator) -> &mut Self {
        self.text(MARKET, "PONG");
        self.orders.entry(self.frames.len()).or_default().push(order);
        self
    }
    /// A word that no public frame carries (health, account): given to the engine as its event.
    pub fn event(&mut self, event: &Event<'_>) -> &mut Self {
        let json = serde_json::to_vec(event).unwrap();
        self.raw(EVENTS, &json)
    }

    pub fn gamma(&mut self, body: &str) -> &mut Self {
        self.text(GAMMA, body)
    }
    pub fn updown(&mut self, m: Mkt, start: i64, beat: &str) -> &mut Self {
        self.gamma(&frames::gamma_updown_5m(m, start, beat, &Terms::default()))
    }
    pub fn above(&mut self, m: Mkt, strike: &str, end: i64) -> &mut Self {
        self.gamma(&frames::gamma_above(m, strike, end, &Terms::default()))
    }
    /// Book of the first outcome, best level first.
    pub fn book(&mut self, m: Mkt, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> &mut Self {
        let text = frames::book(m.cond, m.first, self.now, bids, asks);
        self.text(MARKET, &text)
    }
    /// Book of the second outcome, in its own prices.
    pub fn book_of_second(&mut self, m: Mkt, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> &mut Self {
        let text = frames::book(m.cond, m.second, self.now, bids, asks);
        self.text(MARKET, &text)
    }
    /// Absolute sizes of levels of the first outcome: `(price, size, "BUY" | "SELL")`.
    pub fn change(&mut self, m: Mkt, changes: &[(&str, &str, &str)]) -> &mut Self {
        let changes: Vec<_> = changes.iter().map(|(p, q, s)| (m.first, *p, *q, *s)).collect();
        let text = frames::change(m.cond, self.now, &changes);
        self.text(MARKET, &text)
    }
    pub fn print(&mut self, m: Mkt, price: &str, size: &str, taker: &str) -> &mut Self {
        let text = frames::print(m, m.first, self.now, price, size, taker);
        self.text(MARKET, &text)
    }
    pub fn resolved(&mut self, m: Mkt, winner: &str) -> &mut Self {
        let text = frames::resolved(m, self.now, winner);
        self.text(MARKET, &text)
    }
    pub fn instruments(&mut self) -> &mut Self {
        self.text(REST, &frames::instruments())
    }
    /// The perpetual's book, whole.
    pub fn perp(&mut self, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> &mut Self {
        self.depth += 1;
        let text = frames::depth("snapshot", self.depth, self.now, bids, asks);
        self.text(LINEAR, &text)
    }
    /// One value of the oracle, at the whole second before now.
    pub fn oracle(&mut self, value: &str) -> &mut Self {
        self.seq += 1;
        let text = frames::polybolt(self.seq, self.now / 1_000, value, false);
        self.text(LIVE, &text)
    }
    /// The oracle's 60-second mean at the whole second before now.
    pub fn oracle_mean(&mut self, value: &str) -> &mut Self {
        self.seq += 1;
        let text = frames::polybolt(self.seq, self.now / 1_000, value, true);
        self.text(LIVE, &text)
    }
    pub fn spot(&mut self, price: &str) -> &mut Self {
        self.trades += 1;
        let text = frames::trade(self.trades, self.now, price);
        self.text(SPOT, &text)
    }
    pub fn candle_1h(&mut self, open: i64, prices: [&str; 4], closed: bool) -> &mut Self {
        self.text(SPOT, &frames::kline_1h(open, prices, closed))
    }
    /// All references at one whole price: perpetual one tick around it, oracle and spot on its mid, so that the basis is exactly zero.
    pub fn price(&mut self, whole: i64) -> &mut Self {
        let (bid, ask, mid) = (format!("{}.9", whole - 1), format!("{whole}.1"), whole.to_string());
        // Sizes that differ from one frame to the next: the touch moves, the mid is taken.
        let size = if self.depth.is_multiple_of(2) { "50.000" } else { "51.000" };
        self.perp(&[(bid.as_str(), size)], &[(ask.as_str(), size)]);
        self.oracle(&mid).spot(&mid)
    }
    /// Instruments, then eight seconds of one price, from `ms` on.
    pub fn warm_up(&mut self, ms: i64, whole: i64) -> &mut Self {
        self.at(ms).instruments();
        for second in 0..8 {
            self.at(ms + second * 1_000).price(whole);
        }
        self
    }
}

/// The frames of a script as a source.
#[derive(Debug)]
pub struct Frames<'a> {
    script: &'a Script,
    next: usize,
}

impl<'a> Frames<'a> {
    pub fn new(script: &'a Script) -> Self {
        Self { script, next: 0 }
    }
}

impl FrameSource for Frames<'_> {
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError> {
        let Some((at, feed, bytes)) = self.script.frames.get(self.next) else { return Ok(None) };
        self.next += 1;
        let stamp = Stamp { wall: *at, mono_ns: u64::try_from(self.next).unwrap() };
        Ok(Some(match feed.checked_sub(ANEW) {
            Some(feed) => Input::Epoch(Epoch { stamp, feed: FeedId(feed), up: true }),
            None => Input::Frame(Frame { stamp, feed: FeedId(*feed), bytes }),
        }))
    }
}
