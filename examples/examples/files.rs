//! One tool passes a file to another by its id, and the answer has the file as a part.
//!
//! A model can only pass text. So the first tool returns an id, the model passes it to the second,
//! and names it in its answer. The program resolves the ids in the answer.
//!
//! Run it with `cargo run -p examples --example files`.

use ddg_agentic::files::{File, FileError, FileManager};
use ddg_agentic::model::ChatRequest;
use ddg_agentic::prelude::*;
use ddg_agentic::react::AnswerPart;
use ddg_core::printable;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;

/// The notes of the weather station.
#[derive(Serialize)]
struct Readings {
    table: File,
    rows: usize,
}

/// Fetches the readings of a weather station, as a table.
#[tool]
async fn fetch(
    /// The city, as "Delft".
    city: String,
    files: State<FileManager>,
) -> Result<Readings, FileError> {
    let table = "day,degrees\nMon,14\nTue,17\nWed,21\n";
    let file = files.create_from_bytes(table, format!("{city}.csv")).await?;
    Ok(Readings { table: file, rows: 3 })
}

/// Draws a chart of a table.
#[tool]
async fn plot(
    /// The table.
    table: File,
    files: State<FileManager>,
) -> Result<File, FileError> {
    let text = String::from_utf8_lossy(&files.read(table.id()).await?).into_owned();
    let rows = text.lines().skip(1).filter_map(|row| row.split_once(','));
    let bar = |(day, degrees): (&str, &str)| {
        let length = degrees.parse().unwrap_or(0);
        format!("{day} {} {degrees} °C\n", "#".repeat(length))
    };
    let chart: String = rows.map(bar).collect();
    files.create_from_bytes(chart, "chart.txt").purpose("assistants_output").await
}

/// Stands for a model: passes on the ids that it gets.
#[derive(Debug)]
struct Analyst;

impl ChatModel for Analyst {
    fn name(&self) -> &str {
        "analyst"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let results: Vec<_> = request
            .messages
            .iter()
            .filter(|message| matches!(message, Message::Tool(_)))
            .map(Message::text)
            .collect();
        let call = |id: &str, tool: &str, arguments| {
            ChatReply::calls([ToolCall::new(id, tool, arguments)])
        };
        let reply = match results.as_slice() {
            [] => call("call_1", "fetch", json!({ "city": "Delft" })),
            [readings] => {
                let readings: serde_json::Value =
                    serde_json::from_str(readings).unwrap_or_default();
                call("call_2", "plot", json!({ "table": readings["table"] }))
            }
            [.., chart] => ChatReply::text(format!("It gets warmer:\n{chart}\nTake a hat.")),
        };
        Box::pin(async move { Ok(reply) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = FileManager::new();
    let agent = ReActAutoma::new(Analyst)
        .tools(Toolbox::builder().with(fetch::tool()).with(plot::tool()).build()?)
        .files(files.clone())
        .build()?;
    let outcome = agent.run(args!("How is the weather in Delft this week?")).await?;

    let names = |files: &[File]| {
        let names: Vec<_> = files.iter().map(File::filename).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    for step in outcome.steps() {
        let (took, gave) = (names(&step.input_files), names(&step.output_files));
        let line = format!("{}: took {took}, gave {gave}", step.call.name);
        println!("{}", printable::line(&line));
    }
    println!();
    for part in outcome.parts() {
        match part {
            AnswerPart::Text(text) => println!("{}", printable::lines(text.trim())),
            AnswerPart::File(file) => {
                println!("\n[{}, {} bytes]", printable::line(file.filename()), file.len());
                let content = files.read(file.id()).await?;
                println!("{}", printable::lines(&String::from_utf8_lossy(&content)));
            }
            _ => {}
        }
    }

    let steps = outcome.steps();
    assert_eq!(steps[0].output_files, steps[1].input_files, "the table went from tool to tool");
    assert_eq!(outcome.parts().len(), 3);
    files.close().await?;
    Ok(())
}
