//! Up/Down windows that settle on the oracle's 60-second mean: win, loss, tie.
//!
//! Window 16:00:00 to 16:05:00, start value 76,000 from the venue's metadata, Bitcoin at 80,000: with 10 % a year the mean at the end is
//! hundreds of standard deviations above the start value, so Up is worth 1 and at least 0.999.

use pm_core::order::{OrderState, Side, Tif};

use crate::frames::A;
use crate::script::Script;
use crate::world::{World, px, qty, usd};

/// Up at 0.60 for 100 shares appears at 10 s.
fn opening(price: i64, beat: &str) -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, price);
    s.at(9_000).updown(A, 0, beat);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s
}

#[test]
fn a_won_window_pays_one_a_share() {
    let mut s = opening(80_000, "76000");
    s.at(300_000).oracle_mean("80000");
    s.at(355_000).resolved(A, A.first);
    s.pong(356_000);
    let out = World::default().play(&s);

    // Decided at 10.000 s: all of the 100 shares at 0.60 (nothing else binds: 60 is 3 % of 2,000).
    let orders = out.orders();
    assert_eq!(orders.len(), 1);
    let o = &orders[0];
    assert_eq!((o.side, o.limit, o.qty, o.tif), (Side::Buy, px("0.6"), qty("100"), Tif::FillAndKill));
    // Cost 100 * 0.60 = 60. Fee 100 * 0.07 * 0.6 * 0.4 = 1.68.
    assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"]);
    // Payoff 100 * 1. Cash 1,000 - 60 - 1.68 + 100 = 1,038.32.
    out.settled("1038.32", "1000");
    let t = &out.trades()[0];
    assert_eq!((t.gross_pnl, t.total_fees, t.net_pnl), (Some(usd("40")), Some(usd("1.68")), Some(usd("38.32"))));
    let stats = out.core.engine.stats();
    assert_eq!((stats.total.trades, stats.total.wins, stats.total.net), (1, 1, usd("38.32")));
    assert_eq!(out.updates().last().unwrap().state, OrderState::Filled);
}

#[test]
fn a_lost_window_pays_nothing() {
    let mut s = opening(80_000, "76000");
    // The price falls through the start value; the mean of the last minute ends below it.
    s.at(240_000).price(75_000);
    s.at(300_000).oracle_mean("75000");
    s.at(355_000).resolved(A, A.second);
    s.pong(356_000);
    let mut world = World::default();
    // The mark of the position follows the book, which nobody moves here; the limits are not this test's subject.
    world.cfg.risk.max_daily_loss = crate::world::ratio("0.05");
    let out = world.play(&s);
    assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"]);
    // Cash 1,000 - 60 - 1.68 = 938.32; the shares pay nothing. Loss 61.68 = 3.08 % of 2,000.
    out.settled("938.32", "1000");
    let stats = out.core.engine.stats();
    assert_eq!((stats.total.trades, stats.total.losses, stats.total.net), (1, 1, usd("-61.68")));
    assert!(out.kills().is_empty());
}

#[test]
fn equality_of_the_means_is_up() {
    // Price 72,000 below the start value 76,000: Down is worth 1. Buying Down at 0.40 takes the bid for Up at 0.60.
    let mut s = Script::new();
    s.warm_up(1_000, 72_000);
    s.at(9_000).updown(A, 0, "76000");
    s.at(10_000).book(A, &[("0.60", "100")], &[("0.62", "100")]);
    // The mean ends at the start value, to the last digit.
    s.at(300_000).oracle_mean("76000.00");
    s.pong(301_000);
    let tied = s.clone();
    s.at(355_000).resolved(A, A.first);
    s.pong(356_000);

    // Before the venue speaks, our own reading of the rule says Up: 1, without a band.
    let out = World::default().play(&tied);
    let market = out.market(0).market.idx;
    let band = out.core.engine.fair(market).unwrap().unwrap().band;
    assert_eq!((band.lo, band.mid, band.hi), (px("1"), px("1"), px("1")));

    let mut world = World::default();
    world.cfg.risk.max_daily_loss = crate::world::ratio("0.05");
    let out = world.play(&s);
    // Down at 1 - 0.60 = 0.40: cost 40, fee 100 * 0.07 * 0.4 * 0.6 = 1.68.
    assert_eq!(out.fill_words(), ["buy 100 @ 0.4 fee 1.68"]);
    // Up wins: Down pays nothing. 1,000 - 40 - 1.68 = 958.32.
    out.settled("958.32", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("-41.68"));
}

#[test]
fn a_void_market_pays_one_half_on_both_sides() {
    let mut s = opening(80_000, "76000");
    // The socket's message names no winner; Gamma's body says one half each.
    let void =
        crate::frames::Terms { result: Some(("[\\\"0.5\\\", \\\"0.5\\\"]", "resolved")), accepting: false, ..Default::default() };
    s.at(360_000).gamma(&crate::frames::gamma_updown_5m(A, 0, "76000", &void));
    s.pong(361_000);
    let out = World::default().play(&s);
    // 100 * 0.5 = 50 back: 1,000 - 60 - 1.68 + 50 = 988.32.
    out.settled("988.32", "1000");
    let stats = out.core.engine.stats();
    assert_eq!((stats.total.losses, stats.total.net, stats.resolved), (1, usd("-11.68"), 1));
}

#[test]
fn a_window_without_its_start_value_is_never_traded() {
    // Listed an hour ahead: the strike is not fixed before the window opens.
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).updown(A, 300, "76000");
    s.at(10_000).book(A, &[("0.10", "100")], &[("0.20", "100")]);
    s.at(299_000).price(80_000);
    let before = World::default().play(&s);
    assert!(before.orders().is_empty());
    assert_eq!(before.market(0).fair.unwrap_err().code(), "strike_not_fixed");
    // From the instant of the opening on it is.
    s.at(300_000).price(80_000);
    s.pong(301_000);
    let mut world = World::default();
    world.cfg.risk.max_book_age_ms = 600_000;
    assert_eq!(world.play(&s).orders().len(), 1);
}
