//! A file outlives its store, grows only by new messages, and is left unchanged if its format is
//! unknown.

use std::path::Path;
use std::sync::Arc;

use ddg_agentic::Message;
use ddg_agentic::memory::{
    ConversationPage, ConversationStore, ConversationVersion, SqliteConversations,
};
use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_core::checkpoint::{CheckpointStore, Claim, RunId, SqliteStore};
use expect_test::expect;
use futures::future;
use sqlx::{Connection, Executor, Row, SqliteConnection};

use crate::setup::{id, said};

const NEW: ConversationVersion = ConversationVersion::NEW;

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(path.to_str().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ünser %20?#.db");
    let store = SqliteConversations::open(&path).await.unwrap();
    let version = store.save(&id("talk"), &said(3), NEW).await.unwrap();
    drop(store);
    let store = SqliteConversations::open(&path).await.unwrap();
    let stored = store.load(&id("talk")).await.unwrap();
    assert_eq!((stored.conversation, stored.version), (said(3), version));
    store.save(&id("talk"), &said(4), version).await.unwrap();
    store.close().await;
    let files = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(files.count(), 1);
}

#[tokio::test]
async fn many_make_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::new(folder.path().join("talk.db"));
    let tasks = (0..8).map(|n| {
        let path = Arc::clone(&path);
        tokio::spawn(async move {
            let store = SqliteConversations::open(&*path).await.unwrap();
            store.save(&id(&n.to_string()), &said(1), NEW).await.unwrap();
        })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
}

/// Whether a row was written anew is seen by a mark that is put into each.
#[tokio::test]
async fn only_what_is_new_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    let store = SqliteConversations::open(&path).await.unwrap();
    let version = store.save(&id("talk"), &said(3), NEW).await.unwrap();
    let mut connection = connect(&path).await;
    connection.execute("alter table ddg_messages add column mark text").await.unwrap();
    connection.execute("update ddg_messages set mark = 'old'").await.unwrap();
    store.save(&id("talk"), &said(5), version).await.unwrap();
    let rows = connection.fetch_all("select mark from ddg_messages order by place").await.unwrap();
    let marks: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
    let old = || Some("old".to_owned());
    assert_eq!(marks, [old(), old(), old(), None, None]);
}

#[tokio::test]
async fn one_file_has_runs_and_conversations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.db");
    let runs = SqliteStore::open(&path).await.unwrap();
    let conversations = SqliteConversations::open(&path).await.unwrap();
    runs.create(&RunId::new("run").unwrap(), "agent", &Claim::default()).await.unwrap();
    conversations.save(&id("talk"), &said(1), NEW).await.unwrap();
    drop((runs, conversations));
    let conversations = SqliteConversations::open(&path).await.unwrap();
    let runs = SqliteStore::open(&path).await.unwrap();
    assert!(runs.find(&RunId::new("run").unwrap()).await.is_ok());
    assert_eq!(conversations.load(&id("talk")).await.unwrap().conversation, said(1));
}

/// What is nested so deeply that it could not be read again is not written.
#[tokio::test]
async fn a_message_that_could_not_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteConversations::open(folder.path().join("talk.db")).await.unwrap();
    let text = format!("{}1{}", "[".repeat(125), "]".repeat(125));
    // A custom model may produce such arguments; `ToolArguments::parse` would not.
    let arguments = ToolArguments::Json(serde_json::from_str(&text).unwrap());
    let call = ToolCall::new("call_1", "look", arguments);
    let mut talk = said(1);
    talk.messages.push(Message::calls([call]));
    let refused = store.save(&id("talk"), &talk, NEW).await.unwrap_err();
    expect!["message 1 of conversation `talk` cannot be kept: recursion limit exceeded at line 1 column 217; the arguments of a call may be nested too deeply"].assert_eq(&refused.to_string());
    assert_eq!(store.load(&id("talk")).await.unwrap().version, NEW);
}

