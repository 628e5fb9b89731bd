//! REST bodies (venues/bybit.md 1, 3): the envelope, and the rows of instrument lists. HTTP 200 does not mean success: `retCode` decides.

use std::borrow::Cow;

use pm_core::wire_text::{TextError, clip, json};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{Page, WireError};
use super::num::NumText;

/// An answer with `retCode` 0.
#[derive(Debug, Clone)]
pub struct Body<'a> {
    /// Category, where the body names it.
    pub category: Option<&'a str>,
    /// Cursor of the next page exactly as sent (it comes percent-encoded and goes back verbatim, venues/bybit.md 2.1); `None` on the last.
    pub next_cursor: Option<String>,
    /// Rows, each as its JSON text; empty for bodies without a list.
    pub rows: Vec<&'a str>,
    /// Time of the answer in ms.
    pub time: Option<NumText<'a>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "retCode")]
    code: Option<i64>,
    #[serde(rename = "retMsg", borrow)]
    msg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<NumText<'a>>,
}

#[derive(Deserialize)]
struct List<'a> {
    category: Option<&'a str>,
    #[serde(rename = "nextPageCursor")]
    cursor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    list: Option<Vec<&'a RawValue>>,
}

/// Opens the envelope.
///
/// # Errors
/// [`WireError::Html`] for a web page, [`WireError::Venue`] for a refusal, else what is not JSON.
pub fn open(body: &str) -> Result<Body<'_>, WireError> {
    let text = body.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.starts_with('<') {
        return Err(WireError::Html { page: Page::read(text), head: clip(text) });
    }
    let e: Envelope<'_> = json("a REST answer", body)?;
    match e.code {
        Some(0) => {}
        Some(code) => return Err(WireError::Venue { code, msg: clip(e.msg.as_deref().unwrap_or_default()) }),
        None => return Err(TextError::Missing { field: "retCode" }.into()),
    }
    // `result` may be an object without a list, an array (historical volatility) or null: then there are no rows to read.
    let list = e.result.filter(|r| r.get().starts_with('{')).and_then(|r| serde_json::from_str::<List<'_>>(r.get()).ok());
    let list = list.unwrap_or(List { category: None, cursor: None, list: None });
    Ok(Body {
        category: list.category,
        next_cursor: list.cursor.filter(|c| !c.is_empty()).map(Cow::into_owned),
        rows: list.list.unwrap_or_default().into_iter().map(RawValue::get).collect(),
        time: e.time,
    })
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A row of `instruments-info`.
    Instrument,
    /// A row of `tickers`.
    Ticker,
    /// Anything else.
    Other,
}

impl RowKind {
    /// By the fields that only that kind has.
    #[must_use]
    pub fn of(row: &str) -> Self {
        let has = |key: &[u8]| memchr::memmem::find(row.as_bytes(), key).is_some();
        if has(b"\"lotSizeFilter\"") {
            Self::Instrument
        } else if has(b"\"lastPrice\"") && has(b"\"symbol\"") {
            Self::Ticker
        } else {
            Self::Other
        }
    }
}

/// A row of `instruments-info`, any category; fields that a category does not have are `None`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstrumentRow<'a> {
    /// Symbol.
    pub symbol: Option<&'a str>,
    /// `LinearPerpetual`, `LinearFutures`, `InversePerpetual`, `InverseFutures`; absent for spot and options.
    pub contract_type: Option<&'a str>,
    /// `Put` or `Call`; options only.
    pub options_type: Option<&'a str>,
    /// `PreLaunch`, `Trading`, `Delivering`, `Closed`.
    pub status: Option<&'a str>,
    /// Base coin.
    pub base_coin: Option<&'a str>,
    /// Quote coin.
    pub quote_coin: Option<&'a str>,
    /// Settlement coin; absent for spot.
    pub settle_coin: Option<&'a str>,
    /// Delivery in ms; "0" for perpetuals.
    #[serde(borrow)]
    pub delivery_time: Option<NumText<'a>>,
    /// True while a perpetual is in its auction phases.
    #[serde(default)]
    pub is_pre_listing: Option<bool>,
    /// Price grid.
    #[serde(borrow)]
    pub price_filter: Option<PriceFilter<'a>>,
    /// Quantity grid.
    #[serde(borrow)]
    pub lot_size_filter: Option<LotSizeFilter<'a>>,
    /// Leverage bounds; perpetuals and futures only.
    #[serde(borrow)]
    pub leverage_filter: Option<LeverageFilter<'a>>,
}

/// Price grid of an instrument.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceFilter<'a> {
    /// Tick.
    #[serde(borrow)]
    pub tick_size: Option<NumText<'a>>,
}

/// Quantity grid of an instrument.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LotSizeFilter<'a> {
    /// Lot; contracts and options.
    #[serde(borrow)]
    pub qty_step: Option<NumText<'a>>,
    /// Lot; spot.
    pub base_precision: Option<NumText<'a>>,
    /// Smallest quantity (spot: deprecated, still sent).
    pub min_order_qty: Option<NumText<'a>>,
    /// Largest quantity of a limit order; contracts and options.
    pub max_order_qty: Option<NumText<'a>>,
    /// Largest quantity of a limit order; spot.
    pub max_limit_order_qty: Option<NumText<'a>>,
    /// Smallest order value; contracts.
    pub min_notional_value: Option<NumText<'a>>,
    /// Smallest order value; spot.
    pub min_order_amt: Option<NumText<'a>>,
}

/// Leverage bounds of an instrument.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeverageFilter<'a> {
    /// Largest leverage at the smallest position.
    #[serde(borrow)]
    pub max_leverage: Option<NumText<'a>>,
}

/// Reads an instrument row.
///
/// # Errors
/// Not of the row's shape.
pub fn instrument(row: &str) -> Result<InstrumentRow<'_>, TextError> {
    json("an instrument row", row)
}
