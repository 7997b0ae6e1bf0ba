//! Runs whose model answers with text.

use ddg_agentic::assistants::{
    EventContent, MessageParams, MessageStatus, Order, Paging, RunParams, RunStatus, StepStatus,
};
use ddg_agentic::model::{FinishReason, ModelError, ScriptedModel, ToolChoice};
use serde_json::json;

use crate::fixture::{Fixture, all, data, end, trace, words};

fn asc() -> Paging {
    let mut paging = Paging::default();
    paging.order = Some(Order::Asc);
    paging
}

/// [assistants run 3.1] [assistants http 5] [assistants http 6]
#[tokio::test]
async fn a_text_is_streamed_in_the_order_that_clients_need() {
    let model = ScriptedModel::new().pieces(words(&["It ", "is ", "sunny."]));
    let fixture = Fixture::new(model).await;
    let (events, run) = fixture.started(json!({}), json!({})).await;
    assert_eq!((run.status, run.instructions.as_str()), (RunStatus::Queued, ""));
    let live = all(events).await;
    let expected = "run.created\nrun.queued\nrun.in_progress\nrun.step.created\nrun.step.in_progress\n\
                    message.created\nmessage.in_progress\nmessage.delta x3\nmessage.completed\n\
                    run.step.completed\nrun.completed";
    assert_eq!(trace(&live), expected);
    let numbers: Vec<_> = live.iter().map(|event| event.number).collect();
    assert!(numbers.iter().copied().eq(1..=live.len() as u64), "{numbers:?}");
    // A replay equals what was seen live, from anywhere.
    assert_eq!(fixture.events(&run.id).await, live);
    let from = all(fixture.ada.run(&run.id).events(Some(8)).await.unwrap()).await;
    assert_eq!(from, live[8..]);

    let texts: Vec<_> = live
        .iter()
        .filter(|event| event.name == "thread.message.delta")
        .map(|event| data(event)["delta"]["content"][0]["text"]["value"].clone())
        .collect();
    assert_eq!(texts, ["It ", "is ", "sunny."]);
    let EventContent::Message(message) = live[10].content().unwrap() else { panic!() };
    assert_eq!(
        (message.text().as_str(), message.status),
        ("It is sunny.", MessageStatus::Completed)
    );
    let EventContent::Run(ended) = live.last().unwrap().content().unwrap() else { panic!() };
    assert_eq!(*ended, fixture.ada.run(&run.id).outcome().await.unwrap());
    assert_eq!(ended.usage.unwrap().total_tokens, 15);
    assert!(ended.completed_at.is_some() && ended.expires_at.is_none());
}

/// [assistants run 2.1] [assistants run 5.1] [assistants run 5.6]
#[tokio::test]
async fn settings_are_inherited_and_reach_the_model() {
    let model = ScriptedModel::new().text("one").text("two");
    let fixture = Fixture::new(model.clone()).await;
    let assistant = json!({
        "instructions": "Be brief.", "temperature": 0, "top_p": 0.5, "reasoning_effort": "low",
        "response_format": { "type": "json_object" }, "extra_body": { "seed": 1, "user": "a" },
    });
    let run = fixture
        .run(
            assistant.clone(),
            json!({ "additional_instructions": "In English.",
        "extra_body": { "seed": 2 }, "max_completion_tokens": 100 }),
        )
        .await;
    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!(run.instructions, "Be brief.\nIn English.");
    let asked = &model.requests()[0];
    assert_eq!(asked.messages[0].text(), "Be brief.\nIn English.");
    assert_eq!(
        (asked.temperature, asked.top_p, asked.max_output_tokens),
        (Some(0.0), Some(0.5), Some(100))
    );
    assert_eq!(
        json!(asked.extra_body),
        json!({
            "seed": 2, "user": "a", "response_format": { "type": "json_object" },
        })
    );
    assert_eq!(asked.tool_choice, ToolChoice::Auto);

    let run = fixture
        .run(assistant, json!({ "instructions": "Be long.", "temperature": 1, "model": "other" }))
        .await;
    assert_eq!((run.temperature, run.model.as_str()), (Some(1.0), "other"));
    assert_eq!(run.extra_body["seed"], 1);
    assert_eq!(model.requests()[1].messages[0].text(), "Be long.");
}

