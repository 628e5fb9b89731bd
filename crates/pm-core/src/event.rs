//! Everything that goes into the engine. Slices are borrowed from the decoder's buffers on the hot path and owned when a journal is
//! replayed; both serialise to the same bytes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::book::{BookFlags, BookLoss, Level};
use crate::ids::{CurrencyId, FeedId, InstrumentIdx, IntentId, MarketIdx, SourceId, VenueId};
use crate::instrument::Instrument;
use crate::market::{Market, MarketChange};
use crate::order::{Fill, OrderUpdate, SettlementUpdate, Side};
use crate::time::{Dur, Ts};
use crate::units::{Px, Qty, Ratio, Usd};

/// Which book an update is for. Binary markets are always in terms of their `First` outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BookId {
    /// Canonical book of a binary market.
    Market(MarketIdx),
    /// Book of an instrument.
    Instrument(InstrumentIdx),
}

/// An input of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// A market appeared (or its metadata was read again).
    MarketListed(Cow<'a, Market>),
    /// A listed market changed.
    MarketChanged {
        /// Market.
        market: MarketIdx,
        /// Change.
        change: MarketChange,
    },
    /// An instrument appeared (or its metadata was read again).
    InstrumentListed(Cow<'a, Instrument>),
    /// Full book.
    BookSnapshot {
        /// Book.
        book: BookId,
        /// Bids in any order.
        bids: Cow<'a, [Level]>,
        /// Asks in any order.
        asks: Cow<'a, [Level]>,
        /// Venue time.
        at: Ts,
        /// Limits of the data.
        flags: BookFlags,
    },
    /// Absolute changes of levels; quantity zero removes.
    BookDelta {
        /// Book.
        book: BookId,
        /// Bids.
        bids: Cow<'a, [Level]>,
        /// Asks.
        asks: Cow<'a, [Level]>,
        /// Venue time.
        at: Ts,
    },
    /// Continuity of a book was lost; it is not to be believed until its next snapshot.
    BookLost {
        /// Book.
        book: BookId,
        /// Why.
        why: BookLoss,
    },
    /// A trade between others (canonical terms for binary markets).
    Print {
        /// Book.
        book: BookId,
        /// Price.
        px: Px,
        /// Quantity; zero when unknown.
        qty: Qty,
        /// Side of the taker.
        taker: Side,
        /// Venue time.
        at: Ts,
    },
    /// Merged ticker of an instrument.
    Ticker {
        /// Instrument.
        instrument: InstrumentIdx,
        /// Values; absent ones were never sent.
        ticker: Ticker,
        /// Venue time.
        at: Ts,
    },
    /// A value of a settlement source.
    Reference {
        /// Source.
        source: SourceId,
        /// What the value is.
        kind: ReferenceKind,
        /// Value.
        px: Px,
        /// Source's own time of the value.
        at: Ts,
    },
    /// A candle of a settlement source.
    Candle {
        /// Source.
        source: SourceId,
        /// Candle.
        candle: Candle,
    },
    /// The venue declared the result of a market.
    Resolved {
        /// Market.
        market: MarketIdx,
        /// What a share of `First` pays: 0, 0.5 or 1. `Second` pays the rest of 1.
        first_pays: Ratio,
        /// Venue time.
        at: Ts,
    },
    /// A venue's word on an order.
    Order(OrderUpdate),
    /// A confirmed fill.
    Fill(Fill),
    /// A later word on a fill's settlement.
    Settlement(SettlementUpdate),
    /// A settled cash movement that is not a trade.
    Cash(CashMovement),
    /// State of a feed, a clock or an endpoint.
    Health(Health<'a>),
    /// A venue's word on the account or on trading as a whole.
    Venue {
        /// Venue.
        venue: VenueId,
        /// Word.
        word: VenueWord,
    },
    /// The ban detector's score for an account on a venue, 0..1.
    BanScore {
        /// Venue.
        venue: VenueId,
        /// Score.
        score: Ratio,
    },
    /// The operator's order.
    Operator(Operator),
    /// Time passed (every 100 ms, and at requested instants).
    Timer,
}

/// What a reference value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReferenceKind {
    /// Value at the instant.
    Spot,
    /// The source's own mean over the window that ends at the instant.
    Twap {
        /// Window.
        window: Dur,
    },
}

/// Ticker of an instrument after merging deltas. All optional: venues omit what does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ticker {
    /// Last trade.
    pub last: Option<Px>,
    /// Mark price.
    pub mark: Option<Px>,
    /// Index price.
    pub index: Option<Px>,
    /// Best bid.
    pub bid: Option<Px>,
    /// Size at best bid.
    pub bid_qty: Option<Qty>,
    /// Best ask.
    pub ask: Option<Px>,
    /// Size at best ask.
    pub ask_qty: Option<Qty>,
    /// Funding rate of the running interval.
    pub funding_rate: Option<Ratio>,
    /// Next funding.
    pub next_funding: Option<Ts>,
    /// Implied volatility of the mark, as a fraction per year (options).
    pub mark_iv: Option<Ratio>,
    /// Implied volatility of the bid.
    pub bid_iv: Option<Ratio>,
    /// Implied volatility of the ask.
    pub ask_iv: Option<Ratio>,
    /// Forward of the option's expiry.
    pub forward: Option<Px>,
}

