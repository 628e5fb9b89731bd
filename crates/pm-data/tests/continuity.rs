//! Where a recording's continuity ends: recorded marks, changes of the file, damage; and files of the first writers, which have no marks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, unreachable_pub)]

mod common;

use std::path::{Path, PathBuf};

use pm_core::ids::FeedId;
use pm_core::time::{Dur, Stamp, Ts};
use pm_data::inspect;
use pm_data::recording::{Entry, FeedInfo, Reader, RecordingError, Replay, Tail, Writer, WriterSettings};
use proptest::prelude::*;

/// A block for each entry.
fn tiny() -> WriterSettings {
    WriterSettings { max_raw: 1, max_age: Dur::from_secs(1_000_000), level: 1 }
}

fn at(s: i64) -> Stamp {
    Stamp { wall: Ts::from_secs(s), mono_ns: 0 }
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Frames `(second, feed, text)` of feeds with names.
fn record(feeds: &[FeedInfo], frames: &[(i64, u16, &str)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), tiny()).unwrap();
    for feed in feeds {
        writer.add_feed(feed.clone()).unwrap();
    }
    for (s, feed, text) in frames {
        writer.push(at(*s), FeedId(*feed), text.as_bytes()).unwrap();
    }
    writer.finish().unwrap()
}

fn raw(name: &str) -> FeedInfo {
    FeedInfo::named(name, "test")
}

/// Entries as text: frames as they are, marks as `[feed kind]`.
fn told(entry: Entry<'_>) -> String {
    match entry {
        Entry::Frame(f) => format!("{}:{}", f.feed.0, String::from_utf8_lossy(f.bytes)),
        Entry::Epoch(m) => format!(
            "[{} {}{}{}]",
            m.feed.map_or(-1, |f| i32::from(f.0)),
            m.epoch.as_str(),
            if m.why.is_empty() { "" } else { ": " },
            m.why
        ),
    }
}

fn story(replay: &mut Replay) -> String {
    let mut out = Vec::new();
    while let Some(entry) = replay.next().unwrap() {
        out.push(told(entry));
    }
    out.join(" ")
}

fn read(reader: &mut Reader) -> (Vec<String>, Option<RecordingError>) {
    let mut out = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(entry)) => out.push(told(entry)),
            Ok(None) => return (out, None),
            Err(e) => return (out, Some(e)),
        }
    }
}

/// Offsets of the blocks.
fn blocks(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len() - 4).filter(|i| &bytes[*i..*i + 4] == b"PmB\x01").collect()
}

#[test]
fn marks_of_connections_come_back_where_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(Vec::new(), WriterSettings::default()).unwrap();
    let (a, b) = (writer.add_feed(raw("a")).unwrap(), writer.add_feed(raw("b")).unwrap());
    writer.epoch(at(1), a, true, "").unwrap();
    writer.push(at(2), a, b"x").unwrap();
    writer.epoch(at(3), b, false, "closed by the other side").unwrap();
    writer.epoch(at(4), a, true, "again").unwrap();
    writer.push(at(5), a, b"y").unwrap();
    assert!(matches!(writer.epoch(at(5), FeedId(2), true, ""), Err(RecordingError::UnknownFeed(2))));
    assert_eq!(writer.frames(), 2);
    let path = file(dir.path(), "a", &writer.finish().unwrap());
    let mut replay = Replay::open(std::slice::from_ref(&path)).unwrap();
    assert_eq!(replay.entries(), 5);
    let all = "[0 up] 0:x [1 down: closed by the other side] [0 up: again] 0:y";
    assert_eq!(story(&mut replay), all);
    replay.seek(Ts::from_secs(4)).unwrap();
    assert_eq!(story(&mut replay), "[0 jumped] [1 jumped] [0 up: again] 0:y");
    let summary = inspect::run(&mut Replay::open(&[path]).unwrap(), &mut |_| None, &mut |_, _| {}).unwrap();
    assert_eq!((summary.frames, summary.feeds[0].epochs["up"], summary.feeds[1].epochs["down"]), (2, 2, 1));
    assert!(summary.to_string().contains("connections   up 2"), "{summary}");
}

