//! The perpetual that hedges: instrument list, a 50-level book as snapshot and deltas, ticker deltas and trades (venues/bybit.md 3.3,
//! 4.2, 4.3, 4.4). `u` grows by one per book frame; sizes are absolute, "0" removes.

use crate::asset::Asset;
use crate::config::AssetConfig;
use crate::dice::{Dice, splitmix};
use crate::num::round;
use crate::text::Put;

/// Levels a side.
const DEPTH: usize = 50;

/// A level: price in ticks, size in lots.
type Level = (i64, i64);

/// State of one perpetual's streams.
#[derive(Debug)]
pub(crate) struct Perp {
    symbol: String,
    tick: i64,
    spacing: i64,
    lot_digits: usize,
    /// Best first.
    bids: Vec<Level>,
    asks: Vec<Level>,
    next_bids: Vec<Level>,
    next_asks: Vec<Level>,
    u: i64,
    seq: i64,
    trade_id: u64,
    ticker: Ticker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ticker {
    last: i64,
    mark: i64,
    index: i64,
    bid: Level,
    ask: Level,
    /// 1e-8.
    funding: i64,
    /// Seconds.
    next_funding: i64,
}

/// What the list says about one perpetual.
fn instrument(w: &mut Vec<u8>, cfg: &AssetConfig) {
    let tick = i64::from(cfg.perp_tick_cents);
    let lot = usize::from(cfg.perp_lot_digits);
    w.text("{\"symbol\":\"")
        .text(&cfg.symbol)
        .text("USDT\",\"symbolId\":5,\"contractType\":\"LinearPerpetual\",\"status\":\"Trading\",\"baseCoin\":\"");
    w.text(&cfg.symbol).text("\",\"quoteCoin\":\"USDT\",\"launchTime\":\"1585526400000\",\"deliveryTime\":\"0\",\"deliveryFeeRate\":\"\",\"priceScale\":\"2\",");
    w.text("\"leverageFilter\":{\"minLeverage\":\"1\",\"maxLeverage\":\"100.00\",\"leverageStep\":\"0.01\"},\"priceFilter\":{\"minPrice\":\"");
    w.fixed(tick, 2)
        .text("\",\"maxPrice\":\"1999999.80\",\"tickSize\":\"")
        .fixed(tick, 2)
        .text("\"},\"lotSizeFilter\":{\"maxOrderQty\":\"1190.000\",\"minOrderQty\":\"");
    w.fixed(1, lot).text("\",\"qtyStep\":\"").fixed(1, lot);
    w.text("\",\"postOnlyMaxOrderQty\":\"1190.000\",\"maxMktOrderQty\":\"500.000\",\"minNotionalValue\":\"5\"},\"unifiedMarginTrade\":true,");
    w.text("\"fundingInterval\":480,\"settleCoin\":\"USDT\",\"copyTrading\":\"both\",\"upperFundingRate\":\"0.00375\",\"lowerFundingRate\":\"-0.00375\",");
    w.text("\"isPreListing\":false,\"preListingInfo\":null,\"riskParameters\":{\"priceLimitRatioX\":\"0.01\",\"priceLimitRatioY\":\"0.02\"},\"symbolType\":\"\"}");
}

/// Body of `instruments-info` for all assets.
pub(crate) fn instruments(w: &mut Vec<u8>, assets: &[Asset], ms: i64) {
    w.text("{\"retCode\":0,\"retMsg\":\"OK\",\"result\":{\"category\":\"linear\",\"list\":[");
    for (at, asset) in assets.iter().enumerate() {
        if at > 0 {
            w.text(",");
        }
        instrument(w, &asset.cfg);
    }
    w.text("],\"nextPageCursor\":\"\"},\"retExtInfo\":{},\"time\":").int(ms).text("}");
}

impl Perp {
    pub(crate) fn new(cfg: &AssetConfig) -> Self {
        Self {
            symbol: format!("{}USDT", cfg.symbol),
            tick: i64::from(cfg.perp_tick_cents),
            spacing: i64::from(cfg.perp_level_ticks),
            lot_digits: usize::from(cfg.perp_lot_digits),
            bids: Vec::with_capacity(DEPTH + 1),
            asks: Vec::with_capacity(DEPTH + 1),
            next_bids: Vec::with_capacity(DEPTH + 1),
            next_asks: Vec::with_capacity(DEPTH + 1),
            u: 1_000,
            seq: 700_000_000_000,
            trade_id: 0,
            ticker: Ticker::default(),
        }
    }

