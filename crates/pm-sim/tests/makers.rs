//! Kinds of makers differ as their table says, and quotes are measured against the true fair value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::config;
use pm_sim::{Family, MakerKind, SimConfig, Simulator};

fn fee(p: f64) -> f64 {
    0.07 * p * (1.0 - p)
}

#[derive(Debug, Default)]
struct Seen {
    error: f64,
    quotes: f64,
    /// Looks at which a taker with perfect knowledge and 300 ms of latency would gain more than half a cent after the fee.
    takeable: f64,
    /// Looks at ladders, and those where two strikes can be taken against each other after both fees.
    ladders: f64,
    disorder: f64,
    depth: f64,
}

fn observe(makers: MakerKind, seed: u64) -> Seen {
    let mut sim = Simulator::new(SimConfig { makers, ..config(seed, 2_400) }).unwrap();
    let mut seen = Seen::default();
    let mut next = sim.now().nanos() + 5_000_000_000;
    // What looked good when it was decided: token -> (buys, price in 0.001).
    let mut wanted: BTreeMap<String, (bool, i32)> = BTreeMap::new();
    let mut arrival = i64::MAX;
    while let Some(f) = sim.next() {
        let now = f.at.nanos();
        if now >= arrival {
            arrival = i64::MAX;
            for m in sim.truth().markets().filter(|m| m.trading) {
                let Some((buys, limit)) = wanted.get(m.tokens[0]) else { continue };
                let px = f64::from(*limit) / 1_000.0;
                let there = if *buys {
                    m.asks.first().is_some_and(|l| l.0 <= *limit)
                } else {
                    m.bids.first().is_some_and(|l| l.0 >= *limit)
                };
                let gain = if *buys { m.fair - px } else { px - m.fair } - fee(px);
                seen.takeable += f64::from(u8::from(there && gain > 0.005));
            }
        }
        if now < next {
            continue;
        }
        next += 2_000_000_000;
        wanted.clear();
        arrival = now + 300_000_000;
        let mut ladder: Vec<(i64, f64, f64)> = Vec::new();
        for m in sim.truth().markets().filter(|m| m.trading) {
            let Some(mid) = m.mid() else { continue };
            let (bid, ask) = (m.bids[0].0, m.asks[0].0);
            seen.error += (mid - m.fair).abs();
            seen.quotes += 1.0;
            seen.depth += f64::from(u32::try_from(m.asks[0].1 / 100).unwrap());
            let (b, a) = (f64::from(bid) / 1_000.0, f64::from(ask) / 1_000.0);
            if m.fair - a - fee(a) > 0.005 {
                wanted.insert(m.tokens[0].to_owned(), (true, ask));
            } else if b - m.fair - fee(b) > 0.005 {
                wanted.insert(m.tokens[0].to_owned(), (false, bid));
            }
            if m.family == Family::AboveHourly && m.final_at.since(sim.now()).secs() < 3_600 {
                ladder.push((m.strike.unwrap(), b, a));
            }
        }
        ladder.sort_by_key(|l| l.0);
        let crossed = ladder
            .iter()
            .enumerate()
            .any(|(i, low)| ladder.iter().skip(i + 1).any(|high| high.1 - fee(high.1) - low.2 - fee(low.2) > 0.0));
        seen.ladders += 1.0;
        seen.disorder += f64::from(u8::from(crossed));
    }
    seen
}

#[test]
fn kinds_differ_in_error_edge_order_and_depth() {
    let kinds = [MakerKind::Efficient, MakerKind::Measured, MakerKind::Typical, MakerKind::Careless];
    let [e, m, t, c] = kinds.map(|k| observe(k, 31));
    let share = |part: f64, whole: f64| part / whole;
    let report = format!("{e:?}\n{m:?}\n{t:?}\n{c:?}");
    println!("{report}");
    let error = |s: &Seen| s.error / s.quotes;
    assert!(error(&e) * 1.5 < error(&t) && error(&t) * 1.5 < error(&c), "{report}");
    assert!(share(e.takeable, e.quotes) < 0.000_5, "efficient makers can be taken: {report}");
    assert!(share(t.takeable, t.quotes) > 0.001, "typical makers cannot be taken: {report}");
    assert!(share(c.takeable, c.quotes) > 0.05, "careless makers cannot be taken: {report}");
    assert!(error(&m) < error(&t), "the measured makers are worse than the typical ones: {report}");
    assert!(share(m.takeable, m.quotes) < share(t.takeable, t.quotes), "{report}");
    assert_eq!(e.disorder, 0.0, "{report}");
    assert!(share(t.disorder, t.ladders) < 0.02, "{report}");
    assert!(share(c.disorder, c.ladders) > 0.03, "{report}");
    assert!(c.depth / c.quotes > 150.0 && t.depth / t.quotes < 200.0, "{report}");
}

/// The truth must be true: over many windows the fair value halfway is the share of "first pays".
#[test]
fn fair_values_are_calibrated_over_many_windows() {
    let mut squares = 0.0;
    let mut bias = 0.0;
    let mut n = 0.0;
    let mut variance = 0.0;
    for seed in 0..6 {
        let cfg = SimConfig { step_ms: 500, rate: 0.2, makers: MakerKind::Efficient, ..config(seed, 6 * 3_600) };
        let mut sim = Simulator::new(cfg).unwrap();
        let market = sim.feeds().iter().position(|f| *f == "polymarket.market").unwrap();
        let mut noted: BTreeMap<String, f64> = BTreeMap::new();
        let mut next = 0;
        while let Some(f) = sim.next() {
            let resolved = (f.feed == market && f.bytes.starts_with(b"{\"event_type\":\"market_resolved\"")).then(|| {
                let v: serde_json::Value = serde_json::from_slice(f.bytes).unwrap();
                (v["market"].as_str().unwrap().to_owned(), v["winning_asset_id"] == v["assets_ids"][0])
            });
            let second = f.at.secs();
            if let Some((market, first)) = resolved
                && let Some(p) = noted.remove(&market)
            {
                let outcome = f64::from(u8::from(first));
                squares += (outcome - p) * (outcome - p);
                variance += p * (1.0 - p);
                bias += outcome - p;
                n += 1.0;
            }
            if second < next {
                continue;
            }
            next = second + 1;
            for m in sim.truth().markets().filter(|m| m.family == Family::UpDown5m) {
                // Ninety seconds before the end.
                if m.final_at.secs() - second == 90 {
                    noted.insert(m.condition.to_owned(), m.fair);
                }
            }
        }
    }
    assert!(n > 700.0);
    // The Brier score of a true probability is its mean variance; both are near 0.1, sampling error about 0.006.
    assert!((squares / n - variance / n).abs() < 0.02, "{} {}", squares / n, variance / n);
    assert!((bias / n).abs() < 0.035, "{}", bias / n);
}
