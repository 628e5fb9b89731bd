//! What may be risked, and when to stop: budget, gates, kill switch, drawdown, commissions. Pure: every `now` comes in with the call.
//!
//! **One bankroll for both loss triggers.** The day's opening bankroll, less what was withdrawn since (deposits count from the next day).
//! It does not shrink with the loss that is being measured, so a structure that was sized to lose exactly its limit does not trip.
//!
//! **Inside and outside.** A limit that is reached exactly holds; one unit more refuses or trips.
//!
//! **The switch.** It trips once; until [`Risk::reset`] (a person, with a reason) nothing un-trips it, and only orders that reduce risk
//! pass the gates. A venue that said no stays closed past a reset, until a reset's reason names it. The trigger's condition is not
//! forgiven by a reset: a day that is still over its limit trips again with the next equity.
#![deny(clippy::float_arithmetic)]

mod budget;
mod commission;
mod config;
mod gates;
mod kill;
mod periods;
mod risk;
mod venues;
mod windows;

pub use budget::Exposure;
pub use commission::{CommissionTracker, FeeAlarm, HopFees};
pub use config::RiskConfig;
pub use gates::{GateContext, Gates};
pub use kill::{FailedExecution, ResetError, Trigger, Trip};
pub use periods::{DayView, DrawdownView, Period, Periods};
pub use risk::Risk;
