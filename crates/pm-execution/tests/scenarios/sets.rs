//! Two strikes that contradict each other: Yes of the lower and No of the higher pay at least 1 together.
//!
//! Strikes 80,000 (A) and 80,200 (B) of one candle. Yes of A at 0.55; Yes of B is bid at 0.60, so No of B costs 0.40: 0.95 for at least 1.

use pm_core::opportunity::StrategyKind;
use pm_core::order::Purpose;

use crate::frames::{A, B};
use crate::script::Script;
use crate::world::{Outcome, World, px, qty, ratio, usd};

fn world() -> World {
    let mut w = World::default();
    w.cfg.strategy.strategies.cross_exchange = false;
    w.cfg.risk.max_daily_loss = ratio("0.05");
    w
}

fn opening() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_100);
    s.at(9_000).above(A, "80,000", 3_600).above(B, "80,200", 3_600);
    s.at(9_500).book(A, &[("0.53", "100")], &[("0.55", "100")]);
    s.at(10_000).book(B, &[("0.60", "100")], &[("0.62", "100")]);
    s
}

fn end(mut s: Script, a: &str, b: &str) -> Outcome {
    s.at(3_660_000).resolved(A, a).resolved(B, b);
    s.pong(3_661_000);
    world().play(&s)
}

/// What both legs cost: 55 + 40 = 95. Fees: 100 * 0.07 * 0.55 * 0.45 = 1.7325 and 100 * 0.07 * 0.4 * 0.6 = 1.68.
const LEGS: [&str; 2] = ["buy 100 @ 0.55 fee 1.7325", "buy 100 @ 0.4 fee 1.68"];

#[test]
fn above_both_strikes_one_leg_pays() {
    let out = end(opening(), A.first, B.first);
    assert_eq!(out.fill_words(), LEGS);
    // 1,000 - 95 - 3.4125 + 100 = 1,001.5875: the guaranteed result.
    out.settled("1001.5875", "1000");
    let stats = out.core.engine.stats();
    let set = stats.by_strategy[&StrategyKind::SetArbitrage];
    assert_eq!((set.trades, set.wins, set.net), (1, 1, usd("1.5875")));
    // Row by row: Yes of A made 100 - 55, No of B lost its 40.
    let legs: Vec<_> = out.trades().iter().map(|t| t.gross_pnl.unwrap()).collect();
    assert_eq!(legs, [usd("45"), usd("-40")]);
}

#[test]
fn below_both_strikes_the_other_leg_pays() {
    let out = end(opening(), A.second, B.second);
    out.settled("1001.5875", "1000");
}

#[test]
fn between_the_strikes_both_legs_pay() {
    // 200 instead of 100.
    let out = end(opening(), A.first, B.second);
    out.settled("1101.5875", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("101.5875"));
}

#[test]
fn a_leg_that_misses_is_not_bought_at_a_loss() {
    // B's bid falls to 0.50 on the way: No would cost 0.50. With 0.55 paid for Yes that is 1.05 for 1: Yes alone is a bet that nobody
    // decided on, and is sold at its bid.
    let mut s = opening();
    s.at(10_020).change(B, &[("0.60", "0", "BUY"), ("0.50", "100", "BUY")]);
    let out = end(s, A.second, B.second);
    // 100 * 0.07 * 0.53 * 0.47 = 1.7437.
    assert_eq!(out.fill_words(), ["buy 100 @ 0.55 fee 1.7325", "sell 100 @ 0.53 fee 1.7437"]);
    assert_eq!(out.orders()[2].purpose, Purpose::Reduce);
    // 1,000 - 55 - 1.7325 + 53 - 1.7437 = 994.5238.
    out.settled("994.5238", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("-5.4762"));
    let legs: Vec<_> = out.trades().iter().map(|t| t.gross_pnl.unwrap()).collect();
    assert_eq!(legs, [usd("0"), usd("-2")], "the rows add up to the ledger");
}

#[test]
fn a_leg_that_fails_to_settle_leaves_no_bare_leg_behind() {
    // Both legs match; both fail to settle at 16.080 s or none does: with a failure rate of one everything is reversed, and nothing is left.
    let mut w = world();
    w.poly.failure_rate = ratio("1");
    let mut s = opening();
    s.pong(30_000);
    let out = w.play(&s);
    out.settled("1000", "1000");
    assert_eq!((out.core.engine.stats().failed_fills, out.core.engine.stats().total.trades), (2, 0), "nothing was traded");
    // One leg fails: the venue's word on the fill of B (its second fill) as an event. A's 100 Yes are sold at 0.53.
    let mut s = opening();
    let failed = pm_core::order::SettlementUpdate {
        fill: pm_core::ids::FillId(2),
        state: pm_core::order::SettlementState::Failed,
        at: crate::script::ts(12_000),
    };
    s.at(12_000).change(B, &[("0.60", "0", "BUY"), ("0.50", "100", "BUY")]);
    s.at(12_500).event(&pm_core::event::Event::Settlement(failed));
    s.pong(20_000);
    let out = world().play(&s);
    let last = out.orders().last().unwrap().clone();
    assert_eq!((last.purpose, last.limit >= px("0.5"), last.qty), (Purpose::Reduce, true, qty("100")), "{:?}", out.orders());
    assert_eq!(out.core.engine.ledger().positions().count(), 0, "no leg stands alone");
}

#[test]
fn a_missing_leg_is_bought_once_more_only_where_the_set_still_pays_with_its_fees() {
    // Spent on Yes: 55 + 1.7325. Left for No: 43.2675 with its fee. At 0.41: 41 + 100 * 0.07 * 0.41 * 0.59 = 42.6933 fits;
    // at 0.42: 42 + 1.7052 = 43.7052 does not, although 0.55 + 0.42 is below 1.
    for (bid, no, bought) in [("0.59", "0.41", true), ("0.58", "0.42", false)] {
        let mut s = opening();
        s.at(10_020).change(B, &[("0.60", "0", "BUY")]);
        s.at(10_060).change(B, &[(bid, "100", "BUY")]);
        let out = end(s, A.first, B.first);
        let last = out.orders().last().unwrap().clone();
        assert_eq!(out.orders().len(), 3, "No at {no}");
        if bought {
            assert_eq!((last.purpose, last.limit, last.qty), (Purpose::Hedge, px(no), qty("100")));
            assert_eq!(out.fill_words(), ["buy 100 @ 0.55 fee 1.7325", "buy 100 @ 0.41 fee 1.6933"]);
            // 1,000 - 55 - 1.7325 - 41 - 1.6933 + 100 = 1,000.5742.
            out.settled("1000.5742", "1000");
        } else {
            // Yes alone is sold at 0.53: 1,000 - 56.7325 + 53 - 1.7437.
            assert_eq!(last.purpose, Purpose::Reduce);
            out.settled("994.5238", "1000");
        }
    }
}

#[test]
fn a_set_is_as_large_as_its_thinnest_leg() {
    let mut s = opening();
    s.frames.pop();
    s.at(10_000).book(B, &[("0.60", "37.5")], &[("0.62", "100")]);
    let out = end(s, A.first, B.first);
    // 37.5 of each. 20.625 + 15; fees 37.5 * 0.07 * 0.2475 = 0.6496875 -> 0.64968, 37.5 * 0.07 * 0.24 = 0.63.
    assert_eq!(out.fill_words(), ["buy 37.5 @ 0.55 fee 0.64968", "buy 37.5 @ 0.4 fee 0.63"]);
    // 1,000 - 35.625 - 1.27968 + 37.5 = 1,000.59532.
    out.settled("1000.59532", "1000");
}
