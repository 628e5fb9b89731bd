//! Gamma bodies to markets and rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::gamma::{JUNE, Run, listed, refused, rule, window, with};
use common::{Keeper, catalog};
use pm_core::event::Event;
use pm_core::fees::FeeSchedule;
use pm_core::market::{MarketChange, Method, Payoff, Rule, RuleOrigin, StartValue, Tie};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_core::units::{Px, Ratio};
use pm_polymarket::text::instant;
use serde_json::{Value, json};

const TWAP_TEXT: &str = "This market will resolve to \"Up\" if the TWAP of Bitcoin (Chainlink) of the time range in the title is greater than or equal to the price at the beginning of that range. Otherwise \"Down\".";
const HOUR_TEXT: &str = "This market will resolve to \"Up\" if the close price is greater than or equal to the open price for the BTC/USDT 1 hour candle that begins on the time and date specified in the title. Otherwise, this market will resolve to \"Down\".\n\nThe resolution source for this market is information from Binance, specifically the BTC/USDT pair (https://www.binance.com/en/trade/BTC_USDT).";
const NOON_TEXT: &str = "This market will resolve to \"Yes\" if the Binance 1 minute candle for BTC/USDT 12:00 in the ET timezone (noon) on the date specified in the title has a final \u{201c}Close\u{201d} price higher than the price specified in the title. Otherwise, this market will resolve to \"No\".";
const STRIKE_HOUR_TEXT: &str = "This market will resolve to \"Yes\" if the Binance 1 hour candle for BTC/USDT ending at the time and date specified in the title has a final \"Close\" price higher than the price specified in the title. Otherwise, this market will resolve to \"No\".";

fn strike(slug: &str, question: &str, group: &str, end: &str, text: &str) -> Value {
    let mut m = window(1_780_876_800);
    for (key, value) in
        [("slug", slug), ("question", question), ("groupItemTitle", group), ("endDate", end), ("description", text)]
    {
        m[key] = json!(value);
    }
    for key in ["eventStartTime", "resolutionSource"] {
        m[key] = Value::Null;
    }
    m["outcomes"] = json!(["Yes", "No"]);
    m
}

/// 2026-08-22 16:00 UTC.
const AUGUST: i64 = 1_787_414_400;

fn config(lookback: i64) -> Value {
    json!({"id":"btc-5m-twap-60","asset":"btc","duration":"5m","twapEnabled":true,"twapLookbackSeconds":lookback})
}

#[test]
fn a_window_before_august_settles_on_the_instant_assumed_by_date() {
    let m = listed(&window(JUNE));
    let rule = *m.rule.understood().unwrap();
    assert_eq!((rule.method, rule.tie, rule.origin), (Method::Instant, Tie::First, RuleOrigin::AssumedByDate));
    assert_eq!(rule.final_at, Ts::from_secs(JUNE + 300));
    assert!(
        matches!(rule.payoff, Payoff::UpDown { start_at, start: StartValue::SameMethod, reference: None } if start_at == Ts::from_secs(JUNE))
    );
    assert_eq!(catalog().source_info(rule.source).unwrap().name.as_ref(), "chainlink:btc/usd");
    assert_eq!((&*m.family, &*m.version, m.accepting), ("updown-5m", "v1", true));
    assert_eq!((m.tick, m.taker_hold), ("0.01".parse().unwrap(), Dur::from_millis(250)));
    assert!(matches!(m.fees, FeeSchedule::Curve { exponent: 1, .. }));
}

