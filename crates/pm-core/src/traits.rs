//! The seams. Each is small, object-safe, named for a role, and testable with a fake.

use async_trait::async_trait;

use crate::book::Book;
use crate::command::VenueCommand;
use crate::event::{BookId, Event};
use crate::ids::{InstrumentIdx, MarketIdx, VenueId};
use crate::instrument::Instrument;
use crate::market::Market;
use crate::record::Record;
use crate::registry::Registry;
use crate::time::{Stamp, Ts};

/// Where time comes from. Only drivers hold one.
pub trait Clock: Send + Sync {
    /// Wall and monotonic time.
    fn now(&self) -> Stamp;
}

/// What the market looks like now: read access for venues that fill against it.
pub trait MarketView {
    /// A listed market.
    fn market(&self, market: MarketIdx) -> Option<&Market>;
    /// A listed instrument.
    fn instrument(&self, instrument: InstrumentIdx) -> Option<&Instrument>;
    /// A book.
    fn book(&self, book: BookId) -> Option<&Book>;
    /// Index price of an instrument, if its ticker carries one.
    fn index_price(&self, instrument: InstrumentIdx) -> Option<crate::units::Px>;
}

/// Takes events, in order.
pub trait EventSink {
    /// One event.
    fn event(&mut self, event: Event<'_>);
}

impl<F: FnMut(Event<'_>)> EventSink for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}

/// A venue: commands in, events out in time order. The paper venue computes them in virtual time; live adapters bridge to sockets.
pub trait Exchange {
    /// The venue it trades on.
    fn venue(&self) -> VenueId;
    /// Takes a command. Answers come later as events, never from here.
    fn submit(&mut self, now: Ts, command: &VenueCommand);
    /// Sees every event that the engine saw, after the engine, with the market as it is then. Live adapters ignore it.
    fn observe(&mut self, now: Ts, event: &Event<'_>, view: &dyn MarketView);
    /// When the next answer is due; [`Ts::MAX`] when none is.
    fn next_due(&self) -> Ts;
    /// Gives the answers that are due at or before `now`, in time order, with the market as it is at `now`.
    fn poll(&mut self, now: Ts, view: &dyn MarketView, out: &mut dyn EventSink);
}

/// Why a signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key is locked or gone.
    #[error("the signing key is not available")]
    KeyUnavailable,
    /// The signer refused the digest.
    #[error("the signer refused: {0}")]
    Refused(String),
}

/// Signs digests with a key that never leaves it.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Address of the key, 20 bytes.
    fn address(&self) -> [u8; 20];
    /// Recoverable secp256k1 signature `r || s || v` over a 32-byte digest.
    async fn sign_digest(&self, digest: [u8; 32]) -> Result<[u8; 65], SignError>;
}

/// Why a store operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nobody answers, or the file cannot be opened.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The schema is not the one this program needs.
    #[error("the store's schema does not fit: {0}")]
    Schema(String),
    /// The store refused a row or a query.
    #[error("the store refused: {0}")]
    Refused(String),
    /// There is no such row.
    #[error("not found: {0}")]
    NotFound(String),
}

/// Durable rows. One run writes; reports read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a batch in one transaction, in order.
    async fn write(&self, batch: &[Record]) -> Result<(), StoreError>;
    /// True when it answers.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Why a frame was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", at.map(|p| format!(" at byte {p}")).unwrap_or_default())]
pub struct DecodeError {
    /// What is wrong, with the field.
    pub what: String,
    /// Where in the frame, when known.
    pub at: Option<usize>,
}

impl DecodeError {
    /// An error without a place.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), at: None }
    }
    /// An error with a place.
    #[must_use]
    pub fn at(what: impl Into<String>, at: usize) -> Self {
        Self { what: what.into(), at: Some(at) }
    }
}

/// What a frame was, for counts and liveness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// Carried market data or metadata.
    Data,
    /// Acknowledgements, pongs, welcome messages.
    Control,
    /// A message type this program does not know; counted, never an error.
    Unknown,
    /// Well-formed, about ids that were not asked for.
    Foreign,
}

/// One feed's protocol, sans-I/O: frames in, events out. Connections, timers and files are somebody else's.
pub trait FeedProtocol {
    /// Decodes one frame and emits its events in order. Index keys for new markets and instruments come from `registry`.
    ///
    /// # Errors
    /// The frame was not understood; no event of it may have been emitted half-way except whole, valid ones before the error.
    fn decode(
        &mut self,
        at: Stamp,
        frame: &[u8],
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, DecodeError>;
    /// Sees every [`Event::MarketListed`], [`Event::MarketChanged`] and [`Event::InstrumentListed`] of the run, whichever feed emitted it,
    /// so that the protocol can map venue ids to index keys.
    fn learn(&mut self, _listing: &Event<'_>) {}
    /// The feed's connection was lost or begins anew: continuity ends. Emits what follows from it (books lost).
    fn reset(&mut self, out: &mut dyn EventSink);
    /// Subscription frames to send after connecting, in order; empty for feeds without subscriptions.
    fn subscribe(&self) -> Vec<String> {
        Vec::new()
    }
    /// What the protocol counted, by stable names, for people and tools; counts only grow, also over resets. Empty when it counts nothing.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
