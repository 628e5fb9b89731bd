//! What can be set. Everything has a default; a configuration and a seed give the same bytes on every machine.

use core::fmt;
use core::str::FromStr;

use pm_core::time::Ts;
use serde::{Deserialize, Serialize};

/// Why a simulator cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// Not one of `typical`, `measured`, `efficient`, `careless`.
    #[error("makers: {0:?} is not one of typical, measured, efficient, careless")]
    Makers(String),
    /// The grid must divide a second, and frames need room between two steps.
    #[error("step_ms: {0} is not one of 100, 125, 200, 250, 500, 1000")]
    Step(u32),
    /// A number outside of what the model can do.
    #[error("{field}: {why}")]
    Range {
        /// Field.
        field: &'static str,
        /// What is allowed.
        why: &'static str,
    },
    /// No such asset, or twice the same one.
    #[error("assets: {0:?} is unknown, or named twice")]
    Asset(String),
    /// A family names an asset that is not simulated.
    #[error("families: {family} is on {asset:?}, which is not in assets")]
    FamilyAsset {
        /// Label of the family.
        family: Family,
        /// Asset named.
        asset: String,
    },
}

/// Who quotes the outcome markets. See [`crate::MakerParams`] for the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MakerKind {
    /// Small lag, small errors, quotes that now and then stand still: somewhat worse than what was measured, so that there is work.
    #[default]
    Typical,
    /// As recordings of the real market show it: the honest yardstick.
    Measured,
    /// No lag and no error: after the fee about nothing can be taken.
    Efficient,
    /// Seconds of lag, large errors, ladders out of order, much depth.
    Careless,
}

impl fmt::Display for MakerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Typical => "typical",
            Self::Measured => "measured",
            Self::Efficient => "efficient",
            Self::Careless => "careless",
        })
    }
}

impl FromStr for MakerKind {
    type Err = SimError;
    fn from_str(text: &str) -> Result<Self, SimError> {
        match text {
            "typical" => Ok(Self::Typical),
            "measured" => Ok(Self::Measured),
            "efficient" => Ok(Self::Efficient),
            "careless" => Ok(Self::Careless),
            other => Err(SimError::Makers(other.to_owned())),
        }
    }
}

/// Families of markets that are simulated. Labels as in `Market.family`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Five-minute Up/Down on the averaged oracle.
    #[serde(rename = "updown-5m")]
    UpDown5m,
    /// Fifteen-minute Up/Down on the averaged oracle.
    #[serde(rename = "updown-15m")]
    UpDown15m,
    /// Up/Down on one hourly candle.
    #[serde(rename = "updown-1h")]
    UpDown1h,
    /// Strike ladder on the close of the hourly candle that ends at the title's hour.
    #[serde(rename = "above-hourly")]
    AboveHourly,
    /// Strike ladder on the close of the minute candle at noon in New York.
    #[serde(rename = "above-daily")]
    AboveDaily,
}

