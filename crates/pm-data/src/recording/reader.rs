//! Reading recordings: frames in file order, lent without copying, with seeking by time.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use pm_core::ids::FeedId;
use pm_core::time::{Stamp, Ts};

use super::block::{self, BLOCK_HEAD, Codec, FILE_HEAD, FileHead, Head};
use super::scan::{self, Found};
use super::{Entry, Epoch, EpochMark, FeedInfo, MARK_DOWN, MARK_UP, MAX_FEEDS, MAX_RAW, RecordedFrame, RecordingError, varint};

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tail {
    /// Closed in order.
    Closed,
    /// Ends behind a whole block, without the end mark: still being written, or the writer died between two blocks.
    #[default]
    Open,
    /// Ends inside of a block: the writer died. Everything before is whole; the rest is not read.
    Truncated {
        /// Where the torn block begins.
        offset: u64,
        /// Bytes of it.
        bytes: u64,
    },
}

/// Damage that a lenient reader passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it begins.
    pub offset: u64,
    /// Bytes passed over.
    pub bytes: u64,
    /// What was wrong.
    pub what: String,
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    len: u64,
    index: scan::Index,
    feeds: Vec<FeedInfo>,
    skipped: Vec<Skipped>,
    lenient: bool,
    /// Next entry of the index.
    next_block: usize,
    stored: Vec<u8>,
    raw: Vec<u8>,
    /// Place in `raw` and state of the delta coding.
    at: usize,
    left: u32,
    previous: Stamp,
    seq: u64,
    /// Offset of the block that is loaded.
    offset: u64,
    current: Option<Current>,
    /// Damage was passed over and the mark that says so was not given yet.
    broken: bool,
    /// The entry behind that mark.
    held: Option<Current>,
}

/// The entry that was read last, as a place in `raw`.
#[derive(Debug, Clone, Copy)]
struct Current {
    stamp: Stamp,
    what: What,
    seq: u64,
    begin: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Frame(FeedId),
    /// A mark about a feed, or about all.
    Mark(Option<FeedId>, Epoch),
}

/// What decoding gave.
enum Decoded {
    Entry(Current),
    /// An entry of a feed whose description is not there.
    Nameless(u16, usize),
    /// The bytes are no entry.
    Misfit,
}

/// What stands for a feed whose description is damaged: no decoder reads it, and no other feed of another file equals it.
fn placeholder(number: usize, path: &Path) -> FeedInfo {
    FeedInfo::named(format!("feed-{number}"), format!("the description of this feed is damaged in {}", path.display()))
}

