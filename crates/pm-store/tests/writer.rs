//! The writer against stores that are slow, gone, full or picky. Time is tokio's paused time, so nothing here waits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::rows::{ledger, one_of_each, opportunity, px, top};
use pm_core::record::Record;
use pm_core::traits::{Store, StoreError};
use pm_store::{PushOutcome, RunSelector, Writer, WriterConfig, WriterHandle, WriterState, label_of};

/// What the fake does with the next write.
#[derive(Clone)]
enum Act {
    Fail(StoreError),
    Slow(Duration),
    Hang,
    Panic,
}

/// Keeps what it is given; a script says which writes go wrong, and one label is always refused.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<Act>>,
    always: Mutex<Option<Act>>,
    poison: Mutex<Vec<String>>,
    rows: Mutex<Vec<Record>>,
    batches: Mutex<Vec<usize>>,
    attempts: Mutex<u32>,
}

impl Fake {
    fn script(acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        let fake = Self::default();
        fake.script.lock().unwrap().extend(acts);
        Arc::new(fake)
    }
    fn always(act: Act) -> Arc<Self> {
        let fake = Self::default();
        *fake.always.lock().unwrap() = Some(act);
        Arc::new(fake)
    }
    fn labels(&self) -> Vec<String> {
        self.rows.lock().unwrap().iter().map(label_of).collect()
    }
}

#[async_trait]
impl Store for Fake {
    async fn write(&self, batch: &[Record]) -> Result<(), StoreError> {
        *self.attempts.lock().unwrap() += 1;
        let act = self.script.lock().unwrap().pop_front().or_else(|| self.always.lock().unwrap().clone());
        match act {
            Some(Act::Fail(error)) => return Err(error),
            Some(Act::Slow(time)) => tokio::time::sleep(time).await,
            Some(Act::Hang) => std::future::pending().await,
            Some(Act::Panic) => panic!("the store broke"),
            None => {}
        }
        for record in batch {
            let label = label_of(record);
            if self.poison.lock().unwrap().contains(&label) {
                return Err(StoreError::Refused(format!("{label}: CHECK failed")));
            }
        }
        self.batches.lock().unwrap().push(batch.len());
        self.rows.lock().unwrap().extend_from_slice(batch);
        Ok(())
    }
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn gone() -> Act {
    Act::Fail(StoreError::Unavailable("connection refused".into()))
}
fn config() -> WriterConfig {
    WriterConfig { batch_max: 10, watermark: 20, ..WriterConfig::default() }
}
fn spawn(store: &Arc<Fake>, config: WriterConfig) -> WriterHandle {
    let store: Arc<dyn Store> = store.clone();
    Writer::spawn(store, config).0
}
fn push_all(handle: &WriterHandle, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        assert_ne!(handle.push(ledger(n)), PushOutcome::Closed);
    }
}
fn ledger_labels(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|n| format!("ledger {n}")).collect()
}
const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn rows_arrive_in_order_in_batches() {
    let store = Fake::script([]);
    let handle = spawn(&store, config());
    push_all(&handle, 1..=25);
    let report = handle.finish(LONG).await.unwrap();
    assert_eq!(store.labels(), ledger_labels(1..=25));
    assert_eq!(*store.batches.lock().unwrap(), [10, 10, 5]);
    assert_eq!(report.written, 25);
    assert_eq!(handle.push(ledger(26)), PushOutcome::Closed);
    assert_eq!(handle.finish(LONG).await.unwrap(), report, "a second call gives the same answer");
}

#[tokio::test(start_paused = true)]
async fn waiting_market_data_is_conflated_per_market_and_counted() {
    let store = Fake::script([]);
    let handle = spawn(&store, config());
    assert_eq!(handle.push(Record::MarketData(top("a", 1))), PushOutcome::Queued);
    assert_eq!(handle.push(Record::MarketData(top("b", 1))), PushOutcome::Queued);
    for at in 2..=9 {
        let mut row = top("a", at);
        row.best_bid = Some(px("0.5"));
        assert_eq!(handle.push(Record::MarketData(row)), PushOutcome::Conflated);
    }
    let report = handle.finish(LONG).await.unwrap();
    assert_eq!((report.written, report.conflated, report.dropped), (2, 8, 0));
    let rows = store.rows.lock().unwrap();
    assert!(matches!(&rows[0], Record::MarketData(r) if &*r.market == "a" && r.at == common::rows::ts(9)), "the newest wins");
}

