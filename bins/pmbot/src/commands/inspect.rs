//! `pmbot inspect FILE`.

use std::path::Path;

use crate::catalog;
use crate::cli::Cli;
use crate::config::Config;
use crate::display::{self, out, outln};
use crate::exit::Failure;
use crate::wiring;

pub(crate) fn run(cli: &Cli, config: &Config, file: &Path) -> Result<(), Failure> {
    let catalog = catalog::standard();
    let mut replay = pm_data::recording::Replay::open(&[file.to_owned()]).map_err(|e| match e {
        pm_data::recording::RecordingError::Io { .. } => Failure::Source(anyhow::Error::new(e)),
        other => Failure::Corrupt(anyhow::Error::new(other)),
    })?;
    let bar = display::bar("inspect", cli.json);
    let result =
        pm_data::inspect::run(&mut replay, &mut |info| wiring::inspecting(&info.name, config, &catalog), &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
    bar.finish_and_clear();
    let summary = result.map_err(|e| Failure::Corrupt(anyhow::Error::new(e)))?;
    if cli.json {
        return display::json(&summary).map_err(Failure::Usage);
    }
    outln!("recording  {}", file.display());
    out!("{summary}");
    Ok(())
}
