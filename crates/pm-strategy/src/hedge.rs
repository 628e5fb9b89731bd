//! Whether and how a structure is hedged on the hedge venue, and what that costs over its life.

use pm_core::fees::Liquidity;
use pm_core::market::{Market, Method, Outcome};
use pm_core::num::{Round, mul_div};
use pm_core::opportunity::{Hedge, HedgePlan, NoHedge};
use pm_core::order::Side;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::config::HedgeConfig;
use crate::fair::Fair;
use crate::snap::HedgeQuote;

/// Base units that `qty` shares of `delta` each ask for.
pub(crate) fn target(qty: Qty, delta: Qty) -> Qty {
    mul_div(qty.raw(), delta.raw(), pm_core::num::SCALE, Round::Down).map_or(Qty::MAX, Qty::from_raw)
}

/// Plans the hedge of `qty` shares of `outcome`, bought for `notional`.
///
/// None for structures that settle within the minimum horizon; none when the target is below one re-hedge band, because then nothing
/// would ever be sent; none when its margin or cost exceeds the settings' share of `notional`.
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
    let horizon = rule.final_at.since(now);
    if horizon <= cfg.min_horizon {
        return Hedge::None(NoHedge::ShortWindow);
    }
    let usable = |q: &&HedgeQuote<'_>| q.instrument.trading && q.bid.is_positive() && q.ask > q.bid;
    let Some(quote) = quote.filter(usable) else { return Hedge::None(NoHedge::NoInstrument) };
    let wanted = target(qty, fair.delta);
    let lot = quote.instrument.lot;
    let lots = i64::from(cfg.band_lots.max(1));
    let band = Qty::from_raw(lot.raw().saturating_mul(lots));
    let Some(base) = quote.instrument.lot_floor(wanted).filter(|_| wanted >= band) else {
        return Hedge::None(NoHedge::LotTooLarge);
    };
    let value = base.at(quote.bid, Round::Down);
    if value < quote.instrument.min_notional {
        return Hedge::None(NoHedge::LotTooLarge);
    }
    let max_cost = notional.scale_by(cfg.max_cost_ratio, Round::Down);
    let margin = base.at(quote.ask, Round::Up).scale_by(quote.instrument.initial_margin, Round::Up);
    if margin > notional.scale_by(cfg.max_margin_ratio, Round::Down) || round_trip_cost(cfg, quote, wanted, horizon) > max_cost {
        return Hedge::None(NoHedge::TooExpensive);
    }
    let exit_over = match rule.method {
        Method::Twap { window } => window,
        Method::Instant | Method::CandleClose { .. } => cfg.exit_over,
    };
    Hedge::Delta(HedgePlan {
        instrument: quote.instrument.idx,
        side: match outcome {
            Outcome::First => Side::Sell,
            Outcome::Second => Side::Buy,
        },
        per_share: fair.delta,
        band,
        max_cost,
        exit_from: rule.final_at - exit_over,
        exit_over,
    })
}

/// Cost of hedging `wanted` base units from now to `horizon` and back: taker fees and spread both ways, expected re-hedging, funding at
/// its bound for every interval that may fall in, and a charge for what the lot leaves unhedged. Rounded up.
#[must_use]
pub fn round_trip_cost(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, wanted: Qty, horizon: Dur) -> Usd {
    let base = quote.instrument.lot_floor(wanted).unwrap_or(Qty::ZERO);
    let fee = quote.instrument.fees.fee(Liquidity::Taker, quote.ask, base, None);
    let spread = base.at(quote.ask - quote.bid, Round::Up);
    let trades = (fee + fee + spread).scale_by(Ratio::ONE + cfg.rehedge_turnover, Round::Up);
    let rate = Ratio::from_raw(quote.funding_rate.raw().saturating_abs()).max(cfg.funding_bound);
    let interval = cfg.funding_interval.nanos().max(1);
    let times = horizon.nanos().max(0).saturating_add(interval - 1) / interval;
    let funding = base.at(quote.ask, Round::Up).scale_by(Ratio::from_raw(rate.raw().saturating_mul(times)), Round::Up);
    let residual = (wanted - base).at(quote.ask, Round::Up).scale_by(cfg.residual_charge, Round::Up);
    trades + funding + residual
}

/// What a hedge of `wanted` base units loses in the gap move of the settings, before it is adjusted. Rounded up.
pub(crate) fn gap_loss(cfg: &HedgeConfig, quote: &HedgeQuote<'_>, wanted: Qty) -> Usd {
    let base: Qty = quote.instrument.lot_floor(wanted).unwrap_or(Qty::ZERO);
    let price: Px = quote.ask;
    base.at(price, Round::Up).scale_by(cfg.gap_move, Round::Up)
}
