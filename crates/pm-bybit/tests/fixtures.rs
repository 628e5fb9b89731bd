//! Every single-message payload of the fixture folder: what each is to these decoders, and why those that are not read are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::Path;

use common::{Run, data};
use pm_bybit::{Category, RestProtocol, Unlisted};
use pm_core::event::Event;
use pm_core::registry::Registry;
use pm_core::time::Stamp;
use pm_core::traits::{FeedProtocol, FrameKind};

fn read(dir: &Path, name: &str) -> String {
    // One endpoint example is not UTF-8 in its source; the damage is inside a title.
    String::from_utf8_lossy(&std::fs::read(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))).into_owned()
}

/// Names in a folder, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn socket(category: Category, frame: &str) -> (FrameKind, Vec<String>) {
    let mut run = Run::with(category, |s| s.unlisted = Unlisted::Register);
    let kind = run.decode(frame.trim().as_bytes()).unwrap_or_else(|e| panic!("{e}: {frame}"));
    (kind, run.said())
}

/// Kind of a REST body, instruments listed, tickers emitted, rows that were not understood.
fn rest(body: &str) -> (FrameKind, u64, u64, u64) {
    let mut rest = RestProtocol::new(&common::catalog()).unwrap();
    let kind = rest.decode(Stamp::default(), body.as_bytes(), &mut Registry::default(), &mut |_: Event<'_>| {});
    let s = rest.stats();
    (kind.unwrap_or_else(|e| panic!("{e}: {body}")), s.listed, s.tickers + s.foreign_tickers, s.bad_rows)
}

#[test]
fn crypto_scout_frames() {
    let Some(dir) = data("crypto_scout_frames", "fixtures-bybit/crypto_scout") else { return };
    let mut seen = 0;
    for name in names(&dir) {
        let (kind, said) = socket(Category::Spot, &read(&dir, &name));
        let expected: &[&str] = match name.split("__").next().unwrap() {
            "orderbook.1" => &["snapshot 1x1 @1760117203241"],
            "orderbook.50" => &["snapshot 50x50 @"],
            "orderbook.200" => &["snapshot 200x200 @"],
            "orderbook.1000" => &["snapshot 1000x1000 @"],
            "tickers" => &["ticker @1760117217736"],
            "publicTrade" => &["print Sell 0.000061 at 118067.5 @1760117214051", "print Sell 0.084697 at 118067.5"],
            _ => {
                // Candles of this venue settle nothing.
                assert!(name.starts_with("kline.") && kind == FrameKind::Unknown && said.is_empty(), "{name}");
                seen += 1;
                continue;
            }
        };
        assert_eq!(kind, FrameKind::Data, "{name}");
        for (i, want) in expected.iter().enumerate() {
            assert!(said[i].starts_with(want), "{name}: {said:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn nautilus_payloads() {
    let Some(dir) = data("nautilus_payloads", "fixtures-bybit/nautilus_rust") else { return };
    let mut private = 0;
    for name in names(&dir) {
        let body = read(&dir, &name);
        let socket = |category| socket(category, &body);
        match name.as_str() {
            "ws_orderbook_snapshot.json" => assert_eq!(socket(Category::Linear).1, ["snapshot 2x2 @1709891679000"]),
            // Alone it is a change before any snapshot.
            "ws_orderbook_delta.json" => assert_eq!(socket(Category::Linear).1, ["lost NoSnapshot"]),
            "ws_ticker_linear.json" => assert_eq!(socket(Category::Linear).1, ["ticker @1673272861686"]),
            "ws_ticker_option.json" => assert_eq!(socket(Category::Option).1, ["ticker @1672917511074"]),
            // Its topic is `trade.linear.BTCUSDT`, which the venue does not have.
            "ws_public_trade.json" | "ws_kline.json" => assert_eq!(socket(Category::Linear).0, FrameKind::Unknown),
            "ws_subscription_ack.json"
            | "ws_subscription_failure.json"
            | "ws_auth_success.json"
            | "ws_auth_failure.json"
            | "ws_order_response.json" => assert_eq!(socket(Category::Linear).0, FrameKind::Control, "{name}"),
            "http_get_instruments_linear.json" => assert_eq!(rest(&body), (FrameKind::Data, 2, 0, 0)),
            "http_get_instruments_linear_symbol_type.json" => assert_eq!(rest(&body), (FrameKind::Data, 1, 0, 0)),
            "http_get_instruments_option.json" | "http_get_instruments_option_symbol_id.json" => {
                assert_eq!(rest(&body), (FrameKind::Data, 1, 0, 0), "{name}");
            }
            "http_get_instruments_spot.json" => assert_eq!(rest(&body), (FrameKind::Data, 2, 0, 0)),
            "http_get_instruments_spot_xstocks.json" => assert_eq!(rest(&body), (FrameKind::Data, 1, 0, 0)),
            // Inverse contracts are margined in the coin: no hedge of ours.
            "http_get_instruments_inverse.json" | "http_get_instruments_inverse_symbol_type.json" => {
                assert_eq!(rest(&body), (FrameKind::Data, 0, 0, 0), "{name}");
            }
            // Public bodies that no part of the program asks for.
            "http_get_orderbook.json"
            | "http_get_klines_linear.json"
            | "http_get_trades_recent.json"
            | "http_get_funding_history.json" => assert_eq!(rest(&body).0, FrameKind::Unknown, "{name}"),
            // The rest is private: account, orders, positions, wallets, executions, keys. Sockets tolerate their topics.
            _ => {
                private += 1;
                if name.starts_with("ws_account_") {
                    assert_eq!(socket(Category::Linear).0, FrameKind::Unknown, "{name}");
                } else {
                    assert!(name.starts_with("http_get_"), "{name}");
                    assert_eq!((rest(&body).1, rest(&body).2), (0, 0), "{name}");
                }
            }
        }
    }
    assert_eq!((names(&dir).len(), private), (61, 38));
}

#[test]
fn jkorf_payloads() {
    let Some(dir) = data("jkorf_payloads", "fixtures-bybit/jkorf_v5") else { return };
    let (mut read_here, mut not_ours) = (0, Vec::new());
    for name in names(&dir) {
        let text = read(&dir, &name);
        let short = name.rsplit("__").next().unwrap().trim_end_matches(".txt");
        if name.starts_with("Subscriptions__V5__Private") {
            not_ours.push(name.clone());
        } else if name.starts_with("Subscriptions__") {
            subscription(&name, &text);
            read_here += 1;
        } else if name.starts_with("Endpoints__V5Api__ExchangeData__") && !short.contains("Spread") {
            // Three lines of method, path, signed; then the body.
            let body = text.splitn(4, '\n').nth(3).unwrap();
            let expected = match short {
                "GetLinearInverseSymbols" | "GetLinearInverseSymbolsPreListing" | "GetOptionSymbols" | "GetSpotSymbols" => {
                    (FrameKind::Data, 1, 0, 0)
                }
                "GetLinearInverseTickers" | "GetOptionTickers" | "GetSpotTickers" => (FrameKind::Data, 0, 1, 0),
                _ => (FrameKind::Unknown, 0, 0, 0),
            };
            assert_eq!(rest(body), expected, "{name}");
            read_here += 1;
        } else {
            // Account, trading (signed) and spread trading: not public data of ours.
            assert!(name.contains("__Account__") || name.contains("__Trading__") || short.contains("Spread"), "{name}");
            not_ours.push(name.clone());
        }
    }
    println!("not public data of ours: {not_ours:?}");
    assert_eq!((read_here, not_ours.len()), (37, 44));
}

/// `>` was sent, `<` acknowledged, `=` pushed; a pushed frame may span lines.
fn subscription(name: &str, text: &str) {
    let category = if name.contains("__Option__") {
        Category::Option
    } else if name.contains("__Spot__") {
        Category::Spot
    } else {
        Category::Linear
    };
    let (mut acks, mut frames): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match line.bytes().next() {
            Some(b'>') => {}
            Some(b'<') => acks.push(line.trim_start_matches(|c: char| c == '<' || c.is_ascii_digit())),
            Some(b'=') => frames.push(line.trim_start_matches(|c: char| c == '=' || c.is_ascii_digit()).to_owned()),
            _ => {
                if let Some(frame) = frames.last_mut() {
                    frame.push_str(line);
                }
            }
        }
    }
    for ack in acks {
        assert_eq!(socket(category, ack).0, FrameKind::Control, "{name}");
    }
    assert!(!frames.is_empty());
    for frame in frames {
        let (kind, said) = socket(category, &frame);
        let event = match name.trim_end_matches(".txt").rsplit("__").next().unwrap() {
            "Ticker" => Some("ticker @"),
            "Trades" => Some("print Buy 0.001 at 16578.5"),
            "Book" => Some("snapshot 2x2"),
            _ => None,
        };
        match event {
            Some(event) => assert!(kind == FrameKind::Data && said[0].starts_with(event), "{name}: {said:?}"),
            None => assert_eq!((kind, said.len()), (FrameKind::Unknown, 0), "{name}"),
        }
    }
}
