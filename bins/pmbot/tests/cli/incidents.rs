//! What went wrong once, or would at three in the morning.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::bot::Bot;
use crate::data;

fn repository(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

#[test]
fn recordings_with_long_names_are_stored_with_every_row() {
    let bot = Bot::new();
    let [a, b] = ["a", "b"].map(|c| format!("{}.pmrec", c.repeat(200)));
    data::record(&bot.path(&a), 60);
    std::fs::copy(bot.path(&a), bot.path(&b)).unwrap();
    let said = bot.run(&format!("paper --json --source replay --recording {a} --recording {b}")).exits(0);
    assert_eq!(said.json().pointer("/rows/rejected"), Some(&0.into()), "{}", said.out);
    let report = bot.run("report --json").exits(0);
    assert_eq!((report.field("source"), report.field("origin")), ("replay".into(), format!("{a}, {b}")));
    bot.run("report").says(&format!("data           replay: {a}, {b}"));
}

#[test]
fn kill_and_status_work_with_a_flawed_configuration() {
    let bot = Bot::new()
        .with("PMBOT_DB_PASSWORD", "hunter2secret")
        .with("METAMASK_PRIVATE_KEY", "0x4c0883a69102937d6231471b5dbb6204fe");
    let state = bot.path("elsewhere");
    let bot = bot.with("PMBOT_STATE__DIRECTORY", state.to_str().unwrap());
    bot.write("my.toml", "[account]\nname = \"desk\"\n[risk]\nmax_daily_loss = \"lots\"\n[modell]\na = 1\n");
    bot.run("--config my.toml paper").exits(2);
    let said = bot.run("--config my.toml kill --reason now").exits(0).says("paper / desk: TRIPPED").never_says("hunter2secret");
    said.notes("warning: my.toml: risk.max_daily_loss: not a decimal number")
        .notes("warning: unknown key `modell` (my.toml)")
        .notes("warning: METAMASK_PRIVATE_KEY is set")
        .never_says("0x4c0883a6");
    assert!(state.join("kill-paper-desk.json").exists());
    bot.run("--config my.toml status").exits(0).says("TRIPPED").notes("warning: ");
    assert_eq!(bot.run("--config my.toml --json status").exits(0).json().get("tripped"), Some(&true.into()));
    // What they do need must be right: a kill of the wrong account stops nobody.
    bot.write("bad.toml", "[account]\nname = \"../desk\"\n");
    bot.run("--config bad.toml kill").exits(2).notes("letters, digits, - and _ are allowed");
    bot.run("--config absent.toml kill").exits(2).notes("set PMBOT_STATE__DIRECTORY");
}

#[test]
fn an_empty_private_key_is_no_private_key() {
    Bot::new().with("METAMASK_PRIVATE_KEY", "").run("paper --json --windows 1").exits(0);
}

#[test]
fn a_mistaken_variable_with_password_in_its_name_is_told_in_words() {
    let bot = Bot::new().with("PMBOT_DB_PASSWORD", "hunter2secret").with("PMBOT_DB__PASSWORD", "hunter2secret");
    bot.run("report")
        .exits(2)
        .notes("unknown key `db_password` (environment PMBOT_DB_PASSWORD); allowed here: account, risk, ")
        .notes("unknown key `db.password` (environment PMBOT_DB__PASSWORD); allowed here: ")
        .never_says("hunter2secret")
        .never_says("*** ***");
}

/// Names that start with `PMBOT_` are settings: a container's own variable of that form makes every command exit 2.
#[test]
fn the_containers_use_no_variable_that_pmbot_takes_for_a_setting() {
    for name in ["docker/docker-compose.prod.yml", "docker/docker-compose.dev.yml"] {
        let text = std::fs::read_to_string(repository(name)).unwrap();
        for line in text.lines().filter(|l| !l.trim_start().starts_with('#')) {
            for (at, _) in line.match_indices("PMBOT_") {
                assert!(line[at..].contains("__"), "{name}: {line}");
            }
        }
    }
    let text = std::fs::read_to_string(repository("docker/docker-compose.prod.yml")).unwrap();
    let bot = text.split("\n  bot:\n").nth(1).unwrap().split("\nnetworks:").next().unwrap();
    assert!(bot.contains("restart: \"no\""), "a run that ends must not be started again for ever:\n{bot}");
}

#[test]
fn kill_and_reset_keep_closed_venues_closed() {
    let bot = Bot::new();
    bot.run("kill").exits(0);
    let record = bot.path("state/kill-paper-main.json");
    let mut content: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    content["closed_venues"] = serde_json::json!([0, 1]);
    bot.write("state/kill-paper-main.json", content.to_string());
    bot.run("status").exits(0).says("closed venues polymarket, bybit: ");
    bot.run("kill --reason again").exits(0).says("closed venues polymarket, bybit: ");
    bot.run("reset --reason 'all is well'").exits(0).says("ready").says("closed venues polymarket, bybit: ");
    bot.run("kill").exits(0);
    bot.run("reset --reason 'bybit confirmed that the ban is lifted'").exits(0).says("closed venues polymarket: ");
    bot.run("reset --reason 'support mail: venue:0 is open'").exits(0);
    let json = bot.run("status --json").exits(0).json();
    assert_eq!(json.get("closed_venues"), Some(&serde_json::json!([])));
}

#[test]
fn a_mistyped_command_line_shows_no_password() {
    let bot = Bot::new();
    let url = "postgres://trader:hunter2secret@db/pmbot";
    for line in [format!("paper {url}"), format!("--json paper {url}"), url.to_string(), format!("paper --speedd={url}")] {
        bot.run(&line).exits(2).never_says("hunter2secret");
    }
    bot.run(&format!("paper {url}")).notes("unexpected argument").notes("postgres://trader:***@db/pmbot");
}

#[test]
fn settings_out_of_range_are_all_said() {
    let bot = Bot::new();
    bot.write(
        "my.toml",
        "[strategy]\nmin_edge = \"-0.1\"\n[strategy.hedge]\nexit_over_ms = -5\n[model]\nvol_sample_s = 1\nband_z = \"0\"\n\
         [paper.hedge]\nlatency_ms = []\nfailure_rate = \"1.5\"\n[engine]\nequity_every_ms = 0\n[log]\nkeep = 0\nlevel = \"loud\"\n",
    );
    bot.run("--config my.toml paper --windows 1")
        .exits(2)
        .notes("9 mistakes")
        .notes("my.toml: strategy.min_edge: -0.1 is not allowed; 0 or more")
        .notes("my.toml: strategy.hedge.exit_over_ms: -5 is not allowed; 0 or more")
        .notes("my.toml: model.vol_sample_s: 1 is not allowed; 2 to 60")
        .notes("my.toml: model.band_z: 0 is not allowed; above 0")
        .notes("my.toml: paper.hedge.latency_ms: must not be empty")
        .notes("my.toml: paper.hedge.failure_rate: 1.5 is not allowed; 0 to 1")
        .notes("my.toml: engine.equity_every_ms: 0 is not allowed; 1 or more")
        .notes("my.toml: log.keep: 0 is not allowed; 1 or more")
        .notes("my.toml: log.level: \"loud\" is not allowed; error, warn, info, debug, trace");
}

#[test]
fn first_starts_at_once_share_one_database() {
    for _ in 0..4 {
        let bot = Bot::new();
        let runs: Vec<_> = (0..6).map(|_| bot.start("db migrate")).collect();
        for run in runs {
            run.end().exits(0).says("applied");
        }
    }
}

#[test]
fn a_store_that_takes_no_rows_is_told_also_to_scripts() {
    let bot = Bot::new();
    let mut run = bot.start("paper --json --speed real --db here.sqlite");
    let file = bot.path("here.sqlite");
    run.until_true("a database", || bot.run("report --db here.sqlite --json").out.contains("running"));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut lock = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        for attempt in 0.. {
            match sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await {
                Ok(_) => break,
                Err(e) => assert!(attempt < 50, "{e}"),
            }
        }
        run.until("STORE DOWN, ");
        sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
        lock.close().await.unwrap();
    });
    run.until("the store takes rows again");
    run.signal("INT");
    let document = run.end().exits(0).json();
    assert_eq!(document.pointer("/rows/unwritten"), Some(&0.into()));
    assert!(document.pointer("/rows/written").and_then(Value::as_u64).unwrap() > 0, "{document:#}");
}

