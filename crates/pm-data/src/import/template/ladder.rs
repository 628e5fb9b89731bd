//! A side of a book from what buying on it costs.

use std::borrow::Cow;

use pm_core::num::Round;
use pm_core::units::{Px, Qty, Usd};

use super::{Bad, Scope, Template};
use crate::json::Node;

/// One side of a book from its touch and the average prices of buying so many shares.
#[derive(Debug, Clone)]
pub(in crate::import) struct Ladder {
    touch: Template,
    /// (shares, average price), ascending.
    averages: Vec<(Qty, Template)>,
    tick: Px,
}

impl Ladder {
    /// The templates in it.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        core::iter::once(&self.touch).chain(self.averages.iter().map(|(_, t)| t))
    }

    pub(super) fn parse(value: &toml::Value) -> Result<Self, String> {
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
    pub(super) fn render(&self, scope: Scope<'_>) -> Result<Node<'static>, Bad> {
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
