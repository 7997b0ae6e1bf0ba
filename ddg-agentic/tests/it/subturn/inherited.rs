//! What a child has from its parent, and what can be set for it alone.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ddg_agentic::files::FileManager;
use ddg_agentic::memory::LastMessages;
use ddg_agentic::model::{ReasoningEffort, ServiceTier, ToolChoice};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, ChildStatus, SubTurn, SubTurnError, SubTurns, Turn};
use futures::future::BoxFuture;
use serde_json::json;

use super::setup::{Player, agent, calls};

/// What the model that writes down what it was asked has said of the child that it wants.
type Wishes = Mutex<Vec<SubTurn>>;

/// Calls the next child of the list.
#[tool]
async fn delegate(wishes: State<Wishes>, turn: Turn) -> Result<String, SubTurnError> {
    let child = wishes.lock().unwrap().remove(0);
    Ok(turn.call(child).await?.text())
}

/// Does nothing.
#[tool]
async fn nothing() {}

/// Says what a tool finds around it.
#[tool]
async fn around(
    turn: Turn,
    greeting: State<String>,
    files: State<FileManager>,
    cx: &Context,
) -> Result<String, WorkerError> {
    let user: String = cx.input("user")?.unwrap_or_default();
    let files: Vec<_> = files.list().iter().map(|file| file.filename().to_owned()).collect();
    Ok(format!("{} {user}, {files:?}, {turn:?}", *greeting))
}

fn tools(wishes: impl IntoIterator<Item = SubTurn>) -> Toolbox {
    Toolbox::builder()
        .with(delegate::tool())
        .with(nothing::tool())
        .with(around::tool())
        .state::<Wishes>(Mutex::new(wishes.into_iter().collect()))
        .state("Hello".to_owned())
        .build()
        .unwrap()
}

/// Runs a root that calls one child; the child answers at once. Returns the request of the child.
async fn asked_of_child(
    parent: impl FnOnce(ReActAutoma) -> ReActAutoma,
    child: SubTurn,
) -> ChatRequest {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({})),
        _ => ChatReply::text("done"),
    });
    let agent = ReActAutoma::new(model.clone()).tools(tools([child]));
    let outcome = parent(agent).build().unwrap().run(args!("Root", user = "ada")).await.unwrap();
    assert_eq!(outcome.steps()[0].result.content, "done");
    model.requests().remove(1)
}

/// [subturn 2] What is not set is the parent's: instructions, settings, tools.
#[tokio::test]
async fn a_child_is_asked_as_its_parent_is() {
    let parent = |agent: ReActAutoma| {
        let agent = agent.system("Be brief.").reasoning_effort(ReasoningEffort::High);
        agent.temperature(0.5).top_p(0.9).seed(7).stop(["END"]).declare_input("user")
    };
    let asked = asked_of_child(parent, SubTurn::new("Child")).await;
    assert_eq!(asked.messages, [Message::system("Be brief."), Message::user("Child")]);
    assert_eq!((asked.temperature, asked.top_p, asked.seed), (Some(0.5), Some(0.9), Some(7)));
    assert_eq!(
        (asked.reasoning_effort, asked.stop),
        (Some(ReasoningEffort::High), vec!["END".to_owned()])
    );
    let names: Vec<_> = asked.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["delegate", "nothing", "around"]);
}

