//! Keys: who may send requests.

use ddg_server::Keys;
use ddg_server::axum::body::Body;
use ddg_server::axum::http::{Request, header};

use crate::fixture::{Ddg, Local};

/// [assistants keys 1] A request without a known key is 401, on every path of the API.
#[tokio::test]
async fn requests_without_a_known_key_are_refused() {
    let local = Local::with(|builder| builder.keys(Keys::parse("sk-one").unwrap())).await;
    let client = local.client();
    for path in ["/v1/files", "/v1/files/file-1", "/v1/models", "/v1/nonsense"] {
        let reply = client.get(path).await;
        assert_eq!(reply.error(401, "authentication_error")["code"], "invalid_api_key");
        assert_eq!(reply.header("x-should-retry"), "false");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        for wrong in ["sk-two", "sk-on", "sk-onee", "SK-ONE"] {
            let error = client.key(wrong).get(path).await.error(401, "authentication_error");
            assert!(!error.to_string().contains(wrong), "{error}");
        }
    }
    for value in ["sk-one", "Basic sk-one", "Bearer", "Bearer ", "Bearer\u{e9}", ""] {
        let request = Request::get("/v1/models").header(header::AUTHORIZATION, value);
        let reply = client.send(request.body(Body::empty()).unwrap()).await;
        reply.error(401, "authentication_error");
    }
    for value in ["Bearer sk-one", "bearer sk-one", "Bearer  sk-one "] {
        let request = Request::get("/v1/models").header(header::AUTHORIZATION, value);
        client.send(request.body(Body::empty()).unwrap()).await.ok();
    }
}

/// [assistants keys 1] Without keys everybody is served, whatever key a client sends.
#[tokio::test]
async fn without_keys_every_key_is_served() {
    let local = Local::start().await;
    local.client().get("/v1/models").await.ok();
    local.client().key("anything").get("/v1/models").await.ok();
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = Keys::parse(text).unwrap_err();
    assert_eq!(error.to_string(), expected);
    for hidden in ["sk-one", "sk-two", "hidden"] {
        assert!(!format!("{error:?}").contains(hidden), "{error:?}");
    }
}

/// [assistants keys 1] A line is a key with settings, or a comment; errors contain no key.
#[test]
fn lists_of_keys_are_checked_line_by_line() {
    let text = "# all keys\n\nsk-one\n  sk-two  base_url=http://localhost:1/v1 api_key=k \
                model=small # local\nsk-three#x # `#` inside of a key\n";
    assert_eq!(Keys::parse(text).unwrap().len(), 3);
    assert_eq!(Keys::parse_list("DDG_KEYS", "sk-one, sk-two model=a").unwrap().len(), 2);

    refused("", "keys: there is no key; write one key a line, or leave the keys out");
    refused("# only this", "keys: there is no key; write one key a line, or leave the keys out");
    refused("sk-one\n\nsk-one", "keys, line 3: the key occurs twice; keep one");
    refused(
        "sk-one sk-two",
        "keys, line 1: after the key come only settings, as `model=NAME`; write each key on a line \
         of its own",
    );
    refused(
        "sk-one colour=red",
        "keys, line 1: there is no setting `colour`; write `base_url=`, `api_key=` or `model=`",
    );
    refused(
        "sk-one model=",
        "keys, line 1: `model` is empty; write `model=VALUE`, or leave it out",
    );
    refused("sk-one model=a model=b", "keys, line 1: `model` is set twice; keep one");
    refused("sk-one api_key=hidden api_key=a", "keys, line 1: `api_key` is set twice; keep one");
    refused("\nmodel=small", "keys, line 2: the key is missing before its settings");
    refused(
        "sk-one base_url=hidden:1",
        "keys, line 1: `base_url` is no URL; write one that begins with http:// or https://",
    );
    refused("sk-öne", "keys, line 1: a key has only letters, digits and signs of ASCII");
}

/// [assistants keys 4] Keys are not in the text of what has them.
#[tokio::test]
async fn keys_are_in_no_debug_text() {
    let keys = Keys::parse("sk-one api_key=hidden").unwrap();
    let local = Local::with(|builder| builder.keys(keys.clone()).api_key("hidden")).await;
    let text = format!("{keys:?} {:?}", local.server);
    assert!(!text.contains("sk-one") && !text.contains("hidden"), "{text}");
}

/// [assistants keys 1] SIGHUP reads the file again; a wrong file changes nothing.
#[tokio::test]
async fn the_key_file_is_read_again_on_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, "sk-one\n").unwrap();
    let ddg = Ddg::start(&folder, &["--keys", "keys", "--model", "offline"]).await;
    let (one, two) = (ddg.client().key("sk-one"), ddg.client().key("sk-two"));
    one.get("/v1/models").await.ok();
    two.get("/v1/models").await.error(401, "authentication_error");

    std::fs::write(&file, "sk-two\n").unwrap();
    ddg.signal("HUP").await;
    // The signal has no answer; the key is accepted as soon as it was handled.
    while two.get("/v1/models").await.status != 200 {}
    one.get("/v1/models").await.error(401, "authentication_error");

    // A wrong file is refused as a whole, so `sk-three` is unknown when `sk-four` is known.
    std::fs::write(&file, "sk-three\nsk-three\n").unwrap();
    ddg.signal("HUP").await;
    two.get("/v1/models").await.ok();
    std::fs::write(&file, "sk-two\nsk-four\n").unwrap();
    ddg.signal("HUP").await;
    while ddg.client().key("sk-four").get("/v1/models").await.status != 200 {}
    ddg.client().key("sk-three").get("/v1/models").await.error(401, "authentication_error");
    two.get("/v1/models").await.ok();
}
