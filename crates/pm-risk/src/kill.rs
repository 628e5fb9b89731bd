//! The words of the kill switch: what trips it, what counts as a failed execution, why a reset is refused.

use std::sync::Arc;

use pm_core::event::VenueWord;
use pm_core::refusal::VenueRefusal;
use pm_core::time::Ts;
use serde::{Deserialize, Serialize};

/// What tripped the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// One structure's marked loss, all legs, above its share of bankroll.
    StructureLoss,
    /// Equity loss since 00:00 UTC above its share of the day's opening bankroll.
    DailyLoss,
    /// Too many failed executions within the window.
    FailedExecutions,
    /// An endpoint answers too late.
    Latency,
    /// The ban detector's score is too high.
    BanScore,
    /// A venue restricts the account.
    VenueNo(VenueWord),
    /// The books do not add up: a fact that a venue confirmed could not be booked, or contradicts what was.
    Books,
    /// The operator.
    Manual,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::StructureLoss,
        Self::DailyLoss,
        Self::FailedExecutions,
        Self::Latency,
        Self::BanScore,
        Self::VenueNo(VenueWord::Banned),
        Self::VenueNo(VenueWord::ClosedOnly),
        Self::VenueNo(VenueWord::Geoblocked),
        Self::VenueNo(VenueWord::Compliance),
        Self::Books,
        Self::Manual,
    ];

    /// Stable short name: kind of the risk event, head of a record's cause.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::StructureLoss => "structure_loss",
            Self::DailyLoss => "daily_loss",
            Self::FailedExecutions => "failed_executions",
            Self::Latency => "latency",
            Self::BanScore => "ban_score",
            Self::VenueNo(VenueWord::Banned) => "venue_banned",
            Self::VenueNo(VenueWord::ClosedOnly) => "venue_closed_only",
            Self::VenueNo(VenueWord::Geoblocked) => "venue_geoblocked",
            Self::VenueNo(VenueWord::Compliance) => "venue_compliance",
            Self::VenueNo(_) => "venue_no",
            Self::Books => "books",
            Self::Manual => "manual",
        }
    }

    /// The trigger of a code; [`Self::Manual`] for a record that somebody else wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|t| t.code() == code).unwrap_or(Self::Manual)
    }

    /// True for triggers that the setting `kill_switch_enabled` can switch off.
    pub(crate) const fn is_optional(self) -> bool {
        !matches!(self, Self::VenueNo(_) | Self::Books | Self::Manual)
    }

    /// True when only a person ends the trip, also where a replay resets others by itself. Such a trip takes the place of one that is not.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::VenueNo(_) | Self::BanScore | Self::Books | Self::Manual)
    }
}

/// The switch tripped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// What tripped it.
    pub trigger: Trigger,
    /// When.
    pub at: Ts,
    /// For people: figure and limit.
    pub text: Arc<str>,
}

/// An execution that did not go as it may. A normal refusal ([`VenueRefusal::is_normal`]) is not one and is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailedExecution {
    /// The outcome of an order is not known (timeout, 5xx, unreadable answer).
    Unknown,
    /// The venue refused for a reason that should not occur.
    Refused(VenueRefusal),
    /// A hedge could not be made or was left partial.
    Hedge,
    /// A matched trade failed to settle.
    Settlement,
}

impl FailedExecution {
    /// True when it counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Refused(refusal) if refusal.is_normal())
    }
    /// Stable short name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_outcome",
            Self::Refused(refusal) => refusal.code(),
            Self::Hedge => "hedge_failed",
            Self::Settlement => "settlement_failed",
        }
    }
}

/// Why a reset was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// A reset needs a reason.
    #[error("a reset needs a reason")]
    NoReason,
}
