//! Times as data sets write them, to nanoseconds since the epoch: exactly, in integers.

/// Decimal text in units of `10^-digits` of a second short of nanoseconds: `digits` 9 = seconds, 6 = milliseconds, 3 = microseconds,
/// 0 = nanoseconds. Digits past a nanosecond are cut.
pub(super) fn scaled(text: &str, digits: usize) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |t| (true, t));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut value: i64 = whole.parse().ok()?;
    for i in 0..digits {
        let digit = fraction.as_bytes().get(i).map_or(0, |b| i64::from(b - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    Some(if negative { -value } else { value })
}

/// `YYYY-MM-DD`, with an optional `HH:MM[:SS[.fraction]]` behind a space or `T`, with an optional zone (`Z`, `+HH`, `+HH:MM`). No zone: UTC.
pub(super) fn datetime(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let day = date_days(date)?;
    let rest = rest.strip_prefix(['T', ' ']).unwrap_or(rest);
    let cut = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(cut)?;
    let of_day = if time.is_empty() { 0 } else { time_ns(time)? };
    let at = day.checked_mul(86_400_000_000_000)?.checked_add(of_day)?;
    at.checked_sub(zone_ns(zone)?)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn date_days(text: &str) -> Option<i64> {
    let (y, rest) = text.split_once('-')?;
    let (m, d) = rest.split_once('-')?;
    let (y, m, d) = (number(y, 4)?, number(m, 2)?, number(d, 2)?);
    let leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let length = match m {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&d) {
        return None;
    }
    // Days from civil, proleptic Gregorian calendar; March begins the year.
    let (y, mp) = if m > 2 { (y, m - 3) } else { (y - 1, m + 9) };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * mp + 2) / 5 + d - 1;
    Some(era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468)
}

fn time_ns(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (h, m) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = parts.next().map_or(Some(0), |s| scaled(s, 9))?;
    if h > 23 || m > 59 || seconds > 60_000_000_000 || parts.next().is_some() {
        return None;
    }
    Some((h * 3_600 + m * 60) * 1_000_000_000 + seconds)
}

fn zone_ns(text: &str) -> Option<i64> {
    if text.is_empty() || text == "Z" {
        return Some(0);
    }
    let (sign, rest) = if let Some(r) = text.strip_prefix('+') { (1, r) } else { (-1, text.strip_prefix('-')?) };
    let rest = rest.replace(':', "");
    let (h, m) = match rest.len() {
        2 => (number(&rest, 2)?, 0),
        4 => (number(rest.get(..2)?, 2)?, number(rest.get(2..)?, 2)?),
        _ => return None,
    };
    Some(sign * (h * 3_600 + m * 60) * 1_000_000_000)
}

/// A span such as `-1h`, `300s`, `15m`, `250ms`, `7d`.
pub(super) fn span(text: &str) -> Option<i64> {
    let cut = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (count, unit) = text.split_at_checked(cut)?;
    let unit = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    count.strip_prefix('+').unwrap_or(count).parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_core::time::Ts;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        let at = |t: &str| datetime(t).map(|ns| Ts::from_nanos(ns).to_string());
        assert_eq!(at("2026-06-08T00:01:24.497978Z").unwrap(), "2026-06-08T00:01:24.497Z");
        assert_eq!(at("2025-12-25 18:30:52").unwrap(), "2025-12-25T18:30:52.000Z");
        assert_eq!(at("2026-06-08 02:00:00+02").unwrap(), "2026-06-08T00:00:00.000Z");
        assert_eq!(at("2026-06-07T20:00:00-04:00").unwrap(), "2026-06-08T00:00:00.000Z");
        assert_eq!(at("2024-02-29").unwrap(), "2024-02-29T00:00:00.000Z");
        for bad in ["2026-02-29", "2026-13-01", "x", "2026-06-08T25:00:00", "2026-06-08T00:00:00+1", ""] {
            assert_eq!(datetime(bad), None, "{bad}");
        }
        assert_eq!(scaled("1775028136.217", 9), Some(1_775_028_136_217_000_000));
        assert_eq!(scaled("1786310818.2235148", 9), Some(1_786_310_818_223_514_800));
        assert_eq!(scaled("1780876800939", 6), Some(1_780_876_800_939_000_000));
        assert_eq!((scaled("1e3", 9), scaled("", 9)), (None, None));
        assert_eq!((span("-1h"), span("250ms"), span("5")), (Some(-3_600_000_000_000), Some(250_000_000), None));
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "\\PC{0,40}") {
            let _ = (datetime(&text), scaled(&text, 9), span(&text));
        }
        #[test]
        fn agrees_with_the_calendar_of_the_core(s in 0_i64..4_000_000_000) {
            let text = Ts::from_secs(s).to_string();
            prop_assert_eq!(datetime(&text), Some(s * 1_000_000_000));
        }
    }
}
