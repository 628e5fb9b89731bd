//! [`SqlStore`]: one database, PostgreSQL or SQLite. Connects, migrates, runs statements. What rows mean is not known here.

use std::time::Duration;

use pm_core::traits::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Connection as _, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::error::{at, migrate_error, store_error};
use crate::file::{open_file, prepare_file};
use crate::url::{self, Target, redact_url};
use crate::value::{Cells, Value, pg_arguments, sqlite_arguments};

static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How long to wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// One writer and a few readers.
const CONNECTIONS: u32 = 5;

/// A database with pmbot's tables. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct SqlStore {
    pub(crate) pool: Pool,
    place: String,
}

#[derive(Clone)]
pub(crate) enum Pool {
    Pg(PgPool),
    Lite(SqlitePool),
}

/// A statement with its values.
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value<'a>>,
}

/// A transaction of either database; dropped without commit it is rolled back.
pub(crate) enum Tx {
    Pg(Transaction<'static, Postgres>),
    Lite(Transaction<'static, Sqlite>),
}

impl core::fmt::Debug for SqlStore {
    /// Only the redacted place: connection options hold the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqlStore").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What a migration is to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationStatus {
    /// Done.
    Applied,
    /// Known to this program, not done.
    Pending,
    /// Begun and not finished: somebody has to look.
    Dirty,
    /// Done with another text than this program has.
    Changed,
    /// Done by a newer program.
    Newer,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// Number of its file.
    pub version: i64,
    /// Name of its file.
    pub description: String,
    /// What it is to this database.
    pub status: MigrationStatus,
}

impl SqlStore {
    /// Connects. `postgres://` and `postgresql://` are PostgreSQL (TLS when the URL says `sslmode=`); `sqlite://path`, `sqlite::memory:`
    /// and a bare path are SQLite. With `create`, a missing SQLite file is created with its folders; a PostgreSQL database has to exist.
    /// The schema is not looked at: see [`SqlStore::migrate`] and [`SqlStore::require_current`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the place (password redacted) when nobody answers or the URL makes no sense.
    pub async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let place = redact_url(url);
        let failed = |e: &sqlx::Error| at(&place, store_error(e));
        let pool = match url::parse(url, create)? {
            Target::Postgres(options) => {
                // One connection outside of the pool first: the pool would try again and again, and then say only "timed out".
                let answer = tokio::time::timeout(ACQUIRE, sqlx::PgConnection::connect_with(&options)).await;
                let silent = |_| StoreError::Unavailable(format!("{place}: no answer within {} s", ACQUIRE.as_secs()));
                answer.map_err(silent)?.map_err(|e| failed(&e))?.close().await.map_err(|e| failed(&e))?;
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
                Pool::Pg(pool.connect_with(*options).await.map_err(|e| failed(&e))?)
            }
            Target::File(options, path) => {
                prepare_file(&path, create)?;
                let pool =
                    SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE).after_release(|c, _| {
                        // After an error like "disk full" SQLite has rolled back by itself, the driver's own ROLLBACK fails, and the
                        // connection stays "in a transaction" for ever. Such a connection is closed; the next write opens a new one.
                        Box::pin(async move {
                            c.ping().await?;
                            Ok(!c.is_in_transaction())
                        })
                    });
                Pool::Lite(open_file(pool, *options).await.map_err(|e| failed(&e))?)
            }
            Target::Memory => {
                let pool = SqlitePoolOptions::new().min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
                Pool::Lite(pool.connect_with(url::memory_options()?).await.map_err(|e| failed(&e))?)
            }
        };
        Ok(Self { pool, place })
    }

