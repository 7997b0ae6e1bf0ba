//! Tables of all stores: those of an older version are brought to the newest, and those of a newer
//! version are refused and left as they are, with both versions in the message.

use std::path::Path;

use ddg_agentic::files::FileManager;
use ddg_agentic::memory::{ConversationStore, ConversationVersion, SqliteConversations};
use expect_test::{Expect, expect};
use futures::future;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use crate::setup::{id, said};

/// The version of the newer program.
const NEWER: i64 = 99;

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.connect().await.unwrap()
}

/// Opens a store, raises the version in `table`, opens it again, and lowers the version again.
async fn check_file(
    table: &str,
    open: impl AsyncFn(&Path) -> Result<(), String>,
    expected: Expect,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ddg.db");
    open(&path).await.unwrap();
    let mut connection = connect(&path).await;
    let select = || AssertSqlSafe(format!("select version from {table}"));
    let known: i64 = connection.fetch_one(select()).await.unwrap().get(0);
    let raise = format!("update {table} set version = {NEWER}");
    connection.execute(AssertSqlSafe(raise)).await.unwrap();

    let refused = open(&path).await.unwrap_err();
    expected.assert_eq(&refused.replace(folder.path().to_str().unwrap(), "/folder"));
    assert!(refused.contains(&format!("version {NEWER}")), "{refused}");
    assert!(refused.contains(&format!("up to {known}")), "{refused}");
    assert_eq!(connection.fetch_one(select()).await.unwrap().get::<i64, _>(0), NEWER);

    let lower = format!("update {table} set version = {known}");
    connection.execute(AssertSqlSafe(lower)).await.unwrap();
    connection.close().await.unwrap();
    open(&path).await.unwrap();
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[tokio::test]
async fn conversations_of_a_newer_version() {
    let open = async |path: &Path| {
        SqliteConversations::open(path).await.map_err(text)?.close().await;
        Ok(())
    };
    check_file("ddg_conversation_schema", open, expect!["SQLite database `/folder/ddg.db` has tables of conversations of version 99, but this program knows versions up to 3: run it with a newer ddg-agentic"]).await;
}

#[tokio::test]
async fn an_index_of_files_of_a_newer_version() {
    let open = async |path: &Path| {
        let folder = path.with_file_name("files");
        let builder = FileManager::builder().save_dir(folder).index(path);
        builder.build().await.map_err(text)?.close().await.map_err(text)?;
        Ok(())
    };
    check_file("ddg_file_schema", open, expect!["file manager: index of files `/folder/ddg.db` has tables of version 99, but this program knows versions up to 1: run it with a newer ddg-agentic"]).await;
}

#[cfg(feature = "assistants")]
#[tokio::test]
async fn assistants_of_a_newer_version() {
    use ddg_agentic::assistants::AssistantStore;
    let open = async |path: &Path| AssistantStore::open(path).await.map(drop).map_err(text);
    check_file("ddg_assistants_schema", open, expect!["the store of assistants has tables of version 99, but this program knows versions up to 2: run it with a newer ddg-agentic"]).await;
}

#[cfg(feature = "riddles")]
#[tokio::test]
async fn riddles_of_a_newer_version() {
    use ddg_agentic::riddles::RiddleStore;
    let open = async |path: &Path| RiddleStore::open(path).await.map(drop).map_err(text);
    check_file("ddg_riddle_schema", open, expect!["the riddles in SQLite database `/folder/ddg.db` cannot be opened: it has tables of version 99, and this program knows versions up to 1: run it with a newer ddg-agentic"]).await;
}

/// Version 1 had no index of the runs that are deleted once they have ended.
#[cfg(feature = "assistants")]
#[tokio::test]
async fn assistants_of_version_1() {
    use ddg_agentic::assistants::AssistantStore;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ddg.db");
    let mut connection = connect(&path).await;
    connection.execute(include_str!("../../migrations/assistants/sqlite_1.sql")).await.unwrap();
    let version = "create table ddg_assistants_schema (version bigint not null);
        insert into ddg_assistants_schema values (1)";
    connection.execute(version).await.unwrap();

    AssistantStore::open(&path).await.unwrap();

    let version = connection.fetch_one("select version from ddg_assistants_schema").await.unwrap();
    assert_eq!(version.get::<i64, _>(0), 2);
    let index = "select 1 from sqlite_master where name = 'ddg_thread_runs_unkept'";
    assert!(connection.fetch_optional(index).await.unwrap().is_some());
}

/// Version 1 had no runs and no leases.
#[tokio::test]
async fn conversations_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    let mut connection = connect(&path).await;
    connection.execute(include_str!("../../migrations/sqlite/1.sql")).await.unwrap();
    let message = serde_json::to_string(&said(1).messages[0]).unwrap();
    let rows = format!(
        "create table ddg_conversation_schema (version bigint not null);
        insert into ddg_conversation_schema values (1);
        insert into ddg_conversations (conversation, version, n_messages, summaries, created, updated)
        values ('talk', 7, 1, '[]', 5, 6);
        insert into ddg_messages (conversation, place, body)
        values ((select id from ddg_conversations), 0, '{message}')"
    );
    connection.execute(AssertSqlSafe(rows)).await.unwrap();
    connection.close().await.unwrap();

    // All of them migrate the file at the same time.
    let open = || SqliteConversations::open(&path);
    let stores = future::join_all([open(), open(), open(), open()]).await;
    let store = stores.into_iter().next().unwrap().unwrap();
    let stored = store.load(&id("talk")).await.unwrap();
    assert_eq!(stored.conversation, said(1));
    assert_ne!(stored.version, ConversationVersion::NEW);
    assert!(stored.run.is_none());
    store.save(&id("talk"), &said(2), stored.version).await.unwrap();
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, said(2));
}

