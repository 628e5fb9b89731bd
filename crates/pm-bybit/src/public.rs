//! One public socket, sans-I/O: frames in, events out. Keeps what the wire does not carry: which symbol is which instrument, whether a book
//! is continuous, the merged ticker, the trades already seen. It holds no book: consumers do.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;
use pm_core::book::{BookFlags, BookLoss};
use pm_core::event::{BookId, Event};
use pm_core::ids::{CurrencyId, InstrumentIdx, VenueId};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::wire_text::{json, utf8};

use crate::category::Category;
use crate::continuity::{BookTrack, Ignored, Step};
use crate::grid::Grid;
use crate::rest::word_of;
use crate::stats::Stats;
use crate::wire::book::{BookFrame, Levels};
use crate::wire::control::Control;
use crate::wire::{self, Topic, WireError};
use crate::{SetupError, VENUE};

mod audit;
mod seen;
mod select;
mod settings;
mod ticker;

use audit::Audit;
use seen::SeenTrades;
pub use settings::{OffGrid, PublicSettings, Unlisted};
use ticker::Merged;

/// What subscription needs to know of a listed instrument.
#[derive(Debug, Clone, Copy)]
struct Listing {
    kind: InstrumentKind,
    currency: CurrencyId,
    about_underlying: bool,
    trading: bool,
}

/// One instrument.
#[derive(Debug)]
struct Slot {
    idx: InstrumentIdx,
    symbol: Arc<str>,
    listing: Option<Listing>,
    grid: Option<Grid>,
    track: BookTrack,
    /// Venue time of the book: events never carry an earlier one, so that a snapshot is never taken for an old one.
    book_at: Ts,
    ticker: Merged,
    seen: SeenTrades,
    audit: Option<Box<Audit>>,
}

/// Refusals kept for [`PublicProtocol::take_refusals`]; further ones are counted only.
const KEPT_REFUSALS: usize = 64;

/// A public V5 socket.
#[derive(Debug)]
pub struct PublicProtocol {
    category: Category,
    venue: VenueId,
    currency: Option<CurrencyId>,
    settings: PublicSettings,
    slots: Vec<Slot>,
    by_symbol: HashMap<Arc<str>, usize>,
    levels: Levels,
    refusals: Vec<WireError>,
    stats: Stats,
}

impl PublicProtocol {
    /// A protocol with the category's default settings.
    ///
    /// # Errors
    /// The catalog has no such venue.
    pub fn new(category: Category, catalog: &Catalog) -> Result<Self, SetupError> {
        Self::with_settings(category, catalog, PublicSettings::of(category))
    }

    /// A protocol.
    ///
    /// # Errors
    /// The catalog has no such venue.
    pub fn with_settings(category: Category, catalog: &Catalog, settings: PublicSettings) -> Result<Self, SetupError> {
        let venue = catalog.venue(VENUE).ok_or(SetupError::NoVenue)?;
        Ok(Self {
            category,
            venue,
            currency: catalog.venue_info(venue).map(|v| v.currency),
            settings,
            slots: Vec::new(),
            by_symbol: HashMap::new(),
            levels: Levels::default(),
            refusals: Vec::new(),
            stats: Stats::default(),
        })
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Requests that the venue refused since the last call, at most 64.
    pub fn take_refusals(&mut self) -> Vec<WireError> {
        core::mem::take(&mut self.refusals)
    }

    fn list(&mut self, instrument: &Instrument) {
        if instrument.venue != self.venue || Category::of(&instrument.kind) != self.category {
            return;
        }
        let at = self.slot(&instrument.symbol, instrument.idx);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.idx = instrument.idx;
            slot.grid = Grid::new(instrument.tick);
            slot.listing = Some(Listing {
                kind: instrument.kind,
                currency: instrument.currency,
                about_underlying: instrument.underlying.is_some(),
                trading: instrument.trading,
            });
        }
    }

