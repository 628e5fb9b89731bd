//! Cross-exchange candidates, waterfall, sizes and hedges, by hand and by property.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::book::{Book, BookFlags, BookLoss, Level};
use pm_core::budget::{Budget, LossBasis};
use pm_core::ids::MarketIdx;
use pm_core::market::{Market, Outcome};
use pm_core::num::Round;
use pm_core::opportunity::{Band, Candidate, EvidenceClass, Hedge, LegPlan, Legs, NoHedge, StrategyKind};
use pm_core::order::Side;
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_strategy::{Fair, NotSized, Sized, Snap, StrategyConfig, cross_exchange, size, waterfall};
use proptest::prelude::*;

const NOW: Ts = Ts::from_secs(START + 60);

/// Costs that a hand computation leaves out are off.
fn plain() -> StrategyConfig {
    StrategyConfig {
        latency: Dur::ZERO,
        settlement_failure_rate: Ratio::ZERO,
        loss_concentration: Ratio::ONE,
        ..StrategyConfig::default()
    }
}

fn window() -> Market {
    market(0, up_down(START, 300, twap(60)))
}

fn two_levels() -> Book {
    book(&[("0.48", "100")], &[("0.52", "30"), ("0.50", "20")])
}

fn scan(cfg: &StrategyConfig, market: &Market, book: &Book, fair: Fair) -> Option<Candidate> {
    cross_exchange::scan(cfg, NOW, &Snap { market, book, fair: Ok(fair) }, None)
}

#[allow(clippy::result_large_err, reason = "as the function under test")]
fn sized(cfg: &StrategyConfig, market: &Market, book: &Book, fair: Fair, budget: &Budget) -> Result<Sized, NotSized> {
    let candidate = scan(cfg, market, book, fair).unwrap();
    let books = |_: MarketIdx| Some((market, book));
    size(cfg, NOW, &candidate, Some(&fair), budget, &books, None)
}

/// A budget in which nothing binds.
fn open(bankroll: i32) -> Budget {
    let all = Usd::MAX;
    Budget {
        bankroll_share: all,
        cash: all,
        structure_loss: all,
        day_loss: all,
        week_loss: all,
        market: all,
        expiry: all,
        underlying: all,
        ..budget(bankroll)
    }
}

#[test]
fn proposes_the_better_side_or_nothing() {
    let (market, book) = (window(), two_levels());
    let up = scan(&plain(), &market, &book, fair("0.58", "0.60", "0.62")).unwrap();
    let leg = *up.legs.first().unwrap();
    assert_eq!(
        (leg.outcome, leg.side, leg.limit, up.implied, up.floor),
        (Outcome::First, Side::Buy, d("0.5"), d("0.6"), Px::ZERO)
    );
    assert_eq!((up.strategy, up.class), (StrategyKind::CrossExchange, EvidenceClass::VolModel));
    assert_eq!(up.hedge, Hedge::None(NoHedge::ShortWindow));
    // Down costs 1 - 0.48 = 0.52 and is worth 1 - 0.40 = 0.60.
    let down = scan(&plain(), &market, &book, fair("0.38", "0.40", "0.43")).unwrap();
    let leg = *down.legs.first().unwrap();
    assert_eq!((leg.outcome, leg.limit, down.fair.lo), (Outcome::Second, d("0.52"), d("0.57")));
    // The touch must beat the best estimate by more than 50 bps.
    assert!(scan(&plain(), &market, &book, fair("0.4", "0.505", "0.6")).is_none());
    assert!(scan(&plain(), &market, &book, fair("0.4", "0.50500001", "0.6")).is_some());
    let snap = Snap { market: &market, book: &book, fair: Err(Refusal::WarmingUp) };
    assert!(cross_exchange::scan(&plain(), NOW, &snap, None).is_none());
}

