//! What a report is made of: plain values that an engine, a ledger and a driver know.

use pm_core::opportunity::EvidenceClass;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Ratio, Usd};
use pm_engine::Stats;
use pm_ledger::{FeeHop, Ledger, PnlCause};

use super::verdict::Roi;
use super::{Span, seconds};

/// Money of a run. By construction `end = start + transfers + realized + unrealized`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Money {
    /// Capital at the start.
    pub start: Usd,
    /// Deposits minus withdrawals since.
    pub transfers: Usd,
    /// Realised result after all fees.
    pub realized: Usd,
    /// Executable value of open positions less exit fees, over their cost.
    pub unrealized: Usd,
    /// Fees of all hops.
    pub fees_total: Usd,
    /// Fees by hop.
    pub fees_by_hop: Vec<(FeeHop, Usd)>,
    /// Realised result before fees, by cause.
    pub pnl_by_cause: Vec<(PnlCause, Usd)>,
    /// Realised result after fees, by class of evidence.
    pub pnl_by_class: Vec<(EvidenceClass, Usd)>,
}

impl Money {
    /// Reads a ledger. `start` is the capital that it was opened with, `unrealized` the executable value of what is open over its cost,
    /// less exit fees.
    #[must_use]
    pub fn of(ledger: &Ledger, start: Usd, unrealized: Usd) -> Self {
        let classes = [EvidenceClass::ModelFree, EvidenceClass::OptionImplied, EvidenceClass::VolModel];
        Self {
            start,
            transfers: ledger.capital() - start,
            realized: ledger.realized_total(),
            unrealized,
            fees_total: ledger.fees_total(),
            fees_by_hop: FeeHop::ALL.map(|hop| (hop, ledger.fees(hop))).to_vec(),
            pnl_by_cause: PnlCause::ALL.map(|cause| (cause, ledger.pnl(cause))).to_vec(),
            pnl_by_class: classes.map(|class| (class, ledger.net_by_class(class))).to_vec(),
        }
    }

    /// Capital at the end.
    #[must_use]
    pub fn end(&self) -> Usd {
        self.start + self.transfers + self.realized + self.unrealized
    }

    /// Return on the capital that was put in: the start and net deposits (a deposit must not make the same result look larger; a
    /// withdrawal does not make it look larger either).
    #[must_use]
    pub fn roi(&self) -> Roi {
        Roi { result: self.realized + self.unrealized, capital: self.start + self.transfers.max(Usd::ZERO) }
    }
}

/// State of the kill switch at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KillState {
    /// Ready to trip; trading was allowed.
    #[default]
    Armed,
    /// Tripped, and not reset.
    Tripped {
        /// Trigger and figure, for people.
        cause: String,
    },
}

impl KillState {
    /// `armed` or `tripped`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Tripped { .. } => "tripped",
        }
    }
    /// True when tripped.
    #[must_use]
    pub const fn is_tripped(&self) -> bool {
        matches!(self, Self::Tripped { .. })
    }
}

/// What a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInputs<'a> {
    /// Mode: `paper`, `replay`, ...
    pub mode: String,
    /// Source of the data: `live`, `replay`, `sim`.
    pub source: String,
    /// True when the data are simulated.
    pub offline: bool,
    /// True when any of the data was derived.
    pub derived: bool,
    /// Seed, if one was used.
    pub seed: Option<u64>,
    /// The engine's counts.
    pub stats: &'a Stats,
    /// Money.
    pub money: Money,
    /// Largest fall from a high to a later low that the risk limits saw (they look more often than once an hour).
    pub drawdown: Ratio,
    /// Structures still open.
    pub open_positions: u32,
    /// Windows that resolved: a ladder of strikes is one.
    pub windows: u64,
    /// Frames read.
    pub frames: u64,
    /// Frames that could not be decoded.
    pub decode_errors: u64,
    /// Wall time that the run took.
    pub wall: Dur,
    /// Market time of the last event.
    pub ended: Ts,
    /// Kill switch.
    pub kill: KillState,
    /// Decision hash, hexadecimal.
    pub decision_hash: String,
    /// What the feasibility statement said before the run.
    pub bankroll_too_small: bool,
    /// Id of the run in the store.
    pub run_id: Option<String>,
    /// The store, without secrets.
    pub db: Option<String>,
    /// Warnings of the driver; the report adds its own.
    pub warnings: Vec<String>,
}

impl<'a> RunInputs<'a> {
    /// Inputs with everything else empty; a driver fills in what it knows.
    #[must_use]
    pub fn new(mode: &str, source: &str, stats: &'a Stats, money: Money) -> Self {
        Self {
            mode: mode.to_owned(),
            source: source.to_owned(),
            offline: false,
            derived: false,
            seed: None,
            stats,
            money,
            drawdown: Ratio::ZERO,
            open_positions: 0,
            windows: 0,
            frames: 0,
            decode_errors: 0,
            wall: Dur::ZERO,
            ended: stats.started,
            kill: KillState::Armed,
            decision_hash: String::new(),
            bankroll_too_small: false,
            run_id: None,
            db: None,
            warnings: Vec::new(),
        }
    }

    /// Market time that the run covered.
    pub(super) fn span(&self) -> Span {
        let (from, to) = (self.stats.started, self.ended.max(self.stats.started));
        Span { from: from.to_string(), to: to.to_string(), seconds: seconds(to.since(from)) }
    }

    /// The driver's warnings and those that the figures themselves give. Derived and simulated data have fields and headlines of their own.
    pub(super) fn all_warnings(&self) -> Vec<String> {
        let mut all = self.warnings.clone();
        let stats = self.stats;
        let mut say = |when: bool, text: String| {
            if when {
                all.push(text);
            }
        };
        say(self.decode_errors > 0, format!("{} frames could not be decoded", self.decode_errors));
        say(stats.clock_back > 0, format!("the clock went back {} times", stats.clock_back));
        say(stats.failed_fills > 0, format!("{} fills matched and then failed to settle", stats.failed_fills));
        say(
            self.open_positions > 0,
            format!("{} structures are still open, valued at executable exit less fees", self.open_positions),
        );
        say(stats.auto_resets > 0, format!("the kill switch was reset automatically {} times", stats.auto_resets));
        let (traded, enough) = (stats.total.trades, super::MIN_TRADES);
        say(traded > 0 && traded < enough, format!("{traded} trades prove nothing; the decision matrix asks for {enough}"));
        all
    }
}
