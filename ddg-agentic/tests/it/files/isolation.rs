//! A tool sees the files of its own run's manager only, whatever it shares with other runs.

use ddg_agentic::files::{File, FileError, FileManager};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::{AutomaTool, Tool, ToolOutput, ToolSpec};
use futures::future::{BoxFuture, join_all};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Reads a file.
#[tool]
async fn read(file: File, files: State<FileManager>) -> Result<String, FileError> {
    Ok(String::from_utf8_lossy(&files.read(file.id()).await?).into_owned())
}

/// Names all files that there are.
#[tool]
async fn list(files: State<FileManager>) -> Vec<String> {
    files.list().iter().map(|file| file.filename().to_owned()).collect()
}

/// A tool of somebody else, in whose arguments ids are looked for.
struct Echo(ToolSpec);

impl Tool for Echo {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move { Ok(arguments.to_string().as_str().into()) })
    }
}

#[derive(Clone, Serialize, Deserialize, ddg_agentic::schemars::JsonSchema)]
struct Page {
    page: File,
}

/// One toolbox for all agents: functions, an automa, a tool of somebody else.
fn tools() -> Toolbox {
    let mut automa = GraphAutoma::new("post");
    let post = async |page: File| page.filename().to_owned();
    automa.add_func_as_worker("post", post, start().params(["page"]).output()).unwrap();
    Toolbox::builder()
        .with(read::tool())
        .with(list::tool())
        .with(Echo(ToolSpec::new("echo", "Echoes.", json!({ "type": "object" }))))
        .with(AutomaTool::new::<Page>("post", "Posts.", automa))
        .build()
        .unwrap()
}

/// A model that tries the id in every tool.
fn tries(id: &str) -> ScriptedModel {
    let call = |tool: &str, arguments: Json| ToolCall::new(tool, tool, arguments);
    ScriptedModel::new()
        .calls([
            call("read", json!({ "file": id })),
            call("list", json!({})),
            call("echo", json!({ "say": [id] })),
            call("post", json!({ "page": id })),
        ])
        .text(format!("here: {id}"))
}

/// [files 8] [files 13] [files 14] [files 15] Two runs at once of agents with one toolbox and different
/// managers: the id of the other's file is unknown in each kind of tool, and text in the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_at_once_see_the_files_of_their_own_manager() {
    let (one, other) = (FileManager::new(), FileManager::new());
    let secret = one.create_from_bytes("secret", "secret.txt").await.unwrap();
    let plain = other.create_from_bytes("plain", "plain.txt").await.unwrap();
    let tools = tools();
    let runs = (0..16).map(|n| {
        let (files, id) = match n % 4 {
            0 => (&one, secret.id()),
            1 => (&one, plain.id()),
            2 => (&other, secret.id()),
            _ => (&other, plain.id()),
        };
        let agent = ReActAutoma::new(tries(id)).tools(tools.clone()).files(files.clone());
        tokio::spawn(async move { agent.build().unwrap().run(args!("Try.")).await.unwrap() })
    });
    for (n, outcome) in join_all(runs).await.into_iter().enumerate() {
        let (outcome, n) = (outcome.unwrap(), n % 4);
        let steps = outcome.steps();
        let (own, is_own) = (if n < 2 { "secret" } else { "plain" }, n == 0 || n == 3);
        assert_eq!(steps[1].result.content, format!("[\"{own}.txt\"]"), "{n}");
        if is_own {
            assert_eq!(steps[0].result.content, own);
            assert_eq!(steps[3].result.content, format!("{own}.txt"));
            assert_eq!((steps[2].input_files.len(), outcome.parts().len()), (1, 2));
        } else {
            for step in [&steps[0], &steps[3]] {
                let told = &step.result.content;
                assert!(step.result.is_error && told.contains("no file has the id"), "{n}: {told}");
            }
            assert_eq!((steps[2].input_files.len(), outcome.parts().len()), (0, 1), "{n}");
            assert!(outcome.files().is_empty());
        }
    }
    one.close().await.unwrap();
    other.close().await.unwrap();
}

/// [files 15] An agent inside of another that has a manager of its own: neither reads the files of
/// the other by their ids.
#[tokio::test]
async fn an_agent_with_files_of_its_own_and_the_agent_around_it_are_apart() {
    let (outer, inner) = (FileManager::new(), FileManager::new());
    let of_outer = outer.create_from_bytes("outer", "outer.txt").await.unwrap();
    let of_inner = inner.create_from_bytes("inner", "inner.txt").await.unwrap();
    let nested = ReActAutoma::new(tries(of_outer.id())).tools(tools()).files(inner.clone());
    let nested = nested.into_tool("nested", "Tries.").unwrap();
    let model = ScriptedModel::new()
        .calls([
            ToolCall::new("n", "nested", json!({ "task": "Try." })),
            ToolCall::new("r", "read", json!({ "file": of_inner.id() })),
        ])
        .text("done");
    let toolbox = Toolbox::builder().with(nested).with(read::tool()).build().unwrap();
    let agent = ReActAutoma::new(model).tools(toolbox).files(outer.clone()).build().unwrap();
    let outcome = agent.run(args!("Try.")).await.unwrap();
    let steps = outcome.steps();
    assert_eq!(
        steps[0].result.content,
        format!("here: {}", of_outer.id()),
        "an id in a text is text"
    );
    assert!(steps[0].output_files.is_empty(), "{:?}", steps[0].output_files);
    assert!(steps[1].result.content.contains("no file has the id"));
    outer.close().await.unwrap();
    inner.close().await.unwrap();
}
