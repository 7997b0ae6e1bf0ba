//! OAuth, with an authorisation server of our own: discovery, registration, PKCE, refreshed tokens,
//! a program that is authorised itself; and no secret anywhere.

mod authority;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ddg_agentic::mcp::{
    McpCallback, McpClient, McpEndpoint, McpError, McpOAuth, McpTokenStore, McpTokens,
};
use ddg_core::WorkerError;
use expect_test::expect;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tracing_subscriber::fmt::MakeWriter;

use self::authority::{Authority, SECRET, browse, follow};
use super::call::{call, named};
use super::reference::{python, script};

/// A store that the test reads, as another process would.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<String>>>);

impl Kept {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.0.lock().unwrap().as_deref().unwrap_or("null")).unwrap()
    }
}

impl McpTokenStore for Kept {
    fn load(&self, _: &str) -> BoxFuture<'_, Result<Option<McpTokens>, WorkerError>> {
        let json = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(json.map(|json| serde_json::from_str(&json)).transpose()?) })
    }

    fn save(&self, server: &str, tokens: McpTokens) -> BoxFuture<'_, Result<(), WorkerError>> {
        assert!(server.starts_with("http://127.0.0.1:") && server.ends_with("/mcp"), "{server}");
        *self.0.lock().unwrap() = Some(serde_json::to_string(&tokens).unwrap());
        Box::pin(async { Ok(()) })
    }

    fn remove(&self, _: &str) -> BoxFuture<'_, Result<(), WorkerError>> {
        *self.0.lock().unwrap() = None;
        Box::pin(async { Ok(()) })
    }
}

/// A person who agrees in a browser.
async fn agreeing() -> McpOAuth {
    let callback = McpCallback::bind("127.0.0.1:0").await.unwrap();
    McpOAuth::in_browser(callback, |url| drop(tokio::spawn(browse(url.to_owned()))))
}

/// A person who is not there.
fn nobody() -> McpOAuth {
    McpOAuth::person("http://127.0.0.1:1/callback", async |_| panic!("nobody is to be asked"))
}

async fn add(client: &McpClient) -> Result<String, String> {
    let tools = client.tools().await.map_err(|error| error.to_string())?;
    call(named(&tools, "add"), json!({ "a": 2, "b": 40 })).await
}

