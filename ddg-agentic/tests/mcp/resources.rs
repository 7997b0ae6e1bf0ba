//! Resources and prompts of the reference server: listed, read, subscribed to, and offered to models.

use ddg_agentic::Toolbox;
use ddg_agentic::mcp::{McpData, McpEndpoint, McpStdio};
use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::ToolResult;
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;

use super::call::{call, named};
use super::reference::everything;

fn reference() -> McpEndpoint<McpStdio> {
    McpEndpoint::stdio("node", [everything()]).name("everything")
}

#[tokio::test]
async fn resources_are_listed_and_read() {
    let client = reference().connect().await.unwrap();
    let listed = client.resources().await.unwrap();
    assert!(listed.len() > 3, "{listed:?}");
    let templates = client.resource_templates().await.unwrap();
    let templates: Vec<_> = templates.iter().map(|template| &*template.uri).collect();
    expect![[r#"
        demo://resource/dynamic/text/{resourceId}
        demo://resource/dynamic/blob/{resourceId}"#]]
    .assert_eq(&templates.join("\n"));
    let uri = "demo://resource/dynamic/text/2";
    let [contents] = &client.read_resource(uri).await.unwrap()[..] else { panic!() };
    assert_eq!(contents.uri, uri);
    let McpData::Text(text) = &contents.data else { panic!("{contents:?}") };
    assert!(text.starts_with("Resource 2"), "{text}");
    let error = client.read_resource("demo://nothing").await.unwrap_err().to_string();
    expect!["MCP server `everything` refuses `resources/read demo://nothing`: MCP error -32602: Resource demo://nothing not found"].assert_eq(&error);
}

#[tokio::test]
async fn a_model_lists_and_reads_resources_by_choice() {
    let client = reference().prefix("ref_").connect().await.unwrap();
    let tools = Toolbox::builder().with_all(client.resource_tools()).build().unwrap();
    let call = async |name: &str, arguments| {
        let mut automa = GraphAutoma::new("call");
        automa.add_worker("call", tools.call_worker(name), start().output()).unwrap();
        let call = ToolCall::new("1", name, arguments);
        let result: ToolResult = automa.run((call,)).output().await.unwrap();
        result.message.content
    };
    let listed = call("ref_list_resources", json!({})).await;
    assert!(listed.contains("template demo://resource/dynamic/text/"), "{listed}");
    let text = call("ref_read_resource", json!({ "uri": "demo://resource/dynamic/text/1" })).await;
    assert!(text.starts_with("Resource 1"), "{text}");
}

#[tokio::test]
async fn a_change_of_a_subscribed_resource_is_noticed() {
    let client = reference().connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let uri = "demo://resource/dynamic/text/1";
    let mut subscription = client.subscribe(uri).await.unwrap();
    // The server tells at once of a change, and then every 5 seconds.
    call(named(&tools, "toggle-subscriber-updates"), json!({})).await.unwrap();
    subscription.changed().await;
    assert_eq!(subscription.uri(), uri);
}

#[tokio::test]
async fn arguments_are_completed() {
    let client = reference().connect().await.unwrap();
    let none: [(&str, &str); 0] = [];
    let departments = client.complete_prompt("completable-prompt", "department", "S", none).await;
    assert_eq!(departments.unwrap().values, ["Sales", "Support"]);
    // What is given already counts.
    let given = [("department", "Sales")];
    let names = client.complete_prompt("completable-prompt", "name", "", given).await.unwrap();
    expect![[r#"["David", "Eve", "Frank"]"#]].assert_eq(&format!("{:?}", names.values));

    let template = "demo://resource/dynamic/text/{resourceId}";
    let ids = client.complete_resource(template, "resourceId", "7", none).await.unwrap();
    assert_eq!(ids.values, ["7"]);
    let error = client.complete_prompt("nothing", "a", "", none).await.unwrap_err().to_string();
    expect!["MCP server `everything` refuses `completion/complete a`: MCP error -32602: Prompt nothing not found"].assert_eq(&error);
}

#[tokio::test]
async fn a_server_that_completes_nothing_is_not_asked() {
    let server = McpEndpoint::stdio("python3", [super::reference::script("odd_server.py")]);
    let client = server.name("odd").connect().await.unwrap();
    let none: [(&str, &str); 0] = [];
    let error = client.complete_prompt("greet", "name", "A", none).await.unwrap_err().to_string();
    expect!["MCP server `odd` refuses `completion/complete name`: it completes nothing"]
        .assert_eq(&error);
}

#[tokio::test]
async fn prompts_become_messages() {
    let client = reference().connect().await.unwrap();
    let prompts = client.prompts().await.unwrap();
    let args = prompts.iter().find(|prompt| prompt.name == "args-prompt").unwrap();
    let required: Vec<_> = args.arguments.iter().map(|a| (&*a.name, a.required)).collect();
    assert_eq!(required, [("city", true), ("state", false)]);
    let messages = client.prompt("args-prompt", [("city", "Delft")]).await.unwrap();
    let texts: Vec<_> = messages.iter().map(ddg_agentic::Message::text).collect();
    assert_eq!(texts, ["What's weather in Delft?"]);
    let error = client.prompt("nothing", [("a", "b")]).await.unwrap_err().to_string();
    expect!["MCP server `everything` refuses `prompts/get nothing`: MCP error -32602: Prompt nothing not found"].assert_eq(&error);
}
