//! An authorisation server with an MCP server that trusts it, in one process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ddg_agentic::mcp::McpService;
use ddg_agentic::{Toolbox, tool};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

/// The secret of the clients that were registered by hand.
pub(crate) const SECRET: &str = "hand-made-secret";

#[derive(Clone)]
pub(crate) struct Authority {
    origin: String,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    seen: Vec<String>,
    clients: BTreeSet<String>,
    /// Per code: its client, its redirect address and its challenge.
    codes: BTreeMap<String, [String; 3]>,
    access_tokens: BTreeSet<String>,
    /// Per refresh token: its client.
    refresh_tokens: BTreeMap<String, String>,
    issued: Vec<String>,
    expires_in: Option<u64>,
    is_open: bool,
}

/// Adds two numbers.
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let authority = Self { origin, books: Arc::default() };
        authority.books().expires_in = Some(3600);
        let tools = Toolbox::builder().with(add::tool()).build().unwrap();
        let guarded = McpService::new("sums", tools)
            .router()
            .layer(from_fn_with_state(authority.clone(), only_with_token));
        let router = Router::new()
            .route("/.well-known/oauth-protected-resource/mcp", get(resource))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(authority.clone())
            .merge(guarded);
        tokio::spawn(async move { axum::serve(listener, router).await });
        authority
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// The address of the MCP server.
    pub(crate) fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// What the authorisation server was asked, without what its address says of it.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.books().seen.clone()
    }

    /// All codes and tokens so far.
    pub(crate) fn issued(&self) -> Vec<String> {
        self.books().issued.clone()
    }

    pub(crate) fn forget_access_tokens(&self) {
        self.books().access_tokens.clear();
    }

    pub(crate) fn forget_refresh_tokens(&self) {
        self.books().refresh_tokens.clear();
    }

    pub(crate) fn tokens_expire_in(&self, seconds: u64) {
        self.books().expires_in = Some(seconds);
    }

    pub(crate) fn let_everybody_in(&self) {
        self.books().is_open = true;
    }
}

impl Books {
    fn issue(&mut self, kind: &str) -> String {
        let issued = format!("{kind}-{}-{}", self.issued.len(), uuid::Uuid::now_v7());
        self.issued.push(issued.clone());
        issued
    }
}

/// A browser of a person who agrees: follows the redirect of the authorisation server.
pub(crate) async fn follow(url: String) {
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
}

/// As [`follow`], with a visit of somebody else before.
pub(crate) async fn browse(url: String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let response = client.build().unwrap().get(url).send().await.unwrap();
    let back = response.headers()["location"].to_str().unwrap().to_owned();
    let forged = back.replace("state=", "state=forged");
    assert_eq!(reqwest::get(forged).await.unwrap().status(), 400, "others are not let in");
    assert_eq!(reqwest::get(back).await.unwrap().status(), 200);
}

async fn only_with_token(
    State(authority): State<Authority>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let is_let_in = {
        let books = authority.books();
        books.is_open || books.access_tokens.contains(token)
    };
    if is_let_in {
        return next.run(request).await;
    }
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", authority.origin);
    // It repeats the token, as some servers do.
    let challenge = format!(
        r#"Bearer error="invalid_token", error_description="{token}", resource_metadata="{metadata}", scope="write""#
    );
    let body = format!("who are you with {token}?");
    (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)], body).into_response()
}

async fn resource(State(authority): State<Authority>) -> Json<Value> {
    Json(json!({
        "resource": authority.url(),
        "authorization_servers": [authority.origin],
        "scopes_supported": ["read"],
    }))
}

async fn metadata(State(authority): State<Authority>) -> Json<Value> {
    let origin = &authority.origin;
    Json(json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn register(
    State(authority): State<Authority>,
    Json(client): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut books = authority.books();
    let id = format!("client-{}", books.clients.len());
    books.seen.push(format!("register {}", client["client_name"].as_str().unwrap()));
    books.clients.insert(id.clone());
    (
        StatusCode::CREATED,
        Json(json!({ "client_id": id, "redirect_uris": client["redirect_uris"] })),
    )
}

fn parameters(query: &str) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://localhost/?{query}")).unwrap();
    url.query_pairs().into_owned().collect()
}

async fn authorize(State(authority): State<Authority>, uri: Uri) -> Response {
    let given = parameters(uri.query().unwrap());
    assert_eq!(given["response_type"], "code");
    assert_eq!(given["code_challenge_method"], "S256");
    assert_eq!(given["resource"], authority.url(), "the token is for this server only");
    let mut books = authority.books();
    let client = given["client_id"].clone();
    assert!(client == "by-hand" || books.clients.contains(&client), "{client} is unknown");
    let mut scopes: Vec<_> = given["scope"].split(' ').collect();
    scopes.sort_unstable();
    books.seen.push(format!("authorize {}", scopes.join(" ")));
    let code = books.issue("code");
    let (redirect, challenge) = (&given["redirect_uri"], &given["code_challenge"]);
    books.codes.insert(code.clone(), [client, redirect.clone(), challenge.clone()]);
    let mut back = Url::parse(redirect).unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &given["state"])
        .append_pair("iss", &authority.origin);
    (StatusCode::FOUND, [("location", back.to_string())]).into_response()
}

async fn token(State(authority): State<Authority>, body: String) -> (StatusCode, Json<Value>) {
    let given = parameters(&body);
    let value = |name: &str| given.get(name).cloned().unwrap_or_default();
    assert_eq!(value("resource"), authority.url());
    let mut books = authority.books();
    let kind = value("grant_type");
    books.seen.push(format!("token {kind}"));
    let client = value("client_id");
    let refused = |error: &str| {
        // It repeats what it was sent.
        let answer = json!({ "error": error, "error_description": body.clone() });
        (StatusCode::BAD_REQUEST, Json(answer))
    };
    let is_by_hand = matches!(&*client, "by-hand" | "machine");
    if is_by_hand && value("client_secret") != SECRET {
        return refused("invalid_client");
    }
    match kind.as_str() {
        "authorization_code" => {
            let code = books.codes.remove(&value("code"));
            let digest = Sha256::digest(value("code_verifier"));
            if code != Some([client.clone(), value("redirect_uri"), base64url(&digest)]) {
                return refused("invalid_grant");
            }
        }
        "refresh_token"
            if books.refresh_tokens.remove(&value("refresh_token")) != Some(client.clone()) =>
        {
            return refused("invalid_grant");
        }
        "refresh_token" => {}
        "client_credentials" if client == "machine" => {}
        _ => return refused("unsupported_grant_type"),
    }
    let access_token = books.issue("access");
    books.access_tokens.insert(access_token.clone());
    let mut answer = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": books.expires_in,
    });
    if kind != "client_credentials" {
        let refresh_token = books.issue("refresh");
        books.refresh_tokens.insert(refresh_token.clone(), client);
        answer["refresh_token"] = refresh_token.into();
        // Providers of identities add such a token.
        answer["id_token"] = books.issue("identity").into();
    }
    (StatusCode::OK, Json(answer))
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}