#[test]
fn waterfall_by_hand() {
    let (market, book, fair) = (window(), two_levels(), fair("0.58", "0.60", "0.62"));
    let books = |_: MarketIdx| Some((&market, &book));
    let cfg = plain();
    let c = scan(&cfg, &market, &book, fair).unwrap();
    // 5 at 0.50: 2.50; fee 5 * 0.07 * 0.25 = 0.0875; gross 3.00 - 2.50; margin 5 * 0.02.
    let w = waterfall(&cfg, NOW, &c, d("5"), &books, Some(&fair), None).unwrap();
    assert_eq!((w.notional, w.taker_fee, w.gross, w.model_margin), (d("2.5"), d("0.0875"), d("0.5"), d("0.1")));
    assert_eq!((w.net(), w.outlay()), (d("0.3125"), d("2.5875")));
    // 25: 20 at 0.50 and 5 at 0.52 = 12.60; fees 0.35 + 0.08736; gross 15 - 12.6; margin 0.5.
    let w = waterfall(&cfg, NOW, &c, d("25"), &books, Some(&fair), None).unwrap();
    assert_eq!((w.notional, w.taker_fee, w.gross, w.net()), (d("12.6"), d("0.43736"), d("2.4"), d("1.46264")));
    // Latency 100 ms + hold 150 ms: 0.002 * sqrt(0.25) * 0.79788456 = 0.00079788456 -> 0.00079789 a share that is filled, 5 of them.
    let cfg =
        StrategyConfig { latency: Dur::from_millis(100), gas_per_leg: d("0.01"), settlement_failure_rate: d("0.02"), ..plain() };
    let slow = Market { taker_hold: Dur::from_millis(150), ..window() };
    let books = |_: MarketIdx| Some((&slow, &book));
    let w = waterfall(&cfg, NOW, &c, d("5"), &books, Some(&fair), None).unwrap();
    assert_eq!((w.slippage, w.gas), (d("0.00398945"), d("0.01")));
    // 2 % of (0.5 + 2 * 0.0875).
    assert_eq!(w.settlement_failure, d("0.0135"));
    assert_eq!(w.net(), d("0.28501055"));
    // More than the book holds.
    let err = waterfall(&cfg, NOW, &c, d("51"), &books, Some(&fair), None).unwrap_err();
    assert_eq!(err, Refusal::BelowMinQty { size: d("50"), min: d("51"), clip: Clip::Depth });
}

#[test]
fn size_by_hand_under_the_days_loss_limit() {
    // Bankroll 1,000: 2 % = 20.00 may be lost. 20 at 0.50 with fee 0.35 are 10.35; 17.95 at 0.52 are 9.334 + 0.31362: 19.99762.
    // One more hundredth: 9.3392 + 0.31379 + 10.35 = 20.00299.
    let (market, book) = (window(), two_levels());
    let s = sized(&plain(), &market, &book, fair("0.58", "0.60", "0.62"), &budget(1_000)).unwrap();
    assert_eq!((s.qty, s.clip), (d("37.95"), Clip::DayLoss));
    assert_eq!((s.measures.worst_loss, s.measures.outlay, s.measures.notional), (d("19.99762"), d("19.99762"), d("19.334")));
    // Mid of the book is 0.49: 19.99762 - 37.95 * 0.49 = 1.40212.
    assert_eq!(s.measures.entry_mark, d("1.40212"));
    let leg = *s.legs.first().unwrap();
    assert_eq!((leg.limit, leg.average), (d("0.52"), d("0.50945982")));
}

#[test]
fn full_kelly_by_hand() {
    // All-in cost 0.5175 a share, conservative probability 0.58, bankroll 100: f = 0.0625 / 0.4825 = 0.129533; 12.9533 / 0.5175 = 25.03.
    let market = window();
    let deep = book(&[("0.48", "100")], &[("0.50", "1000")]);
    let s = sized(&plain(), &market, &deep, fair("0.58", "0.60", "0.62"), &open(100)).unwrap();
    assert_eq!((s.qty, s.clip), (d("25.03"), Clip::None));
    assert!((s.kelly.raw() - 12_953_367).abs() < 100, "{}", s.kelly);
}

