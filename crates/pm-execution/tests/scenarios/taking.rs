//! Invariant 7: whatever orders meet whatever book, a fill is never better than what the venue showed at its match, and what was taken once
//! is not taken again. The judge keeps its own record of the book and of what was taken.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use pm_core::book::{BookSide, BookState, Level};
use pm_core::event::{BookId, Event};
use pm_core::fees::Liquidity;
use pm_core::ids::MarketIdx;
use pm_core::market::Outcome;
use pm_core::order::{OrderIntent, OrderState, Purpose, Side, Tif, Tradable};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Usd};
use proptest::prelude::*;

use crate::bench::Bench;
use crate::frames::A;
use crate::script::{Script, ts};
use crate::streams::runner;
use crate::world::{POLY, World};

#[derive(Debug, Clone)]
enum Deed {
    Book(Vec<(u8, u16)>, Vec<(u8, u16)>),
    Change(u8, u16, bool),
    Print(u8, u16, bool),
    Lost,
    Order { first: bool, buy: bool, quantity: u16, limit: u8, tif: u8 },
}

fn deeds() -> impl Strategy<Value = Vec<(u16, Deed)>> {
    let side = |from: u8, to: u8| proptest::collection::vec((from..to, 1..150_u16), 0..5);
    let deed = prop_oneof![
        3 => (side(20, 50), side(50, 80)).prop_map(|(b, a)| Deed::Book(b, a)),
        6 => (20..50_u8, 0..150_u16).prop_map(|(p, q)| Deed::Change(p, q, true)),
        6 => (50..80_u8, 0..150_u16).prop_map(|(p, q)| Deed::Change(p, q, false)),
        3 => (20..80_u8, 0..100_u16, any::<bool>()).prop_map(|(p, q, b)| Deed::Print(p, q, b)),
        1 => Just(Deed::Lost),
        9 => (any::<bool>(), proptest::bool::weighted(0.7), 5..200_u16, 20..80_u8, 0..4_u8)
            .prop_map(|(first, buy, quantity, limit, tif)| Deed::Order { first, buy, quantity, limit, tif }),
    ];
    proptest::collection::vec((1..400_u16, deed), 10..120)
}

/// The canonical book as the venue showed it, after each change.
#[derive(Debug, Clone)]
struct Shown {
    at: Ts,
    synced: bool,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Shown {
    fn side(&self, side: BookSide) -> &[Level] {
        if side == BookSide::Bid { &self.bids } else { &self.asks }
    }
    fn size(&self, side: BookSide, px: Px) -> Qty {
        self.side(side).iter().find(|l| l.px == px).map_or(Qty::ZERO, |l| l.qty)
    }
}

/// Which side of the canonical book an order meets, and the canonical price of one of its own.
fn meets(outcome: Outcome, side: Side, px: Px) -> (BookSide, Px) {
    match (outcome, side) {
        (Outcome::First, Side::Buy) => (BookSide::Ask, px),
        (Outcome::First, Side::Sell) => (BookSide::Bid, px),
        (Outcome::Second, Side::Buy) => (BookSide::Bid, Px::ONE - px),
        (Outcome::Second, Side::Sell) => (BookSide::Ask, Px::ONE - px),
    }
}

fn play(deeds: &[(u16, Deed)]) -> (Bench, Vec<OrderIntent>, Vec<Shown>) {
    let shown = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&shown);
    let mut world = World::default().capital("100000", "0");
    world.poly.latency_ms = vec![1, 30, 250];
    let mut bench = Bench::new(&world, move |step| {
        if matches!(step.event, Event::BookSnapshot { .. } | Event::BookDelta { .. } | Event::BookLost { .. }) {
            let book = step.engine.view().book(BookId::Market(MarketIdx(0))).unwrap();
            keep.borrow_mut().push(Shown {
                at: step.now,
                synced: book.state == BookState::Synced,
                bids: book.bids.iter().collect(),
                asks: book.asks.iter().collect(),
            });
        }
    });
    let mut s = Script::new();
    s.at(1_000).above(A, "76,000", 3_600);
    bench.play(&s);
    let (mut now, mut sent) = (2_000, Vec::new());
    for (wait, deed) in deeds {
        now += i64::from(*wait);
        let mut s = Script::new();
        s.at(now);
        let text = |levels: &[(u8, u16)]| -> Vec<(String, String)> {
            levels.iter().map(|(p, q)| (format!("0.{p:02}"), q.to_string())).collect()
        };
        match deed {
            Deed::Book(bids, asks) => {
                let (bids, asks) = (text(bids), text(asks));
                let refs = |v: &'_ [(String, String)]| v.iter().map(|(p, q)| (p.clone(), q.clone())).collect::<Vec<_>>();
                let (bids, asks) = (refs(&bids), refs(&asks));
                let bids: Vec<(&str, &str)> = bids.iter().map(|(p, q)| (p.as_str(), q.as_str())).collect();
                let asks: Vec<(&str, &str)> = asks.iter().map(|(p, q)| (p.as_str(), q.as_str())).collect();
                s.book(A, &bids, &asks);
                bench.play(&s);
            }
            Deed::Change(p, q, buy) => {
                s.change(A, &[(&format!("0.{p:02}"), &q.to_string(), if *buy { "BUY" } else { "SELL" })]);
                bench.play(&s);
            }
            Deed::Print(p, q, buy) => {
                s.print(A, &format!("0.{p:02}"), &q.to_string(), if *buy { "BUY" } else { "SELL" });
                bench.play(&s);
            }
            Deed::Lost => {
                bench.inner.advance(ts(now));
                let why = pm_core::book::BookLoss::Disconnected;
                bench.inner.step(ts(now), &Event::BookLost { book: BookId::Market(MarketIdx(0)), why });
            }
            Deed::Order { first, buy, quantity, limit, tif } => {
                let mut intent = OrderIntent {
                    id: pm_core::ids::IntentId(0),
                    structure: pm_core::ids::StructureId(0),
                    venue: POLY,
                    target: Tradable::Outcome(MarketIdx(0), if *first { Outcome::First } else { Outcome::Second }),
                    side: if *buy { Side::Buy } else { Side::Sell },
                    limit: format!("0.{limit:02}").parse().unwrap(),
                    qty: Qty::whole(i32::from(*quantity)),
                    tif: [Tif::FillAndKill, Tif::FillAndKill, Tif::FillOrKill, Tif::GoodTillCancel][usize::from(*tif)],
                    purpose: Purpose::Entry,
                    decided_at: Ts::ZERO,
                };
                intent.id = bench.submit(ts(now), intent.clone());
                sent.push(intent);
            }
        }
    }
    bench.inner.advance(ts(now + 10_000));
    let shown = shown.borrow().clone();
    (bench, sent, shown)
}

