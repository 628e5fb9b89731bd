//! All underlyings and sources of a run: prices in, fair values out.

use pm_core::event::{Candle, ReferenceKind};
use pm_core::ids::{SourceId, UnderlyingId};
use pm_core::market::{Payoff, SettlementRule};
use pm_core::num::Round;
use pm_core::refusal::Refusal;
use pm_core::registry::Catalog;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Ratio};

use crate::average::{Past, Remaining, future_unit_var, window};
use crate::config::ModelConfig;
use crate::fair::{Fair, Law, price, settled};
use crate::instants::{Form, Observed, final_form, start_of};
use crate::mids::Mids;
use crate::num;
use crate::ring::{SecRing, second_of};
use crate::source::Source;
use crate::vol::{Sigma, Vol, YEAR_S};

const HOUR_S: f64 = 3_600.0;

/// One underlying as the hedge venue prices it.
#[derive(Debug, Clone)]
struct Underlying {
    last: Option<(Px, Ts)>,
    mids: Mids,
    seconds: SecRing,
    vol: Vol,
}

/// Volatility, basis and settlement values of all underlyings and sources of the catalog. Memory is fixed at the start but for the
/// watched rules.
#[derive(Debug, Clone)]
pub struct Model {
    cfg: ModelConfig,
    band_z: f64,
    /// Relative error of volatility up to an hour ahead, and at a day.
    vol_rel_error: (f64, f64),
    clock_s: f64,
    boundary_s: f64,
    underlyings: Vec<Underlying>,
    sources: Vec<Source>,
}

/// Estimate of a source's value now.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    spot: f64,
    var: f64,
    /// Basis level and variance as fractions, when the estimate comes from the hedge venue.
    basis: Option<(f64, f64)>,
}

impl Model {
    /// A model that has seen nothing.
    #[must_use]
    pub fn new(cfg: ModelConfig, catalog: &Catalog) -> Self {
        let underlyings = catalog
            .underlyings
            .iter()
            .map(|_| Underlying { last: None, mids: Mids::new(), seconds: SecRing::new(), vol: Vol::new(&cfg) })
            .collect();
        let sources = catalog.sources.iter().map(|s| Source::new(&cfg, usize::from(s.underlying.0))).collect();
        let near = num::ratio(cfg.vol_rel_error).clamp(0.0, 0.9);
        Self {
            band_z: num::ratio(cfg.band_z).max(0.0),
            vol_rel_error: (near, num::ratio(cfg.vol_rel_error_day).clamp(near, 0.9)),
            clock_s: f64::from(cfg.clock_error_ms) * 1e-3,
            boundary_s: f64::from(cfg.boundary_error_ms) * 1e-3,
            underlyings,
            sources,
            cfg,
        }
    }

    /// The hedge venue's mid. Any rate; older stamps than the last one are ignored. No allocation.
    #[inline]
    pub fn on_hedge_mid(&mut self, underlying: UnderlyingId, mid: Px, at: Ts) {
        let Some(u) = self.underlyings.get_mut(usize::from(underlying.0)) else { return };
        if !mid.is_positive() || u.last.is_some_and(|(_, newest)| at < newest) {
            return;
        }
        u.last = Some((mid, at));
        u.mids.push(at, mid.raw());
        u.seconds.set(second_of(at), mid.raw());
        u.vol.push(num::px(mid), at);
    }

    /// A value of a settlement source, stamped `at` by the source. It is paired with the hedge mid of its own instant.
    pub fn on_reference(&mut self, source: SourceId, kind: ReferenceKind, px: Px, at: Ts, _recv: Ts) {
        let Some(s) = self.sources.get_mut(usize::from(source.0)) else { return };
        if !px.is_positive() {
            return;
        }
        let underlying = self.underlyings.get(s.underlying);
        let second = at.secs();
        match kind {
            ReferenceKind::Spot => {
                s.on_spot(px, at);
                if let Some(mid) = underlying.and_then(|u| u.mids.at_or_before(at)) {
                    s.basis.push(second, num::f64_of(mid) / num::SCALE_F, num::px(px));
                }
            }
            ReferenceKind::Twap { window } => {
                s.on_twap(window, px, at);
                // An average is a basis sample only where the source sends nothing better.
                let mean = underlying.and_then(|u| u.seconds.sum(second - window.secs(), second));
                if let Some((sum, _)) = mean.filter(|_| s.silent(at, Dur::from_secs(10)) && window.secs() > 0) {
                    s.basis.push(second, num::f64_of_wide(sum) / num::f64_of(window.secs()) / num::SCALE_F, num::px(px));
                }
            }
        }
    }

