//! Mapping files: TOML that says how a data set becomes frames. Unknown keys are refused.

use std::collections::BTreeMap;

use pm_core::units::Ratio;
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
    /// CSV rows of prices: references, tickers, candles, trades.
    CsvTicks,
    /// CSV rows of quotes: books or their tops.
    CsvQuotes,
    /// JSON rows or lists of books, tops and prices.
    SnapshotRows,
    /// Rows of markets: listings and results.
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
            Self::CsvQuotes => "csv_quotes",
            Self::SnapshotRows => "snapshot_rows",
            Self::MarketList => "market_list",
        }
    }
    pub(super) const fn is_frames(self) -> bool {
        matches!(self, Self::JsonlFrames | Self::TextFrames | Self::JsonPages)
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    origin: String,
    #[serde(default)]
    sampled: bool,
    #[serde(default)]
    tables: Tables,
    #[serde(default)]
    stand_in: Vec<StandInFile>,
    #[serde(default)]
    ignore: Vec<Ignore>,
    #[serde(default)]
    always: Vec<RecordFile>,
    input: Vec<InputFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StandInFile {
    source: String,
    instead_of: String,
    basis_sd: Ratio,
    why: String,
}

/// Files that are left out on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) files: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputFile {
    files: String,
    shape: Shape,
    format: Option<RowFormat>,
    items: Option<String>,
    #[serde(default)]
    layouts: Vec<Vec<String>>,
    time: Option<String>,
    frame: Option<String>,
    feed: Option<String>,
    #[serde(default)]
    route: Vec<Route>,
    scan: Option<ScanFile>,
    #[serde(default)]
    drop: Vec<Drop>,
    #[serde(default)]
    record: Vec<RecordFile>,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScanFile {
    market: String,
    token: String,
    record: RecordFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    kind: String,
    each: Option<String>,
    once: Option<String>,
    time: Option<String>,
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    contains: BTreeMap<String, String>,
    #[serde(default)]
    present: Vec<String>,
    #[serde(default)]
    crossed: Treatment,
    #[serde(default)]
    missing: Treatment,
    #[serde(default)]
    bad: Treatment,
    fields: toml::Table,
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

fn template(text: Option<&String>) -> Result<Option<Template>, String> {
    text.map(|t| Template::text(t)).transpose()
}

fn record(r: RecordFile) -> Result<Record, String> {
    Ok(Record {
        once: template(r.once.as_ref())?,
        time: template(r.time.as_ref())?,
        fields: Template::parse(&toml::Value::Table(r.fields)).map_err(|e| format!("record {}: {e}", r.kind))?,
        kind: r.kind,
        each: r.each,
        when: r.when,
        contains: r.contains,
        present: r.present,
        crossed: r.crossed,
        missing: r.missing,
        bad: r.bad,
    })
}

fn input(i: InputFile) -> Result<Input, String> {
    let csv = matches!(i.shape, Shape::CsvTicks | Shape::CsvQuotes);
    let format = i.format.unwrap_or(if csv { RowFormat::Csv } else { RowFormat::Jsonl });
    let needs = |there: bool, what: &str| if there { Ok(()) } else { Err(format!("input {:?} needs {what}", i.files)) };
    needs(!i.shape.is_frames() || i.feed.is_some() || !i.route.is_empty(), "feed or route")?;
    needs(i.shape.is_frames() || !i.record.is_empty(), "at least one record")?;
    needs(i.shape != Shape::JsonlFrames || i.frame.is_some(), "frame")?;
    needs(i.shape == Shape::TextFrames || i.time.is_some() || i.record.iter().all(|r| r.time.is_some()), "time")?;
    Ok(Input {
        time: template(i.time.as_ref())?,
        scan: i
            .scan
            .map(|s| Ok::<_, String>(Scan { market: s.market, token: s.token, record: record(s.record)? }))
            .transpose()?,
        records: i.record.into_iter().map(record).collect::<Result<_, _>>()?,
        files: i.files,
        shape: i.shape,
        format,
        items: i.items,
        layouts: i.layouts,
        frame: i.frame,
        feed: i.feed,
        route: i.route,
        drop: i.drop,
    })
}

impl Mapping {
    /// Reads a mapping file's text.
    ///
    /// # Errors
    /// What is wrong, with its place where TOML knows it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let stand_ins = file.stand_in.into_iter();
        Ok(Self {
            statement: format!("{} crc32:{:08x}", file.name, crc32fast::hash(text.as_bytes())),
            inputs: file.input.into_iter().map(input).collect::<Result<_, _>>()?,
            stand_ins: stand_ins
                .map(|s| StandIn { source: s.source, instead_of: s.instead_of, basis_sd: s.basis_sd, why: s.why })
                .collect(),
            name: file.name,
            description: file.description,
            origin: file.origin,
            sampled: file.sampled,
            tables: file.tables,
            ignore: file.ignore,
            always: file.always.into_iter().map(record).collect::<Result<_, _>>()?,
        })
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
