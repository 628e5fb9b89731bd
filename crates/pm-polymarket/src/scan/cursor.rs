//! The cursor: one byte after the other, giving up at the first surprise.

use pm_core::book::Level;
use pm_core::num::SCALE;
use pm_core::order::Side;
use pm_core::time::Ts;
use pm_core::units::{Px, Qty};
use pm_core::wire_text::instant_ms;

use super::Span;

/// A place in a frame.
pub(super) struct Cursor<'a> {
    pub(super) buf: &'a [u8],
    pub(super) at: usize,
}

impl Cursor<'_> {
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.buf.get(self.at..).unwrap_or_default()
    }
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.buf.get(self.at).copied()
    }
    /// The first letter of the key that the cursor stands before.
    #[inline]
    pub(super) fn key(&self) -> Option<u8> {
        self.buf.get(self.at + 1).copied()
    }
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }
    /// Blanks that the venue's writer puts after commas and colons.
    #[inline]
    pub(super) fn blank(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }
    #[inline]
    pub(super) fn literal(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }
    /// A quoted id of printable ASCII without escapes.
    #[inline]
    pub(super) fn id(&mut self) -> Option<Span> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let len = memchr::memchr(b'"', self.rest())?;
        let text = self.buf.get(start..start + len)?;
        let plain = text.iter().fold(true, |ok, b| ok & (b.wrapping_sub(0x20) < 0x5f) & (*b != b'\\'));
        self.at = start + len + 1;
        plain.then_some(Span { start, end: start + len })
    }
    /// A quoted plain decimal (`12.5`), without the opening quote, as fixed point.
    #[inline]
    pub(super) fn digits(&mut self) -> Option<i64> {
        let rest = self.rest();
        let mut value: i64 = 0;
        let mut at = 0_usize;
        loop {
            let byte = *rest.get(at)?;
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value * 10 + i64::from(digit);
            at += 1;
            if at > 10 {
                return None;
            }
        }
        if at == 0 {
            return None;
        }
        match rest.get(at)? {
            b'"' => {
                self.at += at + 1;
                in_range(value * SCALE)
            }
            b'.' => {
                at += 1;
                let mut weight = SCALE;
                loop {
                    let byte = *rest.get(at)?;
                    at += 1;
                    let digit = byte.wrapping_sub(b'0');
                    if digit > 9 {
                        self.at += at;
                        return if byte == b'"' && weight < SCALE { in_range(value * weight) } else { None };
                    }
                    if weight == 1 {
                        return None;
                    }
                    weight /= 10;
                    value = value * 10 + i64::from(digit);
                }
            }
            _ => None,
        }
    }
    #[inline]
    pub(super) fn decimal(&mut self) -> Option<i64> {
        if self.eat(b'"') { self.digits() } else { None }
    }
    /// A quoted decimal or `""`.
    #[inline]
    pub(super) fn maybe_decimal(&mut self) -> Option<Option<i64>> {
        if self.literal(b"\"\"") { Some(None) } else { self.decimal().map(Some) }
    }
    /// Quoted milliseconds up to 2100; what is later is left to the fallback, which names the error.
    #[inline]
    pub(super) fn millis(&mut self) -> Option<Ts> {
        if !self.eat(b'"') {
            return None;
        }
        let rest = self.rest();
        let (mut value, mut at) = (0_i64, 0_usize);
        loop {
            let byte = *rest.get(at)?;
            at += 1;
            match byte.wrapping_sub(b'0') {
                digit @ 0..=9 if at <= 15 => value = value * 10 + i64::from(digit),
                _ if byte == b'"' && at > 1 => {
                    self.at += at;
                    return instant_ms(value);
                }
                _ => return None,
            }
        }
    }
    #[inline]
    pub(super) fn side(&mut self) -> Option<Side> {
        if self.literal(b"\"BUY\"") {
            Some(Side::Buy)
        } else if self.literal(b"\"SELL\"") {
            Some(Side::Sell)
        } else {
            None
        }
    }
    /// `[{"price":"..","size":".."},...]`
    #[inline]
    pub(super) fn levels(&mut self, out: &mut Vec<Level>) -> Option<()> {
        out.clear();
        if !self.eat(b'[') {
            return None;
        }
        if self.eat(b']') {
            return Some(());
        }
        loop {
            if !self.literal(b"{\"price\":\"") {
                return None;
            }
            let px = self.digits()?;
            if !self.literal(b",\"size\":\"") && !self.literal(b", \"size\":\"") {
                return None;
            }
            let qty = self.digits()?;
            out.push(Level { px: Px::from_raw(px), qty: Qty::from_raw(qty) });
            if self.literal(b"},") {
                self.blank();
            } else if self.literal(b"}]") {
                return Some(());
            } else {
                return None;
            }
        }
    }
    /// After a value: true for "another key follows", false for the end of the object.
    #[inline]
    pub(super) fn more(&mut self) -> Option<bool> {
        if self.eat(b',') {
            self.blank();
            Some(true)
        } else if self.eat(b'}') {
            Some(false)
        } else {
            None
        }
    }
}

/// Longer numbers than the 10-digit limit of [`pm_core::num`] are left to the fallback, which names the error.
#[inline]
fn in_range(value: i64) -> Option<i64> {
    (value <= pm_core::num::LIMIT).then_some(value)
}
