//! The venue itself: a queue of things that become due, an account, a book overlay, resting orders.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pm_core::book::{Book, BookState, Level};
use pm_core::command::VenueCommand;
use pm_core::event::{BookId, CashKind, CashMovement, Endpoint, Event, Health};
use pm_core::fees::Liquidity;
use pm_core::ids::{FillId, InstrumentIdx, IntentId, MarketIdx, VenueId};
use pm_core::market::Outcome;
use pm_core::num::Round;
use pm_core::order::{Fill, OrderIntent, OrderState, OrderUpdate, SettlementState, SettlementUpdate, Side, Tif, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::{Dur, Ts};
use pm_core::traits::{EventSink, Exchange, MarketView};
use pm_core::units::{Px, Qty, Ratio, Usd};

use super::account::Account;
use super::latency::{Latency, mix};
use super::liquidity::{Consumed, Take, facing};
use super::resting::Resting;
use super::{PaperConfig, rules};

/// Something that becomes due.
#[derive(Debug)]
enum Due {
    /// An order reaches the venue.
    Arrive(Box<OrderIntent>),
    /// Its taker hold is over.
    Match(Box<OrderIntent>),
    /// A cancel reaches the venue.
    Cancel(IntentId),
    /// A cancel-all reaches the venue.
    CancelAll,
    /// An answer reaches us.
    Say(Box<Event<'static>>),
    /// A matched trade settles, or fails.
    Settle(FillId, SettlementState),
}

/// An order on sampled data that waits for the first snapshot after its arrival.
#[derive(Debug)]
struct Waiting {
    intent: OrderIntent,
    book: BookId,
    before: Vec<Level>,
}

/// A matched trade that is not final.
#[derive(Debug, Clone, Copy)]
struct Unsettled {
    target: Tradable,
    side: Side,
    px: Px,
    qty: Qty,
    fee: Usd,
    /// What a share of `First` paid, when the market resolved meanwhile: a void fill gives that back, too.
    paid: Option<Ratio>,
}

/// A venue that fills against what the market view shows, in virtual time.
#[derive(Debug)]
pub struct PaperVenue {
    cfg: PaperConfig,
    latency: Latency,
    account: Account,
    consumed: Consumed,
    due: BTreeMap<(Ts, u64), Due>,
    waiting: Vec<Waiting>,
    resting: Vec<Resting>,
    unsettled: BTreeMap<FillId, Unsettled>,
    funding: BTreeMap<InstrumentIdx, (Ts, Ratio)>,
    seq: u64,
    fills: u64,
}

impl PaperVenue {
    /// An empty venue with its starting cash.
    #[must_use]
    pub fn new(cfg: PaperConfig) -> Self {
        let quantiles = cfg.settings.latency_ms.iter().map(|ms| Dur::from_millis(i64::from(*ms))).collect();
        Self {
            latency: Latency::new(cfg.seed, quantiles),
            account: Account { cash: cfg.capital, ..Account::default() },
            consumed: Consumed::default(),
            due: BTreeMap::new(),
            waiting: Vec::new(),
            resting: Vec::new(),
            unsettled: BTreeMap::new(),
            funding: BTreeMap::new(),
            seq: 0,
            fills: 0,
            cfg,
        }
    }

    /// The venue's own view of our cash: equals the ledger's when both are right.
    #[must_use]
    pub const fn cash(&self) -> Usd {
        self.account.cash
    }

    /// The venue's own view of our shares of an outcome.
    #[must_use]
    pub fn shares(&self, market: MarketIdx, outcome: Outcome) -> Qty {
        self.account.held(market, outcome)
    }

    fn at(&mut self, when: Ts, due: Due) {
        self.seq += 1;
        self.due.insert((when, self.seq), due);
    }

    /// Way back of an answer: sampled like the way there, with its own counter.
    fn back(&self, intent: IntentId) -> Dur {
        self.latency.sample(intent.0.wrapping_mul(2).wrapping_add(1))
    }

    fn there(&self, intent: IntentId) -> Dur {
        self.latency.sample(intent.0.wrapping_mul(2))
    }

    fn say(&mut self, now: Ts, intent: IntentId, event: Event<'static>) {
        self.at(now + self.back(intent), Due::Say(Box::new(event)));
    }

    fn update(&mut self, now: Ts, intent: IntentId, state: OrderState, filled: Qty, reason: Option<VenueRefusal>) {
        self.say(now, intent, Event::Order(OrderUpdate { intent, state, filled, reason, at: now }));
    }

    fn arrive(&mut self, now: Ts, intent: OrderIntent, view: &dyn MarketView) {
        let took = self.there(intent.id) + self.back(intent.id);
        self.say(
            now,
            intent.id,
            Event::Health(Health::Latency { venue: self.cfg.venue, endpoint: Endpoint::Submit, took, ok: true }),
        );
        if let Err(reason) = self.check(now, &intent, view) {
            self.update(now, intent.id, OrderState::Refused, Qty::ZERO, Some(reason));
            return;
        }
        let marketable = crosses(&intent, view);
        if intent.tif == Tif::PostOnly && marketable {
            self.update(now, intent.id, OrderState::Refused, Qty::ZERO, Some(VenueRefusal::WouldCross));
            return;
        }
        let hold = match intent.target {
            Tradable::Outcome(m, _) if marketable => view.market(m).map_or(Dur::ZERO, |m| m.taker_hold),
            _ => Dur::ZERO,
        };
        if hold > Dur::ZERO {
            self.update(now, intent.id, OrderState::Held, Qty::ZERO, None);
            self.at(now + hold, Due::Match(Box::new(intent)));
        } else {
            self.match_now(now, intent, view);
        }
    }

    /// The venue's rules at arrival and again after the hold.
    fn check(&self, now: Ts, intent: &OrderIntent, view: &dyn MarketView) -> Result<(), VenueRefusal> {
        match intent.target {
            Tradable::Outcome(m, o) => {
                let market = view.market(m).ok_or(VenueRefusal::MarketClosed)?;
                rules::market_order(intent, market, now, crosses(intent, view))?;
                let enough = match intent.side {
                    Side::Buy => {
                        self.account.cash
                            >= intent.qty.at(intent.limit, Round::Up) + rules::worst_fee(&market.fees, intent.limit, intent.qty)
                    }
                    Side::Sell => self.account.held(m, o) >= intent.qty,
                };
                if enough { Ok(()) } else { Err(VenueRefusal::Balance) }
            }
            Tradable::Instrument(i) => {
                let instrument = view.instrument(i).ok_or(VenueRefusal::MarketClosed)?;
                let held = self.account.instruments.get(&i).copied().unwrap_or_default().qty;
                let reduces = !held.is_zero() && held.is_positive() != (intent.side == Side::Buy) && intent.qty <= held.abs();
                rules::instrument_order(intent, instrument, reduces)?;
                let fee = instrument.fees.fee(Liquidity::Taker, intent.limit, intent.qty, view.index_price(i));
                let mark = |idx: InstrumentIdx| {
                    let px = view.book(BookId::Instrument(idx))?.mid()?;
                    Some((px, view.instrument(idx)?.initial_margin))
                };
                if self.account.covers(instrument, intent.side, intent.limit, intent.qty, fee, mark) {
                    Ok(())
                } else {
                    Err(VenueRefusal::Balance)
                }
            }
        }
    }

    fn match_now(&mut self, now: Ts, intent: OrderIntent, view: &dyn MarketView) {
        if let Err(reason) = self.check(now, &intent, view) {
            self.update(now, intent.id, OrderState::Cancelled, Qty::ZERO, Some(reason));
            return;
        }
        let id = book_id(intent.target);
        let Some(book) = view.book(id).filter(|b| b.state == BookState::Synced) else {
            self.update(now, intent.id, OrderState::Cancelled, Qty::ZERO, Some(VenueRefusal::NotFilled));
            return;
        };
        let (outcome, side) = (outcome_of(intent.target), intent.side);
        if book.flags.sampled {
            let before = book.meets(outcome, side).collect();
            self.waiting.push(Waiting { intent, book: id, before });
            return;
        }
        let takes = if book.sizes_known(outcome, side) {
            let all_or_nothing = intent.tif == Tif::FillOrKill;
            let wanted = (intent.qty, intent.limit);
            let could = self.consumed.take(id, (outcome, side), wanted, book.meets(outcome, side), |_| Qty::MAX, !all_or_nothing);
            if all_or_nothing && total(&could) == intent.qty {
                self.consumed.take(id, (outcome, side), wanted, book.meets(outcome, side), |_| Qty::MAX, true)
            } else if all_or_nothing {
                Vec::new()
            } else {
                could
            }
        } else {
            Vec::new()
        };
        self.conclude(now, intent, &takes, Some(book), view);
    }

    /// The first snapshot after the arrival of an order on sampled data: the smaller of both counts.
    fn match_waiting(&mut self, now: Ts, waiting: Waiting, view: &dyn MarketView) {
        let Waiting { intent, book: id, before } = waiting;
        let (outcome, side) = (outcome_of(intent.target), intent.side);
        let takes = match view.book(id).filter(|b| b.state == BookState::Synced && b.sizes_known(outcome, side)) {
            Some(after) => {
                let cap = |px: Px| after.meets(outcome, side).find(|l| l.px == px).map_or(Qty::ZERO, |l| l.qty);
                let wanted = (intent.qty, intent.limit);
                let commit = intent.tif != Tif::FillOrKill;
                let could = self.consumed.take(id, (outcome, side), wanted, before.iter().copied(), cap, commit);
                if commit {
                    could
                } else if total(&could) == intent.qty {
                    self.consumed.take(id, (outcome, side), wanted, before.iter().copied(), cap, true)
                } else {
                    Vec::new()
                }
            }
            None => Vec::new(),
        };
        self.conclude(now, intent, &takes, None, view);
    }

    /// Books the takes, says what happened, lets the rest rest if the order may.
    fn conclude(&mut self, now: Ts, intent: OrderIntent, takes: &[Take], book: Option<&Book>, view: &dyn MarketView) {
        for take in takes {
            self.book_fill(now, &intent, take.px, take.qty, Liquidity::Taker, view);
        }
        let filled = total(takes);
        if filled == intent.qty {
            self.update(now, intent.id, OrderState::Filled, filled, None);
        } else if let (true, Some(book)) = (intent.tif.rests(), book) {
            self.rest(now, intent, filled, book);
        } else {
            self.update(now, intent.id, OrderState::Cancelled, filled, Some(VenueRefusal::NotFilled));
        }
    }

    fn rest(&mut self, now: Ts, intent: OrderIntent, filled: Qty, book: &Book) {
        let outcome = outcome_of(intent.target);
        let (meets, mirrored) = facing(outcome, intent.side);
        let side = match meets {
            pm_core::book::BookSide::Ask => pm_core::book::BookSide::Bid,
            pm_core::book::BookSide::Bid => pm_core::book::BookSide::Ask,
        };
        let px = if mirrored { intent.limit.complement() } else { intent.limit };
        let own = if side == pm_core::book::BookSide::Bid { &book.bids } else { &book.asks };
        let expires = if let Tif::GoodTillDate(at) = intent.tif { at } else { Ts::MAX };
        self.update(now, intent.id, OrderState::Resting, filled, None);
        self.resting.push(Resting {
            book: book_id(intent.target),
            side,
            px,
            left: intent.qty - filled,
            queue_ahead: own.qty_at(px),
            through: None,
            expires,
            intent,
        });
    }

    fn book_fill(&mut self, now: Ts, intent: &OrderIntent, px: Px, qty: Qty, liquidity: Liquidity, view: &dyn MarketView) {
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
            at: now,
        };
        self.say(now, intent.id, Event::Fill(fill));
        if settles {
            self.unsettled.insert(id, Unsettled { target: intent.target, side: intent.side, px, qty, fee, paid: None });
            self.schedule_settlement(now, intent.id, id);
        }
    }

    fn schedule_settlement(&mut self, now: Ts, intent: IntentId, id: FillId) {
        let answered = now + self.back(intent);
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

    fn settle(&mut self, now: Ts, id: FillId, state: SettlementState, out: &mut dyn EventSink) {
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

    fn cancel(&mut self, now: Ts, which: impl Fn(&OrderIntent) -> bool) {
        let mut at = 0;
        while at < self.resting.len() {
            if self.resting.get(at).is_some_and(|r| which(&r.intent)) {
                let r = self.resting.remove(at);
                self.update(now, r.intent.id, OrderState::Cancelled, r.intent.qty - r.left, None);
            } else {
                at += 1;
            }
        }
    }

    fn fill_resting(&mut self, now: Ts, view: &dyn MarketView, id: BookId, fills: impl Fn(&mut Resting) -> Qty) {
        let mut at = 0;
        while let Some(order) = self.resting.get_mut(at) {
            if order.book != id {
                at += 1;
                continue;
            }
            if order.expires <= now {
                let r = self.resting.remove(at);
                self.update(now, r.intent.id, OrderState::Cancelled, r.intent.qty - r.left, None);
                continue;
            }
            let got = fills(order);
            if !got.is_positive() {
                at += 1;
                continue;
            }
            let (intent, left) = (order.intent.clone(), order.left);
            self.book_fill(now, &intent, intent.limit, got, Liquidity::Maker, view);
            if left.is_positive() {
                self.update(now, intent.id, OrderState::Resting, intent.qty - left, None);
                at += 1;
            } else {
                self.resting.remove(at);
                self.update(now, intent.id, OrderState::Filled, intent.qty, None);
            }
        }
    }

    /// True when a change of a book can mean something to us.
    fn cares_for_books(&self) -> bool {
        !(self.waiting.is_empty() && self.resting.is_empty() && self.consumed.is_empty())
    }

    fn on_book(&mut self, now: Ts, id: BookId, view: &dyn MarketView) {
        let Some(book) = view.book(id) else { return };
        if !self.consumed.is_empty() {
            self.consumed.refresh(id, book);
        }
        while let Some(at) = self.waiting.iter().position(|w| w.book == id) {
            let waiting = self.waiting.remove(at);
            self.match_waiting(now, waiting, view);
        }
        if !self.resting.is_empty() {
            self.fill_resting(now, view, id, |r| r.on_book(book));
        }
    }

    /// The market is over: nothing waits or rests in it any more.
    fn on_resolved(&mut self, now: Ts, market: MarketIdx, first_pays: Ratio) {
        self.account.resolve(market, first_pays);
        for u in self.unsettled.values_mut().filter(|u| matches!(u.target, Tradable::Outcome(m, _) if m == market)) {
            u.paid = Some(first_pays);
        }
        self.consumed.drop_book(BookId::Market(market));
        self.cancel(now, |i| matches!(i.target, Tradable::Outcome(m, _) if m == market));
        while let Some(at) = self.waiting.iter().position(|w| w.book == BookId::Market(market)) {
            let w = self.waiting.remove(at);
            self.update(now, w.intent.id, OrderState::Cancelled, Qty::ZERO, Some(VenueRefusal::MarketClosed));
        }
    }

    /// Funding is exchanged at the announced instants by whoever holds a position then.
    fn on_ticker(&mut self, now: Ts, idx: InstrumentIdx, next: Option<Ts>, rate: Option<Ratio>, view: &dyn MarketView) {
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

impl Exchange for PaperVenue {
    fn venue(&self) -> VenueId {
        self.cfg.venue
    }

    fn submit(&mut self, now: Ts, command: &VenueCommand) {
        match command {
            VenueCommand::Submit(approved) => {
                let intent = approved.intent().clone();
                let arrives = now + self.there(intent.id);
                self.at(arrives, Due::Arrive(Box::new(intent)));
            }
            VenueCommand::Cancel { intent, .. } => self.at(now + self.there(*intent), Due::Cancel(*intent)),
            VenueCommand::CancelAll { .. } => self.at(now + self.latency.sample(self.seq), Due::CancelAll),
        }
    }

    fn observe(&mut self, now: Ts, event: &Event<'_>, view: &dyn MarketView) {
        match event {
            Event::BookSnapshot { book, .. } | Event::BookDelta { book, .. } if self.cares_for_books() => {
                self.on_book(now, *book, view);
            }
            Event::Print { book, px, qty, taker, .. } if !self.resting.is_empty() => {
                let (px, qty, taker) = (*px, *qty, *taker);
                self.fill_resting(now, view, *book, |r| r.on_print(px, qty, taker));
            }
            Event::Resolved { market, first_pays, .. } => self.on_resolved(now, *market, *first_pays),
            Event::Ticker { instrument, ticker, .. }
                if view.instrument(*instrument).is_some_and(|i| i.venue == self.cfg.venue) =>
            {
                self.on_ticker(now, *instrument, ticker.next_funding, ticker.funding_rate, view);
            }
            Event::Health(Health::LatencyTable { venue, endpoint: Endpoint::Submit, quantiles }) if *venue == self.cfg.venue => {
                let quantiles: &Cow<'_, [Dur]> = quantiles;
                self.latency.set(quantiles);
            }
            _ => {}
        }
    }

    fn next_due(&self) -> Ts {
        self.due.first_key_value().map_or(Ts::MAX, |((at, _), _)| *at)
    }

    fn poll(&mut self, now: Ts, view: &dyn MarketView, out: &mut dyn EventSink) {
        while let Some(entry) = self.due.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            match entry.remove() {
                Due::Arrive(intent) => self.arrive(at, *intent, view),
                Due::Match(intent) => self.match_now(at, *intent, view),
                Due::Cancel(intent) => self.cancel(at, |i| i.id == intent),
                Due::CancelAll => self.cancel(at, |_| true),
                Due::Say(event) => out.event(*event),
                Due::Settle(id, state) => self.settle(at, id, state, out),
            }
        }
    }
}

fn total(takes: &[Take]) -> Qty {
    takes.iter().map(|t| t.qty).sum()
}

const fn book_id(target: Tradable) -> BookId {
    match target {
        Tradable::Outcome(m, _) => BookId::Market(m),
        Tradable::Instrument(i) => BookId::Instrument(i),
    }
}

/// Instruments have one view.
const fn outcome_of(target: Tradable) -> Outcome {
    match target {
        Tradable::Outcome(_, o) => o,
        Tradable::Instrument(_) => Outcome::First,
    }
}

/// True when the order would take at the touch now.
fn crosses(intent: &OrderIntent, view: &dyn MarketView) -> bool {
    let touch = view.book(book_id(intent.target)).and_then(|b| b.touch(outcome_of(intent.target), intent.side));
    touch.is_some_and(|t| if intent.side == Side::Buy { t.px <= intent.limit } else { t.px >= intent.limit })
}