#[tokio::test(start_paused = true)]
async fn too_many_markets_are_dropped_and_counted_but_never_rows_that_must_be_kept() {
    let store = Fake::always(gone());
    let handle = spawn(&store, WriterConfig { market_data_max: 3, ..config() });
    for n in 0..5 {
        let outcome = handle.push(Record::MarketData(top(&format!("m{n}"), 1)));
        assert_eq!(outcome, if n < 3 { PushOutcome::Queued } else { PushOutcome::Dropped });
    }
    push_all(&handle, 1..=500);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let status = handle.status();
    assert_eq!((status.dropped, status.queued, status.written), (2, 503, 0));
    *store.always.lock().unwrap() = None;
    handle.finish(LONG).await.unwrap();
    let kept: Vec<String> = store.labels().into_iter().filter(|l| l.starts_with("ledger")).collect();
    assert_eq!(kept, ledger_labels(1..=500));
}

#[tokio::test(start_paused = true)]
async fn over_the_watermark_a_push_says_backpressure_and_keeps_the_row() {
    let store = Fake::script([Act::Slow(Duration::from_millis(500))]);
    let handle = spawn(&store, config());
    for n in 1..=19 {
        assert_eq!(handle.push(ledger(n)), PushOutcome::Queued);
    }
    assert_eq!(handle.push(ledger(20)), PushOutcome::Backpressure);
    assert_eq!(handle.status().state, WriterState::Slow);
    assert!(!handle.wait_for_room(Duration::ZERO));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(handle.status().state, WriterState::Ok);
    assert!(handle.wait_for_room(Duration::ZERO));
    handle.finish(LONG).await.unwrap();
    assert_eq!(store.labels(), ledger_labels(1..=20));
}

#[tokio::test]
async fn a_driver_thread_waits_for_room() {
    let store = Fake::script([]);
    let handle = spawn(&store, config());
    let driver = std::thread::spawn({
        let handle = handle.clone();
        move || {
            let mut waited = 0;
            for n in 1..=2_000 {
                if handle.push(ledger(n)) == PushOutcome::Backpressure {
                    waited += 1;
                    assert!(handle.wait_for_room(Duration::from_secs(60)));
                }
            }
            waited
        }
    });
    while !driver.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(driver.join().unwrap() > 0);
    handle.finish(LONG).await.unwrap();
    assert_eq!(store.labels(), ledger_labels(1..=2_000));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_down_and_comes_back_loses_nothing() {
    let store = Fake::script([gone(), gone(), gone(), Act::Fail(StoreError::Schema("no such table: ledger".into()))]);
    let handle = spawn(&store, config());
    let mut watch = handle.watch();
    push_all(&handle, 1..=15);
    watch.wait_for(|s| matches!(s.state, WriterState::Down(_))).await.unwrap();
    assert_eq!(handle.status().queued, 15);
    let status = watch.wait_for(|s| s.written == 15).await.unwrap().clone();
    assert_eq!(status.state, WriterState::Ok);
    assert_eq!(status.last_error.as_deref(), Some("the store's schema does not fit: no such table: ledger"));
    handle.finish(LONG).await.unwrap();
    assert_eq!(store.labels(), ledger_labels(1..=15), "in order, once each");
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_is_said_while_it_is_slow() {
    let store = Fake::script([Act::Slow(Duration::from_secs(9))]);
    let handle = spawn(&store, config());
    push_all(&handle, 1..=3);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(handle.status().state, WriterState::Slow);
    push_all(&handle, 4..=4);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let status = handle.status();
    assert_eq!((status.state, status.written), (WriterState::Ok, 4));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_down_and_tried_again() {
    let store = Fake::script([Act::Hang]);
    let handle = spawn(&store, config());
    push_all(&handle, 1..=3);
    tokio::time::sleep(Duration::from_millis(30_050)).await;
    assert!(matches!(&handle.status().state, WriterState::Down(why) if why.contains("no answer within 30 s")));
    handle.finish(LONG).await.unwrap();
    assert_eq!(store.labels(), ledger_labels(1..=3));
}

#[tokio::test(start_paused = true)]
async fn a_refused_row_is_set_aside_with_its_reason_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let spill = dir.path().join("deep/spill.jsonl");
    let store = Fake::script([]);
    store.poison.lock().unwrap().extend(["ledger 4".to_owned(), "ledger 23".to_owned()]);
    let handle = spawn(&store, WriterConfig { spill: Some(spill.clone()), ..config() });
    push_all(&handle, 1..=25);
    let error = handle.finish(LONG).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StoreError::Refused(_)) && text.contains("refused by the store: 2 ledger"), "{text}");
    assert!(text.contains("spill.jsonl"), "{text}");
    let mut expected = ledger_labels(1..=25);
    expected.retain(|l| l != "ledger 4" && l != "ledger 23");
    assert_eq!(store.labels(), expected);
    let lines = std::fs::read_to_string(spill).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["kind"], "ledger");
    assert_eq!(lines[0]["row"], "ledger 4");
    assert_eq!(lines[0]["refused"], "the store refused: ledger 4: CHECK failed");
    assert_eq!(lines[1]["record"]["Ledger"]["seq"], 23);
    assert_eq!(handle.report().rejected["ledger"], 2);
    assert_eq!(handle.report().written, 23);
}