    /// A candle of a settlement source, running or closed.
    pub fn on_candle(&mut self, source: SourceId, candle: &Candle, recv: Ts) {
        let Some(s) = self.sources.get_mut(usize::from(source.0)) else { return };
        let before = s.last;
        s.on_candle(candle, recv);
        if let Some((px, at)) = s.last.filter(|_| s.last != before)
            && let Some(mid) = self.underlyings.get(s.underlying).and_then(|u| u.mids.at_or_before(at))
        {
            s.basis.push(at.secs(), num::f64_of(mid) / num::SCALE_F, num::px(px));
        }
    }

    /// Remembers start and final value of a rule from now on, and looks for them in what was already seen. Idempotent.
    pub fn watch(&mut self, rule: &SettlementRule) {
        if let Some(s) = self.sources.get_mut(usize::from(rule.source.0)) {
            s.watch(rule);
        }
    }

    /// Forgets a rule. Idempotent.
    pub fn unwatch(&mut self, rule: &SettlementRule) {
        if let Some(s) = self.sources.get_mut(usize::from(rule.source.0)) {
            s.instants.unwatch(rule);
        }
    }

    /// The start value of an Up/Down rule: the venue's metadata, else what was observed. `None` before it is known, and for other payoffs.
    #[must_use]
    pub fn start_value(&self, rule: &SettlementRule) -> Option<Px> {
        self.start(rule).map(|o| o.px)
    }

    fn start(&self, rule: &SettlementRule) -> Option<Observed> {
        if let Payoff::UpDown { reference: Some(px), .. } = rule.payoff {
            return Some(Observed { px, carried: 0, own: true });
        }
        let (at, form) = start_of(rule)?;
        self.sources.get(usize::from(rule.source.0))?.instants.find(at, form)
    }

    /// The observed settlement value once complete. For checks and fair values, never for booking.
    #[must_use]
    pub fn final_value(&self, rule: &SettlementRule) -> Option<Px> {
        self.end(rule, final_form(rule)?).map(|o| o.px)
    }

    fn end(&self, rule: &SettlementRule, form: Form) -> Option<Observed> {
        self.sources.get(usize::from(rule.source.0))?.instants.find(rule.final_at.secs(), form)
    }

    /// The hedge venue's last mid and its stamp.
    #[must_use]
    pub fn mid(&self, underlying: UnderlyingId) -> Option<(Px, Ts)> {
        self.underlyings.get(usize::from(underlying.0)).and_then(|u| u.last)
    }

    /// Volatility per year of the hedge mid; `None` while warming up. Rounded up.
    #[must_use]
    pub fn sigma_annual(&self, underlying: UnderlyingId) -> Option<Ratio> {
        let sigma = self.underlyings.get(usize::from(underlying.0))?.vol.sigma()?;
        num::scaled(sigma.per_sqrt_s * YEAR_S.sqrt(), Round::Up).map(Ratio::from_raw)
    }