#[test]
fn a_feed_that_goes_on_in_another_file_is_another_connection() {
    let dir = tempfile::tempdir().unwrap();
    let other = FeedInfo::named("x", "another recorder");
    let a = file(dir.path(), "a", &record(&[raw("x"), raw("y")], &[(1, 0, "a1"), (2, 1, "a2"), (3, 0, "a3")]));
    let b = file(dir.path(), "b", &record(&[other, raw("z")], &[(4, 0, "b4"), (5, 1, "b5"), (6, 0, "b6")]));
    // Feed 2 is named as feed 0 and comes from another recorder: one stream of the venue, so both are reset. The others are not touched.
    let mut replay = Replay::open(&[a.clone(), b]).unwrap();
    assert_eq!(story(&mut replay), "0:a1 1:a2 0:a3 [0 file_changed] [2 file_changed] 2:b4 3:b5 2:b6");
    // Files of different feeds side by side: nothing is another connection.
    let c = file(dir.path(), "c", &record(&[raw("c")], &[(1, 0, "c1"), (2, 0, "c2"), (3, 0, "c3")]));
    assert_eq!(story(&mut Replay::open(&[a, c]).unwrap()), "0:a1 2:c1 1:a2 2:c2 0:a3 2:c3");
}

#[test]
fn derived_files_side_by_side_go_on_and_one_behind_the_other_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let derived = FeedInfo { derived: true, ..raw("derived") };
    let a = file(dir.path(), "a", &record(std::slice::from_ref(&derived), &[(1, 0, "a1"), (3, 0, "a3")]));
    let b = file(dir.path(), "b", &record(&[derived], &[(2, 0, "b2"), (4, 0, "b4")]));
    assert_eq!(story(&mut Replay::open(&[a, b]).unwrap()), "0:a1 0:b2 0:a3 [0 file_changed] 0:b4");
}

#[test]
fn inspection_loses_the_books_of_a_connection_that_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(Vec::new(), WriterSettings::default()).unwrap();
    let feed = writer.add_feed(FeedInfo { derived: true, ..raw("derived") }).unwrap();
    let top = br#"{"top":{"venue":"polymarket","market":"m","outcome":"first","bid":"0.5","ask":"0.6"}}"#;
    writer.push(at(1), feed, top).unwrap();
    writer.epoch(at(2), feed, false, "").unwrap();
    let path = file(dir.path(), "a", &writer.finish().unwrap());
    let summary = common::inspected(&path);
    assert_eq!(summary.book_losses.get("Disconnected"), Some(&1), "{summary}");
}

/// Two feeds and three frames, as the first writer of this format wrote them: no numbers in headers.
const OLD: &str = "\
    504d5245430d0a1a0100000000000000000000000000000000000000074f979a506d42010100000046000000460000000000000000000000000000000000000000\
    000000000000000000000030dce6a2deef410f7b226e616d65223a2261222c226f726967696e223a226f222c2264657269766564223a66616c73652c2273616d70\
    6c6564223a66616c73652c226d617070696e67223a22227d506d420101000000460000004600000000000000000000000000000000000000000000000000000000\
    000000710bb124b51e0e557b226e616d65223a2262222c226f726967696e223a226f222c2264657269766564223a66616c73652c2273616d706c6564223a66616c\
    73652c226d617070696e67223a22227d506d420102010000190000001000000002000000000000000000000000ca9a3b0000000000000000000000004ec244aae3\
    ded5bf28b52ffd20108100000000000261300180a8d6b90702026231506d420102010000130000000a000000010000000094357700000000009435770000000002\
    000000000000001a84e5d42e5ca0e628b52ffd200a5100000080d0acf30e04026132506d4201030000000000000000000000000000000094357700000000009435\
    77000000000300000000000000000000008263a0c5";

