//! The hedge venue's recent mids, so that a value of the settlement source, seen a second or two late, is compared with the mid of its own
//! instant and not with the mid of its arrival.

use pm_core::time::Ts;

/// Buckets of a tenth of a second: 25.6 s.
const LEN: i64 = 256;
const LEN_SLOTS: usize = 256;
const BUCKET_MS: i64 = 100;

#[derive(Debug, Clone, Copy)]
struct Slot {
    bucket: i64,
    at: Ts,
    raw: i64,
}

/// Ring of mids, allocated once.
#[derive(Debug, Clone)]
pub(crate) struct Mids {
    slots: Box<[Slot]>,
}

fn position(bucket: i64) -> usize {
    usize::try_from(bucket.rem_euclid(LEN)).unwrap_or(0)
}

impl Mids {
    pub(crate) fn new() -> Self {
        Self { slots: vec![Slot { bucket: i64::MIN, at: Ts::ZERO, raw: 0 }; LEN_SLOTS].into_boxed_slice() }
    }

    /// Remembers a mid; of several in one bucket the last one stays.
    #[inline]
    pub(crate) fn push(&mut self, at: Ts, raw: i64) {
        let bucket = at.millis().div_euclid(BUCKET_MS);
        if let Some(slot) = self.slots.get_mut(position(bucket)) {
            *slot = Slot { bucket, at, raw };
        }
    }

    /// The newest remembered mid stamped at or before `t`; `None` when there is none within the ring's span before it. Of a bucket that
    /// also saw later mids the previous bucket answers: at most a tenth of a second off.
    pub(crate) fn at_or_before(&self, t: Ts) -> Option<i64> {
        let bucket = t.millis().div_euclid(BUCKET_MS);
        (0..LEN).find_map(|back| {
            let slot = self.slots.get(position(bucket - back))?;
            (slot.bucket == bucket - back && slot.at <= t).then_some(slot.raw)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_for_the_past_and_forgets_the_far_past() {
        let mut m = Mids::new();
        for i in 0..400 {
            m.push(Ts::from_millis(1_000_000 + i * 250), i);
        }
        assert_eq!(m.at_or_before(Ts::from_millis(1_000_000 + 399 * 250)), Some(399));
        assert_eq!(m.at_or_before(Ts::from_millis(1_000_000 + 390 * 250 + 249)), Some(390));
        assert_eq!(m.at_or_before(Ts::from_millis(1_000_000)), None);
    }
}
