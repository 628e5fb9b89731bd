//! REST bodies as a feed: instrument lists and ticker lists (venues/bybit.md 3.2, 3.3). One odd row does not hide the others: it is kept
//! as a typed error and counted, the rest is read. A refusal of the whole answer is an error, and where it concerns the account or the
//! region also an event, so that the kill switch sees it.

use std::borrow::Cow;
use std::sync::Arc;

use pm_core::event::{Event, Ticker, VenueWord};
use pm_core::ids::{CurrencyId, VenueId};
use pm_core::instrument::{Instrument, InstrumentKind, OptionRight};
use pm_core::num::{NumError, Round};
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_core::wire_text::{TextError, clip, utf8};

use crate::category::Category;
use crate::fees::FeeTable;
use crate::wire::num::{NumText, Reader};
use crate::wire::rest::{InstrumentRow, LotSizeFilter, RowKind};
use crate::wire::{self, Page, WireError};
use crate::{SetupError, VENUE, option_symbol};

/// Which instruments are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Those whose base coin is an underlying of the catalog.
    Underlyings,
    /// All that settle in a currency of the catalog.
    #[default]
    All,
}

/// Settings of [`RestProtocol`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestSettings {
    /// Fee rates.
    pub fees: FeeTable,
    /// Leverage for perpetuals and futures, at least 1; an instrument's own maximum applies below it.
    pub leverage: Ratio,
    /// Which instruments are listed.
    pub scope: Scope,
}

impl Default for RestSettings {
    fn default() -> Self {
        Self { fees: FeeTable::default(), leverage: Ratio::whole(10), scope: Scope::All }
    }
}

/// Counters of a [`RestProtocol`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestStats {
    /// Instruments listed (again).
    pub listed: u64,
    /// Rows left out: inverse contracts.
    pub inverse: u64,
    /// Rows left out: settled in a currency that the catalog does not have.
    pub other_currency: u64,
    /// Rows left out: an underlying that the catalog does not have, under [`Scope::Underlyings`].
    pub other_underlying: u64,
    /// Rows left out: tick or lot finer than 1e-8.
    pub too_fine: u64,
    /// Rows that were not understood, see [`RestProtocol::take_row_errors`].
    pub bad_rows: u64,
    /// Tickers emitted.
    pub tickers: u64,
    /// Ticker rows of instruments that are not listed.
    pub foreign_tickers: u64,
}

/// Why a row gives no instrument.
enum Skip {
    Inverse,
    Currency,
    Underlying,
    TooFine,
    Bad(WireError),
}

impl From<WireError> for Skip {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Text(TextError::Number { why: NumError::TooPrecise, .. }) => Self::TooFine,
            other => Self::Bad(other),
        }
    }
}

impl From<TextError> for Skip {
    fn from(error: TextError) -> Self {
        WireError::from(error).into()
    }
}

/// Row errors kept for [`RestProtocol::take_row_errors`]; older ones are counted only.
const KEPT_ERRORS: usize = 64;

/// REST bodies in, listings and tickers out.
#[derive(Debug, Clone)]
pub struct RestProtocol {
    venue: VenueId,
    catalog: Catalog,
    settings: RestSettings,
    cursor: Option<String>,
    row_errors: Vec<WireError>,
    stats: RestStats,
}

impl RestProtocol {
    /// A protocol with default settings.
    ///
    /// # Errors
    /// The catalog has no such venue.
    pub fn new(catalog: &Catalog) -> Result<Self, SetupError> {
        Self::with_settings(catalog, RestSettings::default())
    }

    /// A protocol.
    ///
    /// # Errors
    /// The catalog has no such venue, or the leverage is below 1.
    pub fn with_settings(catalog: &Catalog, settings: RestSettings) -> Result<Self, SetupError> {
        if settings.leverage < Ratio::ONE {
            return Err(SetupError::Leverage(settings.leverage));
        }
        let venue = catalog.venue(VENUE).ok_or(SetupError::NoVenue)?;
        let (cursor, row_errors, stats) = (None, Vec::new(), RestStats::default());
        Ok(Self { venue, catalog: catalog.clone(), settings, cursor, row_errors, stats })
    }

    /// Cursor of the page after the last decoded body, verbatim (already percent-encoded); `None` when that was the last page.
    #[must_use]
    pub fn next_cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> RestStats {
        self.stats
    }

    /// Rows that were not understood since the last call, at most 64.
    pub fn take_row_errors(&mut self) -> Vec<WireError> {
        core::mem::take(&mut self.row_errors)
    }

    fn word(&self, error: &WireError, out: &mut dyn EventSink) {
        if let Some(word) = word_of(error) {
            out.event(Event::Venue { venue: self.venue, word });
        }
    }

