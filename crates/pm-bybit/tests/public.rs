//! One socket's protocol through its door: continuity, merging, duplicates, and every form of bad input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{Run, linear_row, listing};
use pm_bybit::{Category, OffGrid, PublicProtocol, SetupError, Unlisted};
use pm_core::event::Ticker;
use pm_core::registry::Catalog;
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_core::units::Px;

fn book(depth: u16, kind: &str, u: u64, bids: &str, asks: &str, cts: u64) -> String {
    format!(
        r#"{{"topic":"orderbook.{depth}.BTCUSDT","type":"{kind}","ts":{},"data":{{"s":"BTCUSDT","b":{bids},"a":{asks},"u":{u},"seq":{u}}},"cts":{cts}}}"#,
        cts + 2
    )
}

fn snapshot(u: u64) -> String {
    book(50, "snapshot", u, r#"[["100.0","1"],["99.9","2"]]"#, r#"[["100.1","3"]]"#, 1_000)
}

fn delta(u: u64) -> String {
    book(50, "delta", u, r#"[["99.9","0"]]"#, "[]", 1_000 + u)
}

fn feed(run: &mut Run, frames: &[String]) -> Vec<String> {
    for frame in frames {
        assert_eq!(run.decode(frame.as_bytes()).unwrap(), FrameKind::Data, "{frame}");
    }
    run.said()
}

#[test]
fn duplicated_and_reordered_frames() {
    let mut run = Run::btc();
    let said = feed(&mut run, &[snapshot(10), delta(11), delta(11), delta(13), delta(12), delta(14), snapshot(20), delta(21)]);
    assert_eq!(
        said,
        ["snapshot 2x1 @1000", "delta 1x0 @1011", "lost Gap", "snapshot 2x1 @1011", "delta 1x0 @1021"],
        "the snapshot carries the book's time, not an earlier one"
    );
    let s = run.public.stats();
    assert_eq!((s.duplicates, s.gaps, s.before_snapshot, s.clock_back), (1, 1, 2, 1));
    assert_eq!(run.touch(Category::Linear, "BTCUSDT"), ("100".into(), "100.1".into()));
}

#[test]
fn service_restart_is_a_snapshot_even_when_the_clock_went_back() {
    let mut run = Run::btc();
    feed(&mut run, &[snapshot(10)]);
    let restarted = book(50, "delta", 1, r#"[["90.0","1"]]"#, r#"[["90.1","1"]]"#, 500);
    assert_eq!(feed(&mut run, &[restarted]), ["snapshot 1x1 @1000"]);
    assert_eq!(run.touch(Category::Linear, "BTCUSDT"), ("90".into(), "90.1".into()), "replaced, not ignored as old");
}

#[test]
fn depths_of_one_symbol_do_not_mix() {
    let first = |u: u64| book(1, "snapshot", u, r#"[["50.0","1"]]"#, r#"[["50.1","1"]]"#, 2_000);
    let mut run = Run::btc();
    assert_eq!(feed(&mut run, &[first(7), first(7), snapshot(10), first(8), delta(11)]).len(), 4);
    assert_eq!(run.touch(Category::Linear, "BTCUSDT"), ("100".into(), "100.1".into()));
    assert_eq!(run.public.stats().shallower, 1);
    // After the connection ended, what comes first serves until the deep snapshot.
    run.reset();
    assert_eq!(run.said(), ["lost Disconnected"]);
    assert_eq!(feed(&mut run, &[first(9), delta(12), snapshot(30)]), ["snapshot 1x1 @2000", "snapshot 2x1 @2000"]);
}

#[test]
fn reset_loses_only_books_that_were_synced() {
    let mut run = Run::btc();
    run.reset();
    assert_eq!(run.said(), Vec::<String>::new());
    feed(&mut run, &[snapshot(10), delta(15)]);
    run.reset();
    assert_eq!(run.said(), Vec::<String>::new(), "it was lost already");
    assert_eq!(feed(&mut run, &[delta(16)]), ["lost NoSnapshot"]);
}

#[test]
fn null_empty_and_exponent_values() {
    let mut run = Run::btc();
    feed(&mut run, &[snapshot(10)]);
    let null = book(50, "delta", 11, "null", r#"[["1.001e+02","2.5e0"]]"#, 1_100);
    assert_eq!(feed(&mut run, &[null]), ["delta 0x1 @1100"]);
    let idx = run.idx(Category::Linear, "BTCUSDT");
    assert_eq!(run.books[&idx].asks.best().unwrap().qty, "2.5".parse().unwrap());
    // An empty price is no price: the frame is refused, the book is lost, the next snapshot heals it.
    let err = run.decode(book(50, "delta", 12, r#"[["","1"]]"#, "[]", 1_200).as_bytes()).unwrap_err();
    assert!(err.to_string().starts_with("data.b: empty number") && err.at.is_some(), "{err}");
    assert_eq!(run.said(), ["lost BadFrame"]);
    feed(&mut run, &[delta(13)]);
    assert_eq!(feed(&mut run, &[snapshot(14)]), ["snapshot 2x1 @1100"]);
    assert_eq!(run.public.stats().bad_frames, 1);
}

#[test]
fn truncated_frame_loses_its_book() {
    let mut run = Run::btc();
    feed(&mut run, &[snapshot(10)]);
    let whole = delta(11);
    assert!(run.decode(&whole.as_bytes()[..whole.len() - 20]).is_err());
    assert_eq!(run.said(), ["lost BadFrame"]);
    assert!(run.decode(b"").is_err() && run.decode(b"\xff\xfe").is_err() && run.decode(b"{").is_err());
}

#[test]
fn prices_off_the_grid_are_refused_or_counted() {
    let odd = book(50, "delta", 11, r#"[["99.95","1"]]"#, "[]", 1_100);
    let mut run = Run::btc();
    feed(&mut run, &[snapshot(10)]);
    let err = run.decode(odd.as_bytes()).unwrap_err();
    assert!(err.to_string().starts_with("BTCUSDT: price 99.95 is off the tick 0.1"), "{err}");
    assert_eq!(run.said(), ["lost BadFrame"]);

    let mut run = Run::with(Category::Linear, |s| s.off_grid = OffGrid::Count);
    run.list(&listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10")]));
    feed(&mut run, &[snapshot(10), odd]);
    assert_eq!((run.public.stats().off_grid, run.public.stats().deltas), (1, 1));
}

#[test]
fn huge_sizes_and_times_are_refused() {
    for frame in [
        book(50, "snapshot", 10, r#"[["100.0","99999999999"]]"#, "[]", 1_000),
        book(50, "snapshot", 10, "[]", "[]", 9_999_999_999_999),
        snapshot(10).replace("\"u\":10", "\"u\":99999999999999999999"),
    ] {
        let mut run = Run::btc();
        assert!(run.decode(frame.as_bytes()).is_err(), "{frame}");
        assert_eq!(run.said(), Vec::<String>::new());
    }
}

#[test]
fn unlisted_symbols_are_foreign_or_registered() {
    let frame = snapshot(10);
    let mut run = Run::new(Category::Linear);
    assert_eq!(run.decode(frame.as_bytes()).unwrap(), FrameKind::Foreign);
    // Foreign in the general decoder too, whatever the numbers are.
    assert_eq!(run.decode(frame.replace("100.0", "1e-9").as_bytes()).unwrap(), FrameKind::Foreign);
    assert_eq!((run.said(), run.public.stats().foreign), (vec![], 2));

    let mut run = Run::with(Category::Linear, |s| s.unlisted = Unlisted::Register);
    assert_eq!(run.decode(frame.as_bytes()).unwrap(), FrameKind::Data);
    assert_eq!(run.idx(Category::Linear, "BTCUSDT").0, 0);
}

#[test]
fn ticker_deltas_merge_and_empty_fields_clear() {
    let frame = |kind: &str, fields: &str, ts: u64| {
        format!(r#"{{"topic":"tickers.BTCUSDT","type":"{kind}","data":{{"symbol":"BTCUSDT",{fields}}},"cs":1,"ts":{ts}}}"#)
    };
    let mut run = Run::btc();
    let full = frame(
        "snapshot",
        r#""lastPrice":"63561.60","markPrice":"63560.80","indexPrice":"63585.51","fundingRate":"-0.00005013","nextFundingTime":"1786665600000","bid1Price":"63561.50","bid1Size":"1.760","ask1Price":"63561.60","ask1Size":"4.690","preOpenPrice":"","curPreListingPhase":"""#,
        1_786_659_827_683,
    );
    feed(&mut run, &[full, frame("delta", r#""indexPrice":"63585.74""#, 1_786_659_827_983)]);
    let idx = run.idx(Category::Linear, "BTCUSDT");
    let t = run.tickers[&idx];
    assert_eq!(
        (t.index, t.mark, t.bid),
        (Some("63585.74".parse().unwrap()), Some("63560.8".parse().unwrap()), Some("63561.5".parse().unwrap()))
    );
    assert_eq!((t.funding_rate, t.next_funding.unwrap().millis()), (Some("-0.00005013".parse().unwrap()), 1_786_665_600_000));
    feed(&mut run, &[frame("delta", r#""bid1Price":"","bid1Size":"0","markPrice":null,"lastPrice":"6.35616e+4""#, 1)]);
    let t = run.tickers[&idx];
    assert_eq!(
        (t.bid, t.bid_qty, t.mark, t.last),
        (None, None, Some("63560.8".parse().unwrap()), Some("63561.6".parse().unwrap()))
    );
    // A snapshot forgets what it does not carry.
    feed(&mut run, &[frame("snapshot", r#""lastPrice":"1""#, 3)]);
    assert_eq!((run.tickers[&idx].mark, run.tickers[&idx].last), (None, Some(Px::ONE)));
}

fn ticker(kind: &str, fields: &str, ts: u64) -> String {
    format!(r#"{{"topic":"tickers.BTCUSDT","type":"{kind}","data":{{"symbol":"BTCUSDT",{fields}}},"cs":1,"ts":{ts}}}"#)
}

const TICKER: &str = r#""lastPrice":"100.0","markPrice":"100.1","indexPrice":"100.2","fundingRate":"0.0001""#;

#[test]
fn a_bad_ticker_change_takes_the_merged_ticker_back_until_a_snapshot() {
    let bad = [
        ticker("delta", r#""markPrice":"x""#, 3),
        ticker("delta", r#""lastPrice":"100.5","markPrice":"1e-9e""#, 3),
        ticker("patch", r#""markPrice":"100.4""#, 3),
        ticker("delta", r#""markPrice":"100.4""#, 9_999_999_999_999),
        ticker("delta", r#""markPrice":"100.4""#, 3).replace("\"ts\":3}", "\"ts\":"),
        ticker("snapshot", r#""markPrice":"-1""#, 3),
    ];
    for bad in bad {
        let mut run = Run::btc();
        feed(&mut run, &[ticker("snapshot", TICKER, 1), ticker("delta", r#""markPrice":"100.3""#, 2)]);
        let idx = run.idx(Category::Linear, "BTCUSDT");
        let err = run.decode(bad.as_bytes()).unwrap_err();
        assert_eq!(run.said(), ["ticker @2"], "said once, with the last time that was understood: {err}");
        assert_eq!(run.tickers[&idx], Ticker::default(), "nobody goes on with what may have changed: {bad}");
        // What follows builds on the change that is missing.
        assert_eq!(feed(&mut run, &[ticker("delta", r#""lastPrice":"100.6""#, 4)]), Vec::<String>::new());
        assert!(run.decode(bad.as_bytes()).is_err() && run.said().is_empty());
        assert_eq!(run.public.stats().early_tickers, 1);
        // The venue is asked for both snapshots.
        let asked = run.public.resync(idx);
        assert!(asked.iter().all(|r| r.contains(r#"["orderbook.50.BTCUSDT","tickers.BTCUSDT"]"#)), "{asked:?}");
        feed(&mut run, &[ticker("snapshot", TICKER, 5), ticker("delta", r#""lastPrice":"100.7""#, 6)]);
        let t = run.tickers[&idx];
        assert_eq!((t.last, t.mark), (Some("100.7".parse().unwrap()), Some("100.1".parse().unwrap())));
        assert!(!run.public.resync(idx)[0].contains("tickers"));
    }
}

#[test]
fn ticker_changes_before_a_snapshot_are_no_ticker() {
    let mut run = Run::btc();
    assert_eq!(feed(&mut run, &[ticker("delta", r#""lastPrice":"100.6""#, 1)]), Vec::<String>::new());
    feed(&mut run, &[ticker("snapshot", TICKER, 2)]);
    run.reset();
    run.said();
    assert_eq!(feed(&mut run, &[ticker("delta", r#""lastPrice":"100.6""#, 3)]), Vec::<String>::new(), "nor after a reconnect");
    assert_eq!(run.public.stats().early_tickers, 2);
}

#[test]
fn trades_print_once_and_block_trades_never() {
    let trade = |id: &str, side: &str, extra: &str| {
        format!(r#"{{"T":1672304486865,"s":"BTCUSDT","S":"{side}","v":"0.001","p":"16578.50","i":"{id}","seq":1{extra}}}"#)
    };
    let frame = |rows: &[String]| {
        format!(r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{}]}}"#, rows.join(","))
    };
    let mut run = Run::btc();
    let both =
        frame(&[trade("a", "Buy", ""), trade("b", "Sell", r#","BT":false,"RPI":true"#), trade("c", "Buy", r#","BT":true"#)]);
    let said = feed(&mut run, &[both.clone(), both]);
    assert_eq!(said, ["print Buy 0.001 at 16578.5 @1672304486865", "print Sell 0.001 at 16578.5 @1672304486865"]);
    let s = run.public.stats();
    assert_eq!((s.prints, s.repeated_prints, s.block_trades), (2, 2, 2));
    assert_eq!(feed(&mut run, &[frame(&[]).replace("[]", "null")]), Vec::<String>::new());
    // One bad trade: none of the frame is printed.
    assert!(run.decode(frame(&[trade("d", "Buy", ""), trade("e", "Long", "")]).as_bytes()).is_err());
    assert_eq!(run.said(), Vec::<String>::new());
}

#[test]
fn refused_requests_are_kept_in_the_venues_words() {
    let mut run = Run::btc();
    let refusal = r#"{"success":false,"ret_msg":"error:handler not found,topic:orderbook.50.NOPEUSDT","conn_id":"c","req_id":"x","op":"subscribe"}"#;
    assert_eq!(run.decode(refusal.as_bytes()).unwrap(), FrameKind::Control);
    assert_eq!(run.public.stats().control_errors, 1);
    let kept = run.public.take_refusals();
    assert_eq!(kept[0].to_string(), "subscribe refused: error:handler not found,topic:orderbook.50.NOPEUSDT");
    assert!(run.public.take_refusals().is_empty());
    // A region refusal is a word of the venue about us.
    run.decode(br#"{"op":"subscribe","success":false,"retCode":10009,"retMsg":"region"}"#).unwrap();
    assert_eq!(run.said(), ["venue Geoblocked"]);
}

#[test]
fn unknown_topics_are_tolerated_unless_broken() {
    let mut run = Run::btc();
    for frame in [
        r#"{"topic":"kline.1.BTCUSDT","data":[{"start":1}],"ts":1,"type":"snapshot"}"#,
        r#"{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1,"data":[]}"#,
        r#"{"topic":"orderbook.rpi.BTCUSDT","type":"snapshot","ts":1,"data":{}}"#,
        r#"{"what":1}"#,
    ] {
        assert_eq!(run.decode(frame.as_bytes()).unwrap(), FrameKind::Unknown, "{frame}");
    }
    assert!(run.decode(br#"{"topic":"kline.1.BTCUSDT","data":[{"start":1}"#).is_err());
}

#[test]
fn subscription_covers_what_is_listed_and_about_an_underlying() {
    let mut run = Run::new(Category::Linear);
    let usdc = linear_row("BTCPERP", "BTC", "0.1").replace("\"settleCoin\":\"USDT\"", "\"settleCoin\":\"USDC\"");
    let closed = linear_row("SOLUSDT", "SOL", "0.01").replace("Trading", "Closed");
    let other = linear_row("0GUSDT", "0G", "0.0001");
    run.list(&listing(
        "linear",
        &[&linear_row("BTCUSDT", "BTC", "0.10"), &other, &usdc, &closed, &linear_row("ETHUSDT", "ETH", "0.01")],
    ));
    assert_eq!(
        run.public.subscribe(),
        [
            r#"{"req_id":"s1","op":"subscribe","args":["orderbook.50.BTCUSDT","tickers.BTCUSDT","publicTrade.BTCUSDT"]}"#,
            r#"{"req_id":"s2","op":"subscribe","args":["orderbook.50.ETHUSDT","tickers.ETHUSDT","publicTrade.ETHUSDT"]}"#
        ]
    );
    assert_eq!(
        run.public.resync(run.idx(Category::Linear, "ETHUSDT")),
        [
            r#"{"req_id":"r1","op":"unsubscribe","args":["orderbook.50.ETHUSDT"]}"#,
            r#"{"req_id":"r2","op":"subscribe","args":["orderbook.50.ETHUSDT"]}"#
        ]
    );
    let mut named = Run::with(Category::Linear, |s| {
        s.symbols = vec!["ETHUSDT".into(), "NOPE".into()];
        s.depth = 200;
    });
    named.list(&listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10"), &linear_row("ETHUSDT", "ETH", "0.01")]));
    assert_eq!(named.public.subscribe().len(), 1);
    assert!(named.public.subscribe()[0].contains("orderbook.200.ETHUSDT"));
}

#[test]
fn option_subscription_takes_the_nearest_expiries_that_fit() {
    let mut run = Run::new(Category::Option);
    let row = |day: u32, strike: u32| {
        format!(
            r#"{{"symbol":"BTC-{day}DEC26-{strike}-C-USDT","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","optionsType":"Call","priceFilter":{{"tickSize":"5"}},"lotSizeFilter":{{"maxOrderQty":"500","minOrderQty":"0.01","qtyStep":"0.01"}}}}"#
        )
    };
    let rows: Vec<String> = (1..=20).rev().flat_map(|day| (0..40).map(move |k| row(day, 80_000 + k * 500))).collect();
    run.list(&listing("option", &rows.iter().map(String::as_str).collect::<Vec<_>>()));
    let plan = run.public.plan();
    assert!(
        plan.frames[0]
            .contains(r#""args":["publicTrade.BTC","orderbook.25.BTC-1DEC26-80000-C-USDT","tickers.BTC-1DEC26-80000-C-USDT""#)
    );
    assert!(!plan.omitted.is_empty() && plan.omitted.last().unwrap().contains("20DEC26"));
    let chars: usize = plan.frames.iter().map(|f| f.split_once("args\":").unwrap().1.len()).sum();
    assert!(chars <= 21_000, "{chars}");
}

#[test]
fn a_catalog_without_the_venue_is_refused() {
    assert_eq!(PublicProtocol::new(Category::Linear, &Catalog::default()).unwrap_err(), SetupError::NoVenue);
}
