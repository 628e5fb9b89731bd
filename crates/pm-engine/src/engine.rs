//! The engine: state, and the one entry point. Each kind of event has its room: market data in `data`, decisions in `decide`, confirmed
//! fills and settlement in `settle`, the hedge in `hedger`, marks and limits in `marks`, the kill switch in `kill`, rows in `rows`.

use pm_core::command::Command;
use pm_core::event::{Event, Health};
use pm_core::ids::{CurrencyId, MarketIdx, VenueId};
use pm_core::market::Market;
use pm_core::registry::VenueRole;
use pm_core::time::{Dur, Ts};
use pm_core::traits::MarketView;
use pm_core::units::{Px, Usd};
use pm_ledger::{Ledger, Posting};
use pm_risk::{CommissionTracker, Risk};
use pm_strategy::{Fair, Model};

use crate::config::EngineConfig;
use crate::episodes::Episodes;
use crate::market_state::Markets;
use crate::orders::Orders;
use crate::stats::Stats;
use crate::structures::Structures;

/// Why an engine cannot be built from a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The catalog has no venue with this role.
    #[error("the catalog has no venue with the role {0:?}")]
    NoVenue(VenueRole),
    /// Risk settings are out of range; all mistakes at once.
    #[error("risk settings: {}", .0.join("; "))]
    Risk(Vec<String>),
    /// The starting capital cannot be booked.
    #[error("starting capital: {0}")]
    Capital(String),
}

/// The deterministic trading engine. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) cfg: EngineConfig,
    pub(crate) now: Ts,
    pub(crate) prediction: VenueId,
    pub(crate) prediction_currency: CurrencyId,
    pub(crate) hedge_venue: Option<(VenueId, CurrencyId)>,
    pub(crate) markets: Markets,
    pub(crate) model: Model,
    pub(crate) risk: Risk,
    pub(crate) ledger: Ledger,
    pub(crate) orders: Orders,
    pub(crate) structures: Structures,
    pub(crate) episodes: Episodes,
    pub(crate) stats: Stats,
    pub(crate) commission: CommissionTracker,
    pub(crate) equity: Usd,
    pub(crate) equity_at: Ts,
    pub(crate) row_at: Ts,
    pub(crate) risk_seq: u64,
    pub(crate) capital_start: Usd,
    pub(crate) sweep_at: Ts,
    pub(crate) last_day: i64,
}

impl Engine {
    /// Builds an engine and books its starting capital.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or out of range.
    pub fn new(cfg: EngineConfig) -> Result<Self, ConfigError> {
        let prediction = cfg.catalog.venue_of(VenueRole::Prediction).ok_or(ConfigError::NoVenue(VenueRole::Prediction))?;
        let currency = |v: VenueId| cfg.catalog.venue_info(v).map(|i| i.currency).unwrap_or_default();
        let hedge_venue = cfg.catalog.venue_of(VenueRole::Hedge).map(|v| (v, currency(v)));
        let mistakes = cfg.risk.validate();
        if !mistakes.is_empty() {
            return Err(ConfigError::Risk(mistakes));
        }
        let mut ledger = Ledger::new();
        let mut capital_start = Usd::ZERO;
        for c in cfg.capital.iter().filter(|c| !c.amount.is_zero()) {
            ledger
                .post(Posting::Capital { venue: c.venue, currency: c.currency, amount: c.amount, at: Ts::ZERO })
                .map_err(|e| ConfigError::Capital(e.to_string()))?;
            capital_start += c.amount;
        }
        let mut risk = Risk::new(cfg.risk.clone());
        for (id, venue) in (0_u8..).zip(&cfg.catalog.venues) {
            risk.name_venue(VenueId(id), std::sync::Arc::clone(&venue.name));
        }
        Ok(Self {
            now: Ts::ZERO,
            prediction,
            prediction_currency: currency(prediction),
            hedge_venue,
            markets: Markets::with_underlyings(cfg.catalog.underlyings.len()),
            model: Model::new(cfg.model.clone(), &cfg.catalog),
            risk,
            ledger,
            orders: Orders::default(),
            structures: Structures::default(),
            episodes: Episodes::default(),
            stats: Stats::default(),
            commission: CommissionTracker::new(&cfg.risk),
            equity: capital_start,
            equity_at: Ts::ZERO,
            row_at: Ts::ZERO,
            risk_seq: 0,
            capital_start,
            sweep_at: Ts::ZERO,
            last_day: i64::MIN,
            cfg,
        })
    }

