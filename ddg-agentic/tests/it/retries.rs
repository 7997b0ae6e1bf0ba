//! A failed request is retried if a retry may help, within its time limit.

use std::time::Duration;

use ddg_agentic::ChatModel;
use ddg_agentic::model::{
    ChatChunk, ChatModelExt, ChatReply, ChatRequest, FinishReason, ModelError, ScriptedModel, Usage,
};
use ddg_core::worker::Retry;
use expect_test::expect;
use futures::{StreamExt, future, stream};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn status(status: u16, retry_after: Option<Duration>) -> ModelError {
    let (model, message) = ("scripted".to_owned(), "no".to_owned());
    ModelError::Status { model, status, message, retry_after }
}

fn away() -> ModelError {
    ModelError::Connection { model: "scripted".to_owned(), message: "it hung up".to_owned() }
}

fn request() -> ChatRequest {
    ChatRequest::new(["Hello?"])
}

fn retry() -> Retry {
    Retry::times(3).delay(SECOND)
}

fn text(text: &str) -> ChatChunk {
    ChatChunk::Text(text.to_owned())
}

fn end() -> ChatChunk {
    ChatChunk::End { finish: FinishReason::Stop, usage: Usage::default() }
}

/// What `model` gives as a whole, and after how many seconds.
async fn chat(model: &impl ChatModel) -> (Result<String, String>, u64) {
    let began = Instant::now();
    let reply = model.chat(request()).await;
    (reply.map(|reply| reply.message.text).map_err(|e| e.to_string()), began.elapsed().as_secs())
}

/// What `model` gives piece by piece: the pieces, the reply, and after how many seconds.
async fn streamed(model: &impl ChatModel) -> (String, Result<String, String>, u64) {
    let began = Instant::now();
    let mut pieces = Vec::new();
    let mut stream = async || {
        let stream = model.stream(request()).await?;
        stream.reply(|piece| pieces.push(piece.clone())).await
    };
    let reply = timeout(3600 * SECOND, stream()).await.expect("it ends");
    let pieces = pieces.iter().filter_map(|piece| match piece {
        ChatChunk::Text(text) => Some(text.as_str()),
        _ => None,
    });
    (
        pieces.collect::<Vec<_>>().join("|"),
        reply.map(|reply| reply.message.text).map_err(|e| e.to_string()),
        began.elapsed().as_secs(),
    )
}

