//! Files in the runs of agents.

use std::path::PathBuf;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::files::{File, FileError, FileManager};
use ddg_agentic::prelude::*;
use ddg_agentic::react::AnswerPart;
use ddg_agentic::tool::ToolOutput;
use ddg_core::snapshot::Snapshot;
use futures::future::join_all;
use serde_json::json;

use super::NOBODYS;
use super::provider::Provider;

/// Draws a map.
#[tool]
async fn draw(city: String, files: State<FileManager>) -> Result<File, FileError> {
    files.create_from_bytes(format!("map of {city}"), format!("{city}.txt")).await
}

/// Reads a map.
#[tool]
async fn read(map: File, files: State<FileManager>) -> Result<String, FileError> {
    Ok(String::from_utf8_lossy(&files.read(map.id()).await?).into_owned())
}

fn tools() -> Toolbox {
    Toolbox::builder().with(draw::tool()).with(read::tool()).build().unwrap()
}

/// Draws, reads what was drawn by its id, and answers with `say` of the id.
#[derive(Debug)]
struct Cartographer(fn(&str) -> String);

impl ChatModel for Cartographer {
    fn name(&self) -> &str {
        "cartographer"
    }

    fn chat(
        &self,
        request: ChatRequest,
    ) -> futures::future::BoxFuture<'_, Result<ChatReply, ModelError>> {
        let results: Vec<_> = request
            .messages
            .iter()
            .filter(|message| matches!(message, Message::Tool(_)))
            .map(Message::text)
            .collect();
        let reply = match results.as_slice() {
            [] => ChatReply::calls([ToolCall::new("a", "draw", json!({ "city": "Delft" }))]),
            [id] => ChatReply::calls([ToolCall::new("b", "read", json!({ "map": id }))]),
            [id, ..] => ChatReply::text((self.0)(id)),
        };
        Box::pin(async move { Ok(reply) })
    }
}

fn text(text: &str) -> AnswerPart {
    AnswerPart::Text(text.to_owned())
}

/// [files 13] [files 14] [files 15]
#[tokio::test]
async fn tools_hand_a_file_to_each_other_and_the_answer_has_it_as_a_part() {
    let files = FileManager::new();
    let say = |id: &str| format!("{id} is the map; again: <{id}>, not {NOBODYS}");
    let agent = ReActAutoma::new(Cartographer(say)).tools(tools()).files(files.clone());
    let agent = agent.build().unwrap();
    let outcome = agent.run(args!("A map of Delft?")).await.unwrap();
    let map = files.list().remove(0);
    let steps = outcome.steps();
    assert_eq!(steps.len(), 2);
    assert_eq!(
        (steps[0].call.name.as_str(), &steps[0].call.arguments),
        ("draw", &json!({ "city": "Delft" }).into())
    );
    assert_eq!((&steps[0].input_files, &steps[0].output_files), (&vec![], &vec![map.clone()]));
    assert_eq!(steps[1].result.content, "map of Delft");
    assert_eq!((&steps[1].input_files, &steps[1].output_files), (&vec![map.clone()], &vec![]));
    assert_eq!(outcome.files(), from_ref(&map));
    let file = || AnswerPart::File(map.clone());
    let rest = format!(">, not {NOBODYS}");
    assert_eq!(outcome.parts(), [file(), text(" is the map; again: <"), file(), text(&rest)]);

    // The outcome is plain data, with all that it says of files.
    let again: AgentOutcome =
        serde_json::from_str(&serde_json::to_string(&outcome).unwrap()).unwrap();
    assert_eq!(again, outcome);
    assert_eq!(again.parts(), outcome.parts());

    // The next run of the conversation has steps of its own.
    let next = Task::new("And Gouda?").after(outcome.conversation);
    let next = agent.run(args!(next)).await.unwrap();
    assert_eq!(next.steps(), []);
    files.close().await.unwrap();
}

/// [files 14]
#[tokio::test]
async fn files_of_the_task_and_of_nested_agents_count() {
    let files = FileManager::new();
    let given = files.create_from_bytes("x", "x.txt").await.unwrap();
    let other = files.create_from_bytes("y", "y.txt").await.unwrap();
    let nested = ReActAutoma::new(Cartographer(|_| "drawn".into())).tools(tools());
    let tool = nested.into_tool("cartographer", "Draws.").unwrap();
    let (given_id, other_id) = (given.id().to_owned(), other.id().to_owned());
    let outer = ScriptedModel::new()
        .calls([ToolCall::new("o", "cartographer", json!({ "task": "Delft" }))])
        .text(format!("{given_id}{other_id} {given_id},{other_id}"));
    let toolbox = Toolbox::builder().with(tool).build().unwrap();
    let agent = ReActAutoma::new(outer).tools(toolbox).files(files.clone()).build().unwrap();
    let task = Message::user_with_files("What is this?", [&given]);
    let outcome = agent.run(args!(task)).await.unwrap();

    // The nested agent had none of its own: what it has drawn is here.
    let map = files.list().remove(2);
    assert_eq!(map.filename(), "Delft.txt");
    assert_eq!(outcome.steps()[0].output_files, from_ref(&map));
    assert_eq!(outcome.files(), [given.clone(), map]);
    // Two ids without anything between them are none; the other file was not of this run.
    let expected = [
        text(&format!("{given_id}{other_id} ")),
        AnswerPart::File(given),
        text(&format!(",{other_id}")),
    ];
    assert_eq!(outcome.parts(), expected);
    files.close().await.unwrap();
}

