//! Agents with models as agents of the platform.

use ddg_agentic::model::ScriptedModel;
use ddg_agentic::riddles::agents::ReActAgent;
use ddg_agentic::riddles::{AgentMessage, Capability, DataType};
use ddg_agentic::{Agent, ReActAutoma};

use crate::place::{Place, messages};

/// [riddles 3] [riddles 16]
#[tokio::test]
async fn agents_with_models_extract_solve_and_review() {
    let place = Place::new();
    place.write("note.txt", "The meeting is on Friday at 10.");
    let reader = ScriptedModel::new().text("meeting: Friday, 10 h");
    let thinker = ScriptedModel::new()
        .text(r#"{ "can_be_solved": true, "solution": "Monday", "explanation": "a guess" }"#)
        .text(r#"{ "can_be_solved": true, "solution": "Friday", "explanation": "the note" }"#);
    let reviewer = ScriptedModel::new()
        .text(r#"{ "reviews": [{ "accepted": false, "review": "the note says Friday" }] }"#)
        .text(r#"{ "reviews": [{ "accepted": true, "review": "right" }] }"#);
    let requests = thinker.clone();
    let extractor = ReActAgent::extractor([DataType::Text], ReActAutoma::new(reader));
    let management = place
        .management()
        .agent("reader", extractor.expect("it is built"))
        .agent("thinker", ReActAgent::solver(ReActAutoma::new(thinker)).expect("it is built"))
        .agent("reviewer", ReActAgent::gatekeeper(ReActAutoma::new(reviewer)).expect("it is built"))
        .build()
        .await
        .expect("a management");
    let riddle = AgentMessage::new("When is the meeting?").id("a").data(DataType::Text, "note.txt");
    let outcome = management.pose(riddle).await.expect("posed").outcome().await.expect("it ends");
    assert_eq!((outcome.answer(), outcome.trial), (Some("Friday"), 1));

    let path = outcome.message.data[0].file_extracted.as_deref().expect("it is extracted");
    assert_eq!(path, "a/reader-0-0.txt");
    assert_eq!(management.shared().read_text(path).expect("it is there"), "meeting: Friday, 10 h");
    let asked = requests.requests();
    let task = asked.last().expect("two requests").messages.last().expect("a task").text();
    assert_eq!(
        task,
        "Question: When is the meeting?\n\
         From the text `note.txt`: meeting: Friday, 10 h\n\
         Rejected before: Monday (the note says Friday)\n"
    );
    assert_eq!(messages(&management, "a").await.len(), 12);
}

/// [riddles 5]
#[tokio::test]
async fn a_model_that_cannot_solve_the_riddle_stops() {
    let place = Place::new();
    let model = ScriptedModel::new()
        .text(r#"{ "can_be_solved": false, "solution": "", "explanation": "nothing is known" }"#);
    let solver = ReActAgent::solver(ReActAutoma::new(model)).expect("it is built");
    let management = place.management().agent("s", solver).build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("?")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.missing, ["solution of trial 0 by `s`: the agent has stopped"]);
}

/// [riddles 3]
#[tokio::test]
async fn agents_with_conversations_solve_and_review() {
    let place = Place::new();
    let thinker = ScriptedModel::new().text(
        "<think>{ \"can_be_solved\": false } would be wrong.</think>Here it is:\n\
         ```json\n{ \"can_be_solved\": true, \"solution\": \"42\", \"explanation\": \"6 * 7\" }\n```\nIs it?",
    );
    let reviewer =
        ScriptedModel::new().text(r#"{ "reviews": [{ "accepted": true, "review": "right" }] }"#);
    let (asked, requests) = (thinker.clone(), reviewer.clone());
    let agent = |model| Agent::new(ReActAutoma::new(model)).expect("it is built");
    let (thinker, reviewer) = (agent(thinker), agent(reviewer));
    let management = place
        .management()
        .agent("thinker", ReActAgent::conversing(Capability::Solve, thinker))
        .agent("reviewer", ReActAgent::conversing(Capability::Gatekeeper, reviewer))
        .build()
        .await
        .expect("a management");
    let riddle = management.pose(AgentMessage::new("6 * 7").id("a")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.answer(), Some("42"), "{outcome:#?}");
    let task = asked.requests()[0].messages.last().expect("a task").text();
    assert!(
        task.starts_with(
            "Question: 6 * 7\nReply with one JSON value that follows this JSON schema"
        ),
        "{task}"
    );
    assert!(task.contains("\"can_be_solved\""), "{task}");
    assert_eq!(requests.requests().len(), 1);
}

/// [riddles 3] [riddles 10]
#[tokio::test]
async fn an_agent_that_answers_something_else_abstains() {
    let place = Place::new();
    let model = ScriptedModel::new().text("It is 42, I think.");
    let agent = Agent::new(ReActAutoma::new(model)).expect("it is built");
    let solver = ReActAgent::conversing(Capability::Solve, agent);
    let management = place.management().agent("s", solver).build().await.expect("a management");
    let riddle = management.pose(AgentMessage::new("?")).await.expect("posed");
    let outcome = riddle.outcome().await.expect("it ends");
    assert_eq!(outcome.missing.len(), 1);
    assert!(outcome.missing[0].contains("its answer is not what was asked for"), "{outcome:?}");
}
