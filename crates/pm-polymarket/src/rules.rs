//! Rule texts to settlement rules. Money is only put where two independent statements agree: what the metadata says (slug, dates,
//! averaging config) and what the rules text says (source, candle, strictness). A contradiction, a missing statement or a family that is
//! not built yet gives [`Rule::NotUnderstood`] with the reason; such a market is shown and never traded (venues/polymarket.md 9).

use pm_core::ids::{SourceId, UnderlyingId};
use pm_core::market::{Rule, SettlementRule};
use pm_core::registry::Catalog;

use crate::gamma::GammaMarket;

mod above;
mod family;
mod hourly;
mod window;
mod words;

pub use family::Family;

/// The reading of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Family label for reports.
    pub family: Family,
    /// What it is about, when it is in the catalog.
    pub underlying: Option<UnderlyingId>,
    /// The rule, or why there is none.
    pub rule: Rule,
    /// True when the labels come as (Down, Up) or (No, Yes): the second listed outcome is `First`.
    pub swapped: bool,
}

/// Why a market's rule is not understood. The text is what a person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Doubt {
    #[error("not a market on a crypto price")]
    NotCrypto,
    #[error("{0}: this family comes later")]
    Later(&'static str),
    #[error("the labels {0:?} and {1:?} are not the family's")]
    Labels(String, String),
    #[error("{0} is not in the catalog")]
    NotInCatalog(String),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("the text does not say {0:?}")]
    Silent(&'static str),
    #[error("{0} and {1} disagree")]
    Disagree(&'static str, &'static str),
    #[error("a 4h window without an averaging window in its metadata")]
    FourHours,
    #[error("averaging is on and its window is nowhere stated")]
    NoWindow,
    #[error("{0} is not a value: {1:?}")]
    Unreadable(&'static str, String),
}

/// What the family parsers share.
pub(crate) struct Context<'a> {
    market: &'a GammaMarket,
    catalog: &'a Catalog,
    /// Upper-case symbol.
    symbol: &'static str,
    /// Normalised rules text.
    text: String,
}

impl Context<'_> {
    fn says(&self, what: &'static str) -> Result<(), Doubt> {
        if self.text.contains(what) { Ok(()) } else { Err(Doubt::Silent(what)) }
    }
    fn source(&self, name: &str) -> Result<SourceId, Doubt> {
        self.catalog.source(name).ok_or_else(|| Doubt::NotInCatalog(format!("source {name}")))
    }
    /// Candle source; the text must name the venue and the pair, and no other pair.
    fn candle_source(&self) -> Result<SourceId, Doubt> {
        self.says("binance")?;
        let pair = |symbol: &str| [format!("{}/usdt", symbol.to_lowercase()), format!("{}usdt", symbol.to_lowercase())];
        let named = |symbol: &str| pair(symbol).iter().any(|p| words::has_word(&self.text, p));
        if !named(self.symbol) {
            return Err(Doubt::Disagree("the slug's underlying", "the text's pair"));
        }
        if family::symbols().any(|other| other != self.symbol && named(other)) {
            return Err(Doubt::Disagree("the slug's underlying", "another pair in the text"));
        }
        self.source(&format!("binance:{}USDT", self.symbol))
    }
}

/// Reads a market's rule.
#[must_use]
pub fn read(market: &GammaMarket, catalog: &Catalog) -> Reading {
    let slug = market.slug.as_deref().unwrap_or_default();
    let text = words::normal(market.description.as_deref().unwrap_or_default());
    let shape = family::classify(slug, &text);
    let underlying = shape.symbol.and_then(|s| catalog.underlying(s));
    let labels = [market.outcomes[0].label.as_str(), market.outcomes[1].label.as_str()];
    let swapped = matches!(labels, ["Down", "Up"] | ["No", "Yes"]);
    let rule = match understand(market, catalog, &shape, text, labels) {
        Ok(rule) if underlying.is_some() => Rule::Understood(rule),
        Ok(_) => Rule::NotUnderstood(Doubt::NotInCatalog("the underlying".to_owned()).to_string().into()),
        Err(doubt) => Rule::NotUnderstood(doubt.to_string().into()),
    };
    Reading { family: shape.family, underlying, rule, swapped }
}

fn understand(
    market: &GammaMarket,
    catalog: &Catalog,
    shape: &family::Shape,
    text: String,
    labels: [&str; 2],
) -> Result<SettlementRule, Doubt> {
    let later = match shape.family {
        Family::UpDownDaily => Some("noon-to-noon Up or Down"),
        Family::RangeDaily => Some("price ranges"),
        Family::Touch => Some("touch"),
        Family::Other => return Err(Doubt::NotCrypto),
        _ => None,
    };
    if let Some(later) = later {
        return Err(Doubt::Later(later));
    }
    let symbol = shape.symbol.ok_or(Doubt::NotCrypto)?;
    let wanted: [[&str; 2]; 2] = match shape.family {
        Family::AboveHourly | Family::AboveDaily => [["Yes", "No"], ["No", "Yes"]],
        _ => [["Up", "Down"], ["Down", "Up"]],
    };
    if !wanted.contains(&labels) {
        return Err(Doubt::Labels(labels[0].to_owned(), labels[1].to_owned()));
    }
    let ctx = Context { market, catalog, symbol, text };
    match (shape.family, shape.window) {
        (Family::AboveHourly | Family::AboveDaily, _) => above::rule(&ctx, shape.family),
        (Family::UpDown1h, _) => hourly::rule(&ctx),
        (_, Some(window)) => window::rule(&ctx, shape.family, window),
        _ => Err(Doubt::NotCrypto),
    }
}
