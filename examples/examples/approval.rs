//! An agent that pays only what a person has approved. The person may take a day: the run ends with
//! the question, and another process resumes it.
//!
//! ```text
//! approval                                 asks on the terminal
//! approval --snapshot FILE                 ends on the question, the run is in FILE
//! approval --snapshot FILE --answer yes    goes on with it (or `no`)
//! ```

use ddg_agentic::prelude::*;
use ddg_core::printable;
use examples::Asking;

/// Pays a bill.
#[tool]
async fn pay(
    /// Whom.
    to: String,
    /// How much, in euros.
    euros: u32,
) -> String {
    format!("paid {euros} euros to {to}")
}

/// What a person is asked, in words.
fn in_words(question: &Value) -> String {
    match question.get::<Approval>() {
        Ok(Approval { tool, arguments, .. }) => format!("May `{tool}` be called with {arguments}?"),
        Err(error) => error.to_string(),
    }
}

fn verdict(typed: &str) -> Verdict {
    match typed.trim() {
        "y" | "yes" => Verdict::Allow,
        _ => Verdict::Deny { reason: "a person said no".to_owned() },
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tools =
        Toolbox::builder().with_options(pay::tool(), ToolOptions::new().approval()).build()?;
    let agent = ReActAutoma::new(examples::model()?).tools(tools).build()?;
    let task = args!("Pay 30 euros to Ada.");
    if let Some(outcome) = Asking::from_args()?.run(&agent, task, in_words, verdict).await? {
        let text = outcome.into_output::<AgentOutcome>()?.text();
        println!("{}", printable::lines(&text));
    }
    Ok(())
}
