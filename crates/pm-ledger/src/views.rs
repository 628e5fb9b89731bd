//! Views: everything a person or the engine asks of the ledger, read from the balances and positions; and the check that they agree.

use std::collections::BTreeMap;

use pm_core::ids::{CurrencyId, StructureId, VenueId};
use pm_core::opportunity::EvidenceClass;
use pm_core::order::Tradable;
use pm_core::units::Usd;

use crate::account::{Account, Asset, FeeHop, PnlCause};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::position::Position;

/// Realised result of one structure, over all its legs and venues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StructureResult {
    /// Before fees.
    pub gross: Usd,
    /// Fees, gas and transfer costs that were posted for the structure.
    pub fees: Usd,
    /// `gross - fees`.
    pub net: Usd,
}

/// Sums are kept in 128 bits; a view that does not fit shows the largest value.
fn usd(sum: i128) -> Usd {
    let widest = if sum < 0 { i64::MIN } else { i64::MAX };
    Usd::from_raw(i64::try_from(sum).unwrap_or(widest))
}

impl Ledger {
    /// Cash on a venue in a currency.
    #[must_use]
    pub fn cash(&self, venue: VenueId, currency: CurrencyId) -> Usd {
        Usd::from_raw(self.balance(Account::Cash { venue, currency }, Asset::Currency(currency)))
    }

    /// Cash over all venues and currencies (without those kept apart).
    #[must_use]
    pub fn cash_total(&self) -> Usd {
        usd(self.sum(|a| matches!(a, Account::Cash { .. })))
    }

    /// The open position of a structure; `None` when it is flat.
    #[must_use]
    pub fn position(&self, structure: StructureId, target: Tradable) -> Option<Position> {
        self.structures.get(&structure)?.tracks.get(&target)?.view()
    }

    /// All open positions, by structure, then target.
    pub fn positions(&self) -> impl Iterator<Item = (StructureId, Tradable, Position)> {
        self.structures
            .iter()
            .flat_map(|(structure, d)| d.tracks.iter().filter_map(|(target, t)| t.view().map(|p| (*structure, *target, p))))
    }

    /// Realised result of a structure so far; zero for an unknown or forgotten one.
    #[must_use]
    pub fn structure(&self, structure: StructureId) -> StructureResult {
        self.structures.get(&structure).map_or_else(StructureResult::default, |d| StructureResult {
            gross: usd(d.gross),
            fees: usd(d.fees),
            net: usd(d.gross - d.fees),
        })
    }

    /// Realised result of one leg of a structure, before fees; zero for an unknown or forgotten one.
    #[must_use]
    pub fn leg(&self, structure: StructureId, target: Tradable) -> Usd {
        let track = self.structures.get(&structure).and_then(|d| d.tracks.get(&target));
        track.map_or(Usd::ZERO, |t| Usd::from_raw(t.state.realised))
    }

    /// Fees paid at a hop.
    #[must_use]
    pub fn fees(&self, hop: FeeHop) -> Usd {
        usd(self.sum(|a| a == Account::Expense(hop)))
    }

    /// Fees paid at all hops.
    #[must_use]
    pub fn fees_total(&self) -> Usd {
        usd(self.sum(|a| matches!(a, Account::Expense(_))))
    }

    /// Fees paid at a hop in one currency; also for currencies that are kept apart.
    #[must_use]
    pub fn fees_in(&self, hop: FeeHop, currency: CurrencyId) -> Usd {
        Usd::from_raw(self.balance(Account::Expense(hop), Asset::Currency(currency)))
    }

    /// Realised result by cause, before fees.
    #[must_use]
    pub fn pnl(&self, cause: PnlCause) -> Usd {
        usd(-self.sum(|a| a == Account::Income(cause)))
    }

    /// Realised result after fees of all structures of a class of evidence.
    #[must_use]
    pub fn net_by_class(&self, class: EvidenceClass) -> Usd {
        usd(self.by_class.get(&class).copied().unwrap_or(0))
    }

