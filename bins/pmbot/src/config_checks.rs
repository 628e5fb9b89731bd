//! Ranges of settings: what is wrong though every value has the right type. All mistakes at once, each with its key and what is allowed.

use pm_core::time::Dur;
use pm_core::units::{Px, Ratio, Usd};
use pm_engine::paper::PaperSettings;
use pm_strategy::HedgeConfig;

use crate::cli::MAKERS;
use crate::config::{ACCOUNT_NAME, Config, is_account_name};

/// Mistakes as (key, what is wrong and what is allowed).
struct Wrong(Vec<(String, String)>);

impl Wrong {
    fn say(&mut self, key: &str, what: impl std::fmt::Display) {
        self.0.push((key.to_owned(), what.to_string()));
    }
    /// Unless `fine`: `<found> is not allowed; <allowed>`.
    fn unless(&mut self, fine: bool, key: &str, found: impl std::fmt::Display, allowed: &str) {
        if !fine {
            self.say(key, format!("{found} is not allowed; {allowed}"));
        }
    }
    /// 0 to 1.
    fn share(&mut self, key: &str, v: Ratio) {
        self.unless(!v.is_negative() && v <= Ratio::ONE, key, v, "0 to 1");
    }
    fn not_negative(&mut self, key: &str, v: Ratio) {
        self.unless(!v.is_negative(), key, v, "0 or more");
    }
    fn above_zero(&mut self, key: &str, v: Ratio) {
        self.unless(!v.is_negative() && !v.is_zero(), key, v, "above 0");
    }
    fn at_least_one(&mut self, key: &str, v: u32) {
        self.unless(v >= 1, key, v, "1 or more");
    }
    /// Spans are whole milliseconds under their keys.
    fn span(&mut self, key: &str, v: Dur) {
        self.unless(v >= Dur::ZERO, key, v.millis(), "0 or more");
    }
    fn long_span(&mut self, key: &str, v: Dur) {
        self.unless(v > Dur::ZERO, key, v.millis(), "above 0");
    }
}

/// Everything that is out of range.
pub(crate) fn check(config: &Config) -> Vec<(String, String)> {
    let mut wrong = Wrong(Vec::new());
    for mistake in config.risk.validate() {
        let (key, what) = mistake.split_once(": ").unwrap_or(("", &mistake));
        wrong.say(&format!("risk.{key}"), what);
    }
    account(config, &mut wrong);
    model(config, &mut wrong);
    strategy(config, &mut wrong);
    engine(config, &mut wrong);
    for (name, paper) in [("prediction", &config.paper.prediction), ("hedge", &config.paper.hedge)] {
        paper_venue(name, paper, &mut wrong);
    }
    if let Some(makers) = config.paper.makers.as_deref() {
        wrong.unless(MAKERS.contains(&makers), "paper.makers", format!("{makers:?}"), &MAKERS.join(", "));
    }
    wrong.at_least_one("replay.sampled_max_age_ms", config.replay.sampled_max_age_ms);
    wrong.at_least_one("replay.sampled_max_gap_s", config.replay.sampled_max_gap_s);
    wrong.unless(
        config.replay.sampled_min_vol_samples >= 2,
        "replay.sampled_min_vol_samples",
        config.replay.sampled_min_vol_samples,
        "2 or more",
    );
    let leverage = config.venues.perp_leverage;
    wrong.unless((1..=100).contains(&leverage), "venues.perp_leverage", leverage, "1 to 100");
    log(config, &mut wrong);
    wrong.0
}

fn account(config: &Config, wrong: &mut Wrong) {
    wrong.unless(config.account.bankroll.is_positive(), "account.bankroll", config.account.bankroll, "above 0");
    if !is_account_name(&config.account.name) {
        wrong.say("account.name", ACCOUNT_NAME);
    }
    wrong.share("account.hedge_share", config.account.hedge_share);
}

fn model(config: &Config, wrong: &mut Wrong) {
    let m = &config.model;
    wrong.at_least_one("model.vol_half_life_s", m.vol_half_life_s);
    wrong.unless((2..=60).contains(&m.vol_sample_s), "model.vol_sample_s", m.vol_sample_s, "2 to 60");
    wrong.not_negative("model.vol_floor_annual", m.vol_floor_annual);
    wrong.above_zero("model.vol_cap_annual", m.vol_cap_annual);
    wrong.unless(
        m.vol_floor_annual <= m.vol_cap_annual,
        "model.vol_floor_annual",
        m.vol_floor_annual,
        "at most model.vol_cap_annual",
    );
    wrong.not_negative("model.vol_rel_error", m.vol_rel_error);
    wrong.not_negative("model.vol_rel_error_day", m.vol_rel_error_day);
    wrong.unless(m.min_vol_samples >= 2, "model.min_vol_samples", m.min_vol_samples, "2 or more");
    wrong.at_least_one("model.max_gap_s", m.max_gap_s);
    wrong.at_least_one("model.basis_half_life_s", m.basis_half_life_s);
    wrong.not_negative("model.basis_floor", m.basis_floor);
    wrong.unless(m.min_basis_samples >= 2, "model.min_basis_samples", m.min_basis_samples, "2 or more");
    wrong.above_zero("model.band_z", m.band_z);
    wrong.long_span("model.max_reference_age_ms", m.max_reference_age);
    wrong.long_span("model.max_hedge_age_ms", m.max_hedge_age);
}

