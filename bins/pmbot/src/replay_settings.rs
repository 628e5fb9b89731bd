//! What a recording's own statements change in the settings of its replay: stand-in references widen the band, a recording without a hedge
//! venue is priced from its settlement source, sampled data are older between samples. Each change is said.

use pm_core::time::Dur;
use pm_data::recording::FeedInfo;

use crate::config::Config;

/// Changes a configuration for recordings; returns what to tell the person.
pub(crate) fn adapt(config: &mut Config, feeds: &[FeedInfo]) -> Vec<String> {
    let mut notes = Vec::new();
    for stand_in in feeds.iter().flat_map(|f| &f.stand_ins) {
        if config.model.basis_floor < stand_in.basis_sd {
            config.model.basis_floor = stand_in.basis_sd;
        }
        notes.push(format!(
            "{} stands in for {} (standard deviation of the basis {}): {}",
            stand_in.source, stand_in.instead_of, stand_in.basis_sd, stand_in.why
        ));
    }
    if !feeds.iter().any(|f| f.name.starts_with(pm_bybit::VENUE)) && config.model.require_hedge {
        config.model.require_hedge = false;
        notes.push(
            "no hedge venue in the recording: markets are priced from the settlement source alone, and nothing is hedged".into(),
        );
    }
    if feeds.iter().any(|f| f.sampled) {
        let age = Dur::from_millis(i64::from(config.replay.sampled_max_age_ms));
        config.model.max_reference_age = config.model.max_reference_age.max(age);
        config.model.max_hedge_age = config.model.max_hedge_age.max(age);
        config.model.max_gap_s = config.model.max_gap_s.max(config.replay.sampled_max_gap_s);
        config.model.min_vol_samples = config.model.min_vol_samples.min(config.replay.sampled_min_vol_samples);
        config.model.min_basis_samples = config.model.min_basis_samples.min(config.replay.sampled_min_vol_samples);
        config.risk.max_book_age_ms = config.risk.max_book_age_ms.max(config.replay.sampled_max_age_ms);
        notes.push(format!(
            "sampled data: values count as fresh for up to {} s (replay.sampled_max_age_ms); fills take the smaller of the samples around an arrival",
            age.secs()
        ));
    }
    notes
}
