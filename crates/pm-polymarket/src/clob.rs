//! The short-key body of `GET /clob-markets/{condition}` (venues/polymarket.md 5.1): tick, minimum, fees and taker hold in one call, straight
//! from the matching engine rather than from Gamma's cache.

use pm_core::fees::FeeSchedule;
use pm_core::market::MarketChange;
use pm_core::time::Dur;
use pm_core::units::{Px, Qty};

use crate::fees::{self, FeeError};
use crate::gamma::{FeeTerms, GammaError, Object};

/// A `/clob-markets` body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClobMarket {
    /// Condition id (`c`).
    pub condition_id: String,
    /// Token ids and labels (`t`).
    pub tokens: Vec<(String, String)>,
    /// Price grid (`mts`).
    pub tick: Option<Px>,
    /// Smallest order in shares (`mos`).
    pub min_qty: Option<Qty>,
    /// Negative risk (`nr`, absent = false).
    pub neg_risk: bool,
    /// Fee terms (`fd`, absent = no fee; empty when it is there and is no object).
    pub fees: Option<FeeTerms>,
    /// Orders accepted (`ao`).
    pub accepting: Option<bool>,
    /// Taker delay on (`itode`, absent = false).
    pub taker_delay: bool,
    /// Protocol version (`v`).
    pub version: Option<String>,
}

impl ClobMarket {
    /// Reads a body.
    ///
    /// # Errors
    /// Not an object, or without a condition id.
    pub fn parse(json: &str) -> Result<Self, GammaError> {
        Self::of(&Object::parse(json)?)
    }

    pub(crate) fn of(o: &Object<'_>) -> Result<Self, GammaError> {
        let tokens = o.array("t").into_iter().filter_map(|t| Object::parse(t).ok());
        Ok(Self {
            condition_id: o.text("c").ok_or(GammaError::NoId)?,
            tokens: tokens.filter_map(|t| Some((t.text("t")?, t.text("o").unwrap_or_default()))).collect(),
            tick: o.text("mts").and_then(|t| t.parse().ok()).filter(|t: &Px| t.is_probability()),
            min_qty: o.text("mos").and_then(|t| t.parse().ok()).filter(|q: &Qty| q.is_positive()),
            neg_risk: o.flag("nr").unwrap_or(false),
            fees: o.raw("fd").map(|f| Object::parse(f).map_or_else(|_| FeeTerms::default(), |f| terms(&f))),
            accepting: o.flag("ao"),
            taker_delay: o.flag("itode").unwrap_or(false),
            version: o.text("v"),
        })
    }

    /// The schedule of `fd`: without it there is no fee.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn schedule(&self) -> Result<FeeSchedule, FeeError> {
        self.fees.as_ref().map_or(Ok(FeeSchedule::Free), fees::curve)
    }

    /// What it says about a listed market. The maker's share is not in the body: it is kept from `known`. `hold` is the delay that
    /// `itode` stands for: the body names no duration (venues/polymarket.md 0.5). Fees that cannot be read close the market.
    #[must_use]
    pub fn changes(&self, known: Option<FeeSchedule>, hold: Dur) -> Vec<MarketChange> {
        let mut out = Vec::with_capacity(5);
        out.extend(self.tick.map(MarketChange::Tick));
        out.extend(self.min_qty.map(MarketChange::MinQty));
        let schedule = self.schedule();
        let accepting = if schedule.is_ok() { self.accepting } else { Some(false) };
        out.extend(schedule.ok().map(|fees| MarketChange::Fees(with_rebate(fees, known))));
        out.push(MarketChange::TakerHold(if self.taker_delay { hold } else { Dur::ZERO }));
        out.extend(accepting.map(MarketChange::Accepting));
        out
    }
}

fn terms(f: &Object<'_>) -> FeeTerms {
    FeeTerms { rate: f.num("r"), exponent: f.num("e"), taker_only: f.flag("to"), rebate_rate: None }
}

/// `fees` with the maker's share of `known`.
pub(crate) fn with_rebate(fees: FeeSchedule, known: Option<FeeSchedule>) -> FeeSchedule {
    match (fees, known) {
        (FeeSchedule::Curve { rate, exponent, taker_only, .. }, Some(FeeSchedule::Curve { maker_rebate, .. })) => {
            FeeSchedule::Curve { rate, exponent, taker_only, maker_rebate }
        }
        (fees, _) => fees,
    }
}