fn strategy(config: &Config, wrong: &mut Wrong) {
    let s = &config.strategy;
    wrong.not_negative("strategy.min_edge", s.min_edge);
    wrong.span("strategy.latency_ms", s.latency);
    wrong.share("strategy.settlement_failure_rate", s.settlement_failure_rate);
    wrong.unless(s.gas_per_leg >= Usd::ZERO, "strategy.gas_per_leg", s.gas_per_leg, "0 or more");
    wrong.span("strategy.min_time_left_ms", s.min_time_left);
    wrong.not_negative("strategy.track_min_gross", s.track_min_gross);
    wrong.unless(s.default_sd_per_sqrt_s >= Px::ZERO, "strategy.default_sd_per_sqrt_s", s.default_sd_per_sqrt_s, "0 or more");
    wrong.share("strategy.loss_concentration", s.loss_concentration);
    hedge(&s.hedge, wrong);
}

fn hedge(h: &HedgeConfig, wrong: &mut Wrong) {
    wrong.span("strategy.hedge.min_horizon_ms", h.min_horizon);
    wrong.at_least_one("strategy.hedge.band_lots", h.band_lots);
    wrong.not_negative("strategy.hedge.max_cost_ratio", h.max_cost_ratio);
    wrong.not_negative("strategy.hedge.max_margin_ratio", h.max_margin_ratio);
    wrong.not_negative("strategy.hedge.funding_bound", h.funding_bound);
    wrong.long_span("strategy.hedge.funding_interval_ms", h.funding_interval);
    wrong.not_negative("strategy.hedge.rehedge_turnover", h.rehedge_turnover);
    wrong.not_negative("strategy.hedge.residual_charge", h.residual_charge);
    wrong.not_negative("strategy.hedge.gap_move", h.gap_move);
    wrong.share("strategy.hedge.failure_rate", h.failure_rate);
    wrong.span("strategy.hedge.exit_over_ms", h.exit_over);
}

fn engine(config: &Config, wrong: &mut Wrong) {
    let e = &config.engine;
    wrong.not_negative("engine.reprice_move", e.reprice_move);
    wrong.at_least_one("engine.reprice_after_ms", e.reprice_after_ms);
    wrong.at_least_one("engine.market_data_every_ms", e.market_data_every_ms);
    wrong.at_least_one("engine.equity_every_ms", e.equity_every_ms);
    wrong.at_least_one("engine.unknown_after_ms", e.unknown_after_ms);
    wrong.share("engine.hedge_slip", e.hedge_slip);
    wrong.share("engine.unwind_slip", e.unwind_slip);
}

fn paper_venue(name: &str, paper: &PaperSettings, wrong: &mut Wrong) {
    let latency = &paper.latency_ms;
    if latency.is_empty() {
        wrong.say(&format!("paper.{name}.latency_ms"), "must not be empty");
    } else if !latency.is_sorted() {
        wrong.say(&format!("paper.{name}.latency_ms"), "must be ascending");
    }
    wrong.share(&format!("paper.{name}.failure_rate"), paper.failure_rate);
    let (mined, confirmed) = (paper.mined_after_ms, paper.confirmed_after_ms);
    wrong.unless(
        mined <= confirmed,
        &format!("paper.{name}.mined_after_ms"),
        mined,
        &format!("at most paper.{name}.confirmed_after_ms"),
    );
}

/// Levels of the logs.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

fn log(config: &Config, wrong: &mut Wrong) {
    let level = config.log.level.as_str();
    let fine = LEVELS.contains(&level.to_ascii_lowercase().as_str()) || level.contains('=');
    wrong.unless(
        fine,
        "log.level",
        format!("{level:?}"),
        "error, warn, info, debug, trace, or a filter such as \"info,pm_store=debug\"",
    );
    wrong.unless(config.log.keep >= 1, "log.keep", config.log.keep, "1 or more");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        assert_eq!(check(&Config::default()), []);
    }

    #[test]
    fn every_setting_out_of_range_is_said_at_once() {
        let mut config = Config::default();
        let below = Ratio::from_raw(-1);
        config.strategy.min_edge = below;
        config.strategy.settlement_failure_rate = Ratio::from_bps(10_001);
        config.strategy.hedge.exit_over = Dur::from_millis(-1);
        config.strategy.hedge.failure_rate = below;
        config.model.vol_sample_s = 61;
        config.model.band_z = Ratio::ZERO;
        config.engine.equity_every_ms = 0;
        config.paper.prediction.latency_ms.clear();
        config.paper.hedge.latency_ms = vec![2, 1];
        config.paper.hedge.failure_rate = Ratio::whole(2);
        config.replay.sampled_max_gap_s = 0;
        config.log.keep = 0;
        config.log.level = "loud".into();
        let keys: Vec<String> = check(&config).into_iter().map(|(key, _)| key).collect();
        let expected = [
            "model.vol_sample_s",
            "model.band_z",
            "strategy.min_edge",
            "strategy.settlement_failure_rate",
            "strategy.hedge.failure_rate",
            "strategy.hedge.exit_over_ms",
            "engine.equity_every_ms",
            "paper.prediction.latency_ms",
            "paper.hedge.latency_ms",
            "paper.hedge.failure_rate",
            "replay.sampled_max_gap_s",
            "log.level",
            "log.keep",
        ];
        assert_eq!(keys, expected);
    }
}
