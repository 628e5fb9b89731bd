//! The loop of paper, replay of recordings, and simulation: virtual time from the frames. Everything that reaches the engine goes through
//! [`Core::step`], in this order: the engine decides, the step is recorded, venues take the commands, venues see the event.

use pm_core::command::{Alert, Command, KillRecord};
use pm_core::event::{Event, Health};
use pm_core::ids::{FeedId, VenueId};
use pm_core::record::Record;
use pm_core::registry::Registry;
use pm_core::time::{Dur, Ts};
use pm_core::traits::{EventSink, Exchange, FeedProtocol, FrameKind};
use pm_engine::Engine;
use pm_engine::journal::{JournalError, Recorder};

use crate::journal::{JournalFileError, JournalWriter};
use crate::source::{Epoch, FrameSource, Input, SourceError};

/// Interval of the engine's timer.
const TIMER: Dur = Dur::from_millis(100);
/// Longest wait, in virtual time, for answers that are on their way at the end.
const LINGER: Dur = Dur::from_secs(15);
/// A pause in the data longer than this is jumped over when nothing is open.
const JUMP: Dur = Dur::from_secs(60);

/// Where commands other than a venue's go.
pub trait CommandSink {
    /// A row for the store.
    fn persist(&mut self, record: Record);
    /// A message to the operator.
    fn alert(&mut self, now: Ts, alert: &Alert);
    /// The kill switch changed: written durably before anything else happens.
    fn kill_switch(&mut self, record: &KillRecord);
}

/// What the owner of a run wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// End cleanly with the summary.
    Stop,
    /// Give the engine an operator's order first.
    Operator(pm_core::event::Operator),
}

/// Called between frames: display, pace, stop, orders of the operator.
pub trait Hooks {
    /// Before a frame of this time is taken.
    fn between(&mut self, core: &Core, next: Ts, progress: (u64, u64)) -> Control;
}

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalFileError),
    /// The codec.
    #[error(transparent)]
    Codec(#[from] JournalError),
}

/// One feed with its protocol.
pub struct Feed {
    /// Name, as in recordings.
    pub name: String,
    /// Venue it belongs to.
    pub venue: VenueId,
    /// Decoder.
    pub protocol: Box<dyn FeedProtocol>,
}

impl core::fmt::Debug for Feed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Feed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Counts of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct FrameCounts {
    /// Frames taken.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
    /// Message types that are not known.
    pub unknown: u64,
    /// Frames about ids that were not asked for.
    pub foreign: u64,
    /// Frames received before the time of the run: the step then used the latest time seen.
    pub clock_back: u64,
}

/// First decode errors, kept for people.
const KEPT_ERRORS: usize = 20;

/// Engine, venues, recorder: everything that a step touches.
pub struct Core {
    /// The engine.
    pub engine: Box<Engine>,
    /// Counts of decoding.
    pub counts: FrameCounts,
    /// First decode errors with their place.
    pub errors: Vec<String>,
    /// Distinct windows (family, underlying, end) that resolved.
    pub windows: u64,
    venues: Vec<Box<dyn Exchange>>,
    recorder: Recorder,
    journal: Option<JournalWriter>,
    sink: Box<dyn CommandSink>,
    commands: Vec<Command>,
    answers: Vec<Event<'static>>,
    listings: Vec<Event<'static>>,
    wakes: std::collections::BTreeSet<Ts>,
    recent_windows: Vec<(Ts, String)>,
    failed: Option<RunError>,
    now: Ts,
    next_timer: Ts,
}

impl core::fmt::Debug for Core {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Core").field("counts", &self.counts).field("now", &self.now).finish_non_exhaustive()
    }
}

impl EventSink for Core {
    fn event(&mut self, event: Event<'_>) {
        if matches!(event, Event::MarketListed(_) | Event::MarketChanged { .. } | Event::InstrumentListed(_)) {
            self.listings.push(owned(&event));
        }
        self.step(self.now, &event);
    }
}

