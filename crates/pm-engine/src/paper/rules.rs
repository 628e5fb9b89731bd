//! The venue's own checks at arrival: grid, minimums, market state, balances. Written against the venues' documents, not against the gates.

use pm_core::fees::{FeeSchedule, Liquidity};
use pm_core::instrument::Instrument;
use pm_core::market::Market;
use pm_core::num::Round;
use pm_core::order::{OrderIntent, Side};
use pm_core::refusal::VenueRefusal;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Usd};

/// Shares are traded in hundredths (venues/polymarket.md 4.2).
const SHARE_STEP: Qty = Qty::from_raw(1_000_000);

/// Checks of the prediction venue. `marketable` says whether the order would take now.
pub(super) fn market_order(intent: &OrderIntent, market: &Market, now: Ts, marketable: bool) -> Result<(), VenueRefusal> {
    if !market.accepting || now >= market.closes_at {
        return Err(VenueRefusal::MarketClosed);
    }
    let (lowest, highest) = (market.tick, Px::ONE - market.tick);
    if !intent.limit.is_multiple_of(market.tick) || intent.limit < lowest || intent.limit > highest {
        return Err(VenueRefusal::Tick);
    }
    if !intent.qty.is_multiple_of(SHARE_STEP) || intent.qty < market.min_qty {
        return Err(VenueRefusal::Size);
    }
    if marketable && intent.side == Side::Buy && intent.qty.at(intent.limit, Round::Down) < market.min_notional {
        return Err(VenueRefusal::Notional);
    }
    Ok(())
}

/// Checks of the hedge venue. Orders that only reduce are exempt from the minimum value.
pub(super) fn instrument_order(intent: &OrderIntent, instrument: &Instrument, reduces: bool) -> Result<(), VenueRefusal> {
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
pub(super) fn worst_fee(fees: &FeeSchedule, limit: Px, qty: Qty) -> Usd {
    let half = Px::from_raw(Px::ONE.raw() / 2);
    let at = if limit > half { half } else { limit };
    fees.fee(Liquidity::Taker, at, qty, None)
}
