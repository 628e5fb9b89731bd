//! The logs of a run: JSON files, and on a terminal short lines above the progress bar, so that the two do not overwrite each other.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;

use pm_monitor::{Console, LogConfig, LogGuard};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::cli::Cli;
use crate::config::Config;
use crate::display::errln;
use crate::exit::Failure;

/// Starts the logs. The second value is the directory of the files.
pub(crate) fn start(cli: &Cli, config: &Config) -> Result<(LogGuard, PathBuf), Failure> {
    let directory = match &config.log.directory {
        Some(d) => d.clone(),
        None => config.state_dir()?.join("logs"),
    };
    let terminal = std::io::stderr().is_terminal();
    let settings = LogConfig {
        level: filter(&config.log.level),
        dir: Some(directory.clone()),
        keep_files: config.log.keep,
        console: if cli.json || terminal { Console::Off } else { Console::Auto },
        ..Default::default()
    };
    let (files, guard) = pm_monitor::subscriber(settings).map_err(Failure::usage)?;
    let colour = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = (terminal && !cli.json).then_some(Lines { colour });
    tracing::subscriber::set_global_default(files.with(lines)).map_err(Failure::usage)?;
    Ok((guard, directory))
}

/// A bare level is ours: what the database says in passing (PostgreSQL's notices) is left out. A filter says itself what it wants.
fn filter(level: &str) -> String {
    if level.contains(['=', ',']) { level.to_owned() } else { format!("{level},sqlx=warn") }
}

/// Log lines for a person at a terminal. What a run says once at its beginning and end is on the screen already: warnings and worse.
struct Lines {
    colour: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let (name, code) = if level == Level::ERROR { ("ERROR", "31") } else { ("WARN ", "33") };
        let mut text = Text::default();
        event.record(&mut text);
        let line = pm_monitor::redact(&format!("{}{}", text.message, text.fields)).into_owned();
        if self.colour {
            errln!("\u{1b}[{code}m{name}\u{1b}[0m {line}");
        } else {
            errln!("{name} {line}");
        }
    }
}

/// The message of an event, and its fields behind it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_of_the_database_are_left_out_unless_a_filter_asks_for_them() {
        assert_eq!(filter("info"), "info,sqlx=warn");
        assert_eq!(filter("info,sqlx=debug"), "info,sqlx=debug");
    }
}
