//! Invariant 3: the ledger balances after every event; no money appears or disappears, to the last unit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::*;
use pm_core::event::{CashKind, CashMovement};
use pm_core::ids::{InstrumentIdx, StructureId};
use pm_core::order::{Fill, Side, Tradable};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Usd};
use pm_ledger::{Account, Asset, Entry, Ledger, Posting};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Fill { structure: u64, target: Tradable, buy: bool, qty: i64, px: i64, fee: i64 },
    Reverse(usize),
    Resolve(bool),
    Capital(i64),
    Move(u8, i64, u64),
    Forget(u64),
}

fn outcome() -> impl Strategy<Value = Tradable> {
    prop_oneof![Just(UP), Just(DOWN)]
}

fn step() -> impl Strategy<Value = Step> {
    let (qty, fee) = (1_i64..100_000_000_000, 0_i64..1_000_000_000);
    prop_oneof![
        6 => (0..3_u64, outcome(), any::<bool>(), qty.clone(), 0_i64..=100_000_000, fee.clone())
            .prop_map(|(structure, target, buy, qty, px, fee)| Step::Fill { structure, target, buy, qty, px, fee }),
        6 => (0..3_u64, any::<bool>(), qty, 1_i64..10_000_000_000_000, fee)
            .prop_map(|(structure, buy, qty, px, fee)| Step::Fill { structure, target: PERP, buy, qty, px, fee }),
        3 => any::<usize>().prop_map(Step::Reverse),
        1 => any::<bool>().prop_map(Step::Resolve),
        1 => (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Step::Capital),
        2 => (0..5_u8, -1_000_000_000_i64..1_000_000_000, 0..3_u64).prop_map(|(k, a, s)| Step::Move(k, a, s)),
        1 => (0..3_u64).prop_map(Step::Forget),
    ]
}

fn make(id: u128, target: Tradable, buy: bool, qty: i64, px: i64, fee: i64) -> Fill {
    let mut f = fill(id, target, if buy { Side::Buy } else { Side::Sell }, "1", "0", "0");
    (f.qty, f.px, f.fee) = (Qty::from_raw(qty), Px::from_raw(px), Usd::from_raw(fee));
    f
}

fn apply(ledger: &mut Ledger, step: &Step, next: &mut u128) -> bool {
    match *step {
        Step::Fill { structure, target, buy, qty, px, fee } => {
            *next += 1;
            post_fill(ledger, StructureId(structure), &make(*next, target, buy, qty, px, fee)).is_ok()
        }
        Step::Reverse(which) => {
            let id = if *next == 0 { 1 } else { u128::try_from(which).unwrap() % *next + 1 };
            reverse(ledger, id).is_ok()
        }
        Step::Resolve(first) => resolve(ledger, if first { "1" } else { "0" }).is_ok(),
        Step::Capital(amount) => ledger
            .post(Posting::Capital { venue: PREDICTION, currency: COLLATERAL, amount: Usd::from_raw(amount), at: Ts::ZERO })
            .is_ok(),
        Step::Move(kind, amount, structure) => {
            let kind = match kind {
                0 => CashKind::Transfer,
                1 => CashKind::TransferFee,
                2 => CashKind::Funding { instrument: InstrumentIdx(3) },
                3 => CashKind::Gas,
                _ => CashKind::Rebate,
            };
            let movement = CashMovement { venue: HEDGE, currency: QUOTE, amount: Usd::from_raw(amount), kind, at: Ts::ZERO };
            ledger.post(Posting::Movement { movement: &movement, structure: Some(StructureId(structure)), class: None }).is_ok()
        }
        Step::Forget(structure) => ledger.forget(StructureId(structure)),
    }
}

