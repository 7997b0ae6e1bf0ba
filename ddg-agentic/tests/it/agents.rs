//! One agent, many tasks: a conversation has one run at a time, and is free again however it ends.

mod open_runs;
mod releasing;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ddg_agentic::AgentError;
use ddg_agentic::memory::{Conversation, ConversationId, ConversationStore, MemoryConversations};
use ddg_agentic::prelude::*;
use expect_test::expect;
use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore, mpsc};

/// A model that says when it is asked and waits to be let go.
#[derive(Debug)]
struct Gated {
    asked: mpsc::UnboundedSender<ChatRequest>,
    go: Arc<Semaphore>,
}

impl ChatModel for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let n_said = request.messages.len();
        self.asked.send(request).unwrap();
        Box::pin(async move {
            self.go.acquire().await.unwrap().forget();
            Ok(ChatReply::text(format!("answer to {n_said} messages")))
        })
    }
}

struct Scene {
    agent: Agent,
    asked: mpsc::UnboundedReceiver<ChatRequest>,
    go: Arc<Semaphore>,
    store: Arc<MemoryConversations>,
}

fn scene(when_busy: WhenBusy) -> Scene {
    let (asked, requests) = mpsc::unbounded_channel();
    let (go, store) = (Arc::new(Semaphore::new(0)), Arc::new(MemoryConversations::new()));
    let model = Gated { asked, go: Arc::clone(&go) };
    let agent = Agent::new(ReActAutoma::new(model)).unwrap().when_busy(when_busy);
    let agent = agent.conversations(store.clone());
    Scene { agent, asked: requests, go, store }
}

fn run(
    agent: &Agent,
    text: &'static str,
) -> tokio::task::JoinHandle<Result<AgentOutcome, AgentError>> {
    let agent = agent.clone();
    tokio::spawn(async move { agent.run("c", text).await })
}

async fn stored(store: &MemoryConversations) -> Conversation {
    store.load(&ConversationId::new("c").unwrap()).await.unwrap().conversation
}

#[tokio::test]
async fn a_second_run_is_refused_at_once() {
    let mut scene = scene(WhenBusy::Refuse);
    let first = run(&scene.agent, "one");
    scene.asked.recv().await.unwrap();
    let error = scene.agent.run("c", "two").await.unwrap_err();
    expect!["conversation `c` is busy: a run of it is active; wait until it ends, or let the agent queue or steer (`when_busy`)"].assert_eq(&error.to_string());
    // Another conversation is free.
    let other = scene.agent.run("d", "three");
    scene.go.add_permits(2);
    let (first, other) = tokio::join!(first, other);
    first.unwrap().unwrap();
    other.unwrap();
    assert_eq!(stored(&scene.store).await.messages.len(), 2, "what was refused was not said");
}

