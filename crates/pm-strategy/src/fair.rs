//! From "what is left to be decided" to a probability with a band.

use pm_core::market::Tie;
use pm_core::num::Round;
use pm_core::opportunity::Band;
use pm_core::units::{Px, Qty, Ratio};

use crate::average::Remaining;
use crate::num;

/// Fair value of the outcome `First` now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fair {
    /// Probability of `First`: best estimate and conservative ends. 1 or 0 only when the settlement value itself was observed.
    pub band: Band,
    /// Absolute change of the probability per unit of price, in base units per share; rounded down.
    pub delta: Qty,
    /// Standard deviation of the probability over one second, rounded up.
    pub sd_per_sqrt_s: Px,
    /// Part of the final average already fixed, 0..1.
    pub fixed: Ratio,
    /// The strike that was used: of the rule, or the start value of an Up/Down window.
    pub strike: Px,
}

/// Nothing is certain before the settlement value is seen: which report the venue reads at a boundary is undocumented.
const MOST: Px = Px::from_raw(99_900_000);
const LEAST: Px = Px::from_raw(100_000);

/// Everything a price depends on, in price units and seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Law {
    /// Estimate of the source's value now.
    pub(crate) spot: f64,
    /// Variance of that estimate.
    pub(crate) spot_var: f64,
    /// Volatility per square root of a second, as a fraction.
    pub(crate) sigma: f64,
    /// Relative half-width of volatility for the band.
    pub(crate) sigma_err: f64,
    /// Strike.
    pub(crate) strike: Px,
    /// Variance of strike and boundary reading.
    pub(crate) rule_var: f64,
    /// What is left to be decided.
    pub(crate) remaining: Remaining,
}

fn px(v: f64, round: Round) -> Px {
    Px::from_raw(num::scaled(v, round).unwrap_or(0).clamp(0, pm_core::num::SCALE))
}

/// The probability that the settlement value ends above the strike. `z` is the width of the band in standard deviations.
pub(crate) fn price(law: &Law, z: f64) -> Fair {
    let r = &law.remaining;
    let distance = r.known + r.weight * law.spot - num::px(law.strike);
    let unit = law.spot * r.unit_var.sqrt();
    let tiny = law.spot * 1e-9;
    let estimate_var = r.weight * r.weight * law.spot_var + law.rule_var;
    let shift = z * estimate_var.sqrt();
    let total = |sigma: f64, extra: f64| (sigma * sigma * unit * unit + extra).sqrt().max(tiny);
    let sd = total(law.sigma, estimate_var);
    // The ends: moved by the error of the estimate, and spread by whichever volatility is worse. For a distance against us that is the
    // narrowest distribution without the estimate's error, for one in our favour the widest with it.
    let narrow = total(law.sigma * (1.0 - law.sigma_err), 0.0);
    let wide = total(law.sigma * (1.0 + law.sigma_err), estimate_var);
    let at = |x: f64, in_favour: f64, against: f64| num::normal_cdf(x / if x >= 0.0 { in_favour } else { against });
    let lo = at(distance - shift, wide, narrow);
    let hi = at(distance + shift, narrow, wide);
    let standardised = distance / sd;
    let slope = num::normal_pdf(standardised) * r.weight / sd;

    let lo = px(lo, Round::Down).min(MOST);
    let hi = px(hi, Round::Up).max(LEAST);
    let mid = px(num::normal_cdf(standardised), Round::Down).clamp(lo, hi);
    Fair {
        band: Band { lo, mid, hi },
        delta: Qty::from_raw(num::scaled(slope, Round::Down).unwrap_or(i64::MAX)),
        sd_per_sqrt_s: px(slope * law.sigma * law.spot, Round::Up),
        fixed: Ratio::from_raw(px(r.fixed, Round::Down).raw()),
        strike: law.strike,
    }
}

