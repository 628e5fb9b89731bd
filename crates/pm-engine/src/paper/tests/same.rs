//! What must not matter: how often the venue is asked, how often a run is made, and a constant delay of the feed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use pm_core::event::Event;
use pm_core::ids::MarketIdx;
use pm_core::market::Outcome;
use pm_core::order::{OrderState, Side, Tif};
use pm_core::units::{Qty, Usd};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{PaperSettings, Rig};

/// What happens at the venue, or is decided here.
#[derive(Debug, Clone)]
enum Deed {
    Ask(u8, u8),
    Sold(u8, u8),
    Buy { first: bool, size: u8, limit: u8, tif: u8 },
    Cancel(u8),
    CancelAll,
}

/// Deeds with the time to the one before, in pairs of milliseconds, and a part of the delay of each frame.
type Story = Vec<(u8, u8, Deed)>;

fn stories() -> impl Strategy<Value = Story> {
    let deed = prop_oneof![
        6 => (50..70_u8, 0..60_u8).prop_map(|(p, q)| Deed::Ask(p, q)),
        3 => (48..66_u8, 1..40_u8).prop_map(|(p, q)| Deed::Sold(p, q)),
        6 => (any::<bool>(), 5..60_u8, 50..70_u8, 0..5_u8)
            .prop_map(|(first, size, limit, tif)| Deed::Buy { first, size, limit, tif }),
        2 => any::<u8>().prop_map(Deed::Cancel),
        1 => Just(Deed::CancelAll),
    ];
    proptest::collection::vec((1..60_u8, 0..20_u8, deed), 10..80)
}

/// Frames carry even milliseconds of the venue, orders reach it at odd ones: no two of them are at one instant.
fn play(story: &Story, delay: i64, jitter: bool, lazy: bool) -> Rig {
    let mut r = Rig::with(PaperSettings { latency_ms: vec![41], ..PaperSettings::default() }, "1000000").hold(50);
    r.lazy = lazy;
    // Frames are put in order of receipt, among the decisions. (time here, frame's venue time)
    let (mut at, mut orders) = (10_000_i64, 0_u64);
    let mut acts = vec![(9_000 + delay, 9_000, Deed::Ask(60, 50))];
    for (wait, late, deed) in story {
        at += 2 * i64::from(*wait);
        let here = match deed {
            Deed::Ask(..) | Deed::Sold(..) => at + delay + if jitter { i64::from(*late) } else { 0 },
            _ => at,
        };
        acts.push((here, at, deed.clone()));
    }
    acts.sort_by_key(|(here, ..)| *here);
    r.book(8_900, 8_900 + delay, &[("0.45", "100")], &[("0.60", "50"), ("0.62", "30")]);
    for (here, at, deed) in acts {
        match deed {
            Deed::Ask(p, q) => r.ask(at, here, &format!("0.{p}"), &q.to_string()),
            Deed::Sold(p, q) => r.sold(at, here, &format!("0.{p}"), &q.to_string()),
            Deed::Cancel(which) => r.cancel(here, u64::from(which) % (orders + 1)),
            Deed::CancelAll => r.cancel_all(here),
            Deed::Buy { first, size, limit, tif } => {
                orders += 1;
                let outcome = if first { Outcome::First } else { Outcome::Second };
                let tifs = [Tif::FillAndKill, Tif::FillOrKill, Tif::GoodTillCancel, Tif::GoodTillCancel, Tif::PostOnly];
                let tif = tifs[usize::from(tif)];
                r.submit(here, orders, (0, outcome, Side::Buy), (&size.to_string(), &format!("0.{limit}")), tif);
            }
        }
    }
    r.advance(super::ms(at + 20_000));
    r
}

/// Everything said about each order, with the venue's times and without those of arrival here.
fn by_order(r: &Rig) -> Vec<Vec<String>> {
    let mut said = vec![Vec::new(); 100];
    for (_, event) in &r.said {
        match event {
            Event::Fill(f) => {
                let order = usize::try_from(f.intent.0).unwrap();
                said[order].push(format!("{} @ {} {:?} ({})", f.qty, f.px, f.liquidity, f.at));
            }
            Event::Order(u) => {
                let order = usize::try_from(u.intent.0).unwrap();
                said[order].push(format!("{:?} {} {:?} ({})", u.state, u.filled, u.reason, u.at));
            }
            _ => {}
        }
    }
    said
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn a_constant_delay_changes_only_when_we_hear_of_it() {
    let seen = RefCell::new([("Taker", 0), ("Maker", 0), ("Cancelled", 0), ("Held", 0), ("WouldCross", 0)]);
    runner(300)
        .run(&stories(), |story| {
            let (at_once, late) = (play(&story, 0, false, false), play(&story, 75, false, false));
            let said = by_order(&at_once);
            for (word, stories) in seen.borrow_mut().iter_mut() {
                *stories += usize::from(said.concat().iter().any(|s| s.contains(*word)));
            }
            prop_assert_eq!(said, by_order(&late));
            prop_assert_eq!(at_once.venue.cash(), late.venue.cash());
            Ok(())
        })
        .unwrap();
    assert!(seen.borrow().iter().all(|(_, stories)| *stories > 50), "too little happened: {seen:?}");
}

#[test]
fn the_same_frames_give_the_same_answers_however_often_the_venue_is_asked() {
    runner(200)
        .run(&stories(), |story| {
            let first = play(&story, 45, true, false);
            prop_assert_eq!(&first.said, &play(&story, 45, true, false).said, "two runs");
            let lazy = play(&story, 45, true, true);
            let events = |r: &Rig| r.said.iter().map(|(_, e)| e.clone()).collect::<Vec<_>>();
            prop_assert_eq!(events(&first), events(&lazy), "asked only when a frame comes");
            prop_assert!(first.said.is_sorted_by_key(|(at, _)| *at), "answers in time order");
            prop_assert!(first.venue.cash() <= Usd::whole(1_000_000));
            Ok(())
        })
        .unwrap();
}

#[test]
fn whatever_the_delays_an_order_has_one_end_and_no_more_than_it_asked_for() {
    runner(200)
        .run(&stories(), |story| {
            let r = play(&story, 45, true, false);
            let mut states = BTreeMap::new();
            let mut fills = BTreeMap::new();
            for (_, event) in &r.said {
                match event {
                    Event::Fill(f) => *fills.entry(f.intent).or_insert(Qty::ZERO) += f.qty,
                    Event::Order(u) => {
                        let before = states.insert(u.intent, u.clone());
                        let allowed = before.is_none_or(|b| b.state.may_become(u.state) && !b.state.is_done() && b.at <= u.at);
                        prop_assert!(allowed, "{:?}", u);
                    }
                    _ => {}
                }
            }
            for (intent, last) in &states {
                let got = fills.get(intent).copied().unwrap_or_default();
                prop_assert_eq!(last.filled, got, "the venue's word and its fills");
                prop_assert!(last.state.is_done() || last.state == OrderState::Resting);
            }
            let shares: Qty = [Outcome::First, Outcome::Second].into_iter().map(|o| r.venue.shares(MarketIdx(0), o)).sum();
            prop_assert_eq!(shares, fills.values().copied().sum());
            Ok(())
        })
        .unwrap();
}
