//! A database's errors in the store's words. The distinction matters: what is not available is tried again, what is refused never is.

use pm_core::traits::StoreError;
use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;

/// Sorts an error of either database. `Unavailable`: nobody answers, the disk is full, the file is locked or broken; trying again may help.
/// `Schema`: tables or columns are missing. `Refused`: this row or statement will never work.
pub(crate) fn store_error(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(db) => database_error(db.as_ref()),
        sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::TypeNotFound { .. } => StoreError::Schema(error.to_string()),
        sqlx::Error::RowNotFound => StoreError::NotFound("no such row".to_owned()),
        sqlx::Error::PoolTimedOut => StoreError::Unavailable("the database does not answer: no connection in time".to_owned()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn database_error(db: &dyn sqlx::error::DatabaseError) -> StoreError {
    let text = db.message().to_owned();
    match db.kind() {
        ErrorKind::ForeignKeyViolation => {
            return StoreError::Refused(format!("{text} (is the run saved, and an opportunity stored before its trade?)"));
        }
        ErrorKind::UniqueViolation | ErrorKind::NotNullViolation | ErrorKind::CheckViolation => return StoreError::Refused(text),
        _ => {}
    }
    let code = db.code().unwrap_or_default().into_owned();
    if db.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        pg_error(&code, text)
    } else {
        sqlite_error(&code, text)
    }
}

/// By SQLSTATE (PostgreSQL manual, appendix A).
fn pg_error(code: &str, text: String) -> StoreError {
    match code {
        // undefined_table, undefined_column, undefined_function, undefined_object
        "42P01" | "42703" | "42883" | "42704" => StoreError::Schema(format!("{text}; run `pmbot db migrate`")),
        // read_only_sql_transaction: a standby, until it is promoted
        "25006" => StoreError::Unavailable(text),
        _ => match code.get(..2).unwrap_or_default() {
            // data exception, integrity constraint, other transaction state, syntax error or access rule
            "22" | "23" | "25" | "42" => StoreError::Refused(text),
            _ => StoreError::Unavailable(text),
        },
    }
}

/// By result code (sqlite.org/rescode.html); the low byte is the primary code.
fn sqlite_error(code: &str, text: String) -> StoreError {
    let primary = code.parse::<u32>().map_or(0, |c| c & 0xff);
    match primary {
        // SQLITE_ERROR: "no such table", "no such column", "integer overflow", syntax
        1 if text.contains("no such table") || text.contains("no such column") || text.contains("has no column") => {
            StoreError::Schema(format!("{text}; run `pmbot db migrate`"))
        }
        // ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE
        1 | 18 | 19 | 20 | 25 => StoreError::Refused(text),
        5 | 6 => StoreError::Unavailable(format!("another program holds the file: {text}")),
        8 => StoreError::Unavailable(format!("the file cannot be written: {text}")),
        10 | 13 | 14 => StoreError::Unavailable(format!("{text} (is the disk full, or the folder gone?)")),
        11 | 26 => StoreError::Unavailable(format!("not a usable SQLite file: {text}")),
        _ => StoreError::Unavailable(text),
    }
}

/// Puts a place before the text of an error.
pub(crate) fn at(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(t) => StoreError::Unavailable(format!("{place}: {t}")),
        StoreError::Schema(t) => StoreError::Schema(format!("{place}: {t}")),
        StoreError::Refused(t) => StoreError::Refused(format!("{place}: {t}")),
        StoreError::NotFound(t) => StoreError::NotFound(format!("{place}: {t}")),
    }
}

/// An error of a migration.
pub(crate) fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(e) => store_error(&e),
        MigrateError::ExecuteMigration(e, version) => match store_error(&e) {
            StoreError::Unavailable(t) => StoreError::Unavailable(format!("migration {version}: {t}")),
            other => StoreError::Schema(format!("migration {version}: {other}")),
        },
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            StoreError::Schema(format!("migration {version} is from a newer pmbot: use that one"))
        }
        MigrateError::VersionMismatch(version) => {
            StoreError::Schema(format!("migration {version} was applied with another text"))
        }
        MigrateError::Dirty(version) => {
            StoreError::Schema(format!("migration {version} was left half-way: restore a backup or repair by hand"))
        }
        other => StoreError::Schema(other.to_string()),
    }
}
