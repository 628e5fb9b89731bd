//! A good market, a good order, and short forms: each test spoils one thing.
#![allow(dead_code)]

use std::sync::Arc;

use pm_core::book::{Book, BookFlags, Level};
use pm_core::budget::{Budget, LossBasis, Measures};
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, InstrumentIdx, IntentId, MarketIdx, SourceId, StructureId, UnderlyingId, VenueId};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::{Market, Method, Outcome, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Qty, Ratio, Usd};
use pm_risk::{Exposure, Risk, RiskConfig};

pub(crate) const PREDICTION: VenueId = VenueId(0);
pub(crate) const HEDGE: VenueId = VenueId(1);
/// 2026-06-10 12:00:00 UTC, a Wednesday.
pub(crate) const NOON: Ts = Ts::from_secs(1_781_092_800);

pub(crate) fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}
pub(crate) fn ratio(text: &str) -> Ratio {
    text.parse().unwrap()
}
pub(crate) fn after(seconds: i64) -> Ts {
    NOON + Dur::from_secs(seconds)
}

/// Risk with an open day of `bankroll`.
pub(crate) fn risk_with(cfg: RiskConfig, bankroll: &str) -> Risk {
    let mut risk = Risk::new(cfg);
    assert_eq!(risk.on_equity(NOON, usd(bankroll), Usd::ZERO), None);
    risk
}
pub(crate) fn risk(bankroll: &str) -> Risk {
    risk_with(RiskConfig::default(), bankroll)
}
pub(crate) fn worst_case() -> RiskConfig {
    RiskConfig { loss_basis: LossBasis::WorstCase, ..RiskConfig::default() }
}

pub(crate) fn exposure(bankroll: &str) -> Exposure {
    Exposure {
        now: NOON,
        bankroll: usd(bankroll),
        cash: usd(bankroll),
        pending_entry_mark: Usd::ZERO,
        long_dated: false,
        long_dated_worst_loss: Usd::ZERO,
        open_worst_loss: Usd::ZERO,
        market_notional: Usd::ZERO,
        expiry_notional: Usd::ZERO,
        underlying_notional: Usd::ZERO,
        open_structures: 0,
        structure_in_market: false,
        cooling_until: None,
    }
}

pub(crate) fn market() -> Market {
    let text = |t: &str| -> Arc<str> { t.into() };
    Market {
        idx: MarketIdx(4),
        venue: PREDICTION,
        native: text("0xabc"),
        slug: text("window"),
        question: text("Up or down?"),
        tokens: [text("1"), text("2")],
        labels: [text("Up"), text("Down")],
        family: text("updown-5m"),
        underlying: Some(UnderlyingId(0)),
        rule: Rule::Understood(SettlementRule {
            source: SourceId(0),
            method: Method::Twap { window: Dur::from_secs(60) },
            payoff: Payoff::UpDown { start_at: NOON, start: StartValue::SameMethod, reference: None },
            tie: Tie::First,
            final_at: after(300),
            origin: RuleOrigin::Metadata,
        }),
        currency: CurrencyId(0),
        tick: "0.01".parse().unwrap(),
        min_qty: Qty::whole(5),
        min_notional: usd("1"),
        fees: FeeSchedule::Free,
        taker_hold: Dur::ZERO,
        opens_at: NOON,
        closes_at: after(300),
        accepting: true,
        neg_risk: false,
        version: text("v2"),
        group: text("g"),
    }
}

pub(crate) fn instrument() -> Instrument {
    Instrument {
        idx: InstrumentIdx(2),
        venue: HEDGE,
        symbol: "BTCUSDT".into(),
        kind: InstrumentKind::Perp,
        underlying: Some(UnderlyingId(0)),
        currency: CurrencyId(1),
        tick: "0.1".parse().unwrap(),
        lot: "0.001".parse().unwrap(),
        min_qty: "0.001".parse().unwrap(),
        min_notional: usd("5"),
        max_qty: Qty::whole(100),
        fees: FeeSchedule::Free,
        initial_margin: ratio("0.1"),
        trading: true,
    }
}

pub(crate) fn book(at: Ts) -> Book {
    let level = |px: &str| Level { px: px.parse().unwrap(), qty: Qty::whole(100) };
    let mut book = Book::default();
    book.apply_snapshot(&[level("0.42")], &[level("0.43")], at, at, BookFlags::default());
    book
}

pub(crate) fn entry() -> OrderIntent {
    OrderIntent {
        id: IntentId(1),
        structure: StructureId(1),
        venue: PREDICTION,
        target: Tradable::Outcome(MarketIdx(4), Outcome::First),
        side: Side::Buy,
        limit: "0.43".parse().unwrap(),
        qty: Qty::whole(5),
        tif: Tif::FillAndKill,
        purpose: Purpose::Entry,
        decided_at: NOON,
    }
}

pub(crate) fn perp(purpose: Purpose) -> OrderIntent {
    OrderIntent {
        venue: HEDGE,
        target: Tradable::Instrument(InstrumentIdx(2)),
        side: Side::Sell,
        limit: "84000.1".parse().unwrap(),
        qty: "0.001".parse().unwrap(),
        purpose,
        ..entry()
    }
}

pub(crate) fn measures(each: &str) -> Measures {
    Measures { notional: usd(each), outlay: usd(each), worst_loss: usd(each), entry_mark: usd(each) }
}

pub(crate) fn wide_budget() -> Budget {
    let all = Usd::whole(1_000);
    Budget {
        bankroll: all,
        basis: LossBasis::WorstCase,
        bankroll_share: all,
        cash: all,
        structure_loss: all,
        day_loss: all,
        week_loss: all,
        market: all,
        expiry: all,
        underlying: all,
    }
}
