//! The part of a conversation that an agent shows its model, and summaries while its tools run.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ddg_agentic::memory::{Conversation, FullHistory, Memory, Summary};
use ddg_agentic::message::Messages;
use ddg_agentic::model::Usage;
use ddg_agentic::prelude::*;
use expect_test::expect;
use futures::future::BoxFuture;
use tokio::sync::Barrier;

use super::{adding, lines, tools};

#[tokio::test]
async fn only_the_window_is_shown_and_everything_is_kept() {
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).text("3").text("5");
    let agent = ReActAutoma::new(model.clone())
        .system("You compute.")
        .tools(tools())
        .memory(LastMessages::new(2))
        .build()
        .unwrap();
    let first = agent.run(args!("1 + 2?")).await.unwrap();
    let task = Task::new("And 2 + 3?").after(first.conversation);
    let second = agent.run(args!(task)).await.unwrap();
    expect![[r#"
        system: You compute.
        user: And 2 + 3?"#]]
    .assert_eq(&lines(&model.requests()[2].messages));
    assert_eq!(second.conversation.messages.len(), 6);
}

/// Summarises the first message once, together with a tool.
struct Once(Arc<Barrier>);

impl Memory for Once {
    fn window(&self, conversation: &Conversation) -> Messages {
        FullHistory.window(conversation)
    }

    fn due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        conversation.summaries.is_empty().then_some(0..1)
    }

    fn summarise<'a>(
        &'a self,
        _: &'a Conversation,
        range: Range<usize>,
    ) -> BoxFuture<'a, Result<(Summary, Usage), ModelError>> {
        Box::pin(async move {
            self.0.wait().await;
            Ok((Summary::new(range, "They want a sum."), Usage::new(3, 1)))
        })
    }
}

#[tokio::test]
async fn a_summary_is_made_while_tools_run_and_counted_once() {
    /// Waits for the summary.
    #[tool]
    async fn wait(barrier: State<Barrier>) -> &'static str {
        barrier.wait().await;
        "both at work"
    }
    let barrier = Arc::new(Barrier::new(2));
    let tools = Toolbox::builder()
        .with(wait::tool())
        .with(super::add::tool())
        .shared_state(Arc::clone(&barrier))
        .build()
        .unwrap();
    let model = ScriptedModel::new()
        .calls([ToolCall::new("w", "wait", serde_json::json!({}))])
        .calls([adding("a", 1, 2)])
        .text("3");
    let agent = ReActAutoma::new(model).tools(tools).memory(Once(barrier)).build().unwrap();
    let outcome = agent.run(args!("1 + 2?")).await.unwrap();
    assert_eq!(outcome.conversation.summaries, [Summary::new(0..1, "They want a sum.")]);
    assert_eq!(outcome.usage, Usage::new(3, 1));
}

/// Fails to summarise, and counts how often it is asked.
#[derive(Clone, Default)]
struct Fails(Arc<AtomicUsize>);

impl Memory for Fails {
    fn window(&self, conversation: &Conversation) -> Messages {
        FullHistory.window(conversation)
    }

    fn due(&self, _: &Conversation) -> Option<Range<usize>> {
        Some(0..1)
    }

    fn summarise<'a>(
        &'a self,
        _: &'a Conversation,
        _: Range<usize>,
    ) -> BoxFuture<'a, Result<(Summary, Usage), ModelError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let error = ModelError::Setup { message: "no model for summaries".into() };
        Box::pin(async move { Err(error) })
    }
}

#[tokio::test]
async fn without_a_summary_the_agent_continues() {
    let model = ScriptedModel::new().calls([adding("a", 1, 2)]).text("3");
    let agent = ReActAutoma::new(model).tools(tools()).memory(Fails::default()).build().unwrap();
    let outcome = agent.run(args!("1 + 2?")).await.unwrap();
    assert_eq!((outcome.text().as_str(), outcome.conversation.summaries.len()), ("3", 0));
}

/// A model for summaries that always fails is not asked in each turn.
#[tokio::test]
async fn summaries_that_fail_are_given_up() {
    let model =
        (0..6).fold(ScriptedModel::new(), |model, n| model.calls([adding(&n.to_string(), n, 1)]));
    let fails = Fails::default();
    let agent = ReActAutoma::new(model.text("6")).tools(tools()).memory(fails.clone());
    let outcome = agent.build().unwrap().run(args!("Count.")).await.unwrap();
    assert_eq!((outcome.turns, fails.0.load(Ordering::SeqCst)), (7, 2));
}
