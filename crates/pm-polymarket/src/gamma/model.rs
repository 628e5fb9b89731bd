//! The model's shapes.

use pm_core::time::Ts;
use pm_core::units::Px;
use rust_decimal::Decimal;

/// One outcome. Index 0 is Up / Yes in every market seen; the labels decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaOutcome {
    /// Label.
    pub label: String,
    /// Token id of protocol `v1`.
    pub token_id: Option<String>,
    /// Position id of protocol `v2`.
    pub position_id: Option<String>,
    /// Indicative price, 0..1.
    pub price: Option<Decimal>,
}

/// Life-cycle flags and dates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaState {
    /// Shown.
    pub active: Option<bool>,
    /// Over.
    pub closed: Option<bool>,
    /// Hidden.
    pub archived: Option<bool>,
    /// Combination trading.
    pub combo_status: Option<String>,
    /// Orders are taken.
    pub accepting_orders: Option<bool>,
    /// Has an order book.
    pub enable_order_book: Option<bool>,
    /// Shares collateral with the other members of its set.
    pub neg_risk: Option<bool>,
    /// Listing time (unreliable, up to a day before trading).
    pub start_date: Option<Ts>,
    /// Scheduled end.
    pub end_date: Option<Ts>,
    /// Actual end.
    pub closed_time: Option<Ts>,
}

/// Volumes and liquidity in collateral units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaMetrics {
    /// `volume`.
    pub volume: Option<Decimal>,
    /// `volumeNum`.
    pub volume_num: Option<Decimal>,
    /// `volume24hr`.
    pub volume_24hr: Option<Decimal>,
    /// `volume1wk`.
    pub volume_1wk: Option<Decimal>,
    /// `volume1mo`.
    pub volume_1mo: Option<Decimal>,
    /// `volume1yr`.
    pub volume_1yr: Option<Decimal>,
    /// `volumeAmm`.
    pub volume_amm: Option<Decimal>,
    /// `volumeClob`.
    pub volume_clob: Option<Decimal>,
    /// `liquidity`.
    pub liquidity: Option<Decimal>,
    /// `liquidityNum`.
    pub liquidity_num: Option<Decimal>,
    /// `liquidityClob`.
    pub liquidity_clob: Option<Decimal>,
}

/// Indicative prices of the first outcome; up to 300 s old, never traded on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaPrices {
    /// `bestBid`.
    pub best_bid: Option<Decimal>,
    /// `bestAsk`.
    pub best_ask: Option<Decimal>,
    /// `lastTradePrice`.
    pub last_trade_price: Option<Decimal>,
    /// `spread`.
    pub spread: Option<Decimal>,
    /// `oneHourPriceChange`.
    pub one_hour_price_change: Option<Decimal>,
    /// `oneDayPriceChange`.
    pub one_day_price_change: Option<Decimal>,
    /// `oneWeekPriceChange`.
    pub one_week_price_change: Option<Decimal>,
    /// `oneMonthPriceChange`.
    pub one_month_price_change: Option<Decimal>,
    /// `oneYearPriceChange`.
    pub one_year_price_change: Option<Decimal>,
}

/// Fee schedule as sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeeTerms {
    /// Rate, e.g. 0.07.
    pub rate: Option<Decimal>,
    /// Exponent, usually 1; fractions occur.
    pub exponent: Option<Decimal>,
    /// Makers pay nothing.
    pub taker_only: Option<bool>,
    /// Share paid back to makers.
    pub rebate_rate: Option<Decimal>,
}

/// Trading parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaTrading {
    /// Smallest order in shares.
    pub minimum_order_size: Option<Decimal>,
    /// Price grid.
    pub minimum_tick_size: Option<Decimal>,
    /// Order delay in seconds.
    pub seconds_delay: Option<i64>,
    /// Fees on.
    pub fees_enabled: Option<bool>,
    /// Fee category, e.g. `crypto_fees_v2`.
    pub fee_type: Option<String>,
    /// Schedule.
    pub fee_schedule: Option<FeeTerms>,
}

