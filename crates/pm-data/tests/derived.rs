//! Derived records through their protocol: strictness, canonical terms, views.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, unreachable_pub)]

mod common;

use pm_core::event::Event;
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};
use pm_data::derived::DerivedProtocol;
use proptest::prelude::*;

fn counter(protocol: &DerivedProtocol, name: &str) -> u64 {
    protocol.counters().iter().find(|(n, _)| *n == name).unwrap().1
}

/// Events of frames, one line each.
fn decode(frames: &[&str]) -> (Vec<String>, Vec<Result<FrameKind, DecodeError>>, DerivedProtocol) {
    let mut protocol = DerivedProtocol::new(common::catalog()).unwrap();
    let mut registry = Registry::default();
    let (mut events, mut results) = (Vec::new(), Vec::new());
    for frame in frames {
        let stamp = Stamp { wall: Ts::from_secs(100), mono_ns: 0 };
        let mut sink = |e: Event<'_>| {
            events.push(match e {
                Event::BookSnapshot { bids, asks, at, flags, .. } => {
                    let side = |l: &[pm_core::book::Level]| {
                        l.iter().map(|l| format!("{}@{}", l.qty, l.px)).collect::<Vec<_>>().join(" ")
                    };
                    let unknown = match (flags.bid_sizes_unknown, flags.ask_sizes_unknown) {
                        (false, false) => "",
                        (true, false) => " bids?",
                        (false, true) => " asks?",
                        (true, true) => " bids? asks?",
                    };
                    format!("book {} | {} at {}{unknown}", side(&bids), side(&asks), at.secs())
                }
                Event::MarketListed(m) => {
                    format!("market {} {:?} {:?}", m.native, m.underlying.map(|u| u.0), m.rule.understood().map(|r| r.origin))
                }
                other => format!("{other:?}"),
            });
        };
        results.push(protocol.decode(stamp, frame.as_bytes(), &mut registry, &mut sink));
    }
    (events, results, protocol)
}

fn events(frames: &[&str]) -> Vec<String> {
    let (events, results, _) = decode(frames);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    events
}

#[test]
fn the_second_outcome_is_a_view_of_the_same_book() {
    let got = events(&[
        r#"{"book":{"venue":"polymarket","market":"m","outcome":"second","at":7000000000,"bids":[["0.4","10"]],"asks":[["0.45","5"],["0.5",null]]}}"#,
        r#"{"print":{"venue":"polymarket","market":"m","outcome":"second","px":"0.4","qty":"3","taker":"Buy"}}"#,
    ]);
    assert_eq!(got[0], "book 5@0.55 0.00000001@0.5 | 10@0.6 at 7 bids?");
    assert!(got[1].contains("px: Px(0.6)") && got[1].contains("taker: Sell"), "{}", got[1]);
}

#[test]
fn a_pair_takes_the_worse_view_and_counts_disagreements() {
    let pair = r#"{"book_pair":{"venue":"polymarket","market":"m","sampled":true,
        "up":{"bids":[["0.42",null]],"asks":[["0.45","500"]]},"down":{"bids":[["0.57","300"]],"asks":[["0.58","40"]]}}}"#;
    let (events, results, protocol) = decode(&[pair]);
    assert_eq!(results, [Ok(FrameKind::Data)]);
    // Asks: Up offers 500 at 0.45, Down bids 300 at 0.43: 300 at 0.45. Bids: Up's size is unknown, Down's ask says 40.
    assert_eq!(events, ["book 40@0.42 | 300@0.45 at 100"]);
    assert_eq!((counter(&protocol, "view_pairs"), counter(&protocol, "view_disagreements")), (1, 1));
}

#[test]
fn two_single_views_of_one_instant_are_a_pair_too() {
    let view = |outcome: &str, at: u32, bid: &str, ask: &str| {
        format!(
            r#"{{"top":{{"venue":"polymarket","market":"m","outcome":"{outcome}","at":{at},"bid":"{bid}","bid_size":"5","ask":"{ask}","ask_size":"5","sampled":true}}}}"#
        )
    };
    let frames = [view("second", 1, "0.5", "0.51"), view("first", 1, "0.49", "0.52"), view("second", 2, "0.5", "0.51")];
    let (events, _, protocol) = decode(&frames.each_ref().map(String::as_str));
    // Down's bid of 0.5 says that Up is offered at 0.5, Up itself says 0.52: only 0.52 counts.
    assert_eq!(events[1], "book 5@0.49 | 5@0.52 at 0");
    assert_eq!(events[2], "book 5@0.49 | 5@0.5 at 0", "another instant stands alone");
    assert_eq!((counter(&protocol, "view_pairs"), counter(&protocol, "view_disagreements")), (1, 1));
}

