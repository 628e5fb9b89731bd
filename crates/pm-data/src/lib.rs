//! Recordings of raw frames, their replay, importers of foreign data sets, and the inspection of both. The offline half: no network.
//!
//! | module | what |
//! |---|---|
//! | [`recording`] | the `.pmrec` file: writer, reader, merge of several files by time |
//! | [`derived`] | normalised records that importers write where no raw frame exists, and the protocol that decodes them |
//! | [`import`] | importers: generic shapes driven by mapping files |
//! | [`inspect`] | what is in a recording: frames, spans, gaps, errors, crossed books |
//!
//! No venue's format is decoded here: raw frames are stored verbatim and read by the crate of their venue.

pub mod derived;
pub mod import;
pub mod inspect;
mod json;
pub mod recording;
