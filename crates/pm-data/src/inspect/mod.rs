//! What is in a recording: per feed frames, span, gaps and errors; over all feeds events, markets, crossed books, lost continuity. The
//! driver brings the protocols, so that this crate knows no venue.

mod collector;
mod summary;

use pm_core::event::Event;
use pm_core::registry::Registry;
use pm_core::traits::{DecodeError, FeedProtocol, FrameKind};

pub use collector::Collector;
pub use summary::{Damage, FeedSummary, Summary};

use crate::recording::{Entry, FeedInfo, RecordedFrame, RecordingError, Replay, Tail};

/// A protocol for each feed; none for a feed that is not read.
type Protocols = Vec<Option<Box<dyn FeedProtocol>>>;

/// Reads a whole replay through the protocols that `route` gives for its feeds (none: the feed is counted and not decoded). One registry
/// serves all; every listing is shown to every protocol, and a protocol is reset where the continuity of its feed ends. `progress` gets
/// bytes read and bytes to read.
///
/// # Errors
/// [`RecordingError`] of the files. Frames that cannot be decoded are counted, never an error; so is damage when the replay is lenient.
pub fn run(
    replay: &mut Replay,
    route: &mut dyn FnMut(&FeedInfo) -> Option<Box<dyn FeedProtocol>>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, RecordingError> {
    let feeds = replay.feeds().to_vec();
    let mut protocols: Protocols = feeds.iter().map(route).collect();
    let decoded: Vec<bool> = protocols.iter().map(Option::is_some).collect();
    let mut collector = Collector::new(&feeds, &decoded);
    let mut registry = Registry::default();
    let mut listings: Vec<Event<'static>> = Vec::new();
    let mut count = 0_u64;
    loop {
        if count.is_multiple_of(4_096) {
            let (done, total) = replay.progress();
            progress(done, total);
        }
        count += 1;
        match replay.next()? {
            None => break,
            Some(Entry::Frame(frame)) => {
                let result = decode(&frame, &mut protocols, &mut registry, &mut collector, &mut listings);
                collector.frame(&frame, result.as_ref());
            }
            Some(Entry::Epoch(mark)) => {
                collector.epoch(&mark);
                let protocol = mark.feed.and_then(|f| protocols.get_mut(usize::from(f.0))).and_then(Option::as_mut);
                if let Some(protocol) = protocol {
                    protocol.reset(&mut |event: Event<'_>| collector.event(mark.stamp.wall, &event));
                }
            }
        }
        for event in listings.drain(..) {
            for protocol in protocols.iter_mut().flatten() {
                protocol.learn(&event);
            }
        }
    }
    for (feed, protocol) in protocols.iter().enumerate() {
        collector.counted(feed, &protocol.as_ref().map(|p| p.counters()).unwrap_or_default());
    }
    let mut summary = collector.finish();
    summary.backwards = replay.backwards();
    remarks(&mut summary, replay);
    let (_, total) = replay.progress();
    progress(total, total);
    Ok(summary)
}

fn decode(
    frame: &RecordedFrame<'_>,
    protocols: &mut Protocols,
    registry: &mut Registry,
    collector: &mut Collector,
    listings: &mut Vec<Event<'static>>,
) -> Option<Result<FrameKind, DecodeError>> {
    let protocol = protocols.get_mut(usize::from(frame.feed.0)).and_then(Option::as_mut)?;
    Some(protocol.decode(frame.stamp, frame.bytes, registry, &mut |event: Event<'_>| {
        listings.extend(listing(&event));
        collector.event(frame.stamp.wall, &event);
    }))
}

/// How the files end, and what is damaged in them.
fn remarks(summary: &mut Summary, replay: &Replay) {
    for (path, tail) in replay.tails() {
        let name = path.display();
        match tail {
            Tail::Closed => {}
            Tail::Open => summary.remarks.push(format!("{name}: not closed in order; it ends behind a whole block")),
            Tail::Truncated { offset, bytes } => {
                summary.remarks.push(format!("{name}: truncated; {bytes} bytes from byte {offset} on are not a whole block"));
            }
        }
    }
    for (path, s) in replay.skipped() {
        let damage = Damage { file: path.display().to_string(), offset: s.offset, bytes: s.bytes, what: s.what.clone() };
        summary.remarks.push(damage.to_string());
        summary.damage.push(damage);
    }
}

/// What protocols learn from; rare, so it is copied.
fn listing(event: &Event<'_>) -> Option<Event<'static>> {
    match event {
        Event::MarketListed(m) => Some(Event::MarketListed(std::borrow::Cow::Owned(m.as_ref().clone()))),
        Event::InstrumentListed(i) => Some(Event::InstrumentListed(std::borrow::Cow::Owned(i.as_ref().clone()))),
        Event::MarketChanged { market, change } => Some(Event::MarketChanged { market: *market, change: *change }),
        _ => None,
    }
}
