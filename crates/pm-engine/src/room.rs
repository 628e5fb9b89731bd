//! What sizing must know besides the budget, so that nothing is sized that the venue would refuse afterwards: it reserves the limit price
//! and the highest fee, not the walked ones.

use pm_core::fees::Liquidity;
use pm_core::num::Round;
use pm_core::order::Side;
use pm_core::units::{Px, Usd};
use pm_strategy::Sized;

use crate::engine::Engine;

impl Engine {
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
