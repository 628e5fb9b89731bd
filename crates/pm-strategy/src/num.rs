//! Integers to floats and back without `as`. A float never becomes money by accident: every way out names its rounding.

use pm_core::num::{Round, SCALE};
use pm_core::units::{Px, Qty, Ratio, Usd};

/// 1e8, the engine's scale, as a float.
pub const SCALE_F: f64 = 100_000_000.0;
const _: () = assert!(SCALE == 100_000_000, "SCALE_F must follow the engine's scale");

/// The nearest float of an integer: one correct rounding, exact below 2^53.
#[inline]
#[must_use]
pub fn f64_of(v: i64) -> f64 {
    // The halves are exact in a float; only their sum is rounded, once.
    let high = i32::try_from(v >> 32).unwrap_or(0);
    let low = u32::try_from(v & 0xffff_ffff).unwrap_or(0);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// The nearest float of a wide integer that fits 64 bits times 2^32 or so; one or two roundings.
#[inline]
#[must_use]
pub(crate) fn f64_of_wide(v: i128) -> f64 {
    match i64::try_from(v) {
        Ok(v) => f64_of(v),
        Err(_) => {
            let high = i64::try_from(v >> 32).unwrap_or(if v < 0 { i64::MIN } else { i64::MAX });
            f64_of(high) * 4_294_967_296.0
        }
    }
}

/// Cuts a float towards zero. `None` for not-a-number and for magnitudes of 2^63 and more.
#[inline]
#[must_use]
pub fn i64_of(v: f64) -> Option<i64> {
    let bits = v.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    if exponent < 1_023 {
        return Some(0);
    }
    if exponent >= 1_023 + 63 {
        return None;
    }
    let mantissa = (bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000;
    let magnitude = if exponent >= 1_075 { mantissa << (exponent - 1_075) } else { mantissa >> (1_075 - exponent) };
    let magnitude = i64::try_from(magnitude).ok()?;
    Some(if v < 0.0 { -magnitude } else { magnitude })
}

/// A float in whole units as an integer at scale 1e-8, rounded as asked; `None` when it is not a number or too large.
#[inline]
#[must_use]
pub fn scaled(v: f64, round: Round) -> Option<i64> {
    let v = v * SCALE_F;
    i64_of(match round {
        Round::Down => v.floor(),
        Round::Up => v.ceil(),
    })
}

/// Price as a float.
#[inline]
#[must_use]
pub fn px(v: Px) -> f64 {
    f64_of(v.raw()) / SCALE_F
}

/// Ratio as a float.
#[inline]
#[must_use]
pub fn ratio(v: Ratio) -> f64 {
    f64_of(v.raw()) / SCALE_F
}

/// Quantity as a float.
#[inline]
#[must_use]
pub fn qty(v: Qty) -> f64 {
    f64_of(v.raw()) / SCALE_F
}

/// Money as a float, for the arithmetic of probabilities.
#[inline]
#[must_use]
pub(crate) fn usd(v: Usd) -> f64 {
    f64_of(v.raw()) / SCALE_F
}

/// Nanoseconds as seconds.
#[inline]
#[must_use]
pub(crate) fn secs(d: pm_core::time::Dur) -> f64 {
    f64_of(d.nanos()) * 1e-9
}

/// Standard normal distribution function. Good to about 1e-16 absolute (libm's `erfc`, the same bits on every machine).
#[inline]
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal density.
#[inline]
#[must_use]
pub fn normal_pdf(x: f64) -> f64 {
    const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
    INV_SQRT_2PI * libm::exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        assert_eq!(f64_of(-1).to_bits(), (-1.0_f64).to_bits());
        assert_eq!(i64_of(-7.9), Some(-7));
        assert_eq!(i64_of(f64::NAN), None);
        assert_eq!(i64_of(f64::INFINITY), None);
        assert_eq!(i64_of(9.3e18), None);
        assert_eq!(scaled(0.5, Round::Down), Some(50_000_000));
        assert_eq!(scaled(-0.000_000_015, Round::Down), Some(-2));
        assert_eq!(scaled(-0.000_000_015, Round::Up), Some(-1));
        // Tables of the normal distribution.
        assert!((normal_cdf(0.0) - 0.5).abs() < 1e-16);
        assert!((normal_cdf(1.0) - 0.841_344_746_068_542_9).abs() < 1e-14);
        assert!((normal_cdf(-1.959_963_984_540_054) - 0.025).abs() < 1e-14);
        assert!((normal_pdf(0.0) - 0.398_942_280_401_432_7).abs() < 1e-16);
    }

    proptest! {
        #[test]
        fn integers_below_2_pow_53_survive(v in -9_007_199_254_740_992_i64..=9_007_199_254_740_992) {
            prop_assert_eq!(i64_of(f64_of(v)), Some(v));
        }

        #[test]
        fn any_float_converts_or_says_no(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            if let Some(i) = i64_of(v) {
                prop_assert!((f64_of(i) - v.trunc()).abs() <= v.abs() * 1e-15);
            } else {
                prop_assert!(v.is_nan() || v.abs() >= 9.2e18);
            }
        }
    }
}
