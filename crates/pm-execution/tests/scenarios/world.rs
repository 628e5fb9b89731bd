//! The real program around a script: decoders, engine, driver and two paper venues; and everything that came out, in order.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use pm_bybit::{Category, PublicProtocol, RestProtocol};
use pm_core::command::{Alert, KillRecord, VenueCommand};
use pm_core::event::{Event, Operator};
use pm_core::ids::{CurrencyId, MarketIdx, UnderlyingId, VenueId};
use pm_core::order::{Fill, OrderIntent, OrderUpdate, Purpose};
use pm_core::record::{OpportunityRow, Record, TradeRow};
use pm_core::registry::{Catalog, Registry, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{DecodeError, EventSink, Exchange, FeedProtocol, FrameKind, MarketView};
use pm_core::units::{Qty, Ratio, Usd};
use pm_engine::journal::{Header, JOURNAL_VERSION};
use pm_engine::paper::{PaperConfig, PaperSettings, PaperVenue};
use pm_engine::{Capital, Engine, EngineConfig, EngineSettings};
use pm_execution::driver::{CommandSink, Control, Core, Feed, Hooks, RunError, run};
use pm_execution::journal::JournalWriter;
use pm_polymarket::gamma_feed::{GammaProtocol, GammaSettings};
use pm_polymarket::live::LiveProtocol;
use pm_polymarket::market::MarketProtocol;
use pm_reference::SpotProtocol;
use pm_risk::RiskConfig;
use pm_strategy::{ModelConfig, StrategyConfig};

use crate::script::{Frames, Script};

pub const POLY: VenueId = VenueId(0);
pub const BYBIT: VenueId = VenueId(1);
pub const PUSD: CurrencyId = CurrencyId(0);
pub const USDT: CurrencyId = CurrencyId(1);

pub fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}
pub fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}
pub fn px(text: &str) -> pm_core::units::Px {
    text.parse().unwrap()
}
pub fn ratio(text: &str) -> Ratio {
    text.parse().unwrap()
}

pub fn catalog() -> Catalog {
    let underlyings = ["BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE"];
    let sources = underlyings.iter().enumerate().flat_map(|(i, u)| {
        let underlying = UnderlyingId(u8::try_from(i).unwrap());
        [format!("chainlink:{}/usd", u.to_lowercase()), format!("binance:{u}USDT")]
            .map(|name| SourceInfo { name: name.into(), underlying })
    });
    let venue = |name: &str, role, currency| VenueInfo { name: name.into(), role, currency };
    Catalog {
        venues: vec![
            venue("polymarket", VenueRole::Prediction, PUSD),
            venue("bybit", VenueRole::Hedge, USDT),
            venue("binance", VenueRole::Reference, USDT),
        ],
        currencies: ["pUSD", "USDT", "USDC", "POL"].map(Arc::from).to_vec(),
        sources: sources.collect(),
        underlyings: underlyings.iter().map(|u| Arc::from(*u)).collect(),
    }
}

