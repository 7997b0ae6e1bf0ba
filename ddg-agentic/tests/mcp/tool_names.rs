//! Names of tools: from all pages of the list, usable by models, unique, and with an optional
//! prefix. Changes of the list are noticed.

use ddg_agentic::mcp::{McpEndpoint, McpTool};
use ddg_agentic::tool::Tool;
use expect_test::expect;
use serde_json::json;

use super::call::{call, named};
use super::reference::{python, script};

fn names(tools: &[McpTool]) -> String {
    let name = |tool: &McpTool| format!("{} for {}", tool.spec().name, tool.offered_as());
    tools.iter().map(name).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn names_of_all_pages_are_usable_and_unique() {
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]).prefix("py_");
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    expect![[r#"
        py_fail for fail
        py_grow for grow
        py_wait for wait
        py_die for die
        py_files_read for files.read
        py_files_read_2 for files/read
        py_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx for xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"#]].assert_eq(&names(&tools));
    let read = call(named(&tools, "py_files_read_2"), json!({})).await;
    assert_eq!(read, Ok("this is files/read".to_owned()));
    assert_eq!(named(&tools, "py_fail").spec().description, "Title of fail");
    assert_eq!(client.instructions().as_deref(), Some("Read before you write."));
}

#[tokio::test]
async fn that_tools_have_changed_is_noticed() {
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]);
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    assert!(!client.tools_changed());
    call(named(&tools, "grow"), json!({})).await.unwrap();
    client.tools_change().await;
    assert!(client.tools_changed());
    let tools = client.tools().await.unwrap();
    assert!(!client.tools_changed());
    assert_eq!(call(named(&tools, "grown"), json!({})).await, Ok("this is grown".to_owned()));
}
