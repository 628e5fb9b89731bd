//! The command line. Scripts depend on it: names, options and exit codes are part of the interface.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Trading engine for crypto-linked prediction markets: Polymarket against Bybit.
#[derive(Debug, Parser)]
#[command(name = "pmbot", version, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, 2 usage or configuration, 3 source unavailable, 4 data corrupt or not reproducible, \
5 store unavailable, 6 kill switch tripped."
)]
pub(crate) struct Cli {
    /// Configuration file (TOML). Without it: built-in defaults, then the environment (PMBOT_SECTION__KEY).
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One JSON document on standard output and nothing else.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trade on paper: recorded or simulated market data, fills that do not flatter.
    Paper(PaperArgs),
    /// Run an input journal through a fresh engine: the same decision hash, or exit 4 at the first event that differs.
    Replay {
        /// Journal written by `paper --journal`.
        journal: PathBuf,
    },
    /// Turn recorded data of other programs into a recording.
    Import(ImportArgs),
    /// Show what a recording holds: feeds, frames, gaps, errors, crossed books.
    Inspect {
        /// Recording.
        file: PathBuf,
    },
    /// List markets: rule as parsed, fair band, book, tradable or the reason why not.
    Markets(MarketsArgs),
    /// Results of a run: decision matrix, fees by hop, PnL by cause and class, refusals by reason.
    Report {
        /// Run id, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
        #[command(flatten)]
        db: DbArgs,
    },
    /// Explain one opportunity: the waterfall and the decision.
    Why {
        /// Opportunity id (UUID), or `NUMBER` / `latest/NUMBER` for one of the latest run.
        opportunity: String,
        #[command(flatten)]
        db: DbArgs,
    },
    /// Trip the kill switch of a mode and account; a running bot sees it.
    Kill(KillArgs),
    /// Show the kill switch, by mode and account.
    Status(SwitchArgs),
    /// Reset a tripped kill switch; the reason is recorded.
    Reset(KillArgs),
    /// The database.
    Db {
        #[command(subcommand)]
        action: DbAction,
        #[command(flatten)]
        db: DbArgs,
    },
}

/// `pmbot db`.
#[derive(Debug, Subcommand)]
pub(crate) enum DbAction {
    /// Bring the schema up to date.
    Migrate,
    /// Show the schema's state.
    Status,
}

/// Which database.
#[derive(Debug, Args, Clone)]
pub(crate) struct DbArgs {
    /// Database: postgres://..., sqlite://FILE or a file name. Default: a SQLite file in the state directory.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) db: Option<String>,
}

/// How well simulated makers price (`--makers`, `paper.makers`).
pub(crate) const MAKERS: [&str; 4] = ["typical", "measured", "efficient", "careless"];

/// `pmbot paper`.
#[derive(Debug, Args)]
pub(crate) struct PaperArgs {
    /// Virtual bankroll, split over both venues as configured.
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) bankroll: Option<String>,
    /// Where market data come from.
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    pub(crate) source: Source,
    /// Recording(s) for `--source replay`; several are merged by time.
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: Vec<PathBuf>,
    /// Pace: as fast as possible, as recorded, or a multiple of it.
    #[arg(long, value_name = "max|real|<N>x", default_value = "max")]
    pub(crate) speed: String,
    /// Stop after this many windows have resolved.
    #[arg(long, value_name = "N", conflicts_with = "for_", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) windows: Option<u64>,
    /// Stop after this much market time, e.g. 90s, 10m, 2h.
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_: Option<String>,
    /// Seed of the simulated market and of sampled latency.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How well the simulated market makers price.
    #[arg(long, value_name = "KIND", value_parser = MAKERS)]
    pub(crate) makers: Option<String>,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Write the engine's input journal to this new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Clear a trip of the kill switch at the next 00:00 UTC of market time (recordings and simulations only), counted in the report.
    #[arg(long)]
    pub(crate) auto_reset: bool,
}

/// Where market data come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// Live feeds once this program has them; until then, and where they do not answer, the simulated market.
    Auto,
    /// Recordings.
    Replay,
    /// The simulated market.
    Sim,
}

/// `pmbot import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Name of a format, or a mapping file (TOML).
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    pub(crate) format: Option<String>,
    /// Recording to write (new).
    #[arg(long, value_name = "FILE.pmrec", required_unless_present = "list")]
    pub(crate) out: Option<PathBuf>,
    /// List the formats.
    #[arg(long, conflicts_with_all = ["format", "out", "paths"])]
    pub(crate) list: bool,
    /// Files or folders to import.
    #[arg(value_name = "PATH", required_unless_present = "list")]
    pub(crate) paths: Vec<PathBuf>,
}

/// `pmbot markets`.
#[derive(Debug, Args)]
pub(crate) struct MarketsArgs {
    /// Recording to read.
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: Option<PathBuf>,
    /// Or the simulated market.
    #[arg(long, value_enum)]
    pub(crate) source: Option<Source>,
    /// Market time to read before the list is made.
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_: Option<String>,
    /// Seed of the simulated market.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Which switch.
#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    /// Mode of the bot.
    #[arg(long, default_value = "paper", value_parser = ["paper", "live"])]
    pub(crate) mode: String,
    /// Account group; default: `account.name` of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
}

/// `pmbot kill`, `pmbot reset`.
#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    /// Why; recorded.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) switch: SwitchArgs,
}
