//! Typed reasons. Everything that is not done has one: ours ([`Refusal`]) and a venue's ([`VenueRefusal`]). `code` groups them in reports,
//! `Display` explains them to a person.

use serde::{Deserialize, Serialize};

use crate::opportunity::NoHedge;
use crate::time::Dur;
use crate::units::{Px, Qty, Ratio, Usd};

/// Why an opportunity was not taken, or an order not sent. Money in collateral units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    // --- the market ---
    /// The settlement rule was not understood.
    #[error("the market's rule is not understood")]
    RuleNotUnderstood,
    /// An Up/Down window whose start value is not fixed yet.
    #[error("the window has not opened: its strike is not fixed yet")]
    StrikeNotFixed,
    /// Trading has ended or ends too soon.
    #[error("only {left:?} left before the end of trading")]
    TooCloseToEnd {
        /// Time left.
        left: Dur,
    },
    /// The venue takes no orders for the market.
    #[error("the venue takes no orders for this market")]
    NotAccepting,
    /// No underlying in the catalog.
    #[error("the market's underlying is not in the catalog")]
    NoUnderlying,
    // --- the data ---
    /// No value of the settlement source has been seen.
    #[error("no value of the settlement source has been seen")]
    SettlementFeedMissing,
    /// The settlement source's last value is too old.
    #[error("the settlement source is stale: last value {age:?} ago")]
    ReferenceStale {
        /// Age of the last value.
        age: Dur,
    },
    /// No usable price of the hedge venue.
    #[error("the hedge venue's price is missing or stale")]
    HedgePriceStale,
    /// The market's book is not synced.
    #[error("the book is not synced")]
    BookNotSynced,
    /// The market's book is too old.
    #[error("the book is stale: last change {age:?} ago")]
    BookStale {
        /// Age of the last change.
        age: Dur,
    },
    /// Not enough history for volatility or basis.
    #[error("volatility or basis is not estimated yet")]
    WarmingUp,
    /// The side to take has no known sizes.
    #[error("sizes on this side of the book are not known")]
    SizesUnknown,
    // --- the edge ---
    /// Net edge at or below zero.
    #[error("no edge after costs: {net} for the smallest order")]
    NoEdge {
        /// Net edge.
        net: Usd,
    },
    /// Net edge positive but below the minimum.
    #[error("net edge {edge} of notional is below the minimum {min}")]
    BelowMinEdge {
        /// Net edge as a fraction of notional.
        edge: Ratio,
        /// Minimum.
        min: Ratio,
    },
    /// The class of evidence is switched off.
    #[error("this class of evidence is switched off")]
    ClassOff,
    /// The strategy is switched off.
    #[error("this strategy is switched off")]
    StrategyOff,
    /// The horizon asks for a hedge and none can be had.
    #[error("it settles too late to stay unhedged, and {0}")]
    NotHedgeable(NoHedge),
    // --- the size ---
    /// Kelly fraction is zero.
    #[error("the Kelly fraction is zero")]
    KellyZero,
    /// The size after all limits is below the venue's minimum quantity.
    #[error("size {size} after limits is below the venue's minimum of {min} ({clip})")]
    BelowMinQty {
        /// Size after limits.
        size: Qty,
        /// Venue's minimum.
        min: Qty,
        /// The limit that bound.
        clip: Clip,
    },
    /// The value after all limits is below the venue's minimum notional.
    #[error("value {value} after limits is below the venue's minimum of {min} ({clip})")]
    BelowMinNotional {
        /// Value after limits.
        value: Usd,
        /// Venue's minimum.
        min: Usd,
        /// The limit that bound.
        clip: Clip,
    },
    // --- the gates ---
    /// The kill switch is tripped.
    #[error("the kill switch is tripped")]
    KillSwitch,
    /// Trading is paused by the operator.
    #[error("trading is paused")]
    Paused,
    /// The venue banned, blocked or restricted the account.
    #[error("the venue says no")]
    VenueSaysNo,
    /// The venue's mode does not allow this order (restart, cancel-only, post-only).
    #[error("the venue's mode does not allow it")]
    VenueMode,
    /// The price is not on the grid or outside of (0, 1).
    #[error("price {px} is not on the grid {tick}")]
    PriceOffGrid {
        /// Price.
        px: Px,
        /// Grid.
        tick: Px,
    },
    /// A limit of the budget is exceeded.
    #[error("over the limit: {clip} (limit {limit}, would be {would_be})")]
    OverBudget {
        /// Which limit.
        clip: Clip,
        /// Limit.
        limit: Usd,
        /// Value with the order.
        would_be: Usd,
    },
    /// The market already has an open structure or order of ours.
    #[error("a structure is already open in this market")]
    AlreadyOpen,
    /// Too many structures are open.
    #[error("{open} structures are open; the limit is {limit}")]
    TooManyOpen {
        /// Open now.
        open: u32,
        /// Limit.
        limit: u32,
    },
    /// The market was traded or refused by the venue a moment ago.
    #[error("cooling down after the last order in this market")]
    CoolingDown,
    /// An intent with this id exists.
    #[error("an intent with this id exists already")]
    DuplicateIntent,
    /// Settlement failures or unknown orders block new risk.
    #[error("an order's outcome is unknown")]
    OrderUnknown,
    /// The clock is not trusted.
    #[error("the clock is not trusted")]
    ClockUncertain,
}