    /// The slot of a symbol, made when it is new.
    fn slot(&mut self, symbol: &str, idx: InstrumentIdx) -> usize {
        if let Some(at) = self.by_symbol.get(symbol) {
            return *at;
        }
        let symbol: Arc<str> = Arc::from(symbol);
        let at = self.slots.len();
        self.by_symbol.insert(Arc::clone(&symbol), at);
        self.slots.push(Slot {
            idx,
            symbol,
            listing: None,
            grid: None,
            track: BookTrack::default(),
            book_at: Ts::ZERO,
            ticker: Merged::default(),
            seen: SeenTrades::default(),
            audit: self.settings.audit.then(Box::default),
        });
        at
    }

    /// The slot of a symbol in a frame; `None` when its frames are foreign.
    #[inline]
    fn find(&mut self, symbol: &str, registry: &mut Registry) -> Option<usize> {
        if let Some(at) = self.by_symbol.get(symbol) {
            return Some(*at);
        }
        match self.settings.unlisted {
            Unlisted::Foreign => None,
            Unlisted::Register => {
                let idx = registry.instrument(self.venue, &self.category.key(symbol));
                Some(self.slot(symbol, idx))
            }
        }
    }

    #[inline]
    fn on_book(&mut self, f: &BookFrame<'_>, registry: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, WireError> {
        let found = self.find(f.symbol, registry);
        let (stats, levels) = (&mut self.stats, &self.levels);
        let Some(slot) = found.and_then(|at| self.slots.get_mut(at)) else {
            stats.foreign += 1;
            return Ok(FrameKind::Foreign);
        };
        if let Some(error) = off_grid(slot, levels) {
            stats.off_grid += 1;
            if self.settings.off_grid == OffGrid::Refuse {
                lose(slot, f.depth, out);
                return Err(error);
            }
        }
        let book = BookId::Instrument(slot.idx);
        // On options `cts` is the last change, possibly long ago; elsewhere it is the time of this update (venues/bybit.md 4.2).
        let sent = if self.category == Category::Option { f.ts } else { f.cts.unwrap_or(f.ts) };
        let at = slot.book_at.max(sent);
        let (bids, asks) = (Cow::Borrowed(&*levels.bids), Cow::Borrowed(&*levels.asks));
        let step = slot.track.step(f.depth, f.kind, f.u);
        match step {
            Step::Snapshot => {
                stats.snapshots += 1;
                stats.clock_back += u64::from(sent < slot.book_at);
                slot.book_at = at;
                out.event(Event::BookSnapshot { book, bids, asks, at, flags: BookFlags::default() });
            }
            Step::Delta => {
                stats.deltas += 1;
                slot.book_at = at;
                out.event(Event::BookDelta { book, bids, asks, at });
            }
            Step::Lost(why) => {
                stats.gaps += u64::from(why == BookLoss::Gap);
                stats.before_snapshot += u64::from(why == BookLoss::NoSnapshot);
                out.event(Event::BookLost { book, why });
            }
            Step::Ignore(Ignored::Duplicate) => stats.duplicates += 1,
            Step::Ignore(Ignored::NoSnapshot) => stats.before_snapshot += 1,
            Step::Ignore(Ignored::Shallower) => stats.shallower += 1,
        }
        if let Some(audit) = &mut slot.audit {
            audit.apply(step, f.depth, levels, stats);
        }
        Ok(FrameKind::Data)
    }

