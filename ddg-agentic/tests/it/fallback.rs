//! If a model fails, the next one is asked; the reply says which one replied, and why others
//! failed.

use std::time::Duration;

use ddg_agentic::ChatModel;
use ddg_agentic::model::{
    Capabilities, ChatChunk, ChatModelExt, ChatRequest, Fallback, FinishReason, ModelError,
    ScriptedModel, Usage,
};
use ddg_core::worker::Retry;
use expect_test::expect;
use futures::stream;

fn away(model: &str) -> ModelError {
    ModelError::Connection { model: model.to_owned(), message: "it hung up".to_owned() }
}

fn status(model: &str, status: u16, retry_after: Option<u64>) -> ModelError {
    let (model, message) = (model.to_owned(), "no".to_owned());
    ModelError::Status { model, status, message, retry_after: retry_after.map(Duration::from_secs) }
}

fn request() -> ChatRequest {
    ChatRequest::new(["Hello?"])
}

fn scripted(name: &str) -> ScriptedModel {
    ScriptedModel::new().named(name)
}

#[tokio::test]
async fn the_first_that_replies_is_the_last_that_is_asked() {
    let (a, b, c) = (
        scripted("a").fails(status("a", 401, None)),
        scripted("b").text("Here."),
        scripted("c").text("never"),
    );
    let model = Fallback::new(a.clone()).or(b.clone()).or(c.clone());
    let reply = model.chat(request()).await.unwrap();
    assert_eq!((reply.message.text.as_str(), reply.model.as_deref()), ("Here.", Some("b")));
    assert_eq!([a.n_left(), b.n_left(), c.n_left()], [0, 0, 1]);
    assert!([a, b].iter().all(|model| model.requests() == [request()]));
}

#[tokio::test]
async fn when_no_model_replies_all_errors_are_reported() {
    let model = Fallback::new(scripted("a").fails(away("a")))
        .or(scripted("b").fails(status("b", 429, Some(9))))
        .or(scripted("c").fails(status("c", 401, None)));
    let error = model.chat(request()).await.unwrap_err();
    expect![[r#"
        none of 3 models replied:
        - model `a`: it hung up
        - model `b`: the provider answered 429: no
        - model `c`: the provider answered 401: no"#]]
    .assert_eq(&error.to_string());
    // `a` may be asked again at once.
    assert_eq!((error.is_retryable(), error.retry_after()), (true, None));
}

#[tokio::test]
async fn all_together_may_be_worth_another_try_or_not() {
    let all = |failures: [ModelError; 2]| ModelError::AllFailed { failures: failures.into() };
    let hopeless = all([status("a", 401, None), status("b", 400, None)]);
    assert_eq!((hopeless.is_retryable(), hopeless.retry_after()), (false, None));
    let busy = all([status("a", 429, Some(9)), status("b", 503, Some(4))]);
    assert_eq!((busy.is_retryable(), busy.retry_after()), (true, Some(Duration::from_secs(4))));
    let half = all([status("a", 400, None), status("b", 503, Some(4))]);
    assert_eq!((half.is_retryable(), half.retry_after()), (true, Some(Duration::from_secs(4))));
}

#[tokio::test(start_paused = true)]
async fn each_has_retries_of_its_own() {
    let a = scripted("a").fails(away("a")).fails(away("a")).text("never");
    let b = scripted("b").fails(away("b")).text("Here.");
    let again = |model: &ScriptedModel| model.clone().retrying(Retry::times(1));
    let model = Fallback::new(again(&a)).or(again(&b));
    assert_eq!(model.chat(request()).await.unwrap().message.text, "Here.");
    assert_eq!((a.n_left(), b.n_left()), (1, 0));
}

#[tokio::test]
async fn a_stream_goes_over_to_the_next_wherever_it_breaks() {
    let text = |text: &str| ChatChunk::Text(text.to_owned());
    let end = ChatChunk::End { finish: FinishReason::Stop, usage: Usage::new(1, 2) };
    let a = scripted("a")
        .streams(stream::iter([Err(away("a"))]))
        .streams(stream::iter([Ok(text("H")), Err(away("a"))]));
    let b = scripted("b").pieces([text("He"), text("re."), end]).text("Hello.");
    let model = Fallback::new(a).or(b.clone());

    let reply = model.stream(request()).await.unwrap().reply(|_| ()).await.unwrap();
    assert_eq!((reply.message.text.as_str(), reply.model.as_deref()), ("Here.", Some("b")));

    let mut pieces = Vec::new();
    let stream = model.stream(request()).await.unwrap();
    let reply = stream.reply(|piece| pieces.push(piece.clone())).await.unwrap();
    assert_eq!((reply.message.text.as_str(), reply.model.as_deref()), ("Hello.", Some("b")));
    assert_eq!(pieces[..2], [text("H"), ChatChunk::Restart { model: Some("b".into()) }]);
    assert_eq!(b.n_left(), 0);
    let error = model.stream(request()).await.unwrap_err();
    assert!(matches!(error, ModelError::AllFailed { failures } if failures.len() == 2));
}

#[tokio::test]
async fn of_nested_ones_the_innermost_is_named() {
    let inner = Fallback::new(scripted("a").fails(away("a")).fails(away("a")))
        .or(scripted("b").text("x").text("y"));
    let outer = Fallback::new(inner).or(scripted("c"));
    assert_eq!(outer.name(), "a or b or c");
    assert_eq!(outer.chat(request()).await.unwrap().model.as_deref(), Some("b"));
    let stream = outer.stream(request()).await.unwrap();
    assert_eq!(stream.reply(|_| ()).await.unwrap().model.as_deref(), Some("b"));
}

#[test]
fn it_can_do_what_all_can_do() {
    let able = Capabilities::default().images(true);
    let a = scripted("a").capabilities(able.streaming(false));
    let b = scripted("b").capabilities(able.output_schema(false));
    assert_eq!(Fallback::new(a.clone()).capabilities(), able.streaming(false));
    let both = Fallback::new(a).or(b).capabilities();
    assert_eq!(both, able.streaming(false).output_schema(false));
}
