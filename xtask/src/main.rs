//! Automation of the workspace. `cargo xtask --help` lists the commands; `cargo xtask ci` is what a change
//! must pass.
//!
//! Why a program and not shell scripts: the checks are typed, tested like the rest and run the same on
//! every machine that can build the workspace.

mod bench;
mod ci;
mod deps;
mod docs;
mod milestones;
mod pg;
mod proc;
mod purity;
mod skips;
mod table;
mod tests_step;
mod tools;
mod wait;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Automation of the pmbot workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check a change must pass, in order, and stop at the first failure
    Ci(CiArgs),
    /// Run the tests with a PostgreSQL beside them
    #[command(
        after_help = "Without arguments: the whole workspace and the doc tests. With arguments: only what they select.\n\n\
                           The runner is cargo-nextest when it is on this machine, else cargo test.\n\n\
                           Example: cargo xtask test -p pm-store"
    )]
    Test {
        /// Arguments for the test runner, e.g. `-p pm-store`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<String>,
    },
    /// Run a private PostgreSQL in the foreground, print its URL, stop it on Ctrl-C
    Pg,
    /// Check which crate may know whom and what (design rules as a typed list)
    Purity,
    /// Check that no test crate reaches the release binary
    ReleaseGraph,
    /// Check the commit messages since the recorded base
    Milestones,
    /// Run the criterion benches and compare them with xtask/bench-targets.toml
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
struct CiArgs {
    /// Run only these steps
    #[arg(long, value_delimiter = ',', value_name = "STEP")]
    only: Vec<String>,
    /// Leave these steps out (their names are printed)
    #[arg(long, value_delimiter = ',', value_name = "STEP")]
    skip: Vec<String>,
    /// List the steps and what they do
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Args)]
struct BenchArgs {
    /// Only compile the benches
    #[arg(long, conflicts_with_all = ["filter", "report"])]
    check: bool,
    /// Run only benches whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run nothing; print the table from the results of earlier runs
    #[arg(long)]
    report: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    proc::catch_signals()?;
    match cli.command {
        Command::Ci(args) => ci::main(&args.only, &args.skip, args.list),
        Command::Test { args } => tests_step::run(&args).map(|notes| notes.iter().for_each(|n| println!("{n}"))),
        Command::Pg => pg::foreground(),
        Command::Purity => purity::run().map(|notes| notes.iter().for_each(|n| println!("{n}"))),
        Command::ReleaseGraph => deps::release_graph().map(drop),
        Command::Milestones => milestones::run().map(|notes| notes.iter().for_each(|n| println!("{n}"))),
        Command::Bench(args) => bench::run(args.check, args.report, args.filter.as_deref()),
    }
}