    /// Frames that are not compact book frames.
    fn decode_general(&mut self, frame: &[u8], registry: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, WireError> {
        let text = utf8(frame)?;
        match wire::topic_of(text).map(Topic::parse) {
            Some(Topic::Book { depth, symbol }) => self.general_book(text, depth, symbol, registry, out),
            Some(Topic::Ticker { symbol }) => self.on_ticker(text, symbol, registry, out),
            Some(Topic::Trade) => self.on_trades(text, registry, out),
            Some(Topic::Other) => {
                // Never an error, unless it is not even whole.
                let _: serde::de::IgnoredAny = json("a frame", text)?;
                self.stats.unknown += 1;
                Ok(FrameKind::Unknown)
            }
            None => self.on_control(text, out),
        }
    }

    fn general_book(
        &mut self,
        text: &str,
        depth: u16,
        symbol: &str,
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, WireError> {
        if self.settings.unlisted == Unlisted::Foreign && !self.by_symbol.contains_key(symbol) {
            let _: serde::de::IgnoredAny = json("a book frame", text)?;
            self.stats.foreign += 1;
            return Ok(FrameKind::Foreign);
        }
        match wire::book::parse(text, &mut self.levels) {
            Ok(f) => self.on_book(&f, registry, out),
            Err(error) => {
                if let Some(slot) = self.by_symbol.get(symbol).and_then(|at| self.slots.get_mut(*at)) {
                    lose(slot, depth, out);
                }
                Err(error)
            }
        }
    }

    fn on_trades(&mut self, text: &str, registry: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, WireError> {
        let trades = wire::trade::parse(text)?;
        let mut foreign = !trades.is_empty();
        for t in trades {
            let found = self.find(t.symbol, registry);
            let Some(slot) = found.and_then(|at| self.slots.get_mut(at)) else { continue };
            foreign = false;
            if t.block {
                self.stats.block_trades += 1;
            } else if slot.seen.is_repeat(t.id) {
                self.stats.repeated_prints += 1;
            } else {
                self.stats.prints += 1;
                let book = BookId::Instrument(slot.idx);
                out.event(Event::Print { book, px: t.px, qty: t.qty, taker: t.taker, at: t.at });
            }
        }
        self.stats.foreign += u64::from(foreign);
        Ok(if foreign { FrameKind::Foreign } else { FrameKind::Data })
    }

    fn on_control(&mut self, text: &str, out: &mut dyn EventSink) -> Result<FrameKind, WireError> {
        match wire::control::parse(text)? {
            Control::Unknown => {
                self.stats.unknown += 1;
                return Ok(FrameKind::Unknown);
            }
            Control::Ack { .. } | Control::Pong => {}
            Control::Refused(why) => {
                self.stats.control_errors += 1;
                if let Some(word) = word_of(&why) {
                    out.event(Event::Venue { venue: self.venue, word });
                }
                if self.refusals.len() < KEPT_REFUSALS {
                    self.refusals.push(why);
                }
            }
        }
        self.stats.control += 1;
        Ok(FrameKind::Control)
    }
}

/// The first price off the grid.
#[inline]
fn off_grid(slot: &Slot, levels: &Levels) -> Option<WireError> {
    let grid = slot.grid?;
    let off = levels.bids.iter().chain(&levels.asks).find(|l| !grid.holds(l.px))?;
    Some(WireError::OffGrid { symbol: slot.symbol.to_string(), px: off.px, tick: grid.tick() })
}

/// A frame of this book was not understood.
fn lose(slot: &mut Slot, depth: u16, out: &mut dyn EventSink) {
    if slot.track.fail(depth) {
        out.event(Event::BookLost { book: BookId::Instrument(slot.idx), why: BookLoss::BadFrame });
    }
}

impl FeedProtocol for PublicProtocol {
    fn decode(
        &mut self,
        _at: Stamp,
        frame: &[u8],
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        let done = match wire::book::scan(frame, &mut self.levels) {
            Some(f) => self.on_book(&f, registry, out),
            None => self.decode_general(frame, registry, out),
        };
        done.map_err(|error| {
            self.stats.bad_frames += 1;
            error.into()
        })
    }

    fn learn(&mut self, listing: &Event<'_>) {
        if let Event::InstrumentListed(instrument) = listing {
            self.list(instrument);
        }
    }

    fn reset(&mut self, out: &mut dyn EventSink) {
        for slot in &mut self.slots {
            slot.ticker = Merged::default();
            slot.book_at = Ts::ZERO;
            if slot.track.reset() {
                out.event(Event::BookLost { book: BookId::Instrument(slot.idx), why: BookLoss::Disconnected });
            }
        }
    }

    fn subscribe(&self) -> Vec<String> {
        self.plan().frames
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.stats.named()
    }
}
