//! Market data into state: books, tickers, listings. Ends by asking `decide` whether something is worth doing.

use std::sync::Arc;

use pm_core::book::{BookFlags, BookLoss, Level, Touch};
use pm_core::command::Command;
use pm_core::event::{BookId, Ticker};
use pm_core::ids::{InstrumentIdx, MarketIdx, UnderlyingId};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, MarketChange, Rule};
use pm_core::num::Round;
use pm_core::record::Record;
use pm_core::refusal::Refusal;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Usd};
use pm_strategy::Fair;

use crate::engine::Engine;

impl Engine {
    pub(crate) fn on_snapshot(
        &mut self,
        id: BookId,
        bids: &[Level],
        asks: &[Level],
        at: Ts,
        flags: BookFlags,
        out: &mut Vec<Command>,
    ) {
        let now = self.now;
        let touch = match id {
            BookId::Market(m) => self.markets.market_mut(m).map(|s| s.book.apply_snapshot(bids, asks, at, now, flags)),
            BookId::Instrument(i) => self.markets.instrument_mut(i).map(|s| s.book.apply_snapshot(bids, asks, at, now, flags)),
        };
        self.after_book(id, touch, out);
    }

    pub(crate) fn on_delta(&mut self, id: BookId, bids: &[Level], asks: &[Level], at: Ts, out: &mut Vec<Command>) {
        let now = self.now;
        let touch = match id {
            BookId::Market(m) => self.markets.market_mut(m).map(|s| s.book.apply_delta(bids, asks, at, now)),
            BookId::Instrument(i) => self.markets.instrument_mut(i).map(|s| s.book.apply_delta(bids, asks, at, now)),
        };
        self.after_book(id, touch, out);
    }

    fn after_book(&mut self, id: BookId, touch: Option<Touch>, out: &mut Vec<Command>) {
        match (id, touch) {
            (BookId::Market(m), Some(Touch::Moved)) => {
                self.mark_market(m, out);
                self.row_market(m, out);
                self.evaluate(m, out);
            }
            // Depth behind the touch changed: matters only to an episode whose size it limits.
            (BookId::Market(m), Some(Touch::Same)) if self.markets.market(m).is_some_and(|s| s.episode) => self.evaluate(m, out),
            (BookId::Instrument(i), Some(Touch::Moved)) => {
                self.row_instrument(i, out);
                self.on_hedge_touch(i, out);
            }
            _ => {}
        }
    }

    pub(crate) fn on_book_lost(&mut self, id: BookId, why: BookLoss) {
        match id {
            BookId::Market(m) => {
                if let Some(slot) = self.markets.market_mut(m) {
                    slot.book.lose(why);
                }
            }
            BookId::Instrument(i) => {
                if let Some(slot) = self.markets.instrument_mut(i) {
                    slot.book.lose(why);
                }
            }
        }
    }

    /// The touch of an instrument moved: a new mid for its underlying, if it is the hedge instrument.
    fn on_hedge_touch(&mut self, idx: InstrumentIdx, out: &mut Vec<Command>) {
        let Some(slot) = self.markets.instrument_mut(idx) else { return };
        let Some(mid) = slot.book.mid() else { return };
        slot.mark = Some(mid);
        let Some(underlying) = slot.instrument.underlying else { return };
        if self.markets.underlying(underlying).and_then(|u| u.hedge) != Some(idx) {
            return;
        }
        self.model.on_hedge_mid(underlying, mid, self.now);
        let moved = self.markets.underlying(underlying).is_some_and(|u| match u.priced_mid {
            None => true,
            Some(before) => (mid - before).abs().raw() > before.scale_by(self.cfg.engine.reprice_move, Round::Down).raw(),
        });
        if moved {
            self.reprice(underlying, mid, out);
        }
    }

    pub(crate) fn on_ticker(&mut self, idx: InstrumentIdx, ticker: &Ticker, at: Ts, out: &mut Vec<Command>) {
        let now = self.now;
        let Some(slot) = self.markets.instrument_mut(idx) else { return };
        slot.ticker = *ticker;
        slot.ticker_at = at;
        // Where no book of the instrument is fed, the ticker's touch (or mark) stands in for the mid.
        if slot.book.state != pm_core::book::BookState::Synced {
            let mid = match (ticker.bid, ticker.ask) {
                (Some(b), Some(a)) if b < a => Some(Px::from_raw(b.raw().midpoint(a.raw()))),
                _ => ticker.mark.or(ticker.last),
            };
            let (Some(mid), Some(underlying)) = (mid, slot.instrument.underlying) else { return };
            slot.mark = Some(mid);
            if self.markets.underlying(underlying).and_then(|u| u.hedge) == Some(idx) {
                self.model.on_hedge_mid(underlying, mid, now);
                self.reprice(underlying, mid, out);
            }
        }
    }

