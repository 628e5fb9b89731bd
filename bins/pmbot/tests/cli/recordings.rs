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
    bot.run("inspect bad.pmrec").exits(4).notes("bad.pmrec");
    let said = bot.run("paper --recording bad.pmrec").exits(4).notes("bad.pmrec").notes("byte");
    assert!(said.out.contains("WARNING the run ended early") || said.out.is_empty(), "{}", said.out);
    let said = bot.run("paper --json --recording bad.pmrec").exits(4);
    assert!(said.field("error").contains("bad.pmrec"));
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
