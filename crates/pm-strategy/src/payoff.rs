//! What a hedged structure is worth at settlement: one table over the settlement value, from which both the worst loss and the Kelly
//! fraction are read.
//!
//! Rows: just below and just above the strike (where the payoff jumps while the hedge does not), the spot now, and one and three standard
//! deviations to either side. The hedge is static and linear in the settlement value, so between two rows nothing is worse than at the
//! worse of them; beyond three standard deviations it is cut.

use pm_core::market::Outcome;
use pm_core::num::{Round, SCALE};
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::fair::Fair;
use crate::num;

/// Rows of the table.
pub(crate) const ROWS: usize = 7;

/// One settlement value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Settlement value.
    pub(crate) at: Px,
    /// Whether the outcome bought pays.
    pub(crate) wins: bool,
    /// Result of the hedge without its cost; negative where it loses. Rounded down.
    pub(crate) hedge: Usd,
    /// Probability of the row under the model's own distribution: the mass between two rows is shared so that its mean is kept.
    pub(crate) p: f64,
}

/// The table of `outcome` with `base` units of hedge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Table(pub(crate) [Row; ROWS]);

impl Table {
    pub(crate) fn new(fair: &Fair, outcome: Outcome, base: Qty) -> Self {
        let away = |n: i64| fair.spot + Px::from_raw(fair.sd.raw().saturating_mul(n));
        let row = |at: Px, above: bool| {
            // A share of First is hedged short, one of Second long.
            let gain = if outcome == Outcome::First { fair.spot - at } else { at - fair.spot };
            Row { at, wins: above == (outcome == Outcome::First), hedge: base.at(gain, Round::Down), p: 0.0 }
        };
        let side = |at: Px| row(at, at > fair.strike);
        let mut rows = [
            side(away(-3)),
            side(away(-1)),
            side(fair.spot),
            side(away(1)),
            side(away(3)),
            row(fair.strike, false),
            row(fair.strike, true),
        ];
        let above = |r: &Row| r.wins == (outcome == Outcome::First);
        rows.sort_by_key(|r| (r.at, above(r)));
        spread_mass(&mut rows, num::px(fair.spot), num::px(fair.sd));
        Self(rows)
    }

    /// The largest loss of `qty` shares that cost `outlay`, without the hedge's own cost. Below zero when nothing can be lost.
    pub(crate) fn worst_loss(&self, qty: Qty, outlay: Usd) -> Usd {
        let pays = |r: &Row| if r.wins { qty.at(Px::ONE, Round::Down) } else { Usd::ZERO };
        self.0.iter().map(|r| outlay - pays(r) - r.hedge).max().unwrap_or(outlay)
    }

    /// Rows per share for Kelly. The outcome wins with the conservative probability `p`; the hedge earns nothing on average, although a
    /// lower probability would let it; and with probability `fails` it does nothing but lose `gap` a share.
    pub(crate) fn kelly_rows(&self, qty: Qty, p: Px, fails: Ratio, gap: Usd) -> [(Ratio, Usd); ROWS + 2] {
        let p = num::px(p).clamp(0.0, 1.0);
        let wins: f64 = self.0.iter().filter(|r| r.wins).map(|r| r.p).sum();
        let losses: f64 = self.0.iter().filter(|r| !r.wins).map(|r| r.p).sum();
        // A side without mass of its own is left out, which Kelly counts as paying nothing.
        let share = |r: &Row| match (r.wins, wins > 1e-12, losses > 1e-12) {
            (true, true, _) => p * r.p / wins,
            (false, _, true) => (1.0 - p) * r.p / losses,
            _ => 0.0,
        };
        let per_share = |r: &Row| num::usd(r.hedge) / num::qty(qty).max(1e-8);
        let (mass, earned) = self.0.iter().fold((0.0, 0.0), |(m, e), r| (m + share(r), e + share(r) * per_share(r)));
        let mean = if mass > 0.0 { (earned / mass).max(0.0) } else { 0.0 };
        let works = 1.0 - num::ratio(fails).clamp(0.0, 1.0);
        let chance = |x: f64| Ratio::from_raw(num::scaled(x, Round::Down).unwrap_or(0).clamp(0, SCALE));
        let money = |x: f64| Usd::from_raw(num::scaled(x, Round::Down).unwrap_or(0));
        let mut rows = [(Ratio::ZERO, Usd::ZERO); ROWS + 2];
        for (to, r) in rows.iter_mut().zip(&self.0) {
            let pays = if r.wins { 1.0 } else { 0.0 };
            *to = (chance(works * share(r)), money(pays + per_share(r) - mean));
        }
        let [.., won, lost] = &mut rows;
        *won = (chance((1.0 - works) * p), Usd::ONE - gap);
        *lost = (chance((1.0 - works) * (1.0 - p)), -gap);
        rows
    }
}

