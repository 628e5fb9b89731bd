//! Random streams of everything a run may meet, as scripts: books, changes, prices, results, words of venues, the operator, garbage,
//! repeats, clocks that go back.

use pm_core::event::{Endpoint, Event, Health, Operator, VenueWord};
use pm_core::time::Dur;
use pm_core::units::Ratio;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::frames::{A, B, C, D, Mkt};
use crate::script::{LINEAR, MARKET, Script, ts};
use crate::world::{BYBIT, POLY, World, ratio};

/// One thing that happens, and how long after the one before.
#[derive(Debug, Clone)]
pub enum Act {
    /// Market, ask in hundredths, spread, sizes.
    Book(u8, u8, u8, u16, u16),
    /// Market, price in hundredths, size, buy.
    Change(u8, u8, u16, bool),
    /// Price of the underlying, relative to 80,000.
    Price(i16),
    Print(u8, u8, u16, bool),
    /// Market, first wins.
    Resolve(u8, bool),
    Kill,
    Reset,
    Pause(bool),
    Word(bool, u8),
    Ban(u8),
    Late(bool),
    Garbage(Vec<u8>),
    Repeat,
    ClockBack,
    Gap,
    Wait,
}

pub fn acts() -> impl Strategy<Value = Vec<(u16, Act)>> {
    let act = prop_oneof![
        12 => (0..4_u8, 5..97_u8, 1..6_u8, 5..300_u16, 5..300_u16).prop_map(|(m, a, s, b, q)| Act::Book(m, a, s, b, q)),
        8 => (0..4_u8, 3..97_u8, 0..200_u16, any::<bool>()).prop_map(|(m, p, q, b)| Act::Change(m, p, q, b)),
        10 => (-1_500..1_500_i16).prop_map(Act::Price),
        2 => (0..4_u8, 3..97_u8, 0..200_u16, any::<bool>()).prop_map(|(m, p, q, b)| Act::Print(m, p, q, b)),
        1 => (0..4_u8, any::<bool>()).prop_map(|(m, w)| Act::Resolve(m, w)),
        1 => Just(Act::Kill),
        2 => Just(Act::Reset),
        1 => any::<bool>().prop_map(Act::Pause),
        1 => (any::<bool>(), 0..8_u8).prop_map(|(v, w)| Act::Word(v, w)),
        1 => (0..100_u8).prop_map(Act::Ban),
        1 => any::<bool>().prop_map(Act::Late),
        1 => proptest::collection::vec(any::<u8>(), 0..30).prop_map(Act::Garbage),
        1 => Just(Act::Repeat),
        1 => Just(Act::ClockBack),
        1 => Just(Act::Gap),
        2 => Just(Act::Wait),
    ];
    proptest::collection::vec((0..1_500_u16, act), 30..140)
}

/// A runner that draws the same cases every time.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Settings under which a lot happens: three latencies, a third of the settlements fail, hedges are cheap to be had.
pub fn world() -> World {
    let mut w = World::default();
    (w.cfg.model.vol_floor_annual, w.cfg.model.vol_cap_annual) = (ratio("0.4"), ratio("0.6"));
    let r = &mut w.cfg.risk;
    (r.max_daily_loss, r.max_weekly_loss, r.max_structure_loss) = (ratio("0.1"), ratio("0.5"), ratio("0.1"));
    (r.cooldown_ms, r.max_failed_executions) = (200, 6);
    let h = &mut w.cfg.strategy.hedge;
    (h.max_cost_ratio, h.max_margin_ratio, h.rehedge_turnover) = (Ratio::ONE, ratio("1000"), Ratio::ZERO);
    for paper in [&mut w.poly, &mut w.bybit] {
        paper.latency_ms = vec![5, 40, 300];
        (paper.mined_after_ms, paper.confirmed_after_ms) = (150, 400);
    }
    w.poly.failure_rate = ratio("0.3");
    w.taker_hold = Dur::from_millis(50);
    w
}

