//! A model as a worker: takes messages in several forms, emits pieces, and returns the reply.

use ddg_agentic::Message;
use ddg_agentic::model::{
    ChatChunk, ChatReply, ChatRequest, ModelError, ModelWorker, ScriptedModel,
};
use ddg_agentic::tool::ToolSpec;
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::StreamExt;
use serde_json::json;

fn asking(model: ScriptedModel) -> GraphAutoma {
    let begin = ChatRequest::new([Message::system("You are kind.")])
        .tools([ToolSpec::new("weather", "", json!({}))])
        .temperature(0.5);
    let mut automa = GraphAutoma::new("asking");
    let worker = ModelWorker::new(model).request(begin);
    automa.add_worker("ask", worker, start().output()).unwrap();
    automa
}

#[tokio::test]
async fn it_takes_messages_in_several_forms() {
    let said = || Message::user("Hello?");
    let forms = [
        args!("Hello?"),
        args!(said()),
        args!(vec![said()]),
        args!(json!([{ "role": "user", "content": [{ "type": "text", "text": "Hello?" }] }])),
        args!(messages = "Hello?"),
    ];
    for form in forms {
        let model = ScriptedModel::new().text("Hi.");
        let reply: ChatReply = asking(model.clone()).run(form).output().await.unwrap();
        assert_eq!(reply, ChatReply::text("Hi."));
        let asked = model.requests().remove(0);
        assert_eq!(asked.messages, [Message::system("You are kind."), said()]);
        assert_eq!((asked.tools.len(), asked.temperature), (1, Some(0.5)));
    }
}

#[tokio::test]
async fn a_value_that_is_not_a_message_is_refused() {
    let refused = async |args| {
        asking(ScriptedModel::new()).run(args).output::<ChatReply>().await.unwrap_err().to_string()
    };
    expect!["automa `asking`, step 1: worker `ask` failed: `messages` takes a text, a `Message` or a list of messages; found `i32`"].assert_eq(&refused(args!(7)).await);
    expect!["automa `asking`, step 1: worker `ask` cannot be called: parameter `messages` (`Value`) got no argument: 0 given by position, none of that name"].assert_eq(&refused(args!()).await);
}

#[tokio::test]
async fn its_pieces_are_chunks_for_subscribers() {
    let pieces = [
        ChatChunk::Text("Hi ".into()),
        ChatChunk::Text("there.".into()),
        ChatChunk::End { finish: Default::default(), usage: Default::default() },
    ];
    let automa = asking(ScriptedModel::new().pieces(pieces.clone()));
    let run = automa.run(args!("Hello?"));
    let events = run.events(EventFilter::all());
    run.outcome().await.unwrap();
    let chunks: Vec<ChatChunk> = events
        .filter_map(async |event| match &event.unwrap().kind {
            EventKind::Chunk { chunk, .. } => Some(chunk.get().unwrap()),
            _ => None,
        })
        .collect()
        .await;
    assert_eq!(chunks, pieces);
}

#[tokio::test]
async fn the_models_error_is_the_workers() {
    let away = ModelError::Connection { model: "scripted".into(), message: "it hung up".into() };
    let error =
        asking(ScriptedModel::new().fails(away)).run(args!("Hello?")).output::<ChatReply>().await;
    let error = error.unwrap_err();
    expect!["automa `asking`, step 1: worker `ask` failed: model `scripted`: it hung up"]
        .assert_eq(&error.to_string());
    let RunError::Step(step) = error else { panic!() };
    assert!(step.downcast_ref::<ModelError>().unwrap().is_retryable());
}
