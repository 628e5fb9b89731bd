//! The batched writer: records go in from the engine's thread and reach the store in batches, in order.
//!
//! What is promised: `push` never waits for the store. Rows that must be kept (all but market data) are never dropped: the queue has no
//! upper end, only a watermark over which every push says [`PushOutcome::Backpressure`], so that a driver may slow down (paper, replay) or
//! alert (live). Market data is conflated per market while it waits: the newest wins, and what it replaced is counted. A store that is
//! slow or gone is said ([`WriterStatus`]) and tried again; a row that the store refuses is set aside with its reason, and the others go on.

mod queue;
mod spill;
mod task;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pm_core::record::Record;
use pm_core::traits::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

use queue::Queue;

/// Settings of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterConfig {
    /// Most rows that must be kept in one transaction.
    pub batch_max: usize,
    /// Waiting rows from which `push` says [`PushOutcome::Backpressure`].
    pub watermark: usize,
    /// Most markets with a waiting market data row; rows of further markets are dropped and counted.
    pub market_data_max: usize,
    /// How long to wait for more rows before a batch that is not full is written.
    pub linger: Duration,
    /// First pause after a failure; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// Longest pause between attempts.
    pub backoff_max: Duration,
    /// A write that takes longer makes the state [`WriterState::Slow`].
    pub slow_after: Duration,
    /// A write that takes longer than this is given up and tried again (rows are idempotent).
    pub write_timeout: Duration,
    /// File for rows that could not be written, as JSON lines; appended to.
    pub spill: Option<PathBuf>,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            batch_max: 512,
            watermark: 50_000,
            market_data_max: 20_000,
            linger: Duration::from_millis(20),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            slow_after: Duration::from_secs(1),
            write_timeout: Duration::from_secs(30),
            spill: None,
        }
    }
}

/// What became of a pushed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "backpressure and refusals are for the driver to act on"]
pub enum PushOutcome {
    /// Waits to be written.
    Queued,
    /// Waits in the place of an older market data row of the same market, which is gone and counted.
    Conflated,
    /// Waits to be written, and so do too many others: slow down, or alert.
    Backpressure,
    /// A market data row that was dropped and counted: too many markets wait.
    Dropped,
    /// Not taken: the writer was told to finish.
    Closed,
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterState {
    /// Keeps up.
    Ok,
    /// Writes take long, or more rows wait than the watermark.
    Slow,
    /// Does not take rows: why. Tried again.
    Down(String),
}

/// State and counts of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterStatus {
    /// How the store is.
    pub state: WriterState,
    /// Rows that wait or are being written.
    pub queued: u64,
    /// Rows written.
    pub written: u64,
    /// Market data rows replaced by newer ones before they were written.
    pub conflated: u64,
    /// Market data rows dropped because too many markets waited.
    pub dropped: u64,
    /// Rows that the store refused; set aside, and in the spill file when there is one.
    pub rejected: u64,
    /// Last error.
    pub last_error: Option<String>,
}

/// What a writer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterReport {
    /// Rows written.
    pub written: u64,
    /// Market data rows replaced by newer ones before they were written.
    pub conflated: u64,
    /// Market data rows dropped because too many markets waited.
    pub dropped: u64,
    /// Rows not written, by kind (table): the store did not take them in time. A row whose commit was not answered counts as not written.
    pub unwritten: BTreeMap<&'static str, u64>,
    /// Rows that the store refused, by kind (table).
    pub rejected: BTreeMap<&'static str, u64>,
    /// File that now holds the unwritten and refused rows.
    pub spilled_to: Option<PathBuf>,
    /// Why the spill file could not be written: the rows are lost.
    pub spill_error: Option<String>,
    /// Last error.
    pub last_error: Option<String>,
}

impl WriterReport {
    /// True when every row that was taken is in the store.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.unwritten.is_empty() && self.rejected.is_empty()
    }
}

/// Starts writers.
#[derive(Debug, Clone, Copy)]
pub struct Writer;

impl Writer {
    /// Starts a writer on the current tokio runtime. Push through the handle, end with [`WriterHandle::finish`]; the join handle is for
    /// owners that want to see a panic.
    #[must_use]
    pub fn spawn(store: Arc<dyn Store>, config: WriterConfig) -> (WriterHandle, JoinHandle<()>) {
        let (ended, end) = watch::channel(());
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::default()),
            work: Notify::new(),
            room: Condvar::new(),
            status: watch::Sender::new(Queue::default().status(config.watermark)),
            config,
        });
        let join = tokio::spawn(task::run(store, Arc::clone(&shared), ended));
        (WriterHandle { shared, end, abort: join.abort_handle() }, join)
    }
}

