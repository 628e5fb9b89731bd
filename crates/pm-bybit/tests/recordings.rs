//! Recordings of the real venue, held against what their own descriptions say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::io::Read;

use common::{Run, data, gunzip, listing};
use pm_bybit::wire::Topic;
use pm_bybit::wire::book::{self, Levels};
use pm_bybit::{Category, RestProtocol, RestSettings, Scope, Unlisted};
use pm_core::event::Event;
use pm_core::instrument::InstrumentKind;
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{FeedProtocol, FrameKind};

const RAW: &str = "bybit-v5-raw-ws-2026-08-09/BYBIT.jsonl.gz";

/// (type, connection, data) of each line.
fn lines(text: &str) -> impl Iterator<Item = (String, String, String)> + '_ {
    text.lines().map(|line| {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| v[name].as_str().unwrap_or_default().to_owned();
        (field("t"), field("conn"), field("data"))
    })
}

fn replay(category: Category, conn: &str, text: &str) -> Run {
    let mut run = Run::new(category);
    for (kind, from, body) in lines(text) {
        match kind.as_str() {
            "http" => run.list_all(&body),
            "recv" if from == conn => {
                let kind = run.decode(body.as_bytes()).unwrap_or_else(|e| panic!("{e}: {}", &body[..200.min(body.len())]));
                assert_ne!(kind, FrameKind::Foreign, "{body}");
            }
            _ => {}
        }
    }
    run
}

impl Run {
    /// Lists a body whose odd rows are no matter here.
    fn list_all(&mut self, body: &str) {
        let mut rest = RestProtocol::new(&common::catalog()).unwrap();
        rest.decode(Stamp::default(), body.as_bytes(), &mut self.registry, &mut |e: Event<'_>| self.public.learn(&e)).unwrap();
    }
}

#[test]
fn raw_socket_of_2026_08_09_linear() {
    let Some(path) = data("raw_socket_of_2026_08_09_linear", RAW) else { return };
    let run = replay(Category::Linear, "BYBIT.ws.2", &gunzip(&path));
    let s = run.public.stats();
    assert_eq!((s.bad_frames, s.gaps, s.duplicates, s.before_snapshot, s.absent_deletes), (0, 0, 0, 0, 0), "{s:?}");
    assert_eq!((s.crossed, run.crossed, s.overlong, s.off_grid, s.clock_back, s.repeated_prints), (0, 0, 0, 0, 0, 0), "{s:?}");
    assert_eq!((s.snapshots, s.control_errors), (4, 0));
    assert_eq!(run.touch(Category::Linear, "BTCUSDT"), ("65114.2".into(), "65114.3".into()));
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"] {
        let idx = run.idx(Category::Linear, symbol);
        let (book, ticker) = (&run.books[&idx], &run.tickers[&idx]);
        assert_eq!((book.bids.len(), book.asks.len()), (200, 200), "{symbol}");
        assert!(
            ticker.mark.is_some() && ticker.index.is_some() && ticker.funding_rate.is_some() && ticker.next_funding.is_some()
        );
        // Merged over deltas, each of which had its snapshot, the ticker still is next to the book.
        let (bid, best) = (ticker.bid.unwrap().raw(), book.bids.best().unwrap().px.raw());
        assert!((bid - best).abs() * 1_000 < best, "{symbol}: {bid} {best}");
    }
    assert_eq!(s.early_tickers, 0);
    println!("linear: {s:?}");
}

