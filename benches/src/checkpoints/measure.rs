//! The measuring: all modes take turns with one graph, each with its bare writes right after it.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io};

use ddg_core::GraphAutoma;
use ddg_core::checkpoint::{MemoryStore, SqliteStore, StoredRuns};
use serde::Serialize;
use tempfile::TempDir;

use super::letters::{Running, automa};
use super::watched::{Watched, Writes};
use super::{Mode, bare};

/// What runs of one graph have shown in one mode; times are medians of the turns.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Which workers run in a step.
    pub running: Running,
    /// How many workers there are.
    pub n_workers: usize,
    /// When the run is written.
    pub mode: Mode,
    /// How many steps a run has.
    pub steps: u64,
    /// The time of a run, divided by its steps.
    pub us_per_step: f64,
    /// What of it the store took, from handing over to being confirmed.
    pub store_us_per_step: f64,
    /// The time of as many bare transactions of as many bytes, divided by the steps.
    pub bare_us_per_step: f64,
    /// [`us_per_step`](Self::us_per_step) divided by
    /// [`bare_us_per_step`](Self::bare_us_per_step), turn by turn.
    pub ratio_to_bare: Option<f64>,
    /// Transactions, divided by the steps.
    pub writes_per_step: f64,
    /// The bytes of the entries, divided by the steps.
    pub entry_bytes_per_step: f64,
    /// The size of the file once it is closed, divided by the steps.
    pub file_bytes_per_step: f64,
}

/// What a run of one worker leaves, and what it takes to read it.
#[derive(Clone, Debug, Serialize)]
pub struct Journal {
    /// How many steps it has.
    pub steps: u64,
    /// The size of the file with its log, while it is open.
    pub open_bytes: u64,
    /// The size of the file once it is closed.
    pub closed_bytes: u64,
    /// The steps of which the state has been read.
    pub read: u64,
    /// The time to read the state after a step, on the average of all.
    pub us_per_read: f64,
}

/// What a step costs when many workers have a state: the difference between a longer run and a
/// shorter one, so that the first step, which writes all of them, does not count.
#[derive(Clone, Debug, Serialize)]
pub struct LaterStep {
    /// How many workers have a state.
    pub n_workers: usize,
    /// In a file, every step.
    pub us_in_a_file: f64,
    /// In memory, every step.
    pub us_in_memory: f64,
}

/// What runs at the same time on one file come to, together.
#[derive(Clone, Debug, Serialize)]
pub struct Together {
    /// How many runs are active at once.
    pub runs: usize,
    /// The steps of all of them that are written in a second: the median of the turns.
    pub steps_per_s: f64,
}

struct Turn {
    time: Duration,
    writes: Writes,
    bare: Duration,
    file_bytes: u64,
}

/// Measures runs of so many steps in all modes, each `turns` times.
///
/// # Errors
/// A run fails, or the disk does.
pub async fn measure(
    running: Running,
    n_workers: usize,
    steps: u64,
    turns: usize,
) -> Result<Vec<Figure>, Box<dyn Error>> {
    let automa = automa(running, n_workers)?;
    // The first run of a graph finds out what its workers cost.
    automa.run((3_u64,)).await?;
    let mut taken: Vec<Vec<Turn>> = Mode::ALL.iter().map(|_| Vec::new()).collect();
    for _ in 0..turns {
        for (mode, taken) in Mode::ALL.into_iter().zip(&mut taken) {
            taken.push(turn(&automa, mode, steps).await?);
        }
    }
    let figure = |(mode, turns): (Mode, Vec<Turn>)| {
        let per_step = |of: fn(&Turn) -> f64| median(turns.iter().map(of)) / steps as f64;
        let last = turns.last().expect("at least one turn is taken");
        let is_written = last.writes.count > 0;
        let ratio = |turn: &Turn| turn.time.as_secs_f64() / turn.bare.as_secs_f64();
        Figure {
            running,
            n_workers,
            mode,
            steps,
            us_per_step: per_step(|turn| micros(turn.time)),
            store_us_per_step: per_step(|turn| micros(turn.writes.time)),
            bare_us_per_step: per_step(|turn| micros(turn.bare)),
            ratio_to_bare: is_written.then(|| median(turns.iter().map(ratio))),
            writes_per_step: per_step(|turn| turn.writes.count as f64),
            entry_bytes_per_step: per_step(|turn| turn.writes.bytes as f64),
            file_bytes_per_step: per_step(|turn| turn.file_bytes as f64),
        }
    };
    Ok(Mode::ALL.into_iter().zip(taken).map(figure).collect())
}

