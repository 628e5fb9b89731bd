//! Short forms for ledger tests: venue 0 trades outcomes in currency 0, venue 1 trades instruments in currency 1.
#![allow(dead_code)]

use pm_core::fees::Liquidity;
use pm_core::ids::{CurrencyId, FillId, InstrumentIdx, IntentId, MarketIdx, StructureId, VenueId};
use pm_core::market::Outcome;
use pm_core::opportunity::EvidenceClass;
use pm_core::order::{Fill, SettlementState, Side, Tradable};
use pm_core::time::Ts;
use pm_core::units::{Ratio, Usd};
use pm_ledger::{FeeHop, Ledger, LedgerError, Posting};

pub(crate) const PREDICTION: VenueId = VenueId(0);
pub(crate) const HEDGE: VenueId = VenueId(1);
pub(crate) const COLLATERAL: CurrencyId = CurrencyId(0);
pub(crate) const QUOTE: CurrencyId = CurrencyId(1);
pub(crate) const S1: StructureId = StructureId(1);
pub(crate) const UP: Tradable = Tradable::Outcome(MarketIdx(7), Outcome::First);
pub(crate) const DOWN: Tradable = Tradable::Outcome(MarketIdx(7), Outcome::Second);
pub(crate) const PERP: Tradable = Tradable::Instrument(InstrumentIdx(3));

pub(crate) fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

pub(crate) fn fill(id: u128, target: Tradable, side: Side, qty: &str, px: &str, fee: &str) -> Fill {
    let fee_currency = if matches!(target, Tradable::Outcome(..)) { COLLATERAL } else { QUOTE };
    Fill {
        id: FillId(id),
        intent: IntentId(1),
        target,
        side,
        px: px.parse().unwrap(),
        qty: qty.parse().unwrap(),
        fee: fee.parse().unwrap(),
        fee_currency,
        liquidity: Liquidity::Taker,
        settlement: SettlementState::Matched,
        at: Ts::from_secs(1),
    }
}

pub(crate) fn post_fill(ledger: &mut Ledger, structure: StructureId, fill: &Fill) -> Result<(), LedgerError> {
    let (venue, currency, hop) = match fill.target {
        Tradable::Outcome(..) => (PREDICTION, COLLATERAL, FeeHop::PredictionTaker),
        Tradable::Instrument(_) => (HEDGE, QUOTE, FeeHop::HedgeTaker),
    };
    ledger.post(Posting::Fill { fill, structure, class: Some(EvidenceClass::VolModel), venue, currency, hop })
}

pub(crate) fn deposit(ledger: &mut Ledger, venue: VenueId, currency: CurrencyId, amount: &str) {
    ledger.post(Posting::Capital { venue, currency, amount: usd(amount), at: Ts::ZERO }).unwrap();
}

pub(crate) fn resolve(ledger: &mut Ledger, first_pays: &str) -> Result<(), LedgerError> {
    ledger.post(Posting::Resolve {
        market: MarketIdx(7),
        first_pays: first_pays.parse::<Ratio>().unwrap(),
        venue: PREDICTION,
        currency: COLLATERAL,
        at: Ts::from_secs(300),
    })
}

pub(crate) fn reverse(ledger: &mut Ledger, id: u128) -> Result<(), LedgerError> {
    ledger.post(Posting::Reverse { fill: FillId(id), at: Ts::from_secs(9) })
}

/// Everything that the ledger shows, for comparison.
pub(crate) fn views(ledger: &Ledger) -> String {
    use pm_ledger::PnlCause;
    let positions: Vec<_> = ledger.positions().collect();
    let pnl: Vec<_> = PnlCause::ALL.iter().map(|c| ledger.pnl(*c)).collect();
    let fees: Vec<_> = FeeHop::ALL.iter().map(|h| ledger.fees(*h)).collect();
    let structures: Vec<_> = (0..6).map(|i| ledger.structure(StructureId(i))).collect();
    let cash = [(PREDICTION, COLLATERAL), (HEDGE, QUOTE)].map(|(v, c)| ledger.cash(v, c));
    let class = ledger.net_by_class(EvidenceClass::VolModel);
    format!(
        "{cash:?} {positions:?} {pnl:?} {fees:?} {structures:?} {class} {} {} {}",
        ledger.realized_total(),
        ledger.capital(),
        ledger.open_cost()
    )
}
