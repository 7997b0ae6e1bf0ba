//! A run that asks a person before it spends money.
//!
//! On the terminal it waits for the answer. With `--snapshot FILE` it writes the question down and
//! ends; called again with `--answer`, in another process, it goes on from there:
//!
//! ```text
//! cargo run --example human_in_the_loop -- --snapshot /tmp/order.json
//! cargo run --example human_in_the_loop -- --snapshot /tmp/order.json --answer yes
//! ```

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use ddg_core::Snapshot;
use ddg_core::prelude::*;

async fn quote(item: String) -> u32 {
    println!("  asking for the price of {item}");
    item.len() as u32 * 30
}

async fn approve(price: u32, cx: Context) -> Result<bool, WorkerError> {
    let answer: String = cx.interact_with_human(format!("It costs {price} euros. Buy it?"))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

async fn buy(approved: bool, item: String) -> String {
    if approved { format!("bought {item}") } else { format!("did not buy {item}") }
}

fn automa() -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("order");
    automa.add_func_as_worker("quote", quote, start().params(["item"]))?;
    automa.add_func_as_worker("approve", approve, after(["quote"]))?;
    let options = after(["approve"]).params(["approved", "item"]).output();
    automa.add_func_as_worker("buy", buy, options)?;
    Ok(automa)
}

#[derive(Default)]
struct Options {
    snapshot: Option<PathBuf>,
    answer: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} takes a value"))?;
        match name.as_str() {
            "--snapshot" => options.snapshot = Some(value.into()),
            "--answer" => options.answer = Some(value),
            _ => return Err(format!("unknown option {name}: there are --snapshot, --answer")),
        }
    }
    Ok(options)
}

/// Asks on the terminal; where there is none, nobody is there to say yes.
fn ask(question: &Value) -> io::Result<String> {
    print!("{} [y/n] ", question.get::<String>().unwrap_or_default());
    io::stdout().flush()?;
    if !io::stdin().is_terminal() {
        println!("n (this is no terminal)");
        return Ok("n".to_owned());
    }
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    let automa = automa()?;
    let mut outcome = match (&options.snapshot, options.answer) {
        (Some(file), Some(answer)) => {
            let mut snapshot: Snapshot = serde_json::from_str(&fs::read_to_string(file)?)?;
            for question in snapshot.questions() {
                snapshot.answer(&question.id, answer.clone())?;
            }
            automa.resume(snapshot).await?
        }
        (None, Some(_)) => return Err("--answer needs the --snapshot that it answers".into()),
        (_, None) => automa.outcome(args!(item = "a bicycle")).await?,
    };
    while outcome.is_paused() {
        let mut snapshot = outcome.snapshot()?;
        if let Some(file) = &options.snapshot {
            for question in outcome.questions() {
                println!("question {}: {:?}", question.id, question.content);
            }
            fs::write(file, serde_json::to_string(&snapshot)?)?;
            println!("the run is in {}; answer it with --answer yes", file.display());
            return Ok(());
        }
        for question in outcome.questions() {
            snapshot.answer(&question.id, ask(&question.content)?)?;
        }
        outcome = automa.resume(snapshot).await?;
    }
    println!("{}", outcome.into_output::<String>()?);
    Ok(())
}