impl Reader {
    /// Opens a recording. Damage is an error when it is reached.
    ///
    /// # Errors
    /// [`RecordingError::Io`], [`RecordingError::Empty`], [`RecordingError::NotARecording`], [`RecordingError::Version`],
    /// [`RecordingError::Corrupt`] (file header).
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        Self::open_with(path, false)
    }

    /// Opens a recording and passes over damaged blocks to the next whole one; [`Reader::skipped`] lists them.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_lenient(path: &Path) -> Result<Self, RecordingError> {
        Self::open_with(path, true)
    }

    fn open_with(path: &Path, lenient: bool) -> Result<Self, RecordingError> {
        let io = |what| move |source| RecordingError::Io { path: path.into(), what, offset: 0, source };
        let file = File::open(path).map_err(io("open"))?;
        let about = file.metadata().map_err(io("read the length"))?;
        if about.is_dir() {
            return Err(RecordingError::NotARecording { path: path.into(), why: "it is a folder" });
        }
        let len = about.len();
        if len == 0 {
            return Err(RecordingError::Empty { path: path.into() });
        }
        let mut file = BufReader::with_capacity(256, file);
        let mut head = [0_u8; FILE_HEAD];
        let got = scan::read_full(&mut file, &mut head).map_err(io("read"))?;
        match block::check_file_head(head.get(..got).unwrap_or_default()) {
            FileHead::Fine => {}
            FileHead::Not(why) => return Err(RecordingError::NotARecording { path: path.into(), why }),
            FileHead::Version(found) => return Err(RecordingError::Version { path: path.into(), found }),
            FileHead::Corrupt => {
                let what = "checksum of the file header does not match".to_owned();
                return Err(RecordingError::Corrupt { path: path.into(), offset: 0, what });
            }
        }
        let start = u64::try_from(FILE_HEAD).unwrap_or(0);
        let mut index = scan::scan(&mut file, start, len, lenient).map_err(io("read the block headers"))?;
        let feeds = core::mem::take(&mut index.feeds).into_iter().enumerate();
        let feeds = feeds.map(|(number, info)| info.unwrap_or_else(|| placeholder(number, path))).collect();
        Ok(Self {
            path: path.into(),
            file,
            len,
            index,
            feeds,
            skipped: Vec::new(),
            lenient,
            next_block: 0,
            stored: Vec::new(),
            raw: Vec::new(),
            at: 0,
            left: 0,
            previous: Stamp::default(),
            seq: 0,
            offset: start,
            current: None,
            broken: false,
            held: None,
        })
    }

    /// The feed table; a frame's feed id is an index into it.
    #[must_use]
    pub fn feeds(&self) -> &[FeedInfo] {
        &self.feeds
    }
    /// How the file ends.
    #[must_use]
    pub const fn tail(&self) -> Tail {
        self.index.tail
    }
    /// Damage that was passed over so far (lenient readers only).
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
    /// Path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Bytes behind us and bytes in all.
    #[must_use]
    pub const fn progress(&self) -> (u64, u64) {
        (self.offset, self.len)
    }
    /// Number of entries (frames and marks) that the block headers announce.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.heads().map(|h| u64::from(h.count)).sum()
    }
    /// Earliest and latest wall time of the block headers; `None` without frames.
    #[must_use]
    pub fn span(&self) -> Option<(Ts, Ts)> {
        self.heads().map(|h| (h.first, h.last)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.index.blocks.iter().filter_map(|b| match b {
            Found::Frames { head, .. } => Some(head),
            Found::Bad { .. } => None,
        })
    }

    /// The next entry in file order; `None` at the end.
    ///
    /// # Errors
    /// [`RecordingError::Corrupt`] with the offset of the block, [`RecordingError::Io`]. A strict reader gives the same error again.
    #[allow(clippy::should_implement_trait, reason = "entries are lent, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, RecordingError> {
        if self.advance()? { Ok(self.current()) } else { Ok(None) }
    }

    /// The entry that [`Reader::next`] gave last.
    #[must_use]
    pub fn current(&self) -> Option<Entry<'_>> {
        let c = self.current?;
        let bytes = self.raw.get(c.begin..c.end)?;
        Some(match c.what {
            What::Frame(feed) => Entry::Frame(RecordedFrame { stamp: c.stamp, feed, seq: c.seq, bytes }),
            What::Mark(feed, epoch) => {
                let why = str::from_utf8(bytes).unwrap_or("(the reason is not readable)");
                Entry::Epoch(EpochMark { stamp: c.stamp, feed, epoch, why })
            }
        })
    }

    /// Moves to the next entry; false at the end. The first entry behind damage is held back for a mark in front of it.
    pub(super) fn advance(&mut self) -> Result<bool, RecordingError> {
        if let Some(held) = self.held.take() {
            self.current = Some(held);
            return Ok(true);
        }
        if !self.step()? {
            return Ok(false);
        }
        if core::mem::take(&mut self.broken) {
            self.held = self.current;
            self.current = self.current.map(|c| Current { what: What::Mark(None, Epoch::Damage), begin: 0, end: 0, ..c });
        }
        Ok(true)
    }

    fn step(&mut self) -> Result<bool, RecordingError> {
        loop {
            while self.left == 0 {
                self.current = None;
                let Some(found) = self.index.blocks.get(self.next_block).copied() else { return Ok(false) };
                let (offset, bytes, result) = match found {
                    Found::Bad { offset, bytes, what } => (offset, bytes, Err(what.to_owned())),
                    Found::Frames { offset, head } => {
                        let bytes = u64::from(head.stored).saturating_add(u64::try_from(BLOCK_HEAD).unwrap_or(0));
                        (offset, bytes, self.load(offset, &head)?)
                    }
                };
                match result {
                    Ok(()) => {}
                    Err(what) if self.lenient => self.skip(offset, bytes, what),
                    Err(what) => return Err(self.corrupt(offset, what)),
                }
                self.next_block += 1;
            }
            match self.decode() {
                Decoded::Entry(entry) => {
                    self.current = Some(entry);
                    return Ok(true);
                }
                Decoded::Nameless(feed, bytes) if self.lenient => {
                    let what = format!("entries of feed {feed}, whose description is missing");
                    self.skip(self.offset, u64::try_from(bytes).unwrap_or(0), what);
                }
                Decoded::Misfit if self.lenient => {
                    let rest = self.raw.len().saturating_sub(self.at);
                    self.left = 0;
                    self.skip(self.offset, u64::try_from(rest).unwrap_or(0), "an entry does not fit its block".to_owned());
                }
                Decoded::Nameless(feed, _) => {
                    self.current = None;
                    return Err(self.corrupt(self.offset, format!("an entry of feed {feed}, which the file does not describe")));
                }
                Decoded::Misfit => {
                    self.current = None;
                    return Err(self.corrupt(self.offset, "an entry does not fit its block".to_owned()));
                }
            }
        }
    }

    fn corrupt(&self, offset: u64, what: String) -> RecordingError {
        RecordingError::Corrupt { path: self.path.clone(), offset, what }
    }

    /// Notes what a lenient reader passes over; the same thing of many entries of one feed is one note.
    fn skip(&mut self, offset: u64, bytes: u64, what: String) {
        self.broken = true;
        match self.skipped.iter_mut().find(|s| s.offset == offset && s.what == what) {
            Some(same) => same.bytes = same.bytes.saturating_add(bytes),
            None => self.skipped.push(Skipped { offset, bytes, what }),
        }
    }

    /// Loads a block; the inner error says what is wrong with its bytes.
    fn load(&mut self, offset: u64, head: &Head) -> Result<Result<(), String>, RecordingError> {
        let io = |source| RecordingError::Io { path: self.path.clone(), what: "read a block", offset, source };
        // The lengths were checked against the limits when the header was decoded, and against the file's length by the scan.
        let stored = usize::try_from(head.stored).unwrap_or(MAX_RAW);
        let raw = usize::try_from(head.raw).unwrap_or(MAX_RAW);
        self.file.seek(SeekFrom::Start(offset + u64::try_from(BLOCK_HEAD).unwrap_or(0))).map_err(io)?;
        self.stored.resize(stored, 0);
        self.file.read_exact(&mut self.stored).map_err(io)?;
        if crc32fast::hash(&self.stored) != head.crc {
            return Ok(Err("checksum of the block does not match".to_owned()));
        }
        self.raw.clear();
        match head.codec {
            Codec::Stored => self.raw.extend_from_slice(&self.stored),
            Codec::Zstd => {
                self.raw.resize(raw, 0);
                match zstd::bulk::decompress_to_buffer(&self.stored, self.raw.as_mut_slice()) {
                    Ok(n) if n == raw => {}
                    Ok(_) => return Ok(Err("the block is shorter than its header says".to_owned())),
                    Err(e) => return Ok(Err(format!("the block does not decompress: {e}"))),
                }
            }
        }
        (self.at, self.left, self.previous, self.seq, self.offset) = (0, head.count, Stamp::default(), head.seq, offset);
        Ok(Ok(()))
    }

    #[inline]
    fn decode(&mut self) -> Decoded {
        let Some((entry, code)) = self.entry() else { return Decoded::Misfit };
        let (feed, what) = match code {
            MARK_DOWN.. => (code - MARK_DOWN, What::Mark(Some(FeedId(code - MARK_DOWN)), Epoch::Down)),
            MARK_UP.. => (code - MARK_UP, What::Mark(Some(FeedId(code - MARK_UP)), Epoch::Up)),
            feed => (feed, What::Frame(FeedId(feed))),
        };
        (self.at, self.previous) = (entry.end, entry.stamp);
        self.left -= 1;
        self.seq += 1;
        if usize::from(feed) < self.feeds.len() {
            return Decoded::Entry(Current { what, ..entry });
        }
        if usize::from(feed) < MAX_FEEDS { Decoded::Nameless(feed, entry.end - entry.begin) } else { Decoded::Misfit }
    }

    /// The entry at the place, and its feed number with what is added to it.
    #[inline]
    fn entry(&self) -> Option<(Current, u16)> {
        let mut at = self.at;
        let code = u16::try_from(varint::get(&self.raw, &mut at)?).ok()?;
        let wall = self.previous.wall.nanos().wrapping_add(varint::get_signed(&self.raw, &mut at)?);
        let mono = self.previous.mono_ns.wrapping_add(varint::get_signed(&self.raw, &mut at)?.cast_unsigned());
        let len = usize::try_from(varint::get(&self.raw, &mut at)?).ok()?;
        let end = at.checked_add(len).filter(|end| *end <= self.raw.len())?;
        let stamp = Stamp { wall: Ts::from_nanos(wall), mono_ns: mono };
        Some((Current { stamp, what: What::Mark(None, Epoch::Damage), seq: self.seq, begin: at, end }, code))
    }

    /// Goes to the first entry in file order whose wall time is at or after `at`: the next [`Reader::next`] gives it. Whole blocks before
    /// it are passed by their headers.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn seek(&mut self, at: Ts) -> Result<(), RecordingError> {
        let found = self.index.blocks.iter().position(|b| match b {
            Found::Frames { head, .. } => head.last >= at,
            Found::Bad { .. } => true,
        });
        (self.next_block, self.left, self.current) = (found.unwrap_or(self.index.blocks.len()), 0, None);
        (self.held, self.broken) = (None, false);
        while self.step()? {
            if self.current.is_some_and(|c| c.stamp.wall >= at) {
                self.held = self.current.take();
                break;
            }
        }
        self.broken = false;
        Ok(())
    }
}
