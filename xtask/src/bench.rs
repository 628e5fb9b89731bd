//! Benches and their targets in one table, with the machine they ran on: a number without its machine is
//! a rumour.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proc::{capture, cargo, command, live, root, target_dir};
use crate::{table, wait};

const TARGETS_FILE: &str = "xtask/bench-targets.toml";

/// A bench executable of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BenchTarget {
    package: String,
    name: String,
}

/// What a bench may cost.
#[derive(Debug, Clone, PartialEq)]
struct Limit {
    max_ns: f64,
    note: String,
}

/// Compiles, runs or only reports the benches.
pub(crate) fn run(check: bool, report: bool, filter: Option<&str>) -> Result<()> {
    let limits = read_limits(&std::fs::read_to_string(root().join(TARGETS_FILE)).context(TARGETS_FILE)?)?;
    let benches = bench_targets(&capture(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?)?;
    if benches.is_empty() {
        println!("the workspace has no bench targets yet");
    }
    if check {
        return live(&mut cargo(&["bench", "--workspace", "--benches", "--no-run", "--profile", "dev"]));
    }
    let since = if report { SystemTime::UNIX_EPOCH } else { wait::now() };
    if !report {
        for bench in &benches {
            let mut args = vec!["bench", "-p", &bench.package, "--bench", &bench.name, "--"];
            args.extend(filter);
            live(&mut cargo(&args))?;
        }
    }
    let mut results = BTreeMap::new();
    read_results(&target_dir().join("criterion"), since, &mut results)?;
    println!("\n{}\n", machine());
    print!("{}", render(&results, &limits, filter));
    let missed = missed(&results, &limits);
    if !missed.is_empty() {
        bail!("over target: {}", missed.join(", "));
    }
    Ok(())
}

fn bench_targets(metadata: &str) -> Result<Vec<BenchTarget>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata")?;
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default() {
        for target in package["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let is_bench = target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "bench"));
            if let (true, Some(package), Some(name)) = (is_bench, package["name"].as_str(), target["name"].as_str()) {
                found.push(BenchTarget { package: package.to_owned(), name: name.to_owned() });
            }
        }
    }
    Ok(found)
}

fn read_limits(text: &str) -> Result<BTreeMap<String, Limit>> {
    let file: toml::Table = toml::from_str(text).context(TARGETS_FILE)?;
    let mut limits = BTreeMap::new();
    for (name, entry) in file.get("targets").and_then(toml::Value::as_table).into_iter().flatten() {
        let max_ns = match entry.get("max_ns") {
            Some(toml::Value::Float(ns)) => *ns,
            // Written and read back as text: exact for every number of nanoseconds that a target can be.
            Some(toml::Value::Integer(ns)) => ns.to_string().parse().context("max_ns")?,
            _ => bail!("{TARGETS_FILE}: `{name}` needs `max_ns`, a number of nanoseconds"),
        };
        let note = entry.get("note").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        limits.insert(name.clone(), Limit { max_ns, note });
    }
    Ok(limits)
}

/// Collects `**/new/estimates.json` written since then: bench name -> median in ns.
fn read_results(folder: &Path, since: SystemTime, out: &mut BTreeMap<String, f64>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in sorted_children(folder)? {
        let file = path.join("estimates.json");
        if path.file_name().is_some_and(|n| n == "new") && file.is_file() {
            let fresh = file.metadata().and_then(|m| m.modified()).is_ok_and(|time| time >= since);
            if fresh {
                let median = median_ns(&std::fs::read_to_string(&file)?).with_context(|| file.display().to_string())?;
                out.insert(bench_name(folder, &path), median);
            }
        } else if path.is_dir() {
            read_results(&path, since, out)?;
        }
    }
    Ok(())
}

fn sorted_children(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut children: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    children.sort();
    Ok(children)
}

/// The name criterion prints; it is in `benchmark.json` (folder names are shortened and cleaned), else the
/// folder below `criterion`.
fn bench_name(folder: &Path, new: &Path) -> String {
    let written = std::fs::read_to_string(new.join("benchmark.json")).ok();
    let named = written.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let named = named.and_then(|json| json["full_id"].as_str().map(str::to_owned));
    let below = folder.strip_prefix(target_dir().join("criterion")).unwrap_or(folder);
    named.unwrap_or_else(|| below.to_string_lossy().into_owned())
}

fn median_ns(estimates: &str) -> Result<f64> {
    let json: Value = serde_json::from_str(estimates)?;
    json["median"]["point_estimate"].as_f64().context("no median.point_estimate")
}