#[test]
fn views_read_within_the_declared_time_are_combined_and_the_worse_one_counts() {
    let view = |outcome: &str, ms: u64, bid: &str, ask: &str| {
        let at = ms * 1_000_000;
        format!(
            r#"{{"book":{{"venue":"polymarket","market":"m","outcome":"{outcome}","at":{at},"bids":[["{bid}","5"]],"asks":[["{ask}","5"]],"sampled":true,"pair_within":250000000}}}}"#
        )
    };
    let frames = [
        view("first", 1_000, "0.49", "0.52"),
        // Down's bid of 0.5 offers Up at 0.5, better than Up's own 0.52: a pair that disagrees, and 0.52 counts.
        view("second", 1_250, "0.5", "0.51"),
        // Combined with the Down view of 1,250; its ask of 0.51 is Up's bid of 0.49, below the new 0.5.
        view("first", 1_400, "0.5", "0.51"),
        // Down's last view is 251 ms older: alone.
        view("first", 1_501, "0.5", "0.51"),
        // It pairs with the last view of Up, not with the ones before.
        view("second", 1_751, "0.49", "0.5"),
    ];
    let (events, _, protocol) = decode(&frames.each_ref().map(String::as_str));
    assert_eq!(
        events,
        [
            "book 5@0.49 | 5@0.52 at 1",
            "book 5@0.49 | 5@0.52 at 1",
            "book 5@0.49 | 5@0.51 at 1",
            "book 5@0.5 | 5@0.51 at 1",
            "book 5@0.5 | 5@0.51 at 1"
        ]
    );
    assert_eq!((counter(&protocol, "view_pairs"), counter(&protocol, "view_disagreements")), (3, 2));
    assert_eq!(counter(&protocol, "single_views"), 2);
}

