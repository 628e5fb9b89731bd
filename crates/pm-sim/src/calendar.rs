//! Dates on a clock in New York: titles and slugs of the markets are in ET, with daylight saving (venues/polymarket.md 9).

/// Days since the epoch to (year, month, day), proleptic Gregorian.
pub(crate) const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

/// (year, month, day) to days since the epoch.
pub(crate) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Day of the `nth` Sunday of a month.
const fn sunday(year: i64, month: i64, nth: i64) -> i64 {
    let first = days(year, month, 1);
    // 1970-01-01 was a Thursday: day 3 was the first Sunday.
    let to_sunday = (3 - first).rem_euclid(7);
    first + to_sunday + 7 * (nth - 1)
}

/// Seconds to add to UTC for New York. Daylight time runs from the second Sunday of March, 07:00 UTC, to the first Sunday of November,
/// 06:00 UTC.
pub(crate) const fn offset(secs: i64) -> i64 {
    let (year, _, _) = civil(secs.div_euclid(86_400));
    let from = sunday(year, 3, 2) * 86_400 + 7 * 3_600;
    let to = sunday(year, 11, 1) * 86_400 + 6 * 3_600;
    if secs >= from && secs < to { -4 * 3_600 } else { -5 * 3_600 }
}

/// A reading of the clock in New York.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
}

/// What a clock in New York shows at `secs` since the epoch.
pub(crate) const fn local(secs: i64) -> Local {
    let at = secs + offset(secs);
    let (year, month, day) = civil(at.div_euclid(86_400));
    let of_day = at.rem_euclid(86_400);
    Local { year, month, day, hour: of_day / 3_600, minute: of_day / 60 % 60 }
}

/// The first noon in New York strictly after `secs`.
pub(crate) const fn next_noon(secs: i64) -> i64 {
    let mut day = (secs + offset(secs)).div_euclid(86_400);
    loop {
        // The offset of 17:00 UTC is the offset of that day's noon: changes happen in the morning.
        let guess = day * 86_400 + 17 * 3_600;
        let noon = day * 86_400 + 12 * 3_600 - offset(guess);
        if noon > secs {
            return noon;
        }
        day += 1;
    }
}

impl Local {
    /// `September`.
    pub(crate) const fn month_name(self) -> &'static str {
        match self.month {
            1 => "January",
            2 => "February",
            3 => "March",
            4 => "April",
            5 => "May",
            6 => "June",
            7 => "July",
            8 => "August",
            9 => "September",
            10 => "October",
            11 => "November",
            _ => "December",
        }
    }

    /// Hour on a twelve-hour clock and `AM` or `PM`.
    pub(crate) const fn twelve(self) -> (i64, &'static str) {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        (if self.hour % 12 == 0 { 12 } else { self.hour % 12 }, half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(civil(days(2026, 9, 14)), (2026, 9, 14));
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(local(1_780_876_500), Local { year: 2026, month: 6, day: 7, hour: 19, minute: 55 });
    }

    #[test]
    fn clocks_change_in_march_and_november() {
        // 2026: 8 March 07:00 UTC and 1 November 06:00 UTC.
        let march = days(2026, 3, 8) * 86_400 + 7 * 3_600;
        assert_eq!((local(march - 1).hour, local(march).hour), (1, 3));
        let november = days(2026, 11, 1) * 86_400 + 6 * 3_600;
        assert_eq!((local(november - 1).hour, local(november).hour), (1, 1));
    }

    #[test]
    fn noon_is_noon_on_either_clock() {
        for from in [days(2026, 3, 7), days(2026, 3, 8), days(2026, 10, 31), days(2026, 11, 1), days(2026, 7, 1)] {
            let noon = next_noon(from * 86_400 + 20 * 3_600);
            let l = local(noon);
            assert_eq!((l.hour, l.minute), (12, 0));
            assert!(noon > from * 86_400 + 20 * 3_600 && noon <= from * 86_400 + 45 * 3_600);
        }
    }
}
