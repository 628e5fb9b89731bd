//! The mappings that ship with the program.

/// Texts of all mapping files, in the order in which they are listed.
pub(super) const MAPPINGS: &[&str] = &[
    include_str!("../../mappings/pm-btc5m-book-ws-2026-04.toml"),
    include_str!("../../mappings/pm-btc15m-l2-1hz-2026-09-28.toml"),
    include_str!("../../mappings/pm-btc5m-chainlink-settlement-2026.toml"),
    include_str!("../../mappings/pm-btc15m-tob-1hz-2025-12.toml"),
    include_str!("../../mappings/pm-btc15m-tob-events-2026-04-01.toml"),
    include_str!("../../mappings/pm-binance-coinbase-chainlink-sessions-2026-04-28.toml"),
    include_str!("../../mappings/pm-above-strip-and-updown-with-spot-2026-06.toml"),
    include_str!("../../mappings/pm-btc5m-1hz-quote-vs-btc-2026-07.toml"),
    include_str!("../../mappings/pm-btc5m-ladder-2026-07-26.toml"),
    include_str!("../../mappings/binance-btcusdt-1m-2026-06.toml"),
    include_str!("../../mappings/pm-us-btc-range-strip-2026-07.toml"),
    include_str!("../../mappings/pm-btc-strip-vs-binance-options-2025-09-05.toml"),
    include_str!("../../mappings/pm-data-api-trades-updown-2026-02-26.toml"),
    include_str!("../../mappings/pm-hourly-l1-events-2026-03-01.toml"),
    include_str!("../../mappings/pm-misc-long-dated-orderbook-and-trades-2025-10.toml"),
    include_str!("../../mappings/pm-rest-dumps-2026-02.toml"),
    include_str!("../../mappings/bybit-v5-raw-ws-2026-08-09.toml"),
    include_str!("../../mappings/bybit-linear-poll-2025-10-30.toml"),
    include_str!("../../mappings/bybit-ob500-xrpusdt.toml"),
    include_str!("../../mappings/binance-usdm-btcusdt-raw-ws-2024-08-08.toml"),
];
