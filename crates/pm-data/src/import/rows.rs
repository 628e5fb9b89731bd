//! Rows (CSV, JSON lines, JSON lists) to derived records.

use std::borrow::Cow;

use super::ImportError;
use super::files::{self, InFile};
use super::mapping::{Input, Record, RowFormat, Treatment};
use super::run::{Context, Entry, rank};
use super::template::{Bad, Scope};
use crate::derived::{DerivedRecord, FEED, LevelRecord};
use crate::json::Node;

/// Reads a file's rows.
pub(super) fn load(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    match input.format {
        RowFormat::Csv => csv(ctx, input, file, out),
        RowFormat::Jsonl => jsonl(ctx, input, file, out),
        RowFormat::Json => json(ctx, input, file, out),
    }
}

pub(super) fn bad(file: &InFile, line: u64, field: &str, what: impl Into<String>) -> ImportError {
    ImportError::Bad { path: file.path.clone(), line, field: field.to_owned(), what: what.into() }
}

/// Names of the file and the line, for templates.
pub(super) fn built_ins<'a>(file: &'a InFile, line: u64) -> [(Cow<'a, str>, Node<'a>); 2] {
    let line = Node::Num(Cow::Owned(line.to_string()));
    [(Cow::Borrowed("@file"), Node::Str(Cow::Borrowed(file.stem()))), (Cow::Borrowed("@line"), line)]
}

fn csv(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    let from = files::open(&file.path, &ctx.done)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from);
    let mut fields = csv::StringRecord::new();
    let mut header: Option<Vec<String>> = None;
    let mut line = 0;
    loop {
        match reader.read_record(&mut fields) {
            Ok(true) => line = fields.position().map_or(line + 1, csv::Position::line),
            Ok(false) => return Ok(()),
            Err(e) => return Err(bad(file, line + 1, "row", e.to_string())),
        }
        let Some(header) = &header else {
            header = Some(fields.iter().map(|n| n.trim().trim_start_matches('\u{feff}').to_owned()).collect());
            continue;
        };
        ctx.row(&input.files);
        let names = match input.layouts.iter().find(|l| l.len() == fields.len()) {
            Some(layout) => layout,
            None if header.len() == fields.len() => header,
            None => {
                ctx.drop(format!("row of {} columns under a header of {}", fields.len(), header.len()));
                continue;
            }
        };
        let pairs = names.iter().zip(&fields).map(|(k, v)| (Cow::Borrowed(k.as_str()), Node::Str(Cow::Borrowed(v))));
        let row = Node::Obj(pairs.chain(built_ins(file, line)).collect());
        row_in(ctx, input, file, line, &row, out)?;
    }
}

fn jsonl(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    let mut from = files::open(&file.path, &ctx.done)?;
    let (mut bytes, mut line) = (Vec::new(), 0);
    while files::line(&mut *from, &mut bytes).map_err(|source| ImportError::Io { path: file.path.clone(), source })? {
        line += 1;
        if bytes.is_empty() {
            continue;
        }
        ctx.row(&input.files);
        let text = str::from_utf8(&bytes).map_err(|e| bad(file, line, "line", e.to_string()))?;
        let row = Node::parse(text).map_err(|(what, at)| bad(file, line, &format!("byte {at}"), what))?;
        row_in(ctx, input, file, line, &with_built_ins(row, file, line), out)?;
    }
    Ok(())
}

pub(super) fn with_built_ins<'a>(row: Node<'a>, file: &'a InFile, line: u64) -> Node<'a> {
    match row {
        Node::Obj(mut fields) => {
            fields.extend(built_ins(file, line));
            Node::Obj(fields)
        }
        other => other,
    }
}

fn json(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    let text = files::page(&file.path, &ctx.done)?;
    let root = Node::parse(&text).map_err(|(what, at)| bad(file, 1, &format!("byte {at}"), what))?;
    let found = match &input.items {
        Some(path) => root.path(path).ok_or_else(|| bad(file, 1, path, "is not in the file"))?.clone(),
        None => root,
    };
    let rows = match found {
        Node::Arr(items) => items,
        single => vec![single],
    };
    for (i, row) in rows.into_iter().enumerate() {
        let line = u64::try_from(i).unwrap_or(u64::MAX).saturating_add(1);
        ctx.row(&input.files);
        row_in(ctx, input, file, line, &with_built_ins(row, file, line), out)?;
    }
    Ok(())
}

/// Text of a field; blank when it is not there.
fn text_of<'a>(scope: Scope<'a>, path: &str) -> Cow<'a, str> {
    scope.find(path).and_then(Node::text).unwrap_or_default()
}

fn is_there(scope: Scope<'_>, path: &str) -> bool {
    scope.find(path).is_some_and(|n| !n.is_null() && n.text().is_none_or(|t| !t.is_empty()))
}

