//! One settlement source: its one-second values, its own averages and candles, its basis against the hedge venue, its watched instants.

use pm_core::event::Candle;
use pm_core::market::SettlementRule;
use pm_core::time::{Dur, Ts};
use pm_core::units::Px;

use crate::basis::Basis;
use crate::config::ModelConfig;
use crate::instants::{Form, Instants, Observed};
use crate::ring::{SecRing, second_of};
use crate::vol::Vol;

/// Own averages remembered, by second.
const TWAPS: i64 = 512;
const TWAP_SLOTS: usize = 512;
/// Candles remembered of one interval, and in all.
const CANDLES_EACH: usize = 4;
const CANDLES: usize = 16;
/// Instants older than this are no longer looked for.
const LOOK_BACK_S: i64 = 512;
/// Candles stand in for values when none came for this long.
const CANDLE_STANDS_IN: Dur = Dur::from_secs(5);

#[derive(Debug, Clone, Copy)]
struct OwnTwap {
    second: i64,
    window: i64,
    px: Px,
}

/// State of one source.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) underlying: usize,
    pub(crate) ring: SecRing,
    pub(crate) last: Option<(Px, Ts)>,
    last_twap: Option<Ts>,
    twaps: Box<[OwnTwap]>,
    candles: Vec<Candle>,
    pub(crate) basis: Basis,
    pub(crate) vol: Vol,
    pub(crate) instants: Instants,
    max_carried: u32,
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(TWAPS)).unwrap_or(0)
}

fn end_of(candle: &Candle) -> Ts {
    candle.open_at + candle.interval
}

impl Source {
    pub(crate) fn new(cfg: &ModelConfig, underlying: usize) -> Self {
        let never = OwnTwap { second: i64::MIN, window: 0, px: Px::ZERO };
        Self {
            underlying,
            ring: SecRing::new(),
            last: None,
            last_twap: None,
            twaps: vec![never; TWAP_SLOTS].into_boxed_slice(),
            candles: Vec::with_capacity(CANDLES),
            basis: Basis::new(cfg),
            vol: Vol::new(cfg),
            instants: Instants::default(),
            max_carried: cfg.max_carried_s,
        }
    }

    /// Stamp of the newest word of the source, whatever its kind.
    #[inline]
    pub(crate) fn newest(&self) -> Option<Ts> {
        self.last.map(|(_, at)| at).max(self.last_twap)
    }

    /// True when no spot value came within `span` before `at`.
    pub(crate) fn silent(&self, at: Ts, span: Dur) -> bool {
        self.last.is_none_or(|(_, last)| at.since(last) > span)
    }

    /// A value at an instant.
    pub(crate) fn on_spot(&mut self, px: Px, at: Ts) {
        if !px.is_positive() {
            return;
        }
        self.ring.set(second_of(at), px.raw());
        let before = self.last.map_or(i64::MIN, |(_, t)| t.secs());
        let late = self.last.is_some_and(|(_, t)| at < t);
        if !late {
            self.vol.push(crate::num::px(px), at);
            self.last = Some((px, at));
        }
        // A second is decided when a value stamped at or after its end is there; late values may complete one.
        if late || at.secs() > before {
            self.look_again();
        }
    }

    /// The source's own average.
    pub(crate) fn on_twap(&mut self, window: Dur, px: Px, at: Ts) {
        let (second, window) = (at.secs(), window.secs());
        if !px.is_positive() || at != Ts::from_secs(second) {
            return;
        }
        if let Some(s) = self.twaps.get_mut(slot(second)) {
            *s = OwnTwap { second, window, px };
        }
        self.last_twap = self.last_twap.max(Some(at));
        for w in self.instants.between(second, second) {
            if w.form == Form::Twap(window) {
                w.seen = Some(Observed { px, carried: 0, own: true });
            }
        }
    }

