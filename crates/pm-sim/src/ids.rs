//! Ids that look like the venue's: made from the seed and a counter by SHA-1, so that they repeat with the seed.

use sha1::{Digest, Sha1};

use crate::text::{Put, string};

/// SHA-1 of two texts.
pub(crate) fn digest(a: &str, b: &str) -> [u8; 20] {
    Sha1::new().chain_update(a).chain_update([0]).chain_update(b).finalize().into()
}

/// SHA-1 of some bytes.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// Condition id: `0x` and 64 hex digits.
pub(crate) fn condition(seed: u64, id: i64) -> String {
    let key = format!("{seed}/{id}");
    let (a, b) = (digest(&key, "condition"), digest(&key, "more"));
    let mut w = b"0x".to_vec();
    w.hex(&a).hex(b.get(..12).unwrap_or_default());
    string(w)
}

/// Token id: 77 decimal digits, which always fit 256 bits.
pub(crate) fn token(condition: &str, outcome: &str) -> String {
    let mut out = String::with_capacity(77);
    let mut last = outcome.to_owned();
    while out.len() < 77 {
        let d = digest(condition, &last);
        for byte in d {
            if out.len() < 77 {
                let digit = if out.is_empty() { 1 + byte % 9 } else { byte % 10 };
                out.push(char::from(b'0' + digit));
            }
        }
        last.push('+');
    }
    out
}
