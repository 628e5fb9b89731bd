//! The two price sockets through their protocols.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{Keeper, catalog, feed};
use pm_core::event::{Event, ReferenceKind};
use pm_core::time::{Dur, Ts};
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_polymarket::live::LiveProtocol;
use pm_polymarket::rtds::{RtdsProtocol, Topic, subscription};

fn live() -> LiveProtocol {
    LiveProtocol::new(catalog(), vec!["btcusd".to_owned()])
}

fn update(seq: u64, at: i64, value: &str) -> String {
    format!(
        "{{\"v\":1,\"channel\":\"price.crypto.twap\",\"seq\":{seq},\"ts\":{at},\"payload\":{{\"symbol\":\"btcusd\",\"source\":\"chainlink\",\"window_seconds\":60,\"timestamp\":{at},\"value\":1.5,\"full_accuracy_value\":\"{value}\"}}}}"
    )
}

#[test]
fn values_come_from_the_full_text_cut_to_eight_places() {
    let (mut p, mut k) = (live(), Keeper::default());
    assert_eq!(feed(&mut p, &update(1, 1_791_355_667_000, "84291.577380840025358336"), &mut k), Ok(FrameKind::Data));
    let window = Dur::from_secs(60);
    let source = catalog().source("chainlink:btc/usd").unwrap();
    let expected = Event::Reference {
        source,
        kind: ReferenceKind::Twap { window },
        px: "84291.57738084".parse().unwrap(),
        at: Ts::from_millis(1_791_355_667_000),
    };
    assert_eq!(k.events, [expected]);
}

#[test]
fn skipped_numbers_and_dropped_marks_are_counted() {
    let (mut p, mut k) = (live(), Keeper::default());
    for seq in [1, 2, 5] {
        feed(&mut p, &update(seq, 1_000, "1"), &mut k).unwrap();
    }
    assert_eq!(p.gaps(), 2);
    feed(&mut p, &update(6, 1_000, "1").replace("\"v\":1", "\"v\":1,\"dropped\":3"), &mut k).unwrap();
    assert_eq!(p.gaps(), 5);
    // A new connection counts from the start.
    p.reset(&mut k);
    feed(&mut p, &update(1, 1_000, "1"), &mut k).unwrap();
    assert_eq!(p.gaps(), 5);
}

#[test]
fn control_frames_refusals_and_other_providers() {
    let (mut p, mut k) = (live(), Keeper::default());
    for control in [
        "{\"op\":\"authed\",\"rid\":\"a1\"}",
        "{\"op\":\"subscribed\",\"channel\":\"price.crypto\",\"rid\":\"s1\",\"provider\":\"chainlink\"}",
        "{\"op\":\"pong\"}",
        "PONG",
    ] {
        assert_eq!(feed(&mut p, control, &mut k), Ok(FrameKind::Control), "{control}");
    }
    let refusal = "{\"op\":\"error\",\"code\":\"auth_required\",\"channel\":\"price.crypto.twap\",\"rid\":\"s1\"}";
    assert_eq!(feed(&mut p, refusal, &mut k), Ok(FrameKind::Control));
    assert_eq!(p.refused(), 1);
    assert_eq!(feed(&mut p, &update(1, 1, "2").replace("chainlink", "pyth"), &mut k), Ok(FrameKind::Foreign));
    assert_eq!(feed(&mut p, &update(2, 1, "2").replace("btcusd", "pepeusd"), &mut k), Ok(FrameKind::Foreign));
    assert_eq!(feed(&mut p, &update(3, 1, "2").replace("price.crypto.twap", "price.fx"), &mut k), Ok(FrameKind::Unknown));
    for bad in ["NaN", "", "0", "-5"] {
        assert!(feed(&mut p, &update(4, 1, bad), &mut k).is_err(), "{bad:?}");
    }
    assert!(k.events.is_empty());
}

#[test]
fn a_history_after_reconnecting_repeats_nothing() {
    let (mut p, mut k) = (live(), Keeper::default());
    feed(&mut p, &update(1, 2_000, "10"), &mut k).unwrap();
    let history = "{\"v\":1,\"channel\":\"price.crypto.twap\",\"seq\":1,\"ts\":5000,\"snapshot\":true,\"payload\":{\"symbol\":\"btcusd\",\"source\":\"chainlink\",\"window_seconds\":60,\"data\":[{\"timestamp\":1000,\"value\":1,\"full_accuracy_value\":\"9\"},{\"timestamp\":2000,\"value\":1,\"full_accuracy_value\":\"10\"},{\"timestamp\":3000,\"value\":1,\"full_accuracy_value\":\"11\"}]}}";
    feed(&mut p, history, &mut k).unwrap();
    assert_eq!(k.events.len(), 2);
}

#[test]
fn subscriptions_name_the_window_and_rtds_filters_have_no_blank() {
    let frames = live().subscribe();
    assert!(frames[0].contains("\"window_seconds\":60") && frames[0].contains("\"symbol\":\"btcusd\""));
    let frame = subscription(&[(Topic::Oracle, "btc/usd"), (Topic::Mean60, "btc/usd")]);
    assert!(!frame.contains(' '));
    let v: serde_json::Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(v["subscriptions"][0]["filters"], "{\"symbol\":\"btc/usd\"}");
    assert_eq!(v["subscriptions"][1]["topic"], "crypto_prices_twap_sixty");
}

fn rtds() -> RtdsProtocol {
    RtdsProtocol::new(catalog(), vec![(Topic::Oracle, "btc/usd".to_owned())])
}

fn only(frame: &str) -> (String, String, ReferenceKind) {
    let mut k = Keeper::default();
    assert_eq!(feed(&mut rtds(), frame, &mut k), Ok(FrameKind::Data));
    let [Event::Reference { source, px, kind, .. }] = k.events.as_slice() else { panic!("{:?}", k.events) };
    (catalog().source_info(*source).unwrap().name.to_string(), px.to_string(), *kind)
}

