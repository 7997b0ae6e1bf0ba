//! Agents that solve a riddle together: three text files, a question in letters, and an answer.
//!
//! The table shows each message: an extractor gets one for each file, the calculator is asked with
//! what is known so far and stops while a value is missing, and the checker computes again.

use ddg_agentic::riddles::{AgentMessage, DataType, Management, MessageFilter, agents};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shared = tempfile::tempdir()?;
    let mut riddle = AgentMessage::new("x * y =").id("product");
    for (letter, number) in [("x", 10), ("y", 15), ("z", 20)] {
        let file = format!("{letter}.txt");
        std::fs::write(shared.path().join(&file), format!("{letter} = {number}"))?;
        riddle = riddle.data(DataType::Text, file);
    }
    let management = Management::builder(shared.path())
        .agent("text", agents::Text)
        .agent("calculator", agents::Calculator)
        .agent("checker", agents::Checker)
        .build()
        .await?;
    let outcome = management.pose(riddle).await?.outcome().await?;

    println!("{:>3}  {:<10}  {:<10}  {:<10}  what", "no", "from", "to", "stage");
    for message in management.messages(&MessageFilter::default().riddle("product")).await? {
        let said = &message.message;
        let what = match (message.stage.as_str(), said.solution.first(), said.item) {
            (_, Some(solution), _) => format!("{} ({})", solution.solution, solution.explanation),
            ("extract", None, Some(item)) => said.data[item].file_plain.clone(),
            ("solve" | "stop", None, _) => {
                let known = said.data.iter().filter(|data| data.file_extracted.is_some());
                format!("{} of {} files known", known.count(), said.data.len())
            }
            _ => said.riddle.question.clone(),
        };
        let (from, to) = (&message.from, &message.to);
        println!("{:>3}  {from:<10}  {to:<10}  {:<10}  {what}", message.number, message.stage);
    }
    println!("\n{} {}", outcome.message.riddle.question, outcome.state);
    println!("{}", outcome.answer().unwrap_or("no answer"));
    assert_eq!(outcome.answer(), Some("150"));
    Ok(())
}
