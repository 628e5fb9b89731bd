//! Importers: foreign data sets to recordings. A data set is described by a mapping file (`mappings/*.toml`), which combines a few generic
//! shapes; there is no code for a single data set. Raw frames are kept verbatim. Where a data set has none, records of
//! [`crate::derived`] are made, and the feed says so.
//!
//! | shape | rows | records that they may become |
//! |---|---|---|
//! | `jsonl_frames` | JSON lines with a time and a raw frame | frames; `market`, `instrument`, `resolved` beside them |
//! | `text_frames`, `json_pages` | `<ns> <frame>` lines; files or lists of bodies | frames only |
//! | `csv_ticks` | CSV, each row of one instant | `reference`, `candle`, `ticker`, `print`, `mid`, `top`, `book`, `book_pair`; `market`, `instrument` with `once` |
//! | `snapshot_rows` | JSON lines or lists | `book`, `book_pair`, `top`, `print`, `mid`, `reference`, `ticker`, `market`, `instrument`, `resolved` |
//! | `market_list` | CSV or JSON | `market`, `instrument`, `resolved` |
//!
//! Nothing is left out in silence: what a mapping drops is counted by reason in the [`ImportReport`], and what does not fit is an error
//! with file, line and field. Nothing is taken for granted either: a text that is not in its `table` is an error (unless the table is
//! written `table:name?`, or `|or:` follows), prices of a market name their `outcome`, and a `top` without one side says whether that side
//! is empty or was not recorded (`bid_unknown`, `ask_unknown`). `pair_within` (nanoseconds) of a sampled `book` or `top` says how far apart
//! two outcomes' views may be that are combined to the worse of both.

mod built_in;
mod clock;
mod files;
mod frames;
mod mapping;
mod report;
mod rows;
mod run;
mod template;

use std::path::{Path, PathBuf};

use crate::recording::RecordingError;

pub use mapping::Shape;
pub use report::{FeedReport, ImportReport};

/// Why an import ended without a recording.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such format, and no such file.
    #[error("{name:?} is neither a format nor a mapping file; the formats are{known}")]
    UnknownFormat {
        /// What was asked for.
        name: String,
        /// Names of all formats, each on a line of its own.
        known: String,
    },
    /// A mapping file that cannot be used.
    #[error("mapping {name}: {what}")]
    Mapping {
        /// Name or path.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The operating system refused, or compressed data are broken.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Reason.
        source: std::io::Error,
    },
    /// A line or row that does not fit.
    #[error("{path}, line {line}, {field}: {what}", path = path.display())]
    Bad {
        /// File.
        path: PathBuf,
        /// Line (or item of a list), from 1.
        line: u64,
        /// Field.
        field: String,
        /// What is wrong.
        what: String,
    },
    /// None of the files is one that the mapping reads.
    #[error("format {format} reads {wanted}; there is none in {given}")]
    NothingToRead {
        /// Format.
        format: String,
        /// Patterns.
        wanted: String,
        /// What was given.
        given: String,
    },
    /// The files were read and nothing came out of them.
    #[error("{path}: {what}", path = path.display())]
    NoFrames {
        /// First of the files.
        path: PathBuf,
        /// How much was read.
        what: String,
    },
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The finished recording could not be put in place.
    #[error("{path}: {what}", path = path.display())]
    Output {
        /// File.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// A format that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatInfo {
    /// Name for [`import`].
    pub name: String,
    /// What it is.
    pub description: String,
    /// Generic shapes that it combines.
    pub shape: String,
}

/// The formats that ship with the program.
#[must_use]
pub fn formats() -> Vec<FormatInfo> {
    let mappings = built_in::MAPPINGS.iter().filter_map(|text| mapping::Mapping::parse(text).ok());
    mappings
        .map(|m| FormatInfo {
            shape: m.shapes().iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", "),
            name: m.name,
            description: m.description,
        })
        .collect()
}

fn load(format: &str) -> Result<mapping::Mapping, ImportError> {
    let bad = |what| ImportError::Mapping { name: format.to_owned(), what };
    let head = format!("name = \"{format}\"");
    if let Some(text) = built_in::MAPPINGS.iter().find(|t| t.lines().any(|l| l == head)) {
        return mapping::Mapping::parse(text).map_err(bad);
    }
    let path = Path::new(format);
    if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::InvalidData => bad("it is no mapping file: it is not text".to_owned()),
            _ => ImportError::Io { path: path.into(), source },
        })?;
        return mapping::Mapping::parse(&text).map_err(bad);
    }
    let known = formats().into_iter().map(|f| format!("\n    {}", f.name)).collect();
    Err(ImportError::UnknownFormat { name: format.to_owned(), known })
}

/// Imports files and folders into a new recording at `out`. `format` is a name from [`formats`] or the path of a mapping file. An existing
/// file is not overwritten; a failed import leaves none behind. `progress` gets bytes read and bytes to read.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    format: &str,
    out: &Path,
    paths: &[PathBuf],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ImportReport, ImportError> {
    let mapping = load(format)?;
    run::run(&mapping, out, paths, progress)
}
