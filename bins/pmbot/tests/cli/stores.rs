//! Stores: PostgreSQL and SQLite give one run; a store that is down, full, locked or no store is said and costs no record in silence.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::bot::{Bot, skipped};
use crate::data;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A database of its own on the server of `DATABASE_URL`; dropped at the end.
struct Postgres {
    admin: String,
    name: String,
    url: String,
}

impl Postgres {
    fn new(test: &str) -> Option<Self> {
        let Ok(admin) = std::env::var("DATABASE_URL") else {
            skipped(test, "DATABASE_URL is not set");
            return None;
        };
        let name = format!("pmbot_cli_{}_{test}", std::process::id());
        let (server, rest) = admin.split_at(admin.rfind('/').unwrap());
        let query = rest.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
        let url = format!("{server}/{name}{query}");
        let all = Self { admin, name, url };
        all.sql(&format!("CREATE DATABASE {}", all.name));
        Some(all)
    }

    fn sql(&self, sql: &str) {
        wait(async {
            let mut connection = PgConnection::connect(&self.admin).await.unwrap();
            sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[test]
fn sqlite_and_postgres_give_one_run() {
    let Some(pg) = Postgres::new("sqlite_and_postgres_give_one_run") else { return };
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 600);
    for source in ["--source sim --seed 7 --windows 4", "--source replay --recording day.pmrec"] {
        let line = format!("paper --json {source} --bankroll 1000 --makers careless");
        let [sqlite, postgres] = [bot.run(&line), bot.run(&format!("{line} --db {}", pg.url))].map(|s| s.json());
        assert_eq!(sqlite.get("decision_hash"), postgres.get("decision_hash"), "{source}");
        let [a, b] = [bot.run("report --json"), bot.run(&format!("report --json --db {}", pg.url))].map(|s| s.exits(0).json());
        // The same rows in both, except that market data are conflated by the clock.
        for field in ["refused_by_reason", "pnl_by_cause", "fees_by_hop", "pnl_by_class"] {
            assert_eq!(a.get(field), b.get(field), "{source}: {field}");
        }
        for table in
            ["orders", "order_events", "fill_events", "ledger", "trades", "opportunities", "risk_events", "markets", "bankroll"]
        {
            let at = format!("/rows/{table}");
            assert_eq!(a.pointer(&at), b.pointer(&at), "{source}: {table}");
        }
        let [a, b] = [bot.run("why 1 --json"), bot.run(&format!("why 1 --json --db {}", pg.url))].map(|s| s.exits(0).json());
        assert_eq!(a.get("row"), b.get("row"));
    }
    let env = Bot::new().with("DATABASE_URL", &pg.url);
    env.run("db status").exits(0).says("applied").says("database  postgres://");
    assert!(!env.path("state/pmbot.sqlite").exists());
}

#[test]
fn a_database_that_nobody_serves_is_told_without_its_password() {
    let bot = Bot::new().with("DATABASE_URL", "postgres://trader:hunter2secret@127.0.0.1:1/pmbot");
    for command in ["paper --windows 1", "report", "why 1", "db status", "db migrate", "--json report"] {
        bot.run(command).exits(5).notes("postgres://trader:***@127.0.0.1:1/pmbot").never_says("hunter2secret");
    }
    assert!(bot.run("--json paper --windows 1").exits(5).field("error").contains("Connection refused"));
}

#[test]
fn a_password_of_the_configuration_is_not_stored_with_the_run() {
    let bot = Bot::new().with("DATABASE_URL", "postgres://trader:hunter2secret@127.0.0.1:1/pmbot");
    bot.run("paper --windows 1 --db here.sqlite --journal day.pmj").exits(0).never_says("hunter2secret");
    for file in walk(&bot.path("")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2secret"), "{}", file.display());
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named() {
    let bot = Bot::new();
    bot.write("file", "");
    let place = bot.path("file/state");
    let bot = bot.with("PMBOT_STATE__DIRECTORY", place.to_str().unwrap());
    bot.run("paper --windows 1").exits(5).quiet().notes("file/state").notes("Not a directory");
    bot.run("kill").exits(5).quiet().notes("file/state/kill-paper-main.json: Not a directory");
    let error = bot.run("kill --json").exits(5).field("error");
    assert!(error.contains("Not a directory"), "{error}");
}

#[test]
fn what_is_no_database_is_named() {
    let bot = Bot::new();
    bot.write(
        "text",
        "this is no database; it is longer than a header of SQLite, which has one hundred bytes, to be quite sure of it.",
    );
    bot.run("paper --windows 1 --db .").exits(5).quiet().notes(" is a folder, not an SQLite file");
    bot.run("paper --windows 1 --db text").exits(5).quiet().notes("not a usable SQLite file");
    bot.run("paper --windows 1 --db mysql://x/y").quiet().notes("mysql");
}

/// A file system of one megabyte.
struct SmallDisk<'a>(&'a Path);

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_for_the_store_loses_no_row_in_silence() {
    let bot = Bot::new();
    let place = bot.path("small");
    std::fs::create_dir(&place).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&place).output();
    if !mounted.is_ok_and(|m| m.status.success()) {
        return skipped("a_disk_that_is_full_for_the_store_loses_no_row_in_silence", "a small tmpfs cannot be mounted here");
    }
    let _disk = SmallDisk(&place);
    let said = bot.run("paper --windows 24 --bankroll 1000 --db small/pmbot.sqlite").exits(5);
    let said =
        said.says("DECISION MATRIX").notes("rows of this run are missing in the store").notes("full").notes("the rows are in ");
    let spill = walk(&bot.path("state"))
        .into_iter()
        .find(|p| p.extension().is_some_and(|e| e == "jsonl") && !p.starts_with(bot.path("state/logs")))
        .unwrap();
    let rows = std::fs::read_to_string(spill).unwrap();
    assert!(rows.lines().count() > 100, "{}", said.err);
    assert!(rows.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()));
}

/// The end waits for a store that does not answer; a person need not.
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let bot = Bot::new();
    let mut run = bot.start("paper --speed real --db here.sqlite");
    run.until("logs      ");
    let file = bot.path("here.sqlite");
    wait(async {
        let mut lock = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        for attempt in 0.. {
            match sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await {
                Ok(_) => break,
                Err(e) => assert!(attempt < 50, "{e}"),
            }
        }
        std::thread::sleep(Duration::from_secs(2));
        run.signal("INT");
        run.until("stopped by the operator");
        std::thread::sleep(Duration::from_millis(300));
        run.signal("INT");
        let said = run.end().exits(130);
        assert!(said.took < Duration::from_secs(1), "{:?}", said.took);
        lock.close().await.unwrap();
    });
    assert_eq!(bot.run("report --json --db here.sqlite").exits(0).field("status"), "running", "the report shows what it wrote");
    bot.run("report --db here.sqlite").exits(0).says("this run has not ended");
}
