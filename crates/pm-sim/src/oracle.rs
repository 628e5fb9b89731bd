//! The oracle that settles the windows: one value a second, and the mean of the last sixty. Values are formed on the second and published
//! 1.3 s later, spot and mean, on one socket (PolyBolt, venues/polymarket.md 5.6).

use crate::text::Put;

/// Seconds averaged.
pub(crate) const WINDOW: i64 = 60;
/// Seconds of history kept: the first frame of a subscription shows two minutes, and a mean reaches one further back.
const KEPT: usize = 256;
/// Seconds that the first frame shows.
const SHOWN: i64 = 120;

/// Values of one asset.
#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    /// Second of the newest value.
    newest: i64,
    /// Values at scale 1e-8, by second modulo [`KEPT`].
    values: Vec<i64>,
    /// Running totals up to and with each second, likewise.
    totals: Vec<i128>,
}

impl Default for Oracle {
    fn default() -> Self {
        Self { newest: 0, values: vec![0; KEPT], totals: vec![0; KEPT] }
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(i64::try_from(KEPT).unwrap_or(256))).unwrap_or_default()
}

impl Oracle {
    /// Takes the value of `second`, which follows the newest one (or is the first).
    pub(crate) fn record(&mut self, second: i64, value: i64) {
        let before = self.total(self.newest);
        self.newest = second;
        if let (Some(v), Some(t)) = (self.values.get_mut(slot(second)), self.totals.get_mut(slot(second))) {
            *v = value;
            *t = before + i128::from(value);
        }
    }

    fn total(&self, second: i64) -> i128 {
        self.totals.get(slot(second)).copied().unwrap_or_default()
    }

    /// Second of the newest value.
    pub(crate) const fn newest(&self) -> i64 {
        self.newest
    }

    /// Value of a second within the history, scale 1e-8.
    pub(crate) fn value(&self, second: i64) -> i64 {
        self.values.get(slot(second)).copied().unwrap_or_default()
    }

    /// Sum of the values of the seconds `after+1 ..= to`; `to` within the history, at most [`KEPT`] - 1 seconds.
    pub(crate) fn sum(&self, after: i64, to: i64) -> i64 {
        i64::try_from(self.total(to) - self.total(after)).unwrap_or(i64::MAX)
    }

    /// Sum of the sixty values up to and with `second`: sixty times the published mean.
    pub(crate) fn window_sum(&self, second: i64) -> i64 {
        self.sum(second - WINDOW, second)
    }
}

/// Channels of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The value.
    Spot,
    /// The mean.
    Mean,
}

/// The value at full accuracy: 18 decimals, cut. `sum` is sixty values for the mean.
fn full(w: &mut Vec<u8>, channel: Channel, value: i128) {
    let at18 = value * 10_000_000_000 / if channel == Channel::Mean { i128::from(WINDOW) } else { 1 };
    let unit = 1_000_000_000_000_000_000_i128;
    w.int(i64::try_from(at18 / unit).unwrap_or_default()).text(".");
    let fraction = i64::try_from(at18 % unit).unwrap_or_default();
    let begin = w.len();
    // Eighteen digits with leading zeros: "0.", then the digits.
    w.fixed(fraction, 18);
    w.drain(begin..begin + 2);
}

fn point(w: &mut Vec<u8>, oracle: &Oracle, channel: Channel, second: i64) {
    let value = match channel {
        Channel::Spot => oracle.value(second),
        Channel::Mean => oracle.window_sum(second),
    };
    w.text("\"timestamp\":").int(second).text("000,\"value\":");
    let short = if channel == Channel::Mean { value / WINDOW } else { value };
    w.fixed(short, 8).text(",\"full_accuracy_value\":\"");
    full(w, channel, i128::from(value));
    w.text("\"");
}

fn head(w: &mut Vec<u8>, channel: Channel, seq: u64, second: i64) {
    let name = if channel == Channel::Mean { "price.crypto.twap" } else { "price.crypto" };
    w.text("{\"v\":1,\"channel\":\"").text(name).text("\",\"seq\":").int(i64::try_from(seq).unwrap_or(i64::MAX));
    w.text(",\"ts\":").int(second).text("000");
}

fn payload(w: &mut Vec<u8>, channel: Channel, symbol: &str) {
    w.text(",\"payload\":{\"symbol\":\"");
    w.extend(symbol.bytes().map(|b| b.to_ascii_lowercase()));
    w.text("usd\",\"source\":\"chainlink\",");
    if channel == Channel::Mean {
        w.text("\"window_seconds\":60,");
    }
}

/// One value.
pub(crate) fn update(w: &mut Vec<u8>, oracle: &Oracle, symbol: &str, channel: Channel, seq: u64, second: i64) {
    head(w, channel, seq, second);
    payload(w, channel, symbol);
    point(w, oracle, channel, second);
    w.text("}}");
}

/// The first frame of a subscription: the last two minutes.
pub(crate) fn snapshot(w: &mut Vec<u8>, oracle: &Oracle, symbol: &str, channel: Channel, seq: u64, second: i64) {
    head(w, channel, seq, second);
    w.text(",\"snapshot\":true");
    payload(w, channel, symbol);
    w.text("\"data\":[");
    for s in second - SHOWN + 1..=second {
        w.text(if s == second - SHOWN + 1 { "{" } else { ",{" });
        point(w, oracle, channel, s);
        w.text("}");
    }
    w.text("]}}");
}
