//! Do probabilities come true as often as they say? Scores of fair values on settled markets, by time left: the judge of the model. The
//! baseline to beat is the market's own mid, on the same samples.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use pm_core::opportunity::Band;
use pm_core::units::{Px, Ratio};
use pm_strategy::num;
use serde::Serialize;

use crate::statistics::round6;

/// Lower edges of the reliability bins.
const EDGES: [f64; 10] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/// Probabilities are kept this far from 0 and 1 in the log loss; one certain and wrong forecast would make it infinite.
const LOG_LOSS_CLIP: f64 = 1e-6;
/// Bins with fewer samples say nothing about the band.
const BAND_MIN: u32 = 10;
/// A frequency out of n is known to one in n: half a count to either side belongs to it.
const HALF_COUNT: f64 = 0.5;

/// Sums of one bin.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: u32,
    p: f64,
    outcome: f64,
    banded: u32,
    banded_outcome: f64,
    lo: f64,
    hi: f64,
}

/// Sums of one horizon.
#[derive(Debug, Clone, Copy, Default)]
struct Horizon {
    n: u32,
    brier: f64,
    brier_squared: f64,
    log_loss: f64,
    outcome: f64,
    market_n: u32,
    market_brier: f64,
    model_brier: f64,
    bins: [Sums; 10],
}

/// Collector: one forecast and its outcome at a time, grouped by the time left when it was made.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    horizons: BTreeMap<i64, Horizon>,
    rejected: u64,
}

/// One bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Lower edge, inclusive; the bin is 0.1 wide, the last one holds 1, too.
    pub from: f64,
    /// Forecasts.
    pub n: u32,
    /// Mean forecast.
    pub forecast: Option<f64>,
    /// Mean outcome.
    pub observed: Option<f64>,
    /// Mean band of the forecasts that have one.
    pub band: Option<(f64, f64)>,
}

/// Baseline on the samples that have a market mid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MarketScore {
    /// Samples with a market mid.
    pub n: u32,
    /// Brier score of the market's mid.
    pub brier: f64,
    /// Brier score of the model on the same samples.
    pub model_brier: f64,
}

/// Scores at one horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Seconds left when the forecasts were made.
    pub horizon_s: i64,
    /// Forecasts.
    pub n: u32,
    /// Mean squared error; 0 is perfect, 0.25 is a coin.
    pub brier: f64,
    /// Standard error of the Brier score.
    pub brier_error: Option<f64>,
    /// Mean negative log likelihood, natural logarithm; 0.693 is a coin.
    pub log_loss: f64,
    /// Mean outcome: what a forecaster would say who knows nothing else.
    pub base_rate: f64,
    /// The market's mid as forecaster.
    pub market: Option<MarketScore>,
    /// Share of banded forecasts in bins (of 10 and more) whose observed frequency lies within the bin's mean band, to half a count:
    /// none of 120 agrees with a band from 0.0001 on. A bin is all or nothing, so this is coarse.
    pub band_coverage: Option<f64>,
    /// Mean width of the band.
    pub band_width: Option<f64>,
    /// Reliability curve.
    pub bins: Vec<Bin>,
}

fn mean(sum: f64, n: u32) -> Option<f64> {
    if n == 0 { None } else { round6(sum / f64::from(n)) }
}

fn squared(v: f64) -> f64 {
    v * v
}

fn is_probability(v: f64) -> bool {
    (0.0..=1.0).contains(&v)
}

fn bin_of(p: f64) -> usize {
    EDGES.iter().rposition(|edge| p >= *edge).unwrap_or(0)
}

impl Calibration {
    /// Nothing collected.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a forecast: seconds left, the model's probability of `First`, the market's own mid where it was known, and what `First` paid
    /// (0, 0.5 or 1). Values outside of 0..1 are counted as rejected and left out.
    pub fn add(&mut self, horizon_s: i64, p: f64, market_mid: Option<f64>, outcome: f64) {
        self.take(horizon_s, p, None, market_mid, outcome);
    }

    /// As [`Self::add`], with the band of the fair value.
    pub fn add_fair(&mut self, horizon_s: i64, band: Band, market_mid: Option<Px>, first_pays: Ratio) {
        let ends = (num::px(band.lo), num::px(band.hi));
        self.take(horizon_s, num::px(band.mid), Some(ends), market_mid.map(num::px), num::ratio(first_pays));
    }

