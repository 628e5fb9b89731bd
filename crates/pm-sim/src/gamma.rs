//! Market bodies (Gamma, venues/polymarket.md 5.3 and 9): the real field names, rule texts in the venue's manner, lists as JSON inside
//! texts. One body per market, at listing and at resolution.

use crate::asset::Asset;
use crate::calendar::{Local, local};
use crate::config::Family;
use crate::market::{SimEvent, SimMarket};
use crate::text::{Put, string};

/// Address of the page of a pair on the exchange that settles candles.
fn page(symbol: &str) -> String {
    format!("https://www.binance.com/en/trade/{symbol}_USDT")
}

fn rules(family: Family, asset: &Asset) -> String {
    let (symbol, title) = (&asset.cfg.symbol, asset.title);
    let lower = symbol.to_lowercase();
    let only = |pair: &str| {
        format!(
            "Please note that this market is about the price according to {pair}, not according to other sources or spot markets."
        )
    };
    match family {
        Family::UpDown5m | Family::UpDown15m => format!(
            "This market will resolve to \"Up\" if the {title} price at the end of the time range specified in the title is greater than \
             or equal to the price at the beginning of that range. Otherwise, it will resolve to \"Down\".\nBoth prices are the 60-second \
             time-weighted average (TWAP) of the Chainlink data stream {symbol}/USD, available at \
             https://data.chain.link/streams/{lower}-usd-twap-60s-streams.\n{}",
            only(&format!("Chainlink data stream {symbol}/USD"))
        ),
        Family::UpDown1h => format!(
            "This market will resolve to \"Up\" if the close price is greater than or equal to the open price for the {symbol}/USDT 1 \
             hour candle that begins on the time and date specified in the title. Otherwise, this market will resolve to \"Down\".\n\nThe \
             resolution source for this market is Binance, the {symbol}/USDT pair ({}). Open and close of the \"1H\" candle count once it \
             is final.\n\n{}",
            page(symbol),
            only(&format!("Binance {symbol}/USDT"))
        ),
        Family::AboveHourly | Family::AboveDaily => {
            let candle = if family == Family::AboveHourly {
                format!("1 hour candle for {symbol}/USDT that ends on the time and date specified in the title")
            } else {
                format!("1 minute candle for {symbol}/USDT 12:00 in the ET timezone (noon) on the date specified in the title")
            };
            format!(
                "This market will resolve to \"Yes\" if the Binance {candle} has a final \"Close\" price higher than the price specified \
                 in the title. Otherwise, this market will resolve to \"No\".\n\nThe resolution source for this market is Binance, \
                 specifically the {symbol}/USDT \"Close\" prices at {} with \"Candles\" selected.\n\n{}\n\nPrice precision is determined \
                 by the number of decimal places in the source.",
                page(symbol),
                only(&format!("Binance {symbol}/USDT"))
            )
        }
    }
}

fn resolution_source(family: Family, symbol: &str) -> String {
    if family.is_averaged() {
        format!("https://data.chain.link/streams/{}-usd-twap-60s-streams", symbol.to_lowercase())
    } else {
        page(symbol)
    }
}

