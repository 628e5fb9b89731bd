//! A PostgreSQL in a throw-away container.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::proc::{self, capture, command};
use crate::wait::{Stopwatch, human, pause};

const IMAGE: &str = "postgres:17";
const READY_WITHIN: Duration = Duration::from_secs(90);

/// A running container, removed on drop.
#[derive(Debug)]
pub(crate) struct Container {
    id: String,
    url: String,
}

/// Whether a docker engine answers.
pub(crate) fn is_usable() -> bool {
    proc::find_on_path("docker").is_some() && capture(&mut command("docker", &["info"])).is_ok()
}

impl Container {
    /// Starts a container on a free loopback port and waits until it takes connections.
    pub(crate) fn start() -> Result<Self> {
        let watch = Stopwatch::start();
        println!("PostgreSQL: starting {IMAGE} in docker");
        let auth = "POSTGRES_HOST_AUTH_METHOD=trust";
        let id = capture(&mut command("docker", &["run", "--rm", "-d", "-p", "127.0.0.1:0:5432", "-e", auth, IMAGE]))?;
        let mut container = Self { id: id.trim().to_owned(), url: String::new() };
        let ports = capture(&mut command("docker", &["port", &container.id, "5432/tcp"]))?;
        let address = ports.lines().next().context("docker names no port")?;
        container.url = format!("postgres://postgres@{}/postgres", address.trim());
        // The image starts a first server on its socket only; asking over TCP waits for the real one.
        while capture(&mut container.ready()).is_err() {
            if proc::stopped() || watch.elapsed() > READY_WITHIN {
                bail!("{IMAGE} took no connection within {}", human(READY_WITHIN));
            }
            pause(Duration::from_millis(250));
        }
        println!("PostgreSQL: ready after {}", human(watch.elapsed()));
        Ok(container)
    }

    /// Where to connect.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn ready(&self) -> std::process::Command {
        command("docker", &["exec", &self.id, "pg_isready", "-q", "-U", "postgres", "-h", "127.0.0.1"])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Err(error) = capture(&mut command("docker", &["rm", "-f", &self.id])) {
            eprintln!("warning: the container {} is still there: {error:#}", self.id);
        }
    }
}
