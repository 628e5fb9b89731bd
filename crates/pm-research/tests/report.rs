//! The report of a run, through the public door: fields and their order, the decision matrix at its boundaries, what people see.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use pm_core::event::{CashKind, CashMovement};
use pm_core::ids::{CurrencyId, VenueId};
use pm_core::num::LIMIT;
use pm_core::opportunity::{EvidenceClass, StrategyKind};
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_engine::{Stats, Tally};
use pm_ledger::{FeeHop, Ledger, PnlCause, Posting};
use pm_research::report::{Group, KillState, Money, Reason, Roi, Verdict};
use pm_research::{RunInputs, RunReport, render};
use proptest::prelude::*;

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn start() -> Ts {
    Ts::from_secs(1_780_876_800)
}

/// A run of two hours with three trades of two strategies.
fn stats() -> Stats {
    let tally = |trades, wins, hedged, net: &str| Tally { trades, wins, losses: trades - wins, hedged, net: usd(net) };
    Stats {
        events: 1_000,
        opportunities: 12,
        taken: 4,
        refused: BTreeMap::from([("no_edge", 5), ("over_budget", 3)]),
        total: tally(3, 2, 1, "0.9"),
        by_strategy: BTreeMap::from([
            (StrategyKind::CrossExchange, tally(2, 1, 1, "0.5")),
            (StrategyKind::SetArbitrage, tally(1, 1, 0, "0.4")),
        ]),
        by_class: BTreeMap::from([
            (EvidenceClass::VolModel, tally(2, 1, 1, "0.5")),
            (EvidenceClass::ModelFree, tally(1, 1, 0, "0.4")),
        ]),
        aborted: 1,
        expected_wins: "2.1".parse().unwrap(),
        held: Dur::from_secs(900),
        notional: usd("45"),
        orders: 6,
        resolved: 20,
        priced: 22,
        evaluated: 4_000,
        started: start(),
        hourly: vec![(494_688, usd("100"), Usd::ZERO), (494_689, usd("99"), Usd::ZERO)],
        ..Stats::default()
    }
}

fn money() -> Money {
    Money {
        start: usd("100"),
        realized: usd("0.9"),
        unrealized: usd("-0.25"),
        fees_total: usd("1.5"),
        fees_by_hop: vec![(FeeHop::PredictionTaker, usd("1.4")), (FeeHop::HedgeTaker, usd("0.1"))],
        pnl_by_cause: vec![(PnlCause::Settlement, usd("2.5")), (PnlCause::Hedge, usd("-0.1"))],
        pnl_by_class: vec![(EvidenceClass::VolModel, usd("0.5")), (EvidenceClass::ModelFree, usd("0.4"))],
        ..Money::default()
    }
}

fn inputs(stats: &Stats) -> RunInputs<'_> {
    RunInputs {
        seed: Some(7),
        drawdown: Ratio::from_raw(1_234_567),
        windows: 24,
        frames: 500,
        wall: Dur::from_millis(250),
        ended: start() + Dur::from_secs(7_200),
        decision_hash: "c0ffee".to_owned(),
        ..RunInputs::new("paper", "replay", stats, money())
    }
}

/// A run with this many trades and this result on 100.
fn judged(trades: u32, result: &str, change: impl Fn(&mut Stats, &mut RunInputsEdit)) -> (Verdict, Reason) {
    let mut stats = stats();
    stats.total.trades = trades;
    stats.taken = u64::from(trades);
    stats.aborted = 0;
    stats.refused.clear();
    let mut edit = RunInputsEdit::default();
    change(&mut stats, &mut edit);
    let inputs = RunInputs {
        bankroll_too_small: edit.too_small,
        kill: edit.kill,
        open_positions: edit.open,
        ..RunInputs::new("paper", "sim", &stats, Money { start: usd("100"), realized: usd(result), ..Money::default() })
    };
    let report = RunReport::build(inputs);
    (report.verdict, report.reason)
}