#[test]
fn the_fields_of_the_document_stand_in_the_promised_order() {
    const ORDER: &str = "mode, source, derived, seed, bankroll_start, bankroll_end, net_pnl, unrealized_pnl, fees_total, pnl_by_class, \
        opportunities, taken, refused_by_reason, trades, wins, losses, win_rate, expected_win_rate, sharpe, max_drawdown, \
        avg_trade_duration_s, net_edge_bps, open_positions, events, frames, decode_errors, frames_per_s, kill_switch, decision_hash, \
        verdict, reason, roi, daily_roi, auto_resets";
    let said = Bot::new().run("paper --json --windows 2").exits(0);
    let fields: Vec<&str> = said
        .out
        .lines()
        .filter_map(|l| {
            l.strip_prefix("  \"").filter(|l| !l.starts_with(' ')).and_then(|l| l.split_once("\":")).map(|(name, _)| name)
        })
        .collect();
    let promised: Vec<&str> = ORDER.split(',').map(str::trim).collect();
    assert_eq!(fields[..promised.len()], promised[..]);
    for count in ["written", "conflated", "dropped", "rejected"] {
        assert!(said.json().pointer(&format!("/rows/{count}")).is_some_and(Value::is_u64), "{}", said.out);
    }
}

#[test]
fn a_second_run_on_one_record_is_told() {
    let bot = Bot::new();
    let mut first = bot.start("paper --speed real");
    first.until("logs      ");
    std::thread::sleep(Duration::from_millis(500));
    bot.run("paper --windows 1").exits(0).notes("another run writes the same kill-switch record");
    bot.run("paper --windows 1").notes("kill-sim-main.json");
    first.signal("INT");
    let said = first.end().exits(0);
    assert!(!said.err.contains("another run writes"), "{}", said.err);
    let id = bot.run("report --json").field("run_id");
    bot.run("status").says(&format!(", run {id}"));
}

