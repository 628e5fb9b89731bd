//! What ten dollars can trade, by hand on both loss bases, and that sizing then agrees price by price.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::budget::{Budget, LossBasis};
use pm_core::ids::MarketIdx;
use pm_core::num::Round;
use pm_core::refusal::Clip;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Ratio, Usd};
use pm_strategy::{FeasibilityInput, Snap, StrategyConfig, cross_exchange, feasibility, size};

fn input(basis: LossBasis) -> FeasibilityInput {
    FeasibilityInput {
        bankroll: Usd::whole(10),
        prediction_share: Ratio::ONE,
        basis,
        bankroll_share: d("0.25"),
        structure_loss: d("0.05"),
        day_loss: d("0.02"),
        limit_use: if basis == LossBasis::Marked { d("0.5") } else { Ratio::ONE },
        min_qty: d("5"),
        min_notional: d("1"),
        fees: crypto_fees(),
        tick: d("0.01"),
        half_spread: d("0.005"),
    }
}

fn ranges(list: &[pm_strategy::PriceRange]) -> Vec<(Px, Px, Clip)> {
    list.iter().map(|r| (r.from, r.to, r.clip)).collect()
}

#[test]
fn ten_dollars_under_worst_case_trade_nothing() {
    // 2 % of 10 is 0.20, and the smallest marketable buy is 1.00.
    let f = feasibility(&input(LossBasis::WorstCase));
    assert!(f.bankroll_too_small());
    assert_eq!(ranges(&f.cannot), [(d("0.01"), d("0.99"), Clip::DayLoss)]);
    // The cheapest smallest order is 5 shares at 0.20: 1.00 + 5 * 0.07 * 0.16 = 1.056; / 0.02 = 52.80. At 0.19: 5.27 shares, 1.0013 + 0.05677.
    assert_eq!(f.smallest_bankroll, d("52.8"));
    let at = |bankroll| feasibility(&FeasibilityInput { bankroll, ..input(LossBasis::WorstCase) });
    assert_eq!(ranges(&at(d("52.8")).can_trade), [(d("0.2"), d("0.2"), Clip::None)]);
    assert!(at(d("52.79")).bankroll_too_small());
    assert!(f.to_string().contains("the smallest bankroll that could trade is 52.8"), "{f}");
}

/// Funds are not moved between venues: what lies on the hedge venue buys no shares.
#[test]
fn only_the_prediction_venues_part_of_the_bankroll_pays() {
    // A dollar at any loss: 5 shares at 0.20 need 1.056, which 1.056 * 0.7 = 0.7392 do not pay; 1.056 / 0.7 = 1.5086 do.
    let free = FeasibilityInput {
        bankroll_share: d("100"),
        structure_loss: d("100"),
        day_loss: d("100"),
        ..input(LossBasis::WorstCase)
    };
    let at = |bankroll, prediction_share| feasibility(&FeasibilityInput { bankroll, prediction_share, ..free });
    assert!(!at(d("1.056"), Ratio::ONE).bankroll_too_small());
    let short = at(d("1.056"), d("0.7"));
    assert!(short.bankroll_too_small());
    assert_eq!((ranges(&short.cannot), short.smallest_bankroll), (vec![(d("0.01"), d("0.99"), Clip::Cash)], d("1.51")));
}

#[test]
fn without_the_dollar_minimum_five_shares_bind_at_the_price() {
    // 5 p + 0.35 p (1 - p) <= 0.20: at 0.037 it is 0.185 + 0.01247 = 0.19747, at 0.038 0.19 + 0.01279 = 0.20279.
    let fine = FeasibilityInput { min_notional: Usd::ZERO, tick: d("0.001"), ..input(LossBasis::WorstCase) };
    let f = feasibility(&fine);
    assert_eq!(ranges(&f.can_trade), [(d("0.001"), d("0.037"), Clip::None)]);
    // At 0.001: 0.005 + 0.00034 = 0.00534; / 0.02 = 0.267.
    assert_eq!(f.smallest_bankroll, d("0.27"));
}

