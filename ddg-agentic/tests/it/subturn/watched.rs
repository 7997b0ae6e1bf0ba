//! Children are visible where their parent's run is: in drawings, events and terminals.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, SubTurns};
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::render::TerminalView;
use expect_test::expect;
use futures::future::BoxFuture;
use indicatif::InMemoryTerm;
use serde_json::json;

use super::setup::{Player, agent, calls};

/// A file that can be read while it is written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn model() -> Player {
    Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("call_agent", json!({ "task": "tea" })),
        ("Root", _) => ChatReply::text("done"),
        _ => ChatReply::text("hot"),
    })
}

fn tools() -> Toolbox {
    Toolbox::builder().with_all(AgentTools::new().build()).build().unwrap()
}

/// [subturn 6] The grown graph of a run shows its children.
#[tokio::test]
async fn a_grown_graph_shows_children() {
    let (agent, _) = agent(&model(), tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).outcome().await.unwrap();
    let drawn = outcome.graph().to_mermaid();
    assert!(drawn.contains("subturn-1"), "{drawn}");
}

/// [subturn 15] Subscribers of the run receive the events of the child's run, under the child's id,
/// and the events about the child.
#[tokio::test]
async fn subscribers_of_a_run_receive_the_events_of_its_children() {
    let (agent, _) = agent(&model(), tools(), SubTurns::new());
    let run = agent.run(args!("Root"));
    let mut events = run.events(EventFilter::all());
    run.await.unwrap();
    let (mut inside, mut told) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        match &event.kind {
            EventKind::Custom { name, data, .. } if name == "subturn" => {
                told.push(data.to_json().unwrap()["event"].clone());
            }
            EventKind::WorkerStarted { worker, .. } => {
                inside.extend(event.automa.as_ref().map(|automa| format!("{automa}/{worker}")));
            }
            _ => {}
        }
    }
    assert_eq!(inside, ["subturn-1/begin", "subturn-1/think", "subturn-1/finish"]);
    assert_eq!(told, ["spawned", "ended"]);
}

/// A model that would show its key if it were printed or serialised.
#[derive(Debug)]
struct Keyed {
    key: &'static str,
}

impl ChatModel for Keyed {
    fn name(&self) -> &str {
        "keyed"
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        assert!(!self.key.is_empty());
        Box::pin(async { Ok(ChatReply::text("hot")) })
    }
}

/// [subturn 15] No event of a child has the key of its model: what is told of a child names its
/// model only.
#[tokio::test]
async fn events_of_children_have_no_keys() {
    let root = Player::new(async |_: String, n| match n {
        0 => calls("call_agent", json!({ "task": "tea", "model": "keyed" })),
        _ => ChatReply::text("done"),
    });
    let tools = Toolbox::builder().with_all(AgentTools::new().may_choose_model().build());
    let subturns = SubTurns::new().model("keyed", Keyed { key: "sk-secret" });
    let (agent, heard) = agent(&root, tools.build().unwrap(), subturns);
    let run = agent.run(args!("Root"));
    let mut events = run.events(EventFilter::all());
    run.await.unwrap();
    let mut told = format!("{:?}", heard.events());
    told += &serde_json::to_string(&heard.events()).unwrap();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        told += &format!("{event} {event:?}");
        if let EventKind::Custom { data, .. } = &event.kind {
            told += &data.to_json().unwrap().to_string();
        }
    }
    assert!(told.contains("keyed") && told.contains("hot"), "{told}");
    assert!(!told.contains("sk-secret"), "{told}");
}

/// [subturn 15] A terminal shows a child's lines below those of its parent.
#[tokio::test(start_paused = true)]
async fn a_terminal_shows_children_below_their_parent() {
    let (agent, _) = agent(&model(), tools(), SubTurns::new());
    let log = Log::default();
    let run = agent.run(args!("Root"));
    let view = TerminalView::to(log.clone()).watch(run.events(EventFilter::debug()));
    let (_, shown) = futures::future::join(run.outcome(), view).await;
    shown.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let about: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    expect![[r#"
        agent: started
        agent: step 1: begin
        begin: done in 0 s
        agent: step 2: think
        think: done in 0 s
        agent: step 2: graph changed: +tool_call_agent_1_1, +collect
        agent: step 3: tool_call_agent_1_1 (ferry by think)
        subturn-1: step 1: begin
        subturn-1/begin: done in 0 s
        subturn-1: step 2: think
        subturn-1/think: done in 0 s
        subturn-1: step 3: finish (ferry by think)
        subturn-1/finish: done in 0 s
        tool_call_agent_1_1: done in 0 s
        agent: step 4: collect
        collect: done in 0 s
        agent: step 4: graph changed: -tool_call_agent_1_1, -collect
        agent: step 5: think (ferry by collect)
        think: done in 0 s
        agent: step 5: graph changed: +subturn-1
        agent: step 6: finish (ferry by think)
        finish: done in 0 s
        agent: finished in 0 s: 6 steps, 9 kickoffs"#]]
    .assert_eq(&about.join("\n"));
}

/// [subturn 15] On a terminal, the running workers of children are painted below, indented by their
/// depth. A child is shown as what it is when it begins and ends, and leaves no row behind.
#[tokio::test(start_paused = true)]
async fn a_terminal_paints_children_indented() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn_agent", json!({ "task": "tea" })),
        ("Root", 1) => calls("call_agent", json!({ "task": "coffee" })),
        ("Root", _) => ChatReply::text("done"),
        ("tea", 0) => calls("call_agent", json!({ "task": "milk" })),
        _ => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            ChatReply::text("hot")
        }
    });
    let (agent, _) = agent(&model, tools(), SubTurns::new().wait_for_results());
    let term = InMemoryTerm::new(24, 80);
    let run = agent.run(args!("Root")).spawn();
    let view = TerminalView::on(term.clone()).watch(run.events(EventFilter::all()));
    let view = tokio::spawn(view);
    tokio::time::sleep(Duration::from_millis(330)).await;
    let during = term.contents();
    run.await.unwrap();
    view.await.unwrap().unwrap();
    let painted: Vec<_> = during.lines().skip_while(|line| !line.starts_with('⠸')).collect();
    expect![[r#"
        ⠸ agent 0:00:00 step 6, 0 of 1 done, 4 running
          tool_call_agent_2_1                300 ms
            subturn-1/tool_call_agent_1_1    300 ms
            subturn-2/think                  300 ms
              subturn-1/subturn-1/think      300 ms"#]]
    .assert_eq(&painted.join("\n"));
    let end = term.contents();
    for said in ["subturn-1: delivered", "subturn-1: ended"] {
        assert!(end.contains(said), "{said} in:\n{end}");
    }
    assert!(!end.contains('{'), "{end}");
}