/// Everything that came out of a run, in order.
#[derive(Debug, Clone)]
pub enum Said {
    Submit(Ts, OrderIntent),
    Cancel(VenueId),
    CancelAll(VenueId),
    Kill(KillRecord),
    Alert(Alert),
    Record(Record),
    /// A venue's answer, as the engine got it.
    Answer(Ts, Box<Event<'static>>),
}

type Log = Rc<RefCell<Vec<Said>>>;

struct Sink(Log);

impl CommandSink for Sink {
    fn persist(&mut self, record: Record) {
        self.0.borrow_mut().push(Said::Record(record));
    }
    fn alert(&mut self, _: Ts, alert: &Alert) {
        self.0.borrow_mut().push(Said::Alert(alert.clone()));
    }
    fn kill_switch(&mut self, record: &KillRecord) {
        self.0.borrow_mut().push(Said::Kill(record.clone()));
    }
}

/// The paper venue, shared with the test that looks at its accounts; its commands and answers go to the log.
struct Shared {
    venue: Rc<RefCell<PaperVenue>>,
    log: Log,
}

impl Exchange for Shared {
    fn venue(&self) -> VenueId {
        self.venue.borrow().venue()
    }
    fn submit(&mut self, now: Ts, command: &VenueCommand) {
        self.log.borrow_mut().push(match command {
            VenueCommand::Submit(a) => Said::Submit(now, a.intent().clone()),
            VenueCommand::Cancel { venue, .. } => Said::Cancel(*venue),
            VenueCommand::CancelAll { venue } => Said::CancelAll(*venue),
        });
        self.venue.borrow_mut().submit(now, command);
    }
    fn observe(&mut self, now: Ts, event: &Event<'_>, view: &dyn MarketView) {
        self.venue.borrow_mut().observe(now, event, view);
    }
    fn next_due(&self) -> Ts {
        self.venue.borrow().next_due()
    }
    fn poll(&mut self, now: Ts, view: &dyn MarketView, out: &mut dyn EventSink) {
        let log = &self.log;
        self.venue.borrow_mut().poll(now, view, &mut |e: Event<'_>| {
            let kept = match &e {
                Event::Fill(f) => Some(Event::Fill(f.clone())),
                Event::Order(u) => Some(Event::Order(u.clone())),
                Event::Settlement(s) => Some(Event::Settlement(*s)),
                Event::Cash(c) => Some(Event::Cash(*c)),
                _ => None,
            };
            log.borrow_mut().extend(kept.map(|e| Said::Answer(now, Box::new(e))));
            out.event(e);
        });
    }
}

/// Words that no public frame carries, as the engine's own events.
pub struct Events;

impl FeedProtocol for Events {
    fn decode(&mut self, _: Stamp, frame: &[u8], _: &mut Registry, out: &mut dyn EventSink) -> Result<FrameKind, DecodeError> {
        let event: Event<'_> = serde_json::from_slice(frame).map_err(|e| DecodeError::new(e.to_string()))?;
        out.event(event);
        Ok(FrameKind::Data)
    }
    fn reset(&mut self, _: &mut dyn EventSink) {}
}

struct Operators<'a> {
    script: &'a Script,
    taken: usize,
    waiting: Vec<Operator>,
    looked: bool,
}

impl Hooks for Operators<'_> {
    fn between(&mut self, core: &Core, _: Ts, _: (u64, u64)) -> Control {
        core.engine.ledger().check().unwrap();
        if !self.looked {
            self.waiting = self.script.orders.get(&self.taken).cloned().unwrap_or_default();
            self.waiting.reverse();
            self.looked = true;
        }
        if let Some(order) = self.waiting.pop() {
            return Control::Operator(order);
        }
        (self.taken, self.looked) = (self.taken + 1, false);
        Control::Continue
    }
}

/// Settings of one run. The defaults make decisions plain: volatility fixed at 10 %, one latency of 40 ms, nothing warms up for long, so
/// that a strike far from the price is worth 0.999 to 1.
#[derive(Debug, Clone)]
pub struct World {
    pub cfg: EngineConfig,
    pub poly: PaperSettings,
    pub bybit: PaperSettings,
    pub taker_hold: Dur,
    pub journal: Option<PathBuf>,
}

impl Default for World {
    fn default() -> Self {
        let model = ModelConfig {
            vol_sample_s: 2,
            vol_floor_annual: ratio("0.1"),
            vol_cap_annual: ratio("0.1"),
            min_vol_samples: 1,
            min_basis_samples: 1,
            max_reference_age: Dur::from_secs(600),
            max_hedge_age: Dur::from_secs(600),
            ..ModelConfig::default()
        };
        let strategy = StrategyConfig { settlement_failure_rate: Ratio::ZERO, ..StrategyConfig::default() };
        let paper = PaperSettings { latency_ms: vec![40], ..PaperSettings::default() };
        let capital = |venue, currency| Capital { venue, currency, amount: Usd::whole(1_000) };
        Self {
            cfg: EngineConfig {
                catalog: catalog(),
                capital: vec![capital(POLY, PUSD), capital(BYBIT, USDT)],
                risk: RiskConfig::default(),
                model,
                strategy,
                engine: EngineSettings::default(),
            },
            poly: paper.clone(),
            bybit: paper,
            taker_hold: Dur::ZERO,
            journal: None,
        }
    }
}

