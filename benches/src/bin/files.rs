//! Measures how fast files are created: 1,000 at once by a `FileManager`, compared with bare writes
//! of the same bytes that wait for the disk in the same way, in the same folder, in turns.
//!
//! ```text
//! cargo run --release -p benches --features agents,sqlite --bin files
//! ```

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ddg_agentic::files::FileManager;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, spawn_blocking};

type Failure = Box<dyn Error + Send + Sync>;

/// The number of files that are created at once.
const N: usize = 1_000;
/// Their sizes in bytes.
const SIZES: [usize; 3] = [1 << 10, 1 << 14, 1 << 18];
/// The number of measured rounds. The median is reported.
const ROUNDS: usize = 7;
/// The most that a file may cost in terms of bare writes. Without an index nothing is synced, so a
/// file costs as little as its two calls of the system; the ratio is then that of the bookkeeping.
const MOST: f64 = 2.0;

/// Whether files survive a power failure.
#[derive(Clone, Copy)]
enum Kept {
    /// Written; nobody waits for the disk.
    Written,
    /// Synced, and recorded in a database with one commit for each.
    Indexed,
}

impl Kept {
    fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Indexed => "synced, with an index",
        }
    }
}

/// Creates the files with a manager.
async fn managed(dir: &Path, bytes: &'static [u8], kept: Kept) -> Result<Duration, Failure> {
    let builder = FileManager::builder().save_dir(dir);
    let files = match kept {
        Kept::Written => builder.build().await?,
        Kept::Indexed => builder.index(dir.join("index.db")).build().await?,
    };
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..N {
        let creation = files.create_from_bytes(bytes, "a.bin");
        tasks.spawn(creation.into_future());
    }
    while let Some(created) = tasks.join_next().await {
        created??;
    }
    let took = began.elapsed();
    files.close().await?;
    Ok(took)
}

/// Writes a file, and waits for the disk if it is to be synced.
fn write(path: &Path, bytes: &[u8], kept: Kept) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    match kept {
        Kept::Written => Ok(()),
        Kept::Indexed => file.sync_data(),
    }
}

/// A database with one table.
async fn database(path: PathBuf) -> Result<SqliteConnection, Failure> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut database = options.connect().await?;
    sqlx::query("create table files (id text primary key, record text)")
        .execute(&mut database)
        .await?;
    Ok(database)
}

/// Writes the same without a manager.
async fn bare(dir: &Path, bytes: &'static [u8], kept: Kept) -> Result<Duration, Failure> {
    let database = match kept {
        Kept::Written => None,
        Kept::Indexed => Some(Arc::new(Mutex::new(database(dir.join("bare.db")).await?))),
    };
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..N {
        let (path, database) = (dir.join(format!("bare-{n}")), database.clone());
        tasks.spawn(async move {
            spawn_blocking(move || write(&path, bytes, kept)).await??;
            if let Some(database) = database {
                let insert = sqlx::query("insert into files (id, record) values ($1, $2)");
                let record = format!("{{\"filename\":\"a.bin\",\"number\":{n}}}");
                let insert = insert.bind(format!("file-local-{n}")).bind(record);
                insert.execute(&mut *database.lock().await).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(written) = tasks.join_next().await {
        written??;
    }
    Ok(began.elapsed())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut worst: f64 = 0.0;
    println!("| {N} files of | kept | bare, ms | FileManager, ms | to bare |");
    println!("| ---: | --- | ---: | ---: | ---: |");
    for kept in [Kept::Written, Kept::Indexed] {
        for size in SIZES {
            let bytes: &'static [u8] = (0..size).map(|n| n as u8).collect::<Vec<_>>().leak();
            let (mut managed_ms, mut bare_ms, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                // In turns, so that what disturbs one disturbs the other.
                let dir = tempfile::tempdir_in(".")?;
                let bare = bare(dir.path(), bytes, kept).await?.as_secs_f64() * 1e3;
                let dir = tempfile::tempdir_in(".")?;
                let managed = managed(dir.path(), bytes, kept).await?.as_secs_f64() * 1e3;
                ratios.push(managed / bare);
                managed_ms.push(managed);
                bare_ms.push(bare);
            }
            let (managed, bare, ratio) = (median(managed_ms), median(bare_ms), median(ratios));
            worst = worst.max(ratio);
            let (kib, kept) = (size >> 10, kept.name());
            println!("| {kib} KiB | {kept} | {bare:.1} | {managed:.1} | {ratio:.2} |");
        }
    }
    if worst > MOST {
        return Err(
            format!("a file takes {worst:.2} times as long as bare; {MOST} is the most").into()
        );
    }
    Ok(())
}