    /// Best bid and ask in ticks.
    fn touch(&self, asset: &Asset) -> (i64, i64) {
        let bid = crate::num::down(asset.perp_mid() * 100.0 / crate::num::float(self.tick)).max(2);
        (bid, bid + 1)
    }

    fn size(&self, dice: &mut Dice) -> i64 {
        // About 0.6 coins of the first kind behind the touch; the tail is long.
        let scale = if self.lot_digits >= 3 { 600.0 } else { 1_500.0 };
        1 + round(scale * dice.exponential())
    }

    /// The side that the book should have: the best level, then levels on a lattice; sizes of levels that stay are kept.
    fn side(&mut self, bid: bool, best: i64, dice: &mut Dice) {
        let old = core::mem::take(if bid { &mut self.bids } else { &mut self.asks });
        let mut new = core::mem::take(if bid { &mut self.next_bids } else { &mut self.next_asks });
        new.clear();
        let away = if bid { -1 } else { 1 };
        let first = if bid { best - best.rem_euclid(self.spacing) } else { best + (-best).rem_euclid(self.spacing) };
        let mut kept = old.iter().copied().peekable();
        let mut price = best;
        while new.len() < DEPTH && price > 0 {
            while kept.next_if(|(p, _)| (p - price) * away < 0).is_some() {}
            let size = kept.next_if(|(p, _)| *p == price).map(|(_, s)| s);
            new.push((price, size.unwrap_or_else(|| self.size(dice))));
            price = if new.len() == 1 && first != best { first } else { price + away * self.spacing };
        }
        for _ in 0..2 {
            let at = usize::try_from(dice.int(0, 11)).unwrap_or_default();
            let size = self.size(dice);
            if let Some(level) = new.get_mut(at) {
                level.1 = size;
            }
        }
        // The old side is left in the place of the new one, to be compared.
        if bid {
            (self.bids, self.next_bids) = (new, old);
        } else {
            (self.asks, self.next_asks) = (new, old);
        }
    }

    /// Moves the book to where the price is. `next_*` hold the book before.
    fn refresh(&mut self, asset: &Asset, dice: &mut Dice) {
        let (bid, ask) = self.touch(asset);
        self.side(true, bid, dice);
        self.side(false, ask, dice);
        self.u += 1;
        self.seq += dice.int(1, 400);
    }

    fn level(&self, w: &mut Vec<u8>, first: &mut bool, price: i64, size: i64) {
        w.text(if core::mem::take(first) { "[\"" } else { ",[\"" });
        w.fixed(price * self.tick, 2).text("\",\"");
        if size == 0 {
            w.text("0");
        } else {
            w.fixed(size, self.lot_digits);
        }
        w.text("\"]");
    }

