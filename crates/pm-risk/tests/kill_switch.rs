//! Each trigger once just inside and once just outside; the switch's way there and back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::command::KillRecord;
use pm_core::event::{Endpoint, VenueWord};
use pm_core::ids::StructureId;
use pm_core::refusal::{Refusal, VenueRefusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Ratio, Usd};
use pm_risk::{FailedExecution, ResetError, Risk, RiskConfig, Trigger};
use proptest::prelude::*;

const S: StructureId = StructureId(3);

#[test]
fn a_structure_may_lose_its_limit_and_not_a_unit_more() {
    let mut risk = risk("100");
    assert_eq!(risk.on_structure_mark(NOON, S, usd("-5")), None);
    let trip = risk.on_structure_mark(after(1), S, usd("-5.00000001")).unwrap();
    assert_eq!((trip.trigger, trip.at), (Trigger::StructureLoss, after(1)));
    assert!(trip.text.contains("structure 3") && trip.text.contains("5.00000001"), "{}", trip.text);
    assert_eq!(risk.tripped(), Some(&trip));
    assert_eq!(risk.on_structure_mark(after(2), S, usd("-50")), None, "tripped once");
}

#[test]
fn the_limit_of_a_structure_does_not_shrink_with_its_own_loss() {
    // All of the 5 % is lost: equity is 95, and 5 % of that is less than what was lost.
    let mut risk = risk_with(RiskConfig { max_daily_loss: ratio("0.5"), ..RiskConfig::default() }, "100");
    assert_eq!(risk.on_equity(after(1), usd("95"), Usd::ZERO), None);
    assert_eq!(risk.on_structure_mark(after(1), S, usd("-5")), None);
}

#[test]
fn the_day_may_lose_its_limit_and_not_a_unit_more() {
    let mut risk = risk("1000");
    assert_eq!(risk.on_equity(after(1), usd("980"), Usd::ZERO), None);
    let trip = risk.on_equity(after(2), usd("979.99999999"), Usd::ZERO).unwrap();
    assert_eq!(trip.trigger, Trigger::DailyLoss);
    assert_eq!(risk.on_equity(after(3), usd("900"), Usd::ZERO), None, "tripped once");
}

#[test]
fn gains_of_the_day_are_given_back_before_the_limit_counts() {
    let mut risk = risk("1000");
    assert_eq!(risk.on_equity(after(1), usd("1100"), Usd::ZERO), None);
    assert_eq!(risk.on_equity(after(2), usd("980"), Usd::ZERO), None);
    assert!(risk.on_equity(after(3), usd("979.99"), Usd::ZERO).is_some());
}

#[test]
fn transfers_are_not_pnl() {
    let mut risk = risk("1000");
    assert_eq!(risk.on_equity(after(1), usd("400"), usd("-600")), None, "600 were taken out");
    assert_eq!(risk.day().loss, Usd::ZERO);
    // The limit now refers to the 400 that are left: 8.
    assert_eq!(risk.on_equity(after(2), usd("392"), usd("-600")), None);
    assert!(risk.on_equity(after(3), usd("391.99"), usd("-600")).is_some());

    let mut risk = common::risk("1000");
    assert_eq!(risk.on_equity(after(1), usd("6000"), usd("5000")), None);
    // A deposit raises the limit from the next day on: still 20.
    assert_eq!(risk.on_equity(after(2), usd("5980"), usd("5000")), None);
    assert!(risk.on_equity(after(3), usd("5979.99"), usd("5000")).is_some());
}

#[test]
fn the_fourth_failed_execution_in_ten_minutes_trips() {
    let mut risk = risk("100");
    for (i, what) in
        [FailedExecution::Unknown, FailedExecution::Refused(VenueRefusal::Other), FailedExecution::Hedge].into_iter().enumerate()
    {
        assert_eq!(risk.on_failed_execution(after(i64::try_from(i).unwrap()), what), None, "{what:?}");
    }
    let trip = risk.on_failed_execution(after(600), FailedExecution::Settlement).unwrap();
    assert_eq!(trip.trigger, Trigger::FailedExecutions, "the first one is exactly ten minutes old");

    let mut risk = common::risk("100");
    for s in [0, 1, 2] {
        assert_eq!(risk.on_failed_execution(after(s), FailedExecution::Unknown), None);
    }
    let late = after(600) + Dur::from_nanos(1);
    assert_eq!(risk.on_failed_execution(late, FailedExecution::Unknown), None, "the first one is older than ten minutes");
    assert!(risk.on_failed_execution(late, FailedExecution::Unknown).is_some());
}

