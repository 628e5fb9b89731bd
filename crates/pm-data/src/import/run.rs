//! One import from files to recording: reading, ordering by time, writing. Small data sets are ordered in memory; a large one of raw frames
//! is read twice, the second time file by file as its turn comes, so that memory stays small.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use pm_core::ids::FeedId;
use pm_core::time::{Dur, Stamp, Ts};

use super::files::{self, InFile};
use super::mapping::{Input, Mapping, Record, Treatment};
use super::report::{FeedReport, ImportReport};
use super::template::Scope;
use super::{ImportError, frames, rows};
use crate::derived::FEED;
use crate::json::Node;
use crate::recording::{FeedInfo, FileWriter, RecordingError, WriterSettings};

/// Compressed bytes of raw frames beyond which files are read when their turn comes.
const LARGE: u64 = 16 << 20;

/// Data frames.
pub(super) const RANK_DATA: u8 = 1;
/// Order of records at one instant: markets and instruments first, results last.
pub(super) fn rank(kind: &str) -> u8 {
    match kind {
        "market" | "instrument" => 0,
        "resolved" => 2,
        _ => RANK_DATA,
    }
}

/// A frame to write.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) wall: i64,
    pub(super) rank: u8,
    pub(super) feed: u16,
    pub(super) bytes: Box<[u8]>,
}

impl Entry {
    const fn key(&self) -> (i64, u8) {
        (self.wall, self.rank)
    }
}

/// A market of which only tokens are seen.
#[derive(Debug)]
struct Seen {
    market: String,
    tokens: Vec<String>,
    first: i64,
    file: String,
}

/// State of an import.
pub(super) struct Context<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) done: Rc<Cell<u64>>,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
    report: ImportReport,
    /// False in the second reading of a large data set.
    counting: bool,
    ticks: u32,
    feeds: Vec<(String, bool)>,
    once: BTreeMap<(String, usize, String), Entry>,
    seen: Vec<Seen>,
    seen_at: BTreeMap<String, usize>,
}

impl Context<'_> {
    /// A row came in.
    pub(super) fn row(&mut self, pattern: &str) {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(4_096) {
            (self.progress)(self.done.get().min(self.total), self.total);
        }
        if self.counting {
            count(&mut self.report.rows_in, pattern);
        }
    }
    pub(super) fn drop(&mut self, reason: String) {
        if self.counting {
            *self.report.dropped.entry(reason).or_default() += 1;
        }
    }
    pub(super) fn kind(&mut self, kind: &str) {
        if self.counting {
            count(&mut self.report.kinds, kind);
        }
    }
    /// A record without a field that it must have.
    pub(super) fn lacks(&mut self, record: &Record, file: &InFile, line: u64, field: &str) -> Result<(), ImportError> {
        if record.missing == Treatment::Drop {
            self.drop(format!("{} without {field}", record.kind));
            return Ok(());
        }
        Err(rows::bad(file, line, field, format!("{} needs it and it has no value", record.kind)))
    }
    /// Number of a feed; a new one when it was never used.
    pub(super) fn feed(&mut self, name: &str, derived: bool) -> u16 {
        let at = self.feeds.iter().position(|(n, d)| n == name && *d == derived).unwrap_or(self.feeds.len());
        if at == self.feeds.len() {
            self.feeds.push((name.to_owned(), derived));
        }
        u16::try_from(at).unwrap_or(u16::MAX)
    }
    /// True when the record of this key exists; it moves to the earlier time.
    pub(super) fn seen_before(&mut self, files: &str, at: usize, key: &str, wall: i64) -> bool {
        let Some(entry) = self.once.get_mut(&(files.to_owned(), at, key.to_owned())) else { return false };
        entry.wall = entry.wall.min(wall);
        true
    }
    pub(super) fn keep_once(&mut self, files: &str, at: usize, key: String, entry: Entry) {
        self.once.insert((files.to_owned(), at, key), entry);
    }
    /// A token of a market was seen.
    pub(super) fn token(&mut self, file: &str, market: &str, token: &str, wall: i64) {
        if !self.counting {
            return;
        }
        let at = self.seen_at.get(market).copied().unwrap_or(self.seen.len());
        if at == self.seen.len() {
            self.seen_at.insert(market.to_owned(), at);
            self.seen.push(Seen { market: market.to_owned(), tokens: Vec::new(), first: wall, file: file.to_owned() });
        }
        let Some(seen) = self.seen.get_mut(at) else { return };
        seen.first = seen.first.min(wall);
        if !seen.tokens.iter().any(|t| t == token) {
            seen.tokens.push(token.to_owned());
        }
    }
}

