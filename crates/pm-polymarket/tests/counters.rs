//! What the market protocol counts for `inspect`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, unreachable_pub)]

mod common;

use pm_core::traits::FeedProtocol;
use pm_polymarket::market::MarketProtocol;

use common::{CID, Keeper, T0, book, feed, follower};

#[test]
fn what_could_not_be_applied_is_counted_by_its_cause() {
    let mut p = follower("0.01");
    let mut keeper = Keeper::default();
    let change = |at: u64| {
        let changes = common::change(T0, "0.40", "5", "BUY");
        format!(r#"{{"event_type":"price_change","market":"{CID}","timestamp":"{at}","price_changes":[{changes}]}}"#)
    };
    feed(&mut p, &change(1_000), &mut keeper).unwrap();
    feed(&mut p, &book(T0, 2_000, &[("0.40", "1")], &[("0.60", "1")]), &mut keeper).unwrap();
    feed(&mut p, &change(1_500), &mut keeper).unwrap();
    feed(&mut p, &book(T0, 3_000, &[("0.405", "1")], &[("0.60", "1")]), &mut keeper).unwrap_err();
    let count = |p: &MarketProtocol, name: &str| p.counters().into_iter().find(|(n, _)| *n == name).unwrap().1;
    assert_eq!((count(&p, "misfits"), count(&p, "before_snapshot")), (1, 1));
    p.reset(&mut |_: pm_core::event::Event<'_>| {});
    assert_eq!(count(&p, "misfits"), 1, "a reset forgets no count");
}
