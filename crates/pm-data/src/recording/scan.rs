//! The index of a recording: one pass over block headers at opening. Feeds are read on the way, so that a driver knows all of them before
//! the first frame.

use std::io::{Read, Seek, SeekFrom};

use super::block::{BLOCK_HEAD, BLOCK_MAGIC, Head, Kind};
use super::{FeedInfo, MAX_FEEDS, Skipped, Tail};

/// A block that was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// Frames at an offset.
    Frames { offset: u64, head: Head },
    /// Something that is no block.
    Bad { offset: u64, what: &'static str },
}

/// What the pass over a file gave.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) blocks: Vec<Found>,
    pub(super) feeds: Vec<FeedInfo>,
    pub(super) tail: Tail,
    pub(super) skipped: Vec<Skipped>,
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

/// Scans from `offset` to `len`. In lenient mode damage is skipped to the next header that is whole; in strict mode it ends the scan.
pub(super) fn scan<R: Read + Seek>(file: &mut R, mut offset: u64, len: u64, lenient: bool) -> std::io::Result<Index> {
    let mut index = Index { blocks: Vec::new(), feeds: Vec::new(), tail: Tail::Open, skipped: Vec::new() };
    let head_len = u64::try_from(BLOCK_HEAD).unwrap_or(u64::MAX);
    let mut frames = 0_u64;
    while offset < len {
        let mut bytes = [0_u8; BLOCK_HEAD];
        file.seek(SeekFrom::Start(offset))?;
        let got = read_full(file, &mut bytes)?;
        if got < BLOCK_HEAD {
            index.tail = Tail::Truncated { offset, bytes: len - offset };
            return Ok(index);
        }
        let what = match Head::decode(&bytes) {
            Ok(head) => {
                let end = offset + head_len + u64::from(head.stored);
                if end > len {
                    index.tail = Tail::Truncated { offset, bytes: len - offset };
                    return Ok(index);
                }
                match block(file, offset, &head, &mut frames, &mut index)? {
                    None => {
                        offset = end;
                        continue;
                    }
                    Some(what) => what,
                }
            }
            Err(_) if bytes.iter().all(|b| *b == 0) && zeros_to_end(file)? => {
                // A crash of the machine can leave space that was allocated and never written.
                index.tail = Tail::Truncated { offset, bytes: len - offset };
                return Ok(index);
            }
            Err(what) => what,
        };
        if !lenient {
            index.blocks.push(Found::Bad { offset, what });
            return Ok(index);
        }
        let next = resync(file, offset + 1, len)?.unwrap_or(len);
        index.skipped.push(Skipped { offset, bytes: next - offset, what: what.to_owned() });
        // Frames are missing now: the count starts again at the next block.
        frames = u64::MAX;
        offset = next;
    }
    Ok(index)
}

/// Takes a block into the index, or says why it does not fit.
fn block<R: Read>(
    file: &mut R,
    offset: u64,
    head: &Head,
    frames: &mut u64,
    index: &mut Index,
) -> std::io::Result<Option<&'static str>> {
    index.tail = Tail::Open;
    match head.kind {
        Kind::Frames => {
            if *frames != u64::MAX && head.seq != *frames {
                return Ok(Some("a block before this one is missing"));
            }
            *frames = head.seq.saturating_add(u64::from(head.count));
            index.blocks.push(Found::Frames { offset, head: *head });
        }
        Kind::Feeds => {
            let mut payload = vec![0; usize::try_from(head.stored).unwrap_or(0).min(1 << 20)];
            let got = read_full(file, &mut payload)?;
            if got != payload.len() || crc32fast::hash(&payload) != head.crc || index.feeds.len() >= MAX_FEEDS {
                return Ok(Some("checksum of a feed block does not match"));
            }
            match serde_json::from_slice(&payload) {
                Ok(info) => index.feeds.push(info),
                Err(_) => return Ok(Some("a feed block that cannot be read")),
            }
        }
        Kind::End => index.tail = Tail::Closed,
    }
    Ok(None)
}

fn zeros_to_end<R: Read>(file: &mut R) -> std::io::Result<bool> {
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        let got = read_full(file, &mut buffer)?;
        if got == 0 {
            return Ok(true);
        }
        if buffer.iter().take(got).any(|b| *b != 0) {
            return Ok(false);
        }
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
                return Ok(Some(from + u64::try_from(at).unwrap_or(0)));
            }
        }
        if got < WINDOW {
            return Ok(None);
        }
        // The next window overlaps by one header.
        from += u64::try_from(WINDOW - BLOCK_HEAD).unwrap_or(1);
    }
    Ok(None)
}
