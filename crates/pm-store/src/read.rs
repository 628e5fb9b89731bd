//! Reading for reports: runs, opportunities, trades, risk events. Nothing here is on the trading path.

use std::str::FromStr;

use pm_core::time::Ts;
use pm_core::traits::StoreError;
use pm_core::units::Usd;
use uuid::Uuid;

use crate::run_store::RunInfo;
use crate::store::{SqlStore, Statement};
use crate::value::{Cells, MONEY, Value, json, text};

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunSelector {
    /// The one that was saved last.
    Latest,
    /// By id.
    Id(Uuid),
}

/// A text is no selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSelector(String);

impl core::fmt::Display for BadSelector {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSelector {}

impl FromStr for RunSelector {
    type Err = BadSelector;
    /// `latest`, or a run's UUID.
    fn from_str(raw: &str) -> Result<Self, BadSelector> {
        if raw.eq_ignore_ascii_case("latest") {
            return Ok(Self::Latest);
        }
        Uuid::parse_str(raw).map(Self::Id).map_err(|_| BadSelector(format!("`{raw}` is neither `latest` nor the UUID of a run")))
    }
}

/// Which opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpportunitySelector {
    /// By its UUID, in any run.
    Id(Uuid),
    /// By its number within a run.
    Number(RunSelector, u64),
}

impl FromStr for OpportunitySelector {
    type Err = BadSelector;
    /// `17` or `latest/17` (latest run), `<run uuid>/17`, or the opportunity's UUID.
    fn from_str(raw: &str) -> Result<Self, BadSelector> {
        let bad = || BadSelector(format!("`{raw}` is no opportunity: use its UUID, `17`, `latest/17` or `<run uuid>/17`"));
        let (run, number) = match raw.split_once('/') {
            Some((run, number)) => (run.parse().map_err(|_| bad())?, number),
            None => match Uuid::parse_str(raw) {
                Ok(id) => return Ok(Self::Id(id)),
                Err(_) => (RunSelector::Latest, raw),
            },
        };
        number.parse().map(|n| Self::Number(run, n)).map_err(|_| bad())
    }
}

/// What is known when a run begins.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStart {
    /// Id; the rows' ids are derived from it.
    pub run_id: Uuid,
    /// Wall clock.
    pub started_at: Ts,
    /// `paper`, `live`, `shadow`, `replay`.
    pub mode: String,
    /// `live`, `replay`, `sim`.
    pub source: String,
    /// Where that came from, for people and of any length: seed and makers, or the names of the recordings.
    pub origin: String,
    /// True when the data was made by an importer of sampled data.
    pub derived: bool,
    /// Seed, where there is one.
    pub seed: Option<u64>,
    /// Bankroll at the start.
    pub bankroll_start: Usd,
    /// Version and revision of the program.
    pub build: String,
    /// Settings, without secrets.
    pub config: serde_json::Value,
}

impl RunStart {
    /// What the rows of this run carry.
    #[must_use]
    pub fn info(&self) -> RunInfo {
        RunInfo { run_id: self.run_id, source: self.source.as_str().into(), derived: self.derived }
    }
}

/// What is known when a run ends.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// Which run.
    pub run_id: Uuid,
    /// Wall clock.
    pub ended_at: Ts,
    /// `done`, `stopped`, `failed`, ...
    pub status: String,
    /// Hash over events and commands.
    pub decision_hash: Option<String>,
    /// Verdict of the decision matrix.
    pub verdict: Option<String>,
    /// The summary as printed by `--json`.
    pub summary: serde_json::Value,
}

/// A stored run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// What was known at its start.
    pub start: RunStart,
    /// End; `None` while it runs, or when it died.
    pub ended_at: Option<Ts>,
    /// `running` until the end is saved.
    pub status: String,
    /// Hash over events and commands.
    pub decision_hash: Option<String>,
    /// Verdict of the decision matrix.
    pub verdict: Option<String>,
    /// The summary as printed by `--json`.
    pub summary: Option<serde_json::Value>,
}

const RUN_START: &str = "INSERT INTO runs (run_id, started_at, mode, source, origin, derived, seed, bankroll_start, build, config, status) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'running')";
const RUN_END: &str =
    "UPDATE runs SET ended_at = $2, status = $3, decision_hash = $4, verdict = $5, summary = $6 WHERE run_id = $1";
