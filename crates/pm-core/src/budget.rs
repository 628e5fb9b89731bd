//! What may be spent now. Risk computes a [`Budget`], sizing consumes it, the gates verify it: one rule, one place, so that an order can
//! neither be sized past a limit nor refused by a limit that sizing did not know.

use serde::{Deserialize, Serialize};

use crate::num::Round;
use crate::refusal::{Clip, Refusal};
use crate::units::{Qty, Usd};

/// What a quantity of a structure costs, by the measures that limits are stated in. Linear in the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measures {
    /// Cash cost of the prediction legs before fees.
    pub notional: Usd,
    /// Cash needed: notional, fees, gas, margin excluded.
    pub outlay: Usd,
    /// Loss if everything goes wrong: outlay minus the guaranteed payoff, plus the hedge's own cost.
    pub worst_loss: Usd,
    /// Loss shown by the marks right after entry: fees and half the spread.
    pub entry_mark: Usd,
}

/// Which measure the loss limits are applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossBasis {
    /// The full loss of everything open: the switch trips only on surprise.
    WorstCase,
    /// The mark right after entry: a lost trade may trip the switch.
    Marked,
}

/// Room left under each limit, for one candidate (its market, expiry and underlying). Negative room counts as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Bankroll that fractions refer to.
    pub bankroll: Usd,
    /// Measure of the loss limits.
    pub basis: LossBasis,
    /// Notional of one structure: share of bankroll.
    pub bankroll_share: Usd,
    /// Free cash on the prediction venue (outlay).
    pub cash: Usd,
    /// Loss of one structure.
    pub structure_loss: Usd,
    /// What is left of the day's loss limit.
    pub day_loss: Usd,
    /// What is left of the week's loss limit.
    pub week_loss: Usd,
    /// Notional left in the market.
    pub market: Usd,
    /// Notional left in markets of the same expiry and underlying.
    pub expiry: Usd,
    /// Notional left in the underlying.
    pub underlying: Usd,
}

impl Budget {
    /// Each limit with its room and the measure it applies to, in the order in which they are checked.
    fn limits(&self, m: &Measures) -> [(Clip, Usd, Usd); 8] {
        let loss = match self.basis {
            LossBasis::WorstCase => m.worst_loss,
            LossBasis::Marked => m.entry_mark,
        };
        [
            (Clip::BankrollShare, self.bankroll_share, m.notional),
            (Clip::Cash, self.cash, m.outlay),
            (Clip::StructureLoss, self.structure_loss, loss),
            (Clip::DayLoss, self.day_loss, loss),
            (Clip::WeekLoss, self.week_loss, loss),
            (Clip::Market, self.market, m.notional),
            (Clip::Expiry, self.expiry, m.notional),
            (Clip::Underlying, self.underlying, m.notional),
        ]
    }

    /// The largest quantity within every limit, given the measures of `unit` quantity, and the limit that binds ([`Clip::None`] when
    /// `wanted` fits). Rounded down.
    #[must_use]
    pub fn largest(&self, wanted: Qty, unit: Qty, measures: &Measures) -> (Qty, Clip) {
        let mut best = (wanted, Clip::None);
        for (clip, room, used) in self.limits(measures) {
            if !used.is_positive() {
                continue;
            }
            let room = if room.is_negative() { Usd::ZERO } else { room };
            let fits = crate::num::mul_div(unit.raw(), room.raw(), used.raw(), Round::Down).map_or(Qty::MAX, Qty::from_raw);
            if fits < best.0 {
                best = (fits, clip);
            }
        }
        best
    }

    /// Verifies the measures of a whole order.
    ///
    /// # Errors
    /// [`Refusal::OverBudget`] with the first limit that is exceeded.
    pub fn verify(&self, total: &Measures) -> Result<(), Refusal> {
        for (clip, limit, would_be) in self.limits(total) {
            if would_be.is_positive() && would_be > limit {
                return Err(Refusal::OverBudget { clip, limit, would_be });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget {
            bankroll: Usd::whole(100),
            basis: LossBasis::WorstCase,
            bankroll_share: Usd::whole(25),
            cash: Usd::whole(100),
            structure_loss: Usd::whole(5),
            day_loss: Usd::whole(2),
            week_loss: Usd::whole(10),
            market: Usd::whole(25),
            expiry: Usd::whole(25),
            underlying: Usd::whole(50),
        }
    }

    #[test]
    fn each_limit_holds_just_inside_and_refuses_just_outside() {
        let inside =
            Measures { notional: Usd::whole(2), outlay: Usd::whole(2), worst_loss: Usd::whole(2), entry_mark: Usd::ZERO };
        assert_eq!(budget().verify(&inside), Ok(()));
        let outside = Measures { worst_loss: Usd::from_raw(200_000_001), ..inside };
        assert!(matches!(budget().verify(&outside), Err(Refusal::OverBudget { clip: Clip::DayLoss, .. })));
    }

    #[test]
    fn largest_never_exceeds_what_verify_allows() {
        let unit = Measures {
            notional: "0.43".parse().unwrap(),
            outlay: "0.447".parse().unwrap(),
            worst_loss: "0.447".parse().unwrap(),
            entry_mark: "0.02".parse().unwrap(),
        };
        let (qty, clip) = budget().largest(Qty::whole(1_000), Qty::ONE, &unit);
        assert_eq!(clip, Clip::DayLoss);
        assert_eq!(qty.at("0.447".parse().unwrap(), Round::Up), Usd::whole(2), "4.4742 shares use the 2.00 that are left");
    }
}