    /// Where it is, for people: the URL with its password redacted.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// True for PostgreSQL.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.pool, Pool::Pg(_))
    }

    /// Brings the schema up to date; does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when the schema is newer than this program, was changed, or a migration was left half-way.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let done = match &self.pool {
            Pool::Pg(pool) => {
                // A connection of its own: a migration that fails leaves its advisory lock, and closing gives it back.
                let mut own = pool.acquire().await.map_err(|e| at(&self.place, store_error(&e)))?.detach();
                let done = POSTGRES.run(&mut own).await;
                let _ = own.close().await;
                done
            }
            Pool::Lite(pool) => {
                // One transaction that writes from its start: of two first starts at once the second waits here, and then finds it all done.
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| at(&self.place, store_error(&e)))?;
                match SQLITE.run(&mut *tx).await {
                    Ok(()) => tx.commit().await.map_err(MigrateError::from),
                    failed => failed,
                }
            }
        };
        done.map_err(|e| at(&self.place, migrate_error(e)))
    }

    /// Every migration that this program or the database knows, by version.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        let known = if self.is_postgres() { &POSTGRES } else { &SQLITE };
        let applied = self.applied_migrations().await?;
        let mut states: Vec<MigrationState> = known
            .iter()
            .map(|m| {
                let status = match applied.iter().find(|a| a.0 == m.version) {
                    None => MigrationStatus::Pending,
                    Some((_, _, false, _)) => MigrationStatus::Dirty,
                    Some((_, _, true, checksum)) if checksum[..] != m.checksum[..] => MigrationStatus::Changed,
                    Some(_) => MigrationStatus::Applied,
                };
                MigrationState { version: m.version, description: m.description.to_string(), status }
            })
            .collect();
        for (version, description, success, _) in applied {
            if !known.version_exists(version) {
                let status = if success { MigrationStatus::Newer } else { MigrationStatus::Dirty };
                states.push(MigrationState { version, description, status });
            }
        }
        states.sort_by_key(|s| s.version);
        Ok(states)
    }

    /// Succeeds when the schema is exactly this program's.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with what to do.
    pub async fn require_current(&self) -> Result<(), StoreError> {
        for state in self.migration_status().await? {
            let (version, name) = (state.version, &state.description);
            let why = match state.status {
                MigrationStatus::Applied => continue,
                MigrationStatus::Pending => format!("migration {version} ({name}) is missing: run `pmbot db migrate`"),
                MigrationStatus::Dirty => {
                    format!("migration {version} ({name}) was left half-way: restore a backup or repair by hand")
                }
                MigrationStatus::Changed => format!("migration {version} ({name}) was applied with another text"),
                MigrationStatus::Newer => format!("migration {version} ({name}) is from a newer pmbot: use that one"),
            };
            return Err(StoreError::Schema(format!("{}: {why}", self.place)));
        }
        Ok(())
    }

    /// Succeeds when the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.fetch("SELECT 1 AS one", Vec::new(), |row| row_one(row)).await.map(|_| ())
    }

    /// Closes the connections. SQLite's write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Pg(pool) => pool.close().await,
            Pool::Lite(pool) => pool.close().await,
        }
    }

    /// (version, description, success, checksum) of what the database has; empty before the first migration.
    async fn applied_migrations(&self) -> Result<Vec<(i64, String, bool, Vec<u8>)>, StoreError> {
        const ROWS: &str = "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version";
        let failed = |e: sqlx::Error| at(&self.place, store_error(&e));
        match &self.pool {
            Pool::Pg(pool) => {
                let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
                    .fetch_one(pool)
                    .await
                    .map_err(failed)?;
                if !there {
                    return Ok(Vec::new());
                }
                sqlx::query_as(ROWS).fetch_all(pool).await.map_err(failed)
            }
            Pool::Lite(pool) => {
                let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
                    .fetch_one(pool)
                    .await
                    .map_err(failed)?;
                if there == 0 {
                    return Ok(Vec::new());
                }
                sqlx::query_as(ROWS).fetch_all(pool).await.map_err(failed)
            }
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match &self.pool {
            Pool::Pg(pool) => pool.begin().await.map(Tx::Pg),
            // IMMEDIATE: a transaction that begins by reading and then writes could otherwise fail with "busy" half-way.
            Pool::Lite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Tx::Lite),
        }
        .map_err(|e| at(&self.place, store_error(&e)))
    }

    /// Runs one statement in its own transaction; gives the number of rows.
    pub(crate) async fn execute(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let rows = tx.execute(statement).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// All rows of a query.
    pub(crate) async fn fetch<T>(
        &self,
        sql: &'static str,
        values: Vec<Value<'_>>,
        map: impl Fn(&dyn Cells) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let failed = |e: sqlx::Error| at(&self.place, store_error(&e));
        match &self.pool {
            Pool::Pg(pool) => {
                let rows = sqlx::query_with(sql, pg_arguments(values)?).fetch_all(pool).await.map_err(failed)?;
                rows.iter().map(|r| map(r)).collect()
            }
            Pool::Lite(pool) => {
                let rows = sqlx::query_with(sql, sqlite_arguments(values)?).fetch_all(pool).await.map_err(failed)?;
                rows.iter().map(|r| map(r)).collect()
            }
        }
    }
}

