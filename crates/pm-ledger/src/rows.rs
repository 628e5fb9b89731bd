//! From amounts to rows to balances: drafting, applying all or nothing, counting results.

use pm_core::ids::{CurrencyId, StructureId, VenueId};
use pm_core::opportunity::EvidenceClass;
use pm_core::order::Tradable;
use pm_core::time::Ts;

use crate::account::{Account, Asset};
use crate::entry::{Cause, Entry};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::position::State;

/// What the rows of one posting share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) at: Ts,
    pub(crate) cause: Cause,
    pub(crate) structure: Option<StructureId>,
    pub(crate) class: Option<EvidenceClass>,
}

impl Ledger {
    /// Drafts the rows that lead a position from one state to another, without the result, which is returned for the caller to place.
    pub(crate) fn position_rows(
        &mut self,
        tag: Tag,
        structure: StructureId,
        target: Tradable,
        (venue, currency): (VenueId, CurrencyId),
        before: State,
        after: State,
    ) -> Result<i64, LedgerError> {
        let money = Asset::Currency(currency);
        let change = |a: i64, b: i64, asset| b.checked_sub(a).ok_or(LedgerError::Overflow(asset));
        let counterparty = Account::Counterparty { venue };
        let asset = Asset::of(target);
        self.row(tag, Account::Holding { structure, target }, counterparty, asset, change(before.qty, after.qty, asset)?)?;
        // Shares are paid for in cash; the entry notional of an instrument is only a note of what the other side owes us.
        let payer = match target {
            Tradable::Outcome(..) => Account::Cash { venue, currency },
            Tradable::Instrument(_) => counterparty,
        };
        self.row(tag, Account::Cost { structure, target }, payer, money, change(before.cost, after.cost, money)?)?;
        change(before.realised, after.realised, money)
    }

    /// Drafts one row. A negative amount swaps the sides; zero drafts nothing.
    pub(crate) fn row(
        &mut self,
        tag: Tag,
        debit: Account,
        credit: Account,
        asset: Asset,
        amount: i64,
    ) -> Result<(), LedgerError> {
        let (debit, credit) = if amount < 0 { (credit, debit) } else { (debit, credit) };
        let amount = amount.checked_abs().ok_or(LedgerError::Overflow(asset))?;
        if amount != 0 {
            let Tag { at, cause, structure, class } = tag;
            self.draft.push(Entry { seq: 0, at, debit, credit, asset, amount, cause, structure, class });
        }
        Ok(())
    }

    /// Applies the drafted rows: all balances, or none.
    pub(crate) fn apply(&mut self) -> Result<(), LedgerError> {
        let mut draft = core::mem::take(&mut self.draft);
        let failed = draft.iter().position(|e| self.move_balance(e.debit, e.credit, e.asset, e.amount).is_none());
        if let Some(failed) = failed {
            for e in draft.iter().take(failed).rev() {
                // Going back over balances that were there cannot overflow.
                let _ = self.move_balance(e.credit, e.debit, e.asset, e.amount);
            }
            let asset = draft.get(failed).map_or(Asset::Currency(CurrencyId(0)), |e| e.asset);
            draft.clear();
            self.draft = draft;
            return Err(LedgerError::Overflow(asset));
        }
        for mut entry in draft.drain(..) {
            self.seq += 1;
            entry.seq = self.seq;
            self.count(&entry);
            self.rows.push(entry);
        }
        self.draft = draft;
        Ok(())
    }

    /// `None`, and nothing changed, when a balance would overflow.
    fn move_balance(&mut self, to: Account, from: Account, asset: Asset, amount: i64) -> Option<()> {
        let up = self.balance(to, asset).checked_add(amount)?;
        let down = self.balance(from, asset).checked_sub(amount)?;
        for (account, value) in [(to, up), (from, down)] {
            if value == 0 {
                self.balances.remove(&(account, asset));
            } else {
                self.balances.insert((account, asset), value);
            }
        }
        Some(())
    }

    /// Results by structure and by class.
    fn count(&mut self, entry: &Entry) {
        let Asset::Currency(currency) = entry.asset else { return };
        if self.apart.contains(&currency) {
            return;
        }
        let (mut gross, mut fees) = (0_i128, 0_i128);
        for (account, amount) in [(entry.debit, -i128::from(entry.amount)), (entry.credit, i128::from(entry.amount))] {
            match account {
                Account::Income(_) => gross += amount,
                Account::Expense(_) => fees -= amount,
                _ => {}
            }
        }
        if gross == 0 && fees == 0 {
            return;
        }
        if let Some(structure) = entry.structure {
            let detail = self.structures.entry(structure).or_default();
            detail.gross += gross;
            detail.fees += fees;
        }
        if let Some(class) = entry.class {
            *self.by_class.entry(class).or_default() += gross - fees;
        }
    }
}
