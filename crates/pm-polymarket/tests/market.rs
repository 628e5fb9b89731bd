//! The market socket through the protocol: canonical books, mirrored tokens, losses, bad input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{ASKS, BIDS, CID, Keeper, T0, T1, book, change, changes, feed, follower, ladders, market, rest_book, synced};
use pm_core::book::{BookLoss, BookState};
use pm_core::event::Event;
use pm_core::market::MarketChange;
use pm_core::order::Side;
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_core::units::Ratio;
use pm_polymarket::market::MarketProtocol;

#[test]
fn either_token_gives_the_same_canonical_book() {
    let (_, first) = synced();
    let (mut p, mut second) = (follower("0.01"), Keeper::default());
    // The mirror: Down's bids are Up's asks at the complement.
    feed(&mut p, &book(T1, 1_000, &[("0.47", "60"), ("0.48", "25")], &[("0.53", "30"), ("0.52", "20")]), &mut second).unwrap();
    assert_eq!(ladders(&first.book), ladders(&second.book));
}

#[test]
fn one_change_told_for_both_tokens_is_applied_once() {
    let told = [
        vec![change(T0, "0.48", "45", "BUY"), change(T1, "0.52", "45", "SELL")],
        vec![change(T1, "0.52", "45", "SELL"), change(T0, "0.48", "45", "BUY")],
        vec![change(T0, "0.48", "45", "BUY")],
        vec![change(T1, "0.52", "45", "SELL")],
    ];
    for entries in told {
        let (mut p, mut k) = synced();
        feed(&mut p, &changes(1_001, &entries), &mut k).unwrap();
        assert_eq!(ladders(&k.book).0[0], ("0.48".into(), "45".into()), "{entries:?}");
        assert_eq!(k.count, 2, "one snapshot and one delta: {entries:?}");
    }
}

#[test]
fn the_first_tokens_own_word_on_a_level_wins() {
    let (mut p, mut k) = synced();
    feed(&mut p, &changes(1_001, &[change(T1, "0.52", "1", "SELL"), change(T0, "0.48", "45", "BUY")]), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0[0].1, "45");
    feed(&mut p, &changes(1_002, &[change(T0, "0.48", "7", "BUY"), change(T1, "0.52", "1", "SELL")]), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0[0].1, "7");
}

#[test]
fn of_several_words_on_one_level_the_last_wins() {
    let (mut p, mut k) = synced();
    let sizes = ["45", "45", "40", "40", "45", "45"];
    let entries: Vec<String> = sizes
        .iter()
        .enumerate()
        .map(|(i, s)| if i % 2 == 0 { change(T0, "0.48", s, "BUY") } else { change(T1, "0.52", s, "SELL") })
        .collect();
    feed(&mut p, &changes(1_001, &entries), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0[0].1, "45");
}

#[test]
fn size_zero_removes_and_the_first_protocols_single_change_works() {
    let (mut p, mut k) = synced();
    let single = format!(
        "{{\"asset_id\":\"{T0}\",\"event_type\":\"price_change\",\"hash\":\"h\",\"market\":\"{CID}\",\"price\":\"0.48\",\"side\":\"BUY\",\"size\":\"0\",\"timestamp\":\"1001\"}}"
    );
    feed(&mut p, &single, &mut k).unwrap();
    assert_eq!(ladders(&k.book).0, vec![("0.47".to_owned(), "30".to_owned())]);
}

#[test]
fn duplicate_frames_change_nothing_and_an_old_dump_is_dropped() {
    let (mut p, mut k) = synced();
    let frame = changes(1_005, &[change(T0, "0.49", "9", "BUY")]);
    feed(&mut p, &frame, &mut k).unwrap();
    let after = ladders(&k.book);
    feed(&mut p, &frame, &mut k).unwrap();
    assert_eq!(ladders(&k.book), after);
    // The lagging dump that was captured: older than a change already applied.
    feed(&mut p, &book(T0, 1_001, &[("0.10", "1")], &[("0.90", "1")]), &mut k).unwrap();
    assert_eq!(ladders(&k.book), after);
    feed(&mut p, &book(T0, 1_006, &[("0.10", "1")], &[("0.90", "1")]), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0.len(), 1);
}

#[test]
fn changes_before_a_snapshot_are_said_once() {
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    for at in 0..5 {
        feed(&mut p, &changes(at, &[change(T0, "0.48", "45", "BUY")]), &mut k).unwrap();
    }
    assert_eq!(k.lost, [BookLoss::NoSnapshot]);
    feed(&mut p, &book(T0, 10, &BIDS, &ASKS), &mut k).unwrap();
    assert_eq!(k.book.state, BookState::Synced);
    p.reset(&mut k);
    feed(&mut p, &changes(11, &[change(T0, "0.48", "45", "BUY")]), &mut k).unwrap();
    assert_eq!(k.lost, [BookLoss::NoSnapshot, BookLoss::Disconnected, BookLoss::NoSnapshot]);
}

