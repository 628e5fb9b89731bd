//! One file a command.

pub(crate) mod db;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod markets;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod switch;
pub(crate) mod why;