    fn take(&mut self, horizon_s: i64, p: f64, band: Option<(f64, f64)>, market_mid: Option<f64>, outcome: f64) {
        let ends = band.is_none_or(|(lo, hi)| is_probability(lo) && is_probability(hi));
        if !is_probability(p) || !is_probability(outcome) || !market_mid.is_none_or(is_probability) || !ends {
            self.rejected = self.rejected.saturating_add(1);
            return;
        }
        let h = self.horizons.entry(horizon_s).or_default();
        let error = squared(p - outcome);
        let clipped = p.clamp(LOG_LOSS_CLIP, 1.0 - LOG_LOSS_CLIP);
        h.n = h.n.saturating_add(1);
        h.brier += error;
        h.brier_squared += squared(error);
        h.log_loss -= outcome * clipped.ln() + (1.0 - outcome) * (1.0 - clipped).ln();
        h.outcome += outcome;
        if let Some(mid) = market_mid {
            h.market_n = h.market_n.saturating_add(1);
            h.market_brier += squared(mid - outcome);
            h.model_brier += error;
        }
        if let Some(bin) = h.bins.get_mut(bin_of(p)) {
            bin.n = bin.n.saturating_add(1);
            bin.p += p;
            bin.outcome += outcome;
            if let Some((lo, hi)) = band {
                bin.banded = bin.banded.saturating_add(1);
                bin.banded_outcome += outcome;
                bin.lo += lo;
                bin.hi += hi;
            }
        }
    }

    /// Forecasts that were not probabilities.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Scores by horizon, the longest first.
    #[must_use]
    pub fn scores(&self) -> Vec<Score> {
        self.horizons.iter().rev().filter_map(|(horizon, h)| h.score(*horizon)).collect()
    }

    /// Table of scores and, per horizon, the reliability curve; ends with a line break.
    #[must_use]
    pub fn render(&self) -> String {
        let scores = self.scores();
        let mut out = String::new();
        let figure = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        let _ = writeln!(
            out,
            "{:>8} {:>5} {:>8} {:>8} {:>9} {:>10} {:>9} {:>11} {:>9} {:>9}",
            "left", "n", "Brier", "+-", "log loss", "base rate", "mkt n", "mkt Brier", "in band", "width"
        );
        for s in &scores {
            let _ = writeln!(
                out,
                "{:>6} s {:>5} {:>8.4} {:>8} {:>9.4} {:>10.4} {:>9} {:>11} {:>9} {:>9}",
                s.horizon_s,
                s.n,
                s.brier,
                figure(s.brier_error),
                s.log_loss,
                s.base_rate,
                s.market.map_or(0, |m| m.n),
                figure(s.market.map(|m| m.brier)),
                figure(s.band_coverage),
                figure(s.band_width),
            );
        }
        for s in &scores {
            reliability(&mut out, s);
        }
        if self.rejected > 0 {
            let _ = writeln!(out, "{} forecasts were not probabilities and are left out", self.rejected);
        }
        out
    }
}

