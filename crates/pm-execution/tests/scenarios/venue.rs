//! The paper venue by itself: orders that the engine's strategies never send, against books and prints from wire frames.

use pm_core::ids::{IntentId, MarketIdx, StructureId};
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::time::Ts;

use crate::bench::Bench;
use crate::frames::A;
use crate::script::{Script, ts};
use crate::world::{POLY, World, px, qty, usd};

fn order(outcome: Outcome, side: Side, quantity: &str, limit: &str, tif: Tif) -> OrderIntent {
    OrderIntent {
        id: IntentId(0),
        structure: StructureId(0),
        venue: POLY,
        target: Tradable::Outcome(MarketIdx(0), outcome),
        side,
        limit: px(limit),
        qty: qty(quantity),
        tif,
        purpose: Purpose::Entry,
        decided_at: Ts::ZERO,
    }
}

/// A market without prices of its underlying: nothing is decided by the engine. Latency 40 ms each way.
fn quiet(book: impl FnOnce(&mut Script)) -> Bench {
    let mut bench = Bench::new(&World::default(), |_| {});
    let mut s = Script::new();
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000);
    book(&mut s);
    bench.play(&s);
    bench
}

#[test]
fn both_views_draw_on_one_liquidity() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.58", "100")], &[("0.60", "100")]);
    });
    // Buying Yes takes 60 of the 100 asked at 0.60. Buying No at 0.42 takes the bids for Yes at 0.58.
    // Selling No at 0.40 is buying Yes at 0.60: of the 100 only 40 are left.
    let yes = b.submit(ts(11_000), order(Outcome::First, Side::Buy, "60", "0.60", Tif::FillAndKill));
    let no = b.submit(ts(12_000), order(Outcome::Second, Side::Buy, "60", "0.42", Tif::FillAndKill));
    let sell = b.submit(ts(13_000), order(Outcome::Second, Side::Sell, "60", "0.40", Tif::FillAndKill));
    b.inner.advance(ts(14_000));
    // 60 * 0.07 * 0.24 = 1.008; 60 * 0.07 * 0.42 * 0.58 = 1.02312; 40 * 0.07 * 0.24 = 0.672.
    assert_eq!(b.words(yes), ["60 @ 0.6 fee 1.008 Taker", "Filled"]);
    assert_eq!(b.words(no), ["60 @ 0.42 fee 1.02312 Taker", "Filled"]);
    assert_eq!(b.words(sell), ["40 @ 0.4 fee 0.672 Taker", "Cancelled not_filled"]);
    // 1,000 - 36 - 1.008 - 25.2 - 1.02312 + 16 - 0.672 = 952.09688.
    assert_eq!(b.inner.venues[0].cash(), usd("952.09688"));
    assert_eq!(b.inner.venues[0].shares(MarketIdx(0), Outcome::Second), qty("20"));
}

#[test]
fn taken_stays_taken_until_the_level_is_new() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.58", "100")], &[("0.60", "100")]);
    });
    let take = || order(Outcome::First, Side::Buy, "60", "0.60", Tif::FillAndKill);
    let first = b.submit(ts(11_000), take());
    b.inner.advance(ts(11_500));
    assert_eq!(b.words(first), ["60 @ 0.6 fee 1.008 Taker", "Filled"]);
    // The venue repeats the book, whole, also after a lost connection: it is the same 100.
    let mut s = Script::new();
    s.at(12_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    b.play(&s);
    let lost = pm_core::event::Event::BookLost {
        book: pm_core::event::BookId::Market(MarketIdx(0)),
        why: pm_core::book::BookLoss::Disconnected,
    };
    b.inner.step(ts(12_100), &lost);
    let mut s = Script::new();
    s.at(12_200).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    b.play(&s);
    let second = b.submit(ts(13_000), take());
    b.inner.advance(ts(13_500));
    assert_eq!(b.words(second), ["40 @ 0.6 fee 0.672 Taker", "Cancelled not_filled"]);
    // Gone and back: new liquidity.
    let mut s = Script::new();
    s.at(14_000).change(A, &[("0.60", "0", "SELL")]);
    s.at(14_100).change(A, &[("0.60", "100", "SELL")]);
    b.play(&s);
    let third = b.submit(ts(15_000), take());
    b.inner.advance(ts(15_500));
    assert_eq!(b.words(third), ["60 @ 0.6 fee 1.008 Taker", "Filled"]);
}

