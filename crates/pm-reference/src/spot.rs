//! The feed: settlement sources of the catalog, by symbol. A trade is the source's value at its time; the candle carries the value that
//! settles.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;
use pm_core::event::{Event, ReferenceKind};
use pm_core::ids::SourceId;
use pm_core::registry::{Catalog, Registry};
use pm_core::time::Stamp;
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::Px;

use crate::SOURCE_PREFIX;
use crate::wire::{self, Message};

/// What the spot value of a source is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpotFeed {
    /// Each trade: what candles are made of.
    #[default]
    Trades,
    /// The middle of best bid and ask, rounded down to 1e-8: smoother, never traded, never in a candle.
    BookTickerMid,
}

/// Settings of [`SpotProtocol`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpotSettings {
    /// What the spot value is taken from.
    pub spot_from: SpotFeed,
    /// Take trades and book tickers of the USD-M futures as if they were spot's: for recordings that have nothing else. They settle nothing.
    pub accept_futures: bool,
}

/// Counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Spot values emitted.
    pub references: u64,
    /// Candle updates emitted.
    pub candles: u64,
    /// Trades and book tickers at or below the last id of their stream: ignored.
    pub duplicates: u64,
    /// Trade ids that were skipped: trades not seen.
    pub skipped_trades: u64,
    /// Messages of futures where spot was expected.
    pub futures: u64,
    /// Messages about symbols that are no source.
    pub foreign: u64,
    /// Answers to requests.
    pub control: u64,
    /// Refused requests.
    pub control_errors: u64,
    /// Messages that this program does not read.
    pub unknown: u64,
    /// Frames that were not understood.
    pub bad_frames: u64,
}

/// Last ids of one symbol's streams.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    trade: Option<u64>,
    ticker: Option<u64>,
}

/// An id this far below the last one means that the venue began anew, not that a frame was late.
const RESTART: u64 = 1_000_000;

/// Where an id stands to the last one of its stream.
fn advance(last: &mut Option<u64>, id: u64) -> Advance {
    match *last {
        Some(before) if id <= before && before - id < RESTART => Advance::Repeat,
        Some(before) if id > before => {
            *last = Some(id);
            Advance::Forward { skipped: id - before - 1 }
        }
        _ => {
            *last = Some(id);
            Advance::Forward { skipped: 0 }
        }
    }
}

enum Advance {
    Repeat,
    Forward { skipped: u64 },
}

/// Binance spot market streams: trade, bookTicker, kline 1m and 1h.
#[derive(Debug, Clone)]
pub struct SpotProtocol {
    settings: SpotSettings,
    sources: HashMap<Arc<str>, usize>,
    slots: Vec<(Arc<str>, SourceId, Last)>,
    refusals: Vec<String>,
    stats: Stats,
}

impl SpotProtocol {
    /// A protocol for the catalog's sources of this venue, with default settings. Without any every frame is foreign.
    #[must_use]
    pub fn new(catalog: &Catalog) -> Self {
        Self::with_settings(catalog, SpotSettings::default())
    }

