//! The form of a mapping file, and its way into a checked [`Mapping`].

use std::collections::BTreeMap;

use pm_core::units::Ratio;
use serde::Deserialize;
use toml::Spanned;

use super::check::{self, Place};
use super::{Drop, Ignore, Input, Mapping, Record, Route, RowFormat, Scan, Shape, Treatment};
use crate::import::template::{Tables, Template};
use crate::recording::StandIn;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputFile {
    pub(super) files: Spanned<String>,
    pub(super) shape: Shape,
    pub(super) format: Option<RowFormat>,
    pub(super) items: Option<String>,
    #[serde(default)]
    pub(super) layouts: Vec<Vec<String>>,
    pub(super) time: Option<String>,
    pub(super) frame: Option<String>,
    pub(super) feed: Option<String>,
    #[serde(default)]
    pub(super) route: Vec<Route>,
    pub(super) scan: Option<ScanFile>,
    #[serde(default)]
    pub(super) drop: Vec<Drop>,
    #[serde(default)]
    pub(super) record: Vec<RecordFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanFile {
    pub(super) market: String,
    pub(super) token: String,
    pub(super) record: RecordFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordFile {
    pub(super) kind: Spanned<String>,
    pub(super) each: Option<String>,
    pub(super) once: Option<String>,
    pub(super) time: Option<String>,
    #[serde(default)]
    pub(super) when: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) contains: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) present: Vec<String>,
    #[serde(default)]
    pub(super) crossed: Treatment,
    #[serde(default)]
    pub(super) missing: Treatment,
    #[serde(default)]
    pub(super) bad: Treatment,
    pub(super) fields: toml::Table,
}

fn template(text: Option<&String>) -> Result<Option<Template>, String> {
    text.map(|t| Template::text(t)).transpose()
}

fn record(r: RecordFile, place: &Place<'_>) -> Result<Record, String> {
    let place = place.record(&r.kind);
    let made = || -> Result<Record, String> {
        Ok(Record {
            once: template(r.once.as_ref())?,
            time: template(r.time.as_ref())?,
            fields: Template::parse(&toml::Value::Table(r.fields))?,
            kind: r.kind.into_inner(),
            each: r.each,
            when: r.when,
            contains: r.contains,
            present: r.present,
            crossed: r.crossed,
            missing: r.missing,
            bad: r.bad,
        })
    };
    made().and_then(|record| check::record(&record, place.tables).map(|()| record)).map_err(|what| place.says(&what))
}

fn input(i: InputFile, place: &Place<'_>) -> Result<Input, String> {
    let place = place.input(&i.files);
    let says = |what: String| place.says(&what);
    check::input(&i).map_err(says)?;
    for r in &i.record {
        check::made_by(i.shape, r).map_err(|what| place.record(&r.kind).says(&what))?;
    }
    let csv = i.shape == Shape::CsvTicks;
    let records = i.record.into_iter().map(|r| record(r, &place)).collect::<Result<Vec<_>, _>>()?;
    Ok(Input {
        time: template(i.time.as_ref()).map_err(says)?,
        scan: i
            .scan
            .map(|s| Ok::<_, String>(Scan { market: s.market, token: s.token, record: record(s.record, &place)? }))
            .transpose()?,
        records,
        files: i.files.into_inner(),
        shape: i.shape,
        format: i.format.unwrap_or(if csv { RowFormat::Csv } else { RowFormat::Jsonl }),
        items: i.items,
        layouts: i.layouts,
        frame: i.frame,
        feed: i.feed,
        route: i.route,
        drop: i.drop,
    })
}

/// Reads a mapping file's text.
pub(super) fn parse(text: &str) -> Result<Mapping, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    let place = Place { text, tables: &file.tables, of: String::new(), line: 0 };
    let stand_ins = file.stand_in.into_iter();
    Ok(Mapping {
        statement: format!("{} crc32:{:08x}", file.name, crc32fast::hash(text.as_bytes())),
        inputs: file.input.into_iter().map(|i| input(i, &place)).collect::<Result<_, _>>()?,
        stand_ins: stand_ins
            .map(|s| StandIn { source: s.source, instead_of: s.instead_of, basis_sd: s.basis_sd, why: s.why })
            .collect(),
        name: file.name,
        description: file.description,
        origin: file.origin,
        sampled: file.sampled,
        ignore: file.ignore,
        always: file.always.into_iter().map(|r| always(r, &place)).collect::<Result<_, _>>()?,
        tables: file.tables,
    })
}

fn always(r: RecordFile, place: &Place<'_>) -> Result<Record, String> {
    check::always(r.kind.get_ref()).map_err(|what| place.record(&r.kind).says(&what))?;
    record(r, place)
}
