//! What the integration tests share: a catalog, a place for recordings, the shared data sets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pm_core::ids::{CurrencyId, UnderlyingId};
use pm_core::registry::{Catalog, SourceInfo, VenueInfo, VenueRole};
use pm_core::traits::FeedProtocol;
use pm_data::derived::{DerivedProtocol, FEED};
use pm_data::import::{ImportReport, import};
use pm_data::inspect::{self, Summary};
use pm_data::recording::{FeedInfo, Replay};

/// The names that crates agree on.
pub fn catalog() -> Catalog {
    let underlyings = ["BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE"];
    let venue = |name: &str, role, currency| VenueInfo { name: Arc::from(name), role, currency: CurrencyId(currency) };
    let mut sources = Vec::new();
    for (i, u) in underlyings.iter().enumerate() {
        let underlying = UnderlyingId(u8::try_from(i).unwrap());
        sources.push(SourceInfo { name: format!("chainlink:{}/usd", u.to_lowercase()).into(), underlying });
        sources.push(SourceInfo { name: format!("binance:{u}USDT").into(), underlying });
    }
    Catalog {
        venues: vec![
            venue("polymarket", VenueRole::Prediction, 0),
            venue("bybit", VenueRole::Hedge, 1),
            venue("binance", VenueRole::Reference, 1),
            venue("polymarket-us", VenueRole::Reference, 4),
        ],
        currencies: ["pUSD", "USDT", "USDC", "POL", "USD"].map(Arc::from).to_vec(),
        underlyings: underlyings.map(Arc::from).to_vec(),
        sources,
    }
}

/// A folder of the shared data, or `None` after saying so.
pub fn shared(set: &str, test: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(test, "../shared/data absent");
    None
}

/// Says that a test could not run, where the checks look for it.
pub fn skipped(test: &str, why: &str) {
    use std::io::Write as _;
    let line = format!("SKIPPED {test}: {why}");
    println!("{line}");
    if let Some(path) = std::env::var_os("PMBOT_SKIP_LOG") {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// An imported data set.
pub struct Imported {
    pub report: ImportReport,
    pub summary: Summary,
    pub path: PathBuf,
    pub dir: tempfile::TempDir,
}

/// Imports and inspects with the decoder of derived records only.
pub fn imported(format: &str, paths: &[PathBuf]) -> Imported {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.pmrec");
    let mut last = (0, 0);
    let report =
        import(format, &path, paths, &mut |done, total| last = (done, total)).unwrap_or_else(|e| panic!("{format}: {e}"));
    assert_eq!(last.0, last.1, "progress ends at the end");
    let summary = inspected(&path);
    assert_eq!(summary.frames, report.frames(), "what was written is what is read");
    assert!(summary.remarks.is_empty(), "{:?}", summary.remarks);
    println!("{report}{summary}");
    Imported { report, summary, path, dir }
}

/// Inspects a recording with the decoder of derived records only.
pub fn inspected(path: &Path) -> Summary {
    let mut replay = Replay::open(&[path.to_path_buf()]).unwrap();
    inspect::run(&mut replay, &mut route, &mut |_, _| {}).unwrap()
}

/// The decoder of derived records for their feed, none for others.
pub fn route(feed: &FeedInfo) -> Option<Box<dyn FeedProtocol>> {
    (feed.name == FEED).then(|| Box::new(DerivedProtocol::new(catalog()).unwrap()) as Box<_>)
}

/// A counter of a summary, summed over feeds.
pub fn counter(summary: &Summary, name: &str) -> u64 {
    summary.feeds.iter().filter_map(|f| f.counters.get(name)).sum()
}