#[test]
fn a_journal_cut_between_two_records_is_not_taken_for_a_whole_one() {
    let bot = Bot::new();
    bot.run("paper --json --source sim --windows 2 --journal day.pmj").exits(0);
    let whole = std::fs::read(bot.path("day.pmj")).unwrap();
    let field = |at: usize| usize::try_from(u32::from_le_bytes(whole[at..at + 4].try_into().unwrap())).unwrap();
    // After the magic and the version: records of 12 bytes of head and their content. The first is the header.
    let mut ends = Vec::new();
    let mut at = 12;
    while at < whole.len() {
        at += 12 + field(at);
        ends.push(at);
    }
    assert_eq!(at, whole.len());
    let all = bot.run("replay day.pmj --json").exits(0).json();
    assert_eq!(all.get("complete"), Some(&true.into()));
    let entries = ends.len() / 2;
    bot.write("cut.pmj", &whole[..ends[entries]]);
    let said = bot.run("replay cut.pmj").exits(0);
    said.says(&format!("no end record: the run was cut; the {entries} whole entries"))
        .never_says("every step gave the same commands");
    assert_eq!(bot.run("replay cut.pmj --json").exits(0).json().get("complete"), Some(&false.into()));
}

#[test]
fn the_database_may_be_named_after_the_subcommand() {
    let bot = Bot::new();
    bot.run("db migrate --db other.sqlite").exits(0).says("other.sqlite");
    bot.run("db status --db other.sqlite").exits(0).says("applied");
    bot.run("db --db other.sqlite status").exits(0).says("applied");
}

#[test]
fn a_state_directory_may_have_any_name() {
    for name in ["what? a state", "100%25 state", "a #b&c=d"] {
        let bot = Bot::new();
        let state = bot.path(name);
        let bot = bot.with("PMBOT_STATE__DIRECTORY", state.to_str().unwrap());
        bot.run("paper --json --windows 1").exits(0);
        bot.run("report --json").exits(0);
        assert!(state.join("pmbot.sqlite").exists(), "{name}");
    }
}

#[test]
fn a_market_that_has_closed_is_never_tradable() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 900);
    let rows = bot.run("markets --source replay --recording day.pmrec --json").exits(0).json();
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = rows.as_array().unwrap();
    let end = rows.iter().map(|r| text(r, "as_of")).max().unwrap();
    assert!(!end.is_empty());
    for row in rows.iter().filter(|r| text(r, "closes_at") <= end) {
        assert_eq!(row.get("tradable"), Some(&false.into()), "{row:#}");
    }
    bot.run("markets --recording day.pmrec").exits(0).says("as of ");
    bot.run("markets --source sim --recording day.pmrec").exits(2).notes("--recording goes with --source replay");
}

#[test]
fn a_kill_is_not_lost_when_another_trigger_tripped_before() {
    let bot = Bot::new();
    // Careless makers cost this bankroll more than its daily loss within minutes of market time; the run goes on watching for hours of it.
    let mut run = bot.start("paper --source sim --bankroll 1000 --makers careless --windows 100000 --auto-reset");
    run.until("logs      ");
    let state = || bot.run("status --json").json();
    let cause = || state().pointer("/runs/0/cause").and_then(Value::as_str).unwrap_or_default().to_owned();
    run.until_true("an automatic trip", || state().pointer("/runs/0/tripped") == Some(&true.into()));
    assert!(!cause().starts_with("manual"), "{}", cause());
    bot.run("kill --reason 'I do not like this'").exits(0);
    run.until_true("the operator's kill", || cause().contains("killed by the operator: I do not like this"));
    run.signal("INT");
    run.end().exits(6).says("manual: killed by the operator: I do not like this");
}