#[test]
fn rtds_values_of_every_topic() {
    let frame = |topic: &str, symbol: &str, rest: &str| {
        format!(
            "{{\"topic\":\"{topic}\",\"type\":\"update\",\"timestamp\":1777434867989,\"payload\":{{\"symbol\":\"{symbol}\",\"timestamp\":1777434867000,{rest}}}}}"
        )
    };
    let (name, px, kind) =
        only(&frame("crypto_prices", "btcusdt", "\"value\":61035.86,\"full_accuracy_value\":\"61035.86000000\""));
    assert_eq!((name.as_str(), px.as_str(), kind), ("binance:BTCUSDT", "61035.86", ReferenceKind::Spot));
    let (name, px, _) = only(&frame(
        "crypto_prices_chainlink",
        "btc/usd",
        "\"full_accuracy_value\":\"76966529218450970000000\",\"value\":76966.52921845097",
    ));
    assert_eq!((name.as_str(), px.as_str()), ("chainlink:btc/usd", "76966.52921845"));
    let (_, px, _) = only(&frame("crypto_prices_chainlink", "eth/usd", "\"value\":3456.78"));
    assert_eq!(px, "3456.78");
    let (_, px, kind) = only(&frame(
        "crypto_prices_twap_sixty",
        "btc/usd",
        "\"value\":6,\"full_accuracy_value\":\"67234512345678901234567\",\"window_s\":60",
    ));
    assert_eq!((px.as_str(), kind), ("67234.51234567", ReferenceKind::Twap { window: Dur::from_secs(60) }));
}

#[test]
fn oracle_history_labelled_with_the_exchanges_topic_goes_to_the_oracle() {
    let mut k = Keeper::default();
    let frame = "{\"payload\":{\"data\":[{\"timestamp\":1777434808000,\"value\":76959.323},{\"timestamp\":1777434809000,\"value\":76954.78969134622}],\"symbol\":\"btc/usd\"},\"timestamp\":1777434867000,\"topic\":\"crypto_prices\",\"type\":\"subscribe\"}";
    assert_eq!(feed(&mut rtds(), frame, &mut k), Ok(FrameKind::Data));
    let oracle = catalog().source("chainlink:btc/usd").unwrap();
    assert_eq!(k.events.len(), 2);
    assert!(k.events.iter().all(|e| matches!(e, Event::Reference { source, .. } if *source == oracle)));
}

#[test]
fn an_rtds_history_after_reconnecting_repeats_nothing() {
    let (mut p, mut k) = (rtds(), Keeper::default());
    let update = |at: i64, value: &str| {
        format!(
            "{{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\",\"timestamp\":{at},\"payload\":{{\"symbol\":\"btc/usd\",\"timestamp\":{at},\"value\":{value}}}}}"
        )
    };
    feed(&mut p, &update(2_000, "10"), &mut k).unwrap();
    p.reset(&mut k);
    let history = "{\"topic\":\"crypto_prices\",\"type\":\"subscribe\",\"timestamp\":1,\"payload\":{\"symbol\":\"btc/usd\",\"data\":[{\"timestamp\":1000,\"value\":9},{\"timestamp\":2000,\"value\":10},{\"timestamp\":3000,\"value\":11}]}}";
    feed(&mut p, history, &mut k).unwrap();
    feed(&mut p, history, &mut k).unwrap();
    let said: Vec<i64> = k.events.iter().map(|e| if let Event::Reference { at, .. } = e { at.millis() } else { 0 }).collect();
    assert_eq!(said, [2_000, 3_000]);
    // The exchange's value of the same time is another value.
    feed(&mut p, &history.replace("btc/usd", "btcusdt"), &mut k).unwrap();
    assert_eq!(k.events.len(), 5);
}

#[test]
fn values_with_times_after_2100_are_errors_on_both_sockets() {
    let (mut k, late) = (Keeper::default(), 17_913_556_670_000);
    let e = feed(&mut live(), &update(1, late, "5"), &mut k).unwrap_err();
    assert!(e.what.starts_with("ts: not possible here"), "{e}");
    let frame = update(1, 1_000, "5").replace("\"timestamp\":1000", &format!("\"timestamp\":{late}"));
    let e = feed(&mut live(), &frame, &mut k).unwrap_err();
    assert!(e.what.starts_with("timestamp: not possible here"), "{e}");
    let frame = format!(
        "{{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\",\"timestamp\":1,\"payload\":{{\"symbol\":\"btc/usd\",\"timestamp\":{late},\"value\":5}}}}"
    );
    let e = feed(&mut rtds(), &frame, &mut k).unwrap_err();
    assert!(e.what.starts_with("timestamp: not possible here") && k.events.is_empty(), "{e}");
}

#[test]
fn rtds_keep_alives_and_strangers() {
    let mut k = Keeper::default();
    for text in ["", "\"\"", "PONG"] {
        assert_eq!(feed(&mut rtds(), text, &mut k), Ok(FrameKind::Control));
    }
    assert_eq!(
        feed(&mut rtds(), "{\"topic\":\"activity\",\"type\":\"trades\",\"timestamp\":1,\"payload\":{}}", &mut k),
        Ok(FrameKind::Unknown)
    );
    let equity = "{\"topic\":\"equity_prices\",\"type\":\"update\",\"timestamp\":1,\"payload\":{\"symbol\":\"aapl\",\"timestamp\":1,\"value\":1.0}}";
    assert_eq!(feed(&mut rtds(), equity, &mut k), Ok(FrameKind::Foreign));
    assert_eq!(k.count, 0);
}
