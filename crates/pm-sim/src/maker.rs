//! Who quotes the outcome markets, and how wrong they are. A maker works out the same formula as the truth ([`crate::fair`]) from a price
//! that is late, with a volatility that is off and a leaning of its own; its figures are in [`MakerParams`].

use libm::{exp, sqrt};

use crate::config::MakerKind;
use crate::dice::Dice;
use crate::num::{down, float, round, up};

/// Figures of one kind of maker. Probabilities are in price units (0.01 = one cent of a share).
///
/// | | efficient | measured | typical | careless |
/// |---|---|---|---|---|
/// | lag of the price behind the true one | 0 | 0 to 0.3 s | 0.1 to 0.7 s | 2 to 6 s |
/// | looks at its quotes about every | step | 0.1 s | 0.2 s | 1.2 s |
/// | volatility off by (standard deviation) | 0 | 5 % | 8 % | 25 % |
/// | leaning (standard deviation; half-life) | 0 | 0.6 cents; 18 s | 0.7 cents; 30 s | 4.5 cents; 120 s |
/// | strikes of one ladder lean | together | together, own noise 0.2 cents | together, own noise 0.3 cents | each on its own |
/// | half width at 0.5, before ticks | 1.5 cents + moves of 1 s | 0.5 cents | 0.5 cents | 1 cent |
/// | quotes stand still, on average every | never | 560 s, for 2 to 3.4 s | 300 s, for 2 to 4 s | 60 s, for 5 to 15 s |
/// | quotes stay while off by at most | 0.5 cents | 0.3 cents | 0.3 cents | 0.3 cents |
/// | levels a side, shares a level | 10, 20 to 150 | 12, 30 to 250 | 12, 30 to 250 | 12, 150 to 700 |
///
/// What recordings of the real market show (folders of `../shared/data`; spread and touch where the mid is between 0.2 and 0.8):
///
/// | figure | in the recordings | source | error of `measured` | error of `typical` |
/// |---|---|---|---|---|
/// | spread, median | 1 cent (means 1.0, 1.2, 1.6) | `pm-btc15m-l2-1hz-2026-09-28`, `pm-btc15m-tob-events-2026-04-01`, `pm-btc5m-book-ws-2026-04` | none | none |
/// | shares at the touch, median | 126, 175, 207 | the same three | 140: within | 140: within |
/// | silence of a book of 2 s or more | one in 227 s, pauses of the collector among them | `pm-btc5m-book-ws-2026-04`, every sixth window | fewer than half: the rest is taken for the collector's | a quarter fewer |
/// | lag behind the price | less than 1 Hz resolves | `pm-btc5m-1hz-quote-vs-btc-2026-07` | 0 to 0.3 s is assumed | 0.25 s more on average |
/// | leaning | 0.6 cents, half-life 18 s: handed in, not worked out again here | the two above against their prices | none | 0.1 cents and 12 s more |
///
/// `measured` is the honest yardstick. `typical`, the default, is a little worse in lag, leaning and pauses, so that a short run has
/// something to trade: what it earns is no forecast.
///
/// `efficient` has no lag that a taker could use: its quotes leave with the same step as the price they are made from, and arrive before
/// an order that was sent on seeing that price could be matched. With the taker fee on top of its width nothing is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MakerParams {
    /// Lag behind the true price, milliseconds, least and most.
    pub lag_ms: (f64, f64),
    /// Mean time between two looks at the quotes, milliseconds; 0 = every step.
    pub look_ms: f64,
    /// Standard deviation of the relative error of volatility, constant per market (per ladder when shared).
    pub vol_error: f64,
    /// Standard deviation of the leaning.
    pub leaning: f64,
    /// Half-life of the leaning, seconds.
    pub leaning_half_life_s: f64,
    /// Extra leaning per strike of a ladder, constant.
    pub strike_noise: f64,
    /// True when each strike of a ladder has its own lag, errors and pauses.
    pub strikes_apart: bool,
    /// Half width at a probability of one half; smaller towards the ends.
    pub half_width: f64,
    /// Extra half width: the probability's expected move over this many seconds.
    pub guard_s: f64,
    /// Quotes are left alone while they are within this of where they should be.
    pub slack: f64,
    /// Mean seconds between two pauses (0 = none), and their shortest and longest length in seconds.
    pub pause: (f64, f64, f64),
    /// Levels a side.
    pub levels: usize,
    /// Shares at a level, least and most.
    pub shares: (i64, i64),
}

