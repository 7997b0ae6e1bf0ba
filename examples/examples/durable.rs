//! A run that survives its process: kill it at any time, start it again, and it continues.
//!
//! Without options it starts a process that is killed in the middle of the run, and then continues
//! the run.
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

use ddg_core::checkpoint::{SqliteStore, StoredRuns};
use ddg_core::prelude::*;

struct Options {
    db: PathBuf,
    log: PathBuf,
    steps: u64,
    die_at: Option<u64>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        db: std::env::temp_dir().join(format!("ddg-durable-{}.db", std::process::id())),
        log: std::env::temp_dir().join(format!("ddg-durable-{}.log", std::process::id())),
        steps: 20,
        die_at: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} takes a value"))?;
        match name.as_str() {
            "--db" => options.db = value.into(),
            "--log" => options.log = value.into(),
            "--steps" => {
                options.steps = value.parse().map_err(|error| format!("--steps: {error}"))?;
            }
            "--die-at" => {
                let step = value.parse().map_err(|error| format!("--die-at: {error}"))?;
                options.die_at = Some(step);
            }
            _ => {
                let known = "--db, --log, --steps, --die-at";
                return Err(format!("unknown option {name}: there are {known}"));
            }
        }
    }
    if options.steps == 0 {
        return Err("--steps: at least one".to_owned());
    }
    Ok(options)
}

fn automa(log: PathBuf, steps: u64, die_at: Option<u64>) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("durable");
    let step = move |k: u64, sum: u64, cx: Context| -> Result<(), WorkerError> {
        let mut file = OpenOptions::new().create(true).append(true).open(&log)?;
        // One write, because a process killed between two writes would leave half a line.
        file.write_all(format!("step {k}\n").as_bytes())?;
        file.sync_data()?;
        if die_at == Some(k) {
            println!("killed in step {k}, ahead of its end: start it again, without --die-at");
            std::process::abort();
        }
        if k < steps {
            cx.ferry_to("step", (k + 1, sum + k));
        } else {
            cx.ferry_to("end", (sum + k,));
        }
        Ok(())
    };
    automa.add_func_as_worker("step", step, start())?;
    automa.add_func_as_worker("end", async |sum: u64| sum, free().output())?;
    Ok(automa)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Options { db, log, steps, die_at } = options()?;
    if std::env::args().len() == 1 {
        let first = [OsStr::new("--die-at"), "12".as_ref(), "--db".as_ref(), db.as_ref()];
        let log = ["--log".as_ref(), log.as_os_str()];
        Command::new(std::env::current_exe()?).args(first).args(log).status()?;
    }
    let automa = automa(log, steps, die_at)?;
    let store = SqliteStore::open(&db).await?;
    match StoredRuns::new(&store).snapshot("run").await {
        Ok(snapshot) => println!("continuing after step {}", snapshot.step()),
        Err(_) => println!("a new run"),
    }
    let sum: u64 = automa.run(args!(1_u64, 0_u64)).stored_in(&store, "run").output().await?;
    println!("the sum of {steps} steps, each counted once:\n{sum}");
    Ok(())
}
