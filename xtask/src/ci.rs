//! `cargo xtask ci`: the steps a change must pass, cheapest first where the order is free.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::proc::{self, cargo, live};
use crate::wait::{Stopwatch, human};
use crate::{deps, docs, milestones, purity, table, tests_step};

/// One step.
struct Step {
    name: &'static str,
    about: &'static str,
    /// What to do when it fails.
    fix: &'static str,
    run: fn() -> Result<Vec<String>>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "sources are formatted", fix: "run `cargo fmt --all`", run: fmt },
    Step {
        name: "clippy",
        about: "no lint in any target",
        fix: "each lint is explained by its link; the lint table in Cargo.toml says why it is on",
        run: clippy,
    },
    Step {
        name: "test",
        about: "all tests and doc tests, with a PostgreSQL",
        fix: "run one test with `cargo xtask test -p CRATE NAME`",
        run: test,
    },
    Step { name: "examples", about: "examples build", fix: "run `cargo build --workspace --examples`", run: examples },
    Step {
        name: "rustdoc",
        about: "the API documents build without a warning",
        fix: "a link or a missing description is named above; run `cargo doc --workspace --no-deps --open`",
        run: rustdoc,
    },
    Step {
        name: "deny",
        about: "licences, forbidden crates and sources (deny.toml)",
        fix: "replace the crate, or allow it in deny.toml with a reason",
        run: deps::deny,
    },
    Step {
        name: "machete",
        about: "no unused dependency",
        fix: "remove the named dependency from the Cargo.toml; a false alarm goes to [package.metadata.cargo-machete]",
        run: deps::machete,
    },
    Step {
        name: "purity",
        about: "who may know whom and what; house size (warning)",
        fix: "move the code to a crate that may do this; the rules are in xtask/src/purity/rules.rs",
        run: purity::run,
    },
    Step {
        name: "release-graph",
        about: "no test crate in the binary",
        fix: "move the crate to [dev-dependencies] or behind a feature that pmbot does not use",
        run: deps::release_graph,
    },
    Step {
        name: "milestones",
        about: "commit messages since the recorded base",
        fix: "see CONTRIBUTING.md, \"Commits\"",
        run: milestones::run,
    },
    Step {
        name: "docs",
        about: "documents name the test command, links lead somewhere",
        fix: "correct the named line",
        run: docs::check,
    },
];

fn fmt() -> Result<Vec<String>> {
    live(&mut cargo(&["fmt", "--all", "--check"])).map(|()| Vec::new())
}

fn clippy() -> Result<Vec<String>> {
    live(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])).map(|()| Vec::new())
}

fn test() -> Result<Vec<String>> {
    tests_step::run(&[])
}

fn examples() -> Result<Vec<String>> {
    live(&mut cargo(&["build", "--workspace", "--examples"])).map(|()| Vec::new())
}

fn rustdoc() -> Result<Vec<String>> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps"]);
    live(doc.env("RUSTDOCFLAGS", "-D warnings")).map(|()| Vec::new())
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok,
    Failed,
    Skipped,
    NotRun,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

/// Runs the chosen steps.
pub(crate) fn main(only: &[String], skip: &[String], list: bool) -> Result<()> {
    if list {
        let rows: Vec<Vec<String>> = STEPS.iter().map(|s| vec![s.name.to_owned(), s.about.to_owned()]).collect();
        print!("{}", table::render(&["step", "what it checks"], &rows));
        return Ok(());
    }
    let chosen = choose(only, skip)?;
    let all = Stopwatch::start();
    let mut results = Vec::new();
    let mut notes = Vec::new();
    let mut failed = None;
    for (step, wanted) in chosen {
        if !wanted {
            if skip.iter().any(|name| name == step.name) {
                println!("-- {} skipped", step.name);
                results.push((step, Outcome::Skipped, Duration::ZERO));
            }
            continue;
        }
        if failed.is_some() {
            results.push((step, Outcome::NotRun, Duration::ZERO));
            continue;
        }
        println!("\n== {}: {}", step.name, step.about);
        let watch = Stopwatch::start();
        let outcome = match (step.run)() {
            Ok(found) => {
                notes.extend(found);
                Outcome::Ok
            }
            Err(error) => {
                eprintln!("\n{error:#}");
                failed = Some(step);
                Outcome::Failed
            }
        };
        println!("== {}: {} in {}", step.name, outcome.word(), human(watch.elapsed()));
        results.push((step, outcome, watch.elapsed()));
    }
    println!("\n{}", summary(&results));
    if !notes.is_empty() {
        println!("{}\n", notes.join("\n"));
    }
    if proc::stopped() {
        bail!("stopped by a signal");
    }
    if let Some(step) = failed {
        bail!("step `{}` failed.\nFix: {}\nRun it alone: cargo xtask ci --only {}", step.name, step.fix, step.name);
    }
    println!("ci: all chosen steps passed in {}", human(all.elapsed()));
    Ok(())
}

/// The steps in order, each with whether it is wanted. Unknown names are an error: a typing mistake must
/// not turn into a check that silently did not run.
fn choose(only: &[String], skip: &[String]) -> Result<Vec<(&'static Step, bool)>> {
    for name in only.iter().chain(skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step `{name}`; the steps are {}", names.join(", "));
        }
    }
    let wanted = |name: &str| (only.is_empty() || only.iter().any(|n| n == name)) && !skip.iter().any(|n| n == name);
    Ok(STEPS.iter().map(|step| (step, wanted(step.name))).collect())
}

fn summary(results: &[(&Step, Outcome, Duration)]) -> String {
    let time = |outcome: Outcome, time: Duration| match outcome {
        Outcome::Ok | Outcome::Failed => human(time),
        Outcome::Skipped | Outcome::NotRun => "-".to_owned(),
    };
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|(step, outcome, t)| vec![step.name.to_owned(), outcome.word().to_owned(), time(*outcome, *t)])
        .collect();
    table::render(&["step", "result", "time"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>> {
        let own = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let steps = choose(&own(only), &own(skip))?;
        Ok(steps.into_iter().filter(|(_, wanted)| *wanted).map(|(step, _)| step.name).collect())
    }

    #[test]
    fn steps_are_chosen_in_their_order() {
        assert_eq!(names(&[], &[]).unwrap().len(), STEPS.len());
        assert_eq!(names(&["test", "fmt"], &[]).unwrap(), ["fmt", "test"]);
        assert_eq!(names(&["test", "fmt"], &["test"]).unwrap(), ["fmt"]);
        assert!(!names(&[], &["deny"]).unwrap().contains(&"deny"));
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_steps() {
        let error = names(&["tests"], &[]).unwrap_err().to_string();
        assert!(error.contains("`tests`") && error.contains("fmt, clippy, test"), "{error}");
        assert!(names(&[], &["lint"]).is_err());
    }
}
