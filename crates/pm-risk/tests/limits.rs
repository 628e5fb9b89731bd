//! Each clip once just inside and once just outside; days, weeks, drawdowns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::budget::{LossBasis, Measures};
use pm_core::num::Round;
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Qty, Ratio, Usd};
use pm_risk::{Exposure, Risk, RiskConfig};
use proptest::prelude::*;

/// Only the limit under test binds: the others are wide open.
fn wide(basis: LossBasis) -> RiskConfig {
    RiskConfig {
        loss_basis: basis,
        bankroll_share: Ratio::ONE,
        max_daily_loss: Ratio::ONE,
        max_structure_loss: Ratio::ONE,
        max_weekly_loss: Ratio::ONE,
        market_share: Ratio::ONE,
        expiry_share: Ratio::ONE,
        underlying_share: Ratio::ONE,
        ..RiskConfig::default()
    }
}

type Setting = fn(&mut RiskConfig);
type Open = fn(&mut Exposure);

/// (clip, setting, what is open, room of a bankroll of 1000)
const CLIPS: &[(Clip, Setting, Open, &str)] = &[
    (Clip::BankrollShare, |c| c.bankroll_share = ratio("0.25"), |_| {}, "250"),
    (Clip::Cash, |_| {}, |x| x.cash = usd("77.5"), "77.5"),
    (Clip::StructureLoss, |c| c.max_structure_loss = ratio("0.05"), |_| {}, "50"),
    (Clip::DayLoss, |c| c.max_daily_loss = ratio("0.02"), |x| x.open_worst_loss = usd("5"), "15"),
    (Clip::WeekLoss, |c| c.max_weekly_loss = ratio("0.05"), |x| x.open_worst_loss = usd("5"), "45"),
    (Clip::Market, |c| c.market_share = ratio("0.25"), |x| x.market_notional = usd("50"), "200"),
    (Clip::Expiry, |c| c.expiry_share = ratio("0.3"), |x| x.expiry_notional = usd("100"), "200"),
    (Clip::Underlying, |c| c.underlying_share = ratio("0.5"), |x| x.underlying_notional = usd("100"), "400"),
];

#[test]
fn each_clip_holds_just_inside_and_refuses_just_outside() {
    for (clip, setting, open, room) in CLIPS {
        let mut cfg = wide(LossBasis::WorstCase);
        setting(&mut cfg);
        let risk = risk_with(cfg, "1000");
        let mut x = exposure("1000");
        open(&mut x);
        let budget = risk.budget(&x);
        assert_eq!(budget.verify(&measures(room)), Ok(()), "inside: {clip}");
        let more = usd(room) + Usd::from_raw(1);
        let refused = Refusal::OverBudget { clip: *clip, limit: usd(room), would_be: more };
        assert_eq!(budget.verify(&measures(&more.to_string())), Err(refused), "outside: {clip}");
        // Sizing stops at the same place: one share costs one.
        assert_eq!(budget.largest(Qty::whole(10_000), Qty::ONE, &measures("1")), (room.parse().unwrap(), *clip));
        assert_eq!(budget.largest(room.parse().unwrap(), Qty::ONE, &measures("1")), (room.parse().unwrap(), Clip::None));
    }
}

