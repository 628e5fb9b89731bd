//! Cancels and expiries: in venue time, like everything else.

use pm_core::order::Tif;
use pm_core::time::Ts;

use super::Rig;

/// 40 are asked at 0.60 on a feed of 45 ms.
fn asked() -> Rig {
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[("0.58", "10")], &[("0.60", "40")]);
    r
}

#[test]
fn a_cancel_does_not_undo_a_match_that_came_before_it() {
    for all in [false, true] {
        let mut r = asked();
        r.buy(10_000, 1, "60", "0.60", Tif::GoodTillCancel);
        // Order at 10.040, cancel at 10.045; both are judged later. 40 were matched, the 20 that rested leave.
        if all {
            r.cancel_all(10_005);
        } else {
            r.cancel(10_005, 1);
        }
        let words = r.words(11_000, 1);
        assert_eq!(words, ["10085 40 @ 0.6 (10040)", "10085 Resting (10040)", "10090 Cancelled (10045)"], "all {all}");
        r.sold(11_000, 11_045, "0.59", "100");
        assert_eq!(r.words(12_000, 1).len(), 3, "nothing rests any more");
    }
}

#[test]
fn a_cancel_on_a_faster_frame_does_not_undo_a_match_either() {
    let mut r = asked();
    r.buy(10_000, 1, "40", "0.60", Tif::GoodTillCancel);
    r.cancel(10_005, 1);
    // The feed is 2 ms late from here on: by itself the cancel of 10.045 could be judged at 10.047.
    r.ask(10_042, 10_044, "0.65", "10");
    assert_eq!(r.words(11_000, 1), ["10085 40 @ 0.6 (10040)", "10085 Filled (10040)"]);
}

#[test]
fn a_cancel_that_comes_before_its_order_finds_nothing() {
    let mut r = asked();
    r.cancel_all(9_990);
    r.buy(10_000, 1, "60", "0.59", Tif::GoodTillCancel);
    assert_eq!(r.words(11_000, 1), ["10085 Resting (10040)"]);
    r.sold(11_000, 11_045, "0.59", "100");
    assert_eq!(r.words(12_000, 1).last().unwrap(), "11045 Filled (11000)");
}

#[test]
fn a_held_order_cannot_be_cancelled() {
    for cancelled in [10_002, 10_100] {
        let mut r = asked().hold(250);
        r.buy(10_000, 1, "60", "0.60", Tif::GoodTillCancel);
        r.cancel(cancelled, 1);
        let words = r.words(11_000, 1);
        assert_eq!(words, ["10085 Held (10040)", "10335 40 @ 0.6 (10290)", "10335 Resting (10290)"], "at {cancelled}");
    }
    // One that reaches the venue after the hold ends what rests.
    let mut r = asked().hold(250);
    r.buy(10_000, 1, "60", "0.60", Tif::GoodTillCancel);
    r.cancel(10_255, 1);
    assert_eq!(r.words(11_000, 1).last().unwrap(), "10340 Cancelled (10295)");
}

#[test]
fn of_two_cancels_the_one_that_finds_it_resting_counts() {
    // Held from 10.040 to 10.060; both cancels come before anything of it is known here.
    let mut r = asked().hold(20);
    r.buy(10_000, 1, "60", "0.60", Tif::GoodTillCancel);
    r.cancel(10_010, 1);
    r.cancel(10_030, 1);
    assert_eq!(
        r.words(11_000, 1),
        ["10085 Held (10040)", "10105 40 @ 0.6 (10060)", "10105 Resting (10060)", "10115 Cancelled (10070)"]
    );
}

#[test]
fn trades_before_the_cancel_fill_though_they_are_heard_of_after_it() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.59", Tif::GoodTillCancel);
    // Reaches the venue at 11.000. Sold at 10.990, heard of at 11.035; sold at 11.001, heard of at 11.044.
    r.cancel(10_960, 1);
    r.sold(10_990, 11_035, "0.59", "20");
    r.sold(11_001, 11_044, "0.59", "20");
    let words = r.words(12_000, 1);
    assert_eq!(words, ["10085 Resting (10040)", "11035 20 @ 0.59 (10990)", "11035 Resting (10990)", "11045 Cancelled (11000)"]);
}

#[test]
fn trades_of_before_the_order_rested_are_not_its_own() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.59", Tif::GoodTillCancel);
    // At 10.039 it was not there yet; a slow frame tells of it after the order was seen to rest.
    r.sold(10_039, 10_095, "0.50", "20");
    r.sold(10_050, 10_096, "0.50", "20");
    assert_eq!(r.words(12_000, 1), ["10085 Resting (10040)", "10096 20 @ 0.59 (10050)", "10096 Resting (10050)"]);
}

#[test]
fn frames_out_of_order_do_not_turn_round_what_is_said() {
    // Two trades, the later one heard of first; each answer takes 40 ms from its own instant.
    let mut r = Rig::new();
    r.book(9_900, 9_905, &[], &[("0.60", "40")]);
    r.buy(10_000, 1, "40", "0.59", Tif::GoodTillCancel);
    r.sold(11_010, 11_012, "0.59", "20");
    r.sold(11_000, 11_013, "0.59", "20");
    let states: Vec<String> = r.words(12_000, 1).into_iter().filter(|w| !w.contains('@')).collect();
    assert_eq!(states, ["10080 Resting (10040)", "11050 Resting (11010)", "11050 Filled (11010)"]);
}

#[test]
fn an_order_with_a_date_ends_at_it() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.59", Tif::GoodTillDate(Ts::from_millis(10_500)));
    r.sold(10_499, 10_544, "0.59", "20");
    assert_eq!(
        r.words(12_000, 1),
        ["10085 Resting (10040)", "10544 20 @ 0.59 (10499)", "10544 Resting (10499)", "10545 Cancelled (10500)"]
    );
    // A cancel before the date is the end.
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.59", Tif::GoodTillDate(Ts::from_millis(10_500)));
    r.cancel(10_100, 1);
    assert_eq!(r.words(12_000, 1), ["10085 Resting (10040)", "10185 Cancelled (10140)"]);
}
