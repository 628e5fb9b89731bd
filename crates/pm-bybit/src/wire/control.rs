//! Acknowledgements, pongs and refusals (venues/bybit.md 4.1). Every socket has its own shape: linear and spot send `op` and `ret_msg`,
//! options send `COMMAND_RESP` with lists of topics, order-entry and newer gateways `retCode` and `retMsg`.

use std::borrow::Cow;

use pm_core::wire_text::{clip, json};
use serde::Deserialize;

use super::error::WireError;

/// What a control frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// A request was accepted.
    Ack {
        /// `req_id`, where sent back.
        req_id: Option<String>,
    },
    /// The answer to a ping.
    Pong,
    /// A request was refused, as a whole or for some topics.
    Refused(WireError),
    /// A well-formed frame without a topic that is none of these.
    Unknown,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    op: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    success: Option<bool>,
    #[serde(borrow)]
    ret_msg: Option<Cow<'a, str>>,
    #[serde(rename = "retMsg", borrow)]
    ret_msg_camel: Option<Cow<'a, str>>,
    #[serde(rename = "retCode")]
    ret_code: Option<i64>,
    req_id: Option<Cow<'a, str>>,
    #[serde(rename = "reqId")]
    req_id_camel: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "fail_topics", borrow)]
    data: Vec<Cow<'a, str>>,
}

/// `data` is an object with topic lists on the option socket and anything else elsewhere.
fn fail_topics<'de: 'a, 'a, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Lists<'a> {
        #[serde(rename = "failTopics", borrow)]
        fail: Option<Vec<Cow<'a, str>>>,
    }
    let raw = <&'de serde_json::value::RawValue>::deserialize(d)?;
    Ok(serde_json::from_str::<Lists<'de>>(raw.get()).ok().and_then(|l| l.fail).unwrap_or_default())
}

/// Decodes a frame that has no topic.
///
/// # Errors
/// Not JSON, or fields of other types.
pub fn parse(frame: &str) -> Result<Control, WireError> {
    let f: Frame<'_> = json("a control frame", frame)?;
    let op = f.op.as_deref().or(f.kind.as_deref()).unwrap_or_default();
    let msg = f.ret_msg.as_deref().or(f.ret_msg_camel.as_deref()).unwrap_or_default();
    let code = f.ret_code.filter(|c| *c != 0);
    if !f.data.is_empty() {
        return Ok(refused(op, code, &format!("topics {}", f.data.join(", "))));
    }
    if f.success == Some(false) || code.is_some() {
        return Ok(refused(op, code, msg));
    }
    if op.is_empty() {
        return Ok(Control::Unknown);
    }
    if op == "pong" || msg == "pong" || (op == "ping" && f.success != Some(false)) {
        return Ok(Control::Pong);
    }
    Ok(Control::Ack { req_id: f.req_id.or(f.req_id_camel).map(|id| clip(&id)) })
}

fn refused(op: &str, code: Option<i64>, msg: &str) -> Control {
    Control::Refused(WireError::Refused { op: clip(op), code, msg: clip(msg) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_socket_acknowledges_in_its_own_way() {
        for frame in [
            r#"{"success":true,"ret_msg":"","conn_id":"c","req_id":"s1","op":"subscribe"}"#,
            r#"{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"s1","op":"subscribe"}"#,
            r#"{"op":"auth","success":true,"retCode":0,"retMsg":"","connId":"c","reqId":"s1"}"#,
        ] {
            assert_eq!(parse(frame).unwrap(), Control::Ack { req_id: Some("s1".into()) }, "{frame}");
        }
        let option =
            r#"{"success":true,"conn_id":"c","data":{"failTopics":[],"successTopics":["orderbook.25.X"]},"type":"COMMAND_RESP"}"#;
        assert_eq!(parse(option).unwrap(), Control::Ack { req_id: None });
    }

    #[test]
    fn every_socket_pongs_in_its_own_way() {
        for frame in [
            r#"{"success":true,"ret_msg":"pong","conn_id":"c","op":"ping"}"#,
            r#"{"op":"pong","args":["1672916271846"],"conn_id":"c"}"#,
            r#"{"retCode":0,"retMsg":"OK","op":"pong","data":["1711002002529"],"connId":"c"}"#,
        ] {
            assert_eq!(parse(frame).unwrap(), Control::Pong, "{frame}");
        }
    }

    #[test]
    fn refusals_keep_the_venues_words() {
        for (frame, says) in [
            (
                r#"{"success":false,"ret_msg":"error:handler not found,topic:orderbook.50.NOPEUSDT","conn_id":"c","req_id":"x","op":"subscribe"}"#,
                "subscribe refused: error:handler not found,topic:orderbook.50.NOPEUSDT",
            ),
            (r#"{"success":false,"ret_msg":"args size >10","conn_id":"c","op":"subscribe"}"#, "subscribe refused: args size >10"),
            (
                r#"{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid apikey","connId":"c"}"#,
                "auth refused (10003): Invalid apikey",
            ),
            (
                r#"{"success":true,"data":{"failTopics":["tickers.X"],"successTopics":[]},"type":"COMMAND_RESP"}"#,
                "COMMAND_RESP refused: topics tickers.X",
            ),
        ] {
            let Control::Refused(why) = parse(frame).unwrap() else { panic!("{frame}") };
            assert_eq!(why.to_string(), says);
        }
        assert_eq!(parse("{}").unwrap(), Control::Unknown);
        assert!(parse("[]").is_err() && parse("").is_err());
    }
}
