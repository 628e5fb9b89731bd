//! `pmbot paper`: plan the run, say what the bankroll can do, run, report.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pm_core::ids::{CurrencyId, VenueId};
use pm_core::num::Round;
use pm_core::registry::{Catalog, Registry, VenueRole};
use pm_core::time::Dur;
use pm_core::traits::{Clock, Exchange};
use pm_core::units::Usd;
use pm_data::recording::Tail;
use pm_engine::journal::{Header, JOURNAL_VERSION};
use pm_engine::paper::{PaperConfig, PaperSettings, PaperVenue};
use pm_engine::{Capital, Engine, EngineConfig};
use pm_execution::clock::{Pace, SystemClock, parse_span};
use pm_execution::driver::{self, Core, Feed};
use pm_execution::journal::{JournalFileError, JournalWriter};
use pm_execution::kill_file::KillFile;
use pm_execution::source::FrameSource;
use pm_store::{RunStart, SqlStore, Writer, WriterConfig};
use pm_strategy::{Feasibility, FeasibilityInput};
use uuid::Uuid;

use crate::cli::{Cli, PaperArgs, Source};
use crate::config::Config;
use crate::display::errln;
use crate::exit::Failure;
use crate::hooks::RunHooks;
use crate::sink::{Noted, RunSink};
use crate::sources::{ReplaySource, SimSource};
use crate::watched::{FeedTimes, Watched};
use crate::{announce, catalog, logs, replay_settings, summary, wiring};

/// Windows of a run that names no end: several families resolve, and the report is there within a minute.
const DEFAULT_WINDOWS: u64 = 24;
/// Version of this program, in journals and runs.
pub(crate) const BUILD: &str = concat!("pmbot ", env!("CARGO_PKG_VERSION"));

/// Everything about a run that is known before it begins.
pub(crate) struct Plan {
    pub(crate) run_id: Uuid,
    /// `sim` or `replay`.
    pub(crate) source: &'static str,
    /// For people: seed and makers, or the files.
    pub(crate) origin: String,
    pub(crate) derived: bool,
    pub(crate) seed: u64,
    pub(crate) bankroll: Usd,
    pub(crate) feasibility: Feasibility,
    pub(crate) windows: Option<u64>,
    pub(crate) span: Option<Dur>,
    pub(crate) pace: Pace,
    /// The database, without secrets.
    pub(crate) database: String,
}

/// A source with its feeds.
pub(crate) struct Opened {
    pub(crate) source: Box<dyn FrameSource>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) derived: bool,
    pub(crate) origin: String,
    pub(crate) name: &'static str,
    pub(crate) warnings: Vec<String>,
    /// The configuration as the recording's own statements change it.
    pub(crate) adapted: Option<Box<Config>>,
}

pub(crate) fn run(cli: &Cli, config: &Config, args: &PaperArgs) -> Result<(), Failure> {
    let (guard, logs) = logs::start(cli, config)?;
    let catalog = catalog::standard();
    let seed = args.seed.unwrap_or(config.paper.seed);
    let mut opened = open(config, &catalog, args, seed)?;
    // A recording's own statements change some settings; each change is said.
    let adapted = opened.adapted.take();
    let config = adapted.as_deref().unwrap_or(config);
    let (url, shown) = config.db_url(args.db.db.as_deref())?;
    let (plan, input) = plan(config, args, &opened, seed, shown)?;
    announce::announce(cli, config, args, &plan, &input, &opened.warnings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Failure::store(format!("the store's runtime could not start: {e}")))?;
    let engine_config = engine_config(config, args, &catalog, &plan);
    let store = runtime.block_on(open_store(&url))?;
    // The journal comes before the run's row: a run that cannot begin leaves none behind.
    let journal = create_journal(args, &plan, &engine_config)?;
    runtime.block_on(store.save_run_start(&run_start(&plan, config)))?;
    if !cli.json {
        errln!("database  {}", plan.database);
        errln!("logs      {}", logs.display());
    }
    tracing::info!(run = %plan.run_id, source = plan.source, origin = plan.origin, bankroll = %plan.bankroll, "paper run started");
    let result = execute(cli, config, &plan, opened, &catalog, engine_config, journal, &runtime, &store);
    runtime.block_on(store.close());
    let finished = result?;
    let report = &finished.report;
    tracing::info!(run = %plan.run_id, verdict = report.verdict.as_str(), net_pnl = %report.net_pnl, trades = report.trades, kill_switch = report.kill_switch, "paper run ended");
    drop(guard);
    finished.print(cli)
}

