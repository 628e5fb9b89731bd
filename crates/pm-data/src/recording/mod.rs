//! The `.pmrec` format: raw frames as they came, with receive time and feed. A recording is what a user keeps and what every later
//! question is answered from, so it is append-only, checksummed, and readable to the last whole block after a crash.
//!
//! Byte layout: `FORMAT.md` in this crate. In short: a 32-byte file header, then blocks. A block is a 52-byte header with its own CRC32
//! and a payload with another one. *Feed blocks* add feeds to the file's feed table; *frame blocks* hold up to 256 KiB of frames,
//! zstd-compressed; an *end block* says that the file was closed in order.
//!
//! What a crash can lose: the block that was being filled, at most [`WriterSettings::max_raw`] bytes (or one larger frame) and, when
//! [`Writer::tick`] is called, frames of at most [`WriterSettings::max_age`]. Without ticks age is looked at only when a frame comes. A
//! caller that wants less calls [`Writer::flush`]. A crash of the machine can also lose what the operating system had not written;
//! [`FileWriter::sync`] waits for the disk.
//!
//! Frames alone do not say where a connection ended: a change that comes after a pause continues its book, a change of another connection
//! does not. So the writer is told ([`Writer::epoch`]), and the reader gives [`Entry::Epoch`] at these places, and wherever else what
//! follows does not continue what was before: at a change of the file, behind damage, after a jump to another time.

mod block;
mod reader;
mod replay;
mod scan;
mod varint;
mod writer;

use std::path::PathBuf;

use pm_core::ids::FeedId;
use pm_core::time::Stamp;
use pm_core::units::Ratio;
use serde::{Deserialize, Serialize};

pub use reader::{Reader, Skipped, Tail};
pub use replay::Replay;
pub use writer::{FileWriter, Writer, WriterSettings};

/// Version of the format that this program writes and reads.
pub const VERSION: u16 = 1;
/// Largest frame that is stored, in bytes.
pub const MAX_FRAME: usize = 32 << 20;
/// Largest uncompressed block, in bytes: one largest frame with its head.
pub const MAX_RAW: usize = MAX_FRAME + 64;
/// Largest number of feeds in a file.
pub const MAX_FEEDS: usize = 4_096;
/// Added to a feed's number in an entry that says that the feed came up.
const MARK_UP: u16 = 4_096;
/// Added to a feed's number in an entry that says that the feed went down.
const MARK_DOWN: u16 = 8_192;

/// A source that stands in for another one: its values are near, not equal. What is priced with it must be widened by `basis_sd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// Source that is there, by catalog name.
    pub source: String,
    /// Source that settles, by catalog name.
    pub instead_of: String,
    /// Standard deviation of the difference that matters for settlement, as a fraction of price. Its square is the basis variance.
    pub basis_sd: Ratio,
    /// Where the figure comes from.
    pub why: String,
}

/// One entry of a recording's feed table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedInfo {
    /// Name, e.g. `bybit.linear`; decides which decoder reads the frames.
    pub name: String,
    /// Free text: where the frames come from.
    #[serde(default)]
    pub origin: String,
    /// True for normalised records that an importer made; they are never a venue's own frames.
    #[serde(default)]
    pub derived: bool,
    /// True when the origin read the venue at intervals instead of on each change.
    #[serde(default)]
    pub sampled: bool,
    /// Statement of the mapping that made the frames, with its digest; empty for captured feeds.
    #[serde(default)]
    pub mapping: String,
    /// References that stand in for the source that really settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<StandIn>,
}

impl FeedInfo {
    /// A captured feed without further remarks.
    #[must_use]
    pub fn named(name: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { name: name.into(), origin: origin.into(), ..Self::default() }
    }
}

/// A frame of a recording, lent by the reader until its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedFrame<'a> {
    /// Receive time.
    pub stamp: Stamp,
    /// Feed: index into [`Reader::feeds`] or [`Replay::feeds`].
    pub feed: FeedId,
    /// Number of the entry in its file, from 0.
    pub seq: u64,
    /// The frame as it came.
    pub bytes: &'a [u8],
}

/// Why what follows does not continue what was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Epoch {
    /// Recorded: a connection begins.
    Up,
    /// Recorded: the connection was lost.
    Down,
    /// The feed goes on in another file.
    FileChanged,
    /// A lenient reader passed over damage.
    Damage,
    /// The reader was moved to another time.
    Jumped,
}

impl Epoch {
    /// Name for people and counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::FileChanged => "file_changed",
            Self::Damage => "damage",
            Self::Jumped => "jumped",
        }
    }
}

/// A place where the continuity of a feed ends: its decoder must be reset here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochMark<'a> {
    /// When it was recorded; for a place that the reader found, the time of the entry behind it.
    pub stamp: Stamp,
    /// Feed; `None` = every feed of the file ([`Replay`] gives one mark for each instead).
    pub feed: Option<FeedId>,
    /// What happened.
    pub epoch: Epoch,
    /// The recorder's words; may be empty.
    pub why: &'a str,
}

/// What a recording holds, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A frame.
    Frame(RecordedFrame<'a>),
    /// Continuity ends.
    Epoch(EpochMark<'a>),
}

impl<'a> Entry<'a> {
    /// The frame, if it is one.
    #[must_use]
    pub const fn frame(self) -> Option<RecordedFrame<'a>> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Epoch(_) => None,
        }
    }
    /// Receive time.
    #[must_use]
    pub const fn stamp(self) -> Stamp {
        match self {
            Self::Frame(frame) => frame.stamp,
            Self::Epoch(mark) => mark.stamp,
        }
    }
}

/// Why a recording cannot be read or written. Every reading error names the file and the byte offset.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The operating system refused.
    #[error("{path}: {what} at byte {offset}: {source}", path = path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Place in the file.
        offset: u64,
        /// Reason.
        source: std::io::Error,
    },
    /// The file has no byte at all.
    #[error("{path}: the file is empty, not a recording", path = path.display())]
    Empty {
        /// File.
        path: PathBuf,
    },
    /// The file does not begin like a recording.
    #[error("{path}: not a recording ({why})", path = path.display())]
    NotARecording {
        /// File.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// A recording of another version.
    #[error("{path}: recording of version {found}; this program reads version {VERSION}", path = path.display())]
    Version {
        /// File.
        path: PathBuf,
        /// Version in the file.
        found: u16,
    },
    /// Bytes that were changed after they were written, or were never a block.
    #[error("{path}: corrupt at byte {offset}: {what}", path = path.display())]
    Corrupt {
        /// File.
        path: PathBuf,
        /// Offset of the block.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The sink refused; what was flushed before stays readable.
    #[error("writing the recording failed after {written} bytes: {source}")]
    Write {
        /// Bytes of whole blocks that were written.
        written: u64,
        /// Reason.
        source: std::io::Error,
    },
    /// An earlier write failed; nothing is accepted after it.
    #[error("the recording failed earlier and takes no more frames")]
    Failed,
    /// A frame larger than [`MAX_FRAME`].
    #[error("a frame of {0} bytes is larger than the limit of {MAX_FRAME}")]
    FrameTooLarge(usize),
    /// A frame of a feed that was not added.
    #[error("feed {0} is not in the recording's feed table")]
    UnknownFeed(u16),
    /// More feeds than [`MAX_FEEDS`].
    #[error("more than {MAX_FEEDS} feeds")]
    TooManyFeeds,
}
