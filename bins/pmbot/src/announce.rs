//! What is said before a run: where the data come from, and what the bankroll can and cannot trade.

use pm_core::fees::FeeSchedule;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_execution::kill_file::KillFile;
use pm_strategy::FeasibilityInput;

use crate::cli::{Cli, PaperArgs, Source};
use crate::config::Config;
use crate::display::errln;
use crate::exit::Failure;
use crate::paper::Plan;

/// The usual crypto market of the prediction venue, for the statement before the run.
pub(crate) fn feasibility_input(config: &Config, bankroll: Usd) -> FeasibilityInput {
    let marked = config.risk.loss_basis == pm_core::budget::LossBasis::Marked;
    FeasibilityInput {
        bankroll,
        prediction_share: Ratio::ONE - config.account.hedge_share,
        basis: config.risk.loss_basis,
        bankroll_share: config.risk.bankroll_share,
        structure_loss: config.risk.max_structure_loss,
        day_loss: config.risk.max_daily_loss,
        limit_use: if marked { Ratio::from_bps(5_000) } else { Ratio::ONE },
        min_qty: Qty::whole(5),
        min_notional: Usd::ONE,
        fees: FeeSchedule::Curve {
            rate: Ratio::from_bps(700),
            exponent: 1,
            taker_only: true,
            maker_rebate: Ratio::from_bps(2_000),
        },
        tick: Px::from_raw(1_000_000),
        half_spread: Px::from_raw(500_000),
    }
}

/// Says loudly where the data come from, and what this bankroll can and cannot trade.
pub(crate) fn announce(
    cli: &Cli,
    config: &Config,
    args: &PaperArgs,
    plan: &Plan,
    input: &FeasibilityInput,
    warnings: &[String],
) -> Result<(), Failure> {
    if cli.json {
        return Ok(());
    }
    if args.source == Source::Auto && plan.source == "sim" {
        errln!("OFFLINE: no live feeds in this version; running on the SIMULATED MARKET in accelerated time.");
    }
    let derived = if plan.derived { ", DERIVED data: sampled or rebuilt, not captured frames" } else { "" };
    errln!("PAPER     source {} ({}){derived}", plan.source, plan.origin);
    for warning in warnings {
        errln!("note      {warning}");
    }
    let operator = KillFile::new(&config.state_dir()?, "paper", &config.account.name);
    if operator.read().map_or(true, |r| r.is_some_and(|r| r.tripped)) {
        let name = &config.account.name;
        errln!("note      the kill switch of paper / {name} is tripped; a run on {} has its own and starts ready", plan.source);
    }
    errln!("{}", pm_research::render_feasibility(input, &plan.feasibility).trim_end());
    Ok(())
}
