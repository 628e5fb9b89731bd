//! The report of a run: one document for scripts (`--json`) and one for people, both made from the same plain inputs, so that it can be
//! tested without an engine and stored with the run.

mod inputs;
mod render;
mod verdict;

use std::collections::BTreeMap;

use pm_core::opportunity::EvidenceClass;
use pm_core::units::Usd;
use serde::{Deserialize, Serialize};

pub use inputs::{KillState, Money, RunInputs};
pub use render::render;
pub use verdict::{Call, Group, MIN_TRADES, Reason, Roi, Verdict, call};

use crate::statistics::{HourlySample, max_drawdown, quotient, round6, sharpe};

/// What a run was worth. Fields stand in the order of the JSON document. Money is exact, as decimal text; ratios and statistics are JSON
/// numbers of at most 6 decimal places, `null` where they are not defined (nothing closed, too few samples, no time passed).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Mode: `paper`, `replay`, ...
    pub mode: String,
    /// Where the data came from: `live`, `replay`, `sim`.
    pub source: String,
    /// True when any of the data was derived (sampled sets, stand-in references) and not captured as it was sent.
    pub derived: bool,
    /// Seed of paper latency and of the simulated market; `null` when none was used.
    pub seed: Option<u64>,
    /// Capital at the start.
    pub bankroll_start: Usd,
    /// Capital at the end: start, transfers, realised and unrealised result. Open positions at executable exit less fees.
    pub bankroll_end: Usd,
    /// Realised result after all fees.
    pub net_pnl: Usd,
    /// What open positions would bring now at executable prices less fees, over their cost.
    pub unrealized_pnl: Usd,
    /// Fees of all hops.
    pub fees_total: Usd,
    /// Realised result after fees by class of evidence; every class is there.
    pub pnl_by_class: BTreeMap<String, Usd>,
    /// Opportunity episodes.
    pub opportunities: u64,
    /// Episodes that opened a structure.
    pub taken: u64,
    /// Episodes that were not taken, by the code of their last refusal.
    pub refused_by_reason: BTreeMap<String, u64>,
    /// Trades: closed structures with all their legs.
    pub trades: u32,
    /// Trades with profit after all costs.
    pub wins: u32,
    /// Trades with loss or at exactly zero.
    pub losses: u32,
    /// Wins over trades.
    pub win_rate: Option<f64>,
    /// Mean probability of winning as it was believed at the decisions.
    pub expected_win_rate: Option<f64>,
    /// Annualised Sharpe ratio of hourly equity returns; `null` under 24 of them.
    pub sharpe: Option<f64>,
    /// Largest fall from a high to a later low, as a fraction of the high.
    pub max_drawdown: f64,
    /// Mean duration of trades, seconds.
    pub avg_trade_duration_s: Option<f64>,
    /// Realised net result of trades over their notional, basis points.
    pub net_edge_bps: Option<f64>,
    /// Structures still open at the end; never counted as wins.
    pub open_positions: u32,
    /// Events that the engine took.
    pub events: u64,
    /// Frames read.
    pub frames: u64,
    /// Frames that could not be decoded.
    pub decode_errors: u64,
    /// Frames per second of wall time.
    pub frames_per_s: Option<f64>,
    /// State at the end: `armed` or `tripped`.
    pub kill_switch: String,
    /// Hash over (event, commands), hexadecimal.
    pub decision_hash: String,
    /// Row of the decision matrix.
    pub verdict: Verdict,
    /// Why no better row was reached.
    pub reason: Reason,
    /// Realised and unrealised result over the capital that was put in.
    pub roi: Option<f64>,
    /// ROI per day of market time; `null` under one hour of it.
    pub daily_roi: Option<f64>,
    /// Trips of the kill switch that were cleared at 00:00 UTC of market time.
    pub auto_resets: u64,

    // --- beyond what scripts were promised first ---
    /// Net result of trades by strategy.
    pub pnl_by_strategy: BTreeMap<String, Usd>,
    /// Trades by strategy.
    pub trades_by_strategy: BTreeMap<String, u32>,
    /// Trades that carried a hedge.
    pub hedged_trades: u32,
    /// Realised result before fees, by cause.
    pub pnl_by_cause: BTreeMap<String, Usd>,
    /// Fees by hop.
    pub fees_by_hop: BTreeMap<String, Usd>,
    /// Structures whose entry found nothing; no trades.
    pub aborted: u64,
    /// Fills that matched and then failed to settle.
    pub failed_fills: u64,
    /// Windows that resolved: a ladder of strikes is one.
    pub windows: u64,
    /// Markets priced at least once.
    pub priced: u64,
    /// Markets resolved.
    pub resolved: u64,
    /// Candidates evaluated.
    pub evaluated: u64,
    /// Deposits minus withdrawals during the run.
    pub transfers: Usd,
    /// Market time of the run.
    pub span: Span,
    /// Wall time of the run, seconds.
    pub wall_s: f64,
    /// Why the kill switch is tripped; `null` when it is armed.
    pub kill_switch_cause: Option<String>,
    /// Trips of the kill switch in the run.
    pub kill_switch_trips: u64,
    /// True when the data are simulated: no venue was asked.
    pub offline: bool,
    /// Id of the run in the store.
    pub run_id: Option<String>,
    /// The store.
    pub db: Option<String>,
    /// What a reader should know before believing the figures.
    pub warnings: Vec<String>,
}