#[test]
fn averaging_comes_from_metadata_then_text_then_date() {
    let twap = |secs| Method::Twap { window: Dur::from_secs(secs) };
    let got = |m: Value| rule(&m).map(|r| (r.method, r.origin));
    let stream = |secs: i64| json!(format!("https://data.chain.link/streams/btc-usd-twap-{secs}s-streams"));
    let texted =
        |start: i64, secs: i64| with(with(window(start), "description", json!(TWAP_TEXT)), "resolutionSource", stream(secs));
    assert_eq!(got(with(texted(AUGUST, 60), "cryptoMarketConfig", config(60))), Ok((twap(60), RuleOrigin::Metadata)));
    assert_eq!(
        got(with(texted(AUGUST, 45), "cryptoMarketConfig", config(45))),
        Ok((twap(45), RuleOrigin::Metadata)),
        "any window"
    );
    assert_eq!(got(texted(AUGUST, 30)), Ok((twap(30), RuleOrigin::Metadata)), "the stream's name decides");
    assert_eq!(got(texted(JUNE, 60)), Ok((twap(60), RuleOrigin::Metadata)), "whatever the date");
    assert_eq!(got(window(AUGUST)), Ok((twap(60), RuleOrigin::AssumedByDate)));
    // 5m from 14 August, 15m from 7 August.
    assert_eq!(got(window(1_786_665_300)), Ok((Method::Instant, RuleOrigin::AssumedByDate)));
    assert_eq!(got(window(1_786_665_600)), Ok((twap(60), RuleOrigin::AssumedByDate)));
    let quarter = |start: i64| {
        let m = with(window(start), "slug", json!(format!("btc-updown-15m-{start}")));
        with(m, "endDate", json!(Ts::from_secs(start + 900).to_string()))
    };
    assert_eq!(got(quarter(1_786_059_900)), Ok((Method::Instant, RuleOrigin::AssumedByDate)));
    assert_eq!(got(quarter(1_786_060_800)), Ok((twap(60), RuleOrigin::AssumedByDate)));
}

#[test]
fn contradictions_are_not_traded() {
    let source = |m: Value, s: &str| with(m, "resolutionSource", json!(s));
    let twap = "https://data.chain.link/streams/btc-usd-twap-60s-streams";
    let averaged = with(source(window(AUGUST), twap), "description", json!(TWAP_TEXT));
    refused(&with(averaged.clone(), "cryptoMarketConfig", config(30)), "disagree");
    refused(&with(window(AUGUST), "cryptoMarketConfig", config(60)), "plain stream");
    refused(&with(averaged.clone(), "cryptoMarketConfig", json!({"twapEnabled":false})), "disagree");
    let worded =
        with(with(window(AUGUST), "description", json!(format!("{TWAP_TEXT} BTC/USD"))), "resolutionSource", Value::Null);
    refused(&with(worded, "cryptoMarketConfig", json!({"twapEnabled":true})), "nowhere stated");
    refused(&with(averaged.clone(), "cryptoMarketConfig", json!({"asset":"eth","twapLookbackSeconds":60})), "asset");
    refused(&with(averaged, "cryptoMarketConfig", json!({"duration":"15m","twapLookbackSeconds":60})), "duration");
    refused(&source(window(JUNE), "https://data.chain.link/streams/eth-usd"), "oracle stream");
    refused(&with(window(JUNE), "eventStartTime", json!("2026-06-08T00:05:00Z")), "eventStartTime");
    refused(&with(window(JUNE), "endDate", json!("2026-06-08T00:15:00Z")), "endDate");
    refused(&with(window(JUNE), "description", json!("Up if it is up.")), "does not say");
    refused(&with(window(JUNE), "outcomes", json!(["Yes", "No"])), "labels");
    refused(&with(window(JUNE), "slug", json!("pepe-updown-5m-1780876800")), "not a market on a crypto price");
}

#[test]
fn four_hours_need_their_window_in_the_metadata() {
    let start = 1_787_414_400;
    let m = with(window(start), "slug", json!(format!("btc-updown-4h-{start}")));
    let m = with(m, "endDate", json!(Ts::from_secs(start + 14_400).to_string()));
    refused(&m, "4h window");
    let m = with(m, "resolutionSource", json!("https://data.chain.link/streams/btc-usd-twap-60s-streams"));
    refused(&m, "4h window");
    let m = with(m, "cryptoMarketConfig", json!({"asset":"btc","duration":"4h","twapEnabled":true,"twapLookbackSeconds":60}));
    assert_eq!(rule(&m).unwrap().method, Method::Twap { window: Dur::from_secs(60) });
    assert_eq!(&*listed(&m).family, "updown-4h");
}

fn hourly(question: &str, start: &str) -> Value {
    let start = instant(start).unwrap();
    let m = with(window(JUNE), "slug", json!("bitcoin-up-or-down-september-13-6am-et"));
    let m = with(with(m, "question", json!(question)), "description", json!(HOUR_TEXT));
    let m = with(m, "resolutionSource", json!("https://www.binance.com/en/trade/BTC_USDT"));
    let m = with(m, "eventStartTime", json!(start.to_string()));
    with(m, "endDate", json!((start + Dur::from_secs(3_600)).to_string()))
}

