//! The Files API of OpenAI. The server's answers follow OpenAI's documentation.

use std::time::{Duration, SystemTime};

use ddg_agentic::files::{
    FileManager, FilePurpose, FileUpload, OpenAiFiles, RemoteError, RemoteFiles,
};
use ddg_core::worker::Retry;
use expect_test::expect;
use futures::{StreamExt, stream};
use serde_json::json;

use crate::openai_server::{Answer, OpenAiServer, Then};

const KEY: &str = "sk-FilesSecret-0123456789";

fn client(server: &OpenAiServer) -> OpenAiFiles {
    OpenAiFiles::new().base_url(server.base_url()).api_key(KEY)
}

fn object(id: &str, filename: &str, bytes: u64) -> Answer {
    let object = json!({
        "id": id, "object": "file", "bytes": bytes, "created_at": 1_700_000_000,
        "filename": filename, "purpose": "assistants", "status": "processed",
    });
    Answer::body(200, "application/json", &object.to_string())
}

fn json(json: &serde_json::Value) -> Answer {
    Answer::body(200, "application/json", &json.to_string())
}

/// The parts of a multipart body: the headers and the content of each.
fn parts(content_type: &str, body: &str) -> Vec<(String, String)> {
    let boundary = content_type.split_once("boundary=").unwrap().1;
    let delimiter = format!("--{boundary}");
    let mut pieces: Vec<_> = body.split(&delimiter).collect();
    assert_eq!(pieces.pop().unwrap().trim(), "--", "the last delimiter ends the body");
    assert_eq!(pieces.remove(0), "");
    let part = |piece: &str| {
        let (head, content) = piece.split_once("\r\n\r\n").unwrap();
        (head.trim().to_owned(), content.strip_suffix("\r\n").unwrap().to_owned())
    };
    pieces.into_iter().map(part).collect()
}

