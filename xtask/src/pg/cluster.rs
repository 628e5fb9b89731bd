//! A private PostgreSQL from the server programs on this machine: own folder, free loopback port, nothing
//! kept. PostgreSQL refuses to run as root, so root starts it as another user.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::proc::{capture, command, find_on_path, is_program, target_dir};
use crate::wait::{Stopwatch, human};

/// Folders outside PATH where distributions put the server programs (`*` is one folder).
const USUAL_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/local/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Durability is of no use to a test database.
const FAST: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200";

/// Another process can take the free port between finding and using it.
const PORT_TRIES: u32 = 5;

/// Where `initdb` and `pg_ctl` are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs(PathBuf);

/// A running private server; stopped and deleted on drop.
#[derive(Debug)]
pub(crate) struct Cluster {
    programs: Programs,
    account: Option<String>,
    folder: PathBuf,
    url: String,
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    capture(&mut command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

/// The newest server programs of this machine: those on PATH first, then the usual places.
pub(crate) fn find_programs() -> Option<Programs> {
    let on_path = find_on_path("pg_ctl").and_then(|file| file.canonicalize().ok()?.parent().map(Path::to_owned));
    let mut usual: Vec<PathBuf> = USUAL_PLACES.iter().flat_map(|pattern| expand(pattern)).collect();
    usual.sort_by_key(|folder| std::cmp::Reverse(version_in(folder)));
    on_path.into_iter().chain(usual).find(|folder| has_programs(folder)).map(Programs)
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|name| is_program(&folder.join(name)))
}

/// The first number in a path: `/usr/lib/postgresql/15/bin` is 15.
fn version_in(folder: &Path) -> u32 {
    let text = folder.to_string_lossy();
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Folders that match a pattern in which one part may hold a `*`.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = match part.split_once('*') {
            None => found.into_iter().map(|folder| folder.join(part)).filter(|folder| folder.is_dir()).collect(),
            Some((start, end)) => found.iter().flat_map(|folder| children(folder, start, end)).collect(),
        };
    }
    found
}

fn children(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let matches = |name: &str| name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
    entries.flatten().filter(|e| e.file_name().to_str().is_some_and(matches)).map(|e| e.path()).collect()
}

