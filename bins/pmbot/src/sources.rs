//! Sources of frames for the driver: the simulated market and recordings.

use pm_core::ids::FeedId;
use pm_core::time::Stamp;
use pm_data::recording::{Entry, Epoch as Recorded};
use pm_execution::source::{Epoch, Frame, FrameSource, Input, SourceError};

/// The simulated market.
pub(crate) struct SimSource {
    pub(crate) sim: pm_sim::Simulator,
    /// Windows to run for, for the progress bar; 0 = open end.
    pub(crate) windows: u64,
}

impl FrameSource for SimSource {
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError> {
        Ok(self.sim.next().map(|f| {
            let mono_ns = u64::try_from(f.at.nanos()).unwrap_or(0);
            Input::Frame(Frame {
                stamp: Stamp { wall: f.at, mono_ns },
                feed: FeedId(u16::try_from(f.feed).unwrap_or(u16::MAX)),
                bytes: f.bytes,
            })
        }))
    }
    fn progress(&self) -> (u64, u64) {
        (self.sim.windows_resolved(), self.windows)
    }
}

/// Recordings, merged by time.
pub(crate) struct ReplaySource {
    pub(crate) replay: pm_data::recording::Replay,
}

impl FrameSource for ReplaySource {
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError> {
        match self.replay.next() {
            Ok(Some(Entry::Frame(f))) => Ok(Some(Input::Frame(Frame { stamp: f.stamp, feed: f.feed, bytes: f.bytes }))),
            Ok(Some(Entry::Epoch(m))) => Ok(Some(Input::Epoch(Epoch {
                stamp: m.stamp,
                // A replay names the feed of each mark; one without is about no feed of ours.
                feed: m.feed.unwrap_or(FeedId(u16::MAX)),
                up: m.epoch != Recorded::Down,
            }))),
            Ok(None) => Ok(None),
            Err(e) => Err(SourceError::Corrupt(e.to_string())),
        }
    }
    fn progress(&self) -> (u64, u64) {
        self.replay.progress()
    }
}
