//! The end of a run: figures into the report, the report into the store and to the person or the script, the exit code.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pm_core::time::Dur;
use pm_core::traits::{Clock, StoreError};
use pm_execution::clock::SystemClock;
use pm_execution::driver::Core;
use pm_research::report::{KillState, Money};
use pm_research::{RunInputs, RunReport, render};
use pm_store::{RunEnd, SqlStore, WriterHandle, WriterReport, WriterState};
use serde::Serialize;
use uuid::Uuid;

use crate::cli::Cli;
use crate::display::{self, errln, out, outln};
use crate::exit::Failure;
use crate::paper::Plan;
use crate::sink::Noted;

/// Longest wait for the store at the end of a run.
const STORE_WAIT: Duration = Duration::from_secs(30);

/// How a run ended.
pub(crate) enum End {
    /// At its end.
    Done,
    /// By Ctrl-C or a request to terminate.
    Stopped,
    /// By an error; what was done until then counts.
    Failed(Failure),
}

impl End {
    /// Status of the run in the store.
    const fn status(&self) -> &'static str {
        match self {
            Self::Done => "finished",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }
    fn warning(&self) -> Option<String> {
        match self {
            Self::Done => None,
            Self::Stopped => Some("stopped by the operator before its end".into()),
            Self::Failed(f) => Some(format!("the run ended early: {}", f.text())),
        }
    }
}

/// What is left to show once everything is written.
pub(crate) struct Finished {
    pub(crate) report: RunReport,
    pub(crate) end: End,
    /// Trigger and figure, when the kill switch is tripped at the end.
    pub(crate) tripped: Option<String>,
    pub(crate) written: WriterReport,
    /// Every row and the summary are in the store.
    pub(crate) stored: Result<(), StoreError>,
    pub(crate) errors: Vec<String>,
}

/// The report of a run that just ended.
pub(crate) fn build(
    plan: &Plan,
    core: &Core,
    wall: Duration,
    noted: &Arc<Mutex<Noted>>,
    mut warnings: Vec<String>,
    end: &End,
) -> RunReport {
    let engine = &core.engine;
    let money = Money::of(engine.ledger(), engine.capital_start(), engine.executable_pnl());
    let noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.extend(end.warning());
    if noted.kill_record_failed {
        warnings.push("the kill switch's record could not be written".into());
    }
    if noted.backpressure {
        warnings.push("the store was slower than the run: the run waited for it".into());
    }
    if let Err(e) = engine.ledger().check() {
        warnings.push(format!("THE LEDGER DOES NOT BALANCE: {e}"));
    }
    let mut inputs = RunInputs::new("paper", plan.source, engine.stats(), money);
    inputs.offline = plan.source == "sim";
    inputs.derived = plan.derived;
    inputs.seed = Some(plan.seed);
    inputs.drawdown = engine.risk().drawdown().max;
    inputs.open_positions = engine.open_structures();
    inputs.windows = core.windows;
    inputs.frames = core.counts.frames;
    inputs.decode_errors = core.counts.errors;
    inputs.wall = Dur::from_nanos(i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX));
    inputs.ended = engine.now();
    inputs.kill = match engine.risk().tripped() {
        Some(trip) => KillState::Tripped { cause: format!("{}: {}", trip.trigger.code(), trip.text) },
        None => KillState::Armed,
    };
    inputs.decision_hash = core.decision_hash();
    inputs.bankroll_too_small = plan.feasibility.bankroll_too_small();
    inputs.run_id = Some(plan.run_id.to_string());
    inputs.db = Some(plan.database.clone());
    inputs.warnings = warnings;
    RunReport::build(inputs)
}

/// Writes what waits and the run's end. The report is shown whatever comes of it.
pub(crate) async fn store(
    store: &SqlStore,
    writer: &WriterHandle,
    run_id: Uuid,
    report: &RunReport,
    end: &End,
) -> Result<(), StoreError> {
    if let WriterState::Down(why) = writer.status().state {
        errln!("the store takes no rows ({why}); trying for up to {} s", STORE_WAIT.as_secs());
    }
    let written = writer.finish(STORE_WAIT).await;
    let run = RunEnd {
        run_id,
        ended_at: SystemClock::default().now().wall,
        status: if written.is_ok() { end.status().to_owned() } else { format!("{}, rows missing", end.status()) },
        decision_hash: Some(report.decision_hash.clone()),
        verdict: Some(report.verdict.as_str().to_owned()),
        summary: serde_json::to_value(report).unwrap_or_default(),
    };
    let saved = store.save_run_end(&run).await;
    written.map(drop).and(saved)
}

/// The document of `--json`: the fields of the report in their order, then what became of the rows, then the error.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a RunReport,
    rows: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What became of the rows for the store.
#[derive(Debug, Serialize)]
struct Rows {
    written: u64,
    conflated: u64,
    dropped: u64,
    rejected: u64,
    unwritten: u64,
}

impl Rows {
    fn of(report: &WriterReport) -> Self {
        Self {
            written: report.written,
            conflated: report.conflated,
            dropped: report.dropped,
            rejected: report.rejected.values().sum(),
            unwritten: report.unwritten.values().sum(),
        }
    }
}

impl Finished {
    /// Prints the report and gives the exit code: the run's own error first, then the store's, then the kill switch.
    pub(crate) fn print(self, cli: &Cli) -> Result<(), Failure> {
        let failure = match (self.end, self.stored, self.tripped) {
            (End::Failed(failure), ..) => Some(failure),
            (_, Err(e), _) => Some(Failure::store(format!("rows of this run are missing in the store: {e}"))),
            (_, Ok(()), Some(cause)) => Some(Failure::Tripped(cause)),
            (_, Ok(()), None) => None,
        };
        if cli.json {
            let error = failure.as_ref().filter(|f| f.is_error()).map(Failure::text);
            let rows = Rows::of(&self.written);
            display::json(&Document { report: &self.report, rows, error }).map_err(Failure::Usage)?;
        } else {
            out!("{}", render(&self.report, false));
            outln!();
            let rows = Rows::of(&self.written);
            outln!(
                "rows written   {}; market-data rows conflated {}, dropped {}; rows refused {}, unwritten {}",
                rows.written,
                rows.conflated,
                rows.dropped,
                rows.rejected,
                rows.unwritten
            );
            outln!("again          pmbot report {}", self.report.run_id.as_deref().unwrap_or("latest"));
            for error in self.errors.iter().take(5) {
                outln!("bad frame      {error}");
            }
        }
        failure.map_or(Ok(()), Err)
    }
}
