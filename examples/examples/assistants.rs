//! An assistant with a tool of the server and a function of the client, on a store, without HTTP.
//!
//! The run stops when it needs the client's function. The program closes the assistants, opens them
//! again as the next process would, and submits the output: the run continues where it was.

use ddg_agentic::assistants::{
    AssistantParams, AssistantStore, Assistants, MessageParams, RunParams, RunStatus, ThreadParams,
    ToolOutputParams,
};
use ddg_agentic::prelude::*;
use serde_json::json;

/// The weather forecast of a city.
#[tool]
async fn weather(city: String) -> String {
    format!("sunny in {city}, 24 °C")
}

async fn open(
    path: &std::path::Path,
    model: ScriptedModel,
) -> Result<Assistants, Box<dyn std::error::Error>> {
    let store = AssistantStore::open(path).await?;
    let tools = Toolbox::builder().with(weather::tool()).build()?;
    Ok(Assistants::open(store).model(model).tools(tools).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = ScriptedModel::new()
        .calls([
            ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" })),
            ToolCall::new("call_2", "book", json!({ "hotel": "Sakura" })),
        ])
        .text("It is sunny in Tokyo, and your room is booked.");
    let folder = std::env::temp_dir().join(format!("ddg-assistants-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("ddg.sqlite");

    let assistants = open(&path, model.clone()).await?;
    let ada = assistants.tenant("ada");
    let tools = json!([
        { "type": "weather" },
        { "type": "function", "function": { "name": "book", "description": "Books a room." } },
    ]);
    let params = json!({ "model": "scripted", "instructions": "You plan trips.", "tools": tools });
    let assistant = ada.create_assistant(AssistantParams::try_from(params)?).await?;
    let thread = ada.create_thread(ThreadParams::default()).await?;
    ada.create_message(&thread.id, MessageParams::user("Book a room in Tokyo.")).await?;
    let mut started = ada.create_run(&thread.id, RunParams::new(&assistant.id)).await?;
    while let Some(event) = started.events.next().await {
        let event = event?;
        println!("{:>3} {}", event.number, event.name);
    }
    let run = ada.run(&started.run.id).outcome().await?;
    assert_eq!(run.status, RunStatus::RequiresAction);
    assistants.close().await;

    let assistants = open(&path, model).await?;
    let run = assistants.tenant("ada").run(&run.id);
    run.submit(vec![ToolOutputParams::new("call_2", "room 7")]).await?;
    assert_eq!(run.outcome().await?.status, RunStatus::Completed);
    let ada = assistants.tenant("ada");
    let messages = ada.list_messages(&thread.id, None, &Default::default()).await?;
    println!("{}", messages.data[0].text());
    assert_eq!(messages.data[0].text(), "It is sunny in Tokyo, and your room is booked.");
    assistants.close().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