#[test]
fn a_resting_order_waits_behind_its_queue() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.55", "100")], &[("0.60", "100")]);
    });
    // 50 at 0.55 behind 100 that were there before.
    let id = b.submit(ts(11_000), order(Outcome::First, Side::Buy, "50", "0.55", Tif::PostOnly));
    let mut s = Script::new();
    // 60 sold at 0.55: the queue is 40. A buyer's print says nothing. 70 sold: 40 of the queue, 30 of ours.
    s.at(12_000).print(A, "0.55", "60", "SELL");
    s.at(12_500).print(A, "0.60", "500", "BUY");
    b.play(&s);
    assert_eq!(b.words(id), ["Resting"]);
    let mut s = Script::new();
    s.at(13_000).print(A, "0.55", "70", "SELL");
    s.pong(13_100);
    b.play(&s);
    assert_eq!(b.words(id), ["30 @ 0.55 fee 0 Maker", "Resting"]);
    // A print through the price reaches the rest, at our price and not a better one.
    let mut s = Script::new();
    s.at(14_000).print(A, "0.54", "100", "SELL");
    s.pong(14_100);
    b.play(&s);
    assert_eq!(b.words(id), ["30 @ 0.55 fee 0 Maker", "20 @ 0.55 fee 0 Maker", "Filled"]);
    // 50 * 0.55 = 27.5, no fee for makers.
    assert_eq!(b.inner.venues[0].cash(), usd("972.5"));
}

#[test]
fn cancels_ahead_shorten_the_queue_and_a_book_through_us_fills_once() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.55", "100")], &[("0.60", "100")]);
    });
    let id = b.submit(ts(11_000), order(Outcome::First, Side::Buy, "50", "0.55", Tif::GoodTillCancel));
    let mut s = Script::new();
    // 90 of the 100 ahead cancel: 10 are left. 15 sold: 5 are ours.
    s.at(12_000).change(A, &[("0.55", "10", "BUY")]);
    s.at(12_500).print(A, "0.55", "15", "SELL");
    // The ask falls through our price and shows 20; the next change of the book repeats the same 20.
    s.at(13_000).change(A, &[("0.55", "0", "BUY"), ("0.54", "20", "SELL")]);
    s.at(13_500).change(A, &[("0.61", "7", "SELL")]);
    s.pong(13_900);
    b.play(&s);
    assert_eq!(b.words(id), ["5 @ 0.55 fee 0 Maker", "20 @ 0.55 fee 0 Maker", "Resting"]);
    // Ten more appear there: those, too.
    let mut s = Script::new();
    s.at(14_000).change(A, &[("0.54", "30", "SELL")]);
    s.pong(14_900);
    b.play(&s);
    assert_eq!(b.words(id)[2], "10 @ 0.55 fee 0 Maker");
}

