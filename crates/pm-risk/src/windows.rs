//! Rolling windows behind two triggers: failed executions, and latency per endpoint. Both are bounded.

use std::collections::{BTreeMap, VecDeque};

use pm_core::event::Endpoint;
use pm_core::ids::VenueId;
use pm_core::time::{Dur, Ts};

/// Times of the last failed executions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures {
    times: VecDeque<Ts>,
}

impl Failures {
    /// Counts one and gives how many lie within `window` before `now` (one exactly `window` ago is within). No more than `most + 1` are kept.
    pub(crate) fn add(&mut self, now: Ts, window: Dur, most: u32) -> u32 {
        self.times.push_back(now);
        while self.times.front().is_some_and(|t| now.since(*t) > window) {
            self.times.pop_front();
        }
        let keep = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1);
        while self.times.len() > keep {
            self.times.pop_front();
        }
        u32::try_from(self.times.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
    }
}

/// How a latency window is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LatencyRule {
    pub(crate) limit: Dur,
    pub(crate) min_samples: u32,
    pub(crate) window: u32,
    pub(crate) max_age: Dur,
}

/// For each endpoint, whether its last requests were late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies {
    samples: BTreeMap<(VenueId, Endpoint), VecDeque<(Ts, bool)>>,
}

impl Latencies {
    /// Adds a sample. Gives (late, all) when the endpoint is too late: at least `min_samples` of the last `window`, none older than
    /// `max_age`, and more than half of them above the limit, which is the median above the limit. One sample never says anything.
    ///
    /// A request without an answer counts as late once it took the limit (a client that gives up at the limit never sees more), and not
    /// at all when it failed sooner: a refused connection is an outage, not latency.
    pub(crate) fn add(
        &mut self,
        now: Ts,
        key: (VenueId, Endpoint),
        took: Dur,
        ok: bool,
        rule: &LatencyRule,
    ) -> Option<(usize, usize)> {
        if !ok && took < rule.limit {
            return None;
        }
        let late = !ok || took > rule.limit;
        let samples = self.samples.entry(key).or_default();
        samples.push_back((now, late));
        let keep = usize::try_from(rule.window).unwrap_or(usize::MAX).max(1);
        while samples.len() > keep || samples.front().is_some_and(|(t, _)| now.since(*t) > rule.max_age) {
            samples.pop_front();
        }
        let (late, all) = (samples.iter().filter(|(_, late)| *late).count(), samples.len());
        let enough = u32::try_from(all).unwrap_or(u32::MAX) >= rule.min_samples.max(2);
        (enough && late * 2 > all).then_some((late, all))
    }

    pub(crate) fn clear(&mut self) {
        self.samples.clear();
    }
}
