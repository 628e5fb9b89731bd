//! The delay of the feed: an order meets the book of the instant at which it reaches the venue, not what had been heard of it by then.

use pm_core::book::BookFlags;
use pm_core::event::Event;
use pm_core::market::Outcome;
use pm_core::order::{Side, Tif};

use super::Rig;

/// 60 are asked at 0.60 on a feed of 45 ms; an order for all of them is decided at 10.000 and reaches the venue at 10.040.
fn asked() -> Rig {
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[("0.58", "60")], &[("0.60", "60")]);
    r
}

#[test]
fn a_level_that_was_cancelled_before_the_order_came_does_not_fill_it() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    // Cancelled at 10.030, ten milliseconds before the order; here it is known at 10.075.
    r.ask(10_030, 10_075, "0.60", "0");
    assert_eq!(r.words(11_000, 1), ["10085 Cancelled not_filled (10040)"]);
    assert_eq!(r.venue.cash(), "1000".parse().unwrap());
}

#[test]
fn a_level_that_is_cancelled_after_the_order_came_fills_it() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.ask(10_060, 10_105, "0.60", "0");
    assert_eq!(r.words(11_000, 1), ["10085 60 @ 0.6 (10040)", "10085 Filled (10040)"]);
}

#[test]
fn an_answer_takes_its_way_back_and_comes_not_before_it_can_be_known() {
    // Feed 5 ms: known at 10.045, answered at 10.080. Feed 100 ms: answered at 10.080, known at 10.140.
    for (lag, arrives) in [(5, 10_080), (100, 10_140)] {
        let mut r = Rig::new();
        r.book(9_900, 9_900 + lag, &[], &[("0.60", "60")]);
        r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
        assert_eq!(r.words(11_000, 1), [format!("{arrives} 60 @ 0.6 (10040)"), format!("{arrives} Filled (10040)")]);
        // Mined 2.5 s, confirmed 6 s after that.
        r.advance(super::ms(arrives + 6_000));
        let settled: Vec<i64> = r.said.iter().skip(2).map(|(at, _)| at.millis() - arrives).collect();
        assert_eq!(settled, [2_500, 6_000], "feed {lag} ms");
    }
}

#[test]
fn rules_need_no_book_and_are_those_of_the_arrival() {
    let mut r = asked();
    r.view.markets[0].closes_at = super::ms(10_041);
    r.buy(10_000, 1, "60", "0.605", Tif::FillAndKill);
    // Reaches the venue in time and is judged after the end.
    r.buy(10_000, 2, "60", "0.60", Tif::FillAndKill);
    r.buy(10_001, 3, "60", "0.60", Tif::FillAndKill);
    assert_eq!(r.words(11_000, 1), ["10080 Refused tick (10040)"]);
    assert_eq!(r.words(11_000, 2), ["10085 60 @ 0.6 (10040)", "10085 Filled (10040)"]);
    assert_eq!(r.words(11_000, 3), ["10081 Refused market_closed (10041)"]);
}

