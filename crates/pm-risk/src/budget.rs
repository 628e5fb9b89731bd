//! What may be spent now, from the settings, the day and what is open. Sizing consumes it, the gates verify it.

use pm_core::budget::{Budget, LossBasis};
use pm_core::num::Round;
use pm_core::time::Ts;
use pm_core::units::{Ratio, Usd};

use crate::periods::Period;
use crate::risk::Risk;

/// What is open now, as far as it matters for one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// Now.
    pub now: Ts,
    /// Equity.
    pub bankroll: Usd,
    /// Free cash on the prediction venue.
    pub cash: Usd,
    /// Loss if everything open, structures and orders, goes wrong: cost minus guaranteed payoff.
    pub open_worst_loss: Usd,
    /// What entries that are under way will show as loss at their first mark: no mark counts them yet (`marked`).
    pub pending_entry_mark: Usd,
    /// True when the candidate settles later than [`crate::RiskConfig::long_dated_after_s`] from now.
    pub long_dated: bool,
    /// The part of `open_worst_loss` that is in such structures.
    pub long_dated_worst_loss: Usd,
    /// Notional in the candidate's market.
    pub market_notional: Usd,
    /// Notional in markets of its expiry and underlying.
    pub expiry_notional: Usd,
    /// Notional in its underlying.
    pub underlying_notional: Usd,
    /// Structures open now.
    pub open_structures: u32,
    /// True when one of ours, structure or order, is in the market.
    pub structure_in_market: bool,
    /// End of the market's rest after an order.
    pub cooling_until: Option<Ts>,
}

impl Risk {
    /// Room under each limit for one candidate.
    ///
    /// `worst_case`: the day's and the week's room is the limit minus the worst loss of everything open minus what is lost already (at
    /// cost); a structure may lose its whole limit. `marked`: half of what is left of each limit after
    /// the entries under way, because the measure is only the mark right after entry.
    #[must_use]
    pub fn budget(&self, x: &Exposure) -> Budget {
        let cfg = self.config();
        let bankroll = x.bankroll.max(Usd::ZERO);
        let share = |ratio: Ratio| bankroll.scale_by(ratio, Round::Down);
        let structure = self.loss_bankroll().map_or(bankroll, |b| b.min(bankroll)).max(Usd::ZERO);
        let structure = structure.scale_by(cfg.max_structure_loss, Round::Down);
        let half = Ratio::from_bps(5_000);
        // A position that lasts for hours must not keep the windows that settle every few minutes out of the day's limit.
        let (share_of_limit, open) = if x.long_dated && cfg.loss_basis == LossBasis::WorstCase {
            (cfg.long_dated_share, x.long_dated_worst_loss)
        } else {
            (Ratio::ONE, x.open_worst_loss)
        };
        let room = |period: Option<&Period>, limit: Ratio| {
            let p = self.periods_ref();
            let (base, marked, at_cost) = match period {
                Some(period) => (period.bankroll(p).max(Usd::ZERO), period.loss(p), period.loss_at_cost(p)),
                None => (bankroll, Usd::ZERO, Usd::ZERO),
            };
            let limit = base.scale_by(limit, Round::Down);
            match cfg.loss_basis {
                LossBasis::WorstCase => {
                    let part = limit.scale_by(share_of_limit, Round::Down) - open;
                    part.min(limit - x.open_worst_loss) - at_cost
                }
                LossBasis::Marked => (limit - marked - x.pending_entry_mark).scale_by(half, Round::Down),
            }
        };
        Budget {
            bankroll,
            basis: cfg.loss_basis,
            bankroll_share: share(cfg.bankroll_share),
            cash: x.cash,
            structure_loss: match cfg.loss_basis {
                LossBasis::WorstCase => structure,
                LossBasis::Marked => structure.scale_by(half, Round::Down),
            },
            day_loss: room(self.periods_ref().day.as_ref(), cfg.max_daily_loss),
            week_loss: room(self.periods_ref().week.as_ref(), cfg.max_weekly_loss),
            market: share(cfg.market_share) - x.market_notional,
            expiry: share(cfg.expiry_share) - x.expiry_notional,
            underlying: share(cfg.underlying_share) - x.underlying_notional,
        }
    }
}
