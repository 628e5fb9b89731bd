//! Rows for the store: what happened, in the words of the schema. Built here so that rooms that decide do not also format.

use std::sync::Arc;

use pm_core::command::{Command, Severity};
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, FillId, InstrumentIdx, IntentId, MarketIdx, StructureId, VenueId};
use pm_core::num::{Round, mul_div};
use pm_core::opportunity::Hedge;
use pm_core::order::{OrderUpdate, Purpose, Side, Tradable};
use pm_core::record::{
    BankrollRow, FeeScheduleRow, FillEventRow, MarketDataRow, OrderEventRow, OrderRow, PositionRow, Record, RiskEventRow,
    TradeRow, TradeStatus,
};
use pm_core::time::Dur;
use pm_core::units::{Qty, Ratio, Usd};
use pm_ledger::Asset;

use crate::engine::Engine;
use crate::orders::OrderSlot;
use crate::structures::Structure;

impl Engine {
    /// Ledger entries since the last call, in order.
    pub(crate) fn write_ledger(&mut self, out: &mut Vec<Command>) {
        let Self { ledger, markets, cfg, .. } = self;
        for entry in ledger.drain() {
            let name = |asset: Asset| -> Arc<str> {
                match asset {
                    Asset::Currency(c) => Arc::from(cfg.catalog.currency_code(c)),
                    Asset::Shares(m, o) => markets
                        .market(m)
                        .and_then(|s| s.market.tokens.get(o.slot()))
                        .map_or_else(|| Arc::from(format!("share:{m}:{}", o.slot())), Arc::clone),
                    Asset::Contract(i) => markets
                        .instrument(i)
                        .map_or_else(|| Arc::from(format!("contract:{i}")), |s| Arc::clone(&s.instrument.symbol)),
                }
            };
            out.push(Command::Persist(Record::Ledger(Box::new(entry.to_row(&name)))));
        }
    }

    fn market_name(&self, target: Tradable) -> Arc<str> {
        match target {
            Tradable::Outcome(m, _) => self.markets.market(m).map_or_else(|| Arc::from("?"), |s| Arc::clone(&s.market.native)),
            Tradable::Instrument(i) => {
                self.markets.instrument(i).map_or_else(|| Arc::from("?"), |s| Arc::clone(&s.instrument.symbol))
            }
        }
    }

    /// Top of a market's book, at most once per interval.
    pub(crate) fn row_market(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        let (now, every) = (self.now, Dur::from_millis(i64::from(self.cfg.engine.market_data_every_ms)));
        let Some(slot) = self.markets.market_mut(idx) else { return };
        if now.since(slot.row_at) < every {
            return;
        }
        slot.row_at = now;
        let (bid, ask, flags) = (slot.book.bids.best(), slot.book.asks.best(), slot.book.flags);
        out.push(Command::Persist(Record::MarketData(MarketDataRow {
            venue: slot.market.venue,
            market: Arc::clone(&slot.market.native),
            best_bid: bid.map(|l| l.px),
            best_ask: ask.map(|l| l.px),
            bid_volume: bid.filter(|_| !flags.bid_sizes_unknown).map(|l| l.qty),
            ask_volume: ask.filter(|_| !flags.ask_sizes_unknown).map(|l| l.qty),
            at: now,
        })));
    }

    /// Top of an instrument's book, at most once per interval.
    pub(crate) fn row_instrument(&mut self, idx: InstrumentIdx, out: &mut Vec<Command>) {
        let (now, every) = (self.now, Dur::from_millis(i64::from(self.cfg.engine.market_data_every_ms)));
        let Some(slot) = self.markets.instrument_mut(idx) else { return };
        if now.since(slot.row_at) < every {
            return;
        }
        slot.row_at = now;
        let (bid, ask) = (slot.book.bids.best(), slot.book.asks.best());
        out.push(Command::Persist(Record::MarketData(MarketDataRow {
            venue: slot.instrument.venue,
            market: Arc::clone(&slot.instrument.symbol),
            best_bid: bid.map(|l| l.px),
            best_ask: ask.map(|l| l.px),
            bid_volume: bid.map(|l| l.qty),
            ask_volume: ask.map(|l| l.qty),
            at: now,
        })));
    }

