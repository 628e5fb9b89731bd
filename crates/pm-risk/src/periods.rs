//! Equity over days, weeks and the run. Transfers are taken out of every difference: money that was moved is neither gain nor loss.

use pm_core::num::{Round, SCALE, mul_div};
use pm_core::time::Ts;
use pm_core::units::{Ratio, Usd};
use serde::{Deserialize, Serialize};

/// The day so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayView {
    /// Equity at 00:00 UTC: the last one known before, or the first of the run.
    pub open_bankroll: Usd,
    /// Marked loss since, transfers excluded; below zero = gain.
    pub loss: Usd,
    /// What may still be lost before the switch trips.
    pub room: Usd,
}

/// Largest drawdowns, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DrawdownView {
    /// Largest marked loss of one structure in the run, as a fraction of bankroll.
    pub trade: Ratio,
    /// Largest fall from a high to a later low within this UTC day, as a fraction of the day's opening bankroll.
    pub day: Ratio,
    /// The same for this week (from Monday) and its opening bankroll.
    pub week: Ratio,
    /// Largest fall from a high to a later low within the run, as a fraction of the high.
    pub max: Ratio,
}

/// A day or a week. Sums are cumulative since the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Period {
    /// [`Ts::utc_day`] or [`Ts::utc_week`].
    pub key: i64,
    /// Equity at the opening.
    pub open: Usd,
    /// Net transfers at the opening.
    pub transfers: Usd,
    /// Realised result at the opening.
    pub realized: Usd,
    /// Unrealised result at the opening.
    pub unrealized: Usd,
    /// Highest equity without transfers.
    pub high: Usd,
    /// Largest fall from a high.
    pub fall: Usd,
}

/// State of day, week and run: kept by a driver over a restart, so that a restart does not forgive the day's loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Periods {
    /// This day; `None` before the first equity above zero.
    pub day: Option<Period>,
    /// This week.
    pub week: Option<Period>,
    /// Equity last seen.
    pub equity: Usd,
    /// Net transfers last seen.
    pub transfers: Usd,
    /// Realised result last seen; `None` when nobody tells it.
    pub realized: Option<Usd>,
    /// Equity without transfers and results at the start of the run.
    pub base: Usd,
    /// Highest equity without transfers.
    pub high: Usd,
    /// Drawdowns that outlive day and week.
    pub worst: DrawdownView,
}

impl Period {
    fn open(key: i64, p: &Periods) -> Self {
        let realized = p.realized.unwrap_or_default();
        let own = p.equity - p.transfers;
        Self {
            key,
            open: p.equity,
            transfers: p.transfers,
            realized,
            unrealized: own - p.base - realized,
            high: own,
            fall: Usd::ZERO,
        }
    }

    /// Marked loss since the opening, transfers excluded.
    pub(crate) fn loss(&self, p: &Periods) -> Usd {
        (self.open - self.transfers) - (p.equity - p.transfers)
    }

    /// Loss since the opening if everything open ended at its cost: what is added to the worst loss of what is open. Without a realised
    /// result from outside: the marked loss, gains not counted (they may still be lost).
    pub(crate) fn loss_at_cost(&self, p: &Periods) -> Usd {
        match p.realized {
            Some(realized) => self.unrealized - (realized - self.realized),
            None => self.loss(p).max(Usd::ZERO),
        }
    }

    /// The bankroll that limits refer to: at the opening, less withdrawals since.
    pub(crate) fn bankroll(&self, p: &Periods) -> Usd {
        let moved = p.transfers - self.transfers;
        self.open + moved.min(Usd::ZERO)
    }

    fn see(&mut self, own: Usd) {
        self.high = self.high.max(own);
        self.fall = self.fall.max(self.high - own);
    }

    fn fall_ratio(&self) -> Ratio {
        fraction(self.fall, self.open)
    }
}

/// `part / whole` rounded up; 1 when there is nothing to lose a part of.
pub(crate) fn fraction(part: Usd, whole: Usd) -> Ratio {
    match (part.is_positive(), whole.is_positive()) {
        (false, _) => Ratio::ZERO,
        (true, false) => Ratio::ONE,
        (true, true) => mul_div(part.raw(), SCALE, whole.raw(), Round::Up).map_or(Ratio::MAX, Ratio::from_raw),
    }
}

impl Periods {
    /// New equity and net transfers.
    pub(crate) fn see(&mut self, now: Ts, equity: Usd, transfers: Usd) {
        self.roll(now);
        let own = equity - transfers;
        let fresh = self.day.is_none();
        (self.equity, self.transfers) = (equity, transfers);
        if fresh {
            if !equity.is_positive() {
                return;
            }
            self.base = own - self.realized.unwrap_or_default();
            self.high = own;
            self.day = Some(Period::open(now.utc_day(), self));
            self.week = Some(Period::open(now.utc_week(), self));
        }
        for period in [&mut self.day, &mut self.week].into_iter().flatten() {
            period.see(own);
        }
        self.high = self.high.max(own);
        self.worst.max = self.worst.max.max(fraction(self.high - own, self.high + transfers));
    }

    /// New realised result (cumulative).
    pub(crate) fn see_realized(&mut self, now: Ts, realized: Usd) {
        self.roll(now);
        if self.realized.is_none() {
            // First word: whatever was realised before it belongs to the openings.
            self.base -= realized;
            for period in [&mut self.day, &mut self.week].into_iter().flatten() {
                period.realized = realized;
            }
        }
        self.realized = Some(realized);
    }

    /// Opens a new day or week with what was last seen before it. A clock that goes back opens nothing.
    fn roll(&mut self, now: Ts) {
        let seen = *self;
        if let Some(day) = &mut self.day
            && now.utc_day() > day.key
        {
            *day = Period::open(now.utc_day(), &seen);
        }
        if let Some(week) = &mut self.week
            && now.utc_week() > week.key
        {
            *week = Period::open(now.utc_week(), &seen);
        }
    }

    pub(crate) fn drawdown(&self) -> DrawdownView {
        let of = |p: &Option<Period>| p.as_ref().map_or(Ratio::ZERO, Period::fall_ratio);
        DrawdownView { day: of(&self.day), week: of(&self.week), ..self.worst }
    }
}
