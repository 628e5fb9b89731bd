//! `pmbot markets`: each market with its rule as parsed, fair band, book, and whether it may be traded.

use pm_core::market::{Method, Outcome, Payoff, Rule, RuleOrigin, SettlementRule, Tie};
use pm_core::order::Side;
use pm_core::refusal::Refusal;
use pm_core::registry::{Catalog, Registry};
use pm_core::time::{Dur, Ts};
use pm_engine::{Engine, EngineConfig, MarketState};
use pm_execution::clock::parse_span;
use pm_execution::driver::{self, CommandSink, Control, Core, Hooks};
use serde_json::{Value, json};

use crate::catalog;
use crate::cli::{Cli, MarketsArgs, Source};
use crate::config::Config;
use crate::display::{self, outln};
use crate::exit::Failure;
use crate::paper;

/// Market time that is read from the simulated market before the list is made.
const DEFAULT_SPAN: Dur = Dur::from_secs(900);

/// Nothing is written for a list.
struct Nothing;

impl CommandSink for Nothing {
    fn persist(&mut self, _: pm_core::record::Record) {}
    fn alert(&mut self, _: Ts, _: &pm_core::command::Alert) {}
    fn kill_switch(&mut self, _: &pm_core::command::KillRecord) {}
}

/// Stops after a span, and keeps every market that was listed, because resolved ones leave the engine.
struct Until {
    span: Option<Dur>,
    begin: Option<Ts>,
    seen: std::collections::BTreeMap<u32, Value>,
    count: u64,
    sources: Vec<String>,
    derived: bool,
    bar: indicatif::ProgressBar,
}

impl Hooks for Until {
    fn between(&mut self, core: &Core, next: Ts, progress: (u64, u64)) -> Control {
        let begin = *self.begin.get_or_insert(next);
        self.count += 1;
        // Resolved markets leave the engine after a minute of market time: look often enough to have seen each.
        let often = if core.engine.live_markets() <= 64 { 8 } else { 256 };
        if self.count.is_multiple_of(often) {
            self.bar.set_length(progress.1);
            self.bar.set_position(progress.0);
            self.look(core);
        }
        if self.span.is_some_and(|s| next.since(begin) >= s) { Control::Stop } else { Control::Continue }
    }
}

impl Until {
    fn look(&mut self, core: &Core) {
        for state in core.engine.markets() {
            self.seen.insert(state.market.idx.0, row(&state, core.now(), &self.sources, self.derived));
        }
    }

    /// The rows at the end of the data: what has closed since it was last looked at is not tradable any more.
    fn rows(self, end: Ts) -> Vec<Value> {
        let close = |mut row: Value| {
            let closed = row.get("closes_at_ns").and_then(Value::as_i64).is_some_and(|at| Ts::from_nanos(at) <= end);
            if let Some(map) = row.as_object_mut() {
                map.remove("closes_at_ns");
                if closed && map.get("tradable") == Some(&Value::Bool(true)) {
                    map.insert("tradable".into(), false.into());
                    map.insert("why_not".into(), "it closed before the end of the data".into());
                }
            }
            row
        };
        self.seen.into_values().map(close).collect()
    }
}

pub(crate) fn run(cli: &Cli, config: &Config, args: &MarketsArgs) -> Result<(), Failure> {
    let catalog = catalog::standard();
    let mut opened = match (&args.recording, args.source) {
        (Some(_), Some(Source::Sim)) => return Err(Failure::usage("--recording goes with --source replay")),
        (Some(file), _) => paper::open_replay(config, &catalog, std::slice::from_ref(file))?,
        (None, Some(Source::Replay)) => return Err(Failure::usage("--source replay needs --recording FILE")),
        (None, _) => {
            let makers = config.paper.makers.as_deref().unwrap_or("typical");
            paper::open_sim(config, &catalog, args.seed.unwrap_or(config.paper.seed), makers, 0)?
        }
    };
    let adapted = opened.adapted.take();
    let config = adapted.as_deref().unwrap_or(config);
    let span = args.for_.as_deref().map(parse_span).transpose().map_err(|e| Failure::usage(format!("--for {e}")))?;
    let span = span.or_else(|| args.recording.is_none().then_some(DEFAULT_SPAN));
    let notes = std::mem::take(&mut opened.warnings);
    if !cli.json {
        announce(&opened, &notes);
    }
    let rows = list(config, &catalog, opened, span, cli.json)?;
    if cli.json {
        let noted = rows.into_iter().map(|mut row| {
            if let Some(map) = row.as_object_mut() {
                map.insert("notes".into(), json!(notes));
            }
            row
        });
        return display::json(&noted.collect::<Vec<_>>()).map_err(Failure::Usage);
    }
    for row in &rows {
        print(row);
    }
    outln!("{} markets", rows.len());
    Ok(())
}

/// What a reader should know before believing a row.
fn announce(opened: &paper::Opened, notes: &[String]) {
    let derived = if opened.derived { ", DERIVED data: sampled or rebuilt, not captured frames" } else { "" };
    outln!("source {} ({}){derived}", opened.name, opened.origin);
    for note in notes {
        outln!("note   {note}");
    }
}