/// Opens the source of the arguments.
pub(crate) fn open(config: &Config, catalog: &Catalog, args: &PaperArgs, seed: u64) -> Result<Opened, Failure> {
    match (args.source, args.recording.as_slice()) {
        (Source::Replay | Source::Auto, [_, ..]) => open_replay(config, catalog, &args.recording),
        (Source::Replay, []) => Err(Failure::usage("--source replay needs --recording FILE")),
        (Source::Sim, [_, ..]) => Err(Failure::usage("--recording goes with --source replay")),
        (Source::Sim | Source::Auto, []) => {
            let makers = args.makers.as_deref().or(config.paper.makers.as_deref()).unwrap_or("typical");
            open_sim(config, catalog, seed, makers, args.windows.unwrap_or(0))
        }
    }
}

/// Opens the simulated market.
pub(crate) fn open_sim(config: &Config, catalog: &Catalog, seed: u64, makers: &str, windows: u64) -> Result<Opened, Failure> {
    let makers: pm_sim::MakerKind = makers
        .parse()
        .map_err(|_| Failure::usage(format!("{makers:?} are no makers; allowed: typical, measured, efficient, careless")))?;
    let sim = pm_sim::Simulator::new(pm_sim::SimConfig { seed, makers, ..Default::default() }).map_err(Failure::usage)?;
    let (feeds, _) = wiring::feeds(sim.feeds().iter().copied(), config, catalog);
    Ok(Opened {
        source: Box::new(SimSource { sim, windows }),
        feeds,
        derived: false,
        origin: format!("seed {seed}, makers {makers}"),
        name: "sim",
        warnings: Vec::new(),
        adapted: None,
    })
}

/// Opens recordings.
pub(crate) fn open_replay(config: &Config, catalog: &Catalog, files: &[PathBuf]) -> Result<Opened, Failure> {
    let replay = pm_data::recording::Replay::open(files).map_err(|e| match e {
        pm_data::recording::RecordingError::Io { .. } => Failure::Source(anyhow::Error::new(e)),
        other => Failure::Corrupt(anyhow::Error::new(other)),
    })?;
    let derived = replay.feeds().iter().any(|f| f.derived);
    let (feeds, unknown) = wiring::feeds(replay.feeds().iter().map(|f| f.name.as_str()), config, catalog);
    let mut adapted = Box::new(config.clone());
    let mut warnings = replay_settings::adapt(&mut adapted, replay.feeds());
    warnings.extend(replay.tails().filter_map(|(path, tail)| match tail {
        Tail::Truncated { offset, bytes } => {
            Some(format!("{}: torn at byte {offset}; the {bytes} bytes from there on are not read", path.display()))
        }
        Tail::Open | Tail::Closed => None,
    }));
    warnings.extend(unknown.into_iter().map(|name| format!("no decoder for the feed {name:?}: its frames are left out")));
    let names: Vec<String> =
        files.iter().map(|f| f.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())).collect();
    Ok(Opened {
        source: Box::new(ReplaySource { replay }),
        feeds,
        derived,
        origin: names.join(", "),
        name: "replay",
        warnings,
        adapted: Some(adapted),
    })
}

