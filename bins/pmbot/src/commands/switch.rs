//! `pmbot kill | status | reset`: the kill switch's local record, which a running bot watches.

use pm_core::command::KillRecord;
use pm_core::ids::VenueId;
use pm_core::time::Ts;
use pm_execution::kill_file::{KillFile, tripped};
use pm_risk::{Risk, RiskConfig};
use serde::Serialize;

use crate::catalog;
use crate::cli::{Cli, KillArgs, SwitchArgs};
use crate::config::{ACCOUNT_NAME, Config, is_account_name};
use crate::display::{self, errln, outln};
use crate::exit::Failure;

/// State of one switch, for `--json`.
#[derive(Debug, Serialize)]
struct State {
    mode: String,
    account: String,
    tripped: bool,
    cause: Option<String>,
    since: Option<String>,
    record: String,
    /// Venues that said no; they stay closed until a reset names them.
    closed_venues: Vec<String>,
    /// Last run on each kind of data: recordings and simulations have a switch of their own, which starts ready.
    runs: Vec<LastRun>,
}

/// The switch of the last run on recordings or on the simulated market.
#[derive(Debug, Serialize)]
struct LastRun {
    source: &'static str,
    tripped: bool,
    cause: String,
    at: String,
    /// The run that wrote it.
    run: Option<String>,
    closed_venues: Vec<String>,
}

/// The record of a mode and account. The name of an account is a part of a file name.
fn file(config: &Config, args: &SwitchArgs) -> Result<KillFile, Failure> {
    let account = account(config, args);
    if !is_account_name(account) {
        return Err(Failure::usage(format!("--account {account:?}: {ACCOUNT_NAME}")));
    }
    Ok(KillFile::new(&config.state_dir()?, &args.mode, account))
}

fn account<'a>(config: &'a Config, args: &'a SwitchArgs) -> &'a str {
    args.account.as_deref().unwrap_or(&config.account.name)
}

fn last_runs(config: &Config, args: &SwitchArgs) -> Result<Vec<LastRun>, Failure> {
    let state = config.state_dir()?;
    let of = |source| {
        let file = KillFile::new(&state, source, account(config, args));
        let record = file.read().ok().flatten()?;
        Some(LastRun {
            source,
            tripped: record.tripped,
            cause: record.cause.to_string(),
            at: record.at.to_string(),
            run: file.written_by().map(|run| run.to_string()),
            closed_venues: record.closed_venues.iter().map(|v| name_of(*v)).collect(),
        })
    };
    Ok(if args.mode == "paper" { ["sim", "replay"].into_iter().filter_map(of).collect() } else { Vec::new() })
}

/// Wall clock as a timestamp.
pub(crate) fn wall_now() -> Ts {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Ts::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

pub(crate) fn kill(cli: &Cli, config: &Config, args: &KillArgs) -> Result<(), Failure> {
    let mut file = file(config, &args.switch)?;
    let reason = args.reason.as_deref().unwrap_or("operator, from the command line");
    let mut record = tripped(&format!("manual: {reason}"), wall_now());
    // A venue that said no does not open because somebody kills the bot.
    match file.read() {
        Ok(old) => record.closed_venues = old.map(|r| r.closed_venues).unwrap_or_default(),
        Err(e) => errln!("pmbot: {e}; which venues were closed is not known any more"),
    }
    file.write(&record).map_err(|e| Failure::Store(e.into()))?;
    status(cli, config, &args.switch)
}

pub(crate) fn reset(cli: &Cli, config: &Config, args: &KillArgs) -> Result<(), Failure> {
    let Some(reason) = args.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()) else {
        return Err(Failure::usage("a reset needs a reason: pmbot reset --reason \"what was wrong and why it is safe now\""));
    };
    let mut file = file(config, &args.switch)?;
    // A record that cannot be read counts as tripped; a reset with a reason is how it is repaired.
    let old = file.read().unwrap_or_else(|e| {
        errln!("pmbot: {e}; which venues were closed is not known any more: look before you trade");
        Some(tripped("unreadable record", wall_now()))
    });
    file.write(&after_reset(old.as_ref(), reason)?).map_err(|e| Failure::Store(e.into()))?;
    status(cli, config, &args.switch)
}

/// The record after a reset, by the rule of pm-risk: a closed venue stays closed unless the reason names it.
fn after_reset(old: Option<&KillRecord>, reason: &str) -> Result<KillRecord, Failure> {
    let mut risk = Risk::new(RiskConfig::default());
    for (id, venue) in (0_u16..).zip(catalog::standard().venues) {
        if let Ok(id) = u8::try_from(id) {
            risk.name_venue(VenueId(id), venue.name);
        }
    }
    if let Some(old) = old {
        risk.restore(old);
    }
    let now = wall_now();
    risk.reset(now, reason).map_err(Failure::usage)?;
    Ok(risk.record(now))
}

/// A venue's name, as a reset may name it.
fn name_of(venue: VenueId) -> String {
    catalog::standard().venue_info(venue).map_or_else(|| format!("venue:{venue}"), |v| v.name.to_string())
}

pub(crate) fn status(cli: &Cli, config: &Config, args: &SwitchArgs) -> Result<(), Failure> {
    let file = file(config, args)?;
    let (is_tripped, record) = match file.read() {
        Ok(record) => (record.as_ref().is_some_and(|r| r.tripped), record),
        Err(e) => {
            errln!("pmbot: {}", Failure::Corrupt(e.into()).text());
            (true, None)
        }
    };
    let state = State {
        mode: args.mode.clone(),
        account: account(config, args).to_owned(),
        tripped: is_tripped,
        cause: record.as_ref().map(|r| r.cause.to_string()),
        since: record.as_ref().map(|r| r.at.to_string()),
        record: file.path().display().to_string(),
        closed_venues: record.iter().flat_map(|r| &r.closed_venues).map(|v| name_of(*v)).collect(),
        runs: last_runs(config, args)?,
    };
    if cli.json {
        return display::json(&state).map_err(Failure::Usage);
    }
    print(&state);
    Ok(())
}

fn print(state: &State) {
    let word = if state.tripped { "TRIPPED: no new risk" } else { "ready" };
    outln!("kill switch   {} / {}: {word}", state.mode, state.account);
    closed(&state.closed_venues);
    if let (Some(cause), Some(since)) = (&state.cause, &state.since) {
        outln!("last change   {cause} ({since})");
    }
    outln!("record        {}", state.record);
    if state.tripped {
        outln!("to go on      pmbot reset --reason \"...\" --mode {} --account {}", state.mode, state.account);
    }
    for run in &state.runs {
        let word = if run.tripped {
            format!("tripped by {} (market time {})", run.cause, run.at)
        } else {
            format!("ready ({})", run.cause)
        };
        let by = run.run.as_ref().map_or_else(String::new, |run| format!(", run {run}"));
        outln!("last {:<8} {word}{by}", format!("{}:", run.source));
        closed(&run.closed_venues);
    }
}

fn closed(venues: &[String]) {
    if !venues.is_empty() {
        outln!("closed venues {}: each stays closed until the reason of a reset names it", venues.join(", "));
    }
}
