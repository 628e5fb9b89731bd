//! Writing recordings. Blocks leave in one write each, so that what is on disk is whole blocks and at most one torn one at the end.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use pm_core::ids::FeedId;
use pm_core::time::{Dur, Stamp, Ts};

use super::block::{self, BLOCK_HEAD, Codec, Head, Kind};
use super::{FeedInfo, MARK_DOWN, MARK_UP, MAX_FEEDS, MAX_FRAME, RecordingError, varint};

/// When a partial block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterSettings {
    /// Uncompressed bytes that close a block, at most [`MAX_FRAME`].
    pub max_raw: usize,
    /// Time between the first frame of a block and the frame, or the [`Writer::tick`], that closes it.
    pub max_age: Dur,
    /// zstd level, 1 (fast) to 19 (small).
    pub level: i32,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self { max_raw: 256 << 10, max_age: Dur::from_secs(1), level: 3 }
    }
}

/// A writer into a file.
pub type FileWriter = Writer<File>;

/// Writes a recording into any sink.
pub struct Writer<W: Write> {
    out: W,
    settings: WriterSettings,
    compressor: zstd::bulk::Compressor<'static>,
    feeds: Vec<FeedInfo>,
    raw: Vec<u8>,
    block: Vec<u8>,
    count: u32,
    first: Ts,
    last: Ts,
    opened: Stamp,
    previous: Stamp,
    seq: u64,
    marks: u64,
    written: u64,
    failed: bool,
}

impl<W: Write> core::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Writer").field("frames", &self.frames()).field("written", &self.written).finish_non_exhaustive()
    }
}

impl FileWriter {
    /// Creates a recording; an existing file is never overwritten.
    ///
    /// # Errors
    /// [`RecordingError::Io`] when the file exists or cannot be made, else as [`Writer::new`].
    pub fn create(path: &Path, settings: WriterSettings) -> Result<Self, RecordingError> {
        let file = File::options().write(true).create_new(true).open(path);
        let file = file.map_err(|source| RecordingError::Io { path: path.into(), what: "create", offset: 0, source })?;
        Self::new(file, settings)
    }

    /// Writes the partial block and waits until the disk has everything.
    ///
    /// # Errors
    /// [`RecordingError::Write`].
    pub fn sync(&mut self) -> Result<(), RecordingError> {
        self.flush()?;
        self.out.sync_data().map_err(|source| RecordingError::Write { written: self.written, source })
    }
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// [`RecordingError::Write`].
    pub fn new(out: W, mut settings: WriterSettings) -> Result<Self, RecordingError> {
        settings.max_raw = settings.max_raw.min(MAX_FRAME);
        let compressor =
            zstd::bulk::Compressor::new(settings.level).map_err(|source| RecordingError::Write { written: 0, source })?;
        let mut writer = Self {
            out,
            settings,
            compressor,
            feeds: Vec::new(),
            raw: Vec::with_capacity(settings.max_raw.saturating_add(4_096)),
            block: Vec::new(),
            count: 0,
            first: Ts::ZERO,
            last: Ts::ZERO,
            opened: Stamp::default(),
            previous: Stamp::default(),
            seq: 0,
            marks: 0,
            written: 0,
            failed: false,
        };
        writer.block.extend_from_slice(&block::file_head());
        writer.emit()?;
        Ok(writer)
    }

    /// Adds a feed; its frames may follow at once.
    ///
    /// # Errors
    /// [`RecordingError::TooManyFeeds`], or as [`Writer::push`].
    pub fn add_feed(&mut self, info: FeedInfo) -> Result<FeedId, RecordingError> {
        if self.feeds.len() >= MAX_FEEDS {
            return Err(RecordingError::TooManyFeeds);
        }
        let id = FeedId(u16::try_from(self.feeds.len()).map_err(|_| RecordingError::TooManyFeeds)?);
        self.flush()?;
        let payload = serde_json::to_vec(&info).map_err(|e| self.write_error(e.into()))?;
        let crc = crc32fast::hash(&payload);
        let head = Head { number: Some(id.0), ..self.head(Kind::Feeds, Codec::Stored, payload.len(), payload.len(), crc)? };
        self.block.clear();
        self.block.extend_from_slice(&head.encode());
        self.block.extend_from_slice(&payload);
        self.emit()?;
        self.feeds.push(info);
        Ok(id)
    }

    /// Appends a frame. Nothing is on disk before the block is full or old, or [`Writer::flush`] is called.
    ///
    /// # Errors
    /// [`RecordingError::UnknownFeed`], [`RecordingError::FrameTooLarge`], [`RecordingError::Write`]; after a failed write
    /// [`RecordingError::Failed`].
    pub fn push(&mut self, stamp: Stamp, feed: FeedId, bytes: &[u8]) -> Result<(), RecordingError> {
        self.entry(stamp, feed, 0, bytes)
    }

