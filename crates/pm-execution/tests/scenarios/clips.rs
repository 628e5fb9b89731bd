//! Each limit of the size, as the engine wires it: a book that holds exactly what the limit allows is taken whole, one share-hundredth more
//! is not.
//!
//! Yes of 76,000 at a price of 80,000 (worth 1), asked at 0.50, bid at 0.49. Capital 1,000 + 1,000. A share costs 0.50 and a fee of
//! 0.07 * 0.5 * 0.5 = 0.0175 (of the whole order, cut to 5 decimals), and is marked at 0.495: 0.0225 below what it cost.

use pm_core::budget::LossBasis;
use pm_core::units::Ratio;

use crate::frames::{A, B};
use crate::script::Script;
use crate::world::{World, ratio};

/// No limit but the depth binds.
fn wide() -> World {
    let mut w = World::default();
    let r = &mut w.cfg.risk;
    (r.market_share, r.expiry_share, r.underlying_share) = (Ratio::ONE, Ratio::ONE, Ratio::ONE);
    (r.max_daily_loss, r.max_weekly_loss, r.max_structure_loss) = (ratio("0.5"), ratio("0.5"), ratio("0.5"));
    w.cfg.strategy.hedge.enabled = false;
    w.cfg.strategy.loss_concentration = Ratio::ONE;
    w
}

fn asked(ask: &str, bid: &str, depth: &str) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[(bid, "5000")], &[(ask, depth)]);
    s.pong(11_000);
    s
}

fn more(depth: &str) -> String {
    let more = crate::world::qty(depth) + crate::world::qty("0.01");
    more.to_string()
}

/// The limit allows exactly `most`: asserted with that depth, and with a hundredth more; every order is filled by the venue.
#[track_caller]
fn binds_at(world: &World, most: &str) {
    binds_at_price(world, "0.50", "0.49", most);
}

#[track_caller]
fn binds_at_price(world: &World, ask: &str, bid: &str, most: &str) {
    for depth in [most.to_owned(), more(most), "5000".to_owned()] {
        let out = world.play(&asked(ask, bid, &depth));
        let sizes: Vec<String> = out.entries().iter().map(|o| o.qty.to_string()).collect();
        assert_eq!(sizes, [most], "depth {depth}");
        assert_eq!(out.fills().len(), 1, "the venue takes it");
        out.cash();
    }
}

#[test]
fn depth_of_the_book() {
    for depth in ["100", "100.01"] {
        assert_eq!(wide().play(&asked("0.50", "0.49", depth)).entries()[0].qty.to_string(), depth);
    }
}

#[test]
fn a_quarter_of_the_bankroll() {
    // 25 % of 2,000 = 500: 1,000 shares at 0.50.
    let mut w = wide().capital("1500", "500");
    binds_at(&w, "1000");
    w.cfg.risk.bankroll_share = ratio("0.24");
    binds_at(&w, "960");
}

#[test]
fn cash_on_the_venue() {
    // 193.23 * 0.5 = 96.615, fee 193.23 * 0.0175 = 3.381525 -> 3.38152: 99.99652. One hundredth more: 96.62 + 3.3817 = 100.0017.
    binds_at(&wide().capital("100", "1900"), "193.23");
}

#[test]
fn the_venue_reserves_the_highest_fee() {
    // At 0.60 the fee is 0.0168 a share, but the venue reserves that of 0.50, 0.0175. Without the reserve 162.12 shares would fit
    // (97.272 + 2.72361 = 99.99561) and the venue would refuse them: it asks for 97.272 + 2.8371 = 100.1091, 0.11349 too much.
    // Within 100 - 0.11349 = 99.88651: 161.94 * 0.6 = 97.164, fee 161.94 * 0.0168 = 2.720592 -> 2.72059: 99.88459.
    // The next, 161.95: 97.17 + 2.72076 = 99.89076, is too much.
    let world = wide().capital("100", "1900");
    let out = world.play(&asked("0.60", "0.59", "5000"));
    assert_eq!(out.entries()[0].qty.to_string(), "161.94");
    assert_eq!(out.fill_words(), ["buy 161.94 @ 0.6 fee 2.72059"], "and the venue takes it");
}

