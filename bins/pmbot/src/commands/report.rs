//! `pmbot report [RUN]`: a run's results again, from the database.

use pm_store::{RunSelector, SqlStore};
use serde_json::json;

use crate::cli::{Cli, DbArgs};
use crate::config::Config;
use crate::display::{self, out, outln};
use crate::exit::Failure;

pub(crate) fn run(cli: &Cli, config: &Config, run: &str, db: &DbArgs) -> Result<(), Failure> {
    let (url, shown) = config.db_url(db.db.as_deref())?;
    let which: RunSelector = run.parse().map_err(Failure::usage)?;
    super::db::runtime()?.block_on(async {
        let store = SqlStore::connect(&url, false).await?;
        store.require_current().await?;
        let view = store.run(which).await?;
        let id = RunSelector::Id(view.start.run_id);
        let (refusals, causes, hops, classes) =
            (store.refusals(id).await?, store.pnl_by_cause(id).await?, store.fees_by_hop(id).await?, store.pnl_by_class(id).await?);
        let counts = store.row_counts(id).await?;
        store.close().await;
        if cli.json {
            let figures = |f: &[pm_store::Figure]| f.iter().map(|f| json!({ "name": f.name, "asset": f.asset, "amount": f.amount })).collect::<Vec<_>>();
            return display::json(&json!({
                "run_id": view.start.run_id.to_string(), "status": view.status, "source": view.start.source, "origin": view.start.origin, "derived": view.start.derived,
                "decision_hash": view.decision_hash, "verdict": view.verdict, "summary": view.summary,
                "refused_by_reason": refusals.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "pnl_by_cause": figures(&causes), "fees_by_hop": figures(&hops), "pnl_by_class": figures(&classes),
                "rows": counts.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            }))
            .map_err(Failure::Usage);
        }
        outln!("database       {shown}");
        outln!("run            {} ({})", view.start.run_id, view.status);
        outln!("started        {}   build {}", view.start.started_at, view.start.build);
        outln!("data           {}: {}", view.start.source, view.start.origin);
        if let Some(report) = view.summary.as_ref().and_then(|s| serde_json::from_value::<pm_research::RunReport>(s.clone()).ok()) {
            out!("{}", pm_research::render(&report, false));
        } else {
            if view.summary.is_some() {
                outln!("the summary of this run was written by {} and cannot be read by this version; what follows is from its rows", view.start.build);
            } else {
                outln!("this run has not ended: there is no summary; what follows is what it wrote so far");
            }
            section("PNL BY CAUSE (LEDGER)", &causes);
            section("FEES BY HOP (LEDGER)", &hops);
            section("PNL BY CLASS (LEDGER, AFTER FEES)", &classes);
            if !refusals.is_empty() {
                outln!("\nNOT TAKEN, BY REASON");
                for (code, count) in &refusals {
                    outln!("  {code:<28} {count:>8}");
                }
            }
        }
        outln!("\nROWS");
        for (table, count) in counts.iter().filter(|(_, count)| *count > 0) {
            outln!("  {table:<28} {count:>8}");
        }
        Ok(())
    })
}

fn section(title: &str, figures: &[pm_store::Figure]) {
    if figures.is_empty() {
        return;
    }
    outln!("\n{title}");
    for f in figures {
        outln!("  {:<28} {:>16} {}", f.name, f.amount.to_string(), f.asset);
    }
}