#[test]
fn normal_refusals_are_not_failures() {
    let mut risk = risk("100");
    for normal in [VenueRefusal::NotFilled, VenueRefusal::WouldCross, VenueRefusal::Mode] {
        for _ in 0..10 {
            assert_eq!(risk.on_failed_execution(NOON, FailedExecution::Refused(normal)), None);
        }
    }
}

fn latency(risk: &mut Risk, at: i64, ms: i64, ok: bool) -> Option<Trigger> {
    risk.on_latency(after(at), HEDGE, Endpoint::Submit, Dur::from_millis(ms), ok).map(|t| t.trigger)
}

#[test]
fn latency_trips_on_the_median_over_enough_samples() {
    // Exactly at the limit is not late, however often.
    let mut risk = risk("100");
    for i in 0..50 {
        assert_eq!(latency(&mut risk, i, 5_000, true), None);
    }
    // Four late samples say nothing yet, the fifth does.
    let mut risk = common::risk("100");
    for i in 0..4 {
        assert_eq!(latency(&mut risk, i, 5_001, true), None, "sample {i}");
    }
    assert_eq!(latency(&mut risk, 4, 5_001, true), Some(Trigger::Latency));
    // Half of the samples late: the median is not.
    let mut risk = common::risk("100");
    for i in 0..20 {
        assert_eq!(latency(&mut risk, i, if i % 2 == 0 { 100 } else { 60_000 }, true), None, "sample {i}");
    }
    assert_eq!(latency(&mut risk, 20, 60_000, true), Some(Trigger::Latency), "11 of the last 20");
}

#[test]
fn a_single_slow_sample_never_trips_and_endpoints_do_not_mix() {
    let mut risk = risk_with(RiskConfig { latency_min_samples: 2, ..RiskConfig::default() }, "100");
    for (venue, endpoint) in [(HEDGE, Endpoint::Submit), (HEDGE, Endpoint::Query), (PREDICTION, Endpoint::Submit)] {
        assert_eq!(risk.on_latency(NOON, venue, endpoint, Dur::from_secs(90), true), None);
    }
    // Yesterday's sample does not help today's.
    assert_eq!(risk.on_latency(after(601), HEDGE, Endpoint::Submit, Dur::from_secs(90), true), None);
    assert!(risk.on_latency(after(602), HEDGE, Endpoint::Submit, Dur::from_secs(90), true).is_some());
}

#[test]
fn a_timeout_is_late_and_a_refused_connection_is_not() {
    let mut risk = risk("100");
    for i in 0..20 {
        assert_eq!(latency(&mut risk, i, 4_999, false), None);
    }
    for i in 20..24 {
        assert_eq!(latency(&mut risk, i, 5_000, false), None);
    }
    assert_eq!(latency(&mut risk, 24, 5_000, false), Some(Trigger::Latency));
}

#[test]
fn the_ban_score_trips_above_its_threshold() {
    let mut risk = risk("100");
    assert_eq!(risk.on_ban_score(NOON, HEDGE, ratio("0.7")), None);
    assert_eq!(risk.on_ban_score(NOON, HEDGE, ratio("0.70000001")).unwrap().trigger, Trigger::BanScore);
}

#[test]
fn a_venues_no_trips_at_once_and_its_modes_do_not() {
    for word in [VenueWord::Normal, VenueWord::CancelOnly, VenueWord::PostOnly, VenueWord::Restarting] {
        let mut risk = risk("100");
        assert_eq!(risk.on_venue_word(NOON, HEDGE, word), None);
        assert_eq!(risk.closed_venues().count(), 0);
        let expected = if word == VenueWord::Normal { Ok(()) } else { Err(Refusal::VenueMode) };
        assert_eq!(risk.may_increase_risk(HEDGE), expected, "{word:?}");
        assert_eq!(risk.may_increase_risk(PREDICTION), Ok(()), "{word:?}");
    }
    for word in [VenueWord::Banned, VenueWord::ClosedOnly, VenueWord::Geoblocked, VenueWord::Compliance] {
        let mut risk = risk("100");
        assert_eq!(risk.on_venue_word(NOON, HEDGE, word).unwrap().trigger, Trigger::VenueNo(word));
        assert_eq!(risk.closed_venues().collect::<Vec<_>>(), [HEDGE]);
        assert_eq!(risk.may_increase_risk(PREDICTION), Err(Refusal::KillSwitch), "the whole switch");
    }
}

