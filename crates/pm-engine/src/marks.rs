//! Marks: cash plus positions at the mid of the canonical book; a one-sided book marks at the side that exists; an empty or lost book keeps
//! the last mark. Triggers and reports read these.

use pm_core::book::{Book, BookState};
use pm_core::command::Command;
use pm_core::ids::{MarketIdx, StructureId};
use pm_core::market::Outcome;
use pm_core::num::{Round, mul_div};
use pm_core::order::Tradable;
use pm_core::time::Dur;
use pm_core::units::{Px, Usd};

use crate::engine::Engine;

/// Mark of a share of `First`, or of a base unit; `None` when the book says nothing.
fn mark(book: &Book) -> Option<Px> {
    if book.state != BookState::Synced {
        return None;
    }
    match (book.bids.best(), book.asks.best()) {
        (Some(b), Some(a)) => Some(Px::from_raw(b.px.raw().midpoint(a.px.raw()))),
        (Some(only), None) | (None, Some(only)) => Some(only.px),
        (None, None) => None,
    }
}

impl Engine {
    /// The book of a market moved: a new mark, and the triggers if something of ours is in it.
    pub(crate) fn mark_market(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        let Some(slot) = self.markets.market_mut(idx) else { return };
        if let Some(px) = mark(&slot.book) {
            slot.mark = Some(px);
        }
        if slot.open_structures > 0 && self.now.since(self.equity_at) >= Dur::from_millis(100) {
            self.mark_now(out);
        }
    }

    /// Mark of one unit of a target.
    pub(crate) fn mark_of(&self, target: Tradable) -> Option<Px> {
        match target {
            Tradable::Outcome(m, outcome) => {
                let first = self.markets.market(m)?.mark?;
                Some(if outcome == Outcome::First { first } else { first.complement() })
            }
            Tradable::Instrument(i) => self.markets.instrument(i)?.mark,
        }
    }

    /// Value of an open position over its cost.
    fn unrealized(&self, target: Tradable, position: &pm_ledger::Position) -> Usd {
        let Some(mark) = self.mark_of(target) else { return Usd::ZERO };
        Usd::from_raw(mul_div(position.qty.raw(), mark.raw(), pm_core::num::SCALE, Round::Down).unwrap_or(0)) - position.cost
    }

    /// Marks everything now: equity, the loss triggers of day and structures, drawdown.
    pub(crate) fn mark_now(&mut self, out: &mut Vec<Command>) {
        self.equity_at = self.now;
        let mut equity = self.cash_total();
        for structure in self.structures.open.values_mut() {
            structure.marked = Usd::ZERO;
        }
        for (id, target, position) in self.ledger.positions() {
            let open = self.unrealized(target, &position);
            // Shares were paid for: their cost left cash. Instruments were not.
            equity += if matches!(target, Tradable::Outcome(..)) { open + position.cost } else { open };
            if let Some(s) = self.structures.open.get_mut(&id) {
                s.marked += open;
            }
        }
        self.equity = equity;
        let transfers = self.ledger.capital() - self.capital_start;
        self.risk.on_realized(self.now, self.ledger.realized_total());
        let trip = self.risk.on_equity(self.now, equity, transfers);
        self.on_trip(trip, out);
        let mut after = StructureId(0);
        while let Some((id, marked)) = self
            .structures
            .open
            .range((core::ops::Bound::Excluded(after), core::ops::Bound::Unbounded))
            .next()
            .map(|(id, s)| (*id, s.marked))
        {
            let total = marked + self.ledger.structure(id).net;
            let trip = self.risk.on_structure_mark(self.now, id, total);
            self.on_trip(trip, out);
            after = id;
        }
        let hour = self.now.secs().div_euclid(3_600);
        if self.stats.hourly.last().is_none_or(|(h, ..)| *h < hour) {
            self.stats.hourly.push((hour, equity, transfers));
        }
    }

    /// Timer: marks and bankroll rows at their interval.
    pub(crate) fn mark_if_due(&mut self, out: &mut Vec<Command>) {
        if self.now.since(self.equity_at) >= Dur::from_millis(i64::from(self.cfg.engine.equity_every_ms)) {
            self.mark_now(out);
        }
        if self.now.since(self.row_at) >= Dur::from_secs(60) {
            self.row_at = self.now;
            self.row_bankroll(out);
        }
    }

    /// Equity with what is open at cost: gains that are only marks do not make the next stake larger.
    pub(crate) fn equity_at_cost(&self) -> Usd {
        let shares = self.ledger.positions().filter(|(_, target, _)| matches!(target, Tradable::Outcome(..)));
        self.cash_total() + shares.map(|(_, _, p)| p.cost).sum()
    }

    /// Cash over all venues.
    pub(crate) fn cash_total(&self) -> Usd {
        self.prediction_cash() + self.hedge_venue.map_or(Usd::ZERO, |(v, c)| self.ledger.cash(v, c))
    }

    /// Marked PnL of everything open.
    #[must_use]
    pub fn unrealized_total(&self) -> Usd {
        self.ledger.positions().map(|(_, target, position)| self.unrealized(target, &position)).sum()
    }

    /// What everything open would bring now at executable prices, less fees, over its cost. Positions without a book count as lost.
    #[must_use]
    pub fn executable_pnl(&self) -> Usd {
        self.ledger
            .positions()
            .map(|(_, target, position)| self.exit_value(target, &position).map_or(-position.cost.abs(), |v| v - position.cost))
            .sum()
    }

    /// Proceeds of closing a position at the book now, after taker fees; `None` when the book cannot take it all.
    pub(crate) fn exit_value(&self, target: Tradable, position: &pm_ledger::Position) -> Option<Usd> {
        let book = self.book_of(target)?;
        if book.state != BookState::Synced {
            return None;
        }
        let side = if position.qty.is_positive() { pm_core::order::Side::Sell } else { pm_core::order::Side::Buy };
        let (outcome, fees, index) = match target {
            Tradable::Outcome(m, o) => (o, self.markets.market(m)?.market.fees, None),
            Tradable::Instrument(i) => {
                let slot = self.markets.instrument(i)?;
                (Outcome::First, slot.instrument.fees, slot.ticker.index)
            }
        };
        let limit = if side == pm_core::order::Side::Sell { Px::ZERO } else { Px::MAX };
        let walk = book.walk(outcome, side, position.qty.abs(), limit);
        if walk.qty < position.qty.abs() {
            return None;
        }
        let average = walk.average(Round::Down)?;
        let fee = fees.fee(pm_core::fees::Liquidity::Taker, average, walk.qty, index);
        Some(if side == pm_core::order::Side::Sell { walk.cash - fee } else { -(walk.cash + fee) })
    }
}
