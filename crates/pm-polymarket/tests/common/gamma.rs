//! Gamma bodies for tests, and a protocol that reads them.

use pm_core::event::Event;
use pm_core::market::{Market, Rule, SettlementRule};
use pm_core::registry::Registry;
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{FeedProtocol, FrameKind};
use pm_polymarket::gamma_feed::{GammaProtocol, GammaSettings};
use serde_json::{Value, json};

use super::{Keeper, catalog};

pub const WINDOW_TEXT: &str = "This market will resolve to \"Up\" if the Bitcoin price at the end of the time range specified in the title is greater than or equal to the price at the beginning of that range. Otherwise, it will resolve to \"Down\".\nThe resolution source for this market is information from Chainlink, specifically the BTC/USD data stream available at https://data.chain.link/streams/btc-usd.";

pub const JUNE: i64 = 1_780_876_800;

/// A 5-minute window that starts at `start` (seconds).
pub fn window(start: i64) -> Value {
    json!({"id":"1","conditionId":format!("0x{start}"),"slug":format!("btc-updown-5m-{start}"),"version":"v1","outcomes":"[\"Up\", \"Down\"]",
        "clobTokenIds":format!("[\"1{start}\",\"2{start}\"]"),"question":"Bitcoin Up or Down","description":WINDOW_TEXT,
        "resolutionSource":"https://data.chain.link/streams/btc-usd","endDate":Ts::from_secs(start + 300).to_string(),
        "eventStartTime":Ts::from_secs(start).to_string(),"active":true,"closed":false,"acceptingOrders":true,"enableOrderBook":true,
        "orderPriceMinTickSize":0.01,"orderMinSize":5,"feesEnabled":true,
        "feeSchedule":{"exponent":1,"rate":0.07,"takerOnly":true,"rebateRate":0.2},"negRisk":false,"createdAt":"2026-06-07T00:02:05.044029Z"})
}

pub fn with(mut m: Value, key: &str, value: Value) -> Value {
    m[key] = value;
    m
}

pub struct Run {
    pub protocol: GammaProtocol,
    pub registry: Registry,
}

impl Run {
    pub fn new() -> Self {
        Self { protocol: GammaProtocol::new(catalog(), GammaSettings::default()).unwrap(), registry: Registry::default() }
    }
    pub fn body(&mut self, body: &Value) -> Keeper {
        let mut k = Keeper::default();
        let kind = self.protocol.decode(Stamp::default(), body.to_string().as_bytes(), &mut self.registry, &mut k);
        assert_eq!(kind, Ok(FrameKind::Data));
        k
    }
}

pub fn listed(body: &Value) -> Market {
    match Run::new().body(body).events.into_iter().next() {
        Some(Event::MarketListed(m)) => m.into_owned(),
        other => panic!("{other:?}"),
    }
}

pub fn rule(body: &Value) -> Result<SettlementRule, String> {
    match listed(body).rule {
        Rule::Understood(rule) => Ok(rule),
        Rule::NotUnderstood(why) => Err(why.to_string()),
    }
}

pub fn refused(body: &Value, why: &str) {
    let said = rule(body).expect_err(why);
    assert!(said.contains(why), "{said:?} does not say {why:?}");
}
