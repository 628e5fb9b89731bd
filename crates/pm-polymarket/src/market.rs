//! The market socket as a protocol: frames in, events out in terms of the first outcome. Both tokens of a market are views of one book, so
//! what is said about the second is mirrored (price complement, bids and asks swapped) and liquidity is never counted twice
//! (venues/polymarket.md 5.1, 5.4).
//!
//! A frame that does not fit its market (prices off the grid or outside of 0..1, malformed fields) makes the book lost until its next
//! snapshot; nothing is traded on it meanwhile.
//!
//! There are no sequence numbers: time orders (venues/polymarket.md 5.4). A book's time is that of its last change, so a book from before
//! a change that was seen lacks it, and a change from before the book is in it. Both are dropped and counted, synced or not, and an old
//! book's grid and minimum with it.

use std::borrow::Cow;
use std::sync::Arc;

use pm_core::book::{BookFlags, BookLoss, Level};
use pm_core::event::{BookId, Event};
use pm_core::market::{MarketChange, Outcome};
use pm_core::order::Side;
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};

use crate::scan::{self, Head, Hot, Scratch};
use crate::tokens::IdMap;

mod audit;
mod follow;
mod grid;
mod known;
mod slow;

pub use audit::MarketStats;
use known::{Canonical, Known, gather, mirror};

/// Feed protocol of the market socket and of bare REST `/book` bodies.
#[derive(Debug, Default)]
pub struct MarketProtocol {
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
    stats: MarketStats,
}

/// A whole book as decoded.
struct Whole<'a> {
    head: &'a Head,
    bids: &'a [Level],
    asks: &'a [Level],
    /// The message's own bytes: the hash is over its texts.
    body: &'a [u8],
}

impl MarketProtocol {
    /// An empty protocol: it learns its markets from [`Event::MarketListed`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> MarketStats {
        self.stats
    }

    fn known(&mut self, slot: u32) -> Option<&mut Known> {
        in_slot(&mut self.markets, slot)
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
            Some((hot, end)) => {
                self.hot(frame, (at, end), hot, &scratch, kind, out).map(|()| end).map_err(|e| (place(e, at), Some(end)))
            }
            None => self.slow(frame, at, &mut scratch, kind, out),
        };
        self.scratch = scratch;
        result
    }

    fn hot(
        &mut self,
        frame: &[u8],
        (from, end): (usize, usize),
        hot: Hot,
        scratch: &Scratch,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        match hot {
            Hot::Book(head) => {
                let token = head.asset.unwrap_or_default().of(frame);
                let body = frame.get(from..end).unwrap_or_default();
                let book = Whole { head: &head, bids: &scratch.bids, asks: &scratch.asks, body };
                self.on_book(token, &book, kind, out)
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
        book: &Whole<'_>,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.find(token, None) else {
            *kind = heavier(*kind, FrameKind::Foreign);
            return Ok(());
        };
        *kind = FrameKind::Data;
        let Self { markets, stats, now, bids: to_bids, asks: to_asks, .. } = self;
        let Some(known) = in_slot(markets, slot) else { return Ok(()) };
        let sent = book.head.timestamp;
        known.possible(sent, *now, out)?;
        if known.is_old_book(sent) {
            stats.stale_books += 1;
            return Ok(());
        }
        if !audit::hash_agrees(book.head, book.body, stats) {
            known.lose(BookLoss::HashMismatch, out);
            return Ok(());
        }
        known.rules_of_book(book.head, out);
        known.fits(book.bids.iter().chain(book.asks), out).inspect_err(|_| stats.misfits += 1)?;
        let at = known.take_book(sent);
        let (bids, asks): (&[Level], &[Level]) = match outcome {
            Outcome::First => (book.bids, book.asks),
            Outcome::Second => {
                mirror(book.asks, to_bids);
                mirror(book.bids, to_asks);
                (to_bids, to_asks)
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
    }

    /// Applies `self.canonical`, market by market (a frame is about one market in practice).
    fn on_changes(&mut self, timestamp: Option<Ts>, kind: &mut FrameKind, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        if self.canonical.is_empty() {
            *kind = heavier(*kind, FrameKind::Foreign);
            return Ok(());
        }
        *kind = FrameKind::Data;
        let Self { markets, stats, now, canonical, bids, asks, .. } = self;
        let mut result = Ok(());
        for group in canonical.chunk_by(|a, b| a.slot == b.slot) {
            let Some(known) = group.first().and_then(|c| in_slot(markets, c.slot)) else { continue };
            if let Err(e) = known.possible(timestamp, *now, out) {
                result = Err(e);
                continue;
            }
            if known.is_old_change(timestamp) {
                stats.stale_changes += 1;
                continue;
            }
            stats.clock_back += u64::from(known.saw_change(timestamp));
            if let Err(e) = known.fits(group.iter().map(|c| &c.level), out) {
                stats.misfits += 1;
                result = Err(e);
                continue;
            }
            let at = known.stamp(timestamp);
            if !known.run.synced {
                stats.before_snapshot += 1;
                known.lose(BookLoss::NoSnapshot, out);
                continue;
            }
            gather(group, bids, asks);
            let (bids, asks) = (Cow::Borrowed(bids.as_slice()), Cow::Borrowed(asks.as_slice()));
            out.event(Event::BookDelta { book: BookId::Market(known.idx), bids, asks, at });
        }
        result
    }
}

#[inline]
fn in_slot(markets: &mut [Option<Known>], slot: u32) -> Option<&mut Known> {
    markets.get_mut(usize::try_from(slot).ok()?)?.as_mut()
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
                        known.run.finest = known.run.finest.min(tick);
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
            if known.run.synced {
                known.lose(BookLoss::Disconnected, out);
            }
            known.run.lost_said = false;
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

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.stats.named()
    }
}
