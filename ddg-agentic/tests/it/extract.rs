//! A model is asked for a value of a type, gets the faults of its reply, and is asked again.

use std::sync::Arc;

use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{
    Capabilities, ChatModelExt, ChatReply, ChatRequest, ExtractError, FinishReason, ModelError,
    ScriptedModel, ToolChoice, Usage,
};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::{Expect, expect};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Plan {
    /// Where to go.
    city: String,
    days: Vec<Day>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Day {
    #[schemars(range(min = 1, max = 24))]
    hours: u8,
}

fn request() -> ChatRequest {
    ChatRequest::new([Message::system("You plan trips."), Message::user("A day in Tokyo!")])
}

const GOOD: &str = r#"{ "city": "Tokyo", "days": [{ "hours": 8 }] }"#;

fn good() -> Plan {
    Plan { city: "Tokyo".into(), days: vec![Day { hours: 8 }] }
}

/// What the model is told when it has given `text`.
#[track_caller]
fn check_told(text: &str, expected: &Expect) {
    let model = ScriptedModel::new().text(text).text(GOOD);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let plan = runtime.block_on(model.extract::<Plan>(request()).into_future()).unwrap();
    assert_eq!(plan.value, good());
    let messages = &model.requests()[1].messages;
    let told = messages.last().unwrap();
    let mut asked = request().messages;
    asked.push(Message::assistant(text));
    assert_eq!(messages.slice(..messages.len() - 1), asked);
    expected.assert_eq(&told.text());
}

#[tokio::test]
async fn the_schema_goes_into_the_request_of_a_model_that_follows_one() {
    let model = ScriptedModel::new().text(GOOD);
    assert_eq!(model.extract::<Plan>(request()).await.unwrap().value, good());
    let asked = &model.requests()[0];
    assert_eq!(asked.messages, request().messages);
    let schema = asked.output_schema.as_ref().unwrap();
    assert_eq!((schema.name.as_str(), &schema.schema), ("Plan", &plan_schema()));
}

fn plan_schema() -> Json {
    let day = json!({
        "type": "object",
        "properties": { "hours": { "type": "integer", "minimum": 1, "maximum": 24 } },
        "required": ["hours"],
    });
    json!({
        "type": "object",
        "title": "Plan",
        "properties": {
            "city": { "type": "string", "description": "Where to go." },
            "days": { "type": "array", "items": day },
        },
        "required": ["city", "days"],
    })
}

#[tokio::test]
async fn another_model_gets_the_schema_in_words() {
    let told = async |request| {
        let can = Capabilities::default().output_schema(false);
        let model = ScriptedModel::new().capabilities(can).text(GOOD);
        model.extract::<Plan>(request).await.unwrap();
        let asked = model.requests().remove(0);
        assert_eq!(asked.output_schema, None);
        (asked.messages.len(), asked.messages[0].text())
    };
    let (n, text) = told(request()).await;
    let (words, schema) = text.split_once("\n{").unwrap();
    expect![[r#"
        You plan trips.

        Reply with one JSON value that follows this JSON schema, and with nothing else:"#]]
    .assert_eq(words);
    assert_eq!(serde_json::from_str::<Json>(&format!("{{{schema}")).unwrap(), plan_schema());
    assert_eq!(n, 2);
    let (n, alone) = told(ChatRequest::new(["A day in Tokyo!"])).await;
    assert_eq!((n, format!("You plan trips.\n\n{alone}")), (2, text));
}

#[tokio::test]
async fn a_value_is_found_between_fences() {
    let fenced = [
        format!("```json\n{GOOD}\n```"),
        format!("Here you are:\n\n```\n{GOOD}\n```\nHave a nice trip!"),
        format!("  {GOOD}\n"),
    ];
    for text in fenced {
        let model = ScriptedModel::new().text(text);
        assert_eq!(model.extract::<Plan>(request()).await.unwrap().value, good());
    }
}

#[test]
fn faults_are_reported() {
    check_told(
        r#"{ "city": 7, "days": [{ "hours": 25 }, {}] }"#,
        &expect![[r#"
            This is not what was asked for:
            - city: 7 is not of type "string"
            - days.0.hours: 25 is greater than the maximum of 24
            - days.1: "hours" is a required property
            Reply with the whole JSON value again, corrected, and with nothing else."#]],
    );
    check_told(
        "I would go to Tokyo.",
        &expect![[r#"
        This is not what was asked for:
        - it is no JSON: expected value at line 1 column 1
        Reply with the whole JSON value again, corrected, and with nothing else."#]],
    );
    check_told(
        "```json\n{ \"city\": \n```",
        &expect![[r#"
            This is not what was asked for:
            - it is no JSON: expected value at line 1 column 1
            Reply with the whole JSON value again, corrected, and with nothing else."#]],
    );
    check_told(
        "[]",
        &expect![[r#"
            This is not what was asked for:
            - [] is not of type "object"
            Reply with the whole JSON value again, corrected, and with nothing else."#]],
    );
}

#[tokio::test]
async fn a_truncated_or_empty_reply_is_reported_as_such() {
    let call = ToolCall::new("call_1", "look", json!({}));
    let model = ScriptedModel::new()
        .reply(ChatReply::text(r#"{ "city": "To"#).finish(FinishReason::Length))
        .calls([call])
        .text(GOOD);
    model.extract::<Plan>(request()).await.unwrap();
    let messages = model.requests().remove(2).messages.split_off(2);
    let told: Vec<_> = messages
        .iter()
        .map(|message| (matches!(message, Message::Assistant(_)), message.text()))
        .map(|(model, text)| format!("{} {text}", if model { "<" } else { ">" }))
        .collect();
    expect![[r#"
        < { "city": "To
        > This is not what was asked for:
        - it was cut off: make it shorter
        Reply with the whole JSON value again, corrected, and with nothing else.
        > This is not what was asked for:
        - it is empty
        Reply with the whole JSON value again, corrected, and with nothing else."#]]
    .assert_eq(&told.join("\n"));
}

#[tokio::test]
async fn after_all_attempts_the_last_reply_is_reported() {
    let wrong = |city: u8| {
        ChatReply::text(json!({ "city": city, "days": [] }).to_string()).usage(Usage::new(10, 5))
    };
    let model = ScriptedModel::new().reply(wrong(1)).reply(wrong(2)).reply(wrong(3));
    let error = model.extract::<Plan>(request()).await.unwrap_err();
    expect![[r#"
        model `scripted` gave no `it::extract::Plan` in 3 attempts; the faults of the last one:
        - city: 3 is not of type "string"
        It was: {"city":3,"days":[]}"#]]
    .assert_eq(&error.to_string());
    let ExtractError::NotAsAsked { usage, .. } = error else { panic!() };
    assert_eq!(usage, Usage::new(30, 15));

    let model = ScriptedModel::new().reply(wrong(1)).text(GOOD);
    assert!(model.extract::<Plan>(request()).attempts(1).await.is_err());
    assert_eq!(model.n_left(), 1);
}

#[tokio::test]
async fn all_attempts_are_paid_for() {
    let model = ScriptedModel::new()
        .reply(ChatReply::text("no").usage(Usage::new(10, 1)))
        .reply(ChatReply::text(GOOD).usage(Usage::new(30, 2)));
    assert_eq!(model.extract::<Plan>(request()).await.unwrap().usage, Usage::new(40, 3));

    let away = ModelError::Connection { model: "scripted".into(), message: "it hung up".into() };
    let model =
        ScriptedModel::new().reply(ChatReply::text("no").usage(Usage::new(10, 1))).fails(away);
    let error = model.extract::<Plan>(request()).await.unwrap_err();
    expect!["model `scripted`: it hung up"].assert_eq(&error.to_string());
    let ExtractError::Model { usage, .. } = error else { panic!() };
    assert_eq!(usage, Usage::new(10, 1));
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    Lazy,
    Busy,
}

#[tokio::test]
async fn a_value_that_is_not_an_object_is_requested_in_one() {
    let model = ScriptedModel::new().text(r#"{ "value": [{ "hours": 8 }] }"#);
    let days = model.extract::<Vec<Day>>(request()).await.unwrap().value;
    assert_eq!(days, [Day { hours: 8 }]);
    let asked = model.requests().remove(0).output_schema.unwrap();
    assert_eq!((asked.name.as_str(), &asked.schema["type"]), ("Array_of_Day", &json!("object")));

    let model = ScriptedModel::new().text(r#"{ "value": "calm" }"#).text(r#"{ "value": "busy" }"#);
    assert_eq!(model.extract::<Mood>(request()).await.unwrap().value, Mood::Busy);
    expect![[r#"
        This is not what was asked for:
        - value: "calm" is not one of "lazy" or "busy"
        Reply with the whole JSON value again, corrected, and with nothing else."#]]
    .assert_eq(&model.requests()[1].messages.last().unwrap().text());
}

/// A type that takes less than its schema says.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Even(#[serde(deserialize_with = "even")] i64);

fn even<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match number % 2 {
        0 => Ok(number),
        _ => Err(serde::de::Error::custom(format!("{number} is odd"))),
    }
}

#[tokio::test]
async fn faults_that_the_type_finds_are_reported_too() {
    let model = ScriptedModel::new().text(r#"{ "value": 3 }"#).text(r#"{ "value": 4 }"#);
    assert_eq!(model.extract::<Even>(request()).await.unwrap().value, Even(4));
    expect![[r#"
        This is not what was asked for:
        - 3 is odd
        Reply with the whole JSON value again, corrected, and with nothing else."#]]
    .assert_eq(&model.requests()[1].messages.last().unwrap().text());
}

#[tokio::test]
async fn any_model_can_be_asked_and_calls_no_tools() {
    let model: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new().text(GOOD).expects(|request| {
        assert_eq!(request.tool_choice, ToolChoice::None);
        assert_eq!(request.tools.len(), 1);
    }));
    let request = request().tools([ToolSpec::new("look", "", json!({}))]);
    assert_eq!(model.extract::<Plan>(request).await.unwrap().value, good());
}
