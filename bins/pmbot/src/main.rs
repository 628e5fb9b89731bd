//! `pmbot`: parse, wire, run. Everything that decides lives in the library crates.

mod announce;
mod catalog;
mod cli;
mod commands;
mod config;
mod config_checks;
mod display;
mod exit;
mod hooks;
mod logs;
mod paper;
mod replay_settings;
mod sink;
mod sources;
mod status;
mod summary;
mod watched;
mod wiring;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, SwitchArgs};
use crate::config::Config;
use crate::display::errln;
use crate::exit::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    let mut code = ExitCode::SUCCESS;
    if let Err(failure) = run(&cli) {
        let text = failure.text();
        if cli.json && failure.is_error() && !display::json_was_printed() {
            let _ = display::json(&serde_json::json!({ "error": text }));
        }
        errln!("pmbot: {text}");
        code = failure.code();
    }
    if let Err(text) = display::finish() {
        errln!("pmbot: {text}");
        code = Failure::store(text).code();
    }
    code
}

/// Help, the version, or a mistake on the command line; with `--json` a mistake is a document, too.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|a| a == "--json") {
        let text = error.render().to_string();
        let text = pm_monitor::redact(text.split("\n\n").next().unwrap_or_default()).into_owned();
        let _ = display::json(&serde_json::json!({ "error": text.trim_end().trim_start_matches("error: ") }));
    }
    // What was typed may hold a secret: nothing of it is printed as it came.
    let text = error.render();
    if error.use_stderr() {
        errln!("{}", pm_monitor::redact(&text.to_string()).trim_end());
    } else if std::io::stdout().is_terminal() {
        display::out!("{}", text.ansi());
    } else {
        display::out!("{text}");
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let config = match &cli.command {
        Command::Kill(args) => for_switch(cli, &args.switch)?,
        Command::Status(args) => for_switch(cli, args)?,
        _ => Config::load(cli.config.as_deref())?,
    };
    match &cli.command {
        Command::Paper(args) => paper::run(cli, &config, args),
        Command::Replay { journal } => commands::replay::run(cli, journal),
        Command::Import(args) => commands::import::run(cli, args),
        Command::Inspect { file } => commands::inspect::run(cli, &config, file),
        Command::Markets(args) => commands::markets::run(cli, &config, args),
        Command::Report { run, db } => commands::report::run(cli, &config, run, db),
        Command::Why { opportunity, db } => commands::why::run(cli, &config, opportunity, db),
        Command::Kill(args) => commands::switch::kill(cli, &config, args),
        Command::Status(args) => commands::switch::status(cli, &config, args),
        Command::Reset(args) => commands::switch::reset(cli, &config, args),
        Command::Db { action, db } => commands::db::run(cli, &config, action, db),
    }
}

/// What the kill switch needs of the configuration; mistakes in the rest of it are warnings.
fn for_switch(cli: &Cli, args: &SwitchArgs) -> Result<Config, Failure> {
    let (config, mistakes) = Config::load_for_switch(cli.config.as_deref(), args.account.as_deref())?;
    for mistake in mistakes {
        errln!("warning: {}", pm_monitor::redact(&mistake));
    }
    Ok(config)
}
