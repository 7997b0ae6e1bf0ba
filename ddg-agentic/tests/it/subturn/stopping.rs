//! Ending turns from outside: a hard stop, an interrupt with a hint, a graceful end, and closing
//! the agent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ddg_agentic::memory::{ConversationId, ConversationStore, MemoryConversations};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurns, Turn};
use ddg_agentic::{AgentError, ConversationState};
use serde_json::json;
use tokio::sync::Semaphore;

use super::setup::{Heard, Player, calls};

/// Spawns children, one of them critical, and calls one.
#[tool]
async fn family(turn: Turn) -> Result<String, SubTurnError> {
    turn.spawn(SubTurn::new("spawned")).await?;
    turn.spawn(SubTurn::new("critical").critical()).await?;
    Ok(turn.call(SubTurn::new("called")).await?.text)
}

/// Spawns children and does not wait for them.
#[tool]
async fn leave(turn: Turn) -> Result<String, SubTurnError> {
    turn.spawn(SubTurn::new("spawned")).await?;
    turn.spawn(SubTurn::new("critical").critical()).await?;
    Ok("left".to_owned())
}

/// Does nothing.
#[tool]
async fn nothing() {}

fn tools() -> Toolbox {
    let tools = Toolbox::builder().with(family::tool()).with(leave::tool()).with(nothing::tool());
    tools.build().unwrap()
}

/// Counts the active calls of models.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(n: &Arc<AtomicUsize>) -> Self {
        n.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(n))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

fn agent(model: &Player, store: &Arc<MemoryConversations>) -> (Agent, Heard) {
    let heard = Heard::default();
    let agent = ReActAutoma::new(model.clone()).tools(tools());
    let agent = Agent::new(agent.subturns(heard.listen(SubTurns::new()))).unwrap();
    (agent.conversations(Arc::clone(store)), heard)
}

/// A root whose children and grandchild never end, and the number of active calls of models.
fn endless() -> (Player, Arc<AtomicUsize>) {
    let n = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n);
    let model = Player::new(move |first: String, n| {
        let count = Arc::clone(&count);
        async move {
            match (first.as_str(), n) {
                ("Hello", _) => ChatReply::text("Hello."),
                ("Go", 0) => calls("family", json!({})),
                ("called", 0) => calls("family", json!({})),
                _ => {
                    let _under_way = UnderWay::new(&count);
                    std::future::pending().await
                }
            }
        }
    });
    (model, n)
}

/// [subturn 12] When `stop` returns, all turns below are stopped and the conversation is as before:
/// here two levels, called and spawned, critical and not. (Field report: stop does not stop the
/// children.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_stops_the_turn_and_its_children_and_rolls_back() {
    let store = Arc::new(MemoryConversations::new());
    let (model, n_under_way) = endless();
    let (agent, heard) = agent(&model, &store);
    agent.run("c", "Hello").await.unwrap();
    let id = ConversationId::new("c").unwrap();
    let before = store.load(&id).await.unwrap();

    let said = {
        let agent = agent.clone();
        tokio::spawn(async move { agent.say("c2", "Go").await })
    };
    // The root spawns two, the called child spawns two and calls one at the deepest level.
    until(|| n_under_way.load(Ordering::SeqCst) >= 5).await;
    assert_eq!(agent.state("c2").unwrap(), ConversationState::Running);
    let stopped = agent.stop("c2").await.unwrap();
    assert_eq!(n_under_way.load(Ordering::SeqCst), 0);
    assert!(stopped.turn && !stopped.under_way);
    assert!(stopped.children.contains(&"subturn-3/subturn-1".to_owned()), "{:?}", stopped.children);
    assert!(matches!(said.await.unwrap(), Err(AgentError::Stopped { .. })));
    assert_eq!(agent.state("c2").unwrap(), ConversationState::Idle);
    let words = heard.words();
    let count = |word: &str| words.iter().filter(|heard| heard.contains(word)).count();
    assert_eq!(count("spawned at"), count("ended: stopped"));

    // `c2` has no messages, so it is unknown. `c` is unchanged.
    assert!(matches!(agent.stop("c2").await, Err(AgentError::Unknown { .. })));
    assert_eq!(store.load(&id).await.unwrap(), before);
    assert!(!agent.stop("c").await.unwrap().turn);
}