#[derive(Default)]
struct RunInputsEdit {
    too_small: bool,
    kill: KillState,
    open: u32,
}

#[test]
fn every_figure_by_hand() {
    let stats = stats();
    let report = RunReport::build(inputs(&stats));
    let json = serde_json::to_value(&report).unwrap();
    let expect = serde_json::json!({
        "mode": "paper", "source": "replay", "derived": false, "seed": 7,
        "bankroll_start": "100", "bankroll_end": "100.65", "net_pnl": "0.9", "unrealized_pnl": "-0.25", "fees_total": "1.5",
        "pnl_by_class": {"model_free": "0.4", "option_implied": "0", "vol_model": "0.5"},
        "opportunities": 12, "taken": 4, "refused_by_reason": {"no_edge": 5, "over_budget": 3},
        "trades": 3, "wins": 2, "losses": 1, "win_rate": 0.666667, "expected_win_rate": 0.7,
        "sharpe": null, "max_drawdown": 0.012346, "avg_trade_duration_s": 300.0, "net_edge_bps": 200.0,
        "open_positions": 0, "events": 1000, "frames": 500, "decode_errors": 0, "frames_per_s": 2000.0,
        "kill_switch": "armed", "decision_hash": "c0ffee", "verdict": "insufficient_trades", "reason": "short_run",
        "roi": 0.0065, "daily_roi": 0.078, "auto_resets": 0,
        "pnl_by_strategy": {"cross_exchange": "0.5", "set_arbitrage": "0.4"},
        "trades_by_strategy": {"cross_exchange": 2, "set_arbitrage": 1}, "hedged_trades": 1,
        "pnl_by_cause": {"hedge": "-0.1", "settlement": "2.5"}, "fees_by_hop": {"hedge_taker": "0.1", "prediction_taker": "1.4"},
        "aborted": 1, "failed_fills": 0, "windows": 24, "priced": 22, "resolved": 20, "evaluated": 4000, "transfers": "0",
        "span": {"from": "2026-06-08T00:00:00.000Z", "to": "2026-06-08T02:00:00.000Z", "seconds": 7200.0}, "wall_s": 0.25,
        "kill_switch_cause": null, "kill_switch_trips": 0, "offline": false, "run_id": null, "db": null,
        "warnings": ["3 trades prove nothing; the decision matrix asks for 100"],
    });
    for (field, value) in expect.as_object().unwrap() {
        assert_eq!(&json[field], value, "{field}");
    }
    assert_eq!(json.as_object().unwrap().len(), expect.as_object().unwrap().len(), "no field beyond these");
    assert_eq!(serde_json::from_value::<RunReport>(json).unwrap(), report, "a stored report can be read again");
}

#[test]
fn what_is_not_defined_is_null() {
    let empty = Stats::default();
    let json = serde_json::to_value(RunReport::build(RunInputs::new("paper", "sim", &empty, Money::default()))).unwrap();
    for field in [
        "seed",
        "win_rate",
        "expected_win_rate",
        "sharpe",
        "avg_trade_duration_s",
        "net_edge_bps",
        "frames_per_s",
        "roi",
        "daily_roi",
    ] {
        assert!(json[field].is_null(), "{field}: {}", json[field]);
    }
    assert_eq!((json["verdict"].as_str(), json["reason"].as_str()), (Some("insufficient_trades"), Some("no_data")));
}

#[test]
fn daily_roi_needs_an_hour() {
    let stats = stats();
    let daily = |ended: Dur| RunReport::build(RunInputs { ended: start() + ended, ..inputs(&stats) }).daily_roi;
    assert_eq!(daily(Dur::from_millis(3_599_999)), None);
    assert_eq!(daily(Dur::from_secs(3_600)), Some(0.156), "0.0065 * 24");
}

