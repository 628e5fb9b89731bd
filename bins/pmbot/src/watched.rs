//! Which feeds are alive: a source that notes when each feed last spoke.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pm_core::time::Ts;
use pm_execution::source::{FrameSource, Input, SourceError};

/// A feed that spoke within this time is fresh, however often it usually speaks.
const ALWAYS_FRESH: i64 = 10_000_000_000;
/// Beyond it, a feed is fresh for this many of its usual pauses: lists of markets come seldom.
const PAUSES: i64 = 3;

#[derive(Debug, Default)]
struct Spoken {
    first: AtomicI64,
    last: AtomicI64,
    frames: AtomicU64,
}

/// When each feed spoke, in market time. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct FeedTimes(Arc<[Spoken]>);

impl FeedTimes {
    pub(crate) fn new(feeds: usize) -> Self {
        Self((0..feeds).map(|_| Spoken::default()).collect())
    }

    fn note(&self, feed: usize, at: Ts) {
        let Some(spoken) = self.0.get(feed) else { return };
        if spoken.frames.fetch_add(1, Ordering::Relaxed) == 0 {
            spoken.first.store(at.nanos(), Ordering::Relaxed);
        }
        spoken.last.store(at.nanos(), Ordering::Relaxed);
    }

    /// Fresh feeds at a time, and all feeds.
    pub(crate) fn fresh(&self, now: Ts) -> (usize, usize) {
        let fresh = |spoken: &&Spoken| {
            let frames = i64::try_from(spoken.frames.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
            let (first, last) = (spoken.first.load(Ordering::Relaxed), spoken.last.load(Ordering::Relaxed));
            let usual = last.saturating_sub(first).checked_div(frames - 1).unwrap_or(0);
            frames > 0 && now.nanos().saturating_sub(last) <= ALWAYS_FRESH.max(usual.saturating_mul(PAUSES))
        };
        (self.0.iter().filter(fresh).count(), self.0.len())
    }
}

/// A source that notes the times.
pub(crate) struct Watched<'a> {
    pub(crate) source: &'a mut dyn FrameSource,
    pub(crate) times: FeedTimes,
}

impl FrameSource for Watched<'_> {
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError> {
        let input = self.source.next()?;
        if let Some(Input::Frame(frame)) = &input {
            self.times.note(usize::from(frame.feed.0), frame.stamp.wall);
        }
        Ok(input)
    }
    fn progress(&self) -> (u64, u64) {
        self.source.progress()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_feed_is_not_fresh_and_a_seldom_one_is() {
        let times = FeedTimes::new(3);
        for second in 0..=100 {
            times.note(0, Ts::from_secs(second));
            if second <= 60 {
                times.note(1, Ts::from_secs(second));
            }
            if second % 30 == 0 {
                times.note(2, Ts::from_secs(second));
            }
        }
        assert_eq!(times.fresh(Ts::from_secs(65)), (3, 3));
        assert_eq!(times.fresh(Ts::from_secs(105)), (2, 3), "the second one fell silent");
        assert_eq!(FeedTimes::new(2).fresh(Ts::from_secs(1)), (0, 2), "nobody spoke yet");
    }
}
