//! Numbers as the venue sends them: text, sometimes empty ("not applicable"), sometimes with an exponent, now and then unquoted
//! (venues/bybit.md 0, 10). They are kept as the bytes sent and go to fixed point in one step.

use pm_core::num::{self, Excess, NumError};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Ratio};
use pm_core::wire_text::{TextError, clip, instant_ms, place_in};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number as sent, quoted or not; not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumText<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for NumText<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(d).map(|raw| Self(raw.get()))
    }
}

impl<'a> NumText<'a> {
    /// The digits without quotes.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(self.0)
    }
    /// True for `""` and `null`: not applicable.
    #[must_use]
    pub fn is_absent(self) -> bool {
        matches!(self.as_str(), "" | "null")
    }
}

/// Milliseconds since the epoch as an instant; `None` after 2100.
#[inline]
#[must_use]
pub fn instant(ms: u64) -> Option<Ts> {
    i64::try_from(ms).ok().and_then(instant_ms)
}

/// Reads numbers of one frame; errors carry the field and the byte.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    frame: &'a str,
}

impl<'a> Reader<'a> {
    /// A reader for numbers borrowed from `frame`.
    #[must_use]
    pub const fn new(frame: &'a str) -> Self {
        Self { frame }
    }

    /// Position of borrowed text in the frame.
    fn at(&self, text: &str) -> Option<usize> {
        place_in(self.frame, text)
    }

    fn bad(&self, field: &'static str, n: NumText<'_>, why: NumError) -> TextError {
        TextError::Number { field, text: clip(n.as_str()), why, at: self.at(n.as_str()) }
    }

    /// The error for a number that cannot stand here.
    #[must_use]
    pub fn range(&self, field: &'static str, n: NumText<'_>) -> TextError {
        TextError::Range { field, text: clip(n.as_str()), at: self.at(n.as_str()) }
    }

    fn fixed(&self, field: &'static str, n: NumText<'_>, excess: Excess) -> Result<i64, TextError> {
        num::parse_fixed_with(n.as_str().as_bytes(), excess).map_err(|why| self.bad(field, n, why))
    }

    /// A price above zero, exact.
    ///
    /// # Errors
    /// Missing, no number, too precise, or not above zero.
    pub fn px(&self, field: &'static str, n: Option<NumText<'_>>) -> Result<Px, TextError> {
        let n = n.ok_or(TextError::Missing { field })?;
        let px = Px::from_raw(self.fixed(field, n, Excess::Refuse)?);
        if px.is_positive() { Ok(px) } else { Err(self.range(field, n)) }
    }

    /// A quantity of zero or more, exact.
    ///
    /// # Errors
    /// Missing, no number, too precise, or below zero.
    pub fn qty(&self, field: &'static str, n: Option<NumText<'_>>) -> Result<Qty, TextError> {
        let n = n.ok_or(TextError::Missing { field })?;
        let qty = Qty::from_raw(self.fixed(field, n, Excess::Refuse)?);
        if qty.is_negative() { Err(self.range(field, n)) } else { Ok(qty) }
    }

