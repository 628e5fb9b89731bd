//! The whole path on the synthetic stream, on one core: frame, decode, book, fair value, episodes, gates, paper venue, decision hash and
//! journal. Frames are made beforehand; the time is that of the path alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use pm_core::ids::{CurrencyId, FeedId, UnderlyingId, VenueId};
use pm_core::registry::{Catalog, Registry, SourceInfo, VenueInfo, VenueRole};
use pm_core::time::{Stamp, Ts};
use pm_core::traits::FeedProtocol;
use pm_core::units::Usd;
use pm_engine::journal::{Header, JOURNAL_VERSION};
use pm_engine::paper::{PaperConfig, PaperVenue};
use pm_engine::{Capital, Engine, EngineConfig, EngineSettings};
use pm_execution::driver::{self, CommandSink, Control, Core, Feed, Hooks};
use pm_execution::journal::JournalWriter;
use pm_execution::source::{Frame, FrameSource, Input, SourceError};

/// Frames of the stream: about an hour and a half of market time.
const FRAMES: usize = 200_000;

struct Nothing;

impl CommandSink for Nothing {
    fn persist(&mut self, record: pm_core::record::Record) {
        black_box(record);
    }
    fn alert(&mut self, _: Ts, _: &pm_core::command::Alert) {}
    fn kill_switch(&mut self, _: &pm_core::command::KillRecord) {}
}

struct Go;

impl Hooks for Go {
    fn between(&mut self, _: &Core, _: Ts, _: (u64, u64)) -> Control {
        Control::Continue
    }
}

struct Stream {
    bytes: Vec<u8>,
    frames: Vec<(Ts, u16, usize, usize)>,
}

struct Playing<'a> {
    stream: &'a Stream,
    at: usize,
    end: usize,
}

impl FrameSource for Playing<'_> {
    fn next(&mut self) -> Result<Option<Input<'_>>, SourceError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let (wall, feed, from, to) = self.stream.frames[self.at];
        self.at += 1;
        let stamp = Stamp { wall, mono_ns: 0 };
        Ok(Some(Input::Frame(Frame { stamp, feed: FeedId(feed), bytes: &self.stream.bytes[from..to] })))
    }
}

fn catalog() -> Catalog {
    let venue = |name: &str, role, c| VenueInfo { name: name.into(), role, currency: CurrencyId(c) };
    let source = |name: &str, u| SourceInfo { name: name.into(), underlying: UnderlyingId(u) };
    Catalog {
        venues: vec![
            venue("polymarket", VenueRole::Prediction, 0),
            venue("bybit", VenueRole::Hedge, 1),
            venue("binance", VenueRole::Reference, 1),
        ],
        currencies: vec!["pUSD".into(), "USDT".into()],
        underlyings: vec!["BTC".into(), "ETH".into()],
        sources: vec![
            source("chainlink:btc/usd", 0),
            source("chainlink:eth/usd", 1),
            source("binance:BTCUSDT", 0),
            source("binance:ETHUSDT", 1),
        ],
    }
}

fn protocol(name: &str, catalog: &Catalog) -> Box<dyn FeedProtocol> {
    match name {
        "polymarket.market" => Box::new(pm_polymarket::market::MarketProtocol::new()),
        "polymarket.gamma" => {
            Box::new(pm_polymarket::gamma_feed::GammaProtocol::new(catalog.clone(), Default::default()).unwrap())
        }
        "polymarket.live" => Box::new(pm_polymarket::live::LiveProtocol::new(catalog.clone(), Vec::new())),
        "bybit.linear" => Box::new(pm_bybit::PublicProtocol::new(pm_bybit::Category::Linear, catalog).unwrap()),
        "bybit.rest" => Box::new(pm_bybit::RestProtocol::new(catalog).unwrap()),
        "binance.spot" => Box::new(pm_reference::SpotProtocol::new(catalog)),
        other => panic!("the simulator has no feed {other}"),
    }
}

fn stream() -> (Stream, Vec<&'static str>) {
    let mut sim = pm_sim::Simulator::new(pm_sim::SimConfig { seed: 1, ..Default::default() }).unwrap();
    let names = sim.feeds().to_vec();
    let mut stream = Stream { bytes: Vec::new(), frames: Vec::with_capacity(FRAMES) };
    while stream.frames.len() < FRAMES {
        let frame = sim.next().unwrap();
        let from = stream.bytes.len();
        stream.bytes.extend_from_slice(frame.bytes);
        stream.frames.push((frame.at, u16::try_from(frame.feed).unwrap(), from, from + frame.bytes.len()));
    }
    (stream, names)
}

fn core(dir: &std::path::Path, catalog: &Catalog, number: u32) -> Core {
    let capital = |v, c| Capital { venue: VenueId(v), currency: CurrencyId(c), amount: Usd::whole(500) };
    let config = EngineConfig {
        catalog: catalog.clone(),
        capital: vec![capital(0, 0), capital(1, 1)],
        risk: Default::default(),
        model: Default::default(),
        strategy: Default::default(),
        engine: EngineSettings::default(),
    };
    let venue = |v, c| {
        let config = PaperConfig {
            venue: VenueId(v),
            currency: CurrencyId(c),
            capital: Usd::whole(500),
            seed: 1,
            settings: Default::default(),
        };
        Box::new(PaperVenue::new(config)) as Box<dyn pm_core::traits::Exchange>
    };
    let header =
        Header { version: JOURNAL_VERSION, build: "bench".into(), source: "sim".into(), seed: 1, config: config.clone() };
    let journal = JournalWriter::create(&dir.join(format!("{number}.pmj")), &header).unwrap();
    Core::new(Box::new(Engine::new(config).unwrap()), vec![venue(0, 0), venue(1, 1)], Box::new(Nothing), Some(journal))
}

fn path(c: &mut Criterion) {
    let (stream, names) = stream();
    let catalog = catalog();
    let dir = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut frames = |mut left: u64| {
        let mut spent = Duration::ZERO;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(FRAMES).min(FRAMES);
            number += 1;
            let mut core = core(dir.path(), &catalog, number);
            let mut feeds: Vec<Feed> =
                names.iter().map(|n| Feed { name: (*n).into(), venue: VenueId(0), protocol: protocol(n, &catalog) }).collect();
            let mut playing = Playing { stream: &stream, at: 0, end: count };
            let begin = Instant::now();
            driver::run(&mut core, &mut feeds, &mut Registry::default(), &mut playing, &mut Go).unwrap();
            spent += begin.elapsed();
            assert_eq!(core.counts.errors, 0);
            left -= u64::try_from(count).unwrap();
            let _ = std::fs::remove_file(dir.path().join(format!("{number}.pmj")));
        }
        spent
    };
    let mut group = c.benchmark_group("path");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    // A short run would measure the warm-up: at least half of the stream is played, and the time scaled to the frames asked for.
    let mut scaled = |asked: u64| {
        let played = asked.max(100_000);
        frames(played).mul_f64(f64::from(u32::try_from(asked).unwrap()) / f64::from(u32::try_from(played).unwrap()))
    };
    group.bench_function("synthetic_frame", |b| b.iter_custom(&mut scaled));
    group.finish();
}

criterion_group!(benches, path);
criterion_main!(benches);
