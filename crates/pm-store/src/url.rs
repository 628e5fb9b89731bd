//! Database URLs: which database, how to reach it, and how to speak about it without its password.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use pm_core::traits::StoreError;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// How long a connection waits for another program's write to the same SQLite file.
const BUSY: Duration = Duration::from_secs(5);

/// A parsed URL.
#[derive(Clone)]
pub(crate) enum Target {
    Postgres(Box<PgConnectOptions>),
    File(Box<SqliteConnectOptions>, PathBuf),
    Memory,
}

/// Parses a URL. `create` allows SQLite to create the file and its folders.
pub(crate) fn parse(url: &str, create: bool) -> Result<Target, StoreError> {
    let bad = |why: &str| StoreError::Unavailable(format!("database URL `{}`: {why}", redact_url(url)));
    if url.trim().is_empty() {
        return Err(bad("empty; use postgres://user@host/name, sqlite://path, sqlite::memory: or a path"));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url).map(|o| Target::Postgres(Box::new(o))).map_err(|why| bad(&why));
    }
    if matches!(url, "sqlite::memory:" | "sqlite://:memory:" | ":memory:") {
        return Ok(Target::Memory);
    }
    if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url).map_err(|e| bad(&e.to_string()))?;
        return Ok(sqlite(options, create));
    }
    if let Some((scheme, _)) = url.split_once("://") {
        return Err(bad(&format!("the scheme `{scheme}` is not known; use postgres://, postgresql://, sqlite:// or a path")));
    }
    Ok(sqlite(SqliteConnectOptions::new().filename(url), create))
}

fn postgres(url: &str) -> Result<PgConnectOptions, String> {
    let options = PgConnectOptions::from_str(url).map_err(|e| e.to_string())?;
    // The driver's default is to try TLS first; here it is used when the URL asks, so that what happens stands in the config.
    let asked = url.split_once('?').is_some_and(|(_, query)| query.contains("sslmode=") || query.contains("ssl-mode="));
    let options = if asked { options } else { options.ssl_mode(PgSslMode::Disable) };
    Ok(options.application_name("pmbot").disable_statement_logging())
}

fn sqlite(options: SqliteConnectOptions, create: bool) -> Target {
    let path = options.get_filename().to_path_buf();
    // WAL: reports read while a run writes. NORMAL: a power loss may take the last transactions, never the file; the intent log and the
    // journal are what survives such a loss (design: the store follows them).
    let options = options
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging();
    Target::File(Box::new(options), path)
}

/// The in-memory database: one connection only, because each would have its own.
pub(crate) fn memory_options() -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(|e| StoreError::Unavailable(e.to_string()))?;
    Ok(options.foreign_keys(true).disable_statement_logging())
}

/// The URL with its password replaced by `***`, also as a query parameter. Texts that are no URL come back unchanged.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // The last `@` ends the user info: a password may hold an unescaped `@`, `/` or `?`. A query with an `@` is hidden with it.
    let (info, place) = match rest.rsplit_once('@') {
        Some((info, place)) => (Some(info), place),
        None => (None, rest),
    };
    let (place, query) = match place.split_once('?') {
        Some((p, q)) => (p, Some(q)),
        None => (place, None),
    };
    let info = match info.map(|i| i.split_once(':').map_or((i, false), |(user, _)| (user, true))) {
        Some((user, true)) => format!("{user}:***@"),
        Some((user, false)) => format!("{user}@"),
        None => String::new(),
    };
    let query = query.map_or_else(String::new, |q| {
        let parts: Vec<String> = q.split('&').map(redact_parameter).collect();
        format!("?{}", parts.join("&"))
    });
    format!("{scheme}://{info}{place}{query}")
}

fn redact_parameter(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}=***"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passwords_are_replaced() {
        assert_eq!(redact_url("postgres://bot:s3c:r@t@db:5432/pm"), "postgres://bot:***@db:5432/pm");
        assert_eq!(
            redact_url("postgres://bot@db/pm?sslmode=require&password=s3cret"),
            "postgres://bot@db/pm?sslmode=require&password=***"
        );
        assert_eq!(redact_url("sqlite:///var/pm.db"), "sqlite:///var/pm.db");
        assert_eq!(redact_url("pm.db"), "pm.db");
    }

    #[test]
    fn schemes_choose_the_database() {
        assert!(matches!(parse("postgresql://u@h/d", false), Ok(Target::Postgres(_))));
        assert!(matches!(parse("sqlite::memory:", false), Ok(Target::Memory)));
        for (url, path) in [("sqlite:///tmp/a.db", "/tmp/a.db"), ("sqlite://a/b.db", "a/b.db"), ("a/b 100%.db", "a/b 100%.db")] {
            match parse(url, true) {
                Ok(Target::File(_, found)) => assert_eq!(found, PathBuf::from(path)),
                _ => panic!("{url} is a file"),
            }
        }
    }

    #[test]
    fn tls_only_when_asked() {
        for (url, mode) in [("postgres://u@h/d", "Disable"), ("postgres://u@h/d?sslmode=require", "Require")] {
            let Ok(Target::Postgres(options)) = parse(url, false) else { panic!("{url}") };
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode);
        }
    }

    proptest! {
        #[test]
        fn a_password_never_survives(password in "[A-Z0-9@:/?#%]{6,20}") {
            let text = redact_url(&format!("postgres://bot:{password}@db.example/pm"));
            prop_assert!(!text.contains(&password), "{}", text);
        }

        #[test]
        fn texts_never_panic(url in "\\PC{0,60}") {
            let _ = parse(&url, false).map(|_| ()).map_err(|e| e.to_string());
        }
    }
}
