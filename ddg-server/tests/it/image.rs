//! The image and the compose file, as text: nothing here runs containers.

use std::path::Path;

use crate::fixture::run;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The names of the variables that the help of `ddg serve` lists.
async fn variables() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["serve", "--help"], &[]).await;
    let help = String::from_utf8(output.stdout).unwrap();
    let names = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
    // A key is no option, because others can see the arguments of a process.
    names.map(str::to_owned).chain(["OPENAI_API_KEY".to_owned()]).collect()
}

/// [assistants command line 1] The image runs as an unprivileged user, and is built with the compiler of
/// the repository.
#[test]
fn the_image_has_no_rights() {
    let dockerfile = read("Dockerfile");
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.contains("\nUSER 10001\n") && !last.contains("USER root"));
    assert!(last.contains("ENTRYPOINT [\"ddg\"]\nCMD [\"serve\"]"));
    let toolchain = read("../rust-toolchain.toml");
    let version = toolchain.split('"').nth(1).unwrap().trim_end_matches(".0").to_owned();
    assert!(dockerfile.contains(&format!("FROM rust:{version}-")), "{version}");
}

/// [assistants command line 1] Settings in the image and the compose file are variables of the command.
#[tokio::test]
async fn settings_of_the_image_are_known() {
    let known = variables().await;
    assert!(known.len() > 10, "{known:?}");
    for file in ["Dockerfile", "compose.yaml"] {
        let text = read(file);
        let names =
            text.split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()));
        let named: Vec<_> =
            names.filter(|name| name.starts_with("DDG_") || name.starts_with("OPENAI_")).collect();
        assert!(named.len() > 2, "{named:?}");
        for name in named {
            assert!(
                known.iter().any(|known| known == name),
                "{file} sets {name}, not in {known:?}"
            );
        }
    }
}
