//! Three text files with numbers, a question in letters: extract, solve, accept.

use ddg_agentic::riddles::{AgentMessage, DataType, RiddleState, RiddleStore};

use crate::place::{Place, calculation, messages, sent_to};

/// [riddles 7] [riddles 8] [riddles 12] [riddles 15]
#[tokio::test]
async fn the_calculator_solves_a_riddle_of_three_files() {
    let place = Place::with_numbers();
    let management = place.calculator().build().await.expect("a management");
    let riddle = management.pose(calculation().id("a")).await.expect("it is posed");
    let outcome = riddle.outcome().await.expect("it ends");

    assert_eq!(outcome.state, RiddleState::Solved, "{outcome:#?}");
    assert_eq!(outcome.answer(), Some("150"));
    assert_eq!((outcome.reason, outcome.missing.len(), outcome.trial), (None, 0, 0));
    let message = outcome.message;
    assert!(message.status.solved && message.solution[0].accepted);
    let texts = message.data.iter().map(|data| {
        let path = data.file_extracted.as_ref().expect("it is extracted");
        management.shared().read_text(path).expect("it is there")
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["x = 10", "y = 15", "z = 20"]);

    let log = messages(&management, "a").await;
    let items = sent_to(&log, "text").into_iter().map(|sent| sent.message.item);
    assert_eq!(items.collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    assert_eq!(log.last().expect("an end").stage, "ended");
}

/// [riddles 14]
#[tokio::test]
async fn a_riddle_whose_id_is_known_is_not_posed_again() {
    let place = Place::with_numbers();
    let management = place.calculator().build().await.expect("a management");
    let first = management.pose(calculation().id("a")).await.expect("it is posed");
    let second = management.pose(AgentMessage::new("else").id("a")).await.expect("it is known");
    assert!(first.is_new() && !second.is_new());
    assert_eq!(second.outcome().await.expect("it ends").answer(), Some("150"));
}

/// [riddles 12]
#[tokio::test]
async fn a_riddle_that_ended_is_still_known_to_the_next_process() {
    let place = Place::with_numbers();
    let file = place.path().join("riddles.db");
    let store = RiddleStore::open(&file).await.expect("a database");
    let management = place.calculator().store(store).build().await.expect("a management");
    let riddle = management.pose(calculation().id("a")).await.expect("it is posed");
    let outcome = riddle.outcome().await.expect("it ends");
    let log = messages(&management, "a").await;
    drop((riddle, management));

    let store = RiddleStore::open(&file).await.expect("the database");
    let management = place.calculator().store(store).build().await.expect("a management");
    assert_eq!(management.riddle("a").await.expect("it is known"), outcome);
    assert_eq!(messages(&management, "a").await, log);
}

/// [riddles 2]
#[tokio::test]
async fn a_riddle_with_a_missing_file_is_refused_by_its_name() {
    let place = Place::with_numbers();
    let management = place.calculator().build().await.expect("a management");
    let riddle = calculation().data(DataType::Text, "v.txt");
    let error = management.pose(riddle).await.expect_err("the file is missing");
    assert_eq!(error.to_string(), "file `v.txt` of the shared folder: it does not exist");
    assert_eq!(management.riddles().await.expect("the log is read"), []);
}

/// [riddles 10]
#[tokio::test]
async fn a_value_that_is_missing_leaves_the_riddle_without_a_solution() {
    let place = Place::with_numbers();
    let management = place.calculator().build().await.expect("a management");
    let riddle = AgentMessage::new("x * v =").data(DataType::Text, "x.txt");
    let outcome = management.pose(riddle).await.expect("posed").outcome().await.expect("it ends");
    assert_eq!(outcome.state, RiddleState::Unsolved);
    assert_eq!(outcome.reason.as_deref(), Some("no solution"));
    assert_eq!(outcome.missing, ["solution of trial 0 by `calculator`: the agent has stopped"]);
}