/// [subturn 12] Ten tasks stop a turn at once, and one of them does it. A turn that is being
/// stopped takes no further requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_is_safe_from_many_tasks() {
    let store = Arc::new(MemoryConversations::new());
    let (model, n_under_way) = endless();
    let (agent, _) = agent(&model, &store);
    let running = agent.clone();
    let said = tokio::spawn(async move { running.say("c", "Go").await });
    until(|| n_under_way.load(Ordering::SeqCst) >= 5).await;
    let stops = (0..10).map(|_| {
        let agent = agent.clone();
        tokio::spawn(async move { agent.stop("c").await })
    });
    let stops = futures::future::join_all(stops).await;
    let did = stops.iter().filter(|stop| matches!(stop, Ok(Ok(stopped)) if stopped.turn)).count();
    assert_eq!(did, 1);
    for stop in stops {
        match stop.unwrap() {
            Ok(stopped) => assert!(stopped.turn || stopped.under_way),
            Err(error) => assert!(matches!(error, AgentError::Unknown { .. }), "{error}"),
        }
    }
    assert!(said.await.unwrap().is_err());
    assert!(matches!(agent.finish("c"), Err(AgentError::NotRunning { .. })));
}

/// [subturn 13] Calls that have not begun are answered `skipped`, and the model is called once
/// more, without tools.
#[tokio::test]
async fn an_interrupted_turn_ends_with_an_answer() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let model = Player::new(move |_: String, n| {
        let gate = Arc::clone(&opened);
        async move {
            match n {
                0 => {
                    gate.acquire().await.unwrap().forget();
                    let call = |n: u32| ToolCall::new(format!("call_{n}"), "nothing", json!({}));
                    ChatReply::calls([call(1), call(2)])
                }
                _ => ChatReply::text("in short: tea"),
            }
        }
    });
    let (agent, _) = agent(&model, &Arc::new(MemoryConversations::new()));
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Tell me all.").await });
    until(|| model.requests().len() == 1).await;
    agent.interrupt("c", "Be brief.").unwrap();
    gate.add_permits(1);
    let outcome = said.await.unwrap().unwrap();
    assert_eq!(outcome.text(), "in short: tea");
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(results, ["skipped", "skipped"]);
    let last = model.requests().pop().unwrap();
    assert!(last.tools.is_empty());
    assert_eq!(last.messages.last().unwrap(), &Message::user("Be brief."));
    assert!(matches!(agent.interrupt("c", "x"), Err(AgentError::NotRunning { .. })));
}

/// [subturn 14] Up to ten steering messages wait. Stopping drops them and the messages that wait
/// for a turn.
#[tokio::test]
async fn waiting_messages_are_bounded_and_dropped() {
    let (model, n_under_way) = endless();
    let (agent, _) = agent(&model, &Arc::new(MemoryConversations::new()));
    let agent = agent.when_busy(WhenBusy::Steer);
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Go").await });
    until(|| n_under_way.load(Ordering::SeqCst) >= 5).await;
    for n in 0..10 {
        assert!(matches!(agent.say("c", n.to_string()).await, Ok(Said::Steered)));
    }
    assert!(matches!(agent.say("c", "one more").await, Err(AgentError::SteeringFull { .. })));
    let queued = agent.clone().when_busy(WhenBusy::Queue);
    let mut waits = queued.run("c", "next").into_future();
    assert!(futures::poll!(&mut waits).is_pending());
    let stopped = agent.stop("c").await.unwrap();
    assert_eq!((stopped.turn, stopped.dropped), (true, 11));
    assert!(matches!(waits.await, Err(AgentError::Stopped { unheard, .. }) if unheard.len() == 1));
    assert!(said.await.unwrap().is_err());
    assert!(matches!(agent.stop("nobody").await, Err(AgentError::Unknown { .. })));
}

