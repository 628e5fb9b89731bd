//! What an outcome is worth under its own rule, by this crate's own formula. Makers use it with their lag and their errors, the tests use
//! it as the truth. Jumps enter as a Poisson mixture of normal laws.

use libm::{exp, log, sqrt};

use crate::asset::VarLaw;
use crate::num::{float, normal_cdf, normal_pdf};
use crate::oracle::{Oracle, WINDOW};

/// A probability and how it reacts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fair {
    /// Probability that the first outcome pays.
    pub(crate) p: f64,
    /// Change of it per relative change of the price.
    pub(crate) slope: f64,
}

/// What is normal: distance to the strike in units of the price, and how much variance (in seconds' worth) is still to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// (expected settlement value - strike) / price, or its log for a terminal value.
    pub(crate) distance: f64,
    /// Weighted seconds: the variance of the settlement value is this times variance per second.
    pub(crate) seconds: f64,
    /// Plain seconds to the end, for jumps.
    pub(crate) tau: f64,
    /// True when the distance is a log: half the variance is drift.
    pub(crate) terminal: bool,
    /// Share of a move now that reaches the settlement value.
    pub(crate) weight: f64,
}

/// Probability for a standing. `var_factor` multiplies the variance (a maker's error).
pub(crate) fn probability(s: &Standing, law: &VarLaw, per_second: f64, var_factor: f64) -> Fair {
    let base = per_second * var_factor * s.seconds;
    let expected = law.jump_rate * s.tau;
    let share = if s.tau > 0.0 { s.seconds / s.tau } else { 0.0 };
    let jump = law.jump_var * share;
    let at = |var: f64| {
        let sd = sqrt(var.max(1e-16));
        let drift = if s.terminal { 0.5 * var } else { 0.0 };
        let z = (s.distance - drift) / sd;
        (normal_cdf(z), normal_pdf(z) * s.weight / sd)
    };
    if expected > 1.0 {
        let (p, slope) = at(base + expected * jump);
        return Fair { p, slope };
    }
    let (mut p, mut slope) = at(base);
    if expected > 1e-4 {
        let none = exp(-expected);
        (p, slope) = (p * none, slope * none);
        let one = none * expected;
        let more = 1.0 - none - one;
        for (chance, jumps) in [(one, 1.0), (more, 2.1)] {
            let (q, k) = at(base + jumps * jump);
            p += chance * q;
            slope += chance * k;
        }
    }
    Fair { p, slope }
}

/// Sum of (k/60)^2 for k up to `n`.
fn squares(n: f64) -> f64 {
    n * (n + 1.0) * (2.0 * n + 1.0) / (6.0 * 3_600.0)
}

/// Standing of an averaged window at `now` (seconds, with fraction `part` since `second`).
///
/// The settlement value is the mean of the values of the last [`WINDOW`] seconds. Seconds that have passed are known; the increment that
/// is `k` seconds from the end moves `min(k, 60)` of the sixty values. Before the start the strike moves, too, and cancels.
pub(crate) fn averaged(oracle: &Oracle, price8: f64, start: i64, end: i64, strike_sum: Option<i64>, part: f64) -> Standing {
    let second = oracle.newest();
    let left = (end - second).max(0);
    let open = left.min(WINDOW);
    let known = if open < WINDOW { float(oracle.sum(end - WINDOW, second)) } else { 0.0 };
    let expected = known + float(open) * price8;
    let to_start = (start - second).max(0);
    let (strike, cancelled) = match strike_sum {
        Some(sum) => (float(sum), 0.0),
        None => {
            let open = to_start.min(WINDOW);
            let known = if open < WINDOW { float(oracle.sum(start - WINDOW, second)) } else { 0.0 };
            let n = float(open);
            // Weights 1 - j/60 for the open seconds before the start instead of 1; older increments cancel whole.
            let lost = (float(to_start) - n) + n - squares_of_rest(n);
            (known + n * price8, lost)
        }
    };
    let (n, n_open) = (float(left), float(open));
    let whole = (n - n_open) + squares(n_open);
    // A move now reaches the open seconds of the closing mean, less those of the opening one.
    let weight = n_open / 60.0 - if strike_sum.is_none() { float(to_start.min(WINDOW)) / 60.0 } else { 0.0 };
    // The running second is partly over.
    let head = part * weight * weight;
    let scale = 60.0 * price8;
    Standing {
        distance: (expected - strike) / scale,
        seconds: (whole - cancelled - head).max(0.0),
        tau: (n - part).max(0.0),
        terminal: false,
        weight,
    }
}

