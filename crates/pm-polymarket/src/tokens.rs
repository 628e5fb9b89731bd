//! A fast deterministic map from venue ids to slots. The ids are texts of about 77 digits that differ everywhere, so sampling three words
//! of them is enough to spread; equality is always checked on the whole text.

use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

/// Hash of an id text: length, first, middle and last eight bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct IdHasher(u64);

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

impl IdHasher {
    #[inline]
    fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MIX);
    }
}

#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl Hasher for IdHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        if len < 8 {
            for byte in bytes {
                self.word(u64::from(*byte));
            }
            return;
        }
        self.word(eight(bytes, 0));
        self.word(eight(bytes, (len - 8) / 2));
        self.word(eight(bytes, len - 8));
    }
    #[inline]
    fn write_usize(&mut self, i: usize) {
        self.word(u64::try_from(i).unwrap_or(u64::MAX));
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// Map keyed by id text.
pub(crate) type IdMap<V> = HashMap<Box<[u8]>, V, BuildHasherDefault<IdHasher>>;