fn old() -> Vec<u8> {
    (0..OLD.len() / 2).map(|i| u8::from_str_radix(&OLD[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn files_of_the_first_writers_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = Reader::open(&file(dir.path(), "a", &old())).unwrap();
    assert_eq!(reader.feeds().iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let (got, error) = read(&mut reader);
    assert!(error.is_none());
    assert_eq!((got.join(" ").as_str(), reader.tail()), ("0:a0 1:b1 0:a2", Tail::Closed));
    // Damage to the header of their first feed: which feed the second one is cannot be told, and nothing is guessed.
    let mut bad = old();
    let at = blocks(&bad)[0];
    bad[at + 9] ^= 1;
    let mut reader = Reader::open_lenient(&file(dir.path(), "b", &bad)).unwrap();
    assert_eq!(reader.feeds().iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["feed-0"]);
    let (got, error) = read(&mut reader);
    assert!(error.is_none() && got.iter().all(|e| e.starts_with("0:") || e.starts_with("[-1 damage]")), "{got:?}");
}

#[test]
fn a_damaged_feed_block_moves_no_frame_to_another_feed() {
    let dir = tempfile::tempdir().unwrap();
    let feeds = ["a", "b", "c"].map(raw);
    let whole = record(&feeds, &[(1, 0, "a1"), (2, 1, "b2"), (3, 2, "c3"), (4, 0, "a4")]);
    let starts = blocks(&whole);
    for (what, block, place, names, entries) in [
        ("payload of the middle one", 1, 60, vec!["a", "feed-1", "c"], "[-1 damage] 0:a1 1:b2 2:c3 0:a4"),
        ("header of the middle one", 1, 9, vec!["a", "feed-1", "c"], "[-1 damage] 0:a1 1:b2 2:c3 0:a4"),
        ("header of the first one", 0, 9, vec!["feed-0", "b", "c"], "[-1 damage] 0:a1 1:b2 2:c3 0:a4"),
        ("payload of the last one", 2, 60, vec!["a", "b", "feed-2"], "[-1 damage] 0:a1 1:b2 2:c3 0:a4"),
        // How many feeds there are is said by the end mark.
        ("header of the last one", 2, 9, vec!["a", "b", "feed-2"], "[-1 damage] 0:a1 1:b2 2:c3 0:a4"),
    ] {
        let mut bad = whole.clone();
        bad[starts[block] + place] ^= 0xff;
        let path = file(dir.path(), "bad", &bad);
        let mut reader = Reader::open_lenient(&path).unwrap();
        assert_eq!(reader.feeds().iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), names, "{what}");
        let (got, error) = read(&mut reader);
        assert!(error.is_none(), "{what}: {error:?}");
        assert_eq!(got.join(" "), entries, "{what}");
        assert_eq!(reader.skipped().len(), 1, "{what}");
        assert_eq!(reader.skipped()[0].offset, u64::try_from(starts[block]).unwrap(), "{what}");
        assert!(reader.skipped()[0].bytes > 52, "{what}");
        let (_, error) = read(&mut Reader::open(&path).unwrap());
        assert!(matches!(error, Some(RecordingError::Corrupt { offset, .. }) if offset == u64::try_from(starts[block]).unwrap()));
    }
    // The last feed block damaged and no end mark: its frames are passed over and said, not given to another feed.
    let mut bad = whole[..*starts.last().unwrap()].to_vec();
    bad[starts[2] + 9] ^= 0xff;
    let mut reader = Reader::open_lenient(&file(dir.path(), "bad", &bad)).unwrap();
    let (got, error) = read(&mut reader);
    assert!(error.is_none());
    assert_eq!(got.join(" "), "[-1 damage] 0:a1 1:b2 [-1 damage] 0:a4");
    assert!(reader.skipped()[1].what.contains("feed 2"), "{:?}", reader.skipped());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever happens to a file, a lenient reader gives only frames that were written, each to the feed that it is of.
    #[test]
    fn no_damage_gives_a_frame_to_another_feed(
        at in 32_usize..1_600,
        length in 1_usize..400,
        how in 0_u8..4,
        byte in any::<u8>(),
    ) {
        let feeds = ["a", "b", "c"].map(raw);
        let frames = [(1, 0, "a1"), (2, 1, "b2"), (3, 2, "c3"), (4, 0, "a4"), (5, 1, "b5"), (6, 2, "c6")];
        let whole = record(&feeds, &frames);
        let at = at.min(whole.len() - 1);
        let end = (at + length).min(whole.len());
        let mut bad = whole.clone();
        match how {
            0 => bad[at..end].fill(byte),
            1 => drop(bad.drain(at..end)),
            2 => drop(bad.splice(at..at, whole[at..end].to_vec())),
            _ => bad.truncate(at),
        }
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), "a", &bad);
        for open in [Reader::open, Reader::open_lenient] {
            let Ok(mut reader) = open(&path) else { continue };
            let names: Vec<String> = reader.feeds().iter().map(|f| f.name.clone()).collect();
            let mut last = 0;
            while let Ok(Some(entry)) = reader.next() {
                let Some(f) = entry.frame() else { continue };
                let second = f.stamp.wall.secs();
                let (_, feed, text) = frames.iter().find(|w| w.0 == second).unwrap();
                prop_assert_eq!((f.bytes, f.feed.0), (text.as_bytes(), *feed));
                let name = &names[usize::from(*feed)];
                prop_assert!(*name == feeds[usize::from(*feed)].name || *name == format!("feed-{feed}"), "{}", name);
                prop_assert!(second > last, "each once, in order");
                last = second;
            }
        }
    }
}

#[test]
fn a_block_that_was_cut_out_is_damage_wherever_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let whole = record(&[raw("a"), raw("b")], &[(1, 0, "a1"), (2, 1, "b2"), (3, 0, "a3")]);
    let starts = blocks(&whole);
    // Feed, feed, three frame blocks, end.
    assert_eq!(starts.len(), 6);
    for cut in 0..5 {
        let mut bad = whole[..starts[cut]].to_vec();
        bad.extend(&whole[starts[cut + 1]..]);
        let path = file(dir.path(), "bad", &bad);
        let (got, error) = read(&mut Reader::open(&path).unwrap());
        // That the last feed is missing shows at its first frame (strict), or in the end mark (lenient).
        let (strict, lenient) = if cut == 1 { (starts[3], starts[5]) } else { (starts[cut + 1], starts[cut + 1]) };
        let gone = starts[cut + 1] - starts[cut];
        let [strict, lenient] = [strict, lenient].map(|at| u64::try_from(at - gone).unwrap());
        assert!(
            matches!(error, Some(RecordingError::Corrupt { offset, .. }) if offset == strict),
            "{cut}: {error:?} after {got:?}"
        );
        let mut reader = Reader::open_lenient(&path).unwrap();
        let (kept, error) = read(&mut reader);
        assert!(error.is_none() && reader.skipped().iter().any(|s| s.offset == lenient), "{cut}: {:?}", reader.skipped());
        assert_eq!(kept.iter().filter(|e| !e.starts_with('[')).count(), if cut < 2 { 3 } else { 2 }, "{cut}: {kept:?}");
        assert_eq!(reader.tail(), Tail::Closed);
    }
    // The same block twice is not two blocks.
    let mut twice = whole[..starts[4]].to_vec();
    twice.extend(&whole[starts[3]..]);
    let path = file(dir.path(), "twice", &twice);
    assert!(read(&mut Reader::open(&path).unwrap()).1.is_some());
    let (kept, _) = read(&mut Reader::open_lenient(&path).unwrap());
    assert_eq!(kept.join(" "), "0:a1 1:b2 [-1 damage] 0:a3");
    // Bytes behind the end mark were not written by the recorder.
    let mut more = whole;
    more.extend([7; 100]);
    let path = file(dir.path(), "more", &more);
    let (got, error) = read(&mut Reader::open(&path).unwrap());
    assert!(got.len() == 3 && error.unwrap().to_string().contains("bytes behind the end mark"));
}

