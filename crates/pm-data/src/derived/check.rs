//! What the types of derived records cannot say.

use pm_core::units::{Px, Qty, Ratio};

use super::record::{DerivedRecord, LevelRecord};

/// Prices of a binary market lie strictly between 0 and 1, all others above 0; sizes are not negative.
fn check_levels(binary: bool, sides: &[&[LevelRecord]]) -> Result<(), String> {
    for (px, qty) in sides.iter().copied().flatten() {
        if !(if binary { px.is_probability() } else { px.is_positive() }) {
            return Err(format!("price {px} is out of range"));
        }
        if qty.is_some_and(Qty::is_negative) {
            return Err(format!("negative size at price {px}"));
        }
    }
    Ok(())
}

impl DerivedRecord {
    /// Checks what types cannot: ranges of prices and sizes, and that a book has one owner.
    ///
    /// # Errors
    /// What is wrong.
    pub fn validate(&self) -> Result<(), String> {
        let owner = |market: &Option<String>, instrument: &Option<String>| match (market, instrument) {
            (Some(_), None) => Ok(true),
            (None, Some(_)) => Ok(false),
            _ => Err("exactly one of market and instrument must be there".to_owned()),
        };
        let pays = |r: Ratio| matches!(r.raw(), 0 | 50_000_000 | 100_000_000);
        match self {
            Self::Book(b) => check_levels(owner(&b.market, &b.instrument)?, &[&b.bids, &b.asks]),
            Self::BookPair(p) => check_levels(true, &[&p.up.bids, &p.up.asks, &p.down.bids, &p.down.asks]),
            Self::Top(t) if (t.bid_unknown && t.bid.is_some()) || (t.ask_unknown && t.ask.is_some()) => {
                Err("a price of a side that is said to be unknown".to_owned())
            }
            Self::Top(t) => {
                let level = |px: Option<Px>, qty| px.map(|px| (px, qty));
                let levels: Vec<LevelRecord> = level(t.bid, t.bid_size).into_iter().chain(level(t.ask, t.ask_size)).collect();
                check_levels(owner(&t.market, &t.instrument)?, &[&levels])
            }
            Self::Print(p) => check_levels(owner(&p.market, &p.instrument)?, &[&[(p.px, p.qty)]]),
            Self::Reference(r) if !r.px.is_positive() => Err(format!("reference value {} is not positive", r.px)),
            Self::Resolved(r) if !pays(r.first_pays) => Err(format!("first_pays is {} and must be 0, 0.5 or 1", r.first_pays)),
            Self::Market(m) if !m.tick.is_probability() => Err(format!("tick {} is out of range", m.tick)),
            Self::LatencyTable(l) if l.quantiles_ms.is_empty() || !l.quantiles_ms.is_sorted() => {
                Err("quantiles_ms must be ascending and not empty".to_owned())
            }
            _ => Ok(()),
        }
    }
}
