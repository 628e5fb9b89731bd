//! Hedged structures through the public door: cost, admission, worst loss, the required and the optional hedge, sizes by lots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::book::{Book, Level};
use pm_core::budget::{Budget, LossBasis};
use pm_core::ids::MarketIdx;
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Outcome};
use pm_core::opportunity::{Hedge, NoHedge};
use pm_core::order::Side;
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_strategy::{
    BeyondHorizon, Fair, HedgeConfig, HedgeQuote, NotSized, Sized, Snap, StrategyConfig, cross_exchange, hedge_plan,
    hedge_round_trip_cost, size,
};
use proptest::prelude::*;

const NOW: Ts = Ts::from_secs(START + 60);
const END: Ts = Ts::from_secs(START + 86_400);

fn hedging(hedge: HedgeConfig) -> StrategyConfig {
    StrategyConfig {
        latency: Dur::ZERO,
        settlement_failure_rate: Ratio::ZERO,
        loss_concentration: Ratio::ONE,
        hedge,
        ..StrategyConfig::default()
    }
}

fn daily() -> Market {
    market(0, above("80000", START + 86_400))
}

/// A budget in which nothing binds.
fn open(bankroll: i32) -> Budget {
    let all = Usd::MAX;
    Budget {
        basis: LossBasis::WorstCase,
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

#[allow(clippy::result_large_err, reason = "as the function under test")]
fn sized(
    cfg: &StrategyConfig,
    now: Ts,
    book: &Book,
    fair: Fair,
    budget: &Budget,
    quote: Option<&HedgeQuote<'_>>,
) -> Result<Sized, NotSized> {
    let market = daily();
    let snap = Snap { market: &market, book, fair: Ok(fair) };
    let candidate = cross_exchange::scan(cfg, now, &snap, quote).unwrap();
    let books = |_: MarketIdx| Some((&market, book));
    size(cfg, now, &candidate, Some(&fair), budget, &books, quote)
}

fn half() -> Book {
    book(&[("0.48", "500")], &[("0.50", "500")])
}

fn strong(delta: &str) -> Fair {
    Fair { delta: d(delta), ..fair("0.65", "0.66", "0.67") }
}

#[test]
fn a_static_hedge_costs_two_fees_a_spread_and_the_funding_that_we_pay() {
    let perp = perp();
    let cfg = HedgeConfig::default();
    // 0.008 BTC at 80,000.1: two fees of 640.0008 * 0.00055 = 0.35200044, spread 0.008 * 0.1.
    let trades: Usd = d("0.70480088");
    let cost = |cfg: &HedgeConfig, q: &HedgeQuote<'_>, side| hedge_round_trip_cost(cfg, q, side, d("0.008"), NOW, END);
    // A short receives a positive rate and is not credited.
    assert_eq!(cost(&cfg, &quote(&perp), Side::Sell), trades);
    // A long pays it: 86,340 s reach into three intervals of eight hours, 640.0008 * 0.0001 each = 0.06400008.
    assert_eq!(cost(&cfg, &quote(&perp), Side::Buy), trades + d("0.19200024"));
    // Known to be due in eight hours, it is crossed at 8 and 16 hours only; due after the end, never.
    let due = HedgeQuote { next_funding: Some(NOW + Dur::from_secs(28_800)), ..quote(&perp) };
    assert_eq!(cost(&cfg, &due, Side::Buy), trades + d("0.12800016"));
    let later = HedgeQuote { next_funding: Some(END + Dur::from_secs(1)), ..quote(&perp) };
    assert_eq!(cost(&cfg, &later, Side::Buy), trades);
    // A negative rate turns the sides: 0.05 % twice is 0.64000080 for the short; the long receives.
    let negative = HedgeQuote { funding_rate: d("-0.0005"), ..due };
    assert_eq!(cost(&cfg, &negative, Side::Sell), trades + d("0.6400008"));
    assert_eq!(cost(&cfg, &negative, Side::Buy), trades);
    // Re-hedging once over doubles the trades.
    let busy = HedgeConfig { rehedge_turnover: Ratio::ONE, ..HedgeConfig::default() };
    assert_eq!(cost(&busy, &quote(&perp), Side::Sell), d("1.40960176"));
    // Half a lot is left over: 0.0005 * 80,000.1 * 5 bps = 0.020000025, up.
    assert_eq!(hedge_round_trip_cost(&cfg, &quote(&perp), Side::Sell, d("0.0085"), NOW, END), trades + d("0.02000003"));
}

#[test]
fn margin_and_fee_of_the_opening_hedge_must_be_free() {
    let (perp, market, cfg) = (perp(), daily(), HedgeConfig::default());
    let fair = strong("0.0002");
    let plan = |q: &HedgeQuote<'_>| hedge_plan(&cfg, NOW, &market, &fair, Outcome::First, d("40"), d("20"), Some(q));
    // 10 % of 640.0008 and a fee of 0.35200044.
    let enough = HedgeQuote { free_margin: d("64.35208044"), ..quote(&perp) };
    assert!(matches!(plan(&enough), Hedge::Delta(_)));
    let short = HedgeQuote { free_margin: d("64.35208043"), ..quote(&perp) };
    assert_eq!(plan(&short), Hedge::None(NoHedge::TooExpensive));
}

#[test]
fn a_day_out_the_delta_is_hedged_with_one_number_for_its_cost() {
    let perp = perp();
    let cfg = hedging(HedgeConfig::default());
    let mut wide = open(10_000);
    // 40 shares: 0.008 BTC = 640 USDT. Notional 20, fee 40 * 0.07 * 0.25 = 0.70.
    wide.bankroll_share = d("20");
    let s = sized(&cfg, NOW, &half(), strong("0.0002"), &wide, Some(&quote(&perp))).unwrap();
    assert_eq!((s.qty, s.clip), (d("40"), Clip::BankrollShare));
    let Hedge::Delta(plan) = s.hedge else { panic!("{:?}", s.hedge) };
    assert_eq!((plan.side, plan.per_share, plan.band), (Side::Sell, d("0.0002"), d("0.001")));
    assert_eq!((plan.exit_from, plan.exit_over), (END - Dur::from_secs(60), Dur::from_secs(60)));
    assert_eq!((plan.max_cost, s.waterfall.hedge_cost), (d("0.70480088"), d("0.70480088")));
    // Spot on the strike, sd 2,000. Three up: the short loses 6,000 * 0.008 = 48, the shares earn 40 - 20.70: 28.70, and the hedge's cost.
    // Just below the strike only the outlay of 20.70 is lost.
    assert_eq!(s.measures.worst_loss, d("29.40480088"));
    // The last hour is not hedged and not refused.
    let soon = Ts::from_secs(START + 86_400 - 3_600);
    let s = sized(&cfg, soon, &half(), strong("0.0002"), &wide, Some(&quote(&perp))).unwrap();
    assert_eq!(s.hedge, Hedge::None(NoHedge::ShortWindow));
}

/// The choice was upside down: what fitted was hedged, what was too dear went naked.
#[test]
fn beyond_the_horizon_what_cannot_be_hedged_is_refused() {
    let perp = perp();
    let wide = Budget { bankroll_share: d("20"), ..open(10_000) };
    let refusal =
        |cfg: &StrategyConfig, fair, quote: Option<&HedgeQuote<'_>>| sized(cfg, NOW, &half(), fair, &wide, quote).unwrap_err();
    // 0.0881 for the first five shares are 3.5 % of 2.50.
    let tight = hedging(HedgeConfig { max_cost_ratio: d("0.03"), ..HedgeConfig::default() });
    let no = refusal(&tight, strong("0.0002"), Some(&quote(&perp)));
    assert_eq!((no.refusal, no.refusal.code()), (Refusal::NotHedgeable(NoHedge::TooExpensive), "not_hedgeable"));
    assert_eq!(no.to_string(), "it settles too late to stay unhedged, and the hedge would cost or bind too much");
    assert_eq!(no.at_minimum.unwrap().qty, d("5"), "the record shows the smallest order without a hedge");
    let plain = hedging(HedgeConfig::default());
    assert_eq!(refusal(&plain, strong("0.0002"), None).refusal, Refusal::NotHedgeable(NoHedge::NoInstrument));
    // A lot is a hundred shares: 50.00, and 20.00 may be spent. Ten thousand shares are not in the book.
    for delta in ["0.00001", "0.0000001"] {
        assert_eq!(refusal(&plain, strong(delta), Some(&quote(&perp))).refusal, Refusal::NotHedgeable(NoHedge::LotTooLarge));
    }
    // Nothing to gain comes first.
    let poor = Fair { delta: d("0.00001"), ..fair("0.5", "0.66", "0.67") };
    assert!(matches!(refusal(&plain, poor, Some(&quote(&perp))).refusal, Refusal::NoEdge { .. }));
    // Switched off is a decision, not a failure.
    let off = hedging(HedgeConfig { enabled: false, ..HedgeConfig::default() });
    assert_eq!(sized(&off, NOW, &half(), strong("0.0002"), &wide, None).unwrap().hedge, Hedge::None(NoHedge::Off));
}

#[test]
fn an_optional_hedge_is_taken_where_it_earns_more() {
    let perp = perp();
    let optional = |ratio: &str| {
        hedging(HedgeConfig { beyond_horizon: BeyondHorizon::Optional, max_cost_ratio: d(ratio), ..HedgeConfig::default() })
    };
    let wide = Budget { bankroll_share: d("20"), ..open(10_000) };
    // Too dear, or dearer than no hedge at the same size: none.
    for ratio in ["0.03", "0.2"] {
        let s = sized(&optional(ratio), NOW, &half(), strong("0.0002"), &wide, Some(&quote(&perp))).unwrap();
        assert_eq!((s.hedge, s.qty), (Hedge::None(NoHedge::TooExpensive), d("40")));
    }
    // Spot 4,000 above the strike, sd 1,000, shares at 0.90 (fee 0.0063): alone each may lose 0.9063, 20.00 buy 22.06 of them. A short of
    // 0.0001 each has earned 0.40 at the strike, so that more than half as many again fit; 0.0437 a share become 0.0349.
    let dear = book(&[("0.89", "500")], &[("0.90", "500")]);
    let deep = Fair { delta: d("0.0001"), spot: d("84000"), sd: d("1000"), ..fair("0.95", "0.96", "0.97") };
    let tight = Budget { day_loss: d("20"), ..open(10_000) };
    let alone =
        sized(&hedging(HedgeConfig { enabled: false, ..HedgeConfig::default() }), NOW, &dear, deep, &tight, None).unwrap();
    assert_eq!(alone.qty, d("22.06"));
    let s = sized(&optional("0.2"), NOW, &dear, deep, &tight, Some(&quote(&perp))).unwrap();
    assert!(matches!(s.hedge, Hedge::Delta(_)), "{s:?}");
    assert!(s.qty > d("30") && s.waterfall.net() > alone.waterfall.net(), "{s:?}");
}

#[test]
fn the_hedged_search_begins_at_the_first_lot() {
    let perp = perp();
    // A lot is 20 shares; the venue's smallest order of 5 carries none. 25.00 buy 50: two lots, and ten shares more at no further lot.
    let wide = Budget { bankroll_share: d("25"), ..open(10_000) };
    let s = sized(&hedging(HedgeConfig::default()), NOW, &half(), strong("0.00005"), &wide, Some(&quote(&perp))).unwrap();
    assert_eq!((s.qty, s.clip), (d("50"), Clip::BankrollShare));
    // Exactly one lot.
    let wide = Budget { bankroll_share: d("10"), ..wide };
    let s = sized(&hedging(HedgeConfig::default()), NOW, &half(), strong("0.00005"), &wide, Some(&quote(&perp))).unwrap();
    assert_eq!(s.qty, d("20"));
}

fn lot(perp: Instrument, raw: i64) -> Instrument {
    Instrument { lot: Qty::from_raw(raw), min_qty: Qty::from_raw(raw), ..perp }
}

proptest! {
    #[allow(clippy::result_large_err, reason = "as the function under test")]
    /// With the variant fixed, each search is monotone: more room never gives fewer shares, and a hedged size carries a lot.
    #[test]
    fn more_room_never_gives_a_smaller_hedged_size(
        delta in 200_i64..60_000, lot_raw in 10_000_i64..1_000_000, room in 1_i64..400, more in 0_i64..200, spot in 76_000_i32..84_000,
        levels in proptest::collection::vec((0_i64..8, 5_i64..300), 1..6), lo in 60_i64..95, optional in any::<bool>(),
    ) {
        let perp = lot(perp(), lot_raw);
        let asks: Vec<_> = levels.into_iter().map(|(up, n)| Level { px: Px::from_raw((50 + up) * 1_000_000), qty: Qty::from_raw(n * 100_000_000) }).collect();
        let mut book = Book::default();
        book.apply_snapshot(&[], &asks, Ts::ZERO, Ts::ZERO, pm_core::book::BookFlags::default());
        let lo = Px::from_raw(lo * 1_000_000);
        let fair = Fair { delta: Qty::from_raw(delta), spot: Px::whole(spot), band: pm_core::opportunity::Band { lo, mid: lo, hi: Px::ONE }, ..strong("0") };
        let beyond_horizon = if optional { BeyondHorizon::Optional } else { BeyondHorizon::Required };
        let cfg = hedging(HedgeConfig { beyond_horizon, ..HedgeConfig::default() });
        let at = |cents: i64| {
            let room = Usd::from_raw(cents * 100_000_000);
            sized(&cfg, NOW, &book, fair, &Budget { day_loss: room, ..open(20_000) }, Some(&quote(&perp)))
        };
        let (few, many) = (at(room), at(room + more));
        let Ok(few) = few else { return Ok(()) };
        let many = many.unwrap();
        if optional {
            prop_assert!(many.waterfall.net().raw() + 200_000 >= few.waterfall.net().raw() || many.qty >= few.qty, "{few:?} {many:?}");
        } else {
            prop_assert!(many.qty >= few.qty, "{few:?} {many:?}");
        }
        for s in [few, many] {
            match s.hedge {
                Hedge::Delta(plan) => {
                    prop_assert_eq!(plan.max_cost, s.waterfall.hedge_cost);
                    let base = i128::from(s.qty.raw()) * i128::from(delta) / 100_000_000;
                    prop_assert!(base >= i128::from(lot_raw), "{:?}", s);
                }
                Hedge::None(_) => prop_assert!(optional),
            }
            prop_assert!(s.waterfall.net_ratio() >= cfg.min_edge);
        }
    }
}