#[test]
fn the_larger_of_hourly_and_seen_drawdown_counts() {
    let stats = stats();
    let fall = |seen: &str| RunReport::build(RunInputs { drawdown: seen.parse().unwrap(), ..inputs(&stats) }).max_drawdown;
    assert_eq!(fall("0"), 0.01, "100 to 99");
    assert_eq!(fall("0.03"), 0.03);
}

#[test]
fn the_decision_matrix_at_its_boundaries() {
    let row = |trades, result: &str| judged(trades, result, |_, _| {});
    assert_eq!(row(99, "30"), (Verdict::InsufficientTrades, Reason::ShortRun));
    assert_eq!(row(100, "-0.00000001"), (Verdict::BackToResearch, Reason::None));
    assert_eq!(row(100, "0").0, Verdict::Refine, "exactly 0 % is not below");
    assert_eq!(row(100, "4.99999999").0, Verdict::Refine);
    assert_eq!(row(100, "5").0, Verdict::Scale, "exactly 5 %");
    assert_eq!(row(100, "24.99999999").0, Verdict::Scale);
    assert_eq!(row(100, "25").0, Verdict::ReadyForLive, "exactly 25 %");
    assert_eq!(row(100, "-30").0, Verdict::BackToResearch);
}

#[test]
fn boundaries_hold_for_amounts_that_no_float_can_tell_apart() {
    // 5 % of 90,000,000,000.00000001 is not a whole number of units: one unit below and above.
    let capital = Usd::from_raw(9_000_000_000_000_000_001);
    let five = Usd::from_raw(450_000_000_000_000_000);
    assert_eq!(Roi { result: five, capital }.row(), Verdict::Refine);
    assert_eq!(Roi { result: five + Usd::from_raw(1), capital }.row(), Verdict::Scale);
    assert_eq!(Roi { result: Usd::ONE, capital: Usd::ZERO }.row(), Verdict::BackToResearch, "no capital, no return");
}

#[test]
fn too_small_a_bankroll_is_said_only_when_nothing_was_opened() {
    let verdict = |trades, taken, aborted, open| {
        judged(trades, "0", |s, e| {
            (s.taken, s.aborted) = (taken, aborted);
            (e.too_small, e.open) = (true, open);
        })
    };
    assert_eq!(verdict(0, 0, 0, 0), (Verdict::BankrollTooSmall, Reason::Limits));
    assert_eq!(verdict(0, 2, 2, 0).0, Verdict::BankrollTooSmall, "entries that found nothing opened nothing");
    assert_eq!(verdict(0, 1, 0, 1).0, Verdict::InsufficientTrades, "something is open: it could trade");
    assert_eq!(verdict(1, 1, 0, 0).0, Verdict::InsufficientTrades);
    assert_eq!(judged(0, "0", |_, _| {}).0, Verdict::InsufficientTrades, "without the flag");
}

