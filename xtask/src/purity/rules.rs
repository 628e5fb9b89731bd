//! The rules themselves: data with a reason each.

use std::fmt;

/// Whom a crate of ours may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayKnow {
    /// Only these.
    Only(&'static [&'static str]),
    /// Everybody (the place where all is wired together).
    All,
}

impl MayKnow {
    pub(crate) fn allows(self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(&name),
            Self::All => true,
        }
    }
}

impl fmt::Display for MayKnow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only([]) => f.write_str("no other crate of ours"),
            Self::Only(names) => f.write_str(&names.join(", ")),
            Self::All => f.write_str("every crate"),
        }
    }
}

/// One row of the table of crates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrateRow {
    pub(crate) name: &'static str,
    /// No runtime, socket, file, clock, random source or hash order.
    pub(crate) pure: bool,
    /// No `f32`/`f64`: money cannot be a float here.
    pub(crate) float_free: bool,
    /// Venue names may appear in code.
    pub(crate) venues: bool,
    pub(crate) may_know: MayKnow,
    pub(crate) reason: &'static str,
}

const fn row(name: &'static str, may_know: MayKnow, reason: &'static str) -> CrateRow {
    CrateRow { name, pure: false, float_free: false, venues: false, may_know, reason }
}

impl CrateRow {
    const fn pure(mut self) -> Self {
        self.pure = true;
        self
    }

    const fn float_free(mut self) -> Self {
        self.float_free = true;
        self
    }

    const fn venues(mut self) -> Self {
        self.venues = true;
        self
    }
}

const CORE: MayKnow = MayKnow::Only(&["pm-core"]);
const NONE: MayKnow = MayKnow::Only(&[]);

/// Every package of the workspace. A new one needs a row.
pub(crate) const CRATES: &[CrateRow] = &[
    row("pm-core", NONE, "the shared contract stands under everything").pure().float_free(),
    row("pm-ledger", CORE, "the books know money, not venues or strategies").pure().float_free(),
    row("pm-strategy", CORE, "it is used as a library by other tools").pure(),
    row("pm-risk", CORE, "the gates must not depend on what they judge").pure().float_free(),
    row(
        "pm-engine",
        MayKnow::Only(&["pm-core", "pm-ledger", "pm-strategy", "pm-risk"]),
        "the state machine is made of pure parts only",
    )
    .pure()
    .float_free(),
    row("pm-polymarket", CORE, "a venue knows the contract, not the engine").venues(),
    row("pm-bybit", CORE, "a venue knows the contract, not the engine").venues(),
    row("pm-reference", CORE, "a price source knows the contract, not the engine").venues(),
    row("pm-data", CORE, "data is prepared for whoever reads it"),
    row("pm-store", CORE, "a store writes what it is given"),
    row("pm-sim", CORE, "a simulator with the venue's own code would agree with its mistakes").venues(),
    row(
        "pm-execution",
        MayKnow::Only(&["pm-core", "pm-engine", "pm-risk", "pm-ledger"]),
        "drivers run the engine and the gate, on any venue",
    ),
    row(
        "pm-research",
        MayKnow::Only(&["pm-core", "pm-strategy", "pm-ledger", "pm-engine"]),
        "research runs the same engine and never a live venue",
    ),
    row("pm-monitor", NONE, "what watches must not depend on what it watches"),
    row("pmbot", MayKnow::All, "wiring").venues(),
    row("xtask", NONE, "automation must build when the product does not").venues(),
];

/// The row of a crate.
pub(crate) fn crate_row(name: &str) -> Option<&'static CrateRow> {
    CRATES.iter().find(|row| row.name == name)
}

pub(crate) fn is_pure(name: &str) -> bool {
    crate_row(name).is_some_and(|row| row.pure)
}

/// Packages a pure crate must not reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForbiddenPackages {
    pub(crate) what: &'static str,
    /// Exact names.
    names: &'static [&'static str],
    /// Families (`tokio-` is every package that starts so).
    families: &'static [&'static str],
}

impl ForbiddenPackages {
    pub(crate) fn matches(&self, package: &str) -> bool {
        self.names.contains(&package) || self.families.iter().any(|family| package.starts_with(family))
    }
}

