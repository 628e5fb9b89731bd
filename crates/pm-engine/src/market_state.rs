//! Slots of listed markets and instruments: definition, book, last fair value. The engine's state is the cache; nothing is read from a
//! store on the hot path.

use std::collections::BTreeMap;

use pm_core::book::Book;
use pm_core::event::{BookId, Ticker};
use pm_core::ids::{InstrumentIdx, MarketIdx, SourceId, UnderlyingId};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::{Market, Payoff};
use pm_core::refusal::Refusal;
use pm_core::time::Ts;
use pm_core::traits::MarketView;
use pm_core::units::{Px, Ratio};
use pm_strategy::Fair;

/// One market.
#[derive(Debug)]
pub(crate) struct MarketSlot {
    pub(crate) market: Market,
    pub(crate) book: Book,
    pub(crate) fair: Result<Fair, Refusal>,
    pub(crate) fair_at: Ts,
    pub(crate) cooling_until: Ts,
    pub(crate) open_structures: u32,
    pub(crate) resolved: Option<Ratio>,
    pub(crate) resolved_at: Ts,
    pub(crate) row_at: Ts,
    pub(crate) episode: bool,
    /// Was priced at least once.
    pub(crate) priced: bool,
    /// Last mark of a share of each outcome, kept while the book is empty or lost.
    pub(crate) marks: [Option<Px>; 2],
}

/// One instrument.
#[derive(Debug)]
pub(crate) struct InstrumentSlot {
    pub(crate) instrument: Instrument,
    pub(crate) book: Book,
    pub(crate) ticker: Ticker,
    pub(crate) ticker_at: Ts,
    pub(crate) row_at: Ts,
    pub(crate) mark: Option<Px>,
}

/// State of one underlying.
#[derive(Debug, Default)]
pub(crate) struct UnderlyingSlot {
    /// Markets that may be priced, in order of listing.
    pub(crate) markets: Vec<MarketIdx>,
    /// The hedge instrument: the perpetual if there is one.
    pub(crate) hedge: Option<InstrumentIdx>,
    /// Hedge mid of the last repricing.
    pub(crate) priced_mid: Option<Px>,
    pub(crate) priced_at: Ts,
}

/// Markets that settle on the same source at the same instant: where books can contradict each other.
pub(crate) type GroupKey = (SourceId, Ts);

/// All slots.
#[derive(Debug, Default)]
pub(crate) struct Markets {
    pub(crate) markets: Vec<Option<Box<MarketSlot>>>,
    pub(crate) instruments: Vec<Option<Box<InstrumentSlot>>>,
    pub(crate) underlyings: Vec<UnderlyingSlot>,
    pub(crate) groups: BTreeMap<GroupKey, Vec<MarketIdx>>,
    /// Resolved markets whose slot goes once nothing refers to it.
    pub(crate) leaving: Vec<MarketIdx>,
    pub(crate) live: u32,
}

impl Markets {
    pub(crate) fn market(&self, idx: MarketIdx) -> Option<&MarketSlot> {
        self.markets.get(idx.slot()).and_then(Option::as_deref)
    }
    pub(crate) fn market_mut(&mut self, idx: MarketIdx) -> Option<&mut MarketSlot> {
        self.markets.get_mut(idx.slot()).and_then(Option::as_deref_mut)
    }
    pub(crate) fn instrument(&self, idx: InstrumentIdx) -> Option<&InstrumentSlot> {
        self.instruments.get(idx.slot()).and_then(Option::as_deref)
    }
    pub(crate) fn instrument_mut(&mut self, idx: InstrumentIdx) -> Option<&mut InstrumentSlot> {
        self.instruments.get_mut(idx.slot()).and_then(Option::as_deref_mut)
    }
    pub(crate) fn with_underlyings(count: usize) -> Self {
        let mut underlyings = Vec::new();
        underlyings.resize_with(count, UnderlyingSlot::default);
        Self { underlyings, ..Self::default() }
    }
    /// Slot of an underlying of the catalog.
    pub(crate) fn underlying_mut(&mut self, id: UnderlyingId) -> Option<&mut UnderlyingSlot> {
        self.underlyings.get_mut(usize::from(id.0))
    }
    pub(crate) fn underlying(&self, id: UnderlyingId) -> Option<&UnderlyingSlot> {
        self.underlyings.get(usize::from(id.0))
    }