    /// Realised result of everything, after all fees.
    #[must_use]
    pub fn realized_total(&self) -> Usd {
        usd(-self.sum(|a| matches!(a, Account::Income(_) | Account::Expense(_))))
    }

    /// Deposits minus withdrawals.
    #[must_use]
    pub fn capital(&self) -> Usd {
        usd(-self.sum(|a| matches!(a, Account::Capital { .. })))
    }

    /// Cost of open outcome shares (instruments bind no cash at entry).
    #[must_use]
    pub fn open_cost(&self) -> Usd {
        usd(self.sum(|a| matches!(a, Account::Cost { target: Tradable::Outcome(..), .. })))
    }

    /// Sum of balances over dollar currencies.
    fn sum(&self, wanted: impl Fn(Account) -> bool) -> i128 {
        let counts = |asset: &Asset| matches!(asset, Asset::Currency(c) if !self.apart.contains(c));
        self.balances.iter().filter(|((account, asset), _)| counts(asset) && wanted(*account)).map(|(_, v)| i128::from(*v)).sum()
    }

    /// Trial balance: per asset debits equal credits over all accounts; positions agree with their accounts and closed ones cost nothing;
    /// per currency, cash = capital + realised result - open cost.
    ///
    /// # Errors
    /// The first thing that does not add up.
    pub fn check(&self) -> Result<(), LedgerError> {
        let mut off: BTreeMap<Asset, i128> = BTreeMap::new();
        for ((_, asset), value) in &self.balances {
            *off.entry(*asset).or_default() += i128::from(*value);
        }
        if let Some((asset, off)) = off.into_iter().find(|(_, off)| *off != 0) {
            return Err(LedgerError::Unbalanced { asset, off });
        }
        self.check_positions()?;
        self.check_cash()
    }

    fn check_positions(&self) -> Result<(), LedgerError> {
        for (structure, detail) in &self.structures {
            for (target, track) in &detail.tracks {
                let (structure, target) = (*structure, *target);
                let qty = self.balance(Account::Holding { structure, target }, Asset::of(target));
                let cost = self.balance(Account::Cost { structure, target }, Asset::Currency(track.currency));
                if (qty, cost) != (track.state.qty, track.state.cost) || (qty == 0 && cost != 0) {
                    return Err(LedgerError::PositionOff { structure, target });
                }
            }
        }
        // No account without a position, and none in a foreign asset.
        for (account, asset) in self.balances.keys() {
            let (structure, target, holding) = match *account {
                Account::Holding { structure, target } => (structure, target, true),
                Account::Cost { structure, target } => (structure, target, false),
                _ => continue,
            };
            let track = self.structures.get(&structure).and_then(|d| d.tracks.get(&target));
            let own = |currency| if holding { Asset::of(target) } else { Asset::Currency(currency) };
            if track.is_none_or(|t| own(t.currency) != *asset) {
                return Err(LedgerError::PositionOff { structure, target });
            }
        }
        Ok(())
    }

    /// Cash against capital, result and open cost: the trial balance with the noted notionals of instruments taken out on both sides.
    fn check_cash(&self) -> Result<(), LedgerError> {
        let mut off: BTreeMap<Asset, i128> = BTreeMap::new();
        for ((account, asset), value) in &self.balances {
            let counts = match account {
                Account::Cash { .. } | Account::Capital { .. } | Account::Income(_) | Account::Expense(_) => true,
                Account::Cost { target, .. } => matches!(target, Tradable::Outcome(..)),
                Account::Holding { .. } | Account::Counterparty { .. } => false,
            };
            if counts && matches!(asset, Asset::Currency(_)) {
                *off.entry(*asset).or_default() += i128::from(*value);
            }
        }
        match off.into_iter().find(|(_, off)| *off != 0) {
            Some((asset, off)) => Err(LedgerError::CashOff { asset, off }),
            None => Ok(()),
        }
    }
}