#[test]
fn prices_off_the_grid_or_out_of_range_lose_the_book_until_a_snapshot() {
    for bad in ["0.485", "1.01", "-0.01", "7"] {
        let (mut p, mut k) = synced();
        let e = feed(&mut p, &changes(1_001, &[change(T0, bad, "45", "BUY")]), &mut k).unwrap_err();
        assert!(e.what.contains(CID), "the error names the market: {e}");
        assert!(e.at.is_some());
        assert_eq!(k.book.state, BookState::Lost(BookLoss::BadFrame), "{bad}");
        // Nothing is believed until a snapshot.
        feed(&mut p, &changes(1_002, &[change(T0, "0.48", "45", "BUY")]), &mut k).unwrap();
        assert_eq!(k.book.state, BookState::Lost(BookLoss::BadFrame));
        feed(&mut p, &book(T0, 1_003, &BIDS, &ASKS), &mut k).unwrap();
        assert_eq!(k.book.state, BookState::Synced);
    }
}

#[test]
fn a_finer_grid_is_followed_when_announced_and_levels_keep_their_prices() {
    let (mut p, mut k) = synced();
    let tick = |new: &str, token: &str| {
        format!(
            "{{\"event_type\":\"tick_size_change\",\"market\":\"{CID}\",\"asset_id\":\"{token}\",\"old_tick_size\":\"0.01\",\"new_tick_size\":\"{new}\",\"timestamp\":\"1001\"}}"
        )
    };
    feed(&mut p, &tick("0.001", T0), &mut k).unwrap();
    feed(&mut p, &tick("0.001", T1), &mut k).unwrap();
    assert_eq!(k.changes, [MarketChange::Tick("0.001".parse().unwrap())], "said once for both tokens");
    feed(&mut p, &changes(1_002, &[change(T0, "0.485", "45", "BUY")]), &mut k).unwrap();
    feed(&mut p, &tick("0.01", T0), &mut k).unwrap();
    feed(&mut p, &changes(1_003, &[change(T0, "0.485", "5", "BUY")]), &mut k).expect("a resting level of the finer grid");
    assert_eq!(ladders(&k.book).0[0], ("0.485".into(), "5".into()));
}

