//! The tools with which models begin child agents, and how mistakes of a model are handled.

use std::collections::BTreeSet;

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{AgentTools, SubTurns};
use serde_json::json;

use super::setup::{Player, agent, calls};

fn tools() -> Toolbox {
    Toolbox::builder().with_all(AgentTools::new().build()).build().unwrap()
}

/// [subturn 6] A model spawns an agent by name, lists its children, and stops one.
#[tokio::test]
async fn a_model_spawns_lists_and_stops() {
    let cook = ReActAutoma::new(Player::new(async |_: String, _| std::future::pending().await));
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("spawn_agent", json!({ "task": "Cook.", "agent": "cook" })),
        ("Root", 1) => calls("list_agents", json!({})),
        ("Root", 2) => calls("stop_agent", json!({ "id": "subturn-1" })),
        _ => ChatReply::text("done"),
    });
    let subturns = SubTurns::new().agent("cook", "Cooks.", cook).wait_for_results();
    let (agent, _) = agent(&model, tools(), subturns);
    let outcome = agent.run(args!("Root")).await.unwrap();
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    let [begun, listed, stopped] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!((&**begun, &**stopped), ("subturn-1 has begun", "subturn-1 is being stopped"));
    // The order of keys depends on a feature of `serde_json`, which other crates may turn on.
    let listed: serde_json::Value = serde_json::from_str(listed).unwrap();
    let child = json!({ "agent": "cook", "id": "subturn-1", "state": "running" });
    let agents = json!([{ "agent": "cook", "use": "Cooks." }]);
    assert_eq!(listed, json!({ "agents": agents, "begun": [child] }));
    let texts: Vec<_> = outcome.conversation.messages.iter().map(Message::text).collect();
    assert!(texts.contains(&"[subturn-1 (cook) stopped] the child agent was stopped".to_owned()));
}

/// [subturn 6] An option that the host does not allow is not in the schema, and is refused.
#[tokio::test]
async fn a_model_says_only_what_the_host_allows() {
    let properties = |tools: AgentTools| {
        let spec = tools.build()[0].spec().clone();
        let properties = spec.parameters["properties"].as_object().unwrap().clone();
        properties.keys().cloned().collect::<BTreeSet<_>>()
    };
    let names = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    };
    assert_eq!(properties(AgentTools::new()), names(&["agent", "task"]));
    let all = AgentTools::new().may_choose_model().may_choose_tools();
    let all = all.may_be_critical().may_set_timeout();
    let all_names = ["agent", "critical", "model", "task", "timeout_s", "tools"];
    assert_eq!(properties(all), names(&all_names));

    let model = Player::new(async |_: String, n| match n {
        0 => calls("call_agent", json!({ "task": "x", "model": "huge" })),
        1 => calls("call_agent", json!({ "task": "x", "agent": "nobody" })),
        2 => calls("stop_agent", json!({ "id": "/etc/passwd" })),
        _ => ChatReply::text("done"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    assert!(heard.words().is_empty());
    for step in outcome.steps() {
        assert!(step.result.is_error, "{}", step.result.content);
    }
}

/// [subturn 1] [subturn 2] A model that spawns itself in every turn is stopped by the limits. At
/// the deepest level it has all tools but those that begin agents. (Field report: children had no
/// tools.)
#[tokio::test]
async fn a_model_that_spawns_in_every_turn_comes_to_an_end() {
    let model = Player::new(async |_: String, n| match n {
        0..=2 => calls("call_agent", json!({ "task": "Again." })),
        _ => ChatReply::text("enough"),
    });
    let (agent, heard) = agent(&model, tools(), SubTurns::new());
    let outcome = agent.run(args!("Again.")).await.unwrap();
    assert_eq!(outcome.text(), "enough");
    let spawned = heard.words().iter().filter(|word| word.contains("spawned")).count();
    assert_eq!(spawned, 3 + 3 * 3 + 3 * 3 * 3);
    let offered = |request: &ChatRequest| request.tools.len();
    let fewest = model.requests().iter().map(offered).min();
    assert_eq!(fewest, Some(2), "list_agents and stop_agent are left");
}
