//! Checked steps between integers and floats. The market model is in floats; everything that goes on the wire is an integer by then, so
//! that no frame ever depends on how a float prints.

use libm::{erfc, exp, floor};

/// Two to the 32nd.
const HALF: f64 = 4_294_967_296.0;

/// The nearest float. Exact below 2^53.
pub(crate) fn float(v: i64) -> f64 {
    let high = i32::try_from(v >> 32).unwrap_or_default();
    let low = u32::try_from(v & 0xffff_ffff).unwrap_or_default();
    f64::from(high) * HALF + f64::from(low)
}

/// The nearest integer, halves up, exact below 2^51. Saturates; "not a number" is 0.
pub(crate) fn round(x: f64) -> i64 {
    whole(floor(x + 0.5))
}

/// The largest integer not above `x`. Saturates; "not a number" is 0.
pub(crate) fn down(x: f64) -> i64 {
    whole(floor(x))
}

/// The smallest integer not below `x`. Saturates; "not a number" is 0.
pub(crate) fn up(x: f64) -> i64 {
    -whole(floor(-x))
}

/// The integer that a float without fraction stands for, read from its bits.
fn whole(x: f64) -> i64 {
    const ONE: u64 = 1 << 52;
    let bits = x.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let mantissa = (bits & (ONE - 1)) | ONE;
    let magnitude = match exponent {
        0x7ff if bits & (ONE - 1) != 0 => 0,
        0..1023 => 0,
        1023..1075 => mantissa >> (1075 - exponent),
        1075..1086 => mantissa << (exponent - 1075),
        _ => u64::MAX,
    };
    let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
    if bits >> 63 == 1 { -magnitude } else { magnitude }
}

/// Standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * core::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal density.
pub(crate) fn normal_pdf(x: f64) -> f64 {
    0.398_942_280_401_432_7 * exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_as_named() {
        assert_eq!((round(2.5), round(-2.5), round(-0.4)), (3, -2, 0));
        assert_eq!((down(-0.1), up(-0.1), up(0.1), down(7.0)), (-1, 0, 1, 7));
        assert_eq!((round(f64::NAN), round(1e300), round(f64::NEG_INFINITY)), (0, i64::MAX, -i64::MAX));
    }

    #[test]
    fn normal_law_at_known_points() {
        assert!((normal_cdf(0.0) - 0.5).abs() < 1e-15);
        assert!((normal_cdf(1.96) - 0.975_002_104_851_78).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn exact_both_ways_below_two_to_the_51st(v in -(1_i64 << 51)..(1_i64 << 51)) {
            prop_assert_eq!(round(float(v)), v);
            prop_assert_eq!(down(float(v)), v);
            prop_assert_eq!(up(float(v)), v);
        }
    }
}
