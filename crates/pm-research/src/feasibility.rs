//! The start statement: what this bankroll can and cannot trade. It is said before a run so that a run without trades surprises nobody.

use core::fmt::Write as _;

use pm_core::budget::LossBasis;
use pm_core::units::Ratio;
use pm_strategy::num::ratio;
use pm_strategy::{Feasibility, FeasibilityInput};

use crate::statistics::round6;

/// Name of a loss basis as in the configuration.
#[must_use]
pub const fn basis_name(basis: LossBasis) -> &'static str {
    match basis {
        LossBasis::WorstCase => "worst_case",
        LossBasis::Marked => "marked",
    }
}

/// The statement for people; several lines, ends with a line break. `result` is what [`pm_strategy::feasibility`] found for `input`.
#[must_use]
pub fn render_feasibility(input: &FeasibilityInput, result: &Feasibility) -> String {
    let percent = |r: Ratio| round6(ratio(r) * 100.0).unwrap_or_default();
    let mut out = String::new();
    let basis = basis_name(input.basis);
    let verdict = match (result.can_trade.is_empty(), result.cannot.is_empty()) {
        (true, _) => "cannot trade anything outright",
        (false, true) => "can trade every price",
        (false, false) => "can trade some prices",
    };
    let _ = writeln!(out, "Bankroll ${} on loss basis {basis}: {verdict}.", input.bankroll);
    let _ = writeln!(
        out,
        "  Limits: {} % of bankroll per structure; loss of {} % per structure and {} % per day{}.",
        percent(input.bankroll_share),
        percent(input.structure_loss),
        percent(input.day_loss),
        if input.limit_use == Ratio::ONE {
            String::new()
        } else {
            format!(", of which one entry may use {} %", percent(input.limit_use))
        }
    );
    let _ = writeln!(out, "  Smallest order: {} shares and at least ${}, fees on top.", input.min_qty, input.min_notional);
    for range in &result.can_trade {
        let _ = writeln!(out, "  yes  outcomes priced {range}");
    }
    for range in &result.cannot {
        let _ = writeln!(out, "  no   outcomes priced {range}");
    }
    if result.can_trade.is_empty() {
        let _ = writeln!(out, "  The smallest bankroll that could trade at one price at least is ${}.", result.smallest_bankroll);
    }
    let sets = match input.basis {
        LossBasis::WorstCase => {
            "  A set counts its dearer leg against the loss limits: until both are confirmed, one may stand alone."
        }
        LossBasis::Marked => "  Sets need at least as much of every limit.",
    };
    let _ = writeln!(out, "{sets}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_core::fees::FeeSchedule;
    use pm_core::units::{Px, Qty, Usd};

    fn statement(bankroll: i32, basis: LossBasis) -> (String, bool) {
        let input = FeasibilityInput {
            bankroll: Usd::whole(bankroll),
            prediction_share: Ratio::ONE,
            basis,
            bankroll_share: "0.25".parse().unwrap(),
            structure_loss: "0.05".parse().unwrap(),
            day_loss: "0.02".parse().unwrap(),
            limit_use: if basis == LossBasis::Marked { "0.5".parse().unwrap() } else { Ratio::ONE },
            min_qty: Qty::whole(5),
            min_notional: Usd::ONE,
            fees: FeeSchedule::Curve { rate: "0.07".parse().unwrap(), exponent: 1, taker_only: true, maker_rebate: Ratio::ZERO },
            tick: "0.01".parse::<Px>().unwrap(),
            half_spread: "0.005".parse().unwrap(),
        };
        let result = pm_strategy::feasibility(&input);
        (render_feasibility(&input, &result), result.bankroll_too_small())
    }

    #[test]
    fn ten_dollars_trade_nothing_when_all_may_be_lost() {
        let (text, too_small) = statement(10, LossBasis::WorstCase);
        assert!(too_small);
        assert!(text.starts_with("Bankroll $10 on loss basis worst_case: cannot trade anything outright.\n"), "{text}");
        assert!(text.contains("The smallest bankroll that could trade at one price at least is $"), "{text}");
        assert!(!text.contains("  yes "), "{text}");
        assert!(text.contains("25 % of bankroll per structure; loss of 5 % per structure and 2 % per day.\n"), "{text}");
    }

    #[test]
    fn marked_says_what_and_why_not() {
        let (text, too_small) = statement(10, LossBasis::Marked);
        assert!(!too_small, "{text}");
        assert!(text.contains("can trade some prices") && text.contains("  yes ") && text.contains("  no "), "{text}");
        assert!(text.contains("of which one entry may use 50 %"), "{text}");
        println!("{text}");
    }
}
