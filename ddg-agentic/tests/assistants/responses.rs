//! Responses and conversations: another view of the same rows.

use ddg_agentic::assistants::{
    ConversationParams, Event, EventContent, Item, MessageParams, Order, Paging, Response,
    ResponseParams, ResponseStatus, StartedResponse, Tenant,
};
use ddg_agentic::model::{ChatChunk, ModelError, ScriptedModel};
use ddg_agentic::prelude::ReActAutoma;
use ddg_agentic::{Message, Toolbox, tool};
use futures::{StreamExt, stream};
use serde_json::{Value as Json, json};

use crate::fixture::{Fixture, all, calls, data, trace, words};

/// Doubles a number.
#[tool]
async fn double(n: i64) -> i64 {
    2 * n
}

fn asc() -> Paging {
    let mut paging = Paging::default();
    paging.order = Some(Order::Asc);
    paging
}

async fn start(tenant: &Tenant, body: Json) -> StartedResponse {
    let params = ResponseParams::try_from(body).unwrap();
    tenant.create_response(params).await.unwrap()
}

async fn respond(tenant: &Tenant, body: Json) -> (Response, Vec<Event>) {
    let started = start(tenant, body).await;
    let events = all(started.events).await;
    (tenant.response_outcome(&started.response.id).await.unwrap(), events)
}

async fn refused(tenant: &Tenant, body: Json) -> String {
    let params = ResponseParams::try_from(body).unwrap();
    tenant.create_response(params).await.unwrap_err().to_string()
}

fn function() -> Json {
    json!({ "type": "function", "name": "weather", "parameters": { "type": "object", "properties": {} } })
}

/// [assistants responses 8]
#[tokio::test]
async fn a_text_is_streamed_in_the_order_that_clients_need() {
    let fixture = Fixture::new(ScriptedModel::new().pieces(words(&["It ", "rains."]))).await;
    let (response, events) =
        respond(&fixture.ada, json!({ "model": "m", "input": "Weather?" })).await;
    let expected = "created\nin_progress\noutput_item.added\ncontent_part.added\noutput_text.delta x2\n\
                    output_text.done\ncontent_part.done\noutput_item.done\ncompleted";
    assert_eq!(trace(&events), expected);
    for (n, event) in events.iter().enumerate() {
        let data = data(event);
        assert_eq!((event.number, data["sequence_number"].as_u64()), (n as u64, Some(n as u64)));
        assert_eq!(data["type"], event.name.as_str());
    }
    let EventContent::Response(ended) = events.last().unwrap().content().unwrap() else { panic!() };
    assert_eq!(*ended, response);
    assert_eq!(
        json!(response.output),
        json!([{
            "type": "message", "id": response.output[0].id(), "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": "It rains.", "annotations": [], "logprobs": [] }],
        }])
    );
    let usage = response.usage.clone().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (10, 5, 15));
    let replay = all(fixture.ada.response_events(&response.id, Some(4)).await.unwrap()).await;
    assert_eq!(replay, events[5..]);
    let inputs = fixture.ada.list_input_items(&response.id, &asc()).await.unwrap().data;
    assert_eq!(json!(inputs[0])["content"], json!([{ "type": "input_text", "text": "Weather?" }]));
}

