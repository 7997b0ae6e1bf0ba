//! Ends of an agent's run: an answer, a question, a limit, or a failure of the model.

use ddg_agentic::Message;
use ddg_agentic::message::AssistantMessage;
use ddg_agentic::model::{Capabilities, FinishReason, Usage};
use ddg_agentic::prelude::*;
use ddg_agentic::react::Limit;
use ddg_agentic::schemars::{self, JsonSchema};
use expect_test::expect;
use serde::Deserialize;
use serde_json::json;

use super::{adding, lines, tools};

#[tokio::test]
async fn an_answer() {
    let model = ScriptedModel::new().reply(ChatReply::text("4").usage(Usage::new(10, 2)));
    let agent = ReActAutoma::new(model).build().unwrap();
    let outcome = agent.run(args!("2 + 2?")).await.unwrap();
    let finished = AgentEnd::Finished { text: "4".into(), finish: FinishReason::Stop };
    assert_eq!((outcome.end, outcome.turns), (finished, 1));
    assert_eq!(outcome.usage, Usage::new(10, 2));
}

#[tokio::test]
async fn a_conversation_is_continued() {
    let model = ScriptedModel::new().text("Hello Ada.").text("Ada.");
    let agent = ReActAutoma::new(model.clone()).system("Be brief.").build().unwrap();
    let first = agent.run(args!("I am Ada.")).await.unwrap();
    let task = Task::new("Who am I?").after(first.conversation);
    let second = agent.run(args!(task)).await.unwrap();
    expect![[r#"
        user: I am Ada.
        model: Hello Ada.
        user: Who am I?
        model: Ada."#]]
    .assert_eq(&lines(&second.conversation.messages));
    expect![[r#"
        system: Be brief.
        user: I am Ada.
        model: Hello Ada.
        user: Who am I?"#]]
    .assert_eq(&lines(&model.requests()[1].messages));
    assert_eq!(second.turns, 1, "turns are those of the run");
}

#[tokio::test]
async fn messages_are_a_task_as_well() {
    for task in [args!(Message::user("a")), args!(vec![Message::user("a")]), args!(task = "a")] {
        let agent = ReActAutoma::new(ScriptedModel::new().text("b")).build().unwrap();
        let outcome = agent.run(task).await.unwrap();
        assert_eq!(lines(&outcome.conversation.messages), "user: a\nmodel: b");
    }
}

#[tokio::test]
async fn a_task_that_is_none_is_refused() {
    let agent = ReActAutoma::new(ScriptedModel::new()).build().unwrap();
    let mut errors = Vec::new();
    for task in [
        args!(7),
        args!(json!({ "task": "Go." })),
        args!(json!({ "role": "user", "content": "Go." })),
        args!(Task::default()),
        args!(Vec::<Message>::new()),
        args!(),
        args!("Go.", "Now."),
        args!(text = "Go."),
    ] {
        errors.push(agent.run(task).await.unwrap_err().to_string());
    }
    expect![[r#"
        automa `agent`, step 1: worker `begin` failed: a task is a text, a `Message`, a list of messages or a `Task`; found `i32`
        automa `agent`, step 1: worker `begin` failed: a task is a text, a `Message`, a list of messages or a `Task`; found `JSON object`
        automa `agent`, step 1: worker `begin` failed: a task is a text, a `Message`, a list of messages or a `Task`; found `JSON object`
        automa `agent`, step 1: worker `begin` failed: the task is empty: give it a message, or a conversation
        automa `agent`, step 1: worker `begin` failed: the task is empty: give it a message, or a conversation
        automa `agent`, step 1: worker `begin` cannot be called: parameter `task` (`Value`) got no argument: 0 given by position, none of that name
        automa `agent`: 2 arguments given by position, but its start workers take 1 at most; other workers take a run's arguments by name
        automa `agent`: no worker has a parameter `text`; there are: conversation, news, outcome, range, results, subturn, task"#]].assert_eq(&errors.join("\n"));
}

#[tokio::test]
async fn a_question_back() {
    let ask = ToolCall::new("q", "ask_the_person", json!({ "question": "Which Paris?" }));
    let calls = AssistantMessage::new("There are two.", [adding("a", 1, 2), ask.clone()]);
    let model = ScriptedModel::new()
        .reply(ChatReply::new(calls))
        .expects_tools(["add", "broken", "ask_the_person"])
        .text("Texas, then.");
    let agent = ReActAutoma::new(model).tools(tools()).may_ask_back().build().unwrap();
    let asked = agent.run(args!("How far is Paris?")).await.unwrap();
    assert_eq!(asked.end, AgentEnd::ClarificationAsked { question: "Which Paris?".into() });
    let task = Task::new("Texas.").after(asked.conversation);
    let outcome = agent.run(args!(task)).await.unwrap();
    expect![[r#"
        user: How far is Paris?
        model: There are two.
        Which Paris?[add#a]
        error of add#a: not called, since the person was asked; call it again if it is needed
        user: Texas.
        model: Texas, then."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}

#[tokio::test]
async fn without_leave_to_ask_the_question_is_a_call_like_any() {
    let ask = ToolCall::new("q", "ask_the_person", json!({ "question": "Which Paris?" }));
    let model = ScriptedModel::new().calls([ask]).expects_tools(["add", "broken"]).text("Far.");
    let agent = ReActAutoma::new(model).tools(tools()).build().unwrap();
    let outcome = agent.run(args!("How far is Paris?")).await.unwrap();
    expect![[r#"
        user: How far is Paris?
        model: [ask_the_person#q]
        error of ask_the_person#q: there is no tool `ask_the_person`; the tools are: `add`, `broken`
        model: Far."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}

#[tokio::test]
async fn the_turns_are_limited() {
    let mut model = ScriptedModel::new();
    for nth in 0..5 {
        model = model.calls([adding(&nth.to_string(), nth, 1)]);
    }
    let agent =
        ReActAutoma::new(model.clone()).tools(tools()).limits(Limits::turns(2)).build().unwrap();
    let error = agent.run(args!("Count.")).await.unwrap_err();
    expect![
        "automa `agent`, step 8: worker `think` failed: stopped without an answer after 2 turns"
    ]
    .assert_eq(&error.to_string());
    let AgentFailed { outcome, model_error, .. } = failed(&error);
    assert_eq!(
        outcome.end,
        AgentEnd::StoppedByLimit { limit: Limit::Turns, reached: "2 turns".into() }
    );
    assert!(model_error.is_none());
    expect![[r#"
        user: Count.
        model: [add#0]
        result of add#0: 1
        model: [add#1]
        result of add#1: 2"#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(model.n_left(), 3);
}

#[tokio::test]
async fn the_tokens_are_limited() {
    let call = |id: &str| ChatReply::calls([adding(id, 1, 1)]).usage(Usage::new(40, 10));
    let model = ScriptedModel::new().reply(call("a")).reply(call("b")).reply(call("c"));
    let limits = Limits::default().tokens(100);
    let agent = ReActAutoma::new(model).tools(tools()).limits(limits).build().unwrap();
    let outcome = failed(&agent.run(args!("Count.")).await.unwrap_err()).outcome;
    assert_eq!(
        outcome.end,
        AgentEnd::StoppedByLimit { limit: Limit::Tokens, reached: "100 tokens".into() }
    );
    assert_eq!((outcome.turns, outcome.usage.total()), (2, 100));
}

#[tokio::test]
async fn a_model_that_fails_loses_nothing() {
    let busy = ModelError::Status {
        model: "scripted".into(),
        status: 503,
        message: "overloaded".into(),
        retry_after: None,
    };
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).fails(busy).text("3");
    let agent = ReActAutoma::new(model).tools(tools()).build().unwrap();
    let error = agent.run(args!("1 + 2?")).await.unwrap_err();
    expect!["automa `agent`, step 5: worker `think` failed: model `scripted`: the provider answered 503: overloaded"]
        .assert_eq(&error.to_string());
    let failed = failed(&error);
    let AgentEnd::Failed { error, retryable } = &failed.outcome.end else { panic!() };
    expect!["model `scripted`: the provider answered 503: overloaded"].assert_eq(error);
    assert!(retryable);
    assert!(matches!(failed.model_error, Some(ModelError::Status { status: 503, .. })));
    // What is there already is not asked for again.
    let task = Task::default().after(failed.outcome.conversation);
    let outcome = agent.run(args!(task)).await.unwrap();
    expect![[r#"
        user: 1 + 2?
        model: [add#a]
        result of add#a: 3
        model: 3"#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}

/// How an agent has failed.
fn failed(error: &RunError) -> AgentFailed {
    error.downcast_ref::<AgentFailed>().expect("the agent failed, and nothing else").clone()
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Sum {
    /// The sum.
    sum: i64,
}

#[tokio::test]
async fn an_answer_that_is_a_type() {
    let model = ScriptedModel::new()
        .text("It is three.")
        .expects(|request| assert!(request.output_schema.is_some()))
        .text(r#"{ "sum": "three" }"#)
        .text(r#"{ "sum": 3 }"#);
    let agent = ReActAutoma::new(model).answer::<Sum>().build().unwrap();
    let outcome = agent.run(args!("1 + 2?")).await.unwrap();
    assert_eq!(outcome.answer::<Sum>().unwrap(), Sum { sum: 3 });
    expect![[r#"
        user: 1 + 2?
        model: { "sum": 3 }"#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}

#[tokio::test]
async fn an_answer_that_is_not_an_object_is_requested_in_one() {
    let model =
        ScriptedModel::new().text("```json\n{ \"value\": [1, 2] }\n```").expects(|request| {
            assert_eq!(request.output_schema.as_ref().unwrap().schema["type"], "object");
        });
    let agent = ReActAutoma::new(model).answer::<Vec<u32>>().build().unwrap();
    let outcome = agent.run(args!("The first two?")).await.unwrap();
    assert_eq!(outcome.answer::<Vec<u32>>().unwrap(), [1, 2]);
    assert_eq!(outcome.text(), "[1,2]");
    assert_eq!(outcome.turns, 1, "what is between fences is an answer");
}

#[tokio::test]
async fn a_model_that_cannot_follow_a_schema_gets_it_in_words() {
    let can = Capabilities::default().output_schema(false);
    let model = ScriptedModel::new().capabilities(can).text(r#"{ "sum": 3 }"#).expects(|request| {
        assert_eq!(request.output_schema, None);
        let told = request.messages[0].text();
        assert!(told.starts_with("Be brief.\n\nReply with one JSON value"), "{told}");
    });
    let agent = ReActAutoma::new(model).system("Be brief.").answer::<Sum>().build().unwrap();
    assert_eq!(agent.run(args!("1 + 2?")).await.unwrap().answer::<Sum>().unwrap(), Sum { sum: 3 });
}

#[test]
fn faults_of_an_agent_are_reported_before_it_runs() {
    /// Says of itself what is no schema.
    #[derive(Deserialize)]
    struct Odd;

    impl JsonSchema for Odd {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Odd".into()
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "odd" })
        }
    }

    /// Asks whoever is there.
    #[tool]
    async fn ask_the_person(question: String) -> String {
        question
    }

    let tools = Toolbox::builder().with(ask_the_person::tool()).build().unwrap();
    let agent = ReActAutoma::new(ScriptedModel::new()).tools(tools).may_ask_back();
    let error = agent.answer::<Odd>().build().map(|_| ()).unwrap_err();
    expect![[r#"
        automa `agent`: 2 faults
        - the JSON schema of the answer is invalid: properties.value.type: "odd" is not a JSON type; the types are: array, boolean, integer, null, number, object, string
        - a tool is named `ask_the_person`, with which the model asks back: rename it, or leave `may_ask_back` out"#]].assert_eq(&error.to_string());
}

#[tokio::test]
async fn no_answer_says_why() {
    let agent = ReActAutoma::new(ScriptedModel::new().text("no JSON").text("still none"))
        .answer::<Sum>()
        .limits(Limits::turns(2))
        .build()
        .unwrap();
    let outcome = failed(&agent.run(args!("1 + 2?")).await.unwrap_err()).outcome;
    expect!["the agent gave no answer: stopped without an answer after 2 turns"]
        .assert_eq(&outcome.answer::<Sum>().unwrap_err().to_string());
    let free = ReActAutoma::new(ScriptedModel::new().text("Many.")).build().unwrap();
    let outcome = free.run(args!("How many?")).await.unwrap();
    expect![
        "the agent gave no answer: its answer is not a `u32`: expected value at line 1 column 1"
    ]
    .assert_eq(&outcome.answer::<u32>().unwrap_err().to_string());
}

#[tokio::test]
async fn a_stored_run_that_failed_asks_again_when_it_is_run_again() {
    let store = ddg_core::checkpoint::MemoryStore::new();
    let busy = ModelError::Setup { message: "no network".into() };
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).fails(busy).text("3");
    let agent = ReActAutoma::new(model.clone()).tools(tools()).build().unwrap();
    let error = agent.run(args!("1 + 2?")).stored_in(&store, "sum").await.unwrap_err();
    assert_eq!(failed(&error).outcome.conversation.messages.len(), 3);

    let outcome = agent.run(()).stored_in(&store, "sum").await.unwrap();
    assert_eq!((outcome.text().as_str(), outcome.turns, model.n_left()), ("3", 2, 0));
    let read = agent.run(()).stored_in(&store, "sum").await.unwrap();
    assert_eq!(read, outcome, "it has ended, and is read");
}

#[tokio::test]
async fn an_empty_answer_is_none() {
    let model = ScriptedModel::new().text("").text("Here I am.");
    let agent = ReActAutoma::new(model).build().unwrap();
    let outcome = agent.run(args!("Hello?")).await.unwrap();
    expect![[r#"
        user: Hello?
        model: Here I am."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
}
