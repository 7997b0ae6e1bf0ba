//! When solvers are asked: after each extraction, or when all are there.

use std::time::Duration;

use ddg_agentic::riddles::agents::agent_fn;
use ddg_agentic::riddles::{
    AgentMessage, Capability, DataType, ManagementBuilder, RiddleOutcome, RiddleSettings,
    RiddleSolution,
};
use ddg_core::WorkerError;
use tokio::time::{Instant, sleep};

use crate::place::{Place, messages, sent_to};

/// Extractors that take 1, 2 and 3 seconds, and a solver that says how much it was given.
fn agents(builder: ManagementBuilder) -> ManagementBuilder {
    let mut builder = builder;
    for seconds in [3, 1, 2] {
        let extractor = agent_fn(
            [Capability::extract_all()],
            move |mut response: AgentMessage, cx| async move {
                sleep(Duration::from_secs(seconds)).await;
                let path = cx.write_extraction(&format!("{seconds} s"))?;
                response.data[cx.item().expect("an item")].file_extracted = Some(path);
                Ok(response.into())
            },
        );
        builder = builder.agent(format!("takes_{seconds}"), extractor);
    }
    let solver = agent_fn([Capability::Solve], async |mut response: AgentMessage, cx| {
        let texts = cx.extractions(&response)?.join(", ");
        response.solution.push(RiddleSolution::new(texts, ""));
        Ok(response.into())
    });
    builder.agent("solver", solver)
}

/// Accepts a solution made of this many extractions.
fn accepts(n: usize) -> impl ddg_agentic::riddles::RiddleAgent {
    agent_fn([Capability::Gatekeeper], move |mut response: AgentMessage, _| {
        for solution in &mut response.solution {
            solution.accepted = solution.solution.split(", ").count() >= n;
        }
        std::future::ready(Ok(response.into()))
    })
}

async fn solved(settings: RiddleSettings, n: usize) -> (RiddleOutcome, Vec<usize>, Duration) {
    let place = Place::with_numbers();
    let builder = agents(place.management()).agent("gate", accepts(n)).settings(settings);
    let management = builder.build().await.expect("a management");
    let riddle = AgentMessage::new("how long?").id("a").data(DataType::Text, "x.txt");
    let began = Instant::now();
    let outcome = management.pose(riddle).await.expect("posed").outcome().await.expect("it ends");
    let took = began.elapsed();
    let log = messages(&management, "a").await;
    let n_extracted = sent_to(&log, "solver")
        .into_iter()
        .map(|sent| sent.message.data.iter().filter(|data| data.file_extracted.is_some()).count());
    (outcome, n_extracted.collect(), took)
}

/// [riddles 9] [riddles 8]
#[tokio::test(start_paused = true)]
async fn solvers_are_asked_after_each_extraction_each_time_with_more() {
    let (outcome, n_extracted, took) = solved(RiddleSettings::default(), 3).await;
    // By agent in the order of their declaration, whichever was quicker.
    assert_eq!(outcome.answer(), Some("3 s, 1 s, 2 s"));
    assert_eq!(n_extracted, [1, 2, 3]);
    assert_eq!(took.as_secs(), 3);

    let (outcome, n_extracted, took) = solved(RiddleSettings::default(), 1).await;
    assert_eq!(outcome.answer(), Some("1 s"));
    assert_eq!((n_extracted.as_slice(), took.as_secs()), ([1].as_slice(), 1));
}

/// [riddles 9]
#[tokio::test(start_paused = true)]
async fn solvers_are_asked_once_when_all_extractions_are_there() {
    let settings = RiddleSettings::default().require_full_extract(true);
    let (outcome, n_extracted, took) = solved(settings, 1).await;
    assert_eq!(outcome.answer(), Some("3 s, 1 s, 2 s"));
    assert_eq!((n_extracted.as_slice(), took.as_secs()), ([3].as_slice(), 3));
}

/// [riddles 9] [riddles 13]
#[tokio::test(start_paused = true)]
async fn an_agent_that_is_past_its_deadline_abstains() {
    let seconds = |n: u64| Duration::from_millis(n * 1000 + 500);
    let settings = RiddleSettings::default().require_full_extract(true).deadlines(
        seconds(2),
        seconds(300),
        seconds(300),
    );
    let (outcome, n_extracted, took) = solved(settings, 1).await;
    assert_eq!(outcome.answer(), Some("1 s, 2 s"));
    // After 2.5 s, less the real time since the deadline was set, which is one of the real clock.
    assert_eq!((n_extracted.as_slice(), took.as_secs()), ([2].as_slice(), 2));
    assert_eq!(
        outcome.missing,
        ["extraction of item 0 (text `x.txt`) by `takes_3`: its deadline has passed"]
    );
}

/// [riddles 5] [riddles 9]
#[tokio::test(start_paused = true)]
async fn solvers_are_asked_once_with_nothing_if_all_extractors_abstain() {
    for full in [false, true] {
        let place = Place::with_numbers();
        let solver = agent_fn([Capability::Solve], async |mut response: AgentMessage, _| {
            response.solution.push(RiddleSolution::new("a guess", ""));
            Ok(response.into())
        });
        let management = place
            .management()
            .agent(
                "dirty",
                agent_fn([Capability::extract_all()], async |_, _| {
                    Err(WorkerError::msg("the lens is dirty"))
                }),
            )
            .agent("panics", agent_fn([Capability::extract_all()], async |_, _| panic!("no lens")))
            .agent("solver", solver)
            .agent("gate", accepts(1))
            .settings(RiddleSettings::default().require_full_extract(full))
            .build()
            .await
            .expect("a management");
        let riddle = AgentMessage::new("what?").id("a").data(DataType::Image, "x.txt");
        let outcome =
            management.pose(riddle).await.expect("posed").outcome().await.expect("it ends");
        assert_eq!(outcome.answer(), Some("a guess"));
        assert_eq!(sent_to(&messages(&management, "a").await, "solver").len(), 1);
        assert_eq!(
            outcome.missing,
            [
                "extraction of item 0 (image `x.txt`) by `dirty`: the lens is dirty",
                "extraction of item 0 (image `x.txt`) by `panics`: it panicked: no lens",
            ]
        );
    }
}