#[test]
fn reasons() {
    let of = |taken, refused: &[(&'static str, u64)]| {
        let refused: BTreeMap<&'static str, u64> = refused.iter().copied().collect();
        judged(0, "0", move |s, _| (s.taken, s.refused) = (taken, refused.clone())).1
    };
    assert_eq!(of(0, &[("no_edge", 5), ("below_min_edge", 4), ("over_budget", 8)]), Reason::NoEdge, "groups count, not codes");
    assert_eq!(of(0, &[("no_edge", 5), ("over_budget", 3), ("below_min_qty", 3)]), Reason::Limits);
    assert_eq!(of(0, &[("no_edge", 5), ("over_budget", 5)]), Reason::Limits, "of equal groups, what the operator can change");
    assert_eq!(of(0, &[("hedge_price_stale", 9), ("no_edge", 5)]), Reason::Data);
    assert_eq!(of(0, &[("kill_switch", 9), ("no_edge", 5)]), Reason::KillSwitch);
    assert_eq!(of(0, &[]), Reason::NoEdge, "priced, and no candidate at all");
    assert_eq!(of(3, &[("no_edge", 5)]), Reason::ShortRun, "some did survive");
    let aborted = |s: &mut Stats, _: &mut RunInputsEdit| (s.taken, s.aborted, s.refused) = (3, 3, [("no_edge", 5)].into());
    assert_eq!(judged(0, "0", aborted).1, Reason::NoEdge, "entries that found nothing survived nothing");
    assert_eq!(of(0, &[("too_close_to_end", 5)]), Reason::ShortRun, "timing is nobody's fault");
    assert_eq!(judged(0, "0", |s, _| s.priced = 0).1, Reason::NotPriced);
    assert_eq!(judged(0, "0", |s, _| s.events = 0).1, Reason::NoData);
    let tripped = |e: &mut RunInputsEdit| e.kill = KillState::Tripped { cause: "daily loss".to_owned() };
    assert_eq!(judged(0, "0", |_, e| tripped(e)).1, Reason::KillSwitch);
    assert_eq!(judged(100, "-3", |_, e| tripped(e)), (Verdict::BackToResearch, Reason::KillSwitch));
}

#[test]
fn groups_follow_the_codes_that_refusals_really_have() {
    let (qty, money) = (Qty::ZERO, Usd::ZERO);
    let cases = [
        (Refusal::OverBudget { clip: Clip::DayLoss, limit: money, would_be: money }, Group::Limits),
        (Refusal::BelowMinQty { size: qty, min: qty, clip: Clip::Cash }, Group::Limits),
        (Refusal::BelowMinNotional { value: money, min: money, clip: Clip::Cash }, Group::Limits),
        (Refusal::TooManyOpen { open: 1, limit: 1 }, Group::Limits),
        (Refusal::KillSwitch, Group::KillSwitch),
        (Refusal::NoEdge { net: money }, Group::Edge),
        (Refusal::BelowMinEdge { edge: Ratio::ZERO, min: Ratio::ZERO }, Group::Edge),
        (Refusal::KellyZero, Group::Edge),
        (Refusal::RuleNotUnderstood, Group::Data),
        (Refusal::StrikeNotFixed, Group::Data),
        (Refusal::NoUnderlying, Group::Data),
        (Refusal::SettlementFeedMissing, Group::Data),
        (Refusal::ReferenceStale { age: Dur::ZERO }, Group::Data),
        (Refusal::HedgePriceStale, Group::Data),
        (Refusal::BookNotSynced, Group::Data),
        (Refusal::BookStale { age: Dur::ZERO }, Group::Data),
        (Refusal::WarmingUp, Group::Data),
        (Refusal::SizesUnknown, Group::Data),
        (Refusal::ClockUncertain, Group::Data),
        (Refusal::TooCloseToEnd { left: Dur::ZERO }, Group::Other),
        (Refusal::AlreadyOpen, Group::Other),
        (Refusal::CoolingDown, Group::Other),
        (Refusal::PriceOffGrid { px: Px::ZERO, tick: Px::ZERO }, Group::Other),
    ];
    for (refusal, group) in cases {
        assert_eq!(Group::of(refusal.code()), group, "{}", refusal.code());
    }
}

#[test]
fn money_is_read_from_the_ledger_and_adds_up() {
    let (venue, currency) = (VenueId(0), CurrencyId(0));
    let mut ledger = Ledger::new();
    let capital = |amount: &str| Posting::Capital { venue, currency, amount: usd(amount), at: start() };
    ledger.post(capital("10")).unwrap();
    ledger.post(capital("5")).unwrap();
    let fee = CashMovement { venue, currency, amount: usd("-0.3"), kind: CashKind::TransferFee, at: start() };
    ledger.post(Posting::Movement { movement: &fee, structure: None, class: None }).unwrap();
    let money = Money::of(&ledger, usd("10"), usd("-0.2"));
    assert_eq!((money.transfers, money.realized, money.fees_total), (usd("5"), usd("-0.3"), usd("0.3")));
    assert_eq!(money.end(), usd("14.5"));
    assert_eq!(money.end(), ledger.cash_total() + money.unrealized);
    assert!(money.fees_by_hop.contains(&(FeeHop::Transfer, usd("0.3"))));
    assert_eq!(money.roi(), Roi { result: usd("-0.5"), capital: usd("15") }, "a deposit is capital");
    let withdrawn = Money { transfers: usd("-5"), ..money };
    assert_eq!(withdrawn.roi().capital, usd("10"), "a withdrawal does not make the same result look larger");
    let text = RunReport::build(RunInputs::new("paper", "sim", &stats(), withdrawn)).to_string();
    assert!(text.contains("of no class"), "{text}");
}

#[test]
fn people_see_what_the_run_was_first() {
    let stats = stats();
    let loud = RunReport::build(RunInputs {
        offline: true,
        derived: true,
        decode_errors: 3,
        kill: KillState::Tripped { cause: "daily loss 2.1 % of 100".to_owned() },
        db: Some("sqlite:x.db".to_owned()),
        ..inputs(&stats)
    });
    let text = render(&loud, false);
    println!("{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "MODE    paper");
    assert_eq!(lines[1], "SOURCE  replay - OFFLINE: A SIMULATED MARKET, NOT A REAL ONE");
    assert!(lines[2].contains("DERIVED DATA"));
    for part in [
        "> insufficient_trades",
        "reason: kill_switch",
        "WARNING 3 frames could not be decoded",
        "tripped: daily loss 2.1 % of 100",
        "prediction_taker",
        "over_budget",
        "cross_exchange",
        "settlement",
        "-$0.25",
        "STORE   sqlite:x.db",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.lines().filter(|l| l.trim_start().starts_with("> ")).count(), 1, "one row of the matrix applies");
    assert!(!text.contains('\u{1b}') && !text.contains("$-"));
    let coloured = render(&loud, true);
    assert!(coloured.contains("\u{1b}[1;33mSOURCE"));
    let plain: String = coloured
        .split('\u{1b}')
        .map(|s| s.split_once('m').map_or(s, |(code, rest)| if code.starts_with('[') { rest } else { s }))
        .collect();
    assert_eq!(plain, text, "colours change nothing else");
    let quiet = RunReport::build(inputs(&stats)).to_string();
    assert!(!quiet.contains("DERIVED") && !quiet.contains("OFFLINE"));
}

proptest! {
    /// Whatever an engine counts: a report, valid JSON, bankroll adds up, one verdict.
    #[test]
    fn any_counts_make_a_report(
        raw in proptest::collection::vec(-LIMIT / 4..LIMIT / 4, 8), n in proptest::collection::vec(any::<u32>(), 4), big in any::<u64>(),
    ) {
        let stats = Stats {
            events: big, taken: big, opportunities: big, aborted: u64::from(n[3]),
            total: Tally { trades: n[0], wins: n[1], losses: n[2], hedged: n[3], net: Usd::from_raw(raw[0]) },
            expected_wins: Px::from_raw(raw[1]), held: Dur::from_nanos(raw[2]), notional: Usd::from_raw(raw[3]),
            started: Ts::from_nanos(raw[4]), hourly: vec![(raw[5], Usd::from_raw(raw[6]), Usd::from_raw(raw[7]))],
            ..Stats::default()
        };
        let money = Money { start: Usd::from_raw(raw[6]), realized: Usd::from_raw(raw[0]), ..Money::default() };
        let report = RunReport::build(RunInputs { frames: big, wall: Dur::from_nanos(raw[7]), ended: Ts::from_nanos(raw[1]), ..RunInputs::new("paper", "sim", &stats, money) });
        let text = serde_json::to_string(&report).unwrap();
        let again: RunReport = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(again.bankroll_end, report.bankroll_end);
        prop_assert_eq!(again.verdict, report.verdict);
        prop_assert!((0.0..=1.0).contains(&report.max_drawdown));
        prop_assert!(!render(&report, true).is_empty());
    }
}
