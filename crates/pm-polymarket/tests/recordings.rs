//! Real captures, where they lie next to the workspace: no decode errors, books that never cross, rules of every known text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use common::{Keeper, catalog, market, recordings};
use pm_core::event::{BookId, Event};
use pm_core::market::Rule;
use pm_core::registry::Registry;
use pm_core::time::Stamp;
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_polymarket::gamma_feed::{GammaProtocol, GammaSettings};
use pm_polymarket::hash::{RawBook, book_hash};
use pm_polymarket::market::MarketProtocol;
use pm_polymarket::rtds::{RtdsProtocol, Topic};
use serde_json::Value;

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "gz") {
        let mut out = String::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut out).unwrap();
        return out;
    }
    String::from_utf8(bytes).unwrap()
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut out: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    out.sort();
    out
}

/// Families and refusals of the markets of a set of bodies.
#[derive(Default)]
struct Rules {
    families: BTreeMap<String, [usize; 2]>,
    reasons: BTreeMap<String, usize>,
    resolved: usize,
}

impl Rules {
    fn body(&mut self, body: &str) {
        let mut protocol = GammaProtocol::new(catalog(), GammaSettings::default()).unwrap();
        let mut sink = |event: Event<'_>| match event {
            Event::MarketListed(m) => {
                let entry = self.families.entry(m.family.to_string()).or_default();
                match &m.rule {
                    Rule::Understood(_) => entry[0] += 1,
                    Rule::NotUnderstood(why) => {
                        entry[1] += 1;
                        *self.reasons.entry(format!("{}: {why}", m.family)).or_default() += 1;
                    }
                }
            }
            Event::Resolved { .. } => self.resolved += 1,
            _ => {}
        };
        protocol.decode(Stamp::default(), body.as_bytes(), &mut Registry::default(), &mut sink).unwrap();
    }
    fn print(&self, of: &str) {
        println!("== {of}: understood / not, {} resolved", self.resolved);
        for (family, [yes, no]) in &self.families {
            println!("   {family}: {yes} / {no}");
        }
        for (why, count) in &self.reasons {
            println!("      {count} x {why}");
        }
    }
}

#[test]
fn rules_of_all_recorded_markets() {
    let Some(data) = recordings("rules_of_all_recorded_markets") else { return };
    let mut june = Rules::default();
    for line in text(&data.join("pm-btc5m-chainlink-settlement-2026/BTC-5m-markets-2026-06-08.jsonl.gz")).lines() {
        june.body(&serde_json::from_str::<Value>(line).unwrap()["raw"].to_string());
    }
    june.print("5m windows of 2026-06-08");
    assert_eq!(june.families.get("updown-5m"), Some(&[292, 0]));
    assert_eq!(june.resolved, 292);
    let mut dumps = Rules::default();
    for name in ["gamma_markets_2026-01.json.gz", "gamma_markets_oldest.json.gz"] {
        dumps.body(&text(&data.join("pm-rest-dumps-2026-02").join(name)));
    }
    dumps.print("Gamma dumps 2020..2026");
    let mut single = Rules::default();
    for dir in
        ["fixtures-polymarket/live_capture_2026-06", "fixtures-polymarket/nautilus_rust", "fixtures-polymarket/nautilus_py/http"]
    {
        for path in files(&data.join(dir)) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("gamma") || name.starts_with("search") || name == "markets.json" || name == "market.json" {
                single.body(&text(&path));
            }
        }
    }
    single.print("single captures");
    // The window of March 2026 has fees on and no schedule: the rule is read, the fee is not known, so it is not traded.
    assert_eq!(single.families.get("updown-5m"), Some(&[2, 1]));
    assert_eq!(dumps.families.get("updown-1h"), Some(&[16, 0]));
    assert_eq!(dumps.families.get("above-daily"), Some(&[9, 0]));
    assert_eq!(dumps.families.get("above-hourly"), Some(&[16, 0]));
}

