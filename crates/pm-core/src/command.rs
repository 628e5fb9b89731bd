//! Everything that comes out of the engine. A driver carries commands out; the engine never acts itself.

use std::sync::Arc;

use serde::Serialize;

use crate::approval::Approved;
use crate::ids::{IntentId, VenueId};
use crate::record::Record;
use crate::time::Ts;

/// An output of the engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Command {
    /// To a venue.
    Venue(VenueCommand),
    /// To the store, in order, never dropped unless the record says so.
    Persist(Record),
    /// To the operator.
    Alert(Alert),
    /// The kill switch changed: the driver writes the local record, fsynced, before anything else.
    KillSwitch(KillRecord),
    /// Ask for a [`crate::event::Event::Timer`] at this instant.
    WakeAt(Ts),
}

/// A command for one venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum VenueCommand {
    /// Send an order that passed the gates.
    Submit(Approved),
    /// Cancel an order.
    Cancel {
        /// Venue.
        venue: VenueId,
        /// Order.
        intent: IntentId,
    },
    /// Cancel everything on a venue.
    CancelAll {
        /// Venue.
        venue: VenueId,
    },
}

impl VenueCommand {
    /// The venue it goes to.
    #[must_use]
    pub const fn venue(&self) -> VenueId {
        match self {
            Self::Submit(approved) => approved.intent().venue,
            Self::Cancel { venue, .. } | Self::CancelAll { venue } => *venue,
        }
    }
}

/// How bad it is; the values of the `risk_events.severity` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
pub enum Severity {
    /// For the record.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Trading stopped.
    Critical,
}

impl Severity {
    /// Name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A message to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// How bad.
    pub severity: Severity,
    /// What happened, in one line.
    pub text: Arc<str>,
}

/// State of the kill switch, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct KillRecord {
    /// True when tripped.
    pub tripped: bool,
    /// What tripped or reset it.
    pub cause: Arc<str>,
    /// When.
    pub at: Ts,
    /// Venues that said no and are closed.
    pub closed_venues: Vec<VenueId>,
}