#[test]
fn loss_of_one_structure() {
    // Marked: half of 1 % of 2,000 = 10 over 0.0225 = 444.44: 229.9977 - 219.9978 = 9.9999; 444.45: 10.00012.
    let mut w = wide().capital("1500", "500");
    w.cfg.risk.max_structure_loss = ratio("0.01");
    binds_at(&w, "444.44");
    // Worst case: all of 20 over 0.5175: 38.64 * 0.5 + 0.6762 = 19.9962; 38.65: 20.00137.
    w.cfg.risk.loss_basis = LossBasis::WorstCase;
    binds_at(&w, "38.64");
}

#[test]
fn loss_of_the_day() {
    let mut w = wide().capital("1500", "500");
    w.cfg.risk.max_daily_loss = ratio("0.01");
    binds_at(&w, "444.44");
    w.cfg.risk.loss_basis = LossBasis::WorstCase;
    binds_at(&w, "38.64");
}

#[test]
fn loss_of_the_week() {
    // Tuesday: 100 Yes at 0.60 are lost, 61.68 (no trip: 4 % of 2,000 = 80). Wednesday opens at 1,938.32: half of its 4 % = 38.7664.
    // Of the week's 80 are left 18.32, half of it 9.16: 407.11 shares (210.67942 - 201.51945 = 9.15997; one more hundredth: 9.1602).
    let script = |depth: &str| {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).above(A, "76,000", 3_600);
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(3_660_000).resolved(A, A.second);
        // 2026-11-11T00:30Z; the strike is that of 8PM in New York, 01:00Z.
        for second in 0..4 {
            s.at(30_590_000 + second * 1_000).price(80_000);
        }
        s.at(30_599_000).above(B, "76,000", 32_400);
        s.at(30_600_000).book(B, &[("0.49", "5000")], &[("0.50", depth)]);
        s.pong(30_601_000);
        s
    };
    let mut w = wide();
    (w.cfg.risk.max_daily_loss, w.cfg.risk.max_weekly_loss) = (ratio("0.04"), ratio("0.04"));
    for depth in ["407.11", "407.12", "5000"] {
        let out = w.play(&script(depth));
        let sizes: Vec<String> = out.entries().iter().map(|o| o.qty.to_string()).collect();
        assert_eq!(sizes, ["100", "407.11"], "depth {depth}");
        assert!(out.kills().is_empty());
    }
}

#[test]
fn exposure_per_market() {
    // 10 % of 2,000 = 200: 400 shares.
    let mut w = wide().capital("1500", "500");
    w.cfg.risk.market_share = ratio("0.1");
    binds_at(&w, "400");
}

/// 100 Yes of A at 0.60 are open: cost 60, fee 1.68, marked at 0.59. Equity 2,000 - 1.68 - 1 = 1,997.32.
fn second(end: i64, depth: &str) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600).above(B, "75,000", end);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(11_000).book(B, &[("0.49", "5000")], &[("0.50", depth)]);
    s.pong(12_000);
    s
}

/// 10 % of 1,997.32 less 60: 139.732, over 0.50: 279.46 (139.73; the next: 139.735).
#[track_caller]
fn second_binds(w: &World, end: i64, most: &str) {
    for depth in [most.to_owned(), more(most)] {
        let out = w.play(&second(end, &depth));
        let sizes: Vec<String> = out.entries().iter().map(|o| o.qty.to_string()).collect();
        assert_eq!(sizes, ["100", most], "depth {depth}");
    }
}

#[test]
fn exposure_per_expiry() {
    let mut w = wide();
    w.cfg.risk.expiry_share = ratio("0.1");
    second_binds(&w, 3_600, "279.46");
    // Another expiry is another room: 10 % of 1,997.32 = 199.732, 399.46 shares.
    second_binds(&w, 7_200, "399.46");
}

#[test]
fn exposure_per_underlying() {
    let mut w = wide();
    w.cfg.risk.underlying_share = ratio("0.1");
    second_binds(&w, 7_200, "279.46");
}

