//! What can be wrong with a frame, in words a person can act on.

use pm_core::num::NumError;
use pm_core::traits::DecodeError;
use pm_core::units::Px;

use crate::option_symbol::OptionSymbolError;

/// Why a frame or body was not understood, or what the venue refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
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
        /// Byte in the frame.
        at: usize,
    },
    /// A web page instead of JSON: a proxy or the venue's edge answered (venues/bybit.md 10: 403 for regions and request floods).
    #[error("an HTML page instead of JSON, the venue's edge refused the request (HTTP 403 or a proxy): {head:?}")]
    Html {
        /// Beginning of the page.
        head: String,
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
        /// Byte in the frame.
        at: Option<usize>,
    },
    /// A number where it makes no sense: a price of zero, a time after 2100.
    #[error("{field}: not possible here: {text:?}")]
    Range {
        /// Field.
        field: &'static str,
        /// As sent.
        text: String,
        /// Byte in the frame.
        at: Option<usize>,
    },
    /// A word out of a fixed list is another word.
    #[error("{field}: unknown value {text:?}")]
    Value {
        /// Field.
        field: &'static str,
        /// As sent.
        text: String,
    },
    /// Topic and data name different symbols.
    #[error("the topic is about {topic:?}, the data about {data:?}")]
    Symbol {
        /// Symbol in the topic.
        topic: String,
        /// Symbol in the data.
        data: String,
    },
    /// An option symbol outside the grammar.
    #[error("symbol {symbol:?}: {why}")]
    OptionSymbol {
        /// Symbol.
        symbol: String,
        /// Part that does not fit.
        why: OptionSymbolError,
    },
    /// A price off the instrument's tick: the data is bad, or the instrument list is stale.
    #[error("{symbol}: price {px} is off the tick {tick}; if the venue changed the tick, read the instrument list again")]
    OffGrid {
        /// Symbol.
        symbol: String,
        /// Price.
        px: Px,
        /// Tick as listed.
        tick: Px,
    },
    /// A REST answer with `retCode` other than 0 (venues/bybit.md 5.6).
    #[error("the venue answers {code}: {msg}")]
    Venue {
        /// `retCode`.
        code: i64,
        /// `retMsg`.
        msg: String,
    },
    /// The socket refused a request.
    #[error("{op} refused{}: {msg}", code.map(|c| format!(" ({c})")).unwrap_or_default())]
    Refused {
        /// Operation.
        op: String,
        /// `retCode` where the socket sends one.
        code: Option<i64>,
        /// `ret_msg`, or the topics that failed.
        msg: String,
    },
    /// One row of an instrument list.
    #[error("instrument {symbol:?}: {why}")]
    Row {
        /// Symbol of the row, empty when it has none.
        symbol: String,
        /// Reason.
        why: Box<WireError>,
    },
}

impl WireError {
    /// Byte in the frame, when known.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::NotUtf8 { at } | Self::Json { at, .. } => Some(*at),
            Self::Number { at, .. } | Self::Range { at, .. } => *at,
            _ => None,
        }
    }
}

impl From<WireError> for DecodeError {
    fn from(error: WireError) -> Self {
        Self { at: error.at(), what: error.to_string() }
    }
}

/// At most 120 characters of outside text: enough to recognise, too little to flood a log.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(120).collect()
}
