//! [`RunStore`]: writes the rows of one run. A batch is one transaction. In PostgreSQL the many small rows (market data, ledger) go as
//! arrays, one round trip each; everything else is a prepared statement per row, in the order of the batch.

use std::sync::Arc;

use async_trait::async_trait;
use pm_core::record::{LedgerRow, MarketDataRow, Record};
use pm_core::registry::Catalog;
use pm_core::traits::{Store, StoreError};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::{at, store_error};
use crate::ids::{IdKind, label_of, row_id};
use crate::rows::Context;
use crate::store::{SqlStore, Statement, Tx};
use crate::value::{MONEY, date_time, decimal};

/// What a run's rows carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInfo {
    /// Id of the run; ids of its rows are derived from it ([`crate::row_id`]).
    pub run_id: Uuid,
    /// Where the data comes from: `live`, `replay`, `sim`.
    pub source: Arc<str>,
    /// True when the data was made by an importer of sampled data; rows then say `<source>:derived`.
    pub derived: bool,
}

/// Writes one run's rows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RunStore {
    store: SqlStore,
    run: Uuid,
    stamp: Arc<str>,
    catalog: Arc<Catalog>,
}

/// True when this ledger row is stored exactly so.
const SAME_LEDGER: &str = "SELECT COUNT(*) FROM ledger WHERE run_id = $1 AND seq = $2 AND occurred_at = $3 AND debit = $4 \
     AND credit = $5 AND asset = $6 AND amount = $7 AND cause = $8 AND structure IS NOT DISTINCT FROM $9 \
     AND position_id IS NOT DISTINCT FROM $10 AND class IS NOT DISTINCT FROM $11";

/// PostgreSQL: many market data rows at once.
const MARKET_DATA_ARRAYS: &str = "INSERT INTO market_data \
     (run_id, source, market_id, exchange, best_bid, best_ask, bid_volume, ask_volume, timestamp) \
     SELECT $1, $2, * FROM UNNEST($3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::timestamptz[])";

/// PostgreSQL: many ledger rows at once.
const LEDGER_ARRAYS: &str = "INSERT INTO ledger \
     (run_id, seq, occurred_at, debit, credit, asset, amount, cause, structure, position_id, class) \
     SELECT $1, * FROM UNNEST($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::text[], \
     $9::bigint[], $10::uuid[], $11::text[]) \
     ON CONFLICT (run_id, seq) DO NOTHING";

impl SqlStore {
    /// A writer for the rows of a run. Save the run first ([`SqlStore::save_run_start`]): rows refer to it.
    #[must_use]
    pub fn for_run(&self, info: &RunInfo, catalog: Catalog) -> RunStore {
        let stamp = if info.derived { Arc::from(format!("{}:derived", info.source)) } else { Arc::clone(&info.source) };
        RunStore { store: self.clone(), run: info.run_id, stamp, catalog: Arc::new(catalog) }
    }
}

impl RunStore {
    /// Id of the run.
    #[must_use]
    pub const fn run_id(&self) -> Uuid {
        self.run
    }

    /// The UUID that a counter of this run has in the database.
    #[must_use]
    pub fn row_id(&self, kind: IdKind, counter: u64) -> Uuid {
        row_id(self.run, kind, counter)
    }