#[test]
fn a_side_that_was_not_recorded_is_unknown_and_not_empty() {
    let top = |at: u32, rest: &str| {
        format!(r#"{{"top":{{"venue":"polymarket","market":"m","at":{at}000000000,{rest},"sampled":true}}}}"#)
    };
    let got = events(&[
        &top(1, r#""outcome":"first","ask":"0.6","bid_unknown":true"#),
        &top(2, r#""outcome":"second","ask":"0.6","bid_unknown":true"#),
        &top(3, r#""outcome":"first","ask":"0.6","ask_size":"5""#),
        &top(3, r#""outcome":"second","ask":"0.45","ask_size":"4","bid_unknown":true"#),
    ]);
    assert_eq!(got[0], "book  | 0.00000001@0.6 at 1 bids? asks?", "nothing is known of the bids");
    assert_eq!(got[1], "book 0.00000001@0.4 |  at 2 bids? asks?", "Down's bids are Up's asks");
    assert_eq!(got[2], "book  | 5@0.6 at 3", "here the bids are known, and there are none");
    assert_eq!(
        got[3], "book  | 5@0.6 at 3",
        "of two views of one instant the one that knows a side decides it, and the worse one of two"
    );
}

#[test]
fn a_trade_whose_taker_was_not_recorded_is_counted_and_claims_nothing() {
    let print = r#"{"print":{"venue":"polymarket","market":"m","outcome":"first","px":"0.4","qty":"3"}}"#;
    let (events, results, protocol) = decode(&[print]);
    assert_eq!((events.len(), results), (0, vec![Ok(FrameKind::Data)]));
    assert_eq!(counter(&protocol, "prints_without_taker"), 1);
}

#[test]
fn a_declared_rule_is_marked_so_and_a_missing_source_makes_it_unknown() {
    let market = |source: &str| {
        format!(
            r#"{{"market":{{"venue":"polymarket","native":"m-{source}","slug":"s","question":"q","tokens":["a","b"],"labels":["Up","Down"],
            "family":"updown-5m","underlying":"BTC","rule":{{"declared":{{"source":"{source}","method":"Instant","tie":"First","final_at":300,
            "payoff":{{"UpDown":{{"start_at":0,"start":"SameMethod","reference":"65000.5"}}}}}}}},"tick":"0.01","min_qty":"5","fees":"Free",
            "opens_at":0,"closes_at":300}}}}"#
        )
    };
    let (known, unknown) = (market("binance:BTCUSDT"), market("moon:BTC"));
    let got = events(&[&known, &unknown]);
    assert_eq!(got, ["market m-binance:BTCUSDT Some(0) Some(Declared)", "market m-moon:BTC Some(0) None"]);
}

#[test]
fn other_kinds_make_their_events() {
    let got = events(&[
        r#"{"reference":{"source":"chainlink:btc/usd","px":"65000.5","at":5}}"#,
        r#"{"reference":{"source":"chainlink:btc/usd","px":"65000.5","twap":60000000000}}"#,
        r#"{"candle":{"source":"binance:BTCUSDT","open_at":0,"interval":60000000000,"open":"1","high":"3","low":"1","close":"2"}}"#,
        r#"{"resolved":{"venue":"polymarket","market":"m","first_pays":"0.5"}}"#,
        r#"{"ticker":{"venue":"bybit","instrument":"linear:BTCUSDT","last":"65000","funding_rate":"-0.0001"}}"#,
        r#"{"latency_table":{"venue":"polymarket","endpoint":"Submit","quantiles_ms":[10,20,300]}}"#,
        r#"{"mid":{"venue":"polymarket","market":"m","px":"0.5"}}"#,
    ]);
    assert_eq!(got.len(), 6, "a mid makes no event: {got:?}");
    assert!(got[0].starts_with("Reference") && got[0].contains("Spot"));
    assert!(got[1].contains("Twap") && got[2].contains("closed: true") && got[3].contains("Ratio(0.5)"));
    assert!(got[4].contains("Px(65000)") && got[5].contains("LatencyTable"));
}

#[test]
fn what_does_not_fit_is_an_error_with_a_reason() {
    let error = |frame: &str| decode(&[frame]).1.remove(0).unwrap_err().to_string();
    let bad = [
        (r#"{"boook":{}}"#, "unknown variant `boook`"),
        (r#"{"reference":{"source":"x","px":"1","pxx":"2"}}"#, "unknown field `pxx`"),
        (r#"{"reference":{"source":"x","px":1.5}}"#, "decimal number written as text"),
        (r#"{"reference":{"source":"chainlink:btc/usd","px":"0"}}"#, "not positive"),
        (r#"{"top":{"venue":"polymarket","market":"m","bid":"1.01"}}"#, "price 1.01 is out of range"),
        (r#"{"top":{"venue":"polymarket","market":"m","bid":"0.5","bid_size":"-1"}}"#, "negative size"),
        (r#"{"top":{"venue":"polymarket","bid":"0.5"}}"#, "exactly one of market and instrument"),
        (r#"{"top":{"venue":"nowhere","market":"m","bid":"0.5"}}"#, "venue \"nowhere\" is not in the catalog"),
        (r#"{"top":{"venue":"polymarket","market":"m","bid":"0.5","bid_unknown":true}}"#, "said to be unknown"),
        (r#"{"resolved":{"venue":"polymarket","market":"m","first_pays":"0.7"}}"#, "must be 0, 0.5 or 1"),
        (r#"{"latency_table":{"venue":"polymarket","endpoint":"Submit","quantiles_ms":[2,1]}}"#, "ascending"),
        ("", "EOF"),
    ];
    for (frame, reason) in bad {
        assert!(error(frame).contains(reason), "{frame}: {}", error(frame));
    }
    // A source of another catalog is not ours, and not wrong.
    let (_, results, _) = decode(&[r#"{"reference":{"source":"moon:BTC","px":"1"}}"#]);
    assert_eq!(results, [Ok(FrameKind::Foreign)]);
}

#[test]
fn a_reset_loses_the_books_that_were_seen() {
    let (_, _, mut protocol) = decode(&[r#"{"top":{"venue":"polymarket","market":"m","bid":"0.5"}}"#]);
    let mut lost = 0;
    protocol.reset(&mut |e: Event<'_>| lost += u32::from(matches!(e, Event::BookLost { .. })));
    assert_eq!(lost, 1);
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (events, results, _) = decode(&[&text]);
        prop_assert!(results[0].is_err() && events.is_empty());
    }

    #[test]
    fn damaged_records_never_panic(at in 0_usize..200, byte in any::<u8>()) {
        let frame = r#"{"book_pair":{"venue":"polymarket","market":"m","up":{"bids":[["0.42",null]],"asks":[["0.45","500"]]},"down":{"bids":[["0.57","300"]],"asks":[]}}}"#;
        let mut bytes = frame.as_bytes().to_vec();
        let n = bytes.len();
        bytes[at % n] = byte;
        let _ = decode(&[&String::from_utf8_lossy(&bytes)]);
    }
}
