//! Objects of other keys, and upstreams of keys.

use ddg_server::Keys;
use serde_json::{Value, json};

use crate::fixture::{Client, Local, Upstream, text};

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// The paths of one object of each kind, of a client.
async fn objects(client: &Client) -> Vec<String> {
    let assistant = id(&client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok());
    let thread = json!({ "messages": [{ "role": "user", "content": "secret" }] });
    let thread = id(&client.post("/v1/threads", &thread).await.ok());
    let at = format!("/v1/threads/{thread}");
    let message = id(&client.get(&format!("{at}/messages")).await.ok()["data"][0]);
    let run = client.post(&format!("{at}/runs"), &json!({ "assistant_id": assistant })).await.ok();
    let run = id(&run);
    while client.get(&format!("{at}/runs/{run}")).await.ok()["status"] != "completed" {}
    let step = id(&client.get(&format!("{at}/runs/{run}/steps")).await.ok()["data"][0]);
    let response = json!({ "model": "scripted", "input": "secret" });
    let response = id(&client.post("/v1/responses", &response).await.ok());
    let conversation = json!({ "items": [{ "role": "user", "content": "secret" }] });
    let conversation = id(&client.post("/v1/conversations", &conversation).await.ok());
    let items = format!("/v1/conversations/{conversation}/items");
    let item = id(&client.get(&items).await.ok()["data"][0]);
    let file = client.upload("secret.txt", "assistants", b"secret").await;
    vec![
        format!("/v1/assistants/{assistant}"),
        at.clone(),
        format!("{at}/messages"),
        format!("{at}/messages/{message}"),
        format!("{at}/runs"),
        format!("{at}/runs/{run}"),
        format!("{at}/runs/{run}?stream=true"),
        format!("{at}/runs/{run}/steps"),
        format!("{at}/runs/{run}/steps/{step}"),
        format!("/v1/responses/{response}"),
        format!("/v1/responses/{response}?stream=true"),
        format!("/v1/responses/{response}/input_items"),
        format!("/v1/conversations/{conversation}"),
        items.clone(),
        format!("{items}/{item}"),
        format!("/v1/files/{file}"),
        format!("/v1/files/{file}/content"),
    ]
}

/// [assistants keys 2] Every path with an object of another key is 404, for every method.
#[tokio::test]
async fn objects_of_another_key_are_not_found() {
    let upstream = Upstream::start([]).await;
    let local = Local::for_two(&upstream).await;
    let (one, two) = (local.client().key("sk-one"), local.client().key("sk-two"));
    let paths = objects(&one).await;
    for path in &paths {
        two.get(path).await.error(404, "not_found_error");
        for body in [json!({}), json!({ "metadata": {} })] {
            let reply = two.post(path, &body).await;
            assert!(matches!(reply.status.as_u16(), 400 | 404 | 405), "{path}: {reply:?}");
        }
        let reply = two.delete(path).await;
        assert!(matches!(reply.status.as_u16(), 404 | 405), "{path}: {reply:?}");
    }
    for path in ["/v1/assistants", "/v1/files"] {
        assert_eq!(two.get(path).await.ok()["data"], json!([]));
    }

    // Ids in bodies.
    let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let (assistant, thread) = (last(&paths[0]), last(&paths[1]));
    let own = id(&two.post("/v1/threads", &json!({})).await.ok());
    let own_assistant = id(&two.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok());
    let (response, conversation, file) = (last(&paths[9]), last(&paths[12]), last(&paths[15]));
    let runs = format!("/v1/threads/{own}/runs");
    let others = format!("/v1/threads/{thread}/runs");
    let image = json!({ "role": "user", "content": [
        { "type": "image_file", "image_file": { "file_id": file } }
    ] });
    let attached = json!({ "role": "user", "content": "x", "attachments": [{ "file_id": file }] });
    for (path, body, status) in [
        (runs.clone(), json!({ "assistant_id": assistant }), 404),
        (others, json!({ "assistant_id": own_assistant }), 404),
        ("/v1/threads/runs".into(), json!({ "assistant_id": assistant }), 404),
        ("/v1/threads".into(), json!({ "thread_id": thread }), 404),
        (format!("/v1/threads/{own}/messages"), image, 400),
        (format!("/v1/threads/{own}/messages"), attached, 400),
        (
            "/v1/responses".into(),
            json!({ "model": "a", "input": "x", "previous_response_id": response }),
            404,
        ),
        (
            "/v1/responses".into(),
            json!({ "model": "a", "input": "x", "conversation": conversation }),
            404,
        ),
        (
            "/v1/responses".into(),
            json!({ "model": "a", "input": "x", "conversation": thread }),
            404,
        ),
    ] {
        let reply = two.post(&path, &body).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
        assert!(!reply.json().to_string().contains("secret"));
    }
    for path in paths {
        assert_eq!(one.get(&path).await.status, 200, "{path}");
    }
}