/// Counts lines of a level; everything here runs on one thread.
struct Lines(Arc<Mutex<u32>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        *self.0.lock().unwrap() += 1;
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_refused_row_is_logged_once_and_not_for_every_halving() {
    let lines = Arc::new(Mutex::new(0));
    let _guard = tracing::subscriber::set_default(Lines(Arc::clone(&lines)));
    let store = Fake::script([]);
    store.poison.lock().unwrap().push("ledger 4".to_owned());
    let handle = spawn(&store, WriterConfig { batch_max: 100, ..config() });
    push_all(&handle, 1..=64);
    handle.finish(LONG).await.unwrap_err();
    assert!(*store.attempts.lock().unwrap() > 6, "it was halved");
    assert_eq!(*lines.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_a_full_disk_leaves_every_row_in_the_spill_file_and_exact_counts() {
    let dir = tempfile::tempdir().unwrap();
    let spill = dir.path().join("spill.jsonl");
    let full = StoreError::Unavailable("database or disk is full".into());
    let store = Fake::always(Act::Fail(full));
    let handle = spawn(&store, WriterConfig { spill: Some(spill.clone()), ..config() });
    let all = one_of_each();
    for record in all.clone() {
        assert_ne!(handle.push(record), PushOutcome::Closed);
    }
    push_all(&handle, 2..=40);
    let error = handle.finish(Duration::from_secs(10)).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StoreError::Unavailable(_)), "{text}");
    for part in ["40 ledger", "1 trades", "1 fill_events", "1 market_data", "spill.jsonl", "disk is full"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let report = handle.report();
    assert_eq!(report.unwritten.values().sum::<u64>(), u64::try_from(all.len()).unwrap() + 39);
    let lines = std::fs::read_to_string(spill).unwrap();
    assert_eq!(lines.lines().count(), all.len() + 39, "each row once, those in flight too");
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value["record"].is_object() && value.get("refused").is_none());
    }
    assert_eq!(handle.finish(Duration::ZERO).await.unwrap_err(), error);
}

#[tokio::test(start_paused = true)]
async fn without_a_place_to_spill_the_loss_is_said() {
    let store = Fake::always(Act::Hang);
    let handle = spawn(&store, config());
    push_all(&handle, 1..=7);
    let text = handle.finish(Duration::from_secs(2)).await.unwrap_err().to_string();
    assert!(text.contains("7 ledger") && text.contains("LOST: no spill file"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    let handle = spawn(&store, WriterConfig { spill: Some(dir.path().to_path_buf()), ..config() });
    push_all(&handle, 1..=7);
    let error = handle.finish(Duration::from_secs(2)).await.unwrap_err();
    assert!(error.to_string().contains("LOST: the spill file could not be written"), "{error}");
    assert_eq!(handle.finish(Duration::ZERO).await.unwrap_err(), error);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_dies_still_accounts_for_its_rows() {
    let store = Fake::script([Act::Panic]);
    let handle = spawn(&store, config());
    push_all(&handle, 1..=12);
    let error = handle.finish(LONG).await.unwrap_err();
    assert!(error.to_string().contains("12 ledger"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn shutdown_retries_at_once_instead_of_sleeping_out_its_pause() {
    let store = Fake::script(vec![gone(); 9]);
    let handle = spawn(&store, WriterConfig { backoff_min: LONG, backoff_max: LONG, ..config() });
    push_all(&handle, 1..=1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*store.attempts.lock().unwrap(), 1);
    store.script.lock().unwrap().clear();
    handle.finish(Duration::from_secs(5)).await.unwrap();
    assert_eq!(store.labels(), ["ledger 1"]);
}

#[tokio::test]
async fn records_reach_a_real_database() {
    let (_dir, store) = common::sqlite().await;
    let writer = common::rows::run_of(&store).await;
    let (handle, join) = Writer::spawn(Arc::new(writer), WriterConfig::default());
    for record in one_of_each() {
        assert_eq!(handle.push(record), PushOutcome::Queued);
    }
    for n in 2..=300 {
        assert_eq!(handle.push(Record::Opportunity(Box::new(opportunity(n)))), PushOutcome::Queued);
        assert_ne!(handle.push(Record::MarketData(top("busy", n.cast_signed()))), PushOutcome::Dropped);
    }
    let report = handle.finish(Duration::from_secs(60)).await.unwrap();
    join.await.unwrap();
    assert_eq!(store.opportunities(RunSelector::Latest, 1_000).await.unwrap().len(), 300);
    let tops = store.market_data_counts(RunSelector::Latest).await.unwrap();
    let rows: u64 = tops.iter().map(|c| c.rows).sum();
    assert_eq!(rows + report.conflated, 300, "every market data row is written or counted");
    assert_eq!(report.written + report.conflated, 13 + 299 + 300);
    store.close().await;
}
