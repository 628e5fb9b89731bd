//! Fee schedules as data. Venue crates decode into them; everyone evaluates them here, the same way, in integers.

use serde::{Deserialize, Serialize};

use crate::num::{Round, SCALE};
use crate::order::Tradable;
use crate::units::{Px, Qty, Ratio, Usd};

/// Which side of the match we were on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Liquidity {
    /// We took resting liquidity.
    Taker,
    /// Our resting order was taken.
    Maker,
}

/// Where on the money's way a fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FeeHop {
    /// Prediction venue, taker.
    PredictionTaker,
    /// Prediction venue, maker.
    PredictionMaker,
    /// Hedge venue, taker.
    HedgeTaker,
    /// Hedge venue, maker.
    HedgeMaker,
    /// Network fee.
    Gas,
    /// Deposits and withdrawals.
    Transfer,
}

impl FeeHop {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::PredictionTaker, Self::PredictionMaker, Self::HedgeTaker, Self::HedgeMaker, Self::Gas, Self::Transfer];
    /// Where a fill's fee is paid.
    #[must_use]
    pub const fn of(target: Tradable, liquidity: Liquidity) -> Self {
        match (target, liquidity) {
            (Tradable::Outcome(..), Liquidity::Taker) => Self::PredictionTaker,
            (Tradable::Outcome(..), Liquidity::Maker) => Self::PredictionMaker,
            (Tradable::Instrument(_), Liquidity::Taker) => Self::HedgeTaker,
            (Tradable::Instrument(_), Liquidity::Maker) => Self::HedgeMaker,
        }
    }
    /// Name in database and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PredictionTaker => "prediction_taker",
            Self::PredictionMaker => "prediction_maker",
            Self::HedgeTaker => "hedge_taker",
            Self::HedgeMaker => "hedge_maker",
            Self::Gas => "gas",
            Self::Transfer => "transfer",
        }
    }
}

/// How a venue charges for a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeSchedule {
    /// No fee.
    Free,
    /// `shares * rate * (p * (1 - p))^exponent`, rounded down to 5 decimals; makers pay nothing when `taker_only`.
    /// Unit: the collateral. Source: venues/polymarket.md 6 (21 of 21 on-chain fees reproduced).
    Curve {
        /// Rate, e.g. 0.07 for crypto markets.
        rate: Ratio,
        /// Exponent of `p (1 - p)`, 1 today, 2 in the historic schedule.
        exponent: u8,
        /// True when makers pay nothing.
        taker_only: bool,
        /// Share of the fee that is paid back to makers (daily, not per fill).
        maker_rebate: Ratio,
    },
    /// `notional * rate`, rounded up to 1e-8. Spot, perpetuals, futures: venues/bybit.md 7.
    Proportional {
        /// Taker rate.
        taker: Ratio,
        /// Maker rate.
        maker: Ratio,
    },
    /// `min(rate * index, cap * premium) * quantity`, rounded up to 1e-8. Options: venues/bybit.md 7.
    OptionCapped {
        /// Taker rate on the index price.
        taker: Ratio,
        /// Maker rate on the index price.
        maker: Ratio,
        /// Largest fee as a share of the premium.
        cap: Ratio,
    },
}

impl FeeSchedule {
    /// Fee for `qty` at `px`. `index` is the underlying's index price, needed by options only (absent: the premium cap applies alone).
    #[must_use]
    pub fn fee(&self, liquidity: Liquidity, px: Px, qty: Qty, index: Option<Px>) -> Usd {
        match *self {
            Self::Free => Usd::ZERO,
            Self::Curve { rate, exponent, taker_only, .. } => match liquidity {
                Liquidity::Maker if taker_only => Usd::ZERO,
                _ => curve_fee(rate, exponent, px, qty),
            },
            Self::Proportional { taker, maker } => {
                let rate = if liquidity == Liquidity::Taker { taker } else { maker };
                qty.at(px, Round::Up).scale_by(rate, Round::Up)
            }
            Self::OptionCapped { taker, maker, cap } => {
                let rate = if liquidity == Liquidity::Taker { taker } else { maker };
                let capped = qty.at(px, Round::Up).scale_by(cap, Round::Up);
                match index {
                    Some(index) => capped.min(qty.at(index, Round::Up).scale_by(rate, Round::Up)),
                    None => capped,
                }
            }
        }
    }
}

