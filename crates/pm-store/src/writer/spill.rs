//! The file for rows that no store took: one JSON object a line, synced before it counts.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use pm_core::record::Record;
use serde::Serialize;

use crate::ids::{kind_of, label_of};

#[derive(Serialize)]
struct Line<'a> {
    /// Table.
    kind: &'static str,
    /// Kind and id, for people.
    row: String,
    /// Why the store refused it; absent when it was never answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    record: &'a Record,
}

/// Appends rows with the reason why they were refused, if they were.
pub(super) fn append(path: &Path, rows: &[(&Record, Option<&str>)]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = Vec::new();
    for (record, refused) in rows {
        let line = Line { kind: kind_of(record), row: label_of(record), refused: *refused, record };
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&text)?;
    file.sync_all()
}
