//! A listed event (a window, or a ladder of strikes) with its markets, and how it settles.

use crate::asset::Asset;
use crate::book::OutcomeBook;
use crate::config::Family;
use crate::fair::{self, Fair, Standing};
use crate::maker::Mind;
use crate::num::float;
use crate::oracle::WINDOW;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Listed, no quotes yet.
    Listed,
    /// Quoted.
    Trading,
    /// Over, waiting for its resolution.
    Closed,
}

/// One binary market.
#[derive(Debug, Clone)]
pub(crate) struct SimMarket {
    pub(crate) id: i64,
    pub(crate) native: String,
    pub(crate) tokens: [String; 2],
    pub(crate) slug: String,
    pub(crate) question: String,
    /// Strike in whole dollars.
    pub(crate) strike: Option<i64>,
    pub(crate) book: OutcomeBook,
    /// 10 or 1, in 0.001.
    pub(crate) tick: i32,
    /// Price of the last trade in terms of the first outcome, in 0.001.
    pub(crate) last_trade: Option<i32>,
    /// A taker was here since the last look.
    pub(crate) touched: bool,
    /// Constant leaning of this strike.
    pub(crate) noise: f64,
    /// Once settled: true when the first outcome pays.
    pub(crate) first_pays: Option<bool>,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct SimEvent {
    pub(crate) family: Family,
    /// Index of the asset.
    pub(crate) asset: usize,
    pub(crate) slug: String,
    pub(crate) title: String,
    /// Begin of the window; for strikes the time of listing. Seconds.
    pub(crate) start: i64,
    /// `endDate`, seconds.
    pub(crate) end: i64,
    /// Instant that decides, seconds.
    pub(crate) final_at: i64,
    pub(crate) listed_at: i64,
    /// Begin of quoting, seconds.
    pub(crate) quoted_from: i64,
    pub(crate) resolve_at: i64,
    pub(crate) phase: Phase,
    /// Averaged windows: sum of the sixty values up to the start.
    pub(crate) strike_sum: Option<i64>,
    /// The candle's open in cents, for hourly windows.
    pub(crate) open: Option<i64>,
    pub(crate) minds: Vec<Mind>,
    pub(crate) markets: Vec<SimMarket>,
    /// Expected variance per second, refreshed every few seconds, and when it was.
    pub(crate) per_second: (f64, i64),
}

impl SimEvent {
    /// Learns the start value when its time has come.
    pub(crate) fn take_start(&mut self, asset: &Asset) {
        let second = asset.oracle.newest();
        match self.family {
            Family::UpDown5m | Family::UpDown15m if self.strike_sum.is_none() && second == self.start => {
                self.strike_sum = Some(asset.oracle.window_sum(second));
            }
            Family::UpDown1h if self.open.is_none() => {
                let [_, hour] = &asset.spot.open;
                if hour.open_at == self.start && hour.traded() {
                    self.open = Some(hour.open);
                }
            }
            _ => {}
        }
    }

    /// Standing of market `strike` at `now` (nanoseconds), for somebody who believes the true price is `price`.
    pub(crate) fn standing(&self, strike: Option<i64>, asset: &Asset, price: f64, now: i64) -> Standing {
        let tau = float(self.final_at * 1_000_000_000 - now).max(0.0) / 1e9;
        match self.family {
            Family::UpDown5m | Family::UpDown15m => {
                let part = float(now - asset.oracle.newest() * 1_000_000_000) / 1e9;
                let value = price * asset.oracle_factor() * 1e8;
                fair::averaged(&asset.oracle, value, self.start, self.final_at, self.strike_sum, part.clamp(0.0, 1.0))
            }
            Family::UpDown1h => match self.open {
                Some(open) => fair::terminal(price * asset.spot_factor() * 100.0, float(open), tau),
                // Not begun: open and close move together.
                None => Standing { weight: 0.0, ..fair::terminal(1.0, 1.0, float(self.final_at - self.start)) },
            },
            Family::AboveHourly | Family::AboveDaily => {
                fair::terminal(price * asset.spot_factor(), float(strike.unwrap_or(1)), tau)
            }
        }
    }

    /// Refreshes the expected variance now and then: it moves slowly.
    pub(crate) fn refresh_variance(&mut self, asset: &Asset, now: i64) {
        if now - self.per_second.1 >= 5_000_000_000 {
            let tau = float(self.final_at * 1_000_000_000 - now).max(0.0) / 1e9;
            self.per_second = (asset.law().per_second(tau), now);
        }
    }

    /// Probability of a market, by somebody who sees `price` and misjudges variance by `var_factor`.
    pub(crate) fn fair(&self, strike: Option<i64>, asset: &Asset, price: f64, var_factor: f64, now: i64) -> Fair {
        fair::probability(&self.standing(strike, asset, price, now), &asset.law(), self.per_second.0, var_factor)
    }

    /// Settles all markets; called at the step of `final_at`, after its oracle value and the end of its candles.
    pub(crate) fn settle(&mut self, asset: &Asset) {
        let [minute, hour] = asset.spot.closed;
        let family = self.family;
        let start = self.strike_sum;
        let closing = asset.oracle.window_sum(self.final_at);
        for m in &mut self.markets {
            // Equality is Up for windows (">="), No for strikes (">"): venues/polymarket.md 9.
            m.first_pays = Some(match family {
                Family::UpDown5m | Family::UpDown15m => start.is_some_and(|s| closing >= s),
                Family::UpDown1h => hour.close >= hour.open,
                Family::AboveHourly => m.strike.is_some_and(|k| hour.close > k * 100),
                Family::AboveDaily => m.strike.is_some_and(|k| minute.close > k * 100),
            });
        }
    }

    /// Start value as the venue's page shows it, at scale 1e-8.
    pub(crate) fn price_to_beat(&self) -> Option<i64> {
        self.strike_sum.map(|s| s / WINDOW).or(self.open.map(|cents| cents * 1_000_000))
    }
}
