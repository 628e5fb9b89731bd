//! The kill switch's local record: one JSON file per mode and account, written to a temporary file, fsynced and renamed. It is the first
//! record of a trip (the store follows), it survives restarts, and a running bot watches it, so that another terminal can trip it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pm_core::command::KillRecord;
use pm_core::time::Ts;

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

/// The record of one (mode, account).
#[derive(Debug, Clone)]
pub struct KillFile {
    path: PathBuf,
    seen: Option<SystemTime>,
}

impl KillFile {
    /// The record of a mode and account in the state directory.
    #[must_use]
    pub fn new(state_dir: &Path, mode: &str, account: &str) -> Self {
        Self { path: state_dir.join(format!("kill-{mode}-{account}.json")), seen: None }
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
        let temporary = self.path.with_extension("json.new");
        let json = serde_json::to_vec_pretty(record).map_err(|e| io(std::io::Error::other(e)))?;
        let mut file = File::create(&temporary).map_err(io)?;
        file.write_all(&json).map_err(io)?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&temporary, &self.path).map_err(io)?;
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

    #[test]
    fn a_corrupt_record_is_an_error_and_never_reads_as_fine() {
        let dir = tempfile::tempdir().unwrap();
        let file = KillFile::new(dir.path(), "live", "main");
        std::fs::write(file.path(), b"{\"tripped\": fal").unwrap();
        assert!(matches!(file.read(), Err(KillFileError::Corrupt { .. })));
    }
}
