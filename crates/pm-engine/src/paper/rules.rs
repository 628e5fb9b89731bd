//! The venue's own checks: grid, minimums, market state, balances. Written against the venues' documents, not against the gates.

use pm_core::event::BookId;
use pm_core::fees::{FeeSchedule, Liquidity};
use pm_core::ids::{InstrumentIdx, MarketIdx};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Outcome};
use pm_core::num::Round;
use pm_core::order::{OrderIntent, Side, Tradable};
use pm_core::refusal::VenueRefusal;
use pm_core::time::Ts;
use pm_core::traits::MarketView;
use pm_core::units::{Px, Qty, Usd};

use super::PaperVenue;
use super::delay::book_id;
use super::liquidity::outcome_of;

/// Shares are traded in hundredths (venues/polymarket.md 4.2).
const SHARE_STEP: Qty = Qty::from_raw(1_000_000);

impl PaperVenue {
    /// The venue's rules and our balance at venue time `at`: at arrival and again at the match.
    pub(super) fn check(&self, at: Ts, intent: &OrderIntent, view: &dyn MarketView) -> Result<(), VenueRefusal> {
        match intent.target {
            Tradable::Outcome(m, _) => {
                // The last word on a market is its own: shares bought after it would never be paid.
                let market = view.market(m).filter(|_| !self.resolved.contains(&m)).ok_or(VenueRefusal::MarketClosed)?;
                market_order(intent, market, at)?;
            }
            Tradable::Instrument(i) => {
                let instrument = view.instrument(i).ok_or(VenueRefusal::MarketClosed)?;
                let held = self.account.instruments.get(&i).copied().unwrap_or_default().qty;
                let reduces = !held.is_zero() && held.is_positive() != (intent.side == Side::Buy) && intent.qty <= held.abs();
                instrument_order(intent, instrument, reduces)?;
            }
        }
        self.covered(intent, view)
    }

    /// Whether the account can pay for the whole order at its limit, or holds what it sells, beside what our resting orders bind.
    pub(super) fn covered(&self, intent: &OrderIntent, view: &dyn MarketView) -> Result<(), VenueRefusal> {
        let enough = match intent.target {
            Tradable::Outcome(m, o) if intent.side == Side::Sell => {
                self.account.held(m, o) - self.offered_already(m, o) >= intent.qty
            }
            Tradable::Outcome(m, _) => {
                let market = view.market(m).ok_or(VenueRefusal::MarketClosed)?;
                let cost = intent.qty.at(intent.limit, Round::Up) + worst_fee(&market.fees, intent.limit, intent.qty);
                self.account.cash - self.bid_already() >= cost
            }
            Tradable::Instrument(i) => {
                let instrument = view.instrument(i).ok_or(VenueRefusal::MarketClosed)?;
                let fee = instrument.fees.fee(Liquidity::Taker, intent.limit, intent.qty, view.index_price(i));
                let mark = |idx: InstrumentIdx| {
                    let px = view.book(BookId::Instrument(idx))?.mid()?;
                    Some((px, view.instrument(idx)?.initial_margin))
                };
                self.account.covers(instrument, intent.side, intent.limit, intent.qty, fee, mark)
            }
        };
        if enough { Ok(()) } else { Err(VenueRefusal::Balance) }
    }

    /// Cash that resting purchases may still cost.
    fn bid_already(&self) -> Usd {
        let bids = self.resting.iter().filter(|r| r.intent.side == Side::Buy);
        bids.map(|r| r.left.at(r.intent.limit, Round::Up)).sum()
    }

    /// Shares that resting sales may still deliver.
    fn offered_already(&self, market: MarketIdx, outcome: Outcome) -> Qty {
        let target = Tradable::Outcome(market, outcome);
        let offers = self.resting.iter().filter(|r| r.intent.side == Side::Sell && r.intent.target == target);
        offers.map(|r| r.left).sum()
    }
}

/// True when the order would take at the touch that the view shows.
pub(super) fn crosses(intent: &OrderIntent, view: &dyn MarketView) -> bool {
    let touch = view.book(book_id(intent.target)).and_then(|b| b.touch(outcome_of(intent.target), intent.side));
    touch.is_some_and(|t| if intent.side == Side::Buy { t.px <= intent.limit } else { t.px >= intent.limit })
}

/// What holds only for orders that take: purchases have a minimum value.
pub(super) fn taking_order(intent: &OrderIntent, view: &dyn MarketView) -> Result<(), VenueRefusal> {
    let Tradable::Outcome(m, _) = intent.target else { return Ok(()) };
    let least = view.market(m).map_or(Usd::ZERO, |m| m.min_notional);
    if intent.side == Side::Buy && intent.qty.at(intent.limit, Round::Down) < least {
        return Err(VenueRefusal::Notional);
    }
    Ok(())
}

/// Checks of the prediction venue.
fn market_order(intent: &OrderIntent, market: &Market, at: Ts) -> Result<(), VenueRefusal> {
    if !market.accepting || at >= market.closes_at {
        return Err(VenueRefusal::MarketClosed);
    }
    let (lowest, highest) = (market.tick, Px::ONE - market.tick);
    if !intent.limit.is_multiple_of(market.tick) || intent.limit < lowest || intent.limit > highest {
        return Err(VenueRefusal::Tick);
    }
    if !intent.qty.is_multiple_of(SHARE_STEP) || intent.qty < market.min_qty {
        return Err(VenueRefusal::Size);
    }
    Ok(())
}

/// Checks of the hedge venue. Orders that only reduce are exempt from the minimum value.
fn instrument_order(intent: &OrderIntent, instrument: &Instrument, reduces: bool) -> Result<(), VenueRefusal> {
    if !instrument.trading {
        return Err(VenueRefusal::MarketClosed);
    }
    if !intent.limit.is_multiple_of(instrument.tick) || !intent.limit.is_positive() {
        return Err(VenueRefusal::Tick);
    }
    if !intent.qty.is_multiple_of(instrument.lot) || intent.qty < instrument.min_qty || intent.qty > instrument.max_qty {
        return Err(VenueRefusal::Size);
    }
    if !reduces && intent.qty.at(intent.limit, Round::Down) < instrument.min_notional {
        return Err(VenueRefusal::Notional);
    }
    Ok(())
}

/// Highest fee of a buy of `qty` at `limit` or better: the curve's maximum lies at 0.5, so a better price can cost more.
fn worst_fee(fees: &FeeSchedule, limit: Px, qty: Qty) -> Usd {
    let half = Px::from_raw(Px::ONE.raw() / 2);
    let at = if limit > half { half } else { limit };
    fees.fee(Liquidity::Taker, at, qty, None)
}
