//! Where the money of a candidate goes. One function for every strategy, on the book as it is, for the quantity as asked.

use pm_core::book::{Book, BookState};
use pm_core::fees::Liquidity;
use pm_core::market::Market;
use pm_core::num::Round;
use pm_core::opportunity::{Candidate, Hedge, LegPlan, NoHedge, Waterfall};
use pm_core::order::Side;
use pm_core::refusal::{Clip, Refusal};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};

use crate::config::StrategyConfig;
use crate::fair::Fair;
use crate::hedge;
use crate::num;
use crate::snap::{BookLookup, HedgeQuote};

/// One leg walked for a quantity.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LegCost {
    pub(crate) cash: Usd,
    pub(crate) fee: Usd,
    pub(crate) worst: Px,
}

/// A candidate priced for a quantity: the waterfall and what else the walk showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced {
    pub(crate) waterfall: Waterfall,
    pub(crate) hedge: Hedge,
    /// Price of the next share over all legs, fees included.
    pub(crate) marginal: Px,
}

/// Walks one leg. Fees are summed level by level, as the venue charges each fill.
pub(crate) fn walk_leg(market: &Market, book: &Book, leg: &LegPlan, qty: Qty) -> Result<LegCost, Refusal> {
    if book.state != BookState::Synced {
        return Err(Refusal::BookNotSynced);
    }
    if !book.sizes_known(leg.outcome, leg.side) {
        return Err(Refusal::SizesUnknown);
    }
    let mut cost = LegCost::default();
    let mut left = qty;
    for level in book.meets(leg.outcome, leg.side) {
        let take = level.qty.min(left);
        cost.cash += take.at(level.px, if leg.side == Side::Buy { Round::Up } else { Round::Down });
        cost.fee += market.fees.fee(Liquidity::Taker, level.px, take, None);
        cost.worst = level.px;
        left -= take;
        if !left.is_positive() {
            return Ok(cost);
        }
    }
    Err(Refusal::BelowMinQty { size: qty - left, min: qty, clip: Clip::Depth })
}

/// The edge waterfall of `qty` shares of a candidate (of each leg, for a set) on the books as they are.
///
/// `fair` gives the standard deviation for slippage and the delta of the hedge; without it the settings' default stands in and nothing is
/// hedged. `hedge` is the perpetual's touch.
///
/// # Errors
/// [`Refusal::BookNotSynced`], [`Refusal::SizesUnknown`], or [`Refusal::BelowMinQty`] with [`Clip::Depth`] when the books do not hold `qty`.
pub fn waterfall<'a>(
    cfg: &StrategyConfig,
    now: Ts,
    candidate: &Candidate,
    qty: Qty,
    books: &BookLookup<'a>,
    fair: Option<&Fair>,
    hedge: Option<&HedgeQuote<'_>>,
) -> Result<Waterfall, Refusal> {
    priced(cfg, now, candidate, qty, books, fair, hedge, None).map(|p| p.waterfall)
}

/// [`waterfall`] with the hedge that belongs to the quantity; with `bare` it is priced without one, for that reason.
#[allow(clippy::too_many_arguments, reason = "the public function's, and whether to hedge")]
pub(crate) fn priced<'a>(
    cfg: &StrategyConfig,
    now: Ts,
    candidate: &Candidate,
    qty: Qty,
    books: &BookLookup<'a>,
    fair: Option<&Fair>,
    quote: Option<&HedgeQuote<'_>>,
    bare: Option<NoHedge>,
) -> Result<Priced, Refusal> {
    let mut w = Waterfall { qty, ..Waterfall::default() };
    let mut marginal = Px::ZERO;
    let sd = fair.map_or(cfg.default_sd_per_sqrt_s, |f| f.sd_per_sqrt_s);
    let mut first = None;
    for leg in candidate.legs.iter() {
        let (market, book) = books(leg.market).ok_or(Refusal::BookNotSynced)?;
        let cost = walk_leg(market, book, leg, qty)?;
        let sign = |v: Usd| if leg.side == Side::Buy { v } else { -v };
        w.notional += sign(cost.cash);
        w.taker_fee += cost.fee;
        w.gas += cfg.gas_per_leg;
        w.slippage += slippage(sd, cfg.latency + market.taker_hold, qty);
        marginal += cost.worst + per_share_fee(market, cost.worst);
        first.get_or_insert((market, leg));
    }
    w.gross = qty.at(candidate.fair.mid, Round::Down) - w.notional;
    w.model_margin = qty.at(candidate.fair.mid - candidate.fair.lo, Round::Up);
    let hedge = match (candidate.hedge, bare, first, fair) {
        (Hedge::None(why @ (NoHedge::SelfHedged | NoHedge::Off)), ..) | (_, Some(why), ..) => Hedge::None(why),
        (_, None, Some((market, leg)), Some(fair)) if candidate.legs.len() == 1 => {
            hedge::plan(&cfg.hedge, now, market, fair, leg.outcome, qty, w.notional, quote)
        }
        _ => Hedge::None(NoHedge::NoInstrument),
    };
    if let Hedge::Delta(plan) = hedge {
        w.hedge_cost = plan.max_cost;
    }
    w.settlement_failure = settlement_failure(cfg.settlement_failure_rate, &w);
    Ok(Priced { waterfall: w, hedge, marginal })
}

/// A share of matched trades is reversed. Then the edge is not earned, and the hedge and the other legs are undone at about the fees paid.
fn settlement_failure(rate: Ratio, w: &Waterfall) -> Usd {
    (w.gross.max(Usd::ZERO) + w.taker_fee + w.taker_fee + w.hedge_cost).scale_by(rate, Round::Up)
}

/// The expected adverse move while an order travels and is held, per share that is filled. When the price moves for us the maker is gone
/// and nothing is filled, so a fill says that it moved against us: sd * sqrt(t) * E[N | N > 0] = sqrt(2 / pi) = 0.7979 sd sqrt(t). Half of
/// that, E[max(0, N)], is the cost per attempt; but the attempts that fill nothing earn nothing either, while the edge here is per share
/// that is filled.
fn slippage(sd: Px, wait: Dur, qty: Qty) -> Usd {
    let seconds = num::secs(wait).max(0.0);
    let move_per_share = num::px(sd) * seconds.sqrt() * 0.797_884_560_802_865_4;
    let per_share = num::scaled(move_per_share, Round::Up).map_or(Px::ONE, |raw| Px::from_raw(raw).min(Px::ONE));
    qty.at(per_share, Round::Up)
}

/// Fee of one more share, with the digits that a single share's fee would lose.
fn per_share_fee(market: &Market, px: Px) -> Px {
    let thousand = market.fees.fee(Liquidity::Taker, px, Qty::whole(1_000), None);
    Px::from_raw(thousand.raw().saturating_add(999) / 1_000)
}

/// A bound without a walk: an outright leg whose conservative value is below its touch and fee has no edge at any quantity, because every
/// other level and cost only adds. `None` says nothing: the walk decides.
#[must_use]
pub fn out_of_reach<'a>(candidate: &Candidate, books: &BookLookup<'a>) -> Option<Refusal> {
    let (leg, 1) = (candidate.legs.first()?, candidate.legs.len()) else { return None };
    let (market, _) = books(leg.market)?;
    // The venue cuts a fee to 0.00001: on an order of a share or more that is at most this much less a share.
    let cut = Px::from_raw(1_000);
    let short = leg.average + per_share_fee(market, leg.average) - cut - candidate.fair.lo;
    short.is_positive().then(|| Refusal::NoEdge { net: -market.min_qty.at(short, Round::Down) })
}
