//! Readings of the two outcomes' books into the one canonical book. Sampled views come one at a time: each is combined with the other
//! outcome's last one when both were read at about the same moment, else it stands alone, being the newest word on the book.

use std::collections::BTreeMap;

use pm_core::ids::MarketIdx;
use pm_core::time::{Dur, Ts};

use super::record::{LevelRecord, View};
use super::views::{self, Side};

/// One reading of one outcome's book, in prices of that outcome. A side of `None` is not known.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) at: Ts,
    pub(super) bids: Option<Vec<LevelRecord>>,
    pub(super) asks: Option<Vec<LevelRecord>>,
}

/// A book in canonical terms.
#[derive(Debug)]
pub(super) struct Canonical {
    pub(super) at: Ts,
    pub(super) bids: Side,
    pub(super) asks: Side,
    /// For two views: whether their best prices disagree.
    pub(super) disagree: Option<bool>,
}

/// A book of which one view is known.
pub(super) fn single(outcome: View, r: &Reading) -> Canonical {
    let mirror = outcome == View::Second;
    let side = |levels: &Option<Vec<LevelRecord>>| levels.as_ref().map_or_else(Side::unknown, |l| views::side(l, mirror));
    let (bids, asks) = (side(&r.bids), side(&r.asks));
    let (bids, asks) = if mirror { (asks, bids) } else { (bids, asks) };
    Canonical { at: r.at, bids, asks, disagree: None }
}

/// A book of which both views are known: the worse of both.
pub(super) fn pair(up: &Reading, down: &Reading) -> Canonical {
    let (asks, a) = views::worse(up.asks.as_deref(), down.bids.as_deref(), true, true);
    let (bids, b) = views::worse(up.bids.as_deref(), down.asks.as_deref(), true, false);
    Canonical { at: up.at.max(down.at), bids, asks, disagree: Some(a || b) }
}

/// The last sampled view of each outcome, by market.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    last: BTreeMap<MarketIdx, [Option<Reading>; 2]>,
}

impl Pairing {
    /// A sampled view came. `within`: how far apart the times of two views may be that are combined.
    pub(super) fn take(&mut self, market: MarketIdx, outcome: View, reading: Reading, within: Dur) -> Canonical {
        let [up, down] = self.last.entry(market).or_default();
        let (mine, theirs) = if outcome == View::First { (up, &*down) } else { (down, &*up) };
        let near = |other: &&Reading| other.at.max(reading.at).since(other.at.min(reading.at)) <= within;
        let canonical = match (theirs.as_ref().filter(near), outcome) {
            (Some(other), View::First) => pair(&reading, other),
            (Some(other), View::Second) => pair(other, &reading),
            (None, _) => single(outcome, &reading),
        };
        *mine = Some(reading);
        canonical
    }

    pub(super) fn forget(&mut self, market: MarketIdx) {
        self.last.remove(&market);
    }

    pub(super) fn clear(&mut self) {
        self.last.clear();
    }
}