/// [subturn 11] When the parent's turn is over, a child that is not critical ends before its next
/// step with what it has, and a critical one continues. (Field report: a parent that ends early
/// kills its children.)
#[tokio::test]
async fn children_of_a_turn_that_is_over_are_not_cancelled() {
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let opened = Arc::clone(&gate);
    let model = Player::new(move |first: String, n| {
        let (gate, begun) = (Arc::clone(&opened), Arc::clone(&begun));
        async move {
            match (first.as_str(), n) {
                ("Go", 0) => calls("leave", json!({})),
                ("Go", _) => {
                    begun.acquire_many(2).await.unwrap().forget();
                    ChatReply::text("done")
                }
                (_, 0) => {
                    begun.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    let call = ToolCall::new("call_1", "nothing", json!({}));
                    let said = ddg_agentic::message::AssistantMessage::new("so far", [call]);
                    let mut reply = ChatReply::text("");
                    reply.message = said;
                    reply
                }
                _ => ChatReply::text("at the end"),
            }
        }
    });
    let (agent, heard) = agent(&model, &Arc::new(MemoryConversations::new()));
    let outcome = agent.run("c", "Go").await.unwrap();
    assert_eq!(outcome.text(), "done");
    gate.add_permits(2);
    heard.until("subturn-1 ended: finished").await;
    heard.until("subturn-2 ended: finished").await;
    let said = |child: &str| {
        let ended = |event: &ddg_agentic::subturn::SubTurnEvent| match event {
            ddg_agentic::subturn::SubTurnEvent::Ended { child: of, result, .. } if of == child => {
                Some(result.clone())
            }
            _ => None,
        };
        heard.events().iter().find_map(ended).unwrap()
    };
    assert_eq!((said("subturn-1").as_str(), said("subturn-2").as_str()), ("so far", "at the end"));
}

/// [subturn 11] Closing refuses new messages, waits for critical children within its time, and
/// returns what it stopped.
#[tokio::test(start_paused = true)]
async fn closing_waits_and_then_stops() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Go", 0) => calls("leave", json!({})),
        ("Go", _) => ChatReply::text("done"),
        ("spawned", 0) => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            ChatReply::text("quick")
        }
        _ => std::future::pending().await,
    });
    let (agent, heard) = agent(&model, &Arc::new(MemoryConversations::new()));
    agent.run("c", "Go").await.unwrap();
    let since = tokio::time::Instant::now();
    let closed = agent.close(Duration::from_secs(60)).await;
    assert_eq!(since.elapsed(), Duration::from_secs(60));
    assert_eq!(closed.children, [("c".to_owned(), "subturn-2".to_owned())]);
    assert!(heard.words().contains(&"subturn-1 ended: finished".to_owned()));
    assert!(heard.words().contains(&"subturn-2 ended: stopped".to_owned()));
    assert!(matches!(agent.run("c", "More").await, Err(AgentError::Closed)));
}

/// [subturn 12] Dropping the run of an agent ends its children, too.
#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_child_behind() {
    let (model, n_under_way) = endless();
    let agent = ReActAutoma::new(model).tools(tools()).build().unwrap();
    let run = agent.run(args!("Go")).spawn();
    until(|| n_under_way.load(Ordering::SeqCst) >= 5).await;
    drop(run);
    until(|| n_under_way.load(Ordering::SeqCst) == 0).await;
}

/// [subturn 15] Each turn publishes that it has started and ended, once, however it ends.
#[tokio::test]
async fn turns_publish_that_they_start_and_end() {
    use ddg_agentic::subturn::{SubTurnEvent, TurnStatus};
    let (model, n_under_way) = endless();
    let (agent, heard) = agent(&model, &Arc::new(MemoryConversations::new()));
    agent.run("c", "Hello").await.unwrap();
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c2", "Go").await });
    until(|| n_under_way.load(Ordering::SeqCst) >= 5).await;
    agent.stop("c2").await.unwrap();
    _ = said.await.unwrap();
    let (mut started, mut ended) = (Vec::new(), Vec::new());
    for event in heard.events() {
        match event {
            SubTurnEvent::TurnStarted { turn, .. } => started.push(turn),
            SubTurnEvent::TurnEnded { turn, status, .. } => ended.push((turn, status)),
            _ => {}
        }
    }
    assert_eq!(ended[0], ("root".to_owned(), TurnStatus::Finished));
    let mut names: Vec<_> = ended.iter().map(|(turn, _)| turn.clone()).collect();
    names.sort_unstable();
    started.sort_unstable();
    assert_eq!(names, started);
    assert!(ended[1..].iter().all(|(_, status)| *status == TurnStatus::Aborted));
}

/// Holds until it is let on, and counts itself meanwhile.
#[tool]
async fn hold(under_way: State<AtomicUsize>, gate: State<Semaphore>) {
    let _under_way = UnderWay::new(&under_way.0);
    gate.acquire().await.unwrap().forget();
}

