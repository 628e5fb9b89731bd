//! `orderbook.{depth}.{symbol}` (venues/bybit.md 4.2): snapshot and delta, every depth, every socket.

use pm_core::book::Level;
use pm_core::time::Ts;
use pm_core::wire_text::{TextError, clip, json};
use serde::Deserialize;

use super::error::WireError;
use super::num::{NumText, Reader, instant};
use super::{Topic, scan};
use crate::continuity::UpdateKind;

/// Levels of one frame; kept between frames so that nothing is allocated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    /// Bids as sent.
    pub bids: Vec<Level>,
    /// Asks as sent.
    pub asks: Vec<Level>,
}

impl Levels {
    pub(super) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }
}

/// Everything of a book frame but its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookFrame<'a> {
    /// Levels a side of the topic.
    pub depth: u16,
    /// Symbol.
    pub symbol: &'a str,
    /// Snapshot or delta, as the frame says it.
    pub kind: UpdateKind,
    /// Time of the gateway.
    pub ts: Ts,
    /// Time of the matching engine, where sent. On options it is the last change, which may be long ago (venues/bybit.md 4.2).
    pub cts: Option<Ts>,
    /// Sequence number within the topic.
    pub u: u64,
    /// Sequence over topics of the engine shard; 0 when not sent.
    pub seq: u64,
}

/// Fields as found, by either decoder.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawBook<'a> {
    pub(super) topic: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) symbol: Option<&'a str>,
    pub(super) ts: Option<u64>,
    pub(super) cts: Option<u64>,
    pub(super) u: Option<u64>,
    pub(super) seq: Option<u64>,
}

impl<'a> RawBook<'a> {
    /// The checks that both decoders share.
    #[inline]
    fn check(self) -> Result<BookFrame<'a>, WireError> {
        let topic = self.topic.ok_or(TextError::Missing { field: "topic" })?;
        let Topic::Book { depth, symbol } = Topic::parse(topic) else {
            return Err(WireError::Value { field: "topic", text: clip(topic) });
        };
        let data = self.symbol.ok_or(TextError::Missing { field: "data.s" })?;
        if data != symbol {
            return Err(WireError::Symbol { topic: clip(symbol), data: clip(data) });
        }
        let kind = match self.kind {
            Some("snapshot") => UpdateKind::Snapshot,
            Some("delta") => UpdateKind::Delta,
            Some(other) => return Err(WireError::Value { field: "type", text: clip(other) }),
            None => return Err(TextError::Missing { field: "type" }.into()),
        };
        let time = |field, ms: u64| instant(ms).ok_or_else(|| TextError::Range { field, text: ms.to_string(), at: None });
        Ok(BookFrame {
            depth,
            symbol,
            kind,
            ts: time("ts", self.ts.ok_or(TextError::Missing { field: "ts" })?)?,
            cts: self.cts.map(|ms| time("cts", ms)).transpose()?,
            u: self.u.ok_or(TextError::Missing { field: "data.u" })?,
            seq: self.seq.unwrap_or(0),
        })
    }
}

/// The fast decoder: `None` when the frame is no book frame, or not in the compact form that the venue sends.
#[inline]
pub fn scan<'a>(frame: &'a [u8], levels: &mut Levels) -> Option<BookFrame<'a>> {
    scan::book(frame, levels)?.check().ok()
}

#[derive(Deserialize)]
struct Frame<'a> {
    topic: Option<&'a str>,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    #[serde(borrow)]
    ts: Option<NumText<'a>>,
    #[serde(borrow)]
    cts: Option<NumText<'a>>,
    #[serde(borrow)]
    data: Option<Body<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    s: Option<&'a str>,
    #[serde(borrow)]
    b: Option<Vec<Vec<NumText<'a>>>>,
    #[serde(borrow)]
    a: Option<Vec<Vec<NumText<'a>>>>,
    #[serde(borrow)]
    u: Option<NumText<'a>>,
    #[serde(borrow)]
    seq: Option<NumText<'a>>,
}

/// The general decoder: any key order, spaces, exponents, null or absent lists (= no levels). A third element of a level (RPI size) is
/// not read.
///
/// # Errors
/// The first thing that does not fit, with field and place.
pub fn parse<'a>(frame: &'a str, levels: &mut Levels) -> Result<BookFrame<'a>, WireError> {
    levels.clear();
    let f: Frame<'a> = json("a book frame", frame)?;
    let data = f.data.ok_or(TextError::Missing { field: "data" })?;
    let reader = Reader::new(frame);
    let int = |field, n: Option<NumText<'a>>| n.map(|n| reader.int(field, Some(n))).transpose();
    let head = RawBook {
        topic: f.topic,
        kind: f.kind,
        symbol: data.s,
        ts: int("ts", f.ts)?,
        cts: int("cts", f.cts)?,
        u: int("data.u", data.u)?,
        seq: int("data.seq", data.seq)?,
    }
    .check()?;
    side(reader, "data.b", data.b, &mut levels.bids)?;
    side(reader, "data.a", data.a, &mut levels.asks)?;
    Ok(head)
}

