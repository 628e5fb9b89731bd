//! Limits as settings. Defaults are the user's document; shares and losses are fractions of bankroll (`"0.02"` = 2 %).

use pm_core::budget::LossBasis;
use pm_core::time::Dur;
use pm_core::units::{Ratio, Usd};
use serde::{Deserialize, Serialize};

/// The `[risk]` section of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskConfig {
    /// Which loss the limits look at. Default `marked`; live uses `worst_case`.
    pub loss_basis: LossBasis,
    /// Largest notional of one structure. Default 0.25.
    pub bankroll_share: Ratio,
    /// Loss since 00:00 UTC that trips the switch. Default 0.02.
    pub max_daily_loss: Ratio,
    /// Loss of one structure that trips the switch. Default 0.05.
    pub max_structure_loss: Ratio,
    /// Loss since Monday 00:00 UTC past which no new risk is taken (it clips sizes and does not trip). Default 0.05.
    pub max_weekly_loss: Ratio,
    /// Part of the day's and the week's loss limit that structures which settle late may hold together (`worst_case`). Default 0.25: more of
    /// it keeps the limit busy until tomorrow while windows of minutes go by.
    pub long_dated_share: Ratio,
    /// A structure settles late when it settles further away than this, in seconds. Default 3600.
    pub long_dated_after_s: u32,
    /// Largest notional in one market. Default 0.25.
    pub market_share: Ratio,
    /// Largest notional in markets of one expiry and underlying (correlated windows). Default 0.25.
    pub expiry_share: Ratio,
    /// Largest notional in one underlying. Default 0.5.
    pub underlying_share: Ratio,
    /// Most structures open at once. Default 24.
    pub max_open_structures: u32,
    /// Failed executions within the window that are still borne; one more trips. Default 3.
    pub max_failed_executions: u32,
    /// Window of failed executions, in seconds. Default 600.
    pub failed_window_s: u32,
    /// Latency of an endpoint (median over its window) above which the switch trips, in milliseconds. Default 5000.
    pub max_latency_ms: u32,
    /// Fewest samples of an endpoint that say anything; at least 2. Default 5.
    pub latency_min_samples: u32,
    /// Samples of an endpoint that are kept. Default 20.
    pub latency_window: u32,
    /// Age past which a latency sample no longer counts, in seconds. Default 600.
    pub latency_max_age_s: u32,
    /// Ban score above which the switch trips, 0..1. Default 0.7.
    pub ban_score_threshold: Ratio,
    /// False: losses, failures, latency and the ban score do not trip. A venue's no and the operator always do. Refused in live.
    pub kill_switch_enabled: bool,
    /// Least time before the end of trading at which a structure may open, in milliseconds. Default 10000.
    pub min_time_left_ms: u32,
    /// Oldest last change of a book that may be traded on, in milliseconds. Default 30000. A dead feed is told by its own health: this
    /// is the limit for a book that is only quiet.
    pub max_book_age_ms: u32,
    /// Rest of a market after an order in it, in milliseconds. Default 5000.
    pub cooldown_ms: u32,
    /// A charged fee that differs from the expected one by more than this share of it raises an alarm ... Default 0.05.
    pub fee_alarm_share: Ratio,
    /// ... when it also differs by more than this amount. Default 0.0001.
    pub fee_alarm_amount: Usd,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            loss_basis: LossBasis::Marked,
            bankroll_share: Ratio::from_bps(2_500),
            max_daily_loss: Ratio::from_bps(200),
            max_structure_loss: Ratio::from_bps(500),
            max_weekly_loss: Ratio::from_bps(500),
            long_dated_share: Ratio::from_bps(2_500),
            long_dated_after_s: 3_600,
            market_share: Ratio::from_bps(2_500),
            expiry_share: Ratio::from_bps(2_500),
            underlying_share: Ratio::from_bps(5_000),
            max_open_structures: 24,
            max_failed_executions: 3,
            failed_window_s: 600,
            max_latency_ms: 5_000,
            latency_min_samples: 5,
            latency_window: 20,
            latency_max_age_s: 600,
            ban_score_threshold: Ratio::from_bps(7_000),
            kill_switch_enabled: true,
            min_time_left_ms: 10_000,
            max_book_age_ms: 30_000,
            cooldown_ms: 5_000,
            fee_alarm_share: Ratio::from_bps(500),
            fee_alarm_amount: Usd::from_raw(10_000),
        }
    }
}