impl Refusal {
    /// Stable short name for grouping.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RuleNotUnderstood => "rule_not_understood",
            Self::StrikeNotFixed => "strike_not_fixed",
            Self::TooCloseToEnd { .. } => "too_close_to_end",
            Self::NotAccepting => "not_accepting",
            Self::NoUnderlying => "no_underlying",
            Self::SettlementFeedMissing => "settlement_feed_missing",
            Self::ReferenceStale { .. } => "reference_stale",
            Self::HedgePriceStale => "hedge_price_stale",
            Self::BookNotSynced => "book_not_synced",
            Self::BookStale { .. } => "book_stale",
            Self::WarmingUp => "warming_up",
            Self::SizesUnknown => "sizes_unknown",
            Self::NoEdge { .. } => "no_edge",
            Self::BelowMinEdge { .. } => "below_min_edge",
            Self::ClassOff => "class_off",
            Self::StrategyOff => "strategy_off",
            Self::NotHedgeable(_) => "not_hedgeable",
            Self::KellyZero => "kelly_zero",
            Self::BelowMinQty { .. } => "below_min_qty",
            Self::BelowMinNotional { .. } => "below_min_notional",
            Self::KillSwitch => "kill_switch",
            Self::Paused => "paused",
            Self::VenueSaysNo => "venue_says_no",
            Self::VenueMode => "venue_mode",
            Self::PriceOffGrid { .. } => "price_off_grid",
            Self::OverBudget { .. } => "over_budget",
            Self::AlreadyOpen => "already_open",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::CoolingDown => "cooling_down",
            Self::DuplicateIntent => "duplicate_intent",
            Self::OrderUnknown => "order_unknown",
            Self::ClockUncertain => "clock_uncertain",
        }
    }
}

/// The limit that bound a size or refused an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Clip {
    /// Nothing bound: full Kelly.
    None,
    /// Depth of the book at an acceptable price.
    Depth,
    /// 25 % of bankroll.
    BankrollShare,
    /// Cash on the venue.
    Cash,
    /// Loss of one structure.
    StructureLoss,
    /// Loss of the day.
    DayLoss,
    /// Loss of the week.
    WeekLoss,
    /// Exposure per market.
    Market,
    /// Exposure per expiry (correlated windows).
    Expiry,
    /// Exposure per underlying.
    Underlying,
}

impl core::fmt::Display for Clip {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::None => "no limit bound",
            Self::Depth => "depth of the book",
            Self::BankrollShare => "share of bankroll",
            Self::Cash => "cash on the venue",
            Self::StructureLoss => "loss limit of one structure",
            Self::DayLoss => "loss limit of the day",
            Self::WeekLoss => "loss limit of the week",
            Self::Market => "exposure per market",
            Self::Expiry => "exposure per expiry",
            Self::Underlying => "exposure per underlying",
        })
    }
}

/// Why a venue refused, killed or cancelled an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum VenueRefusal {
    /// A fill-and-kill or fill-or-kill order found nothing at its price: a normal outcome.
    #[error("nothing to match at this price")]
    NotFilled,
    /// A post-only order would have taken: a normal outcome.
    #[error("a post-only order would have crossed")]
    WouldCross,
    /// Balance or allowance too small.
    #[error("not enough balance or allowance")]
    Balance,
    /// Price not on the venue's grid.
    #[error("price breaks the tick size")]
    Tick,
    /// Quantity below the venue's minimum or off its lot.
    #[error("size below the minimum or off the lot")]
    Size,
    /// Value below the venue's minimum.
    #[error("value below the minimum")]
    Notional,
    /// The market takes no orders (closed, not ready, resolved).
    #[error("the market takes no orders")]
    MarketClosed,
    /// The venue is restarting or in a restricted mode.
    #[error("the venue is in a restricted mode")]
    Mode,
    /// Too many requests.
    #[error("rate limit")]
    RateLimit,
    /// Price outside of the venue's band.
    #[error("price outside of the venue's band")]
    PriceBand,
    /// Reduce-only order larger than the position.
    #[error("reduce-only order larger than the position")]
    ReduceOnly,
    /// Account banned, closed-only, geoblocked or refused for compliance: trading on the venue stops.
    #[error("the venue restricts this account")]
    Restricted,
    /// Anything else: unexpected, counts as a failed execution.
    #[error("refused for another reason")]
    Other,
}

impl VenueRefusal {
    /// True for outcomes that are part of normal trading and so are not failed executions.
    #[must_use]
    pub const fn is_normal(self) -> bool {
        matches!(self, Self::NotFilled | Self::WouldCross | Self::Mode)
    }
    /// Stable short name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFilled => "not_filled",
            Self::WouldCross => "would_cross",
            Self::Balance => "balance",
            Self::Tick => "tick",
            Self::Size => "size",
            Self::Notional => "notional",
            Self::MarketClosed => "market_closed",
            Self::Mode => "mode",
            Self::RateLimit => "rate_limit",
            Self::PriceBand => "price_band",
            Self::ReduceOnly => "reduce_only",
            Self::Restricted => "restricted",
            Self::Other => "other",
        }
    }
}
