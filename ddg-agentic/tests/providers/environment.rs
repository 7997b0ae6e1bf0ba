//! Models from the environment, each in a process of its own.

use std::process::{Command, Stdio};

use ddg_agentic::model::ModelError;
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama, OpenAi};
use expect_test::expect;

/// Tells the process that [`found`] starts to look.
const LOOK: &str = "DDG_LOOK_AT_ENVIRONMENT";

/// What this process finds. It is [`found`] that starts it and asks; where nobody does, there is
/// nothing to do.
#[test]
fn child() {
    if std::env::var_os(LOOK).is_none() {
        return;
    }
    fn show<A: Api>(model: Result<HttpModel<A>, ModelError>) -> String {
        model.map_or_else(|error| error.to_string(), |model| format!("{model:?}"))
    }
    println!("FOUND {}", show(OpenAi::from_env()));
    println!("FOUND {}", show(Anthropic::from_env()));
    println!("FOUND {}", show(Gemini::from_env()));
    println!("FOUND {}", show(Ollama::from_env()));
}

/// What a process with these variables finds.
fn found(variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "environment::child", "--nocapture"]).env(LOOK, "yes");
    for provider in ["OPENAI", "ANTHROPIC", "GEMINI", "OLLAMA"] {
        for name in ["MODEL", "BASE_URL", "API_KEY"] {
            child.env_remove(format!("{provider}_{name}"));
        }
    }
    let output = child.envs(variables.iter().copied()).stderr(Stdio::inherit()).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let lines = output.lines().filter_map(|line| line.split_once("FOUND ").map(|(_, found)| found));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn missing_variables_are_named() {
    expect![[r#"
        OPENAI_MODEL is not set; it names the model to ask
        ANTHROPIC_MODEL is not set; it names the model to ask
        GEMINI_MODEL is not set; it names the model to ask
        OLLAMA_MODEL is not set; it names the model to ask"#]]
    .assert_eq(&found(&[("OLLAMA_MODEL", " ")]));
}

#[test]
fn a_missing_key_is_reported_if_the_server_needs_one() {
    let variables = [
        ("OPENAI_MODEL", "gpt"),
        ("ANTHROPIC_MODEL", "claude"),
        ("GEMINI_MODEL", "gemini"),
        ("OLLAMA_MODEL", "qwen"),
    ];
    expect![[r#"
        model `gpt`: there is no key for https://api.openai.com/v1; set api_key or OPENAI_API_KEY
        model `claude`: there is no key for https://api.anthropic.com; set api_key or ANTHROPIC_API_KEY
        model `gemini`: there is no key for https://generativelanguage.googleapis.com; set api_key or GEMINI_API_KEY
        HttpModel(Settings { provider: Ollama, model: "qwen", base_url: "http://localhost:11434", api_key: None, capabilities: None, max_media_bytes: 50000000, extra_headers: [], extra_query: [], connect_timeout: 10s, stall_timeout: 120s, reply_timeout: 600s, stream_timeout: 3600s })"#]].assert_eq(&found(&variables));
}

#[test]
fn a_model_has_what_the_environment_says() {
    let variables = [
        ("OPENAI_MODEL", "qwen"),
        ("OPENAI_BASE_URL", "http://localhost:8000/v1"),
        ("ANTHROPIC_MODEL", "claude"),
        ("ANTHROPIC_API_KEY", "sk-1"),
        ("GEMINI_MODEL", "gemini"),
        ("GEMINI_API_KEY", "sk-2"),
        ("GEMINI_BASE_URL", "no address"),
        ("OLLAMA_MODEL", "qwen"),
        ("OLLAMA_BASE_URL", "http://box:11434"),
    ];
    expect![[r#"
        HttpModel(Settings { provider: OpenAi, model: "qwen", base_url: "http://localhost:8000/v1", api_key: None, capabilities: None, max_media_bytes: 50000000, extra_headers: [], extra_query: [], connect_timeout: 10s, stall_timeout: 120s, reply_timeout: 600s, stream_timeout: 3600s })
        HttpModel(Settings { provider: Anthropic, model: "claude", base_url: "https://api.anthropic.com", api_key: Some(ApiKey(…)), capabilities: None, max_media_bytes: 24000000, extra_headers: [], extra_query: [], connect_timeout: 10s, stall_timeout: 120s, reply_timeout: 600s, stream_timeout: 3600s })
        model `gemini`: its address is no URL; set base_url or GEMINI_BASE_URL to one such as https://generativelanguage.googleapis.com
        HttpModel(Settings { provider: Ollama, model: "qwen", base_url: "http://box:11434", api_key: None, capabilities: None, max_media_bytes: 50000000, extra_headers: [], extra_query: [], connect_timeout: 10s, stall_timeout: 120s, reply_timeout: 600s, stream_timeout: 3600s })"#]].assert_eq(&found(&variables));
}

#[test]
fn certificates_are_missed_only_where_they_are_needed() {
    let variables = [
        ("OPENAI_MODEL", "qwen"),
        ("OPENAI_BASE_URL", "https://localhost:8000/v1"),
        ("OLLAMA_MODEL", "qwen"),
        ("SSL_CERT_FILE", "/there/is/none"),
        ("SSL_CERT_DIR", "/there/is/none"),
    ];
    expect![[r#"
        model `qwen`: there is no HTTP client: builder error: unexpected error: No CA certificates were loaded from the system
        ANTHROPIC_MODEL is not set; it names the model to ask
        GEMINI_MODEL is not set; it names the model to ask
        HttpModel(Settings { provider: Ollama, model: "qwen", base_url: "http://localhost:11434", api_key: None, capabilities: None, max_media_bytes: 50000000, extra_headers: [], extra_query: [], connect_timeout: 10s, stall_timeout: 120s, reply_timeout: 600s, stream_timeout: 3600s })"#]].assert_eq(&found(&variables));
}
