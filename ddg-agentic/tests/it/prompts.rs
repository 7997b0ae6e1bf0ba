//! Prompt templates: invalid ones are refused when they are parsed, missing values when they are
//! rendered.

use ddg_agentic::prompt::{PromptTemplate, PromptWorker};
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

#[track_caller]
fn check(template: &str, values: &Json, expected: &Expect) {
    let made = PromptTemplate::new(template).and_then(|template| template.render(values));
    expected.assert_eq(&made.unwrap_or_else(|error| format!("error: {error}")));
}

#[test]
fn places_are_filled() {
    check(
        "Plan {{ days }} days in {{ city | upper }}.",
        &json!({ "days": 3, "city": "Tokyo" }),
        &expect!["Plan 3 days in TOKYO."],
    );
    check(
        "{% for day in days %}{{ loop.index }}. {{ day.title }}\n{% endfor %}",
        &json!({ "days": [{ "title": "Ueno" }, { "title": "Shibuya" }] }),
        &expect![[r#"
            1. Ueno
            2. Shibuya
        "#]],
    );
    check("{{ mood | default('any') }} {{ a is defined }}", &json!({}), &expect!["any False"]);
    check(
        "{{ html }} {{ data | tojson }}",
        &json!({ "html": "<b>&</b>", "data": { "a": [1] } }),
        &expect![[r#"<b>&</b> {"a": [1]}"#]],
    );
}

#[test]
fn missing_variables_are_named() {
    check(
        "Plan\n{{ days }} days.",
        &json!({}),
        &expect!["error: line 2 of the prompt: `days` is not given"],
    );
    check(
        "{{ trip.city }}",
        &json!({ "trip": {} }),
        &expect!["error: line 1 of the prompt: `trip.city` is not given"],
    );
    check(
        "{{ trip.city }}",
        &json!({}),
        &expect!["error: line 1 of the prompt: `trip.city` is not given"],
    );
    check(
        "{% if\n rainy %}a{% endif %}",
        &json!({}),
        &expect!["error: line 2 of the prompt: `rainy` is not given"],
    );
    check(
        "{{ city | upper }}",
        &json!({}),
        &expect!["error: line 1 of the prompt: `city` is not given"],
    );
    check(
        "{{ city | upper }} {{ mood | upper }}",
        &json!({ "city": "Rome" }),
        &expect!["error: line 1 of the prompt: `mood` is not given"],
    );
    check(
        "{% for day in days %}x{% endfor %}",
        &json!({}),
        &expect!["error: line 1 of the prompt: `days` is not given"],
    );
}

#[test]
fn faults_are_reported_with_their_line() {
    check(
        "a\nb {{ c",
        &json!({}),
        &expect![
            "error: line 2 of the prompt: unexpected end of input, expected end of variable block"
        ],
    );
    check(
        "a\n{% for x in y %}",
        &json!({}),
        &expect!["error: line 2 of the prompt: unexpected end of input, expected end of block"],
    );
    check(
        "{{ a | shout }}",
        &json!({ "a": 1 }),
        &expect!["error: line 1 of the prompt: filter shout is unknown"],
    );
    check(
        "a\n{{ a + b }}",
        &json!({ "a": 1, "b": [] }),
        &expect![
            "error: line 2 of the prompt: tried to use + operator on unsupported types number and sequence"
        ],
    );
    check(
        "{% include 'other' %}",
        &json!({}),
        &expect!["error: line 1 of the prompt: unknown statement include"],
    );
}

#[test]
fn its_variables_are_known_in_their_order() {
    let template = "{{ b }} {{ ab }} {% set c = a %}{{ c }} {% for x in range(n) %}{{ x }}{% endfor %} {{ b }}";
    assert_eq!(PromptTemplate::new(template).unwrap().variables(), ["b", "ab", "a", "n"]);
}

#[test]
fn a_template_serialises_to_its_text() {
    let template = PromptTemplate::new("Hello {{ name }}!").unwrap();
    let json = serde_json::to_string(&template).unwrap();
    assert_eq!(json, "\"Hello {{ name }}!\"");
    let back: PromptTemplate = serde_json::from_str(&json).unwrap();
    assert_eq!(back.render(&json!({ "name": "Ada" })).unwrap(), "Hello Ada!");
    let error = serde_json::from_str::<PromptTemplate>("\"{{\"").unwrap_err();
    expect!["line 1 of the prompt: unexpected end of input, expected expression"]
        .assert_eq(&error.to_string());
}

fn plan(options: WorkerOptions) -> GraphAutoma {
    let template = "{{ days }} days in {{ city }}{% if mood is defined %}, {{ mood }}{% endif %}.";
    let prompt = PromptWorker::new(PromptTemplate::new(template).unwrap());
    let mut automa = GraphAutoma::new("plan");
    automa.add_worker("prompt", prompt, options.output()).unwrap();
    automa
}

#[tokio::test]
async fn as_a_worker_its_variables_are_its_parameters() {
    let automa = plan(start());
    let filled = async |args| automa.run(args).output::<String>().await.map_err(|e| e.to_string());
    assert_eq!(filled(args!(3, "Rome", None::<String>)).await.unwrap(), "3 days in Rome.");
    assert_eq!(
        filled(args!(city = "Rome", days = 3, mood = json!(null))).await.unwrap(),
        "3 days in Rome."
    );
    assert_eq!(
        filled(args!(3, city = "Rome", mood = "lazy")).await.unwrap(),
        "3 days in Rome, lazy."
    );
    expect!["automa `plan`, step 1: worker `prompt` cannot be called: parameter `city` (`Value`) got no argument: 1 given by position, none of that name"].assert_eq(&filled(args!(3, mood = "lazy")).await.unwrap_err());
    expect![
        "automa `plan`, step 1: worker `prompt` failed: line 1 of the prompt: `days` is not given"
    ]
    .assert_eq(&filled(args!(None::<i32>, "Rome", "lazy")).await.unwrap_err());
}

#[tokio::test]
async fn one_map_fills_all() {
    let mut automa = plan(after(["trip"]).unpack());
    let trip = async || json!({ "city": "Rome", "days": 3, "mood": null });
    automa.add_func_as_worker("trip", trip, start()).unwrap();
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "3 days in Rome.");
}

#[tokio::test]
async fn one_that_was_added_at_run_time_survives_a_snapshot() {
    let mut automa = GraphAutoma::new("grown");
    automa.register_worker::<PromptWorker>("prompt").unwrap();
    let grow = async |cx: &Context| {
        let prompt = PromptTemplate::new("Hello {{ name }}!").unwrap();
        cx.add_worker("prompt", PromptWorker::new(prompt), free().output());
        cx.ferry_to("prompt", args!("Ada"));
        cx.stop();
    };
    automa.add_func_as_worker("grow", grow, start()).unwrap();
    let json = serde_json::to_string(&automa.run(()).outcome().await.unwrap().snapshot().unwrap())
        .unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    let text = automa.resume(snapshot).outcome().await.unwrap().into_output::<String>().unwrap();
    assert_eq!(text, "Hello Ada!");
}
