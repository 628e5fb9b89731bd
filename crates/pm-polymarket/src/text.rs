//! Lenient texts of the venue: numbers that are sometimes text, sometimes numbers, sometimes `""`; times as milliseconds or as dates.
//! Everything here keeps the characters as they were sent, so that no value passes through a float.

use std::borrow::Cow;
use std::str::FromStr;

use pm_core::num::NumError;
use pm_core::time::Ts;
use pm_core::wire_text::instant_ms;
use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde_json::value::RawValue;

/// JSON text, borrowed from the frame unless it holds escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;
    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("text")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, v: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(v)))
    }
    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(v.to_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(TextVisitor)
    }
}

/// A JSON number or text, as the characters that were sent (quotes removed).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Num<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Num<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(d)?.get();
        match raw.as_bytes() {
            [b'"', ..] if raw.contains('\\') => {
                serde_json::from_str::<String>(raw).map(|s| Self(Cow::Owned(s))).map_err(D::Error::custom)
            }
            [b'"', .., b'"'] => Ok(Self(Cow::Borrowed(raw.trim_matches('"')))),
            [b'-' | b'0'..=b'9', ..] => Ok(Self(Cow::Borrowed(raw))),
            _ => Err(D::Error::custom("expected a number or text")),
        }
    }
}

impl Num<'_> {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Parses to a fixed-point type; `""` is `None`.
    ///
    /// # Errors
    /// See [`NumError`].
    pub fn fixed<T: FromStr<Err = NumError>>(&self) -> Result<Option<T>, NumError> {
        match self.0.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        }
    }
    /// The exact decimal; `None` when it is not one (`""`, `NaN`, more than 28 digits).
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        decimal(&self.0)
    }
    /// A whole number.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        let text = self.0.trim();
        text.parse().ok().or_else(|| {
            let (whole, zeros) = text.split_once('.')?;
            zeros.bytes().all(|b| b == b'0').then(|| whole.parse().ok())?
        })
    }
}

/// A decimal text, with or without exponent, to its exact value. Digits past the 28th are cut.
#[must_use]
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { Decimal::from_str(text).ok() }
}

/// Milliseconds since the epoch written as digits (market socket), up to 2100. Anything else is `None`.
#[must_use]
pub fn millis(text: &str) -> Option<Ts> {
    if text.is_empty() || text.len() > 15 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().and_then(instant_ms)
}

/// A date text of the venue: RFC 3339 with any number of decimals, also with a blank for `T` and a short offset
/// (`2026-10-01 00:00:00+00`), also without offset (UTC), also a bare date.
#[must_use]
pub fn instant(text: &str) -> Option<Ts> {
    let text = text.trim();
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| jiff::tz::TimeZone::UTC.to_timestamp(text.parse().ok()?).ok())?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Ts::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_form_the_venue_writes() {
        let noon = Some(Ts::from_secs(1_780_920_000));
        assert_eq!(instant("2026-06-08T12:00:00Z"), noon);
        assert_eq!(instant("2026-06-08T12:00:00.000000Z"), noon);
        assert_eq!(instant("2026-06-08 12:00:00+00"), noon);
        assert_eq!(instant("2026-06-08 12:00:00.000+00"), noon);
        assert_eq!(instant("2026-06-08T12:00:00"), noon);
        assert_eq!(instant("2026-06-08"), Some(Ts::from_secs(1_780_876_800)));
        assert_eq!(instant(""), None);
        assert_eq!(instant("soon"), None);
    }

    #[test]
    fn numbers_keep_their_characters() {
        let read = |json: &'static str| serde_json::from_str::<Num<'_>>(json).map(|n| n.0.into_owned());
        assert_eq!(read("0.07").unwrap(), "0.07");
        assert_eq!(read("\"1234.5\"").unwrap(), "1234.5");
        assert_eq!(read("30335.869374999984").unwrap(), "30335.869374999984");
        assert!(read("null").is_err());
        assert!(read("true").is_err());
        assert!(read("[1]").is_err());
        assert_eq!(Num("5.0".into()).whole(), Some(5));
        assert_eq!(Num("1e3".into()).decimal(), Some(Decimal::from(1000)));
    }

    #[test]
    fn millisecond_texts() {
        assert_eq!(millis("1760000000123"), Some(Ts::from_millis(1_760_000_000_123)));
        assert_eq!(millis("-1"), None);
        assert_eq!(millis(""), None);
        assert_eq!(millis("99999999999999999999"), None);
        assert_eq!(millis("4102444800000"), Some(Ts::from_millis(4_102_444_800_000)));
        assert_eq!((millis("4102444800001"), millis("17600000001230")), (None, None), "after 2100");
    }
}