fn count(map: &mut BTreeMap<String, u64>, key: &str) {
    match map.get_mut(key) {
        Some(n) => *n += 1,
        None => drop(map.insert(key.to_owned(), 1)),
    }
}

/// Imports.
pub(super) fn run(
    mapping: &Mapping,
    out: &Path,
    paths: &[PathBuf],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ImportReport, ImportError> {
    check_output(out)?;
    let mut report = ImportReport { format: mapping.name.clone(), ..ImportReport::default() };
    let chosen = choose(mapping, files::expand(paths)?, paths, &mut report)?;
    let large: u64 = chosen.iter().filter(|(i, _)| i.shape.is_frames()).map(|(_, f)| f.bytes).sum();
    // Records that rows are turned into beside their frames must be made once.
    let lazy = large > LARGE && !chosen.iter().any(|(i, _)| i.shape.is_frames() && !i.records.is_empty());
    let total = chosen.iter().map(|(_, f)| f.bytes).sum::<u64>() + if lazy { large } else { 0 };
    let mut ctx = Context {
        mapping,
        done: Rc::default(),
        total,
        progress,
        report,
        counting: true,
        ticks: 0,
        feeds: Vec::new(),
        once: BTreeMap::new(),
        seen: Vec::new(),
        seen_at: BTreeMap::new(),
    };
    let (mut memory, later) = first_reading(&mut ctx, &chosen, lazy)?;
    if memory.is_empty() && later.is_empty() && ctx.once.is_empty() {
        return Err(nothing_came(&ctx.report, &chosen));
    }
    listings(&mut ctx, &chosen, &mut memory)?;
    memory.extend(core::mem::take(&mut ctx.once).into_values());
    memory.sort_by_key(Entry::key);
    ctx.counting = false;
    let part = part_path(out);
    let written = write(&mut ctx, &part, memory, later);
    if let Err(e) = written {
        let _ = std::fs::remove_file(&part);
        return Err(e);
    }
    std::fs::rename(&part, out).map_err(|e| ImportError::Output { path: out.into(), what: e.to_string() })?;
    (ctx.progress)(total, total);
    Ok(ctx.report)
}

/// What can be said before hours of reading.
fn check_output(out: &Path) -> Result<(), ImportError> {
    let no = |what: &str| Err(ImportError::Output { path: out.into(), what: what.to_owned() });
    if out.is_dir() {
        return no("is a folder; the recording needs a file name");
    }
    if out.exists() {
        return no("exists already and is not overwritten");
    }
    match out.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => no("its folder does not exist"),
        _ => Ok(()),
    }
}

fn nothing_came(report: &ImportReport, chosen: &[(&Input, InFile)]) -> ImportError {
    let (path, empty) = chosen.first().map(|(_, f)| (f.path.clone(), f.bytes == 0)).unwrap_or_default();
    let what = match chosen.len() {
        1 if empty => "the file is empty".to_owned(),
        files => format!("no frame in {files} file(s): {} rows read, {} left out", report.rows(), report.dropped()),
    };
    ImportError::NoFrames { path, what }
}

/// The recording grows under this name and gets its own when it is whole.
fn part_path(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    out.with_file_name(name)
}

