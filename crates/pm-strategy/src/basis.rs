//! Basis between the hedge venue's mid and the settlement source, as a fraction of price: level and variance by exponential averages.

use crate::config::ModelConfig;
use crate::num;

/// Basis of one source.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    half_life: f64,
    floor_var: f64,
    min_samples: u32,
    level: f64,
    var: f64,
    weight: f64,
    samples: u32,
    last: i64,
}

impl Basis {
    pub(crate) fn new(cfg: &ModelConfig) -> Self {
        let floor = num::ratio(cfg.basis_floor);
        Self {
            half_life: f64::from(cfg.basis_half_life_s.max(1)),
            floor_var: floor * floor,
            min_samples: cfg.min_basis_samples.max(1),
            level: 0.0,
            var: 0.0,
            weight: 0.0,
            samples: 0,
            last: i64::MIN,
        }
    }

    /// Takes a pair of the same instant; one per second counts.
    pub(crate) fn push(&mut self, second: i64, mid: f64, source: f64) {
        if second <= self.last || mid <= 0.0 {
            return;
        }
        let gap = num::f64_of(second.saturating_sub(self.last));
        if self.samples == 0 || gap > self.half_life.max(60.0) {
            // After a long silence the old level says nothing and its variance would be forgotten with it: warm up again.
            (self.level, self.var, self.weight, self.samples) = (1.0 - source / mid, 0.0, 1.0, 1);
        } else {
            self.weight = self.weight * libm::exp2(-gap / self.half_life) + 1.0;
            let gain = 1.0 / self.weight;
            let deviation = 1.0 - source / mid - self.level;
            self.level += gain * deviation;
            self.var = (1.0 - gain) * (self.var + gain * deviation * deviation);
            self.samples = self.samples.saturating_add(1);
        }
        self.last = second;
    }

    /// (level, variance of an estimate made with it), as fractions of price; `None` while warming up.
    #[inline]
    pub(crate) fn estimate(&self) -> Option<(f64, f64)> {
        (self.samples >= self.min_samples).then(|| (self.level, (self.var * (1.0 + 1.0 / self.weight)).max(self.floor_var)))
    }
    /// Smallest variance that is believed, as a fraction of price squared.
    pub(crate) const fn floor_var(&self) -> f64 {
        self.floor_var
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Normal;

    #[test]
    fn finds_level_and_spread() {
        let mut b = Basis::new(&ModelConfig { basis_half_life_s: 600, ..ModelConfig::default() });
        let mut n = Normal::seeded(3);
        for s in 0..5_000 {
            assert_eq!(b.estimate().is_some(), s >= 20, "{s}");
            let mid = 80_000.0;
            b.push(s, mid, mid * (1.0 - 0.0004 + 0.0001 * n.draw()));
        }
        let (level, var) = b.estimate().unwrap();
        assert!((level - 0.0004).abs() < 0.00002, "{level}");
        assert!((var.sqrt() - 0.0001).abs() < 0.00001, "{var}");
        b.push(9_000, 80_000.0, 80_000.0);
        assert!(b.estimate().is_none(), "a long silence warms up again");
    }
}
