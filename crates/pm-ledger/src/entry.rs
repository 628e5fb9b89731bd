//! A row of the ledger.

use std::sync::Arc;

use pm_core::ids::StructureId;
use pm_core::opportunity::EvidenceClass;
use pm_core::record::LedgerRow;
use pm_core::time::Ts;
use serde::{Deserialize, Serialize};

use crate::account::{Account, Asset};

/// What made us write the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// Deposit or withdrawal.
    Capital,
    /// A fill.
    Fill,
    /// The fee of a fill.
    Fee,
    /// A market's resolution.
    Settlement,
    /// Funding of a perpetual.
    Funding,
    /// Maker rebate.
    Rebate,
    /// Network fee.
    Gas,
    /// Fee of a deposit or withdrawal.
    TransferFee,
    /// A voided fill.
    Reversal,
}

impl Cause {
    /// Code in database and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capital => "capital",
            Self::Fill => "fill",
            Self::Fee => "fee",
            Self::Settlement => "settlement",
            Self::Funding => "funding",
            Self::Rebate => "rebate",
            Self::Gas => "gas",
            Self::TransferFee => "transfer_fee",
            Self::Reversal => "reversal",
        }
    }
}

/// A row: `amount` of `asset` goes from `credit` to `debit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counter of the run: 1, 2, 3, ... without gaps.
    pub seq: u64,
    /// When, by the venue's time.
    pub at: Ts,
    /// Account that receives.
    pub debit: Account,
    /// Account that gives.
    pub credit: Account,
    /// What.
    pub asset: Asset,
    /// How much, at 1e-8 of the asset; above zero.
    pub amount: i64,
    /// What made us write it.
    pub cause: Cause,
    /// Structure it belongs to.
    pub structure: Option<StructureId>,
    /// Class of evidence.
    pub class: Option<EvidenceClass>,
}

impl Entry {
    /// The row for the store. `asset_name` gives the asset's code (the ledger knows no names).
    #[must_use]
    pub fn to_row(&self, asset_name: &dyn Fn(Asset) -> Arc<str>) -> LedgerRow {
        LedgerRow {
            seq: self.seq,
            at: self.at,
            debit: self.debit.to_string().into(),
            credit: self.credit.to_string().into(),
            asset: asset_name(self.asset),
            amount: self.amount,
            cause: self.cause.as_str().into(),
            structure: self.structure,
            class: self.class,
        }
    }
}