#[tokio::test]
async fn or_waits_for_its_turn() {
    let mut scene = scene(WhenBusy::Queue);
    let first = run(&scene.agent, "one");
    scene.asked.recv().await.unwrap();
    let second = run(&scene.agent, "two");
    tokio::task::yield_now().await;
    let third = run(&scene.agent, "three");
    scene.go.add_permits(3);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let last = third.await.unwrap().unwrap();
    let said: Vec<_> = last.conversation.messages.iter().map(Message::text).collect();
    expect![[r#"
        one
        answer to 1 messages
        two
        answer to 3 messages
        three
        answer to 5 messages"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn or_is_passed_to_the_active_run() {
    let mut scene = scene(WhenBusy::Steer);
    let first = run(&scene.agent, "one");
    scene.asked.recv().await.unwrap();
    assert!(matches!(scene.agent.say("c", "no, two").await.unwrap(), Said::Steered));
    let error = scene.agent.run("c", "or three").await.unwrap_err();
    expect![
        "conversation `c`: the message was passed to the active run, whose caller gets the outcome"
    ]
    .assert_eq(&error.to_string());
    scene.go.add_permits(2);
    let outcome = first.await.unwrap().unwrap();
    let said: Vec<_> = outcome.conversation.messages.iter().map(Message::text).collect();
    expect![[r#"
        one
        answer to 1 messages
        no, two
        or three
        answer to 4 messages"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(outcome.turns, 2, "the answer came too early, so the model is asked again");
}

#[tokio::test]
async fn agents_of_one_kind_do_not_get_messages_for_each_other() {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let kind = ReActAutoma::new(Arc::new(Gated { asked, go: Arc::clone(&go) }));
    let of_kind = || Agent::new(kind.clone()).unwrap().when_busy(WhenBusy::Steer);
    let (ada, bob) = (of_kind(), of_kind());
    let of_ada = run(&ada, "I am Ada.");
    requests.recv().await.unwrap();
    let of_bob = run(&bob, "I am Bob.");
    requests.recv().await.unwrap();
    assert!(matches!(ada.say("c", "Ada's secret").await.unwrap(), Said::Steered));
    go.add_permits(3);
    let said = async |run: tokio::task::JoinHandle<Result<AgentOutcome, AgentError>>| {
        let conversation = run.await.unwrap().unwrap().conversation;
        conversation.messages.iter().map(Message::text).collect::<Vec<_>>()
    };
    assert_eq!(said(of_bob).await, ["I am Bob.", "answer to 1 messages"]);
    let of_ada = said(of_ada).await;
    assert_eq!(of_ada[2..], ["Ada's secret", "answer to 3 messages"]);
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_the_conversation_as_it_was_and_free() {
    let mut scene = scene(WhenBusy::Refuse);
    let first = run(&scene.agent, "one");
    scene.asked.recv().await.unwrap();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    scene.go.add_permits(1);
    let outcome = scene.agent.run("c", "two").await.unwrap();
    assert_eq!(outcome.conversation.messages[0].text(), "two");
}

/// A hook that fails, panics, or does nothing, as it is told.
#[derive(Clone, Default)]
struct Hook {
    fails: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Callback for Hook {
    async fn will_run(&self, _: &Context, _: &Args) -> Result<(), WorkerError> {
        assert!(!self.panics.load(Ordering::SeqCst), "the hook panics");
        match self.fails.load(Ordering::SeqCst) {
            true => Err(WorkerError::msg("the hook fails")),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_failing_or_panicking_hook_leaves_the_conversation_free() {
    let model = ScriptedModel::new().text("a").text("b").text("c");
    let (mut agent, hook) = (Agent::new(ReActAutoma::new(model)).unwrap(), Hook::default());
    agent.automa().add_callback(hook.clone());
    hook.fails.store(true, Ordering::SeqCst);
    agent.run("c", "one").await.unwrap();
    hook.panics.store(true, Ordering::SeqCst);
    agent.run("c", "two").await.unwrap();
    assert_eq!(agent.run("c", "three").await.unwrap().conversation.messages.len(), 6);
}

#[tokio::test]
async fn a_panicking_model_leaves_the_conversation_as_it_was_and_free() {
    let model = ScriptedModel::new().text("").expects(|_| panic!("out of tokens")).text("at last");
    let agent = Agent::new(ReActAutoma::new(model)).unwrap();
    let error = agent.run("c", "one").await.unwrap_err();
    expect![
        "conversation `c`: automa `agent`, step 2: worker `think` failed: panicked: out of tokens"
    ]
    .assert_eq(&error.to_string());
    let outcome = agent.run("c", "two").await.unwrap();
    assert_eq!(outcome.conversation.messages.len(), 2, "what failed was not said");
}

#[tokio::test]
async fn a_failing_model_is_an_error_and_the_conversation_keeps_the_messages() {
    let away = ModelError::Setup { message: "no network".into() };
    let model = ScriptedModel::new().fails(away).text("Here I am.");
    let agent = Agent::new(ReActAutoma::new(model)).unwrap();
    let error = agent.run("c", "one").await.unwrap_err();
    expect!["conversation `c`: automa `agent`, step 2: worker `think` failed: no network"]
        .assert_eq(&error.to_string());
    assert_eq!(error.agent_failed().unwrap().outcome.conversation.messages.len(), 1);
    let outcome = agent.run("c", "two").await.unwrap();
    assert_eq!(outcome.conversation.messages.len(), 3);
}

#[tokio::test]
async fn messages_that_a_failing_run_has_not_read_come_back() {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (gate, told) = (Arc::clone(&go), Arc::clone(&asked));
    /// Fails when it is let go.
    #[tool]
    async fn fails(told: State<(Arc<Notify>, Arc<Notify>)>) -> Result<String, WorkerError> {
        told.0.0.notify_one();
        told.0.1.notified().await;
        Err(WorkerError::msg("no"))
    }
    let options = ToolOptions::new().on_failure(ddg_agentic::tool::OnFailure::FailRun);
    let tools = Toolbox::builder()
        .with_options(fails::tool(), options)
        .state((told, gate))
        .build()
        .unwrap();
    let model = ScriptedModel::new().calls([ToolCall::new("f", "fails", serde_json::json!({}))]);
    let agent =
        Agent::new(ReActAutoma::new(model).tools(tools)).unwrap().when_busy(WhenBusy::Steer);
    let first = run(&agent, "one");
    asked.notified().await;
    assert!(matches!(agent.say("c", "two").await.unwrap(), Said::Steered));
    go.notify_one();
    let error = first.await.unwrap().unwrap_err();
    expect!["conversation `c`: automa `agent`, step 3: worker `tool_fails_1_1` failed: `fails` failed: no"].assert_eq(&error.to_string());
    let AgentError::Run { unheard, .. } = error else { panic!() };
    assert_eq!(unheard, [Message::user("two")]);
}

#[tokio::test]
async fn a_paused_run_is_resumed() {
    /// Adds.
    #[tool]
    async fn add(a: i64, b: i64) -> i64 {
        a + b
    }
    let call = ToolCall::new("a", "add", serde_json::json!({ "a": 1, "b": 2 }));
    let model = ScriptedModel::new().calls([call]).text("3");
    let tools = Toolbox::builder()
        .with_options(add::tool(), ToolOptions::new().approval())
        .build()
        .unwrap();
    let agent = Agent::new(ReActAutoma::new(model).tools(tools)).unwrap();
    let Said::Paused { outcome, .. } = agent.say("c", "1 + 2?").await.unwrap() else { panic!() };
    let mut snapshot = outcome.snapshot().unwrap();
    snapshot.answer(&outcome.questions()[0].id, Verdict::Allow).unwrap();
    let Said::Ended(outcome) = agent.resume("c", snapshot).await.unwrap() else { panic!() };
    assert_eq!((outcome.text().as_str(), outcome.conversation.messages.len()), ("3", 4));
}

/// Whether two runs are ever in at once.
#[derive(Debug, Default)]
struct Alone {
    n_in: AtomicU32,
    n_runs: AtomicU32,
}

impl ChatModel for Alone {
    fn name(&self) -> &str {
        "alone"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            assert_eq!(self.n_in.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
            let _in = In(self);
            tokio::task::yield_now().await;
            self.n_runs.fetch_add(1, Ordering::SeqCst);
            Ok(ChatReply::text(format!("{}", request.messages.len())))
        })
    }
}

/// Is in until it is dropped.
struct In<'a>(&'a Alone);

impl Drop for In<'_> {
    fn drop(&mut self) {
        self.0.n_in.fetch_sub(1, Ordering::SeqCst);
    }
}

/// 1,000 rounds on several threads: of eight that come at once, some are dropped at any moment; no two
/// are ever in, and the conversation is free afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_runs_of_a_conversation_are_ever_in_at_once() {
    for when_busy in [WhenBusy::Refuse, WhenBusy::Queue, WhenBusy::Steer] {
        let model = Arc::new(Alone::default());
        let agent = Agent::new(ReActAutoma::new(Arc::clone(&model)).limits(Limits::turns(100)));
        let agent = agent.unwrap().when_busy(when_busy);
        for round in 0..1000 {
            let conversation = format!("c{round}");
            let tasks: Vec<_> = (0..8)
                .map(|nth| {
                    let (agent, conversation) = (agent.clone(), conversation.clone());
                    tokio::spawn(async move {
                        let said = agent.say(&conversation, "hello").into_future();
                        if (nth + round) % 3 != 0 {
                            return Some(said.await);
                        }
                        // Dropped wherever it is after a few polls.
                        tokio::select! {
                            biased;
                            () = polls(nth) => None,
                            said = said => Some(said),
                        }
                    })
                })
                .collect();
            let mut n_refused = 0;
            for task in tasks {
                match task.await.expect("no run panics: none is in with another") {
                    Some(Err(AgentError::Busy { .. })) => n_refused += 1,
                    Some(Ok(_)) | None => {}
                    Some(Err(error)) => panic!("{error}"),
                }
            }
            assert!(when_busy == WhenBusy::Refuse || n_refused == 0);
            let outcome = agent.run(&conversation, "anybody?").await.unwrap();
            let said = outcome.conversation.messages;
            let last = Message::assistant((said.len() - 1).to_string());
            assert_eq!(said.last(), Some(&last));
        }
        assert!(model.n_runs.load(Ordering::SeqCst) >= 1000);
    }
}

/// Is ready at the n-th poll.
async fn polls(n: usize) {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
}