impl Cluster {
    /// Starts a new server and waits until it takes connections.
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let watch = Stopwatch::start();
        let account = if is_root() { Some(other_account()?) } else { None };
        remove_leftovers(programs, account.as_deref());
        let folder = make_folder(account.as_deref())?;
        let mut cluster = Self { programs: programs.clone(), account, folder, url: String::new() };
        cluster.init()?;
        let port = cluster.serve()?;
        cluster.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let shown = cluster.folder.display();
        println!("PostgreSQL: private server on port {port} from {shown}, ready after {}", human(watch.elapsed()));
        Ok(cluster)
    }

    /// Where to connect (role `postgres`, no password: loopback only).
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn init(&self) -> Result<()> {
        let args = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale"];
        let mut command = self.program("initdb");
        capture(command.arg("-D").arg(self.data()).args(args)).map(drop).context("initdb failed")
    }

    fn serve(&self) -> Result<u16> {
        let mut last = anyhow!("not tried");
        for _ in 0..PORT_TRIES {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            // No Unix socket: its path has a length limit that a deep checkout exceeds.
            let options = format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' {FAST}");
            let mut start = self.program("pg_ctl");
            start.arg("-D").arg(self.data()).arg("-l").arg(self.log());
            start.args(["-w", "-t", "60", "-o", &options, "start"]);
            match capture(&mut start) {
                Ok(_) => return Ok(port),
                Err(error) => last = error,
            }
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(10).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Err(last.context(format!("PostgreSQL did not start; its log ends with:\n{}", tail.join("\n"))))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    fn program(&self, name: &str) -> Command {
        as_account(self.account.as_deref(), self.programs.0.join(name).as_os_str(), &self.folder)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
        if self.data().join("postmaster.pid").exists()
            && let Err(error) = capture(&mut stop)
        {
            eprintln!("warning: the PostgreSQL in {} may still run: {error:#}", self.folder.display());
            return;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The user that runs the server in place of root.
fn other_account() -> Result<String> {
    let exists = |name: &&str| capture(&mut command("id", &["-u", name])).is_ok();
    if find_on_path("runuser").is_none() {
        bail!("PostgreSQL cannot run as root and `runuser` is absent: run as another user or set DATABASE_URL");
    }
    let name = ["postgres", "nobody"].into_iter().find(exists);
    name.map(str::to_owned).context("PostgreSQL cannot run as root and there is no user `postgres` or `nobody`")
}

fn as_account(account: Option<&str>, program: &OsStr, folder: &Path) -> Command {
    let mut command = match account {
        None => command(program, &[]),
        Some(name) => {
            let mut runuser = command("runuser", &["-u", name, "--"]);
            runuser.arg(program);
            runuser
        }
    };
    command.current_dir(folder);
    command
}

/// A new folder that the account can reach: under `target`, else under the temporary folder (the parents
/// of a checkout may be closed to other users).
fn make_folder(account: Option<&str>) -> Result<PathBuf> {
    let id = std::process::id();
    let parent = target_dir().join("pg");
    std::fs::create_dir_all(&parent).with_context(|| parent.display().to_string())?;
    let candidates = [parent.join(id.to_string()), std::env::temp_dir().join(format!("{TEMP_PREFIX}{id}"))];
    let mut reasons = Vec::new();
    for folder in candidates {
        // `create_dir` and not `create_dir_all`: what exists already is not ours.
        if let Err(error) = std::fs::create_dir(&folder) {
            reasons.push(format!("{}: {error}", folder.display()));
            continue;
        }
        match hand_over(&folder, account) {
            Ok(()) => return Ok(folder),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                reasons.push(format!("{}: {error:#}", folder.display()));
            }
        }
    }
    bail!("no folder for PostgreSQL:\n{}", reasons.join("\n"));
}

const TEMP_PREFIX: &str = "pmbot-pg-";

/// Makes the folder private to the account, and checks that the account reaches it by its path.
fn hand_over(folder: &Path, account: Option<&str>) -> Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    if let Some(name) = account {
        capture(command("chown", &[name]).arg(folder))?;
        capture(as_account(account, OsStr::new("touch"), folder).arg("probe"))?;
        let by_path = folder.join("probe");
        capture(as_account(account, OsStr::new("rm"), Path::new("/")).arg(by_path))?;
    }
    Ok(())
}

/// Stops and deletes servers whose xtask was killed before it could (their folder carries its process id).
fn remove_leftovers(programs: &Programs, account: Option<&str>) {
    if !Path::new("/proc/self").exists() {
        return; // no way to tell the living from the dead
    }
    for (parent, prefix) in [(target_dir().join("pg"), ""), (std::env::temp_dir(), TEMP_PREFIX)] {
        for folder in children(&parent, prefix, "") {
            let Some(pid) = owner(&folder, prefix) else { continue };
            if Path::new("/proc").join(pid.to_string()).exists() {
                continue;
            }
            let data = folder.join("data");
            let mut stop = as_account(account, programs.0.join("pg_ctl").as_os_str(), Path::new("/"));
            let _ = capture(stop.arg("-D").arg(&data).args(["-m", "immediate", "-w", "stop"]));
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

fn owner(folder: &Path, prefix: &str) -> Option<u32> {
    folder.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_the_usual_places_wins() {
        let mut folders = [PathBuf::from("/usr/lib/postgresql/9/bin"), PathBuf::from("/usr/lib/postgresql/17/bin")];
        folders.sort_by_key(|folder| std::cmp::Reverse(version_in(folder)));
        assert_eq!(folders[0], PathBuf::from("/usr/lib/postgresql/17/bin"));
        assert_eq!(version_in(Path::new("/usr/local/pgsql/bin")), 0);
    }

    #[test]
    fn leftovers_are_recognised_by_process_id() {
        assert_eq!(owner(Path::new("/x/target/pg/123"), ""), Some(123));
        assert_eq!(owner(Path::new("/tmp/pmbot-pg-77"), TEMP_PREFIX), Some(77));
        assert_eq!(owner(Path::new("/tmp/other-77"), TEMP_PREFIX), None);
        assert_eq!(owner(Path::new("/x/target/pg/data"), ""), None);
    }

    #[test]
    fn patterns_with_a_star_match_one_folder() {
        let root = tempfile::tempdir().unwrap();
        for name in ["15", "17"] {
            std::fs::create_dir_all(root.path().join("pg").join(name).join("bin")).unwrap();
        }
        let pattern = format!("{}/pg/*/bin", root.path().display());
        assert_eq!(expand(&pattern).len(), 2);
        assert!(expand("/no-such-folder/*/bin").is_empty());
    }
}
