//! The logs as a program sees them: files, levels, failures, panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use pm_monitor::{Console, LogConfig, LogError, Redactor};

fn config(dir: &Path) -> LogConfig {
    LogConfig { dir: Some(dir.to_owned()), console: Console::Off, redactor: Redactor::new(), ..LogConfig::default() }
}

fn file_text(dir: &Path) -> String {
    let files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("pmbot.") && name.ends_with(".jsonl"), "{name}");
    std::fs::read_to_string(&files[0]).unwrap()
}

#[test]
fn files_hold_json_lines_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    config.redactor.add("s3cr\"et\\value");
    let (subscriber, guard) = pm_monitor::subscriber(config).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(api_key = "k-1", other = ?Some("s3cr\"et\\value"), size = 5, "signed with s3cr\"et\\value");
        tracing::debug!("below the level");
    });
    assert_eq!(guard.dropped_lines(), 0);
    drop(guard);
    let text = file_text(dir.path());
    assert!(!text.contains("k-1") && !text.contains("s3cr") && !text.contains("below"), "{text}");
    let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(line["fields"]["message"], "signed with ***");
    assert_eq!(line["fields"]["api_key"], "***");
    assert_eq!(line["fields"]["size"], 5);
}

/// Lines queued before a panic are written because unwinding drops the guard; no hook is needed.
#[test]
fn lines_before_a_panic_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let caught = std::panic::catch_unwind(move || {
        let (subscriber, _guard) = pm_monitor::subscriber(config).unwrap();
        tracing::subscriber::with_default(subscriber, || tracing::info!("the last words"));
        panic!("on purpose");
    });
    assert!(caught.is_err());
    assert!(file_text(dir.path()).contains("the last words"));
}

#[test]
fn an_unwritable_folder_is_not_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain-file");
    std::fs::write(&file, "x").unwrap();
    let (subscriber, guard) = pm_monitor::subscriber(config(&file.join("logs"))).unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("goes on"));
    assert_eq!(guard.dropped_lines(), 0);
}

/// The log folder is deleted while the program runs.
#[test]
#[cfg(unix)]
fn a_deleted_folder_does_not_stop_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let (subscriber, guard) = pm_monitor::subscriber(config(dir.path())).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        std::fs::remove_dir_all(dir.path()).unwrap();
        for n in 0..100 {
            tracing::info!(n, "goes on");
        }
    });
    assert_eq!(guard.dropped_lines(), 0);
}

#[test]
fn a_bad_level_names_the_text_and_the_fix() {
    let config = LogConfig { level: "info,pm_engine=loud".to_owned(), ..LogConfig::default() };
    let error = pm_monitor::subscriber(config).err().unwrap();
    assert!(matches!(error, LogError::Level { .. }));
    let text = error.to_string();
    assert!(text.contains("loud") && text.contains("Try `info`"), "{text}");
}

#[test]
fn old_files_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    for day in 10..20 {
        std::fs::write(dir.path().join(format!("pmbot.2024-01-{day}.jsonl")), "{}\n").unwrap();
    }
    let config = LogConfig { keep_files: 3, ..config(dir.path()) };
    let (subscriber, guard) = pm_monitor::subscriber(config).unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("today"));
    drop(guard);
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert!(left <= 4, "{left} files are left");
}

#[test]
fn init_works_once_per_process() {
    let config = LogConfig { console: Console::Off, ..LogConfig::default() };
    let _guard = pm_monitor::init(config.clone()).unwrap();
    assert!(matches!(pm_monitor::init(config), Err(LogError::AlreadyStarted)));
}
