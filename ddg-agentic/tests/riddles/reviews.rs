//! Gatekeepers, trials, and how riddles end without a solution.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ddg_agentic::riddles::agents::{AgentReply, agent_fn};
use ddg_agentic::riddles::{
    AgentMessage, Capability, Management, RiddleAgent, RiddleOutcome, RiddleSettings,
    RiddleSolution, RiddleState, SolutionCounting,
};
use tokio::time::{Instant, sleep};

use crate::place::{Place, messages, sent_to};

/// Solves with this text and the number of the trial.
fn solver(text: &'static str) -> impl RiddleAgent {
    agent_fn([Capability::Solve], move |mut response: AgentMessage, _| {
        let trial = response.status.trial;
        response.solution.push(RiddleSolution::new(format!("{text} {trial}"), "because"));
        std::future::ready(Ok(response.into()))
    })
}

/// Accepts the solutions for which this is true.
fn gate(accepts: impl Fn(&str) -> bool + Send + Sync + Clone + 'static) -> impl RiddleAgent {
    agent_fn([Capability::Gatekeeper], move |mut response: AgentMessage, _| {
        for solution in &mut response.solution {
            solution.accepted = accepts(&solution.solution);
            solution.review = Some(format!("{} is {}", solution.solution, solution.accepted));
        }
        std::future::ready(Ok(response.into()))
    })
}

async fn ended(management: &Management, riddle: AgentMessage) -> RiddleOutcome {
    management.pose(riddle.id("a")).await.expect("posed").outcome().await.expect("it ends")
}

fn reason(outcome: &RiddleOutcome) -> &str {
    assert_eq!(outcome.state, RiddleState::Unsolved);
    outcome.reason.as_deref().expect("an unsolved riddle says why")
}

/// [riddles 7]
#[tokio::test]
async fn a_riddle_is_posed_again_with_its_rejected_solutions_and_their_reviews() {
    let place = Place::new();
    let builder = place.management().agent("s", solver("try"));
    let management = builder.agent("g", gate(|text| text == "try 2")).build().await.expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!((outcome.answer(), outcome.trial), (Some("try 2"), 2));
    let before: Vec<_> = outcome.message.riddle.solutions_before.iter().collect();
    let reviews = before.iter().map(|solution| solution.review.as_deref().expect("a review"));
    assert_eq!(reviews.collect::<Vec<_>>(), ["try 0 is false", "try 1 is false"]);
    let log = messages(&management, "a").await;
    let known = sent_to(&log, "s").into_iter().map(|sent| {
        assert_eq!(sent.message.solution, []);
        (sent.message.status.trial, sent.message.riddle.solutions_before.len())
    });
    assert_eq!(known.collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2)]);
}

/// [riddles 7] [riddles 13]
#[tokio::test]
async fn the_trials_are_limited() {
    let place = Place::new();
    let builder = place.management().agent("s", solver("try")).agent("g", gate(|_| false));
    let management = builder.build().await.expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!(reason(&outcome), "the limit of trials is reached: 5 were rejected");
    assert_eq!(sent_to(&messages(&management, "a").await, "s").len(), 5);
}

/// [riddles 11] [riddles 13]
#[tokio::test]
async fn the_hops_are_limited() {
    let place = Place::new();
    let management = place
        .management()
        .agent("s", solver("try"))
        .agent("g", gate(|_| false))
        .settings(RiddleSettings::default().max_contacts(10).max_trials(100))
        .build()
        .await
        .expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!(reason(&outcome), "the limit of contacts is reached: 10 hops led to this message");
}

/// [riddles 10]
#[tokio::test]
async fn a_riddle_that_nobody_reviews_is_unreviewed() {
    let place = Place::new();
    let management = place.management().agent("s", solver("try")).build().await.expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!(reason(&outcome), "unreviewed: no gatekeeper has answered");
    assert_eq!(outcome.message.solution.len(), 1, "what was found is kept");

    let stops = agent_fn([Capability::Gatekeeper], async |_, _| Ok(AgentReply::Stop));
    let builder = place.management().agent("s", solver("try")).agent("g", stops);
    let management = builder.build().await.expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!(reason(&outcome), "unreviewed: no gatekeeper has answered");
    assert_eq!(outcome.missing, ["review of trial 0 by `g`: the agent has stopped"]);
}

