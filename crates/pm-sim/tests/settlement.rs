//! Means, candles and resolutions, checked against the frames that they must follow from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{config, each, scaled, text};
use pm_sim::SimConfig;
use serde_json::Value;

fn points(v: &Value) -> Vec<&Value> {
    let p = &v["payload"];
    p["data"].as_array().map_or_else(|| vec![p], |d| d.iter().collect())
}

#[test]
fn mean_channel_is_the_mean_of_the_last_sixty_values() {
    let mut spot: BTreeMap<(String, i64), i128> = BTreeMap::new();
    let mut checked = 0;
    each(config(21, 400), |_, feed, v| {
        if feed != "polymarket.live" {
            return;
        }
        let symbol = text(&v["payload"], "symbol").to_owned();
        for p in points(v) {
            let (at, value) = (p["timestamp"].as_i64().unwrap() / 1_000, scaled(text(p, "full_accuracy_value"), 18));
            let near = p["value"].as_f64().unwrap();
            let exact: f64 = text(p, "full_accuracy_value").parse().unwrap();
            assert!((near - exact).abs() < 1e-7);
            if v["channel"] == "price.crypto" {
                spot.insert((symbol.clone(), at), value);
                continue;
            }
            let sum: Vec<i128> = (at - 59..=at).filter_map(|s| spot.get(&(symbol.clone(), s)).copied()).collect();
            if sum.len() == 60 {
                assert_eq!(value, sum.iter().sum::<i128>() / 60);
                checked += 1;
            }
        }
    });
    assert!(checked > 800, "{checked}");
}

#[test]
fn candles_are_exact_to_the_trades() {
    // (symbol) -> all trades: (ms, price)
    let mut trades: BTreeMap<String, Vec<(i64, i128)>> = BTreeMap::new();
    let mut ids: BTreeMap<String, i64> = BTreeMap::new();
    let mut closed = BTreeSet::new();
    let start = config(22, 0).start.millis();
    each(config(22, 4_000), |_, feed, v| {
        if feed != "binance.spot" {
            return;
        }
        let d = &v["data"];
        let symbol = text(d, "s").to_owned();
        if d["e"] == "trade" {
            let id = d["t"].as_i64().unwrap();
            if let Some(last) = ids.insert(symbol.clone(), id) {
                assert_eq!(id, last + 1);
            }
            trades.entry(symbol).or_default().push((d["T"].as_i64().unwrap(), scaled(text(d, "p"), 8)));
            return;
        }
        let k = &d["k"];
        let (from, to) = (k["t"].as_i64().unwrap(), k["T"].as_i64().unwrap());
        if k["x"] == true {
            assert!(closed.insert((symbol.clone(), text(k, "i").to_owned(), from)), "closed twice");
        }
        if from < start {
            return;
        }
        let inside: Vec<i128> = trades[&symbol].iter().filter(|t| (from..=to).contains(&t.0)).map(|t| t.1).collect();
        let of = |key| scaled(text(k, key), 8);
        assert_eq!(k["n"].as_u64().unwrap(), u64::try_from(inside.len()).unwrap());
        assert_eq!((of("o"), of("c")), (inside[0], *inside.last().unwrap()));
        assert_eq!((of("h"), of("l")), (*inside.iter().max().unwrap(), *inside.iter().min().unwrap()));
    });
    let count = |interval: &str| closed.iter().filter(|c| c.1 == interval).count();
    assert_eq!(count("1m"), 2 * 67, "each minute of each asset closes once");
    assert_eq!(count("1h"), 2);
}

struct Listed {
    slug: String,
    start: i64,
    end: i64,
    strike: Option<i128>,
}

fn seconds(iso: &str) -> i64 {
    // yyyy-mm-ddThh:mm:ssZ in September 2026 only: enough for this test.
    assert!(iso.starts_with("2026-09-") && iso.ends_with('Z'), "{iso}");
    let n = |r: core::ops::Range<usize>| iso[r].parse::<i64>().unwrap();
    1_788_220_800 + (n(8..10) - 1) * 86_400 + n(11..13) * 3_600 + n(14..16) * 60 + n(17..19)
}

