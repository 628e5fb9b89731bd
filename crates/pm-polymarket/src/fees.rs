//! Fee estimates in exact decimals, as the venue's own client makes them before an order is sent (venues/polymarket-official-clients.md 9).
//! What is *charged* is this, cut to 5 decimals: [`pm_core::fees::FeeSchedule::Curve`]. The estimate exists to respect a budget.

use pm_core::fees::FeeSchedule;
use pm_core::units::Ratio;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::gamma::FeeTerms;

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

/// Why a fee schedule could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// Fees are on, but neither a schedule nor a known fee type is given.
    #[error("fees are enabled and no schedule is given")]
    Unknown,
    /// The exponent is not a small whole number.
    #[error("fee exponent {0} is not a small whole number")]
    Exponent(Decimal),
    /// A rate is missing or outside of 0..1.
    #[error("fee rate is missing or outside of 0..1")]
    Rate,
}

/// The schedule of a market from Gamma's `feesEnabled`, `feeType` and `feeSchedule` (venues/polymarket.md 6). A schedule counts unless
/// fees are switched off; the historic type `crypto_15_min` had no schedule field.
///
/// # Errors
/// See [`FeeError`].
pub fn schedule(enabled: Option<bool>, kind: Option<&str>, terms: Option<&FeeTerms>) -> Result<FeeSchedule, FeeError> {
    if enabled == Some(false) {
        return Ok(FeeSchedule::Free);
    }
    match (terms, kind, enabled) {
        (Some(terms), _, _) => curve(terms),
        (None, Some("crypto_15_min"), _) => curve(&FeeTerms {
            rate: Some(Decimal::new(25, 2)),
            exponent: Some(Decimal::TWO),
            taker_only: Some(true),
            rebate_rate: Some(Decimal::ZERO),
        }),
        (None, _, Some(true)) => Err(FeeError::Unknown),
        (None, _, _) => Ok(FeeSchedule::Free),
    }
}

fn curve(terms: &FeeTerms) -> Result<FeeSchedule, FeeError> {
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
