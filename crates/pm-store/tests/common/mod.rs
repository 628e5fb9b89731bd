//! Databases for tests, and rows to write.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod rows;

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use pm_store::SqlStore;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A fresh, migrated SQLite file.
pub(crate) async fn sqlite() -> (tempfile::TempDir, SqlStore) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("new folder/pm.db").display());
    let store = SqlStore::connect(&url, true).await.unwrap();
    store.migrate().await.unwrap();
    (dir, store)
}

/// A database of its own on the server of `DATABASE_URL`.
pub(crate) struct PgDatabase {
    pub(crate) store: SqlStore,
    pub(crate) url: String,
    admin: String,
    name: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty database; `None`, and said so, when there is no server.
pub(crate) async fn empty_postgres(test: &str) -> Option<PgDatabase> {
    let Ok(admin) = std::env::var("DATABASE_URL") else {
        skipped(test);
        return None;
    };
    let name = format!("pm_store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&admin).await.unwrap();
    for sql in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let (server, rest) = admin.split_at(admin.rfind('/').unwrap());
    let query = rest.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
    let url = format!("{server}/{name}{query}");
    let store = SqlStore::connect(&url, false).await.unwrap();
    Some(PgDatabase { store, url, admin, name })
}

impl PgDatabase {
    pub(crate) async fn drop(self) {
        self.store.close().await;
        let mut connection = PgConnection::connect(&self.admin).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// Says that a test was not run, also to the file that collects such lines.
fn skipped(test: &str) {
    let line = format!("SKIPPED {test}: DATABASE_URL is not set");
    println!("{line}");
    if let Ok(log) = std::env::var("PMBOT_SKIP_LOG") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// Runs one check on both databases, migrated.
#[macro_export]
macro_rules! on_both {
    ($($check:ident),* $(,)?) => { $(
        mod $check {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (_dir, store) = $crate::common::sqlite().await;
                super::check::$check(store.clone()).await;
                store.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let name = concat!("pm-store ", stringify!($check), "::postgres");
                let Some(db) = $crate::common::empty_postgres(name).await else { return };
                db.store.migrate().await.unwrap();
                super::check::$check(db.store.clone()).await;
                db.drop().await;
            }
        }
    )* };
}
