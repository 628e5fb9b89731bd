//! Several recordings as one stream of frames ordered by receive time.

use std::path::{Path, PathBuf};

use pm_core::ids::FeedId;
use pm_core::time::Ts;

use super::{FeedInfo, Reader, RecordedFrame, RecordingError, Skipped, Tail};

/// Frames of all files, ordered by (wall time, order of the files, order in the file). Inside a file the order is the file's own: where its
/// clock went back, frames keep their order and are counted.
#[derive(Debug)]
pub struct Replay {
    files: Vec<Source>,
    feeds: Vec<FeedInfo>,
    last: Option<usize>,
    backwards: u64,
}

#[derive(Debug)]
struct Source {
    reader: Reader,
    /// Feed ids of the file to those of the replay.
    feeds: Vec<FeedId>,
    /// Latest wall time so far: the key of the merge.
    key: Ts,
    live: bool,
}

impl Replay {
    /// Opens files; their feeds with equal descriptions become one feed.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open(paths: &[PathBuf]) -> Result<Self, RecordingError> {
        Self::with(paths, Reader::open)
    }

    /// As [`Replay::open`], passing over damage.
    ///
    /// # Errors
    /// As [`Reader::open_lenient`].
    pub fn open_lenient(paths: &[PathBuf]) -> Result<Self, RecordingError> {
        Self::with(paths, Reader::open_lenient)
    }

    fn with(paths: &[PathBuf], open: fn(&Path) -> Result<Reader, RecordingError>) -> Result<Self, RecordingError> {
        let mut feeds: Vec<FeedInfo> = Vec::new();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let reader = open(path)?;
            let mut ids = Vec::with_capacity(reader.feeds().len());
            for info in reader.feeds() {
                let at = feeds.iter().position(|f| f == info).unwrap_or(feeds.len());
                if at == feeds.len() {
                    feeds.push(info.clone());
                }
                ids.push(FeedId(u16::try_from(at).map_err(|_| RecordingError::TooManyFeeds)?));
            }
            files.push(Source { reader, feeds: ids, key: Ts::from_nanos(i64::MIN), live: true });
        }
        let mut replay = Self { files, feeds, last: None, backwards: 0 };
        for at in 0..replay.files.len() {
            replay.step(at)?;
        }
        replay.backwards = 0;
        Ok(replay)
    }

    /// The merged feed table.
    #[must_use]
    pub fn feeds(&self) -> &[FeedInfo] {
        &self.feeds
    }
    /// Frames whose wall time is before that of an earlier frame of their file.
    #[must_use]
    pub const fn backwards(&self) -> u64 {
        self.backwards
    }
    /// How each file ends.
    pub fn tails(&self) -> impl Iterator<Item = (&Path, Tail)> {
        self.files.iter().map(|f| (f.reader.path(), f.reader.tail()))
    }
    /// Damage passed over so far.
    pub fn skipped(&self) -> impl Iterator<Item = (&Path, &Skipped)> {
        self.files.iter().flat_map(|f| f.reader.skipped().iter().map(|s| (f.reader.path(), s)))
    }
    /// Bytes behind us and bytes in all.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        self.files
            .iter()
            .map(|f| if f.live { f.reader.progress() } else { (f.reader.progress().1, f.reader.progress().1) })
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }
    /// Frames of all files by their block headers.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.files.iter().map(|f| f.reader.frames()).sum()
    }
    /// Earliest and latest wall time by the block headers; `None` without frames.
    #[must_use]
    pub fn span(&self) -> Option<(Ts, Ts)> {
        self.files.iter().filter_map(|f| f.reader.span()).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn step(&mut self, at: usize) -> Result<(), RecordingError> {
        let Some(file) = self.files.get_mut(at) else { return Ok(()) };
        file.live = file.reader.advance()?;
        if let Some(frame) = file.reader.current() {
            if frame.stamp.wall < file.key {
                self.backwards += 1;
            }
            file.key = file.key.max(frame.stamp.wall);
        }
        Ok(())
    }

    /// Goes to the first frame of each file at or after `at`.
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub fn seek(&mut self, at: Ts) -> Result<(), RecordingError> {
        self.last = None;
        for i in 0..self.files.len() {
            if let Some(file) = self.files.get_mut(i) {
                file.reader.seek(at)?;
                file.key = Ts::from_nanos(i64::MIN);
            }
            self.step(i)?;
        }
        Ok(())
    }

    /// The next frame; `None` when all files have ended.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[allow(clippy::should_implement_trait, reason = "frames are lent, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<RecordedFrame<'_>>, RecordingError> {
        if let Some(last) = self.last.take() {
            self.step(last)?;
        }
        let best = self.files.iter().enumerate().filter(|(_, f)| f.live).min_by_key(|(i, f)| (f.key, *i)).map(|(i, _)| i);
        let Some(file) = best.and_then(|i| self.files.get(i)) else { return Ok(None) };
        self.last = best;
        let Some(frame) = file.reader.current() else { return Ok(None) };
        // The reader refuses frames of feeds that are not in its table.
        let feed = file.feeds.get(usize::from(frame.feed.0)).copied().unwrap_or_default();
        Ok(Some(RecordedFrame { feed, ..frame }))
    }
}
