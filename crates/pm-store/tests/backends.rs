//! The same behaviour on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

on_both!(
    one_of_each_kind_is_written_and_read_back,
    the_last_write_of_an_id_wins,
    a_bad_row_keeps_the_whole_batch_out_and_is_named,
    what_cannot_be_stored_is_refused_by_name,
    money_is_exact_to_the_last_unit,
    times_are_kept_to_the_microsecond,
    exact_repeats_are_one_row_and_contradictions_are_refused,
    runs_begin_and_end,
    figures_come_from_the_ledger,
    refusals_count_ended_episodes,
    reports_read_while_a_run_writes,
    hostile_texts_are_stored,
    two_runs_do_not_mix,
    every_column_of_the_document_exists,
    long_names_of_recordings_are_stored_with_the_run,
);

mod check {
    use std::sync::Arc;

    use pm_core::ids::{IntentId, StructureId};
    use pm_core::opportunity::EvidenceClass;
    use pm_core::order::{OrderState, SettlementState};
    use pm_core::record::Record;
    use pm_core::refusal::Refusal;
    use pm_core::time::Ts;
    use pm_core::traits::{Store, StoreError};
    use pm_core::units::{Px, Qty, Ratio, Usd};
    use pm_store::{IdKind, OpportunitySelector, RunEnd, RunSelector, RunStore, SqlStore, UNCLASSIFIED, row_id};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    use uuid::Uuid;

    use crate::common::rows::*;

    const LATEST: RunSelector = RunSelector::Latest;

    async fn count(store: &SqlStore, table: &str) -> u64 {
        let counts = store.row_counts(LATEST).await.unwrap();
        counts.into_iter().find(|(name, _)| name == table).unwrap().1
    }

    /// `source` is a short column of the document: names of files belong in `origin`.
    pub(super) async fn long_names_of_recordings_are_stored_with_the_run(store: SqlStore) {
        let name = |c: &str| format!("{}.pmrec", c.repeat(200));
        let origin = format!("{}, {}", name("a"), name("ä"));
        let run = pm_store::RunStart { source: "replay".into(), origin: origin.clone(), derived: true, ..start() };
        store.save_run_start(&run).await.unwrap();
        store.for_run(&run.info(), catalog()).write(&one_of_each()).await.unwrap();
        let found = store.run(LATEST).await.unwrap();
        assert_eq!((found.start.source.as_str(), found.start.origin), ("replay", origin));
        assert_eq!(count(&store, "trades").await, 1);
    }

    async fn write_one(writer: &RunStore, record: Record) {
        writer.write(&[record]).await.unwrap();
    }

    pub(super) async fn one_of_each_kind_is_written_and_read_back(store: SqlStore) {
        let writer = run_of(&store).await;
        writer.ping().await.unwrap();
        writer.write(&[]).await.unwrap();
        writer.write(&one_of_each()).await.unwrap();
        for (table, rows) in store.row_counts(LATEST).await.unwrap() {
            assert_eq!(rows, 1, "{table}");
        }
        let found = store.opportunity("latest/1".parse().unwrap()).await.unwrap();
        assert_eq!(found.row, opportunity(1));
        assert_eq!((found.run_id, found.source.as_str(), found.position_id), (RUN, "sim", None));
        let by_id = store.opportunity(OpportunitySelector::Id(writer.row_id(IdKind::Opportunity, 1))).await.unwrap();
        assert_eq!(by_id, found);
        let waterfall = store.opportunity_waterfall("1".parse().unwrap()).await.unwrap();
        assert_eq!(waterfall, opportunity(1).waterfall);
        let [leg] = &store.trades(LATEST).await.unwrap()[..] else { panic!("one trade") };
        assert_eq!(leg.trade_id, row_id(RUN, IdKind::Trade, 1));
        assert_eq!(leg.opportunity_id, Some(found.opportunity_id));
        assert_eq!((leg.side.as_str(), leg.size, leg.price, leg.exchange.as_str()), ("buy", qty("5"), px("0.43"), "prediction"));
        assert_eq!((leg.gross_pnl, leg.total_fees, leg.net_pnl), (Some(usd("2.85")), Some(usd("0.06")), Some(usd("2.79"))));
        assert_eq!((leg.executed_at, leg.settled_at, leg.status.as_str()), (ts(12), Some(ts(310)), "closed"));
        let [event] = &store.risk_events(LATEST).await.unwrap()[..] else { panic!("one event") };
        assert_eq!((event.kind.as_str(), event.severity.as_str(), event.seq, event.at), ("daily_loss", "critical", 1, ts(20)));
        let [money] = &store.bankroll(LATEST).await.unwrap()[..] else { panic!("one row") };
        assert_eq!((money.total_capital, money.daily_pnl, money.daily_drawdown), (usd("9.89"), usd("-0.11"), ratio("0.011")));
    }

