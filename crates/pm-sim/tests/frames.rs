//! Frames as a stranger reads them: shapes, order, continuity.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{config, each, scaled, text};
use pm_core::time::Ts;
use pm_sim::{AssetConfig, Family, FamilyConfig, MakerKind, Rates, SimConfig, Simulator};
use proptest::prelude::*;

#[test]
fn frames_come_in_time_order_and_markets_before_their_books() {
    let mut last = i64::MIN;
    let mut listed = BTreeSet::new();
    let mut kinds = BTreeMap::new();
    let sim = each(config(3, 1_200), |at, feed, v| {
        assert!(at >= last, "time goes back");
        last = at;
        if feed == "polymarket.gamma" {
            let tokens: Vec<String> = serde_json::from_str(text(v, "clobTokenIds")).unwrap();
            assert!(tokens.iter().all(|t| t.len() == 77 && t.bytes().all(|b| b.is_ascii_digit())));
            assert_eq!(text(v, "conditionId").len(), 66);
            listed.insert(text(v, "conditionId").to_owned());
        }
        if feed == "polymarket.market" {
            for m in v.as_array().unwrap_or(&vec![v.clone()]) {
                assert!(listed.contains(text(m, "market")), "a book before its market");
                *kinds.entry(text(m, "event_type").to_owned()).or_insert(0) += 1;
            }
        }
    });
    assert!(sim.now().nanos() <= last);
    for kind in ["book", "price_change", "last_trade_price", "tick_size_change", "market_resolved"] {
        assert!(kinds.get(kind).is_some_and(|n| *n > 1), "no {kind} in {kinds:?}");
    }
}

#[test]
fn default_rate_is_moderate() {
    let mut frames = 0;
    each(config(4, 1_800), |_, _, _| frames += 1);
    let per_second = f64::from(frames) / 1_800.0;
    assert!((20.0..45.0).contains(&per_second), "{per_second} frames a second");
}

#[test]
fn rate_multiplies() {
    let count = |rate| {
        let mut n = 0;
        each(SimConfig { rate, ..config(4, 300) }, |_, feed, _| n += u32::from(feed == "bybit.linear"));
        f64::from(n)
    };
    let ratio = count(4.0) / count(1.0);
    assert!((3.6..4.4).contains(&ratio), "{ratio}");
}

#[test]
fn duration_ends_the_stream() {
    let mut sim = Simulator::new(config(1, 10)).unwrap();
    let start = sim.now();
    let mut last = start;
    while let Some(f) = sim.next() {
        last = f.at;
    }
    assert!(last.since(start).nanos() < 10_000_000_000 && last.since(start).secs() >= 9);
    assert!(sim.next().is_none());
}

#[test]
fn perpetual_book_is_continuous_uncrossed_and_fifty_deep() {
    type Side = BTreeMap<i128, i128>;
    let mut books: BTreeMap<String, (i64, Side, Side)> = BTreeMap::new();
    let mut deltas = 0;
    let mut first = true;
    each(config(5, 900), |_, feed, v| {
        if feed == "bybit.rest" {
            assert!(first, "the instrument list is the first frame");
            assert_eq!(v["result"]["list"].as_array().unwrap().len(), 2);
        }
        first = false;
        if feed != "bybit.linear" || !text(v, "topic").starts_with("orderbook.50.") {
            return;
        }
        let d = &v["data"];
        let u = d["u"].as_i64().unwrap();
        let entry = books.entry(text(d, "s").to_owned()).or_default();
        if text(v, "type") == "snapshot" {
            *entry = (u, Side::new(), Side::new());
        } else {
            assert_eq!(u, entry.0 + 1);
            entry.0 = u;
            deltas += 1;
        }
        for (key, side) in [("b", &mut entry.1), ("a", &mut entry.2)] {
            for level in d[key].as_array().unwrap() {
                let (px, qty) = (scaled(level[0].as_str().unwrap(), 2), scaled(level[1].as_str().unwrap(), 3));
                if qty == 0 {
                    assert!(side.remove(&px).is_some(), "removed a level that is not there");
                } else {
                    assert_ne!(side.insert(px, qty), Some(qty), "a change that changes nothing");
                }
            }
        }
        assert!(entry.1.last_key_value().unwrap().0 < entry.2.first_key_value().unwrap().0, "crossed");
        assert_eq!((entry.1.len(), entry.2.len()), (50, 50));
    });
    assert!(deltas > 5_000 && books.len() == 2);
}

#[test]
fn oracle_counts_per_channel_and_comes_late() {
    let mut seq: BTreeMap<String, i64> = BTreeMap::new();
    let mut last: BTreeMap<(String, String), i64> = BTreeMap::new();
    each(config(6, 300), |at, feed, v| {
        if feed != "polymarket.live" {
            return;
        }
        let channel = text(v, "channel").to_owned();
        let n = seq.entry(channel.clone()).or_insert(0);
        *n += 1;
        assert_eq!(v["seq"].as_i64(), Some(*n));
        let p = &v["payload"];
        let key = (channel, text(p, "symbol").to_owned());
        if v["snapshot"] == true {
            let data = p["data"].as_array().unwrap();
            assert_eq!(data.len(), 120);
            last.insert(key, data[119]["timestamp"].as_i64().unwrap());
        } else {
            let stamp = p["timestamp"].as_i64().unwrap();
            assert_eq!(last.insert(key, stamp), Some(stamp - 1_000), "one value a second, none left out");
            let delay = at / 1_000_000 - stamp;
            assert!((1_200..1_600).contains(&delay), "{delay} ms");
        }
    });
    assert_eq!(last.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Any allowed setting gives frames: JSON, in time order, on any date (clock changes included), busy or quiet.
    #[test]
    fn any_allowed_configuration_runs(
        seed in any::<u64>(),
        start in 1_600_000_000_i64..4_000_000_000,
        step in prop::sample::select(vec![100_u32, 125, 200, 250, 500, 1_000]),
        makers in prop::sample::select(vec![MakerKind::Typical, MakerKind::Efficient, MakerKind::Careless]),
        price in 50.0_f64..200_000.0,
        volatility in 0.01_f64..5.0,
        jumps in 0.0_f64..100.0,
        rate in 0.01_f64..20.0,
        strikes in 1_u8..12,
        spacing in 1_u32..2_000,
    ) {
        let asset = AssetConfig { symbol: "SOL".to_owned(), price, volatility, jumps_per_day: jumps, jump_sd: 0.05, ..AssetConfig::eth() };
        let family = |family: Family, lead_s| FamilyConfig {
            asset: "SOL".to_owned(),
            family,
            lead_s,
            strikes: if family.is_ladder() { strikes } else { 1 },
            spacing,
        };
        let families = vec![
            family(Family::UpDown5m, 400),
            family(Family::UpDown1h, 60),
            family(Family::AboveHourly, 4_000),
            family(Family::AboveDaily, 90_000),
        ];
        let cfg = SimConfig {
            seed, start: Ts::from_secs(start), duration_s: Some(760), step_ms: step, makers, assets: vec![asset], families,
            rates: Rates::default(), rate,
        };
        let mut last = start * 1_000_000_000;
        let sim = each(cfg, |at, _, _| {
            assert!(at >= last, "time goes back");
            last = at;
        });
        // A window that begins at the latest in 300 s, lasts 300 s and resolves within 152 s.
        prop_assert!(sim.windows_resolved() >= 1);
        for m in sim.truth().markets() {
            prop_assert!((0.0..=1.0).contains(&m.fair), "{m:?}");
        }
    }
}