fn row_one(_: &dyn Cells) -> Result<(), StoreError> {
    Ok(())
}

impl Tx {
    /// Runs a statement; gives the number of rows.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        match self {
            Self::Pg(tx) => {
                let query = sqlx::query_with(statement.sql, pg_arguments(statement.values)?);
                query.execute(&mut **tx).await.map(|d| d.rows_affected())
            }
            Self::Lite(tx) => {
                let query = sqlx::query_with(statement.sql, sqlite_arguments(statement.values)?);
                query.execute(&mut **tx).await.map(|d| d.rows_affected())
            }
        }
        .map_err(|e| store_error(&e))
    }

    /// Number that a `SELECT COUNT(*)` gives.
    pub(crate) async fn count(&mut self, statement: Statement<'_>) -> Result<i64, StoreError> {
        match self {
            Self::Pg(tx) => sqlx::query_scalar_with(statement.sql, pg_arguments(statement.values)?).fetch_one(&mut **tx).await,
            Self::Lite(tx) => {
                sqlx::query_scalar_with(statement.sql, sqlite_arguments(statement.values)?).fetch_one(&mut **tx).await
            }
        }
        .map_err(|e| store_error(&e))
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Pg(tx) => tx.commit().await,
            Self::Lite(tx) => tx.commit().await,
        }
        .map_err(|e| at("commit", store_error(&e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page limit is the nearest thing to a full disk that a test can make.
    #[tokio::test]
    async fn a_full_disk_is_unavailable_until_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqlStore::connect(dir.path().join("pm.db").to_str().unwrap(), true).await.unwrap();
        store.migrate().await.unwrap();
        let Pool::Lite(pool) = &store.pool else { panic!("an SQLite store") };
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS {
            all.push(pool.acquire().await.unwrap());
        }
        for one in &mut all {
            sqlx::query("PRAGMA max_page_count = 1").execute(&mut **one).await.unwrap();
        }
        drop(all);
        let big = "x".repeat(200_000);
        let insert = || Statement {
            sql: "INSERT INTO runs (run_id, started_at, mode, source, origin, derived, bankroll_start, build, config, status) \
                  VALUES ($1, 0, 'paper', 'sim', '', 0, 0, $2, '{}', 'running')",
            values: vec![Value::Id(Some(uuid::Uuid::nil())), crate::value::text(&big)],
        };
        match store.execute(insert()).await {
            Err(StoreError::Unavailable(text)) => assert!(text.contains("full"), "{text}"),
            other => panic!("{other:?}"),
        }
        // The limit belongs to a connection, and one that failed is not used again: at the latest a new one has room.
        let mut attempts = 0;
        while store.execute(insert()).await.is_err() {
            attempts += 1;
            assert!(attempts <= CONNECTIONS, "a connection that failed is stuck in its transaction");
        }
        assert!(store.execute(insert()).await.is_err_and(|e| matches!(e, StoreError::Refused(_))), "the run is stored now");
    }
}
