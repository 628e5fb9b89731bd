//! Which markets are followed, and for how long.

use std::sync::Arc;

use pm_core::market::{Market, Outcome};
use pm_core::time::Dur;

use super::MarketProtocol;
use super::known::Known;

/// How long after its scheduled close a market is still followed.
const KEEP_AFTER_CLOSE: Dur = Dur::from_secs(6 * 3_600);
/// Markets are swept when the number of slots doubles from here.
const SWEEP_FROM: usize = 512;

impl MarketProtocol {
    /// Follows a market, or takes over its new description.
    pub(super) fn follow(&mut self, market: &Market) {
        let slot = match self.by_native.get(market.native.as_bytes()) {
            Some(slot) => *slot,
            None => {
                self.sweep();
                let next = u32::try_from(self.markets.len()).unwrap_or(u32::MAX);
                let slot = self.free.pop().unwrap_or(next);
                if slot == next {
                    self.markets.push(None);
                }
                slot
            }
        };
        let mut run = self.known(slot).map(|k| k.run).unwrap_or_default();
        run.finest = if run.finest.is_positive() { run.finest.min(market.tick) } else { market.tick };
        let known = Known {
            idx: market.idx,
            native: Arc::clone(&market.native),
            tokens: market.tokens.clone(),
            labels: market.labels.clone(),
            tick: market.tick,
            min_qty: market.min_qty,
            closes_at: market.closes_at,
            run,
        };
        let [first, second] = &market.tokens;
        self.by_token.insert(first.as_bytes().into(), (slot, Outcome::First));
        self.by_token.insert(second.as_bytes().into(), (slot, Outcome::Second));
        self.by_native.insert(market.native.as_bytes().into(), slot);
        let at = market.idx.slot();
        if self.by_market.len() <= at {
            self.by_market.resize(at + 1, None);
        }
        if let Some(entry) = self.by_market.get_mut(at) {
            *entry = Some(slot);
        }
        if let Some(place) = usize::try_from(slot).ok().and_then(|i| self.markets.get_mut(i)) {
            *place = Some(known);
        }
    }

    /// Forgets a market: it is resolved, or long closed.
    pub(super) fn forget(&mut self, slot: u32) {
        let Some(known) = usize::try_from(slot).ok().and_then(|i| self.markets.get_mut(i)).and_then(Option::take) else { return };
        for token in &known.tokens {
            self.by_token.remove(token.as_bytes());
        }
        self.by_native.remove(known.native.as_bytes());
        if let Some(entry) = self.by_market.get_mut(known.idx.slot()) {
            *entry = None;
        }
        self.free.push(slot);
    }

    /// Keeps memory flat over weeks of rolling windows whose result never came over the socket.
    fn sweep(&mut self) {
        if self.followed() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        let limit = self.now - KEEP_AFTER_CLOSE;
        let stale: Vec<u32> = (0..self.markets.len())
            .filter(|i| self.markets.get(*i).and_then(Option::as_ref).is_some_and(|k| k.closes_at < limit))
            .filter_map(|i| u32::try_from(i).ok())
            .collect();
        for slot in stale {
            self.forget(slot);
        }
        self.sweep_at = self.followed() * 2;
    }
}
