//! What to ask a public socket for, within its limits (venues/bybit.md 4.1): at most 21,000 characters of topics a connection, at most 10
//! topics a request on spot, at most 2,000 topics on the option socket. One bad topic fails its whole request on linear, so each symbol has
//! its own.

use crate::category::Category;

/// Characters of topics that one public connection takes.
pub const MAX_CHARS: usize = 21_000;
/// Topics that one request takes on the spot socket.
pub const MAX_SPOT_ARGS: usize = 10;
/// Topics that the option socket takes.
pub const MAX_OPTION_ARGS: usize = 2_000;
/// Topics that a request of ours carries on the option socket, where topics fail one by one.
const OPTION_CHUNK: usize = 100;

/// Topics that belong together: those of one symbol, or of one base coin.
pub type Group = Vec<String>;

/// Requests to send, and what had no room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Frames in order.
    pub frames: Vec<String>,
    /// Topics beyond the limits of one connection, in order of importance.
    pub omitted: Vec<String>,
}

/// Packs groups, most important first, into requests.
#[must_use]
pub fn plan(category: Category, groups: Vec<Group>) -> Plan {
    let (mut chars, mut args) = (0_usize, 0_usize);
    let mut plan = Plan::default();
    let mut requests: Vec<Vec<String>> = Vec::new();
    for group in groups {
        let size: usize = group.iter().map(|t| t.len() + 3).sum();
        let full = chars + size > MAX_CHARS || (category == Category::Option && args + group.len() > MAX_OPTION_ARGS);
        if full {
            plan.omitted.extend(group);
            continue;
        }
        chars += size;
        args += group.len();
        match requests.last_mut() {
            Some(last) if category == Category::Option && last.len() + group.len() <= OPTION_CHUNK => last.extend(group),
            _ => requests.extend(group.chunks(MAX_SPOT_ARGS).map(<[String]>::to_vec)),
        }
    }
    plan.frames = requests.iter().enumerate().map(|(i, topics)| request("subscribe", &format!("s{}", i + 1), topics)).collect();
    plan
}

/// A request frame. Topics and ids are plain words of the venue's alphabet; quotes in them would be escaped by nobody, so they are dropped.
#[must_use]
pub fn request(op: &str, req_id: &str, topics: &[String]) -> String {
    let args: Vec<String> = topics.iter().map(|t| format!("\"{}\"", t.replace(['"', '\\'], ""))).collect();
    format!("{{\"req_id\":\"{req_id}\",\"op\":\"{op}\",\"args\":[{}]}}", args.join(","))
}

/// The application's ping, due every 20 s (venues/bybit.md 4.1).
#[must_use]
pub fn ping(req_id: u64) -> String {
    format!("{{\"req_id\":\"{req_id}\",\"op\":\"ping\"}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_per_symbol_with_stable_ids() {
        let plan = plan(
            Category::Linear,
            vec![vec!["orderbook.50.BTCUSDT".into(), "tickers.BTCUSDT".into()], vec!["orderbook.50.ETHUSDT".into()]],
        );
        assert_eq!(
            plan.frames,
            [
                r#"{"req_id":"s1","op":"subscribe","args":["orderbook.50.BTCUSDT","tickers.BTCUSDT"]}"#,
                r#"{"req_id":"s2","op":"subscribe","args":["orderbook.50.ETHUSDT"]}"#
            ]
        );
        assert!(plan.omitted.is_empty());
        assert_eq!(ping(7), r#"{"req_id":"7","op":"ping"}"#);
    }

    proptest! {
        #[test]
        fn limits_hold_and_nothing_is_lost(sizes in proptest::collection::vec((1..14_usize, 5..40_usize), 0..900), which in 0..3_usize) {
            let category = Category::ALL[which];
            let groups: Vec<Group> = sizes.iter().map(|(n, len)| vec!["x".repeat(*len); *n]).collect();
            let topics: usize = groups.iter().map(Vec::len).sum();
            let plan = plan(category, groups);
            let (mut chars, mut sent) = (0, 0);
            for frame in &plan.frames {
                let args = frame.split_once("\"args\":").unwrap().1;
                chars += args.len() - 3;
                let n = args.matches("\"x").count();
                sent += n;
                prop_assert!(category == Category::Option || n <= MAX_SPOT_ARGS);
            }
            prop_assert!(chars <= MAX_CHARS);
            prop_assert!(category != Category::Option || sent <= MAX_OPTION_ARGS);
            prop_assert_eq!(sent + plan.omitted.len(), topics);
        }
    }
}
