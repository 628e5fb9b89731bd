//! Known answers of the venue's official clients, compared field by field with our typed models: money by value, times by instant, `null`
//! equal to absent and to `""`. `PM_VECTORS` names another file of the same form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use pm_core::fees::{FeeSchedule, Liquidity};
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_polymarket::gamma::{GammaMarket, GammaOutcome};
use pm_polymarket::hash::{RawBook, book_hash, preimage};
use pm_polymarket::live::{LiveMessage, PriceFrame};
use pm_polymarket::rtds::{RtdsPrice, Topic};
use pm_polymarket::text::{decimal, instant};
use pm_polymarket::wire::{self, EventMessage, Message};
use pm_polymarket::{fees, live, oracle, rtds};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Cases that carry a `note` and differ on purpose: name, reason. A case that is not listed here must agree.
const DIFFERENT: &[(&str, &str)] = &[];

/// Expected fields that describe other clients' float arithmetic, which this program does not have.
const NOT_HELD: &[&str] = &["py_clob_client_v2", "pmquant_fee_float", "error_type", "not_json_ignored"];

#[test]
fn vectors() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/polymarket.json");
    let cases = read(&std::env::var("PM_VECTORS").unwrap_or_else(|_| own.to_owned()));
    let (mut tally, mut failed) = (BTreeMap::<String, [usize; 2]>::new(), Vec::new());
    let mut ignored = 0;
    for case in cases.as_array().expect("an array of cases") {
        let (name, kind) = (case["name"].as_str().unwrap_or("?"), case["kind"].as_str().unwrap_or("?"));
        let check: fn(&Value, &Value) -> Result<(), String> = match kind {
            "market_event_parse" => market_event,
            "rtds_event_parse" => rtds_event,
            "realtime_price_parse" => realtime_price,
            "orderbook_hash" => orderbook_hash,
            "fee_estimate" => fee_estimate,
            "gamma_market_parse" => gamma_market,
            _ => {
                ignored += 1;
                continue;
            }
        };
        let entry = tally.entry(kind.to_owned()).or_default();
        match check(&case["input"], &case["expected"]) {
            Ok(()) => entry[0] += 1,
            Err(_) if case.get("note").is_some() && DIFFERENT.iter().any(|(n, _)| *n == name) => entry[1] += 1,
            Err(why) => failed.push(format!("{name}: {why}")),
        }
    }
    for (kind, [passed, different]) in &tally {
        println!("{kind}: {passed} passed, {different} listed as different");
    }
    for (name, why) in DIFFERENT {
        println!("different on purpose: {name}: {why}");
    }
    println!("other kinds ignored: {ignored}");
    assert!(!tally.is_empty(), "no case of a kind that this crate decodes");
    assert!(failed.is_empty(), "{} cases differ:\n{}", failed.len(), failed.join("\n"));
}

/// Hashes of books captured from production and of the official clients' tests, and fees charged on chain.
#[test]
fn published_book_hashes_and_chain_fees() {
    let all = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/published.json"));
    let mut hashes = 0;
    for case in all["orderbook_hash"]["cases"].as_array().unwrap() {
        let book = case["book"].to_string();
        let book: RawBook<'_> = serde_json::from_str(&book).unwrap();
        assert_eq!(book_hash(&book), case["sha1"].as_str().unwrap(), "{}", case["name"]);
        hashes += 1;
    }
    let mut charged = 0;
    for case in all["fees"]["onchain_taker_fees"]["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let shares = if text("side") == "BUY" { text("taker_amount_filled") } else { text("maker_amount_filled") };
        let shares = Decimal::new(shares.parse().unwrap(), 6);
        let fee = schedule(text("fee_rate"), "1").fee(Liquidity::Taker, text("price").parse().unwrap(), qty(shares), None);
        assert_eq!(fee.to_decimal(), Decimal::new(text("fee").parse().unwrap(), 6), "{case}");
        charged += 1;
    }
    println!("{hashes} book hashes, {charged} fees charged on chain");
    assert!(hashes >= 6 && charged >= 21);
}

