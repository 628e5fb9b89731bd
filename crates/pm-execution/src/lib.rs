//! Mode drivers around the engine: they own the loop, the files and the order of things; the engine owns the decisions.
//!
//! | module | what |
//! |---|---|
//! | [`clock`] | the system clock, paces, spans |
//! | [`driver`] | frames in time order into decoders into the engine; commands out to venues, store and operator; virtual time |
//! | [`journal`] | the journal file: framing, checksums, reading up to the last whole entry |
//! | [`replay`] | a journal through a fresh engine, compared step by step |
//! | [`kill_file`] | the kill switch's local record: fsynced, watched by a running bot, changed by another terminal |
//! | [`source`] | where frames come from |
//!
//! What is deliberately absent: connections (pm-net's), decoding (the venue crates'), decisions (pm-engine's).

pub mod clock;
pub mod driver;
pub mod journal;
pub mod kill_file;
pub mod replay;
pub mod source;
