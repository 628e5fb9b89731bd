//! The invariants that hold for every stream (design: invariants 3, 4, 6), looked at after every single step. Invariant 7 is in `taking`.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use pm_core::book::BookState;
use pm_core::command::{Command, VenueCommand};
use pm_core::event::{BookId, Event, Operator};
use pm_core::ids::MarketIdx;
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, Purpose, Tradable};
use pm_core::units::{Qty, Usd};
use pm_execution::journal::JournalFileError;
use pm_execution::replay::{ReplayError, replay};
use proptest::prelude::*;

use crate::bench::{Bench, Step};
use crate::frames::A;
use crate::script::Script;
use crate::streams::{acts, runner, script, world};
use crate::world::{BYBIT, POLY, PUSD, USDT, World};

#[derive(Debug, Default)]
struct Seen {
    quiet: u64,
    fills: u64,
    failed: u64,
    hedged: u64,
    resolved: u64,
    entries: u64,
    trips: u64,
    tripped_steps: u64,
    blocked: u64,
}

/// The ledger adds up; where nothing is on its way, cash and shares are those of the venues' own accounts.
fn balanced(step: &Step<'_>, seen: &mut Seen) {
    let ledger = step.engine.ledger();
    ledger.check().unwrap_or_else(|e| panic!("{e} after {:?}", step.event));
    seen.resolved += u64::from(matches!(step.event, Event::Resolved { .. }));
    if let Event::Fill(fill) = step.event {
        seen.fills += 1;
        seen.hedged += u64::from(matches!(fill.target, Tradable::Instrument(_)));
    }
    if !step.quiet {
        return;
    }
    seen.quiet += 1;
    for (venue, id, currency) in [(&step.venues[0], POLY, PUSD), (&step.venues[1], BYBIT, USDT)] {
        assert_eq!(ledger.cash(id, currency), venue.cash(), "cash on {id} after {:?}", step.event);
    }
    for slot in 0..4 {
        for outcome in [Outcome::First, Outcome::Second] {
            let target = Tradable::Outcome(MarketIdx(slot), outcome);
            let held: Qty = ledger.positions().filter(|(_, t, _)| *t == target).map(|(_, _, p)| p.qty).sum();
            assert_eq!(held, step.venues[0].shares(MarketIdx(slot), outcome), "shares of {slot} after {:?}", step.event);
        }
    }
    // No money appears: what there is beyond the start is the realised result and what is bound in shares.
    let made = ledger.realized_total() - ledger.open_cost();
    assert_eq!(ledger.cash_total(), step.engine.capital_start() + made);
}

#[test]
fn invariant_3_the_ledger_balances_and_money_is_conserved() {
    let seen = Rc::new(RefCell::new(Seen::default()));
    runner(96)
        .run(&acts(), |acts| {
            let look = Rc::clone(&seen);
            let mut bench = Bench::new(&world(), move |step| balanced(step, &mut look.borrow_mut()));
            bench.play(&script(&acts));
            seen.borrow_mut().failed += bench.inner.engine.stats().failed_fills;
            prop_assert_eq!(bench.inner.engine.ledger().open_cost(), Usd::ZERO, "all markets ended");
            Ok(())
        })
        .unwrap();
    let s = seen.borrow();
    println!("{s:?}");
    assert!(
        s.quiet > 10_000 && s.fills > 300 && s.failed > 50 && s.hedged > 30 && s.resolved > 300,
        "too little happened: {s:?}"
    );
}

/// No order that adds risk leaves while the switch is tripped, nor after the trip within one step, nor on a market that may not be traded.
fn guarded(step: &Step<'_>, seen: &mut Seen) {
    let reset = matches!(step.event, Event::Operator(Operator::Reset { .. }));
    let mut tripped = step.was_tripped && !reset;
    seen.tripped_steps += u64::from(tripped);
    for command in step.commands {
        match command {
            Command::KillSwitch(record) => {
                tripped = record.tripped;
                seen.trips += u64::from(record.tripped);
            }
            Command::Venue(VenueCommand::Submit(approved)) => {
                let intent = approved.intent();
                let held = |t| step.engine.ledger().position(intent.structure, t).map_or(Qty::ZERO, |p| p.qty);
                if intent.purpose == Purpose::Reduce {
                    // A reduction never turns a position round.
                    let (position, sells) = (held(intent.target), intent.side == pm_core::order::Side::Sell);
                    assert!(position.is_positive() == sells && intent.qty <= position.abs(), "{intent:?} reduces {position}");
                    continue;
                }
                // Tripped, only a hedge of confirmed shares may still be opened: it lowers what can be lost.
                let confirmed = || {
                    step.engine
                        .ledger()
                        .positions()
                        .any(|(s, t, p)| s == intent.structure && matches!(t, Tradable::Outcome(..)) && p.qty.is_positive())
                };
                let hedges = intent.purpose == Purpose::Hedge && matches!(intent.target, Tradable::Instrument(_)) && confirmed();
                assert!(!tripped || hedges, "{intent:?} left while tripped, on {:?}", step.event);
                if intent.purpose == Purpose::Entry {
                    seen.entries += 1;
                    allowed(step, intent);
                }
            }
            _ => {}
        }
    }
}

