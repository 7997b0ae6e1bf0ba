//! Responses that are sent later.

use std::sync::{Arc, Mutex};

use ddg_agentic::riddles::agents::{AgentReply, agent_fn};
use ddg_agentic::riddles::{
    AgentMessage, Capability, HeldResponse, Management, RiddleAgent, RiddleSolution, RiddleStore,
};
use tokio::sync::Notify;

use crate::place::Place;

type Kept = Arc<(Mutex<Vec<String>>, Notify)>;

/// A solver that holds its answer, as JSON.
fn holds(kept: &Kept) -> impl RiddleAgent {
    let kept = Arc::clone(kept);
    agent_fn([Capability::Solve], move |mut response: AgentMessage, cx| {
        response.solution.push(RiddleSolution::new("slept over it", ""));
        let held = serde_json::to_string(&cx.held(&response)).expect("it is JSON");
        kept.0.lock().expect("no panic").push(held);
        kept.1.notify_one();
        std::future::ready(Ok(AgentReply::Hold))
    })
}

fn accepts() -> impl RiddleAgent {
    agent_fn([Capability::Gatekeeper], async |mut response: AgentMessage, _| {
        response.solution.iter_mut().for_each(|solution| solution.accepted = true);
        Ok(response.into())
    })
}

async fn management(place: &Place, kept: &Kept) -> Management {
    let store = RiddleStore::open(place.path().join("riddles.db")).await.expect("a database");
    let builder = place.management().store(store).agent("s", holds(kept)).agent("g", accepts());
    builder.build().await.expect("a management")
}

/// [riddles 4] [riddles 12]
#[tokio::test]
async fn a_held_response_survives_a_restart_and_is_sent_once() {
    let place = Place::new();
    let kept = Kept::default();
    let before = management(&place, &kept).await;
    before.pose(AgentMessage::new("?").id("a")).await.expect("it is posed");
    kept.1.notified().await;
    drop(before);

    let after = management(&place, &kept).await;
    let held = kept.0.lock().expect("no panic").pop().expect("one was held");
    let held: HeldResponse = serde_json::from_str(&held).expect("it is JSON");
    after.send_held(held.clone()).await.expect("it is taken");
    let outcome = after.outcome("a").await.expect("it ends");
    assert_eq!(outcome.answer(), Some("slept over it"));
    let error = after.send_held(held).await.expect_err("it was sent");
    assert_eq!(
        error.to_string(),
        "message 2 has been answered before: a held response is sent once"
    );
    assert!(kept.0.lock().expect("no panic").is_empty(), "the agent was asked once");
}
