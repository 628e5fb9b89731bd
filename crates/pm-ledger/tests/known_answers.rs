//! Worked examples, to the last unit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;

use common::*;
use pm_core::event::{CashKind, CashMovement};
use pm_core::ids::{CurrencyId, FillId, InstrumentIdx, MarketIdx, StructureId};
use pm_core::opportunity::EvidenceClass;
use pm_core::order::Side::{Buy, Sell};
use pm_core::time::Ts;
use pm_core::units::Usd;
use pm_ledger::{Account, Asset, FeeHop, Ledger, LedgerError, PnlCause, Posting, StructureResult};

fn funded() -> Ledger {
    let mut ledger = Ledger::new();
    deposit(&mut ledger, PREDICTION, COLLATERAL, "1000");
    deposit(&mut ledger, HEDGE, QUOTE, "500");
    ledger
}

#[test]
fn a_win_a_loss_and_a_tie_pay_what_the_market_declared() {
    // 10 shares at 0.43 cost 4.30, fee 0.17157 (0.07 * 10 * 0.43 * 0.57 = 0.171570).
    for (first_pays, cash, settlement, net) in
        [("1", "1005.52843", "5.7", "5.52843"), ("0", "995.52843", "-4.3", "-4.47157"), ("0.5", "1000.52843", "0.7", "0.52843")]
    {
        let mut ledger = funded();
        post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.43", "0.17157")).unwrap();
        assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("995.52843"));
        assert_eq!(ledger.open_cost(), usd("4.3"));
        resolve(&mut ledger, first_pays).unwrap();
        assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd(cash), "{first_pays}");
        assert_eq!(ledger.pnl(PnlCause::Settlement), usd(settlement));
        let fees = usd("0.17157");
        assert_eq!(ledger.structure(S1), StructureResult { gross: usd(settlement), fees, net: usd(net) });
        assert_eq!(ledger.net_by_class(EvidenceClass::VolModel), usd(net));
        assert_eq!(ledger.realized_total(), usd(net));
        assert_eq!(ledger.capital(), usd("1500"));
        assert_eq!(ledger.positions().count(), 0);
        ledger.check().unwrap();
    }
}

#[test]
fn both_outcomes_of_a_market_are_paid_per_structure() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0")).unwrap();
    post_fill(&mut ledger, StructureId(2), &fill(2, DOWN, Buy, "4", "0.55", "0")).unwrap();
    resolve(&mut ledger, "1").unwrap();
    assert_eq!(ledger.structure(S1).net, usd("6"));
    assert_eq!(ledger.structure(StructureId(2)).net, usd("-2.2"));
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("1003.8"));
    // Said again: nothing is paid twice. Said otherwise: refused.
    let before = views(&ledger);
    resolve(&mut ledger, "1").unwrap();
    assert_eq!(views(&ledger), before);
    assert_eq!(resolve(&mut ledger, "0"), Err(LedgerError::ResolvedOtherwise(MarketIdx(7))));
    assert_eq!(views(&ledger), before);
}

#[test]
fn a_sale_takes_average_cost_and_the_last_part_takes_the_rest() {
    let mut ledger = funded();
    // 3 shares for 1.00000002 in two fills of odd prices: the average does not divide.
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "1", "0.33333334", "0")).unwrap();
    post_fill(&mut ledger, S1, &fill(2, UP, Buy, "2", "0.33333334", "0")).unwrap();
    assert_eq!(ledger.position(S1, UP).unwrap().cost, usd("1.00000002"));
    post_fill(&mut ledger, S1, &fill(3, UP, Sell, "1.7", "0.5", "0")).unwrap();
    // 1.00000002 * 1.7 / 3 = 0.566666678 -> 0.56666667 out; 0.85 in.
    assert_eq!(ledger.pnl(PnlCause::Exit), usd("0.28333333"));
    let left = ledger.position(S1, UP).unwrap();
    assert_eq!((left.qty, left.cost), ("1.3".parse().unwrap(), usd("0.43333335")));
    post_fill(&mut ledger, S1, &fill(4, UP, Sell, "1.3", "0.5", "0")).unwrap();
    assert_eq!(ledger.position(S1, UP), None);
    assert_eq!(ledger.open_cost(), Usd::ZERO);
    assert_eq!(ledger.pnl(PnlCause::Exit), usd("0.49999998"));
    ledger.check().unwrap();
}

