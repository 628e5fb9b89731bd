//! Templates of mapping files: how a field of a record is made from a row. `"{path|filter|filter:argument}"` alone keeps the type that its
//! last filter gives; inside of other text it is pasted as text; anything else is a constant. A path that begins with a dot is looked up in
//! the item of a nested list, all others in the row. Blank is "no value".

use std::borrow::Cow;
use std::collections::BTreeMap;

use pm_core::num::{self, Excess, Round};
use pm_core::units::{Px, Qty, Usd};

use super::clock;
use crate::json::Node;

/// Named lookup tables of a mapping.
pub(super) type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// Where fields come from.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) row: &'a Node<'a>,
    pub(super) item: Option<&'a Node<'a>>,
    pub(super) tables: &'a Tables,
}

impl<'a> Scope<'a> {
    /// A field of the row, or, with a leading dot, of the item.
    pub(super) fn find(self, path: &str) -> Option<&'a Node<'a>> {
        match path.strip_prefix('.') {
            Some("") => self.item,
            Some(path) => self.item.and_then(|i| i.path(path)),
            None => self.row.path(path),
        }
    }
}

/// A value that cannot be made: the field and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) field: String,
    pub(super) what: String,
}

/// A parsed template.
#[derive(Debug, Clone)]
pub(super) enum Template {
    Constant(Node<'static>),
    Value(Expr),
    Text(Vec<Part>),
    List(Vec<Template>),
    Table(Vec<(String, Template)>),
    Ladder(Box<Ladder>),
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Value(Expr),
}

#[derive(Debug, Clone)]
pub(super) struct Expr {
    path: String,
    filters: Vec<(String, String)>,
}

/// One side of a book from its touch and the average prices of buying so many shares.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    touch: Template,
    /// (shares, average price), ascending.
    averages: Vec<(Qty, Template)>,
    tick: Px,
}

