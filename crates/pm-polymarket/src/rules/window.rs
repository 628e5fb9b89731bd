//! Rolling Up/Down windows of 5 and 15 minutes and 4 hours: the oracle's value at the end against its value at the start, equality is Up.
//! Since August 2026 the value is a time-weighted mean; its window comes from the market's own metadata or text, and only where both are
//! silent from the date (venues/polymarket.md 9; sources disagree by a week, so the date is shown as an assumption).

use pm_core::ids::SourceId;
use pm_core::market::{Method, Payoff, RuleOrigin, SettlementRule, StartValue, Tie};
use pm_core::time::{Dur, Ts};

use super::family::{Window, symbol};
use super::{Context, Doubt, Family, words};

/// 2026-08-07 00:00 UTC: 15-minute windows settle on the mean from here.
const MEAN_SINCE_15M: Ts = Ts::from_secs(1_786_060_800);
/// 2026-08-14 00:00 UTC: 5-minute windows settle on the mean from here.
const MEAN_SINCE_5M: Ts = Ts::from_secs(1_786_665_600);
/// Averaging window where it was seen.
const USUAL: i64 = 60;

pub(super) fn rule(ctx: &Context<'_>, family: Family, window: Window) -> Result<SettlementRule, Doubt> {
    let (start_at, final_at) = times(ctx, window)?;
    ctx.says("greater than or equal to the price at the beginning of that range")?;
    let source = oracle(ctx)?;
    let (method, origin) = method(ctx, family, start_at)?;
    let reference = ctx.market.events.iter().find_map(|e| e.price_to_beat);
    Ok(SettlementRule {
        source,
        method,
        payoff: Payoff::UpDown { start_at, start: StartValue::SameMethod, reference },
        tie: Tie::First,
        final_at,
        origin,
    })
}

fn times(ctx: &Context<'_>, window: Window) -> Result<(Ts, Ts), Doubt> {
    let start_at = Ts::from_secs(window.start);
    let end = ctx.market.state.end_date.ok_or(Doubt::Missing("endDate"))?;
    if ctx.market.event_start.is_some_and(|s| s != start_at) {
        return Err(Doubt::Disagree("the slug's start", "eventStartTime"));
    }
    if start_at + Dur::from_secs(window.secs) != end {
        return Err(Doubt::Disagree("the slug's start and length", "endDate"));
    }
    if let Some(config) = &ctx.market.crypto {
        if config.duration.as_deref().is_some_and(|d| d != window.name) {
            return Err(Doubt::Disagree("the slug's length", "cryptoMarketConfig.duration"));
        }
        if config.asset.as_deref().is_some_and(|a| symbol(&a.to_lowercase()) != Some(ctx.symbol)) {
            return Err(Doubt::Disagree("the slug's underlying", "cryptoMarketConfig.asset"));
        }
    }
    Ok((start_at, end))
}

/// The text must name the oracle, and its pair must be the slug's.
fn oracle(ctx: &Context<'_>) -> Result<SourceId, Doubt> {
    ctx.says("chainlink")?;
    let lower = ctx.symbol.to_lowercase();
    let stated = ctx.market.resolution.source.as_deref().map(words::normal).unwrap_or_default();
    let streams = [stated.as_str(), ctx.text.as_str()]
        .into_iter()
        .flat_map(|t| t.split("streams/").skip(1))
        .filter_map(|s| s.split('-').next());
    let mut named = 0;
    for stream in streams {
        if stream != lower {
            return Err(Doubt::Disagree("the slug's underlying", "the oracle stream"));
        }
        named += 1;
    }
    if named == 0 && !words::has_word(&ctx.text, &format!("{lower}/usd")) {
        return Err(Doubt::Missing("the oracle stream"));
    }
    ctx.source(&format!("chainlink:{lower}/usd"))
}

/// What the texts say about averaging.
enum Stated {
    /// Nothing but the word: averaged, window not named.
    Mean(Option<i64>),
    /// They name the plain stream, or nothing.
    Plain { stream_named: bool },
}

fn stated(ctx: &Context<'_>) -> Result<Stated, Doubt> {
    let source = ctx.market.resolution.source.as_deref().map(words::normal).unwrap_or_default();
    let averaged = |t: &str| t.contains("twap") || t.contains("time-weighted") || t.contains("time weighted");
    let window = |t: &str| words::number_before(t, &["s-streams", "-second", " second", "s twap"]);
    match (averaged(&source), averaged(&ctx.text)) {
        (false, false) => Ok(Stated::Plain { stream_named: source.contains("streams/") || ctx.text.contains("streams/") }),
        _ => match (window(&source), window(&ctx.text)) {
            (Some(a), Some(b)) if a != b => Err(Doubt::Disagree("resolutionSource", "the text's averaging window")),
            (a, b) => Ok(Stated::Mean(a.or(b))),
        },
    }
}

fn method(ctx: &Context<'_>, family: Family, start_at: Ts) -> Result<(Method, RuleOrigin), Doubt> {
    let stated = stated(ctx)?;
    let mean = |secs: i64| Method::Twap { window: Dur::from_secs(secs) };
    let config = ctx.market.crypto.as_ref();
    let lookback = config.and_then(|c| c.twap_lookback_seconds).filter(|s| *s > 0);
    match (config.and_then(|c| c.twap_enabled), lookback) {
        (Some(false), Some(_)) => return Err(Doubt::Disagree("twapEnabled", "twapLookbackSeconds")),
        (Some(false), None) => {
            return match stated {
                Stated::Mean(_) => Err(Doubt::Disagree("twapEnabled", "the text")),
                Stated::Plain { .. } if family == Family::UpDown4h => Err(Doubt::FourHours),
                Stated::Plain { .. } => Ok((Method::Instant, RuleOrigin::Metadata)),
            };
        }
        (_, Some(secs)) => {
            return match stated {
                Stated::Mean(Some(said)) if said != secs => {
                    Err(Doubt::Disagree("twapLookbackSeconds", "the text's averaging window"))
                }
                Stated::Plain { stream_named: true } => {
                    Err(Doubt::Disagree("twapLookbackSeconds", "the plain stream in the text"))
                }
                _ => Ok((mean(secs), RuleOrigin::Metadata)),
            };
        }
        (enabled, None) => match (family, stated, enabled) {
            (Family::UpDown4h, _, _) => return Err(Doubt::FourHours),
            (_, Stated::Mean(Some(secs)), _) => return Ok((mean(secs), RuleOrigin::Metadata)),
            (_, _, Some(true)) => return Err(Doubt::NoWindow),
            (_, Stated::Mean(None), _) => return Ok((mean(USUAL), RuleOrigin::AssumedByDate)),
            (_, Stated::Plain { .. }, _) => {}
        },
    }
    let since = if family == Family::UpDown15m { MEAN_SINCE_15M } else { MEAN_SINCE_5M };
    let by_date = if start_at >= since { mean(USUAL) } else { Method::Instant };
    Ok((by_date, RuleOrigin::AssumedByDate))
}