    /// A listed fee schedule.
    pub(crate) fn row_fees(&self, venue: VenueId, fees: &FeeSchedule, currency: CurrencyId, out: &mut Vec<Command>) {
        let code: Arc<str> = Arc::from(self.cfg.catalog.currency_code(currency));
        let mut row = |kind: &str, rate: Ratio| {
            out.push(Command::Persist(Record::FeeSchedule(FeeScheduleRow {
                venue,
                kind: Arc::from(kind),
                rate: Some(rate),
                fixed: None,
                currency: Arc::clone(&code),
                from: self.now,
            })));
        };
        match *fees {
            FeeSchedule::Free => row("free", Ratio::ZERO),
            FeeSchedule::Curve { rate, maker_rebate, .. } => {
                row("taker_curve_rate", rate);
                row("maker_rebate_share", maker_rebate);
            }
            FeeSchedule::Proportional { taker, maker } => {
                row("taker", taker);
                row("maker", maker);
            }
            FeeSchedule::OptionCapped { taker, maker, cap } => {
                row("option_taker", taker);
                row("option_maker", maker);
                row("option_cap", cap);
            }
        }
    }

    /// An order as it stands.
    pub(crate) fn row_order(&self, id: IntentId, out: &mut Vec<Command>) {
        let Some(o) = self.orders.orders.get(&id) else { return };
        out.push(Command::Persist(Record::Order(Box::new(OrderRow {
            intent: o.intent.clone(),
            market: self.market_name(o.intent.target),
            state: o.state,
            filled: o.filled,
            reason: o.reason,
        }))));
    }

    /// A change of an order, and the order.
    pub(crate) fn row_order_event(&self, update: &OrderUpdate, out: &mut Vec<Command>) {
        out.push(Command::Persist(Record::OrderEvent(OrderEventRow {
            intent: update.intent,
            state: update.state,
            filled: update.filled,
            reason: update.reason,
            at: self.now,
        })));
        self.row_order(update.intent, out);
    }

    /// A fill, or a settlement change of one.
    pub(crate) fn row_fill(&self, id: FillId, out: &mut Vec<Command>) {
        let Some(f) = self.orders.fills.get(&id) else { return };
        out.push(Command::Persist(Record::FillEvent(FillEventRow {
            fill: id,
            intent: f.intent,
            px: f.px,
            qty: f.qty,
            fee: f.fee,
            state: f.state,
            at: self.now,
        })));
    }

    /// A structure's position; `closed` when it just ended.
    pub(crate) fn row_position(&self, id: StructureId, closed: Option<&Structure>, out: &mut Vec<Command>) {
        let Some(s) = closed.or_else(|| self.structures.open.get(&id)) else { return };
        let Some(leg) = s.legs.first() else { return };
        let target = Tradable::Outcome(leg.market, leg.outcome);
        let held = self.ledger.position(id, target);
        let hedge = match s.hedge {
            Hedge::Delta(plan) => self.ledger.position(id, Tradable::Instrument(plan.instrument)).map_or(Qty::ZERO, |p| p.qty),
            Hedge::None(_) => Qty::ZERO,
        };
        let bought = self.bought(id, target);
        out.push(Command::Persist(Record::Position(Box::new(PositionRow {
            structure: id,
            market: self.market_name(target),
            prediction_size: held.map_or(Qty::ZERO, |p| p.qty),
            hedge_size: hedge,
            net_exposure: if closed.is_some() { Usd::ZERO } else { self.at_stake(id, s).1 },
            avg_entry_price: held.and_then(|p| p.avg).or(bought),
            unrealized_pnl: if closed.is_some() { Usd::ZERO } else { s.marked },
            realized_pnl: self.ledger.structure(id).net,
            opened_at: s.opened_at,
            closed_at: closed.map(|_| self.now),
        }))));
    }