async fn turn(automa: &GraphAutoma, mode: Mode, steps: u64) -> Result<Turn, Box<dyn Error>> {
    let Some(checkpoints) = mode.checkpoints() else {
        let began = Instant::now();
        automa.run((steps,)).outcome().await?;
        let (time, bare) = (began.elapsed(), Duration::ZERO);
        return Ok(Turn { time, writes: Writes::default(), bare, file_bytes: 0 });
    };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("runs.db");
    let store = Arc::new(Watched::new(SqliteStore::open_with(&path, mode.durability()).await?));
    let began = Instant::now();
    let run = automa.run((steps,)).stored_in(&store, "run").checkpoints(checkpoints);
    let outcome = run.outcome().await?;
    let time = began.elapsed();
    assert_eq!(outcome.steps(), steps, "the run has another length");
    drop(outcome);
    let writes = store.writes();
    drop(store);
    SqliteStore::open(&path).await?.close().await;
    let file_bytes = size(&folder)?;

    let mean_bytes = writes.bytes / writes.count;
    let path = folder.path().join("bare.db");
    let bare = bare::write(&path, writes.count, mean_bytes, mode.durability()).await?;
    Ok(Turn { time, writes, bare, file_bytes })
}

/// Measures what a step of one worker costs among `n_workers` that have a state.
///
/// # Errors
/// A run fails, or the disk does.
pub async fn later_step(
    n_workers: usize,
    steps: u64,
    turns: usize,
) -> Result<LaterStep, Box<dyn Error>> {
    let automa = automa(Running::One, n_workers)?;
    automa.run((3_u64,)).await?;
    let (mut file, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        let mut of_file = [Duration::ZERO; 2];
        let mut of_memory = [Duration::ZERO; 2];
        for (place, steps) in [steps, 3 * steps].into_iter().enumerate() {
            let folder = tempfile::tempdir()?;
            let store = SqliteStore::open(folder.path().join("runs.db")).await?;
            let began = Instant::now();
            automa.run((steps,)).stored_in(&store, "run").await?;
            of_file[place] = began.elapsed();
            let store = MemoryStore::new();
            let began = Instant::now();
            automa.run((steps,)).stored_in(&store, "run").await?;
            of_memory[place] = began.elapsed();
        }
        let per_step = |of: [Duration; 2]| (micros(of[1]) - micros(of[0])) / (2 * steps) as f64;
        file.push(per_step(of_file));
        memory.push(per_step(of_memory));
    }
    let (us_in_a_file, us_in_memory) = (median(file.into_iter()), median(memory.into_iter()));
    Ok(LaterStep { n_workers, us_in_a_file, us_in_memory })
}

/// Runs one worker in each of `runs` runs at once, which take `steps` steps together, `turns` times.
///
/// # Errors
/// A run fails, or the disk does.
pub async fn together(runs: usize, steps: u64, turns: usize) -> Result<Together, Box<dyn Error>> {
    let automa = automa(Running::One, 1)?;
    automa.run((3_u64,)).await?;
    let each = (steps / runs as u64).max(1);
    let mut taken = Vec::new();
    for _ in 0..turns {
        let folder = tempfile::tempdir()?;
        let store = SqliteStore::open(folder.path().join("runs.db")).await?;
        let began = Instant::now();
        let active = (0..runs)
            .map(|run| automa.run((each,)).stored_in(&store, format!("run {run}")).spawn());
        for run in active.collect::<Vec<_>>() {
            assert_eq!(run.outcome().await?.steps(), each, "the run has another length");
        }
        taken.push((each * runs as u64) as f64 / began.elapsed().as_secs_f64());
    }
    Ok(Together { runs, steps_per_s: median(taken.into_iter()) })
}

/// Runs one worker for so many steps, and reads the state after each.
///
/// # Errors
/// The run fails, a step cannot be read, or the disk fails.
pub async fn journal(steps: u64) -> Result<Journal, Box<dyn Error>> {
    let automa = automa(Running::One, 1)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("runs.db");
    let store = SqliteStore::open(&path).await?;
    automa.run((steps,)).stored_in(&store, "run").await?;
    let runs = StoredRuns::new(&store);
    let open_bytes = size(&folder)?;
    let began = Instant::now();
    let mut read = 0;
    for step in 0..=steps {
        let snapshot = runs.snapshot_at("run", step).await?;
        assert_eq!(snapshot.step(), step, "another step was read");
        read += 1;
    }
    let us_per_read = micros(began.elapsed()) / read as f64;
    drop((runs, store));
    SqliteStore::open(&path).await?.close().await;
    Ok(Journal { steps, open_bytes, closed_bytes: size(&folder)?, read, us_per_read })
}

/// The bytes of all files in `folder`.
fn size(folder: &TempDir) -> io::Result<u64> {
    fs::read_dir(folder.path())?.map(|file| Ok(file?.metadata()?.len())).sum()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The one in the middle.
fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<_> = all.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
