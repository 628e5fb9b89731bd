//! The paper venue through its door ([`Exchange`]): a small market, frames with the venue's time and the time of receipt, orders, and what
//! the venue said. All times are milliseconds; an order takes 40 ms either way unless a test says otherwise.

mod cancels;
mod delay;
mod matching;
mod same;

use std::collections::BTreeMap;

use pm_core::approval::{Approved, Gatekeeper};
use pm_core::book::{Book, BookFlags, Level};
use pm_core::command::VenueCommand;
use pm_core::event::{BookId, Event};
use pm_core::fees::FeeSchedule;
use pm_core::ids::{CurrencyId, InstrumentIdx, IntentId, MarketIdx, StructureId, VenueId};
use pm_core::instrument::Instrument;
use pm_core::market::{Market, Outcome, Rule};
use pm_core::order::{OrderIntent, Purpose, Side, Tif, Tradable};
use pm_core::refusal::Refusal;
use pm_core::time::{Dur, Ts};
use pm_core::traits::{Exchange, MarketView};
use pm_core::units::{Px, Qty, Ratio, Usd};

use super::{PaperConfig, PaperSettings, PaperVenue};

const VENUE: VenueId = VenueId(0);

/// Lets everything pass: the orders of these tests are no strategy's.
struct Anything;

impl Gatekeeper for Anything {
    fn check(&self, _: &OrderIntent) -> Result<(), Refusal> {
        Ok(())
    }
}

fn px(text: &str) -> Px {
    text.parse().unwrap()
}
fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}
fn ms(at: i64) -> Ts {
    Ts::from_millis(at)
}
fn levels(side: &[(&str, &str)]) -> Vec<Level> {
    side.iter().map(|(p, q)| Level { px: px(p), qty: qty(q) }).collect()
}

/// Prices and sizes of one side, best first.
type Levels<'a> = &'a [(&'a str, &'a str)];

fn market(idx: u32) -> Market {
    Market {
        idx: MarketIdx(idx),
        venue: VENUE,
        native: "0x".into(),
        slug: "slug".into(),
        question: "?".into(),
        tokens: ["1".into(), "2".into()],
        labels: ["Yes".into(), "No".into()],
        family: "above".into(),
        underlying: None,
        rule: Rule::NotUnderstood("not needed".into()),
        currency: CurrencyId(0),
        tick: px("0.01"),
        min_qty: Qty::whole(5),
        min_notional: Usd::ONE,
        fees: FeeSchedule::Curve { rate: Ratio::ZERO, exponent: 1, taker_only: true, maker_rebate: Ratio::ZERO },
        taker_hold: Dur::ZERO,
        opens_at: Ts::ZERO,
        closes_at: ms(1_000_000),
        accepting: true,
        neg_risk: false,
        version: "v1".into(),
        group: "g".into(),
    }
}

/// What the venue can see: two markets with their books.
struct View {
    markets: [Market; 2],
    books: BTreeMap<BookId, Book>,
}

impl MarketView for View {
    fn market(&self, idx: MarketIdx) -> Option<&Market> {
        self.markets.iter().find(|m| m.idx == idx)
    }
    fn instrument(&self, _: InstrumentIdx) -> Option<&Instrument> {
        None
    }
    fn book(&self, id: BookId) -> Option<&Book> {
        self.books.get(&id)
    }
    fn index_price(&self, _: InstrumentIdx) -> Option<Px> {
        None
    }
}

/// A venue with its market, driven like the drivers do it: what is due first, then the frame, then the venue sees it.
struct Rig {
    venue: PaperVenue,
    view: View,
    /// What arrived here, with its time.
    said: Vec<(Ts, Event<'static>)>,
    /// Asks the venue only when a frame comes, not at each instant that it names.
    lazy: bool,
}

impl Rig {
    fn new() -> Self {
        Self::with(PaperSettings { latency_ms: vec![40], ..PaperSettings::default() }, "1000")
    }

    fn with(settings: PaperSettings, cash: &str) -> Self {
        let capital = cash.parse().unwrap();
        let cfg = PaperConfig { venue: VENUE, currency: CurrencyId(0), capital, seed: 7, settings };
        let view = View { markets: [market(0), market(1)], books: BTreeMap::new() };
        Self { venue: PaperVenue::new(cfg), view, said: Vec::new(), lazy: false }
    }

    fn hold(mut self, hold: i64) -> Self {
        self.view.markets[0].taker_hold = Dur::from_millis(hold);
        self
    }

    fn advance(&mut self, until: Ts) {
        loop {
            let due = self.venue.next_due();
            if due > until {
                return;
            }
            let now = if self.lazy { until } else { due };
            let said = &mut self.said;
            self.venue.poll(now, &self.view, &mut |e: Event<'_>| {
                let kept = match e {
                    Event::Order(u) => Event::Order(u),
                    Event::Fill(f) => Event::Fill(f),
                    Event::Settlement(s) => Event::Settlement(s),
                    _ => return,
                };
                said.push((now, kept));
            });
        }
    }

