//! Decimal text to fixed point, exactly. Venues send numbers as text with at most a handful of digits, sometimes with an
//! exponent (`1.3e+06`), sometimes empty (`""` = not applicable); all of it becomes an integer at one scale, or an error.

/// Decimal places of the one fixed-point scale used in the engine.
pub const SCALE_DIGITS: u32 = 8;
/// One unit at the engine's scale: 1e8.
pub const SCALE: i64 = 100_000_000;
/// Largest magnitude that a parsed value may have, at scale (10 billion units). Sums of values far below `i64::MAX` stay exact.
pub const LIMIT: i64 = 10_000_000_000 * SCALE;

/// Why a decimal text is not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NumError {
    /// The text is empty: the venue says "not applicable".
    #[error("empty number")]
    Empty,
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Invalid,
    /// More decimal places than the scale holds; nothing is rounded in silence.
    #[error("more than 8 decimal places")]
    TooPrecise,
    /// Outside of ±10 billion.
    #[error("number out of range")]
    OutOfRange,
}

/// What to do with digits beyond the eighth decimal place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Refuse the text (prices, sizes, money).
    Refuse,
    /// Cut the digits towards zero (oracle values with 18 digits).
    Truncate,
}

/// Parses a decimal text to an integer at scale 1e8. Non-zero digits past the scale are refused.
///
/// # Errors
/// See [`NumError`].
#[inline]
pub fn parse_fixed(text: &[u8]) -> Result<i64, NumError> {
    parse_fixed_with(text, Excess::Refuse)
}

/// As [`parse_fixed`], with the treatment of excess digits chosen by the caller.
///
/// # Errors
/// See [`NumError`].
#[inline]
pub fn parse_fixed_with(text: &[u8], excess: Excess) -> Result<i64, NumError> {
    let (negative, digits) = match text {
        [] => return Err(NumError::Empty),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut value: i64 = 0;
    let mut seen = 0_usize;
    let mut fraction: Option<u32> = None;
    let mut lost = false;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                seen += 1;
                match fraction {
                    Some(SCALE_DIGITS) => {
                        lost |= *byte != b'0';
                        continue;
                    }
                    Some(ref mut places) => *places += 1,
                    None => {}
                }
                if value > LIMIT / 10 {
                    return Err(NumError::OutOfRange);
                }
                value = value * 10 + i64::from(*byte - b'0');
            }
            b'.' if fraction.is_none() => fraction = Some(0),
            b'e' | b'E' if seen > 0 => return parse_exponent(text, negative, digits, at, excess),
            _ => return Err(NumError::Invalid),
        }
    }
    if seen == 0 {
        return Err(NumError::Invalid);
    }
    if lost && excess == Excess::Refuse {
        return Err(NumError::TooPrecise);
    }
    let shift = SCALE_DIGITS - fraction.unwrap_or(0);
    let scaled = value.checked_mul(POW10[usize_of(shift)]).ok_or(NumError::OutOfRange)?;
    if scaled > LIMIT {
        return Err(NumError::OutOfRange);
    }
    Ok(if negative { -scaled } else { scaled })
}

const POW10: [i64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

#[inline]
const fn usize_of(places: u32) -> usize {
    // At most SCALE_DIGITS (8): a match instead of a cast keeps the conversion visibly lossless.
    match places {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 3,
        4 => 4,
        5 => 5,
        6 => 6,
        7 => 7,
        _ => 8,
    }
}

/// The rare exponent form: collect the digits, then place the point.
#[cold]
fn parse_exponent(text: &[u8], negative: bool, digits: &[u8], at: usize, excess: Excess) -> Result<i64, NumError> {
    let _ = text;
    let (mantissa, tail) = digits.split_at(at);
    let exponent: i32 = core::str::from_utf8(tail.get(1..).unwrap_or_default())
        .ok()
        .and_then(|t| t.strip_prefix('+').unwrap_or(t).parse().ok())
        .ok_or(NumError::Invalid)?;
    if exponent.abs() > 40 {
        return Err(NumError::OutOfRange);
    }
    let mut value: i128 = 0;
    let mut places: i32 = 0;
    let mut point = false;
    for byte in mantissa {
        match byte {
            b'.' if !point => point = true,
            b'0'..=b'9' => {
                value =
                    value.checked_mul(10).and_then(|v| v.checked_add(i128::from(*byte - b'0'))).ok_or(NumError::OutOfRange)?;
                places += i32::from(point);
            }
            _ => return Err(NumError::Invalid),
        }
    }
    let mut shift = exponent - places + 8;
    while shift > 0 && value != 0 {
        value = value.checked_mul(10).ok_or(NumError::OutOfRange)?;
        shift -= 1;
    }
    while shift < 0 && value != 0 {
        if value % 10 != 0 && excess == Excess::Refuse {
            return Err(NumError::TooPrecise);
        }
        value /= 10;
        shift += 1;
    }
    let scaled = i64::try_from(value).map_err(|_| NumError::OutOfRange)?;
    if scaled > LIMIT {
        return Err(NumError::OutOfRange);
    }
    Ok(if negative { -scaled } else { scaled })
}

/// Rounding direction of a division. There is no "nearest": money is always rounded for or against somebody on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Towards negative infinity.
    Down,
    /// Towards positive infinity.
    Up,
}

