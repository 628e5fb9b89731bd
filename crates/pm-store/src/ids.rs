//! UUIDs of rows. The engine names rows by counters of the run; the same run must give the same ids on every machine, so they are
//! derived: UUID version 5 (SHA-1) over the namespace "run id" and the name `<kind>:<counter>`, e.g. `trade:17`. Fills are different:
//! venues name them, and [`pm_core::ids::FillId`] is that name as 128 bits.

use pm_core::record::Record;
use uuid::Uuid;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKind {
    /// An opportunity, by its counter.
    Opportunity,
    /// A trade leg, by the intent that it came from.
    Trade,
    /// A position, by its structure.
    Position,
    /// A risk event, by its counter.
    RiskEvent,
    /// An order, by its intent.
    Order,
}

impl IdKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Opportunity => "opportunity",
            Self::Trade => "trade",
            Self::Position => "position",
            Self::RiskEvent => "risk_event",
            Self::Order => "order",
        }
    }
}

/// The UUID of a row of a run.
#[must_use]
pub fn row_id(run: Uuid, kind: IdKind, counter: u64) -> Uuid {
    Uuid::new_v5(&run, format!("{}:{counter}", kind.as_str()).as_bytes())
}

/// Kind of a record: the name of its table.
#[must_use]
pub const fn kind_of(record: &Record) -> &'static str {
    match record {
        Record::MarketData(_) => "market_data",
        Record::Market(_) => "markets",
        Record::Instrument(_) => "instruments",
        Record::Opportunity(_) => "opportunities",
        Record::Trade(_) => "trades",
        Record::Position(_) => "positions",
        Record::Bankroll(_) => "bankroll",
        Record::RiskEvent(_) => "risk_events",
        Record::FeeSchedule(_) => "fee_schedule",
        Record::ApiHealth(_) => "api_health",
        Record::Order(_) => "orders",
        Record::OrderEvent(_) => "order_events",
        Record::FillEvent(_) => "fill_events",
        Record::Ledger(_) => "ledger",
    }
}

/// Kind and id of a record for people: `trades 17`, `ledger 4`, `market_data of 0x12.. at 2026-..`.
#[must_use]
pub fn label_of(record: &Record) -> String {
    let kind = kind_of(record);
    match record {
        Record::MarketData(r) => format!("{kind} of {} at {}", r.market, r.at),
        Record::Market(r) => format!("{kind} {} ({})", r.native, r.slug),
        Record::Instrument(r) => format!("{kind} {}", r.symbol),
        Record::Opportunity(r) => format!("{kind} {}", r.id),
        Record::Trade(r) => format!("{kind} {}", r.intent),
        Record::Position(r) => format!("{kind} {}", r.structure),
        Record::Bankroll(r) => format!("{kind} at {}", r.at),
        Record::RiskEvent(r) => format!("{kind} {}", r.seq),
        Record::FeeSchedule(r) => format!("{kind} {} from {}", r.kind, r.from),
        Record::ApiHealth(r) => format!("{kind} {} at {}", r.endpoint.as_str(), r.at),
        Record::Order(r) => format!("{kind} {}", r.intent.id),
        Record::OrderEvent(r) => format!("{kind} of order {} at {}", r.intent, r.at),
        Record::FillEvent(r) => format!("{kind} of fill {:032x} at {}", r.fill.0, r.at),
        Record::Ledger(r) => format!("{kind} {}", r.seq),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids are part of what a run reproduces: this value was made by another UUIDv5 implementation.
    #[test]
    fn ids_are_the_same_everywhere() {
        let run = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);
        assert_eq!(row_id(run, IdKind::Trade, 17).to_string(), "3e79bd07-16aa-5d37-9820-622a2e237693");
        assert_ne!(row_id(run, IdKind::Order, 17), row_id(run, IdKind::Trade, 17));
    }
}
