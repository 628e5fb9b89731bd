-- pmbot's tables in PostgreSQL. Money, prices and quantities are NUMERIC, times are TIMESTAMPTZ (microseconds), ids of a run are
-- UUIDs derived from the run's. crates/pm-store/SCHEMA.md lists the differences to the original document.

-- One row per run. `id` is the order of insertion: the latest run has the largest.
CREATE TABLE runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL UNIQUE,  -- every other id of the run is derived from it
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    mode VARCHAR(50) NOT NULL,  -- paper, live, shadow, replay
    source VARCHAR(50) NOT NULL,  -- live, replay, sim
    origin TEXT NOT NULL,  -- for people: seed and makers, or the names of the recordings
    derived BOOLEAN NOT NULL,  -- true when data was made by an importer of sampled data
    seed TEXT,  -- unsigned 64-bit number as decimal text
    bankroll_start NUMERIC(20, 8) NOT NULL,
    build TEXT NOT NULL,  -- version and revision of the program
    config JSONB NOT NULL,
    status VARCHAR(50) NOT NULL,  -- `running` until the end is written
    decision_hash TEXT,
    verdict TEXT,
    summary JSONB
);
CREATE INDEX idx_runs_started ON runs (started_at);

-- Binary markets with the settlement rule as it was understood.
CREATE TABLE markets (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    market_idx BIGINT NOT NULL,  -- index key of the run
    exchange VARCHAR(50) NOT NULL,
    market_id VARCHAR(255) NOT NULL,  -- venue's own id
    slug TEXT NOT NULL,
    question TEXT NOT NULL,
    token_first TEXT NOT NULL,
    token_second TEXT NOT NULL,
    label_first TEXT NOT NULL,
    label_second TEXT NOT NULL,
    family TEXT NOT NULL,
    underlying TEXT,
    rule JSONB NOT NULL,
    rule_understood BOOLEAN NOT NULL,
    rule_source TEXT,  -- name of the settlement source
    currency TEXT NOT NULL,
    tick NUMERIC(20, 8) NOT NULL,
    min_qty NUMERIC(20, 8) NOT NULL,
    min_notional NUMERIC(20, 8) NOT NULL,
    fees JSONB NOT NULL,
    taker_hold_ms BIGINT NOT NULL,
    opens_at TIMESTAMPTZ NOT NULL,
    closes_at TIMESTAMPTZ NOT NULL,
    accepting BOOLEAN NOT NULL,
    neg_risk BOOLEAN NOT NULL,
    version TEXT NOT NULL,  -- venue's protocol version, verbatim
    event_group TEXT NOT NULL,  -- markets of one event share it
    UNIQUE (run_id, exchange, market_id)
);

-- Instruments of the hedge venue.
CREATE TABLE instruments (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    instrument_idx BIGINT NOT NULL,  -- index key of the run
    exchange VARCHAR(50) NOT NULL,
    symbol VARCHAR(255) NOT NULL,
    kind JSONB NOT NULL,  -- spot, perpetual, future, option with its terms
    underlying TEXT,
    currency TEXT NOT NULL,
    tick NUMERIC(20, 8) NOT NULL,
    lot NUMERIC(20, 8) NOT NULL,
    min_qty NUMERIC(20, 8) NOT NULL,
    min_notional NUMERIC(20, 8) NOT NULL,
    max_qty NUMERIC(20, 8) NOT NULL,
    fees JSONB NOT NULL,
    initial_margin NUMERIC(20, 8) NOT NULL,
    trading BOOLEAN NOT NULL,
    UNIQUE (run_id, instrument_idx)
);

-- Top of books, conflated per market and interval: the only rows that may be dropped, and then counted.
CREATE TABLE market_data (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    market_id VARCHAR(255) NOT NULL,
    exchange VARCHAR(50) NOT NULL,
    best_bid NUMERIC(20, 8),  -- NULL = empty side
    best_ask NUMERIC(20, 8),  -- NULL = empty side
    bid_volume NUMERIC(20, 8),  -- NULL = unknown
    ask_volume NUMERIC(20, 8),  -- NULL = unknown
    timestamp TIMESTAMPTZ NOT NULL
);
CREATE INDEX idx_market_time ON market_data (market_id, timestamp);
CREATE INDEX idx_market_data_run ON market_data (run_id, exchange, market_id);