/// The fair value once the settlement value is known.
pub(crate) fn settled(value: Px, strike: Px, tie: Tie) -> Fair {
    let first = match value.cmp(&strike) {
        core::cmp::Ordering::Greater => Px::ONE,
        core::cmp::Ordering::Less => Px::ZERO,
        core::cmp::Ordering::Equal => match tie {
            Tie::First => Px::ONE,
            Tie::Second => Px::ZERO,
            Tie::Half => Px::from_raw(pm_core::num::SCALE / 2),
        },
    };
    Fair { band: Band { lo: first, mid: first, hi: first }, delta: Qty::ZERO, sd_per_sqrt_s: Px::ZERO, fixed: Ratio::ONE, strike }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn law(spot: f64, strike: f64, tau: f64) -> Law {
        Law {
            spot,
            spot_var: 0.0,
            sigma: 0.0001,
            sigma_err: 0.0,
            strike: Px::from_raw(num::scaled(strike, Round::Down).unwrap()),
            rule_var: 0.0,
            remaining: Remaining::instant(tau),
        }
    }

    #[test]
    fn one_standard_deviation_by_hand() {
        // sigma 1e-4 per sqrt(s), S = 80,000, 100 s: sd = 80. Strike 80 below: Phi(1) = 0.8413447460...
        let fair = price(&law(80_000.0, 79_920.0, 100.0), 1.64);
        assert_eq!(fair.band.mid, "0.84134474".parse().unwrap());
        assert_eq!((fair.band.lo, fair.band.hi), ("0.84134474".parse().unwrap(), "0.84134475".parse().unwrap()));
        // phi(1) / 80 = 0.2419707245 / 80 = 0.003024634...
        assert_eq!(fair.delta, "0.00302463".parse().unwrap());
        // Over one second the price moves 8: 0.003024634 * 8 = 0.024197...
        assert_eq!(fair.sd_per_sqrt_s, "0.02419708".parse().unwrap());
    }

    #[test]
    fn nothing_is_certain_before_the_value_is_seen() {
        let fair = price(&law(80_000.0, 10_000.0, 0.0), 1.64);
        assert_eq!(fair.band.lo, MOST);
        let fair = price(&law(80_000.0, 90_000.0, 0.0), 1.64);
        assert_eq!((fair.band.hi, fair.band.lo), (LEAST, Px::ZERO));
        let tie = settled(Px::whole(5), Px::whole(5), Tie::Half);
        assert_eq!(tie.band.mid, "0.5".parse().unwrap());
        assert_eq!(settled(Px::whole(5), Px::whole(5), Tie::Second).band.hi, Px::ZERO);
    }

    proptest! {
        #[test]
        fn ordered_monotone_and_symmetric(
            distance in -500.0_f64..500.0, more in 0.0_f64..50.0, tau in 0.0_f64..5_000.0, spot_sd in 0.0_f64..100.0,
            rule_sd in 0.0_f64..30.0, err in 0.0_f64..0.9, sigma in 0.00001_f64..0.001, fixed in 0.0_f64..1.0,
        ) {
            let weight = 1.0 - fixed;
            let at = |d: f64| {
                let spot = 80_000.0;
                price(&Law {
                    spot, spot_var: spot_sd * spot_sd, sigma, sigma_err: err, strike: Px::whole(80_000), rule_var: rule_sd * rule_sd,
                    remaining: Remaining { known: 80_000.0 * fixed + d, weight, unit_var: tau, fixed },
                }, 1.64)
            };
            let (a, b) = (at(distance), at(distance + more));
            prop_assert!(a.band.lo <= a.band.mid && a.band.mid <= a.band.hi);
            prop_assert!(a.band.lo <= b.band.lo && a.band.mid <= b.band.mid && a.band.hi <= b.band.hi, "monotone in spot");
            // Mirrored distance: the other outcome's band, to the rounding (2 units of 1e-8; the price scale itself rounds the distance).
            let mirror = at(-distance).band.complement();
            for (x, y) in [(a.band.lo, mirror.lo), (a.band.mid, mirror.mid), (a.band.hi, mirror.hi)] {
                prop_assert!((x.raw() - y.raw()).abs() <= 4, "{:?} {:?}", a.band, mirror);
            }
            prop_assert!(a.band.lo <= MOST && a.band.hi >= LEAST);
        }
    }
}