/// Gives each row its part of a normal distribution: what lies between two rows is split so that its mean is kept, what lies beyond the
/// ends goes to the end.
fn spread_mass(rows: &mut [Row; ROWS], mean: f64, sd: f64) {
    let sd = sd.max(1e-8);
    let z = |r: &Row| (num::px(r.at) - mean) / sd;
    let zs = rows.map(|r| z(&r));
    let mut masses = [0.0; ROWS];
    let last = ROWS - 1;
    for at in 0..=ROWS {
        let from = at.checked_sub(1).and_then(|i| zs.get(i)).copied();
        let to = zs.get(at).copied();
        let (below, under) = from.map_or((0.0, 0.0), |a| (num::normal_cdf(a), num::normal_pdf(a)));
        let (above, over) = to.map_or((1.0, 0.0), |b| (num::normal_cdf(b), num::normal_pdf(b)));
        let mass = (above - below).max(0.0);
        // Part of the mass that goes to the upper row.
        let up = match (from, to) {
            (Some(a), Some(b)) if b > a && mass > 0.0 => (((under - over) / mass - a) / (b - a)).clamp(0.0, 1.0),
            (None, _) => 1.0,
            _ => 0.0,
        };
        if let Some(m) = masses.get_mut(at.min(last)).filter(|_| at <= last) {
            *m += mass * up;
        }
        if let Some(m) = at.checked_sub(1).and_then(|i| masses.get_mut(i)) {
            *m += mass * (1.0 - up);
        }
    }
    for (r, mass) in rows.iter_mut().zip(masses) {
        r.p = mass;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kelly::{kelly_binary, kelly_table};
    use pm_core::opportunity::Band;
    use proptest::prelude::*;

    fn fair(spot: i32, sd: i32) -> Fair {
        let half = Px::from_raw(50_000_000);
        Fair {
            band: Band { lo: half, mid: half, hi: half },
            delta: Qty::from_raw(20_000),
            sd_per_sqrt_s: Px::ZERO,
            fixed: Ratio::ZERO,
            strike: Px::whole(80_000),
            spot: Px::whole(spot),
            sd: Px::whole(sd),
        }
    }

    #[test]
    fn worst_losses_by_hand() {
        // 40 shares for 20.70, hedged with 0.008; sd 2,000.
        let worst = |spot, outcome| {
            let table = Table::new(&fair(spot, 2_000), outcome, "0.008".parse().unwrap());
            table.worst_loss(Qty::whole(40), "20.7".parse().unwrap())
        };
        let usd = |t: &str| t.parse::<Usd>().unwrap();
        // On the strike: 3 sd up the short loses 48, the shares earn 19.30.
        assert_eq!(worst(80_000, Outcome::First), usd("28.7"));
        // Below it by 2,000: at the strike from below the short has lost 16 and nothing pays.
        assert_eq!(worst(78_000, Outcome::First), usd("36.7"));
        // Above it by 4,000 the short has earned 32 at the strike: what is left is 3 sd up.
        assert_eq!(worst(84_000, Outcome::First), usd("28.7"));
        // The other outcome is the mirror.
        assert_eq!(worst(82_000, Outcome::Second), usd("36.7"));
        assert_eq!(worst(76_000, Outcome::Second), usd("28.7"));
        // Without a hedge the outlay is lost.
        let bare = Table::new(&fair(78_000, 2_000), Outcome::First, Qty::ZERO);
        assert_eq!(bare.worst_loss(Qty::whole(40), usd("20.7")), usd("20.7"));
    }

    #[test]
    fn kelly_rows_by_hand() {
        // Without a hedge the rows are a bet at 0.6, failing or not: (0.6 - 0.5) / 0.5 = 0.2.
        let (fails, p) = (Ratio::from_bps(100), Px::from_raw(60_000_000));
        let bare = Table::new(&fair(80_000, 2_000), Outcome::First, Qty::ZERO).kelly_rows(Qty::whole(40), p, fails, Usd::ZERO);
        let (cost, half) = ("0.5".parse::<Usd>().unwrap(), Px::from_raw(50_000_000));
        assert!((kelly_table(&bare, cost).raw() - kelly_binary(p, half).raw()).abs() < 200);
        // The hedge fails in 1 %: 0.6 % it pays 1, 0.4 % nothing.
        assert_eq!(bare.get(ROWS..).unwrap(), [("0.006".parse().unwrap(), Usd::ONE), ("0.004".parse().unwrap(), Usd::ZERO)]);
        // Half the delta of phi(0) / 2,000 = 0.0002 takes 2 * 0.0001 * 2,000 * phi(0) - 0.04 = 0.12 off a variance of 0.25, and on average
        // nothing: half as much again may be spent on shares worth 0.50 that cost 0.45.
        let base = "0.004".parse().unwrap();
        let hedged =
            Table::new(&fair(80_000, 2_000), Outcome::First, base).kelly_rows(Qty::whole(40), half, Ratio::ZERO, Usd::ZERO);
        let mean: f64 = hedged.iter().map(|(p, x)| num::ratio(*p) * num::usd(*x)).sum();
        assert!((mean - 0.5).abs() < 1e-6, "{mean}");
        let cost = "0.45".parse::<Usd>().unwrap();
        let (with, without) = (kelly_table(&hedged, cost), kelly_binary(half, Px::from_raw(cost.raw())));
        assert!(with.raw() > without.raw() * 3 / 2, "{with} {without}");
    }

    proptest! {
        #[test]
        fn the_mass_is_one_and_keeps_its_mean_and_the_hedge_earns_nothing(
            spot in 70_000_i32..90_000, sd in 50_i32..6_000, first in any::<bool>(), base in 0_i64..2_000_000, lo in 1_i64..99,
        ) {
            let outcome = if first { Outcome::First } else { Outcome::Second };
            let table = Table::new(&fair(spot, sd), outcome, Qty::from_raw(base));
            let mass: f64 = table.0.iter().map(|r| r.p).sum();
            let mean: f64 = table.0.iter().map(|r| r.p * num::px(r.at)).sum();
            prop_assert!((mass - 1.0).abs() < 1e-9, "{table:?}");
            prop_assert!((mean - f64::from(spot)).abs() < 1e-3 * f64::from(sd) + 1e-6, "{mean} {table:?}");
            prop_assert!(table.0.is_sorted_by_key(|r| r.at));
            let p = Px::from_raw(lo * 1_000_000);
            let rows = table.kelly_rows(Qty::whole(40), p, Ratio::ZERO, Usd::ZERO);
            let value: f64 = rows.iter().map(|(p, x)| num::ratio(*p) * num::usd(*x)).sum();
            prop_assert!(value <= num::px(p) + 1e-6, "{value}");
        }
    }
}
