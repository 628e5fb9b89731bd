//! Double-entry ledger: chart of accounts, one posting function, and everything else (cash, positions, PnL by cause, fees by hop) as a
//! view of what was posted.
//!
//! One row debits one account and credits another with the same amount of one asset, so the books balance by construction
//! ([`Ledger::check`] proves it). All amounts are integers at 1e-8 of the asset. [`Ledger::post`] is all-or-nothing: an error leaves the
//! ledger as it was.
//!
//! **Rounding.** The value of a fill is rounded against us (a buy up, a sell down). When part of a position closes, its share of the
//! average cost is rounded down; the last part takes what is left, so a closed position costs exactly zero.
//!
//! **Reversal.** A fill that the venue voids is undone as if it had never been: its position is computed again without it, and the
//! difference is posted. Results of *other* fills that change by it (a settlement that paid shares which never arrived) are booked on
//! [`PnlCause::Reversal`], so that nobody rewrites history.
//!
//! **Currencies.** Sums over currencies count each unit as one: collateral and quote currencies are dollar tokens. A currency that is not
//! (a chain's coin) is named with [`Ledger::keep_apart`]; it balances like every other and stays out of those sums.
#![deny(clippy::float_arithmetic)]

mod account;
mod entry;
mod error;
mod ledger;
mod position;
mod posting;
mod rows;
mod views;

pub use account::{Account, Asset, FeeHop, PnlCause};
pub use entry::{Cause, Entry};
pub use error::LedgerError;
pub use ledger::Ledger;
pub use position::Position;
pub use posting::Posting;
pub use views::StructureResult;