/// A candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// Begin.
    pub open_at: Ts,
    /// Length.
    pub interval: Dur,
    /// Open.
    pub open: Px,
    /// High.
    pub high: Px,
    /// Low.
    pub low: Px,
    /// Close (last price while the candle runs).
    pub close: Px,
    /// True when the candle is final.
    pub closed: bool,
}

/// A settled cash movement that is not a trade. `amount` is signed from our point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMovement {
    /// Venue.
    pub venue: VenueId,
    /// Currency.
    pub currency: CurrencyId,
    /// Amount, positive = received.
    pub amount: Usd,
    /// What it is.
    pub kind: CashKind,
    /// Venue time.
    pub at: Ts,
}

/// Kinds of cash movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CashKind {
    /// Deposit (positive) or withdrawal (negative): capital, never PnL.
    Transfer,
    /// Fee of a deposit or withdrawal.
    TransferFee,
    /// Funding of a perpetual.
    Funding {
        /// Instrument.
        instrument: InstrumentIdx,
    },
    /// Network fee.
    Gas,
    /// Maker rebate.
    Rebate,
}

/// Health of feeds, endpoints and clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health<'a> {
    /// A feed came up, or went down; `epoch` counts connections.
    Feed {
        /// Feed.
        feed: FeedId,
        /// Venue it belongs to.
        venue: VenueId,
        /// True when live.
        up: bool,
        /// Connection number.
        epoch: u32,
    },
    /// A feed delivered a frame that could not be decoded.
    BadFrame {
        /// Feed.
        feed: FeedId,
    },
    /// One measured request.
    Latency {
        /// Venue.
        venue: VenueId,
        /// Endpoint group.
        endpoint: Endpoint,
        /// Round trip without the taker hold.
        took: Dur,
        /// True when it was answered.
        ok: bool,
    },
    /// Quantiles of measured one-way order latency: what the paper venue samples from. Equal steps from 0 to 1.
    LatencyTable {
        /// Venue.
        venue: VenueId,
        /// Endpoint group.
        endpoint: Endpoint,
        /// Quantiles, ascending.
        quantiles: Cow<'a, [Dur]>,
    },
    /// Offset of a venue's clock against ours, with its error bound.
    Clock {
        /// Venue.
        venue: VenueId,
        /// Venue minus local.
        offset: Dur,
        /// Error bound.
        error: Dur,
    },
}

/// Endpoint groups that latency is tracked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endpoint {
    /// New orders.
    Submit,
    /// Cancels.
    Cancel,
    /// Queries.
    Query,
    /// Public data.
    Public,
}

impl Endpoint {
    /// Name in the `api_health` table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Query => "query",
            Self::Public => "public",
        }
    }
}

/// A venue's word on the account or on trading as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VenueWord {
    /// Account banned.
    Banned,
    /// Only closing is allowed.
    ClosedOnly,
    /// Region blocked.
    Geoblocked,
    /// Compliance refusal.
    Compliance,
    /// Normal trading.
    Normal,
    /// Cancels only.
    CancelOnly,
    /// Post-only orders and cancels only.
    PostOnly,
    /// Announced restart: trading pauses, not a failure.
    Restarting,
}

impl VenueWord {
    /// True for restrictions of the account: always the kill switch, never another account or route.
    #[must_use]
    pub const fn is_no(self) -> bool {
        matches!(self, Self::Banned | Self::ClosedOnly | Self::Geoblocked | Self::Compliance)
    }
}

/// The operator's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Trip the kill switch.
    Kill {
        /// Reason.
        reason: Arc<str>,
    },
    /// Reset the kill switch.
    Reset {
        /// Reason, required.
        reason: Arc<str>,
    },
    /// No new risk until resumed.
    Pause,
    /// Resume.
    Resume,
    /// Cancel one order.
    Cancel {
        /// Order.
        intent: IntentId,
    },
}