/// Resolution metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaResolution {
    /// `onchainEventId`.
    pub onchain_event_id: Option<String>,
    /// `requestId`.
    pub request_id: Option<String>,
    /// `resolutionStatus` (v2): inactive, active, resolved.
    pub resolution_status: Option<String>,
    /// `questionID`.
    pub question_id: Option<String>,
    /// `negRiskRequestID`.
    pub neg_risk_request_id: Option<String>,
    /// `umaResolutionStatus` (v1): disputed, proposed, requested, resolved, settled.
    pub uma_resolution_status: Option<String>,
    /// `resolutionSource`.
    pub source: Option<String>,
    /// `resolvedBy`.
    pub resolved_by: Option<String>,
}

/// Liquidity rewards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaRewards {
    /// `clobRewards` as JSON text.
    pub clob_rewards: Option<String>,
    /// `rewardsMinSize`.
    pub rewards_min_size: Option<Decimal>,
    /// `rewardsMaxSpread`.
    pub rewards_max_spread: Option<Decimal>,
    /// `holdingRewardsEnabled`.
    pub holding_rewards_enabled: Option<bool>,
}

/// Sports fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaSports {
    /// `sportsMarketType`.
    pub sports_market_type: Option<String>,
    /// `line`.
    pub line: Option<Decimal>,
    /// `gameId`.
    pub game_id: Option<String>,
    /// `gameStartTime`.
    pub game_start_time: Option<Ts>,
}

/// A short reference: event, series or tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaRef {
    /// Id.
    pub id: Option<String>,
    /// Slug.
    pub slug: Option<String>,
    /// Title or label.
    pub title: Option<String>,
}

/// What a market takes from its event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaEvent {
    /// Id, slug, title.
    pub reference: GammaRef,
    /// `eventMetadata.priceToBeat`: value at the window's start (undocumented, venues/polymarket.md 9).
    pub price_to_beat: Option<Px>,
    /// Slug of the first series.
    pub series: Option<String>,
}

/// `cryptoMarketConfig`: how a crypto window settles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CryptoConfig {
    /// `btc-5m-twap-60`.
    pub id: Option<String>,
    /// `btc`.
    pub asset: Option<String>,
    /// `5m`.
    pub duration: Option<String>,
    /// Averaging on.
    pub twap_enabled: Option<bool>,
    /// Averaging window in seconds.
    pub twap_lookback_seconds: Option<i64>,
}

/// A market as Gamma describes it. Absent and empty fields are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GammaMarket {
    /// Gamma id.
    pub id: String,
    /// Protocol version, `v1` or `v2`.
    pub version: Option<String>,
    /// Slug.
    pub slug: Option<String>,
    /// Condition id.
    pub condition_id: Option<String>,
    /// Question.
    pub question: Option<String>,
    /// Title inside its event, e.g. the strike.
    pub group_item_title: Option<String>,
    /// Rules text.
    pub description: Option<String>,
    /// Category.
    pub category: Option<String>,
    /// Image.
    pub image: Option<String>,
    /// Icon.
    pub icon: Option<String>,
    /// Flags and dates.
    pub state: GammaState,
    /// The two outcomes.
    pub outcomes: [GammaOutcome; 2],
    /// Volumes.
    pub metrics: GammaMetrics,
    /// Prices.
    pub prices: GammaPrices,
    /// Trading parameters.
    pub trading: GammaTrading,
    /// Resolution.
    pub resolution: GammaResolution,
    /// Rewards.
    pub rewards: GammaRewards,
    /// Sports.
    pub sports: GammaSports,
    /// Events it belongs to.
    pub events: Vec<GammaEvent>,
    /// Tags.
    pub tags: Vec<GammaRef>,
    /// Creation time.
    pub created_at: Option<Ts>,
    /// Start of the window that decides.
    pub event_start: Option<Ts>,
    /// When orders are accepted from.
    pub accepting_from: Option<Ts>,
    /// Averaging metadata.
    pub crypto: Option<CryptoConfig>,
}