    pub(super) async fn the_last_write_of_an_id_wins(store: SqlStore) {
        let writer = run_of(&store).await;
        writer.write(&one_of_each()).await.unwrap();
        let mut closed = taken(1, 1);
        closed.closed_at = Some(ts(400));
        closed.updates = 9;
        let mut leg = trade(1, Some(1));
        leg.net_pnl = Some(usd("-2.21"));
        let mut ended = position(1);
        ended.closed_at = Some(ts(310));
        let again = [
            Record::Opportunity(Box::new(closed.clone())),
            Record::Trade(Box::new(leg)),
            Record::Position(Box::new(ended)),
            Record::Order(Box::new(order(1, OrderState::Filled))),
            market(),
            instrument(),
        ];
        writer.write(&again).await.unwrap();
        for (table, rows) in store.row_counts(LATEST).await.unwrap() {
            assert_eq!(rows, 1, "{table}");
        }
        let found = store.opportunity("1".parse().unwrap()).await.unwrap();
        assert_eq!(found.row, closed);
        assert_eq!(found.position_id, Some(row_id(RUN, IdKind::Position, 1)));
        assert_eq!(store.trades(LATEST).await.unwrap()[0].net_pnl, Some(usd("-2.21")));
    }

    pub(super) async fn a_bad_row_keeps_the_whole_batch_out_and_is_named(store: SqlStore) {
        let writer = run_of(&store).await;
        let mut batch = one_of_each();
        batch.insert(4, Record::Ledger(Box::new(entry(7, "cash:0:0", "cash:0:0", "pUSD", "1", None))));
        match writer.write(&batch).await {
            Err(StoreError::Refused(text)) => assert!(text.starts_with("ledger 7: "), "{text}"),
            other => panic!("{other:?}"),
        }
        for (table, rows) in store.row_counts(LATEST).await.unwrap() {
            assert_eq!(rows, 0, "{table}: nothing of a refused batch stays");
        }
        batch.remove(4);
        writer.write(&batch).await.unwrap();
        assert_eq!(count(&store, "ledger").await, 1);
    }