impl Family {
    /// Label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpDown5m => "updown-5m",
            Self::UpDown15m => "updown-15m",
            Self::UpDown1h => "updown-1h",
            Self::AboveHourly => "above-hourly",
            Self::AboveDaily => "above-daily",
        }
    }
    /// True for ladders of strikes.
    #[must_use]
    pub const fn is_ladder(self) -> bool {
        matches!(self, Self::AboveHourly | Self::AboveDaily)
    }
    /// True for windows that settle on the oracle's 60-second mean.
    #[must_use]
    pub const fn is_averaged(self) -> bool {
        matches!(self, Self::UpDown5m | Self::UpDown15m)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One underlying: its price law and its instruments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssetConfig {
    /// `BTC`, `ETH`, `SOL` or `BNB`: names that the venues' texts use. Cheaper coins need finer grids than cents.
    pub symbol: String,
    /// Price at the start of the warm-up, USD. At least 50.
    pub price: f64,
    /// Long-run annual volatility, 0.5 = 50 %. The median: the log of volatility is an Ornstein-Uhlenbeck process.
    pub volatility: f64,
    /// Stationary standard deviation of the log of volatility.
    pub vol_of_vol: f64,
    /// Half-life of a deviation of volatility, seconds.
    pub vol_half_life_s: f64,
    /// Jumps a day (Poisson).
    pub jumps_per_day: f64,
    /// Standard deviation of a jump, as a relative move.
    pub jump_sd: f64,
    /// Correlation of the diffusive part with the first asset of the list.
    pub correlation: f64,
    /// Tick of the perpetual, in cents.
    pub perp_tick_cents: u32,
    /// Distance between the resting levels of the perpetual's book behind the best one, in ticks.
    pub perp_level_ticks: u32,
    /// Decimals of the perpetual's lot: 3 = 0.001.
    pub perp_lot_digits: u8,
}

impl AssetConfig {
    /// Bitcoin: 64,000 USD, 50 %.
    #[must_use]
    pub fn btc() -> Self {
        Self {
            symbol: "BTC".to_owned(),
            price: 64_000.0,
            volatility: 0.50,
            vol_of_vol: 0.20,
            vol_half_life_s: 7_200.0,
            jumps_per_day: 4.0,
            jump_sd: 0.002,
            correlation: 1.0,
            perp_tick_cents: 10,
            perp_level_ticks: 8,
            perp_lot_digits: 3,
        }
    }
    /// Ether: 2,400 USD, 60 %.
    #[must_use]
    pub fn eth() -> Self {
        Self {
            symbol: "ETH".to_owned(),
            price: 2_400.0,
            volatility: 0.60,
            jump_sd: 0.0025,
            correlation: 0.8,
            perp_tick_cents: 1,
            perp_level_ticks: 4,
            perp_lot_digits: 2,
            ..Self::btc()
        }
    }
}

impl Default for AssetConfig {
    fn default() -> Self {
        Self::btc()
    }
}

/// One rolling family on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyConfig {
    /// Symbol of the asset.
    pub asset: String,
    /// Family.
    pub family: Family,
    /// How long before its window begins (strikes: before it ends) a market is listed, seconds.
    pub lead_s: u32,
    /// Rungs of the ladder; 1 for windows.
    #[serde(default = "one")]
    pub strikes: u8,
    /// Distance of the rungs, USD; ignored for windows. The defaults (500 for bitcoin, 20 for ether at noon) are finer than the venue's
    /// real ladders, so that several rungs of a short run are worth trading.
    #[serde(default)]
    pub spacing: u32,
}

const fn one() -> u8 {
    1
}

impl FamilyConfig {
    fn window(asset: &str, family: Family, lead_s: u32) -> Self {
        Self { asset: asset.to_owned(), family, lead_s, strikes: 1, spacing: 0 }
    }
    fn ladder(asset: &str, family: Family, lead_s: u32, strikes: u8, spacing: u32) -> Self {
        Self { asset: asset.to_owned(), family, lead_s, strikes, spacing }
    }
}

/// Mean frames a second, each per asset unless stated. [`SimConfig::rate`] multiplies all of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Updates of the perpetual's book.
    pub perp_book: f64,
    /// Ticker deltas of the perpetual.
    pub perp_ticker: f64,
    /// Trade frames of the perpetual.
    pub perp_trades: f64,
    /// Spot trades.
    pub spot_trades: f64,
    /// Updates of each candle that is not closed.
    pub candles: f64,
    /// Takers without information, per outcome market in its last quarter hour; a tenth of it before.
    pub takers: f64,
    /// Looks of an informed taker, per outcome market.
    pub informed: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { perp_book: 4.0, perp_ticker: 1.0, perp_trades: 0.5, spot_trades: 2.0, candles: 0.25, takers: 0.05, informed: 0.02 }
    }
}

/// A simulated market. `Default` is a Monday morning in New York with BTC and ETH.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// First instant on the wire; a whole second. The underlyings have a past of up to an hour before it.
    pub start: Ts,
    /// Length of the stream in seconds; endless when absent.
    pub duration_s: Option<u64>,
    /// Time grid of the model in milliseconds.
    pub step_ms: u32,
    /// Who quotes.
    pub makers: MakerKind,
    /// Underlyings.
    pub assets: Vec<AssetConfig>,
    /// Market families.
    pub families: Vec<FamilyConfig>,
    /// Frame rates.
    pub rates: Rates,
    /// Multiplies all of [`Rates`]. The oracle stays at one value a second, the makers at their own pace.
    pub rate: f64,
}

