//! Journals: replayed they give the same decisions, damaged they say where.

use crate::bot::Bot;

#[test]
fn a_journal_gives_the_same_hash() {
    let bot = Bot::new();
    let hash = bot
        .run("paper --json --source sim --seed 7 --windows 6 --bankroll 1000 --makers careless --journal day.pmj")
        .field("decision_hash");
    bot.run("replay day.pmj").exits(0).says(&hash).says("reproduced     every step gave the same commands");
    let json = bot.run("replay day.pmj --json").exits(0);
    assert_eq!(json.field("decision_hash"), hash);
    assert_eq!(json.json().get("reproduced"), Some(&true.into()));
}

#[test]
fn a_flipped_byte_is_named_with_its_place() {
    let bot = Bot::new();
    bot.run("paper --json --source sim --windows 2 --journal day.pmj").exits(0);
    let whole = std::fs::read(bot.path("day.pmj")).unwrap();
    for at in [2, 60, whole.len() / 3, whole.len() / 2, whole.len() - whole.len() / 8] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        bot.write("bad.pmj", &bytes);
        let said = bot.run("replay bad.pmj").exits(4).notes("pmbot: bad.pmj: ");
        if at > 60 {
            said.notes("corrupt at byte ");
        }
    }
}

#[test]
fn a_truncated_journal_replays_to_its_last_whole_entry() {
    let bot = Bot::new();
    bot.run("paper --json --source sim --windows 2 --journal day.pmj").exits(0);
    let whole = std::fs::read(bot.path("day.pmj")).unwrap();
    bot.write("torn.pmj", &whole[..whole.len() / 2]);
    bot.run("replay torn.pmj")
        .exits(0)
        .says("the file ends in a torn record at byte ")
        .says("whole entries before it were replayed");
    let json = bot.run("--json replay torn.pmj").exits(0).json();
    assert!(json.get("torn_at").is_some_and(serde_json::Value::is_u64), "{json:#}");
}

#[test]
fn what_is_no_journal_says_so() {
    let bot = Bot::new();
    bot.write("empty", "");
    bot.write("text", "this is a text and certainly no journal");
    bot.run("replay empty").exits(4).notes("pmbot: empty: too short to be a journal");
    bot.run("replay text").exits(4).notes("pmbot: text: not a pmbot journal");
    bot.run("replay absent.pmj").exits(3).notes("pmbot: absent.pmj: No such file or directory");
    let said = bot.run("replay absent.pmj --json").exits(3);
    assert!(said.field("error").contains("absent.pmj"));
}

#[test]
fn a_journal_is_never_overwritten_and_leaves_no_run_behind() {
    let bot = Bot::new();
    bot.run("paper --json --windows 1").exits(0);
    let before = bot.run("report --json").field("run_id");
    bot.write("day.pmj", "precious");
    bot.run("paper --windows 1 --journal day.pmj").exits(2).notes("day.pmj: the file exists; a journal is never overwritten");
    assert_eq!(std::fs::read(bot.path("day.pmj")).unwrap(), b"precious");
    assert_eq!(bot.run("report --json").field("run_id"), before);
}

/// A file-size limit stands in for a full disk: the write fails in the middle of the run, for every user and on every machine.
#[test]
fn a_disk_that_is_full_for_the_journal_ends_the_run_and_keeps_what_was_done() {
    let bot = Bot::new();
    bot.write("limited", "trap '' XFSZ; ulimit -f 700; exec \"$pmbot\" \"$@\"");
    // The store lies elsewhere in a real case; here it is small enough for the limit.
    let said = bot.shell("bash limited paper --windows 3 --journal day.pmj --db small.sqlite");
    let said = said.exits(5).notes("pmbot: day.pmj: File too large").says("WARNING the run ended early: day.pmj: File too large");
    assert!(said.out.contains("rows written"), "{}", said.out);
    assert_eq!(bot.run("report --json --db small.sqlite").field("status"), "failed");
    // The limit cuts within a record, or by chance right behind one: either is said.
    let replayed = bot.run("replay day.pmj").exits(0);
    assert!(replayed.out.contains("torn record") || replayed.out.contains("no end record"), "{}", replayed.out);
}
