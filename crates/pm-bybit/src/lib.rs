//! All that is Bybit's public side: wire decoders, the feed protocols over them, instruments, fees.
//!
//! Frames come in as bytes, events of `pm-core` go out. [`public::PublicProtocol`] serves one socket (linear, spot or option),
//! [`rest::RestProtocol`] serves REST bodies. The decoders stand by themselves in [`wire`] and know nothing of continuity or of index keys.
//! Facts about the venue are cited by section of `venues/bybit.md`.

pub mod category;
pub mod continuity;
pub mod fees;
pub mod grid;
pub mod option_symbol;
pub mod public;
pub mod rest;
pub mod stats;
pub mod subscribe;
pub mod wire;

pub use category::Category;
pub use fees::FeeTable;
pub use public::{OffGrid, PublicProtocol, PublicSettings, Unlisted};
pub use rest::{RestProtocol, RestSettings, Scope};
pub use stats::Stats;
pub use wire::WireError;

/// Name of the venue in the catalog.
pub const VENUE: &str = "bybit";

/// The catalog does not fit this venue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The catalog lists no venue of this name.
    #[error("the catalog has no venue {VENUE:?}")]
    NoVenue,
    /// A leverage below 1 is not a leverage.
    #[error("leverage {0} is below 1")]
    Leverage(pm_core::units::Ratio),
}