fn plan(
    config: &Config,
    args: &PaperArgs,
    opened: &Opened,
    seed: u64,
    database: String,
) -> Result<(Plan, FeasibilityInput), Failure> {
    let bankroll = match &args.bankroll {
        Some(text) => text
            .parse::<Usd>()
            .map_err(|e| Failure::usage(format!("--bankroll {text:?}: {e}; write US dollars such as 10 or 10.00")))?,
        None => config.account.bankroll,
    };
    if !bankroll.is_positive() {
        return Err(Failure::usage("--bankroll must be above 0"));
    }
    let span = args.for_.as_deref().map(parse_span).transpose().map_err(|e| Failure::usage(format!("--for {e}")))?;
    let pace = Pace::parse(&args.speed).map_err(|e| Failure::usage(format!("--speed {e}")))?;
    let open_end = args.windows.is_none() && span.is_none() && opened.name == "sim";
    let input = announce::feasibility_input(config, bankroll);
    let plan = Plan {
        run_id: Uuid::now_v7(),
        source: opened.name,
        origin: opened.origin.clone(),
        derived: opened.derived,
        seed,
        bankroll,
        feasibility: pm_strategy::feasibility(&input),
        windows: args.windows.or(open_end.then_some(DEFAULT_WINDOWS)),
        span,
        pace,
        database,
    };
    Ok((plan, input))
}

/// Bankroll on the prediction venue and on the hedge venue.
fn split(config: &Config, bankroll: Usd) -> (Usd, Usd) {
    let hedge = bankroll.scale_by(config.account.hedge_share, Round::Down);
    (bankroll - hedge, hedge)
}

fn venues(catalog: &Catalog) -> [(VenueId, CurrencyId); 2] {
    let of = |role| {
        let venue = catalog.venue_of(role).unwrap_or_default();
        (venue, catalog.venue_info(venue).map(|v| v.currency).unwrap_or_default())
    };
    [of(VenueRole::Prediction), of(VenueRole::Hedge)]
}

fn engine_config(config: &Config, args: &PaperArgs, catalog: &Catalog, plan: &Plan) -> EngineConfig {
    let (prediction, hedge) = split(config, plan.bankroll);
    let [(p, pc), (h, hc)] = venues(catalog);
    let mut engine = config.engine.clone();
    engine.auto_reset |= args.auto_reset;
    EngineConfig {
        catalog: catalog.clone(),
        capital: vec![Capital { venue: p, currency: pc, amount: prediction }, Capital { venue: h, currency: hc, amount: hedge }],
        risk: config.risk.clone(),
        model: config.model.clone(),
        strategy: config.strategy.clone(),
        engine,
    }
}

fn paper_venues(config: &Config, catalog: &Catalog, plan: &Plan) -> Vec<Box<dyn Exchange>> {
    let (prediction, hedge) = split(config, plan.bankroll);
    let venue = |(venue, currency): (VenueId, CurrencyId), capital, settings: &PaperSettings, salt| {
        let cfg = PaperConfig { venue, currency, capital, seed: plan.seed ^ salt, settings: settings.clone() };
        Box::new(PaperVenue::new(cfg)) as Box<dyn Exchange>
    };
    let [p, h] = venues(catalog);
    vec![venue(p, prediction, &config.paper.prediction, 0x70_61_70_65), venue(h, hedge, &config.paper.hedge, 0x68_65_64_67)]
}

async fn open_store(url: &str) -> Result<Arc<SqlStore>, Failure> {
    let store = SqlStore::connect(url, true).await?;
    store.migrate().await?;
    Ok(Arc::new(store))
}

fn run_start(plan: &Plan, config: &Config) -> RunStart {
    let mut config = config.clone();
    // The password of a database is no setting that a report needs.
    config.db.url = config.db.url.map(|url| pm_monitor::redact(&url).into_owned());
    RunStart {
        run_id: plan.run_id,
        started_at: SystemClock::default().now().wall,
        mode: "paper".into(),
        source: plan.source.into(),
        origin: plan.origin.clone(),
        derived: plan.derived,
        seed: Some(plan.seed),
        bankroll_start: plan.bankroll,
        build: BUILD.into(),
        config: serde_json::to_value(config).unwrap_or_default(),
    }
}

