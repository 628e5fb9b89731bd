//! One of every record.

use std::sync::Arc;

use pm_core::command::Severity;
use pm_core::event::Endpoint;
use pm_core::fees::FeeSchedule;
use pm_core::ids::{
    CurrencyId, FillId, InstrumentIdx, IntentId, MarketIdx, OpportunityId, SourceId, StructureId, UnderlyingId, VenueId,
};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::{Market, Method, Outcome, Payoff, Rule, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::opportunity::{Band, EvidenceClass, Hedge, HedgePlan, NoHedge, StrategyKind, Waterfall};
use pm_core::order::{OrderIntent, OrderState, Purpose, SettlementState, Side, Tif, Tradable};
use pm_core::record::{
    ApiHealthRow, BankrollRow, FeeScheduleRow, FillEventRow, LedgerRow, MarketDataRow, OpportunityRow, OrderEventRow, OrderRow,
    PositionRow, Record, RiskEventRow, TradeRow, TradeStatus,
};
use pm_core::refusal::{Refusal, VenueRefusal};
use pm_core::registry::{Catalog, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_store::{RunStart, RunStore, SqlStore};
use uuid::Uuid;

pub(crate) const RUN: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

/// 2026-06-08 00:00 UTC plus `s` seconds.
pub(crate) fn ts(s: i64) -> Ts {
    Ts::from_secs(1_780_876_800 + s)
}
pub(crate) fn px(text: &str) -> Px {
    text.parse().unwrap()
}
pub(crate) fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}
pub(crate) fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}
pub(crate) fn ratio(text: &str) -> Ratio {
    text.parse().unwrap()
}

pub(crate) fn catalog() -> Catalog {
    let venue = |name: &str, role| VenueInfo { name: name.into(), role, currency: CurrencyId(0) };
    Catalog {
        venues: vec![venue("prediction", VenueRole::Prediction), venue("hedge", VenueRole::Hedge)],
        currencies: vec!["pUSD".into(), "USDT".into()],
        underlyings: vec!["BTC".into()],
        sources: vec![SourceInfo { name: "oracle-btc".into(), underlying: UnderlyingId(0) }],
    }
}

pub(crate) fn start() -> RunStart {
    RunStart {
        run_id: RUN,
        started_at: ts(0),
        mode: "paper".into(),
        source: "sim".into(),
        origin: "seed 7, makers typical".into(),
        derived: false,
        seed: Some(u64::MAX),
        bankroll_start: usd("10"),
        build: "0.1.0".into(),
        config: serde_json::json!({"risk": {"loss_basis": "marked"}}),
    }
}

/// A saved run and its writer.
pub(crate) async fn run_of(store: &SqlStore) -> RunStore {
    let start = start();
    store.save_run_start(&start).await.unwrap();
    store.for_run(&start.info(), catalog())
}

pub(crate) fn market() -> Record {
    let rule = SettlementRule {
        source: SourceId(0),
        method: Method::Twap { window: Dur::from_secs(60) },
        payoff: Payoff::UpDown { start_at: ts(0), start: StartValue::SameMethod, reference: Some(px("105000.5")) },
        tie: Tie::First,
        final_at: ts(300),
        origin: RuleOrigin::Metadata,
    };
    Record::Market(Arc::new(Market {
        idx: MarketIdx(0),
        venue: VenueId(0),
        native: "0xaa".into(),
        slug: "btc-updown-5m".into(),
        question: "Bitcoin Up or Down?".into(),
        tokens: ["111".into(), "222".into()],
        labels: ["Up".into(), "Down".into()],
        family: "updown-5m".into(),
        underlying: Some(UnderlyingId(0)),
        rule: Rule::Understood(rule),
        currency: CurrencyId(0),
        tick: px("0.01"),
        min_qty: qty("5"),
        min_notional: usd("1"),
        fees: FeeSchedule::Free,
        taker_hold: Dur::from_millis(250),
        opens_at: ts(0),
        closes_at: ts(300),
        accepting: true,
        neg_risk: false,
        version: "v2".into(),
        group: "btc-5m".into(),
    }))
}