fn reliability(out: &mut String, s: &Score) {
    let _ = writeln!(out, "\nreliability at {} s left", s.horizon_s);
    let _ = writeln!(out, "  {:<10} {:>5} {:>9} {:>9}   mean band", "bin", "n", "forecast", "observed");
    for bin in s.bins.iter().filter(|b| b.n > 0) {
        let band = bin.band.map_or_else(String::new, |(lo, hi)| format!("{lo:.4} to {hi:.4}"));
        let line = format!(
            "  {:.1} to {:.1} {:>5} {:>9.4} {:>9.4}   {band}",
            bin.from,
            bin.from + 0.1,
            bin.n,
            bin.forecast.unwrap_or_default(),
            bin.observed.unwrap_or_default(),
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

impl Horizon {
    fn score(&self, horizon_s: i64) -> Option<Score> {
        let n = f64::from(self.n);
        let brier = self.brier / n;
        let spread = (self.brier_squared / n - squared(brier)).max(0.0);
        let enough = self.n > 1;
        let (mut banded, mut within, mut width) = (0, 0, 0.0);
        let mut judged = 0;
        for bin in self.bins.iter().filter(|b| b.banded > 0) {
            banded += bin.banded;
            width += bin.hi - bin.lo;
            if bin.banded >= BAND_MIN {
                judged += bin.banded;
                if bin.lo - HALF_COUNT <= bin.banded_outcome && bin.banded_outcome <= bin.hi + HALF_COUNT {
                    within += bin.banded;
                }
            }
        }
        Some(Score {
            horizon_s,
            n: self.n,
            brier: round6(brier)?,
            brier_error: if enough { round6((spread / (n - 1.0)).sqrt()) } else { None },
            log_loss: round6(self.log_loss / n)?,
            base_rate: round6(self.outcome / n)?,
            market: mean(self.market_brier, self.market_n)
                .zip(mean(self.model_brier, self.market_n))
                .map(|(brier, model_brier)| MarketScore { n: self.market_n, brier, model_brier }),
            band_coverage: mean(f64::from(within), judged),
            band_width: mean(width, banded),
            bins: self.bins.iter().zip(EDGES).map(|(b, from)| b.view(from)).collect(),
        })
    }
}

impl Sums {
    fn view(&self, from: f64) -> Bin {
        Bin {
            from,
            n: self.n,
            forecast: mean(self.p, self.n),
            observed: mean(self.outcome, self.n),
            band: mean(self.lo, self.banded).zip(mean(self.hi, self.banded)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_by_hand() {
        let mut c = Calibration::new();
        c.add(60, 0.8, Some(0.5), 1.0);
        c.add(60, 0.6, None, 0.0);
        c.add(30, 0.9, None, 1.0);
        let scores = c.scores();
        assert_eq!(scores.iter().map(|s| s.horizon_s).collect::<Vec<_>>(), [60, 30]);
        // (0.04 + 0.36) / 2; errors 0.16 around it: standard error 0.16 / sqrt(1).
        assert_eq!((scores[0].brier, scores[0].brier_error), (0.2, Some(0.16)));
        // (-ln 0.8 - ln 0.4) / 2 = (0.223144 + 0.916291) / 2
        assert_eq!(scores[0].log_loss, 0.569_717);
        assert_eq!(scores[0].base_rate, 0.5);
        assert_eq!(
            scores[0].market,
            Some(MarketScore { n: 1, brier: 0.25, model_brier: 0.04 }),
            "the market is compared on its own samples"
        );
        assert_eq!((scores[1].n, scores[1].brier_error, scores[1].market), (1, None, None));
    }

    #[test]
    fn bins_and_edges() {
        let mut c = Calibration::new();
        for (p, o) in [(0.0, 0.0), (0.1, 0.0), (0.099, 1.0), (1.0, 1.0), (0.95, 0.0)] {
            c.add(5, p, None, o);
        }
        let bins = &c.scores()[0].bins;
        assert_eq!(bins.iter().map(|b| b.n).collect::<Vec<_>>(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!((bins[0].forecast, bins[0].observed), (Some(0.0495), Some(0.5)));
        assert_eq!((bins[2].forecast, bins[2].observed), (None, None));
    }

    #[test]
    fn certain_and_wrong_is_bad_but_finite() {
        let mut c = Calibration::new();
        c.add(5, 1.0, None, 0.0);
        let s = &c.scores()[0];
        assert_eq!(s.brier, 1.0);
        assert!((s.log_loss - 13.815_511).abs() < 1e-6, "{}", s.log_loss);
    }

    #[test]
    fn what_is_no_probability_is_counted_and_left_out() {
        let mut c = Calibration::new();
        for (p, mid, o) in [(1.01, None, 1.0), (f64::NAN, None, 1.0), (0.5, Some(-0.1), 1.0), (0.5, None, 2.0)] {
            c.add(5, p, mid, o);
        }
        assert_eq!((c.rejected(), c.scores().len()), (4, 0));
        assert!(c.render().contains("4 forecasts were not probabilities"));
    }

    #[test]
    fn coverage_asks_for_ten_and_for_the_frequency_within_the_mean_band() {
        let mut c = Calibration::new();
        let band =
            |lo: &str, mid: &str, hi: &str| Band { lo: lo.parse().unwrap(), mid: mid.parse().unwrap(), hi: hi.parse().unwrap() };
        // Ten at 0.75, eight come true: 0.8 lies in 0.7..0.8. Ten at 0.25, six come true: outside of 0.2..0.3. Nine at 0.5: not judged.
        for i in 0..10 {
            c.add_fair(60, band("0.7", "0.75", "0.8"), None, if i < 8 { Ratio::ONE } else { Ratio::ZERO });
            c.add_fair(60, band("0.2", "0.25", "0.3"), None, if i < 6 { Ratio::ONE } else { Ratio::ZERO });
        }
        for _ in 0..9 {
            c.add_fair(60, band("0.5", "0.5", "0.5"), Some("0.4".parse().unwrap()), Ratio::ONE);
        }
        let s = &c.scores()[0];
        assert_eq!(s.band_coverage, Some(0.5));
        assert_eq!(s.band_width, Some(0.068_966), "2.0 over 29");
        assert_eq!(s.market, Some(MarketScore { n: 9, brier: 0.36, model_brier: 0.25 }));
        assert_eq!(s.bins[7].band, Some((0.7, 0.8)));
    }

    proptest! {
        /// Every forecast is counted once, in the bin that it belongs to, or rejected.
        #[test]
        fn any_forecasts(samples in proptest::collection::vec((0_i64..3, -0.2_f64..1.2, proptest::option::of(-0.2_f64..1.2), 0_u8..3), 0..200)) {
            let mut c = Calibration::new();
            let all = samples.len();
            for (h, p, mid, o) in samples {
                c.add(h, p, mid, f64::from(o) / 2.0);
            }
            let scores = c.scores();
            let counted: u32 = scores.iter().map(|s| s.n).sum();
            prop_assert_eq!(u64::from(counted) + c.rejected(), u64::try_from(all).unwrap());
            for s in &scores {
                prop_assert!((0.0..=1.0).contains(&s.brier) && s.log_loss >= 0.0);
                prop_assert_eq!(s.bins.iter().map(|b| b.n).sum::<u32>(), s.n);
                for b in s.bins.iter().filter(|b| b.n > 0) {
                    let f = b.forecast.unwrap();
                    prop_assert!(f >= b.from - 1e-6 && f <= b.from + 0.1 + 1e-6);
                }
            }
            let _ = c.render();
        }
    }
}
