//! The gates: an ordered list, each with one refusal. [`pm_core::approval::Approved`] can only be made by passing them.
//!
//! An entry passes all of them. A hedge of confirmed shares or a reduction lowers risk and passes those that say "this order cannot be"
//! (venue, grid, duplicate), not those that say "not now": a tripped switch must not keep a position open or bare. The one hedge that the
//! switch holds back is a purchase of shares (the missing leg of a set): nobody who pulls the switch expects to buy.

use pm_core::approval::Gatekeeper;
use pm_core::book::{Book, BookState};
use pm_core::budget::{Budget, Measures};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Payoff};
use pm_core::num::Round;
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Usd};

use crate::budget::Exposure;
use crate::config::millis;
use crate::risk::Risk;

/// What the gates look at, besides the state of risk.
#[derive(Debug, Clone, Copy)]
pub struct GateContext<'a> {
    /// Now.
    pub now: Ts,
    /// The market of an outcome order.
    pub market: Option<&'a Market>,
    /// The instrument of an instrument order.
    pub instrument: Option<&'a Instrument>,
    /// The book that the order would meet.
    pub book: Option<&'a Book>,
    /// The budget that sizing used.
    pub budget: Budget,
    /// What the whole structure costs.
    pub measures: Measures,
    /// What is open.
    pub exposure: Exposure,
    /// True when an intent with this id was seen before.
    pub intent_known: bool,
    /// True when an order's outcome is unknown.
    pub unknown_orders: bool,
}

/// The gates for one moment.
#[derive(Debug, Clone, Copy)]
pub struct Gates<'a> {
    risk: &'a Risk,
    ctx: GateContext<'a>,
}

impl Risk {
    /// The gates for one moment.
    #[must_use]
    pub const fn gates<'a>(&'a self, ctx: GateContext<'a>) -> Gates<'a> {
        Gates { risk: self, ctx }
    }
}

/// Which orders a gate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Every order.
    All,
    /// Orders that add risk.
    Risk,
}

type Gate<'a> = fn(&Gates<'a>, &OrderIntent) -> Result<(), Refusal>;

impl Gatekeeper for Gates<'_> {
    fn check(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let adds = intent.purpose.increases_risk();
        Self::ALL.iter().filter(|(who, _)| adds || *who == For::All).try_for_each(|(_, gate)| gate(self, intent))
    }
}