/// [assistants responses 2] [assistants responses 4] [assistants responses 10]
#[tokio::test]
async fn a_call_of_the_clients_function_completes_the_response_and_the_next_brings_the_output() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("call_1", "weather", "{}")]))
        .pieces(words(&["Sunny."]));
    let fixture = Fixture::new(model.clone()).await;
    let tools = json!([function(), { "type": "web_search" }]);
    let (first, events) = respond(
        &fixture.ada,
        json!({ "model": "m", "input": "Weather?", "tools": tools, "unknown": 1 }),
    )
    .await;
    let expected = "created\nin_progress\noutput_item.added\nfunction_call_arguments.delta\n\
                    function_call_arguments.done\noutput_item.done\ncompleted";
    assert_eq!(trace(&events), expected);
    assert_eq!(data(&events[2])["item"]["arguments"], "");
    let Item::FunctionCall { call_id, name, arguments, .. } = &first.output[0] else { panic!() };
    assert_eq!((call_id.as_str(), name.as_str(), arguments.as_str()), ("call_1", "weather", "{}"));
    assert_eq!(first.status, ResponseStatus::Completed);

    let open = json!({ "model": "m", "previous_response_id": first.id, "input": "Well?" });
    assert!(refused(&fixture.ada, open).await.contains("call_1"));
    let output =
        |id: &str| json!([{ "type": "function_call_output", "call_id": id, "output": "sun" }]);
    let wrong =
        json!({ "model": "m", "previous_response_id": first.id, "input": output("call_2") });
    assert!(refused(&fixture.ada, wrong).await.contains("call_2"));
    let body = json!({ "model": "m", "previous_response_id": first.id, "input": output("call_1") });
    let (second, _) = respond(&fixture.ada, body).await;
    assert_eq!(second.previous_response_id.as_deref(), Some(first.id.as_str()));
    let asked: Vec<_> = model.requests()[1].messages.iter().map(Message::text).collect();
    assert_eq!(asked, ["Weather?", "", "sun"]);
    let unknown = json!({ "model": "m", "previous_response_id": "resp_x", "input": "x" });
    let error = fixture.ada.create_response(ResponseParams::try_from(unknown).unwrap()).await;
    assert_eq!(error.unwrap_err().kind(), "not_found_error");
}

