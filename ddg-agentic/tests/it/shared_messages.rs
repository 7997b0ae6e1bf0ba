//! Messages are shared, not copied: a list of messages acts as a `Vec` does, its clones share their
//! messages, and a turn of a long conversation writes no more than a turn of a short one.

use std::sync::{Arc, Mutex};

use ddg_agentic::Message;
use ddg_agentic::memory::{Conversation, FullHistory, LastMessages, Memory};
use ddg_agentic::message::{Messages, ToolCall};
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use futures::future::BoxFuture;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// A change of a list.
#[derive(Clone, Debug)]
enum Change {
    Push,
    Pop,
    Insert(usize),
    Remove(usize),
    Truncate(usize),
    Slice(usize, usize),
    SetSystem(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        12 => Just(Change::Push),
        2 => Just(Change::Pop),
        2 => (0..200_usize).prop_map(Change::Insert),
        2 => Just(Change::Insert(0)),
        1 => (0..200_usize).prop_map(Change::Remove),
        1 => (0..200_usize).prop_map(Change::Truncate),
        1 => (0..50_usize, 0..200_usize).prop_map(|(from, len)| Change::Slice(from, len)),
        1 => (0..200_usize).prop_map(Change::SetSystem),
    ];
    vec(change, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_list_of_messages_acts_as_a_vec(changes in changes()) {
        let (mut list, mut model) = (Messages::new(), Vec::<Message>::new());
        for (nth, change) in changes.into_iter().enumerate() {
            let before = (list.clone(), model.clone());
            let message = match nth % 3 {
                0 => Message::user(nth.to_string()),
                _ => Message::assistant(nth.to_string()),
            };
            match change {
                Change::Push => {
                    list.push(message.clone());
                    model.push(message);
                }
                Change::Pop => prop_assert_eq!(list.pop(), model.pop()),
                Change::Insert(at) => {
                    let at = at.min(model.len());
                    list.insert(at, message.clone());
                    model.insert(at, message);
                }
                Change::Remove(at) if at < model.len() => {
                    prop_assert_eq!(list.remove(at), model.remove(at));
                }
                Change::Truncate(len) => {
                    list.truncate(len);
                    model.truncate(len);
                }
                Change::Slice(from, len) => {
                    list = list.slice(from..from + len);
                    let from = from.min(model.len());
                    model = model[from..(from + len).min(model.len())].to_vec();
                }
                Change::SetSystem(at) if at < model.len() => {
                    list[at] = Message::system("Be brief.");
                    model[at] = Message::system("Be brief.");
                }
                Change::Remove(_) | Change::SetSystem(_) => {}
            }
            prop_assert_eq!(&list, &model);
            prop_assert_eq!(list.len(), model.len());
            prop_assert!(list.iter().rev().eq(model.iter().rev()));
            // The earlier list has not changed.
            prop_assert_eq!(&before.0, &before.1);
        }
        let text = serde_json::to_string(&list).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&model).unwrap());
        prop_assert_eq!(serde_json::from_str::<Messages>(&text).unwrap(), model);
    }
}

fn long(n_messages: usize) -> Conversation {
    let message = |n: usize| match n % 2 {
        0 => Message::user(format!("question {n}")),
        _ => Message::assistant(format!("answer {n}")),
    };
    Conversation::new((0..n_messages).map(message))
}

#[test]
fn what_a_memory_shows_is_shared() {
    let conversation = long(1_000);
    for (memory, n_shown) in [(&FullHistory as &dyn Memory, 1_000), (&LastMessages::new(20), 20)] {
        let shown = memory.window(&conversation);
        assert_eq!(shown.len(), n_shown);
        let all = conversation.messages.iter().rev();
        assert!(shown.iter().rev().zip(all).all(|(shown, said)| std::ptr::eq(shown, said)));
    }
}

/// Does nothing.
#[tool]
async fn wait() -> &'static str {
    "done"
}