fn read(path: &str) -> Value {
    let beside_root = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).or_else(|_| std::fs::read_to_string(beside_root));
    serde_json::from_str(&text.unwrap_or_else(|e| panic!("{path}: {e}"))).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every field that is expected must be there and be the same.
fn same(at: &str, expected: &Value, ours: &Value) -> Result<(), String> {
    let empty = |v: &Value| v.is_null() || v.as_str().is_some_and(str::is_empty);
    match (expected, ours) {
        (e, o) if empty(e) && empty(o) => Ok(()),
        (Value::Object(e), Value::Object(o)) => e
            .iter()
            .filter(|(key, _)| !NOT_HELD.contains(&key.as_str()))
            .try_for_each(|(key, e)| same(&format!("{at}.{key}"), e, o.get(key).unwrap_or(&Value::Null))),
        (Value::Array(e), Value::Array(o)) if e.len() == o.len() => {
            e.iter().zip(o).enumerate().try_for_each(|(i, (e, o))| same(&format!("{at}[{i}]"), e, o))
        }
        (e, o) if scalar(e) == scalar(o) || close(e, o) => Ok(()),
        (e, o) => Err(format!("{at}: expected {e}, got {o}")),
    }
}

/// Instants by time, numbers by value, else text.
fn scalar(v: &Value) -> String {
    let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    if text.contains('T') && text.ends_with('Z') {
        return instant(&text).map_or(text, |t| t.to_string());
    }
    decimal(&text).map_or(text, |d| d.normalize().to_string())
}

/// Quotients of 28 digits may differ in the last ones: 1e-20 relative.
fn close(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_str().and_then(decimal), b.as_str().and_then(decimal)) else { return false };
    (a - b).abs() <= a.abs() * Decimal::new(1, 20)
}

fn time(ts: Option<Ts>) -> Value {
    ts.map_or(Value::Null, |t| Value::String(t.to_string()))
}

fn text<T: ToString>(v: Option<T>) -> Value {
    v.map_or(Value::Null, |v| Value::String(v.to_string()))
}

