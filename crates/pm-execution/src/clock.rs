//! The system's clock and waiting: the only place of the drivers where real time is read.
#![allow(clippy::disallowed_methods, reason = "this is the clock that everybody else takes time from")]

use std::time::{Duration, Instant, SystemTime};

use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::Clock;

/// Wall clock and monotonic clock of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let mono = self.origin.elapsed().as_nanos();
        Stamp { wall: Ts::from_nanos(i64::try_from(wall).unwrap_or(i64::MAX)), mono_ns: u64::try_from(mono).unwrap_or(u64::MAX) }
    }
}

/// How fast market time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the machine can.
    Max,
    /// This many times real time.
    Times(u32),
}

impl Pace {
    /// From `max`, `real` or `<N>x`.
    ///
    /// # Errors
    /// What is allowed, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "max" => Ok(Self::Max),
            "real" => Ok(Self::Times(1)),
            other => {
                other.strip_suffix('x').and_then(|n| n.parse().ok()).filter(|n| *n > 0).map(Self::Times).ok_or_else(|| {
                    format!("{other:?} is not a speed; allowed: max, real, or a whole number with an x, such as 60x")
                })
            }
        }
    }
}

/// Holds market time back to a pace.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    clock: SystemClock,
    begin: Option<(Ts, u64)>,
}

impl Pacer {
    /// A pacer.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, clock: SystemClock::default(), begin: None }
    }

    /// How long to wait until market time `next` may happen; zero when it is due.
    pub fn wait(&mut self, next: Ts) -> Duration {
        let Pace::Times(times) = self.pace else { return Duration::ZERO };
        let now = self.clock.now().mono_ns;
        let (market, mono) = *self.begin.get_or_insert((next, now));
        let ahead = u64::try_from(next.since(market).nanos().max(0)).unwrap_or(0) / u64::from(times);
        Duration::from_nanos((mono + ahead).saturating_sub(now))
    }

    /// Waits, at most a tenth of a second at a time so that a stop is noticed. True when the time has come.
    pub fn pause(&mut self, next: Ts) -> bool {
        let wait = self.wait(next);
        if wait.is_zero() {
            return true;
        }
        std::thread::sleep(wait.min(Duration::from_millis(100)));
        wait <= Duration::from_millis(100)
    }
}

/// Parses a span such as `90s`, `10m`, `2h`, `1d`.
///
/// # Errors
/// What is allowed, for people.
pub fn parse_span(text: &str) -> Result<Dur, String> {
    let wrong = || format!("{text:?} is not a time; write a whole number with s, m, h or d, such as 90s");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).filter(|n| *n > 0).ok_or_else(wrong)?;
    Ok(Dur::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_spans_say_what_is_allowed() {
        assert_eq!(Pace::parse("60x"), Ok(Pace::Times(60)));
        assert_eq!(Pace::parse("real"), Ok(Pace::Times(1)));
        assert!(Pace::parse("fast").unwrap_err().contains("60x"));
        assert!(Pace::parse("0x").is_err());
        assert_eq!(parse_span("90s"), Ok(Dur::from_secs(90)));
        assert_eq!(parse_span("2h"), Ok(Dur::from_secs(7_200)));
        assert!(parse_span("90").unwrap_err().contains("90s"));
        assert!(parse_span("").is_err());
    }
}
