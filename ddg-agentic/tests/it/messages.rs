//! Messages are plain data: they survive JSON, and the JSON is readable.

use ddg_agentic::Message;
use ddg_agentic::message::{Image, ToolArguments, ToolCall};
use ddg_agentic::model::{ChatReply, ChatStream};
use expect_test::expect;
use serde_json::json;

fn transcript() -> Vec<Message> {
    let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
    let broken = ToolCall::new("call_2", "hotel", ToolArguments::parse("{\"nights\": "));
    vec![
        Message::system("You plan trips."),
        Message::user_with_image("Where is this?", Image::Url("https://example.com/a.png".into())),
        Message::calls([call.clone(), broken.clone()]),
        Message::tool_result(&call, "sunny"),
        Message::tool_error(&broken, "the arguments are no JSON"),
        Message::assistant("It is sunny."),
    ]
}

#[test]
fn a_transcript_comes_back_from_json() {
    let text = serde_json::to_string(&transcript()).unwrap();
    let back: Vec<Message> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, transcript());
}

#[test]
fn a_message_serialises_to_an_object_with_its_role() {
    let lines: Vec<_> =
        transcript().iter().map(|message| serde_json::to_string(message).unwrap()).collect();
    expect![[r#"
        {"role":"system","text":"You plan trips."}
        {"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image","image":{"url":"https://example.com/a.png"}}]}
        {"role":"assistant","text":"","tool_calls":[{"id":"call_1","name":"weather","arguments":{"json":{"city":"Tokyo"}}},{"id":"call_2","name":"hotel","arguments":{"malformed":"{\"nights\": "}}]}
        {"role":"tool","call_id":"call_1","name":"weather","content":"sunny"}
        {"role":"tool","call_id":"call_2","name":"hotel","content":"the arguments are no JSON","is_error":true}
        {"role":"assistant","text":"It is sunny."}"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn arguments_that_no_snapshot_could_be_read_back_with_stay_a_text() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(matches!(ToolArguments::parse(&nested(64)), ToolArguments::Json(_)));
    assert_eq!(ToolArguments::parse(&nested(65)), ToolArguments::Malformed(nested(65)));
    let json: serde_json::Value = serde_json::from_str(&nested(65)).unwrap();
    assert_eq!(ToolCall::new("a", "b", json).arguments, ToolArguments::Malformed(nested(65)));
}

#[tokio::test]
async fn a_reply_in_pieces_is_the_reply() {
    let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
    let mut reply = ChatReply::calls([call]);
    reply.message.text = "Let me look.".into();
    let mut n_pieces = 0;
    let whole = ChatStream::of_reply(reply.clone()).reply(|_| n_pieces += 1).await.unwrap();
    assert_eq!((whole, n_pieces), (reply, 3));
}
