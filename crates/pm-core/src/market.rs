//! Binary markets and the rules that settle them. A rule is data: the source that decides, how its value is formed, what is paid.
//! Venue crates parse texts into it; pricing, the settlement check and the simulators' expectations all read the same type.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fees::FeeSchedule;
use crate::ids::{CurrencyId, MarketIdx, SourceId, UnderlyingId, VenueId};
use crate::time::{Dur, Ts};
use crate::units::{Px, Qty, Usd};

/// One of the two outcomes of a binary market. `First` is the one that pays when the payoff's condition holds (Up, Yes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Up / Yes.
    First,
    /// Down / No.
    Second,
}

impl Outcome {
    /// The other one.
    #[inline]
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
    /// 0 or 1.
    #[inline]
    #[must_use]
    pub const fn slot(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// How the settlement source's value at an instant is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// The source's value at the instant.
    Instant,
    /// The mean of the source's one-second values over `window` before the instant.
    Twap {
        /// Averaging window.
        window: Dur,
    },
    /// Close of the source's candle that *ends* at the instant.
    CandleClose {
        /// Candle length.
        interval: Dur,
    },
}

/// What the value at the start of an Up/Down window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartValue {
    /// Formed by the same [`Method`] at `start_at`.
    SameMethod,
    /// Open of the candle that *begins* at `start_at` and decides at the end (hourly windows).
    CandleOpen,
}

/// When `First` pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payoff {
    /// Final value above the value at the start.
    UpDown {
        /// Instant at which the start value is taken; before it the strike is unknown and the market is not traded.
        start_at: Ts,
        /// How the start value is formed.
        start: StartValue,
        /// The start value ("price to beat") once it is known from the venue's metadata.
        reference: Option<Px>,
    },
    /// Final value above the strike.
    Above {
        /// Strike in the source's quote currency.
        strike: Px,
    },
    /// Final value in `[lo, hi)`; an absent end is open.
    Between {
        /// Lower end, inclusive.
        lo: Option<Px>,
        /// Upper end, exclusive.
        hi: Option<Px>,
    },
    /// The source trades at or beyond the barrier at any time since `from`.
    Touch {
        /// Barrier.
        barrier: Px,
        /// True for "at or above", false for "at or below".
        up: bool,
        /// Start of the observation.
        from: Ts,
    },
}

/// What an exact equality of final value and strike pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tie {
    /// `First` wins (">=" rules).
    First,
    /// `Second` wins (strict ">" rules).
    Second,
    /// Both outcomes pay one half.
    Half,
}

/// Where the averaging method came from; shown, because a fallback is an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleOrigin {
    /// The market's own metadata and text agree.
    Metadata,
    /// Metadata was silent: taken from the date of the market (design.md section 6).
    AssumedByDate,
    /// Declared by an importer's mapping file; tradable in replay only.
    Declared,
}

/// How one market settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementRule {
    /// The source that decides.
    pub source: SourceId,
    /// How its value is formed.
    pub method: Method,
    /// When `First` pays.
    pub payoff: Payoff,
    /// What equality pays.
    pub tie: Tie,
    /// The instant that decides (end of the window or candle).
    pub final_at: Ts,
    /// Where the method came from.
    pub origin: RuleOrigin,
}

/// A rule, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Parsed; the market may be priced.
    Understood(SettlementRule),
    /// Shown and never traded.
    NotUnderstood(Arc<str>),
}

impl Rule {
    /// The rule, if it was understood.
    #[must_use]
    pub const fn understood(&self) -> Option<&SettlementRule> {
        match self {
            Self::Understood(rule) => Some(rule),
            Self::NotUnderstood(_) => None,
        }
    }
}

/// A binary market as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// Index key.
    pub idx: MarketIdx,
    /// Venue it trades on.
    pub venue: VenueId,
    /// Venue's own market id (condition id).
    pub native: Arc<str>,
    /// Readable short name.
    pub slug: Arc<str>,
    /// Question or title, for people.
    pub question: Arc<str>,
    /// Venue's ids of the two outcomes, `[First, Second]`.
    pub tokens: [Arc<str>; 2],
    /// Labels of the two outcomes, e.g. `["Up", "Down"]`.
    pub labels: [Arc<str>; 2],
    /// Family label for reports: `updown-5m`, `above-hourly`, ...
    pub family: Arc<str>,
    /// What it is about; `None` when it cannot be tied to an underlying of the catalog.
    pub underlying: Option<UnderlyingId>,
    /// How it settles.
    pub rule: Rule,
    /// Collateral currency.
    pub currency: CurrencyId,
    /// Price grid.
    pub tick: Px,
    /// Smallest order, in shares.
    pub min_qty: Qty,
    /// Smallest marketable buy, in collateral.
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// How long a marketable order is held before it is matched.
    pub taker_hold: Dur,
    /// When orders are accepted from.
    pub opens_at: Ts,
    /// Scheduled end of trading.
    pub closes_at: Ts,
    /// False when the venue does not take orders now.
    pub accepting: bool,
    /// True for members of a set of mutually exclusive markets that share collateral.
    pub neg_risk: bool,
    /// Venue's protocol version of this market, verbatim (`v1`, `v2`): orders are signed by it.
    pub version: Arc<str>,
    /// Event or group key: markets of one event (a strike ladder) share it.
    pub group: Arc<str>,
}

/// A change of a listed market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarketChange {
    /// New price grid; levels keep their prices.
    Tick(Px),
    /// Orders are taken, or not.
    Accepting(bool),
    /// New fee schedule.
    Fees(FeeSchedule),
    /// New taker hold.
    TakerHold(Dur),
    /// The start value of an Up/Down window became known.
    Reference(Px),
    /// New minimum order size.
    MinQty(Qty),
}

impl Market {
    /// Applies a change in place.
    pub fn apply(&mut self, change: &MarketChange) {
        match *change {
            MarketChange::Tick(tick) => self.tick = tick,
            MarketChange::Accepting(yes) => self.accepting = yes,
            MarketChange::Fees(fees) => self.fees = fees,
            MarketChange::TakerHold(hold) => self.taker_hold = hold,
            MarketChange::MinQty(qty) => self.min_qty = qty,
            MarketChange::Reference(px) => {
                if let Rule::Understood(SettlementRule { payoff: Payoff::UpDown { reference, .. }, .. }) = &mut self.rule {
                    *reference = Some(px);
                }
            }
        }
    }
}
