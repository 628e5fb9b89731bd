//! Each trigger of the kill switch through the engine, once at its limit and once just past it, and what follows from a trip, in order.
//!
//! Where a mark decides: 1,000 Yes without fees at 0.50 = 500; capital 2,000.

use pm_core::event::{Endpoint, Event, Health, Operator, VenueWord};
use pm_core::order::{OrderState, OrderUpdate, Purpose, Side};
use pm_core::record::Record;
use pm_core::refusal::VenueRefusal;
use pm_core::time::Dur;
use pm_core::units::{Qty, Ratio};

use crate::frames::{self, A, B, C, D, Terms};
use crate::script::{self, Script, ts};
use crate::world::{BYBIT, Outcome, POLY, Said, World, px, qty, ratio, usd};

#[track_caller]
fn tripped(out: &Outcome, trigger: &str) {
    let kills = out.kills();
    assert_eq!(kills.len(), 1, "{kills:?}");
    assert!(kills[0].tripped && kills[0].cause.starts_with(trigger), "{}", kills[0].cause);
    assert_eq!(out.core.engine.stats().trips, 1);
    assert!(out.core.engine.risk().tripped().is_some());
}

#[track_caller]
fn calm(out: &Outcome) {
    assert!(out.kills().is_empty(), "{:?}", out.kills());
}

fn wide() -> World {
    let mut w = World::default().capital("1500", "500");
    let r = &mut w.cfg.risk;
    (r.max_daily_loss, r.max_weekly_loss, r.max_structure_loss) = (Ratio::ONE, Ratio::ONE, Ratio::ONE);
    w
}

/// 1,000 Yes are bought at 0.50 without fees; then the book stands at `bid` and `ask`.
fn marked_at(bid: &str, ask: &str) -> Script {
    let free = Terms { fees: false, tick: "0.001", ..Terms::default() };
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).gamma(&frames::gamma_above(A, "76,000", 3_600, &free));
    s.at(10_000).book(A, &[("0.499", "1000")], &[("0.500", "1000")]);
    s.at(12_000).book(A, &[(bid, "1000")], &[(ask, "1000")]);
    s.pong(13_000);
    s
}

#[test]
fn loss_of_one_structure_above_five_percent() {
    let mut w = wide();
    w.cfg.risk.max_structure_loss = ratio("0.05");
    // Mark 0.40: 1,000 * 0.10 = 100 = 5 % of 2,000: borne.
    calm(&w.play(&marked_at("0.399", "0.401")));
    // Mark 0.3995: 100.5.
    tripped(&w.play(&marked_at("0.399", "0.400")), "structure_loss");
}

#[test]
fn loss_of_the_day_above_two_percent() {
    let mut w = wide();
    (w.cfg.risk.max_daily_loss, w.cfg.risk.max_structure_loss) = (ratio("0.02"), ratio("0.05"));
    // Half of 40 may be used by the entry: it uses 0.5 (half the spread). Mark 0.46: 40 lost: borne.
    calm(&w.play(&marked_at("0.459", "0.461")));
    // Mark 0.4595: 40.5.
    tripped(&w.play(&marked_at("0.459", "0.460")), "daily_loss");
}

#[test]
fn a_one_sided_book_marks_at_the_side_that_exists() {
    let mut w = wide();
    w.cfg.risk.max_daily_loss = ratio("0.02");
    calm(&w.play(&{
        let mut s = marked_at("0.461", "0.463");
        s.at(13_000).change(A, &[("0.463", "0", "SELL")]);
        s.pong(14_000);
        s
    }));
    tripped(
        &w.play(&{
            let mut s = marked_at("0.459", "0.463");
            // With both sides the mark is 0.461; the bid alone is 0.459.
            s.at(13_000).change(A, &[("0.463", "0", "SELL")]);
            s.pong(14_000);
            s
        }),
        "daily_loss",
    );
}

/// Four strikes, each bought at its time; the venue lets every settlement fail, six seconds after the answer.
fn failing(times: [i64; 4]) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600).above(B, "75,000", 3_600).above(C, "74,000", 3_600).above(D, "73,000", 3_600);
    for (m, at) in [A, B, C, D].into_iter().zip(times) {
        s.at(at).price(80_000);
        s.book(m, &[("0.58", "5")], &[("0.60", "5")]);
        s.at(at + 50).change(m, &[("0.60", "0", "SELL")]);
    }
    s.pong(times[3] + 10_000);
    s
}