#[test]
fn the_worst_case_room_of_a_day_is_what_is_open_and_what_is_lost() {
    let mut risk = risk_with(worst_case(), "1000");
    let mut x = exposure("1000");
    assert_eq!(risk.budget(&x).day_loss, usd("20"));
    x.open_worst_loss = usd("8");
    assert_eq!(risk.budget(&x).day_loss, usd("12"));
    // Without a word on what was realised, a marked loss counts and a marked gain does not.
    risk.on_equity(after(1), usd("997"), Usd::ZERO);
    assert_eq!(risk.budget(&x).day_loss, usd("9"));
    risk.on_equity(after(2), usd("1003"), Usd::ZERO);
    assert_eq!(risk.budget(&x).day_loss, usd("12"));
    // With it, what is open counts once, by its worst loss, and realised gains widen the room.
    risk.on_realized(after(3), Usd::ZERO);
    risk.on_equity(after(3), usd("997"), Usd::ZERO);
    assert_eq!(risk.budget(&x).day_loss, usd("12"));
    risk.on_realized(after(4), usd("-8"));
    x.open_worst_loss = Usd::ZERO;
    assert_eq!(risk.budget(&x).day_loss, usd("12"), "the 8 were lost: nothing changed");
    risk.on_realized(after(5), usd("2"));
    assert_eq!(risk.budget(&x).day_loss, usd("22"));
    assert_eq!(risk.budget(&x).week_loss, usd("52"));
}

#[test]
fn a_position_carried_over_midnight_may_also_lose_the_gain_that_the_day_opened_with() {
    let mut risk = risk_with(worst_case(), "1000");
    risk.on_realized(NOON, Usd::ZERO);
    // 10 at cost, marked at 13 at midnight: the day opens with 1003 and may lose 13 by it.
    risk.on_equity(after(40_000), usd("1003"), Usd::ZERO);
    risk.on_equity(after(43_200), usd("1003"), Usd::ZERO);
    assert_eq!(risk.day().open_bankroll, usd("1003"));
    let mut x = exposure("1003");
    x.open_worst_loss = usd("10");
    assert_eq!(risk.budget(&x).day_loss, usd("7.06"), "20.06 - 10 - 3");
    // It is lost.
    risk.on_realized(after(43_300), usd("-10"));
    risk.on_equity(after(43_300), usd("990"), Usd::ZERO);
    x.open_worst_loss = Usd::ZERO;
    assert_eq!(risk.budget(&x).day_loss, usd("7.06"));
    assert_eq!(risk.day().loss, usd("13"));
}

#[test]
fn marked_uses_half_of_what_is_left() {
    let mut risk = risk("1000");
    let x = exposure("1000");
    let budget = risk.budget(&x);
    assert_eq!((budget.structure_loss, budget.day_loss, budget.week_loss), (usd("25"), usd("10"), usd("25")));
    risk.on_equity(after(1), usd("988"), Usd::ZERO);
    let mut x = exposure("988");
    x.open_worst_loss = usd("500");
    let budget = risk.budget(&x);
    assert_eq!(
        (budget.day_loss, budget.week_loss),
        (usd("4"), usd("19")),
        "(20 - 12) / 2, (50 - 12) / 2; worst loss does not matter"
    );
    assert_eq!(budget.structure_loss, usd("24.7"));
    let inside = Measures { entry_mark: usd("4"), worst_loss: usd("200"), ..Measures::default() };
    assert_eq!(budget.verify(&inside), Ok(()));
    let outside = Measures { entry_mark: usd("4.00000001"), ..inside };
    assert!(matches!(budget.verify(&outside), Err(Refusal::OverBudget { clip: Clip::DayLoss, .. })));
}

#[test]
fn a_loss_sized_to_the_worst_case_limit_does_not_trip() {
    let mut risk = risk_with(worst_case(), "1000");
    let room = risk.budget(&exposure("1000")).day_loss;
    assert_eq!(risk.on_structure_mark(after(1), pm_core::ids::StructureId(1), -room), None);
    assert_eq!(risk.on_equity(after(1), usd("1000") - room, Usd::ZERO), None);
    assert_eq!(risk.budget(&exposure("980")).day_loss, Usd::ZERO, "and nothing more may be lost today");
}

#[test]
fn a_bankroll_of_nothing_has_no_room() {
    for basis in [LossBasis::WorstCase, LossBasis::Marked] {
        let risk = Risk::new(RiskConfig { loss_basis: basis, ..RiskConfig::default() });
        let mut x = exposure("0");
        x.bankroll = usd("-3");
        let budget = risk.budget(&x);
        assert_eq!(budget.largest(Qty::whole(5), Qty::ONE, &measures("0.01")).0, Qty::ZERO);
        assert!(budget.verify(&measures("0.00000001")).is_err());
    }
}

