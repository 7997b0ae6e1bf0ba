//! Files of clients.

use ddg_server::Keys;

use crate::fixture::{Ddg, Local};

/// [assistants http 14] A file is uploaded, listed, read and deleted.
#[tokio::test]
async fn a_file_is_kept_until_it_is_deleted() {
    let local = Local::start().await;
    let client = local.client();
    let id = client.upload("notes.txt", "assistants", b"tea at four").await;
    let file = client.get(&format!("/v1/files/{id}")).await.ok();
    assert_eq!(file["object"], "file");
    assert_eq!(file["bytes"], 11);
    assert_eq!(file["filename"], "notes.txt");
    assert_eq!(file["purpose"], "assistants");
    assert_eq!(file["status"], "processed");
    assert!(file["created_at"].as_u64().unwrap() > 1_700_000_000);

    let content = client.get(&format!("/v1/files/{id}/content")).await;
    assert_eq!(content.body, "tea at four");
    assert_eq!(content.header("content-type"), "application/octet-stream");
    assert_eq!(client.get("/v1/files").await.ok()["data"][0], file);

    let deleted = client.delete(&format!("/v1/files/{id}")).await.ok();
    assert_eq!(deleted, serde_json::json!({ "id": id, "object": "file", "deleted": true }));
    for path in ["", "/content"] {
        let reply = client.get(&format!("/v1/files/{id}{path}")).await;
        reply.error(404, "not_found_error");
    }
    client.delete(&format!("/v1/files/{id}")).await.error(404, "not_found_error");
}

/// [assistants http 14] Purposes that file managers do not know are kept, and lists are filtered by them.
#[tokio::test]
async fn files_are_listed_by_purpose() {
    let local = Local::start().await;
    let client = local.client();
    let notes = client.upload("notes.txt", "assistants", b"a").await;
    let image = client.upload("cat.png", "vision", b"b").await;
    let ids = |reply: serde_json::Value| {
        let data = reply["data"].as_array().unwrap().clone();
        data.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(client.get("/v1/files?purpose=vision").await.ok())[..],
        *std::slice::from_ref(&image)
    );
    assert_eq!(ids(client.get("/v1/files").await.ok()), [image.clone(), notes.clone()]);
    assert_eq!(ids(client.get("/v1/files?order=asc").await.ok()), [notes, image]);
}

/// [assistants http 14] A page has at most `limit` files, and says if there are more.
#[tokio::test]
async fn pages_of_files_follow_each_other() {
    let local = Local::start().await;
    let client = local.client();
    let mut ids = Vec::new();
    for n in 0..5_u8 {
        ids.push(client.upload(&format!("{n}.txt"), "assistants", &[n]).await);
    }
    let page = async |query: String| {
        let page = client.get(&format!("/v1/files?order=asc&limit=2{query}")).await.ok();
        let data = page["data"].as_array().unwrap().iter();
        let found: Vec<_> = data.map(|file| file["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(page["object"], "list");
        assert_eq!(page["first_id"].as_str(), found.first().map(String::as_str));
        assert_eq!(page["last_id"].as_str(), found.last().map(String::as_str));
        (found, page["has_more"].as_bool().unwrap())
    };
    assert_eq!(page(String::new()).await, (ids[..2].to_vec(), true));
    assert_eq!(page(format!("&after={}", ids[1])).await, (ids[2..4].to_vec(), true));
    assert_eq!(page(format!("&after={}", ids[3])).await, (ids[4..].to_vec(), false));
    assert_eq!(page(format!("&after={}", ids[4])).await, (vec![], false));
    assert_eq!(page(format!("&before={}", ids[4])).await, (ids[2..4].to_vec(), true));
    assert_eq!(page(format!("&before={}", ids[1])).await, (ids[..1].to_vec(), false));
}

/// [assistants keys 2] Each key has its own files.
#[tokio::test]
async fn files_of_another_key_are_not_found() {
    let local = Local::with(|builder| builder.keys(Keys::parse("sk-one\nsk-two").unwrap())).await;
    let (one, two) = (local.client().key("sk-one"), local.client().key("sk-two"));
    let id = one.upload("secret.txt", "assistants", b"secret").await;
    assert_eq!(two.get("/v1/files").await.ok()["data"].as_array().unwrap().len(), 0);
    for path in ["", "/content"] {
        two.get(&format!("/v1/files/{id}{path}")).await.error(404, "not_found_error");
    }
    two.delete(&format!("/v1/files/{id}")).await.error(404, "not_found_error");
    two.get(&format!("/v1/files?after={id}")).await.error(400, "invalid_request_error");
    assert_eq!(one.get(&format!("/v1/files/{id}/content")).await.body, "secret");
}

/// [assistants http 14] Files are there after a restart.
#[tokio::test]
async fn files_are_kept_when_the_server_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
    let id = ddg.client().upload("notes.txt", "user_data", b"tea at four").await;
    ddg.kill().await;
    let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
    let content = ddg.client().get(&format!("/v1/files/{id}/content")).await;
    assert_eq!(content.body, "tea at four");
    assert_eq!(ddg.client().get(&format!("/v1/files/{id}")).await.ok()["purpose"], "user_data");
}
