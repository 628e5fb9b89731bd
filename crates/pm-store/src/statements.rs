//! The statements that write. `$n` placeholders mean the same to both databases, and so does `ON CONFLICT`: one text serves both. Columns stand
//! in the order in which [`crate::rows`] gives the values.

/// Writes one row of `markets`.
pub(crate) const MARKETS: &str = "INSERT INTO markets (run_id, market_idx, exchange, market_id, slug, question, token_first, token_second, label_first, \
     label_second, family, underlying, rule, rule_understood, rule_source, currency, tick, min_qty, \
     min_notional, fees, taker_hold_ms, opens_at, closes_at, accepting, neg_risk, version, event_group) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22, $23, $24, $25, $26, $27) \
     ON CONFLICT (run_id, exchange, market_id) DO UPDATE SET market_idx = excluded.market_idx, slug = excluded.slug, question = excluded.question, \
     token_first = excluded.token_first, token_second = excluded.token_second, \
     label_first = excluded.label_first, label_second = excluded.label_second, family = excluded.family, \
     underlying = excluded.underlying, rule = excluded.rule, rule_understood = excluded.rule_understood, \
     rule_source = excluded.rule_source, currency = excluded.currency, tick = excluded.tick, \
     min_qty = excluded.min_qty, min_notional = excluded.min_notional, fees = excluded.fees, \
     taker_hold_ms = excluded.taker_hold_ms, opens_at = excluded.opens_at, \
     closes_at = excluded.closes_at, accepting = excluded.accepting, neg_risk = excluded.neg_risk, \
     version = excluded.version, event_group = excluded.event_group";

/// Writes one row of `instruments`.
pub(crate) const INSTRUMENTS: &str = "INSERT INTO instruments (run_id, instrument_idx, exchange, symbol, kind, underlying, currency, tick, lot, min_qty, \
     min_notional, max_qty, fees, initial_margin, trading) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
     ON CONFLICT (run_id, instrument_idx) DO UPDATE SET exchange = excluded.exchange, symbol = excluded.symbol, kind = excluded.kind, \
     underlying = excluded.underlying, currency = excluded.currency, tick = excluded.tick, \
     lot = excluded.lot, min_qty = excluded.min_qty, min_notional = excluded.min_notional, \
     max_qty = excluded.max_qty, fees = excluded.fees, initial_margin = excluded.initial_margin, \
     trading = excluded.trading";

/// Writes one row of `market_data`.
pub(crate) const MARKET_DATA: &str = "INSERT INTO market_data (run_id, source, market_id, exchange, best_bid, best_ask, bid_volume, ask_volume, timestamp) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Writes one row of `opportunities`.
pub(crate) const OPPORTUNITIES: &str = "INSERT INTO opportunities (run_id, source, opportunity_id, run_seq, market_id, slug, legs, outcome, strategy, class, fair_lo, \
     fair_mid, fair_hi, polymarket_price, bybit_price, spread_bps, gross_edge, net_edge, kelly_fraction, \
     recommended_size, quantity, notional, taker_fee, gas, hedge_cost, slippage, settlement_failure, \
     model_margin, hedge, detected_at, closed_at, updates, executed, structure, position_id, \
     refusal_code, refusal_text, refusal) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38) \
     ON CONFLICT (opportunity_id) DO UPDATE SET run_seq = excluded.run_seq, market_id = excluded.market_id, slug = excluded.slug, \
     legs = excluded.legs, outcome = excluded.outcome, strategy = excluded.strategy, \
     class = excluded.class, fair_lo = excluded.fair_lo, fair_mid = excluded.fair_mid, \
     fair_hi = excluded.fair_hi, polymarket_price = excluded.polymarket_price, \
     bybit_price = excluded.bybit_price, spread_bps = excluded.spread_bps, \
     gross_edge = excluded.gross_edge, net_edge = excluded.net_edge, \
     kelly_fraction = excluded.kelly_fraction, recommended_size = excluded.recommended_size, \
     quantity = excluded.quantity, notional = excluded.notional, taker_fee = excluded.taker_fee, \
     gas = excluded.gas, hedge_cost = excluded.hedge_cost, slippage = excluded.slippage, \
     settlement_failure = excluded.settlement_failure, model_margin = excluded.model_margin, \
     hedge = excluded.hedge, detected_at = excluded.detected_at, closed_at = excluded.closed_at, \
     updates = excluded.updates, executed = excluded.executed, structure = excluded.structure, \
     position_id = excluded.position_id, refusal_code = excluded.refusal_code, \
     refusal_text = excluded.refusal_text, refusal = excluded.refusal";

