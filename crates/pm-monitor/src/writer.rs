//! The last writers a log line passes: one takes secrets out, one keeps going when the disk does not.

use std::io::{self, Write};

use crate::redactor::Redactor;

/// Redacts everything written through it, line by line.
///
/// A line is held back until its newline (or `flush`, or drop), so a secret that arrives in pieces is still
/// seen whole. Bytes that are not UTF-8 are replaced by U+FFFD: a log is text.
#[derive(Debug)]
pub struct RedactingWriter<W: Write> {
    inner: W,
    redactor: Redactor,
    held: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    /// Wraps `inner`.
    pub fn new(inner: W, redactor: Redactor) -> Self {
        Self { inner, redactor, held: Vec::new() }
    }

    fn release(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        // Taken out first: after a write error the same bytes must not come again and again.
        let held = std::mem::take(&mut self.held);
        let text = String::from_utf8_lossy(&held);
        self.inner.write_all(self.redactor.redact(&text).as_bytes())
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if bytes.ends_with(b"\n") {
            self.release()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.release()?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        // Nobody is left to tell about an error here; the inner writer has said so already.
        let _ = self.flush();
    }
}

/// Never fails: the first error is told once to `notice`, later ones are dropped. Logging must not stop
/// trading, whatever the disk does.
#[derive(Debug)]
pub(crate) struct FailSoft<W: Write, N: Write> {
    inner: W,
    notice: N,
    what: String,
    told: bool,
}

impl<W: Write, N: Write> FailSoft<W, N> {
    /// `what` names the target in the notice, e.g. "log files in /var/log/pmbot".
    pub(crate) fn new(inner: W, notice: N, what: String) -> Self {
        Self { inner, notice, what, told: false }
    }

    fn soften(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        if self.told {
            return;
        }
        self.told = true;
        let _ = writeln!(
            self.notice,
            "warning: cannot write {}: {error}. Log lines are lost until this is fixed; the program goes on.",
            self.what
        );
    }
}

impl<W: Write, N: Write> Write for FailSoft<W, N> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write_all(bytes);
        self.soften(result);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.soften(result);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct FullDisk;

    impl Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    #[test]
    fn a_full_disk_is_told_once_and_never_an_error() {
        let notice = Shared::default();
        let mut writer = FailSoft::new(FullDisk, notice.clone(), "log files in /x".to_owned());
        for _ in 0..3 {
            writer.write_all(b"line\n").unwrap();
            writer.flush().unwrap();
        }
        let told = String::from_utf8(notice.0.lock().unwrap().clone()).unwrap();
        assert_eq!(told.matches("cannot write log files in /x").count(), 1, "{told}");
    }

    #[test]
    fn a_line_without_newline_is_written_on_drop() {
        let out = Shared::default();
        let mut writer = RedactingWriter::new(out.clone(), Redactor::new());
        writer.write_all(b"password=").unwrap();
        writer.write_all(b"abc").unwrap();
        assert!(out.0.lock().unwrap().is_empty());
        drop(writer);
        assert_eq!(out.0.lock().unwrap().as_slice(), b"password=***");
    }
}
