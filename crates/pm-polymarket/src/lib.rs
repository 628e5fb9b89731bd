//! All that is Polymarket: wire decoders, book hash, rule parser, fee schedule.
//!
//! Frames come in as bytes, [`pm_core::event::Event`]s go out; nothing here opens a connection, reads a file or asks a clock.
//!
//! | module | what |
//! |---|---|
//! | [`wire`] | typed, borrowed shapes of the public market-socket frames, tolerant decoding |
//! | [`scan`] | the purpose-made byte scanner for the two hot frames, with [`wire`] as fallback |
//! | [`market`] | [`market::MarketProtocol`]: frames of the market socket to events, in terms of the first outcome |
//! | [`hash`] | the hash that the venue sends with a book |
//! | [`gamma`], [`gamma_feed`], [`clob`] | market metadata: typed model, and the protocol that lists markets |
//! | [`rules`] | rule texts to [`pm_core::market::SettlementRule`] |
//! | [`oracle`], [`live`], [`rtds`] | the values of the settlement oracle, and the two sockets that send them |
//! | [`fees`] | fee estimates in exact decimals |

pub mod clob;
pub mod fees;
pub mod gamma;
pub mod gamma_feed;
pub mod hash;
pub mod live;
pub mod market;
pub mod oracle;
pub mod rtds;
pub mod rules;
pub mod scan;
pub mod text;
mod tokens;
pub mod wire;
