//! Exit codes, as a type: an error that reaches `main` says which one it is.

use std::process::ExitCode;

/// Why the program ends without having done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Usage or configuration.
    Usage(anyhow::Error),
    /// A source of data is not available.
    Source(anyhow::Error),
    /// Data are corrupt or a run is not reproducible.
    Corrupt(anyhow::Error),
    /// The store is not available.
    Store(anyhow::Error),
    /// The kill switch tripped: trigger and figure (the report was printed).
    Tripped(String),
}

impl Failure {
    /// The documented exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Source(_) => 3,
            Self::Corrupt(_) => 4,
            Self::Store(_) => 5,
            Self::Tripped(_) => 6,
        })
    }
    /// What to tell, without secrets. A cause that the text before it already holds is not repeated.
    pub(crate) fn text(&self) -> String {
        let text = match self {
            Self::Usage(e) | Self::Source(e) | Self::Corrupt(e) | Self::Store(e) => {
                e.chain().map(ToString::to_string).fold(String::new(), |all, part| {
                    if all.is_empty() {
                        part
                    } else if all.contains(&part) {
                        all
                    } else {
                        format!("{all}: {part}")
                    }
                })
            }
            Self::Tripped(cause) => format!("the kill switch tripped: {cause}"),
        };
        pm_monitor::redact(&text).into_owned()
    }
    /// True for an error, false for a trip of the kill switch: then the run did what it should.
    pub(crate) const fn is_error(&self) -> bool {
        !matches!(self, Self::Tripped(_))
    }
    /// Usage or configuration, from a text.
    pub(crate) fn usage(text: impl std::fmt::Display) -> Self {
        Self::Usage(anyhow::anyhow!("{text}"))
    }
    /// Corrupt data, from a text.
    pub(crate) fn corrupt(text: impl std::fmt::Display) -> Self {
        Self::Corrupt(anyhow::anyhow!("{text}"))
    }
    /// Store, from a text.
    pub(crate) fn store(text: impl std::fmt::Display) -> Self {
        Self::Store(anyhow::anyhow!("{text}"))
    }
}

impl From<pm_core::traits::StoreError> for Failure {
    fn from(e: pm_core::traits::StoreError) -> Self {
        match e {
            pm_core::traits::StoreError::NotFound(what) => Self::usage(format!("not found: {what}")),
            other => Self::Store(anyhow::Error::new(other)),
        }
    }
}

impl From<pm_execution::driver::RunError> for Failure {
    fn from(e: pm_execution::driver::RunError) -> Self {
        use pm_execution::driver::RunError;
        use pm_execution::source::SourceError;
        match e {
            RunError::Source(SourceError::Unavailable(_)) => Self::Source(anyhow::Error::new(e)),
            RunError::Source(SourceError::Corrupt(_)) | RunError::Codec(_) => Self::Corrupt(anyhow::Error::new(e)),
            RunError::Journal(_) => Self::Store(anyhow::Error::new(e)),
        }
    }
}
