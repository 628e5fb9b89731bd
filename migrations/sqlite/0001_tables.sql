-- pmbot's tables in SQLite. STRICT, because NUMERIC would become REAL here. Money, prices, quantities and fractions are INTEGER at
-- 1e-8; spread_bps at 1e-4 bp; fee_percentage at 1e-6 %; times are microseconds since 1970 (UTC); UUIDs are 16-byte BLOBs; flags are 0 or 1.
-- The views v_* show the same in decimal text for people. crates/pm-store/SCHEMA.md lists the differences to the original document.

-- One row per run. `id` is the order of insertion: the latest run has the largest.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL UNIQUE CHECK (length(run_id) = 16),  -- every other id of the run is derived from it
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    mode TEXT NOT NULL CHECK (length(mode) <= 50),  -- paper, live, shadow, replay
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- live, replay, sim
    origin TEXT NOT NULL,  -- for people: seed and makers, or the names of the recordings
    derived INTEGER NOT NULL CHECK (derived IN (0, 1)),  -- true when data was made by an importer of sampled data
    seed TEXT,  -- unsigned 64-bit number as decimal text
    bankroll_start INTEGER NOT NULL,
    build TEXT NOT NULL,  -- version and revision of the program
    config TEXT NOT NULL,
    status TEXT NOT NULL CHECK (length(status) <= 50),  -- `running` until the end is written
    decision_hash TEXT,
    verdict TEXT,
    summary TEXT
) STRICT;
CREATE INDEX idx_runs_started ON runs (started_at);

-- Binary markets with the settlement rule as it was understood.
CREATE TABLE markets (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    market_idx INTEGER NOT NULL,  -- index key of the run
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),  -- venue's own id
    slug TEXT NOT NULL,
    question TEXT NOT NULL,
    token_first TEXT NOT NULL,
    token_second TEXT NOT NULL,
    label_first TEXT NOT NULL,
    label_second TEXT NOT NULL,
    family TEXT NOT NULL,
    underlying TEXT,
    rule TEXT NOT NULL,
    rule_understood INTEGER NOT NULL CHECK (rule_understood IN (0, 1)),
    rule_source TEXT,  -- name of the settlement source
    currency TEXT NOT NULL,
    tick INTEGER NOT NULL,
    min_qty INTEGER NOT NULL,
    min_notional INTEGER NOT NULL,
    fees TEXT NOT NULL,
    taker_hold_ms INTEGER NOT NULL,
    opens_at INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    accepting INTEGER NOT NULL CHECK (accepting IN (0, 1)),
    neg_risk INTEGER NOT NULL CHECK (neg_risk IN (0, 1)),
    version TEXT NOT NULL,  -- venue's protocol version, verbatim
    event_group TEXT NOT NULL,  -- markets of one event share it
    UNIQUE (run_id, exchange, market_id)
) STRICT;

-- Instruments of the hedge venue.
CREATE TABLE instruments (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    instrument_idx INTEGER NOT NULL,  -- index key of the run
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    symbol TEXT NOT NULL CHECK (length(symbol) <= 255),
    kind TEXT NOT NULL,  -- spot, perpetual, future, option with its terms
    underlying TEXT,
    currency TEXT NOT NULL,
    tick INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    min_qty INTEGER NOT NULL,
    min_notional INTEGER NOT NULL,
    max_qty INTEGER NOT NULL,
    fees TEXT NOT NULL,
    initial_margin INTEGER NOT NULL,
    trading INTEGER NOT NULL CHECK (trading IN (0, 1)),
    UNIQUE (run_id, instrument_idx)
) STRICT;