pub(crate) fn instrument() -> Record {
    Record::Instrument(Arc::new(Instrument {
        idx: InstrumentIdx(0),
        venue: VenueId(1),
        symbol: "BTCUSDT".into(),
        kind: InstrumentKind::Perp,
        underlying: Some(UnderlyingId(0)),
        currency: CurrencyId(1),
        tick: px("0.1"),
        lot: qty("0.001"),
        min_qty: qty("0.001"),
        min_notional: usd("5"),
        max_qty: Qty::MAX,
        fees: FeeSchedule::Proportional { taker: ratio("0.00055"), maker: ratio("0.0002") },
        initial_margin: ratio("0.1"),
        trading: true,
    }))
}

pub(crate) fn top(market: &str, at: i64) -> MarketDataRow {
    MarketDataRow {
        venue: VenueId(0),
        market: market.into(),
        best_bid: Some(px("0.42")),
        best_ask: None,
        bid_volume: Some(qty("120.5")),
        ask_volume: None,
        at: ts(at),
    }
}

pub(crate) fn opportunity(id: u64) -> OpportunityRow {
    OpportunityRow {
        id: OpportunityId(id),
        market: "0xaa".into(),
        slug: "btc-updown-5m".into(),
        legs: "buy Up btc-updown-5m @ 0.43".into(),
        outcome: Outcome::First,
        strategy: StrategyKind::CrossExchange,
        class: EvidenceClass::VolModel,
        fair: Band { lo: px("0.45"), mid: px("0.47"), hi: px("0.49") },
        prediction_price: px("0.43"),
        implied_price: Some(px("0.47")),
        waterfall: Waterfall {
            qty: qty("5"),
            notional: usd("2.15"),
            gross: usd("0.2"),
            taker_fee: usd("0.06"),
            gas: Usd::ZERO,
            hedge_cost: usd("0.01"),
            slippage: usd("0.005"),
            settlement_failure: usd("0.001"),
            model_margin: usd("0.1"),
        },
        kelly: ratio("0.0702"),
        size: qty("5"),
        hedge: Hedge::Delta(HedgePlan {
            instrument: InstrumentIdx(0),
            side: Side::Sell,
            per_share: qty("0.00002"),
            band: qty("0.001"),
            max_cost: usd("0.05"),
            exit_from: ts(240),
            exit_over: Dur::from_secs(60),
        }),
        detected_at: ts(10),
        closed_at: None,
        updates: 3,
        structure: None,
        refusal: Some(Refusal::BelowMinEdge { edge: ratio("0.0005"), min: ratio("0.001") }),
    }
}

pub(crate) fn taken(id: u64, structure: u64) -> OpportunityRow {
    OpportunityRow {
        structure: Some(StructureId(structure)),
        refusal: None,
        implied_price: None,
        class: EvidenceClass::ModelFree,
        strategy: StrategyKind::SetArbitrage,
        hedge: Hedge::None(NoHedge::SelfHedged),
        ..opportunity(id)
    }
}

pub(crate) fn trade(intent: u64, opportunity: Option<u64>) -> TradeRow {
    TradeRow {
        intent: IntentId(intent),
        structure: StructureId(1),
        opportunity: opportunity.map(OpportunityId),
        market: "0xaa".into(),
        side: Side::Buy,
        size: qty("5"),
        price: px("0.43"),
        venue: VenueId(0),
        commission: usd("0.06"),
        gas_native: None,
        gas_usd: None,
        transfer_fees: None,
        gross_pnl: Some(usd("2.85")),
        total_fees: Some(usd("0.06")),
        net_pnl: Some(usd("2.79")),
        status: TradeStatus::Closed,
        executed_at: ts(12),
        settled_at: Some(ts(310)),
    }
}

pub(crate) fn position(structure: u64) -> PositionRow {
    PositionRow {
        structure: StructureId(structure),
        market: "0xaa".into(),
        prediction_size: qty("5"),
        hedge_size: qty("-0.001"),
        net_exposure: usd("2.21"),
        avg_entry_price: Some(px("0.43")),
        unrealized_pnl: usd("-0.11"),
        realized_pnl: usd("-0.06"),
        opened_at: ts(12),
        closed_at: None,
    }
}

