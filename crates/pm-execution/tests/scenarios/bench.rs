//! Engine and paper venues without the driver, one step at a time, so that a test can look after every single step; and a gatekeeper that
//! lets everything pass, for orders that no strategy would send.

use pm_bybit::{Category, PublicProtocol, RestProtocol};
use pm_core::approval::{Approved, Gatekeeper};
use pm_core::command::{Command, VenueCommand};
use pm_core::event::{Event, Operator};
use pm_core::ids::{IntentId, StructureId, VenueId};
use pm_core::order::{Fill, OrderIntent, OrderUpdate};
use pm_core::refusal::Refusal;
use pm_core::registry::Registry;
use pm_core::time::{Dur, Stamp, Ts};
use pm_core::traits::{EventSink, Exchange, FeedProtocol};
use pm_engine::Engine;
use pm_engine::paper::{PaperConfig, PaperVenue};
use pm_polymarket::gamma_feed::{GammaProtocol, GammaSettings};
use pm_polymarket::live::LiveProtocol;
use pm_polymarket::market::MarketProtocol;
use pm_reference::SpotProtocol;

use crate::script::Script;
use crate::world::{BYBIT, POLY, PUSD, USDT, World, catalog};

pub struct Anything;

impl Gatekeeper for Anything {
    fn check(&self, _: &OrderIntent) -> Result<(), Refusal> {
        Ok(())
    }
}

/// What a test sees of one step.
pub struct Step<'a> {
    pub engine: &'a Engine,
    pub venues: &'a [PaperVenue; 2],
    pub now: Ts,
    pub event: &'a Event<'a>,
    pub commands: &'a [Command],
    /// The switch was tripped before the step.
    pub was_tripped: bool,
    /// Nothing is on its way from or to a venue.
    pub quiet: bool,
}

type Look = Box<dyn FnMut(&Step<'_>)>;

/// Engine, venues and the looker-on.
pub struct Inner {
    pub engine: Engine,
    pub venues: [PaperVenue; 2],
    pub now: Ts,
    pub fills: Vec<Fill>,
    pub updates: Vec<OrderUpdate>,
    pub steps: u64,
    listings: Vec<Event<'static>>,
    next_timer: Ts,
    /// Answers that a venue gave and that the engine has not seen yet.
    unseen: usize,
    look: Look,
}

impl EventSink for Inner {
    fn event(&mut self, event: Event<'_>) {
        match &event {
            Event::MarketListed(m) => {
                self.listings.push(Event::MarketListed(std::borrow::Cow::Owned(m.clone().into_owned())));
            }
            Event::InstrumentListed(i) => {
                self.listings.push(Event::InstrumentListed(std::borrow::Cow::Owned(i.clone().into_owned())));
            }
            Event::MarketChanged { market, change } => {
                self.listings.push(Event::MarketChanged { market: *market, change: *change });
            }
            _ => {}
        }
        self.step(self.now, &event);
    }
}

impl Inner {
    pub fn step(&mut self, now: Ts, event: &Event<'_>) {
        self.now = self.now.max(now);
        let now = self.now;
        self.steps += 1;
        let was_tripped = self.engine.risk().tripped().is_some();
        let mut commands = Vec::new();
        self.engine.step(now, event, &mut commands);
        for command in &commands {
            if let Command::Venue(c) = command {
                self.send(now, c);
            }
        }
        for venue in &mut self.venues {
            venue.observe(now, event, self.engine.view());
        }
        let quiet = self.unseen == 0 && self.venues.iter().all(|v| v.next_due() == Ts::MAX);
        (self.look)(&Step { engine: &self.engine, venues: &self.venues, now, event, commands: &commands, was_tripped, quiet });
    }

    pub fn send(&mut self, now: Ts, command: &VenueCommand) {
        for venue in self.venues.iter_mut().filter(|v| v.venue() == command.venue()) {
            venue.submit(now, command);
        }
    }

    /// Answers and timers up to `until`.
    pub fn advance(&mut self, until: Ts) {
        loop {
            let due = self.venues.iter().map(Exchange::next_due).min().unwrap();
            if due.min(self.next_timer) > until {
                break;
            }
            if due > self.next_timer {
                let at = self.next_timer;
                self.next_timer = at + Dur::from_millis(100);
                self.step(at, &Event::Timer);
                continue;
            }
            let mut answers: Vec<Event<'static>> = Vec::new();
            for venue in &mut self.venues {
                venue.poll(due, self.engine.view(), &mut |e: Event<'_>| {
                    answers.push(serde_json::from_slice(&serde_json::to_vec(&e).unwrap()).unwrap());
                });
            }
            self.unseen = answers.len();
            for answer in answers {
                self.unseen -= 1;
                match &answer {
                    Event::Fill(f) => self.fills.push(f.clone()),
                    Event::Order(u) => self.updates.push(u.clone()),
                    _ => {}
                }
                self.step(due, &answer);
            }
        }
    }
}