/// `64,200`.
pub(crate) fn thousands(dollars: i64) -> String {
    let digits = dollars.to_string();
    let mut out = String::with_capacity(digits.len() + 3);
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `9:30AM`.
fn clock(l: Local) -> String {
    let (hour, half) = l.twelve();
    let mut w = Vec::new();
    w.int(hour).text(":").two(l.minute).text(half);
    string(w)
}

/// Event slug and title.
pub(crate) fn event_names(family: Family, asset: &Asset, start: i64, end: i64) -> (String, String) {
    let (title, slug) = (asset.title, asset.slug);
    let lower = asset.cfg.symbol.to_lowercase();
    let (from, to) = (local(start), local(end));
    let day = |l: Local| format!("{} {}", l.month_name(), l.day);
    let day_slug = |l: Local| format!("{}-{}-{}", l.month_name().to_lowercase(), l.day, l.year);
    let hour = |l: Local| {
        let (h, half) = l.twelve();
        format!("{h}{half}")
    };
    match family {
        Family::UpDown5m | Family::UpDown15m => {
            let length = if family == Family::UpDown5m { "5m" } else { "15m" };
            (
                format!("{lower}-updown-{length}-{start}"),
                format!("{title} Up or Down - {}, {}-{} ET", day(from), clock(from), clock(to)),
            )
        }
        Family::UpDown1h => (
            format!("{slug}-up-or-down-{}-{}-et", day_slug(from), hour(from).to_lowercase()),
            format!("{title} Up or Down - {}, {} ET", day(from), hour(from)),
        ),
        Family::AboveHourly => (
            format!("{slug}-above-on-{}-{}-et", day_slug(to), hour(to).to_lowercase()),
            format!("{title} above ___ on {}, {} ET?", day(to), hour(to)),
        ),
        Family::AboveDaily => (format!("{slug}-above-on-{}", day_slug(to)), format!("{title} above ___ on {}?", day(to))),
    }
}

/// Market slug and question; `event` as given by [`event_names`].
pub(crate) fn market_names(
    family: Family,
    asset: &Asset,
    event: (&str, &str),
    strike: Option<i64>,
    end: i64,
) -> (String, String) {
    let Some(strike) = strike else { return (event.0.to_owned(), event.1.to_owned()) };
    let short = if strike % 1_000 == 0 { format!("{}k", strike / 1_000) } else { strike.to_string() };
    let slug = event.0.replacen("-above-on-", &format!("-above-{short}-on-"), 1);
    let said = thousands(strike);
    let question = if family == Family::AboveHourly {
        event.1.replacen("___", &said, 1)
    } else {
        let l = local(end);
        format!("Will the price of {} be above ${said} on {} {}?", asset.title, l.month_name(), l.day)
    };
    (slug, question)
}

/// Prices that the page shows, as text in 0.001.
fn prices(w: &mut Vec<u8>, m: &SimMarket) {
    let first = match m.first_pays {
        Some(true) => 1_000,
        Some(false) => 0,
        None => 500,
    };
    w.text(",\"outcomePrices\":\"[\\\"").trimmed(first, 3).text("\\\", \\\"").trimmed(1_000 - first, 3).text("\\\"]\"");
}

/// Writes the body of one market.
pub(crate) fn body(w: &mut Vec<u8>, event: &SimEvent, m: &SimMarket, asset: &Asset, now: i64) {
    let closed = m.first_pays.is_some();
    let labels = if event.family.is_ladder() { ["Yes", "No"] } else { ["Up", "Down"] };
    let flag = |b: bool| if b { "true" } else { "false" };
    w.text("{\"id\":\"").int(m.id).text("\",\"question\":").json(&m.question);
    w.text(",\"conditionId\":\"").text(&m.native).text("\",\"slug\":\"").text(&m.slug);
    w.text("\",\"resolutionSource\":\"").text(&resolution_source(event.family, &asset.cfg.symbol));
    w.text("\",\"endDate\":\"").iso(event.end).text("\",\"startDate\":\"").iso(event.listed_at);
    w.text("\",\"description\":").json(&rules(event.family, asset));
    w.text(",\"outcomes\":\"[\\\"").text(labels[0]).text("\\\", \\\"").text(labels[1]).text("\\\"]\"");
    prices(w, m);
    w.text(",\"active\":true,\"closed\":")
        .text(flag(closed))
        .text(",\"marketMakerAddress\":\"\",\"createdAt\":\"")
        .iso(event.listed_at);
    w.text("\",\"updatedAt\":\"").iso(now).text("\",\"new\":false,\"featured\":false,\"archived\":false,\"restricted\":true");
    if let Some(strike) = m.strike {
        w.text(",\"groupItemTitle\":\"").text(&thousands(strike)).text("\"");
    }
    w.text(",\"questionID\":\"0x")
        .hex(&crate::ids::digest(&m.native, "question"))
        .text("000000000000000000000000\",\"enableOrderBook\":true");
    w.text(",\"orderPriceMinTickSize\":").trimmed(i64::from(m.tick), 3).text(",\"orderMinSize\":5");
    w.text(",\"clobTokenIds\":\"[\\\"").text(&m.tokens[0]).text("\\\", \\\"").text(&m.tokens[1]).text("\\\"]\"");
    w.text(",\"makerBaseFee\":1000,\"takerBaseFee\":1000,\"acceptingOrders\":")
        .text(flag(!closed))
        .text(",\"negRisk\":false,\"version\":\"v1\"");
    if !event.family.is_ladder() {
        w.text(",\"eventStartTime\":\"").iso(event.start).text("\"");
    }
    if closed {
        w.text(",\"closedTime\":\"").iso(now).text("\",\"umaResolutionStatus\":\"resolved\",\"automaticallyResolved\":true");
    }
    w.text(",\"umaResolutionStatuses\":\"[]\",\"feesEnabled\":true,\"feeType\":\"crypto_fees_v2\",\"feeSchedule\":{\"exponent\":1,\"rate\":0.07,\"takerOnly\":true,\"rebateRate\":0.2}");
    if event.family.is_averaged() {
        let length = if event.family == Family::UpDown5m { "5m" } else { "15m" };
        let lower = asset.cfg.symbol.to_lowercase();
        w.text(",\"cryptoMarketConfig\":{\"id\":\"")
            .text(&lower)
            .text("-")
            .text(length)
            .text("-twap-60\",\"asset\":\"")
            .text(&lower);
        w.text("\",\"duration\":\"").text(length).text("\",\"twapEnabled\":true,\"twapLookbackSeconds\":60}");
    }
    w.text(",\"events\":[{\"slug\":\"").text(&event.slug).text("\",\"title\":").json(&event.title);
    if let Some(px) = event.price_to_beat() {
        w.text(",\"eventMetadata\":{\"priceToBeat\":").trimmed(px, 8).text("}");
    }
    w.text("}]}");
}