const WORDS: [VenueWord; 8] = [
    VenueWord::Normal,
    VenueWord::Normal,
    VenueWord::Restarting,
    VenueWord::CancelOnly,
    VenueWord::PostOnly,
    VenueWord::ClosedOnly,
    VenueWord::Banned,
    VenueWord::Normal,
];

fn market(m: u8) -> Mkt {
    [A, B, C, D][usize::from(m)]
}

fn px(hundredths: u8) -> String {
    format!("0.{:02}", hundredths.clamp(1, 99))
}

/// The acts as a script. Strikes of two hours, one hour (two of them) and a five-minute window around 80,000.
pub fn script(acts: &[(u16, Act)]) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "79,800", 7_200).above(B, "80,000", 3_600).above(C, "80,200", 3_600).updown(D, 0, "80000");
    for (wait, act) in acts {
        let now = s.now() + i64::from(*wait);
        s.at(now);
        one(&mut s, act, now);
    }
    let now = s.now();
    // Everything is answered, settled or failed; then all markets end.
    s.pong(now + 5_000);
    for (i, m) in [A, B, C, D].into_iter().enumerate() {
        s.at(now + 6_000).resolved(m, if i % 2 == 0 { m.first } else { m.second });
    }
    s.pong(now + 20_000);
    s
}

fn one(s: &mut Script, act: &Act, now: i64) {
    match act {
        Act::Book(m, ask, spread, bids, asks) => {
            let (ask, bid) = (px(*ask), px(ask.saturating_sub(*spread)));
            let (bids, asks) = (bids.to_string(), asks.to_string());
            s.book(market(*m), &[(bid.as_str(), bids.as_str())], &[(ask.as_str(), asks.as_str())]);
        }
        Act::Change(m, p, size, buy) => {
            let (p, size) = (px(*p), size.to_string());
            s.change(market(*m), &[(p.as_str(), size.as_str(), if *buy { "BUY" } else { "SELL" })]);
        }
        Act::Price(move_by) => {
            s.price(80_000 + i64::from(*move_by));
        }
        Act::Print(m, p, size, buy) => {
            s.print(market(*m), &px(*p), &size.to_string(), if *buy { "BUY" } else { "SELL" });
        }
        Act::Resolve(m, first) => {
            let m = market(*m);
            s.resolved(m, if *first { m.first } else { m.second });
        }
        Act::Kill => {
            s.operator(Operator::Kill { reason: "random".into() });
        }
        Act::Reset => {
            s.operator(Operator::Reset { reason: "polymarket and bybit are fine".into() });
        }
        Act::Pause(on) => {
            s.operator(if *on { Operator::Pause } else { Operator::Resume });
        }
        Act::Word(hedge, word) => {
            let venue = if *hedge { BYBIT } else { POLY };
            s.event(&Event::Venue { venue, word: WORDS[usize::from(*word)] });
        }
        Act::Ban(score) => {
            s.event(&Event::BanScore { venue: POLY, score: Ratio::from_bps(i32::from(*score) * 75) });
        }
        Act::Late(late) => {
            let took = Dur::from_millis(if *late { 9_000 } else { 20 });
            s.event(&Event::Health(Health::Latency { venue: POLY, endpoint: Endpoint::Cancel, took, ok: true }));
        }
        Act::Garbage(bytes) => {
            s.raw(MARKET, bytes);
        }
        Act::Repeat => {
            if let Some((_, feed, bytes)) = s.frames.last().cloned() {
                s.raw(feed, &bytes);
            }
        }
        Act::ClockBack => s.frames.push((ts(now - 3_000), MARKET, b"PONG".to_vec())),
        Act::Gap => {
            let frame = crate::frames::depth("delta", 1_000_000, now, &[("79000.0", "1")], &[]);
            s.raw(LINEAR, frame.as_bytes());
        }
        Act::Wait => {
            s.pong(now + 4_000);
        }
    }
}
