//! Hourly strikes on a Binance candle: strictly above pays Yes, equality pays No.
//!
//! Strike 76,000, candle 16:00 to 17:00 UTC (12PM in New York), price 80,000: Yes is worth 1.

use crate::frames::A;
use crate::script::Script;
use crate::world::{World, px, ratio, usd};

fn opening() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.68", "40")], &[("0.70", "40")]);
    s
}

/// The candle closes; fair value of Yes before the venue speaks, then the venue's word.
fn close_at(close: &str, winner: &str) -> (pm_core::units::Px, crate::world::Outcome) {
    let mut s = opening();
    s.at(3_600_100).candle_1h(0, ["80000.00", "80500.00", "75000.00", close], true);
    s.pong(3_601_000);
    let mut world = World::default();
    world.cfg.risk.max_daily_loss = ratio("0.05");
    let before = world.play(&s);
    let fair = before.core.engine.fair(before.market(0).market.idx).unwrap().unwrap().band.mid;
    s.at(3_660_000).resolved(A, winner);
    s.pong(3_661_000);
    (fair, world.play(&s))
}

#[test]
fn strictly_above_pays_yes() {
    let (fair, out) = close_at("76000.01", A.first);
    assert_eq!(fair, px("1"));
    // 40 shares at 0.70: cost 28, fee 40 * 0.07 * 0.7 * 0.3 = 0.588. Payoff 40.
    assert_eq!(out.fill_words(), ["buy 40 @ 0.7 fee 0.588"]);
    // 1,000 - 28 - 0.588 + 40 = 1,011.412.
    out.settled("1011.412", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("11.412"));
}

#[test]
fn a_close_at_the_strike_pays_no() {
    let (fair, out) = close_at("76000.00", A.second);
    assert_eq!(fair, px("0"), "strict: equality is No");
    // The Yes shares pay nothing: 1,000 - 28 - 0.588 = 971.412.
    out.settled("971.412", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("-28.588"));
}

#[test]
fn the_noon_rule_of_another_family_is_not_read_into_it() {
    // A text that does not say which candle decides is shown and never traded.
    let body = crate::frames::gamma_above(A, "76,000", 3_600, &Default::default()).replace("1 hour candle", "candle");
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).gamma(&body);
    s.at(10_000).book(A, &[("0.10", "100")], &[("0.20", "100")]);
    s.pong(12_000);
    let out = World::default().play(&s);
    assert!(out.orders().is_empty());
    assert!(out.market(0).market.rule.understood().is_none());
    assert_eq!(out.market(0).fair.unwrap_err().code(), "rule_not_understood");
}

#[test]
fn a_market_whose_rule_comes_later_is_priced_from_then_on() {
    // The venue fills in its texts after the listing; the book does not move in between.
    let whole = crate::frames::gamma_above(A, "76,000", 3_600, &Default::default());
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).gamma(&whole.replace("1 hour candle", "candle"));
    s.at(9_500).book(A, &[("0.68", "40")], &[("0.70", "40")]);
    s.at(10_000).gamma(&whole);
    s.pong(11_000);
    let out = World::default().play(&s);
    assert_eq!(out.fill_words(), ["buy 40 @ 0.7 fee 0.588"]);
}
