//! This program as a server sees it: it hears what the server says between its answers, and answers
//! its questions.
#![expect(
    deprecated,
    reason = "servers ask for roots and samples until a later revision removes it"
)]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rmcp::model::{
    ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ErrorData, Implementation, ListRootsResult, ServerNotification,
};
use rmcp::service::RequestContext;
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::{broadcast, oneshot, watch};

use super::calls::{Calls, Heard};
use super::log::{McpLog, McpProgress};
use super::offers::{Offers, Questions};
use super::question::{McpAnswer, McpQuestion, declined};
use super::shown::Secrets;

/// Maximum number of updates of resources that wait to be read.
const MOST_UPDATES: usize = 256;

/// Hears what a server says, and answers it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Listener(Arc<Parts>);

struct Parts {
    server: String,
    secrets: Secrets,
    offers: Offers,
    calls: Calls,
    /// Number of changes of the tools so far.
    tools_version: watch::Sender<u64>,
    /// The number when the tools were last listed.
    tools_listed: AtomicU64,
    /// The addresses of resources that have changed.
    updates: broadcast::Sender<String>,
    /// Number of sessions that replaced one which the server had forgotten.
    n_renewed: watch::Sender<usize>,
    /// The addresses that are subscribed to, and how often.
    subscribed: Mutex<BTreeMap<String, usize>>,
    /// Number of requests that wait for their answers.
    n_waiting: AtomicUsize,
    /// Number of questions that the program is answering.
    n_answering: AtomicUsize,
    /// Number of messages that were too large to be read.
    n_too_large: watch::Sender<usize>,
}

/// A listener that may be gone.
pub(super) struct WeakListener(Weak<Parts>);

/// A request that waits for its answer, as far as the listener is concerned.
pub(super) struct Asking {
    listener: Listener,
    n_too_large: watch::Receiver<usize>,
}

impl Listener {
    pub(super) fn new(server: &str, secrets: Secrets, offers: Offers) -> Self {
        Self(Arc::new(Parts {
            server: server.to_owned(),
            secrets,
            offers,
            calls: Calls::default(),
            tools_version: watch::Sender::new(0),
            tools_listed: AtomicU64::new(0),
            updates: broadcast::Sender::new(MOST_UPDATES),
            n_renewed: watch::Sender::new(0),
            subscribed: Mutex::default(),
            n_waiting: AtomicUsize::new(0),
            n_answering: AtomicUsize::new(0),
            n_too_large: watch::Sender::new(0),
        }))
    }

