//! What a worker costs, beside one `tokio::spawn` per worker in the same process.
//!
//! Run it with `cargo run --release -p benches --bin throughput`. Read the ratios: the times are
//! those of the machine and its load.

use benches::{chain, fan, looped, median_ns, tree};
use ddg_core::prelude::*;
use tokio::task::JoinSet;

const N: usize = 1000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // On a thread of the runtime, where users run.
    tokio::spawn(measure()).await?.map_err(Into::into)
}

async fn measure() -> Result<(), BuildError> {
    let in_a_row = median_ns(N, || async {
        for _ in 0..N {
            let mut set = JoinSet::new();
            set.spawn(async {});
            set.join_next().await;
        }
    })
    .await;
    let at_once = median_ns(N, || async {
        let mut set = JoinSet::new();
        (0..N).for_each(|_| _ = set.spawn(async {}));
        while set.join_next().await.is_some() {}
    })
    .await;

    println!("{:<14} {:>9} {:>10}", "workload", "ns/worker", "per spawn");
    println!("{:<14} {in_a_row:>9.0} {:>10.2}", "spawn in a row", 1.0);
    println!("{:<14} {at_once:>9.0} {:>10.2}", "spawn at once", 1.0);
    let n = N as u64;
    for (name, automa, args, spawn) in [
        ("chain", chain(N)?, args!(), in_a_row),
        ("loop", looped()?, args!(n), in_a_row),
        ("fan", fan(N)?, args!(), at_once),
        ("tree", tree(N)?, args!(), at_once),
    ] {
        let ns = median_ns(N, || automa.outcome(args.clone())).await;
        println!("{name:<14} {ns:>9.0} {:>10.2}", ns / spawn);
    }
    Ok(())
}
