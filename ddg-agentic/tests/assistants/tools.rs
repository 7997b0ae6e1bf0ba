//! Tool calls: of the server's tools, of the client's functions, and of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_agentic::assistants::{Order, Paging, RunStatus, RunStep, StepStatus, ToolOutputParams};
use ddg_agentic::model::{ChatChunk, FinishReason, ScriptedModel, ToolChoice};
use ddg_agentic::tool::{State, Tool, ToolOutput, ToolRun, ToolSpec};
use ddg_agentic::{Message, Toolbox, tool};
use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use crate::fixture::{Fixture, all, calls, data, end, function, trace, words};

/// Doubles a number.
#[tool]
async fn double(n: i64) -> i64 {
    2 * n
}

/// Fails.
#[tool]
async fn fail() -> Result<String, std::io::Error> {
    Err(std::io::Error::other("out of paper"))
}

/// Panics.
#[tool]
async fn explode() -> String {
    panic!("boom")
}

/// Never ends.
#[tool]
async fn hang() -> String {
    std::future::pending().await
}

/// Waits for the other tool.
#[tool]
async fn first(gate: State<Notify>) -> String {
    gate.notified().await;
    "first".to_owned()
}

/// Lets the other tool end.
#[tool]
async fn second(gate: State<Notify>) -> String {
    gate.notify_one();
    "second".to_owned()
}

/// How many calls of a tool run.
#[derive(Default)]
struct Busy {
    now: AtomicU32,
    most: AtomicU32,
}

/// Counts how many calls of it run at the same time.
#[tool]
async fn busy(count: State<Busy>) -> String {
    let now = count.now.fetch_add(1, Ordering::Relaxed) + 1;
    count.most.fetch_max(now, Ordering::Relaxed);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    count.now.fetch_sub(1, Ordering::Relaxed);
    "done".to_owned()
}

/// Tells for whom it is called.
#[tool]
async fn who(cx: &Context) -> String {
    let run = cx.attached::<ToolRun>().unwrap();
    let ToolRun { tenant, run: id, thread, assistant, metadata, files, .. } = &*run;
    format!("{tenant} {id} {thread} {assistant} {metadata:?} {}", files.is_some())
}

/// A tool with instructions, which counts how often it is asked for them.
struct Guided(ToolSpec, Arc<AtomicU32>);

impl Tool for Guided {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn instructions(&self, run: &ToolRun) -> Option<String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Some(format!("Use it for {}.", run.tenant))
    }

    fn call<'a>(
        &'a self,
        _: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async { Ok("used".into()) })
    }
}

fn asc() -> Paging {
    let mut paging = Paging::default();
    paging.order = Some(Order::Asc);
    paging
}

async fn fixture(model: ScriptedModel, tools: Toolbox) -> Fixture {
    Fixture::with(|builder| builder.model(model).tools(tools)).await
}

fn toolbox() -> Toolbox {
    let tools = Toolbox::builder().with(double::tool()).with(fail::tool()).with(explode::tool());
    let tools = tools.with(hang::tool()).with(first::tool()).with(second::tool()).with(who::tool());
    tools.state(Notify::new()).build().unwrap()
}

fn server(names: &[&str]) -> Json {
    names.iter().map(|name| json!({ "type": name })).collect()
}

async fn steps(fixture: &Fixture, thread: &str, run: &str) -> Vec<RunStep> {
    fixture.ada.list_steps(thread, run, &asc()).await.unwrap().data
}

fn outputs(step: &RunStep) -> Vec<String> {
    let calls = step.step_details.tool_calls().iter();
    calls.map(|call| call.function.output.clone().unwrap_or_default()).collect()
}

