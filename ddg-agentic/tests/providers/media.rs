//! Documents and recordings in the form that each API documents, and what a model that cannot take
//! one is sent instead.

use std::collections::BTreeMap;

use ddg_agentic::message::{Attachment, Audio, ContentPart, Document, ToolCall, ToolMessage};
use ddg_agentic::model::{Capabilities, ChatRequest, ModelError};
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama, OpenAi, OpenAiResponses};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::openai_server::{Answer, OpenAiServer};

/// `%PDF` in base64.
const PDF: &str = "JVBERg==";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

fn report() -> Document {
    Document::pdf(PDF).name("report.pdf")
}

fn spoken() -> Audio {
    Audio::mp3("SUQz")
}

fn asks(parts: impl IntoIterator<Item = ContentPart>) -> ChatRequest {
    let text = [ContentPart::text("What is it?")];
    ChatRequest::new([Message::User { content: text.into_iter().chain(parts).collect() }])
}

/// The body that is sent, whole and streamed.
async fn sent<A: Api>(model: HttpModel<A>, request: ChatRequest) -> Json {
    let server = OpenAiServer::serving([(); 2].map(|()| Answer::error(500, "never mind"))).await;
    let url = match model.provider() {
        "openai" => server.base_url(),
        _ => server.url(),
    };
    let model = model.base_url(url).api_key("sk-test");
    for failed in [model.chat(request.clone()).await.err(), model.stream(request).await.err()] {
        let failed = failed.unwrap().to_string();
        assert!(failed.contains("never mind"), "{failed}");
    }
    let [whole, mut streamed] = [0, 1].map(|n| {
        let body: Json = serde_json::from_str(&server.asked()[n].body).unwrap();
        body
    });
    for list in ["messages", "input", "contents"] {
        assert_eq!(streamed[list].take(), whole[list]);
    }
    whole
}

/// Why nothing is sent.
async fn refused<A: Api>(model: HttpModel<A>, part: ContentPart) -> String {
    let model = model.base_url("http://localhost:1").api_key("sk-test");
    let error = model.chat(asks([part])).await.unwrap_err();
    assert!(matches!(error, ModelError::Unsupported { .. }), "{error:?}");
    error.to_string()
}

