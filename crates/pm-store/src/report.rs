//! Figures and rows of one run for `report` and `why`.

use pm_core::ids::{OpportunityId, StructureId};
use pm_core::market::Outcome;
use pm_core::opportunity::{Band, EvidenceClass, StrategyKind, Waterfall};
use pm_core::record::OpportunityRow;
use pm_core::time::Ts;
use pm_core::traits::StoreError;
use pm_core::units::{Px, Qty, Ratio, Usd};
use uuid::Uuid;

use crate::read::{OpportunitySelector, RunSelector};
use crate::store::SqlStore;
use crate::value::{Cells, MONEY, Value, counter};

/// A stored opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpportunityView {
    /// Its UUID.
    pub opportunity_id: Uuid,
    /// Its run.
    pub run_id: Uuid,
    /// Where the data came from, `:derived` when it was sampled.
    pub source: String,
    /// Position that opened from it.
    pub position_id: Option<Uuid>,
    /// Everything that the engine said about it.
    pub row: OpportunityRow,
}

/// A stored trade leg. Money in collateral or quote currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeView {
    /// Its UUID.
    pub trade_id: Uuid,
    /// Opportunity.
    pub opportunity_id: Option<Uuid>,
    /// Number of the order within the run.
    pub intent: u64,
    /// Structure.
    pub structure: StructureId,
    /// Venue's market id or symbol.
    pub market: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Filled quantity.
    pub size: Qty,
    /// Average price.
    pub price: Px,
    /// Venue's name.
    pub exchange: String,
    /// Trading fee.
    pub commission: Usd,
    /// Gas in the chain's coin.
    pub gas_native: Option<Usd>,
    /// Gas in collateral.
    pub gas_usd: Option<Usd>,
    /// Deposit and withdrawal fees attributed.
    pub transfer_fees: Option<Usd>,
    /// PnL before fees, once closed.
    pub gross_pnl: Option<Usd>,
    /// All fees, once closed.
    pub total_fees: Option<Usd>,
    /// PnL after fees, once closed.
    pub net_pnl: Option<Usd>,
    /// `open`, `closed`, `failed`.
    pub status: String,
    /// First fill.
    pub executed_at: Ts,
    /// Settlement.
    pub settled_at: Option<Ts>,
}

/// A stored risk event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskEventView {
    /// Its UUID.
    pub event_id: Uuid,
    /// Number within the run.
    pub seq: u64,
    /// Trigger's or gate's code.
    pub kind: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// For people.
    pub description: String,
    /// Market, if it is about one.
    pub market: Option<String>,
    /// Begin.
    pub at: Ts,
    /// End.
    pub resolved_at: Option<Ts>,
    /// How it was resolved.
    pub notes: Option<String>,
}

/// A stored bankroll row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BankrollView {
    /// Time.
    pub at: Ts,
    /// Equity.
    pub total_capital: Usd,
    /// Bound in positions and orders.
    pub allocated: Usd,
    /// Free cash.
    pub available: Usd,
    /// Equity change since 00:00 UTC without transfers.
    pub daily_pnl: Usd,
    /// Largest drop since 00:00 UTC as a fraction of the day's opening bankroll.
    pub daily_drawdown: Ratio,
}

const OPPORTUNITY_BY_ID: &str = "SELECT * FROM opportunities WHERE opportunity_id = $1";
const OPPORTUNITY_BY_NUMBER: &str = "SELECT * FROM opportunities WHERE run_id = $1 AND run_seq = $2";
const OPPORTUNITIES: &str = "SELECT * FROM opportunities WHERE run_id = $1 ORDER BY run_seq LIMIT $2";
const TRADES: &str = "SELECT * FROM trades WHERE run_id = $1 ORDER BY run_seq";
const RISK_EVENTS: &str = "SELECT * FROM risk_events WHERE run_id = $1 ORDER BY run_seq";
const BANKROLL: &str = "SELECT * FROM bankroll WHERE run_id = $1 ORDER BY timestamp";

