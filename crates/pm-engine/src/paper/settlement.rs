//! What is booked: fills with their fees, what becomes of matched trades, the end of a market, funding.

use std::collections::BTreeMap;

use pm_core::book::Book;
use pm_core::event::{BookId, CashKind, CashMovement, Event};
use pm_core::fees::Liquidity;
use pm_core::ids::{FillId, InstrumentIdx, IntentId, MarketIdx};
use pm_core::num::Round;
use pm_core::order::{Fill, OrderIntent, SettlementState, SettlementUpdate, Side, Tradable};
use pm_core::time::{Dur, Ts};
use pm_core::traits::{EventSink, MarketView};
use pm_core::units::{Px, Qty, Ratio, Usd};

use super::PaperVenue;
use super::delay::{When, happened};
use super::latency::mix;
use super::venue::Due;

/// A matched trade that is not final.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsettled {
    target: Tradable,
    side: Side,
    px: Px,
    qty: Qty,
    fee: Usd,
    /// What a share of `First` paid, when the market resolved meanwhile: a void fill gives that back, too.
    paid: Option<Ratio>,
}

/// Matched trades that are not final.
pub(super) type AllUnsettled = BTreeMap<FillId, Unsettled>;

impl PaperVenue {
    pub(super) fn book_fill(
        &mut self,
        when: When,
        intent: &OrderIntent,
        px: Px,
        qty: Qty,
        liquidity: Liquidity,
        view: &dyn MarketView,
    ) {
        let (fees, index, settles) = match intent.target {
            Tradable::Outcome(m, _) => (view.market(m).map(|m| m.fees), None, true),
            Tradable::Instrument(i) => (view.instrument(i).map(|i| i.fees), view.index_price(i), false),
        };
        let fee = fees.map_or(Usd::ZERO, |f| f.fee(liquidity, px, qty, index));
        self.account.fill(intent.target, intent.side, px, qty, fee);
        self.fills += 1;
        let id = FillId((u128::from(self.cfg.venue.0) << 96) | u128::from(self.fills));
        let settlement = if settles { SettlementState::Matched } else { SettlementState::Confirmed };
        let fill = Fill {
            id,
            intent: intent.id,
            target: intent.target,
            side: intent.side,
            px,
            qty,
            fee,
            fee_currency: self.cfg.currency,
            liquidity,
            settlement,
            at: when.at,
        };
        self.say(when, intent.id, Event::Fill(fill));
        if settles {
            self.unsettled.insert(id, Unsettled { target: intent.target, side: intent.side, px, qty, fee, paid: None });
            self.schedule_settlement(when, intent.id, id);
        }
    }

    fn schedule_settlement(&mut self, when: When, intent: IntentId, id: FillId) {
        let answered = self.answered(when, intent);
        let settings = &self.cfg.settings;
        let (mined, done) = (i64::from(settings.mined_after_ms), i64::from(settings.confirmed_after_ms));
        let draw = i64::from(u32::try_from(mix(self.cfg.seed ^ 0x5e77_1e00, self.fills) >> 33).unwrap_or(0));
        let fails = draw < settings.failure_rate.raw().saturating_mul(1 << 31) / pm_core::num::SCALE;
        let end = if fails { SettlementState::Failed } else { SettlementState::Confirmed };
        self.at(
            answered + Dur::from_millis(mined),
            Due::Settle(id, if fails { SettlementState::Retrying } else { SettlementState::Mined }),
        );
        self.at(answered + Dur::from_millis(done), Due::Settle(id, end));
    }

    pub(super) fn settle(&mut self, now: Ts, id: FillId, state: SettlementState, out: &mut dyn EventSink) {
        if state.is_final()
            && let Some(u) = self.unsettled.remove(&id)
            && state == SettlementState::Failed
        {
            self.account.unfill(u.target, u.side, u.px, u.qty, u.fee);
            if let (Some(pays), Tradable::Outcome(market, _)) = (u.paid, u.target) {
                self.account.resolve(market, pays);
            }
        }
        out.event(Event::Settlement(SettlementUpdate { fill: id, state, at: now }));
    }

    /// The market is over: nothing waits or rests in it any more. Orders that wait for data were accepted and find nothing, because none will
    /// follow: the normal end of such an order, not a failure. Those that reach the venue from now on find a closed market.
    pub(super) fn on_resolved(&mut self, now: Ts, market: MarketIdx, first_pays: Ratio, stated: Ts) {
        self.resolved.insert(market);
        self.account.resolve(market, first_pays);
        for u in self.unsettled.values_mut().filter(|u| matches!(u.target, Tradable::Outcome(m, _) if m == market)) {
            u.paid = Some(first_pays);
        }
        let book = BookId::Market(market);
        self.consumed.drop_book(book);
        let when = When { at: happened(now, stated), known: now };
        while let Some(at) = self.resting.iter().position(|r| r.book == book) {
            let order = self.resting.remove(at);
            self.left(when, &order);
        }
        while let Some(at) = self.waiting.iter().position(|w| w.book == book) {
            let order = self.waiting.remove(at);
            self.conclude(When { at: order.at, known: now }, &order.intent, Qty::ZERO);
        }
        for step in self.steps.drain_book(book) {
            self.conclude(When { at: step.at, known: now }, &step.order.intent, Qty::ZERO);
        }
    }

    /// Funding is exchanged at the announced instants by whoever holds a position then.
    pub(super) fn on_ticker(
        &mut self,
        now: Ts,
        idx: InstrumentIdx,
        next: Option<Ts>,
        rate: Option<Ratio>,
        view: &dyn MarketView,
    ) {
        if let Some((due, rate)) = self.funding.get(&idx).copied()
            && now >= due
        {
            self.funding.remove(&idx);
            if let (Some(h), Some(mark)) =
                (self.account.instruments.get(&idx).copied(), view.book(BookId::Instrument(idx)).and_then(Book::mid))
            {
                let value = h.qty.abs().at(mark, Round::Up).scale_by(rate, Round::Up);
                // Positive rate: longs pay shorts.
                let amount = if h.qty.is_positive() { -value } else { value };
                self.account.cash += amount;
                let movement = CashMovement {
                    venue: self.cfg.venue,
                    currency: self.cfg.currency,
                    amount,
                    kind: CashKind::Funding { instrument: idx },
                    at: due,
                };
                if !amount.is_zero() {
                    self.at(now, Due::Say(Box::new(Event::Cash(movement))));
                }
            }
        }
        if let (Some(next), Some(rate)) = (next, rate)
            && next > now
        {
            self.funding.insert(idx, (next, rate));
        }
    }
}
