//! Where a run's commands go: rows to the store's writer, alerts to the log and the person, trips to the local record first.

use std::sync::{Arc, Mutex};

use pm_core::command::{Alert, KillRecord, Severity};
use pm_core::record::Record;
use pm_core::time::Ts;
use pm_execution::driver::CommandSink;
use pm_execution::kill_file::KillFile;
use pm_store::{PushOutcome, WriterHandle};

/// What the run's owner reads back.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Alerts, for the end of the run.
    pub(crate) alerts: Vec<(Ts, Severity, Arc<str>)>,
    /// The writer's queue is over its watermark.
    pub(crate) backpressure: bool,
    /// The kill switch's record could not be written.
    pub(crate) kill_record_failed: bool,
}

/// Alerts kept for the summary.
const KEPT: usize = 100;

/// The sink of a run.
pub(crate) struct RunSink {
    pub(crate) writer: WriterHandle,
    pub(crate) kill: KillFile,
    pub(crate) noted: Arc<Mutex<Noted>>,
}

impl RunSink {
    fn note(&self, f: impl FnOnce(&mut Noted)) {
        // A poisoned lock means that a display thread died; the note still matters.
        let mut noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut noted);
    }
}

impl CommandSink for RunSink {
    fn persist(&mut self, record: Record) {
        if self.writer.push(record) == PushOutcome::Backpressure {
            self.note(|n| n.backpressure = true);
        }
    }

    fn alert(&mut self, now: Ts, alert: &Alert) {
        match alert.severity {
            Severity::Critical => tracing::error!(market_time = %now, "{}", alert.text),
            Severity::High => tracing::warn!(market_time = %now, "{}", alert.text),
            _ => tracing::info!(market_time = %now, "{}", alert.text),
        }
        self.note(|n| {
            if n.alerts.len() < KEPT {
                n.alerts.push((now, alert.severity, Arc::clone(&alert.text)));
            }
        });
    }

    fn kill_switch(&mut self, record: &KillRecord) {
        if let Err(e) = self.kill.write(record) {
            tracing::error!("the kill switch's record could not be written: {e}");
            self.note(|n| n.kill_record_failed = true);
        }
    }
}
