//! Settlement-exact fair value, edge waterfall, Kelly sizing and arbitrage strategies for binary markets.
//!
//! Pure functions and small state machines over [`pm_core`] types: no clock, no files, no random source, no hash order. The one crate of
//! the decision path where floats are allowed; everything that leaves is an integer, rounded against us.
//!
//! From prices to a decision:
//! 1. [`Model`] takes the hedge venue's mids and the settlement source's values and gives a [`Fair`] band under a market's own rule.
//! 2. [`cross_exchange::scan`] and [`set_arbitrage::scan`] compare books with it and propose candidates.
//! 3. [`waterfall`] says where the money of a candidate goes, [`size`] how many shares of it a budget carries, or why none.
//! 4. [`feasibility`] says beforehand what a bankroll can trade at all.
//!
//! Usable on its own: `examples/price_one_market.rs` prices one market with this crate and `pm-core` only.

mod average;
mod basis;
mod config;
pub mod cross_exchange;
mod fair;
mod feasibility;
mod figures;
mod hedge;
mod instants;
mod kelly;
mod mids;
mod model;
pub mod num;
mod payoff;
mod ring;
pub mod set_arbitrage;
mod size;
mod snap;
mod source;
#[cfg(test)]
mod testing;
mod vol;
mod waterfall;

pub use config::{BeyondHorizon, Classes, HedgeConfig, ModelConfig, Strategies, StrategyConfig};
pub use fair::Fair;
pub use feasibility::{Feasibility, FeasibilityInput, PriceRange, feasibility};
pub use hedge::{plan as hedge_plan, round_trip_cost as hedge_round_trip_cost};
pub use kelly::{kelly_binary, kelly_table};
pub use model::Model;
pub use size::{NotSized, Sized, size};
pub use snap::{BookLookup, HedgeQuote, Snap};
pub use waterfall::{out_of_reach, waterfall};