/// As OpenAI's guides to file inputs and to audio have it.
#[tokio::test]
async fn chat_completions() {
    let parts = [
        ContentPart::document(report()),
        ContentPart::document(Document::file_id("application/pdf", "file-7")),
        ContentPart::audio(spoken()),
        ContentPart::document(Document::bytes("text/csv; charset=utf-8", "a,b").name("t.csv")),
    ];
    let body = sent(OpenAi::new("gpt-audio"), asks(parts)).await;
    expect![[r#"
        {"text":"What is it?","type":"text"}
        {"file":{"file_data":"data:application/pdf;base64,JVBERg==","filename":"report.pdf"},"type":"file"}
        {"file":{"file_id":"file-7"},"type":"file"}
        {"input_audio":{"data":"SUQz","format":"mp3"},"type":"input_audio"}
        {"text":"[document t.csv: text/csv]\na,b","type":"text"}"#]]
    .assert_eq(&lines(&body["messages"][0]["content"]));
}

/// As OpenAI's guide to file inputs has it, which lists file types beside PDF for this API alone.
#[tokio::test]
async fn responses() {
    let parts = [
        ContentPart::document(report()),
        ContentPart::document(Document::new(DOCX, Document::pdf("UEsD").source).name("a.docx")),
        ContentPart::document(Document::url("application/pdf", "https://example.com/a.pdf")),
        ContentPart::document(Document::file_id("application/pdf", "ddg-file-0")),
        ContentPart::document(Document::bytes("application/json", "{}")),
    ];
    let body = sent(OpenAiResponses::new("gpt-5"), asks(parts)).await;
    let parts = body["input"].as_array().unwrap().iter();
    let parts = parts.flat_map(|message| message["content"].as_array().unwrap());
    expect![[r#"
        {"text":"What is it?","type":"input_text"}
        {"file_data":"data:application/pdf;base64,JVBERg==","filename":"report.pdf","type":"input_file"}
        {"file_data":"data:application/vnd.openxmlformats-officedocument.wordprocessingml.document;base64,UEsD","filename":"a.docx","type":"input_file"}
        {"file_url":"https://example.com/a.pdf","type":"input_file"}
        {"file_id":"ddg-file-0","type":"input_file"}
        {"text":"[document: application/json]\n{}","type":"input_text"}"#]]
    .assert_eq(&lines(&parts.cloned().collect()));
}

/// As Anthropic's guides to PDF support and to the Files API have it.
#[tokio::test]
async fn anthropic() {
    let parts = [
        ContentPart::document(report()),
        ContentPart::document(Document::url("application/pdf", "https://example.com/a.pdf")),
        ContentPart::document(Document::file_id("application/pdf", "file_7")),
        ContentPart::document(Document::bytes("text/plain", "Hello.").name("a.txt")),
    ];
    let body = sent(Anthropic::new("claude-sonnet-4-5"), asks(parts)).await;
    expect![[r#"
        {"text":"What is it?","type":"text"}
        {"source":{"data":"JVBERg==","media_type":"application/pdf","type":"base64"},"title":"report.pdf","type":"document"}
        {"source":{"type":"url","url":"https://example.com/a.pdf"},"type":"document"}
        {"source":{"file_id":"file_7","type":"file"},"type":"document"}
        {"source":{"data":"Hello.","media_type":"text/plain","type":"text"},"title":"a.txt","type":"document"}"#]]
    .assert_eq(&lines(&body["messages"][0]["content"]));
}

/// As Google's guides to document and audio understanding have it.
#[tokio::test]
async fn gemini() {
    let parts = [
        ContentPart::document(report()),
        ContentPart::document(Document::url("application/pdf", "https://example.com/a.pdf")),
        ContentPart::audio(spoken()),
        ContentPart::document(Document::bytes("text/markdown", "# Hello")),
    ];
    let body = sent(Gemini::new("gemini-2.5-flash"), asks(parts)).await;
    let mut parts = body["contents"][0]["parts"].clone();
    for part in parts.as_array_mut().unwrap() {
        part.as_object_mut().unwrap().remove("thought");
    }
    expect![[r##"
        {"text":"What is it?"}
        {"inlineData":{"data":"JVBERg==","mimeType":"application/pdf"}}
        {"fileData":{"fileUri":"https://example.com/a.pdf","mimeType":"application/pdf"}}
        {"inlineData":{"data":"SUQz","mimeType":"audio/mp3"}}
        {"text":"[document: text/markdown]\n# Hello"}"##]]
    .assert_eq(&lines(&parts));
}

#[tokio::test]
async fn what_an_api_has_no_place_for_is_an_error_before_it_is_asked() {
    let docx = || ContentPart::document(Document::new(DOCX, report().source));
    let at = || ContentPart::document(Document::url("application/pdf", "https://example.com"));
    let id = || ContentPart::document(Document::file_id("application/pdf", "file-7"));
    let pdf = || ContentPart::document(report());
    let mp3 = || ContentPart::audio(spoken());
    let midi = ContentPart::audio(Audio::bytes("audio/midi", "MThd"));
    let everything = Capabilities::default().documents(true).audio(true);
    let refusals = [
        refused(OpenAi::new("gpt-4o"), docx()).await,
        refused(OpenAi::new("gpt-4o"), at()).await,
        refused(OpenAi::new("gpt-4o"), mp3()).await,
        refused(OpenAi::new("gpt-3.5-turbo"), pdf()).await,
        refused(OpenAi::new("voxtral"), midi).await,
        refused(OpenAiResponses::new("gpt-5").with_capabilities(everything), mp3()).await,
        refused(Anthropic::new("claude").with_capabilities(everything), mp3()).await,
        refused(Anthropic::new("claude"), docx()).await,
        refused(Gemini::new("gemini-2.5-flash"), docx()).await,
        refused(Gemini::new("gemini-2.5-flash"), id()).await,
        refused(Ollama::new("llama"), pdf()).await,
        refused(Ollama::new("llama").with_capabilities(everything), mp3()).await,
    ];
    let why =
        refusals.map(|refusal| refusal.replace("; its capabilities say so before it is asked", ""));
    expect![[r#"
        model `gpt-4o` cannot read documents of this media type
        model `gpt-4o` cannot read documents by address
        model `gpt-4o` cannot hear recordings
        model `gpt-3.5-turbo` cannot read documents
        model `voxtral` cannot hear recordings of this media type
        model `gpt-5` cannot hear recordings
        model `claude` cannot hear recordings
        model `claude` cannot read documents of this media type
        model `gemini-2.5-flash` cannot read documents of this media type
        model `gemini-2.5-flash` cannot read documents by the id of a file
        model `llama` cannot read documents
        model `llama` cannot hear recordings"#]]
    .assert_eq(&why.join("\n"));
}

fn looked() -> ChatRequest {
    let call = ToolCall::new("call_1", "look", json!({}));
    let attached: [Attachment; 3] =
        [report().into(), spoken().into(), Document::bytes("text/plain", "Hello.").into()];
    let seen = ToolMessage::new(&call, "Two files:").with_attachments(attached);
    ChatRequest::new([Message::user("Look."), Message::calls([call]), seen.into()])
        .tools([ToolSpec::new("look", "Looks.", json!({ "type": "object", "properties": {} }))])
}

/// No API has a place for both in a result: they follow, after all results of the turn.
#[tokio::test]
async fn those_of_a_tool_follow_its_result() {
    let hears = OpenAi::new("voxtral");
    let body = sent(hears, looked()).await;
    expect![[r#"
        {"content":"Two files:\n[document report.pdf: application/pdf, 4 bytes: it follows]\n[audio: audio/mpeg, 3 bytes: it follows]\n[document: text/plain]\nHello.","role":"tool","tool_call_id":"call_1"}
        {"content":[{"text":"The document of the result of call call_1:","type":"text"},{"file":{"file_data":"data:application/pdf;base64,JVBERg==","filename":"report.pdf"},"type":"file"},{"text":"The recording of the result of call call_1:","type":"text"},{"input_audio":{"data":"SUQz","format":"mp3"},"type":"input_audio"}],"role":"user"}"#]]
    .assert_eq(&lines(&body["messages"].as_array().unwrap()[2..].iter().cloned().collect()));
}

#[tokio::test]
async fn a_model_that_cannot_take_those_of_a_tool_is_told() {
    let body = sent(OpenAi::new("gpt-3.5-turbo"), looked()).await;
    expect![[r#"
        {"content":"Two files:\n[document report.pdf: application/pdf, 4 bytes: you cannot read documents]\n[audio: audio/mpeg, 3 bytes: you cannot hear recordings]\n[document: text/plain]\nHello.","role":"tool","tool_call_id":"call_1"}"#]]
    .assert_eq(&lines(&body["messages"].as_array().unwrap()[2..].iter().cloned().collect()));
}

#[tokio::test]
async fn what_is_too_large_is_an_error_before_it_is_sent() {
    let model = Anthropic::new("claude").base_url("http://localhost:1").max_media_bytes(100);
    let large = Document::bytes("application/pdf", [b'%'; 60]);
    let parts = [ContentPart::document(large.clone()), ContentPart::document(large)];
    let error = model.chat(asks(parts)).await.unwrap_err();
    assert!(!error.is_retryable());
    expect![[r#"model `claude` takes 100 bytes of images, documents and recordings, and these are 120: send less, or set `max_media_bytes`"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn bytes_are_not_printed() {
    let request = asks([
        ContentPart::document(report()),
        ContentPart::audio(spoken()),
        ContentPart::image(ddg_agentic::message::Image::png(PDF)),
    ]);
    let printed = format!("{request:?} {request:#?}");
    assert!(!printed.contains(PDF) && !printed.contains("SUQz"), "{printed}");
    assert!(printed.contains("4 bytes") && printed.contains("report.pdf"), "{printed}");
}

/// The items of a list, their keys in order: whether JSON keeps the order that it came in differs
/// between builds.
fn lines(list: &Json) -> String {
    fn sorted(json: &Json) -> Json {
        match json {
            Json::Array(items) => items.iter().map(sorted).collect(),
            Json::Object(fields) => {
                let fields: BTreeMap<_, _> = fields.iter().collect();
                fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
            }
            plain => plain.clone(),
        }
    }
    let items = list.as_array().unwrap().iter();
    items.map(|item| sorted(item).to_string()).collect::<Vec<_>>().join("\n")
}