/// [subturn 2] Each setting of the model can be set for a child alone.
#[tokio::test]
async fn each_setting_of_the_model_can_be_set_for_a_child() {
    let parent = |agent: ReActAutoma| {
        agent.temperature(0.5).top_p(0.9).max_output_tokens(10).seed(7).declare_input("user")
    };
    let child = SubTurn::new("Child")
        .temperature(0.1)
        .top_p(0.2)
        .max_output_tokens(99)
        .stop(["STOP"])
        .seed(3)
        .parallel_tool_calls(false)
        .reasoning_effort(ReasoningEffort::Low)
        .service_tier(ServiceTier::Flex)
        .tool_choice(ToolChoice::None);
    let json = serde_json::to_string(&child).unwrap();
    assert_eq!(serde_json::from_str::<SubTurn>(&json).unwrap(), child, "{json}");
    let asked = asked_of_child(parent, child).await;
    assert_eq!((asked.temperature, asked.top_p), (Some(0.1), Some(0.2)));
    assert_eq!((asked.max_output_tokens, asked.seed), (Some(99), Some(3)));
    assert_eq!((asked.stop, asked.parallel_tool_calls), (vec!["STOP".to_owned()], Some(false)));
    assert_eq!(asked.reasoning_effort, Some(ReasoningEffort::Low));
    assert_eq!(asked.service_tier, Some(ServiceTier::Flex));
    assert_eq!(asked.tool_choice, ToolChoice::None);

    let zero = asked_of_child(parent, SubTurn::new("Child").max_output_tokens(0)).await;
    assert_eq!(zero.max_output_tokens, Some(10), "zero is the parent's");
}

/// [subturn 2] A choice that requires a call holds until there was one; else the child could not
/// answer.
#[tokio::test]
async fn a_required_call_is_required_once() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({})),
        ("Child", 0) => calls("nothing", json!({})),
        _ => ChatReply::text("done"),
    });
    let child = SubTurn::new("Child").tool_choice(ToolChoice::Required);
    let (agent, _) = agent(&model, tools([child]), SubTurns::new());
    agent.run(args!("Root")).await.unwrap();
    let choices: Vec<_> = model.requests().into_iter().map(|asked| asked.tool_choice).collect();
    let (auto, required) = (ToolChoice::Auto, ToolChoice::Required);
    assert_eq!(choices, [auto.clone(), required, auto.clone(), auto]);
}

/// [subturn 2] Tools of a child: all of its parent's, some of them, or none. An empty list is all;
/// lists are not merged with what the parent has.
#[tokio::test]
async fn tools_are_the_parents_or_these_or_none() {
    for (child, expected) in [
        (SubTurn::new("Child"), vec!["delegate", "nothing", "around"]),
        (SubTurn::new("Child").tools([""; 0]), vec!["delegate", "nothing", "around"]),
        (SubTurn::new("Child").tools(["nothing"]), vec!["nothing"]),
        (SubTurn::new("Child").without_tools(), vec![]),
    ] {
        let asked = asked_of_child(|agent| agent.declare_input("user"), child).await;
        let names: Vec<_> = asked.tools.iter().map(|tool| tool.name.clone()).collect();
        assert_eq!(names, expected);
    }
}

/// [subturn 2] [subturn 6] A tool of a child finds the states, files and inputs of the parent's run,
/// and the turn of the child.
#[tokio::test]
async fn states_files_and_inputs_are_the_parents_and_the_turn_is_the_childs() {
    let files = FileManager::new();
    files.create_from_bytes("x", "x.txt").await.unwrap();
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({})),
        ("Child", 0) => calls("around", json!({})),
        _ => ChatReply::text("done"),
    });
    let agent = ReActAutoma::new(model.clone()).tools(tools([SubTurn::new("Child")]));
    let agent = agent.declare_input("user").files(files.clone()).build().unwrap();
    agent.run(args!("Root", user = "ada")).await.unwrap();
    let told = model.requests()[2].messages.last().unwrap().text();
    assert_eq!(told, "Hello ada, [\"x.txt\"], Turn(turn subturn-1 at depth 1)");
    files.close().await.unwrap();
}

/// [subturn 2] The window of the parent's memory is the child's, and so are its hooks.
#[tokio::test]
async fn windows_and_hooks_are_the_parents() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    struct Note(Arc<Seen>);

    impl Callback for Note {
        async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
            self.0.0.lock().unwrap().push(cx.path().to_string());
            Ok(())
        }
    }

    // The window hides replies, so the model counts them itself.
    let n_asked = Arc::new(AtomicUsize::new(0));
    let model = Player::new(move |first: String, n| {
        let n = if first == "Root" { n } else { 10 + n_asked.fetch_add(1, Ordering::SeqCst) };
        async move {
            match n {
                0 => calls("delegate", json!({})),
                10..=13 => calls("nothing", json!({})),
                _ => ChatReply::text("done"),
            }
        }
    });
    let agent = ReActAutoma::new(model.clone()).tools(tools([SubTurn::new("Child")]));
    let mut agent = agent.memory(LastMessages::new(3)).declare_input("user").build().unwrap();
    let seen = Arc::new(Seen::default());
    agent.add_callback(Note(Arc::clone(&seen)));
    agent.run(args!("Root", user = "ada")).await.unwrap();
    let longest = model.requests().iter().map(|asked| asked.messages.len()).max();
    assert_eq!(longest, Some(3));
    let seen = seen.0.lock().unwrap();
    let thought = seen.iter().filter(|path| *path == "subturn-1/think").count();
    assert_eq!(thought, 5, "{seen:?}");
}

