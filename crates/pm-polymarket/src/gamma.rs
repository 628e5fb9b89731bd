//! Gamma's market object as a typed model (venues/polymarket.md 5.3). Gamma is loose: numbers flip between integer, float and text, lists
//! come as arrays or as JSON inside a text, anything may be null, fields come and go. Each field is read on its own from its raw
//! characters; a field of an unexpected shape is absent, only what a market cannot be without is an error.

use std::collections::BTreeMap;

use pm_core::time::Ts;
use pm_core::units::Px;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::text::{Num, Text, decimal, instant};

/// Why a Gamma object is not a market of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GammaError {
    /// Not JSON, or not an object.
    #[error("not a JSON object: {0}")]
    Json(String),
    /// Only markets of exactly two outcomes are binary.
    #[error("{0} outcomes instead of two")]
    Outcomes(usize),
    /// The market has no id.
    #[error("id is missing")]
    NoId,
}

mod model;
pub use model::{
    CryptoConfig, FeeTerms, GammaEvent, GammaMarket, GammaMetrics, GammaOutcome, GammaPrices, GammaRef, GammaResolution,
    GammaRewards, GammaSports, GammaState, GammaTrading,
};

/// An object's fields by name, unread.
pub(crate) struct Object<'a>(BTreeMap<Text<'a>, &'a RawValue>);

impl<'a> Object<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, GammaError> {
        serde_json::from_str(json).map(Self).map_err(|e| GammaError::Json(e.to_string()))
    }
    /// Raw characters of a field; `null` is absent.
    pub(crate) fn raw(&self, key: &'static str) -> Option<&'a str> {
        self.0.get(&Text(key.into())).map(|r| r.get()).filter(|r| *r != "null")
    }
    /// Text of a field; numbers are taken as their characters, `""` is absent.
    pub(crate) fn text(&self, key: &'static str) -> Option<String> {
        self.raw(key).and_then(loose_text).filter(|t| !t.is_empty())
    }
    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        match self.raw(key)?.trim_matches('"') {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
    pub(crate) fn num(&self, key: &'static str) -> Option<Decimal> {
        self.text(key).and_then(|t| decimal(&t))
    }
    pub(crate) fn whole(&self, key: &'static str) -> Option<i64> {
        self.text(key).and_then(|t| Num(t.into()).whole())
    }
    pub(crate) fn time(&self, key: &'static str) -> Option<Ts> {
        self.text(key).and_then(|t| instant(&t))
    }
    /// A list of texts: an array, or JSON of an array inside a text.
    pub(crate) fn list(&self, key: &'static str) -> Option<Vec<String>> {
        let raw = self.raw(key)?;
        match loose_text(raw) {
            Some(inner) if raw.starts_with('"') => texts(&inner),
            _ => texts(raw),
        }
    }
    /// Raw elements of an array field.
    pub(crate) fn array(&self, key: &'static str) -> Vec<&'a str> {
        let items: Option<Vec<&RawValue>> = self.raw(key).and_then(|r| serde_json::from_str(r).ok());
        items.unwrap_or_default().into_iter().map(RawValue::get).collect()
    }
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.raw(key).is_some()
    }
}

fn texts(json: &str) -> Option<Vec<String>> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    items.into_iter().map(|r| loose_text(r.get())).collect()
}

fn loose_text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}

impl GammaRef {
    fn of(o: &Object<'_>) -> Self {
        Self { id: o.text("id"), slug: o.text("slug"), title: o.text("title").or_else(|| o.text("label")) }
    }
}

impl GammaEvent {
    /// Reads an event object.
    pub(crate) fn of(o: &Object<'_>) -> Self {
        let metadata = o.raw("eventMetadata").map(|raw| match loose_text(raw) {
            Some(inner) => inner,
            None => raw.to_owned(),
        });
        let price_to_beat =
            metadata.as_deref().and_then(|m| Object::parse(m).ok()?.text("priceToBeat")).and_then(|t| reference(&t));
        let series = o.array("series").first().and_then(|s| Object::parse(s).ok()?.text("slug")).or_else(|| o.text("seriesSlug"));
        Self { reference: GammaRef::of(o), price_to_beat, series }
    }
}

/// A reference value of the source, cut to 8 decimals.
fn reference(text: &str) -> Option<Px> {
    let raw = pm_core::num::parse_fixed_with(text.as_bytes(), pm_core::num::Excess::Truncate).ok()?;
    (raw > 0).then(|| Px::from_raw(raw))
}

fn outcomes(o: &Object<'_>) -> Result<[GammaOutcome; 2], GammaError> {
    let labels = o.list("outcomes").unwrap_or_default();
    let count = labels.len();
    let [first, second]: [String; 2] = labels.try_into().map_err(|_| GammaError::Outcomes(count))?;
    let (tokens, positions) = (o.list("clobTokenIds").unwrap_or_default(), o.list("positionIds").unwrap_or_default());
    let prices = o.list("outcomePrices").unwrap_or_default();
    let one = |i: usize, label: String| GammaOutcome {
        label,
        token_id: tokens.get(i).filter(|t| !t.is_empty()).cloned(),
        position_id: positions.get(i).filter(|t| !t.is_empty()).cloned(),
        price: prices.get(i).and_then(|p| decimal(p)),
    };
    Ok([one(0, first), one(1, second)])
}

