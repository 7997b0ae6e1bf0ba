//! Documents and recordings from a server to a model, both ours: as tools, resources and prompts
//! give them.

use ddg_agentic::mcp::{McpData, McpEndpoint, McpPrompt, McpResource, McpService};
use ddg_agentic::message::{Attachment, Audio, ContentPart, Document};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::ToolOutput;
use serde_json::json;

use super::ours::over_http;

fn report() -> Document {
    Document::bytes("application/pdf", "%PDF").name("report.pdf")
}

/// Gives files.
#[tool]
async fn files() -> ToolOutput {
    let notes = Document::bytes("text/plain", "Tea at four.").name("notes.txt");
    let far = Document::url("application/pdf", "https://example.com/a.pdf").name("a.pdf");
    ToolOutput::text("Files:")
        .attach(report())
        .attach(Audio::wav("UklGRg=="))
        .attach(notes)
        .attach(far)
}

#[tokio::test]
async fn they_reach_the_model() {
    let tools = Toolbox::builder().with(files::tool()).build().unwrap();
    let parts =
        || vec![ContentPart::audio(Audio::wav("UklGRg==")), ContentPart::document(report())];
    let pdf = McpResource::new("ours://report.pdf", "report").media_type("application/pdf");
    let service = McpService::new("ours", tools)
        .resource(pdf, async || Ok(McpData::Base64("JVBERg==".to_owned())))
        .prompt(McpPrompt::new("hear"), move |_| {
            let content = parts();
            async move { Ok(vec![Message::User { content }]) }
        });
    let client = McpEndpoint::http(over_http(service).await).connect().await.unwrap();

    let tools = Toolbox::builder()
        .source(client.clone())
        .with_all(client.resource_tools())
        .build()
        .unwrap();
    let read = json!({ "uri": "ours://report.pdf" });
    let calls = [ToolCall::new("1", "files", json!({})), ToolCall::new("2", "read_resource", read)];
    let model = ScriptedModel::new().calls(calls).text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Look.")).await.unwrap();
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result).collect();
    let expected = [Attachment::from(report()), Audio::wav("UklGRg==").into()];
    assert_eq!(results[0].attachments, expected, "{}", results[0].content);
    let told = &results[0].content;
    assert!(told.starts_with("Files:\n[document notes.txt: text/plain]\nTea at four.\n"), "{told}");
    assert!(told.contains("[resource https://example.com/a.pdf: a.pdf]"), "{told}");
    assert_eq!(results[1].attachments, [Attachment::from(report())]);
    assert_eq!(results[1].content, "[application/pdf, 4 bytes]");

    // A message of a prompt has one part.
    let prompt = client.prompt("hear", [("", ""); 0]).await.unwrap();
    let prompted: Vec<_> = prompt
        .into_iter()
        .flat_map(|message| match message {
            Message::User { content } => content,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        prompted,
        [ContentPart::audio(Audio::wav("UklGRg==")), ContentPart::document(report()),]
    );
}
