//! Time as integers. The engine never reads a clock: every `now` comes in with the event.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Ts(i64);

/// A span in nanoseconds; may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Dur(i64);

/// Receive time of a frame: wall clock for ordering and reports, monotonic clock for intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Wall clock.
    pub wall: Ts,
    /// Monotonic nanoseconds since the recorder's start.
    pub mono_ns: u64,
}

impl Ts {
    /// The epoch; also "never".
    pub const ZERO: Self = Self(0);
    /// The far future.
    pub const MAX: Self = Self(i64::MAX);
    /// From nanoseconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }
    /// From milliseconds since the epoch; saturates.
    #[inline]
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }
    /// From seconds since the epoch; saturates.
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }
    /// Nanoseconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// Whole milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }
    /// `self - earlier`.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Self) -> Dur {
        Dur(self.0.saturating_sub(earlier.0))
    }
    /// Days since the epoch (UTC): the key of daily limits.
    #[must_use]
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400_000_000_000)
    }
    /// ISO weeks since Monday 1969-12-29 (UTC): the key of weekly limits.
    #[must_use]
    pub const fn utc_week(self) -> i64 {
        // 1970-01-01 was a Thursday, three days after a Monday.
        (self.utc_day() + 3).div_euclid(7)
    }
}

impl core::ops::Add<Dur> for Ts {
    type Output = Self;
    #[inline]
    fn add(self, d: Dur) -> Self {
        Self(self.0.saturating_add(d.0))
    }
}
impl core::ops::Sub<Dur> for Ts {
    type Output = Self;
    #[inline]
    fn sub(self, d: Dur) -> Self {
        Self(self.0.saturating_sub(d.0))
    }
}

impl Dur {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// From nanoseconds.
    #[must_use]
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }
    /// From milliseconds; saturates.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }
    /// From seconds; saturates.
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }
    /// Nanoseconds.
    #[inline]
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }
}

impl core::ops::Add for Dur {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self(self.0.saturating_add(o.0))
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ts({self})")
    }
}

impl fmt::Display for Ts {
    /// `2026-06-08T00:00:00.123Z`: civil date from days, by the proleptic Gregorian calendar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.utc_day());
        let of_day = self.0.rem_euclid(86_400_000_000_000);
        let (s, ms) = (of_day / 1_000_000_000, of_day / 1_000_000 % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3_600, s / 60 % 60, s % 60)
    }
}

impl fmt::Debug for Dur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dur({} ns)", self.0)
    }
}

/// Days since the epoch to (year, month, day).
const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_in_utc() {
        assert_eq!(Ts::from_millis(1_780_876_800_123).to_string(), "2026-06-08T00:00:00.123Z");
        assert_eq!(Ts::ZERO.to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Ts::from_secs(-1).to_string(), "1969-12-31T23:59:59.000Z");
    }

    #[test]
    fn weeks_start_on_monday() {
        // 2026-06-08 is a Monday.
        let monday = Ts::from_secs(1_780_876_800);
        assert_eq!(monday.utc_week(), (monday - Dur::from_secs(1)).utc_week() + 1);
    }
}
