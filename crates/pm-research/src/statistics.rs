//! Figures of an equity curve. They are made from hourly samples with capital movements taken out, because a deposit is not a profit and
//! a curve that is sampled more often does not make a strategy better.

use pm_core::units::Usd;
use pm_strategy::num::f64_of;

/// One sample of equity: (hours since the epoch, equity, capital moved in since the start, negative = taken out).
pub type HourlySample = (i64, Usd, Usd);

/// Fewest hourly returns that a Sharpe ratio is computed from.
pub const MIN_RETURNS: usize = 24;

/// Hours of a year of 365 days.
const HOURS_PER_YEAR: f64 = 8_760.0;

/// Rounds a figure to 6 decimal places for reports; `None` when it is not a number.
#[must_use]
pub fn round6(v: f64) -> Option<f64> {
    // Adding zero turns a negative zero into zero.
    let rounded = (v * 1e6).round() / 1e6 + 0.0;
    rounded.is_finite().then_some(rounded)
}

/// `a / b` of two amounts; `None` when `b` is zero.
#[must_use]
pub fn quotient(a: Usd, b: Usd) -> Option<f64> {
    (!b.is_zero()).then(|| f64_of(a.raw()) / f64_of(b.raw()))
}

/// A return and the number of hours it took.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    hours: f64,
    gain: f64,
}

/// Return from one sample to the next. Capital that moved in between counts as moved at the end of the step. `None` when there was no
/// equity to earn it on.
fn step(from: HourlySample, to: HourlySample) -> Option<Step> {
    let moved = to.2 - from.2;
    let hours = f64_of(to.0.saturating_sub(from.0));
    let grown = quotient(to.1 - moved, from.1).filter(|_| from.1.is_positive())?;
    Some(Step { hours, gain: grown - 1.0 })
}

/// Sharpe ratio of hourly returns, annualised by the square root of 8,760, without a risk-free rate.
///
/// `None` under [`MIN_RETURNS`] observed returns, without variance, and once equity is gone. Where hours are missing the last equity is
/// carried forward: the missing hours count as returns of zero and the whole change falls into the last hour. That keeps mean and
/// variance per hour honest; counting a change over ten hours as one hour's return would flatter by the square root of ten. Carried hours
/// do not count towards [`MIN_RETURNS`].
#[must_use]
pub fn sharpe(hourly: &[HourlySample]) -> Option<f64> {
    let steps: Vec<Step> = hourly.windows(2).map(|w| step(*w.first()?, *w.last()?)).collect::<Option<_>>()?;
    let observed = steps.len();
    if observed < MIN_RETURNS || steps.iter().any(|s| s.hours < 1.0) {
        return None;
    }
    let hours: f64 = steps.iter().map(|s| s.hours).sum();
    let carried = hours - f64_of(i64::try_from(observed).ok()?);
    let mean = steps.iter().map(|s| s.gain).sum::<f64>() / hours;
    let squares: f64 = steps.iter().map(|s| (s.gain - mean) * (s.gain - mean)).sum::<f64>() + carried * mean * mean;
    let variance = squares / (hours - 1.0);
    // Equal returns leave a rest of rounding; a ratio over it would be astronomic and mean nothing.
    if variance <= mean * mean * 1e-20 || variance <= 0.0 {
        return None;
    }
    Some(mean / variance.sqrt() * HOURS_PER_YEAR.sqrt())
}

