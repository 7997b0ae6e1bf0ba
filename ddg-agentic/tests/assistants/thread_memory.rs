//! What the model sees of a thread.

use ddg_agentic::assistants::{MessageParams, RunParams, RunStatus};
use ddg_agentic::files::FileManager;
use ddg_agentic::message::ContentPart;
use ddg_agentic::model::{Capabilities, ScriptedModel};
use ddg_agentic::{Message, Toolbox, tool};
use serde_json::{Value as Json, json};

use crate::fixture::{Fixture, calls};

/// Doubles a number.
#[tool]
async fn double(n: i64) -> i64 {
    2 * n
}

async fn seen(metadata: Json, run: Json) -> Vec<String> {
    let model = ScriptedModel::new().text("Done.");
    let fixture = Fixture::new(model.clone()).await;
    let assistant = fixture.assistant(json!({ "metadata": metadata })).await;
    let thread = fixture.thread(&["one", "two", "three"]).await;
    let mut body = json!({ "assistant_id": assistant });
    for (name, value) in run.as_object().unwrap() {
        body[name] = value.clone();
    }
    let started =
        fixture.ada.create_run(&thread, RunParams::try_from(body).unwrap()).await.unwrap();
    fixture.ada.run(&started.run.id).outcome().await.unwrap();
    model.requests()[0].messages.iter().map(Message::text).collect()
}

/// [assistants run 5.5] [assistants run 6.1] [assistants run 6.2] [assistants run 6.3] [assistants known failures]
#[tokio::test]
async fn the_metadata_of_the_assistant_say_what_the_model_sees() {
    let none = json!({});
    assert_eq!(seen(json!({}), none.clone()).await, ["one", "two", "three"]);
    let window = json!({ "memory": { "type": "window", "window_size": 2 } });
    assert_eq!(seen(window, none.clone()).await, ["two", "three"]);
    // The text is measured, and the message that crosses the limit is included.
    let window = json!({ "memory": "{\"type\": \"window\", \"max_token_size\": 6}" });
    assert_eq!(seen(window, none.clone()).await, ["two", "three"]);
    assert_eq!(seen(json!({ "memory": { "type": "zero" } }), none).await, ["three"]);
    let last = json!({ "truncation_strategy": { "type": "last_messages", "last_messages": 1 } });
    assert_eq!(seen(json!({}), last).await, ["three"]);
}

/// [assistants run 7.2] [assistants run 7.3] [assistants run 7.4]
#[tokio::test]
async fn images_and_files_of_the_caller_reach_a_model_that_takes_them() {
    let files = FileManager::new();
    let image = files.create_from_bytes(&b"\x89PNG\r\n\x1a\n"[..], "a.png").await.unwrap();
    let report = files.create_from_bytes("…", "report.txt").await.unwrap();
    let (image, report) = (image.id().to_owned(), report.id().to_owned());
    let content = json!([
        { "type": "text", "text": "Before" },
        { "type": "image_file", "image_file": { "file_id": image } },
        { "type": "image_url", "image_url": { "url": "https://example.org/b.png" } },
        { "type": "text", "text": "after" },
    ]);
    let body =
        json!({ "role": "user", "content": content, "attachments": [{ "file_id": report }] });
    for images in [true, false] {
        let model =
            ScriptedModel::new().capabilities(Capabilities::default().images(images)).text("Nice.");
        let own = files.clone();
        let fixture = Fixture::with(|builder| {
            builder.model(model.clone()).files(move |tenant| (tenant == "ada").then(|| own.clone()))
        })
        .await;
        let eve = fixture.assistants.tenant("eve");
        let thread = eve.create_thread(Default::default()).await.unwrap().id;
        let error =
            eve.create_message(&thread, MessageParams::try_from(body.clone()).unwrap()).await;
        assert_eq!(error.unwrap_err().kind(), "invalid_request_error");

        let (assistant, thread) = (fixture.assistant(json!({})).await, fixture.thread(&[]).await);
        let params = MessageParams::try_from(body.clone()).unwrap();
        fixture.ada.create_message(&thread, params).await.unwrap();
        let started = fixture.ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
        let run = fixture.ada.run(&started.run.id).outcome().await.unwrap();
        if !images {
            assert_eq!(run.last_error.unwrap().code, "invalid_prompt");
            continue;
        }
        assert_eq!(run.status, RunStatus::Completed);
        let Message::User { content } = &model.requests()[0].messages[0] else { panic!() };
        let is_text = |part: &ContentPart| matches!(part, ContentPart::Text { .. });
        assert_eq!(content.iter().map(is_text).collect::<Vec<_>>(), [true, false, false, true]);
        let note = format!(
            "after\nThe file \"report.txt\" can be used as a reference: <file>{report}</file>"
        );
        assert_eq!(content[3], ContentPart::Text { text: note });
    }
    files.close().await.unwrap();
}

/// [assistants run 2.3]
#[tokio::test]
async fn the_tool_steps_of_a_run_are_never_cut() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("a", "double", r#"{"n":1}"#)]))
        .pieces(calls(&[("b", "double", r#"{"n":2}"#)]))
        .text("Done.");
    let tools = Toolbox::builder().with(double::tool()).build().unwrap();
    let fixture = Fixture::with(|builder| builder.model(model.clone()).tools(tools)).await;
    let memory = json!({ "type": "window", "window_size": 1, "max_token_size": 1 });
    let assistant = json!({ "tools": [{ "type": "double" }], "metadata": { "memory": memory } });
    let run = fixture.run(assistant, json!({})).await;
    assert_eq!(run.status, RunStatus::Completed);
    let asked: Vec<_> = model.requests()[2].messages.iter().map(Message::text).collect();
    // The message of the thread that the window shows, and both steps: a call, and its output.
    assert_eq!(asked, ["How is the weather?", "", "2", "", "4"]);
}

/// [assistants run 5.8] [assistants run 7.6]
#[tokio::test]
async fn files_are_attached_in_both_forms() {
    let files = FileManager::new();
    let one = files.create_from_bytes("…", "one.txt").await.unwrap().id().to_owned();
    let two = files.create_from_bytes("…", "two.txt").await.unwrap().id().to_owned();
    let (model, own) = (ScriptedModel::new().text("Read."), files.clone());
    let fixture =
        Fixture::with(|builder| builder.model(model.clone()).files(move |_| Some(own.clone())))
            .await;
    let (assistant, thread) = (fixture.assistant(json!({})).await, fixture.thread(&[]).await);
    let tools = json!([{ "type": "file_search" }]);
    let attached = json!([{ "file_id": one, "tools": tools }]);
    let body =
        json!({ "role": "user", "content": "Read.", "attachments": attached, "file_ids": [two] });
    let params = MessageParams::try_from(body).unwrap();
    let message = fixture.ada.create_message(&thread, params).await.unwrap();
    assert_eq!(json!(message)["attachments"][0], json!({ "file_id": one, "tools": tools }));
    let started = fixture.ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
    fixture.ada.run(&started.run.id).outcome().await.unwrap();
    let note = |name: &str, id: &str| {
        format!("The file \"{name}\" can be used as a reference: <file>{id}</file>")
    };
    let expected = format!("Read.\n{}\n{}", note("one.txt", &one), note("two.txt", &two));
    assert_eq!(model.requests()[0].messages[0].text(), expected);
    files.close().await.unwrap();
}
