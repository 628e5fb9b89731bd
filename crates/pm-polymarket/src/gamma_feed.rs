//! Gamma bodies as a protocol: markets with their rules come out. A body is a market, an array of markets, an event with markets, or a page
//! (`markets`, `events`, `data`); a `/clob-markets` body is taken too. What is read again and has not changed emits nothing.
//!
//! Gamma is cached for minutes, so what newer sources said stays: the price grid is taken from the first listing and after that only from
//! the market socket and `/clob-markets` (venues/polymarket.md 10.9, 10.16). Once the matching engine has said whether a market is open,
//! what its minimum is or what it charges, Gamma may only close it.
//!
//! One odd object does not hide the others of its body: the first error is given in the end, with its place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pm_core::event::Event;
use pm_core::ids::{CurrencyId, MarketIdx, VenueId};
use pm_core::market::{Market, MarketChange, Payoff, SettlementRule};
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_core::wire_text::{json, place_in, utf8};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::clob::{ClobMarket, with_rebate};
use crate::gamma::{GammaError, GammaEvent, GammaMarket, Object};
use crate::rules;

mod build;

/// What the operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GammaSettings {
    /// How long marketable orders are held on crypto Up/Down markets. The flag is not in Gamma and the duration nowhere in the API; 50 to
    /// 250 ms were seen, it changes (venues/polymarket.md 0.5). The default takes the worst.
    pub taker_hold_default: Dur,
    /// Smallest order where the market does not say, in shares.
    pub min_qty_default: Qty,
    /// Smallest marketable buy (venues/polymarket.md 4.3).
    pub min_notional: Usd,
}

impl Default for GammaSettings {
    fn default() -> Self {
        Self { taker_hold_default: Dur::from_millis(250), min_qty_default: Qty::whole(5), min_notional: Usd::ONE }
    }
}

/// The catalog lacks what every market of this venue needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// No venue named `polymarket`.
    #[error("the catalog has no venue polymarket")]
    Venue,
    /// No currency `pUSD`.
    #[error("the catalog has no currency pUSD")]
    Currency,
}

/// Listings are swept beyond this number ...
const SWEEP_FROM: usize = 4_096;
/// ... of what closed this long ago and was never said to be resolved.
const KEEP_AFTER_CLOSE: Dur = Dur::from_secs(48 * 3_600);

/// Feed protocol of Gamma and `/clob-markets` bodies.
#[derive(Debug)]
pub struct GammaProtocol {
    catalog: Catalog,
    settings: GammaSettings,
    venue: VenueId,
    currency: CurrencyId,
    /// Last word on every market that is not resolved.
    listed: BTreeMap<MarketIdx, Listed>,
    resolved: BTreeSet<MarketIdx>,
    skipped: u64,
}

/// How deep bodies hold bodies: a page, its events, their markets, and one to spare.
const DEPTH: usize = 4;

/// One body while it is read.
struct Reading<'a> {
    text: &'a str,
    depth: usize,
    data: u64,
    foreign: u64,
    unknown: u64,
}

/// Keeps the first error of a list, with the element's name and its byte in the body.
fn keep(first: &mut Option<DecodeError>, name: &str, text: &str, item: &str, e: DecodeError) {
    let DecodeError { what, at } = e;
    first.get_or_insert_with(|| DecodeError { what: format!("{name}: {what}"), at: at.or_else(|| place_in(text, item)) });
}

/// A listed market and who spoke of it last.
#[derive(Debug)]
struct Listed {
    market: Market,
    engine: Heard,
}

/// What the matching engine itself has said of a market: there Gamma is only an older copy.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    accepting: bool,
    min_qty: bool,
    fees: bool,
}

impl Heard {
    const fn note(&mut self, change: &MarketChange) {
        match change {
            MarketChange::Accepting(_) => self.accepting = true,
            MarketChange::MinQty(_) => self.min_qty = true,
            MarketChange::Fees(_) => self.fees = true,
            MarketChange::Tick(_) | MarketChange::TakerHold(_) | MarketChange::Reference(_) => {}
        }
    }
}

