//! What the protocol saw, counted, and the one check that a book carries in itself.

use crate::hash::RawBook;
use crate::scan::Head;

/// Counters of one [`super::MarketProtocol`]. They only grow, also over reconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketStats {
    /// Books and changes with a price off the grid or out of range, or a negative size: the book was lost.
    pub misfits: u64,
    /// Changes of books that wait for a snapshot: missed.
    pub before_snapshot: u64,
    /// Books older than a book or a change that was already seen (lagging dumps, cached REST bodies): ignored.
    pub stale_books: u64,
    /// Changes older than the book they would apply to: ignored, the book has them.
    pub stale_changes: u64,
    /// Other changes with a venue time before that of an earlier one of their market.
    pub clock_back: u64,
    /// Books whose hash could be checked.
    pub hashes_checked: u64,
    /// Those among them whose hash is another: the book was lost.
    pub hash_mismatches: u64,
}

impl MarketStats {
    /// All counters by name, in the order of their declaration.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        // Taken apart whole, so that a new counter cannot be forgotten here.
        let Self { misfits, before_snapshot, stale_books, stale_changes, clock_back, hashes_checked, hash_mismatches } = *self;
        vec![
            ("misfits", misfits),
            ("before_snapshot", before_snapshot),
            ("stale_books", stale_books),
            ("stale_changes", stale_changes),
            ("clock_back", clock_back),
            ("hashes_checked", hashes_checked),
            ("hash_mismatches", hash_mismatches),
        ]
    }
}

/// False when a book carries a hash that is not its own. Only bodies with every input can be judged: REST answers have them all, the
/// socket's `book` lacks the minimum and the risk flag, and what other bodies said of those need not be the texts that were hashed
/// (venues/polymarket.md 5.2).
#[inline]
pub(super) fn hash_agrees(head: &Head, body: &[u8], stats: &mut MarketStats) -> bool {
    head.min_order_size.is_none() || head.neg_risk.is_none() || judged(body, stats)
}

#[cold]
fn judged(body: &[u8], stats: &mut MarketStats) -> bool {
    let Some(agrees) = serde_json::from_slice::<RawBook<'_>>(body).ok().and_then(|book| book.verify()) else { return true };
    stats.hashes_checked += 1;
    stats.hash_mismatches += u64::from(!agrees);
    agrees
}