    /// A frame that is received at `received`.
    fn event(&mut self, received: i64, event: &Event<'_>) {
        let now = ms(received);
        self.advance(now);
        match event {
            Event::BookSnapshot { book, bids, asks, at, flags } => {
                self.view.books.entry(*book).or_default().apply_snapshot(bids, asks, *at, now, *flags);
            }
            Event::BookDelta { book, bids, asks, at } => {
                self.view.books.entry(*book).or_default().apply_delta(bids, asks, *at, now);
            }
            _ => {}
        }
        self.venue.observe(now, event, &self.view);
    }

    /// The book of market 0 as the venue had it at `at`.
    fn book(&mut self, at: i64, received: i64, bids: Levels<'_>, asks: Levels<'_>) {
        self.snapshot(0, (at, received), (bids, asks), BookFlags::default());
    }

    fn sampled(&mut self, at: i64, received: i64, bids: Levels<'_>, asks: Levels<'_>) {
        self.snapshot(0, (at, received), (bids, asks), BookFlags { sampled: true, ..BookFlags::default() });
    }

    fn snapshot(&mut self, m: u32, (at, received): (i64, i64), (bids, asks): (Levels<'_>, Levels<'_>), flags: BookFlags) {
        let (bids, asks) = (levels(bids), levels(asks));
        let book = BookId::Market(MarketIdx(m));
        self.event(received, &Event::BookSnapshot { book, bids: bids.into(), asks: asks.into(), at: ms(at), flags });
    }

    /// One ask of market 0 becomes `size` at `at`.
    fn ask(&mut self, at: i64, received: i64, price: &str, size: &str) {
        let book = BookId::Market(MarketIdx(0));
        let asks = levels(&[(price, size)]);
        self.event(received, &Event::BookDelta { book, bids: Vec::new().into(), asks: asks.into(), at: ms(at) });
    }

    /// Somebody sells in market 0 at `at`.
    fn sold(&mut self, at: i64, received: i64, price: &str, size: &str) {
        let book = BookId::Market(MarketIdx(0));
        let print = Event::Print { book, px: px(price), qty: qty(size), taker: Side::Sell, at: ms(at) };
        self.event(received, &print);
    }

    /// Market 0 pays `First` at `at`.
    fn resolved(&mut self, at: i64, received: i64) {
        self.event(received, &Event::Resolved { market: MarketIdx(0), first_pays: Ratio::ONE, at: ms(at) });
    }

    /// A purchase of `First` that is decided at `decided`.
    fn buy(&mut self, decided: i64, id: u64, size: &str, limit: &str, tif: Tif) {
        self.submit(decided, id, (0, Outcome::First, Side::Buy), (size, limit), tif);
    }

    fn submit(&mut self, decided: i64, id: u64, (m, o, side): (u32, Outcome, Side), (size, limit): (&str, &str), tif: Tif) {
        let intent = OrderIntent {
            id: IntentId(id),
            structure: StructureId(id),
            venue: VENUE,
            target: Tradable::Outcome(MarketIdx(m), o),
            side,
            limit: px(limit),
            qty: qty(size),
            tif,
            purpose: Purpose::Entry,
            decided_at: ms(decided),
        };
        self.command(decided, &VenueCommand::Submit(Approved::by(&Anything, intent).unwrap()));
    }

    fn cancel(&mut self, decided: i64, id: u64) {
        self.command(decided, &VenueCommand::Cancel { venue: VENUE, intent: IntentId(id) });
    }

    fn cancel_all(&mut self, decided: i64) {
        self.command(decided, &VenueCommand::CancelAll { venue: VENUE });
    }

    fn command(&mut self, decided: i64, command: &VenueCommand) {
        self.advance(ms(decided));
        self.venue.submit(ms(decided), command);
    }

    /// Everything said about an order until `until`: time of arrival here, word, venue time in brackets.
    fn words(&mut self, until: i64, id: u64) -> Vec<String> {
        self.advance(ms(until));
        let about = |(now, e): &(Ts, Event<'static>)| match e {
            Event::Fill(f) if f.intent == IntentId(id) => {
                Some(format!("{} {} @ {} ({})", now.millis(), f.qty, f.px, f.at.millis()))
            }
            Event::Order(u) if u.intent == IntentId(id) => {
                let why = u.reason.map_or(String::new(), |r| format!(" {}", r.code()));
                Some(format!("{} {:?}{why} ({})", now.millis(), u.state, u.at.millis()))
            }
            _ => None,
        };
        self.said.iter().filter_map(about).collect()
    }
}