    /// What is removed from the server's messages.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    pub(super) fn offers(&self) -> &Offers {
        &self.0.offers
    }

    pub(super) fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// Registers a request that is sent now.
    pub(super) fn asks(&self) -> Asking {
        self.0.n_waiting.fetch_add(1, Ordering::AcqRel);
        Asking { listener: self.clone(), n_too_large: self.0.n_too_large.subscribe() }
    }

    /// Hears that a message was too large to be read.
    pub(super) fn drops_a_message(&self) {
        self.0.n_too_large.send_modify(|n| *n += 1);
    }

    /// Hears a notification.
    pub(super) fn hears(&self, notification: &ServerNotification) {
        match notification {
            ServerNotification::ToolListChangedNotification(_) => self.tools_have_changed(),
            ServerNotification::ProgressNotification(progress) => {
                let params = &progress.params;
                let progress = McpProgress::new(self.secrets(), params);
                self.0.calls.progress(&params.progress_token, progress);
            }
            ServerNotification::LoggingMessageNotification(logged) => {
                self.logs(McpLog::new(&self.0.server, self.secrets(), &logged.params));
            }
            ServerNotification::ResourceUpdatedNotification(updated) => {
                // An error means that nobody is subscribed.
                let _unheard = self.0.updates.send(updated.params.uri.clone());
            }
            _ => {}
        }
    }

    fn logs(&self, log: McpLog) {
        // Some servers log more than they are asked to.
        if self.0.offers.log_level.is_none_or(|least| log.level < least) {
            return;
        }
        log.trace();
        if let Some(on_log) = &self.0.offers.on_log {
            on_log(&log);
        }
        self.0.calls.only(Heard::Log(log));
    }

    /// Whether the tools have changed since they were last listed.
    pub(super) fn tools_changed(&self) -> bool {
        self.tools_version() != self.0.tools_listed.load(Ordering::Acquire)
    }

    /// Number of changes of the tools so far.
    pub(super) fn tools_version(&self) -> u64 {
        *self.0.tools_version.borrow()
    }

    /// Returns when the tools have changed since they were last listed.
    pub(super) async fn tools_change(&self) {
        let mut version = self.0.tools_version.subscribe();
        let listed = || self.0.tools_listed.load(Ordering::Acquire);
        // The sender lives as long as this.
        let _changed = version.wait_for(|version| *version != listed()).await;
    }

    /// Returns when the number of changes is another one than `version`.
    pub(super) async fn tools_change_after(&self, version: u64) {
        let mut versions = self.0.tools_version.subscribe();
        // The sender lives as long as this.
        let _changed = versions.wait_for(|now| *now != version).await;
    }

    /// Counts a change: the server says so, or was connected to again.
    pub(super) fn tools_have_changed(&self) {
        self.0.tools_version.send_modify(|version| *version += 1);
    }

    /// Remembers that the program lists the tools now.
    pub(super) fn will_list(&self) {
        self.0.tools_listed.store(self.tools_version(), Ordering::Release);
    }

    /// The addresses of resources that change from now on.
    pub(super) fn updates(&self) -> broadcast::Receiver<String> {
        self.0.updates.subscribe()
    }

    /// The server was connected to again: what is subscribed to may have changed meanwhile.
    pub(super) fn all_may_have_changed(&self) {
        self.tools_have_changed();
        for uri in self.subscribed() {
            let _unheard = self.0.updates.send(uri);
        }
    }

    /// Hears that another session has begun, because the server has forgotten the one before.
    pub(super) fn begins_another_session(&self) {
        self.all_may_have_changed();
        self.0.n_renewed.send_modify(|n| *n += 1);
    }

    /// The number of sessions that replaced another.
    pub(super) fn n_renewed(&self) -> watch::Receiver<usize> {
        self.0.n_renewed.subscribe()
    }

    /// This listener for a task that is not to keep it.
    pub(super) fn downgrade(&self) -> WeakListener {
        WeakListener(Arc::downgrade(&self.0))
    }

    /// The addresses that are subscribed to.
    pub(super) fn subscribed(&self) -> Vec<String> {
        self.lock_subscribed().keys().cloned().collect()
    }

    pub(super) fn subscribes(&self, uri: &str) {
        *self.lock_subscribed().entry(uri.to_owned()).or_default() += 1;
    }

    /// Returns whether this was the last subscription to `uri`.
    pub(super) fn unsubscribes(&self, uri: &str) -> bool {
        let mut subscribed = self.lock_subscribed();
        let Some(n) = subscribed.get_mut(uri) else { return false };
        *n -= 1;
        let is_last = *n == 0;
        if is_last {
            subscribed.remove(uri);
        }
        is_last
    }

    fn lock_subscribed(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.subscribed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the program answer a question. It is declined if the program does not answer questions.
    pub(super) async fn answer_by_program(&self, question: McpQuestion) -> McpAnswer {
        struct Answering<'a>(&'a AtomicUsize);
        impl Drop for Answering<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::AcqRel);
            }
        }
        let Questions::Program(answer) = &self.0.offers.questions else {
            return McpAnswer::Decline;
        };
        self.0.n_answering.fetch_add(1, Ordering::AcqRel);
        let _answering = Answering(&self.0.n_answering);
        answer(question).await
    }

    /// Whether the program is answering a question.
    pub(super) fn is_answering(&self) -> bool {
        self.0.n_answering.load(Ordering::Acquire) > 0
    }

    /// Answers a question of a server of an earlier protocol.
    async fn answer(&self, params: &ElicitRequestParams) -> ElicitResult {
        let Some(question) = McpQuestion::of(&self.0.server, params) else {
            return declined("this client does not know this kind of question");
        };
        match &self.0.offers.questions {
            Questions::Declined => declined("this client asks no people"),
            Questions::Program(_) => self.answer_by_program(question).await.result(),
            Questions::Pause => {
                let (reply, answered) = oneshot::channel();
                match self.0.calls.only(Heard::Question(question, reply)) {
                    // If the run pauses, the call is dropped.
                    true => answered.await.unwrap_or_else(|_| McpAnswer::Cancel.result()),
                    false => declined("nobody can be asked outside of a tool call"),
                }
            }
        }
    }
}

impl WeakListener {
    pub(super) fn upgrade(&self) -> Option<Listener> {
        self.0.upgrade().map(Listener)
    }
}

impl Asking {
    /// Returns when a message was too large that can only have been the answer, because no other
    /// request waits.
    pub(super) async fn is_too_large(&mut self) {
        while self.n_too_large.changed().await.is_ok() {
            if self.listener.0.n_waiting.load(Ordering::Acquire) == 1 {
                return;
            }
        }
        pending::<()>().await;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.listener.0.n_waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let this = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        ClientConfig::new(self.0.offers.capabilities(), this)
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.0.offers.sample(params, self.secrets()).await
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(self.0.offers.listed_roots())
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(self.answer(&params).await)
    }
}
