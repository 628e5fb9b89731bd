//! Bad input through the driver: nothing is traded on it, it is counted with its place, and what follows it heals.

use crate::frames::{self, A, Terms};
use crate::script::{EVENTS, GAMMA, LINEAR, LIVE, MARKET, SPOT, Script, ts};
use crate::world::{Outcome, World, qty};

fn begin() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s
}

fn good_book(ms: i64) -> String {
    frames::book(A.cond, A.first, ms, &[("0.58", "100")], &[("0.60", "100")])
}

#[track_caller]
fn one_error(out: &Outcome, says: &[&str]) {
    assert_eq!(out.core.counts.errors, 1, "{:?}", out.core.errors);
    for word in says {
        assert!(out.core.errors[0].contains(word), "{:?} should say {word:?}", out.core.errors[0]);
    }
}

#[test]
fn truncated_frames_lose_the_book_they_name_until_its_next_snapshot() {
    let whole = good_book(10_000);
    for cut in [whole.len() - 1, whole.len() - 40, whole.len() / 2, 120] {
        let mut s = begin();
        s.at(10_000).raw(MARKET, &whole.as_bytes()[..cut]);
        s.pong(11_000);
        let out = World::default().play(&s);
        assert!(out.orders().is_empty(), "cut at {cut}");
        one_error(&out, &["polymarket.market, frame 27 at", "byte"]);
        // The next whole book heals it.
        s.at(12_000).raw(MARKET, good_book(12_000).as_bytes());
        s.pong(13_000);
        assert_eq!(World::default().play(&s).fills().len(), 1);
    }
}

#[test]
fn a_change_that_cannot_be_read_takes_the_book_with_it() {
    // A book with 100 at 0.70 is known (not worth it with this minimum edge); a frame that would improve it is broken.
    let mut s = begin();
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.70", "100")]);
    let broken = frames::change(A.cond, 11_000, &[(A.first, "0.60", "100", "SELL")]);
    s.at(11_000).raw(MARKET, &broken.as_bytes()[..broken.len() - 30]);
    // The repeat of it comes without a snapshot: it is not applied.
    s.at(12_000).raw(MARKET, frames::change(A.cond, 12_000, &[(A.first, "0.60", "100", "SELL")]).as_bytes());
    s.pong(13_000);
    let mut world = World::default();
    world.cfg.strategy.min_edge = crate::world::ratio("0.5");
    let out = world.play(&s);
    assert!(out.orders().is_empty());
    assert_eq!(out.market(0).book.state, pm_core::book::BookState::Lost(pm_core::book::BookLoss::BadFrame));
    // At 0.60 the edge is above one half: with the snapshot it is taken.
    s.at(14_000).raw(MARKET, good_book(14_000).as_bytes());
    s.pong(15_000);
    assert_eq!(world.play(&s).fills().len(), 1);
}

#[test]
fn prices_and_sizes_that_cannot_be() {
    let cases: [(&str, &str, &str); 7] = [
        ("0.605", "100", "off the grid of 0.01"),
        ("1.60", "100", "outside of 0..1"),
        ("-0.60", "100", "outside of 0..1"),
        ("0.60", "-5", "negative"),
        ("0.60", "99999999999999999999", ""),
        ("", "100", ""),
        ("sixty", "100", ""),
    ];
    for (price, size, says) in cases {
        let mut s = begin();
        s.at(10_000).book(A, &[("0.58", "100")], &[(price, size)]);
        s.pong(11_000);
        let out = World::default().play(&s);
        assert!(out.orders().is_empty(), "{price} x {size}");
        one_error(&out, &["polymarket.market, frame 27 at", says]);
    }
}

#[test]
fn unusual_but_good_numbers_are_read() {
    // Exponents are numbers; a null or missing side is an empty one, or refused: never a price.
    let mut s = begin();
    s.at(10_000).book(A, &[("5.8e-1", "1e2")], &[("6.0E-1", "1.0e+2")]);
    s.pong(11_000);
    let out = World::default().play(&s);
    assert_eq!((out.fills().len(), out.core.counts.errors), (1, 0), "{:?}", out.core.errors);
    assert_eq!(out.fills()[0].qty, qty("100"));
    let null = good_book(10_000).replace("\"asks\":[{\"price\":\"0.60\",\"size\":\"100\"}]", "\"asks\":null");
    let mut s = begin();
    s.at(10_000).raw(MARKET, null.as_bytes());
    s.pong(11_000);
    assert!(World::default().play(&s).orders().is_empty());
}

#[test]
fn a_crossed_book_is_no_bargain() {
    let mut s = begin();
    s.at(10_000).book(A, &[("0.62", "100")], &[("0.60", "100")]);
    s.pong(11_000);
    let out = World::default().play(&s);
    assert!(out.orders().is_empty());
    assert_eq!(out.market(0).book.state, pm_core::book::BookState::Lost(pm_core::book::BookLoss::Crossed));
}

