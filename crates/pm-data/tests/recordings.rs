//! The recording format through its public door: round trips, crashes, damage, seeking, merging.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pm_core::ids::FeedId;
use pm_core::time::{Dur, Stamp, Ts};
use pm_data::recording::{Entry, FeedInfo, FileWriter, Reader, RecordingError, Replay, Tail, Writer, WriterSettings};
use proptest::prelude::*;

type Frame = (i64, u64, u16, Vec<u8>);

fn small_blocks() -> WriterSettings {
    WriterSettings { max_raw: 64, max_age: Dur::from_secs(1_000_000), level: 1 }
}

fn record(frames: &[Frame], feeds: u16, settings: WriterSettings) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), settings).unwrap();
    for i in 0..feeds {
        writer.add_feed(FeedInfo::named(format!("feed{i}"), "test")).unwrap();
    }
    for (wall, mono, feed, bytes) in frames {
        writer.push(Stamp { wall: Ts::from_nanos(*wall), mono_ns: *mono }, FeedId(*feed), bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All frames to the end or the first error.
fn read(reader: &mut Reader) -> (Vec<Frame>, Option<RecordingError>) {
    let mut out = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(Entry::Epoch(_))) => {}
            Ok(Some(Entry::Frame(f))) => out.push((f.stamp.wall.nanos(), f.stamp.mono_ns, f.feed.0, f.bytes.to_vec())),
            Ok(None) => return (out, None),
            Err(e) => return (out, Some(e)),
        }
    }
}

fn ticks(n: i64) -> Vec<Frame> {
    (0..n).map(|i| (i * 1_000, u64::try_from(i).unwrap() * 1_000, 0, format!("{{\"frame\":{i}}}").into_bytes())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_was_written_is_read(
        frames in proptest::collection::vec((any::<i64>(), any::<u64>(), 0_u16..3, proptest::collection::vec(any::<u8>(), 0..200)), 0..60),
        max_raw in 1_usize..2_000,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let bytes = record(&frames, 3, WriterSettings { max_raw, ..small_blocks() });
        let mut reader = Reader::open(&file(dir.path(), "a", &bytes)).unwrap();
        prop_assert_eq!(reader.entries(), u64::try_from(frames.len()).unwrap());
        let (got, error) = read(&mut reader);
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(got, frames);
        prop_assert_eq!(reader.tail(), Tail::Closed);
        prop_assert_eq!(reader.feeds().len(), 3);
    }

    #[test]
    fn any_bytes_are_an_error_or_a_recording(bytes in proptest::collection::vec(any::<u8>(), 0..400), graft in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let mut whole = if graft { record(&ticks(3), 1, small_blocks()) } else { Vec::new() };
        whole.extend(&bytes);
        let path = file(dir.path(), "a", &whole);
        for open in [Reader::open, Reader::open_lenient] {
            if let Ok(mut reader) = open(&path) {
                let (got, _) = read(&mut reader);
                prop_assert!(got.len() <= 3);
            }
        }
    }
}

#[test]
fn cut_at_every_byte_gives_a_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let frames = ticks(20);
    let whole = record(&frames, 1, small_blocks());
    let mut longest = 0;
    for cut in 0..whole.len() {
        let path = file(dir.path(), "a", &whole[..cut]);
        match Reader::open(&path) {
            Err(e) => assert!(cut < 32, "{cut}: {e}"),
            Ok(mut reader) => {
                let (got, error) = read(&mut reader);
                assert!(error.is_none(), "{cut}: {error:?}");
                assert_eq!(got, frames[..got.len()], "{cut}");
                assert!(got.len() >= longest, "more bytes never give fewer frames");
                longest = got.len();
                assert_ne!(reader.tail(), Tail::Closed);
                if let Tail::Truncated { offset, bytes } = reader.tail() {
                    assert_eq!(offset + bytes, u64::try_from(cut).unwrap());
                }
            }
        }
    }
    assert_eq!(longest, 20);
}

#[test]
fn every_flipped_bit_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let frames = ticks(9);
    let whole = record(&frames, 1, small_blocks());
    for bit in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let path = file(dir.path(), "a", &bad);
        let Ok(mut reader) = Reader::open(&path) else { continue };
        let (got, error) = read(&mut reader);
        let error = error.unwrap_or_else(|| panic!("bit {bit} of byte {} was not detected", bit / 8));
        assert_eq!(got, frames[..got.len()], "bit {bit}");
        match error {
            RecordingError::Corrupt { offset, .. } => {
                assert!(offset <= u64::try_from(bit / 8).unwrap(), "{offset} is behind the damage");
            }
            other => panic!("{other}"),
        }
        // The lenient reader loses no more than the damaged block.
        let (kept, error) = read(&mut Reader::open_lenient(&path).unwrap());
        assert!(error.is_none());
        assert!(kept.iter().all(|f| frames.contains(f)));
    }
}