const MIDNIGHT: Ts = Ts::from_secs(1_781_136_000);

#[test]
fn a_day_ends_at_midnight_utc() {
    let instant = Dur::from_nanos(1);
    for (at, day_loss) in [(MIDNIGHT - instant, "15"), (MIDNIGHT, "0")] {
        let mut risk = risk("1000");
        risk.on_equity(after(100), usd("985"), Usd::ZERO);
        assert_eq!(risk.on_equity(at, usd("985"), Usd::ZERO), None);
        assert_eq!(risk.day().loss, usd(day_loss), "{at}");
    }
    // The new day opens with the last equity before it: what happens over midnight is its loss.
    let mut risk = risk("1000");
    risk.on_equity(after(100), usd("985"), Usd::ZERO);
    assert_eq!(risk.on_equity(MIDNIGHT, usd("970"), Usd::ZERO), None, "15 of the 19.70 that the day may lose");
    let day = risk.day();
    assert_eq!((day.open_bankroll, day.loss, day.room), (usd("985"), usd("15"), usd("4.7")));
    assert!(risk.on_equity(MIDNIGHT + instant, usd("965.29"), Usd::ZERO).is_some());
    // A clock that goes back does not bring yesterday back.
    risk.on_equity(NOON, usd("965.29"), Usd::ZERO);
    assert_eq!(risk.day().open_bankroll, usd("985"));
}

#[test]
fn a_week_ends_on_monday() {
    // 2026-06-15 is the Monday after NOON.
    let monday = Ts::from_secs(1_781_481_600);
    for (at, room) in [(monday - Dur::from_nanos(1), "20"), (monday, "48.5")] {
        let mut risk = risk_with(worst_case(), "1000");
        risk.on_equity(after(100), usd("985"), Usd::ZERO);
        risk.on_equity(after(86_400), usd("970"), Usd::ZERO);
        risk.on_equity(at, usd("970"), Usd::ZERO);
        let mut x = exposure("970");
        assert_eq!(risk.budget(&x).week_loss, usd(room), "{at}");
        // Past the week's limit nothing new is opened, and nothing trips.
        x.open_worst_loss = usd(room);
        assert_eq!(risk.budget(&x).week_loss, Usd::ZERO);
        assert_eq!(risk.tripped(), None);
    }
}

#[test]
fn a_restart_does_not_forgive_the_day() {
    let mut risk = risk("1000");
    risk.on_equity(after(1), usd("985"), Usd::ZERO);
    let mut again = Risk::new(RiskConfig::default());
    again.restore_periods(risk.periods());
    assert_eq!(again.on_equity(after(50), usd("980"), Usd::ZERO), None);
    assert!(again.on_equity(after(51), usd("979"), Usd::ZERO).is_some());
    let kept: pm_risk::Periods = serde_json::from_str(&serde_json::to_string(&risk.periods()).unwrap()).unwrap();
    assert_eq!(kept, risk.periods());
}

#[test]
fn the_first_equity_above_zero_opens_the_day() {
    let mut risk = Risk::new(RiskConfig::default());
    assert_eq!(risk.on_equity(NOON, Usd::ZERO, Usd::ZERO), None);
    assert_eq!(risk.on_equity(after(1), usd("100"), usd("100")), None);
    assert_eq!(risk.day().open_bankroll, usd("100"));
    assert_eq!(risk.on_equity(after(2), usd("98"), usd("100")), None);
    assert!(risk.on_equity(after(3), usd("97.99"), usd("100")).is_some());
}

