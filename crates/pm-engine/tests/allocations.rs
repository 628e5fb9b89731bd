//! `Engine::step` for market data allocates nothing once warm: counted, not assumed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod desk;

use pm_core::command::Command;
use pm_core::event::{BookId, Event};
use pm_core::ids::{InstrumentIdx, MarketIdx};
use pm_core::time::Dur;
use std::borrow::Cow;

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

/// Book changes of a market and of the hedge instrument, without anything worth trading, with 50 live markets.
#[test]
fn a_book_event_with_fifty_markets_allocates_nothing_after_warm_up() {
    let strikes = (0..50_u32).map(|i| desk::market(i, &format!("{}", 59_950 + i * 2), desk::START + 3_600 + i64::from(i)));
    let (mut engine, mut now) = desk::warm(desk::config(1_000), strikes);
    let mut out: Vec<Command> = Vec::with_capacity(256);
    // A book with no edge: a wide spread around anything.
    let bids: Vec<_> = (1..=20).map(|i| desk::level(&format!("0.{i:02}"), "100")).collect();
    let asks: Vec<_> = (80..=99).map(|i| desk::level(&format!("0.{i:02}"), "100")).collect();
    for m in 0..50 {
        engine.step(now, &desk::snapshot(BookId::Market(MarketIdx(m)), &bids, &asks, now), &mut out);
    }
    let mut step = |engine: &mut pm_engine::Engine, out: &mut Vec<Command>, i: i64| {
        now = now + Dur::from_millis(7);
        out.clear();
        let book = BookId::Market(MarketIdx(u32::try_from(i % 50).unwrap()));
        let size = if i / 50 % 2 == 0 { "120" } else { "90" };
        let change = [desk::level("0.20", size), desk::level("0.19", "50")];
        engine.step(now, &Event::BookDelta { book, bids: Cow::Borrowed(&change), asks: Cow::Borrowed(&[]), at: now }, out);
        out.clear();
        let tick = if i % 2 == 0 { "60001" } else { "60000.5" };
        let bid = [desk::level(tick, "1")];
        let ask = [desk::level("60002", "1")];
        engine.step(now, &desk::snapshot(BookId::Instrument(InstrumentIdx(0)), &bid, &ask, now), out);
    };
    for i in 0..2_000 {
        step(&mut engine, &mut out, i);
    }
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get();
    for i in 0..1_000 {
        step(&mut engine, &mut out, i);
    }
    let after = dhat::HeapStats::get();
    drop(profiler);
    assert_eq!(after.total_blocks - before.total_blocks, 0, "{} bytes were allocated", after.total_bytes - before.total_bytes);
    assert_eq!(engine.stats().orders, 0, "the books were meant to offer nothing");
    assert_eq!(engine.stats().priced, 50, "all markets were priced");
}