    /// Levels that differ from `old`; all of `new` when there is no old side.
    fn changes(&self, w: &mut Vec<u8>, bid: bool, old: &[Level], new: &[Level]) {
        let away = if bid { -1 } else { 1 };
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        let mut first = true;
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some((p, _)), None) => {
                    self.level(w, &mut first, *p, 0);
                    old.next();
                }
                (Some((p, _)), Some((q, _))) if (q - p) * away > 0 => {
                    self.level(w, &mut first, *p, 0);
                    old.next();
                }
                (Some((p, s)), Some((q, t))) if p == q => {
                    if s != t {
                        self.level(w, &mut first, *q, *t);
                    }
                    old.next();
                    new.next();
                }
                (_, Some((q, t))) => {
                    self.level(w, &mut first, *q, *t);
                    new.next();
                }
            }
        }
    }

    /// `orderbook.50` frame of the next book: a snapshot, or the delta to it.
    pub(crate) fn book(&mut self, w: &mut Vec<u8>, asset: &Asset, snapshot: bool, ms: i64, dice: &mut Dice) {
        self.refresh(asset, dice);
        let kind = if snapshot { "snapshot" } else { "delta" };
        w.text("{\"topic\":\"orderbook.50.").text(&self.symbol).text("\",\"type\":\"").text(kind).text("\",\"ts\":").int(ms + 3);
        w.text(",\"data\":{\"s\":\"").text(&self.symbol).text("\",\"b\":[");
        self.changes(w, true, if snapshot { &[] } else { &self.next_bids }, &self.bids);
        w.text("],\"a\":[");
        self.changes(w, false, if snapshot { &[] } else { &self.next_asks }, &self.asks);
        w.text("],\"u\":").int(self.u).text(",\"seq\":").int(self.seq).text("},\"cts\":").int(ms).text("}");
    }

    fn read(&self, asset: &Asset, ms: i64) -> Ticker {
        let (bid, ask) = self.touch(asset);
        let best = |side: &[Level], or: i64| side.first().copied().unwrap_or((or, 1));
        let mid = round(asset.perp_mid() * 100.0);
        let index = asset.index_cents();
        // 1e-8 per cent of premium over eight hours; the usual 0.01 % when nothing pulls.
        let premium = (mid - index) * 100_000_000 / index.max(1);
        let funding = (10_000 + premium / 8).clamp(-375_000, 375_000);
        Ticker {
            last: best(&self.bids, bid).0 * self.tick,
            mark: mid,
            index,
            bid: best(&self.bids, bid),
            ask: best(&self.asks, ask),
            funding: funding - funding % 100,
            next_funding: (ms.div_euclid(28_800_000) + 1) * 28_800,
        }
    }

    /// `tickers` frame: everything at first, then what changed (always at least the index price).
    pub(crate) fn write_ticker(&mut self, w: &mut Vec<u8>, asset: &Asset, snapshot: bool, ms: i64) {
        let (old, new) = (self.ticker, self.read(asset, ms));
        self.ticker = new;
        w.text("{\"topic\":\"tickers.").text(&self.symbol).text("\",\"type\":\"").text(if snapshot {
            "snapshot"
        } else {
            "delta"
        });
        w.text("\",\"data\":{\"symbol\":\"").text(&self.symbol).text("\"");
        for (key, was, cents) in [("lastPrice", old.last, new.last), ("markPrice", old.mark, new.mark)] {
            if snapshot || was != cents {
                w.text(",\"").text(key).text("\":\"").fixed(cents, 2).text("\"");
            }
        }
        w.text(",\"indexPrice\":\"").fixed(new.index, 2).text("\"");
        if snapshot || old.funding != new.funding {
            w.text(",\"fundingRate\":\"").trimmed(new.funding, 8).text("\"");
        }
        if snapshot || old.next_funding != new.next_funding {
            w.text(",\"nextFundingTime\":\"").int(new.next_funding).text("000\"");
        }
        for (key, was, level) in [("bid1", old.bid, new.bid), ("ask1", old.ask, new.ask)] {
            if snapshot || was != level {
                w.text(",\"").text(key).text("Price\":\"").fixed(level.0 * self.tick, 2);
                w.text("\",\"").text(key).text("Size\":\"").fixed(level.1, self.lot_digits).text("\"");
            }
        }
        if snapshot {
            w.text(",\"tickDirection\":\"ZeroPlusTick\",\"price24hPcnt\":\"0.001455\",\"openInterest\":\"59972.256\",\"turnover24h\":\"3515096831.9640\",");
            w.text("\"volume24h\":\"55362.9100\",\"fundingIntervalHour\":\"8\",\"fundingCap\":\"0.005\",\"preOpenPrice\":\"\",\"preQty\":\"\",\"curPreListingPhase\":\"\"");
        }
        w.text("},\"cs\":").int(self.seq).text(",\"ts\":").int(ms).text("}");
    }

    /// `publicTrade` frame of one to three trades at the touch.
    pub(crate) fn trades(&mut self, w: &mut Vec<u8>, asset: &Asset, ms: i64, dice: &mut Dice) {
        let (bid, ask) = self.touch(asset);
        w.text("{\"topic\":\"publicTrade.")
            .text(&self.symbol)
            .text("\",\"type\":\"snapshot\",\"ts\":")
            .int(ms + 2)
            .text(",\"data\":[");
        for n in 0..dice.int(1, 3) {
            let buy = dice.chance(0.5);
            let size = 1 + self.size(dice) / 20;
            self.seq += 1;
            w.text(if n == 0 { "{\"T\":" } else { ",{\"T\":" }).int(ms).text(",\"s\":\"").text(&self.symbol);
            w.text("\",\"S\":\"").text(if buy { "Buy" } else { "Sell" }).text("\",\"v\":\"").fixed(size, self.lot_digits);
            w.text("\",\"p\":\"").fixed(if buy { ask } else { bid } * self.tick, 2).text("\",\"L\":\"ZeroPlusTick\",\"i\":\"");
            let (a, b) = (splitmix(&mut self.trade_id).to_be_bytes(), splitmix(&mut self.trade_id).to_be_bytes());
            let id: Vec<u8> = a.into_iter().chain(b).collect();
            for (part, (from, to)) in [(0, 4), (4, 6), (6, 8), (8, 10), (10, 16)].into_iter().enumerate() {
                if part > 0 {
                    w.text("-");
                }
                w.hex(id.get(from..to).unwrap_or_default());
            }
            w.text("\",\"BT\":false,\"RPI\":false,\"seq\":").int(self.seq).text("}");
        }
        w.text("]}");
    }
}
