//! "Does this price lie on the tick?" for every level of every book update. A 64-bit division per level would cost as much as the rest of
//! the decoding, so divisibility is tested by one multiplication with the tick's inverse modulo 2^64.

use pm_core::units::Px;

/// A price grid, prepared for many tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    tick: Px,
    /// Inverse of the tick's odd part modulo 2^64.
    inverse: u64,
    /// Power of two in the tick.
    shift: u32,
    /// Largest quotient.
    limit: u64,
}

impl Grid {
    /// A grid of `tick`; `None` for a tick of zero or less.
    #[must_use]
    pub fn new(tick: Px) -> Option<Self> {
        let raw = u64::try_from(tick.raw()).ok().filter(|t| *t > 0)?;
        let shift = raw.trailing_zeros();
        let odd = raw >> shift;
        // Newton's iteration doubles the right bits of the inverse; an odd number is its own inverse to 3 bits.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Some(Self { tick, inverse, shift, limit: u64::MAX / raw })
    }

    /// The tick.
    #[must_use]
    pub const fn tick(&self) -> Px {
        self.tick
    }

    /// True when `px` is a multiple of the tick. Prices below zero are not.
    #[inline]
    #[must_use]
    pub fn holds(&self, px: Px) -> bool {
        u64::try_from(px.raw()).is_ok_and(|raw| raw.wrapping_mul(self.inverse).rotate_right(self.shift) <= self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_of_the_venue() {
        let grid = Grid::new("0.1".parse().unwrap()).unwrap();
        assert!(grid.holds("65114.2".parse().unwrap()));
        assert!(!grid.holds("65114.25".parse().unwrap()));
        assert!(!grid.holds("-0.1".parse().unwrap()));
        assert!(Grid::new(Px::ZERO).is_none() && Grid::new(Px::from_raw(-1)).is_none());
    }

    proptest! {
        #[test]
        fn agrees_with_division(raw in 0..i64::MAX, tick in 1..10_000_000_000_i64, k in 0..1_000_000_000_i64) {
            let grid = Grid::new(Px::from_raw(tick)).unwrap();
            prop_assert_eq!(grid.holds(Px::from_raw(raw)), raw % tick == 0);
            let multiple = tick.saturating_mul(k);
            prop_assert_eq!(grid.holds(Px::from_raw(multiple)), multiple % tick == 0);
        }
    }
}
