//! Riddles that agents pose for their riddles.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ddg_agentic::riddles::agents::{AgentReply, agent_fn};
use ddg_agentic::riddles::{
    AgentMessage, Capability, Riddle, RiddleAgent, RiddleSolution, RiddleState,
};

use crate::place::Place;

fn accepts() -> impl RiddleAgent {
    agent_fn([Capability::Gatekeeper], async |mut response: AgentMessage, _| {
        response.solution.iter_mut().for_each(|solution| solution.accepted = true);
        Ok(response.into())
    })
}

fn question(text: &str) -> Riddle {
    AgentMessage::new(text).riddle
}

/// [riddles 6]
#[tokio::test]
async fn the_author_of_a_sub_riddle_solves_it_itself_while_its_riddle_waits() {
    let place = Place::new();
    let solver = agent_fn([Capability::Solve], async |mut response: AgentMessage, cx| {
        let found = if response.riddle.question == "half" {
            "21".to_owned()
        } else {
            let half = cx.sub_riddle(question("half"), None).await?;
            let half = half.outcome().await?;
            let half: u32 = half.answer().expect("it is solved").parse().expect("a number");
            (half * 2).to_string()
        };
        response.solution.push(RiddleSolution::new(found, ""));
        Ok(response.into())
    });
    let builder = place.management().agent("s", solver).agent("g", accepts());
    let management = builder.build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("whole").id("a")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.answer(), Some("42"));
    let below = management.riddle("a-1").await.expect("the sub-riddle is known");
    assert_eq!((below.state, below.answer()), (RiddleState::Solved, Some("21")));
    assert_eq!(outcome.message.sub_ids, ["a-1"]);
}

/// [riddles 6] An author may have posed a riddle under the id that a sub-riddle would get.
#[tokio::test]
async fn a_sub_riddle_does_not_get_the_id_of_another_riddle() {
    let place = Place::new();
    let solver = agent_fn([Capability::Solve], async |mut response: AgentMessage, cx| {
        let found = if response.riddle.question == "whole" {
            let half = cx.sub_riddle(question("half"), None).await?;
            half.outcome().await?.answer().expect("it is solved").to_owned()
        } else {
            response.riddle.question.clone()
        };
        response.solution.push(RiddleSolution::new(found, ""));
        Ok(response.into())
    });
    let builder = place.management().agent("s", solver).agent("g", accepts());
    let management = builder.build().await.expect("a management");
    let other = management.pose(AgentMessage::new("other").id("a-1")).await.expect("posed");
    assert_eq!(other.outcome().await.expect("it ends").answer(), Some("other"));
    let riddle = management.pose(AgentMessage::new("whole").id("a")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.answer(), Some("half"));
    assert_eq!(outcome.message.sub_ids, ["a-2"]);
}

/// [riddles 6]
#[tokio::test]
async fn a_solver_that_makes_a_sub_riddle_of_every_riddle_is_stopped_by_the_depth() {
    let place = Place::new();
    let n = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&n);
    let solver = agent_fn([Capability::Solve], move |response: AgentMessage, cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let below = cx.sub_riddle(response.riddle.clone(), None).await?;
            below.outcome().await?;
            Ok(AgentReply::Stop)
        }
    });
    let builder = place.management().agent("s", solver).agent("g", accepts());
    let management = builder.build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("?").id("a")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.reason.as_deref(), Some("no solution"));
    // The riddle, and three below it.
    assert_eq!(n.load(Ordering::Relaxed), 4);
    let deepest = management.riddle("a-1-1-1").await.expect("known");
    assert_eq!(
        deepest.missing,
        [
            "solution of trial 0 by `s`: riddle `a-1-1-1` gets no sub-riddle: sub-riddles may be 3 deep"
        ]
    );
}

/// [riddles 6]
#[tokio::test]
async fn a_riddle_has_a_limited_number_of_sub_riddles_which_end_with_it() {
    let place = Place::new();
    let solver = agent_fn([Capability::Solve], async |mut response: AgentMessage, cx| {
        if response.id != "a" {
            // Never answered: given up with its riddle.
            return Ok(AgentReply::Hold);
        }
        let mut n = 0;
        let refused = loop {
            match cx.sub_riddle(question("?"), None).await {
                Ok(_) => n += 1,
                Err(refused) => break refused,
            }
        };
        response.solution.push(RiddleSolution::new(n.to_string(), refused.to_string()));
        Ok(response.into())
    });
    let builder = place.management().agent("s", solver).agent("g", accepts());
    let management = builder.build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("?").id("a")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.answer(), Some("10"));
    let why = &outcome.solution.as_ref().expect("solved").explanation;
    assert_eq!(why, "riddle `a` gets no sub-riddle: a riddle may have 10 sub-riddles");
    for n in 1..=10 {
        let below = management.outcome(&format!("a-{n}")).await.expect("it ends");
        assert_eq!(below.reason.as_deref(), Some("given up: riddle `a` has ended"));
    }
}

/// [riddles 4] [riddles 6] The response to the parent is held; the author of the sub-riddle solves it
/// meanwhile, and the held response is sent with what came of it.
#[tokio::test]
async fn a_sub_riddle_is_solved_by_its_author_while_the_parent_is_held() {
    let place = Place::new();
    let (holding, mut held) = tokio::sync::mpsc::unbounded_channel();
    let solver = agent_fn([Capability::Solve], move |mut response: AgentMessage, cx| {
        let holding = holding.clone();
        async move {
            if response.riddle.question == "half" {
                response.solution.push(RiddleSolution::new("21", ""));
                return Ok(response.into());
            }
            let half = cx.sub_riddle(question("half"), None).await?;
            holding.send((cx.held(&response), half)).expect("the test waits for it");
            Ok(AgentReply::Hold)
        }
    });
    let builder = place.management().agent("s", solver).agent("g", accepts());
    let management = builder.build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("whole").id("a")).await.expect("posed");
    let (mut response, half) = held.recv().await.expect("it is held");
    let half = half.outcome().await.expect("it ends");
    assert_eq!((&*half.id, half.answer()), ("a-1", Some("21")));
    let now = management.riddle("a").await.expect("it is known");
    assert_eq!(now.state, RiddleState::Running, "the parent waits");
    response.response_mut().solution.push(RiddleSolution::new("42", "twice the half"));
    management.send_held(response).await.expect("it is taken");
    assert_eq!(riddle.outcome().await.expect("it ends").answer(), Some("42"));
}
