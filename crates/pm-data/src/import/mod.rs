//! Importers: foreign data sets to recordings. A data set is described by a mapping file (`mappings/*.toml`), which combines a few generic
//! shapes; there is no code for a single data set. Raw frames are kept verbatim. Where a data set has none, records of
//! [`crate::derived`] are made, and the feed says so.
//!
//! Nothing is left out in silence: what a mapping drops is counted by reason in the [`ImportReport`], and what does not fit is an error
//! with file, line and field.

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
    #[error("{name:?} is neither a format nor a mapping file; formats: {known}")]
    UnknownFormat {
        /// What was asked for.
        name: String,
        /// Names of all formats.
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
    #[error("format {format} reads {wanted}; {given} is not one of them")]
    NothingToRead {
        /// Format.
        format: String,
        /// Patterns.
        wanted: String,
        /// What was given.
        given: String,
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
        let text = std::fs::read_to_string(path).map_err(|source| ImportError::Io { path: path.into(), source })?;
        return mapping::Mapping::parse(&text).map_err(bad);
    }
    let known = formats().into_iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
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