pub(crate) fn millis(ms: u32) -> Dur {
    Dur::from_millis(i64::from(ms))
}

pub(crate) fn seconds(s: u32) -> Dur {
    Dur::from_secs(i64::from(s))
}

impl RiskConfig {
    /// All mistakes at once, each as `key: value is not allowed; what is`. Empty when there is none.
    #[must_use]
    pub fn validate(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let shares = [
            ("bankroll_share", self.bankroll_share),
            ("max_daily_loss", self.max_daily_loss),
            ("max_structure_loss", self.max_structure_loss),
            ("max_weekly_loss", self.max_weekly_loss),
            ("long_dated_share", self.long_dated_share),
            ("market_share", self.market_share),
            ("expiry_share", self.expiry_share),
            ("underlying_share", self.underlying_share),
        ];
        for (key, value) in shares {
            if !value.is_positive() || value > Ratio::ONE {
                mistakes.push(format!("{key}: {value} is not allowed; above 0, at most 1 (0.02 = 2 %)"));
            }
        }
        if self.bankroll_share > Ratio::from_bps(2_500) {
            mistakes.push(format!("bankroll_share: {} is not allowed; at most 0.25 of bankroll", self.bankroll_share));
        }
        if self.max_weekly_loss < self.max_daily_loss {
            mistakes.push(format!("max_weekly_loss: {} is below max_daily_loss {}", self.max_weekly_loss, self.max_daily_loss));
        }
        if self.ban_score_threshold.is_negative() || self.ban_score_threshold >= Ratio::ONE {
            mistakes.push(format!("ban_score_threshold: {} is not allowed; from 0, below 1", self.ban_score_threshold));
        }
        let counts = [
            ("max_open_structures", self.max_open_structures, 1, 10_000),
            ("max_failed_executions", self.max_failed_executions, 0, 1_000),
            ("failed_window_s", self.failed_window_s, 1, 86_400),
            ("max_latency_ms", self.max_latency_ms, 1, 600_000),
            ("latency_min_samples", self.latency_min_samples, 2, 1_000),
            ("latency_window", self.latency_window, 2, 1_000),
            ("latency_max_age_s", self.latency_max_age_s, 1, 86_400),
            ("min_time_left_ms", self.min_time_left_ms, 0, 86_400_000),
            ("max_book_age_ms", self.max_book_age_ms, 1, 3_600_000),
            ("cooldown_ms", self.cooldown_ms, 0, 86_400_000),
        ];
        for (key, value, least, most) in counts {
            if value < least || value > most {
                mistakes.push(format!("{key}: {value} is not allowed; {least} to {most}"));
            }
        }
        if self.latency_window < self.latency_min_samples {
            mistakes.push(format!(
                "latency_window: {} is below latency_min_samples {}",
                self.latency_window, self.latency_min_samples
            ));
        }
        if self.fee_alarm_share.is_negative() || self.fee_alarm_amount.is_negative() {
            mistakes.push("fee_alarm_share, fee_alarm_amount: below 0 is not allowed".to_owned());
        }
        mistakes
    }

    /// As [`Self::validate`], for real orders: the switch must be on.
    #[must_use]
    pub fn validate_live(&self) -> Vec<String> {
        let mut mistakes = self.validate();
        if !self.kill_switch_enabled {
            mistakes.push("kill_switch_enabled: false is not allowed with real orders; true".to_owned());
        }
        mistakes
    }
}
