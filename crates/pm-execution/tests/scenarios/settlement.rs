//! Late words: a fill that fails after its market paid, a fill that arrives after the result, answers out of order, answers at the end.

use pm_core::ids::IntentId;
use pm_core::order::OrderState;
use pm_core::units::Ratio;

use crate::frames::A;
use crate::script::Script;
use crate::world::{World, ratio, usd};

fn opening() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(10_100).change(A, &[("0.60", "0", "SELL")]);
    s
}

#[test]
fn a_fill_that_fails_after_its_market_paid_gives_the_payoff_back() {
    // Bought at 10.040 s, resolved at 12 s (100 paid), failed at 16.080 s.
    let mut s = opening();
    s.at(12_000).resolved(A, A.first);
    s.pong(20_000);
    let mut world = World::default();
    world.poly.failure_rate = Ratio::ONE;
    let out = world.play(&s);
    // As if it had never been.
    out.settled("1000", "1000");
    assert_eq!(out.core.engine.stats().total.net, usd("0"));
}

#[test]
fn a_fill_that_was_on_its_way_when_its_market_resolved_is_paid() {
    // Matched at 10.040 s, resolved at 10.060 s, known at 10.080 s.
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(10_060).resolved(A, A.first);
    s.pong(20_000);
    // 1,000 - 60 - 1.68 + 100.
    World::default().play(&s).settled("1038.32", "1000");
}

#[test]
fn answers_on_their_way_at_the_end_still_arrive() {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    let out = World::default().play(&s);
    assert_eq!(out.fill_words(), ["buy 100 @ 0.6 fee 1.68"]);
    assert_eq!(out.cash(), (usd("938.32"), usd("1000")));
    let stats = out.core.engine.stats();
    assert_eq!((out.core.engine.open_structures(), stats.total.trades), (1, 0), "open is neither won nor lost");
}

#[test]
fn a_word_of_done_before_its_fill_does_not_close_the_structure() {
    use pm_core::event::Event;
    use pm_core::fees::Liquidity;
    use pm_core::ids::{FillId, MarketIdx};
    use pm_core::market::Outcome;
    use pm_core::order::{Fill, OrderUpdate, SettlementState, Side, Tradable};
    // The venue's own answers are too late to matter (20 s); ours come first and in the wrong order: killed with 30 filled, then the 30.
    let mut s = opening();
    let update = OrderUpdate {
        intent: IntentId(1),
        state: OrderState::Cancelled,
        filled: crate::world::qty("30"),
        reason: Some(pm_core::refusal::VenueRefusal::NotFilled),
        at: crate::script::ts(10_500),
    };
    let fill = Fill {
        id: FillId(77),
        intent: IntentId(1),
        target: Tradable::Outcome(MarketIdx(0), Outcome::First),
        side: Side::Buy,
        px: crate::world::px("0.60"),
        qty: crate::world::qty("30"),
        fee: usd("0.504"),
        fee_currency: crate::world::PUSD,
        liquidity: Liquidity::Taker,
        settlement: SettlementState::Confirmed,
        at: crate::script::ts(10_500),
    };
    s.at(10_500).event(&Event::Order(update));
    s.at(10_600).event(&Event::Fill(fill.clone()));
    // A repeated fill is the same fill.
    s.at(10_700).event(&Event::Fill(fill));
    s.at(11_000).resolved(A, A.first);
    s.pong(11_100);
    let mut world = World::default();
    world.poly.latency_ms = vec![60_000];
    let out = world.play(&s);
    let ledger = out.core.engine.ledger();
    // 1,000 - 18 - 0.504 + 30.
    assert_eq!(ledger.cash(crate::world::POLY, crate::world::PUSD), usd("1011.496"));
    assert_eq!((out.core.engine.open_structures(), out.core.engine.stats().total.net), (0, usd("11.496")));
}

#[test]
fn a_partial_failure_leaves_the_other_fills() {
    // Two levels, two fills; with this seed and rate one of them fails. Whatever fails, ledger and venue agree.
    for rate in ["0.3", "0.5", "0.7"] {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).above(A, "76,000", 3_600);
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "30"), ("0.62", "40"), ("0.65", "50")]);
        s.at(10_100).change(A, &[("0.60", "0", "SELL"), ("0.62", "0", "SELL"), ("0.65", "0", "SELL")]);
        s.at(3_660_000).resolved(A, A.first);
        s.pong(3_661_000);
        let mut world = World::default();
        world.poly.failure_rate = ratio(rate);
        let out = world.play(&s);
        let (cash, _) = out.cash();
        // Gains of the three fills: 30 * 0.40 - 0.504, 40 * 0.38 - 0.65968, 50 * 0.35 - 0.79625.
        let gains = [usd("11.496"), usd("14.54032"), usd("16.70375")];
        let sums: Vec<_> = (0..8).map(|bits| (0..3).filter(|i| bits >> i & 1 == 1).map(|i| gains[i]).sum()).collect();
        assert!(sums.contains(&(cash - usd("1000"))), "{cash} at {rate}");
        assert_eq!(out.core.engine.open_structures(), 0);
    }
}
