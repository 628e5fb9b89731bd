//! The operator: reports, explanations, the kill switch, signals.

use std::time::Duration;

use serde_json::Value;

use crate::bot::{Bot, skipped};

/// Programs that are started by one that ignores a hang-up ignore it, too.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:")).map(str::trim);
    mask.is_some_and(|m| u64::from_str_radix(m, 16).unwrap() & 1 == 1)
}

#[test]
fn report_and_why_explain_a_run() {
    let bot = Bot::new();
    bot.run("paper --bankroll 1000 --makers careless --windows 4 --seed 7").says("RESULT");
    let latest =
        bot.run("report").exits(0).says("(finished)").says("NOT TAKEN, BY REASON").says("PNL BY CAUSE").says("FEES BY HOP");
    let id = bot.run("report --json").exits(0).field("run_id");
    assert_eq!(bot.run(&format!("report {id}")).exits(0).out, latest.out);
    bot.run("why 1").exits(0).says("fair value").says("edge waterfall").says("decision ");
    let why = bot.run("why latest/1 --json").exits(0);
    assert!(why.json().pointer("/row/waterfall/taker_fee").is_some(), "{}", why.out);
    assert_eq!(why.field("run_id"), id);
    let by_id = bot.run(&format!("why {} --json", why.field("opportunity_id"))).exits(0);
    assert_eq!(by_id.out, why.out);
}

#[test]
fn what_is_not_there_is_a_mistake_of_the_caller() {
    let bot = Bot::new();
    for command in ["report", "why 1", "db status"] {
        bot.run(command).exits(5).notes("pmbot.sqlite does not exist: run `pmbot db migrate`");
    }
    bot.run("db migrate").exits(0).says("applied");
    bot.run("db status").exits(0).says("applied");
    bot.run("report").exits(2).notes("no run is stored yet");
    bot.run("paper --json --windows 1").exits(0);
    bot.run("why nonsense").exits(2).quiet().notes("`nonsense` is no opportunity: use its UUID, `17`, `latest/17`");
    bot.run("why 99999999").exits(2).notes("not found: opportunity 99999999");
    bot.run("report nonsense").exits(2).notes("neither `latest` nor the UUID of a run");
    bot.run("report 01a20a6b-fd8c-716c-859d-3e8f4df1a871").exits(2).notes("not found: run 01a20a6b");
}

#[test]
fn the_database_says_where_it_is() {
    let bot = Bot::new();
    let migrated = bot.run("db migrate --json").exits(0).json();
    let status = bot.run("db status --json").exits(0).json();
    assert_eq!(migrated, status);
    assert!(status.get("database").and_then(Value::as_str).unwrap().ends_with("state/pmbot.sqlite"));
    let states = status.get("migrations").and_then(Value::as_array).unwrap();
    assert!(!states.is_empty() && states.iter().all(|m| m.get("status") == Some(&"applied".into())), "{status:#}");
}

#[test]
fn markets_say_their_rule_and_why_not() {
    let bot = Bot::new();
    bot.run("markets --source sim")
        .exits(0)
        .says("tie pays the first outcome")
        .says("strict: a tie pays the second outcome")
        .says("TRADABLE")
        .says("not tradable: the window has not opened")
        .says(" markets\n");
    let rows = bot.run("markets --source sim --json --for 5m").exits(0).json();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 10);
    assert!(rows.iter().all(|r| r.get("tradable") == Some(&true.into()) || r.get("why_not").is_some_and(Value::is_string)));
    bot.run("markets --source replay").exits(2).notes("needs --recording FILE");
}

#[test]
fn the_kill_switch_by_mode_and_account() {
    let bot = Bot::new();
    bot.run("status").exits(0).says("kill switch   paper / main: ready");
    bot.run("kill --reason 'strange prices'")
        .exits(0)
        .says("paper / main: TRIPPED")
        .says("manual: strange prices")
        .says("pmbot reset");
    bot.run("status").exits(0).says("TRIPPED");
    bot.run("status --account second").exits(0).says("paper / second: ready");
    bot.run("status --mode live").exits(0).says("live / main: ready");
    let json = bot.run("status --json").exits(0).json();
    assert_eq!(json.get("tripped"), Some(&true.into()));
    bot.run("reset").exits(2).quiet().notes("a reset needs a reason");
    bot.run("reset --reason '  '").exits(2).notes("a reset needs a reason");
    bot.run("status").says("TRIPPED");
    bot.run("reset --reason 'venue confirmed the halt'").exits(0).says("ready").says("reset: venue confirmed the halt");
    bot.run("kill --account ../main").exits(2).notes("letters, digits, - and _ are allowed");
    bot.run("kill --mode shadow").exits(2).notes("[possible values: paper, live]");
}

