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

/// Frames in time order.
pub trait FrameSource {
    /// The next frame, lent until the next call; `None` at the end.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn next(&mut self) -> Result<Option<Frame<'_>>, SourceError>;
    /// Done and total in any unit, for a progress bar; total 0 = unknown.
    fn progress(&self) -> (u64, u64) {
        (0, 0)
    }
}