/// Three hours with every family: each resolution is worked out again from the oracle's frames and the candles.
#[test]
fn resolutions_follow_from_the_frames() {
    let mut markets: BTreeMap<String, Listed> = BTreeMap::new();
    let mut means: BTreeMap<(String, i64), i128> = BTreeMap::new();
    let mut candles: BTreeMap<(String, i64), (i128, i128)> = BTreeMap::new();
    let mut by_family: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut told: BTreeMap<String, bool> = BTreeMap::new();
    let mut told_by_page: BTreeMap<String, bool> = BTreeMap::new();
    let sim = each(SimConfig { duration_s: Some(3 * 3_600), ..SimConfig::default() }, |at, feed, v| match feed {
        "polymarket.gamma" if v["closed"] == true => {
            let first = text(v, "outcomePrices") == "[\"1\", \"0\"]";
            told_by_page.insert(text(v, "conditionId").to_owned(), first);
            assert_eq!((&v["acceptingOrders"], text(v, "umaResolutionStatus")), (&Value::Bool(false), "resolved"));
        }
        "polymarket.gamma" => {
            let listed = Listed {
                slug: text(v, "slug").to_owned(),
                start: v["eventStartTime"].as_str().map_or(0, seconds),
                end: seconds(text(v, "endDate")),
                strike: v["groupItemTitle"].as_str().map(|s| scaled(&s.replace(',', ""), 8)),
            };
            markets.insert(text(v, "conditionId").to_owned(), listed);
        }
        "polymarket.live" if v["channel"] == "price.crypto.twap" => {
            for p in points(v) {
                let symbol = text(&v["payload"], "symbol").trim_end_matches("usd").to_owned();
                means.insert((symbol, p["timestamp"].as_i64().unwrap() / 1_000), scaled(text(p, "full_accuracy_value"), 18));
            }
        }
        "binance.spot" if v["data"]["k"]["x"] == true => {
            let k = &v["data"]["k"];
            let end = (k["T"].as_i64().unwrap() + 1) / 1_000;
            let interval = text(k, "i");
            candles.insert((format!("{}{interval}", text(k, "s")), end), (scaled(text(k, "o"), 8), scaled(text(k, "c"), 8)));
        }
        "polymarket.market" if v["event_type"] == "market_resolved" => {
            let m = &markets[text(v, "market")];
            let first = v["winning_asset_id"] == v["assets_ids"][0];
            told.insert(text(v, "market").to_owned(), first);
            let asset = m.slug.split('-').next().unwrap();
            let (family, expected, decided) = if m.slug.contains("-updown-") {
                let of = |s| means[&(asset.to_owned(), s)];
                (if m.slug.contains("-5m-") { "5m" } else { "15m" }, of(m.end) >= of(m.start), m.end)
            } else if m.slug.contains("-up-or-down-") {
                let (open, close) = candles[&("BTCUSDT1h".to_owned(), m.end)];
                ("1h", close >= open, m.end)
            } else if m.slug.ends_with("-et") {
                ("above-hourly", candles[&("BTCUSDT1h".to_owned(), m.end)].1 > m.strike.unwrap(), m.end)
            } else {
                let symbol = if asset == "ethereum" { "ETHUSDT1m" } else { "BTCUSDT1m" };
                ("above-daily", candles[&(symbol.to_owned(), m.end + 60)].1 > m.strike.unwrap(), m.end + 60)
            };
            assert_eq!(first, expected, "{}", m.slug);
            let label = text(v, "winning_outcome");
            assert_eq!(
                label,
                if m.strike.is_some() {
                    if first { "Yes" } else { "No" }
                } else if first {
                    "Up"
                } else {
                    "Down"
                }
            );
            let delay = at / 1_000_000_000 - decided;
            assert!((53..=153).contains(&delay), "{delay}");
            let seen = by_family.entry(family).or_default();
            seen.0 += u32::from(first);
            seen.1 += 1;
        }
        _ => {}
    });
    // Cadence: 13:30 to 16:30 UTC, resolved at most 153 s after the end.
    assert_eq!(by_family["5m"].1, 2 * 35);
    assert_eq!(by_family["15m"].1, 2 * 11);
    assert_eq!(by_family["1h"].1, 3);
    assert_eq!(by_family["above-hourly"].1, 3 * 7);
    assert_eq!(by_family["above-daily"].1, 2 * 5);
    assert_eq!(told_by_page, told);
    assert_eq!(sim.windows_resolved(), 70 + 22 + 3 + 3 + 2);
    assert!((15..56).contains(&by_family["5m"].0), "both outcomes happen");
}
