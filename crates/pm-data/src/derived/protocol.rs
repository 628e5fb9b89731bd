//! The decoder of derived records: JSON in, events out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pm_core::book::{BookFlags, BookLoss, Level};
use pm_core::event::{BookId, Candle, Event, Health, ReferenceKind};
use pm_core::ids::{CurrencyId, MarketIdx, VenueId};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Rule, RuleOrigin, SettlementRule};
use pm_core::order::Side as TakerSide;
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::Qty;

use super::record::{
    BookRecord, DerivedRecord, InstrumentRecord, LatencyRecord, LevelRecord, MarketRecord, PairRecord, PrintRecord, RuleRecord,
    TopRecord, View,
};
use super::views;

/// The catalog has no venue at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the catalog has no venue that derived records could be of")]
pub struct SetupError;

/// Counters that outlive the box a protocol is put in; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    disagreements: Arc<AtomicU64>,
    mids: Arc<AtomicU64>,
}

impl Counters {
    /// Pairs of views whose best prices were not the same.
    #[must_use]
    pub fn disagreements(&self) -> u64 {
        self.disagreements.load(Ordering::Relaxed)
    }
    /// Indicative prices seen; they make no event.
    #[must_use]
    pub fn mids(&self) -> u64 {
        self.mids.load(Ordering::Relaxed)
    }
}

/// The last single view of a sampled market, to be compared with the other one of the same instant.
#[derive(Debug)]
struct LastView {
    at: Ts,
    outcome: View,
    bids: Vec<LevelRecord>,
    asks: Vec<LevelRecord>,
}

/// Feed protocol of the feed `derived`.
#[derive(Debug)]
pub struct DerivedProtocol {
    catalog: Catalog,
    counters: Counters,
    last: BTreeMap<MarketIdx, LastView>,
    books: BTreeSet<BookId>,
}

fn unknown(what: &str, name: &str) -> DecodeError {
    DecodeError::new(format!("{what} {name:?} is not in the catalog"))
}

impl DerivedProtocol {
    /// A protocol for the names of `catalog`.
    ///
    /// # Errors
    /// [`SetupError`] for a catalog without venues.
    pub fn new(catalog: Catalog) -> Result<Self, SetupError> {
        if catalog.venues.is_empty() {
            return Err(SetupError);
        }
        Ok(Self { catalog, counters: Counters::default(), last: BTreeMap::new(), books: BTreeSet::new() })
    }