#[test]
fn hourly_windows_follow_new_york_clocks() {
    let r = rule(&hourly("Bitcoin Up or Down - September 13, 6AM ET", "2025-09-13T10:00:00Z")).unwrap();
    assert_eq!(
        (r.method, r.tie, r.origin),
        (Method::CandleClose { interval: Dur::from_secs(3_600) }, Tie::First, RuleOrigin::Metadata)
    );
    assert!(matches!(r.payoff, Payoff::UpDown { start: StartValue::CandleOpen, .. }));
    assert_eq!(r.final_at, instant("2025-09-13T11:00:00Z").unwrap());
    // Winter time, and the two hours of 1 November 2026 that share a title.
    assert!(rule(&hourly("Bitcoin Up or Down - January 13, 6AM ET", "2026-01-13T11:00:00Z")).is_ok());
    assert!(rule(&hourly("Bitcoin Up or Down - November 1, 1AM ET", "2026-11-01T05:00:00Z")).is_ok());
    assert!(rule(&hourly("Bitcoin Up or Down - November 1, 1AM ET", "2026-11-01T06:00:00Z")).is_ok());
    refused(&hourly("Bitcoin Up or Down - January 13, 6AM ET", "2026-01-13T10:00:00Z"), "New York");
    refused(&hourly("Bitcoin Up or Down - September 12, 6AM ET", "2025-09-13T10:00:00Z"), "New York");
    refused(
        &with(
            hourly("Bitcoin Up or Down - September 13, 6AM ET", "2025-09-13T10:00:00Z"),
            "endDate",
            json!("2025-09-13T12:00:00Z"),
        ),
        "endDate",
    );
}

fn noon() -> Value {
    strike(
        "bitcoin-above-64k-on-march-11",
        "Will the price of Bitcoin be above $64,000 on March 11?",
        "64,000",
        "2026-03-11T16:00:00Z",
        NOON_TEXT,
    )
}

#[test]
fn noon_strikes_are_strict_and_end_with_the_candle_that_opens_at_noon() {
    let m = listed(&noon());
    let r = *m.rule.understood().unwrap();
    assert_eq!(r.payoff, Payoff::Above { strike: Px::whole(64_000) });
    assert_eq!((r.method, r.tie), (Method::CandleClose { interval: Dur::from_secs(60) }, Tie::Second));
    assert_eq!(r.final_at, instant("2026-03-11T16:01:00Z").unwrap());
    assert_eq!((m.closes_at, &*m.family, m.taker_hold), (instant("2026-03-11T16:00:00Z").unwrap(), "above-daily", Dur::ZERO));
    // Eastern standard time is an hour later in UTC.
    refused(&with(noon(), "endDate", json!("2026-03-11T17:00:00Z")), "noon");
    refused(&with(noon(), "groupItemTitle", json!("65,000")), "strike");
    refused(&with(noon(), "slug", json!("bitcoin-above-66k-on-march-11")), "strike");
    refused(&with(noon(), "description", json!(NOON_TEXT.replace("higher than", "greater than or equal to"))), "");
    refused(&with(noon(), "description", json!(NOON_TEXT.replace("BTC/USDT", "ETH/USDT"))), "pair");
}

#[test]
fn hourly_strikes_end_with_the_candle_that_ends_at_the_title() {
    let m = |text: &str| {
        strike(
            "bitcoin-above-64200-on-june-4-2026-3pm-et",
            "Bitcoin above 64,200 on June 4, 3PM ET?",
            "64,200",
            "2026-06-04T19:00:00Z",
            text,
        )
    };
    let r = rule(&m(STRIKE_HOUR_TEXT)).unwrap();
    assert_eq!(
        (r.method, r.final_at),
        (Method::CandleClose { interval: Dur::from_secs(3_600) }, instant("2026-06-04T19:00:00Z").unwrap())
    );
    assert_eq!(&*listed(&m(STRIKE_HOUR_TEXT)).family, "above-hourly");
    refused(&m(&STRIKE_HOUR_TEXT.replace("ending", "that begins")), "begins");
    refused(&with(m(STRIKE_HOUR_TEXT), "endDate", json!("2026-06-04T18:00:00Z")), "hour");
}

