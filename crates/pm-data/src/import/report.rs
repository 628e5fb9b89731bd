//! What an import did.

use std::collections::BTreeMap;
use std::fmt;

use pm_core::time::Ts;
use serde::Serialize;

/// What an import wrote to one feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FeedReport {
    /// Frames.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// True for records that the importer made.
    pub derived: bool,
    /// True when the origin was read at intervals.
    pub sampled: bool,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImportReport {
    /// Format.
    pub format: String,
    /// Files read.
    pub files: u64,
    /// Rows, lines or list items in, by the file pattern of the mapping.
    pub rows_in: BTreeMap<String, u64>,
    /// Frames out, by feed.
    pub feeds: BTreeMap<String, FeedReport>,
    /// Derived records out, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Rows and records left out, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Files left out, with the reason.
    pub ignored: Vec<(String, String)>,
    /// Places where frames came out of a file in another order than that of their times; they are sorted.
    pub reordered: u64,
    /// First receive time.
    pub first: Option<Ts>,
    /// Last receive time.
    pub last: Option<Ts>,
}

impl ImportReport {
    /// Frames in the recording.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.feeds.values().map(|f| f.frames).sum()
    }
    /// Rows read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_in.values().sum()
    }
    /// Rows and records left out.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
    /// True when the recording holds records that the importer made.
    #[must_use]
    pub fn derived(&self) -> bool {
        self.feeds.values().any(|f| f.derived)
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} files, {} rows in, {} frames out", self.format, self.files, self.rows(), self.frames())?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(f, "  span       {first} .. {last}")?;
        }
        for (name, feed) in &self.feeds {
            let kind = match (feed.derived, feed.sampled) {
                (true, true) => "derived, sampled",
                (true, false) => "derived",
                (false, true) => "raw, sampled",
                (false, false) => "raw",
            };
            writeln!(f, "  feed       {name}: {} frames, {} bytes, {kind}", feed.frames, feed.bytes)?;
        }
        for (files, rows) in &self.rows_in {
            writeln!(f, "  rows in    {files}: {rows}")?;
        }
        for (kind, count) in &self.kinds {
            writeln!(f, "  record     {kind}: {count}")?;
        }
        for (why, count) in &self.dropped {
            writeln!(f, "  dropped    {count}: {why}")?;
        }
        if self.reordered > 0 {
            writeln!(f, "  reordered  at {} places the file was not in time order", self.reordered)?;
        }
        for (file, why) in &self.ignored {
            writeln!(f, "  not read   {file}: {why}")?;
        }
        Ok(())
    }
}