fn allowed(step: &Step<'_>, intent: &OrderIntent) {
    assert!(!step.engine.risk().paused(), "paused");
    assert!(step.engine.risk().closed_venues().all(|v| v != intent.venue), "the venue said no");
    let Tradable::Outcome(idx, _) = intent.target else { panic!("an entry on the hedge venue") };
    let market = step.engine.view().market(idx).unwrap();
    let rule = market.rule.understood().expect("the rule is understood");
    assert!(market.accepting && step.now < rule.final_at && step.now >= market.opens_at);
    let book = step.engine.view().book(BookId::Market(idx)).unwrap();
    assert_eq!(book.state, BookState::Synced);
    assert!(step.now.since(book.recv_at).millis() <= 30_000);
    // A set depends on its books alone; an outright leg on the prices behind its fair value.
    let legs = step
        .commands
        .iter()
        .filter(|c| matches!(c, Command::Venue(VenueCommand::Submit(a)) if a.intent().structure == intent.structure));
    if legs.count() == 1 {
        let fair = step.engine.fair(idx).unwrap();
        assert!(fair.is_ok(), "the prices that it depends on are not fresh: {fair:?} at {} on {:?}", step.now, step.event);
    }
    assert!(intent.limit.is_multiple_of(market.tick) && intent.qty >= market.min_qty);
}

#[test]
fn invariant_4_no_new_risk_while_tripped() {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut world = world();
    // The switch trips easily: 1 % of the day, 3 failures.
    (world.cfg.risk.max_daily_loss, world.cfg.risk.max_failed_executions) = (crate::world::ratio("0.01"), 2);
    world.cfg.model.max_hedge_age = pm_core::time::Dur::from_secs(3);
    runner(96)
        .run(&acts(), |acts| {
            let look = Rc::clone(&seen);
            let mut bench = Bench::new(&world, move |step| guarded(step, &mut look.borrow_mut()));
            bench.play(&script(&acts));
            seen.borrow_mut().blocked += bench.inner.engine.stats().refused.get("kill_switch").copied().unwrap_or(0);
            Ok(())
        })
        .unwrap();
    let s = seen.borrow();
    println!("{s:?}");
    assert!(s.trips > 60 && s.entries > 200 && s.tripped_steps > 10_000 && s.blocked > 50, "too little happened: {s:?}");
}

/// A journal's records: offset of the payload and its length.
fn records(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut at = 12;
    let mut found = Vec::new();
    while at + 12 <= bytes.len() {
        let length = usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
        found.push((at + 12, length));
        at += 12 + length;
    }
    found
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn invariant_6_same_events_same_commands() {
    let dir = tempfile::tempdir().unwrap();
    let count = RefCell::new(0_u32);
    runner(24)
        .run(&acts(), |acts| {
            *count.borrow_mut() += 1;
            let path = dir.path().join(format!("{}.pmj", count.borrow()));
            let script = script(&acts);
            let first = world().play(&script);
            let second = World { journal: Some(path.clone()), ..world() }.play(&script);
            prop_assert_eq!(first.core.decision_hash(), second.core.decision_hash(), "two runs");
            prop_assert_eq!(first.orders(), second.orders());
            let again = replay(&path, &mut |_, _| {}).unwrap();
            prop_assert!(again.differs.is_none(), "{:?}", again.differs);
            prop_assert_eq!(again.torn_at, None);
            prop_assert_eq!(
                (again.steps, again.decision_hash),
                (second.core.steps(), second.core.decision_hash()),
                "the journal"
            );
            prop_assert_eq!(again.engine.stats().orders, second.core.engine.stats().orders);
            Ok(())
        })
        .unwrap();
}

#[test]
fn invariant_6_a_flipped_byte_is_reported_as_corruption_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pmj");
    let out = World { journal: Some(path.clone()), ..World::default() }.play(&decided());
    assert_eq!(out.orders().len(), 1);
    let good = std::fs::read(&path).unwrap();
    let records = records(&good);
    let hash = replay(&path, &mut |_, _| {}).unwrap().decision_hash;
    let broken = dir.path().join("b.pmj");
    // The end record is the last one.
    let last = records.len() - 1;
    for (i, (at, length)) in records.iter().enumerate().step_by(7) {
        let mut bytes = good.clone();
        bytes[at + length / 2] ^= 0x10;
        write(&broken, &bytes);
        match replay(&broken, &mut |_, _| {}) {
            Err(ReplayError::File(JournalFileError::Corrupt { offset, .. })) => {
                assert_eq!(offset, u64::try_from(at - 12).unwrap(), "record {i}");
            }
            // The last record may be half-written by a crash: left out, and said. It holds no step.
            Ok(r) => assert!(i == last && r.torn_at.is_some() && !r.complete && r.decision_hash == hash, "record {i}"),
            Err(e) => panic!("record {i}: {e}"),
        }
    }
    // Cut anywhere: readable to the last whole record, and said.
    for cut in [good.len() - 1, good.len() - 9, good.len() / 2] {
        write(&broken, &good[..cut]);
        let r = replay(&broken, &mut |_, _| {}).unwrap();
        assert!(r.differs.is_none() && r.torn_at.is_some() && !r.complete && r.steps <= out.core.steps());
    }
}

