//! `pmbot why OPPORTUNITY`: the waterfall and the decision.

use pm_core::opportunity::{Hedge, NoHedge};
use pm_core::units::Usd;
use pm_store::{OpportunitySelector, SqlStore};
use serde_json::json;

use crate::cli::{Cli, DbArgs};
use crate::config::Config;
use crate::display::{self, outln};
use crate::exit::Failure;

pub(crate) fn run(cli: &Cli, config: &Config, opportunity: &str, db: &DbArgs) -> Result<(), Failure> {
    let (url, _) = config.db_url(db.db.as_deref())?;
    let which: OpportunitySelector = opportunity.parse().map_err(Failure::usage)?;
    let view = super::db::runtime()?.block_on(async {
        let store = SqlStore::connect(&url, false).await?;
        store.require_current().await?;
        let view = store.opportunity(which).await;
        store.close().await;
        view
    })?;
    let row = &view.row;
    if cli.json {
        return display::json(&json!({
            "opportunity_id": view.opportunity_id.to_string(), "run_id": view.run_id.to_string(), "source": view.source, "row": row,
            "net_edge": row.waterfall.net(), "refusal_code": row.refusal.map(|r| r.code()), "refusal_text": row.refusal.map(|r| r.to_string()),
        }))
        .map_err(Failure::Usage);
    }
    outln!("opportunity    {} (number {} of run {}, {})", view.opportunity_id, row.id, view.run_id, view.source);
    outln!("market         {}", row.slug);
    outln!("strategy       {} ({})", row.strategy.as_str(), row.class.as_str());
    outln!("legs           {} (at the first look)", row.legs);
    outln!(
        "seen           {} to {}, looked at {} times",
        row.detected_at,
        row.closed_at.map_or("now".into(), |t| t.to_string()),
        row.updates
    );
    outln!("fair value     {} (band {} to {}) at the first look", row.fair.mid, row.fair.lo, row.fair.hi);
    if let Some(implied) = row.implied_price {
        outln!("implied        {implied} by the hedge venue's prices");
    }
    outln!();
    // An episode is looked at many times: what was paid belongs to the look that took it, else the best one is kept.
    let look = if row.structure.is_some() { "the look that took it" } else { "the best look" };
    outln!("numbers of {look}:");
    waterfall(row);
    outln!("Kelly          {} of bankroll before limits", row.kelly);
    outln!("size           {} shares", row.size);
    outln!("hedge          {}", hedge(&row.hedge));
    outln!();
    match (row.structure, row.refusal) {
        (Some(s), _) => outln!("decision       TAKEN as structure {s}"),
        (None, Some(r)) => outln!("decision       NOT TAKEN: {r} [{}] (at the last look)", r.code()),
        (None, None) => outln!("decision       NOT TAKEN: it was gone before it was decided"),
    }
    Ok(())
}

fn waterfall(row: &pm_core::record::OpportunityRow) {
    let w = &row.waterfall;
    if w.qty.is_zero() {
        outln!("waterfall      not computed: the opportunity was refused before it was priced for a size");
        return;
    }
    outln!("edge waterfall for {} shares (notional {})", w.qty, w.notional);
    let line = |name: &str, amount: Usd, sign: char| outln!("  {name:<34} {sign} {:>14}", amount.to_string());
    line("gross: fair value over the book", w.gross, ' ');
    line("taker fees", w.taker_fee, '-');
    line("gas", w.gas, '-');
    line("hedge: fees, spread, funding", w.hedge_cost, '-');
    line("slippage over latency and hold", w.slippage, '-');
    line("settlement failures", w.settlement_failure, '-');
    line("model margin (band)", w.model_margin, '-');
    line("net edge", w.net(), '=');
    outln!("  {:<34}   {:>14} bps of notional", "", w.net_ratio().to_bps_decimal().to_string());
}

fn hedge(hedge: &Hedge) -> String {
    match hedge {
        Hedge::Delta(plan) => {
            format!("delta {} per share, band {}, at most {} in costs", plan.per_share, plan.band, plan.max_cost)
        }
        Hedge::None(why) => match why {
            NoHedge::ShortWindow => "none: the window is too short to be worth one",
            NoHedge::SelfHedged => "none: the legs bound each other",
            NoHedge::LotTooLarge => "none: one lot would over-hedge",
            NoHedge::TooExpensive => "none: it would cost or bind too much",
            NoHedge::NoInstrument => "none: no instrument or no price",
            NoHedge::Off => "none: switched off",
        }
        .to_owned(),
    }
}
