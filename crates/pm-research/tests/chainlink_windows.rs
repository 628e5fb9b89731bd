//! Fair value against what happened: every 5-minute Up/Down window of 2026-06-08, settled on the oracle's instantaneous value, priced from
//! the oracle's own ticks as a collector received them, at fixed times before the end.
//!
//! There is no hedge venue in this set. The oracle's ticks stand in for its mid, so the basis is zero by construction and the mid is
//! known only when the tick was received, 1.3 s late in the median: a live hedge mid would be fresher, and would carry a basis. The limit
//! of a hedge mid's age is set to that of the oracle (10 s) for the same reason. There are no books in this set either, so the market's
//! own mid, the baseline to beat, is not here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pm_core::event::ReferenceKind;
use pm_core::ids::{SourceId, UnderlyingId};
use pm_core::market::{Method, Payoff, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::registry::{Catalog, SourceInfo};
use pm_core::time::Ts;
use pm_core::units::{Px, Ratio};
use pm_research::Calibration;
use pm_strategy::{Model, ModelConfig};

const BTC: UnderlyingId = UnderlyingId(0);
const ORACLE: SourceId = SourceId(0);
const HORIZONS: [i64; 6] = [240, 120, 60, 30, 15, 5];
const SET: &str = "../shared/data/pm-btc5m-chainlink-settlement-2026";

/// A tick as it was received.
#[derive(Clone, Copy)]
struct Tick {
    px: Px,
    at: Ts,
    recv: Ts,
}

/// A settled window.
struct Window {
    rule: SettlementRule,
    strike: Option<Px>,
    first_pays: Ratio,
}

/// The set's folder; `None`, and said so, where it is absent.
fn folder(test: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(SET);
    if path.is_dir() {
        return Some(path);
    }
    let line = format!("SKIPPED {test}: ../shared/data absent");
    println!("{line}");
    if let Some(log) = std::env::var_os("PMBOT_SKIP_LOG") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        writeln!(file, "{line}").unwrap();
    }
    None
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    BufReader::new(flate2::read::GzDecoder::new(file)).lines().map(Result::unwrap)
}

/// An oracle value with 18 decimals, cut to 8.
fn oracle_px(text: &str) -> Px {
    let wide: i128 = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    Px::from_raw(i64::try_from(wide / 10_000_000_000).unwrap())
}

/// Ticks in order of receipt.
fn ticks(folder: &Path) -> Vec<Tick> {
    let mut all: Vec<Tick> = lines(&folder.join("BTCUSD-prices-2026-06-08.csv.gz"))
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [at, _, exact, _, recv] = cells[..] else { panic!("{line}") };
            let time = |ms: &str| Ts::from_millis(ms.parse().unwrap());
            Tick { px: oracle_px(exact), at: time(at), recv: time(recv) }
        })
        .collect();
    all.sort_by_key(|t| t.recv);
    all
}

fn windows(folder: &Path) -> Vec<Window> {
    lines(&folder.join("BTC-5m-markets-2026-06-08.jsonl.gz"))
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(&line).unwrap();
            let second = |key: &str| row[key].as_i64().unwrap();
            let start_at = Ts::from_secs(second("start_sec"));
            Window {
                rule: SettlementRule {
                    source: ORACLE,
                    method: Method::Instant,
                    payoff: Payoff::UpDown { start_at, start: StartValue::SameMethod, reference: None },
                    tie: Tie::First,
                    final_at: Ts::from_secs(second("end_sec")),
                    origin: RuleOrigin::Declared,
                },
                strike: row["strike_value"].as_str().map(oracle_px),
                first_pays: row["outcome_prices"][0].as_str().unwrap().parse().unwrap(),
            }
        })
        .collect()
}

fn model() -> Model {
    let catalog = Catalog {
        underlyings: vec![Arc::from("BTC")],
        sources: vec![SourceInfo { name: Arc::from("oracle"), underlying: BTC }],
        ..Catalog::default()
    };
    let defaults = ModelConfig::default();
    Model::new(ModelConfig { max_hedge_age: defaults.max_reference_age, ..defaults }, &catalog)
}

