//! Files as parameters and results of tools.

use ddg_agentic::files::{File, FileError, FileManager};
use ddg_agentic::prelude::*;
use ddg_agentic::schemars::{self, JsonSchema};
use ddg_agentic::tool::{
    AutomaTool, Tool, ToolCalled, ToolEnded, ToolOutput, ToolResult, ToolSpec,
};
use ddg_core::event::{EventFilter, EventKind};
use expect_test::expect;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::NOBODYS;

/// Counts the bytes of a file.
#[tool]
async fn count(
    file: File,
    note: Option<String>,
    files: State<FileManager>,
) -> Result<usize, FileError> {
    let _ = note;
    Ok(files.read(file.id()).await?.len())
}

#[derive(Deserialize, JsonSchema)]
struct Parcel {
    front: File,
    rest: Vec<File>,
    cover: Option<File>,
    /// An id here is none of a file.
    note: String,
}

#[derive(Serialize)]
struct Bound {
    book: File,
    title: String,
}

/// Binds files.
#[tool]
async fn bind(parcel: Parcel, files: State<FileManager>) -> Result<Bound, FileError> {
    let mut text = format!("{} {}", parcel.front.filename(), parcel.note);
    for file in parcel.rest.iter().chain(&parcel.cover) {
        text = format!("{text} {}", file.filename());
    }
    let book = files.create_from_bytes(text, "book.txt").await?;
    Ok(Bound { book, title: "a book".into() })
}

/// Names a file in plain text.
#[tool]
async fn mention(file: File) -> String {
    format!("{{\"file\": \"{}\"}}", file.id())
}

/// Gives a file beside a text.
#[tool]
async fn give(files: State<FileManager>) -> Result<ToolOutput, FileError> {
    let file = files.create_from_bytes("gift", "gift.txt").await?;
    Ok(ToolOutput::text("a gift").files([file]))
}

/// Blocks, and gives a file itself.
#[tool]
fn same(file: File) -> File {
    file
}

/// A tool of somebody else: its schema names no file.
struct Echo(ToolSpec);

impl Echo {
    fn new() -> Self {
        let parameters = json!({ "type": "object" });
        Self(ToolSpec::new("echo", "Echoes.", parameters))
    }
}

impl Tool for Echo {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move { Ok(arguments["say"].to_string().as_str().into()) })
    }
}

fn toolbox(files: &FileManager) -> Toolbox {
    Toolbox::builder()
        .with(count::tool())
        .with(bind::tool())
        .with(mention::tool())
        .with(give::tool())
        .with(same::tool())
        .with(Echo::new())
        .state(files.clone())
        .build()
        .unwrap()
}

async fn call(tools: &Toolbox, name: &str, arguments: Json) -> ToolResult {
    let mut automa = GraphAutoma::new("call");
    automa.add_worker("call", tools.call_worker(name), start().output()).unwrap();
    automa.run(args!(ToolCall::new("c", name, arguments))).output().await.unwrap()
}

async fn two(files: &FileManager) -> (File, File) {
    let one = files.create_from_bytes("one", "1.txt").await.unwrap();
    (one, files.create_from_bytes("three", "2.txt").await.unwrap())
}

fn names(files: &[File]) -> Vec<&str> {
    files.iter().map(File::filename).collect()
}

/// [files 13]
#[test]
fn a_file_is_an_id_in_the_schema() {
    let properties =
        |name: &str, tool: &dyn Tool| tool.spec().parameters["properties"][name].clone();
    let id = json!({ "type": "string", "format": "ddg-file" });
    assert_eq!(properties("file", &count::tool()), id);
    assert_eq!(count::tool().spec().parameters["required"], json!(["file"]));
    let parcel = properties("parcel", &bind::tool())["properties"].clone();
    assert_eq!(parcel["front"], id);
    assert_eq!(parcel["rest"], json!({ "type": "array", "items": id }));
    assert_eq!(parcel["cover"], json!({ "type": ["string", "null"], "format": "ddg-file" }));
    assert!(bind::tool().spec().parameters["properties"].get("files").is_none());
}