fn missed(results: &BTreeMap<String, f64>, limits: &BTreeMap<String, Limit>) -> Vec<String> {
    results.iter().filter(|(name, ns)| limits.get(*name).is_some_and(|l| **ns > l.max_ns)).map(|(name, _)| name.clone()).collect()
}

fn render(results: &BTreeMap<String, f64>, limits: &BTreeMap<String, Limit>, filter: Option<&str>) -> String {
    let mut rows = Vec::new();
    for (name, ns) in results {
        let limit = limits.get(name);
        let met = limit.map_or("-", |l| if *ns <= l.max_ns { "yes" } else { "NO" });
        let target = limit.map_or_else(|| "-".to_owned(), |l| human_ns(l.max_ns));
        let note = limit.map(|l| l.note.clone()).unwrap_or_default();
        rows.push(vec![name.clone(), human_ns(*ns), target, met.to_owned(), note]);
    }
    let is_asked = |name: &str| filter.is_none_or(|text| name.contains(text));
    for (name, limit) in limits.iter().filter(|(name, _)| !results.contains_key(*name) && is_asked(name)) {
        rows.push(vec![name.clone(), "not measured".into(), human_ns(limit.max_ns), "-".into(), limit.note.clone()]);
    }
    table::render(&["bench", "median", "target", "met", "note"], &rows)
}

fn human_ns(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

/// "AMD EPYC, 2 cores, rustc 1.95.0 ..".
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|l| l.starts_with("model name")).and_then(|l| l.split_once(':')).map(|(_, m)| m.trim());
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |n| n.to_string());
    let rustc = capture(&mut command("rustc", &["-V"])).unwrap_or_else(|_| "rustc ?".to_owned());
    format!("machine: {}, {cores} cores, {}", model.unwrap_or("unknown processor"), rustc.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATES: &str =
        r#"{"mean":{"point_estimate":600.0},"median":{"confidence_interval":{},"point_estimate":512.25,"standard_error":1.0}}"#;

    #[test]
    fn the_median_is_read() {
        assert_eq!(median_ns(ESTIMATES).unwrap().to_string(), "512.25");
        assert!(median_ns("{}").is_err() && median_ns("x").is_err());
    }

    #[test]
    fn results_are_named_as_criterion_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("decode").join("book").join("new");
        std::fs::create_dir_all(&new).unwrap();
        std::fs::create_dir_all(dir.path().join("report")).unwrap();
        std::fs::write(new.join("estimates.json"), ESTIMATES).unwrap();
        std::fs::write(new.join("benchmark.json"), r#"{"full_id":"decode/book 45+45"}"#).unwrap();
        let mut results = BTreeMap::new();
        read_results(dir.path(), SystemTime::UNIX_EPOCH, &mut results).unwrap();
        assert_eq!(results.keys().collect::<Vec<_>>(), ["decode/book 45+45"]);
    }

    #[test]
    fn old_results_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("a").join("new");
        std::fs::create_dir_all(&new).unwrap();
        std::fs::write(new.join("estimates.json"), ESTIMATES).unwrap();
        let mut results = BTreeMap::new();
        let later = wait::now() + std::time::Duration::from_secs(60);
        read_results(dir.path(), later, &mut results).unwrap();
        assert!(results.is_empty());
    }

    #[test]
    fn the_table_says_met_missed_unknown_and_not_measured() {
        let limits = read_limits(
            "[targets.\"a\"]\nmax_ns = 1000\nnote = \"why\"\n[targets.\"b\"]\nmax_ns = 1.5\n[targets.\"d\"]\nmax_ns = 7\n",
        )
        .unwrap();
        let results = BTreeMap::from([("a".to_owned(), 512.0), ("b".to_owned(), 2.0), ("c".to_owned(), 3e6)]);
        let text = render(&results, &limits, None);
        let line = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_default().to_owned();
        assert!(line("a").contains("512.0 ns") && line("a").contains("1.00 us") && line("a").contains("yes  why"), "{text}");
        assert!(line("b ").contains("NO"), "{text}");
        assert!(line("c").contains("3.00 ms"), "{text}");
        assert!(line("d").contains("not measured"), "{text}");
        assert_eq!(missed(&results, &limits), ["b"]);
    }

    #[test]
    fn a_target_without_number_is_refused() {
        assert!(read_limits("[targets.\"a\"]\nnote = \"x\"").is_err());
        assert!(read_limits("[targets]").unwrap().is_empty());
    }

    #[test]
    fn bench_targets_come_from_metadata() {
        let text = r#"{"packages":[{"name":"p","targets":[{"kind":["lib"],"name":"p"},{"kind":["bench"],"name":"decode"}]}]}"#;
        assert_eq!(bench_targets(text).unwrap(), [BenchTarget { package: "p".into(), name: "decode".into() }]);
    }
}
