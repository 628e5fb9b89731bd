//! Fee estimates in exact decimals, as the venue's own client makes them before an order is sent (venues/polymarket-official-clients.md 9).
//! What is *charged* is this, cut to 5 decimals: [`pm_core::fees::FeeSchedule::Curve`]. The estimate exists to respect a budget.

use pm_core::fees::FeeSchedule;
use pm_core::time::Ts;
use pm_core::units::Ratio;
use pm_core::wire_text::clip;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::gamma::{FeeTerms, GammaTrading};

/// Platform fee per share in pUSD: `rate * (p (1 - p))^exponent`. `None` on overflow or a fractional exponent.
#[must_use]
pub fn effective_rate(rate: Decimal, exponent: Decimal, price: Decimal) -> Option<Decimal> {
    if !exponent.fract().is_zero() {
        return None;
    }
    let base = price.checked_mul(Decimal::ONE.checked_sub(price)?)?;
    let mut value = rate;
    for _ in 0..exponent.to_u8()? {
        value = value.checked_mul(base)?;
    }
    Some(value)
}

/// Platform fee in pUSD before it is cut to 5 decimals: `shares * rate * (p (1 - p))^exponent` (venues/polymarket.md 6).
#[must_use]
pub fn platform_fee_exact(rate: Decimal, exponent: Decimal, price: Decimal, shares: Decimal) -> Option<Decimal> {
    effective_rate(rate, exponent, price)?.checked_mul(shares)
}

/// The largest amount (pUSD) of a buy whose amount, platform fee and builder fee together stay within `max_spend`: `amount` itself when
/// it fits with room to spare, else `max_spend / (1 + effective_rate / p + builder_rate)`.
#[must_use]
pub fn adjust_buy_amount_for_fees(
    amount: Decimal,
    price: Decimal,
    max_spend: Decimal,
    rate: Decimal,
    exponent: Decimal,
    builder_rate: Decimal,
) -> Option<Decimal> {
    let per_share = effective_rate(rate, exponent, price)?;
    let platform = amount.checked_div(price)?.checked_mul(per_share)?;
    let builder = amount.checked_mul(builder_rate)?;
    let total = amount.checked_add(platform)?.checked_add(builder)?;
    if max_spend > total {
        return Some(amount);
    }
    let divisor = Decimal::ONE.checked_add(per_share.checked_div(price)?)?.checked_add(builder_rate)?;
    max_spend.checked_div(divisor)
}

/// Why a fee schedule could not be taken over. A market with such a doubt is shown and not traded: a fee that is not known is not no fee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// Fees are on, but neither a schedule nor a known fee type is given.
    #[error("fees are enabled and no schedule is given")]
    Unknown,
    /// Nothing is said about fees, and the market is not from before they existed.
    #[error("neither fees nor their absence are stated")]
    Unstated,
    /// A fee type that this program does not know, without a schedule.
    #[error("fee type {0:?} is not known and no schedule is given")]
    Kind(String),
    /// The exponent is not a small whole number.
    #[error("fee exponent {0} is not a small whole number")]
    Exponent(Decimal),
    /// A rate is missing or outside of 0..1.
    #[error("fee rate is missing or outside of 0..1")]
    Rate,
}

/// 2026-01-01 00:00 UTC: nothing that ended before it had a fee. Fees began with the 15-minute windows in the first week of that January
/// (of the recorded ones the last without was made on 2025-12-30, the first with on 2026-01-06). The day a market was *made* says nothing:
/// older markets that still traded got fees later.
pub const FEES_SINCE: Ts = Ts::from_secs(1_767_225_600);

/// The schedule of a market from Gamma's `feesEnabled`, `feeType` and `feeSchedule` (venues/polymarket.md 6), and from `ended`, the later of
/// its scheduled and its actual end. A schedule counts unless fees are switched off; the historic type `crypto_15_min` had no schedule
/// field.
///
/// # Errors
/// See [`FeeError`].
pub fn schedule(stated: &GammaTrading, ended: Option<Ts>) -> Result<FeeSchedule, FeeError> {
    match (&stated.fee_schedule, stated.fees_enabled, stated.fee_type.as_deref()) {
        (_, Some(false), _) => Ok(FeeSchedule::Free),
        (Some(terms), ..) => curve(terms),
        (None, _, Some("crypto_15_min")) => curve(&FeeTerms {
            rate: Some(Decimal::new(25, 2)),
            exponent: Some(Decimal::TWO),
            taker_only: Some(true),
            rebate_rate: Some(Decimal::ZERO),
        }),
        (None, Some(true), _) => Err(FeeError::Unknown),
        (None, None, Some(kind)) => Err(FeeError::Kind(clip(kind))),
        (None, None, None) if ended.is_some_and(|at| at < FEES_SINCE) => Ok(FeeSchedule::Free),
        (None, None, None) => Err(FeeError::Unstated),
    }
}

/// The schedule that terms describe.
pub(crate) fn curve(terms: &FeeTerms) -> Result<FeeSchedule, FeeError> {
    let ratio =
        |value: Option<Decimal>| value.and_then(|v| Ratio::from_decimal(v).ok()).filter(|r| !r.is_negative() && *r <= Ratio::ONE);
    let rate = ratio(terms.rate).ok_or(FeeError::Rate)?;
    if rate.is_zero() {
        return Ok(FeeSchedule::Free);
    }
    let exponent = terms.exponent.unwrap_or(Decimal::ONE);
    let whole = exponent.to_u8().filter(|e| exponent.fract().is_zero() && *e <= 4).ok_or(FeeError::Exponent(exponent))?;
    let maker_rebate = ratio(Some(terms.rebate_rate.unwrap_or_default())).ok_or(FeeError::Rate)?;
    Ok(FeeSchedule::Curve { rate, exponent: whole, taker_only: terms.taker_only.unwrap_or(true), maker_rebate })
}
