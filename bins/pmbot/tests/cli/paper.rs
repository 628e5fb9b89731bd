//! The main job: a paper run, its report, its document.

use std::time::Duration;

use serde_json::Value;

use crate::bot::Bot;

/// Fields that scripts depend on.
const FIELDS: [&str; 34] = [
    "mode",
    "source",
    "derived",
    "seed",
    "bankroll_start",
    "bankroll_end",
    "net_pnl",
    "unrealized_pnl",
    "fees_total",
    "pnl_by_class",
    "opportunities",
    "taken",
    "refused_by_reason",
    "trades",
    "wins",
    "losses",
    "win_rate",
    "expected_win_rate",
    "sharpe",
    "max_drawdown",
    "avg_trade_duration_s",
    "net_edge_bps",
    "open_positions",
    "events",
    "frames",
    "decode_errors",
    "frames_per_s",
    "kill_switch",
    "decision_hash",
    "verdict",
    "reason",
    "roi",
    "daily_roi",
    "auto_resets",
];
const MONEY: [&str; 5] = ["bankroll_start", "bankroll_end", "net_pnl", "unrealized_pnl", "fees_total"];

#[test]
fn paper_without_options_works_offline_and_says_so_within_a_minute() {
    let bot = Bot::new();
    let said = bot.run("paper").exits(0);
    assert!(said.took < Duration::from_secs(60), "{:?}", said.took);
    let said = said
        .notes("OFFLINE: no live feeds in this version; running on the SIMULATED MARKET")
        .notes("Bankroll $10 on loss basis marked: can trade some prices.")
        .notes("database  sqlite://")
        .notes("logs      ")
        .says("SOURCE  sim - OFFLINE: A SIMULATED MARKET, NOT A REAL ONE")
        .says("DECISION MATRIX")
        .says("decision hash")
        .says("again          pmbot report ");
    assert!(!said.err.contains('\u{1b}') && !said.out.contains('\u{1b}'), "no terminal, no colours");
    let report = bot.run("report --json").exits(0).json();
    let summary = report.get("summary").unwrap();
    assert!(summary.get("windows").and_then(Value::as_u64).unwrap() >= 12, "{summary:#}");
    assert_eq!(summary.get("decode_errors"), Some(&Value::from(0)));
    assert_eq!(report.get("status"), Some(&Value::from("finished")));
}

#[test]
fn json_is_one_document_with_every_field() {
    let bot = Bot::new();
    let said = bot.run("paper --json --source sim --seed 7 --windows 6").exits(0);
    let document = said.json();
    for field in FIELDS {
        assert!(document.get(field).is_some(), "{field} is missing");
    }
    for field in MONEY {
        let text = document.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("{field} is no decimal string"));
        assert!(text.parse::<f64>().is_ok(), "{field}: {text}");
    }
    assert_eq!(document.get("seed"), Some(&Value::from(7)));
    assert_eq!(document.get("sharpe"), Some(&Value::Null), "under 24 hourly returns");
    assert_eq!(said.err, "", "nothing else is said");
}

#[test]
fn one_seed_is_one_run() {
    let bot = Bot::new();
    let line = "paper --json --source sim --seed 7 --windows 6 --bankroll 1000 --makers careless";
    let [a, b] = [bot.run(line), bot.run(line)].map(|s| s.json());
    for field in ["decision_hash", "events", "trades", "net_pnl", "opportunities"] {
        assert_eq!(a.get(field), b.get(field), "{field}");
    }
    let other = bot.run("paper --json --source sim --seed 8 --windows 6 --bankroll 1000 --makers careless").json();
    assert_ne!(a.get("decision_hash"), other.get("decision_hash"));
}

#[test]
fn pace_and_store_change_no_decision() {
    let bot = Bot::new();
    let fast = bot.run("paper --json --seed 3 --for 5m --bankroll 1000").exits(0).field("decision_hash");
    let paced = bot.run("paper --json --seed 3 --for 5m --bankroll 1000 --speed 100x --db other.sqlite").exits(0);
    assert!(paced.took > Duration::from_secs(2), "300 s at 100x are 3 s: {:?}", paced.took);
    assert_eq!(paced.field("decision_hash"), fast);
}

#[test]
fn for_a_time_ends_at_that_time() {
    let said = Bot::new().run("paper --json --for 10m").exits(0).json();
    let seconds = said.pointer("/span/seconds").and_then(Value::as_f64).unwrap();
    assert!((599.0..=601.0).contains(&seconds), "{seconds}");
}

#[test]
fn careless_makers_leave_trades_and_the_switch_says_when_it_trips() {
    let bot = Bot::new();
    let said = bot.run("paper --json --bankroll 1000 --makers careless --windows 12");
    let document = said.json();
    assert!(document.get("taken").and_then(Value::as_u64).unwrap() > 0, "{document:#}");
    if document.get("kill_switch").and_then(Value::as_str) == Some("tripped") {
        let said = said.exits(6).notes("pmbot: the kill switch tripped: ");
        assert!(document.get("error").is_none(), "a trip is no error");
        drop(said);
        bot.run("status").exits(0).says("last sim:     tripped by ");
    } else {
        said.exits(0);
    }
}

#[test]
fn limits_of_the_document_are_taken_as_text() {
    let bot = Bot::new()
        .with("RISK_MAX_DRAWDOWN", "0.02")
        .with("PMBOT_RISK__MAX_STRUCTURE_LOSS", "0.05")
        .with("RISK_KILL_SWITCH_ENABLED", "false");
    bot.run("paper --json --windows 2").exits(0);
    let bot = bot.with("PMBOT_RISK__MAX_DAILY_LOSS", "0.02");
    bot.run("paper --json --windows 2 --journal j").exits(0);
    let journal = String::from_utf8_lossy(&std::fs::read(bot.path("j")).unwrap()).into_owned();
    assert!(journal.contains("\"max_daily_loss\":\"0.02\""), "exact, not 0.0200000000000000004");
    assert!(journal.contains("\"kill_switch_enabled\":false"));
}

#[test]
fn the_commented_configurations_hold_the_defaults_they_claim() {
    let bot = Bot::new();
    let config = |name: &str| format!("{}/../../config/{name}", env!("CARGO_MANIFEST_DIR"));
    let plain = bot.run("paper --json --windows 4").exits(0).field("decision_hash");
    let with = bot.run(&format!("--config {} paper --json --windows 4", config("paper.toml"))).exits(0).field("decision_hash");
    assert_eq!(plain, with);
    bot.run(&format!("--config {} paper --windows 2 --bankroll 1000", config("live.toml")))
        .exits(0)
        .notes("loss basis worst_case");
}

#[test]
fn without_a_terminal_progress_is_a_line_now_and_then() {
    let said = Bot::new().run("paper --for 10m --speed 75x").exits(0).notes("ready, 0 open | equity ");
    let lines = said.err.lines().filter(|l| l.contains("| equity ")).count();
    assert!((1..=3).contains(&lines), "{lines} lines in 8 s:\n{}", said.err);
}
