//! Names to index keys. The catalog is fixed for a run (it stands in the journal's header); the registry grows as markets and instruments
//! are listed. Decoders keep their own fast maps from venue ids to these keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{CurrencyId, InstrumentIdx, MarketIdx, SourceId, UnderlyingId, VenueId};

/// What a venue is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VenueRole {
    /// Trades binary markets.
    Prediction,
    /// Trades the hedge.
    Hedge,
    /// Reference prices only.
    Reference,
}

/// A venue of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueInfo {
    /// Name in database and reports.
    pub name: Arc<str>,
    /// Role.
    pub role: VenueRole,
    /// Currency that its cash is held in.
    pub currency: CurrencyId,
}

/// A settlement source of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Name, e.g. the oracle's stream or the candle series.
    pub name: Arc<str>,
    /// What it is about.
    pub underlying: UnderlyingId,
}

/// Names of everything that is fixed for a run; positions are the ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// Venues.
    pub venues: Vec<VenueInfo>,
    /// Currency codes.
    pub currencies: Vec<Arc<str>>,
    /// Underlying symbols.
    pub underlyings: Vec<Arc<str>>,
    /// Settlement sources.
    pub sources: Vec<SourceInfo>,
}

fn position<T>(items: &[T], found: impl Fn(&T) -> bool) -> Option<u8> {
    items.iter().position(found).and_then(|i| u8::try_from(i).ok())
}

impl Catalog {
    /// Venue by name.
    #[must_use]
    pub fn venue(&self, name: &str) -> Option<VenueId> {
        position(&self.venues, |v| &*v.name == name).map(VenueId)
    }
    /// First venue with a role.
    #[must_use]
    pub fn venue_of(&self, role: VenueRole) -> Option<VenueId> {
        position(&self.venues, |v| v.role == role).map(VenueId)
    }
    /// Currency by code.
    #[must_use]
    pub fn currency(&self, code: &str) -> Option<CurrencyId> {
        position(&self.currencies, |c| &**c == code).map(CurrencyId)
    }
    /// Underlying by symbol.
    #[must_use]
    pub fn underlying(&self, symbol: &str) -> Option<UnderlyingId> {
        position(&self.underlyings, |u| &**u == symbol).map(UnderlyingId)
    }
    /// Source by name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<SourceId> {
        position(&self.sources, |s| &*s.name == name).map(SourceId)
    }
    /// Info of a venue.
    #[must_use]
    pub fn venue_info(&self, id: VenueId) -> Option<&VenueInfo> {
        self.venues.get(usize::from(id.0))
    }
    /// Name of a venue, `?` when unknown.
    #[must_use]
    pub fn venue_name(&self, id: VenueId) -> &str {
        self.venue_info(id).map_or("?", |v| &v.name)
    }
    /// Code of a currency, `?` when unknown.
    #[must_use]
    pub fn currency_code(&self, id: CurrencyId) -> &str {
        self.currencies.get(usize::from(id.0)).map_or("?", |c| c)
    }
    /// Symbol of an underlying, `?` when unknown.
    #[must_use]
    pub fn underlying_symbol(&self, id: UnderlyingId) -> &str {
        self.underlyings.get(usize::from(id.0)).map_or("?", |u| u)
    }
    /// Info of a source.
    #[must_use]
    pub fn source_info(&self, id: SourceId) -> Option<&SourceInfo> {
        self.sources.get(usize::from(id.0))
    }
}

/// Hands out index keys for venue ids, in order of first sight; the same ids in the same order give the same keys.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    markets: BTreeMap<(VenueId, Arc<str>), MarketIdx>,
    instruments: BTreeMap<(VenueId, Arc<str>), InstrumentIdx>,
}

impl Registry {
    /// Key of a market by its venue's id; a new one when it was never seen.
    pub fn market(&mut self, venue: VenueId, native: &str) -> MarketIdx {
        let key = (venue, Arc::from(native));
        let next = MarketIdx(u32::try_from(self.markets.len()).unwrap_or(u32::MAX));
        *self.markets.entry(key).or_insert(next)
    }
    /// Key of an instrument by its venue's symbol; a new one when it was never seen. Categories that share symbols (spot and
    /// perpetual) are told apart by a prefix that the venue crate chooses.
    pub fn instrument(&mut self, venue: VenueId, symbol: &str) -> InstrumentIdx {
        let key = (venue, Arc::from(symbol));
        let next = InstrumentIdx(u32::try_from(self.instruments.len()).unwrap_or(u32::MAX));
        *self.instruments.entry(key).or_insert(next)
    }
    /// Key of a known market.
    #[must_use]
    pub fn find_market(&self, venue: VenueId, native: &str) -> Option<MarketIdx> {
        self.markets.get(&(venue, Arc::from(native))).copied()
    }
    /// Key of a known instrument.
    #[must_use]
    pub fn find_instrument(&self, venue: VenueId, symbol: &str) -> Option<InstrumentIdx> {
        self.instruments.get(&(venue, Arc::from(symbol))).copied()
    }
    /// Number of markets seen.
    #[must_use]
    pub fn market_count(&self) -> usize {
        self.markets.len()
    }
}