const RUNS: &str = "SELECT * FROM runs ORDER BY id DESC LIMIT $1";
const RUN_BY_ID: &str = "SELECT * FROM runs WHERE run_id = $1";

impl SqlStore {
    /// Saves the start of a run; rows of the run can be written from then on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when a run with this id exists.
    pub async fn save_run_start(&self, run: &RunStart) -> Result<(), StoreError> {
        let values = vec![
            Value::Id(Some(run.run_id)),
            Value::Time(Some(run.started_at)),
            text(&run.mode),
            text(&run.source),
            text(&run.origin),
            Value::Flag(run.derived),
            Value::Text(run.seed.map(|s| s.to_string().into())),
            Value::Fixed(Some(run.bankroll_start.raw()), MONEY),
            text(&run.build),
            json(&run.config)?,
        ];
        let saved = self.execute(Statement { sql: RUN_START, values }).await;
        saved.map(|_| ()).map_err(|e| crate::error::at(&format!("run {}", run.run_id), e))
    }

    /// Saves the end of a run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when its start was not saved.
    pub async fn save_run_end(&self, end: &RunEnd) -> Result<(), StoreError> {
        let values = vec![
            Value::Id(Some(end.run_id)),
            Value::Time(Some(end.ended_at)),
            text(&end.status),
            crate::value::text_or_null(end.decision_hash.as_deref()),
            crate::value::text_or_null(end.verdict.as_deref()),
            json(&end.summary)?,
        ];
        match self.execute(Statement { sql: RUN_END, values }).await? {
            0 => Err(StoreError::NotFound(format!("run {}", end.run_id))),
            _ => Ok(()),
        }
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the query.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunView>, StoreError> {
        self.fetch(RUNS, vec![Value::Int(Some(i64::from(limit)))], run_view).await
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn run(&self, which: RunSelector) -> Result<RunView, StoreError> {
        let (found, missing) = match which {
            RunSelector::Latest => (self.runs(1).await?, "no run is stored yet".to_owned()),
            RunSelector::Id(id) => (self.fetch(RUN_BY_ID, vec![Value::Id(Some(id))], run_view).await?, format!("run {id}")),
        };
        found.into_iter().next().ok_or(StoreError::NotFound(missing))
    }

    /// Id of a run that exists.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn run_id(&self, which: RunSelector) -> Result<Uuid, StoreError> {
        self.run(which).await.map(|r| r.start.run_id)
    }
}

fn run_view(row: &dyn Cells) -> Result<RunView, StoreError> {
    let seed = row
        .text_or_null("seed")?
        .map(|s| s.parse().map_err(|_| StoreError::Refused(format!("column seed: `{s}`"))))
        .transpose()?;
    Ok(RunView {
        start: RunStart {
            run_id: row.id("run_id")?,
            started_at: row.time("started_at")?,
            mode: row.text("mode")?,
            source: row.text("source")?,
            origin: row.text("origin")?,
            derived: row.flag("derived")?,
            seed,
            bankroll_start: Usd::from_raw(row.fixed("bankroll_start", MONEY)?),
            build: row.text("build")?,
            config: row.json("config")?,
        },
        ended_at: row.time_or_null("ended_at")?,
        status: row.text("status")?,
        decision_hash: row.text_or_null("decision_hash")?,
        verdict: row.text_or_null("verdict")?,
        summary: row.json_or_null("summary")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_parse() {
        let id = Uuid::from_u128(42);
        assert_eq!("latest".parse(), Ok(RunSelector::Latest));
        assert_eq!(id.to_string().parse(), Ok(RunSelector::Id(id)));
        assert_eq!("17".parse(), Ok(OpportunitySelector::Number(RunSelector::Latest, 17)));
        assert_eq!("latest/17".parse(), Ok(OpportunitySelector::Number(RunSelector::Latest, 17)));
        assert_eq!(format!("{id}/0").parse(), Ok(OpportunitySelector::Number(RunSelector::Id(id), 0)));
        assert_eq!(id.to_string().parse(), Ok(OpportunitySelector::Id(id)));
        for bad in ["", "newest", "latest/", "latest/x", "/1", "1/2/3", "-1"] {
            let error = bad.parse::<OpportunitySelector>().unwrap_err();
            assert!(error.to_string().contains("latest/17"), "{error}");
        }
    }
}
