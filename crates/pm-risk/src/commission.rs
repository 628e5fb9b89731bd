//! Fees at every hop, per structure and in total: what each trade really cost, and whether a venue charges what its schedule says.

use std::collections::BTreeMap;

use pm_core::fees::FeeHop;
use pm_core::ids::StructureId;
use pm_core::num::{Round, mul_div};
use pm_core::units::{Ratio, Usd};

use crate::config::RiskConfig;

/// Fees by hop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HopFees(BTreeMap<FeeHop, Usd>);

impl HopFees {
    /// Fee of a hop.
    #[must_use]
    pub fn of(&self, hop: FeeHop) -> Usd {
        self.0.get(&hop).copied().unwrap_or_default()
    }
    /// Of all hops.
    #[must_use]
    pub fn total(&self) -> Usd {
        self.0.values().copied().sum()
    }
    fn add(&mut self, hop: FeeHop, amount: Usd) {
        *self.0.entry(hop).or_default() += amount;
    }
}

/// A venue charged something else than its schedule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("fee at {}: {charged} charged, {expected} expected", hop.as_str())]
pub struct FeeAlarm {
    /// Where.
    pub hop: FeeHop,
    /// By the schedule.
    pub expected: Usd,
    /// As charged.
    pub charged: Usd,
}

#[derive(Debug, Clone, Default)]
struct Costs {
    fees: HopFees,
    turnover: Usd,
}

/// Tracks fees at every hop. Sums in collateral or quote currency, unit for unit.
#[derive(Debug, Clone)]
pub struct CommissionTracker {
    alarm_share: Ratio,
    alarm_amount: Usd,
    total: Costs,
    /// Deposits and withdrawals that belong to no structure.
    shared: Usd,
    structures: BTreeMap<StructureId, Costs>,
    expected: Usd,
    alarms: u32,
}

impl CommissionTracker {
    /// With the alarm thresholds of the settings.
    #[must_use]
    pub fn new(cfg: &RiskConfig) -> Self {
        Self {
            alarm_share: cfg.fee_alarm_share,
            alarm_amount: cfg.fee_alarm_amount,
            total: Costs::default(),
            shared: Usd::ZERO,
            structures: BTreeMap::new(),
            expected: Usd::ZERO,
            alarms: 0,
        }
    }

    /// A fill's notional and fee, as expected by the schedule and as charged. Gives an alarm when they differ, either way, by more than
    /// the share of the expected fee *and* more than the amount.
    pub fn on_fill(
        &mut self,
        structure: StructureId,
        hop: FeeHop,
        notional: Usd,
        expected: Usd,
        charged: Usd,
    ) -> Option<FeeAlarm> {
        for costs in [&mut self.total, self.structures.entry(structure).or_default()] {
            costs.fees.add(hop, charged);
            costs.turnover += notional;
        }
        self.expected += expected;
        let off = (charged - expected).abs();
        let alarm = off > self.alarm_amount && off > expected.abs().scale_by(self.alarm_share, Round::Down);
        self.alarms = self.alarms.saturating_add(u32::from(alarm));
        alarm.then_some(FeeAlarm { hop, expected, charged })
    }

    /// A fee without a fill: deposit, withdrawal, gas. Without a structure it is shared by turnover.
    pub fn on_fee(&mut self, structure: Option<StructureId>, hop: FeeHop, charged: Usd) {
        self.total.fees.add(hop, charged);
        match structure {
            Some(structure) => self.structures.entry(structure).or_default().fees.add(hop, charged),
            None => self.shared += charged,
        }
    }

    /// The venue voided a fill: its notional and fee are taken back.
    pub fn on_reversal(&mut self, structure: StructureId, hop: FeeHop, notional: Usd, expected: Usd, charged: Usd) {
        for costs in [Some(&mut self.total), self.structures.get_mut(&structure)].into_iter().flatten() {
            costs.fees.add(hop, -charged);
            costs.turnover -= notional;
        }
        self.expected -= expected;
    }

    /// Fees of a structure by hop; without its share of shared fees.
    #[must_use]
    pub fn structure(&self, structure: StructureId) -> HopFees {
        self.structures.get(&structure).map_or_else(HopFees::default, |c| c.fees.clone())
    }

    /// A structure's part, by turnover, of the fees that belong to no structure; rounded up.
    #[must_use]
    pub fn shared_part(&self, structure: StructureId) -> Usd {
        let turnover = self.structures.get(&structure).map_or(Usd::ZERO, |c| c.turnover);
        mul_div(self.shared.raw(), turnover.raw(), self.total.turnover.raw(), Round::Up).map_or(Usd::ZERO, Usd::from_raw)
    }

    /// What is left of a structure's gross result after all costs, its part of the shared ones included.
    #[must_use]
    pub fn net(&self, structure: StructureId, gross: Usd) -> Usd {
        gross - self.structure(structure).total() - self.shared_part(structure)
    }

    /// The same as a fraction of the structure's notional, rounded down; `None` for an empty notional.
    #[must_use]
    pub fn net_edge(&self, structure: StructureId, gross: Usd, notional: Usd) -> Option<Ratio> {
        self.net(structure, gross).ratio_of(notional, Round::Down)
    }

    /// Fees of everything by hop.
    #[must_use]
    pub const fn total(&self) -> &HopFees {
        &self.total.fees
    }

    /// Notional of all fills.
    #[must_use]
    pub const fn turnover(&self) -> Usd {
        self.total.turnover
    }

    /// Fees that the schedules expected for all fills.
    #[must_use]
    pub const fn expected(&self) -> Usd {
        self.expected
    }

    /// Number of alarms so far.
    #[must_use]
    pub const fn alarms(&self) -> u32 {
        self.alarms
    }

    /// Drops a closed structure's detail; totals stay.
    pub fn forget(&mut self, structure: StructureId) {
        self.structures.remove(&structure);
    }
}
