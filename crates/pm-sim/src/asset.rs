//! The underlyings: one "true" price per asset, and what each venue shows of it. Price is a diffusion whose log-volatility is an
//! Ornstein-Uhlenbeck process, plus Poisson jumps; each venue adds its own small, mean-reverting basis.

use libm::{exp, log, sqrt};

use crate::config::AssetConfig;
use crate::dice::Dice;
use crate::num::{float, round};
use crate::oracle::Oracle;
use crate::spot::Spot;

/// Seconds of a year.
pub(crate) const YEAR: f64 = 31_557_600.0;
/// Longest lag of a maker that the price history serves, milliseconds.
const HISTORY_MS: usize = 8_000;

/// A mean-reverting difference of a venue's price to the true one, in relative terms.
#[derive(Debug, Clone, Copy)]
struct Basis {
    mean: f64,
    now: f64,
    /// Share kept over a step.
    keep: f64,
    /// Standard deviation of a step's shock.
    shock: f64,
}

impl Basis {
    fn new(mean: f64, sd: f64, half_life_s: f64, dt: f64) -> Self {
        let keep = exp(-core::f64::consts::LN_2 * dt / half_life_s);
        Self { mean, now: mean, keep, shock: sd * sqrt(1.0 - keep * keep) }
    }
    fn step(&mut self, dice: &mut Dice) {
        self.now = self.mean + (self.now - self.mean) * self.keep + self.shock * dice.normal();
    }
}

/// How variance is expected to come: the law of the makers' and the true fair values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct VarLaw {
    /// Log of the long-run volatility.
    centre: f64,
    /// Log of volatility now.
    now: f64,
    /// Stationary variance of the log.
    spread: f64,
    /// Speed of reversion, per second.
    speed: f64,
    /// Jumps a second.
    pub(crate) jump_rate: f64,
    /// Variance of a jump.
    pub(crate) jump_var: f64,
}

impl VarLaw {
    /// Expected diffusive variance per second, averaged over the next `tau` seconds (Simpson's rule on the expected squared volatility).
    pub(crate) fn per_second(&self, tau: f64) -> f64 {
        let at = |u: f64| {
            let k = exp(-self.speed * u);
            exp(2.0 * (self.centre + (self.now - self.centre) * k) + 2.0 * self.spread * (1.0 - k * k))
        };
        if tau * self.speed < 0.02 {
            return exp(2.0 * self.now) / YEAR;
        }
        (at(0.0) + 4.0 * at(tau / 2.0) + at(tau)) / (6.0 * YEAR)
    }
}

/// One underlying as it is now.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) cfg: AssetConfig,
    pub(crate) title: &'static str,
    pub(crate) slug: &'static str,
    /// True price.
    pub(crate) price: f64,
    log_vol: f64,
    centre: f64,
    /// Seconds of a step.
    dt: f64,
    /// Share of a volatility deviation kept over a step, and the shock.
    vol_keep: f64,
    vol_shock: f64,
    perp: Basis,
    oracle_basis: Basis,
    spot_basis: Basis,
    /// True prices of the last steps, a ring.
    history: Vec<f64>,
    newest: usize,
    pub(crate) oracle: Oracle,
    pub(crate) spot: Spot,
}

impl Asset {
    pub(crate) fn new(cfg: &AssetConfig, names: (&'static str, &'static str), step_ms: u32) -> Self {
        let dt = f64::from(step_ms) / 1_000.0;
        let vol_keep = exp(-core::f64::consts::LN_2 * dt / cfg.vol_half_life_s);
        let steps = HISTORY_MS / usize::try_from(step_ms).unwrap_or(1_000).max(1) + 1;
        Self {
            title: names.0,
            slug: names.1,
            price: cfg.price,
            log_vol: log(cfg.volatility),
            centre: log(cfg.volatility),
            dt,
            vol_keep,
            vol_shock: cfg.vol_of_vol * sqrt(1.0 - vol_keep * vol_keep),
            perp: Basis::new(-0.0003, 0.000_1, 900.0, dt),
            oracle_basis: Basis::new(0.0, 0.000_03, 300.0, dt),
            spot_basis: Basis::new(0.000_1, 0.000_03, 300.0, dt),
            history: vec![cfg.price; steps],
            newest: 0,
            oracle: Oracle::default(),
            spot: Spot::new(&cfg.symbol),
            cfg: cfg.clone(),
        }
    }

    /// Moves the price over one step. `common` is the first asset's shock; the own one is returned.
    pub(crate) fn step(&mut self, common: Option<f64>, dice: &mut Dice) -> f64 {
        let own = dice.normal();
        let rho = self.cfg.correlation;
        let z = common.map_or(own, |c| rho * c + sqrt(1.0 - rho * rho) * own);
        self.log_vol = self.centre + (self.log_vol - self.centre) * self.vol_keep + self.vol_shock * dice.normal();
        let sigma = exp(self.log_vol);
        let var = sigma * sigma * self.dt / YEAR;
        let mut shift = sqrt(var) * z - 0.5 * var;
        if dice.chance(self.cfg.jumps_per_day / 86_400.0 * self.dt) {
            shift += self.cfg.jump_sd * dice.normal();
        }
        // Far from the start nothing is realistic any more; the grid of cents needs a price above a few dollars.
        self.price = (self.price * exp(shift)).clamp(20.0, 50_000_000.0);
        self.perp.step(dice);
        self.oracle_basis.step(dice);
        self.spot_basis.step(dice);
        self.newest = (self.newest + 1) % self.history.len();
        if let Some(place) = self.history.get_mut(self.newest) {
            *place = self.price;
        }
        z
    }

    /// True price `steps` steps ago (as far back as the history goes).
    pub(crate) fn lagged(&self, steps: usize) -> f64 {
        let n = self.history.len();
        self.history.get((self.newest + n - steps.min(n - 1)) % n).copied().unwrap_or(self.price)
    }

    /// Volatility now, annual.
    pub(crate) fn volatility(&self) -> f64 {
        exp(self.log_vol)
    }

    pub(crate) fn law(&self) -> VarLaw {
        VarLaw {
            centre: self.centre,
            now: self.log_vol,
            spread: self.cfg.vol_of_vol * self.cfg.vol_of_vol,
            speed: core::f64::consts::LN_2 / self.cfg.vol_half_life_s,
            jump_rate: self.cfg.jumps_per_day / 86_400.0,
            jump_var: self.cfg.jump_sd * self.cfg.jump_sd,
        }
    }

    /// Factor from the true price to the oracle's.
    pub(crate) fn oracle_factor(&self) -> f64 {
        1.0 + self.oracle_basis.now
    }
    /// Factor from the true price to the spot venue's.
    pub(crate) fn spot_factor(&self) -> f64 {
        1.0 + self.spot_basis.now
    }
    /// Middle of the perpetual, USD.
    pub(crate) fn perp_mid(&self) -> f64 {
        self.price * (1.0 + self.perp.now)
    }
    /// The oracle's value now, at scale 1e-8.
    pub(crate) fn oracle_value(&self) -> i64 {
        round(self.price * self.oracle_factor() * 1e8)
    }
    /// The spot venue's middle in cents, as a float.
    pub(crate) fn spot_cents(&self) -> f64 {
        self.price * self.spot_factor() * 100.0
    }
    /// The true price in cents.
    pub(crate) fn index_cents(&self) -> i64 {
        round(self.price * 100.0)
    }
    /// The true price in whole dollars, for choosing strikes.
    pub(crate) fn dollars(&self) -> f64 {
        float(round(self.price))
    }
}
