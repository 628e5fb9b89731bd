//! Opportunity episodes: opened when a candidate appears, updated while it lasts, closed when it is gone. One row each, not one per tick.

use std::collections::BTreeMap;

use pm_core::ids::{MarketIdx, OpportunityId};
use pm_core::opportunity::StrategyKind;
use pm_core::record::OpportunityRow;
use pm_core::time::Ts;

/// Which book the episode is about: the strategy and the first leg's market.
pub(crate) type EpisodeKey = (StrategyKind, MarketIdx);

/// One running episode.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) row: OpportunityRow,
    pub(crate) seen_at: Ts,
}

/// All running episodes.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    pub(crate) open: BTreeMap<EpisodeKey, Episode>,
    next: u64,
}

impl Episodes {
    pub(crate) fn next_id(&mut self) -> OpportunityId {
        self.next += 1;
        OpportunityId(self.next)
    }
}