#[tokio::test]
async fn a_person_agrees_once_and_the_tokens_serve_later_processes() {
    let authority = Authority::start().await;
    let kept = Kept::default();
    let oauth = agreeing().await.client_name("Planner").store(kept.clone());
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    let seen = authority.seen();
    expect![[r#"
        register Planner
        authorize read write
        token authorization_code"#]]
    .assert_eq(&seen.join("\n"));

    // Another process: nobody is asked.
    let oauth = nobody().store(kept);
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    assert_eq!(authority.seen(), seen);
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_is_refreshed_once() {
    let authority = Authority::start().await;
    let kept = Kept::default();
    let oauth = agreeing().await.store(kept.clone());
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let add = named(&tools, "add");
    let before = kept.json();
    authority.forget_access_tokens();
    // Concurrent requests share the new token.
    let calls = (0..8).map(|n| call(add, json!({ "a": n, "b": 1 })));
    let results = futures::future::join_all(calls).await;
    assert_eq!(results[7], Ok("8".to_owned()));
    let refreshed = authority.seen().iter().filter(|seen| *seen == "token refresh_token").count();
    assert_eq!(refreshed, 1, "{:?}", authority.seen());
    assert_ne!(kept.json()["access_token"], before["access_token"]);
    assert_ne!(kept.json()["refresh_token"], before["refresh_token"], "it was rotated");
}

/// The tokens of one server in a file, with a lock that processes share: each opens it anew.
struct InFile(PathBuf);

impl McpTokenStore for InFile {
    fn load(&self, _: &str) -> BoxFuture<'_, Result<Option<McpTokens>, WorkerError>> {
        Box::pin(async {
            match std::fs::read(&self.0) {
                Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn save(&self, _: &str, tokens: McpTokens) -> BoxFuture<'_, Result<(), WorkerError>> {
        Box::pin(async move { Ok(std::fs::write(&self.0, serde_json::to_vec(&tokens)?)?) })
    }

    fn remove(&self, _: &str) -> BoxFuture<'_, Result<(), WorkerError>> {
        Box::pin(async { Ok(std::fs::remove_file(&self.0)?) })
    }

    fn lock(&self, _: &str) -> BoxFuture<'_, Result<Box<dyn Send>, WorkerError>> {
        let path = self.0.with_extension("lock");
        Box::pin(async {
            let locked = tokio::task::spawn_blocking(|| {
                let file = std::fs::File::create(path)?;
                file.lock().map(|()| file)
            });
            Ok(Box::new(locked.await??) as Box<dyn Send>)
        })
    }
}

/// Two programs that share nothing but the file.
#[tokio::test]
async fn two_processes_with_the_same_tokens_send_one_refresh() {
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let oauth = agreeing().await.store(InFile(path.clone()));
    let one = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    let oauth = nobody().store(InFile(path));
    let other = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    for round in 1..=3 {
        authority.forget_access_tokens();
        let added = (0..8).map(|n| add(if n % 2 == 0 { &one } else { &other }));
        for result in futures::future::join_all(added).await {
            assert_eq!(result, Ok("42".to_owned()));
        }
        let seen = authority.seen();
        let refreshed = seen.iter().filter(|seen| *seen == "token refresh_token").count();
        assert_eq!(refreshed, round, "{seen:?}");
    }
}

#[tokio::test]
async fn an_expired_token_is_refreshed_before_the_request() {
    let authority = Authority::start().await;
    authority.tokens_expire_in(0);
    let oauth = agreeing().await;
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    assert!(authority.seen().contains(&"token refresh_token".to_owned()));
}

#[tokio::test]
async fn without_a_refresh_the_request_fails_and_the_person_is_asked_when_the_program_wants_it() {
    let authority = Authority::start().await;
    let oauth = agreeing().await;
    let client = McpEndpoint::http(authority.url()).name("trips").oauth(oauth);
    let client = client.connect().await.unwrap();
    authority.forget_access_tokens();
    authority.forget_refresh_tokens();
    let error = client.tools().await.unwrap_err();
    assert!(matches!(error, McpError::Unauthorised { .. }), "{error}");
    expect!["MCP server `trips` wants authorisation: give the endpoint `oauth`, or a token that it accepts; a client that has `oauth` gets new tokens by `authorise`"].assert_eq(&error.to_string());
    let (one, other) = tokio::join!(client.authorise(), client.authorise());
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    let asked = authority.seen().iter().filter(|seen| seen.starts_with("authorize")).count();
    assert_eq!(asked, 2, "at first, and once again");
}

#[tokio::test]
async fn tokens_that_are_no_longer_good_when_a_process_begins_lead_to_the_person() {
    let authority = Authority::start().await;
    let kept = Kept::default();
    let oauth = agreeing().await.store(kept.clone());
    McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    authority.forget_access_tokens();
    authority.forget_refresh_tokens();
    let oauth = agreeing().await.store(kept);
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
}

#[tokio::test]
async fn a_client_that_was_registered_by_hand_is_not_registered_again() {
    let authority = Authority::start().await;
    let oauth = agreeing().await.client("by-hand").client_secret(SECRET).scopes(["read"]);
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    expect![[r#"
        authorize read write
        token authorization_code"#]]
    .assert_eq(&authority.seen().join("\n"));
    // Its secret is needed for the refresh, too.
    authority.forget_access_tokens();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
}

#[tokio::test]
async fn a_program_is_authorised_itself() {
    let authority = Authority::start().await;
    let oauth = McpOAuth::client_credentials("machine", SECRET);
    let client = McpEndpoint::http(authority.url()).oauth(oauth).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    authority.forget_access_tokens();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    expect![[r#"
        token client_credentials
        token client_credentials"#]]
    .assert_eq(&authority.seen().join("\n"));

    let oauth = McpOAuth::client_credentials("machine", "wrong-secret");
    let server = McpEndpoint::http(authority.url()).name("trips").oauth(oauth);
    let error = server.connect().await.unwrap_err().to_string();
    assert!(error.starts_with("MCP server `trips` "), "{error}");
    assert!(error.contains("invalid_client") && !error.contains("wrong-secret"), "{error}");
}

#[tokio::test]
async fn a_person_who_does_not_agree_is_told_by_the_error() {
    let authority = Authority::start().await;
    let refused =
        "http://127.0.0.1:1/callback?error=access_denied&error_description=not+now&state=x";
    let oauth = McpOAuth::person("http://127.0.0.1:1/callback", async |_| Ok(refused.to_owned()));
    let server = McpEndpoint::http(authority.url()).name("trips").oauth(oauth);
    let error = server.connect().await.unwrap_err().to_string();
    expect![
        "MCP server `trips` wants authorisation: the person did not agree: access_denied: not now"
    ]
    .assert_eq(&error);

    // A code for another request is not used: its `state` is unknown.
    let forged = "http://127.0.0.1:1/callback?code=stolen-code&state=forged";
    let oauth = McpOAuth::person("http://127.0.0.1:1/callback", async |_| Ok(forged.to_owned()));
    let server = McpEndpoint::http(authority.url()).name("trips").oauth(oauth);
    let error = server.connect().await.unwrap_err().to_string();
    expect![
        "MCP server `trips` wants authorisation: Internal error: Authorization state not found"
    ]
    .assert_eq(&error);
    assert!(!authority.seen().contains(&"token authorization_code".to_owned()));
}

#[tokio::test]
async fn a_server_that_needs_no_authorisation_is_used_without() {
    let authority = Authority::start().await;
    authority.let_everybody_in();
    let client = McpEndpoint::http(authority.url()).oauth(nobody()).connect().await.unwrap();
    assert_eq!(add(&client).await, Ok("42".to_owned()));
    assert!(authority.seen().is_empty());
}

#[tokio::test]
async fn without_oauth_the_error_says_what_to_do() {
    let authority = Authority::start().await;
    let error = McpEndpoint::http(authority.url()).name("trips").connect().await.unwrap_err();
    assert!(matches!(error, McpError::Unauthorised { .. }), "{error}");
    let both = McpEndpoint::http(authority.url()).name("trips").bearer("token").oauth(nobody());
    expect![
        "MCP server `trips`: it has both `oauth` and an `authorization` header: give one of them"
    ]
    .assert_eq(&both.connect().await.unwrap_err().to_string());
}

/// The log of this thread, at all levels.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_in_logs_errors_or_debug() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(writer)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let authority = Authority::start().await;
    let kept = Kept::default();
    let oauth = agreeing().await.client("by-hand").client_secret(SECRET).store(kept.clone());
    let endpoint = McpEndpoint::http(format!("{}?key=in-the-query", authority.url())).oauth(oauth);
    let mut shown = format!("{endpoint:?}");
    let client = endpoint.connect().await.unwrap();
    shown += &format!("{client:?}");
    add(&client).await.unwrap();
    authority.forget_access_tokens();
    add(&client).await.unwrap();
    // The authorisation server repeats what it was sent.
    authority.forget_access_tokens();
    authority.forget_refresh_tokens();
    shown += &client.tools().await.unwrap_err().to_string();
    let tokens: McpTokens = serde_json::from_value(kept.json()).unwrap();
    shown += &format!("{tokens:?}");
    shown += &String::from_utf8_lossy(&log.0.lock().unwrap());
    let issued = authority.issued();
    assert!(issued.len() > 4, "{issued:?}");
    for secret in issued.iter().map(String::as_str).chain([SECRET, "in-the-query"]) {
        let place = shown.find(secret);
        let around =
            |at: usize| shown[at.saturating_sub(200)..(at + 60).min(shown.len())].to_owned();
        assert_eq!(place.map(around), None, "{secret} is shown");
    }
}

/// The reference implementation of the authorisation server, from PyPI.
#[tokio::test]
async fn a_server_and_an_authorisation_server_of_the_reference_implementation() {
    let mut program = tokio::process::Command::new(python());
    program.arg(script("authority.py")).stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut program = program.spawn().unwrap();
    let mut says = BufReader::new(program.stdout.take().unwrap()).lines();
    let port = says.next_line().await.unwrap().unwrap();
    let kept = Kept::default();
    let callback = McpCallback::bind("127.0.0.1:0").await.unwrap();
    let oauth = McpOAuth::in_browser(callback, |url| drop(tokio::spawn(follow(url.to_owned()))));
    let server = McpEndpoint::http(format!("http://127.0.0.1:{port}/mcp"));
    let client = server.clone().oauth(oauth.store(kept.clone())).connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    assert_eq!(call(named(&tools, "count"), json!({})).await.unwrap(), "1");
    let before = kept.json();
    call(named(&tools, "forget"), json!({})).await.unwrap();
    assert_eq!(call(named(&tools, "count"), json!({})).await.unwrap(), "1");
    assert_ne!(kept.json()["access_token"], before["access_token"], "it was refreshed");

    // Another process with the same tokens.
    let client = server.oauth(nobody().store(kept)).connect().await.unwrap();
    assert_eq!(client.tools().await.unwrap().len(), 2);
}