impl SqlStore {
    /// One opportunity.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn opportunity(&self, which: OpportunitySelector) -> Result<OpportunityView, StoreError> {
        let (found, name) = match which {
            OpportunitySelector::Id(id) => {
                (self.fetch(OPPORTUNITY_BY_ID, vec![Value::Id(Some(id))], opportunity_view).await?, format!("opportunity {id}"))
            }
            OpportunitySelector::Number(run, n) => {
                let run = self.run_id(run).await?;
                let values = vec![Value::Id(Some(run)), counter(n)?];
                (self.fetch(OPPORTUNITY_BY_NUMBER, values, opportunity_view).await?, format!("opportunity {n} of run {run}"))
            }
        };
        found.into_iter().next().ok_or(StoreError::NotFound(name))
    }

    /// Where the edge of an opportunity went.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn opportunity_waterfall(&self, which: OpportunitySelector) -> Result<Waterfall, StoreError> {
        self.opportunity(which).await.map(|o| o.row.waterfall)
    }

    /// The first opportunities of a run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn opportunities(&self, run: RunSelector, limit: u32) -> Result<Vec<OpportunityView>, StoreError> {
        let values = vec![Value::Id(Some(self.run_id(run).await?)), Value::Int(Some(i64::from(limit)))];
        self.fetch(OPPORTUNITIES, values, opportunity_view).await
    }

    /// Trade legs of a run, in the order of their orders.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn trades(&self, run: RunSelector) -> Result<Vec<TradeView>, StoreError> {
        self.fetch(TRADES, vec![Value::Id(Some(self.run_id(run).await?))], trade_view).await
    }

    /// Risk events of a run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn risk_events(&self, run: RunSelector) -> Result<Vec<RiskEventView>, StoreError> {
        self.fetch(RISK_EVENTS, vec![Value::Id(Some(self.run_id(run).await?))], risk_event_view).await
    }

    /// Bankroll of a run over time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn bankroll(&self, run: RunSelector) -> Result<Vec<BankrollView>, StoreError> {
        self.fetch(BANKROLL, vec![Value::Id(Some(self.run_id(run).await?))], bankroll_view).await
    }
}

/// Money of a column.
fn usd(row: &dyn Cells, column: &str) -> Result<Usd, StoreError> {
    row.fixed(column, MONEY).map(Usd::from_raw)
}
fn usd_or_null(row: &dyn Cells, column: &str) -> Result<Option<Usd>, StoreError> {
    row.fixed_or_null(column, MONEY).map(|v| v.map(Usd::from_raw))
}
fn px(row: &dyn Cells, column: &str) -> Result<Px, StoreError> {
    row.fixed(column, MONEY).map(Px::from_raw)
}
fn qty(row: &dyn Cells, column: &str) -> Result<Qty, StoreError> {
    row.fixed(column, MONEY).map(Qty::from_raw)
}

fn strategy(name: &str) -> Option<StrategyKind> {
    use StrategyKind as S;
    [S::CrossExchange, S::SetArbitrage, S::LiquiditySkew, S::SettlementDrift, S::NewMarket, S::BehaviouralBias]
        .into_iter()
        .find(|s| s.as_str() == name)
}

fn class(name: &str) -> Option<EvidenceClass> {
    [EvidenceClass::ModelFree, EvidenceClass::OptionImplied, EvidenceClass::VolModel].into_iter().find(|c| c.as_str() == name)
}

fn outcome(name: &str) -> Option<Outcome> {
    [Outcome::First, Outcome::Second].into_iter().find(|o| crate::rows::outcome_text(*o) == name)
}

fn named<T>(row: &dyn Cells, column: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let name = row.text(column)?;
    find(&name).ok_or_else(|| StoreError::Schema(format!("column {column}: `{name}` is not known to this pmbot")))
}

fn from_json<T: serde::de::DeserializeOwned>(value: serde_json::Value, column: &str) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|e| StoreError::Schema(format!("column {column}: {e}")))
}