/// [assistants run 1.1] [assistants run 2.3] [assistants run 2.9] [assistants http 5]
#[tokio::test]
async fn tools_of_the_server_run_and_the_model_is_asked_again() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("call_1", "double", r#"{"n":4}"#)]))
        .pieces(words(&["Eight."]));
    let fixture = fixture(model.clone(), toolbox()).await;
    let run = fixture.run(json!({ "tools": server(&["double"]) }), json!({})).await;
    assert_eq!(run.status, RunStatus::Completed);
    let events = fixture.events(&run.id).await;
    let expected = "run.created\nrun.queued\nrun.in_progress\nrun.step.created\nrun.step.in_progress\n\
                    run.step.delta x3\nrun.step.completed\nrun.step.created\nrun.step.in_progress\n\
                    message.created\nmessage.in_progress\nmessage.delta\nmessage.completed\n\
                    run.step.completed\nrun.completed";
    assert_eq!(trace(&events), expected);
    // What clients add their deltas onto is empty, and each call is told once.
    let created = data(&events[3]);
    assert_eq!(created["step_details"], json!({ "type": "tool_calls", "tool_calls": [] }));
    let delta = |n: usize| data(&events[n])["delta"]["step_details"]["tool_calls"][0].clone();
    let function = json!({ "name": "double", "arguments": "", "output": null });
    assert_eq!(
        delta(5),
        json!({ "index": 0, "id": "call_1", "type": "function", "function": function })
    );
    assert_eq!(
        delta(6),
        json!({ "index": 0, "type": "function", "function": { "arguments": "{\"n\":4}" } })
    );
    assert_eq!(delta(7), json!({ "index": 0, "type": "function", "function": { "output": "8" } }));

    let steps = steps(&fixture, &run.thread_id, &run.id).await;
    assert_eq!(steps.len(), 2);
    assert_eq!(outputs(&steps[0]), ["8"]);
    // Each model call counts once, and the steps add up to the run.
    let total: u64 = steps.iter().map(|step| step.usage.unwrap().total_tokens).sum();
    assert_eq!((total, run.usage.unwrap().total_tokens), (30, 30));

    let asked = &model.requests()[1].messages;
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[1].tool_calls()[0].id, "call_1");
    assert!(matches!(&asked[2], Message::Tool(result) if result.content == "8"));
}

/// [assistants run 3.3] [assistants run 3.5] [assistants known failures]
#[tokio::test]
async fn whatever_goes_wrong_in_a_tool_is_an_output_that_the_model_sees() {
    let model = ScriptedModel::new()
        .pieces(calls(&[
            ("a", "fail", "{}"),
            ("b", "explode", "{}"),
            ("c", "nothing", "{}"),
            ("d", "double", "{\"n\":"),
            ("e", "double", r#"{"m":1}"#),
            ("f", "hang", "{}"),
        ]))
        .text("Well.");
    let fixture = Fixture::with(|builder| {
        builder.model(model).tools(toolbox()).tool_timeout(Duration::from_millis(50))
    })
    .await;
    let tools = server(&["double", "fail", "explode", "hang"]);
    let run = fixture.run(json!({ "tools": tools }), json!({})).await;
    assert_eq!(run.status, RunStatus::Completed);
    let told = outputs(&steps(&fixture, &run.thread_id, &run.id).await[0]);
    for (told, expected) in told.iter().zip([
        "out of paper",
        "boom",
        "There is no tool `nothing`",
        "JSON",
        "are wrong",
        "no result within 0.05 seconds",
    ]) {
        assert!(told.contains(expected), "{told:?} has {expected:?}");
    }
}

/// [assistants run 1.2] [assistants known failures]
#[tokio::test]
async fn tools_run_at_once_and_their_outputs_are_in_the_order_of_the_calls() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("a", "first", "{}"), ("b", "second", "{}")]))
        .text("Done.");
    let fixture = fixture(model.clone(), toolbox()).await;
    let run = fixture.run(json!({ "tools": server(&["first", "second"]) }), json!({})).await;
    let told = outputs(&steps(&fixture, &run.thread_id, &run.id).await[0]);
    assert_eq!(told, ["first", "second"]);
    let asked: Vec<_> = model.requests()[1].messages.range(2..).map(Message::text).collect();
    assert_eq!(asked, ["first", "second"]);
}

/// [assistants run 3.3]
#[tokio::test]
async fn a_limited_number_of_tools_runs_at_the_same_time() {
    for n_workers in [1, 2] {
        let busiest = Arc::new(Busy::default());
        let tools = Toolbox::builder().with(busy::tool()).shared_state(Arc::clone(&busiest));
        let tools = tools.build().unwrap();
        let ids = ["a", "b", "c", "d", "e", "f"];
        let model = ScriptedModel::new().pieces(calls(&ids.map(|id| (id, "busy", "{}"))));
        let model = model.text("Done.");
        let fixture = Fixture::with(|builder| {
            builder.model(model).tools(tools).tool_workers(n_workers as usize)
        })
        .await;
        let run = fixture.run(json!({ "tools": server(&["busy"]) }), json!({})).await;
        assert_eq!(run.status, RunStatus::Completed);
        assert_eq!(busiest.most.load(Ordering::Relaxed), n_workers);
    }
}

