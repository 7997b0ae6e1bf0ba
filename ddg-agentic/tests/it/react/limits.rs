//! Limits of the cost, the time and the results of tools; each end says what was reached.

use std::time::Duration;

use ddg_agentic::message::{Document, Image};
use ddg_agentic::model::{Price, Usage};
use ddg_agentic::prelude::*;
use ddg_agentic::react::Limit;
use ddg_agentic::tool::ToolOutput;
use ddg_core::checkpoint::MemoryStore;
use expect_test::expect;
use serde_json::json;

use super::{adding, tools};

/// What a run of `agent` has reached.
async fn reached(agent: &TypedAutoma<AgentOutcome>) -> (Limit, String, AgentOutcome) {
    let error = agent.run(args!("Go on.")).await.unwrap_err();
    let failed = error.downcast_ref::<AgentFailed>().unwrap_or_else(|| panic!("{error}"));
    match failed.outcome.end.clone() {
        AgentEnd::StoppedByLimit { limit, reached } => (limit, reached, *failed.outcome.clone()),
        end => panic!("{end:?}"),
    }
}

fn asking(id: &str, task: &str) -> ToolCall {
    ToolCall::new(id, "mathematician", json!({ "task": task }))
}

fn spends(id: &str, input: u64) -> ChatReply {
    ChatReply::calls([adding(id, 1, 2)]).usage(Usage::new(input, 0))
}

#[tokio::test]
async fn the_cost_is_limited_with_that_of_agents_among_the_tools() {
    let inner = ScriptedModel::new()
        .named("small")
        .reply(ChatReply::text("3").usage(Usage::new(1_000_000, 0)));
    let inner = ReActAutoma::new(inner).into_tool("mathematician", "Knows sums.").unwrap();
    let model = ScriptedModel::new()
        .named("big")
        .reply(ChatReply::calls([asking("a", "1 + 2?")]).usage(Usage::new(1_000_000, 0)))
        .reply(ChatReply::text("never"));
    let agent = |limit| {
        ReActAutoma::new(model.clone())
            .tools(Toolbox::builder().with(inner.clone()).build().unwrap())
            .limits(Limits::turns(9).cost(limit))
            .price("big", Price::new(2.0, 0.0))
            .price("small", Price::new(0.5, 0.0))
    };
    let (limit, reached, outcome) = reached(&agent(2.25).build().unwrap()).await;
    assert_eq!((limit, outcome.turns), (Limit::Cost, 1));
    assert_eq!(reached, "a cost of 2.5000, of 2.2500");
    assert_eq!(model.n_left(), 1);
}

#[tokio::test]
async fn a_model_without_a_price_counts_at_the_highest() {
    let mut reply = spends("a", 1_000_000);
    reply.model = Some("fallback".to_owned());
    let model = ScriptedModel::new().named("own").reply(reply);
    let agent = ReActAutoma::new(model)
        .tools(tools())
        .limits(Limits::turns(9).cost(1.0))
        .price("own", Price::new(0.5, 0.0))
        .price("other", Price::new(3.0, 0.0));
    let (limit, reached, _) = reached(&agent.build().unwrap()).await;
    assert_eq!((limit, reached.as_str()), (Limit::Cost, "a cost of 3.0000, of 1.0000"));
}

