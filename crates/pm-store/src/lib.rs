//! PostgreSQL and SQLite behind [`pm_core::traits::Store`], and the batched writer that keeps them off the trading path.
//!
//! - [`SqlStore`]: one database, chosen by URL. Migrates itself, saves runs, answers reports.
//! - [`RunStore`]: writes the rows of one run, a batch in one transaction.
//! - [`Writer`]: takes records from the engine's thread without blocking it, batches, retries, and says what could not be written.
//!
//! Money is exact in both databases: `NUMERIC` in PostgreSQL, integers at 1e-8 in SQLite. Times are kept to the microsecond, rounded down.
//! The tables and their differences to the original document are listed in `SCHEMA.md` of this crate.

mod error;
mod figures;
mod file;
mod ids;
mod listings;
mod read;
mod report;
mod rows;
mod run_store;
mod statements;
mod store;
mod url;
mod value;
pub mod writer;

pub use figures::{Figure, MarketDataCount, UNCLASSIFIED};
pub use ids::{IdKind, kind_of, label_of, row_id};
pub use pm_core::traits::{Store, StoreError};
pub use read::{BadSelector, OpportunitySelector, RunEnd, RunSelector, RunStart, RunView};
pub use report::{BankrollView, OpportunityView, RiskEventView, TradeView};
pub use run_store::{RunInfo, RunStore};
pub use store::{MigrationState, MigrationStatus, SqlStore};
pub use url::redact_url;
pub use writer::{PushOutcome, Writer, WriterConfig, WriterHandle, WriterReport, WriterState, WriterStatus};
