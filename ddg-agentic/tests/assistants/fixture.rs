//! Assistants on a store in a folder of their own.

use std::time::Duration;

use ddg_agentic::assistants::{
    AssistantParams, AssistantStore, Assistants, AssistantsBuilder, Event, EventStream,
    MessageParams, Run, RunParams, Tenant, ThreadParams,
};
use ddg_agentic::model::{ChatChunk, ChatModel, FinishReason, Usage};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// Assistants that are open, and the tenant of most tests.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) assistants: Assistants,
    pub(crate) ada: Tenant,
}

impl Fixture {
    pub(crate) async fn new(model: impl ChatModel) -> Self {
        Self::with(|builder| builder.model(model)).await
    }

    pub(crate) async fn with(build: impl FnOnce(AssistantsBuilder) -> AssistantsBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let assistants = open(&folder, build).await;
        let ada = assistants.tenant("ada");
        Self { folder, assistants, ada }
    }

    /// Assistants that are open on another database.
    #[cfg(all(feature = "outside", feature = "postgres"))]
    pub(crate) fn of(assistants: Assistants) -> Self {
        let (folder, ada) = (tempfile::tempdir().unwrap(), assistants.tenant("ada"));
        Self { folder, assistants, ada }
    }

    /// The same store, opened by the next process.
    pub(crate) async fn reopened(
        self,
        build: impl FnOnce(AssistantsBuilder) -> AssistantsBuilder,
    ) -> Self {
        self.assistants.close().await;
        let assistants = open(&self.folder, build).await;
        let ada = assistants.tenant("ada");
        Self { folder: self.folder, assistants, ada }
    }

    /// An assistant with these fields besides the model.
    pub(crate) async fn assistant(&self, fields: Json) -> String {
        let mut body = json!({ "model": "scripted" });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        let params = AssistantParams::try_from(body).unwrap();
        self.ada.create_assistant(params).await.unwrap().id
    }

    /// A thread with messages of a person.
    pub(crate) async fn thread(&self, messages: &[&str]) -> String {
        let mut params = ThreadParams::default();
        params.messages = messages.iter().map(|text| MessageParams::user(*text)).collect();
        self.ada.create_thread(params).await.unwrap().id
    }

    /// Runs an assistant with these fields on a thread with one message, until it ends or waits.
    pub(crate) async fn run(&self, assistant: Json, run: Json) -> Run {
        let (_, run) = self.started(assistant, run).await;
        self.ada.run(&run.id).outcome().await.unwrap()
    }

    /// Begins such a run.
    pub(crate) async fn started(&self, assistant: Json, run: Json) -> (EventStream, Run) {
        let assistant = self.assistant(assistant).await;
        let thread = self.thread(&["How is the weather?"]).await;
        let mut body = json!({ "assistant_id": assistant });
        for (name, value) in run.as_object().unwrap() {
            body[name] = value.clone();
        }
        let params = RunParams::try_from(body).unwrap();
        let started = self.ada.create_run(&thread, params).await.unwrap();
        (started.events, started.run)
    }

    /// All events of a run that has ended or waits.
    pub(crate) async fn events(&self, run: &str) -> Vec<Event> {
        all(self.ada.run(run).events(None).await.unwrap()).await
    }

    /// The names of the events of a run.
    pub(crate) async fn trace(&self, run: &str) -> String {
        trace(&self.events(run).await)
    }
}

pub(crate) async fn open(
    folder: &TempDir,
    build: impl FnOnce(AssistantsBuilder) -> AssistantsBuilder,
) -> Assistants {
    let store = AssistantStore::open(folder.path().join("ddg.sqlite")).await.unwrap();
    let builder = Assistants::open(store).poll_every(Duration::from_millis(5));
    build(builder).await.unwrap()
}

/// The events of a stream to its end.
pub(crate) async fn all(mut events: EventStream) -> Vec<Event> {
    let mut found = Vec::new();
    while let Some(event) = events.next().await {
        found.push(event.unwrap());
    }
    found
}

/// Waits for the first event with this name.
pub(crate) async fn until(events: &mut EventStream, name: &str) {
    while let Some(event) = events.next().await {
        if event.unwrap().name == name {
            return;
        }
    }
    panic!("the stream ended before `{name}`");
}

/// The names of events, without what all have; equal ones in a row are counted.
pub(crate) fn trace(events: &[Event]) -> String {
    let mut lines: Vec<(String, u32)> = Vec::new();
    for event in events {
        let name = event.name.trim_start_matches("thread.").trim_start_matches("response.");
        match lines.last_mut() {
            Some((last, n)) if last == name => *n += 1,
            _ => lines.push((name.to_owned(), 1)),
        }
    }
    let line = |(name, n): (String, u32)| if n > 1 { format!("{name} x{n}") } else { name };
    lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn data(event: &Event) -> Json {
    serde_json::from_str(&event.data).unwrap()
}

/// Pieces of a text, and the end of the reply.
pub(crate) fn words(words: &[&str]) -> Vec<ChatChunk> {
    let text = words.iter().map(|word| ChatChunk::Text((*word).to_owned()));
    text.chain([end(FinishReason::Stop)]).collect()
}

/// Pieces of calls, each with its whole arguments, and the end of the reply.
pub(crate) fn calls(calls: &[(&str, &str, &str)]) -> Vec<ChatChunk> {
    let call = |(index, (id, name, arguments)): (usize, &(&str, &str, &str))| ChatChunk::ToolCall {
        index,
        id: Some((*id).to_owned()),
        name: Some((*name).to_owned()),
        arguments: (*arguments).to_owned(),
    };
    calls.iter().enumerate().map(call).chain([end(FinishReason::ToolCalls)]).collect()
}

pub(crate) fn end(finish: FinishReason) -> ChatChunk {
    ChatChunk::End { finish, usage: Usage::new(10, 5) }
}

/// A function of the client.
pub(crate) fn function(name: &str) -> Json {
    json!({ "type": "function", "function": { "name": name, "description": "A function.", "parameters": {
        "type": "object", "properties": {},
    } } })
}
