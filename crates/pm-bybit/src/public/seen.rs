//! Ids of the last trades of one instrument, so that a frame delivered twice prints once. Sequence numbers would be simpler, but several
//! trades share one, and a restart of the engine's shard could set them back and silence the feed.

/// How many ids are remembered: as many trades as one frame may carry.
const MEMORY: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct SeenTrades {
    hashes: Vec<u64>,
    next: usize,
}

impl SeenTrades {
    /// True when the id was among the last 1024; else it is remembered. Trades without an id are never repeats.
    pub(super) fn is_repeat(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return false;
        }
        let hash = fnv1a(id.as_bytes());
        if self.hashes.contains(&hash) {
            return true;
        }
        match self.hashes.get_mut(self.next) {
            Some(slot) => *slot = hash,
            None => self.hashes.push(hash),
        }
        self.next = (self.next + 1) % MEMORY;
        false
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_1024_ids_are_known() {
        let mut seen = SeenTrades::default();
        for i in 0..1025 {
            assert!(!seen.is_repeat(&i.to_string()));
        }
        assert!(seen.is_repeat("1024") && seen.is_repeat("1"));
        assert!(!seen.is_repeat("0"), "the oldest is forgotten");
        assert!(!seen.is_repeat("") && !seen.is_repeat(""));
    }
}
