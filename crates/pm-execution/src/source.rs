//! Where frames come from: a recording, a generator, later sockets.

use pm_core::ids::FeedId;
use pm_core::time::Stamp;

/// One frame with its receive time.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Receive time.
    pub stamp: Stamp,
    /// Feed it belongs to.
    pub feed: FeedId,
    /// Raw bytes.
    pub bytes: &'a [u8],
}

/// The continuity of a feed ends: what comes next does not continue what was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// When.
    pub stamp: Stamp,
    /// Feed whose decoder is to be reset.
    pub feed: FeedId,
    /// True when a connection begins, false when one was lost.
    pub up: bool,
}

/// What a source gives.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// The continuity of a feed ends.
    Epoch(Epoch),
}

impl Input<'_> {
    /// When it was received.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        match self {
            Self::Frame(frame) => frame.stamp,
            Self::Epoch(epoch) => epoch.stamp,
        }
    }
}

/// Why a source ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened or reached.
    #[error("source unavailable: {0}")]
    Unavailable(String),
    /// Its data are corrupt; the text names file and offset.
    #[error("corrupt data: {0}")]
    Corrupt(String),
}

/// Frames in time order, and the places where one does not continue the one before it.
pub trait FrameSource {
    /// What comes next, lent until the next call; `None` at the end.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError>;
    /// Done and total in any unit, for a progress bar; total 0 = unknown.
    fn progress(&self) -> (u64, u64) {
        (0, 0)
    }
}
