//! The order lifecycle: one table of every order that may still matter. Illegal transitions are refused and counted, fills are taken
//! once by their id, and an order without an answer becomes *unknown*, which blocks new risk until its venue has spoken.

use std::collections::BTreeMap;

use pm_core::fees::Liquidity;
use pm_core::ids::{FillId, IntentId, OpportunityId, StructureId};
use pm_core::order::{Fill, OrderIntent, OrderState, OrderUpdate, Purpose, SettlementState, SettlementUpdate, Side, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Qty, Usd};

/// One order.
#[derive(Debug, Clone)]
pub(crate) struct OrderSlot {
    pub(crate) intent: OrderIntent,
    pub(crate) opportunity: Option<OpportunityId>,
    pub(crate) state: OrderState,
    /// Sum of confirmed fills that were not reversed.
    pub(crate) filled: Qty,
    /// Sum of confirmed fills, reversed ones too: what is compared with [`Self::stated`].
    pub(crate) matched: Qty,
    /// Cash of those fills.
    pub(crate) cash: Usd,
    /// Fees of those fills.
    pub(crate) fees: Usd,
    /// PnL that its fills realised (closing orders).
    pub(crate) realized: Usd,
    /// What the venue states as filled; when it is ahead of `matched`, fills are still on their way.
    pub(crate) stated: Qty,
    pub(crate) reason: Option<VenueRefusal>,
    pub(crate) first_fill_at: Option<Ts>,
    /// A fill of it failed to settle; several of one order are one failed execution.
    pub(crate) failed: bool,
}

impl OrderSlot {
    /// True while something of it may still come: it is not done, or its venue states more than the fills that arrived.
    fn is_pending(&self) -> bool {
        !self.state.is_done() || self.matched < self.stated
    }
}

/// A fill as it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FillSlot {
    pub(crate) intent: IntentId,
    pub(crate) structure: StructureId,
    pub(crate) state: SettlementState,
    pub(crate) px: pm_core::units::Px,
    pub(crate) qty: Qty,
    pub(crate) fee: Usd,
    pub(crate) target: Tradable,
    pub(crate) liquidity: Liquidity,
}

/// What an order update meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing new, or an illegal transition (counted).
    None,
    /// The state changed; the order lives on.
    Moved,
    /// The order is done.
    Done,
}

/// What a fill message meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Ours and new: to be booked.
    New,
    /// Ours and new, but void from its first message on: nothing to book.
    Void,
    /// Known already.
    Duplicate,
    /// Of no order that is known.
    Foreign,
}

/// Most settlement words that are kept for fills that did not arrive yet.
const MAX_EARLY: usize = 256;

/// All orders and fills that may still matter.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) orders: BTreeMap<IntentId, OrderSlot>,
    pub(crate) fills: BTreeMap<FillId, FillSlot>,
    pub(crate) illegal: u64,
    pub(crate) duplicates: u64,
    pub(crate) foreign: u64,
    /// Words on the settlement of fills that did not arrive yet: the channels of a venue overtake each other.
    early: BTreeMap<FillId, SettlementUpdate>,
    next: u64,
}

impl Orders {
    pub(crate) fn next_id(&mut self) -> IntentId {
        self.next += 1;
        IntentId(self.next)
    }

    pub(crate) fn insert(&mut self, intent: OrderIntent, opportunity: Option<OpportunityId>) {
        self.orders.insert(
            intent.id,
            OrderSlot {
                intent,
                opportunity,
                state: OrderState::Sent,
                filled: Qty::ZERO,
                matched: Qty::ZERO,
                cash: Usd::ZERO,
                fees: Usd::ZERO,
                realized: Usd::ZERO,
                stated: Qty::ZERO,
                reason: None,
                first_fill_at: None,
                failed: false,
            },
        );
    }

    /// Applies a venue's word. An update for an order that is not ours is counted and ignored.
    pub(crate) fn update(&mut self, update: &OrderUpdate) -> Change {
        let Some(slot) = self.orders.get_mut(&update.intent) else {
            self.foreign += 1;
            return Change::None;
        };
        if !slot.state.may_become(update.state) {
            self.illegal += 1;
            return Change::None;
        }
        if slot.state == update.state && slot.stated == update.filled {
            self.duplicates += 1;
            return Change::None;
        }
        slot.state = update.state;
        slot.stated = slot.stated.max(update.filled);
        slot.reason = update.reason.or(slot.reason);
        if slot.state.is_done() { Change::Done } else { Change::Moved }
    }

