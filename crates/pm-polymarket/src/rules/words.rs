//! Reading texts: normal form, dates of titles in New York time, strikes.

use pm_core::time::Ts;
use pm_core::units::Px;

/// Lower case, straight quotes, single blanks.
pub(super) fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = !out.is_empty();
            continue;
        }
        if core::mem::take(&mut blank) {
            out.push(' ');
        }
        match c {
            '\u{201c}' | '\u{201d}' => out.push('"'),
            '\u{2018}' | '\u{2019}' => out.push('\''),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// True when `word` stands in `text` with no letter or digit on either side.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let solid = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        !solid(before.chars().next_back()) && !solid(after.chars().next())
    })
}

/// The number that stands right before any of `units` (`60s`, `60-second`, `60 seconds`), if exactly one such value is named.
pub(super) fn number_before(text: &str, units: &[&str]) -> Option<i64> {
    let mut found = None;
    for unit in units {
        for (at, _) in text.match_indices(unit) {
            let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '-']);
            let digits = before.len() - before.bytes().rev().take_while(u8::is_ascii_digit).count();
            if let Some(value) = before.get(digits..).and_then(|d| d.parse::<i64>().ok()) {
                if found.is_some_and(|f| f != value) {
                    return None;
                }
                found = Some(value);
            }
        }
    }
    found
}

/// A date, and perhaps a time of day, as a title writes it. The year is not part of most titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TitleTime {
    pub(super) month: i8,
    pub(super) day: i8,
    pub(super) year: Option<i16>,
    /// Hour 0..=23 and minute.
    pub(super) clock: Option<(i8, i8)>,
}

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// `6am`, `12pm`, `7:55pm` to hour and minute.
pub(super) fn clock(text: &str) -> Option<(i8, i8)> {
    let (digits, pm) = match text.strip_suffix("pm") {
        Some(digits) => (digits, true),
        None => (text.strip_suffix("am")?, false),
    };
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if !(1..=12).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    Some((hour % 12 + if pm { 12 } else { 0 }, minute))
}

/// Finds `June 4`, `June 4, 2026`, `June 4, 3PM ET`, `September 26 at 4AM ET` in a title.
pub(super) fn title_time(title: &str) -> Option<TitleTime> {
    let title = normal(title);
    let mut words = title.split([' ', ',', '?', '-']).filter(|w| !w.is_empty()).skip_while(|w| !MONTHS.contains(w));
    let month = words.next().and_then(|w| MONTHS.iter().position(|m| *m == w))?;
    let month = i8::try_from(month).ok()? + 1;
    let day = words.next()?.parse().ok().filter(|d| (1..=31).contains(d))?;
    let (mut year, mut time) = (None, None);
    for word in words {
        match word {
            "at" => {}
            w if year.is_none() && w.len() == 4 && w.parse::<i16>().is_ok() => year = w.parse().ok(),
            w => {
                time = clock(w);
                break;
            }
        }
    }
    Some(TitleTime { month, day, year, clock: time })
}

impl TitleTime {
    /// True when `at` reads, on a clock in New York, as this title (venues/polymarket.md 9: titles are in ET, with daylight saving).
    pub(super) fn is_at(self, at: Ts, clock: (i8, i8)) -> bool {
        let Some(local) = new_york(at) else { return false };
        let date = (self.month, self.day) == (local.month(), local.day()) && self.year.is_none_or(|y| y == local.year());
        date && clock == (local.hour(), local.minute()) && local.second() == 0
    }
}

fn new_york(at: Ts) -> Option<jiff::civil::DateTime> {
    let zone = jiff::tz::TimeZone::get("America/New_York").ok()?;
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).ok()?;
    Some(zone.to_datetime(stamp))
}

/// A strike as titles and slugs write it: `64,000`, `$2.30`, `>122k`, `2pt3`, `117pt5k`.
pub(super) fn strike(text: &str) -> Option<Px> {
    let text = text.trim().trim_start_matches(['>', '$', '\u{2191}', ' ']).replace(',', "").replace("pt", ".").to_lowercase();
    let (digits, thousands) = match text.strip_suffix('k') {
        Some(digits) => (digits, true),
        None => (text.as_str(), false),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let px: Px = digits.parse().ok()?;
    let raw = if thousands { px.raw().checked_mul(1_000)? } else { px.raw() };
    (raw > 0).then(|| Px::from_raw(raw))
}

/// The strike of a title: the number after `above`, with or without `$`.
pub(super) fn strike_of_title(title: &str) -> Option<Px> {
    let title = normal(title);
    let rest = title.split_once("above ")?.1;
    strike(rest.split([' ', '?']).next()?.trim_end_matches(['.', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_in_every_spelling() {
        let px = |t: &str| t.parse::<Px>().ok();
        assert_eq!(strike("64,000"), px("64000"));
        assert_eq!(strike(">122k"), px("122000"));
        assert_eq!(strike("2pt3"), px("2.3"));
        assert_eq!(strike("117pt5k"), px("117500"));
        assert_eq!(strike("$2.30"), px("2.3"));
        assert_eq!(strike("___"), None);
        assert_eq!(strike("98,000-100,000"), None);
        assert_eq!(strike_of_title("Will the price of Bitcoin be above $64,000 on March 11?"), px("64000"));
        assert_eq!(strike_of_title("Bitcoin above 64,200 on June 4, 3PM ET?"), px("64200"));
        assert_eq!(strike_of_title("Bitcoin above ___ on June 4?"), None);
    }

    #[test]
    fn titles_carry_dates_and_hours() {
        let t = title_time("Bitcoin Up or Down - September 13, 6AM ET").unwrap();
        assert_eq!((t.month, t.day, t.clock), (9, 13, Some((6, 0))));
        let t = title_time("Will the price of Bitcoin be above $110,000 on September 26 at 4AM ET?").unwrap();
        assert_eq!((t.month, t.day, t.clock), (9, 26, Some((4, 0))));
        let t = title_time("Bitcoin above $64k on June 4, 2026?").unwrap();
        assert_eq!((t.month, t.day, t.year, t.clock), (6, 4, Some(2026), None));
        assert_eq!(clock("12am"), Some((0, 0)));
        assert_eq!(clock("12pm"), Some((12, 0)));
        assert_eq!(clock("13pm"), None);
    }

    #[test]
    fn averaging_windows_in_words() {
        let units = &["s-streams", "-second", " second"];
        assert_eq!(number_before("btc-usd-twap-60s-streams", units), Some(60));
        assert_eq!(number_before("the 30-second twap", units), Some(30));
        assert_eq!(number_before("a 60 second twap over btc-usd-twap-30s-streams", units), None, "two windows are no window");
    }
}
