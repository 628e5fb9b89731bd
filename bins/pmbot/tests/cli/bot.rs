//! A bot in a folder of its own: runs the built binary and reads what it says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest run of a test.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct Bot {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
    runs: std::cell::Cell<u32>,
}

impl Bot {
    /// An empty folder, an environment with nothing in it but the place of the state.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state").display().to_string();
        Self { dir, env: vec![("PMBOT_STATE__DIRECTORY".into(), state)], runs: 0.into() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder; commands run in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(std::env::var_os("PATH").map(|p| ("PATH", p))).env("HOME", self.dir.path());
        command.envs(self.env.iter().cloned()).current_dir(self.dir.path());
        command
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, line: &str) -> Said {
        self.start(line).end()
    }

    /// Runs a shell command in which `$pmbot` is the program.
    pub(crate) fn shell(&self, line: &str) -> Said {
        let mut command = self.command("bash");
        command.args(["-c", line]).env("pmbot", program());
        self.spawn(command, line).end()
    }

    /// Starts a command line.
    pub(crate) fn start(&self, line: &str) -> Running {
        let mut command = self.command(program());
        command.args(words(line));
        self.spawn(command, &format!("pmbot {line}"))
    }

    fn spawn(&self, mut command: Command, line: &str) -> Running {
        let n = self.runs.replace(self.runs.get() + 1);
        let [out, err] = ["out", "err"].map(|s| self.path(&format!("{n}.{s}")));
        let child =
            command.stdin(std::process::Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Running { child: child.spawn().unwrap(), out, err, line: line.to_owned() }
    }
}

/// The program under test; `PMBOT_PROGRAM` names another build, to see a new test fail on an old one.
fn program() -> &'static str {
    static PROGRAM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var("PMBOT_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_pmbot").to_owned()))
}

/// Words of a command line; `'...'` and `"..."` keep blanks.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if q == c => quote = None,
            (None, ' ') => all.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    line: String,
}

impl Running {
    /// Waits until standard error holds a text.
    pub(crate) fn until(&mut self, text: &str) {
        let begin = Instant::now();
        while !read(&self.err).contains(text) {
            assert!(begin.elapsed() < PATIENCE, "{}: never said {text:?}:\n{}", self.line, read(&self.err));
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "{}: ended and never said {text:?}:\n{}",
                self.line,
                read(&self.err)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until standard output or the folder shows something.
    pub(crate) fn until_true(&self, what: &str, mut done: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < PATIENCE, "{}: never: {what}\n{}", self.line, read(&self.err));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn has_said(&self, text: &str) -> bool {
        read(&self.err).contains(text)
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn end(mut self) -> Said {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("{}: does not end:\n{}", self.line, read(&self.err));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Said { code: status.code(), out: read(&self.out), err: read(&self.err), line: self.line.clone(), took: begin.elapsed() }
    }
}

impl Drop for Running {
    /// A test that fails leaves no bot behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    line: String,
    pub(crate) took: Duration,
}

impl Said {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "$ {}\n{}\n{}", self.line, self.out, self.err);
        // Whatever went wrong, it was not a panic.
        assert!(!self.err.contains("panicked"), "$ {}\n{}", self.line, self.err);
        self
    }
    /// Standard output holds a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "$ {}\nstdout lacks {text:?}:\n{}", self.line, self.out);
        self
    }
    /// Standard error holds a text.
    #[track_caller]
    pub(crate) fn notes(self, text: &str) -> Self {
        assert!(self.err.contains(text), "$ {}\nstderr lacks {text:?}:\n{}", self.line, self.err);
        self
    }
    /// Neither output holds a text.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(
            !self.out.contains(text) && !self.err.contains(text),
            "$ {}\n{text:?} in:\n{}\n{}",
            self.line,
            self.out,
            self.err
        );
        self
    }
    /// Standard output is empty.
    #[track_caller]
    pub(crate) fn quiet(self) -> Self {
        assert!(self.out.is_empty(), "$ {}\n{}", self.line, self.out);
        self
    }
    /// Standard output is one JSON document and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("$ {}\n{e}:\n{}", self.line, self.out))
    }
    /// A field of the JSON document as text.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let json = self.json();
        json.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {name} in {json:#}")).to_owned()
    }
}

/// Says that a test could not run, where the checks look for it.
pub(crate) fn skipped(test: &str, why: &str) {
    use std::io::Write as _;
    let line = format!("SKIPPED {test}: {why}");
    println!("{line}");
    if let Some(path) = std::env::var_os("PMBOT_SKIP_LOG") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
