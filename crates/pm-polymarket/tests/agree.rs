//! The scanner and the tolerant decoder give the same answer, and no decoder ever panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{CID, Keeper, T0, T1, catalog, feed, follower};
use pm_core::registry::Registry;
use pm_core::time::Stamp;
use pm_core::traits::FeedProtocol;
use pm_polymarket::gamma_feed::{GammaProtocol, GammaSettings};
use pm_polymarket::live::LiveProtocol;
use pm_polymarket::rtds::{RtdsProtocol, Topic};
use pm_polymarket::scan::{self, Scratch};
use pm_polymarket::{clob, gamma, hash, live, rtds, wire};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        30 => (0_u32..=1_000).prop_map(|v| format!("0.{v:03}")),
        20 => "[0-9]{1,6}(\\.[0-9]{1,6})?",
        1 => "[0-9]{0,12}\\.?[0-9]{0,10}",
        1 => "[0-9]\\.[0-9]e[+-]?[0-9]{1,2}",
        1 => Just(String::new()),
        1 => "[-+]?[0-9]{1,3}",
        1 => ".{0,4}",
    ]
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop_oneof![5 => Just(""), 1 => Just(" "), 1 => Just("  ")]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn pairs(fields: Vec<(&'static str, String)>, blank: &str) -> String {
    let inner: Vec<String> = fields.into_iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
    format!("{{{}}}", inner.join(&format!(",{blank}")))
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(T0.to_owned()), 4 => Just(T1.to_owned()), 1 => "[0-9a-zé\"\\\\]{0,5}"]
}

fn levels() -> impl Strategy<Value = String> {
    (proptest::collection::vec((number(), number()), 0..6), blank()).prop_map(|(levels, blank)| {
        let levels: Vec<String> =
            levels.into_iter().map(|(p, s)| pairs(vec![("price", quoted(&p)), ("size", quoted(&s))], "")).collect();
        format!("[{}]", levels.join(&format!(",{blank}")))
    })
}

fn time() -> impl Strategy<Value = String> {
    let border = (4_102_444_799_990_u64..4_102_444_800_010).prop_map(|ms| ms.to_string());
    prop_oneof![9 => "[0-9]{1,13}", 2 => border, 1 => "[0-9]{0,17}", 1 => number()]
}

fn book() -> impl Strategy<Value = String> {
    let optional = || proptest::option::of(number());
    (token(), time(), levels(), levels(), optional(), optional(), proptest::option::of(any::<bool>()), blank(), any::<bool>())
        .prop_flat_map(|(token, time, bids, asks, tick, last, neg, blank, typed)| {
            let mut fields = vec![
                ("market", quoted(CID)),
                ("asset_id", quoted(&token)),
                ("timestamp", quoted(&time)),
                ("hash", quoted("ab12")),
                ("bids", bids),
                ("asks", asks),
            ];
            fields.extend(tick.map(|t| ("tick_size", quoted(&t))));
            fields.extend(last.map(|t| ("last_trade_price", quoted(&t))));
            fields.extend(neg.map(|n| ("neg_risk", n.to_string())));
            if typed {
                fields.push(("event_type", quoted("book")));
            }
            Just(fields).prop_shuffle().prop_map(move |fields| pairs(fields, blank))
        })
}

fn entry() -> impl Strategy<Value = String> {
    let side = prop_oneof![4 => Just("BUY"), 4 => Just("SELL"), 1 => Just("buy"), 1 => Just("HOLD")];
    (token(), number(), number(), side, proptest::option::of(number()), proptest::option::of(number()), blank()).prop_flat_map(
        |(token, price, size, side, bid, ask, blank)| {
            let mut fields = vec![
                ("asset_id", quoted(&token)),
                ("price", quoted(&price)),
                ("size", quoted(&size)),
                ("side", quoted(side)),
                ("hash", quoted("h")),
            ];
            fields.extend(bid.map(|b| ("best_bid", quoted(&b))));
            fields.extend(ask.map(|a| ("best_ask", quoted(&a))));
            Just(fields).prop_shuffle().prop_map(move |fields| pairs(fields, blank))
        },
    )
}

fn price_change() -> impl Strategy<Value = String> {
    (proptest::collection::vec(entry(), 0..5), time(), blank()).prop_flat_map(|(entries, time, blank)| {
        let fields = vec![
            ("market", quoted(CID)),
            ("price_changes", format!("[{}]", entries.join(&format!(",{blank}")))),
            ("timestamp", quoted(&time)),
            ("event_type", quoted("price_change")),
        ];
        Just(fields).prop_shuffle().prop_map(move |fields| pairs(fields, blank))
    })
}

/// Cuts, repeats or overwrites a few bytes.
fn bent(frame: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (frame, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..5, proptest::char::range(' ', '~')).prop_map(
        |(frame, a, b, how, c)| {
            let mut chars: Vec<char> = frame.chars().collect();
            let (a, b) = (a.index(chars.len()), b.index(chars.len()));
            match how {
                0 => chars.truncate(a),
                1 => chars[a] = c,
                2 => chars.insert(a, c),
                3 => drop(chars.drain(a.min(b)..a.max(b))),
                _ => {}
            }
            chars.into_iter().collect()
        },
    )
}

