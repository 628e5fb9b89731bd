//! Sources of frames for the driver: the simulated market and recordings.

use pm_core::ids::FeedId;
use pm_core::time::Stamp;
use pm_execution::source::{Frame, FrameSource, SourceError};

/// The simulated market.
pub(crate) struct SimSource {
    pub(crate) sim: pm_sim::Simulator,
    /// Windows to run for, for the progress bar; 0 = open end.
    pub(crate) windows: u64,
}

impl FrameSource for SimSource {
    fn next(&mut self) -> Result<Option<Frame<'_>>, SourceError> {
        Ok(self.sim.next().map(|f| {
            let mono_ns = u64::try_from(f.at.nanos()).unwrap_or(0);
            Frame {
                stamp: Stamp { wall: f.at, mono_ns },
                feed: FeedId(u16::try_from(f.feed).unwrap_or(u16::MAX)),
                bytes: f.bytes,
            }
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
    fn next(&mut self) -> Result<Option<Frame<'_>>, SourceError> {
        match self.replay.next() {
            Ok(Some(f)) => Ok(Some(Frame { stamp: f.stamp, feed: f.feed, bytes: f.bytes })),
            Ok(None) => Ok(None),
            Err(e) => Err(SourceError::Corrupt(e.to_string())),
        }
    }
    fn progress(&self) -> (u64, u64) {
        self.replay.progress()
    }
}