    /// Fair value of `First` under the market's own rule.
    ///
    /// # Errors
    /// [`Refusal::RuleNotUnderstood`] (ranges, barriers, windows over 300 s), [`Refusal::StrikeNotFixed`],
    /// [`Refusal::SettlementFeedMissing`], [`Refusal::ReferenceStale`], [`Refusal::HedgePriceStale`], [`Refusal::WarmingUp`],
    /// [`Refusal::NoUnderlying`].
    pub fn fair(&self, rule: &SettlementRule, now: Ts) -> Result<Fair, Refusal> {
        let form = final_form(rule).ok_or(Refusal::RuleNotUnderstood)?;
        match rule.payoff {
            Payoff::UpDown { start_at, .. } if now < start_at => return Err(Refusal::StrikeNotFixed),
            Payoff::UpDown { .. } | Payoff::Above { .. } => {}
            Payoff::Between { .. } | Payoff::Touch { .. } => return Err(Refusal::RuleNotUnderstood),
        }
        let source = self.sources.get(usize::from(rule.source.0)).ok_or(Refusal::SettlementFeedMissing)?;
        let newest = source.newest();
        let start = match rule.payoff {
            Payoff::Above { strike } => Observed { px: strike, carried: 0, own: true },
            _ => {
                self.start(rule).ok_or(if newest.is_some() { Refusal::StrikeNotFixed } else { Refusal::SettlementFeedMissing })?
            }
        };
        if let Some(value) = self.end(rule, form).filter(|o| o.own) {
            return Ok(settled(value.px, start.px, rule.tie));
        }
        let age = now.since(newest.ok_or(Refusal::SettlementFeedMissing)?);
        if age > self.cfg.max_reference_age {
            return Err(Refusal::ReferenceStale { age });
        }
        let underlying = self.underlyings.get(source.underlying).ok_or(Refusal::NoUnderlying)?;
        let tau = num::secs(rule.final_at.since(now)).max(0.0);
        let (sigma, estimate) = self.estimate(underlying, source, now, tau)?;
        let remaining = match form {
            Form::Twap(w) => Self::remaining_of_window(underlying, source, &estimate, w, rule.final_at, now)?,
            _ => Remaining::instant(tau),
        };
        let per_s = sigma.per_sqrt_s * sigma.per_sqrt_s * estimate.spot * estimate.spot;
        let metadata = !matches!(rule.payoff, Payoff::UpDown { reference: None, .. });
        let reading = self.reading_seconds(form);
        let rule_seconds = if metadata { reading } else { 2.0 * reading + Self::carried_seconds(form, start.carried) };
        let sampling = self.band_z * sigma.rel_error;
        let law = Law {
            spot: estimate.spot,
            spot_var: estimate.var,
            sigma: sigma.per_sqrt_s,
            sigma_err: libm::hypot(self.model_error(tau), sampling).min(0.9),
            strike: start.px,
            rule_var: per_s * rule_seconds,
            remaining,
            lognormal: !matches!(form, Form::Twap(_)),
        };
        Ok(price(&law, self.band_z))
    }

    /// Error of reading a boundary, as seconds of the underlying's variance: an instant read `b` seconds off moves by `b` seconds of it,
    /// an average over `w` by `b^2 / w`; a candle has no such doubt.
    fn reading_seconds(&self, form: Form) -> f64 {
        match form {
            Form::Instant => self.boundary_s,
            Form::Twap(w) => self.boundary_s * self.boundary_s / num::f64_of(w.max(1)),
            Form::CandleClose(_) | Form::CandleOpen(_) => 0.0,
        }
    }

    /// Error of a start value of which `carried` seconds were carried forward, as seconds of the underlying's variance: all of them for an
    /// instant; of an average over `w` the part that they are, `c^3 / (3 w^2)` up to terms of one second.
    fn carried_seconds(form: Form, carried: u32) -> f64 {
        let carried = f64::from(carried);
        match form {
            Form::Twap(w) => future_unit_var(num::f64_of(w.max(1)), carried, 1.0),
            Form::Instant | Form::CandleClose(_) | Form::CandleOpen(_) => carried,
        }
    }

    /// Relative error of volatility `tau` seconds ahead beyond its sampling error.
    fn model_error(&self, tau: f64) -> f64 {
        let (near, day) = self.vol_rel_error;
        if tau <= HOUR_S || day <= near {
            return near;
        }
        near + (day - near) * (libm::log(tau / HOUR_S) / libm::log(24.0)).min(1.0)
    }

    /// Volatility over the next `tau` seconds, and the source's value now: hedge mid less basis, or the source's own last value where that
    /// is allowed.
    fn estimate(&self, u: &Underlying, source: &Source, now: Ts, tau: f64) -> Result<(Sigma, Estimate), Refusal> {
        let hedge = u.last.filter(|(_, at)| now.since(*at) <= self.cfg.max_hedge_age);
        if self.cfg.require_hedge && hedge.is_none() {
            return Err(Refusal::HedgePriceStale);
        }
        let vol = if self.cfg.require_hedge || u.vol.sigma().is_some() { &u.vol } else { &source.vol };
        let (sigma, now_s) = vol.over(tau).zip(vol.sigma()).map(|(s, now)| (s, now.per_sqrt_s)).ok_or(Refusal::WarmingUp)?;
        let basis = source.basis.estimate();
        let (base, at, level, basis_var) = match (hedge, basis) {
            (Some((mid, at)), Some((level, var))) => (num::px(mid), at, level, var),
            _ if self.cfg.require_hedge => return Err(Refusal::WarmingUp),
            _ => {
                let (px, at) = source.last.ok_or(Refusal::SettlementFeedMissing)?;
                (num::px(px), at, 0.0, source.basis.floor_var())
            }
        };
        let spot = base * (1.0 - level);
        let age = num::secs(now.since(at)).max(0.0) + self.clock_s;
        let var = spot * spot * (basis_var + now_s * now_s * age);
        Ok((sigma, Estimate { spot, var, basis: hedge.and(basis) }))
    }