/// Writes one row of `trades`.
pub(crate) const TRADES: &str = "INSERT INTO trades (run_id, source, trade_id, opportunity_id, run_seq, structure, position_id, market_id, side, size, \
     price, exchange, commission, gas_cost_eth, gas_cost_usd, fiat_fees, gross_pnl, total_fees, net_pnl, \
     status, executed_at, settled_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22) \
     ON CONFLICT (trade_id) DO UPDATE SET opportunity_id = excluded.opportunity_id, run_seq = excluded.run_seq, \
     structure = excluded.structure, position_id = excluded.position_id, market_id = excluded.market_id, \
     side = excluded.side, size = excluded.size, price = excluded.price, exchange = excluded.exchange, \
     commission = excluded.commission, gas_cost_eth = excluded.gas_cost_eth, \
     gas_cost_usd = excluded.gas_cost_usd, fiat_fees = excluded.fiat_fees, \
     gross_pnl = excluded.gross_pnl, total_fees = excluded.total_fees, net_pnl = excluded.net_pnl, \
     status = excluded.status, executed_at = excluded.executed_at, settled_at = excluded.settled_at";

/// Writes one row of `positions`.
pub(crate) const POSITIONS: &str = "INSERT INTO positions (run_id, source, position_id, structure, market_id, polymarket_size, bybit_size, net_exposure, \
     avg_entry_price, unrealized_pnl, realized_pnl, opened_at, closed_at, status) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     ON CONFLICT (position_id) DO UPDATE SET structure = excluded.structure, market_id = excluded.market_id, \
     polymarket_size = excluded.polymarket_size, bybit_size = excluded.bybit_size, \
     net_exposure = excluded.net_exposure, avg_entry_price = excluded.avg_entry_price, \
     unrealized_pnl = excluded.unrealized_pnl, realized_pnl = excluded.realized_pnl, \
     opened_at = excluded.opened_at, closed_at = excluded.closed_at, status = excluded.status";

/// Writes one row of `bankroll`.
pub(crate) const BANKROLL: &str = "INSERT INTO bankroll (run_id, source, timestamp, total_capital, allocated, available, daily_pnl, daily_drawdown, \
     total_trades, win_count, loss_count) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (run_id, timestamp) DO UPDATE SET total_capital = excluded.total_capital, allocated = excluded.allocated, \
     available = excluded.available, daily_pnl = excluded.daily_pnl, \
     daily_drawdown = excluded.daily_drawdown, total_trades = excluded.total_trades, \
     win_count = excluded.win_count, loss_count = excluded.loss_count";

/// Writes one row of `risk_events`.
pub(crate) const RISK_EVENTS: &str = "INSERT INTO risk_events (run_id, source, event_id, run_seq, event_type, severity, description, market_id, position_id, \
     triggered_at, resolved_at, resolution_notes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (event_id) DO UPDATE SET run_seq = excluded.run_seq, event_type = excluded.event_type, severity = excluded.severity, \
     description = excluded.description, market_id = excluded.market_id, \
     position_id = excluded.position_id, triggered_at = excluded.triggered_at, \
     resolved_at = excluded.resolved_at, resolution_notes = excluded.resolution_notes";

/// Writes one row of `fee_schedule`.
pub(crate) const FEE_SCHEDULE: &str = "INSERT INTO fee_schedule (run_id, source, exchange, fee_type, fee_percentage, fixed_fee, currency, effective_from) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (run_id, exchange, fee_type, effective_from) DO UPDATE SET fee_percentage = excluded.fee_percentage, fixed_fee = excluded.fixed_fee, \
     currency = excluded.currency";

/// Writes one row of `api_health`.
pub(crate) const API_HEALTH: &str = "INSERT INTO api_health (run_id, source, exchange, endpoint, latency_ms, success, error_message, checked_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Writes one row of `orders`.
pub(crate) const ORDERS: &str = "INSERT INTO orders (run_id, order_id, intent, structure, position_id, exchange, market_id, target, side, limit_price, \
     quantity, time_in_force, expires_at, purpose, decided_at, state, filled, reason) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
     ON CONFLICT (order_id) DO UPDATE SET intent = excluded.intent, structure = excluded.structure, position_id = excluded.position_id, \
     exchange = excluded.exchange, market_id = excluded.market_id, target = excluded.target, \
     side = excluded.side, limit_price = excluded.limit_price, quantity = excluded.quantity, \
     time_in_force = excluded.time_in_force, expires_at = excluded.expires_at, \
     purpose = excluded.purpose, decided_at = excluded.decided_at, state = excluded.state, \
     filled = excluded.filled, reason = excluded.reason";

/// Writes one row of `order_events`.
pub(crate) const ORDER_EVENTS: &str = "INSERT INTO order_events (run_id, order_id, intent, state, filled, reason, occurred_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (run_id, intent, occurred_at, state, filled) DO NOTHING";

/// Writes one row of `fill_events`.
pub(crate) const FILL_EVENTS: &str = "INSERT INTO fill_events (run_id, fill_id, order_id, intent, price, quantity, fee, state, occurred_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (run_id, fill_id, occurred_at, state) DO NOTHING";

/// Writes one row of `ledger`.
pub(crate) const LEDGER: &str = "INSERT INTO ledger (run_id, seq, occurred_at, debit, credit, asset, amount, cause, structure, position_id, class) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (run_id, seq) DO NOTHING";
