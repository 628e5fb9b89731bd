//! `tickers.{symbol}` and the rows of `/v5/market/tickers` (venues/bybit.md 3.2, 4.3). One struct serves all: spot, linear and option send
//! different fields, options name some of them differently on the socket and over REST. Linear deltas carry only what changed.

use pm_core::event::Ticker;
use pm_core::time::Ts;
use pm_core::wire_text::{TextError, clip, json};
use serde::Deserialize;

use super::error::WireError;
use super::num::{NumText, Reader};

/// Fields of a ticker as sent; absent ones are `None`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TickerFields<'a> {
    symbol: Option<&'a str>,
    #[serde(borrow)]
    last_price: Option<NumText<'a>>,
    mark_price: Option<NumText<'a>>,
    index_price: Option<NumText<'a>>,
    /// Spot's index, in USD.
    usd_index_price: Option<NumText<'a>>,
    #[serde(rename = "bid1Price", alias = "bidPrice")]
    bid: Option<NumText<'a>>,
    #[serde(rename = "bid1Size", alias = "bidSize")]
    bid_size: Option<NumText<'a>>,
    #[serde(rename = "bid1Iv", alias = "bidIv")]
    bid_iv: Option<NumText<'a>>,
    #[serde(rename = "ask1Price", alias = "askPrice")]
    ask: Option<NumText<'a>>,
    #[serde(rename = "ask1Size", alias = "askSize")]
    ask_size: Option<NumText<'a>>,
    #[serde(rename = "ask1Iv", alias = "askIv")]
    ask_iv: Option<NumText<'a>>,
    #[serde(alias = "markPriceIv")]
    mark_iv: Option<NumText<'a>>,
    underlying_price: Option<NumText<'a>>,
    funding_rate: Option<NumText<'a>>,
    next_funding_time: Option<NumText<'a>>,
}

impl<'a> TickerFields<'a> {
    /// Symbol.
    ///
    /// # Errors
    /// [`TextError::Missing`].
    pub fn symbol(&self) -> Result<&'a str, TextError> {
        self.symbol.ok_or(TextError::Missing { field: "symbol" })
    }

    /// `base` with the fields that were sent; `""` and, where a zero means "none", `"0"` clear a field.
    ///
    /// # Errors
    /// The first field that is not a number.
    pub fn merge_into(&self, base: Ticker, reader: Reader<'_>) -> Result<Ticker, TextError> {
        let mut t = base;
        set(&mut t.last, self.last_price, |n| reader.quote("lastPrice", n))?;
        set(&mut t.mark, self.mark_price, |n| reader.computed("markPrice", n))?;
        set(&mut t.index, self.usd_index_price, |n| reader.computed("usdIndexPrice", n))?;
        set(&mut t.index, self.index_price, |n| reader.computed("indexPrice", n))?;
        set(&mut t.bid, self.bid, |n| reader.quote("bid", n))?;
        set(&mut t.bid_qty, self.bid_size, |n| reader.size("bid size", n))?;
        set(&mut t.ask, self.ask, |n| reader.quote("ask", n))?;
        set(&mut t.ask_qty, self.ask_size, |n| reader.size("ask size", n))?;
        set(&mut t.bid_iv, self.bid_iv, |n| reader.volatility("bid iv", n))?;
        set(&mut t.ask_iv, self.ask_iv, |n| reader.volatility("ask iv", n))?;
        set(&mut t.mark_iv, self.mark_iv, |n| reader.volatility("mark iv", n))?;
        set(&mut t.forward, self.underlying_price, |n| reader.computed("underlyingPrice", n))?;
        set(&mut t.funding_rate, self.funding_rate, |n| reader.rate("fundingRate", n))?;
        set(&mut t.next_funding, self.next_funding_time, |n| reader.maybe_time("nextFundingTime", n))?;
        Ok(t)
    }
}

fn set<'a, T>(
    slot: &mut Option<T>,
    sent: Option<NumText<'a>>,
    read: impl FnOnce(NumText<'a>) -> Result<Option<T>, TextError>,
) -> Result<(), TextError> {
    if let Some(n) = sent {
        *slot = read(n)?;
    }
    Ok(())
}

/// A ticker frame.
#[derive(Debug, Clone, Copy)]
pub struct TickerFrame<'a> {
    /// True when absent fields keep their value.
    pub delta: bool,
    /// Time of the gateway.
    pub ts: Ts,
    /// Fields.
    pub fields: TickerFields<'a>,
    /// For reading the fields.
    pub reader: Reader<'a>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    #[serde(borrow)]
    ts: Option<NumText<'a>>,
    #[serde(borrow)]
    data: Option<TickerFields<'a>>,
}

/// Decodes a ticker frame. Fields are read when they are merged.
///
/// # Errors
/// The first thing that does not fit, with field and place.
pub fn parse(frame: &str) -> Result<TickerFrame<'_>, WireError> {
    let f: Frame<'_> = json("a ticker frame", frame)?;
    let reader = Reader::new(frame);
    Ok(TickerFrame {
        delta: match f.kind {
            Some("delta") => true,
            Some("snapshot") | None => false,
            Some(other) => return Err(WireError::Value { field: "type", text: clip(other) }),
        },
        ts: reader.time("ts", f.ts)?,
        fields: f.data.ok_or(TextError::Missing { field: "data" })?,
        reader,
    })
}

/// Reads a row of `/v5/market/tickers`.
///
/// # Errors
/// Not of the row's shape.
pub fn row(row: &str) -> Result<TickerFields<'_>, TextError> {
    json("a ticker row", row)
}
