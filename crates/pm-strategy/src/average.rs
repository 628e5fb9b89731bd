//! The settlement variable as "known part + weight x price now + noise". One description serves the instantaneous value, the candle's
//! close and the time-weighted average, before and inside of its window.
//!
//! An average of n one-second values whose first m-th remaining one comes in `a` seconds has, per `sigma^2 S^2`, the variance
//! `sum_i sum_j min(s_i, s_j) / n^2 = (a m^2 + m (m - 1)(2m - 1) / 6) / n^2`. Before the window (m = n, a = tau - n + 1) this is
//! `tau - 2 n / 3` up to terms of one second; inside (m = tau, a <= 1) it is `tau^3 / (3 n^2)` up to the same.

/// What is left to be decided, as seen now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Remaining {
    /// Part of the settlement value that no longer depends on the price, in price units.
    pub(crate) known: f64,
    /// Weight of the price now in the expected settlement value, 0..1.
    pub(crate) weight: f64,
    /// Variance of the settlement value per `sigma^2 S^2`, seconds.
    pub(crate) unit_var: f64,
    /// Part of the final average already fixed, 0..1.
    pub(crate) fixed: f64,
}

impl Remaining {
    /// The value at one instant, `tau` seconds away.
    pub(crate) const fn instant(tau: f64) -> Self {
        Self { known: 0.0, weight: 1.0, unit_var: if tau > 0.0 { tau } else { 0.0 }, fixed: 0.0 }
    }
}

/// Part of an averaging window that lies in the past.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Past {
    /// Sum of the one-second values that were seen.
    pub(crate) sum: f64,
    /// Seconds that passed without a value of the source yet (it is seen a second or two late).
    pub(crate) gap: f64,
    /// The last value seen.
    pub(crate) last: f64,
    /// Seconds since that value.
    pub(crate) age: f64,
}

/// Variance of the mean of `n` one-second values per `sigma^2 S^2`, `m` of which are still to come, the first in `a` seconds.
pub(crate) fn future_unit_var(n: f64, m: f64, a: f64) -> f64 {
    if m <= 0.0 {
        return 0.0;
    }
    (a * m * m + m * (m - 1.0) * (2.0 * m - 1.0) / 6.0) / (n * n)
}

/// The mean of `n` one-second values, `m` of which are still to come.
pub(crate) fn window(n: f64, m: f64, a: f64, past: &Past) -> Remaining {
    // Between the last value and now the price went from one to the other: each missing second lies on the line between them.
    let (gap, age) = (past.gap, past.age.max(past.gap));
    let on_now = if gap > 0.0 { (gap * (gap + 1.0) / (2.0 * age)).min(gap) } else { 0.0 };
    Remaining {
        known: (past.sum + past.last * (gap - on_now)) / n,
        weight: (m + on_now) / n,
        // A bridge over g seconds adds g^3 / 12.
        unit_var: future_unit_var(n, m, a) + gap * gap * gap / (12.0 * n * n),
        fixed: (n - m) / n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Normal;

    #[test]
    fn agrees_with_the_continuous_formulas() {
        // design.md section 6. Before the window: tau - 2w/3; inside: tau^3 / (3 w^2).
        for (tau, w) in [(300.0, 60.0), (120.0, 60.0), (900.0, 300.0)] {
            let discrete = future_unit_var(w, w, tau - w + 1.0);
            let continuous = tau - 2.0 * w / 3.0;
            assert!((discrete - continuous).abs() < 1.0, "{tau} {w}: {discrete} {continuous}");
        }
        for (tau, w) in [(300.0, 300.0), (150.0, 300.0), (45.0, 60.0)] {
            let discrete = future_unit_var(w, tau, 0.5);
            let continuous = tau * tau * tau / (3.0 * w * w);
            assert!((discrete / continuous - 1.0).abs() < 0.01, "{tau} {w}: {discrete} {continuous}");
        }
        // By hand: two values, in 1 s and 2 s: ((1 + 1) + (1 + 2)) / 4.
        assert!((future_unit_var(2.0, 2.0, 1.0) - 1.25).abs() < 1e-12);
    }

    /// Variance of the average by simulating the path itself.
    #[test]
    fn agrees_with_brute_force() {
        let mut normal = Normal::seeded(11);
        for (n, m, a) in [(60_i32, 60_i32, 61.0_f64), (60, 60, 1.0), (60, 30, 0.4), (60, 7, 1.0), (30, 1, 0.2)] {
            let paths = 40_000;
            let mut square = 0.0;
            for _ in 0..paths {
                let (mut w, mut sum) = (a.sqrt() * normal.draw(), 0.0);
                for i in 0..m {
                    if i > 0 {
                        w += normal.draw();
                    }
                    sum += w;
                }
                square += (sum / f64::from(n)) * (sum / f64::from(n));
            }
            let simulated = square / f64::from(paths);
            let formula = future_unit_var(f64::from(n), f64::from(m), a);
            // The standard error of a variance of 40,000 draws is 0.7 %; four of them.
            assert!((simulated / formula - 1.0).abs() < 0.028, "{n} {m} {a}: {simulated} {formula}");
        }
    }

    #[test]
    fn missing_seconds_lie_between_the_last_value_and_now() {
        // Window of 4, two seen (100, 100), two missing, last seen 2 s ago at 100, now 110: 105 and 110 -> mean 103.75.
        let r = window(4.0, 0.0, 0.0, &Past { sum: 200.0, gap: 2.0, last: 100.0, age: 2.0 });
        assert!((r.known + r.weight * 110.0 - 103.75).abs() < 1e-12);
        assert!((r.fixed - 1.0).abs() < 1e-12);
    }
}
