//! Registration of remote files that others have created.

use ddg_agentic::files::{FileError, FileManager, RemoteError};
use futures::future::join_all;
use futures::{FutureExt, poll};

use super::provider::Provider;
use super::{NOBODYS, rounds};

/// [files 7]
#[tokio::test]
async fn a_registered_file_is_not_retrieved_again() {
    let provider = Provider::new();
    provider.put("file-a", "a.txt", "aaa");
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let file = files.retrieve_remote("file-a").await.unwrap();
    assert_eq!((file.filename(), file.len(), file.media_type()), ("a.txt", 3, "text/plain"));
    assert_eq!(files.read("file-a").await.unwrap(), b"aaa");
    let error = files.retrieve_remote("file-a").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "file `file-a` is registered already: look it up, or use `get_or_retrieve`"
    );
    assert_eq!(files.get_or_retrieve("file-a").await.unwrap(), file);
    assert_eq!(provider.n_retrieved(), 1);

    let error = files.retrieve_remote("file-b").await.unwrap_err();
    assert_eq!(error.to_string(), "could not retrieve `file-b`: the provider has no file `file-b`");
    assert!(matches!(files.get_or_retrieve(NOBODYS).await, Err(FileError::NotFound { .. })));
    let alone = FileManager::new();
    assert!(matches!(alone.retrieve_remote("file-a").await, Err(FileError::NoRemote { .. })));
}

/// [files 7]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_at_once_make_one_request() {
    for round in 0..rounds(1_000, 50) {
        let provider = Provider::held_up();
        provider.put("file-a", "a.txt", "aaa");
        let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
        let calls = (0..16).map(|n| {
            let files = files.clone();
            tokio::spawn(async move {
                match (round + n) % 2 {
                    0 => files.retrieve_remote("file-a").await,
                    _ => files.get_or_retrieve("file-a").await,
                }
            })
        });
        let calls: Vec<_> = calls.collect();
        // More than one, so that a second request would be answered, too.
        provider.let_through(100);
        let results = join_all(calls).await;
        let strict = results.iter().enumerate().filter(|(n, _)| (round + n) % 2 == 0);
        let n_strict = strict.filter(|(_, result)| result.as_ref().unwrap().is_ok()).count();
        assert!(n_strict <= 1, "one call alone is the one that registered it");
        for result in results {
            match result.unwrap() {
                Ok(file) => assert_eq!(file, files.look_up("file-a").unwrap()),
                Err(error) => assert!(matches!(error, FileError::Registered { .. })),
            }
        }
        assert_eq!((provider.n_retrieved(), files.list().len()), (1, 1));
    }
}

/// [files 7]
#[tokio::test]
async fn a_retrieval_that_failed_can_be_tried_again() {
    let provider = Provider::held_up();
    provider.put("file-a", "a.txt", "aaa");
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    provider.fail(Some(RemoteError::Connection { message: "dead".into() }));
    let mut both = join_all([files.get_or_retrieve("file-a"), files.get_or_retrieve("file-a")]);
    assert!(poll!(&mut both).is_pending());
    provider.let_through(1);
    assert!(both.await.iter().all(Result::is_err));
    assert_eq!(provider.n_retrieved(), 1);
    provider.fail(None);
    provider.let_through(1);
    files.get_or_retrieve("file-a").await.unwrap();
}

/// [files 7]
#[tokio::test]
async fn a_dropped_caller_does_not_cancel_the_others() {
    let provider = Provider::held_up();
    provider.put("file-a", "a.txt", "aaa");
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let mut first = files.retrieve_remote("file-a").boxed();
    let mut second = files.get_or_retrieve("file-a").boxed();
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    drop(first);
    provider.let_through(1);
    assert_eq!(second.await.unwrap().id(), "file-a");
    assert_eq!(provider.n_retrieved(), 1);

    // If all are dropped, nothing is under way.
    provider.put("file-b", "b.txt", "b");
    assert!(poll!(files.retrieve_remote("file-b").boxed()).is_pending());
    files.close().await.unwrap();
}
