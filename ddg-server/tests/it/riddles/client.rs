//! The management as programs and agents elsewhere use it.

use std::sync::Arc;

use ddg_agentic::riddles::agents::agent_fn;
use ddg_agentic::riddles::{
    AgentHost, AgentMessage, Capability, Envelope, HeldResponse, MessageFilter, Receipt,
    RiddleAgent, RiddleError, RiddlePlatform, RiddleSolution, RiddleState, SharedFolder,
};
use ddg_server::axum;
use ddg_server::riddles::{AgentServer, ManagementClient, Secret};
use serde_json::json;
use tokio::net::TcpListener;

use super::{free_address, management, place, riddles};
use crate::fixture::Ddg;

const CALCULATOR: [&str; 3] = ["extract=text", "solve=calculator", "gatekeeper=checker"];

fn client(server: &Ddg) -> ManagementClient {
    ManagementClient::new(&format!("http://{}", server.address), None).unwrap()
}

/// [riddles 17] Lists of messages, one message, and outcomes have the types of agents.
#[tokio::test]
async fn a_client_reads_messages_and_outcomes() {
    let folder = place();
    let server = management(folder.path(), &CALCULATOR, &[]).await;
    let management = client(&server);
    let id = management.pose(&AgentMessage::new("6 * 7 =")).await.unwrap();
    let outcome = management.outcome(&id).await.unwrap();
    assert_eq!((outcome.state, outcome.answer()), (RiddleState::Solved, Some("42")));
    assert_eq!(management.riddle(&id).await.unwrap(), outcome);

    let all = MessageFilter::default().riddle(&*id);
    let messages = management.messages(&all).await.unwrap();
    let stages: Vec<_> = messages.iter().map(|message| &*message.stage).collect();
    assert_eq!(stages, ["posed", "solve", "solve", "gatekeeper", "gatekeeper", "ended"]);
    assert_eq!(management.message(messages[1].number).await.unwrap(), messages[1]);
    let page = all.after(messages[1].number).limit(2);
    assert_eq!(management.messages(&page).await.unwrap(), messages[2..4]);

    let error = management.riddle("none").await.unwrap_err().to_string();
    assert!(error.contains("there is no riddle `none`"), "{error}");
    assert!(management.message(999).await.is_err());
}

/// [riddles 17] [riddles 4] A held response is sent once, by a process that has it as JSON.
#[tokio::test]
async fn a_client_sends_a_held_response_once() {
    let folder = place();
    let agents = [&*format!("solve=solver@http://{}", free_address())];
    let server = management(folder.path(), &agents, &[]).await;
    let management = client(&server);
    let riddle = AgentMessage::new("?").id("a").required(false, true, false);
    management.pose(&riddle).await.unwrap();
    let sent = loop {
        let messages = management.messages(&MessageFilter::default().riddle("a")).await.unwrap();
        if let Some(sent) = messages.into_iter().find(|message| message.to == "solver") {
            break sent;
        }
        tokio::task::yield_now().await;
    };
    let mut response = sent.message;
    response.solution.push(RiddleSolution::new("slept over it", ""));
    let kept = json!({ "agent": "solver", "number": sent.number, "response": response });
    let held: HeldResponse = serde_json::from_value(kept).unwrap();
    assert_eq!(management.send_held(held.clone()).await.unwrap(), Receipt::Taken);
    assert_eq!(management.outcome("a").await.unwrap().answer(), Some("slept over it"));
    let again = management.send_held(held).await.unwrap_err();
    assert!(matches!(again, RiddleError::AlreadyAnswered { number } if number == sent.number));
    let unknown = Envelope::new(999, "solver", response);
    assert!(management.answer(&unknown).await.is_err());
}

/// Solves `whole` by a sub-riddle, and the sub-riddle itself.
fn halves() -> impl RiddleAgent {
    agent_fn([Capability::Solve], async |mut response: AgentMessage, cx| {
        let found = if response.riddle.question == "half" {
            "21".to_owned()
        } else {
            let half = cx.sub_riddle(AgentMessage::new("half").riddle, None).await?;
            let half = half.outcome().await?;
            let half: u32 = half.answer().expect("it is solved").parse().expect("a number");
            (half * 2).to_string()
        };
        response.solution.push(RiddleSolution::new(found, ""));
        Ok(response.into())
    })
}

fn accepts() -> impl RiddleAgent {
    agent_fn([Capability::Gatekeeper], async |mut response: AgentMessage, _| {
        response.solution.iter_mut().for_each(|solution| solution.accepted = true);
        Ok(response.into())
    })
}

/// [riddles 17] [riddles 6] An agent in another process waits for the outcome of a sub-riddle, which it
/// solves itself meanwhile; with a secret both ways.
#[tokio::test]
async fn an_agent_elsewhere_has_the_outcome_of_its_sub_riddle() {
    let folder = place();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let solver = format!("solve=halves@http://{at}");
    let gatekeeper = format!("gatekeeper=accepts@http://{at}");
    let agents = ["--agent", &solver, "--agent", &gatekeeper];
    let arguments = [&["--listen", "127.0.0.1:0", "--log", "error"], &agents[..]].concat();
    let mut command = riddles(folder.path(), &arguments);
    command.env("DDG_RIDDLES_SECRET", "s3cret");
    let server = Ddg::spawn(command).await;
    let secret = Secret::new("s3cret");
    let url = format!("http://{}", server.address);
    let management = ManagementClient::new(&url, secret.clone()).unwrap();
    let shared = SharedFolder::open(folder.path().join("shared")).unwrap();
    let platform = Arc::new(management.clone());
    let hosts = [
        AgentHost::new("halves", halves(), shared.clone(), platform.clone()),
        AgentHost::new("accepts", accepts(), shared, platform),
    ];
    let agents = AgentServer::new(hosts, None, management.clone(), secret);
    tokio::spawn(axum::serve(listener, agents.router()).into_future());

    let id = management.pose(&AgentMessage::new("whole").id("a")).await.unwrap();
    let outcome = management.outcome(&id).await.unwrap();
    assert_eq!(outcome.answer(), Some("42"), "{outcome:#?}");
    assert_eq!(outcome.message.sub_ids, ["a-1"]);
    let below = RiddlePlatform::ended(&management, "a-1").await.unwrap();
    assert_eq!((below.state, below.answer()), (RiddleState::Solved, Some("21")));
    let stranger = ManagementClient::new(&url, Secret::new("wrong")).unwrap();
    let error = stranger.riddle("a").await.unwrap_err().to_string();
    assert!(error.contains("The secret is missing or wrong"), "{error}");
}