/// [files 15]
#[tokio::test]
async fn a_nested_agent_with_files_of_its_own_keeps_them() {
    let (files, own) = (FileManager::new(), FileManager::new());
    let nested = ReActAutoma::new(Cartographer(str::to_owned)).tools(tools()).files(own.clone());
    let tool = nested.into_tool("cartographer", "Draws.").unwrap();
    let outer = ScriptedModel::new()
        .calls([ToolCall::new("o", "cartographer", json!({ "task": "Delft" }))])
        .text("done");
    let toolbox = Toolbox::builder().with(tool).build().unwrap();
    let agent = ReActAutoma::new(outer).tools(toolbox).files(files.clone()).build().unwrap();
    agent.run(args!("Draw.")).await.unwrap();
    assert_eq!((files.list().len(), own.list().len()), (0, 1));
    own.close().await.unwrap();
    files.close().await.unwrap();
}

/// [files 15]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_without_a_manager_has_a_private_one_that_goes_with_it() {
    type Paths = Mutex<Vec<PathBuf>>;

    /// Writes, and notes where.
    #[tool]
    async fn write(
        files: State<FileManager>,
        paths: State<Paths>,
    ) -> Result<ToolOutput, FileError> {
        let file = files.create_from_bytes("x", "x").await?;
        paths.lock().unwrap().push(files.path_of(file.id())?);
        Ok(ToolOutput::text("written"))
    }

    let paths: Arc<Paths> = Arc::default();
    let toolbox = Toolbox::builder().with(write::tool()).shared_state(Arc::clone(&paths));
    let calls = (0..50).map(|n| ToolCall::new(format!("c{n}"), "write", json!({})));
    let model = ScriptedModel::new().calls(calls).text("done");
    let heard = super::closing::heard(async {
        let agent = ReActAutoma::new(model).tools(toolbox.build().unwrap()).build().unwrap();
        let outcome = agent.run(args!("Write.")).await.unwrap();
        assert!(outcome.steps().iter().all(|step| step.result.content == "written"));
        let mut folders: Vec<_> =
            paths.lock().unwrap().iter().map(|path| path.parent().unwrap().to_owned()).collect();
        assert_eq!(folders.len(), 50);
        folders.dedup();
        assert_eq!(folders.len(), 1, "one folder, made once");
        assert!(folders[0].exists());
        drop((agent, outcome));
        assert!(!folders[0].exists(), "gone with the agent");
    })
    .await;
    assert!(!heard.contains("was dropped without"), "{heard}");
}

/// [files 15]
#[tokio::test]
async fn agents_do_not_see_the_files_of_each_other() {
    let one = FileManager::new();
    let file = one.create_from_bytes("secret", "secret.txt").await.unwrap();
    let model = || {
        let call = ToolCall::new("c", "read", json!({ "map": file.id() }));
        ScriptedModel::new().calls([call]).text("done")
    };
    let agent = |files: &FileManager| {
        ReActAutoma::new(model()).tools(tools()).files(files.clone()).build().unwrap()
    };
    let other = FileManager::new();
    let outcomes =
        join_all([&one, &other].map(async |files| agent(files).run(args!("Read.")).await.unwrap()))
            .await;
    assert_eq!(outcomes[0].steps()[0].result.content, "secret");
    assert!(outcomes[1].steps()[0].result.is_error);
    one.close().await.unwrap();
}

/// [files 13]
#[tokio::test]
async fn a_tool_at_the_provider_has_the_files_of_the_last_message_and_gives_none() {
    /// Runs code.
    #[tool]
    async fn interpreter(code: String) -> String {
        format!("{{\"file\": \"{code}\"}}")
    }

    let files = FileManager::new();
    let first = files.create_from_bytes("1", "1").await.unwrap();
    let last = files.create_from_bytes("2", "2").await.unwrap();
    let call = ToolCall::new("c", "interpreter", json!({ "code": first.id() }));
    let model = ScriptedModel::new().calls([call]).text("done");
    let at_provider = ToolOptions::new().at_provider();
    let toolbox = Toolbox::builder().with_options(interpreter::tool(), at_provider);
    let agent = ReActAutoma::new(model).tools(toolbox.build().unwrap()).files(files.clone());
    let said = [
        Message::user_with_files("One.", [&first]),
        Message::assistant("Yes?"),
        Message::user_with_files("Another.", [&last]),
    ];
    let outcome = agent.build().unwrap().run(args!(said.to_vec())).await.unwrap();
    let step = &outcome.steps()[0];
    assert_eq!((&step.input_files, &step.output_files), (&vec![last], &vec![]));
    files.close().await.unwrap();
}

