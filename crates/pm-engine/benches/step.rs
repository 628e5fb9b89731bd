//! `Engine::step` for a book event with 50 live markets, and the decision hash and journal entry of one.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/desk/mod.rs"]
mod desk;

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use pm_core::command::Command;
use pm_core::event::ReferenceKind;
use pm_core::event::{BookId, Event};
use pm_core::ids::MarketIdx;
use pm_core::ids::{InstrumentIdx, SourceId};
use pm_core::time::Dur;
use pm_core::time::Ts;
use pm_engine::Engine;

/// New prices of hedge venue and settlement source: every market is priced anew.
fn refresh(engine: &mut Engine, out: &mut Vec<Command>, now: Ts, i: usize) {
    let tick = if i.is_multiple_of(100) { "60001" } else { "60000.5" };
    let (bid, ask) = ([desk::level(tick, "1")], [desk::level("60002", "1")]);
    out.clear();
    engine.step(now, &desk::snapshot(BookId::Instrument(InstrumentIdx(0)), &bid, &ask, now), out);
    if i.is_multiple_of(500) {
        let px = desk::px("60001");
        engine.step(now, &Event::Reference { source: SourceId(0), kind: ReferenceKind::Spot, px, at: now }, out);
    }
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn step(c: &mut Criterion) {
    let strikes = (0..50_u32).map(|i| desk::market(i, &format!("{}", 59_950 + i * 2), desk::START + 3_600 + i64::from(i)));
    let (mut engine, mut now) = desk::warm(desk::config(1_000), strikes);
    let mut out: Vec<Command> = Vec::with_capacity(256);
    let bids: Vec<_> = (1..=20).map(|i| desk::level(&format!("0.{i:02}"), "100")).collect();
    let asks: Vec<_> = (80..=99).map(|i| desk::level(&format!("0.{i:02}"), "100")).collect();
    for m in 0..50 {
        engine.step(now, &desk::snapshot(BookId::Market(MarketIdx(m)), &bids, &asks, now), &mut out);
    }
    let changes =
        [[desk::level("0.20", "120"), desk::level("0.19", "50")], [desk::level("0.20", "90"), desk::level("0.19", "60")]];
    // Each visit to a market changes the size of its best bid: the touch moves and the market is looked at. In between, outside of the
    // measured time, hedge venue and settlement source stay fresh.
    let mut i = 0_usize;
    let mut market = |engine: &mut Engine, out: &mut Vec<Command>, rounds: u64| {
        let mut spent = Duration::ZERO;
        for _ in 0..rounds {
            i += 1;
            now = now + Dur::from_millis(2);
            if i.is_multiple_of(50) {
                refresh(engine, out, now, i);
            }
            let book = BookId::Market(MarketIdx(u32::try_from(i % 50).unwrap()));
            let event = Event::BookDelta { book, bids: Cow::Borrowed(&changes[(i / 50) % 2]), asks: Cow::Borrowed(&[]), at: now };
            out.clear();
            let begin = Instant::now();
            engine.step(now, black_box(&event), out);
            spent += begin.elapsed();
        }
        spent
    };
    c.bench_function("engine/step_book_50_markets", |b| b.iter_custom(|n| market(&mut engine, &mut out, n)));
    assert!(engine.markets().all(|m| m.fair.is_ok()), "every market was priced to the end");
}

criterion_group!(benches, step);
criterion_main!(benches);
