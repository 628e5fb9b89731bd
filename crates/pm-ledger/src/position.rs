//! One position (a structure's holding of one thing) as the result of its operations. Keeping the operations, not just their sum, is what
//! makes a late reversal exact: the position is computed again without the voided fill.

use pm_core::ids::{CurrencyId, FillId, VenueId};
use pm_core::num::{Round, SCALE, mul_div};
use pm_core::opportunity::EvidenceClass;
use pm_core::order::{Side, Tradable};
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::account::FeeHop;

/// An open position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Signed quantity. Outcome shares are below zero only after a reversal took away shares that had been sold on.
    pub qty: Qty,
    /// Signed cost basis; for instruments the entry notional.
    pub cost: Usd,
    /// Average entry price, rounded against us; `None` when it does not fit a price.
    pub avg: Option<Px>,
}

/// Quantity, cost and result at 1e-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) qty: i64,
    pub(crate) cost: i64,
    pub(crate) realised: i64,
}

/// A posted fill, with what is needed to undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PostedFill {
    pub(crate) id: FillId,
    pub(crate) side: Side,
    pub(crate) px: Px,
    pub(crate) qty: Qty,
    pub(crate) fee: Usd,
    pub(crate) fee_currency: CurrencyId,
    pub(crate) hop: FeeHop,
    pub(crate) class: Option<EvidenceClass>,
    /// Result that was booked when it was posted.
    pub(crate) booked: i64,
    pub(crate) reversed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Fill(PostedFill),
    /// What a share of this position pays.
    Resolve(Ratio),
}

/// A position's operations and where they led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Track {
    pub(crate) target: Tradable,
    pub(crate) venue: VenueId,
    pub(crate) currency: CurrencyId,
    pub(crate) class: Option<EvidenceClass>,
    pub(crate) state: State,
    pub(crate) ops: Vec<Op>,
}

impl Track {
    pub(crate) const fn new(target: Tradable, venue: VenueId, currency: CurrencyId, class: Option<EvidenceClass>) -> Self {
        Self { target, venue, currency, class, state: State { qty: 0, cost: 0, realised: 0 }, ops: Vec::new() }
    }

    /// The state as it would be without the fill `without`. `None` on overflow.
    pub(crate) fn replay(&self, without: Option<FillId>) -> Option<State> {
        let mut state = State::default();
        for op in &self.ops {
            state = match op {
                Op::Fill(fill) if fill.reversed || Some(fill.id) == without => state,
                Op::Fill(fill) => state.fill(fill.side, fill.px, fill.qty)?,
                Op::Resolve(pays) => state.resolve(*pays)?,
            };
        }
        Some(state)
    }

    /// The result that the market declared, if it did.
    pub(crate) fn resolved(&self) -> Option<Ratio> {
        self.ops.iter().find_map(|op| match op {
            Op::Resolve(pays) => Some(*pays),
            Op::Fill(_) => None,
        })
    }

    pub(crate) fn find(&self, id: FillId) -> Option<&PostedFill> {
        self.ops.iter().find_map(|op| match op {
            Op::Fill(fill) if fill.id == id => Some(fill),
            _ => None,
        })
    }

    pub(crate) fn find_mut(&mut self, id: FillId) -> Option<&mut PostedFill> {
        self.ops.iter_mut().find_map(|op| match op {
            Op::Fill(fill) if fill.id == id => Some(fill),
            _ => None,
        })
    }

    /// The open position; `None` when it is flat.
    pub(crate) fn view(&self) -> Option<Position> {
        let State { qty, cost, .. } = self.state;
        if qty == 0 {
            return None;
        }
        let against_us = if qty > 0 { Round::Up } else { Round::Down };
        let avg = mul_div(cost, SCALE, qty, against_us).map(Px::from_raw);
        Some(Position { qty: Qty::from_raw(qty), cost: Usd::from_raw(cost), avg })
    }
}

/// Signed value of a fill, rounded against us: what a buy costs, up; what a sell brings (below zero), down.
fn value(side: Side, px: Px, qty: i64) -> Option<i64> {
    match side {
        Side::Buy => mul_div(qty, px.raw(), SCALE, Round::Up),
        Side::Sell => mul_div(qty, px.raw(), SCALE, Round::Down)?.checked_neg(),
    }
}

impl State {
    /// After a fill, by average cost. `None` on overflow.
    pub(crate) fn fill(self, side: Side, px: Px, qty: Qty) -> Option<Self> {
        let size = qty.raw();
        let signed = if side == Side::Buy { size } else { size.checked_neg()? };
        let whole = value(side, px, size)?;
        let after = self.qty.checked_add(signed)?;
        let adds = self.qty == 0 || (self.qty > 0) == (signed > 0);
        if adds {
            return Some(Self { qty: after, cost: self.cost.checked_add(whole)?, realised: self.realised });
        }
        let held = self.qty.checked_abs()?;
        let closing = size.min(held);
        let opening = size - closing;
        // All of it takes all of the cost: `cost * held / held` is exact.
        let closing_cost = mul_div(self.cost, closing, held, Round::Down)?;
        let opening_value = value(side, px, opening)?;
        let closing_value = whole.checked_sub(opening_value)?;
        let result = closing_value.checked_neg()?.checked_sub(closing_cost)?;
        Some(Self {
            qty: after,
            cost: self.cost.checked_sub(closing_cost)?.checked_add(opening_value)?,
            realised: self.realised.checked_add(result)?,
        })
    }

    /// After the market paid `pays` a share (rounded down, also for shares that are owed). `None` on overflow.
    pub(crate) fn resolve(self, pays: Ratio) -> Option<Self> {
        let paid = mul_div(self.qty, pays.raw(), SCALE, Round::Down)?;
        let result = paid.checked_sub(self.cost)?;
        Some(Self { qty: 0, cost: 0, realised: self.realised.checked_add(result)? })
    }
}
