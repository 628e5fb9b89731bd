//! The writer's loop: wait for rows, linger, write, retry.

use std::sync::Arc;
use std::time::Duration;

use pm_core::record::Record;
use pm_core::traits::{Store, StoreError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Shared;

/// Runs until the handle says finish and nothing waits. `_ended` is dropped with the task, which is how the handle sees its end.
pub(super) async fn run(store: Arc<dyn Store>, shared: Arc<Shared>, _ended: watch::Sender<()>) {
    loop {
        let (waiting, closing) = {
            let queue = shared.queue();
            (queue.waiting(), queue.closing)
        };
        if waiting == 0 {
            shared.publish();
            if closing {
                return;
            }
            shared.work.notified().await;
            continue;
        }
        if waiting < shared.config.batch_max && !closing {
            // A full batch or the end wakes it early.
            let _ = timeout(shared.config.linger, shared.work.notified()).await;
        }
        shared.queue().take_batch(shared.config.batch_max);
        shared.room.notify_all();
        write_flying(store.as_ref(), &shared).await;
    }
}

/// Writes the rows that were taken, however long it takes.
async fn write_flying(store: &dyn Store, shared: &Shared) {
    let mut pause = shared.config.backoff_min;
    loop {
        let Some(batch) = shared.queue().flying() else { return };
        let result = attempt(store, shared, &batch).await;
        let retry = settle(shared, &result);
        shared.publish();
        if retry {
            back_off(shared, pause).await;
            pause = pause.saturating_mul(2).min(shared.config.backoff_max);
        } else {
            pause = shared.config.backoff_min;
        }
    }
}

/// Books the result of an attempt; true when the same rows have to be tried again.
fn settle(shared: &Shared, result: &Result<(), StoreError>) -> bool {
    let mut queue = shared.queue();
    match result {
        Ok(()) => {
            if queue.down.is_some() {
                tracing::info!("the store takes rows again");
            }
            queue.landed();
            false
        }
        Err(error @ StoreError::Refused(_)) => {
            queue.last_error = Some(error.to_string());
            // A batch is halved until the row is found: it is said then, once.
            if queue.refused(error, shared.config.spill.as_deref()) {
                tracing::error!(%error, "the store refused a row");
            }
            false
        }
        Err(error) => {
            let text = error.to_string();
            if queue.down.as_ref() != Some(&text) {
                tracing::warn!(error = %text, queued = queue.waiting(), "the store takes no rows; trying again");
            }
            queue.last_error = Some(text.clone());
            queue.down = Some(text);
            true
        }
    }
}

/// One write, watched: slow is said while it lasts, and no answer at all is a failure.
async fn attempt(store: &dyn Store, shared: &Shared, batch: &[Record]) -> Result<(), StoreError> {
    let config = &shared.config;
    let write = store.write(batch);
    tokio::pin!(write);
    if let Ok(done) = timeout(config.slow_after, &mut write).await {
        shared.queue().slow = false;
        return done;
    }
    shared.queue().slow = true;
    shared.publish();
    let left = config.write_timeout.saturating_sub(config.slow_after);
    match timeout(left, &mut write).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", config.write_timeout.as_secs_f32()))),
    }
}

/// Waits before the next attempt. The end of the run cuts the first such pause short: one attempt at once, then the usual pace.
async fn back_off(shared: &Shared, pause: Duration) {
    let closing = shared.queue().closing;
    if closing {
        sleep(pause).await;
        return;
    }
    let finish = async {
        loop {
            shared.work.notified().await;
            if shared.queue().closing {
                return;
            }
        }
    };
    let _ = timeout(pause, finish).await;
}
