//! Noise-robust realised volatility. Quotes jitter: on a one-second grid the jitter would be taken for volatility, on a slow grid too
//! little data is left. The two-scale estimator uses both: with `A` the mean square of overlapping K-second returns and `B` of one-second
//! returns, independent noise adds the same amount to either, so `(A - B) / (K - 1)` is the variance per second without it.
//! Averages are exponential, and their effective length gives the error of the estimate.
//!
//! What the last half hour showed says less the further one looks: volatility reverts. Over a horizon the logarithm of variance is drawn
//! towards its slow average, by as much as a deviation that dies away with [`REVERSION_S`] has died away on average over that horizon.

use pm_core::time::{Dur, Ts};

use crate::config::ModelConfig;
use crate::num;
use crate::ring::second_of;

const MAX_K: usize = 60;
/// Seconds of a year of 365 days.
pub(crate) const YEAR_S: f64 = 31_536_000.0;

/// Time constant with which a deviation of volatility dies away, seconds.
pub(crate) const REVERSION_S: f64 = 21_600.0;
/// Half-life of the slow average, seconds.
const CALM_HALF_LIFE_S: f64 = 43_200.0;

/// Weight of the slow average over the next `tau` seconds: `1 - (1 - e^-x) / x` with x in time constants.
fn reverted(tau: f64) -> f64 {
    let x = tau / REVERSION_S;
    if x > 1e-6 { 1.0 - (1.0 - libm::exp(-x)) / x } else { 0.0 }
}

/// Weighted mean of squares with its effective sample count.
#[derive(Debug, Clone, Copy, Default)]
struct Ewma {
    sum: f64,
    weight: f64,
    weight_sq: f64,
}

impl Ewma {
    fn push(&mut self, v: f64, decay: f64) {
        self.sum = self.sum * decay + v;
        self.weight = self.weight * decay + 1.0;
        self.weight_sq = self.weight_sq * decay * decay + 1.0;
    }
    fn mean(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
    fn effective(&self) -> f64 {
        if self.weight_sq > 0.0 { self.weight * self.weight / self.weight_sq } else { 0.0 }
    }
}

/// Volatility of one price series.
#[derive(Debug, Clone)]
pub(crate) struct Vol {
    k: usize,
    decay: f64,
    floor: f64,
    cap: f64,
    min_samples: u32,
    max_gap: Dur,
    logs: [f64; MAX_K],
    at: usize,
    chain: usize,
    /// Newest value, the second it belongs to, and its stamp.
    last: Option<(f64, i64, Ts)>,
    slow: Ewma,
    fast: Ewma,
    samples: u32,
    estimate: Option<Sigma>,
    /// Slow average of the logarithm of variance.
    calm: Ewma,
    calm_decay: f64,
}

/// Volatility per square root of a second, as a fraction of price, and its relative sampling error (one standard deviation).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sigma {
    pub(crate) per_sqrt_s: f64,
    pub(crate) rel_error: f64,
}

impl Vol {
    pub(crate) fn new(cfg: &ModelConfig) -> Self {
        let k = usize::try_from(cfg.vol_sample_s).unwrap_or(MAX_K).clamp(2, MAX_K);
        let per_sqrt_s = |annual| num::ratio(annual) / YEAR_S.sqrt();
        Self {
            k,
            decay: libm::exp2(-1.0 / f64::from(cfg.vol_half_life_s.max(1))),
            floor: per_sqrt_s(cfg.vol_floor_annual),
            cap: per_sqrt_s(cfg.vol_cap_annual),
            min_samples: cfg.min_vol_samples,
            max_gap: Dur::from_secs(i64::from(cfg.max_gap_s)),
            logs: [0.0; MAX_K],
            at: 0,
            chain: 0,
            last: None,
            slow: Ewma::default(),
            fast: Ewma::default(),
            samples: 0,
            estimate: None,
            calm: Ewma::default(),
            calm_decay: libm::exp2(-1.0 / CALM_HALF_LIFE_S),
        }
    }

    /// Takes a price. Work happens once a second: the last price of each second is a grid value.
    #[inline]
    pub(crate) fn push(&mut self, price: f64, at: Ts) {
        let second = second_of(at);
        match self.last {
            Some((_, _, newest)) if at < newest => return,
            Some((_, before, newest)) if second > before => {
                if at.since(newest) > self.max_gap {
                    self.chain = 0;
                } else {
                    self.close_seconds(before, second);
                }
            }
            _ => {}
        }
        self.last = Some((price, second, at));
    }

    /// Puts the last price on the grid for each second that has ended. At most `max_gap` seconds.
    fn close_seconds(&mut self, from: i64, to: i64) {
        let Some((price, ..)) = self.last else { return };
        if price <= 0.0 {
            return;
        }
        let log = libm::log(price);
        for _ in from..to {
            self.grid(log);
        }
        self.refresh();
    }

    fn grid(&mut self, log: f64) {
        if self.chain >= 1 {
            let before = self.logs.get((self.at + self.k - 1) % self.k).copied().unwrap_or(log);
            let r = log - before;
            self.fast.push(r * r, self.decay);
        }
        if self.chain >= self.k {
            let r = log - self.logs.get(self.at).copied().unwrap_or(log);
            self.slow.push(r * r, self.decay);
            self.samples = self.samples.saturating_add(1);
        }
        if let Some(slot) = self.logs.get_mut(self.at) {
            *slot = log;
        }
        self.at = (self.at + 1) % self.k;
        self.chain = self.chain.saturating_add(1);
    }