/// [files 13] [files 15]
#[tokio::test]
async fn a_file_is_looked_up_before_the_function_is_called() {
    let files = FileManager::new();
    let tools = toolbox(&files);
    let (one, other) = two(&files).await;
    let result = call(&tools, "count", json!({ "file": one.id(), "note": other.id() })).await;
    assert_eq!(result.message.content, "3");
    assert_eq!(result.files.input, std::slice::from_ref(&one), "only where the schema says so");

    let parcel = json!({
        "front": other.id(), "rest": [one.id(), one.id()], "cover": null, "note": one.id(),
    });
    let result = call(&tools, "bind", json!({ "parcel": parcel })).await;
    assert_eq!(names(&result.files.input), ["2.txt", "1.txt"]);
    assert_eq!(names(&result.files.output), ["book.txt"]);
    let book = &result.files.output[0];
    let expected = json!({ "book": book.id(), "title": "a book" });
    assert_eq!(serde_json::from_str::<Json>(&result.message.content).unwrap(), expected);
    let bound = files.read(book.id()).await.unwrap();
    assert_eq!(bound, format!("2.txt {} 1.txt 1.txt", one.id()).as_bytes());
    files.close().await.unwrap();
}

/// [files 13]
#[tokio::test]
async fn an_unknown_id_is_a_message_to_the_model() {
    let files = FileManager::new();
    let tools = toolbox(&files);
    let mut lines = Vec::new();
    for id in [NOBODYS, "/etc/passwd", "nonsense", ""] {
        let result = call(&tools, "count", json!({ "file": id })).await;
        assert!(result.message.is_error && result.files.input.is_empty());
        lines.push(result.message.content);
    }
    expect![[r#"
        the arguments of `count` are wrong: no file has the id `file-local-00000000-0000-4000-8000-000000000000`: check that the id is whole and that the file was not deleted; files of another manager are not known here
        the arguments of `count` are wrong: no file has the id `/etc/passwd`: check that the id is whole and that the file was not deleted; files of another manager are not known here
        the arguments of `count` are wrong: no file has the id `nonsense`: check that the id is whole and that the file was not deleted; files of another manager are not known here
        the arguments of `count` are wrong: no file has the id ``: check that the id is whole and that the file was not deleted; files of another manager are not known here"#]]
    .assert_eq(&lines.join("\n"));

    // Nobody is asked about it either.
    let options = ToolOptions::new().approval();
    let asking = Toolbox::builder().with_options(count::tool(), options).state(files.clone());
    let result = call(&asking.build().unwrap(), "count", json!({ "file": NOBODYS })).await;
    assert!(result.message.content.contains("no file has the id"));

    // A file of somebody else is unknown here, too.
    let other = FileManager::new();
    let theirs = other.create_from_bytes("x", "x").await.unwrap();
    assert!(call(&tools, "count", json!({ "file": theirs.id() })).await.message.is_error);
    other.close().await.unwrap();

    // Without a manager the message says what is missing.
    let alone = Toolbox::builder().with(mention::tool()).build().unwrap();
    let result = call(&alone, "mention", json!({ "file": NOBODYS })).await;
    expect!["the arguments of `mention` are wrong: file `file-local-00000000-0000-4000-8000-000000000000` cannot be looked up here: there is no file manager; give the toolbox one with `state`, or the agent with `files`"].assert_eq(&result.message.content);
}

/// [files 13]
#[tokio::test]
async fn output_files_are_those_that_a_result_names_unless_it_is_plain_text() {
    let files = FileManager::new();
    let tools = toolbox(&files);
    let (one, other) = two(&files).await;
    let result = call(&tools, "mention", json!({ "file": one.id() })).await;
    assert!(result.message.content.contains(one.id()));
    assert_eq!(result.files.output, []);
    assert_eq!(names(&call(&tools, "give", json!({})).await.files.output), ["gift.txt"]);
    let result = call(&tools, "same", json!({ "file": one.id() })).await;
    assert_eq!(
        (result.message.content.as_str(), &result.files.output),
        (one.id(), &vec![one.clone()])
    );

    // A tool of somebody else: ids anywhere in its arguments, and in an object that it gives.
    let say = json!({ "a": [other.id()], "b": one.id(), "c": one.id(), "d": NOBODYS });
    let result =
        call(&tools, "echo", json!({ "say": say, "and": format!("not {}", one.id()) })).await;
    let both = |files: &[File]| files.iter().map(|file| file.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(both(&result.files.input), [other.id(), one.id()]);
    assert_eq!(both(&result.files.output), [other.id(), one.id()]);
    let result = call(&tools, "echo", json!({ "say": one.id() })).await;
    assert_eq!((result.files.input, result.files.output), (vec![one], vec![]), "a text names none");
    files.close().await.unwrap();
}

/// [files 13]
#[tokio::test]
async fn a_call_that_fails_keeps_its_input_files_and_events_carry_them() {
    /// Fails.
    #[tool]
    async fn fails(file: File) -> Result<String, WorkerError> {
        Err(WorkerError::msg(format!("cannot use {}", file.filename())))
    }

    let files = FileManager::new();
    let file = files.create_from_bytes("x", "x.txt").await.unwrap();
    let tools = Toolbox::builder()
        .with(fails::tool())
        .with(same::tool())
        .state(files.clone())
        .build()
        .unwrap();
    let result = call(&tools, "fails", json!({ "file": file.id() })).await;
    assert!(result.message.is_error);
    assert_eq!((&result.files.input, &result.files.output), (&vec![file.clone()], &vec![]));

    let mut seen = Vec::new();
    for name in ["fails", "same"] {
        let mut automa = GraphAutoma::new("call");
        automa.add_worker("call", tools.call_worker(name), start().output()).unwrap();
        let call = ToolCall::new("c", name, json!({ "file": file.id() }));
        let run = automa.run(args!(call));
        let mut events = run.events(EventFilter::all());
        run.outcome().await.unwrap();
        while let Some(Ok(event)) = events.next().await {
            if let EventKind::Custom { name, data, .. } = &event.kind {
                match name.as_ref() {
                    "tool_called" => {
                        let called: ToolCalled = data.get().unwrap();
                        seen.push(format!("{} {:?}", called.tool, names(&called.input_files)));
                    }
                    _ => {
                        let ended: ToolEnded = data.get().unwrap();
                        let files = names(&ended.output_files);
                        seen.push(format!("{} {} {files:?}", ended.tool, ended.is_error));
                    }
                }
            }
        }
    }
    expect![[r#"
        fails ["x.txt"]
        fails true []
        same ["x.txt"]
        same false ["x.txt"]"#]]
    .assert_eq(&seen.join("\n"));
    files.close().await.unwrap();
}

/// [files 13]
#[tokio::test]
async fn an_automa_takes_and_gives_files() {
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Letter {
        page: File,
        to: String,
    }

    let files = FileManager::new();
    let (one, _) = two(&files).await;
    let mut post = GraphAutoma::new("post");
    let stamp = async |page: File, to: String| json!({ "sent": page.id(), "to": to });
    post.add_func_as_worker("stamp", stamp, start().params(["page", "to"]).output()).unwrap();
    let tool = AutomaTool::new::<Letter>("post", "Posts.", post);
    let tools = Toolbox::builder().with(tool).state(files.clone()).build().unwrap();
    let result = call(&tools, "post", json!({ "page": one.id(), "to": "Ada" })).await;
    assert_eq!(names(&result.files.input), ["1.txt"], "{}", result.message.content);
    assert_eq!(names(&result.files.output), ["1.txt"]);
    let result = call(&tools, "post", json!({ "page": NOBODYS, "to": "Ada" })).await;
    assert!(result.message.content.contains("no file has the id"), "{}", result.message.content);
    files.close().await.unwrap();
}
