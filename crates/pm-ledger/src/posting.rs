//! What can be posted. Everything is a fact that a venue confirmed; nothing here is a plan.

use pm_core::event::CashMovement;
use pm_core::ids::{CurrencyId, FillId, MarketIdx, StructureId, VenueId};
use pm_core::opportunity::EvidenceClass;
use pm_core::order::Fill;
use pm_core::time::Ts;
use pm_core::units::{Ratio, Usd};

use crate::account::FeeHop;

/// A fact to post with [`crate::Ledger::post`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posting<'a> {
    /// Deposit or withdrawal: capital, never PnL.
    Capital {
        /// Venue.
        venue: VenueId,
        /// Currency.
        currency: CurrencyId,
        /// Signed: positive = deposit. Zero posts nothing.
        amount: Usd,
        /// When.
        at: Ts,
    },
    /// A fill. Outcome shares move cash against cost; instruments move cash only for the realised result; the fee is an expense.
    Fill {
        /// The fill.
        fill: &'a Fill,
        /// Structure it belongs to.
        structure: StructureId,
        /// Class of evidence of the structure.
        class: Option<EvidenceClass>,
        /// Venue whose cash pays.
        venue: VenueId,
        /// Currency of the trade; the fee is in the fill's own.
        currency: CurrencyId,
        /// Where the fee is paid.
        hop: FeeHop,
    },
    /// The venue voided a fill: it and its fee are undone, whatever happened to the position since.
    Reverse {
        /// The fill.
        fill: FillId,
        /// When.
        at: Ts,
    },
    /// A market resolved: all its holdings are paid. Posting the same result again pays holdings that came later.
    Resolve {
        /// Market.
        market: MarketIdx,
        /// What a share of `First` pays, 0..=1; `Second` pays the rest of 1.
        first_pays: Ratio,
        /// Venue that pays.
        venue: VenueId,
        /// Currency that it pays in.
        currency: CurrencyId,
        /// When.
        at: Ts,
    },
    /// A cash movement that is not a trade: transfer, transfer fee, funding, gas, rebate.
    Movement {
        /// The movement, signed from our point of view.
        movement: &'a CashMovement,
        /// Structure it belongs to, if to one.
        structure: Option<StructureId>,
        /// Class of evidence of the structure.
        class: Option<EvidenceClass>,
    },
}