/// What one pass over the day found.
#[derive(Default)]
struct Found {
    calibration: Calibration,
    refused: BTreeMap<(i64, &'static str), u32>,
    /// Windows whose start value was seen, and those of them where the venue's own strike is the same to 8 decimals.
    starts: (u32, u32),
    /// Windows whose start and final values were seen, and those of them where they give the venue's result.
    ends: (u32, u32),
}

fn replay(ticks: &[Tick], windows: &[Window]) -> Found {
    let mut model = model();
    let mut found = Found::default();
    // What is asked, and when: a price per window and horizon, and a minute after the end whether the settlement was seen.
    let mut asks: Vec<(Ts, i64, &Window)> = windows
        .iter()
        .flat_map(|w| HORIZONS.into_iter().chain([-60]).map(move |h| (Ts::from_secs(w.rule.final_at.secs() - h), h, w)))
        .collect();
    asks.sort_by_key(|(now, h, _)| (*now, *h));
    for w in windows {
        model.watch(&w.rule);
    }
    let mut ticks = ticks.iter().peekable();
    for (now, horizon, w) in asks {
        while let Some(t) = ticks.next_if(|t| t.recv <= now) {
            model.on_hedge_mid(BTC, t.px, t.at);
            model.on_reference(ORACLE, ReferenceKind::Spot, t.px, t.at, t.recv);
        }
        if horizon < 0 {
            check_settlement(&model, w, &mut found);
            continue;
        }
        match model.fair(&w.rule, now) {
            Ok(fair) => found.calibration.add_fair(horizon, fair.band, None, w.first_pays),
            Err(refusal) => *found.refused.entry((horizon, refusal.code())).or_default() += 1,
        }
    }
    found
}

fn check_settlement(model: &Model, w: &Window, found: &mut Found) {
    let Some(start) = model.start_value(&w.rule) else { return };
    if let Some(strike) = w.strike {
        found.starts.0 += 1;
        found.starts.1 += u32::from(strike == start);
    }
    if let Some(last) = model.final_value(&w.rule) {
        found.ends.0 += 1;
        found.ends.1 += u32::from((last >= start) == (w.first_pays == Ratio::ONE));
    }
}

#[test]
fn fair_value_on_the_settled_windows_of_8_june() {
    let Some(folder) = folder("fair_value_on_the_settled_windows_of_8_june") else { return };
    let (ticks, windows) = (ticks(&folder), windows(&folder));
    assert_eq!((ticks.len(), windows.len()), (84_558, 292), "as the set's README counts them");
    let found = replay(&ticks, &windows);
    println!("{}", found.calibration.render());
    println!("not priced (seconds left, reason): {:?}", found.refused);
    println!(
        "start values {:?} (seen, equal to the venue's), results {:?} (seen, equal to the venue's)",
        found.starts, found.ends
    );

    let scores = found.calibration.scores();
    assert_eq!(scores.iter().map(|s| s.horizon_s).collect::<Vec<_>>(), HORIZONS);
    for s in &scores {
        assert!(s.n >= 270, "{} s: {} windows priced", s.horizon_s, s.n);
    }
    for pair in scores.windows(2) {
        assert!(
            pair[0].brier > pair[1].brier,
            "{} s: {}, {} s: {}",
            pair[0].horizon_s,
            pair[0].brier,
            pair[1].horizon_s,
            pair[1].brier
        );
    }
    assert_eq!(found.calibration.rejected(), 0);
    // Better than a coin from the first minute on, and nearly decided at the end, though the last ticks seen are 6 s old then.
    assert!(scores[0].brier < 0.25 && scores[5].brier < 0.08, "{} {}", scores[0].brier, scores[5].brier);
    // The rule is read as the venue reads it: to the last digit of the strike, and in every result.
    assert!(found.starts.0 >= 280 && found.starts.0 == found.starts.1, "{:?}", found.starts);
    assert!(found.ends.0 >= 280 && found.ends.0 == found.ends.1, "{:?}", found.ends);
}
