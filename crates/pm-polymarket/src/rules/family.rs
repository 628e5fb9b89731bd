//! Which family a slug belongs to, and what it is about.

use core::fmt;

/// Family of a market. The label is what `Market.family` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Five-minute window.
    UpDown5m,
    /// Fifteen-minute window.
    UpDown15m,
    /// Four-hour window.
    UpDown4h,
    /// One-hour candle.
    UpDown1h,
    /// Noon to noon.
    UpDownDaily,
    /// Strike at an hour.
    AboveHourly,
    /// Strike at noon.
    AboveDaily,
    /// Price bracket.
    RangeDaily,
    /// Touch of a barrier.
    Touch,
    /// Anything else.
    Other,
}

impl Family {
    /// Label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpDown5m => "updown-5m",
            Self::UpDown15m => "updown-15m",
            Self::UpDown4h => "updown-4h",
            Self::UpDown1h => "updown-1h",
            Self::UpDownDaily => "updown-daily",
            Self::AboveHourly => "above-hourly",
            Self::AboveDaily => "above-daily",
            Self::RangeDaily => "range-daily",
            Self::Touch => "touch",
            Self::Other => "other",
        }
    }
    /// True for the crypto Up/Down families, whose marketable orders are held (venues/polymarket.md 0.5).
    #[must_use]
    pub const fn is_up_down(self) -> bool {
        matches!(self, Self::UpDown5m | Self::UpDown15m | Self::UpDown4h | Self::UpDown1h | Self::UpDownDaily)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Symbol and the names it goes by in slugs.
const ASSETS: [(&str, &[&str]); 7] = [
    ("BTC", &["btc", "bitcoin"]),
    ("ETH", &["eth", "ethereum"]),
    ("SOL", &["sol", "solana"]),
    ("XRP", &["xrp"]),
    ("DOGE", &["doge", "dogecoin"]),
    ("BNB", &["bnb"]),
    ("HYPE", &["hype", "hyperliquid"]),
];

/// All symbols.
pub(super) fn symbols() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|(symbol, _)| *symbol)
}

/// Symbol of a name (`bitcoin`, `btc`).
pub(super) fn symbol(name: &str) -> Option<&'static str> {
    ASSETS.iter().find(|(_, names)| names.contains(&name)).map(|(symbol, _)| *symbol)
}

/// A rolling window as its slug states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Length in seconds.
    pub(super) secs: i64,
    /// Name of the length, as in `cryptoMarketConfig.duration`.
    pub(super) name: &'static str,
    /// Begin, seconds since the epoch.
    pub(super) start: i64,
}

/// What a slug says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) family: Family,
    pub(super) symbol: Option<&'static str>,
    pub(super) window: Option<Window>,
}

fn window(length: &str, start: &str) -> Option<(Family, Window)> {
    let (family, secs, name) = match length {
        "5m" => (Family::UpDown5m, 300, "5m"),
        "15m" => (Family::UpDown15m, 900, "15m"),
        "4h" => (Family::UpDown4h, 14_400, "4h"),
        _ => return None,
    };
    let start = start.parse().ok().filter(|s| (1_500_000_000..5_000_000_000).contains(s))?;
    Some((family, Window { secs, name, start }))
}

/// Reads a slug. The rules text tells noon strikes from hourly ones.
pub(super) fn classify(slug: &str, text: &str) -> Shape {
    let parts: Vec<&str> = slug.split('-').collect();
    let first = parts.first().copied().and_then(symbol);
    let plain = |family| Shape { family, symbol: first, window: None };
    if first.is_some() {
        match parts.get(1..).unwrap_or_default() {
            ["updown", length, start] | ["up", "or", "down", length, start] if window(length, start).is_some() => {
                if let Some((family, window)) = window(length, start) {
                    return Shape { family, symbol: first, window: Some(window) };
                }
            }
            ["up", "or", "down", "on", ..] => return plain(Family::UpDownDaily),
            ["up", "or", "down", .., hour, "et"] if super::words::clock(hour).is_some() => return plain(Family::UpDown1h),
            ["above", ..] | ["multistrike", ..] => {
                let noon = text.contains("12:00 in the et timezone (noon)");
                return plain(if noon { Family::AboveDaily } else { Family::AboveHourly });
            }
            _ => {}
        }
    }
    let about = parts.iter().copied().find_map(symbol);
    let family = match () {
        () if about.is_none() => Family::Other,
        () if slug.starts_with("will-the-price-of-")
            && ["-between-", "-greater-than-", "-less-than-"].iter().any(|w| slug.contains(w)) =>
        {
            Family::RangeDaily
        }
        () if slug.starts_with("what-price-will-") => Family::Touch,
        () if slug.starts_with("will-")
            && ["-dip-to-", "-reach-", "-hit-"].iter().any(|w| slug.contains(w))
            && text.contains("binance") =>
        {
            Family::Touch
        }
        () => Family::Other,
    };
    Shape { family, symbol: about, window: None }
}
