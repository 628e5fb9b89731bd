//! Fees at every hop, and the alarm just inside and just outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::fees::FeeHop as Hop;
use pm_core::ids::StructureId;
use pm_core::units::Usd;
use pm_risk::{CommissionTracker, RiskConfig};

#[test]
fn commissions_at_every_hop_and_what_is_left() {
    let mut fees = CommissionTracker::new(&RiskConfig::default());
    let (a, b) = (StructureId(1), StructureId(2));
    fees.on_fee(None, Hop::Transfer, usd("1"));
    fees.on_fee(None, Hop::Gas, usd("2"));
    assert_eq!(fees.on_fill(a, Hop::PredictionTaker, usd("30"), usd("0.5"), usd("0.5")), None);
    assert_eq!(fees.on_fill(a, Hop::HedgeTaker, usd("45"), usd("0.02"), usd("0.02")), None);
    assert_eq!(fees.on_fill(b, Hop::PredictionTaker, usd("25"), usd("0.4"), usd("0.4")), None);
    fees.on_fee(Some(a), Hop::PredictionTaker, usd("0.01"));
    assert_eq!(fees.structure(a).total(), usd("0.53"));
    assert_eq!((fees.shared_part(a), fees.shared_part(b)), (usd("2.25"), usd("0.75")), "by turnover: 75 and 25 of 100");
    assert_eq!(fees.net(a, usd("3")), usd("0.22"));
    assert_eq!(fees.net_edge(a, usd("3"), usd("30")), Some(ratio("0.00733333")));
    assert_eq!(fees.net_edge(a, usd("3"), Usd::ZERO), None);
    let total = fees.total();
    assert_eq!(
        (total.of(Hop::Transfer), total.of(Hop::HedgeTaker), total.of(Hop::Gas), total.of(Hop::PredictionTaker)),
        (usd("1"), usd("0.02"), usd("2"), usd("0.91"))
    );
    assert_eq!(total.total(), usd("3.93"));
    fees.on_reversal(b, Hop::PredictionTaker, usd("25"), usd("0.4"), usd("0.4"));
    assert_eq!(fees.structure(b).total(), Usd::ZERO);
    assert_eq!(fees.turnover(), usd("75"));
    assert_eq!(fees.expected(), usd("0.52"));
    fees.forget(a);
    assert_eq!(fees.structure(a).total(), Usd::ZERO);
    assert_eq!(fees.total().total(), usd("3.53"));
}

#[test]
fn a_fee_alarm_needs_both_thresholds_just_outside() {
    let mut fees = CommissionTracker::new(&RiskConfig::default());
    for (expected, charged, alarm) in [
        ("1", "1.05", false),
        ("1", "1.05000001", true),
        ("1", "0.95", false),
        ("1", "0.94999999", true),
        ("0.001", "0.0011", false),
        ("0.001", "0.00110001", true),
        ("0", "0.0001", false),
        ("0", "0.00010001", true),
    ] {
        let found = fees.on_fill(StructureId(1), Hop::PredictionTaker, usd("10"), usd(expected), usd(charged));
        assert_eq!(found.is_some(), alarm, "{expected} expected, {charged} charged");
    }
    assert_eq!(fees.alarms(), 4);
}