fn decided() -> Script {
    let mut s = Script::new();
    s.warm_up(1_000, 80_000);
    s.at(9_000).above(A, "76,000", 3_600);
    s.at(10_000).book(A, &[("0.58", "100")], &[("0.60", "100")]);
    s.pong(11_000);
    s
}

#[test]
fn invariant_6_a_changed_event_is_reported_as_the_step_that_differs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pmj");
    let out = World { journal: Some(path.clone()), ..World::default() }.play(&decided());
    let good = std::fs::read(&path).unwrap();
    let whole = replay(&path, &mut |_, _| {}).unwrap();
    assert_eq!(whole.decision_hash, out.core.decision_hash());
    let broken = dir.path().join("b.pmj");
    let mut reported = 0;
    // Step by step: one byte of the event changes, and the checksum with it, as somebody who edits the file would.
    for (step, (at, length)) in records(&good).into_iter().enumerate().skip(1) {
        let mut bytes = good.clone();
        if length <= 18 {
            continue;
        }
        // Past the time; the last eight bytes are the digest of the commands.
        let place = at + 9 + (length - 17) / 2;
        bytes[place] ^= 0x01;
        seal(&mut bytes, at, length);
        write(&broken, &bytes);
        match replay(&broken, &mut |_, _| {}) {
            Err(ReplayError::File(JournalFileError::Corrupt { offset, .. })) => {
                assert_eq!(offset, u64::try_from(at - 12).unwrap(), "not an event any more: step {step}");
            }
            Err(e) => panic!("step {step}: {e}"),
            Ok(r) => match r.differs {
                Some(d) => {
                    reported += 1;
                    assert!(d.step >= u64::try_from(step).unwrap(), "step {step} reported as {}", d.step);
                }
                None => assert_ne!(r.decision_hash, whole.decision_hash, "step {step} went unnoticed"),
            },
        }
    }
    assert!(reported > 3, "{reported}");
    // A changed digest is the step itself.
    let (at, length) = records(&good)[5];
    let mut bytes = good;
    bytes[at + length - 1] ^= 0x01;
    seal(&mut bytes, at, length);
    write(&broken, &bytes);
    assert_eq!(replay(&broken, &mut |_, _| {}).unwrap().differs.unwrap().step, 5);
}

/// Makes both checksums of a record fit its bytes again.
fn seal(bytes: &mut [u8], at: usize, length: usize) {
    let crc = crc32(&bytes[at..at + length]);
    bytes[at - 8..at - 4].copy_from_slice(&crc.to_le_bytes());
    let head = crc32(&bytes[at - 12..at - 4]);
    bytes[at - 4..at].copy_from_slice(&head.to_le_bytes());
}

/// Found by hand: a flipped bit in the *length* of a record in the middle once passed as a torn tail, and half of the journal was left out.
#[test]
fn a_flipped_length_in_the_middle_is_corruption_and_no_torn_tail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pmj");
    World { journal: Some(path.clone()), ..World::default() }.play(&decided());
    let good = std::fs::read(&path).unwrap();
    let broken = dir.path().join("b.pmj");
    for (at, _) in records(&good).into_iter().skip(1).step_by(7) {
        for bit in [0, 9, 17, 24] {
            let mut bytes = good.clone();
            bytes[at - 12 + bit / 8] ^= 1 << (bit % 8);
            write(&broken, &bytes);
            let place = u64::try_from(at - 12).unwrap();
            assert!(
                matches!(replay(&broken, &mut |_, _| {}), Err(ReplayError::File(JournalFileError::Corrupt { offset, .. })) if offset == place),
                "bit {bit} of the length at {place}"
            );
        }
    }
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
}
