//! Records to statements: which table, which column gets what. The order of values is the order of columns in [`crate::statements`].

use pm_core::market::Outcome;
use pm_core::num::Round;
use pm_core::order::{OrderState, Purpose, SettlementState, Tif};
use pm_core::record::{
    ApiHealthRow, BankrollRow, FeeScheduleRow, FillEventRow, LedgerRow, MarketDataRow, OpportunityRow, OrderEventRow, OrderRow,
    PositionRow, Record, RiskEventRow, TradeRow,
};
use pm_core::registry::Catalog;
use pm_core::time::Ts;
use pm_core::traits::StoreError;
use pm_core::units::{Px, Qty, Ratio, Usd};
use uuid::Uuid;

use crate::ids::{IdKind, row_id};
use crate::listings::{instrument, market};
use crate::statements as sql;
use crate::store::Statement;
use crate::value::{BPS, MONEY, PERCENT, Value, counter, json, text, text_or_null};

/// What a run's rows have in common.
pub(crate) struct Context<'a> {
    pub(crate) run: Uuid,
    pub(crate) source: &'a str,
    pub(crate) catalog: &'a Catalog,
}

pub(crate) type Built<'a> = Result<Statement<'a>, StoreError>;

/// Anything at the scale of money.
pub(crate) trait Raw {
    fn raw_value(self) -> i64;
}
macro_rules! raw {
    ($($t:ty),*) => { $(impl Raw for $t { fn raw_value(self) -> i64 { self.raw() } })* };
}
raw!(Px, Qty, Usd, Ratio);

pub(crate) fn fixed<T: Raw>(value: T) -> Value<'static> {
    Value::Fixed(Some(value.raw_value()), MONEY)
}
fn fixed_or_null<T: Raw>(value: Option<T>) -> Value<'static> {
    Value::Fixed(value.map(Raw::raw_value), MONEY)
}
pub(crate) fn time(at: Ts) -> Value<'static> {
    Value::Time(Some(at))
}
fn time_or_null(at: Option<Ts>) -> Value<'static> {
    Value::Time(at)
}
pub(crate) fn int(value: impl Into<i64>) -> Value<'static> {
    Value::Int(Some(value.into()))
}
fn counter_or_null(value: Option<u64>) -> Result<Value<'static>, StoreError> {
    value.map_or(Ok(Value::Int(None)), counter)
}

