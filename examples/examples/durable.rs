//! A run that survives its process. The program starts a second process with a run of 20 steps,
//! which is killed in the middle of step 12, and then continues that run itself.
//!
//! With options it is one process that you can kill yourself, at any time and as often as you like:
//!
//! ```text
//! cargo run -p examples --features sqlite --example durable -- --db /tmp/run.db --log /tmp/run.log --steps 200
//! ```
//!
//! Each step appends a line `step K` to the log, and is then written to the database. If the
//! process is killed in between, that line is appended again; a step that is in the database never
//! runs again. With `--die-at K` the process kills itself in step K, and can be started again. The
//! last line of the output is the result: the sum of all steps.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ddg_core::checkpoint::{SqliteStore, StoredRuns};
use ddg_core::prelude::*;

struct Options {
    db: PathBuf,
    log: PathBuf,
    steps: u64,
    die_at: Option<u64>,
}

impl Options {
    /// Reads the arguments of the process.
    fn from_args() -> Result<Self, String> {
        let (mut db, mut log, mut steps, mut die_at) = (None, None, 20, None);
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} takes a value"))?;
            let number = || value.parse().map_err(|error| format!("{name}: {error}"));
            match name.as_str() {
                "--db" => db = Some(value.into()),
                "--log" => log = Some(value.into()),
                "--steps" => steps = number()?,
                "--die-at" => die_at = Some(number()?),
                _ => {
                    let known = "--db, --log, --steps, --die-at";
                    return Err(format!("unknown option {name}: there are {known}"));
                }
            }
        }
        if steps == 0 {
            return Err("--steps: at least one".to_owned());
        }
        let (Some(db), Some(log)) = (db, log) else {
            return Err("--db and --log are needed, or no option at all".to_owned());
        };
        Ok(Self { db, log, steps, die_at })
    }
}

fn automa(log: PathBuf, steps: u64, die_at: Option<u64>) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("durable");
    let step = move |k: u64, sum: u64, cx: Context| -> Result<(), WorkerError> {
        let mut file = OpenOptions::new().create(true).append(true).open(&log)?;
        // One write, because a process killed between two writes would leave half a line.
        file.write_all(format!("step {k}\n").as_bytes())?;
        file.sync_data()?;
        print!(" {k}");
        std::io::stdout().flush()?;
        // Leaves a person time to kill the process.
        sleep(Duration::from_millis(50));
        if die_at == Some(k) {
            println!(" …");
            std::process::abort();
        }
        if k < steps {
            cx.ferry_to("step", (k + 1, sum + k));
        } else {
            println!();
            cx.ferry_to("end", (sum + k,));
        }
        Ok(())
    };
    automa.add_func_as_worker("step", step, start())?;
    automa.add_func_as_worker("end", async |sum: u64| sum, free().output())?;
    Ok(automa)
}

/// Begins the run, or continues it if the database has it.
async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let Options { db, log, steps, die_at } = options;
    let store = SqliteStore::open(&db).await?;
    let process = std::process::id();
    match StoredRuns::new(&store).snapshot("run").await {
        Ok(snapshot) => {
            let n_stored = snapshot.step();
            println!("process {process} continues the run, after {n_stored} stored steps:");
        }
        Err(_) => println!("process {process} begins a run of {steps} steps:"),
    }
    print!("  step");
    let automa = automa(log, steps, die_at)?;
    let sum: u64 = automa.run(args!(1_u64, 0_u64)).stored_in(&store, "run").output().await?;
    println!("the sum of {steps} steps, each counted once:\n{sum}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().len() > 1 {
        return run(Options::from_args()?).await;
    }
    let folder = tempfile::tempdir()?;
    let (db, log) = (folder.path().join("run.db"), folder.path().join("run.log"));
    let mut killed = Command::new(std::env::current_exe()?)
        .args([OsStr::new("--die-at"), "12".as_ref(), "--db".as_ref(), db.as_ref()])
        .args(["--log".as_ref(), log.as_os_str()])
        .spawn()?;
    let status = killed.wait()?;
    println!("process {} was killed in a step: {status}\n", killed.id());
    run(Options { db, log: log.clone(), steps: 20, die_at: None }).await?;

    let log = std::fs::read_to_string(log)?;
    let n_begun = |step: &str| log.lines().filter(|line| *line == step).count();
    assert_eq!((n_begun("step 11"), n_begun("step 12"), n_begun("step 13")), (1, 2, 1));
    Ok(())
}
