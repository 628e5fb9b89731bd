//! A hedged strike, to the last unit on both venues; the lot leaves a part unhedged; a fill that fails takes its hedge with it.
//!
//! Strike 80,000 at 18:00 UTC (1PM in New York), price 80,000, volatility fixed at 50 % a year:
//! per root of a second 0.5 / sqrt(31,536,000) * 80,000 = 7.123. At 10 s, 7,190 s are left: sd 7.123 * 84.79 = 604.0 (the error of the
//! estimate adds 0.01). Delta of a share: 0.39894 / 604.0 = 0.0006605 BTC. 52 shares ask for 0.03435 BTC: 34 lots of 0.001, 0.00035 is left.

use pm_core::order::{Purpose, Side};
use pm_core::record::TradeStatus;
use pm_core::time::Dur;
use pm_core::units::Ratio;

use crate::frames::A;
use crate::script::Script;
use crate::world::{Outcome, World, px, qty, ratio, usd};

fn world() -> World {
    let mut w = World::default();
    (w.cfg.model.vol_floor_annual, w.cfg.model.vol_cap_annual) = (ratio("0.5"), ratio("0.5"));
    // Old prices give no delta: after the last frame the plan's own figure stands.
    (w.cfg.model.max_hedge_age, w.cfg.model.max_reference_age) = (Dur::from_secs(3), Dur::from_secs(10));
    w.cfg.model.clock_error_ms = 0;
    let h = &mut w.cfg.strategy.hedge;
    (h.max_cost_ratio, h.max_margin_ratio, h.exit_over) = (Ratio::ONE, ratio("1000"), Dur::ZERO);
    w
}

fn opening() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "80,000", 7_200);
    s.at(9_950).price(80_000);
    s.at(10_000).book(A, &[("0.28", "52")], &[("0.30", "52")]);
    s.at(10_100).change(A, &[("0.30", "0", "SELL"), ("0.60", "52", "SELL")]);
    s
}

fn hedge_orders(out: &Outcome) -> Vec<(Purpose, Side, String)> {
    out.orders().iter().skip(1).map(|o| (o.purpose, o.side, o.qty.to_string())).collect()
}

#[test]
fn a_hedged_strike_by_whole_lots() {
    let mut s = opening();
    // A second before the end the perpetual stands at 79,900; the candle closes there: No.
    s.at(7_199_000).perp(&[("79899.9", "50")], &[("79900.1", "50")]);
    s.at(7_200_300).candle_1h(3_600, ["80000", "80100", "79800", "79900"], true);
    s.at(7_260_000).resolved(A, A.second);
    s.pong(7_261_000);
    let out = world().play(&s);
    // Yes: 52 * 0.30 = 15.6, fee 52 * 0.07 * 0.3 * 0.7 = 0.7644. 1,000 - 16.3644 = 983.6356; No wins, nothing comes back.
    // Hedge: sold 0.034 at the bid 79,999.9 = 2,719.9966, fee 0.055 % = 1.49599813.
    // After the end, bought back at the ask 79,900.1 = 2,716.6034, fee 1.49413187.
    assert_eq!(
        out.fill_words(),
        ["buy 52 @ 0.3 fee 0.7644", "sell 0.034 @ 79999.9 fee 1.49599813", "buy 0.034 @ 79900.1 fee 1.49413187"]
    );
    assert_eq!(
        hedge_orders(&out),
        [(Purpose::Hedge, Side::Sell, "0.034".to_owned()), (Purpose::Reduce, Side::Buy, "0.034".to_owned())]
    );
    // Gained 2,719.9966 - 2,716.6034 = 3.3932; fees 2.99013. 1,000 + 3.3932 - 2.99013 = 1,000.40307.
    out.settled("983.6356", "1000.40307");
    let stats = out.core.engine.stats();
    assert_eq!((stats.total.trades, stats.total.hedged, stats.total.net), (1, 1, usd("-15.96133")));
    // The legs of the trade: the entry lost 15.6 before fees, closing the hedge made 3.3932, opening it nothing.
    let legs: Vec<_> = out.trades().iter().map(|t| (t.gross_pnl.unwrap(), t.total_fees.unwrap())).collect();
    assert_eq!(legs, [(usd("-15.6"), usd("0.7644")), (usd("0"), usd("1.49599813")), (usd("3.3932"), usd("1.49413187"))]);
}

