//! What is in a recording: per feed frames, span, gaps and errors; over all feeds events, markets, crossed books, lost continuity. The
//! driver brings the protocols, so that this crate knows no venue.

use std::collections::BTreeMap;
use std::fmt;

use pm_core::book::{Book, BookLoss, BookState, Touch};
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::market::Rule;
use pm_core::registry::Registry;
use pm_core::time::Ts;
use pm_core::traits::{FeedProtocol, FrameKind};
use serde::Serialize;

use crate::recording::{FeedInfo, RecordedFrame, RecordingError, Replay, Tail};

/// Decode errors that are kept with their text, per feed.
const KEPT_ERRORS: usize = 5;

/// One feed of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FeedSummary {
    /// Name.
    pub name: String,
    /// Origin, as recorded.
    pub origin: String,
    /// Mapping statement, as recorded.
    pub mapping: String,
    /// True for records that an importer made.
    pub derived: bool,
    /// True when the origin was read at intervals.
    pub sampled: bool,
    /// True when a protocol read it.
    pub decoded: bool,
    /// Frames.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// First receive time.
    pub first: Option<Ts>,
    /// Last receive time.
    pub last: Option<Ts>,
    /// Longest time between two frames, in milliseconds.
    pub largest_gap_ms: i64,
    /// When that gap began.
    pub largest_gap_at: Option<Ts>,
    /// Frames with market data or metadata.
    pub data: u64,
    /// Acknowledgements and the like.
    pub control: u64,
    /// Message types that are not known.
    pub unknown: u64,
    /// Well-formed frames about ids that were not asked for.
    pub foreign: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
    /// The first of them: time, number of the frame in its file, reason.
    pub first_errors: Vec<String>,
}

/// What is in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Feeds in the order of the feed table.
    pub feeds: Vec<FeedSummary>,
    /// Frames.
    pub frames: u64,
    /// Bytes of frames.
    pub bytes: u64,
    /// First receive time.
    pub first: Option<Ts>,
    /// Last receive time.
    pub last: Option<Ts>,
    /// Decode errors of all feeds.
    pub decode_errors: u64,
    /// Frames whose wall time is before that of an earlier frame of their file.
    pub backwards: u64,
    /// Events by kind.
    pub events: BTreeMap<String, u64>,
    /// Markets listed.
    pub markets: u64,
    /// Of them, with a rule that is understood.
    pub markets_understood: u64,
    /// Of the others, how many for which reason.
    pub not_understood: BTreeMap<String, u64>,
    /// Markets with a result.
    pub markets_resolved: u64,
    /// Books seen.
    pub books: u64,
    /// Updates that left best bid at or above best ask.
    pub crossed_books: u64,
    /// Skipped sequence numbers.
    pub sequence_gaps: u64,
    /// Books lost, by reason.
    pub book_losses: BTreeMap<String, u64>,
    /// Pairs of sampled views whose best prices disagree. Set by the driver from [`crate::derived::Counters`].
    pub view_disagreements: u64,
    /// True when any feed holds records that an importer made.
    pub derived: bool,
    /// Ends of files that are not in order, and damage passed over.
    pub remarks: Vec<String>,
}

/// Collects a [`Summary`]; feed it frames and the events they gave.
#[derive(Debug, Default)]
pub struct Collector {
    summary: Summary,
    /// `true` when understood.
    markets: BTreeMap<MarketIdx, Result<(), String>>,
    resolved: std::collections::BTreeSet<MarketIdx>,
    books: BTreeMap<BookId, Book>,
}

