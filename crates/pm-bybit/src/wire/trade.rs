//! `publicTrade.{symbol}`, for options `publicTrade.{base coin}` (venues/bybit.md 4.4): up to 1024 trades a frame, oldest first.

use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty};
use pm_core::wire_text::{TextError, clip, json};
use serde::Deserialize;

use super::error::WireError;
use super::num::{NumText, Reader};

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade<'a> {
    /// Symbol; on the option socket trades of many symbols share a frame.
    pub symbol: &'a str,
    /// Venue's id; empty when not sent.
    pub id: &'a str,
    /// Price.
    pub px: Px,
    /// Quantity in base units.
    pub qty: Qty,
    /// Side of the taker.
    pub taker: Side,
    /// Time of the match.
    pub at: Ts,
    /// True for trades agreed off the book.
    pub block: bool,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    data: Option<Vec<Row<'a>>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    s: Option<&'a str>,
    i: Option<&'a str>,
    #[serde(rename = "S")]
    side: Option<&'a str>,
    #[serde(borrow, rename = "T")]
    time: Option<NumText<'a>>,
    #[serde(borrow)]
    p: Option<NumText<'a>>,
    #[serde(borrow)]
    v: Option<NumText<'a>>,
    #[serde(rename = "BT", default)]
    block: Option<bool>,
}

/// Decodes a trade frame: all trades or an error, never a part. A null list is no trades.
///
/// # Errors
/// The first thing that does not fit, with field and place.
pub fn parse(frame: &str) -> Result<Vec<Trade<'_>>, WireError> {
    let f: Frame<'_> = json("a trade frame", frame)?;
    let reader = Reader::new(frame);
    f.data.unwrap_or_default().into_iter().map(|row| row.read(reader)).collect()
}

impl<'a> Row<'a> {
    fn read(self, reader: Reader<'a>) -> Result<Trade<'a>, WireError> {
        Ok(Trade {
            symbol: self.s.ok_or(TextError::Missing { field: "s" })?,
            id: self.i.unwrap_or_default(),
            px: reader.px("p", self.p)?,
            qty: reader.qty("v", self.v)?,
            taker: match self.side {
                Some("Buy") => Side::Buy,
                Some("Sell") => Side::Sell,
                Some(other) => return Err(WireError::Value { field: "S", text: clip(other) }),
                None => return Err(TextError::Missing { field: "S" }.into()),
            },
            at: reader.time("T", self.time)?,
            block: self.block.unwrap_or(false),
        })
    }
}
