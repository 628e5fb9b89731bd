//! Everything the engine's behaviour depends on besides its events. It stands in the journal's header: the same config and the same
//! events give the same commands.

use pm_core::ids::{CurrencyId, VenueId};
use pm_core::registry::Catalog;
use pm_core::units::{Ratio, Usd};
use pm_risk::RiskConfig;
use pm_strategy::{ModelConfig, StrategyConfig};
use serde::{Deserialize, Serialize};

/// Cash that a run starts with on one venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capital {
    /// Venue.
    pub venue: VenueId,
    /// Currency.
    pub currency: CurrencyId,
    /// Amount.
    pub amount: Usd,
}

/// Settings of the engine itself; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineSettings {
    /// Fair values of an underlying's markets are computed anew when its hedge mid moved by this fraction.
    pub reprice_move: Ratio,
    /// ... and at the latest after this time (ms).
    pub reprice_after_ms: u32,
    /// An episode ends when its candidate was absent for this long (ms).
    pub episode_grace_ms: u32,
    /// One market-data row per book and interval (ms); others are conflated.
    pub market_data_every_ms: u32,
    /// Marks of equity and bankroll rows (ms).
    pub equity_every_ms: u32,
    /// An order without an answer for this long is of unknown outcome (ms).
    pub unknown_after_ms: u32,
    /// Worst acceptable slip of a hedge order from the touch.
    pub hedge_slip: Ratio,
    /// Worst acceptable slip from the touch of a sale of shares that must go: the rest of an unwinding, the surplus of a set.
    pub unwind_slip: Ratio,
    /// Clear a trip of the kill switch at the next 00:00 UTC of market time. Replays and simulations only; the driver refuses it elsewhere.
    pub auto_reset: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            reprice_move: Ratio::from_raw(1_000),
            reprice_after_ms: 250,
            episode_grace_ms: 1_000,
            market_data_every_ms: 1_000,
            equity_every_ms: 1_000,
            unknown_after_ms: 10_000,
            hedge_slip: Ratio::from_bps(5),
            unwind_slip: Ratio::from_bps(500),
            auto_reset: false,
        }
    }
}

/// Full configuration of one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// Names.
    pub catalog: Catalog,
    /// Starting cash.
    pub capital: Vec<Capital>,
    /// Risk limits.
    pub risk: RiskConfig,
    /// Pricing.
    pub model: ModelConfig,
    /// Strategies.
    pub strategy: StrategyConfig,
    /// The engine's own settings.
    pub engine: EngineSettings,
}