#[test]
fn invariant_7_paper_never_beats_the_book() {
    let totals = RefCell::new((0_u64, 0_u64, 0_u64));
    runner(400)
        .run(&deeds(), |deeds| {
            let (bench, sent, shown) = play(&deeds);
            let mut fills = bench.inner.fills.clone();
            fills.sort_by_key(|f| (f.at, f.id));
            let mut taken: BTreeMap<(bool, Px), Qty> = BTreeMap::new();
            let (mut next, mut book): (usize, Option<&Shown>) = (0, None);
            for fill in &fills {
                let intent = sent.iter().find(|i| i.id == fill.intent).unwrap();
                // Never worse for the venue than the limit, never more than asked.
                let within = if fill.side == Side::Buy { fill.px <= intent.limit } else { fill.px >= intent.limit };
                prop_assert!(within);
                if fill.liquidity == Liquidity::Maker {
                    prop_assert!(intent.tif.rests() && fill.px == intent.limit && fill.fee == Usd::ZERO);
                    totals.borrow_mut().1 += 1;
                    continue;
                }
                // The book at the match: everything that was shown before that instant.
                while let Some(s) = shown.get(next).filter(|s| s.at < fill.at) {
                    if s.synced {
                        taken.retain(|(bid, px), _| s.size(if *bid { BookSide::Bid } else { BookSide::Ask }, *px).is_positive());
                    }
                    (book, next) = (Some(s), next + 1);
                }
                let book = book.filter(|b| b.synced).expect("a fill without a book");
                let Tradable::Outcome(_, outcome) = fill.target else { panic!() };
                let (side, px) = meets(outcome, fill.side, fill.px);
                let best = book.side(side).first().expect("a fill against an empty side").px;
                let not_better = if side == BookSide::Ask { px >= best } else { px <= best };
                prop_assert!(not_better, "better than the touch");
                let used = taken.entry((side == BookSide::Bid, px)).or_default();
                *used += fill.qty;
                prop_assert!(*used <= book.size(side, px), "{} of {} shown at {px}", used, book.size(side, px));
                let mut t = totals.borrow_mut();
                t.0 += 1;
                t.2 += u64::from(*used > fill.qty);
            }
            for intent in &sent {
                let got: Qty = fills.iter().filter(|f| f.intent == intent.id).map(|f| f.qty).sum();
                prop_assert!(got <= intent.qty);
                prop_assert!(intent.tif != Tif::FillOrKill || got.is_zero() || got == intent.qty);
                let last = bench.inner.updates.iter().rfind(|u| u.intent == intent.id).unwrap();
                prop_assert_eq!(last.filled, got, "the venue's word and its fills");
                prop_assert!(last.state.is_done() || (last.state == OrderState::Resting && intent.tif.rests()));
            }
            Ok(())
        })
        .unwrap();
    let (taker, maker, again) = *totals.borrow();
    println!("{taker} taker fills, {maker} maker fills, {again} at a level that was taken from before");
    assert!(taker > 1_000 && maker > 100 && again > 20, "{taker} {maker} {again}");
}
