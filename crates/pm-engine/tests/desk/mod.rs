//! A desk for tests and benches: a catalog, an engine with open limits, markets and a hedge instrument, warmed up with prices.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;
use std::sync::Arc;

use pm_core::book::{BookFlags, Level};
use pm_core::command::Command;
use pm_core::event::{BookId, Event, ReferenceKind};
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, InstrumentIdx, MarketIdx, SourceId, UnderlyingId, VenueId};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::{Market, Method, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::registry::{Catalog, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_engine::{Capital, Engine, EngineConfig, EngineSettings};

pub const PREDICTION: VenueId = VenueId(0);
pub const HEDGE: VenueId = VenueId(1);
pub const START: i64 = 1_790_000_100;

pub fn px(text: &str) -> Px {
    text.parse().unwrap()
}
pub fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

pub fn catalog() -> Catalog {
    let venue = |name: &str, role, c| VenueInfo { name: name.into(), role, currency: CurrencyId(c) };
    Catalog {
        venues: vec![venue("prediction", VenueRole::Prediction, 0), venue("hedge", VenueRole::Hedge, 1)],
        currencies: vec!["pUSD".into(), "USDT".into()],
        underlyings: vec!["BTC".into()],
        sources: vec![SourceInfo { name: "oracle".into(), underlying: UnderlyingId(0) }],
    }
}

pub fn config(bankroll: i32) -> EngineConfig {
    EngineConfig {
        catalog: catalog(),
        capital: vec![
            Capital { venue: PREDICTION, currency: CurrencyId(0), amount: Usd::whole(bankroll) },
            Capital { venue: HEDGE, currency: CurrencyId(1), amount: Usd::whole(bankroll) },
        ],
        risk: Default::default(),
        model: Default::default(),
        strategy: Default::default(),
        engine: EngineSettings::default(),
    }
}

/// An above market: strike `strike`, settled at `end` by the oracle's value.
pub fn market(idx: u32, strike: &str, end: i64) -> Market {
    Market {
        idx: MarketIdx(idx),
        venue: PREDICTION,
        native: format!("0x{idx:064x}").into(),
        slug: format!("above-{strike}").into(),
        question: format!("above {strike}?").into(),
        tokens: [format!("{idx}-first").into(), format!("{idx}-second").into()],
        labels: ["Yes".into(), "No".into()],
        family: "above-hourly".into(),
        underlying: Some(UnderlyingId(0)),
        rule: Rule::Understood(SettlementRule {
            source: SourceId(0),
            method: Method::Instant,
            payoff: Payoff::Above { strike: px(strike) },
            tie: Tie::Second,
            final_at: Ts::from_secs(end),
            origin: RuleOrigin::Metadata,
        }),
        currency: CurrencyId(0),
        tick: px("0.01"),
        min_qty: Qty::whole(5),
        min_notional: Usd::ONE,
        fees: FeeSchedule::Curve { rate: "0.07".parse().unwrap(), exponent: 1, taker_only: true, maker_rebate: Ratio::ZERO },
        taker_hold: Dur::from_millis(250),
        opens_at: Ts::from_secs(START - 3_600),
        closes_at: Ts::from_secs(end),
        accepting: true,
        neg_risk: false,
        version: "v1".into(),
        group: Arc::from(format!("g{end}")),
    }
}

/// The same market as an Up/Down window that settles on a 60 s mean.
pub fn window(idx: u32, start: i64, end: i64) -> Market {
    let mut m = market(idx, "60000", end);
    m.rule = Rule::Understood(SettlementRule {
        source: SourceId(0),
        method: Method::Twap { window: Dur::from_secs(60) },
        payoff: Payoff::UpDown { start_at: Ts::from_secs(start), start: StartValue::SameMethod, reference: Some(px("60000")) },
        tie: Tie::First,
        final_at: Ts::from_secs(end),
        origin: RuleOrigin::Metadata,
    });
    m.family = "updown-5m".into();
    m
}

pub fn perp() -> Instrument {
    Instrument {
        idx: InstrumentIdx(0),
        venue: HEDGE,
        symbol: "BTCUSDT".into(),
        kind: InstrumentKind::Perp,
        underlying: Some(UnderlyingId(0)),
        currency: CurrencyId(1),
        tick: px("0.1"),
        lot: qty("0.001"),
        min_qty: qty("0.001"),
        min_notional: Usd::whole(5),
        max_qty: Qty::whole(1_000),
        fees: FeeSchedule::Proportional { taker: "0.00055".parse().unwrap(), maker: "0.0002".parse().unwrap() },
        initial_margin: "0.1".parse().unwrap(),
        trading: true,
    }
}

pub fn level(p: &str, q: &str) -> Level {
    Level { px: px(p), qty: qty(q) }
}

pub fn snapshot<'a>(book: BookId, bids: &'a [Level], asks: &'a [Level], at: Ts) -> Event<'a> {
    Event::BookSnapshot { book, bids: Cow::Borrowed(bids), asks: Cow::Borrowed(asks), at, flags: BookFlags::default() }
}

/// An engine with `count` markets, a hedge book and a warm model around 60,000. Returns it with the time of the last step.
pub fn warm(cfg: EngineConfig, markets: impl Iterator<Item = Market>) -> (Engine, Ts) {
    let mut engine = Engine::new(cfg).unwrap();
    let mut out: Vec<Command> = Vec::new();
    let begin = Ts::from_secs(START - 600);
    engine.step(begin, &Event::InstrumentListed(Cow::Owned(perp())), &mut out);
    for m in markets {
        engine.step(begin, &Event::MarketListed(Cow::Owned(m)), &mut out);
    }
    let mut now = begin;
    for s in 0..600_i64 {
        // A walk of a few dollars a second, without a random source.
        let wiggle = (s * 37 % 11) - 5;
        let mid = 60_000 + wiggle * 2;
        for part in 0..4 {
            now = begin + Dur::from_millis(s * 1_000 + part * 250);
            let bid = Level { px: Px::whole(i32::try_from(mid).unwrap()), qty: Qty::ONE };
            let ask = Level { px: bid.px + px("0.1"), qty: Qty::ONE };
            out.clear();
            engine.step(now, &snapshot(BookId::Instrument(InstrumentIdx(0)), &[bid], &[ask], now), &mut out);
        }
        let at = begin + Dur::from_secs(s);
        let value = Px::whole(i32::try_from(60_000 + wiggle * 2).unwrap());
        engine.step(now, &Event::Reference { source: SourceId(0), kind: ReferenceKind::Spot, px: value, at }, &mut out);
        engine.step(now, &Event::Timer, &mut out);
    }
    (engine, now)
}
