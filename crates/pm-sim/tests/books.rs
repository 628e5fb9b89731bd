//! Books of the outcome markets, rebuilt from frames alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::{Book, mills, scaled, text};
use pm_sim::{MakerKind, SimConfig, Simulator};
use serde_json::Value;
use sha1::{Digest, Sha1};

/// Hash of 5.2, written out once more from the page.
fn hash(v: &Value) -> String {
    let side = |key: &str| {
        let levels: Vec<String> = v[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| format!("{{\"price\":\"{}\",\"size\":\"{}\"}}", text(l, "price"), text(l, "size")))
            .collect();
        levels.join(",")
    };
    let json = format!(
        "{{\"market\":\"{}\",\"asset_id\":\"{}\",\"timestamp\":\"{}\",\"hash\":\"\",\"bids\":[{}],\"asks\":[{}],\"min_order_size\":\"5\",\"tick_size\":\"{}\",\"neg_risk\":false,\"last_trade_price\":\"{}\"}}",
        text(v, "market"),
        text(v, "asset_id"),
        text(v, "timestamp"),
        side("bids"),
        side("asks"),
        text(v, "tick_size"),
        text(v, "last_trade_price")
    );
    Sha1::digest(json).iter().map(|b| format!("{b:02x}")).collect()
}

#[derive(Default)]
struct Reader {
    /// By token.
    books: BTreeMap<String, Book>,
    snapshots: u32,
    changes: u32,
    refinements: u32,
}

impl Reader {
    fn take(&mut self, v: &Value) {
        match text(v, "event_type") {
            "book" => {
                self.snapshots += 1;
                assert_eq!(text(v, "hash"), hash(v));
                let book = Book::snapshot(v);
                let (bid, ask) = book.best();
                assert!(bid < ask);
                let grid = |levels: &BTreeMap<i32, i128>, last: bool| {
                    let best = if last { levels.keys().next_back() } else { levels.keys().next() };
                    best.is_none_or(|p| p % book.tick == 0)
                };
                assert!(grid(&book.bids, true) && grid(&book.asks, false), "best price off the grid");
                self.books.insert(text(v, "asset_id").to_owned(), book);
            }
            "price_change" => self.change(v),
            "tick_size_change" => {
                self.refinements += 1;
                assert_eq!((text(v, "old_tick_size"), text(v, "new_tick_size")), ("0.01", "0.001"));
                self.books.get_mut(text(v, "asset_id")).unwrap().tick = 1;
            }
            _ => {}
        }
    }

    fn change(&mut self, v: &Value) {
        let entries = v["price_changes"].as_array().unwrap();
        assert!(!entries.is_empty() && entries.len().is_multiple_of(2));
        for pair in entries.chunks(2) {
            let read = |e: &Value| {
                let (px, qty) = (mills(text(e, "price")), scaled(text(e, "size"), 2));
                (text(e, "side") == "BUY", px, qty, mills(text(e, "best_bid")), mills(text(e, "best_ask")))
            };
            let (a, b) = (read(&pair[0]), read(&pair[1]));
            assert_eq!((!a.0, 1_000 - a.1, a.2, 1_000 - a.4, 1_000 - a.3), b, "the second token is not the mirror of the first");
            for (entry, (bid, px, qty, best_bid, best_ask)) in pair.iter().zip([a, b]) {
                self.changes += 1;
                let book = self.books.get_mut(text(entry, "asset_id")).expect("changes before a book");
                assert!(px % book.tick == 0 || qty == 0, "{px} off the grid of {}", book.tick);
                book.set(bid, px, qty);
                assert_eq!(book.best(), (best_bid, best_ask));
                assert!(best_bid < best_ask, "crossed");
            }
        }
    }
}

fn run(makers: MakerKind) {
    let mut sim = Simulator::new(SimConfig { seed: 11, makers, duration_s: Some(1_500), ..SimConfig::default() }).unwrap();
    let market = sim.feeds().iter().position(|f| *f == "polymarket.market").unwrap();
    let mut reader = Reader::default();
    let mut frames = 0;
    while let Some(frame) = sim.next() {
        if frame.feed != market {
            continue;
        }
        let v: Value = serde_json::from_slice(frame.bytes).unwrap();
        for m in v.as_array().unwrap_or(&vec![v.clone()]) {
            reader.take(m);
        }
        frames += 1;
    }
    // At the end what was rebuilt is what there is.
    let mut compared = 0;
    for m in sim.truth().markets().filter(|m| m.trading) {
        let (a, b) = (&reader.books[m.tokens[0]], &reader.books[m.tokens[1]]);
        assert_eq!(a, &b.mirrored());
        let bids: Vec<(i32, i128)> = m.bids.iter().map(|(p, q)| (*p, i128::from(*q))).collect();
        let asks: Vec<(i32, i128)> = m.asks.iter().map(|(p, q)| (*p, i128::from(*q))).collect();
        assert!(bids.iter().copied().eq(a.bids.iter().rev().map(|(p, q)| (*p, *q))));
        assert!(asks.iter().copied().eq(a.asks.iter().map(|(p, q)| (*p, *q))));
        assert!((5..=20).contains(&bids.len().max(asks.len())));
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
    assert!(
        frames > 5_000 && reader.snapshots > 60 && reader.changes > 10_000,
        "{frames} {} {}",
        reader.snapshots,
        reader.changes
    );
    assert!(reader.refinements >= 4 && reader.refinements % 2 == 0);
}

#[test]
fn changes_rebuild_the_books_of_typical_makers() {
    run(MakerKind::Typical);
}

#[test]
fn changes_rebuild_the_books_of_efficient_makers() {
    run(MakerKind::Efficient);
}

#[test]
fn changes_rebuild_the_books_of_careless_makers() {
    run(MakerKind::Careless);
}