/// The capture of 2026-04-28: REST bodies, arrays of books, changes, new markets; and the oracle's socket.
#[test]
fn recorded_frames_decode_without_error() {
    let Some(data) = recordings("recorded_frames_decode_without_error") else { return };
    let (mut kinds, mut oracle, mut hashes) = (BTreeMap::<String, usize>::new(), 0, [0, 0]);
    let (mut checked, mut stale) = (0, 0);
    for path in files(&data.join("pm-binance-coinbase-chainlink-sessions-2026-04-28")) {
        let name = path.to_str().unwrap().to_owned();
        let Some(stem) = name.strip_suffix(".raw_messages.jsonl.gz") else { continue };
        let (mut protocol, mut books) = (MarketProtocol::new(), Books::default());
        for (i, line) in text(Path::new(&format!("{stem}.markets.jsonl.gz"))).lines().enumerate() {
            let m: Value = serde_json::from_str(line).unwrap();
            let token = |i: usize| m["outcomes"][i]["token_id"].as_str().unwrap().to_owned();
            let listing = market(u32::try_from(i).unwrap(), m["condition_id"].as_str().unwrap(), [&token(0), &token(1)], "0.01");
            protocol.learn(&Event::MarketListed(std::borrow::Cow::Owned(listing)));
        }
        let wanted = vec![(Topic::Oracle, "btc/usd".to_owned())];
        let mut rtds = RtdsProtocol::new(catalog(), wanted);
        for line in text(&path).lines() {
            let m: Value = serde_json::from_str(line).unwrap();
            let payload = m["payload"].as_str().unwrap();
            match m["source"].as_str().unwrap() {
                "polymarket_clob" => {
                    let kind = protocol.decode(Stamp::default(), payload.as_bytes(), &mut Registry::default(), &mut books);
                    *kinds.entry(format!("{:?}", kind.unwrap_or_else(|e| panic!("{e}: {payload}")))).or_default() += 1;
                    if let Ok(book) = serde_json::from_str::<RawBook<'_>>(payload) {
                        let sent =
                            serde_json::from_str::<Value>(payload).unwrap()["hash"].as_str().unwrap_or_default().to_owned();
                        hashes[usize::from(book_hash(&book) == sent)] += 1;
                    }
                }
                "polymarket_rtds_chainlink" => {
                    let kind =
                        rtds.decode(Stamp::default(), payload.as_bytes(), &mut Registry::default(), &mut |_: Event<'_>| {
                            oracle += 1;
                        });
                    assert!(matches!(kind, Ok(FrameKind::Data | FrameKind::Foreign)), "{kind:?}");
                }
                _ => {}
            }
        }
        assert_eq!(books.crossed, 0, "{stem}");
        let s = protocol.stats();
        println!("{}: {s:?}", Path::new(stem).file_name().unwrap().display());
        assert_eq!((s.misfits, s.hash_mismatches), (0, 0), "{stem}");
        (checked, stale) = (checked + s.hashes_checked, stale + s.stale_books);
    }
    // REST bodies of one session came from a cache and were up to 17 minutes old.
    assert!(stale >= 40 && checked > 400, "{stale} {checked}");
    println!("frames {kinds:?}, oracle values {oracle}, REST hashes that differ / agree {hashes:?}");
    assert!(kinds["Data"] > 500 && oracle > 900);
    assert_eq!(hashes[0], 0, "every REST body carries the hash that we compute");
}

#[derive(Default)]
struct Books {
    books: BTreeMap<BookId, pm_core::book::Book>,
    crossed: usize,
}

impl pm_core::traits::EventSink for Books {
    fn event(&mut self, event: Event<'_>) {
        use pm_core::book::Touch;
        let touch = match event {
            Event::BookSnapshot { book, bids, asks, at, flags } => {
                self.books.entry(book).or_default().apply_snapshot(&bids, &asks, at, at, flags)
            }
            Event::BookDelta { book, bids, asks, at } => self.books.entry(book).or_default().apply_delta(&bids, &asks, at, at),
            Event::BookLost { book, why } => {
                self.books.entry(book).or_default().lose(why);
                Touch::Same
            }
            _ => Touch::Same,
        };
        self.crossed += usize::from(touch == Touch::Crossed);
    }
}