#[test]
fn more_than_three_failed_executions_in_ten_minutes() {
    let mut w = World::default();
    w.poly.failure_rate = Ratio::ONE;
    // The first fails at 16.080 s, the fourth exactly 600 s later: four within the window.
    let out = w.play(&failing([10_000, 60_000, 120_000, 610_000]));
    tripped(&out, "failed_executions");
    assert_eq!(out.core.engine.stats().failed_fills, 4);
    // A millisecond later the first no longer counts.
    let out = w.play(&failing([10_000, 60_000, 120_000, 610_001]));
    calm(&out);
    assert_eq!(out.core.engine.stats().failed_fills, 4);
    // Three are borne.
    let mut s = failing([10_000, 60_000, 120_000, 610_000]);
    s.frames.truncate(s.frames.len() - 6);
    calm(&w.play(&s));
    assert_eq!(out.cash(), (usd("1000"), usd("1000")), "every fill was reversed to the last unit");
}

#[test]
fn an_unfilled_order_is_no_failed_execution() {
    let mut s = failing([10_000, 20_000, 30_000, 40_000]);
    // All asks are gone before the orders arrive.
    for frame in s.frames.iter_mut().filter(|f| f.1 == script::MARKET && f.0.millis() % 1_000 == 50) {
        frame.0 = ts(frame.0.millis() - frames::millis(0) - 30);
    }
    let out = World::default().play(&s);
    assert_eq!(out.core.engine.stats().aborted, 4);
    calm(&out);
}

#[test]
fn latency_above_five_seconds() {
    let took =
        |ms| Event::Health(Health::Latency { venue: POLY, endpoint: Endpoint::Query, took: Dur::from_millis(ms), ok: true });
    for (ms, samples, trips) in [(5_000, 20, false), (5_001, 4, false), (5_001, 5, true)] {
        let mut s = Script::new();
        s.at(1_000);
        for i in 0..samples {
            s.at(1_000 + i * 100).event(&took(ms));
        }
        s.pong(10_000);
        let out = World::default().play(&s);
        if trips { tripped(&out, "latency") } else { calm(&out) }
    }
}

#[test]
fn ban_score_above_the_threshold() {
    for (score, trips) in [("0.7", false), ("0.70000001", true)] {
        let mut s = Script::new();
        s.at(1_000).event(&Event::BanScore { venue: POLY, score: ratio(score) });
        s.pong(2_000);
        let out = World::default().play(&s);
        if trips { tripped(&out, "ban_score") } else { calm(&out) }
    }
}

#[test]
fn every_no_of_a_venue_and_no_other_word() {
    use VenueWord as W;
    for (word, code) in [
        (W::Banned, "venue_banned"),
        (W::ClosedOnly, "venue_closed_only"),
        (W::Geoblocked, "venue_geoblocked"),
        (W::Compliance, "venue_compliance"),
    ] {
        let mut s = Script::new();
        s.at(1_000).event(&Event::Venue { venue: BYBIT, word });
        s.pong(2_000);
        let out = World::default().play(&s);
        tripped(&out, code);
        assert_eq!(out.kills()[0].closed_venues, [BYBIT], "the venue is marked closed");
    }
    for word in [W::Normal, W::CancelOnly, W::PostOnly, W::Restarting] {
        let mut s = Script::new();
        s.at(1_000).event(&Event::Venue { venue: BYBIT, word });
        s.pong(2_000);
        calm(&World::default().play(&s));
    }
}

#[test]
fn a_ban_in_a_real_answer_trips() {
    let mut s = Script::new();
    s.at(1_000).raw(script::REST, br#"{"retCode":10008,"retMsg":"User has been banned","result":{},"retExtInfo":{},"time":1}"#);
    s.pong(2_000);
    let out = World::default().play(&s);
    tripped(&out, "venue_banned");
    assert_eq!(out.core.counts.errors, 1, "the refusal itself is an error with its text");
}

#[test]
fn an_order_refused_as_restricted_closes_the_venue_that_refused_it() {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    let refused = OrderUpdate {
        intent: pm_core::ids::IntentId(1),
        state: OrderState::Refused,
        filled: Qty::ZERO,
        reason: Some(VenueRefusal::Restricted),
        at: ts(10_010),
    };
    s.at(10_010).event(&Event::Order(refused));
    s.pong(10_020);
    let out = World::default().play(&s);
    tripped(&out, "venue_closed_only");
    assert_eq!(out.kills()[0].closed_venues, [POLY]);
}

/// A is bought at 0.60 and bid at 0.80 since: closing it gains. B is bought at 0.60 and bid at 0.40: closing it loses.
fn one_winner_one_loser() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600).above(B, "75,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(11_000).book(B, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(20_000).book(A, &[("0.80", "150")], &[("0.82", "100")]);
    s.at(20_000).book(B, &[("0.40", "100")], &[("0.62", "100")]);
    s
}

