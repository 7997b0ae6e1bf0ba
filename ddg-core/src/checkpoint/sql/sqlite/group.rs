//! Writes of several tasks in one transaction.
//!
//! A task hands its write over and waits. One task at a time, the leader, begins a transaction,
//! executes what waits, commits, and answers all. While it commits, the next writes arrive. So a
//! commit, which waits for the disk, is shared by all writes that would have waited for their own.
//!
//! **Invariants.** A write is answered after its transaction has been committed. A write whose
//! statement fails fails alone: the others of its transaction are executed again, each in its own.
//! Of the writes that wait, those of the run that came first are executed first ([`Queue`]).

mod queue;

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::sqlite::{Sqlite, SqliteSynchronous};
use tokio::sync::oneshot;

use queue::Queue;

use super::shared::{Shared, as_number};
use crate::checkpoint::background;
use crate::checkpoint::sql::Failed;
use crate::checkpoint::sql::connection::Write;
use crate::checkpoint::sql::dialect::Deed;

/// Maximum number of writes in one transaction, so that none waits long for its answer.
const MOST: usize = 256;

/// The writes that wait.
#[derive(Default)]
pub(super) struct Group(Mutex<Waits>);

#[derive(Default)]
struct Waits {
    queue: Queue<Box<dyn Waiting>>,
    /// Whether there is a leader.
    has_leader: bool,
}

/// A write that waits.
trait Waiting: Send {
    /// Whether its caller still waits. A write that has not begun may be given up.
    fn is_wanted(&self) -> bool;

    fn synchronous(&self) -> SqliteSynchronous;

    /// Executes it. Returns false if the database has failed, so that the transaction cannot be
    /// committed.
    fn execute<'a>(&'a mut self, tx: &'a mut Write<Sqlite>) -> BoxFuture<'a, bool>;

    /// Answers the caller, after a commit or after its own failure.
    fn answer(self: Box<Self>);

    /// Answers the caller that the transaction has failed.
    fn fail(self: Box<Self>, error: sqlx::Error);
}

struct Asked<D: Deed<Write<Sqlite>>> {
    deed: D,
    synchronous: SqliteSynchronous,
    done: Option<Result<D::Output, Failed>>,
    caller: oneshot::Sender<Result<D::Output, Failed>>,
}

impl<D: Deed<Write<Sqlite>>> Waiting for Asked<D> {
    fn is_wanted(&self) -> bool {
        !self.caller.is_closed()
    }

    fn synchronous(&self) -> SqliteSynchronous {
        self.synchronous
    }

    fn execute<'a>(&'a mut self, tx: &'a mut Write<Sqlite>) -> BoxFuture<'a, bool> {
        async move {
            let done = self.deed.act(tx).await;
            let is_well = !matches!(done, Err(Failed::Broken(_)));
            self.done = Some(done);
            is_well
        }
        .boxed()
    }

    fn answer(self: Box<Self>) {
        if let Some(done) = self.done {
            // A caller that was dropped needs no answer.
            _ = self.caller.send(done);
        }
    }

    fn fail(self: Box<Self>, error: sqlx::Error) {
        // What the store has refused stays refused.
        let refused = self.done.filter(|done| matches!(done, Err(Failed::Refused(_))));
        _ = self.caller.send(refused.unwrap_or(Err(Failed::Broken(error))));
    }
}

