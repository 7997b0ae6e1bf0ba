//! The programs in `clients`, which use the official clients, and one that is stricter.

use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::fixture::{Ddg, Turn, Upstream, calls, text};

/// The folder with the installed clients, which `.ci/clients` fills.
pub(crate) async fn installed() -> PathBuf {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let install = async || {
        let status = Command::new(root.join(".ci/clients")).status().await.unwrap();
        assert!(status.success(), "the clients are not installed: see above");
    };
    INSTALLED.get_or_init(install).await;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root.join("target")).join("clients")
}

/// Runs a program of `clients` against a server whose model follows the script.
async fn run(program: &str, script: Vec<Turn>) {
    let clients = installed().await;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(program);
    let mut command = match source.extension().and_then(|extension| extension.to_str()) {
        Some("py") => {
            let mut python = Command::new(clients.join("python/bin/python"));
            python.arg(source);
            python
        }
        Some("mjs") => {
            // Node looks for packages beside the program.
            let copy = clients.join("javascript").join(source.file_name().unwrap());
            std::fs::copy(source, &copy).unwrap();
            let mut node = Command::new("node");
            node.arg(copy);
            node
        }
        _ => panic!("{program} is no program of a known language"),
    };
    let n_turns = script.len();
    let upstream = Upstream::start(script).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys"), "sk-client\n").unwrap();
    let ddg = Ddg::on(&upstream, &folder, &["--keys", "keys"]).await;
    command.env("OPENAI_BASE_URL", ddg.base_url()).env("OPENAI_API_KEY", "sk-client");
    let output = command.kill_on_drop(true).output().await.unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.trim_end().ends_with("ok"), "{program}: {out}\n{err}");
    assert!(upstream.asked().len() >= n_turns, "{program} does not use the whole script");
}

const OSLO: &str = "{\"city\":\"Oslo\"}";

/// [assistants http 4] Python, synchronously: objects, streams, polling, functions, failures, files.
#[tokio::test]
async fn assistants_in_python() {
    let script = vec![
        text(&["Hel", "lo!"]),
        text(&["Second."]),
        calls(&[("call_1", "weather", OSLO), ("call_2", "weather", "{\"city\":\"Rome\"}")]),
        text(&["Both are sunny."]),
        calls(&[("call_3", "weather", "{\"city\":\"Bern\"}")]),
        text(&["Rain."]),
        text(&["Begun."]),
        text(&["Begun."]),
        Turn::Fail(400, "the prompt is too long".into()),
        Turn::Hang(vec!["Hel".into()]),
    ];
    run("python/assistants.py", script).await;
}

/// [assistants http 4] Python, asynchronously, and many threads at the same time.
#[tokio::test]
async fn assistants_in_asynchronous_python() {
    let script =
        vec![calls(&[("call_1", "now", "{}")]), text(&["It is ", "noon."]), text(&["Hello!"])];
    run("python/assistants_async.py", script).await;
}

/// [assistants http 4] [assistants responses 8] Python: texts, functions, conversations, background.
#[tokio::test]
async fn responses_in_python() {
    let script = vec![
        text(&["Hello!"]),
        text(&["Hello again!"]),
        text(&["In ", "parts"]),
        text(&["{\"name\":\"Ada\",\"age\":36}"]),
        calls(&[("call_1", "weather", OSLO)]),
        text(&["It is sunny."]),
        calls(&[("call_2", "weather", "{\"city\":\"Bern\"}")]),
        text(&["Ada."]),
        Turn::Hang(vec!["S".into()]),
        text(&["One, ", "two, ", "three."]),
        Turn::Fail(500, "the model is down".into()),
    ];
    run("python/responses.py", script).await;
}

/// [assistants http 4] JavaScript: streams, polling, functions, errors, files.
#[tokio::test]
async fn assistants_in_javascript() {
    let script = vec![
        text(&["Hel", "lo!"]),
        calls(&[("call_1", "weather", OSLO)]),
        text(&["Sunny."]),
        calls(&[("call_2", "weather", "{}")]),
        text(&["Rain."]),
    ];
    run("javascript/assistants.mjs", script).await;
}

/// [assistants http 4] [assistants responses 8] JavaScript: texts, functions, conversations.
#[tokio::test]
async fn responses_in_javascript() {
    let script = vec![
        text(&["Hello!"]),
        text(&["Hello again!"]),
        calls(&[("call_1", "weather", "{}")]),
        text(&["It is sunny."]),
    ];
    run("javascript/responses.mjs", script).await;
}

/// [assistants http 4] [assistants responses 8] The AI SDK, which checks each event by a schema.
#[tokio::test]
async fn responses_with_the_ai_sdk() {
    let script = vec![
        text(&["Hello!"]),
        calls(&[("call_1", "weather", OSLO)]),
        text(&["It is sunny."]),
        calls(&[("call_2", "weather", OSLO)]),
        text(&["Rain, ", "still."]),
    ];
    run("javascript/ai_sdk.mjs", script).await;
}
