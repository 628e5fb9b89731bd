//! URLs, migrations and what happens when a database is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::rows::{catalog, ledger, one_of_each, start};
use pm_core::traits::{Store as _, StoreError};
use pm_store::{MigrationStatus, RunSelector, SqlStore};
use sqlx::AssertSqlSafe;

/// Pending, applied, again without effect, then spoiled in three ways.
async fn migrations(store: &SqlStore, execute: impl AsyncFn(&str)) {
    let pending = store.migration_status().await.unwrap();
    assert!(!pending.is_empty() && pending.iter().all(|m| m.status == MigrationStatus::Pending), "{pending:?}");
    assert!(matches!(store.require_current().await, Err(StoreError::Schema(t)) if t.contains("pmbot db migrate")));
    assert!(matches!(store.runs(1).await, Err(StoreError::Schema(t)) if t.contains("pmbot db migrate")));

    store.migrate().await.unwrap();
    let applied = store.migration_status().await.unwrap();
    assert!(applied.iter().all(|m| m.status == MigrationStatus::Applied), "{applied:?}");
    store.require_current().await.unwrap();
    store.save_run_start(&start()).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.migration_status().await.unwrap(), applied);
    assert_eq!(store.runs(9).await.unwrap().len(), 1, "a second migration changes nothing");

    let spoil = [
        (
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '', 0)",
            "DELETE FROM _sqlx_migrations WHERE version = 9999",
            (9999, MigrationStatus::Newer),
            "newer pmbot",
        ),
        (
            "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1",
            "UPDATE _sqlx_migrations SET success = TRUE WHERE version = 1",
            (1, MigrationStatus::Dirty),
            "half-way",
        ),
        ("UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = 1", "", (1, MigrationStatus::Changed), "another text"),
    ];
    for (harm, repair, (version, status), text) in spoil {
        execute(harm).await;
        let state = store.migration_status().await.unwrap().into_iter().find(|m| m.version == version).unwrap();
        assert_eq!(state.status, status);
        for refused in [store.migrate().await, store.require_current().await] {
            match refused {
                Err(StoreError::Schema(found)) => assert!(found.contains(text), "{found}"),
                other => panic!("{status:?}: {other:?}"),
            }
        }
        if !repair.is_empty() {
            execute(repair).await;
        }
    }
}

