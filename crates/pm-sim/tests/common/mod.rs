//! What the integration tests share: reading frames as a stranger would, with a plain JSON parser.
#![allow(dead_code)]

use std::collections::BTreeMap;

use pm_sim::{SimConfig, Simulator};
use serde_json::Value;

/// Seconds of a short run.
pub fn config(seed: u64, seconds: u64) -> SimConfig {
    SimConfig { seed, duration_s: Some(seconds), ..SimConfig::default() }
}

/// Calls `f` with arrival (ns), feed name and body of each frame.
pub fn each(cfg: SimConfig, mut f: impl FnMut(i64, &'static str, &Value)) -> Simulator {
    let mut sim = Simulator::new(cfg).unwrap();
    let feeds = sim.feeds().to_vec();
    while let Some(frame) = sim.next() {
        let value: Value = serde_json::from_slice(frame.bytes)
            .unwrap_or_else(|e| panic!("{}: {e}: {}", feeds[frame.feed], String::from_utf8_lossy(frame.bytes)));
        f(frame.at.nanos(), feeds[frame.feed], &value);
    }
    sim
}

/// Text of a field.
pub fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_else(|| panic!("no text {key} in {v}"))
}

/// A decimal text as an integer at `10^digits`; exact or a failure.
pub fn scaled(decimal: &str, digits: usize) -> i128 {
    let (sign, plain) = decimal.strip_prefix('-').map_or((1, decimal), |d| (-1, d));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let fraction = fraction.trim_end_matches('0');
    assert!(fraction.len() <= digits, "{decimal} has more than {digits} decimals");
    let padded = format!("{whole}{fraction:0<digits$}");
    sign * padded.parse::<i128>().unwrap()
}

/// Price of the outcome venue in 0.001.
pub fn mills(decimal: &str) -> i32 {
    i32::try_from(scaled(decimal, 3)).unwrap()
}

/// A book keyed by price, built from frames alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    pub bids: BTreeMap<i32, i128>,
    pub asks: BTreeMap<i32, i128>,
    pub tick: i32,
}

impl Book {
    pub fn snapshot(v: &Value) -> Self {
        let side = |key: &str, ascending: bool| {
            let levels: Vec<(i32, i128)> =
                v[key].as_array().unwrap().iter().map(|l| (mills(text(l, "price")), scaled(text(l, "size"), 2))).collect();
            let sorted = levels.windows(2).all(|w| if ascending { w[0].0 < w[1].0 } else { w[0].0 > w[1].0 });
            assert!(sorted, "best level is not last: {v}");
            levels.into_iter().collect()
        };
        Self { bids: side("bids", true), asks: side("asks", false), tick: mills(text(v, "tick_size")) }
    }
    pub fn set(&mut self, bid: bool, px: i32, qty: i128) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        if qty == 0 {
            assert!(side.remove(&px).is_some(), "removed a level that is not there");
        } else {
            side.insert(px, qty);
        }
    }
    pub fn best(&self) -> (i32, i32) {
        (self.bids.last_key_value().map_or(0, |l| *l.0), self.asks.first_key_value().map_or(1_000, |l| *l.0))
    }
    pub fn mirrored(&self) -> Self {
        let flip = |side: &BTreeMap<i32, i128>| side.iter().map(|(p, q)| (1_000 - p, *q)).collect();
        Self { bids: flip(&self.asks), asks: flip(&self.bids), tick: self.tick }
    }
}

/// FNV-1a over bytes.
pub fn fnv(hash: &mut u64, bytes: &[u8]) {
    for b in bytes {
        *hash = (*hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    }
}
