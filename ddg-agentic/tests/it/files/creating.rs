//! Creation of files: the folder, the content, and the limits.

use std::io;

use bytes::Bytes;
use ddg_agentic::files::{FileError, FileLimit, FileManager, RemoteError};
use expect_test::expect;
use futures::future::join_all;
use futures::{StreamExt, stream};

use super::provider::Provider;
use super::within;

/// [files 5] [files 6]
#[tokio::test]
async fn bytes_are_written_into_the_folder_under_a_name_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let save_dir = folder.path().join("a/b");
    let files = FileManager::builder().save_dir(&save_dir).build().await.unwrap();
    for name in ["../../etc/passwd", "C:\\passwd", "passwd"] {
        let file = files.create_from_bytes("tea", name).await.unwrap();
        assert_eq!(file.filename(), "passwd");
    }
    assert_eq!(within(&save_dir).len(), 3);
    assert_eq!(within(folder.path()).len(), 1);

    let mut lines = Vec::new();
    for name in ["", "..", "tea/", "tea\0", "tea\n"] {
        lines.push(files.create_from_bytes("tea", name).await.unwrap_err().to_string());
    }
    expect![[r#"
        a file cannot be called "": it is empty; give a name such as "report.txt"
        a file cannot be called "..": it names a folder; give a name such as "report.txt"
        a file cannot be called "tea/": it names a folder; give a name such as "report.txt"
        a file cannot be called "tea\0": it has a control character in it; give a name such as "report.txt"
        a file cannot be called "tea\n": it has a control character in it; give a name such as "report.txt""#]]
    .assert_eq(&lines.join("\n"));
    let long = files.create_from_bytes("tea", "x".repeat(5_000)).await.unwrap();
    assert_eq!(long.filename().len(), 255);
    assert_eq!(within(&save_dir).len(), 4);
    files.close().await.unwrap();
    assert_eq!(within(&save_dir).len(), 0, "pruned on closing");
}

/// [files 5]
#[tokio::test]
async fn the_folder_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "notes").unwrap();
    let error = FileManager::builder().save_dir(&path).build().await.unwrap_err();
    assert!(matches!(error, FileError::Io { .. } | FileError::NoFile { .. }), "{error}");
}

/// [files 5]
#[tokio::test]
async fn a_file_over_a_limit_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileManager::builder()
        .save_dir(folder.path())
        .max_file_bytes(10)
        .max_total_bytes(15)
        .max_files(3)
        .build()
        .await
        .unwrap();
    let limit = |error: FileError| match error {
        FileError::Limit { limit, allowed, found } => (limit, allowed, found),
        other => panic!("{other}"),
    };
    let error = files.create_from_bytes(vec![0; 11], "big").await.unwrap_err();
    expect!["the bytes of the file would be 11, and at most 10 are allowed: remove files, or raise `max_file_bytes`"].assert_eq(&error.to_string());
    let pieces = stream::iter((0..3).map(|_| io::Result::Ok(vec![0; 6])));
    let error = files.create_from_stream(pieces, "streamed").await.unwrap_err();
    assert_eq!(limit(error), (FileLimit::FileBytes, 10, 12));
    files.create_from_bytes(vec![0; 8], "8").await.unwrap();
    let error = files.create_from_bytes(vec![0; 8], "8 more").await.unwrap_err();
    assert_eq!(limit(error), (FileLimit::TotalBytes, 15, 16));
    assert_eq!(within(folder.path()).len(), 1);

    // What was refused holds nothing: two more fit, and a third does not.
    let one = files.create_from_bytes("1", "1").await.unwrap();
    files.create_from_bytes("2", "2").await.unwrap();
    let error = files.create_from_bytes("3", "3").await.unwrap_err();
    assert_eq!(limit(error), (FileLimit::Files, 3, 4));
    files.delete(one.id()).await.unwrap();
    files.create_from_bytes("3", "3").await.unwrap();
}

/// [files 6]
#[tokio::test]
async fn a_stream_is_written_as_it_comes_and_read_in_pieces() {
    let files = FileManager::new();
    let whole: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    let pieces: Vec<_> = whole.chunks(777).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let file = files.create_from_stream(stream::iter(pieces), "numbers.bin").await.unwrap();
    assert_eq!(file.len(), 200_000);
    assert_eq!(files.read(file.id()).await.unwrap(), whole);
    let mut read = Vec::new();
    let mut pieces = files.read_stream(file.id()).await.unwrap();
    while let Some(piece) = pieces.next().await {
        read.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(read, whole);
    files.close().await.unwrap();
}

/// [files 6]
#[tokio::test]
async fn a_stream_that_breaks_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileManager::builder().save_dir(folder.path()).build().await.unwrap();
    let broken = || stream::iter([Ok(vec![1; 100_000]), Err(io::Error::other("it broke"))]);
    let error = files.create_from_stream(broken(), "half.bin").await.unwrap_err();
    expect!["the content of `half.bin` could not be read to its end: it broke"]
        .assert_eq(&error.to_string());
    assert_eq!((files.list().len(), within(folder.path()).len()), (0, 0));
}

