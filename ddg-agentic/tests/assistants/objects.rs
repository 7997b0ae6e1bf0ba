//! Assistants, threads and messages: created, read, changed, listed, deleted.

use ddg_agentic::assistants::{
    AssistantParams, AssistantsError, MessageParams, Order, Paging, RunParams, ThreadParams,
    metadata_of,
};
use ddg_agentic::model::ScriptedModel;
use serde_json::{Value as Json, json};

use crate::fixture::Fixture;

fn paging(limit: u64, order: Order) -> Paging {
    let mut paging = Paging::default();
    (paging.limit, paging.order) = (Some(limit), Some(order));
    paging
}

async fn fixture() -> Fixture {
    Fixture::new(ScriptedModel::new()).await
}

/// [assistants http 1]
#[tokio::test]
async fn an_assistant_is_what_was_asked_for_and_changes_by_field() {
    let fixture = fixture().await;
    let id = fixture
        .assistant(json!({ "name": "Ada", "temperature": 0, "metadata": { "a": "1" }, "extra_body": { "seed": 7 } }))
        .await;
    let update = json!({ "name": null, "instructions": "Be brief.", "metadata": { "b": "2" } });
    let update = AssistantParams::try_from(update).unwrap();
    let changed = fixture.ada.update_assistant(&id, update).await.unwrap();
    assert_eq!(fixture.ada.assistant(&id).await.unwrap(), changed);
    let json = serde_json::to_value(&changed).unwrap();
    let expected = json!({
        "id": id, "object": "assistant", "created_at": changed.created_at, "name": null, "description": null,
        "model": "scripted", "instructions": "Be brief.", "tools": [], "metadata": { "b": "2" },
        "temperature": 0.0, "top_p": null, "response_format": "auto", "reasoning_effort": null,
        "tool_resources": null, "extra_body": { "seed": 7 },
    });
    assert_eq!(json, expected);
    let deleted = fixture.ada.delete_assistant(&id).await.unwrap();
    assert_eq!(json!(deleted), json!({ "id": id, "object": "assistant.deleted", "deleted": true }));
    let gone = fixture.ada.assistant(&id).await.unwrap_err();
    assert_eq!(gone.kind(), "not_found_error");
}

/// [assistants http 2]
#[tokio::test]
async fn pages_are_in_the_order_of_creation_from_either_side() {
    let fixture = fixture().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(fixture.assistant(json!({})).await);
    }
    let list = async |mut paging: Paging, after: Option<usize>, before: Option<usize>| {
        paging.after = after.map(|n| ids[n].clone());
        paging.before = before.map(|n| ids[n].clone());
        let page = fixture.ada.list_assistants(&paging).await.unwrap();
        let at = |id: &str| ids.iter().position(|known| known == id).unwrap();
        assert_eq!(page.first_id.as_deref(), page.data.first().map(|object| object.id.as_str()));
        assert_eq!(page.last_id.as_deref(), page.data.last().map(|object| object.id.as_str()));
        let places: Vec<_> = page.data.iter().map(|object| at(&object.id)).collect();
        (places, page.has_more)
    };
    let (asc, desc) = (paging(2, Order::Asc), paging(2, Order::Desc));
    assert_eq!(list(Paging::default(), None, None).await, (vec![4, 3, 2, 1, 0], false));
    assert_eq!(list(desc.clone(), None, None).await, (vec![4, 3], true));
    assert_eq!(list(desc.clone(), Some(3), None).await, (vec![2, 1], true));
    assert_eq!(list(asc.clone(), Some(3), None).await, (vec![4], false));
    // The page just before, in list order.
    assert_eq!(list(asc.clone(), None, Some(3)).await, (vec![1, 2], true));
    assert_eq!(list(desc, None, Some(1)).await, (vec![3, 2], true));
    assert_eq!(list(asc, None, Some(0)).await, (vec![], false));

    let mut unknown = Paging::default();
    unknown.after = Some("asst_x".to_owned());
    let error = fixture.ada.list_assistants(&unknown).await.unwrap_err();
    assert_eq!(error.param(), Some("after"));
    for (name, value) in [("limit", "0"), ("limit", "101"), ("limit", "x"), ("order", "up")] {
        assert_eq!(Paging::from_query([(name, value)]).unwrap_err().param(), Some(name));
    }
}

