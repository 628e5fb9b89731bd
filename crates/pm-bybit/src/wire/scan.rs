//! A scanner made for one message: the compact order-book frame, the only one that comes hundreds of times a second. It reads bytes once
//! and turns prices into fixed point while it passes them. Anything unusual (spaces, escapes, exponents, signs, unknown or repeated keys)
//! is `None`, and the general decoder takes the frame from its start; a property test holds that both agree.

use pm_core::book::Level;
use pm_core::num::{LIMIT, SCALE_DIGITS};
use pm_core::units::{Px, Qty};

use super::book::{Levels, RawBook};

/// Reads a book frame, or gives up.
pub(super) fn book<'a>(frame: &'a [u8], levels: &mut Levels) -> Option<RawBook<'a>> {
    levels.clear();
    let mut c = Cursor { rest: frame };
    let mut raw = RawBook::default();
    let (mut data, mut id) = (false, false);
    c.byte(b'{')?;
    loop {
        match c.key()? {
            b"topic" if raw.topic.is_none() => {
                let topic = c.text()?;
                if !topic.starts_with("orderbook.") {
                    return None;
                }
                raw.topic = Some(topic);
            }
            b"type" if raw.kind.is_none() => raw.kind = Some(c.text()?),
            b"ts" if raw.ts.is_none() => raw.ts = Some(c.int()?),
            b"cts" if raw.cts.is_none() => raw.cts = Some(c.int()?),
            b"id" if !id => {
                c.text()?;
                id = true;
            }
            b"data" if !data => {
                body(&mut c, &mut raw, levels)?;
                data = true;
            }
            _ => return None,
        }
        match c.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    (data && c.rest.is_empty()).then_some(raw)
}

fn body<'a>(c: &mut Cursor<'a>, raw: &mut RawBook<'a>, levels: &mut Levels) -> Option<()> {
    let (mut bids, mut asks) = (false, false);
    c.byte(b'{')?;
    loop {
        match c.key()? {
            b"s" if raw.symbol.is_none() => raw.symbol = Some(c.text()?),
            b"b" if !bids => {
                side(c, &mut levels.bids)?;
                bids = true;
            }
            b"a" if !asks => {
                side(c, &mut levels.asks)?;
                asks = true;
            }
            b"u" if raw.u.is_none() => raw.u = Some(c.int()?),
            b"seq" if raw.seq.is_none() => raw.seq = Some(c.int()?),
            _ => return None,
        }
        match c.next()? {
            b',' => {}
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

/// `[["65114.20","0.004"],...]`
#[inline]
fn side(c: &mut Cursor<'_>, into: &mut Vec<Level>) -> Option<()> {
    c.byte(b'[')?;
    if let Some(rest) = c.rest.strip_prefix(b"]") {
        c.rest = rest;
        return Some(());
    }
    loop {
        c.rest = c.rest.strip_prefix(b"[\"")?;
        let px = c.decimal()?;
        if px == 0 {
            return None;
        }
        c.rest = c.rest.strip_prefix(b",\"")?;
        let qty = c.decimal()?;
        into.push(Level { px: Px::from_raw(px), qty: Qty::from_raw(qty) });
        match c.rest {
            [b']', b',', rest @ ..] => c.rest = rest,
            [b']', b']', rest @ ..] => {
                c.rest = rest;
                return Some(());
            }
            _ => return None,
        }
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    fn byte(&mut self, want: u8) -> Option<()> {
        (self.next()? == want).then_some(())
    }

    /// Bytes up to the closing quote, printable ASCII without escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a [u8]> {
        self.byte(b'"')?;
        let end = self.rest.iter().position(|b| *b == b'"')?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        if text.iter().any(|b| !(0x20..0x7f).contains(b) || *b == b'\\') {
            return None;
        }
        self.rest = rest.get(1..)?;
        Some(text)
    }

    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.string()?).ok()
    }

    #[inline]
    fn key(&mut self) -> Option<&'a [u8]> {
        let key = self.string()?;
        self.byte(b':')?;
        Some(key)
    }

    /// A JSON whole number of at most 19 digits without leading zeros.
    #[inline]
    fn int(&mut self) -> Option<u64> {
        let digits = self.rest.iter().position(|b| !b.is_ascii_digit())?;
        let (text, rest) = self.rest.split_at_checked(digits)?;
        if digits > 19 || (digits > 1 && text.first() == Some(&b'0')) || digits == 0 {
            return None;
        }
        self.rest = rest;
        // 19 digits are below 10^19 < 2^64.
        Some(text.iter().fold(0_u64, |v, b| v.wrapping_mul(10).wrapping_add(u64::from(b & 0x0f))))
    }

    /// Digits with at most one point, after an opening quote and up to the closing one; the value at scale 1e-8.
    #[inline]
    fn decimal(&mut self) -> Option<i64> {
        let mut value: i64 = 0;
        let mut digits = 0_u32;
        let mut bytes = self.rest.iter();
        let mut point = None;
        loop {
            match bytes.next()? {
                b @ b'0'..=b'9' => {
                    value = value.wrapping_mul(10).wrapping_add(i64::from(b & 0x0f));
                    digits += 1;
                }
                b'.' if point.is_none() => point = Some(digits),
                b'"' => break,
                _ => return None,
            }
        }
        let places = point.map_or(0, |at| digits - at);
        // 18 digits cannot have wrapped.
        if digits == 0 || digits > 18 || places > SCALE_DIGITS {
            return None;
        }
        let scaled = value.checked_mul(power(SCALE_DIGITS - places))?;
        if scaled > LIMIT {
            return None;
        }
        self.rest = bytes.as_slice();
        Some(scaled)
    }
}

/// 10^n for n <= 8.
#[inline]
const fn power(n: u32) -> i64 {
    match n {
        0 => 1,
        1 => 10,
        2 => 100,
        3 => 1_000,
        4 => 10_000,
        5 => 100_000,
        6 => 1_000_000,
        7 => 10_000_000,
        _ => 100_000_000,
    }
}