fn opportunity_view(row: &dyn Cells) -> Result<OpportunityView, StoreError> {
    let updates = row.int("updates")?;
    let refusal = row.json_or_null("refusal")?.map(|v| from_json(v, "refusal")).transpose()?;
    Ok(OpportunityView {
        opportunity_id: row.id("opportunity_id")?,
        run_id: row.id("run_id")?,
        source: row.text("source")?,
        position_id: row.id_or_null("position_id")?,
        row: OpportunityRow {
            id: OpportunityId(row.counter("run_seq")?),
            market: row.text("market_id")?.into(),
            slug: row.text("slug")?.into(),
            legs: row.text("legs")?.into(),
            outcome: named(row, "outcome", outcome)?,
            strategy: named(row, "strategy", strategy)?,
            class: named(row, "class", class)?,
            fair: Band { lo: px(row, "fair_lo")?, mid: px(row, "fair_mid")?, hi: px(row, "fair_hi")? },
            prediction_price: px(row, "polymarket_price")?,
            implied_price: row.fixed_or_null("bybit_price", MONEY)?.map(Px::from_raw),
            waterfall: Waterfall {
                qty: qty(row, "quantity")?,
                notional: usd(row, "notional")?,
                gross: usd(row, "gross_edge")?,
                taker_fee: usd(row, "taker_fee")?,
                gas: usd(row, "gas")?,
                hedge_cost: usd(row, "hedge_cost")?,
                slippage: usd(row, "slippage")?,
                settlement_failure: usd(row, "settlement_failure")?,
                model_margin: usd(row, "model_margin")?,
            },
            kelly: row.fixed("kelly_fraction", MONEY).map(Ratio::from_raw)?,
            size: qty(row, "recommended_size")?,
            hedge: from_json(row.json("hedge")?, "hedge")?,
            detected_at: row.time("detected_at")?,
            closed_at: row.time_or_null("closed_at")?,
            updates: u32::try_from(updates).map_err(|_| StoreError::Refused(format!("column updates: {updates}")))?,
            structure: match row.int_or_null("structure")? {
                Some(_) => Some(StructureId(row.counter("structure")?)),
                None => None,
            },
            refusal,
        },
    })
}

fn trade_view(row: &dyn Cells) -> Result<TradeView, StoreError> {
    Ok(TradeView {
        trade_id: row.id("trade_id")?,
        opportunity_id: row.id_or_null("opportunity_id")?,
        intent: row.counter("run_seq")?,
        structure: StructureId(row.counter("structure")?),
        market: row.text("market_id")?,
        side: row.text("side")?,
        size: qty(row, "size")?,
        price: px(row, "price")?,
        exchange: row.text("exchange")?,
        commission: usd(row, "commission")?,
        gas_native: usd_or_null(row, "gas_cost_eth")?,
        gas_usd: usd_or_null(row, "gas_cost_usd")?,
        transfer_fees: usd_or_null(row, "fiat_fees")?,
        gross_pnl: usd_or_null(row, "gross_pnl")?,
        total_fees: usd_or_null(row, "total_fees")?,
        net_pnl: usd_or_null(row, "net_pnl")?,
        status: row.text("status")?,
        executed_at: row.time("executed_at")?,
        settled_at: row.time_or_null("settled_at")?,
    })
}

fn risk_event_view(row: &dyn Cells) -> Result<RiskEventView, StoreError> {
    Ok(RiskEventView {
        event_id: row.id("event_id")?,
        seq: row.counter("run_seq")?,
        kind: row.text("event_type")?,
        severity: row.text("severity")?,
        description: row.text("description")?,
        market: row.text_or_null("market_id")?,
        at: row.time("triggered_at")?,
        resolved_at: row.time_or_null("resolved_at")?,
        notes: row.text_or_null("resolution_notes")?,
    })
}

fn bankroll_view(row: &dyn Cells) -> Result<BankrollView, StoreError> {
    Ok(BankrollView {
        at: row.time("timestamp")?,
        total_capital: usd(row, "total_capital")?,
        allocated: usd(row, "allocated")?,
        available: usd(row, "available")?,
        daily_pnl: usd(row, "daily_pnl")?,
        daily_drawdown: row.fixed("daily_drawdown", MONEY).map(Ratio::from_raw)?,
    })
}
