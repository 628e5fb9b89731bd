//! What strategies find: candidates, with the edge waterfall that says where the money goes, and the hedge that would go with them.
//! The same types are sized by risk, executed by the engine, stored, and shown by `why`.

use serde::{Deserialize, Serialize};

use crate::ids::{InstrumentIdx, MarketIdx};
use crate::market::Outcome;
use crate::num::Round;
use crate::order::Side;
use crate::time::{Dur, Ts};
use crate::units::{Px, Qty, Ratio, Usd};

/// Which strategy found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StrategyKind {
    /// Book against the hedge venue's implied probability.
    CrossExchange,
    /// Several books that contradict each other.
    SetArbitrage,
    /// Large orders that push a book away for a moment.
    LiquiditySkew,
    /// Drift before settlement.
    SettlementDrift,
    /// First prices of a new market.
    NewMarket,
    /// Sentiment against price.
    BehaviouralBias,
}

impl StrategyKind {
    /// Name in database and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CrossExchange => "cross_exchange",
            Self::SetArbitrage => "set_arbitrage",
            Self::LiquiditySkew => "liquidity_skew",
            Self::SettlementDrift => "settlement_drift",
            Self::NewMarket => "new_market",
            Self::BehaviouralBias => "behavioural_bias",
        }
    }
}

/// What the claim of an edge rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EvidenceClass {
    /// Prices alone: a payoff that dominates.
    ModelFree,
    /// Bounds from option prices.
    OptionImplied,
    /// A volatility model.
    VolModel,
}

impl EvidenceClass {
    /// Name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelFree => "model_free",
            Self::OptionImplied => "option_implied",
            Self::VolModel => "vol_model",
        }
    }
}

/// Fair value of an outcome as a band of probabilities, `lo <= mid <= hi`. Buying compares with `lo`, selling with `hi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Conservative for buying, rounded down.
    pub lo: Px,
    /// Best estimate.
    pub mid: Px,
    /// Conservative for selling, rounded up.
    pub hi: Px,
}

impl Band {
    /// The band of the other outcome.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self { lo: self.hi.complement(), mid: self.mid.complement(), hi: self.lo.complement() }
    }
    /// In terms of `outcome`, given the band of `First`.
    #[must_use]
    pub const fn of(self, outcome: Outcome) -> Self {
        match outcome {
            Outcome::First => self,
            Outcome::Second => self.complement(),
        }
    }
}

/// One leg to trade on the prediction venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegPlan {
    /// Market.
    pub market: MarketIdx,
    /// Outcome.
    pub outcome: Outcome,
    /// Buy or sell.
    pub side: Side,
    /// Worst acceptable price (on the grid).
    pub limit: Px,
    /// Average price of the walked book for the planned quantity.
    pub average: Px,
}

/// Most legs of one structure on the prediction venue.
pub const MAX_LEGS: usize = 4;

/// Up to [`MAX_LEGS`] legs, inline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Legs {
    items: [Option<LegPlan>; MAX_LEGS],
}

impl Legs {
    /// From one leg.
    #[must_use]
    pub const fn one(leg: LegPlan) -> Self {
        Self { items: [Some(leg), None, None, None] }
    }
    /// From two legs.
    #[must_use]
    pub const fn two(a: LegPlan, b: LegPlan) -> Self {
        Self { items: [Some(a), Some(b), None, None] }
    }
    /// From a slice of at most [`MAX_LEGS`] legs.
    #[must_use]
    pub fn from_slice(legs: &[LegPlan]) -> Option<Self> {
        if legs.len() > MAX_LEGS {
            return None;
        }
        let mut items = [None; MAX_LEGS];
        for (slot, leg) in items.iter_mut().zip(legs) {
            *slot = Some(*leg);
        }
        Some(Self { items })
    }
    /// The legs in order.
    pub fn iter(&self) -> impl Iterator<Item = &LegPlan> {
        self.items.iter().flatten()
    }
    /// Number of legs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.iter().flatten().count()
    }
    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The first leg.
    #[must_use]
    pub fn first(&self) -> Option<&LegPlan> {
        self.items.first().and_then(Option::as_ref)
    }
}