/// The inner part with decoders before it.
pub struct Bench {
    pub inner: Inner,
    feeds: Vec<Box<dyn FeedProtocol>>,
    registry: Registry,
    next: u64,
}

impl Bench {
    pub fn new(world: &World, look: impl FnMut(&Step<'_>) + 'static) -> Self {
        let catalog = catalog();
        let venue = |venue: VenueId, currency, settings: &pm_engine::paper::PaperSettings| {
            let capital = world.cfg.capital.iter().find(|c| c.venue == venue).unwrap().amount;
            PaperVenue::new(PaperConfig { venue, currency, capital, seed: 11, settings: settings.clone() })
        };
        let gamma = GammaSettings { taker_hold_default: world.taker_hold, ..GammaSettings::default() };
        Self {
            inner: Inner {
                engine: Engine::new(world.cfg.clone()).unwrap(),
                venues: [venue(POLY, PUSD, &world.poly), venue(BYBIT, USDT, &world.bybit)],
                now: Ts::ZERO,
                fills: Vec::new(),
                updates: Vec::new(),
                steps: 0,
                listings: Vec::new(),
                next_timer: crate::script::ts(100),
                unseen: 0,
                look: Box::new(look),
            },
            feeds: vec![
                Box::new(MarketProtocol::new()),
                Box::new(GammaProtocol::new(catalog.clone(), gamma).unwrap()),
                Box::new(LiveProtocol::new(catalog.clone(), Vec::new())),
                Box::new(PublicProtocol::new(Category::Linear, &catalog).unwrap()),
                Box::new(RestProtocol::new(&catalog).unwrap()),
                Box::new(SpotProtocol::new(&catalog)),
                Box::new(crate::world::Events),
            ],
            registry: Registry::default(),
            next: 1_000_000,
        }
    }

    /// Plays frames and operators' orders. Decode errors are part of the game.
    pub fn play(&mut self, script: &Script) {
        for (i, (at, feed, bytes)) in script.frames.iter().enumerate() {
            for order in script.orders.get(&i).into_iter().flatten() {
                self.operator(order);
            }
            self.inner.advance(*at);
            self.inner.now = self.inner.now.max(*at);
            let stamp = Stamp { wall: *at, mono_ns: 0 };
            let feed = &mut self.feeds[usize::from(*feed)];
            let _ = feed.decode(stamp, bytes, &mut self.registry, &mut self.inner);
            for listing in self.inner.listings.drain(..) {
                for feed in &mut self.feeds {
                    feed.learn(&listing);
                }
            }
        }
    }

    pub fn operator(&mut self, order: &Operator) {
        let now = self.inner.now;
        self.inner.step(now, &Event::Operator(order.clone()));
    }

    /// Sends an order straight to the venue. Its id is far from the engine's own.
    pub fn submit(&mut self, at: Ts, mut intent: OrderIntent) -> IntentId {
        self.inner.advance(at);
        self.inner.now = self.inner.now.max(at);
        self.next += 1;
        (intent.id, intent.structure) = (IntentId(self.next), StructureId(self.next));
        intent.decided_at = at;
        let approved = Approved::by(&Anything, intent).unwrap();
        self.inner.send(at, &VenueCommand::Submit(approved));
        IntentId(self.next)
    }

    /// Words on one order: fills, then its last state.
    pub fn words(&self, id: IntentId) -> Vec<String> {
        let fills = self.inner.fills.iter().filter(|f| f.intent == id);
        let mut words: Vec<String> = fills.map(|f| format!("{} @ {} fee {} {:?}", f.qty, f.px, f.fee, f.liquidity)).collect();
        let last = self.inner.updates.iter().rfind(|u| u.intent == id);
        words.extend(last.map(|u| format!("{:?} {}", u.state, u.reason.map_or("", |r| r.code())).trim().to_owned()));
        words
    }
}
