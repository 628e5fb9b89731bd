//! The kill switch's local record: one JSON file per mode and account, written to a temporary file, fsynced and renamed. It is the first
//! record of a trip (the store follows), it survives restarts, and a running bot watches it, so that another terminal can trip it. Which run
//! wrote it stands in it; two runs that write one record at once know of each other by a lock beside it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use pm_core::command::KillRecord;
use pm_core::time::Ts;
use serde::{Deserialize, Serialize};

/// What went wrong with the record. Whoever cannot read it must treat the switch as tripped.
#[derive(Debug, thiserror::Error)]
pub enum KillFileError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is not a record.
    #[error("{}: not a kill-switch record: {what}; treated as tripped until it is repaired by a reset", path.display())]
    Corrupt {
        /// File.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    record: KillRecord,
    /// The run that wrote it; absent when an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Arc<str>>,
}

/// Numbers the temporary files of this process.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// The record of one (mode, account).
#[derive(Debug, Clone)]
pub struct KillFile {
    path: PathBuf,
    run: Option<Arc<str>>,
    seen: Option<SystemTime>,
}

impl KillFile {
    /// The record of a mode and account in the state directory.
    #[must_use]
    pub fn new(state_dir: &Path, mode: &str, account: &str) -> Self {
        Self { path: state_dir.join(format!("kill-{mode}-{account}.json")), run: None, seen: None }
    }

    /// Names the run that writes from now on.
    #[must_use]
    pub fn of_run(mut self, run: &str) -> Self {
        self.run = Some(run.into());
        self
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the record; absent means never tripped.
    ///
    /// # Errors
    /// See [`KillFileError`].
    pub fn read(&self) -> Result<Option<KillRecord>, KillFileError> {
        Ok(self.content()?.map(|c| c.record))
    }

    /// The run that wrote the record; `None` for an operator, and where there is no record that can be read.
    #[must_use]
    pub fn written_by(&self) -> Option<Arc<str>> {
        self.content().ok().flatten().and_then(|c| c.run)
    }

    /// Claims the record for a run: `None` when another run holds it. The claim ends with the value, or with the process.
    ///
    /// # Errors
    /// [`KillFileError::Io`].
    pub fn claim(&self) -> Result<Option<File>, KillFileError> {
        let path = self.path.with_extension("lock");
        let io = |source| KillFileError::Io { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io)?;
        }
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(io(e)),
        }
    }

    fn content(&self) -> Result<Option<Content>, KillFileError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KillFileError::Io { path: self.path.clone(), source }),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| KillFileError::Corrupt { path: self.path.clone(), what: e.to_string() })
    }

    /// Writes the record durably.
    ///
    /// # Errors
    /// [`KillFileError::Io`].
    pub fn write(&mut self, record: &KillRecord) -> Result<(), KillFileError> {
        let io = |source| KillFileError::Io { path: self.path.clone(), source };
        if let Some(parent) = self.path.parent() {
            std::fs::create_dir_all(parent).map_err(io)?;
        }
        // A name of its own for every write: two programs that write at once must not write into one file.
        let temporary =
            self.path.with_extension(format!("json.{}-{}.new", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed)));
        let content = Content { record: record.clone(), run: self.run.clone() };
        let json = serde_json::to_vec_pretty(&content).map_err(|e| io(std::io::Error::other(e)))?;
        let written = File::create(&temporary)
            .and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&temporary, &self.path));
        if let Err(e) = written {
            let _ = std::fs::remove_file(&temporary);
            return Err(io(e));
        }
        if let Some(parent) = self.path.parent() {
            File::open(parent).and_then(|d| d.sync_all()).map_err(io)?;
        }
        self.seen = modified(&self.path);
        Ok(())
    }

    /// The record, if somebody else changed it since it was last read or written here.
    ///
    /// # Errors
    /// See [`KillFileError`].
    pub fn changed(&mut self) -> Result<Option<KillRecord>, KillFileError> {
        let now = modified(&self.path);
        if now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        self.read()
    }

    /// Takes the present state as seen.
    pub fn mark_seen(&mut self) {
        self.seen = modified(&self.path);
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

/// A fresh record that trips the switch.
#[must_use]
pub fn tripped(cause: &str, at: Ts) -> KillRecord {
    KillRecord { tripped: true, cause: cause.into(), at, closed_venues: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_another_terminal_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let mut ours = KillFile::new(dir.path(), "paper", "main");
        assert!(ours.read().unwrap().is_none());
        ours.write(&tripped("daily_loss", Ts::from_secs(5))).unwrap();
        assert!(ours.changed().unwrap().is_none(), "our own write is not news");
        let mut theirs = KillFile::new(dir.path(), "paper", "main");
        // File times may be coarse; a rewrite with another length and a later time is what a person does.
        std::fs::File::options().write(true).open(theirs.path()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(ours.changed().unwrap().unwrap().tripped);
        theirs.mark_seen();
        assert!(theirs.changed().unwrap().is_none());
    }

    /// Two runs and an operator write one record at once: every read finds a whole one, and nothing is left lying about.
    #[test]
    fn writers_at_once_never_leave_half_a_record() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let mut file = KillFile::new(dir.path(), "sim", "main").of_run(&format!("run {n}"));
                scope.spawn(move || {
                    for _ in 0..40 {
                        file.write(&tripped(&"x".repeat(n * 997), Ts::from_secs(5))).unwrap();
                        assert!(file.read().unwrap().unwrap().tripped);
                    }
                });
            }
        });
        let file = KillFile::new(dir.path(), "sim", "main");
        assert!(file.written_by().unwrap().starts_with("run "));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_second_run_sees_that_another_holds_the_record() {
        let dir = tempfile::tempdir().unwrap();
        let file = KillFile::new(dir.path(), "sim", "main");
        let first = file.claim().unwrap();
        assert!(first.is_some());
        assert!(file.claim().unwrap().is_none());
        assert!(KillFile::new(dir.path(), "sim", "other").claim().unwrap().is_some());
        drop(first);
        assert!(file.claim().unwrap().is_some());
    }

    #[test]
    fn a_corrupt_record_is_an_error_and_never_reads_as_fine() {
        let dir = tempfile::tempdir().unwrap();
        let file = KillFile::new(dir.path(), "live", "main");
        std::fs::write(file.path(), b"{\"tripped\": fal").unwrap();
        assert!(matches!(file.read(), Err(KillFileError::Corrupt { .. })));
    }
}
