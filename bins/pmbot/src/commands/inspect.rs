//! `pmbot inspect FILE`.

use std::path::Path;

use pm_data::recording::{RecordingError, Replay};

use crate::catalog;
use crate::cli::Cli;
use crate::config::Config;
use crate::display::{self, out, outln};
use crate::exit::Failure;
use crate::wiring;

/// Damage that is told on standard error; the summary lists all.
const TOLD: usize = 3;

/// Shows what is in a recording. A damaged one is read as far as it can be: the summary comes first, with what was passed over, then the
/// error with its exit code.
pub(crate) fn run(cli: &Cli, config: &Config, file: &Path) -> Result<(), Failure> {
    let catalog = catalog::standard();
    let mut replay = Replay::open_lenient(&[file.to_owned()]).map_err(failure)?;
    let bar = display::bar("inspect", cli.json);
    let result =
        pm_data::inspect::run(&mut replay, &mut |info| wiring::inspecting(&info.name, config, &catalog), &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
    bar.finish_and_clear();
    let summary = result.map_err(failure)?;
    if cli.json {
        display::json(&summary).map_err(Failure::Usage)?;
    } else {
        outln!("recording  {}", file.display());
        out!("{summary}");
    }
    if summary.damage.is_empty() {
        return Ok(());
    }
    let mut told: Vec<String> = summary.damage.iter().take(TOLD).map(ToString::to_string).collect();
    let more = summary.damage.len() - told.len();
    if more > 0 {
        told.push(format!("{more} more places"));
    }
    Err(Failure::corrupt(told.join("; ")))
}

fn failure(e: RecordingError) -> Failure {
    match e {
        RecordingError::Io { .. } => Failure::Source(anyhow::Error::new(e)),
        other => Failure::Corrupt(anyhow::Error::new(other)),
    }
}