    fn refresh(&mut self) {
        if self.samples < self.min_samples.max(1) {
            return;
        }
        let k = num::f64_of(i64::try_from(self.k).unwrap_or(1));
        let (slow, fast) = (self.slow.mean(), self.fast.mean());
        // Positive autocorrelation would make the noise negative: then the slow grid alone is the estimate.
        let variance = ((slow - fast) / (k - 1.0)).clamp(0.0, slow / k);
        // Overlapping returns: the independent ones are one in k.
        let independent = (self.slow.effective() / k).max(1.0);
        let per_sqrt_s = variance.sqrt().clamp(self.floor, self.cap.max(self.floor));
        let log_var = 2.0 * libm::log(per_sqrt_s.max(1e-12));
        self.calm.push(log_var, self.calm_decay);
        self.estimate = Some(Sigma { per_sqrt_s, rel_error: (0.5 / independent).sqrt().min(0.9) });
    }

    /// The estimate for the next `tau` seconds; `None` while warming up.
    pub(crate) fn over(&self, tau: f64) -> Option<Sigma> {
        let now = self.estimate?;
        let weight = reverted(tau);
        let log_var = 2.0 * libm::log(now.per_sqrt_s.max(1e-12)) * (1.0 - weight) + self.calm.mean() * weight;
        Some(Sigma { per_sqrt_s: libm::exp(0.5 * log_var).clamp(self.floor, self.cap.max(self.floor)), ..now })
    }

    /// The estimate for now; `None` while warming up.
    #[inline]
    pub(crate) const fn sigma(&self) -> Option<Sigma> {
        self.estimate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Normal;

    fn run(noise_bps: f64, seconds: i64) -> f64 {
        let cfg = ModelConfig { vol_half_life_s: 3_600, ..ModelConfig::default() };
        let mut vol = Vol::new(&cfg);
        let mut normal = Normal::seeded(7);
        let (mut log, sigma_s) = (libm::log(80_000.0), 0.5 / YEAR_S.sqrt());
        for i in 0..seconds * 4 {
            log += sigma_s * 0.5 * normal.draw();
            let seen = log + noise_bps * 1e-4 * normal.draw();
            vol.push(libm::exp(seen), Ts::from_millis(1_700_000_000_000 + i * 250));
        }
        vol.sigma().unwrap().per_sqrt_s * YEAR_S.sqrt()
    }

    #[test]
    fn finds_fifty_percent_with_and_without_quote_noise() {
        assert!((run(0.0, 20_000) - 0.5).abs() < 0.04, "{}", run(0.0, 20_000));
        // 0.5 bp of jitter: the plain one-second estimator would see sqrt(0.5^2 + 2 * 0.00005^2 * 31536000) = 0.64.
        assert!((run(0.5, 20_000) - 0.5).abs() < 0.05, "{}", run(0.5, 20_000));
    }

    #[test]
    fn a_far_horizon_looks_back_further_than_a_near_one() {
        // Weight at one time constant: 1 - (1 - e^-1) / 1 = e^-1; at 300 s about half of 300 / 21,600.
        assert!((reverted(REVERSION_S) - 0.367_879).abs() < 1e-6);
        assert!((reverted(300.0) - 0.006_9).abs() < 1e-4);
        assert!(reverted(0.0).abs() < 1e-12);
        // 40 % now, and 80 % in the slow average (variance four times as large): over 6 h 40 * 4^(0.3679 / 2) = 40 * 1.2904 = 51.6 %.
        let mut vol = Vol::new(&ModelConfig::default());
        let per_s = |annual: f64| annual / YEAR_S.sqrt();
        vol.estimate = Some(Sigma { per_sqrt_s: per_s(0.4), rel_error: 0.1 });
        vol.calm.push(2.0 * libm::log(per_s(0.8)), vol.calm_decay);
        let at = |tau| vol.over(tau).unwrap().per_sqrt_s * YEAR_S.sqrt();
        assert!((at(REVERSION_S) - 0.516_2).abs() < 1e-4, "{}", at(REVERSION_S));
        assert!((at(300.0) - 0.4).abs() < 0.002 && at(864_000.0) > 0.78, "{} {}", at(300.0), at(864_000.0));
    }

    #[test]
    fn warms_up_and_stays_within_floor_and_cap() {
        let mut vol = Vol::new(&ModelConfig::default());
        for s in 0..130 {
            assert_eq!(vol.sigma(), None, "second {s}");
            vol.push(80_000.0, Ts::from_secs(1_700_000_000 + s));
        }
        for s in 130..300 {
            vol.push(80_000.0, Ts::from_secs(1_700_000_000 + s));
        }
        let floor = vol.sigma().unwrap().per_sqrt_s * YEAR_S.sqrt();
        assert!((floor - 0.1).abs() < 1e-9, "a price that never moves has the floor, not zero");
    }

    #[test]
    fn a_silence_breaks_the_chain_instead_of_counting_as_a_jump() {
        let mut vol = Vol::new(&ModelConfig::default());
        for s in 0..300 {
            vol.push(80_000.0, Ts::from_secs(1_700_000_000 + s));
        }
        for s in 0..300 {
            vol.push(88_000.0, Ts::from_secs(1_700_001_000 + s));
        }
        let sigma = vol.sigma().unwrap().per_sqrt_s * YEAR_S.sqrt();
        assert!((sigma - 0.1).abs() < 1e-9, "{sigma}");
    }
}
