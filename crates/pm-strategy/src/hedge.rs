//! Whether and how a structure is hedged on the hedge venue, and what that costs over its life.
//!
//! The hedge is static: opened once for the confirmed shares at the plan's base units per share, held, and closed over the exit. Chasing the
//! delta of a binary costs its fees over and over and hedges no payoff better that settles on one value.

use pm_core::fees::Liquidity;
use pm_core::market::{Market, Method, Outcome};
use pm_core::num::{Round, SCALE, mul_div};
use pm_core::opportunity::{Hedge, HedgePlan, NoHedge};
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Qty, Ratio, Usd};

use crate::config::HedgeConfig;
use crate::fair::Fair;
use crate::snap::HedgeQuote;

/// Base units that `qty` shares of `delta` each ask for.
pub(crate) fn target(qty: Qty, delta: Qty) -> Qty {
    mul_div(qty.raw(), delta.raw(), SCALE, Round::Down).map_or(Qty::MAX, Qty::from_raw)
}

/// Shares from which on `wanted` base units are asked for; [`Qty::MAX`] where none are enough.
pub(crate) fn shares_for(wanted: Qty, delta: Qty) -> Qty {
    mul_div(wanted.raw(), SCALE, delta.raw(), Round::Up).map_or(Qty::MAX, Qty::from_raw)
}

/// Side of the opening hedge: a share of `First` is long the underlying.
pub(crate) const fn side_of(outcome: Outcome) -> Side {
    match outcome {
        Outcome::First => Side::Sell,
        Outcome::Second => Side::Buy,
    }
}

/// Re-hedge band in base units.
fn band(cfg: &HedgeConfig, quote: &HedgeQuote<'_>) -> Qty {
    Qty::from_raw(quote.instrument.lot.raw().saturating_mul(i64::from(cfg.band_lots.max(1))))
}

/// The smallest hedge that [`plan`] takes: one band, and the venue's minimums.
pub(crate) fn smallest(cfg: &HedgeConfig, quote: &HedgeQuote<'_>) -> Qty {
    let by_value = quote.instrument.min_notional.div_px(quote.bid, Round::Up);
    band(cfg, quote).max(quote.instrument.min_qty).max(by_value).ceil_to(quote.instrument.lot)
}

/// True for a quote that can be traded on.
pub(crate) fn usable(quote: &HedgeQuote<'_>) -> bool {
    quote.instrument.trading && quote.bid.is_positive() && quote.ask > quote.bid && quote.instrument.lot.is_positive()
}

/// Plans the hedge of `qty` shares of `outcome`, bought for `notional`.
///
/// None for structures that settle within the minimum horizon; none when the target is below one re-hedge band, because then nothing
/// would ever be sent; none when its margin or cost exceeds the settings' share of `notional`, or margin and fee what is free there.
#[must_use]
#[allow(
    clippy::too_many_arguments,
    reason = "each is one independent fact of the plan; a struct would be built for this call only"
)]
pub fn plan(
    cfg: &HedgeConfig,
    now: Ts,
    market: &Market,
    fair: &Fair,
    outcome: Outcome,
    qty: Qty,
    notional: Usd,
    quote: Option<&HedgeQuote<'_>>,
) -> Hedge {
    if !cfg.enabled {
        return Hedge::None(NoHedge::Off);
    }
    let Some(rule) = market.rule.understood() else { return Hedge::None(NoHedge::NoInstrument) };
    if rule.final_at.since(now) <= cfg.min_horizon {
        return Hedge::None(NoHedge::ShortWindow);
    }
    let Some(quote) = quote.filter(|q| usable(q)) else { return Hedge::None(NoHedge::NoInstrument) };
    let wanted = target(qty, fair.delta);
    let Some(base) = quote.instrument.lot_floor(wanted).filter(|_| wanted >= smallest(cfg, quote)) else {
        return Hedge::None(NoHedge::LotTooLarge);
    };
    let side = side_of(outcome);
    let cost = round_trip_cost(cfg, quote, side, wanted, now, rule.final_at);
    let margin = base.at(quote.ask, Round::Up).scale_by(quote.instrument.initial_margin, Round::Up);
    let fee = quote.instrument.fees.fee(Liquidity::Taker, quote.ask, base, None);
    if margin > notional.scale_by(cfg.max_margin_ratio, Round::Down)
        || margin + fee > quote.free_margin
        || cost > notional.scale_by(cfg.max_cost_ratio, Round::Down)
    {
        return Hedge::None(NoHedge::TooExpensive);
    }
    let exit_over = match rule.method {
        Method::Twap { window } => window,
        Method::Instant | Method::CandleClose { .. } => cfg.exit_over,
    };
    Hedge::Delta(HedgePlan {
        instrument: quote.instrument.idx,
        side,
        per_share: fair.delta,
        band: band(cfg, quote),
        max_cost: cost,
        exit_from: rule.final_at - exit_over,
        exit_over,
    })
}

/// Cost of hedging `wanted` base units on `side` from now until `until`: taker fees of opening and closing and one spread, times one plus
/// the expected turnover of re-hedging; funding where we are the side that pays; a charge for what the lot leaves unhedged. Rounded up.
#[must_use]
pub fn round_trip_cost(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, side: Side, wanted: Qty, now: Ts, until: Ts) -> Usd {
    let base = quote.instrument.lot_floor(wanted).unwrap_or(Qty::ZERO);
    let fee = quote.instrument.fees.fee(Liquidity::Taker, quote.ask, base, None);
    let spread = base.at(quote.ask - quote.bid, Round::Up);
    let trades = (fee + fee + spread).scale_by(Ratio::ONE + cfg.rehedge_turnover, Round::Up);
    let rate = funding_paid(cfg, quote, side);
    let times = settlements(cfg, quote, now, until);
    let funding = base.at(quote.ask, Round::Up).scale_by(Ratio::from_raw(rate.raw().saturating_mul(times)), Round::Up);
    let residual = (wanted - base).at(quote.ask, Round::Up).scale_by(cfg.residual_charge, Round::Up);
    trades + funding + residual
}

/// Funding rate that we pay per settlement. The side that receives is not credited: the rate may turn before it is paid.
fn funding_paid(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, side: Side) -> Ratio {
    let paid = match side {
        Side::Buy => quote.funding_rate,
        Side::Sell => -quote.funding_rate,
    };
    if paid.is_negative() { Ratio::ZERO } else { paid.max(cfg.funding_bound) }
}

/// Funding settlements after `now` and up to `until`. Where the next one is not known, as many as can fall in.
fn settlements(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, now: Ts, until: Ts) -> i64 {
    let interval = cfg.funding_interval.nanos().max(1);
    match quote.next_funding.filter(|next| *next > now) {
        Some(next) if next > until => 0,
        Some(next) => 1 + until.since(next).nanos() / interval,
        None => until.since(now).nanos().max(0).saturating_add(interval - 1) / interval,
    }
}

/// What a hedge of `base` units loses when it fails, by the settings. Rounded up.
pub(crate) fn gap_loss(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, base: Qty) -> Usd {
    base.at(quote.ask, Round::Up).scale_by(cfg.gap_move, Round::Up)
}
