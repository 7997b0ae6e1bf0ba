//! Instructions and tools by function of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::prelude::*;
use ddg_agentic::react::RunView;
use ddg_agentic::subturn::{AgentTools, SubTurns};
use ddg_core::snapshot::Snapshot;
use serde_json::json;

/// Pays somebody, and counts it.
#[tool]
async fn pay(to: String, paid: State<AtomicU32>) -> String {
    paid.fetch_add(1, Ordering::SeqCst);
    format!("paid {to}")
}

/// Looks at the account.
#[tool]
async fn look() -> u32 {
    30
}

fn tools(paid: &Arc<AtomicU32>, asks: bool) -> Toolbox {
    let options = ToolOptions::new();
    let options = if asks { options.approval() } else { options };
    Toolbox::builder()
        .with(look::tool())
        .with_options(pay::tool(), options)
        .shared_state(Arc::clone(paid))
        .build()
        .unwrap()
}

fn call(tool: &str) -> ToolCall {
    ToolCall::new(format!("call_{tool}"), tool, json!({ "to": "Ada" }))
}

fn look_at() -> ToolCall {
    ToolCall::new("call_look", "look", json!({}))
}

/// Only `look` until it was called, as the conversation shows.
fn after_a_look(agent: ReActAutoma) -> ReActAutoma {
    agent.tools_for(async |run: RunView| {
        let messages = &run.conversation().messages;
        let has_looked = messages.iter().any(|message| matches!(message, Message::Tool(_)));
        Ok(if has_looked { vec!["look", "pay"] } else { vec!["look"] })
    })
}

/// The system prompt and each of the instructions, in order, before each request; what they say
/// may change from request to request, and is not part of the conversation.
#[tokio::test]
async fn instructions_are_asked_for_before_each_request() {
    let paid = Arc::default();
    let model = ScriptedModel::new().calls([look_at()]).text("done");
    let agent = ReActAutoma::new(model.clone())
        .tools(tools(&paid, false))
        .system("Be brief.")
        .instructions(async |run: RunView| Ok(format!("This is request {}.", run.turns() + 1)))
        .instructions(async |_| Ok(String::new()))
        .instructions(async |run: RunView| {
            let task = run.conversation().messages[0].text();
            Ok(format!("The task is {task:?}."))
        });
    let outcome = agent.build().unwrap().run(args!("Look.")).await.unwrap();
    let prompts: Vec<_> = model.requests().iter().map(|asked| asked.messages[0].text()).collect();
    assert_eq!(
        prompts,
        [
            "Be brief.\n\nThis is request 1.\n\nThe task is \"Look.\".",
            "Be brief.\n\nThis is request 2.\n\nThe task is \"Look.\"."
        ]
    );
    assert!(!outcome.conversation.messages.iter().any(|it| matches!(it, Message::System { .. })));
}

#[tokio::test]
async fn instructions_need_no_system_prompt_and_may_say_nothing() {
    let model = ScriptedModel::new().text("done").text("done");
    let agent = ReActAutoma::new(model.clone()).declare_input("user");
    let agent = agent.instructions(async |run: RunView| {
        let user: Option<String> = run.input("user")?;
        Ok(user.map(|user| format!("For {user}.")).unwrap_or_default())
    });
    let agent = agent.build().unwrap();
    agent.run(args!("Hello.", user = "ada")).await.unwrap();
    agent.run(args!("Hello.")).await.unwrap();
    let texts =
        |n: usize| -> Vec<_> { model.requests()[n].messages.iter().map(Message::text).collect() };
    assert_eq!(
        (texts(0), texts(1)),
        (vec!["For ada.".into(), "Hello.".into()], vec!["Hello.".to_owned()])
    );
}

/// A function that fails ends the run with the conversation, and the model is not asked.
#[tokio::test]
async fn a_function_that_fails_ends_the_run() {
    let no_database = |_: RunView| async { Err::<String, _>(WorkerError::msg("no database")) };
    let model = ScriptedModel::new();
    let paid = Arc::default();
    for agent in [
        ReActAutoma::new(model.clone()).instructions(no_database),
        ReActAutoma::new(model.clone())
            .tools_for(async |_| Err::<Vec<String>, _>(WorkerError::msg("no database"))),
    ] {
        let error = agent.build().unwrap().run(args!("Hello.")).await.unwrap_err();
        let failed = error.downcast_ref::<AgentFailed>().unwrap();
        assert_eq!(failed.to_string(), "no database");
        assert_eq!(failed.outcome.conversation.messages, [Message::user("Hello.")]);
    }
    let agent = ReActAutoma::new(model.clone()).tools(tools(&paid, false));
    let agent = agent.tools_for(async |_| Ok(["lok"])).build().unwrap();
    let error = agent.run(args!("Hello.")).await.unwrap_err().to_string();
    assert!(error.contains("`lok`") && error.contains("look"), "{error}");
    assert!(model.requests().is_empty());
}