/// Balances from nothing but the rows.
fn balances(rows: &[Entry]) -> BTreeMap<(Account, Asset), i128> {
    let mut sums: BTreeMap<_, i128> = BTreeMap::new();
    for row in rows {
        *sums.entry((row.debit, row.asset)).or_default() += i128::from(row.amount);
        *sums.entry((row.credit, row.asset)).or_default() -= i128::from(row.amount);
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_ledger_balances_after_every_posting_and_refusals_change_nothing(steps in prop::collection::vec(step(), 1..60)) {
        let (mut ledger, mut next, mut rows) = (Ledger::new(), 0, Vec::new());
        for s in &steps {
            let before = views(&ledger);
            let posted = apply(&mut ledger, s, &mut next);
            let new: Vec<_> = ledger.drain().collect();
            if !posted {
                prop_assert_eq!(&before, &views(&ledger), "refused, but changed: {:?}", s);
                prop_assert!(new.is_empty());
            }
            rows.extend(new);
            prop_assert_eq!(ledger.check(), Ok(()), "after {:?}", s);
        }
        // The rows alone give every balance, and are numbered without gaps.
        for ((account, asset), sum) in balances(&rows) {
            prop_assert_eq!(i128::from(ledger.balance(account, asset)), sum, "{} {}", account, asset);
        }
        prop_assert!(rows.iter().zip(1_u64..).all(|(r, seq)| r.seq == seq && r.amount > 0));
        // Cash = capital + result - cost of what is open, per currency.
        prop_assert_eq!(ledger.cash_total(), ledger.capital() + ledger.realized_total() - ledger.open_cost());
    }

    #[test]
    fn reverse_right_after_a_fill_restores_every_view(
        steps in prop::collection::vec(step(), 0..40),
        target in prop_oneof![Just(UP), Just(DOWN), Just(PERP)],
        (buy, qty, px, fee) in (any::<bool>(), 1_i64..100_000_000_000, 0_i64..=100_000_000, 0_i64..1_000_000_000),
    ) {
        let (mut ledger, mut next) = (Ledger::new(), 0);
        for s in &steps {
            apply(&mut ledger, s, &mut next);
        }
        let before = views(&ledger);
        if post_fill(&mut ledger, S1, &make(9_999, target, buy, qty, px, fee)).is_ok() {
            reverse(&mut ledger, 9_999).unwrap();
            prop_assert_eq!(views(&ledger), before);
            prop_assert_eq!(ledger.check(), Ok(()));
        }
    }

    #[test]
    fn closing_in_any_parts_leaves_no_cost(
        opens in prop::collection::vec((1_i64..100_000_000_000, 1_i64..=99_999_999), 1..8),
        cuts in prop::collection::vec((1_i64..100_000_000, 1_i64..=99_999_999), 0..8),
        target in prop_oneof![Just(UP), Just(PERP)],
        short in any::<bool>(),
    ) {
        let mut ledger = Ledger::new();
        let opening_buy = !(short && target == PERP);
        let mut id = 0;
        let mut cash = 0_i128;
        let mut trade = |ledger: &mut Ledger, buy: bool, qty: i64, px: i64| {
            id += 1;
            post_fill(ledger, S1, &make(id, target, buy, qty, px, 0)).unwrap();
            // Value rounded against us: what a buy costs up, what a sell brings down.
            let value = i128::from(qty) * i128::from(px);
            cash += if buy { -((value + 99_999_999) / 100_000_000) } else { value / 100_000_000 };
        };
        let mut held = 0;
        for (qty, px) in opens {
            trade(&mut ledger, opening_buy, qty, px);
            held += qty;
        }
        for (qty, px) in cuts {
            let qty = qty.min(held - 1);
            if qty > 0 {
                trade(&mut ledger, !opening_buy, qty, px);
                held -= qty;
            }
        }
        trade(&mut ledger, !opening_buy, held, 50_000_000);
        prop_assert_eq!(ledger.position(S1, target), None);
        prop_assert_eq!(ledger.open_cost(), Usd::ZERO);
        prop_assert_eq!(i128::from(ledger.realized_total().raw()), cash, "what came in minus what went out, to the last unit");
        prop_assert_eq!(ledger.cash_total(), ledger.realized_total());
        prop_assert_eq!(ledger.check(), Ok(()));
        prop_assert!(ledger.forget(S1));
        prop_assert_eq!(ledger.check(), Ok(()));
    }

    #[test]
    fn with_reversals_everything_but_the_causes_is_as_if_the_voided_fills_had_never_been(
        fills in prop::collection::vec((any::<bool>(), 1_i64..100_000_000_000, 1_i64..10_000_000_000, 0_i64..1_000_000, any::<bool>()), 1..25),
        order in any::<u64>(),
    ) {
        let (mut with, mut without) = (Ledger::new(), Ledger::new());
        let mut void = Vec::new();
        for (id, (buy, qty, px, fee, fails)) in (1_u128..).zip(fills) {
            let f = make(id, PERP, buy, qty, px, fee);
            post_fill(&mut with, S1, &f).unwrap();
            if fails { void.push(id) } else { post_fill(&mut without, S1, &f).unwrap() }
        }
        if order % 2 == 0 {
            void.reverse();
        }
        for id in void {
            reverse(&mut with, id).unwrap();
            prop_assert_eq!(with.check(), Ok(()));
        }
        prop_assert_eq!(with.position(S1, PERP), without.position(S1, PERP));
        prop_assert_eq!(with.structure(S1), without.structure(S1));
        prop_assert_eq!(with.cash(HEDGE, QUOTE), without.cash(HEDGE, QUOTE));
        prop_assert_eq!(with.realized_total(), without.realized_total());
        prop_assert_eq!(with.fees_total(), without.fees_total());
    }
}
