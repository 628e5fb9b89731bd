//! Importers on small inputs written here: shapes, places of errors, counts of what is left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, unreachable_pub)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use pm_data::import::{ImportError, ImportReport, import};
use pm_data::recording::Reader;

struct Try {
    dir: tempfile::TempDir,
}

impl Try {
    fn new(mapping: &str, files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("m.toml"), mapping).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join("data").join(name), bytes).unwrap();
        }
        Self { dir }
    }
    fn out(&self) -> PathBuf {
        self.dir.path().join("out.pmrec")
    }
    fn run(&self) -> Result<ImportReport, ImportError> {
        let mapping = self.dir.path().join("m.toml");
        import(mapping.to_str().unwrap(), &self.out(), &[self.dir.path().join("data")], &mut |_, _| {})
    }
    /// "milliseconds feed frame" of the recording.
    fn lines(&self) -> Vec<String> {
        let mut reader = Reader::open(&self.out()).unwrap();
        let names: Vec<String> = reader.feeds().iter().map(|f| f.name.clone()).collect();
        let mut out = Vec::new();
        while let Some(entry) = reader.next().unwrap() {
            let f = entry.frame().unwrap();
            let name = &names[usize::from(f.feed.0)];
            out.push(format!("{} {name} {}", f.stamp.wall.millis(), String::from_utf8_lossy(f.bytes)));
        }
        out
    }
    fn error(&self) -> String {
        let text = self.run().unwrap_err().to_string();
        let left: Vec<_> = std::fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "a failed import leaves nothing behind: {left:?}");
        text
    }
}

const HEAD: &str = "name = \"t\"\ndescription = \"d\"\norigin = \"o\"\n";

fn mapping(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    out.start_file("a.data", zip::write::SimpleFileOptions::default()).unwrap();
    out.write_all(bytes).unwrap();
    out.finish().unwrap().into_inner()
}

const FRAMES: &str = r#"
[[input]]
files = "*.jsonl*"
shape = "jsonl_frames"
time = "{ts|ms}"
frame = "f"
route = [
  { when = { src = "a" }, feed = "feed.a" },
  { when = { src = "b" }, feed = "feed.b" },
  { when = { src = "log" }, drop = "log lines" },
]
"#;