#[test]
fn families_that_come_later_are_labelled() {
    let family = |slug: &str, text: &str| {
        let m = listed(&with(with(window(JUNE), "slug", json!(slug)), "description", json!(text)));
        (m.family.to_string(), matches!(m.rule, Rule::NotUnderstood(_)))
    };
    assert_eq!(family("bitcoin-up-or-down-on-february-7", ""), ("updown-daily".into(), true));
    assert_eq!(family("will-the-price-of-bitcoin-be-between-98000-100000-on-january-26", ""), ("range-daily".into(), true));
    assert_eq!(family("what-price-will-bitcoin-hit-on-june-4", ""), ("touch".into(), true));
    assert_eq!(family("will-btc-win-the-cup", ""), ("other".into(), true));
}

#[test]
fn versions_choose_the_ids() {
    let v2 = with(with(window(JUNE), "version", json!("v2")), "positionIds", json!(["p0", "p1"]));
    let m = listed(&v2);
    assert_eq!(([&*m.tokens[0], &*m.tokens[1]], &*m.version), (["p0", "p1"], "v2"));
    assert!(m.rule.understood().is_some());
    let v1 = with(v2, "version", json!("v1"));
    assert_eq!(&*listed(&v1).tokens[0], "11780876800", "both filled: the version decides");
    refused(&with(window(JUNE), "version", json!("v3")), "v3");
    let absent = with(window(JUNE), "version", Value::Null);
    assert_eq!(&*listed(&absent).version, "v1", "bodies from before the field existed");
    refused(&with(absent, "createdAt", json!("2026-09-01T00:00:00Z")), "version is missing");
}

#[test]
fn fees_are_taken_over_or_the_market_is_not_traded() {
    assert_eq!(listed(&with(window(JUNE), "feesEnabled", json!(false))).fees, FeeSchedule::Free);
    let unnamed = with(window(JUNE), "feeSchedule", Value::Null);
    refused(&unnamed, "no schedule");
    let historic = with(unnamed, "feeType", json!("crypto_15_min"));
    assert!(matches!(listed(&historic).fees, FeeSchedule::Curve { exponent: 2, .. }));
    refused(&with(window(JUNE), "feeSchedule", json!({"exponent":0.5,"rate":"0.02"})), "exponent");
    refused(&with(window(JUNE), "feeSchedule", json!({"exponent":1,"rate":7})), "rate");
}

#[test]
fn labels_in_the_other_order_swap_the_tokens() {
    let m = listed(&with(window(JUNE), "outcomes", json!(["Down", "Up"])));
    assert_eq!((&*m.tokens[0], &*m.labels[0]), ("21780876800", "Up"));
    let closed = |prices: Value| {
        let m = with(
            with(with(window(JUNE), "outcomes", json!(["Down", "Up"])), "closed", json!(true)),
            "umaResolutionStatus",
            json!("resolved"),
        );
        with(m, "outcomePrices", prices)
    };
    let k = Run::new().body(&closed(json!("[\"0\", \"1\"]")));
    assert!(k.events.iter().any(|e| matches!(e, Event::Resolved { first_pays, .. } if *first_pays == Ratio::ONE)));
}

#[test]
fn reading_again_says_only_what_is_new() {
    let mut run = Run::new();
    let m = window(JUNE);
    assert_eq!(run.body(&m).count, 1);
    assert_eq!(run.body(&m).count, 0, "nothing new");
    // The grid changed on the socket; a cached Gamma body must not turn it back.
    let idx = run.registry.find_market(pm_core::ids::VenueId(0), "0x1780876800").unwrap();
    run.protocol.learn(&Event::MarketChanged { market: idx, change: MarketChange::Tick("0.001".parse().unwrap()) });
    assert_eq!(run.body(&m).count, 0);
    let event = json!({"id":"7","slug":"e","title":"E","eventMetadata":{"priceToBeat":63123.544863797618},"markets":[m]});
    let mut first = Run::new();
    let Some(Event::MarketListed(with_reference)) = first.body(&event).events.into_iter().next() else { panic!() };
    assert!(
        matches!(with_reference.rule.understood().unwrap().payoff, Payoff::UpDown { reference: Some(px), .. } if px == "63123.54486379".parse().unwrap())
    );
    // In a market's own body the event stands inside.
    let inside = with(window(JUNE), "events", json!([{"id":"7","slug":"e","eventMetadata":"{\"priceToBeat\":63000}"}]));
    let k = run.body(&with(window(JUNE), "events", json!([{"id":"7","slug":"e"}])));
    assert_eq!(k.events.len(), 1, "the group changed: listed again");
    assert_eq!(run.body(&inside).changes, [MarketChange::Reference(Px::whole(63_000))]);
    assert_eq!(run.body(&with(inside, "acceptingOrders", json!(false))).changes, [MarketChange::Accepting(false)]);
}