    /// A handle on the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    fn venue(&self, name: &str) -> Result<VenueId, DecodeError> {
        self.catalog.venue(name).ok_or_else(|| unknown("venue", name))
    }

    fn currency(&self, venue: VenueId, name: Option<&str>) -> Result<CurrencyId, DecodeError> {
        match name {
            Some(name) => self.catalog.currency(name).ok_or_else(|| unknown("currency", name)),
            None => self.catalog.venue_info(venue).map(|v| v.currency).ok_or_else(|| unknown("venue", "?")),
        }
    }

    fn target(
        &self,
        venue: &str,
        market: Option<&str>,
        instrument: Option<&str>,
        registry: &mut Registry,
    ) -> Result<BookId, DecodeError> {
        let venue = self.venue(venue)?;
        match (market, instrument) {
            (Some(market), None) => Ok(BookId::Market(registry.market(venue, market))),
            (None, Some(key)) => Ok(BookId::Instrument(registry.instrument(venue, key))),
            _ => Err(DecodeError::new("exactly one of market and instrument must be there")),
        }
    }

    fn market(&self, m: MarketRecord, registry: &mut Registry) -> Result<Market, DecodeError> {
        let venue = self.venue(&m.venue)?;
        let rule = match m.rule {
            RuleRecord::NotUnderstood(why) => Rule::NotUnderstood(why.into()),
            RuleRecord::Declared(r) => match self.catalog.source(&r.source) {
                None => Rule::NotUnderstood(format!("source {} is not in the catalog", r.source).into()),
                Some(source) => Rule::Understood(SettlementRule {
                    source,
                    method: r.method,
                    payoff: r.payoff,
                    tie: r.tie,
                    final_at: r.final_at,
                    origin: RuleOrigin::Declared,
                }),
            },
        };
        Ok(Market {
            idx: registry.market(venue, &m.native),
            venue,
            currency: self.currency(venue, m.currency.as_deref())?,
            native: m.native.into(),
            slug: m.slug.into(),
            question: m.question.into(),
            tokens: m.tokens.map(Into::into),
            labels: m.labels.map(Into::into),
            family: m.family.into(),
            underlying: m.underlying.and_then(|u| self.catalog.underlying(&u)),
            rule,
            tick: m.tick,
            min_qty: m.min_qty,
            min_notional: m.min_notional,
            fees: m.fees,
            taker_hold: m.taker_hold,
            opens_at: m.opens_at,
            closes_at: m.closes_at,
            accepting: m.accepting,
            neg_risk: m.neg_risk,
            version: m.version.into(),
            group: m.group.into(),
        })
    }

    fn instrument(&self, i: InstrumentRecord, registry: &mut Registry) -> Result<Instrument, DecodeError> {
        let venue = self.venue(&i.venue)?;
        Ok(Instrument {
            idx: registry.instrument(venue, &i.key),
            venue,
            symbol: i.symbol.into(),
            kind: i.kind,
            underlying: i.underlying.and_then(|u| self.catalog.underlying(&u)),
            currency: self.currency(venue, None)?,
            tick: i.tick,
            lot: i.lot,
            min_qty: i.min_qty,
            min_notional: i.min_notional,
            max_qty: Qty::MAX,
            fees: i.fees,
            initial_margin: i.initial_margin,
            trading: i.trading,
        })
    }

    fn book(&mut self, wall: Ts, b: BookRecord, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&b.venue, b.market.as_deref(), b.instrument.as_deref(), registry)?;
        let at = b.at.unwrap_or(wall);
        if let (BookId::Market(market), true) = (book, b.sampled) {
            let other = self.last.remove(&market).filter(|o| o.at == at && o.outcome != b.outcome);
            if let Some(other) = other {
                let mine = super::record::ViewRecord { bids: b.bids, asks: b.asks };
                let theirs = super::record::ViewRecord { bids: other.bids, asks: other.asks };
                let (up, down) = if b.outcome == View::First { (mine, theirs) } else { (theirs, mine) };
                self.pair_of(book, at, &up, &down, true, out);
                return Ok(());
            }
            self.last.insert(market, LastView { at, outcome: b.outcome, bids: b.bids.clone(), asks: b.asks.clone() });
        }
        let mirror = b.outcome == View::Second;
        let (bids, asks) = (views::side(&b.bids, mirror), views::side(&b.asks, mirror));
        let (bids, asks) = if mirror { (asks, bids) } else { (bids, asks) };
        self.snapshot(book, at, &bids, &asks, b.sampled, out);
        Ok(())
    }

    fn pair(&mut self, wall: Ts, p: &PairRecord, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&p.venue, Some(&p.market), None, registry)?;
        self.pair_of(book, p.at.unwrap_or(wall), &p.up, &p.down, p.sampled, out);
        Ok(())
    }

    fn pair_of(
        &mut self,
        book: BookId,
        at: Ts,
        up: &super::record::ViewRecord,
        down: &super::record::ViewRecord,
        sampled: bool,
        out: &mut dyn EventSink,
    ) {
        let (asks, a) = views::worse(&up.asks, &down.bids, true, true);
        let (bids, b) = views::worse(&up.bids, &down.asks, true, false);
        self.counters.disagreements.fetch_add(u64::from(a || b), Ordering::Relaxed);
        self.snapshot(book, at, &bids, &asks, sampled, out);
    }

    fn snapshot(&mut self, book: BookId, at: Ts, bids: &views::Side, asks: &views::Side, sampled: bool, out: &mut dyn EventSink) {
        self.books.insert(book);
        let flags = BookFlags { sampled, bid_sizes_unknown: bids.unknown, ask_sizes_unknown: asks.unknown };
        let (bids, asks): (&[Level], &[Level]) = (&bids.levels, &asks.levels);
        out.event(Event::BookSnapshot { book, bids: Cow::Borrowed(bids), asks: Cow::Borrowed(asks), at, flags });
    }

    fn print(&self, wall: Ts, p: &PrintRecord, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&p.venue, p.market.as_deref(), p.instrument.as_deref(), registry)?;
        // Buying the second outcome is selling the first.
        let (px, taker) = match (p.outcome, p.taker) {
            (View::First, taker) => (p.px, taker),
            (View::Second, TakerSide::Buy) => (p.px.complement(), TakerSide::Sell),
            (View::Second, TakerSide::Sell) => (p.px.complement(), TakerSide::Buy),
        };
        out.event(Event::Print { book, px, qty: p.qty.unwrap_or_default(), taker, at: p.at.unwrap_or(wall) });
        Ok(())
    }

    fn latency(&self, l: &LatencyRecord, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let venue = self.venue(&l.venue)?;
        let quantiles: Vec<Dur> = l.quantiles_ms.iter().map(|ms| Dur::from_millis(i64::from(*ms))).collect();
        out.event(Event::Health(Health::LatencyTable { venue, endpoint: l.endpoint, quantiles: Cow::Owned(quantiles) }));
        Ok(())
    }

    fn record(
        &mut self,
        wall: Ts,
        record: DerivedRecord,
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        match record {
            DerivedRecord::Market(m) => out.event(Event::MarketListed(Cow::Owned(self.market(*m, registry)?))),
            DerivedRecord::Instrument(i) => out.event(Event::InstrumentListed(Cow::Owned(self.instrument(*i, registry)?))),
            DerivedRecord::Book(b) => self.book(wall, b, registry, out)?,
            DerivedRecord::BookPair(p) => self.pair(wall, &p, registry, out)?,
            DerivedRecord::Top(t) => self.book(wall, top(t), registry, out)?,
            DerivedRecord::Print(p) => self.print(wall, &p, registry, out)?,
            DerivedRecord::Mid(m) => {
                self.venue(&m.venue)?;
                self.counters.mids.fetch_add(1, Ordering::Relaxed);
            }
            DerivedRecord::Reference(r) => {
                let Some(source) = self.catalog.source(&r.source) else { return Ok(FrameKind::Foreign) };
                let kind = r.twap.map_or(ReferenceKind::Spot, |window| ReferenceKind::Twap { window });
                out.event(Event::Reference { source, kind, px: r.px, at: r.at.unwrap_or(wall) });
            }
            DerivedRecord::Candle(c) => {
                let Some(source) = self.catalog.source(&c.source) else { return Ok(FrameKind::Foreign) };
                let candle = Candle {
                    open_at: c.open_at,
                    interval: c.interval,
                    open: c.open,
                    high: c.high,
                    low: c.low,
                    close: c.close,
                    closed: c.closed,
                };
                out.event(Event::Candle { source, candle });
            }
            DerivedRecord::Resolved(r) => {
                let venue = self.venue(&r.venue)?;
                let market = registry.market(venue, &r.market);
                self.last.remove(&market);
                self.books.remove(&BookId::Market(market));
                out.event(Event::Resolved { market, first_pays: r.first_pays, at: r.at.unwrap_or(wall) });
            }
            DerivedRecord::Ticker(t) => {
                let venue = self.venue(&t.venue)?;
                let instrument = registry.instrument(venue, &t.instrument);
                out.event(Event::Ticker { instrument, ticker: t.values(), at: t.at.unwrap_or(wall) });
            }
            DerivedRecord::LatencyTable(l) => self.latency(&l, out)?,
        }
        Ok(FrameKind::Data)
    }
}

