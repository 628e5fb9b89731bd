//! One test per shared data set: the counts that its README states, no decode error, no crossed book.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, unreachable_pub)]

mod common;

use common::{Imported, counter, imported, shared};

fn set(name: &str) -> Option<Imported> {
    let folder = shared(name, name)?;
    let i = imported(name, &[folder]);
    assert_eq!(i.summary.decode_errors, 0, "{:?}", i.summary.feeds);
    assert_eq!(i.summary.crossed_books, 0);
    Some(i)
}

fn frames(i: &Imported, feed: &str) -> u64 {
    i.report.feeds.get(feed).map_or(0, |f| f.frames)
}
/// All frames as text.
fn frames_of(i: &Imported) -> Vec<String> {
    let mut reader = pm_data::recording::Reader::open(&i.path).unwrap();
    let mut out = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        out.extend(entry.frame().map(|f| String::from_utf8_lossy(f.bytes).into_owned()));
    }
    out
}
fn kind(i: &Imported, kind: &str) -> u64 {
    i.report.kinds.get(kind).copied().unwrap_or(0)
}

#[test]
fn pm_btc5m_book_ws_2026_04() {
    let name = "pm-btc5m-book-ws-2026-04";
    let Some(folder) = shared(name, name) else { return };
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let mut files: Vec<(std::path::PathBuf, u64)> = index
        .lines()
        .skip(1)
        .filter_map(|l| {
            let mut cells = l.split(',');
            let slug = cells.next()?;
            let count = cells.nth(1)?.parse().ok()?;
            Some((folder.join("markets").join(format!("{slug}.jsonl.zst")), count))
        })
        .collect();
    let whole = std::env::var_os("PMBOT_FULL_DATA").is_some();
    println!("{name}: {}", if whole { "all files" } else { "the first 8 files; PMBOT_FULL_DATA=1 takes all" });
    if whole {
        assert_eq!(files.iter().map(|f| f.1).sum::<u64>(), 435_480);
        assert_eq!(files.len(), 161);
    } else {
        files.truncate(8);
    }
    let wanted: u64 = files.iter().map(|f| f.1).sum();
    let markets = u64::try_from(files.len()).unwrap();
    let paths: Vec<_> = files.into_iter().map(|f| f.0).collect();
    let i = imported(name, &paths);
    assert_eq!(frames(&i, "polymarket.market"), wanted);
    assert_eq!((kind(&i, "market"), i.summary.markets), (markets, markets));
    assert_eq!((i.summary.decode_errors, i.summary.backwards), (0, 0));
}

#[test]
fn pm_btc15m_l2_1hz_2026_09_28() {
    let Some(i) = set("pm-btc15m-l2-1hz-2026-09-28") else { return };
    assert_eq!(i.report.rows_in["books.jsonl*"], 25_256);
    let crossed = i.report.dropped["book: bid at or above ask in one view"];
    assert_eq!(crossed, 6, "same-ms artefacts among these 12 markets");
    assert_eq!(kind(&i, "book") + crossed, 25_256);
    assert_eq!((i.summary.markets, i.summary.markets_resolved, i.summary.markets_understood), (12, 12, 12));
    // The touches of the 12,380 pairs read in one millisecond mirror; of the 339 read within 250 ms, 16 do not.
    assert_eq!((i.summary.view_pairs, i.summary.view_disagreements), (12_719, 16));
    assert_eq!(counter(&i.summary, "single_views"), 25_250 - 12_719);
}

#[test]
fn pm_btc5m_chainlink_settlement_2026() {
    let Some(i) = set("pm-btc5m-chainlink-settlement-2026") else { return };
    assert_eq!(kind(&i, "reference"), 84_558);
    assert_eq!(i.summary.events["reference"], 84_558);
    assert_eq!((frames(&i, "polymarket.gamma"), kind(&i, "market")), (292, 292));
    assert_eq!(i.summary.markets_understood, 292);
}