const fn side(s: Side) -> &'static str {
    match s {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

// ---- market socket

fn market_event(input: &Value, expected: &Value) -> Result<(), String> {
    let frame = wire::frame(input["frame"].as_str().ok_or("no frame")?);
    let (mut events, mut dropped) = (Vec::new(), 0);
    for message in &frame.messages {
        match message {
            Ok(Message::Unknown(_)) | Err(_) => dropped += 1,
            Ok(message) => events.push(market_message(message)),
        }
    }
    same("$", expected, &json!({"heartbeat": frame.heartbeat, "events": events, "dropped": dropped}))
}

fn levels(levels: &[pm_core::book::Level]) -> Vec<Value> {
    levels.iter().map(|l| json!({"price": l.px.to_string(), "size": l.qty.to_string()})).collect()
}

fn event_message(e: &Option<EventMessage>) -> Value {
    e.as_ref().map_or(
        Value::Null,
        |e| json!({"id": e.id, "ticker": e.ticker, "slug": e.slug, "title": e.title, "description": e.description}),
    )
}

fn market_message(message: &Message<'_>) -> Value {
    let (kind, payload) = match message {
        Message::Book(m) => (
            "book",
            json!({"condition_id": m.market, "market": m.market, "asset_id": m.asset_id, "token_id": m.asset_id, "bids": levels(&m.bids),
                "asks": levels(&m.asks), "hash": m.hash, "timestamp": time(m.timestamp), "min_order_size": text(m.min_order_size),
                "tick_size": text(m.tick_size), "neg_risk": m.neg_risk, "last_trade_price": text(m.last_trade_price)}),
        ),
        Message::PriceChange(m) => {
            let change = |c: &wire::Change<'_>| {
                json!({"asset_id": c.asset_id, "token_id": c.asset_id, "price": c.price.to_string(), "size": c.size.to_string(),
                    "side": side(c.side), "hash": c.hash, "best_bid": text(c.best_bid), "best_ask": text(c.best_ask)})
            };
            let changes: Vec<Value> = m.changes.iter().map(change).collect();
            (
                "price_change",
                json!({"condition_id": m.market, "market": m.market, "price_changes": changes, "timestamp": time(m.timestamp)}),
            )
        }
        Message::TickSize(m) => (
            "tick_size_change",
            json!({"condition_id": m.market, "market": m.market, "asset_id": m.asset_id, "token_id": m.asset_id,
                "old_tick_size": text(m.old_tick_size), "new_tick_size": m.new_tick_size.to_string(), "timestamp": time(m.timestamp)}),
        ),
        Message::LastTrade(m) => (
            "last_trade_price",
            json!({"condition_id": m.market, "market": m.market, "asset_id": m.asset_id, "token_id": m.asset_id, "price": m.price.to_string(),
                "size": text(m.size), "side": side(m.side), "fee_rate_bps": text(m.fee_rate_bps), "transaction_hash": m.transaction_hash,
                "timestamp": time(m.timestamp)}),
        ),
        Message::BestBidAsk(m) => (
            "best_bid_ask",
            json!({"condition_id": m.market, "market": m.market, "asset_id": m.asset_id, "token_id": m.asset_id, "best_bid": text(m.best_bid),
                "best_ask": text(m.best_ask), "spread": text(m.spread), "timestamp": time(m.timestamp)}),
        ),
        Message::NewMarket(m) => (
            "new_market",
            json!({"id": m.id, "condition_id": m.market, "market": m.market, "question": m.question, "slug": m.slug,
                "description": m.description, "asset_ids": m.asset_ids, "token_ids": m.asset_ids, "outcomes": m.outcomes,
                "event_message": event_message(&m.event_message), "timestamp": time(m.timestamp), "tags": m.tags, "active": m.active,
                "clob_token_ids": m.clob_token_ids, "sports_market_type": m.sports_market_type, "line": m.line,
                "game_start_time": m.game_start_time, "order_price_min_tick_size": text(m.order_price_min_tick_size),
                "group_item_title": m.group_item_title, "taker_base_fee": text(m.taker_base_fee), "fees_enabled": m.fees_enabled,
                "fee_schedule": m.fee_schedule.as_ref().map(|(e, r)| json!({"exponent": e, "rate": r}))}),
        ),
        Message::Resolved(m) => (
            "market_resolved",
            json!({"id": m.id, "condition_id": m.market, "market": m.market, "asset_ids": m.asset_ids, "token_ids": m.asset_ids,
                "winning_asset_id": m.winning_asset_id, "winning_token_id": m.winning_asset_id, "winning_outcome": m.winning_outcome,
                "event_message": event_message(&m.event_message), "timestamp": time(m.timestamp), "tags": m.tags}),
        ),
        Message::Unknown(_) => ("unknown", Value::Null),
    };
    json!({"topic": "market", "type": kind, "payload": payload})
}

// ---- price sockets

fn rtds_event(input: &Value, expected: &Value) -> Result<(), String> {
    // Histories are read by us and dropped by the official client.
    let ours = match rtds::parse(input["frame"].as_str().ok_or("no frame")?) {
        Ok(Some(price)) if !price.snapshot => json!({"event": rtds_price(&price)}),
        _ => json!({"dropped": true}),
    };
    same("$", expected, &ours)
}

fn rtds_price(p: &RtdsPrice) -> Value {
    let topic = match p.topic {
        Topic::Exchange => "prices.crypto.binance",
        Topic::Oracle => "prices.crypto.chainlink",
        Topic::Mean30 | Topic::Mean60 => "prices.crypto.chainlink.twap",
        Topic::Equity => "prices.equity.pyth",
    };
    let point = p.points.first();
    json!({"topic": topic, "type": "update", "timestamp": time(p.at), "payload": {
        "symbol": p.symbol, "timestamp": point.map(|x| x.at.millis()), "value": text(point.and_then(|x| x.decimal())),
        "window_seconds": p.window_seconds, "received_at": p.received_at.map(Ts::millis), "is_carried_forward": p.is_carried_forward}})
}

