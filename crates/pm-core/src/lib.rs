//! The shared language of pmbot: units, ids, markets, books, orders, events, commands, typed refusals, and the traits that crates meet at.
//!
//! What comes in is an [`event::Event`], what goes out is a [`command::Command`]. Numbers are integers at one scale ([`units`]); names are
//! resolved once ([`registry`]); a market's rule is data ([`market::SettlementRule`]); a refusal has a type ([`refusal::Refusal`]).
//!
//! What is deliberately absent: clocks, files, sockets, random sources, async runtimes, venue names, floats.
#![deny(clippy::float_arithmetic)]

pub mod approval;
pub mod book;
pub mod budget;
pub mod command;
pub mod event;
pub mod fees;
pub mod ids;
pub mod instrument;
pub mod market;
pub mod num;
pub mod opportunity;
pub mod order;
pub mod record;
pub mod refusal;
pub mod registry;
pub mod time;
pub mod traits;
pub mod units;
pub mod wire_text;
