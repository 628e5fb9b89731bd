//! Bytes of the file header and of block headers. Lengths are believed only after the header's own checksum fits and they are within limits.

use pm_core::time::Ts;

use super::{MAX_RAW, VERSION};

/// First bytes of every recording. The line ends in it show a file that went through a text conversion.
pub(super) const MAGIC: [u8; 8] = *b"PMREC\r\n\x1a";
/// First bytes of every block.
pub(super) const BLOCK_MAGIC: [u8; 4] = *b"PmB\x01";
/// Length of the file header.
pub(super) const FILE_HEAD: usize = 32;
/// Length of a block header.
pub(super) const BLOCK_HEAD: usize = 52;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Additions to the feed table, JSON.
    Feeds,
    /// Frames.
    Frames,
    /// The file was closed in order; no payload.
    End,
}

/// How a payload is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// As it is.
    Stored,
    /// zstd.
    Zstd,
}

/// A block header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) codec: Codec,
    /// In a feed block the feed's number, in the end block the number of feeds; `None` in frame blocks, and in files of the first writers,
    /// where feeds are numbered by their order.
    pub(super) number: Option<u16>,
    /// Payload bytes in the file.
    pub(super) stored: u32,
    /// Payload bytes after decompression.
    pub(super) raw: u32,
    /// Frames in the block.
    pub(super) count: u32,
    /// Earliest and latest wall time of its frames.
    pub(super) first: Ts,
    pub(super) last: Ts,
    /// Number of its first frame in the file; in the end block, the number of frames in the file.
    pub(super) seq: u64,
    /// CRC32 of the stored payload.
    pub(super) crc: u32,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

impl Head {
    pub(super) fn encode(&self) -> [u8; BLOCK_HEAD] {
        let mut out = Vec::with_capacity(BLOCK_HEAD);
        out.extend_from_slice(&BLOCK_MAGIC);
        out.push(match self.kind {
            Kind::Feeds => 1,
            Kind::Frames => 2,
            Kind::End => 3,
        });
        out.push(u8::from(self.codec == Codec::Zstd));
        // One more than the number: files of the first writers have zeros here.
        out.extend_from_slice(&self.number.map_or(0, |n| n.saturating_add(1)).to_le_bytes());
        for word in [self.stored, self.raw, self.count] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.first.nanos().to_le_bytes());
        out.extend_from_slice(&self.last.nanos().to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        // Fields above add up to the length of a header.
        out.try_into().unwrap_or([0; BLOCK_HEAD])
    }

    /// Reads a header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if !bytes.starts_with(&BLOCK_MAGIC) {
            return Err("no block begins here");
        }
        let body = bytes.get(..BLOCK_HEAD - 4).ok_or("short block header")?;
        if u32_at(bytes, BLOCK_HEAD - 4) != Some(crc32fast::hash(body)) {
            return Err("checksum of the block header does not match");
        }
        Self::fields(body).ok_or("block header with values out of range")
    }

    fn fields(b: &[u8]) -> Option<Self> {
        let kind = match b.get(4)? {
            1 => Kind::Feeds,
            2 => Kind::Frames,
            3 => Kind::End,
            _ => return None,
        };
        let codec = match b.get(5)? {
            0 => Codec::Stored,
            1 => Codec::Zstd,
            _ => return None,
        };
        let number = b.get(6..8)?.try_into().ok().map(u16::from_le_bytes)?.checked_sub(1);
        let (stored, raw, count) = (u32_at(b, 8)?, u32_at(b, 12)?, u32_at(b, 16)?);
        let limit = u32::try_from(MAX_RAW).ok()?;
        // A compressed payload may be a little larger than its content, never twice.
        if raw > limit || stored > limit.saturating_mul(2) || count > raw {
            return None;
        }
        let ts = |at| u64_at(b, at).map(|v| Ts::from_nanos(v.cast_signed()));
        Some(Self {
            kind,
            codec,
            number,
            stored,
            raw,
            count,
            first: ts(20)?,
            last: ts(28)?,
            seq: u64_at(b, 36)?,
            crc: u32_at(b, 44)?,
        })
    }
}

/// The file header: magic, version, length, zeros, checksum.
pub(super) fn file_head() -> [u8; FILE_HEAD] {
    let mut out = [0_u8; FILE_HEAD];
    out[..8].copy_from_slice(&MAGIC);
    out[8..10].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32fast::hash(&out[..FILE_HEAD - 4]);
    out[FILE_HEAD - 4..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// What the first bytes of a file say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileHead {
    Fine,
    Not(&'static str),
    Version(u16),
    Corrupt,
}

pub(super) fn check_file_head(bytes: &[u8]) -> FileHead {
    if !bytes.starts_with(&MAGIC) {
        return FileHead::Not("byte 0: it does not begin with the recording's magic bytes");
    }
    let (Some(body), Some(crc)) = (bytes.get(..FILE_HEAD - 4), u32_at(bytes, FILE_HEAD - 4)) else {
        return FileHead::Not("byte 0: it ends inside of the file header");
    };
    if crc != crc32fast::hash(body) {
        return FileHead::Corrupt;
    }
    match bytes.get(8..10).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes) {
        Some(VERSION) => FileHead::Fine,
        found => FileHead::Version(found.unwrap_or(0)),
    }
}