/// What a run left behind.
pub struct Outcome {
    pub core: Core,
    pub log: Vec<Said>,
    pub poly: Rc<RefCell<PaperVenue>>,
    pub bybit: Rc<RefCell<PaperVenue>>,
    pub result: Result<(), RunError>,
}

impl World {
    /// Capital on the two venues.
    pub fn capital(mut self, poly: &str, bybit: &str) -> Self {
        for (slot, amount) in self.cfg.capital.iter_mut().zip([poly, bybit]) {
            slot.amount = usd(amount);
        }
        self
    }

    fn paper(&self, venue: VenueId, settings: &PaperSettings) -> Rc<RefCell<PaperVenue>> {
        let capital = self.cfg.capital.iter().find(|c| c.venue == venue).unwrap();
        Rc::new(RefCell::new(PaperVenue::new(PaperConfig {
            venue,
            currency: capital.currency,
            capital: capital.amount,
            seed: 7,
            settings: settings.clone(),
        })))
    }

    fn feeds(&self) -> Vec<Feed> {
        let feed = |name: &str, venue, protocol| Feed { name: name.to_owned(), venue, protocol };
        let catalog = catalog();
        let settings = GammaSettings { taker_hold_default: self.taker_hold, ..GammaSettings::default() };
        vec![
            feed("polymarket.market", POLY, Box::new(MarketProtocol::new()) as Box<dyn FeedProtocol>),
            feed("polymarket.gamma", POLY, Box::new(GammaProtocol::new(catalog.clone(), settings).unwrap())),
            feed("polymarket.live", POLY, Box::new(LiveProtocol::new(catalog.clone(), vec!["btcusd".to_owned()]))),
            feed("bybit.linear", BYBIT, Box::new(PublicProtocol::new(Category::Linear, &catalog).unwrap())),
            feed("bybit.rest", BYBIT, Box::new(RestProtocol::new(&catalog).unwrap())),
            feed("binance.spot", VenueId(2), Box::new(SpotProtocol::new(&catalog))),
            feed("test.events", POLY, Box::new(Events)),
        ]
    }

    /// Plays a script to its end.
    pub fn play(&self, script: &Script) -> Outcome {
        let log: Log = Rc::default();
        let (poly, bybit) = (self.paper(POLY, &self.poly), self.paper(BYBIT, &self.bybit));
        let journal = self.journal.as_ref().map(|path| {
            let header = Header {
                version: JOURNAL_VERSION,
                build: "test".into(),
                source: "script".into(),
                seed: 7,
                config: self.cfg.clone(),
            };
            JournalWriter::create(path, &header).unwrap()
        });
        let venues: Vec<Box<dyn Exchange>> = vec![
            Box::new(Shared { venue: Rc::clone(&poly), log: Rc::clone(&log) }),
            Box::new(Shared { venue: Rc::clone(&bybit), log: Rc::clone(&log) }),
        ];
        let engine = Box::new(Engine::new(self.cfg.clone()).unwrap());
        let mut core = Core::new(engine, venues, Box::new(Sink(Rc::clone(&log))), journal);
        let mut hooks = Operators { script, taken: 0, waiting: Vec::new(), looked: false };
        let result = run(&mut core, &mut self.feeds(), &mut Registry::default(), &mut Frames::new(script), &mut hooks);
        core.finish().unwrap();
        core.engine.ledger().check().unwrap();
        let log = log.borrow().clone();
        Outcome { core, log, poly, bybit, result }
    }
}

