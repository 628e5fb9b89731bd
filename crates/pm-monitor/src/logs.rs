//! Starting the logs: what is written where, at which level.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::redactor::Redactor;
use crate::writer::{FailSoft, RedactingWriter};

/// Lines that may wait for a slow disk or terminal before lines are dropped (and counted).
const QUEUE_LINES: usize = 16_384;

/// What stderr gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Console {
    /// Human-readable lines; coloured when stderr is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Human-readable lines without colour.
    Plain,
    /// Nothing (a program that draws on the terminal itself).
    Off,
}

/// How to log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Level or filter directives, e.g. `info` or `info,pm_engine=debug`. `RUST_LOG` wins when set.
    pub level: String,
    /// Folder for the JSON-lines files; `None` writes no files. Created when absent.
    pub dir: Option<PathBuf>,
    /// File names are `<prefix>.<UTC date>.jsonl`.
    pub prefix: String,
    /// Daily files kept, at least 1; older ones are deleted when a new day starts.
    pub keep_files: usize,
    /// What stderr gets.
    pub console: Console,
    /// The registry of secret values.
    pub redactor: Redactor,
}

impl Default for LogConfig {
    /// `info` to stderr, no files, the process-wide [`Redactor`].
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            dir: None,
            prefix: "pmbot".to_owned(),
            keep_files: 14,
            console: Console::Auto,
            redactor: Redactor::global(),
        }
    }
}

/// Why the logs could not start. An unwritable folder is not among the reasons: it is told on stderr and
/// the program goes on without files.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level or filter directives cannot be read.
    #[error("{origin} = `{directives}` is not a log filter: {reason}. Try `info` or `info,pm_engine=debug`.")]
    Level {
        /// Where the text came from: `RUST_LOG` or `log level`.
        origin: &'static str,
        /// The text.
        directives: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Logs were started before in this process.
    #[error("logs are already started in this process")]
    AlreadyStarted,
}

/// Keeps the log threads alive. Drop it last: dropping writes what is still queued, also when the program
/// unwinds from a panic, so no panic hook is needed for that.
#[derive(Debug)]
pub struct LogGuard {
    counters: Vec<ErrorCounter>,
    redactor: Redactor,
    _workers: Vec<WorkerGuard>,
}

impl LogGuard {
    /// Lines dropped because a queue was full (slow disk or stopped terminal), over all targets.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        self.counters.iter().map(ErrorCounter::dropped_lines).fold(0, usize::saturating_add)
    }

    /// The registry these logs use.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

/// Starts the logs of this process. Keep the guard until the end of `main`.
///
/// # Errors
/// [`LogError`]: unreadable filter directives, or logs already started.
pub fn init(config: LogConfig) -> Result<LogGuard, LogError> {
    let (subscriber, guard) = subscriber(config)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadyStarted)?;
    Ok(guard)
}

/// The subscriber that [`init`] installs, for a caller (a test, a tool) that wants it for one scope only.
///
/// # Errors
/// [`LogError::Level`]: unreadable filter directives.
pub fn subscriber(config: LogConfig) -> Result<(impl Subscriber + Send + Sync, LogGuard), LogError> {
    let LogConfig { level, dir, prefix, keep_files, console, redactor } = config;
    let filter = filter(&level)?;
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    let mut guard = LogGuard { counters: Vec::new(), redactor, _workers: Vec::new() };
    if console != Console::Off {
        let ansi = console == Console::Auto && io::stderr().is_terminal() && !no_color();
        let writer = queue(FailSoft::new(io::stderr(), io::sink(), "stderr".to_owned()), "log-console", &mut guard);
        layers.push(fmt::layer().with_ansi(ansi).with_writer(writer).boxed());
    }
    if let Some(files) = dir.and_then(|dir| open_files(&dir, prefix, keep_files)) {
        let writer = queue(files, "log-files", &mut guard);
        layers.push(fmt::layer().json().with_span_list(false).with_writer(writer).boxed());
    }
    // The filter stands outside: inside the list it would only speak for itself.
    Ok((Registry::default().with(layers).with(filter), guard))
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let from_env = std::env::var("RUST_LOG").ok().filter(|v| !v.trim().is_empty());
    let (origin, directives) = from_env.map_or(("log level", level.to_owned()), |v| ("RUST_LOG", v));
    EnvFilter::builder().parse(&directives).map_err(|e| LogError::Level { origin, reason: e.to_string(), directives })
}

/// A thread of its own redacts and writes; the caller only copies the line into a bounded queue. When the
/// queue is full the line is dropped and counted: the trading loop never waits for a log.
fn queue(target: impl Write + Send + 'static, thread: &str, guard: &mut LogGuard) -> NonBlocking {
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE_LINES)
        .thread_name(thread)
        .finish(RedactingWriter::new(target, guard.redactor.clone()));
    guard.counters.push(writer.error_counter());
    guard._workers.push(worker);
    writer
}

fn open_files(dir: &Path, prefix: String, keep_files: usize) -> Option<FailSoft<RollingFileAppender, io::Stderr>> {
    let what = format!("log files in {}", dir.display());
    let built = std::fs::create_dir_all(dir).map_err(|e| e.to_string()).and_then(|()| {
        RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(prefix)
            .filename_suffix("jsonl")
            .max_log_files(keep_files.max(1))
            .build(dir)
            .map_err(|e| source_text(&e))
    });
    match built {
        Ok(files) => Some(FailSoft::new(files, io::stderr(), what)),
        Err(reason) => {
            // The logs are not there yet to tell it.
            let _ = writeln!(io::stderr(), "warning: cannot write {what}: {reason}. Going on without log files.");
            None
        }
    }
}

/// The error with the cause it hides ("error building appender" alone helps nobody).
fn source_text(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