/// [files 17]
#[tokio::test]
async fn a_manager_uploads_reads_lists_and_removes() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.csv");
    std::fs::write(&mine, "a,b").unwrap();
    let server = OpenAiServer::serving([
        object("file-one", "tea.txt", 3),
        object("file-two", "mine.csv", 3),
        object("file-three", "streamed.bin", 6),
        object("file-theirs", "theirs.pdf", 9),
        Answer::body(200, "application/octet-stream", "theirs!!!"),
        json(&json!({
            "object": "list", "has_more": true,
            "data": [{ "id": "file-one", "bytes": 3, "created_at": 1, "filename": "tea.txt", "purpose": "assistants" }],
        })),
        json(&json!({ "object": "list", "has_more": false, "data": [{ "id": "file-x" }] })),
        json(&json!({ "id": "file-one", "object": "file", "deleted": true })),
        Answer::error(404, "No such File object: file-two"),
        json(&json!({ "id": "file-three", "object": "file", "deleted": true })),
    ])
    .await;
    let files = FileManager::builder()
        .save_dir(folder.path().join("save"))
        .remote(client(&server))
        .build()
        .await
        .unwrap();
    let one = files.create_from_bytes("tea", "../tea.txt").await.unwrap();
    let two = files.create_from_path(&mine).purpose("user_data").await.unwrap();
    let pieces = stream::iter([Ok("abc".to_owned()), Ok("def".to_owned())]);
    let three = files.create_from_stream(pieces, "streamed.bin").await.unwrap();
    assert_eq!([one.id(), two.id(), three.id()], ["file-one", "file-two", "file-three"]);
    let theirs = files.retrieve_remote("file-theirs").await.unwrap();
    assert_eq!((theirs.filename(), theirs.len()), ("theirs.pdf", 9));
    assert_eq!(theirs.media_type(), "application/pdf");
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    assert_eq!(theirs.created(), created);
    assert_eq!(files.read("file-theirs").await.unwrap(), b"theirs!!!");
    let listed: Vec<_> = files.list_remote().await.unwrap();
    let ids: Vec<_> = listed.iter().map(|file| file.id.as_str()).collect();
    assert_eq!(ids, ["file-one", "file-x"]);
    let report = files.close().await.unwrap();
    assert_eq!((report.deleted, report.missing), (vec![one, three], vec![two]));
    assert_eq!(std::fs::read_dir(folder.path().join("save")).unwrap().count(), 0);

    let asked = server.asked();
    let lines: Vec<_> =
        asked.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    expect![[r#"
        POST /v1/files
        POST /v1/files
        POST /v1/files
        GET /v1/files/file-theirs
        GET /v1/files/file-theirs/content
        GET /v1/files?limit=10000
        GET /v1/files?limit=10000&after=file-one
        DELETE /v1/files/file-one
        DELETE /v1/files/file-two
        DELETE /v1/files/file-three"#]]
    .assert_eq(&lines.join("\n"));
    let mut uploads = Vec::new();
    for asked in &asked[..3] {
        let content_type = asked.header("content-type").unwrap();
        assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
        let parts = parts(content_type, &asked.body).into_iter();
        uploads.extend(parts.map(|(head, content)| format!("{head}\n{content}").replace('\r', "")));
    }
    expect![[r#"
        Content-Disposition: form-data; name="purpose"
        assistants
        Content-Disposition: form-data; name="file"; filename="tea.txt"
        Content-Type: text/plain
        tea
        Content-Disposition: form-data; name="purpose"
        user_data
        Content-Disposition: form-data; name="file"; filename="mine.csv"
        Content-Type: text/csv
        a,b
        Content-Disposition: form-data; name="purpose"
        assistants
        Content-Disposition: form-data; name="file"; filename="streamed.bin"
        Content-Type: application/octet-stream
        abcdef"#]]
    .assert_eq(&uploads.join("\n"));
}

/// [files 17]
#[tokio::test]
async fn the_key_is_in_one_header_and_nowhere_else() {
    let answers = [
        object("file-one", "tea.txt", 3),
        Answer::error(401, &format!("`{KEY}` is no key")),
        Answer::body(500, "text/plain", &format!("Bearer {KEY}")),
        Answer::body(200, "application/json", KEY),
        Answer::body(200, "text/html", KEY),
        Answer::body(307, "text/plain", "elsewhere").header("location", "http://127.0.0.1:1/"),
    ];
    let server = OpenAiServer::serving(answers).await;
    let files = client(&server);
    let mut said = format!("{files:?}\n{files:#?}\n");
    for _ in 0..6 {
        let result = files.upload(FileUpload::new("tea.txt", "tea")).await;
        if let Err(error) = &result {
            said += &format!("{error}\n");
        }
        said += &format!("{result:?}\n");
    }
    assert!(said.contains("ApiKey(…)") && said.contains("is no key"));
    assert!(!said.contains(KEY), "{said}");
    for asked in server.asked() {
        assert!(!asked.path.contains(KEY) && !asked.body.contains(KEY));
        let with_key: Vec<_> =
            asked.headers.iter().filter(|(_, value)| value.contains(KEY)).collect();
        assert_eq!(with_key, [&("authorization".to_owned(), format!("Bearer {KEY}"))]);
    }
}

/// [files 17]
#[tokio::test]
async fn errors_are_reported() {
    let server = OpenAiServer::serving([
        Answer::error(400, "purpose is missing"),
        Answer::error(404, "no such file"),
        Answer::error(429, "not so fast").header("retry-after", "7"),
        Answer::body(200, "text/html", "<html>"),
        Answer::body(200, "application/json", "{}"),
        json(&json!({ "id": "file-a", "deleted": false })),
        Answer::body(200, "application/json", "{\"id\":").then(Then::Cut),
    ])
    .await;
    let files = client(&server);
    let errors = [
        files.upload(FileUpload::new("a", "a")).await.unwrap_err(),
        files.retrieve("file-a").await.unwrap_err(),
        files.retrieve("file-a").await.unwrap_err(),
        files.retrieve("file-a").await.unwrap_err(),
        files.retrieve("file-a").await.unwrap_err(),
        files.delete("file-a").await.unwrap_err(),
        files.retrieve("file-a").await.unwrap_err(),
        files.retrieve("..").await.unwrap_err(),
    ];
    assert_eq!(errors[2].retry_after(), Some(Duration::from_secs(7)));
    let lines = errors.iter().map(|error| {
        let error_text = error.to_string().replace(&server.url(), "http://here");
        let text = error_text.split(" for url").next().unwrap().to_owned();
        format!("{} {text}", error.is_retryable())
    });
    expect![[r#"
        false the provider answered 400: purpose is missing
        false the provider has no file `file-a`
        true the provider answered 429: not so fast
        false its answer cannot be read: it is text/html; check base_url or OPENAI_BASE_URL, which is http://here/v1
        false its answer cannot be read: missing field `id` at line 1 column 2
        false its answer cannot be read: it says that the file was not deleted
        true error decoding response body
        false the provider has no file `..`"#]]
    .assert_eq(&lines.collect::<Vec<_>>().join("\n"));

    let nowhere = OpenAiFiles::new().base_url("http://127.0.0.1:1/v1").api_key(KEY);
    let error = nowhere.list().await.unwrap_err();
    assert!(matches!(error, RemoteError::Connection { .. }) && error.is_retryable(), "{error}");
    let error = error.to_string();
    let (_, hint) = error.split_once("; ").unwrap();
    expect!["check base_url or OPENAI_BASE_URL, which is http://127.0.0.1:1/v1"].assert_eq(hint);

    let setups = [
        OpenAiFiles::new(),
        OpenAiFiles::new().base_url("localhost"),
        OpenAiFiles::new().base_url("http://me:secret@localhost/v1"),
        OpenAiFiles::new().base_url("http://localhost/v1").api_key("line\nbreak"),
    ];
    let mut lines = Vec::new();
    for files in setups {
        let error = files.list().await.unwrap_err();
        assert!(matches!(error, RemoteError::Setup { .. }));
        lines.push(error.to_string());
    }
    expect![[r#"
        there is no key for files at https://api.openai.com/v1; set api_key or OPENAI_API_KEY
        the address of files is no URL; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        the address of files has a user or password in it, which belong in the key; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        the key of files has characters that a key cannot have, such as line breaks; set api_key or OPENAI_API_KEY"#]]
    .assert_eq(&lines.join("\n"));
}

/// [files 17]
#[tokio::test]
async fn retryable_errors_are_retried_unless_the_provider_asks_for_too_long_a_wait() {
    let server = OpenAiServer::serving([
        Answer::error(503, "later").header("retry-after", "0"),
        Answer::error(500, "out of order"),
        object("file-one", "tea.txt", 3),
        Answer::error(400, "never"),
        Answer::error(429, "much later").header("retry-after", "61"),
    ])
    .await;
    let files = client(&server).retrying(Retry::times(3));
    let upload = files.upload(FileUpload::new("tea.txt", "tea")).await.unwrap();
    assert_eq!(upload.id, "file-one");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.body.contains("tea")), "the content is sent each time");
    assert!(files.upload(FileUpload::new("a", "a")).await.is_err());
    assert!(files.upload(FileUpload::new("a", "a")).await.is_err());
    assert_eq!(server.asked().len(), 5);
}

/// [files 17]
#[tokio::test]
async fn content_comes_in_pieces_and_may_break_off() {
    let server = OpenAiServer::serving([
        Answer::body(200, "text/plain", "half").then(Then::Cut),
        Answer::body(200, "text/plain", "half").then(Then::Stall),
    ])
    .await;
    let files = client(&server).stall_timeout(Duration::from_millis(300));
    let mut content = files.content("file-a").await.unwrap();
    assert_eq!(content.next().await.unwrap().unwrap(), "half");
    assert!(matches!(content.next().await, Some(Err(RemoteError::Connection { .. }))));
    assert!(content.next().await.is_none());
    let mut content = files.content("file-a").await.unwrap();
    assert_eq!(content.next().await.unwrap().unwrap(), "half");
    assert!(matches!(content.next().await, Some(Err(RemoteError::TimedOut { .. }))));
}

/// [files 2] [files 17]
#[tokio::test]
async fn an_id_that_is_none_is_refused_and_removed_again() {
    let server = OpenAiServer::serving([
        object("assistant-1", "tea.txt", 3),
        json(&json!({ "id": "assistant-1", "deleted": true })),
    ])
    .await;
    let files = FileManager::builder().remote(client(&server)).build().await.unwrap();
    let error = files.create_from_bytes("tea", "tea.txt").await.unwrap_err();
    expect!["could not upload `tea.txt`: its answer cannot be read: `assistant-1` is not a file id, which looks like `file-abc123`"].assert_eq(&error.to_string());
    assert_eq!(server.asked()[1].method, "DELETE");
    assert_eq!(files.list(), []);
    let error = files.create_from_bytes("x", "x").purpose("dreams").await.unwrap_err();
    assert!(error.to_string().contains("which knows assistants, assistants_output, batch"));
    assert_eq!(FilePurpose::from("batch").as_str(), "batch");
}