fn agree(frame: &str, scratch: &mut Scratch) -> Result<bool, TestCaseError> {
    let Some(fast) = scan::message(frame.as_bytes(), scratch) else { return Ok(false) };
    let slow = wire::message(frame);
    prop_assert_eq!(Ok(fast), slow, "{}", frame);
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn scanner_and_fallback_agree_on_books(frame in book()) {
        agree(&frame, &mut Scratch::default())?;
    }

    #[test]
    fn scanner_and_fallback_agree_on_price_changes(frame in price_change()) {
        agree(&frame, &mut Scratch::default())?;
    }

    #[test]
    fn scanner_and_fallback_agree_on_bent_frames(frame in prop_oneof![bent(book()), bent(price_change())]) {
        agree(&frame, &mut Scratch::default())?;
    }

    #[test]
    fn bent_frames_never_panic(frame in prop_oneof![bent(book()), bent(price_change())]) {
        let (mut p, mut k) = (follower("0.01"), Keeper::default());
        let _ = feed(&mut p, &frame, &mut k);
        let _ = feed(&mut p, &format!("[{frame},{frame}]"), &mut k);
        prop_assert!(!k.book.is_crossed());
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        all_decoders(&bytes);
    }

    #[test]
    fn json_like_texts_never_panic(text in "[\\[{\"a-z_:,0-9.\\-}\\] \\\\]{0,120}") {
        all_decoders(text.as_bytes());
    }

    #[test]
    fn bent_metadata_and_prices_never_panic(
        frame in prop_oneof![
            bent(Just(include_str!("vectors/polymarket.json").get(..20_000).unwrap_or_default().to_owned())),
            bent(Just(GAMMA.to_owned())), bent(Just(LIVE.to_owned())), bent(Just(RTDS.to_owned())), bent(Just(CLOB.to_owned())),
        ]
    ) {
        all_decoders(frame.as_bytes());
    }
}

const GAMMA: &str = r#"{"id":"1","conditionId":"0xab","slug":"btc-updown-5m-1780876800","question":"Bitcoin Up or Down - June 7, 8:00PM-8:05PM ET","outcomes":"[\"Up\", \"Down\"]","clobTokenIds":"[\"1\",\"2\"]","endDate":"2026-06-08T00:05:00Z","eventStartTime":"2026-06-08T00:00:00Z","feeSchedule":{"exponent":1,"rate":0.07},"cryptoMarketConfig":{"twapLookbackSeconds":60},"description":"x \u201cClose\u201d","events":[{"eventMetadata":{"priceToBeat":1.5}}]}"#;
const LIVE: &str = r#"{"v":1,"channel":"price.crypto.twap","seq":2,"ts":1791355667000,"payload":{"symbol":"btcusd","source":"chainlink","window_seconds":60,"timestamp":1791355667000,"value":84291.5,"full_accuracy_value":"84291.577380840025358336"}}"#;
const RTDS: &str = r#"{"topic":"crypto_prices_twap_sixty","type":"update","timestamp":1,"payload":{"symbol":"btc/usd","timestamp":1,"value":6,"full_accuracy_value":"67234512345678901234567","window_s":60}}"#;
const CLOB: &str = r#"{"c":"0xab","t":[{"t":"1","o":"Up"},{"t":"2","o":"Down"}],"mts":0.01,"mos":5,"fd":{"r":0.07,"e":1,"to":true},"itode":true,"v":"v1"}"#;

fn all_decoders(bytes: &[u8]) {
    let (mut k, mut registry) = (Keeper::default(), Registry::default());
    let wanted = vec![(Topic::Oracle, "btc/usd".to_owned())];
    let mut protocols: Vec<Box<dyn FeedProtocol>> = vec![
        Box::new(follower("0.01")),
        Box::new(GammaProtocol::new(catalog(), GammaSettings::default()).unwrap()),
        Box::new(LiveProtocol::new(catalog(), vec!["btcusd".to_owned()])),
        Box::new(RtdsProtocol::new(catalog(), wanted)),
    ];
    for p in &mut protocols {
        let _ = p.decode(Stamp::default(), bytes, &mut registry, &mut k);
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = (
        wire::frame(&text),
        live::parse(&text),
        rtds::parse(&text),
        gamma::GammaMarket::parse(&text),
        clob::ClobMarket::parse(&text),
    );
    if let Ok(book) = serde_json::from_str::<hash::RawBook<'_>>(&text) {
        let _ = hash::book_hash(&book);
    }
}

/// Nor is it worth anything if the scanner gives up on most generated frames.
#[test]
fn the_scanner_takes_many_generated_frames() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (books, changes) = (book(), price_change());
    let mut taken = [0, 0];
    for _ in 0..1_000 {
        let frames = [books.new_tree(&mut runner).unwrap().current(), changes.new_tree(&mut runner).unwrap().current()];
        for (count, frame) in taken.iter_mut().zip(&frames) {
            *count += usize::from(agree(frame, &mut Scratch::default()).unwrap());
        }
    }
    println!("taken of 1,000 books and 1,000 price changes: {taken:?}");
    assert!(taken.iter().all(|t| *t > 50), "{taken:?}");
}

/// The property above is worth nothing if the scanner always gives up.
#[test]
fn the_scanner_takes_the_frames_the_venue_sends() {
    let mut scratch = Scratch::default();
    let cases: serde_json::Value = serde_json::from_str(include_str!("vectors/polymarket.json")).unwrap();
    let mut taken = Vec::new();
    for case in cases.as_array().unwrap().iter().filter(|c| c["kind"] == "market_event_parse") {
        if agree(case["input"]["frame"].as_str().unwrap(), &mut scratch).unwrap() {
            taken.push(case["name"].as_str().unwrap());
        }
    }
    assert_eq!(taken, ["market_event_parse/book", "market_event_parse/price_change"]);
}
