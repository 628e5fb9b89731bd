//! One book, several topics, one sequence: which update may be applied. Pure, so that each rule of venues/bybit.md 4.2 can be tested
//! without a frame.
//!
//! - Any snapshot replaces; `u == 1` is a snapshot whatever the type says (the service restarted).
//! - A delta needs `u = last + 1`. A higher one is a gap: the book is lost until a snapshot. A lower or equal one was seen before.
//! - A symbol may be subscribed at several depths, each with its own sequence. The deepest topic that sent a snapshot is the book.

use pm_core::book::BookLoss;

/// Type of a book frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateKind {
    /// Whole book.
    Snapshot,
    /// Absolute level changes.
    Delta,
}

/// What to do with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Replace the book.
    Snapshot,
    /// Apply the changes.
    Delta,
    /// Continuity ends here; say so once, apply nothing.
    Lost(BookLoss),
    /// Apply nothing.
    Ignore(Ignored),
}

/// Why an update is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Sequence number at or below the book's.
    Duplicate,
    /// The topic has sent no snapshot since the loss.
    NoSnapshot,
    /// A deeper topic feeds this book.
    Shallower,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Never,
    Synced(u64),
    Lost,
}

/// Continuity of one instrument's book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookTrack {
    depth: u16,
    state: State,
}

impl BookTrack {
    /// Judges an update of the topic with `depth`.
    #[inline]
    pub fn step(&mut self, depth: u16, kind: UpdateKind, u: u64) -> Step {
        if kind == UpdateKind::Snapshot || u == 1 {
            if depth < self.depth {
                return Step::Ignore(Ignored::Shallower);
            }
            self.depth = depth;
            self.state = State::Synced(u);
            return Step::Snapshot;
        }
        match self.state {
            State::Synced(last) if depth == self.depth => {
                if Some(u) == last.checked_add(1) {
                    self.state = State::Synced(u);
                    Step::Delta
                } else if u <= last {
                    Step::Ignore(Ignored::Duplicate)
                } else {
                    self.state = State::Lost;
                    Step::Lost(BookLoss::Gap)
                }
            }
            State::Synced(_) | State::Lost if depth < self.depth => Step::Ignore(Ignored::Shallower),
            State::Synced(_) | State::Lost => Step::Ignore(Ignored::NoSnapshot),
            State::Never => {
                self.state = State::Lost;
                Step::Lost(BookLoss::NoSnapshot)
            }
        }
    }

    /// A frame of this book was not understood. True when the book was synced and is lost now.
    pub const fn fail(&mut self, depth: u16) -> bool {
        if depth != self.depth || !self.is_synced() {
            return false;
        }
        self.state = State::Lost;
        true
    }

    /// The connection ended: everything is forgotten, the depth too (the next connection may subscribe another). True when the book was
    /// synced.
    pub fn reset(&mut self) -> bool {
        let synced = self.is_synced();
        *self = Self::default();
        synced
    }

    /// True when every update since a snapshot was applied.
    #[must_use]
    pub const fn is_synced(&self) -> bool {
        matches!(self.state, State::Synced(_))
    }

    /// Depth of the topic that feeds the book; 0 before the first snapshot.
    #[must_use]
    pub const fn depth(&self) -> u16 {
        self.depth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UpdateKind::{Delta, Snapshot};
    use proptest::prelude::*;

    #[test]
    fn a_gap_loses_the_book_until_a_snapshot() {
        let mut t = BookTrack::default();
        assert_eq!(t.step(50, Snapshot, 10), Step::Snapshot);
        assert_eq!(t.step(50, Delta, 11), Step::Delta);
        assert_eq!(t.step(50, Delta, 11), Step::Ignore(Ignored::Duplicate));
        assert_eq!(t.step(50, Delta, 13), Step::Lost(BookLoss::Gap));
        assert_eq!(t.step(50, Delta, 12), Step::Ignore(Ignored::NoSnapshot));
        assert_eq!(t.step(50, Delta, 14), Step::Ignore(Ignored::NoSnapshot));
        assert_eq!(t.step(50, Snapshot, 14), Step::Snapshot);
        assert_eq!(t.step(50, Delta, 15), Step::Delta);
    }

    #[test]
    fn one_is_a_snapshot_whatever_the_type_says() {
        let mut t = BookTrack::default();
        assert_eq!(t.step(50, Snapshot, 900), Step::Snapshot);
        assert_eq!(t.step(50, Delta, 1), Step::Snapshot);
        assert_eq!(t.step(50, Delta, 2), Step::Delta);
    }

    #[test]
    fn a_change_before_any_snapshot_is_said_once() {
        let mut t = BookTrack::default();
        assert_eq!(t.step(50, Delta, 7), Step::Lost(BookLoss::NoSnapshot));
        assert_eq!(t.step(50, Delta, 8), Step::Ignore(Ignored::NoSnapshot));
    }

    #[test]
    fn the_deepest_topic_is_the_book() {
        let mut t = BookTrack::default();
        assert_eq!(t.step(1, Snapshot, 5), Step::Snapshot);
        // The deeper topic counts from its snapshot on, not before.
        assert_eq!(t.step(50, Delta, 70), Step::Ignore(Ignored::NoSnapshot));
        assert_eq!(t.step(50, Snapshot, 71), Step::Snapshot);
        assert_eq!(t.step(1, Snapshot, 6), Step::Ignore(Ignored::Shallower));
        assert_eq!(t.step(50, Delta, 72), Step::Delta);
        assert_eq!(t.step(50, Delta, 80), Step::Lost(BookLoss::Gap));
        // A lost deep book is not replaced by one level.
        assert_eq!(t.step(1, Snapshot, 7), Step::Ignore(Ignored::Shallower));
        assert!(!t.reset());
        assert_eq!(t.step(1, Snapshot, 8), Step::Snapshot);
    }

    #[test]
    fn heartbeats_of_the_first_level_repeat_their_number() {
        let mut t = BookTrack::default();
        for u in [5, 5, 9, 9] {
            assert_eq!(t.step(1, Snapshot, u), Step::Snapshot);
        }
    }

    proptest! {
        /// Deltas that are applied after a snapshot are numbered without a hole.
        #[test]
        fn applied_numbers_are_consecutive(updates in proptest::collection::vec((0..2_u8, 2..40_u64), 1..200)) {
            let mut t = BookTrack::default();
            let mut last = None;
            for (kind, u) in updates {
                let kind = if kind == 0 && u % 7 == 0 { Snapshot } else { Delta };
                match t.step(50, kind, u) {
                    Step::Snapshot => last = Some(u),
                    Step::Delta => {
                        prop_assert_eq!(last.map(|l| l + 1), Some(u));
                        last = Some(u);
                    }
                    Step::Lost(_) => last = None,
                    Step::Ignore(_) => {}
                }
                prop_assert_eq!(t.is_synced(), last.is_some());
            }
        }
    }
}
