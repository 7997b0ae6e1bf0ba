//! What is logged about children.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurns, Turn};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context as Spans, Layer, SubscriberExt};

use super::setup::{Player, agent, calls};

/// A log line about children: its level, its message and its fields.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    level: Level,
    message: String,
    fields: BTreeMap<String, String>,
}

/// Collects the log lines of the room for children.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Spans<'_, S>) {
        if event.metadata().target().starts_with("ddg_agentic::subturn") {
            let mut read = Read::default();
            event.record(&mut read);
            let message = read.0.remove("message").unwrap_or_default();
            let level = *event.metadata().level();
            self.0.lock().unwrap().push(Line { level, message, fields: read.0 });
        }
    }
}

#[derive(Default)]
struct Read(BTreeMap<String, String>);

impl Visit for Read {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

/// Calls a child, and says how that ended.
#[tool]
async fn delegate(task: String, turn: Turn) -> String {
    match turn.call(SubTurn::new(task)).await {
        Ok(result) => result.text(),
        Err(error) => error.to_string(),
    }
}

/// Spawns two children, and waits until both have ended.
#[tool]
async fn spawn_two(turn: Turn) -> Result<u32, SubTurnError> {
    turn.spawn(SubTurn::new("one")).await?;
    turn.spawn(SubTurn::new("two")).await?;
    while turn.children().iter().any(|child| !child.status.has_ended()) {
        tokio::task::yield_now().await;
    }
    Ok(2)
}

/// The log lines of a run.
async fn lines(model: Player, subturns: SubTurns) -> Vec<Line> {
    let tools = Toolbox::builder().with(delegate::tool()).with(spawn_two::tool()).build().unwrap();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let (agent, _) = agent(&model, tools, subturns);
    agent.run(args!("Root")).await.unwrap();
    lines.0.lock().unwrap().clone()
}

fn line(level: Level, message: &str, fields: &[(&str, &str)]) -> Line {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Line { level, message: message.to_owned(), fields: fields.collect() }
}

/// [subturn 15] A child that would be too deep is logged as a warning, with its parent.
#[tokio::test]
async fn a_refused_depth_is_logged() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({ "task": "down" })),
        ("down", 0) => calls("delegate", json!({ "task": "too deep" })),
        _ => ChatReply::text("done"),
    });
    let fields = [("parent", "subturn-1"), ("child", "agent"), ("depth", "1"), ("max", "1")];
    let expected = line(Level::WARN, "a child agent would be too deep", &fields);
    assert_eq!(lines(model, SubTurns::new().depth(1)).await, [expected]);
}

/// [subturn 15] A result that finds the inbox full is logged as a warning, with parent and child.
#[tokio::test]
async fn a_full_inbox_is_logged() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn_two", json!({})),
        _ => ChatReply::text("done"),
    });
    let lines = lines(model, SubTurns::new().inbox(1)).await;
    let [found] = &lines[..] else { panic!("{lines:?}") };
    let child = found.fields["child"].clone();
    assert!(["subturn-1", "subturn-2"].contains(&child.as_str()), "{child}");
    let fields = [("parent", "root"), ("child", child.as_str())];
    let expected = line(Level::WARN, "the inbox is full: a result is lost", &fields);
    assert_eq!(*found, expected);
}

/// [subturn 15] A child that panics is logged as an error, with parent, child and message.
#[tokio::test]
async fn a_panic_is_logged() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({ "task": "boom" })),
        ("boom", _) => panic!("no tea"),
        _ => ChatReply::text("done"),
    });
    let fields = [("parent", "root"), ("child", "subturn-1"), ("why", "no tea")];
    let expected = line(Level::ERROR, "a child agent panicked", &fields);
    assert_eq!(lines(model, SubTurns::new()).await, [expected]);
}