/// [subturn 2] The number of requests of a child is its own.
#[tokio::test]
async fn turns_of_a_child_are_limited() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("delegate", json!({})),
        ("Root", _) => ChatReply::text("done"),
        _ => calls("nothing", json!({})),
    });
    let (agent, _) = agent(&model, tools([SubTurn::new("Child").turns(2)]), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(model.requests().len(), 4);
    assert!(matches!(outcome.children()[0].status, ChildStatus::Failed { .. }));
    assert!(outcome.steps()[0].result.content.contains("2"), "{:?}", outcome.steps()[0].result);
}

/// [subturn 2] A timeout of zero is the default, 5 min; `None` is none; and a child may have more
/// time than others.
#[tokio::test(start_paused = true)]
async fn a_timeout_is_the_default_none_or_its_own() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    for (child, ends) in [
        (SubTurn::new("4"), true),
        (SubTurn::new("6"), false),
        (SubTurn::new("6").timeout(Duration::ZERO), false),
        (SubTurn::new("6").timeout(minutes(7)), true),
        (SubTurn::new("8").timeout(minutes(7)), false),
        (SubTurn::new("900").timeout(None), true),
    ] {
        let model = Player::new(move |first: String, n| async move {
            match (first.as_str(), n) {
                ("Root", 0) => calls("delegate", json!({})),
                ("Root", _) => ChatReply::text("done"),
                (length, _) => {
                    tokio::time::sleep(minutes(length.parse().unwrap())).await;
                    ChatReply::text("in time")
                }
            }
        });
        let (agent, _) = agent(&model, tools([child.clone()]), SubTurns::new());
        let outcome = agent.run(args!("Root")).await.unwrap();
        let found = outcome.steps()[0].result.content == "in time";
        assert_eq!(found, ends, "{child:?}: {}", outcome.steps()[0].result.content);
    }
}

/// [subturn 1] A name that the host has not registered is one for the parent's model to switch to,
/// if it can.
#[tokio::test]
async fn a_model_may_be_one_that_the_parents_can_switch_to() {
    #[derive(Clone, Debug)]
    struct Switching(Player, &'static str);

    impl ChatModel for Switching {
        fn name(&self) -> &str {
            self.1
        }

        fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
            self.0.chat(request)
        }

        fn switched(&self, model: &str) -> Option<Arc<dyn ChatModel>> {
            (model == "big").then(|| Arc::new(Self(self.0.clone(), "big")) as Arc<dyn ChatModel>)
        }
    }

    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("call_agent", json!({ "task": "x", "model": "big" })),
        ("Root", 1) => calls("call_agent", json!({ "task": "x", "model": "bigger" })),
        _ => ChatReply::text("done"),
    });
    let tools = AgentTools::new().may_choose_model().build();
    let tools = Toolbox::builder().with_all(tools).build().unwrap();
    let subturns = SubTurns::new().model("small", OfflineModel::new());
    let agent = ReActAutoma::new(Switching(model, "medium")).tools(tools).subturns(subturns);
    let outcome = agent.build().unwrap().run(args!("Root")).await.unwrap();
    let models: Vec<_> = outcome.children().iter().map(|child| child.model.as_str()).collect();
    assert_eq!(models, ["big"]);
    let told = &outcome.steps()[1].result.content;
    assert!(told.contains("there is no model `bigger`; there are: small"), "{told}");
}