    fn list(&mut self, row: &str, body: &str, category: Option<Category>, registry: &mut Registry, out: &mut dyn EventSink) {
        let parsed = wire::rest::instrument(row);
        let symbol = parsed.as_ref().ok().and_then(|r| r.symbol).unwrap_or_default();
        let made = parsed.clone().map_err(Skip::from).and_then(|r| self.instrument(&r, Reader::new(body), category, registry));
        match made {
            Ok(instrument) => {
                self.stats.listed += 1;
                out.event(Event::InstrumentListed(Cow::Owned(instrument)));
            }
            Err(Skip::Inverse) => self.stats.inverse += 1,
            Err(Skip::Currency) => self.stats.other_currency += 1,
            Err(Skip::Underlying) => self.stats.other_underlying += 1,
            Err(Skip::TooFine) => self.stats.too_fine += 1,
            Err(Skip::Bad(why)) => self.bad_row(symbol, why),
        }
    }

    fn bad_row(&mut self, symbol: &str, why: WireError) {
        self.stats.bad_rows += 1;
        if self.row_errors.len() < KEPT_ERRORS {
            self.row_errors.push(WireError::Row { symbol: clip(symbol), why: Box::new(why) });
        }
    }

    fn instrument(
        &self,
        row: &InstrumentRow<'_>,
        reader: Reader<'_>,
        listed_as: Option<Category>,
        registry: &mut Registry,
    ) -> Result<Instrument, Skip> {
        let symbol = row.symbol.filter(|s| !s.is_empty()).ok_or(TextError::Missing { field: "symbol" })?;
        let kind = kind(row, symbol, reader)?;
        let category = Category::of(&kind);
        if listed_as.is_some_and(|c| c != category) {
            return Err(WireError::Value { field: "category", text: clip(symbol) }.into());
        }
        let base = row.base_coin.ok_or(TextError::Missing { field: "baseCoin" })?;
        let underlying = self.catalog.underlying(base);
        if underlying.is_none() && self.settings.scope == Scope::Underlyings {
            return Err(Skip::Underlying);
        }
        let currency = self.currency(row)?;
        let tick = step(reader, "tickSize", row.price_filter.and_then(|f| f.tick_size))?;
        let lots = row.lot_size_filter.ok_or(TextError::Missing { field: "lotSizeFilter" })?;
        let lot = step(reader, "qtyStep", lots.qty_step.or(lots.base_precision))?;
        let sizes = Sizes::read(&lots, reader, Qty::from_raw(lot))?;
        Ok(Instrument {
            idx: registry.instrument(self.venue, &category.key(symbol)),
            venue: self.venue,
            symbol: Arc::from(symbol),
            kind,
            underlying,
            currency,
            tick: Px::from_raw(tick),
            lot: Qty::from_raw(lot),
            min_qty: sizes.min_qty,
            min_notional: sizes.min_notional,
            max_qty: sizes.max_qty,
            fees: self.settings.fees.schedule(category),
            initial_margin: self.margin(category, row, reader)?,
            trading: row.status == Some("Trading") && row.is_pre_listing != Some(true),
        })
    }

    /// Currency that the instrument settles in; spot settles in its quote.
    fn currency(&self, row: &InstrumentRow<'_>) -> Result<CurrencyId, Skip> {
        let coin = row.settle_coin.or(row.quote_coin).ok_or(TextError::Missing { field: "settleCoin" })?;
        self.catalog.currency(coin).ok_or(Skip::Currency)
    }

    /// Spot is fully paid, a bought option is its premium; both are 1. Perpetuals and futures: one over the leverage, rounded up.
    fn margin(&self, category: Category, row: &InstrumentRow<'_>, reader: Reader<'_>) -> Result<Ratio, TextError> {
        if category != Category::Linear {
            return Ok(Ratio::ONE);
        }
        let offered = match row.leverage_filter.and_then(|f| f.max_leverage) {
            Some(n) => reader.rate("maxLeverage", n)?.filter(|l| *l >= Ratio::ONE),
            None => None,
        };
        let leverage = offered.map_or(self.settings.leverage, |max| max.min(self.settings.leverage));
        let one = Ratio::ONE.raw();
        Ok(pm_core::num::mul_div(one, one, leverage.raw(), Round::Up).map_or(Ratio::ONE, Ratio::from_raw))
    }

    fn ticker(
        &mut self,
        row: &str,
        body: &str,
        category: Option<Category>,
        at: Ts,
        registry: &Registry,
        out: &mut dyn EventSink,
    ) {
        let fields = match wire::ticker::row(row).and_then(|f| f.symbol().map(|symbol| (f, symbol))) {
            Ok(fields) => fields,
            Err(why) => return self.bad_row("", why.into()),
        };
        let (fields, symbol) = fields;
        let known = category.and_then(|c| registry.find_instrument(self.venue, &c.key(symbol)));
        let Some(instrument) = known else {
            self.stats.foreign_tickers += 1;
            return;
        };
        match fields.merge_into(Ticker::default(), Reader::new(body)) {
            Ok(ticker) => {
                self.stats.tickers += 1;
                out.event(Event::Ticker { instrument, ticker, at });
            }
            Err(why) => self.bad_row(symbol, why.into()),
        }
    }
}

