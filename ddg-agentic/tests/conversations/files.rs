//! Files that managers in other processes find by an index.

use ddg_agentic::files::{File, FileError, FileManager, FileManagerBuilder};
use ddg_agentic::memory::SqliteConversations;
use ddg_core::checkpoint::SqliteStore;
use expect_test::expect;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

fn builder(folder: &std::path::Path) -> FileManagerBuilder {
    FileManager::builder().save_dir(folder.join("files")).index(folder.join("ddg.db"))
}

fn ids(files: &[File]) -> Vec<String> {
    files.iter().map(|file| file.id().to_owned()).collect()
}

/// The stores of one file: of runs, of conversations, and of files.
#[cfg(unix)]
#[tokio::test]
async fn all_stores_on_one_file_share_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ddg.db");
    let runs = SqliteStore::open(&path).await.unwrap();
    let n_sharing = || {
        let text = format!("{runs:?}");
        let (_, rest) = text.split_once("n_open: Mutex { data: ").unwrap();
        rest.split_once(',').unwrap().0.parse::<usize>().unwrap()
    };
    assert_eq!(n_sharing(), 1);
    let conversations = SqliteConversations::open(&path).await.unwrap();
    assert_eq!(n_sharing(), 2);
    let files = builder(folder.path()).build().await.unwrap();
    assert_eq!(n_sharing(), 3);
    drop(conversations);
    files.close().await.unwrap();
    assert_eq!(n_sharing(), 1);
}

/// [files 16]
#[tokio::test]
async fn another_process_knows_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    std::fs::write(&mine, "mine").unwrap();
    let first = builder(folder.path()).build().await.unwrap();
    let tea = first.create_from_bytes("tea", "tea.txt").metadata("cups", 2).await.unwrap();
    let given = first.create_from_path(&mine).await.unwrap();
    let gone = first.create_from_bytes("x", "x.txt").await.unwrap();
    first.delete(gone.id()).await.unwrap();
    assert_eq!(first.close().await.unwrap().deleted, [], "others may use them");

    let second = builder(folder.path()).build().await.unwrap();
    assert_eq!(second.list(), [tea.clone(), given.clone()], "all that is known, in their order");
    assert_eq!(second.read(tea.id()).await.unwrap(), b"tea");
    assert_eq!(second.read(given.id()).await.unwrap(), b"mine");
    assert_eq!(second.look_up(tea.id()).unwrap().metadata()["cups"], 2);
    assert!(matches!(second.look_up(gone.id()), Err(FileError::NotFound { .. })));
    let report = second.prune().await;
    assert_eq!(report.deleted, [tea]);
    second.close().await.unwrap();
    assert!(mine.exists());
    assert_eq!(builder(folder.path()).build().await.unwrap().list(), [given]);
}

/// [files 16]
#[tokio::test]
async fn files_of_other_processes_are_visible_after_a_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let one = builder(folder.path()).build().await.unwrap();
    let other = builder(folder.path()).build().await.unwrap();
    let a = one.create_from_bytes("a", "a").await.unwrap();
    let b = other.create_from_bytes("b", "b").await.unwrap();
    assert!(matches!(other.look_up(a.id()), Err(FileError::NotFound { .. })));
    one.refresh().await.unwrap();
    other.refresh().await.unwrap();
    assert_eq!(other.read(a.id()).await.unwrap(), b"a");
    assert_eq!(one.read(b.id()).await.unwrap(), b"b");
    other.delete(a.id()).await.unwrap();
    assert!(matches!(one.read(a.id()).await, Err(FileError::Io { .. })));
    one.refresh().await.unwrap();
    assert_eq!(ids(&one.list()), [b.id()]);
    assert!(matches!(one.look_up(a.id()), Err(FileError::NotFound { .. })));
}

/// [files 10] [files 16]
#[tokio::test]
async fn a_creation_that_is_dropped_is_in_both_or_in_neither() {
    let folder = tempfile::tempdir().unwrap();
    let files = builder(folder.path()).build().await.unwrap();
    for n_polls in 0..40 {
        let mut creation = files.create_from_bytes("tea", "tea.txt").into_future();
        for _ in 0..n_polls {
            if futures::poll!(&mut creation).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Closing waits for all of them.
    let report = files.prune().await;
    assert!(report.failed.is_empty() && report.missing.is_empty());
    files.close().await.unwrap();
    let again = builder(folder.path()).build().await.unwrap();
    let on_disk = std::fs::read_dir(folder.path().join("files")).unwrap().count();
    assert_eq!(again.list().len(), on_disk);
}

/// [files 16]
#[tokio::test]
async fn an_index_needs_a_folder_and_a_database_that_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let place = |text: String| text.replace(folder.path().to_str().unwrap(), "/folder");
    let error = FileManager::builder().index(folder.path().join("ddg.db")).build().await;
    expect!["file manager: the index `/folder/ddg.db` needs a `save_dir`: the files of a temporary folder are gone when the manager is closed"].assert_eq(&place(error.unwrap_err().to_string()));

    std::fs::write(folder.path().join("ddg.db"), "no database, whatever it is called. ".repeat(99))
        .unwrap();
    let error = builder(folder.path()).build().await.unwrap_err();
    expect!["file manager: index of files `/folder/ddg.db` cannot be opened: (code: 26) file is not a database; its folder must exist and be writable, and the file, if there is one, must be an SQLite database"].assert_eq(&place(error.to_string()));

    std::fs::remove_file(folder.path().join("ddg.db")).unwrap();
    let files = builder(folder.path()).build().await.unwrap();
    files.create_from_bytes("tea", "tea.txt").await.unwrap();
    files.close().await.unwrap();
    let url = format!("sqlite://{}", folder.path().join("ddg.db").display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "update ddg_files set id = '../evil', record = json_set(record, '$.id', '../evil')",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let error = builder(folder.path()).build().await.unwrap_err();
    expect![[r#"index of files `/folder/ddg.db`: could not read a file of it: "../evil" is not a file id"#]].assert_eq(&place(error.to_string()));
    sqlx::query("update ddg_file_schema set version = 99").execute(&mut database).await.unwrap();
    let error = builder(folder.path()).build().await.unwrap_err();
    expect!["file manager: index of files `/folder/ddg.db` has tables of version 99, but this program knows versions up to 1: run it with a newer ddg-agentic"].assert_eq(&place(error.to_string()));
}