/// Market time that a run covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// First event, UTC.
    pub from: String,
    /// Last event, UTC.
    pub to: String,
    /// Length, seconds.
    pub seconds: f64,
}

/// ROI per day is not stated under this span, seconds: a few minutes blown up to a day mean nothing.
const DAILY_ROI_FROM_S: f64 = 3_600.0;
const DAY_S: f64 = 86_400.0;

fn count(v: u64) -> f64 {
    pm_strategy::num::f64_of(i64::try_from(v).unwrap_or(i64::MAX))
}

fn seconds(d: pm_core::time::Dur) -> f64 {
    pm_strategy::num::f64_of(d.nanos()) / 1e9
}

fn per_trade(total: f64, trades: u32) -> Option<f64> {
    if trades == 0 { None } else { round6(total / f64::from(trades)) }
}

/// Falls seen once an hour and the one that the risk limits saw in between: the larger.
fn worst_fall(start: Usd, hourly: &[HourlySample], seen: pm_core::units::Ratio) -> f64 {
    round6(max_drawdown(start, hourly).max(pm_strategy::num::ratio(seen))).unwrap_or(1.0)
}

impl RunReport {
    /// Makes the report. Never fails: what cannot be computed is `null`.
    #[must_use]
    pub fn build(inputs: RunInputs<'_>) -> Self {
        let RunInputs { stats, money, .. } = &inputs;
        let total = stats.total;
        let roi = money.roi();
        let call = call(&inputs);
        let span = inputs.span();
        let roi_figure = roi.figure();
        let daily_roi = roi_figure.filter(|_| span.seconds >= DAILY_ROI_FROM_S).and_then(|r| round6(r * DAY_S / span.seconds));
        let wall_s = seconds(inputs.wall);
        let named = |class: EvidenceClass| class.as_str().to_owned();
        let mut pnl_by_class: BTreeMap<String, Usd> =
            [EvidenceClass::ModelFree, EvidenceClass::OptionImplied, EvidenceClass::VolModel]
                .map(|c| (named(c), Usd::ZERO))
                .into();
        pnl_by_class.extend(money.pnl_by_class.iter().map(|(c, v)| (named(*c), *v)));
        let warnings = inputs.all_warnings();
        Self {
            derived: inputs.derived,
            seed: inputs.seed,
            bankroll_start: money.start,
            bankroll_end: money.end(),
            net_pnl: money.realized,
            unrealized_pnl: money.unrealized,
            fees_total: money.fees_total,
            pnl_by_class,
            opportunities: stats.opportunities,
            taken: stats.taken,
            refused_by_reason: stats.refused.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect(),
            trades: total.trades,
            wins: total.wins,
            losses: total.losses,
            win_rate: per_trade(f64::from(total.wins), total.trades),
            expected_win_rate: per_trade(pm_strategy::num::px(stats.expected_wins), total.trades),
            sharpe: sharpe(&stats.hourly).and_then(round6),
            max_drawdown: worst_fall(money.start, &stats.hourly, inputs.drawdown),
            avg_trade_duration_s: per_trade(seconds(stats.held), total.trades),
            net_edge_bps: quotient(total.net, stats.notional).and_then(|r| round6(r * 1e4)),
            open_positions: inputs.open_positions,
            events: stats.events,
            frames: inputs.frames,
            decode_errors: inputs.decode_errors,
            frames_per_s: if wall_s > 0.0 { round6(count(inputs.frames) / wall_s) } else { None },
            kill_switch: inputs.kill.name().to_owned(),
            verdict: call.verdict,
            reason: call.reason,
            roi: roi_figure.and_then(round6),
            daily_roi,
            auto_resets: stats.auto_resets,
            pnl_by_strategy: stats.by_strategy.iter().map(|(s, t)| (s.as_str().to_owned(), t.net)).collect(),
            trades_by_strategy: stats.by_strategy.iter().map(|(s, t)| (s.as_str().to_owned(), t.trades)).collect(),
            hedged_trades: total.hedged,
            pnl_by_cause: money.pnl_by_cause.iter().map(|(c, v)| (c.as_str().to_owned(), *v)).collect(),
            fees_by_hop: money.fees_by_hop.iter().map(|(h, v)| (h.as_str().to_owned(), *v)).collect(),
            aborted: stats.aborted,
            failed_fills: stats.failed_fills,
            windows: inputs.windows,
            priced: stats.priced,
            resolved: stats.resolved,
            evaluated: stats.evaluated,
            transfers: money.transfers,
            span,
            wall_s: round6(wall_s).unwrap_or_default(),
            kill_switch_trips: stats.trips,
            offline: inputs.offline,
            warnings,
            mode: inputs.mode,
            source: inputs.source,
            decision_hash: inputs.decision_hash,
            kill_switch_cause: match inputs.kill {
                KillState::Armed => None,
                KillState::Tripped { cause } => Some(cause),
            },
            run_id: inputs.run_id,
            db: inputs.db,
        }
    }
}

impl core::fmt::Display for RunReport {
    /// The report for people without colours.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&render(self, false))
    }
}
