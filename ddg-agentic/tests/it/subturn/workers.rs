//! Workers of automata that are tools of an agent begin children, too.

use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurns, Turn};
use ddg_agentic::tool::AutomaTool;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::setup::{Player, agent, calls};

#[derive(Clone, Serialize, Deserialize, ddg_agentic::schemars::JsonSchema)]
struct Topic {
    /// What to find out about.
    topic: String,
}

/// Has a child find out, in a `#[worker]`.
struct Research;

#[automa]
impl Research {
    #[worker(start)]
    async fn ask(&self, #[context] turn: Turn, topic: String) -> Result<String, WorkerError> {
        Ok(turn.call(SubTurn::new(topic)).await?.text())
    }

    #[worker(dependencies = [ask])]
    fn count(found: String, #[context] turn: &Turn, cx: &Context) {
        let n = turn.children().len();
        cx.ferry_to(Self::SAY, (found, n));
    }

    #[worker(output)]
    async fn say(&self, found: String, n: usize, cx: &Context) -> Result<String, WorkerError> {
        assert_eq!(Turn::of(cx)?.children().len(), n);
        Ok(format!("{found} ({n} child)"))
    }
}

/// [subturn 6] A function and a worker of a block take the turn as a parameter, which is not an
/// argument: neither by position, nor of a ferry.
#[tokio::test]
async fn a_worker_takes_the_turn_as_a_parameter() {
    let model = Player::new(async |first: String, n| match (first.as_str(), n) {
        ("Root", 0) => calls("research", json!({ "topic": "tea" })),
        ("Root", 1) => calls("look", json!({ "topic": "coffee" })),
        ("Root", _) => ChatReply::text("done"),
        (topic, _) => ChatReply::text(format!("all about {topic}")),
    });
    let mut look = GraphAutoma::new("look");
    let ask = async |turn: Turn, topic: String| {
        Ok::<_, WorkerError>(turn.call(SubTurn::new(topic)).await?.text())
    };
    look.add_func_as_worker("ask", ask, start().params(["topic"]).output()).unwrap();
    let research =
        AutomaTool::new::<Topic>("research", "Finds out.", Research.build().unwrap().into_graph());
    let look = AutomaTool::new::<Topic>("look", "Looks.", look);
    let tools = Toolbox::builder().with(research).with(look).build().unwrap();
    let (agent, _) = agent(&model, tools, SubTurns::new());
    let outcome = agent.run(args!("Root")).await.unwrap();
    let results: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(results, ["all about tea (1 child)", "all about coffee"]);
    assert_eq!(outcome.children().len(), 2);
}

/// [subturn 1] Outside of a turn the parameter is there, and its methods fail.
#[tokio::test]
async fn outside_of_a_turn_the_methods_fail() {
    let mut plain = GraphAutoma::new("plain");
    let ask = async |x: u32, turn: Turn| {
        assert_eq!(turn.call(SubTurn::new("x")).await, Err(SubTurnError::OutsideTurn));
        assert!(matches!(turn.spawn(SubTurn::new("x")).await, Err(SubTurnError::OutsideTurn)));
        assert_eq!(turn.results().map(|results| results.len()), Err(SubTurnError::OutsideTurn));
        assert!(turn.children().is_empty());
        x
    };
    plain.add_func_as_worker("ask", ask, start().output()).unwrap();
    assert_eq!(plain.run(args!(7)).output::<u32>().await.unwrap(), 7);
}
