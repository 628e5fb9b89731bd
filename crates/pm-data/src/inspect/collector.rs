//! Frames and events into a [`Summary`].

use std::collections::{BTreeMap, BTreeSet};

use pm_core::book::{Book, BookLoss, BookState, Touch};
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::market::Rule;
use pm_core::time::Ts;
use pm_core::traits::{DecodeError, FrameKind};

use super::{FeedSummary, Summary};
use crate::derived;
use crate::recording::{EpochMark, FeedInfo, RecordedFrame};

/// Decode errors that are kept with their text, per feed.
const KEPT_ERRORS: usize = 5;

/// Collects a [`Summary`]; feed it frames and the events they gave.
#[derive(Debug, Default)]
pub struct Collector {
    summary: Summary,
    /// `true` when understood.
    markets: BTreeMap<MarketIdx, Result<(), String>>,
    resolved: BTreeSet<MarketIdx>,
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
    pub fn frame(&mut self, frame: &RecordedFrame<'_>, decoded: Option<&Result<FrameKind, DecodeError>>) {
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

    /// A place where continuity ends.
    pub fn epoch(&mut self, mark: &EpochMark<'_>) {
        let feed = mark.feed.and_then(|f| self.summary.feeds.get_mut(usize::from(f.0)));
        if let Some(feed) = feed {
            *feed.epochs.entry(mark.epoch.as_str().to_owned()).or_default() += 1;
        }
    }

    /// What the protocol of a feed counted, at the end.
    pub fn counted(&mut self, feed: usize, counters: &[(&'static str, u64)]) {
        let Some(feed) = self.summary.feeds.get_mut(feed) else { return };
        for (name, count) in counters {
            *feed.counters.entry((*name).to_owned()).or_default() += count;
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
        let sum = |name| self.summary.feeds.iter().filter_map(|f| f.counters.get(name)).sum();
        (self.summary.view_pairs, self.summary.view_disagreements) = (sum(derived::VIEW_PAIRS), sum(derived::VIEW_DISAGREEMENTS));
        self.summary
    }
}
