//! Running other programs: live output, an end on Ctrl-C that lets guards clean up, errors that show the
//! command.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::wait::{Stopwatch, pause};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Makes Ctrl-C, TERM and HUP a flag instead of sudden death, so that a started PostgreSQL is stopped on
/// the way out. A second signal ends the program at once.
pub(crate) fn catch_signals() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::clone(STOP.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag)).context("signal handler")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("signal handler")?;
    }
    Ok(())
}

/// Whether the user asked to stop.
pub(crate) fn stopped() -> bool {
    STOP.get().is_some_and(|flag| flag.load(Ordering::SeqCst))
}

/// The workspace root: the parent of this crate.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder for build output (`CARGO_TARGET_DIR` respected).
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A command that starts in the workspace root with no input.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo(args: &[&str]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// Runs with the output on our own terminal; an error unless it ends well.
pub(crate) fn live(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let child = command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
    let status = wait(child)?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Waits for a child, and ends it when the user asks to stop.
pub(crate) fn wait(mut child: Child) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            if stopped() {
                bail!("stopped by a signal");
            }
            return Ok(status);
        }
        if stopped() {
            end(&mut child);
            bail!("stopped by a signal");
        }
        pause(Duration::from_millis(20));
    }
}

/// Asks a child to end (a Ctrl-C in the terminal has reached it already), then makes it.
fn end(child: &mut Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let since = Stopwatch::start();
    while since.elapsed() < Duration::from_secs(5) {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        pause(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Runs quietly and returns what it printed; an error carries its error output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        return Err(anyhow!("{}\n{}", printed.trim(), errors.trim()).context(format!(
            "`{}` ended with {}",
            shown(command),
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program on PATH.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| is_program(file))
}

/// A file that may be executed.
pub(crate) fn is_program(file: &Path) -> bool {
    let Ok(meta) = file.metadata() else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    meta.is_file() && executable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_shows_itself_and_its_words() {
        let error = capture(&mut command("sh", &["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("sh -c") && text.contains("why") && text.contains('3'), "{text}");
    }

    #[test]
    fn live_reports_failure() {
        assert!(live(&mut command("sh", &["-c", "exit 1"])).is_err());
        assert!(live(&mut command("sh", &["-c", "exit 0"])).is_ok());
    }
}
