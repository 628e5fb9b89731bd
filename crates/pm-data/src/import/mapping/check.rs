//! What the types of a mapping file cannot say: that a shape makes only the records it is for, and that no record says more than its rows.

use toml::Spanned;

use super::file::{InputFile, RecordFile};
use super::{Record, RowFormat, Shape};
use crate::derived::KINDS;
use crate::import::template::{Tables, Template};

/// Where in a mapping file something is wrong.
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) tables: &'a Tables,
    /// Record and input, for people.
    pub(super) of: String,
    pub(super) line: usize,
}

impl Place<'_> {
    fn line<T>(&self, of: &Spanned<T>) -> usize {
        self.text.get(..of.span().start).map_or(0, |before| before.matches('\n').count() + 1)
    }
    pub(super) fn input(&self, files: &Spanned<String>) -> Self {
        Self { line: self.line(files), of: format!("input {:?}", files.get_ref()), ..*self }
    }
    pub(super) fn record(&self, kind: &Spanned<String>) -> Self {
        let inside = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
        Self { line: self.line(kind), of: format!("record {:?}{inside}", kind.get_ref()), ..*self }
    }
    pub(super) fn says(&self, what: &str) -> String {
        format!("line {}, {}: {what}", self.line, self.of)
    }
}

/// Records that a mapping always makes describe what there is.
pub(super) fn always(kind: &str) -> Result<(), String> {
    among(kind, "always", &["market", "instrument", "latency_table"])
}

fn among(kind: &str, what: &str, allowed: &[&str]) -> Result<(), String> {
    if !KINDS.contains(&kind) {
        return Err(format!("is no kind of record; kinds are {}", KINDS.join(", ")));
    }
    match (allowed.contains(&kind), allowed) {
        (true, _) => Ok(()),
        (false, []) => Err(format!("{what} makes no records")),
        (false, _) => Err(format!("{what} makes no such record; it makes {}", allowed.join(", "))),
    }
}

/// Keys that go with the shape, and kinds of records that it makes.
pub(super) fn input(i: &InputFile) -> Result<(), String> {
    let (shape, frames) = (i.shape, i.shape.is_frames());
    let name = shape.as_str();
    let need = |there: bool, what: &str| if there { Ok(()) } else { Err(format!("{name} needs {what}")) };
    let idle = |there: bool, what: &str| if there { Err(format!("{name} does not use {what}")) } else { Ok(()) };
    need(!frames || i.feed.is_some() || !i.route.is_empty(), "feed or route")?;
    need(frames || !i.record.is_empty(), "at least one record")?;
    need(shape != Shape::JsonlFrames || i.frame.is_some(), "frame")?;
    need(shape == Shape::TextFrames || i.time.is_some() || i.record.iter().all(|r| r.time.is_some()), "time")?;
    idle(!frames && (i.feed.is_some() || !i.route.is_empty()), "feed and route")?;
    idle(shape != Shape::JsonlFrames && i.frame.is_some(), "frame")?;
    idle(shape != Shape::JsonlFrames && i.scan.is_some(), "scan")?;
    idle(shape == Shape::TextFrames && i.time.is_some(), "time: its lines begin with it")?;
    let csv = match (shape, i.format) {
        (Shape::CsvTicks, None | Some(RowFormat::Csv)) | (Shape::MarketList, Some(RowFormat::Csv)) => true,
        (Shape::CsvTicks, _) => return Err("csv_ticks is CSV".to_owned()),
        (Shape::SnapshotRows, Some(RowFormat::Csv)) => return Err("snapshot_rows is JSON; csv_ticks is CSV".to_owned()),
        _ => false,
    };
    idle(frames && i.format.is_some(), "format")?;
    idle(!csv && !i.layouts.is_empty(), "layouts")?;
    idle((csv || matches!(shape, Shape::JsonlFrames | Shape::TextFrames)) && i.items.is_some(), "items")
}

/// Kinds of records that the rows of a shape become.
pub(super) fn made_by(shape: Shape, r: &RecordFile) -> Result<(), String> {
    let kind = r.kind.get_ref().as_str();
    among(kind, shape.as_str(), shape.kinds())?;
    if shape == Shape::CsvTicks && matches!(kind, "market" | "instrument") && r.once.is_none() {
        return Err("csv_ticks makes it from many rows: it needs once".to_owned());
    }
    Ok(())
}

/// What a record must say for itself, so that nothing is taken for granted: whose prices it holds, and that an absent side is an empty one.
pub(super) fn record(r: &Record, tables: &Tables) -> Result<(), String> {
    let has = |key: &str| r.fields.field(key).is_some();
    if matches!(r.kind.as_str(), "book" | "top" | "print") && has("market") && !has("outcome") {
        return Err("does not say of which outcome its prices are: it needs outcome".to_owned());
    }
    for (side, unknown) in [("bid", "bid_unknown"), ("ask", "ask_unknown")] {
        if r.kind == "top" && !has(side) && !has(unknown) {
            return Err(format!("says nothing of its {side}: it needs {side}, or {unknown} = true where the origin has none"));
        }
    }
    let mut used = Vec::new();
    let others = [r.once.as_ref(), r.time.as_ref()];
    others.into_iter().flatten().chain([&r.fields]).for_each(|t: &Template| t.tables(&mut used));
    match used.iter().find(|t| !tables.contains_key(*t)) {
        Some(table) => Err(format!("there is no table {table:?}")),
        None => Ok(()),
    }
}
