//! Help texts: every command has one, it names its options, and `docs/cli.md` is what the program says.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::bot::Bot;

/// Commands and what their help must name.
const COMMANDS: [(&str, &[&str]); 14] = [
    (
        "",
        &[
            "paper",
            "replay",
            "import",
            "inspect",
            "markets",
            "report",
            "why",
            "kill",
            "status",
            "reset",
            "db",
            "--config",
            "--json",
            "Exit codes:",
        ],
    ),
    (
        "paper",
        &[
            "--bankroll",
            "--source",
            "auto",
            "replay",
            "sim",
            "--recording",
            "--speed",
            "max|real|<N>x",
            "--windows",
            "--for",
            "--seed",
            "--makers",
            "typical",
            "--db",
            "--journal",
            "--auto-reset",
        ],
    ),
    ("replay", &["<JOURNAL>"]),
    ("import", &["--format", "--out", "--list", "[PATH]..."]),
    ("inspect", &["<FILE>"]),
    ("markets", &["--recording", "--source", "--for", "--seed"]),
    ("report", &["[RUN]", "latest", "--db"]),
    ("why", &["<OPPORTUNITY>", "--db"]),
    ("kill", &["--reason", "--mode", "--account"]),
    ("status", &["--mode", "--account"]),
    ("reset", &["--reason", "--mode", "--account"]),
    ("db", &["migrate", "status", "--db"]),
    ("db migrate", &["--config"]),
    ("db status", &["--config"]),
];

#[test]
fn every_command_explains_itself() {
    let bot = Bot::new();
    for (command, names) in COMMANDS {
        let mut said = bot.run(&format!("{command} --help")).exits(0);
        for name in names {
            said = said.says(name);
        }
        assert!(said.err.is_empty(), "{}", said.err);
        assert!(said.out.lines().all(|l| l.chars().count() <= 110), "{}", said.out);
    }
    bot.run("--version").exits(0).says("pmbot ");
}

/// `UPDATE_CLI_DOCS=1 cargo test -p pmbot help` writes the file anew.
#[test]
fn the_manual_is_what_the_program_says() {
    let bot = Bot::new();
    let mut manual = String::from(
        "# The command line\n\nWhat `--help` says, kept by a test (`UPDATE_CLI_DOCS=1 cargo test -p pmbot` writes it anew).\n",
    );
    for (command, _) in COMMANDS {
        let said = bot.run(&format!("{command} --help")).exits(0);
        let name = format!("pmbot {command}");
        let text: Vec<&str> = said.out.lines().map(str::trim_end).collect();
        let _ = write!(manual, "\n## {}\n\n```text\n{}\n```\n", name.trim(), text.join("\n"));
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    if std::env::var_os("UPDATE_CLI_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &manual).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == manual, "docs/cli.md is out of date: run UPDATE_CLI_DOCS=1 cargo test -p pmbot help");
}
