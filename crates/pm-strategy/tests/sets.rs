//! Set arbitrage: what it finds pays at least one whatever the value turns out to be, and nothing cheaper was missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::book::Book;
use pm_core::budget::Budget;
use pm_core::ids::MarketIdx;
use pm_core::market::{Market, Method, Outcome, Payoff, SettlementRule, Tie};
use pm_core::opportunity::{EvidenceClass, Hedge, NoHedge};
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Ratio, Usd};
use pm_strategy::{Snap, StrategyConfig, set_arbitrage, size, waterfall};
use proptest::prelude::*;

const END: i64 = START + 3_600;
const NOW: Ts = Ts::from_secs(START + 60);

fn plain() -> StrategyConfig {
    StrategyConfig {
        latency: Dur::ZERO,
        settlement_failure_rate: Ratio::ZERO,
        loss_concentration: Ratio::ONE,
        ..StrategyConfig::default()
    }
}

fn snap<'a>(market: &'a Market, book: &'a Book) -> Snap<'a> {
    Snap { market, book, fair: Err(Refusal::WarmingUp) }
}

fn touch(bid: &str, ask: &str) -> Book {
    book(&[(bid, "40")], &[(ask, "30")])
}

#[test]
fn two_strikes_by_hand() {
    let markets = [market(0, above("80000", END)), market(1, above("80200", END))];
    let books = [touch("0.53", "0.55"), touch("0.62", "0.64")];
    let snaps = [snap(&markets[0], &books[0]), snap(&markets[1], &books[1])];
    let c = set_arbitrage::scan(&plain(), NOW, &snaps).unwrap();
    let legs: Vec<_> = c.legs.iter().map(|l| (l.market.0, l.outcome, l.limit)).collect();
    assert_eq!(legs, [(0, Outcome::First, d("0.55")), (1, Outcome::Second, d("0.38"))]);
    assert_eq!((c.class, c.floor, c.hedge), (EvidenceClass::ModelFree, Px::ONE, Hedge::None(NoHedge::SelfHedged)));
    let lookup = |idx: MarketIdx| Some((&markets[idx.slot()], &books[idx.slot()]));
    // 5 of each: 2.75 + 1.90; fees 5 * 0.07 * 0.2475 = 0.086625 -> 0.08662 and 5 * 0.07 * 0.2356 = 0.08246; pays 5.
    let w = waterfall(&plain(), NOW, &c, d("5"), &lookup, None, None).unwrap();
    assert_eq!((w.notional, w.taker_fee, w.gross, w.net()), (d("4.65"), d("0.16908"), d("0.35"), d("0.18092")));
    // With room for a loss only money bounds it: 25 of 100 buy 26.88 pairs at 0.93. Until both legs are filled the dearer one may stand
    // alone: 26.88 * 0.55 = 14.784 and its fee, 26.88 * 0.07 * 0.2475 = 0.465696 -> 0.46569.
    let roomy = Budget { structure_loss: Usd::whole(100), day_loss: Usd::whole(100), ..budget(100) };
    let s = size(&plain(), NOW, &c, None, &roomy, &lookup, None).unwrap();
    assert_eq!((s.qty, s.clip), (d("26.88"), Clip::BankrollShare));
    assert_eq!(s.measures.worst_loss, d("15.24969"));
    // 2 left of the day's limit: 3.52 shares of the dearer leg cost 1.936 + 0.06098 = 1.99698, 3.53 cost 2.00264. Below 5: refused.
    let refused = size(&plain(), NOW, &c, None, &budget(100), &lookup, None).unwrap_err();
    assert_eq!(refused.refusal, Refusal::BelowMinQty { size: d("3.52"), min: d("5"), clip: Clip::DayLoss });
    // Turned around it is no set.
    let turned = [touch("0.62", "0.64"), touch("0.53", "0.55")];
    let snaps = [snap(&markets[0], &turned[0]), snap(&markets[1], &turned[1])];
    assert!(set_arbitrage::scan(&plain(), NOW, &snaps).is_none());
}

#[test]
fn a_window_on_the_same_candle_is_a_strike() {
    let mut rule = up_down(START, 3_600, Method::CandleClose { interval: Dur::from_secs(3_600) });
    let strike = market(1, above("80200", END));
    let books = [touch("0.53", "0.55"), touch("0.62", "0.64")];
    let unknown = market(0, rule);
    assert!(set_arbitrage::scan(&plain(), NOW, &[snap(&unknown, &books[0]), snap(&strike, &books[1])]).is_none());
    // A fair value carries the open that was observed.
    let observed = Snap { fair: Ok(fair("0.4", "0.5", "0.6")), ..snap(&unknown, &books[0]) };
    assert!(set_arbitrage::scan(&plain(), NOW, &[observed, snap(&strike, &books[1])]).is_some());
    if let Payoff::UpDown { reference, .. } = &mut rule.payoff {
        *reference = Some(d("80150"));
    }
    let known = market(0, rule);
    let found = set_arbitrage::scan(&plain(), NOW, &[snap(&strike, &books[1]), snap(&known, &books[0])]).unwrap();
    assert_eq!(found.legs.first().unwrap().market, MarketIdx(0));
    // Before it opens it is no strike, and another source or instant is another value.
    assert!(
        set_arbitrage::scan(&plain(), Ts::from_secs(START - 1), &[snap(&known, &books[0]), snap(&strike, &books[1])]).is_none()
    );
    let later = market(1, above("80200", END + 3_600));
    assert!(set_arbitrage::scan(&plain(), NOW, &[snap(&known, &books[0]), snap(&later, &books[1])]).is_none());
    let oracle = market(1, SettlementRule { source: ORACLE, ..above("80200", END) });
    assert!(set_arbitrage::scan(&plain(), NOW, &[snap(&known, &books[0]), snap(&oracle, &books[1])]).is_none());
}