#[test]
fn less_than_a_lot_is_not_traded_where_a_hedge_is_required() {
    // 5 shares ask for 0.0033 BTC: with a lot of 0.01 there is no hedge; with 0.001 it is three lots.
    use pm_strategy::BeyondHorizon::{Optional, Required};
    for (lot, rule, sent) in [("0.01", Required, vec![]), ("0.01", Optional, vec!["5"]), ("0.001", Required, vec!["5", "0.003"])]
    {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        let body = crate::frames::instruments().replace("\"0.001\"", &format!("\"{lot}\""));
        s.raw(crate::script::REST, body.as_bytes());
        s.at(9_000).above(A, "80,000", 7_200);
        s.at(9_950).price(80_000);
        s.at(10_000).book(A, &[("0.28", "5")], &[("0.30", "5")]);
        s.pong(10_400);
        let mut w = world();
        w.cfg.strategy.hedge.beyond_horizon = rule;
        let out = w.play(&s);
        let sizes: Vec<String> = out.orders().iter().map(|o| o.qty.to_string()).collect();
        assert_eq!(sizes, sent, "lot {lot}, {rule:?}");
        assert_eq!(out.refused("not_hedgeable"), u64::from(sent.is_empty()));
    }
}

#[test]
fn a_matched_fill_that_fails_is_reversed_and_its_hedge_unwound() {
    let mut s = opening();
    s.pong(30_000);
    let mut world = world();
    world.poly.failure_rate = Ratio::ONE;
    let out = world.play(&s);
    // Matched at 10.040, known at 10.080; failed 6 s later at 16.080; the hedge is bought back at the ask of the same book:
    // 0.034 * 80,000.1 = 2,720.0034, fee 1.49600187.
    assert_eq!(
        out.fill_words(),
        ["buy 52 @ 0.3 fee 0.7644", "sell 0.034 @ 79999.9 fee 1.49599813", "buy 0.034 @ 80000.1 fee 1.49600187"]
    );
    // The shares, their cost and their fee are as if they had never been. The hedge cost its spread, 0.0068, and both fees, 2.992.
    out.settled("1000", "997.0012");
    let stats = out.core.engine.stats();
    assert_eq!((stats.failed_fills, stats.total.trades, stats.total.net), (1, 1, usd("-2.9988")));
    let rows = out.trades();
    assert_eq!((rows[0].status, rows[0].size, rows[0].net_pnl), (TradeStatus::Failed, qty("0"), Some(usd("0"))));
    assert_eq!(out.orders()[2].purpose, Purpose::Reduce);
    assert_eq!(out.orders()[0].limit, px("0.3"));
}

#[test]
fn an_entry_that_is_not_filled_is_not_hedged() {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "80,000", 7_200);
    s.at(9_950).price(80_000);
    s.at(10_000).book(A, &[("0.28", "52")], &[("0.30", "52")]);
    s.at(10_020).change(A, &[("0.30", "0", "SELL"), ("0.60", "52", "SELL")]);
    s.pong(20_000);
    let out = world().play(&s);
    assert_eq!(out.orders().len(), 1);
    out.settled("1000", "1000");
}

#[test]
fn funding_is_paid_by_whoever_holds_the_hedge() {
    // Held over 16:10:00 at a rate of 0.01 %: a short receives 0.034 * 80,000 * 0.0001 = 0.272.
    let mut s = opening();
    s.at(11_000).raw(crate::script::LINEAR, crate::frames::ticker(11_000, "80000", "0.0001", 600_000).as_bytes());
    s.at(601_000).raw(crate::script::LINEAR, crate::frames::ticker(601_000, "80000", "0.0001", 29_400_000).as_bytes());
    s.at(7_199_000).perp(&[("79899.9", "50")], &[("79900.1", "50")]);
    s.at(7_260_000).resolved(A, A.second);
    s.pong(7_261_000);
    let out = world().play(&s);
    // 1,000.40307 of the plain case + 0.272.
    out.settled("983.6356", "1000.67507");
    assert_eq!(out.core.engine.ledger().pnl(pm_ledger::PnlCause::Funding), usd("0.272"));
}

#[test]
fn a_hedge_venue_that_refuses_a_reduction_is_the_one_that_is_closed() {
    // The fill fails at 16.080 s; the order that buys the hedge back (the third) is refused because the account is restricted.
    use pm_core::event::Event;
    use pm_core::order::{OrderState, OrderUpdate};
    let mut s = opening();
    let refused = OrderUpdate {
        intent: pm_core::ids::IntentId(3),
        state: OrderState::Refused,
        filled: qty("0"),
        reason: Some(pm_core::refusal::VenueRefusal::Restricted),
        at: crate::script::ts(16_100),
    };
    s.at(16_100).event(&Event::Order(refused));
    s.pong(16_110);
    let mut world = world();
    world.poly.failure_rate = Ratio::ONE;
    let out = world.play(&s);
    assert_eq!(out.kills()[0].closed_venues, [crate::world::BYBIT]);
}