fn realtime_price(input: &Value, expected: &Value) -> Result<(), String> {
    let event = match live::parse(input["frame"].as_str().ok_or("no frame")?) {
        Ok(LiveMessage::Price(frame)) => live_price(&frame),
        _ => Value::Null,
    };
    same("$", expected, &json!({"event": event}))
}

fn live_price(f: &PriceFrame) -> Value {
    let point = |p: &oracle::Point| json!({"timestamp": time(Some(p.at)), "value": text(p.decimal())});
    let mut payload = if f.snapshot {
        json!({"data": f.points.iter().map(point).collect::<Vec<_>>()})
    } else {
        f.points.first().map_or(Value::Null, point)
    };
    payload["symbol"] = json!(f.symbol);
    payload["source"] = json!(f.source);
    payload["window_seconds"] = json!(f.window_seconds);
    payload["received_at"] = time(f.received_at);
    payload["is_carried_forward"] = json!(f.is_carried_forward);
    json!({"timestamp": time(Some(f.at)), "seq": f.seq, "dropped": f.dropped, "topic": f.channel.replacen("price.", "prices.", 1),
        "type": if f.snapshot { "subscribe" } else { "update" }, "payload": payload})
}

// ---- book hash

fn orderbook_hash(input: &Value, expected: &Value) -> Result<(), String> {
    let json = input["book"].to_string();
    let book: RawBook<'_> = serde_json::from_str(&json).map_err(|e| e.to_string())?;
    same("$", expected, &json!({"sha1": book_hash(&book), "preimage": preimage(&book)}))
}

// ---- fees

fn qty(d: Decimal) -> Qty {
    Qty::from_decimal(d).unwrap()
}

fn schedule(rate: &str, exponent: &str) -> FeeSchedule {
    FeeSchedule::Curve {
        rate: rate.parse().unwrap(),
        exponent: exponent.parse().unwrap(),
        taker_only: true,
        maker_rebate: Ratio::ZERO,
    }
}

fn fee_estimate(input: &Value, expected: &Value) -> Result<(), String> {
    let field = |key: &str| input[key].as_str().ok_or_else(|| format!("{key} is missing"));
    let num = |key: &str| field(key).and_then(|t| decimal(t).ok_or_else(|| format!("{key} is not a number")));
    let (rate, exponent, price, shares, builder) =
        (num("rate")?, num("exponent")?, num("price")?, num("shares")?, num("builder_taker_rate")?);
    let platform = fees::platform_fee_exact(rate, exponent, price, shares).ok_or("no platform fee")?;
    let amount = price * shares;
    let total = amount + platform + amount * builder;
    let adjusted = |max: Decimal| fees::adjust_buy_amount_for_fees(amount, price, max, rate, exponent, builder);
    let mut ours = json!({
        "amount_usdc": amount.to_string(),
        "effective_rate_per_share": text(fees::effective_rate(rate, exponent, price)),
        "platform_fee_usdc": platform.to_string(),
        "builder_fee_usdc": (amount * builder).to_string(),
        "total_cost_usdc": total.to_string(),
        "adjusted_amount_when_max_spend_is_amount": text(adjusted(amount)),
        "adjusted_amount_when_max_spend_is_total_plus_1": text(adjusted(total + Decimal::ONE)),
    });
    if let Ok(max) = num("max_spend") {
        ours["adjusted_amount"] = text(adjusted(max));
    }
    same("$", expected, &ours)?;
    // What is charged is the estimate cut to 5 decimals.
    let charged = schedule(field("rate")?, field("exponent")?).fee(
        Liquidity::Taker,
        Px::from_decimal(price).map_err(|e| e.to_string())?,
        qty(shares),
        None,
    );
    let cut = platform.trunc_with_scale(5);
    if charged == Usd::from_decimal(cut).unwrap() { Ok(()) } else { Err(format!("charged {charged}, estimate cut {cut}")) }
}

