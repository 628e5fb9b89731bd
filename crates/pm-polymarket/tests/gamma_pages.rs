//! Gamma pages: what is odd does not hide its neighbours, what is cached does not undo what the matching engine said, fees that are not
//! stated are not free.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::gamma::{JUNE, Run, listed, refused, rule, window, with};
use common::{Keeper, T0, feed, follower, rest_book};
use pm_core::event::Event;
use pm_core::fees::FeeSchedule;
use pm_core::ids::VenueId;
use pm_core::market::{MarketChange, Rule};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol};
use pm_core::units::Qty;
use pm_polymarket::fees::{FEES_SINCE, FeeError, schedule};
use pm_polymarket::gamma::GammaTrading;
use serde_json::{Value, json};

fn read(run: &mut Run, body: &str) -> (Result<(), DecodeError>, Keeper) {
    let mut k = Keeper::default();
    let read = run.protocol.decode(Stamp::default(), body.as_bytes(), &mut run.registry, &mut k);
    (read.map(|_| ()), k)
}

#[test]
fn one_bad_element_does_not_hide_the_rest_of_its_page() {
    let good = |i: i64| window(JUNE + 300 * i);
    let bad = with(good(1), "id", Value::Null);
    for (body, named) in [
        (json!([good(0), bad, good(2), "x", good(3)]), "element 1: id is missing"),
        (json!({"markets": [good(0), bad, good(2), good(3)]}), "markets[1]: id is missing"),
        (json!({"data": [good(0), 7, bad, good(2), good(3)]}), "data[1]: not a JSON object"),
        (
            json!({"events": [{"slug":"e","markets":[good(0), bad]}, {"slug":"f","markets":[good(2), good(3)]}]}),
            "events[0]: markets[1]: id is missing",
        ),
        (json!([good(0), {"c":"", "t":[]}, good(2), good(3)]), "element 1: clob market: id is missing"),
    ] {
        let text = body.to_string();
        let (result, k) = read(&mut Run::new(), &text);
        let e = result.unwrap_err();
        assert!(e.what.starts_with(named), "{e}");
        assert!(e.at.is_some_and(|at| at > 500 && text.is_char_boundary(at)), "the place is the element: {e}");
        assert_eq!(k.events.len(), 3, "{named}");
    }
    // What is not JSON at all is one error, as before.
    let (result, k) = read(&mut Run::new(), "[{\"id\":1},");
    assert!(result.unwrap_err().at.is_some() && k.events.is_empty());
}

#[test]
fn bodies_within_bodies_are_an_error_not_a_full_stack() {
    let deep = format!("{}{}", "{\"data\":[".repeat(20_000), "]}".repeat(20_000));
    let (result, _) = read(&mut Run::new(), &deep);
    assert!(result.is_err());
}

/// A listed window, and what the engine's own body says of it.
fn engine(run: &mut Run, changes: &[(&str, Value)]) -> Keeper {
    let mut body =
        json!({"c":format!("0x{JUNE}"),"t":[{"t":"1","o":"Up"}],"mts":0.01,"fd":{"r":0.07,"e":1,"to":true},"itode":true});
    for (key, value) in changes {
        body[*key] = value.clone();
    }
    run.body(&body)
}

#[test]
fn a_cached_body_does_not_reopen_what_the_engine_closed() {
    let mut run = Run::new();
    run.body(&window(JUNE));
    assert_eq!(engine(&mut run, &[("ao", json!(false))]).changes, [MarketChange::Accepting(false)]);
    assert_eq!(run.body(&window(JUNE)).count, 0, "up to five minutes old");
    // Also where something else of the market is new, so that it is listed again.
    let k = run.body(&with(window(JUNE), "question", json!("Q")));
    assert!(matches!(k.events.as_slice(), [Event::MarketListed(m)] if !m.accepting));
    assert_eq!(engine(&mut run, &[("ao", json!(true))]).changes, [MarketChange::Accepting(true)], "the engine opens");
    let closed = with(window(JUNE), "acceptingOrders", json!(false));
    assert_eq!(run.body(&with(closed, "question", json!("Q"))).changes, [MarketChange::Accepting(false)], "Gamma may close");
    assert_eq!(run.body(&with(window(JUNE), "question", json!("Q"))).count, 0, "and not open again");
    // A body of the engine without the flag says nothing about it.
    let mut run = Run::new();
    run.body(&with(window(JUNE), "acceptingOrders", json!(false)));
    engine(&mut run, &[]);
    assert_eq!(run.body(&window(JUNE)).changes, [MarketChange::Accepting(true)]);
}

#[test]
fn a_cached_body_does_not_flip_minimum_and_fees_back() {
    let mut run = Run::new();
    run.body(&window(JUNE));
    let k = engine(&mut run, &[("mos", json!(15)), ("fd", json!({"r":0.05,"e":1,"to":true}))]);
    assert_eq!(k.changes.len(), 2);
    assert_eq!(run.body(&window(JUNE)).count, 0);
    // The maker's share is Gamma's to say: the engine does not.
    let shared = with(window(JUNE), "feeSchedule", json!({"exponent":1,"rate":0.07,"takerOnly":true,"rebateRate":0.3}));
    let k = run.body(&shared);
    assert!(
        matches!(k.changes.as_slice(), [MarketChange::Fees(FeeSchedule::Curve { rate, maker_rebate, .. })]
            if *rate == "0.05".parse().unwrap() && *maker_rebate == "0.3".parse().unwrap()),
        "{:?}",
        k.changes
    );
}

