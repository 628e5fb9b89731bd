//! The market socket as a protocol: frames in, events out in terms of the first outcome. Both tokens of a market are views of one book, so
//! what is said about the second is mirrored (price complement, bids and asks swapped) and liquidity is never counted twice
//! (venues/polymarket.md 5.1, 5.4).
//!
//! A frame that does not fit its market (prices off the grid or outside of 0..1, malformed fields) makes the book lost until its next
//! snapshot; nothing is traded on it meanwhile.

use std::borrow::Cow;
use std::sync::Arc;

use pm_core::book::{BookFlags, BookLoss, Level};
use pm_core::event::{BookId, Event};
use pm_core::market::{Market, MarketChange, Outcome};
use pm_core::order::Side;
use pm_core::registry::Registry;
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};

use crate::scan::{self, Head, Hot, Scratch};
use crate::tokens::IdMap;

mod grid;
mod known;
mod slow;

use known::{Canonical, Known, gather, mirror};

/// What to do with a price that lies on a finer grid than the market's known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GridPolicy {
    /// The frame is bad. Right for live feeds, where every change of the grid is announced and books carry their grid.
    #[default]
    Strict,
    /// The grid became finer and the message that says so is missing: take over the venue's next finer grid (0.01, 0.005, 0.0025, 0.001,
    /// 0.0001). For recordings without `tick_size_change`.
    FollowFiner,
}

/// How long after its scheduled close a market is still followed.
const KEEP_AFTER_CLOSE: Dur = Dur::from_secs(6 * 3_600);
/// Markets are swept when the number of slots doubles from here.
const SWEEP_FROM: usize = 512;

/// Feed protocol of the market socket and of bare REST `/book` bodies.
#[derive(Debug, Default)]
pub struct MarketProtocol {
    policy: GridPolicy,
    markets: Vec<Option<Known>>,
    free: Vec<u32>,
    by_token: IdMap<(u32, Outcome)>,
    by_market: Vec<Option<u32>>,
    by_native: IdMap<u32>,
    sweep_at: usize,
    now: Ts,
    scratch: Scratch,
    canonical: Vec<Canonical>,
    bids: Vec<Level>,
    asks: Vec<Level>,
    wanted: Vec<Arc<str>>,
}

