//! The book of one binary market, seen from its first outcome. Prices are integers of 0.001, sizes of 0.01 shares. Changes are applied one
//! by one, in an order that never crosses the book.

/// A level: price in 0.001, size in 0.01 shares.
pub(crate) type Level = (i32, i64);

/// One applied change and what was best right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) bid: bool,
    pub(crate) px: i32,
    /// Absolute; 0 removes.
    pub(crate) qty: i64,
    /// 0 when there is none.
    pub(crate) best_bid: i32,
    /// 1000 when there is none.
    pub(crate) best_ask: i32,
}

/// Both sides, best first.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutcomeBook {
    pub(crate) bids: Vec<Level>,
    pub(crate) asks: Vec<Level>,
}

impl OutcomeBook {
    /// Best bid, 0 when there is none.
    pub(crate) fn best_bid(&self) -> i32 {
        self.bids.first().map_or(0, |l| l.0)
    }
    /// Best ask, 1000 when there is none.
    pub(crate) fn best_ask(&self) -> i32 {
        self.asks.first().map_or(1_000, |l| l.0)
    }

    /// Sets the size at a price and notes the change.
    pub(crate) fn set(&mut self, bid: bool, px: i32, qty: i64, out: &mut Vec<Change>) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        let found = side.binary_search_by(|l| if bid { px.cmp(&l.0) } else { l.0.cmp(&px) });
        match (found, qty) {
            (Ok(at), 0) => drop(side.remove(at)),
            (Ok(at), qty) => {
                if let Some(level) = side.get_mut(at) {
                    level.1 = qty;
                }
            }
            (Err(_), 0) => return,
            (Err(at), qty) => side.insert(at, (px, qty)),
        }
        out.push(Change { bid, px, qty, best_bid: self.best_bid(), best_ask: self.best_ask() });
    }

    /// Removes what stands better than the target or beyond the far end.
    fn prune(&mut self, bid: bool, best: i32, far: i32, out: &mut Vec<Change>) {
        let sign = if bid { -1 } else { 1 };
        loop {
            let side = if bid { &self.bids } else { &self.asks };
            let gone = match (side.first(), side.last()) {
                (Some(l), _) if (l.0 - best) * sign < 0 => l.0,
                (_, Some(l)) if (l.0 - far) * sign > 0 => l.0,
                _ => return,
            };
            self.set(bid, gone, 0, out);
        }
    }

    /// Brings one side to the levels `best`, then a lattice of `step`, `count` in all; levels that are there keep their sizes.
    fn fill(&mut self, bid: bool, best: i32, step: i32, count: usize, mut size: impl FnMut(usize) -> i64, out: &mut Vec<Change>) {
        let sign = if bid { -1 } else { 1 };
        let mut px = best;
        for n in 0..count {
            if !(1..1_000).contains(&px) {
                return;
            }
            let side = if bid { &self.bids } else { &self.asks };
            if side.binary_search_by(|l| if bid { px.cmp(&l.0) } else { l.0.cmp(&px) }).is_err() {
                let qty = size(n);
                self.set(bid, px, qty, out);
            }
            px = if n == 0 { lattice(best, step, bid) } else { px + sign * step };
        }
    }

    /// Takes away a former best level that is off the lattice: only the best one may be.
    fn align(&mut self, bid: i32, ask: i32, step: i32, out: &mut Vec<Change>) {
        for (is_bid, best, old) in [(true, bid, self.best_bid()), (false, ask, self.best_ask())] {
            if old != best && old % step != 0 {
                self.set(is_bid, old, 0, out);
            }
        }
    }

    /// Moves the quotes. `bid` below 1 or `ask` above 999 leaves that side empty.
    pub(crate) fn quote(
        &mut self,
        bid: i32,
        ask: i32,
        step: i32,
        count: usize,
        mut size: impl FnMut(usize) -> i64,
        out: &mut Vec<Change>,
    ) {
        let reach = i32::try_from(count).unwrap_or(10) + 4;
        let none = |px: i32| !(1..1_000).contains(&px);
        // Both sides are cleared first, so that nothing that is added can cross.
        self.prune(true, if none(bid) { -1 } else { bid }, bid - reach * step, out);
        self.prune(false, if none(ask) { 2_000 } else { ask }, ask + reach * step, out);
        self.align(bid, ask, step, out);
        if !none(bid) {
            self.fill(true, bid, step, count, &mut size, out);
        }
        if !none(ask) {
            self.fill(false, ask, step, count, &mut size, out);
        }
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self, out: &mut Vec<Change>) {
        while let Some((px, _)) = self.bids.last().copied() {
            self.set(true, px, 0, out);
        }
        while let Some((px, _)) = self.asks.last().copied() {
            self.set(false, px, 0, out);
        }
    }
}

/// First lattice price behind `best`.
fn lattice(best: i32, step: i32, bid: bool) -> i32 {
    if bid {
        let down = best - best.rem_euclid(step);
        if down == best { best - step } else { down }
    } else {
        let up = best + (-best).rem_euclid(step);
        if up == best { best + step } else { up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the quotes do, each single change leaves an uncrossed, sorted book, and the changes rebuild it.
        #[test]
        fn never_crossed_between_changes(moves in proptest::collection::vec((-20_i32..1_020, 1_i32..60), 1..60)) {
            let mut book = OutcomeBook::default();
            let mut copy = OutcomeBook::default();
            let (mut out, mut other) = (Vec::new(), Vec::new());
            let half = moves.len() / 2;
            for (at, (bid, gap)) in moves.into_iter().enumerate() {
                out.clear();
                // The grid becomes fine and stays fine.
                let fine = at > half;
                let unit = if fine { 1 } else { 10 };
                book.quote(bid - bid.rem_euclid(unit), (bid + gap * unit) - bid.rem_euclid(unit), if fine { 5 } else { 10 }, 9, |_| 100, &mut out);
                for c in &out {
                    prop_assert!(c.best_bid < c.best_ask);
                    copy.set(c.bid, c.px, c.qty, &mut other);
                    prop_assert_eq!((copy.best_bid(), copy.best_ask()), (c.best_bid, c.best_ask));
                }
                prop_assert_eq!(&book.bids, &copy.bids);
                prop_assert_eq!(&book.asks, &copy.asks);
                prop_assert!(book.bids.windows(2).all(|w| w[0].0 > w[1].0) && book.asks.windows(2).all(|w| w[0].0 < w[1].0));
                prop_assert!(book.bids.len() <= 20 && book.asks.len() <= 20);
            }
            out.clear();
            book.clear(&mut out);
            prop_assert!(book.bids.is_empty() && book.asks.is_empty());
        }
    }
}