#[test]
fn results_need_the_venues_word() {
    let closed = |prices: &str, status: &str| {
        let m = with(with(window(JUNE), "closed", json!(true)), "umaResolutionStatus", json!(status));
        with(with(m, "outcomePrices", json!(prices)), "closedTime", json!("2026-06-08 00:05:25+00"))
    };
    let result = |m: &Value| {
        Run::new().body(m).events.into_iter().find_map(|e| match e {
            Event::Resolved { first_pays, at, .. } => Some((first_pays.to_string(), at)),
            _ => None,
        })
    };
    let at = instant("2026-06-08T00:05:25Z").unwrap();
    for (prices, pays) in [("[\"1\", \"0\"]", "1"), ("[\"0\", \"1\"]", "0"), ("[\"0.5\", \"0.5\"]", "0.5")] {
        assert_eq!(result(&closed(prices, "resolved")), Some((pays.to_owned(), at)));
    }
    assert_eq!(result(&closed("[\"1\", \"0\"]", "proposed")), None);
    assert_eq!(result(&closed("[\"0.97\", \"0.03\"]", "resolved")), None);
    assert_eq!(result(&with(closed("[\"1\", \"0\"]", "resolved"), "closed", json!(false))), None);
    let mut run = Run::new();
    assert_eq!(run.body(&closed("[\"1\", \"0\"]", "resolved")).events.len(), 2);
    assert_eq!(run.body(&closed("[\"1\", \"0\"]", "resolved")).count, 0, "once");
}

#[test]
fn bodies_of_every_wrapping() {
    let (a, b) = (window(JUNE), window(JUNE + 300));
    for body in [
        json!([a, b]),
        json!({"markets":[a, b]}),
        json!({"data":[a, b]}),
        json!({"events":[{"slug":"e","markets":[a, b]}]}),
        json!({"slug":"e","title":"E","markets":[a, b]}),
    ] {
        assert_eq!(Run::new().body(&body).events.len(), 2, "{body}");
    }
    let mut run = Run::new();
    let k = run.body(&json!([
        with(window(JUNE), "outcomes", json!(["A", "B", "C"])),
        with(window(JUNE), "clobTokenIds", json!("[]")),
        with(window(JUNE), "conditionId", json!(""))
    ]));
    assert_eq!((k.count, run.protocol.skipped()), (0, 3), "not binary, not filled in yet");
}

#[test]
fn the_engines_own_body_updates_a_listed_market() {
    let mut run = Run::new();
    let body = json!({"c":"0x1780876800","t":[{"t":"1","o":"Up"},{"t":"2","o":"Down"}],"mts":0.001,"mos":15,"fd":{"r":0.05,"e":1,"to":true},"ao":true,"v":"v1"});
    let mut k = Keeper::default();
    assert_eq!(
        run.protocol.decode(Stamp::default(), body.to_string().as_bytes(), &mut run.registry, &mut k),
        Ok(FrameKind::Foreign)
    );
    run.body(&window(JUNE));
    let k = run.body(&body);
    let fees =
        FeeSchedule::Curve { rate: "0.05".parse().unwrap(), exponent: 1, taker_only: true, maker_rebate: "0.2".parse().unwrap() };
    assert_eq!(
        k.changes,
        [
            MarketChange::Tick("0.001".parse().unwrap()),
            MarketChange::MinQty("15".parse().unwrap()),
            MarketChange::Fees(fees),
            MarketChange::TakerHold(Dur::ZERO)
        ]
    );
    assert_eq!(run.body(&with(body, "itode", json!(true))).changes, [MarketChange::TakerHold(Dur::from_millis(250))]);
}