/// The same for databases of a server.
#[cfg(feature = "postgres")]
mod postgres {
    use ddg_agentic::memory::PostgresConversations;
    use expect_test::{Expect, expect};
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

    use super::{NEWER, text};
    use crate::setup::postgres::{Database, execute};

    async fn check(table: &str, open: impl AsyncFn(&str) -> Result<(), String>, expected: Expect) {
        let Some(database) = Database::new().await else { return };
        open(database.url()).await.unwrap();
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let select = || AssertSqlSafe(format!("select version from {table}"));
        let known: i64 = connection.fetch_one(select()).await.unwrap().get(0);
        execute(database.url(), &format!("update {table} set version = {NEWER}")).await;

        let refused = open(database.url()).await.unwrap_err();
        let (_, told) = refused.split_once("tables").unwrap();
        expected.assert_eq(told);
        assert!(refused.contains(&format!("version {NEWER}")), "{refused}");
        assert!(refused.contains(&format!("up to {known}")), "{refused}");
        assert_eq!(connection.fetch_one(select()).await.unwrap().get::<i64, _>(0), NEWER);

        execute(database.url(), &format!("update {table} set version = {known}")).await;
        open(database.url()).await.unwrap();
        connection.close().await.unwrap();
        database.drop().await;
    }

    #[tokio::test]
    async fn conversations_of_a_newer_version() {
        let open =
            async |url: &str| PostgresConversations::connect(url).await.map(drop).map_err(text);
        check("ddg_conversation_schema", open, expect![" of conversations of version 99, but this program knows versions up to 2: run it with a newer ddg-agentic"]).await;
    }

    #[cfg(feature = "assistants")]
    #[tokio::test]
    async fn assistants_of_a_newer_version() {
        use ddg_agentic::assistants::AssistantStore;
        let open = async |url: &str| AssistantStore::connect(url).await.map(drop).map_err(text);
        check("ddg_assistants_schema", open, expect![" of version 99, but this program knows versions up to 2: run it with a newer ddg-agentic"]).await;
    }

    #[cfg(feature = "riddles")]
    #[tokio::test]
    async fn riddles_of_a_newer_version() {
        use ddg_agentic::riddles::RiddleStore;
        let open = async |url: &str| RiddleStore::connect(url).await.map(drop).map_err(text);
        check("ddg_riddle_schema", open, expect![" of version 99, and this program knows versions up to 1: run it with a newer ddg-agentic"]).await;
    }
}