/// [riddles 10]
#[tokio::test]
async fn one_gatekeeper_accepts_unless_another_rejects() {
    for (first, second, solved) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
    {
        let place = Place::new();
        let management = place
            .management()
            .agent("s", solver("try"))
            .agent("g", gate(move |_| first))
            .agent("h", gate(move |_| second))
            .settings(RiddleSettings::default().max_trials(1))
            .build()
            .await
            .expect("built");
        let outcome = ended(&management, AgentMessage::new("?")).await;
        assert_eq!(outcome.state == RiddleState::Solved, solved, "{first} {second}");
        let review = outcome.message.solution[0].review.as_deref();
        assert_eq!(review, Some(&*format!("g: try 0 is {first}\nh: try 0 is {second}")));
    }
}

/// [riddles 10]
#[tokio::test(start_paused = true)]
async fn with_full_solving_the_gatekeeper_gets_all_solutions_at_once() {
    for full in [false, true] {
        let place = Place::new();
        let slow = agent_fn([Capability::Solve], async |mut response: AgentMessage, _| {
            sleep(Duration::from_secs(5)).await;
            response.solution.push(RiddleSolution::new("slow", ""));
            Ok(response.into())
        });
        let management = place
            .management()
            .agent("slow", slow)
            .agent("quick", solver("quick"))
            .agent("g", gate(|_| true))
            .settings(RiddleSettings::default().require_full_solve(full))
            .build()
            .await
            .expect("built");
        let outcome = ended(&management, AgentMessage::new("?")).await;
        let log = messages(&management, "a").await;
        let bundle = sent_to(&log, "g")[0].message.solution.iter().map(|found| &*found.solution);
        let bundle: Vec<_> = bundle.collect();
        if full {
            // In the order of declaration; the first accepted one solves.
            assert_eq!(bundle, ["slow", "quick 0"]);
            assert_eq!(outcome.answer(), Some("slow"));
        } else {
            assert_eq!(bundle, ["quick 0"]);
            assert_eq!(outcome.answer(), Some("quick 0"));
        }
    }
}

/// [riddles 10]
#[tokio::test(start_paused = true)]
async fn solvers_that_agree_leave_distinct_solutions_short_until_the_deadline() {
    for (counting, seconds) in [(SolutionCounting::Agent, 0), (SolutionCounting::Distinct, 300)] {
        let place = Place::new();
        let management = place
            .management()
            .agent("s", solver("same"))
            .agent("t", solver("same"))
            .agent("g", gate(|_| true))
            .settings(RiddleSettings::default().require_full_solve(true).counting(counting))
            .build()
            .await
            .expect("built");
        let began = Instant::now();
        let outcome = ended(&management, AgentMessage::new("?")).await;
        assert_eq!(outcome.answer(), Some("same 0"));
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}

/// [riddles 2]
#[tokio::test]
async fn stages_that_are_not_required_are_left_out() {
    let place = Place::new();
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counts = {
        let n_asked = Arc::clone(&n_asked);
        gate(move |_| {
            n_asked.fetch_add(1, Ordering::Relaxed);
            false
        })
    };
    let builder = place.management().agent("s", solver("try")).agent("g", counts);
    let management = builder.build().await.expect("built");
    let outcome = ended(&management, AgentMessage::new("?").required(true, true, false)).await;
    assert_eq!(outcome.answer(), Some("try 0"), "without validation the first solution solves");
    assert_eq!(n_asked.load(Ordering::Relaxed), 0);
}

/// [riddles 4]
#[tokio::test(start_paused = true)]
async fn an_answer_to_a_solved_riddle_is_kept_as_late_and_reopens_nothing() {
    let place = Place::new();
    let held = agent_fn([Capability::Solve], async |response: AgentMessage, cx| {
        let kept = cx.shared().path().join("held.json");
        let held = serde_json::to_vec(&cx.held(&response)).expect("it is JSON");
        std::fs::write(kept, held).expect("written");
        Ok(AgentReply::Hold)
    });
    let management = place
        .management()
        .agent("slow", held)
        .agent("quick", solver("quick"))
        .agent("g", gate(|_| true))
        .build()
        .await
        .expect("built");
    let outcome = ended(&management, AgentMessage::new("?")).await;
    assert_eq!(outcome.answer(), Some("quick 0"));
    let held = std::fs::read(place.path().join("held.json")).expect("it was held");
    let held: ddg_agentic::riddles::HeldResponse = serde_json::from_slice(&held).expect("JSON");
    let receipt = management.send_held(held.clone()).await.expect("it is kept");
    assert_eq!(receipt, ddg_agentic::riddles::Receipt::Late);
    assert_eq!(management.riddle("a").await.expect("known"), outcome);
    assert_eq!(messages(&management, "a").await.last().expect("one").stage, "late");
    management.send_held(held).await.expect_err("it is sent once");
}