#[test]
fn raw_socket_of_2026_08_09_spot() {
    let Some(path) = data("raw_socket_of_2026_08_09_spot", RAW) else { return };
    let run = replay(Category::Spot, "BYBIT.ws.3", &gunzip(&path));
    let s = run.public.stats();
    assert_eq!((s.bad_frames, s.gaps, s.duplicates, s.before_snapshot, s.absent_deletes), (0, 0, 0, 0, 0), "{s:?}");
    assert_eq!((s.crossed, run.crossed, s.overlong, s.off_grid, s.clock_back, s.repeated_prints), (0, 0, 0, 0, 0, 0), "{s:?}");
    assert_eq!((s.snapshots, s.control, s.control_errors), (2, 7, 0));
    assert_eq!(run.touch(Category::Spot, "BTCUSDT"), ("65140.4".into(), "65140.5".into()));
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let idx = run.idx(Category::Spot, symbol);
        assert_eq!((run.books[&idx].bids.len(), run.books[&idx].asks.len()), (200, 200), "{symbol}");
        let ticker = &run.tickers[&idx];
        assert!(ticker.last.is_some() && ticker.index.is_some() && ticker.bid.is_none());
    }
    println!("spot: {s:?}");
}

#[test]
fn both_decoders_agree_on_every_recorded_book_frame() {
    let Some(path) = data("both_decoders_agree_on_every_recorded_book_frame", RAW) else { return };
    let text = gunzip(&path);
    let (mut fast, mut slow, mut frames) = (Levels::default(), Levels::default(), 0);
    for (kind, _, body) in lines(&text) {
        if kind == "recv" && matches!(pm_bybit::wire::topic_of(&body).map(Topic::parse), Some(Topic::Book { .. })) {
            let scanned = book::scan(body.as_bytes(), &mut fast).expect("the scanner reads every frame that the venue sends");
            assert_eq!(scanned, book::parse(&body, &mut slow).unwrap());
            assert_eq!(fast, slow);
            frames += 1;
        }
    }
    // 6 snapshots and 2,142 deltas, as described.
    assert_eq!(frames, 2_148);
}

#[test]
fn instrument_lists_of_2026_08_09() {
    let Some(path) = data("instrument_lists_of_2026_08_09", RAW) else { return };
    let text = gunzip(&path);
    let (mut registry, mut found) = (Registry::default(), Vec::new());
    let mut rest = RestProtocol::new(&common::catalog()).unwrap();
    for (kind, _, body) in lines(&text).filter(|(kind, ..)| kind == "http") {
        let read = rest.decode(Stamp::default(), body.as_bytes(), &mut registry, &mut |e: Event<'_>| {
            if let Event::InstrumentListed(i) = e {
                found.push(i.into_owned());
            }
        });
        assert_eq!((read, rest.next_cursor()), (Ok(FrameKind::Data), None), "{kind}");
    }
    let s = rest.stats();
    println!("instruments: {s:?}");
    assert_eq!((s.bad_rows, rest.take_row_errors()), (0, vec![]));
    // 800 linear and 557 spot rows; every one is listed or has its reason.
    assert_eq!(s.listed + s.other_currency + s.too_fine, 1_357);
    let futures = found.iter().filter(|i| matches!(i.kind, InstrumentKind::Future { .. })).count();
    let perps = found.iter().filter(|i| i.kind == InstrumentKind::Perp).count();
    assert_eq!((futures, perps), (40, 760));
    let btc = found.iter().find(|i| &*i.symbol == "BTCUSDT" && i.kind == InstrumentKind::Perp).unwrap();
    assert_eq!((btc.tick, btc.lot, btc.min_qty), ("0.1".parse().unwrap(), "0.001".parse().unwrap(), "0.001".parse().unwrap()));
    assert_eq!((btc.min_notional, btc.initial_margin), ("5".parse().unwrap(), "0.1".parse().unwrap()));
    assert!(btc.trading && btc.underlying == common::catalog().underlying("BTC"));
    let dated = found.iter().find(|i| &*i.symbol == "BTCUSDT-14AUG26").unwrap();
    assert_eq!(dated.kind, InstrumentKind::Future { expiry: Ts::from_millis(1_786_694_400_000) });
    let spot = found.iter().find(|i| &*i.symbol == "BTCUSDT" && i.kind == InstrumentKind::Spot).unwrap();
    assert_eq!((spot.tick, spot.lot), ("0.1".parse().unwrap(), "0.000001".parse().unwrap()));
    assert_eq!((spot.min_notional, spot.initial_margin), ("5".parse().unwrap(), "1".parse().unwrap()));

    let settings = RestSettings { scope: Scope::Underlyings, ..RestSettings::default() };
    let mut narrow = RestProtocol::with_settings(&common::catalog(), settings).unwrap();
    for (_, _, body) in lines(&text).filter(|(kind, ..)| kind == "http") {
        narrow.decode(Stamp::default(), body.as_bytes(), &mut registry, &mut |_: Event<'_>| {}).unwrap();
    }
    assert!(narrow.stats().listed < 150 && narrow.stats().other_underlying > 1_000, "{:?}", narrow.stats());
}

