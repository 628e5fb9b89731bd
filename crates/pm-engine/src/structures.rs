//! Structures: all legs of one trade, from the first order to the last settlement. A trade in reports is a closed structure.

use std::collections::BTreeMap;

use pm_core::budget::Measures;
use pm_core::ids::{MarketIdx, OpportunityId, StructureId};
use pm_core::opportunity::{EvidenceClass, Hedge, Legs, StrategyKind};
use pm_core::order::Tradable;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Usd};

/// Where a structure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Entry orders are out; nothing is confirmed yet.
    Opening,
    /// At least one fill is confirmed.
    Open,
}

/// How far the unwinding of a structure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwind {
    /// It is held to its settlement.
    No,
    /// The kill switch asks for it: decided once nothing of it is on its way.
    Wanted,
    /// Decided: every leg goes to zero, however many orders that takes.
    Active,
}

/// Rest after an order that brought nothing, longer each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Retry {
    at: Ts,
    misses: u32,
}

/// First rest; doubled up to 64 times.
const REST: Dur = Dur::from_millis(250);

impl Retry {
    pub(crate) fn due(self, now: Ts) -> bool {
        now >= self.at
    }
    pub(crate) fn missed(&mut self, now: Ts) {
        self.at = now + Dur::from_nanos(REST.nanos() << self.misses.min(6));
        self.misses = self.misses.saturating_add(1);
    }
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// One structure.
#[derive(Debug, Clone)]
pub(crate) struct Structure {
    pub(crate) opportunity: OpportunityId,
    pub(crate) strategy: StrategyKind,
    pub(crate) class: EvidenceClass,
    pub(crate) legs: Legs,
    pub(crate) hedge: Hedge,
    pub(crate) opened_at: Ts,
    pub(crate) settles_at: Ts,
    /// Fair probability (or set value) at the decision: what the win rate is expected to be.
    pub(crate) expected: Px,
    /// Guaranteed payoff per complete share of the set; zero for an outright leg.
    pub(crate) floor: Px,
    /// Most that purchases of shares not yet done may still cost.
    pub(crate) pending_outlay: Usd,
    /// What the entry uses of the limits, as sized.
    pub(crate) planned: Measures,
    /// True until no entry order is on its way any more.
    pub(crate) entering: bool,
    /// Fees of hedge orders so far.
    pub(crate) hedge_fees: Usd,
    pub(crate) stage: Stage,
    /// The missing leg of an incomplete set was tried once more.
    pub(crate) completed: bool,
    /// Unwinding: then there is no hedging and no completing.
    pub(crate) unwind: Unwind,
    /// When its next order that is not an entry may leave.
    pub(crate) retry: Retry,
    /// The operator was told that the margin for its hedge is missing.
    pub(crate) short_of_margin: bool,
    /// Last marked PnL.
    pub(crate) marked: Usd,
    /// True once a hedge order was filled.
    pub(crate) hedged: bool,
    /// What `First` paid in each leg's market, once resolved.
    pub(crate) paid: BTreeMap<MarketIdx, pm_core::units::Ratio>,
}

impl Structure {
    /// The first leg's market.
    pub(crate) fn market(&self) -> Option<MarketIdx> {
        self.legs.first().map(|l| l.market)
    }
    /// True when one of its legs is in the market.
    pub(crate) fn touches(&self, market: MarketIdx) -> bool {
        self.legs.iter().any(|l| l.market == market)
    }
    /// The leg of a target.
    pub(crate) fn is_leg(&self, target: Tradable) -> bool {
        self.legs.iter().any(|l| target == Tradable::Outcome(l.market, l.outcome))
    }
}

/// All open structures.
#[derive(Debug, Default)]
pub(crate) struct Structures {
    pub(crate) open: BTreeMap<StructureId, Structure>,
    next: u64,
}

impl Structures {
    pub(crate) fn next_id(&mut self) -> StructureId {
        self.next += 1;
        StructureId(self.next)
    }
    /// The first open structure after `id`.
    pub(crate) fn after(&self, id: StructureId) -> Option<StructureId> {
        self.open.range((core::ops::Bound::Excluded(id), core::ops::Bound::Unbounded)).next().map(|(id, _)| *id)
    }
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }
}
