//! What people get wrong at three in the morning: every answer names the place and what is allowed.

use crate::bot::Bot;

#[test]
fn every_mistake_of_a_configuration_is_shown_at_once() {
    let bot = Bot::new();
    bot.write(
        "my.toml",
        "[risk]\nmax_daily_loss = \"lots\"\nloss_bais = \"marked\"\n[account]\nbankroll = -3\n[venuess]\na = 1\n",
    );
    for command in ["report", "paper", "db status"] {
        bot.run(&format!("--config my.toml {command}"))
            .exits(2)
            .quiet()
            .notes("4 mistakes in the configuration:")
            .notes("my.toml: risk.max_daily_loss: not a decimal number; allowed: a decimal number as text, such as \"0.02\"")
            .notes("unknown key `risk.loss_bais` (my.toml); allowed here: loss_basis, ")
            .notes("my.toml: account.bankroll: -3 is not allowed; above 0")
            .notes("unknown key `venuess` (my.toml); allowed here: account, risk, ");
    }
    let error = bot.run("--config my.toml --json paper").exits(2).field("error");
    assert!(error.contains("4 mistakes") && error.contains("`risk.loss_bais` (my.toml)"), "{error}");
}

#[test]
fn file_and_environment_are_told_apart() {
    let bot =
        Bot::new().with("PMBOT_RISK__FOO", "1").with("RISK_MAX_DRAWDOWN", "lots").with("PMBOT_RISK__LOSS_BASIS", "best_case");
    bot.write("my.toml", "[account]\nhedge_share = \"1.5\"\n");
    bot.run("--config my.toml report")
        .exits(2)
        .notes("4 mistakes")
        .notes("unknown key `risk.foo` (environment PMBOT_RISK__FOO); allowed here: ")
        .notes("environment RISK_MAX_DRAWDOWN: risk.max_daily_loss: not a decimal number")
        .notes("environment PMBOT_RISK__LOSS_BASIS: risk.loss_basis: \"best_case\" is not allowed; worst_case, marked")
        .notes("my.toml: account.hedge_share: 1.5 is not allowed; 0 to 1");
}

#[test]
fn a_file_that_is_no_configuration_is_named() {
    let bot = Bot::new();
    bot.write("broken.toml", "[risk]\nmax_daily_loss = \"0.02\n");
    bot.run("--config broken.toml status").exits(2).notes("broken.toml: not TOML").notes("line 2");
    bot.run("--config absent.toml status").exits(2).notes("absent.toml: the configuration file cannot be read: No such file");
    bot.run("--config . status").exits(2).notes("the configuration file cannot be read: Is a directory");
}

#[test]
fn a_clear_private_key_is_refused_and_never_shown() {
    let key = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
    let bot = Bot::new().with("METAMASK_PRIVATE_KEY", key);
    for command in ["paper", "report", "paper --json"] {
        bot.run(command)
            .exits(2)
            .notes("METAMASK_PRIVATE_KEY is set")
            .notes("encrypted keystore")
            .never_says(key)
            .never_says(&key[2..]);
    }
}

#[test]
fn options_say_what_is_allowed() {
    let bot = Bot::new();
    let wrong = [
        ("paper --speed fast", "allowed: max, real, or a whole number with an x, such as 60x"),
        ("paper --speed 0x", "allowed: max, real"),
        ("paper --bankroll lots", "--bankroll \"lots\": not a decimal number; write US dollars such as 10 or 10.00"),
        ("paper --bankroll -5", "--bankroll must be above 0"),
        ("paper --bankroll 0", "--bankroll must be above 0"),
        ("paper --bankroll 10.123456789", "--bankroll \"10.123456789\": more than 8 decimal places"),
        ("paper --for soon", "write a whole number with s, m, h or d, such as 90s"),
        ("paper --windows 0", "--windows <N>"),
        ("paper --windows 3 --for 90s", "cannot be used with"),
        ("paper --makers honest", "[possible values: typical, measured, efficient, careless]"),
        ("paper --source venus", "[possible values: auto, replay, sim]"),
        ("paper --seed x", "--seed <N>"),
        ("papers", "unrecognized subcommand"),
        ("", "Usage: pmbot"),
    ];
    for (line, text) in wrong {
        bot.run(line).exits(2).quiet().notes(text);
        if !line.is_empty() {
            let error = bot.run(&format!("--json {line}")).exits(2).field("error");
            assert!(!error.is_empty(), "{line}");
        }
    }
    assert!(!bot.path("state/pmbot.sqlite").exists(), "a mistake on the command line leaves nothing behind");
}

#[test]
fn a_log_filter_that_is_none_says_so() {
    let bot = Bot::new().with("PMBOT_LOG__LEVEL", "=loud=");
    bot.run("paper --windows 1").exits(2).notes("`=loud=` is not a log filter");
}