/// [files 6]
#[tokio::test]
async fn a_path_is_registered_and_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    std::fs::write(&mine, "coffee").unwrap();
    let provider = Provider::new();
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let local = files.create_from_path(&mine).local().await.unwrap();
    let remote = files.create_from_path(&mine).await.unwrap();
    assert_eq!((local.filename(), local.len()), ("mine.txt", 6));
    assert_eq!((remote.filename(), remote.len()), ("mine.txt", 6));
    for file in [&local, &remote] {
        assert_eq!(files.read(file.id()).await.unwrap(), b"coffee");
    }
    assert_eq!(files.path_of(local.id()).unwrap(), mine);
    assert!(matches!(files.path_of(remote.id()), Err(FileError::NotLocal { .. })));
    files.delete(local.id()).await.unwrap();
    files.close().await.unwrap();
    assert!(mine.exists());
    assert_eq!(provider.ids(), [""; 0], "what was uploaded was ours");

    let files = FileManager::new();
    let missing = files.create_from_path(folder.path().join("none")).await.unwrap_err();
    assert!(missing.to_string().ends_with("is not a file: there is nothing there; check the path"));
    let error = files.create_from_path(folder.path()).await.unwrap_err();
    assert!(error.to_string().ends_with("it is a folder; name a file in it"));
}

/// [files 6]
#[tokio::test]
async fn with_a_client_files_are_remote_and_no_copy_stays() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new();
    let files = FileManager::builder()
        .save_dir(folder.path())
        .remote(provider.clone())
        .build()
        .await
        .unwrap();
    let bytes = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let pieces = stream::iter([Ok("cof".to_owned()), Ok("fee".to_owned())]);
    let streamed = files.create_from_stream(pieces, "coffee.txt").await.unwrap();
    assert_eq!(provider.ids(), [bytes.id(), streamed.id()]);
    assert_eq!(files.read(streamed.id()).await.unwrap(), b"coffee");
    assert_eq!(within(folder.path()).len(), 0);

    provider.fail(Some(RemoteError::Status {
        status: 500,
        message: "out of order".into(),
        retry_after: None,
    }));
    let error = files.create_from_bytes("milk", "milk.txt").await.unwrap_err();
    expect!["could not upload `milk.txt`: the provider answered 500: out of order"]
        .assert_eq(&error.to_string());
    let pieces = stream::iter([Ok("milk".to_owned())]);
    expect!["could not upload `milk.txt`: the provider answered 500: out of order"]
        .assert_eq(&files.create_from_stream(pieces, "milk.txt").await.unwrap_err().to_string());
    assert_eq!((files.list().len(), within(folder.path()).len()), (2, 0));

    let alone = FileManager::new();
    let error = alone.create_from_bytes("tea", "tea.txt").remote().await.unwrap_err();
    expect!["make `tea.txt` remote: the file manager has no remote client; give its builder one with `remote`"].assert_eq(&error.to_string());
}

/// [files 11]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_at_once_of_one_name_are_fifty_files() {
    let files = FileManager::new();
    let made = join_all((0..50).map(|n: u32| {
        let files = files.clone();
        tokio::spawn(async move {
            let file = files.create_from_bytes(n.to_string(), "same.txt").await.unwrap();
            (files.path_of(file.id()).unwrap(), file)
        })
    }))
    .await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    let mut ids: Vec<_> = made.iter().map(|(_, file)| file.id().to_owned()).collect();
    let mut paths: Vec<_> = made.iter().map(|(path, _)| path.clone()).collect();
    ids.sort();
    ids.dedup();
    paths.sort();
    paths.dedup();
    assert_eq!((ids.len(), paths.len()), (50, 50));
    assert!(made.iter().all(|(_, file)| file.filename() == "same.txt"));
    let folder = paths[0].parent().unwrap().to_owned();
    assert_eq!(within(&folder), paths, "one folder for all");
    for (n, (_, file)) in made.iter().enumerate() {
        assert_eq!(files.read(file.id()).await.unwrap(), n.to_string().as_bytes());
    }
    files.close().await.unwrap();
    assert!(!folder.exists());
}

/// [files 5]
#[cfg(unix)]
#[tokio::test]
async fn a_temporary_folder_is_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;

    let files = FileManager::new();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let folder = files.path_of(file.id()).unwrap().parent().unwrap().to_owned();
    let mode = std::fs::metadata(folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    files.close().await.unwrap();
}

/// [files 1] [files 6]
#[tokio::test]
async fn an_id_of_the_provider_that_no_text_could_name_is_refused() {
    for odd in ["file_1", "file-local-1", "file-", "", "file-a b"] {
        let provider = Provider::naming(odd);
        let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
        let error = files.create_from_bytes("tea", "tea.txt").await.unwrap_err();
        assert!(error.to_string().contains("is not a file id"), "{error}");
        assert_eq!((files.list().len(), provider.ids().len()), (0, 0), "and it is removed again");
    }
}
