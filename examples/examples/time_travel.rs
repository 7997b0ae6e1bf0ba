//! Forks a run that has ended at an earlier step, changes the output of that step, and continues.

use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::prelude::*;

async fn draft(topic: String) -> String {
    format!("{topic} are interesting.")
}

async fn review(text: String) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

async fn publish(words: Vec<String>) -> String {
    format!("{} words: {}", words.len(), words.join(" "))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut automa = GraphAutoma::new("article");
    automa.add_func_as_worker("draft", draft, start())?;
    automa.add_func_as_worker("review", review, after(["draft"]))?;
    automa.add_func_as_worker("publish", publish, after(["review"]).output())?;
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);

    let first: String = automa.run(args!("Graphs")).stored_in(&store, "first").output().await?;
    println!("first:  {first}");

    println!("\nwhat the run was after each step:");
    for step in runs.history("first").await? {
        let snapshot = runs.snapshot_at("first", step.step).await?;
        let output =
            |key| snapshot.output(key).map_or("-".to_owned(), |value| format!("{value:?}"));
        println!("  {}: draft {}, review {}", step.step, output("draft"), output("review"));
    }

    runs.fork("first", 1, "second").await?;
    let change = |snapshot: &mut ddg_core::snapshot::Snapshot| {
        snapshot.set_output("draft", "Graphs that grow are more interesting.".to_owned());
        Ok(())
    };
    runs.edit("second", change).await?;
    let second: String = automa.run(()).stored_in(&store, "second").output().await?;
    println!("\nsecond: {second}");
    let first: String = automa.run(()).stored_in(&store, "first").output().await?;
    println!("first:  {first} (as it was)");
    Ok(())
}
