//! Fees by category, as a setting: rates differ by level and region, the account's own come from an authenticated endpoint
//! (venues/bybit.md 0.7, 7).

use pm_core::fees::FeeSchedule;
use pm_core::units::Ratio;

use crate::category::Category;

/// Rates of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Taker rate as a fraction.
    pub taker: Ratio,
    /// Maker rate as a fraction.
    pub maker: Ratio,
}

/// Fee rates of all categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeTable {
    /// Spot, of notional.
    pub spot: Rates,
    /// Perpetuals and dated futures, of notional.
    pub linear: Rates,
    /// Options, of the index price.
    pub option: Rates,
    /// Largest option fee as a fraction of the premium.
    pub option_cap: Ratio,
}

impl Default for FeeTable {
    /// VIP 0 (venues/bybit.md 7): spot 0.1 / 0.1 %, perpetuals 0.055 / 0.02 %, options 0.03 / 0.02 % of index, at most 7 % of premium.
    fn default() -> Self {
        Self {
            spot: Rates { taker: Ratio::from_raw(100_000), maker: Ratio::from_raw(100_000) },
            linear: Rates { taker: Ratio::from_raw(55_000), maker: Ratio::from_raw(20_000) },
            option: Rates { taker: Ratio::from_raw(30_000), maker: Ratio::from_raw(20_000) },
            option_cap: Ratio::from_raw(7_000_000),
        }
    }
}

impl FeeTable {
    /// Schedule of a category.
    #[must_use]
    pub const fn schedule(&self, category: Category) -> FeeSchedule {
        match category {
            Category::Spot => FeeSchedule::Proportional { taker: self.spot.taker, maker: self.spot.maker },
            Category::Linear => FeeSchedule::Proportional { taker: self.linear.taker, maker: self.linear.maker },
            Category::Option => {
                FeeSchedule::OptionCapped { taker: self.option.taker, maker: self.option.maker, cap: self.option_cap }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_core::fees::Liquidity;
    use pm_core::units::Px;

    #[test]
    fn defaults_reproduce_the_worked_option_fee() {
        // venues/bybit.md 7: premium 240, index 83 885, 0.01 BTC -> capped at 0.168 USDT.
        let fee = FeeTable::default().schedule(Category::Option).fee(
            Liquidity::Taker,
            Px::whole(240),
            "0.01".parse().unwrap(),
            Some(Px::whole(83_885)),
        );
        assert_eq!(fee, "0.168".parse().unwrap());
    }

    #[test]
    fn defaults_reproduce_the_round_trip_of_one_perp_lot() {
        // venues/bybit.md 8: 0.001 BTC at 84 000, taker in and out, 0.092 USDT.
        let fee = FeeTable::default().schedule(Category::Linear).fee(
            Liquidity::Taker,
            Px::whole(84_000),
            "0.001".parse().unwrap(),
            None,
        );
        assert_eq!(fee + fee, "0.0924".parse().unwrap());
    }
}