    /// Takes one event at `now` and appends what follows from it to `out`. No I/O, no clock, no randomness; no allocation for market data
    /// once warm. A `now` before the last one counts as the last one (counted in [`Stats::clock_back`]).
    pub fn step(&mut self, now: Ts, event: &Event<'_>, out: &mut Vec<Command>) {
        if self.stats.events == 0 {
            self.stats.started = now;
            self.risk.on_equity(now, self.equity, Usd::ZERO);
        }
        self.stats.events += 1;
        if now < self.now {
            self.stats.clock_back += 1;
        } else {
            self.now = now;
        }
        match event {
            Event::BookSnapshot { book, bids, asks, at, flags } => self.on_snapshot(*book, bids, asks, *at, *flags, out),
            Event::BookDelta { book, bids, asks, at } => self.on_delta(*book, bids, asks, *at, out),
            Event::BookLost { book, why } => self.on_book_lost(*book, *why),
            Event::Ticker { instrument, ticker, at } => self.on_ticker(*instrument, ticker, *at, out),
            Event::Reference { source, kind, px, at } => {
                self.model.on_reference(*source, *kind, *px, *at, self.now);
            }
            Event::Candle { source, candle } => self.model.on_candle(*source, candle, self.now),
            Event::Print { .. } => {}
            Event::MarketListed(market) => self.on_market(market, out),
            Event::MarketChanged { market, change } => self.on_market_change(*market, change),
            Event::InstrumentListed(instrument) => self.on_instrument(instrument, out),
            Event::Resolved { market, first_pays, at } => self.on_resolved(*market, *first_pays, *at, out),
            Event::Order(update) => self.on_order(update, out),
            Event::Fill(fill) => self.on_fill(fill, out),
            Event::Settlement(update) => self.on_settlement(update, out),
            Event::Cash(movement) => self.on_cash(movement, out),
            Event::Health(health) => self.on_health(health, out),
            Event::Venue { venue, word } => self.on_venue_word(*venue, *word, out),
            Event::BanScore { venue, score } => {
                let trip = self.risk.on_ban_score(self.now, *venue, *score);
                self.on_trip(trip, out);
            }
            Event::Operator(order) => self.on_operator(order, out),
            Event::Timer => self.on_timer(out),
        }
        self.write_ledger(out);
    }

    fn on_health(&mut self, health: &Health<'_>, out: &mut Vec<Command>) {
        match health {
            Health::Latency { venue, endpoint, took, ok } => {
                let trip = self.risk.on_latency(self.now, *venue, *endpoint, *took, *ok);
                self.on_trip(trip, out);
            }
            Health::Feed { .. } | Health::BadFrame { .. } | Health::LatencyTable { .. } | Health::Clock { .. } => {}
        }
    }

    fn on_timer(&mut self, out: &mut Vec<Command>) {
        let aged = self.orders.age(self.now, Dur::from_millis(i64::from(self.cfg.engine.unknown_after_ms)));
        for _ in 0..aged {
            let trip = self.risk.on_failed_execution(self.now, pm_risk::FailedExecution::Unknown);
            self.on_trip(trip, out);
        }
        self.reprice_due(out);
        self.tend_all(out);
        self.close_stale_episodes(out);
        self.mark_if_due(out);
        self.finish_structures(out);
        self.auto_reset(out);
        if self.now.since(self.sweep_at) > Dur::from_secs(10) {
            self.sweep_at = self.now;
            let model = &mut self.model;
            self.markets.sweep(self.now - Dur::from_secs(60), |market: &Market| {
                if let Some(rule) = market.rule.understood() {
                    model.unwatch(rule);
                }
            });
        }
    }

    /// Market data as the engine sees it, for venues that fill against it.
    #[must_use]
    pub fn view(&self) -> &dyn MarketView {
        &self.markets
    }
    /// Counts so far.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }
    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    /// The risk state.
    #[must_use]
    pub const fn risk(&self) -> &Risk {
        &self.risk
    }
    /// Fees as charged, against what the schedules say.
    #[must_use]
    pub const fn commission(&self) -> &CommissionTracker {
        &self.commission
    }
    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.cfg
    }
    /// Equity at the last mark.
    #[must_use]
    pub const fn equity(&self) -> Usd {
        self.equity
    }
    /// Capital at the start.
    #[must_use]
    pub const fn capital_start(&self) -> Usd {
        self.capital_start
    }
    /// Open structures.
    #[must_use]
    pub fn open_structures(&self) -> u32 {
        self.structures.count()
    }
    /// Markets that hold a slot.
    #[must_use]
    pub const fn live_markets(&self) -> u32 {
        self.markets.live
    }
    /// Latest time seen.
    #[must_use]
    pub const fn now(&self) -> Ts {
        self.now
    }
    /// Listed markets with their last fair value or the reason why there is none, in order of listing.
    pub fn markets(&self) -> impl Iterator<Item = MarketState<'_>> {
        self.markets.markets.iter().flatten().map(|s| MarketState {
            market: &s.market,
            book: &s.book,
            fair: s.fair,
            start: s.market.rule.understood().and_then(|r| self.model.start_value(r)),
            resolved: s.resolved,
        })
    }
    /// Computes a market's fair value now (for displays; the hot path keeps its own).
    #[must_use]
    pub fn fair(&self, market: MarketIdx) -> Option<Result<Fair, pm_core::refusal::Refusal>> {
        let slot = self.markets.market(market)?;
        Some(self.price(&slot.market))
    }
}

/// A listed market, for displays.
#[derive(Debug, Clone, Copy)]
pub struct MarketState<'a> {
    /// Definition.
    pub market: &'a Market,
    /// Book.
    pub book: &'a pm_core::book::Book,
    /// Last fair value or why there is none.
    pub fair: Result<Fair, pm_core::refusal::Refusal>,
    /// Start value of an Up/Down window.
    pub start: Option<Px>,
    /// What `First` paid, once resolved.
    pub resolved: Option<pm_core::units::Ratio>,
}
