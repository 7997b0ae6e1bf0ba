//! The index in an SQLite database.
//!
//! A file is added after it has been written and before it becomes visible, and stays until it has
//! been removed. So indexed files are complete, and a crash leaves at most a file that is not in
//! the index.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ddg_core::__store::SqliteFile;
use sqlx::Row;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow, SqliteSynchronous};

use super::super::file::Record;
use super::super::registry::{Entry, Place};
use super::super::{File, FileError};

/// The statements that bring the tables to each version, starting with 1.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/files/1.sql")];

/// An index in an SQLite database.
#[derive(Debug)]
pub(in crate::files) struct Index {
    database: SqliteFile,
    /// The name of the index in messages.
    name: String,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Index {
    /// Opens the database at `path`, and creates it if it does not exist.
    pub(in crate::files) async fn open(path: &Path) -> Result<Self, FileError> {
        let name = format!("index of files `{}`", path.display());
        let failed = |error: sqlx::Error| FileError::Setup {
            message: format!(
                "{name} cannot be opened: {}; its folder must exist and be writable, and the file, if \
                 there is one, must be an SQLite database",
                cause(error)
            ),
        };
        let database = SqliteFile::open(path, SqliteSynchronous::Full).await.map_err(failed)?;
        let index = Self { database, name };
        let known = MIGRATIONS.len() as u64;
        let found = index.database.migrate("ddg_file_schema", MIGRATIONS).await;
        let found = found.map_err(|error| index.explain("prepare its tables")(cause(error)))?;
        if found > known {
            let message = format!(
                "{} has tables of version {found}, but this program knows versions up to {known}: run \
                 it with a newer ddg-agentic",
                index.name
            );
            return Err(FileError::Setup { message });
        }
        Ok(index)
    }

    /// All files in the order of their creation.
    pub(in crate::files) async fn load(&self) -> Result<Vec<Entry>, FileError> {
        let sql = "select record, place, path, owned from ddg_files order by seq";
        let read = async { sqlx::query(sql).fetch_all(&mut *self.database.read().await?).await };
        let rows = read.await.map_err(|error| self.explain("read its files")(cause(error)))?;
        rows.iter().map(|row| entry(row).map_err(self.explain("read a file of it"))).collect()
    }

    pub(in crate::files) async fn add(&self, entry: &Entry) -> Result<(), FileError> {
        let explain = self.explain("note a file");
        let record = serde_json::to_string(entry.file.record());
        let record = record.map_err(|error| explain(error.into()))?;
        let (place, path) = match &entry.place {
            Place::Folder(_) => ("folder", None),
            Place::Remote => ("remote", None),
            Place::Path(path) => match path.to_str() {
                Some(path) => ("path", Some(path)),
                None => return Err(explain("the path is not UTF-8".into())),
            },
        };
        // Another process may have retrieved the same remote file.
        let sql = "insert into ddg_files (id, record, place, path, owned) values ($1, $2, $3, $4, $5) \
                   on conflict (id) do nothing";
        let query = sqlx::query(sql).bind(entry.file.id()).bind(record).bind(place);
        let done = self.write(query.bind(path).bind(entry.owned)).await;
        done.map_err(|error| explain(cause(error)))
    }

    pub(in crate::files) async fn remove(&self, id: &str) -> Result<(), FileError> {
        let query = sqlx::query("delete from ddg_files where id = $1").bind(id);
        let done = self.write(query).await;
        done.map_err(|error| self.explain("forget a file")(cause(error)))
    }

    async fn write(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<(), sqlx::Error> {
        let mut write = self.database.write().await?;
        query.execute(&mut *write).await?;
        write.commit().await
    }

    pub(in crate::files) async fn close(&self) {
        self.database.close().await;
    }

    /// Creates a function that converts errors of `action`.
    fn explain(&self, action: &'static str) -> impl Fn(BoxError) -> FileError {
        move |error| FileError::Index { index: self.name.clone(), action, source: Arc::from(error) }
    }
}

fn entry(row: &SqliteRow) -> Result<Entry, BoxError> {
    let record: Record = serde_json::from_str(row.try_get("record")?)?;
    let place = match (row.try_get("place")?, row.try_get::<Option<String>, _>("path")?) {
        ("folder", None) => Place::Folder(record.id.clone()),
        ("remote", None) => Place::Remote,
        ("path", Some(path)) => Place::Path(PathBuf::from(path)),
        (other, _) => return Err(format!("`{other}` is not the place of a file").into()),
    };
    if !super::super::id::is_id(&record.id) {
        // The id becomes a file name in the folder, so it must be one that a manager has chosen.
        return Err(format!("{:?} is not a file id", record.id).into());
    }
    Ok(Entry::new(File::new(record), place, row.try_get("owned")?))
}

/// The error of the database or the system, without what sqlx puts before it.
fn cause(error: sqlx::Error) -> BoxError {
    match error {
        sqlx::Error::Database(error) => error.into_error(),
        sqlx::Error::Io(error) => error.into(),
        other => other.into(),
    }
}
