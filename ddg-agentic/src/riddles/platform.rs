//! What all riddles of a management share: agents, the log, the shared folder.
//!
//! The runs of riddles ask it to deliver messages; people, remote agents and agents that have held
//! an answer tell it what they answer.

mod delivering;
mod sub_riddles;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::agent::DynAgent;
use super::error::RiddleError;
use super::folder::SharedFolder;
use super::held::Receipt;
use super::link::AgentLink;
use super::log::{Log, Posed, Reply};
use super::message::AgentMessage;
use super::outcome::{RiddleOutcome, RiddleState};
use super::settings::RiddleSettings;
use super::stage::Roster;

/// An agent, here or elsewhere.
#[derive(Clone)]
pub(super) enum Reached {
    Here(Arc<dyn DynAgent>),
    Elsewhere(Arc<dyn AgentLink>),
}

/// What all riddles share.
pub(super) struct Platform {
    pub(super) agents: IndexMap<String, Reached>,
    pub(super) roster: Roster,
    pub(super) settings: RiddleSettings,
    pub(super) shared: SharedFolder,
    pub(super) persist: Option<PathBuf>,
    pub(super) log: Arc<dyn Log>,
    /// Riddles whose runs are to be started.
    starts: mpsc::UnboundedSender<String>,
    /// A token for each riddle that is active in this process, cancelled when it has ended.
    active: Mutex<FxHashMap<String, CancellationToken>>,
    /// Deliveries that wait for an answer, by number.
    waiting: Mutex<FxHashMap<i64, Arc<Notify>>>,
    /// Changes whenever something was written to the log.
    changed: watch::Sender<u64>,
    /// The number of the last message in the log at the last poll.
    seen: AtomicI64,
}

impl Platform {
    pub(super) fn new(
        agents: IndexMap<String, Reached>,
        roster: Roster,
        settings: RiddleSettings,
        shared: SharedFolder,
        persist: Option<PathBuf>,
        log: Arc<dyn Log>,
        starts: mpsc::UnboundedSender<String>,
    ) -> Self {
        let (active, waiting) = (Mutex::default(), Mutex::default());
        let (changed, seen) = (watch::Sender::new(0), AtomicI64::new(0));
        Self {
            agents,
            roster,
            settings,
            shared,
            persist,
            log,
            starts,
            active,
            waiting,
            changed,
            seen,
        }
    }

    /// Poses a riddle. One whose id is known is not posed again.
    pub(super) async fn pose(&self, message: &AgentMessage) -> Result<Posed, RiddleError> {
        let posed = self.log.pose(message).await?;
        if posed == Posed::New {
            self.wrote();
            self.start(&message.id);
        }
        Ok(posed)
    }

    /// Has the run of a riddle started.
    pub(super) fn start(&self, id: &str) {
        // Nobody listens if the management is gone; the next one starts what has not ended.
        let _ = self.starts.send(id.to_owned());
    }

    /// An agent answers a message.
    pub(super) async fn reply(
        &self,
        number: i64,
        agent: &str,
        reply: &Reply,
    ) -> Result<Receipt, RiddleError> {
        let receipt = self.log.reply(number, agent, reply).await?;
        if receipt != Receipt::Repeated {
            self.wrote();
        }
        if let Some(waiting) = self.waiting().get(&number) {
            waiting.notify_one();
        }
        Ok(receipt)
    }

    /// A riddle ends, and with it its sub-riddles.
    pub(super) async fn end(&self, outcome: &RiddleOutcome) -> Result<(), RiddleError> {
        let mut ending = vec![outcome.clone()];
        while let Some(outcome) = ending.pop() {
            if self.log.end(&outcome).await? {
                self.wrote();
            }
            if let Some(token) = self.active().remove(&outcome.id) {
                token.cancel();
            }
            for id in self.log.running(Some(&outcome.id)).await? {
                let mut given_up = self.log.riddle(&id).await?;
                given_up.state = RiddleState::Unsolved;
                given_up.reason = Some(format!("given up: riddle `{}` has ended", outcome.id));
                ending.push(given_up);
            }
        }
        Ok(())
    }

    /// Waits until a riddle has ended.
    pub(super) async fn ended(&self, id: &str) -> Result<RiddleOutcome, RiddleError> {
        let mut changed = self.changes();
        loop {
            let riddle = self.log.riddle(id).await?;
            if riddle.state != RiddleState::Running {
                return Ok(riddle);
            }
            changed.changed().await.expect("the platform, which sends, is borrowed");
        }
    }

    /// Tells when something was written after this call.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Looks for what other managements of the same store have written, and has it read. Returns
    /// the riddles that have not ended.
    pub(super) async fn written_elsewhere(&self) -> Vec<String> {
        // Listed first: a riddle that begins later may not be among those that are found below.
        let here: Vec<_> = self.active().keys().cloned().collect();
        let found =
            async { Ok::<_, RiddleError>((self.log.last().await?, self.log.running(None).await?)) };
        let (last, running) = match found.await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "the log of riddles could not be read");
                return Vec::new();
            }
        };
        if self.seen.swap(last, Ordering::Relaxed) != last {
            self.wrote();
            self.waiting().values().for_each(|waiting| waiting.notify_one());
        }
        for id in here.iter().filter(|id| !running.contains(id)) {
            if let Some(token) = self.active().remove(id) {
                token.cancel();
            }
        }
        running
    }

    fn wrote(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// The token of a riddle, which is cancelled when the riddle has ended.
    fn token(&self, id: &str) -> CancellationToken {
        self.active().entry(id.to_owned()).or_default().clone()
    }

    /// Forgets a riddle whose run is over.
    pub(super) fn forget(&self, id: &str) {
        self.active().remove(id);
    }

    fn active(&self) -> std::sync::MutexGuard<'_, FxHashMap<String, CancellationToken>> {
        self.active.lock().expect("nobody panics while the lock is held")
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, FxHashMap<i64, Arc<Notify>>> {
        self.waiting.lock().expect("nobody panics while the lock is held")
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("agents", &self.agents.keys().collect::<Vec<_>>())
            .field("settings", &self.settings)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
