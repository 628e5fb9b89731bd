//! Rows for the store, as the engine and the drivers emit them. Ids are counters of the run; the store derives UUIDs from (run, kind,
//! counter), so that the same run gives the same ids and no random source is needed. Sums are collateral or quote currency.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::Severity;
use crate::event::Endpoint;
use crate::ids::{FillId, IntentId, OpportunityId, StructureId, VenueId};
use crate::instrument::Instrument;
use crate::market::{Market, Outcome};
use crate::opportunity::{Band, EvidenceClass, Hedge, StrategyKind, Waterfall};
use crate::order::{OrderIntent, OrderState, SettlementState, Side};
use crate::refusal::{Refusal, VenueRefusal};
use crate::time::{Dur, Ts};
use crate::units::{Px, Qty, Ratio, Usd};

/// One row, or an update of one (rows with ids are upserted: the last write of an id wins).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Record {
    /// Top of a book; conflated per market and interval, the only kind that may be dropped, and then counted.
    MarketData(MarketDataRow),
    /// A market with its rule.
    Market(Arc<Market>),
    /// An instrument.
    Instrument(Arc<Instrument>),
    /// An opportunity episode.
    Opportunity(Box<OpportunityRow>),
    /// A trade leg (all fills of one order).
    Trade(Box<TradeRow>),
    /// A position: one per structure and market.
    Position(Box<PositionRow>),
    /// Bankroll over time.
    Bankroll(BankrollRow),
    /// A risk event.
    RiskEvent(Box<RiskEventRow>),
    /// A fee schedule as of a time.
    FeeSchedule(FeeScheduleRow),
    /// One probe or a summary of an endpoint.
    ApiHealth(ApiHealthRow),
    /// An order.
    Order(Box<OrderRow>),
    /// A change of an order.
    OrderEvent(OrderEventRow),
    /// A settlement change of a fill.
    FillEvent(FillEventRow),
    /// A ledger entry.
    Ledger(Box<LedgerRow>),
}

/// Top of a book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarketDataRow {
    /// Venue.
    pub venue: VenueId,
    /// Venue's market id or symbol.
    pub market: Arc<str>,
    /// Best bid; `None` when the side is empty.
    pub best_bid: Option<Px>,
    /// Best ask.
    pub best_ask: Option<Px>,
    /// Size at best bid; `None` when unknown.
    pub bid_volume: Option<Qty>,
    /// Size at best ask.
    pub ask_volume: Option<Qty>,
    /// Receive time.
    pub at: Ts,
}

/// An opportunity episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpportunityRow {
    /// Id.
    pub id: OpportunityId,
    /// Venue's id of the first leg's market.
    pub market: Arc<str>,
    /// Slug of the first leg's market.
    pub slug: Arc<str>,
    /// All legs for people: `buy Up btc-... @ 0.43; buy No ...`.
    pub legs: Arc<str>,
    /// Outcome bought in the first leg.
    pub outcome: Outcome,
    /// Strategy.
    pub strategy: StrategyKind,
    /// Class of evidence.
    pub class: EvidenceClass,
    /// Fair band.
    pub fair: Band,
    /// Average price of the prediction venue's legs (sum of legs for a set).
    pub prediction_price: Px,
    /// Probability implied by the hedge venue; `None` for model-free sets.
    pub implied_price: Option<Px>,
    /// Best waterfall seen.
    pub waterfall: Waterfall,
    /// Kelly fraction before clips.
    pub kelly: Ratio,
    /// Recommended size in shares after clips.
    pub size: Qty,
    /// The hedge that goes with it.
    pub hedge: Hedge,
    /// Begin of the episode.
    pub detected_at: Ts,
    /// End; `None` while it lasts.
    pub closed_at: Option<Ts>,
    /// How often it was evaluated.
    pub updates: u32,
    /// Taken: the structure opened from it.
    pub structure: Option<StructureId>,
    /// Why it was not taken (last reason).
    pub refusal: Option<Refusal>,
}

/// A trade leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeRow {
    /// Order it came from: its id names the row.
    pub intent: IntentId,
    /// Structure.
    pub structure: StructureId,
    /// Opportunity.
    pub opportunity: Option<OpportunityId>,
    /// Venue's market id or symbol.
    pub market: Arc<str>,
    /// Side.
    pub side: Side,
    /// Filled quantity.
    pub size: Qty,
    /// Average price.
    pub price: Px,
    /// Venue.
    pub venue: VenueId,
    /// Trading fee.
    pub commission: Usd,
    /// Gas in the chain's coin.
    pub gas_native: Option<Usd>,
    /// Gas in collateral.
    pub gas_usd: Option<Usd>,
    /// Deposit and withdrawal fees attributed.
    pub transfer_fees: Option<Usd>,
    /// PnL before fees, once closed.
    pub gross_pnl: Option<Usd>,
    /// All fees, once closed.
    pub total_fees: Option<Usd>,
    /// PnL after fees, once closed.
    pub net_pnl: Option<Usd>,
    /// `open`, `closed`, `failed`.
    pub status: TradeStatus,
    /// First fill.
    pub executed_at: Ts,
    /// Settlement.
    pub settled_at: Option<Ts>,
}

