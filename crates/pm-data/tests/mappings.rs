//! The mappings that ship with the program: valid, named once, and claiming no more than their rows hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use pm_data::import::{formats, import};
use pm_data::recording::Reader;

/// Frames of a data set's own mapping over small files with the columns of the set.
fn built_in(format: &str, files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out.pmrec"));
    std::fs::create_dir(&data).unwrap();
    for (name, text) in files {
        std::fs::write(data.join(name), text).unwrap();
    }
    import(format, &out, &[data], &mut |_, _| {}).unwrap();
    let mut reader = Reader::open(&out).unwrap();
    let mut lines = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        lines.push(String::from_utf8_lossy(entry.frame().unwrap().bytes).into_owned());
    }
    lines
}

#[test]
fn a_taker_that_was_not_recorded_is_not_claimed() {
    let wallet = "timestamp,trade_side,quantity,price,TargetTime\n2025-12-26 10:34:00,Down,5,0.4,2025-12-26 10:30:00\n";
    let trades = built_in("pm-btc15m-tob-1hz-2025-12", &[("user_data_20251226.csv", wallet)]);
    assert!(trades[0].contains(r#"{"print":{"#) && trades[0].contains(r#""outcome":"second""#), "{trades:?}");
    let api = r#"[{"conditionId":"0x1","slug":"btc-updown-5m-1772136600","title":"t","timestamp":1772136774,"side":"BUY","outcomeIndex":1,"price":0.4,"size":5}]"#;
    let api = built_in("pm-data-api-trades-updown-2026-02-26", &[("all_trades.json", api)]);
    let nyc = "timestamp_sec,side,price,shares_normalized\n1760701204,SELL,0.89,123\n";
    let nyc = built_in("pm-misc-long-dated-orderbook-and-trades-2025-10", &[("nyc_mayor_x_trades_processed.csv", nyc)]);
    let all: Vec<&String> = trades.iter().chain(&api).chain(&nyc).filter(|l| l.contains(r#"{"print""#)).collect();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|l| !l.contains("taker")), "{all:?}");
}

#[test]
fn a_side_that_a_set_does_not_have_is_not_written_as_empty() {
    let ticks =
        "slug,unix_s,seconds_left,leader_side,leader_ask,btc_price\nbtc-updown-5m-1783376400,1783376401,299,DOWN,0.6,65000\n";
    let got = built_in("pm-btc5m-1hz-quote-vs-btc-2026-07", &[("ticks.csv", ticks)]);
    let top = got.iter().find(|l| l.contains(r#"{"top""#)).unwrap();
    assert!(top.contains(r#""outcome":"second""#) && top.contains(r#""bid_unknown":true"#), "{top}");
}

#[test]
fn another_exchange_is_another_venue() {
    let quotes = "ts_s,slug,bid,ask\n1783715100,cpc-btc-x,0.1,0.2\n";
    let got = built_in("pm-us-btc-range-strip-2026-07", &[("quotes.csv", quotes)]);
    assert!(got[0].contains(r#""venue":"polymarket-us""#), "{got:?}");
}

#[test]
fn every_built_in_mapping_is_valid_and_named_once() {
    let names: std::collections::BTreeSet<String> = formats().into_iter().map(|f| f.name).collect();
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings")).unwrap();
    let on_disk = files.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, on_disk);
    assert!(formats().iter().all(|f| !f.shape.is_empty() && !f.description.is_empty()));
}
