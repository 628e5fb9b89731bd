//! A Gamma market in our terms.

use std::sync::Arc;

use pm_core::fees::FeeSchedule;
use pm_core::market::{Market, Rule};
use pm_core::registry::Registry;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Qty};
use rust_decimal::Decimal;

use super::GammaProtocol;
use crate::gamma::{GammaMarket, GammaOutcome};
use crate::{fees, rules};

/// A grid where the market does not say one (the coarsest crypto markets use).
const TICK_DEFAULT: Px = Px::from_raw(1_000_000);
/// Bodies without `version` are older than this (venues/polymarket.md 2): their markets are `v1`.
const VERSION_SINCE: Ts = Ts::from_secs(1_785_542_400);

impl GammaProtocol {
    /// The market in our terms; `None` while the venue has not filled in its ids.
    pub(super) fn build(&self, g: &GammaMarket, registry: &mut Registry) -> Option<Market> {
        let native = g.condition_id.as_deref()?;
        let reading = rules::read(g, &self.catalog);
        let (tokens, version, version_doubt) = tokens(g);
        let [first, second] = tokens?;
        let (rule, fees) = rule_and_fees(g, reading.rule, version_doubt);
        let labels = [&g.outcomes[0].label, &g.outcomes[1].label].map(|l| Arc::<str>::from(l.as_str()));
        let (tokens, labels) = if reading.swapped {
            let [a, b] = labels;
            ([second, first], [b, a])
        } else {
            ([first, second], labels)
        };
        let hold = match g.trading.seconds_delay {
            Some(secs) if secs > 0 => Dur::from_secs(secs),
            _ if reading.family.is_up_down() => self.settings.taker_hold_default,
            _ => Dur::ZERO,
        };
        let text = |t: Option<&str>| Arc::<str>::from(t.unwrap_or_default());
        let group = g.events.first().and_then(|e| e.reference.slug.as_deref().or(e.reference.id.as_deref()));
        let yes = |flag: Option<bool>| flag.unwrap_or(false);
        Some(Market {
            idx: registry.market(self.venue, native),
            venue: self.venue,
            native: native.into(),
            slug: text(g.slug.as_deref()),
            question: text(g.question.as_deref()),
            tokens,
            labels,
            family: reading.family.as_str().into(),
            underlying: reading.underlying,
            rule,
            currency: self.currency,
            tick: fixed(g.trading.minimum_tick_size, Px::from_decimal).filter(|t| t.is_probability()).unwrap_or(TICK_DEFAULT),
            min_qty: fixed(g.trading.minimum_order_size, Qty::from_decimal)
                .filter(|q| q.is_positive())
                .unwrap_or(self.settings.min_qty_default),
            min_notional: self.settings.min_notional,
            fees,
            taker_hold: hold,
            opens_at: g.accepting_from.or(g.state.start_date).unwrap_or(Ts::ZERO),
            closes_at: g.state.end_date.unwrap_or(Ts::MAX),
            accepting: yes(g.state.active)
                && !yes(g.state.closed)
                && !yes(g.state.archived)
                && yes(g.state.accepting_orders)
                && g.state.enable_order_book != Some(false),
            neg_risk: yes(g.state.neg_risk),
            version,
            group: text(group.or(g.slug.as_deref())),
        })
    }
}

fn fixed<T, E>(value: Option<Decimal>, to: impl Fn(Decimal) -> Result<T, E>) -> Option<T> {
    value.and_then(|v| to(v).ok())
}

/// Who does not know the version or the fees of a market does not trade it, however clear its rule.
fn rule_and_fees(g: &GammaMarket, rule: Rule, version_doubt: Option<String>) -> (Rule, FeeSchedule) {
    let t = &g.trading;
    let (fees, fee_doubt) = match fees::schedule(t, g.state.end_date.max(g.state.closed_time)) {
        Ok(fees) => (fees, None),
        Err(e) => (FeeSchedule::Free, Some(e.to_string())),
    };
    match (rule, version_doubt.or(fee_doubt)) {
        (Rule::Understood(_), Some(why)) => (Rule::NotUnderstood(why.into()), fees),
        (rule, _) => (rule, fees),
    }
}

/// Trading ids by protocol version (venues/polymarket.md 2: `v1` -> `clobTokenIds`, `v2` -> `positionIds`, even when both are filled),
/// the version as orders are signed by it, and a doubt when it is neither.
fn tokens(g: &GammaMarket) -> (Option<[Arc<str>; 2]>, Arc<str>, Option<String>) {
    let pick = |id: fn(&GammaOutcome) -> Option<&String>| -> Option<[Arc<str>; 2]> {
        let [a, b] = &g.outcomes;
        Some([id(a)?.as_str().into(), id(b)?.as_str().into()])
    };
    let (ctf, positions) = (pick(|o| o.token_id.as_ref()), pick(|o| o.position_id.as_ref()));
    match g.version.as_deref() {
        Some("v1") => (ctf, "v1".into(), None),
        Some("v2") => (positions, "v2".into(), None),
        Some(other) => (ctf.or(positions), other.into(), Some(format!("protocol version {other:?} is not known"))),
        None => {
            let old = ctf.is_some() && g.created_at.or(g.state.start_date).is_some_and(|at| at < VERSION_SINCE);
            let doubt = (!old).then(|| "the protocol version is missing".to_owned());
            (ctf.or(positions), if old { "v1".into() } else { "".into() }, doubt)
        }
    }
}
