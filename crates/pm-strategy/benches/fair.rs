//! Cost of a fair value and of a scan on the hot path.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use pm_core::book::{Book, BookFlags, Level};
use pm_core::budget::{Budget, LossBasis};
use pm_core::event::ReferenceKind;
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, MarketIdx, SourceId, UnderlyingId, VenueId};
use pm_core::market::{Market, Method, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::opportunity::Band;
use pm_core::refusal::Refusal;
use pm_core::registry::{Catalog, SourceInfo};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_strategy::{Fair, Model, ModelConfig, Snap, StrategyConfig, cross_exchange, set_arbitrage, size};

fn catalog() -> Catalog {
    Catalog {
        underlyings: vec![Arc::from("BTC")],
        sources: vec![SourceInfo { name: Arc::from("oracle:btc/usd"), underlying: UnderlyingId(0) }],
        ..Catalog::default()
    }
}

fn rule(start: i64, window: i64) -> SettlementRule {
    SettlementRule {
        source: SourceId(0),
        method: Method::Twap { window: Dur::from_secs(60) },
        payoff: Payoff::UpDown { start_at: Ts::from_secs(start), start: StartValue::SameMethod, reference: None },
        tie: Tie::First,
        final_at: Ts::from_secs(start + window),
        origin: RuleOrigin::Metadata,
    }
}

fn bench(c: &mut Criterion) {
    let mut model = Model::new(ModelConfig::default(), &catalog());
    let start = 1_790_000_100;
    for ahead in 0..300 {
        model.watch(&rule(start + 300 * ahead, 300));
    }
    let mut px = 8_000_000_000_000_i64;
    for s in 0..570 {
        for tenth in 0..10 {
            px += (s * 7 + tenth * 13) % 11 * 100_000_000 - 500_000_000;
            model.on_hedge_mid(UnderlyingId(0), Px::from_raw(px), Ts::from_millis((start - 300 + s) * 1_000 + tenth * 100));
        }
        let at = Ts::from_secs(start - 300 + s);
        model.on_reference(SourceId(0), ReferenceKind::Spot, Px::from_raw(px), at, at);
    }
    let rule = rule(start, 300);
    let now = Ts::from_millis((start + 269) * 1_000 + 900);
    model.fair(&rule, now).unwrap();
    c.bench_function("strategy/fair_twap", |b| b.iter(|| model.fair(black_box(&rule), black_box(now))));
    let mut at = now;
    c.bench_function("strategy/on_hedge_mid", |b| {
        b.iter(|| {
            at = at + Dur::from_millis(20);
            model.on_hedge_mid(UnderlyingId(0), black_box(Px::from_raw(px)), at);
        });
    });
}

fn ladder(strikes: u32) -> Vec<(Market, Book)> {
    let text = || Arc::<str>::from("x");
    (0..strikes)
        .map(|i| {
            let market = Market {
                idx: MarketIdx(i),
                venue: VenueId(0),
                native: text(),
                slug: text(),
                question: text(),
                tokens: [text(), text()],
                labels: [text(), text()],
                family: text(),
                underlying: Some(UnderlyingId(0)),
                rule: Rule::Understood(SettlementRule {
                    source: SourceId(0),
                    method: Method::CandleClose { interval: Dur::from_secs(3_600) },
                    payoff: Payoff::Above { strike: Px::from_raw(8_000_000_000_000 + i64::from(i) * 20_000_000_000) },
                    tie: Tie::Second,
                    final_at: Ts::from_secs(3_600),
                    origin: RuleOrigin::Metadata,
                }),
                currency: CurrencyId(0),
                tick: Px::from_raw(1_000_000),
                min_qty: Qty::whole(5),
                min_notional: Usd::ONE,
                fees: FeeSchedule::Curve { rate: Ratio::from_bps(700), exponent: 1, taker_only: true, maker_rebate: Ratio::ZERO },
                taker_hold: Dur::ZERO,
                opens_at: Ts::ZERO,
                closes_at: Ts::from_secs(3_600),
                accepting: true,
                neg_risk: false,
                version: text(),
                group: text(),
            };
            let mut book = Book::default();
            let level = |cents: u32| Level { px: Px::from_raw(i64::from(cents) * 1_000_000), qty: Qty::whole(100) };
            let top = 90 - 4 * i.min(20);
            book.apply_snapshot(
                &[level(top - 1), level(top - 2)],
                &[level(top), level(top + 1)],
                Ts::ZERO,
                Ts::ZERO,
                BookFlags::default(),
            );
            (market, book)
        })
        .collect()
}

fn scans(c: &mut Criterion) {
    let slots = ladder(20);
    let cfg = StrategyConfig::default();
    let now = Ts::from_secs(60);
    let snaps: Vec<_> = slots.iter().map(|(market, book)| Snap { market, book, fair: Err(Refusal::WarmingUp) }).collect();
    assert!(set_arbitrage::scan(&cfg, now, &snaps).is_none());
    c.bench_function("strategy/set_scan_20", |b| b.iter(|| set_arbitrage::scan(&cfg, now, black_box(&snaps))));

    let (market, book) = slots.first().unwrap();
    let half = Px::from_raw(95_000_000);
    let fair = Fair {
        band: Band { lo: half, mid: half, hi: half },
        delta: Qty::from_raw(10_000),
        sd_per_sqrt_s: Px::from_raw(100_000),
        fixed: Ratio::ZERO,
        strike: Px::whole(80_000),
        spot: Px::whole(80_000),
        sd: Px::whole(500),
    };
    let snap = Snap { market, book, fair: Ok(fair) };
    c.bench_function("strategy/scan_outright", |b| b.iter(|| cross_exchange::scan(&cfg, now, black_box(&snap), None)));
    let candidate = cross_exchange::scan(&cfg, now, &snap, None).unwrap();
    let all = Usd::whole(1_000);
    let budget = Budget {
        bankroll: all,
        basis: LossBasis::WorstCase,
        bankroll_share: Usd::whole(250),
        cash: all,
        structure_loss: Usd::whole(50),
        day_loss: Usd::whole(20),
        week_loss: all,
        market: all,
        expiry: all,
        underlying: all,
    };
    let books = |idx: MarketIdx| slots.get(idx.slot()).map(|(m, b)| (m, b));
    assert!(size(&cfg, now, &candidate, Some(&fair), &budget, &books, None).is_ok());
    c.bench_function("strategy/size", |b| {
        b.iter(|| size(&cfg, now, black_box(&candidate), Some(&fair), &budget, &books, None).is_ok());
    });
}

criterion_group!(benches, bench, scans);
criterion_main!(benches);
