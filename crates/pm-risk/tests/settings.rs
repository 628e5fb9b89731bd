//! Settings: every mistake at once, nothing unknown, no floats.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::budget::LossBasis;
use pm_core::units::Ratio;
use pm_risk::RiskConfig;

#[test]
fn settings_say_all_mistakes_at_once() {
    assert_eq!(RiskConfig::default().validate(), Vec::<String>::new());
    assert_eq!(worst_case().validate_live(), Vec::<String>::new());
    let bad = RiskConfig {
        max_daily_loss: ratio("1.5"),
        bankroll_share: ratio("0.3"),
        latency_min_samples: 1,
        max_open_structures: 0,
        ban_score_threshold: Ratio::ONE,
        ..RiskConfig::default()
    };
    let mistakes = bad.validate();
    for key in [
        "max_daily_loss: 1.5",
        "bankroll_share: 0.3",
        "latency_min_samples: 1",
        "max_open_structures: 0",
        "ban_score_threshold: 1",
    ] {
        assert!(mistakes.iter().any(|m| m.starts_with(key)), "{key}: {mistakes:?}");
    }
    let off = RiskConfig { kill_switch_enabled: false, ..RiskConfig::default() };
    assert_eq!(off.validate(), Vec::<String>::new());
    assert_eq!(off.validate_live().len(), 1);
}

#[test]
fn settings_come_from_text_and_unknown_keys_are_refused() {
    let read = |text: &str| serde_json::from_str::<RiskConfig>(text);
    assert_eq!(read("{}").unwrap(), RiskConfig::default());
    let cfg = read(r#"{"loss_basis":"worst_case","max_daily_loss":"0.01","max_open_structures":2}"#).unwrap();
    assert_eq!((cfg.loss_basis, cfg.max_daily_loss, cfg.max_open_structures), (LossBasis::WorstCase, ratio("0.01"), 2));
    assert!(read(r#"{"max_dayly_loss":"0.01"}"#).unwrap_err().to_string().contains("max_dayly_loss"));
    assert!(read(r#"{"max_daily_loss":0.01}"#).is_err(), "a float is not what somebody wrote");
}
