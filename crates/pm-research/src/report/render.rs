//! The report for people: what the run was (loud when it was not a real market), results against the user's targets, the decision matrix,
//! where the money came from and went, and why opportunities were not taken.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use pm_core::units::Usd;

use super::verdict::{Group, Verdict};
use super::{MIN_TRADES, RunReport};

/// Widths of label and value columns.
const LABEL: usize = 24;
const VALUE: usize = 16;

/// ANSI styles, or nothing.
#[derive(Clone, Copy)]
struct Style(bool);

impl Style {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
    fn loud(self, text: &str) -> String {
        self.wrap("1;33", text)
    }
    fn signed(self, v: Usd, text: &str) -> String {
        if v.is_negative() {
            self.wrap("31", text)
        } else if v.is_positive() {
            self.wrap("32", text)
        } else {
            text.to_owned()
        }
    }
}

/// The whole report as text; ends with a line break. `color` puts ANSI styles in, for terminals.
#[must_use]
pub fn render(report: &RunReport, color: bool) -> String {
    let style = Style(color);
    let mut out = String::new();
    head(&mut out, report, style);
    money(&mut out, report, style);
    trades(&mut out, report, style);
    matrix(&mut out, report, style);
    breakdowns(&mut out, report, style);
    refusals(&mut out, report, style);
    machine(&mut out, report, style);
    out
}

fn title(out: &mut String, style: Style, text: &str) {
    let _ = writeln!(out, "\n{}", style.bold(text));
}

fn row(out: &mut String, label: &str, value: &str, note: &str) {
    let line = format!("  {label:<LABEL$}{value:>VALUE$}   {note}");
    let _ = writeln!(out, "{}", line.trim_end());
}

/// A row of money; the value is padded before it is coloured, so that columns stay.
fn money_row(out: &mut String, style: Style, label: &str, v: Usd, note: &str) {
    let padded = format!("{:>VALUE$}", format!("${v}").replace("$-", "-$"));
    let line = format!("  {label:<LABEL$}{}   {note}", style.signed(v, &padded));
    let _ = writeln!(out, "{}", line.trim_end());
}

fn percent(v: Option<f64>) -> String {
    v.map_or_else(|| "-".to_owned(), |v| format!("{:.2} %", v * 100.0))
}

fn figure(v: Option<f64>, places: usize) -> String {
    v.map_or_else(|| "-".to_owned(), |v| format!("{v:.places$}"))
}

/// "met" or "not met" for a target, nothing where there is no figure.
fn target(v: Option<f64>, met: impl Fn(f64) -> bool, text: &str) -> String {
    v.map_or_else(|| format!("target {text}"), |v| format!("target {text}: {}", if met(v) { "met" } else { "not met" }))
}

fn head(out: &mut String, r: &RunReport, style: Style) {
    let _ = writeln!(out, "{}", style.bold(&format!("MODE    {}", r.mode)));
    if r.offline {
        let _ = writeln!(out, "{}", style.loud(&format!("SOURCE  {} - OFFLINE: A SIMULATED MARKET, NOT A REAL ONE", r.source)));
    } else {
        let _ = writeln!(out, "{}", style.bold(&format!("SOURCE  {}", r.source)));
    }
    if r.derived {
        let _ = writeln!(out, "{}", style.loud("        DERIVED DATA: SAMPLED OR STAND-IN VALUES, NOT WHAT THE VENUE SENT"));
    }
    let seed = r.seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let _ = writeln!(out, "SPAN    {} to {} ({}){seed}", r.span.from, r.span.to, length(r.span.seconds));
    let run = r.run_id.as_deref().map(|id| format!("RUN     {id}"));
    let db = r.db.as_deref().map(|db| format!("STORE   {db}"));
    for line in [run, db].into_iter().flatten() {
        let _ = writeln!(out, "{line}");
    }
    for warning in &r.warnings {
        let _ = writeln!(out, "{}", style.loud(&format!("WARNING {warning}")));
    }
}

/// A span for people.
fn length(seconds: f64) -> String {
    match seconds {
        s if s >= 172_800.0 => format!("{:.1} days", s / 86_400.0),
        s if s >= 7_200.0 => format!("{:.1} h", s / 3_600.0),
        s if s >= 120.0 => format!("{:.1} min", s / 60.0),
        s => format!("{s:.1} s"),
    }
}