#[tokio::test(start_paused = true)]
async fn retryable_errors_are_retried_with_growing_delays() {
    let script = ScriptedModel::new().fails(away()).fails(status(503, None)).text("Here.");
    assert_eq!(chat(&script.clone().retrying(retry())).await, (Ok("Here.".to_owned()), 1 + 2));
    script.assert_finished();
    assert!(script.requests().iter().all(|asked| *asked == request()));
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_reported_when_all_attempts_have_failed() {
    let script = ScriptedModel::new()
        .fails(away())
        .fails(away())
        .fails(status(408, None))
        .fails(status(500, None));
    let (reply, seconds) = chat(&script.clone().retrying(retry())).await;
    expect!["model `scripted`: the provider answered 500: no"].assert_eq(&reply.unwrap_err());
    assert_eq!((seconds, script.n_left()), (1 + 2 + 4, 0));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_retryable_is_not_retried() {
    let malformed = ModelError::Malformed { model: "scripted".into(), message: "html".into() };
    for error in [status(400, None), status(401, None), malformed] {
        let script = ScriptedModel::new().fails(error.clone()).text("never");
        let (reply, seconds) = chat(&script.clone().retrying(retry())).await;
        assert_eq!((reply, seconds, script.n_left()), (Err(error.to_string()), 0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_left_alone_for_as_long_as_it_asks_for() {
    let busy = status(429, Some(7 * SECOND));
    let script = ScriptedModel::new().fails(busy.clone()).fails(busy).text("Here.");
    assert_eq!(chat(&script.retrying(Retry::times(2))).await, (Ok("Here.".to_owned()), 14));

    // Less than the wait there would be anyway changes nothing.
    let script = ScriptedModel::new().fails(status(429, Some(SECOND))).text("Here.");
    let model = script.retrying(Retry::times(1).delay(5 * SECOND));
    assert_eq!(chat(&model).await, (Ok("Here.".to_owned()), 5));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_too_long_is_given_up_at_once() {
    let script = ScriptedModel::new().fails(status(429, Some(61 * SECOND))).text("Here.");
    let (reply, seconds) = chat(&script.clone().retrying(retry())).await;
    assert_eq!((reply.is_err(), seconds), (true, 0));

    let script = ScriptedModel::new().fails(status(429, Some(61 * SECOND))).text("Here.");
    let patient = script.retrying(retry()).longest_retry_after(100 * SECOND);
    assert_eq!(chat(&patient).await, (Ok("Here.".to_owned()), 61));
}

#[tokio::test(start_paused = true)]
async fn jitter_makes_a_wait_up_to_twice_as_long() {
    let script = ScriptedModel::new().fails(away()).text("Here.");
    let began = Instant::now();
    script.retrying(Retry::times(1).delay(SECOND).jitter()).chat(request()).await.unwrap();
    // The clock counts in whole milliseconds.
    assert!((SECOND..=2 * SECOND + SECOND / 1000).contains(&began.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time() {
    let script = ScriptedModel::new()
        .text("late")
        .after(sleep(11 * SECOND))
        .text("in time")
        .after(sleep(9 * SECOND));
    let model = script.retrying(retry()).timeout(10 * SECOND);
    let began = Instant::now();
    assert_eq!(model.chat(request()).await.unwrap().message.text, "in time");
    // 10 for the first; the second's gate was shut when the script was written.
    assert_eq!(began.elapsed().as_secs(), 11);

    let script = ScriptedModel::new().text("never").after(future::pending::<()>());
    let (reply, seconds) = chat(&script.retrying(Retry::times(0)).timeout(10 * SECOND)).await;
    expect!["model `scripted`: no reply within 10s"].assert_eq(&reply.unwrap_err());
    assert_eq!(seconds, 10);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_for_again_before_its_first_piece() {
    let script = ScriptedModel::new()
        .fails(away())
        .streams(stream::iter([Err(away())]))
        .pieces([])
        .pieces([text("He"), text("re."), end()]);
    let (pieces, reply, seconds) = streamed(&script.clone().retrying(retry())).await;
    assert_eq!((pieces.as_str(), reply, seconds), ("He|re.", Ok("Here.".to_owned()), 1 + 2 + 4));
    script.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_in_its_middle_begins_anew() {
    let script = ScriptedModel::new()
        .streams(stream::iter([Ok(text("He")), Err(away())]))
        .pieces([text("Hel")])
        .fails(status(503, None))
        .text("Hello.");
    let model = script.clone().retrying(retry());
    let (pieces, reply, seconds) = streamed(&model).await;
    assert_eq!((pieces.as_str(), reply), ("He|Hel|Hello.", Ok("Hello.".to_owned())));
    assert_eq!((seconds, script.n_left()), (1 + 2 + 4, 0));
    // What is no use is not asked for again, nor is anything without bound.
    let script = ScriptedModel::new()
        .streams(stream::iter([Ok(text("He")), Err(status(400, None))]))
        .text("never");
    let (_, reply, _) = streamed(&script.clone().retrying(retry())).await;
    assert!(reply.unwrap_err().contains("400"));
    assert_eq!(script.n_left(), 1);
    let script = (0..5).fold(ScriptedModel::new(), |script, _| script.pieces([text("He")]));
    let (_, reply, _) = streamed(&script.clone().retrying(Retry::times(2))).await;
    expect!["model `scripted`: the stream of its reply broke off before the end"]
        .assert_eq(&reply.unwrap_err());
    assert_eq!(script.n_left(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_the_time_for_its_first_piece_and_from_piece_to_piece() {
    // `n` pieces with a wait of this many seconds before each.
    let slow = |n: usize, seconds: u32| {
        let pieces = (0..n).map(|n| if n == 2 { end() } else { text("x") });
        stream::iter(pieces).then(move |piece| async move {
            sleep(seconds * SECOND).await;
            Ok(piece)
        })
    };
    let script = ScriptedModel::new().streams(slow(3, 11)).streams(slow(3, 9));
    let model = script.retrying(retry()).timeout(10 * SECOND);
    let (pieces, reply, seconds) = streamed(&model).await;
    assert_eq!((pieces.as_str(), reply, seconds), ("x|x", Ok("xx".to_owned()), 10 + 1 + 27));

    let script = ScriptedModel::new().streams(slow(1, 1).chain(stream::pending())).text("y");
    let model = script.clone().retrying(retry()).timeout(10 * SECOND);
    let (pieces, reply, seconds) = streamed(&model).await;
    assert_eq!((pieces.as_str(), reply), ("x|y", Ok("y".to_owned())));
    assert_eq!((seconds, script.n_left()), (11 + 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_reply_even_if_the_provider_does_not_hang_up() {
    let open = stream::iter([Ok(text("x")), Ok(end())]).chain(stream::pending());
    let model = ScriptedModel::new().streams(open).retrying(retry()).timeout(SECOND);
    let pieces = model.stream(request()).await.unwrap().count();
    assert_eq!(timeout(3600 * SECOND, pieces).await.expect("it ends"), 2);
}

#[tokio::test]
async fn it_says_of_itself_what_the_model_says() {
    let reply = ChatReply::text("x").usage(Usage::new(3, 4));
    let script = ScriptedModel::new().named("mine").reply(reply.clone()).reply(reply.clone());
    let model = script.clone().retrying(retry()).timeout(SECOND);
    assert_eq!((model.name(), model.capabilities()), ("mine", ChatModel::capabilities(&script)));
    assert_eq!(model.chat(request()).await.unwrap(), reply);
    let stream = model.stream(request()).await.unwrap();
    assert_eq!(stream.reply(|_| ()).await.unwrap(), reply);
}