/// `a * b / d` with a 128-bit product, rounded as asked. `None` on overflow or `d == 0`.
#[inline]
#[must_use]
pub fn mul_div(a: i64, b: i64, d: i64, round: Round) -> Option<i64> {
    if d == 0 {
        return None;
    }
    // Most products of a run fit 64 bits, and a 128-bit division costs several times as much.
    if d > 0
        && let Some(product) = a.checked_mul(b)
    {
        let quotient = product.div_euclid(d);
        let up = round == Round::Up && product.rem_euclid(d) != 0;
        return quotient.checked_add(i64::from(up));
    }
    let product = i128::from(a) * i128::from(b);
    let d = i128::from(d);
    let mut quotient = product.div_euclid(d);
    let remainder = product.rem_euclid(d);
    if d > 0 {
        if round == Round::Up && remainder != 0 {
            quotient += 1;
        }
    } else if round == Round::Down && remainder != 0 {
        quotient -= 1;
    }
    i64::try_from(quotient).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_exponent_empty_and_refused_texts() {
        assert_eq!(parse_fixed(b"0.505"), Ok(50_500_000));
        assert_eq!(parse_fixed(b"-12"), Ok(-1_200_000_000));
        assert_eq!(parse_fixed(b"1e+06"), Ok(1_000_000 * SCALE));
        assert_eq!(parse_fixed(b"9e-8"), Ok(9));
        assert_eq!(parse_fixed(b"1.3117285e+06"), Ok(131_172_850_000_000));
        assert_eq!(parse_fixed(b".5"), Ok(50_000_000));
        assert_eq!(parse_fixed(b"0.123456780000"), Ok(12_345_678));
        assert_eq!(parse_fixed(b"0.123456789"), Err(NumError::TooPrecise));
        assert_eq!(parse_fixed_with(b"0.123456789", Excess::Truncate), Ok(12_345_678));
        assert_eq!(parse_fixed(b""), Err(NumError::Empty));
        assert_eq!(parse_fixed(b"."), Err(NumError::Invalid));
        assert_eq!(parse_fixed(b"1.2.3"), Err(NumError::Invalid));
        assert_eq!(parse_fixed(b"NaN"), Err(NumError::Invalid));
        assert_eq!(parse_fixed(b"1e99"), Err(NumError::OutOfRange));
        assert_eq!(parse_fixed(b"99999999999"), Err(NumError::OutOfRange));
        assert_eq!(parse_fixed(b"99999999999999999999999999"), Err(NumError::OutOfRange));
    }

    #[test]
    fn mul_div_rounds_as_asked_for_either_sign() {
        assert_eq!(mul_div(7, 1, 2, Round::Down), Some(3));
        assert_eq!(mul_div(7, 1, 2, Round::Up), Some(4));
        assert_eq!(mul_div(-7, 1, 2, Round::Down), Some(-4));
        assert_eq!(mul_div(-7, 1, 2, Round::Up), Some(-3));
        assert_eq!(mul_div(7, 1, -2, Round::Down), Some(-4));
        assert_eq!(mul_div(7, 1, -2, Round::Up), Some(-3));
        assert_eq!(mul_div(i64::MAX, i64::MAX, 1, Round::Down), None);
    }

    proptest::proptest! {
        /// The short path for 64-bit products gives what 128 bits give.
        #[test]
        fn mul_div_equals_wide_arithmetic(a in proptest::prelude::any::<i64>(), b in -5_000_000_000_i64..5_000_000_000, d in 1..i64::MAX) {
            let product = i128::from(a) * i128::from(b);
            let down = product.div_euclid(i128::from(d));
            let up = down + i128::from(product.rem_euclid(i128::from(d)) != 0);
            proptest::prop_assert_eq!(mul_div(a, b, d, Round::Down), i64::try_from(down).ok());
            proptest::prop_assert_eq!(mul_div(a, b, d, Round::Up), i64::try_from(up).ok());
        }
    }
}