#[test]
fn a_no_while_tripped_still_closes_the_venue_past_the_reset() {
    let mut risk = risk("100");
    risk.name_venue(HEDGE, "Hedgehog");
    assert_eq!(risk.kill(NOON, "lunch").unwrap().trigger, Trigger::Manual);
    assert_eq!(risk.on_venue_word(after(1), HEDGE, VenueWord::Geoblocked), None, "already tripped");
    assert_eq!(risk.on_venue_word(after(1), HEDGE, VenueWord::Normal), None, "a later word does not open it");
    risk.reset(after(2), "back from lunch").unwrap();
    assert_eq!(risk.may_increase_risk(PREDICTION), Ok(()));
    assert_eq!(risk.may_increase_risk(HEDGE), Err(Refusal::VenueSaysNo));
    // Said again after the reset, it trips again.
    assert!(risk.on_venue_word(after(3), HEDGE, VenueWord::Geoblocked).is_some());
    risk.reset(after(4), "hedgehogs are nice").unwrap();
    assert_eq!(risk.may_increase_risk(HEDGE), Err(Refusal::VenueSaysNo), "only the whole name");
    risk.reset(after(5), "support of hedgehog: block lifted").unwrap();
    assert_eq!(risk.may_increase_risk(HEDGE), Ok(()));
}

#[test]
fn a_reset_needs_a_reason() {
    let mut risk = risk("100");
    risk.kill(NOON, "");
    assert_eq!(risk.reset(after(1), "  "), Err(ResetError::NoReason));
    assert!(risk.tripped().is_some());
    assert_eq!(risk.reset(after(1), "tested"), Ok(()));
    assert_eq!(risk.tripped(), None);
    assert_eq!(&*risk.record(after(9)).cause, "reset: tested");
}

#[test]
fn a_reset_forgets_failures_and_latency_but_not_the_day() {
    let mut risk = risk("1000");
    for s in 0..4 {
        risk.on_failed_execution(after(s), FailedExecution::Unknown);
    }
    for i in 0..5 {
        latency(&mut risk, i, 9_000, true);
    }
    risk.reset(after(10), "restarted the router").unwrap();
    assert_eq!(risk.on_failed_execution(after(11), FailedExecution::Unknown), None);
    assert_eq!(latency(&mut risk, 11, 9_000, true), None);
    assert!(risk.on_equity(after(12), usd("970"), Usd::ZERO).is_some());
    risk.reset(after(13), "I know").unwrap();
    assert!(risk.on_equity(after(14), usd("970"), Usd::ZERO).is_some(), "the limit still stands");
}

#[test]
fn switched_off_the_automatic_triggers_are_silent_and_people_and_venues_are_not() {
    let off = RiskConfig { kill_switch_enabled: false, ..RiskConfig::default() };
    let mut risk = risk_with(off.clone(), "100");
    assert_eq!(risk.on_equity(after(1), usd("50"), Usd::ZERO), None);
    assert_eq!(risk.on_structure_mark(after(1), S, usd("-50")), None);
    assert_eq!(risk.on_ban_score(after(1), HEDGE, Ratio::ONE), None);
    for s in 0..9 {
        assert_eq!(risk.on_failed_execution(after(s), FailedExecution::Unknown), None);
        assert_eq!(latency(&mut risk, s, 9_000, true), None);
    }
    assert!(risk.kill(after(2), "by hand").is_some());
    let mut risk = risk_with(off, "100");
    assert!(risk.on_venue_word(after(1), HEDGE, VenueWord::Banned).is_some());
}

#[test]
fn the_switch_survives_a_restart_by_its_record() {
    let mut risk = risk("100");
    risk.on_venue_word(after(5), PREDICTION, VenueWord::ClosedOnly);
    let record = risk.record(after(9));
    assert_eq!((record.tripped, record.at, &*record.closed_venues), (true, after(5), &[PREDICTION][..]));
    let mut again = Risk::new(RiskConfig::default());
    again.restore(&record);
    assert_eq!(again.tripped(), risk.tripped());
    assert_eq!(again.record(after(99)), record);
    assert_eq!(again.may_increase_risk(HEDGE), Err(Refusal::KillSwitch));
    // Written from another terminal: any text.
    let foreign = KillRecord { tripped: true, cause: "going on holiday".into(), at: NOON, closed_venues: vec![] };
    let mut other = common::risk("100");
    other.restore(&foreign);
    let trip = other.tripped().unwrap();
    assert_eq!((trip.trigger, &*trip.text), (Trigger::Manual, "going on holiday"));
    // A record that is not tripped opens nothing.
    again.restore(&KillRecord { tripped: false, cause: "".into(), at: after(100), closed_venues: vec![] });
    assert!(again.tripped().is_some());
    assert_eq!(again.closed_venues().collect::<Vec<_>>(), [PREDICTION]);
    assert!(!common::risk("1").record(NOON).tripped);
}

