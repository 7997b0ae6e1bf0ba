//! The agent without the platform, and with a management in this process.

use ddg_agentic::riddles::{AgentMessage, DataType, Management, agents};
use riddle_agent::Mine;

#[tokio::test]
async fn it_solves_the_calculator() {
    let shared = tempfile::tempdir().expect("a folder");
    for text in ["x = 10", "y = 15", "z = 20"] {
        std::fs::write(shared.path().join(format!("{}.txt", &text[..1])), text).expect("a file");
    }
    let management = Management::builder(shared.path())
        .agent("text", agents::Text)
        .agent("mine", Mine)
        .agent("checker", agents::Checker)
        .build()
        .await
        .expect("a management");
    let riddle = ["x.txt", "y.txt", "z.txt"]
        .into_iter()
        .fold(AgentMessage::new("x * y ="), |riddle, file| riddle.data(DataType::Text, file));
    let riddle = management.pose(riddle).await.expect("it is posed");
    assert_eq!(riddle.outcome().await.expect("it ends").answer(), Some("150"));
}

#[tokio::test]
async fn it_stops_while_a_value_is_missing() {
    let shared = tempfile::tempdir().expect("a folder");
    let management = Management::builder(shared.path()).agent("mine", Mine).build().await;
    let riddle = AgentMessage::new("x * y =");
    let riddle = management.expect("a management").pose(riddle).await.expect("it is posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.missing, ["solution of trial 0 by `mine`: the agent has stopped"]);
}