fn money(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "RESULT");
    row(out, "bankroll at the start", &format!("${}", r.bankroll_start), "");
    if !r.transfers.is_zero() {
        money_row(out, style, "deposits - withdrawals", r.transfers, "capital, no profit");
    }
    row(out, "bankroll at the end", &format!("${}", r.bankroll_end).replace("$-", "-$"), "");
    money_row(out, style, "net PnL, realised", r.net_pnl, "after all fees");
    money_row(out, style, "PnL of what is open", r.unrealized_pnl, "at executable exit, less fees");
    row(out, "fees", &format!("${}", r.fees_total).replace("$-", "-$"), "");
    row(out, "ROI", &percent(r.roi), "");
    row(out, "ROI per day", &percent(r.daily_roi), if r.daily_roi.is_none() { "from one hour of market time on" } else { "" });
    let sharpe = target(r.sharpe, |v| v > 1.5, "> 1.5");
    row(
        out,
        "Sharpe ratio",
        &figure(r.sharpe, 2),
        &if r.sharpe.is_none() { "from 24 hourly returns on".to_owned() } else { sharpe },
    );
    row(out, "largest drawdown", &percent(Some(r.max_drawdown)), &target(Some(r.max_drawdown), |v| v < 0.02, "< 2 % a day"));
}

fn trades(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "TRADES");
    row(out, "windows resolved", &r.windows.to_string(), &format!("{} markets priced, {} resolved", r.priced, r.resolved));
    row(out, "candidates evaluated", &r.evaluated.to_string(), "");
    row(out, "opportunities", &r.opportunities.to_string(), &format!("{} taken, {} of these found nothing", r.taken, r.aborted));
    let kinds = format!("{} won, {} lost, {} hedged", r.wins, r.losses, r.hedged_trades);
    row(out, "closed trades", &r.trades.to_string(), &kinds);
    row(out, "still open", &r.open_positions.to_string(), "");
    row(out, "win rate", &percent(r.win_rate), &format!("expected at the decisions: {}", percent(r.expected_win_rate)));
    let duration = r.avg_trade_duration_s.map_or_else(|| "-".to_owned(), length);
    row(out, "mean duration", &duration, &target(r.avg_trade_duration_s, |v| v < 3_600.0, "< 1 h"));
    row(out, "net edge", &format!("{} bps", figure(r.net_edge_bps, 1)), &target(r.net_edge_bps, |v| v > 10.0, "> 10 bps"));
}

fn matrix(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "DECISION MATRIX");
    for verdict in Verdict::ALL {
        let here = verdict == r.verdict;
        let line = format!("{} {:<22}{}", if here { ">" } else { " " }, verdict.as_str(), verdict.rule());
        let line = if here { style.bold(&line) } else { line };
        let _ = writeln!(out, "  {line}");
    }
    let _ = writeln!(
        out,
        "  {} of {MIN_TRADES} trades, ROI {}; reason: {} ({})",
        r.trades,
        percent(r.roi),
        r.reason.as_str(),
        r.reason.text()
    );
}

fn breakdowns(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "NET PNL BY CLASS OF EVIDENCE");
    sums(out, style, &r.pnl_by_class, |_| String::new());
    let apart = r.net_pnl - r.pnl_by_class.values().copied().sum();
    if !apart.is_zero() {
        money_row(out, style, "of no class", apart, "not tied to a structure");
    }
    title(out, style, "NET PNL OF TRADES BY STRATEGY");
    sums(out, style, &r.pnl_by_strategy, |name| format!("{} trades", r.trades_by_strategy.get(name).copied().unwrap_or(0)));
    title(out, style, "PNL BY CAUSE, BEFORE FEES");
    sums(out, style, &r.pnl_by_cause, |_| String::new());
    title(out, style, "FEES BY HOP");
    for (name, v) in &r.fees_by_hop {
        row(out, name, &format!("${v}").replace("$-", "-$"), "");
    }
}

fn sums(out: &mut String, style: Style, of: &BTreeMap<String, Usd>, note: impl Fn(&str) -> String) {
    if of.is_empty() {
        row(out, "none", "", "");
    }
    for (name, v) in of {
        money_row(out, style, name, *v, &note(name));
    }
}

fn refusals(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "NOT TAKEN, BY REASON");
    let mut all: Vec<(&String, &u64)> = r.refused_by_reason.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    if all.is_empty() {
        row(out, "none", "", "");
    }
    for (code, n) in all {
        row(out, code, &n.to_string(), Group::of(code).as_str());
    }
}

fn machine(out: &mut String, r: &RunReport, style: Style) {
    title(out, style, "KILL SWITCH");
    let cause = r.kill_switch_cause.as_deref().map_or_else(String::new, |c| format!(": {c}"));
    let line = format!("  {}{cause}; {} trips, {} automatic resets", r.kill_switch, r.kill_switch_trips, r.auto_resets);
    let _ = writeln!(out, "{}", if r.kill_switch_cause.is_some() { style.wrap("1;31", &line) } else { line });
    title(out, style, "DATA");
    let speed = format!("{} a second over {}", figure(r.frames_per_s, 0), length(r.wall_s));
    row(out, "frames", &r.frames.to_string(), &speed);
    row(out, "decode errors", &r.decode_errors.to_string(), "");
    row(out, "events", &r.events.to_string(), "");
    row(out, "decision hash", "", &r.decision_hash);
}
