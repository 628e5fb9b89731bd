//! The statement before a run is what then happens, on both loss bases.

use pm_core::units::Px;
use sqlx::{Connection, SqliteConnection};

use crate::bot::Bot;

/// `yes` ranges of the statement: `0.13 to 0.31`, or one price.
fn yes(said: &str) -> Vec<(Px, Px)> {
    let ranges = said.lines().filter_map(|l| l.strip_prefix("  yes  outcomes priced "));
    ranges.map(|r| r.split_once(" to ").unwrap_or((r, r))).map(|(lo, hi)| (lo.parse().unwrap(), hi.parse().unwrap())).collect()
}

#[test]
fn ten_dollars_at_the_worst_case_trade_nothing_and_the_verdict_says_so() {
    let bot = Bot::new().with("PMBOT_RISK__LOSS_BASIS", "worst_case");
    let said = bot.run("paper --source sim --makers careless --bankroll 10 --windows 30").exits(0);
    let said = said
        .notes("Bankroll $10 on loss basis worst_case: cannot trade anything outright.")
        .notes("The smallest bankroll that could trade at one price at least is $")
        .says("> bankroll_too_small");
    assert!(yes(&said.err).is_empty());
    let document = bot.run("paper --json --source sim --makers careless --bankroll 10 --windows 30").exits(0).json();
    assert_eq!(document.get("verdict"), Some(&"bankroll_too_small".into()));
    assert_eq!(document.get("trades"), Some(&0.into()));
    assert_eq!(document.get("taken"), Some(&0.into()));
    assert_eq!(document.get("fees_total"), Some(&"0".into()));
}

/// The bankroll that the statement names is enough, and a little less is not.
#[test]
fn the_smallest_bankroll_is_the_smallest() {
    let bot = Bot::new().with("PMBOT_RISK__LOSS_BASIS", "worst_case");
    let said = bot.run("paper --windows 1 --bankroll 10");
    let text = said.err.split_once("at one price at least is $").unwrap().1.split_once(".\n").unwrap().0.to_owned();
    let enough: pm_core::units::Usd = text.parse().unwrap();
    let short = enough - pm_core::units::Usd::from_raw(1_000_000);
    assert!(!yes(&bot.run(&format!("paper --windows 1 --bankroll {enough}")).err).is_empty(), "{enough}");
    assert!(yes(&bot.run(&format!("paper --windows 1 --bankroll {short}")).err).is_empty(), "{short}");
}

/// The statement is about the bankroll as it is: the first order of each run, before anything was won or lost, must lie in a range that
/// it allows. The switch is off so that no run ends before its first order.
#[test]
fn ten_dollars_marked_take_only_what_the_statement_allows() {
    let bot = Bot::new().with("RISK_KILL_SWITCH_ENABLED", "false");
    let mut taken = 0;
    for seed in 1..=14 {
        let db = format!("{seed}.sqlite");
        let said = bot.run(&format!("paper --source sim --makers careless --bankroll 10 --for 40m --seed {seed} --db {db}"));
        let ranges = yes(&said.err);
        assert!(!ranges.is_empty(), "{}", said.err);
        if let Some(price) = first_order(bot.path(&db).to_str().unwrap()) {
            taken += 1;
            assert!(ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&price)), "seed {seed}: {price}; yes: {ranges:?}");
        }
    }
    assert!(taken >= 5, "{taken} runs took something: the statement was hardly tested");
}

/// Limit price of a run's first order.
fn first_order(db: &str) -> Option<Px> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = SqliteConnection::connect(db).await.unwrap();
        let sql = "SELECT limit_price FROM v_orders WHERE purpose = 'entry' ORDER BY intent LIMIT 1";
        let row: Option<(String,)> = sqlx::query_as(sql).fetch_optional(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row.map(|(price,)| price.parse().unwrap())
    })
}
