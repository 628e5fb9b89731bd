//! What nobody in the market can see: true prices, volatilities and fair values, and the books as they are. For tests and calibration.

use pm_core::time::Ts;

use crate::asset::Asset;
use crate::config::Family;
use crate::market::{Phase, SimEvent, SimMarket};

/// State of the simulated world after the last step.
#[derive(Debug)]
pub struct Truth {
    pub(crate) now: i64,
    pub(crate) assets: Vec<Asset>,
    pub(crate) events: Vec<SimEvent>,
}

/// One live market as it really is.
#[derive(Debug, Clone)]
pub struct MarketTruth<'a> {
    /// Condition id.
    pub condition: &'a str,
    /// Token ids, `[first, second]`.
    pub tokens: [&'a str; 2],
    /// Market slug.
    pub slug: &'a str,
    /// Family.
    pub family: Family,
    /// Symbol of the underlying.
    pub asset: &'a str,
    /// Begin of the window (strikes: listing).
    pub start_at: Ts,
    /// Instant that decides.
    pub final_at: Ts,
    /// Strike in USD, for ladders.
    pub strike: Option<i64>,
    /// True while it is quoted.
    pub trading: bool,
    /// Probability that the first outcome pays, 0..1, under the simulated law with everything known now.
    pub fair: f64,
    /// Bids of the first outcome, best first: price in 0.001, size in 0.01 shares.
    pub bids: &'a [(i32, i64)],
    /// Asks of the first outcome, best first.
    pub asks: &'a [(i32, i64)],
    /// Price grid in 0.001.
    pub tick: i32,
}

impl MarketTruth<'_> {
    /// Middle of the best bid and ask, when there are both.
    #[must_use]
    pub fn mid(&self) -> Option<f64> {
        let (bid, ask) = (self.bids.first()?.0, self.asks.first()?.0);
        Some(f64::from(bid + ask) / 2_000.0)
    }
}

impl Truth {
    fn asset(&self, symbol: &str) -> Option<&Asset> {
        self.assets.iter().find(|a| a.cfg.symbol == symbol)
    }

    /// True price of an asset, USD.
    #[must_use]
    pub fn price(&self, symbol: &str) -> Option<f64> {
        self.asset(symbol).map(|a| a.price)
    }

    /// Annual volatility of an asset now, without jumps.
    #[must_use]
    pub fn volatility(&self, symbol: &str) -> Option<f64> {
        self.asset(symbol).map(Asset::volatility)
    }

    /// Number of markets that are listed and not resolved.
    #[must_use]
    pub fn live_markets(&self) -> usize {
        self.events.iter().map(|e| e.markets.len()).sum()
    }

    /// The live markets.
    pub fn markets(&self) -> impl Iterator<Item = MarketTruth<'_>> {
        self.events.iter().flat_map(move |e| {
            let asset = self.assets.get(e.asset);
            e.markets.iter().filter_map(move |m| Some(self.market(e, m, asset?)))
        })
    }

    fn market<'a>(&self, e: &'a SimEvent, m: &'a SimMarket, asset: &'a Asset) -> MarketTruth<'a> {
        let [first, second] = &m.tokens;
        let tau = self.now.max(0);
        let law = asset.law();
        let left = crate::num::float(e.final_at * 1_000_000_000 - tau).max(0.0) / 1e9;
        let fair = match m.first_pays {
            Some(pays) => f64::from(u8::from(pays)),
            None => {
                let standing = e.standing(m.strike, asset, asset.price, self.now);
                crate::fair::probability(&standing, &law, law.per_second(left), 1.0).p
            }
        };
        MarketTruth {
            condition: &m.native,
            tokens: [first, second],
            slug: &m.slug,
            family: e.family,
            asset: &asset.cfg.symbol,
            start_at: Ts::from_secs(e.start),
            final_at: Ts::from_secs(e.final_at),
            strike: m.strike,
            trading: e.phase == Phase::Trading,
            fair,
            bids: &m.book.bids,
            asks: &m.book.asks,
            tick: m.tick,
        }
    }
}
