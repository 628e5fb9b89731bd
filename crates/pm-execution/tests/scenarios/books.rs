//! What an order meets: levels in turn, a book that moved while it travelled, one liquidity behind two views, a queue.
//!
//! All in hourly strikes 76,000 at a price of 80,000 (Yes worth 1), decided at 10.000 s, at the venue at 10.040 s, known at 10.080 s.

use pm_core::order::OrderState;
use pm_core::refusal::VenueRefusal;
use pm_core::time::Dur;

use crate::frames::{A, Mkt};
use crate::script::Script;
use crate::world::{Outcome, World, px, qty, usd};

fn opening(m: Mkt, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(m, "76,000", 3_600);
    s.at(10_000).book(m, bids, asks);
    s
}

fn won(s: &mut Script, m: Mkt) -> Outcome {
    s.at(3_660_000).resolved(m, m.first);
    s.pong(3_661_000);
    World::default().play(s)
}

#[test]
fn a_walked_book_fills_level_by_level_and_what_is_gone_is_killed() {
    let mut s = opening(A, &[("0.58", "50")], &[("0.60", "30"), ("0.62", "40"), ("0.65", "50")]);
    // On the way: the last level shrinks from 50 to 20.
    s.at(10_020).change(A, &[("0.65", "20", "SELL")]);
    // Afterwards the book is empty, so that nothing is bought again.
    s.at(10_100).change(A, &[("0.60", "0", "SELL"), ("0.62", "0", "SELL"), ("0.65", "0", "SELL")]);
    let out = won(&mut s, A);
    let o = &out.orders()[0];
    assert_eq!((o.qty, o.limit), (qty("120"), px("0.65")), "30 + 40 + 50, up to the third level");
    // 30 * 0.60 = 18,   fee 30 * 0.07 * 0.6  * 0.4  = 0.504
    // 40 * 0.62 = 24.8, fee 40 * 0.07 * 0.62 * 0.38 = 0.659680 -> 0.65968
    // 20 * 0.65 = 13,   fee 20 * 0.07 * 0.65 * 0.35 = 0.318500 -> 0.3185
    assert_eq!(out.fill_words(), ["buy 30 @ 0.6 fee 0.504", "buy 40 @ 0.62 fee 0.65968", "buy 20 @ 0.65 fee 0.3185"]);
    let last = out.updates().last().unwrap().clone();
    assert_eq!((last.state, last.filled, last.reason), (OrderState::Cancelled, qty("90"), Some(VenueRefusal::NotFilled)));
    // Paid 55.8 + 1.48218 = 57.28218; payoff 90. 1,000 - 57.28218 + 90 = 1,032.71782.
    out.settled("1032.71782", "1000");
    let t = &out.trades()[0];
    assert_eq!((t.size, t.price, t.commission), (qty("90"), px("0.62"), usd("1.48218")), "55.8 / 90 = 0.62");
}

#[test]
fn a_book_that_moved_before_the_arrival_is_missed() {
    let mut s = opening(A, &[("0.58", "50")], &[("0.60", "100")]);
    s.at(10_039).change(A, &[("0.60", "0", "SELL"), ("0.999", "0", "SELL"), ("0.61", "100", "SELL")]);
    s.at(10_060).change(A, &[("0.61", "0", "SELL")]);
    let out = won(&mut s, A);
    assert!(out.fills().is_empty());
    let last = out.updates().last().unwrap().clone();
    assert_eq!((last.state, last.reason), (OrderState::Cancelled, Some(VenueRefusal::NotFilled)));
    out.settled("1000", "1000");
    let stats = out.core.engine.stats();
    assert_eq!((stats.aborted, stats.total.trades), (1, 0), "an order that found nothing is no trade");
    assert!(out.kills().is_empty(), "and no failed execution");
}

#[test]
fn a_change_at_the_instant_of_the_arrival_comes_after_it() {
    // Due at 10.040: the order was there first; at one instant the venue's answer goes before the frame.
    let mut s = opening(A, &[("0.58", "50")], &[("0.60", "100")]);
    s.at(10_040).change(A, &[("0.60", "0", "SELL")]);
    assert_eq!(won(&mut s, A).fill_words(), ["buy 100 @ 0.6 fee 1.68"]);
}

#[test]
fn a_worse_book_within_the_limit_fills_worse() {
    // Order for 150 up to 0.62. On the way the 0.60 level goes.
    let mut s = opening(A, &[("0.58", "50")], &[("0.60", "50"), ("0.62", "100")]);
    s.at(10_020).change(A, &[("0.60", "0", "SELL")]);
    s.at(10_070).change(A, &[("0.62", "0", "SELL")]);
    let out = won(&mut s, A);
    assert_eq!((out.orders()[0].qty, out.orders()[0].limit), (qty("150"), px("0.62")));
    // 100 * 0.62 = 62; fee 100 * 0.07 * 0.62 * 0.38 = 1.6492. 1,000 - 62 - 1.6492 + 100 = 1,036.3508.
    assert_eq!(out.fill_words(), ["buy 100 @ 0.62 fee 1.6492"]);
    out.settled("1036.3508", "1000");
}

#[test]
fn the_taker_hold_counts_on_top_of_latency() {
    // Up/Down: held 250 ms. At the venue at 10.040, matched at 10.290: the level that goes at 10.289 is missed, at 10.291 it is not.
    for (gone, filled) in [(10_289, false), (10_291, true)] {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).updown(A, 0, "76000");
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(gone).change(A, &[("0.60", "0", "SELL")]);
        s.pong(11_000);
        let world = World { taker_hold: Dur::from_millis(250), ..World::default() };
        let out = world.play(&s);
        assert_eq!(out.fills().len(), usize::from(filled), "gone at {gone}");
        assert_eq!(out.updates()[0].state, OrderState::Held);
    }
}

#[test]
fn one_liquidity_seen_through_both_tokens_is_taken_once() {
    // The venue sends the book of Up, and the mirrored book of Down: 100 shares, not 200.
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(9_500).book_of_second(A, &[("0.40", "100")], &[("0.42", "100")]);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    // Both tokens repeat what is left of the level after others took 30 of it.
    s.at(10_500).change(A, &[("0.60", "70", "SELL")]);
    let out = won(&mut s, A);
    // The first frame already shows the ask for Yes at 1 - 0.40 = 0.60. The order takes all 100; after that the level's 70 are still ours.
    assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"]);
    out.settled("1038.32", "1000");
}
