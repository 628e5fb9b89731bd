//! Variable-length integers of the frame payload: LEB128, zigzag for signed ones. Reading never trusts the bytes.

/// Appends an unsigned integer.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed integer.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// Reads an unsigned integer and moves `at` behind it; `None` when the bytes end or do not fit 64 bits.
#[inline]
pub(super) fn get(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    let mut shift = 0_u32;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

/// Reads a signed integer.
#[inline]
pub(super) fn get_signed(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let z = get(bytes, at)?;
    Some((z >> 1).cast_signed() ^ -((z & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(u in any::<u64>(), i in any::<i64>()) {
            let mut out = Vec::new();
            put(&mut out, u);
            put_signed(&mut out, i);
            let mut at = 0;
            prop_assert_eq!(get(&out, &mut at), Some(u));
            prop_assert_eq!(get_signed(&out, &mut at), Some(i));
            prop_assert_eq!(at, out.len());
            prop_assert_eq!(get(&out, &mut at), None);
        }
    }

    #[test]
    fn too_long_is_refused() {
        assert_eq!(get(&[0xff; 11], &mut 0), None);
        assert_eq!(get(&[0x80, 0x80], &mut 0), None);
    }
}
