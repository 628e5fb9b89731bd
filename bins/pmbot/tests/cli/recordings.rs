//! Recordings: whole, torn, corrupt, absent.

use serde_json::Value;

use crate::bot::Bot;
use crate::data;

#[test]
fn a_recording_is_inspected_traded_and_reproduced() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 900);
    bot.run("inspect day.pmrec").exits(0).says("polymarket.market").says("bybit.linear");
    assert!(bot.run("inspect day.pmrec --json").exits(0).json().is_object());
    bot.run("markets --recording day.pmrec").exits(0).says(" markets\n");
    let line = "paper --json --source replay --recording day.pmrec --bankroll 1000";
    let first = bot.run(&format!("{line} --journal day.pmj")).json();
    assert_eq!(first.get("source"), Some(&"replay".into()));
    assert_eq!(first.get("decode_errors"), Some(&0.into()));
    assert!(first.get("opportunities").and_then(Value::as_u64).unwrap() > 0);
    let second = bot.run(&format!("{line} --db other.sqlite")).json();
    assert_eq!(first.get("decision_hash"), second.get("decision_hash"));
    assert_eq!(bot.run("replay day.pmj --json").exits(0).json().get("decision_hash"), first.get("decision_hash"));
}

#[test]
fn a_torn_recording_is_read_to_its_last_whole_block_and_says_so() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 400);
    let whole = std::fs::read(bot.path("day.pmrec")).unwrap();
    bot.write("torn.pmrec", &whole[..whole.len() * 2 / 3]);
    bot.run("inspect torn.pmrec").exits(0).says("torn");
    bot.run("paper --recording torn.pmrec").exits(0).notes("torn.pmrec: torn at byte ").says("torn at byte ");
}

#[test]
fn a_corrupt_recording_ends_the_run_with_its_place_and_what_was_done() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 400);
    let mut bytes = std::fs::read(bot.path("day.pmrec")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bot.write("bad.pmrec", &bytes);
    let said = bot.run("paper --recording bad.pmrec").exits(4).notes("bad.pmrec").notes("byte");
    assert!(said.out.contains("WARNING the run ended early") || said.out.is_empty(), "{}", said.out);
    let said = bot.run("paper --json --recording bad.pmrec").exits(4);
    assert!(said.field("error").contains("bad.pmrec"));
}

#[test]
fn a_damaged_recording_is_inspected_as_far_as_it_can_be_and_the_damage_named() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 400);
    let whole = std::fs::read(bot.path("day.pmrec")).unwrap();
    let starts: Vec<usize> = (0..whole.len() - 4).filter(|i| &whole[*i..*i + 4] == b"PmB\x01").collect();
    let feeds = bot.run("inspect day.pmrec --json").exits(0).json()["feeds"].as_array().unwrap().clone();
    // A block of frames in the middle, and the description of the second feed.
    let middle = starts[starts.len() / 2];
    for (name, at, lost) in [("frames.pmrec", middle, None), ("feed.pmrec", starts[1], Some(1))] {
        let mut bytes = whole.clone();
        bytes[at + 60] ^= 1;
        bot.write(name, &bytes);
        let place = format!("{name}: damaged at byte {at}, ");
        let said = bot.run(&format!("inspect {name}")).exits(4).says("decode errors   0").says(&place).notes(&place);
        assert!(said.out.contains("feed bybit.linear") && said.err.contains("bytes passed over: checksum of"), "{said:?}");
        let json = bot.run(&format!("inspect {name} --json")).exits(4).notes(&place).json();
        assert_eq!(json["damage"][0]["offset"], at);
        assert!(json["damage"][0]["bytes"].as_u64().unwrap() > 52);
        // No frame is given to another feed.
        for (i, feed) in feeds.iter().enumerate() {
            let found = &json["feeds"][i];
            if lost == Some(i) {
                assert_eq!((&found["name"], &found["decoded"]), (&"feed-1".into(), &false.into()));
                assert_eq!(found["frames"], feed["frames"]);
            } else {
                assert_eq!(found["name"], feed["name"]);
                assert!(found["frames"].as_u64() <= feed["frames"].as_u64());
            }
        }
    }
    // The last block cut out: the end mark says so.
    let (last, end) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    bot.write("cut.pmrec", [&whole[..last], &whole[end..]].concat());
    bot.run("inspect cut.pmrec").exits(4).says("frames before the end mark are missing").notes("cut.pmrec: damaged at byte ");
    bot.run("paper --recording cut.pmrec").exits(4).notes("cut.pmrec: corrupt at byte ");
}

