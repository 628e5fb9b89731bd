//! Messages that the scanner leaves: rare types, arrays, unusual spellings, and broken ones.

use pm_core::book::{BookLoss, Level};
use pm_core::event::{BookId, Event};
use pm_core::market::Outcome;
use pm_core::order::Side;
use pm_core::traits::{DecodeError, EventSink, FrameKind};
use pm_core::units::Qty;
use pm_core::wire_text::TextError;
use serde_json::value::RawValue;

use super::known::plausible;
use super::{MarketProtocol, Whole, blanks, heavier, place};
use crate::scan::{Head, Scratch};
use crate::text::millis;
use crate::wire::{self, Message};

impl MarketProtocol {
    /// An array of messages. A bad one does not hide its neighbours; the first error is given in the end.
    pub(super) fn array(
        &mut self,
        frame: &[u8],
        at: usize,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<usize, DecodeError> {
        let mut first_error = None;
        let mut pos = blanks(frame, at + 1);
        if frame.get(pos) == Some(&b']') {
            return Ok(pos + 1);
        }
        loop {
            let next = match self.one(frame, pos, kind, out) {
                Ok(next) => next,
                Err((e, Some(next))) => {
                    first_error.get_or_insert(e);
                    next
                }
                // Where the next message begins is not known: the rest of the frame is lost.
                Err((e, None)) => return Err(first_error.unwrap_or(e)),
            };
            pos = blanks(frame, next);
            match frame.get(pos) {
                Some(b',') => pos = blanks(frame, pos + 1),
                Some(b']') => return first_error.map_or(Ok(pos + 1), Err),
                _ => return Err(first_error.unwrap_or_else(|| DecodeError::at("array is not closed", pos))),
            }
        }
    }

    /// One message through the tolerant decoder.
    pub(super) fn slow(
        &mut self,
        frame: &[u8],
        at: usize,
        scratch: &mut Scratch,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<usize, (DecodeError, Option<usize>)> {
        let rest = frame.get(at..).unwrap_or_default();
        let text = match core::str::from_utf8(rest) {
            Ok(text) => text,
            Err(e) => {
                self.lose_named(rest, out);
                return Err((place(TextError::NotUtf8 { at: e.valid_up_to() }.into(), at), None));
            }
        };
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let raw = match stream.next() {
            Some(Ok(raw)) => raw.get(),
            Some(Err(e)) => {
                self.lose_named(rest, out);
                return Err((place(wire::broken(text, &e), at), None));
            }
            None => return Err((DecodeError::at("frame ends within a message", at), None)),
        };
        let end = at + stream.byte_offset();
        let handled = wire::message(raw).and_then(|message| self.typed(message, raw, scratch, kind, out));
        handled.map(|()| end).map_err(|e| {
            self.lose_named(raw.as_bytes(), out);
            (place(e, at), Some(end))
        })
    }

    fn typed(
        &mut self,
        message: Message<'_>,
        raw: &str,
        scratch: &mut Scratch,
        kind: &mut FrameKind,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        match message {
            Message::Book(book) => {
                let head = Head {
                    timestamp: book.timestamp,
                    tick_size: book.tick_size,
                    min_order_size: book.min_order_size,
                    neg_risk: book.neg_risk,
                    ..Head::default()
                };
                (scratch.bids, scratch.asks) = (book.bids, book.asks);
                let whole = Whole { head: &head, bids: &scratch.bids, asks: &scratch.asks, body: raw.as_bytes() };
                self.on_book(book.asset_id.as_bytes(), &whole, kind, out)
            }
            Message::PriceChange(m) => {
                let mut last = None;
                self.canonical.clear();
                for c in &m.changes {
                    self.canonicalise(c.asset_id.as_bytes(), c.side, Level { px: c.price, qty: c.size }, &mut last);
                }
                self.on_changes(m.timestamp, kind, out)
            }
            Message::LastTrade(m) => self.print(&m, kind, out),
            Message::TickSize(m) => {
                self.with(m.asset_id.as_bytes(), m.market.as_bytes(), kind, |known| {
                    known.set_tick(m.new_tick_size, m.timestamp, out);
                });
                Ok(())
            }
            Message::BestBidAsk(m) => {
                // Nothing follows from it: the book says the same.
                self.with(m.asset_id.as_bytes(), m.market.as_bytes(), kind, |_| ());
                Ok(())
            }
            Message::Resolved(m) => {
                self.on_resolved(&m, kind, out);
                Ok(())
            }
            // Listing needs the rule metadata of Gamma; discovery fetches it.
            Message::NewMarket(_) => {
                *kind = heavier(*kind, FrameKind::Foreign);
                Ok(())
            }
            Message::Unknown(_) => {
                *kind = heavier(*kind, FrameKind::Unknown);
                Ok(())
            }
        }
    }

    /// Runs `f` on the market that a token or a condition id names.
    fn with(&mut self, token: &[u8], market: &[u8], kind: &mut FrameKind, f: impl FnOnce(&mut super::Known)) {
        let slot = self.find(token, None).map(|(slot, _)| slot).or_else(|| self.by_native.get(market).copied());
        match slot.and_then(|s| self.known(s)) {
            Some(known) => {
                *kind = FrameKind::Data;
                f(known);
            }
            None => *kind = heavier(*kind, FrameKind::Foreign),
        }
    }

    fn print(&mut self, m: &wire::LastTrade<'_>, kind: &mut FrameKind, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let Some((slot, outcome)) = self.find(m.asset_id.as_bytes(), None) else {
            *kind = heavier(*kind, FrameKind::Foreign);
            return Ok(());
        };
        *kind = FrameKind::Data;
        let now = self.now;
        let Some(known) = self.known(slot) else { return Ok(()) };
        known.possible(m.timestamp, now, out)?;
        let qty = m.size.unwrap_or(Qty::ZERO);
        // A print is not a level: averages may lie between two ticks, so only the range is judged.
        if m.price.is_negative() || m.price.complement().is_negative() || qty.is_negative() {
            return Err(DecodeError::new(format!("trade of {qty} at {} in market {}", m.price, known.native)));
        }
        let at = known.stamp(m.timestamp);
        let (px, taker) = match (outcome, m.side) {
            (Outcome::First, side) => (m.price, side),
            (Outcome::Second, Side::Buy) => (m.price.complement(), Side::Sell),
            (Outcome::Second, Side::Sell) => (m.price.complement(), Side::Buy),
        };
        out.event(Event::Print { book: BookId::Market(known.idx), px, qty, taker, at });
        Ok(())
    }

    /// The result. A message that names no winner of ours (a void) waits for Gamma's word.
    fn on_resolved(&mut self, m: &wire::MarketResolved, kind: &mut FrameKind, out: &mut dyn EventSink) {
        let by_token = m.winning_asset_id.as_deref().and_then(|t| self.find(t.as_bytes(), None)).map(|(slot, _)| slot);
        let slot = by_token.or_else(|| self.by_native.get(m.market.as_bytes()).copied());
        let Some((slot, known)) = slot.and_then(|s| self.known(s).map(|k| (s, k))) else {
            *kind = heavier(*kind, FrameKind::Foreign);
            return;
        };
        *kind = FrameKind::Data;
        let Some(first_pays) = known.first_pays(m) else { return };
        let at = known.stamp(m.timestamp);
        out.event(Event::Resolved { market: known.idx, first_pays, at });
        self.forget(slot);
    }

    /// A message could not be read: the books it names are lost; when none can be made out, all are. The time of
    /// a change, where it can be made out, is that of a change that is missing now.
    fn lose_named(&mut self, bytes: &[u8], out: &mut dyn EventSink) {
        let change = memchr::memmem::find(bytes, b"price_change").is_some();
        let said = after(bytes, b"\"timestamp\":").filter(|_| change).and_then(|t| core::str::from_utf8(t).ok());
        let at = said.and_then(millis).filter(|at| plausible(*at, self.now));
        let mut named = false;
        for key in [b"\"asset_id\":".as_slice(), b"\"market\":"] {
            for found in memchr::memmem::find_iter(bytes, key) {
                let id = quoted(bytes.get(found + key.len()..).unwrap_or_default());
                named |= id.is_some();
                let slot = id.and_then(|id| self.by_token.get(id).map(|(s, _)| *s).or_else(|| self.by_native.get(id).copied()));
                if let Some(known) = slot.and_then(|s| self.known(s)) {
                    known.saw_change(at);
                    known.lose(BookLoss::BadFrame, out);
                }
            }
        }
        if !named {
            for known in self.markets.iter_mut().flatten().filter(|k| k.run.synced) {
                known.lose(BookLoss::BadFrame, out);
            }
        }
    }
}

/// The quoted text after a key.
fn after<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    quoted(bytes.get(memchr::memmem::find(bytes, key)? + key.len()..)?)
}

/// The text between the next two quotes.
fn quoted(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.trim_ascii_start().strip_prefix(b"\"")?;
    bytes.get(..memchr::memchr(b'"', bytes)?)
}
