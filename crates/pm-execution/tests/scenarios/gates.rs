//! Each gate through the engine: an order just inside is sent, just outside it is refused by that name. Yes of 76,000 at a price of 80,000
//! (worth 1) at 0.60 appears at 10.000 s unless said otherwise.

use pm_core::event::{Event, Operator, VenueWord};

use crate::frames::{self, A, B, Terms};
use crate::script::Script;
use crate::world::{POLY, World};

fn begin() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s
}

fn appear(s: &mut Script) -> &mut Script {
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.pong(11_000)
}

#[track_caller]
fn sent(world: &World, s: &Script, entries: usize) {
    let out = world.play(s);
    assert_eq!(out.entries().len(), entries, "refused: {:?}", out.core.engine.stats().refused);
}

#[track_caller]
fn refused(world: &World, s: &Script, entries: usize, code: &str) {
    let out = world.play(s);
    let stats = out.core.engine.stats();
    assert_eq!((out.entries().len(), out.refused(code)), (entries, 1), "refused: {:?}", stats.refused);
    // The episode's row keeps the reason.
    assert!(out.opportunities().iter().any(|o| o.closed_at.is_some() && o.refusal.is_some_and(|r| r.code() == code)));
}

fn kill() -> Operator {
    Operator::Kill { reason: "test".into() }
}
fn reset(reason: &str) -> Operator {
    Operator::Reset { reason: reason.into() }
}

#[test]
fn kill_switch() {
    let mut s = begin();
    refused(&World::default(), appear(s.operator(kill())), 0, "kill_switch");
    let mut s = begin();
    sent(&World::default(), appear(s.operator(kill()).operator(reset("tested"))), 1);
    // A reset without a reason is none.
    let mut s = begin();
    refused(&World::default(), appear(s.operator(kill()).operator(reset(" "))), 0, "kill_switch");
}

#[test]
fn paused() {
    let mut s = begin();
    refused(&World::default(), appear(s.operator(Operator::Pause)), 0, "paused");
    let mut s = begin();
    sent(&World::default(), appear(s.operator(Operator::Pause).operator(Operator::Resume)), 1);
}

#[test]
fn venue_mode() {
    let said = |word| Event::Venue { venue: POLY, word };
    for word in [VenueWord::Restarting, VenueWord::CancelOnly, VenueWord::PostOnly] {
        let mut s = begin();
        refused(&World::default(), appear(s.event(&said(word))), 0, "venue_mode");
        let mut s = begin();
        sent(&World::default(), appear(s.event(&said(word)).event(&said(VenueWord::Normal))), 1);
    }
}

#[test]
fn a_venue_that_said_no_stays_closed_until_a_person_names_it() {
    let no = Event::Venue { venue: POLY, word: VenueWord::Banned };
    let mut s = begin();
    refused(&World::default(), appear(s.event(&no).operator(reset("checked"))), 0, "venue_says_no");
    let mut s = begin();
    sent(&World::default(), appear(s.event(&no).operator(reset("polymarket lifted it"))), 1);
}

#[test]
fn the_market_takes_orders() {
    for (accepting, opens, open) in [(true, 10, true), (true, 12, false), (false, 0, false)] {
        let terms = Terms { accepting, opens, ..Terms::default() };
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).gamma(&frames::gamma_above(A, "76,000", 3_600, &terms));
        appear(&mut s);
        if open {
            sent(&World::default(), &s, 1);
        } else {
            refused(&World::default(), &s, 0, "not_accepting");
        }
    }
}

#[test]
fn time_left() {
    // The window ends at 300 s; ten seconds are the least.
    for (at, open) in [(290_000, true), (290_001, false)] {
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).updown(A, 0, "76000");
        s.at(at).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.pong(at + 500);
        if open {
            sent(&World::default(), &s, 1);
        } else {
            refused(&World::default(), &s, 0, "too_close_to_end");
        }
    }
}

#[test]
fn price_grid() {
    // The grid became coarser; resting levels keep their prices, and an order at 0.605 would be refused by the venue.
    for (ask, open) in [("0.60", true), ("0.605", false)] {
        let terms = Terms { tick: "0.001", ..Terms::default() };
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).gamma(&frames::gamma_above(A, "76,000", 3_600, &terms));
        s.at(9_500).raw(crate::script::MARKET, frames::tick_size(A, 9_500, "0.001", "0.01").as_bytes());
        s.at(10_000).book(A, &[("0.58", "100")], &[(ask, "100")]);
        s.pong(11_000);
        if open {
            sent(&World::default(), &s, 1);
        } else {
            refused(&World::default(), &s, 0, "price_off_grid");
        }
    }
}

#[test]
fn age_of_the_book() {
    // The book stands since 10.000 s; the market opens for orders 30 s later, and a millisecond after that.
    for (at, open) in [(40_000, true), (40_001, false)] {
        let closed = Terms { accepting: false, ..Terms::default() };
        let mut s = Script::new();
        s.warm_up(1_000, 80_000);
        s.at(9_000).gamma(&frames::gamma_above(A, "76,000", 3_600, &closed));
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(at).above(A, "76,000", 3_600);
        s.perp(&[("80009.9", "50")], &[("80010.1", "50")]);
        s.pong(at + 500);
        let out = World::default().play(&s);
        assert_eq!(out.entries().len(), usize::from(open), "{:?}", out.core.engine.stats().refused);
        assert_eq!(out.refused("book_stale"), u64::from(!open));
    }
}

