//! Trading in the outcome markets: makers move their quotes, takers hit them, the end clears the book.

use libm::sqrt;

use crate::asset::Asset;
use crate::book::Change;
use crate::clob::{self, Print};
use crate::config::{MakerKind, Rates};
use crate::dice::Dice;
use crate::fair::Fair;
use crate::maker::{self, MakerParams};
use crate::market::{Phase, SimEvent, SimMarket};
use crate::tape::{CLOB, GAMMA, Tape};

/// How often an unmoved quote changes one of its sizes.
const FLICKER_PER_SECOND: f64 = 0.02;
/// Levels behind the best are on a coarser lattice when the grid is fine.
const FINE_LATTICE: i32 = 5;
/// Prices beyond which the grid becomes fine (venues/polymarket.md 5.4).
const FINE_BELOW: i32 = 40;
const FINE_ABOVE: i32 = 960;
/// Seconds from the end to the resolution: shortest, mean of the rest, longest (venues/polymarket.md 9).
const RESOLUTION: (i64, f64, i64) = (53, 6.0, 152);

/// The makers and takers of all markets, and buffers that they share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) params: MakerParams,
    pub(crate) makers: Dice,
    takers: Dice,
    outcomes: Dice,
    salt: u64,
    changes: Vec<Change>,
    scratch: Vec<u8>,
    step_ms: f64,
    noise: f64,
    informed: f64,
}

impl Desk {
    pub(crate) fn new(seed: u64, kind: MakerKind, rates: &Rates, rate: f64, step_ms: u32) -> Self {
        let dt = f64::from(step_ms) / 1_000.0;
        Self {
            params: kind.params(),
            makers: Dice::new(seed, 10),
            takers: Dice::new(seed, 11),
            outcomes: Dice::new(seed, 12),
            salt: seed,
            changes: Vec::with_capacity(64),
            scratch: Vec::with_capacity(4_096),
            step_ms: f64::from(step_ms),
            noise: rates.takers * rate * dt,
            informed: rates.informed * rate * dt,
        }
    }

    /// One step of one event. True when the event is over and resolved: it can be forgotten.
    pub(crate) fn step(&mut self, event: &mut SimEvent, asset: &Asset, tape: &mut Tape, now: i64) -> bool {
        let second = now.div_euclid(1_000_000_000);
        match event.phase {
            Phase::Listed if second >= event.quoted_from => self.open(event, asset, tape, now),
            Phase::Listed => {}
            Phase::Trading if second >= event.final_at => self.close(event, asset, tape, now),
            Phase::Trading => {
                self.quotes(event, asset, tape, now);
                self.take(event, asset, tape, now);
            }
            Phase::Closed if second >= event.resolve_at => {
                for m in &event.markets {
                    tape.frame(CLOB, |w| clob::resolved(w, event, m, now / 1_000_000));
                    tape.frame(GAMMA, |w| crate::gamma::body(w, event, m, asset, second));
                }
                return true;
            }
            Phase::Closed => {}
        }
        false
    }

    /// First quotes, and the books that a new subscription gets: both tokens in one array.
    fn open(&mut self, event: &mut SimEvent, asset: &Asset, tape: &mut Tape, now: i64) {
        event.refresh_variance(asset, now);
        event.phase = Phase::Trading;
        for at in 0..event.markets.len() {
            let estimate = self.estimate(event, at, asset, now);
            let Some(m) = event.markets.get_mut(at) else { continue };
            self.place(m, &estimate);
            tape.frame(CLOB, |w| {
                w.push(b'[');
                clob::book(w, &mut self.scratch, m, false, now / 1_000_000);
                w.push(b',');
                clob::book(w, &mut self.scratch, m, true, now / 1_000_000);
                w.push(b']');
            });
        }
    }

    /// What the maker of market `at` believes, with its leaning; `slope` holds the expected move that it guards against.
    fn estimate(&self, event: &SimEvent, at: usize, asset: &Asset, now: i64) -> Fair {
        let (Some(m), Some(mind)) = (event.markets.get(at), event.minds.get(at).or(event.minds.first())) else {
            return Fair { p: 0.5, slope: 0.0 };
        };
        let price = asset.lagged(mind.lag_steps(self.step_ms));
        let f = event.fair(m.strike, asset, price, mind.var_factor, now);
        let p = f.p + (mind.leaning + m.noise) * maker::shape(f.p);
        Fair { p, slope: f.slope * sqrt(event.per_second.0 * self.params.guard_s) }
    }

    /// Puts the quotes of an estimate into the book; what changed is in `self.changes`.
    fn place(&mut self, m: &mut SimMarket, estimate: &Fair) -> bool {
        self.changes.clear();
        let target = maker::quotes(&self.params, estimate.p, estimate.slope, m.tick);
        let lattice = if m.tick == 1 { FINE_LATTICE } else { m.tick };
        let (params, dice) = (&self.params, &mut self.makers);
        if !m.touched && target.keeps(params, m.book.best_bid(), m.book.best_ask()) {
            let looks = 1_000.0 / params.look_ms.max(self.step_ms);
            if dice.chance(FLICKER_PER_SECOND / looks) {
                let level = usize::try_from(dice.int(0, 5)).unwrap_or_default();
                let on_bid = dice.chance(0.5);
                let side = if on_bid { &m.book.bids } else { &m.book.asks };
                if let Some((px, _)) = side.get(level).copied() {
                    let qty = maker::size(params, level, dice);
                    m.book.set(on_bid, px, qty, &mut self.changes);
                }
            }
        } else {
            m.book.quote(
                target.bid,
                target.ask,
                lattice,
                params.levels,
                |level| maker::size(params, level, dice),
                &mut self.changes,
            );
        }
        m.touched = false;
        !self.changes.is_empty()
    }

