//! Events of a working agent: its words as they arrive, its calls of tools, and its usage.

use std::sync::{Arc, Mutex};

use ddg_agentic::model::{ChatChunk, FinishReason, ModelCalled, Usage};
use ddg_agentic::prelude::*;
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::render::TerminalView;
use expect_test::expect;

use super::{adding, tools};

#[tokio::test]
async fn words_and_calls_are_seen_as_they_come() {
    let end = ChatChunk::End { finish: FinishReason::Stop, usage: Usage::new(5, 2) };
    let words = ["It ", "is ", "3."].map(|word| ChatChunk::Text(word.into()));
    let model =
        ScriptedModel::new().calls([adding("a", 1, 2)]).pieces(words.into_iter().chain([end]));
    let agent = ReActAutoma::new(model).tools(tools()).build().unwrap();
    let prepared = agent.run(args!("1 + 2?"));
    let mut chunks = prepared.events(EventFilter::messages());
    assert_eq!(prepared.output::<AgentOutcome>().await.unwrap().text(), "It is 3.");
    let mut seen = Vec::new();
    while let Some(Ok(event)) = chunks.next().await {
        if let EventKind::Chunk { worker, chunk, .. } = &event.kind {
            seen.push(format!("{worker}: {:?}", chunk.get::<ChatChunk>().unwrap()));
        }
    }
    expect![[r#"
        think: ToolCall { index: 0, id: Some("a"), name: Some("add"), arguments: "{\"a\":1,\"b\":2}" }
        think: End { finish: ToolCalls, usage: Usage { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 } }
        think: Text("It ")
        think: Text("is ")
        think: Text("3.")
        think: End { finish: Stop, usage: Usage { input_tokens: 5, cached_input_tokens: 0, output_tokens: 2 } }"#]].assert_eq(&seen.join("\n"));
}

/// What is written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The view in the terminal knows nothing of models, and shows their words as text.
#[tokio::test]
async fn a_view_in_the_terminal_shows_whole_lines_of_the_reply() {
    let end = ChatChunk::End { finish: FinishReason::Stop, usage: Usage::new(5, 2) };
    let words = ["It ", "rains.\nTake ", "an umbrella."].map(|word| ChatChunk::Text(word.into()));
    let model = ScriptedModel::new().pieces(words.into_iter().chain([end]));
    let agent = ReActAutoma::new(model).build().unwrap();
    let (run, log) = (agent.run(args!("Weather?")), Log::default());
    let view = TerminalView::to(log.clone()).watch(run.events(EventFilter::all()));
    let (outcome, shown) = futures::future::join(run.into_future(), view).await;
    shown.unwrap();
    assert!(outcome.unwrap().text().starts_with("It rains."));
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines = written.lines().filter_map(|line| line.split_once("think: | "));
    let lines: Vec<_> = lines.map(|(_, line)| line).collect();
    expect![[r#"
        It rains.
        {"end":{"finish":"stop","usage":{"input_tokens":5,"cached_input_tokens":0,"output_tokens":2}}}
        Take an umbrella."#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn the_usage_of_models_is_posted_to_the_program_around() {
    let reply = |text: &str| ChatReply::text(text).usage(Usage::new(7, 3));
    let agent = ReActAutoma::new(ScriptedModel::new().named("small").reply(reply("b")));
    let mut agent = agent.build().unwrap();
    let (posted, mut called) = tokio::sync::mpsc::unbounded_channel();
    agent.on_post(move |event: ModelCalled, _| posted.send(event).unwrap());
    agent.run(args!("a")).await.unwrap();
    let ModelCalled { model, usage, .. } = called.try_recv().unwrap();
    assert_eq!((model.as_str(), usage), ("small", Usage::new(7, 3)));
}

/// Writes down each worker as it begins and ends.
#[derive(Clone, Default)]
struct Hooks(Arc<Mutex<Vec<String>>>);

impl Hooks {
    fn say(&self, cx: &Context, what: &str) {
        self.0.lock().unwrap().push(format!("{} {what}", cx.path()));
    }
}

impl Callback for Hooks {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        self.say(cx, "begins");
        Ok(())
    }

    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        let result: Option<ddg_agentic::tool::ToolResult> = output.get().ok();
        let told = result.map(|result| format!("gives {}", result.message.content));
        self.say(cx, told.as_deref().unwrap_or("ends"));
        Ok(())
    }
}

#[tokio::test]
async fn every_call_has_its_hooks() {
    let model = ScriptedModel::new().calls([adding("a", 1, 2), adding("b", 3, 4)]).text("done");
    let (mut agent, hooks) =
        (ReActAutoma::new(model).tools(tools()).build().unwrap(), Hooks::default());
    agent.add_callback(hooks.clone());
    agent.run(args!("1 + 2 and 3 + 4?")).await.unwrap();
    expect![[r#"
        begin begins
        begin ends
        think begins
        think ends
        tool_add_1_1 begins
        tool_add_1_1 gives 3
        tool_add_1_2 begins
        tool_add_1_2 gives 7
        collect begins
        collect ends
        think begins
        think ends
        finish begins
        finish ends"#]]
    .assert_eq(&hooks.0.lock().unwrap().join("\n"));
}