fn side(
    reader: Reader<'_>,
    field: &'static str,
    from: Option<Vec<Vec<NumText<'_>>>>,
    into: &mut Vec<Level>,
) -> Result<(), TextError> {
    for level in from.unwrap_or_default() {
        let mut parts = level.into_iter();
        into.push(Level { px: reader.px(field, parts.next())?, qty: reader.qty(field, parts.next())? });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DELTA: &str = r#"{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1773386409407,"data":{"s":"BTCUSDT","b":[["71419.80","0"],["71418.20","0.159"]],"a":[["71427.90","0.006"],["71428.30","0"]],"u":10132541,"seq":546137962186},"cts":1773386409404}"#;
    const FIRST_LEVEL: &str = r#"{"topic":"orderbook.1.BTCUSDT","ts":1786659828109,"type":"snapshot","data":{"s":"BTCUSDT","b":[["63561.5","1.776"]],"a":[["63561.6","4.848"]],"u":31398762,"seq":764144453970},"cts":1786659828107}"#;

    type Read<'a> = (BookFrame<'a>, Levels);

    fn both(frame: &str) -> (Option<Read<'_>>, Result<Read<'_>, WireError>) {
        let (mut fast, mut slow) = (Levels::default(), Levels::default());
        let scanned = scan(frame.as_bytes(), &mut fast).map(|f| (f, fast));
        let parsed = parse(frame, &mut slow).map(|f| (f, slow));
        (scanned, parsed)
    }

    #[test]
    fn captured_frames_read_the_same_by_both() {
        for frame in [DELTA, FIRST_LEVEL] {
            let (fast, slow) = both(frame);
            assert_eq!(fast.unwrap(), slow.unwrap());
        }
        let (head, levels) = both(DELTA).1.unwrap();
        assert_eq!(
            (head.depth, head.symbol, head.kind, head.u, head.seq),
            (50, "BTCUSDT", UpdateKind::Delta, 10_132_541, 546_137_962_186)
        );
        assert_eq!((head.ts, head.cts), (Ts::from_millis(1_773_386_409_407), Some(Ts::from_millis(1_773_386_409_404))));
        assert_eq!(levels.bids[0], Level { px: "71419.8".parse().unwrap(), qty: "0".parse().unwrap() });
        assert_eq!(levels.asks[0], Level { px: "71427.9".parse().unwrap(), qty: "0.006".parse().unwrap() });
    }

    #[test]
    fn unusual_but_valid_forms_are_read_by_the_general_decoder() {
        for (from, to) in [
            (r#""b":[["71419.80","0"],["71418.20","0.159"]]"#, r#""b":null"#),
            (r#"["71427.90","0.006"]"#, r#"["7.14279e+04","6e-3"]"#),
            (r#"["71427.90","0.006"]"#, r#"[71427.90,0.006]"#),
            (r#"["71427.90","0.006"]"#, r#"["71427.90","0.006","1"]"#),
            (r#""u":10132541"#, r#""u":"10132541""#),
            (r#""seq":546137962186"#, r#""new":{"x":[1]},"seq":546137962186"#),
            (r#""type":"delta""#, r#""type": "delta""#),
        ] {
            let frame = DELTA.replace(from, to);
            assert_ne!(frame, DELTA);
            let (fast, slow) = both(&frame);
            assert!(fast.is_none(), "{frame}");
            let (_, levels) = slow.unwrap();
            assert_eq!(levels.asks[0], Level { px: "71427.9".parse().unwrap(), qty: "0.006".parse().unwrap() });
        }
    }

    #[test]
    fn an_absent_list_is_no_levels_to_both() {
        let frame = DELTA.replace(r#""b":[["71419.80","0"],["71418.20","0.159"]],"#, "");
        let (fast, slow) = both(&frame);
        let (head, levels) = slow.unwrap();
        assert_eq!((levels.bids.len(), levels.asks.len()), (0, 2));
        assert_eq!(fast, Some((head, levels)));
    }

    #[test]
    fn bad_frames_say_field_and_place() {
        for (from, to, says) in [
            (r#""71419.80""#, r#""""#, "data.b: empty number: \"\""),
            (r#""71419.80""#, r#""0""#, "data.b: not possible here: \"0\""),
            (r#""71419.80""#, r#""-1""#, "data.b: not possible here: \"-1\""),
            (r#""71419.80""#, r#""0.123456789""#, "data.b: more than 8 decimal places"),
            (r#""71419.80""#, r#""99999999999""#, "data.b: number out of range"),
            (r#""0.159""#, r#""-0.159""#, "data.b: not possible here"),
            (r#""0.159""#, r#""NaN""#, "data.b: not a decimal number"),
            (r#"["71428.30","0"]"#, r#"["71428.30"]"#, "data.a is missing"),
            (r#""u":10132541,"#, "", "data.u is missing"),
            (r#""ts":1773386409407"#, r#""ts":99773386409407"#, "ts: not possible here"),
            (r#""type":"delta""#, r#""type":"patch""#, "type: unknown value \"patch\""),
            (r#""s":"BTCUSDT""#, r#""s":"ETHUSDT""#, "the topic is about \"BTCUSDT\", the data about \"ETHUSDT\""),
            (r#""cts":1773386409404}"#, "", "not the JSON of a book frame"),
        ] {
            let frame = DELTA.replace(from, to);
            assert_ne!(frame, DELTA);
            let (fast, slow) = both(&frame);
            assert!(fast.is_none(), "{frame}");
            let err = slow.unwrap_err();
            assert!(err.to_string().starts_with(says), "{err}");
        }
        let err = parse(&DELTA.replace("0.159", "0,159"), &mut Levels::default()).unwrap_err();
        assert_eq!(err.at(), DELTA.find("0.159"));
    }

    /// Frames of the venue's shape with numbers and keys in many forms, good and bad.
    fn frames() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            4 => "[0-9]{1,6}(\\.[0-9]{1,4})?",
            1 => "[0-9]{0,12}\\.?[0-9]{0,10}",
            1 => "[-+]?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?",
        ];
        let level = (number.clone(), number).prop_map(|(p, q)| format!("[\"{p}\",\"{q}\"]"));
        let side = proptest::collection::vec(level, 0..6).prop_map(|l| format!("[{}]", l.join(",")));
        let int =
            prop_oneof![4 => "[1-9][0-9]{0,12}", 1 => "[0-9]{1,21}", 1 => Just("-1".to_owned()), 1 => Just("1.5".to_owned())];
        (
            side.clone(),
            side,
            int.clone(),
            int,
            any::<bool>(),
            proptest::option::of("[a-z]{1,5}"),
            Just(()).prop_perturb(|(), mut r| r.random::<u64>()),
        )
            .prop_map(|(b, a, u, ts, snapshot, extra, order)| {
                let mut data = [
                    "\"s\":\"BTCUSDT\"".to_owned(),
                    format!("\"b\":{b}"),
                    format!("\"a\":{a}"),
                    format!("\"u\":{u}"),
                    "\"seq\":7".to_owned(),
                ];
                let turn = usize::try_from(order % 5).unwrap();
                data.rotate_left(turn);
                let kind = if snapshot { "snapshot" } else { "delta" };
                let mut top = vec![
                    "\"topic\":\"orderbook.50.BTCUSDT\"".to_owned(),
                    format!("\"type\":\"{kind}\""),
                    format!("\"ts\":{ts}"),
                    format!("\"data\":{{{}}}", data.join(",")),
                    "\"cts\":1773386409404".to_owned(),
                ];
                if let Some(key) = extra {
                    top.push(format!("\"{key}\":1"));
                }
                let turn = usize::try_from(order % 6).unwrap() % top.len();
                top.rotate_left(turn);
                format!("{{{}}}", top.join(","))
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What the scanner reads, the general decoder reads, and reads the same.
        #[test]
        fn scanner_and_general_decoder_agree(frame in frames()) {
            let (fast, slow) = both(&frame);
            if let Some(fast) = fast {
                prop_assert_eq!(fast, slow.unwrap());
            }
        }

        /// The same for frames with bytes changed anywhere.
        #[test]
        fn they_agree_on_damaged_frames(
            which in 0..2_usize,
            changes in proptest::collection::vec((0..240_usize, any::<u8>()), 0..4),
            cut in proptest::option::of(0..240_usize),
        ) {
            let mut bytes = [DELTA, FIRST_LEVEL][which].as_bytes().to_vec();
            for (at, to) in changes {
                if let Some(b) = bytes.get_mut(at) {
                    *b = to;
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut);
            }
            let (mut fast, mut slow) = (Levels::default(), Levels::default());
            if let Some(head) = scan(&bytes, &mut fast) {
                let text = core::str::from_utf8(&bytes).unwrap();
                prop_assert_eq!(head, parse(text, &mut slow).unwrap());
                prop_assert_eq!(fast, slow);
            } else if let Ok(text) = core::str::from_utf8(&bytes) {
                let _ = parse(text, &mut slow);
            }
        }

        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut levels = Levels::default();
            let _ = scan(&bytes, &mut levels);
            let _ = parse(&String::from_utf8_lossy(&bytes), &mut levels);
        }
    }
}