impl Outcome {
    /// Orders sent, in order, with the time of the decision in milliseconds after the begin.
    pub fn orders(&self) -> Vec<OrderIntent> {
        self.log.iter().filter_map(|s| if let Said::Submit(_, i) = s { Some(i.clone()) } else { None }).collect()
    }
    pub fn entries(&self) -> Vec<OrderIntent> {
        self.orders().into_iter().filter(|o| o.purpose == Purpose::Entry).collect()
    }
    /// Venues' answers as the engine got them.
    fn answers(&self) -> impl Iterator<Item = &Event<'static>> {
        self.log.iter().filter_map(|s| if let Said::Answer(_, e) = s { Some(&**e) } else { None })
    }
    /// Fills as the engine got them.
    pub fn fills(&self) -> Vec<Fill> {
        self.answers().filter_map(|e| if let Event::Fill(f) = e { Some(f.clone()) } else { None }).collect()
    }
    /// Fills in words: `price x quantity, fee`.
    pub fn fill_words(&self) -> Vec<String> {
        self.fills().iter().map(|f| format!("{} {} @ {} fee {}", f.side.as_str(), f.qty, f.px, f.fee)).collect()
    }
    pub fn updates(&self) -> Vec<OrderUpdate> {
        self.answers().filter_map(|e| if let Event::Order(u) = e { Some(u.clone()) } else { None }).collect()
    }
    /// Rows of closed trade legs.
    pub fn trades(&self) -> Vec<TradeRow> {
        self.records(|r| if let Record::Trade(t) = r { Some((**t).clone()) } else { None })
    }
    pub fn opportunities(&self) -> Vec<OpportunityRow> {
        self.records(|r| if let Record::Opportunity(o) = r { Some((**o).clone()) } else { None })
    }
    pub fn records<T>(&self, pick: impl Fn(&Record) -> Option<T>) -> Vec<T> {
        self.log.iter().filter_map(|s| if let Said::Record(r) = s { pick(r) } else { None }).collect()
    }
    /// Times that an episode ended refused, by code.
    pub fn refused(&self, code: &str) -> u64 {
        self.core.engine.stats().refused.get(code).copied().unwrap_or(0)
    }
    pub fn kills(&self) -> Vec<KillRecord> {
        self.log.iter().filter_map(|s| if let Said::Kill(k) = s { Some(k.clone()) } else { None }).collect()
    }
    /// Cash on both venues, where ledger and venue must agree to the last unit.
    pub fn cash(&self) -> (Usd, Usd) {
        let ledger = self.core.engine.ledger();
        let (poly, bybit) = (ledger.cash(POLY, PUSD), ledger.cash(BYBIT, USDT));
        assert_eq!((poly, bybit), (self.poly.borrow().cash(), self.bybit.borrow().cash()), "ledger and venue disagree");
        (poly, bybit)
    }
    /// Asserts the cash of both venues, that nothing is open, and that the run ended well.
    pub fn settled(&self, poly: &str, bybit: &str) {
        self.result.as_ref().unwrap();
        assert_eq!(self.cash(), (usd(poly), usd(bybit)));
        assert_eq!(self.core.engine.open_structures(), 0, "a structure is still open");
        assert_eq!(self.core.engine.ledger().open_cost(), Usd::ZERO);
        assert_eq!(self.core.engine.ledger().positions().count(), 0, "shares or contracts are left");
        let made = usd(poly) + usd(bybit) - self.core.engine.capital_start();
        assert_eq!(self.core.engine.ledger().realized_total(), made, "result = change of cash once nothing is open");
    }
    pub fn market(&self, slot: u32) -> pm_engine::MarketState<'_> {
        self.core.engine.markets().find(|m| m.market.idx == MarketIdx(slot)).unwrap()
    }
}
