//! The log in memory is the model of those in databases: the same calls have the same replies, and
//! leave the same riddles and messages.
#![cfg(any(feature = "sqlite", feature = "postgres"))]

#[cfg(all(feature = "outside", feature = "postgres"))]
#[path = "../../../../ddg-core/tests/stores/setup/postgres.rs"]
#[expect(dead_code, reason = "the tests of stores need more of it")]
mod database;

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Delivered, Log, MemoryLog, MessageFilter, NewDelivery, Parent, Reply};
use crate::riddles::message::AgentMessage;
use crate::riddles::outcome::RiddleState;
use crate::riddles::stage::Stage;
use crate::riddles::store::RiddleStore;

/// A call, chosen by its place in a sequence.
struct Dice {
    seed: u64,
    n: u64,
}

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.n += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, self.n).hash(&mut hasher);
        hasher.finish() % below
    }

    fn riddle(&mut self) -> String {
        // Riddles that are never posed, sub-riddles, and what SQL and paths have a meaning for.
        ["a", "b", "c", "a-1", "b-1", "a-1-1", "none", "%' --"][self.roll(8) as usize].to_owned()
    }
}

fn without_time(mut sent: Delivered) -> Delivered {
    sent.time = 0;
    sent
}

/// Makes one call, and returns what it replied as text.
async fn call(log: &dyn Log, dice: &mut Dice) -> String {
    let riddle = dice.riddle();
    let number = dice.roll(24) as i64;
    let agent = ["s", "g"][dice.roll(2) as usize];
    let mut message = AgentMessage::new("Größe \"x\"?").id(&*riddle);
    message.contacts = dice.roll(100) as u32;
    match dice.roll(12) {
        0 | 1 => format!("pose {:?}", log.pose(&message).await),
        2 => {
            let cause = ["first", "second", "third"][dice.roll(3) as usize];
            let parent = Parent { id: &riddle, cause, max_depth: 2, max_number: 2 };
            format!("pose below {:?}", log.pose_below(parent, &message).await)
        }
        3..=5 => {
            let key = ["k1", "k2", "k3"][dice.roll(3) as usize];
            let stage = [Stage::Extract, Stage::Solve, Stage::Gatekeeper][dice.roll(3) as usize];
            // A delivery is of a riddle that was posed.
            if log.posed(&riddle).await.is_err() {
                return "no riddle".to_owned();
            }
            let new = NewDelivery { riddle: &riddle, key, stage, agent, message: &message };
            format!("deliver {:?}", log.deliver(new).await.map(without_time))
        }
        6..=8 => {
            let reply = match dice.roll(4) {
                0 => Reply::Sent(Box::new(message)),
                1 => Reply::Stopped,
                2 => Reply::Failed("it failed".to_owned()),
                _ => Reply::Deadline,
            };
            format!("reply {:?}", log.reply(number, agent, &reply).await)
        }
        9 => format!("hold {:?}", log.hold(number).await),
        10 => match log.riddle(&riddle).await {
            Ok(mut outcome) => {
                outcome.state = RiddleState::Unsolved;
                outcome.reason = Some("trials".to_owned());
                format!("end {:?}", log.end(&outcome).await)
            }
            Err(error) => format!("no end {error}"),
        },
        // A day ago: nothing is old enough.
        _ if dice.roll(4) > 0 => format!("delete {:?}", log.delete_ended_before(1).await),
        _ => {
            let mut deleted = log.delete_ended_before(i64::MAX).await.unwrap();
            deleted.sort();
            format!("delete all {deleted:?}")
        }
    }
}

/// All that can be read of a log.
async fn state(log: &dyn Log) -> String {
    let mut text = format!("last {:?}\n", log.last().await);
    text += &format!("riddles {:#?}\n", log.riddles().await);
    text += &format!("running {:?} {:?}\n", log.running(None).await, log.running(Some("a")).await);
    for number in 0..30 {
        let delivered = log.delivered(number).await;
        text += &format!("{number} {:?}\n", delivered.map(|found| found.map(without_time)));
    }
    for filter in [
        MessageFilter::default().limit(1_000),
        MessageFilter::default().riddle("a").after(3).limit(2),
        MessageFilter::default().riddle("none"),
    ] {
        for mut message in log.messages(&filter).await.unwrap() {
            message.time = 0;
            text += &format!("{message:?}\n");
        }
    }
    text
}

async fn check(log: &dyn Log, seed: u64, n_calls: usize) {
    let model = MemoryLog::default();
    let (mut ours, mut theirs) = (Dice { seed, n: 0 }, Dice { seed, n: 0 });
    for n in 0..n_calls {
        let expected = call(&model, &mut ours).await;
        assert_eq!(call(log, &mut theirs).await, expected, "call {n} of sequence {seed}");
    }
    assert_eq!(state(log).await, state(&model).await, "after sequence {seed}");
}

/// [riddles 14] Sequences of calls leave the same in SQLite.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_log_in_sqlite_is_as_one_in_memory() {
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let store = RiddleStore::open(folder.path().join("riddles.db")).await.unwrap();
        check(&*store.log, seed, 120).await;
    }
}

/// [riddles 14] Sequences of calls leave the same in PostgreSQL.
#[cfg(all(feature = "outside", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_postgres_is_as_one_in_memory() {
    for seed in 100..106 {
        let Some(database) = database::Database::new().await else { return };
        let store = RiddleStore::connect(database.url()).await.unwrap();
        check(&*store.log, seed, 300).await;
        drop(store);
        database.drop().await;
    }
}

/// [riddles 14] Numbers become visible in their order: who reads after the last one misses nothing.
#[cfg(all(feature = "outside", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_once_leave_no_gap_for_a_reader() {
    let Some(database) = database::Database::new().await else { return };
    let store = RiddleStore::connect(database.url()).await.unwrap();
    let writers = (0..8).map(|writer| {
        let log = std::sync::Arc::clone(&store.log);
        tokio::spawn(async move {
            for n in 0..25 {
                log.pose(&AgentMessage::new("?").id(format!("{writer}-{n}"))).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let after = seen.last().copied().unwrap_or(0);
        let filter = MessageFilter::default().after(after).limit(1_000);
        let page = store.log.messages(&filter).await.unwrap();
        seen.extend(page.iter().map(|message| message.number));
    }
    assert!(seen.iter().copied().eq(1..=200), "{seen:?}");
    for writer in writers {
        writer.await.unwrap();
    }
    drop(store);
    database.drop().await;
}

/// [riddles 14] A version that is newer is refused in words.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    use ddg_core::__store::{Dialect, Transaction};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("riddles.db");
    drop(RiddleStore::open(&path).await.unwrap());
    let store = ddg_core::checkpoint::SqliteStore::open(&path).await.unwrap();
    let mut tx = Dialect::write(store.database()).await.unwrap();
    tx.script("update ddg_riddle_schema set version = 99").await.unwrap();
    Transaction::commit(tx).await.unwrap();
    let error = RiddleStore::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("has tables of version 99, and this program knows versions up to 1"));
}
