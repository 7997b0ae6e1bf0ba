//! Skills are loaded by the rules of the Agent Skills specification: bad ones are refused with their
//! file and line, and left out when a folder of skills is loaded.

use ddg_agentic::skill::{Skill, SkillError, Skills};
use expect_test::expect;

use super::call::write;

#[test]
fn all_fields_are_read_and_others_ignored() {
    let home = tempfile::tempdir().unwrap();
    let text = "---\nname: pdf-forms\ndescription: |\n  Fills forms.\n  Use it for PDFs.\nlicense: Apache-2.0\n\
                compatibility: Needs python3\nmetadata:\n  author: ada\n  version: 1.5\n\
                allowed-tools: Bash(git:*) Read\nmodel: big\n---\n\n# Forms\n\nRead the form first.\n";
    write(home.path(), "pdf-forms/SKILL.md", text);
    let skill = Skill::load(home.path().join("pdf-forms")).unwrap();
    let shown = format!(
        "{}\n{}\n{:?} {:?}\n{:?}\n{:?}\n{}",
        skill.name(),
        skill.description(),
        skill.license(),
        skill.compatibility(),
        skill.metadata(),
        skill.wanted_tools().collect::<Vec<_>>(),
        skill.instructions()
    );
    expect![[r##"
        pdf-forms
        Fills forms.
        Use it for PDFs.
        Some("Apache-2.0") Some("Needs python3")
        {"author": "ada", "version": "1.5"}
        ["Bash(git:*)", "Read"]
        # Forms

        Read the form first."##]]
    .assert_eq(&shown);
}

/// Whether the skill is refused, and why, without the path of its folder.
#[track_caller]
fn check(name: &str, front: &str, expect: &expect_test::Expect) {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &format!("{name}/SKILL.md"), &format!("---\n{front}\n---\nBody\n"));
    let said = match Skill::load(home.path().join(name)) {
        Ok(_) => "loaded".to_owned(),
        Err(error) => error.to_string(),
    };
    expect.assert_eq(&said.replace(&home.path().display().to_string(), "HOME"));
}

/// The cases come from `test_validator.py` of the specification's reference library.
#[test]
fn a_bad_skill_is_refused_with_its_file_and_line() {
    check("my-skill", "name: my-skill\ndescription: A test skill", &expect!["loaded"]);
    check(
        "MySkill",
        "name: MySkill\ndescription: A test skill",
        &expect![
            "HOME/MySkill/SKILL.md, line 2: the name `MySkill` has other characters than `a` to `z`, `0` to `9` and `-`"
        ],
    );
    check(
        "-my-skill",
        "name: -my-skill\ndescription: A test skill",
        &expect![
            "HOME/-my-skill/SKILL.md, line 2: the name `-my-skill` has a `-` at an end, or two in a row"
        ],
    );
    check(
        "my--skill",
        "name: my--skill\ndescription: A test skill",
        &expect![
            "HOME/my--skill/SKILL.md, line 2: the name `my--skill` has a `-` at an end, or two in a row"
        ],
    );
    check(
        "wrong-name",
        "description: A test skill\nname: correct-name",
        &expect![
            "HOME/wrong-name/SKILL.md, line 3: the name `correct-name` is not that of the folder, `wrong-name`: rename one"
        ],
    );
    check(
        "my-skill",
        "name: my-skill",
        &expect!["HOME/my-skill/SKILL.md, line 2: missing field `description`"],
    );
    check(
        "my-skill",
        "description: A test skill",
        &expect!["HOME/my-skill/SKILL.md, line 2: missing field `name`"],
    );
    check(
        "my-skill",
        "name: my-skill\ndescription: [a, b]",
        &expect!["HOME/my-skill/SKILL.md, line 3: expected string scalar"],
    );
    check(
        "my-skill",
        "name: my-skill\ndescription: \"open",
        &expect!["HOME/my-skill/SKILL.md, line 3: unclosed quote"],
    );
    let long = format!("name: my-skill\ndescription: ok\ncompatibility: {}", "x".repeat(501));
    check(
        "my-skill",
        &long,
        &expect![
            "HOME/my-skill/SKILL.md, line 4: the compatibility has 501 characters, of 500 at most"
        ],
    );
}

#[test]
fn a_folder_is_loaded_without_its_bad_skills() {
    let home = tempfile::tempdir().unwrap();
    let good = |name: &str| format!("---\nname: {name}\ndescription: Does\n  {name}.\n---\n");
    write(home.path(), "b-good/SKILL.md", &good("b-good"));
    write(home.path(), "a-good/SKILL.md", &good("a-good"));
    write(home.path(), "bad/SKILL.md", "no front matter");
    write(home.path(), "not-text/SKILL.md", "");
    std::fs::write(home.path().join("not-text/SKILL.md"), [0xff, 0xfe]).unwrap();
    write(home.path(), "no-skill/README.md", "This is no skill.");
    write(home.path(), "file.txt", "");
    let skills = Skills::load(home.path()).unwrap();
    let names: Vec<_> = skills.iter().map(Skill::name).collect();
    assert_eq!(names, ["a-good", "b-good"]);
    let left_out = skills.left_out().iter().map(|error| format!("{error}\n")).collect::<String>();
    expect![[r#"
        HOME/bad/SKILL.md, line 1: the file must begin with front matter: a line `---`, `name: …`, `description: …`, and a line `---`
        HOME/not-text/SKILL.md, line 1: the file is not UTF-8
    "#]].assert_eq(&left_out.replace(&home.path().display().to_string(), "HOME"));
    expect![[r#"
        You have skills: instructions for kinds of tasks. If a task fits the description of one, read it with the tool `read_skill` before you begin, and follow it.
        - a-good: Does a-good.
        - b-good: Does b-good."#]].assert_eq(&skills.prompt());
    assert_eq!(skills.only(&["b-good"]).iter().count(), 1);
    assert_eq!(Skills::new().prompt(), "");

    let missing = Skill::load(home.path().join("no-skill")).unwrap_err();
    assert!(matches!(missing, SkillError::Missing { .. }), "{missing}");
    let nowhere = Skills::load(home.path().join("nowhere")).unwrap_err();
    assert!(matches!(nowhere, SkillError::Unreadable { .. }), "{nowhere}");
}
