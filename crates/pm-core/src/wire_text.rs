//! Text that came over a wire, for every decoder alike: one shape of error (field, reason, byte), and the checks that do not depend on who
//! sent it. Pure: bytes in, values out.

use serde::Deserialize;

use crate::num::NumError;
use crate::time::Ts;
use crate::traits::DecodeError;

/// 2100-01-01 in milliseconds since the epoch: a time after it is an error in the data, not a time.
pub const LAST_MS: i64 = 4_102_444_800_000;

/// Milliseconds since the epoch as an instant; `None` before 1970 and after 2100.
#[inline]
#[must_use]
pub const fn instant_ms(ms: i64) -> Option<Ts> {
    if ms < 0 || ms > LAST_MS { None } else { Some(Ts::from_millis(ms)) }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The bytes are not text.
    #[error("not UTF-8")]
    NotUtf8 {
        /// First bad byte.
        at: usize,
    },
    /// Not JSON, or not of the shape expected.
    #[error("not the JSON of {what}: {why}")]
    Json {
        /// Expected shape.
        what: &'static str,
        /// The parser's words.
        why: String,
        /// Byte in the text.
        at: usize,
    },
    /// A required field is absent or null.
    #[error("{field} is missing")]
    Missing {
        /// Field.
        field: &'static str,
    },
    /// A number that is none, is too precise, or is out of range.
    #[error("{field}: {why}: {text:?}")]
    Number {
        /// Field.
        field: &'static str,
        /// As sent.
        text: String,
        /// Reason.
        why: NumError,
        /// Byte in the text, when known.
        at: Option<usize>,
    },
    /// A number where it makes no sense: a price of zero, a time after 2100, a candle whose high is below its close.
    #[error("{field}: not possible here: {text:?}")]
    Range {
        /// Field.
        field: &'static str,
        /// As sent.
        text: String,
        /// Byte in the text, when known.
        at: Option<usize>,
    },
}

impl TextError {
    /// The parser's error with its place as a byte instead of line and column.
    #[must_use]
    pub fn json(what: &'static str, text: &str, e: &serde_json::Error) -> Self {
        let before: usize = text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum();
        Self::Json { what, why: e.to_string(), at: before + e.column().saturating_sub(1) }
    }
    /// Byte in the text, when known.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::NotUtf8 { at } | Self::Json { at, .. } => Some(*at),
            Self::Number { at, .. } | Self::Range { at, .. } => *at,
            Self::Missing { .. } => None,
        }
    }
}

impl From<TextError> for DecodeError {
    fn from(error: TextError) -> Self {
        Self { at: error.at(), what: error.to_string() }
    }
}

/// The bytes as text.
///
/// # Errors
/// [`TextError::NotUtf8`] with the first bad byte.
pub fn utf8(bytes: &[u8]) -> Result<&str, TextError> {
    core::str::from_utf8(bytes).map_err(|e| TextError::NotUtf8 { at: e.valid_up_to() })
}

/// Reads the whole text as `T`.
///
/// # Errors
/// [`TextError::Json`] with the byte.
pub fn json<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, TextError> {
    serde_json::from_str(text).map_err(|e| TextError::json(what, text, &e))
}

/// At most 120 characters of outside text: enough to recognise, too little to flood a log.
#[must_use]
pub fn clip(text: &str) -> String {
    text.chars().take(120).collect()
}

/// Byte at which `inner` begins in `outer`; `None` unless it is a part of it.
#[must_use]
pub fn place_in(outer: &str, inner: &str) -> Option<usize> {
    let at = inner.as_ptr().addr().checked_sub(outer.as_ptr().addr())?;
    (at <= outer.len() && inner.len() <= outer.len() - at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_with_the_century() {
        assert_eq!(instant_ms(0), Some(Ts::ZERO));
        assert_eq!(instant_ms(LAST_MS), Some(Ts::from_millis(LAST_MS)));
        assert_eq!(Ts::from_millis(LAST_MS).to_string(), "2100-01-01T00:00:00.000Z");
        assert_eq!((instant_ms(LAST_MS + 1), instant_ms(-1), instant_ms(i64::MAX)), (None, None, None));
    }

    #[test]
    fn json_errors_carry_the_byte_also_over_lines() {
        let err = json::<serde::de::IgnoredAny>("a frame", "{\n \"a\":1,\n x}").unwrap_err();
        assert_eq!(err.at(), Some(11));
        assert!(err.to_string().starts_with("not the JSON of a frame: "), "{err}");
        assert_eq!(utf8(b"ab\xffc").unwrap_err(), TextError::NotUtf8 { at: 2 });
    }

    #[test]
    fn places_are_of_parts_only() {
        let outer = String::from("{\"p\":\"x1\"}");
        assert_eq!(place_in(&outer, &outer[6..8]), Some(6));
        assert_eq!(place_in(&outer, &outer[10..]), Some(10));
        assert_eq!(place_in(&outer[1..3], &outer[2..8]), None, "longer than what is left");
        assert_eq!(place_in(&outer[4..], &outer[..2]), None);
        assert_eq!(clip(&"é".repeat(500)).chars().count(), 120);
    }
}
