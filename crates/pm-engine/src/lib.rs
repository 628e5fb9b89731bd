//! The deterministic trading engine of pmbot.
//!
//! In: [`Event`](pm_core::event::Event)s with their time, by [`Engine::step`]. Out: [`Command`](pm_core::command::Command)s. Nothing else:
//! no I/O, no clock, no random source, no async, and no allocation for market data once warm. Live, paper, replay, backtest and the
//! simulator are different *drivers* around the same `step`; there is no `if live` in here.
//!
//! | step | room |
//! |---|---|
//! | frame's event into book, ticker, reference, fair value | `data`, `market_state` |
//! | scan, episode, size, gates, submit | `decide`, `room`, `episodes` |
//! | order and settlement lifecycle, ledger, results | `orders`, `settle`, `structures` |
//! | hedge of confirmed exposure | `hedger` |
//! | marks, equity, loss triggers | `marks` |
//! | kill switch: what happens after a trip | `kill` |
//! | a set whose legs differ | `sets` |
//! | unwinding | `unwind` |
//! | rows for the store | `rows` |
//! | input journal and decision hash | [`journal`] |
//! | the paper venue (an [`Exchange`](pm_core::traits::Exchange), outside of `step`) | [`paper`] |
//!
//! What can never happen: a risk-increasing order while the kill switch is tripped or its data are stale; a booking without a venue's word;
//! two orders for one intent.

#![deny(clippy::float_arithmetic)]

mod config;
mod data;
mod decide;
mod engine;
mod episodes;
mod hedger;
pub mod journal;
mod kill;
mod market_state;
mod marks;
mod orders;
pub mod paper;
mod room;
mod rows;
mod sets;
mod settle;
mod stats;
mod structures;
mod unwind;

pub use config::{Capital, EngineConfig, EngineSettings};
pub use engine::{ConfigError, Engine, MarketState};
pub use stats::{Stats, Tally};