/// Which input reads which file.
fn choose<'m>(
    mapping: &'m Mapping,
    found: Vec<InFile>,
    paths: &[PathBuf],
    report: &mut ImportReport,
) -> Result<Vec<(&'m Input, InFile)>, ImportError> {
    let fits = |pattern: &str, f: &InFile| {
        files::matches(pattern, &f.name) || files::matches(pattern, f.name.rsplit('/').next().unwrap_or_default())
    };
    let wanted = || mapping.inputs.iter().map(|i| i.files.as_str()).collect::<Vec<_>>().join(", ");
    let nothing = |given: String| ImportError::NothingToRead { format: mapping.name.clone(), wanted: wanted(), given };
    let mut chosen = Vec::new();
    for file in found {
        if let Some(input) = mapping.inputs.iter().find(|i| fits(&i.files, &file)) {
            chosen.push((input, file));
        } else if let Some(ignore) = mapping.ignore.iter().find(|i| fits(&i.files, &file)) {
            report.ignored.push((file.name, ignore.why.clone()));
        } else if file.explicit {
            return Err(nothing(file.name));
        } else {
            report.ignored.push((file.name, "not named by the mapping".to_owned()));
        }
    }
    if chosen.is_empty() {
        return Err(nothing(paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")));
    }
    report.files = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
    Ok(chosen)
}

fn load(ctx: &mut Context<'_>, input: &Input, file: &InFile) -> Result<Vec<Entry>, ImportError> {
    let mut entries = Vec::new();
    if input.shape.is_frames() {
        frames::load(ctx, input, file, &mut entries)?;
    } else {
        rows::load(ctx, input, file, &mut entries)?;
    }
    if ctx.counting {
        let back = entries
            .windows(2)
            .filter(|w| matches!(w, [a, b] if b.wall < a.wall && a.rank == RANK_DATA && b.rank == RANK_DATA))
            .count();
        ctx.report.reordered += u64::try_from(back).unwrap_or(0);
    }
    entries.sort_by_key(Entry::key);
    Ok(entries)
}

/// Files that wait for their turn, by first time.
type Later<'m> = VecDeque<((i64, u8), &'m Input, InFile)>;

fn first_reading<'m>(
    ctx: &mut Context<'_>,
    chosen: &[(&'m Input, InFile)],
    lazy: bool,
) -> Result<(Vec<Entry>, Later<'m>), ImportError> {
    let (mut memory, mut later) = (Vec::new(), Vec::new());
    for (input, file) in chosen {
        let entries = load(ctx, input, file)?;
        (ctx.progress)(ctx.done.get().min(ctx.total), ctx.total);
        if lazy && input.shape.is_frames() {
            if let Some(first) = entries.first() {
                later.push((first.key(), *input, file.clone()));
            }
        } else {
            memory.extend(entries);
        }
    }
    later.sort_by_key(|l| l.0);
    Ok((memory, later.into()))
}

/// Records that the mapping always makes, and market records for what was found by reading all frames.
fn listings(ctx: &mut Context<'_>, chosen: &[(&Input, InFile)], memory: &mut Vec<Entry>) -> Result<(), ImportError> {
    let seen = core::mem::take(&mut ctx.seen);
    let mapping = ctx.mapping;
    let empty = Node::Obj(Vec::new());
    for record in &mapping.always {
        let Some((_, file)) = chosen.first() else { break };
        let scope = Scope { row: &empty, item: None, tables: &mapping.tables };
        let wall = record.time.as_ref().map(|t| t.render_time(scope)).transpose();
        let wall = wall.map_err(|b| rows::bad(file, 0, &b.field, b.what))?.flatten().unwrap_or_default();
        if let Some(bytes) = rows::render(ctx, file, 0, record, scope)? {
            let feed = ctx.feed(FEED, true);
            memory.push(Entry { wall, rank: rank(&record.kind), feed, bytes });
            ctx.kind(&record.kind);
        }
    }
    let Some((scan, file)) = chosen.iter().find_map(|(i, f)| i.scan.as_ref().map(|s| (s, f))) else { return Ok(()) };
    for s in seen {
        let text = |t: String| Node::Str(t.into());
        let other = format!("{}:other", s.market);
        let mut tokens = s.tokens.into_iter();
        let row = Node::Obj(vec![
            ("@file".into(), text(s.file)),
            ("@token0".into(), text(tokens.next().unwrap_or_default())),
            ("@token1".into(), text(tokens.next().unwrap_or(other))),
            ("@more".into(), Node::Num(tokens.count().to_string().into())),
            ("@market".into(), text(s.market)),
            ("@first".into(), Node::Num(s.first.to_string().into())),
        ]);
        let scope = Scope { row: &row, item: None, tables: &mapping.tables };
        if let Some(bytes) = rows::render(ctx, file, 0, &scan.record, scope)? {
            let feed = ctx.feed(FEED, true);
            memory.push(Entry { wall: s.first, rank: 0, feed, bytes });
            ctx.kind(&scan.record.kind);
        }
    }
    Ok(())
}

fn write(ctx: &mut Context<'_>, path: &Path, memory: Vec<Entry>, mut later: Later<'_>) -> Result<(), ImportError> {
    // Age does not matter to an import: blocks are as full as they can be.
    let settings = WriterSettings { max_age: Dur::from_nanos(i64::MAX), ..WriterSettings::default() };
    let mut writer = FileWriter::create(path, settings)?;
    for (name, derived) in &ctx.feeds {
        let mapping = ctx.mapping;
        writer.add_feed(FeedInfo {
            name: name.clone(),
            origin: mapping.origin.clone(),
            derived: *derived,
            sampled: mapping.sampled,
            mapping: mapping.statement.clone(),
            stand_ins: mapping.stand_ins.clone(),
        })?;
    }
    let mut active: Vec<std::iter::Peekable<std::vec::IntoIter<Entry>>> = vec![memory.into_iter().peekable()];
    loop {
        let best = active.iter_mut().enumerate().filter_map(|(i, a)| a.peek().map(|e| (e.key(), i))).min();
        if later.front().is_some_and(|l| best.is_none_or(|(key, _)| l.0 <= key))
            && let Some((_, input, file)) = later.pop_front()
        {
            active.push(load(ctx, input, &file)?.into_iter().peekable());
            continue;
        }
        let Some((_, at)) = best else { break };
        let Some(entry) = active.get_mut(at).and_then(Iterator::next) else { break };
        put(ctx, &mut writer, &entry)?;
        if at > 0 && active.get_mut(at).is_some_and(|a| a.peek().is_none()) {
            drop(active.remove(at));
        }
    }
    let file = writer.finish()?;
    file.sync_all().map_err(|source| RecordingError::Io { path: path.into(), what: "sync", offset: 0, source })?;
    Ok(())
}

fn put(ctx: &mut Context<'_>, writer: &mut FileWriter, entry: &Entry) -> Result<(), ImportError> {
    let wall = Ts::from_nanos(entry.wall);
    let first = *ctx.report.first.get_or_insert(wall);
    ctx.report.last = Some(ctx.report.last.map_or(wall, |l| l.max(wall)));
    // No data set has a monotonic clock that spans its files: time since the first frame stands for it.
    let mono_ns = u64::try_from(wall.since(first).nanos()).unwrap_or(0);
    writer.push(Stamp { wall, mono_ns }, FeedId(entry.feed), &entry.bytes)?;
    let (name, derived) = ctx.feeds.get(usize::from(entry.feed)).cloned().unwrap_or_default();
    let sampled = ctx.mapping.sampled;
    let feed = ctx.report.feeds.entry(name).or_insert(FeedReport { derived, sampled, ..FeedReport::default() });
    feed.frames += 1;
    feed.bytes += u64::try_from(entry.bytes.len()).unwrap_or(0);
    Ok(())
}