#[tokio::test]
async fn migrations_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pm.db");
    let store = SqlStore::connect(path.to_str().unwrap(), true).await.unwrap();
    let pool = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    migrations(&store, async |sql: &str| {
        sqlx::query(AssertSqlSafe(sql.replace("'x'", "x'78'").replace("''", "x''"))).execute(&pool).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn migrations_on_postgres() {
    let Some(db) = common::empty_postgres("pm-store migrations_on_postgres").await else { return };
    let pool = sqlx::PgPool::connect(&db.url).await.unwrap();
    migrations(&db.store, async |sql: &str| {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
    })
    .await;
    pool.close().await;
    db.drop().await;
}

#[tokio::test]
async fn every_form_of_sqlite_url_works() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    for url in [format!("sqlite://{}", at("a/b/c.db")), format!("sqlite:{}", at("d.db")), at("e f.db"), "sqlite::memory:".into()]
    {
        let store = SqlStore::connect(&url, true).await.unwrap();
        store.migrate().await.unwrap();
        store.save_run_start(&start()).await.unwrap();
        let writer = store.for_run(&start().info(), catalog());
        writer.write(&one_of_each()).await.unwrap();
        assert_eq!(store.trades(RunSelector::Latest).await.unwrap().len(), 1, "{url}");
        store.close().await;
        if url != "sqlite::memory:" {
            let again = SqlStore::connect(&url, false).await.unwrap();
            again.require_current().await.unwrap();
            again.close().await;
        }
    }
    assert!(dir.path().join("a/b/c.db").is_file());
}

async fn refused(url: &str, create: bool) -> String {
    match SqlStore::connect(url, create).await {
        Err(StoreError::Unavailable(text)) => text,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn bad_urls_say_what_is_wrong_and_never_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().display().to_string();
    assert!(refused("", true).await.contains("empty"));
    assert!(refused("mysql://bot:s3cret@h/d", true).await.contains("`mysql` is not known"));
    assert!(refused(&format!("sqlite://{folder}"), true).await.contains("is a folder"));
    assert!(refused(&format!("{folder}/none.db"), false).await.contains("does not exist"));
    std::fs::write(dir.path().join("file"), "x").unwrap();
    assert!(refused(&format!("{folder}/file/under.db"), true).await.contains("cannot be created"));
    for url in [
        "postgres://bot:s3cret@127.0.0.1:1/pm",
        "postgresql://bot:s3cret@127.0.0.1:1/pm?password=s3cret",
        "postgres://bot:s3cret@127.0.0.1:notaport/pm",
        "postgres://bot:s3cret@/?sslmode=sometimes&host=/nowhere",
        "postgres://bot:s3/cr?et@127.0.0.1:1/pm",
    ] {
        let text = refused(url, true).await;
        assert!(!text.contains("s3") && text.contains("***"), "{text}");
    }
    let store = SqlStore::connect("sqlite::memory:", true).await.unwrap();
    assert_eq!(format!("{store:?}"), "SqlStore { place: \"sqlite::memory:\", .. }");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    std::fs::write(&path, "Dear reader, ".repeat(200)).unwrap();
    let text = refused(path.to_str().unwrap(), true).await;
    assert!(text.contains("letter.txt") && text.contains("not a usable SQLite file"), "{text}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear reader"));
}

#[tokio::test]
async fn a_postgres_server_that_dies_is_unavailable() {
    let Some(db) = common::empty_postgres("pm-store a_postgres_server_that_dies_is_unavailable").await else { return };
    db.store.migrate().await.unwrap();
    db.store.save_run_start(&start()).await.unwrap();
    let writer = db.store.for_run(&start().info(), catalog());
    writer.write(&[ledger(1)]).await.unwrap();
    let admin = sqlx::PgPool::connect(&std::env::var("DATABASE_URL").unwrap()).await.unwrap();
    let name = db.url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    sqlx::query(AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))).execute(&admin).await.unwrap();
    let kill = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    sqlx::query(AssertSqlSafe(kill)).execute(&admin).await.unwrap();
    match writer.write(&[ledger(2)]).await {
        Err(StoreError::Unavailable(_)) => {}
        other => panic!("{other:?}"),
    }
    sqlx::query(AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))).execute(&admin).await.unwrap();
    writer.write(&[ledger(2)]).await.unwrap();
    admin.close().await;
    db.drop().await;
}

#[tokio::test]
async fn people_read_decimal_text_in_an_sqlite_shell() {
    let (_dir, store) = common::sqlite().await;
    common::rows::run_of(&store).await.write(&one_of_each()).await.unwrap();
    let pool = sqlx::SqlitePool::connect(store.place()).await.unwrap();
    let sql = "SELECT p.bybit_size, p.unrealized_pnl, p.opened_at, p.run_id, f.fee_percentage, o.spread_bps, t.gas_cost_eth, r.seed \
               FROM v_positions p, v_fee_schedule f, v_opportunities o, v_trades t, v_runs r";
    let row: (String, String, String, String, String, String, Option<String>, String) =
        sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str()), ("-0.00100000", "-0.11000000"));
    assert_eq!((row.2.as_str(), row.3.as_str()), ("2026-06-08T00:00:12.000000Z", "01234567-89ab-4cde-8f01-23456789abcd"));
    // A rate of 0.07000001; a gross edge of 0.2 on 2.15.
    assert_eq!((row.4.as_str(), row.5.as_str(), row.6), ("7.000001", "930.2325", None));
    assert_eq!(row.7, u64::MAX.to_string());
}
