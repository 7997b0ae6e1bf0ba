//! Keys are only in the headers of requests: in no address, error, log or debug text.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};

use ddg_agentic::ChatModel;
use ddg_agentic::model::ChatRequest;
use ddg_agentic::provider::{Anthropic, Api, ApiKey, Gemini, HttpModel, Ollama, OpenAi};
use tracing_subscriber::filter::LevelFilter;

use crate::openai_server::{Answer, OpenAiServer, Then};

const KEY: &str = "sk-VerySecret-0123456789";

/// The value of an extra header, and that of an extra query parameter.
const EXTRAS: [&str; 2] = ["gateway-Secret-0123", "query-Secret-4567"];

/// Everything that is said aloud.
#[derive(Clone, Default)]
struct Aloud(Arc<Mutex<Vec<u8>>>);

impl io::Write for Aloud {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Aloud {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    fn say(&self, what: &impl Debug) {
        self.0.lock().unwrap().extend_from_slice(format!("{what:?}\n{what:#?}\n").as_bytes());
    }
}

/// Asks a model in all ways that end differently, where the provider knows the key and repeats it.
async fn ask<A: Api>(model: HttpModel<A>, aloud: &Aloud) {
    let answers = [
        Answer::text("ok"),
        Answer::error(401, &format!("`{KEY}` is no key")),
        Answer::error(401, &format!("{} are no keys", EXTRAS.join(" and "))),
        Answer::body(500, "text/plain", &format!("Bearer {KEY}")),
        Answer::body(200, "text/html", KEY),
        Answer::body(200, "application/json", KEY),
        Answer::body(
            200,
            "application/json",
            &format!("{{\"error\": {{\"message\": \"{KEY}\"}}}}"),
        ),
        Answer::events(&format!("data: {{\"error\": {{\"message\": \"{KEY}\"}}}}\n\n")),
        Answer::events("data: {").then(Then::Cut),
        Answer::body(200, "application/json", "{").then(Then::Cut),
    ];
    let [header, query] = EXTRAS;
    let model = model.extra_header("x-gateway", header).extra_query("code", query);
    let server = OpenAiServer::serving(answers.iter().flat_map(|a| [a.clone(), a.clone()])).await;
    let there = model.clone().base_url(server.url()).api_key(KEY);
    aloud.say(&there);
    let nowhere = model.base_url("http://127.0.0.1:1").api_key(KEY);
    for _ in &answers {
        for model in [&there, &nowhere] {
            let reply = model.chat(ChatRequest::new(["hi"])).await;
            if let Err(error) = &reply {
                aloud.say(&error.to_string());
            }
            aloud.say(&reply);
            match model.stream(ChatRequest::new(["hi"])).await {
                Ok(stream) => aloud.say(&stream.reply(|chunk| aloud.say(chunk)).await),
                Err(error) => {
                    aloud.say(&error.to_string());
                    aloud.say(&error);
                }
            }
        }
    }
    for asked in server.asked() {
        assert!(!asked.path.contains(KEY), "{}", asked.path);
        assert!(!asked.body.contains(KEY), "{}", asked.body);
        for secret in [KEY, header] {
            let has = |(_, value): &&(String, String)| value.contains(secret);
            assert_eq!(asked.headers.iter().filter(has).count(), 1);
        }
        assert!(asked.path.contains(query), "{}", asked.path);
    }
}

#[tokio::test]
async fn a_key_is_never_said_aloud() {
    let aloud = Aloud::default();
    let log = aloud.clone();
    // For the whole process, so that what other threads log is heard too.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || log.clone())
        .init();
    tracing::trace!("the log is heard");
    ask(OpenAi::new("test-model"), &aloud).await;
    ask(Anthropic::new("test-model"), &aloud).await;
    ask(Gemini::new("test-model"), &aloud).await;
    ask(Ollama::new("test-model"), &aloud).await;
    aloud.say(&ApiKey::from(KEY));
    let said = aloud.text();
    for part in ["the log is heard", "is no key", "ApiKey(…)"] {
        assert!(said.contains(part), "{part} is not heard");
    }
    let is_secret =
        |line: &&str| line.contains(KEY) || EXTRAS.iter().any(|secret| line.contains(secret));
    let found: Vec<_> = said.lines().filter(is_secret).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_key_in_an_address_is_not_shown() {
    for (url, shown) in [
        ("http://localhost/v1?key=sk-Very", "http://localhost/v1?…"),
        ("https://me:sk-Very@localhost/v1", "https://…@localhost/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
    ] {
        let model = format!("{:?}", OpenAi::new("m").base_url(url));
        assert!(model.contains(shown) && !model.contains("sk-Very"), "{model}");
    }
}
