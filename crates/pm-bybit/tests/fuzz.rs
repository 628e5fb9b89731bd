//! Bytes of any kind, and real shapes with bytes changed: an error or a kind, never a panic; and no crossed state left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{Run, catalog, linear_row, listing};
use pm_bybit::wire::{control, ticker, trade};
use pm_bybit::{Category, RestProtocol, Unlisted};
use pm_core::event::Event;
use pm_core::registry::Registry;
use pm_core::time::Stamp;
use pm_core::traits::FeedProtocol;
use proptest::prelude::*;

fn shapes() -> Vec<String> {
    vec![
        r#"{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1000,"data":{"s":"BTCUSDT","b":[["100.0","1"]],"a":[["100.1","3"]],"u":10,"seq":1},"cts":999}"#.into(),
        r#"{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1000,"data":{"s":"BTCUSDT","b":[["99.9","1"]],"a":[],"u":11,"seq":2},"cts":999}"#.into(),
        r#"{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"100.05","fundingRate":"0.0001","nextFundingTime":"1000"},"cs":1,"ts":1000}"#.into(),
        r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1000,"data":[{"T":999,"s":"BTCUSDT","S":"Buy","v":"0.1","p":"100.1","i":"x","BT":false}]}"#.into(),
        r#"{"success":true,"conn_id":"c","data":{"failTopics":[],"successTopics":["a"]},"type":"COMMAND_RESP"}"#.into(),
        r#"{"success":false,"ret_msg":"error","conn_id":"c","req_id":"s1","op":"subscribe"}"#.into(),
        listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10")]),
        listing("option", &[r#"{"symbol":"BTC-25JUN27-106000-P-USDT","status":"Trading","baseCoin":"BTC","settleCoin":"USDT","optionsType":"Put","deliveryTime":"1813910400000","priceFilter":{"tickSize":"5"},"lotSizeFilter":{"minOrderQty":"0.01","qtyStep":"0.01"}}"#]),
        listing("linear", &[r#"{"symbol":"BTCUSDT","lastPrice":"1","markPrice":"2"}"#]),
    ]
}

/// A real shape with some bytes changed, cut or doubled.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![any::<u8>(), prop::sample::select(b"\"{}[],:.0e-\\".to_vec())];
    (0..9_usize, proptest::collection::vec((0..700_usize, change), 0..5), proptest::option::of(0..700_usize)).prop_map(
        |(which, changes, cut)| {
            let mut bytes = shapes()[which].clone().into_bytes();
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
    fn sockets_and_rest_survive_damaged_frames(frames in proptest::collection::vec(damaged(), 1..12)) {
        let mut run = Run::btc();
        let mut loose = Run::with(Category::Option, |s| s.unlisted = Unlisted::Register);
        let (mut rest, mut registry) = (RestProtocol::new(&catalog()).unwrap(), Registry::default());
        for frame in frames {
            let before = run.public.stats().bad_frames;
            let failed = run.decode(&frame).is_err();
            prop_assert_eq!(run.public.stats().bad_frames - before, u64::from(failed));
            let _ = loose.decode(&frame);
            let _ = rest.decode(Stamp::default(), &frame, &mut registry, &mut |_: Event<'_>| {});
            // Whatever came, a book is never left crossed.
            prop_assert!(run.books.values().all(|b| !b.is_crossed()));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Run::btc().decode(&bytes);
        let mut rest = RestProtocol::new(&catalog()).unwrap();
        let _ = rest.decode(Stamp::default(), &bytes, &mut Registry::default(), &mut |_: Event<'_>| {});
        let text = String::from_utf8_lossy(&bytes);
        let _ = (ticker::parse(&text).is_ok(), trade::parse(&text).is_ok(), control::parse(&text).is_ok());
    }
}
