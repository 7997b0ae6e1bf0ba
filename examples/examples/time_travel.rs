//! Goes back in a run that has ended, changes what a step gave, and goes on from there.

use ddg_core::checkpoint::{MemoryStore, RunId};
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
    let durable = automa.durable(MemoryStore::new());

    let outcome = durable.run("first", args!("Graphs")).await?;
    println!("first:  {}", outcome.into_output::<String>()?);

    println!("\nwhat the run was after each step:");
    for step in durable.store().steps(&RunId::new("first")?).await? {
        let snapshot = durable.snapshot_at("first", step.step).await?;
        let output =
            |key| snapshot.output(key).map_or("-".to_owned(), |value| format!("{value:?}"));
        println!("  {}: draft {}, review {}", step.step, output("draft"), output("review"));
    }

    durable.fork("first", 1, "second").await?;
    let change = |snapshot: &mut ddg_core::Snapshot| {
        snapshot.set_output("draft", "Graphs that grow are more interesting.".to_owned());
        Ok(())
    };
    durable.edit("second", change).await?;
    let outcome = durable.run("second", ()).await?;
    println!("\nsecond: {}", outcome.into_output::<String>()?);
    let first = durable.run("first", ()).await?;
    println!("first:  {} (as it was)", first.into_output::<String>()?);
    Ok(())
}
