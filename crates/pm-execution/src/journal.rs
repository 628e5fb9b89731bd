//! The journal file. `PMBOTJRN` and a version, then records of `length, CRC-32 of the bytes, CRC-32 of those eight bytes` (u32 LE each) and
//! the bytes: first the header as JSON, then one record per step, and at the clean end one with `PMBOTEND` and the number of steps, so that a
//! file that was cut between two records is not taken for a whole one. Append-only; a crash loses at most what was not flushed, and the reader
//! stops cleanly at a torn tail. A broken record in the middle is an error with its offset: because the record's head has a checksum of its
//! own, a broken length is never taken for a torn tail.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use pm_engine::journal::{Entry, Header, JOURNAL_VERSION, JournalError, decode};

const MAGIC: &[u8; 8] = b"PMBOTJRN";
/// Begin of the end record; the number of entries follows (u64 LE).
const END: &[u8; 8] = b"PMBOTEND";
/// No record is larger; a length beyond it is corruption, not a reason to allocate.
const MAX_RECORD: u32 = 64 * 1024 * 1024;

/// What went wrong with a journal file.
#[derive(Debug, thiserror::Error)]
pub enum JournalFileError {
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is not a journal, or not of this version.
    #[error("{}: {what}", path.display())]
    NotAJournal {
        /// File.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A record in the middle is broken.
    #[error("{}: corrupt at byte {offset}: {what}", path.display())]
    Corrupt {
        /// File.
        path: PathBuf,
        /// Offset of the record.
        offset: u64,
        /// What is wrong.
        what: String,
    },
}

/// Bytes before a record.
const HEAD: u64 = 12;

/// Head of a record.
fn head(length: u32, crc: u32) -> [u8; 12] {
    let mut head = [0_u8; 12];
    let fields = length.to_le_bytes().into_iter().chain(crc.to_le_bytes());
    for (to, byte) in head.iter_mut().zip(fields) {
        *to = byte;
    }
    let check = crc32fast::hash(head.first_chunk::<8>().map_or(&[], |c| c.as_slice()));
    for (to, byte) in head.iter_mut().skip(8).zip(check.to_le_bytes()) {
        *to = byte;
    }
    head
}

/// The number of entries that an end record states; `None` for an entry.
fn end_record(bytes: &[u8]) -> Option<u64> {
    let count = bytes.strip_prefix(END)?;
    count.try_into().ok().map(u64::from_le_bytes)
}

/// Writes a journal.
#[derive(Debug)]
pub struct JournalWriter {
    path: PathBuf,
    file: BufWriter<File>,
    entries: u64,
}

impl JournalWriter {
    /// Creates the file (an existing one is refused: a journal is never overwritten) and writes the header.
    ///
    /// # Errors
    /// [`JournalFileError::Io`].
    pub fn create(path: &Path, header: &Header) -> Result<Self, JournalFileError> {
        let io = |source| JournalFileError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(io)?;
        }
        let file = File::options().write(true).create_new(true).open(path).map_err(io)?;
        let mut writer = Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 18, file), entries: 0 };
        writer.file.write_all(MAGIC).map_err(io)?;
        writer.file.write_all(&JOURNAL_VERSION.to_le_bytes()).map_err(io)?;
        let json = serde_json::to_vec(header)
            .map_err(|e| JournalFileError::NotAJournal { path: path.to_owned(), what: format!("header: {e}") })?;
        writer.record(&json)?;
        writer.flush()?;
        Ok(writer)
    }

    fn record(&mut self, bytes: &[u8]) -> Result<(), JournalFileError> {
        let io = |source| JournalFileError::Io { path: self.path.clone(), source };
        let length = u32::try_from(bytes.len()).map_err(|_| io(std::io::Error::other("a record over 4 GiB")))?;
        self.file.write_all(&head(length, crc32fast::hash(bytes))).map_err(io)?;
        self.file.write_all(bytes).map_err(io)
    }

    /// Appends one entry.
    ///
    /// # Errors
    /// [`JournalFileError::Io`], for instance a full disk: what was flushed before stays readable.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), JournalFileError> {
        self.entries += 1;
        self.record(entry)
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// [`JournalFileError::Io`].
    pub fn flush(&mut self) -> Result<(), JournalFileError> {
        self.file.flush().map_err(|source| JournalFileError::Io { path: self.path.clone(), source })
    }

    /// Writes the end record, flushes, syncs to disk and closes. Returns the number of entries.
    ///
    /// # Errors
    /// [`JournalFileError::Io`].
    pub fn finish(mut self) -> Result<u64, JournalFileError> {
        let mut end = END.to_vec();
        end.extend_from_slice(&self.entries.to_le_bytes());
        self.record(&end)?;
        self.flush()?;
        self.file.get_ref().sync_all().map_err(|source| JournalFileError::Io { path: self.path.clone(), source })?;
        Ok(self.entries)
    }
}

