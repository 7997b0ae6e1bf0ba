//! An open run is kept with its conversation, in one transaction.

use ddg_agentic::Agent;
use ddg_agentic::memory::{ConversationError, ConversationVersion, OpenRun};
use ddg_agentic::prelude::*;
use serde_json::json;

use crate::setup::{Setup, id, on_every_store, said};

on_every_store! {
    an_open_run_is_loaded_with_its_conversation,
    a_save_drops_the_open_run,
    only_one_of_two_writers_keeps_its_open_run,
    another_process_can_answer,
}

/// Pays.
#[tool]
async fn pay() -> String {
    "paid".to_owned()
}

fn automa(model: ScriptedModel) -> ReActAutoma {
    let tools = Toolbox::builder().with_options(pay::tool(), ToolOptions::new().approval());
    ReActAutoma::new(model).tools(tools.build().unwrap())
}

fn asks() -> ScriptedModel {
    ScriptedModel::new().calls([ToolCall::new("a", "pay", json!({}))])
}

async fn paused() -> OpenRun {
    let outcome = automa(asks()).build().unwrap().run(args!("Pay.")).outcome().await.unwrap();
    let mut open = OpenRun::at(outcome.snapshot().unwrap());
    open.steered.push(Message::user("now"));
    open
}

async fn an_open_run_is_loaded_with_its_conversation(Setup { store, .. }: Setup) {
    let (talk, open) = (id("talk"), paused().await);
    let version = store.keep_run(&talk, Some(&open), ConversationVersion::NEW).await.unwrap();
    let stored = store.load(&talk).await.unwrap();
    assert_eq!((stored.version, stored.conversation.messages.len()), (version, 0));
    assert_eq!(stored.run, Some(open.clone()));
    assert_eq!(open.questions().len(), 1);

    let version = store.save(&talk, &said(3), version).await.unwrap();
    let version = store.keep_run(&talk, Some(&open), version).await.unwrap();
    let stored = store.load(&talk).await.unwrap();
    assert_eq!((stored.conversation, stored.run), (said(3), Some(open)));
    let version = store.keep_run(&talk, None, version).await.unwrap();
    let stored = store.load(&talk).await.unwrap();
    assert_eq!((stored.conversation, stored.run, stored.version), (said(3), None, version));
}

async fn a_save_drops_the_open_run(Setup { store, .. }: Setup) {
    let (talk, open) = (id("talk"), paused().await);
    let version = store.keep_run(&talk, Some(&open), ConversationVersion::NEW).await.unwrap();
    let version = store.save(&talk, &said(1), version).await.unwrap();
    assert_eq!(store.load(&talk).await.unwrap().run, None);
    let version = store.keep_run(&talk, Some(&open), version).await.unwrap();
    store.rewrite(&talk, &said(1), version).await.unwrap();
    assert_eq!(store.load(&talk).await.unwrap().run, None);
}

async fn only_one_of_two_writers_keeps_its_open_run(Setup { store, .. }: Setup) {
    let (talk, open) = (id("talk"), paused().await);
    let version = store.keep_run(&talk, Some(&open), ConversationVersion::NEW).await.unwrap();
    for late in [ConversationVersion::NEW, version] {
        let run = store.keep_run(&talk, Some(&open), late).await;
        assert_eq!(run.is_ok(), late == version, "{run:?}");
    }
    let late = store.save(&talk, &said(1), version).await;
    assert!(matches!(late, Err(ConversationError::Changed { .. })), "{late:?}");
}

async fn another_process_can_answer(Setup { store, .. }: Setup) {
    let process = |model| Agent::new(automa(model)).unwrap().conversations(store.clone());
    process(asks()).say("talk", "Pay.").await.unwrap();
    let other = process(ScriptedModel::new().text("Done."));
    let question = other.questions("talk").await.unwrap().remove(0);
    let said = other.answer("talk", &question.id, Verdict::Allow).await.unwrap();
    let Said::Ended(outcome) = said else { panic!("{said:?}") };
    assert_eq!(outcome.text(), "Done.");
    let stored = store.load(&id("talk")).await.unwrap();
    assert_eq!((stored.conversation, stored.run), (outcome.conversation, None));
}
