//! Raw frames: kept verbatim, with the receive time that the data set gives.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ImportError;
use super::files::{self, InFile};
use super::mapping::{Input, Route, Shape};
use super::rows::{self, bad, built_ins};
use super::run::{Context, Entry, RANK_DATA};
use super::template::{Bad, Scope};
use crate::json::Node;

/// Instead of the name of a field: the line itself is the frame.
const WHOLE_LINE: &str = "@line";

/// The fields of an object, values untouched.
pub(super) struct Shallow<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Shallow<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Shallow<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(Key(key)) = map.next_key()? {
                    fields.push((key, map.next_value()?));
                }
                Ok(Shallow(fields))
            }
        }
        d.deserialize_map(Fields)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Shallow<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| *v)
    }
    fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.get(key)?.get();
        match Node::parse(raw).ok()? {
            Node::Str(t) | Node::Num(t) => Some(t),
            _ => None,
        }
    }
}

/// Reads a file's frames.
pub(super) fn load(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    if input.shape == Shape::JsonPages {
        return pages(ctx, input, file, out);
    }
    let mut from = files::open(&file.path, &ctx.done)?;
    let (mut bytes, mut line) = (Vec::new(), 0);
    while files::line(&mut *from, &mut bytes).map_err(|source| ImportError::Io { path: file.path.clone(), source })? {
        line += 1;
        if bytes.is_empty() {
            continue;
        }
        ctx.row(&input.files);
        let text = str::from_utf8(&bytes).map_err(|e| bad(file, line, "line", e.to_string()))?;
        let entry = if input.shape == Shape::TextFrames {
            text_frame(ctx, input, file, line, text)?
        } else {
            json_frame(ctx, input, file, line, text)?
        };
        out.extend(entry);
        if !input.records.is_empty() {
            let row = Node::parse(text).map_err(|(what, at)| bad(file, line, &format!("byte {at}"), what))?;
            rows::row_in(ctx, input, file, line, &rows::with_built_ins(row, file, line), out)?;
        }
    }
    Ok(())
}

/// `<nanoseconds> <frame>`.
fn text_frame(ctx: &mut Context<'_>, input: &Input, file: &InFile, line: u64, text: &str) -> Result<Option<Entry>, ImportError> {
    let (time, frame) = text.split_once(' ').ok_or_else(|| bad(file, line, "line", "no blank behind the time"))?;
    let wall = time.parse().map_err(|_| bad(file, line, "time", format!("{time:?} is not a time in nanoseconds")))?;
    let Some(name) = &input.feed else { return Err(bad(file, line, "feed", "text_frames needs one feed")) };
    let feed = ctx.feed(name, false);
    Ok(Some(Entry { wall, rank: RANK_DATA, feed, bytes: frame.as_bytes().into() }))
}

fn json_frame(ctx: &mut Context<'_>, input: &Input, file: &InFile, line: u64, text: &str) -> Result<Option<Entry>, ImportError> {
    let shallow: Shallow<'_> =
        serde_json::from_str(text).map_err(|e| bad(file, line, &format!("byte {}", e.column()), e.to_string()))?;
    let Some(name) = route(ctx, input, file, line, &shallow)? else { return Ok(None) };
    let key = input.frame.as_deref().unwrap_or_default();
    let raw = if key == WHOLE_LINE { text } else { shallow.get(key).ok_or_else(|| bad(file, line, key, "is missing"))?.get() };
    let bytes: Box<[u8]> = if raw.starts_with('"') {
        let frame: String = serde_json::from_str(raw).map_err(|e| bad(file, line, key, e.to_string()))?;
        frame.into_bytes().into()
    } else {
        raw.as_bytes().into()
    };
    let wall = time(ctx, input, file, line, &shallow, key)?;
    if let Some(scan) = &input.scan {
        let inner: Shallow<'_> = serde_json::from_slice(&bytes).map_err(|e| bad(file, line, key, e.to_string()))?;
        if let (Some(market), Some(token)) = (inner.text(&scan.market), inner.text(&scan.token)) {
            ctx.token(file.stem(), &market, &token, wall);
        }
    }
    let feed = ctx.feed(&name, false);
    Ok(Some(Entry { wall, rank: RANK_DATA, feed, bytes }))
}

