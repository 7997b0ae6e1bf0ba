//! What a turn of an agent costs, and a streamed reply in many pieces: two tables, and the part of
//! `docs/benchmarks.md` on them.
//!
//! ```text
//! cargo run --release -p benches --features agents,peers --bin agents -- [--quick] [--json FILE]
//! ```

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use benches::agents::{measure, pieces, report};
use benches::counting::CountingAllocator;
use benches::options::Options;
use benches::report::machine::Machine;
use benches::report::marked;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How many calls a turn has.
const N_CALLS: [usize; 2] = [1, 8];

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(env::args().skip(1))?;
    let runs = if options.quick { 3 } else { 21 };
    let machine = Machine::this();
    let mut figures = Vec::new();
    for n_calls in N_CALLS {
        figures.extend(measure::measure(n_calls, runs).await?);
    }
    let (lengths, runs) = match options.quick {
        true => (&pieces::LENGTHS[..2], 1),
        false => (&pieces::LENGTHS[..], 5),
    };
    let in_pieces = pieces::measure(lengths, runs).await?;
    let text = format!("{}\n{}", report::table(&figures), pieces::table(&in_pieces));
    print!("{text}");
    if let Some(file) = &options.json {
        let mut lines = figures.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        for figure in &in_pieces {
            lines.push(serde_json::to_string(figure)?);
        }
        fs::write(file, lines.join("\n") + "\n")?;
    }
    if !options.quick {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        marked::write(&page, "agents", &format!("\n{}\n\n{text}\n", machine.describe()))?;
        eprintln!("docs/benchmarks.md has the new figures");
    }
    Ok(())
}