/// Name of an event's kind.
const fn kind_of(event: &Event<'_>) -> &'static str {
    match event {
        Event::MarketListed(_) => "market_listed",
        Event::MarketChanged { .. } => "market_changed",
        Event::InstrumentListed(_) => "instrument_listed",
        Event::BookSnapshot { .. } => "book_snapshot",
        Event::BookDelta { .. } => "book_delta",
        Event::BookLost { .. } => "book_lost",
        Event::Print { .. } => "print",
        Event::Ticker { .. } => "ticker",
        Event::Reference { .. } => "reference",
        Event::Candle { .. } => "candle",
        Event::Resolved { .. } => "resolved",
        Event::Health(_) => "health",
        _ => "other",
    }
}

impl Collector {
    /// A collector for the feeds of a recording; `decoded` says for each whether a protocol reads it.
    #[must_use]
    pub fn new(feeds: &[FeedInfo], decoded: &[bool]) -> Self {
        let feeds = feeds.iter().enumerate().map(|(i, f)| FeedSummary {
            name: f.name.clone(),
            origin: f.origin.clone(),
            mapping: f.mapping.clone(),
            derived: f.derived,
            sampled: f.sampled,
            decoded: decoded.get(i).copied().unwrap_or(false),
            ..FeedSummary::default()
        });
        let feeds: Vec<FeedSummary> = feeds.collect();
        let derived = feeds.iter().any(|f| f.derived);
        Self { summary: Summary { feeds, derived, ..Summary::default() }, ..Self::default() }
    }

    /// A frame came; `decoded` is what its protocol said of it.
    pub fn frame(&mut self, frame: &RecordedFrame<'_>, decoded: Option<&Result<FrameKind, pm_core::traits::DecodeError>>) {
        let (wall, bytes) = (frame.stamp.wall, u64::try_from(frame.bytes.len()).unwrap_or(0));
        let s = &mut self.summary;
        s.frames += 1;
        s.bytes += bytes;
        s.first = Some(s.first.map_or(wall, |f| f.min(wall)));
        s.last = Some(s.last.map_or(wall, |l| l.max(wall)));
        let Some(feed) = s.feeds.get_mut(usize::from(frame.feed.0)) else { return };
        feed.frames += 1;
        feed.bytes += bytes;
        if let Some(last) = feed.last {
            let gap = wall.since(last).millis();
            if gap > feed.largest_gap_ms {
                (feed.largest_gap_ms, feed.largest_gap_at) = (gap, Some(last));
            }
        }
        feed.first = Some(feed.first.map_or(wall, |f| f.min(wall)));
        feed.last = Some(feed.last.map_or(wall, |l| l.max(wall)));
        match decoded {
            None => {}
            Some(Ok(FrameKind::Data)) => feed.data += 1,
            Some(Ok(FrameKind::Control)) => feed.control += 1,
            Some(Ok(FrameKind::Unknown)) => feed.unknown += 1,
            Some(Ok(FrameKind::Foreign)) => feed.foreign += 1,
            Some(Err(e)) => {
                feed.errors += 1;
                s.decode_errors += 1;
                if feed.first_errors.len() < KEPT_ERRORS {
                    feed.first_errors.push(format!("{wall}, frame {}: {e}", frame.seq));
                }
            }
        }
    }

    /// An event came out of a frame received at `recv`.
    pub fn event(&mut self, recv: Ts, event: &Event<'_>) {
        let kind = kind_of(event);
        match self.summary.events.get_mut(kind) {
            Some(n) => *n += 1,
            None => drop(self.summary.events.insert(kind.to_owned(), 1)),
        }
        match event {
            Event::MarketListed(m) => {
                let understood = match &m.rule {
                    Rule::Understood(_) => Ok(()),
                    Rule::NotUnderstood(why) => Err(why.to_string()),
                };
                self.markets.insert(m.idx, understood);
            }
            Event::Resolved { market, .. } => {
                self.resolved.insert(*market);
            }
            Event::BookSnapshot { book, bids, asks, at, flags } => {
                let touch = self.books.entry(*book).or_default().apply_snapshot(bids, asks, *at, recv, *flags);
                self.touched(touch);
            }
            Event::BookDelta { book, bids, asks, at } => {
                let touch = self.books.entry(*book).or_default().apply_delta(bids, asks, *at, recv);
                self.touched(touch);
            }
            Event::BookLost { book, why } => {
                *self.summary.book_losses.entry(format!("{why:?}")).or_default() += 1;
                self.summary.sequence_gaps += u64::from(*why == BookLoss::Gap);
                self.books.entry(*book).or_default().lose(*why);
            }
            _ => {}
        }
    }

    fn touched(&mut self, touch: Touch) {
        self.summary.crossed_books += u64::from(touch == Touch::Crossed);
    }

    /// A book as it stands, for drivers that show more.
    #[must_use]
    pub fn book(&self, id: BookId) -> Option<&Book> {
        self.books.get(&id).filter(|b| b.state == BookState::Synced)
    }

    /// The summary so far.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.summary.markets = u64::try_from(self.markets.len()).unwrap_or(0);
        for market in self.markets.into_values() {
            match market {
                Ok(()) => self.summary.markets_understood += 1,
                Err(why) => *self.summary.not_understood.entry(why).or_default() += 1,
            }
        }
        self.summary.markets_resolved = u64::try_from(self.resolved.len()).unwrap_or(0);
        self.summary.books = u64::try_from(self.books.len()).unwrap_or(0);
        self.summary
    }
}

