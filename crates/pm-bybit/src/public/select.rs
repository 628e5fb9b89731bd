//! What one socket asks for: from what is listed, most important first, within the limits of a connection.

use pm_core::ids::InstrumentIdx;
use pm_core::instrument::InstrumentKind;
use pm_core::time::Ts;

use super::{Listing, PublicProtocol, Slot};
use crate::category::Category;
use crate::subscribe::{self, Group, Plan};

impl PublicProtocol {
    /// Subscription requests within the limits of one connection, and the topics that had no room.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let wanted = self.wanted();
        let mut groups: Vec<Group> = Vec::new();
        if self.category == Category::Option {
            let mut bases: Vec<&str> = wanted.iter().filter_map(|s| s.symbol.split('-').next()).collect();
            bases.sort_unstable();
            bases.dedup();
            groups.extend(bases.iter().map(|b| vec![format!("publicTrade.{b}")]));
        }
        for slot in wanted {
            let mut group = vec![self.book_topic(slot), ticker_topic(slot)];
            if self.category != Category::Option {
                group.push(format!("publicTrade.{}", slot.symbol));
            }
            groups.push(group);
        }
        subscribe::plan(self.category, groups)
    }

    /// Requests that make the venue send a new snapshot of one book, and of its ticker when that waits for one: unsubscribe, subscribe.
    /// Empty for an instrument that is not known.
    #[must_use]
    pub fn resync(&self, instrument: InstrumentIdx) -> Vec<String> {
        let Some(slot) = self.slots.iter().find(|s| s.idx == instrument) else { return Vec::new() };
        let mut topics = vec![self.book_topic(slot)];
        if slot.ticker.lost {
            topics.push(ticker_topic(slot));
        }
        vec![subscribe::request("unsubscribe", "r1", &topics), subscribe::request("subscribe", "r2", &topics)]
    }

    fn book_topic(&self, slot: &Slot) -> String {
        format!("orderbook.{}.{}", self.settings.depth, slot.symbol)
    }

    /// Slots to subscribe, most important first.
    fn wanted(&self) -> Vec<&Slot> {
        if !self.settings.symbols.is_empty() {
            let named = self.settings.symbols.iter().filter_map(|s| self.by_symbol.get(s.as_str()));
            return named.filter_map(|at| self.slots.get(*at)).collect();
        }
        let mut wanted: Vec<&Slot> = self.slots.iter().filter(|s| s.listing.is_some_and(|l| self.by_default(&l))).collect();
        wanted.sort_by_key(|s| match s.listing.map(|l| l.kind) {
            Some(InstrumentKind::Option { expiry, .. }) => expiry,
            _ => Ts::ZERO,
        });
        wanted
    }

    fn by_default(&self, l: &Listing) -> bool {
        let kind = !matches!(l.kind, InstrumentKind::Future { .. });
        l.trading && l.about_underlying && kind && Some(l.currency) == self.currency
    }
}

fn ticker_topic(slot: &Slot) -> String {
    format!("tickers.{}", slot.symbol)
}