#[test]
fn a_perpetual_moves_cash_only_for_result_and_fee() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, PERP, Sell, "0.002", "84000", "0.0924")).unwrap();
    assert_eq!(ledger.cash(HEDGE, QUOTE), usd("499.9076"));
    let open = ledger.position(S1, PERP).unwrap();
    assert_eq!((open.qty.to_string(), open.cost, open.avg), ("-0.002".into(), usd("-168"), Some("84000".parse().unwrap())));
    // Half is bought back 100 higher: -0.1.
    post_fill(&mut ledger, S1, &fill(2, PERP, Buy, "0.001", "84100", "0")).unwrap();
    assert_eq!(ledger.pnl(PnlCause::Hedge), usd("-0.1"));
    // Flip: 0.001 closes at 83900 (+0.1), 0.004 opens long.
    post_fill(&mut ledger, S1, &fill(3, PERP, Buy, "0.005", "83900", "0")).unwrap();
    assert_eq!(ledger.pnl(PnlCause::Hedge), Usd::ZERO);
    let flipped = ledger.position(S1, PERP).unwrap();
    assert_eq!((flipped.qty.to_string(), flipped.cost), ("0.004".into(), usd("335.6")));
    post_fill(&mut ledger, S1, &fill(4, PERP, Sell, "0.004", "84000", "0")).unwrap();
    assert_eq!(ledger.pnl(PnlCause::Hedge), usd("0.4"));
    assert_eq!(ledger.cash(HEDGE, QUOTE), usd("500.3076"));
    assert_eq!(ledger.position(S1, PERP), None);
    assert_eq!(ledger.fees(FeeHop::HedgeTaker), usd("0.0924"));
    ledger.check().unwrap();
}

#[test]
fn movements_go_to_their_own_accounts_and_transfers_are_never_pnl() {
    let mut ledger = funded();
    ledger.keep_apart(CurrencyId(3));
    let cases = [
        (CashKind::Transfer, "-100", COLLATERAL),
        (CashKind::TransferFee, "-1.5", COLLATERAL),
        (CashKind::Funding { instrument: InstrumentIdx(3) }, "-0.2", COLLATERAL),
        (CashKind::Rebate, "0.05", COLLATERAL),
        (CashKind::Gas, "-0.003", COLLATERAL),
        (CashKind::Gas, "-2", CurrencyId(3)),
    ];
    for (kind, amount, currency) in cases {
        let movement = CashMovement { venue: PREDICTION, currency, amount: usd(amount), kind, at: Ts::ZERO };
        ledger.post(Posting::Movement { movement: &movement, structure: Some(S1), class: None }).unwrap();
    }
    assert_eq!(ledger.capital(), usd("1400"));
    assert_eq!(ledger.fees(FeeHop::Transfer), usd("1.5"));
    assert_eq!(ledger.fees(FeeHop::Gas), usd("0.003"), "the chain's coin is not a dollar");
    assert_eq!(ledger.fees_in(FeeHop::Gas, CurrencyId(3)), usd("2"));
    assert_eq!(ledger.pnl(PnlCause::Funding), usd("-0.2"));
    assert_eq!(ledger.pnl(PnlCause::Rebate), usd("0.05"));
    assert_eq!(ledger.structure(S1).net, usd("-1.653"));
    assert_eq!(ledger.fees_total(), usd("1.503"));
    assert_eq!(ledger.cash_total(), usd("1398.347"));
    ledger.check().unwrap();
}

#[test]
fn matched_then_failed_after_the_market_paid_gives_everything_back() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0.168")).unwrap();
    resolve(&mut ledger, "1").unwrap();
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("1005.832"));
    reverse(&mut ledger, 1).unwrap();
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("1000"), "no share, no payoff, no fee");
    assert_eq!(ledger.pnl(PnlCause::Settlement), usd("6"));
    assert_eq!(ledger.pnl(PnlCause::Reversal), usd("-6"));
    assert_eq!(ledger.structure(S1), StructureResult::default());
    assert_eq!(ledger.net_by_class(EvidenceClass::VolModel), Usd::ZERO);
    ledger.check().unwrap();
    assert_eq!(reverse(&mut ledger, 1), Err(LedgerError::AlreadyReversed(FillId(1))));
}