    /// The final average of `w` one-second values, as seen now.
    fn remaining_of_window(
        u: &Underlying,
        source: &Source,
        estimate: &Estimate,
        w: i64,
        final_at: Ts,
        now: Ts,
    ) -> Result<Remaining, Refusal> {
        let (end, passed) = (final_at.secs(), now.secs().min(final_at.secs()));
        let begin = end - w;
        let next = passed.max(begin) + 1;
        let to_come = (end - next + 1).clamp(0, w);
        let a = num::secs(Ts::from_secs(next).since(now)).max(0.0);
        let past = if to_come == w { Past::default() } else { Self::past(u, source, estimate, begin, passed, now)? };
        Ok(window(num::f64_of(w), num::f64_of(to_come), a, &past))
    }

    /// The seconds `begin + 1 ..= passed` of a window: from the source, or, where its own values do not reach back, from the hedge venue.
    fn past(u: &Underlying, source: &Source, estimate: &Estimate, begin: i64, passed: i64, now: Ts) -> Result<Past, Refusal> {
        let (ring, scale) = match (source.ring.last(), estimate.basis) {
            (Some(last), _) if last <= begin || source.ring.sum(begin, last.min(passed)).is_some() => (&source.ring, 1.0),
            (_, Some((level, _))) => (&u.seconds, 1.0 - level),
            _ => return Err(Refusal::WarmingUp),
        };
        let last = ring.last().ok_or(Refusal::WarmingUp)?.min(passed);
        let scale = scale / num::SCALE_F;
        if last <= begin {
            // Nothing of the window was seen yet: all of it is taken at the price now.
            let gap = num::f64_of(passed - begin);
            return Ok(Past { sum: 0.0, gap, last: estimate.spot, age: gap });
        }
        let (sum, _) = ring.sum(begin, last).ok_or(Refusal::WarmingUp)?;
        let (value, _) = ring.at(last).ok_or(Refusal::WarmingUp)?;
        Ok(Past {
            sum: num::f64_of_wide(sum) * scale,
            gap: num::f64_of(passed - last),
            last: num::f64_of(value) * scale,
            age: num::secs(now.since(Ts::from_secs(last))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carried_second_weighs_in_an_average_what_it_is_part_of() {
        // Two of sixty: errors W1 and W2, variance (1 + 4) / 3,600 = 0.0013889 s of the underlying's, not 2; 30 of 60 near 30^3 / (3 * 60^2) = 2.5.
        assert!((Model::carried_seconds(Form::Twap(60), 2) - 5.0 / 3_600.0).abs() < 1e-12);
        assert!((Model::carried_seconds(Form::Twap(60), 30) - 2.5).abs() < 0.15);
        assert!((Model::carried_seconds(Form::Instant, 2) - 2.0).abs() < 1e-12);
        assert!(Model::carried_seconds(Form::Twap(60), 0).abs() < 1e-12);
    }

    #[test]
    fn the_error_of_volatility_grows_from_an_hour_to_a_day() {
        let model = Model::new(ModelConfig::default(), &Catalog::default());
        // Half of the way in the logarithm: 3,600 * sqrt(24) = 17,636 s.
        for (tau, error) in [(60.0, 0.15), (3_600.0, 0.15), (17_636.33, 0.25), (86_400.0, 0.35), (500_000.0, 0.35)] {
            assert!((model.model_error(tau) - error).abs() < 1e-6, "{tau}: {}", model.model_error(tau));
        }
        let flat = ModelConfig { vol_rel_error_day: Ratio::ZERO, ..ModelConfig::default() };
        assert!((Model::new(flat, &Catalog::default()).model_error(86_400.0) - 0.15).abs() < 1e-12);
    }
}