    /// A quoted price that may be "not there": `""`, `null` and zero (options without a quote send "0", venues/bybit.md 3.2) are `None`.
    ///
    /// # Errors
    /// No number, too precise, or below zero.
    pub fn quote(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Px>, TextError> {
        self.maybe(field, n, Excess::Refuse).map(|v| v.map(Px::from_raw))
    }

    /// A computed price (mark, index, forward): as [`Self::quote`], digits past the eighth are cut.
    ///
    /// # Errors
    /// No number or below zero.
    pub fn computed(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Px>, TextError> {
        self.maybe(field, n, Excess::Truncate).map(|v| v.map(Px::from_raw))
    }

    /// A quantity that may be "not there".
    ///
    /// # Errors
    /// No number, too precise, or below zero.
    pub fn size(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Qty>, TextError> {
        self.maybe(field, n, Excess::Refuse).map(|v| v.map(Qty::from_raw))
    }

    /// A volatility that may be "not there".
    ///
    /// # Errors
    /// No number or below zero.
    pub fn volatility(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Ratio>, TextError> {
        self.maybe(field, n, Excess::Truncate).map(|v| v.map(Ratio::from_raw))
    }

    /// A signed rate; `""` is `None`, zero is a value.
    ///
    /// # Errors
    /// No number.
    pub fn rate(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Ratio>, TextError> {
        if n.is_absent() {
            return Ok(None);
        }
        self.fixed(field, n, Excess::Truncate).map(|v| Some(Ratio::from_raw(v)))
    }

    fn maybe(&self, field: &'static str, n: NumText<'_>, excess: Excess) -> Result<Option<i64>, TextError> {
        if n.is_absent() {
            return Ok(None);
        }
        match self.fixed(field, n, excess)? {
            0 => Ok(None),
            v if v < 0 => Err(self.range(field, n)),
            v => Ok(Some(v)),
        }
    }

    /// A whole number of zero or more.
    ///
    /// # Errors
    /// Missing or not a whole number below 2^64.
    pub fn int(&self, field: &'static str, n: Option<NumText<'_>>) -> Result<u64, TextError> {
        let n = n.ok_or(TextError::Missing { field })?;
        n.as_str().parse().map_err(|_| self.bad(field, n, NumError::Invalid))
    }

    /// An instant in ms.
    ///
    /// # Errors
    /// Missing, not a whole number, or after 2100.
    pub fn time(&self, field: &'static str, n: Option<NumText<'_>>) -> Result<Ts, TextError> {
        let ms = self.int(field, n)?;
        instant(ms).ok_or_else(|| TextError::Range { field, text: ms.to_string(), at: n.and_then(|n| self.at(n.as_str())) })
    }

    /// An instant in ms that may be "not there": `""`, `null`, `"0"`.
    ///
    /// # Errors
    /// Not a whole number, or after 2100.
    pub fn maybe_time(&self, field: &'static str, n: NumText<'_>) -> Result<Option<Ts>, TextError> {
        if n.is_absent() || n.as_str() == "0" {
            return Ok(None);
        }
        self.time(field, Some(n)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> NumText<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_forms_that_occur() {
        let r = Reader::new("");
        assert_eq!(r.quote("p", text("\"\"")).unwrap(), None);
        assert_eq!(r.quote("p", text("\"0\"")).unwrap(), None);
        assert_eq!(r.quote("p", text("null")).unwrap(), None);
        assert_eq!(r.quote("p", text("\"1.3117285e+06\"")).unwrap(), Some("1311728.5".parse().unwrap()));
        assert_eq!(r.quote("p", text("\"9e-8\"")).unwrap(), Some(Px::from_raw(9)));
        assert_eq!(r.quote("p", text("65114.2")).unwrap(), Some("65114.2".parse().unwrap()));
        assert_eq!(r.computed("p", text("\"0.123456789\"")).unwrap(), Some(Px::from_raw(12_345_678)));
        assert!(matches!(r.quote("p", text("\"0.123456789\"")), Err(TextError::Number { why: NumError::TooPrecise, .. })));
        assert!(matches!(r.quote("p", text("\"-1\"")), Err(TextError::Range { .. })));
        assert!(matches!(r.px("p", Some(text("\"0\""))), Err(TextError::Range { .. })));
        assert!(matches!(r.px("p", None), Err(TextError::Missing { field: "p" })));
        assert_eq!(r.rate("f", text("\"0\"")).unwrap(), Some(Ratio::ZERO));
        assert_eq!(r.rate("f", text("\"-0.000212\"")).unwrap(), Some(Ratio::from_raw(-21_200)));
        assert!(matches!(r.time("T", Some(text("4102444800001"))), Err(TextError::Range { .. })));
        assert_eq!(r.int("u", Some(text("\"12\""))).unwrap(), 12);
    }

    #[test]
    fn errors_know_the_byte() {
        let frame = r#"{"p":"x1"}"#;
        #[derive(Deserialize)]
        struct P<'a> {
            #[serde(borrow)]
            p: NumText<'a>,
        }
        let p: P<'_> = serde_json::from_str(frame).unwrap();
        let err = Reader::new(frame).px("p", Some(p.p)).unwrap_err();
        assert_eq!(err.at(), Some(6));
        assert_eq!(err.to_string(), "p: not a decimal number: \"x1\"");
    }
}
