//! A small recording: the simulated market's frames, captured as a recorder would.

use std::path::Path;

use pm_core::time::Stamp;
use pm_data::recording::{FeedInfo, FileWriter, WriterSettings};

/// Records the simulated market for so many seconds.
pub(crate) fn record(path: &Path, seconds: u64) {
    let config = pm_sim::SimConfig { seed: 7, duration_s: Some(seconds), ..Default::default() };
    let mut sim = pm_sim::Simulator::new(config).unwrap();
    let mut writer = FileWriter::create(path, WriterSettings::default()).unwrap();
    let feeds: Vec<_> = sim.feeds().iter().map(|name| writer.add_feed(FeedInfo::named(*name, "test")).unwrap()).collect();
    while let Some(frame) = sim.next() {
        let mono_ns = u64::try_from(frame.at.nanos()).unwrap();
        writer.push(Stamp { wall: frame.at, mono_ns }, feeds[frame.feed], frame.bytes).unwrap();
    }
    writer.finish().unwrap();
}