#[test]
fn codes_are_distinct_and_lead_back() {
    for trigger in Trigger::ALL {
        assert_eq!(Trigger::from_code(trigger.code()), trigger);
    }
}

#[derive(Debug, Clone)]
enum Happening {
    Equity(i64, i64),
    Mark(i64),
    Failed,
    Slow(bool),
    Score(i64),
    Word(VenueWord),
    Kill,
    Pause(bool),
    Restore(bool),
    Realized(i64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let word = prop::sample::select(vec![
        VenueWord::Banned,
        VenueWord::ClosedOnly,
        VenueWord::Geoblocked,
        VenueWord::Compliance,
        VenueWord::Normal,
        VenueWord::CancelOnly,
        VenueWord::PostOnly,
        VenueWord::Restarting,
    ]);
    prop_oneof![
        (-1_000_000_000_i64..20_000_000_000, -1_000_000_000_i64..1_000_000_000).prop_map(|(e, t)| Happening::Equity(e, t)),
        (-2_000_000_000_i64..2_000_000_000).prop_map(Happening::Mark),
        Just(Happening::Failed),
        any::<bool>().prop_map(Happening::Slow),
        (0_i64..=100_000_000).prop_map(Happening::Score),
        word.prop_map(Happening::Word),
        Just(Happening::Kill),
        any::<bool>().prop_map(Happening::Pause),
        any::<bool>().prop_map(Happening::Restore),
        (-1_000_000_000_i64..1_000_000_000).prop_map(Happening::Realized),
    ]
}

proptest! {
    /// Invariant 4, the switch's half: nothing but a reset un-trips it, and it reports a trip exactly when it trips.
    #[test]
    fn nothing_but_a_reset_un_trips(happenings in prop::collection::vec((happening(), 0_i64..200_000), 1..80)) {
        let mut risk = risk("100");
        let mut now = NOON;
        for (what, seconds) in happenings {
            now = now + Dur::from_secs(seconds);
            let before = risk.tripped().cloned();
            let closed: Vec<_> = risk.closed_venues().collect();
            let trip = step(&mut risk, now, &what);
            let restored = matches!(what, Happening::Restore(true));
            match (&before, risk.tripped()) {
                // What only a person ends takes the place of what a replay may end by itself, and says so; nothing else changes a trip.
                (Some(was), Some(is)) if trip.is_some() => {
                    prop_assert!(is.trigger.needs_a_person() && !was.trigger.needs_a_person(), "{:?}", what);
                    prop_assert_eq!(trip.as_ref(), Some(is));
                }
                (Some(was), is) => prop_assert_eq!(is, Some(was), "{:?}", what),
                (None, Some(is)) => prop_assert!(restored || trip.as_ref() == Some(is), "{:?}", what),
                (None, None) => prop_assert_eq!(trip, None),
            }
            if risk.tripped().is_some() {
                prop_assert_eq!(risk.may_increase_risk(PREDICTION), Err(Refusal::KillSwitch));
                prop_assert!(risk.record(now).tripped);
            }
            prop_assert!(closed.into_iter().all(|v| risk.closed_venues().any(|c| c == v)), "a closed venue opened by {:?}", what);
        }
    }
}

fn step(risk: &mut Risk, now: Ts, what: &Happening) -> Option<pm_risk::Trip> {
    match *what {
        Happening::Equity(equity, moved) => risk.on_equity(now, Usd::from_raw(equity), Usd::from_raw(moved)),
        Happening::Mark(pnl) => risk.on_structure_mark(now, S, Usd::from_raw(pnl)),
        Happening::Failed => risk.on_failed_execution(now, FailedExecution::Unknown),
        Happening::Slow(ok) => risk.on_latency(now, HEDGE, Endpoint::Query, Dur::from_secs(6), ok),
        Happening::Score(raw) => risk.on_ban_score(now, HEDGE, Ratio::from_raw(raw)),
        Happening::Word(word) => risk.on_venue_word(now, HEDGE, word),
        Happening::Kill => risk.kill(now, "by hand"),
        Happening::Pause(on) => {
            if on {
                risk.pause();
            } else {
                risk.resume();
            }
            None
        }
        Happening::Restore(tripped) => {
            risk.restore(&KillRecord { tripped, cause: "manual: elsewhere".into(), at: now, closed_venues: vec![] });
            None
        }
        Happening::Realized(raw) => {
            risk.on_realized(now, Usd::from_raw(raw));
            None
        }
    }
}
