//! Closing of managers.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ddg_agentic::files::{FileError, FileManager, RemoteError};
use futures::future::join_all;
use futures::{FutureExt, poll};
use tokio::sync::Barrier;

use super::provider::Provider;
use super::{rounds, within};

/// [files 10]
#[tokio::test]
async fn a_closed_manager_refuses_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    fs::write(&mine, "mine").unwrap();
    let files = FileManager::builder().remote(Provider::new()).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").local().await.unwrap();
    let path = files.path_of(file.id()).unwrap();
    let report = files.close().await.unwrap();
    assert_eq!(report.deleted, std::slice::from_ref(&file));
    assert_eq!(files.close().await.unwrap().deleted, []);
    assert!(!path.parent().unwrap().exists(), "the temporary folder is gone");

    let id = file.id();
    let errors = [
        files.create_from_bytes("x", "x").await.unwrap_err(),
        files.create_from_bytes("x", "..").await.unwrap_err(),
        files.create_from_path(&mine).await.unwrap_err(),
        files.create_from_path("no such file").await.unwrap_err(),
        files.create_from_stream(futures::stream::iter([Ok("x")]), "x").await.unwrap_err(),
        files.retrieve_remote("file-a").await.unwrap_err(),
        files.get_or_retrieve("file-a").await.unwrap_err(),
        files.look_up(id).unwrap_err(),
        files.read(id).await.unwrap_err(),
        files.read_stream(id).await.err().unwrap(),
        files.path_of(id).unwrap_err(),
        files.delete(id).await.unwrap_err(),
        files.list_remote().await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, FileError::Closed), "{error}");
    }
    assert_eq!(files.try_look_up(id), None);
    assert_eq!((files.list(), files.sniff_text(id)), (vec![], vec![]));
    assert_eq!(files.prune().await.deleted, []);
    assert!(mine.exists());
}

/// [files 10]
#[tokio::test]
async fn closing_waits_for_what_is_under_way_and_refuses_what_is_new() {
    let provider = Provider::held_up();
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let mut creation = files.create_from_bytes("tea", "tea.txt").into_future();
    assert!(poll!(&mut creation).is_pending());
    let mut close = files.close().boxed();
    assert!(poll!(&mut close).is_pending());
    let late = files.create_from_bytes("late", "late.txt").local().await;
    assert!(matches!(late, Err(FileError::Closed)));
    assert!(poll!(&mut close).is_pending());

    provider.let_through(1);
    let file = creation.await.unwrap();
    provider.let_through(1);
    assert_eq!(close.await.unwrap().deleted, [file]);
    assert_eq!(provider.ids(), [""; 0]);
}

/// [files 10]
#[tokio::test]
async fn a_close_that_is_dropped_is_finished_by_the_next() {
    let provider = Provider::held_up();
    provider.put("file-theirs", "theirs.txt", "theirs");
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let mut retrieval = files.retrieve_remote("file-theirs").boxed();
    assert!(poll!(&mut retrieval).is_pending());
    assert!(poll!(files.close().boxed()).is_pending());
    let late = files.create_from_bytes("late", "late.txt").local().await;
    assert!(matches!(late, Err(FileError::Closed)));
    provider.let_through(1);
    retrieval.await.unwrap();
    files.close().await.unwrap();
    assert!(matches!(files.look_up("file-theirs"), Err(FileError::Closed)));
    assert_eq!(provider.ids(), ["file-theirs"], "it was not ours");
}

/// [files 5] [files 10]
#[tokio::test]
async fn pruning_on_closing_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let builder = FileManager::builder().save_dir(folder.path()).prune_on_close(false);
    let files = builder.build().await.unwrap();
    files.create_from_bytes("tea", "tea.txt").await.unwrap();
    files.close().await.unwrap();
    assert_eq!(within(folder.path()).len(), 1);

    // A temporary folder goes anyway.
    let files = FileManager::builder().prune_on_close(false).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let path = files.path_of(file.id()).unwrap();
    files.close().await.unwrap();
    assert!(!path.exists());
}

/// [files 10]
#[tokio::test]
async fn a_failure_of_pruning_leaves_the_manager_closed() {
    let provider = Provider::new();
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    files.create_from_bytes("tea", "tea.txt").await.unwrap();
    provider.fail(Some(RemoteError::Connection { message: "dead".into() }));
    assert_eq!(files.close().await.unwrap().failed.len(), 1);
    assert!(matches!(files.look_up("file-up0"), Err(FileError::Closed)));
}

/// [files 10]
#[tokio::test]
async fn a_manager_that_is_dropped_removes_its_temporary_folder_and_warns() {
    let said = heard(async {
        let files = FileManager::new();
        let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
        let path = files.path_of(file.id()).unwrap();
        drop(files);
        assert!(!path.parent().unwrap().exists());
    })
    .await;
    assert!(said.contains("was dropped without `close`"), "{said}");
    let heard = heard(async {
        FileManager::builder().prune_on_close(false).build().await.unwrap().close().await.unwrap();
    })
    .await;
    assert!(heard.contains("keeps nothing in a temporary folder"), "{heard}");
    assert!(!heard.contains("was dropped without"), "{heard}");
}

/// What is logged while `work` is done.
pub(crate) async fn heard(work: impl Future<Output = ()>) -> String {
    use std::io;
    use std::sync::Mutex;
    use tracing::instrument::WithSubscriber;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    work.with_subscriber(subscriber).await;
    let heard = log.0.lock().unwrap();
    String::from_utf8_lossy(&heard).into_owned()
}

/// [files 10] [files 11]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creations_that_race_with_closing_are_made_before_or_refused() {
    for round in 0..rounds(1_000, 30) {
        let folder = tempfile::tempdir().unwrap();
        let builder = FileManager::builder().save_dir(folder.path());
        let files = builder.prune_on_close(round % 2 == 0).build().await.unwrap();
        let barrier = Arc::new(Barrier::new(9));
        let is_closed = Arc::new(AtomicBool::new(false));
        let creators = (0..8).map(|_| {
            let (files, barrier, is_closed) =
                (files.clone(), Arc::clone(&barrier), Arc::clone(&is_closed));
            tokio::spawn(async move {
                barrier.wait().await;
                let mut n_made = 0;
                for _ in 0..4 {
                    let was_closed = is_closed.load(Ordering::SeqCst);
                    match files.create_from_bytes("tea", "tea.txt").await {
                        Ok(_) => {
                            assert!(!was_closed, "made after the close");
                            n_made += 1;
                        }
                        Err(FileError::Closed) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                n_made
            })
        });
        let creators: Vec<_> = creators.collect();
        barrier.wait().await;
        let report = files.close().await.unwrap();
        is_closed.store(true, Ordering::SeqCst);
        let on_disk = within(folder.path()).len();
        let n_made: usize = join_all(creators).await.into_iter().map(Result::unwrap).sum();
        match round % 2 {
            0 => assert_eq!((report.deleted.len(), on_disk), (n_made, 0)),
            _ => assert_eq!((report.deleted.len(), on_disk), (0, n_made)),
        }
    }
}