#[test]
fn ob500_archive() {
    let Some(path) = data("ob500_archive", "bybit-ob500-xrpusdt/xrpusdt-ob500.data.zip") else { return };
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    let mut run = Run::with(Category::Linear, |s| s.unlisted = Unlisted::Register);
    for line in text.lines() {
        assert_eq!(run.decode(line.as_bytes()).unwrap(), FrameKind::Data);
    }
    let s = run.public.stats();
    assert_eq!((s.snapshots, s.deltas, s.gaps, s.absent_deletes, s.crossed, s.overlong), (1, 49, 0, 0, 0, 0), "{s:?}");
    let book = run.books.values().next().unwrap();
    assert_eq!((book.bids.len(), book.asks.len(), book.is_crossed()), (500, 500, false));
}

/// Option frames of 2026-09-26 (an author's captures kept as test constants).
#[test]
fn option_frames_of_2026_09() {
    let Some(dir) = data("option_frames_of_2026_09", "fixtures-bybit/option_live_2026-09") else { return };
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let rows = read("http_instruments_option_rows.json");
    let mut run = Run::new(Category::Option);
    run.list(&listing("option", &[rows.trim().trim_start_matches('[').trim_end_matches(']')]));
    assert_eq!(run.instruments.len(), 3);
    let put = run.instruments[0].clone();
    assert_eq!((put.tick, put.lot, put.initial_margin), ("5".parse().unwrap(), "0.01".parse().unwrap(), "1".parse().unwrap()));
    assert_eq!(run.decode(read("ws_option_subscribe_ack.json").trim().as_bytes()).unwrap(), FrameKind::Control);
    assert_eq!(run.decode(read("ws_option_book25_snapshot.json").trim().as_bytes()).unwrap(), FrameKind::Data);
    assert_eq!(run.decode(read("ws_option_public_trades.json").trim().as_bytes()).unwrap(), FrameKind::Data);
    assert_eq!(run.decode(read("ws_option_ticker_snapshot.json").trim().as_bytes()).unwrap(), FrameKind::Data);
    assert_eq!(
        run.said(),
        [
            // `ts`, not the `cts` of 24 minutes before.
            "snapshot 2x1 @1790373952615",
            // The second trade is of an option that is not listed.
            "print Buy 0.1 at 240 @1790373961369",
            "ticker @1790373953406"
        ]
    );
    let ticker = run.tickers[&put.idx];
    assert_eq!((ticker.bid, ticker.ask), (Some("22915".parse().unwrap()), Some("26205".parse().unwrap())));
    assert_eq!(
        (ticker.mark_iv, ticker.bid_iv, ticker.ask_iv),
        (Some("0.3868".parse().unwrap()), Some("0.3285".parse().unwrap()), Some("0.4489".parse().unwrap()))
    );
    assert_eq!(
        (ticker.forward, ticker.index, ticker.last),
        (Some("86977.1".parse().unwrap()), Some("83885".parse().unwrap()), None)
    );
    let inverse = read("ws_inverse_ticker_snapshot.json");
    assert_eq!(Run::btc().decode(inverse.trim().as_bytes()).unwrap(), FrameKind::Foreign, "BTCUSD is inverse, never listed");
}
