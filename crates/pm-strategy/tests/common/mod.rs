//! Fixtures shared by the tests of this crate.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

use std::sync::Arc;

use pm_core::book::{Book, BookFlags, Level};
use pm_core::budget::{Budget, LossBasis};
use pm_core::event::ReferenceKind;
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, InstrumentIdx, MarketIdx, SourceId, UnderlyingId, VenueId};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::{Market, Method, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::opportunity::Band;
use pm_core::registry::{Catalog, SourceInfo};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_strategy::{Fair, HedgeQuote, Model, ModelConfig};

pub const BTC: UnderlyingId = UnderlyingId(0);
pub const ORACLE: SourceId = SourceId(0);
pub const CANDLES: SourceId = SourceId(1);
/// A window start: 2026-09-21 12:15:00 UTC or so; divisible by 300.
pub const START: i64 = 1_790_000_100;

pub fn d<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub fn catalog() -> Catalog {
    Catalog {
        underlyings: vec![Arc::from("BTC")],
        sources: vec![
            SourceInfo { name: Arc::from("oracle:btc/usd"), underlying: BTC },
            SourceInfo { name: Arc::from("spot:BTCUSDT"), underlying: BTC },
        ],
        ..Catalog::default()
    }
}

pub fn up_down(start: i64, length: i64, method: Method) -> SettlementRule {
    let candles = matches!(method, Method::CandleClose { .. });
    SettlementRule {
        source: if candles { CANDLES } else { ORACLE },
        method,
        payoff: Payoff::UpDown {
            start_at: Ts::from_secs(start),
            start: if candles { StartValue::CandleOpen } else { StartValue::SameMethod },
            reference: None,
        },
        tie: Tie::First,
        final_at: Ts::from_secs(start + length),
        origin: RuleOrigin::Metadata,
    }
}

pub fn twap(seconds: i64) -> Method {
    Method::Twap { window: Dur::from_secs(seconds) }
}

pub fn above(strike: &str, final_at: i64) -> SettlementRule {
    SettlementRule {
        source: CANDLES,
        method: Method::CandleClose { interval: Dur::from_secs(3_600) },
        payoff: Payoff::Above { strike: d(strike) },
        tie: Tie::Second,
        final_at: Ts::from_secs(final_at),
        origin: RuleOrigin::Metadata,
    }
}

pub fn crypto_fees() -> FeeSchedule {
    FeeSchedule::Curve { rate: d("0.07"), exponent: 1, taker_only: true, maker_rebate: d("0.2") }
}

pub fn market(idx: u32, rule: SettlementRule) -> Market {
    let text = || Arc::<str>::from("x");
    Market {
        idx: MarketIdx(idx),
        venue: VenueId(0),
        native: text(),
        slug: text(),
        question: text(),
        tokens: [text(), text()],
        labels: [text(), text()],
        family: text(),
        underlying: Some(BTC),
        rule: Rule::Understood(rule),
        currency: CurrencyId(0),
        tick: d("0.01"),
        min_qty: d("5"),
        min_notional: d("1"),
        fees: crypto_fees(),
        taker_hold: Dur::ZERO,
        opens_at: Ts::ZERO,
        closes_at: rule.final_at,
        accepting: true,
        neg_risk: false,
        version: text(),
        group: text(),
    }
}

pub fn book(bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Book {
    let levels = |side: &[(&str, &str)]| side.iter().map(|(p, q)| Level { px: d(p), qty: d(q) }).collect::<Vec<_>>();
    let mut book = Book::default();
    book.apply_snapshot(&levels(bids), &levels(asks), Ts::ZERO, Ts::ZERO, BookFlags::default());
    book
}

pub fn fair(lo: &str, mid: &str, hi: &str) -> Fair {
    Fair {
        band: Band { lo: d(lo), mid: d(mid), hi: d(hi) },
        delta: d("0.001"),
        sd_per_sqrt_s: d("0.002"),
        fixed: Ratio::ZERO,
        strike: Px::whole(80_000),
        spot: Px::whole(80_000),
        sd: Px::whole(2_000),
    }
}

pub fn budget(bankroll: i32) -> Budget {
    let all = Usd::whole(bankroll);
    let part = |bps| all.scale_by(Ratio::from_bps(bps), pm_core::num::Round::Down);
    Budget {
        bankroll: all,
        basis: LossBasis::WorstCase,
        bankroll_share: part(2_500),
        cash: all,
        structure_loss: part(500),
        day_loss: part(200),
        week_loss: all,
        market: part(2_500),
        expiry: all,
        underlying: all,
    }
}

pub fn perp() -> Instrument {
    Instrument {
        idx: InstrumentIdx(0),
        venue: VenueId(1),
        symbol: Arc::from("BTCUSDT"),
        kind: InstrumentKind::Perp,
        underlying: Some(BTC),
        currency: CurrencyId(1),
        tick: d("0.1"),
        lot: d("0.001"),
        min_qty: d("0.001"),
        min_notional: d("5"),
        max_qty: Qty::MAX,
        fees: FeeSchedule::Proportional { taker: d("0.00055"), maker: d("0.0002") },
        initial_margin: d("0.1"),
        trading: true,
    }
}

/// A touch of the perpetual around 80,000 at the usual funding; when the next one is due is not known, and neither is the margin.
pub fn quote(perp: &Instrument) -> HedgeQuote<'_> {
    HedgeQuote {
        instrument: perp,
        bid: d("80000"),
        ask: d("80000.1"),
        funding_rate: d("0.0001"),
        next_funding: None,
        free_margin: Usd::MAX,
    }
}

/// Sharp settings: everything but volatility is exact, and volatility is 50 % a year.
pub fn sharp() -> ModelConfig {
    ModelConfig {
        vol_floor_annual: d("0.5"),
        vol_cap_annual: d("0.5"),
        vol_rel_error: Ratio::ZERO,
        vol_rel_error_day: Ratio::ZERO,
        basis_floor: Ratio::ZERO,
        clock_error_ms: 0,
        boundary_error_ms: 0,
        min_vol_samples: 10,
        min_basis_samples: 5,
        ..ModelConfig::default()
    }
}

/// Feeds `seconds` of mids (ten a second) and oracle values from `from` on, along `path`, the oracle `late` behind in receive time.
pub fn feed(model: &mut Model, from: i64, seconds: i64, path: impl Fn(i64) -> Px, source: SourceId) {
    for s in from..from + seconds {
        for tenth in 0..10 {
            model.on_hedge_mid(BTC, path(s), Ts::from_millis((s - 1) * 1_000 + 100 * (tenth + 1)));
        }
        let at = Ts::from_secs(s);
        model.on_reference(source, ReferenceKind::Spot, path(s), at, at);
    }
}

/// Seeded normal draws: Box-Muller over splitmix64.
pub struct Normal(pub u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (pm_strategy::num::f64_of(i64::try_from(z >> 11).unwrap()) + 0.5) / 9_007_199_254_740_992.0
    }
    pub fn draw(&mut self) -> f64 {
        (-2.0 * libm::log(self.uniform())).sqrt() * libm::cos(core::f64::consts::TAU * self.uniform())
    }
}
