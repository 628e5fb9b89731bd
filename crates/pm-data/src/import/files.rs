//! The files of an import: folders, patterns, compressed files, archives. Whatever they are, they come out as buffered bytes.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::ImportError;

/// Largest line and largest whole file that are taken into memory.
pub(super) const MAX_LINE: u64 = 64 << 20;
pub(super) const MAX_PAGE: u64 = 1 << 30;

/// A file to import.
#[derive(Debug, Clone)]
pub(super) struct InFile {
    pub(super) path: PathBuf,
    /// Path below the folder that was given, with `/`; the file name when the file itself was given.
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Named by the user rather than found in a folder.
    pub(super) explicit: bool,
}

impl InFile {
    /// File name without folders and extensions.
    pub(super) fn stem(&self) -> &str {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> ImportError + '_ {
    move |source| ImportError::Io { path: path.into(), source }
}

/// `*` any run of characters, `?` one; everything else is itself.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), name.get(n)) {
            (Some('*'), _) => {
                star = Some((p, n));
                p += 1;
            }
            (Some('?'), Some(_)) => (p, n) = (p + 1, n + 1),
            (Some(a), Some(b)) if a == b => (p, n) = (p + 1, n + 1),
            (None, None) => return true,
            _ => match star {
                Some((sp, sn)) if sn < name.len() => {
                    star = Some((sp, sn + 1));
                    (p, n) = (sp + 1, sn + 1);
                }
                _ => return false,
            },
        }
    }
}

/// All files that the paths stand for, in a fixed order, each once.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<InFile>, ImportError> {
    let mut out: Vec<InFile> = Vec::new();
    for path in paths {
        let text = path.to_string_lossy();
        if path.is_dir() {
            walk(path, "", &mut out)?;
        } else if path.exists() || !text.contains(['*', '?']) {
            let bytes = path.metadata().map_err(io(path))?.len();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.push(InFile { path: path.clone(), name, bytes, explicit: true });
        } else {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let pattern = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut found = Vec::new();
            walk(folder, "", &mut found)?;
            out.extend(found.into_iter().filter(|f| matches(&pattern, &f.name)));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|f| seen.insert(f.path.clone()));
    Ok(out)
}

fn walk(folder: &Path, prefix: &str, out: &mut Vec<InFile>) -> Result<(), ImportError> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).and_then(Iterator::collect).map_err(io(folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        let meta = path.metadata().map_err(io(&path))?;
        if meta.is_dir() {
            walk(&path, &format!("{name}/"), out)?;
        } else {
            out.push(InFile { path, name, bytes: meta.len(), explicit: false });
        }
    }
    Ok(())
}

/// Counts compressed bytes for the progress bar.
struct Counted {
    file: File,
    done: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(room)?;
        self.done.set(self.done.get().saturating_add(u64::try_from(n).unwrap_or(0)));
        Ok(n)
    }
}

/// Opens a file by its ending: `.gz`, `.zst`, `.zip` (all its entries, one behind the other), else plain.
pub(super) fn open(path: &Path, done: &Rc<Cell<u64>>) -> Result<Box<dyn BufRead>, ImportError> {
    let io = io(path);
    let file = Counted { file: File::open(path).map_err(&io)?, done: Rc::clone(done) };
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    Ok(match ending.as_str() {
        "gz" => Box::new(BufReader::with_capacity(1 << 17, flate2::read::MultiGzDecoder::new(BufReader::new(file)))),
        "zst" => Box::new(BufReader::with_capacity(1 << 17, zstd::Decoder::new(file).map_err(&io)?)),
        "zip" => Box::new(Cursor::new(unzip(file).map_err(&io)?)),
        _ => Box::new(BufReader::with_capacity(1 << 17, file)),
    })
}

fn unzip(mut file: Counted) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    (&mut file).take(MAX_PAGE).read_to_end(&mut packed)?;
    let mut archive = zip::ZipArchive::new(Cursor::new(packed)).map_err(std::io::Error::other)?;
    let mut out = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(std::io::Error::other)?;
        if entry.is_file() {
            let room = MAX_PAGE.saturating_sub(u64::try_from(out.len()).unwrap_or(u64::MAX));
            entry.take(room).read_to_end(&mut out)?;
            if out.last().is_some_and(|b| *b != b'\n') {
                out.push(b'\n');
            }
        }
    }
    Ok(out)
}

/// The next line without its end; false at the end of the file. Lines over [`MAX_LINE`] are refused.
pub(super) fn line(from: &mut dyn BufRead, into: &mut Vec<u8>) -> std::io::Result<bool> {
    into.clear();
    if from.take(MAX_LINE).read_until(b'\n', into)? == 0 {
        return Ok(false);
    }
    if into.last() == Some(&b'\n') {
        into.pop();
        if into.last() == Some(&b'\r') {
            into.pop();
        }
    } else if u64::try_from(into.len()).is_ok_and(|n| n >= MAX_LINE) {
        return Err(std::io::Error::other(format!("a line of more than {MAX_LINE} bytes")));
    }
    Ok(true)
}

/// A whole file as text.
pub(super) fn page(path: &Path, done: &Rc<Cell<u64>>) -> Result<String, ImportError> {
    let mut text = String::new();
    open(path, done)?.take(MAX_PAGE).read_to_string(&mut text).map_err(io(path))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("*.jsonl*", "a.jsonl.gz") && matches("markets/*.zst", "markets/x.zst") && matches("a?c", "abc"));
        assert!(matches("*", "") && matches("**b", "aab") && matches("a*b*c", "aXbYbZc"));
        assert!(!matches("*.csv", "a.json") && !matches("a?c", "ac") && !matches("", "a"));
    }
}