#[test]
fn each_clip_just_inside_and_just_outside() {
    let market = window();
    let deep = book(&[("0.48", "100")], &[("0.50", "1000")]);
    let cfg = plain();
    // 20 shares cost 10.00 and 0.35 of fees; the mid of 0.49 shows 0.55 of it as lost. Kelly alone would take far more.
    let strong = fair("0.9", "0.92", "0.95");
    type Set = fn(&mut Budget, Usd);
    let cases: [(Clip, &str, Set); 8] = [
        (Clip::BankrollShare, "10", |b, v| b.bankroll_share = v),
        (Clip::Cash, "10.35", |b, v| b.cash = v),
        (Clip::StructureLoss, "10.35", |b, v| b.structure_loss = v),
        (Clip::DayLoss, "10.35", |b, v| b.day_loss = v),
        (Clip::WeekLoss, "10.35", |b, v| b.week_loss = v),
        (Clip::Market, "10", |b, v| b.market = v),
        (Clip::Expiry, "10", |b, v| b.expiry = v),
        (Clip::Underlying, "10", |b, v| b.underlying = v),
    ];
    for (clip, room, set) in cases {
        let mut budget = open(1_000);
        set(&mut budget, d(room));
        let inside = sized(&cfg, &market, &deep, strong, &budget).unwrap();
        assert_eq!((inside.qty, inside.clip), (d("20"), clip));
        set(&mut budget, d::<Usd>(room) - Usd::from_raw(1));
        let outside = sized(&cfg, &market, &deep, strong, &budget).unwrap();
        assert_eq!((outside.qty, outside.clip), (d("19.99"), clip));
        // Below the smallest order there is no size, and the limit is named.
        set(&mut budget, d("2.4"));
        let refused = sized(&cfg, &market, &deep, strong, &budget).unwrap_err();
        assert!(matches!(refused.refusal, Refusal::BelowMinQty { clip: c, .. } if c == clip), "{refused:?}");
        assert_eq!(refused.at_minimum.unwrap().qty, d("5"));
    }
    let mut marked = Budget { basis: LossBasis::Marked, ..open(1_000) };
    marked.day_loss = d("0.55");
    let s = sized(&cfg, &market, &deep, strong, &marked).unwrap();
    assert_eq!((s.qty, s.clip, s.measures.entry_mark), (d("20"), Clip::DayLoss, d("0.55")));
    // Depth: all 50 shares have an edge; with 0.535 conservative only those at 0.50 (0.5175 all in) have, not those at 0.52 (0.5375).
    let s = sized(&cfg, &market, &two_levels(), strong, &open(1_000)).unwrap();
    assert_eq!((s.qty, s.clip), (d("50"), Clip::Depth));
    let s = sized(&cfg, &market, &two_levels(), fair("0.535", "0.6", "0.7"), &open(100_000)).unwrap();
    assert_eq!((s.qty, s.clip), (d("20"), Clip::Depth));
}