#[test]
fn ten_dollars_under_marked_trade_between_thirteen_and_thirtyone_cents() {
    // Half of 2 % is 0.10 of marked loss: fee + 0.005 a share.
    // 0.13: 7.70 shares (1 / 0.13 up), 0.06096 + 0.0385 = 0.09946. 0.12: 8.34 shares, 0.06164 + 0.0417 = 0.10334.
    // 0.31: 5 shares, 0.07486 + 0.025 = 0.09986. 0.32: 0.07616 + 0.025 = 0.10116.
    // From 0.56 on the 2.50 of the bankroll share ask for more bankroll (2.80 / 0.25 = 11.2) than the day's loss does (0.11124 / 0.01).
    let f = feasibility(&input(LossBasis::Marked));
    assert_eq!(ranges(&f.can_trade), [(d("0.13"), d("0.31"), Clip::None)]);
    assert_eq!(
        ranges(&f.cannot),
        [
            (d("0.01"), d("0.12"), Clip::DayLoss),
            (d("0.32"), d("0.55"), Clip::DayLoss),
            (d("0.56"), d("0.99"), Clip::BankrollShare)
        ]
    );
    // 0.20: 0.056 + 0.025 = 0.081; / 0.01 = 8.10, above 1.00 / 0.25.
    assert_eq!(f.smallest_bankroll, d("8.1"));
    let at = |bankroll| feasibility(&FeasibilityInput { bankroll, ..input(LossBasis::Marked) });
    assert!(!at(d("8.1")).bankroll_too_small());
    assert!(at(d("8.09")).bankroll_too_small());
}

/// The statement is what then happens: with a sure edge, sizing takes exactly the prices that the statement allows.
#[test]
fn sizing_agrees_with_the_statement_at_every_price() {
    let now = Ts::from_secs(START + 60);
    let market = market(0, up_down(START, 300, twap(60)));
    let cfg = StrategyConfig {
        latency: Dur::ZERO,
        settlement_failure_rate: Ratio::ZERO,
        loss_concentration: Ratio::ONE,
        ..StrategyConfig::default()
    };
    for basis in [LossBasis::WorstCase, LossBasis::Marked] {
        for bankroll in [10, 60, 100] {
            let input = FeasibilityInput { bankroll: Usd::whole(bankroll), ..input(basis) };
            let said = feasibility(&input);
            let part = |share: Ratio| input.bankroll.scale_by(share, Round::Down).scale_by(input.limit_use, Round::Down);
            let budget = Budget {
                bankroll: input.bankroll,
                basis,
                bankroll_share: input.bankroll.scale_by(input.bankroll_share, Round::Down),
                cash: input.bankroll,
                structure_loss: part(input.structure_loss),
                day_loss: part(input.day_loss),
                week_loss: Usd::MAX,
                market: Usd::MAX,
                expiry: Usd::MAX,
                underlying: Usd::MAX,
            };
            for cents in 2..=98_i64 {
                let px = Px::from_raw(cents * 1_000_000);
                let quotes = book(&[(&format!("0.{:02}", cents - 1), "500")], &[(&format!("0.{cents:02}"), "500")]);
                let sure = fair("0.999", "0.999", "1");
                let snap = Snap { market: &market, book: &quotes, fair: Ok(sure) };
                let c = cross_exchange::scan(&cfg, now, &snap, None).unwrap();
                let lookup = |_: MarketIdx| Some((&market, &quotes));
                let took = size(&cfg, now, &c, Some(&sure), &budget, &lookup, None);
                let allowed = said.can_trade.iter().any(|r| r.from <= px && px <= r.to);
                assert_eq!(took.is_ok(), allowed, "{basis:?} {bankroll} {px}: {took:?}");
            }
        }
    }
}
