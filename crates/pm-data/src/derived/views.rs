//! The two outcomes' books as one. When both were read at different moments they can disagree; then only what *both* show exists: at every
//! price the canonical side holds the smaller of the two quantities that are on offer up to there. A fill that one view alone would have
//! allowed is never allowed.

use pm_core::book::Level;
use pm_core::units::{Px, Qty};

use super::record::LevelRecord;

/// Quantity of a level whose size is not known: the smallest there is. The book's flags forbid to fill against it.
pub(super) const UNKNOWN: Qty = Qty::from_raw(1);

/// One side of a book in canonical terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) levels: Vec<Level>,
    /// True when a level that is really there has no known size, or when nothing is known about the side.
    pub(super) unknown: bool,
}

impl Side {
    /// A side about which the origin says nothing: not an empty one.
    pub(super) const fn unknown() -> Self {
        Self { levels: Vec::new(), unknown: true }
    }
}

/// Levels of one view; the second outcome's prices are complemented.
pub(super) fn side(records: &[LevelRecord], mirror: bool) -> Side {
    let mut out = Side::default();
    for (px, qty) in records {
        if qty.is_some_and(|q| !q.is_positive()) {
            continue;
        }
        out.unknown |= qty.is_none();
        out.levels.push(Level { px: if mirror { px.complement() } else { *px }, qty: qty.unwrap_or(UNKNOWN) });
    }
    out
}

/// The worse of two views of one side, and whether they disagree about its best price. A view of `None` knows nothing of the side: the
/// other one decides.
pub(super) fn worse(a: Option<&[LevelRecord]>, b: Option<&[LevelRecord]>, b_mirrored: bool, asks: bool) -> (Side, bool) {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) => return (side(a, false), false),
        (None, Some(b)) => return (side(b, b_mirrored), false),
        (None, None) => return (Side::unknown(), false),
    };
    let (a, b) = (sorted(a, false, asks), sorted(b, b_mirrored, asks));
    let disagree = match (a.first(), b.first()) {
        (Some(x), Some(y)) => x.0 != y.0,
        (None, None) => false,
        _ => true,
    };
    let mut prices: Vec<Px> = a.iter().chain(&b).map(|l| l.0).collect();
    prices.sort_unstable();
    prices.dedup();
    if !asks {
        prices.reverse();
    }
    let (mut seen_a, mut seen_b) = (Seen::default(), Seen::default());
    let (mut ia, mut ib) = (a.iter().peekable(), b.iter().peekable());
    let mut taken = 0_i64;
    let mut out = Side::default();
    for px in prices {
        while let Some(l) = ia.next_if(|l| l.0 == px) {
            seen_a.add(l.1);
        }
        while let Some(l) = ib.next_if(|l| l.0 == px) {
            seen_b.add(l.1);
        }
        if seen_a.unlimited && seen_b.unlimited {
            // Both views end in sizes that nobody knows.
            out.unknown = true;
            out.levels.push(Level { px, qty: UNKNOWN });
            break;
        }
        let both = seen_a.upto().min(seen_b.upto());
        if both > taken {
            out.levels.push(Level { px, qty: Qty::from_raw(both - taken) });
            taken = both;
        }
    }
    (out, disagree)
}

/// Quantity on offer up to a price.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    known: i64,
    unlimited: bool,
}

impl Seen {
    fn add(&mut self, qty: Option<Qty>) {
        match qty {
            Some(q) => self.known = self.known.saturating_add(q.raw()),
            None => self.unlimited = true,
        }
    }
    /// A level of unknown size limits nothing: the other view decides how much there is.
    fn upto(self) -> i64 {
        if self.unlimited { i64::MAX } else { self.known }
    }
}

/// Best level first.
fn sorted(levels: &[LevelRecord], mirror: bool, asks: bool) -> Vec<LevelRecord> {
    let there = levels.iter().filter(|l| l.1.is_none_or(Qty::is_positive));
    let mut out: Vec<LevelRecord> = there.map(|(px, q)| (if mirror { px.complement() } else { *px }, *q)).collect();
    out.sort_by_key(|l| l.0);
    if !asks {
        out.reverse();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn l(px: &str, qty: Option<&str>) -> LevelRecord {
        (px.parse().unwrap(), qty.map(|q| q.parse().unwrap()))
    }
    fn level(px: &str, qty: &str) -> Level {
        Level { px: px.parse().unwrap(), qty: qty.parse().unwrap() }
    }

    #[test]
    fn views_that_mirror_give_the_book_itself() {
        let up = [l("0.51", Some("10")), l("0.52", Some("5"))];
        let down = [l("0.49", Some("10")), l("0.48", Some("5"))];
        let (side, disagree) = worse(Some(&up), Some(&down), true, true);
        assert_eq!(side.levels, [level("0.51", "10"), level("0.52", "5")]);
        assert!(!disagree && !side.unknown);
    }

    #[test]
    fn a_disagreement_takes_the_worse_price_and_the_smaller_size() {
        // Up offers 500 at 0.45, Down's bid says 300 at 0.43.
        let (side, disagree) = worse(Some(&[l("0.45", Some("500"))]), Some(&[l("0.57", Some("300"))]), true, true);
        assert_eq!(side.levels, [level("0.45", "300")]);
        assert!(disagree);
        // A view that shows nothing allows nothing.
        let (side, disagree) = worse(Some(&[l("0.45", Some("500"))]), Some(&[]), true, true);
        assert!(side.levels.is_empty() && disagree);
        // A view that knows nothing of the side says nothing against the other.
        let (side, disagree) = worse(Some(&[l("0.45", Some("500"))]), None, true, true);
        assert_eq!((side.levels, side.unknown, disagree), (vec![level("0.45", "500")], false, false));
        assert_eq!(worse(None, None, true, true), (Side::unknown(), false));
    }

    #[test]
    fn a_known_size_wins_over_an_unknown_one_and_two_unknown_ones_are_flagged() {
        let (side, _) = worse(Some(&[l("0.13", Some("20"))]), Some(&[l("0.87", None)]), true, true);
        assert_eq!((side.levels, side.unknown), (vec![level("0.13", "20")], false));
        let (side, _) = worse(Some(&[l("0.13", None)]), Some(&[l("0.87", None)]), true, true);
        assert_eq!((side.levels.len(), side.unknown), (1, true));
    }

    fn levels() -> impl Strategy<Value = Vec<LevelRecord>> {
        proptest::collection::vec((1_i64..99, proptest::option::of(0_i64..1_000)), 0..8)
            .prop_map(|v| v.into_iter().map(|(p, q)| (Px::from_raw(p * 1_000_000), q.map(Qty::from_raw))).collect())
    }

    proptest! {
        /// Up to every price, the result offers no more than either view with known sizes.
        #[test]
        fn never_better_than_either_view(a in levels(), b in levels(), asks in any::<bool>()) {
            let (side, _) = worse(Some(&a), Some(&b), false, asks);
            if side.unknown {
                return Ok(());
            }
            for view in [&a, &b] {
                for limit in side.levels.iter().map(|l| l.px) {
                    let within = |px: Px| if asks { px <= limit } else { px >= limit };
                    if view.iter().any(|l| within(l.0) && l.1.is_none()) {
                        continue;
                    }
                    let offered: i64 = view.iter().filter(|l| within(l.0)).map(|l| l.1.unwrap_or_default().raw()).sum();
                    let given: i64 = side.levels.iter().filter(|l| within(l.px)).map(|l| l.qty.raw()).sum();
                    prop_assert!(given <= offered, "{given} > {offered} at {limit}");
                }
            }
        }
    }
}