#[test]
fn two_orders_on_their_way_cannot_spend_the_same_money() {
    let settings = super::PaperSettings { latency_ms: vec![40], ..super::PaperSettings::default() };
    let mut r = Rig::with(settings, "50");
    r.book(9_900, 9_945, &[], &[("0.60", "500")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.buy(10_001, 2, "60", "0.60", Tif::FillAndKill);
    assert_eq!(r.words(11_000, 1), ["10085 60 @ 0.6 (10040)", "10085 Filled (10040)"]);
    assert_eq!(r.words(11_000, 2), ["10086 Cancelled balance (10041)"]);
    assert_eq!(r.venue.cash(), "14".parse().unwrap());
    // Without a delay the second one comes to an account that has paid for the first.
    let settings = super::PaperSettings { latency_ms: vec![40], ..super::PaperSettings::default() };
    let mut r = Rig::with(settings, "50");
    r.book(9_900, 9_900, &[], &[("0.60", "500")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.buy(10_000, 2, "60", "0.60", Tif::FillAndKill);
    assert_eq!(r.words(11_000, 1).last().unwrap(), "10080 Filled (10040)");
    assert_eq!(r.words(11_000, 2), ["10080 Refused balance (10040)"]);
    // Two that wait for the same snapshot.
    let settings = super::PaperSettings { latency_ms: vec![40], ..super::PaperSettings::default() };
    let mut r = Rig::with(settings, "50");
    r.sampled(9_900, 9_900, &[], &[("0.60", "500")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.buy(10_001, 2, "60", "0.60", Tif::FillAndKill);
    r.sampled(11_000, 11_000, &[], &[("0.60", "500")]);
    assert_eq!(r.words(12_000, 1).last().unwrap(), "11000 Filled (10040)");
    assert_eq!(r.words(12_000, 2), ["11000 Cancelled balance (10041)"]);
}

#[test]
fn a_feed_that_becomes_slower_is_waited_for() {
    let mut r = asked();
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    // The feed is 70 ms late now: what the venue did until 10.040 is known at 10.110.
    r.ask(10_000, 10_070, "0.65", "10");
    r.ask(10_035, 10_105, "0.60", "0");
    assert_eq!(r.words(11_000, 1), ["10110 Cancelled not_filled (10040)"]);
}

#[test]
fn an_old_time_of_venue_holds_an_order_two_seconds_and_no_longer() {
    let mut r = Rig::new();
    r.book(1_000, 9_945, &[], &[("0.60", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    assert_eq!(r.words(20_000, 1), ["12040 60 @ 0.6 (10040)", "12040 Filled (10040)"]);
}

#[test]
fn a_venue_clock_ahead_of_ours_is_no_delay() {
    let mut r = Rig::new();
    r.book(9_990, 9_945, &[], &[("0.60", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.ask(10_090, 10_045, "0.60", "0");
    assert_eq!(r.words(11_000, 1), ["10080 60 @ 0.6 (10040)", "10080 Filled (10040)"]);
}

#[test]
fn the_hold_ends_in_venue_time() {
    // Held from 10.040 to 10.290, known at 10.335.
    for (gone, filled) in [(10_280, false), (10_300, true)] {
        let mut r = asked().hold(250);
        r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
        r.ask(gone, gone + 45, "0.60", "0");
        let mut want = vec!["10085 Held (10040)"];
        want.extend(if filled {
            vec!["10335 60 @ 0.6 (10290)", "10335 Filled (10290)"]
        } else {
            vec!["10335 Cancelled not_filled (10290)"]
        });
        assert_eq!(r.words(11_000, 1), want, "gone at {gone}");
    }
}

#[test]
fn a_hold_shorter_than_the_delay_ends_in_venue_time_too() {
    // Held from 10.040 to 10.060: over before it is known to have begun.
    for (gone, last) in [(10_050, "10105 Cancelled not_filled (10060)"), (10_070, "10105 Filled (10060)")] {
        let mut r = asked().hold(20);
        r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
        r.ask(gone, gone + 45, "0.60", "0");
        assert_eq!(r.words(11_000, 1).last().unwrap(), last, "gone at {gone}");
    }
}

#[test]
fn whether_an_order_is_held_is_judged_by_the_book_that_it_meets() {
    // The ask comes at 10.030, is heard of at 10.075: the order at 10.040 takes, so it is held.
    let mut r = Rig::new().hold(250);
    r.book(9_900, 9_945, &[], &[("0.61", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.ask(10_030, 10_075, "0.60", "60");
    assert_eq!(r.words(11_000, 1), ["10085 Held (10040)", "10335 60 @ 0.6 (10290)", "10335 Filled (10290)"]);
}

#[test]
fn a_faster_frame_lets_no_order_overtake_on_its_book() {
    let mut r = asked();
    r.snapshot(1, (9_940, 9_945), (&[], &[("0.60", "60")]), BookFlags::default());
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    // From 10.044 on the feed of market 0 is 2 ms late: the second order, at 10.045, could be judged at 10.047, the first waits till 10.085.
    r.buy(10_005, 2, "60", "0.60", Tif::FillAndKill);
    r.submit(10_005, 3, (1, Outcome::First, Side::Buy), ("60", "0.60"), Tif::FillAndKill);
    r.ask(10_042, 10_044, "0.65", "10");
    assert_eq!(r.words(11_000, 1), ["10085 60 @ 0.6 (10040)", "10085 Filled (10040)"]);
    assert_eq!(r.words(11_000, 2), ["10085 Cancelled not_filled (10045)"]);
    // Another book is not held up: known at 10.050, answered at 10.085.
    assert_eq!(r.words(11_000, 3), ["10085 60 @ 0.6 (10045)", "10085 Filled (10045)"]);
}

#[test]
fn an_order_that_was_held_up_is_answered_after_the_one_before_it() {
    let mut r = Rig::new();
    r.book(9_900, 10_000, &[], &[("0.60", "600")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.buy(10_005, 2, "60", "0.60", Tif::FillAndKill);
    r.ask(10_042, 10_044, "0.65", "10");
    assert_eq!(r.words(10_140, 1), ["10140 60 @ 0.6 (10040)", "10140 Filled (10040)"]);
    assert_eq!(r.words(10_140, 2), ["10140 60 @ 0.6 (10045)", "10140 Filled (10045)"]);
    let filled: Vec<u64> =
        r.said.iter().filter_map(|(_, e)| if let Event::Fill(f) = e { Some(f.intent.0) } else { None }).collect();
    assert_eq!(filled, [1, 2]);
}

#[test]
fn another_book_is_not_held_up() {
    let mut r = Rig::new();
    r.book(1_000, 9_945, &[], &[("0.60", "60")]);
    r.snapshot(1, (9_900, 9_945), (&[], &[("0.60", "60")]), BookFlags::default());
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.submit(10_000, 2, (1, Outcome::First, Side::Buy), ("60", "0.60"), Tif::FillAndKill);
    assert_eq!(r.words(20_000, 2), ["10085 60 @ 0.6 (10040)", "10085 Filled (10040)"]);
    assert_eq!(r.words(20_000, 1), ["12040 60 @ 0.6 (10040)", "12040 Filled (10040)"]);
}
