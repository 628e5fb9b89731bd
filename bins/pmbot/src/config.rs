//! Configuration: built-in defaults, then a TOML file, then the environment (`PMBOT_SECTION__KEY`), then the document's own variable names.
//! Unknown keys are refused, and every mistake is shown at once with its place and what is allowed.

use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider};
use pm_core::units::{Ratio, Usd};
use pm_engine::EngineSettings;
use pm_engine::paper::PaperSettings;
use pm_risk::RiskConfig;
use pm_strategy::{ModelConfig, StrategyConfig};
use serde::{Deserialize, Serialize};

use crate::config_checks;
use crate::exit::Failure;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Capital and where it lies.
    pub(crate) account: AccountConfig,
    /// Limits and the kill switch.
    pub(crate) risk: RiskConfig,
    /// Pricing.
    pub(crate) model: ModelConfig,
    /// Strategies and costs.
    pub(crate) strategy: StrategyConfig,
    /// The engine's own settings.
    pub(crate) engine: EngineSettings,
    /// The paper venues.
    pub(crate) paper: PaperSection,
    /// Replays of recordings.
    pub(crate) replay: ReplaySection,
    /// Venue facts that are settings because sources disagree.
    pub(crate) venues: VenueSettings,
    /// Database.
    pub(crate) db: DbConfig,
    /// Logs.
    pub(crate) log: LogSection,
    /// State directory; default: the platform's.
    pub(crate) state: StateConfig,
}

/// Capital.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountConfig {
    /// Account group: the kill switch is kept per mode and account.
    pub(crate) name: String,
    /// Virtual bankroll of paper runs, in US dollars.
    pub(crate) bankroll: Usd,
    /// Share of it that lies on the hedge venue.
    pub(crate) hedge_share: Ratio,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self { name: "main".into(), bankroll: Usd::whole(10), hedge_share: Ratio::from_bps(3_000) }
    }
}

/// Paper venues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PaperSection {
    /// The prediction venue.
    pub(crate) prediction: PaperSettings,
    /// The hedge venue.
    pub(crate) hedge: PaperSettings,
    /// Seed of the simulated market and of sampled latency.
    pub(crate) seed: u64,
    /// How well simulated makers price: typical, measured, efficient, careless.
    pub(crate) makers: Option<String>,
}

/// Replays of sampled recordings: values are seconds apart, so they stay fresh longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReplaySection {
    /// Age up to which a sampled price or book counts as fresh (ms).
    pub(crate) sampled_max_age_ms: u32,
    /// Silence of the prices that does not break the chain of returns (s).
    pub(crate) sampled_max_gap_s: u32,
    /// Samples before volatility and basis count as estimated.
    pub(crate) sampled_min_vol_samples: u32,
}

impl Default for ReplaySection {
    fn default() -> Self {
        Self { sampled_max_age_ms: 45_000, sampled_max_gap_s: 240, sampled_min_vol_samples: 20 }
    }
}

/// Venue facts on which sources disagree or that change: read them off the venue before trading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VenueSettings {
    /// Hold of marketable orders on short crypto windows where metadata do not state it (ms): 50, 150 and 250 are documented.
    pub(crate) taker_hold_ms: u32,
    /// Leverage of perpetuals, for margin.
    pub(crate) perp_leverage: u32,
}

impl Default for VenueSettings {
    fn default() -> Self {
        Self { taker_hold_ms: 250, perp_leverage: 10 }
    }
}

/// Database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DbConfig {
    /// postgres://..., sqlite://FILE or a file name; empty: a SQLite file in the state directory.
    pub(crate) url: Option<String>,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSection {
    /// Level: error, warn, info, debug, trace; RUST_LOG wins.
    pub(crate) level: String,
    /// Directory of the JSON log files; empty: `logs` in the state directory.
    pub(crate) directory: Option<PathBuf>,
    /// Daily files to keep.
    pub(crate) keep: usize,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { level: "info".into(), directory: None, keep: 14 }
    }
}

/// State directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StateConfig {
    /// Directory of kill-switch records, the default database and logs.
    pub(crate) directory: Option<PathBuf>,
}

/// The document's own variable names, and the keys that they set.
const DOCUMENT_VARIABLES: [(&str, &str); 3] = [
    ("DATABASE_URL", "db.url"),
    ("RISK_MAX_DRAWDOWN", "risk.max_daily_loss"),
    ("RISK_KILL_SWITCH_ENABLED", "risk.kill_switch_enabled"),
];

/// Variables of the document that hold secrets; their values never appear in output.
const SECRET_VARIABLES: [&str; 5] =
    ["POLYMARKET_API_KEY", "BYBIT_API_KEY", "BYBIT_SECRET", "TELEGRAM_ALERT_BOT_TOKEN", "METAMASK_PRIVATE_KEY"];

/// A configuration that was read, with what is wrong in it.
struct Loaded {
    config: Config,
    figment: Figment,
    mistakes: Vec<String>,
}