/// Reads a journal.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    file: BufReader<File>,
    offset: u64,
    total: u64,
    buffer: Vec<u8>,
    torn: Option<u64>,
    entries: u64,
    complete: bool,
}

impl JournalReader {
    /// Opens a journal and reads its header.
    ///
    /// # Errors
    /// [`JournalFileError`] with the file and the reason.
    pub fn open(path: &Path) -> Result<(Self, Header), JournalFileError> {
        let io = |source| JournalFileError::Io { path: path.to_owned(), source };
        let wrong = |what: String| JournalFileError::NotAJournal { path: path.to_owned(), what };
        let file = File::open(path).map_err(io)?;
        let total = file.metadata().map_err(io)?.len();
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 18, file),
            offset: 0,
            total,
            buffer: Vec::new(),
            torn: None,
            entries: 0,
            complete: false,
        };
        let mut start = [0_u8; 12];
        reader.file.read_exact(&mut start).map_err(|_| wrong("too short to be a journal".into()))?;
        reader.offset = 12;
        let (magic, version) = start.split_at(8);
        if magic != MAGIC {
            return Err(wrong("not a pmbot journal".into()));
        }
        let version = version.try_into().map_or(0, u32::from_le_bytes);
        if version != JOURNAL_VERSION {
            return Err(wrong(JournalError::Version { found: version }.to_string()));
        }
        if !reader.fill()? {
            return Err(wrong("the header is missing".into()));
        }
        let header = serde_json::from_slice(&reader.buffer).map_err(|e| wrong(format!("header: {e}")))?;
        Ok((reader, header))
    }

    /// Reads the next record into the buffer; false at the end or at a torn tail.
    fn fill(&mut self) -> Result<bool, JournalFileError> {
        let left = self.total.saturating_sub(self.offset);
        if left == 0 {
            return Ok(false);
        }
        if left < HEAD {
            self.torn = Some(self.offset);
            return Ok(false);
        }
        let path = self.path.clone();
        let io = |source| JournalFileError::Io { path: path.clone(), source };
        let mut found = [0_u8; 12];
        self.file.read_exact(&mut found).map_err(io)?;
        let field = |at: usize| found.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
        let (length, crc) = (field(0), field(4));
        let corrupt = |what: &str| JournalFileError::Corrupt { path: path.clone(), offset: self.offset, what: what.into() };
        if found == [0; 12] {
            // Some file systems leave zeros where a crash lost the bytes.
            self.torn = Some(self.offset);
            return Ok(false);
        }
        if found != head(length, crc) {
            return Err(corrupt("a record's head does not match its checksum"));
        }
        if length > MAX_RECORD {
            return Err(corrupt("impossible record length"));
        }
        if u64::from(length) > left - HEAD {
            self.torn = Some(self.offset);
            return Ok(false);
        }
        let Ok(size) = usize::try_from(length) else { return Err(corrupt("impossible record length")) };
        self.buffer.resize(size, 0);
        self.file.read_exact(&mut self.buffer).map_err(io)?;
        if crc32fast::hash(&self.buffer) != crc {
            // The last record may be half-written; anything before it may not.
            if u64::from(length) == left - HEAD {
                self.torn = Some(self.offset);
                return Ok(false);
            }
            return Err(corrupt("checksum does not match"));
        }
        self.offset += HEAD + u64::from(length);
        Ok(true)
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// [`JournalFileError::Corrupt`] with the offset.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, JournalFileError> {
        let offset = self.offset;
        if !self.fill()? {
            return Ok(None);
        }
        if let Some(count) = end_record(&self.buffer) {
            let corrupt = |what: String| JournalFileError::Corrupt { path: self.path.clone(), offset, what };
            if count != self.entries {
                return Err(corrupt(format!("the end record counts {count} steps, the file holds {}", self.entries)));
            }
            if self.offset != self.total {
                return Err(corrupt("records follow the end record".into()));
            }
            self.complete = true;
            return Ok(None);
        }
        self.entries += 1;
        decode(&self.buffer).map(Some).map_err(|e| JournalFileError::Corrupt {
            path: self.path.clone(),
            offset,
            what: e.to_string(),
        })
    }

    /// True once the end record was read: the run that wrote the journal ended cleanly, and every step is there.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.complete
    }

    /// Offset of a torn tail that was left out, if there was one.
    #[must_use]
    pub const fn torn_at(&self) -> Option<u64> {
        self.torn
    }
    /// Bytes read and in all.
    #[must_use]
    pub const fn progress(&self) -> (u64, u64) {
        (self.offset, self.total)
    }
}
