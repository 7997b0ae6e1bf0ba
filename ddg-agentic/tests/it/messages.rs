//! Messages are plain data: they survive JSON, and the JSON is readable.

use ddg_agentic::Message;
use ddg_agentic::message::{Audio, Document, Image, ToolArguments, ToolCall, ToolMessage};
use ddg_agentic::model::{ChatReply, ChatStream};
use expect_test::expect;
use serde_json::json;

fn transcript() -> Vec<Message> {
    let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
    let broken = ToolCall::new("call_2", "hotel", ToolArguments::parse("{\"nights\": "));
    vec![
        Message::system("You plan trips."),
        Message::user_with_image("Where is this?", Image::Url("https://example.com/a.png".into())),
        Message::user_with_document("And here?", Document::pdf("JVBERg==").name("map.pdf")),
        Message::user_with_audio("Or here?", Audio::wav("UklGRg==")),
        Message::calls([call.clone(), broken.clone()]),
        Message::from(
            ToolMessage::new(&call, "seen")
                .with_attachments([Document::url("application/pdf", "https://example.com/a.pdf")]),
        ),
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
        {"role":"user","content":[{"type":"text","text":"And here?"},{"type":"document","document":{"media_type":"application/pdf","source":{"base64":"JVBERg=="},"name":"map.pdf"}}]}
        {"role":"user","content":[{"type":"text","text":"Or here?"},{"type":"audio","audio":{"media_type":"audio/wav","source":{"base64":"UklGRg=="}}}]}
        {"role":"assistant","text":"","tool_calls":[{"id":"call_1","name":"weather","arguments":{"json":{"city":"Tokyo"}}},{"id":"call_2","name":"hotel","arguments":{"malformed":"{\"nights\": "}}]}
        {"role":"tool","call_id":"call_1","name":"weather","content":"seen","attachments":[{"document":{"media_type":"application/pdf","source":{"url":"https://example.com/a.pdf"}}}]}
        {"role":"tool","call_id":"call_1","name":"weather","content":"sunny"}
        {"role":"tool","call_id":"call_2","name":"hotel","content":"the arguments are no JSON","is_error":true}
        {"role":"assistant","text":"It is sunny."}"#]]
    .assert_eq(&lines.join("\n"));
}

/// As they were stored before results had attachments.
#[test]
fn earlier_messages_are_read() {
    let stored = json!([
        { "role": "user", "content": [{ "type": "image", "image": { "url": "https://a" } }] },
        { "role": "tool", "call_id": "a", "name": "look", "content": "seen" },
    ]);
    let messages: Vec<Message> = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(messages).unwrap(), stored);
}

#[test]
fn a_document_of_text_is_one_by_its_type_and_its_bytes() {
    let text = |media_type: &str, bytes: &[u8]| Document::bytes(media_type, bytes).text();
    let texts = [
        "text/plain",
        "Text/CSV; charset=utf-8",
        "application/json",
        "application/x-yaml",
        "application/ld+json",
        "application/atom+xml",
    ];
    for media_type in texts {
        assert_eq!(text(media_type, b"a,b").as_deref(), Some("a,b"), "{media_type}");
    }
    for media_type in ["application/pdf", "application/octet-stream", "image/svg+xml", "", "text"] {
        assert_eq!(text(media_type, b"a,b"), None, "{media_type}");
    }
    assert_eq!(text("text/plain", b"\xff"), None);
    assert_eq!(Document::url("text/plain", "https://example.com").text(), None);
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
