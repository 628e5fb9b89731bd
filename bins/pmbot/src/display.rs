//! What a person sees: output that survives a closed pipe and a full disk, a progress bar on a terminal, and a line now and then where
//! output goes to a file.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints to standard output. The standard macros end the program when a pipe is closed: a bot must not die with `| head`.
macro_rules! out {
    ($($arg:tt)*) => { $crate::display::write_out(format_args!($($arg)*)) };
}
/// A line on standard output.
macro_rules! outln {
    () => { $crate::display::write_out(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::display::write_out(format_args!("{}\n", format_args!($($arg)*))) };
}
/// A line on standard error, above a progress bar that is drawn there.
macro_rules! errln {
    ($($arg:tt)*) => { $crate::display::write_err(format_args!($($arg)*)) };
}
pub(crate) use {errln, out, outln};

/// First failure of standard output; nothing more is written after it.
static BROKEN: OnceLock<std::io::Error> = OnceLock::new();
/// The JSON document was printed.
static DOCUMENT: AtomicBool = AtomicBool::new(false);
/// The bar that is drawn on the terminal.
static SCREEN: OnceLock<ProgressBar> = OnceLock::new();

/// Behind [`out!`].
pub(crate) fn write_out(text: Arguments<'_>) {
    if BROKEN.get().is_none()
        && let Err(e) = std::io::stdout().lock().write_fmt(text)
    {
        let _ = BROKEN.set(e);
    }
}

/// Behind [`errln!`]. There is nowhere left to say that standard error is gone.
pub(crate) fn write_err(text: Arguments<'_>) {
    match SCREEN.get().filter(|bar| !bar.is_finished()) {
        Some(bar) => bar.println(text.to_string()),
        None => {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}

/// Flushes standard output. A reader that closed its pipe has seen enough; anything else, such as a full disk, is an error.
pub(crate) fn finish() -> Result<(), String> {
    if let Err(e) = std::io::stdout().lock().flush() {
        let _ = BROKEN.set(e);
    }
    match BROKEN.get() {
        Some(e) if e.kind() != ErrorKind::BrokenPipe => Err(format!("standard output could not be written: {e}")),
        _ => Ok(()),
    }
}

/// Prints the JSON document of a command to standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    DOCUMENT.store(true, Ordering::Relaxed);
    outln!("{text}");
    Ok(())
}

/// True when [`json`] was called: there is one document, not two.
pub(crate) fn json_was_printed() -> bool {
    DOCUMENT.load(Ordering::Relaxed)
}

fn terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// A bar over a known total, drawn on standard error when that is a terminal.
pub(crate) fn bar(what: &'static str, quiet: bool) -> ProgressBar {
    drawn(what, quiet, 1, "{prefix:>10} [{bar:28}] {percent:>3}% {elapsed_precise} {wide_msg}")
}

/// `length` is above 0: nothing of nothing would show as 100 % until the first figure.
fn drawn(what: &'static str, quiet: bool, length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if quiet || !terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    let _ = SCREEN.set(bar.clone());
    bar
}

/// Time between two lines of progress where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Length of the live bar: thousandths.
const WHOLE: u64 = 1_000;

/// The live status of a run: a bar with a line on a terminal, a line every five seconds elsewhere, nothing with `--json`.
pub(crate) struct Live {
    bar: ProgressBar,
    plain: bool,
    next: Option<u64>,
}

impl Live {
    /// Starts the display.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = drawn("", quiet, WHOLE, "[{bar:8}] {percent:>3}% {wide_msg}");
        Self { bar, plain: !quiet && !terminal(), next: None }
    }

    /// Shows a status at `now_ns` of a monotonic clock; `part` of `whole` is done.
    pub(crate) fn show(&mut self, now_ns: u64, (part, whole): (u64, u64), text: impl FnOnce() -> String) {
        if self.plain {
            let every = u64::try_from(PLAIN_EVERY.as_nanos()).unwrap_or(u64::MAX);
            let due = *self.next.get_or_insert(now_ns.saturating_add(every));
            if now_ns >= due {
                self.next = Some(now_ns.saturating_add(every));
                errln!("{:>3}% {}", thousandths(part, whole) / 10, text());
            }
        } else if !self.bar.is_hidden() {
            self.bar.set_position(thousandths(part, whole));
            self.bar.set_message(text());
        }
    }

    /// Takes the display away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn thousandths(part: u64, whole: u64) -> u64 {
    part.min(whole).saturating_mul(WHOLE).checked_div(whole).unwrap_or(0)
}
