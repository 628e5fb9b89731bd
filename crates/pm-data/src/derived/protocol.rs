//! The decoder of derived records: JSON in, events out.

use std::borrow::Cow;
use std::collections::BTreeSet;

use pm_core::book::{BookFlags, BookLoss};
use pm_core::event::{BookId, Candle, Event, Health, ReferenceKind};
use pm_core::ids::{CurrencyId, VenueId};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Rule, RuleOrigin, SettlementRule};
use pm_core::order::Side as TakerSide;
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::Qty;

use super::pairing::{self, Canonical, Pairing, Reading};
use super::record::{
    BookRecord, DerivedRecord, InstrumentRecord, LatencyRecord, LevelRecord, MarketRecord, PairRecord, PrintRecord, RuleRecord,
    TopRecord, View,
};

/// The catalog has no venue at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the catalog has no venue that derived records could be of")]
pub struct SetupError;

/// Counter of pairs of views that were compared: both outcomes' books of a market, read at about one moment.
pub const VIEW_PAIRS: &str = "view_pairs";
/// Counter of pairs of views whose best prices are not the same.
pub const VIEW_DISAGREEMENTS: &str = "view_disagreements";

/// What [`FeedProtocol::counters`] tells.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    pairs: u64,
    disagreements: u64,
    /// Sampled views of one outcome without one of the other near enough in time.
    singles: u64,
    /// Indicative prices; they make no event.
    mids: u64,
    /// Trades whose taker is not recorded; they make no event.
    prints_without_taker: u64,
}

/// Feed protocol of the feed `derived`.
#[derive(Debug)]
pub struct DerivedProtocol {
    catalog: Catalog,
    counts: Counts,
    pairing: Pairing,
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
        Ok(Self { catalog, counts: Counts::default(), pairing: Pairing::default(), books: BTreeSet::new() })
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

    fn book(&mut self, wall: Ts, b: OneView, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&b.venue, b.market.as_deref(), b.instrument.as_deref(), registry)?;
        let reading = Reading { at: b.at.unwrap_or(wall), bids: b.bids, asks: b.asks };
        let canonical = match book {
            BookId::Market(market) if b.sampled => self.pairing.take(market, b.outcome, reading, b.within.unwrap_or(Dur::ZERO)),
            _ => pairing::single(b.outcome, &reading),
        };
        self.counts.singles += u64::from(b.sampled && matches!(book, BookId::Market(_)) && canonical.disagree.is_none());
        self.snapshot(book, &canonical, b.sampled, out);
        Ok(())
    }

    fn pair(&mut self, wall: Ts, p: PairRecord, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&p.venue, Some(&p.market), None, registry)?;
        let at = p.at.unwrap_or(wall);
        let [up, down] = [p.up, p.down].map(|v| Reading { at, bids: Some(v.bids), asks: Some(v.asks) });
        self.snapshot(book, &pairing::pair(&up, &down), p.sampled, out);
        Ok(())
    }

    fn snapshot(&mut self, book: BookId, c: &Canonical, sampled: bool, out: &mut dyn EventSink) {
        self.books.insert(book);
        self.counts.pairs += u64::from(c.disagree.is_some());
        self.counts.disagreements += u64::from(c.disagree == Some(true));
        let flags = BookFlags { sampled, bid_sizes_unknown: c.bids.unknown, ask_sizes_unknown: c.asks.unknown };
        let (bids, asks) = (Cow::Borrowed(c.bids.levels.as_slice()), Cow::Borrowed(c.asks.levels.as_slice()));
        out.event(Event::BookSnapshot { book, bids, asks, at: c.at, flags });
    }

    fn print(&mut self, wall: Ts, p: &PrintRecord, registry: &mut Registry, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let book = self.target(&p.venue, p.market.as_deref(), p.instrument.as_deref(), registry)?;
        let Some(taker) = p.taker else {
            self.counts.prints_without_taker += 1;
            return Ok(());
        };
        // Buying the second outcome is selling the first.
        let (px, taker) = match (p.outcome, taker) {
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
            DerivedRecord::Book(b) => self.book(wall, b.into(), registry, out)?,
            DerivedRecord::BookPair(p) => self.pair(wall, p, registry, out)?,
            DerivedRecord::Top(t) => self.book(wall, t.into(), registry, out)?,
            DerivedRecord::Print(p) => self.print(wall, &p, registry, out)?,
            DerivedRecord::Mid(m) => {
                self.venue(&m.venue)?;
                self.counts.mids += 1;
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
                self.pairing.forget(market);
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

/// A view of one outcome's book, or the book of an instrument, whichever record it came in.
struct OneView {
    venue: String,
    market: Option<String>,
    instrument: Option<String>,
    outcome: View,
    at: Option<Ts>,
    bids: Option<Vec<LevelRecord>>,
    asks: Option<Vec<LevelRecord>>,
    sampled: bool,
    within: Option<Dur>,
}

impl From<BookRecord> for OneView {
    fn from(b: BookRecord) -> Self {
        Self {
            venue: b.venue,
            market: b.market,
            instrument: b.instrument,
            outcome: b.outcome,
            at: b.at,
            bids: Some(b.bids),
            asks: Some(b.asks),
            sampled: b.sampled,
            within: b.pair_within,
        }
    }
}

impl From<TopRecord> for OneView {
    /// A top of book is a book of one level a side.
    fn from(t: TopRecord) -> Self {
        let side = |unknown: bool, px, qty| (!unknown).then(|| Option::into_iter(px).map(|px| (px, qty)).collect());
        Self {
            venue: t.venue,
            market: t.market,
            instrument: t.instrument,
            outcome: t.outcome,
            at: t.at,
            bids: side(t.bid_unknown, t.bid, t.bid_size),
            asks: side(t.ask_unknown, t.ask, t.ask_size),
            sampled: t.sampled,
            within: t.pair_within,
        }
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
        self.pairing.clear();
        for book in core::mem::take(&mut self.books) {
            out.event(Event::BookLost { book, why: BookLoss::Disconnected });
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let Counts { pairs, disagreements, singles, mids, prints_without_taker } = self.counts;
        vec![
            (VIEW_PAIRS, pairs),
            (VIEW_DISAGREEMENTS, disagreements),
            ("single_views", singles),
            ("mids", mids),
            ("prints_without_taker", prints_without_taker),
        ]
    }
}