    fn context(&self) -> Context<'_> {
        Context { run: self.run, source: &self.stamp, catalog: &self.catalog }
    }

    /// Every record with its own statement, so that an error can name the one that it is about.
    async fn write_rows(&self, batch: &[Record]) -> Result<(), StoreError> {
        let context = self.context();
        let mut tx = self.store.begin().await?;
        for record in batch {
            write_row(&mut tx, &context, record).await.map_err(|e| at(&label_of(record), e))?;
        }
        tx.commit().await
    }

    /// PostgreSQL: as [`Self::write_rows`] with arrays where they pay. `Ok(false)` = nothing was written, write row by row to see why.
    async fn write_arrays(&self, batch: &[Record]) -> Result<bool, StoreError> {
        let context = self.context();
        let mut tx = self.store.begin().await?;
        let (mut tops, mut entries) = (Vec::new(), Vec::new());
        for record in batch {
            match record {
                Record::MarketData(row) => tops.push(row),
                Record::Ledger(row) => entries.push(&**row),
                other => write_row(&mut tx, &context, other).await.map_err(|e| at(&label_of(other), e))?,
            }
        }
        let Tx::Pg(pg) = &mut tx else { return Ok(false) };
        if !self.market_data_arrays(pg, &tops).await? || !self.ledger_arrays(pg, &entries).await? {
            return Ok(false);
        }
        tx.commit().await.map(|()| true)
    }

    async fn market_data_arrays(&self, pg: &mut sqlx::PgConnection, rows: &[&MarketDataRow]) -> Result<bool, StoreError> {
        if rows.is_empty() {
            return Ok(true);
        }
        let column = |f: &dyn Fn(&MarketDataRow) -> Option<i64>| -> Vec<Option<Decimal>> {
            rows.iter().map(|r| f(r).map(|raw| decimal(raw, MONEY))).collect()
        };
        let done = sqlx::query(MARKET_DATA_ARRAYS)
            .bind(self.run)
            .bind(&*self.stamp)
            .bind(rows.iter().map(|r| &*r.market).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| self.catalog.venue_name(r.venue)).collect::<Vec<_>>())
            .bind(column(&|r| r.best_bid.map(|v| v.raw())))
            .bind(column(&|r| r.best_ask.map(|v| v.raw())))
            .bind(column(&|r| r.bid_volume.map(|v| v.raw())))
            .bind(column(&|r| r.ask_volume.map(|v| v.raw())))
            .bind(rows.iter().map(|r| date_time(r.at)).collect::<Vec<_>>())
            .execute(pg)
            .await;
        refused_is_false(done).map(|n| n.is_some())
    }

    async fn ledger_arrays(&self, pg: &mut sqlx::PgConnection, rows: &[&LedgerRow]) -> Result<bool, StoreError> {
        if rows.is_empty() {
            return Ok(true);
        }
        let mut numbers = Vec::with_capacity(rows.len());
        let mut structures = Vec::with_capacity(rows.len());
        for row in rows {
            let Ok(n) = i64::try_from(row.seq) else { return Ok(false) };
            let Ok(s) = row.structure.map(|s| i64::try_from(s.0)).transpose() else { return Ok(false) };
            numbers.push(n);
            structures.push(s);
        }
        let position = |r: &&LedgerRow| r.structure.map(|s| row_id(self.run, IdKind::Position, s.0));
        let done = sqlx::query(LEDGER_ARRAYS)
            .bind(self.run)
            .bind(numbers)
            .bind(rows.iter().map(|r| date_time(r.at)).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| &*r.debit).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| &*r.credit).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| &*r.asset).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| decimal(r.amount, MONEY)).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| &*r.cause).collect::<Vec<_>>())
            .bind(structures)
            .bind(rows.iter().map(position).collect::<Vec<_>>())
            .bind(rows.iter().map(|r| r.class.map(|c| c.as_str())).collect::<Vec<_>>())
            .execute(pg)
            .await;
        let written = refused_is_false(done)?;
        // Fewer than sent: some number is there already; row by row tells a repeat from a contradiction.
        Ok(written.is_some_and(|n| usize::try_from(n) == Ok(rows.len())))
    }
}

/// A refusal of an array names no row: `None`, so that the batch is written again row by row and the row is found.
fn refused_is_false(done: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> Result<Option<u64>, StoreError> {
    match done {
        Ok(d) => Ok(Some(d.rows_affected())),
        Err(e) => match store_error(&e) {
            StoreError::Refused(_) => Ok(None),
            other => Err(other),
        },
    }
}

async fn write_row(tx: &mut Tx, context: &Context<'_>, record: &Record) -> Result<(), StoreError> {
    let written = tx.execute(context.statement(record)?).await?;
    if let (Record::Ledger(row), 0) = (record, written) {
        // The number is taken. A batch whose commit was not answered is written again, so the same row is fine; another one never is.
        let values = context.ledger_values(row)?;
        if tx.count(Statement { sql: SAME_LEDGER, values }).await? == 0 {
            return Err(StoreError::Refused("another entry with this number is stored already".to_owned()));
        }
    }
    Ok(())
}

#[async_trait]
impl Store for RunStore {
    async fn write(&self, batch: &[Record]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.store.is_postgres() && batch.len() > 1 && self.write_arrays(batch).await? {
            return Ok(());
        }
        self.write_rows(batch).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
