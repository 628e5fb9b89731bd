//! The paper venue's own accounts: cash, shares, instrument positions with average entry, margin. Separate from the engine's ledger, so that
//! a disagreement of the two is visible.

use std::collections::BTreeMap;

use pm_core::ids::{InstrumentIdx, MarketIdx};
use pm_core::instrument::{Instrument, InstrumentKind};
use pm_core::market::Outcome;
use pm_core::num::{Round, SCALE, mul_div};
use pm_core::order::{Side, Tradable};
use pm_core::units::{Px, Qty, Ratio, Usd};

/// A signed instrument position with its entry value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Holding {
    pub(super) qty: Qty,
    pub(super) entry: Usd,
}

/// Balances of one venue.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) cash: Usd,
    pub(super) shares: BTreeMap<(MarketIdx, Outcome), Qty>,
    pub(super) instruments: BTreeMap<InstrumentIdx, Holding>,
}

fn signed_value(qty: Qty, px: Px) -> Usd {
    Usd::from_raw(mul_div(qty.raw(), px.raw(), SCALE, Round::Down).unwrap_or(0))
}

impl Account {
    /// Books a fill: cash, shares or position.
    pub(super) fn fill(&mut self, target: Tradable, side: Side, px: Px, qty: Qty, fee: Usd) {
        self.cash -= fee;
        match target {
            Tradable::Outcome(m, o) => {
                let shares = self.shares.entry((m, o)).or_default();
                if side == Side::Buy {
                    *shares += qty;
                    self.cash -= qty.at(px, Round::Up);
                } else {
                    *shares -= qty;
                    self.cash += qty.at(px, Round::Down);
                }
                if shares.is_zero() {
                    self.shares.remove(&(m, o));
                }
            }
            Tradable::Instrument(i) => {
                let holding = self.instruments.entry(i).or_default();
                let delta = if side == Side::Buy { qty } else { -qty };
                let same_way = holding.qty.is_zero() || (holding.qty.is_positive() == delta.is_positive());
                if same_way {
                    holding.qty += delta;
                    holding.entry += signed_value(delta, px);
                } else {
                    let closing = if qty < holding.qty.abs() { qty } else { holding.qty.abs() };
                    let part = mul_div(holding.entry.raw(), closing.raw(), holding.qty.abs().raw(), Round::Down).unwrap_or(0);
                    let signed_close = if holding.qty.is_positive() { closing } else { -closing };
                    self.cash += signed_value(signed_close, px) - Usd::from_raw(part);
                    holding.entry -= Usd::from_raw(part);
                    holding.qty += if delta.is_positive() { closing } else { -closing };
                    let rest = qty - closing;
                    if rest.is_positive() {
                        let rest = if delta.is_positive() { rest } else { -rest };
                        *holding = Holding { qty: rest, entry: signed_value(rest, px) };
                    }
                }
                if holding.qty.is_zero() {
                    self.instruments.remove(&i);
                }
            }
        }
    }

    /// Undoes a fill of shares that failed to settle.
    pub(super) fn unfill(&mut self, target: Tradable, side: Side, px: Px, qty: Qty, fee: Usd) {
        if let Tradable::Outcome(m, o) = target {
            self.cash += fee;
            let shares = self.shares.entry((m, o)).or_default();
            if side == Side::Buy {
                *shares -= qty;
                self.cash += qty.at(px, Round::Up);
            } else {
                *shares += qty;
                self.cash -= qty.at(px, Round::Down);
            }
        }
    }

    /// Pays a resolved market.
    pub(super) fn resolve(&mut self, market: MarketIdx, first_pays: Ratio) {
        for (outcome, pays) in [(Outcome::First, first_pays), (Outcome::Second, Ratio::ONE - first_pays)] {
            if let Some(qty) = self.shares.remove(&(market, outcome)) {
                self.cash += qty.at(Px::from_raw(pays.raw()), Round::Down);
            }
        }
    }

    /// Shares held.
    pub(super) fn held(&self, market: MarketIdx, outcome: Outcome) -> Qty {
        self.shares.get(&(market, outcome)).copied().unwrap_or_default()
    }

    /// Whether an order of `qty` at `px` is covered: cash for purchases, holdings for sales, margin for linear contracts.
    pub(super) fn covers(
        &self,
        instrument: &Instrument,
        side: Side,
        px: Px,
        qty: Qty,
        fee: Usd,
        mark: impl Fn(InstrumentIdx) -> Option<(Px, Ratio)>,
    ) -> bool {
        let held = self.instruments.get(&instrument.idx).copied().unwrap_or_default().qty;
        let value = qty.at(px, Round::Up);
        match instrument.kind {
            InstrumentKind::Spot | InstrumentKind::Option { .. } => {
                if side == Side::Buy {
                    self.cash >= value + fee
                } else {
                    held >= qty
                }
            }
            InstrumentKind::Perp | InstrumentKind::Future { .. } => {
                let reduces = held.is_positive() != (side == Side::Buy) && qty <= held.abs();
                if reduces {
                    return true;
                }
                let mut free = self.cash;
                for (idx, h) in &self.instruments {
                    let Some((px, rate)) = mark(*idx) else { continue };
                    free += signed_value(h.qty, px) - h.entry;
                    free -= h.qty.abs().at(px, Round::Up).scale_by(rate, Round::Up);
                }
                free >= value.scale_by(instrument.initial_margin, Round::Up) + fee
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_closed_lower_gains_and_leaves_nothing() {
        let mut a = Account { cash: Usd::whole(100), ..Account::default() };
        let perp = Tradable::Instrument(InstrumentIdx(0));
        a.fill(perp, Side::Sell, Px::whole(84_000), "0.002".parse().unwrap(), "0.0924".parse().unwrap());
        a.fill(perp, Side::Buy, Px::whole(83_000), "0.002".parse().unwrap(), "0.0913".parse().unwrap());
        // 0.002 * 1000 = 2; fees 0.1837.
        assert_eq!(a.cash, "101.8163".parse().unwrap());
        assert!(a.instruments.is_empty());
    }

    #[test]
    fn a_flip_realises_the_closed_part_and_opens_the_rest() {
        let mut a = Account { cash: Usd::whole(100), ..Account::default() };
        let perp = Tradable::Instrument(InstrumentIdx(0));
        a.fill(perp, Side::Buy, Px::whole(100), Qty::ONE, Usd::ZERO);
        a.fill(perp, Side::Sell, Px::whole(110), Qty::whole(3), Usd::ZERO);
        assert_eq!(a.cash, Usd::whole(110));
        assert_eq!(a.instruments.get(&InstrumentIdx(0)), Some(&Holding { qty: -Qty::whole(2), entry: -Usd::whole(220) }));
    }
}
