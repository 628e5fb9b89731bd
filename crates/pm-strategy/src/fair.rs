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
    /// The settlement source's value now, as estimated. Once the settlement value is known, that value.
    pub spot: Px,
    /// Standard deviation of the settlement value as seen now, in price units, rounded up; zero once it is known.
    pub sd: Px,
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
    /// True for a value at one instant, which is lognormal; an average is taken as normal.
    pub(crate) lognormal: bool,
}

fn px(v: f64, round: Round) -> Px {
    Px::from_raw(num::scaled(v, round).unwrap_or(0).clamp(0, pm_core::num::SCALE))
}

/// Distance to the strike and its standard deviations, in price units, or as logarithms for a value at one instant.
struct Standing {
    distance: f64,
    /// Standard deviation of the estimate of spot and rule.
    estimate: f64,
    /// Standard deviation of what is left to be decided, per volatility.
    unit: f64,
    /// Price units per unit of distance.
    scale: f64,
    /// Smallest standard deviation.
    tiny: f64,
    /// True for logarithms: half the variance is drift, because the price itself has none.
    lognormal: bool,
}

impl Standing {
    fn of(law: &Law) -> Self {
        let r = &law.remaining;
        let strike = num::px(law.strike);
        let estimate = (r.weight * r.weight * law.spot_var + law.rule_var).sqrt();
        if law.lognormal {
            let spot = law.spot.max(1e-8);
            let distance = if law.spot > 0.0 { libm::log(spot / strike.max(1e-8)) } else { f64::NEG_INFINITY };
            return Self {
                distance,
                estimate: estimate / spot,
                unit: r.unit_var.sqrt(),
                scale: spot,
                tiny: 1e-9,
                lognormal: true,
            };
        }
        let distance = r.known + r.weight * law.spot - strike;
        let (unit, tiny) = (law.spot * r.unit_var.sqrt(), law.spot * 1e-9);
        Self { distance, estimate, unit, scale: 1.0, tiny, lognormal: false }
    }

    fn total(&self, sigma: f64, extra: f64) -> f64 {
        (sigma * sigma * self.unit * self.unit + extra * extra).sqrt().max(self.tiny)
    }

    /// Distance less drift, in standard deviations.
    fn z(&self, distance: f64, sd: f64) -> f64 {
        distance / sd - if self.lognormal { 0.5 * sd } else { 0.0 }
    }

    /// Conservative ends: moved by the error of the estimate, and spread by whichever volatility is worse. For a distance against us that
    /// is the narrowest distribution without the estimate's error, for one in our favour the widest with it. The drift bends the upper end
    /// in between: there it is best where half the variance is the distance.
    fn ends(&self, sigma: f64, sigma_err: f64, z: f64) -> (f64, f64) {
        let (narrow, wide) = (self.total(sigma * (1.0 - sigma_err), 0.0), self.total(sigma * (1.0 + sigma_err), self.estimate));
        let shift = z * self.estimate;
        let (below, above) = (self.distance - shift, self.distance + shift);
        let lo = self.z(below, narrow).min(self.z(below, wide));
        let best = if self.lognormal { (-2.0 * above).max(0.0).sqrt().max(narrow).min(wide) } else { narrow };
        let hi = self.z(above, narrow).max(self.z(above, wide)).max(self.z(above, best));
        (num::normal_cdf(lo), num::normal_cdf(hi))
    }
}