    /// A candle; while it runs, its close stands in for a value when the source sends no others.
    pub(crate) fn on_candle(&mut self, candle: &Candle, recv: Ts) {
        self.remember(candle);
        let (begin, end) = (candle.open_at.secs(), end_of(candle).secs());
        let interval = candle.interval.secs();
        for w in self.instants.between(begin, begin) {
            if w.form == Form::CandleOpen(interval) {
                w.seen = Some(Observed { px: candle.open, carried: 0, own: true });
            }
        }
        if candle.closed {
            for w in self.instants.between(end, end) {
                if w.form == Form::CandleClose(interval) {
                    w.seen = Some(Observed { px: candle.close, carried: 0, own: true });
                }
            }
        }
        let at = recv.min(end_of(candle));
        if self.silent(at, CANDLE_STANDS_IN) || (candle.closed && self.silent(at, Dur::ZERO)) {
            self.on_spot(candle.close, at);
        }
    }

    fn remember(&mut self, candle: &Candle) {
        if let Some(c) = self.candles.iter_mut().find(|c| c.open_at == candle.open_at && c.interval == candle.interval) {
            *c = *candle;
            return;
        }
        let same = self.candles.iter().filter(|c| c.interval == candle.interval).count();
        if same >= CANDLES_EACH || self.candles.len() >= CANDLES {
            let oldest = self
                .candles
                .iter()
                .enumerate()
                .filter(|(_, c)| same < CANDLES_EACH || c.interval == candle.interval)
                .min_by_key(|(_, c)| c.open_at)
                .map(|(i, _)| i);
            if let Some(i) = oldest {
                self.candles.swap_remove(i);
            }
        }
        self.candles.push(*candle);
    }

    /// Starts to watch a rule's instants.
    pub(crate) fn watch(&mut self, rule: &SettlementRule) {
        let mut instants = core::mem::take(&mut self.instants);
        instants.watch(rule, |at, form| self.look(at, form));
        self.instants = instants;
    }

    fn look_again(&mut self) {
        let Some(newest) = self.last.map(|(_, at)| at.secs()) else { return };
        let mut instants = core::mem::take(&mut self.instants);
        for w in instants.between(newest - LOOK_BACK_S, newest) {
            if !w.seen.is_some_and(|o| o.own) {
                w.seen = self.look(w.at, w.form).or(w.seen);
            }
        }
        self.instants = instants;
    }

    /// What was seen of an instant so far.
    fn look(&self, at: i64, form: Form) -> Option<Observed> {
        match form {
            Form::Instant => {
                let (raw, carried) = self.ring.at(at).filter(|_| self.has_passed(at))?;
                (carried <= self.max_carried).then_some(Observed { px: Px::from_raw(raw), carried, own: carried == 0 })
            }
            Form::Twap(window) => {
                let own = self.twaps.get(slot(at)).filter(|t| t.second == at && t.window == window);
                own.map(|t| Observed { px: t.px, carried: 0, own: true }).or_else(|| self.mean(at, window))
            }
            Form::CandleClose(interval) => self
                .candles
                .iter()
                .find(|c| c.closed && c.interval.secs() == interval && end_of(c).secs() == at)
                .map(|c| Observed { px: c.close, carried: 0, own: true }),
            Form::CandleOpen(interval) => self
                .candles
                .iter()
                .find(|c| c.interval.secs() == interval && c.open_at.secs() == at)
                .map(|c| Observed { px: c.open, carried: 0, own: true }),
        }
    }

    fn mean(&self, at: i64, window: i64) -> Option<Observed> {
        let (sum, carried) = self.ring.sum(at - window, at).filter(|_| self.has_passed(at))?;
        let mean = i64::try_from(sum.div_euclid(i128::from(window.max(1)))).ok()?;
        (carried <= self.max_carried).then_some(Observed { px: Px::from_raw(mean), carried, own: false })
    }

    /// True when a value stamped at or after the second was seen, so that the second's value is final.
    fn has_passed(&self, second: i64) -> bool {
        self.last.is_some_and(|(_, at)| at >= Ts::from_secs(second))
    }
}