    pub(super) async fn what_cannot_be_stored_is_refused_by_name(store: SqlStore) {
        let writer = run_of(&store).await;
        let mut zero = entry(1, "a", "b", "pUSD", "1", None);
        zero.amount = 0;
        let mut negative = zero.clone();
        negative.amount = -1;
        let mut huge = trade(u64::MAX, None);
        huge.intent = IntentId(u64::MAX);
        let long = top(&"x".repeat(256), 1);
        let cases = [
            (Record::Ledger(Box::new(zero)), "ledger 1"),
            (Record::Ledger(Box::new(negative)), "ledger 1"),
            (Record::Trade(Box::new(trade(5, Some(99)))), "trades 5"),
            (Record::Trade(Box::new(huge)), "trades 18446744073709551615"),
            (Record::MarketData(long), "market_data of xxx"),
        ];
        for (record, name) in cases {
            for batch in [vec![record.clone()], vec![Record::Bankroll(bankroll(1)), record.clone(), ledger(9)]] {
                match writer.write(&batch).await {
                    Err(StoreError::Refused(text)) => assert!(text.starts_with(name), "{text}"),
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
        assert_eq!(count(&store, "bankroll").await, 0);
        let stray =
            store.for_run(&pm_store::RunInfo { run_id: Uuid::from_u128(5), source: "sim".into(), derived: false }, catalog());
        match stray.write(&[ledger(1)]).await {
            Err(StoreError::Refused(text)) => assert!(text.contains("is the run saved"), "{text}"),
            other => panic!("rows of a run that was not saved: {other:?}"),
        }
    }

    pub(super) async fn money_is_exact_to_the_last_unit(store: SqlStore) {
        let writer = run_of(&store).await;
        let mut runner = TestRunner::deterministic();
        let any = prop_oneof![any::<i64>(), -1_000_000_000_i64..1_000_000_000, Just(i64::MAX), Just(i64::MIN), Just(0), Just(-1)];
        let draw = proptest::collection::vec(any, 21);
        let mut sets: Vec<Vec<i64>> = (0..150).map(|_| draw.new_tree(&mut runner).unwrap().current()).collect();
        sets.push(vec![i64::MAX; 21]);
        sets.push(vec![i64::MIN; 21]);
        let mut batch = Vec::new();
        let mut rows = Vec::new();
        for (n, v) in (1_u64..).zip(&sets) {
            let mut o = opportunity(n);
            (o.fair.lo, o.fair.mid, o.fair.hi) = (Px::from_raw(v[0]), Px::from_raw(v[1]), Px::from_raw(v[2]));
            (o.prediction_price, o.implied_price) = (Px::from_raw(v[3]), Some(Px::from_raw(v[4])));
            o.waterfall.gross = Usd::from_raw(v[5]);
            o.waterfall.notional = Usd::from_raw(v[6]);
            o.waterfall.taker_fee = Usd::from_raw(v[7]);
            (o.kelly, o.size) = (Ratio::from_raw(v[8]), Qty::from_raw(v[9]));
            let mut t = trade(n, Some(n));
            (t.size, t.price) = (Qty::from_raw(v[10]), Px::from_raw(v[11]));
            t.commission = Usd::from_raw(v[12]);
            t.gas_native = Some(Usd::from_raw(v[13]));
            (t.gas_usd, t.transfer_fees) = (Some(Usd::from_raw(v[14])), Some(Usd::from_raw(v[15])));
            (t.gross_pnl, t.total_fees, t.net_pnl) =
                (Some(Usd::from_raw(v[16])), Some(Usd::from_raw(v[17])), Some(Usd::from_raw(v[18])));
            batch.push(Record::Opportunity(Box::new(o.clone())));
            batch.push(Record::Trade(Box::new(t.clone())));
            let mut e = entry(n, "income:x", "b", &format!("asset-{n}"), "1", None);
            e.amount = v[19].max(1);
            batch.push(Record::Ledger(Box::new(e.clone())));
            let mut m = top(&format!("m{n}"), 1);
            m.best_bid = Some(Px::from_raw(v[20]));
            batch.push(Record::MarketData(m));
            rows.push((o, t, e));
        }
        writer.write(&batch).await.unwrap();
        let opportunities = store.opportunities(LATEST, 1_000).await.unwrap();
        let trades = store.trades(LATEST).await.unwrap();
        let sums = store.pnl_by_cause(LATEST).await.unwrap();
        assert_eq!((opportunities.len(), trades.len(), sums.len()), (rows.len(), rows.len(), rows.len()));
        for ((o, t, e), (found, leg)) in rows.iter().zip(opportunities.iter().zip(&trades)) {
            assert_eq!(&found.row, o);
            assert_eq!((leg.size, leg.price, leg.commission), (t.size, t.price, t.commission));
            assert_eq!((leg.gas_native, leg.gas_usd, leg.transfer_fees), (t.gas_native, t.gas_usd, t.transfer_fees));
            assert_eq!((leg.gross_pnl, leg.total_fees, leg.net_pnl), (t.gross_pnl, t.total_fees, t.net_pnl));
            let sum = sums.iter().find(|f| f.asset == *e.asset).unwrap();
            assert_eq!(sum.amount.raw(), -e.amount, "{sum:?}");
        }
    }

    pub(super) async fn times_are_kept_to_the_microsecond(store: SqlStore) {
        let writer = run_of(&store).await;
        let cases =
            [(1, 0), (1_780_876_800_123_456_789, 1_780_876_800_123_456_000), (-1, -1_000), (i64::MAX, i64::MAX / 1_000 * 1_000)];
        for (n, (given, kept)) in (1_u64..).zip(cases) {
            let mut event = risk_event(n);
            event.at = Ts::from_nanos(given);
            write_one(&writer, Record::RiskEvent(Box::new(event))).await;
            let found = store.risk_events(LATEST).await.unwrap();
            assert_eq!(found.last().unwrap().at, Ts::from_nanos(kept));
        }
    }

    pub(super) async fn exact_repeats_are_one_row_and_contradictions_are_refused(store: SqlStore) {
        let writer = run_of(&store).await;
        let batch = vec![
            ledger(1),
            ledger(2),
            Record::OrderEvent(order_event(1)),
            Record::FillEvent(fill_event(SettlementState::Matched, 12)),
            Record::Bankroll(bankroll(5)),
        ];
        writer.write(&batch).await.unwrap();
        // A batch whose commit was not answered is written again.
        writer.write(&batch).await.unwrap();
        write_one(&writer, ledger(1)).await;
        write_one(&writer, Record::FillEvent(fill_event(SettlementState::Failed, 30))).await;
        for (table, rows) in [("ledger", 2), ("order_events", 1), ("fill_events", 2), ("bankroll", 1)] {
            assert_eq!(count(&store, table).await, rows, "{table}");
        }
        let other = Record::Ledger(Box::new(entry(2, "cost:1:m0:first", "cash:0:0", "pUSD", "2.16", None)));
        for batch in [vec![other.clone()], vec![ledger(3), other]] {
            match writer.write(&batch).await {
                Err(StoreError::Refused(text)) => assert!(text.starts_with("ledger 2: another entry"), "{text}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(count(&store, "ledger").await, 2);
    }

    pub(super) async fn runs_begin_and_end(store: SqlStore) {
        assert_eq!(store.run(LATEST).await, Err(StoreError::NotFound("no run is stored yet".into())));
        let first = start();
        store.save_run_start(&first).await.unwrap();
        match store.save_run_start(&first).await {
            Err(StoreError::Refused(text)) => assert!(text.contains(&first.run_id.to_string()), "{text}"),
            other => panic!("{other:?}"),
        }
        let mut second = start();
        second.run_id = Uuid::from_u128(2);
        second.seed = None;
        // A clock that went back does not change which run is the latest.
        second.started_at = ts(-500);
        store.save_run_start(&second).await.unwrap();
        let latest = store.run(LATEST).await.unwrap();
        assert_eq!((latest.start, latest.status.as_str(), latest.ended_at), (second, "running", None));
        let end = RunEnd {
            run_id: first.run_id,
            ended_at: ts(900),
            status: "done".into(),
            decision_hash: Some("ab12".into()),
            verdict: Some("insufficient_trades".into()),
            summary: serde_json::json!({"net_pnl": "0.58", "trades": 1}),
        };
        store.save_run_end(&end).await.unwrap();
        let found = store.run(first.run_id.to_string().parse().unwrap()).await.unwrap();
        assert_eq!(found.start, first);
        assert_eq!((found.ended_at, found.decision_hash, found.verdict), (Some(end.ended_at), end.decision_hash, end.verdict));
        assert_eq!(found.summary, Some(end.summary));
        assert_eq!(store.runs(10).await.unwrap().len(), 2);
        let unknown = RunEnd { run_id: Uuid::from_u128(9), ..ended() };
        assert!(matches!(store.save_run_end(&unknown).await, Err(StoreError::NotFound(_))));
        assert!(matches!(store.trades(RunSelector::Id(Uuid::from_u128(9))).await, Err(StoreError::NotFound(_))));
        assert!(matches!(store.opportunity("7".parse().unwrap()).await, Err(StoreError::NotFound(_))));
    }

    fn ended() -> RunEnd {
        let summary = serde_json::Value::Null;
        RunEnd { run_id: RUN, ended_at: ts(1), status: "done".into(), decision_hash: None, verdict: None, summary }
    }

    pub(super) async fn figures_come_from_the_ledger(store: SqlStore) {
        let writer = run_of(&store).await;
        let (model, free) = (Some(EvidenceClass::VolModel), Some(EvidenceClass::ModelFree));
        // Bought 5 at 0.43 for 2.15 with a fee of 0.06; it pays 5: profit 2.85. A hedge loses 0.4 USDT and costs 0.02. A rebate of 0.01.
        let rows = [
            entry(1, "cash:0:0", "capital:0:0", "pUSD", "10", None),
            entry(2, "cost:1:m0:first", "cash:0:0", "pUSD", "2.15", model),
            entry(3, "expense:prediction_taker", "cash:0:0", "pUSD", "0.06", model),
            entry(4, "cash:0:0", "cost:1:m0:first", "pUSD", "2.15", model),
            entry(5, "cash:0:0", "income:settlement", "pUSD", "2.85", model),
            entry(6, "income:hedge", "cash:1:1", "USDT", "0.4", free),
            entry(7, "expense:hedge_taker", "cash:1:1", "USDT", "0.02", free),
            // Half of the first fee comes back.
            entry(8, "cash:0:0", "expense:prediction_taker", "pUSD", "0.03", model),
            entry(9, "cash:0:0", "income:rebate", "pUSD", "0.01", None),
        ];
        let rows: Vec<Record> = rows.into_iter().map(|r| Record::Ledger(Box::new(r))).collect();
        writer.write(&rows).await.unwrap();
        let flat = |figures: Vec<pm_store::Figure>| -> Vec<(String, String, String)> {
            figures.into_iter().map(|f| (f.name, f.asset, f.amount.to_string())).collect()
        };
        let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            flat(store.pnl_by_cause(LATEST).await.unwrap()),
            [
                row("expense:hedge_taker", "USDT", "-0.02"),
                row("expense:prediction_taker", "pUSD", "-0.03"),
                row("income:hedge", "USDT", "-0.4"),
                row("income:rebate", "pUSD", "0.01"),
                row("income:settlement", "pUSD", "2.85"),
            ]
        );
        assert_eq!(
            flat(store.fees_by_hop(LATEST).await.unwrap()),
            [row("hedge_taker", "USDT", "0.02"), row("prediction_taker", "pUSD", "0.03")]
        );
        assert_eq!(
            flat(store.pnl_by_class(LATEST).await.unwrap()),
            [row("model_free", "USDT", "-0.42"), row(UNCLASSIFIED, "pUSD", "0.01"), row("vol_model", "pUSD", "2.82")]
        );
    }

    pub(super) async fn refusals_count_ended_episodes(store: SqlStore) {
        let writer = run_of(&store).await;
        let ended = |id, refusal| {
            let mut row = opportunity(id);
            row.closed_at = Some(ts(60));
            row.refusal = refusal;
            Record::Opportunity(Box::new(row))
        };
        let mut won = taken(4, 1);
        won.closed_at = Some(ts(60));
        let batch = [
            ended(1, Some(Refusal::KellyZero)),
            ended(2, Some(Refusal::KillSwitch)),
            ended(3, Some(Refusal::KillSwitch)),
            Record::Opportunity(Box::new(won)),
            ended(5, None),
            // Still open: not decided.
            Record::Opportunity(Box::new(opportunity(6))),
        ];
        writer.write(&batch).await.unwrap();
        let found = store.refusals(LATEST).await.unwrap();
        assert_eq!(found, [("kill_switch".into(), 2), ("kelly_zero".into(), 1), ("unknown".into(), 1)]);
    }

    pub(super) async fn reports_read_while_a_run_writes(store: SqlStore) {
        let writer = run_of(&store).await;
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let reader = tokio::spawn({
            let (store, done) = (store.clone(), Arc::clone(&done));
            async move {
                let (mut reads, mut before) = (0, 0);
                while !done.load(std::sync::atomic::Ordering::Relaxed) || reads == 0 {
                    let seen = count(&store, "ledger").await;
                    assert!(seen >= before && seen % 50 == 0, "whole batches only: {seen} after {before}");
                    (before, reads) = (seen, reads + 1);
                }
                reads
            }
        });
        for batch in 0..20_u64 {
            let rows: Vec<Record> = (1..=50).map(|n| ledger(batch * 50 + n)).collect();
            writer.write(&rows).await.unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.await.unwrap() > 0);
        assert_eq!(count(&store, "ledger").await, 1_000);
    }

    pub(super) async fn hostile_texts_are_stored(store: SqlStore) {
        let writer = run_of(&store).await;
        let texts = ["", "'; DROP TABLE runs; --", "a\0b", "\u{202e}rtl", "emoji \u{1f600}", "\\x41 $1 %s {}", "\n\t\"quoted\""];
        for (n, text) in (1_u64..).zip(texts) {
            let mut event = risk_event(n);
            event.description = text.into();
            let mut row = opportunity(n);
            (row.slug, row.legs) = (text.into(), text.into());
            writer.write(&[Record::RiskEvent(Box::new(event)), Record::Opportunity(Box::new(row)), ledger(n)]).await.unwrap();
            let kept = text.replace('\0', "\u{fffd}");
            assert_eq!(store.risk_events(LATEST).await.unwrap().last().unwrap().description, kept);
            assert_eq!(&*store.opportunity(format!("{n}").parse().unwrap()).await.unwrap().row.slug, kept);
        }
        // The longest id that the document allows, counted in characters.
        write_one(&writer, Record::MarketData(top(&"\u{1f600}".repeat(255), 1))).await;
    }

    pub(super) async fn two_runs_do_not_mix(store: SqlStore) {
        let first = run_of(&store).await;
        let mut other = start();
        (other.run_id, other.derived, other.source) = (Uuid::from_u128(77), true, "replay".into());
        store.save_run_start(&other).await.unwrap();
        let second = store.for_run(&other.info(), catalog());
        first.write(&one_of_each()).await.unwrap();
        second.write(&one_of_each()).await.unwrap();
        second.write(&[Record::MarketData(top("0xbb", 3)), Record::MarketData(top("0xbb", 4))]).await.unwrap();
        let tops = store.market_data_counts(LATEST).await.unwrap();
        let counts: Vec<_> = tops.iter().map(|c| (c.exchange.as_str(), c.market.as_str(), c.rows)).collect();
        assert_eq!(counts, [("prediction", "0xaa", 1), ("prediction", "0xbb", 2)]);
        assert_eq!(store.market_data_counts(RunSelector::Id(RUN)).await.unwrap().len(), 1);
        let id = format!("{RUN}/1").parse().unwrap();
        assert_eq!(store.opportunity(id).await.unwrap().source, "sim");
        assert_eq!(store.opportunity("latest/1".parse().unwrap()).await.unwrap().source, "replay:derived");
        assert_ne!(first.row_id(IdKind::Trade, 1), second.row_id(IdKind::Trade, 1));
        assert_eq!(StructureId(1), store.trades(LATEST).await.unwrap()[0].structure);
    }

    /// Tables and columns of the original document.
    const DOCUMENT: &str = "\
market_data: id market_id exchange best_bid best_ask bid_volume ask_volume timestamp
opportunities: id opportunity_id market_id strategy polymarket_price bybit_price spread_bps gross_edge net_edge kelly_fraction recommended_size detected_at executed
trades: id trade_id opportunity_id market_id side size price exchange commission gas_cost_eth gas_cost_usd fiat_fees gross_pnl total_fees net_pnl status executed_at settled_at
positions: id position_id market_id polymarket_size bybit_size net_exposure avg_entry_price unrealized_pnl realized_pnl opened_at closed_at status
bankroll: id timestamp total_capital allocated available daily_pnl daily_drawdown total_trades win_count loss_count
risk_events: id event_id event_type severity description market_id position_id triggered_at resolved_at resolution_notes
fee_schedule: id exchange fee_type fee_percentage fixed_fee currency effective_from
api_health: id exchange endpoint latency_ms success error_message checked_at";

    /// Also reads every view of people.
    pub(super) async fn every_column_of_the_document_exists(store: SqlStore) {
        let writer = run_of(&store).await;
        writer.write(&one_of_each()).await.unwrap();
        let pool = raw_pool(&store).await;
        for line in DOCUMENT.lines() {
            let (table, columns) = line.split_once(": ").unwrap();
            let columns = columns.replace(' ', ", ");
            for name in [table.to_owned(), format!("v_{table}")] {
                let sql = sqlx::AssertSqlSafe(format!("SELECT run_id, {columns} FROM {name}"));
                let rows = match &pool {
                    RawPool::Pg(pool) => sqlx::query(sql).fetch_all(pool).await.map(|r| r.len()),
                    RawPool::Lite(pool) => sqlx::query(sql).fetch_all(pool).await.map(|r| r.len()),
                };
                assert_eq!(rows.unwrap(), 1, "{name}");
            }
        }
    }

    enum RawPool {
        Pg(sqlx::PgPool),
        Lite(sqlx::SqlitePool),
    }

    /// A connection of the test's own, by the place that the store names (these have no password).
    async fn raw_pool(store: &SqlStore) -> RawPool {
        if store.is_postgres() {
            RawPool::Pg(sqlx::PgPool::connect(store.place()).await.unwrap())
        } else {
            RawPool::Lite(sqlx::SqlitePool::connect(store.place()).await.unwrap())
        }
    }
}