-- Opportunity episodes: opened, updated, closed; a refused one keeps its typed reason.
CREATE TABLE opportunities (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    opportunity_id UUID NOT NULL UNIQUE,
    run_seq BIGINT NOT NULL,  -- number within the run
    market_id VARCHAR(255) NOT NULL,  -- first leg
    slug TEXT NOT NULL,  -- first leg
    legs TEXT NOT NULL,  -- all legs, for people
    outcome VARCHAR(10) NOT NULL CHECK (outcome IN ('first', 'second')),  -- bought in the first leg
    strategy VARCHAR(100) NOT NULL,
    class VARCHAR(50) NOT NULL,  -- model_free, option_implied, vol_model
    fair_lo NUMERIC(20, 8) NOT NULL,
    fair_mid NUMERIC(20, 8) NOT NULL,
    fair_hi NUMERIC(20, 8) NOT NULL,
    polymarket_price NUMERIC(20, 8) NOT NULL,  -- average price of the legs
    bybit_price NUMERIC(20, 8),  -- probability implied by the hedge venue; NULL for model-free sets
    spread_bps NUMERIC(20, 4) NOT NULL,  -- gross edge over notional
    gross_edge NUMERIC(20, 8) NOT NULL,
    net_edge NUMERIC(20, 8) NOT NULL,
    kelly_fraction NUMERIC(20, 8) NOT NULL,  -- before clips
    recommended_size NUMERIC(20, 8) NOT NULL,  -- shares, after clips
    quantity NUMERIC(20, 8) NOT NULL,  -- waterfall: structures planned
    notional NUMERIC(20, 8) NOT NULL,  -- waterfall: cash cost before fees
    taker_fee NUMERIC(20, 8) NOT NULL,  -- waterfall
    gas NUMERIC(20, 8) NOT NULL,  -- waterfall
    hedge_cost NUMERIC(20, 8) NOT NULL,  -- waterfall
    slippage NUMERIC(20, 8) NOT NULL,  -- waterfall
    settlement_failure NUMERIC(20, 8) NOT NULL,  -- waterfall
    model_margin NUMERIC(20, 8) NOT NULL,  -- waterfall
    hedge JSONB NOT NULL,  -- plan, or why there is none
    detected_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    updates BIGINT NOT NULL,  -- evaluations
    executed BOOLEAN NOT NULL DEFAULT FALSE,
    structure BIGINT,  -- number within the run
    position_id UUID,
    refusal_code VARCHAR(100),  -- last reason
    refusal_text TEXT,
    refusal JSONB  -- typed reason with its figures
);
CREATE INDEX idx_detected ON opportunities (detected_at, executed);
CREATE INDEX idx_opportunities_run ON opportunities (run_id, run_seq);

-- Trade legs: all fills of one order.
CREATE TABLE trades (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    trade_id UUID NOT NULL UNIQUE,
    opportunity_id UUID REFERENCES opportunities (opportunity_id),
    run_seq BIGINT NOT NULL,  -- the order intent
    structure BIGINT NOT NULL,
    position_id UUID NOT NULL,
    market_id VARCHAR(255) NOT NULL,
    side VARCHAR(10) NOT NULL CHECK (side IN ('buy', 'sell')),
    size NUMERIC(20, 8) NOT NULL,
    price NUMERIC(20, 8) NOT NULL,
    exchange VARCHAR(50) NOT NULL,
    commission NUMERIC(20, 8) NOT NULL,
    gas_cost_eth NUMERIC(38, 18),  -- in the chain's own coin
    gas_cost_usd NUMERIC(20, 8),
    fiat_fees NUMERIC(20, 8),  -- deposits and withdrawals
    gross_pnl NUMERIC(20, 8),
    total_fees NUMERIC(20, 8),
    net_pnl NUMERIC(20, 8),
    status VARCHAR(50) NOT NULL CHECK (status IN ('open', 'closed', 'failed')),
    executed_at TIMESTAMPTZ NOT NULL,
    settled_at TIMESTAMPTZ
);
CREATE INDEX idx_market ON trades (market_id, executed_at);
CREATE INDEX idx_status ON trades (status);
CREATE INDEX idx_trades_run ON trades (run_id, run_seq);

-- One per structure, over both venues.
CREATE TABLE positions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    position_id UUID NOT NULL UNIQUE,
    structure BIGINT NOT NULL,  -- number within the run
    market_id VARCHAR(255) NOT NULL,  -- first leg
    polymarket_size NUMERIC(20, 8) NOT NULL DEFAULT 0,
    bybit_size NUMERIC(20, 8) NOT NULL DEFAULT 0,  -- negative = short
    net_exposure NUMERIC(20, 8) NOT NULL DEFAULT 0,  -- worst-case loss of the whole structure
    avg_entry_price NUMERIC(20, 8),
    unrealized_pnl NUMERIC(20, 8) DEFAULT 0,
    realized_pnl NUMERIC(20, 8) DEFAULT 0,
    opened_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    status VARCHAR(20) NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed'))
);
CREATE INDEX idx_market_status ON positions (market_id, status);
CREATE INDEX idx_positions_run ON positions (run_id, structure);

