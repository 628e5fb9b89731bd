//! The shapes of the messages.

use std::borrow::Cow;

use pm_core::book::Level;
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::traits::DecodeError;
use pm_core::units::{Px, Qty};

/// `book`: the whole book of one token. Wire order: bids ascending, asks descending, best level last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book<'a> {
    /// Condition id.
    pub market: Cow<'a, str>,
    /// Token id.
    pub asset_id: Cow<'a, str>,
    /// Venue time; absent in some dumps.
    pub timestamp: Option<Ts>,
    /// Hash as sent.
    pub hash: Option<Cow<'a, str>>,
    /// Bids in wire order.
    pub bids: Vec<Level>,
    /// Asks in wire order.
    pub asks: Vec<Level>,
    /// Price grid, in newer frames and in REST bodies.
    pub tick_size: Option<Px>,
    /// Smallest order in shares, in REST bodies.
    pub min_order_size: Option<Qty>,
    /// Negative-risk flag, in REST bodies.
    pub neg_risk: Option<bool>,
    /// Last trade price; `""` is `None`.
    pub last_trade_price: Option<Px>,
}

/// One entry of a `price_change`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// Token id.
    pub asset_id: Cow<'a, str>,
    /// Price of the level.
    pub price: Px,
    /// New total size of the level; 0 removes it.
    pub size: Qty,
    /// Side of the level.
    pub side: Side,
    /// Hash of the book after the change, as sent.
    pub hash: Option<Cow<'a, str>>,
    /// Best bid after the change; `""` is `None`.
    pub best_bid: Option<Px>,
    /// Best ask after the change; `""` is `None`.
    pub best_ask: Option<Px>,
}

/// `price_change`: absolute sizes of levels, usually for both tokens of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange<'a> {
    /// Condition id.
    pub market: Cow<'a, str>,
    /// Venue time.
    pub timestamp: Option<Ts>,
    /// Changes in wire order. The first protocol's single change (fields at the top level) is one entry.
    pub changes: Vec<Change<'a>>,
}

/// `tick_size_change`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickSizeChange<'a> {
    /// Condition id.
    pub market: Cow<'a, str>,
    /// Token id.
    pub asset_id: Cow<'a, str>,
    /// Grid before.
    pub old_tick_size: Option<Px>,
    /// Grid from now on.
    pub new_tick_size: Px,
    /// Venue time.
    pub timestamp: Option<Ts>,
}

/// `last_trade_price`: a trade between others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastTrade<'a> {
    /// Condition id.
    pub market: Cow<'a, str>,
    /// Token id.
    pub asset_id: Cow<'a, str>,
    /// Price.
    pub price: Px,
    /// Shares; `""` is `None`.
    pub size: Option<Qty>,
    /// Side of the taker.
    pub side: Side,
    /// Legacy number, usually 0; not the fee.
    pub fee_rate_bps: Option<Qty>,
    /// Venue time.
    pub timestamp: Option<Ts>,
    /// Transaction hash.
    pub transaction_hash: Option<Cow<'a, str>>,
}

/// `best_bid_ask`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BestBidAsk<'a> {
    /// Condition id.
    pub market: Cow<'a, str>,
    /// Token id.
    pub asset_id: Cow<'a, str>,
    /// Best bid.
    pub best_bid: Option<Px>,
    /// Best ask.
    pub best_ask: Option<Px>,
    /// Spread.
    pub spread: Option<Px>,
    /// Venue time.
    pub timestamp: Option<Ts>,
}

/// The event that a market belongs to, as `new_market` and `market_resolved` carry it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventMessage {
    /// Event id.
    pub id: Option<String>,
    /// Ticker.
    pub ticker: Option<String>,
    /// Slug.
    pub slug: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Rules text.
    pub description: Option<String>,
}

/// `new_market`. Not enough to trade on (no rule metadata): discovery reads Gamma.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewMarket {
    /// Gamma market id.
    pub id: String,
    /// Condition id.
    pub market: String,
    /// Question.
    pub question: Option<String>,
    /// Slug.
    pub slug: Option<String>,
    /// Rules text.
    pub description: Option<String>,
    /// Token ids, index 0 = Up / Yes.
    pub asset_ids: Vec<String>,
    /// Labels in the order of the tokens.
    pub outcomes: Vec<String>,
    /// Event.
    pub event_message: Option<EventMessage>,
    /// Venue time.
    pub timestamp: Option<Ts>,
    /// Tags.
    pub tags: Vec<String>,
    /// Active flag.
    pub active: Option<bool>,
    /// Token ids again.
    pub clob_token_ids: Vec<String>,
    /// Kind of sports market.
    pub sports_market_type: Option<String>,
    /// Line of a sports market.
    pub line: Option<String>,
    /// Start of the game.
    pub game_start_time: Option<String>,
    /// Price grid.
    pub order_price_min_tick_size: Option<Px>,
    /// Title inside a group.
    pub group_item_title: Option<String>,
    /// Legacy fee number.
    pub taker_base_fee: Option<Qty>,
    /// Fees on.
    pub fees_enabled: Option<bool>,
    /// Exponent and rate of the fee schedule, as text.
    pub fee_schedule: Option<(String, String)>,
}

/// `market_resolved`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarketResolved {
    /// Gamma market id.
    pub id: String,
    /// Condition id.
    pub market: String,
    /// Token ids.
    pub asset_ids: Vec<String>,
    /// Token that pays 1.
    pub winning_asset_id: Option<String>,
    /// Its label.
    pub winning_outcome: Option<String>,
    /// Event.
    pub event_message: Option<EventMessage>,
    /// Venue time.
    pub timestamp: Option<Ts>,
    /// Tags.
    pub tags: Vec<String>,
}

/// One message of the market socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Whole book.
    Book(Book<'a>),
    /// Level changes.
    PriceChange(PriceChange<'a>),
    /// New grid.
    TickSize(TickSizeChange<'a>),
    /// Trade.
    LastTrade(LastTrade<'a>),
    /// Best prices.
    BestBidAsk(BestBidAsk<'a>),
    /// New market.
    NewMarket(Box<NewMarket>),
    /// Result.
    Resolved(Box<MarketResolved>),
    /// A type this program does not know, or none.
    Unknown(String),
}

/// A decoded frame, for tools and tests; the protocol reads frames without building this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame<'a> {
    /// `PONG` or `PING`.
    pub heartbeat: bool,
    /// Not JSON at all; ignored as the official client does.
    pub not_json: bool,
    /// Messages in order; an error does not hide its neighbours.
    pub messages: Vec<Result<Message<'a>, DecodeError>>,
}
