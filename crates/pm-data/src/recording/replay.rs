//! Several recordings as one stream of frames ordered by receive time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use pm_core::ids::FeedId;
use pm_core::time::{Stamp, Ts};

use super::{Entry, Epoch, EpochMark, FeedInfo, Reader, RecordedFrame, RecordingError, Skipped, Tail};

/// Entries of all files, ordered by (wall time, order of the files, order in the file). Inside a file the order is the file's own: where
/// its clock went back, frames keep their order and are counted.
///
/// A feed that goes on in another file is another connection: an [`Epoch::FileChanged`] comes before its first frame there. Feeds of one
/// name are one stream of their venue, so the mark comes for all of them; files of different feeds may be read side by side without marks.
/// Derived feeds hold whole books and no changes: side by side they do not disturb each other, and the mark comes only when the file
/// before has ended.
#[derive(Debug)]
pub struct Replay {
    files: Vec<Source>,
    feeds: Vec<FeedInfo>,
    /// By feed: the stream that it is of.
    streams: Vec<usize>,
    /// By stream: the file that its last frame came from.
    owners: Vec<Option<usize>>,
    /// Marks that come before the next frame.
    waiting: VecDeque<(Stamp, FeedId, Epoch)>,
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
        let mut replay = Self {
            streams: streams(&feeds),
            owners: vec![None; feeds.len()],
            files,
            feeds,
            waiting: VecDeque::new(),
            last: None,
            backwards: 0,
        };
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
    /// Entries (frames and recorded marks) of all files by their block headers.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.files.iter().map(|f| f.reader.entries()).sum()
    }
    /// Earliest and latest wall time by the block headers; `None` without frames.
    #[must_use]
    pub fn span(&self) -> Option<(Ts, Ts)> {
        self.files.iter().filter_map(|f| f.reader.span()).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn step(&mut self, at: usize) -> Result<(), RecordingError> {
        let Some(file) = self.files.get_mut(at) else { return Ok(()) };
        file.live = file.reader.advance()?;
        if let Some(entry) = file.reader.current() {
            let wall = entry.stamp().wall;
            if wall < file.key && entry.frame().is_some() {
                self.backwards += 1;
            }
            file.key = file.key.max(wall);
        }
        Ok(())
    }

    /// Goes to the first entry of each file at or after `at`. What was read before does not go on there: feeds that had frames get
    /// [`Epoch::Jumped`].
    ///
    /// # Errors
    /// As [`Reader::seek`].
    pub fn seek(&mut self, at: Ts) -> Result<(), RecordingError> {
        self.last = None;
        self.waiting.clear();
        for i in 0..self.files.len() {
            if let Some(file) = self.files.get_mut(i) {
                file.reader.seek(at)?;
                file.key = Ts::from_nanos(i64::MIN);
            }
            self.step(i)?;
        }
        let stamp = self.best().and_then(|i| self.files.get(i)?.reader.current()).map_or_else(Stamp::default, Entry::stamp);
        for stream in 0..self.owners.len() {
            if self.owners.get_mut(stream).and_then(Option::take).is_some() {
                self.mark(stream, stamp, Epoch::Jumped);
            }
        }
        Ok(())
    }

    /// The file whose entry is next.
    fn best(&self) -> Option<usize> {
        self.files.iter().enumerate().filter(|(_, f)| f.live).min_by_key(|(i, f)| (f.key, *i)).map(|(i, _)| i)
    }

    /// Puts a mark for each feed of a stream before the next frame.
    fn mark(&mut self, stream: usize, stamp: Stamp, epoch: Epoch) {
        for (feed, _) in self.streams.iter().enumerate().filter(|(_, s)| **s == stream) {
            if let Ok(feed) = u16::try_from(feed) {
                self.waiting.push_back((stamp, FeedId(feed), epoch));
            }
        }
    }

    /// A file's entry about a feed is next: is it the file of the entry before? Marks that come first are put in the queue.
    fn own(&mut self, file: usize, feed: FeedId, stamp: Stamp) {
        let Some(stream) = self.streams.get(usize::from(feed.0)).copied() else { return };
        let before = self.owners.get_mut(stream).and_then(|o| o.replace(file)).filter(|before| *before != file);
        let Some(before) = before else { return };
        let derived = self.feeds.get(usize::from(feed.0)).is_some_and(|f| f.derived);
        if !derived || self.files.get(before).is_none_or(|f| !f.live) {
            self.mark(stream, stamp, Epoch::FileChanged);
        }
    }

    /// The next entry; `None` when all files have ended.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[allow(clippy::should_implement_trait, reason = "entries are lent, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, RecordingError> {
        loop {
            if let Some((stamp, feed, epoch)) = self.waiting.pop_front() {
                return Ok(Some(Entry::Epoch(EpochMark { stamp, feed: Some(feed), epoch, why: "" })));
            }
            if let Some(last) = self.last.take() {
                self.step(last)?;
            }
            let Some(best) = self.best() else { return Ok(None) };
            let Some(file) = self.files.get(best) else { return Ok(None) };
            let Some(entry) = file.reader.current() else { return Ok(None) };
            let stamp = entry.stamp();
            let feed = match entry {
                Entry::Frame(frame) => Some(frame.feed),
                Entry::Epoch(mark) => mark.feed,
            };
            let Some(feed) = feed else {
                // Damage: every feed of the file.
                for feed in file.feeds.clone() {
                    self.waiting.push_back((stamp, feed, Epoch::Damage));
                }
                self.last = Some(best);
                continue;
            };
            // The reader refuses entries of feeds that are not in its table.
            let feed = file.feeds.get(usize::from(feed.0)).copied().unwrap_or(FeedId(u16::MAX));
            self.own(best, feed, stamp);
            if self.waiting.is_empty() {
                return Ok(self.take(best, feed));
            }
        }
    }

    /// The entry of a file, under the replay's number of its feed.
    fn take(&mut self, best: usize, feed: FeedId) -> Option<Entry<'_>> {
        self.last = Some(best);
        Some(match self.files.get(best)?.reader.current()? {
            Entry::Frame(frame) => Entry::Frame(RecordedFrame { feed, ..frame }),
            Entry::Epoch(mark) => Entry::Epoch(EpochMark { feed: Some(feed), ..mark }),
        })
    }
}

/// Feeds of one name are one stream; a derived feed is one of its own.
fn streams(feeds: &[FeedInfo]) -> Vec<usize> {
    let same = |a: &FeedInfo, b: &FeedInfo| a.name == b.name && !a.derived && !b.derived;
    feeds.iter().enumerate().map(|(i, feed)| feeds.iter().position(|f| same(f, feed)).unwrap_or(i)).collect()
}
