//! Random draws. Every part of the market has its own stream of one seed: what the makers do never changes what the underlying does, so
//! runs with other makers have the same prices and the same outcomes.

use libm::{log, sqrt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One stream.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Dice {
    /// Stream `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng, spare: None }
    }

    /// Uniform in `[0, 1)`.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from_bits((0x3ff_u64 << 52) | (self.rng.next_u64() >> 12)) - 1.0
    }

    /// True with probability `p`.
    #[inline]
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in `[lo, hi)`.
    #[inline]
    pub(crate) fn between(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.unit()
    }

    /// Uniform in `lo..=hi`.
    #[inline]
    pub(crate) fn int(&mut self, lo: i64, hi: i64) -> i64 {
        let span = u64::try_from(hi.saturating_sub(lo)).unwrap_or_default().saturating_add(1);
        // Multiply and take the high half: the bias is below 2^-32 for the spans used here.
        let pick = (u128::from(self.rng.next_u64()) * u128::from(span)) >> 64;
        lo + i64::try_from(pick).unwrap_or_default()
    }

    /// Standard normal, by the polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        loop {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = sqrt(-2.0 * log(s) / s);
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -log(1.0 - self.unit())
    }

    /// How many events of a stream with `expected` of them per step happen in this step: the whole part for sure, the rest by chance.
    pub(crate) fn count(&mut self, expected: f64) -> i64 {
        let whole = crate::num::down(expected);
        whole + i64::from(self.chance(expected - crate::num::float(whole)))
    }
}

/// One step of the splitmix64 sequence: cheap bits for what only has to look like a hash.
pub(crate) const fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_laws() {
        let mut d = Dice::new(1, 0);
        let n = 100_000;
        let (mut sum, mut square, mut exponential) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = d.normal();
            sum += z;
            square += z * z;
            exponential += d.exponential();
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.02 && (square / n - 1.0).abs() < 0.02 && (exponential / n - 1.0).abs() < 0.02);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, stream| Dice::new(seed, stream).int(0, i64::MAX);
        assert_eq!(first(7, 1), first(7, 1));
        assert_ne!(first(7, 1), first(7, 2));
        assert_ne!(first(7, 1), first(8, 1));
    }
}