#[test]
fn age_of_the_hedge_venues_price() {
    // Last price at 8.000 s, believed for three seconds: not a millisecond longer, whenever the fair value was computed.
    for (at, open) in [(11_000, true), (11_001, false)] {
        let mut s = begin();
        s.at(at).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.pong(at + 500);
        let mut world = World::default();
        world.cfg.model.max_hedge_age = pm_core::time::Dur::from_secs(3);
        if open {
            sent(&world, &s, 1);
        } else {
            refused(&world, &s, 0, "hedge_price_stale");
        }
    }
}

#[test]
fn age_of_the_settlement_source() {
    for (at, open) in [(18_000, true), (18_001, false)] {
        let mut s = begin();
        s.at(17_900).perp(&[("79999.9", "7")], &[("80000.1", "7")]);
        s.at(at).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.pong(at + 500);
        let mut world = World::default();
        world.cfg.model.max_reference_age = pm_core::time::Dur::from_secs(10);
        if open {
            sent(&world, &s, 1);
        } else {
            refused(&world, &s, 0, "reference_stale");
        }
    }
}

#[test]
fn an_order_of_unknown_outcome_blocks_new_risk() {
    // The order of 10.000 s is answered only after 22 s; from 20.1 s on its outcome is unknown.
    for (at, open) in [(19_950, true), (20_150, false)] {
        let mut s = begin();
        s.above(B, "75,000", 3_600);
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(at).book(B, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(at).change(B, &[("0.60", "0", "SELL")]);
        s.pong(at + 2_000);
        let mut world = World::default();
        world.poly.latency_ms = vec![11_000];
        if open {
            sent(&world, &s, 2);
        } else {
            refused(&world, &s, 1, "order_unknown");
        }
    }
}

#[test]
fn one_structure_in_a_market() {
    // Yes of A is bought by itself; then B's bid makes a set of it: Yes of A at 0.60 and No of B at 0.30.
    let mut s = begin();
    s.above(B, "77,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.at(11_000).book(B, &[("0.70", "100")], &[]);
    s.pong(12_000);
    refused(&World::default(), &s, 1, "already_open");
    // Nothing open in A: the set is taken.
    let mut world = World::default();
    world.cfg.strategy.strategies.cross_exchange = false;
    sent(&world, &s, 2);
}

#[test]
fn structures_open_at_once() {
    for (limit, entries) in [(2, 2), (1, 1)] {
        let mut s = begin();
        s.above(B, "75,000", 3_600);
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(11_000).book(B, &[("0.58", "100")], &[("0.60", "100")]);
        s.pong(12_000);
        let mut world = World::default();
        world.cfg.risk.max_open_structures = limit;
        if entries == 2 {
            sent(&world, &s, 2);
        } else {
            refused(&world, &s, 1, "too_many_open");
        }
    }
}

#[test]
fn rest_after_an_order() {
    // The order of 10.000 s finds nothing; that is known at 10.080 s. The market rests five seconds from there.
    for (at, open) in [(15_080, true), (15_079, false)] {
        let mut s = begin();
        s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
        s.at(10_020).change(A, &[("0.60", "0", "SELL")]);
        s.at(at).change(A, &[("0.60", "100", "SELL")]);
        s.at(at).change(A, &[("0.60", "0", "SELL")]);
        s.pong(at + 2_000);
        if open {
            sent(&World::default(), &s, 2);
        } else {
            refused(&World::default(), &s, 1, "cooling_down");
        }
    }
}

#[test]
fn switched_off_strategies_and_classes() {
    let mut world = World::default();
    world.cfg.strategy.strategies.cross_exchange = false;
    let mut s = begin();
    refused(&world, appear(&mut s), 0, "strategy_off");
    let mut world = World::default();
    world.cfg.strategy.classes.vol_model = false;
    let mut s = begin();
    refused(&world, appear(&mut s), 0, "class_off");
}

#[test]
fn the_smallest_edge() {
    // At 0.98: worth 1, asked 0.98, fee 0.07 * 0.98 * 0.02 = 0.001372, margin 1 - 0.999 = 0.001, rounding of costs below 0.0001:
    // net 0.0176 of 0.98 = 1.8 %. A minimum of 1.7 % takes it, one of 1.9 % does not.
    for (min, open) in [("0.017", true), ("0.019", false)] {
        let mut s = begin();
        s.at(10_000).book(A, &[("0.97", "100")], &[("0.98", "100")]);
        s.pong(11_000);
        let mut world = World::default();
        world.cfg.strategy.min_edge = crate::world::ratio(min);
        if open {
            sent(&world, &s, 1);
        } else {
            refused(&world, &s, 0, "below_min_edge");
        }
    }
}