/// Calls the tool until there are so many results, and remembers its requests.
#[derive(Clone, Debug)]
struct Patient {
    n_calls: usize,
    asked: Arc<Mutex<Vec<Messages>>>,
}

impl ChatModel for Patient {
    fn name(&self) -> &str {
        "patient"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let is_result = |message: &&Message| matches!(message, Message::Tool(_));
        let n_results = request.messages.iter().filter(is_result).count();
        self.asked.lock().unwrap().push(request.messages);
        let call = ToolCall::new(format!("call_{n_results:03}"), "wait", json!({}));
        let reply = match n_results < self.n_calls {
            true => ChatReply::calls([call]),
            false => ChatReply::text("I have waited."),
        };
        Box::pin(async move { Ok(reply) })
    }
}

fn waiting(n_calls: usize) -> (Patient, TypedAutoma<AgentOutcome>) {
    let model = Patient { n_calls, asked: Arc::default() };
    let agent = ReActAutoma::new(model.clone())
        .system("You wait.")
        .tools(Toolbox::builder().with(wait::tool()).build().unwrap())
        .limits(Limits::turns(n_calls as u32 + 1));
    (model, agent.build().unwrap())
}

#[tokio::test]
async fn requests_share_the_messages_of_the_conversation() {
    let (model, agent) = waiting(3);
    let conversation = long(100);
    let task = Task::new("Wait!").after(conversation.clone());
    let outcome = agent.run(args!(task)).await.unwrap();
    for asked in model.asked.lock().unwrap().iter() {
        assert_eq!(asked[0], Message::system("You wait."));
        let rest = asked.iter().skip(1).zip(&outcome.conversation.messages);
        assert!(rest.clone().count() > 100);
        assert!(rest.into_iter().all(|(asked, said)| std::ptr::eq(asked, said)));
    }
    assert!(std::ptr::eq(&outcome.conversation.messages[0], &conversation.messages[0]));
}

/// The bytes that a stored run of `n_turns` after a conversation of `n_messages` appends to its
/// journal per step, without the first and last steps, which contain the whole conversation.
async fn bytes_per_step(n_messages: usize, n_turns: usize) -> usize {
    let (_, agent) = waiting(n_turns);
    let store = MemoryStore::new();
    let task = Task::new("Wait!").after(long(n_messages));
    agent.run(args!(task)).stored_in(&store, "run").await.unwrap();
    let history = StoredRuns::new(&store).history("run").await.unwrap();
    let n_steps = history.len();
    let mut sizes: Vec<usize> =
        history.into_iter().skip(2).take(n_steps - 4).map(|step| step.n_bytes as usize).collect();
    sizes.sort_unstable();
    sizes[sizes.len() / 2]
}

#[tokio::test]
async fn a_stored_turn_writes_what_is_new() {
    let (short, long) = (bytes_per_step(2, 40).await, bytes_per_step(1_000, 40).await);
    assert!(long * 10 <= short * 13, "{short} bytes per step, and {long} after 1,000 messages");
}

#[tokio::test]
async fn a_stored_long_conversation_is_resumed_from_any_step() {
    let (_, agent) = waiting(20);
    let store = MemoryStore::new();
    let task = Task::new("Wait!").after(long(70));
    let whole = agent.run(args!(task)).stored_in(&store, "run").outcome().await.unwrap();
    let n_steps = whole.steps();
    let whole: AgentOutcome = whole.into_output().unwrap();
    assert_eq!(whole.conversation.messages.len(), 70 + 1 + 20 * 2 + 1);
    for step in 0..=n_steps {
        let (_, agent) = waiting(20);
        let fork = format!("from {step}");
        StoredRuns::new(&store).fork("run", step, &fork).await.unwrap();
        let outcome = agent.run(()).stored_in(&store, &fork).await.unwrap();
        assert_eq!(outcome, whole, "from step {step}");
    }
}
