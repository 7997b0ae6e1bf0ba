//! A workflow with an agent behind it: three steps that are programmed, and an agent for a step
//! that fails. The first order is as expected; in the second, a step meets what it was not written
//! for.
//!
//! The model is scripted, so that the program needs no network.

use ddg_agentic::compose::{DoneBy, Step, Workflow, WorkflowOutcome};
use ddg_agentic::prelude::*;
use ddg_core::printable;
use serde_json::json;

/// Reads a price such as `12 EUR`.
fn price(page: &str) -> Result<u32, String> {
    let euros = page.strip_suffix(" EUR").ok_or(format!("`{page}` is no price in EUR"))?;
    euros.parse().map_err(|_| format!("`{euros}` is no number"))
}

fn with_tax(euros: u32) -> u32 {
    euros + euros / 5
}

fn offer(euros: u32) -> String {
    format!("yours for {euros} EUR")
}

/// The rate of a currency in EUR.
#[tool]
async fn rate(currency: String) -> Result<f64, String> {
    match currency.as_str() {
        "JPY" => Ok(0.006),
        other => Err(format!("no rate for {other}")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = ScriptedModel::new()
        .calls([ToolCall::new("1", "rate", json!({ "currency": "JPY" }))])
        .text(r#"{ "value": 30 }"#);
    let agent = ReActAutoma::new(model)
        .tools(Toolbox::builder().with(rate::tool()).build()?)
        .limits(Limits::turns(5));
    let workflow = Workflow::new("shop", agent)
        .then_func(
            Step::giving::<u32>("price", "Reads the price on the page, in whole EUR."),
            price,
        )
        .then_func(Step::giving::<u32>("with_tax", "Adds a fifth as tax."), with_tax)
        .then_func(Step::giving::<String>("offer", "Writes the offer."), offer)
        .build()?;

    for page in ["50 EUR", "5000 JPY"] {
        let outcome: WorkflowOutcome = workflow.run(args!(page)).output().await?;
        println!("{page}");
        for step in &outcome.steps {
            match &step.by {
                DoneBy::Agent { error, answer, .. } => {
                    println!("  {:9} failed: {}", step.key, printable::line(error));
                    println!("  {:9} the agent: {}", "", printable::line(answer));
                }
                _ => println!("  {:9} done", step.key),
            }
        }
        println!("  = {}\n", printable::line(&outcome.output::<String>()?));
    }
    Ok(())
}
