//! A model reads skills and their files, and nothing outside of their folders.

use std::fs;

use ddg_agentic::skill::Skills;
use expect_test::expect;
use serde_json::json;

use super::call::{call, skill, write};

#[tokio::test]
async fn skills_and_their_files_are_read() {
    let home = skill("forms", "Read `references/fields.md`.");
    write(home.path(), "forms/references/fields.md", "name, date");
    write(home.path(), "forms/scripts/fill.py", "print()");
    write(home.path(), "forms/.git/config", "secret");
    write(home.path(), "forms/logo.png", "");
    fs::write(home.path().join("forms/logo.png"), [0xff, 0xd8, 0]).unwrap();
    let reader = Skills::load(home.path()).unwrap().reader();
    let read = async |arguments| call(reader.clone(), arguments).await;

    assert_eq!(read(json!({})).await, "forms: Does forms.");
    expect![[r#"
        Read `references/fields.md`.

        Files of this skill: logo.png, references/fields.md, scripts/fill.py"#]]
    .assert_eq(&read(json!({ "skill": "forms" })).await);
    let fields = json!({ "skill": "forms", "file": "./references/fields.md" });
    assert_eq!(read(fields).await, "name, date");
    let logo = json!({ "skill": "forms", "file": "logo.png" });
    assert_eq!(read(logo).await, "[`logo.png` is not text: 3 bytes]");
    expect![[r#"FAILED `read_skill` failed: there is no file `nothing.md` in the skill; its files are: SKILL.md, logo.png, references/fields.md, scripts/fill.py"#]]
        .assert_eq(&read(json!({ "skill": "forms", "file": "nothing.md" })).await);
    let refused = read(json!({ "skill": "other" })).await;
    assert!(refused.starts_with("FAILED the arguments of `read_skill` are wrong"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_leads_out_of_a_skill() {
    use std::os::unix::fs::symlink;

    let home = skill("forms", "");
    let secret = write(home.path(), "secret.txt", "the secret");
    let folder = home.path().join("forms");
    symlink(&secret, folder.join("absolute.txt")).unwrap();
    symlink("../secret.txt", folder.join("relative.txt")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("SKILL.md", folder.join("inside.md")).unwrap();
    write(home.path(), "forms/scripts/run.sh", "");
    let reader = Skills::load(home.path()).unwrap().reader();
    for path in [
        "../secret.txt",
        "scripts/../../secret.txt",
        secret.to_str().unwrap(),
        "absolute.txt",
        "relative.txt",
        "up/secret.txt",
        "up",
        "",
        "scripts",
        "/etc/passwd",
    ] {
        let said = call(reader.clone(), json!({ "skill": "forms", "file": path })).await;
        assert!(said.starts_with("FAILED"), "{path}: {said}");
        assert!(!said.contains("the secret"), "{path}: {said}");
    }
    let inside = call(reader, json!({ "skill": "forms", "file": "inside.md" })).await;
    assert!(inside.contains("name: forms"), "{inside}");

    let skills = Skills::load(home.path()).unwrap();
    let forms = skills.skill("forms").unwrap();
    for path in ["../secret.txt", "relative.txt", "up/secret.txt", "scripts", "nothing.sh"] {
        let error = forms.script(path).unwrap_err().to_string();
        assert!(error.starts_with("skill `forms`: "), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let home = skill("forms", "");
    write(home.path(), "forms/large.txt", &"x".repeat((1 << 20) + 1));
    let reader = Skills::load(home.path()).unwrap().reader();
    let said = call(reader, json!({ "skill": "forms", "file": "large.txt" })).await;
    expect!["FAILED `read_skill` failed: `large.txt` cannot be read: it has 1048577 bytes, of 1048576 at most"].assert_eq(&said);
}
