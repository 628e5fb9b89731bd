//! What waits: rows that must be kept in order, one market data row per market, and the rows that are being written.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use pm_core::ids::VenueId;
use pm_core::record::{MarketDataRow, Record};
use pm_core::traits::StoreError;

use super::spill;
use super::{PushOutcome, WriterConfig, WriterReport, WriterState, WriterStatus};
use crate::ids::kind_of;

/// The queue and its counts.
#[derive(Default)]
pub(super) struct Queue {
    keep: VecDeque<Record>,
    tops: BTreeMap<(VenueId, Arc<str>), MarketDataRow>,
    /// Being written, in order. They stay here until the store has confirmed them, so that an aborted writer can still account for them.
    flying: VecDeque<Arc<Vec<Record>>>,
    /// Refused and not in the spill file.
    set_aside: Vec<(Record, String)>,
    rejected: BTreeMap<&'static str, u64>,
    /// Rows that were in no store at the end.
    unwritten: BTreeMap<&'static str, u64>,
    spilled: bool,
    spill_error: Option<String>,
    written: u64,
    conflated: u64,
    dropped: u64,
    pub(super) closing: bool,
    pub(super) slow: bool,
    pub(super) down: Option<String>,
    pub(super) last_error: Option<String>,
}

impl Queue {
    /// Rows that must be kept and wait.
    pub(super) fn kept(&self) -> usize {
        self.keep.len()
    }

    /// All rows that wait.
    pub(super) fn waiting(&self) -> usize {
        self.keep.len() + self.tops.len()
    }

    pub(super) fn push(&mut self, record: Record, config: &WriterConfig) -> PushOutcome {
        if self.closing {
            return PushOutcome::Closed;
        }
        match record {
            Record::MarketData(row) => self.push_top(row, config.market_data_max),
            other => {
                self.keep.push_back(other);
                if self.keep.len() >= config.watermark { PushOutcome::Backpressure } else { PushOutcome::Queued }
            }
        }
    }

    fn push_top(&mut self, row: MarketDataRow, most: usize) -> PushOutcome {
        let key = (row.venue, Arc::clone(&row.market));
        if let Some(older) = self.tops.get_mut(&key) {
            *older = row;
            self.conflated += 1;
            return PushOutcome::Conflated;
        }
        if self.tops.len() >= most {
            self.dropped += 1;
            return PushOutcome::Dropped;
        }
        self.tops.insert(key, row);
        PushOutcome::Queued
    }

    /// Moves the next batch to the rows being written. False when nothing waits.
    pub(super) fn take_batch(&mut self, most: usize) -> bool {
        let n = self.keep.len().min(most.max(1));
        let mut batch: Vec<Record> = self.keep.drain(..n).collect();
        batch.extend(core::mem::take(&mut self.tops).into_values().map(Record::MarketData));
        if batch.is_empty() {
            return false;
        }
        self.flying.push_back(Arc::new(batch));
        true
    }

    /// The rows to write now.
    pub(super) fn flying(&self) -> Option<Arc<Vec<Record>>> {
        self.flying.front().map(Arc::clone)
    }

    /// The store has them.
    pub(super) fn landed(&mut self) {
        if let Some(batch) = self.flying.pop_front() {
            self.written += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        }
        self.down = None;
    }

    /// The store refused the rows in front: one row is set aside (true), more are halved to find the one that it is about.
    pub(super) fn refused(&mut self, error: &StoreError, spill_path: Option<&Path>) -> bool {
        self.down = None;
        let Some(batch) = self.flying.pop_front() else { return false };
        if let [record] = batch.as_slice() {
            *self.rejected.entry(kind_of(record)).or_default() += 1;
            let reason = error.to_string();
            match spill_path.map(|path| spill::append(path, &[(record, Some(reason.as_str()))])) {
                Some(Ok(())) => self.spilled = true,
                _ => self.set_aside.push((record.clone(), reason)),
            }
            return true;
        }
        let (front, back) = batch.split_at(batch.len() / 2);
        self.flying.push_front(Arc::new(back.to_vec()));
        self.flying.push_front(Arc::new(front.to_vec()));
        false
    }

    /// At the end: counts what is in no store and appends it to the spill file.
    pub(super) fn spill_rest(&mut self, path: Option<&Path>) {
        let mut rest: Vec<Record> = Vec::new();
        for batch in self.flying.drain(..) {
            rest.extend(batch.iter().cloned());
        }
        rest.extend(self.keep.drain(..));
        rest.extend(core::mem::take(&mut self.tops).into_values().map(Record::MarketData));
        for record in &rest {
            *self.unwritten.entry(kind_of(record)).or_default() += 1;
        }
        let aside = core::mem::take(&mut self.set_aside);
        let lines: Vec<(&Record, Option<&str>)> =
            aside.iter().map(|(r, why)| (r, Some(why.as_str()))).chain(rest.iter().map(|r| (r, None))).collect();
        match path {
            Some(path) if !lines.is_empty() => match spill::append(path, &lines) {
                Ok(()) => self.spilled = true,
                Err(error) => self.spill_error = Some(format!("{}: {error}", path.display())),
            },
            _ => {}
        }
    }

    pub(super) fn status(&self, watermark: usize) -> WriterStatus {
        let flying: usize = self.flying.iter().map(|b| b.len()).sum();
        let state = match &self.down {
            Some(why) => WriterState::Down(why.clone()),
            None if self.slow || self.keep.len() >= watermark => WriterState::Slow,
            None => WriterState::Ok,
        };
        WriterStatus {
            state,
            queued: u64::try_from(self.waiting() + flying).unwrap_or(u64::MAX),
            written: self.written,
            conflated: self.conflated,
            dropped: self.dropped,
            rejected: self.rejected.values().sum(),
            last_error: self.last_error.clone(),
        }
    }

    pub(super) fn report(&self, path: Option<&Path>) -> WriterReport {
        WriterReport {
            written: self.written,
            conflated: self.conflated,
            dropped: self.dropped,
            unwritten: self.unwritten.clone(),
            rejected: self.rejected.clone(),
            spilled_to: path.filter(|_| self.spilled).map(Path::to_path_buf),
            spill_error: self.spill_error.clone(),
            last_error: self.last_error.clone(),
        }
    }
}
