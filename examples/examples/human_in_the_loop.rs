//! A run that asks a person before it spends money.
//!
//! On the terminal it waits for the answer. With `--snapshot FILE` it writes the question to the
//! file and ends. Called again with `--answer`, in another process, it resumes from there:
//!
//! ```text
//! cargo run -p examples --example human_in_the_loop -- --snapshot /tmp/order.json
//! cargo run -p examples --example human_in_the_loop -- --snapshot /tmp/order.json --answer yes
//! ```

use ddg_core::prelude::*;
use examples::Asking;

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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let in_words = |question: &Value| question.get::<String>().unwrap_or_default();
    let asking = Asking::from_args()?;
    let args = args!(item = "a bicycle");
    if let Some(outcome) = asking.run(&automa()?, args, in_words, str::to_owned).await? {
        println!("{}", outcome.into_output::<String>()?);
    }
    Ok(())
}