fn state(o: &Object<'_>) -> GammaState {
    GammaState {
        active: o.flag("active"),
        closed: o.flag("closed"),
        archived: o.flag("archived"),
        combo_status: o.text("comboStatus"),
        accepting_orders: o.flag("acceptingOrders"),
        enable_order_book: o.flag("enableOrderBook"),
        neg_risk: o.flag("negRisk"),
        start_date: o.time("startDate"),
        end_date: o.time("endDate"),
        closed_time: o.time("closedTime"),
    }
}

fn metrics(o: &Object<'_>) -> GammaMetrics {
    GammaMetrics {
        volume: o.num("volume"),
        volume_num: o.num("volumeNum"),
        volume_24hr: o.num("volume24hr"),
        volume_1wk: o.num("volume1wk"),
        volume_1mo: o.num("volume1mo"),
        volume_1yr: o.num("volume1yr"),
        volume_amm: o.num("volumeAmm"),
        volume_clob: o.num("volumeClob"),
        liquidity: o.num("liquidity"),
        liquidity_num: o.num("liquidityNum"),
        liquidity_clob: o.num("liquidityClob"),
    }
}

fn prices(o: &Object<'_>) -> GammaPrices {
    GammaPrices {
        best_bid: o.num("bestBid"),
        best_ask: o.num("bestAsk"),
        last_trade_price: o.num("lastTradePrice"),
        spread: o.num("spread"),
        one_hour_price_change: o.num("oneHourPriceChange"),
        one_day_price_change: o.num("oneDayPriceChange"),
        one_week_price_change: o.num("oneWeekPriceChange"),
        one_month_price_change: o.num("oneMonthPriceChange"),
        one_year_price_change: o.num("oneYearPriceChange"),
    }
}

fn trading(o: &Object<'_>) -> GammaTrading {
    let terms = o.raw("feeSchedule").and_then(|raw| Object::parse(raw).ok()).map(|f| FeeTerms {
        rate: f.num("rate"),
        exponent: f.num("exponent"),
        taker_only: f.flag("takerOnly"),
        rebate_rate: f.num("rebateRate"),
    });
    GammaTrading {
        minimum_order_size: o.num("orderMinSize"),
        minimum_tick_size: o.num("orderPriceMinTickSize"),
        seconds_delay: o.whole("secondsDelay"),
        fees_enabled: o.flag("feesEnabled"),
        fee_type: o.text("feeType"),
        fee_schedule: terms,
    }
}

fn resolution(o: &Object<'_>) -> GammaResolution {
    GammaResolution {
        onchain_event_id: o.text("onchainEventId"),
        request_id: o.text("requestId"),
        resolution_status: o.text("resolutionStatus"),
        question_id: o.text("questionID"),
        neg_risk_request_id: o.text("negRiskRequestID"),
        uma_resolution_status: o.text("umaResolutionStatus"),
        source: o.text("resolutionSource"),
        resolved_by: o.text("resolvedBy"),
    }
}

fn crypto(o: &Object<'_>) -> Option<CryptoConfig> {
    let raw = o.raw("cryptoMarketConfig")?;
    let inner = loose_text(raw);
    let c = Object::parse(inner.as_deref().unwrap_or(raw)).ok()?;
    Some(CryptoConfig {
        id: c.text("id"),
        asset: c.text("asset"),
        duration: c.text("duration"),
        twap_enabled: c.flag("twapEnabled"),
        twap_lookback_seconds: c.whole("twapLookbackSeconds"),
    })
}

impl GammaMarket {
    /// Reads a market object.
    ///
    /// # Errors
    /// Not an object, no id, or not exactly two outcomes.
    pub fn parse(json: &str) -> Result<Self, GammaError> {
        Self::of(&Object::parse(json)?)
    }

    /// Reads a market from its fields.
    pub(crate) fn of(o: &Object<'_>) -> Result<Self, GammaError> {
        Ok(Self {
            id: o.text("id").ok_or(GammaError::NoId)?,
            version: o.text("version"),
            slug: o.text("slug"),
            condition_id: o.text("conditionId"),
            question: o.text("question"),
            group_item_title: o.text("groupItemTitle"),
            description: o.text("description"),
            category: o.text("category"),
            image: o.text("image"),
            icon: o.text("icon"),
            state: state(o),
            outcomes: outcomes(o)?,
            metrics: metrics(o),
            prices: prices(o),
            trading: trading(o),
            resolution: resolution(o),
            rewards: GammaRewards {
                clob_rewards: o.raw("clobRewards").map(str::to_owned),
                rewards_min_size: o.num("rewardsMinSize"),
                rewards_max_spread: o.num("rewardsMaxSpread"),
                holding_rewards_enabled: o.flag("holdingRewardsEnabled"),
            },
            sports: GammaSports {
                sports_market_type: o.text("sportsMarketType"),
                line: o.num("line"),
                game_id: o.text("gameId"),
                game_start_time: o.time("gameStartTime"),
            },
            events: o.array("events").into_iter().filter_map(|e| Object::parse(e).ok()).map(|e| GammaEvent::of(&e)).collect(),
            tags: o.array("tags").into_iter().filter_map(|t| Object::parse(t).ok()).map(|t| GammaRef::of(&t)).collect(),
            created_at: o.time("createdAt"),
            event_start: o.time("eventStartTime"),
            accepting_from: o.time("acceptingOrdersTimestamp"),
            crypto: crypto(o),
        })
    }
}
