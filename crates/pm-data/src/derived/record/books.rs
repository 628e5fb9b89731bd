//! Books and their parts.

use pm_core::market::Outcome;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty};
use serde::{Deserialize, Serialize};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Which outcome a price is of. Absent means the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Up / Yes.
    #[default]
    First,
    /// Down / No.
    Second,
}

impl From<View> for Outcome {
    fn from(v: View) -> Self {
        match v {
            View::First => Self::First,
            View::Second => Self::Second,
        }
    }
}

/// A level: price and size; a size of `null` is not known.
pub type LevelRecord = (Px, Option<Qty>);

/// A full book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookRecord {
    /// Venue.
    pub venue: String,
    /// Market, or ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// ... instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Outcome whose prices these are.
    #[serde(default)]
    pub outcome: View,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Bids in any order.
    pub bids: Vec<LevelRecord>,
    /// Asks in any order.
    pub asks: Vec<LevelRecord>,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
    /// The other outcome's last view is combined with this one when their times are at most this far apart; absent: when they are equal.
    /// Only for sampled books of a market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair_within: Option<Dur>,
}

/// One outcome's side of a [`PairRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewRecord {
    /// Bids in any order, in prices of this outcome.
    #[serde(default)]
    pub bids: Vec<LevelRecord>,
    /// Asks in any order.
    #[serde(default)]
    pub asks: Vec<LevelRecord>,
}

/// Both views of a market's book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRecord {
    /// Venue.
    pub venue: String,
    /// Market.
    pub market: String,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Book of the first outcome.
    pub up: ViewRecord,
    /// Book of the second outcome.
    pub down: ViewRecord,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
}

/// Best bid and ask of one outcome or of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopRecord {
    /// Venue.
    pub venue: String,
    /// Market, or ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// ... instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Outcome whose prices these are.
    #[serde(default)]
    pub outcome: View,
    /// Venue time; the receive time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Ts>,
    /// Best bid; absent = the side is empty, unless `bid_unknown`.
    #[serde(default)]
    pub bid: Option<Px>,
    /// Its size; absent = not known.
    #[serde(default)]
    pub bid_size: Option<Qty>,
    /// Best ask; absent = the side is empty, unless `ask_unknown`.
    #[serde(default)]
    pub ask: Option<Px>,
    /// Its size.
    #[serde(default)]
    pub ask_size: Option<Qty>,
    /// The origin says nothing about bids: there may be any.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bid_unknown: bool,
    /// The origin says nothing about asks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ask_unknown: bool,
    /// Read at intervals.
    #[serde(default)]
    pub sampled: bool,
    /// As in [`BookRecord::pair_within`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair_within: Option<Dur>,
}