impl FeedProtocol for RestProtocol {
    fn decode(
        &mut self,
        at: Stamp,
        frame: &[u8],
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError> {
        let text = utf8(frame).map_err(WireError::from)?;
        let body = wire::rest::open(text).inspect_err(|error| self.word(error, out))?;
        self.cursor.clone_from(&body.next_cursor);
        let category = body.category.and_then(Category::parse);
        let reader = Reader::new(text);
        let answered = body.time.and_then(|n| reader.time("time", Some(n)).ok()).unwrap_or(at.wall);
        let mut read = false;
        for row in &body.rows {
            match RowKind::of(row) {
                RowKind::Instrument => self.list(row, text, category, registry, out),
                RowKind::Ticker => self.ticker(row, text, category, answered, registry, out),
                RowKind::Other => continue,
            }
            read = true;
        }
        Ok(if read { FrameKind::Data } else { FrameKind::Unknown })
    }

    fn reset(&mut self, _out: &mut dyn EventSink) {
        self.cursor = None;
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let s = self.stats;
        vec![
            ("listed", s.listed),
            ("inverse", s.inverse),
            ("other_currency", s.other_currency),
            ("other_underlying", s.other_underlying),
            ("too_fine", s.too_fine),
            ("bad_rows", s.bad_rows),
            ("tickers", s.tickers),
            ("foreign_tickers", s.foreign_tickers),
        ]
    }
}

/// What a refusal means for the account (venues/bybit.md 0.8, 5.6, 10); `None` for ordinary errors.
#[must_use]
pub fn word_of(error: &WireError) -> Option<VenueWord> {
    match error {
        WireError::Venue { code, .. } | WireError::Refused { code: Some(code), .. } => match code {
            10_008 | 10_027 => Some(VenueWord::Banned),
            10_009 | 110_132 | 170_209 => Some(VenueWord::Geoblocked),
            10_024 | 110_123 | 110_125 => Some(VenueWord::Compliance),
            _ => None,
        },
        // The edge's page for too many requests is not a restriction of the account.
        WireError::Html { page: Page::Geoblock, .. } => Some(VenueWord::Geoblocked),
        _ => None,
    }
}

/// A grid step above zero, as a raw value.
fn step(reader: Reader<'_>, field: &'static str, n: Option<NumText<'_>>) -> Result<i64, TextError> {
    reader.px(field, n).map(Px::raw)
}

fn kind(row: &InstrumentRow<'_>, symbol: &str, reader: Reader<'_>) -> Result<InstrumentKind, Skip> {
    let delivery = match row.delivery_time {
        Some(n) => reader.maybe_time("deliveryTime", n)?,
        None => None,
    };
    match (row.contract_type, row.options_type) {
        (Some("LinearPerpetual"), _) => Ok(InstrumentKind::Perp),
        (Some("LinearFutures"), _) => {
            Ok(InstrumentKind::Future { expiry: delivery.ok_or(TextError::Missing { field: "deliveryTime" })? })
        }
        (Some(inverse), _) if inverse.starts_with("Inverse") => Err(Skip::Inverse),
        (Some(other), _) => Err(WireError::Value { field: "contractType", text: clip(other) }.into()),
        (None, None) => Ok(InstrumentKind::Spot),
        (None, Some(right)) => {
            let terms = option_symbol::parse(symbol).map_err(|why| WireError::OptionSymbol { symbol: clip(symbol), why })?;
            let listed = match right {
                "Call" => OptionRight::Call,
                "Put" => OptionRight::Put,
                other => return Err(WireError::Value { field: "optionsType", text: clip(other) }.into()),
            };
            if listed != terms.right {
                return Err(WireError::Value { field: "optionsType", text: clip(right) }.into());
            }
            Ok(InstrumentKind::Option { expiry: delivery.unwrap_or(terms.expiry), strike: terms.strike, right: terms.right })
        }
    }
}

struct Sizes {
    min_qty: Qty,
    max_qty: Qty,
    min_notional: Usd,
}

impl Sizes {
    fn read(lots: &LotSizeFilter<'_>, reader: Reader<'_>, lot: Qty) -> Result<Self, TextError> {
        let value = match lots.min_notional_value.or(lots.min_order_amt) {
            Some(n) => reader.size("minNotionalValue", n)?,
            None => None,
        };
        let smallest = match lots.min_order_qty {
            Some(n) => reader.size("minOrderQty", n)?,
            None => None,
        };
        Ok(Self {
            min_qty: smallest.unwrap_or(lot).max(lot),
            max_qty: largest(lots.max_limit_order_qty.or(lots.max_order_qty), reader)?,
            min_notional: Usd::from_raw(value.map_or(0, Qty::raw)),
        })
    }
}

/// Maxima come with float noise (`1542.6000000000001`) and beyond the scale (`31500000000`): cut, or no limit.
fn largest(n: Option<NumText<'_>>, reader: Reader<'_>) -> Result<Qty, TextError> {
    let Some(n) = n else { return Ok(Qty::MAX) };
    match reader.computed("maxOrderQty", n) {
        Ok(max) => Ok(max.map_or(Qty::MAX, |m| Qty::from_raw(m.raw()))),
        Err(TextError::Number { why: NumError::OutOfRange, .. }) => Ok(Qty::MAX),
        Err(other) => Err(other),
    }
}
