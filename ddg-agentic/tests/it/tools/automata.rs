//! An automa as a tool: it is nested in the caller's run, pauses with it and is saved with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_agentic::Toolbox;
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::Usage;
use ddg_agentic::schemars::JsonSchema;
use ddg_agentic::tool::{AutomaTool, OnFailure, ToolOptions, ToolOutput, ToolResult, Verdict};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use super::{caller, error, given, written};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Stay {
    /// The city, in English.
    city: String,
    #[serde(default = "one")]
    nights: u32,
}

fn one() -> u32 {
    1
}

/// Asks for the class, and reckons.
fn hotel() -> GraphAutoma {
    let mut hotel = GraphAutoma::new("hotel");
    let class = async |city: String, cx: Context| -> Result<String, WorkerError> {
        Ok(cx.interact_with_human(format!("which class in {city}?"))?)
    };
    let price = async |class: String, nights: u32| match class.as_str() {
        "first" => Ok(nights * 200),
        other => Err(WorkerError::msg(format!("there is no class {other}"))),
    };
    hotel.add_func_as_worker("class", class, start().params(["city"])).unwrap();
    let options = after(["class"]).params(["class", "nights"]).output();
    hotel.add_func_as_worker("price", price, options).unwrap();
    hotel
}

fn double() -> GraphAutoma {
    let mut double = GraphAutoma::new("double");
    let reckon = async |stay: Stay| stay.nights * 2;
    double.add_func_as_worker("double", reckon, start().output()).unwrap();
    double
}

fn call(tool: &str) -> (ToolCall,) {
    (ToolCall::new("call_1", tool, json!({ "city": "Rome", "nights": 2 })),)
}

