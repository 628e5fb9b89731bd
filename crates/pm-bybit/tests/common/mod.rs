//! What the tests share: a catalog, a listing, a runner that keeps books, and the way to recordings outside the repository.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use pm_bybit::{Category, PublicProtocol, PublicSettings, RestProtocol, VENUE};
use pm_core::book::Book;
use pm_core::event::{BookId, Event, Ticker};
use pm_core::ids::{CurrencyId, InstrumentIdx};
use pm_core::instrument::Instrument;
use pm_core::registry::{Catalog, Registry, VenueInfo, VenueRole};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};

pub fn catalog() -> Catalog {
    let words = |list: &[&str]| list.iter().map(|w| Arc::from(*w)).collect();
    Catalog {
        venues: vec![
            VenueInfo { name: Arc::from("polymarket"), role: VenueRole::Prediction, currency: CurrencyId(0) },
            VenueInfo { name: Arc::from(VENUE), role: VenueRole::Hedge, currency: CurrencyId(1) },
        ],
        currencies: words(&["pUSD", "USDT", "USDC", "POL"]),
        underlyings: words(&["BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE"]),
        sources: vec![],
    }
}

/// The data folder, or a line that says which test was skipped for want of it.
pub fn data(test: &str, path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if full.exists() {
        return Some(full);
    }
    println!("SKIPPED {test}: ../shared/data absent ({path})");
    None
}

/// Text of a gzip file.
pub fn gunzip(path: &std::path::Path) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// A REST answer around instrument rows.
pub fn listing(category: &str, rows: &[&str]) -> String {
    format!(
        r#"{{"retCode":0,"retMsg":"OK","result":{{"category":"{category}","list":[{}],"nextPageCursor":""}},"retExtInfo":{{}},"time":1786310817601}}"#,
        rows.join(",")
    )
}

pub fn linear_row(symbol: &str, base: &str, tick: &str) -> String {
    format!(
        r#"{{"symbol":"{symbol}","contractType":"LinearPerpetual","status":"Trading","baseCoin":"{base}","quoteCoin":"USDT","settleCoin":"USDT","deliveryTime":"0","leverageFilter":{{"maxLeverage":"100.00"}},"priceFilter":{{"tickSize":"{tick}"}},"lotSizeFilter":{{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","minNotionalValue":"5"}}}}"#
    )
}

/// An event in words, owned.
pub fn words(event: &Event<'_>) -> String {
    match event {
        Event::BookSnapshot { bids, asks, at, .. } => format!("snapshot {}x{} @{}", bids.len(), asks.len(), at.millis()),
        Event::BookDelta { bids, asks, at, .. } => format!("delta {}x{} @{}", bids.len(), asks.len(), at.millis()),
        Event::BookLost { why, .. } => format!("lost {why:?}"),
        Event::Print { px, qty, taker, at, .. } => format!("print {taker:?} {qty} at {px} @{}", at.millis()),
        Event::Ticker { at, .. } => format!("ticker @{}", at.millis()),
        Event::Venue { word, .. } => format!("venue {word:?}"),
        other => format!("{other:?}"),
    }
}

/// A protocol with everything behind it that a consumer would have.
pub struct Run {
    pub public: PublicProtocol,
    pub registry: Registry,
    pub books: BTreeMap<InstrumentIdx, Book>,
    pub tickers: BTreeMap<InstrumentIdx, Ticker>,
    pub instruments: Vec<Instrument>,
    pub log: Vec<String>,
    pub crossed: u64,
}

impl Run {
    pub fn new(category: Category) -> Self {
        Self::with(category, |_| {})
    }

    pub fn with(category: Category, change: impl FnOnce(&mut PublicSettings)) -> Self {
        let mut settings = PublicSettings::of(category);
        settings.audit = true;
        change(&mut settings);
        Self {
            public: PublicProtocol::with_settings(category, &catalog(), settings).unwrap(),
            registry: Registry::default(),
            books: BTreeMap::new(),
            tickers: BTreeMap::new(),
            instruments: Vec::new(),
            log: Vec::new(),
            crossed: 0,
        }
    }

    /// A run that knows BTCUSDT with a tick of 0.1.
    pub fn btc() -> Self {
        let mut run = Self::new(Category::Linear);
        run.list(&listing("linear", &[&linear_row("BTCUSDT", "BTC", "0.10")]));
        run
    }

    pub fn list(&mut self, body: &str) {
        let mut rest = RestProtocol::new(&catalog()).unwrap();
        rest.decode(Stamp::default(), body.as_bytes(), &mut self.registry, &mut |e: Event<'_>| {
            self.public.learn(&e);
            if let Event::InstrumentListed(i) = e {
                self.instruments.push(i.into_owned());
            }
        })
        .unwrap();
        assert_eq!(rest.take_row_errors(), vec![]);
    }

    pub fn decode(&mut self, frame: &[u8]) -> Result<FrameKind, DecodeError> {
        let (books, tickers, log, crossed) = (&mut self.books, &mut self.tickers, &mut self.log, &mut self.crossed);
        self.public.decode(Stamp::default(), frame, &mut self.registry, &mut |e: Event<'_>| {
            log.push(words(&e));
            apply(books, tickers, &e);
            *crossed += u64::from(books.values().any(Book::is_crossed));
        })
    }

    pub fn reset(&mut self) {
        let log = &mut self.log;
        self.public.reset(&mut |e: Event<'_>| log.push(words(&e)));
    }

    /// What happened since the last call.
    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    pub fn idx(&self, category: Category, symbol: &str) -> InstrumentIdx {
        self.registry.find_instrument(catalog().venue(VENUE).unwrap(), &category.key(symbol)).unwrap()
    }

    /// Best bid and ask as text.
    pub fn touch(&self, category: Category, symbol: &str) -> (String, String) {
        let book = &self.books[&self.idx(category, symbol)];
        (book.bids.best().unwrap().px.to_string(), book.asks.best().unwrap().px.to_string())
    }
}

fn apply(books: &mut BTreeMap<InstrumentIdx, Book>, tickers: &mut BTreeMap<InstrumentIdx, Ticker>, event: &Event<'_>) {
    match event {
        Event::BookSnapshot { book: BookId::Instrument(i), bids, asks, at, flags } => {
            books.entry(*i).or_default().apply_snapshot(bids, asks, *at, Ts::ZERO, *flags);
        }
        Event::BookDelta { book: BookId::Instrument(i), bids, asks, at } => {
            books.entry(*i).or_default().apply_delta(bids, asks, *at, Ts::ZERO);
        }
        Event::BookLost { book: BookId::Instrument(i), why } => books.entry(*i).or_default().lose(*why),
        Event::Ticker { instrument, ticker, .. } => {
            tickers.insert(*instrument, *ticker);
        }
        _ => {}
    }
}