impl<'a> Gates<'a> {
    /// The order is that of a person asking: may we at all, is there a market, is the data good, is it ours to send, does it fit.
    const ALL: [(For, Gate<'a>); 13] = [
        (For::All, Self::switch),
        (For::All, Self::venue),
        (For::All, Self::listed),
        (For::Risk, Self::market_open),
        (For::All, Self::grid),
        (For::Risk, Self::book),
        (For::All, Self::duplicate),
        (For::Risk, Self::unknown_orders),
        (For::Risk, Self::already_open),
        (For::Risk, Self::max_open),
        (For::Risk, Self::cooldown),
        (For::Risk, Self::budget),
        (For::Risk, Self::minimum),
    ];

    fn switch(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let buys_shares = matches!(intent.target, Tradable::Outcome(..)) && intent.purpose == Purpose::Hedge;
        if intent.purpose.increases_risk() || buys_shares { self.risk.switch_allows() } else { Ok(()) }
    }

    fn venue(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        self.risk.venues().allows(intent.venue, intent.purpose, Some(intent.tif))
    }

    /// The market or instrument is there, and is the one that the order names, on its venue.
    fn listed(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let there = match intent.target {
            Tradable::Outcome(idx, _) => self.ctx.market.is_some_and(|m| m.idx == idx && m.venue == intent.venue),
            Tradable::Instrument(idx) => self.ctx.instrument.is_some_and(|i| i.idx == idx && i.venue == intent.venue),
        };
        if there { Ok(()) } else { Err(Refusal::NotAccepting) }
    }

    /// Orders are taken, the rule is understood, the strike is fixed, enough time is left.
    fn market_open(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let now = self.ctx.now;
        let market = match intent.target {
            Tradable::Outcome(..) => self.ctx.market.ok_or(Refusal::NotAccepting)?,
            Tradable::Instrument(_) if self.ctx.instrument.is_some_and(|i| i.trading) => return Ok(()),
            Tradable::Instrument(_) => return Err(Refusal::NotAccepting),
        };
        if !market.accepting || now < market.opens_at {
            return Err(Refusal::NotAccepting);
        }
        let rule = market.rule.understood().ok_or(Refusal::RuleNotUnderstood)?;
        if matches!(rule.payoff, Payoff::UpDown { start_at, .. } if now < start_at) {
            return Err(Refusal::StrikeNotFixed);
        }
        let left = market.closes_at.min(rule.final_at).since(now);
        if left < millis(self.risk.config().min_time_left_ms) {
            return Err(Refusal::TooCloseToEnd { left });
        }
        Ok(())
    }

    fn grid(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let px = intent.limit;
        let (tick, possible) = match intent.target {
            Tradable::Outcome(..) => (self.ctx.market.map_or(Px::ZERO, |m| m.tick), px.is_probability()),
            Tradable::Instrument(_) => (self.ctx.instrument.map_or(Px::ZERO, |i| i.tick), px.is_positive()),
        };
        if possible && px.is_multiple_of(tick) { Ok(()) } else { Err(Refusal::PriceOffGrid { px, tick }) }
    }

    fn book(&self, _: &OrderIntent) -> Result<(), Refusal> {
        let book = self.ctx.book.filter(|b| b.state == BookState::Synced).ok_or(Refusal::BookNotSynced)?;
        let age = self.ctx.now.since(book.recv_at);
        if age > millis(self.risk.config().max_book_age_ms) { Err(Refusal::BookStale { age }) } else { Ok(()) }
    }

    fn duplicate(&self, _: &OrderIntent) -> Result<(), Refusal> {
        if self.ctx.intent_known { Err(Refusal::DuplicateIntent) } else { Ok(()) }
    }

    fn unknown_orders(&self, _: &OrderIntent) -> Result<(), Refusal> {
        if self.ctx.unknown_orders { Err(Refusal::OrderUnknown) } else { Ok(()) }
    }

    fn already_open(&self, _: &OrderIntent) -> Result<(), Refusal> {
        if self.ctx.exposure.structure_in_market { Err(Refusal::AlreadyOpen) } else { Ok(()) }
    }

    fn max_open(&self, _: &OrderIntent) -> Result<(), Refusal> {
        let (open, limit) = (self.ctx.exposure.open_structures, self.risk.config().max_open_structures);
        if open >= limit { Err(Refusal::TooManyOpen { open, limit }) } else { Ok(()) }
    }

    fn cooldown(&self, _: &OrderIntent) -> Result<(), Refusal> {
        if self.ctx.exposure.cooling_until.is_some_and(|until| self.ctx.now < until) { Err(Refusal::CoolingDown) } else { Ok(()) }
    }

    fn budget(&self, _: &OrderIntent) -> Result<(), Refusal> {
        self.ctx.budget.verify(&self.ctx.measures)
    }

    /// The venue's minimum quantity, lot and value. The value of an outcome order counts for marketable buys only.
    fn minimum(&self, intent: &OrderIntent) -> Result<(), Refusal> {
        let (min_qty, lot, min_value) = match intent.target {
            Tradable::Outcome(..) => {
                let market = self.ctx.market.ok_or(Refusal::NotAccepting)?;
                let takes = intent.side == Side::Buy && intent.tif != Tif::PostOnly;
                (market.min_qty, Qty::ZERO, if takes { market.min_notional } else { Usd::ZERO })
            }
            Tradable::Instrument(_) => {
                let instrument = self.ctx.instrument.ok_or(Refusal::NotAccepting)?;
                (instrument.min_qty, instrument.lot, instrument.min_notional)
            }
        };
        // Off the lot, the order is too small for the next lot.
        let min = min_qty.max(intent.qty.ceil_to(lot));
        if !intent.qty.is_positive() || intent.qty < min {
            return Err(Refusal::BelowMinQty { size: intent.qty, min, clip: Clip::None });
        }
        let value = intent.qty.at(intent.limit, Round::Down);
        if value < min_value {
            return Err(Refusal::BelowMinNotional { value, min: min_value, clip: Clip::None });
        }
        Ok(())
    }
}
