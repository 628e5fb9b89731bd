//! Structures: all legs of one trade, from the first order to the last settlement. A trade in reports is a closed structure.

use std::collections::BTreeMap;

use pm_core::ids::{MarketIdx, OpportunityId, StructureId};
use pm_core::opportunity::{EvidenceClass, Hedge, Legs, StrategyKind};
use pm_core::order::Tradable;
use pm_core::time::Ts;
use pm_core::units::{Px, Usd};

/// Where a structure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Entry orders are out; nothing is confirmed yet.
    Opening,
    /// At least one fill is confirmed.
    Open,
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
    /// Most that entry orders not yet done may still cost.
    pub(crate) pending_outlay: Usd,
    /// Fees of hedge orders so far.
    pub(crate) hedge_fees: Usd,
    pub(crate) stage: Stage,
    /// The missing leg of an incomplete set was tried once more.
    pub(crate) completed: bool,
    /// Being unwound: no hedging, no completing.
    pub(crate) unwinding: bool,
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
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }
}
