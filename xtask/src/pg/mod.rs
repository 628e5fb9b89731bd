//! PostgreSQL for tests: the one the user names, else a private one that is gone afterwards.
//!
//! Order: `DATABASE_URL`; server programs on this machine; docker; on a Debian-like machine as root, the
//! package; else a failure that says what to do. A missing database is never a silently skipped test.

mod cluster;
mod docker;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{proc, wait};
use cluster::Cluster;
use docker::Container;

/// A database for the tests; dropping it stops what was started.
#[derive(Debug)]
pub(crate) enum Database {
    /// Named by `DATABASE_URL`; never stopped by us.
    Named(String),
    /// A private cluster from server programs on this machine.
    Local(Cluster),
    /// A throw-away container.
    Docker(Container),
}

impl Database {
    /// The URL of a role that may create databases.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Named(url) => url,
            Self::Local(cluster) => cluster.url(),
            Self::Docker(container) => container.url(),
        }
    }
}

const FIX: &str = "no PostgreSQL for the tests. One of these helps:\n  \
    - install the server programs (Debian, Ubuntu: `apt-get install postgresql`; macOS: `brew install postgresql@17`)\n  \
    - start docker\n  \
    - name a server: `DATABASE_URL=postgres://user@127.0.0.1:5432/postgres` (a role that may create databases)";

/// Finds or starts a PostgreSQL.
pub(crate) fn provide() -> Result<Database> {
    if let Ok(url) = std::env::var("DATABASE_URL")
        && !url.trim().is_empty()
    {
        println!("PostgreSQL: the one named by DATABASE_URL");
        return Ok(Database::Named(url));
    }
    let mut failed: Vec<String> = Vec::new();
    if let Some(programs) = cluster::find_programs() {
        match Cluster::start(&programs) {
            Ok(cluster) => return Ok(Database::Local(cluster)),
            Err(error) => note(&mut failed, format!("the server programs on this machine: {error:#}")),
        }
    }
    if docker::is_usable() {
        match Container::start() {
            Ok(container) => return Ok(Database::Docker(container)),
            Err(error) => note(&mut failed, format!("docker: {error:#}")),
        }
    }
    if cluster::is_root() && proc::find_on_path("apt-get").is_some() {
        println!("installing the package of PostgreSQL");
        match install_package().map(|()| cluster::find_programs()) {
            Ok(Some(programs)) => match Cluster::start(&programs) {
                Ok(cluster) => return Ok(Database::Local(cluster)),
                Err(error) => note(&mut failed, format!("the package: {error:#}")),
            },
            Ok(None) => note(&mut failed, "the package brought no server programs".to_owned()),
            Err(error) => note(&mut failed, format!("the package: {error:#}")),
        }
    }
    bail!("{}", failure(&failed));
}

/// One way that did not work: said, and the next one is tried.
fn note(failed: &mut Vec<String>, text: String) {
    println!("PostgreSQL is not to be had from {text}");
    failed.push(text);
}

fn failure(failed: &[String]) -> String {
    let tried: String = failed.iter().map(|f| format!("\n  tried {f}")).collect();
    format!("{FIX}{tried}")
}

fn install_package() -> Result<()> {
    let apt = |args: &[&str]| {
        let mut command = proc::command("apt-get", args);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        proc::live(&mut command)
    };
    apt(&["update"]).and_then(|()| apt(&["install", "-y", "--no-install-recommends", "postgresql"]))
}

/// `cargo xtask pg`: one server until Ctrl-C.
pub(crate) fn foreground() -> Result<()> {
    let database = provide()?;
    println!("DATABASE_URL={}", database.url());
    if matches!(database, Database::Named(_)) {
        return Ok(());
    }
    println!("Ctrl-C stops it.");
    while !proc::stopped() {
        wait::pause(Duration::from_millis(100));
    }
    drop(database);
    println!("stopped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_that_did_not_work_stands_in_the_error() {
        let mut failed = Vec::new();
        note(&mut failed, "the server programs on this machine: initdb ended with 1".to_owned());
        note(&mut failed, "docker: no daemon".to_owned());
        let text = failure(&failed);
        assert!(
            text.starts_with(FIX) && text.contains("tried the server programs on this machine: initdb ended with 1"),
            "{text}"
        );
        assert!(text.ends_with("tried docker: no daemon"), "{text}");
    }
}
