//! Folders with skills, and calls of tools as an agent makes them.

use std::fs;
use std::path::{Path, PathBuf};

use ddg_agentic::Toolbox;
use ddg_agentic::message::ToolCall;
use ddg_agentic::tool::{Tool, ToolResult};
use ddg_core::prelude::*;
use serde_json::Value as Json;
use tempfile::TempDir;

/// Writes a file of a skill, with the folders around it.
pub(crate) fn write(home: &Path, path: &str, text: &str) -> PathBuf {
    let path = home.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// A folder with a skill `name` that has these instructions.
pub(crate) fn skill(name: &str, instructions: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let text = format!("---\nname: {name}\ndescription: Does {name}.\n---\n{instructions}\n");
    write(home.path(), &format!("{name}/SKILL.md"), &text);
    home
}

/// What a call of the tool gives a model: its result, or its error after `FAILED`.
pub(crate) async fn call(tool: impl Tool, arguments: Json) -> String {
    let name = tool.spec().name.clone();
    let tools = Toolbox::builder().with(tool).build().unwrap();
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker(&name), start().output()).unwrap();
    let call = ToolCall::new("call_1", &name, arguments);
    let result: ToolResult = automa.run((call,)).output().await.unwrap();
    match result.message.is_error {
        true => format!("FAILED {}", result.message.content),
        false => result.message.content,
    }
}