#[tokio::test]
async fn the_input_is_given_by_name_or_as_one_argument() {
    let tools = Toolbox::builder()
        .with(AutomaTool::of_one::<Stay>("double", "Doubles.", double()))
        .build()
        .unwrap();
    expect![[r#"
        {
          "properties": {
            "city": {
              "description": "The city, in English.",
              "type": "string"
            },
            "nights": {
              "default": 1,
              "minimum": 0,
              "type": "integer"
            }
          },
          "required": [
            "city"
          ],
          "type": "object"
        }"#]]
    .assert_eq(&written(tools.specs()[0].parameters.clone()));
    assert_eq!(given(&tools, "double", json!({ "city": "Rome" })).await, "2");
    expect![[r#"the arguments of `double` are wrong: "city" is a required property"#]]
        .assert_eq(&error(&tools, "double", json!({ "nights": 1 })).await);
}

#[tokio::test]
async fn its_questions_pause_the_run_and_are_answered_elsewhere() {
    let tools = || {
        let hotel = AutomaTool::new::<Stay>("hotel", "What a stay costs.", hotel());
        let options = ToolOptions::new().approval().max_concurrency(1);
        Toolbox::builder().with_options(hotel, options).build().unwrap()
    };
    let paused = caller(&tools(), "hotel").run(call("hotel")).outcome().await.unwrap();
    assert_eq!(paused.questions()[0].id, "call/check#0.1");
    let elsewhere = |snapshot: Snapshot| -> Snapshot {
        serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
    };
    let mut snapshot = elsewhere(paused.snapshot().unwrap());
    snapshot.answer("call/check#0.1", Verdict::Allow).unwrap();
    let paused = caller(&tools(), "hotel").resume(snapshot).outcome().await.unwrap();
    let question = paused.questions().remove(0);
    assert_eq!(question.content.get::<String>().unwrap(), "which class in Rome?");
    let mut snapshot = elsewhere(paused.snapshot().unwrap());
    snapshot.answer(&question.id, "first".to_owned()).unwrap();
    let outcome = caller(&tools(), "hotel").resume(snapshot).outcome().await.unwrap();
    let ToolResult { message, .. } = outcome.into_output().unwrap();
    assert_eq!((message.call_id.as_str(), message.content.as_str()), ("call_1", "400"));
}

/// An agent that adds the call while it runs.
fn agent(tools: &Toolbox) -> GraphAutoma {
    let mut agent = GraphAutoma::new("agent");
    tools.register_in(&mut agent).unwrap();
    let tools = tools.clone();
    let act = move |cx: Context| {
        let tools = tools.clone();
        async move {
            cx.add_worker("hotel_1", tools.call_worker("hotel"), free().output());
            cx.ferry_to("hotel_1", call("hotel"));
        }
    };
    agent.add_func_as_worker("act", act, start()).unwrap();
    agent
}

#[tokio::test]
async fn a_call_added_at_run_time_is_resolved_after_a_snapshot() {
    let tools = || {
        let hotel = AutomaTool::new::<Stay>("hotel", "What a stay costs.", hotel());
        Toolbox::builder().with(hotel).build().unwrap()
    };
    let paused = agent(&tools()).run(()).outcome().await.unwrap();
    let snapshot = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    let mut snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    let id = snapshot.questions()[0].id.clone();
    assert_eq!(id, "hotel_1/automa/class#0.1");
    snapshot.answer(&id, "best".to_owned()).unwrap();
    let outcome = agent(&tools()).resume(snapshot).outcome().await.unwrap();
    let ToolResult { message, .. } = outcome.into_output().unwrap();
    assert!(message.is_error);
    expect!["`hotel` failed: automa `hotel`, step 2: worker `hotel_1/automa/price` failed: there is no class best"].assert_eq(&message.content);
}

/// An automa of one worker.
fn lone<M>(work: impl ddg_core::worker::IntoFunc<M, Made = AnyWorker>) -> GraphAutoma {
    let mut lone = GraphAutoma::new("lone");
    lone.add_func_as_worker("work", work, start().output()).unwrap();
    lone
}

fn lone_tool<M>(
    work: impl ddg_core::worker::IntoFunc<M, Made = AnyWorker>,
    options: ToolOptions,
) -> Toolbox {
    let tool = AutomaTool::new::<Stay>("lone", "Works.", lone(work));
    Toolbox::builder().with_options(tool, options).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn timeouts_policies_and_cuts_are_those_of_any_tool() {
    let arguments = json!({ "city": "Rome" });
    let options = ToolOptions::new().timeout(Duration::from_secs(5));
    let never = lone_tool(async || std::future::pending::<()>().await, options);
    assert_eq!(error(&never, "lone", arguments.clone()).await, "`lone` did not end within 5s");

    let n = Arc::new(AtomicU32::new(0));
    let flaky = {
        let n = Arc::clone(&n);
        move || {
            let n = n.fetch_add(1, Ordering::Relaxed);
            async move { if n < 2 { Err(WorkerError::msg("not yet")) } else { Ok(n) } }
        }
    };
    let options = ToolOptions::new().on_failure(OnFailure::Retry { times: 2 });
    assert_eq!(given(&lone_tool(flaky, options), "lone", arguments.clone()).await, "2");

    let options = ToolOptions::new().max_output_bytes(2);
    let long = lone_tool(async || "long".to_owned(), options);
    expect![[r#"
        l
        [cut: 2 of 4 bytes are missing]
        g"#]]
    .assert_eq(&given(&long, "lone", arguments).await);

    let options = ToolOptions::new().on_failure(OnFailure::FailRun);
    let bad = lone_tool(async || Err::<(), _>(WorkerError::msg("no")), options);
    let error = caller(&bad, "lone").run(call("lone")).output::<ToolResult>().await.unwrap_err();
    expect!["automa `agent`, step 1: worker `call` failed: automa `lone`, step 2: worker `call/automa` failed: automa `lone`, step 1: worker `call/automa/work` failed: no"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn calls_wait_for_their_turn_and_a_cancelled_one_gives_it_back() {
    let (began, mut begins) = mpsc::unbounded_channel();
    let goes_on = Arc::new(Semaphore::new(0));
    let wait = {
        let goes_on = Arc::clone(&goes_on);
        move || {
            let (began, goes_on) = (began.clone(), Arc::clone(&goes_on));
            async move {
                began.send(()).unwrap();
                goes_on.acquire().await.unwrap().forget();
            }
        }
    };
    let tools = lone_tool(wait, ToolOptions::new().max_concurrency(1));
    let first = caller(&tools, "lone").run(call("lone")).spawn();
    begins.recv().await.unwrap();
    let second = caller(&tools, "lone").run(call("lone")).spawn();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(begins.try_recv().is_err(), "the second waits for its turn");
    drop(first);
    begins.recv().await.unwrap();
    let third = caller(&tools, "lone").run(call("lone")).spawn();
    goes_on.add_permits(1);
    second.await.unwrap();
    begins.recv().await.unwrap();
    goes_on.add_permits(1);
    third.await.unwrap();
}

#[tokio::test]
async fn its_events_reach_subscribers_of_the_run() {
    let work = async |cx: Context| cx.emit("works in", "Rome".to_owned());
    let tools = lone_tool(work, ToolOptions::new());
    let prepared = caller(&tools, "lone").run(call("lone"));
    let mut events = prepared.events(EventFilter::custom());
    prepared.spawn().await.unwrap();
    let event = events.next().await.unwrap().unwrap();
    expect![[r#"14: call/automa: step 1: `work` tells works in: "Rome""#]]
        .assert_eq(&event.to_string());
}

#[tokio::test]
async fn a_turn_ends_with_the_call_even_if_its_events_are_kept() {
    let tools = lone_tool(async || 1, ToolOptions::new().max_concurrency(1));
    let mut kept = Vec::new();
    for _ in 0..2 {
        let prepared = caller(&tools, "lone").run(call("lone"));
        let events = prepared.events(EventFilter::all());
        let outcome = prepared.spawn().await.unwrap();
        assert_eq!(outcome.output().get::<ToolResult>().unwrap().message.content, "1");
        kept.push((events, outcome));
    }
}

#[tokio::test]
async fn the_text_for_the_model_can_be_set() {
    let tool = AutomaTool::of_one::<Stay>("double", "Doubles.", double())
        .output(|n: u32| ToolOutput::text(format!("it is {n}")).usage(Usage::new(1, 2)));
    let tools = Toolbox::builder().with(tool).build().unwrap();
    let result: ToolResult = caller(&tools, "double").run(call("double")).output().await.unwrap();
    assert_eq!((result.message.content.as_str(), result.usage), ("it is 4", Usage::new(1, 2)));
}

#[tokio::test]
async fn within_another_worker_it_runs_on_its_own() {
    let tools = Toolbox::builder()
        .with(AutomaTool::of_one::<Stay>("double", "Doubles.", double()))
        .with(AutomaTool::new::<Stay>("hotel", "Asks.", hotel()))
        .build()
        .unwrap();
    let mut automa = GraphAutoma::new("agent");
    let calls = move |cx: Context| {
        let tools = tools.clone();
        async move {
            let double = tools.call(&call("double").0, &cx).await?;
            let hotel = tools.call(&call("hotel").0, &cx).await?;
            Ok::<_, WorkerError>(format!("{}\n{}", double.message.content, hotel.message.content))
        }
    };
    automa.add_func_as_worker("calls", calls, start().output()).unwrap();
    let told: String = automa.run(()).output().await.unwrap();
    expect![[r#"
        4
        `hotel` failed: automa `hotel`: paused, so there is no output yet; a worker that runs it passes its questions on with `Context::call`, and `.outcome()` returns the run with its questions: `class#0.1`"#]]
    .assert_eq(&told);
}
