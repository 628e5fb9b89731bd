//! Prices one five-minute Up/Down market with nothing but `pm-core` and `pm-strategy`: a minute before the end of a window that settles on a
//! 60-second average, against a small book.
//!
//! ```text
//! cargo run -p pm-strategy --example price_one_market
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::sync::Arc;

use pm_core::book::{Book, BookFlags, Level};
use pm_core::budget::{Budget, LossBasis};
use pm_core::event::ReferenceKind;
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, MarketIdx, SourceId, UnderlyingId, VenueId};
use pm_core::market::{Market, Method, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::registry::{Catalog, SourceInfo};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Ratio, Usd};
use pm_strategy::{Model, ModelConfig, Snap, StrategyConfig, cross_exchange, kelly_binary, size};

const UNDERLYING: UnderlyingId = UnderlyingId(0);
const SOURCE: SourceId = SourceId(0);
const START: i64 = 1_790_000_100;

fn window() -> SettlementRule {
    SettlementRule {
        source: SOURCE,
        method: Method::Twap { window: Dur::from_secs(60) },
        payoff: Payoff::UpDown { start_at: Ts::from_secs(START), start: StartValue::SameMethod, reference: None },
        tie: Tie::First,
        final_at: Ts::from_secs(START + 300),
        origin: RuleOrigin::Metadata,
    }
}

fn market() -> Result<Market, Box<dyn Error>> {
    let text = |t: &str| Arc::<str>::from(t);
    Ok(Market {
        idx: MarketIdx(0),
        venue: VenueId(0),
        native: text("example"),
        slug: text("btc-updown-5m"),
        question: text("Bitcoin up or down?"),
        tokens: [text("1"), text("2")],
        labels: [text("Up"), text("Down")],
        family: text("updown-5m"),
        underlying: Some(UNDERLYING),
        rule: Rule::Understood(window()),
        currency: CurrencyId(0),
        tick: "0.01".parse()?,
        min_qty: "5".parse()?,
        min_notional: "1".parse()?,
        fees: FeeSchedule::Curve { rate: "0.07".parse()?, exponent: 1, taker_only: true, maker_rebate: "0.2".parse()? },
        taker_hold: Dur::from_millis(250),
        opens_at: Ts::ZERO,
        closes_at: Ts::from_secs(START + 300),
        accepting: true,
        neg_risk: false,
        version: text("v2"),
        group: text("example"),
    })
}

/// Half an hour of prices: steps of up to 8 either way, made up but fixed.
fn warmed_up(rule: &SettlementRule) -> Model {
    let catalog = Catalog {
        underlyings: vec![Arc::from("BTC")],
        sources: vec![SourceInfo { name: Arc::from("oracle:btc/usd"), underlying: UNDERLYING }],
        ..Catalog::default()
    };
    let mut model = Model::new(ModelConfig::default(), &catalog);
    model.watch(rule);
    let (mut raw, mut dice) = (8_000_000_000_000_i64, 12_345_i64);
    for s in -1_560..=240 {
        dice = (dice * 1_103_515_245 + 12_345) % 2_147_483_648;
        raw += (dice / 65_536 % 17 - 8) * 100_000_000;
        let (price, at) = (Px::from_raw(raw), Ts::from_secs(START + s));
        model.on_hedge_mid(UNDERLYING, price, at);
        model.on_reference(SOURCE, ReferenceKind::Spot, price, at, at + Dur::from_millis(1_200));
    }
    model
}

fn main() -> Result<(), Box<dyn Error>> {
    let (market, rule, now) = (market()?, window(), Ts::from_secs(START + 240));
    let model = warmed_up(&rule);
    let fair = model.fair(&rule, now)?;
    println!("start value   {}", model.start_value(&rule).unwrap_or_default());
    println!("volatility    {} a year", model.sigma_annual(UNDERLYING).unwrap_or_default());
    println!("band of Up    {} .. {} .. {}", fair.band.lo, fair.band.mid, fair.band.hi);
    println!("per second    {} standard deviation, {} of the average fixed", fair.sd_per_sqrt_s, fair.fixed);

    let level = |px: &str, qty: &str| -> Result<Level, Box<dyn Error>> { Ok(Level { px: px.parse()?, qty: qty.parse()? }) };
    let mut book = Book::default();
    book.apply_snapshot(&[level("0.55", "200")?], &[level("0.57", "40")?, level("0.60", "300")?], now, now, BookFlags::default());

    let cfg = StrategyConfig::default();
    let snap = Snap { market: &market, book: &book, fair: Ok(fair) };
    let Some(candidate) = cross_exchange::scan(&cfg, now, &snap, None) else {
        println!("the book is not better than fair: nothing to do");
        return Ok(());
    };
    let bankroll = Usd::whole(1_000);
    let part = |bps| bankroll.scale_by(Ratio::from_bps(bps), pm_core::num::Round::Down);
    let budget = Budget {
        bankroll,
        basis: LossBasis::WorstCase,
        bankroll_share: part(2_500),
        cash: bankroll,
        structure_loss: part(500),
        day_loss: part(200),
        week_loss: part(500),
        market: part(2_500),
        expiry: part(2_500),
        underlying: part(5_000),
    };
    let books = |_: MarketIdx| Some((&market, &book));
    match size(&cfg, now, &candidate, Some(&fair), &budget, &books, None) {
        Ok(sized) => {
            let w = sized.waterfall;
            println!("buy           {} shares for {} ({})", sized.qty, w.notional, sized.clip);
            println!(
                "gross {}  fee {}  slippage {}  failure {}  margin {}",
                w.gross, w.taker_fee, w.slippage, w.settlement_failure, w.model_margin
            );
            println!("net {} ({} of notional), full Kelly {} of bankroll", w.net(), w.net_ratio(), sized.kelly);
        }
        Err(refused) => println!("no trade: {}", refused.refusal),
    }
    println!("Kelly of a bare 0.60 chance at 0.57: {}", kelly_binary("0.60".parse()?, "0.57".parse()?));
    Ok(())
}
