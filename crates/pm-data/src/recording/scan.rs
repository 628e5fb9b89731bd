//! The index of a recording: one pass over block headers at opening. Feeds are read on the way, so that a driver knows all of them before
//! the first frame.

use std::io::{Read, Seek, SeekFrom};

use super::block::{BLOCK_HEAD, BLOCK_MAGIC, Head, Kind};
use super::{FeedInfo, MAX_FEEDS, Tail};

/// Disks write whole sectors: what a crash tears, it tears at a multiple of this.
const SECTOR: u64 = 512;

/// A block that was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// Frames at an offset.
    Frames { offset: u64, head: Head },
    /// Bytes that are no block, or (0 bytes) a place where a block is missing.
    Bad { offset: u64, bytes: u64, what: &'static str },
}

/// What the pass over a file gave.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) blocks: Vec<Found>,
    /// By number; `None` where the description is damaged (lenient readers only).
    pub(super) feeds: Vec<Option<FeedInfo>>,
    pub(super) tail: Tail,
}

/// Reads until `room` is full or the file ends; gives the bytes read.
pub(super) fn read_full<R: Read>(file: &mut R, room: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = room.get_mut(done..).filter(|r| !r.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// Scans from `offset` to `len`. In lenient mode damage is passed over to the next header that is whole; in strict mode it ends the scan.
pub(super) fn scan<R: Read + Seek>(file: &mut R, offset: u64, len: u64, lenient: bool) -> std::io::Result<Index> {
    let index = Index { blocks: Vec::new(), feeds: Vec::new(), tail: Tail::Open };
    let mut scan = Scan { file, len, lenient, index, expected: 0, sure: true, headers_lost: false, ended: false };
    scan.all(offset)?;
    Ok(scan.index)
}

/// What became of a block.
enum Step {
    /// It is in the index; the next one begins at its end.
    Taken,
    /// It is not to be used.
    Damaged(&'static str),
    /// The file ends inside of it.
    Torn,
}

struct Scan<'f, R> {
    file: &'f mut R,
    len: u64,
    lenient: bool,
    index: Index,
    /// Number of the next entry; exact when `sure`, else at least.
    expected: u64,
    sure: bool,
    /// A header could not be read: what kind of block it was is not known.
    headers_lost: bool,
    ended: bool,
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl<R: Read + Seek> Scan<'_, R> {
    fn all(&mut self, mut offset: u64) -> std::io::Result<()> {
        // The block before `offset`, when nothing lies between.
        let mut before: Option<u64> = None;
        while offset < self.len {
            let mut bytes = [0_u8; BLOCK_HEAD];
            self.file.seek(SeekFrom::Start(offset))?;
            let got = read_full(self.file, &mut bytes)?;
            let decoded = Head::decode(bytes.get(..got).unwrap_or_default());
            let step = match &decoded {
                _ if self.ended => {
                    if self.zeros_from(offset)? {
                        return Ok(());
                    }
                    Step::Damaged("bytes behind the end mark")
                }
                Ok(head) => self.block(offset, head)?,
                Err(_) if got < BLOCK_HEAD || self.torn_header(offset, &bytes)? => Step::Torn,
                Err(what) => {
                    self.headers_lost = true;
                    Step::Damaged(what)
                }
            };
            match (step, &decoded) {
                (Step::Taken, Ok(head)) => {
                    before = (head.kind == Kind::Frames).then_some(offset);
                    offset = offset.saturating_add(wide(BLOCK_HEAD)).saturating_add(u64::from(head.stored));
                    continue;
                }
                (Step::Taken | Step::Torn, _) => {
                    self.index.tail = Tail::Truncated { offset, bytes: self.len - offset };
                    break;
                }
                (Step::Damaged(what), _) => {
                    if !self.lenient {
                        self.index.blocks.push(Found::Bad { offset, bytes: self.len - offset, what });
                        return Ok(());
                    }
                    // A header that is whole says where its block ends; behind the end mark nothing is looked for.
                    let next = match &decoded {
                        _ if self.ended => self.len,
                        Ok(head) => offset.saturating_add(wide(BLOCK_HEAD)).saturating_add(u64::from(head.stored)),
                        Err(_) => resync(self.file, offset + 1, self.len)?.unwrap_or(self.len),
                    };
                    self.index.blocks.push(Found::Bad { offset, bytes: next - offset, what });
                    self.sure &= decoded.is_ok();
                    (before, offset) = (None, next);
                }
            }
        }
        self.torn_last(before)
    }

    /// Takes a block into the index, or says why it does not fit.
    fn block(&mut self, offset: u64, head: &Head) -> std::io::Result<Step> {
        let end = offset.saturating_add(wide(BLOCK_HEAD)).saturating_add(u64::from(head.stored));
        if end > self.len {
            return Ok(Step::Torn);
        }
        if head.seq < self.expected {
            return Ok(Step::Damaged("the block was there before"));
        }
        if self.sure && head.seq > self.expected {
            let what = match head.kind {
                Kind::End => "frames before the end mark are missing",
                Kind::Feeds | Kind::Frames => "a block before this one is missing",
            };
            if !self.missing(offset, what) {
                return Ok(Step::Damaged(what));
            }
        }
        let step = match head.kind {
            Kind::Frames => {
                self.index.blocks.push(Found::Frames { offset, head: *head });
                Step::Taken
            }
            Kind::Feeds => self.feed(offset, end, head)?,
            Kind::End => self.end(offset, head),
        };
        if matches!(step, Step::Taken) {
            self.expected = head.seq.saturating_add(if head.kind == Kind::Frames { u64::from(head.count) } else { 0 });
            self.sure = true;
        }
        Ok(step)
    }

    /// Something before `offset` is not there. A lenient reader notes it and goes on: true.
    fn missing(&mut self, offset: u64, what: &'static str) -> bool {
        if self.lenient {
            self.index.blocks.push(Found::Bad { offset, bytes: 0, what });
        }
        self.lenient
    }

    /// A feed. Its number is its own where it has one, so that the loss of a description moves no other feed's frames.
    fn feed(&mut self, offset: u64, end: u64, head: &Head) -> std::io::Result<Step> {
        let mut payload = vec![0; usize::try_from(head.stored).unwrap_or(0).min(1 << 20)];
        let got = read_full(self.file, &mut payload)?;
        let whole = got == payload.len() && crc32fast::hash(&payload) == head.crc;
        if !whole && self.torn(offset, end)? {
            return Ok(Step::Torn);
        }
        let info: Option<FeedInfo> = if whole { serde_json::from_slice(&payload).ok() } else { None };
        let next = self.index.feeds.len();
        let number = head.number.map_or(next, usize::from);
        if number < next || number >= MAX_FEEDS {
            return Ok(Step::Damaged("a feed block with a number out of order"));
        }
        if number > next && !self.headers_lost && !self.missing(offset, "a feed block before this one is missing") {
            return Ok(Step::Damaged("a feed block before this one is missing"));
        }
        let damaged = if whole { "a feed block that cannot be read" } else { "checksum of a feed block does not match" };
        if info.is_none() && !self.lenient {
            return Ok(Step::Damaged(damaged));
        }
        self.index.feeds.resize(number, None);
        // Without a number, a feed behind a header that could not be read may be any one.
        let known = head.number.is_some() || !self.headers_lost;
        let is_there = info.is_some();
        self.index.feeds.push(info.filter(|_| known));
        if is_there {
            return Ok(Step::Taken);
        }
        self.expected = head.seq;
        Ok(Step::Damaged(damaged))
    }

    fn end(&mut self, offset: u64, head: &Head) -> Step {
        let what = "a feed block before the end mark is missing";
        if let Some(feeds) = head.number.map(usize::from)
            && feeds != self.index.feeds.len()
        {
            if !self.headers_lost && !self.missing(offset, what) {
                return Step::Damaged(what);
            }
            self.index.feeds.resize(feeds.clamp(self.index.feeds.len(), MAX_FEEDS), None);
        }
        self.index.tail = Tail::Closed;
        self.ended = true;
        Step::Taken
    }

    /// The last block of frames, whose header is whole: when the crash came before its payload was on the disk, the file ends in zeros
    /// there. Any other payload that does not fit is corruption, and is said when reading gets there.
    fn torn_last(&mut self, last: Option<u64>) -> std::io::Result<()> {
        let Some(offset) = last.filter(|_| self.index.tail != Tail::Closed) else { return Ok(()) };
        let Some(Found::Frames { offset: at, head }) = self.index.blocks.last().copied() else { return Ok(()) };
        let end = at.saturating_add(wide(BLOCK_HEAD)).saturating_add(u64::from(head.stored));
        if at != offset || !self.torn(at, end)? {
            return Ok(());
        }
        let mut payload = vec![0; usize::try_from(head.stored).unwrap_or(0)];
        self.file.seek(SeekFrom::Start(at.saturating_add(wide(BLOCK_HEAD))))?;
        let got = read_full(self.file, &mut payload)?;
        if got == payload.len() && crc32fast::hash(&payload) == head.crc {
            return Ok(());
        }
        self.index.blocks.pop();
        self.index.tail = Tail::Truncated { offset: at, bytes: self.len - at };
        Ok(())
    }

    /// True when the payload of the block at `offset` was never written, or not to its end: from its begin or from a sector in it on there
    /// are zeros only, to the end of the file.
    fn torn(&mut self, offset: u64, end: u64) -> std::io::Result<bool> {
        let begin = offset.saturating_add(wide(BLOCK_HEAD));
        let Some(zeros) = self.trailing_zeros(begin)? else { return Ok(false) };
        Ok(begin < end && (zeros <= begin || zeros.next_multiple_of(SECTOR) < end))
    }

    /// A header of which only the first bytes were written, and nothing behind.
    fn torn_header(&mut self, offset: u64, bytes: &[u8; BLOCK_HEAD]) -> std::io::Result<bool> {
        let unwritten = bytes.ends_with(&[0; 4]);
        let begun = bytes.starts_with(&BLOCK_MAGIC) || bytes.iter().all(|b| *b == 0);
        Ok(unwritten && begun && self.zeros_from(offset.saturating_add(wide(BLOCK_HEAD)))?)
    }

    fn zeros_from(&mut self, offset: u64) -> std::io::Result<bool> {
        Ok(offset >= self.len || self.trailing_zeros(offset)? == Some(offset))
    }

    /// Where the zeros begin that the file ends in, not before `from`; `None` when its last byte is another.
    fn trailing_zeros(&mut self, from: u64) -> std::io::Result<Option<u64>> {
        let mut buffer = vec![0_u8; 64 << 10];
        let mut end = self.len;
        while end > from {
            let room = buffer.len().min(usize::try_from(end - from).unwrap_or(usize::MAX));
            let begin = end - wide(room);
            self.file.seek(SeekFrom::Start(begin))?;
            let seen = buffer.get_mut(..room).unwrap_or_default();
            let got = read_full(self.file, seen)?;
            if let Some(at) = seen.get(..got).unwrap_or_default().iter().rposition(|b| *b != 0) {
                let zeros = begin + wide(at) + 1;
                return Ok(if zeros < self.len { Some(zeros) } else { None });
            }
            end = begin;
        }
        Ok(if end < self.len { Some(end) } else { None })
    }
}

/// Offset of the next whole block header at or after `from`.
pub(super) fn resync<R: Read + Seek>(file: &mut R, mut from: u64, len: u64) -> std::io::Result<Option<u64>> {
    const WINDOW: usize = 64 << 10;
    let mut buffer = vec![0_u8; WINDOW];
    while from < len {
        file.seek(SeekFrom::Start(from))?;
        let got = read_full(file, &mut buffer)?;
        let seen = buffer.get(..got).unwrap_or_default();
        for at in 0..got {
            let rest = seen.get(at..).unwrap_or_default();
            if rest.starts_with(&BLOCK_MAGIC) && Head::decode(rest).is_ok() {
                return Ok(Some(from + wide(at)));
            }
        }
        if got < WINDOW {
            return Ok(None);
        }
        // The next window overlaps by one header.
        from += wide(WINDOW - BLOCK_HEAD);
    }
    Ok(None)
}