#[test]
fn a_lenient_reader_passes_over_the_damaged_block_only() {
    let dir = tempfile::tempdir().unwrap();
    let frames = ticks(12);
    let whole = record(&frames, 1, small_blocks());
    // The magic of blocks gives their offsets; the first is the feed block.
    let blocks: Vec<usize> = (0..whole.len() - 4).filter(|i| &whole[*i..*i + 4] == b"PmB\x01").collect();
    let mut bad = whole.clone();
    bad[blocks[2] + 60] ^= 0xff;
    let path = file(dir.path(), "a", &bad);
    let mut strict = Reader::open(&path).unwrap();
    let (before, error) = read(&mut strict);
    assert!(matches!(error, Some(RecordingError::Corrupt { offset, .. }) if offset == u64::try_from(blocks[2]).unwrap()));
    let mut reader = Reader::open_lenient(&path).unwrap();
    let (kept, error) = read(&mut reader);
    assert!(error.is_none());
    assert_eq!(reader.skipped().len(), 1);
    assert_eq!(kept[..before.len()], before[..]);
    assert!(kept.len() > before.len() && kept.last() == frames.last(), "what is behind the damage is read");
    // A damaged header: the next block is found by its magic.
    let mut bad = whole;
    bad[blocks[2] + 9] ^= 0xff;
    let mut reader = Reader::open_lenient(&file(dir.path(), "b", &bad)).unwrap();
    let (kept, error) = read(&mut reader);
    assert!(error.is_none() && kept.last() == frames.last() && reader.skipped().len() == 1);
}

#[test]
fn what_is_no_recording_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let text = |bytes: &[u8]| Reader::open(&file(dir.path(), "x.pmrec", bytes)).unwrap_err().to_string();
    assert!(text(b"").ends_with("x.pmrec: the file is empty, not a recording"), "{}", text(b""));
    assert!(text(b"hello, world").contains("not a recording"));
    assert!(text(b"PMREC\r\n\x1a").contains("ends inside of the file header"));
    let mut newer = record(&[], 0, small_blocks());
    newer[8] = 9;
    let crc = crc32fast::hash(&newer[..28]).to_le_bytes();
    newer[28..32].copy_from_slice(&crc);
    assert!(text(&newer).contains("version 9; this program reads version 1"), "{}", text(&newer));
    assert!(matches!(Reader::open(&dir.path().join("absent")), Err(RecordingError::Io { .. })));
}

#[test]
fn a_tail_of_zeros_after_a_power_loss_is_a_truncated_tail() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(Vec::new(), small_blocks()).unwrap();
    let feed = writer.add_feed(FeedInfo::named("a", "")).unwrap();
    writer.push(Stamp::default(), feed, b"x").unwrap();
    writer.flush().unwrap();
    let mut bytes = writer.finish().unwrap();
    bytes.truncate(bytes.len() - 52);
    let whole = u64::try_from(bytes.len()).unwrap();
    bytes.extend([0; 5_000]);
    let mut reader = Reader::open(&file(dir.path(), "a", &bytes)).unwrap();
    assert_eq!(read(&mut reader).0.len(), 1);
    assert_eq!(reader.tail(), Tail::Truncated { offset: whole, bytes: 5_000 });
}

/// A sink that takes so many bytes and no more, as a full disk.
struct Full {
    taken: Vec<u8>,
    room: usize,
}

impl Write for &mut Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room - self.taken.len());
        if n == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.taken.extend(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_and_earlier_blocks_stay_readable() {
    let dir = tempfile::tempdir().unwrap();
    let frames = ticks(200);
    for room in [200, 333, 1_000, 2_000] {
        let mut sink = Full { taken: Vec::new(), room };
        let mut writer = Writer::new(&mut sink, small_blocks()).unwrap();
        let feed = writer.add_feed(FeedInfo::named("a", "")).unwrap();
        let mut refused = None;
        for (wall, mono, _, bytes) in &frames {
            if let Err(e) = writer.push(Stamp { wall: Ts::from_nanos(*wall), mono_ns: *mono }, feed, bytes) {
                refused = Some(e);
                break;
            }
        }
        let Some(RecordingError::Write { written, .. }) = refused else { panic!("{refused:?}") };
        assert!(matches!(writer.push(Stamp::default(), feed, b""), Err(RecordingError::Failed)));
        assert!(matches!(writer.flush(), Err(RecordingError::Failed)));
        drop(writer);
        let mut reader = Reader::open(&file(dir.path(), "a", &sink.taken)).unwrap();
        let (got, error) = read(&mut reader);
        assert!(error.is_none() && got == frames[..got.len()], "{room}");
        if let Tail::Truncated { offset, .. } = reader.tail() {
            assert_eq!(offset, written, "all whole blocks are there");
        }
    }
}

#[test]
fn flush_and_age_bound_what_a_crash_can_lose() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pmrec");
    let mut writer = FileWriter::create(&path, WriterSettings::default()).unwrap();
    let feed = writer.add_feed(FeedInfo::named("a", "")).unwrap();
    let on_disk = || read(&mut Reader::open(&path).unwrap()).0.len();
    writer.push(Stamp::default(), feed, b"one").unwrap();
    assert_eq!(on_disk(), 0);
    writer.flush().unwrap();
    assert_eq!(on_disk(), 1);
    writer.push(Stamp { wall: Ts::from_secs(10), mono_ns: 0 }, feed, b"two").unwrap();
    assert_eq!(on_disk(), 1);
    // The wall clock went back; the monotonic one knows that a second has passed.
    writer.push(Stamp { wall: Ts::from_secs(3), mono_ns: 1_000_000_000 }, feed, b"three").unwrap();
    assert_eq!(on_disk(), 3);
    writer.sync().unwrap();
    drop(writer.finish().unwrap());
    assert!(matches!(FileWriter::create(&path, WriterSettings::default()), Err(RecordingError::Io { .. })), "never overwritten");
}

