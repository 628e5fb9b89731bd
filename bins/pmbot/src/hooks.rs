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
use crate::status::{Shown, StoreWatch};
use crate::watched::FeedTimes;

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
    store: StoreWatch,
    feeds: FeedTimes,
    live: Live,
}

impl RunHooks {
    pub(crate) fn new(
        cli: &Cli,
        config: &Config,
        plan: &Plan,
        state: &Path,
        writer: WriterHandle,
        feeds: FeedTimes,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        // A terminal that is closed ends a run like Ctrl-C, unless it was started so that it outlives the terminal.
        let hangup = (!hangup_is_ignored()).then_some(signal_hook::consts::SIGHUP);
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM].into_iter().chain(hangup) {
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
            store: StoreWatch::default(),
            feeds,
            live: Live::new(cli.json),
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
        self.orders(core);
        // The engine is faster than any database: wait rather than gather without end, until there is room, a stop or a kill.
        let writer = self.writer.clone();
        wait_for_room(&writer, || {
            self.orders(core);
            self.show(core, next, progress);
            self.stopped() || !self.operators.is_empty()
        });
        self.show(core, next, progress);
        self.looked = self.clock.now().mono_ns;
    }

    /// Orders of the operator. A kill always reaches the engine, also when another trigger tripped before: it is the one that no automatic
    /// reset clears.
    fn orders(&mut self, core: &Core) {
        match self.watch.changed() {
            Ok(Some(record)) if record.tripped => {
                let reason = record.cause.strip_prefix("manual: ").unwrap_or(&record.cause);
                self.operators.push_back(Operator::Kill { reason: format!("killed by the operator: {reason}").into() });
            }
            Ok(Some(record)) if core.engine.risk().tripped().is_some() => {
                let reason = record.cause.strip_prefix("reset: ").unwrap_or(&record.cause);
                self.operators.push_back(Operator::Reset { reason: reason.into() });
            }
            Ok(_) => {}
            Err(e) => self.operators.push_back(Operator::Kill { reason: e.to_string().into() }),
        }
    }

    fn show(&mut self, core: &Core, next: Ts, progress: (u64, u64)) {
        self.store.look(&self.writer, &self.clock);
        let part = self.part(core, next, progress);
        let (windows, feeds) = (self.windows, self.feeds.fresh(next));
        let writer = &self.writer;
        self.live.show(self.clock.now().mono_ns, part, || Shown::of(core, next, windows, feeds, writer).line());
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

/// Waits until the writer has room again; false when `stop` ended the wait before. `stop` is asked every tenth of a second.
fn wait_for_room(writer: &WriterHandle, mut stop: impl FnMut() -> bool) -> bool {
    while !writer.wait_for_room(Duration::from_millis(100)) {
        if stop() {
            return false;
        }
    }
    true
}

/// True where standard practice (`nohup`) asked that hanging up does nothing.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:")).and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    // Bit 0 is signal 1, SIGHUP.
    mask.is_some_and(|m| m & 1 == 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    use pm_core::record::{BankrollRow, Record};
    use pm_core::traits::{Store, StoreError};
    use pm_core::units::{Ratio, Usd};
    use pm_store::{Writer, WriterConfig};

    /// A database that never answers.
    struct Stuck;

    #[async_trait::async_trait]
    impl Store for Stuck {
        async fn write(&self, _: &[Record]) -> Result<(), StoreError> {
            std::future::pending().await
        }
        async fn ping(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn row(second: i64) -> Record {
        Record::Bankroll(BankrollRow {
            at: Ts::from_secs(second),
            total_capital: Usd::ZERO,
            allocated: Usd::ZERO,
            available: Usd::ZERO,
            daily_pnl: Usd::ZERO,
            daily_drawdown: Ratio::ZERO,
            total_trades: 0,
            wins: 0,
            losses: 0,
        })
    }

    #[test]
    fn a_stuck_store_holds_the_run_until_somebody_stops_it() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let writer = {
            let _inside = runtime.enter();
            Writer::spawn(Arc::new(Stuck), WriterConfig { watermark: 5, batch_max: 1, ..WriterConfig::default() }).0
        };
        for second in 0..20 {
            let _ = writer.push(row(second));
        }
        let mut asked = 0;
        let room = wait_for_room(&writer, || {
            asked += 1;
            asked == 8
        });
        assert!(!room && asked == 8, "it waited for as long as nobody said stop: {asked}");
        runtime.shutdown_background();
    }
}