-- Top of books, conflated per market and interval: the only rows that may be dropped, and then counted.
CREATE TABLE market_data (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    best_bid INTEGER,  -- NULL = empty side
    best_ask INTEGER,  -- NULL = empty side
    bid_volume INTEGER,  -- NULL = unknown
    ask_volume INTEGER,  -- NULL = unknown
    timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX idx_market_time ON market_data (market_id, timestamp);
CREATE INDEX idx_market_data_run ON market_data (run_id, exchange, market_id);

-- Opportunity episodes: opened, updated, closed; a refused one keeps its typed reason.
CREATE TABLE opportunities (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    opportunity_id BLOB NOT NULL UNIQUE CHECK (length(opportunity_id) = 16),
    run_seq INTEGER NOT NULL,  -- number within the run
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),  -- first leg
    slug TEXT NOT NULL,  -- first leg
    legs TEXT NOT NULL,  -- all legs, for people
    outcome TEXT NOT NULL CHECK (outcome IN ('first', 'second')) CHECK (length(outcome) <= 10),  -- bought in the first leg
    strategy TEXT NOT NULL CHECK (length(strategy) <= 100),
    class TEXT NOT NULL CHECK (length(class) <= 50),  -- model_free, option_implied, vol_model
    fair_lo INTEGER NOT NULL,
    fair_mid INTEGER NOT NULL,
    fair_hi INTEGER NOT NULL,
    polymarket_price INTEGER NOT NULL,  -- average price of the legs
    bybit_price INTEGER,  -- probability implied by the hedge venue; NULL for model-free sets
    spread_bps INTEGER NOT NULL,  -- gross edge over notional
    gross_edge INTEGER NOT NULL,
    net_edge INTEGER NOT NULL,
    kelly_fraction INTEGER NOT NULL,  -- before clips
    recommended_size INTEGER NOT NULL,  -- shares, after clips
    quantity INTEGER NOT NULL,  -- waterfall: structures planned
    notional INTEGER NOT NULL,  -- waterfall: cash cost before fees
    taker_fee INTEGER NOT NULL,  -- waterfall
    gas INTEGER NOT NULL,  -- waterfall
    hedge_cost INTEGER NOT NULL,  -- waterfall
    slippage INTEGER NOT NULL,  -- waterfall
    settlement_failure INTEGER NOT NULL,  -- waterfall
    model_margin INTEGER NOT NULL,  -- waterfall
    hedge TEXT NOT NULL,  -- plan, or why there is none
    detected_at INTEGER NOT NULL,
    closed_at INTEGER,
    updates INTEGER NOT NULL,  -- evaluations
    executed INTEGER NOT NULL DEFAULT 0 CHECK (executed IN (0, 1)),
    structure INTEGER,  -- number within the run
    position_id BLOB CHECK (length(position_id) = 16),
    refusal_code TEXT CHECK (length(refusal_code) <= 100),  -- last reason
    refusal_text TEXT,
    refusal TEXT  -- typed reason with its figures
) STRICT;
CREATE INDEX idx_detected ON opportunities (detected_at, executed);
CREATE INDEX idx_opportunities_run ON opportunities (run_id, run_seq);

-- Trade legs: all fills of one order.
CREATE TABLE trades (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    trade_id BLOB NOT NULL UNIQUE CHECK (length(trade_id) = 16),
    opportunity_id BLOB REFERENCES opportunities (opportunity_id),
    run_seq INTEGER NOT NULL,  -- the order intent
    structure INTEGER NOT NULL,
    position_id BLOB NOT NULL CHECK (length(position_id) = 16),
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')) CHECK (length(side) <= 10),
    size INTEGER NOT NULL,
    price INTEGER NOT NULL,
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    commission INTEGER NOT NULL,
    gas_cost_eth INTEGER,  -- in the chain's own coin
    gas_cost_usd INTEGER,
    fiat_fees INTEGER,  -- deposits and withdrawals
    gross_pnl INTEGER,
    total_fees INTEGER,
    net_pnl INTEGER,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'failed')) CHECK (length(status) <= 50),
    executed_at INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;
CREATE INDEX idx_market ON trades (market_id, executed_at);
CREATE INDEX idx_status ON trades (status);
CREATE INDEX idx_trades_run ON trades (run_id, run_seq);

-- One per structure, over both venues.
CREATE TABLE positions (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    position_id BLOB NOT NULL UNIQUE CHECK (length(position_id) = 16),
    structure INTEGER NOT NULL,  -- number within the run
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),  -- first leg
    polymarket_size INTEGER NOT NULL DEFAULT 0,
    bybit_size INTEGER NOT NULL DEFAULT 0,  -- negative = short
    net_exposure INTEGER NOT NULL DEFAULT 0,  -- worst-case loss of the whole structure
    avg_entry_price INTEGER,
    unrealized_pnl INTEGER DEFAULT 0,
    realized_pnl INTEGER DEFAULT 0,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')) CHECK (length(status) <= 20)
) STRICT;
CREATE INDEX idx_market_status ON positions (market_id, status);
CREATE INDEX idx_positions_run ON positions (run_id, structure);

-- Bankroll over time.
CREATE TABLE bankroll (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    timestamp INTEGER NOT NULL,
    total_capital INTEGER NOT NULL,
    allocated INTEGER NOT NULL DEFAULT 0,
    available INTEGER NOT NULL,
    daily_pnl INTEGER DEFAULT 0,
    daily_drawdown INTEGER DEFAULT 0,  -- fraction of the day's opening bankroll
    total_trades INTEGER DEFAULT 0,
    win_count INTEGER DEFAULT 0,
    loss_count INTEGER DEFAULT 0,
    UNIQUE (run_id, timestamp)
) STRICT;
CREATE INDEX idx_timestamp ON bankroll (timestamp);

