//! Measures what the platform of riddles costs: 1,000 riddles with three agents of this process, all
//! posed at once, in memory and in an SQLite file.
//!
//! ```text
//! cargo run --release -p benches --features riddles --bin riddles
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use benches::counting::{CountingAllocator, counted};
use ddg_agentic::riddles::{
    AgentMessage, DataType, Management, MessageFilter, RiddleState, RiddleStore, agents,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

type Failure = Box<dyn Error + Send + Sync>;

/// Riddles that are posed at once.
const N: usize = 1_000;
/// Measured rounds. The median is reported.
const ROUNDS: usize = 5;

/// One round: riddles per second, and messages of one riddle.
async fn round(folder: &Path, store: RiddleStore) -> Result<(f64, usize), Failure> {
    std::fs::write(folder.join("x.txt"), "x = 10")?;
    let management = Management::builder(folder)
        .store(store)
        .agent("text", agents::Text)
        .agent("calculator", agents::Calculator)
        .agent("checker", agents::Checker)
        .build()
        .await?;
    let began = Instant::now();
    let mut riddles = Vec::new();
    for n in 0..N {
        let riddle = AgentMessage::new("x * 15 =").id(format!("r{n}"));
        riddles.push(management.pose(riddle.data(DataType::Text, "x.txt")).await?);
    }
    for riddle in &riddles {
        let outcome = riddle.outcome().await?;
        if outcome.state != RiddleState::Solved || outcome.answer() != Some("150") {
            return Err(format!("{} is not solved: {outcome:?}", riddle.id()).into());
        }
    }
    let rate = N as f64 / began.elapsed().as_secs_f64();
    let of_one = MessageFilter::default().riddle("r0").limit(1_000);
    Ok((rate, management.messages(&of_one).await?.len()))
}

async fn store(folder: &Path, in_file: bool) -> Result<RiddleStore, Failure> {
    Ok(if in_file {
        RiddleStore::open(folder.join("riddles.db")).await?
    } else {
        RiddleStore::in_memory()
    })
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    println!("| kept | riddles/s | messages of a riddle | peak memory, KiB per riddle |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, in_file) in [("in memory", false), ("SQLite", true)] {
        let (mut rates, mut n_messages) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir_in(".")?;
            let store = store(folder.path(), in_file).await?;
            let (rate, n) = round(folder.path(), store).await?;
            rates.push(rate);
            n_messages = n;
        }
        // Counted in a round of its own, because counting takes time.
        let folder = tempfile::tempdir_in(".")?;
        let store = store(folder.path(), in_file).await?;
        let mut failed = None;
        let allocated = counted(async {
            failed = round(folder.path(), store).await.err();
        });
        let peak = allocated.await.peak;
        if let Some(error) = failed {
            return Err(error);
        }
        rates.sort_unstable_by(f64::total_cmp);
        let (rate, kib) = (rates[ROUNDS / 2], peak as f64 / 1024.0 / N as f64);
        println!("| {name} | {rate:.0} | {n_messages} | {kib:.1} |");
    }
    Ok(())
}