#[test]
fn a_set_is_sized_to_what_one_leg_alone_may_lose() {
    // Worst case, 2 % of 2,000 = 40 for the day. The pair is sure to pay, but until both legs are confirmed the dearer one may stand alone:
    // Yes at 0.55 and 0.017325 of fee. 70.5 of it: 38.775 + 1.22141 = 39.99641; 70.51: 38.7805 + 1.22158 = 40.00208.
    let mut w = wide();
    w.cfg.strategy.strategies.cross_exchange = false;
    (w.cfg.risk.loss_basis, w.cfg.risk.max_daily_loss) = (LossBasis::WorstCase, ratio("0.02"));
    for (depth, most) in [("70.5", "70.5"), ("70.51", "70.5"), ("100", "70.5")] {
        let mut s = Script::new();
        s.warm_up(1_000, 80_100);
        s.at(9_000).above(A, "80,000", 3_600).above(B, "80,200", 3_600);
        s.at(9_500).book(A, &[("0.53", "100")], &[("0.55", depth)]);
        s.at(10_000).book(B, &[("0.60", depth)], &[("0.62", "100")]);
        s.pong(11_000);
        let out = w.play(&s);
        let sizes: Vec<String> = out.entries().iter().map(|o| o.qty.to_string()).collect();
        assert_eq!(sizes, [most, most], "depth {depth}; refused {:?}", out.core.engine.stats().refused);
    }
}

#[test]
fn a_bankroll_below_the_smallest_order_says_which_limit() {
    // Worst case, 10 in all: the day allows 0.20; five shares at 0.50 cost 2.5875.
    let mut w = World::default().capital("5", "5");
    w.cfg.risk.loss_basis = LossBasis::WorstCase;
    let out = w.play(&asked("0.50", "0.49", "100"));
    assert!(out.orders().is_empty());
    assert_eq!(out.refused("below_min_qty"), 1);
    let row = out.opportunities().pop().unwrap();
    assert!(row.refusal.unwrap().to_string().contains("loss limit of the day"), "{}", row.refusal.unwrap());
}

#[test]
fn kelly_on_the_conservative_probability() {
    // At the money, an hour out, 50 % a year, asked just below the lower end of the band: full Kelly is a few per cent of the 2,000, below
    // every limit. f = (lo - c) / (1 - c) with c all costs of a share; the band and the costs stand on the opportunity.
    let mut w = wide();
    (w.cfg.model.vol_floor_annual, w.cfg.model.vol_cap_annual) = (ratio("0.5"), ratio("0.5"));
    let script = |depth: &str| {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).above(A, "80,000", 3_600);
        s.at(9_950).price(80_000);
        s.at(10_000).book(A, &[("0.40", "5000")], &[("0.44", depth)]);
        s.pong(11_000);
        s
    };
    let out = w.play(&script("5000"));
    let row = out.opportunities()[0].clone();
    let raw = |v: i64| f64::from(i32::try_from(v).unwrap()) / 1e8;
    let q = row.waterfall.qty;
    let paid = row.waterfall.notional + row.waterfall.taker_fee + row.waterfall.slippage + row.waterfall.settlement_failure;
    let share = paid.per(q, pm_core::num::Round::Up).unwrap();
    let kelly = (raw(row.fair.lo.raw()) - raw(share.raw())) / (1.0 - raw(share.raw()));
    assert!((raw(row.kelly.raw()) - kelly).abs() < 1e-6 && (0.01..0.2).contains(&kelly), "{kelly} {}", row.kelly);
    let stake = crate::world::usd("2000").scale_by(row.kelly, pm_core::num::Round::Down);
    let hundredth = crate::world::qty("0.01").at(share, pm_core::num::Round::Down);
    assert!(paid <= stake && paid + hundredth > stake, "{paid} of {stake}: not a hundredth more");
    // A book that holds exactly that much is taken whole, a hundredth more is not.
    for depth in [q.to_string(), more(&q.to_string())] {
        assert_eq!(w.play(&script(&depth)).entries()[0].qty, q, "depth {depth}");
    }
}
