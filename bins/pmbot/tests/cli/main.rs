//! pmbot as a person or a script meets it: command lines in, exit codes, standard output and standard error out. Each test has a state
//! directory and an environment of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

mod bot;
mod data;
mod feasibility;
mod help;
mod incidents;
mod journal;
mod mistakes;
mod operator;
mod paper;
mod recordings;
mod stores;