#[test]
fn what_the_venue_refuses() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.58", "100")], &[("0.60", "2000")]);
    });
    let cases = [
        (order(Outcome::First, Side::Buy, "100", "0.605", Tif::FillAndKill), "Refused tick"),
        (order(Outcome::First, Side::Buy, "4.99", "0.60", Tif::FillAndKill), "Refused size"),
        (order(Outcome::First, Side::Buy, "10.005", "0.60", Tif::FillAndKill), "Refused size"),
        (order(Outcome::First, Side::Buy, "1700", "0.60", Tif::FillAndKill), "Refused balance"),
        (order(Outcome::First, Side::Sell, "5", "0.58", Tif::FillAndKill), "Refused balance"),
        (order(Outcome::First, Side::Buy, "10", "0.60", Tif::PostOnly), "Refused would_cross"),
        (order(Outcome::First, Side::Buy, "2001", "0.45", Tif::FillOrKill), "Cancelled not_filled"),
    ];
    for (i, (intent, says)) in cases.into_iter().enumerate() {
        let id = b.submit(ts(11_000 + i64::try_from(i).unwrap() * 1_000), intent);
        b.inner.advance(ts(11_500 + i64::try_from(i).unwrap() * 1_000));
        assert_eq!(b.words(id), [says], "case {i}");
    }
    assert_eq!(b.inner.venues[0].cash(), usd("1000"));
    // Five shares at 0.19 are worth less than a dollar.
    let mut s = Script::new();
    s.at(30_000).book(A, &[("0.10", "100")], &[("0.19", "100")]);
    b.play(&s);
    let id = b.submit(ts(31_000), order(Outcome::First, Side::Buy, "5", "0.19", Tif::FillAndKill));
    b.inner.advance(ts(32_000));
    assert_eq!(b.words(id), ["Refused notional"]);
}

#[test]
fn all_or_nothing_takes_nothing_when_it_cannot_take_all() {
    let mut b = quiet(|s| {
        s.book(A, &[("0.58", "100")], &[("0.60", "30"), ("0.61", "30")]);
    });
    let none = b.submit(ts(11_000), order(Outcome::First, Side::Buy, "61", "0.61", Tif::FillOrKill));
    let all = b.submit(ts(12_000), order(Outcome::First, Side::Buy, "60", "0.61", Tif::FillOrKill));
    b.inner.advance(ts(13_000));
    assert_eq!(b.words(none), ["Cancelled not_filled"]);
    // 30 * 0.07 * 0.24 = 0.504; 30 * 0.07 * 0.61 * 0.39 = 0.49959.
    assert_eq!(b.words(all), ["30 @ 0.6 fee 0.504 Taker", "30 @ 0.61 fee 0.49959 Taker", "Filled"]);
}

#[test]
fn sampled_books_count_for_the_smaller_of_two_snapshots() {
    use pm_core::book::{BookFlags, Level};
    use pm_core::event::{BookId, Event};
    let mut b = quiet(|_| {});
    let snapshot = |qty_at_60: &str, at: i64| Event::BookSnapshot {
        book: BookId::Market(MarketIdx(0)),
        bids: vec![Level { px: px("0.58"), qty: qty("10") }].into(),
        asks: vec![Level { px: px("0.60"), qty: qty(qty_at_60) }].into(),
        at: ts(at),
        flags: BookFlags { sampled: true, ..BookFlags::default() },
    };
    b.inner.step(ts(11_000), &snapshot("100", 11_000));
    let id = b.submit(ts(11_500), order(Outcome::First, Side::Buy, "80", "0.60", Tif::FillAndKill));
    b.inner.advance(ts(12_000));
    assert!(b.words(id).is_empty(), "it waits for the first snapshot after its arrival");
    b.inner.step(ts(13_000), &snapshot("25", 13_000));
    b.inner.advance(ts(13_500));
    // 25 * 0.07 * 0.24 = 0.42.
    assert_eq!(b.words(id), ["25 @ 0.6 fee 0.42 Taker", "Cancelled not_filled"]);
}

#[test]
fn unknown_sizes_are_no_fill() {
    use pm_core::book::{BookFlags, Level};
    use pm_core::event::{BookId, Event};
    let mut b = quiet(|_| {});
    let event = Event::BookSnapshot {
        book: BookId::Market(MarketIdx(0)),
        bids: vec![Level { px: px("0.58"), qty: qty("10") }].into(),
        asks: vec![Level { px: px("0.60"), qty: qty("100") }].into(),
        at: ts(11_000),
        flags: BookFlags { ask_sizes_unknown: true, ..BookFlags::default() },
    };
    b.inner.step(ts(11_000), &event);
    let id = b.submit(ts(11_500), order(Outcome::First, Side::Buy, "10", "0.60", Tif::FillAndKill));
    b.inner.advance(ts(12_000));
    assert_eq!(b.words(id), ["Cancelled not_filled"]);
}