/// [assistants run 3.6] [assistants run 4.2] [assistants run 4.4] [assistants http 5]
#[tokio::test]
async fn a_client_submits_outputs_and_the_run_continues() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("a", "weather", "{\"city\":\"Tokyo\"}"), ("b", "weather", "not JSON")]))
        .pieces(words(&["Sunny."]));
    let fixture = fixture(model.clone(), Toolbox::default()).await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    assert_eq!(run.status, RunStatus::RequiresAction);
    let action = json!(run.required_action.as_ref().unwrap());
    assert_eq!(
        action,
        json!({
            "type": "submit_tool_outputs",
            "submit_tool_outputs": { "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Tokyo\"}" } },
                { "id": "b", "type": "function", "function": { "name": "weather", "arguments": "not JSON" } },
            ] },
        })
    );
    let before = fixture.events(&run.id).await;
    assert!(
        trace(&before).ends_with("run.step.delta x4\nrun.requires_action"),
        "{}",
        trace(&before)
    );

    let submit = async |ids: &[&str]| {
        let outputs = ids.iter().map(|id| ToolOutputParams::new(*id, format!("of {id}"))).collect();
        fixture.ada.submit_tool_outputs(&run.thread_id, &run.id, outputs).await
    };
    for (ids, named) in
        [(&["a"][..], "b"), (&["a", "b", "c"], "c"), (&["a", "a", "b"], "a"), (&[], "a, b")]
    {
        let error = submit(ids).await.unwrap_err();
        assert_eq!(error.kind(), "invalid_request_error");
        assert!(error.to_string().contains(named), "{error}");
    }
    let continued = submit(&["b", "a"]).await.unwrap();
    assert_eq!(continued.run.status, RunStatus::Queued);
    let live = all(continued.events).await;
    let expected = "run.step.completed\nrun.queued\nrun.in_progress\nrun.step.created\nrun.step.in_progress\n\
                    message.created\nmessage.in_progress\nmessage.delta\nmessage.completed\n\
                    run.step.completed\nrun.completed";
    assert_eq!(trace(&live), expected);
    assert_eq!(live[0].number, before.last().unwrap().number + 1);
    let told: Vec<_> = model.requests()[1].messages.range(2..).map(Message::text).collect();
    assert_eq!(told, ["of a", "of b"]);
    assert!(submit(&["a", "b"]).await.is_err());
}