#[test]
fn raw_frames_stay_verbatim_and_are_put_in_time_order_over_files() {
    let t = Try::new(
        &mapping(FRAMES),
        &[
            ("1.jsonl.gz", &gz(b"{\"ts\":30,\"src\":\"a\",\"f\":\"{\\\"x\\\": 1.10}\"}\n{\"ts\":10,\"src\":\"b\",\"f\":{\"y\" : 1e3}}\n\n{\"ts\":1,\"src\":\"log\"}")),
            ("2.jsonl.zst", &zstd::encode_all(&b"{\"f\":[1, 2],\"ts\":20,\"src\":\"a\"}"[..], 1).unwrap()),
            ("3.jsonl.zip", &zipped(b"{\"f\":\"\",\"ts\":40,\"src\":\"b\"}")),
            ("notes.txt", b"x"),
        ],
    );
    let report = t.run().unwrap();
    assert_eq!(t.lines(), [r#"10 feed.b {"y" : 1e3}"#, "20 feed.a [1, 2]", r#"30 feed.a {"x": 1.10}"#, "40 feed.b "]);
    assert_eq!((report.rows(), report.frames(), report.dropped["log lines"], report.reordered), (5, 4, 1, 1));
    assert_eq!(report.ignored, [("notes.txt".to_owned(), "not named by the mapping".to_owned())]);
    assert!(!report.derived() && report.to_string().contains("raw"));
}

#[test]
fn errors_name_file_line_and_field() {
    let bad = |lines: &[u8]| Try::new(&mapping(FRAMES), &[("a.jsonl", lines)]).error();
    let place = |text: &str, line: u32, field: &str| text.contains(&format!("a.jsonl, line {line}, {field}:"));
    assert!(place(&bad(b"{\"ts\":1,\"src\":\"a\",\"f\":\"\"}\n{\"ts\":\"soon\",\"src\":\"a\",\"f\":\"\"}"), 2, "ts"));
    assert!(place(&bad(b"{\"ts\":1,\"src\":\"a\"}"), 1, "f"));
    assert!(place(&bad(b"{\"ts\":1,\"src\":\"c\",\"f\":\"\"}"), 1, "route"));
    assert!(place(&bad(b"{\"src\":\"a\",\"f\":\"\"}"), 1, "time"));
    assert!(bad(b"{\"ts\":1,").contains("a.jsonl, line 1, byte"));
    assert!(bad(b"\xff\xfe").contains("a.jsonl, line 1, line"));
    let broken = Try::new(&mapping(FRAMES), &[("a.jsonl.gz", &gz(b"{}")[..12])]).error();
    assert!(broken.contains("a.jsonl.gz"), "{broken}");
}

const ROWS: &str = r#"
[tables.view]
UP = "first"
DOWN = "second"
[[input]]
files = "*.csv"
shape = "csv_ticks"
time = "{t|s}"
layouts = [["t", "m", "bid", "ask", "side", "extra"]]
drop = [{ field = "m", is = [""], reason = "no market" }]
[[input.record]]
kind = "market"
once = "{m}"
[input.record.fields]
venue = "polymarket"
native = "{m}"
slug = "{m}"
question = "q"
tokens = ["{m}:1", "{m}:2"]
labels = ["Up", "Down"]
family = "other"
tick = "0.01"
min_qty = "5"
fees = "Free"
opens_at = 0
closes_at = "{t|s|plus:5m}"
rule.not_understood = "test"
[[input.record]]
kind = "top"
crossed = "drop"
missing = "drop"
bad = "drop"
fields = { venue = "polymarket", market = "{m}", outcome = "{side|table:view}", bid = "{bid|zero_empty}", ask = "{ask}", sampled = true }
"#;

#[test]
fn rows_become_records_and_what_is_left_out_is_counted() {
    let csv = b"t,m,bid,ask,side\n20,A,0.40,0.41,UP\n10,A,0.0,0.41,DOWN\n30,A,0.5,0.5,UP\n31,,0.1,0.2,UP\n32,A,0.1\n33,A,0.1,0.2,UP,x\n34,A,x,0.2,UP\n35,A,0.1,1.5,UP\n";
    let t = Try::new(&mapping(ROWS), &[("a.csv", csv)]);
    let report = t.run().unwrap();
    let lines = t.lines();
    assert!(lines[0].starts_with(r#"10000 derived {"market":{"#), "the market stands at the earliest of its rows: {}", lines[0]);
    assert_eq!(
        lines[1],
        r#"10000 derived {"top":{"ask":"0.41","market":"A","outcome":"second","sampled":true,"venue":"polymarket"}}"#
    );
    assert_eq!(
        lines[2],
        r#"20000 derived {"top":{"ask":"0.41","bid":"0.40","market":"A","outcome":"first","sampled":true,"venue":"polymarket"}}"#
    );
    assert!(lines[3].starts_with("33000 derived") && lines.len() == 4, "{lines:?}");
    let dropped: Vec<(&str, u64)> = report.dropped.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(
        dropped,
        [
            ("no market", 1),
            ("row of 3 columns under a header of 5", 1),
            ("top: bid (bid)", 1),
            ("top: bid at or above ask in one view", 1),
            ("top: price 1.5 is out of range", 1),
        ]
    );
    assert_eq!((report.rows(), report.kinds["top"], report.kinds["market"]), (8, 3, 1));
    assert!(report.derived());
    let summary = common::inspected(&t.out());
    assert_eq!((summary.decode_errors, summary.markets, summary.books, summary.backwards), (0, 1, 1, 0));
    assert_eq!(summary.not_understood["test"], 1);
}

#[test]
fn without_a_treatment_a_bad_row_is_an_error_with_its_place() {
    let strict = ROWS.replace("crossed = \"drop\"\nmissing = \"drop\"\nbad = \"drop\"\n", "");
    let error = |row: &str| Try::new(&mapping(&strict), &[("a.csv", format!("t,m,bid,ask,side\n{row}\n").as_bytes())]).error();
    assert!(error("1,A,0.5,0.4,UP").contains("a.csv, line 2, top: bid at or above ask"));
    assert!(error("1,A,zz,0.4,UP").contains("a.csv, line 2, bid (bid)"), "{}", error("1,A,zz,0.4,UP"));
    assert!(error("x,A,0.1,0.4,UP").contains("a.csv, line 2, t: \"x\" is not a time in seconds"));
    assert!(error("1,A,0.1,0.123456789,UP").contains("more than 8 decimal places"));
}

#[test]
fn a_text_that_is_not_in_its_table_is_never_taken_for_the_first_outcome() {
    let run = |rows: &str, side: &str| {
        let text =
            ROWS.replace("crossed = \"drop\"\nmissing = \"drop\"\nbad = \"drop\"\n", "").replace("{side|table:view}", side);
        Try::new(&mapping(&text), &[("a.csv", format!("t,m,bid,ask,side\n{rows}\n").as_bytes())])
    };
    let miss = run("1,A,0.1,0.4,DOWN\n2,A,0.1,0.4,down", "{side|table:view}").error();
    assert!(miss.contains("a.csv, line 3, outcome (side): \"down\" is not in the table view, which has DOWN, UP"), "{miss}");
    // Blank is no value, and an outcome must have one.
    let blank = run("1,A,0.1,0.4,", "{side|table:view}").error();
    assert!(blank.contains("a.csv, line 2, outcome: top needs it and it has no value"), "{blank}");
    let optional = run("1,A,0.1,0.4,down", "{side|table:view?}").error();
    assert!(optional.contains("a.csv, line 2, outcome: top needs it"), "{optional}");
    let said = run("1,A,0.1,0.4,down", "{side|table:view|or:second}");
    said.run().unwrap();
    assert!(said.lines().iter().any(|l| l.contains(r#""outcome":"second""#)));
}

#[test]
fn mappings_that_say_more_than_their_rows_are_refused_with_their_line() {
    let error = |text: &str| {
        let t = Try::new(&mapping(text), &[("a.csv", b"t\n1\n")]);
        t.error()
    };
    let input = |shape: &str, more: &str, kind: &str, fields: &str| {
        format!(
            "[[input]]\nfiles = \"*.csv\"\nshape = \"{shape}\"\n{more}time = \"{{t|s}}\"\n[[input.record]]\nkind = \"{kind}\"\nfields = {{ {fields} }}\n"
        )
    };
    let cases = [
        (
            input("csv_ticks", "", "tops", ""),
            "line 9, record \"tops\" of input \"*.csv\": is no kind of record; kinds are market, ",
        ),
        (
            input("csv_ticks", "", "resolved", ""),
            "line 9, record \"resolved\" of input \"*.csv\": csv_ticks makes no such record; it makes ",
        ),
        (input("csv_ticks", "", "market", ""), "csv_ticks makes it from many rows: it needs once"),
        (input("market_list", "", "top", ""), "market_list makes no such record; it makes market, instrument, resolved"),
        (input("snapshot_rows", "", "candle", ""), "snapshot_rows makes no such record"),
        (input("json_pages", "feed = \"f\"\n", "market", ""), "json_pages makes no records"),
        (input("csv_ticks", "", "top", "market = \"m\", bid = \"{b}\", ask = \"{a}\""), "it needs outcome"),
        (
            input("csv_ticks", "", "print", "market = \"m\""),
            "line 9, record \"print\" of input \"*.csv\": does not say of which outcome",
        ),
        (
            input("csv_ticks", "", "top", "instrument = \"i\", ask = \"{a}\""),
            "says nothing of its bid: it needs bid, or bid_unknown = true where the origin has none",
        ),
        (input("csv_ticks", "", "mid", "px = \"{p|table:none}\""), "there is no table \"none\""),
        (input("csv_ticks", "format = \"json\"\n", "mid", ""), "line 5, input \"*.csv\": csv_ticks is CSV"),
        (input("snapshot_rows", "layouts = [[\"t\"]]\n", "mid", ""), "snapshot_rows does not use layouts"),
        (input("snapshot_rows", "feed = \"f\"\n", "mid", ""), "snapshot_rows does not use feed and route"),
        (input("csv_quotes", "", "mid", ""), "unknown variant `csv_quotes`"),
    ];
    for (text, wanted) in cases {
        let got = error(&text);
        assert!(got.contains(wanted) && got.contains("m.toml"), "{text}\n{got}");
    }
}

#[test]
fn tokens_are_found_by_reading_all_frames_first() {
    let m = mapping(
        r#"
[[input]]
files = "*.jsonl"
shape = "jsonl_frames"
time = "{ts|ms}"
frame = "f"
feed = "polymarket.market"
[input.scan]
market = "market"
token = "asset_id"
record.kind = "market"
[input.scan.record.fields]
venue = "polymarket"
native = "{@market}"
slug = "{@file}"
question = "q"
tokens = ["{@token0}", "{@token1}"]
labels = ["A", "B"]
family = "other"
tick = "0.01"
min_qty = "5"
fees = "Free"
opens_at = "{@first|plus:0s}"
closes_at = 9
rule.not_understood = "test"
"#,
    );
    let t = Try::new(
        &m,
        &[
            ("x.jsonl", b"{\"ts\":9,\"f\":{\"market\":\"0x1\",\"asset_id\":\"7\"}}\n{\"ts\":12,\"f\":{\"market\":\"0x1\",\"asset_id\":\"8\"}}\n"),
            ("y.jsonl", b"{\"ts\":10,\"f\":{\"market\":\"0x2\",\"asset_id\":\"9\"}}\n"),
        ],
    );
    t.run().unwrap();
    let lines = t.lines();
    assert!(lines[0].contains(r#""tokens":["7","8"]"#) && lines[0].starts_with("9 derived"), "{}", lines[0]);
    assert!(lines[2].contains(r#""tokens":["9","0x2:other"]"#) && lines[2].starts_with("10 derived"), "{}", lines[2]);
    assert_eq!(lines.len(), 5);
}

#[test]
fn pages_and_text_frames() {
    let m = mapping(
        r#"
[[input]]
files = "*.json"
shape = "json_pages"
items = "data.list"
time = "{at|datetime}"
feed = "pages"
[[input]]
files = "*.txt"
shape = "text_frames"
feed = "lines"
"#,
    );
    let t = Try::new(
        &m,
        &[
            ("a.json", br#"{"data":{"list":[{"at":"1970-01-01T00:00:01Z", "p": 0.50},{"at":"1970-01-01 00:00:03"}]}}"#),
            ("b.txt", b"2000000000 {\"x\": 1}\n"),
        ],
    );
    t.run().unwrap();
    assert_eq!(
        t.lines(),
        [
            r#"1000 pages {"at":"1970-01-01T00:00:01Z", "p": 0.50}"#,
            r#"2000 lines {"x": 1}"#,
            r#"3000 pages {"at":"1970-01-01 00:00:03"}"#
        ]
    );
}

#[test]
fn formats_and_mappings_that_are_not_there_or_not_right() {
    let dir = tempfile::tempdir().unwrap();
    let go =
        |format: &str, paths: &[PathBuf]| import(format, &dir.path().join("o"), paths, &mut |_, _| {}).unwrap_err().to_string();
    assert!(go("nonsense", &[]).contains("pm-btc5m-ladder-2026-07-26"), "the formats are listed");
    let stray = dir.path().join("stray.bin");
    std::fs::write(&stray, b"x").unwrap();
    assert!(go("bybit-ob500-xrpusdt", std::slice::from_ref(&stray)).contains("reads *ob500.data*; there is none in stray.bin"));
    assert!(go("bybit-ob500-xrpusdt", &[Path::new("/no/such/file").into()]).contains("/no/such/file"));
    for (text, reason) in [
        ("name = 1", "expected a string"),
        (&mapping("colour = \"red\"\n[[input]]\nfiles=\"*\"\nshape=\"text_frames\"\nfeed=\"a\""), "unknown field `colour`"),
        (&mapping("[[input]]\nfiles=\"*\"\nshape=\"text_frames\""), "needs feed or route"),
        (
            &mapping("[[input]]\nfiles=\"*\"\nshape=\"csv_ticks\"\ntime=\"{t|zz}\"\n[[input.record]]\nkind=\"mid\"\nfields={}"),
            "\"zz\" is not a filter",
        ),
    ] {
        let path = dir.path().join("m.toml");
        std::fs::write(&path, text).unwrap();
        let error = go(path.to_str().unwrap(), std::slice::from_ref(&stray));
        assert!(error.contains(reason) && error.contains("m.toml"), "{error}");
    }
    let t = Try::new(&mapping(FRAMES), &[("a.jsonl", br#"{"ts":1,"src":"a","f":""}"#)]);
    t.run().unwrap();
    assert!(t.run().unwrap_err().to_string().contains("not overwritten"));
}

#[test]
fn an_import_that_gives_nothing_leaves_no_recording() {
    let empty = Try::new(&mapping(FRAMES), &[("a.jsonl", b"")]).error();
    assert!(empty.ends_with("a.jsonl: the file is empty"), "{empty}");
    let dropped = Try::new(&mapping(FRAMES), &[("a.jsonl", br#"{"ts":1,"src":"log"}"#)]).error();
    assert!(dropped.ends_with("a.jsonl: no frame in 1 file(s): 1 rows read, 1 left out"), "{dropped}");
    let t = Try::new(&mapping(FRAMES), &[]);
    let other = t.error();
    assert!(other.contains("reads *.jsonl*; there is none in ") && other.ends_with("data"), "{other}");
    let go = |out: &Path| import("bybit-ob500-xrpusdt", out, &[], &mut |_, _| {}).unwrap_err().to_string();
    assert!(go(t.dir.path()).contains("is a folder"));
    assert!(go(&t.dir.path().join("none/x.pmrec")).contains("none/x.pmrec: its folder does not exist"));
}
