//! `ddg riddles new`: the agents that it writes solve the calculator.

use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use super::{calculation, ended, free_address, management, place};
use crate::fixture::{Ddg, command};

#[path = "../../../templates/rust/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own once it is written")]
mod agent;
#[path = "../../../templates/rust/src/main.rs"]
#[expect(dead_code, reason = "it is compiled here, and run where it is written")]
mod program;
#[path = "../../../templates/rust/tests/agent.rs"]
mod tests;

pub(crate) use agent::Mine;

/// Writes a template, and returns what the command says.
async fn written(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output =
        command(folder, &[&["riddles", "new"], arguments].concat()).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// [riddles 16] The template in Python: its tests pass, and its agent, as it stands, takes part.
#[tokio::test]
async fn the_template_in_python_solves_the_calculator() {
    let folder = place();
    let (code, said) = written(folder.path(), &["mine", "--python"]).await;
    assert_eq!(
        (code, &*said),
        (0, "mine has the agent `mine`; its README.md says how to try it\n")
    );
    let mine = folder.path().join("mine");
    let mut tests = Command::new("python3");
    let tests = tests.args(["-m", "unittest"]).current_dir(&mine).output().await.unwrap();
    let said = String::from_utf8_lossy(&tests.stderr);
    assert!(tests.status.success() && said.contains("Ran 3 tests"), "{said}");

    let address = free_address();
    let agents = ["extract=text", &*format!("solve=mine@http://{address}"), "gatekeeper=checker"];
    let server = management(folder.path(), &agents, &["--resend", "1"]).await;
    let mut python = Command::new("python3");
    python
        .arg("agent.py")
        .current_dir(&mine)
        .env("DDG_RIDDLES_LISTEN", &address)
        .env("DDG_RIDDLES_MANAGEMENT", format!("http://{}", server.address))
        .env("DDG_RIDDLES_SHARED", folder.path().join("shared"))
        .kill_on_drop(true);
    let _python = Ddg::spawn(python).await;
    let client = server.client();
    client.post("/riddles", &calculation("a")).await;
    let riddle = ended(&client, "a").await;
    assert_eq!(riddle["solution"]["solution"], "150", "{riddle}");
    assert_eq!(riddle["solution"]["explanation"], "10 * 15 = 150");
}

/// [riddles 15] A running agent in another language is tried: `try` is its management meanwhile.
#[tokio::test]
async fn an_agent_that_runs_elsewhere_is_tried() {
    let folder = place();
    assert_eq!(written(folder.path(), &["mine", "--python"]).await.0, 0);
    let (listen, address) = (free_address(), free_address());
    let mut python = Command::new("python3");
    python
        .arg("agent.py")
        .current_dir(folder.path().join("mine"))
        .env("DDG_RIDDLES_LISTEN", &address)
        .env("DDG_RIDDLES_MANAGEMENT", format!("http://{listen}"))
        .kill_on_drop(true);
    let _python = Ddg::spawn(python).await;
    let url = format!("http://{address}");
    let tried = async |arguments: &[&str]| {
        let arguments = [&["riddles", "try"], arguments, &["--listen", &listen]].concat();
        let output = command(folder.path(), &arguments).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, out, error) = tried(&[&url, "-d"]).await;
    assert_eq!(code, 0, "{error}");
    let response: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(response["solution"][0]["solution"], "42");
    // Each try is a message of its own.
    assert_eq!(tried(&[&format!("mine@{url}"), "-d"]).await.0, 0);

    let question = json!({ "riddle": { "question": "v =" } }).to_string();
    std::fs::write(folder.path().join("ask.json"), question).unwrap();
    assert_eq!(tried(&[&url, "-f", "ask.json"]).await.0, 3, "a value is missing");
    let nobody = format!("http://{}", free_address());
    let (code, _, error) = tried(&[&nobody, "-d"]).await;
    assert_eq!(code, 1);
    assert!(error.starts_with(&format!("ddg: {nobody}: ")), "{error}");
    assert_eq!(tried(&["mine@nowhere", "-d"]).await.0, 2);
}

/// [riddles 16] The template in Rust is what is compiled and tested here, and names its sources.
#[tokio::test]
async fn the_template_in_rust_is_the_one_that_is_tested_here() {
    let folder = place();
    assert_eq!(written(folder.path(), &["mine"]).await.0, 0);
    let mine = folder.path().join("mine");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/rust");
    for name in ["src/lib.rs", "src/main.rs", "tests/agent.rs"] {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read(&mine), read(&own), "{name}");
    }
    let manifest = std::fs::read_to_string(mine.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    for (name, dependency) in manifest["dependencies"].as_table().unwrap() {
        let path = Path::new(dependency["path"].as_str().unwrap());
        assert!(path.join("Cargo.toml").is_file(), "{name}: {}", path.display());
    }
    // Nothing is written over what is there.
    let (code, said) = written(folder.path(), &["mine"]).await;
    assert_eq!((code, &*said), (1, "ddg: mine is not empty: name a new folder\n"));
    let (code, said) = written(folder.path(), &["other", "--sources", "shared"]).await;
    assert_eq!(code, 1);
    assert_eq!(said, "ddg: shared has not the sources of ddg: say with --sources where they are\n");
}

/// [riddles 16] Built as its author builds it, without a network, it solves the calculator.
#[cfg(feature = "clients")]
#[tokio::test]
async fn the_template_in_rust_is_built_and_solves_the_calculator() {
    // Crates are compiled once more for it: for the night.
    if std::env::var_os("DDG_NIGHTLY").is_none() {
        return;
    }
    let folder = place();
    assert_eq!(written(folder.path(), &["mine"]).await.0, 0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map(std::path::PathBuf::from);
    let target = target.unwrap_or_else(|| root.join("target"));
    let tests = Command::new(env!("CARGO"))
        .args(["test", "--offline"])
        .current_dir(folder.path().join("mine"))
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&tests.stdout);
    assert!(said.contains("2 passed"), "{said}\n{}", String::from_utf8_lossy(&tests.stderr));
}

/// [riddles 16] What nothing here can run is read: names of variables, places, users.
#[tokio::test]
async fn the_containers_of_a_template_have_known_settings() {
    let folder = place();
    assert_eq!(written(folder.path(), &["rust"]).await.0, 0);
    assert_eq!(written(folder.path(), &["python", "--python"]).await.0, 0);
    let help = async |arguments: &[&str]| {
        let output = command(folder.path(), arguments).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let known = help(&["riddles", "--help"]).await + &help(&["riddles", "agent", "--help"]).await;
    for language in ["rust", "python"] {
        let read =
            |name: &str| std::fs::read_to_string(folder.path().join(language).join(name)).unwrap();
        let (dockerfile, compose) = (read("Dockerfile"), read("compose.yaml"));
        let last = dockerfile.rsplit("\nFROM ").next().unwrap();
        assert!(last.contains("\nUSER 10001\n"), "{dockerfile}");
        assert!(dockerfile.contains("# End of packages of your own."), "{dockerfile}");
        let names = [&*dockerfile, &compose].concat();
        let names: Vec<_> = names
            .split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
            .filter(|name| name.starts_with("DDG_RIDDLES_") || name.starts_with("AGENTS_"))
            .collect();
        assert!(names.len() > 8, "{names:?}");
        for name in names {
            // The secret is no option.
            assert!(name == "DDG_RIDDLES_SECRET" || known.contains(name), "{language}: {name}");
        }
        assert!(!compose.contains('@') || compose.matches('@').count() == 1, "{compose}");
        assert!(compose.contains("AGENTS_SOLVE: mine@http://mine:9001"));
        for volume in ["\n  shared:\n", "\n  persist:\n"] {
            assert!(compose.contains(volume), "{compose}");
        }
    }
}