    /// A protocol for the catalog's sources of this venue.
    #[must_use]
    pub fn with_settings(catalog: &Catalog, settings: SpotSettings) -> Self {
        let symbols = catalog.sources.iter().filter_map(|s| s.name.strip_prefix(SOURCE_PREFIX));
        let slots: Vec<(Arc<str>, SourceId, Last)> = symbols
            .filter_map(|symbol| {
                let id = catalog.source(&format!("{SOURCE_PREFIX}{symbol}"))?;
                Some((Arc::from(symbol), id, Last::default()))
            })
            .collect();
        let sources = slots.iter().enumerate().map(|(at, (symbol, ..))| (Arc::clone(symbol), at)).collect();
        Self { settings, sources, slots, refusals: Vec::new(), stats: Stats::default() }
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Refused requests since the last call, at most 64.
    pub fn take_refusals(&mut self) -> Vec<String> {
        core::mem::take(&mut self.refusals)
    }

    fn slot(&mut self, symbol: &str) -> Option<&mut (Arc<str>, SourceId, Last)> {
        let at = *self.sources.get(symbol)?;
        self.slots.get_mut(at)
    }

    /// Emits a spot value when its id is new.
    fn spot(
        &mut self,
        symbol: &str,
        id: u64,
        px: Px,
        at: pm_core::time::Ts,
        stream: impl FnOnce(&mut Last) -> &mut Option<u64>,
        out: &mut dyn EventSink,
    ) -> FrameKind {
        let Some((_, source, last)) = self.slot(symbol) else {
            self.stats.foreign += 1;
            return FrameKind::Foreign;
        };
        let source = *source;
        match advance(stream(last), id) {
            Advance::Repeat => self.stats.duplicates += 1,
            Advance::Forward { skipped } => {
                // Book tickers number all changes of the book and skip by nature.
                if self.settings.spot_from == SpotFeed::Trades {
                    self.stats.skipped_trades = self.stats.skipped_trades.saturating_add(skipped);
                }
                self.stats.references += 1;
                out.event(Event::Reference { source, kind: ReferenceKind::Spot, px, at });
            }
        }
        FrameKind::Data
    }

    fn take(&mut self, at: Stamp, message: &Message<'_>, out: &mut dyn EventSink) -> FrameKind {
        let known = |s: &Self, symbol: &str| if s.sources.contains_key(symbol) { FrameKind::Data } else { FrameKind::Foreign };
        match message {
            Message::Trade { futures: true, .. } | Message::BookTicker { at: Some(_), .. } if !self.settings.accept_futures => {
                self.stats.futures += 1;
                FrameKind::Foreign
            }
            Message::Trade { symbol, id, px, at, .. } => match self.settings.spot_from {
                SpotFeed::Trades => self.spot(symbol, *id, *px, *at, |l| &mut l.trade, out),
                SpotFeed::BookTickerMid => known(self, symbol),
            },
            Message::BookTicker { symbol, id, bid, ask, at: matched, .. } => match self.settings.spot_from {
                SpotFeed::Trades => known(self, symbol),
                SpotFeed::BookTickerMid => {
                    let mid = Px::from_raw(bid.raw().midpoint(ask.raw()));
                    // Spot sends no time: the receive time is the best there is.
                    self.spot(symbol, *id, mid, matched.unwrap_or(at.wall), |l| &mut l.ticker, out)
                }
            },
            Message::Kline { symbol, candle } => {
                let Some((_, source, _)) = self.slot(symbol) else {
                    self.stats.foreign += 1;
                    return FrameKind::Foreign;
                };
                let source = *source;
                self.stats.candles += 1;
                out.event(Event::Candle { source, candle: *candle });
                FrameKind::Data
            }
            Message::Control(refusal) => {
                self.stats.control += 1;
                if let Some(why) = refusal {
                    self.stats.control_errors += 1;
                    if self.refusals.len() < 64 {
                        self.refusals.push(why.clone());
                    }
                }
                FrameKind::Control
            }
            Message::Other => {
                self.stats.unknown += 1;
                FrameKind::Unknown
            }
        }
    }
}

impl FeedProtocol for SpotProtocol {
    fn decode(
        &mut self,
        at: Stamp,
        frame: &[u8],
        _registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        match wire::parse(frame) {
            Ok(message) => Ok(self.take(at, &message, out)),
            Err(error) => {
                self.stats.bad_frames += 1;
                Err(error.into())
            }
        }
    }

    fn reset(&mut self, _out: &mut dyn EventSink) {
        for (_, _, last) in &mut self.slots {
            *last = Last::default();
        }
    }

    /// One request for all sources: trades (or book tickers) and the two candles that settle markets.
    fn subscribe(&self) -> Vec<String> {
        let spot = match self.settings.spot_from {
            SpotFeed::Trades => "trade",
            SpotFeed::BookTickerMid => "bookTicker",
        };
        let streams: Vec<Cow<'_, str>> = self
            .slots
            .iter()
            .flat_map(|(symbol, ..)| {
                let symbol = symbol.to_lowercase();
                [spot, "kline_1m", "kline_1h"].map(|stream| Cow::Owned(format!("\"{symbol}@{stream}\"")))
            })
            .collect();
        if streams.is_empty() {
            return Vec::new();
        }
        vec![format!("{{\"method\":\"SUBSCRIBE\",\"params\":[{}],\"id\":1}}", streams.join(","))]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let s = self.stats;
        vec![
            ("references", s.references),
            ("candles", s.candles),
            ("duplicates", s.duplicates),
            ("skipped_trades", s.skipped_trades),
            ("futures", s.futures),
            ("foreign", s.foreign),
            ("control", s.control),
            ("control_errors", s.control_errors),
            ("unknown", s.unknown),
            ("bad_frames", s.bad_frames),
        ]
    }
}
