//! Settings of the model and of the strategies. Numbers are integers or decimal text, never floats: what somebody wrote is what runs.

use pm_core::opportunity::{EvidenceClass, StrategyKind};
use pm_core::time::Dur;
use pm_core::units::{Px, Ratio, Usd};
use serde::{Deserialize, Serialize};

/// Spans in config are whole milliseconds under a key that ends in `_ms`.
mod millis {
    use pm_core::time::Dur;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(d: &Dur, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(d.millis())
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Dur, D::Error> {
        i64::deserialize(d).map(Dur::from_millis)
    }
}

/// Settings of [`crate::Model`].
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Half-life of the volatility average, seconds.
    pub vol_half_life_s: u32,
    /// Spacing of the slow grid of the two-scale estimator, seconds, 2 to 60. The fast grid is one second.
    pub vol_sample_s: u32,
    /// Lowest volatility that is believed, per year (0.1 = 10 %).
    pub vol_floor_annual: Ratio,
    /// Highest volatility that is believed, per year.
    pub vol_cap_annual: Ratio,
    /// Relative error of volatility over the horizon beyond its sampling error (it changes), up to one hour ahead; part of the band.
    pub vol_rel_error: Ratio,
    /// The same at 24 hours and more; in between it grows with the logarithm of the horizon. Smaller than the first it says the first.
    pub vol_rel_error_day: Ratio,
    /// One-second samples before volatility counts as estimated.
    pub min_vol_samples: u32,
    /// A silence longer than this, seconds, breaks the chain of returns instead of counting as "no move".
    pub max_gap_s: u32,
    /// Half-life of the basis between hedge venue and settlement source, seconds.
    pub basis_half_life_s: u32,
    /// Smallest standard deviation of the basis that is believed, as a fraction of price. Importers of stand-in references raise it.
    pub basis_floor: Ratio,
    /// Paired values before the basis counts as estimated.
    pub min_basis_samples: u32,
    /// Width of the band in standard deviations of the estimates (1.64 = 95 % one-sided).
    pub band_z: Ratio,
    /// A settlement source whose last value is older is stale.
    #[serde(rename = "max_reference_age_ms", with = "millis")]
    pub max_reference_age: Dur,
    /// A hedge mid that is older is stale.
    #[serde(rename = "max_hedge_age_ms", with = "millis")]
    pub max_hedge_age: Dur,
    /// False: without a fresh hedge mid the source's own last value and volatility serve (recordings without a hedge venue).
    pub require_hedge: bool,
    /// Bound of the clock's error against the venues', milliseconds.
    pub clock_error_ms: u32,
    /// How far the report that the venue reads at a boundary may lie from the boundary, milliseconds: which one it is exactly is
    /// undocumented (venues/polymarket.md 9). Part of the band of averages and instants, not of candles.
    pub boundary_error_ms: u32,
    /// Missing one-second values of the source that may be carried forward in a start or final value before it counts as not seen.
    pub max_carried_s: u32,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            vol_half_life_s: 1_800,
            vol_sample_s: 10,
            vol_floor_annual: Ratio::from_bps(1_000),
            vol_cap_annual: Ratio::from_bps(40_000),
            vol_rel_error: Ratio::from_bps(1_500),
            vol_rel_error_day: Ratio::from_bps(3_500),
            min_vol_samples: 120,
            max_gap_s: 15,
            basis_half_life_s: 60,
            basis_floor: Ratio::from_raw(2_000),
            min_basis_samples: 20,
            band_z: Ratio::from_bps(16_400),
            max_reference_age: Dur::from_secs(10),
            max_hedge_age: Dur::from_secs(3),
            require_hedge: true,
            clock_error_ms: 250,
            boundary_error_ms: 500,
            max_carried_s: 2,
        }
    }
}

/// Classes of evidence that may trade.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Classes {
    /// Prices alone.
    pub model_free: bool,
    /// Bounds from option prices.
    pub option_implied: bool,
    /// A volatility model.
    pub vol_model: bool,
}

impl Default for Classes {
    fn default() -> Self {
        Self { model_free: true, option_implied: true, vol_model: true }
    }
}

/// Strategies that may trade.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Strategies {
    /// Book against the implied probability.
    pub cross_exchange: bool,
    /// Books that contradict each other.
    pub set_arbitrage: bool,
}

impl Default for Strategies {
    fn default() -> Self {
        Self { cross_exchange: true, set_arbitrage: true }
    }
}

/// Settings of strategies, waterfall and sizing.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct StrategyConfig {
    /// Smallest net edge as a fraction of notional.
    pub min_edge: Ratio,
    /// Classes of evidence that may trade.
    pub classes: Classes,
    /// Strategies that may trade.
    pub strategies: Strategies,
    /// Expected time from decision to the venue's matching, without the taker hold.
    #[serde(rename = "latency_ms", with = "millis")]
    pub latency: Dur,
    /// Share of matched trades that fail to settle.
    pub settlement_failure_rate: Ratio,
    /// Network fee per leg, in collateral (zero with a relayer).
    pub gas_per_leg: Usd,
    /// No entry with less time left before the end of trading.
    #[serde(rename = "min_time_left_ms", with = "millis")]
    pub min_time_left: Dur,
    /// A touch is a candidate from this gross edge per share on, as a fraction of one unit of payoff; below it nothing is tracked.
    pub track_min_gross: Ratio,
    /// Standard deviation of an outcome's price over one second where no fair value says it (sets).
    pub default_sd_per_sqrt_s: Px,
    /// Part of what is left of the day's and the week's loss limit that one structure may use beyond the smallest order (`worst_case`).
    pub loss_concentration: Ratio,
    /// Hedging.
    pub hedge: HedgeConfig,
}