impl MarketProtocol {
    /// An empty protocol: it learns its markets from [`Event::MarketListed`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`MarketProtocol::new`], with another treatment of finer grids.
    #[must_use]
    pub fn with_grid_policy(policy: GridPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Number of markets it follows.
    #[must_use]
    pub fn followed(&self) -> usize {
        self.by_native.len()
    }

    /// Names the tokens that [`FeedProtocol::subscribe`] asks for (all followed ones when never called).
    pub fn want(&mut self, tokens: Vec<Arc<str>>) {
        self.wanted = tokens;
    }

    fn known(&mut self, slot: u32) -> Option<&mut Known> {
        self.markets.get_mut(usize::try_from(slot).ok()?)?.as_mut()
    }

    /// One message that starts at `at`. Gives the position after it.
    fn one(
        &mut self,
        frame: &[u8],
        at: usize,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<usize, (DecodeError, Option<usize>)> {
        let mut scratch = core::mem::take(&mut self.scratch);
        let scanned = scan::object(frame, at, &mut scratch);
        let result = match scanned {
            Some((hot, end)) => self.hot(frame, hot, &scratch, kind, out).map(|()| end).map_err(|e| (place(e, at), Some(end))),
            None => self.slow(frame, at, &mut scratch, kind, out),
        };
        self.scratch = scratch;
        result
    }

    fn hot(
        &mut self,
        frame: &[u8],
        hot: Hot,
        scratch: &Scratch,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        match hot {
            Hot::Book(head) => {
                let token = head.asset.unwrap_or_default().of(frame);
                self.on_book(token, &head, &scratch.bids, &scratch.asks, kind, out)
            }
            Hot::PriceChange(head) => {
                let mut last = None;
                self.canonical.clear();
                for c in &scratch.changes {
                    self.canonicalise(c.token.of(frame), c.side, Level { px: c.px, qty: c.qty }, &mut last);
                }
                self.on_changes(head.timestamp, kind, out)
            }
        }
    }

    /// The market and outcome of a token; the token of the change before is tried first.
    #[inline]
    fn find(&self, token: &[u8], last: Option<u32>) -> Option<(u32, Outcome)> {
        if let Some(slot) = last
            && let Some(Some(known)) = usize::try_from(slot).ok().and_then(|i| self.markets.get(i))
        {
            let [first, second] = &known.tokens;
            if token == second.as_bytes() {
                return Some((slot, Outcome::Second));
            }
            if token == first.as_bytes() {
                return Some((slot, Outcome::First));
            }
        }
        self.by_token.get(token).copied()
    }

    #[inline]
    fn canonicalise(&mut self, token: &[u8], side: Side, level: Level, last: &mut Option<u32>) {
        let Some((slot, outcome)) = self.find(token, *last) else { return };
        *last = Some(slot);
        let from_first = outcome == Outcome::First;
        let level = if from_first { level } else { Level { px: level.px.complement(), qty: level.qty } };
        self.canonical.push(Canonical { slot, from_first, bid: (side == Side::Buy) == from_first, level });
    }

    fn on_book(
        &mut self,
        token: &[u8],
        head: &Head,
        bids: &[Level],
        asks: &[Level],
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.find(token, None) else {
            *kind = heavier(*kind, FrameKind::Foreign);
            return Ok(());
        };
        *kind = FrameKind::Data;
        let policy = self.policy;
        let (mut to_bids, mut to_asks) = (core::mem::take(&mut self.bids), core::mem::take(&mut self.asks));
        let result = self.known(slot).map_or(Ok(()), |known| {
            known.rules_of_book(head, out);
            known.fits(policy, bids.iter().chain(asks), out)?;
            let at = known.stamp(head.timestamp);
            (known.synced, known.lost_said) = (true, false);
            let (bids, asks): (&[Level], &[Level]) = match outcome {
                Outcome::First => (bids, asks),
                Outcome::Second => {
                    mirror(asks, &mut to_bids);
                    mirror(bids, &mut to_asks);
                    (&to_bids, &to_asks)
                }
            };
            out.event(Event::BookSnapshot {
                book: BookId::Market(known.idx),
                bids: Cow::Borrowed(bids),
                asks: Cow::Borrowed(asks),
                at,
                flags: BookFlags::default(),
            });
            Ok(())
        });
        (self.bids, self.asks) = (to_bids, to_asks);
        result
    }

    /// Applies `self.canonical`, market by market (a frame is about one market in practice).
    fn on_changes(&mut self, timestamp: Option<Ts>, kind: &mut FrameKind, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        if self.canonical.is_empty() {
            *kind = heavier(*kind, FrameKind::Foreign);
            return Ok(());
        }
        *kind = FrameKind::Data;
        let (changes, mut bids, mut asks) =
            (core::mem::take(&mut self.canonical), core::mem::take(&mut self.bids), core::mem::take(&mut self.asks));
        let policy = self.policy;
        let mut result = Ok(());
        for group in changes.chunk_by(|a, b| a.slot == b.slot) {
            let Some(known) = group.first().and_then(|c| self.known(c.slot)) else { continue };
            if let Err(e) = known.fits(policy, group.iter().map(|c| &c.level), out) {
                result = Err(e);
                continue;
            }
            let at = known.stamp(timestamp);
            if !known.synced {
                known.lose(BookLoss::NoSnapshot, out);
                continue;
            }
            gather(group, &mut bids, &mut asks);
            let (bids, asks) = (Cow::Borrowed(bids.as_slice()), Cow::Borrowed(asks.as_slice()));
            out.event(Event::BookDelta { book: BookId::Market(known.idx), bids, asks, at });
        }
        (self.canonical, self.bids, self.asks) = (changes, bids, asks);
        result
    }

    /// Follows a market, or takes over its new description.
    fn follow(&mut self, market: &Market) {
        let slot = match self.by_native.get(market.native.as_bytes()) {
            Some(slot) => *slot,
            None => {
                self.sweep();
                let next = u32::try_from(self.markets.len()).unwrap_or(u32::MAX);
                let slot = self.free.pop().unwrap_or(next);
                if slot == next {
                    self.markets.push(None);
                }
                slot
            }
        };
        let old = self.known(slot).map(|k| (k.synced, k.lost_said, k.last_at, k.finest)).unwrap_or_default();
        let finest = if old.3.is_positive() { old.3.min(market.tick) } else { market.tick };
        let known = Known {
            idx: market.idx,
            native: Arc::clone(&market.native),
            tokens: market.tokens.clone(),
            labels: market.labels.clone(),
            tick: market.tick,
            finest,
            min_qty: market.min_qty,
            closes_at: market.closes_at,
            synced: old.0,
            lost_said: old.1,
            last_at: old.2,
        };
        let [first, second] = &market.tokens;
        self.by_token.insert(first.as_bytes().into(), (slot, Outcome::First));
        self.by_token.insert(second.as_bytes().into(), (slot, Outcome::Second));
        self.by_native.insert(market.native.as_bytes().into(), slot);
        let at = market.idx.slot();
        if self.by_market.len() <= at {
            self.by_market.resize(at + 1, None);
        }
        if let Some(entry) = self.by_market.get_mut(at) {
            *entry = Some(slot);
        }
        if let Some(place) = usize::try_from(slot).ok().and_then(|i| self.markets.get_mut(i)) {
            *place = Some(known);
        }
    }

    /// Forgets a market: it is resolved, or long closed.
    fn forget(&mut self, slot: u32) {
        let Some(known) = usize::try_from(slot).ok().and_then(|i| self.markets.get_mut(i)).and_then(Option::take) else { return };
        for token in &known.tokens {
            self.by_token.remove(token.as_bytes());
        }
        self.by_native.remove(known.native.as_bytes());
        if let Some(entry) = self.by_market.get_mut(known.idx.slot()) {
            *entry = None;
        }
        self.free.push(slot);
    }

    /// Keeps memory flat over weeks of rolling windows whose result never came over the socket.
    fn sweep(&mut self) {
        if self.followed() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        let limit = self.now - KEEP_AFTER_CLOSE;
        let stale: Vec<u32> = (0..self.markets.len())
            .filter(|i| self.markets.get(*i).and_then(Option::as_ref).is_some_and(|k| k.closes_at < limit))
            .filter_map(|i| u32::try_from(i).ok())
            .collect();
        for slot in stale {
            self.forget(slot);
        }
        self.sweep_at = self.followed() * 2;
    }
}

/// Data outweighs foreign outweighs unknown outweighs control: what a frame of several messages counts as.
fn heavier(a: FrameKind, b: FrameKind) -> FrameKind {
    let weight = |k: FrameKind| match k {
        FrameKind::Data => 3,
        FrameKind::Foreign => 2,
        FrameKind::Unknown => 1,
        FrameKind::Control => 0,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// Moves an error's place from the message into the frame.
fn place(mut e: DecodeError, at: usize) -> DecodeError {
    e.at = Some(e.at.unwrap_or(0) + at);
    e
}

fn blanks(frame: &[u8], mut at: usize) -> usize {
    while frame.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

impl FeedProtocol for MarketProtocol {
    fn decode(&mut self, at: Stamp, frame: &[u8], _: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, DecodeError> {
        self.now = self.now.max(at.wall);
        let mut pos = blanks(frame, 0);
        let mut kind = FrameKind::Control;
        match frame.get(pos) {
            Some(b'{') => {
                pos = self.one(frame, pos, &mut kind, out).map_err(|(e, _)| e)?;
            }
            Some(b'[') => pos = self.array(frame, pos, &mut kind, out)?,
            _ if matches!(frame.trim_ascii(), b"PONG" | b"PING") => return Ok(FrameKind::Control),
            _ => return Ok(FrameKind::Unknown),
        }
        match blanks(frame, pos) {
            end if end >= frame.len() => Ok(kind),
            end => Err(DecodeError::at("bytes after the message", end)),
        }
    }

    fn learn(&mut self, listing: &Event<'_>) {
        match listing {
            Event::MarketListed(market) => self.follow(market),
            Event::MarketChanged { market, change } => {
                let slot = self.by_market.get(market.slot()).copied().flatten();
                let Some(known) = slot.and_then(|s| self.known(s)) else { return };
                match *change {
                    MarketChange::Tick(tick) => {
                        known.tick = tick;
                        known.finest = known.finest.min(tick);
                    }
                    MarketChange::MinQty(min) => known.min_qty = min,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn reset(&mut self, out: &mut dyn EventSink) {
        for known in self.markets.iter_mut().flatten() {
            if known.synced {
                known.lose(BookLoss::Disconnected, out);
            }
            known.lost_said = false;
        }
    }

    /// One frame that names every token (venues/polymarket.md 5.4).
    fn subscribe(&self) -> Vec<String> {
        let followed = self.markets.iter().flatten().flat_map(|k| k.tokens.iter());
        let tokens: Vec<&str> =
            if self.wanted.is_empty() { followed.map(|t| &**t).collect() } else { self.wanted.iter().map(|t| &**t).collect() };
        if tokens.is_empty() {
            return Vec::new();
        }
        vec![serde_json::json!({"assets_ids": tokens, "type": "market", "custom_feature_enabled": true}).to_string()]
    }
}
