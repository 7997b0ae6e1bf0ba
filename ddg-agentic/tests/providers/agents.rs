//! Agents with a model behind a server: the whole loop over HTTP.

use std::time::Duration;

use ddg_agentic::prelude::*;
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama, OpenAi, OpenAiResponses};
use ddg_agentic::schemars::JsonSchema;
use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::event::EventFilter;
use expect_test::expect;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, Then, wait};

/// The weather of a city.
#[tool]
async fn weather(
    /// The city.
    city: String,
) -> String {
    format!("sunny in {city}")
}

fn agent(model: impl ChatModel) -> ReActAutoma {
    let tools = Toolbox::builder().with(weather::tool()).build().unwrap();
    ReActAutoma::new(model).system("You help people to pack.").tools(tools)
}

/// What a server was asked, a request each: the roles of the messages, and the text of the last.
fn asked(server: &OpenAiServer) -> String {
    let requests = server.asked().into_iter().map(|asked| {
        let body: Json = serde_json::from_str(&asked.body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let roles: Vec<_> = messages.iter().map(|message| &message["role"]).collect();
        let roles: Vec<_> = roles.into_iter().map(|role| role.as_str().unwrap()).collect();
        let last = &messages.last().unwrap()["content"];
        let text = last.as_str().or_else(|| last[0]["text"].as_str()).unwrap_or_default();
        format!("{}: {text}", roles.join(" "))
    });
    requests.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_whole_loop_goes_over_the_wire() {
    let calls = [
        ("call_1", "weather", r#"{ "city": "Tokyo" }"#),
        ("call_1", "weather", r#"{ "city": "#),
        ("", "wether", "{}"),
    ];
    let mut told = Vec::new();
    for bytes_at_a_time in [1, 7, usize::MAX] {
        let answers = [Answer::calls(calls), Answer::text("Take sunglasses: 晴れ.")];
        let answers = answers.map(|answer| answer.bytes_at_a_time(bytes_at_a_time));
        let server = OpenAiServer::serving(answers).await;
        let agent = agent(model(&server)).build().unwrap();
        let outcome = agent.run(args!("What do I need in Tokyo?")).await.unwrap();
        assert_eq!(outcome.text(), "Take sunglasses: 晴れ.");
        assert_eq!((outcome.turns, outcome.usage.total()), (2, 50));
        let messages = &outcome.conversation.messages;
        let ids: Vec<_> = messages[1].tool_calls().iter().map(|call| &call.id).collect();
        assert_eq!(ids[0], "call_1");
        assert!(ids[1] != ids[0] && ids[2] != ids[1] && !ids[2].is_empty(), "{ids:?}");
        let results: Vec<_> = messages.range(2..5).map(Message::text).collect();
        told.push((results.join("\n"), asked(&server)));
        let parameters = &server.last_body()["tools"][0]["function"]["parameters"];
        assert_eq!(parameters["properties"]["city"]["description"], "The city.");
    }
    told.dedup();
    let [(results, asked)] = &told[..] else { panic!("the size of the pieces matters: {told:?}") };
    expect![[r#"
        sunny in Tokyo
        the arguments of `weather` cannot be read (EOF while parsing a value at line 1 column 10): call it again with a JSON object
        there is no tool `wether`; did you mean `weather`? The tools are: `weather`"#]].assert_eq(results);
    expect![[r#"
        system user: What do I need in Tokyo?
        system user assistant tool tool tool: there is no tool `wether`; did you mean `weather`? The tools are: `weather`"#]].assert_eq(asked);
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_when_it_likes() {
    let busy = Answer::error(429, "not so fast").header("retry-after", "0");
    let away = Answer::error(503, "come back later");
    let server = OpenAiServer::serving([busy, away, Answer::text("Nothing.")]).await;
    let waits = Retry::times(2).delay(Duration::from_millis(1));
    let agent = agent(model(&server).retrying(waits)).build().unwrap();
    let outcome = agent.run(args!("What do I need?")).await.unwrap();
    assert_eq!((outcome.text().as_str(), outcome.turns), ("Nothing.", 1));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn the_conversation_continues_after_a_broken_connection() {
    let calls = Answer::calls([("call_1", "weather", r#"{ "city": "Tokyo" }"#)]);
    let cut = Answer::events(&wait()).then(Then::Cut);
    let server = OpenAiServer::serving([calls, cut, Answer::text("Take sunglasses.")]).await;
    let agent = agent(model(&server)).build().unwrap();
    let error = agent.run(args!("What do I need in Tokyo?")).await.unwrap_err();
    let AgentFailed { outcome: broken, .. } = error.downcast_ref::<AgentFailed>().unwrap().clone();
    assert!(matches!(broken.end, AgentEnd::Failed { retryable: true, .. }), "{:?}", broken.end);
    assert_eq!(broken.conversation.messages.len(), 3, "half a reply is none");

    let outcome = agent.run(args!(Task::default().after(broken.conversation))).await.unwrap();
    assert_eq!(outcome.text(), "Take sunglasses.");
    expect![[r#"
        system user: What do I need in Tokyo?
        system user assistant tool: sunny in Tokyo
        system user assistant tool: sunny in Tokyo"#]]
    .assert_eq(&asked(&server));
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Thing {
    /// What it is.
    name: String,
    count: u32,
}

#[tokio::test]
async fn an_answer_of_a_type_is_asked_for_until_it_is_one() {
    let calls = Answer::calls([("call_1", "weather", r#"{ "city": "Tokyo" }"#)]);
    let answers = [
        calls,
        Answer::text(""),
        Answer::text(r#"{ "value": [{ "name": "hat" }] }"#),
        Answer::text(r#"{ "value": [{ "name": "hat", "count": 1 }] }"#),
    ];
    let server = OpenAiServer::serving(answers).await;
    let agent = agent(model(&server)).answer::<Vec<Thing>>().build().unwrap();
    let outcome = agent.run(args!("What do I need in Tokyo?")).await.unwrap();
    let hat = Thing { name: "hat".into(), count: 1 };
    assert_eq!(outcome.answer::<Vec<Thing>>().unwrap(), [hat]);
    expect![[r#"
        system user: What do I need in Tokyo?
        system user assistant tool: sunny in Tokyo
        system user assistant tool user: Your answer is empty. Give one, or call a tool.
        system user assistant tool user assistant user: This is not what was asked for:
        - value.0: "count" is a required property
        Reply with the whole JSON value again, corrected, and with nothing else."#]]
    .assert_eq(&asked(&server));
}

/// What is sent first for a typed answer beside tools.
async fn sent_beside_tools<A: Api>(model: HttpModel<A>) -> String {
    let server = OpenAiServer::serving([Answer::error(400, "never mind")]).await;
    let model = model.base_url(server.url()).api_key("sk-test");
    let agent = agent(model).answer::<Vec<Thing>>().may_ask_back().build().unwrap();
    let error = agent.run(args!("What do I need in Tokyo?")).await.unwrap_err();
    assert!(error.to_string().contains("never mind"), "{error}");
    server.last_body().to_string()
}

/// OpenAI's and Ollama's models never call a tool beside a schema, and Gemini refuses both together.
#[tokio::test]
async fn beside_tools_every_provider_is_told_the_schema_in_words() {
    for sent in [
        sent_beside_tools(OpenAi::new("m")).await,
        sent_beside_tools(OpenAiResponses::new("m")).await,
        sent_beside_tools(Anthropic::new("m")).await,
        sent_beside_tools(Gemini::new("m")).await,
        sent_beside_tools(Ollama::new("m")).await,
    ] {
        assert!(sent.contains("When you give your answer, reply with one JSON value"), "{sent}");
        assert!(sent.contains("ask_the_person") && sent.contains("weather"), "{sent}");
        for field in ["response_format", "json_schema", "responseJsonSchema", "output_config"] {
            assert!(!sent.contains(&format!("\"{field}\"")), "{field} in {sent}");
        }
    }
}

#[tokio::test]
async fn the_key_is_in_no_event_snapshot_or_outcome() {
    const KEY: &str = "sk-VerySecret-0123456789";
    let calls = Answer::calls([("call_1", "weather", r#"{ "city": "Tokyo" }"#)]);
    let refused = Answer::error(401, &format!("`{KEY}` is no key"));
    let server = OpenAiServer::serving([calls, refused]).await;
    let agent = agent(model(&server).api_key(KEY)).build().unwrap();
    let store = MemoryStore::new();
    let prepared = agent.run(args!("What do I need in Tokyo?")).stored_in(&store, "run");
    let mut events = prepared.events(EventFilter::all());
    let error = prepared.outcome().await.unwrap_err();

    let mut said = vec![error.to_string(), format!("{error:?}")];
    while let Some(event) = events.next().await {
        said.push(format!("{:?}", event.unwrap()));
    }
    assert!(said.len() > 10, "there are events");
    let runs = StoredRuns::new(&store);
    for record in runs.history("run").await.unwrap() {
        let snapshot = runs.snapshot_at("run", record.step).await.unwrap();
        said.push(serde_json::to_string(&snapshot).unwrap());
    }
    let AgentFailed { outcome, .. } = error.downcast_ref().expect("the agent failed");
    expect!["model `test-model`: the provider answered 401: `…` is no key"]
        .assert_eq(&outcome.text());
    said.push(json!(outcome).to_string());
    assert!(
        server.asked().iter().all(|asked| asked.header("authorization").unwrap().contains(KEY))
    );
    let found: Vec<_> = said.iter().filter(|said| said.contains(KEY)).collect();
    assert_eq!(found, [""; 0]);
}