#[test]
fn pm_btc15m_tob_1hz_2025_12() {
    let Some(i) = set("pm-btc15m-tob-1hz-2025-12") else { return };
    let crossed = i.report.dropped["book_pair: bid at or above ask in one view"];
    assert_eq!((kind(&i, "book_pair") + crossed, crossed), (3_856 + 28_494 + 31_949 + 30_091, 2));
    assert_eq!(kind(&i, "print"), 24_155 + 32_046 + 54_838 + 26_344);
    // A bid of one outcome is an ask of the other. Of 94,390 rows 39,267 do not say so: their two sides were read one behind the other.
    assert_eq!(i.summary.view_pairs, 94_390 - crossed);
    assert_eq!(i.summary.view_disagreements, 39_265);
    // The wallet's trades stay in the recording; which side took is not recorded, so no event claims one.
    assert_eq!(counter(&i.summary, "prints_without_taker"), kind(&i, "print"));
    assert_eq!(i.summary.events.get("print"), None);
    // The file in local time lies where its windows lie: the first row is of 17:30:52 UTC.
    assert_eq!(i.report.first.unwrap().to_string(), "2025-12-25T17:30:52.000Z");
}

#[test]
fn pm_btc15m_tob_events_2026_04_01() {
    let Some(i) = set("pm-btc15m-tob-events-2026-04-01") else { return };
    assert_eq!((kind(&i, "book_pair"), i.summary.markets), (13_749, 5));
    assert_eq!((i.summary.view_pairs, i.summary.view_disagreements), (13_749, 1_559));
}

#[test]
fn pm_binance_coinbase_chainlink_sessions_2026_04_28() {
    let Some(i) = set("pm-binance-coinbase-chainlink-sessions-2026-04-28") else { return };
    assert_eq!(frames(&i, "polymarket.market"), 717);
    assert_eq!(frames(&i, "polymarket.rtds"), 1_038);
    assert_eq!((frames(&i, "binance.spot"), frames(&i, "coinbase.ticker"), frames(&i, "pyth.proxy")), (396, 396, 10));
    assert_eq!(i.report.dropped(), 0);
}

#[test]
fn the_biggest_session_has_the_frames_of_its_readme() {
    let name = "pm-binance-coinbase-chainlink-sessions-2026-04-28";
    let Some(folder) = shared(name, name) else { return };
    let i = imported(name, &[folder.join("m9-rtds-natural-20260429T021025Z-fresh.raw_messages.jsonl.gz")]);
    assert_eq!(i.summary.frames, 1_947);
    assert_eq!((frames(&i, "polymarket.market"), frames(&i, "polymarket.rtds")), (447, 900));
    assert_eq!((frames(&i, "binance.spot"), frames(&i, "coinbase.ticker")), (300, 300));
}

#[test]
fn pm_above_strip_and_updown_with_spot_2026_06() {
    let Some(i) = set("pm-above-strip-and-updown-with-spot-2026-06") else { return };
    assert_eq!(i.report.rows_in["spot_*.csv*"], 1_962 + 12_953 + 24_539 + 33_437);
    assert_eq!(i.report.rows_in["strip_yes_prices_*.csv*"], 3_939);
    assert_eq!(i.report.rows_in["resolved_results.csv*"], 2_832);
    assert_eq!(kind(&i, "resolved"), 2_712, "distinct markets among 2,832 decisions");
    assert_eq!(kind(&i, "mid"), 3_939 + 124 + 1_285 + 1_640 + 932 + 232);
    assert_eq!(i.summary.markets_understood, 36, "the questions of the strip");
}