/// [assistants keys 3] A key uses its own upstream, whose model wins over the request's.
#[tokio::test]
async fn a_key_has_its_own_upstream() {
    let (server, own) = (Upstream::start([]).await, Upstream::start([text(&["own"])]).await);
    let keys = format!("sk-one\nsk-two base_url={} api_key=sk-up model=own-model", own.base_url());
    let local = Local::with(|builder| {
        let builder = builder.keys(Keys::parse(&keys).unwrap()).base_url(server.base_url());
        builder.api_key("sk-server").model("listed")
    })
    .await;
    for key in ["sk-one", "sk-two"] {
        let body = json!({ "model": "asked", "input": "Hello" });
        local.client().key(key).post("/v1/responses", &body).await.ok();
    }
    let asked = |upstream: &Upstream| {
        let [asked] = upstream.asked().try_into().expect("one request");
        let asked: crate::fixture::Asked = asked;
        (asked.body["model"].clone(), asked.key)
    };
    assert_eq!(asked(&server), (json!("asked"), Some("sk-server".into())));
    assert_eq!(asked(&own), (json!("own-model"), Some("sk-up".into())));
    let models = local.client().key("sk-two").get("/v1/models").await.ok();
    assert_eq!(models["data"][0]["id"], "own-model");
}

/// [assistants keys 3] The server's key is not sent to the URL of a client's key.
#[tokio::test]
async fn the_servers_key_stays_with_its_url() {
    let own = Upstream::start([]).await;
    let keys = Keys::parse(&format!("sk-one base_url={}", own.base_url())).unwrap();
    let local = Local::with(|builder| {
        builder.keys(keys).base_url("http://127.0.0.1:9/v1").api_key("sk-server")
    })
    .await;
    let body = json!({ "model": "asked", "input": "Hello" });
    local.client().key("sk-one").post("/v1/responses", &body).await.ok();
    assert_eq!(own.asked()[0].key, None);
}

/// [assistants keys 4] No key is in the database, in a file beside it, or in what is logged.
#[tokio::test]
async fn keys_are_in_no_row_and_no_log() {
    let upstream = Upstream::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let keys =
        format!("sk-client-secret base_url={} api_key=sk-upstream-secret", upstream.base_url());
    let files = tempfile::tempdir().unwrap();
    let (key_file, log) = (files.path().join("keys"), files.path().join("log"));
    std::fs::write(&key_file, keys).unwrap();
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "debug",
        "--keys",
        key_file.to_str().unwrap(),
    ];
    let mut command = crate::fixture::command(folder.path(), &arguments);
    command.stderr(std::fs::File::create(&log).unwrap()).env("OPENAI_API_KEY", "sk-server-secret");
    let ddg = crate::fixture::Ddg::spawn(command).await;
    let client = ddg.client().key("sk-client-secret");
    objects(&client).await;
    ddg.client().key("sk-wrong-secret").get("/v1/models").await.error(401, "authentication_error");
    ddg.signal("TERM").await;
    ddg.end().await;
    let mut n_bytes = 0;
    let mut rest = vec![folder.path().to_owned(), log.clone()];
    while let Some(path) = rest.pop() {
        if path.is_dir() {
            rest.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        n_bytes += content.len();
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("-secret"), "a key is in {}", path.display());
    }
    assert!(n_bytes > 10_000 && std::fs::metadata(log).unwrap().len() > 0, "{n_bytes} bytes");
}
