//! The tests: a PostgreSQL beside them, the runner's own output live, and every skipped test named after.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{pg, proc, skips};

/// Runs the tests of the workspace and the doc tests, or only what `args` select (arguments of the runner,
/// which the doc tests would not understand); returns the skip lines.
pub(crate) fn run(args: &[String]) -> Result<Vec<String>> {
    let database = pg::provide()?;
    let skip_log = proc::target_dir().join("xtask").join("skips.log");
    if let Some(folder) = skip_log.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(&skip_log, "").with_context(|| skip_log.display().to_string())?;

    let mut skipped = BTreeSet::new();
    let result = run_all(args, database.url(), &skip_log, &mut skipped);
    drop(database);

    let logged = std::fs::read_to_string(&skip_log).unwrap_or_default();
    skipped.extend(skips::in_text(&logged));
    println!("\n{}", skip_summary(&skipped));
    result?;
    Ok(skipped.into_iter().collect())
}

fn skip_summary(skipped: &BTreeSet<String>) -> String {
    if skipped.is_empty() {
        return "No test was skipped.".to_owned();
    }
    let lines: Vec<&str> = skipped.iter().map(String::as_str).collect();
    format!("Skipped tests: {}\n{}", lines.len(), lines.join("\n"))
}

fn run_all(args: &[String], url: &str, skip_log: &Path, skipped: &mut BTreeSet<String>) -> Result<()> {
    let with_env = |mut command: Command| {
        command.env("DATABASE_URL", url).env(skips::SKIP_LOG, skip_log);
        command
    };
    if proc::find_on_path("cargo-nextest").is_some() {
        // The runner's store lies below the workspace, wherever the build output goes.
        let report = proc::root().join("target").join("nextest").join("ci").join("junit.xml");
        let _ = std::fs::remove_file(&report); // an old report must not speak for this run
        let mut nextest = vec!["nextest", "run", "--config-file", "xtask/nextest.toml", "--profile", "ci"];
        // A young workspace may select nothing; cargo test accepts that, too.
        nextest.push("--no-tests=pass");
        nextest.extend(selection(args, &["--workspace"]));
        let result = proc::live(&mut with_env(proc::cargo(&nextest)));
        skipped.extend(skips::in_junit(&std::fs::read_to_string(&report).unwrap_or_default()));
        result?;
    } else {
        println!("cargo-nextest is not on this machine: using cargo test");
        let mut test = vec!["test", "--no-fail-fast"];
        test.extend(selection(args, &["--workspace", "--lib", "--bins", "--tests"]));
        test.extend(["--", "--show-output"]);
        tee(with_env(proc::cargo(&test)), skipped)?;
    }
    if args.is_empty() {
        proc::live(&mut with_env(proc::cargo(&["test", "--workspace", "--doc"])))?;
    }
    Ok(())
}

fn selection<'a>(args: &'a [String], all: &[&'a str]) -> Vec<&'a str> {
    if args.is_empty() { all.to_vec() } else { args.iter().map(String::as_str).collect() }
}

/// Runs with its standard output both shown and searched for skip lines.
fn tee(mut command: Command, skipped: &mut BTreeSet<String>) -> Result<()> {
    println!("$ {}", proc::shown(&command));
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let reader = child.stdout.take().map(|stdout| {
        std::thread::spawn(move || {
            let mut found = BTreeSet::new();
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                println!("{line}");
                found.extend(skips::in_text(&line));
            }
            found
        })
    });
    let status = proc::wait(child);
    if let Some(Ok(found)) = reader.map(std::thread::JoinHandle::join) {
        skipped.extend(found);
    }
    let status = status?;
    if !status.success() {
        bail!("`{}` ended with {status}", proc::shown(&command));
    }
    Ok(())
}
