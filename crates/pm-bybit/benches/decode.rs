//! Frame to best bid and ask: decode, apply to a `Book`, read the touch. Frames are made here in the venue's form.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use pm_bybit::wire::book::{self, Levels};
use pm_bybit::{Category, PublicProtocol, VENUE};
use pm_core::book::{Book, BookState};
use pm_core::event::Event;
use pm_core::ids::CurrencyId;
use pm_core::registry::{Catalog, Registry, VenueInfo, VenueRole};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::FeedProtocol;

fn catalog() -> Catalog {
    Catalog {
        venues: vec![VenueInfo { name: Arc::from(VENUE), role: VenueRole::Hedge, currency: CurrencyId(0) }],
        currencies: vec![Arc::from("USDT")],
        underlyings: vec![Arc::from("BTC")],
        sources: vec![],
    }
}

const LISTING: &str = r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","deliveryTime":"0","leverageFilter":{"maxLeverage":"100.00"},"priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","minNotionalValue":"5"},"settleCoin":"USDT"}],"nextPageCursor":""},"retExtInfo":{},"time":1672712468011}"#;

/// A protocol that knows BTCUSDT.
fn protocol(registry: &mut Registry) -> PublicProtocol {
    let mut public = PublicProtocol::new(Category::Linear, &catalog()).unwrap();
    let mut rest = pm_bybit::RestProtocol::new(&catalog()).unwrap();
    rest.decode(Stamp::default(), LISTING.as_bytes(), registry, &mut |e: Event<'_>| public.learn(&e)).unwrap();
    public
}

fn side(best: i64, step: i64, n: i64) -> String {
    let levels: Vec<String> = (0..n)
        .map(|i| {
            let tenths = best + i * step;
            format!("[\"{}.{}0\",\"{}.{:03}\"]", tenths / 10, tenths % 10, i % 7, 101 + i)
        })
        .collect();
    format!("[{}]", levels.join(","))
}

fn snapshot(depth: i64) -> String {
    format!(
        r#"{{"topic":"orderbook.{depth}.BTCUSDT","type":"snapshot","ts":1786310817880,"data":{{"s":"BTCUSDT","b":{},"a":{},"u":1,"seq":753843907769}},"cts":1786310817878}}"#,
        side(651_142, -1, depth),
        side(651_143, 1, depth)
    )
}

/// Ten levels: changes, inserts and deletes near and far from the touch.
fn delta(u: u64) -> String {
    let q = 100 + u % 800;
    let far = if u.is_multiple_of(2) { "0.250" } else { "0" };
    format!(
        r#"{{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1786310817900,"data":{{"s":"BTCUSDT","b":[["65114.20","6.{q}"],["65114.10","0.{q}"],["65113.70","1.{q}"],["65112.90","{far}"],["65110.40","0.004"]],"a":[["65114.30","10.{q}"],["65114.60","0.{q}"],["65115.10","{far}"],["65117.80","0.031"],["65119.00","2.{q}"]],"u":{u},"seq":753843907770}},"cts":1786310817898}}"#
    )
}

fn apply(book: &mut Book, event: Event<'_>) {
    match event {
        Event::BookSnapshot { bids, asks, at, flags, .. } => {
            book.apply_snapshot(&bids, &asks, at, Ts::ZERO, flags);
        }
        Event::BookDelta { bids, asks, at, .. } => {
            book.apply_delta(&bids, &asks, at, Ts::ZERO);
        }
        _ => {}
    }
}

fn bench(c: &mut Criterion) {
    let mut registry = Registry::default();
    let mut public = protocol(&mut registry);
    let mut book = Book::default();
    let first = snapshot(50);
    // The snapshot is number 1, a cycle of deltas follows; a full cycle starts again with the snapshot.
    let deltas: Vec<String> = (2..1_000).map(delta).collect();
    let mut at = deltas.len();
    c.bench_function("bybit/delta_10", |b| {
        b.iter(|| {
            let frame = if at == deltas.len() { &first } else { &deltas[at] };
            at = if at == deltas.len() { 0 } else { at + 1 };
            public
                .decode(Stamp::default(), black_box(frame.as_bytes()), &mut registry, &mut |e: Event<'_>| apply(&mut book, e))
                .unwrap();
            black_box((book.bids.best(), book.asks.best()))
        });
    });
    assert_eq!((public.stats().gaps, public.stats().duplicates, book.state), (0, 0, BookState::Synced));

    let mut levels = Levels::default();
    c.bench_function("bybit/delta_10_scan_only", |b| {
        b.iter(|| book::scan(black_box(deltas[7].as_bytes()), &mut levels).map(|f| f.u));
    });
    c.bench_function("bybit/delta_10_serde_only", |b| {
        b.iter(|| book::parse(black_box(deltas[7].as_str()), &mut levels).map(|f| f.u));
    });
    let deep = snapshot(200);
    c.bench_function("bybit/snapshot_200", |b| {
        b.iter(|| {
            public
                .decode(Stamp::default(), black_box(deep.as_bytes()), &mut registry, &mut |e: Event<'_>| apply(&mut book, e))
                .unwrap();
            black_box((book.bids.best(), book.asks.best()))
        });
    });
    let whole = r#"{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"65114.20"},"cs":753843907769,"ts":1786310817882}"#;
    public.decode(Stamp::default(), whole.as_bytes(), &mut registry, &mut |_: Event<'_>| {}).unwrap();
    let ticker = r#"{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"65114.20","bid1Size":"6.054","ask1Price":"65114.30","ask1Size":"10.486"},"cs":753843907770,"ts":1786310817883}"#;
    c.bench_function("bybit/ticker_delta", |b| {
        b.iter(|| {
            public
                .decode(Stamp::default(), black_box(ticker.as_bytes()), &mut registry, &mut |e: Event<'_>| {
                    black_box(&e);
                })
                .unwrap()
        });
    });
    assert_eq!(public.stats().early_tickers, 0);
}

criterion_group!(benches, bench);
criterion_main!(benches);
