//! Hourly Up/Down: open and close of one 1h candle. The candle's close ends at the window's end, its open begins it; equality is Up.

use pm_core::market::{Method, Payoff, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::time::Dur;

use super::{Context, Doubt, words};

const HOUR: Dur = Dur::from_secs(3_600);

pub(super) fn rule(ctx: &Context<'_>) -> Result<SettlementRule, Doubt> {
    ctx.says("close price is greater than or equal to the open price")?;
    ctx.says("1 hour candle that begins on the time and date specified in the title")?;
    let source = ctx.candle_source()?;
    let end = ctx.market.state.end_date.ok_or(Doubt::Missing("endDate"))?;
    let start_at = ctx.market.event_start.unwrap_or(end - HOUR);
    if start_at + HOUR != end {
        return Err(Doubt::Disagree("eventStartTime", "endDate"));
    }
    let title = ctx.market.question.as_deref().and_then(words::title_time).ok_or(Doubt::Missing("the title's date"))?;
    let clock = title.clock.ok_or(Doubt::Missing("the title's hour"))?;
    if !title.is_at(start_at, clock) {
        return Err(Doubt::Disagree("the title's hour in New York", "the window's start"));
    }
    let reference = ctx.market.events.iter().find_map(|e| e.price_to_beat);
    Ok(SettlementRule {
        source,
        method: Method::CandleClose { interval: HOUR },
        payoff: Payoff::UpDown { start_at, start: StartValue::CandleOpen, reference },
        tie: Tie::First,
        final_at: end,
        origin: RuleOrigin::Metadata,
    })
}
