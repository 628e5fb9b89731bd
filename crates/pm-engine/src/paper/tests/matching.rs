//! Post-only, all or nothing, sampled books, the end of a market.

use pm_core::book::{BookFlags, BookLoss};
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::market::Outcome;
use pm_core::order::{Side, Tif};
use pm_core::units::Qty;

use super::Rig;

#[test]
fn post_only_is_judged_by_the_book_that_it_meets() {
    // An ask that is gone when the order comes does not refuse it.
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[("0.58", "60")], &[("0.60", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::PostOnly);
    r.ask(10_030, 10_075, "0.60", "0");
    assert_eq!(r.words(11_000, 1), ["10085 Resting (10040)"]);
    // One that came just before the order does.
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[("0.58", "60")], &[("0.61", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::PostOnly);
    r.ask(10_030, 10_075, "0.60", "1");
    assert_eq!(r.words(11_000, 1), ["10085 Refused would_cross (10040)"]);
}

#[test]
fn the_minimum_value_is_that_of_orders_that_take() {
    // Five at 0.19 are worth 0.95. They rest where nothing is asked at 0.19, also when it was heard to be asked.
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[], &[("0.19", "60")]);
    r.buy(10_000, 1, "5", "0.19", Tif::GoodTillCancel);
    r.ask(10_030, 10_075, "0.19", "0");
    r.buy(10_500, 2, "5", "0.19", Tif::GoodTillCancel);
    r.ask(10_530, 10_575, "0.19", "60");
    assert_eq!(r.words(11_000, 1)[0], "10085 Resting (10040)");
    assert_eq!(r.words(11_000, 2), ["10585 Refused notional (10540)"]);
}

#[test]
fn all_or_nothing_against_a_book() {
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[], &[("0.60", "30"), ("0.61", "30")]);
    r.buy(10_000, 1, "60.01", "0.61", Tif::FillOrKill);
    // What it could not take whole was not taken at all.
    r.buy(10_001, 2, "60", "0.61", Tif::FillOrKill);
    r.buy(10_002, 3, "5", "0.61", Tif::FillAndKill);
    assert_eq!(r.words(11_000, 1), ["10085 Cancelled not_filled (10040)"]);
    assert_eq!(r.words(11_000, 2), ["10086 30 @ 0.6 (10041)", "10086 30 @ 0.61 (10041)", "10086 Filled (10041)"]);
    assert_eq!(r.words(11_000, 3), ["10087 Cancelled not_filled (10042)"]);
}

#[test]
fn all_or_nothing_between_two_snapshots() {
    let mut r = Rig::new();
    r.sampled(9_900, 9_900, &[], &[("0.60", "100"), ("0.61", "30")]);
    r.buy(10_000, 1, "60.01", "0.61", Tif::FillOrKill);
    r.buy(10_001, 2, "60", "0.61", Tif::FillOrKill);
    r.buy(10_002, 3, "5", "0.61", Tif::FillAndKill);
    // 30 of the 100 are left: 30 and 30 count.
    r.sampled(11_000, 11_000, &[], &[("0.60", "30"), ("0.61", "100")]);
    assert_eq!(r.words(12_000, 1), ["11000 Cancelled not_filled (10040)"]);
    assert_eq!(r.words(12_000, 2), ["11000 30 @ 0.6 (10041)", "11000 30 @ 0.61 (10041)", "11000 Filled (10041)"]);
    assert_eq!(r.words(12_000, 3), ["11000 Cancelled not_filled (10042)"]);
}

#[test]
fn a_snapshot_of_before_the_arrival_is_not_the_one_after() {
    let mut r = Rig::new();
    r.sampled(9_900, 9_945, &[], &[("0.60", "100")]);
    r.buy(10_000, 1, "100", "0.60", Tif::FillAndKill);
    // Received after the arrival at 10.040, but it shows 10.030: it is the last one before.
    r.sampled(10_030, 10_075, &[], &[("0.60", "40")]);
    assert!(r.words(10_900, 1).is_empty());
    r.sampled(11_000, 11_045, &[], &[("0.60", "70")]);
    assert_eq!(r.words(12_000, 1), ["11045 40 @ 0.6 (10040)", "11045 Cancelled not_filled (10040)"]);
    // A late snapshot says nothing about when the next one comes: the first of a time after the arrival decides.
    let mut r = Rig::new();
    r.sampled(9_000, 9_945, &[], &[("0.60", "100")]);
    r.buy(10_000, 1, "100", "0.60", Tif::FillAndKill);
    r.sampled(10_100, 10_145, &[], &[("0.60", "40")]);
    assert_eq!(r.words(10_145, 1), ["10145 40 @ 0.6 (10040)", "10145 Cancelled not_filled (10040)"]);
}

