//! What can be wrong with a frame, in words a person can act on.

use pm_core::traits::DecodeError;
use pm_core::units::Px;
use pm_core::wire_text::TextError;

use crate::option_symbol::OptionSymbolError;

/// Why a frame or body was not understood, or what the venue refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The text itself: encoding, JSON, numbers.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A web page instead of JSON: a proxy or the venue's edge answered (venues/bybit.md 10: 403 for regions and request floods).
    #[error("an HTML page instead of JSON, {page} (HTTP 403 or a proxy): {head:?}")]
    Html {
        /// What the whole page says, not only its head.
        page: Page,
        /// Beginning of the page, for people.
        head: String,
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
    /// One row of a list of instruments or tickers.
    #[error("{symbol:?}: {why}")]
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
            Self::Text(error) => error.at(),
            _ => None,
        }
    }
}

impl From<WireError> for DecodeError {
    fn from(error: WireError) -> Self {
        Self { at: error.at(), what: error.to_string() }
    }
}

/// What a web page in the place of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Requests from this country or region are not served: a restriction, never to be dodged.
    Geoblock,
    /// Anything else: too many requests, a proxy's error, maintenance.
    Other,
}

/// Whose absence the edge's block pages explain, in lower case. The sentence stands some 400 bytes into the page, and its line breaks are
/// the edge's own.
const BLOCKED: [&str; 4] = ["your country", "your region", "your location", "your jurisdiction"];

impl Page {
    /// Reads the whole page: words only, whatever their case and the blanks between them.
    #[must_use]
    pub fn read(html: &str) -> Self {
        let words = html.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if BLOCKED.iter().any(|phrase| words.contains(phrase)) { Self::Geoblock } else { Self::Other }
    }
}

impl core::fmt::Display for Page {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Geoblock => "the venue's edge does not serve this country or region",
            Self::Other => "the venue's edge refused the request",
        })
    }
}