#[test]
fn what_other_feeds_learnt_from_the_engine_is_not_flipped_back_either() {
    let mut run = Run::new();
    run.body(&window(JUNE));
    let idx = run.registry.find_market(VenueId(0), &format!("0x{JUNE}")).unwrap();
    // A REST book on the market feed names its minimum; a second protocol reads `/clob-markets`.
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    feed(&mut p, &rest_book(T0, 5, "[]", "0.01", "15"), &mut k).unwrap();
    assert_eq!(k.changes, [MarketChange::MinQty(Qty::whole(15))]);
    for change in [k.changes[0], MarketChange::Accepting(false)] {
        run.protocol.learn(&Event::MarketChanged { market: idx, change });
    }
    assert_eq!(run.body(&window(JUNE)).count, 0);
    // Its own words, which come back to it as well, are not the engine's.
    let mut run = Run::new();
    run.body(&window(JUNE));
    let closed = with(window(JUNE), "acceptingOrders", json!(false));
    let idx = run.registry.find_market(VenueId(0), &format!("0x{JUNE}")).unwrap();
    for change in run.body(&closed).changes {
        run.protocol.learn(&Event::MarketChanged { market: idx, change });
    }
    assert_eq!(run.body(&window(JUNE)).changes, [MarketChange::Accepting(true)]);
}

#[test]
fn fees_of_the_engine_that_cannot_be_read_close_the_market() {
    for odd in [json!({"r":0.02,"e":0.5,"to":true}), json!("0.07"), json!({"e":1}), json!({"r":-1,"e":1})] {
        let mut run = Run::new();
        run.body(&window(JUNE));
        let body = json!({"c":format!("0x{JUNE}"),"t":[{"t":"1","o":"Up"}],"mts":0.001,"fd":odd,"ao":true,"itode":true});
        let (result, k) = read(&mut run, &body.to_string());
        let e = result.unwrap_err();
        assert!(e.what.contains("fee") && e.what.contains(&format!("0x{JUNE}")), "{e}");
        assert_eq!(k.changes, [MarketChange::Tick("0.001".parse().unwrap()), MarketChange::Accepting(false)], "{odd}");
        assert_eq!(run.body(&window(JUNE)).count, 0, "closed until the engine names a fee");
    }
}

fn without_fees(mut m: Value) -> Value {
    for key in ["feesEnabled", "feeType", "feeSchedule"] {
        m.as_object_mut().unwrap().remove(key);
    }
    m
}

#[test]
fn a_market_that_does_not_state_its_fees_is_shown_and_not_traded() {
    let silent = without_fees(window(JUNE));
    refused(&silent, "neither fees nor their absence");
    assert_eq!(&*listed(&silent).family, "updown-5m", "it is shown");
    refused(&with(silent.clone(), "feesEnabled", Value::Null), "neither fees nor their absence");
    refused(&with(silent.clone(), "feeType", json!("moon_fees_v9")), "\"moon_fees_v9\" is not known");
    // A known type without its schedule is no schedule either: rates change within a type.
    refused(&with(silent.clone(), "feeType", json!("crypto_fees_v2")), "no schedule");
    refused(&with(silent.clone(), "feeSchedule", json!("0.07")), "neither fees nor their absence");
    // Stated absence is no fee; so is a schedule that says it all.
    assert_eq!(listed(&with(silent.clone(), "feesEnabled", json!(false))).fees, FeeSchedule::Free);
    let stated = with(silent.clone(), "feeSchedule", json!({"exponent":1,"rate":0.07,"takerOnly":true}));
    assert!(matches!(listed(&stated).fees, FeeSchedule::Curve { exponent: 1, .. }));
    let historic = with(silent, "feeType", json!("crypto_15_min"));
    assert!(rule(&historic).is_ok() && matches!(listed(&historic).fees, FeeSchedule::Curve { exponent: 2, .. }));
}

#[test]
fn what_ended_before_fees_existed_is_free() {
    // 2025-12-30 06:30 UTC.
    let old = |end: Ts| {
        let m = without_fees(window(1_767_076_200));
        with(with(m, "endDate", json!(end.to_string())), "createdAt", json!("2025-12-29T06:31:50Z"))
    };
    let in_time = old(Ts::from_secs(1_767_076_500));
    let m = listed(&in_time);
    assert!(matches!(m.rule, Rule::Understood(_)), "{:?}", m.rule);
    assert_eq!(m.fees, FeeSchedule::Free);
    // Made before, still trading after: it got a fee like everything else.
    let said = GammaTrading::default();
    assert_eq!(schedule(&said, Some(FEES_SINCE)), Err(FeeError::Unstated));
    assert_eq!(schedule(&said, Some(FEES_SINCE - Dur::from_secs(1))), Ok(FeeSchedule::Free));
    assert_eq!(schedule(&said, None), Err(FeeError::Unstated));
    refused(&with(in_time, "closedTime", json!("2026-01-02 00:00:00+00")), "neither fees nor their absence");
}
