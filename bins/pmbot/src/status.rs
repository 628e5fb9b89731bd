//! The status line of a run, most important first: a narrow terminal cuts its end.

use pm_core::time::Ts;
use pm_core::traits::Clock as _;
use pm_execution::clock::SystemClock;
use pm_execution::driver::Core;
use pm_store::{WriterHandle, WriterState};

use crate::display::errln;

/// What the line shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// Rows that wait, while the store takes none.
    pub(crate) store_down: Option<u64>,
    /// Code of the trigger, while tripped.
    pub(crate) tripped: Option<String>,
    pub(crate) open: u32,
    pub(crate) equity: String,
    /// Fresh feeds and all feeds.
    pub(crate) feeds: (usize, usize),
    pub(crate) now: Ts,
    pub(crate) windows: u64,
    pub(crate) of: Option<u64>,
    pub(crate) trades: u32,
    pub(crate) opportunities: u64,
    pub(crate) frames: u64,
    pub(crate) bad: u64,
}

impl Shown {
    pub(crate) fn of(core: &Core, now: Ts, of: Option<u64>, feeds: (usize, usize), writer: &WriterHandle) -> Self {
        let stats = core.engine.stats();
        let store = writer.status();
        Self {
            store_down: matches!(store.state, WriterState::Down(_)).then_some(store.queued),
            tripped: core.engine.risk().tripped().map(|t| t.trigger.code().to_owned()),
            open: core.engine.open_structures(),
            equity: core.engine.equity().to_decimal().round_dp(2).to_string(),
            feeds,
            now,
            windows: core.windows,
            of,
            trades: stats.total.trades,
            opportunities: stats.opportunities,
            frames: core.counts.frames,
            bad: core.counts.errors,
        }
    }

    /// The line.
    pub(crate) fn line(&self) -> String {
        let store = self.store_down.map_or_else(String::new, |n| format!("STORE DOWN, {n} waiting | "));
        let switch = self.tripped.as_ref().map_or_else(|| "ready".to_owned(), |code| format!("TRIPPED ({code})"));
        let bad = if self.bad > 0 { format!(" | {} BAD", self.bad) } else { String::new() };
        let (fresh, feeds) = self.feeds;
        let time = self.now.to_string();
        let of = self.of.map_or_else(String::new, |n| format!("/{n}"));
        format!(
            "{store}{switch}, {} open | equity {} | feeds {fresh}/{feeds} fresh{bad} | {} | {}{of} windows | {} trades | {} opportunities | {} frames",
            self.open,
            self.equity,
            time.get(11..19).unwrap_or_default(),
            self.windows,
            self.trades,
            self.opportunities,
            self.frames,
        )
    }
}

/// Says on standard error, also where there is no status line, that the store takes no rows, and that it takes them again.
#[derive(Debug, Default)]
pub(crate) struct StoreWatch {
    said: Option<u64>,
}

/// Time between two such lines, ns.
const AGAIN: u64 = 10_000_000_000;

impl StoreWatch {
    pub(crate) fn look(&mut self, writer: &WriterHandle, clock: &SystemClock) {
        let status = writer.status();
        let now = clock.now().mono_ns;
        match status.state {
            WriterState::Down(why) if self.said.is_none_or(|at| now.saturating_sub(at) > AGAIN) => {
                errln!("STORE DOWN, {} waiting: {}", status.queued, pm_monitor::redact(&why));
                self.said = Some(now);
            }
            WriterState::Down(_) => {}
            _ if self.said.take().is_some() => errln!("the store takes rows again"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bar leaves of a line of 80 columns.
    const LEFT: usize = 80 - "[========] 100% ".len();

    fn shown() -> Shown {
        Shown {
            open: 24,
            equity: "100000.00".into(),
            feeds: (6, 6),
            now: Ts::from_secs(1_780_000_000),
            windows: 5,
            of: Some(24),
            frames: 1_234_567,
            ..Shown::default()
        }
    }

    #[test]
    fn eighty_columns_show_everything_that_matters() {
        let line = shown().line();
        let cut: String = line.chars().take(LEFT).collect();
        for text in ["ready, 24 open | ", "equity 100000.00 | ", "feeds 6/6 fresh | ", " | 20:26:40"] {
            assert!(cut.contains(text), "{cut}");
        }
    }

    #[test]
    fn a_trip_and_a_dead_store_come_first() {
        let line = Shown { tripped: Some("daily_loss".into()), store_down: Some(1_204), ..shown() }.line();
        assert!(line.starts_with("STORE DOWN, 1204 waiting | TRIPPED (daily_loss), 24 open | equity "), "{line}");
    }
}