/// Sum of (1 - j/60)^2 for j = 1 ..= n.
fn squares_of_rest(n: f64) -> f64 {
    n - n * (n + 1.0) / 60.0 + squares(n)
}

/// Standing of a terminal value against a strike, `tau` seconds before it is taken.
pub(crate) fn terminal(price: f64, strike: f64, tau: f64) -> Standing {
    Standing { distance: log(price / strike), seconds: tau, tau, terminal: true, weight: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Asset;
    use crate::config::AssetConfig;
    use crate::dice::Dice;

    /// Weights by brute force: how many of the closing and opening seconds each increment moves.
    fn brute(second: i64, start: i64, end: i64) -> f64 {
        (second + 1..=end)
            .map(|i| {
                let closing = (end - WINDOW + 1..=end).filter(|s| *s >= i).count();
                let opening = if second < start { (start - WINDOW + 1..=start).filter(|s| *s >= i).count() } else { 0 };
                let w = (f64::from(u32::try_from(closing).unwrap()) - f64::from(u32::try_from(opening).unwrap())) / 60.0;
                w * w
            })
            .sum()
    }

    #[test]
    fn weighted_seconds_equal_the_sum_over_increments() {
        for second in [0, 700, 739, 740, 741, 770, 799, 800, 801, 950, 1_039, 1_040, 1_041, 1_060, 1_099, 1_100] {
            let mut oracle = Oracle::default();
            for s in second - 200..=second {
                oracle.record(s, 100);
            }
            let sum = (second >= 800).then_some(6_000);
            let got = averaged(&oracle, 100.0, 800, 1_100, sum, 0.0);
            assert!(
                (got.seconds - brute(second, 800, 1_100)).abs() < 1e-9,
                "{second}: {} {}",
                got.seconds,
                brute(second, 800, 1_100)
            );
            assert!(got.distance.abs() < 1e-12);
        }
    }

    #[test]
    fn remaining_variance_falls_through_the_second() {
        let mut oracle = Oracle::default();
        for s in 600..=1_000 {
            oracle.record(s, 100);
        }
        let now = averaged(&oracle, 100.0, 800, 1_100, Some(6_000), 0.0).seconds;
        let later = averaged(&oracle, 100.0, 800, 1_100, Some(6_000), 0.4).seconds;
        assert!((now - later - 0.4).abs() < 1e-9);
    }

    /// The closed form against paths of the model itself.
    #[test]
    fn fair_values_are_calibrated() {
        let cfg = AssetConfig { vol_of_vol: 0.0, jumps_per_day: 60.0, ..AssetConfig::btc() };
        let mut dice = Dice::new(5, 1);
        let (paths, tau) = (4_000_u32, 600_u32);
        let mut up = 0_u32;
        let mut law = None;
        for _ in 0..paths {
            let mut asset = Asset::new(&cfg, ("", ""), 1_000);
            law = Some(asset.law());
            for _ in 0..tau {
                asset.step(None, &mut dice);
            }
            up += u32::from(asset.price > 64_060.0);
        }
        let law = law.unwrap();
        let p = probability(&terminal(64_000.0, 64_060.0, f64::from(tau)), &law, law.per_second(600.0), 1.0).p;
        let seen = f64::from(up) / f64::from(paths);
        assert!((p - seen).abs() < 0.025, "{p} {seen}");
    }
}