/// What handle and task share.
struct Shared {
    queue: Mutex<Queue>,
    work: Notify,
    room: Condvar,
    status: watch::Sender<WriterStatus>,
    config: WriterConfig,
}

impl Shared {
    /// The queue. A panic while it was held cannot leave it half-changed in a way that matters more than losing it would.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the watchers.
    fn publish(&self) {
        let status = self.queue().status(self.config.watermark);
        self.status.send_if_modified(|old| {
            let changed = *old != status;
            *old = status;
            changed
        });
    }
}

/// The engine's end of a writer. Cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    shared: Arc<Shared>,
    end: watch::Receiver<()>,
    abort: AbortHandle,
}

impl core::fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WriterHandle").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl WriterHandle {
    /// Takes a record. Never waits for the store.
    pub fn push(&self, record: Record) -> PushOutcome {
        let (outcome, wake) = {
            let mut queue = self.shared.queue();
            let idle = queue.waiting() == 0;
            let outcome = queue.push(record, &self.shared.config);
            // Wake the task for the first row and for a full batch; between the two it lingers anyway.
            (outcome, idle || queue.waiting() >= self.shared.config.batch_max)
        };
        if wake {
            self.shared.work.notify_one();
        }
        outcome
    }

    /// State and counts now.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        self.shared.queue().status(self.shared.config.watermark)
    }

    /// State and counts as they change (with every batch and every change of state).
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<WriterStatus> {
        self.shared.status.subscribe()
    }

    /// Blocks until fewer rows wait than the watermark, at most `max`; true when there is room. For a driver's own thread after
    /// [`PushOutcome::Backpressure`], never for an async task.
    #[must_use]
    pub fn wait_for_room(&self, max: Duration) -> bool {
        let watermark = self.shared.config.watermark;
        let full = |q: &mut Queue| q.kept() >= watermark;
        let waited = self.shared.room.wait_timeout_while(self.shared.queue(), max, full);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !full(&mut queue)
    }

    /// Takes no more records and writes what waits, for at most `timeout`. `Ok` means that every row is in the store. A second call gives
    /// the same answer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Refused`] with the number of rows of each kind that are not in the store, and the file
    /// that has them when [`WriterConfig::spill`] is set; [`Self::report`] has the same as data.
    pub async fn finish(&self, timeout: Duration) -> Result<WriterReport, StoreError> {
        self.shared.queue().closing = true;
        self.shared.work.notify_one();
        let mut end = self.end.clone();
        // The task owns the sender: an error of `changed` means that the task has ended, also by a panic.
        if tokio::time::timeout(timeout, end.changed()).await.is_err() {
            self.abort.abort();
            let _ = tokio::time::timeout(Duration::from_secs(1), end.changed()).await;
        }
        self.shared.queue().spill_rest(self.shared.config.spill.as_deref());
        self.shared.publish();
        let report = self.report();
        if report.complete() { Ok(report) } else { Err(incomplete(&report)) }
    }

    /// What was done so far; after [`Self::finish`], what was done at all.
    #[must_use]
    pub fn report(&self) -> WriterReport {
        self.shared.queue().report(self.shared.config.spill.as_deref())
    }
}

/// The error of a writer that could not write everything.
fn incomplete(report: &WriterReport) -> StoreError {
    let list = |rows: &BTreeMap<&'static str, u64>| {
        let parts: Vec<String> = rows.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        parts.join(", ")
    };
    let mut text = String::new();
    if !report.unwritten.is_empty() {
        text.push_str(&format!("not written: {}; ", list(&report.unwritten)));
    }
    if !report.rejected.is_empty() {
        text.push_str(&format!("refused by the store: {}; ", list(&report.rejected)));
    }
    match (&report.spilled_to, &report.spill_error) {
        (_, Some(error)) => text.push_str(&format!("THE ROWS ARE LOST: the spill file could not be written: {error}")),
        (Some(path), None) => text.push_str(&format!("the rows are in {}", path.display())),
        (None, None) => text.push_str("THE ROWS ARE LOST: no spill file is configured"),
    }
    if let Some(error) = &report.last_error {
        text.push_str(&format!("; last error: {error}"));
    }
    if report.unwritten.is_empty() { StoreError::Refused(text) } else { StoreError::Unavailable(text) }
}