#[test]
fn the_last_frames_of_a_feed_that_fell_silent_reach_the_file_by_the_tick() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.pmrec");
    let mut writer = FileWriter::create(&path, WriterSettings::default()).unwrap();
    let feed = writer.add_feed(FeedInfo::named("a", "")).unwrap();
    let on_disk = || read(&mut Reader::open(&path).unwrap()).0.len();
    let at = |mono_ns| Stamp { wall: Ts::from_secs(4), mono_ns };
    writer.push(at(0), feed, b"last words").unwrap();
    writer.tick(at(999_999_999)).unwrap();
    assert_eq!(on_disk(), 0, "not a second old");
    writer.tick(at(1_000_000_000)).unwrap();
    assert_eq!(on_disk(), 1);
    let written = writer.written();
    writer.tick(at(9_000_000_000)).unwrap();
    assert_eq!(writer.written(), written, "nothing waits, nothing is written");
}

#[test]
fn limits_are_kept() {
    let mut writer = Writer::new(Vec::new(), small_blocks()).unwrap();
    assert!(matches!(writer.push(Stamp::default(), FeedId(0), b""), Err(RecordingError::UnknownFeed(0))));
    let feed = writer.add_feed(FeedInfo::named("a", "")).unwrap();
    let big = vec![0; pm_data::recording::MAX_FRAME + 1];
    assert!(matches!(writer.push(Stamp::default(), feed, &big), Err(RecordingError::FrameTooLarge(_))));
    // The largest frame fits, in a block of its own.
    writer.push(Stamp::default(), feed, &big[1..]).unwrap();
    writer.push(Stamp::default(), feed, b"next").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (got, error) = read(&mut Reader::open(&file(dir.path(), "a", &writer.finish().unwrap())).unwrap());
    assert!(error.is_none() && got.len() == 2 && got[0].3.len() == pm_data::recording::MAX_FRAME);
}

#[test]
fn seek_finds_the_first_frame_at_or_after_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut frames = ticks(50);
    frames[20].0 = 5_000; // The clock goes back once.
    let path = file(dir.path(), "a", &record(&frames, 1, small_blocks()));
    let mut reader = Reader::open(&path).unwrap();
    for at in [i64::MIN, 0, 1, 4_999, 5_000, 19_500, 20_000, 20_001, 48_999, 49_000, 49_001] {
        reader.seek(Ts::from_nanos(at)).unwrap();
        let wanted = frames.iter().position(|f| f.0 >= at).unwrap_or(frames.len());
        assert_eq!(read(&mut reader).0, frames[wanted..], "{at}");
    }
    assert_eq!(reader.span(), Some((Ts::ZERO, Ts::from_nanos(49_000))));
}

#[test]
fn several_files_come_in_time_order_and_each_file_in_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let f = |wall: i64, text: &str| (wall, 0_u64, 0_u16, text.as_bytes().to_vec());
    let a = file(dir.path(), "a", &record(&[f(10, "a10"), f(20, "a20"), f(15, "a15"), f(40, "a40")], 1, small_blocks()));
    let b = file(dir.path(), "b", &record(&[f(10, "b10"), f(17, "b17"), f(30, "b30")], 2, small_blocks()));
    let mut replay = Replay::open(&[a, b]).unwrap();
    assert_eq!(replay.feeds().len(), 2, "equal feeds are one");
    let drain = |replay: &mut Replay| {
        let mut out = Vec::new();
        while let Some(entry) = replay.next().unwrap() {
            out.extend(entry.frame().map(|f| String::from_utf8(f.bytes.to_vec()).unwrap()));
        }
        out.join(" ")
    };
    assert_eq!(drain(&mut replay), "a10 b10 b17 a20 a15 b30 a40");
    assert_eq!(replay.backwards(), 1);
    assert_eq!(replay.entries(), 7);
    replay.seek(Ts::from_nanos(20)).unwrap();
    assert_eq!(drain(&mut replay), "a20 a15 b30 a40");
    let (done, total) = replay.progress();
    assert_eq!(done, total);
}