/// Where the edge goes, for the whole planned quantity, in collateral. Every cost is at least zero.
/// `net = gross - taker_fee - gas - hedge_cost - slippage - settlement_failure - model_margin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waterfall {
    /// Quantity (structures for a set: one share of each leg).
    pub qty: Qty,
    /// Cash that the legs cost before fees.
    pub notional: Usd,
    /// Value at the best estimate minus notional.
    pub gross: Usd,
    /// Taker fees of all legs by their markets' schedules.
    pub taker_fee: Usd,
    /// Gas, in collateral.
    pub gas: Usd,
    /// Fees, spread, lot rounding and funding of the hedge, both ways.
    pub hedge_cost: Usd,
    /// Expected adverse move over latency and taker hold.
    pub slippage: Usd,
    /// Expected cost of matched trades that fail to settle.
    pub settlement_failure: Usd,
    /// Distance from the best estimate to the conservative end of the band.
    pub model_margin: Usd,
}

impl Waterfall {
    /// What is left.
    #[must_use]
    pub fn net(&self) -> Usd {
        self.gross - self.taker_fee - self.gas - self.hedge_cost - self.slippage - self.settlement_failure - self.model_margin
    }
    /// Net edge as a fraction of notional, rounded down; zero for an empty notional.
    #[must_use]
    pub fn net_ratio(&self) -> Ratio {
        self.net().ratio_of(self.notional, Round::Down).unwrap_or(Ratio::ZERO)
    }
    /// All cash needed: notional, fees and gas.
    #[must_use]
    pub fn outlay(&self) -> Usd {
        self.notional + self.taker_fee + self.gas
    }
}

/// A hedge on the hedge venue, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hedge {
    /// Not hedged.
    None(NoHedge),
    /// Delta hedge with a band.
    Delta(HedgePlan),
}

/// Why a structure is not hedged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoHedge {
    /// Horizon at or below the setting (default one hour): delta explodes, margin is the limit.
    ShortWindow,
    /// The payoff is bounded by its own legs.
    SelfHedged,
    /// One lot would over-hedge, or the value is below the venue's minimum.
    LotTooLarge,
    /// Margin or cost would exceed the limit.
    TooExpensive,
    /// No instrument or no price.
    NoInstrument,
    /// Switched off.
    Off,
}

impl core::fmt::Display for NoHedge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::ShortWindow => "the window is too short to be hedged",
            Self::SelfHedged => "the legs bound each other",
            Self::LotTooLarge => "no size that the limits and the book allow carries one lot of the hedge",
            Self::TooExpensive => "the hedge would cost or bind too much",
            Self::NoInstrument => "there is no instrument of the hedge venue, or no price of it",
            Self::Off => "hedging is switched off",
        })
    }
}

/// A typed hedge: what, how much, when not to touch it, what it may cost, how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HedgePlan {
    /// Instrument of the hedge venue.
    pub instrument: InstrumentIdx,
    /// Side of the opening hedge.
    pub side: Side,
    /// Base units per confirmed share (absolute delta).
    pub per_share: Qty,
    /// Re-hedge only when actual and target differ by at least this (base units, at least one lot).
    pub band: Qty,
    /// What hedging this structure is expected to cost over its life, and so the most that it may cost, in quote currency: the number that
    /// the waterfall charged.
    pub max_cost: Usd,
    /// Begin of the exit: from here the hedge is reduced in proportion to the part of the average that is fixed.
    pub exit_from: Ts,
    /// Length of the exit; zero = all at once at `exit_from`.
    pub exit_over: Dur,
}

/// A candidate as a strategy proposes it, sized to the smallest order that the venue takes; sizing scales it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Strategy.
    pub strategy: StrategyKind,
    /// Class of evidence.
    pub class: EvidenceClass,
    /// Legs.
    pub legs: Legs,
    /// Band of the structure's value per share: of the outcome bought, or of the whole set.
    pub fair: Band,
    /// The hedge venue's implied probability of the outcome bought (best estimate), for the record.
    pub implied: Px,
    /// Worst value per share of the structure at settlement (0 for an outright leg; the guaranteed payoff of a set).
    pub floor: Px,
    /// Hedge.
    pub hedge: Hedge,
    /// When the last leg settles.
    pub settles_at: Ts,
}
