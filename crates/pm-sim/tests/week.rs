//! A week of rolling windows: markets come and go, nothing piles up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

use pm_sim::{AssetConfig, SimConfig, Simulator};

#[test]
fn live_markets_stay_bounded_over_a_week() {
    let defaults = SimConfig::default();
    let families = defaults.families.iter().filter(|f| f.asset == "BTC").cloned().collect();
    let week = 7 * 86_400;
    let cfg =
        SimConfig { step_ms: 1_000, rate: 0.01, assets: vec![AssetConfig::btc()], families, duration_s: Some(week), ..defaults };
    let mut sim = Simulator::new(cfg).unwrap();
    let (mut most, mut longest, mut frames) = (0, 0, 0_u64);
    let mut day = sim.now().utc_day();
    let mut per_day = Vec::new();
    while let Some(f) = sim.next() {
        frames += 1;
        longest = longest.max(f.bytes.len());
        if f.at.utc_day() != day {
            day = f.at.utc_day();
            per_day.push(most);
            most = 0;
        }
        most = most.max(sim.truth().live_markets());
    }
    assert!(frames > 1_000_000, "{frames}");
    // 5m, 15m and 1h windows and two ladders of each kind at a time.
    assert!(per_day.iter().all(|n| (10..=45).contains(n)), "{per_day:?}");
    assert_eq!(per_day.len(), 7);
    // 2,016 + 672 + 168 windows, 168 + 7 ladders, less what is still to come.
    assert!((3_020..=3_031).contains(&sim.windows_resolved()), "{}", sim.windows_resolved());
    assert!(longest < 32_000, "{longest}");
}