impl GammaProtocol {
    /// A protocol for the markets of `catalog`.
    ///
    /// # Errors
    /// The catalog has no venue `polymarket` or no currency `pUSD`.
    pub fn new(catalog: Catalog, settings: GammaSettings) -> Result<Self, SetupError> {
        let venue = catalog.venue("polymarket").ok_or(SetupError::Venue)?;
        let currency = catalog.currency("pUSD").ok_or(SetupError::Currency)?;
        let (listed, resolved) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { catalog, settings, venue, currency, listed, resolved, skipped: 0 })
    }

    /// Objects that are no market of ours: not binary, or not yet filled in by the venue (no condition id, no tokens).
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    fn object<'a>(
        &mut self,
        json: &'a str,
        event: Option<&GammaEvent>,
        registry: &mut Registry,
        out: &mut dyn EventSink,
        reading: &mut Reading<'a>,
    ) -> Result<(), DecodeError> {
        let o = Object::parse(json).map_err(|e| DecodeError::new(e.to_string()))?;
        if o.has("c") && o.has("t") {
            return self.clob(&o, registry, out, reading);
        }
        if o.has("outcomes") {
            return self.market(&o, event, registry, out, reading);
        }
        if reading.depth >= DEPTH {
            return Err(DecodeError::new("bodies within bodies"));
        }
        reading.depth += 1;
        let (mut found, mut first) = (false, None);
        let own = (o.has("slug") || o.has("eventMetadata")).then(|| GammaEvent::of(&o));
        for key in ["markets", "events", "data"] {
            for (i, item) in o.array(key).into_iter().enumerate() {
                found = true;
                if let Err(e) = self.object(item, own.as_ref(), registry, out, reading) {
                    keep(&mut first, &format!("{key}[{i}]"), reading.text, item, e);
                }
            }
        }
        reading.depth -= 1;
        reading.unknown += u64::from(!found);
        first.map_or(Ok(()), Err)
    }

    fn market(
        &mut self,
        o: &Object<'_>,
        event: Option<&GammaEvent>,
        registry: &mut Registry,
        out: &mut dyn EventSink,
        reading: &mut Reading<'_>,
    ) -> Result<(), DecodeError> {
        reading.data += 1;
        let mut gamma = match GammaMarket::of(o) {
            Ok(gamma) => gamma,
            Err(GammaError::Outcomes(_)) => {
                self.skipped += 1;
                return Ok(());
            }
            Err(e) => return Err(DecodeError::new(e.to_string())),
        };
        if let Some(event) = event {
            gamma.events.insert(0, event.clone());
        }
        let Some(mut market) = self.build(&gamma, registry) else {
            self.skipped += 1;
            return Ok(());
        };
        if self.resolved.contains(&market.idx) {
            return Ok(());
        }
        self.say(&mut market, out);
        let idx = market.idx;
        let engine = self.listed.get(&idx).map(|l| l.engine).unwrap_or_default();
        self.listed.insert(idx, Listed { market, engine });
        if let Some((first_pays, at)) = result(&gamma, rules::read(&gamma, &self.catalog).swapped) {
            out.event(Event::Resolved { market: idx, first_pays, at });
            self.listed.remove(&idx);
            self.resolved.insert(idx);
        }
        Ok(())
    }

    /// Emits what is new about a market.
    fn say(&self, market: &mut Market, out: &mut dyn EventSink) {
        let Some(Listed { market: old, engine }) = self.listed.get(&market.idx) else {
            out.event(Event::MarketListed(Cow::Borrowed(market)));
            return;
        };
        // The matching engine's own word on these is newer than Gamma's cache.
        (market.tick, market.taker_hold) = (old.tick, old.taker_hold);
        if engine.min_qty {
            market.min_qty = old.min_qty;
        }
        if engine.fees {
            market.fees = with_rebate(old.fees, Some(market.fees));
        }
        if engine.accepting {
            market.accepting &= old.accepting;
        }
        let mut same = old.clone();
        let mut changes: Vec<MarketChange> = Vec::new();
        if old.accepting != market.accepting {
            changes.push(MarketChange::Accepting(market.accepting));
        }
        if old.fees != market.fees {
            changes.push(MarketChange::Fees(market.fees));
        }
        if old.min_qty != market.min_qty {
            changes.push(MarketChange::MinQty(market.min_qty));
        }
        match (reference(old), reference(market)) {
            (None, Some(px)) => changes.push(MarketChange::Reference(px)),
            // A known start value is not unlearned by a body without it.
            (Some(px), None) => market.apply(&MarketChange::Reference(px)),
            _ => {}
        }
        for change in &changes {
            same.apply(change);
        }
        if same == *market {
            for change in changes {
                out.event(Event::MarketChanged { market: market.idx, change });
            }
        } else {
            out.event(Event::MarketListed(Cow::Borrowed(market)));
        }
    }

    fn clob(
        &mut self,
        o: &Object<'_>,
        registry: &Registry,
        out: &mut dyn EventSink,
        reading: &mut Reading<'_>,
    ) -> Result<(), DecodeError> {
        let body = ClobMarket::of(o).map_err(|e| DecodeError::new(format!("clob market: {e}")))?;
        let Some(idx) = registry.find_market(self.venue, &body.condition_id) else {
            reading.foreign += 1;
            return Ok(());
        };
        reading.data += 1;
        let known = self.listed.get_mut(&idx);
        let changes = body.changes(known.as_ref().map(|l| l.market.fees), self.settings.taker_hold_default);
        match known {
            Some(known) => {
                for change in changes {
                    known.engine.note(&change);
                    let before = known.market.clone();
                    known.market.apply(&change);
                    if before != known.market {
                        out.event(Event::MarketChanged { market: idx, change });
                    }
                }
            }
            None => changes.into_iter().for_each(|change| out.event(Event::MarketChanged { market: idx, change })),
        }
        body.schedule().map(|_| ()).map_err(|e| DecodeError::new(format!("clob market {}: {e}", body.condition_id)))
    }
}