/// [assistants run 5.2] [assistants http 2]
#[tokio::test]
async fn additional_messages_are_part_of_the_thread() {
    let model = ScriptedModel::new().text("Yes.").expects_last("And tomorrow?");
    let fixture = Fixture::new(model).await;
    let run = fixture
        .run(
            json!({}),
            json!({ "additional_messages": [{ "role": "user", "content": "And tomorrow?" }] }),
        )
        .await;
    let messages = fixture.ada.list_messages(&run.thread_id, None, &asc()).await.unwrap().data;
    let texts: Vec<_> = messages.iter().map(ddg_agentic::assistants::Message::text).collect();
    assert_eq!(texts, ["How is the weather?", "And tomorrow?", "Yes."]);
    let of_run =
        fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data;
    assert_eq!(of_run.len(), 2);
}

/// [assistants run 3.8]
#[tokio::test]
async fn an_empty_answer_is_an_empty_completed_message() {
    let fixture = Fixture::new(ScriptedModel::new().pieces(words(&[]))).await;
    let run = fixture.run(json!({}), json!({})).await;
    assert_eq!(run.status, RunStatus::Completed);
    let messages =
        fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data;
    assert_eq!((messages[0].text().as_str(), messages[0].status), ("", MessageStatus::Completed));
}

/// [assistants run 5.4] [assistants states 6]
#[tokio::test]
async fn a_reply_that_was_cut_off_is_incomplete_and_a_filtered_one_leaves_the_run_completed() {
    for (finish, reason, status) in [
        (FinishReason::Length, "max_tokens", RunStatus::Incomplete),
        (FinishReason::ContentFilter, "content_filter", RunStatus::Completed),
    ] {
        let mut pieces = words(&["It is"]);
        *pieces.last_mut().unwrap() = end(finish);
        let fixture = Fixture::new(ScriptedModel::new().pieces(pieces)).await;
        let run = fixture.run(json!({}), json!({})).await;
        assert_eq!(run.status, status);
        let message =
            &fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data
                [0];
        assert_eq!((message.text().as_str(), message.status), ("It is", MessageStatus::Incomplete));
        assert_eq!(message.incomplete_details.as_ref().unwrap().reason, reason);
        if status == RunStatus::Incomplete {
            assert_eq!(run.incomplete_details.unwrap().reason, "max_completion_tokens");
        }
    }
}

/// [assistants states 7] [assistants http 7]
#[tokio::test]
async fn a_failure_of_the_model_ends_the_stream_with_the_run_and_its_error() {
    let broken = |code: u16| ModelError::Status {
        model: "m".to_owned(),
        status: code,
        message: "no".to_owned(),
        retry_after: None,
    };
    for (status, code) in
        [(400, "invalid_prompt"), (429, "rate_limit_exceeded"), (500, "server_error")]
    {
        let fixture = Fixture::new(ScriptedModel::new().fails(broken(status))).await;
        let run = fixture.run(json!({}), json!({})).await;
        assert_eq!(run.status, RunStatus::Failed);
        assert_eq!(run.last_error.unwrap().code, code);
        let events = fixture.events(&run.id).await;
        assert_eq!(trace(&events), "run.created\nrun.queued\nrun.in_progress\nrun.failed\nerror");
        let error = data(events.last().unwrap());
        assert_eq!((&error["code"], &error["error"]["code"]), (&json!(code), &json!(code)));
    }
}

/// [assistants states 7] [assistants known failures]
#[tokio::test]
async fn a_stream_that_breaks_leaves_an_incomplete_message() {
    let mut pieces = words(&["It is"]);
    pieces.pop();
    let fixture = Fixture::new(ScriptedModel::new().pieces(pieces)).await;
    let run = fixture.run(json!({}), json!({})).await;
    let events = fixture.events(&run.id).await;
    let expected = "run.step.failed\nmessage.incomplete\nrun.failed\nerror";
    assert!(trace(&events).ends_with(expected), "{}", trace(&events));
    let message =
        &fixture.ada.list_messages(&run.thread_id, Some(&run.id), &asc()).await.unwrap().data[0];
    assert_eq!(message.text(), "It is");
    assert_eq!(message.incomplete_details.as_ref().unwrap().reason, "run_failed");
    let steps = fixture.ada.list_steps(&run.thread_id, &run.id, &asc()).await.unwrap().data;
    assert_eq!(steps[0].status, StepStatus::Failed);
    // The thread is free again.
    fixture.ada.create_message(&run.thread_id, MessageParams::user("again")).await.unwrap();
}

