//! A second book, kept only for inspection: it shows what a stream of changes alone cannot.

use pm_core::book::{Book, BookFlags, Ladder, Touch};
use pm_core::time::Ts;

use crate::continuity::Step;
use crate::stats::Stats;
use crate::wire::book::Levels;

#[derive(Debug, Default)]
pub(super) struct Audit {
    book: Book,
}

impl Audit {
    pub(super) fn apply(&mut self, step: Step, depth: u16, levels: &Levels, stats: &mut Stats) {
        let (bids, asks) = (&levels.bids, &levels.asks);
        let touch = match step {
            Step::Snapshot => self.book.apply_snapshot(bids, asks, Ts::ZERO, Ts::ZERO, BookFlags::default()),
            Step::Delta => {
                stats.absent_deletes += absent(&self.book.bids, bids) + absent(&self.book.asks, asks);
                self.book.apply_delta(bids, asks, Ts::ZERO, Ts::ZERO)
            }
            Step::Lost(why) => {
                self.book.lose(why);
                return;
            }
            Step::Ignore(_) => return,
        };
        stats.crossed += u64::from(touch == Touch::Crossed);
        let longest = self.book.bids.len().max(self.book.asks.len());
        stats.overlong += u64::from(longest > usize::from(depth));
    }
}

fn absent(ladder: &Ladder, changes: &[pm_core::book::Level]) -> u64 {
    let absent = changes.iter().filter(|l| l.qty.is_zero() && ladder.qty_at(l.px).is_zero()).count();
    u64::try_from(absent).unwrap_or(u64::MAX)
}