impl Config {
    /// Reads the configuration; any mistake is an error.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Loaded { config, mistakes, .. } = Self::read(file)?;
        if mistakes.is_empty() { Ok(config) } else { Err(Failure::usage(list(&mistakes))) }
    }

    /// Reads what the kill switch needs: the state directory and the account. A mistake anywhere else is a warning: stopping a bot must not
    /// wait for somebody to find a typo.
    pub(crate) fn load_for_switch(file: Option<&Path>, account: Option<&str>) -> Result<(Self, Vec<String>), Failure> {
        let Loaded { figment, mistakes, .. } = Self::read(file).map_err(|e| {
            let text = e.text();
            Failure::usage(format!(
                "{text}\nWhich state directory is meant cannot be read there: leave --config out and set PMBOT_STATE__DIRECTORY (and \
                 --account)"
            ))
        })?;
        let needed = |key: &str, e: &figment::Error| Failure::usage(format!("{}{key}: {}", place(&figment, key), what(&e.kind)));
        let directory = figment.extract_inner::<Option<PathBuf>>("state.directory").map_err(|e| needed("state.directory", &e))?;
        let name = match account {
            Some(name) => name.to_owned(),
            None => figment.extract_inner::<String>("account.name").map_err(|e| needed("account.name", &e))?,
        };
        if !is_account_name(&name) {
            return Err(Failure::usage(format!("account {name:?}: {ACCOUNT_NAME}")));
        }
        let mut config = Self::default();
        config.state.directory = directory;
        config.account.name = name;
        Ok((config, mistakes))
    }

    fn read(file: Option<&Path>) -> Result<Loaded, Failure> {
        for name in SECRET_VARIABLES {
            if let Ok(value) = std::env::var(name) {
                pm_monitor::Redactor::global().add(&value);
            }
        }
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            // Read here so that "no such file", "a folder" and "no permission" are told apart.
            let text = std::fs::read_to_string(path)
                .map_err(|e| Failure::usage(format!("{}: the configuration file cannot be read: {e}", path.display())))?;
            // Checked apart: a syntax error has no key, and stands alone.
            Toml::string(&text).data().map_err(|e| Failure::usage(format!("{}: not TOML: {e}", path.display())))?;
            figment = figment.merge(Text(Toml::file_exact(path)));
        }
        figment = figment.merge(Text(Env::prefixed("PMBOT_").filter(|key| key != "SKIP_LOG").split("__").lowercase(true)));
        for (name, key) in DOCUMENT_VARIABLES {
            if let Ok(value) = std::env::var(name) {
                figment = figment.merge(Variable { name, key, value });
            }
        }
        let (config, mut mistakes) = extract(&figment);
        if std::env::var_os("METAMASK_PRIVATE_KEY").is_some_and(|v| !v.is_empty()) {
            mistakes.push(
                "METAMASK_PRIVATE_KEY is set: a clear private key in the environment is refused. Unset it; keys come in as an \
                 encrypted keystore file (V3 JSON)."
                    .to_owned(),
            );
        }
        mistakes.extend(
            config_checks::check(&config).into_iter().map(|(key, what)| format!("{}{key}: {what}", place(&figment, &key))),
        );
        Ok(Loaded { config, figment, mistakes })
    }

    /// The state directory.
    pub(crate) fn state_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.state.directory {
            return Ok(dir.clone());
        }
        let dirs = directories::ProjectDirs::from("", "", "pmbot").ok_or_else(|| {
            Failure::usage("no home directory was found for the state directory: set state.directory (PMBOT_STATE__DIRECTORY)")
        })?;
        Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
    }

    /// The database of a command: option, configuration, or the default file. The second value is what to show.
    pub(crate) fn db_url(&self, option: Option<&str>) -> Result<(String, String), Failure> {
        if let Some(url) = option.or(self.db.url.as_deref()).filter(|u| !u.is_empty()) {
            return Ok((url.to_owned(), pm_monitor::redact(url).into_owned()));
        }
        // A path, not a URL: a folder may have a `?`, a `%` or a blank in its name.
        let path = self.state_dir()?.join("pmbot.sqlite").display().to_string();
        let shown = format!("sqlite://{path}");
        Ok((path, shown))
    }
}

/// A provider whose floats become the text that they were written as: the shortest text of a float is what somebody typed, and a money
/// value must not take a detour through binary fractions.
struct Text<P>(P);

impl<P: Provider> Provider for Text<P> {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut data = self.0.data()?;
        for dict in data.values_mut() {
            for value in dict.values_mut() {
                textify(value);
            }
        }
        Ok(data)
    }
}

fn textify(value: &mut Value) {
    match value {
        Value::Num(tag, Num::F64(f)) => *value = Value::String(*tag, f.to_string()),
        Value::Num(tag, Num::F32(f)) => *value = Value::String(*tag, f.to_string()),
        Value::Dict(_, dict) => dict.values_mut().for_each(textify),
        Value::Array(_, items) => items.iter_mut().for_each(textify),
        _ => {}
    }
}

