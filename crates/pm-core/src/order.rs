//! Orders, fills and their two lifecycles: the order's (intended to done) and the fill's settlement (matched to confirmed, or failed
//! and reversed). They are separate because a matched trade is not final.

use serde::{Deserialize, Serialize};

use crate::fees::Liquidity;
use crate::ids::{CurrencyId, FillId, InstrumentIdx, IntentId, MarketIdx, StructureId, VenueId};
use crate::market::Outcome;
use crate::refusal::VenueRefusal;
use crate::time::Ts;
use crate::units::{Px, Qty, Usd};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
    /// `buy` or `sell`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// What is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tradable {
    /// An outcome of a binary market.
    Outcome(MarketIdx, Outcome),
    /// An instrument of the hedge venue.
    Instrument(InstrumentIdx),
}

/// Time in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tif {
    /// Fill what is there, cancel the rest (FAK / IOC).
    FillAndKill,
    /// All or nothing.
    FillOrKill,
    /// Rests until filled or cancelled.
    GoodTillCancel,
    /// Rests until the instant.
    GoodTillDate(Ts),
    /// Rests; refused when it would take.
    PostOnly,
}

impl Tif {
    /// True when the order may rest in the book.
    #[must_use]
    pub const fn rests(self) -> bool {
        matches!(self, Self::GoodTillCancel | Self::GoodTillDate(_) | Self::PostOnly)
    }
}

/// Why an order exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Opens a structure.
    Entry,
    /// Hedges confirmed exposure.
    Hedge,
    /// Reduces or closes a position.
    Reduce,
}

impl Purpose {
    /// True when it can increase risk and so must pass every gate.
    #[must_use]
    pub const fn increases_risk(self) -> bool {
        matches!(self, Self::Entry)
    }
}

/// A decided order. It leaves only as [`crate::approval::Approved`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderIntent {
    /// Client id.
    pub id: IntentId,
    /// The structure it belongs to.
    pub structure: StructureId,
    /// Venue it goes to.
    pub venue: VenueId,
    /// What is traded.
    pub target: Tradable,
    /// Buy or sell.
    pub side: Side,
    /// Worst acceptable price.
    pub limit: Px,
    /// Quantity in shares or base units.
    pub qty: Qty,
    /// Time in force.
    pub tif: Tif,
    /// Why it exists.
    pub purpose: Purpose,
    /// When it was decided.
    pub decided_at: Ts,
}

/// State of an order as confirmed by its venue. Unknown is a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderState {
    /// Decided, not yet acknowledged.
    Sent,
    /// Accepted and held by the venue before matching; cannot be cancelled.
    Held,
    /// In the book.
    Resting,
    /// Done: nothing left.
    Filled,
    /// Done: cancelled, killed or expired, possibly after partial fills.
    Cancelled,
    /// Done: refused, nothing happened.
    Refused,
    /// The outcome is not known: resolved by asking, never by resending.
    Unknown,
}

impl OrderState {
    /// True when nothing more can happen to the order.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Refused)
    }

    /// Whether `next` may follow. A repeated state is allowed (partial fills, duplicated messages); a done order stays done.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Sent | Self::Unknown => true,
            Self::Held => !matches!(next, Self::Sent),
            Self::Resting => !matches!(next, Self::Sent | Self::Held | Self::Refused),
            Self::Filled => matches!(next, Self::Filled),
            Self::Cancelled => matches!(next, Self::Cancelled),
            Self::Refused => matches!(next, Self::Refused),
        }
    }
}

/// A venue's word on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderUpdate {
    /// Which order.
    pub intent: IntentId,
    /// New state.
    pub state: OrderState,
    /// Cumulative filled quantity as the venue states it.
    pub filled: Qty,
    /// Why it was refused or killed.
    pub reason: Option<VenueRefusal>,
    /// Venue time.
    pub at: Ts,
}

/// Settlement of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SettlementState {
    /// Matched off chain: counts for hedging, may still fail.
    Matched,
    /// In a block.
    Mined,
    /// The transaction failed and is being retried.
    Retrying,
    /// Final.
    Confirmed,
    /// Void: the fill is reversed and its hedge unwound.
    Failed,
}

impl SettlementState {
    /// True when the state is final.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed)
    }

    /// Whether `next` may follow. Late or repeated messages never move backwards, and a final state never changes.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Matched => !matches!(next, Self::Matched),
            Self::Mined => matches!(next, Self::Confirmed | Self::Failed | Self::Retrying),
            Self::Retrying => matches!(next, Self::Mined | Self::Confirmed | Self::Failed),
            Self::Confirmed | Self::Failed => false,
        }
    }
}

/// A confirmed fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Venue's trade id.
    pub id: FillId,
    /// Our order.
    pub intent: IntentId,
    /// What was traded.
    pub target: Tradable,
    /// Our side.
    pub side: Side,
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Fee charged, in `fee_currency`, at least zero.
    pub fee: Usd,
    /// Currency of the fee.
    pub fee_currency: CurrencyId,
    /// Taker or maker.
    pub liquidity: Liquidity,
    /// Settlement state at the time of the message.
    pub settlement: SettlementState,
    /// Venue time.
    pub at: Ts,
}

/// A later word on a fill's settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementUpdate {
    /// Which fill.
    pub fill: FillId,
    /// New state.
    pub state: SettlementState,
    /// Venue time.
    pub at: Ts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_done_order_stays_done() {
        for done in [OrderState::Filled, OrderState::Cancelled, OrderState::Refused] {
            for next in [OrderState::Sent, OrderState::Held, OrderState::Resting, OrderState::Unknown] {
                assert!(!done.may_become(next), "{done:?} -> {next:?}");
            }
        }
        assert!(OrderState::Unknown.may_become(OrderState::Filled));
    }

    #[test]
    fn failed_after_matched_is_possible_and_final() {
        assert!(SettlementState::Matched.may_become(SettlementState::Failed));
        assert!(SettlementState::Mined.may_become(SettlementState::Retrying));
        assert!(!SettlementState::Failed.may_become(SettlementState::Confirmed));
        assert!(
            !SettlementState::Confirmed.may_become(SettlementState::Matched),
            "a replayed MATCHED after CONFIRMED is not applied twice"
        );
    }
}
