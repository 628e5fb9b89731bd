//! The names of a run: the only place where both venues, their currencies and the settlement sources stand side by side.

use std::sync::Arc;

use pm_core::ids::{CurrencyId, UnderlyingId};
use pm_core::registry::{Catalog, SourceInfo, VenueInfo, VenueRole};

/// Underlyings with markets on both venues (venues/polymarket.md 9).
pub(crate) const UNDERLYINGS: [&str; 7] = ["BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE"];

/// The standard catalog.
pub(crate) fn standard() -> Catalog {
    let venue = |name: &str, role, currency| VenueInfo { name: Arc::from(name), role, currency: CurrencyId(currency) };
    let mut sources = Vec::new();
    for (i, symbol) in (0_u8..).zip(UNDERLYINGS) {
        sources.push(SourceInfo { name: format!("chainlink:{}/usd", symbol.to_lowercase()).into(), underlying: UnderlyingId(i) });
    }
    for (i, symbol) in (0_u8..).zip(UNDERLYINGS) {
        sources.push(SourceInfo { name: format!("binance:{symbol}USDT").into(), underlying: UnderlyingId(i) });
    }
    Catalog {
        venues: vec![
            venue("polymarket", VenueRole::Prediction, 0),
            venue("bybit", VenueRole::Hedge, 1),
            venue("binance", VenueRole::Reference, 1),
            // Read in recordings only: another exchange than the first one, with rules of its own (venues/polymarket.md 1.1).
            venue("polymarket-us", VenueRole::Reference, 4),
        ],
        currencies: ["pUSD", "USDT", "USDC", "POL", "USD"].into_iter().map(Arc::from).collect(),
        underlyings: UNDERLYINGS.into_iter().map(Arc::from).collect(),
        sources,
    }
}