impl Context<'_> {
    /// The statement that writes a record.
    pub(crate) fn statement<'a>(&'a self, record: &'a Record) -> Built<'a> {
        match record {
            Record::MarketData(r) => Ok(self.market_data(r)),
            Record::Market(m) => market(self, m),
            Record::Instrument(i) => instrument(self, i),
            Record::Opportunity(r) => self.opportunity(r),
            Record::Trade(r) => self.trade(r),
            Record::Position(r) => self.position(r),
            Record::Bankroll(r) => Ok(self.bankroll(r)),
            Record::RiskEvent(r) => self.risk_event(r),
            Record::FeeSchedule(r) => Ok(self.fee_schedule(r)),
            Record::ApiHealth(r) => Ok(self.api_health(r)),
            Record::Order(r) => self.order(r),
            Record::OrderEvent(r) => self.order_event(r),
            Record::FillEvent(r) => self.fill_event(r),
            Record::Ledger(r) => self.ledger(r),
        }
    }

    pub(crate) fn run(&self) -> Value<'static> {
        Value::Id(Some(self.run))
    }
    fn source(&self) -> Value<'_> {
        text(self.source)
    }
    pub(crate) fn id(&self, kind: IdKind, n: u64) -> Value<'static> {
        Value::Id(Some(row_id(self.run, kind, n)))
    }
    fn id_or_null(&self, kind: IdKind, n: Option<u64>) -> Value<'static> {
        Value::Id(n.map(|n| row_id(self.run, kind, n)))
    }

    fn market_data<'a>(&'a self, r: &'a MarketDataRow) -> Statement<'a> {
        let values = vec![
            self.run(),
            self.source(),
            text(&r.market),
            text(self.catalog.venue_name(r.venue)),
            fixed_or_null(r.best_bid),
            fixed_or_null(r.best_ask),
            fixed_or_null(r.bid_volume),
            fixed_or_null(r.ask_volume),
            time(r.at),
        ];
        Statement { sql: sql::MARKET_DATA, values }
    }

    fn opportunity<'a>(&'a self, r: &'a OpportunityRow) -> Built<'a> {
        let w = &r.waterfall;
        // An empty notional has no ratio: zero, and the refusal says why.
        let spread = w.gross.ratio_of(w.notional, Round::Down).unwrap_or(Ratio::ZERO);
        let structure = r.structure.map(|s| s.0);
        let values = vec![
            self.run(),
            self.source(),
            self.id(IdKind::Opportunity, r.id.0),
            counter(r.id.0)?,
            text(&r.market),
            text(&r.slug),
            text(&r.legs),
            text(outcome_text(r.outcome)),
            text(r.strategy.as_str()),
            text(r.class.as_str()),
            fixed(r.fair.lo),
            fixed(r.fair.mid),
            fixed(r.fair.hi),
            fixed(r.prediction_price),
            fixed_or_null(r.implied_price),
            Value::Fixed(Some(spread.raw()), BPS),
            fixed(w.gross),
            fixed(w.net()),
            fixed(r.kelly),
            fixed(r.size),
            fixed(w.qty),
            fixed(w.notional),
            fixed(w.taker_fee),
            fixed(w.gas),
            fixed(w.hedge_cost),
            fixed(w.slippage),
            fixed(w.settlement_failure),
            fixed(w.model_margin),
            json(&r.hedge)?,
            time(r.detected_at),
            time_or_null(r.closed_at),
            int(r.updates),
            Value::Flag(structure.is_some()),
            counter_or_null(structure)?,
            self.id_or_null(IdKind::Position, structure),
            text_or_null(r.refusal.as_ref().map(|x| x.code())),
            Value::Text(r.refusal.as_ref().map(|x| x.to_string().into())),
            r.refusal.as_ref().map_or(Ok(Value::Json(None)), json)?,
        ];
        Ok(Statement { sql: sql::OPPORTUNITIES, values })
    }

    fn trade<'a>(&'a self, r: &'a TradeRow) -> Built<'a> {
        let values = vec![
            self.run(),
            self.source(),
            self.id(IdKind::Trade, r.intent.0),
            self.id_or_null(IdKind::Opportunity, r.opportunity.map(|o| o.0)),
            counter(r.intent.0)?,
            counter(r.structure.0)?,
            self.id(IdKind::Position, r.structure.0),
            text(&r.market),
            text(r.side.as_str()),
            fixed(r.size),
            fixed(r.price),
            text(self.catalog.venue_name(r.venue)),
            fixed(r.commission),
            fixed_or_null(r.gas_native),
            fixed_or_null(r.gas_usd),
            fixed_or_null(r.transfer_fees),
            fixed_or_null(r.gross_pnl),
            fixed_or_null(r.total_fees),
            fixed_or_null(r.net_pnl),
            text(r.status.as_str()),
            time(r.executed_at),
            time_or_null(r.settled_at),
        ];
        Ok(Statement { sql: sql::TRADES, values })
    }

    fn position<'a>(&'a self, r: &'a PositionRow) -> Built<'a> {
        let values = vec![
            self.run(),
            self.source(),
            self.id(IdKind::Position, r.structure.0),
            counter(r.structure.0)?,
            text(&r.market),
            fixed(r.prediction_size),
            fixed(r.hedge_size),
            fixed(r.net_exposure),
            fixed_or_null(r.avg_entry_price),
            fixed(r.unrealized_pnl),
            fixed(r.realized_pnl),
            time(r.opened_at),
            time_or_null(r.closed_at),
            text(if r.closed_at.is_some() { "closed" } else { "open" }),
        ];
        Ok(Statement { sql: sql::POSITIONS, values })
    }

    fn bankroll(&self, r: &BankrollRow) -> Statement<'_> {
        let values = vec![
            self.run(),
            self.source(),
            time(r.at),
            fixed(r.total_capital),
            fixed(r.allocated),
            fixed(r.available),
            fixed(r.daily_pnl),
            fixed(r.daily_drawdown),
            int(r.total_trades),
            int(r.wins),
            int(r.losses),
        ];
        Statement { sql: sql::BANKROLL, values }
    }

    fn risk_event<'a>(&'a self, r: &'a RiskEventRow) -> Built<'a> {
        let values = vec![
            self.run(),
            self.source(),
            self.id(IdKind::RiskEvent, r.seq),
            counter(r.seq)?,
            text(&r.kind),
            text(r.severity.as_str()),
            text(&r.description),
            text_or_null(r.market.as_deref()),
            self.id_or_null(IdKind::Position, r.structure.map(|s| s.0)),
            time(r.at),
            time_or_null(r.resolved_at),
            text_or_null(r.notes.as_deref()),
        ];
        Ok(Statement { sql: sql::RISK_EVENTS, values })
    }

    fn fee_schedule<'a>(&'a self, r: &'a FeeScheduleRow) -> Statement<'a> {
        let values = vec![
            self.run(),
            self.source(),
            text(self.catalog.venue_name(r.venue)),
            text(&r.kind),
            Value::Fixed(r.rate.map(Ratio::raw), PERCENT),
            fixed_or_null(r.fixed),
            text(&r.currency),
            time(r.from),
        ];
        Statement { sql: sql::FEE_SCHEDULE, values }
    }

    fn api_health<'a>(&'a self, r: &'a ApiHealthRow) -> Statement<'a> {
        let values = vec![
            self.run(),
            self.source(),
            text(self.catalog.venue_name(r.venue)),
            text(r.endpoint.as_str()),
            int(r.latency.millis()),
            Value::Flag(r.ok),
            text_or_null(r.error.as_deref()),
            time(r.at),
        ];
        Statement { sql: sql::API_HEALTH, values }
    }

    fn order<'a>(&'a self, r: &'a OrderRow) -> Built<'a> {
        let i = &r.intent;
        let (tif, expires) = match i.tif {
            Tif::FillAndKill => ("fill_and_kill", None),
            Tif::FillOrKill => ("fill_or_kill", None),
            Tif::GoodTillCancel => ("good_till_cancel", None),
            Tif::GoodTillDate(at) => ("good_till_date", Some(at)),
            Tif::PostOnly => ("post_only", None),
        };
        let purpose = match i.purpose {
            Purpose::Entry => "entry",
            Purpose::Hedge => "hedge",
            Purpose::Reduce => "reduce",
        };
        let values = vec![
            self.run(),
            self.id(IdKind::Order, i.id.0),
            counter(i.id.0)?,
            counter(i.structure.0)?,
            self.id(IdKind::Position, i.structure.0),
            text(self.catalog.venue_name(i.venue)),
            text(&r.market),
            json(&i.target)?,
            text(i.side.as_str()),
            fixed(i.limit),
            fixed(i.qty),
            text(tif),
            time_or_null(expires),
            text(purpose),
            time(i.decided_at),
            text(order_state(r.state)),
            fixed(r.filled),
            text_or_null(r.reason.map(|x| x.code())),
        ];
        Ok(Statement { sql: sql::ORDERS, values })
    }

    fn order_event(&self, r: &OrderEventRow) -> Built<'_> {
        let values = vec![
            self.run(),
            self.id(IdKind::Order, r.intent.0),
            counter(r.intent.0)?,
            text(order_state(r.state)),
            fixed(r.filled),
            text_or_null(r.reason.map(|x| x.code())),
            time(r.at),
        ];
        Ok(Statement { sql: sql::ORDER_EVENTS, values })
    }

    fn fill_event(&self, r: &FillEventRow) -> Built<'_> {
        let state = match r.state {
            SettlementState::Matched => "matched",
            SettlementState::Mined => "mined",
            SettlementState::Retrying => "retrying",
            SettlementState::Confirmed => "confirmed",
            SettlementState::Failed => "failed",
        };
        let values = vec![
            self.run(),
            Value::Id(Some(Uuid::from_u128(r.fill.0))),
            self.id(IdKind::Order, r.intent.0),
            counter(r.intent.0)?,
            fixed(r.px),
            fixed(r.qty),
            fixed(r.fee),
            text(state),
            time(r.at),
        ];
        Ok(Statement { sql: sql::FILL_EVENTS, values })
    }

    fn ledger<'a>(&'a self, r: &'a LedgerRow) -> Built<'a> {
        Ok(Statement { sql: sql::LEDGER, values: self.ledger_values(r)? })
    }

    /// All columns of a ledger row: written, and compared when its number is there already.
    pub(crate) fn ledger_values<'a>(&'a self, r: &'a LedgerRow) -> Result<Vec<Value<'a>>, StoreError> {
        Ok(vec![
            self.run(),
            counter(r.seq)?,
            time(r.at),
            text(&r.debit),
            text(&r.credit),
            text(&r.asset),
            Value::Fixed(Some(r.amount), MONEY),
            text(&r.cause),
            counter_or_null(r.structure.map(|s| s.0))?,
            self.id_or_null(IdKind::Position, r.structure.map(|s| s.0)),
            text_or_null(r.class.map(|c| c.as_str())),
        ])
    }
}

pub(crate) const fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::First => "first",
        Outcome::Second => "second",
    }
}

const fn order_state(state: OrderState) -> &'static str {
    match state {
        OrderState::Sent => "sent",
        OrderState::Held => "held",
        OrderState::Resting => "resting",
        OrderState::Filled => "filled",
        OrderState::Cancelled => "cancelled",
        OrderState::Refused => "refused",
        OrderState::Unknown => "unknown",
    }
}