/// [assistants run 4.1] [assistants known failures]
#[tokio::test]
async fn of_mixed_calls_the_server_makes_its_own_and_only_the_others_are_required() {
    let model = ScriptedModel::new()
        .pieces(calls(&[
            ("a", "double", r#"{"n":1}"#),
            ("b", "weather", "{}"),
            ("c", "double", r#"{"n":2}"#),
        ]))
        .text("Done.");
    let fixture = fixture(model.clone(), toolbox()).await;
    let tools = json!([{ "type": "double" }, function("weather")]);
    let run = fixture.run(json!({ "tools": tools }), json!({})).await;
    let required = run.required_action.unwrap().submit_tool_outputs.tool_calls;
    assert_eq!(required.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let events = fixture.events(&run.id).await;
    // Three calls with their arguments, and two outputs.
    assert!(
        trace(&events).ends_with("run.step.delta x8\nrun.requires_action"),
        "{}",
        trace(&events)
    );
    let handle = fixture.ada.run(&run.id);
    handle.submit(vec![ToolOutputParams::new("b", "rain")]).await.unwrap();
    assert_eq!(handle.outcome().await.unwrap().status, RunStatus::Completed);
    let told: Vec<_> = model.requests()[1].messages.range(2..).map(Message::text).collect();
    assert_eq!(told, ["2", "rain", "4"]);
}

/// [assistants run 2.9] [assistants run 3.7] [assistants known failures]
#[tokio::test]
async fn content_beside_calls_is_a_completed_message_with_a_completed_step() {
    let mut reply = calls(&[("a", "double", r#"{"n":1}"#)]);
    reply.insert(0, ChatChunk::Text("Let me see.".to_owned()));
    let fixture = fixture(ScriptedModel::new().pieces(reply).text("Two."), toolbox()).await;
    let run = fixture.run(json!({ "tools": server(&["double"]) }), json!({})).await;
    let steps = steps(&fixture, &run.thread_id, &run.id).await;
    let kinds: Vec<_> = steps.iter().map(|step| (step.r#type.as_str(), step.status)).collect();
    let completed = StepStatus::Completed;
    assert_eq!(
        kinds,
        [
            ("message_creation", completed),
            ("tool_calls", completed),
            ("message_creation", completed)
        ]
    );
    let total: u64 = steps.iter().map(|step| step.usage.unwrap().total_tokens).sum();
    assert_eq!(total, run.usage.unwrap().total_tokens);
    let messages =
        fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data;
    assert_eq!(
        messages.iter().map(ddg_agentic::assistants::Message::text).collect::<Vec<_>>(),
        ["Let me see.", "Two."]
    );
}

/// [assistants run 2.4] [assistants run 2.5] [assistants run 2.6]
#[tokio::test]
async fn a_choice_holds_for_the_first_call_and_after_the_last_step_there_is_none() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("a", "double", r#"{"n":1}"#)]))
        .pieces(calls(&[("b", "double", r#"{"n":2}"#)]))
        .pieces(calls(&[("c", "double", r#"{"n":3}"#)]));
    let fixture =
        Fixture::with(|builder| builder.model(model.clone()).tools(toolbox()).max_steps(2)).await;
    let named = json!({ "type": "double" });
    let run =
        fixture.run(json!({ "tools": server(&["double"]) }), json!({ "tool_choice": named })).await;
    let choices: Vec<_> = model.requests().iter().map(|asked| asked.tool_choice.clone()).collect();
    assert_eq!(
        choices,
        [ToolChoice::Named("double".to_owned()), ToolChoice::Auto, ToolChoice::None]
    );
    // Calls in spite of that are not made, and there is no text.
    assert_eq!(run.status, RunStatus::Incomplete);
    assert_eq!(run.usage.unwrap().total_tokens, 45);
    assert_eq!(steps(&fixture, &run.thread_id, &run.id).await.len(), 2);
}

/// [assistants run 2.6]
#[tokio::test]
async fn text_beside_calls_that_must_not_be_is_the_answer() {
    let mut reply = calls(&[("a", "double", r#"{"n":1}"#)]);
    reply.insert(0, ChatChunk::Text("Two.".to_owned()));
    let fixture = fixture(ScriptedModel::new().pieces(reply), toolbox()).await;
    let run = fixture
        .run(json!({ "tools": server(&["double"]) }), json!({ "tool_choice": "none" }))
        .await;
    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!(steps(&fixture, &run.thread_id, &run.id).await.len(), 1);
}

/// [assistants run 2.1] [assistants run 2.2] [assistants run 3.4]
#[tokio::test]
async fn tools_are_asked_once_for_instructions_and_know_their_run() {
    let n_asked = Arc::new(AtomicU32::new(0));
    let guided = |name: &str| {
        let spec = ToolSpec::new(name, "Is used.", json!({ "type": "object", "properties": {} }));
        Guided(spec, Arc::clone(&n_asked))
    };
    let tools = Toolbox::builder().with(guided("one")).with(guided("two")).with(who::tool());
    let model = ScriptedModel::new().pieces(calls(&[("a", "who", "{}")])).text("Done.");
    let fixture = fixture(model.clone(), tools.build().unwrap()).await;
    let assistant = json!({ "instructions": "Be brief.", "tools": server(&["one", "two", "who"]) });
    let run = fixture.run(assistant, json!({ "metadata": { "k": "v" } })).await;
    // Equal instructions, as those of one server, are told once.
    for asked in model.requests() {
        assert_eq!(asked.messages[0].text(), "Be brief.\nUse it for ada.");
    }
    assert_eq!(n_asked.load(Ordering::Relaxed), 2);
    let told = outputs(&steps(&fixture, &run.thread_id, &run.id).await[0]);
    let expected =
        format!("ada {} {} {} {{\"k\": \"v\"}} false", run.id, run.thread_id, run.assistant_id);
    assert_eq!(told, [expected]);
}

/// [assistants run 5.8]
#[tokio::test]
async fn a_tool_that_the_server_has_not_is_refused() {
    let fixture = fixture(ScriptedModel::new(), toolbox()).await;
    let body = json!({ "model": "m", "tools": [{ "type": "teleport" }] });
    let params = ddg_agentic::assistants::AssistantParams::try_from(body).unwrap();
    let error = fixture.ada.create_assistant(params).await.unwrap_err();
    assert_eq!(error.param(), Some("tools[0].type"));
    assert!(error.to_string().contains("'double'"), "{error}");
}

/// [assistants run 3.2]
#[tokio::test]
async fn what_is_stored_of_interleaved_calls_is_exact() {
    let piece = |index: usize, id: &str, arguments: &str| ChatChunk::ToolCall {
        index,
        id: (!id.is_empty()).then(|| id.to_owned()),
        name: (!id.is_empty()).then(|| "weather".to_owned()),
        arguments: arguments.to_owned(),
    };
    let reply = vec![
        piece(0, "a", "{\"x\""),
        piece(1, "b", "{\"y\""),
        piece(0, "", ":1}"),
        piece(1, "", ":2}"),
        end(FinishReason::ToolCalls),
    ];
    let fixture = fixture(ScriptedModel::new().pieces(reply), Toolbox::default()).await;
    let run = fixture.run(json!({ "tools": [function("weather")] }), json!({})).await;
    let calls = run.required_action.unwrap().submit_tool_outputs.tool_calls;
    let arguments: Vec<_> = calls.iter().map(|call| call.function.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"x\":1}", "{\"y\":2}"]);
}
