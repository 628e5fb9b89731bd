-- The tables in decimal text and ISO times, for people with an SQLite shell. The program does not read them.

CREATE VIEW v_runs AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000000, 'unixepoch') || printf('.%06dZ', started_at % 1000000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', ended_at / 1000000, 'unixepoch') || printf('.%06dZ', ended_at % 1000000) AS ended_at,
    mode,
    source,
    origin,
    derived,
    seed,
    CASE WHEN bankroll_start < 0 THEN '-' ELSE '' END || abs(bankroll_start / 100000000) || '.' || printf('%08d', abs(bankroll_start % 100000000)) AS bankroll_start,
    build,
    config,
    status,
    decision_hash,
    verdict,
    summary
FROM runs;

CREATE VIEW v_markets AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    market_idx,
    exchange,
    market_id,
    slug,
    question,
    token_first,
    token_second,
    label_first,
    label_second,
    family,
    underlying,
    rule,
    rule_understood,
    rule_source,
    currency,
    CASE WHEN tick < 0 THEN '-' ELSE '' END || abs(tick / 100000000) || '.' || printf('%08d', abs(tick % 100000000)) AS tick,
    CASE WHEN min_qty < 0 THEN '-' ELSE '' END || abs(min_qty / 100000000) || '.' || printf('%08d', abs(min_qty % 100000000)) AS min_qty,
    CASE WHEN min_notional < 0 THEN '-' ELSE '' END || abs(min_notional / 100000000) || '.' || printf('%08d', abs(min_notional % 100000000)) AS min_notional,
    fees,
    taker_hold_ms,
    strftime('%Y-%m-%dT%H:%M:%S', opens_at / 1000000, 'unixepoch') || printf('.%06dZ', opens_at % 1000000) AS opens_at,
    strftime('%Y-%m-%dT%H:%M:%S', closes_at / 1000000, 'unixepoch') || printf('.%06dZ', closes_at % 1000000) AS closes_at,
    accepting,
    neg_risk,
    version,
    event_group
FROM markets;

CREATE VIEW v_instruments AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    instrument_idx,
    exchange,
    symbol,
    kind,
    underlying,
    currency,
    CASE WHEN tick < 0 THEN '-' ELSE '' END || abs(tick / 100000000) || '.' || printf('%08d', abs(tick % 100000000)) AS tick,
    CASE WHEN lot < 0 THEN '-' ELSE '' END || abs(lot / 100000000) || '.' || printf('%08d', abs(lot % 100000000)) AS lot,
    CASE WHEN min_qty < 0 THEN '-' ELSE '' END || abs(min_qty / 100000000) || '.' || printf('%08d', abs(min_qty % 100000000)) AS min_qty,
    CASE WHEN min_notional < 0 THEN '-' ELSE '' END || abs(min_notional / 100000000) || '.' || printf('%08d', abs(min_notional % 100000000)) AS min_notional,
    CASE WHEN max_qty < 0 THEN '-' ELSE '' END || abs(max_qty / 100000000) || '.' || printf('%08d', abs(max_qty % 100000000)) AS max_qty,
    fees,
    CASE WHEN initial_margin < 0 THEN '-' ELSE '' END || abs(initial_margin / 100000000) || '.' || printf('%08d', abs(initial_margin % 100000000)) AS initial_margin,
    trading
FROM instruments;

CREATE VIEW v_market_data AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    market_id,
    exchange,
    CASE WHEN best_bid < 0 THEN '-' ELSE '' END || abs(best_bid / 100000000) || '.' || printf('%08d', abs(best_bid % 100000000)) AS best_bid,
    CASE WHEN best_ask < 0 THEN '-' ELSE '' END || abs(best_ask / 100000000) || '.' || printf('%08d', abs(best_ask % 100000000)) AS best_ask,
    CASE WHEN bid_volume < 0 THEN '-' ELSE '' END || abs(bid_volume / 100000000) || '.' || printf('%08d', abs(bid_volume % 100000000)) AS bid_volume,
    CASE WHEN ask_volume < 0 THEN '-' ELSE '' END || abs(ask_volume / 100000000) || '.' || printf('%08d', abs(ask_volume % 100000000)) AS ask_volume,
    strftime('%Y-%m-%dT%H:%M:%S', timestamp / 1000000, 'unixepoch') || printf('.%06dZ', timestamp % 1000000) AS timestamp
FROM market_data;

CREATE VIEW v_opportunities AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    CASE WHEN opportunity_id IS NOT NULL THEN lower(substr(hex(opportunity_id), 1, 8) || '-' || substr(hex(opportunity_id), 9, 4) || '-' || substr(hex(opportunity_id), 13, 4) || '-' || substr(hex(opportunity_id), 17, 4) || '-' || substr(hex(opportunity_id), 21)) END AS opportunity_id,
    run_seq,
    market_id,
    slug,
    legs,
    outcome,
    strategy,
    class,
    CASE WHEN fair_lo < 0 THEN '-' ELSE '' END || abs(fair_lo / 100000000) || '.' || printf('%08d', abs(fair_lo % 100000000)) AS fair_lo,
    CASE WHEN fair_mid < 0 THEN '-' ELSE '' END || abs(fair_mid / 100000000) || '.' || printf('%08d', abs(fair_mid % 100000000)) AS fair_mid,
    CASE WHEN fair_hi < 0 THEN '-' ELSE '' END || abs(fair_hi / 100000000) || '.' || printf('%08d', abs(fair_hi % 100000000)) AS fair_hi,
    CASE WHEN polymarket_price < 0 THEN '-' ELSE '' END || abs(polymarket_price / 100000000) || '.' || printf('%08d', abs(polymarket_price % 100000000)) AS polymarket_price,
    CASE WHEN bybit_price < 0 THEN '-' ELSE '' END || abs(bybit_price / 100000000) || '.' || printf('%08d', abs(bybit_price % 100000000)) AS bybit_price,
    CASE WHEN spread_bps < 0 THEN '-' ELSE '' END || abs(spread_bps / 10000) || '.' || printf('%04d', abs(spread_bps % 10000)) AS spread_bps,
    CASE WHEN gross_edge < 0 THEN '-' ELSE '' END || abs(gross_edge / 100000000) || '.' || printf('%08d', abs(gross_edge % 100000000)) AS gross_edge,
    CASE WHEN net_edge < 0 THEN '-' ELSE '' END || abs(net_edge / 100000000) || '.' || printf('%08d', abs(net_edge % 100000000)) AS net_edge,
    CASE WHEN kelly_fraction < 0 THEN '-' ELSE '' END || abs(kelly_fraction / 100000000) || '.' || printf('%08d', abs(kelly_fraction % 100000000)) AS kelly_fraction,
    CASE WHEN recommended_size < 0 THEN '-' ELSE '' END || abs(recommended_size / 100000000) || '.' || printf('%08d', abs(recommended_size % 100000000)) AS recommended_size,
    CASE WHEN quantity < 0 THEN '-' ELSE '' END || abs(quantity / 100000000) || '.' || printf('%08d', abs(quantity % 100000000)) AS quantity,
    CASE WHEN notional < 0 THEN '-' ELSE '' END || abs(notional / 100000000) || '.' || printf('%08d', abs(notional % 100000000)) AS notional,
    CASE WHEN taker_fee < 0 THEN '-' ELSE '' END || abs(taker_fee / 100000000) || '.' || printf('%08d', abs(taker_fee % 100000000)) AS taker_fee,
    CASE WHEN gas < 0 THEN '-' ELSE '' END || abs(gas / 100000000) || '.' || printf('%08d', abs(gas % 100000000)) AS gas,
    CASE WHEN hedge_cost < 0 THEN '-' ELSE '' END || abs(hedge_cost / 100000000) || '.' || printf('%08d', abs(hedge_cost % 100000000)) AS hedge_cost,
    CASE WHEN slippage < 0 THEN '-' ELSE '' END || abs(slippage / 100000000) || '.' || printf('%08d', abs(slippage % 100000000)) AS slippage,
    CASE WHEN settlement_failure < 0 THEN '-' ELSE '' END || abs(settlement_failure / 100000000) || '.' || printf('%08d', abs(settlement_failure % 100000000)) AS settlement_failure,
    CASE WHEN model_margin < 0 THEN '-' ELSE '' END || abs(model_margin / 100000000) || '.' || printf('%08d', abs(model_margin % 100000000)) AS model_margin,
    hedge,
    strftime('%Y-%m-%dT%H:%M:%S', detected_at / 1000000, 'unixepoch') || printf('.%06dZ', detected_at % 1000000) AS detected_at,
    strftime('%Y-%m-%dT%H:%M:%S', closed_at / 1000000, 'unixepoch') || printf('.%06dZ', closed_at % 1000000) AS closed_at,
    updates,
    executed,
    structure,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    refusal_code,
    refusal_text,
    refusal
FROM opportunities;

CREATE VIEW v_trades AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    CASE WHEN trade_id IS NOT NULL THEN lower(substr(hex(trade_id), 1, 8) || '-' || substr(hex(trade_id), 9, 4) || '-' || substr(hex(trade_id), 13, 4) || '-' || substr(hex(trade_id), 17, 4) || '-' || substr(hex(trade_id), 21)) END AS trade_id,
    CASE WHEN opportunity_id IS NOT NULL THEN lower(substr(hex(opportunity_id), 1, 8) || '-' || substr(hex(opportunity_id), 9, 4) || '-' || substr(hex(opportunity_id), 13, 4) || '-' || substr(hex(opportunity_id), 17, 4) || '-' || substr(hex(opportunity_id), 21)) END AS opportunity_id,
    run_seq,
    structure,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    market_id,
    side,
    CASE WHEN size < 0 THEN '-' ELSE '' END || abs(size / 100000000) || '.' || printf('%08d', abs(size % 100000000)) AS size,
    CASE WHEN price < 0 THEN '-' ELSE '' END || abs(price / 100000000) || '.' || printf('%08d', abs(price % 100000000)) AS price,
    exchange,
    CASE WHEN commission < 0 THEN '-' ELSE '' END || abs(commission / 100000000) || '.' || printf('%08d', abs(commission % 100000000)) AS commission,
    CASE WHEN gas_cost_eth < 0 THEN '-' ELSE '' END || abs(gas_cost_eth / 100000000) || '.' || printf('%08d', abs(gas_cost_eth % 100000000)) AS gas_cost_eth,
    CASE WHEN gas_cost_usd < 0 THEN '-' ELSE '' END || abs(gas_cost_usd / 100000000) || '.' || printf('%08d', abs(gas_cost_usd % 100000000)) AS gas_cost_usd,
    CASE WHEN fiat_fees < 0 THEN '-' ELSE '' END || abs(fiat_fees / 100000000) || '.' || printf('%08d', abs(fiat_fees % 100000000)) AS fiat_fees,
    CASE WHEN gross_pnl < 0 THEN '-' ELSE '' END || abs(gross_pnl / 100000000) || '.' || printf('%08d', abs(gross_pnl % 100000000)) AS gross_pnl,
    CASE WHEN total_fees < 0 THEN '-' ELSE '' END || abs(total_fees / 100000000) || '.' || printf('%08d', abs(total_fees % 100000000)) AS total_fees,
    CASE WHEN net_pnl < 0 THEN '-' ELSE '' END || abs(net_pnl / 100000000) || '.' || printf('%08d', abs(net_pnl % 100000000)) AS net_pnl,
    status,
    strftime('%Y-%m-%dT%H:%M:%S', executed_at / 1000000, 'unixepoch') || printf('.%06dZ', executed_at % 1000000) AS executed_at,
    strftime('%Y-%m-%dT%H:%M:%S', settled_at / 1000000, 'unixepoch') || printf('.%06dZ', settled_at % 1000000) AS settled_at
FROM trades;

CREATE VIEW v_positions AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    structure,
    market_id,
    CASE WHEN polymarket_size < 0 THEN '-' ELSE '' END || abs(polymarket_size / 100000000) || '.' || printf('%08d', abs(polymarket_size % 100000000)) AS polymarket_size,
    CASE WHEN bybit_size < 0 THEN '-' ELSE '' END || abs(bybit_size / 100000000) || '.' || printf('%08d', abs(bybit_size % 100000000)) AS bybit_size,
    CASE WHEN net_exposure < 0 THEN '-' ELSE '' END || abs(net_exposure / 100000000) || '.' || printf('%08d', abs(net_exposure % 100000000)) AS net_exposure,
    CASE WHEN avg_entry_price < 0 THEN '-' ELSE '' END || abs(avg_entry_price / 100000000) || '.' || printf('%08d', abs(avg_entry_price % 100000000)) AS avg_entry_price,
    CASE WHEN unrealized_pnl < 0 THEN '-' ELSE '' END || abs(unrealized_pnl / 100000000) || '.' || printf('%08d', abs(unrealized_pnl % 100000000)) AS unrealized_pnl,
    CASE WHEN realized_pnl < 0 THEN '-' ELSE '' END || abs(realized_pnl / 100000000) || '.' || printf('%08d', abs(realized_pnl % 100000000)) AS realized_pnl,
    strftime('%Y-%m-%dT%H:%M:%S', opened_at / 1000000, 'unixepoch') || printf('.%06dZ', opened_at % 1000000) AS opened_at,
    strftime('%Y-%m-%dT%H:%M:%S', closed_at / 1000000, 'unixepoch') || printf('.%06dZ', closed_at % 1000000) AS closed_at,
    status
FROM positions;

CREATE VIEW v_bankroll AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    strftime('%Y-%m-%dT%H:%M:%S', timestamp / 1000000, 'unixepoch') || printf('.%06dZ', timestamp % 1000000) AS timestamp,
    CASE WHEN total_capital < 0 THEN '-' ELSE '' END || abs(total_capital / 100000000) || '.' || printf('%08d', abs(total_capital % 100000000)) AS total_capital,
    CASE WHEN allocated < 0 THEN '-' ELSE '' END || abs(allocated / 100000000) || '.' || printf('%08d', abs(allocated % 100000000)) AS allocated,
    CASE WHEN available < 0 THEN '-' ELSE '' END || abs(available / 100000000) || '.' || printf('%08d', abs(available % 100000000)) AS available,
    CASE WHEN daily_pnl < 0 THEN '-' ELSE '' END || abs(daily_pnl / 100000000) || '.' || printf('%08d', abs(daily_pnl % 100000000)) AS daily_pnl,
    CASE WHEN daily_drawdown < 0 THEN '-' ELSE '' END || abs(daily_drawdown / 100000000) || '.' || printf('%08d', abs(daily_drawdown % 100000000)) AS daily_drawdown,
    total_trades,
    win_count,
    loss_count
FROM bankroll;

CREATE VIEW v_risk_events AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    CASE WHEN event_id IS NOT NULL THEN lower(substr(hex(event_id), 1, 8) || '-' || substr(hex(event_id), 9, 4) || '-' || substr(hex(event_id), 13, 4) || '-' || substr(hex(event_id), 17, 4) || '-' || substr(hex(event_id), 21)) END AS event_id,
    run_seq,
    event_type,
    severity,
    description,
    market_id,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    strftime('%Y-%m-%dT%H:%M:%S', triggered_at / 1000000, 'unixepoch') || printf('.%06dZ', triggered_at % 1000000) AS triggered_at,
    strftime('%Y-%m-%dT%H:%M:%S', resolved_at / 1000000, 'unixepoch') || printf('.%06dZ', resolved_at % 1000000) AS resolved_at,
    resolution_notes
FROM risk_events;

CREATE VIEW v_fee_schedule AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    exchange,
    fee_type,
    CASE WHEN fee_percentage < 0 THEN '-' ELSE '' END || abs(fee_percentage / 1000000) || '.' || printf('%06d', abs(fee_percentage % 1000000)) AS fee_percentage,
    CASE WHEN fixed_fee < 0 THEN '-' ELSE '' END || abs(fixed_fee / 100000000) || '.' || printf('%08d', abs(fixed_fee % 100000000)) AS fixed_fee,
    currency,
    strftime('%Y-%m-%dT%H:%M:%S', effective_from / 1000000, 'unixepoch') || printf('.%06dZ', effective_from % 1000000) AS effective_from
FROM fee_schedule;

CREATE VIEW v_api_health AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    source,
    exchange,
    endpoint,
    latency_ms,
    success,
    error_message,
    strftime('%Y-%m-%dT%H:%M:%S', checked_at / 1000000, 'unixepoch') || printf('.%06dZ', checked_at % 1000000) AS checked_at
FROM api_health;

CREATE VIEW v_orders AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    CASE WHEN order_id IS NOT NULL THEN lower(substr(hex(order_id), 1, 8) || '-' || substr(hex(order_id), 9, 4) || '-' || substr(hex(order_id), 13, 4) || '-' || substr(hex(order_id), 17, 4) || '-' || substr(hex(order_id), 21)) END AS order_id,
    intent,
    structure,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    exchange,
    market_id,
    target,
    side,
    CASE WHEN limit_price < 0 THEN '-' ELSE '' END || abs(limit_price / 100000000) || '.' || printf('%08d', abs(limit_price % 100000000)) AS limit_price,
    CASE WHEN quantity < 0 THEN '-' ELSE '' END || abs(quantity / 100000000) || '.' || printf('%08d', abs(quantity % 100000000)) AS quantity,
    time_in_force,
    strftime('%Y-%m-%dT%H:%M:%S', expires_at / 1000000, 'unixepoch') || printf('.%06dZ', expires_at % 1000000) AS expires_at,
    purpose,
    strftime('%Y-%m-%dT%H:%M:%S', decided_at / 1000000, 'unixepoch') || printf('.%06dZ', decided_at % 1000000) AS decided_at,
    state,
    CASE WHEN filled < 0 THEN '-' ELSE '' END || abs(filled / 100000000) || '.' || printf('%08d', abs(filled % 100000000)) AS filled,
    reason
FROM orders;

CREATE VIEW v_order_events AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    CASE WHEN order_id IS NOT NULL THEN lower(substr(hex(order_id), 1, 8) || '-' || substr(hex(order_id), 9, 4) || '-' || substr(hex(order_id), 13, 4) || '-' || substr(hex(order_id), 17, 4) || '-' || substr(hex(order_id), 21)) END AS order_id,
    intent,
    state,
    CASE WHEN filled < 0 THEN '-' ELSE '' END || abs(filled / 100000000) || '.' || printf('%08d', abs(filled % 100000000)) AS filled,
    reason,
    strftime('%Y-%m-%dT%H:%M:%S', occurred_at / 1000000, 'unixepoch') || printf('.%06dZ', occurred_at % 1000000) AS occurred_at
FROM order_events;

CREATE VIEW v_fill_events AS
SELECT
    id,
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    CASE WHEN fill_id IS NOT NULL THEN lower(substr(hex(fill_id), 1, 8) || '-' || substr(hex(fill_id), 9, 4) || '-' || substr(hex(fill_id), 13, 4) || '-' || substr(hex(fill_id), 17, 4) || '-' || substr(hex(fill_id), 21)) END AS fill_id,
    CASE WHEN order_id IS NOT NULL THEN lower(substr(hex(order_id), 1, 8) || '-' || substr(hex(order_id), 9, 4) || '-' || substr(hex(order_id), 13, 4) || '-' || substr(hex(order_id), 17, 4) || '-' || substr(hex(order_id), 21)) END AS order_id,
    intent,
    CASE WHEN price < 0 THEN '-' ELSE '' END || abs(price / 100000000) || '.' || printf('%08d', abs(price % 100000000)) AS price,
    CASE WHEN quantity < 0 THEN '-' ELSE '' END || abs(quantity / 100000000) || '.' || printf('%08d', abs(quantity % 100000000)) AS quantity,
    CASE WHEN fee < 0 THEN '-' ELSE '' END || abs(fee / 100000000) || '.' || printf('%08d', abs(fee % 100000000)) AS fee,
    state,
    strftime('%Y-%m-%dT%H:%M:%S', occurred_at / 1000000, 'unixepoch') || printf('.%06dZ', occurred_at % 1000000) AS occurred_at
FROM fill_events;

CREATE VIEW v_ledger AS
SELECT
    CASE WHEN run_id IS NOT NULL THEN lower(substr(hex(run_id), 1, 8) || '-' || substr(hex(run_id), 9, 4) || '-' || substr(hex(run_id), 13, 4) || '-' || substr(hex(run_id), 17, 4) || '-' || substr(hex(run_id), 21)) END AS run_id,
    seq,
    strftime('%Y-%m-%dT%H:%M:%S', occurred_at / 1000000, 'unixepoch') || printf('.%06dZ', occurred_at % 1000000) AS occurred_at,
    debit,
    credit,
    asset,
    CASE WHEN amount < 0 THEN '-' ELSE '' END || abs(amount / 100000000) || '.' || printf('%08d', abs(amount % 100000000)) AS amount,
    cause,
    structure,
    CASE WHEN position_id IS NOT NULL THEN lower(substr(hex(position_id), 1, 8) || '-' || substr(hex(position_id), 9, 4) || '-' || substr(hex(position_id), 13, 4) || '-' || substr(hex(position_id), 17, 4) || '-' || substr(hex(position_id), 21)) END AS position_id,
    class
FROM ledger;
