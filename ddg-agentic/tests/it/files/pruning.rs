//! What pruning removes and what it keeps.

use std::fs;

use ddg_agentic::files::{FileError, FileManager, RemoteError};

use super::provider::Provider;
use super::{rounds, within};

/// [files 9]
#[tokio::test]
async fn only_files_of_the_manager_are_pruned_oldest_first() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    fs::write(&mine, "mine").unwrap();
    let provider = Provider::new();
    provider.put("file-theirs", "theirs.txt", "theirs");
    let files = FileManager::builder()
        .save_dir(folder.path())
        .remote(provider.clone())
        .build()
        .await
        .unwrap();
    let first = files.create_from_bytes("1", "1").local().await.unwrap();
    let given = files.create_from_path(&mine).local().await.unwrap();
    let second = files.create_from_bytes("2", "2").await.unwrap();
    let theirs = files.retrieve_remote("file-theirs").await.unwrap();
    let third = files.create_from_bytes("3", "3").local().await.unwrap();
    let gone = files.create_from_bytes("4", "4").local().await.unwrap();
    fs::remove_file(files.path_of(gone.id()).unwrap()).unwrap();
    let gone_there = files.create_from_bytes("5", "5").await.unwrap();
    provider.take(gone_there.id());

    let report = files.prune().await;
    assert_eq!(report.deleted, [first, second, third]);
    assert_eq!(report.missing, [gone, gone_there]);
    assert_eq!((report.unregistered.len(), report.failed.len()), (0, 0));
    assert_eq!(files.list(), [given, theirs]);
    assert_eq!(within(folder.path()), [mine]);
    assert_eq!(provider.ids(), ["file-theirs"]);
    let again = files.prune().await;
    assert_eq!((again.deleted.len(), again.missing.len()), (0, 0));
}

/// [files 9]
#[tokio::test]
async fn a_failure_does_not_keep_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new();
    let builder = FileManager::builder().save_dir(folder.path()).remote(provider.clone());
    let files = builder.build().await.unwrap();
    let failing = files.create_from_bytes("1", "1").await.unwrap();
    let local = files.create_from_bytes("2", "2").local().await.unwrap();
    provider.fail(Some(RemoteError::Connection { message: "the line is dead".into() }));
    let report = files.prune().await;
    assert_eq!(report.deleted, [local]);
    assert_eq!(report.failed[0].file, failing);
    assert_eq!(report.failed[0].error.to_string(), "could not remove `file-up0`: the line is dead");
    assert_eq!(files.look_up(failing.id()).unwrap(), failing, "it stays registered");
    provider.fail(None);
    assert_eq!(files.prune().await.deleted, [failing]);
}

/// [files 9]
#[tokio::test]
async fn a_remote_file_is_forgotten_where_the_client_can_remove_none() {
    let provider = Provider::without_delete();
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let file = files.create_from_bytes("1", "1").await.unwrap();
    let report = files.prune().await;
    assert_eq!((report.deleted.len(), report.unregistered), (0, vec![file]));
    assert_eq!(files.list(), []);
    assert_eq!(provider.ids(), ["file-up0"]);
}

/// [files 9]
#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_not_followed() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("precious.txt");
    fs::write(&target, "precious").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = FileManager::builder().save_dir(folder.path()).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let path = files.path_of(file.id()).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&target, &path).unwrap();

    assert!(matches!(files.read(file.id()).await, Err(FileError::Replaced { .. })));
    let report = files.prune().await;
    assert!(matches!(report.failed[0].error, FileError::Replaced { .. }));
    assert_eq!(
        report.failed[0].error.to_string(),
        format!(
            "{} is no longer what the file manager has written: a symbolic link is in its place; it \
             was left alone",
            path.display()
        )
    );
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

/// [files 9]
#[cfg(unix)]
#[tokio::test]
async fn a_folder_in_the_place_of_the_folder_is_not_followed() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let save_dir = folder.path().join("files");
    let files = FileManager::builder().save_dir(&save_dir).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let target = outside.path().join(files.path_of(file.id()).unwrap().file_name().unwrap());
    fs::write(&target, "precious").unwrap();
    fs::rename(&save_dir, folder.path().join("moved")).unwrap();
    symlink(outside.path(), &save_dir).unwrap();

    assert!(matches!(files.read(file.id()).await, Err(FileError::Replaced { .. })));
    assert!(matches!(files.create_from_bytes("x", "x").await, Err(FileError::Replaced { .. })));
    let report = files.prune().await;
    assert!(matches!(report.failed[0].error, FileError::Replaced { .. }));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert_eq!(within(outside.path()).len(), 1);
}

/// [files 9] [files 12]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sniffing_while_others_prune_finds_whole_files_or_none() {
    for _ in 0..rounds(1_000, 20) {
        let files = FileManager::new();
        let mut ids = Vec::new();
        for _ in 0..8 {
            let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
            ids.push(file.id().to_owned());
        }
        let (text, n) = (ids.join(" "), ids.len());
        let pruning = files.clone();
        let pruning = tokio::spawn(async move { pruning.prune().await });
        let mut before = n;
        while before > 0 {
            let found = files.sniff_text(&text);
            // Oldest first: what is left is always the end of the list, and never grows.
            assert!(found.len() <= before);
            let left: Vec<_> = found.iter().map(|file| file.id().to_owned()).collect();
            assert_eq!(left, ids[n - found.len()..]);
            before = found.len();
            tokio::task::yield_now().await;
        }
        assert_eq!(pruning.await.unwrap().deleted.len(), n);
        files.close().await.unwrap();
    }
}