    /// Marks that a feed's connection begins (`up`) or was lost: decoders of the recording are reset here, so that no book of one
    /// connection is continued by a change of the next. `why` is for people. A recorder that ends in order writes no mark: the end of the
    /// file is none of the feed's.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub fn epoch(&mut self, stamp: Stamp, feed: FeedId, up: bool, why: &str) -> Result<(), RecordingError> {
        self.entry(stamp, feed, if up { MARK_UP } else { MARK_DOWN }, why.as_bytes())?;
        self.marks += 1;
        Ok(())
    }

    /// Time has passed: writes the partial block when it is old. To be called when no frame comes, too: else a quiet feed's last frames
    /// stay in memory for as long as it is quiet.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn tick(&mut self, now: Stamp) -> Result<(), RecordingError> {
        if self.count > 0 && self.is_old(now) { self.flush() } else { Ok(()) }
    }

    fn entry(&mut self, stamp: Stamp, feed: FeedId, mark: u16, bytes: &[u8]) -> Result<(), RecordingError> {
        if self.failed {
            return Err(RecordingError::Failed);
        }
        if usize::from(feed.0) >= self.feeds.len() {
            return Err(RecordingError::UnknownFeed(feed.0));
        }
        if bytes.len() > MAX_FRAME {
            return Err(RecordingError::FrameTooLarge(bytes.len()));
        }
        if self.count > 0 && self.raw.len().saturating_add(bytes.len()) > self.settings.max_raw {
            self.flush()?;
        }
        if self.count == 0 {
            (self.first, self.last, self.opened, self.previous) = (stamp.wall, stamp.wall, stamp, Stamp::default());
        }
        varint::put(&mut self.raw, u64::from(feed.0) + u64::from(mark));
        varint::put_signed(&mut self.raw, stamp.wall.nanos().wrapping_sub(self.previous.wall.nanos()));
        varint::put_signed(&mut self.raw, stamp.mono_ns.wrapping_sub(self.previous.mono_ns).cast_signed());
        varint::put(&mut self.raw, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.raw.extend_from_slice(bytes);
        self.previous = stamp;
        self.first = self.first.min(stamp.wall);
        self.last = self.last.max(stamp.wall);
        self.count += 1;
        self.seq += 1;
        if self.raw.len() >= self.settings.max_raw || self.is_old(stamp) {
            self.flush()?;
        }
        Ok(())
    }

    /// The wall clock may be set back: the monotonic one tells the age, too.
    fn is_old(&self, now: Stamp) -> bool {
        let mono = i64::try_from(now.mono_ns.saturating_sub(self.opened.mono_ns)).unwrap_or(i64::MAX);
        now.wall.since(self.opened.wall).max(Dur::from_nanos(mono)) >= self.settings.max_age
    }

    /// Writes the partial block, if any. After it, a crash of this process loses nothing of what was pushed.
    ///
    /// # Errors
    /// [`RecordingError::Write`] or [`RecordingError::Failed`].
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        if self.failed {
            return Err(RecordingError::Failed);
        }
        if self.count == 0 {
            return Ok(());
        }
        let bound = zstd::zstd_safe::compress_bound(self.raw.len());
        self.block.clear();
        self.block.resize(BLOCK_HEAD + bound, 0);
        let room = self.block.get_mut(BLOCK_HEAD..).unwrap_or_default();
        let stored = match self.compressor.compress_to_buffer(&self.raw, room) {
            Ok(n) => n,
            Err(e) => return Err(self.write_error(e)),
        };
        self.block.truncate(BLOCK_HEAD + stored);
        let crc = crc32fast::hash(self.block.get(BLOCK_HEAD..).unwrap_or_default());
        let head = self.head(Kind::Frames, Codec::Zstd, stored, self.raw.len(), crc)?.encode();
        if let Some(to) = self.block.get_mut(..BLOCK_HEAD) {
            to.copy_from_slice(&head);
        }
        self.emit()?;
        self.raw.clear();
        self.count = 0;
        Ok(())
    }

    /// Writes the partial block and the end mark, and gives the sink back.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn finish(mut self) -> Result<W, RecordingError> {
        self.flush()?;
        let feeds = u16::try_from(self.feeds.len()).ok();
        let head = Head { number: feeds, ..self.head(Kind::End, Codec::Stored, 0, 0, 0)? };
        self.block.clear();
        self.block.extend_from_slice(&head.encode());
        self.emit()?;
        self.out.flush().map_err(|source| RecordingError::Write { written: self.written, source })?;
        Ok(self.out)
    }

    /// Frames pushed so far.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.seq - self.marks
    }
    /// Bytes of whole blocks written so far.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    fn head(&mut self, kind: Kind, codec: Codec, stored: usize, raw: usize, crc: u32) -> Result<Head, RecordingError> {
        let (Ok(stored), Ok(raw)) = (u32::try_from(stored), u32::try_from(raw)) else {
            return Err(RecordingError::FrameTooLarge(raw));
        };
        let seq = self.seq - u64::from(self.count);
        Ok(Head { kind, codec, number: None, stored, raw, count: self.count, first: self.first, last: self.last, seq, crc })
    }

    fn emit(&mut self) -> Result<(), RecordingError> {
        if self.failed {
            return Err(RecordingError::Failed);
        }
        match self.out.write_all(&self.block) {
            Ok(()) => {
                self.written += u64::try_from(self.block.len()).unwrap_or(0);
                Ok(())
            }
            Err(e) => Err(self.write_error(e)),
        }
    }

    fn write_error(&mut self, source: std::io::Error) -> RecordingError {
        self.failed = true;
        RecordingError::Write { written: self.written, source }
    }
}