impl Template {
    /// Parses a TOML value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(value: &toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::text(text)?,
            toml::Value::Integer(i) => Self::Constant(Node::Num(Cow::Owned(i.to_string()))),
            toml::Value::Boolean(b) => Self::Constant(Node::Bool(*b)),
            toml::Value::Array(items) => Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?),
            toml::Value::Table(t) => match t.get("ladder") {
                Some(ladder) if t.len() == 1 => Self::Ladder(Box::new(Ladder::parse(ladder)?)),
                _ => Self::Table(t.iter().map(|(k, v)| Ok((k.clone(), Self::parse(v)?))).collect::<Result<_, String>>()?),
            },
            other => return Err(format!("{other} is neither text, whole number, list nor table")),
        })
    }

    pub(super) fn text(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (inside, after) = behind.split_once('}').ok_or_else(|| format!("{text:?}: a brace does not close"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Value(Expr::parse(inside)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(match parts.as_slice() {
            [] => Self::Constant(Node::Str(Cow::Borrowed(""))),
            [Part::Value(e)] => Self::Value(e.clone()),
            [Part::Text(t)] => Self::Constant(Node::Str(Cow::Owned(t.clone()))),
            _ => Self::Text(parts),
        })
    }

    /// Paths that need more of a row than its top level.
    pub(super) fn is_deep(&self) -> bool {
        let deep = |e: &Expr| e.path.trim_start_matches('.').contains('.');
        match self {
            Self::Value(e) => deep(e),
            Self::Text(parts) => parts.iter().any(|p| matches!(p, Part::Value(e) if deep(e))),
            _ => false,
        }
    }

    /// Makes the value; `Null` when a field that it needs has no value.
    pub(super) fn render(&self, scope: Scope<'_>) -> Result<Node<'static>, Bad> {
        Ok(match self {
            Self::Constant(node) => node.clone(),
            Self::Value(e) => e.value(scope)?,
            Self::Text(parts) => {
                let mut out = String::new();
                for part in parts {
                    match part {
                        Part::Text(t) => out.push_str(t),
                        Part::Value(e) => match e.value(scope)?.text() {
                            Some(t) => out.push_str(&t),
                            None => return Ok(Node::Null),
                        },
                    }
                }
                Node::Str(Cow::Owned(out))
            }
            Self::List(items) => {
                let made = items.iter().map(|t| t.render(scope)).collect::<Result<Vec<_>, _>>()?;
                // A level without a price is not a level.
                Node::Arr(
                    made.into_iter().filter(|n| !matches!(n, Node::Arr(i) if i.first().is_some_and(Node::is_null))).collect(),
                )
            }
            Self::Table(fields) => {
                let mut made = Vec::with_capacity(fields.len());
                for (key, template) in fields {
                    let value =
                        template.render(scope).map_err(|b| Bad { field: format!("{key} ({})", b.field), what: b.what })?;
                    if !value.is_null() {
                        made.push((Cow::Owned(key.clone()), value));
                    }
                }
                Node::Obj(made)
            }
            Self::Ladder(ladder) => ladder.render(scope)?,
        })
    }

    /// Makes a text; `None` without a value.
    pub(super) fn render_text(&self, scope: Scope<'_>) -> Result<Option<String>, Bad> {
        Ok(self.render(scope)?.text().map(Cow::into_owned))
    }

    /// Makes a time in nanoseconds: what a time filter gave, or constant text read as a date.
    pub(super) fn render_time(&self, scope: Scope<'_>) -> Result<Option<i64>, Bad> {
        let node = self.render(scope)?;
        let bad = |what: &str| Bad { field: "time".to_owned(), what: what.to_owned() };
        match &node {
            Node::Null => Ok(None),
            Node::Num(t) => t.parse().map(Some).map_err(|_| bad("not a time in nanoseconds")),
            Node::Str(t) => clock::datetime(t).map(Some).ok_or_else(|| bad("not a date and time")),
            _ => Err(bad("not a time")),
        }
    }
}

/// Numbers of rows become texts, all the way down: records keep prices as texts.
fn as_texts(node: &Node<'_>) -> Node<'static> {
    match node {
        Node::Num(t) => Node::Str(Cow::Owned(t.to_string())),
        Node::Str(t) if t.is_empty() => Node::Null,
        Node::Arr(items) => Node::Arr(items.iter().map(as_texts).collect()),
        other => other.owned(),
    }
}

const FILTERS: &[&str] = &[
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

impl Expr {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('|');
        let path = parts.next().unwrap_or_default().to_owned();
        let filters: Vec<(String, String)> = parts
            .map(|f| f.split_once(':').map_or((f.to_owned(), String::new()), |(n, a)| (n.to_owned(), a.to_owned())))
            .collect();
        if let Some((name, _)) = filters.iter().find(|(n, _)| !FILTERS.contains(&n.as_str())) {
            return Err(format!("{name:?} is not a filter; filters are {}", FILTERS.join(", ")));
        }
        Ok(Self { path, filters })
    }

    fn value(&self, scope: Scope<'_>) -> Result<Node<'static>, Bad> {
        let found = scope.find(&self.path);
        let mut node = found.map_or(Node::Null, as_texts);
        for (name, argument) in &self.filters {
            if name == "or" && node.is_null() {
                node = Node::Str(Cow::Owned(argument.clone()));
            }
            if node.is_null() {
                continue;
            }
            let what = |w: String| Bad { field: self.path.clone(), what: w };
            node = match name.as_str() {
                "shift" => shift(&node, scope.find(argument)).map_err(what)?,
                _ => apply(name, argument, &node, scope.tables).map_err(what)?,
            };
        }
        Ok(node)
    }
}

/// A time moved by so many seconds, which another field gives.
fn shift(time: &Node<'_>, by: Option<&Node<'_>>) -> Result<Node<'static>, String> {
    let by = by.and_then(Node::text).and_then(|t| clock::scaled(&t, 9)).ok_or("the seconds to shift by are no number")?;
    let time = time.text().and_then(|t| t.parse::<i64>().ok()).ok_or("only a time can be shifted")?;
    Ok(Node::Num(Cow::Owned(time.checked_add(by).ok_or("the time is out of range")?.to_string())))
}

fn apply(name: &str, argument: &str, node: &Node<'static>, tables: &Tables) -> Result<Node<'static>, String> {
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
        "bool" => Node::Bool(matches!(text, "true" | "True" | "1" | "yes")),
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
        "table" => {
            let table = tables.get(argument).ok_or_else(|| format!("there is no table {argument:?}"))?;
            table.get(text).map_or(Node::Null, |v| string(v))
        }
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

impl Ladder {
    fn parse(value: &toml::Value) -> Result<Self, String> {
        let get = |key: &str| value.get(key).ok_or_else(|| format!("a ladder needs {key}"));
        let tick = get("tick")?.as_str().and_then(|t| t.parse().ok()).ok_or("tick must be a price as text")?;
        let mut averages = Vec::new();
        for pair in get("averages")?.as_array().ok_or("averages must be a list of [shares, average price]")? {
            let [shares, average] = pair.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Err("averages must be a list of [shares, average price]".to_owned());
            };
            let shares = shares.as_str().and_then(|t| t.parse().ok()).ok_or("shares must be a number as text")?;
            averages.push((shares, Template::parse(average)?));
        }
        Ok(Self { touch: Template::parse(get("touch")?)?, averages, tick })
    }

    /// Levels whose cost of buying is not below what the averages say: marginal prices between two sizes, rounded up to the grid. Beyond
    /// the largest size that has an average nothing is offered.
    fn render(&self, scope: Scope<'_>) -> Result<Node<'static>, Bad> {
        let price = |t: &Template| -> Result<Option<Px>, Bad> {
            let Some(text) = t.render_text(scope)? else { return Ok(None) };
            let bad = |e| Bad { field: "ladder".to_owned(), what: format!("{text:?}: {e}") };
            text.parse().map(Some).map_err(bad)
        };
        let Some(touch) = price(&self.touch)? else { return Ok(Node::Arr(Vec::new())) };
        let mut levels = Vec::new();
        let (mut had, mut paid, mut worst) = (Qty::ZERO, Usd::ZERO, touch);
        for (shares, average) in &self.averages {
            let Some(average) = price(average)? else { break };
            let cost = shares.at(average, Round::Up);
            let step = *shares - had;
            let marginal = (cost - paid).per(step, Round::Up).unwrap_or(touch);
            let px = marginal.max(worst).ceil_to(self.tick);
            if px.is_probability() {
                levels.push(Node::Arr(vec![Node::Str(Cow::Owned(px.to_string())), Node::Str(Cow::Owned(step.to_string()))]));
            }
            (had, paid, worst) = (*shares, cost, px);
        }
        if levels.is_empty() {
            // There is a touch, but the book could not fill even the smallest size: how much there is is not known.
            levels.push(Node::Arr(vec![Node::Str(Cow::Owned(touch.to_string())), Node::Null]));
        }
        Ok(Node::Arr(levels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, row: &str) -> Result<String, Bad> {
        let tables = Tables::from([("sides".to_owned(), BTreeMap::from([("UP".to_owned(), "first".to_owned())]))]);
        let row = Node::parse(row).unwrap();
        let value: toml::Table = format!("t = {template}").parse().unwrap();
        let node = Template::parse(&value["t"]).unwrap().render(Scope { row: &row, item: None, tables: &tables })?;
        let mut out = String::new();
        node.write(&mut out);
        Ok(out)
    }

    #[test]
    fn values_texts_and_filters() {
        assert_eq!(render("\"{px}\"", r#"{"px":0.10}"#).unwrap(), "\"0.10\"");
        assert_eq!(render("\"{ts|ms|plus:-1s}\"", r#"{"ts":1700000000123}"#).unwrap(), "1699999999123000000");
        assert_eq!(render("\"btc-{w}\"", r#"{"w":5}"#).unwrap(), "\"btc-5\"");
        assert_eq!(render("\"{a}\"", r#"{"a":""}"#).unwrap(), "null");
        assert_eq!(render("\"{a|zero_empty}\"", r#"{"a":"0.0"}"#).unwrap(), "null");
        assert_eq!(render("\"{a|one_empty}\"", r#"{"a":"1.0"}"#).unwrap(), "null");
        assert_eq!(render("\"{a|scale:18}\"", r#"{"a":"63304200301195075000000"}"#).unwrap(), "\"63304.20030119\"");
        assert_eq!(render("\"{s|table:sides}\"", r#"{"s":"UP"}"#).unwrap(), "\"first\"");
        assert_eq!(render("\"{q|cut8}\"", r#"{"q":"0.5200000119355492"}"#).unwrap(), "\"0.52000001\"");
        assert_eq!(render("\"{b}\"", r#"{"b":[[0.5,205.0]]}"#).unwrap(), r#"[["0.5","205.0"]]"#);
        assert_eq!(render("[[\"{p}\",\"{q}\"],[\"{r}\",\"{q}\"]]", r#"{"p":1,"q":2,"r":""}"#).unwrap(), r#"[["1","2"]]"#);
        assert_eq!(render("\"{ts|ms}\"", r#"{"ts":"soon"}"#).unwrap_err().field, "ts");
        assert_eq!(render("\"{d|last:-|or:none}\"", r#"{"d":"a"}"#).unwrap(), "\"none\"");
        assert_eq!(render("\"{d|datetime|or:none}\"", "{}").unwrap(), "\"none\"");
        assert_eq!(render("\"{w|s|shift:t}\"", r#"{"w":300,"t":-118.3}"#).unwrap(), "181700000000");
        assert_eq!(render("\"{d|or:none}\"", "{}").unwrap(), "\"none\"");
    }

    #[test]
    fn a_ladder_costs_what_its_averages_say_or_more() {
        let row = r#"{"a":0.73,"v5":0.73,"v20":0.73,"v50":0.74081}"#;
        let t = r#"{ ladder = { touch = "{a}", tick = "0.01", averages = [["5","{v5}"],["20","{v20}"],["50","{v50}"]] } }"#;
        // 50 shares cost 37.0405, 20 cost 14.6: the other 30 cost 22.4405, 0.74801667 each, 0.75 on the grid.
        assert_eq!(render(t, row).unwrap(), r#"[["0.73","5"],["0.73","15"],["0.75","30"]]"#);
        assert_eq!(render(t, r#"{"a":0.73,"v5":0.73}"#).unwrap(), r#"[["0.73","5"]]"#);
        assert_eq!(render(t, r#"{"a":0.73}"#).unwrap(), r#"[["0.73",null]]"#);
        assert_eq!(render(t, "{}").unwrap(), "[]");
    }

    #[test]
    fn unknown_filters_and_open_braces_are_refused() {
        assert!(Template::text("{a|frobnicate}").unwrap_err().contains("frobnicate"));
        assert!(Template::text("{a").is_err());
    }
}
