//! Numbers and texts into bytes without a formatter: frames are written a million times a second, and their bytes must be the same on
//! every machine.

/// Appends to a frame.
pub(crate) trait Put {
    /// Text as it is.
    fn text(&mut self, text: &str) -> &mut Self;
    /// Integer in decimal.
    fn int(&mut self, value: i64) -> &mut Self;
    /// `raw / 10^digits` with all `digits` decimals.
    fn fixed(&mut self, raw: i64, digits: usize) -> &mut Self;
    /// `raw / 10^digits` without trailing zeros.
    fn trimmed(&mut self, raw: i64, digits: usize) -> &mut Self;
    /// Bytes in lower-case hex.
    fn hex(&mut self, bytes: &[u8]) -> &mut Self;
    /// A JSON text with its quotes.
    fn json(&mut self, text: &str) -> &mut Self;
    /// `2026-09-14T13:30:00Z`.
    fn iso(&mut self, secs: i64) -> &mut Self;
    /// An integer with at least two digits.
    fn two(&mut self, value: i64) -> &mut Self;
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Decimal digits of `value`, at least `width` of them, into the end of `buffer`. Returns where they begin.
fn digits(mut value: u64, width: usize, buffer: &mut [u8; 40]) -> usize {
    let mut at = buffer.len();
    while at > 0 && (value > 0 || buffer.len() - at < width) {
        at -= 1;
        if let Some(place) = buffer.get_mut(at) {
            *place = b'0' + u8::try_from(value % 10).unwrap_or_default();
        }
        value /= 10;
    }
    at
}

impl Put for Vec<u8> {
    #[inline]
    fn text(&mut self, text: &str) -> &mut Self {
        self.extend_from_slice(text.as_bytes());
        self
    }

    #[inline]
    fn int(&mut self, value: i64) -> &mut Self {
        self.fixed(value, 0)
    }

    fn fixed(&mut self, raw: i64, places: usize) -> &mut Self {
        let mut buffer = [0_u8; 40];
        if raw < 0 {
            self.push(b'-');
        }
        let places = places.min(20);
        let begin = digits(raw.unsigned_abs(), places + 1, &mut buffer);
        let (whole, fraction) = buffer.split_at(buffer.len() - places);
        self.extend_from_slice(whole.get(begin..).unwrap_or_default());
        if places > 0 {
            self.push(b'.');
            self.extend_from_slice(fraction);
        }
        self
    }

    fn trimmed(&mut self, raw: i64, mut places: usize) -> &mut Self {
        let mut raw = raw;
        while places > 0 && raw % 10 == 0 {
            raw /= 10;
            places -= 1;
        }
        self.fixed(raw, places)
    }

    fn hex(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                self.push(HEX.get(usize::from(nibble)).copied().unwrap_or_default());
            }
        }
        self
    }

    fn json(&mut self, text: &str) -> &mut Self {
        self.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.extend_from_slice(b"\\\""),
                b'\\' => self.extend_from_slice(b"\\\\"),
                b'\n' => self.extend_from_slice(b"\\n"),
                byte => self.push(byte),
            }
        }
        self.push(b'"');
        self
    }

    fn iso(&mut self, secs: i64) -> &mut Self {
        let (year, month, day) = crate::calendar::civil(secs.div_euclid(86_400));
        let of_day = secs.rem_euclid(86_400);
        self.int(year).text("-").two(month).text("-").two(day).text("T");
        self.two(of_day / 3_600).text(":").two(of_day / 60 % 60).text(":").two(of_day % 60).text("Z")
    }

    fn two(&mut self, value: i64) -> &mut Self {
        if (0..10).contains(&value) {
            self.push(b'0');
        }
        self.int(value)
    }
}

/// The bytes as text; the writers above only ever write ASCII and what came in as text.
pub(crate) fn string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(f: impl FnOnce(&mut Vec<u8>) -> &mut Vec<u8>) -> String {
        let mut out = Vec::new();
        f(&mut out);
        string(out)
    }

    #[test]
    fn numbers_in_every_form() {
        assert_eq!(said(|w| w.int(0).text(" ").int(-12).text(" ").int(i64::MAX)), "0 -12 9223372036854775807");
        assert_eq!(
            said(|w| w.fixed(5, 2).text(" ").fixed(-6_400_010, 2).text(" ").fixed(7, 18)),
            "0.05 -64000.10 0.000000000000000007"
        );
        assert_eq!(
            said(|w| w.trimmed(480, 3).text(" ").trimmed(1_000, 3).text(" ").trimmed(0, 3).text(" ").trimmed(5, 3)),
            "0.48 1 0 0.005"
        );
        assert_eq!(said(|w| w.json("a \"b\"\nc")), "\"a \\\"b\\\"\\nc\"");
        assert_eq!(said(|w| w.hex(&[0x0f, 0xa0]).iso(1_789_392_600)), "0fa02026-09-14T13:30:00Z");
    }
}