/// `pmbot kill` must hit the bot that the same configuration started.
#[test]
fn the_account_of_the_configuration_is_the_default() {
    let bot = Bot::new().with("PMBOT_ACCOUNT__NAME", "desk");
    bot.run("kill").exits(0).says("paper / desk: TRIPPED");
    bot.run("paper --windows 1").notes("the kill switch of paper / desk is tripped; a run on sim has its own and starts ready");
}

#[test]
fn a_damaged_record_counts_as_tripped_until_a_reset() {
    let bot = Bot::new();
    bot.run("kill").exits(0);
    bot.write("state/kill-paper-main.json", "{\"tripped\": fal");
    bot.run("status").exits(0).says("TRIPPED").notes("treated as tripped until it is repaired by a reset");
    bot.run("reset --reason repaired").exits(0).says("ready");
}

#[test]
fn kill_in_another_terminal_trips_a_running_bot() {
    let bot = Bot::new();
    let mut run = bot.start("paper --speed 60x --for 10m --bankroll 1000");
    run.until("logs      ");
    for _ in 0..50 {
        if run.has_said("killed by the operator") {
            break;
        }
        bot.run("kill --reason 'it is 3 a.m.'").exits(0);
        std::thread::sleep(Duration::from_millis(300));
    }
    run.until("killed by the operator: it is 3 a.m.");
    run.end()
        .exits(6)
        .says("tripped: manual: killed by the operator: it is 3 a.m.")
        .notes("pmbot: the kill switch tripped: manual: killed by the operator: it is 3 a.m.");
    let report = bot.run("report --json").exits(0).json();
    assert_eq!(report.pointer("/summary/kill_switch"), Some(&"tripped".into()));
    assert_eq!(report.get("status"), Some(&"finished".into()));
    bot.run("status").says("TRIPPED").says("last sim:     tripped by manual: killed by the operator");
}

#[test]
fn reset_in_another_terminal_lets_a_running_bot_trade_again() {
    let bot = Bot::new();
    let mut run = bot.start("paper --speed 60x --for 12m --bankroll 1000");
    run.until("logs      ");
    while !run.has_said("killed by the operator") {
        bot.run("kill").exits(0);
        std::thread::sleep(Duration::from_millis(300));
    }
    bot.run("reset --reason 'it was a drill'").exits(0);
    run.until("kill switch reset by the operator: it was a drill");
    run.signal("INT");
    let said = run.end();
    assert!(said.out.contains("1 trips") || said.out.contains("2 trips"), "{}", said.out);
}

#[test]
fn ctrl_c_ends_with_the_summary_and_a_finished_run() {
    for signal in ["INT", "TERM", "HUP"] {
        if signal == "HUP" && hangup_is_ignored() {
            skipped("ctrl_c_ends_with_the_summary_and_a_finished_run (HUP)", "the tests run under nohup");
            continue;
        }
        let bot = Bot::new();
        let mut run = bot.start("paper --speed real");
        run.until("logs      ");
        std::thread::sleep(Duration::from_millis(1_500));
        run.signal(signal);
        let said = run.end().exits(0);
        assert!(said.took < Duration::from_secs(5), "{signal}: {:?}", said.took);
        said.notes("stopped by the operator").says("WARNING stopped by the operator before its end").says("DECISION MATRIX");
        let report = bot.run("report --json").exits(0);
        assert_eq!(report.field("status"), "stopped");
        assert!(report.json().pointer("/summary/frames").and_then(Value::as_u64).unwrap() > 0);
        bot.run("report").says("(stopped)");
    }
}

#[test]
fn ctrl_c_with_json_still_gives_one_document() {
    let bot = Bot::new();
    let run = bot.start("paper --speed real --json");
    std::thread::sleep(Duration::from_secs(3));
    run.signal("INT");
    let document = run.end().exits(0).json();
    assert_eq!(document.pointer("/warnings/0"), Some(&"stopped by the operator before its end".into()));
}

#[test]
fn a_closed_pipe_ends_no_run_and_a_full_disk_is_told() {
    let bot = Bot::new();
    bot.shell("$pmbot import --list | head -1; echo ${PIPESTATUS[0]}").exits(0).says("\n0\n");
    bot.shell("$pmbot paper --windows 2 2>&1 | head -1; echo ${PIPESTATUS[0]}").exits(0).says("\n0\n");
    assert_eq!(bot.run("report --json").field("status"), "finished");
    bot.shell("$pmbot import --list > /dev/full").exits(5).notes("standard output could not be written: No space left on device");
    bot.shell("$pmbot paper --json --windows 1 > /dev/full").exits(5).notes("standard output could not be written");
}
