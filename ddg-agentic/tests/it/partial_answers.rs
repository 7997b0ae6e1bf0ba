//! A typed answer is visible while it streams, whatever is around it.

use ddg_agentic::hook::Redact;
use ddg_agentic::model::{ChatChunk, FinishReason, PartialAnswer, Usage};
use ddg_agentic::prelude::*;
use ddg_agentic::schemars::{self, JsonSchema};
use ddg_core::event::{EventFilter, EventKind};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// A trip.
#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Trip {
    city: String,
    class: Class,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Class {
    Economy,
}

/// What there may be of a trip.
#[derive(Debug, Default, Deserialize, PartialEq)]
struct Shown {
    city: Option<String>,
    class: Option<Class>,
}

fn text(text: &str) -> ChatChunk {
    ChatChunk::Text(text.to_owned())
}

fn end() -> ChatChunk {
    ChatChunk::End { finish: FinishReason::Stop, usage: Usage::default() }
}

/// The values that are seen of a reply that comes a letter at a time, each once.
fn seen(reply: &str) -> Vec<Json> {
    let mut trip = PartialAnswer::<Trip>::new();
    let mut seen = Vec::new();
    for letter in reply.chars() {
        let before = trip.json().cloned();
        let may_have_changed = trip.push(&text(&letter.to_string()));
        let now = trip.json().cloned();
        assert!(may_have_changed || now == before, "{before:?} became {now:?}");
        if now != before {
            seen.extend(now);
        }
    }
    seen
}

#[test]
fn it_grows_and_what_is_around_it_is_left_out() {
    let expected = [
        json!({}),
        json!({ "city": "" }),
        json!({ "city": "D" }),
        json!({ "city": "De" }),
        json!({ "city": "De", "class": "" }),
    ];
    for reply in [
        r#"{"city": "De", "class": ""#,
        r#"Sure! Here: {"city": "De", "class": ""#,
        "```json\n{\"city\": \"De\", \"class\": \"",
        r#"<think>Is {"city": "Rome"} good?</think>{"city": "De", "class": ""#,
    ] {
        assert_eq!(seen(reply), expected, "{reply}");
    }
    // A text may say anything.
    let last = seen(r#"{"city": "</think>{"}"#).pop();
    assert_eq!(last, Some(json!({ "city": "</think>{" })));
    assert_eq!(seen("[1, 2] and 3").len(), 0);
}

#[test]
fn what_does_not_fit_is_void_and_what_fits_stays() {
    let mut trip = PartialAnswer::<Trip>::new();
    let (unfit, fit) = (r#"{"city": 7}"#, r#"{"city": "Rome", "class": "economy"}"#);
    trip.push(&text(unfit));
    assert_eq!(trip.json(), None, "it is whole, and not a trip");
    trip.push(&text(" no, "));
    trip.push(&text(fit));
    trip.push(&text(r#" or {"city": "Oslo", "class": "economy"}"#));
    assert_eq!(trip.get(), Some(Trip { city: "Rome".into(), class: Class::Economy }));
}

#[test]
fn the_beginning_of_a_name_is_left_out_where_it_is_none() {
    let mut trip = PartialAnswer::<Trip>::new();
    assert_eq!(trip.get::<Shown>(), None);
    trip.push(&text(r#"{"city": "Rome", "class": "econ"#));
    assert_eq!(trip.json(), Some(&json!({ "city": "Rome", "class": "econ" })));
    assert_eq!(trip.get(), Some(Shown { city: Some("Rome".into()), class: None }));
    trip.push(&text("omy\""));
    assert_eq!(trip.get(), Some(Shown { city: Some("Rome".into()), class: Some(Class::Economy) }));
    assert_eq!(trip.get::<u32>(), None);
}

#[test]
fn a_reply_that_begins_anew_or_calls_tools_has_no_answer_yet() {
    let call =
        ChatChunk::ToolCall { index: 0, id: None, name: None, arguments: r#"{"city": 1}"#.into() };
    for void in [ChatChunk::Restart { model: None }, call] {
        let mut trip = PartialAnswer::<Trip>::new();
        assert!(trip.push(&text(r#"{"city": "De"#)));
        assert!(trip.push(&void), "{void:?}");
        assert_eq!(trip.json(), None, "{void:?}");
    }
    let mut trip = PartialAnswer::<Trip>::new();
    trip.push(&text(r#"{"city": "De"#));
    assert!(!trip.push(&end()));
    assert!(trip.json().is_some(), "the last value stays until the next reply begins");
    trip.push(&ChatChunk::Thinking("Hm.".into()));
    assert_eq!(trip.json(), None);
    trip.push(&text(r#"{"city": "Ro"#));
    assert_eq!(trip.json(), Some(&json!({ "city": "Ro" })));
}

#[test]
fn what_is_no_object_is_taken_out_of_the_one_around_it() {
    let mut stops = PartialAnswer::<Vec<String>>::new();
    stops.push(&text(r#"{"value""#));
    assert_eq!(stops.json(), None);
    stops.push(&text(r#": ["Rome", "Os"#));
    assert_eq!(stops.json(), Some(&json!(["Rome", "Os"])));
    stops.push(&text(r#"lo"]}"#));
    assert_eq!(stops.get::<Vec<String>>().unwrap(), ["Rome", "Oslo"]);
}

/// What is seen of the answer of `agent`.
async fn watched(agent: ReActAutoma) -> Vec<Json> {
    let agent = agent.answer::<Trip>().build().unwrap();
    let run = agent.run(args!("Where to?"));
    let mut events = run.events(EventFilter::messages());
    let run = run.spawn();
    let mut trip = PartialAnswer::<Trip>::new();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        if let EventKind::Chunk { chunk, .. } = &event.unwrap().kind
            && trip.push(&chunk.get().unwrap())
        {
            seen.push(trip.json().cloned().unwrap_or_default());
        }
    }
    let outcome = run.await.unwrap();
    assert_eq!(outcome.answer::<Trip>().ok(), trip.get::<Trip>());
    seen
}

#[tokio::test]
async fn the_answer_of_an_agent_is_seen_as_it_comes_also_at_the_second_try() {
    let model = ScriptedModel::new()
        .pieces([text(r#"{"city": "#), text(r#""De"}"#), end()])
        .pieces([text(r#"{"city": "Del"#), text(r#"ft", "class": "economy"}"#), end()]);
    let seen = watched(ReActAutoma::new(model)).await;
    let whole = json!({ "city": "Delft", "class": "economy" });
    assert_eq!(seen, [json!({}), Json::Null, json!({ "city": "Del" }), whole]);
}

/// Hooks hold the pieces of a reply until they have decided.
#[tokio::test]
async fn the_answer_after_a_call_is_seen_when_hooks_have_let_it_pass() {
    /// Looks around.
    #[tool]
    async fn look() -> &'static str {
        "nothing"
    }

    let model = ScriptedModel::new()
        .calls([ToolCall::new("a", "look", json!({}))])
        .text(r#"{"city": "Delft", "class": "economy"}"#);
    let agent = ReActAutoma::new(model)
        .tools(Toolbox::builder().with(look::tool()).build().unwrap())
        .hook(Redact::new("cities", |text| text.replace("Delft", "Rome")));
    assert_eq!(watched(agent).await, [json!({ "city": "Rome", "class": "economy" })]);
}