/// Listings are rare: they are copied for the protocols to learn from.
fn owned(event: &Event<'_>) -> Event<'static> {
    match event {
        Event::MarketListed(m) => Event::MarketListed(std::borrow::Cow::Owned(m.clone().into_owned())),
        Event::InstrumentListed(i) => Event::InstrumentListed(std::borrow::Cow::Owned(i.clone().into_owned())),
        Event::MarketChanged { market, change } => Event::MarketChanged { market: *market, change: *change },
        _ => Event::Timer,
    }
}

impl Core {
    /// Puts an engine, its venues and its outputs together.
    #[must_use]
    pub fn new(
        engine: Box<Engine>,
        venues: Vec<Box<dyn Exchange>>,
        sink: Box<dyn CommandSink>,
        journal: Option<JournalWriter>,
    ) -> Self {
        Self {
            engine,
            venues,
            sink,
            journal,
            counts: FrameCounts::default(),
            errors: Vec::new(),
            windows: 0,
            recorder: Recorder::default(),
            commands: Vec::with_capacity(64),
            answers: Vec::with_capacity(16),
            listings: Vec::new(),
            wakes: std::collections::BTreeSet::new(),
            recent_windows: Vec::new(),
            failed: None,
            now: Ts::ZERO,
            next_timer: Ts::ZERO,
        }
    }

    /// Time of the last step.
    #[must_use]
    pub const fn now(&self) -> Ts {
        self.now
    }
    /// The decision hash so far.
    #[must_use]
    pub fn decision_hash(&self) -> String {
        self.recorder.decision_hash()
    }
    /// Steps so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.recorder.count()
    }

    /// One step at `now`.
    pub fn step(&mut self, now: Ts, event: &Event<'_>) {
        if self.failed.is_some() {
            return;
        }
        self.now = self.now.max(now);
        let now = self.now;
        self.commands.clear();
        let mut commands = core::mem::take(&mut self.commands);
        self.engine.step(now, event, &mut commands);
        if let Err(e) = self.record(now, event, &commands) {
            self.failed = Some(e);
        }
        if let Event::Resolved { market, .. } = event {
            self.count_window(*market);
        }
        self.carry_out(now, &mut commands);
        self.commands = commands;
        for venue in &mut self.venues {
            venue.observe(now, event, self.engine.view());
        }
    }

    fn record(&mut self, now: Ts, event: &Event<'_>, commands: &[Command]) -> Result<(), RunError> {
        let entry = self.recorder.record(now, event, commands)?;
        if let Some(journal) = &mut self.journal {
            journal.append(entry)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, now: Ts, commands: &mut Vec<Command>) {
        for command in commands.drain(..) {
            match command {
                Command::Venue(command) => {
                    if let Some(venue) = self.venues.iter_mut().find(|v| v.venue() == command.venue()) {
                        venue.submit(now, &command);
                    }
                }
                Command::Persist(record) => self.sink.persist(record),
                Command::Alert(alert) => self.sink.alert(now, &alert),
                Command::KillSwitch(record) => self.sink.kill_switch(&record),
                Command::WakeAt(at) => {
                    self.wakes.insert(at);
                }
            }
        }
    }

    /// A window is a family of one underlying with one end: a ladder of strikes is one.
    fn count_window(&mut self, market: pm_core::ids::MarketIdx) {
        let Some(m) = self.engine.view().market(market) else { return };
        let end = m.rule.understood().map_or(m.closes_at, |r| r.final_at);
        let key = format!("{}:{}", m.family, m.underlying.map_or(255, |u| u.0));
        self.recent_windows.retain(|(at, _)| end.since(*at) < Dur::from_secs(2 * 86_400));
        if !self.recent_windows.iter().any(|(at, k)| *at == end && *k == key) {
            self.recent_windows.push((end, key));
            self.windows += 1;
        }
    }

    /// Lets venue answers, wakes and timers happen that are due at or before `until`, in time order; venues before timers at one instant.
    fn advance(&mut self, until: Ts) {
        if self.next_timer == Ts::ZERO {
            self.next_timer = Ts::from_nanos(until.nanos() - until.nanos().rem_euclid(TIMER.nanos())) + TIMER;
            self.now = until;
        }
        self.jump(until);
        loop {
            let due = self.venues.iter().map(|v| v.next_due()).min().unwrap_or(Ts::MAX);
            let wake = self.wakes.first().copied().unwrap_or(Ts::MAX);
            let timer = self.next_timer.min(wake);
            if due.min(timer) > until {
                return;
            }
            if due <= timer {
                self.poll_venues(due);
            } else {
                self.wakes.remove(&timer);
                if timer == self.next_timer {
                    self.next_timer = self.next_timer + TIMER;
                }
                self.step(timer, &Event::Timer);
            }
            if self.failed.is_some() {
                return;
            }
        }
    }

    /// Nothing open, nothing due, no data for long: the timers of the pause would find nothing to do.
    fn jump(&mut self, until: Ts) {
        let idle =
            self.engine.open_structures() == 0 && self.venues.iter().all(|v| v.next_due() == Ts::MAX) && self.wakes.is_empty();
        if idle && until.since(self.next_timer) > JUMP {
            let back = until - Dur::from_secs(1);
            self.next_timer = Ts::from_nanos(back.nanos() - back.nanos().rem_euclid(TIMER.nanos()));
        }
    }

    fn poll_venues(&mut self, at: Ts) {
        let mut answers = core::mem::take(&mut self.answers);
        for venue in &mut self.venues {
            if venue.next_due() <= at {
                venue.poll(at, self.engine.view(), &mut |e: Event<'_>| answers.push(owned_answer(e)));
            }
        }
        for answer in answers.drain(..) {
            self.step(at, &answer);
        }
        self.answers = answers;
    }

    /// A frame from before the time of the run: counted, and the first ones named.
    fn clock_back(&mut self, at: Ts) {
        if at < self.now {
            self.counts.clock_back += 1;
            if self.errors.len() < KEPT_ERRORS {
                self.errors.push(format!("frame {}: its clock {at} is before {}", self.counts.frames + 1, self.now));
            }
        }
    }

    /// Answers that are on their way arrive. No timer runs and no market is looked at: nothing new begins.
    fn linger(&mut self) {
        let limit = self.now + LINGER;
        while self.failed.is_none() {
            let due = self.venues.iter().map(|v| v.next_due()).min().unwrap_or(Ts::MAX);
            if due > limit {
                return;
            }
            self.poll_venues(due.max(self.now));
        }
    }

    fn decode_error(&mut self, name: &str, feed: FeedId, at: Ts, what: &str) {
        self.counts.errors += 1;
        if self.errors.len() < KEPT_ERRORS {
            self.errors.push(format!("{name}, frame {} at {at}: {what}", self.counts.frames));
        }
        self.step(at, &Event::Health(Health::BadFrame { feed }));
    }

    /// Ends the run: lets answers that are on their way arrive, closes episodes, flushes the journal.
    ///
    /// # Errors
    /// [`RunError`] when the journal cannot be finished.
    pub fn finish(&mut self) -> Result<(), RunError> {
        self.linger();
        let mut commands = Vec::new();
        self.engine.finish(&mut commands);
        let now = self.now;
        self.carry_out(now, &mut commands);
        if let Some(journal) = self.journal.take() {
            journal.finish()?;
        }
        Ok(())
    }
}

/// Answers are small and owned already; market data never comes from a venue's answers.
fn owned_answer(event: Event<'_>) -> Event<'static> {
    match event {
        Event::Order(u) => Event::Order(u),
        Event::Fill(f) => Event::Fill(f),
        Event::Settlement(s) => Event::Settlement(s),
        Event::Cash(c) => Event::Cash(c),
        Event::Venue { venue, word } => Event::Venue { venue, word },
        Event::BanScore { venue, score } => Event::BanScore { venue, score },
        Event::Resolved { market, first_pays, at } => Event::Resolved { market, first_pays, at },
        Event::Health(Health::Latency { venue, endpoint, took, ok }) => {
            Event::Health(Health::Latency { venue, endpoint, took, ok })
        }
        _ => Event::Timer,
    }
}

/// Frames into the core until the source ends or the hooks say stop. A frame's feed id is the position of its feed. Where the continuity of
/// a feed ends, its protocol is reset, so that no book of one connection or file is continued by a change of the next.
///
/// # Errors
/// See [`RunError`].
pub fn run(
    core: &mut Core,
    feeds: &mut [Feed],
    registry: &mut Registry,
    source: &mut dyn FrameSource,
    hooks: &mut dyn Hooks,
) -> Result<(), RunError> {
    // Connections of each feed so far.
    let mut epochs = vec![0_u32; feeds.len()];
    loop {
        let progress = source.progress();
        let Some(input) = source.next()? else { break };
        loop {
            match hooks.between(core, input.stamp().wall, progress) {
                Control::Continue => break,
                Control::Stop => return core.failed.take().map_or(Ok(()), Err),
                Control::Operator(order) => core.step(core.now, &Event::Operator(order)),
            }
        }
        let frame = match input {
            Input::Frame(frame) => frame,
            Input::Epoch(epoch) => {
                new_epoch(core, feeds, &mut epochs, epoch);
                if let Some(error) = core.failed.take() {
                    return Err(error);
                }
                continue;
            }
        };
        core.clock_back(frame.stamp.wall);
        core.advance(frame.stamp.wall);
        core.counts.frames += 1;
        core.counts.bytes += u64::try_from(frame.bytes.len()).unwrap_or(0);
        core.now = core.now.max(frame.stamp.wall);
        let Some(feed) = feeds.get_mut(usize::from(frame.feed.0)) else {
            core.counts.foreign += 1;
            continue;
        };
        match feed.protocol.decode(frame.stamp, frame.bytes, registry, core) {
            Ok(FrameKind::Unknown) => core.counts.unknown += 1,
            Ok(FrameKind::Foreign) => core.counts.foreign += 1,
            Ok(FrameKind::Data | FrameKind::Control) => {}
            Err(e) => core.decode_error(&feed.name, frame.feed, frame.stamp.wall, &e.to_string()),
        }
        for listing in core.listings.drain(..) {
            for feed in feeds.iter_mut() {
                feed.protocol.learn(&listing);
            }
        }
        if let Some(error) = core.failed.take() {
            return Err(error);
        }
    }
    Ok(())
}

/// A connection of a feed began or was lost: says so, and resets its protocol, which says which books are lost with it.
fn new_epoch(core: &mut Core, feeds: &mut [Feed], epochs: &mut [u32], epoch: Epoch) {
    core.advance(epoch.stamp.wall);
    core.now = core.now.max(epoch.stamp.wall);
    let at = usize::from(epoch.feed.0);
    let (Some(feed), Some(count)) = (feeds.get_mut(at), epochs.get_mut(at)) else { return };
    *count = count.saturating_add(u32::from(epoch.up));
    let health = Health::Feed { feed: epoch.feed, venue: feed.venue, up: epoch.up, epoch: *count };
    core.step(core.now, &Event::Health(health));
    feed.protocol.reset(core);
}
