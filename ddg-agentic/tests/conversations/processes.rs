//! A conversation continues in another process.

use std::path::Path;
use std::process::Command;

use ddg_agentic::memory::{
    ConversationError, ConversationStore, ConversationVersion, SqliteConversations,
};

use crate::setup::{id, said};

/// On which file a process that a test has started works.
const FILE: &str = "DDG_TEST_FILE";

fn run_in_a_process_of_its_own(path: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::a_process_of_its_own"])
        .env(FILE, path)
        .status()
        .unwrap();
    assert!(status.success());
}

/// It is the other test that starts it, and names the file; where nobody does, there is nothing to do.
#[tokio::test]
async fn a_process_of_its_own() {
    let Ok(path) = std::env::var(FILE) else { return };
    let store = SqliteConversations::open(path).await.unwrap();
    let found = store.load(&id("talk")).await.unwrap();
    let n_messages = found.conversation.messages.len();
    store.save(&id("talk"), &said(n_messages + 2), found.version).await.unwrap();
}

#[tokio::test]
async fn a_conversation_continues_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    run_in_a_process_of_its_own(&path);
    let store = SqliteConversations::open(&path).await.unwrap();
    let found = store.load(&id("talk")).await.unwrap();
    assert_eq!(found.conversation, said(2));
    assert_ne!(found.version, ConversationVersion::NEW);

    // Both have it open, and the other was faster.
    run_in_a_process_of_its_own(&path);
    let refused = store.save(&id("talk"), &said(3), found.version).await.unwrap_err();
    assert!(matches!(refused, ConversationError::Changed { .. }), "{refused}");
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, said(4));
}