pub(crate) const FORBIDDEN_PACKAGES: &[ForbiddenPackages] = &[
    ForbiddenPackages {
        what: "async runtime",
        names: &[
            "tokio",
            "async-std",
            "smol",
            "async-io",
            "async-executor",
            "async-global-executor",
            "futures-executor",
            "mio",
            "polling",
        ],
        families: &["tokio-", "monoio", "glommio"],
    },
    ForbiddenPackages {
        what: "socket or TLS",
        names: &["reqwest", "hyper", "h2", "socket2", "rustls", "native-tls", "openssl", "tungstenite", "ureq"],
        families: &["hyper-", "rustls-", "openssl-"],
    },
    ForbiddenPackages { what: "database", names: &["sqlx", "rusqlite", "libsqlite3-sys"], families: &["sqlx-"] },
    ForbiddenPackages {
        what: "random source",
        names: &["rand", "getrandom", "fastrand", "oorandom", "nanorand", "ahash"],
        families: &["rand_"],
    },
    ForbiddenPackages { what: "clock or files", names: &["chrono", "quanta", "tempfile", "memmap2", "fs2"], families: &[] },
];

/// What a source rule looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// A path that starts so (`std::net` is also `std::net::TcpStream`), through any `use`.
    Path(&'static str),
    /// A name on its own.
    Name(&'static str),
    /// `f32`, `f64` and numbers with such a suffix, unless the line carries the marker.
    Float,
    /// A venue's name, in code or in a string.
    Venue,
    /// `impl Trait for`.
    ImplOf(&'static str),
    /// These tokens in a row; the name says what for people.
    Row(&'static str, &'static [&'static str]),
}

/// Where a source rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Pure,
    FloatFree,
    VenueFree,
    /// Every library crate.
    Libraries,
    /// Every crate but this one.
    Outside(&'static str),
}

impl Where {
    pub(crate) fn holds(self, name: &str) -> bool {
        let flag = |get: fn(&CrateRow) -> bool| crate_row(name).is_some_and(get);
        match self {
            Self::Pure => flag(|row| row.pure),
            Self::FloatFree => flag(|row| row.float_free),
            Self::VenueFree => flag(|row| !row.venues),
            Self::Libraries => name.starts_with("pm-"),
            Self::Outside(only) => name != only,
        }
    }
}

/// One source rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) what: What,
    pub(crate) holds: Where,
    pub(crate) reason: &'static str,
}

const fn rule(what: What, holds: Where, reason: &'static str) -> Rule {
    Rule { what, holds, reason }
}

const IO: &str = "pure crates do no input or output: events come in, commands go out";
const TIME: &str = "time is an input (`now` of the event), or replay differs from live";
const ORDER: &str = "hash order differs between runs: use BTreeMap, a sorted Vec or index keys";
const CHANCE: &str = "ids and samples are derived from seed and intent, or replay differs";
const OUTPUT: &str = "libraries log or return text: only pmbot speaks to the person, and its `--json` prints one document";
const OWN_TIME: &str = "waiting and tasks go through the driver's timers, so that the fault simulator owns time";
const OWN_CLOCK: &str = "time comes from pm_core's Clock, so that the fault simulator owns it";

pub(crate) const RULES: &[Rule] = &[
    rule(What::Path("std::net"), Where::Pure, IO),
    rule(What::Path("std::fs"), Where::Pure, IO),
    rule(What::Path("std::io"), Where::Pure, IO),
    rule(What::Path("std::env"), Where::Pure, "settings come in as typed values, or two machines decide differently"),
    rule(What::Path("std::process"), Where::Pure, IO),
    rule(What::Path("std::thread"), Where::Pure, "one thread, one order of events"),
    rule(What::Path("std::time::Instant"), Where::Pure, TIME),
    rule(What::Path("std::time::SystemTime"), Where::Pure, TIME),
    rule(What::Name("HashMap"), Where::Pure, ORDER),
    rule(What::Name("HashSet"), Where::Pure, ORDER),
    rule(What::Name("RandomState"), Where::Pure, ORDER),
    rule(What::Name("DefaultHasher"), Where::Pure, ORDER),
    rule(What::Row("println!", &["println", "!"]), Where::Libraries, OUTPUT),
    rule(What::Row("print!", &["print", "!"]), Where::Libraries, OUTPUT),
    rule(What::Row("eprintln!", &["eprintln", "!"]), Where::Libraries, OUTPUT),
    rule(What::Row("eprint!", &["eprint", "!"]), Where::Libraries, OUTPUT),
    rule(What::Row("UNIX_EPOCH.elapsed()", &["UNIX_EPOCH", ".", "elapsed"]), Where::Libraries, OWN_CLOCK),
    rule(What::Path("rand"), Where::Pure, CHANCE),
    rule(What::Path("rand_chacha"), Where::Pure, CHANCE),
    rule(What::Path("getrandom"), Where::Pure, CHANCE),
    rule(What::Float, Where::FloatFree, "money is never a float; a model's value is marked with `// model value` in pm-core"),
    rule(What::Venue, Where::VenueFree, "venue names live in their own crate, importers, pm-sim and pmbot's wiring"),
    rule(What::ImplOf("Gatekeeper"), Where::Outside("pm-risk"), "only pm-risk may decide that an order may leave"),
    rule(What::Path("tokio::spawn"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::task::spawn"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::task::spawn_blocking"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::time::sleep"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::time::sleep_until"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::time::interval"), Where::Libraries, OWN_TIME),
    rule(What::Path("tokio::time::Instant::now"), Where::Libraries, OWN_CLOCK),
    rule(What::Path("std::thread::spawn"), Where::Libraries, OWN_TIME),
    rule(What::Path("std::thread::Builder"), Where::Libraries, OWN_TIME),
    rule(What::Path("std::thread::sleep"), Where::Libraries, OWN_TIME),
    rule(What::Path("std::time::Instant::now"), Where::Libraries, OWN_CLOCK),
    rule(What::Path("std::time::SystemTime::now"), Where::Libraries, OWN_CLOCK),
];

/// A crate that may break the "own time" rules, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exception {
    pub(crate) krate: &'static str,
    /// Path prefixes that are allowed there.
    pub(crate) paths: &'static [&'static str],
    #[allow(dead_code, reason = "read by people: an exception without a reason is not accepted")]
    pub(crate) reason: &'static str,
}

pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        krate: "pm-store",
        paths: &["tokio::spawn", "tokio::task::spawn", "tokio::task::spawn_blocking", "tokio::time", "std::thread"],
        reason: "its writer is a task of its own, off the trading loop; it waits for a database, not for a venue",
    },
    Exception {
        krate: "pm-execution",
        paths: &[
            "std::time::Instant::now",
            "std::time::SystemTime::now",
            "UNIX_EPOCH.elapsed()",
            "std::thread",
            "tokio::time",
            "tokio::spawn",
        ],
        reason: "it holds the one real clock and the drivers that own the loop",
    },
];

pub(crate) fn is_excepted(krate: &str, path: &str) -> bool {
    EXCEPTIONS.iter().any(|e| e.krate == krate && e.paths.iter().any(|p| starts_with_path(path, p)))
}

/// `std::net::TcpStream` starts with `std::net`; `std::network` does not; the glob `std::*` may hold it.
pub(crate) fn starts_with_path(path: &str, prefix: &str) -> bool {
    let mut path = path.split("::");
    for want in prefix.split("::") {
        match path.next() {
            Some("*") => return true,
            Some(part) if part == want => {}
            _ => return false,
        }
    }
    true
}

/// Names of venues and of their settlement sources.
pub(crate) const VENUES: &[&str] = &["polymarket", "bybit", "binance", "chainlink"];

/// Columns of the user's schema; allowed everywhere.
pub(crate) const COLUMNS: &[&str] = &["polymarket_price", "bybit_price", "polymarket_size", "bybit_size"];

/// Comment that marks a line whose float is a model's value, in pm-core only.
pub(crate) const MODEL_MARK: &str = "// model value";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_whole_parts() {
        assert!(starts_with_path("std::net::TcpStream", "std::net"));
        assert!(starts_with_path("std::net", "std::net"));
        assert!(!starts_with_path("std::network", "std::net"));
        assert!(!starts_with_path("std", "std::net"));
        assert!(starts_with_path("std::*", "std::net"));
        assert!(!starts_with_path("random::x", "rand"));
    }

    #[test]
    fn exceptions_are_for_their_crate_only() {
        assert!(is_excepted("pm-execution", "std::time::SystemTime::now"));
        assert!(!is_excepted("pm-data", "std::time::SystemTime::now"));
        assert!(!is_excepted("pm-store", "std::time::SystemTime::now"));
    }

    #[test]
    fn the_table_is_closed() {
        for row in CRATES {
            if let MayKnow::Only(names) = row.may_know {
                assert!(names.iter().all(|n| crate_row(n).is_some()), "{}", row.name);
                // A pure crate may know pure crates only.
                assert!(!row.pure || names.iter().all(|n| is_pure(n)), "{}", row.name);
            }
        }
    }
}
