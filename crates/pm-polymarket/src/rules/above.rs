//! Strikes: Yes when the close of a candle is strictly above the strike.
//!
//! Noon strikes are decided by the 1m candle that the source labels 12:00, which *opens* at noon, so it ends a minute after the market's
//! end date. Hourly strikes are decided by the 1h candle that *ends* at the title's time (venues/polymarket.md 9).

use pm_core::market::{Method, Payoff, RuleOrigin, SettlementRule, Tie};
use pm_core::time::{Dur, Ts};
use pm_core::units::Px;

use super::{Context, Doubt, Family, words};

const MINUTE: Dur = Dur::from_secs(60);
const HOUR: Dur = Dur::from_secs(3_600);
const NOON: (i8, i8) = (12, 0);

pub(super) fn rule(ctx: &Context<'_>, family: Family) -> Result<SettlementRule, Doubt> {
    ctx.says("the price specified in the title")?;
    if !["higher than the price specified", "above the price specified", "greater than the price specified"]
        .iter()
        .any(|w| ctx.text.contains(w))
    {
        return Err(Doubt::Silent("higher than the price specified in the title"));
    }
    if ["or equal", "at or above", "equal to or"].iter().any(|w| ctx.text.contains(w)) {
        return Err(Doubt::Disagree("the family's strict comparison", "the text"));
    }
    ctx.says("\"close\" price")?;
    let source = ctx.candle_source()?;
    let (interval, final_at) = candle(ctx, family)?;
    Ok(SettlementRule {
        source,
        method: Method::CandleClose { interval },
        payoff: Payoff::Above { strike: strike(ctx)? },
        tie: Tie::Second,
        final_at,
        origin: RuleOrigin::Metadata,
    })
}

/// Candle length and the instant at which the deciding candle ends.
fn candle(ctx: &Context<'_>, family: Family) -> Result<(Dur, Ts), Doubt> {
    let end = ctx.market.state.end_date.ok_or(Doubt::Missing("endDate"))?;
    let title = ctx.market.question.as_deref().and_then(words::title_time).ok_or(Doubt::Missing("the title's date"))?;
    let minute = ctx.text.contains("1 minute candle");
    let hour = ctx.text.contains("1 hour candle") || ctx.text.contains("1h candle");
    if family == Family::AboveDaily {
        if !minute || hour {
            return Err(Doubt::Silent("1 minute candle"));
        }
        let noon = title.clock.is_none_or(|c| c == NOON) && title.is_at(end, NOON);
        return if noon {
            Ok((MINUTE, end + MINUTE))
        } else {
            Err(Doubt::Disagree("noon in New York on the title's date", "endDate"))
        };
    }
    let clock = title.clock.ok_or(Doubt::Missing("the title's hour"))?;
    if !title.is_at(end, clock) {
        return Err(Doubt::Disagree("the title's hour in New York", "endDate"));
    }
    match (minute, hour) {
        (true, false) => Ok((MINUTE, end + MINUTE)),
        // A candle that *begins* at the title's time would end an hour after the end date: not this family.
        (false, true) if ["begins", "beginning", "starting", "that opens"].iter().any(|w| ctx.text.contains(w)) => {
            Err(Doubt::Disagree("a candle that begins at the title's time", "endDate"))
        }
        (false, true) => Ok((HOUR, end)),
        _ => Err(Doubt::Silent("which candle decides")),
    }
}

/// The strike from group title, question and slug; all that are given must agree, and two at least must be given.
fn strike(ctx: &Context<'_>) -> Result<Px, Doubt> {
    let group = match ctx.market.group_item_title.as_deref() {
        Some(text) => Some(words::strike(text).ok_or_else(|| Doubt::Unreadable("the group title's strike", text.to_owned()))?),
        None => None,
    };
    let title = ctx.market.question.as_deref().and_then(words::strike_of_title);
    let slug = ctx.market.slug.as_deref().and_then(strike_of_slug);
    let mut given = [group, title, slug].into_iter().flatten();
    let first = given.next().ok_or(Doubt::Missing("the strike"))?;
    let mut more = 0;
    for other in given {
        if other != first {
            return Err(Doubt::Disagree("one statement of the strike", "another"));
        }
        more += 1;
    }
    if more == 0 { Err(Doubt::Missing("a second statement of the strike")) } else { Ok(first) }
}

/// `bitcoin-above-64k-on-..`, `btc-multistrike-4h-1758873600-110k`.
fn strike_of_slug(slug: &str) -> Option<Px> {
    let parts: Vec<&str> = slug.split('-').collect();
    match parts.as_slice() {
        [_, "above", strike, "on", ..] => words::strike(strike),
        [_, "multistrike", _, _, strike] => words::strike(strike),
        _ => None,
    }
}
