//! Seeded normal draws for tests.

/// Box-Muller over splitmix64.
#[derive(Debug)]
pub(crate) struct Normal(u64);

impl Normal {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (crate::num::f64_of(i64::try_from(z >> 11).unwrap()) + 0.5) / 9_007_199_254_740_992.0
    }
    pub(crate) fn draw(&mut self) -> f64 {
        (-2.0 * libm::log(self.uniform())).sqrt() * libm::cos(core::f64::consts::TAU * self.uniform())
    }
}