#[test]
fn failed_after_a_partial_exit_leaves_the_position_as_if_it_never_was() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0.1")).unwrap();
    post_fill(&mut ledger, S1, &fill(2, UP, Buy, "10", "0.6", "0.1")).unwrap();
    post_fill(&mut ledger, S1, &fill(3, UP, Sell, "10", "0.5", "0.1")).unwrap();
    assert_eq!(ledger.pnl(PnlCause::Exit), Usd::ZERO);
    reverse(&mut ledger, 1).unwrap();
    // What is left: bought 10 at 0.6, sold 10 at 0.5.
    assert_eq!(ledger.position(S1, UP), None);
    assert_eq!(ledger.pnl(PnlCause::Reversal), usd("-1"));
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("998.8"));
    ledger.check().unwrap();
    // The sale fails too: 10 bought at 0.6 are left, with nothing realised but the fee.
    reverse(&mut ledger, 3).unwrap();
    assert_eq!(ledger.position(S1, UP).unwrap().cost, usd("6"));
    assert_eq!(ledger.structure(S1).gross, Usd::ZERO);
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), usd("993.9"));
    ledger.check().unwrap();
}

#[test]
fn shares_that_were_sold_and_then_never_arrived_are_owed() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0")).unwrap();
    post_fill(&mut ledger, S1, &fill(2, UP, Sell, "4", "0.5", "0")).unwrap();
    reverse(&mut ledger, 1).unwrap();
    let owed = ledger.position(S1, UP).unwrap();
    assert_eq!((owed.qty.to_string(), owed.cost), ("-4".into(), usd("-2")));
    assert_eq!(ledger.realized_total(), Usd::ZERO);
    ledger.check().unwrap();
    assert!(!ledger.forget(S1), "an open position is not forgotten");
}

#[test]
fn a_confirmed_sale_of_shares_whose_buy_failed_is_booked_and_owed() {
    // Bought 10 at 0.40, the buy fails to settle, then the venue confirms a sale of 10 at 0.45: 4.5 came in, 10 shares are owed.
    let mut ledger = funded();
    let cash = ledger.cash(PREDICTION, COLLATERAL);
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0")).unwrap();
    reverse(&mut ledger, 1).unwrap();
    post_fill(&mut ledger, S1, &fill(2, UP, Sell, "10", "0.45", "0")).unwrap();
    let owed = ledger.position(S1, UP).unwrap();
    assert_eq!((owed.qty.to_string(), owed.cost), ("-10".into(), usd("-4.5")));
    assert_eq!(ledger.cash(PREDICTION, COLLATERAL), cash + usd("4.5"));
    ledger.check().unwrap();
}

#[test]
fn refused_postings_change_nothing() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0.1")).unwrap();
    let before = views(&ledger);
    let rows = ledger.drain().count();
    assert_eq!(rows, 5, "two deposits, shares, cost, fee");
    assert_eq!(post_fill(&mut ledger, S1, &fill(1, UP, Buy, "1", "0.4", "0")), Err(LedgerError::DuplicateFill(FillId(1))));
    assert_eq!(reverse(&mut ledger, 77), Err(LedgerError::UnknownFill(FillId(77))));
    for bad in [
        fill(3, UP, Buy, "0", "0.4", "0"),
        fill(3, UP, Buy, "-1", "0.4", "0"),
        fill(3, UP, Buy, "1", "1.00000001", "0"),
        fill(3, UP, Buy, "1", "-0.1", "0"),
        fill(3, UP, Buy, "1", "0.4", "-0.01"),
    ] {
        assert!(matches!(post_fill(&mut ledger, S1, &bad), Err(LedgerError::OutOfRange { .. })), "{bad:?}");
    }
    assert!(matches!(resolve(&mut ledger, "1.1"), Err(LedgerError::OutOfRange { .. })));
    let elsewhere = Posting::Fill {
        fill: &fill(4, UP, Buy, "1", "0.4", "0"),
        structure: S1,
        class: None,
        venue: HEDGE,
        currency: COLLATERAL,
        hop: FeeHop::PredictionTaker,
    };
    assert!(matches!(ledger.post(elsewhere), Err(LedgerError::OtherVenue { .. })));
    assert_eq!(views(&ledger), before);
    assert_eq!(ledger.drain().count(), 0);
    ledger.check().unwrap();
}