/// The probability that the settlement value ends above the strike. `z` is the width of the band in standard deviations.
pub(crate) fn price(law: &Law, z: f64) -> Fair {
    let at = Standing::of(law);
    let sd = at.total(law.sigma, at.estimate);
    let (lo, hi) = at.ends(law.sigma, law.sigma_err, z);
    let standardised = at.z(at.distance, sd);
    let slope = num::normal_pdf(standardised) * law.remaining.weight / (sd * at.scale);

    let lo = px(lo, Round::Down).min(MOST);
    let hi = px(hi, Round::Up).max(LEAST);
    let mid = px(num::normal_cdf(standardised), Round::Down).clamp(lo, hi);
    Fair {
        band: Band { lo, mid, hi },
        delta: Qty::from_raw(num::scaled(slope, Round::Down).unwrap_or(i64::MAX)),
        sd_per_sqrt_s: px(slope * law.sigma * law.spot, Round::Up),
        fixed: Ratio::from_raw(px(law.remaining.fixed, Round::Down).raw()),
        strike: law.strike,
        spot: Px::from_raw(num::scaled(law.spot, Round::Down).unwrap_or(0)),
        sd: Px::from_raw(num::scaled(sd * at.scale, Round::Up).unwrap_or(i64::MAX)),
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
    Fair {
        band: Band { lo: first, mid: first, hi: first },
        delta: Qty::ZERO,
        sd_per_sqrt_s: Px::ZERO,
        fixed: Ratio::ONE,
        strike,
        spot: value,
        sd: Px::ZERO,
    }
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
            lognormal: true,
        }
    }

    #[test]
    fn one_standard_deviation_by_hand() {
        // sigma 1e-4 per sqrt(s), S = 80,000, 100 s: sd = 0.001, which is 80. Strike 80 below: ln(80,000 / 79,920) = 0.00100050033, less half
        // the variance 0.0000005, over 0.001 = 1.00000033: Phi = 0.8413448268.
        let fair = price(&law(80_000.0, 79_920.0, 100.0), 1.64);
        assert_eq!(fair.band.mid, "0.84134482".parse().unwrap());
        assert_eq!((fair.band.lo, fair.band.hi), ("0.84134482".parse().unwrap(), "0.84134483".parse().unwrap()));
        assert_eq!((fair.spot, fair.sd), (Px::whole(80_000), Px::whole(80)));
        // phi(1.00000033) / 80 = 0.00302463305.
        assert_eq!(fair.delta, "0.00302463".parse().unwrap());
        // Over one second the price moves 8: 0.00302463305 * 8 = 0.0241970644.
        assert_eq!(fair.sd_per_sqrt_s, "0.02419707".parse().unwrap());
    }

    /// A price without drift has a logarithm with one: at the money a day out `First` was half a cent too high.
    #[test]
    fn at_the_money_a_terminal_value_is_below_one_half() {
        // 50 % a year, 26 h: sd = 0.5 * sqrt(93,600 / 31,536,000) = 0.0272398; Phi(-0.0136199) = 0.49456660.
        let at = |lognormal| {
            let sigma = 0.5 / 31_536_000.0_f64.sqrt();
            price(&Law { sigma, lognormal, ..law(80_000.0, 80_000.0, 93_600.0) }, 1.64)
        };
        assert_eq!(at(true).band.mid, "0.4945666".parse().unwrap());
        assert_eq!(at(false).band.mid, "0.5".parse().unwrap());
        // phi(0.0136199) / (80,000 * 0.0272398) = 0.3989053 / 2179.19 = 0.00018305.
        assert!((num::qty(at(true).delta) - 0.000_183_05).abs() < 2e-8, "{:?}", at(true));
        // The delta is the slope of the middle: 1 up moves it by that.
        let moved = price(&Law { sigma: 0.5 / 31_536_000.0_f64.sqrt(), ..law(80_001.0, 80_000.0, 93_600.0) }, 1.64);
        assert!((num::px(moved.band.mid - at(true).band.mid) - 0.000_183_05).abs() < 2e-8);
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
        /// With the drift as without it: the band holds every volatility in between, not only the two ends.
        #[test]
        fn a_lognormal_band_holds_each_volatility_within(
            strike in 60_000.0_f64..100_000.0, tau in 1.0_f64..100_000.0, err in 0.0_f64..0.9, part in -1.0_f64..1.0,
        ) {
            let base = law(80_000.0, strike, tau);
            let band = price(&Law { sigma_err: err, ..base }, 1.64).band;
            let inside = price(&Law { sigma: base.sigma * (1.0 + part * err), ..base }, 1.64).band;
            prop_assert!(band.lo.raw() <= inside.mid.raw().max(LEAST.raw()) + 1 && inside.mid.raw() <= band.hi.raw() + 1, "{band:?} {inside:?}");
        }
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
                    lognormal: false,
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
