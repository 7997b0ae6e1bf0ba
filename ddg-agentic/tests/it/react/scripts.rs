//! With random replies and tools an agent ends, and its transcript is valid. Neither the order of
//! the calls nor a stop after any step changes its outcome.

use std::sync::Arc;

use ddg_agentic::message::{AssistantMessage, Messages, ToolArguments};
use ddg_agentic::model::Usage;
use ddg_agentic::prelude::*;
use ddg_agentic::react::Limit;
use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use futures::future::BoxFuture;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

const MOST_TURNS: u32 = 5;

/// How often an empty reply is asked for again.
const MOST_TRIES: u32 = 2;

/// What a model says, one reply a turn, and "done" when it has said all. It knows the turn by what it is
/// asked, so any process can go on with it.
#[derive(Clone, Debug)]
struct Script(Arc<[Turn]>);

#[derive(Clone, Debug)]
enum Turn {
    Says(AssistantMessage),
    Fails { retryable: bool },
}

impl Script {
    fn turn(&self, nth: usize) -> Turn {
        let done = || Turn::Says(AssistantMessage::new("done", []));
        self.0.get(nth).cloned().unwrap_or_else(done)
    }
}

impl ChatModel for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let is_turn = |message: &&Message| match message {
            Message::Assistant(_) => true,
            Message::User { .. } => message.text().starts_with("Your answer is empty"),
            _ => false,
        };
        let reply = match self.turn(request.messages.iter().filter(is_turn).count()) {
            Turn::Says(message) => Ok(ChatReply::new(message).usage(Usage::new(10, 1))),
            Turn::Fails { retryable } => {
                let message = "gave up".to_owned();
                Err(ModelError::Failed { model: "script".into(), message, retryable })
            }
        };
        Box::pin(async move { reply })
    }
}

/// Adds two numbers.
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    tokio::task::yield_now().await;
    a.wrapping_add(b)
}

/// Always fails.
#[tool]
async fn fails() -> Result<String, WorkerError> {
    Err(WorkerError::msg("out of order"))
}

/// Always panics.
#[tool]
async fn panics() {
    std::panic::resume_unwind(Box::new("out of mind"));
}

/// Never ends.
#[tool]
async fn hangs() {
    std::future::pending::<()>().await;
}

fn agent(script: &Script, tool_calls: ToolCallMode) -> TypedAutoma<AgentOutcome> {
    let in_time = ToolOptions::new().timeout(std::time::Duration::from_secs(5));
    let tools = Toolbox::builder()
        .with(add::tool())
        .with(fails::tool())
        .with(panics::tool())
        .with_options(hangs::tool(), in_time)
        .build()
        .unwrap();
    ReActAutoma::new(script.clone())
        .tools(tools)
        .tool_calls(tool_calls)
        .limits(Limits::turns(MOST_TURNS).tries(MOST_TRIES))
        .build()
        .unwrap()
}

/// Ids that are missing and that are used again, tools that do not exist, arguments of all kinds.
fn call() -> impl Strategy<Value = ToolCall> {
    let id = prop::sample::select(vec!["a", "b", ""]);
    let names = ["add", "add", "add", "fails", "panics", "hangs", "subtract", "", "a/b c", "think"];
    let arguments = prop_oneof![
        3 => any::<(i64, i64)>().prop_map(|(a, b)| json!({ "a": a, "b": b }).into()),
        1 => Just(json!({ "a": "one" }).into()),
        1 => Just(json!({}).into()),
        1 => Just(json!([1, 2]).into()),
        1 => Just(json!(null).into()),
        1 => ".{0,8}".prop_map(|text| ToolArguments::parse(&text)),
        1 => Just(ToolArguments::parse(&("[".repeat(100) + &"]".repeat(100)))),
    ];
    (id, prop::sample::select(names.to_vec()), arguments)
        .prop_map(|(id, name, arguments)| ToolCall::new(id, name, arguments))
}

fn turn() -> impl Strategy<Value = Turn> {
    let says =
        |text: &str, tool_calls: Vec<ToolCall>| Turn::Says(AssistantMessage::new(text, tool_calls));
    let text = prop::sample::select(vec!["", " \n", "Let me see."]);
    prop_oneof![
        6 => (text, vec(call(), 1..4)).prop_map(move |(text, calls)| says(text, calls)),
        2 => prop::sample::select(vec!["", " \n"]).prop_map(move |text| says(text, Vec::new())),
        1 => Just(says("That is it.", Vec::new())),
        1 => any::<bool>().prop_map(|retryable| Turn::Fails { retryable }),
    ]
}

