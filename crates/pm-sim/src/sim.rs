//! The simulator: steps the world, collects the frames of each step, lends them out in time order.

use pm_core::time::Ts;

use crate::asset::Asset;
use crate::config::{NAMES, Rates, SimConfig, SimError};
use crate::desk::Desk;
use crate::dice::Dice;
use crate::gamma;
use crate::num::round;
use crate::oracle::{self, Channel};
use crate::perp::{self, Perp};
use crate::schedule::Schedule;
use crate::spot::INTERVALS;
use crate::tape::{FEEDS, GAMMA, LINEAR, LIVE, REST, SPOT, Tape};
use crate::truth::Truth;

const NS: i64 = 1_000_000_000;
/// Seconds of underlying before the stream: to the full hour, and the history that the oracle's first frame shows.
const BEFORE: i64 = 240;

/// One frame, borrowed from the simulator until the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimFrame<'a> {
    /// Arrival.
    pub at: Ts,
    /// Index into [`Simulator::feeds`].
    pub feed: usize,
    /// The frame as the venue would send it.
    pub bytes: &'a [u8],
}

/// Publication of one asset's oracle values.
#[derive(Debug, Clone, Copy)]
struct Publication {
    /// Last second that was published.
    second: i64,
    /// When the next one is due, nanoseconds.
    due: i64,
}

/// A seeded market that speaks the venues' wire formats.
#[derive(Debug)]
pub struct Simulator {
    cfg: SimConfig,
    /// The next step.
    next: i64,
    end: i64,
    step: i64,
    truth: Truth,
    perps: Vec<Perp>,
    publications: Vec<Publication>,
    seq: [u64; 2],
    schedule: Schedule,
    desk: Desk,
    prices: Dice,
    feeds: Dice,
    listing: Dice,
    tape: Tape,
    now: Ts,
    resolved: u64,
}

impl Simulator {
    /// Builds the world and runs its past; no frame is out yet.
    ///
    /// # Errors
    /// A setting is not allowed, see [`SimConfig::check`].
    pub fn new(cfg: SimConfig) -> Result<Self, SimError> {
        cfg.check()?;
        let start = cfg.start.secs();
        let begin = start - start.rem_euclid(3_600) - BEFORE;
        let step = i64::from(cfg.step_ms) * 1_000_000;
        let mut assets = Vec::with_capacity(cfg.assets.len());
        for a in &cfg.assets {
            let names = NAMES.iter().find(|(symbol, ..)| *symbol == a.symbol).ok_or_else(|| SimError::Asset(a.symbol.clone()))?;
            let mut asset = Asset::new(a, (names.1, names.2), cfg.step_ms);
            asset.spot.begin(begin, round(asset.spot_cents()));
            assets.push(asset);
        }
        let length = cfg.duration_s.and_then(|d| i64::try_from(d).ok()).and_then(|d| d.checked_mul(NS));
        let mut sim = Self {
            next: begin * NS,
            end: length.and_then(|l| (start * NS).checked_add(l)).unwrap_or(i64::MAX),
            step,
            perps: cfg.assets.iter().map(Perp::new).collect(),
            publications: vec![Publication { second: start - 2, due: 0 }; assets.len()],
            seq: [0; 2],
            schedule: Schedule::new(cfg.seed, &cfg.families, &assets, begin),
            desk: Desk::new(cfg.seed, cfg.makers, &cfg.rates, cfg.rate, cfg.step_ms),
            prices: Dice::new(cfg.seed, 1),
            feeds: Dice::new(cfg.seed, 2),
            listing: Dice::new(cfg.seed, 3),
            tape: Tape::new(),
            now: cfg.start,
            resolved: 0,
            truth: Truth { now: begin * NS, assets, events: Vec::new() },
            cfg,
        };
        while sim.next < start * NS {
            sim.past();
        }
        sim.present();
        Ok(sim)
    }

    /// Names of the feeds, in the order of [`SimFrame::feed`].
    #[must_use]
    pub fn feeds(&self) -> &[&'static str] {
        &FEEDS
    }

