//! What went wrong once and was found by reading: each named for what happened.

use pm_core::book::BookLoss;
use pm_core::event::{BookId, Event};
use pm_core::fees::Liquidity;
use pm_core::ids::{FillId, InstrumentIdx, IntentId, MarketIdx};
use pm_core::market::Outcome as Side2;
use pm_core::order::{Fill, Purpose, SettlementState, SettlementUpdate, Side, Tradable};
use pm_core::time::Dur;
use pm_core::units::{Qty, Ratio, Usd};

use crate::frames::{self, A, B};
use crate::script::{self, Script, ts};
use crate::world::{PUSD, Said, World, px, qty, ratio, usd};

fn hedging() -> World {
    let mut w = World::default();
    (w.cfg.model.vol_floor_annual, w.cfg.model.vol_cap_annual) = (ratio("0.5"), ratio("0.5"));
    (w.cfg.model.max_hedge_age, w.cfg.model.max_reference_age) = (Dur::from_secs(3), Dur::from_secs(10));
    w.cfg.model.clock_error_ms = 0;
    let h = &mut w.cfg.strategy.hedge;
    (h.max_cost_ratio, h.max_margin_ratio, h.exit_over) = (Ratio::ONE, ratio("1000"), Dur::ZERO);
    let r = &mut w.cfg.risk;
    (r.max_daily_loss, r.max_weekly_loss, r.max_structure_loss) = (Ratio::ONE, Ratio::ONE, Ratio::ONE);
    w
}

#[test]
fn two_entries_on_their_way_share_what_is_left_of_the_marked_limit() {
    // A share asked at 0.60 and bid at 0.40 is marked at 0.50: 0.10 and its fee below its cost, and two entries are under way before a fill
    // is known. 2 % of 2,000 is 40: the first may show 20, the second half of the 20 that the first leaves.
    let mut w = World::default();
    (w.cfg.strategy.hedge.enabled, w.cfg.strategy.strategies.set_arbitrage) = (false, false);
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600).above(B, "75,000", 3_600);
    s.at(10_000).book(A, &[("0.40", "5000")], &[("0.60", "5000")]);
    s.at(10_010).book(B, &[("0.40", "5000")], &[("0.60", "5000")]);
    s.pong(10_050);
    let out = w.play(&s);
    let [first, second] = [out.entries()[0].qty, out.entries()[1].qty];
    assert!((first - second - second).abs() <= Qty::ONE, "{first} and {second}: the second is half of the first");
}

#[test]
fn a_word_on_settlement_that_overtakes_its_fill_is_not_lost() {
    // Matched at 10.040, known at 10.080; the venue's FAILED is heard at 10.060.
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(10_020).change(A, &[("0.60", "100", "SELL"), ("0.70", "100", "SELL")]);
    s.at(10_060).event(&Event::Settlement(SettlementUpdate { fill: FillId(1), state: SettlementState::Failed, at: ts(10_060) }));
    s.at(10_070).change(A, &[("0.60", "0", "SELL")]);
    s.pong(10_500);
    let mut w = World::default();
    w.cfg.risk.cooldown_ms = 600_000;
    let out = w.play(&s);
    assert_eq!(out.core.engine.stats().failed_fills, 1);
    assert_eq!(out.core.engine.ledger().cash(crate::world::POLY, PUSD), usd("1000"), "booked and reversed to the last unit");
    assert_eq!((out.core.engine.open_structures(), out.core.engine.stats().total.trades), (0, 0));
}

#[test]
fn a_fee_that_is_not_the_schedules_is_told() {
    // 5 shares at 0.60 cost 5 * 0.07 * 0.6 * 0.4 = 0.084; this fill claims 0.2.
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "5")], &[("0.60", "5")]);
    let fill = Fill {
        id: FillId(99),
        intent: IntentId(1),
        target: Tradable::Outcome(MarketIdx(0), Side2::First),
        side: Side::Buy,
        px: px("0.6"),
        qty: qty("5"),
        fee: usd("0.2"),
        fee_currency: PUSD,
        liquidity: Liquidity::Taker,
        settlement: SettlementState::Confirmed,
        at: ts(10_010),
    };
    s.at(10_010).event(&Event::Fill(fill));
    s.pong(10_020);
    let out = World::default().play(&s);
    let told = |s: &&Said| matches!(s, Said::Alert(a) if &*a.text == "fee at prediction_taker: 0.2 charged, 0.084 expected");
    assert_eq!(out.log.iter().filter(told).count(), 1);
    assert_eq!(out.core.engine.commission().alarms(), 1);
}

/// Two strikes, both hedged.
fn two_hedged() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "80,000", 7_200).above(B, "80,100", 7_200);
    s.at(9_950).price(80_000);
    s.at(10_000).book(A, &[("0.28", "52")], &[("0.30", "52")]);
    s.at(10_100).change(A, &[("0.30", "0", "SELL"), ("0.60", "52", "SELL")]);
    s.at(10_200).book(B, &[("0.16", "26")], &[("0.18", "26")]);
    s.at(10_300).change(B, &[("0.18", "0", "SELL"), ("0.60", "26", "SELL")]);
    s
}

#[test]
fn funding_of_two_holders_belongs_to_both_and_results_add_up() {
    let mut s = two_hedged();
    s.at(11_000).raw(script::LINEAR, frames::ticker(11_000, "80000", "0.0001", 600_000).as_bytes());
    s.at(601_000).raw(script::LINEAR, frames::ticker(601_000, "80000", "0.0001", 29_400_000).as_bytes());
    s.at(7_199_000).perp(&[("79899.9", "50")], &[("79900.1", "50")]);
    s.at(7_260_000).resolved(A, A.second).resolved(B, B.second);
    s.pong(7_261_000);
    let mut w = hedging();
    w.cfg.strategy.strategies.set_arbitrage = false;
    let out = w.play(&s);
    assert_eq!(out.orders().iter().filter(|o| o.purpose == Purpose::Hedge).count(), 2);
    let engine = &out.core.engine;
    assert!(engine.ledger().pnl(pm_ledger::PnlCause::Funding).is_positive(), "both are short at a positive rate");
    assert_eq!(engine.stats().total.net, engine.ledger().realized_total(), "no cent belongs to nobody");
    let by_class: Usd = engine.stats().by_class.values().map(|t| t.net).sum();
    assert_eq!(by_class, engine.ledger().realized_total());
}

#[test]
fn a_hedge_whose_book_is_lost_is_not_a_loss_of_its_notional() {
    // The perpetual's book is lost at the end: the short of about 2,720 is closed at its last mark less slip and fee.
    let mut s = two_hedged();
    s.at(20_000).event(&Event::BookLost { book: BookId::Instrument(InstrumentIdx(0)), why: BookLoss::Disconnected });
    s.pong(20_050);
    let mut w = hedging();
    w.cfg.strategy.strategies.set_arbitrage = false;
    let out = w.play(&s);
    assert_eq!(out.orders().iter().filter(|o| o.purpose == Purpose::Hedge).count(), 2);
    let shares: Usd = out.core.engine.ledger().open_cost();
    let lost = -out.core.engine.executable_pnl();
    assert!(lost.is_positive() && lost < shares + Usd::whole(10), "{lost} of {shares} in shares");
}
