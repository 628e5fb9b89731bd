//! Frames as the venues send them, as text. Shapes: venues/polymarket.md 5.3 to 5.6, venues/bybit.md 3 and 4, Binance's spot streams.

use std::fmt::Write as _;

/// 2026-11-10T16:00:00Z, 11:00 in New York, a Tuesday: the begin of every script.
pub const BASE_S: i64 = 1_794_326_400;

/// Milliseconds after the begin of the script, as the venues write times.
pub fn millis(ms: i64) -> i64 {
    BASE_S * 1_000 + ms
}

/// RFC 3339 of seconds after the begin.
pub fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(BASE_S + seconds).unwrap().to_string()
}

/// A market of a script: condition id and the tokens of its outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Mkt {
    pub cond: &'static str,
    pub first: &'static str,
    pub second: &'static str,
}

pub const A: Mkt =
    Mkt { cond: "0xaaaa000000000000000000000000000000000000000000000000000000000001", first: "1001", second: "1002" };
pub const B: Mkt =
    Mkt { cond: "0xbbbb000000000000000000000000000000000000000000000000000000000002", first: "2001", second: "2002" };
pub const C: Mkt =
    Mkt { cond: "0xcccc000000000000000000000000000000000000000000000000000000000003", first: "3001", second: "3002" };
pub const D: Mkt =
    Mkt { cond: "0xdddd000000000000000000000000000000000000000000000000000000000004", first: "4001", second: "4002" };

/// What a Gamma body says besides the rule.
#[derive(Debug, Clone)]
pub struct Terms {
    pub fees: bool,
    pub tick: &'static str,
    pub accepting: bool,
    /// `(outcomePrices, umaResolutionStatus)` of a closed market.
    pub result: Option<(&'static str, &'static str)>,
    /// Seconds after the begin from which orders are taken.
    pub opens: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { fees: true, tick: "0.01", accepting: true, result: None, opens: -80_000 }
    }
}

