//! Mistakes of a model with child agents: each gets a message that it can use, and the limits of the
//! host hold whatever the model says.

use ddg_agentic::files::FileManager;
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, SubTurns};
use serde_json::{Value as Json, json};

use super::setup::{Heard, Player, calls};

/// Reads a file.
#[tool]
async fn read(file: ddg_agentic::files::File) -> String {
    file.filename().to_owned()
}

/// An agent whose model makes one call after another, and the recorder of its children's events.
fn agent(
    made: Vec<(&'static str, Json)>,
    files: FileManager,
) -> (TypedAutoma<AgentOutcome>, Heard) {
    let model = Player::new(move |first: String, n| {
        let call = (first == "Root").then(|| made.get(n).cloned()).flatten();
        async move {
            match call {
                Some((tool, arguments)) => calls(tool, arguments),
                None => ChatReply::text("done"),
            }
        }
    });
    let cook = ReActAutoma::new(Player::new(async |_: String, _| ChatReply::text("soup")));
    let heard = Heard::default();
    let subturns = heard.listen(SubTurns::new().agent("cook", "Cooks.", cook));
    let tools = Toolbox::builder().with_all(AgentTools::new().build()).with(read::tool());
    let tools = tools.build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).files(files).subturns(subturns);
    (agent.build().unwrap(), heard)
}

/// The results of these calls, each with whether it is an error.
async fn results(made: Vec<(&'static str, Json)>) -> Vec<(bool, String)> {
    results_with(made, FileManager::new()).await
}

async fn results_with(made: Vec<(&'static str, Json)>, files: FileManager) -> Vec<(bool, String)> {
    let (agent, _) = agent(made, files);
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert_eq!(outcome.text(), "done");
    let steps = outcome.steps().into_iter();
    steps.map(|step| (step.result.is_error, step.result.content)).collect()
}

/// The only result, which is an error.
async fn error(tool: &'static str, arguments: Json) -> String {
    let results = results(vec![(tool, arguments)]).await;
    let [(true, error)] = &results[..] else { panic!("{results:?}") };
    error.clone()
}

/// [subturn 6] A model that spawns in every turn has at most as many children at once as the host
/// allows, whatever it says; a refused one is a message that says what to do.
#[tokio::test(start_paused = true)]
async fn a_model_that_spawns_in_every_turn_is_held_to_the_slots() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0..=7) => calls("spawn_agent", json!({ "task": "wait" })),
        ("Root", _) => ChatReply::text("done"),
        _ => std::future::pending().await,
    });
    let tools = Toolbox::builder().with_all(AgentTools::new().build()).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools).subturns(SubTurns::new());
    let outcome = agent.build().unwrap().run(args!("Root")).await.unwrap();
    let steps = outcome.steps();
    let refused: Vec<_> = steps.iter().filter(|step| step.result.is_error).collect();
    assert_eq!((outcome.children().len(), refused.len()), (5, 3));
    for step in refused {
        let said = &step.result.content;
        assert!(said.contains("all 5 child agents of this turn were busy for 30s"), "{said}");
        assert!(said.contains("wait for one, or stop one"), "{said}");
    }
}

/// [subturn 1] [subturn 6] An agent that names itself as a child is no agent that is registered. It
/// is told which there are, and that it may leave the name out.
#[tokio::test]
async fn an_agent_that_spawns_itself_by_name_is_told_the_names() {
    let said = error("call_agent", json!({ "task": "x", "agent": "agent" })).await;
    assert!(said.contains("there is no agent `agent`; there are: cook"), "{said}");
}

/// [subturn 1] An unknown agent is an error that lists the known ones. Nothing has begun.
#[tokio::test]
async fn an_unknown_agent_is_told_the_known_ones() {
    let (agent, heard) =
        agent(vec![("spawn_agent", json!({ "task": "x", "agent": "baker" }))], FileManager::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let said = &outcome.steps()[0].result.content;
    assert!(said.contains("there is no agent `baker`; there are: cook"), "{said}");
    assert!(heard.words().is_empty() && outcome.children().is_empty());
}

/// [subturn 6] A model that asks for a child that has ended, or never was, is told so.
#[tokio::test]
async fn a_child_that_is_gone_is_said_to_be() {
    let made = vec![
        ("call_agent", json!({ "task": "x", "agent": "cook" })),
        ("stop_agent", json!({ "id": "subturn-1" })),
        ("stop_agent", json!({ "id": "subturn-2" })),
        ("list_agents", json!({})),
    ];
    let results = results(made).await;
    let expected = [
        (false, "soup"),
        (false, "subturn-1 had finished"),
        (true, "this turn has no child agent `subturn-2`: its children are subturn-1"),
    ];
    for ((is_error, said), (expected_error, expected)) in results.iter().zip(expected) {
        assert_eq!(*is_error, expected_error, "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let listed: serde_json::Value = serde_json::from_str(&results[3].1).unwrap();
    let child = &listed["begun"][0];
    assert_eq!((&child["id"], &child["state"]), (&json!("subturn-1"), &json!("finished")));
}

/// [subturn 6] A path, or nonsense, in the place of an id.
#[tokio::test]
async fn a_path_and_nonsense_are_no_ids_of_children() {
    for id in ["/etc/passwd", "../subturn-1", "subturn-01x", "", "\u{1b}[2J"] {
        let said = error("stop_agent", json!({ "id": id })).await;
        assert!(said.contains("this turn has no child agent"), "{said}");
    }
    let said = error("stop_agent", json!({ "child": 7 })).await;
    assert!(said.contains("id"), "{said}");
    let said = error("spawn_agent", json!({ "task": ["not a text"] })).await;
    assert!(said.contains("task"), "{said}");
}

/// [files 8] [files 13] The id of somebody else's file is an unknown id for the manager of this run.
#[tokio::test]
async fn a_file_of_somebody_else_is_unknown() {
    let (ours, theirs) = (FileManager::new(), FileManager::new());
    let mine = ours.create_from_bytes("a", "mine.txt").await.unwrap();
    let other = theirs.create_from_bytes("b", "secret.txt").await.unwrap();
    let read = |id: &str| ("read", json!({ "file": id }));
    let results = results_with(vec![read(mine.id()), read(other.id())], ours.clone()).await;
    assert_eq!(results[0], (false, "mine.txt".to_owned()));
    let (is_error, said) = &results[1];
    assert!(*is_error && said.contains(other.id()) && !said.contains("secret"), "{said}");
    ours.close().await.unwrap();
    theirs.close().await.unwrap();
}

/// [files 13] A path, or nonsense, in the place of a file's id is a message that says what an id is.
#[tokio::test]
async fn a_path_and_nonsense_are_no_ids_of_files() {
    for id in ["/etc/passwd", "../../etc/passwd", "file-local-", "file-local-nonsense", "", "\u{0}"]
    {
        let said = error("read", json!({ "file": id })).await;
        assert!(!said.contains("root:"), "{said}");
        assert!(said.contains("file"), "{said}");
    }
}