/// The tools with `hold`, its counter and its gate.
fn holding() -> (Toolbox, Arc<AtomicUsize>, Arc<Semaphore>) {
    let (n, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let tools = Toolbox::builder().with(hold::tool()).with(leave::tool()).with(nothing::tool());
    let tools = tools.shared_state(Arc::clone(&n)).shared_state(Arc::clone(&gate));
    (tools.build().unwrap(), n, gate)
}

/// [subturn 12] A stop also cancels running tools, including those of children. A conversation that
/// has messages is stored as it was.
#[tokio::test]
async fn stopping_cancels_tools_and_restores_what_was_said_before() {
    let store = Arc::new(MemoryConversations::new());
    let (tools, n_held, _gate) = holding();
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Hello", 0) => ChatReply::text("Hello."),
        ("Hello", 1) => calls("leave", json!({})),
        ("Hello", _) => calls("hold", json!({})),
        _ => calls("hold", json!({})),
    });
    let agent = Agent::new(ReActAutoma::new(model).tools(tools)).unwrap();
    let agent = agent.conversations(Arc::clone(&store));
    agent.run("c", "Hello").await.unwrap();
    let id = ConversationId::new("c").unwrap();
    let before = store.load(&id).await.unwrap();
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Go").await });
    until(|| n_held.load(Ordering::SeqCst) == 3).await;
    assert!(agent.stop("c").await.unwrap().turn);
    assert_eq!(n_held.load(Ordering::SeqCst), 0);
    assert!(matches!(said.await.unwrap(), Err(AgentError::Stopped { .. })));
    let after = store.load(&id).await.unwrap();
    assert_eq!(after.conversation, before.conversation);
    assert_eq!(after.conversation.messages.len(), 2);
}

/// [subturn 13] A call that has begun ends; those after it are skipped.
#[tokio::test]
async fn an_interrupt_lets_a_call_end_and_skips_the_rest() {
    let (tools, n_held, gate) = holding();
    let model = Player::new(async |_: String, n| match n {
        0 => {
            let call = |id: &str, tool: &str| ToolCall::new(id, tool, json!({}));
            ChatReply::calls([call("1", "hold"), call("2", "nothing"), call("3", "nothing")])
        }
        _ => ChatReply::text("in short"),
    });
    let agent = ReActAutoma::new(model).tools(tools).tool_calls(ToolCallMode::Sequential);
    let agent = Agent::new(agent).unwrap();
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Tell me all.").await });
    until(|| n_held.load(Ordering::SeqCst) == 1).await;
    agent.interrupt("c", "Be brief.").unwrap();
    gate.add_permits(1);
    let outcome = said.await.unwrap().unwrap();
    assert_eq!(outcome.text(), "in short");
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(results, ["done", "skipped", "skipped"]);
}

/// [subturn 11] A turn that is asked to finish ends before its next step, with the result so far. Its
/// children end as at the end of any other turn.
#[tokio::test]
async fn a_turn_that_is_asked_to_finish_ends_with_what_it_has() {
    let (tools, n_held, gate) = holding();
    let model = Player::new(async |first: String, n| {
        let with_text = |text: &str, tool: &str| {
            let call = ToolCall::new("call_1", tool, json!({}));
            ChatReply::new(ddg_agentic::message::AssistantMessage::new(text, [call]))
        };
        match (first.as_str(), n) {
            ("Go", 0) => with_text("I begin.", "leave"),
            ("Go", _) => with_text("so far", "hold"),
            (_, 0) => with_text("a part", "hold"),
            _ => ChatReply::text("all of it"),
        }
    });
    let heard = Heard::default();
    let agent = ReActAutoma::new(model).tools(tools).subturns(heard.listen(SubTurns::new()));
    let agent = Agent::new(agent).unwrap();
    let running = agent.clone();
    let said = tokio::spawn(async move { running.run("c", "Go").await });
    until(|| n_held.load(Ordering::SeqCst) == 3).await;
    agent.finish("c").unwrap();
    gate.add_permits(3);
    let outcome = said.await.unwrap().unwrap();
    let AgentEnd::EndedEarly { text } = &outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!(text, "so far");
    heard.until("subturn-1 ended: finished").await;
    heard.until("subturn-2 ended: finished").await;
    let ended = heard.events().into_iter().filter_map(|event| match event {
        ddg_agentic::subturn::SubTurnEvent::Ended { child, result, .. } => Some((child, result)),
        _ => None,
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort();
    let pair = |child: &str, text: &str| (child.to_owned(), text.to_owned());
    assert_eq!(ended, [pair("subturn-1", "a part"), pair("subturn-2", "all of it")]);
}