#[test]
fn pm_btc5m_1hz_quote_vs_btc_2026_07() {
    let Some(i) = set("pm-btc5m-1hz-quote-vs-btc-2026-07") else { return };
    assert_eq!(kind(&i, "reference"), 5_960);
    assert_eq!(kind(&i, "top"), 5_960 - 185, "the leader is not named at 50c");
    assert_eq!((i.summary.markets, i.summary.markets_resolved), (20, 20));
    assert!(frames_of(&i).iter().filter(|f| f.contains(r#"{"top""#)).all(|f| f.contains(r#""bid_unknown":true"#)));
}

#[test]
fn pm_btc5m_ladder_2026_07_26() {
    let Some(i) = set("pm-btc5m-ladder-2026-07-26") else { return };
    assert_eq!((i.summary.markets, i.summary.markets_resolved, i.summary.markets_understood), (100, 100, 100));
    assert_eq!((kind(&i, "book_pair"), kind(&i, "reference")), (699, 699));
    // 64 by the touches; in 3 more the five cheapest shares cost more than the touch says.
    assert_eq!((i.summary.view_pairs, i.summary.view_disagreements), (699, 67));
    let feed = &pm_data::recording::Replay::open(std::slice::from_ref(&i.path)).unwrap().feeds()[0].clone();
    assert!(feed.derived && feed.sampled && feed.stand_ins[0].instead_of == "chainlink:btc/usd");
}

#[test]
fn binance_btcusdt_1m_2026_06() {
    let Some(i) = set("binance-btcusdt-1m-2026-06") else { return };
    assert_eq!(i.summary.events["candle"], 56_161);
    assert_eq!(i.summary.feeds[0].largest_gap_ms, 60_000, "no missing minute");
}

#[test]
fn pm_us_btc_range_strip_2026_07() {
    let Some(i) = set("pm-us-btc-range-strip-2026-07") else { return };
    assert_eq!((kind(&i, "top"), i.summary.books, i.report.dropped()), (115_909, 51, 0));
    let frames = frames_of(&i);
    assert!(!frames.is_empty() && frames.iter().all(|f| f.contains(r#""venue":"polymarket-us""#)), "another venue");
}

#[test]
fn pm_btc_strip_vs_binance_options_2025_09_05() {
    let Some(i) = set("pm-btc-strip-vs-binance-options-2025-09-05") else { return };
    assert_eq!((kind(&i, "book"), kind(&i, "market"), kind(&i, "instrument")), (21, 8, 13));
}

#[test]
fn pm_data_api_trades_updown_2026_02_26() {
    let Some(i) = set("pm-data-api-trades-updown-2026-02-26") else { return };
    assert_eq!((kind(&i, "print"), i.summary.markets, i.summary.backwards), (4_000, 307, 0));
    assert_eq!((counter(&i.summary, "prints_without_taker"), i.summary.events.get("print")), (4_000, None));
    assert_eq!(i.report.first.unwrap().to_string(), "2026-02-26T20:12:54.000Z");
}

#[test]
fn pm_hourly_l1_events_2026_03_01() {
    let Some(i) = set("pm-hourly-l1-events-2026-03-01") else { return };
    assert_eq!((kind(&i, "top"), kind(&i, "print"), kind(&i, "book_pair"), kind(&i, "reference")), (474, 16, 23, 23));
}

#[test]
fn pm_misc_long_dated_orderbook_and_trades_2025_10() {
    let Some(i) = set("pm-misc-long-dated-orderbook-and-trades-2025-10") else { return };
    assert_eq!((kind(&i, "top"), kind(&i, "print"), frames(&i, "polymarket.gamma")), (3_972, 9_500, 2));
}

#[test]
fn pm_rest_dumps_2026_02() {
    let Some(i) = set("pm-rest-dumps-2026-02") else { return };
    assert_eq!(frames(&i, "polymarket.gamma"), 600 + 500);
    assert_eq!((kind(&i, "market"), kind(&i, "mid")), (1_000, 1_000 + 4_456));
}

#[test]
fn bybit_v5_raw_ws_2026_08_09() {
    let Some(i) = set("bybit-v5-raw-ws-2026-08-09") else { return };
    assert_eq!(i.report.rows(), 3_256);
    assert_eq!((frames(&i, "bybit.rest"), frames(&i, "bybit.linear"), frames(&i, "bybit.spot")), (2, 2_546, 681));
    assert_eq!(i.report.dropped(), 17 + 7 + 2 + 1);
}

#[test]
fn bybit_linear_poll_2025_10_30() {
    let Some(i) = set("bybit-linear-poll-2025-10-30") else { return };
    assert_eq!((kind(&i, "ticker"), kind(&i, "book")), (18_641 + 15_329, 3_828));
}

#[test]
fn bybit_ob500_xrpusdt() {
    let Some(i) = set("bybit-ob500-xrpusdt") else { return };
    assert_eq!(frames(&i, "bybit.linear"), 50);
    assert_eq!(i.report.last.unwrap().to_string(), "2024-12-01T00:00:05.490Z");
}

#[test]
fn binance_usdm_btcusdt_raw_ws_2024_08_08() {
    let Some(i) = set("binance-usdm-btcusdt-raw-ws-2024-08-08") else { return };
    assert_eq!(frames(&i, "binance.usdm"), 93_954);
}