#[test]
fn inspect_counts_the_views_that_disagree() {
    let test = "inspect_counts_the_views_that_disagree";
    let format = "pm-btc15m-tob-events-2026-04-01";
    let Some(folder) = data::shared(format, test) else { return };
    let bot = Bot::new();
    bot.run(&format!("import --format {format} --out tob.pmrec '{}'", folder.display())).exits(0);
    // 1,559 of the 13,749 rows of this set have two touches that are not mirrors of each other.
    bot.run("inspect tob.pmrec").exits(0).says("views disagree  1559 of 13749 pairs\n");
    let json = bot.run("inspect tob.pmrec --json").exits(0).json();
    assert_eq!((&json["view_disagreements"], &json["view_pairs"]), (&1_559.into(), &13_749.into()));
    assert_eq!(json["feeds"][0]["counters"]["view_disagreements"], 1_559);
}

#[test]
fn inspect_shows_what_the_decoders_counted() {
    let bot = Bot::new();
    data::record(&bot.path("day.pmrec"), 120);
    bot.run("inspect day.pmrec").exits(0).says("  counters      ").says("snapshots ");
    let json = bot.run("inspect day.pmrec --json").exits(0).json();
    let counters = |name: &str| {
        let feed = json["feeds"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap();
        feed["counters"].clone()
    };
    let bybit = counters("bybit.linear");
    assert!(bybit["snapshots"].as_u64().unwrap() > 0 && bybit["deltas"].as_u64().unwrap() > 0, "{bybit}");
    for name in ["overlong", "absent_deletes", "off_grid", "duplicates", "clock_back"] {
        assert_eq!(bybit[name], 0, "{name} of a sound feed");
    }
    assert_eq!(counters("polymarket.market")["misfits"], 0);
    // A delta that comes twice is counted.
    let Some(folder) = data::shared("bybit-ob500-xrpusdt", "inspect_shows_what_the_decoders_counted") else { return };
    bot.run(&format!("import --format bybit-ob500-xrpusdt --out x.pmrec '{}'", folder.display())).exits(0);
    let json = bot.run("inspect x.pmrec --json").exits(0).json();
    let feeds = json["feeds"].as_array().unwrap();
    let counters = &feeds.iter().find(|f| f["name"] == "bybit.linear").unwrap()["counters"];
    assert_eq!((&counters["snapshots"], &counters["deltas"], &counters["gaps"]), (&1.into(), &49.into(), &0.into()));
}

#[test]
fn a_second_file_that_begins_mid_stream_continues_no_book_of_the_first() {
    let bot = Bot::new();
    // Until second 500 all frames; from then on no whole book of the market socket, as a recorder sees it that was started in between.
    let seen = |second: u64, feed: &str, text: &str| {
        second < 500 || feed != "polymarket.market" || !text.contains(r#""event_type":"book""#)
    };
    let part = |name: &str, until| data::Part { path: bot.path(name), until, keep: &seen };
    data::record_parts(900, &mut [part("one.pmrec", u64::MAX)]);
    data::record_parts(900, &mut [part("a.pmrec", 500), part("b.pmrec", u64::MAX)]);
    let opportunities = |files: &str| {
        let json = bot.run(&format!("paper --json --source replay {files} --bankroll 1000")).exits(0).json();
        json["opportunities"].as_u64().unwrap()
    };
    let first = opportunities("--recording a.pmrec");
    assert!(first > 0 && opportunities("--recording one.pmrec") > first, "in one connection the changes continue the books");
    assert_eq!(opportunities("--recording a.pmrec --recording b.pmrec"), first);
}

#[test]
fn what_an_import_cannot_do_is_said_with_its_place_before_anything_is_written() {
    let bot = Bot::new();
    bot.write("a.ob500.data", "{\"ts\":1733011200691}\nnot json\n");
    bot.write("e.ob500.data", "");
    bot.write("there.pmrec", "x");
    bot.write("m.toml", "name = \"m\"\ndescription = \"d\"\norigin = \"o\"\n[[input]]\nfiles = \"*\"\nshape = \"csv_ticks\"\ntime = \"{t|s}\"\n[[input.record]]\nkind = \"resolved\"\nfields = {}\n");
    let import = |format: &str, out: &str, path: &str| bot.run(&format!("import --format {format} --out {out} {path}")).quiet();
    let ob = "bybit-ob500-xrpusdt";
    import(ob, "x.pmrec", "a.ob500.data").exits(4).notes("a.ob500.data, line 2, byte 2: expected");
    import(ob, "x.pmrec", "e.ob500.data").exits(4).notes("e.ob500.data: the file is empty");
    import(ob, "x.pmrec", "absent").exits(3).notes("absent: No such file or directory");
    import(ob, "there.pmrec", "a.ob500.data").exits(2).notes("there.pmrec: exists already and is not overwritten");
    import(ob, "none/x.pmrec", "a.ob500.data").exits(2).notes("none/x.pmrec: its folder does not exist");
    import(ob, "x.pmrec", "m.toml").exits(2).notes("reads *ob500.data*; there is none in m.toml");
    import("nothing", "x.pmrec", "a.ob500.data")
        .exits(2)
        .notes("is neither a format nor a mapping file")
        .notes("\n    bybit-ob500-xrpusdt\n");
    import("there.pmrec", "x.pmrec", "a.ob500.data").exits(2).notes("mapping there.pmrec: ");
    import("m.toml", "x.pmrec", "a.ob500.data")
        .exits(2)
        .notes("mapping m.toml: line 9, record \"resolved\" of input \"*\": csv_ticks makes no such record");
    assert!(!bot.path("x.pmrec").exists());
    let said = bot.run("--json import --format nothing --out x.pmrec m.toml").exits(2);
    assert!(said.field("error").contains("bybit-ob500-xrpusdt"));
}

#[test]
fn what_is_absent_or_no_recording_has_its_own_code() {
    let bot = Bot::new();
    bot.write("text", "not a recording, whatever its name");
    bot.write("empty", "");
    for command in ["paper --recording", "inspect", "markets --recording"] {
        bot.run(&format!("{command} absent.pmrec")).exits(3).quiet().notes("absent.pmrec: ").notes("No such file or directory");
        bot.run(&format!("{command} text")).exits(4).quiet().notes("text: not a recording");
        bot.run(&format!("{command} empty")).exits(4).quiet().notes("empty: ");
        bot.run(&format!("{command} .")).exits(4).quiet().notes(".: not a recording (it is a folder)");
    }
    bot.run("paper --source replay").exits(2).notes("--source replay needs --recording FILE");
    bot.run("paper --source sim --recording text").exits(2).notes("--recording goes with --source replay");
    assert!(bot.run("paper --json --recording absent.pmrec").exits(3).field("error").contains("absent.pmrec"));
}

#[test]
fn import_lists_its_formats_and_names_what_is_wrong() {
    let bot = Bot::new();
    bot.write("data.csv", "time,price\n1,2\n");
    bot.run("import --list").exits(0).says("A format is a small mapping file");
    let formats = bot.run("import --list --json").exits(0).json();
    assert!(formats.as_array().unwrap().len() > 5);
    bot.run("import --format nonsense --out x.pmrec data.csv").exits(2).notes("nonsense");
    bot.run("import --format nonsense data.csv").exits(2).notes("--out <FILE.pmrec>");
    let name = formats.pointer("/0/name").and_then(Value::as_str).unwrap();
    bot.run(&format!("import --format {name} --out x.pmrec absent")).exits(3).notes("absent: No such file");
}