pub(crate) fn bankroll(at: i64) -> BankrollRow {
    BankrollRow {
        at: ts(at),
        total_capital: usd("9.89"),
        allocated: usd("2.21"),
        available: usd("7.79"),
        daily_pnl: usd("-0.11"),
        daily_drawdown: ratio("0.011"),
        total_trades: 1,
        wins: 1,
        losses: 0,
    }
}

pub(crate) fn risk_event(seq: u64) -> RiskEventRow {
    RiskEventRow {
        seq,
        kind: "daily_loss".into(),
        severity: Severity::Critical,
        description: "equity fell".into(),
        market: None,
        structure: Some(StructureId(1)),
        at: ts(20),
        resolved_at: None,
        notes: None,
    }
}

pub(crate) fn order(intent: u64, state: OrderState) -> OrderRow {
    OrderRow {
        intent: OrderIntent {
            id: IntentId(intent),
            structure: StructureId(1),
            venue: VenueId(0),
            target: Tradable::Outcome(MarketIdx(0), Outcome::First),
            side: Side::Buy,
            limit: px("0.44"),
            qty: qty("5"),
            tif: Tif::FillAndKill,
            purpose: Purpose::Entry,
            decided_at: ts(11),
        },
        market: "0xaa".into(),
        state,
        filled: Qty::ZERO,
        reason: None,
    }
}

pub(crate) fn order_event(intent: u64) -> OrderEventRow {
    OrderEventRow {
        intent: IntentId(intent),
        state: OrderState::Cancelled,
        filled: qty("2"),
        reason: Some(VenueRefusal::NotFilled),
        at: ts(12),
    }
}

pub(crate) fn fill_event(state: SettlementState, at: i64) -> FillEventRow {
    FillEventRow {
        fill: FillId(u128::MAX - 7),
        intent: IntentId(1),
        px: px("0.43"),
        qty: qty("5"),
        fee: usd("0.06"),
        state,
        at: ts(at),
    }
}

pub(crate) fn entry(seq: u64, debit: &str, credit: &str, asset: &str, amount: &str, class: Option<EvidenceClass>) -> LedgerRow {
    LedgerRow {
        seq,
        at: ts(12),
        debit: debit.into(),
        credit: credit.into(),
        asset: asset.into(),
        amount: usd(amount).raw(),
        cause: "fill".into(),
        structure: Some(StructureId(1)),
        class,
    }
}

pub(crate) fn ledger(seq: u64) -> Record {
    Record::Ledger(Box::new(entry(seq, "cost:1:m0:first", "cash:0:0", "pUSD", "2.15", None)))
}

/// One record of every kind, in an order that the engine could have.
pub(crate) fn one_of_each() -> Vec<Record> {
    vec![
        market(),
        instrument(),
        Record::FeeSchedule(FeeScheduleRow {
            venue: VenueId(0),
            kind: "taker_curve_rate".into(),
            rate: Some(ratio("0.07000001")),
            fixed: None,
            currency: "pUSD".into(),
            from: ts(0),
        }),
        Record::ApiHealth(ApiHealthRow {
            venue: VenueId(1),
            endpoint: Endpoint::Public,
            latency: Dur::from_nanos(12_999_999),
            ok: false,
            error: Some("HTTP 502".into()),
            at: ts(1),
        }),
        Record::MarketData(top("0xaa", 2)),
        Record::Opportunity(Box::new(opportunity(1))),
        Record::Order(Box::new(order(1, OrderState::Sent))),
        Record::OrderEvent(order_event(1)),
        Record::FillEvent(fill_event(SettlementState::Matched, 12)),
        ledger(1),
        Record::Position(Box::new(position(1))),
        Record::Trade(Box::new(trade(1, Some(1)))),
        Record::Bankroll(bankroll(13)),
        Record::RiskEvent(Box::new(risk_event(1))),
    ]
}
