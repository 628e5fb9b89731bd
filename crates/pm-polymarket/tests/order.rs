//! Time orders the market socket: what lags is dropped, what is missed stays missing until a book holds it, and a book's own hash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{ASKS, BIDS, CID, Keeper, T0, T1, book, change, changes, feed, follower, ladders, rest_book, synced};
use pm_core::book::{BookLoss, BookState};
use pm_core::event::Event;
use pm_core::market::MarketChange;
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};
use pm_polymarket::market::{MarketProtocol, MarketStats};
use pm_polymarket::scan::{self, Scratch};
use pm_polymarket::wire;

/// A change of the best bid to 45.
fn bid_45(at: u64) -> String {
    changes(at, &[change(T0, "0.48", "45", "BUY")])
}

fn undated(frame: &str) -> String {
    let (from, to) = (frame.find("\"timestamp\"").unwrap(), frame.find("\"hash\"").unwrap());
    format!("{}{}", &frame[..from], &frame[to..])
}

/// A dump from before the change is refused, one that holds it is taken.
fn waits_for_a_book_of_1005(p: &mut MarketProtocol, k: &mut Keeper) {
    let (state, stale) = (k.book.state, p.stats().stale_books);
    for old in [book(T0, 1_001, &BIDS, &ASKS), book(T1, 1_004, &ASKS, &BIDS), undated(&book(T0, 1_009, &BIDS, &ASKS))] {
        assert_eq!(feed(p, &old, k), Ok(FrameKind::Data));
    }
    assert_eq!((k.book.state, p.stats().stale_books), (state, stale + 3), "still lost, silently");
    feed(p, &bid_45(1_005), k).unwrap();
    assert_ne!(k.book.state, BookState::Synced, "and changes wait");
    feed(p, &book(T0, 1_005, &[("0.48", "45")], &ASKS), k).unwrap();
    assert_eq!(k.book.state, BookState::Synced, "a book of that instant holds the change");
    feed(p, &changes(1_006, &[change(T0, "0.47", "9", "BUY")]), k).unwrap();
    assert_eq!(ladders(&k.book).0, [("0.48".into(), "45".into()), ("0.47".into(), "9".into())]);
}

#[test]
fn a_lagging_dump_does_not_hide_a_change_that_was_missed() {
    // After connecting.
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    feed(&mut p, &bid_45(1_005), &mut k).unwrap();
    assert_eq!(k.lost, [BookLoss::NoSnapshot]);
    waits_for_a_book_of_1005(&mut p, &mut k);
    assert_eq!(p.stats().before_snapshot, 2);
}

#[test]
fn a_dump_from_before_a_bad_change_does_not_heal_its_book() {
    let off_grid = changes(1_005, &[change(T0, "0.485", "45", "BUY")]);
    let no_size = changes(1_005, &[change(T0, "0.48", "", "BUY")]);
    let cut = bid_45(1_005).replace("\"event_type\":\"price_change\"}", "\"event_type\":\"price_change\"");
    for bad in [off_grid, no_size, cut] {
        let (mut p, mut k) = synced();
        assert!(feed(&mut p, &bad, &mut k).is_err());
        assert_eq!(k.lost, [BookLoss::BadFrame], "{bad}");
        waits_for_a_book_of_1005(&mut p, &mut k);
    }
}

#[test]
fn a_cached_book_after_a_reconnect_does_not_undo_what_was_seen_before_it() {
    let (mut p, mut k) = synced();
    feed(&mut p, &bid_45(1_005), &mut k).unwrap();
    p.reset(&mut k);
    assert_eq!(k.lost, [BookLoss::Disconnected]);
    waits_for_a_book_of_1005(&mut p, &mut k);
    // A listing that is read again does not make it forget.
    let (mut p, mut k) = synced();
    feed(&mut p, &bid_45(1_005), &mut k).unwrap();
    p.reset(&mut k);
    p.learn(&Event::MarketListed(std::borrow::Cow::Owned(common::market(0, CID, [T0, T1], "0.01"))));
    waits_for_a_book_of_1005(&mut p, &mut k);
}

#[test]
fn a_change_from_before_its_book_is_dropped_and_counted() {
    let (mut p, mut k) = synced();
    let before = ladders(&k.book);
    // Whatever it says: neither its size nor its price is judged any more.
    for old in [bid_45(990), bid_45(999), changes(990, &[change(T0, "0.485", "1", "BUY")])] {
        assert_eq!(feed(&mut p, &old, &mut k), Ok(FrameKind::Data));
    }
    assert_eq!((ladders(&k.book), k.book.state), (before, BookState::Synced));
    assert_eq!(p.stats(), MarketStats { stale_changes: 3, ..MarketStats::default() });
    feed(&mut p, &bid_45(1_000), &mut k).unwrap();
    assert_eq!(ladders(&k.book).0[0].1, "45", "a change of the same instant is applied");
    assert_eq!(p.counters()[3], ("stale_changes", 3));
}

