//! `pmbot db migrate | status`.

use pm_store::{MigrationStatus, SqlStore};
use serde_json::json;

use crate::cli::{Cli, DbAction, DbArgs};
use crate::config::Config;
use crate::display::{self, outln};
use crate::exit::Failure;

/// A single-threaded runtime for commands that only talk to the store.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::store(format!("the store's runtime could not start: {e}")))
}

pub(crate) fn run(cli: &Cli, config: &Config, action: &DbAction, db: &DbArgs) -> Result<(), Failure> {
    let (url, shown) = config.db_url(db.db.as_deref())?;
    runtime()?.block_on(async {
        let store = SqlStore::connect(&url, matches!(action, DbAction::Migrate)).await?;
        if matches!(action, DbAction::Migrate) {
            store.migrate().await?;
        }
        let states = store.migration_status().await?;
        if cli.json {
            let rows: Vec<_> = states
                .iter()
                .map(|s| json!({ "version": s.version, "description": s.description, "status": word(s.status) }))
                .collect();
            display::json(&json!({ "database": shown, "migrations": rows })).map_err(Failure::Usage)?;
        } else {
            outln!("database  {shown}");
            for s in &states {
                outln!("{:>8}  {:<10} {}", s.version, word(s.status), s.description);
            }
        }
        store.close().await;
        Ok(())
    })
}

/// A state in one word.
const fn word(status: MigrationStatus) -> &'static str {
    match status {
        MigrationStatus::Applied => "applied",
        MigrationStatus::Pending => "pending",
        MigrationStatus::Dirty => "dirty",
        MigrationStatus::Changed => "changed",
        MigrationStatus::Newer => "newer",
    }
}
