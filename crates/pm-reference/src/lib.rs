//! Read-only reference prices that settle markets: Binance spot trades, book tickers and candles.
//!
//! The hourly, daily and above/below families settle on the close of a Binance spot candle (venues/polymarket.md 9), so the candle and its
//! `closed` flag are what counts; trades give the value in between. Nothing is ever sent to this venue but subscriptions.

mod spot;
pub mod wire;

pub use spot::{SpotFeed, SpotProtocol, SpotSettings, Stats};

/// Prefix of this venue's sources in the catalog: `binance:BTCUSDT`.
pub const SOURCE_PREFIX: &str = "binance:";