    /// The next frame in order of arrival; `None` after the configured duration.
    #[expect(clippy::should_implement_trait, reason = "the frame borrows from the simulator: no iterator can lend")]
    pub fn next(&mut self) -> Option<SimFrame<'_>> {
        while !self.tape.has_next() {
            if self.next >= self.end {
                return None;
            }
            self.advance();
        }
        let (at, feed, bytes) = self.tape.next()?;
        self.now = at;
        Some(SimFrame { at, feed, bytes })
    }

    /// Events resolved so far. A ladder of strikes is one.
    #[must_use]
    pub const fn windows_resolved(&self) -> u64 {
        self.resolved
    }

    /// Arrival of the last frame; the start before the first.
    #[must_use]
    pub const fn now(&self) -> Ts {
        self.now
    }

    /// The world behind the frames, as of the step that the last frame belongs to.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &SimConfig {
        &self.cfg
    }

    /// One step of the time before the stream: prices, candles, oracle, start values. Nothing is written.
    fn past(&mut self) {
        let now = self.next;
        self.next += self.step;
        self.tape.begin(now, self.step, &mut self.feeds);
        self.world(now);
        if now % NS == 0 {
            self.list(now / NS);
            let second = now / NS;
            self.truth.events.retain(|e| e.final_at > second + 30);
        }
        self.start_values();
    }

    /// Turns the sound on: instruments, histories, listed markets are the first frames.
    fn present(&mut self) {
        let start = self.cfg.start.secs();
        self.tape.muted = false;
        self.tape.begin(start * NS, self.step, &mut self.feeds);
        self.tape.frame(REST, |w| perp::instruments(w, &self.truth.assets, start * 1_000));
        for (channel, seq) in [Channel::Spot, Channel::Mean].into_iter().zip(&mut self.seq) {
            for (asset, p) in self.truth.assets.iter().zip(&self.publications) {
                *seq += 1;
                let n = *seq;
                self.tape.frame(LIVE, |w| oracle::snapshot(w, &asset.oracle, &asset.cfg.symbol, channel, n, p.second));
            }
        }
        for event in &mut self.truth.events {
            event.quoted_from = event.quoted_from.max(start + 1);
            if let Some(asset) = self.truth.assets.get(event.asset) {
                for m in &event.markets {
                    self.tape.frame(GAMMA, |w| gamma::body(w, event, m, asset, start));
                }
            }
        }
        self.step_now(start * NS, true);
    }

    /// One step of the stream.
    fn advance(&mut self) {
        let now = self.next;
        self.tape.begin(now, self.step, &mut self.feeds);
        self.step_now(now, false);
    }

    fn step_now(&mut self, now: i64, first: bool) {
        self.next = now + self.step;
        self.world(now);
        for at in 0..self.perps.len() {
            self.perpetual(at, now, first);
        }
        self.publish(now);
        if now % NS == 0 {
            let from = self.truth.events.len();
            self.list(now / NS);
            for event in self.truth.events.iter().skip(from) {
                let Some(asset) = self.truth.assets.get(event.asset) else { continue };
                for m in &event.markets {
                    self.tape.frame(GAMMA, |w| gamma::body(w, event, m, asset, now / NS));
                }
            }
        }
        self.start_values();
        let (assets, tape, desk, resolved) = (&self.truth.assets, &mut self.tape, &mut self.desk, &mut self.resolved);
        self.truth.events.retain_mut(|event| {
            let over = assets.get(event.asset).is_none_or(|asset| desk.step(event, asset, tape, now));
            *resolved += u64::from(over);
            !over
        });
        self.tape.seal();
    }

    /// Prices, oracle values, spot trades and candles.
    fn world(&mut self, now: i64) {
        self.truth.now = now;
        let second = now / NS;
        let dt = crate::num::float(self.step) / 1e9;
        let Rates { spot_trades, candles, .. } = self.cfg.rates;
        let (trades, candles) = (spot_trades * self.cfg.rate * dt, candles * self.cfg.rate * dt);
        let mut common = None;
        for asset in &mut self.truth.assets {
            let z = asset.step(common, &mut self.prices);
            common = common.or(Some(z));
            if now % NS == 0 {
                let value = asset.oracle_value();
                asset.oracle.record(second, value);
                for i in 0..INTERVALS.len() {
                    if asset.spot.roll(i, second) {
                        self.tape.frame(SPOT, |w| asset.spot.write_candle(w, i, true, now / 1_000_000));
                    }
                }
            }
            let mid = asset.spot_cents();
            for _ in 0..self.prices.count(trades) {
                let trade = asset.spot.trade(now / 1_000_000, mid, &mut self.prices);
                self.tape.frame(SPOT, |w| asset.spot.write_trade(w, &trade));
            }
            for i in 0..INTERVALS.len() {
                let due = self.feeds.count(candles) > 0;
                if due && asset.spot.open.get(i).is_some_and(crate::spot::Candle::traded) {
                    self.tape.frame(SPOT, |w| asset.spot.write_candle(w, i, false, now / 1_000_000));
                }
            }
        }
    }

    fn perpetual(&mut self, at: usize, now: i64, first: bool) {
        let (Some(perp), Some(asset)) = (self.perps.get_mut(at), self.truth.assets.get(at)) else { return };
        let rate = self.cfg.rate * crate::num::float(self.step) / 1e9;
        let r = &self.cfg.rates;
        let (dice, ms) = (&mut self.feeds, now / 1_000_000);
        let books = if first { 1 } else { dice.count(r.perp_book * rate) };
        for _ in 0..books {
            self.tape.frame(LINEAR, |w| perp.book(w, asset, first, ms, dice));
        }
        let tickers = if first { 1 } else { dice.count(r.perp_ticker * rate) };
        for _ in 0..tickers {
            self.tape.frame(LINEAR, |w| perp.write_ticker(w, asset, first, ms));
        }
        for _ in 0..dice.count(r.perp_trades * rate) {
            self.tape.frame(LINEAR, |w| perp.trades(w, asset, ms, dice));
        }
    }

    /// Publishes the oracle's values, about 1.3 s after their second.
    fn publish(&mut self, now: i64) {
        for (asset, p) in self.truth.assets.iter().zip(&mut self.publications) {
            while p.second < asset.oracle.newest() {
                let second = p.second + 1;
                if p.due <= second * NS {
                    p.due = second * NS + 1_200_000_000 + self.feeds.int(0, 200_000_000);
                }
                if now < p.due {
                    break;
                }
                (p.second, p.due) = (second, 0);
                for (channel, seq) in [Channel::Spot, Channel::Mean].into_iter().zip(&mut self.seq) {
                    *seq += 1;
                    let n = *seq;
                    self.tape.frame(LIVE, |w| oracle::update(w, &asset.oracle, &asset.cfg.symbol, channel, n, second));
                }
            }
        }
    }

    fn list(&mut self, second: i64) {
        self.schedule.due(second, &self.truth.assets, &self.desk.params, &mut self.listing, &mut self.truth.events);
    }

    fn start_values(&mut self) {
        for event in &mut self.truth.events {
            if let Some(asset) = self.truth.assets.get(event.asset) {
                event.take_start(asset);
            }
        }
    }
}