/// [assistants http 3]
#[tokio::test]
async fn metadata_have_limits_and_an_update_replaces_them() {
    let fixture = fixture().await;
    let thread = fixture.thread(&[]).await;
    let pairs =
        |n: usize| (0..n).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    let set = async |metadata: Json| {
        let metadata = metadata_of(json!({ "metadata": metadata }))?;
        fixture.ada.update_thread(&thread, metadata).await
    };
    assert_eq!(set(json!(pairs(16))).await.unwrap().metadata.len(), 16);
    let replaced = set(json!({ "a": "b" })).await.unwrap().metadata;
    assert_eq!(json!(replaced), json!({ "a": "b" }));
    for wrong in [
        json!(pairs(17)),
        json!({ "k".repeat(65): "v" }),
        json!({ "k": "v".repeat(513) }),
        json!({ "k": 1 }),
        json!("x"),
    ] {
        assert_eq!(set(wrong).await.unwrap_err().kind(), "invalid_request_error");
    }
    assert_eq!(json!(set(Json::Null).await.unwrap().metadata), json!({}));
}

/// [assistants run 6.1] [assistants http 3] It may be an object, and counts as one pair.
#[tokio::test]
async fn memory_is_one_pair_of_metadata() {
    let fixture = fixture().await;
    let mut pairs: serde_json::Map<_, _> = (0..15).map(|n| (format!("k{n}"), json!("v"))).collect();
    pairs.insert("memory".to_owned(), json!({ "type": "window", "window_size": 3 }));
    let assistant = fixture.assistant(json!({ "metadata": pairs })).await;
    let kept = fixture.ada.assistant(&assistant).await.unwrap().metadata;
    let memory: Json = serde_json::from_str(&kept["memory"]).unwrap();
    assert_eq!((kept.len(), memory), (16, json!({ "type": "window", "window_size": 3 })));
    pairs.insert("one too many".to_owned(), json!("v"));
    let refused =
        AssistantParams::try_from(json!({ "model": "m", "metadata": pairs })).unwrap_err();
    assert_eq!(refused.param(), Some("metadata"));
}

/// [assistants keys 2]
#[tokio::test]
async fn objects_of_other_tenants_do_not_exist() {
    let fixture = fixture().await;
    let (assistant, thread) = (fixture.assistant(json!({})).await, fixture.thread(&["hi"]).await);
    let eve = fixture.assistants.tenant("eve");
    let message = fixture.ada.list_messages(&thread, None, &Paging::default()).await.unwrap();
    let message = message.data[0].id.clone();
    let eves = eve.create_thread(ThreadParams::default()).await.unwrap().id;
    let copy = json!({ "thread_id": thread });
    let errors = [
        eve.assistant(&assistant).await.err(),
        eve.delete_assistant(&assistant).await.err(),
        eve.thread(&thread).await.err(),
        eve.message(&thread, &message).await.err(),
        eve.message(&eves, &message).await.err(),
        eve.list_messages(&thread, None, &Paging::default()).await.err(),
        eve.create_message(&thread, MessageParams::user("x")).await.err(),
        eve.delete_thread(&thread).await.err(),
        eve.create_thread(ThreadParams::try_from(copy).unwrap()).await.err(),
        eve.create_run(&thread, RunParams::new(&assistant)).await.err(),
        eve.create_run(&eves, RunParams::new(&assistant)).await.err(),
        eve.conversation(&thread).await.err(),
    ];
    for (n, error) in errors.into_iter().enumerate() {
        assert!(matches!(error, Some(AssistantsError::NotFound { .. })), "{n}: {error:?}");
    }
    assert!(eve.list_assistants(&Paging::default()).await.unwrap().data.is_empty());
}

/// [assistants run 7.1]
#[tokio::test]
async fn a_thread_is_copied_up_to_and_including_a_message() {
    let fixture = fixture().await;
    let thread = fixture.thread(&["one", "two", "three"]).await;
    let all = fixture.ada.list_messages(&thread, None, &paging(20, Order::Asc)).await.unwrap();
    let body = json!({ "thread_id": thread, "end_message_id": all.data[1].id });
    let copy = fixture.ada.create_thread(ThreadParams::try_from(body).unwrap()).await.unwrap();
    let copied = fixture.ada.list_messages(&copy.id, None, &paging(20, Order::Asc)).await.unwrap();
    let texts: Vec<_> = copied.data.iter().map(ddg_agentic::assistants::Message::text).collect();
    assert_eq!(texts, ["one", "two"]);
    assert!(copied.data.iter().all(|message| message.thread_id == copy.id));
    let body = json!({ "thread_id": thread, "end_message_id": "msg_x" });
    let error = fixture.ada.create_thread(ThreadParams::try_from(body).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), "not_found_error");
}