/// Largest fall from a high to a later low of hourly equity, as a fraction of the high, 0..1. Returns are chained so that deposits and
/// withdrawals neither hide nor make a fall. `start` is the equity before the first sample.
#[must_use]
pub fn max_drawdown(start: Usd, hourly: &[HourlySample]) -> f64 {
    let (mut level, mut high, mut worst) = (1.0_f64, 1.0_f64, 0.0_f64);
    let mut before: HourlySample = (0, start, Usd::ZERO);
    for sample in hourly {
        let Some(step) = step(before, *sample) else { break };
        level *= (1.0 + step.gain).max(0.0);
        high = high.max(level);
        worst = worst.max(1.0 - level / high);
        before = *sample;
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    /// Alternating +1 % and -0.5 % in exact amounts is awkward; alternating amounts on a large base is checked against its own formula.
    fn zigzag(n: i64) -> Vec<HourlySample> {
        (0..=n).map(|h| (h, Usd::whole(if h % 2 == 0 { 1_000 } else { 1_010 }), Usd::ZERO)).collect()
    }

    #[test]
    fn twenty_four_returns_are_needed() {
        assert_eq!(sharpe(&zigzag(23)), None);
        // Twelve times +1 % and twelve times -10/1010 = -0.99009901 %: mean 0.0000495050, sample deviation 0.0101657...:
        // mean: (12 * 0.01 - 12 * 0.00990099) / 24 = 0.0000495050
        // deviation: half distance 0.009950495 * sqrt(24/23) = 0.010164517
        // ratio: 0.0048703753 * sqrt(8760) = 0.45584
        let value = sharpe(&zigzag(24)).unwrap();
        assert!((value - 0.455_84).abs() < 0.000_01, "{value}");
    }

    #[test]
    fn no_variance_is_no_ratio() {
        let flat: Vec<HourlySample> = (0..100).map(|h| (h, Usd::whole(10), Usd::ZERO)).collect();
        assert_eq!(sharpe(&flat), None);
        // Doubling every hour: equal returns of 1, exactly.
        let doubling: Vec<HourlySample> = (0..26).map(|h| (h, Usd::from_raw(1_000 << h), Usd::ZERO)).collect();
        assert_eq!(sharpe(&doubling), None);
    }

    #[test]
    fn a_deposit_is_not_a_return() {
        let mut with: Vec<HourlySample> = zigzag(30);
        let plain = sharpe(&with).unwrap();
        // A second account's worth of capital after hour 10, in proportion invested the same way from then on.
        for s in with.iter_mut().skip(11) {
            s.1 = s.1 + s.1;
            s.2 = Usd::whole(1_010);
        }
        // Hour 11 ends at 1010 of the old capital; the deposit of as much doubles it.
        let value = sharpe(&with).unwrap();
        assert!((value - plain).abs() < 1e-9, "{value} {plain}");
        assert!((max_drawdown(Usd::whole(1_000), &with) - 10.0 / 1_010.0).abs() < 1e-12);
    }

    #[test]
    fn missing_hours_do_not_flatter() {
        // The same thirty changes, ten hours apart each: mean and variance per hour are a tenth, so the ratio falls by about sqrt(10).
        let rising: Vec<HourlySample> =
            (0..=30).map(|h| (h, Usd::whole(1_000) + Usd::whole(i32::try_from(h * 3 + h % 2).unwrap()), Usd::ZERO)).collect();
        let sparse: Vec<HourlySample> = rising.iter().map(|s| (s.0 * 10, s.1, s.2)).collect();
        let (dense, sparse) = (sharpe(&rising).unwrap(), sharpe(&sparse).unwrap());
        assert!(sparse > 0.0 && sparse < dense / 10.0_f64.sqrt(), "{dense} {sparse}");
        // Two samples a hundred hours apart are one observed return, not a hundred.
        assert_eq!(sharpe(&[(0, Usd::whole(10), Usd::ZERO), (100, Usd::whole(11), Usd::ZERO)]), None);
    }

    #[test]
    fn drawdown_by_hand() {
        let curve = [(1, usd("12"), Usd::ZERO), (2, usd("9"), Usd::ZERO), (3, usd("15"), Usd::ZERO), (4, usd("12"), Usd::ZERO)];
        assert!((max_drawdown(usd("10"), &curve) - 0.25).abs() < 1e-12, "12 to 9");
        assert!((max_drawdown(usd("18"), &curve) - 0.5).abs() < 1e-12, "the start counts: 18 to 9");
        // A withdrawal of 5 is no fall.
        let taken = [(1, usd("10"), Usd::ZERO), (2, usd("5"), usd("-5"))];
        assert!(max_drawdown(usd("10"), &taken).abs() < 1e-12);
        assert!(
            (max_drawdown(usd("10"), &[(1, usd("-1"), Usd::ZERO)]) - 1.0).abs() < 1e-12,
            "more than everything is everything"
        );
    }

    #[test]
    fn rounding() {
        assert_eq!(round6(0.123_456_78), Some(0.123_457));
        assert_eq!(round6(f64::NAN), None);
        assert_eq!(round6(f64::INFINITY), None);
        assert_eq!(round6(-1e-9).map(f64::is_sign_negative), Some(false));
    }

    proptest! {
        /// Whatever the samples: no panic, and figures stay figures.
        #[test]
        fn any_curve(samples in proptest::collection::vec((-5_i64..5, any::<i64>(), any::<i64>()), 0..60), start in any::<i64>()) {
            let mut hour = 0;
            let curve: Vec<HourlySample> = samples
                .into_iter()
                .map(|(d, e, t)| { hour += d; (hour, Usd::from_raw(e), Usd::from_raw(t)) })
                .collect();
            prop_assert!(sharpe(&curve).and_then(round6).is_none_or(f64::is_finite));
            let fall = max_drawdown(Usd::from_raw(start), &curve);
            prop_assert!((0.0..=1.0).contains(&fall));
        }
    }
}
