//! The spot feed through its door: sources, candles, duplicates, bad input, and the recorded futures stream as load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use pm_core::event::{Event, ReferenceKind};
use pm_core::ids::{CurrencyId, UnderlyingId};
use pm_core::registry::{Catalog, Registry, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};
use pm_reference::{SpotFeed, SpotProtocol, SpotSettings};
use proptest::prelude::*;

fn catalog() -> Catalog {
    let source = |name: &str, of| SourceInfo { name: Arc::from(name), underlying: UnderlyingId(of) };
    Catalog {
        venues: vec![VenueInfo { name: Arc::from("binance"), role: VenueRole::Reference, currency: CurrencyId(0) }],
        currencies: vec![Arc::from("USDT")],
        underlyings: vec![Arc::from("BTC"), Arc::from("ETH")],
        sources: vec![source("chainlink:btc/usd", 0), source("binance:BTCUSDT", 0), source("binance:ETHUSDT", 1)],
    }
}

fn with(settings: SpotSettings) -> SpotProtocol {
    SpotProtocol::with_settings(&catalog(), settings)
}

fn now() -> Stamp {
    Stamp { wall: Ts::from_millis(5_000), mono_ns: 0 }
}

fn decode(p: &mut SpotProtocol, frame: &str) -> (Result<FrameKind, DecodeError>, Vec<String>) {
    let mut said = Vec::new();
    let kind = p.decode(now(), frame.as_bytes(), &mut Registry::default(), &mut |e: Event<'_>| {
        said.push(match e {
            Event::Reference { source, kind: ReferenceKind::Spot, px, at } => format!("{source}: {px} @{}", at.millis()),
            Event::Candle { source, candle: c } => {
                let (from, long, closed) = (c.open_at.millis(), c.interval.secs(), c.closed);
                format!("{source}: {}/{}/{}/{} of {long} s from {from} closed {closed}", c.open, c.high, c.low, c.close)
            }
            other => format!("{other:?}"),
        });
    });
    (kind, said)
}

fn trade(id: u64, px: &str) -> String {
    format!(
        r#"{{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":{id},"p":"{px}","q":"0.5","T":1672515782130,"m":true,"M":true}}"#
    )
}

fn kline(interval: &str, t: u64, end: u64, closed: bool) -> String {
    format!(
        r#"{{"e":"kline","E":1672515782136,"s":"ETHUSDT","k":{{"t":{t},"T":{end},"s":"ETHUSDT","i":"{interval}","f":100,"L":200,"o":"1200.10","c":"1203.00000000","h":"1203.5","l":"1199","v":"1000","n":100,"x":{closed},"q":"1.0","V":"500","Q":"0.5","B":"123456"}}}}"#
    )
}

