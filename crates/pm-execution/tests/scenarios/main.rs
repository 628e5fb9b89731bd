//! Scripted scenarios: frames as the venues send them, through the real decoders, engine, driver and paper venues, with fills, fees, hedge,
//! settlement, ledger and result worked out by hand to the last unit. The working stands beside each assertion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod above;
mod bad_input;
mod bench;
mod books;
mod clips;
mod epochs;
mod frames;
mod gates;
mod hedges;
mod invariants;
mod repairs;
mod script;
mod sets;
mod settlement;
mod streams;
mod taking;
mod triggers;
mod unwinding;
mod up_down;
mod venue;
mod world;
