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
    if let Some(programs) = cluster::find_programs() {
        return Cluster::start(&programs).map(Database::Local);
    }
    if docker::is_usable() {
        match Container::start() {
            Ok(container) => return Ok(Database::Docker(container)),
            Err(error) => println!("docker could not provide PostgreSQL: {error:#}"),
        }
    }
    if cluster::is_root() && proc::find_on_path("apt-get").is_some() {
        println!("PostgreSQL is not on this machine; installing the package");
        install_package()?;
        if let Some(programs) = cluster::find_programs() {
            return Cluster::start(&programs).map(Database::Local);
        }
    }
    bail!("{FIX}");
}

fn install_package() -> Result<()> {
    let apt = |args: &[&str]| {
        let mut command = proc::command("apt-get", args);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        proc::live(&mut command)
    };
    let done = apt(&["update"]).and_then(|()| apt(&["install", "-y", "--no-install-recommends", "postgresql"]));
    done.map_err(|error| error.context(FIX))
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
