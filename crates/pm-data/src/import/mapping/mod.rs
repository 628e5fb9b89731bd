//! Mapping files: TOML that says how a data set becomes frames. Unknown keys are refused.

mod check;
mod file;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::template::{Tables, Template};
use crate::recording::StandIn;

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// JSON lines with a receive time and a raw frame in each.
    JsonlFrames,
    /// Lines of a time and a raw frame behind a blank.
    TextFrames,
    /// A file, or each element of an array in it, is a frame.
    JsonPages,
    /// CSV rows, each of one instant: references, candles, tickers, trades, quotes.
    CsvTicks,
    /// JSON rows or lists: books, tops and prices, with the market that they are of, and its result.
    SnapshotRows,
    /// Rows of markets (CSV or JSON): listings and results.
    MarketList,
}

impl Shape {
    /// Name as in mapping files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonlFrames => "jsonl_frames",
            Self::TextFrames => "text_frames",
            Self::JsonPages => "json_pages",
            Self::CsvTicks => "csv_ticks",
            Self::SnapshotRows => "snapshot_rows",
            Self::MarketList => "market_list",
        }
    }
    pub(super) const fn is_frames(self) -> bool {
        matches!(self, Self::JsonlFrames | Self::TextFrames | Self::JsonPages)
    }

    /// Kinds of records that its rows may become.
    pub(super) const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::JsonlFrames => &["market", "instrument", "resolved"],
            Self::TextFrames | Self::JsonPages => &[],
            Self::CsvTicks => {
                &["market", "instrument", "reference", "candle", "ticker", "print", "mid", "top", "book", "book_pair"]
            }
            Self::SnapshotRows => {
                &["market", "instrument", "resolved", "reference", "ticker", "print", "mid", "top", "book", "book_pair"]
            }
            Self::MarketList => &["market", "instrument", "resolved"],
        }
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowFormat {
    Csv,
    Jsonl,
    Json,
}

/// Files that are left out on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) files: String,
    pub(super) why: String,
}

/// Rows with these values go to this feed, or are dropped for this reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    #[serde(default)]
    pub(super) when: BTreeMap<String, String>,
    pub(super) feed: Option<String>,
    pub(super) drop: Option<String>,
}

/// Rows to leave out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drop {
    pub(super) field: String,
    pub(super) is: Vec<String>,
    pub(super) reason: String,
}

/// What happens to a record that is not right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Treatment {
    /// The import ends with an error that names the place.
    #[default]
    Error,
    /// It is left out and counted.
    Drop,
    /// It is kept as it is.
    Keep,
}

/// A record that rows become.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) kind: String,
    /// Path of a list; one record for each of its items.
    pub(super) each: Option<String>,
    /// One record for each distinct value, at the earliest of its times.
    pub(super) once: Option<Template>,
    pub(super) time: Option<Template>,
    /// Only rows with one of these values.
    pub(super) when: BTreeMap<String, Vec<String>>,
    /// Only rows whose fields contain these texts (with a leading `!`: do not contain them).
    pub(super) contains: BTreeMap<String, String>,
    /// Only rows that have these fields.
    pub(super) present: Vec<String>,
    pub(super) crossed: Treatment,
    pub(super) missing: Treatment,
    pub(super) bad: Treatment,
    pub(super) fields: Template,
}

/// Markets of which only token ids are recorded: they are found by reading all frames first.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) market: String,
    pub(super) token: String,
    pub(super) record: Record,
}

/// One kind of file of a data set.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) files: String,
    pub(super) shape: Shape,
    pub(super) format: RowFormat,
    pub(super) items: Option<String>,
    pub(super) layouts: Vec<Vec<String>>,
    pub(super) time: Option<Template>,
    pub(super) frame: Option<String>,
    pub(super) feed: Option<String>,
    pub(super) route: Vec<Route>,
    pub(super) scan: Option<Scan>,
    pub(super) drop: Vec<Drop>,
    pub(super) records: Vec<Record>,
}

/// A mapping, checked.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) origin: String,
    pub(super) sampled: bool,
    /// Name and digest, as stored with each feed.
    pub(super) statement: String,
    pub(super) tables: Tables,
    pub(super) stand_ins: Vec<StandIn>,
    pub(super) ignore: Vec<Ignore>,
    /// Records that do not depend on any row.
    pub(super) always: Vec<Record>,
    pub(super) inputs: Vec<Input>,
}

impl Mapping {
    /// Reads a mapping file's text.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        file::parse(text)
    }

    pub(super) fn shapes(&self) -> Vec<Shape> {
        let mut out: Vec<Shape> = Vec::new();
        for i in &self.inputs {
            if !out.contains(&i.shape) {
                out.push(i.shape);
            }
        }
        out
    }
}