/// Fees are charged in steps of 0.00001 of the collateral.
const CURVE_STEP: Usd = Usd::from_raw(1_000);

fn curve_fee(rate: Ratio, exponent: u8, px: Px, qty: Qty) -> Usd {
    let p = px.raw().clamp(0, SCALE);
    let (one, pq) = (i128::from(SCALE) * i128::from(SCALE), i128::from(p) * i128::from(SCALE - p));
    // `curve` is (p (1 - p))^exponent at scale 1e16. Exact for exponent 1; cut at 1e-16 per further power.
    let mut curve = if exponent == 0 { one } else { pq };
    for _ in 1..exponent {
        curve = curve * pq / one;
    }
    // rate (1e8) * curve (1e16) <= 1e24; times qty overflows 128 bits only past 1e14 shares: then no schedule applies, charge the maximum.
    let fee = (i128::from(rate.raw()) * curve)
        .checked_mul(i128::from(qty.raw()))
        .and_then(|v| i64::try_from(v / (one * i128::from(SCALE))).ok())
        .unwrap_or(i64::MAX);
    Usd::from_raw(fee).floor_to(CURVE_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crypto() -> FeeSchedule {
        FeeSchedule::Curve { rate: "0.07".parse().unwrap(), exponent: 1, taker_only: true, maker_rebate: "0.2".parse().unwrap() }
    }

    #[test]
    fn published_table_of_one_hundred_crypto_shares() {
        for (px, fee) in
            [("0.5", "1.75"), ("0.3", "1.47"), ("0.7", "1.47"), ("0.1", "0.63"), ("0.05", "0.3325"), ("0.01", "0.0693")]
        {
            assert_eq!(crypto().fee(Liquidity::Taker, px.parse().unwrap(), Qty::whole(100), None), fee.parse().unwrap(), "{px}");
        }
        assert_eq!(crypto().fee(Liquidity::Maker, "0.5".parse().unwrap(), Qty::whole(100), None), Usd::ZERO);
    }

    #[test]
    fn curve_fee_is_cut_to_five_decimals() {
        // 7 * 0.07 * 0.333 * 0.667 = 0.10883439 -> 0.10883
        let fee = crypto().fee(Liquidity::Taker, "0.333".parse().unwrap(), Qty::whole(7), None);
        assert_eq!(fee, "0.10883".parse().unwrap());
    }

    #[test]
    fn squared_curve_of_the_historic_schedule() {
        let old = FeeSchedule::Curve { rate: "0.25".parse().unwrap(), exponent: 2, taker_only: true, maker_rebate: Ratio::ZERO };
        // 100 * 0.25 * 0.25^2 = 1.5625
        assert_eq!(old.fee(Liquidity::Taker, "0.5".parse().unwrap(), Qty::whole(100), None), "1.5625".parse().unwrap());
    }

    #[test]
    fn option_fee_is_capped_by_premium() {
        // venues/bybit.md 7: premium 240, index 83 885, 0.01 BTC -> 0.168
        let s = FeeSchedule::OptionCapped {
            taker: "0.0003".parse().unwrap(),
            maker: "0.0002".parse().unwrap(),
            cap: "0.07".parse().unwrap(),
        };
        let fee = s.fee(Liquidity::Taker, Px::whole(240), "0.01".parse().unwrap(), Some(Px::whole(83_885)));
        assert_eq!(fee, "0.168".parse().unwrap());
    }

    #[test]
    fn perp_fee_is_a_share_of_notional() {
        let s = FeeSchedule::Proportional { taker: "0.00055".parse().unwrap(), maker: "0.0002".parse().unwrap() };
        assert_eq!(s.fee(Liquidity::Taker, Px::whole(84_000), "0.001".parse().unwrap(), None), "0.0462".parse().unwrap());
    }
}
