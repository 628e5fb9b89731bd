//! How much room there is: what is at stake already, and what the venue may ask for beyond the outlay (it reserves the limit price and the
//! highest fee, not the walked ones), so that nothing is sized that a gate or the venue would refuse afterwards.

use pm_core::fees::Liquidity;
use pm_core::ids::StructureId;
use pm_core::num::Round;
use pm_core::opportunity::{Candidate, Hedge};
use pm_core::order::{Side, Tradable};
use pm_core::time::Dur;
use pm_core::units::{Px, Qty, Usd};
use pm_risk::Exposure;
use pm_strategy::Sized;

use crate::engine::Engine;
use crate::structures::Structure;

impl Engine {
    /// Cash on the prediction venue that no purchase on its way may still need.
    pub(crate) fn free_prediction_cash(&self) -> Usd {
        self.prediction_cash() - self.structures.open.values().map(|s| s.pending_outlay).sum()
    }

    /// What is at stake already, as far as limits for this candidate count it.
    pub(crate) fn exposure(&self, candidate: &Candidate) -> Exposure {
        let market = candidate.legs.first().map(|l| l.market);
        let about = market.and_then(|m| self.markets.market(m));
        let underlying = about.and_then(|s| s.market.underlying);
        let expiry = about.and_then(|s| s.market.rule.understood()).map(|r| r.final_at);
        let long_after = Dur::from_secs(i64::from(self.cfg.risk.long_dated_after_s));
        let mut x = Exposure {
            now: self.now,
            bankroll: self.equity.min(self.equity_at_cost()),
            cash: self.free_prediction_cash(),
            open_worst_loss: Usd::ZERO,
            pending_entry_mark: Usd::ZERO,
            long_dated: candidate.settles_at.since(self.now) > long_after,
            long_dated_worst_loss: Usd::ZERO,
            market_notional: Usd::ZERO,
            expiry_notional: Usd::ZERO,
            underlying_notional: Usd::ZERO,
            open_structures: self.structures.count(),
            structure_in_market: false,
            cooling_until: candidate.legs.iter().filter_map(|l| self.markets.market(l.market)).map(|s| s.cooling_until).max(),
        };
        for (id, structure) in &self.structures.open {
            let (cost, worst) = self.at_stake(*id, structure);
            x.open_worst_loss += worst;
            if structure.settles_at.since(self.now) > long_after {
                x.long_dated_worst_loss += worst;
            }
            if structure.entering {
                x.pending_entry_mark += structure.planned.entry_mark;
            }
            let Some(slot) = structure.market().and_then(|m| self.markets.market(m)) else { continue };
            x.structure_in_market |= candidate.legs.iter().any(|l| structure.touches(l.market));
            if candidate.legs.iter().any(|l| structure.touches(l.market)) {
                x.market_notional += cost;
            }
            if slot.market.underlying == underlying {
                x.underlying_notional += cost;
                if slot.market.rule.understood().map(|r| r.final_at) == expiry {
                    x.expiry_notional += cost;
                }
            }
        }
        x
    }

    /// Cost in shares and worst loss of an open structure, pending orders included.
    pub(crate) fn at_stake(&self, id: StructureId, structure: &Structure) -> (Usd, Usd) {
        let mut cost = structure.pending_outlay;
        let mut complete = Qty::MAX;
        for leg in structure.legs.iter() {
            match self.ledger.position(id, Tradable::Outcome(leg.market, leg.outcome)) {
                Some(p) => {
                    cost += p.cost;
                    complete = complete.min(p.qty);
                }
                None => complete = Qty::ZERO,
            }
        }
        let floor = if complete == Qty::MAX { Usd::ZERO } else { complete.at(structure.floor, Round::Down) };
        let bare = (cost - floor).max(Usd::ZERO);
        let worst = match structure.hedge {
            Hedge::None(_) => bare,
            // The hedge's own table says what both legs can lose together; without the hedge in place all of the leg can go.
            Hedge::Delta(plan) => match self.ledger.position(id, Tradable::Instrument(plan.instrument)) {
                Some(_) => structure.planned.worst_loss,
                None => structure.planned.worst_loss.max(bare),
            },
        };
        (cost, worst)
    }

    /// Cash that the venue may ask for beyond the outlay: the limit price for every share, and the fee where its curve is highest.
    pub(crate) fn reserve_beyond(&self, sized: &Sized) -> Usd {
        let half = Px::from_raw(pm_core::num::SCALE / 2);
        let mut reserve = Usd::ZERO;
        for leg in sized.legs.iter().filter(|l| l.side == Side::Buy) {
            let Some(slot) = self.markets.market(leg.market) else { continue };
            let fee = slot.market.fees.fee(Liquidity::Taker, leg.limit.min(half), sized.qty, None);
            reserve += sized.qty.at(leg.limit, Round::Up) + fee;
        }
        (reserve - sized.measures.outlay).max(Usd::ZERO)
    }
}