#[test]
fn typed_refusals_before_any_size() {
    let (market, book) = (window(), two_levels());
    let good = fair("0.58", "0.60", "0.62");
    let refusal = |cfg: &StrategyConfig, market: &Market, book: &Book, fair| {
        sized(cfg, market, book, fair, &open(1_000)).unwrap_err().refusal
    };
    let mut off = plain();
    off.strategies.cross_exchange = false;
    assert_eq!(refusal(&off, &market, &book, good), Refusal::StrategyOff);
    let mut off = plain();
    off.classes.vol_model = false;
    assert_eq!(refusal(&off, &market, &book, good), Refusal::ClassOff);
    let shut = Market { accepting: false, ..window() };
    assert_eq!(refusal(&plain(), &shut, &book, good), Refusal::NotAccepting);
    let ending = Market { closes_at: NOW + Dur::from_millis(4_999), ..window() };
    assert_eq!(refusal(&plain(), &ending, &book, good), Refusal::TooCloseToEnd { left: Dur::from_millis(4_999) });
    let just = Market { closes_at: NOW + Dur::from_secs(5), ..window() };
    assert!(sized(&plain(), &just, &book, good, &open(1_000)).is_ok());
    // 5 at 0.50 with lo 0.5175: exactly nothing is left.
    let err = sized(&plain(), &market, &book, fair("0.5175", "0.60", "0.62"), &open(1_000)).unwrap_err();
    assert_eq!(err.refusal, Refusal::NoEdge { net: Usd::ZERO });
    assert_eq!(err.at_minimum.unwrap().waterfall.taker_fee, d("0.0875"), "the refused one keeps its waterfall");
    // 10 bps of 2.50 are 0.0025, 0.0005 a share.
    let inside = sized(&plain(), &market, &book, fair("0.518", "0.60", "0.62"), &open(100_000));
    assert!(inside.is_ok(), "{inside:?}");
    let outside = refusal(&plain(), &market, &book, fair("0.51799999", "0.60", "0.62"));
    assert!(matches!(outside, Refusal::BelowMinEdge { .. }), "{outside:?}");
    let mut lost = two_levels();
    let c = scan(&plain(), &market, &lost, good).unwrap();
    lost.lose(BookLoss::Gap);
    let books = |_: MarketIdx| Some((&market, &lost));
    assert_eq!(size(&plain(), NOW, &c, Some(&good), &open(1_000), &books, None).unwrap_err().refusal, Refusal::BookNotSynced);
    let mut blind = two_levels();
    blind.flags = BookFlags { ask_sizes_unknown: true, ..BookFlags::default() };
    assert_eq!(refusal(&plain(), &market, &blind, good), Refusal::SizesUnknown);
    // 100 shares at 0.01 are needed for one dollar; the budget leaves 0.99 of notional.
    let cheap = crate::book(&[("0.005", "900")], &[("0.01", "900")]);
    let mut tight = open(1_000);
    tight.market = d("0.99");
    let err = sized(&plain(), &market, &cheap, fair("0.2", "0.3", "0.4"), &tight).unwrap_err().refusal;
    assert_eq!(err, Refusal::BelowMinNotional { value: d("0.99"), min: d("1"), clip: Clip::Market });
}

fn daily() -> Market {
    market(0, above("80000", START + 86_400))
}

prop_compose! {
    fn any_book()(bids in proptest::collection::vec((1_i64..99, 1_i64..500), 0..6), asks in proptest::collection::vec((1_i64..100, 1_i64..500), 1..8),
                  touch in 2_i64..98) -> Book {
        let level = |(px, qty): (i64, i64)| Level { px: Px::from_raw(px * 1_000_000), qty: Qty::from_raw(qty * 10_000_000) };
        let asks: Vec<_> = asks.into_iter().map(|(p, q)| level(((touch + p % 20).min(99), q))).collect();
        let bids: Vec<_> = bids.into_iter().map(|(p, q)| level(((touch - 1 - p % 20).max(1), q))).collect();
        let mut book = Book::default();
        book.apply_snapshot(&bids, &asks, Ts::ZERO, Ts::ZERO, BookFlags::default());
        book
    }
}

fn settings() -> impl Strategy<Value = StrategyConfig> {
    (0_i64..500, 0_i64..200, 0_i64..20_000_000).prop_map(|(ms, failure, gas)| StrategyConfig {
        latency: Dur::from_millis(ms),
        settlement_failure_rate: Ratio::from_raw(failure * 10_000),
        gas_per_leg: Usd::from_raw(if gas < 10_000_000 { 0 } else { gas / 10 }),
        ..StrategyConfig::default()
    })
}