/// Status of a trade leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TradeStatus {
    /// Position is open.
    Open,
    /// Position is closed or settled.
    Closed,
    /// All fills failed to settle and were reversed.
    Failed,
}

impl TradeStatus {
    /// Name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

/// A position over both venues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PositionRow {
    /// Structure: its id names the row.
    pub structure: StructureId,
    /// Venue's id of the first leg's market.
    pub market: Arc<str>,
    /// Shares on the prediction venue (first leg).
    pub prediction_size: Qty,
    /// Base units on the hedge venue, negative = short.
    pub hedge_size: Qty,
    /// Net exposure in collateral: worst-case loss of the whole structure.
    pub net_exposure: Usd,
    /// Average entry price of the first leg.
    pub avg_entry_price: Option<Px>,
    /// Marked PnL.
    pub unrealized_pnl: Usd,
    /// Booked PnL.
    pub realized_pnl: Usd,
    /// Begin.
    pub opened_at: Ts,
    /// End.
    pub closed_at: Option<Ts>,
}

/// Bankroll at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BankrollRow {
    /// Time.
    pub at: Ts,
    /// Equity: cash plus positions at the mark.
    pub total_capital: Usd,
    /// Bound in positions and orders.
    pub allocated: Usd,
    /// Free cash.
    pub available: Usd,
    /// Equity change since 00:00 UTC without transfers.
    pub daily_pnl: Usd,
    /// Largest drop since 00:00 UTC as a fraction of the day's opening bankroll.
    pub daily_drawdown: Ratio,
    /// Closed structures.
    pub total_trades: u32,
    /// Closed with profit.
    pub wins: u32,
    /// Closed with loss or at zero.
    pub losses: u32,
}

/// A risk event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RiskEventRow {
    /// Counter of the run.
    pub seq: u64,
    /// Kind: a trigger's or a gate's code.
    pub kind: Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// For people.
    pub description: Arc<str>,
    /// Market, if it is about one.
    pub market: Option<Arc<str>>,
    /// Structure, if it is about one.
    pub structure: Option<StructureId>,
    /// Begin.
    pub at: Ts,
    /// End.
    pub resolved_at: Option<Ts>,
    /// How it was resolved.
    pub notes: Option<Arc<str>>,
}

/// A fee schedule as of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeeScheduleRow {
    /// Venue.
    pub venue: VenueId,
    /// Kind, e.g. `taker`, `maker`, `taker_curve_rate`.
    pub kind: Arc<str>,
    /// Fraction (0.07 = 7 %).
    pub rate: Option<Ratio>,
    /// Fixed amount.
    pub fixed: Option<Usd>,
    /// Currency code.
    pub currency: Arc<str>,
    /// Valid from.
    pub from: Ts,
}

/// One probe of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiHealthRow {
    /// Venue.
    pub venue: VenueId,
    /// Endpoint.
    pub endpoint: Endpoint,
    /// Round trip.
    pub latency: Dur,
    /// Answered.
    pub ok: bool,
    /// What went wrong.
    pub error: Option<Arc<str>>,
    /// When.
    pub at: Ts,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// The intent.
    pub intent: OrderIntent,
    /// Venue's market id or symbol.
    pub market: Arc<str>,
    /// State.
    pub state: OrderState,
    /// Filled so far.
    pub filled: Qty,
    /// Why it was refused or killed.
    pub reason: Option<VenueRefusal>,
}

/// A change of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderEventRow {
    /// Order.
    pub intent: IntentId,
    /// New state.
    pub state: OrderState,
    /// Filled so far.
    pub filled: Qty,
    /// Why it was refused or killed.
    pub reason: Option<VenueRefusal>,
    /// When.
    pub at: Ts,
}

/// A fill, or a settlement change of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FillEventRow {
    /// Fill.
    pub fill: FillId,
    /// Order.
    pub intent: IntentId,
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Fee.
    pub fee: Usd,
    /// Settlement state.
    pub state: SettlementState,
    /// When.
    pub at: Ts,
}

/// A ledger entry: one debit, one credit, one amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// Counter of the run, without gaps.
    pub seq: u64,
    /// When.
    pub at: Ts,
    /// Account that receives.
    pub debit: Arc<str>,
    /// Account that gives.
    pub credit: Arc<str>,
    /// Asset code: currency, share or contract.
    pub asset: Arc<str>,
    /// Amount above zero, at 1e-8 of the asset.
    pub amount: i64,
    /// Cause code.
    pub cause: Arc<str>,
    /// Structure it belongs to.
    pub structure: Option<StructureId>,
    /// Class of evidence, for PnL by class.
    pub class: Option<EvidenceClass>,
}
