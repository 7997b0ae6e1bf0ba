//! The command line of `ddg serve`, and its other places of settings.

use std::fs;
use std::process::Output;

use tempfile::TempDir;

use crate::fixture::{Ddg, command, run};

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// [assistants command line 1] The help names every option of the contract with its default.
#[tokio::test]
async fn the_help_names_all_options() {
    let folder = TempDir::new().unwrap();
    let output = run(&folder, &["serve", "--help"], &[]).await;
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in [
        "--listen <ADDRESS>",
        "127.0.0.1:8080",
        "--db <PATH|URL>",
        "ddg.sqlite",
        "--keys <FILE>",
        "--tools <FILE>",
        "--run-expiry <SECONDS>",
        "600",
        "--max-steps <N>",
        "25",
        "--tool-workers <N>",
        "10",
        "--tool-timeout <SECONDS>",
        "180",
        "--config <FILE>",
        "--rate-limit <N>",
        "--retain <DAYS>",
        "--model <NAME>",
        "DDG_KEYS",
        "OPENAI_MODEL",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}

/// [assistants command line 1] Wrong values are refused, with the option and the value.
#[tokio::test]
async fn wrong_values_name_option_and_value() {
    let folder = TempDir::new().unwrap();
    for (arguments, name, value) in [
        (["--listen", "nonsense"], "--listen", "nonsense"),
        (["--run-expiry", "0"], "--run-expiry", "'0'"),
        (["--max-steps", "-1"], "--max-steps", "-1"),
        (["--tool-workers", "many"], "--tool-workers", "many"),
        (["--tool-timeout", "1.5"], "--tool-timeout", "1.5"),
        (["--rate-limit", "0"], "--rate-limit", "'0'"),
        (["--retain", "x"], "--retain", "'x'"),
    ] {
        let argument = format!("{}={}", arguments[0], arguments[1]);
        let output = run(&folder, &["serve", &argument], &[]).await;
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(name) && text.contains(value), "{text}");
    }
    let output = run(&folder, &["serve", "--tool-worker", "3"], &[]).await;
    assert!(stderr(&output).contains("'--tool-workers'"), "{}", stderr(&output));
}

/// [assistants command line 1] The command line wins over the environment, and that over the file.
#[tokio::test]
async fn settings_come_from_three_places() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ddg.toml");
    fs::write(&file, "listen = \"127.0.0.1:0\"\nmodel = \"of-file\"\nrate-limit = 1\n").unwrap();
    let model = async |arguments: &[&str], vars: &[(&str, &str)]| {
        let all = [&["serve", "--config", "ddg.toml"], arguments].concat();
        let mut command = command(folder.path(), &all);
        command.envs(vars.iter().copied());
        let ddg = Ddg::spawn(command).await;
        let models = ddg.client().get("/v1/models").await.ok();
        // The limit of the file holds in all cases.
        ddg.client().get("/v1/models").await.error(429, "rate_limit_error");
        models["data"][0]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(model(&[], &[]).await, "of-file");
    assert_eq!(model(&[], &[("OPENAI_MODEL", "of-env")]).await, "of-env");
    let flag = ["--model", "of-flag"];
    assert_eq!(model(&flag, &[("OPENAI_MODEL", "of-env")]).await, "of-flag");
}

/// [assistants command line 1] A wrong setting of the file is refused as on the command line, with the
/// file.
#[tokio::test]
async fn wrong_settings_of_the_file_are_refused() {
    let folder = TempDir::new().unwrap();
    for (text, expected) in [
        ("tool-workers = 0", "'0' for '--tool-workers <N>'"),
        ("tool-workers = \"x\"", "'x' for '--tool-workers <N>'"),
        ("tool_workers = 1", "there is no setting `tool_workers`; there are listen, db,"),
        ("config = \"other.toml\"", "there is no setting `config`"),
        ("listen = [1]", "`listen` is of the type array; write a string or a number"),
        ("without-keys = 1", "`without-keys` is of the type integer; write `without-keys = true`"),
        ("listen", "TOML parse error at line 1"),
    ] {
        fs::write(folder.path().join("ddg.toml"), text).unwrap();
        let output = run(&folder, &["serve", "--config", "ddg.toml"], &[]).await;
        let found = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{found}");
        assert!(found.contains("in ddg.toml: ") && found.contains(expected), "{text}: {found}");
    }
    let output = run(&folder, &["serve", "--config", "none.toml"], &[]).await;
    assert!(stderr(&output).contains("in none.toml: No such file"), "{}", stderr(&output));
}

/// [assistants command line 2] An address that other machines reach needs keys, unless told otherwise.
#[tokio::test]
async fn an_open_address_needs_keys() {
    let folder = TempDir::new().unwrap();
    let open = ["serve", "--listen", "0.0.0.0:0", "--model", "offline", "--log", "warn"];
    let output = run(&folder, &open, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--listen 0.0.0.0:0: other machines can reach this address"));

    fs::write(folder.path().join("keys"), "sk-one").unwrap();
    let told = [open.as_slice(), &["--without-keys"]].concat();
    let with_keys = [open.as_slice(), &["--keys", "keys"]].concat();
    Ddg::spawn(command(folder.path(), &told)).await;
    Ddg::spawn(command(folder.path(), &with_keys)).await;
    let mut by_env = command(folder.path(), &open);
    by_env.env("DDG_KEYS", "sk-one,sk-two");
    let ddg = Ddg::spawn(by_env).await;
    let client = crate::fixture::Client::of_address(([127, 0, 0, 1], ddg.address.port()).into());
    client.key("sk-two").get("/v1/models").await.ok();
    client.get("/v1/models").await.error(401, "authentication_error");
}

/// [assistants keys 1] [assistants keys 4] Wrong keys stop the start, and no error shows a key.
#[tokio::test]
async fn wrong_keys_stop_the_start() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("keys"), "sk-one\nsk-two oops").unwrap();
    let cases = [
        (run(&folder, &["serve", "--keys", "keys"], &[]).await, "--keys: keys, line 2:"),
        (run(&folder, &["serve", "--keys", "none"], &[]).await, "could not read the keys in none"),
        (run(&folder, &["serve"], &[("DDG_KEYS", "sk-one,sk-one")]).await, "DDG_KEYS, line 2:"),
    ];
    for (output, expected) in cases {
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(expected) && !text.contains("sk-"), "{text}");
    }
}