impl Default for StrategyConfig {
    fn default() -> Self {
        Self {
            min_edge: Ratio::from_bps(10),
            classes: Classes::default(),
            strategies: Strategies::default(),
            latency: Dur::from_millis(150),
            settlement_failure_rate: Ratio::from_bps(20),
            gas_per_leg: Usd::ZERO,
            min_time_left: Dur::from_secs(5),
            track_min_gross: Ratio::from_bps(50),
            default_sd_per_sqrt_s: Px::from_raw(300_000),
            loss_concentration: Ratio::from_bps(1_000),
            hedge: HedgeConfig::default(),
        }
    }
}

impl StrategyConfig {
    /// Whether a class may trade.
    #[must_use]
    pub const fn class_on(&self, class: EvidenceClass) -> bool {
        match class {
            EvidenceClass::ModelFree => self.classes.model_free,
            EvidenceClass::OptionImplied => self.classes.option_implied,
            EvidenceClass::VolModel => self.classes.vol_model,
        }
    }
    /// Whether a strategy may trade; the ones that are not built are off.
    #[must_use]
    pub const fn strategy_on(&self, strategy: StrategyKind) -> bool {
        match strategy {
            StrategyKind::CrossExchange => self.strategies.cross_exchange,
            StrategyKind::SetArbitrage => self.strategies.set_arbitrage,
            _ => false,
        }
    }
}

/// What becomes of a candidate beyond the minimum horizon.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum BeyondHorizon {
    /// It is hedged or refused: a day of the underlying's risk is not carried because its hedge was too dear.
    #[default]
    Required,
    /// Hedged or not, whichever earns more within the budget.
    Optional,
}

/// When and how a structure is hedged: once, for the confirmed shares, held until the exit.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct HedgeConfig {
    /// Hedge at all.
    pub enabled: bool,
    /// Structures that settle within this span are not hedged: delta explodes, margin is the limit (venues/bybit.md 8).
    #[serde(rename = "min_horizon_ms", with = "millis")]
    pub min_horizon: Dur,
    /// Whether structures that settle later than that must be hedged.
    pub beyond_horizon: BeyondHorizon,
    /// Re-hedge band in lots, at least one.
    pub band_lots: u32,
    /// Most that the hedge may cost over its life, as a fraction of the prediction legs' notional: dearer ones are not taken.
    pub max_cost_ratio: Ratio,
    /// Most initial margin, as a fraction of the prediction legs' notional.
    pub max_margin_ratio: Ratio,
    /// Least funding rate per settlement that is charged where we are the side that pays; the quoted rate counts when it is larger.
    pub funding_bound: Ratio,
    /// Funding interval.
    #[serde(rename = "funding_interval_ms", with = "millis")]
    pub funding_interval: Dur,
    /// Expected turnover of re-hedging as a multiple of opening and closing once (0 = static: opened once and held).
    pub rehedge_turnover: Ratio,
    /// Charge for the part that the lot leaves unhedged, as a fraction of its value.
    pub residual_charge: Ratio,
    /// Loss of a hedge that fails, as a fraction of its value (0 = it does nothing, it loses nothing).
    pub gap_move: Ratio,
    /// Probability that the hedge fails when it is needed; two rows of the Kelly table.
    pub failure_rate: Ratio,
    /// Length of the exit where the settlement value is not an average.
    #[serde(rename = "exit_over_ms", with = "millis")]
    pub exit_over: Dur,
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            min_horizon: Dur::from_secs(3_600),
            beyond_horizon: BeyondHorizon::Required,
            band_lots: 1,
            max_cost_ratio: Ratio::from_bps(2_000),
            max_margin_ratio: Ratio::from_bps(100_000),
            funding_bound: Ratio::from_bps(1),
            funding_interval: Dur::from_secs(8 * 3_600),
            rehedge_turnover: Ratio::ZERO,
            residual_charge: Ratio::from_bps(5),
            gap_move: Ratio::ZERO,
            failure_rate: Ratio::from_bps(100),
            exit_over: Dur::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_round_trips_and_refuses_unknown_keys_and_floats() {
        let text = serde_json::to_string(&StrategyConfig::default()).unwrap();
        assert_eq!(serde_json::from_str::<StrategyConfig>(&text).unwrap(), StrategyConfig::default());
        let text = serde_json::to_string(&ModelConfig::default()).unwrap();
        assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), ModelConfig::default());
        let some: ModelConfig = serde_json::from_str(r#"{"max_hedge_age_ms": 1500, "band_z": "2.33"}"#).unwrap();
        assert_eq!((some.max_hedge_age, some.band_z), (Dur::from_millis(1_500), "2.33".parse().unwrap()));
        let hedge: HedgeConfig = serde_json::from_str(r#"{"beyond_horizon": "optional"}"#).unwrap();
        assert_eq!(
            (hedge.beyond_horizon, HedgeConfig::default().beyond_horizon),
            (BeyondHorizon::Optional, BeyondHorizon::Required)
        );
        assert!(serde_json::from_str::<ModelConfig>(r#"{"band_z": 2.33}"#).is_err());
        assert!(serde_json::from_str::<ModelConfig>(r#"{"band_zz": "2"}"#).is_err());
    }
}
