//! An agent with skills: it sees what each is good for, reads the one that fits, and runs a script
//! of it, which this program has allowed.
//!
//! The model is scripted, so that the program needs no network.

use ddg_agentic::message::ToolArguments;
use ddg_agentic::prelude::*;
use ddg_agentic::skill::Skills;
use ddg_core::printable;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let skills = Skills::load(concat!(env!("CARGO_MANIFEST_DIR"), "/skills"))?;
    println!("What the model sees of the skills:\n\n{}\n", skills.prompt());

    let haiku = skills.skill("haiku").ok_or("the skill `haiku` is missing")?;
    let count = haiku
        .script("scripts/count_lines.sh")?
        .run_with("sh")
        .name("count_lines")
        .description("Counts the lines of its standard input.");
    let tools = Toolbox::builder().with(skills.reader()).with(count).build()?;

    let poem = "The old pond is still\na frog jumps into the haze\nthe sound of water";
    let model = ScriptedModel::new()
        .calls([ToolCall::new("1", "read_skill", json!({ "skill": "haiku" }))])
        .calls([ToolCall::new(
            "2",
            "read_skill",
            json!({ "skill": "haiku", "file": "references/seasons.md" }),
        )])
        .calls([ToolCall::new("3", "count_lines", json!({ "stdin": poem }))])
        .text(poem);
    let agent = ReActAutoma::new(model)
        .system(format!("You write.\n\n{}", skills.prompt()))
        .tools(tools)
        .build()?;

    let outcome = agent.run(args!("A poem about spring, please.")).await?;
    println!("What it did:\n");
    for message in &outcome.conversation.messages {
        for call in message.tool_calls() {
            if let ToolArguments::Json(json) = &call.arguments {
                println!("  {} {json}", call.name);
            }
        }
        if let Message::Tool(result) = message {
            let first = result.content.lines().next().unwrap_or_default();
            println!("    -> {} …", printable::line(first));
        }
    }
    println!("\nIts answer:\n\n{}", printable::lines(&outcome.text()));
    Ok(())
}
