//! The result of an inspection, for people and tools.

use std::collections::BTreeMap;
use std::fmt;

use pm_core::time::Ts;
use serde::Serialize;

/// One feed of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FeedSummary {
    /// Name.
    pub name: String,
    /// Origin, as recorded.
    pub origin: String,
    /// Mapping statement, as recorded.
    pub mapping: String,
    /// True for records that an importer made.
    pub derived: bool,
    /// True when the origin was read at intervals.
    pub sampled: bool,
    /// True when a protocol read it.
    pub decoded: bool,
    /// Frames.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// First receive time.
    pub first: Option<Ts>,
    /// Last receive time.
    pub last: Option<Ts>,
    /// Longest time between two frames, in milliseconds.
    pub largest_gap_ms: i64,
    /// When that gap began.
    pub largest_gap_at: Option<Ts>,
    /// Frames with market data or metadata.
    pub data: u64,
    /// Acknowledgements and the like.
    pub control: u64,
    /// Message types that are not known.
    pub unknown: u64,
    /// Well-formed frames about ids that were not asked for.
    pub foreign: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
    /// The first of them: time, number of the frame in its file, reason.
    pub first_errors: Vec<String>,
    /// What the protocol counted, by its names.
    pub counters: BTreeMap<String, u64>,
    /// Places where continuity ends, by kind: recorded marks (`up`, `down`), `damage`.
    pub epochs: BTreeMap<String, u64>,
}

/// What is in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Feeds in the order of the feed table.
    pub feeds: Vec<FeedSummary>,
    /// Frames.
    pub frames: u64,
    /// Bytes of frames.
    pub bytes: u64,
    /// First receive time.
    pub first: Option<Ts>,
    /// Last receive time.
    pub last: Option<Ts>,
    /// Decode errors of all feeds.
    pub decode_errors: u64,
    /// Frames whose wall time is before that of an earlier frame of their file.
    pub backwards: u64,
    /// Events by kind.
    pub events: BTreeMap<String, u64>,
    /// Markets listed.
    pub markets: u64,
    /// Of them, with a rule that is understood.
    pub markets_understood: u64,
    /// Of the others, how many for which reason.
    pub not_understood: BTreeMap<String, u64>,
    /// Markets with a result.
    pub markets_resolved: u64,
    /// Books seen.
    pub books: u64,
    /// Updates that left best bid at or above best ask.
    pub crossed_books: u64,
    /// Skipped sequence numbers.
    pub sequence_gaps: u64,
    /// Books lost, by reason.
    pub book_losses: BTreeMap<String, u64>,
    /// Pairs of the two outcomes' views that were compared (see [`crate::derived::VIEW_PAIRS`]).
    pub view_pairs: u64,
    /// Pairs among them whose best prices disagree.
    pub view_disagreements: u64,
    /// True when any feed holds records that an importer made.
    pub derived: bool,
    /// Ends of files that are not in order, and damage passed over.
    pub remarks: Vec<String>,
    /// Damage passed over; empty for a sound recording.
    pub damage: Vec<Damage>,
}

/// Bytes of a recording that were passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// File.
    pub file: String,
    /// Where it begins.
    pub offset: u64,
    /// Bytes passed over; 0 where something is missing.
    pub bytes: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: damaged at byte {}, {} bytes passed over: {}", self.file, self.offset, self.bytes, self.what)
    }
}

fn counts(map: &BTreeMap<String, u64>) -> String {
    map.iter().filter(|(_, n)| **n > 0).map(|(k, n)| format!("{k} {n}")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} frames, {} bytes in {} feeds", self.frames, self.bytes, self.feeds.len())?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(f, "span            {first} .. {last} ({} s)", last.since(first).secs())?;
        }
        for feed in &self.feeds {
            let derived = if feed.derived { ", DERIVED records" } else { "" };
            let sampled = if feed.sampled { ", sampled" } else { "" };
            let decoded = if feed.decoded { "" } else { ", no decoder" };
            writeln!(f, "feed {}: {} frames, {} bytes{derived}{sampled}{decoded}", feed.name, feed.frames, feed.bytes)?;
            writeln!(f, "  origin        {}", feed.origin)?;
            if let (Some(first), Some(last)) = (feed.first, feed.last) {
                writeln!(f, "  span          {first} .. {last}")?;
            }
            if let Some(at) = feed.largest_gap_at {
                writeln!(f, "  largest gap   {} ms from {at}", feed.largest_gap_ms)?;
            }
            let (d, c, u, o) = (feed.data, feed.control, feed.unknown, feed.foreign);
            writeln!(f, "  frame kinds   {d} data, {c} control, {u} unknown, {o} foreign, {} errors", feed.errors)?;
            for error in &feed.first_errors {
                writeln!(f, "  decode error  {error}")?;
            }
            for (name, map) in [("counters", &feed.counters), ("connections", &feed.epochs)] {
                let text = counts(map);
                if !text.is_empty() {
                    writeln!(f, "  {name:<13} {text}")?;
                }
            }
        }
        writeln!(f, "events          {}", counts(&self.events))?;
        let (m, u, r) = (self.markets, self.markets_understood, self.markets_resolved);
        writeln!(f, "markets         {m}, {u} with a rule, {r} resolved")?;
        for (why, count) in &self.not_understood {
            writeln!(f, "  no rule       {count}: {why}")?;
        }
        writeln!(f, "books           {}, crossed {}, sequence gaps {}", self.books, self.crossed_books, self.sequence_gaps)?;
        for (why, count) in &self.book_losses {
            writeln!(f, "  lost          {count}: {why}")?;
        }
        writeln!(f, "views disagree  {} of {} pairs", self.view_disagreements, self.view_pairs)?;
        writeln!(f, "decode errors   {}", self.decode_errors)?;
        writeln!(f, "clock back      {}", self.backwards)?;
        for remark in &self.remarks {
            writeln!(f, "remark          {remark}")?;
        }
        Ok(())
    }
}