/// Single captured payloads, each on its own.
#[test]
fn single_captures_decode() {
    let Some(data) = recordings("single_captures_decode") else { return };
    let mut seen = 0;
    for dir in ["nautilus_py/ws", "nautilus_rust", "live_capture_2026-06"] {
        for path in files(&data.join("fixtures-polymarket").join(dir)) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let public = ["book", "last_trade", "price_change", "tick_size", "best_bid", "resolved", "new_market", "quotes"]
                .iter()
                .any(|w| name.contains(w));
            if !public || name.contains("user") {
                continue;
            }
            let body = text(&path);
            let mut protocol = MarketProtocol::new();
            let ids: Value = serde_json::from_str(&body).unwrap();
            for (i, one) in ids.as_array().cloned().unwrap_or_else(|| vec![ids.clone()]).iter().enumerate() {
                let token = [&one["asset_id"], &one["price_changes"][0]["asset_id"], &one["assets_ids"][0]]
                    .into_iter()
                    .find_map(Value::as_str);
                if let (Some(native), Some(token)) = (one["market"].as_str(), token) {
                    // One payload has no message about a finer grid before it: the finest one holds them all.
                    let m = market(u32::try_from(i).unwrap(), native, [token, "other"], "0.0001");
                    protocol.learn(&Event::MarketListed(std::borrow::Cow::Owned(m)));
                }
            }
            let kind = protocol.decode(Stamp::default(), body.as_bytes(), &mut Registry::default(), &mut Keeper::default());
            assert!(matches!(kind, Ok(FrameKind::Data | FrameKind::Foreign | FrameKind::Unknown)), "{name}: {kind:?}");
            println!("{name}: {kind:?}");
            seen += 1;
        }
    }
    assert!(seen >= 12);
}

#[derive(serde::Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    msg: &'a serde_json::value::RawValue,
}

/// Every eighth file of the raw `book` set of April 2026, all of them with `PM_RECORDINGS=all`. Its grid becomes finer without a message, so it is given as 0.001.
#[test]
fn recorded_books_never_cross() {
    let Some(data) = recordings("recorded_books_never_cross") else { return };
    let step = if std::env::var("PM_RECORDINGS").is_ok_and(|v| v == "all") { 1 } else { 8 };
    let (mut frames, mut stale, mut books) = (0, 0, Books::default());
    for (i, path) in files(&data.join("pm-btc5m-book-ws-2026-04/markets")).iter().enumerate().step_by(step) {
        let lines = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let ids: Vec<(String, String)> = lines
            .lines()
            .map(|l| serde_json::from_str::<Line<'_>>(l).unwrap().msg.get())
            .map(|m| serde_json::from_str::<RawBook<'_>>(m).map(|b| (b.market.into_owned(), b.asset_id.into_owned())).unwrap())
            .collect();
        let (native, first) = ids.first().unwrap();
        let second = ids.iter().map(|(_, t)| t).find(|t| *t != first).map_or("other", String::as_str);
        let mut protocol = MarketProtocol::new();
        let listing = market(u32::try_from(i).unwrap(), native, [first, second], "0.001");
        protocol.learn(&Event::MarketListed(std::borrow::Cow::Owned(listing)));
        for line in lines.lines() {
            let msg = serde_json::from_str::<Line<'_>>(line).unwrap().msg.get();
            let kind = protocol.decode(Stamp::default(), msg.as_bytes(), &mut Registry::default(), &mut books);
            assert_eq!(kind, Ok(FrameKind::Data), "{msg}");
            frames += 1;
        }
        let s = protocol.stats();
        assert_eq!(s.misfits, 0, "{}", path.display());
        stale += s.stale_books;
    }
    println!("{frames} books, {} crossed, {stale} older than the one before", books.crossed);
    assert_eq!(books.crossed, 0);
    assert!(stale * 1_000 < frames, "books come in order, but for a few");
}