#[test]
fn a_limit_of_the_cost_needs_a_price() {
    let agent =
        ReActAutoma::new(ScriptedModel::new().named("big")).limits(Limits::turns(1).cost(1.0));
    expect![[r#"
        automa `agent`: the cost is limited, and there is no price for `big`: give one with `price`"#]]
    .assert_eq(&agent.build().unwrap_err().to_string());
}

/// The usage before a run was continued, elsewhere, counts as well.
#[tokio::test]
async fn a_run_that_is_continued_has_spent_what_it_has_spent() {
    let agent = |model: ScriptedModel, limit| {
        ReActAutoma::new(model.named("big"))
            .tools(tools())
            .limits(Limits::turns(9).cost(limit))
            .price("big", Price::new(1.0, 0.0))
            .build()
            .unwrap()
    };
    let store = MemoryStore::new();
    let model = ScriptedModel::new().reply(spends("a", 1_000_000)).reply(spends("b", 1_000_000));
    let first = agent(model, 1.5);
    let stopped = first.run(args!("Go on.")).stored_in(&store, "run").await.unwrap_err();
    assert!(stopped.downcast_ref::<AgentFailed>().is_some(), "{stopped}");
    let second = agent(ScriptedModel::new().reply(spends("c", 1_000_000)), 2.5);
    let error = second.run(()).stored_in(&store, "run").await.unwrap_err();
    let failed = error.downcast_ref::<AgentFailed>().unwrap();
    let AgentEnd::StoppedByLimit { reached, .. } = &failed.outcome.end else { panic!("{error}") };
    assert_eq!(reached, "a cost of 3.0000, of 2.5000");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_cancelled_when_the_time_is_up() {
    let never = std::future::pending::<()>();
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).text("never").after(never);
    let agent = ReActAutoma::new(model).tools(tools());
    let agent = agent.limits(Limits::turns(9).time(Duration::from_secs(30))).build().unwrap();
    let (limit, reached, outcome) = reached(&agent).await;
    assert_eq!((limit, reached.as_str()), (Limit::Time, "30s"));
    assert_eq!((outcome.turns, outcome.conversation.messages.len()), (1, 3));
}

/// Takes a minute.
#[tool]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(60)).await;
    "done"
}

#[tokio::test(start_paused = true)]
async fn the_time_of_tools_counts() {
    let call = ToolCall::new("a", "slow", json!({}));
    let model = ScriptedModel::new().calls([call]).text("never");
    let tools = Toolbox::builder().with(slow::tool()).build().unwrap();
    let agent = ReActAutoma::new(model.clone()).tools(tools);
    let agent = agent.limits(Limits::turns(9).time(Duration::from_secs(30))).build().unwrap();
    assert_eq!(reached(&agent).await.0, Limit::Time);
    assert_eq!(model.n_left(), 1);
}

/// Writes a number of letters.
#[tool]
async fn write(letter: String, n: usize) -> String {
    letter.repeat(n)
}

#[tokio::test]
async fn the_results_of_a_turn_are_cut_together_the_longest_first() {
    let call = |id: &str, n: usize| ToolCall::new(id, "write", json!({ "letter": id, "n": n }));
    let model =
        ScriptedModel::new().calls([call("a", 10), call("b", 1_000), call("c", 2_000)]).text("ok");
    let tools = Toolbox::builder().with(write::tool()).build().unwrap();
    let agent = ReActAutoma::new(model.clone()).tools(tools).max_turn_output(610);
    agent.build().unwrap().run(args!("Write.")).await.unwrap();
    let told: Vec<_> = model.requests()[1].messages.iter().skip(2).map(Message::text).collect();
    assert_eq!(told[0], "a".repeat(10));
    for (told, (letter, n)) in told[1..].iter().zip([("b", 1_000), ("c", 2_000)]) {
        let parts: Vec<_> = told.split('\n').collect();
        let [head, note, tail] = parts[..] else { panic!("{told}") };
        assert!(head.starts_with(letter) && tail.ends_with(letter), "{told}");
        let n_kept = head.len() + tail.len();
        assert!((250..=300).contains(&n_kept), "{n_kept}");
        assert_eq!(note, format!("[cut: {} of {n} bytes are missing]", n - n_kept));
    }
}

/// Takes a picture.
#[tool]
async fn picture(n_bytes: usize) -> ToolOutput {
    ToolOutput::text("Look:").image(Image::png("A".repeat(n_bytes / 3 * 4)))
}

#[tokio::test]
async fn images_of_tools_reach_the_model_unless_they_are_too_large_together() {
    let call = |id: &str, n: usize| ToolCall::new(id, "picture", json!({ "n_bytes": n }));
    let model = ScriptedModel::new().calls([call("a", 9 << 20), call("b", 9 << 20)]).text("ok");
    let options = ToolOptions::new();
    let tools = Toolbox::builder().with_options(picture::tool(), options).build().unwrap();
    let agent = ReActAutoma::new(model.clone()).tools(tools).build().unwrap();
    agent.run(args!("Look.")).await.unwrap();
    let asked = model.requests().remove(1).messages;
    let results = asked.iter().filter_map(|message| match message {
        Message::Tool(result) => Some((result.images.len(), result.content.as_str())),
        _ => None,
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results[0], (1, "Look:"));
    assert_eq!(results[1].0, 0);
    expect![[r#"
        Look:
        [image: image/png, 9437184 bytes: left out, the results are too large]"#]]
    .assert_eq(results[1].1);
}

/// Fetches two files.
#[tool]
async fn fetch(n_bytes: usize) -> ToolOutput {
    let pdf = Document::bytes("application/pdf", "A".repeat(n_bytes)).name("a.pdf");
    ToolOutput::text("Files:")
        .attach(pdf)
        .attach(Document::bytes("text/plain", "B".repeat(n_bytes)))
}

/// A document of text counts as text, so it is cut as such; others count with the images.
#[tokio::test]
async fn documents_of_tools_are_bounded_as_what_they_are() {
    let call = |id: &str| ToolCall::new(id, "fetch", json!({ "n_bytes": 9 << 20 }));
    let model = ScriptedModel::new().calls([call("a"), call("b")]).text("ok");
    let tools = Toolbox::builder().with(fetch::tool()).build().unwrap();
    let agent = ReActAutoma::new(model.clone()).tools(tools).build().unwrap();
    agent.run(args!("Fetch.")).await.unwrap();
    let asked = model.requests().remove(1).messages;
    let results = asked.iter().filter_map(|message| match message {
        Message::Tool(result) => Some((result.attachments.len(), result.content.clone())),
        _ => None,
    });
    let [one, other] = results.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((one.0, other.0), (1, 0));
    for (_, told) in [&one, &other] {
        assert!(told.len() < 66 << 10, "{}", told.len());
        assert!(told.starts_with("Files:\n[document: text/plain]\nBBB"), "{}", &told[..60]);
    }
    let note =
        "\n[document a.pdf: application/pdf, 9437184 bytes: left out, the results are too large]";
    assert!(other.1.ends_with(note) && !one.1.ends_with(note), "{}", &other.1[65_000..]);
}

/// Counts how many run at once.
#[tool]
async fn busy(busy: State<std::sync::Mutex<(usize, usize)>>) -> String {
    let at = || busy.lock().unwrap();
    at().0 += 1;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let mut at = at();
    at.1 = at.1.max(at.0);
    at.0 -= 1;
    "done".to_owned()
}

#[tokio::test]
async fn not_all_of_500_calls_run_at_once() {
    let calls = (0..500).map(|n| ToolCall::new(format!("c{n}"), "busy", json!({})));
    let model = ScriptedModel::new().calls(calls).text("ok");
    let state = std::sync::Arc::new(std::sync::Mutex::new((0_usize, 0_usize)));
    let tools = Toolbox::builder().with(busy::tool()).shared_state(state.clone()).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).build().unwrap();
    let outcome = agent.run(args!("Go.")).await.unwrap();
    let results = outcome.conversation.messages.iter().filter_map(|message| match message {
        Message::Tool(result) => Some(result.call_id.clone()),
        _ => None,
    });
    assert!(results.eq((0..500).map(|n| format!("c{n}"))));
    let most = state.lock().unwrap().1;
    assert!((2..=64).contains(&most), "{most}");
}