    /// Puts a market in its slot. True when it is new; a known one gets the new definition and keeps book and history.
    pub(crate) fn list_market(&mut self, market: &Market) -> bool {
        let at = market.idx.slot();
        if self.markets.len() <= at {
            self.markets.resize_with(at + 1, || None);
        }
        let Some(entry) = self.markets.get_mut(at) else { return false };
        if let Some(known) = entry.as_deref_mut() {
            let reference = known_reference(&known.market);
            let before = place(&known.market);
            known.market = market.clone();
            if let (Some(px), None) = (reference, known_reference(market)) {
                known.market.apply(&pm_core::market::MarketChange::Reference(px));
            }
            // A rule that came later, or changed: the market is found where it belongs now.
            if before != place(market) && known.resolved.is_none() {
                self.unplace(market.idx, before);
                self.place(market);
            }
            return false;
        }
        *entry = Some(Box::new(MarketSlot {
            market: market.clone(),
            book: Book::default(),
            fair: Err(Refusal::WarmingUp),
            fair_at: Ts::ZERO,
            cooling_until: Ts::ZERO,
            open_structures: 0,
            resolved: None,
            resolved_at: Ts::ZERO,
            row_at: Ts::ZERO,
            episode: false,
            priced: false,
            marks: [None; 2],
        }));
        self.live = self.live.saturating_add(1);
        self.place(market);
        true
    }

    /// Puts an instrument in its slot; true when it is new.
    pub(crate) fn list_instrument(&mut self, instrument: &Instrument) -> bool {
        let at = instrument.idx.slot();
        if self.instruments.len() <= at {
            self.instruments.resize_with(at + 1, || None);
        }
        let Some(entry) = self.instruments.get_mut(at) else { return false };
        if let Some(known) = entry.as_deref_mut() {
            known.instrument = instrument.clone();
            return false;
        }
        *entry = Some(Box::new(InstrumentSlot {
            instrument: instrument.clone(),
            book: Book::default(),
            ticker: Ticker::default(),
            ticker_at: Ts::ZERO,
            row_at: Ts::ZERO,
            mark: None,
        }));
        if let (Some(underlying), InstrumentKind::Perp) = (instrument.underlying, instrument.kind)
            && let Some(slot) = self.underlying_mut(underlying)
        {
            slot.hedge.get_or_insert(instrument.idx);
        }
        true
    }

    /// Files a market that may be priced under its underlying and its group.
    fn place(&mut self, market: &Market) {
        let Some((key, underlying)) = place(market) else { return };
        if let Some(slot) = self.underlying_mut(underlying) {
            slot.markets.push(market.idx);
            self.groups.entry(key).or_default().push(market.idx);
        }
    }

    /// The opposite of [`Self::place`].
    fn unplace(&mut self, idx: MarketIdx, from: Option<(GroupKey, UnderlyingId)>) {
        let Some((key, underlying)) = from else { return };
        if let Some(slot) = self.underlying_mut(underlying) {
            slot.markets.retain(|m| *m != idx);
        }
        if let Some(members) = self.groups.get_mut(&key) {
            members.retain(|m| *m != idx);
            if members.is_empty() {
                self.groups.remove(&key);
            }
        }
    }

    /// Takes a resolved market out of pricing; its slot stays until [`Markets::sweep`].
    pub(crate) fn retire(&mut self, idx: MarketIdx) {
        let Some(slot) = self.market(idx) else { return };
        let from = place(&slot.market);
        self.unplace(idx, from);
        if !self.leaving.contains(&idx) {
            self.leaving.push(idx);
        }
    }

    /// Frees slots of markets that resolved before `before` and have no open structure: memory stays flat over weeks.
    pub(crate) fn sweep(&mut self, before: Ts, mut freed: impl FnMut(&Market)) {
        let Self { markets, leaving, live, .. } = self;
        leaving.retain(|idx| {
            let Some(entry) = markets.get_mut(idx.slot()) else { return false };
            let gone = entry.as_deref().is_none_or(|s| s.open_structures == 0 && s.resolved_at < before);
            if gone && let Some(slot) = entry.take() {
                freed(&slot.market);
                *live = live.saturating_sub(1);
            }
            !gone
        });
    }
}

/// Where a market that may be priced is filed.
fn place(market: &Market) -> Option<(GroupKey, UnderlyingId)> {
    market.rule.understood().map(|r| (r.source, r.final_at)).zip(market.underlying)
}

fn known_reference(market: &Market) -> Option<Px> {
    match market.rule.understood()?.payoff {
        Payoff::UpDown { reference, .. } => reference,
        _ => None,
    }
}

impl MarketView for Markets {
    fn market(&self, market: MarketIdx) -> Option<&Market> {
        Self::market(self, market).map(|s| &s.market)
    }
    fn instrument(&self, instrument: InstrumentIdx) -> Option<&Instrument> {
        Self::instrument(self, instrument).map(|s| &s.instrument)
    }
    fn book(&self, book: BookId) -> Option<&Book> {
        match book {
            BookId::Market(m) => Self::market(self, m).map(|s| &s.book),
            BookId::Instrument(i) => Self::instrument(self, i).map(|s| &s.book),
        }
    }
    fn index_price(&self, instrument: InstrumentIdx) -> Option<Px> {
        Self::instrument(self, instrument).and_then(|s| s.ticker.index)
    }
}
