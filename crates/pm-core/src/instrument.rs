//! Instruments of the hedge venue: spot, perpetuals, dated futures, options. Grid and lot live here so that one rounding rule serves all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fees::FeeSchedule;
use crate::ids::{CurrencyId, InstrumentIdx, UnderlyingId, VenueId};
use crate::time::Ts;
use crate::units::{Px, Qty, Ratio, Usd};

/// Right of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OptionRight {
    /// Pays above the strike.
    Call,
    /// Pays below the strike.
    Put,
}

/// What kind of instrument it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstrumentKind {
    /// Spot pair.
    Spot,
    /// Linear perpetual.
    Perp,
    /// Linear dated future.
    Future {
        /// Delivery.
        expiry: Ts,
    },
    /// European cash-settled option.
    Option {
        /// Expiry.
        expiry: Ts,
        /// Strike.
        strike: Px,
        /// Call or put.
        right: OptionRight,
    },
}

/// A tradable instrument of the hedge venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Index key.
    pub idx: InstrumentIdx,
    /// Venue.
    pub venue: VenueId,
    /// Venue's symbol.
    pub symbol: Arc<str>,
    /// Kind with its terms.
    pub kind: InstrumentKind,
    /// What it is about; `None` when not in the catalog.
    pub underlying: Option<UnderlyingId>,
    /// Settlement (quote) currency.
    pub currency: CurrencyId,
    /// Price grid.
    pub tick: Px,
    /// Quantity grid.
    pub lot: Qty,
    /// Smallest order quantity.
    pub min_qty: Qty,
    /// Smallest order value; zero when the venue states none.
    pub min_notional: Usd,
    /// Largest order quantity; [`Qty::MAX`] when unknown.
    pub max_qty: Qty,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Initial margin rate at the configured leverage (1 = fully paid).
    pub initial_margin: Ratio,
    /// True when the venue takes orders for it now.
    pub trading: bool,
}

impl Instrument {
    /// The order quantity for a wanted one: down to the lot; `None` when below the venue's minimum quantity.
    #[must_use]
    pub fn lot_floor(&self, wanted: Qty) -> Option<Qty> {
        let qty = wanted.floor_to(self.lot).min(self.max_qty);
        (qty.is_positive() && qty >= self.min_qty).then_some(qty)
    }
}
