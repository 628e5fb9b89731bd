//! A journal through a fresh engine. The commands of every step must be those of the run that wrote it.

use std::path::Path;

use pm_core::command::Command;
use pm_core::time::Ts;
use pm_engine::Engine;
use pm_engine::journal::{Header, Recorder};

use crate::journal::{JournalFileError, JournalReader};

/// Result of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// Header of the journal.
    pub header: Header,
    /// Steps compared.
    pub steps: u64,
    /// Decision hash of this run.
    pub decision_hash: String,
    /// First step whose commands differ.
    pub differs: Option<Difference>,
    /// Offset of a torn tail, if there was one.
    pub torn_at: Option<u64>,
    /// The journal has its end record: every step of the run is there.
    pub complete: bool,
    /// The engine at the end.
    pub engine: Box<Engine>,
}

/// A step whose commands are not those of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the step, from 1.
    pub step: u64,
    /// Time of the step.
    pub now: Ts,
    /// The event, for people.
    pub event: String,
    /// Commands now, for people.
    pub commands: Vec<String>,
}

/// Why a replay could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file.
    #[error(transparent)]
    File(#[from] JournalFileError),
    /// The header's configuration.
    #[error("the journal's configuration: {0}")]
    Config(#[from] pm_engine::ConfigError),
    /// An event could not be recorded.
    #[error(transparent)]
    Codec(#[from] pm_engine::journal::JournalError),
}

/// Replays a journal up to its end or to the first step that differs.
///
/// # Errors
/// See [`ReplayError`]. A difference is a result, not an error.
pub fn replay(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Replayed, ReplayError> {
    let (mut reader, header) = JournalReader::open(path)?;
    let mut engine = Box::new(Engine::new(header.config.clone())?);
    let mut recorder = Recorder::default();
    let mut commands: Vec<Command> = Vec::new();
    let mut differs = None;
    while let Some(entry) = reader.next_entry()? {
        commands.clear();
        engine.step(entry.now, &entry.event, &mut commands);
        recorder.record(entry.now, &entry.event, &commands)?;
        if recorder.last_digest() != entry.digest {
            differs = Some(Difference {
                step: recorder.count(),
                now: entry.now,
                event: format!("{:?}", entry.event),
                commands: commands.iter().map(|c| format!("{c:?}")).collect(),
            });
            break;
        }
        if recorder.count().is_multiple_of(4_096) {
            let (done, total) = reader.progress();
            progress(done, total);
        }
    }
    Ok(Replayed {
        header,
        steps: recorder.count(),
        decision_hash: recorder.decision_hash(),
        differs,
        torn_at: reader.torn_at(),
        complete: reader.complete(),
        engine,
    })
}