fn common(m: Mkt, labels: [&str; 2], terms: &Terms) -> String {
    let mut out = format!(
        r#""id":"{}","conditionId":"{}","version":"v1","clobTokenIds":"[\"{}\", \"{}\"]","outcomes":"[\"{}\", \"{}\"]","orderPriceMinTickSize":{},"orderMinSize":5,"negRisk":false,"enableOrderBook":true,"active":true,"acceptingOrders":{},"acceptingOrdersTimestamp":"{}","#,
        m.first,
        m.cond,
        m.first,
        m.second,
        labels[0],
        labels[1],
        terms.tick,
        terms.accepting,
        date(terms.opens),
    );
    let fees = if terms.fees {
        r#""feesEnabled":true,"feeType":"crypto_fees_v2","feeSchedule":{"exponent":1,"rate":0.07,"takerOnly":true,"rebateRate":0.2},"#
    } else {
        r#""feesEnabled":false,"#
    };
    out.push_str(fees);
    if let Some((prices, status)) = terms.result {
        let _ = write!(out, r#""closed":true,"outcomePrices":"{prices}","umaResolutionStatus":"{status}","#);
    } else {
        out.push_str(r#""closed":false,"#);
    }
    out
}

/// Gamma's event body of a five-minute Up/Down window that begins `start` seconds after the begin of the script and settles on the oracle's
/// 60-second mean. `beat` is the start value from the event's metadata.
pub fn gamma_updown_5m(m: Mkt, start: i64, beat: &str, terms: &Terms) -> String {
    let epoch = BASE_S + start;
    format!(
        r#"{{"id":"77{0}","slug":"btc-updown-5m-{epoch}","eventMetadata":{{"priceToBeat":{beat}}},"markets":[{{{1}"slug":"btc-updown-5m-{epoch}","question":"Bitcoin Up or Down - 5 minutes","eventStartTime":"{2}","endDate":"{3}","cryptoMarketConfig":{{"id":"btc-5m-twap-60","asset":"btc","duration":"5m","twapEnabled":true,"twapLookbackSeconds":60}},"resolutionSource":"https://data.chain.link/streams/btc-usd-twap-60s-streams","description":"This market will resolve to \"Up\" if the Bitcoin price at the end of the time range specified in the title is greater than or equal to the price at the beginning of that range. Otherwise, it will resolve to \"Down\". The resolution source is information from Chainlink, the BTC/USD 60-second TWAP stream."}}]}}"#,
        m.first,
        common(m, ["Up", "Down"], terms),
        date(start),
        date(start + 300),
    )
}

/// Gamma's market body of an hourly strike that ends `end` seconds after the begin (17:00Z = 12PM in New York = 3,600).
pub fn gamma_above(m: Mkt, strike: &str, end: i64, terms: &Terms) -> String {
    let hour = 11 + end / 3_600;
    let (clock, half) = (if hour > 12 { hour - 12 } else { hour }, if hour >= 12 { "PM" } else { "AM" });
    let short = strike.replace(',', "");
    format!(
        r#"{{{}"slug":"bitcoin-above-{short}-on-november-10-{clock}{}-et","question":"Bitcoin above {strike} on November 10, {clock}{half} ET?","groupItemTitle":"{strike}","endDate":"{}","description":"This market will resolve to \"Yes\" if the Binance 1 hour candle for BTC/USDT that ends at the time specified in the title has a final \"Close\" price higher than the price specified in the title. Otherwise, this market will resolve to \"No\". The resolution source for this market is Binance, specifically the BTC/USDT \"Close\" prices."}}"#,
        common(m, ["Yes", "No"], terms),
        half.to_lowercase(),
        date(end),
    )
}

fn levels(levels: &[(&str, &str)]) -> String {
    levels.iter().map(|(p, q)| format!(r#"{{"price":"{p}","size":"{q}"}}"#)).collect::<Vec<_>>().join(",")
}

/// `book` of one token. Best level last on the wire; here best first, turned round.
pub fn book(cond: &str, token: &str, ms: i64, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> String {
    let wire = |side: &[(&str, &str)]| levels(&side.iter().rev().copied().collect::<Vec<_>>());
    format!(
        r#"{{"event_type":"book","market":"{cond}","asset_id":"{token}","timestamp":"{}","hash":"d8c2cf8b5ac89194d7f75f2a72d69ba9ac538fd0","bids":[{}],"asks":[{}],"last_trade_price":""}}"#,
        millis(ms),
        wire(bids),
        wire(asks),
    )
}

/// `price_change`: `(token, price, size, side)` with absolute sizes.
pub fn change(cond: &str, ms: i64, changes: &[(&str, &str, &str, &str)]) -> String {
    let changes: Vec<String> = changes
        .iter()
        .map(|(token, price, size, side)| {
            format!(
                r#"{{"asset_id":"{token}","price":"{price}","size":"{size}","side":"{side}","hash":"368c602e12c0c70644d04fb547cfdc945a0ec8c8","best_bid":"","best_ask":""}}"#
            )
        })
        .collect();
    format!(
        r#"{{"event_type":"price_change","market":"{cond}","timestamp":"{}","price_changes":[{}]}}"#,
        millis(ms),
        changes.join(",")
    )
}

/// `last_trade_price`.
pub fn print(m: Mkt, token: &str, ms: i64, price: &str, size: &str, side: &str) -> String {
    format!(
        r#"{{"event_type":"last_trade_price","market":"{}","asset_id":"{token}","price":"{price}","side":"{side}","size":"{size}","fee_rate_bps":"0","timestamp":"{}","transaction_hash":"0x01"}}"#,
        m.cond,
        millis(ms)
    )
}

/// `tick_size_change`.
pub fn tick_size(m: Mkt, ms: i64, old: &str, new: &str) -> String {
    format!(
        r#"{{"event_type":"tick_size_change","market":"{}","asset_id":"{}","old_tick_size":"{old}","new_tick_size":"{new}","timestamp":"{}"}}"#,
        m.cond,
        m.first,
        millis(ms)
    )
}

/// `market_resolved`.
pub fn resolved(m: Mkt, ms: i64, winner: &str) -> String {
    let label = if winner == m.first { "Up" } else { "Down" };
    format!(
        r#"{{"event_type":"market_resolved","id":"{}","market":"{}","assets_ids":["{}","{}"],"winning_asset_id":"{winner}","winning_outcome":"{label}","timestamp":"{}","tags":["crypto"]}}"#,
        m.first,
        m.cond,
        m.first,
        m.second,
        millis(ms)
    )
}

/// A PolyBolt price frame; `averaged` is the 60-second mean.
pub fn polybolt(seq: u64, second: i64, value: &str, averaged: bool) -> String {
    let (channel, window) = if averaged { ("price.crypto.twap", r#""window_seconds":60,"#) } else { ("price.crypto", "") };
    format!(
        r#"{{"v":1,"channel":"{channel}","seq":{seq},"ts":{0},"payload":{{"symbol":"btcusd","source":"chainlink",{window}"timestamp":{0},"value":{value},"full_accuracy_value":"{value}"}}}}"#,
        millis(second * 1_000)
    )
}

/// A Binance trade.
pub fn trade(id: u64, ms: i64, price: &str) -> String {
    format!(r#"{{"e":"trade","E":{0},"s":"BTCUSDT","t":{id},"p":"{price}","q":"0.5","T":{0},"m":true,"M":true}}"#, millis(ms))
}

/// A Binance 1h candle that begins `open` seconds after the begin of the script.
pub fn kline_1h(open: i64, prices: [&str; 4], closed: bool) -> String {
    let [o, h, l, c] = prices;
    let (from, to) = (millis(open * 1_000), millis((open + 3_600) * 1_000) - 1);
    format!(
        r#"{{"e":"kline","E":{to},"s":"BTCUSDT","k":{{"t":{from},"T":{to},"s":"BTCUSDT","i":"1h","f":100,"L":200,"o":"{o}","c":"{c}","h":"{h}","l":"{l}","v":"1000","n":100,"x":{closed},"q":"1.0","V":"500","Q":"0.5","B":"123456"}}}}"#
    )
}

/// Bybit's instruments answer with the BTC perpetual: tick 0.1, lot 0.001, minimum value 5 USDT (venues/bybit.md 3.2).
pub fn instruments() -> String {
    r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","deliveryTime":"0","leverageFilter":{"maxLeverage":"100.00"},"priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","minNotionalValue":"5"}}],"nextPageCursor":""},"retExtInfo":{},"time":1794326400000}"#.to_owned()
}

/// Bybit `orderbook.50` of the perpetual.
pub fn depth(kind: &str, u: u64, ms: i64, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> String {
    let side = |levels: &[(&str, &str)]| levels.iter().map(|(p, q)| format!(r#"["{p}","{q}"]"#)).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":{0},"data":{{"s":"BTCUSDT","b":[{1}],"a":[{2}],"u":{u},"seq":{u}}},"cts":{0}}}"#,
        millis(ms),
        side(bids),
        side(asks)
    )
}

/// Bybit `tickers` of the perpetual with its index and funding.
pub fn ticker(ms: i64, mark: &str, funding: &str, next_funding_ms: i64) -> String {
    format!(
        r#"{{"topic":"tickers.BTCUSDT","type":"snapshot","data":{{"symbol":"BTCUSDT","lastPrice":"{mark}","markPrice":"{mark}","indexPrice":"{mark}","fundingRate":"{funding}","nextFundingTime":"{}"}},"cs":1,"ts":{}}}"#,
        millis(next_funding_ms),
        millis(ms)
    )
}