-- Gates and triggers.
CREATE TABLE risk_events (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    event_id BLOB NOT NULL UNIQUE CHECK (length(event_id) = 16),
    run_seq INTEGER NOT NULL,
    event_type TEXT NOT NULL CHECK (length(event_type) <= 100),
    severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')) CHECK (length(severity) <= 20),
    description TEXT NOT NULL,
    market_id TEXT CHECK (length(market_id) <= 255),
    position_id BLOB CHECK (length(position_id) = 16),
    triggered_at INTEGER NOT NULL,
    resolved_at INTEGER,
    resolution_notes TEXT
) STRICT;
CREATE INDEX idx_triggered ON risk_events (triggered_at, severity);
CREATE INDEX idx_risk_events_run ON risk_events (run_id, run_seq);

-- Fee schedules as of a time.
CREATE TABLE fee_schedule (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    fee_type TEXT NOT NULL CHECK (length(fee_type) <= 50),
    fee_percentage INTEGER,  -- percent: 7 = 7 %
    fixed_fee INTEGER,
    currency TEXT CHECK (length(currency) <= 10),
    effective_from INTEGER NOT NULL,
    UNIQUE (run_id, exchange, fee_type, effective_from)
) STRICT;

-- Probes of endpoints.
CREATE TABLE api_health (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (length(source) <= 50),  -- where the data came from, as on the run
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    endpoint TEXT NOT NULL CHECK (length(endpoint) <= 255),
    latency_ms INTEGER NOT NULL,  -- rounded down
    success INTEGER NOT NULL CHECK (success IN (0, 1)),
    error_message TEXT,
    checked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idx_checked ON api_health (checked_at, exchange);
CREATE INDEX idx_api_health_run ON api_health (run_id);

-- Orders as they stand.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    order_id BLOB NOT NULL UNIQUE CHECK (length(order_id) = 16),
    intent INTEGER NOT NULL,  -- client id, number within the run
    structure INTEGER NOT NULL,
    position_id BLOB NOT NULL CHECK (length(position_id) = 16),
    exchange TEXT NOT NULL CHECK (length(exchange) <= 50),
    market_id TEXT NOT NULL CHECK (length(market_id) <= 255),
    target TEXT NOT NULL,  -- outcome or instrument
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')) CHECK (length(side) <= 10),
    limit_price INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    time_in_force TEXT NOT NULL CHECK (length(time_in_force) <= 50),
    expires_at INTEGER,  -- good till date only
    purpose TEXT NOT NULL CHECK (length(purpose) <= 20),  -- entry, hedge, reduce
    decided_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (length(state) <= 20),
    filled INTEGER NOT NULL,
    reason TEXT CHECK (length(reason) <= 100)  -- why it was refused or killed
) STRICT;
CREATE INDEX idx_orders_run ON orders (run_id, intent);

-- Changes of orders. An exact repeat is one row.
CREATE TABLE order_events (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    intent INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (length(state) <= 20),
    filled INTEGER NOT NULL,
    reason TEXT CHECK (length(reason) <= 100),
    occurred_at INTEGER NOT NULL,
    UNIQUE (run_id, intent, occurred_at, state, filled)
) STRICT;

-- Fills and changes of their settlement. An exact repeat is one row.
CREATE TABLE fill_events (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    fill_id BLOB NOT NULL CHECK (length(fill_id) = 16),  -- venue's trade id
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    intent INTEGER NOT NULL,
    price INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (length(state) <= 20),
    occurred_at INTEGER NOT NULL,
    UNIQUE (run_id, fill_id, occurred_at, state)
) STRICT;
CREATE INDEX idx_fill_events_order ON fill_events (run_id, intent);

-- Double entry: `amount` of `asset` goes from `credit` to `debit`, so that it balances by construction.
CREATE TABLE ledger (
    run_id BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,  -- 1, 2, 3, ... without gaps
    occurred_at INTEGER NOT NULL,
    debit TEXT NOT NULL,  -- account that receives
    credit TEXT NOT NULL,  -- account that gives
    asset TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    cause TEXT NOT NULL CHECK (length(cause) <= 50),
    structure INTEGER,
    position_id BLOB CHECK (length(position_id) = 16),
    class TEXT CHECK (length(class) <= 50),
    PRIMARY KEY (run_id, seq),
    CHECK (debit <> credit)
) STRICT;
