//! Markets and instruments as rows: names from the catalog, rules and terms as JSON.

use pm_core::instrument::Instrument;
use pm_core::market::Market;

use crate::rows::{Built, Context, fixed, int, time};
use crate::statements as sql;
use crate::store::Statement;
use crate::value::{Value, json, text, text_or_null};

/// A market with its rule.
pub(crate) fn market<'a>(context: &'a Context<'_>, m: &'a Market) -> Built<'a> {
    let rule = m.rule.understood();
    let source = rule.and_then(|r| context.catalog.source_info(r.source)).map(|s| &*s.name);
    let [token_first, token_second] = &m.tokens;
    let [label_first, label_second] = &m.labels;
    let values = vec![
        context.run(),
        int(m.idx.0),
        text(context.catalog.venue_name(m.venue)),
        text(&m.native),
        text(&m.slug),
        text(&m.question),
        text(token_first),
        text(token_second),
        text(label_first),
        text(label_second),
        text(&m.family),
        text_or_null(m.underlying.map(|u| context.catalog.underlying_symbol(u))),
        json(&m.rule)?,
        Value::Flag(rule.is_some()),
        text_or_null(source),
        text(context.catalog.currency_code(m.currency)),
        fixed(m.tick),
        fixed(m.min_qty),
        fixed(m.min_notional),
        json(&m.fees)?,
        int(m.taker_hold.millis()),
        time(m.opens_at),
        time(m.closes_at),
        Value::Flag(m.accepting),
        Value::Flag(m.neg_risk),
        text(&m.version),
        text(&m.group),
    ];
    Ok(Statement { sql: sql::MARKETS, values })
}

/// An instrument.
pub(crate) fn instrument<'a>(context: &'a Context<'_>, i: &'a Instrument) -> Built<'a> {
    let values = vec![
        context.run(),
        int(i.idx.0),
        text(context.catalog.venue_name(i.venue)),
        text(&i.symbol),
        json(&i.kind)?,
        text_or_null(i.underlying.map(|u| context.catalog.underlying_symbol(u))),
        text(context.catalog.currency_code(i.currency)),
        fixed(i.tick),
        fixed(i.lot),
        fixed(i.min_qty),
        fixed(i.min_notional),
        fixed(i.max_qty),
        json(&i.fees)?,
        fixed(i.initial_margin),
        Value::Flag(i.trading),
    ];
    Ok(Statement { sql: sql::INSTRUMENTS, values })
}
