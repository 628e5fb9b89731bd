//! Prices, quantities and money as integers at one scale (1e-8). Three types so that a price cannot be added to an amount; one macro
//! so that they behave alike. Operators saturate instead of wrapping: every value that enters is bounded by [`crate::num::LIMIT`], so
//! they never get there in a run; ledger postings use the checked forms.

use core::fmt;
use core::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::num::{self, NumError, Round, SCALE};

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// One whole unit.
            pub const ONE: Self = Self(SCALE);
            /// The largest value; stands for "no limit".
            pub const MAX: Self = Self(i64::MAX);

            /// From the integer at scale 1e-8.
            #[inline]
            #[must_use]
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }
            /// The integer at scale 1e-8.
            #[inline]
            #[must_use]
            pub const fn raw(self) -> i64 {
                self.0
            }
            /// From whole units.
            #[inline]
            #[must_use]
            pub const fn whole(units: i32) -> Self {
                // i32 * 1e8 fits i64 always.
                Self(widen(units) * SCALE)
            }
            /// Parses decimal text exactly.
            ///
            /// # Errors
            /// See [`NumError`].
            #[inline]
            pub fn parse(text: &[u8]) -> Result<Self, NumError> {
                num::parse_fixed(text).map(Self)
            }
            /// Exact sum, or `None` on overflow.
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(v) => Some(Self(v)),
                    None => None,
                }
            }
            /// Exact difference, or `None` on overflow.
            #[must_use]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(v) => Some(Self(v)),
                    None => None,
                }
            }
            /// Absolute value.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }
            /// True for values above zero.
            #[inline]
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }
            /// True for values below zero.
            #[inline]
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }
            /// True for zero.
            #[inline]
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
            /// The largest multiple of `step` not above `self` (towards negative infinity). A step of zero or less changes nothing.
            #[must_use]
            pub const fn floor_to(self, step: Self) -> Self {
                if step.0 <= 0 {
                    return self;
                }
                Self(self.0.saturating_sub(self.0.rem_euclid(step.0)))
            }
            /// The smallest multiple of `step` not below `self`.
            #[must_use]
            pub const fn ceil_to(self, step: Self) -> Self {
                let floor = self.floor_to(step);
                if floor.0 == self.0 { self } else { Self(floor.0.saturating_add(step.0)) }
            }
            /// True when `self` lies on the grid of `step`.
            #[must_use]
            pub const fn is_multiple_of(self, step: Self) -> bool {
                step.0 > 0 && self.0.rem_euclid(step.0) == 0
            }
            /// `self * ratio`, rounded as asked; saturates on overflow.
            #[must_use]
            pub fn scale_by(self, ratio: Ratio, round: Round) -> Self {
                Self(num::mul_div(self.0, ratio.0, SCALE, round).unwrap_or(if (self.0 < 0) == (ratio.0 < 0) { i64::MAX } else { i64::MIN }))
            }
            /// The exact decimal value (for config, database, reports).
            #[must_use]
            pub fn to_decimal(self) -> Decimal {
                Decimal::from_i128_with_scale(i128::from(self.0), num::SCALE_DIGITS).normalize()
            }
            /// From a decimal value of at most 8 places.
            ///
            /// # Errors
            /// [`NumError::TooPrecise`] or [`NumError::OutOfRange`].
            pub fn from_decimal(value: Decimal) -> Result<Self, NumError> {
                let scaled = value.checked_mul(Decimal::from(SCALE)).ok_or(NumError::OutOfRange)?;
                if !scaled.fract().is_zero() {
                    return Err(NumError::TooPrecise);
                }
                let raw = i64::try_from(scaled.trunc()).map_err(|_| NumError::OutOfRange)?;
                if raw.saturating_abs() > num::LIMIT { Err(NumError::OutOfRange) } else { Ok(Self(raw)) }
            }
        }

        impl core::ops::Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl core::ops::Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
        impl core::ops::Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self {
                Self(self.0.saturating_neg())
            }
        }
        impl core::ops::AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl core::ops::SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl core::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, |a, b| a + b)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_fixed(self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl FromStr for $name {
            type Err = NumError;
            fn from_str(text: &str) -> Result<Self, NumError> {
                Self::parse(text.as_bytes())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() { d.deserialize_any(FixedVisitor).map(Self) } else { i64::deserialize(d).map(Self) }
            }
        }
    };
}

/// Text, or a whole number; a JSON or TOML float is refused because its digits are no longer what somebody wrote.
struct FixedVisitor;

impl serde::de::Visitor<'_> for FixedVisitor {
    type Value = i64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number written as text, such as \"0.02\"")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
        num::parse_fixed(text.as_bytes()).map_err(E::custom)
    }
    fn visit_i64<E: serde::de::Error>(self, whole: i64) -> Result<i64, E> {
        whole.checked_mul(SCALE).filter(|v| v.saturating_abs() <= num::LIMIT).ok_or_else(|| E::custom(NumError::OutOfRange))
    }
    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<i64, E> {
        i64::try_from(whole).map_err(E::custom).and_then(|v| self.visit_i64(v))
    }
}