-- Bankroll over time.
CREATE TABLE bankroll (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    timestamp TIMESTAMPTZ NOT NULL,
    total_capital NUMERIC(20, 8) NOT NULL,
    allocated NUMERIC(20, 8) NOT NULL DEFAULT 0,
    available NUMERIC(20, 8) NOT NULL,
    daily_pnl NUMERIC(20, 8) DEFAULT 0,
    daily_drawdown NUMERIC(20, 8) DEFAULT 0,  -- fraction of the day's opening bankroll
    total_trades BIGINT DEFAULT 0,
    win_count BIGINT DEFAULT 0,
    loss_count BIGINT DEFAULT 0,
    UNIQUE (run_id, timestamp)
);
CREATE INDEX idx_timestamp ON bankroll (timestamp);

-- Gates and triggers.
CREATE TABLE risk_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    event_id UUID NOT NULL UNIQUE,
    run_seq BIGINT NOT NULL,
    event_type VARCHAR(100) NOT NULL,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    description TEXT NOT NULL,
    market_id VARCHAR(255),
    position_id UUID,
    triggered_at TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ,
    resolution_notes TEXT
);
CREATE INDEX idx_triggered ON risk_events (triggered_at, severity);
CREATE INDEX idx_risk_events_run ON risk_events (run_id, run_seq);

-- Fee schedules as of a time.
CREATE TABLE fee_schedule (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    exchange VARCHAR(50) NOT NULL,
    fee_type VARCHAR(50) NOT NULL,
    fee_percentage NUMERIC(20, 6),  -- percent: 7 = 7 %
    fixed_fee NUMERIC(20, 8),
    currency VARCHAR(10),
    effective_from TIMESTAMPTZ NOT NULL,
    UNIQUE (run_id, exchange, fee_type, effective_from)
);

-- Probes of endpoints.
CREATE TABLE api_health (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source VARCHAR(50) NOT NULL,  -- where the data came from, as on the run
    exchange VARCHAR(50) NOT NULL,
    endpoint VARCHAR(255) NOT NULL,
    latency_ms BIGINT NOT NULL,  -- rounded down
    success BOOLEAN NOT NULL,
    error_message TEXT,
    checked_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idx_checked ON api_health (checked_at, exchange);
CREATE INDEX idx_api_health_run ON api_health (run_id);

-- Orders as they stand.
CREATE TABLE orders (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    order_id UUID NOT NULL UNIQUE,
    intent BIGINT NOT NULL,  -- client id, number within the run
    structure BIGINT NOT NULL,
    position_id UUID NOT NULL,
    exchange VARCHAR(50) NOT NULL,
    market_id VARCHAR(255) NOT NULL,
    target JSONB NOT NULL,  -- outcome or instrument
    side VARCHAR(10) NOT NULL CHECK (side IN ('buy', 'sell')),
    limit_price NUMERIC(20, 8) NOT NULL,
    quantity NUMERIC(20, 8) NOT NULL,
    time_in_force VARCHAR(50) NOT NULL,
    expires_at TIMESTAMPTZ,  -- good till date only
    purpose VARCHAR(20) NOT NULL,  -- entry, hedge, reduce
    decided_at TIMESTAMPTZ NOT NULL,
    state VARCHAR(20) NOT NULL,
    filled NUMERIC(20, 8) NOT NULL,
    reason VARCHAR(100)  -- why it was refused or killed
);
CREATE INDEX idx_orders_run ON orders (run_id, intent);

-- Changes of orders. An exact repeat is one row.
CREATE TABLE order_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    order_id UUID NOT NULL,
    intent BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    filled NUMERIC(20, 8) NOT NULL,
    reason VARCHAR(100),
    occurred_at TIMESTAMPTZ NOT NULL,
    UNIQUE (run_id, intent, occurred_at, state, filled)
);

-- Fills and changes of their settlement. An exact repeat is one row.
CREATE TABLE fill_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    fill_id UUID NOT NULL,  -- venue's trade id
    order_id UUID NOT NULL,
    intent BIGINT NOT NULL,
    price NUMERIC(20, 8) NOT NULL,
    quantity NUMERIC(20, 8) NOT NULL,
    fee NUMERIC(20, 8) NOT NULL,
    state VARCHAR(20) NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    UNIQUE (run_id, fill_id, occurred_at, state)
);
CREATE INDEX idx_fill_events_order ON fill_events (run_id, intent);

-- Double entry: `amount` of `asset` goes from `credit` to `debit`, so that it balances by construction.
CREATE TABLE ledger (
    run_id UUID NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,  -- 1, 2, 3, ... without gaps
    occurred_at TIMESTAMPTZ NOT NULL,
    debit TEXT NOT NULL,  -- account that receives
    credit TEXT NOT NULL,  -- account that gives
    asset TEXT NOT NULL,
    amount NUMERIC(20, 8) NOT NULL CHECK (amount > 0),
    cause VARCHAR(50) NOT NULL,
    structure BIGINT,
    position_id UUID,
    class VARCHAR(50),
    PRIMARY KEY (run_id, seq),
    CHECK (debit <> credit)
);
