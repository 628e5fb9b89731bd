//! Frame -> book updated -> best bid and ask, on hand-written frames in the venue's form.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pm_core::book::Book;
use pm_core::event::Event;
use pm_core::registry::Registry;
use pm_core::time::Stamp;
use pm_core::traits::{EventSink, FeedProtocol};

#[path = "../tests/common/mod.rs"]
mod common;
use common::{CID, T0, T1, follower};

struct Apply(Book);

impl EventSink for Apply {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::BookSnapshot { bids, asks, at, flags, .. } => {
                self.0.apply_snapshot(&bids, &asks, at, at, flags);
            }
            Event::BookDelta { bids, asks, at, .. } => {
                self.0.apply_delta(&bids, &asks, at, at);
            }
            Event::BookLost { why, .. } => self.0.lose(why),
            _ => {}
        }
    }
}

fn book_97() -> String {
    let sizes = ["12480.06", "19301.14", "35329.83", "10421", "7819", "124.5", "6381.18", "41", "981.5", "36"];
    let mut frame = format!(
        "{{\"market\":\"{CID}\",\"asset_id\":\"{T0}\",\"timestamp\":\"1776081408433\",\"hash\":\"de1f9d8976b095da44bac6ad7490a4c6481a0fdc\",\"bids\":["
    );
    for cents in 1..=48_usize {
        let comma = if cents > 1 { "," } else { "" };
        write!(frame, "{comma}{{\"price\":\"{}\",\"size\":\"{}\"}}", price(cents), sizes[cents % 10]).unwrap();
    }
    frame.push_str("],\"asks\":[");
    for cents in (51..=99_usize).rev() {
        let comma = if cents < 99 { "," } else { "" };
        write!(frame, "{comma}{{\"price\":\"{}\",\"size\":\"{}\"}}", price(cents), sizes[cents % 10]).unwrap();
    }
    frame.push_str("],\"event_type\":\"book\"}");
    frame
}

fn price(cents: usize) -> String {
    format!("0.{cents:02}").trim_end_matches('0').to_owned()
}

fn change(size: u32) -> String {
    format!(
        "{{\"market\":\"{CID}\",\"price_changes\":[{{\"asset_id\":\"{T0}\",\"price\":\"0.48\",\"size\":\"{size}\",\"side\":\"BUY\",\"hash\":\"328a131e96440ca9038ccc1ec2d4524f0eb9c0d7\",\"best_bid\":\"0.48\",\"best_ask\":\"0.51\"}},{{\"asset_id\":\"{T1}\",\"price\":\"0.52\",\"size\":\"{size}\",\"side\":\"SELL\",\"hash\":\"c10e3921ecf96b5972fd22339c9ab6b53d512b23\",\"best_bid\":\"0.49\",\"best_ask\":\"0.52\"}}],\"timestamp\":\"1777434862268\",\"event_type\":\"price_change\"}}"
    )
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("polymarket");
    let (mut protocol, mut registry) = (follower("0.01"), Registry::default());
    let mut sink = Apply(Book::default());
    let book = book_97();
    println!("book_97: {} bytes; price_change_2: {} bytes", book.len(), change(100).len());
    group.bench_function("book_97", |b| {
        b.iter(|| {
            protocol.decode(Stamp::default(), black_box(book.as_bytes()), &mut registry, &mut sink).unwrap();
            black_box((sink.0.bids.best(), sink.0.asks.best()))
        });
    });
    assert_eq!((sink.0.bids.len(), sink.0.asks.len()), (48, 49));
    // Two sizes in turn, so that every frame changes the best level.
    let frames = [change(100), change(250)];
    let mut turn = 0;
    group.bench_function("price_change_2", |b| {
        b.iter(|| {
            turn ^= 1;
            protocol.decode(Stamp::default(), black_box(frames[turn].as_bytes()), &mut registry, &mut sink).unwrap();
            black_box((sink.0.bids.best(), sink.0.asks.best()))
        });
    });
    assert_eq!(sink.0.bids.best().unwrap().px, "0.48".parse().unwrap());
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
