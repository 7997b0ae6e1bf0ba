//! The state after the future of a call is dropped.

use std::task::Poll;

use ddg_agentic::files::{FileError, FileManager};
use futures::{FutureExt, StreamExt, poll, stream};

use super::provider::Provider;
use super::within;

/// [files 6]
#[tokio::test]
async fn a_creation_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let builder = FileManager::builder().save_dir(folder.path()).max_files(1);
    let files = builder.build().await.unwrap();
    // Dropped after the n-th poll, for every n until it is done by then.
    let mut n_polls = 0;
    'more: loop {
        let pieces = stream::iter((0..3).map(|_| Ok(vec![7; 100_000])));
        let mut creation = files.create_from_stream(pieces, "big.bin").into_future();
        for _ in 0..n_polls {
            match poll!(&mut creation) {
                Poll::Ready(Ok(_)) => break 'more,
                // A thread still writes for the one before, which holds the only place.
                Poll::Ready(Err(FileError::Limit { .. })) => {
                    tokio::task::yield_now().await;
                    continue 'more;
                }
                Poll::Ready(Err(other)) => panic!("{other}"),
                Poll::Pending => tokio::task::yield_now().await,
            }
        }
        drop(creation);
        assert_eq!(files.list(), []);
        n_polls += 1;
    }
    // What a thread was still writing is gone when it has ended; closing waits for that.
    let report = files.close().await.unwrap();
    assert_eq!(report.deleted.len(), 1);
    assert_eq!(within(folder.path()).len(), 0);
}

/// [files 6]
#[tokio::test]
async fn an_endless_stream_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileManager::builder().save_dir(folder.path()).build().await.unwrap();
    let endless = stream::once(async { Ok(vec![1; 100_000]) }).chain(stream::pending());
    let mut creation = files.create_from_stream(endless, "endless").into_future();
    while within(folder.path()).is_empty() {
        assert!(poll!(&mut creation).is_pending());
        tokio::task::yield_now().await;
    }
    drop(creation);
    files.close().await.unwrap();
    assert_eq!(within(folder.path()).len(), 0);
}

/// [files 9]
#[tokio::test]
async fn a_removal_that_has_begun_continues() {
    let provider = Provider::held_up();
    provider.let_through(1);
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    assert!(poll!(files.delete(file.id()).boxed()).is_pending());
    provider.let_through(1);
    files.close().await.unwrap();
    assert_eq!((provider.n_deleted(), provider.ids().len()), (1, 0));
}
