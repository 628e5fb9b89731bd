//! REST bodies through the protocol's door.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{catalog, linear_row, listing, words};
use pm_bybit::wire::{self, Page, WireError};
use pm_bybit::{RestProtocol, RestSettings, SetupError};
use pm_core::event::Event;
use pm_core::fees::FeeSchedule;
use pm_core::instrument::{Instrument, InstrumentKind, OptionRight};
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};
use pm_core::units::{Px, Qty, Ratio};

fn decode(rest: &mut RestProtocol, body: &str) -> (Result<FrameKind, DecodeError>, Vec<Instrument>, Vec<String>) {
    let (mut found, mut said) = (Vec::new(), Vec::new());
    let kind = rest.decode(Stamp::default(), body.as_bytes(), &mut Registry::default(), &mut |e: Event<'_>| match e {
        Event::InstrumentListed(i) => found.push(i.into_owned()),
        other => said.push(words(&other)),
    });
    (kind, found, said)
}

fn protocol() -> RestProtocol {
    RestProtocol::new(&catalog()).unwrap()
}

#[test]
fn perpetual_with_fees_and_margin() {
    let (kind, found, _) = decode(&mut protocol(), &listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10")]));
    assert_eq!(kind, Ok(FrameKind::Data));
    let i = &found[0];
    assert_eq!(
        (&*i.symbol, i.kind, i.tick, i.lot),
        ("BTCUSDT", InstrumentKind::Perp, "0.1".parse().unwrap(), "0.001".parse().unwrap())
    );
    assert_eq!(i.fees, FeeSchedule::Proportional { taker: "0.00055".parse().unwrap(), maker: "0.0002".parse().unwrap() });
    assert_eq!((i.initial_margin, i.max_qty), ("0.1".parse().unwrap(), "1190".parse().unwrap()));
    assert_eq!((i.underlying, i.currency), (catalog().underlying("BTC"), catalog().currency("USDT").unwrap()));
}

#[test]
fn leverage_is_a_setting_within_the_instruments_own() {
    let with = |leverage: Ratio| RestProtocol::with_settings(&catalog(), RestSettings { leverage, ..RestSettings::default() });
    assert_eq!(with("0.5".parse().unwrap()).unwrap_err(), SetupError::Leverage("0.5".parse().unwrap()));
    let mut three = with(Ratio::whole(3)).unwrap();
    let row = linear_row("BTCUSDT", "BTC", "0.10");
    // A third, rounded up: never less margin than the venue takes.
    assert_eq!(decode(&mut three, &listing("linear", &[&row])).1[0].initial_margin, Ratio::from_raw(33_333_334));
    let low = row.replace("100.00", "2");
    assert_eq!(decode(&mut three, &listing("linear", &[&low])).1[0].initial_margin, "0.5".parse().unwrap());
}

#[test]
fn option_terms_come_from_symbol_and_delivery() {
    let row = r#"{"symbol":"BTC-25JUN27-106000-P-USDT","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","optionsType":"Put","deliveryTime":"1813910400000","priceFilter":{"tickSize":"5"},"lotSizeFilter":{"maxOrderQty":"500","minOrderQty":"0.01","qtyStep":"0.01"}}"#;
    let kind = InstrumentKind::Option {
        expiry: Ts::from_millis(1_813_910_400_000),
        strike: Px::whole(106_000),
        right: OptionRight::Put,
    };
    let (_, found, _) = decode(&mut protocol(), &listing("option", &[row]));
    assert_eq!((found[0].kind, found[0].initial_margin, found[0].min_notional.is_zero()), (kind, Ratio::ONE, true));
    assert_eq!(
        found[0].fees,
        FeeSchedule::OptionCapped {
            taker: "0.0003".parse().unwrap(),
            maker: "0.0002".parse().unwrap(),
            cap: "0.07".parse().unwrap()
        }
    );
    // Without the field the symbol's day counts, at 08:00 UTC.
    let (_, found, _) = decode(&mut protocol(), &listing("option", &[&row.replace(r#""deliveryTime":"1813910400000","#, "")]));
    assert_eq!(found[0].kind, kind);
}

#[test]
fn one_odd_row_does_not_hide_the_others() {
    let good = linear_row("ETHUSDT", "ETH", "0.01");
    let bad = [
        linear_row("A", "BTC", ""),
        linear_row("B", "BTC", "0"),
        linear_row("C", "BTC", "x"),
        linear_row("D", "BTC", "0.1").replace("LinearPerpetual", "Quadratic"),
        linear_row("", "BTC", "0.1"),
        linear_row("E", "BTC", "0.1").replace("\"baseCoin\":\"BTC\",", ""),
        linear_row("F", "BTC", "0.1").replace("\"qtyStep\":\"0.001\",", ""),
        linear_row("G", "BTC", "0.1").replace("\"contractType\":\"LinearPerpetual\",", "\"optionsType\":\"Put\","),
        linear_row("H", "BTC", "0.1").replace("\"lotSizeFilter\":{", "\"lotSizeFilter\":[{").replace("\"5\"}", "\"5\"}]"),
    ];
    let mut rows: Vec<&str> = bad.iter().map(String::as_str).collect();
    rows.insert(4, &good);
    let mut rest = protocol();
    let (kind, found, _) = decode(&mut rest, &listing("linear", &rows));
    assert_eq!((kind, found.len(), &*found[0].symbol), (Ok(FrameKind::Data), 1, "ETHUSDT"));
    let errors: Vec<String> = rest.take_row_errors().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), bad.len(), "{errors:#?}");
    assert!(errors[0].starts_with("\"A\": tickSize: empty number"), "{errors:#?}");
    assert!(errors[6].starts_with("\"F\": qtyStep is missing"), "{errors:#?}");
}

#[test]
fn rows_that_are_not_ours_are_counted() {
    let mut rest = protocol();
    let fine = linear_row("BABYDOGEUSDT", "BABYDOGE", "0.0000000000001");
    let eur = linear_row("BTCEUR", "BTC", "0.1").replace("\"settleCoin\":\"USDT\"", "\"settleCoin\":\"EUR\"");
    let inverse = linear_row("BTCUSD", "BTC", "0.1").replace("LinearPerpetual", "InversePerpetual");
    let noisy = linear_row("ETHUSDT", "ETH", "0.01").replace("1190.000", "1542.6000000000001");
    let endless = linear_row("PEPEUSDT", "PEPE", "0.0001").replace("1190.000", "188880000000");
    let (_, found, _) = decode(&mut rest, &listing("linear", &[&fine, &eur, &noisy, &endless]));
    assert_eq!((found[0].max_qty, found[1].max_qty), ("1542.6".parse().unwrap(), Qty::MAX));
    decode(&mut rest, &listing("inverse", &[&inverse])).0.unwrap();
    let s = rest.stats();
    assert_eq!((s.listed, s.too_fine, s.other_currency, s.inverse, s.bad_rows), (2, 1, 1, 1, 0), "{:?}", rest.take_row_errors());
}

#[test]
fn the_cursor_goes_back_verbatim() {
    let mut rest = protocol();
    let page = listing("linear", &[]).replace(r#""nextPageCursor":"""#, r#""nextPageCursor":"page_token%3D39380%26""#);
    decode(&mut rest, &page).0.unwrap();
    assert_eq!(rest.next_cursor(), Some("page_token%3D39380%26"));
    decode(&mut rest, &listing("linear", &[])).0.unwrap();
    assert_eq!(rest.next_cursor(), None);
}

#[test]
fn refusals_are_errors_and_words_about_us_are_events() {
    for (body, says, word) in [
        (r#"{"retCode":10001,"retMsg":"params error","result":{},"time":1}"#, "the venue answers 10001: params error", None),
        (r#"{"retCode":10006,"retMsg":"Too many visits!","result":null}"#, "the venue answers 10006: Too many visits!", None),
        (r#"{"retCode":10009,"retMsg":"region"}"#, "the venue answers 10009: region", Some("venue Geoblocked")),
        (r#"{"retCode":10024,"retMsg":"compliance"}"#, "the venue answers 10024: compliance", Some("venue Compliance")),
        (r#"{"retCode":110123,"retMsg":"sign the terms"}"#, "the venue answers 110123: sign the terms", Some("venue Compliance")),
        (r#"{"retCode":110125,"retMsg":"not here"}"#, "the venue answers 110125: not here", Some("venue Compliance")),
        (r#"{"retCode":10008,"retMsg":"banned"}"#, "the venue answers 10008: banned", Some("venue Banned")),
        (
            "<!DOCTYPE HTML><H1>403 ERROR</H1> The Amazon CloudFront distribution is configured to block access from your country.",
            "an HTML page instead of JSON",
            Some("venue Geoblocked"),
        ),
        ("\n<html><body>403 access too frequent</body></html>", "an HTML page instead of JSON", None),
        (r#"{"retMsg":"OK"}"#, "retCode is missing", None),
        (r#"{"retCode":0"#, "not the JSON of a REST answer", None),
        ("", "not the JSON of a REST answer", None),
    ] {
        let (kind, found, said) = decode(&mut protocol(), body);
        let err = kind.unwrap_err();
        assert!(err.to_string().starts_with(says), "{err}");
        assert_eq!((found.len(), said), (0, word.into_iter().map(String::from).collect::<Vec<_>>()), "{body}");
    }
}

/// A block page in the form of the venue's edge: the sentence that counts stands behind doctype, head, styles and headings.
fn edge_page(sentence: &str) -> String {
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">\n\
         <HTML><HEAD><META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=iso-8859-1\">\n\
         <TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>403 ERROR</H1>\n\
         <H2>The request could not be satisfied.</H2>\n<HR noshade size=\"1px\">\n{sentence}\n\
         We can't connect to the server for this app or website at this time.\nThere might be too much traffic or a configuration \
         error. Try again later, or contact the app or website owner.\n<BR clear=\"all\">\n\
         If you provide content to customers through CloudFront, you can find steps to troubleshoot and help prevent this error by \
         reviewing the CloudFront documentation.\n<BR clear=\"all\">\n<HR noshade size=\"1px\">\n<PRE>\n\
         Generated by cloudfront (CloudFront)\nRequest ID: x0Yv-made-up-for-this-test-0123456789abcdefg==\n</PRE>\n\
         <ADDRESS>\n</ADDRESS>\n</BODY></HTML>\n"
    )
}

#[test]
fn a_geoblock_page_is_read_to_its_end() {
    let blocked = edge_page("The Amazon CloudFront distribution is configured to block access from your country.");
    assert!(blocked.find("your country").unwrap() > 400, "behind what an error shows of a page");
    let wrapped = edge_page("The Amazon CloudFront distribution is configured to block access from your\n   Country.");
    for page in [blocked.clone(), wrapped, format!("\u{feff}\r\n{blocked}")] {
        let (kind, _, said) = decode(&mut protocol(), &page);
        let err = kind.unwrap_err().to_string();
        assert_eq!(said, ["venue Geoblocked"], "{err}");
        assert!(err.contains("does not serve this country") && err.len() < 300, "told in words, not by a whole page: {err}");
        let Err(WireError::Html { page, .. }) = wire::rest::open(&page) else { panic!() };
        assert_eq!(page, Page::Geoblock);
    }
    // The same page for a flood of requests is no restriction of the account.
    let (kind, _, said) = decode(&mut protocol(), &edge_page("Request blocked."));
    assert!(kind.is_err() && said.is_empty(), "{said:?}");
}

#[test]
fn bodies_without_a_list_are_unknown() {
    for body in [
        r#"{"retCode":0,"retMsg":"OK","result":{},"time":1}"#,
        r#"{"retCode":0,"retMsg":"OK","result":null}"#,
        r#"{"retCode":0,"retMsg":"SUCCESS","category":"option","result":[{"period":30,"value":"0.45","time":"1672052400000"}]}"#,
        r#"{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1688639403","timeNano":"1688639403423213947"},"time":1688639403423}"#,
        r#"{"retCode":0,"result":{"list":null}}"#,
    ] {
        assert_eq!(decode(&mut protocol(), body).0, Ok(FrameKind::Unknown), "{body}");
    }
}

#[test]
fn tickers_of_listed_instruments_are_events() {
    let (mut rest, mut registry) = (protocol(), Registry::default());
    let list = listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10")]);
    rest.decode(Stamp::default(), list.as_bytes(), &mut registry, &mut |_: Event<'_>| {}).unwrap();
    let body = listing(
        "linear",
        &[
            r#"{"symbol":"BTCUSDT","lastPrice":"65114.3","indexPrice":"65137.76","markPrice":"65117.44","bid1Price":"65114.2","ask1Price":"","bid1Size":"0"}"#,
            r#"{"symbol":"NOPEUSDT","lastPrice":"1"}"#,
        ],
    );
    let mut seen = Vec::new();
    rest.decode(Stamp::default(), body.as_bytes(), &mut registry, &mut |e: Event<'_>| {
        if let Event::Ticker { ticker, at, .. } = e {
            seen.push((ticker.bid, ticker.ask, ticker.mark, at));
        }
    })
    .unwrap();
    let px = |t: &str| Some(t.parse().unwrap());
    assert_eq!(seen, [(px("65114.2"), None, px("65117.44"), Ts::from_millis(1_786_310_817_601))]);
    assert_eq!((rest.stats().tickers, rest.stats().foreign_tickers), (1, 1));
}

#[test]
fn one_odd_ticker_does_not_hide_the_others() {
    let (mut rest, mut registry) = (protocol(), Registry::default());
    let list = listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10"), &linear_row("ETHUSDT", "ETH", "0.01")]);
    rest.decode(Stamp::default(), list.as_bytes(), &mut registry, &mut |_: Event<'_>| {}).unwrap();
    let rows = [
        r#"{"symbol":"BTCUSDT","lastPrice":"x"}"#,
        r#"{"symbol":null,"lastPrice":"1"}"#,
        r#"{"symbol":"ETHUSDT","lastPrice":"2"}"#,
    ];
    let mut seen = 0;
    let kind = rest.decode(Stamp::default(), listing("linear", &rows).as_bytes(), &mut registry, &mut |_: Event<'_>| seen += 1);
    assert_eq!((kind, seen, rest.stats().tickers, rest.stats().bad_rows), (Ok(FrameKind::Data), 1, 1, 2));
    let errors: Vec<String> = rest.take_row_errors().iter().map(ToString::to_string).collect();
    assert!(errors[0].starts_with("\"BTCUSDT\": lastPrice: not a decimal number"), "{errors:?}");
    assert_eq!(errors[1], "\"\": symbol is missing");
}