/// A variable of the document, which has a name of its own. Text stays text: "0.02" must not become a float on its way in.
struct Variable {
    name: &'static str,
    key: &'static str,
    value: String,
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("environment {}", self.name))
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let value: Value = match self.value.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            text => text.into(),
        };
        let (section, key) = self.key.split_once('.').unwrap_or(("", self.key));
        let inner = Dict::from([(key.to_owned(), value)]);
        Ok(Profile::Default.collect(Dict::from([(section.to_owned(), inner.into())])))
    }
}

/// What an account may be called: its name is a part of the kill switch's file name.
pub(crate) const ACCOUNT_NAME: &str = "letters, digits, - and _ are allowed, at most 40 of them";

/// True for the name of an account.
pub(crate) fn is_account_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Deserialises; on a mistake notes it, takes the key out and goes on, so that all mistakes are found. What is left has defaults in the
/// place of the mistakes.
fn extract(original: &Figment) -> (Config, Vec<String>) {
    let mut mistakes = Vec::new();
    let mut figment = original.clone();
    for _ in 0..64 {
        let error = match figment.extract::<Config>() {
            Ok(config) => return (config, mistakes),
            Err(error) => error,
        };
        let Some(first) = error.into_iter().next() else { break };
        let mut path = first.path.clone();
        if let Kind::UnknownField(name, _) = &first.kind
            && path.last() != Some(name)
        {
            path.push(name.clone());
        }
        let key = path.join(".");
        mistakes.push(match &first.kind {
            Kind::UnknownField(_, allowed) => unknown(original, &key, allowed),
            kind => format!("{}{key}: {}", place(original, &key), what(kind)),
        });
        let Ok(mut all) = figment.extract::<Dict>() else { break };
        if path.is_empty() || !remove(&mut all, &path) {
            break;
        }
        figment = Figment::from(Serialized::globals(all));
    }
    (Config::default(), mistakes)
}

/// The words for an unknown key. What follows a name such as `..._PASSWORD:` would be hidden by the redactor, so the place comes last.
fn unknown(figment: &Figment, key: &str, allowed: &[&str]) -> String {
    let place = place(figment, key);
    let place = place.trim_end_matches(": ");
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    format!("unknown key `{key}`{place}; allowed here: {}", allowed.join(", "))
}

/// Where a key was set: the file, or the variable.
fn place(figment: &Figment, key: &str) -> String {
    let Some(metadata) = figment.find_metadata(key) else { return String::new() };
    match &metadata.source {
        Some(figment::Source::File(path)) => format!("{}: ", path.display()),
        _ if metadata.name.starts_with("environment ") => format!("{}: ", metadata.name),
        _ if metadata.name.contains("environment") => format!("environment PMBOT_{}: ", key.replace('.', "__").to_uppercase()),
        _ => String::new(),
    }
}

/// What is wrong with a value, and what is allowed.
fn what(kind: &Kind) -> String {
    match kind {
        Kind::UnknownVariant(found, allowed) => format!("{found:?} is not allowed; {}", allowed.join(", ")),
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => format!("{found} is not allowed; {expected}"),
        Kind::Message(text) if text.contains("decimal") || text.contains("number") => {
            format!("{text}; allowed: a decimal number as text, such as \"0.02\"")
        }
        other => other.to_string(),
    }
}

fn remove(dict: &mut Dict, path: &[String]) -> bool {
    match path {
        [] => false,
        [last] => dict.remove(last).is_some(),
        [first, rest @ ..] => match dict.get_mut(first) {
            Some(Value::Dict(_, inner)) => remove(inner, rest),
            _ => dict.remove(first).is_some(),
        },
    }
}

fn list(mistakes: &[String]) -> String {
    let mut text = format!("{} mistake{} in the configuration:", mistakes.len(), if mistakes.len() == 1 { "" } else { "s" });
    for m in mistakes {
        text.push_str("\n  - ");
        text.push_str(m);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key with its value; `null` for the ones without a default.
    fn leaves(prefix: &str, value: &serde_json::Value, out: &mut Vec<(String, serde_json::Value)>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, inner) in map {
                    let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    leaves(&key, inner, out);
                }
            }
            other => out.push((prefix.to_owned(), other.clone())),
        }
    }

    #[test]
    fn the_commented_file_has_every_key_with_its_default() {
        let text = include_str!("../../../config/paper.toml");
        let file = Text(Toml::string(text)).data().unwrap().remove(&Profile::Default).unwrap();
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        leaves("", &serde_json::to_value(Config::default()).unwrap(), &mut expected);
        leaves("", &serde_json::to_value(file).unwrap(), &mut found);
        for (key, value) in &expected {
            if value.is_null() {
                let name = key.rsplit('.').next().unwrap_or_default();
                assert!(text.contains(&format!("# {name} = ")), "{key} is not in config/paper.toml, not even as a comment");
                continue;
            }
            let there = found.iter().find(|(k, _)| k == key).map(|(_, v)| v);
            assert_eq!(there, Some(value), "{key} in config/paper.toml");
        }
        let extra: Vec<_> = found.iter().filter(|(k, _)| !expected.iter().any(|(e, _)| e == k)).collect();
        assert!(extra.is_empty(), "{extra:?}");
    }
}
