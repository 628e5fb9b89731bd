//! Index keys. Names are resolved once at the edge ([`crate::registry::Registry`]); inside, everything is a small integer, so that state
//! is a slot in an array, events are cheap to copy, and order of iteration is the order of listing.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[repr(transparent)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A venue, as listed in the run's [`crate::registry::Catalog`].
    VenueId(u8)
}
id! {
    /// A currency that cash is held in, as listed in the catalog.
    CurrencyId(u8)
}
id! {
    /// What a market or an instrument is about (BTC, ETH, ...), as listed in the catalog.
    UnderlyingId(u8)
}
id! {
    /// A settlement source (an oracle stream, a spot candle series), as listed in the catalog.
    SourceId(u8)
}
id! {
    /// A feed: one socket, file or generator that frames come from.
    FeedId(u16)
}
id! {
    /// A binary market in the order of listing.
    MarketIdx(u32)
}
id! {
    /// A hedge instrument in the order of listing.
    InstrumentIdx(u32)
}
id! {
    /// An order intent: the client id. One intent is at most one live order, ever.
    IntentId(u64)
}
id! {
    /// A structure: all legs of one trade, entry to settlement.
    StructureId(u64)
}
id! {
    /// An opportunity episode.
    OpportunityId(u64)
}
id! {
    /// A fill. Venues name trades by UUID; other names are hashed to 128 bits at the edge.
    FillId(u128)
}

impl MarketIdx {
    /// As an array position.
    #[inline]
    #[must_use]
    pub const fn slot(self) -> usize {
        widen(self.0)
    }
}

impl InstrumentIdx {
    /// As an array position.
    #[inline]
    #[must_use]
    pub const fn slot(self) -> usize {
        widen(self.0)
    }
}

const fn widen(v: u32) -> usize {
    #[allow(clippy::cast_possible_truncation, reason = "usize has at least 32 bits on every platform this builds for")]
    {
        v as usize
    }
}
const _: () = assert!(usize::BITS >= 32, "index keys need at least 32-bit addresses");
