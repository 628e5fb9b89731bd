//! A byte scanner for the two hot messages, `book` and `price_change`, in the exact form the venue writes them. It reads each byte once,
//! turns digits into fixed point on the way, and allocates nothing. At the first sign of anything else (another key, an escape, an
//! exponent, a number where text is usual) it gives up and [`crate::wire`] decides: same result, only slower. A property test holds both
//! to the same answer.

use std::borrow::Cow;

use pm_core::book::Level;
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty};

use crate::wire;

mod cursor;
use cursor::Cursor;

/// Bytes `start..end` of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes in `frame`; empty when the span is not of this frame.
    #[inline]
    #[must_use]
    pub fn of(self, frame: &[u8]) -> &[u8] {
        frame.get(self.start..self.end).unwrap_or_default()
    }
}

/// One entry of a `price_change`, ids as spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawChange {
    /// Token id.
    pub token: Span,
    /// Price of the level.
    pub px: Px,
    /// New total size; zero removes.
    pub qty: Qty,
    /// Side of the level.
    pub side: Side,
    /// Hash as sent.
    pub hash: Option<Span>,
    /// Best bid after the change.
    pub best_bid: Option<Px>,
    /// Best ask after the change.
    pub best_ask: Option<Px>,
}

/// Buffers that are filled by a scan and reused by the next one.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// Bids of a book in wire order.
    pub bids: Vec<Level>,
    /// Asks of a book in wire order.
    pub asks: Vec<Level>,
    /// Entries of a price change.
    pub changes: Vec<RawChange>,
}

/// Fields of a scanned message outside of its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Condition id.
    pub market: Option<Span>,
    /// Token id (books).
    pub asset: Option<Span>,
    /// Venue time.
    pub timestamp: Option<Ts>,
    /// Hash (books).
    pub hash: Option<Span>,
    /// Price grid (books).
    pub tick_size: Option<Px>,
    /// Smallest order (REST books).
    pub min_order_size: Option<Qty>,
    /// Negative-risk flag (REST books).
    pub neg_risk: Option<bool>,
    /// Last trade price (books).
    pub last_trade_price: Option<Px>,
}

/// Which of the two it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hot {
    /// A book; levels are in the scratch.
    Book(Head),
    /// A price change; entries are in the scratch.
    PriceChange(Head),
}

/// Sets a field once; a repeated key is left to the fallback.
#[inline]
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    if slot.is_some() {
        return None;
    }
    *slot = Some(value);
    Some(())
}

/// Scans one message that starts at byte `at`. Gives the message and the position after it, or `None` when it is not one of the two hot
/// messages in their usual form.
#[inline]
#[must_use]
pub fn object(frame: &[u8], at: usize, scratch: &mut Scratch) -> Option<(Hot, usize)> {
    let mut c = Cursor { buf: frame, at };
    if !c.eat(b'{') {
        return None;
    }
    let (mut head, mut kind, mut seen) = (Head::default(), None, Seen::default());
    loop {
        top_key(&mut c, &mut head, &mut kind, &mut seen, scratch)?;
        if !c.more()? {
            break;
        }
    }
    head.market?;
    let hot = match (kind, seen) {
        // Without a type it is a REST body; `hash` of a price change sits in its entries.
        (Some(Kind::Book) | None, Seen { bids: true, asks: true, changes: false, .. }) if head.asset.is_some() => Hot::Book(head),
        (Some(Kind::PriceChange), Seen { bids: false, asks: false, changes: true, .. }) if head.asset.is_none() => {
            Hot::PriceChange(head)
        }
        _ => return None,
    };
    Some((hot, c.at))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Book,
    PriceChange,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    bids: bool,
    asks: bool,
    changes: bool,
    last: bool,
}

#[inline]
fn top_key(c: &mut Cursor<'_>, head: &mut Head, kind: &mut Option<Kind>, seen: &mut Seen, scratch: &mut Scratch) -> Option<()> {
    match c.key()? {
        b'm' if c.literal(b"\"market\":") => {
            let id = c.id()?;
            once(&mut head.market, id)
        }
        b'a' if c.literal(b"\"asset_id\":") => {
            let id = c.id()?;
            once(&mut head.asset, id)
        }
        b't' if c.literal(b"\"timestamp\":") => {
            let at = c.millis()?;
            once(&mut head.timestamp, at)
        }
        b'p' if !seen.changes && c.literal(b"\"price_changes\":") => {
            seen.changes = true;
            changes(c, &mut scratch.changes)
        }
        b'b' if !seen.bids && c.literal(b"\"bids\":") => {
            seen.bids = true;
            c.levels(&mut scratch.bids)
        }
        b'a' if !seen.asks && c.literal(b"\"asks\":") => {
            seen.asks = true;
            c.levels(&mut scratch.asks)
        }
        b'e' if c.literal(b"\"event_type\":") => {
            let found = if c.literal(b"\"book\"") {
                Kind::Book
            } else if c.literal(b"\"price_change\"") {
                Kind::PriceChange
            } else {
                return None;
            };
            once(kind, found)
        }
        b'h' if c.literal(b"\"hash\":") => {
            let id = c.id()?;
            once(&mut head.hash, id)
        }
        _ => rare_key(c, head, seen),
    }
}

