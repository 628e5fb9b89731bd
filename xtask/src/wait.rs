//! Time for the automation only: stopwatch and short waits. The workspace forbids the clock so that the
//! engine cannot read it; a build tool may.
#![allow(clippy::disallowed_methods, reason = "xtask measures how long build steps take; nothing here reaches the engine")]

use std::time::{Duration, Instant, SystemTime};

/// Measures one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Blocks this thread.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Now, to compare with file times.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// "0.4 s", "2 min 03 s".
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        return format!("{seconds}.{} s", time.subsec_millis() / 100);
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(449)), "0.4 s");
        assert_eq!(human(Duration::from_secs(123)), "2 min 03 s");
    }
}
