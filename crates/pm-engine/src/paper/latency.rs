//! Sampled latency: a counter-based hash of (seed, intent) looked up in a quantile table. Not a random stream, so that one order more or
//! less does not shift the latency of every later one.

use pm_core::num::{Round, mul_div};
use pm_core::time::Dur;

/// A table of quantiles and the seed to sample it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    seed: u64,
    quantiles: Vec<Dur>,
}

impl Latency {
    /// From quantiles in ascending order, equal steps of probability from 0 to 1. An empty table means no latency.
    #[must_use]
    pub fn new(seed: u64, quantiles: Vec<Dur>) -> Self {
        Self { seed, quantiles }
    }

    /// Replaces the table by a measured one.
    pub fn set(&mut self, quantiles: &[Dur]) {
        self.quantiles.clear();
        self.quantiles.extend_from_slice(quantiles);
    }

    /// Latency of a counter, interpolated between quantiles.
    #[must_use]
    pub fn sample(&self, counter: u64) -> Dur {
        let Some(steps) = self.quantiles.len().checked_sub(1) else { return Dur::ZERO };
        let Ok(steps) = i64::try_from(steps) else { return Dur::ZERO };
        // 31 uniform bits.
        let u = i64::from(u32::try_from(mix(self.seed, counter) >> 33).unwrap_or(0));
        let whole = 1_i64 << 31;
        let position = u * steps;
        let (index, part) = (position / whole, position % whole);
        let at = |i: i64| usize::try_from(i).ok().and_then(|i| self.quantiles.get(i)).copied();
        let (Some(lo), hi) = (at(index), at(index + 1)) else { return Dur::ZERO };
        let hi = hi.unwrap_or(lo);
        let rise = mul_div(hi.nanos() - lo.nanos(), part, whole, Round::Down).unwrap_or(0);
        Dur::from_nanos(lo.nanos() + rise)
    }
}

/// `SplitMix64` over seed and counter: 64 well-mixed bits.
pub(crate) const fn mix(seed: u64, counter: u64) -> u64 {
    let mut z = seed ^ counter.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Latency {
        Latency::new(7, [10, 20, 40, 100].into_iter().map(Dur::from_millis).collect())
    }

    #[test]
    fn samples_lie_in_the_table_and_follow_its_quantiles() {
        let mut samples: Vec<i64> = (0..10_000).map(|i| table().sample(i).nanos()).collect();
        samples.sort_unstable();
        assert!(samples[0] >= 10_000_000 && samples[9_999] <= 100_000_000);
        // The quantile at one third is 20 ms, at two thirds 40 ms.
        assert!((samples[3_333] - 20_000_000).abs() < 600_000, "{}", samples[3_333]);
        assert!((samples[6_666] - 40_000_000).abs() < 2_000_000, "{}", samples[6_666]);
    }

    #[test]
    fn a_sample_depends_on_its_counter_alone() {
        assert_eq!(table().sample(42), table().sample(42));
        assert_ne!(table().sample(42), table().sample(43));
        assert_eq!(Latency::new(1, Vec::new()).sample(1), Dur::ZERO);
    }
}