/// [assistants http 1]
#[tokio::test]
async fn messages_and_threads_are_deleted() {
    let fixture = fixture().await;
    let thread = fixture.thread(&["one"]).await;
    let message = fixture.ada.create_message(&thread, MessageParams::user("two")).await.unwrap();
    let deleted = fixture.ada.delete_message(&thread, &message.id).await.unwrap();
    assert_eq!(deleted.object, "thread.message.deleted");
    assert!(fixture.ada.message(&thread, &message.id).await.is_err());
    assert_eq!(fixture.ada.delete_thread(&thread).await.unwrap().object, "thread.deleted");
    assert!(fixture.ada.thread(&thread).await.is_err());
}

/// [assistants run 5.6] [assistants run 5.7] [assistants run 5.8] [assistants run 6.4]
#[test]
fn a_field_that_is_wrong_or_unknown_is_named() {
    #[track_caller]
    fn check(error: Result<impl Sized, AssistantsError>, param: &str) {
        let Err(error) = error else { panic!("{param} is refused") };
        assert_eq!((error.kind(), error.param()), ("invalid_request_error", Some(param)));
    }
    let assistant =
        |field: &str, value: Json| AssistantParams::try_from(json!({ "model": "m", field: value }));
    check(assistant("temperature", json!(2.1)), "temperature");
    check(assistant("top_p", json!("x")), "top_p");
    check(assistant("tools", json!([{ "type": "code_interpreter" }])), "tools[0]");
    check(assistant("tools", json!([{ "type": "file_search" }])), "tools[0]");
    check(assistant("tools", json!([{ "type": "mcp", "server_url": "http://x" }])), "tools[0]");
    check(
        assistant("tools", json!([{ "type": "function", "function": { "name": "a b" } }])),
        "tools[0].function.name",
    );
    check(
        assistant("tool_resources", json!({ "file_search": { "vector_store_ids": ["x"] } })),
        "tool_resources",
    );
    check(assistant("response_format", json!({ "type": "xml" })), "response_format");
    check(assistant("reasoning_effort", json!("very")), "reasoning_effort");
    check(
        assistant("metadata", json!({ "memory": { "type": "window", "window_size": 0 } })),
        "metadata.memory",
    );
    check(
        assistant("metadata", json!({ "memory": { "type": "window", "max_token_size": 0 } })),
        "metadata.memory",
    );
    check(assistant("metadata", json!({ "memory": { "type": "x" } })), "metadata.memory");
    check(assistant("metadata", json!({ "memory": "x" })), "metadata.memory");
    check(assistant("extra_body", json!({ "n": 2 })), "extra_body.n");
    check(assistant("extra_body", json!({ "messages": [] })), "extra_body.messages");
    check(assistant("colour", json!("red")), "colour");
    assert!(assistant("tool_resources", json!({ "file_search": null })).is_ok());

    let run = |field: &str, value: Json| {
        RunParams::try_from(json!({ "assistant_id": "a", field: value }))
    };
    check(RunParams::try_from(json!({})), "assistant_id");
    check(run("max_prompt_tokens", json!(0)), "max_prompt_tokens");
    check(run("max_completion_tokens", json!(-1)), "max_completion_tokens");
    check(run("tool_choice", json!("perhaps")), "tool_choice");
    check(
        run("truncation_strategy", json!({ "type": "last_messages" })),
        "truncation_strategy.last_messages",
    );
    check(run("parallel_tool_calls", json!("yes")), "parallel_tool_calls");
    check(
        run("additional_messages", json!([{ "role": "system", "content": "x" }])),
        "additional_messages[0].role",
    );
    check(run("n", json!(1)), "n");

    let message =
        |content: Json| MessageParams::try_from(json!({ "role": "user", "content": content }));
    check(message(json!([])), "content");
    check(message(json!([{ "type": "video" }])), "content[0].type");
    check(
        message(json!([{ "type": "image_url", "image_url": { "url": "file:///etc" } }])),
        "content[0].image_url.url",
    );
    assert!(message(json!([{ "type": "text", "text": "a" }])).is_ok());
}