#[test]
fn sizes_must_be_known_before_and_after() {
    let (known, unknown) = (
        BookFlags { sampled: true, ..BookFlags::default() },
        BookFlags { sampled: true, ask_sizes_unknown: true, ..BookFlags::default() },
    );
    let asks: &[(&str, &str)] = &[("0.60", "100")];
    for (before, after, filled) in [(known, known, true), (unknown, known, false), (known, unknown, false)] {
        let mut r = Rig::new();
        r.snapshot(0, (9_900, 9_900), (&[], asks), before);
        r.buy(10_000, 1, "100", "0.60", Tif::FillAndKill);
        r.snapshot(0, (11_000, 11_000), (&[], asks), after);
        let last = r.words(12_000, 1).pop().unwrap();
        assert_eq!(last, if filled { "11000 Filled (10040)" } else { "11000 Cancelled not_filled (10040)" });
    }
}

#[test]
fn a_book_that_is_lost_while_frames_are_awaited_fills_nothing() {
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[], &[("0.60", "60")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.buy(10_000, 2, "60", "0.50", Tif::GoodTillCancel);
    r.advance(super::ms(10_060));
    let id = BookId::Market(MarketIdx(0));
    r.view.books.get_mut(&id).unwrap().lose(BookLoss::Disconnected);
    r.event(10_060, &Event::BookLost { book: id, why: BookLoss::Disconnected });
    assert_eq!(r.words(11_000, 1), ["10085 Cancelled not_filled (10040)"]);
    assert_eq!(r.words(11_000, 2), ["10085 Cancelled not_filled (10040)"], "nothing rests behind a queue that is not known");
}

#[test]
fn an_order_whose_market_ends_before_its_data_come_is_not_filled() {
    // On sampled data it waits for a snapshot that will never come: the normal end, not a failure.
    let mut r = Rig::new();
    r.sampled(9_900, 9_900, &[], &[("0.60", "100")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.resolved(10_500, 10_545);
    assert_eq!(r.words(11_000, 1), ["10545 Cancelled not_filled (10040)"]);
    // On a live feed it waits for the frames of its instant.
    let mut r = Rig::new();
    r.book(9_900, 9_945, &[], &[("0.60", "100")]);
    r.buy(10_000, 1, "60", "0.60", Tif::FillAndKill);
    r.resolved(10_010, 10_055);
    assert_eq!(r.words(11_000, 1), ["10080 Cancelled not_filled (10040)"]);
    assert_eq!(r.venue.cash(), "1000".parse().unwrap());
}

#[test]
fn what_rests_is_bound() {
    let settings = super::PaperSettings { latency_ms: vec![40], ..super::PaperSettings::default() };
    let mut r = Rig::with(settings, "65");
    r.book(9_900, 9_945, &[("0.40", "100")], &[("0.60", "100")]);
    // 30 of 65 are bound by 60 at 0.50; 36 for the next are too much, also once 20 of the first were sold for their 10.
    r.buy(10_000, 1, "60", "0.50", Tif::GoodTillCancel);
    r.buy(10_200, 2, "60", "0.60", Tif::FillAndKill);
    r.sold(10_500, 10_545, "0.50", "20");
    r.buy(10_600, 3, "60", "0.60", Tif::FillAndKill);
    r.cancel(10_700, 1);
    r.buy(10_800, 4, "60", "0.60", Tif::FillAndKill);
    assert_eq!(r.words(12_000, 2), ["10280 Refused balance (10240)"]);
    assert_eq!(r.words(12_000, 3), ["10680 Refused balance (10640)"]);
    assert_eq!(r.words(12_000, 4).last().unwrap(), "10885 Filled (10840)");
    // Of the 80 shares 50 are offered already: 30 are left to sell.
    let first = (0, Outcome::First, Side::Sell);
    r.submit(13_000, 5, first, ("50", "0.70"), Tif::GoodTillCancel);
    r.submit(13_200, 6, first, ("31", "0.40"), Tif::FillAndKill);
    r.submit(13_200, 7, first, ("30", "0.40"), Tif::FillAndKill);
    assert_eq!(r.words(14_000, 6), ["13280 Refused balance (13240)"]);
    assert_eq!(r.words(14_000, 7).last().unwrap(), "13285 Filled (13240)");
}

#[test]
fn nothing_is_bought_in_a_market_that_is_over() {
    // It ends before its scheduled time (a barrier is touched) while one order is on its way, one is held and one rests.
    let mut r = Rig::new().hold(250);
    r.book(9_900, 9_945, &[], &[("0.60", "100")]);
    r.buy(9_800, 1, "60", "0.50", Tif::GoodTillCancel);
    r.buy(9_850, 2, "60", "0.60", Tif::FillAndKill);
    r.buy(10_000, 3, "60", "0.60", Tif::FillAndKill);
    r.resolved(9_990, 10_035);
    assert_eq!(r.words(11_000, 1), ["9885 Resting (9840)", "10035 Cancelled (9990)"]);
    assert_eq!(r.words(11_000, 2).last().unwrap(), "10180 Cancelled market_closed (10140)");
    assert_eq!(r.words(11_000, 3), ["10080 Refused market_closed (10040)"]);
    assert_eq!(r.venue.shares(MarketIdx(0), Outcome::First), Qty::ZERO);
    assert_eq!(r.venue.cash(), "1000".parse().unwrap());
}
