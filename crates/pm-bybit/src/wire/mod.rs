//! Wire formats: one-pass decoders that borrow from the frame. They know shapes and numbers, not continuity, instruments or index keys.
//!
//! A frame is dispatched by a cheap search for its topic ([`topic_of`]); the decoder chosen reads the topic again and decides. Key order
//! varies by socket and is never relied on. Numbers are text and go straight to fixed point; no float is made.

pub mod book;
pub mod control;
mod error;
pub mod num;
pub mod rest;
mod scan;
pub mod ticker;
pub mod trade;

pub use error::{Page, WireError};

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic<'a> {
    /// `orderbook.{depth}.{symbol}`.
    Book {
        /// Levels a side.
        depth: u16,
        /// Symbol.
        symbol: &'a str,
    },
    /// `tickers.{symbol}`.
    Ticker {
        /// Symbol.
        symbol: &'a str,
    },
    /// `publicTrade.{symbol}`, for options `publicTrade.{base coin}`.
    Trade,
    /// Candles, liquidations, price limits, status, the RPI and full books, private topics.
    Other,
}

impl<'a> Topic<'a> {
    /// Reads a topic's name.
    #[must_use]
    pub fn parse(topic: &'a str) -> Self {
        if let Some(rest) = topic.strip_prefix("orderbook.") {
            return match rest.split_once('.') {
                Some((depth, symbol)) if !symbol.is_empty() => {
                    depth.parse().map_or(Self::Other, |depth| Self::Book { depth, symbol })
                }
                _ => Self::Other,
            };
        }
        match topic.split_once('.') {
            Some(("tickers", symbol)) => Self::Ticker { symbol },
            Some(("publicTrade", _)) => Self::Trade,
            _ => Self::Other,
        }
    }
}

/// Finds the topic without parsing the frame: a hint for dispatch. A quote inside a JSON string is always escaped, so the search cannot
/// end up in the middle of a value; it may find a nested key, which the decoder then chosen refuses.
#[must_use]
pub fn topic_of(frame: &str) -> Option<&str> {
    let at = memchr::memmem::find(frame.as_bytes(), b"\"topic\"")?;
    let rest = frame.get(at + 7..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (topic, _) = rest.split_once('"')?;
    (!topic.contains('\\')).then_some(topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_apart() {
        assert_eq!(Topic::parse("orderbook.50.BTCUSDT"), Topic::Book { depth: 50, symbol: "BTCUSDT" });
        assert_eq!(
            Topic::parse("orderbook.25.XRP-30OCT26-0.4-P-USDT"),
            Topic::Book { depth: 25, symbol: "XRP-30OCT26-0.4-P-USDT" }
        );
        for other in ["orderbook.rpi.BTCUSDT", "orderbook.full.BTCUSDT", "orderbook.50.", "kline.1.BTCUSDT", "order", ""] {
            assert_eq!(Topic::parse(other), Topic::Other, "{other}");
        }
        assert_eq!(Topic::parse("tickers.BTC"), Topic::Ticker { symbol: "BTC" });
        assert_eq!(Topic::parse("publicTrade.BTC"), Topic::Trade);
    }

    #[test]
    fn topic_is_found_with_and_without_spaces() {
        assert_eq!(topic_of(r#"{"type":"delta","topic":"a.b"}"#), Some("a.b"));
        assert_eq!(topic_of("{\"topic\" : \"a.b\"}"), Some("a.b"));
        assert_eq!(topic_of(r#"{"ret_msg":"error:x,topic:orderbook.50.X"}"#), None);
        assert_eq!(topic_of(r#"{"ret_msg":"\"topic\":\"x\""}"#), None);
        assert_eq!(topic_of(r#"{"topic":"#), None);
    }
}
