//! Marks: cash plus positions at the mid of the canonical book. A one-sided book marks what can still be sold at the side that takes it; for
//! the other outcome the side that exists only caps its last mark. An empty or lost book keeps the last mark. Triggers and reports read
//! these.

use pm_core::book::{Book, BookState};
use pm_core::command::Command;
use pm_core::fees::Liquidity;
use pm_core::ids::{MarketIdx, StructureId};
use pm_core::market::Outcome;
use pm_core::num::{Round, mul_div};
use pm_core::order::Tradable;
use pm_core::time::Dur;
use pm_core::units::{Px, Usd};

use crate::engine::Engine;

/// Marks of a share of each outcome after a change of their book, from the marks before.
fn marks(book: &Book, before: [Option<Px>; 2]) -> [Option<Px>; 2] {
    if book.state != BookState::Synced {
        return before;
    }
    let capped = |mark: Option<Px>, cap: Px| Some(mark.map_or(cap, |m| m.min(cap)));
    let [first, second] = before;
    match (book.bids.best(), book.asks.best()) {
        (Some(b), Some(a)) => {
            let mid = Px::from_raw(b.px.raw().midpoint(a.px.raw()));
            [Some(mid), Some(mid.complement())]
        }
        (Some(bid), None) => [Some(bid.px), capped(second, bid.px.complement())],
        (None, Some(ask)) => [capped(first, ask.px), Some(ask.px.complement())],
        (None, None) => before,
    }
}

impl Engine {
    /// The book of a market moved: a new mark, and the triggers if something of ours is in it.
    pub(crate) fn mark_market(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        let Some(slot) = self.markets.market_mut(idx) else { return };
        slot.marks = marks(&slot.book, slot.marks);
        if slot.open_structures > 0 && self.now.since(self.equity_at) >= Dur::from_millis(100) {
            self.mark_now(out);
        }
    }

    /// Mark of one unit of a target.
    pub(crate) fn mark_of(&self, target: Tradable) -> Option<Px> {
        match target {
            Tradable::Outcome(m, outcome) => self.markets.market(m)?.marks.get(outcome.slot()).copied().flatten(),
            Tradable::Instrument(i) => self.markets.instrument(i)?.mark,
        }
    }

    /// Value of an open position over its cost.
    pub(crate) fn unrealized(&self, target: Tradable, position: &pm_ledger::Position) -> Usd {
        let Some(mark) = self.mark_of(target) else { return Usd::ZERO };
        Usd::from_raw(mul_div(position.qty.raw(), mark.raw(), pm_core::num::SCALE, Round::Down).unwrap_or(0)) - position.cost
    }

    /// Marks everything now: equity, the loss triggers of day and structures, drawdown.
    pub(crate) fn mark_now(&mut self, out: &mut Vec<Command>) {
        self.equity_at = self.now;
        let mut equity = self.ledger.cash_total();
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
        self.ledger.cash_total() + shares.map(|(_, _, p)| p.cost).sum()
    }

    /// Marked PnL of everything open.
    #[must_use]
    pub fn unrealized_total(&self) -> Usd {
        self.ledger.positions().map(|(_, target, position)| self.unrealized(target, &position)).sum()
    }

    /// What everything open would bring now at executable prices, less fees, over its cost. Shares without a buyer count as lost; a hedge
    /// without a book at its last mark less slip and fee, because its notional was never paid.
    #[must_use]
    pub fn executable_pnl(&self) -> Usd {
        self.ledger
            .positions()
            .map(|(_, target, position)| {
                let value = self.exit_value(target, &position).or_else(|| self.exit_at_mark(target, &position));
                value.map_or(-position.cost.abs(), |v| v - position.cost)
            })
            .sum()
    }

    /// Proceeds of closing an instrument's position at its last mark, less the slip of a hedge order and the taker fee.
    fn exit_at_mark(&self, target: Tradable, position: &pm_ledger::Position) -> Option<Usd> {
        let Tradable::Instrument(i) = target else { return None };
        let slot = self.markets.instrument(i)?;
        let (qty, mark) = (position.qty, slot.mark?);
        let costs = slot.instrument.fees.fee(Liquidity::Taker, mark, qty.abs(), slot.ticker.index)
            + qty.abs().at(mark, Round::Up).scale_by(self.cfg.engine.hedge_slip, Round::Up);
        let value = mul_div(qty.raw(), mark.raw(), pm_core::num::SCALE, Round::Down).map(Usd::from_raw)?;
        Some(value - costs)
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
        let fee = fees.fee(Liquidity::Taker, average, walk.qty, index);
        Some(if side == pm_core::order::Side::Sell { walk.cash - fee } else { -(walk.cash + fee) })
    }
}