#[test]
fn equal_strikes_are_ordered_by_their_tie() {
    let at_or_above = market(0, SettlementRule { tie: Tie::First, ..above("80000", END) });
    let strictly = market(1, above("80000", END));
    let (cheap, dear) = (touch("0.40", "0.42"), touch("0.50", "0.52"));
    // "At or above" is cheap: buy it, and "not strictly above" for 0.50.
    let found = set_arbitrage::scan(&plain(), NOW, &[snap(&strictly, &dear), snap(&at_or_above, &cheap)]).unwrap();
    assert_eq!(found.legs.first().unwrap().market, MarketIdx(0));
    // The other way round both legs lose when the value is exactly the strike.
    assert!(set_arbitrage::scan(&plain(), NOW, &[snap(&strictly, &cheap), snap(&at_or_above, &dear)]).is_none());
    // Equal terms are one event: either order pays.
    let twin = market(2, above("80000", END));
    for order in [[snap(&strictly, &cheap), snap(&twin, &dear)], [snap(&twin, &dear), snap(&strictly, &cheap)]] {
        assert_eq!(set_arbitrage::scan(&plain(), NOW, &order).unwrap().legs.first().unwrap().market, MarketIdx(1));
    }
}

/// Found by the property below: of three markets on one event the best pair need not be neighbours.
#[test]
fn three_markets_on_one_event_are_compared_each_with_each() {
    let markets: Vec<_> = (0..3).map(|i| market(i, above("80000", END))).collect();
    let books = [touch("0.41", "0.43"), touch("0.07", "0.09"), touch("0.02", "0.04")];
    let snaps: Vec<_> = markets.iter().zip(&books).map(|(m, b)| snap(m, b)).collect();
    let found: Vec<_> = set_arbitrage::scan(&plain(), NOW, &snaps).unwrap().legs.iter().map(|l| l.market.0).collect();
    assert_eq!(found, [2, 0], "0.04 + 0.59");
}

/// What a share of `First` pays, in halves. Strikes below are even, so that there are values between any two of them.
fn pays(rule: &SettlementRule, value: i64) -> i64 {
    let Payoff::Above { strike } = rule.payoff else { panic!() };
    match (value.cmp(&strike.raw()), rule.tie) {
        (std::cmp::Ordering::Greater, _) | (std::cmp::Ordering::Equal, Tie::First) => 2,
        (std::cmp::Ordering::Equal, Tie::Half) => 1,
        _ => 0,
    }
}

proptest! {
    #[test]
    fn what_is_found_always_pays_and_nothing_cheaper_is_missed(
        ladder in proptest::collection::vec((1_i64..6, 0_u8..3, 2_i64..97), 0..12),
    ) {
        let ties = [Tie::First, Tie::Half, Tie::Second];
        let markets: Vec<Market> = ladder.iter().enumerate().map(|(i, (strike, tie, _))| {
            let rule = SettlementRule { payoff: Payoff::Above { strike: Px::from_raw(2 * *strike) }, tie: ties[usize::from(*tie)], ..above("1", END) };
            market(u32::try_from(i).unwrap(), rule)
        }).collect();
        let books: Vec<Book> = ladder.iter().map(|(_, _, bid)| touch(&format!("0.{bid:02}"), &format!("0.{:02}", bid + 2))).collect();
        let snaps: Vec<Snap<'_>> = markets.iter().zip(&books).map(|(m, b)| snap(m, b)).collect();
        let rule = |i: usize| *markets[i].rule.understood().unwrap();
        let safe = |a: usize, b: usize| (0..14).all(|x| pays(&rule(a), x) + 2 - pays(&rule(b), x) >= 2);
        let cost = |a: usize, b: usize| ladder[a].2 + 2 + 100 - ladder[b].2;
        let n = markets.len();
        let best = (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).filter(|(a, b)| a != b && safe(*a, *b)).map(|(a, b)| cost(a, b)).min();
        match set_arbitrage::scan(&plain(), NOW, &snaps) {
            Some(c) => {
                let legs: Vec<_> = c.legs.iter().copied().collect();
                prop_assert_eq!((legs[0].outcome, legs[1].outcome), (Outcome::First, Outcome::Second));
                let (a, b) = (legs[0].market.slot(), legs[1].market.slot());
                prop_assert!(safe(a, b));
                prop_assert_eq!(Some(cost(a, b)), best);
            }
            None => prop_assert!(best.is_none_or(|c| c >= 100)),
        }
    }
}
