//! How much of the bankroll a bet deserves. Fractions are rounded down, and a probability that is missing counts as a total loss.

use pm_core::num::{Round, SCALE, mul_div};
use pm_core::units::{Px, Ratio, Usd};

use crate::num;

/// Full Kelly of a binary bet: pay `cost` per share, receive 1 with probability `p`. `f* = (b p - q) / b` with `b = (1 - cost) / cost`,
/// which is `(p - cost) / (1 - cost)`. Zero without an edge, never above 1, rounded down.
#[must_use]
pub fn kelly_binary(p: Px, cost: Px) -> Ratio {
    if p <= cost || cost >= Px::ONE {
        return Ratio::ZERO;
    }
    let (p, cost) = (p.raw().min(SCALE), cost.raw().max(0));
    Ratio::from_raw(mul_div(p - cost, SCALE, SCALE - cost, Round::Down).unwrap_or(0).clamp(0, SCALE))
}

/// Full Kelly over a table of outcomes `(probability, payoff per unit)` for a unit that costs `cost`: the fraction of bankroll to spend that
/// maximises the expected logarithm, by bisection on its derivative. Payoffs may be below zero (a hedge that loses); the worst one bounds the
/// fraction. Probabilities short of 1 leave a rest that pays nothing; above 1 the table is refused with zero. Never above 1, rounded down.
#[must_use]
pub fn kelly_table(outcomes: &[(Ratio, Usd)], cost: Usd) -> Ratio {
    let total: Ratio = outcomes.iter().map(|(p, _)| *p).sum();
    if !cost.is_positive() || total > Ratio::ONE || outcomes.iter().any(|(p, _)| p.is_negative()) {
        return Ratio::ZERO;
    }
    let cost = num::f64_of(cost.raw());
    let rest = num::ratio(Ratio::ONE - total);
    // Return per unit of money spent.
    let rate = |payoff: Usd| num::f64_of(payoff.raw()) / cost - 1.0;
    let worst = outcomes
        .iter()
        .filter(|(p, _)| p.is_positive())
        .map(|(_, payoff)| rate(*payoff))
        .fold(if rest > 0.0 { -1.0 } else { f64::INFINITY }, f64::min);
    let slope = |f: f64| {
        let sum: f64 =
            outcomes.iter().filter(|(p, _)| p.is_positive()).map(|(p, x)| num::ratio(*p) * rate(*x) / (1.0 + f * rate(*x))).sum();
        sum - if rest > 0.0 { rest / (1.0 - f) } else { 0.0 }
    };
    // `!(a > b)` also refuses a slope that is not a number.
    let rises = |v: f64| v > 0.0;
    if !rises(slope(0.0)) {
        return Ratio::ZERO;
    }
    let (mut lo, mut hi) = (0.0_f64, if worst < 0.0 { (1.0 / -worst).min(1.0) } else { 1.0 });
    if worst >= 0.0 || (hi >= 1.0 && worst > -1.0 && rises(slope(1.0))) {
        return Ratio::ONE;
    }
    for _ in 0..60 {
        let middle = 0.5 * (lo + hi);
        if rises(slope(middle)) { lo = middle } else { hi = middle }
    }
    num::scaled(lo, Round::Down).map_or(Ratio::ZERO, |raw| Ratio::from_raw(raw.clamp(0, SCALE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_fractions() {
        let px = |t: &str| t.parse::<Px>().unwrap();
        // p 0.6 at even odds: b = 1, f = 0.6 - 0.4 = 0.2.
        assert_eq!(kelly_binary(px("0.6"), px("0.5")), "0.2".parse().unwrap());
        // p 0.55 at 0.40: b = 1.5, f = (0.825 - 0.45) / 1.5 = 0.25.
        assert_eq!(kelly_binary(px("0.55"), px("0.4")), "0.25".parse().unwrap());
        assert_eq!(kelly_binary(px("0.5"), px("0.5")), Ratio::ZERO);
        assert_eq!(kelly_binary(px("0.5"), Px::ONE), Ratio::ZERO);
        assert_eq!(kelly_binary(Px::ONE, px("0.5")), Ratio::ONE);
        let even = [("0.6".parse().unwrap(), Usd::ONE), ("0.4".parse().unwrap(), Usd::ZERO)];
        assert!((kelly_table(&even, "0.5".parse().unwrap()).raw() - 20_000_000).abs() <= 1);
        let short = [("0.6".parse().unwrap(), Usd::ONE)];
        assert!((kelly_table(&short, "0.5".parse().unwrap()).raw() - 20_000_000).abs() <= 1, "the rest is a loss");
        let certain = [(Ratio::ONE, Usd::ONE)];
        assert_eq!(kelly_table(&certain, "0.9".parse().unwrap()), Ratio::ONE);
        // A payoff of -1 on a cost of 1: at most half the bankroll may be at stake.
        let deep = [("0.99".parse().unwrap(), Usd::whole(3)), ("0.01".parse().unwrap(), Usd::whole(-1))];
        assert!(kelly_table(&deep, Usd::ONE) < "0.5".parse().unwrap());
        let too_much = [("0.7".parse().unwrap(), Usd::ONE), ("0.4".parse().unwrap(), Usd::ONE)];
        assert_eq!(kelly_table(&too_much, "0.1".parse().unwrap()), Ratio::ZERO);
    }

    proptest! {
        #[test]
        fn bounded_zero_without_edge_and_monotone(p in 0_i64..=SCALE, more in 0_i64..=SCALE, cost in 1_i64..SCALE) {
            let (p, q, c) = (Px::from_raw(p), Px::from_raw((p + more).min(SCALE)), Px::from_raw(cost));
            let f = kelly_binary(p, c);
            prop_assert!(f <= Ratio::ONE && f >= Ratio::ZERO);
            prop_assert!(p > c || f == Ratio::ZERO);
            prop_assert!(kelly_binary(q, c) >= f, "monotone in p");
            prop_assert!(kelly_binary(p, Px::from_raw(cost / 2)) >= f, "a lower cost never lowers it");
        }

        #[test]
        fn the_table_agrees_with_the_formula(p in 1_i64..SCALE, cost in 1_000_000_i64..99_000_000) {
            let table = [(Ratio::from_raw(p), Usd::ONE), (Ratio::from_raw(SCALE - p), Usd::ZERO)];
            let (a, b) = (kelly_table(&table, Usd::from_raw(cost)), kelly_binary(Px::from_raw(p), Px::from_raw(cost)));
            prop_assert!((a.raw() - b.raw()).abs() <= 3, "{a} {b}");
        }

        #[test]
        fn no_table_panics_or_leaves_the_unit_interval(
            rows in proptest::collection::vec((any::<i64>(), any::<i64>()), 0..5), cost in any::<i64>(),
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(p, x)| (Ratio::from_raw(p % SCALE), Usd::from_raw(x))).collect();
            let f = kelly_table(&rows, Usd::from_raw(cost));
            prop_assert!(f >= Ratio::ZERO && f <= Ratio::ONE);
        }
    }
}
