//! `ddg riddles try` and `list`: agents without a platform.

use serde_json::Value;

use super::{place, riddles};

async fn tried(arguments: &[&str]) -> (i32, String, String) {
    let folder = place();
    std::fs::write(folder.path().join("shared/ask.json"), r#"{ "riddle": { "question": "v =" } }"#)
        .unwrap();
    std::fs::write(folder.path().join("shared/bad.json"), "{").unwrap();
    let output = riddles(folder.path(), &[&["try"], arguments].concat()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// [riddles 15]
#[tokio::test]
async fn one_agent_is_tried_with_one_message() {
    let (code, out, _) = tried(&["calculator", "-d"]).await;
    assert_eq!(code, 0);
    let response: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(response["solution"][0]["solution"], "42");

    let (code, out, error) = tried(&["calculator", "-f", "ask.json"]).await;
    assert_eq!((code, &*out), (3, ""), "a letter is missing");
    assert_eq!(error, "ddg: the agent has stopped: it gives up on this message\n");

    let (code, _, error) = tried(&["calculator", "-f", "bad.json"]).await;
    assert_eq!(code, 1);
    assert!(error.starts_with("ddg: shared/bad.json is no message: "), "{error}");

    let (code, _, error) = tried(&["nobody", "-d"]).await;
    assert_eq!(code, 2);
    assert_eq!(error, "ddg: there is no agent `nobody`; there are text, calculator, checker\n");
    assert_eq!(tried(&["calculator"]).await.0, 2, "a message is missing");
}