fn combined(stream: &str, data: &str) -> String {
    format!(r#"{{"stream":"{stream}","data":{data}}}"#)
}

#[test]
fn trades_are_the_spot_value_raw_and_combined() {
    let mut p = SpotProtocol::new(&catalog());
    assert_eq!(decode(&mut p, &trade(10, "65114.21000000")), (Ok(FrameKind::Data), vec!["1: 65114.21 @1672515782130".into()]));
    assert_eq!(decode(&mut p, &combined("btcusdt@trade", &trade(11, "65114.3"))).1, ["1: 65114.3 @1672515782130"]);
    assert_eq!(decode(&mut p, &trade(14, "1.30e+03")).1, ["1: 1300 @1672515782130"]);
    assert_eq!(p.stats().skipped_trades, 2);
}

#[test]
fn duplicated_and_reordered_trades_are_ignored() {
    let mut p = SpotProtocol::new(&catalog());
    for id in [2_000_010, 2_000_012, 2_000_012, 2_000_011] {
        decode(&mut p, &trade(id, "1")).0.unwrap();
    }
    assert_eq!((p.stats().references, p.stats().duplicates), (2, 2));
    // Numbers that begin anew are a restart, not a late frame.
    decode(&mut p, &trade(5, "1")).0.unwrap();
    assert_eq!(p.stats().references, 3);
    // So is a new connection.
    p.reset(&mut |_: Event<'_>| {});
    decode(&mut p, &trade(4, "1")).0.unwrap();
    assert_eq!(p.stats().references, 4);
}

#[test]
fn candles_of_a_minute_and_an_hour() {
    let mut p = SpotProtocol::new(&catalog());
    assert_eq!(
        decode(&mut p, &kline("1h", 1_672_513_200_000, 1_672_516_799_999, true)).1,
        ["2: 1200.1/1203.5/1199/1203 of 3600 s from 1672513200000 closed true"]
    );
    assert_eq!(
        decode(&mut p, &combined("ethusdt@kline_1m", &kline("1m", 1_672_515_780_000, 1_672_515_839_999, false))).1,
        ["2: 1200.1/1203.5/1199/1203 of 60 s from 1672515780000 closed false"]
    );
    // The same in microseconds.
    assert_eq!(
        decode(&mut p, &kline("1m", 1_672_515_780_000_000, 1_672_515_839_999_999, false)).1,
        ["2: 1200.1/1203.5/1199/1203 of 60 s from 1672515780000 closed false"]
    );
    assert_eq!(decode(&mut p, &kline("4h", 1, 2, true)), (Ok(FrameKind::Unknown), vec![]));
}

#[test]
fn candles_that_cannot_be_are_refused() {
    let good = kline("1m", 1_672_515_780_000, 1_672_515_839_999, true);
    for (from, to, says) in [
        ("\"T\":1672515839999", "\"T\":1672519379999", "k.t: not possible here"),
        ("\"t\":1672515780000,\"T\":1672515839999", "\"t\":1672515781000,\"T\":1672515840999", "k.t: not possible here"),
        ("\"h\":\"1203.5\"", "\"h\":\"1202\"", "k: not possible here"),
        ("\"l\":\"1199\"", "\"l\":\"1201\"", "k: not possible here"),
        ("\"c\":\"1203.00000000\"", "\"c\":\"\"", "k.c: empty number"),
        ("\"o\":\"1200.10\"", "\"o\":\"0\"", "k.o: not possible here"),
        ("\"x\":true", "\"x\":null", "not the JSON of a kline"),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good);
        let mut p = SpotProtocol::new(&catalog());
        let (kind, said) = decode(&mut p, &bad);
        let err = kind.unwrap_err();
        assert!(err.to_string().starts_with(says) && said.is_empty(), "{err}");
        assert_eq!(p.stats().bad_frames, 1);
    }
}

#[test]
fn book_tickers_feed_the_value_only_when_chosen() {
    let ticker = r#"{"u":400900217,"s":"BTCUSDT","b":"100.10","B":"31.21","a":"100.20","A":"40.66"}"#;
    assert_eq!(decode(&mut SpotProtocol::new(&catalog()), ticker), (Ok(FrameKind::Data), vec![]));
    let mut mid = with(SpotSettings { spot_from: SpotFeed::BookTickerMid, ..SpotSettings::default() });
    // Spot sends no time with it: the time of receipt.
    assert_eq!(decode(&mut mid, &combined("btcusdt@bookTicker", ticker)).1, ["1: 100.15 @5000"]);
    assert_eq!(decode(&mut mid, ticker).1, Vec::<String>::new());
    assert_eq!(decode(&mut mid, &trade(1, "1")), (Ok(FrameKind::Data), vec![]));
    assert_eq!((mid.stats().duplicates, mid.stats().skipped_trades), (1, 0));
}

#[test]
fn futures_are_foreign_unless_accepted() {
    let future = r#"{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}"#;
    let mut p = SpotProtocol::new(&catalog());
    assert_eq!(decode(&mut p, future), (Ok(FrameKind::Foreign), vec![]));
    assert_eq!(p.stats().futures, 1);
    let mut p = with(SpotSettings { accept_futures: true, ..SpotSettings::default() });
    assert_eq!(decode(&mut p, future).1, ["1: 61800.3 @1723161256322"]);
    // Trades outside the book are no price.
    let outside = future.replace("MARKET", "NA").replace("61800.30", "0").replace("5266583935", "5266583936");
    assert_eq!(decode(&mut p, &outside), (Ok(FrameKind::Unknown), vec![]));
}

#[test]
fn answers_and_unknown_messages() {
    let mut p = SpotProtocol::new(&catalog());
    for (frame, kind) in [
        (r#"{"result":null,"id":1}"#, FrameKind::Control),
        (r#"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#, FrameKind::Control),
        (r#"{"code":0,"msg":"Unknown property"}"#, FrameKind::Control),
        (r#"{"e":"aggTrade","E":1}"#, FrameKind::Unknown),
        (r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#, FrameKind::Unknown),
        (r#"{"e":"trade","s":"DOGEUSDT","t":1,"p":"1","T":1672515782130}"#, FrameKind::Foreign),
    ] {
        assert_eq!(decode(&mut p, frame).0, Ok(kind), "{frame}");
    }
    assert_eq!((p.stats().control, p.stats().control_errors), (3, 2));
    assert_eq!(p.take_refusals(), ["2: Invalid request", "0: Unknown property"]);
}

#[test]
fn bad_numbers_and_broken_frames_are_errors() {
    for (px, says) in [
        ("", "p: empty number"),
        ("0", "p: not possible here"),
        ("-1", "p: not possible here"),
        ("NaN", "p: not a decimal number"),
        ("0.123456789", "p: more than 8 decimal places"),
        ("99999999999", "p: number out of range"),
    ] {
        let err = decode(&mut SpotProtocol::new(&catalog()), &trade(1, px)).0.unwrap_err();
        assert!(err.to_string().starts_with(says), "{err}");
    }
    for frame in ["", "{", "null", "[1]", r#"{"stream":"x","data":{"e":"trade"}}"#, r#"{"e":"kline","s":"BTCUSDT","k":null}"#] {
        assert!(decode(&mut SpotProtocol::new(&catalog()), frame).0.is_err(), "{frame}");
    }
    let late = trade(1, "1").replace("\"T\":1672515782130", "\"T\":9999999999999");
    assert!(decode(&mut SpotProtocol::new(&catalog()), &late).0.is_err());
}

#[test]
fn one_request_subscribes_all_sources() {
    assert_eq!(
        SpotProtocol::new(&catalog()).subscribe(),
        [
            r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@kline_1m","btcusdt@kline_1h","ethusdt@trade","ethusdt@kline_1m","ethusdt@kline_1h"],"id":1}"#
        ]
    );
    assert!(SpotProtocol::new(&Catalog::default()).subscribe().is_empty());
}

/// 93,954 recorded frames of the USD-M combined stream: bookTicker 66,089, trade 21,313, depth 6,551, one REST depth snapshot.
#[test]
fn usdm_stream_of_2024_08_08() {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/binance-usdm-btcusdt-raw-ws-2024-08-08/btcusdt_20240808.gz"
    ));
    if !path.exists() {
        println!("SKIPPED usdm_stream_of_2024_08_08: ../shared/data absent");
        return;
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut strict = SpotProtocol::new(&catalog());
    let mut trades = with(SpotSettings { accept_futures: true, ..SpotSettings::default() });
    let mut mids = with(SpotSettings { accept_futures: true, spot_from: SpotFeed::BookTickerMid });
    let (mut frames, mut last) = (0_u64, String::new());
    for line in text.lines() {
        let (_, frame) = line.split_once(' ').unwrap();
        decode(&mut strict, frame).0.unwrap_or_else(|e| panic!("{e}: {frame}"));
        if let Some(said) = decode(&mut trades, frame).1.pop() {
            last = said;
        }
        decode(&mut mids, frame).0.unwrap();
        frames += 1;
    }
    println!("trades {:?}\nmids {:?}\nlast {last}", trades.stats(), mids.stats());
    assert_eq!(frames, 93_954);
    let s = strict.stats();
    assert_eq!((s.bad_frames, s.unknown + s.futures, s.references), (0, 93_954, 0), "{s:?}");
    let t = trades.stats();
    assert_eq!((t.bad_frames, t.foreign, t.futures), (0, 0, 0));
    assert!(t.references > 21_000 && t.references + t.duplicates <= 21_313, "{t:?}");
    let m = mids.stats();
    assert_eq!((m.bad_frames, m.references + m.duplicates), (0, 66_089), "{m:?}");
}

/// A real shape with some bytes changed or cut.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let shapes = [
        trade(10, "65114.21"),
        combined("btcusdt@trade", &trade(11, "65114.21")),
        kline("1m", 1_672_515_780_000, 1_672_515_839_999, true),
        r#"{"u":400900217,"s":"BTCUSDT","b":"100.10","B":"31.21","a":"100.20","A":"40.66"}"#.to_owned(),
        r#"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#.to_owned(),
    ];
    let change = prop_oneof![any::<u8>(), prop::sample::select(b"\"{}[],:.0e-\\".to_vec())];
    (0..shapes.len(), proptest::collection::vec((0..400_usize, change), 0..5), proptest::option::of(0..400_usize)).prop_map(
        move |(which, changes, cut)| {
            let mut bytes = shapes[which].clone().into_bytes();
            let len = bytes.len();
            for (at, to) in changes {
                bytes[at % len] = to;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut);
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn damaged_frames_never_panic(frames in proptest::collection::vec(damaged(), 1..10)) {
        let mut p = with(SpotSettings { accept_futures: true, ..SpotSettings::default() });
        for frame in frames {
            let before = p.stats().bad_frames;
            let failed = p.decode(now(), &frame, &mut Registry::default(), &mut |_: Event<'_>| {}).is_err();
            prop_assert_eq!(p.stats().bad_frames - before, u64::from(failed));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SpotProtocol::new(&catalog()).decode(now(), &bytes, &mut Registry::default(), &mut |_: Event<'_>| {});
    }
}
