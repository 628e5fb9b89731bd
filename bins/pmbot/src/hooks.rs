//! Between the frames of a run: stop, pace, orders of the operator, the status line.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pm_core::event::Operator;
use pm_core::time::{Dur, Ts};
use pm_core::traits::Clock;
use pm_execution::clock::{Pace, Pacer, SystemClock};
use pm_execution::driver::{Control, Core, Hooks};
use pm_execution::kill_file::KillFile;
use pm_store::WriterHandle;

use crate::cli::Cli;
use crate::config::Config;
use crate::display::Live;
use crate::exit::Failure;
use crate::paper::Plan;

/// Real time between two looks, ns.
const LOOK_EVERY: u64 = 100_000_000;

/// Between frames.
pub(crate) struct RunHooks {
    stop: Arc<AtomicBool>,
    windows: Option<u64>,
    span: Option<Dur>,
    begin: Option<Ts>,
    pacer: Pacer,
    paced: bool,
    clock: SystemClock,
    looked: u64,
    count: u64,
    operators: VecDeque<Operator>,
    /// The operator's record of this mode: `pmbot kill` in another terminal changes it. The record of the run itself is not watched: a
    /// second run of the same kind writes it, too.
    watch: KillFile,
    writer: WriterHandle,
    live: Live,
}

impl RunHooks {
    pub(crate) fn new(cli: &Cli, config: &Config, plan: &Plan, state: &Path, writer: WriterHandle) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // The second signal ends at once, for a person who does not want to wait for the summary.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
                .map_err(|e| Failure::usage(format!("signals cannot be caught: {e}")))?;
        }
        let mut watch = KillFile::new(state, "paper", &config.account.name);
        watch.mark_seen();
        Ok(Self {
            stop,
            windows: plan.windows,
            span: plan.span,
            begin: None,
            pacer: Pacer::new(plan.pace),
            paced: plan.pace != Pace::Max,
            clock: SystemClock::default(),
            looked: 0,
            count: 0,
            operators: VecDeque::new(),
            watch,
            writer,
            live: Live::new("paper", cli.json),
        })
    }

    /// True when a signal asked for the end.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Takes the live display away.
    pub(crate) fn finish(&self) {
        self.live.finish();
    }

    /// Every tenth of a second of real time: orders of the operator, backpressure, the status line.
    fn look(&mut self, core: &Core, next: Ts, progress: (u64, u64)) {
        self.looked = self.clock.now().mono_ns;
        match self.watch.changed() {
            Ok(Some(record)) if record.tripped && core.engine.risk().tripped().is_none() => {
                let reason = record.cause.strip_prefix("manual: ").unwrap_or(&record.cause);
                self.operators.push_back(Operator::Kill { reason: format!("killed by the operator: {reason}").into() });
            }
            Ok(Some(record)) if !record.tripped && core.engine.risk().tripped().is_some() => {
                let reason = record.cause.strip_prefix("reset: ").unwrap_or(&record.cause);
                self.operators.push_back(Operator::Reset { reason: reason.into() });
            }
            Ok(_) => {}
            Err(e) => self.operators.push_back(Operator::Kill { reason: e.to_string().into() }),
        }
        // The engine is faster than any database: wait rather than gather without end.
        let _ = self.writer.wait_for_room(Duration::from_millis(500));
        let part = self.part(core, next, progress);
        let windows = self.windows;
        self.live.show(self.looked, part, || status(core, next, windows));
    }

    /// How much of the run is done: windows, market time, or the source's own measure.
    fn part(&self, core: &Core, next: Ts, progress: (u64, u64)) -> (u64, u64) {
        let nanos = |d: Dur| u64::try_from(d.nanos() / 1_000_000).unwrap_or(0);
        match (self.windows, self.span, self.begin) {
            (Some(n), _, _) => (core.windows, n),
            (None, Some(span), Some(begin)) => (nanos(next.since(begin)), nanos(span)),
            _ => progress,
        }
    }
}

/// The status line, most important first: a narrow terminal cuts it.
fn status(core: &Core, next: Ts, windows: Option<u64>) -> String {
    let of = windows.map_or_else(String::new, |n| format!("/{n}"));
    let stats = core.engine.stats();
    let switch = core.engine.risk().tripped().map_or("ready".to_owned(), |t| format!("TRIPPED ({})", t.trigger.code()));
    let bad = if core.counts.errors > 0 { format!(", {} BAD", core.counts.errors) } else { String::new() };
    format!(
        "{} | {}{of} windows | equity {} | kill switch {switch} | {} open | {} trades | {} opportunities | {} frames{bad}",
        next.to_string().get(..19).unwrap_or_default().replace('T', " "),
        core.windows,
        core.engine.equity().to_decimal().round_dp(2),
        core.engine.open_structures(),
        stats.total.trades,
        stats.opportunities,
        core.counts.frames,
    )
}

impl Hooks for RunHooks {
    fn between(&mut self, core: &Core, next: Ts, progress: (u64, u64)) -> Control {
        if let Some(order) = self.operators.pop_front() {
            return Control::Operator(order);
        }
        let begin = *self.begin.get_or_insert(next);
        if self.stopped() || self.windows.is_some_and(|n| core.windows >= n) || self.span.is_some_and(|s| next.since(begin) >= s)
        {
            return Control::Stop;
        }
        self.count += 1;
        if self.paced || self.count.is_multiple_of(512) {
            if self.clock.now().mono_ns.saturating_sub(self.looked) > LOOK_EVERY {
                self.look(core, next, progress);
            }
            // An order of the operator does not wait for the next frame, which may be hours away.
            while self.operators.is_empty() && !self.stopped() && !self.pacer.pause(next) {
                self.look(core, next, progress);
            }
        }
        match self.operators.pop_front() {
            Some(order) => Control::Operator(order),
            None if self.stopped() => Control::Stop,
            None => Control::Continue,
        }
    }
}
