//! Objects: created, read, listed, updated, deleted.

use serde_json::{Value, json};

use crate::fixture::{Client, Local};

fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().unwrap().iter();
    data.map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

async fn created(client: &Client, path: &str, body: &Value) -> String {
    client.post(path, body).await.ok()["id"].as_str().unwrap().to_owned()
}

/// [assistants http 1] Each kind of object is found until it is deleted, and has a kind of deletion.
#[tokio::test]
async fn objects_are_found_until_they_are_deleted() {
    let local = Local::start().await;
    let client = local.client();
    for (path, body, deleted) in [
        ("/v1/assistants", json!({ "model": "offline" }), "assistant.deleted"),
        ("/v1/threads", json!({}), "thread.deleted"),
        ("/v1/conversations", json!({}), "conversation.deleted"),
    ] {
        let object = client.post(path, &body).await.ok();
        let at = format!("{path}/{}", object["id"].as_str().unwrap());
        assert!(object["created_at"].is_i64(), "{object}");
        assert_eq!(client.get(&at).await.ok(), object);
        let updated = client.post(&at, &json!({ "metadata": { "a": "b" } })).await.ok();
        assert_eq!(updated["metadata"], json!({ "a": "b" }));
        let replaced = client.post(&at, &json!({ "metadata": { "c": "d" } })).await.ok();
        assert_eq!(replaced["metadata"], json!({ "c": "d" }));
        let gone = client.delete(&at).await.ok();
        assert_eq!(gone, json!({ "id": object["id"], "object": deleted, "deleted": true }));
        client.get(&at).await.error(404, "not_found_error");
        client.delete(&at).await.error(404, "not_found_error");
    }
}

/// [assistants http 2] Lists have the order of creation, also within one second, and pages of ids.
#[tokio::test]
async fn lists_have_pages() {
    let local = Local::start().await;
    let client = local.client();
    let thread = created(&client, "/v1/threads", &json!({})).await;
    let at = format!("/v1/threads/{thread}/messages");
    let mut all = Vec::new();
    for n in 0..25 {
        let body = json!({ "role": "user", "content": n.to_string() });
        all.push(created(&client, &at, &body).await);
    }
    let page = client.get(&at).await.ok();
    let newest: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(ids(&page), newest[..20]);
    assert_eq!((&page["object"], &page["has_more"]), (&json!("list"), &json!(true)));
    assert_eq!((&page["first_id"], &page["last_id"]), (&json!(newest[0]), &json!(newest[19])));

    let listed = async |query: String| ids(&client.get(&format!("{at}?{query}")).await.ok());
    assert_eq!(listed(format!("after={}", newest[19])).await, newest[20..]);
    assert_eq!(listed(format!("order=asc&limit=2&after={}", all[3])).await, all[4..6]);
    assert_eq!(listed(format!("order=asc&limit=2&before={}", all[3])).await, all[1..3]);
    assert_eq!(listed("limit=100".into()).await, newest);
    for query in ["limit=0", "limit=101", "order=random"] {
        client.get(&format!("{at}?{query}")).await.error(400, "invalid_request_error");
    }
}

/// [assistants http 3] Metadata has at most 16 pairs, with keys of 64 and values of 512 characters.
#[tokio::test]
async fn metadata_is_limited() {
    let local = Local::start().await;
    let pairs = |n: usize, key: usize, value: usize| {
        let pair = |n| (format!("{n:0>key$}"), json!("v".repeat(value)));
        json!({ "metadata": Value::Object((0..n).map(pair).collect()) })
    };
    local.client().post("/v1/threads", &pairs(16, 64, 512)).await.ok();
    for wrong in [pairs(17, 2, 1), pairs(1, 65, 1), pairs(1, 2, 513)] {
        local.client().post("/v1/threads", &wrong).await.error(400, "invalid_request_error");
    }
}
