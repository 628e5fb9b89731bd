//! Sums of a run, made by the database: PnL and fees from the ledger, refusals, counts. Sums are per asset; nothing is converted here.

use pm_core::traits::StoreError;
use pm_core::units::Usd;

use crate::read::RunSelector;
use crate::store::SqlStore;
use crate::value::{Cells, MONEY, Value};

/// Name under which ledger rows without a class of evidence are summed.
pub const UNCLASSIFIED: &str = "unclassified";

/// A sum over ledger rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is a sum of: cause, hop or class.
    pub name: String,
    /// Asset code.
    pub asset: String,
    /// The sum, in the asset.
    pub amount: Usd,
}

/// Number of market data rows of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketDataCount {
    /// Venue's name.
    pub exchange: String,
    /// Venue's market id or symbol.
    pub market: String,
    /// Rows.
    pub rows: u64,
}

const REFUSALS: &str = "SELECT COALESCE(refusal_code, 'unknown') AS name, COUNT(*) AS n FROM opportunities \
     WHERE run_id = $1 AND structure IS NULL AND closed_at IS NOT NULL \
     GROUP BY COALESCE(refusal_code, 'unknown') ORDER BY n DESC, name";
/// Credits minus debits of income and expense accounts: profit is positive, a fee negative.
const PNL_BY_CAUSE: &str = "SELECT name, asset, SUM(amount) AS amount FROM ( \
     SELECT credit AS name, asset, amount FROM ledger WHERE run_id = $1 AND (credit LIKE 'income:%' OR credit LIKE 'expense:%') \
     UNION ALL \
     SELECT debit AS name, asset, -amount AS amount FROM ledger WHERE run_id = $1 AND (debit LIKE 'income:%' OR debit LIKE 'expense:%') \
     ) AS moves GROUP BY name, asset ORDER BY name, asset";
const PNL_BY_CLASS: &str = "SELECT name, asset, SUM(amount) AS amount FROM ( \
     SELECT COALESCE(class, 'unclassified') AS name, asset, amount FROM ledger \
     WHERE run_id = $1 AND (credit LIKE 'income:%' OR credit LIKE 'expense:%') \
     UNION ALL \
     SELECT COALESCE(class, 'unclassified') AS name, asset, -amount AS amount FROM ledger \
     WHERE run_id = $1 AND (debit LIKE 'income:%' OR debit LIKE 'expense:%') \
     ) AS moves GROUP BY name, asset ORDER BY name, asset";
const MARKET_DATA: &str = "SELECT exchange, market_id, COUNT(*) AS n FROM market_data WHERE run_id = $1 \
     GROUP BY exchange, market_id ORDER BY exchange, market_id";
const COUNTS: &str = "SELECT 'api_health' AS name, COUNT(*) AS n FROM api_health WHERE run_id = $1 \
     UNION ALL SELECT 'bankroll', COUNT(*) FROM bankroll WHERE run_id = $1 \
     UNION ALL SELECT 'fee_schedule', COUNT(*) FROM fee_schedule WHERE run_id = $1 \
     UNION ALL SELECT 'fill_events', COUNT(*) FROM fill_events WHERE run_id = $1 \
     UNION ALL SELECT 'instruments', COUNT(*) FROM instruments WHERE run_id = $1 \
     UNION ALL SELECT 'ledger', COUNT(*) FROM ledger WHERE run_id = $1 \
     UNION ALL SELECT 'market_data', COUNT(*) FROM market_data WHERE run_id = $1 \
     UNION ALL SELECT 'markets', COUNT(*) FROM markets WHERE run_id = $1 \
     UNION ALL SELECT 'opportunities', COUNT(*) FROM opportunities WHERE run_id = $1 \
     UNION ALL SELECT 'order_events', COUNT(*) FROM order_events WHERE run_id = $1 \
     UNION ALL SELECT 'orders', COUNT(*) FROM orders WHERE run_id = $1 \
     UNION ALL SELECT 'positions', COUNT(*) FROM positions WHERE run_id = $1 \
     UNION ALL SELECT 'risk_events', COUNT(*) FROM risk_events WHERE run_id = $1 \
     UNION ALL SELECT 'trades', COUNT(*) FROM trades WHERE run_id = $1";

impl SqlStore {
    /// Episodes that ended without a trade, by the code of their last reason, most frequent first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn refusals(&self, run: RunSelector) -> Result<Vec<(String, u64)>, StoreError> {
        self.of_run(REFUSALS, run, |row| Ok((row.text("name")?, row.counter("n")?))).await
    }

    /// PnL by account: `income:<cause>` (profit positive) and `expense:<hop>` (fees negative). The sum of all is the net result.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn pnl_by_cause(&self, run: RunSelector) -> Result<Vec<Figure>, StoreError> {
        self.of_run(PNL_BY_CAUSE, run, figure).await
    }

    /// Fees by hop (names without `expense:`), paid = positive.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn fees_by_hop(&self, run: RunSelector) -> Result<Vec<Figure>, StoreError> {
        let all = self.pnl_by_cause(run).await?;
        let hop = |f: Figure| {
            let name = f.name.strip_prefix("expense:")?.to_owned();
            Some(Figure { name, asset: f.asset, amount: -f.amount })
        };
        Ok(all.into_iter().filter_map(hop).collect())
    }

    /// Net result (income and expenses) by class of evidence; [`UNCLASSIFIED`] for rows without one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn pnl_by_class(&self, run: RunSelector) -> Result<Vec<Figure>, StoreError> {
        self.of_run(PNL_BY_CLASS, run, figure).await
    }

    /// Market data rows by market.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn market_data_counts(&self, run: RunSelector) -> Result<Vec<MarketDataCount>, StoreError> {
        let map = |row: &dyn Cells| {
            Ok(MarketDataCount { exchange: row.text("exchange")?, market: row.text("market_id")?, rows: row.counter("n")? })
        };
        self.of_run(MARKET_DATA, run, map).await
    }

    /// Rows of a run by table.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn row_counts(&self, run: RunSelector) -> Result<Vec<(String, u64)>, StoreError> {
        self.of_run(COUNTS, run, |row| Ok((row.text("name")?, row.counter("n")?))).await
    }

    async fn of_run<T>(
        &self,
        sql: &'static str,
        run: RunSelector,
        map: impl Fn(&dyn Cells) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.fetch(sql, vec![Value::Id(Some(self.run_id(run).await?))], map).await
    }
}

fn figure(row: &dyn Cells) -> Result<Figure, StoreError> {
    Ok(Figure { name: row.text("name")?, asset: row.text("asset")?, amount: Usd::from_raw(row.fixed("amount", MONEY)?) })
}