impl MakerKind {
    /// The figures.
    #[must_use]
    pub const fn params(self) -> MakerParams {
        match self {
            Self::Efficient => MakerParams {
                lag_ms: (0.0, 0.0),
                look_ms: 0.0,
                vol_error: 0.0,
                leaning: 0.0,
                leaning_half_life_s: 120.0,
                strike_noise: 0.0,
                strikes_apart: false,
                half_width: 0.015,
                guard_s: 1.0,
                slack: 0.005,
                pause: (0.0, 0.0, 0.0),
                levels: 10,
                shares: (20, 150),
            },
            Self::Typical => MakerParams {
                lag_ms: (100.0, 700.0),
                look_ms: 200.0,
                vol_error: 0.08,
                leaning: 0.007,
                leaning_half_life_s: 30.0,
                strike_noise: 0.003,
                strikes_apart: false,
                half_width: 0.005,
                guard_s: 0.1,
                slack: 0.003,
                pause: (300.0, 2.0, 4.0),
                levels: 12,
                shares: (30, 250),
            },
            Self::Measured => MakerParams {
                lag_ms: (0.0, 300.0),
                look_ms: 100.0,
                vol_error: 0.05,
                leaning: 0.006,
                leaning_half_life_s: 18.0,
                strike_noise: 0.002,
                strikes_apart: false,
                half_width: 0.005,
                guard_s: 0.1,
                slack: 0.003,
                pause: (560.0, 2.0, 3.4),
                levels: 12,
                shares: (30, 250),
            },
            Self::Careless => MakerParams {
                lag_ms: (2_000.0, 6_000.0),
                look_ms: 1_200.0,
                vol_error: 0.25,
                leaning: 0.045,
                leaning_half_life_s: 120.0,
                strike_noise: 0.0,
                strikes_apart: true,
                half_width: 0.01,
                guard_s: 0.0,
                slack: 0.003,
                pause: (60.0, 5.0, 15.0),
                levels: 12,
                shares: (150, 700),
            },
        }
    }
}

const NS: f64 = 1e9;

/// One quoting mind: a market's, or a whole ladder's.
#[derive(Debug, Clone)]
pub(crate) struct Mind {
    /// Factor on the variance.
    pub(crate) var_factor: f64,
    pub(crate) leaning: f64,
    lag_ms: f64,
    looked_at: i64,
    next_look: i64,
    paused_until: i64,
}

impl Mind {
    pub(crate) fn new(params: &MakerParams, now: i64, dice: &mut Dice) -> Self {
        let z = dice.normal().clamp(-3.0, 3.0);
        let mut mind = Self {
            var_factor: exp(2.0 * params.vol_error * z),
            leaning: params.leaning * dice.normal(),
            lag_ms: 0.0,
            looked_at: now,
            next_look: now,
            paused_until: now,
        };
        mind.lag_ms = dice.between(params.lag_ms.0, params.lag_ms.1);
        mind
    }

    /// Lag in steps.
    pub(crate) fn lag_steps(&self, step_ms: f64) -> usize {
        usize::try_from(round(self.lag_ms / step_ms)).unwrap_or_default()
    }

