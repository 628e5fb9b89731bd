-- The same views as in SQLite, so that one set of notes works on both.

CREATE VIEW v_runs AS SELECT * FROM runs;
CREATE VIEW v_markets AS SELECT * FROM markets;
CREATE VIEW v_instruments AS SELECT * FROM instruments;
CREATE VIEW v_market_data AS SELECT * FROM market_data;
CREATE VIEW v_opportunities AS SELECT * FROM opportunities;
CREATE VIEW v_trades AS SELECT * FROM trades;
CREATE VIEW v_positions AS SELECT * FROM positions;
CREATE VIEW v_bankroll AS SELECT * FROM bankroll;
CREATE VIEW v_risk_events AS SELECT * FROM risk_events;
CREATE VIEW v_fee_schedule AS SELECT * FROM fee_schedule;
CREATE VIEW v_api_health AS SELECT * FROM api_health;
CREATE VIEW v_orders AS SELECT * FROM orders;
CREATE VIEW v_order_events AS SELECT * FROM order_events;
CREATE VIEW v_fill_events AS SELECT * FROM fill_events;
CREATE VIEW v_ledger AS SELECT * FROM ledger;