    pub(crate) fn on_market(&mut self, market: &Market, out: &mut Vec<Command>) {
        let new = self.markets.list_market(market);
        if let Rule::Understood(rule) = &market.rule {
            self.model.watch(rule);
        }
        if new {
            out.push(Command::Persist(Record::Market(Arc::new(market.clone()))));
            self.row_fees(market.venue, &market.fees, market.currency, out);
        }
    }

    pub(crate) fn on_market_change(&mut self, idx: MarketIdx, change: &MarketChange) {
        if let Some(slot) = self.markets.market_mut(idx) {
            slot.market.apply(change);
            slot.fair_at = Ts::ZERO;
        }
    }

    pub(crate) fn on_instrument(&mut self, instrument: &Instrument, out: &mut Vec<Command>) {
        if self.markets.list_instrument(instrument) {
            out.push(Command::Persist(Record::Instrument(Arc::new(instrument.clone()))));
            self.row_fees(instrument.venue, &instrument.fees, instrument.currency, out);
        }
    }

    /// Fair value of a market now, or why there is none.
    pub(crate) fn price(&self, market: &Market) -> Result<Fair, Refusal> {
        let rule = market.rule.understood().ok_or(Refusal::RuleNotUnderstood)?;
        if market.underlying.is_none() {
            return Err(Refusal::NoUnderlying);
        }
        self.model.fair(rule, self.now)
    }

    /// Brings a market's cached fair value up to now when it is older than the setting.
    pub(crate) fn freshen(&mut self, idx: MarketIdx, force: bool) {
        let Some(slot) = self.markets.market(idx) else { return };
        let age = self.now.since(slot.fair_at);
        if !force && age < Dur::from_millis(i64::from(self.cfg.engine.reprice_after_ms)) {
            return;
        }
        let fair = self.price(&slot.market);
        let now = self.now;
        let mut first = false;
        if let Some(slot) = self.markets.market_mut(idx) {
            first = fair.is_ok() && slot.fair.is_err() && !slot.priced;
            slot.priced |= fair.is_ok();
            slot.fair = fair;
            slot.fair_at = now;
        }
        self.stats.priced += u64::from(first);
    }

    /// Prices all markets of an underlying anew and looks at each.
    fn reprice(&mut self, underlying: UnderlyingId, mid: Px, out: &mut Vec<Command>) {
        let now = self.now;
        let Some(slot) = self.markets.underlying_mut(underlying) else { return };
        slot.priced_mid = Some(mid);
        slot.priced_at = now;
        let mut at = 0;
        while let Some(idx) = self.markets.underlying(underlying).and_then(|u| u.markets.get(at).copied()) {
            self.freshen(idx, true);
            self.evaluate_repriced(idx, out);
            at += 1;
        }
    }

    /// Time-driven repricing, from the timer: an underlying that did not move still gets older.
    pub(crate) fn reprice_due(&mut self, out: &mut Vec<Command>) {
        let after = Dur::from_millis(i64::from(self.cfg.engine.reprice_after_ms));
        for at in 0..self.markets.underlyings.len() {
            let Ok(id) = u8::try_from(at).map(UnderlyingId) else { return };
            let due = self.markets.underlying(id).filter(|u| !u.markets.is_empty() && self.now.since(u.priced_at) >= after);
            let Some(mid) = due.map(|u| u.priced_mid) else { continue };
            // Without a hedge mid there may still be a settlement feed to price from: markets say why not.
            self.reprice(id, mid.unwrap_or(Px::ZERO), out);
            if mid.is_none()
                && let Some(slot) = self.markets.underlying_mut(id)
            {
                slot.priced_mid = None;
            }
        }
    }

    /// Free cash on the prediction venue.
    pub(crate) fn prediction_cash(&self) -> Usd {
        self.ledger.cash(self.prediction, self.prediction_currency)
    }
}
