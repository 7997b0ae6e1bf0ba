//! Look-up of files by their ids.

use ddg_agentic::files::{FileError, FileManager, RemoteError};
use expect_test::expect;
use futures::StreamExt;

use super::NOBODYS;
use super::closing::heard;
use super::provider::Provider;

/// [files 8]
#[tokio::test]
async fn a_file_is_found_until_its_removal_begins() {
    let provider = Provider::held_up();
    provider.let_through(1);
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    assert_eq!(files.look_up(file.id()).unwrap(), file);
    assert_eq!(files.try_look_up(file.id()), Some(file.clone()));

    // The provider is asked to remove it, and does not answer yet.
    let (id, pruning) = (file.id().to_owned(), files.clone());
    let pruning = tokio::spawn(async move { pruning.prune().await });
    while files.look_up(&id).is_ok() {
        tokio::task::yield_now().await;
    }
    let error = files.look_up(&id).unwrap_err();
    expect!["file `file-up0` is being removed: it can no longer be used; make a new one"]
        .assert_eq(&error.to_string());
    assert!(matches!(error, FileError::Removing { .. }));
    let said = heard(async { assert_eq!(files.try_look_up(&id), None) }).await;
    assert!(said.contains("WARN") && said.contains("is being removed"), "{said}");
    assert_eq!(files.list(), []);
    assert!(files.sniff_text(&id).is_empty());
    assert!(matches!(files.read(&id).await, Err(FileError::Removing { .. })));
    assert!(matches!(files.delete(&id).await, Err(FileError::Removing { .. })));

    provider.let_through(1);
    assert_eq!(pruning.await.unwrap().deleted, [file]);
    assert!(matches!(files.look_up(&id), Err(FileError::NotFound { .. })));
}

/// [files 8]
#[tokio::test]
async fn an_unknown_id_is_an_error_that_says_what_to_check() {
    let files = FileManager::new();
    let error = files.look_up(NOBODYS).unwrap_err();
    expect!["no file has the id `file-local-00000000-0000-4000-8000-000000000000`: check that the id is whole and that the file was not deleted; files of another manager are not known here"].assert_eq(&error.to_string());
    assert_eq!(files.try_look_up(NOBODYS), None);
    assert!(matches!(files.read(NOBODYS).await, Err(FileError::NotFound { .. })));
    assert!(matches!(files.delete(NOBODYS).await, Err(FileError::NotFound { .. })));

    let other = FileManager::new();
    let file = other.create_from_bytes("tea", "tea.txt").await.unwrap();
    assert!(matches!(files.look_up(file.id()), Err(FileError::NotFound { .. })));
    other.close().await.unwrap();
}

/// [files 8]
#[tokio::test]
async fn files_are_listed_in_the_order_in_which_they_were_made() {
    let provider = Provider::new();
    provider.put("file-theirs", "theirs.txt", "theirs");
    let files = FileManager::builder().remote(provider).build().await.unwrap();
    let mut names = Vec::new();
    for n in 0..20 {
        let creation = files.create_from_bytes("x", format!("{n}.txt"));
        let file = if n % 2 == 0 { creation.local().await } else { creation.await };
        names.push(file.unwrap().filename().to_owned());
    }
    let listed: Vec<_> = files.list().iter().map(|file| file.filename().to_owned()).collect();
    assert_eq!(listed, names);

    // What is at the provider is asked for, and nothing is registered.
    assert_eq!(files.list_remote().await.unwrap().len(), 11);
    assert_eq!(files.list().len(), 20);
    assert!(matches!(files.look_up("file-theirs"), Err(FileError::NotFound { .. })));
    let error = FileManager::new().list_remote().await.unwrap_err();
    assert!(matches!(error, FileError::NoRemote { .. }));
}

/// [files 8]
#[tokio::test]
async fn a_file_removed_by_somebody_else_is_an_error_that_names_it() {
    let provider = Provider::new();
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let local = files.create_from_bytes("tea", "tea.txt").local().await.unwrap();
    let path = files.path_of(local.id()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = files.read(local.id()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("could not read {}: entity not found", path.display()));
    let remote = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    provider.take(remote.id());
    let error = files.read(remote.id()).await.unwrap_err();
    assert!(matches!(error, FileError::Remote { source: RemoteError::NotFound { .. }, .. }));
    files.close().await.unwrap();
}

/// [files 8]
#[tokio::test]
async fn a_remote_file_is_read_in_pieces_as_a_local_one_is() {
    let files = FileManager::builder().remote(Provider::new()).build().await.unwrap();
    let local = files.create_from_bytes("five!", "a.txt").local().await.unwrap();
    let remote = files.create_from_bytes("five!", "a.txt").remote().await.unwrap();
    for file in [local, remote] {
        let mut pieces = files.read_stream(file.id()).await.unwrap();
        let mut read = Vec::new();
        while let Some(piece) = pieces.next().await {
            read.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(
            (read.as_slice(), files.read(file.id()).await.unwrap().as_ref()),
            (&b"five!"[..], &b"five!"[..])
        );
    }
    files.close().await.unwrap();
}