#[test]
fn an_old_dump_changes_neither_grid_nor_minimum() {
    let old = |at| rest_book(T0, at, r#"[{"price":"0.155","size":"65"}]"#, "0.001", "15");
    let (mut p, mut k) = synced();
    feed(&mut p, &old(999), &mut k).unwrap();
    assert_eq!((k.changes.len(), p.stats().stale_books), (0, 1));
    assert!(feed(&mut p, &changes(1_001, &[change(T0, "0.485", "1", "BUY")]), &mut k).is_err(), "the grid is still 0.01");
    feed(&mut p, &old(1_001), &mut k).unwrap();
    assert_eq!(k.changes, [MarketChange::Tick("0.001".parse().unwrap()), MarketChange::MinQty("15".parse().unwrap())]);
}

#[test]
fn a_book_from_before_a_new_grid_does_not_turn_it_back() {
    let (mut p, mut k) = synced();
    let tick = format!(
        "{{\"event_type\":\"tick_size_change\",\"market\":\"{CID}\",\"asset_id\":\"{T0}\",\"old_tick_size\":\"0.01\",\"new_tick_size\":\"0.001\",\"timestamp\":\"1005\"}}"
    );
    feed(&mut p, &tick, &mut k).unwrap();
    feed(&mut p, &rest_book(T0, 1_001, "[]", "0.01", "5"), &mut k).unwrap();
    assert_eq!(k.changes, [MarketChange::Tick("0.001".parse().unwrap())]);
    assert!(k.book.bids.is_empty(), "its levels are newer than the last book's");
}

#[test]
fn a_time_far_ahead_of_our_clock_is_an_error_and_not_the_newest_time() {
    const NOW: u64 = 1_777_434_862_268;
    let at_now = |p: &mut MarketProtocol, frame: &str, k: &mut Keeper| -> Result<FrameKind, DecodeError> {
        let wall = Ts::from_millis(NOW.try_into().unwrap());
        p.decode(Stamp { wall, mono_ns: 0 }, frame.as_bytes(), &mut Registry::default(), k)
    };
    let ahead = NOW + 90_000_000;
    for bad in [bid_45(ahead), book(T0, ahead, &BIDS, &ASKS), changes(ahead, &[change(T0, "0.48", "", "BUY")])] {
        let (mut p, mut k) = (follower("0.01"), Keeper::default());
        at_now(&mut p, &book(T0, NOW, &BIDS, &ASKS), &mut k).unwrap();
        assert!(at_now(&mut p, &bad, &mut k).is_err());
        assert_eq!(k.lost, [BookLoss::BadFrame], "{bad}");
        at_now(&mut p, &book(T0, NOW + 1, &BIDS, &ASKS), &mut k).unwrap();
        at_now(&mut p, &bid_45(NOW + 2), &mut k).unwrap();
        assert_eq!(ladders(&k.book).0[0].1, "45", "what comes later is not taken for old");
    }
    // Another clock of the same day is a difference of clocks.
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    at_now(&mut p, &book(T0, NOW + 3_600_000, &BIDS, &ASKS), &mut k).unwrap();
}

#[test]
fn a_time_after_2100_is_an_error_in_both_decoders() {
    // 14 digits, as a shifted comma or microseconds cut short would give.
    let late = [4_102_444_800_001, 17_774_348_622_680, 999_999_999_999_999];
    for at in late {
        for frame in [bid_45(at), book(T0, at, &BIDS, &ASKS)] {
            assert_eq!(scan::message(frame.as_bytes(), &mut Scratch::default()), None, "{at}");
            assert!(wire::message(&frame).unwrap_err().what.contains("before 2100"), "{at}");
            let (mut p, mut k) = synced();
            assert!(feed(&mut p, &frame, &mut k).is_err(), "{at}");
            assert_eq!(k.lost, [BookLoss::BadFrame]);
            feed(&mut p, &book(T0, 1_777_434_862_268, &BIDS, &ASKS), &mut k).unwrap();
            assert_eq!(k.book.state, BookState::Synced, "later books are not old");
        }
    }
    let last = bid_45(4_102_444_800_000);
    assert_eq!(scan::message(last.as_bytes(), &mut Scratch::default()).unwrap(), wire::message(&last).unwrap());
}

#[test]
fn a_book_with_a_hash_that_is_not_its_own_is_lost() {
    let rest = rest_book(T0, 1_001, r#"[{"price":"0.48","size":"65"}]"#, "0.01", "5");
    // Through the scanner, and through the tolerant decoder.
    for whole in [rest.clone(), rest.replace("\"neg_risk\":false", "\"neg_risk\": false")] {
        let (mut p, mut k) = synced();
        feed(&mut p, &whole, &mut k).unwrap();
        assert_eq!((p.stats().hashes_checked, p.stats().hash_mismatches), (1, 0), "{whole}");
        assert_eq!(ladders(&k.book).0, [("0.48".into(), "65".into())]);
        let (mut p, mut k) = synced();
        // One digit of a size: well-formed, plausible, and not what the venue hashed.
        assert_eq!(feed(&mut p, &whole.replace("\"65\"", "\"66\""), &mut k), Ok(FrameKind::Data));
        assert_eq!((k.lost.as_slice(), p.stats().hash_mismatches), ([BookLoss::HashMismatch].as_slice(), 1));
        assert_eq!(k.changes, [], "nothing of it is believed");
        feed(&mut p, &whole, &mut k).unwrap();
        assert_eq!(k.book.state, BookState::Synced);
    }
    // The socket's book lacks two of the inputs, so that its hash can say nothing.
    let (p, k) = synced();
    assert_eq!((p.stats().hashes_checked, k.book.state), (0, BookState::Synced));
}
