//! Filters: how a value of a row is changed on its way into a record.

use std::borrow::Cow;

use pm_core::num::{self, Excess};
use pm_core::units::Px;

use super::{Tables, as_texts};
use crate::import::clock;
use crate::json::Node;

/// Names of all filters.
pub(super) const NAMES: &[&str] = &[
    "ms",
    "s",
    "us",
    "ns",
    "datetime",
    "plus",
    "after",
    "before",
    "last",
    "strip",
    "int",
    "bool",
    "cut8",
    "scale",
    "zero_empty",
    "one_empty",
    "lower",
    "upper",
    "table",
    "json",
    "or",
    "shift",
];

/// A time moved by so many seconds, which another field gives.
pub(super) fn shift(time: &Node<'_>, by: Option<&Node<'_>>) -> Result<Node<'static>, String> {
    let by = by.and_then(Node::text).and_then(|t| clock::scaled(&t, 9)).ok_or("the seconds to shift by are no number")?;
    let time = time.text().and_then(|t| t.parse::<i64>().ok()).ok_or("only a time can be shifted")?;
    Ok(Node::Num(Cow::Owned(time.checked_add(by).ok_or("the time is out of range")?.to_string())))
}

/// Looks a text up. One that is not in the table is an error: taking nothing for it would make a default of it further on. It is no value
/// when the table's name ends in `?`, or when the mapping says what to take (`|or:` behind it).
pub(super) fn table(argument: &str, node: &Node<'static>, tables: &Tables, or: bool) -> Result<Node<'static>, String> {
    let (name, optional) = argument.strip_suffix('?').map_or((argument, or), |name| (name, true));
    let text = node.text().ok_or("table needs a single value")?;
    let table = tables.get(name).ok_or_else(|| format!("there is no table {name:?}"))?;
    match table.get(text.as_ref()) {
        Some(found) => Ok(Node::Str(Cow::Owned(found.clone()))),
        None if optional => Ok(Node::Null),
        None => {
            let keys = table.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(format!("{text:?} is not in the table {name}, which has {keys}"))
        }
    }
}

pub(super) fn apply(name: &str, argument: &str, node: &Node<'static>) -> Result<Node<'static>, String> {
    if name == "or" {
        return Ok(node.clone());
    }
    let text = node.text().ok_or_else(|| format!("{name} needs a single value"))?;
    let text = text.as_ref();
    let no = |what: &str| format!("{text:?} is not {what}");
    let number = |v: i64| Node::Num(Cow::Owned(v.to_string()));
    let string = |s: &str| Node::Str(Cow::Owned(s.to_owned()));
    Ok(match name {
        "s" => number(clock::scaled(text, 9).ok_or_else(|| no("a time in seconds"))?),
        "ms" => number(clock::scaled(text, 6).ok_or_else(|| no("a time in milliseconds"))?),
        "us" => number(clock::scaled(text, 3).ok_or_else(|| no("a time in microseconds"))?),
        "ns" => number(clock::scaled(text, 0).ok_or_else(|| no("a time in nanoseconds"))?),
        "datetime" => number(clock::datetime(text).ok_or_else(|| no("a date and time"))?),
        "plus" => {
            let by = clock::span(argument).ok_or_else(|| format!("{argument:?} is not a span"))?;
            number(text.parse::<i64>().ok().and_then(|t| t.checked_add(by)).ok_or_else(|| no("a time"))?)
        }
        "after" => text.split_once(argument).map_or(Node::Null, |(_, t)| string(t)),
        "before" => text.split_once(argument).map_or(Node::Null, |(t, _)| string(t)),
        "last" => text.rsplit_once(argument).map_or(Node::Null, |(_, t)| string(t)),
        "strip" => string(&text.replace(argument, "")),
        "int" => number(text.parse().map_err(|_| no("a whole number"))?),
        "bool" => match text {
            "true" | "True" | "1" | "yes" => Node::Bool(true),
            "false" | "False" | "0" | "no" => Node::Bool(false),
            _ => return Err(no("yes or no")),
        },
        "cut8" => {
            let raw = num::parse_fixed_with(text.as_bytes(), Excess::Truncate).map_err(|e| format!("{text:?}: {e}"))?;
            string(&Px::from_raw(raw).to_string())
        }
        "scale" => string(&unscale(text, argument).ok_or_else(|| no("a scaled whole number"))?),
        // Collectors write 0 for a side without bids and 1 for one without asks.
        "zero_empty" | "one_empty" => match num::parse_fixed_with(text.as_bytes(), Excess::Truncate) {
            Ok(v) if v == if name == "one_empty" { num::SCALE } else { 0 } => Node::Null,
            Ok(_) => node.clone(),
            Err(e) => return Err(format!("{text:?}: {e}")),
        },
        "lower" => string(&text.to_lowercase()),
        "upper" => string(&text.to_uppercase()),
        "json" => Node::parse(text).map(|n| as_texts(&n)).map_err(|(e, at)| format!("{e} at byte {at} of {text:?}"))?,
        _ => return Err(format!("{name:?} is not a filter")),
    })
}

/// A whole number in units of `10^-digits` as decimal text, cut to 8 places.
fn unscale(text: &str, digits: &str) -> Option<String> {
    let digits: usize = digits.parse().ok().filter(|d| *d <= 30)?;
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{text:0>width$}", width = digits + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - digits)?;
    let kept = fraction.get(..fraction.len().min(8)).unwrap_or_default();
    Some(if kept.is_empty() { whole.to_owned() } else { format!("{whole}.{kept}") })
}