    /// Takes a fill once.
    pub(crate) fn fill(&mut self, fill: &Fill) -> Taken {
        if self.fills.contains_key(&fill.id) {
            self.duplicates += 1;
            return Taken::Duplicate;
        }
        let Some(slot) = self.orders.get_mut(&fill.intent) else {
            self.foreign += 1;
            return Taken::Foreign;
        };
        let void = fill.settlement == SettlementState::Failed;
        slot.matched += fill.qty;
        slot.first_fill_at.get_or_insert(fill.at);
        if !void {
            slot.filled += fill.qty;
            slot.cash += fill.qty.at(fill.px, pm_core::num::Round::Up);
            slot.fees += fill.fee;
        }
        self.fills.insert(
            fill.id,
            FillSlot {
                intent: fill.intent,
                structure: slot.intent.structure,
                state: fill.settlement,
                px: fill.px,
                qty: fill.qty,
                fee: fill.fee,
                target: fill.target,
                liquidity: fill.liquidity,
            },
        );
        if void { Taken::Void } else { Taken::New }
    }

    /// The word on a fill's settlement that came before the fill, if one did.
    pub(crate) fn early_word(&mut self, fill: FillId) -> Option<SettlementUpdate> {
        self.early.remove(&fill)
    }

    /// Notes that a fill of an order failed to settle; true for the order's first one.
    pub(crate) fn first_failure(&mut self, intent: IntentId) -> bool {
        self.orders.get_mut(&intent).is_none_or(|o| !core::mem::replace(&mut o.failed, true))
    }

    /// Moves a fill's settlement. `Some` with the fill when the move is legal.
    pub(crate) fn settle(&mut self, update: &SettlementUpdate) -> Option<FillSlot> {
        let Some(fill) = self.fills.get_mut(&update.fill) else {
            // Not "not ours": its fill may be a moment behind. The last word wins; old strangers make room.
            if self.early.len() >= MAX_EARLY {
                self.early.pop_first();
                self.foreign += 1;
            }
            self.early.insert(update.fill, *update);
            return None;
        };
        if !fill.state.may_become(update.state) {
            self.duplicates += 1;
            return None;
        }
        fill.state = update.state;
        let fill = *fill;
        if update.state == SettlementState::Failed
            && let Some(order) = self.orders.get_mut(&fill.intent)
        {
            order.filled -= fill.qty;
            order.cash -= fill.qty.at(fill.px, pm_core::num::Round::Up);
            order.fees -= fill.fee;
        }
        Some(fill)
    }

    /// All orders of a structure.
    pub(crate) fn of(&self, structure: StructureId) -> impl Iterator<Item = &OrderSlot> {
        self.orders.values().filter(move |o| o.intent.structure == structure)
    }

    /// Orders of a structure that are not done, or whose stated fills have not all arrived.
    pub(crate) fn pending(&self, structure: StructureId) -> impl Iterator<Item = &OrderSlot> {
        self.orders.values().filter(move |o| o.intent.structure == structure && o.is_pending())
    }

    /// True when an order of the structure with this purpose is not done, or its stated fills have not all arrived.
    pub(crate) fn is_pending(&self, structure: StructureId, purpose: Purpose) -> bool {
        self.orders.values().any(|o| o.intent.structure == structure && o.intent.purpose == purpose && o.is_pending())
    }

    /// True when a purchase of shares of the structure is on its way.
    pub(crate) fn buys_pending(&self, structure: StructureId) -> bool {
        self.pending(structure).any(|o| o.intent.side == Side::Buy && matches!(o.intent.target, Tradable::Outcome(..)))
    }

    /// True when any order's outcome is unknown.
    pub(crate) fn any_unknown(&self) -> bool {
        self.orders.values().any(|o| o.state == OrderState::Unknown)
    }

    /// Orders that were decided before `now - after` and have no answer, or only the word that they are held, become unknown. Returns how
    /// many did now.
    pub(crate) fn age(&mut self, now: Ts, after: Dur) -> u32 {
        let mut aged = 0;
        for order in self.orders.values_mut() {
            if matches!(order.state, OrderState::Sent | OrderState::Held) && now.since(order.intent.decided_at) > after {
                order.state = OrderState::Unknown;
                aged += 1;
            }
        }
        aged
    }

    /// Drops everything of a closed structure.
    pub(crate) fn forget(&mut self, structure: StructureId) {
        self.orders.retain(|_, o| o.intent.structure != structure);
        self.fills.retain(|_, f| f.structure != structure);
    }

    /// True when every fill of the structure is final.
    pub(crate) fn all_final(&self, structure: StructureId) -> bool {
        self.fills.values().filter(|f| f.structure == structure).all(|f| f.state.is_final())
    }
}
