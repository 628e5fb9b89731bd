//! Markets, instruments, rules.

use pm_core::fees::FeeSchedule;
use pm_core::instrument::InstrumentKind;
use pm_core::market::{Method, Payoff, Tie};
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty, Ratio, Usd};
use serde::{Deserialize, Serialize};

use super::yes;

/// How a market settles, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleRecord {
    /// Declared by a mapping: tradable in replay only.
    Declared(DeclaredRule),
    /// Not known; the text says why.
    NotUnderstood(String),
}

/// A declared rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredRule {
    /// Source that decides, by catalog name.
    pub source: String,
    /// How its value is formed.
    pub method: Method,
    /// When the first outcome pays.
    pub payoff: Payoff,
    /// What equality pays.
    pub tie: Tie,
    /// Instant that decides.
    pub final_at: Ts,
}

fn first() -> String {
    "v1".to_owned()
}

/// A binary market: all of `pm_core::market::Market` by names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketRecord {
    /// Venue.
    pub venue: String,
    /// Venue's own id.
    pub native: String,
    /// Short name.
    pub slug: String,
    /// Question or title.
    pub question: String,
    /// Ids of the two outcomes.
    pub tokens: [String; 2],
    /// Labels of the two outcomes.
    pub labels: [String; 2],
    /// Family label.
    pub family: String,
    /// What it is about; one that is not in the catalog makes a market without underlying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlying: Option<String>,
    /// How it settles.
    pub rule: RuleRecord,
    /// Collateral; the venue's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Price grid.
    pub tick: Px,
    /// Smallest order in shares.
    pub min_qty: Qty,
    /// Smallest marketable buy.
    #[serde(default)]
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Hold of marketable orders, in nanoseconds.
    #[serde(default)]
    pub taker_hold: Dur,
    /// When trading begins.
    pub opens_at: Ts,
    /// When trading ends.
    pub closes_at: Ts,
    /// Orders are taken.
    #[serde(default = "yes")]
    pub accepting: bool,
    /// Member of a set of exclusive markets.
    #[serde(default)]
    pub neg_risk: bool,
    /// Protocol version of the market.
    #[serde(default = "first")]
    pub version: String,
    /// Event key.
    #[serde(default)]
    pub group: String,
}

/// A hedge instrument: all of `pm_core::instrument::Instrument` by names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentRecord {
    /// Venue.
    pub venue: String,
    /// Registry key: category and symbol, e.g. `linear:BTCUSDT`.
    pub key: String,
    /// Bare symbol.
    pub symbol: String,
    /// Kind with its terms.
    pub kind: InstrumentKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlying: Option<String>,
    /// Price grid.
    pub tick: Px,
    /// Quantity grid.
    pub lot: Qty,
    /// Smallest order.
    pub min_qty: Qty,
    /// Smallest order value.
    #[serde(default)]
    pub min_notional: Usd,
    /// Fee schedule.
    pub fees: FeeSchedule,
    /// Initial margin rate.
    pub initial_margin: Ratio,
    /// Orders are taken.
    #[serde(default = "yes")]
    pub trading: bool,
}