    fn quotes(&mut self, event: &mut SimEvent, asset: &Asset, tape: &mut Tape, now: i64) {
        event.refresh_variance(asset, now);
        let ms = now / 1_000_000;
        let apart = event.minds.len() > 1;
        let mut together = false;
        for at in 0..event.markets.len() {
            if at == 0 || apart {
                let Some(mind) = event.minds.get_mut(at) else { continue };
                together = mind.looks(&self.params, now, &mut self.makers);
            }
            if !together {
                continue;
            }
            let estimate = self.estimate(event, at, asset, now);
            let Some(m) = event.markets.get_mut(at) else { continue };
            if !self.place(m, &estimate) {
                continue;
            }
            if m.tick == 10 && (m.book.best_bid() > FINE_ABOVE || m.book.best_ask() < FINE_BELOW) {
                self.refine(m, &estimate, tape, ms);
            } else {
                tape.frame(CLOB, |w| clob::price_change(w, m, &self.changes, ms, &mut self.salt));
            }
        }
    }

    /// The grid becomes fine: both tokens are told, the quotes move onto it, both books are sent anew.
    fn refine(&mut self, m: &mut SimMarket, estimate: &Fair, tape: &mut Tape, ms: i64) {
        m.tick = 1;
        m.touched = true;
        self.place(m, estimate);
        for second in [false, true] {
            tape.frame(CLOB, |w| clob::tick_change(w, m, second, 10, ms));
        }
        for second in [false, true] {
            tape.frame(CLOB, |w| clob::book(w, &mut self.scratch, m, second, ms));
        }
    }

    fn take(&mut self, event: &mut SimEvent, asset: &Asset, tape: &mut Tape, now: i64) {
        let near = if event.final_at - now / 1_000_000_000 <= 900 { 1.0 } else { 0.1 };
        for at in 0..event.markets.len() {
            let draw = self.takers.unit();
            if draw < self.noise * near {
                let shares = self.takers.int(5, 60);
                let buys = self.takers.chance(0.5);
                self.hit(event, at, buys, shares * 100, tape, now);
            } else if draw > 1.0 - self.informed * near {
                self.informed(event, at, asset, tape, now);
            }
        }
    }

    /// Somebody who knows the fair value takes what is a cent better than it after the fee.
    fn informed(&mut self, event: &mut SimEvent, at: usize, asset: &Asset, tape: &mut Tape, now: i64) {
        let Some(m) = event.markets.get(at) else { return };
        let fair = event.fair(m.strike, asset, asset.price, 1.0, now).p;
        let cost = |px: i32| {
            let p = f64::from(px) / 1_000.0;
            (p, 0.07 * p * (1.0 - p) + 0.01)
        };
        let ((bid, bid_cost), (ask, ask_cost)) = (cost(m.book.best_bid()), cost(m.book.best_ask()));
        if fair - ask > ask_cost {
            self.hit(event, at, true, 20_000, tape, now);
        } else if bid - fair > bid_cost {
            self.hit(event, at, false, 20_000, tape, now);
        }
    }

    /// Takes up to `most` (0.01 shares) from the best level.
    fn hit(&mut self, event: &mut SimEvent, at: usize, lifts_ask: bool, most: i64, tape: &mut Tape, now: i64) {
        let Some(m) = event.markets.get_mut(at) else { return };
        let side = if lifts_ask { &m.book.asks } else { &m.book.bids };
        let Some((px, there)) = side.first().copied() else { return };
        let qty = most.min(there);
        self.changes.clear();
        m.book.set(!lifts_ask, px, there - qty, &mut self.changes);
        (m.last_trade, m.touched) = (Some(px), true);
        let second = self.takers.chance(0.4);
        let ms = now / 1_000_000;
        tape.frame(CLOB, |w| clob::print(w, m, &Print { px, qty, lifts_ask, second }, ms, &mut self.salt));
        tape.frame(CLOB, |w| clob::price_change(w, m, &self.changes, ms, &mut self.salt));
    }

    /// The deciding instant: outcomes are fixed, the books empty.
    fn close(&mut self, event: &mut SimEvent, asset: &Asset, tape: &mut Tape, now: i64) {
        let (shortest, mean, longest) = RESOLUTION;
        event.settle(asset);
        event.phase = Phase::Closed;
        event.resolve_at = event.final_at + (shortest + crate::num::round(mean * self.outcomes.exponential())).min(longest);
        for m in &mut event.markets {
            self.changes.clear();
            m.book.clear(&mut self.changes);
            if !self.changes.is_empty() {
                tape.frame(CLOB, |w| clob::price_change(w, m, &self.changes, now / 1_000_000, &mut self.salt));
            }
        }
    }
}