const fn widen(v: i32) -> i64 {
    // `i64::from` is not const; both branches are exact.
    #[allow(clippy::cast_lossless, reason = "From is not const; i32 to i64 is exact")]
    {
        v as i64
    }
}

fn fmt_fixed(raw: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if raw < 0 { "-" } else { "" };
    let magnitude = raw.unsigned_abs();
    let (whole, mut fraction) = (magnitude / SCALE.unsigned_abs(), magnitude % SCALE.unsigned_abs());
    if fraction == 0 {
        return f.pad(&format!("{sign}{whole}"));
    }
    let mut width = 8;
    while fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    f.pad(&format!("{sign}{whole}.{fraction:0width$}"))
}

fixed! {
    /// A price: probability units (0..1 pUSD a share) or quote currency per base unit. Scale 1e-8.
    Px
}
fixed! {
    /// A quantity: outcome shares, or base units of an instrument. Scale 1e-8.
    Qty
}
fixed! {
    /// Money in the asset's own unit (pUSD, USDT, USDC). Scale 1e-8.
    Usd
}
fixed! {
    /// A dimensionless fraction: rates, Kelly fractions, shares of bankroll. `0.25` = 25 %. Scale 1e-8.
    Ratio
}

impl Px {
    /// `1 - self`: the price of the other outcome of a binary market.
    #[inline]
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(SCALE.saturating_sub(self.0))
    }
    /// True strictly between 0 and 1.
    #[must_use]
    pub const fn is_probability(self) -> bool {
        self.0 > 0 && self.0 < SCALE
    }
}

impl Qty {
    /// Cash value `price * quantity`, rounded as asked; saturates on overflow.
    #[inline]
    #[must_use]
    pub fn at(self, price: Px, round: Round) -> Usd {
        Usd(num::mul_div(self.0, price.0, SCALE, round).unwrap_or(i64::MAX))
    }
}

impl Usd {
    /// How many units this money buys at `price`; zero for a price of zero or less.
    #[must_use]
    pub fn div_px(self, price: Px, round: Round) -> Qty {
        if price.0 <= 0 { Qty::ZERO } else { Qty(num::mul_div(self.0, SCALE, price.0, round).unwrap_or(i64::MAX)) }
    }
    /// Average price of `quantity` units for this money; `None` for a quantity of zero.
    #[must_use]
    pub fn per(self, quantity: Qty, round: Round) -> Option<Px> {
        num::mul_div(self.0, SCALE, quantity.0, round).map(Px)
    }
    /// This money as a fraction of `whole`; `None` when `whole` is zero.
    #[must_use]
    pub fn ratio_of(self, whole: Self, round: Round) -> Option<Ratio> {
        num::mul_div(self.0, SCALE, whole.0, round).map(Ratio)
    }
}

impl Ratio {
    /// From basis points (1 bp = 0.0001).
    #[must_use]
    pub const fn from_bps(bps: i32) -> Self {
        Self(widen(bps) * 10_000)
    }
    /// In basis points with 4 decimals of a basis point kept, as decimal (for reports and the `spread_bps` column).
    #[must_use]
    pub fn to_bps_decimal(self) -> Decimal {
        (self.to_decimal() * Decimal::from(10_000)).round_dp(4).normalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn notional_rounds_as_asked() {
        let px = Px::parse(b"0.333").unwrap();
        let qty = Qty::parse(b"0.00000001").unwrap();
        assert_eq!(qty.at(px, Round::Down), Usd::ZERO);
        assert_eq!(qty.at(px, Round::Up).raw(), 1);
    }

    #[test]
    fn floats_are_refused_in_config() {
        assert!(serde_json_like("\"0.02\"").is_ok());
        assert_eq!(Ratio::from_bps(10), "0.001".parse().unwrap());
    }

    fn serde_json_like(text: &str) -> Result<Ratio, NumError> {
        text.trim_matches('"').parse()
    }

    proptest! {
        #[test]
        fn text_round_trips(raw in -num::LIMIT..=num::LIMIT) {
            let v = Usd::from_raw(raw);
            prop_assert_eq!(v.to_string().parse::<Usd>().unwrap(), v);
            prop_assert_eq!(Usd::from_decimal(v.to_decimal()).unwrap(), v);
        }

        #[test]
        fn grid_holds(raw in -1_000_000_000_000_i64..1_000_000_000_000, step in 1_i64..10_000_000_000) {
            let (v, s) = (Px::from_raw(raw), Px::from_raw(step));
            prop_assert!(v.floor_to(s) <= v && v <= v.ceil_to(s));
            prop_assert!(v.floor_to(s).is_multiple_of(s) && v.ceil_to(s).is_multiple_of(s));
            prop_assert!((v.ceil_to(s) - v.floor_to(s)) <= s);
        }

        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Px::parse(&bytes);
        }
    }
}