/// Reads a whole replay through the protocols that `route` gives for its feeds (none: the feed is counted and not decoded). One registry
/// serves all; every listing is shown to every protocol. `progress` gets bytes read and bytes to read.
///
/// # Errors
/// [`RecordingError`] of the files. Frames that cannot be decoded are counted, never an error.
pub fn run(
    replay: &mut Replay,
    route: &mut dyn FnMut(&FeedInfo) -> Option<Box<dyn FeedProtocol>>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, RecordingError> {
    let feeds = replay.feeds().to_vec();
    let mut protocols: Vec<Option<Box<dyn FeedProtocol>>> = feeds.iter().map(route).collect();
    let decoded: Vec<bool> = protocols.iter().map(Option::is_some).collect();
    let mut collector = Collector::new(&feeds, &decoded);
    let mut registry = Registry::default();
    let mut listings: Vec<Event<'static>> = Vec::new();
    let mut count = 0_u64;
    loop {
        if count.is_multiple_of(4_096) {
            let (done, total) = replay.progress();
            progress(done, total);
        }
        count += 1;
        let Some(frame) = replay.next()? else { break };
        let wall = frame.stamp.wall;
        let protocol = protocols.get_mut(usize::from(frame.feed.0)).and_then(Option::as_mut);
        let result = protocol.map(|p| {
            p.decode(frame.stamp, frame.bytes, &mut registry, &mut |event: Event<'_>| {
                listings.extend(listing(&event));
                collector.event(wall, &event);
            })
        });
        collector.frame(&frame, result.as_ref());
        for event in listings.drain(..) {
            for protocol in protocols.iter_mut().flatten() {
                protocol.learn(&event);
            }
        }
    }
    let mut summary = collector.finish();
    summary.backwards = replay.backwards();
    for (path, tail) in replay.tails() {
        let name = path.display();
        match tail {
            Tail::Closed => {}
            Tail::Open => summary.remarks.push(format!("{name}: not closed in order; it ends behind a whole block")),
            Tail::Truncated { offset, bytes } => {
                summary.remarks.push(format!("{name}: truncated; {bytes} bytes from byte {offset} on are not a whole block"));
            }
        }
    }
    for (path, s) in replay.skipped() {
        summary.remarks.push(format!("{}: passed over {} bytes at byte {}: {}", path.display(), s.bytes, s.offset, s.what));
    }
    let (_, total) = replay.progress();
    progress(total, total);
    Ok(summary)
}

/// What protocols learn from; rare, so it is copied.
fn listing(event: &Event<'_>) -> Option<Event<'static>> {
    match event {
        Event::MarketListed(m) => Some(Event::MarketListed(std::borrow::Cow::Owned(m.as_ref().clone()))),
        Event::InstrumentListed(i) => Some(Event::InstrumentListed(std::borrow::Cow::Owned(i.as_ref().clone()))),
        Event::MarketChanged { market, change } => Some(Event::MarketChanged { market: *market, change: *change }),
        _ => None,
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} frames, {} bytes in {} feeds", self.frames, self.bytes, self.feeds.len())?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(f, "span            {first} .. {last} ({} s)", last.since(first).secs())?;
        }
        for feed in &self.feeds {
            let derived = if feed.derived { ", DERIVED records" } else { "" };
            let sampled = if feed.sampled { ", sampled" } else { "" };
            let decoded = if feed.decoded { "" } else { ", no decoder" };
            writeln!(f, "feed {}: {} frames, {} bytes{derived}{sampled}{decoded}", feed.name, feed.frames, feed.bytes)?;
            writeln!(f, "  origin        {}", feed.origin)?;
            if let (Some(first), Some(last)) = (feed.first, feed.last) {
                writeln!(f, "  span          {first} .. {last}")?;
            }
            if let Some(at) = feed.largest_gap_at {
                writeln!(f, "  largest gap   {} ms from {at}", feed.largest_gap_ms)?;
            }
            let (d, c, u, o) = (feed.data, feed.control, feed.unknown, feed.foreign);
            writeln!(f, "  frame kinds   {d} data, {c} control, {u} unknown, {o} foreign, {} errors", feed.errors)?;
            for error in &feed.first_errors {
                writeln!(f, "  decode error  {error}")?;
            }
        }
        let events: Vec<String> = self.events.iter().map(|(k, n)| format!("{k} {n}")).collect();
        writeln!(f, "events          {}", events.join(", "))?;
        let (m, u, r) = (self.markets, self.markets_understood, self.markets_resolved);
        writeln!(f, "markets         {m}, {u} with a rule, {r} resolved")?;
        for (why, count) in &self.not_understood {
            writeln!(f, "  no rule       {count}: {why}")?;
        }
        writeln!(f, "books           {}, crossed {}, sequence gaps {}", self.books, self.crossed_books, self.sequence_gaps)?;
        for (why, count) in &self.book_losses {
            writeln!(f, "  lost          {count}: {why}")?;
        }
        writeln!(f, "views disagree  {}", self.view_disagreements)?;
        writeln!(f, "decode errors   {}", self.decode_errors)?;
        writeln!(f, "clock back      {}", self.backwards)?;
        for remark in &self.remarks {
            writeln!(f, "remark          {remark}")?;
        }
        Ok(())
    }
}
