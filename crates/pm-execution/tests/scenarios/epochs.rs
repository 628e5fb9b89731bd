//! Where one connection or file ends and another begins: no book of the first is continued by a change of the second.

use pm_core::book::{BookLoss, BookState};
use pm_core::event::BookId;
use pm_core::ids::InstrumentIdx;

use crate::frames::{self, A};
use crate::script::{LINEAR, MARKET, Script};
use crate::world::{World, ratio};

/// File A ends with a book whose ask of 0.70 is not worth it at a minimum edge of one half.
fn file_a() -> (Script, World) {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.70", "100")]);
    let mut world = World::default();
    world.cfg.strategy.min_edge = ratio("0.5");
    (s, world)
}

#[test]
fn a_change_of_the_next_file_does_not_continue_the_book_of_the_one_before() {
    // Within one connection the change is a change: 0.60 is worth it.
    let (mut one, world) = file_a();
    one.at(11_000).change(A, &[("0.60", "100", "SELL")]);
    one.pong(12_000);
    assert!(!world.play(&one).fills().is_empty());
    // B begins in the middle of its stream with the same change.
    let (mut s, world) = file_a();
    s.at(10_900).anew(MARKET);
    s.at(11_000).change(A, &[("0.60", "100", "SELL")]);
    s.pong(12_000);
    let out = world.play(&s);
    assert!(out.result.is_ok() && out.orders().is_empty(), "{:?}", out.orders());
    assert!(matches!(out.market(0).book.state, BookState::Lost(_)), "{:?}", out.market(0).book.state);
    assert_eq!(out.market(0).book.asks.len(), 0, "nobody can read the old levels");
    // Its first snapshot heals the book.
    s.at(13_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.pong(14_000);
    assert_eq!(world.play(&s).fills().len(), 1);
}

#[test]
fn a_feed_that_begins_anew_loses_its_own_books_only() {
    let (mut s, world) = file_a();
    s.at(10_500).anew(LINEAR);
    let delta = frames::depth("delta", 9, 10_600, &[("79999.9", "1.000")], &[]);
    s.at(10_600).raw(LINEAR, delta.as_bytes());
    s.pong(11_000);
    let out = world.play(&s);
    let perp = out.core.engine.view().book(BookId::Instrument(InstrumentIdx(0))).unwrap();
    assert_eq!(perp.state, BookState::Lost(BookLoss::NoSnapshot), "the delta follows the last number, and is not applied");
    assert_eq!(out.market(0).book.state, BookState::Synced, "the other feed goes on");
}

#[test]
fn a_new_connection_stands_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.pmj");
    let (mut s, mut world) = file_a();
    s.at(10_900).anew(MARKET);
    s.pong(12_000);
    world.journal = Some(path.clone());
    let hash = world.play(&s).core.decision_hash();
    let replayed = pm_execution::replay::replay(&path, &mut |_, _| {}).unwrap();
    assert!(replayed.differs.is_none());
    assert_eq!(replayed.decision_hash, hash);
    let (mut s, world) = file_a();
    s.pong(12_000);
    assert_ne!(world.play(&s).core.decision_hash(), hash, "a run without it is another run");
}
