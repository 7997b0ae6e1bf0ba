//! Agents use skills: in stored runs, which another process continues, and in conversations.

use ddg_agentic::prelude::*;
use ddg_agentic::skill::Skills;
use ddg_agentic::tool::ToolOptions;
use ddg_core::checkpoint::SqliteStore;
use serde_json::json;

use super::call::{skill, write};

fn agent(skills: &Skills, model: ScriptedModel) -> ReActAutoma {
    let fill = skills.skill("forms").unwrap().script("scripts/fill.sh").unwrap().run_with("sh");
    let tools = Toolbox::builder()
        .with(skills.reader())
        .with_options(fill.name("fill_form"), ToolOptions::new().approval())
        .build()
        .unwrap();
    let system = format!("You fill forms.\n\n{}", skills.prompt());
    ReActAutoma::new(model).system(system).tools(tools)
}

#[cfg(unix)]
#[tokio::test]
async fn a_stored_run_reads_a_skill_and_runs_its_script_when_a_person_allows_it() {
    let home = skill("forms", "Run `fill_form` with the name.");
    write(home.path(), "forms/scripts/fill.sh", "echo \"form of $1\"");
    let store = SqliteStore::open(&home.path().join("runs.db")).await.unwrap();

    let first = ScriptedModel::new()
        .calls([ToolCall::new("1", "read_skill", json!({ "skill": "forms" }))])
        .expects(|asked| {
            let system = asked.messages[0].text();
            assert!(system.contains("- forms: Does forms."), "{system}");
            assert_eq!(asked.tools.len(), 2);
        })
        .calls([ToolCall::new("2", "fill_form", json!({ "args": ["Ada"] }))])
        .expects_last("Run `fill_form` with the name.\n\nFiles of this skill: scripts/fill.sh");
    let automa = agent(&Skills::load(home.path()).unwrap(), first).build().unwrap();
    let paused = automa.run(args!("A form for Ada.")).stored_in(&store, "run").outcome().await;
    let question = paused.unwrap().questions()[0].clone();
    assert_eq!(question.content.get::<Approval>().unwrap().tool, "fill_form");

    // Another process, which loads the skills again.
    let then = ScriptedModel::new().text("Done.").expects_last("form of Ada\n");
    let automa = agent(&Skills::load(home.path()).unwrap(), then).build().unwrap();
    let runs = ddg_core::run::StoredRuns::new(&store);
    runs.answer("run", &question.id, Verdict::Allow).await.unwrap();
    let outcome = automa.run(args!("A form for Ada.")).stored_in(&store, "run").await.unwrap();
    assert_eq!(outcome.text(), "Done.");
}