#[test]
fn after_a_trip_in_order_record_cancel_unwind_alert() {
    let mut s = one_winner_one_loser();
    s.at(21_000).operator(Operator::Kill { reason: "enough".into() });
    // A bargain that must not be taken any more.
    s.at(21_500).change(A, &[("0.61", "100", "SELL")]);
    s.at(22_000).above(C, "74,000", 3_600);
    s.at(22_100).book(C, &[("0.48", "100")], &[("0.50", "100")]);
    s.at(3_660_000).resolved(A, A.first).resolved(B, B.first);
    s.pong(3_661_000);
    let mut w = World::default();
    w.cfg.risk.max_daily_loss = ratio("0.05");
    let out = w.play(&s);
    tripped(&out, "manual: enough");

    let at = |found: &dyn Fn(&Said) -> bool| out.log.iter().position(found).unwrap();
    let kill = at(&|s| matches!(s, Said::Kill(_)));
    let after: Vec<String> = out.log[kill..]
        .iter()
        .filter_map(|s| match s {
            Said::Kill(_) => Some("record".to_owned()),
            Said::CancelAll(v) => Some(format!("cancel all on {v}")),
            Said::Submit(_, o) => Some(format!("{:?} {} {} @ {}", o.purpose, o.side.as_str(), o.qty, o.limit)),
            Said::Record(Record::RiskEvent(r)) => Some(format!("risk event {}", r.kind)),
            Said::Alert(a) => Some(format!("alert {}", a.severity.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        after,
        ["record", "cancel all on 0", "cancel all on 1", "Reduce sell 100 @ 0.8", "risk event manual", "alert critical"],
        "and no order for the bargain"
    );
    assert_eq!(out.refused("kill_switch"), 2, "the bargain in A, and C");
    // A: 60 + 1.68 paid; sold at 0.80: 80 less 100 * 0.07 * 0.8 * 0.2 = 1.12. Result 17.2.
    // B: kept, wins: 100 - 60 - 1.68 = 38.32. Cash 1,000 + 17.2 + 38.32.
    assert_eq!(out.fill_words()[2], "sell 100 @ 0.8 fee 1.12");
    out.settled("1055.52", "1000");
    let nets: Vec<_> = out.core.engine.stats().by_class.values().map(|t| (t.trades, t.wins, t.net)).collect();
    assert_eq!(nets, [(2, 2, usd("55.52"))]);
}

#[test]
fn a_hedged_structure_is_unwound_with_both_legs_or_not_at_all() {
    // 52 Yes of 80,000 at 0.30, 0.034 sold at 79,999.9 (see `hedges`). At 20 s Yes is bid at 0.50: +10.4 before fees. The perpetual is
    // asked at 80,000.1 (both legs together gain) or at 80,400.1 (the hedge loses 13.6: together a loss, nothing is closed).
    // With the prediction venue in cancel-only mode its leg cannot leave: the hedge stays, too.
    for (ask, word, unwound) in
        [("80000.1", VenueWord::Normal, true), ("80400.1", VenueWord::Normal, false), ("80000.1", VenueWord::CancelOnly, false)]
    {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).above(A, "80,000", 7_200);
        s.at(9_950).price(80_000);
        s.at(10_000).book(A, &[("0.28", "52")], &[("0.30", "52")]);
        s.at(20_000).book(A, &[("0.50", "52")], &[("0.52", "52")]);
        s.at(20_000).perp(&[("79999.9", "50")], &[(ask, "50")]);
        s.at(20_400).event(&Event::Venue { venue: POLY, word });
        s.at(20_500).operator(Operator::Kill { reason: "test".into() });
        s.pong(30_000);
        let mut w = wide();
        (w.cfg.model.vol_floor_annual, w.cfg.model.vol_cap_annual) = (ratio("0.5"), ratio("0.5"));
        (w.cfg.model.max_hedge_age, w.cfg.model.max_reference_age) = (Dur::from_secs(3), Dur::from_secs(10));
        w.cfg.model.clock_error_ms = 0;
        let h = &mut w.cfg.strategy.hedge;
        (h.max_cost_ratio, h.max_margin_ratio, h.exit_over) = (Ratio::ONE, ratio("1000"), Dur::ZERO);
        let out = w.play(&s);
        let reduces: Vec<_> = out
            .orders()
            .into_iter()
            .filter(|o| o.purpose == Purpose::Reduce)
            .map(|o| (o.venue, o.side, o.qty, o.limit))
            .collect();
        if unwound {
            assert_eq!(reduces, [(POLY, Side::Sell, qty("52"), px("0.5")), (BYBIT, Side::Buy, qty("0.034"), px("80000.1"))]);
            // Yes: -15.6 - 0.7644 + 26 - 52 * 0.07 * 0.25 (0.91) = 8.7256. Hedge: -0.0068 - 1.49599813 - 1.49600187 = -2.9988.
            out.settled("1508.7256", "497.0012");
        } else {
            assert!(reduces.is_empty(), "{reduces:?}");
            assert_eq!(out.core.engine.open_structures(), 1);
        }
    }
}

#[test]
fn a_trip_ends_at_midnight_only_where_a_replay_asks_for_it_and_never_an_operators() {
    let slow = Event::Health(Health::Latency { venue: POLY, endpoint: Endpoint::Query, took: Dur::from_millis(5_001), ok: true });
    for (auto, by_hand, resets) in [(false, false, 0), (true, false, 1), (true, true, 0)] {
        let mut s = Script::new();
        for i in 0..5 {
            s.at(28_780_000 + i * 100).event(&slow);
        }
        if by_hand {
            s.at(28_790_000).operator(Operator::Kill { reason: "stop for good".into() });
        }
        s.pong(28_799_000).pong(28_801_000);
        let mut w = World::default();
        w.cfg.engine.auto_reset = auto;
        let out = w.play(&s);
        assert_eq!(out.core.engine.stats().auto_resets, resets, "auto {auto}, by hand {by_hand}");
        assert_eq!(out.core.engine.risk().tripped().is_some(), resets == 0);
        if by_hand {
            let last = out.kills().last().unwrap().clone();
            assert!(
                last.tripped && last.cause.starts_with("manual: stop for good"),
                "the operator's word stands: {}",
                last.cause
            );
        }
    }
}

#[test]
fn a_ban_that_comes_while_tripped_is_recorded_and_told() {
    let mut s = Script::new();
    s.at(1_000).operator(Operator::Kill { reason: "first".into() });
    s.at(2_000).event(&Event::Venue { venue: BYBIT, word: VenueWord::Banned });
    s.pong(3_000);
    let out = World::default().play(&s);
    let last = out.kills().last().unwrap().clone();
    assert!(last.tripped && last.cause.starts_with("manual"), "{}", last.cause);
    assert_eq!(last.closed_venues, [BYBIT]);
    assert_eq!(out.log.iter().filter(|s| matches!(s, Said::Alert(_))).count(), 2);
}

/// Entries in four markets, one after the other; the venue refuses the orders of these ids for a reason that should not occur.
fn refusing(ids: &[pm_core::ids::IntentId]) -> Outcome {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600).above(B, "75,000", 3_600).above(C, "74,000", 3_600).above(D, "73,000", 3_600);
    for (n, m) in (0_i64..).zip([A, B, C, D]) {
        let at = 10_000 + n * 10_000;
        s.at(at).price(80_000);
        s.book(m, &[("0.58", "5")], &[("0.60", "5")]);
        if let Some(intent) = usize::try_from(n).ok().and_then(|n| ids.get(n)) {
            let (state, reason) = (OrderState::Refused, Some(VenueRefusal::Balance));
            s.at(at + 10).event(&Event::Order(OrderUpdate {
                intent: *intent,
                state,
                filled: Qty::ZERO,
                reason,
                at: ts(at + 10),
            }));
        }
    }
    s.pong(60_000);
    let mut w = World::default();
    // Nothing is tried again in a market meanwhile.
    w.cfg.risk.cooldown_ms = 600_000;
    w.play(&s)
}

#[test]
fn three_unexpected_refusals_are_borne_and_a_fourth_trips() {
    // An id is spent by an order that a gate holds back, too: each next one is read off the run so far.
    let mut ids = Vec::new();
    for n in 0..4 {
        let out = refusing(&ids);
        calm(&out);
        ids.push(out.entries()[n].id);
    }
    let out = refusing(&ids);
    tripped(&out, "failed_executions");
    assert_eq!(out.entries().len(), 4);
}