#[test]
fn an_overflow_half_way_undoes_the_rows_before_it() {
    let mut ledger = Ledger::new();
    let most = Usd::from_raw(i64::MAX - 10);
    ledger.post(Posting::Capital { venue: PREDICTION, currency: COLLATERAL, amount: most, at: Ts::ZERO }).unwrap();
    let before = views(&ledger);
    let again = ledger.post(Posting::Capital { venue: PREDICTION, currency: COLLATERAL, amount: usd("1"), at: Ts::ZERO });
    assert_eq!(again, Err(LedgerError::Overflow(Asset::Currency(COLLATERAL))));
    // Bought at 0: shares come in, then the payoff does not fit into cash, after the shares went out.
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "5", "0", "0")).unwrap();
    let held = views(&ledger);
    assert_eq!(resolve(&mut ledger, "1"), Err(LedgerError::Overflow(Asset::Currency(COLLATERAL))));
    assert_eq!(views(&ledger), held);
    assert_ne!(before, held);
    ledger.check().unwrap();
}

#[test]
fn forgotten_structures_keep_totals_and_answer_late_reversals_with_a_type() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0.1")).unwrap();
    resolve(&mut ledger, "1").unwrap();
    let total = ledger.realized_total();
    assert!(ledger.forget(S1));
    assert_eq!(ledger.realized_total(), total);
    assert_eq!(ledger.net_by_class(EvidenceClass::VolModel), total);
    assert_eq!(ledger.structure(S1), StructureResult::default());
    assert_eq!(reverse(&mut ledger, 1), Err(LedgerError::UnknownFill(FillId(1))));
    ledger.check().unwrap();
}

#[test]
fn a_holding_that_came_after_the_resolution_is_paid_when_it_is_said_again() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0")).unwrap();
    resolve(&mut ledger, "1").unwrap();
    post_fill(&mut ledger, S1, &fill(2, UP, Buy, "5", "0.4", "0")).unwrap();
    assert_eq!(ledger.open_cost(), usd("2"));
    resolve(&mut ledger, "1").unwrap();
    assert_eq!(ledger.pnl(PnlCause::Settlement), usd("9"));
    reverse(&mut ledger, 2).unwrap();
    assert_eq!(ledger.realized_total(), usd("6"));
    ledger.check().unwrap();
}

#[test]
fn rows_are_numbered_without_gaps_and_have_stable_texts() {
    let mut ledger = funded();
    post_fill(&mut ledger, S1, &fill(1, UP, Buy, "10", "0.4", "0.1")).unwrap();
    post_fill(&mut ledger, S1, &fill(2, PERP, Sell, "0.001", "84000", "0")).unwrap();
    resolve(&mut ledger, "0").unwrap();
    let entries: Vec<_> = ledger.drain().collect();
    for (entry, seq) in entries.iter().zip(1_u64..) {
        assert_eq!(entry.seq, seq);
        assert!(entry.amount > 0);
    }
    let name = |asset: Asset| -> Arc<str> { asset.to_string().into() };
    let texts: Vec<String> = entries
        .iter()
        .map(|e| e.to_row(&name))
        .map(|r| format!("{} <- {} {} {} {}", r.debit, r.credit, r.asset, r.amount, r.cause))
        .collect();
    assert_eq!(
        texts,
        [
            "cash:0:0 <- capital:0:0 currency:0 100000000000 capital",
            "cash:1:1 <- capital:1:1 currency:1 50000000000 capital",
            "holding:1:m7:first <- counterparty:0 shares:m7:first 1000000000 fill",
            "cost:1:m7:first <- cash:0:0 currency:0 400000000 fill",
            "expense:prediction_taker <- cash:0:0 currency:0 10000000 fee",
            "counterparty:1 <- holding:1:i3 contract:i3 100000 fill",
            "counterparty:1 <- cost:1:i3 currency:1 8400000000 fill",
            "counterparty:0 <- holding:1:m7:first shares:m7:first 1000000000 settlement",
            "cash:0:0 <- cost:1:m7:first currency:0 400000000 settlement",
            "income:settlement <- cash:0:0 currency:0 400000000 settlement",
        ]
    );
    assert_eq!(ledger.drain().count(), 0);
    assert_eq!(Account::Income(PnlCause::Exit).to_string(), "income:exit");
}