impl Default for SimConfig {
    fn default() -> Self {
        use Family::{AboveDaily, AboveHourly, UpDown1h, UpDown5m, UpDown15m};
        Self {
            seed: 1,
            // 2026-09-14 13:30 UTC, 09:30 in New York: noon strikes are two and a half hours away, so a hundred windows see them settle.
            start: Ts::from_secs(1_789_392_600),
            duration_s: None,
            step_ms: 100,
            makers: MakerKind::Typical,
            assets: vec![AssetConfig::btc(), AssetConfig::eth()],
            families: vec![
                FamilyConfig::window("BTC", UpDown5m, 600),
                FamilyConfig::window("ETH", UpDown5m, 600),
                FamilyConfig::window("BTC", UpDown15m, 900),
                FamilyConfig::window("ETH", UpDown15m, 900),
                FamilyConfig::window("BTC", UpDown1h, 3_600),
                FamilyConfig::ladder("BTC", AboveHourly, 4_680, 7, 100),
                FamilyConfig::ladder("BTC", AboveDaily, 93_600, 5, 500),
                FamilyConfig::ladder("ETH", AboveDaily, 93_600, 5, 20),
            ],
            rates: Rates::default(),
            rate: 1.0,
        }
    }
}

/// Names of an asset: symbol, title, slug.
pub(crate) const NAMES: [(&str, &str, &str); 4] =
    [("BTC", "Bitcoin", "bitcoin"), ("ETH", "Ethereum", "ethereum"), ("SOL", "Solana", "solana"), ("BNB", "BNB", "bnb")];

fn within(ok: bool, field: &'static str, why: &'static str) -> Result<(), SimError> {
    if ok { Ok(()) } else { Err(SimError::Range { field, why }) }
}

impl AssetConfig {
    fn check(&self) -> Result<(), SimError> {
        within((50.0..=10_000_000.0).contains(&self.price), "assets.price", "50 to 10 million")?;
        within((0.01..=5.0).contains(&self.volatility), "assets.volatility", "0.01 to 5")?;
        within((0.0..=1.0).contains(&self.vol_of_vol), "assets.vol_of_vol", "0 to 1")?;
        within((60.0..=1e8).contains(&self.vol_half_life_s), "assets.vol_half_life_s", "60 to 1e8")?;
        within((0.0..=100.0).contains(&self.jumps_per_day), "assets.jumps_per_day", "0 to 100")?;
        within((0.0..=0.05).contains(&self.jump_sd), "assets.jump_sd", "0 to 0.05")?;
        within((-1.0..=1.0).contains(&self.correlation), "assets.correlation", "-1 to 1")?;
        within((1..=1_000).contains(&self.perp_tick_cents), "assets.perp_tick_cents", "1 to 1000")?;
        within((1..=100).contains(&self.perp_level_ticks), "assets.perp_level_ticks", "1 to 100")?;
        within(self.perp_lot_digits <= 3, "assets.perp_lot_digits", "0 to 3")
    }
}

impl SimConfig {
    /// Checks everything that the model relies on.
    ///
    /// # Errors
    /// The first setting that is not allowed.
    pub fn check(&self) -> Result<(), SimError> {
        if !matches!(self.step_ms, 100 | 125 | 200 | 250 | 500 | 1_000) {
            return Err(SimError::Step(self.step_ms));
        }
        let start = self.start.secs();
        within((1_600_000_000..=4_000_000_000).contains(&start), "start", "2020-09-13 to 2096-10-02")?;
        within(self.start.nanos() % 1_000_000_000 == 0, "start", "a whole second")?;
        within((0.001..=100.0).contains(&self.rate), "rate", "0.001 to 100")?;
        let r = &self.rates;
        let rates = [r.perp_book, r.perp_ticker, r.perp_trades, r.spot_trades, r.candles, r.takers, r.informed];
        within(rates.iter().all(|r| (0.0..=100.0).contains(r)), "rates", "0 to 100")?;
        within(!self.assets.is_empty(), "assets", "at least one")?;
        for (at, asset) in self.assets.iter().enumerate() {
            asset.check()?;
            let known = NAMES.iter().any(|(symbol, ..)| *symbol == asset.symbol);
            if !known || self.assets.iter().take(at).any(|a| a.symbol == asset.symbol) {
                return Err(SimError::Asset(asset.symbol.clone()));
            }
        }
        for f in &self.families {
            if !self.assets.iter().any(|a| a.symbol == f.asset) {
                return Err(SimError::FamilyAsset { family: f.family, asset: f.asset.clone() });
            }
            within((1..=40).contains(&f.strikes), "families.strikes", "1 to 40")?;
            within(f.family.is_ladder() || f.strikes == 1, "families.strikes", "1 for windows")?;
            within(!f.family.is_ladder() || f.spacing > 0, "families.spacing", "above 0 for ladders")?;
            within((60..=200_000).contains(&f.lead_s), "families.lead_s", "60 to 200000")?;
        }
        Ok(())
    }
}