/// The model is told of the tools that the function names, request by request. A call of another one is
/// refused, whatever the model says.
#[tokio::test]
async fn tools_that_are_not_named_are_neither_told_nor_called() {
    let paid = Arc::new(AtomicU32::new(0));
    let model = ScriptedModel::new()
        .calls([call("pay"), look_at()])
        .expects_tools(["look"])
        .calls([call("pay")])
        .expects_tools(["look", "pay"])
        .text("done");
    let agent = after_a_look(ReActAutoma::new(model.clone()).tools(tools(&paid, false)));
    let outcome = agent.build().unwrap().run(args!("Pay.")).await.unwrap();
    let results = outcome.conversation.messages.iter().filter_map(|message| match message {
        Message::Tool(result) => Some((result.is_error, result.content.clone())),
        _ => None,
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results.len(), 3);
    assert!(results[0].0 && results[0].1.contains("`pay`"), "{results:?}");
    assert_eq!(results[1..], [(false, "30".to_owned()), (false, "paid Ada".to_owned())]);
    assert_eq!(paid.load(Ordering::SeqCst), 1);
    model.assert_finished();
}

/// If all calls are refused, the model is asked again, and the limits hold.
#[tokio::test]
async fn a_model_that_only_calls_what_it_may_not_is_told_and_stopped() {
    let paid = Arc::new(AtomicU32::new(0));
    let model = (0..9).fold(ScriptedModel::new(), |model, _| model.calls([call("pay")]));
    let agent = ReActAutoma::new(model).tools(tools(&paid, false)).limits(Limits::turns(3));
    let agent = agent.tools_for(async |_| Ok(["look"]));
    let error = agent.build().unwrap().run(args!("Pay.")).await.unwrap_err();
    let outcome = &error.downcast_ref::<AgentFailed>().unwrap().outcome;
    assert!(matches!(outcome.end, AgentEnd::StoppedByLimit { .. }));
    let n_calls: usize = outcome.conversation.messages.iter().map(|it| it.tool_calls().len()).sum();
    let n_results =
        outcome.conversation.messages.iter().filter(|it| matches!(it, Message::Tool(_)));
    assert_eq!((outcome.turns, n_calls, n_results.count()), (3, 3, 3));
    assert_eq!(paid.load(Ordering::SeqCst), 0);
}

/// A run that pauses keeps which tools were offered, in another process too.
#[tokio::test]
async fn a_paused_run_calls_what_was_offered_when_it_asked() {
    let paid = Arc::new(AtomicU32::new(0));
    let agent = || {
        let model = ScriptedModel::new().calls([look_at()]).calls([call("pay")]).text("done");
        after_a_look(ReActAutoma::new(model).tools(tools(&paid, true))).build().unwrap()
    };
    let paused = agent().run(args!("Pay.")).outcome().await.unwrap();
    assert!(paused.is_paused());
    let text = serde_json::to_string(&paused.answer_with(|_| Verdict::Allow).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    let model = ScriptedModel::new().text("done").expects_tools(["look", "pay"]);
    let elsewhere = after_a_look(ReActAutoma::new(model).tools(tools(&paid, true)));
    assert_eq!(elsewhere.build().unwrap().resume(snapshot).await.unwrap().text(), "done");
    assert_eq!(paid.load(Ordering::SeqCst), 1);
}

/// A child of the same agent is asked with the same functions, which see the child's conversation.
/// Tools that the child has not are not offered.
#[tokio::test]
async fn children_are_asked_with_the_same_functions() {
    let spawn = ToolCall::new("c", "call_agent", json!({ "task": "child", "tools": ["look"] }));
    let model = ScriptedModel::new().calls([spawn]).text("done").text("done");
    let tools = Toolbox::builder()
        .with_all(AgentTools::new().may_choose_tools().build())
        .with(look::tool())
        .build()
        .unwrap();
    let agent = ReActAutoma::new(model.clone())
        .tools(tools)
        .subturns(SubTurns::new())
        .instructions(async |run: RunView| {
            Ok(format!("You do {}.", run.conversation().messages[0].text()))
        })
        .tools_for(async |_| Ok(["call_agent", "look"]));
    agent.build().unwrap().run(args!("Root")).await.unwrap();
    let asked = model.requests();
    assert_eq!(asked[1].messages[0].text(), "You do child.");
    let names: Vec<_> = asked[1].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["look"]);
}