#[test]
fn a_book_carries_its_grid_and_minimum() {
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    let rest = rest_book(T0, 5, r#"[{"price":"0.155","size":"65"}]"#, "0.001", "15");
    assert_eq!(feed(&mut p, &rest, &mut k), Ok(FrameKind::Data), "a bare REST body");
    assert_eq!(k.changes, [MarketChange::Tick("0.001".parse().unwrap()), MarketChange::MinQty("15".parse().unwrap())]);
    assert_eq!(ladders(&k.book).0[0].0, "0.155");
}

#[test]
fn trades_of_the_second_token_are_mirrored() {
    let (mut p, mut k) = synced();
    let trade = |token: &str, price: &str, side: &str| {
        format!(
            "{{\"event_type\":\"last_trade_price\",\"market\":\"{CID}\",\"asset_id\":\"{token}\",\"price\":\"{price}\",\"side\":\"{side}\",\"size\":\"2.5\",\"fee_rate_bps\":\"0\",\"timestamp\":\"1750428146322\"}}"
        )
    };
    feed(&mut p, &trade(T0, "0.52", "BUY"), &mut k).unwrap();
    feed(&mut p, &trade(T1, "0.48", "SELL"), &mut k).unwrap();
    let [Event::Print { px: a, taker: ta, at, .. }, Event::Print { px: b, taker: tb, .. }] = k.events.as_slice() else {
        panic!()
    };
    assert_eq!((a, ta), (b, tb));
    assert_eq!((*ta, *at), (Side::Buy, Ts::from_millis(1_750_428_146_322)));
}

#[test]
fn a_result_is_given_once_and_ends_the_market() {
    for (winner, pays) in [(T0, Ratio::ONE), (T1, Ratio::ZERO)] {
        let (mut p, mut k) = synced();
        let frame = format!(
            "{{\"event_type\":\"market_resolved\",\"id\":\"1\",\"market\":\"{CID}\",\"assets_ids\":[\"{T0}\",\"{T1}\"],\"winning_asset_id\":\"{winner}\",\"winning_outcome\":\"Up\",\"timestamp\":\"9\",\"tags\":[]}}"
        );
        feed(&mut p, &frame, &mut k).unwrap();
        assert!(matches!(k.events.as_slice(), [Event::Resolved { first_pays, .. }] if *first_pays == pays));
        assert_eq!(feed(&mut p, &frame, &mut k), Ok(FrameKind::Foreign));
        assert_eq!(p.followed(), 0);
    }
}

#[test]
fn empty_exponent_null_and_huge_numbers() {
    let (mut p, mut k) = synced();
    let entry = |price: &str, size: &str| changes(1_001, &[change(T0, price, size, "BUY")]);
    feed(&mut p, &entry("0.48", "1.3e+06"), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0[0].1, "1300000");
    feed(&mut p, &entry("0.48", "9999999999"), &mut k).expect("just under ten billion");
    for (price, size) in [
        ("", "1"),
        ("0.48", ""),
        ("0.48", "99999999999"),
        ("0.48", "99999999999999999999999999"),
        ("0.480000001", "1"),
        ("NaN", "1"),
    ] {
        let (mut p, mut k) = synced();
        assert!(feed(&mut p, &entry(price, size), &mut k).is_err(), "{price:?} {size:?}");
        assert_eq!(k.lost, [BookLoss::BadFrame], "{price:?} {size:?}");
    }
    let (mut p, mut k) = synced();
    let nulls = format!(
        "{{\"market\":\"{CID}\",\"asset_id\":\"{T0}\",\"timestamp\":\"2000\",\"bids\":null,\"asks\":null,\"event_type\":\"book\"}}"
    );
    feed(&mut p, &nulls, &mut k).unwrap();
    assert!(k.book.bids.is_empty() && k.book.asks.is_empty() && k.book.state == BookState::Synced);
    let no_changes =
        format!("{{\"market\":\"{CID}\",\"price_changes\":null,\"timestamp\":\"2001\",\"event_type\":\"price_change\"}}");
    assert!(feed(&mut p, &no_changes, &mut k).is_ok());
}

#[test]
fn arrays_keep_good_neighbours_of_a_bad_message() {
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    let array = format!(
        "[{}, {{\"event_type\":\"book\"}}, {}]",
        book(T0, 1, &BIDS, &ASKS),
        changes(2, &[change(T0, "0.49", "3", "BUY")])
    );
    let e = feed(&mut p, &array, &mut k).unwrap_err();
    assert!(e.at.is_some_and(|at| at > 100), "the place is the second message: {e}");
    // The broken book named no market, so every synced book was lost; the later change waits for a snapshot.
    assert_eq!(k.lost, [BookLoss::BadFrame]);
    let array = format!(" [ {} , {} ] \n", book(T0, 3, &BIDS, &ASKS), changes(4, &[change(T0, "0.49", "3", "BUY")]));
    assert_eq!(feed(&mut p, &array, &mut k), Ok(FrameKind::Data));
    assert_eq!(ladders(&k.book).0[0], ("0.49".into(), "3".into()));
    assert_eq!(feed(&mut p, "[]", &mut k), Ok(FrameKind::Control));
}

#[test]
fn truncated_frames_lose_the_market_they_name() {
    let (mut p, mut k) = synced();
    let whole = changes(1_001, &[change(T0, "0.49", "3", "BUY")]);
    for cut in 1..whole.len() {
        assert!(feed(&mut p, whole.get(..cut).unwrap(), &mut k).is_err(), "cut at {cut}");
    }
    assert_eq!(k.lost, [BookLoss::BadFrame], "said once");
}

#[test]
fn control_unknown_and_foreign_frames() {
    let (mut p, mut k) = synced();
    let count = k.count;
    assert_eq!(feed(&mut p, "PONG", &mut k), Ok(FrameKind::Control));
    assert_eq!(feed(&mut p, "PING\n", &mut k), Ok(FrameKind::Control));
    assert_eq!(feed(&mut p, "hello", &mut k), Ok(FrameKind::Unknown));
    assert_eq!(feed(&mut p, "null", &mut k), Ok(FrameKind::Unknown));
    assert_eq!(feed(&mut p, "{\"event_type\":\"mystery\",\"x\":[1,{}]}", &mut k), Ok(FrameKind::Unknown));
    let foreign = changes(1, &[change("1", "0.5", "1", "BUY")]).replace(CID, "0xother");
    assert_eq!(feed(&mut p, &foreign, &mut k), Ok(FrameKind::Foreign));
    assert_eq!(k.count, count);
}

#[test]
fn rolling_windows_do_not_pile_up() {
    let mut p = MarketProtocol::new();
    let (mut k, mut registry) = (Keeper::default(), Registry::default());
    for i in 0..20_000_u32 {
        let mut m = market(i, &format!("0xcondition-number-{i}"), [&format!("1000000000{i}"), &format!("2000000000{i}")], "0.01");
        m.closes_at = Ts::from_secs(i64::from(i) * 300);
        p.learn(&Event::MarketListed(std::borrow::Cow::Owned(m)));
        let stamp = Stamp { wall: Ts::from_secs(i64::from(i) * 300), mono_ns: 0 };
        p.decode(stamp, b"PONG", &mut registry, &mut k).unwrap();
    }
    assert!(p.followed() < 1_100, "{} markets followed", p.followed());
    // The newest one still works.
    let frame = book("100000000019999", 1, &BIDS, &ASKS);
    assert_eq!(feed(&mut p, &frame, &mut k), Ok(FrameKind::Data));
}

#[test]
fn subscription_names_every_token() {
    let p = follower("0.01");
    let [frame] = p.subscribe().try_into().unwrap();
    let v: serde_json::Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(v["type"], "market");
    assert_eq!(v["assets_ids"], serde_json::json!([T0, T1]));
}
