//! Tools as workers of any automa, added at run time and restored from a snapshot.

use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::tool::{ToolOutput, ToolResult};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use serde_json::json;

/// Tells the weather.
#[tool]
async fn weather(city: String, #[default = 3] days: u32, cx: &Context) -> String {
    cx.emit("asked", city.clone());
    format!("sunny in {city} for {days} days")
}

fn tools() -> Toolbox {
    Toolbox::builder().with(weather::tool()).build().unwrap()
}

#[tokio::test]
async fn arguments_are_one_object_or_each_by_name() {
    let tools = tools();
    let mut automa = GraphAutoma::new("trip");
    let plan = async |cx: Context| {
        cx.ferry_to("by position", (json!({ "city": "Rome" }),));
        cx.ferry_to("by name", json!({ "city": "Oslo", "days": 1 }));
    };
    automa.add_func_as_worker("plan", plan, start()).unwrap();
    let join = async |a: ToolOutput, b: ToolOutput| format!("{}, {}", a.content, b.content);
    automa.add_worker("by position", tools.worker("weather").unwrap(), free()).unwrap();
    automa.add_worker("by name", tools.worker("weather").unwrap(), free()).unwrap();
    automa.add_func_as_worker("join", join, after(["by position", "by name"]).output()).unwrap();
    let text: String = automa.run(()).output().await.unwrap();
    assert_eq!(text, "sunny in Rome for 3 days, sunny in Oslo for 1 days");
}

#[tokio::test]
async fn a_start_worker_takes_named_inputs_of_the_run() {
    let mut automa = GraphAutoma::new("trip");
    automa.add_worker("weather", tools().worker("weather").unwrap(), start().output()).unwrap();
    let told = async |args: Args| automa.run(args).output::<ToolOutput>().await.unwrap().content;
    assert_eq!(told(args!(city = "Rome")).await, "sunny in Rome for 3 days");
    assert_eq!(told(args!(days = 1, city = "Oslo")).await, "sunny in Oslo for 1 days");
    assert_eq!(told(args!(json!({ "city": "Rome" }), days = 1)).await, "sunny in Rome for 3 days");
}

#[tokio::test]
async fn the_arguments_of_a_call_can_be_ferried_with() {
    let mut automa = GraphAutoma::new("trip");
    let act = async |text: String, cx: Context| {
        let call = ToolCall::new("1", "weather", ToolArguments::parse(&text));
        cx.ferry_to(call.name.as_str(), call.arguments);
    };
    automa.add_func_as_worker("act", act, start()).unwrap();
    automa.add_worker("weather", tools().worker("weather").unwrap(), free().output()).unwrap();
    automa.declare_input("days");
    let told = async |args: Args| automa.run(args).output::<ToolOutput>().await;
    let rome = told(args!(r#"{"city":"Rome","days":2}"#, days = 7)).await.unwrap();
    assert_eq!(rome.content, "sunny in Rome for 2 days");
    let oslo = told(args!(r#"{"city":"Oslo"}"#, days = 7)).await.unwrap();
    assert_eq!(oslo.content, "sunny in Oslo for 7 days");
    expect!["automa `trip`, step 2: worker `weather` failed: the arguments of `weather` cannot be read (expected value at line 1 column 1): call it again with a JSON object"].assert_eq(&told(args!("Rome")).await.unwrap_err().to_string());
    expect![[r#"automa `trip`, step 2: worker `weather` failed: the arguments of `weather` are wrong: [1] is not of type "object""#]].assert_eq(&told(args!("[1]")).await.unwrap_err().to_string());
}

#[tokio::test]
async fn bad_arguments_make_a_worker_fail() {
    let mut automa = GraphAutoma::new("trip");
    automa.add_worker("weather", tools().worker("weather").unwrap(), start()).unwrap();
    let error = automa.run(args!(1, 2)).output::<()>().await.unwrap_err();
    expect!["automa `trip`, step 1: worker `weather` failed: a tool takes its arguments as one JSON object, or each of them by name"].assert_eq(&error.to_string());
    let error = automa.run((json!({ "town": "Rome" }),)).output::<()>().await.unwrap_err();
    expect![[r#"automa `trip`, step 1: worker `weather` failed: the arguments of `weather` are wrong: "city" is a required property; Additional properties are not allowed ('town' was unexpected)"#]].assert_eq(&error.to_string());
    let error = tools().worker("whether").unwrap_err();
    expect!["there is no tool `whether`; did you mean `weather`? The tools are: `weather`"]
        .assert_eq(&error.to_string());
}

/// An agent that calls an existing and a missing tool, and collects the results.
fn agent() -> GraphAutoma {
    let tools = tools();
    let mut agent = GraphAutoma::new("agent");
    tools.register_in(&mut agent).unwrap();
    agent
        .declare_func(
            "collect",
            async |results: Vec<ToolResult>| {
                let told = results.into_iter().map(|result| result.message.content);
                told.collect::<Vec<_>>().join("\n")
            },
            free(),
        )
        .unwrap();
    let act = move |cx: Context| {
        let tools = tools.clone();
        async move {
            let calls = [
                ToolCall::new("1", "weather", json!({ "city": "Rome" })),
                ToolCall::new("2", "whether", json!({})),
            ];
            let keys = calls.map(|call| {
                let key = format!("{}_{}", call.name, call.id);
                cx.add_worker(&key, tools.call_worker(&call.name), free());
                cx.ferry_to(&key, (call,));
                key
            });
            let collect = ddg_core::Key::from("collect");
            cx.add_func_as_worker("collect", collect, after(keys).merge().output());
            cx.add_worker("later", tools.worker("weather").unwrap(), free());
            cx.stop();
        }
    };
    agent.add_func_as_worker("act", act, start()).unwrap();
    agent
}

#[tokio::test]
async fn tools_are_resolved_after_a_snapshot() {
    let stopped = agent().run(()).outcome().await.unwrap();
    let snapshot = serde_json::to_string(&stopped.snapshot().unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    let told: String = agent().resume(snapshot).outcome().await.unwrap().into_output().unwrap();
    expect![[r#"
        sunny in Rome for 3 days
        there is no tool `whether`; did you mean `weather`? The tools are: `weather`"#]]
    .assert_eq(&told);
}

#[tokio::test]
async fn events_of_a_tool_reach_subscribers_of_the_run() {
    let prepared = super::caller(&tools(), "weather").run((ToolCall::new(
        "1",
        "weather",
        json!({ "city": "Rome" }),
    ),));
    let mut events = prepared.events(ddg_core::event::EventFilter::custom());
    prepared.spawn().await.unwrap();
    let event = futures::StreamExt::next(&mut events).await.unwrap();
    assert_eq!(event.unwrap().kind.to_string(), r#"`call` tells asked: "Rome""#);
}
