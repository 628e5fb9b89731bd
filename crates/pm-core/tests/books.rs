//! Books through the public door: equal to a naive model, small in memory.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;

use pm_core::book::{Book, BookFlags, BookSide, Ladder, Level, Touch};
use pm_core::market::Outcome;
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty};
use proptest::prelude::*;

fn level(px: i64, qty: i64) -> Level {
    Level { px: Px::from_raw(px * 1_000_000), qty: Qty::from_raw(qty) }
}

#[test]
fn a_thousand_books_of_fifty_levels_a_side_take_less_than_sixteen_mebibytes() {
    let mut total = 0;
    for _ in 0..1_000 {
        let mut book = Book::default();
        let bids: Vec<Level> = (1..=50).map(|i| level(i, 100)).collect();
        let asks: Vec<Level> = (51..=100).map(|i| level(i, 100)).collect();
        book.apply_snapshot(&bids, &asks, Ts::ZERO, Ts::ZERO, BookFlags::default());
        total += size_of::<Book>() + book.bids.heap_bytes() + book.asks.heap_bytes();
    }
    println!("1000 books of 50 levels a side: {} KiB", total / 1024);
    assert!(total <= 16 << 20, "{total} bytes");
}

#[test]
fn both_views_draw_on_one_book() {
    let mut book = Book::default();
    book.apply_snapshot(&[level(42, 300)], &[level(45, 500)], Ts::ZERO, Ts::ZERO, BookFlags::default());
    // Buying Down at 0.58 is selling Up at 0.42.
    let down = book.touch(Outcome::Second, Side::Buy).unwrap();
    assert_eq!((down.px, down.qty), ("0.58".parse().unwrap(), Qty::from_raw(300)));
    book.apply_delta(&[level(42, 0)], &[], Ts::ZERO, Ts::ZERO);
    assert_eq!(book.touch(Outcome::Second, Side::Buy), None);
}

#[test]
fn a_book_that_crosses_is_lost_until_its_next_snapshot() {
    let mut book = Book::default();
    book.apply_snapshot(&[level(42, 3)], &[level(45, 5)], Ts::ZERO, Ts::ZERO, BookFlags::default());
    assert_eq!(book.apply_delta(&[level(45, 1)], &[], Ts::ZERO, Ts::ZERO), Touch::Crossed);
    assert_eq!(book.apply_delta(&[level(41, 1)], &[], Ts::ZERO, Ts::ZERO), Touch::Ignored);
    assert_eq!(book.bids.best(), None);
    assert_eq!(book.apply_snapshot(&[level(42, 3)], &[level(45, 5)], Ts::ZERO, Ts::ZERO, BookFlags::default()), Touch::Moved);
}

#[test]
fn a_snapshot_older_than_what_was_applied_is_ignored() {
    let mut book = Book::default();
    book.apply_snapshot(&[level(42, 3)], &[level(45, 5)], Ts::from_secs(2), Ts::ZERO, BookFlags::default());
    assert_eq!(
        book.apply_snapshot(&[level(30, 3)], &[level(31, 5)], Ts::from_secs(1), Ts::ZERO, BookFlags::default()),
        Touch::Ignored
    );
    assert_eq!(book.bids.best(), Some(level(42, 3)));
}

proptest! {
    #[test]
    fn a_ladder_equals_a_map(side in prop_oneof![Just(BookSide::Bid), Just(BookSide::Ask)], changes in proptest::collection::vec((1..60_i64, 0..4_i64), 0..200)) {
        let mut ladder = Ladder::new(side);
        let mut model = BTreeMap::new();
        for (px, qty) in changes {
            let before = ladder.best();
            let change = level(px, qty);
            let touched = ladder.set(change);
            if qty == 0 { model.remove(&change.px); } else { model.insert(change.px, change.qty); }
            prop_assert_eq!(touched, before != ladder.best(), "the touch is reported exactly when it changed");
        }
        let expected: Vec<Level> = match side {
            BookSide::Bid => model.iter().rev().map(|(px, qty)| Level { px: *px, qty: *qty }).collect(),
            BookSide::Ask => model.iter().map(|(px, qty)| Level { px: *px, qty: *qty }).collect(),
        };
        prop_assert_eq!(ladder.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_snapshot_in_any_order_is_one_book(levels in proptest::collection::vec((1..60_i64, 0..4_i64), 0..80)) {
        let mut ladder = Ladder::new(BookSide::Ask);
        let levels: Vec<Level> = levels.into_iter().map(|(p, q)| level(p, q)).collect();
        ladder.replace(&levels);
        // Zero sizes are no levels; of one price the last one counts.
        let model: BTreeMap<Px, Qty> = levels.iter().filter(|l| l.qty.is_positive()).map(|l| (l.px, l.qty)).collect();
        prop_assert_eq!(ladder.iter().map(|l| (l.px, l.qty)).collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_walk_never_takes_more_than_is_shown(asks in proptest::collection::vec((51..99_i64, 1..1_000_000_000_i64), 1..20), want in 1..5_000_000_000_i64, limit in 40..100_i64) {
        let mut book = Book::default();
        let asks: Vec<Level> = asks.into_iter().map(|(p, q)| level(p, q)).collect();
        book.apply_snapshot(&[], &asks, Ts::ZERO, Ts::ZERO, BookFlags::default());
        let limit = Px::from_raw(limit * 1_000_000);
        let walk = book.walk(Outcome::First, Side::Buy, Qty::from_raw(want), limit);
        let shown: Qty = book.asks.iter().filter(|l| l.px <= limit).map(|l| l.qty).sum();
        prop_assert_eq!(walk.qty, shown.min(Qty::from_raw(want)));
        prop_assert!(walk.worst.is_none_or(|w| w <= limit));
    }
}