impl Group {
    /// Hands `deed` over, and waits until it has been committed.
    ///
    /// # Cancel safety
    /// If the future is dropped, the write is either executed or not. Reads that begin later wait
    /// for it.
    pub(super) async fn submit<D: Deed<Write<Sqlite>>>(
        shared: &Arc<Shared>,
        deed: D,
        synchronous: SqliteSynchronous,
    ) -> Result<D::Output, Failed> {
        let (caller, answer) = oneshot::channel();
        let caller_waits = shared.writer().caller();
        let leads = {
            let mut waits = shared.group().waits();
            let arrival = deed.arrival();
            let asked = Box::new(Asked { deed, synchronous, done: None, caller });
            match D::FOR_LEASE {
                true => waits.queue.push_renewal(asked),
                false => waits.queue.push(arrival, asked),
            }
            !std::mem::replace(&mut waits.has_leader, true)
        };
        if leads {
            let lead = lead(Arc::clone(shared));
            match background::runtime() {
                Some(runtime) => _ = runtime.spawn(lead),
                None => _ = tokio::spawn(lead),
            }
        }
        let answer = answer.await;
        caller_waits.over();
        // The leader is dropped only when its runtime shuts down.
        answer.unwrap_or(Err(Failed::Broken(sqlx::Error::WorkerCrashed)))
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next write that is wanted.
    fn next(&self) -> Option<Box<dyn Waiting>> {
        let mut waits = self.waits();
        std::iter::from_fn(|| waits.queue.pop()).find(|next| next.is_wanted())
    }

    /// What the next write needs of its transaction; `None` if none waits. There is no leader any
    /// more then.
    fn next_synchronous(&self) -> Option<SqliteSynchronous> {
        let mut waits = self.waits();
        let next = waits.queue.first().map(|next| next.synchronous());
        waits.has_leader = next.is_some();
        next
    }
}

/// Executes writes until none waits.
async fn lead(shared: Arc<Shared>) {
    while let Some(synchronous) = shared.group().next_synchronous() {
        let under_way = shared.writer().under_way().await;
        // After a panic its callers are answered by the drop of their writes, and the others are
        // still executed.
        _ = AssertUnwindSafe(together(&shared, synchronous)).catch_unwind().await;
        drop(under_way);
    }
}

/// Executes what waits, and what arrives meanwhile, in one transaction.
async fn together(shared: &Shared, synchronous: SqliteSynchronous) {
    let mut tx = match shared.write(synchronous).await {
        Ok(tx) => tx,
        Err(error) => {
            if let Some(first) = shared.group().next() {
                first.fail(error);
            }
            return;
        }
    };
    let mut executed: Vec<Box<dyn Waiting>> = Vec::new();
    // Taken only now: while another process kept the file locked, earlier runs may have come.
    let mut next = shared.group().next();
    while let Some(mut write) = next {
        // A write that is to survive a power failure must not be committed by one that is not.
        let fits = as_number(write.synchronous()) <= as_number(synchronous);
        let is_well = fits && write.execute(&mut tx).await;
        executed.push(write);
        if !is_well {
            drop(tx);
            return match executed.len() {
                1 if fits => executed.into_iter().for_each(Waiting::answer),
                _ => one_by_one(shared, executed).await,
            };
        }
        next = if executed.len() < MOST { shared.group().next() } else { None };
    }
    match tx.commit_here().await {
        Ok(()) => executed.into_iter().for_each(Waiting::answer),
        Err(error) => {
            let text = error.to_string();
            let mut executed = executed.into_iter();
            if let Some(first) = executed.next() {
                first.fail(error);
            }
            for write in executed {
                // Whether the commit was made is unknown, so nothing is executed again.
                write.fail(sqlx::Error::Io(io::Error::other(text.clone())));
            }
        }
    }
}

/// Executes each write in a transaction of its own.
async fn one_by_one(shared: &Shared, writes: Vec<Box<dyn Waiting>>) {
    for mut write in writes {
        let mut tx = match shared.write(write.synchronous()).await {
            Ok(tx) => tx,
            Err(error) => {
                write.fail(error);
                continue;
            }
        };
        if !write.execute(&mut tx).await {
            drop(tx);
            write.answer();
            continue;
        }
        match tx.commit_here().await {
            Ok(()) => write.answer(),
            Err(error) => write.fail(error),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("n_waiting", &self.waits().queue.len()).finish()
    }
}
