//! Small recordings: the simulated market's frames, captured as a recorder would; and the shared data sets.

use std::path::{Path, PathBuf};

use pm_core::time::Stamp;
use pm_data::recording::{FeedInfo, FileWriter, WriterSettings};

use crate::bot;

/// Records the simulated market for so many seconds.
pub(crate) fn record(path: &Path, seconds: u64) {
    record_parts(seconds, &mut [Part { path: path.to_owned(), until: u64::MAX, keep: &|_, _, _| true }]);
}

/// A file of a recording in several parts.
pub(crate) struct Part<'a> {
    pub(crate) path: PathBuf,
    /// Second of the market at which the next part begins.
    pub(crate) until: u64,
    /// Frames (second, feed, text) that the recorder saw.
    pub(crate) keep: &'a dyn Fn(u64, &str, &str) -> bool,
}

/// Records one stretch of the simulated market into files one behind the other; each names all feeds.
pub(crate) fn record_parts(seconds: u64, parts: &mut [Part<'_>]) {
    let config = pm_sim::SimConfig { seed: 7, duration_s: Some(seconds), ..Default::default() };
    let mut sim = pm_sim::Simulator::new(config).unwrap();
    let names: Vec<String> = sim.feeds().iter().map(|name| (*name).to_owned()).collect();
    let mut writers: Vec<_> = parts
        .iter()
        .map(|part| {
            let mut writer = FileWriter::create(&part.path, WriterSettings::default()).unwrap();
            let feeds: Vec<_> = names.iter().map(|n| writer.add_feed(FeedInfo::named(n, "test")).unwrap()).collect();
            (writer, feeds)
        })
        .collect();
    let mut begin = None;
    while let Some(frame) = sim.next() {
        let begin = *begin.get_or_insert(frame.at);
        let second = u64::try_from(frame.at.since(begin).secs()).unwrap();
        let at = parts.iter().position(|p| second < p.until).unwrap();
        if (parts[at].keep)(second, &names[frame.feed], &String::from_utf8_lossy(frame.bytes)) {
            let mono_ns = u64::try_from(frame.at.nanos()).unwrap();
            let (writer, feeds) = &mut writers[at];
            writer.push(Stamp { wall: frame.at, mono_ns }, feeds[frame.feed], frame.bytes).unwrap();
        }
    }
    for (writer, _) in writers {
        writer.finish().unwrap();
    }
}

/// A folder of the shared data, or `None` after saying so.
pub(crate) fn shared(set: &str, test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    bot::skipped(test, "../shared/data absent");
    None
}