    fn bought(&self, id: StructureId, target: Tradable) -> Option<pm_core::units::Px> {
        let orders = || {
            self.orders
                .orders
                .values()
                .filter(move |o| o.intent.structure == id && o.intent.target == target && o.intent.side == Side::Buy)
        };
        let (cash, qty): (Usd, Qty) = (orders().map(|o| o.cash).sum(), orders().map(|o| o.filled).sum());
        cash.per(qty, Round::Up)
    }

    /// All legs of a structure that just closed.
    pub(crate) fn row_trades(&self, id: StructureId, s: &Structure, out: &mut Vec<Command>) {
        for o in self.orders.of(id).filter(|o| o.first_fill_at.is_some()) {
            let gross = if is_entry(o, s) { self.entry_result(id, o, s) } else { o.realized };
            let status = if o.filled.is_zero() { TradeStatus::Failed } else { TradeStatus::Closed };
            out.push(Command::Persist(Record::Trade(Box::new(TradeRow {
                intent: o.intent.id,
                structure: id,
                opportunity: o.opportunity,
                market: self.market_name(o.intent.target),
                side: o.intent.side,
                size: o.filled,
                price: o.cash.per(o.filled, Round::Up).unwrap_or(o.intent.limit),
                venue: o.intent.venue,
                commission: o.fees,
                gas_native: None,
                gas_usd: None,
                transfer_fees: None,
                gross_pnl: Some(gross),
                total_fees: Some(o.fees),
                net_pnl: Some(gross - o.fees),
                status,
                executed_at: o.first_fill_at.unwrap_or(self.now),
                settled_at: Some(self.now),
            }))));
        }
    }

    /// Result of an entry order before fees: its part, by quantity, of what its leg made beyond the orders that reduced it. The first entry
    /// takes what rounding leaves, so that the rows of a leg add up to the ledger.
    fn entry_result(&self, id: StructureId, order: &OrderSlot, s: &Structure) -> Usd {
        let target = order.intent.target;
        let same = || self.orders.of(id).filter(move |o| o.intent.target == target);
        let reduced: Usd = same().filter(|o| !is_entry(o, s)).map(|o| o.realized).sum();
        let whole = self.ledger.leg(id, target) - reduced;
        let bought: Qty = same().filter(|o| is_entry(o, s)).map(|o| o.filled).sum();
        let part = |o: &OrderSlot| {
            let raw = mul_div(whole.raw(), o.filled.raw(), bought.raw(), Round::Down);
            raw.map_or(Usd::ZERO, Usd::from_raw)
        };
        let mut entries = same().filter(|o| is_entry(o, s));
        let first = entries.next().is_some_and(|o| o.intent.id == order.intent.id);
        if first { whole - entries.map(part).sum() } else { part(order) }
    }

    /// Bankroll now.
    pub(crate) fn row_bankroll(&self, out: &mut Vec<Command>) {
        let allocated: Usd = self.structures.open.iter().map(|(id, s)| self.at_stake(*id, s).0).sum();
        let day = self.risk.day();
        let total = &self.stats.total;
        out.push(Command::Persist(Record::Bankroll(BankrollRow {
            at: self.now,
            total_capital: self.equity,
            allocated,
            available: self.ledger.cash_total(),
            daily_pnl: -day.loss,
            daily_drawdown: self.risk.drawdown().day,
            total_trades: total.trades,
            wins: total.wins,
            losses: total.losses,
        })));
    }

    /// A risk event.
    pub(crate) fn row_risk(&mut self, severity: Severity, kind: &str, text: &str, out: &mut Vec<Command>) {
        self.risk_seq += 1;
        out.push(Command::Persist(Record::RiskEvent(Box::new(RiskEventRow {
            seq: self.risk_seq,
            kind: Arc::from(kind),
            severity,
            description: Arc::from(text),
            market: None,
            structure: None,
            at: self.now,
            resolved_at: None,
            notes: None,
        }))));
    }
}

fn is_entry(o: &OrderSlot, s: &Structure) -> bool {
    s.is_leg(o.intent.target) && o.intent.side == Side::Buy && o.intent.purpose != Purpose::Reduce
}