// ---- Gamma

fn gamma_market(input: &Value, expected: &Value) -> Result<(), String> {
    match GammaMarket::parse(&input["market"].to_string()) {
        Ok(market) => same("$", expected, &json!({"market": gamma_json(&market)})),
        Err(_) if expected.get("error").is_some() => Ok(()),
        Err(e) => Err(e.to_string()),
    }
}

fn outcome(o: &GammaOutcome) -> Value {
    json!({"label": o.label, "token_id": o.token_id, "position_id": o.position_id, "price": text(o.price)})
}

fn gamma_json(m: &GammaMarket) -> Value {
    let (s, x, p, t, r, w, g) = (&m.state, &m.metrics, &m.prices, &m.trading, &m.resolution, &m.rewards, &m.sports);
    json!({
        "id": m.id, "version": m.version, "slug": m.slug, "condition_id": m.condition_id, "question": m.question,
        "group_item_title": m.group_item_title, "description": m.description, "category": m.category, "image": m.image, "icon": m.icon,
        "state": {"active": s.active, "closed": s.closed, "archived": s.archived, "combo_status": s.combo_status,
            "accepting_orders": s.accepting_orders, "enable_order_book": s.enable_order_book, "neg_risk": s.neg_risk,
            "start_date": time(s.start_date), "end_date": time(s.end_date), "closed_time": time(s.closed_time)},
        "outcomes": {"yes": outcome(&m.outcomes[0]), "no": outcome(&m.outcomes[1])},
        "metrics": {"volume": text(x.volume), "volume_num": text(x.volume_num), "volume_24hr": text(x.volume_24hr),
            "volume_1wk": text(x.volume_1wk), "volume_1mo": text(x.volume_1mo), "volume_1yr": text(x.volume_1yr),
            "volume_amm": text(x.volume_amm), "volume_clob": text(x.volume_clob), "liquidity": text(x.liquidity),
            "liquidity_num": text(x.liquidity_num), "liquidity_clob": text(x.liquidity_clob)},
        "prices": {"best_bid": text(p.best_bid), "best_ask": text(p.best_ask), "last_trade_price": text(p.last_trade_price),
            "spread": text(p.spread), "one_hour_price_change": text(p.one_hour_price_change),
            "one_day_price_change": text(p.one_day_price_change), "one_week_price_change": text(p.one_week_price_change),
            "one_month_price_change": text(p.one_month_price_change), "one_year_price_change": text(p.one_year_price_change)},
        "trading": {"minimum_order_size": text(t.minimum_order_size), "minimum_tick_size": text(t.minimum_tick_size),
            "seconds_delay": t.seconds_delay, "fees_enabled": t.fees_enabled, "fee_type": t.fee_type,
            "fee_schedule": t.fee_schedule.as_ref().map(|f| json!({"exponent": text(f.exponent), "rate": text(f.rate),
                "taker_only": f.taker_only, "rebate_rate": text(f.rebate_rate)}))},
        "resolution": {"onchain_event_id": r.onchain_event_id, "request_id": r.request_id, "resolution_status": r.resolution_status,
            "question_id": r.question_id, "neg_risk_request_id": r.neg_risk_request_id, "uma_resolution_status": r.uma_resolution_status,
            "source": r.source, "resolved_by": r.resolved_by},
        "rewards": {"clob_rewards": w.clob_rewards, "rewards_min_size": text(w.rewards_min_size),
            "rewards_max_spread": text(w.rewards_max_spread), "holding_rewards_enabled": w.holding_rewards_enabled},
        "sports": {"sports_market_type": g.sports_market_type, "line": text(g.line), "game_id": g.game_id,
            "game_start_time": time(g.game_start_time)},
        "events": m.events.iter().map(|e| json!({"id": e.reference.id, "slug": e.reference.slug, "title": e.reference.title})).collect::<Vec<_>>(),
        "tags": m.tags.iter().map(|t| json!({"id": t.id, "slug": t.slug, "label": t.title})).collect::<Vec<_>>(),
    })
}