#[test]
fn drawdowns_of_trade_day_week_and_run() {
    let mut risk = risk_with(wide(LossBasis::Marked), "1000");
    risk.on_structure_mark(after(1), pm_core::ids::StructureId(1), usd("-30"));
    risk.on_structure_mark(after(2), pm_core::ids::StructureId(1), usd("10"));
    for (s, equity) in [(1, "1100"), (2, "1045"), (3, "1090")] {
        risk.on_equity(after(s), usd(equity), Usd::ZERO);
    }
    let d = risk.drawdown();
    assert_eq!((d.trade, d.day, d.week, d.max), (ratio("0.03"), ratio("0.055"), ratio("0.055"), ratio("0.05")));
    // Withdrawing is no drawdown.
    risk.on_equity(after(4), usd("590"), usd("-500"));
    assert_eq!(risk.drawdown(), d);
    // The next day starts anew; the week and the run go on: from 1100 down to 1090 - 90 = 1000 without transfers.
    risk.on_equity(after(86_400), usd("500"), usd("-500"));
    let d = risk.drawdown();
    assert_eq!(d.day, Usd::whole(90).ratio_of(usd("590"), Round::Up).unwrap());
    assert_eq!(d.week, ratio("0.1"));
    assert_eq!(
        d.max,
        Usd::whole(100).ratio_of(usd("600"), Round::Up).unwrap(),
        "of the 600 that the high is worth after the withdrawal"
    );
}

proptest! {
    /// Section 7: what sizing takes, the gates verify, and in the worst case neither loss trigger trips.
    #[test]
    fn the_worst_of_any_sized_trades_never_trips(
        bankroll in 1_000_000_000_i64..100_000_000_000_000,
        trades in prop::collection::vec((1_000_000_i64..=99_000_000, 1_i64..1_000_000_000_000, any::<bool>()), 1..20),
    ) {
        let start = Usd::from_raw(bankroll);
        let mut risk = risk_with(worst_case(), &start.to_string());
        risk.on_realized(NOON, Usd::ZERO);
        let (mut realized, mut now) = (Usd::ZERO, NOON);
        for (px, wanted, lost) in trades {
            now = now + Dur::from_secs(1);
            let x = Exposure { bankroll: start + realized, cash: start + realized, ..exposure("0") };
            let px = Usd::from_raw(px);
            let unit = Measures { notional: px, outlay: px, worst_loss: px, entry_mark: Usd::ZERO };
            let budget = risk.budget(&x);
            let (qty, _) = budget.largest(Qty::from_raw(wanted), Qty::ONE, &unit);
            let cost = qty.at(pm_core::units::Px::from_raw(px.raw()), Round::Up);
            let whole = Measures { notional: cost, outlay: cost, worst_loss: cost, entry_mark: Usd::ZERO };
            prop_assert_eq!(budget.verify(&whole), Ok(()));
            let result = if lost { -cost } else { Usd::from_raw(qty.raw()) - cost };
            realized += result;
            prop_assert_eq!(risk.on_structure_mark(now, pm_core::ids::StructureId(1), result), None);
            risk.on_realized(now, realized);
            prop_assert_eq!(risk.on_equity(now, start + realized, Usd::ZERO), None);
        }
    }
}

/// A structure that settles late may use a quarter of the day's limit together with others of its kind; windows may use what is left.
#[test]
fn late_structures_leave_room_for_windows() {
    let risk = risk_with(worst_case(), "1000");
    let day = |long_dated, open: &str, late: &str| {
        let x = Exposure { long_dated, open_worst_loss: usd(open), long_dated_worst_loss: usd(late), ..exposure("1000") };
        risk.budget(&x).day_loss
    };
    // 2 % of 1000 is 20: a late structure sees 5 minus what is late already, a window all that is left.
    assert_eq!(day(true, "0", "0"), usd("5"));
    assert_eq!(day(true, "7", "3"), usd("2"));
    assert_eq!(day(true, "18", "2"), usd("2"), "never more than what is left of the whole limit");
    assert_eq!(day(false, "7", "6"), usd("13"));
}
