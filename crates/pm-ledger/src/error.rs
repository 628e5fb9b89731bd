//! Why a posting was refused, or what does not add up.

use pm_core::ids::{FillId, MarketIdx, StructureId};
use pm_core::order::Tradable;

use crate::account::{Asset, TargetText};

/// Why a posting was refused (the ledger is then unchanged), or what [`crate::Ledger::check`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A quantity of zero or less, a price or a fee below zero, an outcome price or payoff above one.
    #[error("{what} is out of range: {raw} at 1e-8")]
    OutOfRange {
        /// Which field.
        what: &'static str,
        /// Its value at scale 1e-8.
        raw: i64,
    },
    /// The fill was posted before.
    #[error("fill {0} was posted before")]
    DuplicateFill(FillId),
    /// No such fill, or its structure was forgotten.
    #[error("fill {0} is unknown, or its structure was closed and forgotten")]
    UnknownFill(FillId),
    /// The fill was reversed before.
    #[error("fill {0} was reversed before")]
    AlreadyReversed(FillId),
    /// A position is kept on one venue in one currency; the posting names another.
    #[error("structure {structure} keeps {} on another venue or in another currency", TargetText(*target))]
    OtherVenue {
        /// Structure.
        structure: StructureId,
        /// Position.
        target: Tradable,
    },
    /// The market was resolved before, with another result.
    #[error("market {0} was resolved before with another result")]
    ResolvedOtherwise(MarketIdx),
    /// A balance would leave the range of the ledger.
    #[error("a balance in {0} would overflow")]
    Overflow(Asset),
    /// Debits and credits of an asset differ.
    #[error("{asset} does not balance: debits minus credits are {off} at 1e-8")]
    Unbalanced {
        /// Asset.
        asset: Asset,
        /// Debits minus credits at 1e-8.
        off: i128,
    },
    /// A position does not agree with its accounts, or a closed one has cost.
    #[error("structure {structure}: the position in {} does not agree with its accounts", TargetText(*target))]
    PositionOff {
        /// Structure.
        structure: StructureId,
        /// Position.
        target: Tradable,
    },
    /// Cash is not capital plus realised result minus open cost.
    #[error("cash in {asset} is off by {off} at 1e-8 against capital, result and open cost")]
    CashOff {
        /// Currency.
        asset: Asset,
        /// Difference at 1e-8.
        off: i128,
    },
}
