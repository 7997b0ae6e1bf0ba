//! Agents in other processes, in other languages, and killed ones.

use serde_json::json;

use super::{agent, calculation, ended, free_address, management, place};
use crate::fixture::Ddg;

/// [riddles 13] [riddles 14]
#[tokio::test]
async fn agents_in_two_other_processes_solve_a_riddle() {
    let folder = place();
    let (text, calculator) = (free_address(), free_address());
    let agents = [
        &*format!("extract:text=text@http://{text}"),
        &*format!("solve=http://{calculator}"),
        "gatekeeper=checker",
    ];
    let server = management(folder.path(), &agents, &["--resend", "1"]).await;
    // They come later than the riddle: messages are sent until they are acknowledged.
    let client = server.client();
    let posed = client.post("/riddles", &calculation("a")).await;
    assert_eq!((posed.status.as_u16(), posed.json()), (202, json!({ "id": "a" })));
    let _text = agent(folder.path(), "text", &text, server.address).await;
    let _calculator = agent(folder.path(), "calculator", &calculator, server.address).await;
    let riddle = ended(&client, "a").await;
    assert_eq!(riddle["state"], "solved", "{riddle}");
    assert_eq!(riddle["solution"]["solution"], "150");
    assert_eq!(client.post("/riddles", &calculation("a")).await.status, 202);
    assert_eq!(client.get("/riddles").await.ok()["data"].as_array().unwrap().len(), 1);
}

/// [riddles 12] [riddles 14]
#[tokio::test]
async fn an_agent_and_the_management_are_killed_and_started_again() {
    let folder = place();
    let calculator = free_address();
    let agents = ["extract=text", &*format!("solve=http://{calculator}"), "gatekeeper=checker"];
    let server = management(folder.path(), &agents, &["--resend", "1"]).await;
    let first = agent(folder.path(), "calculator", &calculator, server.address).await;
    first.kill().await;
    let client = server.client();
    for n in 0..5 {
        client.post("/riddles", &calculation(&format!("r{n}"))).await;
    }
    // Both are gone, with riddles under way.
    server.kill().await;
    let again = management(folder.path(), &agents, &["--resend", "1"]).await;
    let _calculator = agent(folder.path(), "calculator", &calculator, again.address).await;
    let client = again.client();
    for n in 0..5 {
        let riddle = ended(&client, &format!("r{n}")).await;
        assert_eq!(riddle["solution"]["solution"], "150", "{riddle}");
    }
    let log = client.get("/messages?riddle=r0&limit=1000").await.ok();
    let is_answer = |message: &&serde_json::Value| {
        message["to"] == "management" && message["stage"] == "gatekeeper"
    };
    assert_eq!(log["data"].as_array().unwrap().iter().filter(is_answer).count(), 1, "{log}");
}

/// [riddles 14]
#[tokio::test]
async fn an_agent_in_python_solves_a_riddle() {
    let folder = place();
    let address = free_address();
    let port = address.rsplit(':').next().unwrap();
    let agents = ["extract=text", &*format!("solve=http://{address}"), "gatekeeper=checker"];
    let server = management(folder.path(), &agents, &["--resend", "1"]).await;
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/riddle_agent.py");
    let mut python = tokio::process::Command::new("python3");
    let url = format!("http://{}", server.address);
    python.arg(program).arg(port).arg(url).arg(folder.path().join("shared")).kill_on_drop(true);
    let _python = Ddg::spawn(python).await;
    let client = server.client();
    client.post("/riddles", &calculation("a")).await;
    let riddle = ended(&client, "a").await;
    assert_eq!(riddle["solution"]["explanation"], "computed in Python", "{riddle}");
    assert_eq!(riddle["solution"]["solution"], "150");
}