/// How it has to end, and after how many turns.
fn expected(script: &Script) -> (AgentEnd, u32) {
    // What is no answer is forgotten with the next call.
    let (mut n_tries, mut n_kept, mut n_apart) = (0, 0, 0);
    for n_turns in 0..MOST_TURNS {
        match script.turn(n_kept + n_apart) {
            Turn::Fails { retryable } => {
                let error = "model `script`: the provider gave up on its reply: gave up".to_owned();
                return (AgentEnd::Failed { error, retryable }, n_turns);
            }
            Turn::Says(said) if said.tool_calls.is_empty() && !said.text.trim().is_empty() => {
                let finish = ddg_agentic::model::FinishReason::Stop;
                return (AgentEnd::Finished { text: said.text, finish }, n_turns + 1);
            }
            Turn::Says(said) if said.tool_calls.is_empty() && n_tries == MOST_TRIES => {
                let faults = vec!["Your answer is empty. Give one, or call a tool.".to_owned()];
                return (AgentEnd::NoAnswer { faults }, n_turns + 1);
            }
            Turn::Says(said) if said.tool_calls.is_empty() => {
                n_tries += 1;
                n_apart += 1;
            }
            Turn::Says(_) => (n_kept, n_apart) = (n_kept + 1, 0),
        }
    }
    (
        AgentEnd::StoppedByLimit { limit: Limit::Turns, reached: format!("{MOST_TURNS} turns") },
        MOST_TURNS,
    )
}

/// Every call has its result, in order, before anything else is said; nobody says nothing.
fn check_transcript(messages: &Messages) {
    let mut messages = messages.iter();
    while let Some(message) = messages.next() {
        match message {
            Message::System { .. } | Message::User { .. } => assert_ne!(message.text(), ""),
            Message::Assistant(said) => {
                assert!(!said.tool_calls.is_empty() || !said.text.trim().is_empty());
                for call in &said.tool_calls {
                    let Some(Message::Tool(result)) = messages.next() else {
                        panic!("no result of {call:?}")
                    };
                    assert_eq!((&result.call_id, &result.name), (&call.id, &call.name));
                    assert_eq!(result.is_error, !fits(call), "{call:?}: {}", result.content);
                }
            }
            other => panic!("a result without a call: {other:?}"),
        }
    }
}

/// Whether a call gives something.
fn fits(call: &ToolCall) -> bool {
    let ToolArguments::Json(arguments) = &call.arguments else { return false };
    call.name == "add" && arguments["a"].is_i64() && arguments["b"].is_i64()
}

/// What a run leaves behind, however it ends.
fn left(ended: Result<AgentOutcome, RunError>) -> AgentOutcome {
    ended.unwrap_or_else(|error| {
        let AgentFailed { outcome, .. } = error.downcast_ref().expect("nothing else fails");
        (**outcome).clone()
    })
}

async fn check(script: Script) {
    let (mut told, expected) = (Vec::new(), expected(&script));
    for tool_calls in [ToolCallMode::Parallel, ToolCallMode::Sequential] {
        let store = MemoryStore::new();
        let first = agent(&script, tool_calls);
        let whole = left(first.run(args!("Go.")).stored_in(&store, "whole").await);
        let steps = StoredRuns::new(&store).history("whole").await.unwrap();
        assert_eq!((whole.end.clone(), whole.turns), expected);
        let n_replies = u64::from(whole.turns);
        assert_eq!(whole.usage, Usage::new(10 * n_replies, n_replies));
        check_transcript(&whole.conversation.messages);
        for step in steps.iter().map(|entry| entry.step) {
            // Another agent, as in another process.
            let again = agent(&script, tool_calls);
            let fork = format!("from {step}");
            StoredRuns::new(&store).fork("whole", step, &fork).await.unwrap();
            let again = left(again.run(()).stored_in(&store, &fork).await);
            assert_eq!(again, whole, "from step {step}");
        }
        told.push(whole);
    }
    assert_eq!(told[0], told[1], "at once, and one after the other");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_agent_ends_and_a_stop_changes_nothing(turns in vec(turn(), 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(Script(turns.into())));
    }
}
