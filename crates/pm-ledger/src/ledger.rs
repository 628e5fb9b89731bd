//! The ledger: its state, the one posting function, and how each posting becomes rows. Every posting goes the same way: work out the
//! rows and the new positions without touching anything, apply the rows (undone if a balance overflows), then take over the positions.

use std::collections::{BTreeMap, BTreeSet};

use pm_core::event::{CashKind, CashMovement};
use pm_core::ids::{CurrencyId, FillId, MarketIdx, StructureId, VenueId};
use pm_core::market::Outcome;
use pm_core::num::SCALE;
use pm_core::opportunity::EvidenceClass;
use pm_core::order::{Fill, Tradable};
use pm_core::time::Ts;
use pm_core::units::{Ratio, Usd};

use crate::account::{Account, Asset, FeeHop, PnlCause};
use crate::entry::{Cause, Entry};
use crate::error::LedgerError;
use crate::position::{Op, PostedFill, State, Track};
use crate::posting::Posting;
use crate::rows::Tag;

/// Detail of one structure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Detail {
    pub(crate) gross: i128,
    pub(crate) fees: i128,
    pub(crate) tracks: BTreeMap<Tradable, Track>,
}

/// Double-entry ledger of one run. See the crate's page for the rules.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Balances (debits minus credits) that are not zero.
    pub(crate) balances: BTreeMap<(Account, Asset), i64>,
    pub(crate) structures: BTreeMap<StructureId, Detail>,
    pub(crate) by_class: BTreeMap<EvidenceClass, i128>,
    pub(crate) apart: BTreeSet<CurrencyId>,
    fills: BTreeMap<FillId, (StructureId, Tradable)>,
    pub(crate) rows: Vec<Entry>,
    pub(crate) draft: Vec<Entry>,
    pub(crate) seq: u64,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a currency out of sums over currencies, because its unit is not a dollar. To be named before anything is posted in it.
    pub fn keep_apart(&mut self, currency: CurrencyId) {
        self.apart.insert(currency);
    }

    /// Posts a fact. All-or-nothing: after an error the ledger is as it was.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn post(&mut self, p: Posting<'_>) -> Result<(), LedgerError> {
        self.draft.clear();
        match p {
            Posting::Capital { venue, currency, amount, at } => {
                let tag = Tag { at, cause: Cause::Capital, structure: None, class: None };
                self.post_cash(tag, venue, currency, Account::Capital { venue, currency }, amount)
            }
            Posting::Fill { fill, structure, class, venue, currency, hop } => {
                self.post_fill(fill, structure, class, (venue, currency), hop)
            }
            Posting::Reverse { fill, at } => self.post_reverse(fill, at),
            Posting::Resolve { market, first_pays, venue, currency, at } => {
                self.post_resolve(market, first_pays, (venue, currency), at)
            }
            Posting::Movement { movement, structure, class } => self.post_movement(movement, structure, class),
        }
    }

    /// Rows since the last drain, in order. Rows pile up until somebody drains them.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Entry> {
        self.rows.drain(..)
    }

    /// Drops the detail of a structure and its fills, so that memory stays flat; totals stay. A structure with an open position is kept
    /// (`false`). A later reversal of a forgotten fill gives [`LedgerError::UnknownFill`].
    pub fn forget(&mut self, structure: StructureId) -> bool {
        let open = |d: &Detail| d.tracks.values().any(|t| t.state.qty != 0 || t.state.cost != 0);
        match self.structures.get(&structure) {
            Some(detail) if !open(detail) => {
                for op in detail.tracks.values().flat_map(|t| &t.ops) {
                    if let Op::Fill(fill) = op {
                        self.fills.remove(&fill.id);
                    }
                }
                self.structures.remove(&structure);
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    // --- each kind of posting ---

    fn post_cash(
        &mut self,
        tag: Tag,
        venue: VenueId,
        currency: CurrencyId,
        against: Account,
        amount: Usd,
    ) -> Result<(), LedgerError> {
        self.row(tag, Account::Cash { venue, currency }, against, Asset::Currency(currency), amount.raw())?;
        self.apply()
    }

    fn post_movement(
        &mut self,
        movement: &CashMovement,
        structure: Option<StructureId>,
        class: Option<EvidenceClass>,
    ) -> Result<(), LedgerError> {
        let CashMovement { venue, currency, amount, kind, at } = *movement;
        let (cause, against) = match kind {
            CashKind::Transfer => (Cause::Capital, Account::Capital { venue, currency }),
            CashKind::TransferFee => (Cause::TransferFee, Account::Expense(FeeHop::Transfer)),
            CashKind::Funding { .. } => (Cause::Funding, Account::Income(PnlCause::Funding)),
            CashKind::Gas => (Cause::Gas, Account::Expense(FeeHop::Gas)),
            CashKind::Rebate => (Cause::Rebate, Account::Income(PnlCause::Rebate)),
        };
        self.post_cash(Tag { at, cause, structure, class }, venue, currency, against, amount)
    }

    fn post_fill(
        &mut self,
        fill: &Fill,
        structure: StructureId,
        class: Option<EvidenceClass>,
        place: (VenueId, CurrencyId),
        hop: FeeHop,
    ) -> Result<(), LedgerError> {
        in_range(fill)?;
        if self.fills.contains_key(&fill.id) {
            return Err(LedgerError::DuplicateFill(fill.id));
        }
        let track = self.structures.get(&structure).and_then(|d| d.tracks.get(&fill.target));
        if track.is_some_and(|t| (t.venue, t.currency) != place) {
            return Err(LedgerError::OtherVenue { structure, target: fill.target });
        }
        let before = track.map_or_else(State::default, |t| t.state);
        // A sale of more than is held is booked, too: the venue confirmed it (its buy failed to settle meanwhile). The position is then
        // below zero, which whoever looks at positions must take as an alarm.
        let after = before.fill(fill.side, fill.px, fill.qty).ok_or(LedgerError::Overflow(Asset::Currency(place.1)))?;
        let tag = Tag { at: fill.at, cause: Cause::Fill, structure: Some(structure), class };
        let booked = self.position_rows(tag, structure, fill.target, place, before, after)?;
        self.row(
            tag,
            Account::Cash { venue: place.0, currency: place.1 },
            own_cause(fill.target),
            Asset::Currency(place.1),
            booked,
        )?;
        let fee_tag = Tag { cause: Cause::Fee, ..tag };
        let fee_cash = Account::Cash { venue: place.0, currency: fill.fee_currency };
        self.row(fee_tag, Account::Expense(hop), fee_cash, Asset::Currency(fill.fee_currency), fill.fee.raw())?;
        self.apply()?;

        let tracks = &mut self.structures.entry(structure).or_default().tracks;
        let track = tracks.entry(fill.target).or_insert_with(|| Track::new(fill.target, place.0, place.1, class));
        track.state = after;
        track.ops.push(Op::Fill(PostedFill {
            id: fill.id,
            side: fill.side,
            px: fill.px,
            qty: fill.qty,
            fee: fill.fee,
            fee_currency: fill.fee_currency,
            hop,
            class,
            booked,
            reversed: false,
        }));
        self.fills.insert(fill.id, (structure, fill.target));
        Ok(())
    }

    fn post_reverse(&mut self, id: FillId, at: Ts) -> Result<(), LedgerError> {
        let unknown = LedgerError::UnknownFill(id);
        let (structure, target) = self.fills.get(&id).copied().ok_or(unknown)?;
        let track = self.structures.get(&structure).and_then(|d| d.tracks.get(&target)).ok_or(unknown)?;
        let fill = *track.find(id).ok_or(unknown)?;
        if fill.reversed {
            return Err(LedgerError::AlreadyReversed(id));
        }
        let (before, place) = (track.state, (track.venue, track.currency));
        let asset = Asset::Currency(place.1);
        let after = track.replay(Some(id)).ok_or(LedgerError::Overflow(asset))?;

        let tag = Tag { at, cause: Cause::Reversal, structure: Some(structure), class: fill.class };
        let change = self.position_rows(tag, structure, target, place, before, after)?;
        // The fill's own result goes back where it was booked; what it changed in the results of others is a result of the reversal.
        let undone = fill.booked.checked_neg().ok_or(LedgerError::Overflow(asset))?;
        let others = change.checked_sub(undone).ok_or(LedgerError::Overflow(asset))?;
        let cash = Account::Cash { venue: place.0, currency: place.1 };
        self.row(tag, cash, own_cause(target), asset, undone)?;
        self.row(tag, cash, Account::Income(PnlCause::Reversal), asset, others)?;
        let fee_cash = Account::Cash { venue: place.0, currency: fill.fee_currency };
        self.row(tag, fee_cash, Account::Expense(fill.hop), Asset::Currency(fill.fee_currency), fill.fee.raw())?;
        self.apply()?;

        if let Some(track) = self.structures.get_mut(&structure).and_then(|d| d.tracks.get_mut(&target)) {
            track.state = after;
            if let Some(fill) = track.find_mut(id) {
                fill.reversed = true;
            }
        }
        Ok(())
    }

    fn post_resolve(
        &mut self,
        market: MarketIdx,
        first_pays: Ratio,
        place: (VenueId, CurrencyId),
        at: Ts,
    ) -> Result<(), LedgerError> {
        if first_pays.is_negative() || first_pays > Ratio::ONE {
            return Err(LedgerError::OutOfRange { what: "payoff", raw: first_pays.raw() });
        }
        let payoffs = [(Outcome::First, first_pays), (Outcome::Second, Ratio::ONE - first_pays)];
        let asset = Asset::Currency(place.1);
        let mut paid = Vec::new();
        for (structure, detail) in &self.structures {
            for (outcome, pays) in payoffs {
                let target = Tradable::Outcome(market, outcome);
                let Some(track) = detail.tracks.get(&target) else { continue };
                if (track.venue, track.currency) != place {
                    return Err(LedgerError::OtherVenue { structure: *structure, target });
                }
                match track.resolved() {
                    Some(was) if was != pays => return Err(LedgerError::ResolvedOtherwise(market)),
                    Some(_) if track.state.qty == 0 => continue,
                    _ => {}
                }
                let after = track.state.resolve(pays).ok_or(LedgerError::Overflow(asset))?;
                paid.push((*structure, target, pays, track.class, track.state, after));
            }
        }
        for &(structure, target, _, class, before, after) in &paid {
            let tag = Tag { at, cause: Cause::Settlement, structure: Some(structure), class };
            let result = self.position_rows(tag, structure, target, place, before, after)?;
            let cash = Account::Cash { venue: place.0, currency: place.1 };
            self.row(tag, cash, Account::Income(PnlCause::Settlement), asset, result)?;
        }
        self.apply()?;
        for (structure, target, pays, _, _, after) in paid {
            if let Some(track) = self.structures.get_mut(&structure).and_then(|d| d.tracks.get_mut(&target)) {
                track.state = after;
                track.ops.push(Op::Resolve(pays));
            }
        }
        Ok(())
    }

    /// Debits minus credits of an account in an asset, at 1e-8.
    #[must_use]
    pub fn balance(&self, account: Account, asset: Asset) -> i64 {
        self.balances.get(&(account, asset)).copied().unwrap_or(0)
    }
}

/// Where a fill's own result is booked.
const fn own_cause(target: Tradable) -> Account {
    Account::Income(match target {
        Tradable::Outcome(..) => PnlCause::Exit,
        Tradable::Instrument(_) => PnlCause::Hedge,
    })
}

fn in_range(fill: &Fill) -> Result<(), LedgerError> {
    let refuse = |what, raw| Err(LedgerError::OutOfRange { what, raw });
    if !fill.qty.is_positive() {
        return refuse("quantity", fill.qty.raw());
    }
    let top = if matches!(fill.target, Tradable::Outcome(..)) { SCALE } else { i64::MAX };
    if fill.px.is_negative() || fill.px.raw() > top {
        return refuse("price", fill.px.raw());
    }
    if fill.fee.is_negative() {
        return refuse("fee", fill.fee.raw());
    }
    Ok(())
}
