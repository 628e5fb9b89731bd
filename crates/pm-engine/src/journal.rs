//! The input journal's codec and the decision hash. An entry is `(now, event)` and a digest of the commands that followed; the journal is
//! the engine's truth, because the same header and entries give the same commands on every machine. Files, framing and checksums are the
//! drivers' (pm-execution).

use pm_core::command::Command;
use pm_core::event::Event;
use pm_core::time::Ts;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::EngineConfig;

/// Version of the entry encoding; a journal of another version is refused, not guessed at.
pub const JOURNAL_VERSION: u32 = 1;

/// First record of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`JOURNAL_VERSION`].
    pub version: u32,
    /// Version of the program that wrote it.
    pub build: String,
    /// Where the events came from, for people.
    pub source: String,
    /// Seed of simulated parts.
    pub seed: u64,
    /// The engine's configuration.
    pub config: EngineConfig,
}

/// Why an entry cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The bytes are not an entry.
    #[error("not a journal entry: {0}")]
    Entry(String),
    /// The header is of another version.
    #[error("journal version {found}, this program reads {JOURNAL_VERSION}")]
    Version {
        /// Version found.
        found: u32,
    },
}

/// A decoded entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Time of the step.
    pub now: Ts,
    /// Event.
    pub event: Event<'static>,
    /// Digest of the commands that followed; 0 = none.
    pub digest: u64,
}

/// Encodes entries and accumulates the decision hash over `(now, event, commands)`.
#[derive(Debug)]
pub struct Recorder {
    entry: Vec<u8>,
    commands: Vec<u8>,
    pending: Vec<u8>,
    hash: Sha256,
    count: u64,
}

/// Bytes that are gathered before they are hashed: hashing in large pieces is several times faster.
const GATHER: usize = 64 * 1024;

impl Default for Recorder {
    fn default() -> Self {
        Self {
            entry: Vec::with_capacity(8 * 1024),
            commands: Vec::with_capacity(8 * 1024),
            pending: Vec::with_capacity(2 * GATHER),
            hash: Sha256::new(),
            count: 0,
        }
    }
}

impl Recorder {
    /// Encodes one step. Returns the entry's bytes (event and command digest), valid until the next call.
    ///
    /// # Errors
    /// [`JournalError::Entry`] when a value cannot be encoded; it cannot for the types in use, but is never assumed.
    pub fn record(&mut self, now: Ts, event: &Event<'_>, commands: &[Command]) -> Result<&[u8], JournalError> {
        let encode = |e: postcard::Error| JournalError::Entry(e.to_string());
        self.entry.clear();
        self.commands.clear();
        let mut entry = core::mem::take(&mut self.entry);
        entry = postcard::to_extend(&now, entry).map_err(encode)?;
        entry = postcard::to_extend(event, entry).map_err(encode)?;
        let mut buffer = core::mem::take(&mut self.commands);
        for command in commands {
            buffer = postcard::to_extend(command, buffer).map_err(encode)?;
        }
        self.pending.extend_from_slice(&entry);
        self.pending.extend_from_slice(&buffer);
        if self.pending.len() >= GATHER {
            self.hash.update(&self.pending);
            self.pending.clear();
        }
        entry.extend_from_slice(&digest(&buffer).to_le_bytes());
        self.entry = entry;
        self.commands = buffer;
        self.count += 1;
        Ok(&self.entry)
    }

    /// Digest of the last step's commands; 0 when there were none.
    #[must_use]
    pub fn last_digest(&self) -> u64 {
        digest(&self.commands)
    }
    /// Steps recorded.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
    /// The decision hash so far, as 64 hex digits.
    #[must_use]
    pub fn decision_hash(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(&self.pending);
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Decodes an entry.
///
/// # Errors
/// [`JournalError::Entry`] says what is wrong; bytes after the entry are an error too.
pub fn decode(bytes: &[u8]) -> Result<Entry, JournalError> {
    let wrong = |e: postcard::Error| JournalError::Entry(e.to_string());
    let (body, tail) =
        bytes.split_at_checked(bytes.len().saturating_sub(8)).ok_or_else(|| JournalError::Entry("too short".into()))?;
    let tail: [u8; 8] = tail.try_into().map_err(|_| JournalError::Entry("too short".into()))?;
    let (now, rest) = postcard::take_from_bytes::<Ts>(body).map_err(wrong)?;
    let (event, rest) = postcard::take_from_bytes::<Event<'static>>(rest).map_err(wrong)?;
    if !rest.is_empty() {
        return Err(JournalError::Entry(format!("{} bytes left over", rest.len())));
    }
    Ok(Entry { now, event, digest: u64::from_le_bytes(tail) })
}

/// FNV-1a over eight-byte words: enough to find the first step whose commands differ; the decision hash is what counts.
fn digest(bytes: &[u8]) -> u64 {
    if bytes.is_empty() {
        return 0;
    }
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        hash ^= word.try_into().map_or(0, u64::from_le_bytes);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        hash ^= hash >> 29;
    }
    for byte in words.remainder() {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.max(1)
}