/// Makes the records of a row.
pub(super) fn row_in(
    ctx: &mut Context<'_>,
    input: &Input,
    file: &InFile,
    line: u64,
    row: &Node<'_>,
    out: &mut Vec<Entry>,
) -> Result<(), ImportError> {
    let mapping = ctx.mapping;
    let scope = Scope { row, item: None, tables: &mapping.tables };
    for drop in &input.drop {
        let value = text_of(scope, &drop.field);
        if drop.is.iter().any(|v| **v == *value) {
            ctx.drop(drop.reason.clone());
            return Ok(());
        }
    }
    for (at, record) in input.records.iter().enumerate() {
        match &record.each {
            None => make(ctx, input, file, line, at, record, scope, out)?,
            Some(path) => {
                let Some(Node::Arr(items)) = row.path(path) else {
                    return Err(bad(file, line, path, "is not a list"));
                };
                for item in items {
                    make(ctx, input, file, line, at, record, Scope { item: Some(item), ..scope }, out)?;
                }
            }
        }
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one place with its context; a struct would only move the names")]
fn make(
    ctx: &mut Context<'_>,
    input: &Input,
    file: &InFile,
    line: u64,
    at: usize,
    record: &Record,
    scope: Scope<'_>,
    out: &mut Vec<Entry>,
) -> Result<(), ImportError> {
    let wanted = record.when.iter().all(|(field, values)| {
        let value = text_of(scope, field);
        values.iter().any(|v| **v == *value)
    });
    let contains = record.contains.iter().all(|(field, text)| {
        let value = text_of(scope, field);
        text.strip_prefix('!').map_or_else(|| value.contains(text.as_str()), |no| !value.contains(no))
    });
    if !wanted || !contains || !record.present.iter().all(|p| is_there(scope, p)) {
        return Ok(());
    }
    let here = |b: Bad| bad(file, line, &b.field, b.what);
    let template = record.time.as_ref().or(input.time.as_ref());
    let time = match template.map(|t| t.render_time(scope)).transpose() {
        Ok(time) => time.flatten(),
        Err(b) if record.bad == Treatment::Drop => {
            ctx.drop(format!("{}: {}", record.kind, b.what));
            return Ok(());
        }
        Err(b) => return Err(here(b)),
    };
    let Some(wall) = time else {
        return ctx.lacks(record, file, line, "time");
    };
    let once = record.once.as_ref().map(|o| o.render_text(scope)).transpose().map_err(here)?.flatten();
    if let Some(key) = &once
        && ctx.seen_before(&input.files, at, key, wall)
    {
        return Ok(());
    }
    let Some(bytes) = render(ctx, file, line, record, scope)? else { return Ok(()) };
    let feed = ctx.feed(FEED, true);
    let entry = Entry { wall, rank: rank(&record.kind), feed, bytes };
    match once {
        Some(key) => ctx.keep_once(&input.files, at, key, entry),
        None => out.push(entry),
    }
    ctx.kind(&record.kind);
    Ok(())
}

/// The record as it will be read again; `None` when it is left out.
pub(super) fn render(
    ctx: &mut Context<'_>,
    file: &InFile,
    line: u64,
    record: &Record,
    scope: Scope<'_>,
) -> Result<Option<Box<[u8]>>, ImportError> {
    let fields = match record.fields.render(scope) {
        Ok(fields) => fields,
        Err(b) if record.bad == Treatment::Drop => {
            ctx.drop(format!("{}: {}", record.kind, b.field));
            return Ok(None);
        }
        Err(b) => return Err(bad(file, line, &b.field, b.what)),
    };
    // An outcome that is left out would read as the first one.
    if record.fields.field("outcome").is_some() && fields.get("outcome").is_none() {
        return ctx.lacks(record, file, line, "outcome").map(|()| None);
    }
    let mut text = String::with_capacity(256);
    Node::Obj(vec![(Cow::Borrowed(record.kind.as_str()), fields)]).write(&mut text);
    let made: DerivedRecord = match serde_json::from_str(&text) {
        Ok(made) => made,
        Err(e) => {
            let what = without_place(&e.to_string());
            if what.starts_with("missing field") {
                return ctx.lacks(record, file, line, what.trim_start_matches("missing field ")).map(|()| None);
            }
            if record.bad == Treatment::Drop {
                ctx.drop(format!("{}: {what}", record.kind));
                return Ok(None);
            }
            return Err(bad(file, line, &record.kind, format!("{what}: {text}")));
        }
    };
    if let Err(what) = made.validate() {
        if record.bad == Treatment::Drop {
            ctx.drop(format!("{}: {what}", record.kind));
            return Ok(None);
        }
        return Err(bad(file, line, &record.kind, what));
    }
    if record.crossed != Treatment::Keep && is_crossed(&made) {
        if record.crossed == Treatment::Drop {
            ctx.drop(format!("{}: bid at or above ask in one view", record.kind));
            return Ok(None);
        }
        return Err(bad(file, line, &record.kind, "bid at or above ask"));
    }
    Ok(Some(text.into_bytes().into_boxed_slice()))
}

/// The place in a record that was just made says nothing to a person.
fn without_place(text: &str) -> String {
    text.rsplit_once(" at line ").map_or(text, |(t, _)| t).to_owned()
}

fn is_crossed(record: &DerivedRecord) -> bool {
    let crossed = |bids: &[LevelRecord], asks: &[LevelRecord]| {
        let there = |l: &&LevelRecord| l.1.is_none_or(|q| q.is_positive());
        let bid = bids.iter().filter(there).map(|l| l.0).max();
        let ask = asks.iter().filter(there).map(|l| l.0).min();
        bid.zip(ask).is_some_and(|(b, a)| b >= a)
    };
    match record {
        DerivedRecord::Book(b) => crossed(&b.bids, &b.asks),
        DerivedRecord::BookPair(p) => crossed(&p.up.bids, &p.up.asks) || crossed(&p.down.bids, &p.down.asks),
        DerivedRecord::Top(t) => t.bid.zip(t.ask).is_some_and(|(b, a)| b >= a),
        _ => false,
    }
}
