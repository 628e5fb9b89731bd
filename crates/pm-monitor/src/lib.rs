//! Logs with redaction of secrets.
//!
//! Why a crate of its own: the rule "no secret is ever printed, logged or stored in clear" must hold for
//! every line whoever wrote it, so it is enforced at the last place a line passes, the writer, and not at
//! the many places that log. Two nets are used there, and each line passes both:
//!
//! 1. **known values**: everything registered with [`Redactor::add`] is replaced wherever it appears, also
//!    in its JSON-escaped, `Debug`-escaped and percent-encoded form;
//! 2. **shapes**: values that follow a field name such as `api_key`, `secret`, `passphrase`, `password`,
//!    `token`, `authorization` or `private_key` (JSON, `key=value` and `key: value`), bearer tokens, a
//!    64-digit hex number introduced by such a name, and the password in a URL.
//!
//! The logs themselves ([`init`]) go to the terminal (stderr, for a person) and to daily JSON-lines files
//! (for a program). Both are written by threads of their own: a full disk or a stopped terminal loses log
//! lines, which are counted, and never blocks trading.
//!
//! ```
//! use pm_monitor::{LogConfig, Redactor};
//!
//! let redactor = Redactor::global();
//! redactor.add("hunter2-hunter2");
//! assert_eq!(pm_monitor::redact("login with hunter2-hunter2"), "login with ***");
//! assert_eq!(pm_monitor::redact("postgres://bot:pw@db/x"), "postgres://bot:***@db/x");
//!
//! let guard = pm_monitor::init(LogConfig::default())?;
//! tracing::info!(api_key = "k-123", "started"); // prints api_key="***"
//! drop(guard); // at the end of main: writes what is still queued
//! # Ok::<(), pm_monitor::LogError>(())
//! ```

mod logs;
mod redactor;
mod shapes;
mod writer;

pub use logs::{Console, LogConfig, LogError, LogGuard, init, subscriber};
pub use redactor::{MASK, MIN_SECRET_LEN, Redactor, redact};
pub use writer::RedactingWriter;
