//! Templates of mapping files: how a field of a record is made from a row. `"{path|filter|filter:argument}"` alone keeps the type that its
//! last filter gives; inside of other text it is pasted as text; anything else is a constant. A path that begins with a dot is looked up in
//! the item of a nested list, all others in the row. Blank is "no value".

use std::borrow::Cow;
use std::collections::BTreeMap;

mod filter;
mod ladder;

pub(super) use ladder::Ladder;

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

    /// The template of a field, if this is a table that has it.
    pub(super) fn field(&self, key: &str) -> Option<&Template> {
        match self {
            Self::Table(fields) => fields.iter().find(|(k, _)| k == key).map(|(_, t)| t),
            _ => None,
        }
    }

    /// Names of the lookup tables that it uses, without the mark of an optional one.
    pub(super) fn tables(&self, out: &mut Vec<String>) {
        let mut of = |e: &Expr| {
            out.extend(e.filters.iter().filter(|(n, _)| n == "table").map(|(_, t)| t.trim_end_matches('?').to_owned()));
        };
        match self {
            Self::Constant(_) => {}
            Self::Value(e) => of(e),
            Self::Text(parts) => parts.iter().for_each(|p| {
                if let Part::Value(e) = p {
                    of(e);
                }
            }),
            Self::List(items) => items.iter().for_each(|t| t.tables(out)),
            Self::Table(fields) => fields.iter().for_each(|(_, t)| t.tables(out)),
            Self::Ladder(ladder) => ladder.templates().for_each(|t| t.tables(out)),
        }
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

impl Expr {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('|');
        let path = parts.next().unwrap_or_default().to_owned();
        let filters: Vec<(String, String)> = parts
            .map(|f| f.split_once(':').map_or((f.to_owned(), String::new()), |(n, a)| (n.to_owned(), a.to_owned())))
            .collect();
        if let Some((name, _)) = filters.iter().find(|(n, _)| !filter::NAMES.contains(&n.as_str())) {
            return Err(format!("{name:?} is not a filter; filters are {}", filter::NAMES.join(", ")));
        }
        Ok(Self { path, filters })
    }

    fn value(&self, scope: Scope<'_>) -> Result<Node<'static>, Bad> {
        let found = scope.find(&self.path);
        let mut node = found.map_or(Node::Null, as_texts);
        for (at, (name, argument)) in self.filters.iter().enumerate() {
            if name == "or" && node.is_null() {
                node = Node::Str(Cow::Owned(argument.clone()));
            }
            if node.is_null() {
                continue;
            }
            let what = |w: String| Bad { field: self.path.clone(), what: w };
            node = match name.as_str() {
                "shift" => filter::shift(&node, scope.find(argument)).map_err(what)?,
                "table" => {
                    let or = self.filters.iter().skip(at).any(|(n, _)| n == "or");
                    filter::table(argument, &node, scope.tables, or).map_err(what)?
                }
                _ => filter::apply(name, argument, &node).map_err(what)?,
            };
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, row: &str) -> Result<String, Bad> {
        let sides = [("UP", "first"), ("DOWN", "second")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let tables = Tables::from([("sides".to_owned(), BTreeMap::from(sides))]);
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
    fn a_text_that_is_not_in_its_table_is_an_error_unless_the_mapping_allows_it() {
        let bad = render("\"{s|table:sides}\"", r#"{"s":"Up"}"#).unwrap_err();
        assert_eq!((bad.field.as_str(), bad.what.as_str()), ("s", "\"Up\" is not in the table sides, which has DOWN, UP"));
        let inside = render("\"x-{s|table:sides}\"", r#"{"s":"Up"}"#).unwrap_err();
        assert_eq!(inside.field, "s");
        // Blank is no value, not a miss.
        assert_eq!(render("\"{s|table:sides}\"", r#"{"s":""}"#).unwrap(), "null");
        assert_eq!(render("\"{s|table:sides}\"", "{}").unwrap(), "null");
        // What the mapping says in so many words.
        assert_eq!(render("\"{s|table:sides|or:none}\"", r#"{"s":"Up"}"#).unwrap(), "\"none\"");
        assert_eq!(render("\"{s|table:sides?}\"", r#"{"s":"Up"}"#).unwrap(), "null");
        assert_eq!(render("\"{s|table:sides?}\"", r#"{"s":"DOWN"}"#).unwrap(), "\"second\"");
        assert!(render("\"{s|or:none|table:sides}\"", "{}").is_err(), "what stands in for a blank must be in the table, too");
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
