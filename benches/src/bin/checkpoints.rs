//! What it costs to keep a run in a file: a table, and the part of `docs/benchmarks.md` on it.
//!
//! ```text
//! cargo run --release -p benches --features sqlite --bin checkpoints -- [--quick] [--json FILE]
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use benches::checkpoints::letters::Running;
use benches::checkpoints::{measure, report};
use benches::options::Options;
use benches::report::machine::Machine;
use benches::report::marked;

const N_WORKERS: [usize; 3] = [10, 100, 1_000];
const N_WITH_STATE: [usize; 4] = [10, 100, 1_000, 10_000];
const N_RUNS: [usize; 4] = [1, 10, 100, 1_000];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(env::args().skip(1))?;
    let (steps, turns) = if options.quick { (50, 1) } else { (1_000, 5) };
    let machine = Machine::this();
    let mut figures = Vec::new();
    for running in Running::ALL {
        for n_workers in N_WORKERS {
            eprint!("{n_workers} workers, running: {running:?} … ");
            let began = Instant::now();
            figures.extend(measure::measure(running, n_workers, steps, turns).await?);
            eprintln!("{:.1} s", began.elapsed().as_secs_f64());
        }
    }
    let journal = measure::journal(1_000).await?;
    let mut together = Vec::new();
    for runs in N_RUNS {
        together.push(measure::together(runs, 10 * steps, turns).await?);
    }
    let mut later = Vec::new();
    for n_workers in N_WITH_STATE {
        later.push(measure::later_step(n_workers, steps, turns).await?);
    }
    let (table, at_once) = (report::table(&figures), report::at_once(&together));
    let (sentence, steps_table) = (report::sentence(&journal), report::later_steps(&later));
    let text = format!("{table}\n{sentence}\n{at_once}\n{steps_table}");
    print!("{text}");
    if let Some(file) = &options.json {
        let mut lines = figures.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        lines.push(serde_json::to_string(&journal)?);
        for together in &together {
            lines.push(serde_json::to_string(together)?);
        }
        for later in &later {
            lines.push(serde_json::to_string(later)?);
        }
        fs::write(file, lines.join("\n") + "\n")?;
    }
    if !options.quick {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        marked::write(&page, "checkpoints", &format!("\n{}\n\n{text}\n", machine.describe()))?;
        eprintln!("docs/benchmarks.md has the new figures");
    }
    Ok(())
}
