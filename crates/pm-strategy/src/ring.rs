//! One value a second, with running sums: the mean over any window inside the ring costs two reads. Missing seconds carry the last value
//! forward, as the discrete average does, and are counted, so that nobody takes a filled window for an observed one.

/// Seconds held. More than the longest averaging window (300 s) plus what may arrive late.
const LEN: i64 = 512;
const LEN_SLOTS: usize = 512;
/// A longer silence starts anew instead of being filled.
const MAX_CARRY: i64 = 120;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    raw: i64,
    /// Sum of all values from the first second on, this one included.
    sum: i128,
    /// Carried seconds from the first second on, this one included.
    carried: u32,
    /// Seconds since the value was really seen; 0 = in this second.
    run: u32,
}

/// Ring of one-second values, allocated once.
#[derive(Debug, Clone)]
pub(crate) struct SecRing {
    slots: Box<[Slot]>,
    first: i64,
    last: Option<i64>,
}

/// The second at whose end a value stamped `at` is the newest one: whole seconds are their own.
#[inline]
pub(crate) const fn second_of(at: pm_core::time::Ts) -> i64 {
    let ns = at.nanos();
    let floor = ns.div_euclid(1_000_000_000);
    if ns.rem_euclid(1_000_000_000) == 0 { floor } else { floor + 1 }
}

fn position(second: i64) -> usize {
    usize::try_from(second.rem_euclid(LEN)).unwrap_or(0)
}

impl SecRing {
    pub(crate) fn new() -> Self {
        Self { slots: vec![Slot::default(); LEN_SLOTS].into_boxed_slice(), first: 0, last: None }
    }

    fn slot(&self, second: i64) -> Slot {
        self.slots.get(position(second)).copied().unwrap_or_default()
    }
    fn put(&mut self, second: i64, slot: Slot) {
        if let Some(s) = self.slots.get_mut(position(second)) {
            *s = slot;
        }
    }
    /// Newest second that has a value.
    pub(crate) const fn last(&self) -> Option<i64> {
        self.last
    }

    /// Sets the value of a second. The newest call wins; a late value also corrects the seconds that had carried its predecessor.
    pub(crate) fn set(&mut self, second: i64, raw: i64) {
        match self.last {
            Some(last) if second > last && second - last <= MAX_CARRY => {
                let mut before = self.slot(last);
                for s in last + 1..second {
                    before = Slot {
                        raw: before.raw,
                        sum: before.sum + i128::from(before.raw),
                        carried: before.carried.wrapping_add(1),
                        run: before.run.saturating_add(1),
                    };
                    self.put(s, before);
                }
                self.put(second, Slot { raw, sum: before.sum + i128::from(raw), carried: before.carried, run: 0 });
                self.last = Some(second);
            }
            Some(last) if second <= last => {
                if self.holds(second) {
                    self.correct(second, last, raw);
                }
            }
            _ => {
                self.first = second;
                self.last = Some(second);
                self.put(second, Slot { raw, sum: i128::from(raw), carried: 0, run: 0 });
            }
        }
    }

    fn correct(&mut self, second: i64, last: i64, raw: i64) {
        let old = self.slot(second);
        let (mut sum, mut carried) =
            (old.sum - i128::from(old.raw), if old.run > 0 { old.carried.wrapping_sub(1) } else { old.carried });
        let mut replacing = Some(raw);
        for s in second..=last {
            let mut slot = self.slot(s);
            if s == second {
                slot.run = 0;
            } else if slot.run == 0 {
                replacing = None;
            }
            if let Some(raw) = replacing {
                slot.raw = raw;
                slot.run = u32::try_from(s - second).unwrap_or(u32::MAX);
            }
            sum += i128::from(slot.raw);
            carried = carried.wrapping_add(u32::from(slot.run > 0));
            slot.sum = sum;
            slot.carried = carried;
            self.put(s, slot);
        }
    }

    fn holds(&self, second: i64) -> bool {
        self.last.is_some_and(|last| second <= last && second >= self.first && second > last - LEN)
    }

    /// Value at a second and for how many seconds it had been carried.
    pub(crate) fn at(&self, second: i64) -> Option<(i64, u32)> {
        self.holds(second).then(|| {
            let s = self.slot(second);
            (s.raw, s.run)
        })
    }

    /// Sum of the values of the seconds `from + 1 ..= to`, and how many of them were carried. `None` when not all are in the ring.
    pub(crate) fn sum(&self, from: i64, to: i64) -> Option<(i128, u32)> {
        if from >= to || !self.holds(to) {
            return None;
        }
        let end = self.slot(to);
        let begin = if from == self.first - 1 && self.last.is_some_and(|last| self.first > last - LEN) {
            Slot::default()
        } else if self.holds(from) {
            self.slot(from)
        } else {
            return None;
        };
        Some((end.sum - begin.sum, end.carried.wrapping_sub(begin.carried)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_core::time::Ts;
    use proptest::prelude::*;

    #[test]
    fn stamps_belong_to_the_second_they_end_in() {
        assert_eq!(second_of(Ts::from_millis(12_000)), 12);
        assert_eq!(second_of(Ts::from_millis(12_001)), 13);
        assert_eq!(second_of(Ts::from_millis(11_999)), 12);
    }

    #[test]
    fn missing_seconds_carry_and_are_counted() {
        let mut r = SecRing::new();
        r.set(10, 100);
        r.set(13, 130);
        assert_eq!(r.at(12), Some((100, 2)));
        assert_eq!(r.sum(9, 13), Some((430, 2)), "100 + 100 + 100 + 130");
        r.set(11, 110);
        assert_eq!(r.sum(9, 13), Some((450, 1)), "a late value corrects the second that had carried its predecessor");
        r.set(400, 1);
        assert_eq!(r.at(13), None, "after a long silence nothing is known of before");
    }

    proptest! {
        /// The running sums agree with adding up, whatever the order, gaps and repetitions.
        #[test]
        fn sums_agree_with_adding_up(steps in proptest::collection::vec((-3_i64..6, 1_i64..1_000_000_000), 1..900), w in 1_i64..300) {
            let mut r = SecRing::new();
            let mut seen = std::collections::BTreeMap::new();
            let mut now = 1_000_i64;
            for (step, raw) in steps {
                let at = now + step;
                if at >= 1_000 && (at > now || seen.contains_key(&1_000)) && at > now - 500 {
                    if seen.is_empty() && at != 1_000 { continue; }
                    r.set(at, raw);
                    seen.insert(at, raw);
                    now = now.max(at);
                } else if seen.is_empty() {
                    r.set(1_000, raw);
                    seen.insert(1_000, raw);
                }
            }
            let Some(last) = r.last() else { return Ok(()) };
            if let Some((sum, carried)) = r.sum(last - w, last) {
                let (mut want, mut missing) = (0_i128, 0);
                for s in last - w + 1..=last {
                    let (at, raw) = seen.range(..=s).next_back().unwrap();
                    want += i128::from(*raw);
                    missing += u32::from(*at != s);
                }
                prop_assert_eq!((sum, carried), (want, missing));
            } else {
                prop_assert!(last - w < 999 || w >= 512);
            }
        }
    }
}
