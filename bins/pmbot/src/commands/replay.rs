//! `pmbot replay JOURNAL`.

use std::path::Path;

use pm_execution::replay::{Difference, ReplayError, Replayed, replay};
use serde_json::json;

use crate::cli::Cli;
use crate::display::{self, outln};
use crate::exit::Failure;
use crate::paper::BUILD;

pub(crate) fn run(cli: &Cli, journal: &Path) -> Result<(), Failure> {
    let bar = display::bar("replay", cli.json);
    let result = replay(journal, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let result = result.map_err(|e| match e {
        ReplayError::File(pm_execution::journal::JournalFileError::Io { .. }) => Failure::Source(e.into()),
        other => Failure::Corrupt(other.into()),
    })?;
    if cli.json {
        let differs = result
            .differs
            .as_ref()
            .map(|d| json!({ "step": d.step, "at": d.now.to_string(), "event": d.event, "commands": d.commands }));
        display::json(&json!({
            "journal": journal.display().to_string(), "written_by": result.header.build, "source": result.header.source,
            "steps": result.steps, "decision_hash": result.decision_hash, "reproduced": result.differs.is_none(),
            "differs": differs, "torn_at": result.torn_at, "complete": result.complete,
            "error": result.differs.as_ref().map(other),
        }))
        .map_err(Failure::Usage)?;
    } else {
        outln!("journal        {}", journal.display());
        outln!("written by     {} from {}", result.header.build, result.header.source);
        outln!("steps          {}", result.steps);
        outln!("decision hash  {}", result.decision_hash);
        if let Some(at) = result.torn_at {
            outln!(
                "note           the file ends in a torn record at byte {at}; the {} whole entries before it were replayed",
                result.steps
            );
        }
    }
    match result.differs {
        None => {
            if !cli.json {
                outln!("reproduced     {}", reproduced(&result));
            }
            Ok(())
        }
        Some(d) => {
            if result.header.build != BUILD && !cli.json {
                outln!("note           this is {BUILD}: another version may well decide otherwise");
            }
            Err(Failure::corrupt(other(&d)))
        }
    }
}

/// A journal without its end record may lack steps: that is said, not passed over.
fn reproduced(result: &Replayed) -> String {
    if result.complete {
        return "every step gave the same commands".to_owned();
    }
    format!("no end record: the run was cut; the {} whole entries gave the same commands", result.steps)
}

fn other(d: &Difference) -> String {
    format!("step {} at {} gives other commands than the journal: {}", d.step, d.now, d.event)
}