fn create_journal(args: &PaperArgs, plan: &Plan, engine_config: &EngineConfig) -> Result<Option<JournalWriter>, Failure> {
    let Some(path) = args.journal.as_deref() else { return Ok(None) };
    let header = Header {
        version: JOURNAL_VERSION,
        build: BUILD.into(),
        source: format!("{}: {}", plan.source, plan.origin),
        seed: plan.seed,
        config: engine_config.clone(),
    };
    let taken =
        |e: &JournalFileError| matches!(e, JournalFileError::Io { source, .. } if source.kind() == ErrorKind::AlreadyExists);
    JournalWriter::create(path, &header).map(Some).map_err(|e| {
        if taken(&e) {
            return Failure::usage(format!("--journal {}: the file exists; a journal is never overwritten", path.display()));
        }
        Failure::Store(anyhow::Error::new(e).context("--journal"))
    })
}

#[allow(clippy::too_many_arguments, reason = "the parts of one run, put together once")]
fn execute(
    cli: &Cli,
    config: &Config,
    plan: &Plan,
    mut opened: Opened,
    catalog: &Catalog,
    engine_config: EngineConfig,
    journal: Option<JournalWriter>,
    runtime: &tokio::runtime::Runtime,
    store: &Arc<SqlStore>,
) -> Result<summary::Finished, Failure> {
    let info = pm_store::RunInfo { run_id: plan.run_id, source: plan.source.into(), derived: plan.derived };
    let run_store = Arc::new(store.for_run(&info, catalog.clone()));
    let state = config.state_dir()?;
    let spill = Some(state.join(format!("unwritten-{}.jsonl", plan.run_id)));
    let writer = {
        let _inside = runtime.enter();
        Writer::spawn(run_store, WriterConfig { spill, ..WriterConfig::default() }).0
    };
    let mut kill = KillFile::new(&state, plan.source, &config.account.name).of_run(&plan.run_id.to_string());
    // Held until the run ends.
    let claim = kill.claim().map_err(|e| Failure::Store(e.into()))?;
    if claim.is_none() {
        errln!(
            "note      another run writes the same kill-switch record ({}): `pmbot status` shows the one that wrote last, and `pmbot \
             kill` reaches both; --account or account.name keeps them apart",
            kill.path().display()
        );
    }
    // Replays and simulations have their own record and start clean.
    kill.write(&clean_record()).map_err(|e| Failure::Store(e.into()))?;
    let noted = Arc::new(Mutex::new(Noted::default()));
    let sink = RunSink { writer: writer.clone(), kill, noted: Arc::clone(&noted) };
    let engine = Box::new(Engine::new(engine_config).map_err(Failure::usage)?);
    let mut core = Core::new(engine, paper_venues(config, catalog, plan), Box::new(sink), journal);
    let feeds = FeedTimes::new(opened.feeds.len());
    let mut hooks = RunHooks::new(cli, config, plan, &state, writer.clone(), feeds.clone())?;
    let mut source = Watched { source: opened.source.as_mut(), times: feeds };
    let clock = SystemClock::default();
    let begun = clock.now().mono_ns;
    let mut registry = Registry::default();
    let run = driver::run(&mut core, &mut opened.feeds, &mut registry, &mut source, &mut hooks);
    hooks.finish();
    let wall = Duration::from_nanos(clock.now().mono_ns.saturating_sub(begun));
    let finished = core.finish();
    // Whatever ended the run: what it did until then is written and reported.
    let end = match (run.and(finished), hooks.stopped()) {
        (Err(e), _) => summary::End::Failed(Failure::from(e)),
        (Ok(()), true) => summary::End::Stopped,
        (Ok(()), false) => summary::End::Done,
    };
    if !cli.json && matches!(end, summary::End::Stopped) {
        errln!("stopped by the operator; writing the summary (Ctrl-C again ends at once)");
    }
    let report = summary::build(plan, &core, wall, &noted, opened.warnings, &end);
    let tripped = core.engine.risk().tripped().map(|t| format!("{}: {}", t.trigger.code(), t.text));
    drop(claim);
    let stored = runtime.block_on(summary::store(store, &writer, plan.run_id, &report, &end));
    Ok(summary::Finished { report, end, tripped, written: writer.report(), stored, errors: core.errors.clone() })
}

fn clean_record() -> pm_core::command::KillRecord {
    pm_core::command::KillRecord {
        tripped: false,
        cause: "run started".into(),
        at: SystemClock::default().now().wall,
        closed_venues: Vec::new(),
    }
}
