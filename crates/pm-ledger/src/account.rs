//! The chart of accounts. An account says whose or what for; the asset of a row says in what. Texts are stable: they are stored, and
//! reports group by them.

use core::fmt;

pub use pm_core::fees::FeeHop;
use pm_core::ids::{CurrencyId, InstrumentIdx, MarketIdx, StructureId, VenueId};
use pm_core::market::Outcome;
use pm_core::order::Tradable;
use serde::{Deserialize, Serialize};

/// An account. Assets and expenses grow by debit; capital and income grow by credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// Cash on a venue. Text: `cash:<venue>:<currency>`.
    Cash {
        /// Venue.
        venue: VenueId,
        /// Currency.
        currency: CurrencyId,
    },
    /// Cost basis of a position, in currency; entry notional for instruments. Text: `cost:<structure>:<target>`.
    Cost {
        /// Structure.
        structure: StructureId,
        /// What is held.
        target: Tradable,
    },
    /// Quantity of a position, in shares or contracts. Text: `holding:<structure>:<target>`.
    Holding {
        /// Structure.
        structure: StructureId,
        /// What is held.
        target: Tradable,
    },
    /// The other side of shares, contracts and entry notionals. Text: `counterparty:<venue>`.
    Counterparty {
        /// Venue.
        venue: VenueId,
    },
    /// What was paid in minus what was taken out. Text: `capital:<venue>:<currency>`.
    Capital {
        /// Venue.
        venue: VenueId,
        /// Currency.
        currency: CurrencyId,
    },
    /// Profit (credit) and loss (debit) before fees. Text: `income:<cause>`.
    Income(PnlCause),
    /// Fees. Text: `expense:<hop>`.
    Expense(FeeHop),
}

/// What an amount is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Asset {
    /// Money. Default text: `currency:<id>`.
    Currency(CurrencyId),
    /// Outcome shares. Default text: `shares:m<market>:<outcome>`.
    Shares(MarketIdx, Outcome),
    /// Base units of an instrument. Default text: `contract:i<instrument>`.
    Contract(InstrumentIdx),
}

impl Asset {
    /// The asset that a position in `target` is counted in.
    #[must_use]
    pub const fn of(target: Tradable) -> Self {
        match target {
            Tradable::Outcome(market, outcome) => Self::Shares(market, outcome),
            Tradable::Instrument(instrument) => Self::Contract(instrument),
        }
    }
}

/// Why there is a profit or a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PnlCause {
    /// The market resolved.
    Settlement,
    /// Shares were sold before resolution.
    Exit,
    /// A hedge was reduced or closed.
    Hedge,
    /// Funding of a perpetual.
    Funding,
    /// Maker rebates.
    Rebate,
    /// What a voided fill changed in results that were booked already.
    Reversal,
}

impl PnlCause {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::Settlement, Self::Exit, Self::Hedge, Self::Funding, Self::Rebate, Self::Reversal];
    /// Name in database and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settlement => "settlement",
            Self::Exit => "exit",
            Self::Hedge => "hedge",
            Self::Funding => "funding",
            Self::Rebate => "rebate",
            Self::Reversal => "reversal",
        }
    }
}

const fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::First => "first",
        Outcome::Second => "second",
    }
}

/// `m<market>:<outcome>` or `i<instrument>`.
pub(crate) struct TargetText(pub(crate) Tradable);

impl fmt::Display for TargetText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Tradable::Outcome(market, outcome) => write!(f, "m{market}:{}", outcome_text(outcome)),
            Tradable::Instrument(instrument) => write!(f, "i{instrument}"),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cash { venue, currency } => write!(f, "cash:{venue}:{currency}"),
            Self::Cost { structure, target } => write!(f, "cost:{structure}:{}", TargetText(target)),
            Self::Holding { structure, target } => write!(f, "holding:{structure}:{}", TargetText(target)),
            Self::Counterparty { venue } => write!(f, "counterparty:{venue}"),
            Self::Capital { venue, currency } => write!(f, "capital:{venue}:{currency}"),
            Self::Income(cause) => write!(f, "income:{}", cause.as_str()),
            Self::Expense(hop) => write!(f, "expense:{}", hop.as_str()),
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Currency(currency) => write!(f, "currency:{currency}"),
            Self::Shares(market, outcome) => write!(f, "shares:m{market}:{}", outcome_text(outcome)),
            Self::Contract(instrument) => write!(f, "contract:i{instrument}"),
        }
    }
}