fn reference(market: &Market) -> Option<Px> {
    match market.rule.understood() {
        Some(SettlementRule { payoff: Payoff::UpDown { reference, .. }, .. }) => *reference,
        _ => None,
    }
}

/// The declared result: closed, said to be resolved, and final prices of 1/0, 0/1 or one half each.
fn result(g: &GammaMarket, swapped: bool) -> Option<(Ratio, Ts)> {
    let said = |status: &Option<String>| matches!(status.as_deref(), Some("resolved" | "settled"));
    let done = said(&g.resolution.uma_resolution_status) || said(&g.resolution.resolution_status);
    if g.state.closed != Some(true) || !done {
        return None;
    }
    let [a, b] = &g.outcomes;
    let (first, second) = if swapped { (b.price?, a.price?) } else { (a.price?, b.price?) };
    let final_price = first == Decimal::ONE || first.is_zero() || first == Decimal::new(5, 1);
    if !final_price || first + second != Decimal::ONE {
        return None;
    }
    let at = g.state.closed_time.or(g.state.end_date).unwrap_or(Ts::ZERO);
    Ratio::from_decimal(first).ok().map(|pays| (pays, at))
}

impl FeedProtocol for GammaProtocol {
    fn decode(
        &mut self,
        at: Stamp,
        frame: &[u8],
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        let text = utf8(frame)?;
        let body: &RawValue = json("a body", text)?;
        if self.listed.len() > SWEEP_FROM {
            self.listed.retain(|_, l| l.market.closes_at > at.wall - KEEP_AFTER_CLOSE);
        }
        let mut reading = Reading { text, depth: 0, data: 0, foreign: 0, unknown: 0 };
        let mut first = None;
        match body.get().as_bytes().first() {
            Some(b'{') => self.object(body.get(), None, registry, out, &mut reading)?,
            Some(b'[') => {
                let items: Vec<&RawValue> = json("a list of bodies", body.get())?;
                for (i, item) in items.iter().enumerate() {
                    let read = match item.get().as_bytes().first() {
                        Some(b'{') => self.object(item.get(), None, registry, out, &mut reading),
                        _ => Err(DecodeError::new("not an object")),
                    };
                    if let Err(e) = read {
                        keep(&mut first, &format!("element {i}"), text, item.get(), e);
                    }
                }
            }
            _ => reading.unknown += 1,
        }
        if let Some(first) = first {
            return Err(first);
        }
        Ok(match reading {
            Reading { data: 1.., .. } => FrameKind::Data,
            Reading { foreign: 1.., .. } => FrameKind::Foreign,
            Reading { unknown: 1.., .. } => FrameKind::Unknown,
            _ => FrameKind::Control,
        })
    }

    fn learn(&mut self, listing: &Event<'_>) {
        if let Event::MarketChanged { market, change } = listing
            && let Some(known) = self.listed.get_mut(market)
        {
            let before = known.market.clone();
            known.market.apply(change);
            // What was news here was said by somebody else: the market socket, or `/clob-markets` through another protocol.
            if before != known.market {
                known.engine.note(change);
            }
        }
    }

    /// Metadata has no continuity.
    fn reset(&mut self, _: &mut dyn EventSink) {}

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("skipped", self.skipped)]
    }
}
