//! What a run was worth, said without flattery: statistics, the verdict, the report, and how well fair values agree with settlements.
//!
//! | room | what it answers |
//! |---|---|
//! | [`report`] | what happened in a run, which row of the decision matrix applies, and why |
//! | [`feasibility`] | what a bankroll can and cannot trade, said before a run |
//! | [`calibration`] | whether probabilities come true as often as they say: Brier score, log loss, reliability |
//! | [`statistics`] | the figures behind: Sharpe ratio and drawdown of hourly equity |
//!
//! Nothing here decides anything: it reads what the engine, the ledger and a driver know. Floats are allowed, but only in figures that are
//! shown; money stays exact, and the verdict compares integers.

pub mod calibration;
pub mod feasibility;
pub mod report;
pub mod statistics;

pub use calibration::Calibration;
pub use feasibility::render_feasibility;
pub use report::{RunInputs, RunReport, render};
