//! The rare messages `new_market` and `market_resolved`: owned, because they are kept and seldom.

use pm_core::traits::DecodeError;
use serde::Deserialize;

use super::{EventMessage, MarketResolved, NewMarket, owned, some, time};
use crate::text::{Num, Text};

#[derive(Deserialize)]
struct Rare {
    id: Option<Loose>,
    market: Option<String>,
    condition_id: Option<String>,
    question: Option<String>,
    slug: Option<String>,
    description: Option<String>,
    #[serde(alias = "token_ids", alias = "asset_ids")]
    assets_ids: Option<Vec<String>>,
    outcomes: Option<Vec<String>>,
    event_message: Option<RareEvent>,
    timestamp: Option<String>,
    tags: Option<Vec<String>>,
    active: Option<bool>,
    clob_token_ids: Option<Vec<String>>,
    sports_market_type: Option<String>,
    line: Option<Loose>,
    game_start_time: Option<String>,
    order_price_min_tick_size: Option<Loose>,
    group_item_title: Option<String>,
    taker_base_fee: Option<Loose>,
    fees_enabled: Option<bool>,
    fee_schedule: Option<RareFees>,
    #[serde(alias = "winning_token_id")]
    winning_asset_id: Option<String>,
    winning_outcome: Option<String>,
}

#[derive(Deserialize)]
struct RareEvent {
    id: Option<Loose>,
    ticker: Option<String>,
    slug: Option<String>,
    title: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct RareFees {
    exponent: Option<Loose>,
    rate: Option<Loose>,
}

/// A number or text, kept as its characters.
struct Loose(String);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Num::deserialize(d).map(|n| Self(n.0.into_owned()))
    }
}

impl From<RareEvent> for EventMessage {
    fn from(e: RareEvent) -> Self {
        Self { id: e.id.map(|i| i.0), ticker: e.ticker, slug: e.slug, title: e.title, description: e.description }
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.is_empty())
}

fn num(loose: Option<Loose>) -> Option<Num<'static>> {
    loose.map(|l| Num(l.0.into()))
}

fn stamp(text: Option<String>) -> Option<Text<'static>> {
    text.map(|t| Text(t.into()))
}

fn ids(rare: &mut Rare) -> Result<(String, String), DecodeError> {
    let id = rare.id.take().map(|i| i.0).ok_or_else(|| DecodeError::new("id is missing"))?;
    let market = rare.market.take().or_else(|| rare.condition_id.take()).ok_or_else(|| DecodeError::new("market is missing"))?;
    Ok((id, market))
}

/// Decodes `new_market`.
pub(super) fn new_market(json: &str) -> Result<NewMarket, DecodeError> {
    let mut r: Rare = owned(json)?;
    let (id, market) = ids(&mut r)?;
    Ok(NewMarket {
        id,
        market,
        question: r.question,
        slug: r.slug,
        description: r.description,
        asset_ids: r.assets_ids.unwrap_or_default(),
        outcomes: r.outcomes.unwrap_or_default(),
        event_message: r.event_message.map(Into::into),
        timestamp: time(stamp(r.timestamp))?,
        tags: r.tags.unwrap_or_default(),
        active: r.active,
        clob_token_ids: r.clob_token_ids.unwrap_or_default(),
        sports_market_type: filled(r.sports_market_type),
        line: filled(r.line.map(|l| l.0)),
        game_start_time: filled(r.game_start_time),
        order_price_min_tick_size: some("order_price_min_tick_size", num(r.order_price_min_tick_size))?,
        group_item_title: r.group_item_title,
        taker_base_fee: some("taker_base_fee", num(r.taker_base_fee))?,
        fees_enabled: r.fees_enabled,
        fee_schedule: r
            .fee_schedule
            .map(|f| (f.exponent.map(|l| l.0).unwrap_or_default(), f.rate.map(|l| l.0).unwrap_or_default())),
    })
}

/// Decodes `market_resolved`.
pub(super) fn resolved(json: &str) -> Result<MarketResolved, DecodeError> {
    let mut r: Rare = owned(json)?;
    let (id, market) = ids(&mut r)?;
    Ok(MarketResolved {
        id,
        market,
        asset_ids: r.assets_ids.unwrap_or_default(),
        winning_asset_id: filled(r.winning_asset_id),
        winning_outcome: r.winning_outcome,
        event_message: r.event_message.map(Into::into),
        timestamp: time(stamp(r.timestamp))?,
        tags: r.tags.unwrap_or_default(),
    })
}