#[test]
fn a_payload_that_never_reached_the_disk_is_a_truncated_tail() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(Vec::new(), WriterSettings { max_raw: 1 << 20, ..tiny() }).unwrap();
    let feed = writer.add_feed(raw("a")).unwrap();
    writer.push(at(1), feed, b"first").unwrap();
    writer.flush().unwrap();
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..6_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_le_bytes()[7]
        })
        .collect();
    writer.push(at(2), feed, &noise).unwrap();
    let whole = writer.finish().unwrap();
    let starts = blocks(&whole);
    let last = starts[2];
    let end = starts[3];
    let offset = u64::try_from(last).unwrap();
    let tail = |bytes: &[u8]| {
        let mut reader = Reader::open(&file(dir.path(), "a", bytes)).unwrap();
        let (got, error) = read(&mut reader);
        (got.len(), error.map(|e| e.to_string()), reader.tail())
    };
    // The header is on the disk, of the payload nothing, or whole sectors of it; with or without space that was allocated behind.
    for written in [0, 1_024 - (last + 52) % 512, 4_096 - (last + 52) % 512] {
        for behind in [0, 3, 5_000] {
            let mut torn = whole[..end].to_vec();
            torn[last + 52 + written..].fill(0);
            torn.extend(vec![0; behind]);
            let bytes = u64::try_from(torn.len() - last).unwrap();
            assert_eq!(tail(&torn), (1, None, Tail::Truncated { offset, bytes }), "{written} {behind}");
        }
    }
    // Of the header only the first sector's part.
    let mut torn = whole[..last + 20].to_vec();
    torn.extend([0; 900]);
    assert_eq!(tail(&torn), (1, None, Tail::Truncated { offset, bytes: 920 }));
    // A block of the middle is not a tail, and a payload with other bytes is not unwritten.
    let mut hole = whole.clone();
    hole[last + 52..end].fill(0);
    assert!(tail(&hole).1.is_some_and(|e| e.contains(&format!("corrupt at byte {offset}"))));
    let mut flipped = whole[..end].to_vec();
    flipped[last + 60] ^= 1;
    assert!(tail(&flipped).1.is_some_and(|e| e.contains(&format!("corrupt at byte {offset}"))));
    // A feed block, too.
    let mut torn = whole[..starts[1]].to_vec();
    torn[starts[0] + 52..].fill(0);
    assert!(matches!(tail(&torn), (0, None, Tail::Truncated { .. })));
}