proptest! {
    #[test]
    fn waterfall_identities_and_more_shares_never_earn_more_each(
        cfg in settings(), book in any_book(), mid in 1_000_000_i64..99_000_000, margin in 0_i64..5_000_000, a in 1_i64..60, b in 1_i64..60,
    ) {
        let market = window();
        let fair = Fair { band: pm_core::opportunity::Band { lo: Px::from_raw((mid - margin).max(0)), mid: Px::from_raw(mid), hi: Px::ONE }, ..fair("0", "0", "1") };
        let Some(c) = scan(&cfg, &market, &book, fair) else { return Ok(()) };
        let books = |_: MarketIdx| Some((&market, &book));
        let at = |n: i64| waterfall(&cfg, NOW, &c, Qty::from_raw(n * 100_000_000), &books, Some(&fair), None);
        let (Ok(few), Ok(many)) = (at(a.min(b)), at(a.max(b))) else { return Ok(()) };
        for w in [few, many] {
            for cost in [w.taker_fee, w.gas, w.hedge_cost, w.slippage, w.settlement_failure, w.model_margin] {
                prop_assert!(!cost.is_negative());
            }
            prop_assert_eq!(w.net() + w.taker_fee + w.gas + w.hedge_cost + w.slippage + w.settlement_failure + w.model_margin, w.gross);
            prop_assert_eq!(w.gross + w.notional, w.qty.at(c.fair.mid, Round::Down));
        }
        if cfg.gas_per_leg.is_zero() {
            // Per share; fees are cut to 0.00001 per level, which favours small orders by that much a level, and roundings by a few units.
            let each = |w: &pm_core::opportunity::Waterfall| w.net().per(w.qty, Round::Down).unwrap().raw();
            prop_assert!(each(&many) <= each(&few) + 8 * 2_000 + 20, "{few:?} {many:?}");
        }
    }

    #[test]
    fn a_size_is_within_every_limit_on_the_grid_and_above_the_minimums(
        cfg in settings(), book in any_book(), mid in 10_000_000_i64..99_000_000, margin in 0_i64..5_000_000, bankroll in 10_i32..100_000, marked in any::<bool>(),
    ) {
        let market = window();
        let fair = Fair { band: pm_core::opportunity::Band { lo: Px::from_raw((mid - margin).max(0)), mid: Px::from_raw(mid), hi: Px::ONE }, ..fair("0", "0", "1") };
        if scan(&cfg, &market, &book, fair).is_none() { return Ok(()) }
        let limits = Budget { basis: if marked { LossBasis::Marked } else { LossBasis::WorstCase }, ..budget(bankroll) };
        let Ok(s) = sized(&cfg, &market, &book, fair, &limits) else { return Ok(()) };
        prop_assert_eq!(limits.verify(&s.measures), Ok(()));
        prop_assert!(s.qty >= market.min_qty && s.qty.is_multiple_of(Qty::from_raw(1_000_000)));
        prop_assert!(s.waterfall.notional >= market.min_notional);
        prop_assert!(s.waterfall.net_ratio() >= cfg.min_edge && s.waterfall.net().is_positive());
        prop_assert!(s.waterfall.outlay() <= limits.bankroll.scale_by(s.kelly, Round::Up), "never more than full Kelly");
        let leg = *s.legs.first().unwrap();
        prop_assert!(leg.average <= leg.limit && leg.limit.is_multiple_of(market.tick));
        prop_assert_eq!(book.walk(leg.outcome, leg.side, s.qty, leg.limit).qty, s.qty, "the limit reaches the quantity");
    }
}

proptest! {
    /// The bound never refuses what the walk finds an edge in, even for the smallest order, whose fee is cut the most.
    #[test]
    fn out_of_reach_agrees_with_the_walk(lo in 1_i64..99_000_000, ask in 1_i64..99) {
        let market = daily();
        let ask = Px::from_raw(ask * 1_000_000);
        let level = ask.to_string();
        let book = book(&[], &[(level.as_str(), "500")]);
        let leg = LegPlan { market: market.idx, outcome: Outcome::First, side: Side::Buy, limit: ask, average: ask };
        let lo = Px::from_raw(lo);
        let c = Candidate {
            strategy: StrategyKind::CrossExchange,
            class: EvidenceClass::VolModel,
            legs: Legs::one(leg),
            fair: Band { lo, mid: lo, hi: lo },
            implied: lo,
            floor: Px::ZERO,
            hedge: Hedge::None(NoHedge::Off),
            settles_at: Ts::from_secs(START + 86_400),
        };
        let books = |_: MarketIdx| Some((&market, &book));
        if pm_strategy::out_of_reach(&c, &books).is_some() {
            let w = waterfall(&plain(), NOW, &c, d("5"), &books, None, None).unwrap();
            prop_assert!(!w.net().is_positive(), "{w:?}");
        }
    }
}