/// A top of book is a book of one level a side.
fn top(t: TopRecord) -> BookRecord {
    BookRecord {
        venue: t.venue,
        market: t.market,
        instrument: t.instrument,
        outcome: t.outcome,
        at: t.at,
        bids: t.bid.map(|px| (px, t.bid_size)).into_iter().collect(),
        asks: t.ask.map(|px| (px, t.ask_size)).into_iter().collect(),
        sampled: t.sampled,
    }
}

/// Byte offset of a JSON error in a frame.
fn offset_of(frame: &[u8], e: &serde_json::Error) -> usize {
    let before = frame.split(|b| *b == b'\n').take(e.line().saturating_sub(1)).map(|l| l.len() + 1).sum::<usize>();
    before + e.column().saturating_sub(1)
}

impl FeedProtocol for DerivedProtocol {
    fn decode(
        &mut self,
        at: Stamp,
        frame: &[u8],
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        let record: DerivedRecord =
            serde_json::from_slice(frame).map_err(|e| DecodeError::at(e.to_string(), offset_of(frame, &e)))?;
        record.validate().map_err(|what| DecodeError::new(format!("{}: {what}", record.kind())))?;
        self.record(at.wall, record, registry, out)
    }

    fn reset(&mut self, out: &mut dyn EventSink) {
        self.last.clear();
        for book in core::mem::take(&mut self.books) {
            out.event(Event::BookLost { book, why: BookLoss::Disconnected });
        }
    }
}