#[test]
fn unknown_messages_are_counted_and_nothing_else() {
    let mut s = begin();
    s.at(10_000)
        .raw(MARKET, br#"{"event_type":"order_book_v9","market":"0x1","levels":[1,2,3]}"#)
        .raw(LIVE, br#"{"v":1,"channel":"price.moon","seq":1,"ts":1}"#)
        .raw(SPOT, br#"{"e":"aggTrade2","s":"BTCUSDT"}"#)
        .raw(LINEAR, br#"{"topic":"orderbook.50.NOSUCHUSDT","type":"snapshot","ts":1,"data":{"s":"NOSUCHUSDT","b":[],"a":[],"u":1,"seq":1},"cts":1}"#);
    s.raw(MARKET, good_book(10_000).as_bytes());
    s.pong(11_000);
    let out = World::default().play(&s);
    let c = out.core.counts;
    assert_eq!((c.errors, c.unknown, c.foreign), (0, 3, 1), "{:?}", out.core.errors);
    assert_eq!(out.fills().len(), 1, "and the good book beside them is traded");
}

#[test]
fn a_frame_of_no_feed_is_foreign() {
    let mut s = begin();
    s.at(10_000).raw(99, b"whatever");
    s.pong(11_000);
    assert_eq!(World::default().play(&s).core.counts.foreign, 1);
}

#[test]
fn duplicated_and_reordered_frames_change_nothing() {
    let mut plain = begin();
    plain.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    plain.at(10_500).change(A, &[("0.60", "40", "SELL")]);
    plain.at(11_000).price(80_000);
    plain.at(3_660_000).resolved(A, A.first);
    plain.pong(3_661_000);
    // Every frame twice.
    let mut twice = plain.clone();
    twice.frames = plain.frames.iter().flat_map(|f| [f.clone(), f.clone()]).collect();
    // An old snapshot of the book (its time is before the last one's) comes late, with a bargain that is long gone.
    let mut late = plain.clone();
    let old = frames::book(A.cond, A.first, 9_990, &[("0.10", "900")], &[("0.11", "900")]);
    late.frames.insert(late.frames.len() - 2, (ts(60_000), MARKET, old.into_bytes()));
    for (name, s) in [("plain", &plain), ("twice", &twice), ("late", &late)] {
        let out = World::default().play(s);
        assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"], "{name}");
        out.settled("1038.32", "1000");
        assert_eq!(out.core.counts.errors, 0, "{name}: {:?}", out.core.errors);
    }
}

#[test]
fn a_lost_frame_of_the_hedge_venue_loses_its_book_and_its_price() {
    // Update 9 after 7: the book is lost; when it is stale no market is priced by it.
    let mut s = begin();
    s.at(9_500).raw(LINEAR, frames::depth("delta", 12, 9_500, &[("79999.9", "1")], &[]).as_bytes());
    s.at(14_000).oracle("80000").spot("80000");
    s.raw(MARKET, good_book(14_000).as_bytes());
    s.pong(15_000);
    let mut world = World::default();
    world.cfg.model.max_hedge_age = pm_core::time::Dur::from_secs(3);
    let out = world.play(&s);
    assert!(out.orders().is_empty());
    assert_eq!(out.market(0).fair.unwrap_err().code(), "hedge_price_stale");
    // A snapshot heals it.
    s.at(16_000).perp(&[("79999.9", "9")], &[("80000.1", "9")]);
    s.pong(17_000);
    assert_eq!(world.play(&s).fills().len(), 1);
}

#[test]
fn a_clock_that_goes_back_is_counted_and_the_run_stays_where_it_was() {
    let mut s = begin();
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    // An hour back, then on.
    s.frames.push((ts(-3_590_000), MARKET, b"PONG".to_vec()));
    s.at(10_200).pong(10_200);
    let out = World::default().play(&s);
    assert_eq!(out.core.counts.clock_back, 1);
    assert!(out.core.errors[0].contains("frame 28: its clock"), "{:?}", out.core.errors);
    assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"], "the order was answered in time");
    assert_eq!(out.core.now().millis(), frames::millis(16_080), "the last settlement, 6 s after the answer");
}

#[test]
fn a_gamma_body_that_is_not_json_lists_nothing() {
    let body = frames::gamma_above(A, "76,000", 3_600, &Terms::default());
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).raw(GAMMA, &body.as_bytes()[..body.len() / 2]);
    s.raw(MARKET, good_book(9_000).as_bytes());
    s.raw(EVENTS, b"{}");
    s.raw(LIVE, b"\xff\xfe\x00");
    s.pong(10_000);
    let out = World::default().play(&s);
    assert!(out.orders().is_empty());
    assert_eq!((out.core.engine.live_markets(), out.core.counts.errors, out.core.counts.foreign), (0, 3, 1));
    assert!(out.core.errors.iter().all(|e| e.contains("frame")), "{:?}", out.core.errors);
}

#[test]
fn a_settlement_value_that_is_not_a_price_is_refused() {
    for value in ["\"\"", "\"-5\"", "\"0\"", "null", "\"NaN\""] {
        let frame = frames::polybolt(1, 9, "1", false)
            .replace("\"full_accuracy_value\":\"1\"", &format!("\"full_accuracy_value\":{value}"));
        let mut s = Script::new();
        s.at(9_000).raw(LIVE, frame.as_bytes());
        s.pong(9_500);
        let out = World::default().play(&s);
        one_error(&out, &["polymarket.live, frame 1 at"]);
    }
}