/// [files 3]
#[tokio::test]
async fn a_message_with_files_has_a_tag_for_each_that_it_does_not_name() {
    let files = FileManager::new();
    let one = files.create_from_bytes("1", "1").await.unwrap();
    let other = files.create_from_bytes("2", "2").await.unwrap();
    let (a, b) = (one.id(), other.id());
    let message = Message::user_with_files(format!("See {b}."), [&one, &other, &one]);
    assert_eq!(message.text(), format!("See {b}.\n<file>{a}</file>"));
    let message = Message::user_with_files("Both.", [&one, &other]);
    assert_eq!(message.text(), format!("Both.\n<file>{a}</file>\n<file>{b}</file>"));
    files.close().await.unwrap();
}

/// [files 3]
#[tokio::test]
async fn addresses_are_written_only_where_they_are_asked_for() {
    let provider = Provider::with_urls();
    let files = FileManager::builder().remote(provider).build().await.unwrap();
    let remote = files.create_from_bytes("1", "1").await.unwrap();
    let local = files.create_from_bytes("2", "2").local().await.unwrap();
    let said = || Message::user_with_files("Look.", [&remote, &local]);
    let (a, b) = (remote.id(), local.id());
    let plain = format!("Look.\n<file>{a}</file>\n<file>{b}</file>");
    let with = format!(
        "Look.\n<file>{a}</file><url>https://files.example/{a}?seconds=60</url>\n<file>{b}</file>"
    );
    let minute = Duration::from_secs(60);
    let model = || ScriptedModel::new().text("seen");
    let quiet = ReActAutoma::new(model()).tools(tools()).files(files.clone());
    let asking = ReActAutoma::new(model()).files(files.clone()).file_urls(minute);
    let options = ToolOptions::new().file_urls(minute);
    let toolbox = Toolbox::builder().with_options(read::tool(), options.clone()).build().unwrap();
    let with_tool = ReActAutoma::new(model()).tools(toolbox.clone()).files(files.clone());
    for (agent, expected) in [(quiet, &plain), (asking, &with), (with_tool, &with)] {
        let outcome = agent.build().unwrap().run(args!(said())).await.unwrap();
        assert_eq!(&outcome.conversation.messages[0].text(), expected);
    }

    let faulty = [
        ReActAutoma::new(model()).file_urls(minute),
        ReActAutoma::new(model()).files(FileManager::new()).file_urls(minute),
        ReActAutoma::new(model()).tools(toolbox),
    ];
    for agent in faulty {
        let error = agent.build().unwrap_err().to_string();
        assert!(error.contains("addresses of files are asked for (`file_urls`)"), "{error}");
    }
    files.close().await.unwrap();
}

/// [files 16]
#[tokio::test]
async fn a_run_resumes_with_files_by_their_ids_and_an_unknown_id_is_reported() {
    let agent = |files: &FileManager| {
        let toolbox = Toolbox::builder()
            .with(draw::tool())
            .with_options(read::tool(), ToolOptions::new().approval())
            .build()
            .unwrap();
        let agent = ReActAutoma::new(Cartographer(str::to_owned)).tools(toolbox);
        agent.files(files.clone()).build().unwrap()
    };
    let files = FileManager::new();
    let paused = agent(&files).run(args!("A map of Delft?")).outcome().await.unwrap();
    let question = paused.questions().remove(0);
    let text = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let map = files.list().remove(0);
    assert!(text.contains(map.id()));
    let answered = || {
        let mut snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        snapshot.answer(&question.id, Verdict::Allow).unwrap();
        snapshot
    };

    let outcome = agent(&files).resume(answered()).outcome().await.unwrap();
    let outcome: AgentOutcome = outcome.into_output().unwrap();
    assert_eq!(outcome.steps()[1].result.content, "map of Delft");
    assert_eq!(outcome.parts(), [AnswerPart::File(map.clone())]);

    let elsewhere = FileManager::new();
    let outcome = agent(&elsewhere).resume(answered()).outcome().await.unwrap();
    let outcome: AgentOutcome = outcome.into_output().unwrap();
    let step = &outcome.steps()[1];
    assert!(step.result.is_error && step.result.content.contains("no file has the id"));
    files.close().await.unwrap();
}