/// Keys of books in newer frames and REST bodies.
#[inline]
fn rare_key(c: &mut Cursor<'_>, head: &mut Head, seen: &mut Seen) -> Option<()> {
    match c.key()? {
        b't' if head.tick_size.is_none() && c.literal(b"\"tick_size\":") => {
            head.tick_size = Some(Px::from_raw(c.decimal()?));
            Some(())
        }
        b'm' if head.min_order_size.is_none() && c.literal(b"\"min_order_size\":") => {
            head.min_order_size = Some(Qty::from_raw(c.decimal()?));
            Some(())
        }
        b'n' if head.neg_risk.is_none() && c.literal(b"\"neg_risk\":") => {
            head.neg_risk = Some(if c.literal(b"true") {
                true
            } else if c.literal(b"false") {
                false
            } else {
                return None;
            });
            Some(())
        }
        b'l' if !seen.last && c.literal(b"\"last_trade_price\":") => {
            seen.last = true;
            head.last_trade_price = c.maybe_decimal()?.map(Px::from_raw);
            Some(())
        }
        _ => None,
    }
}

#[inline]
fn changes(c: &mut Cursor<'_>, out: &mut Vec<RawChange>) -> Option<()> {
    out.clear();
    if !c.eat(b'[') {
        return None;
    }
    if c.eat(b']') {
        return Some(());
    }
    loop {
        out.push(change(c)?);
        if c.eat(b',') {
            c.blank();
        } else if c.eat(b']') {
            return Some(());
        } else {
            return None;
        }
    }
}

#[inline]
fn change(c: &mut Cursor<'_>) -> Option<RawChange> {
    if !c.eat(b'{') {
        return None;
    }
    let (mut token, mut px, mut qty, mut side, mut hash) = (None, None, None, None, None);
    let (mut bid, mut ask) = (None, None);
    loop {
        match c.key()? {
            b'a' if c.literal(b"\"asset_id\":") => {
                let id = c.id()?;
                once(&mut token, id)?;
            }
            b'p' if c.literal(b"\"price\":") => {
                let v = c.decimal()?;
                once(&mut px, v)?;
            }
            b's' if c.literal(b"\"size\":") => {
                let v = c.decimal()?;
                once(&mut qty, v)?;
            }
            b's' if c.literal(b"\"side\":") => {
                let v = c.side()?;
                once(&mut side, v)?;
            }
            b'h' if c.literal(b"\"hash\":") => {
                let id = c.id()?;
                once(&mut hash, id)?;
            }
            b'b' if c.literal(b"\"best_bid\":") => {
                let v = c.maybe_decimal()?;
                once(&mut bid, v)?;
            }
            b'b' if c.literal(b"\"best_ask\":") => {
                let v = c.maybe_decimal()?;
                once(&mut ask, v)?;
            }
            _ => return None,
        }
        if !c.more()? {
            break;
        }
    }
    Some(RawChange {
        token: token?,
        px: Px::from_raw(px?),
        qty: Qty::from_raw(qty?),
        side: side?,
        hash,
        best_bid: bid.flatten().map(Px::from_raw),
        best_ask: ask.flatten().map(Px::from_raw),
    })
}

/// The typed form of a frame that is exactly one hot message; `None` when the scanner leaves it to the fallback. For tests and tools.
#[must_use]
pub fn message<'a>(frame: &'a [u8], scratch: &mut Scratch) -> Option<wire::Message<'a>> {
    let (hot, end) = object(frame, 0, scratch)?;
    if end != frame.len() {
        return None;
    }
    let text = |span: Span| core::str::from_utf8(span.of(frame)).ok().map(Cow::Borrowed);
    Some(match hot {
        Hot::Book(head) => wire::Message::Book(wire::Book {
            market: text(head.market?)?,
            asset_id: text(head.asset?)?,
            timestamp: head.timestamp,
            hash: head.hash.and_then(text),
            bids: scratch.bids.clone(),
            asks: scratch.asks.clone(),
            tick_size: head.tick_size,
            min_order_size: head.min_order_size,
            neg_risk: head.neg_risk,
            last_trade_price: head.last_trade_price,
        }),
        Hot::PriceChange(head) => wire::Message::PriceChange(wire::PriceChange {
            market: text(head.market?)?,
            timestamp: head.timestamp,
            changes: scratch
                .changes
                .iter()
                .map(|c| {
                    Some(wire::Change {
                        asset_id: text(c.token)?,
                        price: c.px,
                        size: c.qty,
                        side: c.side,
                        hash: c.hash.and_then(text),
                        best_bid: c.best_bid,
                        best_ask: c.best_ask,
                    })
                })
                .collect::<Option<_>>()?,
        }),
    })
}