#[tokio::test]
async fn rows_that_are_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    let store = SqliteConversations::open(&path).await.unwrap();
    store.save(&id("talk"), &said(3), NEW).await.unwrap();
    let mut connection = connect(&path).await;
    connection.execute("pragma foreign_keys = off").await.unwrap();
    let mut messages = String::new();
    for tampering in [
        "update ddg_messages set body = '{\"role\":\"ghost\"}' where place = 1",
        "update ddg_messages set body = x'ff' where place = 1",
        "update ddg_messages set body = cast(x'ff' as text) where place = 1",
        "update ddg_messages set body = '{' where place = 1",
        "delete from ddg_messages where place = 1",
        "update ddg_messages set place = -1 where place = 1",
        "delete from ddg_messages where place = 2",
        "insert into ddg_messages select conversation, 3, body from ddg_messages where place = 2",
        "update ddg_conversations set n_messages = 9223372036854775807",
        "update ddg_conversations set n_messages = -1",
        "update ddg_conversations set version = -1",
        "update ddg_conversations set goal = cast(x'ff' as text)",
        "update ddg_conversations set summaries = 'none'",
        "update ddg_conversations set summaries = '[{\"range\":{\"start\":0,\"end\":9},\"text\":\"\"}]'",
        "drop table ddg_messages",
    ] {
        connection.execute("begin").await.unwrap();
        let done = connection.execute(tampering).await;
        connection.execute("commit").await.unwrap();
        let Err(refused) = done else {
            let broken = store.load(&id("talk")).await.unwrap_err();
            messages += &format!("{tampering}\n  {broken}\n");
            connection.execute("delete from ddg_conversations").await.unwrap();
            let _ = connection.execute("delete from ddg_messages").await;
            let _ = store.save(&id("talk"), &said(3), NEW).await;
            continue;
        };
        messages += &format!("{tampering}\n  refused by the file: {refused}\n");
    }
    expect![[r#"
        update ddg_messages set body = '{"role":"ghost"}' where place = 1
          SQLite database `/folder/talk.db`: message 1 of conversation `talk` cannot be read: unknown variant `ghost`, expected one of `system`, `user`, `assistant`, `tool` at line 1 column 15; was it written by another program, or a newer version of this one?
        update ddg_messages set body = x'ff' where place = 1
          refused by the file: error returned from database: (code: 3091) cannot store BLOB value in TEXT column ddg_messages.body
        update ddg_messages set body = cast(x'ff' as text) where place = 1
          SQLite database `/folder/talk.db`: message 1 of conversation `talk` cannot be read: invalid utf-8 sequence of 1 bytes from index 0; was it written by another program, or a newer version of this one?
        update ddg_messages set body = '{' where place = 1
          SQLite database `/folder/talk.db`: message 1 of conversation `talk` cannot be read: EOF while parsing an object at line 1 column 1; was it written by another program, or a newer version of this one?
        delete from ddg_messages where place = 1
          SQLite database `/folder/talk.db`: message 1 of conversation `talk` cannot be read: it is missing; was it written by another program, or a newer version of this one?
        update ddg_messages set place = -1 where place = 1
          SQLite database `/folder/talk.db`: message 0 of conversation `talk` cannot be read: it is missing; was it written by another program, or a newer version of this one?
        delete from ddg_messages where place = 2
          SQLite database `/folder/talk.db`: message 2 of conversation `talk` cannot be read: it is missing; was it written by another program, or a newer version of this one?
        insert into ddg_messages select conversation, 3, body from ddg_messages where place = 2
          SQLite database `/folder/talk.db`: message 3 of conversation `talk` cannot be read: there should be 3 messages, and there are more; was it written by another program, or a newer version of this one?
        update ddg_conversations set n_messages = 9223372036854775807
          SQLite database `/folder/talk.db`: message 3 of conversation `talk` cannot be read: it is missing; was it written by another program, or a newer version of this one?
        update ddg_conversations set n_messages = -1
          SQLite database `/folder/talk.db`: the row of conversation `talk` cannot be read: out of range integral type conversion attempted; was it written by another program, or a newer version of this one?
        update ddg_conversations set version = -1
          SQLite database `/folder/talk.db`: the row of conversation `talk` cannot be read: out of range integral type conversion attempted; was it written by another program, or a newer version of this one?
        update ddg_conversations set goal = cast(x'ff' as text)
          SQLite database `/folder/talk.db`: the goal of conversation `talk` cannot be read: invalid utf-8 sequence of 1 bytes from index 0; was it written by another program, or a newer version of this one?
        update ddg_conversations set summaries = 'none'
          SQLite database `/folder/talk.db`: a summary of conversation `talk` cannot be read: expected ident at line 1 column 2; was it written by another program, or a newer version of this one?
        update ddg_conversations set summaries = '[{"range":{"start":0,"end":9},"text":""}]'
          SQLite database `/folder/talk.db`: a summary of conversation `talk` cannot be read: a summary of messages 0..9 does not fit a conversation of 3: it must cover at least one message, and only messages that exist; was it written by another program, or a newer version of this one?
        drop table ddg_messages
          SQLite database `/folder/talk.db` could not read a conversation: (code: 1) no such table: ddg_messages
    "#]].assert_eq(&messages.replace(folder.path().to_str().unwrap(), "/folder"));
}

#[tokio::test]
async fn a_record_that_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    let store = SqliteConversations::open(&path).await.unwrap();
    store.save(&id("talk"), &said(3), NEW).await.unwrap();
    let mut connection = connect(&path).await;
    connection.execute("update ddg_conversations set conversation = ''").await.unwrap();
    let broken = store.list(&ConversationPage::default()).await.unwrap_err();
    expect![[r#"SQLite database `/folder/talk.db`: the row of conversation `` cannot be read: "" cannot be the id of a conversation: an id has 1 to 200 bytes and no control characters; was it written by another program, or a newer version of this one?"#]].assert_eq(&broken.to_string().replace(folder.path().to_str().unwrap(), "/folder"));
}

#[tokio::test]
async fn a_file_that_is_not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let notes = "not a database, whatever its name says; ".repeat(200);
    std::fs::write(&path, &notes).unwrap();
    let refused = SqliteConversations::open(&path).await.unwrap_err();
    expect!["SQLite database `/folder/notes.txt` cannot be opened: (code: 26) file is not a database; the folder must exist and be writable, and the file, if there is one, must be an SQLite database"].assert_eq(&refused.to_string().replace(folder.path().to_str().unwrap(), "/folder"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}
