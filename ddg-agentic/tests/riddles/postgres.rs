//! Riddles in a PostgreSQL database, and several managements on one.

#[path = "../../../ddg-core/tests/stores/setup/postgres.rs"]
#[expect(dead_code, reason = "the tests of stores need more of it")]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod database;

use std::sync::{Arc, Mutex};

use database::Database;
use ddg_agentic::riddles::agents::{AgentReply, agent_fn};
use ddg_agentic::riddles::{
    AgentMessage, Capability, HeldResponse, Management, RiddleAgent, RiddleSolution, RiddleStore,
};
use tokio::sync::Notify;

use crate::place::{Place, calculation, messages};

async fn store(database: &Database) -> RiddleStore {
    RiddleStore::connect(database.url()).await.expect("a database")
}

/// [riddles 12] [riddles 14]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calculator_solves_a_riddle_in_postgres_and_the_next_process_knows_it() {
    let Some(database) = Database::new().await else { return };
    let place = Place::with_numbers();
    let builder = place.calculator().store(store(&database).await);
    let management = builder.build().await.expect("a management");
    let riddle = management.pose(calculation().id("a")).await.expect("it is posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.answer(), Some("150"), "{outcome:#?}");
    let log = messages(&management, "a").await;
    drop((riddle, management));

    let builder = place.calculator().store(store(&database).await);
    let management = builder.build().await.expect("a management");
    assert_eq!(management.riddle("a").await.expect("it is known"), outcome);
    assert_eq!(messages(&management, "a").await, log);
    let age = std::time::Duration::ZERO;
    // Written within this millisecond, it is not older than now.
    while management.delete_older_than(age).await.expect("it is deleted").is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(management.riddles().await.expect("the log is read"), []);
    drop(management);
    database.drop().await;
}

type Kept = Arc<(Mutex<Vec<HeldResponse>>, Notify)>;

fn holds(kept: &Kept) -> impl RiddleAgent {
    let kept = Arc::clone(kept);
    agent_fn([Capability::Solve], move |mut response: AgentMessage, cx| {
        response.solution.push(RiddleSolution::new("slept over it", ""));
        kept.0.lock().expect("no panic").push(cx.held(&response));
        kept.1.notify_one();
        std::future::ready(Ok(AgentReply::Hold))
    })
}

async fn holding(place: &Place, database: &Database, kept: &Kept) -> Management {
    let builder = place.management().store(store(database).await).agent("s", holds(kept));
    builder.build().await.expect("a management")
}

/// [riddles 4] [riddles 12]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_response_in_postgres_survives_a_restart_and_is_sent_once() {
    let Some(database) = Database::new().await else { return };
    let (place, kept) = (Place::new(), Kept::default());
    let before = holding(&place, &database, &kept).await;
    let riddle = AgentMessage::new("?").id("a").required(false, true, false);
    before.pose(riddle).await.expect("it is posed");
    kept.1.notified().await;
    drop(before);

    let after = holding(&place, &database, &kept).await;
    let held = kept.0.lock().expect("no panic").pop().expect("one was held");
    after.send_held(held.clone()).await.expect("it is taken");
    let outcome = after.outcome("a").await.expect("it ends");
    assert_eq!(outcome.answer(), Some("slept over it"));
    let error = after.send_held(held).await.expect_err("it was sent").to_string();
    assert!(error.ends_with("has been answered before: a held response is sent once"), "{error}");
    drop(after);
    database.drop().await;
}

/// [riddles 12] One management of a database runs a riddle. The other one accepts answers to it,
/// publishes its end, and continues it when the first one is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_managements_share_a_database() {
    let Some(database) = Database::new().await else { return };
    let (place, kept, kept_elsewhere) = (Place::new(), Kept::default(), Kept::default());
    let one = holding(&place, &database, &kept).await;
    for id in ["a", "b"] {
        let riddle = AgentMessage::new("?").id(id).required(false, true, false);
        one.pose(riddle).await.expect("it is posed");
        kept.1.notified().await;
    }
    // It finds both riddles, whose runs the first one has.
    let two = holding(&place, &database, &kept_elsewhere).await;
    let mut held = std::mem::take(&mut *kept.0.lock().expect("no panic"));
    two.send_held(held.remove(0)).await.expect("it is taken");
    for management in [&one, &two] {
        let outcome = management.outcome("a").await.expect("it ends");
        assert_eq!(outcome.answer(), Some("slept over it"), "{outcome:#?}");
    }

    drop(one);
    two.send_held(held.remove(0)).await.expect("it is taken");
    let outcome = two.outcome("b").await.expect("it ends");
    assert_eq!(outcome.answer(), Some("slept over it"), "{outcome:#?}");
    assert!(kept_elsewhere.0.lock().expect("no panic").is_empty(), "the agent was asked once");
    drop(two);
    database.drop().await;
}

/// [riddles 12] A database that is away for a moment ends no riddle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn riddles_survive_sessions_that_are_cut() {
    let Some(database) = Database::new().await else { return };
    let place = Place::with_numbers();
    let builder = place.calculator().store(store(&database).await);
    let management = builder.build().await.expect("a management");
    let mut ends = tokio::task::JoinSet::new();
    for n in 0..10 {
        // As a client does, which does not know whether its riddle was taken.
        let riddle = loop {
            match management.pose(calculation().id(format!("r{n}"))).await {
                Ok(riddle) => break riddle,
                Err(error) => assert!(error.to_string().contains("cannot be posed"), "{error}"),
            }
        };
        ends.spawn(async move {
            loop {
                match riddle.outcome().await {
                    Ok(outcome) => return outcome,
                    Err(error) => assert!(error.to_string().contains("cannot be read"), "{error}"),
                }
            }
        });
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        database::execute(database.url(), cut).await;
    }
    while let Some(outcome) = ends.join_next().await {
        let outcome = outcome.expect("no panic");
        assert_eq!(outcome.answer(), Some("150"), "{outcome:#?}");
    }
    for n in 0..10 {
        let log = messages(&management, &format!("r{n}")).await;
        assert_eq!(log.iter().filter(|message| message.stage == "ended").count(), 1, "{log:#?}");
    }
    drop(management);
    database.drop().await;
}
