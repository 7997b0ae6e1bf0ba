//! How often runs wait for the disk: commits are counted in the log of the database.

use std::path::Path;

use ddg_agentic::assistants::{RunParams, RunStatus, ThreadParams};
use ddg_agentic::model::{
    ChatChunk, ChatModel, ChatReply, ChatRequest, ChatStream, FinishReason, ModelError,
    ScriptedModel,
};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::fixture::{Fixture, end, words};

/// The number of commits in the log of the database in `folder`: of its frames whose head has the
/// size of the database after a commit, see <https://www.sqlite.org/fileformat.html#walformat>.
fn n_commits(folder: &Path) -> usize {
    const HEAD: usize = 32;
    let log = std::fs::read(folder.join("ddg.sqlite-wal")).unwrap();
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let (page, salt) = (number(&log[8..12]) as usize, &log[16..24]);
    let frames = log[HEAD..].chunks_exact(24 + page).take_while(|frame| &frame[8..16] == salt);
    frames.filter(|frame| number(&frame[4..8]) != 0).count()
}

/// Keeps the log of the database in `folder` from beginning anew, as long as the connection reads.
async fn keep_log(folder: &Path) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(folder.join("ddg.sqlite"));
    let mut reader = file.connect().await.unwrap();
    reader.execute("begin").await.unwrap();
    reader.execute("select 1 from sqlite_master").await.unwrap();
    reader
}

/// A model whose pieces come one by one.
#[derive(Debug)]
struct Slow;

impl ChatModel for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        unreachable!("runs are streamed")
    }

    fn stream(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        let words = (0..500).map(|_| ChatChunk::Text("word ".to_owned()));
        let pieces =
            stream::iter(words.chain([end(FinishReason::Stop)])).then(|piece| async move {
                tokio::task::yield_now().await;
                Ok(piece)
            });
        std::future::ready(Ok(ChatStream::new("slow", pieces))).boxed()
    }
}

/// A run commits when it is created, begins, has an end, and has ended, and the pieces of its reply
/// as often as there is something new after a commit.
#[tokio::test]
async fn a_run_commits_a_few_times() {
    let fixture = Fixture::new(ScriptedModel::new().pieces(words(&["It ", "rains."]))).await;
    let folder = fixture.folder.path();
    let (assistant, thread) = (fixture.assistant(json!({})).await, fixture.thread(&["hi"]).await);
    let reader = keep_log(folder).await;
    let before = n_commits(folder);
    let started = fixture.ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
    let run = fixture.ada.run(&started.run.id).outcome().await.unwrap();
    assert_eq!(run.status, RunStatus::Completed);
    // The journal ends after the run.
    fixture.assistants.close().await;
    // The run; its journal; the first state, and that it has begun; the reply; the end; and the end
    // of the journal, and the release of its lease.
    let n = n_commits(folder) - before;
    assert!(n <= 8, "a run has taken {n} commits");
    reader.close().await.unwrap();
}

/// Pieces that come while others are written are written together.
#[tokio::test]
async fn a_reply_of_many_pieces_commits_a_few_times() {
    let fixture = Fixture::new(Slow).await;
    let folder = fixture.folder.path();
    let (assistant, thread) = (fixture.assistant(json!({})).await, fixture.thread(&["hi"]).await);
    let reader = keep_log(folder).await;
    let before = n_commits(folder);
    let started = fixture.ada.create_run(&thread, RunParams::new(&assistant)).await.unwrap();
    let run = fixture.ada.run(&started.run.id).outcome().await.unwrap();
    assert_eq!(run.status, RunStatus::Completed);
    let n = n_commits(folder) - before;
    assert!(n < 100, "a run of 500 pieces has taken {n} commits");
    reader.close().await.unwrap();
    let deltas = fixture.trace(&run.id).await;
    assert!(deltas.contains("message.delta x500"), "{deltas}");
}

/// What several requests write at the same time shares a commit.
#[tokio::test]
async fn requests_at_the_same_time_share_a_commit() {
    let fixture = Fixture::new(ScriptedModel::new()).await;
    let folder = fixture.folder.path();
    // Another program keeps the file locked, so that all writes wait at the same time.
    let file = SqliteConnectOptions::new().filename(folder.join("ddg.sqlite"));
    let mut other = file.connect().await.unwrap();
    other.execute("begin immediate").await.unwrap();
    let reader = keep_log(folder).await;
    let before = n_commits(folder);
    let mut created: Vec<_> =
        (0..20).map(|_| fixture.ada.create_thread(ThreadParams::default()).boxed()).collect();
    assert!(created.iter_mut().all(|created| created.now_or_never().is_none()));
    other.execute("rollback").await.unwrap();
    for created in created {
        created.await.unwrap();
    }
    assert_eq!(n_commits(folder) - before, 1);
    reader.close().await.unwrap();
    other.close().await.unwrap();
}
