//! SQLite files: there or to be made, and opened while another program opens them, too.

use std::path::Path;
use std::time::Duration;

use pm_core::traits::StoreError;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// Opens an SQLite file. The switch to a write-ahead log does not wait for another program that does the same at this moment: tried again.
pub(crate) async fn open_file(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let mut attempts = 0;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(sqlx::Error::Database(e)) if attempts < 50 && e.message().contains("locked") => {
                attempts += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}

/// Sees to it that the file can be opened, or says why it cannot.
pub(crate) fn prepare_file(path: &Path, create: bool) -> Result<(), StoreError> {
    let shown = path.display();
    if path.is_dir() {
        return Err(StoreError::Unavailable(format!("{shown} is a folder, not an SQLite file")));
    }
    if !create {
        return if path.exists() {
            Ok(())
        } else {
            Err(StoreError::Unavailable(format!("{shown} does not exist: run `pmbot db migrate`")))
        };
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|e| StoreError::Unavailable(format!("the folder {} cannot be created: {e}", folder.display()))),
        _ => Ok(()),
    }
}