    /// True when it looks at its quotes now. Errors drift and pauses begin here.
    pub(crate) fn looks(&mut self, params: &MakerParams, now: i64, dice: &mut Dice) -> bool {
        if now < self.next_look {
            return false;
        }
        if params.look_ms <= 0.0 {
            return true;
        }
        self.next_look = now + round(params.look_ms * 1e6 * dice.between(0.5, 1.5));
        if now < self.paused_until {
            return false;
        }
        let since = float(now - self.looked_at) / NS;
        self.looked_at = now;
        let keep = exp(-core::f64::consts::LN_2 * since / params.leaning_half_life_s);
        self.leaning = self.leaning * keep + params.leaning * sqrt(1.0 - keep * keep) * dice.normal();
        if dice.chance(0.1) {
            self.lag_ms = dice.between(params.lag_ms.0, params.lag_ms.1);
        }
        let (every, shortest, longest) = params.pause;
        if every > 0.0 && dice.chance(since / every) {
            self.paused_until = now + round(NS * dice.between(shortest, longest));
        }
        true
    }
}

/// Where the quotes should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    /// Best bid and ask in 0.001, on no grid.
    exact: (f64, f64),
    /// On the grid of `tick`: outside of 1..=999 where there is none.
    pub(crate) bid: i32,
    pub(crate) ask: i32,
    tick: i32,
}

/// Quotes around an estimate on the grid of `tick` (in 0.001).
pub(crate) fn quotes(params: &MakerParams, estimate: f64, expected_move: f64, tick: i32) -> Target {
    let p = estimate.clamp(0.0, 1.0);
    let half = params.half_width * (0.2 + 3.2 * p * (1.0 - p)) + expected_move.min(0.2);
    let exact = ((p - half) * 1_000.0, (p + half) * 1_000.0);
    let unit = f64::from(tick);
    let bid = i32::try_from(down(exact.0 / unit + 1e-9) * i64::from(tick)).unwrap_or(0).min(1_000 - tick);
    let ask = i32::try_from(up(exact.1 / unit - 1e-9) * i64::from(tick)).unwrap_or(1_000).max(tick);
    Target { exact, bid, ask: if ask > bid { ask } else { bid + tick }, tick }
}

impl Target {
    /// True when quotes at `bid` and `ask` (0 and 1000 where there are none) may stay: rounding alone puts them up to a tick outside.
    pub(crate) fn keeps(&self, params: &MakerParams, bid: i32, ask: i32) -> bool {
        let slack = params.slack * 1_000.0;
        let far = slack + f64::from(self.tick);
        let (low, high) = (self.exact.0 - f64::from(bid), f64::from(ask) - self.exact.1);
        let ends = (bid == 0) == (self.bid < 1) && (ask == 1_000) == (self.ask > 999);
        ends && (bid == 0 || (-slack..=far).contains(&low)) && (ask == 1_000 || (-slack..=far).contains(&high))
    }
}

/// How far a leaning shows at probability `p`: whole in the middle, little at the ends.
pub(crate) fn shape(p: f64) -> f64 {
    (4.0 * p * (1.0 - p) + 0.1).min(1.0)
}

/// Size of a new level in 0.01 shares: mostly whole shares, deeper levels larger.
pub(crate) fn size(params: &MakerParams, level: usize, dice: &mut Dice) -> i64 {
    let (least, most) = params.shares;
    let whole = dice.int(least, most) + if level > 2 { dice.int(0, most) } else { 0 };
    whole * 100 + if dice.chance(0.2) { dice.int(1, 99) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_on_the_grid_and_apart() {
        for kind in [MakerKind::Typical, MakerKind::Measured, MakerKind::Efficient, MakerKind::Careless] {
            for tick in [1, 10] {
                for n in -50..1_050 {
                    let target = quotes(&kind.params(), f64::from(n) / 1_000.0, 0.002, tick);
                    let (bid, ask) = (target.bid, target.ask);
                    assert!(bid < ask && bid % tick == 0 && ask % tick == 0, "{kind} {tick} {n}: {bid} {ask}");
                    assert!(bid < 1_000 && ask > 0);
                }
            }
        }
    }
}