/// [assistants run 5.4]
#[tokio::test]
async fn limits_of_tokens_end_a_run() {
    let fixture = Fixture::new(ScriptedModel::new().pieces(words(&["long"]))).await;
    let run = fixture.run(json!({}), json!({ "max_prompt_tokens": 9 })).await;
    assert_eq!(run.status, RunStatus::Incomplete);
    assert_eq!(run.incomplete_details.unwrap().reason, "max_prompt_tokens");
}

/// [assistants states 3] [assistants known failures]
#[tokio::test]
async fn a_thread_has_one_active_run_and_nothing_is_added_meanwhile() {
    let model = ScriptedModel::new().text("late").after(std::future::pending::<()>());
    let fixture = Fixture::new(model).await;
    let (_, run) = fixture.started(json!({}), json!({})).await;
    let (thread, assistant) = (&run.thread_id, &run.assistant_id);
    let error = fixture.ada.create_run(thread, RunParams::new(assistant)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Thread {thread} already has an active run {}.", run.id));
    assert_eq!(error.kind(), "invalid_request_error");
    let error = fixture.ada.create_message(thread, MessageParams::user("x")).await.unwrap_err();
    let expected = format!("Can't add messages to {thread} while a run {} is active.", run.id);
    assert_eq!(error.to_string(), expected);
    assert!(fixture.ada.delete_thread(thread).await.is_err());
    let message = &fixture.ada.list_messages(thread, None, &asc()).await.unwrap().data[0].id;
    assert!(fixture.ada.delete_message(thread, message).await.is_err());
}

/// [assistants http 10] [assistants known failures]
#[tokio::test]
async fn a_thread_that_is_created_with_its_run_is_told_first_and_the_run_begins() {
    let fixture = Fixture::new(ScriptedModel::new().text("Hi.").expects_last("hello")).await;
    let assistant = fixture.assistant(json!({})).await;
    let body = json!({
        "assistant_id": assistant, "thread": { "messages": [{ "role": "user", "content": "hello" }] },
    });
    let started =
        fixture.ada.create_thread_and_run(RunParams::with_thread(body).unwrap()).await.unwrap();
    let events = trace(&all(started.events).await);
    assert!(events.starts_with("created\nrun.created\nrun.queued\nrun.in_progress"), "{events}");
    assert!(events.ends_with("run.completed"), "{events}");
}

/// [assistants http 9] One reader takes nothing; the run ends, and another reader gets everything.
#[tokio::test]
async fn a_reader_that_is_slow_slows_nobody() {
    let two_thousand = vec!["word "; 2000];
    let fixture = Fixture::new(ScriptedModel::new().pieces(words(&two_thousand))).await;
    let (mut slow, run) = fixture.started(json!({}), json!({})).await;
    assert_eq!(slow.next().await.unwrap().unwrap().name, "thread.run.created");
    let ended = fixture.ada.run(&run.id).outcome().await.unwrap();
    assert_eq!(ended.status, RunStatus::Completed);
    let quick = fixture.events(&run.id).await;
    assert_eq!(quick.iter().filter(|event| event.name == "thread.message.delta").count(), 2000);
    // What the slow one has left is all still there.
    assert_eq!(all(slow).await, quick[1..]);
}

/// [assistants run 7.5]
#[tokio::test]
async fn what_a_model_has_said_is_read_as_one_text() {
    let mut cut = words(&["It is"]);
    *cut.last_mut().unwrap() = end(FinishReason::Length);
    let model = ScriptedModel::new().pieces(cut).text("Sunny.");
    let fixture = Fixture::new(model.clone()).await;
    let run = fixture.run(json!({}), json!({})).await;
    assert_eq!(run.status, RunStatus::Incomplete);
    let parts = json!([{ "type": "text", "text": "And " }, { "type": "text", "text": "then?" }]);
    let body = json!({ "role": "assistant", "content": parts });
    let said = MessageParams::try_from(body).unwrap();
    fixture.ada.create_message(&run.thread_id, said).await.unwrap();
    let params = RunParams::new(&run.assistant_id);
    let started = fixture.ada.create_run(&run.thread_id, params).await.unwrap();
    fixture.ada.run(&started.run.id).outcome().await.unwrap();
    let asked: Vec<_> =
        model.requests()[1].messages.iter().map(ddg_agentic::Message::text).collect();
    assert_eq!(asked, ["How is the weather?", "It is", "And then?"]);
}