fn list(
    config: &Config,
    catalog: &Catalog,
    mut opened: paper::Opened,
    span: Option<Dur>,
    quiet: bool,
) -> Result<Vec<Value>, Failure> {
    let engine_config = EngineConfig {
        catalog: catalog.clone(),
        capital: Vec::new(),
        risk: config.risk.clone(),
        model: config.model.clone(),
        strategy: config.strategy.clone(),
        engine: config.engine.clone(),
    };
    let engine = Box::new(Engine::new(engine_config).map_err(Failure::usage)?);
    let mut core = Core::new(engine, Vec::new(), Box::new(Nothing), None);
    let sources = catalog.sources.iter().map(|s| s.name.to_string()).collect();
    let mut hooks = Until {
        span,
        begin: None,
        seen: std::collections::BTreeMap::new(),
        count: 0,
        sources,
        derived: opened.derived,
        bar: display::bar("markets", quiet),
    };
    let run = driver::run(&mut core, &mut opened.feeds, &mut Registry::default(), opened.source.as_mut(), &mut hooks);
    hooks.bar.finish_and_clear();
    run?;
    hooks.look(&core);
    Ok(hooks.rows(core.now()))
}

fn row(state: &MarketState<'_>, now: Ts, sources: &[String], derived: bool) -> Value {
    let m = state.market;
    let touch = |side| state.book.touch(Outcome::First, side).map(|l| json!({ "px": l.px, "qty": l.qty }));
    let (rule, why) = match &m.rule {
        Rule::Understood(rule) => (Some(describe(rule, sources)), None),
        Rule::NotUnderstood(why) => (None, Some(why.to_string())),
    };
    let refusal = not_tradable(state, now);
    json!({
        "slug": &*m.slug, "question": &*m.question, "family": &*m.family, "market": &*m.native, "labels": [&*m.labels[0], &*m.labels[1]],
        "rule": rule, "not_understood": why, "closes_at": m.closes_at.to_string(), "closes_at_ns": m.closes_at.nanos(), "as_of": now.to_string(), "derived": derived, "start_value": state.start,
        "fair": state.fair.ok().map(|f| json!({ "lo": f.band.lo, "mid": f.band.mid, "hi": f.band.hi })),
        "bid": touch(Side::Sell), "ask": touch(Side::Buy), "tick": m.tick,
        "first_paid": state.resolved, "tradable": refusal.is_none(), "why_not": refusal,
    })
}

/// Why a market may not be traded now; `None` when it may.
fn not_tradable(state: &MarketState<'_>, now: Ts) -> Option<String> {
    if state.resolved.is_some() {
        return Some("resolved".into());
    }
    if let Rule::NotUnderstood(why) = &state.market.rule {
        return Some(format!("{}: {why}", Refusal::RuleNotUnderstood));
    }
    if !state.market.accepting || now >= state.market.closes_at {
        return Some(Refusal::NotAccepting.to_string());
    }
    if let Err(refusal) = state.fair {
        return Some(refusal.to_string());
    }
    (state.book.state != pm_core::book::BookState::Synced).then(|| Refusal::BookNotSynced.to_string())
}

/// A rule in words.
fn describe(rule: &SettlementRule, sources: &[String]) -> String {
    let source = sources.get(usize::from(rule.source.0)).map_or("?", String::as_str);
    let value = match rule.method {
        Method::Instant => "value".to_owned(),
        Method::Twap { window } => format!("{} s mean", window.secs()),
        Method::CandleClose { interval } => format!("close of the {} s candle", interval.secs()),
    };
    let payoff = match rule.payoff {
        Payoff::UpDown { start_at, .. } => format!("against the start at {start_at}"),
        Payoff::Above { strike } => format!("above {strike}"),
        Payoff::Between { lo, hi } => format!("between {lo:?} and {hi:?}"),
        Payoff::Touch { barrier, up, .. } => format!("touches {barrier} from {}", if up { "below" } else { "above" }),
    };
    let tie = match rule.tie {
        Tie::First => "tie pays the first outcome",
        Tie::Second => "strict: a tie pays the second outcome",
        Tie::Half => "a tie pays half",
    };
    let origin = match rule.origin {
        RuleOrigin::Metadata => "",
        RuleOrigin::AssumedByDate => " [averaging ASSUMED by date]",
        RuleOrigin::Declared => " [DECLARED by the importer]",
    };
    format!("{source} {value} at {} {payoff}; {tie}{origin}", rule.final_at)
}

fn print(row: &Value) {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    let px = |key: &str| row.get(key).and_then(|v| v.get("px")).and_then(Value::as_str).unwrap_or("-").to_owned();
    outln!("{}  [{}]", text("slug"), text("family"));
    outln!(
        "    rule   {}",
        row.get("rule")
            .and_then(Value::as_str)
            .map_or_else(|| format!("NOT UNDERSTOOD: {}", text("not_understood")), str::to_owned)
    );
    let fair = row.get("fair").filter(|f| !f.is_null());
    // Four places are what a tick and a band can carry.
    let band = |key: &str| fair.and_then(|f| f.get(key)).and_then(Value::as_str).and_then(|v| v.parse::<f64>().ok());
    let band = match (band("mid"), band("lo"), band("hi")) {
        (Some(mid), Some(lo), Some(hi)) => format!("{mid:.4} ({lo:.4} to {hi:.4})"),
        _ => format!("{:<25}", "-"),
    };
    outln!("    fair   {band}   book {} / {}   as of {}", px("bid"), px("ask"), text("as_of"));
    match row.get("why_not").and_then(Value::as_str) {
        None => outln!("    TRADABLE"),
        Some(why) => outln!("    not tradable: {why}"),
    }
}