/// The feed of a line; `None` when the mapping leaves it out.
fn route(
    ctx: &mut Context<'_>,
    input: &Input,
    file: &InFile,
    line: u64,
    row: &Shallow<'_>,
) -> Result<Option<String>, ImportError> {
    let fits = |r: &&Route| r.when.iter().all(|(k, v)| row.text(k).is_some_and(|t| t == v.as_str()));
    if let Some(found) = input.route.iter().find(fits) {
        if let Some(feed) = &found.feed {
            return Ok(Some(feed.clone()));
        }
        ctx.drop(found.drop.clone().unwrap_or_else(|| "left out by the mapping".to_owned()));
        return Ok(None);
    }
    match &input.feed {
        Some(feed) => Ok(Some(feed.clone())),
        None => Err(bad(file, line, "route", "no route of the mapping fits this line")),
    }
}

fn time(ctx: &Context<'_>, input: &Input, file: &InFile, line: u64, row: &Shallow<'_>, frame: &str) -> Result<i64, ImportError> {
    let Some(template) = &input.time else { return Err(bad(file, line, "time", "the mapping says none")) };
    let deep = template.is_deep();
    let mut fields: Vec<(Cow<'_, str>, Node<'_>)> = Vec::with_capacity(row.0.len() + 2);
    for (key, raw) in &row.0 {
        if deep || (key != frame && !raw.get().starts_with(['{', '['])) {
            let node = Node::parse(raw.get()).map_err(|(what, _)| bad(file, line, key, what))?;
            fields.push((key.clone(), node));
        }
    }
    fields.extend(built_ins(file, line));
    let scope = Scope { row: &Node::Obj(fields), item: None, tables: &ctx.mapping.tables };
    let made = template.render_time(scope).map_err(|b: Bad| bad(file, line, &b.field, b.what))?;
    made.ok_or_else(|| bad(file, line, "time", "is missing"))
}

/// A file, or each element of a list in it, is a frame.
fn pages(ctx: &mut Context<'_>, input: &Input, file: &InFile, out: &mut Vec<Entry>) -> Result<(), ImportError> {
    let text = files::page(&file.path, &ctx.done)?;
    let mut raw: &str = text.trim();
    if let Some(path) = &input.items {
        for key in path.split('.') {
            let shallow: Shallow<'_> = serde_json::from_str(raw).map_err(|e| bad(file, 1, path, e.to_string()))?;
            raw = shallow.get(key).ok_or_else(|| bad(file, 1, path, "is not in the file"))?.get();
        }
    }
    let items: Vec<&RawValue> = if raw.starts_with('[') {
        serde_json::from_str(raw).map_err(|e| bad(file, u64::try_from(e.line()).unwrap_or(0), "list", e.to_string()))?
    } else {
        vec![serde_json::from_str(raw).map_err(|e| bad(file, u64::try_from(e.line()).unwrap_or(0), "file", e.to_string()))?]
    };
    let Some(name) = &input.feed else { return Err(bad(file, 1, "feed", "json_pages needs one feed")) };
    let feed = ctx.feed(name, false);
    for (i, item) in items.into_iter().enumerate() {
        let line = u64::try_from(i).unwrap_or(u64::MAX).saturating_add(1);
        ctx.row(&input.files);
        let shallow: Shallow<'_> = serde_json::from_str(item.get()).map_err(|e| bad(file, line, "item", e.to_string()))?;
        let wall = time(ctx, input, file, line, &shallow, "")?;
        out.push(Entry { wall, rank: RANK_DATA, feed, bytes: item.get().as_bytes().into() });
    }
    Ok(())
}
