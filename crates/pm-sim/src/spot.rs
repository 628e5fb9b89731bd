//! The spot venue whose candles settle the hourly and noon markets: trades, and candles that are exact to them. Frames are Binance's
//! combined streams.

use crate::dice::Dice;
use crate::num::{down, up};
use crate::text::Put;

/// One candle in the making; prices in cents, quantities in 1e-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Candle {
    /// Begin, seconds.
    pub(crate) open_at: i64,
    pub(crate) open: i64,
    pub(crate) high: i64,
    pub(crate) low: i64,
    pub(crate) close: i64,
    first_id: i64,
    last_id: i64,
    trades: i64,
    volume: i64,
    /// Cents times 1e-5.
    quote: i64,
    buys: i64,
    buys_quote: i64,
}

impl Candle {
    /// True when something traded in it.
    pub(crate) const fn traded(&self) -> bool {
        self.trades > 0
    }

    fn take(&mut self, t: &Trade) {
        if self.trades == 0 {
            (self.open, self.high, self.low, self.first_id) = (t.px, t.px, t.px, t.id);
        }
        self.high = self.high.max(t.px);
        self.low = self.low.min(t.px);
        (self.close, self.last_id) = (t.px, t.id);
        self.trades += 1;
        self.volume += t.qty;
        self.quote = self.quote.saturating_add(t.px.saturating_mul(t.qty));
        if !t.maker_bought {
            self.buys += t.qty;
            self.buys_quote = self.buys_quote.saturating_add(t.px.saturating_mul(t.qty));
        }
    }

    /// Ends the candle: without a trade it repeats the close before it.
    fn close(&mut self, last: i64) -> Self {
        let mut done = *self;
        if !done.traded() {
            (done.open, done.high, done.low, done.close) = (last, last, last, last);
            (done.first_id, done.last_id) = (-1, -1);
        }
        done
    }
}

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trade {
    pub(crate) id: i64,
    /// Milliseconds.
    pub(crate) at: i64,
    /// Cents.
    pub(crate) px: i64,
    /// 1e-5 of the coin.
    pub(crate) qty: i64,
    pub(crate) maker_bought: bool,
}

/// Lengths of the candles that are streamed, seconds.
pub(crate) const INTERVALS: [(i64, &str); 2] = [(60, "1m"), (3_600, "1h")];

/// The venue's view of one asset.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    /// Lower-case pair, `btcusdt`.
    stream: String,
    /// Upper-case pair.
    pair: String,
    next_id: i64,
    /// Last trade, cents.
    pub(crate) last: i64,
    /// Candles in the making, by [`INTERVALS`].
    pub(crate) open: [Candle; 2],
    /// Last closed candles, likewise.
    pub(crate) closed: [Candle; 2],
}

impl Spot {
    pub(crate) fn new(symbol: &str) -> Self {
        let pair = format!("{symbol}USDT");
        Self {
            stream: pair.to_lowercase(),
            pair,
            next_id: 5_000_000_000,
            last: 0,
            open: [Candle::default(); 2],
            closed: [Candle::default(); 2],
        }
    }

    /// Begins the candles that hold `second`, without a past.
    pub(crate) fn begin(&mut self, second: i64, cents: i64) {
        self.last = cents;
        for (candle, (length, _)) in self.open.iter_mut().zip(INTERVALS) {
            *candle = Candle { open_at: second - second.rem_euclid(length), ..Candle::default() };
        }
    }

    /// Closes candle `i` when it is over at `second`. True when it did.
    pub(crate) fn roll(&mut self, i: usize, second: i64) -> bool {
        let (Some(candle), Some(closed), Some((length, _))) = (self.open.get_mut(i), self.closed.get_mut(i), INTERVALS.get(i))
        else {
            return false;
        };
        if second < candle.open_at + length {
            return false;
        }
        *closed = candle.close(self.last);
        *candle = Candle { open_at: candle.open_at + length, ..Candle::default() };
        true
    }

    /// A trade at `at` milliseconds around `mid` cents: on either side of a cent-wide spread.
    pub(crate) fn trade(&mut self, at: i64, mid: f64, dice: &mut Dice) -> Trade {
        let maker_bought = dice.chance(0.5);
        let px = if maker_bought { down(mid) } else { up(mid) }.max(1);
        let qty = 1 + crate::num::round(2_000.0 * dice.exponential());
        let trade = Trade { id: self.next_id, at, px, qty, maker_bought };
        self.next_id += 1;
        self.last = px;
        for candle in &mut self.open {
            candle.take(&trade);
        }
        trade
    }

    /// `trade` of a combined stream.
    pub(crate) fn write_trade(&self, w: &mut Vec<u8>, t: &Trade) {
        w.text("{\"stream\":\"").text(&self.stream).text("@trade\",\"data\":{\"e\":\"trade\",\"E\":").int(t.at + 1);
        w.text(",\"s\":\"").text(&self.pair).text("\",\"t\":").int(t.id);
        w.text(",\"p\":\"").fixed(t.px, 2).text("000000\",\"q\":\"").fixed(t.qty, 5).text("000\",\"T\":").int(t.at);
        w.text(",\"m\":").text(if t.maker_bought { "true" } else { "false" }).text(",\"M\":true}}");
    }

    /// `kline` of a combined stream; candle `i`, closed or in the making.
    pub(crate) fn write_candle(&self, w: &mut Vec<u8>, i: usize, closed: bool, at_ms: i64) {
        let from = if closed { &self.closed } else { &self.open };
        let (Some(c), Some((length, name))) = (from.get(i), INTERVALS.get(i)) else { return };
        w.text("{\"stream\":\"")
            .text(&self.stream)
            .text("@kline_")
            .text(name)
            .text("\",\"data\":{\"e\":\"kline\",\"E\":")
            .int(at_ms);
        w.text(",\"s\":\"").text(&self.pair).text("\",\"k\":{\"t\":").int(c.open_at * 1_000);
        w.text(",\"T\":").int((c.open_at + length) * 1_000 - 1);
        w.text(",\"s\":\"").text(&self.pair).text("\",\"i\":\"").text(name);
        w.text("\",\"f\":").int(c.first_id).text(",\"L\":").int(c.last_id);
        for (key, cents) in [("o", c.open), ("c", c.close), ("h", c.high), ("l", c.low)] {
            w.text(",\"").text(key).text("\":\"").fixed(cents, 2).text("000000\"");
        }
        w.text(",\"v\":\"").fixed(c.volume, 5).text("000\",\"n\":").int(c.trades);
        w.text(",\"x\":").text(if closed { "true" } else { "false" });
        w.text(",\"q\":\"").fixed(c.quote, 7).text("0\",\"V\":\"").fixed(c.buys, 5).text("000\",\"Q\":\"").fixed(c.buys_quote, 7);
        w.text("0\",\"B\":\"0\"}}}");
    }
}