/// [assistants responses 5]
#[tokio::test]
async fn tools_of_the_server_run_inside_one_response_and_their_results_are_kept() {
    let model = ScriptedModel::new()
        .pieces(calls(&[("a", "double", r#"{"n":4}"#)]))
        .pieces(calls(&[("b", "double", r#"{"n":5}"#), ("c", "weather", "{}")]))
        .text("Done.");
    let tools = Toolbox::builder().with(double::tool()).build().unwrap();
    let fixture = Fixture::with(|builder| builder.model(model.clone()).tools(tools)).await;
    let tools = json!([{ "type": "double" }, function()]);
    let (first, events) =
        respond(&fixture.ada, json!({ "model": "m", "input": "Go", "tools": tools })).await;
    let kinds: Vec<_> = first.output.iter().map(|item| json!(item)["type"].clone()).collect();
    assert_eq!(kinds, ["mcp_call", "function_call", "mcp_call"]);
    let added: Vec<_> = events
        .iter()
        .filter(|event| event.name == "response.output_item.added")
        .map(|event| data(event)["output_index"].clone())
        .collect();
    assert_eq!(added, [0, 1, 2]);
    let output = json!([{ "type": "function_call_output", "call_id": "c", "output": "sun" }]);
    respond(
        &fixture.ada,
        json!({ "model": "m", "previous_response_id": first.id, "input": output }),
    )
    .await;
    let asked: Vec<_> = model.requests()[2].messages.iter().map(Message::text).collect();
    assert_eq!(asked[..3], ["Go", "", "8"]);
    let mut last = asked[4..].to_vec();
    last.sort();
    assert_eq!(last, ["10", "sun"]);
}

/// [assistants responses 1] [assistants responses 6]
#[tokio::test]
async fn a_conversation_is_a_thread_and_grows_with_responses_that_end_well() {
    let failure = ModelError::Status {
        model: "m".to_owned(),
        status: 500,
        message: "no".to_owned(),
        retry_after: None,
    };
    let model = ScriptedModel::new().text("Hello Ada.").fails(failure).text("Ada.");
    let fixture = Fixture::new(model.clone()).await;
    let items =
        json!({ "items": [{ "role": "user", "content": "Hi." }], "metadata": { "k": "v" } });
    let params = ConversationParams::try_from(items).unwrap();
    let conversation = fixture.ada.create_conversation(params).await.unwrap();
    let body = |input: &str| json!({ "model": "m", "conversation": { "id": conversation.id }, "input": input });
    let (first, _) = respond(&fixture.ada, body("I am Ada.")).await;
    assert_eq!(first.conversation, Some(json!({ "id": conversation.id })));
    let (failed, events) = respond(&fixture.ada, body("Lost.")).await;
    assert_eq!(failed.status, ResponseStatus::Failed);
    assert_eq!(trace(&events), "created\nin_progress\nfailed");
    respond(&fixture.ada, body("Who am I?")).await;
    let asked: Vec<_> = model.requests()[2].messages.iter().map(Message::text).collect();
    assert_eq!(asked, ["Hi.", "I am Ada.", "Hello Ada.", "Who am I?"]);

    let thread = fixture.ada.thread(&conversation.id).await.unwrap();
    assert_eq!(thread.metadata["k"], "v");
    let messages = fixture.ada.list_messages(&conversation.id, None, &asc()).await.unwrap().data;
    let texts: Vec<_> = messages.iter().map(ddg_agentic::assistants::Message::text).collect();
    assert_eq!(texts, ["Hi.", "I am Ada.", "Hello Ada.", "Who am I?", "Ada."]);
    let items = fixture.ada.list_items(&conversation.id, &asc()).await.unwrap().data;
    assert_eq!(items.len(), 5);
    let left = fixture.ada.delete_item(&conversation.id, items[0].id()).await.unwrap();
    assert_eq!(left.id, conversation.id);
    let deleted = fixture.ada.delete_conversation(&conversation.id).await.unwrap();
    assert_eq!(deleted.object, "conversation.deleted");
    // A thread is a conversation, too.
    let thread = fixture.thread(&["hi"]).await;
    assert_eq!(fixture.ada.conversation(&thread).await.unwrap().object, "conversation");
}

/// [assistants responses 9]
#[tokio::test]
async fn a_busy_conversation_refuses_and_an_ended_response_cannot_be_cancelled() {
    let words: Vec<_> = vec![Ok(ChatChunk::Text("It".to_owned()))];
    let model = ScriptedModel::new().streams(stream::iter(words).chain(stream::pending()));
    let fixture = Fixture::new(model).await;
    let conversation =
        fixture.ada.create_conversation(ConversationParams::default()).await.unwrap().id;
    let body =
        json!({ "model": "m", "conversation": conversation, "input": "x", "background": true });
    let mut started = start(&fixture.ada, body.clone()).await;
    assert_eq!(started.response.status, ResponseStatus::Queued);
    while let Some(event) = started.events.next().await {
        if event.unwrap().name == "response.output_text.delta" {
            break;
        }
    }
    let error =
        fixture.ada.create_response(ResponseParams::try_from(body).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), "invalid_request_error");
    let busy = fixture.ada.create_message(&conversation, MessageParams::user("x")).await;
    assert!(busy.is_err());
    let cancelled = fixture.ada.cancel_response(&started.response.id).await.unwrap();
    assert_eq!(cancelled.status, ResponseStatus::Cancelled);
    let again = fixture.ada.cancel_response(&started.response.id).await.unwrap_err();
    assert_eq!(again.kind(), "invalid_request_error");
    assert!(fixture.ada.list_items(&conversation, &asc()).await.unwrap().data.is_empty());
}

/// [assistants responses 11]
#[tokio::test]
async fn what_is_not_kept_is_gone_when_it_has_ended() {
    let fixture = Fixture::new(ScriptedModel::new().text("Secret.").text("Kept.")).await;
    let (response, _) =
        respond(&fixture.ada, json!({ "model": "m", "input": "x", "store": false })).await;
    assert_eq!(response.status, ResponseStatus::Completed);
    assert_eq!(fixture.ada.response(&response.id).await.unwrap_err().kind(), "not_found_error");
    fixture.assistants.sweep().await.unwrap();
    assert!(fixture.ada.response_outcome(&response.id).await.is_err());
    let (kept, _) = respond(&fixture.ada, json!({ "model": "m", "input": "x" })).await;
    assert_eq!(fixture.ada.response(&kept.id).await.unwrap(), kept);
    assert_eq!(fixture.ada.delete_response(&kept.id).await.unwrap().object, "response.deleted");
    assert!(fixture.ada.response(&kept.id).await.is_err());
}

/// [assistants responses 7]
#[tokio::test]
async fn an_agent_of_the_server_is_named_as_a_model() {
    let inner = ScriptedModel::new().pieces(calls(&[("a", "double", r#"{"n":21}"#)])).text("42");
    let tools = Toolbox::builder().with(double::tool()).build().unwrap();
    let agent = ReActAutoma::new(inner.clone()).system("You count.").tools(tools);
    let fixture =
        Fixture::with(|builder| builder.model(ScriptedModel::new()).agent("counter", agent)).await;
    let (response, _) =
        respond(&fixture.ada, json!({ "model": "counter", "input": "Twice 21?" })).await;
    assert_eq!(response.status, ResponseStatus::Completed);
    assert_eq!(json!(response.output[0])["content"][0]["text"], "42");
    inner.assert_finished();
    assert_eq!(fixture.assistants.agents().collect::<Vec<_>>(), ["counter"]);
}

/// [assistants responses 3]
#[tokio::test]
async fn instructions_are_for_one_response() {
    let model = ScriptedModel::new().text("One.").text("Two.");
    let fixture = Fixture::new(model.clone()).await;
    let body = json!({ "model": "m", "input": "one", "instructions": "Be brief.", "metadata": { "k": "v" } });
    let (first, _) = respond(&fixture.ada, body).await;
    assert_eq!(
        (json!(first)["instructions"].as_str(), &first.metadata["k"]),
        (Some("Be brief."), &"v".to_owned())
    );
    let body = json!({ "model": "m", "input": "two", "previous_response_id": first.id });
    let (second, _) = respond(&fixture.ada, body).await;
    assert_eq!(json!(second)["instructions"], Json::Null);
    let asked =
        |n: usize| -> Vec<_> { model.requests()[n].messages.iter().map(Message::text).collect() };
    assert_eq!(asked(0), ["Be brief.", "one"]);
    assert_eq!(asked(1), ["one", "One.", "two"]);
}

/// [assistants responses 2] [assistants responses 10]
#[tokio::test]
async fn wrong_requests_for_responses_are_refused_by_name() {
    let refused = |body: Json| ResponseParams::try_from(body).unwrap_err();
    let both = json!({ "model": "m", "input": "x", "previous_response_id": "resp_1", "conversation": "conv_1" });
    assert_eq!(refused(both).param(), Some("previous_response_id"));
    let item = json!({ "role": "user", "content": "x" });
    let many =
        ConversationParams::try_from(json!({ "items": vec![item.clone(); 21] })).unwrap_err();
    assert_eq!(many.param(), Some("items"));
    assert!(ConversationParams::try_from(json!({ "items": vec![item; 20] })).is_ok());
    let role = json!({ "model": "m", "input": [{ "role": "judge", "content": "x" }] });
    assert_eq!(refused(role).param(), Some("input[0].role"));
    let kind = json!({ "model": "m", "input": [{ "type": "video" }] });
    assert_eq!(refused(kind).param(), Some("input[0].type"));
}

/// [assistants responses 1] Function items are no messages of the thread.
#[tokio::test]
async fn a_thread_has_no_messages_of_calls() {
    let model = ScriptedModel::new().pieces(calls(&[("call_1", "weather", "{}")])).text("Sunny.");
    let fixture = Fixture::new(model).await;
    let thread = fixture.thread(&["Hi."]).await;
    let body =
        json!({ "model": "m", "conversation": thread, "input": "Weather?", "tools": [function()] });
    respond(&fixture.ada, body).await;
    let output = json!([{ "type": "function_call_output", "call_id": "call_1", "output": "sun" }]);
    let body =
        json!({ "model": "m", "conversation": thread, "input": output, "tools": [function()] });
    respond(&fixture.ada, body).await;
    let items = fixture.ada.list_items(&thread, &asc()).await.unwrap().data;
    let kinds: Vec<_> = items.iter().map(|item| json!(item)["type"].clone()).collect();
    assert_eq!(kinds, ["message", "message", "function_call", "function_call_output", "message"]);
    let messages = fixture.ada.list_messages(&thread, None, &asc()).await.unwrap().data;
    let texts: Vec<_> = messages.iter().map(ddg_agentic::assistants::Message::text).collect();
    assert_eq!(texts, ["Hi.", "Weather?", "Sunny."]);
}
