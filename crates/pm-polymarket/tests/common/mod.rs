//! What the tests share: a catalog, a market, a sink that keeps books, and the way to the recordings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, unreachable_pub, missing_docs)]

pub mod gamma;

use std::path::PathBuf;
use std::sync::Arc;

use pm_core::book::{Book, BookLoss};
use pm_core::event::{BookId, Event};
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, MarketIdx, UnderlyingId, VenueId};
use pm_core::market::{Market, MarketChange, Rule};
use pm_core::registry::{Catalog, Registry, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, FeedProtocol, FrameKind};
use pm_core::units::{Qty, Usd};
use pm_polymarket::market::MarketProtocol;

pub const T0: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
pub const T1: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
pub const CID: &str = "0x5f65177b394277fd294cd75650044e32ba009a95022d88a0c1d565897d72f8f1";

pub fn catalog() -> Catalog {
    let underlyings = ["BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE"];
    let sources = underlyings.iter().enumerate().flat_map(|(i, u)| {
        let underlying = UnderlyingId(u8::try_from(i).unwrap());
        [format!("chainlink:{}/usd", u.to_lowercase()), format!("binance:{u}USDT")]
            .map(|name| SourceInfo { name: name.into(), underlying })
    });
    Catalog {
        venues: vec![VenueInfo { name: "polymarket".into(), role: VenueRole::Prediction, currency: CurrencyId(0) }],
        currencies: vec!["pUSD".into(), "USDT".into()],
        sources: sources.collect(),
        underlyings: underlyings.iter().map(|u| Arc::from(*u)).collect(),
    }
}

pub fn market(idx: u32, native: &str, tokens: [&str; 2], tick: &str) -> Market {
    Market {
        idx: MarketIdx(idx),
        venue: VenueId(0),
        native: native.into(),
        slug: "s".into(),
        question: "q".into(),
        tokens: tokens.map(Into::into),
        labels: ["Up".into(), "Down".into()],
        family: "updown-5m".into(),
        underlying: Some(UnderlyingId(0)),
        rule: Rule::NotUnderstood("test".into()),
        currency: CurrencyId(0),
        tick: tick.parse().unwrap(),
        min_qty: Qty::whole(5),
        min_notional: Usd::ONE,
        fees: FeeSchedule::Free,
        taker_hold: Dur::ZERO,
        opens_at: Ts::ZERO,
        closes_at: Ts::MAX,
        accepting: true,
        neg_risk: false,
        version: "v1".into(),
        group: "g".into(),
    }
}

/// A protocol that follows one market of tokens [`T0`], [`T1`].
pub fn follower(tick: &str) -> MarketProtocol {
    let mut protocol = MarketProtocol::new();
    protocol.learn(&Event::MarketListed(std::borrow::Cow::Owned(market(0, CID, [T0, T1], tick))));
    protocol
}

/// Applies book events as the engine does and keeps the rest.
#[derive(Debug, Default)]
pub struct Keeper {
    pub book: Book,
    pub lost: Vec<BookLoss>,
    pub changes: Vec<MarketChange>,
    pub events: Vec<Event<'static>>,
    pub count: usize,
}

impl EventSink for Keeper {
    fn event(&mut self, event: Event<'_>) {
        self.count += 1;
        match event {
            Event::BookSnapshot { bids, asks, at, flags, .. } => {
                self.book.apply_snapshot(&bids, &asks, at, at, flags);
            }
            Event::BookDelta { bids, asks, at, .. } => {
                self.book.apply_delta(&bids, &asks, at, at);
            }
            Event::BookLost { why, book: BookId::Market(_) } => {
                self.book.lose(why);
                self.lost.push(why);
            }
            Event::MarketChanged { change, .. } => self.changes.push(change),
            Event::Print { book, px, qty, taker, at } => self.events.push(Event::Print { book, px, qty, taker, at }),
            Event::Resolved { market, first_pays, at } => self.events.push(Event::Resolved { market, first_pays, at }),
            Event::Reference { source, kind, px, at } => self.events.push(Event::Reference { source, kind, px, at }),
            Event::MarketListed(m) => self.events.push(Event::MarketListed(std::borrow::Cow::Owned(m.into_owned()))),
            _ => {}
        }
    }
}

pub fn feed<P: FeedProtocol>(p: &mut P, frame: &str, keeper: &mut Keeper) -> Result<FrameKind, DecodeError> {
    p.decode(Stamp::default(), frame.as_bytes(), &mut Registry::default(), keeper)
}

/// `book` of one token, as the socket sends it.
pub fn book(token: &str, at: u64, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> String {
    let side = |levels: &[(&str, &str)]| {
        levels.iter().map(|(p, s)| format!("{{\"price\":\"{p}\",\"size\":\"{s}\"}}")).collect::<Vec<_>>().join(",")
    };
    format!(
        "{{\"market\":\"{CID}\",\"asset_id\":\"{token}\",\"timestamp\":\"{at}\",\"hash\":\"ab\",\"bids\":[{}],\"asks\":[{}],\"event_type\":\"book\"}}",
        side(bids),
        side(asks)
    )
}

pub fn change(token: &str, price: &str, size: &str, side: &str) -> String {
    format!(
        "{{\"asset_id\":\"{token}\",\"price\":\"{price}\",\"size\":\"{size}\",\"side\":\"{side}\",\"hash\":\"h\",\"best_bid\":\"0.5\",\"best_ask\":\"\"}}"
    )
}

pub fn changes(at: u64, entries: &[String]) -> String {
    format!(
        "{{\"market\":\"{CID}\", \"price_changes\":[{}], \"timestamp\":\"{at}\", \"event_type\":\"price_change\"}}",
        entries.join(", ")
    )
}

pub const BIDS: [(&str, &str); 2] = [("0.47", "30"), ("0.48", "20")];
pub const ASKS: [(&str, &str); 2] = [("0.53", "60"), ("0.52", "25")];

/// A protocol and a keeper that hold the snapshot of [`BIDS`] and [`ASKS`].
pub fn synced() -> (MarketProtocol, Keeper) {
    let (mut p, mut k) = (follower("0.01"), Keeper::default());
    assert_eq!(feed(&mut p, &book(T0, 1_000, &BIDS, &ASKS), &mut k), Ok(FrameKind::Data));
    (p, k)
}

/// A REST `/book` body with every input of its hash, and the hash.
pub fn rest_book(token: &str, at: u64, bids: &str, tick: &str, min: &str) -> String {
    let body = |hash: &str| {
        format!(
            "{{\"market\":\"{CID}\",\"asset_id\":\"{token}\",\"timestamp\":\"{at}\",\"hash\":\"{hash}\",\"bids\":{bids},\"asks\":[],\"min_order_size\":\"{min}\",\"tick_size\":\"{tick}\",\"neg_risk\":false,\"last_trade_price\":\"\"}}"
        )
    };
    let hash = pm_polymarket::hash::book_hash(&serde_json::from_str(&body("")).unwrap());
    body(&hash)
}

/// `(price, size)` of levels, best first.
pub type Levels = Vec<(String, String)>;

/// Both sides.
pub fn ladders(book: &Book) -> (Levels, Levels) {
    let side = |l: &pm_core::book::Ladder| l.iter().map(|l| (l.px.to_string(), l.qty.to_string())).collect();
    (side(&book.bids), side(&book.asks))
}

/// A recording folder next to the workspace; prints and gives `None` where it is absent.
pub fn recordings(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if path.is_dir() {
        return Some(path);
    }
    println!("SKIPPED {test}: ../shared/data absent");
    None
}
